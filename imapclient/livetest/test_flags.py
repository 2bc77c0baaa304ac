"""STORE and the flags of messages."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient import ANSWERED, DELETED, FLAGGED, SEEN, IMAPClient
from imapclient.livetest.fixtures import fill, flags_of, message, wait_for_response, with_uids


@pytest.fixture
def three(client: IMAPClient, folder: str, numbering: str) -> list[int]:
    """The ids of three messages in the selected folder, which have no flags."""
    return fill(client, folder, [message(f"Flags {number}") for number in range(3)])


def _plain(answer: Any) -> dict[int, set[bytes]]:
    return {uid: set(flags) - {b"\\Recent"} for uid, flags in answer.items()}


def test_add_and_remove_flags(client: IMAPClient, three: list[int]) -> None:
    first = three[0]
    assert _plain(client.add_flags(first, FLAGGED)) == {first: {FLAGGED}}
    assert _plain(client.add_flags([first], ["\\Seen", ANSWERED])) == {first: {FLAGGED, SEEN, ANSWERED}}
    assert _plain(client.remove_flags([first], FLAGGED)) == {first: {SEEN, ANSWERED}}
    assert flags_of(client, first) == {SEEN, ANSWERED}
    assert flags_of(client, three[1]) == set()


def test_set_flags_replaces_all(client: IMAPClient, three: list[int]) -> None:
    client.add_flags(three, [SEEN, ANSWERED])
    assert _plain(client.set_flags(three, [FLAGGED])) == {uid: {FLAGGED} for uid in three}
    assert _plain(client.set_flags(three[0], [])) == {three[0]: set()}
    assert _plain(client.get_flags(three)) == {three[0]: set(), three[1]: {FLAGGED}, three[2]: {FLAGGED}}


def test_silent_flags_return_nothing(client: IMAPClient, three: list[int]) -> None:
    assert client.add_flags(three, SEEN, silent=True) is None
    assert client.set_flags(three[:2], [FLAGGED], silent=True) is None
    assert client.remove_flags(three[2], SEEN, silent=True) is None
    assert _plain(client.get_flags(three)) == {three[0]: {FLAGGED}, three[1]: {FLAGGED}, three[2]: set()}


def test_get_flags_has_nothing_else(client: IMAPClient, three: list[int]) -> None:
    assert list(client.get_flags(three[::-1])) == three[::-1]
    assert client.get_flags([]) == {}


def test_delete_messages_sets_the_flag(client: IMAPClient, three: list[int]) -> None:
    assert _plain(client.delete_messages(three[1])) == {three[1]: {DELETED}}
    assert client.delete_messages(three[2], silent=True) is None
    assert sorted(client.search("DELETED")) == three[1:]


@pytest.mark.usefixtures("numbering")
def test_keywords(client: IMAPClient, folder: str) -> None:
    (uid,) = fill(client, folder, [message()])
    if b"\\*" not in client.select_folder(folder)[b"PERMANENTFLAGS"]:
        pytest.skip("the server does not accept keywords")
    keywords = {b"$Forwarded", b"NonJunk", b"a.b:c-d"}
    assert _plain(client.add_flags(uid, list(keywords))) == {uid: keywords}
    assert client.search(["KEYWORD", "NonJunk"]) == [uid]
    assert client.search(["UNKEYWORD", "NonJunk"]) == []
    client.remove_flags(uid, "NonJunk")
    assert flags_of(client, uid) == keywords - {b"NonJunk"}


def test_invalid_flags_are_not_sent(client: IMAPClient, three: list[int]) -> None:
    for flag in (["two words"], "(", 'a"b', "a\r\nb", "a)b", ""):
        with pytest.raises(ValueError, match="flag"):
            client.add_flags(three, flag)
    assert flags_of(client, three[0]) == set()


def test_flags_of_no_messages(client: IMAPClient, three: list[int]) -> None:
    assert client.add_flags([], SEEN) == {}
    assert client.set_flags([], [SEEN], silent=True) == {}
    assert client.search("SEEN") == []


@with_uids
def test_flags_by_sequence_numbers(client: IMAPClient, three: list[int]) -> None:
    client.delete_messages(three[0], silent=True)
    client.expunge()
    client.use_uid = False
    assert _plain(client.add_flags(1, FLAGGED)) == {1: {FLAGGED}}
    assert _plain(client.get_flags([1, 2])) == {1: {FLAGGED}, 2: set()}
    client.use_uid = True
    assert flags_of(client, three[1]) == {FLAGGED}


def test_flags_are_reported_to_another_connection(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    (uid,) = fill(client, folder, [message()])
    second_client.select_folder(folder)
    client.add_flags(uid, FLAGGED)
    number, _fetch, items = next(item for item in wait_for_response(second_client, b"FETCH") if item[1] == b"FETCH")
    assert number == 1
    assert FLAGGED in items[items.index(b"FLAGS") + 1]
    assert flags_of(second_client, uid) == {FLAGGED}
