"""The fast path gives the same values as the general path, for any bytes."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.fast import batch_reader
from imapclient._parsing.fast.batch_reader import BatchReader
from imapclient._parsing.records import DEFAULT_LIMITS
from imapclient._parsing.responses import ReadOptions
from tests.fixtures import bodystructure, envelope, fetch, lenient_fetch
from tests.fixtures.chunks import ChunkTransport
from tests.helpers.both_paths import read


@pytest.fixture(autouse=True)
def _no_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the layouts of earlier tests, as in a new process."""
    monkeypatch.setattr(batch_reader, "_layouts", {})


FIXTURES = [
    *(case.raw for case in (*fetch.CASES, *fetch.BROKEN, *lenient_fetch.CASES)),
    *(case.raw for case in (*envelope.CASES, *envelope.BROKEN)),
    *(raw for _, raw in envelope.UNREADABLE_DATES),
    *(case.raw for case in (*bodystructure.CASES, *bodystructure.BROKEN)),
    *(meaning.raw for meaning in bodystructure.MEANINGS),
]

ENVELOPE = (
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "A \\"subject\\" \\\\ [1]" (("Ann" NIL "ann" "example.org")) '
    b'((NIL NIL "ann" "example.org")) NIL (("Bob" NIL "bob" "example.net")("Ann" NIL "ann" "example.org")) '
    b'() NIL NIL "<this@example.org>")'
)
STRUCTURE = (
    b'((("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 3 NIL NIL NIL NIL)'
    b'("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "7BIT" 120 4 NIL NIL NIL NIL) "ALTERNATIVE" ("BOUNDARY" "b2") NIL)'
    b'("APPLICATION" "PDF" ("NAME" "a.pdf") NIL NIL "BASE64" 5000 NIL ("ATTACHMENT" ("FILENAME" "a.pdf")) NIL NIL) '
    b'"MIXED" ("BOUNDARY" "b1") NIL NIL)'
)
# The items of a response. Each %d becomes a number.
FORMS = {
    "flags": b"UID %d FLAGS (\\Seen $label1) MODSEQ (%d)",
    "no flags": b"UID %d FLAGS ()",
    "uid last": b"FLAGS (\\Seen NIL 007) RFC822.SIZE 12345 UID %d",
    "date": b'UID %d INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE %d',
    "numbers": b"UID %d X-GM-MSGID 1278455344230334865 X-GM-THRID 18446744073709551615 RFC822.SIZE %d",
    "labels": b'X-GM-LABELS (\\Inbox "a b" c) UID %d MODSEQ (%d)',
    "other lists": b"UID %d MODSEQ (0) EMAILID (M6d99ac3275bb4e) THREADID (T1) X (a 5 NIL)",
    "headers": b"UID %d BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: a\r\nb)\r\n",
    "flags after a body": b"BODY[] {5}\r\na\r\n)b UID %d FLAGS (\\Seen)",
    "two bodies": b"UID %d BODY[1] {2}\r\n)\r BODY[2.MIME] {0}\r\n MODSEQ (%d)",
    "envelope": b"UID %d ENVELOPE " + ENVELOPE,
    "structure": b"BODYSTRUCTURE " + STRUCTURE + b" UID %d",
    "both": b'UID %d FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 9999 ENVELOPE '
    + ENVELOPE.replace(b"\\", b"").replace(b'"A "subject"  [1]"', b'"A subject"')
    + b" BODYSTRUCTURE "
    + STRUCTURE,
    "literals": b'UID %d ENVELOPE ({31}\r\nWed, 17 Jul 1996 02:23:25 -0700 {6}\r\n"\r\n(\\" '
    b'(({3}\r\nAnn NIL "ann" "example.org")) NIL NIL NIL NIL NIL NIL {0}\r\n) MODSEQ (%d)',
    "literals and escapes": b'UID %d ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" {2}\r\n\\" '
    b'(("\\\\" NIL "\\"a\\"" {1}\r\nb)) NIL NIL NIL NIL NIL NIL {3}\r\n"\\") FLAGS (\\Seen)',
    "both, the other way round": b"BODYSTRUCTURE " + STRUCTURE + b" ENVELOPE " + ENVELOPE + b" UID %d MODSEQ (%d)",
}


