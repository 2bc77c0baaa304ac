"""The parsers on the cases in fixtures/: whole, cut at every byte, with trailing bytes; and on any bytes."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._connection.reader import Reader
from imapclient._parsing.acl import parse_acl
from imapclient._parsing.fetch.items import parse_flags
from imapclient._parsing.fetch.parser import parse_fetch
from imapclient._parsing.folders import parse_list, parse_namespace, parse_status
from imapclient._parsing.quota import parse_quota, parse_quota_root
from imapclient._parsing.records import Record
from imapclient._parsing.responses import ReadOptions, Untagged
from imapclient._parsing.search import parse_search, parse_thread
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, ProtocolError
from imapclient.fixed_offset import FixedOffset
from imapclient.response_parser import parse_fetch_response, parse_message_list, parse_response
from imapclient.response_types import BodyData, Envelope, SearchIds
from tests.fixtures.case import Case, Response, cut_everywhere, records_of, untagged, with_trailing
from tests.fixtures.chunks import ChunkTransport, read
from tests.fixtures.kinds import (
    KINDS,
    WHOLE,
    Parse,
    parse_one_code,
    parse_one_esearch,
    parse_one_fetch,
    parse_one_search,
    parse_one_thread,
)

TRAILING = [
    b" ",
    b" more",
    b" a b",
    b")",
    b" )",
    b"(",
    b" (1 2 3)",
    b'"',
    b'"x"',
    b" {5}",
    b"\0\xff",
    b"\\",
    b"]",
    b"[",
    b" NIL",
]


def _each(broken: bool | None = None) -> list[Any]:
    """Each case with its kind and parser: only good ones, only broken ones or, by default, all."""
    return [
        pytest.param(kind, parse, case, id=f"{kind}-{case.name.replace(' ', '-')}")
        for kind, parse, good, bad in KINDS
        for case in itertools.chain(*[good] * (broken is not True), *[bad] * (broken is not False))
    ]


def _value_or_protocol_error(parse: Parse, response: Response) -> Any:
    """The parser's value or its ProtocolError. Any other exception fails the test."""
    try:
        return parse(untagged(*response))
    except ProtocolError as error:
        return error


@pytest.mark.parametrize(("kind", "parse", "case"), _each(broken=False))
def test_whole(kind: str, parse: Parse, case: Case) -> None:
    assert parse(untagged(*read(case.raw))) == case.expected


@pytest.mark.parametrize(("kind", "parse", "case"), _each(broken=True))
def test_broken(kind: str, parse: Parse, case: Case) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(untagged(*read(case.raw)))
    assert not isinstance(caught.value, IMAPClientAbortError), "the framing is intact: the connection is usable"
    assert caught.value.position is not None or kind not in ("acl", "quota", "quota root")


@pytest.mark.parametrize(("kind", "parse", "case"), _each())
def test_received_in_chunks_of_any_size(kind: str, parse: Parse, case: Case) -> None:
    whole = read(case.raw)
    assert records_of(case.raw) == whole
    for size in [1, 2, 3, 5, 8, 13]:
        assert read(case.raw, size) == whole


@pytest.mark.parametrize(("kind", "parse", "case"), _each())
def test_cut_at_every_byte(kind: str, parse: Parse, case: Case) -> None:
    parse = WHOLE.get(kind, parse)
    for response in cut_everywhere(read(case.raw)):
        _value_or_protocol_error(parse, response)


@pytest.mark.parametrize(("kind", "parse", "case"), _each())
def test_stream_cut_at_every_byte(kind: str, parse: Parse, case: Case) -> None:
    raw = case.raw[-600:] if len(case.raw) > 2000 else case.raw
    for end in range(len(raw)):
        with pytest.raises(IMAPClientAbortError):
            read(raw[:end])


@pytest.mark.parametrize(("kind", "parse", "case"), _each())
def test_trailing_bytes(kind: str, parse: Parse, case: Case) -> None:
    parse = WHOLE.get(kind, parse)
    response = read(case.raw)
    for trailing in TRAILING:
        _value_or_protocol_error(parse, with_trailing(response, trailing))


