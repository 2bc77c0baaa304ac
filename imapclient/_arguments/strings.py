"""Encode a caller's text, flags, names and dates as arguments of a command. No I/O.

This prevents injection. Text becomes a quoted string or a literal, so CR, LF, quotes and 8-bit text are data. Atoms,
and text that is sent as it is, are checked. ValueError is raised for text that could end the command or announce a
literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._import_time import expression
from ..imap_utf7 import encode_name
from ..util import Text, escaped, shortened, to_wire
from .command import Argument, Literal

if TYPE_CHECKING:
    import datetime

# Longer text is sent as a literal, because servers limit the length of a line.
QUOTED_LIMIT = 1000

# atom = 1*ATOM-CHAR: no control, space, "(", ")", "{", "%", "*", quote, backslash, "]" (RFC 9051, 9)
_ATOM = expression(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+\Z')
# flag = "\" atom or atom. Servers also have keywords that contain "]", "{" or "*", so these are allowed. Characters
# that end an atom are refused. So is the announcement of a literal, because Dovecot accepts {5} in the middle of a line
# too.
_FLAG = expression(rb'(?!~?\{\d+\+?\}\Z)\\?[^\x00-\x20\x7f-\xff()"\\]+\Z')
_NOT_QUOTABLE = expression(rb"[\x00\r\n\x80-\xff]")
_ANNOUNCES_LITERAL = expression(rb"\{\d+\+?\}\s*\Z")


def string(value: Text, what: str = "text") -> Argument:
    """A quoted string, or a literal if the text is long, is not ASCII, or contains CR or LF.

    ``string('a "b"') == b'"a \\\\"b\\\\""'``; ``string('café') == Literal(b'caf\\xc3\\xa9')``. Raises ValueError if the
    text contains NUL. The error names ``what`` and does not show the text, which may be a password.
    """
    data = to_wire(value)
    if len(data) > QUOTED_LIMIT or _NOT_QUOTABLE.search(data):
        if b"\0" in data:
            raise ValueError(f"{what} must not contain NUL")
        return Literal(data)
    return b'"%s"' % escaped(data)


def atom_or_string(data: bytes) -> Argument:
    """The bytes themselves if they are an atom other than NIL, otherwise a `string`."""
    is_atom = len(data) <= QUOTED_LIMIT and _ATOM.match(data) and data.upper() != b"NIL"
    return data if is_atom else string(data)


def atom(value: Text, what: str = "atom") -> bytes:
    """An atom: ``atom('MESSAGES') == b'MESSAGES'``. Raises ValueError if the value is not an atom."""
    data = to_wire(value)
    if not _ATOM.match(data):
        raise ValueError(f"not a valid {what}: {shortened(data)}")
    return data


def flag(value: Text) -> bytes:
    """A flag or keyword: ``flag('\\\\Seen') == b'\\\\Seen'``. Raises ValueError if the value is neither."""
    data = to_wire(value)
    if not _FLAG.match(data):
        raise ValueError(f"not a valid flag: {shortened(data)}")
    return data


def is_keyword(data: bytes) -> bool:
    """Whether the bytes are a flag without a backslash (RFC 9051, 9: flag-keyword)."""
    return not data.startswith(b"\\") and _FLAG.match(data) is not None


def flags(values: Text | Iterable[Text]) -> tuple[bytes, ...]:
    """Flags: ``flags(['\\\\Seen', 'Work'])`` and ``flags('\\\\Seen Work')`` are ``(b'\\\\Seen', b'Work')``."""
    if isinstance(values, (str, bytes)):
        values = [word for word in to_wire(values).split(b" ") if word] or [b""]
    return tuple(flag(value) for value in values)


def mailbox(name: Text, folder_encode: bool = True, utf8: bool = False) -> Argument:
    """A mailbox name as an argument: ``mailbox('Entwürfe') == b'"Entw&APw-rfe"'``."""
    return string(wire_name(name, folder_encode, utf8), "a folder name")


def wire_name(name: Text, folder_encode: bool = True, utf8: bool = False) -> bytes:
    """The bytes of a mailbox name: ``wire_name('Entwürfe') == b'Entw&APw-rfe'``, or UTF-8 if ``utf8`` is set."""
    return encode_name(name, utf8) if folder_encode else to_wire(name)


def raw(value: Text, what: str) -> bytes:
    """The bytes of text that is sent as it is. Raises ValueError if it could end the command or announce a literal."""
    data = to_wire(value)
    if re.search(rb"[\r\n\0]", data):
        raise ValueError(f"{what} must not contain CR, LF or NUL: {shortened(data)}")
    if _ANNOUNCES_LITERAL.search(data):
        raise ValueError(f"{what} must not end with the announcement of a literal, such as {{5}}: {shortened(data)}")
    return data


# Macros for several items: they are sent without parentheses (RFC 9051, 9: fetch).
_FETCH_MACROS = (b"ALL", b"FAST", b"FULL")


def fetch_items(values: Text | Iterable[Text]) -> bytes:
    """The items to fetch: ``fetch_items(['FLAGS', 'UID']) == b'(FLAGS UID)'``, ``fetch_items('FAST') == b'FAST'``."""
    items = raw_list(values, "fetch data")
    return items[1:-1] if items[1:-1].upper() in _FETCH_MACROS else items


# section-spec without HEADER.FIELDS (RFC 9051, 9)
_SECTION = rb"(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT|)\Z"


def section(value: Text) -> bytes:
    """A section of a message, in upper case: ``section('1.mime') == b'1.MIME'``. Raises ValueError for anything else.

    Sections are ``'1.2'``, ``'2.MIME'``, ``'HEADER'``, and ``''`` for the whole message.
    """
    data = to_wire(value).upper()
    if not re.match(_SECTION, data):
        raise ValueError(f"not a section of a message: {shortened(data)}")
    return data


def is_part_number(section: bytes) -> bool:
    """Whether a section is a whole part: ``b'1.2'``, but not ``b''`` and not ``b'1.MIME'``."""
    return section[-1:].isdigit()


def raw_list(values: Text | Iterable[Text], what: str) -> bytes:
    """Items in parentheses, each sent as it is: ``raw_list(['FLAGS', 'UID'], 'data') == b'(FLAGS UID)'``."""
    if isinstance(values, (str, bytes)):
        values = (values,)
    items = [raw(value, what) for value in values]
    if not items or not all(items):
        raise ValueError(f"{what} must not be empty")
    return b"(%s)" % b" ".join(items)


def date_time(value: datetime.datetime) -> bytes:
    """A quoted INTERNALDATE: ``b'" 1-Feb-2020 10:11:12 +0100"'``."""
    # Imported here, because not every program needs it.
    from ..datetime_util import datetime_to_INTERNALDATE

    return b'"%s"' % to_wire(datetime_to_INTERNALDATE(value), "ascii")
