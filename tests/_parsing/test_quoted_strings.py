"""Escapes in quoted strings, hidden and undone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.quoted_strings import hide_escapes, unquote
from imapclient.exceptions import ProtocolError


def test_unquote_drops_the_backslash_only() -> None:
    assert unquote(b'"a\\b\\n"') == b"abn"
    assert unquote(b'""') == b""


@given(st.text(alphabet='ab "\\\\\0\1\n', max_size=30).map(str.encode))
def test_hidden_escapes_come_back(text: bytes) -> None:
    hidden = hide_escapes(text)
    assert len(hidden.text) == len(text)
    assert hidden.restored(hidden.text) == text


@given(st.lists(st.text(alphabet='ab"\\\\\0\n', max_size=8).map(str.encode), min_size=1, max_size=5))
def test_strings_are_unescaped_as_one_by_one(contents: list[bytes]) -> None:
    quoted = [b'"%s"' % content.replace(b"\\", b"\\\\").replace(b'"', b'\\"') for content in contents]
    hidden = hide_escapes(b" ".join(quoted))
    strings = hidden.text.split(b'"')[1::2]
    assert hidden.unescaped(strings) == [unquote(one) for one in quoted] == contents


def test_text_with_all_control_characters() -> None:
    with pytest.raises(ProtocolError, match="control characters"):
        hide_escapes(bytes(range(256)))
