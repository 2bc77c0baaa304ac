"""What the shipped live suite needs here: its fixtures, on each real server."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient
from tests.helpers.live import LiveServer

pytest.register_assert_rewrite("imapclient.livetest")

from imapclient.livetest.fixtures import Connect, folder, folders  # noqa: E402

__all__ = ["client", "connect", "folder", "folders", "second_client", "server_name"]


@pytest.fixture
def client(suite_server: LiveServer) -> IMAPClient:
    """A logged-in client of a user whose mailbox is empty."""
    return suite_server.connect()


@pytest.fixture
def second_client(client: IMAPClient, suite_server: LiveServer) -> IMAPClient:
    """Another connection of the same user as `client`."""
    return suite_server.connect()


@pytest.fixture
def connect(suite_server: LiveServer) -> Connect:
    """Opens more connections of the same user."""
    return suite_server.connect


@pytest.fixture
def server_name(suite_server: LiveServer) -> str:
    """The server's name, such as "dovecot" or "embedded"."""
    return suite_server.name
