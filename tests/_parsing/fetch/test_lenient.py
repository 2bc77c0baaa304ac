"""FETCH responses in which some items can't be parsed."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.fetch.lenient import mended, read_leniently
from imapclient._parsing.fetch.parser import parse_fetch
from imapclient._parsing.records import Record
from imapclient._parsing.responses import ReadOptions, Untagged
from imapclient.exceptions import FetchError, ProtocolError
from imapclient.response_parser import parse_fetch_response
from tests.fixtures import fetch, lenient_fetch
from tests.fixtures.case import Case, cut_everywhere, number, untagged
from tests.fixtures.chunks import read


@pytest.mark.parametrize("case", lenient_fetch.CASES, ids=lambda case: case.name)
def test_the_sound_items(case: Case) -> None:
    line, records = read(case.raw)
    items, errors = read_leniently(untagged(line, records), ReadOptions(normalise_times=False))
    assert (items, [(error.item, error.value) for error in errors]) == case.expected
    assert all(type(error) is FetchError and error.sequence_number == number(line) for error in errors)


@pytest.mark.parametrize("case", lenient_fetch.CASES, ids=lambda case: case.name)
def test_the_parser_refuses_each_case(case: Case) -> None:
    """The parser refuses each of these responses."""
    line, records = read(case.raw)
    with pytest.raises(ProtocolError):
        parse_fetch(untagged(line, records))


@pytest.mark.parametrize("case", fetch.CASES, ids=lambda case: case.name)
def test_a_sound_response_is_read_the_same(case: Case) -> None:
    line, records = read(case.raw)
    items, errors = read_leniently(untagged(line, records), ReadOptions(normalise_times=False))
    assert (items, errors) == (case.expected, [])


@pytest.mark.parametrize("case", fetch.CASES, ids=lambda case: case.name)
def test_a_response_cut_anywhere_has_the_items_before_the_cut(case: Case) -> None:
    for line, records in cut_everywhere(read(case.raw)):
        with contextlib.suppress(ProtocolError):
            parse_fetch(untagged(line, records))
            continue
        items, errors = read_leniently(untagged(line, records), ReadOptions(normalise_times=False))
        assert errors
        named = {error.item for error in errors}
        for key, value in items.items():
            if key in case.expected and key not in named:
                assert value == case.expected[key] or key == b"UID" or isinstance(value, (int, bytes))


_WORD = st.sampled_from(
    [b"UID", b"5", b"FLAGS", b"(\\Seen)", b"(", b")", b'"', b'"a"', b"NIL", b"BODY[", b"]", b"\\", b" "]
)
_LINE = st.lists(st.one_of(_WORD, st.binary(max_size=6)), max_size=20).map(b" ".join)


@given(st.lists(st.one_of(_LINE, st.tuples(_LINE, st.binary(max_size=5))), min_size=1, max_size=3))
def test_it_is_total(records: list[bytes | tuple[bytes, bytes]]) -> None:
    first = records[0]
    line = first if isinstance(first, bytes) else first[0]
    items, errors = read_leniently(Untagged(b"FETCH", 7, line, 0, records))
    assert items[b"SEQ"] == 7
    assert all(type(error) is FetchError and error.sequence_number == 7 for error in errors)


@given(_LINE)
def test_mending_changes_nothing_but_escapes(line: bytes) -> None:
    after = mended(line)
    assert isinstance(after, bytes)
    assert after.replace(b"\\", b"") == line.replace(b"\\", b"")


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize("unit", [b'("', b'(" ', b'("a', b'"\\', b' "x" b', b'" ', b'"a ', b"(", b"((A) ", b'" a'])
def test_a_hostile_line_costs_no_more_than_its_length(unit: bytes) -> None:
    line = b"(" + unit * (100_000 // len(unit))
    tracemalloc.start()
    try:
        items, errors = read_leniently(Untagged(b"FETCH", 1, line))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert errors
    assert len(items) < 10
    assert peak < 200 * len(line)


# -- parse_fetch_response


def test_one_message_does_not_cost_the_others() -> None:
    data = [b"1 (UID 5 FLAGS (\\Seen))", b"2 (UID 6 ENVELOPE 5 FLAGS ())", b"3 (UID NIL FLAGS ())", b"4 (UID 7"]
    result = parse_fetch_response(data)
    assert result == {
        5: {b"SEQ": 1, b"FLAGS": (b"\\Seen",)},
        6: {b"SEQ": 2, b"ENVELOPE": None, b"FLAGS": ()},
        7: {b"SEQ": 4},
    }
    found = [(error.message, error.sequence_number, error.item) for error in result.errors]
    assert found == [(6, 2, b"ENVELOPE"), (None, 3, b"UID"), (7, 4, None)]


def test_one_message_with_a_literal_does_not_cost_the_others() -> None:
    data: list[Record | None] = [(b"1 (UID 5 BODY[] {3}", b"abc"), b' X "y)', (b"2 (UID 6 BODY[] {3}", b"def"), b")"]
    result = parse_fetch_response(data)
    assert result == {5: {b"SEQ": 1, b"BODY[]": b"abc"}, 6: {b"SEQ": 2, b"BODY[]": b"def"}}
    assert [(error.message, error.value) for error in result.errors] == [(5, b' X "y)')]


def test_by_sequence_number() -> None:
    result = parse_fetch_response([b"1 (UID NIL FLAGS ())"], uid_is_key=False)
    assert result == {1: {b"SEQ": 1, b"UID": None, b"FLAGS": ()}}
    assert [(error.message, error.item) for error in result.errors] == [(1, b"UID")]


def test_a_message_without_a_uid_keeps_its_sequence_number_where_one_item_can_not_be_read() -> None:
    data = [b'1 (INTERNALDATE "00-Jan-0000 00:00:00 +0000" FLAGS (\\Seen))', b"2 (FLAGS ())"]
    result = parse_fetch_response(data)
    assert result == {1: {b"SEQ": 1, b"INTERNALDATE": None, b"FLAGS": (b"\\Seen",)}, 2: {b"SEQ": 2, b"FLAGS": ()}}
    assert [(error.message, error.item) for error in result.errors] == [(1, b"INTERNALDATE")]


def test_a_cut_response_without_a_uid_is_filed_under_none() -> None:
    """The key would be its sequence number, which may be the UID of another message."""
    result = parse_fetch_response([b"1 (FLAGS (\\Seen) X"])
    assert result == {}
    assert [(error.message, error.sequence_number) for error in result.errors] == [(None, 1)]


def test_strict() -> None:
    with pytest.raises(ProtocolError):
        parse_fetch_response([b"1 (UID 5 FLAGS (\\Seen))", b"2 (UID 6 ENVELOPE 5)"], strict=True)


def test_the_errors_of_one_response_are_bounded() -> None:
    _, errors = read_leniently(Untagged(b"FETCH", 1, b"(UID 5 " + b"1 " * 100_000 + b")"))
    assert len(errors) == 20
