"""The arguments of a command, and the command as pieces to send. No I/O.

An argument is one of these: encoded bytes, a literal, a sequence set, or a tuple of arguments. A tuple becomes a
parenthesised list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Union

from .._import_time import NamedTuple
from ..sequence_set import SequenceSet


class Literal(NamedTuple):
    """A literal. With ``binary`` it is a literal8, which may contain NUL (RFC 3516)."""

    data: bytes
    binary: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


class StreamedLiteral:
    """A literal whose bytes are read while it is sent. ``pieces`` yields ``size`` bytes in all, or raises."""

    __slots__ = ("binary", "pieces", "size")

    def __init__(self, size: int, pieces: Iterable[bytes], binary: bool = False) -> None:
        self.size = size
        self.pieces = pieces
        self.binary = binary


class Joined(tuple[Any, ...]):
    """Parts of one argument. They are sent without spaces between them, and without parentheses."""


Argument = Union[bytes, Literal, StreamedLiteral, SequenceSet, tuple[Any, ...]]

# Text that every server can parse: atoms and quoted strings as the grammar has them, system flags, parentheses. It is
# not compiled here, because compiling is slow and few programs need it.
_STRICT = rb"""(?ix)
    (?: [ ()] | [^\x00-\x20\x7f-\xff(){%*"\\\]]
      | " (?: [^\x00\r\n"\\\x80-\xff] | \\["\\] )* "
      | \\ (?: Answered | Deleted | Draft | Flagged | Seen ) (?= [ )] )
    )* (?: \r\n )? \Z
"""
_STRICT_LIMIT = 8000


def is_strict(text: bytes) -> bool:
    """Whether every server can parse this piece of a command; True for ``b'A1 APPEND "x" (\\\\Seen Work) '``."""
    return len(text) <= _STRICT_LIMIT and re.match(_STRICT, text) is not None


def encode_command(tag: bytes, name: bytes, arguments: Iterable[Argument]) -> list[bytes | Literal | StreamedLiteral]:
    """A command as pieces to send: its literals, and the text between them.

    ``encode_command(b'A1', b'LOGIN', [b'"ann"', Literal(b'p')])`` is
    ``[b'A1 LOGIN "ann" ', Literal(b'p'), b'\\r\\n']``. The announcement ``{1}`` of a literal is not part of the pieces;
    the sender adds it.
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
