"""The pytest fixture `imap_server`: a real IMAP server for the time of one test.

pytest loads this module in every run of every project that has the package installed, so it imports
what the fixture needs only when a test asks for the fixture.
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
    """The keyword arguments of the `EmbeddedServer` behind `imap_server`: none, so its defaults.

    Override it in a test module, a class or a conftest.py; such as
    `return {"users": {"ann": "secret", "bob": "hidden"}, "tls": True}`.
    """
    return {}


@pytest.fixture
def imap_server(imap_server_options: dict[str, Any]) -> Iterator[EmbeddedServer]:
    """A running `EmbeddedServer`, fresh for each test: user "ann", password "secret", empty INBOX.

    Skips the test where the server can't run, and names what is missing.
    """
    from .embedded_server import EmbeddedServer

    server = EmbeddedServer(**imap_server_options)
    reason = server.unavailable_reason()
    if reason is not None:
        pytest.skip(reason)
    with server:
        yield server