def responses(form: bytes, count: int, first: int = 1) -> bytes:
    """``count`` responses, with UIDs from 101 on."""
    made = []
    for number in range(first, first + count):
        numbers = itertools.chain((100 + number,), itertools.count(70_000 + number))
        items = re.sub(rb"%d", lambda _, numbers=numbers: b"%d" % next(numbers), form)  # type: ignore[misc]
        made.append(b"* %d FETCH (%b)\r\n" % (number, items))
    return b"".join(made)


def assert_same(stream: bytes, size: int = 1 << 20, **options: object) -> int:
    """Read the stream on both paths. Returns how many responses the fast path left to the parser."""
    expected, _ = read(ChunkTransport.of_size(stream, size), fast=False, **options)  # type: ignore[arg-type]
    found, singly = read(ChunkTransport.of_size(stream, size), fast=True, **options)  # type: ignore[arg-type]
    assert found == expected
    return singly


# -- the fast path is used


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_all_but_the_first_response_are_read_many_at_a_time(form: bytes) -> None:
    can_be = form != FORMS["labels"] and b"THRID 184" not in form
    assert (assert_same(responses(form, 20)) <= 2) is can_be


@pytest.mark.parametrize("form", [FORMS["flags"], FORMS["headers"], FORMS["both"]])
def test_ids_are_sequence_numbers_without_use_uid(form: bytes) -> None:
    assert assert_same(responses(form, 20), use_uid=False) <= 2


@pytest.mark.parametrize(
    "items",
    [
        b'UID %d ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "((NIL NIL " ((NIL NIL "a" "(NIL NIL "))'
        + b" NIL" * 7
        + b")",
        b'UID %d ENVELOPE (NIL NIL "a" NIL NIL NIL NIL NIL NIL "b")',
        b'UID %d BODYSTRUCTURE ((NIL NIL "a" NIL NIL "7BIT" 5 2 NIL) "MIXED" (NIL NIL "x" "y"))',
        b'UID %d BODY (NIL NIL "a" "b" "c" "d" "e" "f")',
        b'UID %d X-GM-LABELS (NIL NIL "a") X (NIL NIL "a" (NIL NIL "b"))',
        b'NIL NIL "a" UID %d',
    ],
)
def test_lists_that_look_like_an_address_without_a_name(items: bytes) -> None:
    assert_same(responses(items, 5))


@pytest.mark.parametrize("names", [(b"$label01", b"$label1"), (b"$label1", b"$label02", b"$label2")])
def test_names_with_leading_zeros(names: tuple[bytes, ...]) -> None:
    line = b"* 5 FETCH (UID %d FLAGS (%b) ENVELOPE %b)\r\n"
    assert_same(b"".join(3 * [line % (number, name, ENVELOPE) for number, name in enumerate(names, 101)]))
    assert_same(3 * b"* 5 FETCH (UID 7 RFC0822.SIZE 5)\r\n" + b"* 5 FETCH (UID 8 RFC822.SIZE many)\r\n")


def test_an_item_with_the_name_of_our_own() -> None:
    """SEQ is always the number before FETCH."""
    for value in (b'"x"', b"5", b"(5)", b"{1}\r\n5", b"NIL"):
        for rest in (b"", b" ENVELOPE " + ENVELOPE, b" BODY[1] {1}\r\na"):
            stream = b"".join(b"* %d FETCH (UID %d SEQ %b%b)\r\n" % (n, 100 + n, value, rest) for n in range(1, 7))
            assert_same(stream)
            assert_same(stream, use_uid=False)
            messages = read(ChunkTransport([stream]), fast=True, use_uid=False)[0].messages
            assert all(f"b'SEQ': {n}" in messages for n in range(1, 7)), messages


def test_heads_that_are_not_plain() -> None:
    plain = b"* 5 FETCH (UID 7 ENVELOPE %b)\r\n" % ENVELOPE
    for head in (b"* 5 FETCH  (", b"* 5 FETCH(", b"*  5 FETCH (", b"* 5  FETCH (", b"* 5 fetch (", b"* 05 FETCH ("):
        stream = plain.replace(b"* 5 FETCH (", head)
        assert_same(stream + plain)
        assert_same(3 * stream + plain)


def test_a_literal_after_text_that_looks_like_one() -> None:
    """The fuzzer found this."""
    assert_same(3 * b"* 1 FETCH (UID 5 BODY[1] {2\xff\xff{3}\r\ncde FLAGS ())\r\n")


