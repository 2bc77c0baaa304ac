"""Values of FETCH as servers send them that have ways of their own, and literals wherever a string may be."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from imapclient._parsing.fetch.results import FetchResult
from imapclient.exceptions import ProtocolError
from imapclient.response_types import Address, BodyData, Envelope
from tests.helpers.dialogue import dialogue, types

pytestmark = pytest.mark.usefixtures("both_fetch_paths")


def _script(items: str) -> str:
    return f"C: A1 UID FETCH 5 (X)\nS: * 1 FETCH (UID 5 {items})\nS: A1 OK Done"


def _fetch(items: str, *, chunk: int = 0, strict: bool = False) -> FetchResult:
    """What the client gives for the one message that is asked for."""
    with dialogue(_script(items), chunk=chunk) as client:
        client.strict = strict
        client.normalise_times = False
        return client.fetch(5, "X")


# -- body structures

_NEST = (
    '(("TEXT" "PLAIN" ("CHARSET" "iso-8859-1") NIL NIL "QUOTED-PRINTABLE" 833 30 NIL NIL NIL)'
    '("ALTERNATIVE" ("BOUNDARY" "c") NIL NIL)'
    '("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 836 NIL ("ATTACHMENT" NIL) NIL) '
    '"MIXED" ("BOUNDARY" "b") NIL NIL)'
)


def _structure(value: str, *, chunk: int = 0) -> BodyData:
    result = _fetch(f"BODYSTRUCTURE {value}", chunk=chunk, strict=True)
    body = result[5][b"BODYSTRUCTURE"]
    assert type(body) is BodyData
    return body


@pytest.mark.parametrize("chunk", [0, 1])
def test_a_structure_of_gmail(chunk: int) -> None:
    """A multipart without its parts, and a message that it has not looked into."""
    body = _structure(_NEST, chunk=chunk)
    expected: tuple[Any, ...] = (
        [
            (
                b"TEXT",
                b"PLAIN",
                (b"CHARSET", b"iso-8859-1"),
                None,
                None,
                b"QUOTED-PRINTABLE",
                833,
                30,
                None,
                None,
                None,
            ),
            ([], b"ALTERNATIVE", (b"BOUNDARY", b"c"), None, None),
            (b"MESSAGE", b"RFC822", None, None, None, b"7BIT", 836, None, (b"ATTACHMENT", None), None),
        ],
        b"MIXED",
        (b"BOUNDARY", b"b"),
        None,
        None,
    )
    assert body == expected
    assert [(number, part.content_type) for number, part in body.walk()] == [
        ("", "multipart/mixed"),
        ("1", "text/plain"),
        ("2", "multipart/alternative"),
        ("3", "message/rfc822"),
    ]
    parts = dict(body.walk())
    assert (parts["1"].charset, parts["1"].size, parts["1"].lines) == ("iso-8859-1", 833, 30)
    assert (parts["3"].disposition, parts["3"].size, parts["3"].body) == ("attachment", 836, None)
    assert parts["3"].envelope() is None


def test_a_structure_of_exchange() -> None:
    """Its parameter without a value, its description for a disposition, its language without a location."""
    body = _structure(
        '((("text" "plain" ("charset" "us-ascii" "name" NIL) NIL NIL "7bit" 21 0 NIL ("inline" NIL) NIL NIL)'
        '("text" "html" NIL NIL NIL "quoted-printable" 56 2 NIL NIL NIL NIL) '
        '"alternative" ("boundary" "c" "name" NIL) NIL "en-US")'
        '("message" "rfc822" ("name" "old.eml") NIL "old" "7bit" 4079) '
        '"mixed" ("boundary" "b") "An encrypted message" NIL)'
    )
    parts = dict(body.walk())
    assert list(parts) == ["", "1", "1.1", "1.2", "2"]
    assert (body.disposition, body.disposition_params, body.language) == (None, {}, ())
    assert (parts["1"].language, parts["1"].location) == (("en-US",), None)
    assert parts["1"].params["boundary"] == "c"
    assert (parts["1.1"].filename, parts["1.1"].disposition, parts["1.1"].lines) == (None, "inline", 0)
    assert (parts["1.2"].charset, parts["1.2"].params) == (None, {})
    assert (parts["2"].filename, parts["2"].description, parts["2"].body) == ("old.eml", "old", None)


def test_a_structure_of_a_message_that_domino_wrote() -> None:
    """Three levels, each with its own disposition; the sender's parts refer to each other by their ids."""
    body = _structure(
        '(((("TEXT" "PLAIN" ("CHARSET" "ISO-8859-1") NIL NIL "QUOTED-PRINTABLE" 83 3 NIL NIL NIL)'
        '("TEXT" "HTML" ("CHARSET" "ISO-8859-1") NIL NIL "QUOTED-PRINTABLE" 341 6 NIL ("INLINE" NIL) NIL) '
        '"ALTERNATIVE" ("BOUNDARY" "2__=x") NIL NIL)'
        '("IMAGE" "GIF" ("NAME" "a.gif") "<2__=y@example.org>" NIL "BASE64" 64 NIL ("INLINE" ("FILENAME" "a.gif")) '
        'NIL) "RELATED" ("BOUNDARY" "1__=x") ("INLINE" NIL) NIL)'
        '("APPLICATION" "PDF" ("NAME" {9}\nS: Pr\\fung.x) NIL NIL "BASE64" -1 NIL ("ATTACHMENT" '
        '("FILENAME" "=?ISO-8859-1?Q?Pr=FCfung.pdf?=")) NIL) "MIXED" ("BOUNDARY" "0__=x") NIL NIL)'
    )
    parts = dict(body.walk())
    assert list(parts) == ["", "1", "1.1", "1.1.1", "1.1.2", "1.2", "2"]
    assert parts["1"].disposition == "inline"
    assert parts["1.1.2"].disposition == "inline"
    assert (parts["1.2"].content_id, parts["1.2"].filename) == ("<2__=y@example.org>", "a.gif")
    assert parts["2"].params == {"name": "Pr\\fung.x"}
    assert parts["2"].filename == "Prüfung.pdf"
    assert parts["2"][6] == b"-1"
    assert parts["2"].size is None


