"""Reads FETCH responses from the buffer, many at a time: the entry of the fast path. No I/O.

A `BatchReader` learns the layout of the next response: the names of its items, and the kinds of their values. It makes
one regular expression of that. One call then finds all responses of the layout that follow each other. Lines with
envelopes and body structures are read by ``structures``.

It reads only responses that lie in the buffer whole and that it recognises from the first byte to the last. Their
values are those of `parse_fetch`, which reads everything else and finds every error. The expressions match no CR or LF
but the CRLF at the end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...exceptions import ProtocolError
from ..fetch.items import CONVERTERS, LIST, NUMBER, SIMPLE_ITEM, STRING, flag_lists, literal_item, simple_value
from ..fetch.results import FetchItems
from ..responses import ReadOptions

if TYPE_CHECKING:
    from .structures import StructureReader

#: Set it to False to turn the fast path off. From the next command on, `parse_fetch` reads every response.
enabled = True


class Batch(NamedTuple):
    """Responses: their sequence numbers, the messages' ids, their items, and the position at which they end."""

    numbers: Sequence[int]
    ids: Sequence[int]
    items: Sequence[FetchItems]
    end: int


_Field = tuple[bytes, int]
"""The name of an item and the kind of its value: NUMBER, LIST or STRING of ``fetch.items``, or one of the next two."""
# A list of one number: MODSEQ (12121231000).
_NUMBER_IN_LIST = 10
_LITERAL = 11

_HEAD = re.compile(rb"\* (\d{1,20}) FETCH \(")
_VALUES = {
    NUMBER: rb"(0|[1-9]\d{0,18})",
    LIST: rb'\(([^()"\n\r\v\f]*)\)',
    STRING: rb'"([^"\\\r\n]*)"',
    _NUMBER_IN_LIST: rb"\((0|[1-9]\d{0,18})\)",
    _LITERAL: rb"\{(0|[1-9]\d{0,18})\}\r\n",
}
# Lines with one of these are read by ``structures``.
_STRUCTURED = (b"ENVELOPE (", b"BODYSTRUCTURE (", b"BODY (")
# Matches what follows the last response of the layout.
_END = rb"|(?s:(.+))"
# A line's last item and the size of its literal.
_LITERAL_AT_END = re.compile(rb"([^ ].*) \{(0|[1-9]\d{0,18})\}\Z")
# How far one expression looks, in bytes. What follows the last response of the layout, up to there, is copied.
_REACH = 65536
# After each failure in a row, the parser reads more responses: 0, then 1, 3, 7 and so on, up to this many.
_MAX_PASSED = 256
_MAX_LAYOUTS = 256
_MAX_FIELDS = 12


class _Layout:
    """The layout of responses: their items in order, and the expressions that match them."""

    def __init__(self, fields: tuple[_Field, ...]) -> None:
        self.keys = tuple(name for name, _ in fields)
        self.kinds = tuple(kind for _, kind in fields)
        # Each segment but the last one ends with a literal.
        segments: list[bytes] = [_HEAD.pattern]
        for index, (name, kind) in enumerate(fields):
            segments[-1] += re.escape(name) + b" " + _VALUES[kind]
            is_last = index == len(fields) - 1
            if kind == _LITERAL:
                segments.append(b"" if is_last else b" ")
            elif not is_last:
                segments[-1] += b" "
        segments[-1] += rb"\)\r\n"
        self.has_literals = len(segments) > 1
        if self.has_literals:
            self.segments = [re.compile(segment).match for segment in segments]
        else:
            self.find = re.compile(segments[0] + _END).findall


_layouts: dict[tuple[_Field, ...], _Layout] = {}


