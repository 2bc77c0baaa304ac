"""The folder in which the live suite works, on each server. It is deleted at the end, and so are old ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imapclient import IMAPClient
from imapclient.config import parse_config_file
from imapclient.livetest.accounts import PREFIX, Account, root_of
from tests.helpers.config_files import write_config
from tests.helpers.cyrus import Cyrus
from tests.helpers.mail_server import MailServer


def _account(server: MailServer, folder: Path) -> Account:
    user, password = server.new_user()
    text = (
        f"[DEFAULT]\nhost = {server.host}\nport = {server.port}\nssl = no\nusername = {user}\npassword = {password}\n"
    )
    return Account("DEFAULT", parse_config_file(write_config(folder / "my.ini", text)))


@contextmanager
def _other_client(account: Account) -> Iterator[IMAPClient]:
    client = account.connect()
    yield client
    client.shutdown()


def _names(client: IMAPClient) -> set[str]:
    subscribed = client.list_sub_folders("", f"{root_of(client)}*")
    return {item[2] for item in (*client.list_folders(), *subscribed)}


def _check(server: MailServer, folder: Path) -> None:
    account = _account(server, folder)
    with _other_client(account) as other:
        before = _names(other)
        # The folder of a run two days ago. Folders in it are created and deleted like those of this run.
        other.create_folder(f"{root_of(other)}{PREFIX}{int(time.time()) - 2 * 24 * 60 * 60:08x}0123abcd")
        client = account.take()
        made = account.take_folder(client)
        client.subscribe_folder(made)
        account.give_back(client)
        assert account.delimiter in ("/", ".")
        assert made.startswith(account.top + account.delimiter)
        assert _names(other) - before == {account.top, made}
        # UIDs and sequence numbers differ in it.
        other.append(made, b"Subject: second\r\n\r\n")
        other.select_folder(made)
        assert other.search() == [2]
        other.close_folder()
        account.close()
        assert _names(other) == before
    # A second call does nothing.
    account.close()


def test_nothing_is_left(mail_server: MailServer, tmp_path: Path) -> None:
    _check(mail_server, tmp_path)


def test_nothing_is_left_below_inbox_and_between_dots(cyrus: Cyrus, tmp_path: Path) -> None:
    with Cyrus(alternative_namespace=False) as server:
        _check(server, tmp_path)


def test_a_connection_that_was_lost_is_replaced(cyrus: Cyrus, tmp_path: Path) -> None:
    account = _account(cyrus, tmp_path)
    client = account.take()
    account.give_back(client)
    assert account.take() is client
    client.shutdown()
    account.give_back(client)
    new = account.take()
    assert new is not client
    assert new.noop()
    account.close()
    with pytest.raises(IMAPClient.AbortError):
        client.noop()
    new.shutdown()
