"""Access control lists, quotas, ID and ENABLE on Dovecot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    NonexistentError,
    NoPermissionError,
    OverQuotaError,
)
from imapclient.imapclient import MailboxQuotaRoots, Quota
from tests.helpers.dovecot import Dovecot

_TIMEOUT = 60
# The rights of the user who created the folder.
_ALL_RIGHTS = frozenset(b"lrwstipekxacd")


class _User:
    """A new user with a client that is logged in."""

    def __init__(self, server: Dovecot) -> None:
        self.name = f"user-{uuid.uuid4().hex}"
        server.add_user(self.name, "secret")
        self.client = IMAPClient(server.host, server.port, ssl=False, timeout=_TIMEOUT)
        self.client.login(self.name, "secret")


@pytest.fixture
def user(dovecot: Dovecot) -> Iterator[_User]:
    user = _User(dovecot)
    yield user
    user.client.shutdown()


@pytest.fixture
def client(user: _User) -> IMAPClient:
    return user.client


# -- ACL

_FOLDERS = ["Team", "Team a b", "Entwürfe", 'say "hi"']


@pytest.mark.parametrize("folder", _FOLDERS)
def test_the_rights_on_a_new_folder_are_its_makers(user: _User, folder: str) -> None:
    user.client.create_folder(folder)
    ((who, rights),) = user.client.getacl(folder)
    assert who == user.name.encode("ascii")
    assert frozenset(rights) == _ALL_RIGHTS


@pytest.mark.parametrize("folder", _FOLDERS)
@pytest.mark.parametrize("who", ["bob", "-bob", "Ann Lee", 'a"b\\c', "Jörg", "{5}", "a(b)*%", "NIL", "007"])
def test_rights_of_any_identifier(user: _User, folder: str, who: str) -> None:
    client = user.client
    client.create_folder(folder)
    wire = who.encode("utf-8")
    assert client.setacl(folder, who, "lr").startswith(b"Setacl complete")
    assert dict(client.getacl(folder))[wire] == b"lr"
    client.setacl(folder, wire, "+ws")
    assert frozenset(dict(client.getacl(folder))[wire]) == frozenset(b"lrws")
    client.setacl(folder, who, b"-lw")
    assert frozenset(dict(client.getacl(folder))[wire]) == frozenset(b"rs")
    client.setacl(folder, who, "")
    assert dict(client.getacl(folder)).get(wire, b"") == b""


def test_rights_take_effect(user: _User) -> None:
    client = user.client
    client.create_folder("Team")
    client.setacl("Team", user.name, "l")
    # Dovecot keeps the creator's right to change the rights.
    assert client.getacl("Team") == [(user.name.encode("ascii"), b"al")]
    with pytest.raises(NoPermissionError):
        client.append("Team", b"x")
    with pytest.raises(NoPermissionError):
        client.select_folder("Team")
    client.noop()


@pytest.mark.parametrize(("who", "what"), [("bob", "?!"), ("anyone", "lr"), ("x\r\ny", "l")])
def test_rights_that_dovecot_refuses(client: IMAPClient, who: str, what: str) -> None:
    client.create_folder("Team")
    with pytest.raises(CommandError):
        client.setacl("Team", who, what)
    assert len(client.getacl("Team")) == 1


def test_the_acl_of_a_folder_that_is_not_there(client: IMAPClient) -> None:
    with pytest.raises(NonexistentError):
        client.getacl("missing")
    with pytest.raises(NonexistentError):
        client.setacl("missing", "bob", "l")
    assert len(client.getacl("INBOX")) == 1


# -- quotas


@pytest.mark.parametrize("folder", ["INBOX", "Trash", "Entwürfe", 'say "hi"'])
def test_the_quotas_of_a_folder(client: IMAPClient, folder: str) -> None:
    if folder not in ("INBOX", "Trash"):
        client.create_folder(folder)
    expected = [Quota("User quota", "STORAGE", 0, 50 * 1024), Quota("User quota", "MESSAGE", 0, 5000)]
    assert client.get_quota_root(folder) == (MailboxQuotaRoots(folder, ["User quota"]), expected)
    assert client.get_quota(folder) == expected


def test_usage_grows(client: IMAPClient) -> None:
    client.append("INBOX", b"Subject: x\r\n\r\n" + b"y" * 30000)
    usage = {quota.resource: quota.usage for quota in client.get_quota()}
    assert usage["MESSAGE"] == 1
    assert 29 <= usage["STORAGE"] <= 31


def test_over_quota(client: IMAPClient) -> None:
    with pytest.raises(OverQuotaError):
        client.append("INBOX", b"Subject: x\r\n\r\n" + b"y" * (51 * 1024 * 1024))
    assert client.get_quota()[0].usage == 0


@pytest.mark.parametrize("root", ["User quota", "none of this name", "Jörg"])
def test_only_an_administrator_may_set_a_quota(client: IMAPClient, root: str) -> None:
    with pytest.raises(CommandError, match="admin"):
        client.set_quota([Quota(root, "STORAGE", 0, 2**40), Quota(root, "MESSAGE", 0, 5)])
    assert client.get_quota()[0].limit == 50 * 1024


# -- ID

_PARAMETERS = [
    None,
    {},
    {"name": 'say "hi" \\', "version": None},
    {"name": "Jörg", "os": "x\r\ny"},
    {"k" * 30: "v" * 1024},
    {f"field-{number}": "v" * 100 for number in range(30)},
]


@pytest.mark.parametrize("parameters", _PARAMETERS, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("logged_in", [False, True])
def test_id(dovecot: Dovecot, user: _User, parameters: dict[str, str | None] | None, logged_in: bool) -> None:
    client = IMAPClient(dovecot.host, dovecot.port, ssl=False, timeout=_TIMEOUT)
    if logged_in:
        client.login(user.name, "secret")
    (fields,) = client.id_(parameters)
    assert dict(zip(fields[::2], fields[1::2]))[b"name"] == b"Dovecot"
    assert client.noop()[1] == []
    client.logout()


# -- ENABLE


def test_enable(client: IMAPClient) -> None:
    assert client.enable("CONDSTORE") == [b"CONDSTORE"]
    assert client.enable(b"QRESYNC", "NONSENSE") == [b"QRESYNC"]
    assert client.enable("UTF8=ACCEPT") == []
    # This Dovecot has no UTF-8 mode, so that names do not change.
    client.create_folder("Entwürfe")
    assert client.folder_exists("Entwürfe")
    client.select_folder("INBOX")
    with pytest.raises(IllegalStateError):
        client.enable("CONDSTORE")
    client.close_folder()
    assert client.enable("CONDSTORE") == [b"CONDSTORE"]


def test_enable_before_login(dovecot: Dovecot) -> None:
    client = IMAPClient(dovecot.host, dovecot.port, ssl=False, timeout=_TIMEOUT)
    with pytest.raises(IllegalStateError):
        client.enable("CONDSTORE")
    client.logout()


# -- what Dovecot does not have


def test_xlist_and_labels_are_for_other_servers(client: IMAPClient) -> None:
    with pytest.raises(CapabilityError):
        client.xlist_folders()
    client.append("INBOX", b"Subject: x\r\n\r\nHello.\r\n")
    client.select_folder("INBOX")
    with pytest.raises(CommandError, match="X-GM-LABELS"):
        client.get_gmail_labels(1)
    with pytest.raises(CommandError, match="UID STORE failed"):
        client.add_gmail_labels(1, ["x", "\\Starred"])
    assert client.get_flags(1) == {1: (b"\\Recent",)}
