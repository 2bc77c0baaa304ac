"""Text, flags and names are encoded so that a server parses the same values, and nothing is injected."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._arguments.command import Argument, Literal
from imapclient._arguments.strings import (
    QUOTED_LIMIT,
    atom,
    date_time,
    fetch_items,
    flag,
    flags,
    mailbox,
    raw,
    raw_list,
    string,
)
from imapclient.fixed_offset import FixedOffset
from imapclient.util import shortened, to_wire
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS, as_a_server_reads_it

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
    "value", ["\\Seen", "Work", "$MDNSent", "\\*", "a]", "a{5}", "NonJunk", b"\\Deleted", "%", "123"]
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
    """A macro is sent without parentheses."""
    assert fetch_items(items) == expected
