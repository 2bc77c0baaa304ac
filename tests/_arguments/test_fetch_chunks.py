"""Splitting a fetch into chunks: each requested message is fetched once, and no chunk exceeds its limits."""

from __future__ import annotations

import random
import tracemalloc
from typing import Any

import pytest

from imapclient._arguments.fetch_chunks import Messages, TextItems, by_size
from imapclient._parsing.fetch.results import FetchResult
from imapclient.response_types import SearchIds
from imapclient.sequence_set import STAR, UidSet


def portions(messages: Any, size: int, *bounds: int, highest: int = STAR) -> list[tuple[str, int]]:
    found = Messages(messages).portions(size, bounds, highest)
    return [(bytes(portion.ids).decode(), portion.most) for portion in found]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (None, []),
        ([], []),
        ("", []),
        (7, [("7", 1)]),
        ([7], [("7", 1)]),
        ([1, 2, 3, 4, 5], [("1:2", 2), ("3:4", 2), ("5", 1)]),
        ((5, 4, 3), [("4:5", 2), ("3", 1)]),
        ([9, 1, 9, 1, 5], [("1,9", 2), ("5", 1)]),
        ({1: 0, 2: 0}, [("1:2", 2)]),
        (iter([3, 8, 13]), [("3,8", 2), ("13", 1)]),
        (range(1, 9, 3), [("1,4", 2), ("7", 1)]),
        (range(1, 3), [("1:2", 2)]),
        (SearchIds([3, 1]), [("1,3", 2)]),
        ("4,2,9", [("2,4", 2), ("9", 1)]),
        ([1, "4:5", 7], [("1", 1), ("4:5", 2), ("7", 1)]),
        (UidSet("5:6,1"), [("1", 1), ("5:6", 2)]),
    ],
)
def test_ids_are_cut_as_they_are_listed_and_sets_in_ascending_order(messages: Any, expected: Any) -> None:
    assert portions(messages, 2) == expected


@pytest.mark.parametrize(
    ("messages", "bounds", "highest", "expected"),
    [
        ("1:*", (), 1, [("1", 1)]),
        ("1:*", (), 4294967295, [("1:4294967295", 2)]),
        ("1:*", (20, 900), 1000, [("1:20", 2), ("21:900", 2), ("901:1000", 2)]),
        ("1:*", (20, 900), 900, [("1:20", 2), ("21:900", 2)]),
        ("*", (20,), 30, [("30", 1)]),
        ("50:*", (20,), 30, [("30", 1)]),
        ("20:*", (20,), 21, [("20:21", 2)]),
        ("50:60", (20,), 30, []),
        ("5:60,70", (20,), 30, [("5:20", 2), ("21:30", 2)]),
        ("5,30,50:60", (20,), 55, [("5,30", 2), ("50:55", 2)]),
        # An earlier range contains the highest id, which must occur once.
        ("1:2,3:*", (2,), 2, [("1:2", 2)]),
        ("1:30,*", (2, 30), 30, [("1:2", 2), ("3:30", 2)]),
        ("1:30,2000:*", (2, 30), 30, [("1:2", 2), ("3:30", 2)]),
        ("1:20,25,2000:*", (2, 20), 25, [("1:2", 2), ("3:20", 2), ("25", 1)]),
    ],
)
def test_ranges_are_cut_at_the_bounds(messages: str, bounds: Any, highest: int, expected: Any) -> None:
    assert portions(messages, 2, *bounds, highest=highest) == expected


@pytest.mark.parametrize(
    ("messages", "needed"),
    [("1:2", False), ("1:3", True), ("5,9,11", False), ("1:*", True), ("*", True), ([1, 2, 3], False), ("", False)],
)
def test_bounds_are_needed_where_a_range_is_wide(messages: Any, needed: bool) -> None:
    assert Messages(messages).needs_bounds(2) is needed


