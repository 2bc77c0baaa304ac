"""Folders: listing, creating, renaming, subscribing, status, selecting, ACL, quota."""

from __future__ import annotations

from imapclient import imapclient as module

from .messages import EVERYWHERE, PLAIN
from .place import Calls, Place

_NAMES = ("Plain", "with space", "Entwürfe", "日本語", "a & b", 'say "hi"', "back\\slash", "per%cent", "123", "a+b,c")


def make(place: Place) -> None:
    """create, rename, delete, folder_exists."""
    client = place.client()
    for name in _NAMES:
        client.create_folder(name)
    client.create_folder("Plain")
    client.create_folder("Parent/Child/Grandchild")
    client.create_folder(b"Bytes")
    client.create_folder("INBOX")
    client.create_folder("")
    client.list_folders()
    for folder in (*_NAMES, "inbox", "missing", "", b"Plain", "Parent/Child"):
        client.folder_exists(folder)
    client.rename_folder("Plain", "Renamed")
    client.rename_folder("Entwürfe", "Brouillons é")
    client.rename_folder(b"Bytes", b"More bytes")
    client.rename_folder("missing", "other")
    client.rename_folder("Renamed", "with space")
    client.list_folders()
    for folder in ("Renamed", "日本語", b"More bytes", 'say "hi"', "missing", "", "INBOX"):
        client.delete_folder(folder)
    client.list_folders()


def names_as_bytes(place: Place) -> None:
    """Names that are bytes, while folder_encode is on."""
    client = place.client()
    client._.create_folder("Entwürfe")
    client.list_folders(b"", b"E%")
    client.list_folders(b"", b"Entw&APw-rfe")
    client.folder_exists(b"Entw&APw-rfe")
    client.folder_exists("Entwürfe".encode())
    client.folder_status(b"Entw&APw-rfe", "MESSAGES")
    client.create_folder(b"a&-b")
    client.folder_exists("a&b")
    client.select_folder(b"Entw&APw-rfe")


def make_encoded(place: Place) -> None:
    """With folder_encode off, names are bytes as on the wire."""
    client = place.client()
    client._.folder_encode = False
    client.create_folder(b"Plain")
    client.create_folder("Text")
    client.create_folder(b"Entw&APw-rfe")
    client.create_folder(b"a &- b")
    client.create_folder(b'quoted "name"')
    client.list_folders()
    client.folder_exists(b"Entw&APw-rfe")
    client.folder_exists("Entw&APw-rfe")
    client.rename_folder(b"Entw&APw-rfe", b"&2D3dHg-")
    client.select_folder(b"Plain")
    client.folder_status(b"Plain", "MESSAGES")
    client.subscribe_folder(b"Text")
    client.list_sub_folders()
    client.append(b"a &- b", b"x")
    client.delete_folder(b"Plain")
    client.list_folders()
    client._.folder_encode = True
    client.list_folders()


def listing(place: Place) -> None:
    client = place.client()
    for name in ("A", "A/B", "A/B/C", "A/Ü", "D e", "D e/f%g", "Z*"):
        client._.create_folder(name)
    for name in ("A/B", "A/Ü", "D e"):
        client._.subscribe_folder(name)
    for method in (client.list_folders, client.list_sub_folders):
        method()
        method("A")
        method("A/", "*")
        method("A/", "%")
        method("", "%")
        method("", "A/%")
        method("", "D e*")
        method("", "A/Ü")
        method("", "missing")
        method("A", "B")
        method(b"A/", b"%")
        method(directory="", pattern="I*")
        method("", "")
    client.list_folders("", 'x"y')
    client.xlist_folders()
    client.xlist_folders("", "A%")
    for flag in (module.SENT, module.TRASH, module.DRAFTS, module.JUNK, module.ARCHIVE, module.ALL, b"\\Nonsense"):
        client.find_special_folder(flag)
    client.find_special_folder("\\Sent")
    client._.folder_encode = False
    client.find_special_folder(module.TRASH)


def special_by_name(place: Place) -> None:
    """find_special_folder without special-use flags."""
    client = place.client()
    for name in ("Sent Items", "Deleted Items", "Papierkorb", "Drafts"):
        if not client._.folder_exists(name):
            client._.create_folder(name)
    for flag in (module.SENT, module.TRASH, module.DRAFTS, module.JUNK, module.ARCHIVE):
        client.find_special_folder(flag)


