"""Reads FETCH responses whose form came before, without the lexer. No I/O.

The form of a response is the text between its quoted strings. Many messages have the same form, except for the numbers
in it. A form is cut into sections before ENVELOPE and before BODYSTRUCTURE. A section that comes often is compiled into
a `_Plan`. Its function makes the items from the section's strings and numbers. `read_by_plan` then only cuts a response
at its quotes and calls these functions.

Plans are found by the form without its digits. A plan must describe the response byte for byte: its template, filled
with the numbers, must give the form. Anything unusual has no plan: numbers with leading zeros, envelopes of eleven
fields, dates that are not valid. `read_by_plan` returns None for these, and `parse_fetch` reads them.

The source of a function consists of our own names and of indexes. It holds nothing that a server sent.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable, NamedTuple, Union

from ...datetime_util import parse_to_datetime
from ...exceptions import ProtocolError
from ..fetch.results import FetchItems
from ..lexer import CLOSE, NINE, OPEN, QUOTE, ZERO, tokens
from ..mail.body_structure import BodyData
from ..mail.envelope import Address, Envelope
from ..quoted_strings import hide_escapes

_ADDRESS_FIELDS = tuple(field.name for field in dataclasses.fields(Address))
_ENVELOPE_FIELDS = tuple(field.name for field in dataclasses.fields(Envelope))
_DIGITS = b"0123456789"
_RUN = re.compile(rb"[0-9]+")
_LEADING_ZERO = re.compile(rb"(?<![0-9])0[0-9]")
# How an address begins, without and with a name.
_NAMELESS, _NAMED = b'(NIL NIL "', b'(" NIL "'
_OPENING = re.compile(rb"\* [0-9]+ FETCH \(")
_ALL_BUT_DIGITS = bytes(code if code in _DIGITS else 32 for code in range(256))
# How deep lists within the list of items may be. The parser, which knows the client's limit, reads deeper ones.
MAX_DEPTH = 12
# Longer responses are rare, and int() is slow for a number of that length.
_MAX_LENGTH = 32768
_MAX_NUMBER = 10**19
# How often a form must come before it has a plan. Compiling takes as long as parsing some messages.
_WORTH_IT = 3
_MAX_PLANS = 1024
# A section with more strings takes long to compile.
_MAX_STRINGS = 200
# At _MAX_PLANS all plans are dropped. From then on, a form must come twice as often before it has a plan. So if there
# are very many forms, the most frequent ones have plans. The number doubles at most this often.
_MAX_CLEARINGS = 5
_MAX_SEEN = 8192
_MAX_KEY = 1500


class _Unplanned(Exception):
    """This response has no plan: the parser must read it."""


class _Plan(NamedTuple):
    template: bytes
    """The section with ``%d`` in place of each run of digits."""
    closes: bool
    """Whether it ends with the parenthesis that closes the list of items."""
    strings: int
    runs: int
    make: Callable[..., bool]
    """Adds the section's items to a dict. Arguments: the dict, whether to normalise times, the strings, and the runs of
    digits as numbers. Returns False if a name has other digits than in the section that was compiled."""
    fixed: tuple[int, ...]
    """The indexes of the runs that are parts of names: the 822 of RFC822.SIZE, the 1 of ``$label1``."""


_Key = Union[bytes, "tuple[bytes, ...]"]
"""A section without its digits. If another plan already has this key, also the digits in the section's names."""

# None marks a section that can't have a plan.
_plans: dict[_Key, _Plan | None] = {}
# How often sections without a plan came, by the hashes of their keys.
_seen: dict[int, int] = {}
_clearings = 0


