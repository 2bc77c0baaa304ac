"""What goes out: encoded so that it comes back the same when it is read, and so that nothing is injected."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.arguments import (
    QUOTED_LIMIT,
    SEQUENCE_SET_LIMIT,
    Argument,
    Literal,
    SequenceSet,
    atom,
    date_time,
    encode_command,
    fetch_items,
    flag,
    flags,
    mailbox,
    raw,
    raw_list,
    shortened,
    string,
    to_wire,
)
from imapclient.fixed_offset import FixedOffset
from imapclient.reader import Record
from imapclient.response_lexer import read_values
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS, as_a_server_reads_it, numbers

# -- text


def test_to_wire() -> None:
    assert to_wire("é") == b"\xc3\xa9"
    assert to_wire("é", "latin-1") == b"\xe9"
    assert to_wire(b"\xff") == b"\xff"
    with pytest.raises(TypeError):
        to_wire(5)  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        to_wire("é", "ascii")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", b'""'),
        ("abc", b'"abc"'),
        ('a "b"', b'"a \\"b\\""'),
        ("a\\b", b'"a\\\\b"'),
        ("NIL", b'"NIL"'),
        ("a{5}", b'"a{5}"'),
        ("\t\x01\x7f", b'"\t\x01\x7f"'),
        (b"a%*()]", b'"a%*()]"'),
        ("café", Literal(b"caf\xc3\xa9")),
        (b"\xff", Literal(b"\xff")),
        ("a\r\nb", Literal(b"a\r\nb")),
        ("a\nb", Literal(b"a\nb")),
        ("a\rb", Literal(b"a\rb")),
        ("x" * QUOTED_LIMIT, b'"' + b"x" * QUOTED_LIMIT + b'"'),
        ("x" * (QUOTED_LIMIT + 1), Literal(b"x" * (QUOTED_LIMIT + 1))),
    ],
)
def test_string(value: str | bytes, expected: Argument) -> None:
    assert string(value) == expected
    assert type(string(value)) is type(expected)


@pytest.mark.parametrize("value", ["\0", "a\0b", "é\0", b"\0", "x" * 2000 + "\0"])
def test_string_refuses_nul(value: str | bytes) -> None:
    with pytest.raises(ValueError, match="NUL") as caught:
        string(value)
    assert len(str(caught.value)) < 200


@given(
    st.one_of(st.binary(), st.text()).filter(
        lambda value: "\0" not in value if isinstance(value, str) else b"\0" not in value
    )
)
def test_a_string_comes_back(value: str | bytes) -> None:
    assert as_a_server_reads_it(string(value), b"x") == [to_wire(value), b"x"]
    assert as_a_server_reads_it((string(value), (string(value),))) == [(to_wire(value), (to_wire(value),))]


@given(st.lists(st.text(alphabet='ab "\\\r\né(){}*%', max_size=5)))
def test_strings_come_back(values: list[str]) -> None:
    assert as_a_server_reads_it(*map(string, values)) == [value.encode() for value in values]


@pytest.mark.parametrize("value", INJECTIONS + ANNOUNCEMENTS)
def test_a_string_injects_nothing(value: str) -> None:
    for text in (value, value.encode()):
        if "\0" in value:
            with pytest.raises(ValueError, match="NUL"):
                string(text)
        else:
            assert as_a_server_reads_it(string(text)) == [value.encode()]


@pytest.mark.parametrize(
    "value", ["a", "MESSAGES", "X-GM-MSGID", "$Forwarded", "a.b/c:d,e", "[", "}", "+", b"UTF-8", "5"]
)
def test_atom(value: str | bytes) -> None:
    assert atom(value) == to_wire(value)


@pytest.mark.parametrize(
    "value", ["", " ", "a b", "(", ")", "{", "{5}", "%", "*", '"', "\\", "]", "é", "\x7f", "\t", "a\n", *INJECTIONS]
)
def test_not_an_atom(value: str) -> None:
    for text in (value, value.encode()):
        with pytest.raises(ValueError, match="not a valid mechanism"):
            atom(text, "mechanism")


@pytest.mark.parametrize(
    "value", ["\\Seen", "Work", "$MDNSent", "\\*", "a]", "{5}", "a{5}", "NonJunk", b"\\Deleted", "%", "123"]
)
def test_flag(value: str | bytes) -> None:
    assert flag(value) == to_wire(value)


@pytest.mark.parametrize(
    "value", ["", "\\", "\\\\Seen", "a b", "a\\b", "\\Seen)", "(a", '"a"', "é", "a\t", "a\n", "\\Seen\r\n", *INJECTIONS]
)
def test_not_a_flag(value: str) -> None:
    for text in (value, value.encode()):
        with pytest.raises(ValueError, match="not a valid flag"):
            flag(text)
        with pytest.raises(ValueError, match="not a valid flag"):
            flags(["\\Seen", text])


def test_flags() -> None:
    assert flags("\\Seen") == (b"\\Seen",)
    assert flags(b"Work") == (b"Work",)
    assert flags(["\\Seen", b"Work"]) == (b"\\Seen", b"Work")
    assert flags(iter(["a", "b"])) == (b"a", b"b")
    assert flags([]) == ()
    with pytest.raises(TypeError):
        flags([5])  # type: ignore[list-item]


@given(
    st.lists(
        st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='()"\\'), min_size=1)
    )
)
def test_flags_come_back(values: list[str]) -> None:
    assert as_a_server_reads_it(flags(values), b"x") == [tuple(value.encode() for value in values), b"x"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INBOX", b'"INBOX"'),
        ("Entwürfe", b'"Entw&APw-rfe"'),
        ("a & b", b'"a &- b"'),
        ('a "b"\\c', b'"a \\"b\\"\\\\c"'),
        (b"Entw&APw-rfe", b'"Entw&APw-rfe"'),
        ("", b'""'),
    ],
)
def test_mailbox(name: str | bytes, expected: bytes) -> None:
    assert mailbox(name) == expected


def test_mailbox_without_modified_utf7() -> None:
    assert mailbox("a & b", folder_encode=False) == b'"a & b"'
    assert mailbox("ü", folder_encode=False) == Literal(b"\xc3\xbc")
    assert mailbox(b"\xff", folder_encode=False) == Literal(b"\xff")


@pytest.mark.parametrize("name", INJECTIONS + ANNOUNCEMENTS)
@pytest.mark.parametrize("folder_encode", [True, False])
def test_a_mailbox_injects_nothing(name: str, folder_encode: bool) -> None:
    for text in (name, name.encode()):
        try:
            argument = mailbox(text, folder_encode)
        except ValueError:
            assert "\0" in name
        else:
            assert len(as_a_server_reads_it(argument)) == 1


@given(st.text(), st.booleans())
def test_a_mailbox_is_one_argument(name: str, folder_encode: bool) -> None:
    try:
        argument = mailbox(name, folder_encode)
    except ValueError:
        assert "\0" in name or any("\ud800" <= character <= "\udfff" for character in name)
    else:
        assert len(as_a_server_reads_it(argument)) == 1


def test_date_time() -> None:
    moment = datetime.datetime(2020, 2, 1, 10, 11, 12, tzinfo=FixedOffset(60))
    assert date_time(moment) == b'"01-Feb-2020 10:11:12 +0100"'


def test_shortened() -> None:
    assert shortened(b"abc") == "b'abc'"
    assert len(shortened(b"\xff" * 100_000)) < 300
    assert shortened(b"x" * 60) == repr(b"x" * 60)
    assert shortened(b"x" * 61).endswith("...'")


# -- raw text


@pytest.mark.parametrize(
    "value", ["ALL", "(FLAGS UID)", 'SUBJECT "x"', "{5", "5}", "{5} x", "{a}", "", b"\xff", "{5}]"]
)
def test_raw(value: str | bytes) -> None:
    assert raw(value, "criteria") == to_wire(value)


@pytest.mark.parametrize("value", INJECTIONS)
def test_raw_refuses_what_ends_a_command(value: str) -> None:
    for text in (value, value.encode(), "x" * 5000 + value):
        with pytest.raises(ValueError, match="criteria must not contain CR, LF or NUL") as caught:
            raw(text, "criteria")
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", ANNOUNCEMENTS)
def test_raw_refuses_the_announcement_of_a_literal(value: str) -> None:
    for text in (value, value.encode()):
        with pytest.raises(ValueError, match="criteria must not end"):
            raw(text, "criteria")
        with pytest.raises(ValueError, match="data must not end"):
            raw_list(["FLAGS", text], "data")


def test_raw_list() -> None:
    assert raw_list("FLAGS", "data") == b"(FLAGS)"
    assert raw_list(b"FLAGS UID", "data") == b"(FLAGS UID)"
    assert raw_list(["FLAGS", b"BODY[HEADER.FIELDS (A B)]"], "data") == b"(FLAGS BODY[HEADER.FIELDS (A B)])"
    assert raw_list(iter(["A", "B"]), "data") == b"(A B)"
    for nothing in ([], "", [""], ["FLAGS", ""]):
        with pytest.raises(ValueError, match="data must not be empty"):
            raw_list(nothing, "data")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["FLAGS", "UID"], b"(FLAGS UID)"),
        ("FLAGS", b"(FLAGS)"),
        ("FAST", b"FAST"),
        (["full"], b"full"),
        (b"ALL", b"ALL"),
        (["ALL", "UID"], b"(ALL UID)"),
    ],
)
def test_fetch_items(items: Any, expected: bytes) -> None:
    """A macro stands alone."""
    assert fetch_items(items) == expected


# -- sequence sets


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
    + ["", " ", [""], "0", "0:5", "1:0", "4294967296", "10000000000", "1:", ":1", "1,", ",1", "1,,2", "1-5", "1:2:3"]
    + ["a", "1 2", "1, 2", "**", "1*", "$,1", "$$", ["$"], ["$", 1], [1, "$"], "\u0661", "1;2", "+1", "1_000"]
    + [text for text in INJECTIONS + ANNOUNCEMENTS if text.strip() != "1:*"]
    + ["1\r\n2", "1\r\nA999 NOOP", "1,2\0", "1,2,x", "1,\r\n2"],
)
def test_no_sequence_set(messages: Any) -> None:
    with pytest.raises(ValueError, match=r"not a (sequence set|message number)|combined"):
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
    # No part would fit into the one before.
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


# -- the command


def test_encode_command() -> None:
    assert encode_command(b"A1", b"NOOP", []) == [b"A1 NOOP\r\n"]
    assert encode_command(b"A1", b"LOGIN", [b'"ann"', Literal(b"p")]) == [b'A1 LOGIN "ann" ', Literal(b"p"), b"\r\n"]
    assert encode_command(b"A1", b"UID FETCH", [b"1:*", (b"FLAGS", (b"A", b"B"), ())]) == [
        b"A1 UID FETCH 1:* (FLAGS (A B) ())\r\n"
    ]
    assert encode_command(b"A1", b"X", [(Literal(b"a"), b"b", Literal(b"c", binary=True)), b"d"]) == [
        b"A1 X (",
        Literal(b"a"),
        b" b ",
        Literal(b"c", binary=True),
        b") d\r\n",
    ]


_ARGUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.text(alphabet='ab1 "\\\r\né({', max_size=4), lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12
)


def _encoded(value: Any) -> Argument:
    return string(value) if isinstance(value, str) else tuple(_encoded(item) for item in value)


def _expected(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else tuple(_expected(item) for item in value)


@given(st.lists(_ARGUMENTS, max_size=4))
def test_nested_arguments_come_back(values: list[Any]) -> None:
    assert as_a_server_reads_it(*map(_encoded, values)) == [_expected(value) for value in values]


def test_records_are_what_the_reader_gives() -> None:
    """The helper above reads as a server does: this checks the helper."""
    records: list[Record] = [(b"* X {2}", b"\r\n"), b" (a)"]
    assert read_values(b"* X {2}", 4, records) == [b"\r\n", (b"a",)]
