"""Namespaces beside the personal one, on Dovecot: other users' folders, public and virtual folders."""

from __future__ import annotations

import pytest

from imapclient import FLAGGED, IMAPClient
from imapclient.exceptions import CommandError, NoPermissionError
from imapclient.response_types import Namespace
from tests.helpers.dovecot import Dovecot
from tests.helpers.live import LiveServer

_MESSAGE = b"Subject: shared\r\n\r\nHello.\r\n"


def _new_user(server: Dovecot) -> LiveServer:
    user, password = server.new_user()
    context = server.ssl_context
    return LiveServer(
        "dovecot", "plain", host=server.host, port=server.port, ssl_context=context, user=user, password=password
    )


def _names(client: IMAPClient, pattern: str) -> list[str]:
    return [name for _flags, _delimiter, name in client.list_folders("", pattern)]


def test_namespaces(dovecot: Dovecot) -> None:
    with _new_user(dovecot) as ann:
        expected = Namespace((("", "/"),), (("Users/", "/"),), (("Public/", "/"),))
        assert ann.connect().namespace() == expected


def test_a_folder_of_another_user(dovecot: Dovecot) -> None:
    with _new_user(dovecot) as ann, _new_user(dovecot) as bob:
        owner, guest = ann.connect(), bob.connect()
        owner.create_folder("Über uns")
        owner.append("Über uns", _MESSAGE)
        shared = f"Users/{ann.user}/Über uns"
        assert _names(guest, f"Users/{ann.user}/*") == []
        with pytest.raises(CommandError):
            guest.select_folder(shared)
        owner.setacl("Über uns", bob.user, "lr")
        # Dovecot caches the folders that a connection has found.
        guest = bob.connect()
        assert _names(guest, f"Users/{ann.user}/*") == [shared]
        assert guest.folder_status(shared, "MESSAGES") == {b"MESSAGES": 1}
        with pytest.raises(IMAPClient.ReadOnlyError):
            guest.select_folder(shared)
        assert b"READ-ONLY" in guest.select_folder(shared, readonly=True)
        (uid,) = guest.search()
        assert guest.fetch(uid, "BODY.PEEK[]")[uid][b"BODY[]"] == _MESSAGE
        with pytest.raises(NoPermissionError):
            guest.append(shared, _MESSAGE)
        guest.copy(uid, "INBOX")
        owner.setacl("Über uns", bob.user, "+i")
        bob.connect().append(shared, _MESSAGE)
        assert owner.folder_status("Über uns", "MESSAGES") == {b"MESSAGES": 2}
        assert guest.folder_status("INBOX", "MESSAGES") == {b"MESSAGES": 1}


def test_a_virtual_folder(dovecot: Dovecot) -> None:
    with _new_user(dovecot) as ann:
        client = ann.connect()
        assert _names(client, "Virtual/*") == ["Virtual/All", "Virtual/Flagged"]
        client.append("INBOX", _MESSAGE)
        client.append("INBOX", b"Subject: flagged\r\n\r\n", [FLAGGED])
        assert client.select_folder("Virtual/All")[b"EXISTS"] == 2
        assert client.select_folder("Virtual/Flagged")[b"EXISTS"] == 1
        (uid,) = client.search()
        assert client.fetch(uid, "ENVELOPE")[uid][b"ENVELOPE"].subject == b"flagged"
        # A change in the virtual folder changes the message itself.
        client.add_flags(uid, "\\Seen")
        client.select_folder("INBOX")
        assert client.search(["SEEN", "SUBJECT", "flagged"]) == [2]
        with pytest.raises(CommandError):
            client.append("Virtual/All", _MESSAGE)
        client.noop()


def test_metadata_and_compress_are_offered(dovecot: Dovecot) -> None:
    with _new_user(dovecot) as ann:
        client = ann.connect()
        for capability in ("METADATA", "COMPRESS=DEFLATE", "QUOTA", "ACL"):
            assert client.has_capability(capability)
