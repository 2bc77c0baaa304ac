"""COPY, MOVE and EXPUNGE."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient import DELETED, FLAGGED, IMAPClient
from imapclient.exceptions import CapabilityError, CommandError, IllegalStateError, TryCreateError
from imapclient.livetest.fixtures import (
    Folders,
    fill,
    flags_of,
    ids,
    message,
    needs,
    uids,
    wait_for_response,
    with_uids,
)
from imapclient.util import Text

from ..response_types import CopyReply


@pytest.fixture
def source(client: IMAPClient, folder: str, numbering: str) -> list[int]:
    """The ids of the messages in the selected folder. Their subjects are "Number 1" to "Number 5"."""
    return fill(client, folder, [message(f"Number {number}") for number in range(1, 6)])


def _subjects(client: IMAPClient, folder: str) -> list[bytes]:
    client.select_folder(folder)
    return [items[b"ENVELOPE"].subject for items in client.fetch(ids(client), "ENVELOPE").values()]


def _check_uids(client: IMAPClient, reply: CopyReply, target: str, source: list[int]) -> None:
    """A server with UIDPLUS reports the old and the new UID of each message. The target folder has no others."""
    assert isinstance(reply, CopyReply)
    if not client.has_capability("UIDPLUS"):
        return
    status = client.folder_status(target, ["UIDVALIDITY", "UIDNEXT", "MESSAGES"])
    assert reply.uidvalidity == status[b"UIDVALIDITY"]
    pairs = list(reply.pairs())
    assert [old for old, _new in pairs] == source
    new = [new for _old, new in pairs]
    assert new == sorted(set(new))
    assert len(new) == status[b"MESSAGES"]
    assert new[-1] < status[b"UIDNEXT"]


def test_copy(client: IMAPClient, folders: Folders, folder: str, source: list[int]) -> None:
    target, before = folders.create("-Ziel ü"), uids(client)
    client.add_flags(source[1], FLAGGED)
    text = client.copy([source[1], source[3]], target)
    assert text
    _check_uids(client, text, target, [before[1], before[3]])
    assert _subjects(client, target) == [b"Number 2", b"Number 4"]
    assert flags_of(client, ids(client)[0]) == {FLAGGED}
    client.select_folder(folder)
    assert uids(client) == before


def test_copy_nothing(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    target = folders.create()
    assert client.copy([], target) == b""
    assert client.folder_status(target, "MESSAGES") == {b"MESSAGES": 0}


def test_copy_to_a_missing_folder(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    before = uids(client)
    with pytest.raises(TryCreateError) as caught:
        client.copy(source, folders.name())
    assert caught.value.command == ("UID COPY" if client.use_uid else "COPY")
    assert caught.value.status == "NO"
    assert caught.value.code == (b"TRYCREATE", ())
    assert uids(client) == before


@pytest.fixture(params=["MOVE", "UIDPLUS"])
def move_by(request: pytest.FixtureRequest, client: IMAPClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """How messages are moved: "MOVE" uses MOVE. "UIDPLUS" uses COPY and UID EXPUNGE, as on a server without MOVE."""
    capability: str = request.param
    needs(client, capability)
    if capability == "UIDPLUS":
        _hide(client, monkeypatch, "MOVE")
    return capability


def _hide(client: IMAPClient, monkeypatch: pytest.MonkeyPatch, *capabilities: str) -> None:
    """Hide capabilities from the client. IMAP4rev2 is hidden too, because it includes them."""
    has_capability = client.has_capability

    def has_another(capability: Text) -> bool:
        return capability not in (*capabilities, "IMAP4REV2") and has_capability(capability)

    monkeypatch.setattr(client, "has_capability", has_another)


@pytest.mark.usefixtures("move_by")
def test_move(client: IMAPClient, folders: Folders, folder: str, source: list[int]) -> None:
    target, before = folders.create("-moved"), uids(client)
    client.add_flags(source[0], FLAGGED)
    # This message has \Deleted, and must not be expunged with the moved ones.
    client.delete_messages(source[2], silent=True)
    reply = client.move([source[0], source[4]], target)
    assert reply
    _check_uids(client, reply, target, [before[0], before[4]])
    assert uids(client) == before[1:4]
    assert [flags_of(client, left) for left in ids(client)] == [set(), {DELETED}, set()]
    assert _subjects(client, target) == [b"Number 1", b"Number 5"]
    assert [flags_of(client, moved) for moved in ids(client)] == [{FLAGGED}, set()]


@pytest.mark.usefixtures("move_by")
def test_move_all(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    target, before = folders.create(), uids(client)
    _check_uids(client, client.move("1:*", target), target, before)
    assert uids(client) == []
    assert len(_subjects(client, target)) == 5


@pytest.mark.usefixtures("move_by")
def test_move_nothing(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    assert client.move([], folders.create()) == b""
    assert ids(client) == source


@with_uids
@pytest.mark.usefixtures("move_by")
def test_move_missing_messages(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    target = folders.create()
    reply = client.move([source[4] + 1000], target)
    assert list(reply.pairs()) == []
    assert uids(client) == source
    assert client.folder_status(target, "MESSAGES") == {b"MESSAGES": 0}


@pytest.mark.usefixtures("move_by")
def test_move_to_a_missing_folder(client: IMAPClient, folders: Folders, source: list[int]) -> None:
    with pytest.raises(CommandError) as caught:
        client.move(source, folders.name())
    assert caught.value.status == "NO"
    assert ids(client) == source
    assert all(flags_of(client, uid) == set() for uid in source)


def test_move_from_a_folder_that_is_selected_read_only(
    client: IMAPClient, folders: Folders, folder: str, source: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(client, "UIDPLUS")
    _hide(client, monkeypatch, "MOVE")
    target = folders.create()
    client.select_folder(folder, readonly=True)
    with pytest.raises(IllegalStateError):
        client.move(source, target)
    assert client.folder_status(target, "MESSAGES") == {b"MESSAGES": 0}
    assert ids(client) == source


def test_move_without_move_and_uidplus(
    client: IMAPClient, folders: Folders, source: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _hide(client, monkeypatch, "MOVE", "UIDPLUS")
    target = folders.create()
    with pytest.raises(CapabilityError):
        client.move(source, target)
    assert client.folder_status(target, "MESSAGES") == {b"MESSAGES": 0}
    assert ids(client) == source


def _expunged(responses: list[tuple[Any, ...]]) -> list[int]:
    """Return the sequence numbers of the EXPUNGE responses. A server may send other responses too."""
    return sorted(item[0] for item in responses if item[1:] == (b"EXPUNGE",))


def test_expunge(client: IMAPClient, source: list[int]) -> None:
    before = uids(client)
    client.delete_messages([source[1], source[3]], silent=True)
    text, removed = client.expunge()
    assert text
    # Each EXPUNGE changes the later numbers. So the numbers are 2 and 3, or 4 and 2. The server chooses the order.
    assert _expunged(removed) in ([2, 3], [2, 4])
    assert uids(client) == [before[0], before[2], before[4]]


def test_expunge_without_deleted_messages(client: IMAPClient, source: list[int]) -> None:
    assert _expunged(client.expunge()[1]) == []
    assert ids(client) == source


def test_uid_expunge_some_of_the_deleted(client: IMAPClient, source: list[int]) -> None:
    needs(client, "UIDPLUS")
    before = uids(client)
    client.delete_messages(source[1:4], silent=True)
    # The ids are UIDs, even if the client uses sequence numbers.
    text, removed = client.uid_expunge([before[0], before[1], before[3]])
    assert text
    assert _expunged(removed) in ([2, 3], [2, 4])
    assert uids(client) == [before[0], before[2], before[4]]
    assert flags_of(client, ids(client)[1]) == {DELETED}


@with_uids
def test_expunge_some_of_the_deleted(client: IMAPClient, source: list[int]) -> None:
    needs(client, "UIDPLUS")
    client.delete_messages(source[1:4], silent=True)
    assert _expunged(client.expunge([source[0], source[2]])[1]) == [3]
    assert ids(client) == [source[0], source[1], source[3], source[4]]
    client.use_uid = False
    with pytest.raises(ValueError, match="uids"):
        client.expunge([1, 2])
    assert ids(client) == [1, 2, 3, 4]


@with_uids
def test_expunge_of_an_empty_set_removes_nothing(client: IMAPClient, source: list[int]) -> None:
    client.delete_messages(source, silent=True)
    nothings: list[Any] = [[], (), set(), range(0)]
    for nothing in nothings:
        assert client.expunge(nothing) == (b"", [])
        assert client.uid_expunge(nothing) == (b"", [])
    assert ids(client) == source


def test_expunge_is_reported_to_another_connection(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    found = fill(client, folder, [message(), message(), message()])
    second_client.select_folder(folder)
    client.delete_messages(found[1], silent=True)
    client.expunge()
    assert (2, b"EXPUNGE") in wait_for_response(second_client, b"EXPUNGE")
    assert uids(second_client) == [found[0], found[2]]
