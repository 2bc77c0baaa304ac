"""One real server over one transport with one user, as the live tests use it."""

from __future__ import annotations

import contextlib
import os
import ssl
import sys
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from .closing import Closing
from .mail_server import MailServer

if TYPE_CHECKING:
    from imapclient import IMAPClient
    from imapclient.embedded_server import EmbeddedServer

_Server = TypeVar("_Server", bound=MailServer)

#: How a client reaches a server: in plain text, with TLS at once, with STARTTLS.
TRANSPORTS = ("plain", "tls", "starttls")
#: The servers. "pymap" is the embedded server, which is based on pymap.
SERVERS = ("dovecot", "cyrus", "courier", "pymap")

_TIMEOUT_SECONDS = 60


class LiveServer(Closing):
    """One server, one transport and one user. The mailbox is empty at the beginning of the test."""

    def __init__(
        self,
        name: str,
        transport: str,
        *,
        host: str,
        port: int,
        ssl_context: ssl.SSLContext,
        user: str,
        password: str,
    ) -> None:
        #: One of `SERVERS`.
        self.name = name
        #: One of `TRANSPORTS`.
        self.transport = transport
        self.host = host
        self.port = port
        #: A context for clients that trusts the server.
        self.ssl_context = ssl_context
        self.user = user
        self.password = password
        self._clients: list[IMAPClient] = []

    def connect(self, logged_in: bool = True, **kwargs: Any) -> IMAPClient:
        """Return a new connection of the test's user. TLS is on if the transport has it.

        :param logged_in: if False, the test has to log in.
        :param kwargs: more arguments for IMAPClient, without host, port and ssl.
        """
        from imapclient import IMAPClient

        kwargs.setdefault("timeout", _TIMEOUT_SECONDS)
        tls = self.transport == "tls"
        if tls:
            kwargs.setdefault("ssl_context", self.ssl_context)
        client = IMAPClient(self.host, self.port, ssl=tls, **kwargs)
        self._clients.append(client)
        if self.transport == "starttls":
            client.starttls(self.ssl_context)
        if logged_in:
            client.login(self.user, self.password)
        return client

    def close(self) -> None:
        """Close the connections that are still open."""
        while self._clients:
            self._clients.pop().shutdown()


def not_available(reason: str, *, obtainable: bool = True) -> None:
    """Skip the test, or fail it if everything that is obtainable is required."""
    if obtainable and os.environ.get("IMAPCLIENT_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


def running(kind: type[_Server]) -> Iterator[_Server]:
    """Yield a running server of the kind. If there is none, skip the test, or fail it if all servers are required."""
    reason = kind.unavailable()
    if reason is not None:
        not_available(reason)
    with kind() as server:
        yield server


def new_embedded(users: dict[str, str]) -> EmbeddedServer:
    """Return an embedded server with these users, which is not started. Skips and fails as `running` does."""
    from imapclient.embedded_server import EmbeddedServer

    server = EmbeddedServer(users=users, tls=True, starttls=True)
    reason = server.unavailable_reason()
    if reason is not None:
        # pymap does not run on older versions of Python, so that nothing can be installed.
        not_available(reason, obtainable=tuple(sys.version_info) >= (3, 11))
    return server


@contextlib.contextmanager
def live_server_of(request: pytest.FixtureRequest, name: str, transport: str) -> Iterator[LiveServer]:
    """Yield one of `SERVERS` over one of `TRANSPORTS`, with a new user."""
    with contextlib.ExitStack() as stack:
        server: MailServer | EmbeddedServer
        if name == "pymap":
            user, password = f"user-{uuid.uuid4().hex}", "secret"
            # It starts within milliseconds, so that each test may have one.
            server = stack.enter_context(new_embedded({user: password}))
        else:
            started: MailServer = request.getfixturevalue(name)
            user, password = started.new_user()
            server = started
        live = LiveServer(
            name,
            transport,
            host=server.host,
            port=server.tls_port if transport == "tls" else server.port,
            ssl_context=server.ssl_context,
            user=user,
            password=password,
        )
        yield stack.enter_context(live)
