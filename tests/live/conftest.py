"""What the shipped live suite needs here: its fixtures, on each real server and transport."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient
from tests.helpers.live import LiveServer

pytest.register_assert_rewrite("imapclient.livetest")

from imapclient.livetest.fixtures import Connect, folder, folders  # noqa: E402

__all__ = ["client", "connect", "folder", "folders", "second_client", "server_name"]


@pytest.fixture
def client(live_server: LiveServer) -> IMAPClient:
    """A logged-in client of a user whose mailbox is empty."""
    return live_server.connect()


@pytest.fixture
def second_client(client: IMAPClient, live_server: LiveServer) -> IMAPClient:
    """Another connection of the same user as `client`."""
    return live_server.connect()


@pytest.fixture
def connect(live_server: LiveServer) -> Connect:
    """Opens more connections of the same user."""
    return live_server.connect


@pytest.fixture
def server_name(live_server: LiveServer) -> str:
    """The server's name, "dovecot" or "embedded"."""
    return live_server.name