class BatchReader:
    """Reads the responses to one command.

    With ``by_uid`` the message's id is its UID, which each response must have. Otherwise it is the sequence number.
    """

    def __init__(self, by_uid: bool, options: ReadOptions) -> None:
        self._by_uid = by_uid
        self._options = options
        self._layout: _Layout | None = None
        self._structures: StructureReader | None = None
        self._to_pass = 0
        self._passed = 1

    def read(self, buffer: bytes, position: int) -> Batch | None:
        """The responses from ``position`` on. None if the parser must read the next one."""
        if self._to_pass > 0:
            self._to_pass -= 1
            return None
        try:
            batch = self._read(buffer, position)
        except (ProtocolError, ValueError, TypeError, LookupError):
            # One of the next responses is not valid. The parser finds it and reads its sound part.
            self.give_up(_MAX_PASSED)
            return None
        if batch is None:
            self.give_up()
        else:
            self._passed = 1
        return batch

    def give_up(self, responses: int = 0) -> None:
        """Leave at least the next ``responses`` to the parser, and more after several failures."""
        self._to_pass = max(responses, self._passed - 1)
        self._passed = min(2 * self._passed, _MAX_PASSED)

    def _read(self, buffer: bytes, position: int) -> Batch | None:
        layout = self._layout
        batch = None if layout is None else self._read_layout(layout, buffer, position)
        if batch is None and _is_structured(buffer, position):
            return self._read_structured(buffer, position)
        if batch is None:
            self._layout = layout = self._learn(buffer, position)
            batch = None if layout is None else self._read_layout(layout, buffer, position)
        return batch

    # -- responses with envelopes and body structures

    def _read_structured(self, buffer: bytes, position: int) -> Batch | None:
        # Imported here, because many programs fetch no structures.
        from .structures import MAX_DEPTH, StructureReader

        if self._options.max_depth < MAX_DEPTH:
            return None
        structures = self._structures
        if structures is None:
            structures = self._structures = StructureReader(self._options)
        numbers: list[int] = []
        ids: list[int] = []
        found: list[FetchItems] = []
        while True:
            end = buffer.find(b"\n", position)
            if end < 0:
                break
            try:
                response = structures.read(buffer, position, end)
            except (ProtocolError, ValueError, TypeError, LookupError):
                break
            if response is None:
                break
            items, after = response
            number = items[b"SEQ"]
            if self._by_uid:
                uid = items.pop(b"UID", None)
                if uid is None:
                    break
            position = after
            numbers.append(number)
            ids.append(uid if self._by_uid else number)
            found.append(items)
        return Batch(numbers, ids, found, position) if numbers else None

    # -- layouts

    def _learn(self, buffer: bytes, position: int) -> _Layout | None:
        """The layout of the response at a position. None if it is not there whole, or has no layout."""
        head = _HEAD.match(buffer, position)
        if head is None:
            return None
        position = head.end()
        fields: list[_Field] = []
        while len(fields) < _MAX_FIELDS:
            end = buffer.find(b"\r\n", position)
            if end < 0:
                return None
            line = buffer[position:end]
            place = 0
            match = SIMPLE_ITEM.match(line)
            while match is not None:
                kind = match.lastindex or 0
                name, value = match.group(1, kind)
                fields.append((name, _NUMBER_IN_LIST if _is_number_in_list(name, kind, value) else kind))
                place = match.end()
                match = SIMPLE_ITEM.match(line, place)
            if place == len(line) and line[-1:] == b")" and fields:
                break
            literal = _LITERAL_AT_END.match(line, place)
            if literal is None or literal_item(line, place) is None:
                if place == 0 and line == b")" and fields and fields[-1][1] == _LITERAL:
                    break
                return None
            fields.append((literal.group(1), _LITERAL))
            position = end + 2 + int(literal.group(2))
            if buffer[position : position + 1] == b" ":
                position += 1
        else:
            return None
        return self._layout_of(tuple(fields))

    def _layout_of(self, fields: tuple[_Field, ...]) -> _Layout | None:
        names = [name for name, _ in fields]
        if len(set(names)) != len(names) or b"SEQ" in names or (self._by_uid and (b"UID", NUMBER) not in fields):
            return None
        layout = _layouts.get(fields)
        if layout is None:
            if len(_layouts) >= _MAX_LAYOUTS:
                _layouts.clear()
            layout = _layouts[fields] = _Layout(fields)
        return layout

    def _read_layout(self, layout: _Layout, buffer: bytes, position: int) -> Batch | None:
        if layout.has_literals:
            rows, end = _rows_with_literals(layout, buffer, position)
        else:
            rows = layout.find(buffer, position, position + _REACH)
            end = min(len(buffer), position + _REACH)
            if rows and rows[-1][-1]:
                end -= len(rows.pop()[-1])
        return self._batch(layout, list(zip(*rows)), end) if rows else None

    def _batch(self, layout: _Layout, columns: Sequence[Sequence[bytes]], end: int) -> Batch:
        numbers = list(map(int, columns[0]))
        ids: Sequence[int] = numbers
        keys: list[bytes] = [b"SEQ"]
        values: list[Iterable[Any]] = [numbers]
        for key, kind, column in zip(layout.keys, layout.kinds, columns[1:]):
            made = self._column(key, kind, column)
            if key == b"UID" and self._by_uid:
                ids = made
            else:
                keys.append(key)
                values.append(made)
        return Batch(numbers, ids, _items(keys, values), end)

    def _column(self, key: bytes, kind: int, texts: Sequence[bytes]) -> Any:
        """The values of one item in all responses."""
        if kind == _LITERAL:
            return texts
        if kind == _NUMBER_IN_LIST:
            return list(zip(map(int, texts)))
        if kind == LIST and key == b"FLAGS":
            return flag_lists(texts)
        if kind == NUMBER and (key == b"UID" or key not in CONVERTERS):
            return list(map(int, texts))
        normalise_times = self._options.normalise_times
        return [simple_value(key, kind, text, normalise_times) for text in texts]


def _is_structured(buffer: bytes, position: int) -> bool:
    end = buffer.find(b"\n", position)
    return any(buffer.find(name, position, end) >= 0 for name in _STRUCTURED)


def _rows_with_literals(layout: _Layout, buffer: bytes, position: int) -> tuple[list[list[bytes]], int]:
    """The values of each response that lies in the buffer whole, and the position at which the last one ends."""
    rows: list[list[bytes]] = []
    first, *others = layout.segments
    while True:
        match = first(buffer, position)
        if match is None:
            return rows, position
        row = list(match.groups())
        for segment in others:
            start = match.end()
            stop = start + int(row[-1])
            row[-1] = buffer[start:stop]
            match = segment(buffer, stop)
            if match is None:
                return rows, position
            row += match.groups()
        rows.append(row)
        position = match.end()


def _is_number_in_list(name: bytes, kind: int, value: bytes) -> bool:
    return kind == LIST and name not in CONVERTERS and value.isdigit() and (value[:1] != b"0" or value == b"0")


def _items(keys: list[bytes], columns: list[Iterable[Any]]) -> list[FetchItems]:
    """The items of each response, from the values of each item."""
    if len(keys) == 2:
        first, second = keys
        return [{first: a, second: b} for a, b in zip(*columns)]
    if len(keys) == 3:
        first, second, third = keys
        return [{first: a, second: b, third: c} for a, b, c in zip(*columns)]
    return [dict(zip(keys, row)) for row in zip(*columns)]