@pytest.mark.parametrize("seed", range(30))
def test_any_set_over_any_folder(seed: int) -> None:
    """Each requested message is in one portion, and no portion exceeds its limit."""
    rng = random.Random(seed)
    uids = sorted(rng.sample(range(1, 3000), rng.randrange(1, 400)))
    size = rng.randrange(1, 40)
    bounds = uids[size - 1 : len(uids) - 1 : size]
    parts = []
    for _ in range(rng.randrange(1, 6)):
        low = rng.randrange(1, 3200)
        parts.append(rng.choice([str(low), f"{low}:{low + rng.randrange(2000)}", f"{low}:*"]))
    asked = ",".join(parts)
    wanted = {uid for uid in uids for part in parts if _is_in(uid, part, uids[-1])}
    found: list[int] = []
    for portion in Messages(asked).portions(size, bounds, uids[-1]):
        there = [uid for uid in uids if uid in portion.ids]
        assert len(there) <= portion.most <= size
        assert portion.ids.is_bounded
        found += there
    assert found == sorted(wanted)


def _is_in(uid: int, part: str, highest: int) -> bool:
    low, _, high = part.partition(":")
    first = int(low)
    if high == "*":
        return min(first, highest) <= uid <= max(first, highest)
    return first <= uid <= int(high or low)


@pytest.mark.parametrize("messages", [0, [0], [1, -1], [2**32], "x", [True], [1.5], [None], object()])
def test_what_is_no_id_is_refused(messages: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Messages(messages)


def test_what_the_caller_does_to_the_list_later_changes_nothing() -> None:
    ids = [1, 2, 3]
    messages = Messages(ids)
    ids.clear()
    assert [bytes(portion.ids) for portion in messages.portions(5)] == [b"1:3"]


@pytest.mark.once
def test_many_ids_take_four_bytes_each() -> None:
    ids = list(range(1, 200_001))
    tracemalloc.start()
    try:
        messages = Messages(ids)
        assert sum(portion.most for portion in messages.portions(1000)) == 200_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


# -- bytes


@pytest.mark.parametrize(
    ("items", "whole", "parts"),
    [
        (b"(FLAGS UID ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE INTERNALDATE)", 0, ()),
        (b"FULL", 0, ()),
        (b"(BODY[])", 1, ()),
        (b"(body.peek[])", 1, ()),
        (b"(BODY.PEEK[1.2] BODY[2.TEXT] BODY[TEXT])", 3, ()),
        (b"(BODY[HEADER] BODY[1.HEADER] BODY.PEEK[1.MIME])", 0, ()),
        (b"(BODY.PEEK[HEADER.FIELDS (FROM BODY)])", 0, ()),
        (b"(RFC822)", 1, ()),
        (b"(RFC822.TEXT RFC822.HEADER)", 1, ()),
        (b"(BINARY[1] BINARY.PEEK[2]<0.10> BINARY.SIZE[3])", 1, (10,)),
        (b"(BODY[]<0.2048> BODY[1]<5.100>)", 0, (2048, 100)),
    ],
)
def test_which_items_have_text(items: bytes, whole: int, parts: tuple[int, ...]) -> None:
    assert TextItems.of(items) == TextItems(whole, parts)


def test_how_much_text_a_message_has() -> None:
    assert TextItems(2, (100, 50)).amount(80) == 2 * 80 + 80 + 50
    assert TextItems(0, (100, 50)).count_within(1000, 900) == 6
    assert TextItems(0, (100, 50)).count_within(4, 900) == 4
    assert TextItems(0, (5000,)).count_within(4, 900) == 1
    assert TextItems(0, ()).count_within(1000, 1) == 1000


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([10, 10, 10], [[1, 2, 3]]),
        ([60, 40, 1], [[1, 2], [3]]),
        ([101, 10], [[1], [2]]),
        ([10, 500, 10], [[1], [2], [3]]),
        ([10, None, 10], [[1], [2], [3]]),
        ([10, -1, 10], [[1], [2], [3]]),
        ([1, 1, 1, 1, 1], [[1, 2, 3], [4, 5]]),
    ],
)
def test_groups_by_size(sizes: list[int | None], expected: list[list[int]]) -> None:
    found = FetchResult((number, {b"RFC822.SIZE": size}) for number, size in enumerate(sizes, 1))
    assert list(by_size(found, TextItems(1, ()), 3, 100)) == expected


def test_groups_by_number_alone() -> None:
    found = FetchResult((number, {b"SEQ": number}) for number in range(1, 6))
    assert list(by_size(found, TextItems(0, ()), 2, 1)) == [[1, 2], [3, 4], [5]]
