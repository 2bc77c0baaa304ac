"""What the soak expects in the server's folders: the messages, and the number of copies of each."""

from __future__ import annotations

import hashlib
import random
from collections import Counter


class Failure(Exception):
    """The soak found an error."""


def message(token: str) -> bytes:
    """Return the message for a token. All its bytes follow from the token, so that each can be checked."""
    dice = random.Random(token)
    size = dice.choice((10, 200, 2_000, 20_000))
    body = hashlib.sha256(token.encode()).hexdigest().encode()
    lines = b"\r\n".join(body for _ in range(size // len(body) + 1))
    return b"Message-ID: <%s>\r\nSubject: soak\r\n\r\n%s\r\n" % (token.encode(), lines)


def token_of(data: bytes) -> str:
    first = data.partition(b"\r\n")[0]
    token = first[len(b"Message-ID: <") : -1].decode("ascii", "replace")
    if data != message(token):
        raise Failure(f"a message has other bytes than were appended: {first!r}, {len(data)} bytes")
    return token


class Ledger:
    """The minimum and maximum number of copies of each message."""

    def __init__(self) -> None:
        self._bounds: dict[str, tuple[int, int]] = {}

    def add(self, token: str, least: int, most: int) -> None:
        low, high = self._bounds.get(token, (0, 0))
        self._bounds[token] = (max(0, low + least), max(0, high + most))

    def faults(self, there: Counter[str]) -> list[str]:
        """Return what differs from the ledger."""
        faults = []
        for token in {*self._bounds, *there}:
            low, high = self._bounds.get(token, (0, 0))
            if not low <= there[token] <= high:
                faults.append(f"{token} is there {there[token]} times, not {low} to {high}")
        return sorted(faults)

    def tally(self) -> Counter[str]:
        """Return how many messages are certainly there, certainly not there, or may be there."""
        kinds = Counter[str]()
        for low, high in self._bounds.values():
            kinds["sure" if low == high else "not sure"] += 1
        return kinds

    def clear(self) -> None:
        self._bounds.clear()
