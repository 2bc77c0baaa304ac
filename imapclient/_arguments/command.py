"""A command on the wire: its arguments, and the pieces that are sent for them. No I/O.

An argument is bytes that are complete as they are, a `Literal`, or a tuple of arguments, which is a parenthesised list.
`encode_command` joins them with spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, Union

from ..sequence_set import SequenceSet


class Literal(NamedTuple):
    """A literal of the given bytes; with ``binary`` a literal8 (RFC 3516), which may hold NUL."""

    data: bytes
    binary: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


class StreamedLiteral:
    """A literal whose bytes are made while it is sent: ``size`` of them, else ``pieces`` raises."""

    __slots__ = ("binary", "pieces", "size")

    def __init__(self, size: int, pieces: Iterable[bytes], binary: bool = False) -> None:
        self.size = size
        self.pieces = pieces
        self.binary = binary


class Joined(tuple[Any, ...]):
    """Arguments sent one after the other with nothing between."""


Argument = Union[bytes, Literal, StreamedLiteral, SequenceSet, tuple[Any, ...]]

# What no server refuses to read: atoms and quoted strings just as the grammar has them, the flags that a message may
# be given, parentheses. As text, of which `re` makes an expression where it is first needed, for that takes a while.
_STRICT = rb"""(?ix)
    (?: [ ()] | [^\x00-\x20\x7f-\xff(){%*"\\\]]
      | " (?: [^\x00\r\n"\\\x80-\xff] | \\["\\] )* "
      | \\ (?: Answered | Deleted | Draft | Flagged | Seen ) (?= [ )] )
    )* (?: \r\n )? \Z
"""
_STRICT_LIMIT = 8000


def is_strict(text: bytes) -> bool:
    """Whether a piece of a command can be read by any server: ``b'A1 APPEND "x" (\\\\Seen Work) '``."""
    return len(text) <= _STRICT_LIMIT and re.match(_STRICT, text) is not None


def encode_command(tag: bytes, name: bytes, arguments: Iterable[Argument]) -> list[bytes | Literal | StreamedLiteral]:
    """A command as pieces to send: text between literals, and the literals, which the sender announces.

    ``encode_command(b'A1', b'LOGIN', [b'"ann"', Literal(b'p')])`` is
    ``[b'A1 LOGIN "ann" ', Literal(b'p'), b'\\r\\n']``.
    """
    pieces: list[bytes | Literal | StreamedLiteral] = []
    text = bytearray(tag + b" " + name)

    def add(argument: Argument) -> None:
        if isinstance(argument, bytes):
            text.extend(argument)
        elif isinstance(argument, SequenceSet):
            text.extend(bytes(argument))
        elif isinstance(argument, (Literal, StreamedLiteral)):
            pieces.append(bytes(text))
            pieces.append(argument)
            text.clear()
        elif isinstance(argument, Joined):
            for part in argument:
                add(part)
        else:
            text.extend(b"(")
            for index, part in enumerate(argument):
                if index:
                    text.extend(b" ")
                add(part)
            text.extend(b")")

    for argument in arguments:
        text.extend(b" ")
        add(argument)
    text.extend(b"\r\n")
    pieces.append(bytes(text))
    return pieces
