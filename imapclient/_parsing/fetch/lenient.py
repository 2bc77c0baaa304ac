"""The sound items of FETCH responses that `parse_fetch` refuses, and errors about the others. No I/O; never raises.

Such responses are rare, so this module need not be fast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...exceptions import FetchError, ProtocolError
from ..lexer import Atom, brief, read_what_is_sound, unreadable
from ..mail.envelope import PartlyReadError
from ..records import Record
from ..responses import DEFAULT_OPTIONS, ReadOptions, Untagged
from .items import convert, section
from .results import FetchItems

# Names of items. If one is in the place of a value, the server has left out the value. The name then begins the next
# item. Both expressions are text, since they are rarely needed: `re` compiles one when it is first used.
_ITEM_NAMES = (
    rb"(?i)(?:UID|FLAGS|INTERNALDATE|ENVELOPE|MODSEQ|RFC822(?:\.SIZE|\.HEADER|\.TEXT)?|BODYSTRUCTURE|BODY(?:\[.*)?"
    rb"|BINARY(?:\.SIZE)?\[.*|X-GM-(?:LABELS|MSGID|THRID)|EMAILID|THREADID|SAVEDATE|PREVIEW)\Z"
)
# A UID at the end of a response, after a list or a number. No sender of a mail can put one there.
_UID_AT_END = rb"(?i)[)0-9] UID (\d{1,10})\)\Z"

# How many errors about one response are reported. An error takes hundreds of times the bytes that it is about.
_MAX_ERRORS = 20


def read_leniently(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[FetchItems, list[FetchError]]:
    """The items of a FETCH response, and an error for each item that can't be parsed.

    The value of such an item is None or its sound part.
    ``* 3 FETCH (UID 8 ENVELOPE 5 FLAGS ())`` gives ``{b'SEQ': 3, b'UID': 8, b'ENVELOPE': None, b'FLAGS': ()}`` and an
    error whose ``item`` is b'ENVELOPE' and whose ``value`` is 5.
    """
    number = response.number
    first, *others = response.data
    if (first if isinstance(first, bytes) else first[0])[:1] != b"(":
        error = unreadable("a FETCH response without its list of items", response)
        return {b"SEQ": number}, [_fetch_error(error, number, None, response.text)]
    whole: list[Record] = [first[1:] if isinstance(first, bytes) else (first[0][1:], first[1]), *others]
    best = _Reading(number, whole, options)
    alternative = [mended(record) for record in whole]
    if alternative != whole:
        other = _Reading(number, alternative, options)
        if len(other.errors) < len(best.errors):
            best = other
    return best.items, best.errors


class _Reading:
    """One attempt to read a response. It collects ``items`` and ``errors``."""

    def __init__(self, number: int | None, records: list[Record], options: ReadOptions) -> None:
        self.items: FetchItems = {b"SEQ": number}
        self.errors: list[FetchError] = []
        self._number = number
        self._normalise_times = options.normalise_times
        values, error = read_what_is_sound(records, options.max_depth)
        self._read_pairs(values, is_cut=error is not None)
        if error is not None:
            last = records[-1]
            if b"UID" not in self.items and isinstance(last, bytes):
                match = re.search(_UID_AT_END, last)
                if match is not None:
                    self.items[b"UID"] = int(match.group(1))
            self._complain(error, None, last)
        # The server may send an item SEQ, which must not replace ours.
        self.items[b"SEQ"] = number

    def _read_pairs(self, values: list[Any], is_cut: bool) -> None:
        # In reverse, so that pop() returns the next value.
        values = values[::-1]
        while values:
            key = values.pop()
            if isinstance(key, tuple) and _are_items(key):
                # Parentheses around one item or several: (UID 5 (FLAGS ()))
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
            # Parentheses around the value: RFC822.SIZE (123), ENVELOPE ((...))
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
    """Whether a list is names of items and values in turn. No sender of a mail can put such a list into an envelope."""
    return len(value) % 2 == 0 and all(map(_is_name, value[::2]))


def _popped(values: list[Any]) -> Iterator[Any]:
    while values:
        yield values.pop()


def _fetch_error(error: ProtocolError, number: int | None, item: bytes | None, value: Any) -> FetchError:
    found = FetchError(error)
    # Without its traceback and context: their frames hold the whole response.
    found.__cause__, error.__context__ = error.with_traceback(None), None
    found.position, found.context = error.position, error.context
    found.sequence_number = number
    found.item = item
    found.value = value
    return found


# -- quotes inside of strings

# What may follow a string: the end of a list, the end of the line, or another value.
_AFTER_STRING = re.compile(rb' *(?:\)|\Z)| +(?:["(]|[^ ()"]{1,100}(?=[ )]|\Z))')
_ESCAPE_OR_QUOTE = re.compile(rb'\\.|"', re.DOTALL)


def mended(record: Record) -> Record:
    """A line with backslashes before quotes inside of strings: ``("Re: "urgent" matter" NIL)``, as old servers send it.

    A quote ends a string only if it is followed by something that may follow a string.
    """
    line = record[0] if isinstance(record, tuple) else record
    parts = []
    end = 0
    is_open = False
    for match in _ESCAPE_OR_QUOTE.finditer(line):
        position = match.start()
        if match.group() != b'"':
            continue
        if not is_open:
            is_open = True
        elif _AFTER_STRING.match(line, position + 1):
            is_open = False
        else:
            parts.append(line[end:position])
            end = position
    line = b"\\".join([*parts, line[end:]])
    return (line, record[1]) if isinstance(record, tuple) else line
