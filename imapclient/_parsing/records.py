"""Records: the lines and literals of a response, as bytes. Also the limits on their size. No I/O."""

from __future__ import annotations

from typing import Callable, Union

from .._import_time import NamedTuple

Record = Union[bytes, tuple[bytes, bytes]]
"""A line without its CRLF, or a pair of a line that announces a literal and that literal, as in imaplib."""

# The memory that Python needs for a literal and its line, in addition to their bytes. Empty literals count too.
OVERHEAD = 128
# The memory that Python needs for the values of an untagged response, in addition to its bytes.
RESPONSE_COST = 1024
# The size of all responses to one command that are collected before they are parsed, in bytes.
MAX_ANSWER_BYTES = 256 * 1024 * 1024


class Limits(NamedTuple):
    """The most that a server may send, in bytes; nesting is in levels."""

    line_length: int = 64 * 1024 * 1024
    literal_size: int = 2 * 1024 * 1024 * 1024
    response_size: int = 2 * 1024 * 1024 * 1024 + 64 * 1024 * 1024
    nesting_depth: int = 400
    #: All responses during one command, with `RESPONSE_COST` added for each.
    command_size: int = 4 * 1024 * 1024 * 1024

    def check(self) -> None:
        """Raise TypeError if a limit is not an int, or ValueError if it is negative."""
        for name, value in self._asdict().items():
            if not isinstance(value, int):
                raise TypeError(f"max_{name} must be an int, not {value!r}")
            if value < 0:
                raise ValueError(f"max_{name} can't be negative: {value}")


DEFAULT_LIMITS = Limits()

BulkReader = Callable[[bytes, int], tuple[int, int]]
"""Consumes whole responses from a position of a buffer on. Returns the position of their end, and their number."""


def announced_size(line: bytes) -> int | None:
    """The size of the literal that a line announces at its end: ``announced_size(b'* 1 FETCH (X {5}') == 5``, or None.

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
