"""The mail server that examples and documentation run against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer


@pytest.fixture
def sample_server(embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A new server with the sample mailbox, TLS and STARTTLS; user "ann", password "secret".

    `embedded` is asked for only because it skips or fails the test where the server can't run.
    """
    from imapclient.embedded_server import EmbeddedServer

    with EmbeddedServer(sample=True, tls=True, starttls=True) as server:
        yield server
