"""Searching."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, InvalidCriteriaError
from imapclient.livetest.fixtures import fill, message, uids

_UTC = datetime.timezone.utc
_UTF8 = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")


@pytest.fixture
def searched(client: IMAPClient, folder: str) -> dict[str, int]:
    """A selected folder; UID by name of its messages."""
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
    return dict(zip(wanted, uids(client)))


# Criteria, and the names of the messages that meet them.
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
    # As a literal it is text that no message has; anything else would end the command.
    assert client.search(["BODY", 'x"\r\nA1 LOGOUT\r\n']) == []
    assert len(client.search()) == len(searched)


def test_search_for_what_can_not_be_sent(client: IMAPClient, searched: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        client.search(["BODY", "a\0b"])
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        client.search("ALL\r\nA1 LOGOUT")
    assert len(client.search()) == len(searched)


def test_search_within_ids(client: IMAPClient, searched: dict[str, int]) -> None:
    old, new, quote = searched["old"], searched["new"], searched["quote"]
    assert sorted(client.search(["UID", f"{old}:{quote}", "UNSEEN"])) == [new, quote]
    assert sorted(client.search(["UID", [old, quote]])) == [old, quote]
    assert client.search(["UID", f"{searched['large']}:*"]) == [searched["large"]]


def test_search_within_sequence_numbers(client: IMAPClient, searched: dict[str, int], server_name: str) -> None:
    if server_name == "embedded":
        pytest.skip("pymap takes sequence numbers in UID SEARCH for UIDs")
    assert sorted(client.search(["2:3"])) == [searched["new"], searched["quote"]]
    assert sorted(client.search([[1, 3]])) == [searched["old"], searched["quote"]]


def test_search_gives_sequence_numbers(client: IMAPClient, searched: dict[str, int]) -> None:
    client.use_uid = False
    assert client.search(["SUBJECT", "Large"]) == [5]
    assert sorted(client.search(["UID", searched["new"]])) == [2]


def test_search_by_wrong_criteria(client: IMAPClient, searched: dict[str, int]) -> None:
    with pytest.raises(InvalidCriteriaError) as caught:
        client.search(["NOSUCHKEY", "x"])
    assert caught.value.status == "BAD"
    assert "NOSUCHKEY" in str(caught.value)
    assert client.search(["SEEN"]) == [searched["old"]]


@pytest.mark.parametrize("criteria", ["", [], " "])
def test_search_without_criteria(client: IMAPClient, searched: dict[str, int], criteria: Any) -> None:
    with pytest.raises(InvalidCriteriaError):
        client.search(criteria)
    assert len(client.search()) == len(searched)


def test_search_in_an_unknown_charset(client: IMAPClient, searched: dict[str, int]) -> None:
    with pytest.raises((CommandError, ValueError)):
        client.search(["BODY", "alpha"], "X-NO-SUCH-CHARSET")
    assert client.search(["SEEN"]) == [searched["old"]]


def test_search_in_an_empty_folder(client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    found = client.search()
    assert found == []
    assert found.modseq is None


def test_search_for_a_long_text(client: IMAPClient, folder: str) -> None:
    # Too long for a quoted string of some servers: a literal.
    word = "long" * 500
    found = fill(client, folder, [message("Other"), message("Long", f"{word}\r\n".encode("ascii"))])
    assert client.search(["BODY", word]) == [found[1]]
