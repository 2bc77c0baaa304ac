"""FETCH responses: from their values to what the client hands out. No I/O; total: a value or ProtocolError.

The functions take a response's line, where in it the data starts, and its records if it has literals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...exceptions import ProtocolError
from ..lexer import MAX_DEPTH, around, brief, read_rest_of_list
from ..records import Record
from .items import LIST, NUMBER, SIMPLE_ITEM, convert, flag_list, literal_item, section, simple_value
from .results import FetchItems


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
            return {b"SEQ": sequence_number, b"UID": int(uid), b"FLAGS": flag_list(text)}
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
                items[key] = flag_list(value)
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
