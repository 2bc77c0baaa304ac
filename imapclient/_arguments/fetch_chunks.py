"""How a fetch of many messages is cut into chunks that are bounded in number and in bytes. No I/O.

Ids that a caller lists are cut as they stand. Of a sequence set in UIDs nobody knows how many messages it has:
``1:4000000000`` may be three. It is cut at UIDs that the server has told for every so many messages, ``bounds``. A
UID never comes to stand for another message, and messages are only ever added above the highest UID (RFC 9051,
2.3.1.1), so what lies between two bounds can become less, and never more.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import lt
from typing import Any, NamedTuple

from ..sequence_set import SINGLE, STAR, MessageIds, Range, SequenceSet, UidSet, checked_numbers

# How many messages the smallest portion has whose bounds or sizes are asked for at once.
MIN_PORTION = 500


def positive(number: int, name: str) -> None:
    """TypeError or ValueError for what is no number of things, from 1 on. ``name`` is the argument's."""
    if not isinstance(number, int):
        raise TypeError(f"{name} must be an int, not {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1")


class Portion(NamedTuple):
    """A part of a set of messages, and how many messages it has at most."""

    ids: SequenceSet
    most: int


class Messages:
    """The messages of one call, held in four bytes each or as ranges.

    ``numbers`` are ids in the order in which the caller lists them, each once; None where there are sequence sets among
    them, and then ``ranges`` are in ascending order, and for ``$``, which is ``is_saved``.
    """

    def __init__(self, messages: MessageIds | None) -> None:
        self.numbers: array[int] | None = None
        self.ranges: Sequence[Range] = ()
        self.is_saved = False
        if messages is None:
            return
        if not isinstance(messages, (*SINGLE, UidSet)) and not _is_run(messages):
            messages = messages if isinstance(messages, (list, tuple)) else list(messages)
            numbers = checked_numbers(messages)
            if numbers is not None:
                ascends = all(map(lt, numbers, memoryview(numbers)[1:]))
                self.numbers = numbers if ascends else array("I", dict.fromkeys(numbers))
                return
        wanted = SequenceSet(messages)
        self.ranges, self.is_saved = wanted.ranges, wanted.saved

    def needs_bounds(self, size: int) -> bool:
        """Whether some range may have more than ``size`` messages, or is not known without the server."""
        return any(high - low >= size or high == STAR for low, high in self.ranges)

    def portions(self, size: int, bounds: Sequence[int] = (), highest: int = STAR) -> Iterator[Portion]:
        """Parts of at most ``size`` messages. ``bounds`` are ids, ``size`` messages from one to the next.

        ``highest`` is the highest id in use: what is above it is left out, and ``*`` means it.
        """
        if self.numbers is not None:
            for start in range(0, len(self.numbers), size):
                part = self.numbers[start : start + size].tolist()
                yield Portion(SequenceSet(part), len(part))
            return
        ranges: list[Range] = []
        most = 0
        for low, high in _cut(_below(self.ranges, highest), bounds):
            width = min(high - low + 1, size)
            if most + width > size and ranges:
                yield _portion(ranges, most)
                ranges, most = [], 0
            ranges.append((low, high))
            most += width
        if ranges:
            yield _portion(ranges, most)


def _is_run(messages: MessageIds) -> bool:
    return isinstance(messages, range) and abs(messages.step) == 1


def _below(ranges: Iterable[Range], highest: int) -> Iterator[Range]:
    """Ascending ranges without what is above the highest id, each id once."""
    last = 0
    for low, high in ranges:
        if high == STAR:
            # "5:*" is "3:5" where 3 is the highest, which may be in a range before.
            low = min(low, highest)
        low, high = max(low, last + 1), min(high, highest)
        if low <= high:
            yield low, high
            last = high


def _cut(ranges: Iterable[Range], bounds: Sequence[int]) -> Iterator[Range]:
    """Ranges in pieces, none of which goes on beyond one of the bounds."""
    for low, high in ranges:
        index = bisect_left(bounds, low)
        while index < len(bounds) and bounds[index] < high:
            yield low, bounds[index]
            low = bounds[index] + 1
            index += 1
        yield low, high


def _portion(ranges: Sequence[Range], most: int) -> Portion:
    return Portion(SequenceSet(",".join(f"{low}:{high}" for low, high in ranges)), most)


# -- bytes

# Both are text, of which `re` makes expressions where they are first needed, by `IMAPClient.fetch_iter` alone.
_TEXT_ITEM = (
    rb"(?i)(?:(?:BODY|BINARY)(?:\.PEEK)?\[(?P<section>[^\]]*)\]|RFC822(?:\.TEXT)?(?![.\w\[]))(?:<\d+\.(?P<most>\d+)>)?"
)
_HEADER = rb"(?i)(?:[\d.]*\.)?(?:HEADER|MIME)"


class TextItems(NamedTuple):
    """How much text of each message some items bring: how many have all of it, and how much the others have at most.

    A header counts as nothing. Text that is decoded (BINARY) is no longer than it was.
    """

    whole: int
    parts: tuple[int, ...]

    @classmethod
    def of(cls, items: bytes) -> TextItems:
        """``TextItems.of(b'(FLAGS BODY.PEEK[] BODY[1]<0.100>)') == TextItems(1, (100,))``."""
        whole = 0
        parts = []
        for match in re.finditer(_TEXT_ITEM, items):
            if match["section"] is not None and re.match(_HEADER, match["section"]):
                continue
            if match["most"] is None:
                whole += 1
            else:
                parts.append(int(match["most"]))
        return cls(whole, tuple(parts))

    def amount(self, size: int) -> int:
        """How many bytes they have at most of a message of that size."""
        return self.whole * size + sum(min(size, part) for part in self.parts)

    def count_within(self, count: int, most: int) -> int:
        """How many messages, ``count`` at most, surely have no more than ``most`` bytes, whatever their sizes."""
        each = sum(self.parts)
        return max(1, min(count, most // each)) if each else count


def by_size(sizes: Mapping[int, Mapping[bytes, Any]], items: TextItems, count: int, most: int) -> Iterator[list[int]]:
    """Messages in groups of at most ``count``, which have at most ``most`` bytes together by their RFC822.SIZE.

    One that has more is alone, and so is one whose size is not known.
    """
    group: list[int] = []
    total = 0
    for number, values in sizes.items():
        size = values.get(b"RFC822.SIZE")
        amount = 0
        if items.whole:
            # No message has 0 bytes.
            amount = items.amount(size) if isinstance(size, int) and size > 0 else most
        if group and (total + amount > most or len(group) == count):
            yield group
            group, total = [], 0
        group.append(number)
        total += amount
    if group:
        yield group
