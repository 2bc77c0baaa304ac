"""Each short cut of a parser beside the general way: both return the same value, or both raise."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

from imapclient import datetime_util
from imapclient._parsing import folders, lexer, search
from imapclient._parsing.fetch.parser import fetch_items, parse_fetch
from imapclient._parsing.folders import parse_list
from imapclient._parsing.lexer import read_rest_of_list, read_values
from imapclient._parsing.records import before_announcement
from imapclient._parsing.responses import DEFAULT_OPTIONS, ReadOptions, Untagged
from imapclient._parsing.search import parse_search
from imapclient.exceptions import ProtocolError
from tests._parsing.fast.test_batch_reader import FORMS
from tests._parsing.fast.test_batch_reader import responses as responses_like
from tests.fixtures.chunks import ChunkTransport
from tests.fuzz import seeds
from tests.fuzz.harnesses import Harness, responses
from tests.helpers.both_paths import read


def _or_error(function: Any, *arguments: Any, **named: Any) -> Any:
    """The value of a function, or ProtocolError if it raises that."""
    try:
        return function(*arguments, **named)
    except ProtocolError:
        return ProtocolError


def fast_lexer(data: bytes) -> None:
    """`read_values` cuts a line at its quotes. The general way reads token by token."""
    for response in responses(data):
        assert _or_error(read_values, response) == _or_error(_token_by_token, response)


def _token_by_token(response: Untagged) -> list[Any]:
    values: list[Any] = []
    stack: list[list[Any]] = []
    current = values
    start = response.start
    for record in response.records or [response.line]:
        text, literal = record if isinstance(record, tuple) else (record, None)
        text = text if literal is None else before_announcement(text)
        current = lexer._fold_tokens(text, start, current, stack, DEFAULT_OPTIONS.max_depth, lexer._atom)
        if literal is not None:
            current.append(literal)
        start = 0
    if stack:
        raise ProtocolError("a parenthesis is not closed")
    return values


def fast_fetch(data: bytes) -> None:
    """`parse_fetch` reads most items by one regular expression each."""
    for response in responses(data):
        for normalise_times in (True, False):
            found = _or_error(parse_fetch, response, ReadOptions(normalise_times))
            assert found == _or_error(_general_fetch, response, normalise_times)


def _general_fetch(response: Untagged, normalise_times: bool) -> Any:
    line, start, number = response.line, response.start, response.number
    if line[start : start + 1] != b"(" or number is None:
        raise ProtocolError("a FETCH response without its list of items")
    values = read_rest_of_list(Untagged(b"FETCH", number, line, start + 1, response.records))
    return fetch_items(number, values, normalise_times)


def fast_search(data: bytes) -> None:
    """`parse_search` reads most ids as JSON."""
    for response in responses(data):
        if b"(" not in response.line:
            found = _or_error(parse_search, response)
            line = response.line
            assert found == _or_error(search._ids_one_by_one, line, response.start, len(line))


def fast_list(data: bytes) -> None:
    """`parse_list` reads most folders by one regular expression."""
    for response in responses(data):
        line, start = response.line, response.start
        if folders._LIST.match(line, start) and b"\t" not in line:
            general = Untagged(response.name, response.number, line, start, [line])
            assert parse_list(response) == parse_list(general)


def fast_dates(data: bytes) -> None:
    """Regular expressions read the usual forms of a date, `email.utils` reads all others."""
    with contextlib.suppress(ValueError):
        fast = datetime_util.parse_to_datetime(data, normalise=False)
        slow = datetime_util._parse_rfc5322(data)
        assert fast == slow
        assert fast.utcoffset() == slow.utcoffset()
        local = datetime_util.parse_to_datetime(data)
        assert local == datetime_util.datetime_to_native(slow)
        assert isinstance(local, datetime.datetime)


def fast_batches(data: bytes) -> None:
    """The fast path reads many responses at a time.

    The first byte chooses the options, and the size of the pieces in which the bytes arrive.
    """
    choice, stream = data[0] if data else 0, data[1:] + data[1:200] * 2
    uid, local = bool(choice & 1), bool(choice & 2)
    size = 1 << 20 if choice & 4 else 40 + choice
    expected, _ = read(ChunkTransport.of_size(stream, size), fast=False, use_uid=uid, normalise_times=local)
    found, _ = read(ChunkTransport.of_size(stream, size), fast=True, use_uid=uid, normalise_times=local)
    assert found == expected


FAST_PATHS: dict[str, Harness] = {
    "fast_lexer": Harness(fast_lexer, seeds.responses()),
    "fast_fetch": Harness(fast_fetch, seeds.responses_with(b"FETCH")),
    "fast_search": Harness(fast_search, seeds.responses_with(b"SEARCH", b"SORT")),
    "fast_list": Harness(fast_list, seeds.responses_with(b"LIST", b"LSUB")),
    "fast_batches": Harness(
        fast_batches,
        [
            *(b"\x06" + raw for raw in seeds.responses_with(b"FETCH")),
            *(b"\x07" + responses_like(form, 3) for form in FORMS.values()),
            *(b"\x01" + responses_like(form, 2) for form in FORMS.values()),
        ],
    ),
    "fast_dates": Harness(fast_dates, seeds.DATES),
}
