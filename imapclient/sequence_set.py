"""Sets of message ids: those that a caller passes, and those that a server sends. No I/O."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from operator import lt
from typing import Any, Union, cast

from ._import_time import expression
from .util import Text, shortened, to_wire

# The maximum length in bytes of a sequence set in one command. RFC 7162 and RFC 2683 limit a line to 8,192 and 8,000.
SEQUENCE_SET_LIMIT = 8000

# Types that are not collections of ids. A bytearray is refused, because its items are small numbers, not ids.
SINGLE = (int, str, bytes, bytearray, memoryview)

MessageIds = Union[int, str, bytes, Iterable[Union[int, str, bytes]]]
_MAX_ID = 0xFFFFFFFF
# sequence-set = (seq-number / seq-range) ["," sequence-set], or "$", the saved result of a search (RFC 5182)
_PART = expression(rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?\Z")


def is_sequence_set(text: bytes) -> bool:
    """Whether the text is a sequence set: ``b'1:5,9'``, ``b'2:*'``, ``b'$'``."""
    # One expression for the whole text would use a hundred times the memory of the text.
    return text == b"$" or all(map(_PART.match, text.split(b",")))


Range = tuple[int, int]
STAR = _MAX_ID + 1
"""The number that stands for ``*`` in a range. ``*`` means the highest number in use."""


class UidSet(Collection[int]):
    """UIDs in the order in which the server sent them: ``UidSet('5:7,3')`` contains 5, 6, 7 and 3.

    ``list(uids)`` is ``[5, 6, 7, 3]`` and ``str(uids)`` is the sequence set ``'5:7,3'``. Every method that takes
    messages accepts it. It can be iterated more than once. Two sets are equal if they contain the same UIDs in the
    same order. It stores ranges, because a short text such as ``'1:4294967295'`` can mean billions of UIDs.

    Raises ValueError if the text is not a set of UIDs, such as ``'1:*'``.
    """

    def __init__(self, text: Text) -> None:
        data = to_wire(text)
        if not is_sequence_set(data) or b"*" in data or b"$" in data:
            raise ValueError(f"not a set of UIDs: {shortened(data)}")
        #: Pairs of the lowest and the highest UID of a range: ``((5, 7), (3, 3))``.
        self.ranges: tuple[Range, ...] = tuple(_joined(_parts(data)))

    @classmethod
    def of_all(cls, sets: Iterable[UidSet]) -> UidSet:
        """One set with the UIDs of several sets, in order."""
        together = cls.__new__(cls)
        together.ranges = tuple(_joined(pair for one in sets for pair in one.ranges))
        return together

    def __len__(self) -> int:
        return how_many(self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(low <= number <= high for low, high in self.ranges)

    def __eq__(self, other: object) -> bool:
        return self.ranges == other.ranges if isinstance(other, UidSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in self.ranges)

    def __repr__(self) -> str:
        return f"UidSet({str(self)!r})"


UidSet.__module__ = "imapclient.response_types"


def _parts(data: bytes) -> Iterator[Range]:
    for part in data.split(b","):
        low, colon, high = part.partition(b":")
        first = _checked(int(low))
        last = _checked(int(high)) if colon else first
        yield min(first, last), max(first, last)


def _joined(pairs: Iterable[Range]) -> Iterator[Range]:
    """Join adjacent ranges: ``(1, 2), (3, 5)`` becomes ``(1, 5)``."""
    current: Range | None = None
    for low, high in pairs:
        if current is not None and low == current[1] + 1:
            current = current[0], high
        else:
            if current is not None:
                yield current
            current = low, high
    if current is not None:
        yield current


class SequenceSet:
    """The message ids that a caller passes, as sorted, merged ranges, and in the caller's order.

    ``messages`` is an int, a sequence set as str or bytes (``'1:*'``, ``'5:7,9'``, ``'$'``), an iterable of these, or
    a `UidSet`. Raises TypeError for anything else. Raises ValueError if a number is not from 1 to 4294967295, or if a
    text is not a sequence set.
    """

    def __init__(self, messages: MessageIds) -> None:
        self.saved = False
        # Numbers, and ranges as (first, last), in the caller's order.
        self._given: list[int | Range] = []
        self.ranges: list[Range] = []
        if isinstance(messages, (str, bytes)) and not messages.strip():
            pass
        elif isinstance(messages, SINGLE):
            self._add(messages)
        elif isinstance(messages, range) and abs(messages.step) == 1:
            if messages:
                self._given.append((_checked(messages[0]), _checked(messages[-1])))
        elif isinstance(messages, UidSet):
            self._given.extend(messages.ranges)
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
        #: Whether all ids are known: the set contains neither ``*`` nor ``$``.
        self.is_bounded = not self.saved and not (self.ranges and self.ranges[-1][1] == STAR)

    def _add(self, item: Any) -> None:
        if isinstance(item, bool) or not isinstance(item, (int, str, bytes)):
            raise TypeError(f"a message id must be an int, str or bytes, not {item!r}")
        if isinstance(item, int):
            self._given.append(_checked(item))
            return
        text = to_wire(item).strip()
        if not is_sequence_set(text):
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
        """The range that contains a number, or None."""
        index = bisect_right(self.ranges, (number, STAR)) - 1
        if index >= 0 and self.ranges[index][1] >= number:
            return self.ranges[index]
        return None

    def __contains__(self, number: int) -> bool:
        """Whether the set may contain this number. Always True if the set contains ``*`` or ``$``."""
        return not self.is_bounded or self.range_of(number) is not None

    def has_all(self, uids: UidSet) -> bool:
        """Whether the set may contain all of these UIDs. A UID that occurs twice counts as two."""
        if not self.is_bounded:
            return True
        found = [(self.range_of(low), high) for low, high in uids.ranges]
        return all(one is not None and high <= one[1] for one, high in found) and self.has_room(uids)

    def has_room(self, uids: UidSet) -> bool:
        """Whether the set may contain as many messages as ``uids``."""
        return not self.is_bounded or how_many(uids.ranges) <= how_many(self.ranges)

    def in_order(self, present: Collection[int]) -> list[int]:
        """The ids of ``present`` in the caller's order. Ids whose place is unknown come last."""
        present = list(present)
        if self._is_in_order(present):
            return present
        left = dict.fromkeys(present)
        ascending: list[int] = []
        # For each index of `ascending`: the index itself if it is free, otherwise a later index. A chain of these ends
        # at the next free index.
        following: list[int] = []
        ordered: list[int] = []
        for item in self._given:
            if isinstance(item, int):
                if item in left:
                    del left[item]
                    ordered.append(item)
            else:
                if not ascending:
                    ascending = sorted(present)
                    following = list(range(len(ascending) + 1))
                inside = []
                index = bisect_left(ascending, min(item))
                end = bisect_right(ascending, max(item))
                while (index := _first_free(following, index)) < end:
                    following[index] = index + 1
                    if ascending[index] in left:
                        del left[ascending[index]]
                        inside.append(ascending[index])
                if item[0] > item[1]:
                    inside.reverse()
                ordered += inside
        ordered += left
        return ordered

    def _is_in_order(self, present: list[int]) -> bool:
        """Whether ``present`` is in the caller's order: it is all requested ids, or an ascending part of one range."""
        if present == self._given:
            return True
        if len(self._given) != 1 or isinstance(self._given[0], int) or not present:
            return False
        low, high = self._given[0]
        return low <= present[0] and present[-1] <= high and all(map(lt, present, islice(present, 1, None)))

    def __bytes__(self) -> bytes:
        if self.saved:
            return b"$"
        return b",".join(_format(low, high) for low, high in self.ranges)

    def split(self, limit: int = SEQUENCE_SET_LIMIT) -> list[bytes]:
        """Sequence sets of at most ``limit`` bytes each: ``[b'1:500,502']``. An empty set becomes ``[]``."""
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


