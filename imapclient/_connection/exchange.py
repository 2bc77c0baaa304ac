"""What an exchange is made of: commands, tagged and untagged responses, and the queue of those nobody asked for.

No I/O: imap4.py moves them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable

from .._arguments.command import Argument
from .._parsing.records import MAX_ANSWER_BYTES
from .._parsing.responses import Handler, Handlers, Tagged, Untagged
from ..exceptions import LimitError, ProtocolError


class Command:
    """A command in flight.

    ``handlers`` are `Handlers`, or a plain mapping of the same shape. ``respond`` gets the text of each continuation
    request and returns what to send. ``secrets`` are never logged, nor is what the command sends and receives while it
    has any.
    """

    __slots__ = ("arguments", "error", "handlers", "is_sent", "name", "reply", "respond", "secrets", "tag")

    def __init__(
        self,
        name: bytes,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        *,
        respond: Callable[[bytes], bytes] | None = None,
        secrets: tuple[bytes, ...] = (),
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.handlers = handlers if isinstance(handlers, Handlers) else Handlers(handlers or {})
        self.respond = respond
        self.secrets = secrets
        self.tag = b""
        # Whether all of it has been given to the system to send.
        self.is_sent = False
        self.reply: Tagged | None = None
        self.error: ProtocolError | None = None


class UnsolicitedQueue:
    """Untagged responses that no command asked for, the last ones within a bound of number and size.

    Kept for a look at what a server told; nothing depends on them. ``dropped`` counts those that were pushed out. One
    thread may take what another one's command adds.
    """

    def __init__(self, max_responses: int = 4000, max_bytes: int = 4 * 1024 * 1024) -> None:
        self.dropped = 0
        self._responses: deque[Untagged] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self._max_responses = max_responses
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._responses)

    def __iter__(self) -> Iterator[Untagged]:
        with self._lock:
            return iter(list(self._responses))

    def append(self, response: Untagged) -> None:
        size = response.size
        with self._lock:
            if size > self._max_bytes:
                self.dropped += 1
                return
            self._responses.append(response)
            self._size += size
            while len(self._responses) > self._max_responses or self._size > self._max_bytes:
                self._size -= self._responses.popleft().size
                self.dropped += 1

    def popleft(self) -> Untagged:
        """The oldest, which is then no longer in the queue. IndexError where there is none."""
        with self._lock:
            response = self._responses.popleft()
            self._size -= response.size
        return response

    def shorten(self, length: int) -> None:
        """Keep the oldest ``length`` responses."""
        with self._lock:
            while len(self._responses) > length:
                self._size -= self._responses.pop().size

    @property
    def is_full(self) -> bool:
        return len(self._responses) >= self._max_responses or self._size >= self._max_bytes

    def take(self) -> list[Untagged]:
        """All of them, oldest first; the queue is empty then."""
        with self._lock:
            taken = list(self._responses)
            self._responses.clear()
            self._size = 0
        return taken

    def clear(self) -> None:
        self.take()


class AwaitedQueue(UnsolicitedQueue):
    """Untagged responses that a caller waits for. None is dropped: LimitError where there are too many for one call."""

    MAX_RESPONSES = 1_000_000
    MAX_BYTES = MAX_ANSWER_BYTES

    def append(self, response: Untagged) -> None:
        size = response.size
        with self._lock:
            if len(self._responses) >= self.MAX_RESPONSES:
                raise LimitError("AwaitedQueue.MAX_RESPONSES", self.MAX_RESPONSES, "what the server told in one go")
            if self._responses and self._size + size > self.MAX_BYTES:
                raise LimitError("AwaitedQueue.MAX_BYTES", self.MAX_BYTES, "what the server told in one go")
            self._responses.append(response)
            self._size += size
