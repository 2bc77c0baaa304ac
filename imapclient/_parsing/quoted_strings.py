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


# Escapes are hidden behind two other bytes, so that positions stay the same. The first one, the mark, is nowhere else
# in the text. Control characters, and bytes that UTF-8 never has, are rare in lines.
HIDDEN = 0
_MARKS = bytes([HIDDEN, 1, 2, 3, 4, 5, 6, 7, 14, 15, *range(0xF5, 0x100)])
_STAND_INS = {mark: (b"%c/" % mark, b"%c'" % mark) for mark in _MARKS}

# nstring = string / nil (RFC 9051, 9), for quoted strings whose escapes are hidden. The group is the content.
NSTRING = rb'(?:"[^"]*"|NIL)'
NSTRING_CONTENT = rb'(?:"([^"]*)"|NIL)'


def mark_for(text: bytes) -> int:
    """A mark for the escapes in a text. Raises ProtocolError if the text contains every byte that can be one."""
    for mark in _MARKS:
        if mark not in text:
            return mark
    raise ProtocolError("too many different control characters and invalid bytes in a line with escapes", 0, text[:80])


def hidden(text: bytes, mark: int = HIDDEN) -> bytes:
    """The text with its escapes hidden, so that every quote in it starts or ends a string.

    Escapes of bytes other than quotes and backslashes stay.
    """
    backslash, quote = _STAND_INS[mark]
    first = text.find(b'"')
    usual = text.replace(b'\\"', quote)
    if usual.rfind(b"\\") < first and text[first - 1 : first] != b"\\":
        # The usual case: no backslash is left from the first string on. Searching for two backslashes would be slow.
        return usual
    return text.replace(b"\\\\", backslash).replace(b'\\"', quote)


def with_escapes(text: bytes, mark: int = HIDDEN) -> bytes:
    """A part of a text with hidden escapes as it was."""
    backslash, quote = _STAND_INS[mark]
    return text.replace(quote, b'\\"').replace(backslash, b"\\\\")


def shown(string: bytes, mark: int = HIDDEN) -> bytes:
    """The content of a string whose escapes are hidden."""
    backslash, quote = _STAND_INS[mark]
    return string.replace(quote, b'"').replace(backslash, b"\\")


def all_shown(strings: list[bytes], mark: int, *, other_escapes: bool) -> list[bytes]:
    """The contents of strings whose escapes are hidden. Escapes of other bytes lose their backslash too."""
    if other_escapes:
        strings = [string.replace(b"\\", b"") for string in strings]
    return [shown(string, mark) if mark in string else string for string in strings]
