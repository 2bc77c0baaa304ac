"""SEARCH, and Gmail's own search."""

from __future__ import annotations

import copy
import datetime
import pickle
from typing import Any, Callable

import pytest

from imapclient.exceptions import CommandError, InvalidCriteriaError, ProtocolError
from imapclient.response_types import SearchIds
from imapclient.sequence_set import UidSet
from tests.helpers.dialogue import Case, dialogue, in_every_way, unsolicited

CASES = [
    Case(
        "search",
        lambda client: client.search(),
        "C: A1 UID SEARCH ALL",
        "S: * SEARCH 9 5 1",
        SearchIds([9, 5, 1]),
        bad=InvalidCriteriaError,
    ),
    Case(
        "search-sequence-numbers",
        lambda client: client.search("UNSEEN"),
        "C: A1 SEARCH UNSEEN",
        "S: * SEARCH 2",
        SearchIds([2]),
        bad=InvalidCriteriaError,
        use_uid=False,
    ),
    Case(
        "search-literal",
        lambda client: client.search(["SUBJECT", "café"]),
        "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {5}\nS: + go\nC: café",
        "S: * SEARCH",
        SearchIds([]),
        bad=InvalidCriteriaError,
    ),
    Case(
        "gmail-search",
        lambda client: client.gmail_search("has:attachment in:unread"),
        'C: A1 UID SEARCH CHARSET UTF-8 X-GM-RAW "has:attachment in:unread"',
        "S: * SEARCH 9 5 1",
        SearchIds([9, 5, 1]),
        needs="X-GM-EXT-1",
        bad=InvalidCriteriaError,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


_DATE = datetime.date(2020, 2, 1)
_GMAIL = "IMAP4rev1 X-GM-EXT-1"
_AWARE = datetime.datetime(2020, 2, 1, 23, 59, tzinfo=datetime.timezone(datetime.timedelta(hours=-11)))


@pytest.mark.parametrize(
    ("criteria", "sent"),
    [
        ("ALL", "C: A1 UID SEARCH ALL"),
        (b"ALL", "C: A1 UID SEARCH ALL"),
        ('SUBJECT "a b" SINCE 1-Feb-2020', 'C: A1 UID SEARCH SUBJECT "a b" SINCE 1-Feb-2020'),
        ('OR (FROM "a") (TO b)', 'C: A1 UID SEARCH OR (FROM "a") (TO b)'),
        (["UNSEEN"], "C: A1 UID SEARCH UNSEEN"),
        (("UNSEEN", b"FLAGGED"), "C: A1 UID SEARCH UNSEEN FLAGGED"),
        (["SUBJECT", "budget"], "C: A1 UID SEARCH SUBJECT budget"),
        (["SUBJECT", "a b"], 'C: A1 UID SEARCH SUBJECT "a b"'),
        (["subject", 'say "hi" \\o/'], 'C: A1 UID SEARCH subject "say \\"hi\\" \\\\o/"'),
        (["SUBJECT", ""], 'C: A1 UID SEARCH SUBJECT ""'),
        (["SUBJECT", "NIL"], 'C: A1 UID SEARCH SUBJECT "NIL"'),
        (["SUBJECT", "*"], 'C: A1 UID SEARCH SUBJECT "*"'),
        (["SUBJECT", "(x)"], 'C: A1 UID SEARCH SUBJECT "(x)"'),
        (["SUBJECT", "{5}"], 'C: A1 UID SEARCH SUBJECT "{5}"'),
        (["SUBJECT", "100%"], 'C: A1 UID SEARCH SUBJECT "100%"'),
        (["SUBJECT", "5:*"], 'C: A1 UID SEARCH SUBJECT "5:*"'),
        (["SUBJECT", 5], "C: A1 UID SEARCH SUBJECT 5"),
        (["HEADER", "X-Foo", ""], 'C: A1 UID SEARCH HEADER X-Foo ""'),
        (["HEADER", "Date", _DATE], "C: A1 UID SEARCH HEADER Date 01-Feb-2020"),
        (["HEADER", "X-Spam", "yes no"], 'C: A1 UID SEARCH HEADER X-Spam "yes no"'),
        (["NOT", ["SEEN", "DRAFT"]], "C: A1 UID SEARCH NOT (SEEN DRAFT)"),
        (["OR", ["FROM", "a b"], ("NOT", ["TO", "c"])], 'C: A1 UID SEARCH OR (FROM "a b") (NOT (TO c))'),
        (["SINCE", _DATE], "C: A1 UID SEARCH SINCE 01-Feb-2020"),
        (["BEFORE", _AWARE], "C: A1 UID SEARCH BEFORE 01-Feb-2020"),
        (["LARGER", 500, "SMALLER", 2**40], "C: A1 UID SEARCH LARGER 500 SMALLER 1099511627776"),
        (["UID", "1:*"], "C: A1 UID SEARCH UID 1:*"),
        (["UID", [3, 1, 2, 9]], "C: A1 UID SEARCH UID 1:3,9"),
        (["UID", range(1, 6)], "C: A1 UID SEARCH UID 1:5"),
        (["UID", UidSet("5:7,1")], "C: A1 UID SEARCH UID 1,5:7"),
        (["UID", {5: "x", 6: "y"}.keys()], "C: A1 UID SEARCH UID 5:6"),
        (["UID", ["1:5", b"9", 7]], "C: A1 UID SEARCH UID 1:5,7,9"),
        (["UID", ["2:*"], "UNSEEN"], "C: A1 UID SEARCH UID 2:* UNSEEN"),
        (["UID", "$"], "C: A1 UID SEARCH UID $"),
        (["UID", 5], "C: A1 UID SEARCH UID 5"),
        (["NOT", UidSet("3:5")], "C: A1 UID SEARCH NOT 3:5"),
        ([[1, 2, 5], "SEEN"], "C: A1 UID SEARCH 1:2,5 SEEN"),
        (["*"], "C: A1 UID SEARCH *"),
        (["1,2:3,*"], "C: A1 UID SEARCH 1,2:3,*"),
        (["MODSEQ", 620162338], "C: A1 UID SEARCH MODSEQ 620162338"),
        (["MODSEQ", "/flags/\\draft", "all", 5], 'C: A1 UID SEARCH MODSEQ "/flags/\\\\draft" all 5'),
        (["MODSEQ", "/flags/x", "all", 5], 'C: A1 UID SEARCH MODSEQ "/flags/x" all 5'),
        (["KEYWORD", "Work"], "C: A1 UID SEARCH KEYWORD Work"),
        (["KEYWORD", "$Forwarded"], "C: A1 UID SEARCH KEYWORD $Forwarded"),
        (["KEYWORD", "NIL", "UNKEYWORD", "a]b*{"], "C: A1 UID SEARCH KEYWORD NIL UNKEYWORD a]b*{"),
        (["KEYWORD", "from", "1:*"], "C: A1 UID SEARCH KEYWORD from 1:*"),
        (["X-GM-RAW", "has:attachment in:x"], 'C: A1 UID SEARCH X-GM-RAW "has:attachment in:x"'),
        (["FUZZY", "BODY", "a b"], 'C: A1 UID SEARCH FUZZY BODY "a b"'),
        (["YOUNGER", 3600], "C: A1 UID SEARCH YOUNGER 3600"),
        (["SUBJECT", "x\r\nA999 NOOP"], "C: A1 UID SEARCH SUBJECT {12}\nS: + go\nCx: x\\r\\nA999 NOOP"),
        (["x\r\nA999 NOOP"], "C: A1 UID SEARCH {12}\nS: + go\nCx: x\\r\\nA999 NOOP"),
        (
            ["SUBJECT", "café", "TO", "é"],
            "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {5}\nS: + go\nC: café TO {2}\nS: + go\nC: é",
        ),
        (["NOT", ["SUBJECT", "é"]], "C: A1 UID SEARCH CHARSET UTF-8 NOT (SUBJECT {2}\nS: + go\nC: é)"),
        (["SUBJECT", b"\xc3\xa9"], "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: é"),
        ('SUBJECT "é a" SEEN', "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {4}\nS: + go\nC: é a SEEN"),
        ("SUBJECT é", "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: é"),
        ("(SUBJECT é)", "C: A1 UID SEARCH CHARSET UTF-8 (SUBJECT {2}\nS: + go\nC: é)"),
        (
            'FROM "say \\"a\\"" SUBJECT "é \\"b\\""',
            'C: A1 UID SEARCH CHARSET UTF-8 FROM "say \\"a\\"" SUBJECT {6}\nS: + go\nC: é "b"',
        ),
    ],
    ids=lambda value: repr(value)[:32],
)
def test_what_is_sent(criteria: Any, sent: str) -> None:
    with dialogue(f"{sent}\nS: * SEARCH 4\nS: A1 OK Done") as client:
        assert client.search(criteria) == [4]


def test_literals_wait_even_where_the_server_needs_no_wait() -> None:
    """Dovecot 2.3 runs a literal's text as commands where it refuses what stands before it: KEYWORD a{b"""
    script = "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: é SEEN\nS: * SEARCH 4\nS: A1 OK Done"
    with dialogue(script, capabilities="IMAP4rev1 LITERAL+") as client:
        assert client.search(["SUBJECT", "é", "SEEN"]) == [4]


@pytest.mark.parametrize("criteria", [None, "", b"", "  ", [], (), [[]]])
def test_empty_criteria_are_refused_before_anything_is_sent(criteria: Any) -> None:
    with dialogue() as client, pytest.raises(InvalidCriteriaError):
        client.search(criteria)


@pytest.mark.parametrize(
    ("criteria", "charset"),
    [
        ("UNSEEN\r\nA999 NOOP", None),
        ("UNSEEN\rx", None),
        ("UNSEEN\n", None),
        ("SUBJECT \0", None),
        ("SUBJECT {5}", None),
        ("SUBJECT {5+}", None),
        (b"SUBJECT {5} ", None),
        (["SUBJECT", "x\0"], None),
        (["SUBJECT", "x"], "UTF-8\r\nA999 NOOP"),
        (["SUBJECT", "x"], "UTF 8"),
        (["SUBJECT", "é"], "us-ascii"),
        (["UID", [0, 1]], None),
        (["UID", [2**32]], None),
        (["UID", [-5]], None),
    ],
)
def test_what_can_not_be_sent_raises_before_anything_is_sent(criteria: Any, charset: str | None) -> None:
    with dialogue() as client, pytest.raises(ValueError, match=r"."):
        client.search(criteria, charset)


@pytest.mark.parametrize("criteria", [5, [None], [1.5], ["LARGER", True], [object()]])
def test_what_is_no_criterion_raises_before_anything_is_sent(criteria: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError):
        client.search(criteria)


def test_bad_means_the_criteria_and_says_them() -> None:
    script = "C: A1 UID SEARCH FOO\nS: A1 BAD [X-Y] Unknown key FOO"
    with dialogue(script) as client:
        with pytest.raises(InvalidCriteriaError, match="Unknown key FOO") as caught:
            client.search(["FOO"])
        assert "['FOO']" in str(caught.value)
        assert caught.value.status == "BAD"
        assert isinstance(caught.value, client.Error)


def test_no_does_not_mean_the_criteria() -> None:
    with dialogue("C: A1 UID SEARCH SUBJECT x\nS: A1 NO Index is being rebuilt") as client:
        with pytest.raises(CommandError, match="rebuilt") as caught:
            client.search(["SUBJECT", "x"])
        assert not isinstance(caught.value, InvalidCriteriaError)


@pytest.mark.parametrize(
    ("responses", "ids", "modseq"),
    [
        ("", [], None),
        ("S: * SEARCH", [], None),
        ("S: * SEARCH ", [], None),
        ("S: * SEARCH 3 1 2 ", [3, 1, 2], None),
        ("S: * SEARCH 3  1", [3, 1], None),
        ("S: * SEARCH 4294967295 1", [4294967295, 1], None),
        ("S: * SEARCH 1 2 (MODSEQ 917162500)", [1, 2], 917162500),
        ("S: * SEARCH 1 2 (modseq 18446744073709551615)", [1, 2], 18446744073709551615),
        ("S: * SEARCH 1 2\nS: * SEARCH 5\nS: * SEARCH", [1, 2, 5], None),
        ("S: * SEARCH 1 (MODSEQ 7)\nS: * SEARCH 5 (MODSEQ 9)\nS: * SEARCH 6", [1, 5, 6], 9),
    ],
)
def test_forms_of_the_answer(responses: str, ids: list[int], modseq: int | None) -> None:
    with dialogue(f"C: A1 UID SEARCH ALL\n{responses}\nS: A1 OK Done") as client:
        result = client.search()
        assert type(result) is SearchIds
        assert result == ids
        assert all(type(number) is int for number in result)
        assert result.modseq == modseq


@pytest.mark.parametrize("data", ["1 x", "1,2", "-1", "1.5", "(1)", '"1"', "1 (MODSEQ x)"])
def test_an_answer_that_can_not_be_read_leaves_the_connection_usable(data: str) -> None:
    script = f"""
        C: A1 UID SEARCH ALL
        S: * SEARCH {data}
        S: A1 OK Done
        C: A2 UID SEARCH ALL
        S: * SEARCH 1
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.search()
        assert client.search() == [1]


def test_a_search_response_that_nobody_asked_for_is_kept_apart() -> None:
    script = """
        C: A1 NOOP
        S: A1 OK Done
        C: A2 CREATE "x"
        S: * SEARCH 7
        S: A2 OK Done
        C: A3 UID SEARCH ALL
        S: * SEARCH 1
        S: A3 OK Done
    """
    with dialogue(script) as client:
        client.noop()
        client.create_folder("x")
        assert client.search() == [1]
        assert unsolicited(client) == [(None, b"SEARCH", b"7")]


def test_a_line_longer_than_imaplib_takes() -> None:
    ids = list(range(1000000, 1150000))
    script = "C: A1 UID SEARCH ALL\nS: * SEARCH {}\nS: A1 OK Done".format(" ".join(map(str, ids)))
    with dialogue(script) as client:
        assert client.search() == ids


# -- ESEARCH, with which an IMAP4rev2 server answers (RFC 9051, 7.3.4)


@pytest.mark.parametrize(
    ("data", "ids", "modseq"),
    [
        ('(TAG "A1") UID ALL 2,10:12', [2, 10, 11, 12], None),
        ('(TAG "A1") ALL 3:1', [1, 2, 3], None),
        ('(TAG "A1") UID', [], None),
        ("UID ALL 7", [7], None),
        ("uid all 7 modseq 1236", [7], 1236),
        ('(TAG "A1") UID COUNT 3 MIN 1 MAX 9', [], None),
    ],
)
def test_esearch(data: str, ids: list[int], modseq: int | None) -> None:
    with dialogue(f"C: A1 UID SEARCH ALL\nS: * ESEARCH {data}\nS: A1 OK Done") as client:
        result = client.search()
        assert type(result) is SearchIds
        assert result == ids
        assert result.modseq == modseq


@pytest.mark.parametrize("data", ["UID ALL x", "UID ALL (1)", "ALL 1:99999999999", "ALL 1:4294967295", "("])
def test_an_esearch_that_can_not_be_read_leaves_the_connection_usable(data: str) -> None:
    script = f"C: A1 UID SEARCH ALL\nS: * ESEARCH {data}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.search()
        assert client.noop() == (b"Done", [])


# -- criteria with more ids than a line takes

# Seven digits and a comma each: a thousand of them are 7,999 bytes, one more would go over 8,000.
_MANY = range(1000000, 1003000, 2)
_PARTS = [",".join(map(str, _MANY[:1000])), ",".join(map(str, _MANY[1000:]))]


@pytest.mark.parametrize("use_uid", [True, False])
def test_many_ids_are_searched_for_in_parts(use_uid: bool) -> None:
    verb = "UID SEARCH" if use_uid else "SEARCH"
    script = f"""
        C: A1 {verb} UNSEEN UID {_PARTS[0]} SUBJECT x
        S: * SEARCH 1000004 1000000 (MODSEQ 9)
        S: A1 OK Done
        C: A2 {verb} UNSEEN UID {_PARTS[1]} SUBJECT x
        S: * SEARCH 1002998 1000004 (MODSEQ 7)
        S: A2 OK Done
    """
    with dialogue(script, use_uid=use_uid) as client:
        result = client.search(["UNSEEN", "UID", list(_MANY), "SUBJECT", "x"])
        assert type(result) is SearchIds
        assert result == [1000000, 1000004, 1002998]
        assert result.modseq == 9


def test_the_parts_are_sent_without_waiting_for_each_others_end() -> None:
    """Whichever part an answer is for, it counts: some servers don't say."""
    script = f"""
        C: A1 UID SEARCH UID {_PARTS[0]}
        C: A2 UID SEARCH UID {_PARTS[1]}
        S: * ESEARCH (TAG "A2") UID ALL 1002000
        S: * SEARCH 1000000
        S: A2 OK Done
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.search(["UID", list(_MANY)]) == [1000000, 1002000]


def test_a_part_that_is_refused_leaves_the_connection_usable() -> None:
    script = f"""
        C: A1 UID SEARCH UID {_PARTS[0]}
        C: A2 UID SEARCH UID {_PARTS[1]}
        S: A1 BAD too long
        S: * SEARCH 1002000
        S: A2 OK Done
        C: A3 NOOP
        S: A3 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(InvalidCriteriaError, match="too long"):
            client.search(["UID", list(_MANY)])
        client.noop()


@pytest.mark.parametrize("encoded", [False, True])
def test_many_ids_in_one_string_are_searched_for_in_parts(encoded: bool) -> None:
    script = f"""
        C: A1 UID SEARCH UID {_PARTS[0]}
        S: * SEARCH 1000004
        S: A1 OK Done
        C: A2 UID SEARCH UID {_PARTS[1]}
        S: * SEARCH 1002998
        S: A2 OK Done
    """
    ids = ",".join(map(str, _MANY))
    with dialogue(script) as client:
        assert client.search(["UID", ids.encode() if encoded else ids]) == [1000004, 1002998]


def test_many_ids_in_runs_are_one_command() -> None:
    with dialogue("C: A1 UID SEARCH UID 1:100000\nS: A1 OK Done") as client:
        assert client.search(["UID", range(1, 100001)]) == []


@pytest.mark.parametrize(
    "criteria",
    [
        ["NOT", "UID", _MANY],
        ["NOT", _MANY],
        ["NOT", ["UID", _MANY]],
        ["OR", ["UID", _MANY], "SEEN"],
        [_MANY, "UID", _MANY],
    ],
)
def test_many_ids_where_parts_would_mean_something_else_raise_before_anything_is_sent(criteria: Any) -> None:
    with dialogue() as client, pytest.raises(ValueError, match=r"too (many|long)"):
        client.search(criteria)


# -- what a search gives is a list


def test_ids_are_a_list() -> None:
    with dialogue("C: A1 UID SEARCH ALL\nS: * SEARCH 3 1 2 (MODSEQ 9)\nS: A1 OK Done") as client:
        ids = client.search()
    assert isinstance(ids, list)
    assert ids == [3, 1, 2]
    assert ids != [1, 2, 3]
    assert ids[1:] == [1, 2]
    assert ids[-1] == 2
    more = [7]
    assert ids + more == [3, 1, 2, 7]
    assert more + ids == [7, 3, 1, 2]
    assert sorted(ids) == [1, 2, 3]
    assert repr(ids) == "[3, 1, 2]"
    for same in (copy.copy(ids), copy.deepcopy(ids), pickle.loads(pickle.dumps(ids))):
        assert type(same) is SearchIds
        assert same == ids
        assert same.modseq == 9
    ids.append(8)
    assert ids == [3, 1, 2, 8]


# -- Gmail's own search


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("x", "X-GM-RAW x"),
        (b"in:x y", 'X-GM-RAW "in:x y"'),
        ("", 'X-GM-RAW ""'),
        ('"a b" OR {c d}', 'X-GM-RAW "\\"a b\\" OR {c d}"'),
        ("subject:(a b)", 'X-GM-RAW "subject:(a b)"'),
        ("1:*", 'X-GM-RAW "1:*"'),
        ("NIL", 'X-GM-RAW "NIL"'),
        ("café", "X-GM-RAW {5}\nS: + go\nC: café"),
        ("a\r\nb", "X-GM-RAW {4}\nS: + go\nCx: a\\r\\nb"),
        ("x" * 1001, f"X-GM-RAW {{1001}}\nS: + go\nC: {'x' * 1001}"),
    ],
)
def test_gmail_search(query: Any, sent: str) -> None:
    script = f"C: A1 UID SEARCH CHARSET UTF-8 {sent}\nS: * SEARCH 4\nS: A1 OK Done"
    with dialogue(script, capabilities=_GMAIL) as client:
        found = client.gmail_search(query)
        assert type(found) is SearchIds
        assert found == [4]


def test_gmail_search_in_another_charset() -> None:
    script = "C: A1 SEARCH CHARSET latin-1 X-GM-RAW {1}\nS: + go\nCx: \\xe9\nS: * SEARCH 4\nS: A1 OK Done"
    with dialogue(script, capabilities=_GMAIL, use_uid=False) as client:
        assert client.gmail_search("é", "latin-1") == [4]


@pytest.mark.parametrize("query", ["x\0", "\ud800"])
def test_a_gmail_search_that_can_not_be_sent_raises_before_anything_is_sent(query: str) -> None:
    with dialogue(capabilities=_GMAIL) as client, pytest.raises(ValueError, match=r"NUL|surrogates"):
        client.gmail_search(query)
