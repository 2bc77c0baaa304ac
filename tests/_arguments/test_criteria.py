"""Search criteria: their encoding, that they inject nothing, and how long ones are split."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._arguments.command import encode_command
from imapclient._arguments.criteria import (
    in_another_charset,
    search_criteria,
    sort_keys,
    split_criteria,
    unsplit_criteria,
)
from imapclient._connection.reader import Reader
from imapclient._parsing.lexer import read_values
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import InvalidCriteriaError
from imapclient.sequence_set import SEQUENCE_SET_LIMIT, UidSet
from tests.fixtures.chunks import ChunkTransport
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS, as_a_server_reads_it, numbers, on_the_wire

# -- search criteria


def criteria_on_the_wire(criteria: Any, charset: str | None = None) -> tuple[bytes | None, bytes]:
    """The charset to send, and the arguments as the server receives them."""
    found = search_criteria(criteria, charset)
    return found.charset, on_the_wire(*found.arguments)[5:-2]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("ALL", b"ALL"),
        (b"UNSEEN SINCE 1-Feb-2020", b"UNSEEN SINCE 1-Feb-2020"),
        ('SUBJECT "a b" (OR SEEN FLAGGED)', b'SUBJECT "a b" (OR SEEN FLAGGED)'),
        (["UNSEEN"], b"UNSEEN"),
        (["NOT", "DELETED", "FLAGGED"], b"NOT DELETED FLAGGED"),
        (("KEYWORD", "$Forwarded"), b"KEYWORD $Forwarded"),
        (["UID", "1:*"], b"UID 1:*"),
        (["UID", "*"], b"UID *"),
        (["1,2:3,*", "SEEN"], b"1,2:3,* SEEN"),
        (["UID", [1, 2, 3, 5]], b"UID 1:3,5"),
        (["UID", range(1, 100)], b"UID 1:99"),
        (["UID", {7}], b"UID 7"),
        (["UID", "$"], b"UID $"),
        (["HEADER", "X-Foo", ""], b'HEADER X-Foo ""'),
        (["HEADER", "X Foo", "a*"], b'HEADER "X Foo" "a*"'),
        (["SINCE", datetime.date(2020, 2, 1)], b"SINCE 01-Feb-2020"),
        (["SINCE", datetime.datetime(2020, 2, 1, 10)], b"SINCE 01-Feb-2020"),
        (["LARGER", 5000], b"LARGER 5000"),
        (["LARGER", "5000"], b"LARGER 5000"),
        (["SUBJECT", "hello"], b"SUBJECT hello"),
        (["SUBJECT", "two words"], b'SUBJECT "two words"'),
        (["subject", "*"], b'subject "*"'),
        (["SUBJECT", "5:*"], b'SUBJECT "5:*"'),
        (["SUBJECT", "%"], b'SUBJECT "%"'),
        (["SUBJECT", "NIL"], b'SUBJECT "NIL"'),
        (["SUBJECT", "(a)"], b'SUBJECT "(a)"'),
        (["SUBJECT", 'say "hi" \\o/'], b'SUBJECT "say \\"hi\\" \\\\o/"'),
        (["SUBJECT", "{5}"], b'SUBJECT "{5}"'),
        (["SUBJECT", "a\r\nb"], b"SUBJECT {4}\r\na\r\nb"),
        (["SUBJECT", "SUBJECT", "FROM", "x"], b"SUBJECT SUBJECT FROM x"),
        (["OR", ["SUBJECT", "a b"], ["NOT", ["SEEN"]]], b'OR (SUBJECT "a b") (NOT (SEEN))'),
        (["OR", ("SEEN",), "FLAGGED"], b"OR (SEEN) FLAGGED"),
        (["MODSEQ", "/flags/\\seen", "all", 5], b'MODSEQ "/flags/\\\\seen" all 5'),
        (["MODSEQ", "/flags/x", "all", 5], b'MODSEQ "/flags/x" all 5'),
        (["SUBJECT", b"bytes"], b"SUBJECT bytes"),
        (["X-GM-RAW", "has:attachment in:inbox"], b'X-GM-RAW "has:attachment in:inbox"'),
        (["X-GM-LABELS", "\\Inbox"], b'X-GM-LABELS "\\\\Inbox"'),
        (iter(["SUBJECT", "x y"]), b'SUBJECT "x y"'),
        (["KEYWORD", "NIL"], b"KEYWORD NIL"),
        (["unkeyword", "a]b"], b"unkeyword a]b"),
        (["KEYWORD", "from", "1:*"], b"KEYWORD from 1:*"),
        (["KEYWORD", "SUBJECT", "NOT", "1:*"], b"KEYWORD SUBJECT NOT 1:*"),
        (["UID", ["1:5", b"9", 7]], b"UID 1:5,7,9"),
        (["UID", UidSet("7,5:6")], b"UID 5:7"),
        ([UidSet("7,5:6")], b"5:7"),
        (["uid", {3: "x"}.keys(), "NOT", ["SEEN"]], b"uid 3 NOT (SEEN)"),
        (["SUBJECT", "UID", ["SEEN"]], b"SUBJECT UID (SEEN)"),
        (["SUBJECT", 5, "UID", [5]], b"SUBJECT 5 UID 5"),
        (["SUBJECT", "x" * 1000], b"SUBJECT " + b"x" * 1000),
        (["SUBJECT", "x" * 1001], b"SUBJECT {1001}\r\n" + b"x" * 1001),
    ],
)
def test_criteria(criteria: Any, expected: bytes) -> None:
    assert criteria_on_the_wire(criteria) == (None, expected)


def test_nested_criteria_keep_the_charset() -> None:
    criteria = ["OR", ["SUBJECT", "café"], ["SUBJECT", "thé"]]
    assert criteria_on_the_wire(criteria, "UTF-8") == (
        b"UTF-8",
        b"OR (SUBJECT {5}\r\ncaf\xc3\xa9) (SUBJECT {4}\r\nth\xc3\xa9)",
    )
    assert criteria_on_the_wire(criteria, "iso-8859-1") == (
        b"iso-8859-1",
        b"OR (SUBJECT {4}\r\ncaf\xe9) (SUBJECT {3}\r\nth\xe9)",
    )


def test_text_without_a_charset_is_in_utf8() -> None:
    assert criteria_on_the_wire(["SUBJECT", "é"]) == (None, b"SUBJECT {2}\r\n\xc3\xa9")
    assert criteria_on_the_wire(["NOT", ["SUBJECT", "é"]]) == (None, b"NOT (SUBJECT {2}\r\n\xc3\xa9)")
    assert criteria_on_the_wire(["SUBJECT", b"\xe9"]) == (None, b"SUBJECT {1}\r\n\xe9")


def test_a_charset_is_named_as_it_is_given() -> None:
    assert criteria_on_the_wire(["SUBJECT", "x"]) == (None, b"SUBJECT x")
    assert criteria_on_the_wire(["SUBJECT", "x"], "") == (None, b"SUBJECT x")
    assert criteria_on_the_wire(["SUBJECT", "x"], "utf-8") == (b"utf-8", b"SUBJECT x")
    assert criteria_on_the_wire("ALL", "US-ASCII") == (b"US-ASCII", b"ALL")


@pytest.mark.parametrize(
    ("criteria", "is_ascii", "is_str"),
    [
        (["SUBJECT", "x", "UID", [1]], True, True),
        (["SUBJECT", "é"], False, True),
        (["NOT", [["SUBJECT", "é"]]], False, True),
        (["é"], False, True),
        (["SUBJECT", b"x"], True, False),
        ([b"SUBJECT", "x"], True, False),
        (["OR", ["SUBJECT", b"\xc3\xa9"], "SEEN"], False, False),
        ("SUBJECT x", True, True),
        ("SUBJECT é", False, True),
        (b"SUBJECT x", True, False),
        (b"SUBJECT \xc3\xa9", False, False),
        (b"SUBJECT \xe9", False, False),
    ],
)
def test_what_is_known_about_the_text(criteria: Any, is_ascii: bool, is_str: bool) -> None:
    found = search_criteria(criteria, None)
    assert (found.is_ascii, found.is_str) == (is_ascii, is_str)


def test_a_charset_of_seven_bits() -> None:
    name, wire = criteria_on_the_wire(["SUBJECT", "日本"], "iso-2022-jp")
    assert name == b"iso-2022-jp"
    encoded = "日本".encode("iso-2022-jp").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert wire == b'SUBJECT "' + encoded + b'"'


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ('SUBJECT "é x" SEEN', b"SUBJECT {4}\r\n\xc3\xa9 x SEEN"),
        ("SUBJECT é", b"SUBJECT {2}\r\n\xc3\xa9"),
        ('OR (SUBJECT "é") (FROM é)', b"OR (SUBJECT {2}\r\n\xc3\xa9 ) (FROM {2}\r\n\xc3\xa9)"),
        ('SUBJECT "say \\"é\\"" FROM "a b"', b'SUBJECT {8}\r\nsay "\xc3\xa9" FROM "a b"'),
        # A string with escaped quotes stays unchanged.
        ('FROM "a\\"" SUBJECT "é" TO "\\\\"', b'FROM "a\\"" SUBJECT {2}\r\n\xc3\xa9 TO "\\\\"'),
        ("KEYWORD x SUBJECT é UID 1:*,5", b"KEYWORD x SUBJECT {2}\r\n\xc3\xa9 UID 1:*,5"),
    ],
)
def test_a_criteria_string_that_is_not_ascii(criteria: str, expected: bytes) -> None:
    """Its strings are sent as literals, because servers damage or refuse 8-bit text in quotes."""
    found = search_criteria(criteria, None)
    assert as_a_server_reads_it(*found.arguments) == _values_of(b"* X " + expected)
    assert search_criteria(criteria.encode(), None) == found._replace(is_str=False)


def _values_of(wire: bytes) -> list[Any]:
    line, records = Reader(ChunkTransport([wire + b"\r\n"])).read_response()
    return read_values(Untagged(b"", None, line, 4, records), typed=False)


@pytest.mark.parametrize("criteria", ['SUBJECT "é', 'SUBJECT é"', 'SUBJECT "é\\"'])
def test_a_quote_that_is_not_closed_in_a_criteria_string(criteria: str) -> None:
    with pytest.raises(ValueError, match="not closed"):
        search_criteria(criteria, None)


@pytest.mark.parametrize("criteria", ["", " ", [], (), b"", iter(())])
def test_no_criteria(criteria: Any) -> None:
    with pytest.raises(InvalidCriteriaError, match="no criteria specified"):
        search_criteria(criteria, None)


@pytest.mark.parametrize(
    "criteria",
    [5, [None], [1.5], ["SUBJECT", True], [object()], ["NOT", {"a": 1}], [bytearray(b"SEEN")], [iter(["SEEN"])]],
)
def test_criteria_of_a_wrong_type(criteria: Any) -> None:
    with pytest.raises(TypeError):
        search_criteria(criteria, None)


def test_an_empty_list_within_criteria() -> None:
    with pytest.raises(InvalidCriteriaError, match=r"no criteria|empty criteria"):
        search_criteria(["NOT", []], None)


@pytest.mark.parametrize("number", [0, -1, 2**32])
def test_criteria_with_ids_that_are_none(number: int) -> None:
    with pytest.raises(ValueError, match="a message number must be from 1 to 4294967295"):
        search_criteria(["UID", [number]], None)


@pytest.mark.parametrize("charset", ["UTF-8\r\nA999 NOOP", "UTF 8", 'UTF"8', "UTF-8 {5}", "ä", "(", "nö\0"])
def test_a_charset_injects_nothing(charset: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        search_criteria("ALL", charset)


@pytest.mark.parametrize("charset", ["X-UNKNOWN", "hex"])
def test_a_charset_that_python_does_not_know(charset: str) -> None:
    """The second name is a Python codec, but not a charset."""
    for criteria in (["SUBJECT", "é"], "SUBJECT é", ["NOT", ["é"]]):
        with pytest.raises(ValueError, match=f"unknown charset: '{charset}'"):
            search_criteria(criteria, charset)
    assert criteria_on_the_wire(["SUBJECT", b"\xe9", "SEEN"], charset)[1] == b"SUBJECT {1}\r\n\xe9 SEEN"
    assert criteria_on_the_wire(b"SUBJECT \xe9", charset)[1] == b"SUBJECT {1}\r\n\xe9"
    assert criteria_on_the_wire("SUBJECT x", charset)[1] == b"SUBJECT x"


def test_a_charset_in_which_ascii_is_something_else() -> None:
    """The text is encoded in it, the words of the command are not."""
    assert criteria_on_the_wire(["SUBJECT", "a+é", "KEYWORD", "a+b"], "UTF-7")[1] == b"SUBJECT a+-+AOk- KEYWORD a+b"
    assert criteria_on_the_wire("SUBJECT a+b", "UTF-7")[1] == b"SUBJECT a+b"
    assert criteria_on_the_wire("SUBJECT é SEEN", "UTF-7")[1] == b'SUBJECT "+AOk-" SEEN'
    assert criteria_on_the_wire("UNSEEN", "UTF-16")[1] == b"UNSEEN"
    for criteria in (["SUBJECT", "x"], "SUBJECT é"):
        with pytest.raises(ValueError, match="NUL"):
            search_criteria(criteria, "UTF-16")


@pytest.mark.parametrize("criteria", [["SUBJECT", "日"], "SUBJECT 日", ["OR", "SEEN", ["TO", "日"]]])
def test_text_that_the_charset_lacks(criteria: Any) -> None:
    with pytest.raises(ValueError, match="encode"):
        search_criteria(criteria, "iso-8859-1")


# -- another charset


@pytest.mark.parametrize(
    ("criteria", "charset", "names", "expected"),
    [
        (["SUBJECT", "Ж"], None, (b"US-ASCII", b"KOI8-R", b"UTF-8"), (b"KOI8-R", b"SUBJECT {1}\r\n\xf6")),
        (["SUBJECT", "Ж"], None, (b"UTF-8", b"KOI8-R"), (b"KOI8-R", b"SUBJECT {1}\r\n\xf6")),
        (["SUBJECT", "Ж"], "KOI8-R", (b"koi8-r", b"UTF-8"), (b"UTF-8", b"SUBJECT {2}\r\n\xd0\x96")),
        (["SUBJECT", "x"], "KOI7", (b"US-ASCII", b"UTF-8"), (b"US-ASCII", b"SUBJECT x")),
        (["SUBJECT", "x"], "KOI7", (b"UTF-8", b"US-ASCII"), (b"UTF-8", b"SUBJECT x")),
        (["SUBJECT", "x"], "KOI7", (b"UTF-16", b"a b", b"", b"\xff", 5, None, (b"UTF-8",)), None),
        (["SUBJECT", "x"], None, (b"US-ASCII",), (b"US-ASCII", b"SUBJECT x")),
        ("SUBJECT Ж SEEN", None, (b"KOI8-R",), (b"KOI8-R", b"SUBJECT {1}\r\n\xf6 SEEN")),
        (["SUBJECT", b"x"], "KOI7", (b"US-ASCII",), None),
        (b"SUBJECT x", "KOI7", (b"US-ASCII",), None),
    ],
)
def test_in_another_charset(criteria: Any, charset: str | None, names: Any, expected: Any) -> None:
    refused = search_criteria(criteria, charset)
    found = in_another_charset(criteria, refused, (b"BADCHARSET", (names,)))
    assert (found and (found.charset, on_the_wire(*found.arguments)[5:-2])) == expected


@pytest.mark.parametrize("code", [None, (b"BADCHARSET", ()), (b"BADCHARSET", ((),)), (b"BADCHARSET", (b"UTF-8",))])
def test_in_another_charset_where_none_is_named(code: Any) -> None:
    assert in_another_charset(["SUBJECT", "x"], search_criteria(["SUBJECT", "x"], "KOI7"), code) is None


@given(
    st.text(alphabet='aé\xa0Жя日\r\n{}"\\ ', min_size=1),
    st.permutations(["US-ASCII", "ISO-8859-1", "KOI8-R", "GB2312"]),
)
def test_another_charset_has_all_of_the_text(text: str, names: list[str]) -> None:
    criteria = ["SUBJECT", text]
    code = (b"BADCHARSET", (tuple(name.encode() for name in names),))
    found = in_another_charset(criteria, search_criteria(criteria, "UTF-8"), code)
    fitting = [name for name in names if text.encode(name, "ignore").decode(name) == text]
    if not fitting:
        assert found is None
    else:
        assert found is not None
        assert found.charset == fitting[0].encode()
        assert as_a_server_reads_it(*found.arguments) == [b"SUBJECT", text.encode(fitting[0])]


@pytest.mark.parametrize("text", INJECTIONS + ANNOUNCEMENTS)
def test_criteria_inject_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="search criteria must not"):
        search_criteria("SUBJECT " + text, None)
    for value in (text, text.encode()):
        for criteria in (
            [value],
            ["SUBJECT", value],
            ["HEADER", value, value],
            ["NOT", ["TEXT", value]],
            ["é", value],
        ):
            if "\0" in text:
                with pytest.raises(ValueError, match="NUL"):
                    search_criteria(criteria, None)
            else:
                arguments = search_criteria(criteria, None).arguments
                # In all but the first, a key precedes it.
                assert text.encode() in _flat(as_a_server_reads_it(b"X", *arguments))


def _flat(values: Any) -> list[Any]:
    return [inner for value in values for inner in (_flat(value) if isinstance(value, tuple) else [value])]


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_text_in_criteria_comes_back(values: list[str]) -> None:
    criteria: list[Any] = []
    expected: list[Any] = []
    for value in values:
        criteria += ["SUBJECT", value]
        expected += [b"SUBJECT", value.encode()]
    found = search_criteria(criteria, None)
    assert as_a_server_reads_it(*found.arguments) == expected
    assert found.is_ascii == all(value.isascii() for value in values)


@given(st.text(max_size=40))
def test_a_criteria_string_is_one_command_or_none(text: str) -> None:
    try:
        arguments = search_criteria(text, None).arguments
    except (ValueError, InvalidCriteriaError):
        return
    pieces = encode_command(b"A1", b"SEARCH", arguments)
    for index, piece in enumerate(pieces):
        if isinstance(piece, bytes):
            last = index == len(pieces) - 1
            body = piece[:-2] if last else piece
            assert not re.search(rb"[\r\n\0]", body)
            assert not last or not re.search(rb"\{\d+\+?\}\Z", body)


# -- criteria that are too long for one command

LONG = range(1, 20_000, 2)


def test_short_criteria_are_not_split() -> None:
    for criteria in ("ALL", ["UID", [1, 2]], ["NOT", ["UID", [1, 2, 9]]], ["UID", range(1, 100_000)]):
        arguments = search_criteria(criteria, None).arguments
        assert unsplit_criteria(arguments) is arguments
        assert split_criteria(arguments) == [arguments]


def test_split_criteria() -> None:
    arguments = search_criteria(["UNSEEN", "UID", LONG, "SUBJECT", "x"], None).arguments
    with pytest.raises(ValueError, match="too long for one command"):
        unsplit_criteria(arguments)
    parts = [on_the_wire(*part)[5:-2] for part in split_criteria(arguments)]
    found: list[int] = []
    for part in parts:
        match = re.fullmatch(rb"UNSEEN UID ([\d,:]+) SUBJECT x", part)
        assert match
        assert len(match.group(1)) <= SEQUENCE_SET_LIMIT
        found += numbers(match.group(1))
    assert found == list(LONG)


@pytest.mark.parametrize(
    "criteria",
    [
        ["NOT", "UID", LONG],
        ["NOT", ["UID", LONG]],
        ["OR", ["UID", LONG], "SEEN"],
        ["UID", LONG, "UID", LONG],
        ["SEEN", [["UID", LONG]]],
    ],
)
def test_criteria_that_can_not_be_split(criteria: Any) -> None:
    """The results of the parts would not be the result of the whole."""
    arguments = search_criteria(criteria, None).arguments
    for function in (split_criteria, unsplit_criteria):
        with pytest.raises(ValueError, match=r"too (long|many) for one command"):
            function(arguments)


# -- sort criteria


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("DATE", (b"DATE",)),
        (b"reverse size", (b"REVERSE", b"SIZE")),
        (["REVERSE SIZE", b"subject"], (b"REVERSE", b"SIZE", b"SUBJECT")),
        (iter(("REVERSE", "X-SCORE")), (b"REVERSE", b"X-SCORE")),
        (" DATE  CC ", (b"DATE", b"CC")),
    ],
)
def test_sort_keys(values: Any, expected: tuple[bytes, ...]) -> None:
    assert sort_keys(values) == expected


@pytest.mark.parametrize("text", [*INJECTIONS, *ANNOUNCEMENTS, "(DATE)", "DATE)", '"DATE"', "é", "DATE\tSIZE"])
def test_sort_keys_inject_nothing(text: str) -> None:
    for values in (text, text.encode(), ["DATE", text], [text.encode()]):
        with pytest.raises(ValueError, match="not a valid sort criterion"):
            sort_keys(values)


@pytest.mark.parametrize("values", ["", b" ", [], [""], iter(())])
def test_no_sort_keys(values: Any) -> None:
    with pytest.raises(InvalidCriteriaError, match="no sort criteria specified"):
        sort_keys(values)


@pytest.mark.parametrize("keyword", ["\\Seen", "two words", "", "(a)", '"a"', "a\r\nb", "\0", "ü", b"\xff", "{5}"])
@pytest.mark.parametrize("key", ["KEYWORD", "unkeyword"])
def test_a_keyword_that_is_no_atom(key: str, keyword: str | bytes) -> None:
    """It has no other form: flag-keyword = atom."""
    with pytest.raises(ValueError, match="not a valid keyword"):
        search_criteria([key, keyword], None)


def test_an_empty_list_of_ids_is_named() -> None:
    for criteria in (["UID", []], ["UID", [], "UNSEEN"], ["NOT", ["UID", ()]]):
        with pytest.raises(InvalidCriteriaError, match="they contain an empty list"):
            search_criteria(criteria, None)
