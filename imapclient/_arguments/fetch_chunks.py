"""Split the messages of a fetch into chunks that are bounded in number and in bytes. No I/O.

A list of ids is split in its own order. A set of UIDs may contain far fewer messages than numbers: ``1:4000000000`` may
be three messages. So a set is split at ``bounds``. These are the UIDs of every n-th existing message, which the server
reports. A UID is never reused, and new messages get higher UIDs (RFC 9051, 2.3.1.1). So the number of messages between
two bounds can only decrease.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import lt
from typing import Any

from .._import_time import NamedTuple
from ..sequence_set import SINGLE, STAR, MessageIds, Range, SequenceSet, UidSet, checked_numbers

# One request for bounds or sizes covers at least this many messages.
MIN_PORTION = 500


def positive(number: int, name: str) -> None:
    """Raise TypeError or ValueError unless the argument ``name`` is an int of at least 1."""
    if not isinstance(number, int):
        raise TypeError(f"{name} must be an int, not {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")


class Portion(NamedTuple):
    """A part of a set of messages. It contains at most ``max_messages`` messages."""

    ids: SequenceSet
    max_messages: int


class Messages:
    """The messages of one call, as an array of 32-bit numbers or as ranges.

    ``numbers`` are the ids in the caller's order, without duplicates. If the caller passes a sequence set, ``numbers``
    is None and ``ranges`` are in ascending order. ``is_saved`` is set for ``$``, the result of the last search.
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
        """Whether a range may contain more than ``size`` messages, or ends with ``*``."""
        return any(high - low >= size or high == STAR for low, high in self.ranges)

    def portions(self, size: int, bounds: Sequence[int] = (), highest: int = STAR) -> Iterator[Portion]:
        """Split into parts of at most ``size`` messages.

        ``bounds`` are ids: at most ``size`` messages come after one bound and up to the next. ``highest`` is the
        highest id in use, which ``*`` stands for. Higher ids are omitted.


        """
        if self.numbers is not None:
            for start in range(0, len(self.numbers), size):
                part = self.numbers[start : start + size].tolist()
                yield Portion(SequenceSet(part), len(part))
            return
        ranges: list[Range] = []
        max_messages = 0
        for low, high in _cut(_below(self.ranges, highest), bounds):
            width = min(high - low + 1, size)
            if max_messages + width > size and ranges:
                yield _portion(ranges, max_messages)
                ranges, max_messages = [], 0
            ranges.append((low, high))
            max_messages += width
        if ranges:
            yield _portion(ranges, max_messages)


def _is_run(messages: MessageIds) -> bool:
    return isinstance(messages, range) and abs(messages.step) == 1


def _below(ranges: Iterable[Range], highest: int) -> Iterator[Range]:
    """Ascending ranges without duplicates and without ids above the highest one."""
    last = 0
    for low, high in ranges:
        if high == STAR:
            # "5:*" means "3:5" if 3 is the highest id. An earlier range may already contain 3.
            low = min(low, highest)
        low, high = max(low, last + 1), min(high, highest)
        if low <= high:
            yield low, high
            last = high


def _cut(ranges: Iterable[Range], bounds: Sequence[int]) -> Iterator[Range]:
    """Split ranges at the bounds. Each bound ends a piece."""
    for low, high in ranges:
        index = bisect_left(bounds, low)
        while index < len(bounds) and bounds[index] < high:
            yield low, bounds[index]
            low = bounds[index] + 1
            index += 1
        yield low, high


def _portion(ranges: Sequence[Range], max_messages: int) -> Portion:
    return Portion(SequenceSet(",".join(f"{low}:{high}" for low, high in ranges)), max_messages)


# -- bytes

# These are not compiled here, because compiling is slow and only `IMAPClient.fetch_iter` needs them.
_TEXT_ITEM = (
    rb"(?i)(?:(?:BODY|BINARY)(?:\.PEEK)?\[(?P<section>[^\]]*)\]|RFC822(?:\.TEXT)?(?![.\w\[]))(?:<\d+\.(?P<size>\d+)>)?"
)
_HEADER = rb"(?i)(?:[\d.]*\.)?(?:HEADER|MIME)"


class TextItems(NamedTuple):
    """How much text of each message the items request.

    ``whole`` is the number of items without a limit, ``parts`` are the limits of the others. Headers do not count.
    Decoded text (BINARY) counts as encoded text, which is never shorter.
    """

    whole: int
    parts: tuple[int, ...]

    @classmethod
    def of(cls, items: bytes) -> TextItems:
        """The text that the items of a command request.

        ``TextItems.of(b'(FLAGS BODY.PEEK[] BODY[1]<0.100>)') == TextItems(1, (100,))``.
        """
        whole = 0
        parts = []
        for match in re.finditer(_TEXT_ITEM, items):
            if match["section"] is not None and re.match(_HEADER, match["section"]):
                continue
            if match["size"] is None:
                whole += 1
            else:
                parts.append(int(match["size"]))
        return cls(whole, tuple(parts))

    def amount(self, size: int) -> int:
        """The maximum number of bytes of text for a message of that size."""
        return self.whole * size + sum(min(size, part) for part in self.parts)

    def count_within(self, count: int, max_bytes: int) -> int:
        """The number of messages, from 1 to ``count``, whose limited text together is at most ``max_bytes`` bytes."""
        each = sum(self.parts)
        return max(1, min(count, max_bytes // each)) if each else count


def by_size(
    sizes: Mapping[int, Mapping[bytes, Any]], items: TextItems, count: int, max_bytes: int
) -> Iterator[list[int]]:
    """Group messages by their RFC822.SIZE: at most ``count`` messages and ``max_bytes`` of text in each group.

    A message that exceeds ``max_bytes`` is alone in its group. So is a message of unknown size, if an item has no
    limit.
    """
    group: list[int] = []
    total = 0
    for number, values in sizes.items():
        size = values.get(b"RFC822.SIZE")
        amount = 0
        if items.whole:
            # A size of 0 is wrong: no message is empty.
            amount = items.amount(size) if isinstance(size, int) and size > 0 else max_bytes
        if group and (total + amount > max_bytes or len(group) == count):
            yield group
            group, total = [], 0
        group.append(number)
        total += amount
    if group:
        yield group