def read_by_plan(
    line: bytes, normalise_times: bool = True, literals: Sequence[tuple[int, bytes]] = ()
) -> FetchItems | None:
    """The items of a FETCH response, or None if it has no plan.

    ``{b'SEQ': 3, b'UID': 8, b'FLAGS': ()}`` for ``* 3 FETCH (UID 8 FLAGS ())``. The line has ``""`` in place of each
    literal. ``literals`` are pairs of the index of that string and the literal.
    """
    if len(line) > _MAX_LENGTH or line[:2] != b"* ":
        return None
    pieces = line.split(b'"')
    form = b'"'.join(pieces[::2])
    strings = pieces[1::2]
    # In most responses only flags have backslashes, and flags come before the strings.
    if line.rfind(b"\\") > line.find(b'"') and line.count(b"\\") != form.count(b"\\"):
        hidden = hide_escapes(line)
        pieces = hidden.text.split(b'"')
        form = b'"'.join(pieces[::2])
        if not len(pieces) & 1 or hidden.backslash in form or hidden.quote in form:
            return None
        strings = hidden.unescaped(pieces[1::2])
    elif not len(pieces) & 1:
        return None
    for place, literal in literals:
        strings[place] = literal
    if _NAMELESS in form:
        form, strings = _with_names(form, strings)
    try:
        numbers = list(map(int, form.translate(_ALL_BUT_DIGITS).split()))
        if sum(numbers) >= _MAX_NUMBER:
            return None
        items: FetchItems = {b"SEQ": numbers[0]}
        template = b""
        string = run = 0
        closes = False
        for key in _cut(form.translate(None, _DIGITS)):
            plan = _plans.get(key) or _new_plan(key, key, form)
            part, is_last, strings_end, runs_end, make, _ = plan
            strings_end += string
            runs_end += run
            own_strings, own_numbers = strings[string:strings_end], numbers[run:runs_end]
            if not make(items, normalise_times, own_strings, own_numbers):
                plan = _other_plan(plan, key, own_numbers, form)
                part, is_last = plan.template, plan.closes
                if not plan.make(items, normalise_times, own_strings, own_numbers):
                    return None
            if closes:
                return None
            closes = is_last
            template += part
            string, run = strings_end, runs_end
        return items if closes and template % tuple(numbers) == form else None
    except (_Unplanned, ValueError, TypeError, IndexError):
        return None


def _with_names(form: bytes, strings: Sequence[bytes]) -> tuple[bytes, list[Any]]:
    """The form as if all addresses had names, and None in the strings for each missing name. So one plan is enough."""
    parts = form.split(_NAMELESS)
    found: list[Any] = list(strings)
    place = 0
    for part in parts[:-1]:
        place += part.count(b'"')
        found.insert(place, None)
        place += 2
    return _NAMED.join(parts), found


def _cut(form: bytes) -> list[bytes]:
    envelope = form.find(b" ENVELOPE (")
    structure = form.find(b" BODYSTRUCTURE (")
    first, second = (envelope, structure) if envelope < structure else (structure, envelope)
    if second < 0:
        return [form]
    if first < 0:
        return [form[:second], form[second:]]
    return [form[:first], form[first:second], form[second:]]


# -- compiling plans


def _other_plan(plan: _Plan, key: bytes, numbers: list[int], form: bytes) -> _Plan:
    """The plan for a section that differs from the section of ``plan`` only in the digits of its names."""
    whole_key = (key, *(b"%d" % numbers[run] for run in plan.fixed))
    return _plans.get(whole_key) or _new_plan(whole_key, key, form)


def _new_plan(whole_key: _Key, key: bytes, form: bytes) -> _Plan:
    """Compile the section of a form that has this key. Its plan is kept under ``whole_key``."""
    global _clearings
    if whole_key in _plans or len(key) > _MAX_KEY or key.count(b'"') > _MAX_STRINGS:
        raise _Unplanned
    seen = hash(whole_key)
    times = _seen.get(seen, 0)
    if times < _WORTH_IT << _clearings:
        if len(_seen) >= _MAX_SEEN:
            _seen.clear()
        _seen[seen] = times + 1
        raise _Unplanned
    sections = [section for section in _cut(form) if section.translate(None, _DIGITS) == key]
    if not sections or _LEADING_ZERO.search(sections[0]):
        # Two forms can have the key of a form that can have a plan. ENV5ELOPE is ENVELOPE without its digit: there the
        # key is cut, but the form is not. And 007 is not a number, but the template would take it for 7.
        raise _Unplanned
    if len(_plans) >= _MAX_PLANS:
        _plans.clear()
        _clearings = min(_clearings + 1, _MAX_CLEARINGS)
    try:
        plan = _plans[whole_key] = _Planner(sections[0]).plan()
    except (_Unplanned, ProtocolError):
        _plans[whole_key] = None
        raise _Unplanned from None
    return plan


