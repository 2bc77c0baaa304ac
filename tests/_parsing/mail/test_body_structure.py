"""Body structures: shape, numbers of parts, meaning of fields. No bytes make the properties raise."""

from __future__ import annotations

import copy
import pickle
import re
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapclient import IMAPClient
from imapclient._parsing.fetch.parser import parse_fetch
from imapclient._parsing.mail.body_structure import BodyData, read_body
from imapclient._parsing.mail.envelope import PartlyReadError
from imapclient.exceptions import ProtocolError
from imapclient.response_types import Address, Envelope
from tests._parsing.mail.test_header_text import is_one_line
from tests.fixtures import bodystructure
from tests.fixtures.bodystructure import MEANINGS, Meaning
from tests.fixtures.case import Case, untagged
from tests.fixtures.chunks import read
from tests.helpers.dovecot import Dovecot

PART = (b"TEXT", b"PLAIN", (b"CHARSET", b"utf-8"), None, None, b"7BIT", 42, 2)
MESSAGE = (b"MESSAGE", b"RFC822", None, None, None, b"7BIT", 99)
ENVELOPE = (b"Wed, 17 Jul 1996 02:23:25 -0700", b"=?utf-8?q?=C3=A4?=", ((b"A", None, b"a", b"b"),), *[None] * 7)


def _read(raw: bytes) -> Any:
    return parse_fetch(untagged(*read(raw)))[b"BODYSTRUCTURE"]


# -- shape


def test_a_single_part() -> None:
    body = BodyData.create(PART)
    assert not body.is_multipart
    assert type(body) is BodyData
    assert body == PART


def test_a_multipart() -> None:
    body: Any = BodyData.create((PART, PART, b"MIXED", (b"BOUNDARY", b"x")))
    assert body == ([PART, PART], b"MIXED", (b"BOUNDARY", b"x"))
    assert body.is_multipart
    assert all(type(part) is BodyData for part in body[0])


def test_nested_multiparts() -> None:
    inner = (PART, PART, b"ALTERNATIVE")
    body: Any = BodyData.create((inner, PART, inner, b"MIXED"))
    assert body == ([([PART, PART], b"ALTERNATIVE"), PART, ([PART, PART], b"ALTERNATIVE")], b"MIXED")
    assert [part.is_multipart for part in body[0]] == [True, False, True]
    assert all(type(part) is BodyData for part in [*body[0], *body[0][0][0]])


def test_nothing() -> None:
    body: Any = BodyData.create(())
    assert body == ()
    assert not body.is_multipart
    assert list(body.walk()) == [("1", ())]


def test_a_multipart_in_a_message_stays_as_it_is() -> None:
    message = (*MESSAGE, (), (PART, PART, b"MIXED"), 5)
    assert BodyData.create(message) == message


def test_lists_after_the_subtype_are_no_parts() -> None:
    body = BodyData.create((PART, b"MIXED", (b"a", b"b"), (b"inline", None)))
    assert body[0] == [PART]
    assert body[1:] == (b"MIXED", (b"a", b"b"), (b"inline", None))


def test_no_recursion() -> None:
    value: Any = PART
    for _ in range(50_000):
        value = (value, b"MIXED")
    body: Any = BodyData.create(value)
    depth = 0
    while body.is_multipart:
        assert body[1] == b"MIXED"
        (body,) = body[0]
        depth += 1
    assert depth == 50_000
    assert body == PART


@pytest.mark.parametrize("case", bodystructure.PARTLY, ids=lambda case: case.name)
def test_faults_of_a_structure(case: Case) -> None:
    with pytest.raises(PartlyReadError, match="in a body structure: not a list of parameters") as caught:
        _read(case.raw)
    assert caught.value.sound == case.expected
    assert type(caught.value.sound) is BodyData


@pytest.mark.parametrize("case", bodystructure.BROKEN, ids=lambda case: case.name)
def test_a_structure_with_faults_in_a_response(case: Case) -> None:
    with pytest.raises(ProtocolError):
        _read(case.raw)


# -- parts


def test_walk() -> None:
    image = (b"IMAGE", b"PNG", None, None, None, b"BASE64", 1)
    body = BodyData.create(((PART, PART, b"ALTERNATIVE"), image, b"MIXED"))
    assert list(body.walk()) == [
        ("", body),
        ("1", body[0][0]),
        ("1.1", PART),
        ("1.2", PART),
        ("2", image),
    ]
    assert all(type(part) is BodyData for _, part in body.walk())


