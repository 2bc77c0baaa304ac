"""SELECT, EXAMINE, CLOSE and UNSELECT."""

from __future__ import annotations

import contextlib

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError
from imapclient.livetest.fixtures import Folders, fill, flags_of, message, needs


def test_select_returns_the_state_of_the_folder(client: IMAPClient, folder: str) -> None:
    client.append(folder, message())
    selected = client.select_folder(folder)
    assert selected[b"EXISTS"] == 1
    assert selected[b"READ-WRITE"] is True
    assert b"READ-ONLY" not in selected
    assert b"\\Seen" in selected[b"FLAGS"]
    assert b"\\Seen" in selected[b"PERMANENTFLAGS"]
    assert selected[b"UIDVALIDITY"] > 0
    assert selected[b"UIDNEXT"] > client.search()[0]


def test_select_read_only_changes_nothing(client: IMAPClient, folder: str) -> None:
    uid = fill(client, folder, [message()])[0]
    selected = client.select_folder(folder, readonly=True)
    assert b"READ-ONLY" in selected
    assert b"READ-WRITE" not in selected
    assert b"Subject: A test" in client.fetch(uid, "BODY[]")[uid][b"BODY[]"]
    # A server refuses this, or ignores it.
    with contextlib.suppress(CommandError):
        client.add_flags(uid, b"\\Flagged")
    client.select_folder(folder)
    assert flags_of(client, uid) == set()


def test_select_a_missing_folder(client: IMAPClient, folder: str, folders: Folders) -> None:
    client.select_folder(folder)
    with pytest.raises(CommandError) as caught:
        client.select_folder(folders.name())
    assert caught.value.command == "SELECT"
    assert caught.value.status == "NO"
    # The response codes of RFC 5530 are optional.
    assert caught.value.code in (None, (b"NONEXISTENT", ()), (b"TRYCREATE", ()))
    assert caught.value.text
    # Nothing is selected now (RFC 9051, 6.3.2), and the connection still works.
    with pytest.raises(CommandError):
        client.search()
    assert client.select_folder(folder)[b"EXISTS"] == 0


def test_select_another_folder(client: IMAPClient, folders: Folders) -> None:
    first, second = folders.create(), folders.create()
    client.append(second, message())
    assert client.select_folder(first)[b"EXISTS"] == 0
    assert client.select_folder(second)[b"EXISTS"] == 1
    assert client.select_folder(first)[b"EXISTS"] == 0


def test_select_again_sees_the_new_message(client: IMAPClient, folder: str) -> None:
    assert client.select_folder(folder)[b"EXISTS"] == 0
    client.append(folder, message())
    assert client.select_folder(folder)[b"EXISTS"] == 1


def test_close_expunges(client: IMAPClient, folder: str) -> None:
    first, second = fill(client, folder, [message(), message()])
    client.delete_messages(first, silent=True)
    assert client.close_folder()
    client.select_folder(folder)
    assert client.search() == [second]


def test_close_after_read_only_does_not_expunge(client: IMAPClient, folder: str) -> None:
    found = fill(client, folder, [message(), message()])
    client.delete_messages(found[0], silent=True)
    client.select_folder(folder, readonly=True)
    client.close_folder()
    client.select_folder(folder)
    assert sorted(client.search()) == found


def test_unselect_does_not_expunge(client: IMAPClient, folder: str) -> None:
    needs(client, "UNSELECT")
    found = fill(client, folder, [message(), message()])
    client.delete_messages(found[0], silent=True)
    assert client.unselect_folder()
    with pytest.raises(CommandError):
        client.search()
    client.select_folder(folder)
    assert sorted(client.search()) == found


def test_unselect_without_a_folder_is_refused(client: IMAPClient) -> None:
    needs(client, "UNSELECT")
    with pytest.raises(CommandError):
        client.unselect_folder()
    client.noop()


def test_fetch_without_a_folder_is_refused(client: IMAPClient) -> None:
    with pytest.raises(CommandError):
        client.fetch("1:*", "FLAGS")
    client.noop()