class _Made(NamedTuple):
    """A Python expression for a value. For a string or number of the section it is a name: ``s0``, ``n3``."""

    source: str


class _String(_Made):
    __slots__ = ()


class _Number(_Made):
    __slots__ = ()


_NONE = _Made("None")


class _Planner:
    """Compiles a section. A value is a tuple of values, an atom, or the expression for a string, a number or None."""

    def __init__(self, section: bytes) -> None:
        # Some control characters are spaces in one part of the parser, and not in others.
        if min(section) < 32 or any(unfit in section for unfit in (b"[", b"{", b"%", b'\\"', b"\\\\")):
            raise _Unplanned
        self._section = section
        # The statements before the expression for an item.
        self._statements: list[str] = []
        self._names: dict[str, Any] = {
            "Address": Address,
            "BodyData": BodyData,
            "Envelope": Envelope,
            "date": parse_to_datetime,
            "new": object.__new__,
            "__builtins__": {},
        }

    def plan(self) -> _Plan:
        section = self._section
        found = tokens(section.replace(b'"', b'""'))
        opens = section.startswith(b"* ")
        if opens:
            # This checks the spaces, which the tokens do not show.
            if _OPENING.match(section) is None:
                raise _Unplanned
            # The sequence number and the items.
            found = [found[1], *found[4:]]
        template, runs, chosen = _template(section)
        strings = [f"s{index}" for index in range(section.count(b'"'))]
        places = [f"n{index}" for index in range(len(runs))]
        values, closes = _nested(found, strings, [places[index] for index in chosen])
        if opens and values.pop(0) != _Number("n0"):
            raise _Unplanned
        if len(values) & 1 or not all(type(name) is bytes for name in values[::2]):
            raise _Unplanned
        fixed = tuple(index for index in range(len(runs)) if index not in chosen)
        lines = ["def make(items, normalise, strings, numbers):"]
        lines += [f"    [{', '.join(names)}] = {given}" for names, given in ((strings, "strings"), (places, "numbers"))]
        lines += [f"    if {places[index]} != {self._constant(int(runs[index]))}: return False" for index in fixed]
        for name, value in zip(values[::2], values[1::2]):
            if name.upper() == b"SEQ":
                raise _Unplanned
            made = self._item(name.upper(), value)
            lines += [*self._statements, f"    items[{self._constant(name.upper())}] = {made}"]
            self._statements.clear()
        lines.append("    return True")
        names = self._names
        exec(compile("\n".join(lines), "<a plan for FETCH responses>", "exec"), names)
        return _Plan(template, closes, len(strings), len(runs), names["make"], fixed)

    # Each of these returns an expression.

    def _item(self, name: bytes, value: Any) -> str:
        if name == b"ENVELOPE":
            return self._envelope(value)
        if name in (b"BODYSTRUCTURE", b"BODY"):
            return self._body(value)
        if name == b"INTERNALDATE":
            return self._date(value)
        if name in (b"UID", b"RFC822.SIZE"):
            if type(value) is not _Number:
                raise _Unplanned
            return value.source
        if name in (b"FLAGS", b"X-GM-LABELS"):
            if type(value) is not tuple or not all(type(flag) is bytes for flag in value):
                raise _Unplanned
            return self._constant(value)
        return self._value(value)

    def _value(self, value: Any) -> str:
        """Any value."""
        if type(value) is tuple:
            return "(" + "".join(self._value(part) + ", " for part in value) + ")"
        return value.source if isinstance(value, _Made) else self._constant(value)

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def _date(self, value: Any) -> str:
        if type(value) is not _String:
            raise _Unplanned
        return f"date({value.source}, normalise)"

    def _text(self, value: Any) -> str:
        """A string, an atom or NIL."""
        if type(value) is _String or value is _NONE:
            return value.source
        if type(value) is bytes:
            return self._constant(value)
        raise _Unplanned

    def _envelope(self, value: Any) -> str:
        if type(value) is not tuple or len(value) != 10:
            raise _Unplanned
        date, subject, *lists, in_reply_to, message_id = value
        fields = [_NONE.source if date is _NONE else self._date(date), self._text(subject)]
        fields += map(self._addresses, lists)
        fields += [self._text(in_reply_to), self._text(message_id)]
        return self._object("Envelope", _ENVELOPE_FIELDS, fields)

    def _object(self, kind: str, names: Iterable[str], values: Iterable[str]) -> str:
        """A new object. Setting its slots one by one takes half the time of ``__init__``."""
        made = f"o{len(self._statements)}"
        self._statements.append(f"    {made} = new({kind})")
        self._statements += [f"    {made}.{name} = {value}" for name, value in zip(names, values)]
        return made

    def _addresses(self, value: Any) -> str:
        if value is _NONE or value == ():
            return _NONE.source
        if type(value) is not tuple or not all(type(address) is tuple and len(address) == 4 for address in value):
            raise _Unplanned
        made = [self._object("Address", _ADDRESS_FIELDS, map(self._text, address)) for address in value]
        return "(" + "".join(f"{name}, " for name in made) + ")"

    def _body(self, value: Any) -> str:
        if type(value) is not tuple or not value:
            raise _Unplanned
        if type(value[0]) is tuple:
            parts = []
            for part in value:
                if type(part) is not tuple:
                    break
                parts.append(self._body(part))
            rest = "".join(self._value(field) + ", " for field in value[len(parts) :])
            return f"BodyData(([{', '.join(parts)}], {rest}))"
        # With fewer fields it may be a multipart without parts, depending on its type.
        if len(value) < 7 or not (value[2] is _NONE or type(value[2]) is tuple):
            raise _Unplanned
        return f"BodyData({self._value(value)})"


