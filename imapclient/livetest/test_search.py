"""SEARCH, SORT and THREAD."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, CommandError, InvalidCriteriaError
from imapclient.livetest.fixtures import fill, ids, message, needs, with_uids
from imapclient.sequence_set import UidSet

_UTC = datetime.timezone.utc
_UTF8 = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")


@pytest.fixture
def searched(client: IMAPClient, folder: str, numbering: str) -> dict[str, int]:
    """The ids of the messages in the selected folder, by names for the tests."""
    wanted = {
        "old": (message("Old news", b"alpha\r\n", "Date: Fri, 10 Jan 2020 12:00:00 +0000"), [b"\\Seen"], 2020),
        "new": (message("New budget", b"beta\r\n", "Date: Sun, 10 Jan 2021 12:00:00 +0000"), [b"\\Flagged"], 2021),
        "quote": (message('He said "no (way)"', b"alpha beta\r\n", "X-Kind: odd {3}"), [], 2022),
        "umlaut": (message("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Schöne 日本 Äpfel\r\n".encode(), *_UTF8), [], 2023),
        "large": (message("Large", b"gamma " * 2000 + b"\r\n", "Cc: carol@example.com"), [b"\\Deleted"], 2024),
    }
    for data, flags, year in wanted.values():
        client.append(folder, data, flags, datetime.datetime(year, 1, 10, 12, tzinfo=_UTC))
    client.select_folder(folder)
    return dict(zip(wanted, ids(client)))


# Criteria, and the names of the messages that match them.
_CRITERIA: list[tuple[Any, str]] = [
    ("ALL", "old new quote umlaut large"),
    (b"ALL", "old new quote umlaut large"),
    (["ALL"], "old new quote umlaut large"),
    ("SEEN", "old"),
    (["NOT", "SEEN"], "new quote umlaut large"),
    (["NOT", ["OR", "SEEN", "FLAGGED"]], "quote umlaut large"),
    (["OR", "SEEN", ["FLAGGED", "UNSEEN"]], "old new"),
    (["OR", ["SUBJECT", "news"], ["OR", ["SUBJECT", "budget"], ["LARGER", 5000]]], "old new large"),
    ("OR (SUBJECT news) (SUBJECT budget)", "old new"),
    ([["BODY", "alpha"], ["NOT", "SEEN"]], "quote"),
    ("UNDELETED UNFLAGGED", "old quote umlaut"),
    (["DELETED"], "large"),
    (["SUBJECT", "news"], "old"),
    (["SUBJECT", b"news"], "old"),
    (["SUBJECT", 'said "no (way)"'], "quote"),
    (["SUBJECT", "NIL"], ""),
    ('SUBJECT "New budget"', "new"),
    (["BODY", "alpha"], "old quote"),
    (["TEXT", "alpha", "BODY", "beta"], "quote"),
    (["CC", "carol"], "large"),
    (["FROM", "ann@example.org", "SEEN"], "old"),
    (["HEADER", "X-Kind", "odd {3}"], "quote"),
    (["HEADER", "Cc", ""], "large"),
    (["LARGER", 5000], "large"),
    (["SMALLER", 5000, "SEEN"], "old"),
    (["SUBJECT", "nothing like this"], ""),
]

_DATES: list[tuple[Any, str]] = [
    (["SINCE", datetime.date(2022, 1, 1)], "quote umlaut large"),
    (["BEFORE", datetime.datetime(2022, 1, 1)], "old new"),
    (["SINCE", datetime.date(2021, 1, 1), "BEFORE", datetime.date(2023, 1, 1)], "new quote"),
    (["NOT", ["SINCE", datetime.date(2021, 1, 1)]], "old"),
    ("SINCE 1-Jan-2024", "large"),
    (["SENTBEFORE", datetime.date(2020, 6, 1), "HEADER", "Date", ""], "old"),
    (["SENTON", datetime.date(2021, 1, 10)], "new"),
]

_NON_ASCII: list[tuple[Any, str]] = [
    (["TEXT", "Äpfel"], "umlaut"),
    (["BODY", "日本"], "umlaut"),
    (["BODY", "Schöne 日本"], "umlaut"),
    ('BODY "Schöne 日本"', "umlaut"),
    ('BODY "Schöne 日本"'.encode(), "umlaut"),
    ('OR SEEN (BODY Schöne NOT SUBJECT "x \\"y\\"")', "old umlaut"),
    (["OR", "SEEN", ["BODY", "日本"]], "old umlaut"),
]


def _check(client: IMAPClient, searched: dict[str, int], cases: list[tuple[Any, str]], *charset: str | None) -> None:
    names = {uid: name for name, uid in searched.items()}
    found = [(criteria, [names[uid] for uid in sorted(client.search(criteria, *charset))]) for criteria, _ in cases]
    assert found == [(criteria, wanted.split()) for criteria, wanted in cases]


def test_search(client: IMAPClient, searched: dict[str, int]) -> None:
    _check(client, searched, _CRITERIA)


def test_search_for_dates(client: IMAPClient, searched: dict[str, int]) -> None:
    _check(client, searched, _DATES)


def test_search_on_a_day(client: IMAPClient, searched: dict[str, int]) -> None:
    uid = searched["new"]
    client.normalise_times = False
    day = client.fetch(uid, "INTERNALDATE")[uid][b"INTERNALDATE"].date()
    assert client.search(["ON", day]) == [uid]


def test_search_for_non_ascii(client: IMAPClient, searched: dict[str, int]) -> None:
    for charset in (None, "UTF-8", "utf-8"):
        _check(client, searched, _NON_ASCII, charset)


def test_search_for_a_decoded_subject(client: IMAPClient, searched: dict[str, int]) -> None:
    assert client.search(["SUBJECT", "Grüße"]) == [searched["umlaut"]]


def test_search_for_line_breaks_is_no_injection(client: IMAPClient, searched: dict[str, int]) -> None:
    # The text is sent as a literal, and no message contains it. In a quoted string it would end the command.
    assert client.search(["BODY", 'x"\r\nA1 LOGOUT\r\n']) == []
    assert len(client.search()) == len(searched)


def test_search_for_invalid_text(client: IMAPClient, searched: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        client.search(["BODY", "a\0b"])
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        client.search("ALL\r\nA1 LOGOUT")
    assert len(client.search()) == len(searched)


def test_search_by_modification_sequence(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "CONDSTORE")
    # A server may count modifications only after the first request for them.
    before = client.search(["MODSEQ", 1]).modseq
    assert before is not None
    client.add_flags(searched["quote"], "\\Answered")
    changed = client.search(["MODSEQ", before + 1])
    assert changed == [searched["quote"]]
    assert changed.modseq is not None
    assert changed.modseq > before
    assert client.search(["MODSEQ", before + 1, "SEEN"]) == []


@with_uids
def test_search_within_ids(client: IMAPClient, searched: dict[str, int]) -> None:
    old, new, quote = searched["old"], searched["new"], searched["quote"]
    assert sorted(client.search(["UID", f"{old}:{quote}", "UNSEEN"])) == [new, quote]
    assert sorted(client.search(["UID", [old, quote]])) == [old, quote]
    assert sorted(client.search(["UID", [f"{old}:{new}", quote]])) == [old, new, quote]
    assert sorted(client.search(["UID", UidSet(f"{new}:{quote},{old}")])) == [old, new, quote]
    assert client.search(["UID", f"{searched['large']}:*"]) == [searched["large"]]


def test_search_within_sequence_numbers(client: IMAPClient, searched: dict[str, int]) -> None:
    assert sorted(client.search(["2:3"])) == [searched["new"], searched["quote"]]
    assert sorted(client.search([[1, 3]])) == [searched["old"], searched["quote"]]


@with_uids
def test_search_returns_sequence_numbers(client: IMAPClient, searched: dict[str, int]) -> None:
    client.use_uid = False
    assert client.search(["SUBJECT", "Large"]) == [5]
    assert sorted(client.search(["UID", searched["new"]])) == [2]


def test_search_by_wrong_criteria(client: IMAPClient, searched: dict[str, int]) -> None:
    with pytest.raises(CommandError) as caught:
        client.search(["NOSUCHKEY", "x"])
    _check_refusal(caught.value, "NOSUCHKEY")
    assert client.search(["SEEN"]) == [searched["old"]]


def _check_refusal(error: CommandError, criterion: str) -> None:
    """If a criterion is wrong, servers answer BAD, or NO: "can't search that criteria" (RFC 3501, 6.4.4)."""
    if error.status == "BAD":
        assert isinstance(error, InvalidCriteriaError)
        assert criterion in str(error)
    assert error.status in ("BAD", "NO")


@pytest.mark.parametrize("criteria", ["", [], " "])
def test_search_without_criteria(client: IMAPClient, searched: dict[str, int], criteria: Any) -> None:
    with pytest.raises(InvalidCriteriaError):
        client.search(criteria)
    assert len(client.search()) == len(searched)


def test_search_in_an_unknown_charset(client: IMAPClient, searched: dict[str, int]) -> None:
    # A server refuses an unknown charset (BADCHARSET), or ignores it for ASCII text.
    with contextlib.suppress(CommandError):
        assert client.search(["BODY", "gamma"], "X-NO-SUCH-CHARSET") == [searched["large"]]
    with pytest.raises(ValueError, match="unknown charset"):
        client.search(["BODY", "Äpfel"], "X-NO-SUCH-CHARSET")
    assert client.search(["SEEN"]) == [searched["old"]]


def test_search_in_an_empty_folder(client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    found = client.search()
    assert found == []
    assert found.modseq is None


def test_search_for_a_long_text(client: IMAPClient, folder: str) -> None:
    # Some servers refuse quoted strings of this length, so the text is sent as a literal.
    word = "long" * 500
    found = fill(client, folder, [message("Other"), message("Long", f"{word}\r\n".encode("ascii"))])
    assert client.search(["BODY", word]) == [found[1]]


# -- SORT and THREAD (RFC 5256)


def _sorted(client: IMAPClient, searched: dict[str, int], *arguments: Any) -> list[str]:
    names = {uid: name for name, uid in searched.items()}
    return [names[uid] for uid in client.sort(*arguments)]


def test_sort(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "SORT")
    by_date = ["old", "new", "quote", "umlaut", "large"]
    assert _sorted(client, searched, "ARRIVAL") == by_date
    assert _sorted(client, searched, b"reverse arrival") == by_date[::-1]
    assert _sorted(client, searched, ["SUBJECT"], ["NOT", ["SUBJECT", "Grüße"]]) == ["quote", "large", "new", "old"]
    assert _sorted(client, searched, ["REVERSE SIZE"], "ALL", "US-ASCII")[0] == "large"
    assert _sorted(client, searched, ["FROM", "REVERSE ARRIVAL"], ["BODY", "alpha"]) == ["quote", "old"]
    assert _sorted(client, searched, "DATE", ["SUBJECT", "nothing like this"]) == []


def test_sort_for_non_ascii(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "SORT")
    for criteria, wanted in _NON_ASCII:
        assert _sorted(client, searched, "ARRIVAL", criteria) == wanted.split()
    assert _sorted(client, searched, "REVERSE ARRIVAL", ["OR", ["BODY", "日本"], "SEEN"]) == ["umlaut", "old"]


def test_sort_by_displayed_name(client: IMAPClient, folder: str) -> None:
    needs(client, "SORT", "SORT=DISPLAY")
    senders = ["=?utf-8?q?=C3=84nn?= <z@example.org>", "zoe@example.org", "Bob <x@example.org>"]
    found = fill(client, folder, [f"From: {sender}\r\nSubject: x\r\n\r\n".encode() for sender in senders])
    ordered = client.sort("DISPLAYFROM")
    assert sorted(ordered) == found
    assert ordered.index(found[2]) < ordered.index(found[1])


def test_sort_with_modseq(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "SORT", "CONDSTORE")
    found = client.sort("REVERSE ARRIVAL", ["MODSEQ", 1])
    assert found == list(reversed(searched.values()))
    assert isinstance(found.modseq, int)


def test_sort_by_a_wrong_criterion(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "SORT")
    with pytest.raises(CommandError) as caught:
        client.sort("NOSUCHKEY")
    _check_refusal(caught.value, "NOSUCHKEY")
    with pytest.raises(ValueError, match="not a valid sort criterion"):
        client.sort("DATE) UTF-8 ALL\r\nA1 LOGOUT")
    assert client.search(["SEEN"]) == [searched["old"]]


_THREADED = {
    "root": ("Plan", ""),
    "answer": ("Re: Plan", "References: <root@example.org>"),
    "deep": ("Re: Plan", "References: <root@example.org> <answer@example.org>"),
    "other": ("Re: Plan", "References: <root@example.org>"),
    "alone": ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", ""),
    "orphan": ("Re: Lost", "References: <lost@example.org>"),
    "twin": ("Re: Lost", "References: <lost@example.org>"),
}


@pytest.fixture
def threaded(client: IMAPClient, folder: str, numbering: str) -> dict[str, int]:
    """The ids of the messages in the selected folder, by names for the tests. Some are replies to others."""
    for day, (name, (subject, references)) in enumerate(_THREADED.items(), 1):
        headers = [f"Message-ID: <{name}@example.org>", f"Date: {day} Jan 2020 12:00:00 +0000", references]
        client.append(folder, message(subject, b"x\r\n", *filter(None, headers)))
    client.select_folder(folder)
    return dict(zip(_THREADED, ids(client)))


def test_thread(client: IMAPClient, threaded: dict[str, int]) -> None:
    needs(client, "THREAD=REFERENCES")
    root, answer, deep, other, alone, orphan, twin = threaded.values()
    expected = ((root, (answer, deep), (other,)), (alone,), ((orphan,), (twin,)))
    assert client.thread() == expected
    assert client.thread(b"references", "ALL", "US-ASCII") == expected
    assert client.thread("REFERENCES", ["SUBJECT", "Grüße"]) == ((alone,),)
    some = [answer, deep]
    assert client.thread("REFERENCES", ["UID", some] if client.use_uid else [some]) == ((answer, deep),)
    assert client.thread("REFERENCES", ["SUBJECT", "nothing like this"]) == ()


def test_thread_by_subject(client: IMAPClient, threaded: dict[str, int]) -> None:
    needs(client, "THREAD=ORDEREDSUBJECT")
    threads = client.thread("ORDEREDSUBJECT", ["NOT", ["SUBJECT", "Grüße"]])
    assert [thread[0] for thread in threads] == [threaded["root"], threaded["orphan"]]


def test_search_without_the_capability(client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    with pytest.raises(CapabilityError):
        client.thread("NOSUCHALGORITHM")
    for capability, call in (("SORT", client.sort), ("X-GM-EXT-1", client.gmail_search)):
        if not client.has_capability(capability):
            with pytest.raises(CapabilityError, match=capability):
                call("DATE")
    assert client.search() == []


def test_gmail_search(client: IMAPClient, searched: dict[str, int]) -> None:
    needs(client, "X-GM-EXT-1")
    # Gmail's index may not contain the newest messages yet.
    assert set(client.gmail_search("subject:budget")) <= {searched["new"]}
    assert client.gmail_search('subject:"日本" larger:30M') == []
