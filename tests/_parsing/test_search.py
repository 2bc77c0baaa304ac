"""Ids and threads in search responses. test_response_parser.py tests the cases in fixtures/."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.lexer import read_values
from imapclient._parsing.responses import ReadOptions, Untagged
from imapclient._parsing.search import MAX_EXPANDED, parse_esearch, parse_search, parse_thread
from imapclient.exceptions import ProtocolError
from imapclient.response_types import SearchIds
from tests.fixtures.case import untagged

# -- ids


@given(st.lists(st.integers(min_value=1, max_value=2**32 - 1)), st.none() | st.integers(min_value=1, max_value=2**63))
def test_search_gives_the_ids_back(ids: list[int], modseq: int | None) -> None:
    line = b" ".join([b"* SEARCH", *(b"%d" % number for number in ids)])
    if modseq is not None:
        line += b" (MODSEQ %d)" % modseq
    found = parse_search(untagged(line))
    assert found == ids
    assert found.modseq == modseq


def _one_by_one(line: bytes) -> list[int] | None:
    """The ids in a SEARCH line, by the simplest code. None if a word is not a number of at most 20 digits."""
    words = [word for part in line[9:].split(b" ") for word in part.split(b"\t") if word]
    is_id = all(word.isdigit() and len(word) <= 20 for word in words)
    return [int(word) for word in words] if is_id else None


@given(
    st.integers(1, 10).flatmap(
        lambda width: st.lists(st.integers(10 ** (width - 1), 10**width - 1), min_size=1, max_size=30)
    ),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(b"0123456789aAFx \t-.,[\x00\xb2\xff")), max_size=3),
)
def test_ids_of_equal_width_are_read_as_one_by_one(ids: list[int], changes: list[tuple[int, int]]) -> None:
    """Ids of equal width, with a few bytes changed: `parse_search` reads most lines as JSON."""
    line = bytearray(b"* SEARCH " + b" ".join(b"%d" % number for number in ids))
    for place, byte in changes:
        line[9 + place % (len(line) - 9)] = byte
    expected = _one_by_one(bytes(line))
    if expected is None:
        with pytest.raises(ProtocolError):
            parse_search(untagged(bytes(line)))
    else:
        assert parse_search(untagged(bytes(line))) == expected


@pytest.mark.parametrize("separator", [b" ", b"\t", b"\t ", b"  "])
def test_many_ids_with_anything_between(separator: bytes) -> None:
    ids = list(range(990_000, 1_010_000))
    assert parse_search(untagged(b"* SEARCH " + separator.join(b"%d" % number for number in ids))) == ids


@pytest.mark.parametrize("width", range(1, 11))
def test_all_ids_of_a_width_that_matter_are_read(width: int) -> None:
    digits = 10**width
    ids = sorted({digits // 10, digits - 1, *(place * digit for place in (1, 10, 100) for digit in range(1, 10))})
    ids = [number % digits for number in ids if number % digits >= digits // 10] * 7
    assert parse_search(untagged(b"* SEARCH " + b" ".join(b"%d" % number for number in ids))) == ids


@given(
    st.lists(st.lists(st.integers(1, 2**32 - 1), max_size=12).map(sorted), max_size=3),
    st.lists(st.integers(1, 10), max_size=30),
)
def test_ids_that_get_more_digits_and_fewer(ascending: list[list[int]], widths: list[int]) -> None:
    """Ids of any width, ascending or in no order."""
    ids = [number for part in ascending for number in part] + [10**width - 1 for width in widths]
    assert parse_search(untagged(b"* SEARCH " + b" ".join(b"%d" % number for number in ids))) == ids


# -- large

MANY = 1_000_000
# Anything but linear time takes minutes for these.
LINEAR = pytest.mark.processor_seconds(60)


@LINEAR
def test_search_finds_a_million() -> None:
    ids = list(range(1, MANY + 1))
    line = b"* SEARCH " + b" ".join(b"%d" % number for number in ids)
    found = parse_search(untagged(line))
    assert found == ids
    assert isinstance(found, list)
    assert sys.getsizeof(found) <= 10 * MANY


@pytest.mark.parametrize(
    "found",
    [
        parse_search(untagged(b"* SEARCH" + b" 1234" * 50_000)),
        parse_search(untagged(b"* SEARCH" + b" 1234 567" * 25_000)),
        parse_search(untagged(b"* SEARCH" + b" 1234\t567" * 25_000)),
        parse_esearch(untagged(b"* ESEARCH UID ALL 1:50000")),
        parse_esearch(untagged(b"* ESEARCH UID ALL " + b",".join(b"%d" % number for number in range(1, 100_001, 2)))),
    ],
    ids=["equal-width", "other-widths", "other-spacing", "range", "no-ranges"],
)
def test_ids_take_ten_bytes_at_most_beside_the_ints(found: SearchIds) -> None:
    assert len(found) == 50_000
    assert sys.getsizeof(found) <= 10 * len(found)


@LINEAR
def test_search_with_other_spacing_finds_many() -> None:
    line = b"* SEARCH " + b"  ".join(b"%d" % number for number in range(1, 100_000))
    assert parse_search(untagged(line)) == list(range(1, 100_000))


@LINEAR
@pytest.mark.parametrize("width", [1, 5, 9])
def test_a_million_ids_whose_widths_alternate(width: int) -> None:
    ids = [10 ** (width - 1), 10**width] * (MANY // 2)
    assert parse_search(untagged(b"* SEARCH " + b" ".join(b"%d" % number for number in ids))) == ids


@LINEAR
def test_a_long_word_among_ids_is_found() -> None:
    ids = b" ".join(b"%d" % number for number in range(1, 3000))
    line = b"* SEARCH " + ids + b" " + b"x" * 20_000 + b" " + ids
    for _ in range(100):
        with pytest.raises(ProtocolError):
            parse_search(untagged(line))


def _third_block() -> tuple[list[int], int]:
    """Ids of six digits, and the index of one in the third block of 32 KiB."""
    ids = list(range(100_000, 200_000))
    index = (2 * 32768 + 16384) // 7
    return ids, index


@pytest.mark.parametrize("between", [b"  ", b"\t", b" \t ", b"     "])
@pytest.mark.parametrize("trailing", [b"", b" (MODSEQ 7)"])
def test_search_with_an_odd_space_far_into_it(between: bytes, trailing: bytes) -> None:
    ids, index = _third_block()
    parts = [b" ".join(b"%d" % number for number in part) for part in (ids[:index], ids[index:])]
    found = parse_search(untagged(b"* SEARCH " + between.join(parts) + trailing))
    assert found == ids
    assert found.modseq == (7 if trailing else None)


@pytest.mark.parametrize("size", [32768, 65536])
def test_search_with_a_double_space_at_every_place_around_the_end_of_a_block(size: int) -> None:
    ids = list(range(100_000, 115_000))
    words = [b"%d" % number for number in ids]
    for index in range((size - 16) // 7, (size + 32) // 7):
        line = b"* SEARCH " + b" ".join(words[:index]) + b"  " + b" ".join(words[index:])
        assert parse_search(untagged(line)) == ids


@pytest.mark.parametrize("word", [b"x", b"1x", b"1,2", b"-5", b"1.5", b"(1)", b'"1"', b"1e3", b"null", b"[1]", b"\xb2"])
def test_search_with_a_word_that_is_no_id_far_into_it(word: bytes) -> None:
    ids, index = _third_block()
    before = b"* SEARCH " + b" ".join(b"%d" % number for number in ids[:index]) + b" "
    with pytest.raises(ProtocolError) as caught:
        parse_search(untagged(before + word + b" " + b" ".join(b"%d" % number for number in ids[index:])))
    assert caught.value.position == len(before)
    assert caught.value.context is not None
    assert word in caught.value.context


# -- ESEARCH


@given(
    st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 50)), max_size=10), st.none() | st.integers(1, 2**63)
)
def test_esearch_gives_the_ids_back(ranges: list[tuple[int, int]], modseq: int | None) -> None:
    parts = [(low, min(low + more, 2**32 - 1)) for low, more in ranges]
    line = b'* ESEARCH (TAG "A1") UID'
    if parts:
        line += b" ALL " + b",".join(b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in parts)
    if modseq is not None:
        line += b" MODSEQ %d" % modseq
    found = parse_esearch(untagged(line))
    assert found == [number for low, high in parts for number in range(low, high + 1)]
    assert found.modseq == modseq


def test_an_esearch_of_very_many_ids_is_refused() -> None:
    """A range of a few bytes can stand for more ids than fit into memory."""
    assert len(parse_esearch(untagged(b"* ESEARCH ALL 1:1000"))) == 1000
    with pytest.raises(ProtocolError, match=f"more than {MAX_EXPANDED} ids"):
        parse_esearch(untagged(b"* ESEARCH ALL 1:%d" % (MAX_EXPANDED + 1)))


# -- threads

_IDS = st.integers(1, 2**32 - 1)
_THREADS = st.lists(
    st.recursive(
        st.lists(_IDS, min_size=1, max_size=4).map(tuple),
        lambda branches: st.tuples(st.lists(_IDS, max_size=3), st.lists(branches, min_size=1, max_size=3)).map(
            lambda pair: (*pair[0], *pair[1])
        ),
        max_leaves=20,
    ),
    max_size=5,
).map(tuple)


def _as_a_server_writes_it(thread: tuple[Any, ...], between: bytes) -> bytes:
    text = b"("
    before: Any = None
    for item in thread:
        text += between if isinstance(item, tuple) and before is not None else b" " * (before is not None)
        text += _as_a_server_writes_it(item, between) if isinstance(item, tuple) else b"%d" % item
        before = item
    return text + b")"


@given(_THREADS, st.sampled_from([b" ", b"", b"  "]), st.sampled_from([b"", b" "]))
def test_threads_come_back(threads: tuple[Any, ...], between: bytes, end: bytes) -> None:
    line = b"* THREAD " + between.join(_as_a_server_writes_it(thread, between) for thread in threads) + end
    assert parse_thread(untagged(line)) == threads


def _as_any_list(text: bytes) -> tuple[Any, ...] | None:
    """The threads, read by the general lexer. None if the text is not a list of threads."""

    def ids(value: Any) -> Any:
        return tuple(map(ids, value)) if isinstance(value, tuple) else int(value)

    try:
        threads = read_values(Untagged(b"", None, text), typed=False)
        is_good = all(isinstance(thread, tuple) for thread in threads) and not set(b'"\t-') & set(text)
        return ids(tuple(threads)) if is_good else None
    except (ProtocolError, ValueError):
        return None


@given(st.lists(st.sampled_from([b"(", b")", b" ", b"1", b"23", b"x", b"007", b'"', b"\t", b"-"]), max_size=30))
def test_threads_are_read_as_any_list_is(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    expected = _as_any_list(text)
    if expected is None:
        with pytest.raises(ProtocolError):
            parse_thread(untagged(text, start=0))
    else:
        assert parse_thread(untagged(text, start=0)) == expected


@pytest.mark.parametrize("depth", [1, 10, 400, 1000, 100_000])
def test_threads_up_to_the_nesting_limit(depth: int) -> None:
    """No RecursionError, even for a high max_nesting_depth."""
    line = b"* THREAD " + b"(" * depth + b"1" + b")" * depth
    (found,) = parse_thread(untagged(line), ReadOptions(max_depth=depth))
    for _ in range(depth):
        (found,) = found
    assert found == 1
    with pytest.raises(ProtocolError, match=f"max_nesting_depth={depth - 1}") as caught:
        parse_thread(untagged(line), ReadOptions(max_depth=depth - 1))
    assert caught.value.position == 9 + depth - 1


@LINEAR
def test_a_million_threads() -> None:
    line = b"* THREAD " + b"".join(b"(%d)" % number for number in range(1, MANY + 1))
    assert parse_thread(untagged(line)) == tuple((number,) for number in range(1, MANY + 1))


@LINEAR
@pytest.mark.parametrize("piece", [b"(", b")", b"7", b" ", b"\t", b"() ", b"(1", b"(1)", b"x", b"{1} ", b'"'])
def test_a_hostile_thread_ends(piece: bytes) -> None:
    line = b"* THREAD " + piece * (MANY // len(piece))
    if piece in (b" ", b"() ", b"(1)"):
        assert len(parse_thread(untagged(line))) == (0 if piece == b" " else MANY // len(piece))
    else:
        with pytest.raises(ProtocolError):
            parse_thread(untagged(line))


def test_an_error_about_a_long_word_is_short() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_thread(untagged(b"* THREAD (" + b"x" * 1_000_000 + b")"))
    assert len(str(caught.value)) < 500
