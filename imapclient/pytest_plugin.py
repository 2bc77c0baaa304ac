"""The pytest fixture `imap_server`: a real IMAP server for one test.

If the package is installed, pytest loads this module in each run. So the server is imported late, when a test uses the
fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .embedded_server import EmbeddedServer

__all__ = ["imap_server", "imap_server_options"]


@pytest.fixture
def imap_server_options() -> dict[str, Any]:
    """The keyword arguments for the `EmbeddedServer` of `imap_server`: ``{}`` by default.

    Override it in a test module, a class or a conftest.py, for example with
    `return {"users": {"ann": "secret", "bob": "hidden"}, "tls": True}`.
    """
    return {}


@pytest.fixture
def imap_server(imap_server_options: dict[str, Any]) -> Iterator[EmbeddedServer]:
    """A running `EmbeddedServer`, a new one for each test: user "ann", password "secret", empty INBOX.

    If the server can't run, the test is skipped with the reason.
    """
    from .embedded_server import EmbeddedServer

    server = EmbeddedServer(**imap_server_options)
    reason = server.unavailable_reason()
    if reason is not None:
        pytest.skip(reason)
    with server:
        yield server
