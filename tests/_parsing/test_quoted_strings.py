"""Escapes in quoted strings, hidden and undone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.quoted_strings import all_shown, hidden, mark_for, unquote, with_escapes
from imapclient.exceptions import ProtocolError


def test_unquote_drops_the_backslash_only() -> None:
    assert unquote(b'"a\\b\\n"') == b"abn"
    assert unquote(b'""') == b""


@given(st.text(alphabet='ab "\\\\\0\1\n', max_size=30).map(str.encode))
def test_hidden_escapes_come_back(text: bytes) -> None:
    mark = mark_for(text)
    assert len(hidden(text, mark)) == len(text)
    assert with_escapes(hidden(text, mark), mark) == text


@given(st.lists(st.text(alphabet='ab"\\\\\0\n', max_size=8).map(str.encode), min_size=1, max_size=5))
def test_strings_are_shown_as_one_by_one(contents: list[bytes]) -> None:
    quoted = [b'"%s"' % content.replace(b"\\", b"\\\\").replace(b'"', b'\\"') for content in contents]
    line = b" ".join(quoted)
    mark = mark_for(line)
    strings = hidden(line, mark).split(b'"')[1::2]
    assert all_shown(strings, mark, other_escapes=False) == [unquote(one) for one in quoted] == contents


@given(st.text(alphabet='a "\\\\', max_size=14).map(str.encode))
def test_escapes_are_hidden_from_left_to_right(text: bytes) -> None:
    """This holds in front of the first string too, although a backslash escapes nothing there."""
    whole = text.replace(b"\\\\", b"\0/").replace(b'\\"', b"\0'")
    first = whole.find(b'"')
    found = hidden(text)
    assert (found.find(b'"'), found[first:]) == (first, whole[first:])


@pytest.mark.parametrize("text", [b'\\\\"a b"', b'(\\\\"a b")', b'\\\\"a\\\\"b "c"', b'\\Seen \\\\"a\\\\"b "c"'])
def test_backslashes_in_front_of_the_first_string(text: bytes) -> None:
    assert hidden(text) == text.replace(b"\\\\", b"\0/")


def test_text_with_all_control_characters() -> None:
    with pytest.raises(ProtocolError, match="control characters"):
        mark_for(bytes(range(256)))
