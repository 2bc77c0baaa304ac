"""FETCH responses: from their values to what the client hands out. No I/O; total: a value or ProtocolError.

The functions take a response's line, where in it the data starts, and its records if it has literals.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from ._parsing.records import Record
from .body_structure import read_body
from .datetime_util import parse_to_datetime
from .envelope import PartlyReadError, read_envelope
from .exceptions import ProtocolError
from .fetch_result import FetchItems
from .response_lexer import MAX_DEPTH, around, brief, number, read_rest_of_list, read_values
from .response_types import Envelope


def parse_fetch(
    sequence_number: int,
    line: bytes,
    start: int,
    records: Sequence[Record] | None = None,
    normalise_times: bool = True,
    max_depth: int = MAX_DEPTH,
) -> FetchItems:
    """The items of one FETCH response (RFC 9051, 7.5.2), UID and SEQ among them.

    ``parse_fetch(3, b'* 3 FETCH (UID 8 FLAGS (\\\\Seen))', 10)`` is
    ``{b'SEQ': 3, b'UID': 8, b'FLAGS': (b'\\\\Seen',)}``.
    """
    if line[-2:] == b"))":
        match = _UID_AND_FLAGS.match(line, start)
        if match is not None:
            uid, text = match.groups()
            return {b"SEQ": sequence_number, b"UID": int(uid), b"FLAGS": _flag_lists.get(text) or _flags(text)}
    if line[start : start + 1] != b"(":
        raise ProtocolError("a FETCH response without its list of items", start, around(line, start))
    items: FetchItems = {b"SEQ": sequence_number}
    position = start + 1
    index = 0
    while True:
        # Most items are a number, a date or a flat list: one regular expression reads each of these whole.
        match = SIMPLE_ITEM.match(line, position)
        while match is not None:
            kind = match.lastindex
            key, value = match.group(1, kind)  # type: ignore[arg-type]
            if kind == NUMBER and key == b"UID":
                items[key] = int(value)
            elif kind == LIST and key == b"FLAGS":
                items[key] = _flag_lists.get(value) or _flags(value)
            elif key != b"SEQ":
                # That is the message's number, and no item.
                items[key] = simple_value(key, kind, value, normalise_times)
            position = match.end()
            match = SIMPLE_ITEM.match(line, position)
        if position == len(line) and line[-1:] == b")" and (records is None or index == len(records) - 1):
            return items
        if records is None or index == len(records) - 1:
            break
        key = literal_item(line, position)
        if key is None:
            break
        items[key] = records[index][1]
        index += 1
        following = records[index]
        if following == b")" and index == len(records) - 1:
            return items
        line = following[0] if isinstance(following, tuple) else following
        position = 1 if line[:1] == b" " else 0
    rest = None if records is None else records[index:]
    _add_items(items, read_rest_of_list(line, position, rest, max_depth=max_depth), normalise_times)
    return items


# What the synchronisation of a large mailbox mostly brings.
_UID_AND_FLAGS = re.compile(rb"\(UID (\d{1,10}) FLAGS \(([^()\"\n\r\v\f]*)\)\)\Z")
# One item up to the space or parenthesis after it: a number, a list without lists or strings in it, a string without
# escapes. Names in lower case, NIL and all else go the long way; so do the control characters at which bytes.split()
# would end an atom.
SIMPLE_ITEM = re.compile(
    rb"((?!NIL )[A-Z][A-Z0-9.-]*) "
    rb"(?:(0|[1-9]\d{0,18})|\(([^()\"\n\r\v\f]*)\)|\"([^\"\\]*)\")"
    rb"(?: (?=[A-Z])|\)\Z)"
)
# Its groups, one of which has the value.
NUMBER, LIST, STRING = 2, 3, 4
_LITERAL_ITEM = re.compile(rb"(?:BODY|BINARY)\[[A-Z0-9.]*(?: \([A-Z0-9 -]+\))?\](?:<\d+>)?|RFC822(?:\.HEADER|\.TEXT)?")
_literal_items: set[bytes] = set()
_flag_lists: dict[bytes, tuple[bytes, ...]] = {}
_MAX_FLAG_LISTS_KEPT = 1024


def literal_item(line: bytes, start: int) -> bytes | None:
    """The name of the item whose literal the line announces, if that is all it has from ``start`` on."""
    space = line.rfind(b" ")
    name = line[start:space]
    if line.rfind(b"{") != space + 1:
        # ~{n}, or no space before it
        return None
    if name not in _literal_items:
        if _LITERAL_ITEM.fullmatch(name) is None:
            return None
        if len(_literal_items) < _MAX_FLAG_LISTS_KEPT and len(name) < 200:
            _literal_items.add(name)
    return name


def _flags(text: bytes) -> tuple[bytes, ...]:
    """The flags of a list. Such lists are mostly one of few."""
    flags = tuple(text.split())
    if b"NIL" in text.upper():
        # In any letter case it is NIL to the lexer.
        flags = tuple(b"NIL" if flag.upper() == b"NIL" else flag for flag in flags)
    if len(_flag_lists) < _MAX_FLAG_LISTS_KEPT and len(text) < 200:
        _flag_lists[text] = flags
    return flags


def flag_lists(texts: Iterable[bytes]) -> list[tuple[bytes, ...]]:
    """What stands between the parentheses of many FLAGS, as flags."""
    return [_flag_lists.get(text) or _flags(text) for text in texts]


def simple_value(key: bytes, kind: int | None, text: bytes, normalise_times: bool) -> Any:
    """The value of what `SIMPLE_ITEM` has matched: its name, the group of its value, and that."""
    value: Any = text
    if kind == NUMBER:
        value = int(text)
    elif kind == LIST:
        value = (number(text),) if text.isdigit() else tuple(read_values(text))
    converter = CONVERTERS.get(key)
    return value if converter is None else converter(value, normalise_times)


def fetch_items(number: int, values: Any, normalise_times: bool) -> FetchItems:
    if not isinstance(values, tuple):
        raise ProtocolError(f"not a list of FETCH items: {brief(values)}")
    items: FetchItems = {b"SEQ": number}
    _add_items(items, values, normalise_times)
    return items


def _add_items(items: FetchItems, values: Iterable[Any], normalise_times: bool) -> None:
    """Add pairs of names and values."""
    iterator = iter(values)
    for key in iterator:
        if not isinstance(key, bytes):
            raise ProtocolError(f"not a FETCH item's name: {brief(key)}")
        if b"[" in key and b"]" not in key:
            key = section(key, iterator)
        try:
            value = next(iterator)
        except StopIteration:
            raise ProtocolError(f"the FETCH item {brief(key)} has no value") from None
        key = key.upper()
        if key != b"SEQ":
            items[key] = convert(key, value, normalise_times)


def convert(key: bytes, value: Any, normalise_times: bool) -> Any:
    """The value of an item, whose name is in upper case, as it is handed out; ProtocolError where it can't be."""
    converter = CONVERTERS.get(key)
    if converter is None:
        if b"[" not in key:
            return value
        converter = _size if key.startswith(b"BINARY.SIZE[") else _section_text
    return converter(value, normalise_times)


