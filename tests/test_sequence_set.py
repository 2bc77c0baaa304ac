"""Sets of message ids: those of a caller, normalised, and those of a server, in its order."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.sequence_set import SEQUENCE_SET_LIMIT, SequenceSet, UidSet, is_sequence_set
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS, numbers
from tests.helpers.clients import memory_peak

# -- sets of a caller


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (5, b"5"),
        ([5], b"5"),
        ((3, 1, 2), b"1:3"),
        ({1, 3, 5}, b"1,3,5"),
        ([1, 1, 2, 2], b"1:2"),
        (range(1, 501), b"1:500"),
        (range(500, 0, -1), b"1:500"),
        (range(1, 10, 3), b"1,4,7"),
        (range(7, 0, -3), b"1,4,7"),
        (range(5, 5), b""),
        ([], b""),
        ("1:*", b"1:*"),
        ("*:1", b"1:*"),
        ("*", b"*"),
        ("*:*", b"*"),
        ("4294967295,*", b"4294967295,*"),
        (["*", 4294967295], b"4294967295,*"),
        ("1,*", b"1,*"),
        ("3:*,*", b"3:*"),
        ("5:7,9", b"5:7,9"),
        ("7:5", b"5:7"),
        ("1,2,3,5", b"1:3,5"),
        ("1:5,3:9,10", b"1:10"),
        (b"1:2,4", b"1:2,4"),
        (" 5 ", b"5"),
        ("007", b"7"),
        (["1:3", 5, b"7", "9:*"], b"1:3,5,7,9:*"),
        (["1:*"], b"1:*"),
        (iter([3, 2, 1]), b"1:3"),
        ("$", b"$"),
        (b"$", b"$"),
        (4294967295, b"4294967295"),
    ],
)
def test_sequence_set(messages: Any, expected: bytes) -> None:
    found = SequenceSet(messages)
    assert bytes(found) == expected
    assert bool(found) == bool(expected)
    assert found.split() == ([expected] if expected else [])


@pytest.mark.parametrize(
    "messages",
    [0, -1, 4294967296, [0], [1, -1], [4294967296, 5], range(5), range(5, -1, -1), range(0, 9, 3)]
    + [[""], "0", "0:5", "1:0", "4294967296", "10000000000", "1:", ":1", "1,", ",1", "1,,2", "1-5", "1:2:3"]
    + ["a", "1 2", "1, 2", "**", "1*", "$,1", "$$", ["$"], ["$", 1], [1, "$"], "\u0661", "1;2", "+1", "1_000"]
    + [text for text in INJECTIONS + ANNOUNCEMENTS if text.strip() != "1:*"]
    + ["1\r\n2", "1\r\nA999 NOOP", "1,2\0", "1,2,x", "1,\r\n2"],
)
def test_no_sequence_set(messages: Any) -> None:
    with pytest.raises(ValueError, match=r"not a sequence set|a message number must be|combined"):
        SequenceSet(messages)


@pytest.mark.parametrize(
    "messages", [None, 1.5, object(), [None], [1.0], [True], True, False, [[1]], [1, (2,)], [range(3)]]
)
def test_no_message_ids(messages: Any) -> None:
    with pytest.raises(TypeError):
        SequenceSet(messages)


_IDS = st.integers(min_value=1, max_value=300) | st.integers(min_value=2**32 - 50, max_value=2**32 - 1)
_MIXED = st.lists(
    st.one_of(
        _IDS, st.tuples(_IDS, st.integers(min_value=0, max_value=20)).map(lambda r: f"{r[0]}:{min(sum(r), 2**32 - 1)}")
    )
)


def _meant(messages: list[int | str]) -> list[int]:
    return [n for item in messages for n in (numbers(item.encode()) if isinstance(item, str) else [item])]


@given(_MIXED)
def test_each_id_once_and_collapsed(messages: list[int | str]) -> None:
    found = SequenceSet(messages)
    expected = sorted(set(_meant(messages)))
    if expected:
        assert numbers(bytes(found)) == expected
    ranges = found.ranges
    assert all(low <= high for low, high in ranges)
    assert all(before[1] + 1 < after[0] for before, after in zip(ranges, ranges[1:])), "runs are collapsed"
    assert found.is_bounded


@given(st.lists(_IDS, min_size=1), st.integers(min_value=1, max_value=100))
def test_split_has_every_id_exactly_once(ids: list[int], limit: int) -> None:
    parts = SequenceSet(ids).split(limit)
    assert list(itertools.chain.from_iterable(map(numbers, parts))) == sorted(set(ids))
    assert all(len(part) <= limit or b"," not in part for part in parts)
    # No set could contain another part.
    for part, following in zip(parts, parts[1:]):
        assert len(part) + 1 + len(following.split(b",")[0]) >= limit


def test_split_at_the_default_limit() -> None:
    ids = range(1, 100_000, 2)
    parts = SequenceSet(ids).split()
    assert list(itertools.chain.from_iterable(map(numbers, parts))) == list(ids)
    assert all(len(part) <= SEQUENCE_SET_LIMIT for part in parts)
    assert all(len(part) > SEQUENCE_SET_LIMIT - 10 for part in parts[:-1])


def test_split_with_a_star() -> None:
    parts = SequenceSet(["1", "3", "100:*"]).split(5)
    assert parts == [b"1,3", b"100:*"]


@given(_MIXED, st.lists(_IDS))
def test_contains(messages: list[int | str], asked: list[int]) -> None:
    found = SequenceSet(messages)
    meant = set(_meant(messages))
    for asked_for in asked + sorted(meant)[:20]:
        assert (asked_for in found) == (asked_for in meant)
        one = found.range_of(asked_for)
        assert (one is not None) == (asked_for in meant)
        assert one is None or one[0] <= asked_for <= one[1]


@pytest.mark.parametrize("messages", ["1:*", "*", "5,*", "$"])
def test_contains_where_it_can_not_be_known(messages: str) -> None:
    found = SequenceSet(messages)
    assert not found.is_bounded
    assert 3 in found
    assert 4294967295 in found


@pytest.mark.parametrize(
    ("messages", "present", "expected"),
    [
        ([3, 1, 2], [1, 2, 3], [3, 1, 2]),
        ([3, 1, 3], [1, 3], [3, 1]),
        ([9, 5], [5], [5]),
        ([9, 5], [9, 5], [9, 5]),
        ([9, 5], [5, 9], [9, 5]),
        ("2:*", [3, 7], [3, 7]),
        ("2:*", [7, 3], [3, 7]),
        ("2:7", [1, 3, 7], [3, 7, 1]),
        ("2:7", [3, 7, 9], [3, 7, 9]),
        ("2:7", [3, 9, 7], [3, 7, 9]),
        ("5:3,8", [8, 3, 4, 5], [5, 4, 3, 8]),
        ("3:5,1", [1, 5, 4, 3], [3, 4, 5, 1]),
        ("4:*,2", [2, 9, 5], [5, 9, 2]),
        ("*:4,2", [2, 5, 9], [9, 5, 2]),
        ("*", [7, 3], [7, 3]),
        ("$", [7, 3], [7, 3]),
        ([1], [], []),
        ([], [2, 1], [2, 1]),
        (range(3, 0, -1), [1, 2, 3], [3, 2, 1]),
        (range(1, 4), [3, 2, 1], [1, 2, 3]),
        ([5, "1:6"], [1, 5, 6, 9], [5, 1, 6, 9]),
    ],
)
def test_in_order(messages: Any, present: list[int], expected: list[int]) -> None:
    assert list(SequenceSet(messages).in_order(present)) == expected


@given(_MIXED, st.lists(_IDS, unique=True))
def test_in_order_loses_none(messages: list[int | str], present: list[int]) -> None:
    ordered = list(SequenceSet(messages).in_order(present))
    assert sorted(ordered) == sorted(present)
    wanted = [n for n in dict.fromkeys(_meant(messages)) if n in set(present)]
    assert ordered[: len(wanted)] == wanted


# -- sets of a server


@pytest.mark.parametrize(
    ("text", "uids", "canonical"),
    [
        ("5", [5], "5"),
        (b"5", [5], "5"),
        ("5:7,3", [5, 6, 7, 3], "5:7,3"),
        ("7:5", [5, 6, 7], "5:7"),
        ("1,2,3", [1, 2, 3], "1:3"),
        ("1:2,3:4,6", [1, 2, 3, 4, 6], "1:4,6"),
        ("3,2,1", [3, 2, 1], "3,2,1"),
        ("2,2", [2, 2], "2,2"),
        ("304,319:320", [304, 319, 320], "304,319:320"),
        ("4294967295", [4294967295], "4294967295"),
        ("007", [7], "7"),
    ],
)
def test_uid_set(text: str | bytes, uids: list[int], canonical: str) -> None:
    found = UidSet(text)
    # Iterating twice: it is not an iterator.
    assert list(found) == uids
    assert list(found) == uids
    assert len(found) == len(uids)
    assert str(found) == canonical
    assert repr(found) == f"UidSet({canonical!r})"
    assert all(uid in found for uid in uids)
    assert found == UidSet(canonical)
    assert hash(found) == hash(UidSet(canonical))


@pytest.mark.parametrize("text", ["", " ", "*", "1:*", "*:1", "$", "0", "0:5", "1,0", "4294967296", "1:4294967296"])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_no_uid_set(text: str, as_bytes: bool) -> None:
    with pytest.raises(ValueError, match=r"not a set of UIDs|a message number must be"):
        UidSet(text.encode() if as_bytes else text)


@pytest.mark.parametrize("text", ["1 2", " 1", "1,", ",1", "1:", "1:2:3", "a", "(1)", '"1"', "1\r\n", "\u0661"])
def test_no_uid_set_either(text: str) -> None:
    with pytest.raises(ValueError, match="not a set of UIDs"):
        UidSet(text)


def test_uid_sets_differ_in_their_uids_and_in_their_order() -> None:
    assert UidSet("1:3") == UidSet("1,2,3")
    assert UidSet("1,3") != UidSet("3,1")
    assert UidSet("1") != UidSet("1,1")
    assert UidSet("1") != 1
    assert UidSet("1") != "1"
    assert len({UidSet("1:3"), UidSet("1,2:3"), UidSet("4")}) == 2


@pytest.mark.parametrize("stranger", [0, 4, -1, 2**33, "1", b"1", None, 1.5, (1, 3)])
def test_what_is_not_in_a_uid_set(stranger: object) -> None:
    assert stranger not in UidSet("1:3,5")


def test_uid_sets_one_after_the_other() -> None:
    whole = UidSet.of_all([UidSet("5:7"), UidSet("8"), UidSet("2:3"), UidSet("2")])
    assert list(whole) == [5, 6, 7, 8, 2, 3, 2]
    assert str(whole) == "5:8,2:3,2"
    nothing = UidSet.of_all([])
    assert list(nothing) == []
    assert not nothing


@given(st.lists(st.lists(st.integers(min_value=1, max_value=30), min_size=1)))
def test_uid_sets_keep_every_uid_in_its_place(lists: list[list[int]]) -> None:
    sets = [UidSet(",".join(map(str, uids))) for uids in lists]
    assert [list(one) for one in sets] == lists
    whole = UidSet.of_all(sets)
    assert list(whole) == list(itertools.chain.from_iterable(lists))
    if whole:
        assert UidSet(str(whole)) == whole
        assert len(whole) == sum(map(len, lists))


def test_a_set_of_all_uids_costs_nothing() -> None:
    with memory_peak(100_000):
        everything = UidSet("1:4294967295")
        assert len(everything) == 4294967295
        assert 4294967295 in everything
        assert list(itertools.islice(everything, 3)) == [1, 2, 3]
        assert UidSet.of_all([everything, everything]).ranges == ((1, 4294967295), (1, 4294967295))
        assert bytes(SequenceSet(everything)) == b"1:4294967295"


def test_a_uid_set_is_a_set_of_messages() -> None:
    assert bytes(SequenceSet(UidSet("9,5:7,6"))) == b"5:7,9"
    assert SequenceSet(UidSet("9,5:7")).in_order([5, 6, 7, 9]) == [9, 5, 6, 7]
    assert not SequenceSet(UidSet.of_all([]))
    assert isinstance(UidSet("1"), Collection)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_uid_set_can_be_pickled(protocol: int) -> None:
    for found in (UidSet("5:7,3"), UidSet.of_all([])):
        assert pickle.loads(pickle.dumps(found, protocol)) == found


def test_a_uid_set_can_be_copied() -> None:
    found = UidSet("5:7,3")
    assert copy.copy(found) == copy.deepcopy(found) == found


@pytest.mark.parametrize(
    ("text", "expected"), [(b"1", True), (b"1:*,5", True), (b"$", True), (b"", False), (b"1,", False), (b"1 2", False)]
)
def test_is_sequence_set(text: bytes, expected: bool) -> None:
    assert is_sequence_set(text) is expected
