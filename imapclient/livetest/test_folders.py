"""Folders: listing, creating, renaming, deleting, subscribing, status, special use."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient, imap_utf7
from imapclient.exceptions import CommandError
from imapclient.imapclient import ALL, ARCHIVE, DRAFTS, JUNK, SENT, TRASH
from imapclient.livetest.fixtures import Folders, create_or_skip, fill, message, needs

# Key: what is special. Value: a name that needs quoting or modified UTF-7, or that looks like other syntax.
_NAMES = {
    "spaces": " with  spaces",
    "quotes": ' "quoted"',
    "backslash": "\\backslash",
    "parentheses": "(parens)",
    "brackets": "[brackets]",
    "literal": "{12}",
    "literal+": "{12+}",
    "apostrophe": "'apostrophe",
    "punctuation": "#hash!$;,=?@^_`|~",
    "ampersand": "A&B",
    "encoded ampersand": "&-",
    "encoded umlaut": "&AOQ-",
    "NIL": "NIL",
    "percent": "50%",
    "star": "a*",
    "200 characters": "x" * 200,
    "umlauts": "Entwürfe",
    "CJK": "日本語",
    "Greek and Cyrillic": "Ελληνικά и русский",
    "emoji": "emoji 📬",
    "combining": "a\u0301 decomposed",
    "tilde": "~peter with 台北",
    "ampersand behind umlauts": "Süß&Salzig & mehr",
}


def _names(client: IMAPClient, directory: str = "", pattern: str = "*") -> list[str]:
    return [name for _flags, _delimiter, name in client.list_folders(directory, pattern)]


def _subscribed(client: IMAPClient, pattern: str) -> list[str]:
    return [name for _flags, _delimiter, name in client.list_sub_folders("", pattern)]


def test_list_has_inbox(client: IMAPClient) -> None:
    folders = client.list_folders()
    assert "INBOX" in [name.upper() for _flags, _delimiter, name in folders]
    for flags, delimiter, _name in folders:
        assert all(flag.startswith(b"\\") for flag in flags)
        assert delimiter is None or len(delimiter) == 1


def test_create_and_delete(client: IMAPClient, folders: Folders) -> None:
    name = folders.name()
    assert not client.folder_exists(name)
    assert client.create_folder(name)
    assert client.folder_exists(name)
    assert name in _names(client)
    assert client.delete_folder(name)
    assert not client.folder_exists(name)
    assert name not in _names(client)


@pytest.mark.parametrize("suffix", _NAMES.values(), ids=_NAMES)
def test_name_round_trip(client: IMAPClient, folders: Folders, suffix: str) -> None:
    name = create_or_skip(folders, suffix)
    assert client.folder_exists(name)
    assert name in _names(client, "", name)
    client.append(name, message())
    assert client.folder_status(name, "MESSAGES") == {b"MESSAGES": 1}
    assert client.select_folder(name)[b"EXISTS"] == 1
    client.subscribe_folder(name)
    assert name in _subscribed(client, name)
    client.unsubscribe_folder(name)
    assert name not in _subscribed(client, name)


def test_name_with_the_hierarchy_delimiter(client: IMAPClient, folders: Folders) -> None:
    if not folders.delimiter:
        pytest.skip("the server has no hierarchy of folders")
    parent = folders.name("-Ämter")
    # The server creates the missing parent too.
    name = f"{parent}{folders.delimiter}inside"
    client.create_folder(name)
    assert client.folder_exists(name)
    ((flags, _delimiter, _name),) = client.list_folders("", parent)
    assert b"\\HasNoChildren" not in flags
    client.append(name, message())
    assert client.folder_status(name, "MESSAGES") == {b"MESSAGES": 1}


def test_name_in_bytes(client: IMAPClient, folders: Folders) -> None:
    name = folders.name("-Entwürfe")
    wire = imap_utf7.encode(name)
    client.folder_encode = False
    client.create_folder(wire)
    assert [item[2] for item in client.list_folders(b"", wire)] == [wire]
    assert client.select_folder(wire)[b"EXISTS"] == 0
    client.folder_encode = True
    assert _names(client, "", name) == [name]


def test_list_one_level(client: IMAPClient, folders: Folders) -> None:
    if not folders.delimiter:
        pytest.skip("the server has no hierarchy of folders")
    parent = folders.create()
    child = f"{parent}{folders.delimiter}child"
    grandchild = f"{child}{folders.delimiter}grandchild"
    client.create_folder(child)
    client.create_folder(grandchild)
    inside = parent + folders.delimiter
    assert _names(client, "", f"{inside}%") == [child]
    assert sorted(_names(client, "", f"{inside}*")) == [child, grandchild]
    assert sorted(_names(client, inside)) == [child, grandchild]


def test_list_without_a_match(client: IMAPClient, folders: Folders) -> None:
    assert client.list_folders("", folders.name()) == []


def test_xlist(client: IMAPClient) -> None:
    needs(client, "XLIST")
    listed = client.xlist_folders()
    assert {item[2] for item in listed} == {item[2] for item in client.list_folders()}
    assert [name for flags, _delimiter, name in listed if b"\\Inbox" in flags] in ([], ["INBOX"])


def test_create_twice_is_refused(client: IMAPClient, folder: str) -> None:
    with pytest.raises(CommandError) as caught:
        client.create_folder(folder)
    assert caught.value.command == "CREATE"
    assert caught.value.status == "NO"
    assert caught.value.code in (None, (b"ALREADYEXISTS", ()))
    client.noop()


def test_delete_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    with pytest.raises(CommandError) as caught:
        client.delete_folder(folders.name())
    assert caught.value.command == "DELETE"
    assert caught.value.code in (None, (b"NONEXISTENT", ()))
    client.noop()


def test_rename_keeps_the_messages(client: IMAPClient, folders: Folders) -> None:
    old, new = folders.create(), folders.name("-Größer")
    client.append(old, message("Moves along"))
    assert client.rename_folder(old, new)
    assert not client.folder_exists(old)
    client.select_folder(new)
    assert len(client.search(["SUBJECT", "Moves along"])) == 1


def test_rename_takes_the_children_along(client: IMAPClient, folders: Folders) -> None:
    if not folders.delimiter:
        pytest.skip("the server has no hierarchy of folders")
    old, new = folders.create(), folders.name()
    client.create_folder(f"{old}{folders.delimiter}child")
    client.rename_folder(old, new)
    assert client.folder_exists(f"{new}{folders.delimiter}child")
    assert not client.folder_exists(f"{old}{folders.delimiter}child")


def test_rename_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    with pytest.raises(CommandError) as caught:
        client.rename_folder(folders.name(), folders.name())
    assert caught.value.command == "RENAME"


def test_subscribe_and_unsubscribe(client: IMAPClient, folders: Folders) -> None:
    name = folders.create("-Entwürfe")
    # Some servers subscribe to a new folder by themselves.
    client.unsubscribe_folder(name)
    assert _subscribed(client, name) == []
    client.subscribe_folder(name)
    assert _subscribed(client, name) == [name]
    assert name in _subscribed(client, "*")
    client.unsubscribe_folder(name)
    assert _subscribed(client, name) == []


def test_status_of_all_items(client: IMAPClient, folder: str) -> None:
    client.append(folder, message("Read"), [b"\\Seen"])
    client.append(folder, message("Unread"))
    status = client.folder_status(folder)
    assert set(status) == {b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"}
    assert status[b"MESSAGES"] == 2
    assert status[b"UNSEEN"] == 1
    assert client.select_folder(folder)[b"UIDVALIDITY"] == status[b"UIDVALIDITY"]
    assert max(client.search()) < status[b"UIDNEXT"]


def test_status_of_one_item(client: IMAPClient, folder: str) -> None:
    for what in ("MESSAGES", b"MESSAGES", ["MESSAGES"], (b"MESSAGES",)):
        assert client.folder_status(folder, what) == {b"MESSAGES": 0}


def test_status_of_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    with pytest.raises(CommandError) as caught:
        client.folder_status(folders.name())
    assert caught.value.command == "STATUS"
    assert caught.value.status == "NO"
    client.noop()


def test_status_changes_with_the_folder(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    before = client.folder_status(folder, ["MESSAGES", "UIDNEXT"])
    found = fill(second_client, folder, [message()])
    after = client.folder_status(folder, ["MESSAGES", "UIDNEXT"])
    assert after[b"MESSAGES"] == before[b"MESSAGES"] + 1
    assert before[b"UIDNEXT"] <= found[0] < after[b"UIDNEXT"]


def test_special_folder_is_the_one_with_the_flag(client: IMAPClient) -> None:
    folders = client.list_folders()
    for flag in (ALL, ARCHIVE, DRAFTS, JUNK, SENT, TRASH):
        flagged = [name for flags, _delimiter, name in folders if flag in flags]
        found = client.find_special_folder(flag)
        if flagged:
            assert found in flagged, flag
        elif found is not None:
            assert client.folder_exists(found), flag
