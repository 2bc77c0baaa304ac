"""The lexer: tokens, values, the position in errors, and any bytes as input."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.lexer import (
    TokenSource,
    around,
    number,
    read_rest_of_list,
    read_values,
    tokens,
)
from imapclient._parsing.quoted_strings import unquote
from imapclient._parsing.records import DEFAULT_LIMITS, Record
from imapclient._parsing.responses import ReadOptions, Untagged
from imapclient.exceptions import ProtocolError

MAX_DEPTH = DEFAULT_LIMITS.nesting_depth


def values(
    line: bytes,
    start: int = 0,
    records: list[Record] | None = None,
    *,
    max_depth: int = MAX_DEPTH,
    typed: bool = True,
) -> list[Any]:
    options = ReadOptions(max_depth=max_depth)
    return read_values(Untagged(b"", None, line, start, records), options, typed=typed)


def rest_of_list(line: bytes, start: int, records: list[Record] | None = None) -> tuple[Any, ...]:
    return read_rest_of_list(Untagged(b"", None, line, start, records))


# -- tokens


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", []),
        (b" \t ", []),
        (b"a", [b"a"]),
        (b"a b\tc", [b"a", b"b", b"c"]),
        (b"(a(b)c)", [b"(", b"a", b"(", b"b", b")", b"c", b")"]),
        (b'"a b" ""', [b'"a b"', b'""']),
        (b'"a\\"b" "\\\\"', [b'"a\\"b"', b'"\\\\"']),
        (b'"a)b(c" d', [b'"a)b(c"', b"d"]),
        (b'a"b"c', [b"a", b'"b"', b"c"]),
        (b"\\Seen \\* $Forwarded", [b"\\Seen", b"\\*", b"$Forwarded"]),
        (b"BODY[HEADER.FIELDS (DATE FROM)]<0> x", [b"BODY[HEADER.FIELDS (DATE FROM)]<0>", b"x"]),
        (b"body.peek[1.mime] x", [b"body.peek[1.mime]", b"x"]),
        (b"BINARY.SIZE[1.2] 5", [b"BINARY.SIZE[1.2]", b"5"]),
        (b"BINARY.SIZE[1]\x01.\x0b\n BODY[\n]\x0c x", [b"BINARY.SIZE[1]\x01.\x0b\n", b"BODY[\n]\x0c", b"x"]),
        (b"BODY[](a)", [b"BODY[]", b"(", b"a", b")"]),
        (b"BODY[1 x", [b"BODY[1", b"x"]),
        (b'BODY[HEADER.FIELDS ("A")] x', [b"BODY[HEADER.FIELDS", b"(", b'"A"', b")", b"]", b"x"]),
        (b"XBODY[A (B)]", [b"XBODY[A", b"(", b"B", b")", b"]"]),
        (b"a[b] {3}", [b"a[b]", b"{3}"]),
        (b"\xff\0\x80", [b"\xff\0\x80"]),
    ],
)
def test_tokens(line: bytes, expected: list[bytes]) -> None:
    assert tokens(line) == expected
    assert tokens(b'* ("X ' + line, 6) == expected


@pytest.mark.parametrize(
    ("line", "position"), [(b'"', 0), (b'a "b', 2), (b'"a" "b\\', 4), (b'"a" "b\\"', 4), (b'"a""', 3), (b'""  "', 4)]
)
def test_quote_not_closed(line: bytes, position: int) -> None:
    for read in (tokens, values):
        with pytest.raises(ProtocolError, match="quoted string is not closed") as caught:
            read(line)
        assert caught.value.position == position
        assert caught.value.context == line


@given(st.one_of(st.binary(), st.text(alphabet='ab \t()[]"\\').map(str.encode)))
def test_tokens_takes_any_bytes(line: bytes) -> None:
    found: list[bytes] | None = None
    position: int | None = None
    try:
        found = tokens(line)
    except ProtocolError as error:
        position = error.position
    if found is None:
        assert position is not None
        assert line[position : position + 1] == b'"'
    elif b"[" not in line:
        # Only white space stands between tokens. The section in an item's name also holds spaces.
        assert b"".join(found) == b"".join(
            piece if index % 2 else piece.translate(None, b" \t") for index, piece in enumerate(_pieces(line))
        )


def _pieces(line: bytes) -> list[bytes]:
    """A line, cut so that every second piece is a quoted string.

    A backslash escapes the quote or backslash after it, also outside of a string.
    """
    pieces = [b""]
    for part in re.findall(rb'\\["\\]|.', line, re.DOTALL):
        if part != b'"':
            pieces[-1] += part
        elif len(pieces) % 2:
            pieces.append(part)
        else:
            pieces[-1] += part
            pieces.append(b"")
    return pieces


@given(st.binary())
def test_quoted_then_unquoted_is_the_same(content: bytes) -> None:
    quoted = b'"%s"' % content.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert tokens(quoted) == [quoted]
    assert unquote(quoted) == content
    assert values(quoted) == [content]
    assert values(b"(x " + quoted + b" 5)") == [(b"x", content, 5)]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (b"0", 0),
        (b"5", 5),
        (b"18446744073709551615", 18446744073709551615),
        (b"00", b"00"),
        (b"007", b"007"),
        (b"5a", b"5a"),
        (b"1.5", b"1.5"),
        (b"1" * 21, b"1" * 21),
        (b"1" * 5000, b"1" * 5000),
    ],
)
def test_number(token: bytes, expected: int | bytes) -> None:
    assert number(token) == expected
    assert values(token) == [expected]
    assert values(b'"x" ' + token + b' "y"') == [b"x", expected, b"y"]
    assert values(token, typed=False) == [token]


def test_around() -> None:
    line = bytes(range(200))
    assert around(line, 100) == line[60:140]
    assert around(line, 0) == line[:40]
    assert around(line, 199) == line[159:]


# -- values


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", []),
        (b"()", [()]),
        (b"(())()", [((),), ()]),
        (b"INBOX (MESSAGES 3)", [b"INBOX", (b"MESSAGES", 3)]),
        (b'NIL nil Nil NILS "NIL"', [None, None, None, b"NILS", b"NIL"]),
        (b'("a" "5" 5 (NIL (x) "")) y', [(b"a", b"5", 5, (None, (b"x",), b"")), b"y"]),
        (b'"a" 5 6 "b" 7)'[:-1], [b"a", 5, 6, b"b", 7]),
        (b'"\\\\" "\\"" "\\x"', [b"\\", b'"', b"x"]),
        (b'\\Seen "a"', [b"\\Seen", b"a"]),
        (b'"\0" "\1\\""', [b"\0", b'\1"']),
        (b'\0 \1 "a\\\\"', [b"\0", b"\1", b"a\\"]),
        (b'{3} "a"', [b"{3}", b"a"]),
        (b"-1 +1 1-2", [b"-1", b"+1", b"1-2"]),
    ],
)
def test_read_values(line: bytes, expected: list[Any]) -> None:
    assert values(line) == expected
    assert values(b'* "( ' + line, 5) == expected


def test_values_untyped() -> None:
    assert values(b'(1 NIL "a") nil', typed=False) == [(b"1", b"NIL", b"a"), b"nil"]


@pytest.mark.parametrize("announcement", [b"{3}", b"{3+}", b"~{3}", b"~{3+}"])
def test_values_with_literals(announcement: bytes) -> None:
    records: list[Record] = [
        (b"* X (a " + announcement, b"b)c"),
        (b" d " + announcement, b"NIL"),
        b") 5",
    ]
    assert values(b"* X (a " + announcement, 4, records) == [(b"a", b"b)c", b"d", b"NIL"), 5]


def test_a_literal_without_its_announcement() -> None:
    """Users' tests make up such records."""
    assert values(b"", 0, [(b"a", b"b"), b"c"]) == [b"a", b"b", b"c"]


