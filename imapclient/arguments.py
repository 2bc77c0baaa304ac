"""From a caller's values to what goes on the wire. No I/O; all that is sent was encoded here.

An argument is bytes that are complete as they are, a `Literal`, or a tuple of arguments, which is a parenthesised list.
`encode_command` joins them with spaces.

Where injection is stopped: text goes out quoted or as a literal, so CR, LF, quotes and 8-bit text are data. Where the
grammar wants an atom, or where a caller's string is passed on raw, what could end the command or announce a literal
raises ValueError.
"""

from __future__ import annotations

import codecs
import datetime
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Union, cast

import six

from .datetime_util import datetime_to_INTERNALDATE, format_criteria_date
from .exceptions import InvalidCriteriaError
from .imap_utf7 import encode_name

Text = Union[str, bytes]


class Literal(NamedTuple):
    """A literal of the given bytes; with ``binary`` a literal8 (RFC 3516), which may hold NUL."""

    data: bytes
    binary: bool = False


Argument = Union[bytes, Literal, "SequenceSet", tuple[Any, ...]]

# How long a quoted string may get before it goes out as a literal: servers have line limits.
QUOTED_LIMIT = 1000
# How many bytes of a sequence set go into one command (RFC 7162 and 2683 speak of 8,000 and 8,192 for a line).
SEQUENCE_SET_LIMIT = 8000

# atom = 1*ATOM-CHAR: no control, space, "(", ")", "{", "%", "*", quote, backslash, "]" (RFC 9051, 9)
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+\Z')
# flag = "\" atom or atom. Real servers have keywords with "]", "{" and "*" in them, so what is refused is only what
# would end the atom.
_FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff()"\\]+\Z')
_NOT_QUOTABLE = re.compile(rb"[\x00\r\n\x80-\xff]")
_ANNOUNCES_LITERAL = re.compile(rb"\{\d+\+?\}\s*\Z")


def to_wire(value: Text, encoding: str = "utf-8") -> bytes:
    """Text as bytes; bytes as they are. TypeError for anything else."""
    return six.ensure_binary(value, encoding)


def string(value: Text, what: str = "text") -> Argument:
    """A string: quoted, or a literal where it is 8-bit, has CR or LF, or is long. ValueError, without it, for NUL.

    ``string('a "b"') == b'"a \\\\"b\\\\""'``; ``string('café') == Literal(b'caf\\xc3\\xa9')``.
    """
    data = to_wire(value)
    if len(data) > QUOTED_LIMIT or _NOT_QUOTABLE.search(data):
        if b"\0" in data:
            raise ValueError(f"{what} must not contain NUL")
        return Literal(data)
    return b'"%s"' % _escaped(data)


def _escaped(data: bytes) -> bytes:
    """As it stands between the quotes of a quoted string."""
    return data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def forms_of(value: Text) -> tuple[bytes, ...]:
    """How a value stands on the wire, in a literal and in a quoted string: what a log must not show of a secret."""
    data = to_wire(value)
    return data, _escaped(data)


def atom(value: Text, what: str = "atom") -> bytes:
    """An atom as it is: ``atom('MESSAGES') == b'MESSAGES'``. ValueError where the value is none."""
    data = to_wire(value)
    if not _ATOM.match(data):
        raise ValueError(f"not a valid {what}: {shortened(data)}")
    return data


def flag(value: Text) -> bytes:
    """A flag or keyword: ``flag('\\\\Seen') == b'\\\\Seen'``. ValueError where it would not stay one atom."""
    data = to_wire(value)
    if not _FLAG.match(data):
        raise ValueError(f"not a valid flag: {shortened(data)}")
    return data


def flags(values: Text | Iterable[Text]) -> tuple[bytes, ...]:
    """A flag list, of one flag or several: ``flags(['\\\\Seen', 'Work']) == (b'\\\\Seen', b'Work')``."""
    if isinstance(values, (str, bytes)):
        values = (values,)
    return tuple(flag(value) for value in values)