@pytest.mark.parametrize(("kind", "parse", "case"), _each(broken=False))
def test_the_next_response_is_left_alone(kind: str, parse: Parse, case: Case) -> None:
    reader = Reader(ChunkTransport([case.raw + b"* OK next\r\n" + case.raw]))
    for _ in range(2):
        assert parse(untagged(*reader.read_response())) == case.expected
        if not reader.is_clean:
            assert reader.read_response() == (b"* OK next", None)


@pytest.mark.parametrize(("kind", "parse", "good", "bad"), KINDS, ids=[kind[0] for kind in KINDS])
def test_names_of_cases_are_unique(kind: str, parse: Parse, good: list[Case], bad: list[Case]) -> None:
    names = [case.name for case in good + bad]
    assert sorted(set(names)) == sorted(names)


# -- any bytes

# Words for the parser's branches. The lexer would refuse most random input at once.
_WORDS = st.sampled_from(
    [
        b"(",
        b")",
        b" ",
        b'"',
        b"\\",
        b"NIL",
        b"nil",
        b"1",
        b"007",
        b"99999999999999999999999",
        b"UID",
        b"FLAGS",
        b"]",
        b"BODY[",
        b"BODY[HEADER.FIELDS (",
        b"BODY[]",
        b"ENVELOPE",
        b"BODYSTRUCTURE",
        b"INTERNALDATE",
        b"{3}",
        b"~{3}",
        b'"1-Jan-2020 00:00:00 +0000"',
        b"((",
        b"))",
        b"\t",
        b"x",
        b"MODSEQ",
        b"(MODSEQ ",
        b"[",
        b"\xff",
        b"\x00",
        b"-1",
        b'(NIL NIL "a" "b")',
        b'"TEXT" "PLAIN"',
        b"X-GM-LABELS",
        b'"/"',
        b"INBOX",
        b"RFC822.SIZE",
        b"\n",
        b"\r",
    ]
)
_TEXT = st.one_of(st.binary(max_size=80), st.lists(_WORDS, max_size=25).map(b"".join))
_RECORDS = st.lists(st.one_of(_TEXT, st.tuples(_TEXT, st.binary(max_size=8))), min_size=1, max_size=4)


@given(_RECORDS)
def test_imapclients_functions_are_total(records: list[Record]) -> None:
    for function in (parse_response, parse_fetch_response):
        with contextlib.suppress(ProtocolError):
            function(records)


@given(_RECORDS, st.booleans(), st.booleans())
def test_fetch_is_total_in_every_mode(records: list[Record], normalise_times: bool, uid_is_key: bool) -> None:
    first = records[0]
    framed: list[Record] = [
        b"1 (" + first if isinstance(first, bytes) else (b"1 (" + first[0], first[1]),
        *records[1:],
        b")",
    ]
    with contextlib.suppress(ProtocolError):
        parse_fetch_response(framed, normalise_times=normalise_times, uid_is_key=uid_is_key)


# The parsers of responses that may have literals.
_WITH_LITERALS: tuple[Parse, ...] = (
    *(parse_one_fetch, parse_flags, parse_list, parse_status, parse_namespace),
    *(parse_acl, parse_quota, parse_quota_root),
)


@given(_RECORDS)
def test_the_commands_functions_are_total(records: list[Record]) -> None:
    first = records[0]
    line = first if isinstance(first, bytes) else first[0]
    with_literals = records if isinstance(first, tuple) else None
    for parse in (*_WITH_LITERALS, parse_one_code):
        _value_or_protocol_error(parse, (line, with_literals))
    for parse in (parse_one_search, parse_one_esearch, parse_one_thread):
        _value_or_protocol_error(parse, (line, with_literals))


@given(_TEXT, _TEXT)
def test_a_list_response_is_total_after_its_start(before: bytes, after: bytes) -> None:
    line = b"* LIST (" + before
    _value_or_protocol_error(parse_list, (line, [(line, b"abc"), b") " + after]))
    line = b"* STATUS " + before
    _value_or_protocol_error(parse_status, (line, [(line, b"abc"), b" " + after + b" (MESSAGES 1)"]))


