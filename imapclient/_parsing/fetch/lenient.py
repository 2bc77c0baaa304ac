"""FETCH responses of which a part can't be read: what is sound in them, and what is wrong. No I/O, never an error.

Read here only where `response_parser.parse_fetch` gave up, so it may take its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...exceptions import FetchError, ProtocolError
from ..lexer import MAX_DEPTH, Atom, around, brief, mended, read_what_is_sound
from ..mail.envelope import PartlyReadError
from ..records import Record
from .items import convert, section
from .results import FetchItems

# What a value is not: the next item's name, where the server left the value out.
# These expressions are text, and made by `re` where they are needed: mostly they are not.
_ITEM_NAMES = (
    rb"(?i)(?:UID|FLAGS|INTERNALDATE|ENVELOPE|MODSEQ|RFC822(?:\.SIZE|\.HEADER|\.TEXT)?|BODYSTRUCTURE|BODY(?:\[.*)?"
    rb"|BINARY(?:\.SIZE)?\[.*|X-GM-(?:LABELS|MSGID|THRID)|EMAILID|THREADID|SAVEDATE|PREVIEW)\Z"
)
# At the end of a response, where no sender of mail can put it: after a list or a number.
_UID_AT_END = rb"(?i)[)0-9] UID (\d{1,10})\)\Z"

# How many errors of one response are reported: each takes hundreds of times the bytes that it is about.
_MAX_ERRORS = 20


def read_leniently(
    sequence_number: int,
    line: bytes,
    start: int,
    records: Sequence[Record] | None = None,
    normalise_times: bool = True,
    max_depth: int = MAX_DEPTH,
) -> tuple[FetchItems, list[FetchError]]:
    """The items of a FETCH response that can be read, and an error for each that can't; that one's value is None,
    or what is sound in it.

    ``* 3 FETCH (UID 8 ENVELOPE 5 FLAGS ())`` gives ``{b'SEQ': 3, b'UID': 8, b'ENVELOPE': None, b'FLAGS': ()}`` and an
    error whose ``item`` is b'ENVELOPE' and whose ``value`` is 5.
    """
    if line[start : start + 1] != b"(":
        error = ProtocolError("a FETCH response without its list of items", start, around(line, start))
        return {b"SEQ": sequence_number}, [_fetch_error(error, sequence_number, None, line[start:])]
    whole: list[Record] = [line] if records is None else list(records)
    first = whole[0]
    start += 1
    whole[0] = (first[0][start:], first[1]) if isinstance(first, tuple) else first[start:]
    best = _Reading(sequence_number, whole, normalise_times, max_depth)
    alternative = [mended(record) for record in whole]
    if alternative != whole:
        other = _Reading(sequence_number, alternative, normalise_times, max_depth)
        if len(other.errors) < len(best.errors):
            best = other
    return best.items, best.errors


class _Reading:
    """One attempt at a response."""

    def __init__(self, number: int, records: list[Record], normalise_times: bool, max_depth: int) -> None:
        self.items: FetchItems = {b"SEQ": number}
        self.errors: list[FetchError] = []
        self._number = number
        self._normalise_times = normalise_times
        values, error = read_what_is_sound(records, max_depth=max_depth)
        self._read_pairs(values, is_cut=error is not None)
        if error is not None:
            last = records[-1]
            if b"UID" not in self.items and isinstance(last, bytes):
                match = re.search(_UID_AT_END, last)
                if match is not None:
                    self.items[b"UID"] = int(match.group(1))
            self._complain(error, None, last)
        # Whatever item a server calls so.
        self.items[b"SEQ"] = number

    def _read_pairs(self, values: list[Any], is_cut: bool) -> None:
        # The next value is the last one.
        values = values[::-1]
        while values:
            key = values.pop()
            if isinstance(key, tuple) and _are_items(key):
                # Parentheses round one item or several: (UID 5 (FLAGS ()))
                for name, value in zip(key[-2::-2], key[::-2]):
                    values += [value, Atom(name)]
                continue
            if not isinstance(key, Atom):
                self._complain(ProtocolError(f"not a FETCH item's name: {brief(key)}"), None, key)
                continue
            key = bytes(key)
            if b"[" in key and b"]" not in key:
                try:
                    key = section(key, _popped(values))
                except ProtocolError as error:
                    self._complain(error, key, None)
                    continue
            key = key.upper()
            if values:
                self._read_value(key, values)
            elif not is_cut:
                self._has_no_value(key)

    def _has_no_value(self, key: bytes) -> None:
        self.items[key] = None
        self._complain(ProtocolError(f"the FETCH item {brief(key)} has no value"), key, None)

    def _read_value(self, key: bytes, values: list[Any]) -> None:
        value = values.pop()
        if isinstance(value, Atom):
            if re.match(_ITEM_NAMES, value):
                values.append(value)
                self._has_no_value(key)
                return
            value = bytes(value)
        try:
            self.items[key] = convert(key, value, self._normalise_times)
            return
        except ProtocolError as caught:
            error = caught
        if isinstance(value, tuple) and len(value) == 1:
            # Parentheses round the value: RFC822.SIZE (123), ENVELOPE ((...))
            try:
                self.items[key] = convert(key, value[0], self._normalise_times)
                return
            except ProtocolError:
                pass
        self.items[key] = error.sound if isinstance(error, PartlyReadError) else None
        self._complain(error, key, value)

    def _complain(self, error: ProtocolError, item: bytes | None, value: Any) -> None:
        if len(self.errors) < _MAX_ERRORS:
            self.errors.append(_fetch_error(error, self._number, item, value))


def _is_name(value: Any) -> bool:
    return isinstance(value, bytes) and re.match(_ITEM_NAMES, value) is not None


def _are_items(value: tuple[Any, ...]) -> bool:
    """Whether a list is of items: names and values in turn. A sender of mail can put no such list into an envelope."""
    return len(value) % 2 == 0 and all(map(_is_name, value[::2]))


def _popped(values: list[Any]) -> Iterator[Any]:
    while values:
        yield values.pop()


def _fetch_error(error: ProtocolError, number: int, item: bytes | None, value: Any) -> FetchError:
    found = FetchError(error)
    # Without its traceback and context, whose frames would keep the whole response.
    found.__cause__, error.__context__ = error.with_traceback(None), None
    found.position, found.context = error.position, error.context
    found.sequence_number = number
    found.item = item
    found.value = value
    return found
