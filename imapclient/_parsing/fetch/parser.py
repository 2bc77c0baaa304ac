"""Parses FETCH responses (RFC 9051, 7.5.2). No I/O; a value or ProtocolError."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...exceptions import ProtocolError
from ..lexer import brief, read_rest_of_list, unreadable
from ..responses import DEFAULT_OPTIONS, ReadOptions, Untagged
from .items import (
    BRACKET,
    FIRST_ITEMS,
    SIMPLE_ITEM,
    add_first_items,
    convert,
    flag_list,
    literal_item,
    section,
    simple_value,
)
from .results import FetchItems

# The usual response when a large mailbox is synchronised.
_UID_AND_FLAGS = re.compile(rb"\(UID (\d{1,10}) FLAGS \(([^()\"\n\r\v\f]*)\)\)\Z")
_FIRST_ITEMS = re.compile(FIRST_ITEMS)


def parse_fetch(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> FetchItems:
    """The items of one FETCH response, including UID and the sequence number as SEQ.

    ``{b'SEQ': 3, b'UID': 8, b'FLAGS': (b'\\Seen',)}`` for ``* 3 FETCH (UID 8 FLAGS (\\Seen))``.
    """
    number, line, start = response.number, response.line, response.start
    if line[-2:] == b"))":
        match = _UID_AND_FLAGS.match(line, start)
        if match is not None:
            uid, flags = match.groups()
            return {b"SEQ": number, b"UID": int(uid), b"FLAGS": flag_list(flags)}
    if line[start : start + 1] != b"(":
        raise unreadable("a FETCH response without its list of items", response)
    items: FetchItems = {b"SEQ": number}
    rest = _add_plain_items(items, response, options.normalise_times)
    if rest is not None:
        add_items(items, read_rest_of_list(rest, options), options.normalise_times)
    # The server may send an item SEQ, which must not replace ours.
    items[b"SEQ"] = number
    return items


def _add_plain_items(items: FetchItems, response: Untagged, normalise_times: bool) -> Untagged | None:
    """Add the items up to the first one that needs the lexer. Returns the rest as a response, or None."""
    first: Any = _FIRST_ITEMS.match(response.line, response.start + 1)
    add_first_items(items, first.groups(), normalise_times)
    position = first.end()
    records = response.records or (response.line,)
    for index, record in enumerate(records):
        line, literal = (record, None) if isinstance(record, bytes) else record
        if index:
            if record == b")":
                return None
            position = 1 if line[:1] == b" " else 0
        match = SIMPLE_ITEM.match(line, position)
        while match is not None:
            kind = match.lastindex
            key, value = match.group(1, kind)  # type: ignore[arg-type]
            items[key] = simple_value(key, kind, value, normalise_times)
            position = match.end()
            match = SIMPLE_ITEM.match(line, position)
        name = None if literal is None else literal_item(line, position)
        if name is None:
            break
        items[name] = literal
    if literal is None and position == len(line) and line[-1:] == b")":
        return None
    return Untagged(response.name, response.number, line, position, response.records and response.records[index:])


def fetch_items(number: int, values: Any, normalise_times: bool) -> FetchItems:
    """The items of a FETCH response, from the values in its list: as `parse_fetch` returns them."""
    if not isinstance(values, tuple):
        raise ProtocolError(f"not a list of FETCH items: {brief(values)}")
    items: FetchItems = {b"SEQ": number}
    add_items(items, values, normalise_times)
    items[b"SEQ"] = number
    return items


def add_items(items: FetchItems, values: Iterable[Any], normalise_times: bool) -> None:
    """Add the items of a list of names and values."""
    iterator = iter(values)
    for key in iterator:
        if not isinstance(key, bytes):
            raise ProtocolError(f"not a FETCH item's name: {brief(key)}")
        if BRACKET in key and b"]" not in key:
            key = section(key, iterator)
        try:
            value = next(iterator)
        except StopIteration:
            raise ProtocolError(f"the FETCH item {brief(key)} has no value") from None
        key = key.upper()
        items[key] = convert(key, value, normalise_times)