@pytest.mark.parametrize(
    ("part", "size"),
    [
        ('("IMAGE" "GIF" NIL NIL NIL "BASE64" NIL)', None),
        ('("IMAGE" "GIF" NIL NIL NIL "BASE64" -1 NIL NIL NIL NIL)', None),
        ('("IMAGE" "GIF" NIL NIL NIL "BASE64")', None),
        ('("IMAGE" "GIF" NIL NIL NIL "BASE64" 9.3736e+06)', 9373600),
        ('("IMAGE" "GIF" NIL NIL NIL NIL {2}\nS: 12)', 12),
    ],
)
def test_the_size_of_a_part(part: str, size: int | None) -> None:
    assert _structure(part).size == size


@pytest.mark.parametrize(
    ("params", "filename"),
    [
        ('("FILENAME*" "UTF-8\'\'%C3%BCber.pdf")', "über.pdf"),
        ('("filename*0*" {14}\nS: UTF-8\'\'%C3%BCb "filename*1*" "er.pdf")', "über.pdf"),
        ('("filename" "=?UTF-8?B?w7xiZXIucGRm?=")', "über.pdf"),
        ('("filename" NIL)', "n"),
        ("NIL", "n"),
    ],
)
def test_the_file_name_of_a_part(params: str, filename: str) -> None:
    body = _structure(f'("A" "B" ("NAME" "n") NIL NIL "BASE64" 1 NIL ("attachment" {params}) NIL NIL)')
    assert (body.filename, body.disposition) == (filename, "attachment")


# -- envelopes

_DATE = b"Wed, 17 Jul 1996 02:23:25 -0700"
_ANN = Address(b"Ann", None, b"ann", b"example.org")
_WHOLE = Envelope(
    datetime.datetime(1996, 7, 17, 2, 23, 25, tzinfo=datetime.timezone(-datetime.timedelta(hours=7))),
    b"Plan",
    *((_ANN,),) * 6,
    b"<1@example.org>",
    b"<2@example.org>",
)


def _values(envelope: Envelope | Address) -> list[Any]:
    return [getattr(envelope, field.name) for field in dataclasses.fields(envelope)]


def _envelope(literal: set[tuple[int, int]]) -> str:
    """The script of `_WHOLE`, with literals at these places: (field, part of its address)."""

    def text(value: bytes | None, place: tuple[int, int]) -> str:
        if value is None:
            return "NIL"
        word = value.decode()
        return f"{{{len(word)}}}\nS: {word}" if place in literal else f'"{word}"'

    fields = []
    for index, value in enumerate(_values(_WHOLE)):
        if isinstance(value, tuple):
            fields.append("((" + " ".join(text(part, (index, n)) for n, part in enumerate(_values(value[0]))) + "))")
        else:
            fields.append(text(_DATE if index == 0 else value, (index, 0)))
    return "ENVELOPE (" + " ".join(fields) + ")"


_STRINGS = [(field, part) for field in range(10) for part in ((0, 2, 3) if 2 <= field <= 7 else (0,))]