def test_a_part_of_a_structure_is_walked_as_a_whole() -> None:
    """Its numbers then start at that part."""
    body = BodyData.create(((PART, PART, b"ALTERNATIVE"), b"MIXED"))
    assert [number for number, _ in body[0][0].walk()] == ["", "1", "2"]


def test_the_parts_of_a_message_are_body_data() -> None:
    body = BodyData.create((*MESSAGE, ENVELOPE, ((PART, PART, b"ALTERNATIVE"), b"MIXED"), 9))
    parts = dict(body.walk())
    assert list(parts) == ["1", "1.TEXT", "1.1", "1.1.1", "1.1.2"]
    assert all(type(part) is BodyData for part in parts.values())
    assert body.body == parts["1.TEXT"] == ([([PART, PART], b"ALTERNATIVE")], b"MIXED")


def test_walk_without_recursion() -> None:
    value: Any = PART
    for _ in range(1000):
        value = (*MESSAGE, ENVELOPE, (value, PART, b"MIXED"), 1)
    numbers = [number for number, _ in BodyData.create(value).walk()]
    assert len(numbers) == 3 * 1000 + 1
    assert max(numbers, key=len) == "1" + ".1" * 999 + ".TEXT"
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: meaning.name)
def test_meanings(meaning: Meaning) -> None:
    parts = dict(_read(meaning.raw).walk())
    assert list(parts) == list(meaning.parts)
    for number, expected in meaning.parts.items():
        found = {name: getattr(parts[number], name) for name in expected}
        assert found == expected, number


def test_names_of_meanings_are_unique() -> None:
    names = [meaning.name for meaning in MEANINGS]
    assert sorted(set(names)) == sorted(names)


def _text(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content("Grüße")
    return message


def _numbered() -> list[bytes]:
    """A message with parts of every kind, and messages whose body is another message."""
    single = _text("einzeln")
    multiple = _text("für alle")
    multiple.add_alternative("<p>", subtype="html")
    multiple.add_attachment(b"x" * 50, maintype="image", subtype="png", filename="ü ber.png")
    outer = _text("außen")
    outer.add_attachment(single)
    outer.add_attachment(multiple)
    whole = _text("ganz")
    whole.add_attachment(outer)
    whole.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="€" * 60 + ".pdf")
    head = b"MIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    messages = [whole.as_bytes(), single.as_bytes(), head + single.as_bytes(), head + multiple.as_bytes()]
    return [message.replace(b"\n", b"\r\n") for message in messages]


def test_a_server_knows_the_parts_by_their_numbers(dovecot: Dovecot) -> None:
    dovecot.add_user("parts")
    numbers: list[list[str]] = []
    names: list[str] = []
    with IMAPClient(dovecot.host, dovecot.port, ssl=False) as client:
        client.login("parts", "secret")
        for message in _numbered():
            client.append("INBOX", message)
        client.select_folder("INBOX")
        for uid, items in client.fetch("1:*", ["BODYSTRUCTURE", "BODY"]).items():
            parts = list(items[b"BODYSTRUCTURE"].walk())
            numbers.append([number for number, _ in parts])
            assert [number for number, _ in items[b"BODY"].walk()] == numbers[-1]
            names += [part.filename for _, part in parts if part.filename]
            keys = {f"BODY[{number}]".encode(): part for number, part in parts}
            fetched = client.fetch(uid, [key.replace(b"[", b".PEEK[") for key in keys])[uid]
            for key, part in keys.items():
                assert fetched[key], key
                assert part.size in (None, len(fetched[key])), key
    whole = [
        "",
        "1",
        "2",
        "2.TEXT",
        "2.1",
        "2.2",
        "2.2.1",
        "2.3",
        "2.3.TEXT",
        "2.3.1",
        "2.3.1.1",
        "2.3.1.2",
        "2.3.2",
        "3",
    ]
    assert numbers == [whole, ["1"], ["1", "1.1"], ["1", "1.TEXT", "1.1", "1.1.1", "1.1.2", "1.2"]]
    assert names == ["ü ber.png", "€" * 60 + ".pdf", "ü ber.png"]


# -- messages within messages