def test_literals_without_space_around() -> None:
    assert values(b"", 0, [(b"(a{1}", b"x"), (b"{1}", b"y"), b'"z")']) == [(b"a", b"x", b"y", b"z")]


def test_rest_of_a_list() -> None:
    line = b"* 1 FETCH (UID 5 FLAGS ())"
    assert rest_of_list(line, 17) == (b"FLAGS", ())
    assert rest_of_list(b")", 0) == ()
    records: list[Record] = [(b"* 1 FETCH (BODY[] {1}", b"x"), b" UID 5)"]
    assert rest_of_list(b"* 1 FETCH (BODY[] {1}", 11, records) == (b"BODY[]", b"x", b"UID", 5)


@pytest.mark.parametrize("rest", [b"a) b", b"a) (b)", b"a)) b", b"a", b"", b"(a)", b'a "'])
def test_rest_of_a_list_that_is_not(rest: bytes) -> None:
    with pytest.raises(ProtocolError):
        rest_of_list(b"(" + rest, 1)


# -- errors


@pytest.mark.parametrize(
    ("line", "position"),
    [
        (b")", 0),
        (b"a) b)", 1),
        (b"(a)) (b))", 3),
        (b"(a) )(", 4),
        (b'"a" ")" )', 8),
    ],
)
def test_a_parenthesis_that_closes_nothing(line: bytes, position: int) -> None:
    for before in (b"", b"* X "):
        with pytest.raises(ProtocolError, match="unmatched closing parenthesis") as caught:
            values(before + line, len(before))
        assert caught.value.position == len(before) + position
        assert caught.value.context == before + line


