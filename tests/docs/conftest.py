"""The mail servers that examples and documentation run against."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from imapclient import IMAPClient
from tests.helpers.dovecot import Dovecot

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer


@pytest.fixture
def sample_server(embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A new server with the sample mailbox, TLS and STARTTLS; user "ann", password "secret".

    `embedded` is requested only because it skips or fails the test if the server can't run.
    """
    from imapclient.embedded_server import EmbeddedServer

    with EmbeddedServer(sample=True, tls=True, starttls=True) as server:
        yield server


@pytest.fixture
def dovecot_client(dovecot: Dovecot) -> Iterator[IMAPClient]:
    """A client of a new user of Dovecot, whose mailbox is empty."""
    user = f"ann-{uuid.uuid4().hex}"
    dovecot.add_user(user, "secret")
    client = IMAPClient(dovecot.host, dovecot.port, ssl=False, timeout=60)
    client.login(user, "secret")
    yield client
    client.shutdown()
