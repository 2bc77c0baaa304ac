"""The results of FETCH."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections import defaultdict
from typing import Any, Callable

import pytest

from imapclient._parsing.fetch.results import FetchItems, FetchResult, ItemResult
from imapclient.exceptions import FetchError
from imapclient.response_parser import parse_fetch_response


def _result() -> FetchResult:
    messages: dict[int, FetchItems] = {5: {b"FLAGS": (b"a",)}, 6: {b"FLAGS": None, b"UID": 6}, 7: {}}
    result = FetchResult(messages)
    for message, item in ((6, b"FLAGS"), (5, b"ENVELOPE"), (8, None)):
        error = FetchError("odd", 3, b"bytes")
        error.message, error.item = message, item
        result.errors.append(error)
    return result


def test_a_missing_message() -> None:
    with pytest.raises(KeyError):
        _result()[99]


def test_a_missing_message_has_no_items_with_a_default_factory() -> None:
    result = parse_fetch_response([b"1 (UID 5)"])
    assert isinstance(result, defaultdict)
    assert result[99] == {}


def test_it_shows_as_a_dict() -> None:
    assert repr(FetchResult({5: {b"UID": 5}})) == "{5: {b'UID': 5}}"


_COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda r: r.copy(),
    lambda r: pickle.loads(pickle.dumps(r)),
]


@pytest.mark.parametrize("copied", _COPIES)
def test_copies(copied: Callable[[Any], Any]) -> None:
    result = _result()
    other = copied(result)
    assert type(other) is FetchResult
    assert other == result
    assert [vars(error) for error in other.errors] == [vars(error) for error in result.errors]
    assert other.errors is not result.errors
    with pytest.raises(KeyError):
        other[1000]


@pytest.mark.parametrize("copied", _COPIES)
def test_copies_of_a_defaultdict(copied: Callable[[Any], Any]) -> None:
    other = copied(parse_fetch_response([b"1 (UID 5)"]))
    assert other == {5: {b"SEQ": 1}}
    assert other[1000] == {}


def test_one_item_of_each_message() -> None:
    flags = ItemResult.of(b"FLAGS", _result())
    assert flags == {5: (b"a",)}
    assert [(error.message, error.item) for error in flags.errors] == [(6, b"FLAGS"), (8, None)]


def test_an_item_result_is_copied_with_its_errors() -> None:
    flags = ItemResult.of(b"FLAGS", _result())
    other = pickle.loads(pickle.dumps(flags))
    assert other == flags
    assert [error.message for error in other.errors] == [6, 8]
    assert ItemResult().errors == []


def test_ipython_prints_it_as_a_dict() -> None:
    pretty = importlib.import_module("IPython.lib.pretty").pretty
    result = FetchResult({uid: {b"SEQ": uid, b"FLAGS": (b"\\Seen", b"\\Answered")} for uid in (101, 102)})
    assert pretty(result) == (
        "{101: {b'SEQ': 101, b'FLAGS': (b'\\\\Seen', b'\\\\Answered')},\n"
        " 102: {b'SEQ': 102, b'FLAGS': (b'\\\\Seen', b'\\\\Answered')}}"
    )
    assert pretty(FetchResult({1: {b"SEQ": 1}})) == "{1: {b'SEQ': 1}}"
