"""A real IMAP server in a thread, on the loopback address, for demonstrations and for tests of your program.

    with EmbeddedServer(users={"ann": "secret"}) as server:
        client = IMAPClient(server.host, server.port, ssl=False)

The server is pymap with its in-memory backend. The package trustme makes the certificates. Both packages are optional.
`start()` imports them and asyncio, so this module can always be imported.

The code in this module runs in the caller's threads. pymap runs in its own daemon thread, see
`_testing.embedded_pymap`. Work is passed to it with run_coroutine_threadsafe.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import socket
import ssl
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from types import TracebackType

    from ._testing.embedded_pymap import Service
    from ._testing.sample_mailbox import SampleMessage

__all__ = ["EmbeddedServer"]

_MIN_PYTHON = (3, 11)
_MIN_PYMAP = (0, 36, 7)


class EmbeddedServer:
    """An IMAP server in memory, on a free port of the loopback address. Its mailboxes are lost when it stops.

    Use it as a context manager, or call `start()` and `stop()`. Each start creates new mailboxes. It needs Python 3.11
    or newer, the package pymap and, for TLS, the package trustme. If one is missing, the constructor works, but
    `start()` raises RuntimeError. `unavailable_reason()` returns the reason beforehand.

    ``users`` maps user names to passwords, and is ``{"ann": "secret"}`` by default. Names and passwords may be any
    Unicode text. They are compared without SASLprep. Each user has a mailbox.

    With ``sample=True`` each mailbox contains the messages and folders of ``imapclient.sample_mailbox``. Otherwise it
    contains an empty INBOX. ``folders`` are the names of additional folders, which are subscribed. ``/`` separates
    levels.

    With ``starttls=True`` the plain port offers STARTTLS, but does not require it for the login. With ``tls=True``
    there is a second port, on which TLS starts at once. The certificate is valid for ``host``, ``localhost``,
    ``127.0.0.1`` and ``::1``. A certificate authority that belongs to this object signs it.

    If ``port`` or ``tls_port`` is 0, a free port is used. Keep ``host`` on the loopback address: the server is for
    tests and not secure. Raises ValueError if ``users`` is empty, and TypeError if ``folders`` is a str.
    """

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        sample: bool = False,
        folders: Iterable[str] = (),
        tls: bool = False,
        starttls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_port: int = 0,
    ) -> None:
        self.users: dict[str, str] = {"ann": "secret"} if users is None else dict(users)
        if not self.users:
            raise ValueError("EmbeddedServer needs at least one user, not users={}")
        if isinstance(folders, str):
            raise TypeError("folders must be a list of names, not a str")
        self.host = host
        self._sample = sample
        self._folders = tuple(folders)
        self._tls = tls
        self._starttls = starttls
        self._wanted_ports = (port, tls_port)
        self._ports: tuple[int, int | None] | None = None
        self._authority: Any = None
        self._ssl_context: ssl.SSLContext | None = None
        self._service: Service | None = None
        self._thread: threading.Thread | None = None
        # A delivery must not run during a stop: it would wait forever for a loop that has ended.
        self._lock = threading.Lock()

    @property
    def user(self) -> str:
        """The name of the first user; 'ann' by default."""
        return next(iter(self.users))

    @property
    def password(self) -> str:
        """The password of the first user; 'secret' by default."""
        return self.users[self.user]

    @property
    def port(self) -> int:
        """The port for connections without TLS and with STARTTLS, such as 40123.

        Raises RuntimeError if the server is not running.
        """
        return self._running_ports()[0]

    @property
    def tls_port(self) -> int:
        """The port on which TLS starts at once, such as 40124.

        Raises RuntimeError if the server is not running, or without ``tls=True``.
        """
        port = self._running_ports()[1]
        if port is None:
            raise RuntimeError("EmbeddedServer has no tls_port: create it with tls=True")
        return port

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the server's certificate authority in PEM: b'-----BEGIN CERTIFICATE-----...'.

        The authority is created on first use and belongs to this object. Nothing else trusts it. Raises RuntimeError if
        the package trustme is missing.
        """
        pem: bytes = self._certificate_authority().cert_pem.bytes()
        return pem

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A context for clients: it trusts only the authority of this server, and checks host names.

        It is the same object each time. Raises RuntimeError if the package trustme is missing.
        """
        if self._ssl_context is None:
            cadata = self.ca_pem.decode("ascii")
            self._ssl_context = ssl.create_default_context(cadata=cadata)
        return self._ssl_context

    def unavailable_reason(self) -> str | None:
        """One line that says why this server can't start; None if it can.

        For example 'EmbeddedServer needs Python 3.11 or newer (this is 3.9)'. Does not import pymap or trustme.
        """
        # A variable: after a comparison with sys.version_info itself, type checkers would skip the code below.
        running = tuple(sys.version_info[:2])
        if running < _MIN_PYTHON:
            oldest, this = _dotted(_MIN_PYTHON), _dotted(running)
            return f"EmbeddedServer needs Python {oldest} or newer (this is {this})"
        wanted = f"pymap>={_dotted(_MIN_PYMAP)}"
        if importlib.util.find_spec("pymap") is None:
            return f"EmbeddedServer needs pymap: pip install '{wanted}'"
        installed = _installed_version("pymap")
        if installed is not None and _numbers(installed) < _MIN_PYMAP:
            return f"EmbeddedServer needs a newer pymap than {installed}: pip install '{wanted}'"
        if self._tls or self._starttls:
            return _trustme_missing()
        return None

    def start(self) -> EmbeddedServer:
        """Start the server and return it. It accepts connections when this method returns.

        Raises RuntimeError if it is running already, or if a package is missing or too old (see
        `unavailable_reason`). Raises OSError if a port is not available. No port is open after an error.
        """
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("EmbeddedServer is running already: call stop() first")
            reason = self.unavailable_reason()
            if reason is not None:
                raise RuntimeError(reason)
            self._start()
        return self

    def _start(self) -> None:
        from ._testing.embedded_pymap import Listener, Service, ServiceThread

        listeners: list[Listener] = []
        try:
            server_context = self._server_context() if self._tls or self._starttls else None
            listeners.append(
                Listener(
                    _bind(self.host, self._wanted_ports[0]),
                    starttls=server_context if self._starttls else None,
                )
            )
            if self._tls:
                listeners.append(Listener(_bind(self.host, self._wanted_ports[1]), tls=server_context))
            folders, messages = self._contents()
            service = Service(self.users, folders, messages)
            thread = ServiceThread(service, listeners)
            thread.start_and_wait()
        except BaseException:
            for listener in listeners:
                listener.sock.close()
            raise
        ports = [listener.port for listener in listeners]
        self._ports = (ports[0], ports[1] if self._tls else None)
        self._service, self._thread = service, thread

    def stop(self) -> None:
        """Send BYE to every connection, close all connections and ports, and join the thread.

        Does nothing if the server is not running. The mailboxes are lost.
        """
        with self._lock:
            service, thread = self._service, self._thread
            if service is None or thread is None:
                return
            self._service = self._thread = self._ports = None
            with suppress(RuntimeError):  # the loop has ended with an error, which is in the log
                service.stop_soon()
            thread.join()

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f"{self.host}:{self._ports[0]}" if self._ports else "stopped"
        return f"<EmbeddedServer {where}>"

    def deliver(
        self,
        user: str,
        message: bytes,
        *,
        folder: str = "INBOX",
        flags: Iterable[str | bytes] = (),
        date: datetime | None = None,
    ) -> int:
        r"""Put a new message into a user's folder, and return its UID, such as 101.

        Clients in IDLE on that folder receive the message at once. ``message`` is stored unchanged; RFC 5322 requires
        CRLF line ends. ``flags`` are flags such as ``["\\Seen"]``. ``date`` is the INTERNALDATE, by default the current
        time; a naive datetime is local time. Every thread may call this method.

        Raises ValueError if the user or the folder does not exist, and RuntimeError if the server is not running.
        """
        import asyncio

        with self._lock:
            if self._service is None:
                raise RuntimeError("EmbeddedServer is not running: call start() first")
            if user not in self.users:
                raise ValueError(f"no such user: {user!r}")
            service = self._service
            delivery = service.deliver(user, bytes(message), folder, tuple(flags), date)
            return asyncio.run_coroutine_threadsafe(delivery, service.loop).result()

    def _running_ports(self) -> tuple[int, int | None]:
        if self._ports is None:
            raise RuntimeError("EmbeddedServer is not running: call start() first")
        return self._ports

    def _contents(self) -> tuple[tuple[str, ...], tuple[SampleMessage, ...]]:
        """The initial folders and messages of each user."""
        if not self._sample:
            return self._folders, ()
        from ._testing.sample_mailbox import SAMPLE_FOLDERS, sample_messages

        return self._folders + SAMPLE_FOLDERS, sample_messages()

    def _certificate_authority(self) -> Any:
        if self._authority is None:
            reason = _trustme_missing()
            if reason is not None:
                raise RuntimeError(reason)
            self._authority = importlib.import_module("trustme").CA()
        return self._authority

    def _server_context(self) -> ssl.SSLContext:
        names = dict.fromkeys([self.host, "localhost", "127.0.0.1", "::1"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate_authority().issue_cert(*names).configure_cert(context)
        return context


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket on the first address of the host. Raises OSError if that fails."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.create_server(address, family=family)
    # Accepted sockets inherit this option. asyncio does not set it for this socket, which has no protocol number.
    # Without the option, a response in two writes would wait 40 ms for the client's delayed acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _trustme_missing() -> str | None:
    if importlib.util.find_spec("trustme") is None:
        return "EmbeddedServer needs trustme for TLS: pip install trustme"
    return None


def _installed_version(package: str) -> str | None:
    """A version such as '0.36.7', or None for a package without metadata (a vendored copy)."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _dotted(numbers: Iterable[int]) -> str:
    """The text '3.11' for (3, 11)."""
    return ".".join(map(str, numbers))


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers (0, 36, 7) for '0.36.7' and for '0.36.7.dev1'."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
