"""A command is encoded in pieces, and a server parses the same values."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imapclient._arguments.command import Argument, Literal, encode_command
from imapclient._arguments.strings import string
from imapclient._parsing.lexer import read_values
from imapclient._parsing.records import Record
from imapclient._parsing.responses import Untagged
from tests.fixtures.on_the_wire import as_a_server_reads_it


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
    """This checks the helper, which parses like a server."""
    records: list[Record] = [(b"* X {2}", b"\r\n"), b" (a)"]
    assert read_values(Untagged(b"X", None, b"* X {2}", 4, records)) == [b"\r\n", (b"a",)]
