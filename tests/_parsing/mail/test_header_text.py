"""The text of headers: encoded words and parameters. No bytes make the functions raise."""

from __future__ import annotations

import encodings.aliases
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapclient._parsing.mail.header_text import decode_parameters, decode_text, decode_words, split_parameters
from tests.helpers.clients import memory_peak


def is_one_line(text: str) -> bool:
    """Whether text has no control character, no end of a line, and no lone surrogate."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text) and len(text.splitlines()) <= 1


# -- plain text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"plain", "plain"),
        ("café €".encode(), "café €"),
        (b"caf\xe9", "caf\ufffd"),
        (b"=?utf-8?q?a?=", "=?utf-8?q?a?="),
        (b"long\r\n subject", "long subject"),
        (b"long\n\tsubject", "long subject"),
        (b"a\r\nBcc: b", "a  Bcc: b"),
        (b"a\0\x1b\x7f", "a   "),
        ("a\x85b\u2028c\u2029d".encode(), "a b c d"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_plain_text(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text


# -- encoded words


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # RFC 2047, 8
        (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        # either encoding, in either case, in many charsets
        (b"=?utf-8?q?caf=C3=A9?=", "café"),
        (b"=?UTF-8?B?Y2Fmw6k=?=", "café"),
        (b"=?Windows-1251?b?z/Do4uXy?=", "Привет"),
        (b"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=", "Привет"),
        (b"=?us-ascii?q?plain?=", "plain"),
        # with a language (RFC 2231, 5)
        (b"=?iso-8859-1*de?q?Gr=FC=DFe?=", "Grüße"),
        # white space in text is kept, between words it is dropped
        (b"Re:  =?utf-8?q?a?=  x =?utf-8?q?b?= ", "Re:  a  x b "),
        (b" =?utf-8?q?a?=", " a"),
        # mailers cut a character between two words; words in different charsets are decoded alone
        (b"=?utf-8?q?caf=C3?= =?UTF-8?q?=A9?=", "café"),
        (b"=?utf-8?b?4oI=?= =?utf-8?q?=AC?=", "€"),
        (b"=?utf-8?q?=C3?= =?latin1?q?=A9?=", "\ufffd©"),
        # not of the grammar, but mailers send it
        (b"a=?utf-8?q?b?=c", "abc"),
        (b'"=?utf-8?q?b?="', '"b"'),
        (b"=?utf-8?q?How are you??=", "How are you?"),
        (b"=?utf-8?q?Why? Who? ?=x", "Why? Who? x"),
        (b"=?utf-8?q??=x", "x"),
        (b"=?utf-8?q?a=?=", "a"),
        (b"=?utf-8?q?a=ZZ?=", "a=ZZ"),
        (b"=?utf-8?b?Y2Fmw6k?=", "café"),
        (b"=?utf-8?b?YQ==YQ==?=", "aa"),
        (b"=?utf-8?b?Y.2 F\tm?=", "caf"),
        (b"=?utf-8?b?YWFhY?=", "aaa"),
        (b"=?utf-8?b?!?=", ""),
        # 8-bit text as it is
        ("é =?utf-8?q?=C3=A9?= é".encode(), "é é é"),
        (b"\xe9 =?utf-8?q?a?=", "\ufffd a"),
        # the name of a subset of the charset that is meant
        (b"=?gb2312?b?1uzpRrv5?=", "朱镕基"),
        (b"=?iso-8859-1?q?=93quoted=94?=", "“quoted”"),
        (b"=?us-ascii?q?caf=C3=A9?=", "café"),
        (b"=?ks_c_5601-1987?b?jGO55g==?=", "똠방"),
        (b"=?shift_jis?b?h0A=?=", "①"),
        (b"=?big5?b?+dY=?=", "碁"),
        # names of charsets that Python does not know
        (b"=?iso-8859-8-i?b?+ezl7Q==?=", "שלום"),
        (b"=?x-sjis?b?k/qWew==?=", "日本"),
        (b"=?windows-874?b?5LfC?=", "ไทย"),
        # not charsets
        (b"=?x-unknown?q?caf=C3=A9?=", "café"),
        (b"=?x-unknown?q?caf=E9?=", "caf\ufffd"),
        (b"=??q?a?=", "a"),
        (b"=?rot13?q?a?=", "a"),
        (b"=?zlib?q?a?=", "a"),
        (b"=?undefined?q?a?=", "a"),
        (b"=?idna?q?xn--a?=", "xn--a"),
        (b"=?punycode?q?a-b?=", "a-b"),
        (b"=?unicode_escape?q?=5Cud800?=", "\\ud800"),
        (b"=?raw_unicode_escape?q?=5Cud800?=", "\\ud800"),
        # more than one line, or a lone surrogate
        (b"=?utf-8?q?a=0D=0ABcc:_b?=", "a  Bcc: b"),
        (b"=?utf-16?b?AAo=?=", "\u0a00"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
        (b"=?utf-7?q?+2D3eAA-?=", "\U0001f600"),
        # not encoded words
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf 8?q?a?=", "=?utf 8?q?a?="),
        (b"=?" + b"x" * 61 + b"?q?a?=", "=?" + "x" * 61 + "?q?a?="),
        (b"=?", "=?"),
        (b"?=", "?="),
    ],
)
def test_encoded_words(raw: bytes, text: str) -> None:
    assert decode_words(raw) == text


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"))))
def test_text_encoded_by_the_standard_library_comes_back(text: str) -> None:
    from email.header import Header

    encoded = Header(text, "utf-8", maxlinelen=60).encode()
    assert decode_words(encoded.encode("ascii")) == text


_PIECES = st.lists(
    st.sampled_from(
        [
            b"=?",
            b"?=",
            b"?",
            b"=",
            b"utf-8",
            b"utf-7",
            b"utf-16",
            b"iso-2022-jp",
            b"hz",
            b"big5",
            b"*en",
            b"?q?",
            b"?B?",
            b"=?utf-8?b?",
            b"=?gb2312?Q?",
            b"=C3",
            b"=0A",
            b"YQ==",
            b"+2AA-",
            b"\x1b$B",
            b"~{",
            b" ",
            b"\r\n ",
            b"\r\n",
            b"\0",
            b"\xff",
            b"\xed\xa0\x80",
            b"'",
            b"%41",
            b"utf-8''%C3",
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
).map(b"".join)


@given(_PIECES)
def test_words_are_total(raw: bytes) -> None:
    assert is_one_line(decode_words(raw))
    assert is_one_line(decode_text(raw))


@given(st.sampled_from(sorted({*encodings.aliases.aliases.values(), "idna", "punycode", "undefined", "utf-8-sig"})))
@example("unicode_escape")
@example("raw_unicode_escape")
def test_words_are_total_in_every_charset_of_python(charset: str) -> None:
    """Also in codecs that are not charsets, such as zlib."""
    for text in (b"", b"a", b"=ED=A0=80=FF=00=1B", b"\\ud800", b"xn--a-\x80", bytes(range(256)), b"+2AA-", b"%zz"):
        assert is_one_line(decode_words(b"=?" + charset.encode("ascii") + b"?q?" + text.replace(b"?", b"") + b"?="))


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize(
    "piece", [b"=?", b"=?a?q?", b"=?a?q??", b"=?a?b?=", b"=?a?q?x?= ", b"=", b"=?a*b", b"\r\n", b"=?a?q?" + b"?x" * 30]
)
def test_no_text_takes_longer_than_its_length(piece: bytes) -> None:
    """If the time were quadratic, these would take minutes, more than the test's limit."""
    assert is_one_line(decode_words(piece * (200_000 // len(piece))))


# -- parameters


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ((), {}),
        (None, {}),
        (5, {}),
        (b"charset", {}),
        ((b"CHARSET", b"US-ASCII"), {"charset": "US-ASCII"}),
        ((b"charset", b"a", b"NAME", b"b"), {"charset": "a", "name": "b"}),
        # the first of each name
        ((b"charset", b"a", b"CHARSET", b"b"), {"charset": "a"}),
        # of any kind, and without a value
        ((b"size", 12), {"size": "12"}),
        ((b"name", None), {"name": ""}),
        ((b"name",), {}),
        ((None, b"x", b"a", b"b"), {"a": "b"}),
        ((5, b"x", (b"y",), b"z"), {}),
        ((b"name", (b"x",), b"a", b"b"), {"a": "b"}),
        ((b"", b"x", b" ", b"y"), {}),
        # text
        ((b"name", b"=?utf-8?q?caf=C3=A9?= =?utf-8?q?.txt?="), {"name": "café.txt"}),
        ((b"name", "café.txt".encode()), {"name": "café.txt"}),
        ((b"name", b"caf\xe9.txt"), {"name": "caf\ufffd.txt"}),
        ((b"na\xc3\xa9me", b"a\r\nb"), {"naéme": "a  b"}),
        # RFC 2231, 3
        (
            (b"URL*0", b"ftp://", b"URL*1", b"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"),
            {"url": "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"},
        ),
        # RFC 2231, 4
        ((b"title*", b"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"), {"title": "This is ***fun***"}),
        # RFC 2231, 4.1
        (
            (
                b"title*0*",
                b"us-ascii'en'This%20is%20even%20more%20",
                b"title*1*",
                b"%2A%2A%2Afun%2A%2A%2A%20",
                b"title*2",
                b"isn't it!",
            ),
            {"title": "This is even more ***fun*** isn't it!"},
        ),
        # in any order, with a character cut, with a gap
        ((b"name*1*", b"%82%AC", b"name*0*", b"utf-8''%E2"), {"name": "€"}),
        ((b"name*10", b"b", b"name*9", b"a"), {"name": "ab"}),
        # a percent sign is an escape only if the name has an asterisk
        ((b"name*0*", b"utf-8''%41", b"name*1", b"%41"), {"name": "A%41"}),
        ((b"name", b"%41"), {"name": "%41"}),
        # extended before plain, unless it is empty
        ((b"name", b"a", b"name*", b"utf-8''b"), {"name": "b"}),
        ((b"name", b"a", b"name*", b"utf-8''"), {"name": "a"}),
        # not of the grammar
        ((b"name*", b"no%20charset"), {"name": "no charset"}),
        ((b"name*", b"''%C3%A9"), {"name": "é"}),
        ((b"name*", b"x-unknown''%C3%A9"), {"name": "é"}),
        ((b"name*", b"\xff''%C3%A9"), {"name": "é"}),
        ((b"name*", b"utf-8''100%"), {"name": "100%"}),
        ((b"name*", b"iso-8859-1''it's"), {"name": "it's"}),
        ((b"name*0", b"=?utf-8?b?4oKs", b"name*1", b"LnR4dA==?="), {"name": "€.txt"}),
        ((b"name*", b"utf-7''+2AA-"), {"name": "\ufffd"}),
        ((b"name*99999", b"x"), {"name*99999": "x"}),
        ((b"name*" + b"9" * 5000, b"x"), {"name*" + "9" * 5000: "x"}),
        (("name*٣".encode(), b"x"), {"name*٣": "x"}),
        ((b"*", b"x", b"name*x*", b"y"), {"*": "x", "name*x*": "y"}),
    ],
)
def test_parameters(fields: Any, parameters: dict[str, str]) -> None:
    assert decode_parameters(fields) == parameters


@pytest.mark.parametrize(
    ("raw", "value", "fields"),
    [
        (b"inline", b"inline", ()),
        (b'attachment; filename="a b"; size=3', b"attachment", (b"filename", b"a b", b"size", b"3")),
        (b'attachment;filename = "a\\"; b\\\\" ; x', b"attachment", (b"filename", b'a"; b\\')),
        (
            b"attachment; filename*0*=utf-8''%C3; filename*1*=%A9",
            b"attachment",
            (b"filename*0*", b"utf-8''%C3", b"filename*1*", b"%A9"),
        ),
        (b'attachment; filename=a b.txt; name=""', b"attachment", (b"filename", b"a b.txt", b"name", b"")),
        (b'attachment; filename="not closed; size=3', b"attachment", (b"filename", b"", b"size", b"3")),
        (b"; =;;a", b"", ()),
    ],
)
def test_parameters_of_a_field(raw: bytes, value: bytes, fields: tuple[bytes, ...]) -> None:
    assert split_parameters(raw) == (value, fields)


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize("unit", [b";", b"; ", b";a", b';a="', b';a="\\', b";a=  ", b'\\"', b'=";a'])
def test_parameters_of_a_hostile_field(unit: bytes) -> None:
    raw = unit * (1_000_000 // len(unit))
    with memory_peak(40 * len(raw)):
        split_parameters(raw)


@given(
    st.lists(
        st.none()
        | st.integers()
        | st.just(())
        | _PIECES
        | st.sampled_from([b"name", b"name*", b"name*0", b"name*0*", b"NAME*1", b"name*1*", b"a*"]),
        max_size=8,
    ).map(tuple)
)
def test_parameters_are_total(fields: Any) -> None:
    for name, value in decode_parameters(fields).items():
        assert name
        assert name == name.lower()
        assert is_one_line(name)
        assert is_one_line(value)