def mailbox(name: Text, folder_encode: bool = True) -> Argument:
    """A mailbox name, in modified UTF-7 with ``folder_encode``: ``mailbox('Entwürfe') == b'"Entw&APw-rfe"'``."""
    return string(wire_name(name, folder_encode), "a folder's name")


def wire_name(name: Text, folder_encode: bool = True) -> bytes:
    """The bytes of a mailbox name: ``wire_name('Entwürfe') == b'Entw&APw-rfe'``."""
    return encode_name(name) if folder_encode else to_wire(name)


def raw(value: Text, what: str) -> bytes:
    """A caller's text that is sent as it is. ValueError where it could end the command or announce a literal."""
    data = to_wire(value)
    if re.search(rb"[\r\n\0]", data):
        raise ValueError(f"{what} must not contain CR, LF or NUL: {shortened(data)}")
    if _ANNOUNCES_LITERAL.search(data):
        raise ValueError(f"{what} must not end as a literal's announcement does: {shortened(data)}")
    return data


# Names for sets of items, which stand alone (RFC 9051, 9: fetch).
_FETCH_MACROS = (b"ALL", b"FAST", b"FULL")


def fetch_items(values: Text | Iterable[Text]) -> bytes:
    """The items to fetch: ``fetch_items(['FLAGS', 'UID']) == b'(FLAGS UID)'``, ``fetch_items('FAST') == b'FAST'``."""
    items = raw_list(values, "fetch data")
    return items[1:-1] if items[1:-1].upper() in _FETCH_MACROS else items


def raw_list(values: Text | Iterable[Text], what: str) -> bytes:
    """A caller's items, as they are, in parentheses: ``raw_list(['FLAGS', 'UID'], 'data') == b'(FLAGS UID)'``."""
    if isinstance(values, (str, bytes)):
        values = (values,)
    items = [raw(value, what) for value in values]
    if not items or not all(items):
        raise ValueError(f"{what} must not be empty")
    return b"(%s)" % b" ".join(items)


def date_time(value: datetime.datetime) -> bytes:
    """An INTERNALDATE, quoted: ``b'" 1-Feb-2020 10:11:12 +0100"'``."""
    return b'"%s"' % to_wire(datetime_to_INTERNALDATE(value), "ascii")


def shortened(data: bytes) -> str:
    """A value for an error message, cut so that it can't flood a log."""
    return repr(data if len(data) <= 60 else data[:57] + b"...")


# -- sequence sets

