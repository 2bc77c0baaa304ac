"""Search criteria: what goes out for them, that nothing is injected, and how long ones are split."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.arguments import (
    SEQUENCE_SET_LIMIT,
    encode_command,
    search_criteria,
    split_criteria,
)
from imapclient.exceptions import InvalidCriteriaError
from imapclient.reader import Reader
from imapclient.response_lexer import read_values
from tests.fixtures.chunks import ChunkTransport
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS, as_a_server_reads_it, numbers, on_the_wire

# -- search criteria


def criteria_on_the_wire(criteria: Any, charset: str | None = None) -> tuple[bytes | None, bytes]:
    """The charset to name, and the arguments as the server gets them."""
    name, arguments = search_criteria(criteria, charset)
    return name, on_the_wire(*arguments)[5:-2]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("ALL", b"ALL"),
        (b"UNSEEN SINCE 1-Feb-2020", b"UNSEEN SINCE 1-Feb-2020"),
        ('SUBJECT "a b" (OR SEEN FLAGGED)', b'SUBJECT "a b" (OR SEEN FLAGGED)'),
        (["UNSEEN"], b"UNSEEN"),
        (["NOT", "DELETED", "FLAGGED"], b"NOT DELETED FLAGGED"),
        (("KEYWORD", "$Forwarded"), b"KEYWORD $Forwarded"),
        (["UID", "1:*"], b"UID 1:*"),
        (["UID", "*"], b"UID *"),
        (["1,2:3,*", "SEEN"], b"1,2:3,* SEEN"),
        (["UID", [1, 2, 3, 5]], b"UID 1:3,5"),
        (["UID", range(1, 100)], b"UID 1:99"),
        (["UID", {7}], b"UID 7"),
        (["UID", "$"], b"UID $"),
        (["HEADER", "X-Foo", ""], b'HEADER X-Foo ""'),
        (["HEADER", "X Foo", "a*"], b'HEADER "X Foo" "a*"'),
        (["SINCE", datetime.date(2020, 2, 1)], b"SINCE 01-Feb-2020"),
        (["SINCE", datetime.datetime(2020, 2, 1, 10)], b"SINCE 01-Feb-2020"),
        (["LARGER", 5000], b"LARGER 5000"),
        (["LARGER", "5000"], b"LARGER 5000"),
        (["SUBJECT", "hello"], b"SUBJECT hello"),
        (["SUBJECT", "two words"], b'SUBJECT "two words"'),
        (["subject", "*"], b'subject "*"'),
        (["SUBJECT", "5:*"], b'SUBJECT "5:*"'),
        (["SUBJECT", "%"], b'SUBJECT "%"'),
        (["SUBJECT", "NIL"], b'SUBJECT "NIL"'),
        (["SUBJECT", "(a)"], b'SUBJECT "(a)"'),
        (["SUBJECT", 'say "hi" \\o/'], b'SUBJECT "say \\"hi\\" \\\\o/"'),
        (["SUBJECT", "{5}"], b'SUBJECT "{5}"'),
        (["SUBJECT", "a\r\nb"], b"SUBJECT {4}\r\na\r\nb"),
        (["SUBJECT", "SUBJECT", "FROM", "x"], b"SUBJECT SUBJECT FROM x"),
        (["OR", ["SUBJECT", "a b"], ["NOT", ["SEEN"]]], b'OR (SUBJECT "a b") (NOT (SEEN))'),
        (["OR", ("SEEN",), "FLAGGED"], b"OR (SEEN) FLAGGED"),
        (["MODSEQ", '"/flags/\\\\seen"', "all", 5], None),
        (["SUBJECT", b"bytes"], b"SUBJECT bytes"),
        (["X-GM-RAW", "has:attachment in:inbox"], b'X-GM-RAW "has:attachment in:inbox"'),
        (["X-GM-LABELS", "\\Inbox"], b'X-GM-LABELS "\\\\Inbox"'),
        (iter(["SUBJECT", "x y"]), b'SUBJECT "x y"'),
    ],
)
def test_criteria(criteria: Any, expected: bytes | None) -> None:
    name, wire = criteria_on_the_wire(criteria)
    assert name is None
    if expected is not None:
        assert wire == expected


def test_nested_criteria_keep_the_charset() -> None:
    criteria = ["OR", ["SUBJECT", "café"], ["SUBJECT", "thé"]]
    assert criteria_on_the_wire(criteria, "UTF-8") == (
        b"UTF-8",
        b"OR (SUBJECT {5}\r\ncaf\xc3\xa9) (SUBJECT {4}\r\nth\xc3\xa9)",
    )
    assert criteria_on_the_wire(criteria, "iso-8859-1") == (
        b"ISO-8859-1",
        b"OR (SUBJECT {4}\r\ncaf\xe9) (SUBJECT {3}\r\nth\xe9)",
    )


def test_text_that_is_not_ascii_goes_as_utf8() -> None:
    assert criteria_on_the_wire(["SUBJECT", "é"]) == (b"UTF-8", b"SUBJECT {2}\r\n\xc3\xa9")
    assert criteria_on_the_wire(["NOT", ["SUBJECT", "é"]]) == (b"UTF-8", b"NOT (SUBJECT {2}\r\n\xc3\xa9)")
    assert criteria_on_the_wire(["SUBJECT", b"\xe9"]) == (b"UTF-8", b"SUBJECT {1}\r\n\xe9")


def test_a_charset_is_named_only_where_it_is_given_or_needed() -> None:
    assert criteria_on_the_wire(["SUBJECT", "x"]) == (None, b"SUBJECT x")
    assert criteria_on_the_wire(["SUBJECT", "x"], "utf-8") == (b"UTF-8", b"SUBJECT x")
    assert criteria_on_the_wire("ALL", "US-ASCII") == (b"US-ASCII", b"ALL")


def test_a_charset_of_seven_bits() -> None:
    name, wire = criteria_on_the_wire(["SUBJECT", "日本"], "iso-2022-jp")
    assert name == b"ISO-2022-JP"
    encoded = "日本".encode("iso-2022-jp").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert wire == b'SUBJECT "' + encoded + b'"'


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ('SUBJECT "é x" SEEN', b"SUBJECT {4}\r\n\xc3\xa9 x SEEN"),
        ("SUBJECT é", b"SUBJECT {2}\r\n\xc3\xa9"),
        ('OR (SUBJECT "é") (FROM é)', b"OR (SUBJECT {2}\r\n\xc3\xa9 ) (FROM {2}\r\n\xc3\xa9)"),
        ('SUBJECT "say \\"é\\"" FROM "a b"', b'SUBJECT {8}\r\nsay "\xc3\xa9" FROM "a b"'),
    ],
)
def test_a_criteria_string_that_is_not_ascii(criteria: str, expected: bytes) -> None:
    """Its strings go as literals, since 8-bit text in quotes is harmed or refused by servers."""
    name, arguments = search_criteria(criteria, None)
    assert name == b"UTF-8"
    assert as_a_server_reads_it(*arguments) == _values_of(b"* X " + expected)
    assert search_criteria(criteria.encode(), None) == (name, arguments)


def _values_of(wire: bytes) -> list[Any]:
    line, records = Reader(ChunkTransport([wire + b"\r\n"])).read_response()
    return read_values(line, 4, records, typed=False)


@pytest.mark.parametrize("criteria", ['SUBJECT "é', 'SUBJECT é"', 'SUBJECT "é\\"'])
def test_a_quote_that_is_not_closed_in_a_criteria_string(criteria: str) -> None:
    with pytest.raises(ValueError, match="not closed"):
        search_criteria(criteria, None)


@pytest.mark.parametrize("criteria", ["", " ", [], (), b"", iter(())])
def test_no_criteria(criteria: Any) -> None:
    with pytest.raises(InvalidCriteriaError, match="no criteria specified"):
        search_criteria(criteria, None)


@pytest.mark.parametrize("criteria", [None, 5, [None], [1.5], ["SUBJECT", True], [object()], ["NOT", {"a": 1}]])
def test_criteria_of_a_wrong_type(criteria: Any) -> None:
    with pytest.raises(TypeError):
        search_criteria(criteria, None)


def test_an_empty_list_within_criteria() -> None:
    with pytest.raises(InvalidCriteriaError, match=r"no criteria|empty criteria"):
        search_criteria(["NOT", []], None)


@pytest.mark.parametrize("number", [0, -1, 2**32])
def test_criteria_with_ids_that_are_none(number: int) -> None:
    with pytest.raises(ValueError, match="not a message number"):
        search_criteria(["UID", [number]], None)


@pytest.mark.parametrize("charset", ["UTF-8\r\nA999 NOOP", "UTF 8", 'UTF"8', "UTF-8 {5}", "ä", "(", "nö\0"])
def test_a_charset_injects_nothing(charset: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        search_criteria("ALL", charset)


def test_a_charset_that_python_does_not_know() -> None:
    with pytest.raises(ValueError, match="unknown charset: 'X-UNKNOWN'"):
        search_criteria(["SUBJECT", "é"], "X-UNKNOWN")


def test_text_that_the_charset_lacks() -> None:
    with pytest.raises(ValueError, match="encode"):
        search_criteria(["SUBJECT", "日"], "iso-8859-1")


@pytest.mark.parametrize("text", INJECTIONS + ANNOUNCEMENTS)
def test_criteria_inject_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="search criteria must not"):
        search_criteria("SUBJECT " + text, None)
    for value in (text, text.encode()):
        for criteria in (
            [value],
            ["SUBJECT", value],
            ["HEADER", value, value],
            ["NOT", ["KEYWORD", value]],
            ["é", value],
        ):
            if "\0" in text:
                with pytest.raises(ValueError, match="NUL"):
                    search_criteria(criteria, None)
            else:
                _, arguments = search_criteria(criteria, None)
                # Some key stands before it in all of these but the first.
                assert text.encode() in _flat(as_a_server_reads_it(b"X", *arguments))


def _flat(values: Any) -> list[Any]:
    return [inner for value in values for inner in (_flat(value) if isinstance(value, tuple) else [value])]


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_text_in_criteria_comes_back(values: list[str]) -> None:
    criteria: list[Any] = []
    expected: list[Any] = []
    for value in values:
        criteria += ["SUBJECT", value]
        expected += [b"SUBJECT", value.encode()]
    name, arguments = search_criteria(criteria, None)
    assert as_a_server_reads_it(*arguments) == expected
    assert name == (None if all(value.isascii() for value in values) else b"UTF-8")


@given(st.text(max_size=40))
def test_a_criteria_string_is_one_command_or_none(text: str) -> None:
    try:
        _, arguments = search_criteria(text, None)
    except (ValueError, InvalidCriteriaError):
        return
    pieces = encode_command(b"A1", b"SEARCH", arguments)
    for index, piece in enumerate(pieces):
        if isinstance(piece, bytes):
            last = index == len(pieces) - 1
            body = piece[:-2] if last else piece
            assert not re.search(rb"[\r\n\0]", body)
            assert not last or not re.search(rb"\{\d+\+?\}\Z", body)


# -- criteria that are too long for one command

LONG = range(1, 20_000, 2)


def test_short_criteria_are_not_split() -> None:
    for criteria in ("ALL", ["UID", [1, 2]], ["NOT", ["UID", [1, 2, 9]]], ["UID", range(1, 100_000)]):
        _, arguments = search_criteria(criteria, None)
        assert split_criteria(arguments) == [arguments]


def test_split_criteria() -> None:
    _, arguments = search_criteria(["UNSEEN", "UID", LONG, "SUBJECT", "x"], None)
    parts = [on_the_wire(*part)[5:-2] for part in split_criteria(arguments)]
    found: list[int] = []
    for part in parts:
        match = re.fullmatch(rb"UNSEEN UID ([\d,:]+) SUBJECT x", part)
        assert match
        assert len(match.group(1)) <= SEQUENCE_SET_LIMIT
        found += numbers(match.group(1))
    assert found == list(LONG)


@pytest.mark.parametrize(
    "criteria",
    [
        ["NOT", "UID", LONG],
        ["NOT", ["UID", LONG]],
        ["OR", ["UID", LONG], "SEEN"],
        ["UID", LONG, "UID", LONG],
        ["SEEN", [["UID", LONG]]],
    ],
)
def test_criteria_that_can_not_be_split(criteria: Any) -> None:
    """What the parts find together would not be what the whole finds."""
    _, arguments = search_criteria(criteria, None)
    with pytest.raises(ValueError, match=r"too (long|many) for one command"):
        split_criteria(arguments)
