"""Records, the shape in which a response is passed on: lines and literals as bytes. The limits on them. No I/O."""

from __future__ import annotations

from typing import Callable, NamedTuple, Union

Record = Union[bytes, tuple[bytes, bytes]]
"""A line without its CRLF, or a line that announces a literal together with that literal (imaplib's shape)."""

# What Python needs to keep a literal and its line beside their bytes: literals without content count too.
OVERHEAD = 128
# What Python needs to keep what an untagged response told, beside its bytes.
RESPONSE_COST = 1024
# How many bytes the responses of one answer may have that are collected before any of them is parsed.
MAX_ANSWER_BYTES = 256 * 1024 * 1024


class Limits(NamedTuple):
    """How much is taken from a server before it is called hostile, in bytes (nesting: in levels)."""

    line_length: int = 64 * 1024 * 1024
    literal_size: int = 2 * 1024 * 1024 * 1024
    response_size: int = 2 * 1024 * 1024 * 1024 + 64 * 1024 * 1024
    nesting_depth: int = 400
    #: All that the server tells while one command runs, with `RESPONSE_COST` for each response.
    command_size: int = 4 * 1024 * 1024 * 1024

    def check(self) -> None:
        """TypeError for what is no int, ValueError for less than 0."""
        for name, value in self._asdict().items():
            if not isinstance(value, int):
                raise TypeError(f"max_{name} must be an int, not {value!r}")
            if value < 0:
                raise ValueError(f"max_{name} can't be negative: {value}")


DEFAULT_LIMITS = Limits()

BulkReader = Callable[[bytes, int], tuple[int, int]]
"""Gets a buffer and a position in it, takes responses that lie there whole, and returns where they end and how many."""


def announced_size(line: bytes) -> int | None:
    """The size of the literal that a line announces at its end, or None: ``announced_size(b'* 1 FETCH (X {5}') == 5``.

    literal = "{" number64 ["+"] "}" CRLF; literal8 = "~{" number64 "}" CRLF (RFC 9051, 9; RFC 3516, 7)
    """
    brace = line.rfind(b"{")
    digits = line[brace + 1 : -1]
    if brace < 0 or line[-1:] != b"}":
        return None
    if digits[-1:] == b"+":
        digits = digits[:-1]
    return int(digits) if digits.isdigit() and len(digits) <= 20 else None


def before_announcement(line: bytes) -> bytes:
    """A line without the announcement of a literal at its end: ``before_announcement(b'(X ~{5}') == b'(X '``."""
    if announced_size(line) is None:
        return line
    brace = line.rfind(b"{")
    return line[: brace - 1] if line[brace - 1 : brace] == b"~" else line[:brace]