# -- the values are the same


@pytest.mark.parametrize("use_uid", [True, False])
@pytest.mark.parametrize("size", [1 << 20, pytest.param(7, marks=pytest.mark.once)])
def test_fixtures(size: int, use_uid: bool) -> None:
    """Each fixture alone, several times, and among others."""
    for raw in FIXTURES:
        assert_same(raw, size, use_uid=use_uid)
        numbered = re.sub(rb"\A\* \d+ FETCH \((?!UID)", b"* 5 FETCH (UID 9 ", raw)
        for form in ("flags", "headers", "both"):
            assert_same(
                responses(FORMS[form], 3) + 3 * numbered + raw + responses(FORMS[form], 3, 8),
                size,
                use_uid=use_uid,
            )


@pytest.mark.once
def test_fixtures_cut_at_every_byte() -> None:
    """A response that ends too early does not change the responses around it."""
    around = responses(FORMS["flags"], 2)
    for raw in FIXTURES:
        ends = range(10, len(raw))
        # Many in one stream: opening a stream takes longer than reading a response.
        for first in range(0, len(ends), 40):
            assert_same(around + b"".join(raw[:end] + b"\r\n" + around for end in ends[first : first + 40]))


@pytest.mark.once
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_received_in_two_parts(form: bytes) -> None:
    stream = responses(form, 3)
    whole, _ = read(ChunkTransport([stream]), fast=False)
    for place in range(1, len(stream)):
        found, _ = read(ChunkTransport.cut_at(stream, place), fast=True)
        assert found == whole, place


@pytest.mark.once
@pytest.mark.parametrize("normalise_times", [True, False])
def test_each_byte_of_a_response_changed(normalise_times: bool) -> None:
    """A response that nearly has a known form."""
    codes = itertools.cycle(b'0 "()\\\r\nx{')
    for form in (FORMS["flags"], FORMS["date"], FORMS["headers"], FORMS["envelope"], FORMS["both"]):
        good = responses(form, 2)
        one = responses(form, 1, 3)
        for place in range(len(one)):
            changed = one[:place] + bytes([next(codes)]) + one[place + 1 :]
            assert_same(good + changed + responses(form, 2, 4), normalise_times=normalise_times)


def test_numbers_that_are_not_plain() -> None:
    for number in (b"0", b"007", b"00", b"9223372036854775807", b"18446744073709551615", b"9" * 21, b"1" * 5000, b"-1"):
        for form in (b"UID 5 RFC822.SIZE %b", b"UID %b FLAGS ()", b"UID 5 MODSEQ (%b)", b'UID 5 X ("a" %b b%b)'):
            items = form.replace(b"%b", number)
            assert_same(b"* 1 FETCH (UID 7 FLAGS ())\r\n" + 3 * (b"* 2 FETCH (" + items + b")\r\n"))
            assert_same(3 * (b"* %b FETCH (UID 7 FLAGS ())\r\n" % number))


def test_other_responses_between() -> None:
    """Each is read in its place: after an EXPUNGE a sequence number means another message."""
    for between in (
        b"* 1 EXPUNGE\r\n",
        b"* 21 EXISTS\r\n",
        b"* 2 FETCH (FLAGS (\\Deleted))\r\n",
        b"* OK [ALERT] {5}\r\n",
        b"* 3 FETCH (UID 999999 FLAGS ())\r\n",
        b"* VANISHED 5\r\n",
        b"+ go on\r\n",
        b"* 3 fetch  (UID 103  FLAGS ())\r\n",
    ):
        for form in (FORMS["flags"], FORMS["headers"], FORMS["envelope"]):
            stream = responses(form, 5) + between + responses(form, 5, 6) + b"* 4 FETCH (FLAGS (a))\r\n"
            assert_same(stream)
            assert_same(stream, messages=[101, 103, 104, 106, 110])
            assert_same(stream, messages=range(101, 111), use_uid=True)


def test_messages_that_were_not_asked_for_are_left() -> None:
    stream = responses(FORMS["flags"], 30)
    reading, _ = read(ChunkTransport([stream]), fast=True, messages=[101, 102, 130])
    assert len(reading.left) == 27
    assert_same(stream, messages=[101, 102, 130])