@pytest.mark.parametrize(("field", "part"), _STRINGS)
def test_a_literal_in_an_envelope(field: int, part: int) -> None:
    result = _fetch(_envelope({(field, part)}) + " FLAGS ()", strict=True)
    expected = {b"SEQ": 1, b"ENVELOPE": _WHOLE, b"FLAGS": ()}
    assert result == {5: expected}
    assert types(result[5]) == types(expected)


@pytest.mark.parametrize("chunk", [0, 1])
def test_literals_all_over_an_envelope(chunk: int) -> None:
    result = _fetch(_envelope(set(_STRINGS)), chunk=chunk, strict=True)
    assert result == {5: {b"SEQ": 1, b"ENVELOPE": _WHOLE}}


def test_a_literal_for_the_route_of_an_address() -> None:
    """The second field of an address, a source route: RFC 9051 has it NIL or a string."""
    result = _fetch('ENVELOPE (NIL NIL ((NIL {6}\nS: @a,@b: "ann" {3}\nS: a"\\)))', strict=True)
    assert result[5][b"ENVELOPE"].from_ == (Address(None, b"@a,@b:", b"ann", b'a"\\'),)


# -- other values


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        # Not known, and large sizes that went through a float.
        ("RFC822.SIZE -1", {b"RFC822.SIZE": -1}),
        ("RFC822.SIZE 9.3736e+06", {b"RFC822.SIZE": 9373600}),
        # No space before a literal.
        ("BODY[]{3}\nS: abc", {b"BODY[]": b"abc"}),
        ("BODY[]{3}\nS: abc FLAGS ()", {b"BODY[]": b"abc", b"FLAGS": ()}),
        ("BODY[1]{2}\nS: ab BODY[2]{0}\nS: ", {b"BODY[1]": b"ab", b"BODY[2]": b""}),
        ("RFC822.HEADER{4}\nSx-: \\r\\n\\r\\n\nS: ", {b"RFC822.HEADER": b"\r\n\r\n"}),
        # RFC 3516: a literal8 may hold NUL.
        ("BINARY[1] ~{5}\nSx-: a\\0\\r\\nb\nS: ", {b"BINARY[1]": b"a\0\r\nb"}),
        ('BINARY[1]<0> ~{5}\nS: )("{} FLAGS ()', {b"BINARY[1]<0>": b')("{}', b"FLAGS": ()}),
        # RFC 9051, 9: a header's name is an astring, which may be a literal.
        (
            'BODY[HEADER.FIELDS ({7}\nS: SUBJECT "From" Date)] {2}\nS: ab',
            {b"BODY[HEADER.FIELDS (SUBJECT FROM DATE)]": b"ab"},
        ),
        (
            'BODY[1.2.HEADER.FIELDS.NOT ({3}\nS: X-A {3}\nS: X-B)]<0> "x" FLAGS ()',
            {b"BODY[1.2.HEADER.FIELDS.NOT (X-A X-B)]<0>": b"x", b"FLAGS": ()},
        ),
    ],
)
@pytest.mark.parametrize("chunk", [0, 1])
def test_a_value_that_is_read(items: str, expected: dict[bytes, Any], chunk: int) -> None:
    result = _fetch(items, chunk=chunk, strict=True)
    assert result == {5: {b"SEQ": 1, **expected}}
    assert types(result[5]) == types({b"SEQ": 1, **expected})


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("(FLAGS (\\Seen)) RFC822.SIZE 7", {b"FLAGS": (b"\\Seen",), b"RFC822.SIZE": 7}),
        ("(FLAGS (\\Seen) RFC822.SIZE 7)", {b"FLAGS": (b"\\Seen",), b"RFC822.SIZE": 7}),
        ("(BODY[] {3}\nS: a)b) FLAGS ()", {b"BODY[]": b"a)b", b"FLAGS": ()}),
        ("RFC822.SIZE (7)", {b"RFC822.SIZE": 7}),
        ("FLAGS ((\\Seen a))", {b"FLAGS": (b"\\Seen", b"a")}),
        ("BODY[1] ({3}\nS: a)b)", {b"BODY[1]": b"a)b"}),
        (
            'ENVELOPE ((NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL))',
            {b"ENVELOPE": Envelope(None, b"x", *(None,) * 8)},
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_parentheses_round_an_item_or_a_value(items: str, expected: dict[bytes, Any]) -> None:
    """Against the grammar, and clear: all of it is read, with nothing to report unless the client is strict."""
    result = _fetch(items)
    assert result == {5: {b"SEQ": 1, **expected}}
    assert types(result[5]) == types({b"SEQ": 1, **expected})
    assert result.errors == []
    with dialogue(f"{_script(items)}\nC: A2 NOOP\nS: A2 OK Done") as client:
        client.strict = True
        with pytest.raises(ProtocolError):
            client.fetch(5, "X")
        assert client.noop() == (b"Done", [])
