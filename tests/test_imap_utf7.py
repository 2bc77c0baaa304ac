from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapclient.imap_utf7 import WireName, decode, decode_name, encode, encode_name

# Text and its only valid encoding.
NAMES = {
    "": b"",
    "INBOX": b"INBOX",
    'a b/c.d\\e"f{5}': b'a b/c.d\\e"f{5}',
    "+-,=~": b"+-,=~",
    "&": b"&-",
    "&&": b"&-&-",
    "AT&T": b"AT&-T",
    "Entwürfe": b"Entw&APw-rfe",
    "☃": b"&JgM-",
    "a☃b&c": b"a&JgM-b&-c",
    "&☃": b"&-&JgM-",
    "日本語": b"&ZeVnLIqe-",
    # RFC 3501 section 5.1.3.
    "~peter/mail/台北/日本語": b"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
    # Outside the basic multilingual plane: a surrogate pair.
    "\U0001f600": b"&2D3eAA-",
    "a\U0001f600b": b"a&2D3eAA-b",
    "\U0010ffff": b"&2,,f,w-",
    # Not in ASCII, yet not to be escaped: no-break space, zero width joiner.
    "a\u00a0b\u200dc": b"a&AKA-b&IA0-c",
}

CONTROL = {
    "\0": (b"&AAA-", "\\x00"),
    "a\r\nb": (b"a&AA0ACg-b", "a\\x0d\\x0ab"),
    "\x1b[2J": (b"&ABs-[2J", "\\x1b[2J"),
    "\x7f": (b"&AH8-", "\\x7f"),
    "\x9b2J": (b"&AJs-2J", "\\x9b2J"),
    "a\u2028b": (b"a&ICg-b", "a\\u2028b"),
}

# The bytes on the wire, the result of decode(), the text of decode_name().
BROKEN = {
    # The shift has no end, or no beginning.
    b"&": ("&", "&"),
    b"a&": ("a&", "a&"),
    b"&-&": ("&&", "&-&"),
    b"&JgM": ("☃", "&JgM"),
    b"AT&T": ("AT&T", "AT&T"),
    b"Q&A-x": ("Q&A-x", "Q&A-x"),
    b"&a b-": ("&a b-", "&a b-"),
    b"&&-": ("&&-", "&&-"),
    # Not BASE64, or too little or too much of it for whole code units.
    b"&!!-": ("&!!-", "&!!-"),
    b"&Jg-": ("&Jg-", "&Jg-"),
    b"&J-": ("&J-", "&J-"),
    b"&JgMA-": ("&JgMA-", "&JgMA-"),
    b"&JgN-": ("&JgN-", "&JgN-"),
    # BASE64 of the standard alphabet: U+80FF.
    b"&gP8-&gP8-": ("\u80ff\u80ff", "\u80ff\u80ff"),
    # It can be decoded, but it is not the valid encoding.
    b"&AGE-": ("a", "a"),
    b"&ACY-": ("&", "&"),
    b"&JgM-&JgM-": ("☃☃", "☃☃"),
    # Half of a surrogate pair.
    b"&2AA-": ("\ud800", "\\ud800"),
    b"&3gA-": ("\ude00", "\\ude00"),
    b"&2D0-&3gA-": ("\ud83d\ude00", "\\ud83d\\ude00"),
    # Raw 8-bit text: UTF-8 (Courier with UTF-8 names, IMAP4rev2), and something else.
    b"\xe2\x98\x83": ("\xe2\x98\x83", "☃"),
    b"Entw\xc3\xbcrfe & mehr": ("Entw\xc3\xbcrfe & mehr", "Entwürfe & mehr"),
    b"caf\xe9": ("caf\xe9", "caf\\xe9"),
    b"\xe2\x98\x83 caf\xe9": ("\xe2\x98\x83 caf\xe9", "☃ caf\\xe9"),
    b"&\xe2-": ("&\xe2-", "&\\xe2-"),
    # Raw control characters.
    b"a\tb": ("a\tb", "a\\x09b"),
    b"a\r\nb": ("a\r\nb", "a\\x0d\\x0ab"),
    b"\0": ("\0", "\\x00"),
    b"\x7f": ("\x7f", "\\x7f"),
    b"\xc2\x9b2J": ("\xc2\x9b2J", "\\x9b2J"),
}

# Bytes that are similar to modified UTF-7. Random bytes seldom are.
NEARLY = st.lists(st.sampled_from([b"&", b"-", b"JgM", b"2D3eAA", b"AGE", b",", b"/", b"a", b"\xe9", b"\r"])).map(
    b"".join
)
WIRE = st.binary() | NEARLY
TEXT = st.text() | st.text("ab&-,+ \u2603\U0001f600\r\0")


def is_printable(text: str) -> bool:
    text.encode("utf-8")
    return not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", text)


