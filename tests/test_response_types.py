"""The types of parsed values: their shape, their text, and that no input makes them raise."""

from __future__ import annotations

import copy
import datetime
import logging
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_fetch
from imapclient.response_types import Address, BodyData, Envelope, Namespace, SearchIds

# -- addresses and envelopes


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address(b"Ann", None, b"ann", b"example.org"), "Ann <ann@example.org>"),
        (Address(None, None, b"ann", b"example.org"), "ann@example.org"),
        (Address(b"", None, b"ann", b"example.org"), "ann@example.org"),
        (Address(b"Doe, Ann", None, b"ann", b"example.org"), '"Doe, Ann" <ann@example.org>'),
        (Address(b'a "b"', None, b"ann", b"example.org"), '"a \\"b\\"" <ann@example.org>'),
        (Address(b"=?utf-8?q?caf=C3=A9?=", None, b"a", b"b"), "=?utf-8?q?caf=C3=A9?= <a@b>"),
        (Address(None, None, b"friends", None), "friends"),
        (Address(None, None, None, None), ""),
        (Address(b"Ann", None, None, b"example.org"), "Ann <@example.org>"),
        (Address(b"Ann", b"@relay", b"ann", b"example.org"), "Ann <ann@example.org>"),
    ],
)
def test_address_as_text(address: Address, text: str) -> None:
    assert str(address) == text


def test_address_that_is_not_ascii(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    assert str(Address(b"caf\xc3\xa9", None, b"\xffann", b"example.org")) == "caf <ann@example.org>"


_FIELD = st.none() | st.binary(max_size=20)


@given(_FIELD, _FIELD, _FIELD, _FIELD)
def test_an_address_always_prints(name: Any, route: Any, mailbox: Any, host: Any) -> None:
    address = Address(name, route, mailbox, host)
    logging.getLogger("imapclient.util").disabled = True
    try:
        assert isinstance(str(address), str)
    finally:
        logging.getLogger("imapclient.util").disabled = False
    assert "Address(" in repr(address)


_ADDRESS = st.lists(
    st.sampled_from([b"NIL", b'"a"', b"5", b"atom", b"(x)", b'""', b"{0}"]), min_size=4, max_size=4
).map(lambda fields: b"(" + b" ".join(fields) + b")")


@given(st.lists(_ADDRESS, min_size=1, max_size=3))
def test_an_address_from_a_server_always_prints(addresses: list[bytes]) -> None:
    """Whatever stands in its place, a field is bytes or None; or the response is a ProtocolError."""
    try:
        items = parse_fetch(1, b"(ENVELOPE (NIL NIL (" + b"".join(addresses) + b")))", 0)
    except ProtocolError:
        return
    for address in items[b"ENVELOPE"].from_:
        assert isinstance(str(address), str)
        assert all(
            field is None or isinstance(field, bytes)
            for field in (address.name, address.route, address.mailbox, address.host)
        )


def test_addresses_and_envelopes_are_values() -> None:
    ann = Address(b"Ann", None, b"ann", b"example.org")
    assert ann == Address(name=b"Ann", route=None, mailbox=b"ann", host=b"example.org")
    assert ann != Address(b"Bob", None, b"ann", b"example.org")
    envelope = Envelope(datetime.datetime(2020, 1, 2), b"s", (ann,), None, None, None, None, None, None, b"<1@x>")
    assert envelope == copy.deepcopy(envelope)
    assert envelope == pickle.loads(pickle.dumps(envelope))
    assert envelope.from_ == (ann,)
    assert envelope.message_id == b"<1@x>"
    assert "subject=b's'" in repr(envelope)
    with pytest.raises(AttributeError):
        ann.comment = b"x"  # type: ignore[attr-defined]


# -- body structures

PART = (b"TEXT", b"PLAIN", (b"CHARSET", b"utf-8"), None, None, b"7BIT", 42, 2)


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
    assert BodyData.create(()) == ()
    assert not BodyData.create(()).is_multipart


def test_a_multipart_in_a_message_stays_as_it_is() -> None:
    message = (b"MESSAGE", b"RFC822", None, None, None, b"7BIT", 1, (), (PART, PART, b"MIXED"), 5)
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


@given(
    st.recursive(
        st.none() | st.integers() | st.binary(max_size=3),
        lambda inner: st.lists(inner, max_size=4).map(tuple),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, tuple))
)
def test_any_value_gives_a_body(value: Any) -> None:
    assert isinstance(BodyData.create(value), BodyData)


# -- the others


def test_search_ids() -> None:
    ids = SearchIds([3, 1])
    assert isinstance(ids, list)
    assert ids == [3, 1]
    assert ids[:1] == [3]
    assert [*ids, 5] == [3, 1, 5]
    more = [7]
    assert ids + more == [3, 1, 7]
    assert ids.modseq is None
    ids.modseq = 9
    assert ids.modseq == 9
    assert SearchIds() == []


def test_namespace() -> None:
    namespace = Namespace((("", "/"),), None, (("Public/", "/"),))
    assert namespace.personal == namespace[0] == (("", "/"),)
    assert namespace.other is None
    assert namespace.shared == (("Public/", "/"),)
