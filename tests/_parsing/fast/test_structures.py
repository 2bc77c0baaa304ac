"""Envelopes and body structures by regular expressions: what they match, and that no input makes them slow."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from imapclient._parsing.fast import structures
from imapclient._parsing.fast.structures import MAX_LENGTH, StructureReader
from imapclient._parsing.fetch.results import FetchItems
from imapclient._parsing.responses import ReadOptions
from imapclient.exceptions import ProtocolError
from tests._parsing.fast.test_batch_reader import ENVELOPE, STRUCTURE, assert_same, responses
from tests.fixtures import bodystructure, envelope

_TEXT_PART = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 3 NIL NIL NIL NIL)'
_MESSAGE_PART = b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 500 %b %b 20 NIL NIL NIL NIL)' % (ENVELOPE, _TEXT_PART)


def read(line: bytes, reader: StructureReader | None = None) -> FetchItems | None:
    reader = reader or StructureReader(ReadOptions())
    found = reader.read(line, 0, line.find(b"\n"))
    assert found is None or found[1] == len(line)
    return None if found is None else found[0]


# -- what is read


@pytest.mark.parametrize(
    "items",
    [
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART,
        b"UID %d BODYSTRUCTURE (" + _TEXT_PART + _MESSAGE_PART + b' "MIXED" ("BOUNDARY" "x") NIL NIL NIL)',
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART.replace(_TEXT_PART, _MESSAGE_PART),
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART.replace(_TEXT_PART, b"(" + _TEXT_PART + _MESSAGE_PART + b' "MIXED")'),
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART.replace(_TEXT_PART, b"x" + _TEXT_PART),
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART.replace(b" " + _TEXT_PART, b"x" + _TEXT_PART),
        b"UID %d BODYSTRUCTURE " + _MESSAGE_PART.replace(b"7BIT", b"7\\\\BIT"),
        b'UID %d BODYSTRUCTURE ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 500 (NIL "s" () NIL () NIL NIL NIL NIL NIL) '
        + _TEXT_PART
        + b' 20 "md5" ("ATTACHMENT" ("FILENAME" "a.eml")) "en" NIL)',
        b'UID %d BODYSTRUCTURE ("TEXT" "PLAIN" ("NAME" "a\\"b \\\\") NIL NIL "7BIT" 12 3 NIL '
        b'("INLINE" ("A" "\\"")) NIL)',
        b'UID %d BODYSTRUCTURE (("TEXT" "PLAIN" ("NAME" "a\\"b") NIL NIL "7BIT" 12 3 NIL NIL)'
        b'("TEXT" "PLAIN" ("NAME" "a\\"b") NIL NIL "7BIT" 12 3 NIL NIL) '
        b'"MIXED" ("BOUNDARY" "\\"x" "A" "B") NIL ("\\"" "b"))',
        b'UID %d BODYSTRUCTURE ("TEXT" "PLAIN" ("NAME" "a" "B") NIL NIL "7BIT" 12 3)',
        b"X-GM-MSGID 5 UID %d FLAGS (\\Seen) ENVELOPE " + ENVELOPE + b" BODYSTRUCTURE " + STRUCTURE,
        b"UID %d ENVELOPE " + ENVELOPE + b" FLAGS (\\Seen) BODYSTRUCTURE " + STRUCTURE,
        b'FLAGS (\\Seen) UID %d ENVELOPE ("d" "a\\bc" NIL NIL NIL NIL NIL NIL NIL "<a@b>") BODYSTRUCTURE ' + STRUCTURE,
        b'FLAGS (\\Seen) UID %d BODYSTRUCTURE ("TEXT" "PLAIN" ("NAME" "a\\bc") NIL NIL "7BIT" 12 3)',
        b'UID %d BODY ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 3)',
        b'UID %d BODY (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 12 3)("TEXT" "HTML" NIL NIL NIL "7BIT" 12 3) "MIXED")',
        b'UID %d BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" NIL) NIL NIL "7BIT" 12 3 NIL ("INLINE" NIL) "en" NIL)',
        b'UID %d BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 12 3 "md5" ("INLINE" NIL) ("en" "de") "here" 5)',
        b'UID %d BODYSTRUCTURE (("TEXT" "a" NIL NIL NIL NIL 5 6)("TEXT" "a" NIL NIL NIL NIL 5 6)'
        b'("TEXT" "a" NIL NIL NIL "b" 7 8) "MIXED")',
        b'UID %d BODYSTRUCTURE (("TEXT" "PLAIN" ("NAME" "'
        + b"x" * 160
        + b'") NIL NIL "7BIT" %d 12345 NIL NIL)("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL NIL) "MIXED")',
        b'UID %d BODYSTRUCTURE ("TEXT" PLAIN NIL NIL NIL "7BIT" 12 3)',
        b"UID %d ENVELOPE " + ENVELOPE + b" X-OWN (a (b))",
        b'UID %d ENVELOPE (NIL "s" nil NIL NIL NIL NIL NIL NIL "<a@b>")',
        b'UID %d ENVELOPE ("00-Jan-0000" "s" NIL NIL NIL NIL NIL NIL NIL NIL)',
        b'UID %d ENVELOPE ("" "" (("" "" "" "")) NIL NIL NIL NIL NIL "" "")',
        b'UID %d ENVELOPE ("" "" (("a" NIL "b" "c")) (("a" NIL "b" "c")) (("a" NIL "b" "c")) NIL NIL NIL NIL NIL)',
        b'UID %d ENVELOPE ("" "" ((NIL NIL "b" "c")("d" "e" "\\"" "c")) ((NIL NIL "b" "c")("d" "e" "\\"" "c")) '
        b'(("x" NIL "b" "c")) ((NIL NIL "b" "c")("d" "e" "\\"" "c")) NIL NIL NIL NIL)',
        b'UID %d ENVELOPE ("" "" NIL () NIL () NIL NIL NIL NIL)',
        b"ENVELOPE " + ENVELOPE + b" BODY[HEADER] {8}\r\nA: b\\\r\n\r UID %d",
        b"ENVELOPE ({3}\r\na\rb {2}\r\n\r\n NIL NIL NIL NIL NIL NIL NIL NIL) BODY[TEXT] {2}\r\n\\) UID %d",
    ],
)
def test_forms_that_need_the_lexer_for_a_part(items: bytes) -> None:
    """They are read like `parse_fetch` reads them, and not one by one."""
    assert assert_same(responses(items, 20)) <= 1


@pytest.mark.parametrize("raw", [case.raw for case in (*envelope.CASES, *bodystructure.CASES)])
def test_fixtures_among_others(raw: bytes) -> None:
    around = responses(b"UID %d ENVELOPE " + ENVELOPE + b" BODYSTRUCTURE " + STRUCTURE, 3)
    assert_same(around + 3 * raw + around)


def test_a_line_that_ends_without_cr_is_left_to_the_parser() -> None:
    line = b"* 1 FETCH (UID 5 ENVELOPE (a))\n"
    assert StructureReader(ReadOptions()).read(line, 0, len(line) - 1) is None
    assert_same(line + responses(b"UID %d ENVELOPE " + ENVELOPE, 5))


def test_a_literal_that_did_not_arrive_yet() -> None:
    whole = b"* 1 FETCH (UID 5 ENVELOPE " + ENVELOPE + b" BODY[TEXT] {30}\r\n" + b"\n" * 30 + b")\r\n"
    assert read(whole) is not None
    for end in range(whole.index(b"{30}") + 6, len(whole)):
        assert StructureReader(ReadOptions()).read(whole[:end], 0, whole.index(b"\n")) is None


def test_a_literal_within_quotes_is_left_to_the_parser() -> None:
    line = b'* 1 FETCH (UID 5 ENVELOPE ("abc {29}\r\n NIL NIL NIL NIL NIL NIL NIL <a@b>"))\r\n'
    assert StructureReader(ReadOptions()).read(line, 0, line.index(b"\n")) is None
    around = responses(b"UID %d ENVELOPE " + ENVELOPE, 3)
    assert_same(around + line + around)


def test_backslashes_in_front_of_a_string() -> None:
    line = b'* 1 FETCH (ENVELOPE (NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) X \\\\"a\\\\"b "c" d)\r\n'
    assert_same(3 * line)


# -- what is kept


def test_messages_share_nothing_that_can_be_changed() -> None:
    reader = StructureReader(ReadOptions())
    line = responses(b"UID %d ENVELOPE " + ENVELOPE + b" BODYSTRUCTURE " + STRUCTURE, 1)
    one, other = read(line, reader), read(line, reader)
    assert one is not None
    assert other is not None
    assert one == other
    one[b"ENVELOPE"].from_[0].name = b"Changed"
    one[b"ENVELOPE"].to[1].host = b"changed.example"
    one[b"BODYSTRUCTURE"][0].clear()
    assert other == read(line)


def _mutable(value: Any) -> bool:
    return isinstance(value, (dict, list, set, bytearray))


def test_values_are_kept_for_the_length_of_a_command_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "_MAX_KEPT", 10)
    reader = StructureReader(ReadOptions())
    for number in range(100):
        part = b'("TEXT" "PLAIN" ("NAME" "%d") NIL NIL "7BIT" 12 3 NIL ("INLINE" ("FILENAME" "%d")) NIL)' % (
            number,
            number,
        )
        assert read(b"* 1 FETCH (BODYSTRUCTURE %b)\r\n" % part, reader) is not None
        assert len(reader._values) <= 10
    assert not [name for name, value in vars(structures).items() if _mutable(value) and not name.startswith("__")]


def test_long_texts_are_not_kept() -> None:
    reader = StructureReader(ReadOptions())
    part = b'("TEXT" "PLAIN" ("NAME" "%b") NIL NIL "7BIT" 12 3)' % (b"x" * 1000)
    assert read(b"* 1 FETCH (BODYSTRUCTURE %b)\r\n" % part, reader) is not None
    assert not any(len(text) > 500 for text in reader._values)


# -- time

_ADDRESS = b'("a" NIL "b" "c")'
_BACKSLASHES = b"\\\\" * 10
# The start of a line, what is repeated up to the longest line that is read, and an end that does not match.
NEARLY = {
    "addresses": (b'ENVELOPE ("d" "s" (', _ADDRESS, b"x"),
    "addresses that never end": (b'ENVELOPE ("d" "s" (', b'("a" NIL "b" "c"', b""),
    "addresses of all lists": (b'ENVELOPE ("d" "s"', b" (" + 5 * _ADDRESS + b")", b""),
    "NIL": (b"ENVELOPE (", b"NIL ", b"x"),
    "a long subject": (b'ENVELOPE ("d" "', b"x", b""),
    "escapes": (b'ENVELOPE ("d" "', _BACKSLASHES, b"x"),
    "escapes in addresses": (b'ENVELOPE ("d" "s" (', b'("%b" NIL "b" "c")' % _BACKSLASHES, b"x"),
    "escaped quotes": (b'ENVELOPE ("d" "', b'\\"', b""),
    "parameters": (b'BODYSTRUCTURE ("a" "b" ("c"', b' "d"', b"x"),
    "extensions": (b'BODYSTRUCTURE ("a" "b" NIL NIL NIL "c" 5 6', b" NIL", b"x"),
    "lists": (b'BODYSTRUCTURE ("a" "b" NIL NIL NIL "c" 5 6', b' ("a" ("b" NIL) ("c"))', b"x"),
    "an open list": (b'BODYSTRUCTURE ("a" "b" NIL NIL NIL "c" 5 6 (NIL (NIL', b" NIL", b"x"),
    "parts": (b"BODYSTRUCTURE (", _TEXT_PART, b"x"),
    "parts that are not valid": (b"BODYSTRUCTURE (", _TEXT_PART[:-1], b""),
    "open parentheses": (b"BODYSTRUCTURE ", b"(", b""),
    "multiparts": (b"BODYSTRUCTURE ", b'(("a" "b" NIL NIL NIL "c" 5 6)', b""),
    "items": (b"", b"ENVELOPE (", b""),
    "structures": (b"", b'BODYSTRUCTURE (("a" "b" NIL NIL NIL "c" 5 6) ', b""),
    "text parts without a size after a string": (b"BODYSTRUCTURE (", b'("TEXT" "a" NIL NIL NIL NIL 5 6)', b"x"),
    "flags": (b"FLAGS (", b"a ", b'"'),
    "digits": (b"UID ", b"1", b""),
    "messages": (b"BODYSTRUCTURE (", _MESSAGE_PART, b"x"),
    "messages in messages": (b"BODYSTRUCTURE ", _MESSAGE_PART[: _MESSAGE_PART.index(_TEXT_PART)], b"x"),
    "names of text parts": (b'BODYSTRUCTURE ("TEXT" "PLAIN" ("a" "b"', b' "c"', b"x"),
}


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize(("start", "repeated", "end"), NEARLY.values(), ids=NEARLY)
def test_lines_that_nearly_match_at_every_place(start: bytes, repeated: bytes, end: bytes) -> None:
    """Each is tried 20 times, which takes minutes if the time is not linear."""
    head = b"* 1 FETCH (" + start
    room = MAX_LENGTH - len(head) - len(end) - 2
    line = head + repeated * (room // len(repeated)) + end + b"\r\n"
    reader = StructureReader(ReadOptions())
    for _ in range(20):
        with contextlib.suppress(ValueError, ProtocolError):
            assert reader.read(line, 0, len(line) - 1) is None


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize("escape", [b"", b'\\"'])
def test_many_structures_after_a_literal(escape: bytes) -> None:
    item = b'BODY ("T" "P" NIL NIL NIL NIL 5) '
    start = b'* 1 FETCH (BODY[1] {1}\r\na X "%b" ' % escape
    line = start + item * ((MAX_LENGTH - len(start)) // len(item)) + b"X 5)\r\n"
    for _ in range(200):
        assert read(line) is not None


def test_longer_lines_are_left_to_the_parser() -> None:
    after_a_literal = b"* 1 FETCH (BODY[1] {1}\r\na X 5" + b" X 5" * (MAX_LENGTH // 4) + b")\r\n"
    assert StructureReader(ReadOptions()).read(after_a_literal, 0, after_a_literal.index(b"\n")) is None
    line = b'* 1 FETCH (UID 5 ENVELOPE ("d" "%b" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n'
    assert read(line % b"s") is not None
    assert read(line % (b"s" * MAX_LENGTH)) is None
    assert assert_same(3 * (line % (b"s" * MAX_LENGTH))) == 3