def section(key: bytes, rest: Iterable[Any]) -> bytes:
    """The whole name of an item whose section holds strings: ``BODY[HEADER.FIELDS ("Subject")]``."""
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
    if isinstance(value, bytes) and value.isdigit() and len(value) <= 20:
        # As a literal or a string, seen in fixtures of other clients: UID {4} 2345
        value = int(value)
    if not isinstance(value, int):
        raise ProtocolError(f"invalid UID: {brief(value)}")
    return value


def parse_flags(line: bytes, start: int, records: Sequence[Record] | None = None) -> tuple[bytes, ...]:
    """A list of flags: ``parse_flags(b'* FLAGS (\\\\Seen Work)', 8) == (b'\\\\Seen', b'Work')``."""
    values = read_values(line, start, records, typed=False)
    if len(values) != 1 or not isinstance(values[0], tuple) or not all(isinstance(f, bytes) for f in values[0]):
        raise ProtocolError("not a list of flags", start, around(line, start))
    return values[0]


def _atoms(value: Any, _: bool) -> Any:
    """A list of flags or labels. These are names even where they look like a number or NIL."""
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
    """A size. Not of the grammar, and read: ``-1``, and ``9.3736e+06``, a large number that went through a float."""
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
    """The envelope; PartlyReadError, with what is sound in it, where not all of it is."""
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not an envelope: {brief(value)}")
    envelope, faults = read_envelope(value, normalise_times)
    if faults:
        raise PartlyReadError("in an envelope", envelope, faults)
    return envelope


def _body(value: Any, _: bool) -> Any:
    """The body structure; PartlyReadError, with the structure as far as it can be read, where not all of it can."""
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