def test_a_message_sent_twice() -> None:
    stream = responses(FORMS["flags"], 5) + responses(b"UID %d RFC822.SIZE 5", 5) + responses(b"UID %d FLAGS (a)", 5)
    assert assert_same(stream) <= 3
    assert "RFC822.SIZE" in read(ChunkTransport([stream]), fast=True)[0].messages


@pytest.mark.parametrize("field", ["line_length", "literal_size", "response_size"])
def test_limits_hold(field: str) -> None:
    limits = DEFAULT_LIMITS._replace(**{field: 60})
    for form in (FORMS["flags"], FORMS["headers"], FORMS["both"]):
        assert_same(responses(form, 5), limits=limits)


def test_nesting_depth_holds() -> None:
    line = b"UID %d BODYSTRUCTURE " + STRUCTURE
    assert assert_same(responses(line, 5), limits=DEFAULT_LIMITS._replace(nesting_depth=3)) == 5
    deep = b"(" * 60 + b'"a" "b"' + b")" * 60
    assert_same(responses(b"UID %d BODYSTRUCTURE " + deep, 5))


def test_responses_that_can_not_be_read_cost_no_more_than_time_in_proportion() -> None:
    """Many invalid responses: not each one is tried."""
    tries = 0

    class Counting(BatchReader):
        def _read(self, buffer: bytes, position: int) -> None:
            nonlocal tries
            tries += 1
            raise ValueError

    batches = Counting(by_uid=True, options=ReadOptions())
    for _ in range(2000):
        assert batches.read(b"* 1 FETCH (UID 5)\r\n", 0) is None
    assert 5 < tries < 20


# -- any responses

_ATOMS = st.sampled_from(
    [b"NIL", b"nil", b"a", b"\\Seen", b"$label1", b"0", b"12", b"007", b"9" * 20, b"9" * 21, b"x9"]
)
_STRINGS = st.sampled_from(
    [
        b'""',
        b'"a"',
        b'"b c"',
        b'"1"',
        b'"\\"q\\" \\\\"',
        b'"(x) {3}"',
        b'"17-Jul-1996 02:44:25 -0700"',
        b'" ENVELOPE ("',
        b'"(NIL NIL "',
    ]
)
_LITERALS = st.sampled_from([b"{0}\r\n", b"{3}\r\na\r\n", b"{2}\r\n()"])
_VALUES = st.recursive(
    _ATOMS | _STRINGS | _LITERALS,
    lambda values: st.lists(values, max_size=4).map(lambda parts: b"(" + b" ".join(parts) + b")"),
    max_leaves=12,
)
_ADDRESS = st.tuples(*[_STRINGS | st.just(b"NIL")] * 4).map(lambda fields: b"(" + b" ".join(fields) + b")")
_ADDRESSES = st.lists(_ADDRESS, max_size=3).map(lambda parts: b"(" + b"".join(parts) + b")" if parts else b"NIL")
_TEXT = _STRINGS | st.just(b"NIL")
_ENVELOPES = st.tuples(_TEXT, _TEXT, *[_ADDRESSES] * 6, _TEXT, _TEXT).map(
    lambda fields: b"(" + b" ".join(fields) + b")"
)
_PARAMETERS = st.lists(_STRINGS, max_size=2).map(lambda parts: b"(" + b" ".join(2 * parts) + b")" if parts else b"NIL")
_PARTS = st.tuples(_STRINGS, _STRINGS, _PARAMETERS, _TEXT, _TEXT, _STRINGS, _ATOMS, _ATOMS | _TEXT, _PARAMETERS).map(
    lambda fields: b"(" + b" ".join(fields) + b")"
)
_BODIES = st.recursive(
    _PARTS,
    lambda parts: st.tuples(st.lists(parts, min_size=1, max_size=3), _STRINGS, _PARAMETERS).map(
        lambda fields: b"(" + b"".join(fields[0]) + b" " + fields[1] + b" " + fields[2] + b" NIL)"
    ),
    max_leaves=4,
)
_ITEMS = st.one_of(
    st.integers(1, 30).map(lambda uid: b"UID %d" % uid),
    st.lists(_ATOMS, max_size=3).map(lambda flags: b"FLAGS (" + b" ".join(flags) + b")"),
    st.integers(0, 2**64).map(lambda number: b"MODSEQ (%d)" % number),
    st.integers(0, 2**32).map(lambda number: b"RFC822.SIZE %d" % number),
    st.just(b'INTERNALDATE "17-Jul-1996 02:44:25 -0700"'),
    _ENVELOPES.map(lambda value: b"ENVELOPE " + value),
    _BODIES.map(lambda value: b"BODYSTRUCTURE " + value),
    _LITERALS.map(lambda value: b"BODY[1] " + value),
    st.tuples(st.sampled_from([b"FLAGS", b"X", b"ENVELOPE", b"BODY", b"BODY[]", b"INTERNALDATE", b"uid"]), _VALUES).map(
        b" ".join
    ),
)
_RESPONSES = st.tuples(st.integers(1, 9), st.lists(_ITEMS, max_size=5), st.integers(1, 3)).map(
    lambda made: made[2] * (b"* %d FETCH (" % made[0] + b" ".join(made[1]) + b")\r\n")
)


