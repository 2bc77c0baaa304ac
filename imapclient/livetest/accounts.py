"""The live tests' fixtures for the accounts of a configuration file: a pytest plugin.

Connections are kept from test to test, because many servers limit the number of logins.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.config import Settings, create_client_from_config
from imapclient.livetest.fixtures import Connect, delete_folders
from imapclient.sockets import Timeout

# A test never waits for ever, whatever the file says.
_TIMEOUT_SECONDS = 60.0


class Account:
    """One account with its idle connections."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self._kept: list[IMAPClient] = []

    def connect(self, timeout: Timeout = None) -> IMAPClient:
        """A new connection, logged in."""
        settings = copy.copy(self.settings)
        # It goes to IMAPClient as it is, which takes more than the file can say.
        vars(settings)["timeout"] = timeout or settings.timeout or _TIMEOUT_SECONDS
        return create_client_from_config(settings)

    def take(self) -> IMAPClient:
        """A connection as after the login: one that was kept, or a new one."""
        while self._kept:
            client = self._kept.pop()
            try:
                client.noop()
            except (IMAPClient.Error, OSError):
                client.shutdown()
            else:
                return client
        return self.connect()

    def give_back(self, client: IMAPClient) -> None:
        """Keep a connection for the next test, unless that would have to notice what this one did."""
        client.use_uid = client.folder_encode = client.normalise_times = True
        try:
            client.noop()
            # The folder belongs to the tests, so it is no loss that this expunges.
            client.close_folder()
        except IMAPClient.AbortError:
            client.shutdown()
            return
        except IMAPClient.Error:
            # It is in IDLE, or no folder is selected, or only for reading. The next NOOP tells which.
            pass
        self._kept.append(client)

    def clean(self) -> None:
        """Delete the folders of this run."""
        client = self.take()
        delete_folders(client)
        self._kept.append(client)

    def close(self) -> None:
        """Log out."""
        for client in self._kept:
            with client:
                pass


class Plugin:
    """Runs each test on each account, and those of refused accounts on these."""

    def __init__(self, accounts: list[Account], refused: list[Account]) -> None:
        self._accounts = accounts
        self._refused = refused

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, accounts in (("account", self._accounts), ("refused_account", self._refused)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, accounts, ids=[account.name for account in accounts])

    def pytest_sessionfinish(self) -> None:
        for account in self._accounts:
            account.close()

    @pytest.fixture
    def client(self, account: Account) -> Iterator[IMAPClient]:
        """A client that is logged in."""
        client = account.take()
        yield client
        account.give_back(client)
        account.clean()

    @pytest.fixture
    def second_client(self, client: IMAPClient, account: Account) -> Iterator[IMAPClient]:
        """Another connection of the same user."""
        second = account.take()
        yield second
        account.give_back(second)

    @pytest.fixture
    def connect(self, account: Account) -> Iterator[Connect]:
        """Opens new connections."""
        opened: list[IMAPClient] = []

        def connect(*, timeout: Timeout = None) -> IMAPClient:
            opened.append(account.connect(timeout))
            return opened[-1]

        yield connect
        for client in opened:
            client.shutdown()

    @pytest.fixture
    def server_name(self, client: IMAPClient) -> str:
        """Which server it is, as far as a test has to know."""
        return "embedded" if b"imapclient.EmbeddedServer" in client.welcome else "other"


def accounts_of(settings: Settings) -> tuple[list[Account], list[Account]]:
    """The accounts of a file: those to test, and those with ``expect_failure``."""
    sections: dict[str, Any] = {"DEFAULT": settings, **settings.alternates}
    accounts = [Account(name, section) for name, section in sections.items()]
    return (
        [account for account in accounts if not account.settings.expect_failure],
        [account for account in accounts if account.settings.expect_failure],
    )
