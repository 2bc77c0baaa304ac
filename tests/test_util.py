from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.util import printable, to_bytes, to_unicode

ASCII = st.text(st.characters(max_codepoint=127))


@given(ASCII)
def test_ascii_goes_both_ways(text: str) -> None:
    assert to_bytes(text) == text.encode("ascii")
    assert to_unicode(to_bytes(text)) == text


@pytest.mark.parametrize("text", ["abc", "é", ""])
def test_to_unicode_leaves_text_alone(text: str) -> None:
    assert to_unicode(text) is text


@pytest.mark.parametrize("data", [b"abc", b"\xff\xe2a", b""])
def test_to_bytes_leaves_bytes_alone(data: bytes) -> None:
    assert to_bytes(data) is data
    assert to_bytes(data, "utf-8") is data


@pytest.mark.parametrize("value", [None, 5, bytearray(b"q")])
def test_other_types_come_back_unchanged(value: Any) -> None:
    assert to_bytes(value) is value
    assert to_unicode(value) is value


def test_to_unicode_drops_8_bit_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="imapclient.util"):
        assert to_unicode(b"\xff\xe2a") == "a"
    assert [record.name for record in caplog.records] == ["imapclient.util"]
    assert repr(b"\xff\xe2a") in caplog.text


def test_to_unicode_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="imapclient.util"):
        assert to_unicode(b"a\xff" * 10_000) == "a" * 10_000
    assert len(caplog.text) < 300


def test_to_unicode_of_ascii_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        to_unicode(b"abc")
    assert not caplog.records


def test_to_bytes_charset() -> None:
    assert to_bytes("é", "utf-8") == b"\xc3\xa9"
    assert to_bytes("é", charset="latin-1") == b"\xe9"
    with pytest.raises(UnicodeEncodeError):
        to_bytes("é")
    with pytest.raises(LookupError):
        to_bytes("é", "no-such-charset")


def test_printable() -> None:
    assert printable(b"abc \t~") == "abc \t~"
    assert printable(b"\r\n\x00\x7f\xff") == "\\x0d\\x0a\\x00\\x7f\\xff"
    assert printable(b"") == ""
    assert all(character.isprintable() or character == "\t" for character in printable(bytes(range(256))))
