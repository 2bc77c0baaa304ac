"""Each short cut of a parser against the general way: the same value, or neither accepts."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any
from unittest import mock

from imapclient import datetime_util
from imapclient._parsing import folders as folder_parser
from imapclient._parsing import lexer as response_lexer
from imapclient._parsing import search as search_parser
from imapclient._parsing.fast import plan as fetch_plan
from imapclient._parsing.fetch.parser import fetch_items, parse_fetch
from imapclient._parsing.folders import parse_list
from imapclient._parsing.lexer import read_rest_of_list, read_values
from imapclient._parsing.records import Record, before_announcement
from imapclient._parsing.search import parse_search
from imapclient.exceptions import ProtocolError
from tests._parsing.fast.test_batch import FORMS
from tests._parsing.fast.test_batch import responses as responses_like
from tests.fixtures.case import number
from tests.fixtures.chunks import ChunkTransport
from tests.fuzz import seeds
from tests.fuzz.harnesses import Harness, responses, start_of
from tests.helpers.both_paths import read


def _or_error(function: Any, *arguments: Any, **named: Any) -> Any:
    """What a function returns; the class of errors where it refuses."""
    try:
        return function(*arguments, **named)
    except ProtocolError:
        return ProtocolError


def fast_lexer(data: bytes) -> None:
    """`read_values` cuts at the quotes first; the general way goes from token to token."""
    for line, records in responses(data):
        start = start_of(line)
        assert _or_error(read_values, line, start, records) == _or_error(_token_by_token, line, start, records)


def _token_by_token(line: bytes, start: int, records: list[Record] | None) -> list[Any]:
    values: list[Any] = []
    stack: list[list[Any]] = []
    current = values
    for record in [line] if records is None else records:
        text, literal = record if isinstance(record, tuple) else (record, None)
        text = text if literal is None else before_announcement(text)
        current = response_lexer._fold_tokens(
            text, start, current, stack, response_lexer.MAX_DEPTH, response_lexer._atom
        )
        if literal is not None:
            current.append(literal)
        start = 0
    if stack:
        raise ProtocolError("a parenthesis is not closed")
    return values


def fast_fetch(data: bytes) -> None:
    """`parse_fetch` reads most items by a regular expression each."""
    for line, records in responses(data):
        start = start_of(line)
        for normalise_times in (True, False):
            found = _or_error(parse_fetch, number(line), line, start, records, normalise_times)
            assert found == _or_error(_general_fetch, number(line), line, start, records, normalise_times)


def _general_fetch(
    sequence_number: int, line: bytes, start: int, records: list[Record] | None, normalise_times: bool
) -> Any:
    if line[start : start + 1] != b"(":
        raise ProtocolError("a FETCH response without its list of items")
    return fetch_items(sequence_number, read_rest_of_list(line, start + 1, records), normalise_times)


def fast_search(data: bytes) -> None:
    """`parse_search` reads ids of equal width all at once, and others as JSON."""
    for line, _ in responses(data):
        start = start_of(line)
        if b"(" not in line:
            found = _or_error(parse_search, line, start)
            assert found == _or_error(search_parser._search_ids, line, start, len(line))


def fast_list(data: bytes) -> None:
    """`parse_list` reads most folders by one regular expression."""
    for line, _ in responses(data):
        start = start_of(line)
        if folder_parser._LIST.match(line, start) and b"\t" not in line:
            assert parse_list(line, start) == parse_list(line, start, [line])


def fast_dates(data: bytes) -> None:
    """The usual forms of a date are read by a regular expression, all others by `email.utils`."""
    with contextlib.suppress(ValueError):
        fast = datetime_util.parse_to_datetime(data, normalise=False)
        slow = datetime_util._parse_rfc5322(data)
        assert fast == slow
        assert fast.utcoffset() == slow.utcoffset()
        local = datetime_util.parse_to_datetime(data)
        assert local == datetime_util.datetime_to_native(slow)
        assert isinstance(local, datetime.datetime)


def fast_batches(data: bytes) -> None:
    """What a fetch brings is read many responses at a time where that is possible.

    The first byte chooses how it is fetched, and the size of the pieces in which it arrives.
    """
    choice, stream = data[0] if data else 0, data[1:] + data[1:200] * 2
    uid, local = bool(choice & 1), bool(choice & 2)
    size = 1 << 20 if choice & 4 else 40 + choice
    expected, _ = read(ChunkTransport.of_size(stream, size), fast=False, use_uid=uid, normalise_times=local)
    # A form is compiled when it comes first, and nothing of earlier inputs is kept.
    with mock.patch.multiple(fetch_plan, _WORTH_IT=0, _plans={}):
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