def test_the_envelope_of_a_message() -> None:
    body = BodyData.create((*MESSAGE, ENVELOPE, PART, 9))
    envelope = body.envelope()
    assert isinstance(envelope, Envelope)
    assert envelope.subject_text == "ä"
    assert envelope.from_ == (Address(b"A", None, b"a", b"b"),)
    assert envelope.date is not None
    assert envelope.date.tzinfo is None
    aware = body.envelope(normalise_times=False)
    assert aware is not None
    assert aware.date is not None
    assert aware.date.tzinfo is not None


@pytest.mark.parametrize(
    "value",
    [
        PART,
        MESSAGE,
        (PART, b"MIXED"),
        (*MESSAGE, None, PART, 9),
        (*MESSAGE, b"x", PART, 9),
        (*MESSAGE, (b"ATTACHMENT", None), (b"EN",)),
        (b"TEXT", b"PLAIN", None, None, None, b"7BIT", 1, ENVELOPE, PART),
    ],
)
def test_no_envelope(value: Any) -> None:
    assert BodyData.create(value).envelope() is None


def test_an_envelope_that_can_not_be_read_as_a_whole() -> None:
    envelope = BodyData.create((*MESSAGE, (None, (b"x",), (5,)), PART, 9)).envelope()
    assert envelope == Envelope(*[None] * 10)


# -- anything at all

_WORDS = st.sampled_from(
    [
        b"TEXT",
        b"MESSAGE",
        b"RFC822",
        b"GLOBAL",
        b"MIXED",
        b"MULTIPART",
        b"inline",
        b"ATTACHMENT",
        b"FILENAME",
        b"NAME*",
        b"7BIT",
        b"-1",
        b"1e9",
        b"9.3736e+06",
        b"99",
        b"=?utf-8?q?=FF?=",
        b"utf-8''%FF",
        b"\xff\r\n",
        b"",
    ]
)
_TEXTS = (
    "content_type",
    "charset",
    "disposition",
    "filename",
    "location",
    "content_id",
    "description",
    "encoding",
    "md5",
)
_LEAF = st.none() | st.integers(-5, 2**70) | _WORDS | st.binary(max_size=4)
_VALUE: st.SearchStrategy[Any] = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=6).map(tuple)
        | st.tuples(st.just(b"MESSAGE"), st.just(b"RFC822"), *[inner] * 8)
        | st.tuples(st.just(b"TEXT"), *[inner] * 11)
        | st.lists(st.tuples(inner), min_size=1, max_size=3).map(
            lambda parts: (*parts, b"MIXED", None, (b"inline", None))
        )
    ),
    max_leaves=40,
).filter(lambda value: isinstance(value, tuple))


@given(_VALUE)
@example(((),))
@example(((None,), None))
@example((*MESSAGE, None, ((), b"MIXED")))
@example((b"MESSAGE", b"RFC822", None, None, None, None, None, None, ((b"x",), b"y")))
def test_any_value_gives_a_body(value: Any) -> None:
    body, faults = read_body(value)
    assert isinstance(body, BodyData)
    assert all(isinstance(fault, str) for fault in faults)
    parts = list(body.walk())
    numbers = [number for number, _ in parts]
    assert len(set(numbers)) == len(numbers)
    for number, part in parts:
        assert type(part) is BodyData
        assert re.fullmatch(r"(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.TEXT)?)?", number)
        assert part.is_multipart or not number.endswith("TEXT")
        for name in _TEXTS:
            text = getattr(part, name)
            assert text is None or (isinstance(text, str) and text and is_one_line(text)), name
        for params in (part.params, part.disposition_params):
            assert all(is_one_line(key) and is_one_line(text) for key, text in params.items())
        assert all(isinstance(language, str) and language for language in part.language)
        assert all(count is None or count >= 0 for count in (part.size, part.lines))
        assert part.envelope() is None or isinstance(part.envelope(), Envelope)
        assert part.body is None or type(part.body) is BodyData


# -- as values


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_and_copies(protocol: int) -> None:
    body = BodyData.create(((PART, b"MIXED"), PART, b"MIXED"))
    for again in (pickle.loads(pickle.dumps(body, protocol)), copy.copy(body), copy.deepcopy(body)):
        assert again == body
        assert type(again) is type(again[0][0]) is BodyData


def test_nothing_can_be_set() -> None:
    body: Any = BodyData.create(PART)
    with pytest.raises(AttributeError):
        body.comment = b"x"