_ITEMS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"UID", b"uid", b"FLAGS", b"X-GM-LABELS", b"X-GM-MSGID", b"INTERNALDATE", b"ENVELOPE", b"MODSEQ"]
        )
        | st.sampled_from([b"BODY", b"BODYSTRUCTURE", b"BODY[]", b"BODY[HEADER.FIELDS (A B)]", b"RFC822.SIZE"])
        | st.sampled_from([b"BINARY[1]", b"RFC822.TEXT", b"PREVIEW", b"X"]),
        st.sampled_from([b"1", b"0", b"007", b"NIL", b"()", b"(1)", b"(2 3)", b'"x"', b'""', b"x", b"(x y)", b"( )"])
        | st.sampled_from([b"(\\Seen)", b'("a" b)', b"((a) b)", b'"a\\"b"', b"{1}", b'"1-Feb-2020 00:00:00 +0000"'])
        | st.sampled_from([b"(NIL)", b'(("TEXT" "PLAIN") "MIXED")', b"99999999999999999999", b"9" * 21, b"(1 NIL x)"])
        | st.sampled_from([b'(NIL NIL ((NIL NIL "a" "b")))', b"[x]", b"\\x", b'x"y"', b"(a"]),
    ),
    max_size=5,
)


@given(_ITEMS, st.sampled_from([b" ", b"  ", b" ", b""]))
def test_the_commands_and_imapclients_function_agree(items: list[tuple[bytes, bytes]], space: bytes) -> None:
    """Every short cut gives the same values as the general way."""
    text = b"1 (" + space.join(key + b" " + value for key, value in items) + b")"
    response = read(b"* " + text.replace(b"{1}", b"{1}\r\nZ") + b"\r\n")
    line, records = response
    short: Any = _value_or_protocol_error(
        lambda _: parse_fetch(Untagged(b"FETCH", 1, line, 4, records), ReadOptions(normalise_times=False)), response
    )
    data: list[Record | None] = []
    for record in records or [line]:
        cut = 0 if data else 2
        data.append(record[cut:] if isinstance(record, bytes) else (record[0][cut:], record[1]))
    try:
        long: Any = parse_fetch_response(data, normalise_times=False, uid_is_key=False, strict=True)[1]
    except ProtocolError as error:
        long = error
    if isinstance(long, ProtocolError):
        assert isinstance(short, ProtocolError)
    else:
        assert short == long
        assert {key: type(value) for key, value in short.items()} == {key: type(value) for key, value in long.items()}