def test_a_parenthesis_that_closes_nothing_after_a_literal() -> None:
    line = b" b) c) d)"
    with pytest.raises(ProtocolError, match="unmatched closing parenthesis") as caught:
        values(b"", 0, [(b"(a {1}", b"x"), line])
    assert caught.value.position == 5, "the first one closes what the first line opened"
    assert caught.value.context == line


@pytest.mark.parametrize("line", [b"(", b"(a (b)", b'("a" (5 "b"', b"a ("])
def test_a_parenthesis_that_is_not_closed(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="not closed") as caught:
        values(line)
    assert caught.value.position == len(line)
    assert caught.value.context == line[-40:]


@pytest.mark.parametrize("string", [b"", b'"x"', b'"\\""'])
def test_nesting_limit(string: bytes) -> None:
    line = b"a" + string + b"(" * 7 + string + b")" * 7
    assert values(line, max_depth=7)[0] == b"a"
    with pytest.raises(ProtocolError, match="max_nesting_depth=6") as caught:
        values(line, max_depth=6)
    assert caught.value.position == 1 + len(string) + 6
    assert caught.value.context is not None


def test_nesting_limit_by_default() -> None:
    line = b"(" * MAX_DEPTH + b")" * MAX_DEPTH
    value: Any = values(line)
    for _ in range(MAX_DEPTH):
        (value,) = value
    assert value == ()
    with pytest.raises(ProtocolError, match=f"max_nesting_depth={MAX_DEPTH}"):
        values(b"(" + line + b")")


def test_nesting_is_counted_over_records() -> None:
    records: list[Record] = [(b"((({1}", b"a"), b"((()))", b")))"]
    assert values(b"", 0, records, max_depth=6) == [(((b"a", (((),),)),),)]
    with pytest.raises(ProtocolError, match="max_nesting_depth"):
        values(b"", 0, records, max_depth=5)


# -- any bytes, and the same values by every short cut

_WORDS = st.sampled_from(
    [
        b"(",
        b")",
        b" ",
        b'"',
        b"\\",
        b'\\"',
        b"\\\\",
        b"\x00",
        b"\x01",
        b"NIL",
        b"5",
        b"007",
        b"abc",
        b" 12 3)",
        b'" "',
        b" NIL ",
        b'" 5 6 "',
        b"\t",
        b"BODY[A (B C)]",
        b"BODY[",
        b"{3}",
        b"()",
        b") (",
        b'""',
        b"x",
        b"9" * 21,
        b"-",
        b"\xff",
    ]
)
_LINE = st.lists(_WORDS, max_size=30).map(b"".join)


def _reference(line: bytes, typed: bool) -> list[Any]:
    """The values, by the simplest code."""
    lists: list[list[Any]] = [[]]
    for token in tokens(line):
        if token == b"(":
            lists.append([])
        elif token == b")":
            if len(lists) == 1:
                raise ProtocolError("closes nothing")
            done = tuple(lists.pop())
            lists[-1].append(done)
        elif token[:1] == b'"':
            lists[-1].append(unquote(token))
        elif not typed:
            lists[-1].append(token)
        else:
            lists[-1].append(None if token.upper() == b"NIL" else number(token))
    if len(lists) > 1:
        raise ProtocolError("not closed")
    return lists[0]


