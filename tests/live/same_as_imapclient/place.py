"""The place for a group of calls: a server, a user with an empty mailbox, and connections."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Any, Callable, NamedTuple

from imapclient import IMAPClient

from .recording import Recorded, Recording

_TIMEOUT = 60
# pymap's first UID is 101. UIDs must differ from sequence numbers, so that mistaking them is a difference.
FIRST_UID = 101


class Message(NamedTuple):
    """A message for `Place.seed`, with flags and date as on the wire."""

    content: bytes
    flags: str = ""
    date: str = "01-Feb-2024 10:00:00 +0000"


class RawConnection:
    """A connection without a library, for commands that are not compared."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=_TIMEOUT)
        self._incoming = self._socket.makefile("rb")
        self._incoming.readline()

    def close(self) -> None:
        self._incoming.close()
        self._socket.close()

    def command(self, line: str | bytes) -> list[bytes]:
        """Send one command, with literals as ``{5+}``. Return its untagged lines. Raises RuntimeError unless OK."""
        data = line.encode() if isinstance(line, str) else line
        self._socket.sendall(b"A " + data + b"\r\n")
        lines: list[bytes] = []
        while True:
            answer = self._incoming.readline()
            if not answer.startswith(b"* "):
                break
            lines.append(answer[2:].rstrip(b"\r\n"))
        if not answer.startswith(b"A OK"):
            raise RuntimeError(f"{data[:200]!r} was answered by {answer!r}")
        return lines


class Place(ExitStack):
    """A server for one group of calls. At the end it closes the connections of the group."""

    def __init__(self, settings: dict[str, Any], user: str, recording: Recording) -> None:
        super().__init__()
        self.user = user
        self.password: str = settings["password"]
        self.host: str = settings["host"]
        self.port: int = settings["port"]
        self.tls_port: int = settings["tls_port"]
        #: Whether this is Dovecot. The embedded server has fewer extensions.
        self.is_dovecot = settings["kind"] == "dovecot"
        #: A command that speaks IMAP for the user, or None.
        self.stream: str | None = settings["streams"].get(user)
        self._ca: str = settings["ca"]
        self._recording = recording

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A context that trusts the server."""
        return ssl.create_default_context(cadata=self._ca)

    def call(self, label: str, function: Callable[..., Any], *arguments: object) -> Any:
        """Record the outcome of a call that is not a method of a client."""
        return self._recording.call(label, function, *arguments)

    def client(self, *, logged_in: bool = True, user: str | None = None, **options: Any) -> Recorded:
        """Return a new client. ``options`` are for IMAPClient. Connecting and logging in are not recorded."""
        if not options.get("stream"):
            options = {"host": self.host, "port": self.port, "ssl": False, **options}
        client = IMAPClient(**{"timeout": _TIMEOUT, **options})
        self.callback(_shut_down, client)
        if logged_in:
            client.login(user or self.user, self.password)
        return Recorded(client, self._recording)

    def raw(self) -> RawConnection:
        """Return a logged-in connection without a library."""
        connection = RawConnection(self.host, self.port)
        self.callback(connection.close)
        connection.command(f'LOGIN "{self.user}" "{self.password}"')
        return connection

    def seed(self, messages: Iterable[Message], folder: str = "INBOX") -> RawConnection:
        """Fill an empty folder. Its first message gets the UID `FIRST_UID`."""
        connection = self.raw()
        (status,) = connection.command(f'STATUS "{folder}" (UIDNEXT)')
        missing = FIRST_UID - int(status.split()[-1].rstrip(b")"))
        if missing:
            # Several messages in one command (RFC 3502).
            connection.command(f'APPEND "{folder}"' + " (\\Deleted) {1+}\r\nx" * missing)
            for line in (f'SELECT "{folder}"', "EXPUNGE", "UNSELECT"):
                connection.command(line)
        for message in messages:
            head = f'APPEND "{folder}" ({message.flags}) "{message.date}" {{{len(message.content)}+}}\r\n'
            connection.command(head.encode() + message.content)
        return connection


def _shut_down(client: IMAPClient) -> None:
    with suppress(OSError):
        client.shutdown()


Calls = Callable[[Place], None]
"""A group of calls."""
