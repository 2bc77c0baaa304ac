"""Quoted strings, and the escapes ``\\\\`` and ``\\"`` in them. No I/O.

quoted = DQUOTE *QUOTED-CHAR DQUOTE; QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\\" quoted-specials
(RFC 9051, 9). Servers also escape other bytes.
"""

from __future__ import annotations

import re

from .._import_time import expression
from ..exceptions import ProtocolError

(_BACKSLASH,) = b"\\"
_ESCAPED = expression(rb"\\(.)", re.DOTALL)


def unquote(token: bytes) -> bytes:
    """The content of a quoted string: ``unquote(b'"a\\\\"b"') == b'a"b'``."""
    if _BACKSLASH in token:
        return _ESCAPED.sub(rb"\1", token[1:-1])
    return token[1:-1]


# The first of the two bytes that replace an escape. Control characters, and bytes that UTF-8 never has, are rare in
# lines. One that is not in the line is chosen.
_MARKS = bytes([0, 1, 2, 3, 4, 5, 6, 7, 14, 15, *range(0xF5, 0x100)])


class HiddenEscapes:
    """Text in which each escape is replaced by two bytes, so that every quote in it starts or ends a string.

    The first of these bytes is ``mark``, which is nowhere else in the text. Positions stay the same.
    """

    __slots__ = ("_backslash", "_quote", "mark", "text")

    def __init__(self, text: bytes, mark: int) -> None:
        self.mark = mark
        self._backslash, self._quote = b"%c/" % mark, b"%c'" % mark
        self.text = text.replace(b"\\\\", self._backslash).replace(b'\\"', self._quote)

    def restored(self, text: bytes) -> bytes:
        """Put the escapes back into a text."""
        return text.replace(self._quote, b'\\"').replace(self._backslash, b"\\\\")

    def unescaped(self, strings: list[bytes]) -> list[bytes]:
        """The contents of a line's strings, without escapes. Escapes of other bytes lose their backslash too."""
        if _BACKSLASH in self.text:
            strings = [string.replace(b"\\", b"") for string in strings]
        mark, backslash, quote = self.mark, self._backslash, self._quote
        return [
            string.replace(quote, b'"').replace(backslash, b"\\") if mark in string else string for string in strings
        ]


def hide_escapes(text: bytes) -> HiddenEscapes:
    """The text with its escapes hidden. Raises ProtocolError if no byte is left to mark them."""
    for mark in _MARKS:
        if mark not in text:
            return HiddenEscapes(text, mark)
    raise ProtocolError("too many different control characters and invalid bytes in a line with escapes", 0, text[:80])