@given(st.one_of(_LINE, st.binary()), st.booleans())
def test_read_values_agrees_with_tokens(line: bytes, typed: bool) -> None:
    try:
        expected = _reference(line, typed)
    except ProtocolError:
        with pytest.raises(ProtocolError):
            values(line, typed=typed)
    else:
        for _ in range(2):  # the lexer may keep pieces of the first reading
            assert values(line, typed=typed) == expected


@given(st.lists(st.one_of(_LINE, st.tuples(_LINE, st.binary(max_size=5))), max_size=4), st.booleans())
def test_read_values_takes_any_records(records: list[Record], typed: bool) -> None:
    with contextlib.suppress(ProtocolError):
        values(b"", 0, records, typed=typed)


@given(_LINE, st.integers(min_value=0, max_value=100))
def test_read_values_takes_any_start(line: bytes, start: int) -> None:
    try:
        assert values(line, start) == values(line[start:])
    except ProtocolError:
        with pytest.raises(ProtocolError):
            values(line, start)


# -- hostile

MANY = 200_000


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize(
    "piece",
    [
        b"(",
        b")",
        b'"',
        b'\\"',
        b"BODY[",
        b"BODY[(",
        b"BODY[A (",
        b"7",
        b"[",
        b" ",
        b"\t",
        b" a",
        b'"" ',
        b"()",
        b"\\",
        b"(a ",
        b'"\\',
        b"BODY.",
        b"BINARY[x ",
        b"\x00",
        b"{1}",
        b"NIL ",
    ],
)
def test_a_long_line_of_one_thing_ends(piece: bytes) -> None:
    for line in (
        piece * (MANY // len(piece)),
        b"x " + piece * (MANY // len(piece)),
        piece * (MANY // len(piece)) + b"x",
    ):
        literals: list[Record] = [(line, b"abc"), line]
        for records in (None, literals):
            for typed in (True, False):
                with contextlib.suppress(ProtocolError):
                    values(line, 0, records, typed=typed)


def test_many_different_pieces_are_read_alike() -> None:
    """More pieces than the lexer keeps."""
    for index in range(10_000):
        atom = b"a%d" % index
        assert values(b'"x" ' + atom + b' (NIL "y")') == [b"x", atom, (None, b"y")]


@pytest.mark.parametrize("left_out", range(32))
def test_control_characters_beside_escapes(left_out: int) -> None:
    """The lexer replaces escapes by control characters. It must not confuse these with those in a string."""
    content = bytes(code for code in range(32) if code not in (left_out, 10, 13)) + b'\\"\x7f\xff'
    quoted = b'"%s"' % content.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    try:
        assert values(quoted + b" x") == [content, b"x"]
    except ProtocolError as error:
        assert "control characters" in str(error)  # noqa: PT017


# -- IMAPClient's TokenSource


def test_token_source() -> None:
    source = TokenSource([b'abc "d" (1)'])
    assert source.current_literal is None
    assert list(source) == [b"abc", b'"d"', b"(", b"1", b")"]


def test_token_source_with_literals() -> None:
    source = TokenSource([(b"a {3}", b"b c"), b" d", (b"{0}", b""), b"", b")"])
    assert [(token, source.current_literal) for token in source] == [
        (b"a", None),
        (b"{3}", b"b c"),
        (b"d", None),
        (b"{0}", b""),
        (b")", None),
    ]


def test_token_source_is_read_once() -> None:
    source = TokenSource([b"a b"])
    assert next(iter(source)) == b"a"
    assert list(source) == [b"b"]
    assert list(source) == []


def test_token_source_of_a_broken_line() -> None:
    with pytest.raises(ProtocolError):
        list(TokenSource([b'a "b']))


def test_strings_with_line_ends_keep_their_places() -> None:
    """No line of a server holds LF, but `parse_response` accepts any bytes."""
    assert values(b'"a\\"\nb" "c" "d\\\\\n"') == [b'a"\nb', b"c", b"d\\\n"]