@given(_TEXT)
def test_message_lists_are_total(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert all(type(number) is int for number in parse_message_list([data]))


# -- large and hostile


def _fetch_of(data: bytes) -> Untagged:
    return Untagged(b"FETCH", 1, data)


MANY = 1_000_000


def _pathological() -> Iterator[tuple[str, bytes]]:
    for piece in [b"(", b")", b'"', b'\\"', b"BODY[", b"BODY[(", b"BODY[(a) ", b"7", b"[", b"]", b" ", b"\t", b"a "]:
        yield repr(piece)[2:-1], piece * (MANY // len(piece))
    yield "() repeated", b"()" * (MANY // 2)
    yield "quotes", b'"" ' * (MANY // 3)
    yield "spaces after an atom", b"x" + b" " * MANY
    yield "spaces before a parenthesis", b"1" + b" " * MANY + b")"
    yield "an open section", b"BODY[" + b"a " * (MANY // 2)
    yield "an open quote", b'"' + b"a" * MANY
    yield "escapes", b'"' + b"\\\\" * (MANY // 2) + b'"'
    yield "an open code", b"[X " + b'"" ' * (MANY // 3)
    yield "announcements", b"{1} " * (MANY // 4)


PATHOLOGICAL = [pytest.param(data, id=name) for name, data in _pathological()]
# Anything but linear time takes minutes for these.
LINEAR = pytest.mark.processor_seconds(60)


@LINEAR
@pytest.mark.parametrize("data", PATHOLOGICAL)
@pytest.mark.parametrize(
    "parse",
    [*_WITH_LITERALS, parse_one_search, parse_one_esearch, parse_one_thread, parse_one_code],
)
def test_a_hostile_line_ends(parse: Parse, data: bytes) -> None:
    _value_or_protocol_error(parse, (b"* X " + data, None))


@pytest.mark.parametrize("depth", [400, 1000, 5000])
def test_nesting_up_to_the_limit_asked_for(depth: int) -> None:
    """No RecursionError, even for a high max_nesting_depth."""
    inner = b"(" * depth + b")" * depth
    for line in (b"(UID " + inner + b")", b"(" + inner + b" 1)", b"(ENVELOPE (NIL NIL " + inner + b"))"):
        with pytest.raises(ProtocolError):
            parse_fetch(_fetch_of(line), ReadOptions(max_depth=depth + 5))
        with pytest.raises(ProtocolError, match="max_nesting_depth=10"):
            parse_fetch(_fetch_of(line), ReadOptions(max_depth=10))


@pytest.mark.parametrize(
    ("parse", "line"),
    [
        (parse_list, b'* LIST () "/" a ("X" (b))'),
        (parse_status, b"* STATUS a (MAILBOXID (b))"),
        (parse_namespace, b'* NAMESPACE (("" "/")) NIL NIL'),
    ],
)
def test_the_nesting_limit_is_for_each_kind(parse: Any, line: bytes) -> None:
    response = untagged(line)
    assert parse(response, ReadOptions(max_depth=2)) == parse(response)
    with pytest.raises(ProtocolError, match="max_nesting_depth=1"):
        parse(response, ReadOptions(max_depth=1))


@pytest.mark.parametrize("depth", [100, 380])
def test_deep_body_structure(depth: int) -> None:
    line = b"(BODYSTRUCTURE " + b"(" * depth + b'"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1' + b' "MIXED")' * depth + b")"
    line = line.replace(b'1 1 "MIXED")', b"1 1)", 1)
    body = parse_fetch(_fetch_of(line))[b"BODYSTRUCTURE"]
    for _ in range(depth - 1):
        assert isinstance(body, BodyData)
        assert body.is_multipart
        parts, subtype = body
        assert subtype == b"MIXED"
        (body,) = parts
    assert body == (b"TEXT", b"PLAIN", None, None, None, b"7BIT", 1, 1)


# -- IMAPClient's three functions


def test_parse_response() -> None:
    assert parse_response([b"INBOX (MESSAGES 3) NIL"]) == (b"INBOX", (b"MESSAGES", 3), None)
    assert parse_response([(b"a {3}", b"b c"), b" (d)"]) == (b"a", b"b c", (b"d",))
    assert parse_response([b"1", None, b"2"]) == (1, 2)
    assert parse_response([None]) == ()
    assert parse_response([]) == ()


def test_parse_message_list() -> None:
    ids = parse_message_list([b"1 5 9 (MODSEQ 35)"])
    assert type(ids) is SearchIds
    assert ids == [1, 5, 9]
    assert ids.modseq == 35
    assert parse_message_list(["1 2"]) == [1, 2]
    assert parse_message_list([b""]) == []
    assert parse_message_list([None]) == []
    for data in ([], [b"1", b"2"]):
        with pytest.raises(ValueError, match="message list"):
            parse_message_list(data)


def test_parse_fetch_response_files_by_uid_or_number() -> None:
    data: list[Record | None] = [b"3 (UID 8 FLAGS (\\Seen))", (b"4 (BODY[] {2}", b"ab"), b" UID 9)"]
    assert parse_fetch_response(data) == {
        8: {b"SEQ": 3, b"FLAGS": (b"\\Seen",)},
        9: {b"SEQ": 4, b"BODY[]": b"ab"},
    }
    assert parse_fetch_response(data, uid_is_key=False) == {
        3: {b"SEQ": 3, b"UID": 8, b"FLAGS": (b"\\Seen",)},
        4: {b"SEQ": 4, b"UID": 9, b"BODY[]": b"ab"},
    }


def test_parse_fetch_response_merges_one_message() -> None:
    assert parse_fetch_response([b"3 (UID 8 FLAGS ())", b"3 (UID 8 RFC822.SIZE 4)"]) == {
        8: {b"SEQ": 3, b"FLAGS": (), b"RFC822.SIZE": 4}
    }


def test_parse_fetch_response_without_data() -> None:
    response = parse_fetch_response([None])
    assert response == {}
    assert response[1] == {}, "a defaultdict, as IMAPClient's"


def test_parse_fetch_response_times() -> None:
    data: list[Record | None] = [b'1 (INTERNALDATE "17-Jul-1996 12:44:25 +0200")']
    aware = parse_fetch_response(data, normalise_times=False)[1][b"INTERNALDATE"]
    assert aware == datetime(1996, 7, 17, 12, 44, 25, tzinfo=FixedOffset(120))
    assert aware.utcoffset() == FixedOffset(120).utcoffset(None)
    naive = parse_fetch_response(data)[1][b"INTERNALDATE"]
    assert naive.tzinfo is None
    assert naive.astimezone() == aware


@pytest.mark.parametrize("data", [b"1", b"x (UID 1)", b"1 (UID 1) 2", b"NIL (UID 1)", b"(1) (UID 1)", b"1 2"])
def test_parse_fetch_response_of_something_else(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_fetch_response([data], strict=True)


@pytest.mark.parametrize("data", [b"1", b"x (UID 1)", b"NIL (UID 1)", b"(1) (UID 1)", b"* 1 FETCH (UID 1)"])
def test_parse_fetch_response_without_a_number(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_fetch_response([data])


def test_normalised_times_in_an_envelope() -> None:
    line = b'(ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" NIL NIL NIL NIL NIL NIL NIL NIL NIL))'
    naive = parse_fetch(_fetch_of(line))[b"ENVELOPE"]
    aware = parse_fetch(_fetch_of(line), ReadOptions(normalise_times=False))[b"ENVELOPE"]
    assert isinstance(naive, Envelope)
    assert isinstance(naive.date, datetime)
    assert naive.date.tzinfo is None
    assert naive.date.astimezone() == aware.date


def test_header_names_in_quotes_are_text() -> None:
    """Names in quotes may be digits, or look like NIL."""
    line = b'(BODY[HEADER.FIELDS ("5" "NIL")] "x")'
    assert parse_fetch(_fetch_of(line)) == {b"SEQ": 1, b"BODY[HEADER.FIELDS (5 NIL)]": b"x"}


# -- the position in errors


@pytest.mark.parametrize(
    ("parse", "line", "position"),
    [
        (parse_list, b'* LIST () "/" "INBOX', 14),
        (parse_status, b"* STATUS a) (MESSAGES 1)", 10),
        (parse_one_fetch, b"* 1 FETCH (FLAGS (a)) b) c)", 23),
        (parse_one_fetch, b"* 1 FETCH (FLAGS (a", 19),
        (parse_one_fetch, b"* 1 FETCH", 9),
        (parse_search, b"* SEARCH 1 x", 11),
        (parse_search, b"* SEARCH  1  22 x3 4", 16),
        (parse_thread, b"* THREAD (1 x)", 12),
        (parse_thread, b"* THREAD (1) 2", 13),
        (parse_thread, b"* THREAD (1))", 12),
        (parse_thread, b"* THREAD (1 (2)", 15),
    ],
)
def test_the_position_of_an_error(parse: Parse, line: bytes, position: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(untagged(line))
    assert caught.value.position == position
    assert caught.value.context is not None
    assert caught.value.context in line
    assert f"byte {position}" in str(caught.value)


def test_an_error_is_one_of_imaps() -> None:
    with pytest.raises(IMAPClientError):
        parse_response([b"("])


def test_an_error_about_much_data_is_short() -> None:
    """It goes to logs."""
    with pytest.raises(ProtocolError) as caught:
        parse_fetch(_fetch_of(b"((" + b"abc " * 50_000 + b") 1)"))
    assert len(str(caught.value)) < 2000
