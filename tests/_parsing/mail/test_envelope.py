"""Addresses and envelopes: text, values of invalid ones, copies."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import importlib
import logging
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import getaddresses
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.fast.structures import StructureReader
from imapclient._parsing.fetch.parser import parse_fetch
from imapclient._parsing.mail.envelope import PartlyReadError, read_envelope
from imapclient._parsing.responses import ReadOptions
from imapclient.exceptions import ProtocolError
from imapclient.response_types import Address, Envelope
from tests._parsing.mail.test_header_text import is_one_line
from tests.fixtures import envelope as envelope_cases
from tests.fixtures.case import Case, untagged
from tests.fixtures.chunks import read


@pytest.fixture(autouse=True, scope="module")
def no_warnings_about_bytes() -> Iterator[None]:
    """str(address) drops bytes that are not ASCII, and logs a warning each time."""
    logging.getLogger("imapclient.util").disabled = True
    yield
    logging.getLogger("imapclient.util").disabled = False


def _read(raw: bytes) -> Any:
    return parse_fetch(untagged(*read(raw)), ReadOptions(normalise_times=False))[b"ENVELOPE"]


# -- the text of an address


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address(b"Ann", None, b"ann", b"example.org"), "Ann <ann@example.org>"),
        (Address(None, None, b"ann", b"example.org"), "ann@example.org"),
        (Address(b"", None, b"ann", b"example.org"), "ann@example.org"),
        (Address(b"Doe, Ann", None, b"ann", b"example.org"), '"Doe, Ann" <ann@example.org>'),
        (Address(b'a "b"', None, b"ann", b"example.org"), '"a \\"b\\"" <ann@example.org>'),
        (Address(b"=?utf-8?q?caf=C3=A9?=", None, b"a", b"b"), "=?utf-8?q?caf=C3=A9?= <a@b>"),
        (Address(b"a\tb", None, b"a", b"b"), "a\tb <a@b>"),
        (Address(None, None, b"friends", None), "friends"),
        (Address(None, None, None, None), ""),
        (Address(b"Ann", None, None, b"example.org"), "Ann <example.org>"),
        (Address(b"Ann", None, b"ann", b""), "Ann <ann>"),
        (Address(b"Ann", b"@relay", b"ann", b"example.org"), "Ann <ann@example.org>"),
        (Address(b"caf\xc3\xa9", None, b"\xffann", b"example.org"), "caf <ann@example.org>"),
        # the text of one header never becomes two
        (Address(b"Ann\r\nBcc: eve@example.org", None, b"ann", b"x"), '"Ann  Bcc: eve@example.org" <ann@x>'),
        (Address(b"Ann", None, b"ann\r\nBcc: eve", b"x\n\0y"), "Ann <ann  Bcc: eve@x  y>"),
    ],
)
def test_text(address: Address, text: str) -> None:
    assert str(address) == text


@pytest.mark.parametrize(
    ("address", "name", "email"),
    [
        (Address(b"Ann", None, b"ann", b"example.org"), "Ann", "ann@example.org"),
        (Address(None, None, b"ann", b"example.org"), None, "ann@example.org"),
        (Address(b"", None, b"ann", b"example.org"), None, "ann@example.org"),
        (Address(b" ", None, b"ann", b"example.org"), None, "ann@example.org"),
        (Address(b"=?utf-8?q?Zo=C3=AB?= Ann", b"@relay", b"zoe", b"example.org"), "Zoë Ann", "zoe@example.org"),
        (Address("Zoë".encode(), None, "zoë".encode(), "exämple.org".encode()), "Zoë", "zoë@exämple.org"),
        (Address(b"Zo\xeb", None, b"zo\xeb", b"example.org"), "Zo\ufffd", "zo\ufffd@example.org"),
        (Address(None, None, b"ann", b"xn--exmple-cua.org"), None, "ann@xn--exmple-cua.org"),
        (Address(b"a\r\nBcc: b", None, b"ann", b"[192.0.2.1]"), "a  Bcc: b", "ann@[192.0.2.1]"),
        # quotes are added if needed
        (Address(None, None, b"ann smith", b"example.org"), None, '"ann smith"@example.org'),
        (Address(None, None, b'"ann smith"', b"example.org"), None, '"ann smith"@example.org'),
        (Address(None, None, b'a"b\\c', b"example.org"), None, '"a\\"b\\\\c"@example.org'),
        (Address(None, None, b"eve@example.net,ann", b"example.org"), None, '"eve@example.net,ann"@example.org'),
        (
            Address(None, None, b'"a" <eve@example.net>, "b"', b"x.org"),
            None,
            '"\\"a\\" <eve@example.net>, \\"b\\""@x.org',
        ),
        (Address(None, None, b"o'neil+tag/x=1.", b"example.org"), None, "o'neil+tag/x=1.@example.org"),
        (Address(None, None, b"=?utf-8?q?a=40b?=", b"example.org"), None, "=?utf-8?q?a=40b?=@example.org"),
        # not a host
        (Address(None, None, b"ann", b"example.org, eve@example.net"), None, None),
        (Address(None, None, b"ann", b"example.org\r\nBcc: eve"), None, None),
        (Address(b"Ann", None, b"ann", b"example.org>"), "Ann", None),
        # a group: its start and its end
        (Address(None, None, b"undisclosed-recipients", None), "undisclosed-recipients", None),
        (Address(None, None, b"=?utf-8?q?Caf=C3=A9?=", None), "Café", None),
        (Address(None, None, None, None), None, None),
        # without a host, without a mailbox
        (Address(None, None, b"root", b""), "root", None),
        (Address(b"Ann", None, b"root", b""), "Ann", None),
        (Address(b"Ann", None, b"", b"example.org"), "Ann", None),
        (Address(None, None, None, b"example.org"), None, None),
        # Dovecot 2.3: From: root, <>, @example.org, <ann@>, a b c
        (Address(None, None, b"root", b"MISSING_DOMAIN"), "root", None),
        (Address(None, None, b"MISSING_MAILBOX", b"MISSING_DOMAIN"), None, None),
        (Address(None, None, b"MISSING_MAILBOX", b"example.org"), None, None),
        (Address(None, None, b"ann", b"SYNTAX_ERROR"), "ann", None),
        (Address(b"a b c", None, b"MISSING_MAILBOX", b"MISSING_DOMAIN"), "a b c", None),
        # Cyrus 3
        (Address(None, None, b"root", b"unspecified-domain"), "root", None),
        (Address(b"Ann", None, b"unknown-user", b"unspecified-domain"), "Ann", None),
        # UW, Exchange
        (Address(b"Microsoft Exchange", None, None, b".MISSING-HOST-NAME."), "Microsoft Exchange", None),
        (Address(None, None, b"root", b".MISSING-HOST-NAME."), "root", None),
        (Address(None, None, b"INVALID_ADDRESS", b".SYNTAX-ERROR."), None, None),
        (Address(None, None, b"UNEXPECTED_DATA_AFTER_ADDRESS", b".SYNTAX-ERROR."), None, None),
        (Address(None, None, b"MISSING_MAILBOX_TERMINATOR", b".SYNTAX-ERROR."), None, None),
    ],
)
def test_name_and_email(address: Address, name: str | None, email: str | None) -> None:
    assert address.display_name == name
    assert address.email == email


_FIELD = st.none() | st.binary(max_size=20) | st.text("a@.,<>\"\\\r\n \0é'=?()[]:;", max_size=12).map(str.encode)


@given(_FIELD, _FIELD, _FIELD, _FIELD)
def test_no_address_raises_or_makes_more_than_one(name: Any, route: Any, mailbox: Any, host: Any) -> None:
    address = Address(name, route, mailbox, host)
    assert "Address(" in repr(address)
    text = str(address)
    assert text.isascii()
    assert is_one_line(text.replace("\t", " "))
    assert address.display_name is None or is_one_line(address.display_name)
    email = address.email
    if email is not None:
        assert is_one_line(email)
        assert len(getaddresses([email])) == 1


# -- envelopes

ANN = Address(b"Ann", None, b"ann", b"example.org")
ENVELOPE = Envelope(
    datetime.datetime(2020, 1, 2), b"s", (ANN,), None, None, (ANN,), None, None, None, b"<1@example.org>"
)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (None, None),
        (b"", ""),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= an =?utf-8?q?alle?=", "Grüße an alle"),
        ("Grüße".encode(), "Grüße"),
        (b"Gr\xfc\xdfe", "Gr\ufffd\ufffde"),
        (b"a\r\nBcc: b", "a  Bcc: b"),
    ],
)
def test_subject(subject: bytes | None, text: str | None) -> None:
    assert dataclasses.replace(ENVELOPE, subject=subject).subject_text == text


def test_the_text_of_an_envelope() -> None:
    assert repr(ENVELOPE).startswith("Envelope(date=datetime.datetime(2020, 1, 2, 0, 0), subject=b's', from_=(Address(")
    assert str(ENVELOPE) == repr(ENVELOPE)
    nothing = Envelope(*[None] * 10)
    assert str(nothing).count("None") == 10
    assert is_one_line(str(Envelope(None, b"\r\n\xff\0", (Address(b"\r\n", None, None, b"\n"),), *[None] * 7)))


@pytest.mark.parametrize("case", envelope_cases.PARTLY, ids=lambda case: case.name)
def test_the_sound_part_of_an_envelope(case: Case) -> None:
    with pytest.raises(PartlyReadError, match="in an envelope: ") as caught:
        _read(case.raw)
    assert caught.value.sound == case.expected


def test_all_faults_are_listed() -> None:
    envelope, faults = read_envelope((None, (1,), (5, ANN_FIELDS), None, b"x"))
    assert envelope == Envelope(None, None, (ANN,), *[None] * 7)
    assert faults == ["not a string: (1,)", "not an address: 5", "not a list of addresses: b'x'"]


ANN_FIELDS = (b"Ann", None, b"ann", b"example.org")


@pytest.mark.parametrize(("date", "raw"), envelope_cases.UNREADABLE_DATES)
def test_the_bytes_of_an_invalid_date_are_kept(date: bytes | None, raw: bytes) -> None:
    envelope = _read(raw)
    assert envelope.unreadable_date == date
    assert (envelope.date is None) or date is None


@pytest.mark.parametrize("normalise_times", [True, False])
def test_the_date_is_that_of_the_client(normalise_times: bool) -> None:
    envelope, _ = read_envelope((b"Wed, 17 Jul 1996 02:23:25 -0700",), normalise_times)
    assert envelope.date is not None
    assert (envelope.date.tzinfo is None) == normalise_times


_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers(-5, 2**70) | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=11).map(tuple),
    max_leaves=40,
)
_ADDRESSES = st.none() | st.lists(st.tuples(*[st.none() | st.binary(max_size=5)] * 4) | _VALUE, max_size=4).map(tuple)


@pytest.mark.once
@given(st.lists(_VALUE | _ADDRESSES, max_size=12).map(tuple), st.booleans())
def test_reading_is_total(fields: tuple[Any, ...], normalise_times: bool) -> None:
    """Each field has its type for any values."""
    envelope, faults = read_envelope(fields, normalise_times)
    assert all(isinstance(fault, str) for fault in faults)
    assert isinstance(repr(envelope), str)
    assert isinstance(envelope.subject_text, (str, type(None)))
    for text in (envelope.subject, envelope.in_reply_to, envelope.message_id, envelope.unreadable_date):
        assert isinstance(text, (bytes, type(None)))
    for addresses in (envelope.from_, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc):
        assert addresses is None or addresses
        for address in addresses or ():
            assert isinstance(address.display_name, (str, type(None)))
            assert all(isinstance(field, (bytes, type(None))) for field in dataclasses.astuple(address))


_WIRE_ADDRESS = st.lists(
    st.sampled_from([b"NIL", b'"a"', b"5", b"atom", b"(x)", b'""', b"{0}"]), min_size=3, max_size=5
).map(lambda fields: b"(" + b" ".join(fields) + b")")


@given(st.lists(_WIRE_ADDRESS, min_size=1, max_size=3))
def test_an_address_from_a_server_always_prints(addresses: list[bytes]) -> None:
    try:
        items = parse_fetch(untagged(b"* 1 FETCH (ENVELOPE (NIL NIL (" + b"".join(addresses) + b")))"))
        envelope = items[b"ENVELOPE"]
    except PartlyReadError as error:
        envelope = error.sound
    for address in envelope.from_ or ():
        assert isinstance(str(address), str)


# -- as values


def test_addresses_and_envelopes_are_values() -> None:
    assert Address(name=b"Ann", route=None, mailbox=b"ann", host=b"example.org") == ANN
    assert Address(b"Bob", None, b"ann", b"example.org") != ANN
    assert dataclasses.replace(ENVELOPE) == ENVELOPE
    assert dataclasses.replace(ENVELOPE, subject=b"t") != ENVELOPE
    assert ENVELOPE.from_ == (ANN,)
    assert ENVELOPE.message_id == b"<1@example.org>"
    changed = dataclasses.replace(ENVELOPE)
    changed.subject = b"t"
    assert changed.subject == b"t"


def test_the_fields_are_those_of_imapclient() -> None:
    assert [field.name for field in dataclasses.fields(Address)] == ["name", "route", "mailbox", "host"]
    names = ["date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc", "in_reply_to", "message_id"]
    assert [field.name for field in dataclasses.fields(Envelope)] == names
    assert Envelope(**dict.fromkeys(names)) == Envelope(*[None] * 10)


def test_an_unreadable_date_is_no_field() -> None:
    unreadable, _ = read_envelope((b"yesterday",))
    assert unreadable.unreadable_date == b"yesterday"
    assert unreadable == Envelope(*[None] * 10)
    assert "yesterday" not in repr(unreadable)


@pytest.mark.parametrize("value", [ANN, ENVELOPE], ids=["address", "envelope"])
def test_nothing_else_can_be_set(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.comment = b"x"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    unreadable, _ = read_envelope((b"yesterday",))
    values: list[Any] = [ANN, ENVELOPE, unreadable]
    for value in values:
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again) is type(value)
        if isinstance(value, Envelope):
            assert again.unreadable_date == value.unreadable_date


def test_copies() -> None:
    unreadable, _ = read_envelope((b"yesterday",))
    for copied in (copy.copy(unreadable), copy.deepcopy(unreadable)):
        assert copied == unreadable
        assert copied.unreadable_date == b"yesterday"
    assert copy.copy(ANN) == copy.deepcopy(ANN) == ANN
    assert copy.deepcopy(ENVELOPE) == copy.copy(ENVELOPE) == ENVELOPE


def test_a_partly_read_error_is_a_protocol_error() -> None:
    error = PartlyReadError("in an envelope", ENVELOPE, ["a", "b", "c", "d", "e", "f"])
    assert isinstance(error, ProtocolError)
    assert str(error) == "in an envelope: a; b; c; d; e"
    assert error.sound == ENVELOPE
    assert pickle.loads(pickle.dumps(error)).sound == ENVELOPE


def test_ipython_prints_a_field_on_each_line() -> None:
    pretty = importlib.import_module("IPython.lib.pretty").pretty
    sender = (Address(b"Ann", None, b"ann", b"example.org"),)
    envelope = Envelope(None, b"Hi", sender, sender, None, None, None, None, None, b"<1@example.org>")
    lines = pretty(envelope).splitlines()
    assert lines[:3] == ["Envelope(date=None,", "         subject=b'Hi',", f"         from_={sender!r},"]
    assert lines[-1] == "         message_id=b'<1@example.org>')"
    assert "".join(f" {line.strip()}" for line in lines).strip() == repr(envelope)


# -- address lists, which become addresses when a program looks at them

FIELDS = ("from_", "sender", "reply_to", "to", "cc", "bcc")
LISTS = (
    b'((NIL NIL "root" NIL)) (("a" NIL "b" "c")("d\\"e\\\\" "@r" "f\\\\" "")) NIL () '
    b'(("" "" "" "")) ((NIL NIL NIL NIL))'
)
ADDRESSES: dict[str, tuple[Address, ...] | None] = {
    "from_": (Address(None, None, b"root", None),),
    "sender": (Address(b"a", None, b"b", b"c"), Address(b'd"e\\', b"@r", b"f\\", b"")),
    "reply_to": None,
    "to": None,
    "cc": (Address(b"", b"", b"", b""),),
    "bcc": (Address(None, None, None, None),),
}
WHOLE = Envelope(None, b"s", in_reply_to=b"<1@x>", message_id=b"<2@x>", **ADDRESSES)


def _by_expressions() -> Envelope:
    line = b'* 1 FETCH (ENVELOPE (NIL "s" %b "<1@x>" "<2@x>"))\r\n' % LISTS
    found = StructureReader(ReadOptions()).read(line, 0, len(line) - 1)
    assert found is not None
    envelope: Envelope = found[0][b"ENVELOPE"]
    return envelope


def _by_the_lexer() -> Envelope:
    envelope: Envelope = _read(b'* 1 FETCH (ENVELOPE (NIL "s" %b "<1@x>" "<2@x>"))\r\n' % LISTS)
    return envelope


def _is_set(envelope: Envelope, name: str) -> bool:
    try:
        vars(Envelope)[name].__get__(envelope)
    except AttributeError:
        return False
    return True


of_both_paths = pytest.mark.parametrize("received", [_by_expressions, _by_the_lexer])


@of_both_paths
def test_addresses_are_made_when_a_program_looks_at_their_list(received: Callable[[], Envelope]) -> None:
    envelope = received()
    assert not any(_is_set(envelope, name) for name in FIELDS)
    for name in FIELDS:
        assert getattr(envelope, name) == ADDRESSES[name]
        assert getattr(envelope, name) is getattr(envelope, name)
        assert _is_set(envelope, name)
    assert envelope == WHOLE


@of_both_paths
def test_an_envelope_that_nobody_looked_at_is_as_any_other(received: Callable[[], Envelope]) -> None:
    assert received() == WHOLE
    assert repr(received()) == repr(WHOLE)
    assert dataclasses.asdict(received()) == dataclasses.asdict(WHOLE)
    assert dataclasses.replace(received(), subject=b"s") == WHOLE
    for copied in (
        copy.copy(received()),
        copy.deepcopy(received()),
        *[pickle.loads(pickle.dumps(received(), protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)],
    ):
        assert copied == WHOLE
        assert not hasattr(copied, "_address_lists")


@of_both_paths
def test_a_copy_is_independent(received: Callable[[], Envelope]) -> None:
    envelope = received()
    assert envelope.cc is not None
    copied = copy.deepcopy(envelope)
    envelope.cc[0].name = b"changed"
    assert copied == WHOLE


@of_both_paths
def test_fields_that_a_program_sets_stay(received: Callable[[], Envelope]) -> None:
    envelope = received()
    envelope.sender = None
    envelope.to = (Address(None, None, b"x", b"y"),)
    assert envelope.from_ == ADDRESSES["from_"]
    assert (envelope.sender, envelope.to) == (None, (Address(None, None, b"x", b"y"),))
    assert copy.copy(envelope) == dataclasses.replace(WHOLE, sender=None, to=envelope.to)


def test_fields_that_are_the_same_have_addresses_of_their_own() -> None:
    raw = b"* 1 FETCH (ENVELOPE (NIL NIL %b %b %b NIL NIL NIL NIL NIL))\r\n" % ((b'(("a" NIL "b" "c"))',) * 3)
    for envelope in (_read(raw), StructureReader(ReadOptions()).read(raw, 0, len(raw) - 1)[0][b"ENVELOPE"]):  # type: ignore[index]
        envelope.from_[0].name = b"changed"
        assert envelope.sender == envelope.reply_to == (Address(b"a", None, b"b", b"c"),)


@pytest.mark.parametrize("envelope", [_by_expressions(), WHOLE], ids=["received", "made"])
def test_attributes_that_do_not_exist(envelope: Any) -> None:
    with pytest.raises(AttributeError, match="'Envelope' object has no attribute 'form_'"):
        _ = envelope.form_
    made = copy.copy(envelope)
    del made.to
    with pytest.raises(AttributeError, match="to"):
        _ = made.to
    assert copy.copy(made).cc == made.cc
    assert not hasattr(Envelope.__new__(Envelope), "to")


def test_lists_of_addresses_that_are_nested_deep_in_a_deep_program() -> None:
    """Comparing two deep values would exceed the recursion limit."""
    deep = b"(" * 390 + b'"a"' + b")" * 390
    raw = b"* 1 FETCH (ENVELOPE (NIL NIL " + deep + b" " + deep + b" NIL NIL NIL NIL NIL NIL))\r\n"

    def at_depth(frames: int) -> Any:
        return at_depth(frames - 1) if frames else _read(raw)

    with pytest.raises(PartlyReadError):
        at_depth(sys.getrecursionlimit() - 400)


@of_both_paths
def test_a_deleted_field_stays_deleted(received: Callable[[], Envelope]) -> None:
    envelope = received()
    assert envelope.to is None
    del envelope.to
    assert not hasattr(envelope, "to")
    assert envelope.from_ == ADDRESSES["from_"]
    assert not hasattr(copy.copy(envelope), "to")


@of_both_paths
def test_what_the_server_sent_is_freed_after_all_lists(received: Callable[[], Envelope]) -> None:
    envelope = received()
    assert envelope._address_lists is not None
    assert envelope == WHOLE
    assert envelope._address_lists is None


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_switches")
def test_threads_that_look_at_the_same_list() -> None:
    """Each gets the addresses, whichever sets the field first."""
    for _ in range(300):
        envelope = _by_expressions()
        start = threading.Barrier(4)

        def look(envelope: Envelope = envelope, start: threading.Barrier = start) -> Envelope:
            start.wait()
            return copy.copy(envelope)

        with ThreadPoolExecutor(4) as pool:
            assert all(future.result() == WHOLE for future in [pool.submit(look) for _ in range(4)])