@pytest.mark.parametrize("text", NAMES)
def test_valid_names(text: str) -> None:
    wire = NAMES[text]
    assert encode(text) == encode_name(text) == wire
    assert decode(wire) == text
    name = decode_name(wire)
    assert name == text
    assert type(name) is str


@pytest.mark.parametrize("text", CONTROL)
def test_control_characters(text: str) -> None:
    wire, shown = CONTROL[text]
    assert encode(text) == wire
    assert decode(wire) == text
    name = decode_name(wire)
    assert isinstance(name, WireName)
    assert name == shown
    assert encode_name(name) == wire


@pytest.mark.parametrize("wire", BROKEN)
def test_broken_names(wire: bytes) -> None:
    text, shown = BROKEN[wire]
    assert decode(wire) == text
    name = decode_name(wire)
    assert isinstance(name, WireName)
    assert name == shown
    assert name.wire == encode_name(name) == wire


@given(TEXT)
def test_text_round_trip(text: str) -> None:
    wire = encode(text)
    assert decode(wire) == text
    assert encode_name(decode_name(wire)) == wire
    assert re.fullmatch(rb"[ -~]*", wire)
    # The rules of RFC 3501: no shift of printable ASCII, no two in a row but "&-".
    assert not re.search(rb"&[A-Za-z0-9+,]+-&[^-]", wire)


@given(WIRE)
@example(b"&JgM=+AAE-")
def test_wire_round_trip(wire: bytes) -> None:
    name = decode_name(wire)
    assert encode_name(name) == wire
    assert is_printable(name)
    assert isinstance(name, WireName) == (type(name) is not str)
    if not isinstance(name, WireName):
        assert encode(decode(wire)) == wire
        assert decode(wire) == name


@given(WIRE)
def test_decode_reads_any_bytes(wire: bytes) -> None:
    assert isinstance(decode(wire), str)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="&")))
def test_printable_ascii_stands_for_itself(text: str) -> None:
    assert encode(text) == text.encode("ascii")
    assert decode(text.encode("ascii")) == decode_name(text.encode("ascii")) == text


@pytest.mark.parametrize("text", ["\ud800", "a\udc00b", "\ud83d\ude00"])
def test_lone_surrogates_are_no_text(text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(text)
    with pytest.raises(ValueError, match="surrogates not allowed"):
        encode_name(text)


@pytest.mark.parametrize("wire", [b"x&y", b"&JgM-", b"\xff", b""])
def test_bytes_are_encoded_already(wire: bytes) -> None:
    assert encode(wire) is wire
    assert encode_name(wire) is wire


@pytest.mark.parametrize("text", ["str&Jg-", "&JgM-", "☃", ""])
def test_text_is_decoded_already(text: str) -> None:
    assert decode(text) is text


@pytest.mark.parametrize("value", [None, 5])
def test_other_types_come_back_unchanged(value: Any) -> None:
    assert encode(value) is value
    assert decode(value) is value


@pytest.mark.parametrize("wire", [b"\xe2\x98\x83", b"a\r\nb", b"AT&T"])
def test_wire_name_survives_copies(wire: bytes) -> None:
    name = decode_name(wire)
    copies = [copy.copy(name), copy.deepcopy(name)]
    # Protocols 0 and 1 know no arguments for __new__.
    copies += [pickle.loads(pickle.dumps(name, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert type(other) is WireName
        assert other == name
        assert other.wire == wire


def test_wire_name_is_text_like_any_other() -> None:
    name = decode_name(b"\xe2\x98\x83")
    assert name == "☃"
    assert {name: 1}["☃"] == 1
    assert f"{name}" == str(name) == "☃"
    assert repr(name) == repr("☃")
    assert type(name + "/x") is str
    # A concatenated name is encoded like any other.
    assert encode_name(name + "/x") == b"&JgM-/x"


# -- names in UTF-8


@pytest.mark.parametrize(
    ("wire", "text", "is_plain"),
    [
        (b"INBOX", "INBOX", True),
        (b"a & b", "a & b", True),
        (b"&JgM-", "&JgM-", True),
        (b"\xe2\x98\x83", "\u2603", True),
        (b"caf\xe9", "caf\\xe9", False),
        (b"a\nb", "a\\x0ab", False),
        (b"\xe2\x80\xa8", "\\u2028", False),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80", False),
    ],
)
def test_names_in_utf8(wire: bytes, text: str, is_plain: bool) -> None:
    name = decode_name(wire, utf8=True)
    assert name == text
    assert isinstance(name, WireName) is not is_plain
    assert encode_name(name, utf8=True) == wire


@given(st.binary(max_size=20))
def test_any_name_in_utf8_leads_back_to_its_bytes(wire: bytes) -> None:
    assert encode_name(decode_name(wire, utf8=True), utf8=True) == wire


def test_a_lone_surrogate_is_no_name_in_utf8_either() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_name("a\ud800", utf8=True)