MessageIds = Union[int, str, bytes, Iterable[Union[int, str, bytes]]]
_MAX_ID = 0xFFFFFFFF
# sequence-set = (seq-number / seq-range) ["," sequence-set], or "$", the saved result of a search (RFC 5182)
_SEQUENCE_SET = re.compile(rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*\Z|\$\Z")

Range = tuple[int, int]
STAR = _MAX_ID + 1
"""Stands for ``*``, the highest number in use, in a range."""


class SequenceSet:
    """Message ids as a caller gives them, normalised: in the order given, and as sorted, merged ranges.

    Takes an int, a str or bytes sequence set (``'1:*'``, ``'5:7,9'``, ``'$'``), or any iterable of these.
    TypeError for anything else, ValueError for what is no message number (0, negative, over 32 bits, an empty string).
    """

    def __init__(self, messages: MessageIds) -> None:
        self.saved = False
        # In the order given: numbers, and ranges as (first, last).
        self._given: list[int | Range] = []
        self.ranges: list[Range] = []
        if isinstance(messages, (int, str, bytes, bytearray, memoryview)):
            self._add(messages)
        elif isinstance(messages, range) and abs(messages.step) == 1:
            if messages:
                self._given.append((_checked(messages[0]), _checked(messages[-1])))
        else:
            items = list(messages)
            if set(map(type, items)) <= {int}:
                numbers = cast("list[int]", items)
                if numbers:
                    _checked(min(numbers))
                    _checked(max(numbers))
                self._given.extend(numbers)
                self.ranges = _runs(numbers)
            else:
                for item in items:
                    self._add(item)
                if self.saved:
                    raise ValueError("'$' can't be combined with message ids")
        if not self.ranges:
            self.ranges = _merged(self._given)
        #: Whether all ids are known here: no ``*``, no saved result.
        self.is_bounded = not self.saved and not (self.ranges and self.ranges[-1][1] == STAR)

    def _add(self, item: Any) -> None:
        if isinstance(item, bool) or not isinstance(item, (int, str, bytes)):
            raise TypeError(f"not a message id: {item!r}")
        if isinstance(item, int):
            self._given.append(_checked(item))
            return
        text = to_wire(item).strip()
        if not _SEQUENCE_SET.match(text):
            raise ValueError(f"not a sequence set: {shortened(text)}")
        if text == b"$":
            self.saved = True
            return
        for part in text.split(b","):
            low, colon, high = part.partition(b":")
            first = _number(low)
            last = _number(high) if colon else first
            self._given.append(first if first == last != STAR else (first, last))

    def __bool__(self) -> bool:
        return bool(self.ranges) or self.saved

    def range_of(self, number: int) -> Range | None:
        """The range in which a number lies, or None."""
        index = bisect_right(self.ranges, (number, STAR)) - 1
        if index >= 0 and self.ranges[index][1] >= number:
            return self.ranges[index]
        return None

    def __contains__(self, number: int) -> bool:
        """Whether a message with this number may have been meant: with ``*`` or ``$`` that can't be known."""
        return not self.is_bounded or self.range_of(number) is not None

    def in_order(self, present: Collection[int]) -> list[int]:
        """The ids of ``present`` in the order of the request; those whose place is not known last."""
        left = dict.fromkeys(present)
        ascending: list[int] = []
        ordered: list[int] = []
        for item in self._given:
            if isinstance(item, int):
                if item in left:
                    del left[item]
                    ordered.append(item)
            else:
                ascending = ascending or sorted(present)
                start, end = bisect_left(ascending, min(item)), bisect_right(ascending, max(item))
                inside = [number for number in ascending[start:end] if number in left]
                if item[0] > item[1]:
                    inside.reverse()
                for number in inside:
                    del left[number]
                ordered += inside
        ordered += left
        return ordered

    def __bytes__(self) -> bytes:
        if self.saved:
            return b"$"
        return b",".join(_format(low, high) for low, high in self.ranges)

    def split(self, limit: int = SEQUENCE_SET_LIMIT) -> list[bytes]:
        """As sequence sets that each fit into ``limit`` bytes: ``[b'1:500,502']``; an empty set is no set at all."""
        if self.saved:
            return [b"$"]
        sets: list[bytes] = []
        current: list[bytes] = []
        size = 0
        for low, high in self.ranges:
            part = _format(low, high)
            if current and size + len(part) + 1 > limit:
                sets.append(b",".join(current))
                current, size = [], 0
            current.append(part)
            size += len(part) + 1
        if current:
            sets.append(b",".join(current))
        return sets


def _checked(number: int) -> int:
    if not 0 < number <= _MAX_ID:
        raise ValueError(f"not a message number: {number!r}")
    return number


def _number(text: bytes) -> int:
    return STAR if text == b"*" else _checked(int(text))


def _format(low: int, high: int) -> bytes:
    if low == high:
        return b"*" if low == STAR else b"%d" % low
    return b"%d:*" % low if high == STAR else b"%d:%d" % (low, high)


def _runs(numbers: Iterable[int]) -> list[Range]:
    """Numbers as sorted ranges: ``[5, 1, 2]`` becomes ``[(1, 2), (5, 5)]``."""
    runs: list[Range] = []
    low = high = -1
    for number in sorted(set(numbers)):
        if number == high + 1:
            high = number
        else:
            runs.append((low, high))
            low = high = number
    runs.append((low, high))
    return runs[1:]


def _merged(given: Iterable[int | Range]) -> list[Range]:
    """Sorted, without overlap: ``[3, (1, 2)]`` becomes ``[(1, 3)]``. ``*`` is next to no number."""
    merged: list[Range] = []
    current_low = current_high = -1
    for low, high in sorted((item, item) if isinstance(item, int) else (min(item), max(item)) for item in given):
        if current_low >= 0 and low <= current_high + 1 and not (low == STAR > current_high):
            if high > current_high:
                current_high = high
        else:
            if current_low >= 0:
                merged.append((current_low, current_high))
            current_low, current_high = low, high
    if current_low >= 0:
        merged.append((current_low, current_high))
    return merged


# -- search criteria

# How many of the words after a search key are text (RFC 9051, 6.4.4; Gmail's extensions). These are quoted where
# needed; any other word is a key, an atom, a number, a date or a sequence set, and goes out as it is if it can.
_TEXT_OPERANDS = {
    **dict.fromkeys((b"BCC", b"BODY", b"CC", b"FROM", b"SUBJECT", b"TEXT", b"TO"), 1),
    **dict.fromkeys((b"X-GM-RAW", b"X-GM-LABELS", b"EMAILID", b"THREADID"), 1),
    b"HEADER": 2,
}


def search_criteria(criteria: Any, charset: str | None) -> tuple[bytes | None, list[Argument]]:
    """Criteria as arguments, and the charset to name with them (None for none).

    A str or bytes is a whole program, sent raw: ``search_criteria('UNSEEN SINCE 1-Feb-2020', None)``. A sequence is
    encoded item by item: ``['SUBJECT', 'café', ['NOT', 'SEEN']]``. Text in it is encoded in ``charset``; where none is
    given and the text is not ASCII, that is UTF-8. InvalidCriteriaError for empty criteria, ValueError for what can't
    be sent or encoded.
    """
    encoding = charset or "utf-8"
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ValueError(f"unknown charset: {encoding!r}") from None
    name = atom(charset.upper(), "charset") if charset else None
    if isinstance(criteria, (str, bytes)):
        if not criteria.strip():
            raise InvalidCriteriaError("no criteria specified")
        raw(to_wire(criteria, encoding), "search criteria")
        # Cut as text: in some charsets a quote or backslash may be half of a character.
        text, encoding = (criteria, encoding) if isinstance(criteria, str) else _decoded(criteria, encoding)
        arguments = _raw_criteria(text, encoding)
        eight_bit = not criteria.isascii()
    else:
        arguments, eight_bit = _criteria_items(criteria, encoding)
        if not arguments:
            raise InvalidCriteriaError("no criteria specified")
    if name is None and eight_bit:
        name = b"UTF-8"
    return name, arguments


def split_criteria(arguments: list[Argument]) -> list[list[Argument]]:
    """The same criteria in parts that each fit into a command, where their one long sequence set does not.

    What the parts find together is what the whole would. That holds only where the set is neither negated nor in a
    group: ValueError there.
    """
    long_sets = [
        index
        for index, argument in enumerate(arguments)
        if isinstance(argument, SequenceSet) and len(argument.split()) > 1
    ]
    if not long_sets:
        if any(isinstance(argument, tuple) and _has_long_set(argument) for argument in arguments):
            raise ValueError("a list of message ids within a group is too long for one command")
        return [arguments]
    if len(long_sets) > 1 or b"NOT" in [_key(argument) for argument in arguments]:
        raise ValueError("message ids are too many for one command: search for them in parts")
    (index,) = long_sets
    whole = cast(SequenceSet, arguments[index])
    return [[*arguments[:index], part, *arguments[index + 1 :]] for part in whole.split()]


def _has_long_set(group: tuple[Any, ...]) -> bool:
    return any(
        _has_long_set(item) if isinstance(item, tuple) else isinstance(item, SequenceSet) and len(item.split()) > 1
        for item in group
    )


def _decoded(criteria: bytes, encoding: str) -> tuple[str, str]:
    """Criteria as text, and the encoding that makes the same bytes of it: Latin-1 where they are not in their own."""
    try:
        text = criteria.decode(encoding)
        if text.encode(encoding) == criteria:
            return text, encoding
    except UnicodeError:
        pass
    return criteria.decode("latin-1"), "latin-1"


def _raw_criteria(text: str, encoding: str) -> list[Argument]:
    """A whole criteria string. Its 8-bit strings and words go out as literals, all between stays as it is."""
    if text.isascii():
        return [text.encode(encoding)]
    parts: list[Argument] = []
    end = 0
    for match in _STRING_OR_WORD.finditer(text):
        if match.group().isascii():
            continue
        quoted, word = match.groups()
        parts.append(text[end : match.start()].encode(encoding))
        parts.append(Literal((re.sub(r"\\(.)", r"\1", quoted) if word is None else word).encode(encoding)))
        end = match.end()
    parts.append(text[end:].encode(encoding))
    if any(part.count(b'"') & 1 for part in parts if isinstance(part, bytes)):
        raise ValueError(f"a quote in the search criteria is not closed: {shortened(text.encode(encoding))}")
    return [Joined(parts)]


# A quoted string, or a run without spaces, quotes and parentheses.
_STRING_OR_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ "()]+)')


class Joined(tuple[Any, ...]):
    """Arguments sent one after the other with nothing between."""


def _criteria_items(criteria: Iterable[Any], encoding: str) -> tuple[list[Argument], bool]:
    if not isinstance(criteria, Iterable):
        raise TypeError(f"search criteria must be a string or a sequence, not {criteria!r}")
    arguments: list[Argument] = []
    eight_bit = False
    operands = 0
    for item in criteria:
        if isinstance(item, (list, tuple, set, frozenset, range)):
            if item and all(type(number) is int for number in item):
                arguments.append(SequenceSet(item))
                continue
            nested, wide = _criteria_items(item, encoding)
            if not nested:
                raise InvalidCriteriaError("no criteria specified")
            arguments.append(tuple(nested))
        else:
            argument, wide = _criterion(item, encoding, operands > 0)
            arguments.append(argument)
            operands = operands - 1 if operands else _TEXT_OPERANDS.get(_key(argument), 0)
        eight_bit = eight_bit or wide
    return arguments, eight_bit


def _key(argument: Argument) -> bytes:
    return argument.upper() if isinstance(argument, bytes) else b""


def _criterion(item: Any, encoding: str, is_text: bool) -> tuple[Argument, bool]:
    if isinstance(item, (datetime.datetime, datetime.date)):
        return format_criteria_date(item), False
    if isinstance(item, int) and not isinstance(item, bool):
        return b"%d" % item, False
    if not isinstance(item, (str, bytes)):
        raise TypeError(f"not a search criterion: {item!r}")
    data = to_wire(item, encoding)
    if not is_text and len(data) > SEQUENCE_SET_LIMIT and _SEQUENCE_SET.match(data):
        return SequenceSet(data), False
    if (_ATOM.match(data) and data.upper() != b"NIL") or (not is_text and _SEQUENCE_SET.match(data)):
        return data, False
    wide = (isinstance(item, str) and not item.isascii()) or any(byte > 127 for byte in data)
    return string(data), wide


# -- the command on the wire


def encode_command(tag: bytes, name: bytes, arguments: Iterable[Argument]) -> list[bytes | Literal]:
    """A command as pieces to send: text between literals, and the literals, which the sender announces.

    ``encode_command(b'A1', b'LOGIN', [b'"ann"', Literal(b'p')])`` is
    ``[b'A1 LOGIN "ann" ', Literal(b'p'), b'\\r\\n']``.
    """
    pieces: list[bytes | Literal] = []
    text = bytearray(tag + b" " + name)

    def add(argument: Argument) -> None:
        if isinstance(argument, bytes):
            text.extend(argument)
        elif isinstance(argument, SequenceSet):
            text.extend(bytes(argument))
        elif isinstance(argument, Literal):
            pieces.append(bytes(text))
            pieces.append(argument)
            text.clear()
        elif isinstance(argument, Joined):
            for part in argument:
                add(part)
        else:
            text.extend(b"(")
            for index, part in enumerate(argument):
                if index:
                    text.extend(b" ")
                add(part)
            text.extend(b")")

    for argument in arguments:
        text.extend(b" ")
        add(argument)
    text.extend(b"\r\n")
    pieces.append(bytes(text))
    return pieces