@given(
    stream=st.lists(_RESPONSES, max_size=5).map(b"".join),
    change=st.none() | st.tuples(st.integers(0, 2000), st.sampled_from([b"", b"(", b")", b'"', b" ", b"\\", b"1"])),
    size=st.sampled_from([1 << 16, 50]),
    use_uid=st.booleans(),
    normalise_times=st.booleans(),
)
def test_any_responses(
    stream: bytes, change: tuple[int, bytes] | None, size: int, use_uid: bool, normalise_times: bool
) -> None:
    if change is not None and stream:
        place = change[0] % len(stream)
        stream = stream[:place] + change[1] + stream[place + 1 :]
    assert_same(stream, size, use_uid=use_uid, normalise_times=normalise_times)


# Lines that the expressions match, and lines that they must not match.
_PLAIN = FORMS["both"].replace(b"9999", b"%d")
_LINES = [
    _PLAIN,
    _PLAIN,
    _PLAIN.replace(b'("Ann" NIL', b"(NIL NIL"),
    FORMS["structure"],
    FORMS["both"].replace(b"ENVELOPE", b"EMAILID"),
    FORMS["envelope"],
    FORMS["literals"],
    FORMS["flags"],
    _PLAIN.replace(b"UID %d ", b""),
    _PLAIN.replace(b"UID %d", b"UID 0%d"),
    _PLAIN.replace(b"UID %d", b"UID " + b"9" * 19),
    _PLAIN.replace(b"A subject", b"A\nsubject"),
    _PLAIN.replace(b"A subject", b"A\r\nsubject"),
    _PLAIN.replace(b"A subject", b'A " subject'),
    _PLAIN.replace(b"A subject", b"A \\\\ subject"),
    _PLAIN.replace(b"FLAGS (\\Seen)", b"FLAGS (\\Seen $label7)"),
]


@given(
    chosen=st.lists(st.integers(0, 4) | st.integers(0, len(_LINES) - 1), min_size=3, max_size=20),
    change=st.none()
    | st.tuples(st.floats(0, 1), st.sampled_from([b"", b"(", b'"', b"\\", b"1", b"\n", b"\r\n", b"\0"])),
    use_uid=st.booleans(),
)
def test_lines_of_many_forms_among_others(chosen: list[int], change: tuple[float, bytes] | None, use_uid: bool) -> None:
    stream = b"".join(responses(_LINES[index], 1, number) for number, index in enumerate(chosen, 1))
    if change is not None:
        place = int(change[0] * (len(stream) - 1))
        stream = stream[:place] + change[1] + stream[place + 1 :]
    assert_same(stream, use_uid=use_uid)


def test_items_in_the_wrong_place() -> None:
    """Each of these items has an expression for its right place."""
    around = responses(_PLAIN, 5)
    whole = responses(_PLAIN, 1, 6)
    envelope_on = whole[whole.index(b" ENVELOPE (") :]
    head = whole[: whole.index(b" ENVELOPE (")]
    closed = responses(_PLAIN[: _PLAIN.index(b" ENVELOPE (")], 5, 7)
    for odd in (
        envelope_on,
        whole[whole.index(b"UID") :],
        head + b")" + envelope_on,
        head + b"\r\n" + envelope_on,
        head + b")\r\n" + envelope_on,
    ):
        assert_same(closed + around + odd + odd + around)
