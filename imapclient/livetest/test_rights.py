"""Access control lists (RFC 4314) and quotas (RFC 9208)."""

from __future__ import annotations

import contextlib

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, CommandError
from imapclient.livetest.fixtures import Folders, message, needs

# The name of a user that does not exist on the server.
_NOBODY = "imapclient-livetest-nobody"


def test_rights_on_a_folder(client: IMAPClient, folders: Folders) -> None:
    needs(client, "ACL")
    name = folders.create("-Rechte ä")
    before = client.getacl(name)
    assert all(isinstance(who, bytes) and isinstance(rights, bytes) for who, rights in before)
    try:
        client.setacl(name, _NOBODY, "lr")
    except CommandError as error:
        assert client.getacl(name) == before
        pytest.skip(f"the server gives no rights to an unknown user: {error.text}")
    assert set(dict(client.getacl(name))[_NOBODY.encode("ascii")]) >= set(b"lr")
    client.setacl(name, _NOBODY, "-r")
    assert set(dict(client.getacl(name))[_NOBODY.encode("ascii")]) == set(b"l")
    client.setacl(name, _NOBODY, "")
    assert dict(client.getacl(name)).get(_NOBODY.encode("ascii"), b"") == b""


def test_rights_on_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    needs(client, "ACL")
    with pytest.raises(CommandError):
        client.getacl(folders.name())
    client.noop()


def test_rights_without_the_capability(client: IMAPClient, folder: str) -> None:
    if client.has_capability("ACL"):
        pytest.skip("the server has ACL")
    with pytest.raises(CapabilityError, match="ACL"):
        client.getacl(folder)
    with pytest.raises(CapabilityError, match="ACL"):
        client.setacl(folder, _NOBODY, "l")


def test_quota(client: IMAPClient, folder: str) -> None:
    needs(client, "QUOTA")
    roots, quotas = client.get_quota_root(folder)
    assert roots.mailbox == folder
    assert {quota.quota_root for quota in quotas} <= set(roots.quota_roots)
    client.append(folder, message("Large", b"x" * 20_000))
    for before, after in zip(quotas, client.get_quota(folder)):
        assert (before.quota_root, before.resource, before.limit) == (after.quota_root, after.resource, after.limit)
        assert after.usage >= before.usage


def test_set_quota(client: IMAPClient) -> None:
    needs(client, "QUOTA")
    quotas = client.get_quota("INBOX")
    if not quotas:
        pytest.skip("the account has no quota")
    # The limits stay as they are. On most servers only an administrator may set them.
    with contextlib.suppress(CommandError):
        changed = client.set_quota(quotas)
        assert [quota.limit for quota in changed] == [quota.limit for quota in quotas]
    assert [quota.limit for quota in client.get_quota("INBOX")] == [quota.limit for quota in quotas]


def test_quota_without_the_capability(client: IMAPClient) -> None:
    if client.has_capability("QUOTA"):
        pytest.skip("the server has QUOTA")
    with pytest.raises(CapabilityError, match="QUOTA"):
        client.get_quota("INBOX")
    with pytest.raises(CapabilityError, match="QUOTA"):
        client.get_quota_root("INBOX")
