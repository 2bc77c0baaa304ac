"""Quoted strings, and the escapes ``\\\\`` and ``\\"`` in them. No I/O.

quoted = DQUOTE *QUOTED-CHAR DQUOTE; QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\\" quoted-specials
(RFC 9051, 9). Servers also escape other bytes.
"""

from __future__ import annotations

import re

from .._import_time import NamedTuple, expression
from ..exceptions import ProtocolError

_ESCAPED = expression(rb"\\(.)", re.DOTALL)


def unquote(token: bytes) -> bytes:
    """The content of a quoted string: ``unquote(b'"a\\\\"b"') == b'a"b'``."""
    if b"\\" in token:
        return _ESCAPED.sub(rb"\1", token[1:-1])
    return token[1:-1]


# The bytes that can replace an escape. Two bytes replace two, so that positions stay the same. Control characters and
# bytes that UTF-8 never has are rare in lines. Two that are not in the line are chosen.
_STAND_INS = tuple(bytes([code, code]) for code in (0, 1, 2, 3, 4, 5, 6, 7, 14, 15, *range(0xF5, 0x100)))


class HiddenEscapes(NamedTuple):
    """Text in which each escape is replaced by two bytes, so that every quote in it starts or ends a string.

    ``backslash`` replaces ``\\\\``, ``quote`` replaces ``\\"``.
    """

    text: bytes
    backslash: bytes
    quote: bytes

    def restored(self, text: bytes) -> bytes:
        """Put the escapes back into a text."""
        return text.replace(self.quote, b'\\"').replace(self.backslash, b"\\\\")

    def unescaped(self, strings: list[bytes]) -> list[bytes]:
        """The contents of a line's strings, without escapes. Escapes of other bytes lose their backslash too."""
        meanings = ((b"\\", b""), (self.quote, b'"'), (self.backslash, b"\\"))
        # All strings are replaced at once. They are joined by a byte that no line of a server contains.
        inside = b"\n".join(strings)
        if inside.count(b"\n") == len(strings) - 1:
            for escape, meant in meanings:
                inside = inside.replace(escape, meant)
            return inside.split(b"\n")
        for escape, meant in meanings:
            strings = [string.replace(escape, meant) for string in strings]
        return strings


def hide_escapes(text: bytes) -> HiddenEscapes:
    """The text with its escapes hidden. Raises ProtocolError if no two stand-ins are left."""
    free = (stand_in for stand_in in _STAND_INS if stand_in[0] not in text)
    backslash, quote = next(free, b""), next(free, b"")
    if not quote:
        raise ProtocolError(
            "too many different control characters and invalid bytes in a line with escapes", 0, text[:80]
        )
    return HiddenEscapes(text.replace(b"\\\\", backslash).replace(b'\\"', quote), backslash, quote)
