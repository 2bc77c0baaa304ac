"""A user's view of one real server over one transport, as the live tests see it."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapclient import IMAPClient

#: How a client reaches a server: in plain text, with TLS at once, with STARTTLS.
TRANSPORTS = ("plain", "tls", "starttls")
#: The servers, and over which transport each runs the whole live suite; what is short runs over all.
SERVERS = {"embedded": "plain", "dovecot": "tls", "cyrus": "plain", "courier": "plain"}

_TIMEOUT_SECONDS = 30


class LiveServer:
    """One server, one transport and one user, whose mailbox is empty at the start of the test."""

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
        #: A client's context that trusts the server.
        self.ssl_context = ssl_context
        self.user = user
        self.password = password
        self._clients: list[IMAPClient] = []

    def __enter__(self) -> LiveServer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self, logged_in: bool = True, **kwargs: Any) -> IMAPClient:
        """Return a new connection of the test's user, with TLS done where the transport has it.

        :param logged_in: False leaves the login to the test.
        :param kwargs: arguments for IMAPClient beyond host, port and ssl.
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
        """Close the connections that the test left open."""
        while self._clients:
            self._clients.pop().shutdown()