def subscriptions(place: Place) -> None:
    client = place.client()
    for name in ("One", "Entwürfe", "two words"):
        client._.create_folder(name)
        client.subscribe_folder(name)
    client.subscribe_folder(b"One")
    client.subscribe_folder("missing")
    client.list_sub_folders()
    client.unsubscribe_folder("Entwürfe")
    client.unsubscribe_folder(b"two words")
    client.unsubscribe_folder("never there")
    client.list_sub_folders()


def status(place: Place) -> None:
    place.seed(EVERYWHERE)
    client = place.client()
    for name in ("Entwürfe", "two words", "123", 'q"q'):
        client._.create_folder(name)
    client.folder_status("INBOX")
    client.folder_status("inbox")
    client.folder_status(b"INBOX")
    client.folder_status("INBOX", "MESSAGES")
    client.folder_status("INBOX", b"UNSEEN")
    client.folder_status("INBOX", ["MESSAGES", "UIDNEXT"])
    client.folder_status("INBOX", ("UNSEEN", b"RECENT"))
    client.folder_status("INBOX", "MESSAGES UNSEEN")
    client.folder_status("INBOX", ["MESSAGES UNSEEN"])
    client.folder_status("INBOX", "(MESSAGES UNSEEN)")
    client.folder_status("INBOX", "messages")
    client.folder_status("INBOX", what=["HIGHESTMODSEQ"])
    client.folder_status("INBOX", "NONSENSE")
    client.folder_status("INBOX", [])
    client.folder_status("INBOX", "")
    for name in ("Entwürfe", "two words", "123", 'q"q', "missing"):
        client.folder_status(name, "MESSAGES")


def selection(place: Place) -> None:
    place.seed(EVERYWHERE)
    client = place.client()
    for name in ("Entwürfe", "two words"):
        client._.create_folder(name)
    client.select_folder("INBOX")
    client.select_folder("inbox", readonly=True)
    client.select_folder(b"INBOX")
    client.select_folder("Entwürfe", True)
    client.select_folder("two words")
    client.select_folder("missing")
    client.search()
    client.select_folder("")
    client.select_folder("INBOX", readonly=True)
    client.add_flags(101, "\\Flagged")
    client.expunge()
    client.close_folder()
    client.close_folder()
    client._.select_folder("INBOX")
    client.unselect_folder()
    client.unselect_folder()
    client._.select_folder("INBOX")
    client.search("DELETED")
    client.close_folder()
    client.select_folder("INBOX")
    client.search("DELETED")


def acl(place: Place) -> None:
    client = place.client()
    client._.create_folder("Teams")
    client._.create_folder("Entwürfe")
    client.getacl("INBOX")
    client.getacl(b"INBOX")
    client.setacl("Teams", "bob", "lrs")
    client.getacl("Teams")
    client.setacl("Teams", "bob", "+wi")
    client.setacl("Teams", b"bob", b"-s")
    client.getacl("Teams")
    client.setacl("Teams", "anyone", "l")
    client.setacl("Teams", "bob", "?!")
    client.getacl("Teams")
    client.setacl("Entwürfe", "bob", "lr")
    client.getacl("Entwürfe")
    client.getacl("missing")
    client.setacl("missing", "bob", "lr")
    client.setacl("Teams", "name with space", "l")
    client.setacl("Teams", "bob", "")


def quota(place: Place) -> None:
    place.seed([PLAIN])
    client = place.client()
    client._.create_folder("Entwürfe")
    client.get_quota()
    client.get_quota("INBOX")
    client.get_quota(b"INBOX")
    client.get_quota("Entwürfe")
    client.get_quota("Trash")
    client.get_quota("missing")
    client.get_quota_root("INBOX")
    client.get_quota_root("Entwürfe")
    client.get_quota_root("missing")
    client.set_quota([module.Quota("User quota", "STORAGE", 0, 1000)])
    client.set_quota([])


GROUPS: dict[str, Calls] = {
    group.__name__: group
    for group in (
        make,
        names_as_bytes,
        make_encoded,
        listing,
        special_by_name,
        subscriptions,
        status,
        selection,
        acl,
        quota,
    )
}
