"""The connection of each section of the file, and the ways to log in."""

from __future__ import annotations

from typing import Callable

import pytest

from imapclient.exceptions import CapabilityError, IllegalStateError, LoginError
from imapclient.livetest.accounts import Account
from imapclient.livetest.fixtures import Connect, Folders, message, needs

from .. import IMAPClient, sasl

_WITH_PASSWORD: dict[str, Callable[[str, str], sasl.Mechanism]] = {
    "PLAIN": sasl.Plain,
    "LOGIN": sasl.Login,
    "CRAM-MD5": sasl.CramMD5,
    "SCRAM-SHA-1": sasl.ScramSHA1,
    "SCRAM-SHA-256": sasl.ScramSHA256,
}


def test_section_connects_or_is_refused(account: Account, section: str | None, connect: Connect) -> None:
    """If the section sets ``expect_failure``, connecting fails with an error that contains its value."""
    if section is None:
        pytest.skip("the file has no other sections")
    expected = account.settings.alternates[section].expect_failure
    if expected:
        with pytest.raises((IMAPClient.Error, OSError)) as caught:
            connect(section=section)
        assert expected in str(caught.value)
        return
    with connect(section=section) as client:
        folders = Folders(client, account)
        name = folders.create("-section")
        data = message("Large", b"0123456789\r\n" * 100_000)
        client.append(name, data)
        client.select_folder(name)
        (found,) = client.search()
        assert client.fetch(found, "BODY.PEEK[]")[found][b"BODY[]"] == data


def _credentials(account: Account) -> tuple[str, str]:
    if account.settings.oauth2 or not account.settings.password:
        pytest.skip("the account has no password in the file")
    return account.settings.username, account.settings.password


def _check_login(client: IMAPClient) -> None:
    assert client.folder_exists("INBOX")
    # A second login is refused.
    with pytest.raises(LoginError):
        client.login("somebody", "else")
    assert client.folder_exists("INBOX")


def test_login(account: Account, connect: Connect) -> None:
    user, password = _credentials(account)
    client = connect(login=False)
    assert client.login(user, password)
    _check_login(client)


def test_plain_login(account: Account, connect: Connect) -> None:
    user, password = _credentials(account)
    client = connect(login=False)
    needs(client, "AUTH=PLAIN")
    assert client.plain_login(user, password)
    _check_login(client)


@pytest.mark.parametrize("name", _WITH_PASSWORD)
def test_authenticate(account: Account, connect: Connect, name: str) -> None:
    user, password = _credentials(account)
    client = connect(login=False)
    needs(client, f"AUTH={name}")
    assert client.authenticate(_WITH_PASSWORD[name](user, password))
    _check_login(client)


def test_sasl_login(account: Account, connect: Connect) -> None:
    user, password = _credentials(account)
    client = connect(login=False)
    needs(client, "AUTH=PLAIN")
    assert client.sasl_login("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
    _check_login(client)


@pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER"])
def test_wrong_token(connect: Connect, name: str) -> None:
    client = connect(login=False)
    needs(client, f"AUTH={name}")
    logins: dict[str, Callable[[str, str], object]] = {
        "XOAUTH2": client.oauth2_login,
        "OAUTHBEARER": client.oauthbearer_login,
    }
    with pytest.raises(LoginError) as caught:
        logins[name]("imapclient-livetest-nobody", "no.such.token")
    assert "no.such.token" not in str(caught.value)
    client.noop()


def test_starttls_after_login_is_refused(client: IMAPClient) -> None:
    with pytest.raises((CapabilityError, IllegalStateError)):
        client.starttls()
    client.noop()


def test_socket(client: IMAPClient, account: Account) -> None:
    if account.settings.stream:
        pytest.skip("the connection is a program, which has no socket")
    assert client.socket().fileno() >= 0
    client.noop()