def how_many(ranges: Iterable[Range]) -> int:
    """How many numbers the ranges contain. Unlike ``len()``, the result may exceed sys.maxsize."""
    return sum(high - low + 1 for low, high in ranges)


def _first_free(following: list[int], index: int) -> int:
    """The first free index from ``index`` on: the end of the chain. Shortens the chain for later calls."""
    while following[index] != index:
        following[index] = following[following[index]]
        index = following[index]
    return index


def checked_numbers(items: Sequence[Any]) -> array[int] | None:
    """Message numbers in an array, or None if an item is not an int. Raises ValueError like `SequenceSet`."""
    kinds = set(map(type, items))
    if bool in kinds or not all(issubclass(kind, int) for kind in kinds):
        return None
    if items:
        _checked(min(items))
        _checked(max(items))
    return array("I", items)


def _checked(number: int) -> int:
    if not 0 < number <= _MAX_ID:
        raise ValueError(f"a message number must be from 1 to {_MAX_ID}, not {number!r}")
    return number


def _number(text: bytes) -> int:
    return STAR if text == b"*" else _checked(int(text))


def _format(low: int, high: int) -> bytes:
    if low == high:
        return b"*" if low == STAR else b"%d" % low
    return b"%d:*" % low if high == STAR else b"%d:%d" % (low, high)


def _runs(numbers: Iterable[int]) -> list[Range]:
    """Sorted ranges of numbers: ``[5, 1, 2]`` becomes ``[(1, 2), (5, 5)]``."""
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
    """Sorted ranges without overlap: ``[3, (1, 2)]`` becomes ``[(1, 3)]``. ``*`` is adjacent to no number."""
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
