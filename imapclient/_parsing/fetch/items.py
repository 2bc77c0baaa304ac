"""The items of a FETCH response: how each is recognised, and its value. No I/O; a value or ProtocolError."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from ...datetime_util import parse_to_datetime
from ...exceptions import ProtocolError
from ..lexer import brief, number, read_values, unreadable, values_in
from ..mail.body_structure import read_body
from ..mail.envelope import Envelope, PartlyReadError, read_envelope
from ..responses import DEFAULT_OPTIONS, ReadOptions, Untagged
from .results import FetchItems

# One item up to the space or parenthesis after it. Its value is a number, a flat list without strings, or a string
# without escapes. The lexer reads all other items: names in lower case, NIL, and lists with a control character at
# which bytes.split() would cut.
SIMPLE_ITEM = re.compile(
    rb"((?!NIL )[A-Z][A-Z0-9.-]*) "
    rb"(?:(0|[1-9]\d{0,18})|\(([^()\"\n\r\v\f]*)\)|\"([^\"\\]*)\")"
    rb"(?: (?=[A-Z])|\)\Z)"
)
# The items with which most responses begin, any of which may be missing. So it matches everywhere.
FIRST_ITEMS = (
    rb"(?:UID (0|[1-9]\d{0,18}) )?"
    rb'(?:FLAGS \(([^()"\n\r\v\f\0]*)\) )?'
    rb'(?:INTERNALDATE "([^"\\\r\n\0]*)" )?'
    rb"(?:RFC822\.SIZE (0|[1-9]\d{0,18}) )?"
)
# The groups of SIMPLE_ITEM, one of which holds the value.
NUMBER, LIST, STRING = 2, 3, 4
LITERAL_ITEM = re.compile(rb"(?:BODY|BINARY)\[[A-Z0-9.]*(?: \([A-Z0-9 -]+\))?\](?:<\d+>)?|RFC822(?:\.HEADER|\.TEXT)?")
# As a number it is found in bytes in a tenth of the time.
(BRACKET,) = b"["
# The messages of a mailbox have few different lists of flags, and few names of sections.
_literal_items: set[bytes] = set()
_flag_lists: dict[bytes, tuple[bytes, ...]] = {}
_MAX_KEPT = 1024
_MAX_LENGTH_KEPT = 200


def literal_item(line: bytes, start: int) -> bytes | None:
    """The name of the item that ends the line and announces a literal. None if anything else starts at ``start``.

    ``literal_item(b'* 1 FETCH (BODY[] {3}', 11) == b'BODY[]'``.
    """
    space = line.rfind(b" ")
    name = line[start:space]
    if line.rfind(b"{") != space + 1:
        # ~{3}, or no space before the announcement
        return None
    if name not in _literal_items:
        if LITERAL_ITEM.fullmatch(name) is None:
            return None
        if len(_literal_items) < _MAX_KEPT and len(name) < _MAX_LENGTH_KEPT:
            _literal_items.add(name)
    return name


def flag_list(text: bytes) -> tuple[bytes, ...]:
    """The flags in a list: ``flag_list(b'\\\\Seen Work') == (b'\\\\Seen', b'Work')``."""
    known = _flag_lists.get(text)
    if known:
        return known
    flags = tuple(text.split())
    if b"NIL" in text.upper():
        # As the lexer does: NIL is NIL in any letter case.
        flags = tuple(b"NIL" if flag.upper() == b"NIL" else flag for flag in flags)
    if len(_flag_lists) < _MAX_KEPT and len(text) < _MAX_LENGTH_KEPT:
        _flag_lists[text] = flags
    return flags


def flag_lists(texts: Iterable[bytes]) -> list[tuple[bytes, ...]]:
    """The flags in many lists."""
    return [_flag_lists.get(text) or flag_list(text) for text in texts]


def add_first_items(items: FetchItems, groups: Sequence[Any], normalise_times: bool) -> None:
    """Add the items that `FIRST_ITEMS` matched."""
    uid, flags, date, size = groups
    if uid is not None:
        items[b"UID"] = int(uid)
    if flags is not None:
        items[b"FLAGS"] = flag_list(flags)
    if date is not None:
        items[b"INTERNALDATE"] = _internal_date(date, normalise_times)
    if size is not None:
        items[b"RFC822.SIZE"] = int(size)


def simple_value(key: bytes, kind: int | None, text: bytes, normalise_times: bool) -> Any:
    """The value of an item that `SIMPLE_ITEM` matched: its name, the group that holds its value, and that text."""
    if kind == LIST and key == b"FLAGS":
        return flag_list(text)
    value: Any = text
    if kind == NUMBER:
        value = int(text)
    elif kind == LIST:
        value = (number(text),) if text.isdigit() else tuple(values_in(text))
    converter = CONVERTERS.get(key)
    return value if converter is None else converter(value, normalise_times)


def convert(key: bytes, value: Any, normalise_times: bool) -> Any:
    """The value of an item as the client returns it. ``key`` is its name in upper case.

    Raises ProtocolError if the value is not of the item's kind.
    """
    converter = CONVERTERS.get(key)
    if converter is None:
        if BRACKET not in key:
            return value
        converter = _size if key.startswith(b"BINARY.SIZE[") else _section_text
    return converter(value, normalise_times)


def section(key: bytes, rest: Iterable[Any]) -> bytes:
    """The whole name of an item whose section holds strings: ``BODY[HEADER.FIELDS ("Subject")]``.

    ``key`` is the name up to the first space. The values of ``rest`` up to ``]`` are consumed.
    """
    parts = [key]
    for value in rest:
        if isinstance(value, tuple) and all(isinstance(name, bytes) for name in value):
            parts.append(b" (%s)" % b" ".join(value))
        elif isinstance(value, bytes):
            parts.append(value if value.startswith(b"]") else b" " + value)
            if b"]" in value:
                return b"".join(parts)
        else:
            break
    raise ProtocolError(f"the section of {brief(key)} is not closed")


def _uid(value: Any, _: bool) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, bytes) and value.isdigit() and len(value) <= 20:
        # Not of the grammar: a string or literal, as in "UID {4} 2345", from the tests of other clients.
        return int(value)
    raise ProtocolError(f"invalid UID: {brief(value)}")


def parse_flags(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[bytes, ...]:
    """The flags of a folder: ``(b'\\\\Seen', b'Work')`` for ``* FLAGS (\\\\Seen Work)`` (RFC 9051, 7.3.5)."""
    values = read_values(response, options, typed=False)
    if len(values) != 1 or not isinstance(values[0], tuple) or not all(isinstance(f, bytes) for f in values[0]):
        raise unreadable("not a list of flags", response)
    return values[0]


def _atoms(value: Any, _: bool) -> Any:
    """The names in a list of flags or labels, even if one looks like a number or NIL."""
    if value is None:
        return ()
    if not isinstance(value, tuple):
        raise ProtocolError(f"not a list: {brief(value)}")
    for atom in value:
        if not isinstance(atom, bytes):
            return tuple(map(_as_name, value))
    return value


def _as_name(value: Any) -> bytes:
    if isinstance(value, tuple):
        raise ProtocolError(f"a list among names: {brief(value)}")
    return value if isinstance(value, bytes) else b"NIL" if value is None else b"%d" % value


def _section_text(value: Any, _: bool) -> Any:
    if isinstance(value, tuple):
        raise ProtocolError(f"not the text of a section: {brief(value)}")
    return value


def _size(value: Any, _: bool) -> Any:
    """A size. Not of the grammar, but accepted: ``-1``, and ``9.3736e+06``, a large number that was a float."""
    if isinstance(value, bytes):
        with contextlib.suppress(ValueError, OverflowError):
            value = int(float(value)) if len(value) <= 20 else value
    if value is not None and not isinstance(value, int):
        raise ProtocolError(f"not a size: {brief(value)}")
    return value


def _internal_date(value: Any, normalise_times: bool) -> datetime.datetime | None:
    if value is None:
        return None
    if not isinstance(value, bytes):
        raise ProtocolError(f"not a date: {brief(value)}")
    try:
        return parse_to_datetime(value, normalise_times)
    except ValueError as error:
        raise ProtocolError(error) from error


def _envelope(value: Any, normalise_times: bool) -> Envelope | None:
    """The envelope. Raises PartlyReadError, which holds the sound part, if something in it is not valid."""
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not an envelope: {brief(value)}")
    envelope, faults = read_envelope(value, normalise_times)
    if faults:
        raise PartlyReadError("in an envelope", envelope, faults)
    return envelope


def _body(value: Any, _: bool) -> Any:
    """The body structure. Raises PartlyReadError, which holds the sound part, if something in it is not valid."""
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not a body structure: {brief(value)}")
    body, faults = read_body(value)
    if faults:
        raise PartlyReadError("in a body structure", body, faults)
    return body


CONVERTERS: dict[bytes, Callable[[Any, bool], Any]] = {
    b"UID": _uid,
    b"FLAGS": _atoms,
    b"X-GM-LABELS": _atoms,
    b"INTERNALDATE": _internal_date,
    b"RFC822.SIZE": _size,
    b"ENVELOPE": _envelope,
    b"BODY": _body,
    b"BODYSTRUCTURE": _body,
}