def _template(section: bytes) -> tuple[bytes, list[bytes], list[int]]:
    """The template, the runs of digits, and the indexes of those that are numbers: they stand alone."""
    matches = list(_RUN.finditer(section))
    chosen = [
        index
        for index, match in enumerate(matches)
        if section[match.start() - 1 : match.start()] in (b" ", b"(")
        and section[match.end() : match.end() + 1] in (b" ", b")", b"")
    ]
    return _RUN.sub(b"%d", section), [match.group() for match in matches], chosen


def _nested(found: list[bytes], strings: list[str], numbers: list[str]) -> tuple[list[Any], bool]:
    """The values of a section, and whether its end closes the list of items."""
    if sum(token[0] == QUOTE for token in found) != len(strings):
        raise _Unplanned
    if sum(ZERO <= token[0] <= NINE for token in found) != len(numbers):
        raise _Unplanned
    string, number = iter(strings), iter(numbers)
    stack: list[list[Any]] = []
    current: list[Any] = []
    closes = False
    for token in found:
        first = token[0]
        if closes:
            raise _Unplanned
        if first == QUOTE:
            current.append(_String(next(string)))
        elif first == OPEN:
            if len(stack) >= MAX_DEPTH - 2:
                raise _Unplanned
            stack.append(current)
            current = []
        elif first == CLOSE:
            if stack:
                done = tuple(current)
                current = stack.pop()
                current.append(done)
            else:
                closes = True
        elif ZERO <= first <= NINE:
            if not token.isdigit():
                raise _Unplanned
            current.append(_Number(next(number)))
        else:
            current.append(_NONE if token.upper() == b"NIL" else token)
    if stack:
        raise _Unplanned
    return current, closes
