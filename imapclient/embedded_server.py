"""A real IMAP server in a thread on loopback, for demonstrations and for users' own tests.

    with EmbeddedServer(users={"ann": "secret"}) as server:
        client = IMAPClient(server.host, server.port, ssl=False)

The server is pymap with its in-memory backend; the certificates come from trustme. Both packages
are optional, so they and asyncio are imported by `start()`, and this module can be imported
everywhere.

What is here runs in the caller's threads. pymap runs in a daemon thread of its own, which
`_testing.embedded_pymap` has; work goes there by run_coroutine_threadsafe.
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

_OLDEST_PYTHON = (3, 11)
_OLDEST_PYMAP = (0, 36, 7)


class EmbeddedServer:
    """An IMAP server for one process: in memory, on a free port of loopback, gone when it stops.

    Used as a context manager or with `start()` and `stop()`; each start begins with new mailboxes.
    It needs Python 3.11 or newer and the packages pymap and, for TLS, trustme; the constructor can
    be called without them, `start()` then raises RuntimeError. `unavailable_reason()` tells before.

    ``users`` maps names to passwords, any Unicode text, ``{"ann": "secret"}`` if left out. Names and
    passwords are compared exactly as given (no SASLprep). Every user has a mailbox of their own.

    ``sample=True`` fills each user's mailbox with the messages and folders of
    ``imapclient.sample_mailbox``; otherwise INBOX is empty. ``folders`` names folders that each user
    has from the start beside INBOX, subscribed; ``/`` separates levels.

    ``starttls=True`` makes the plain port offer STARTTLS (login without it stays allowed), and
    ``tls=True`` opens a second port where TLS starts at once. The certificate is valid for ``host``,
    ``localhost``, ``127.0.0.1`` and ``::1`` and signed by a certificate authority made for this object.

    ``port`` and ``tls_port`` are 0 for free ports. ``host`` should stay on loopback: the server is made
    for tests and defends itself against nobody.
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
            raise ValueError("EmbeddedServer needs at least one user")
        if isinstance(folders, str):
            raise TypeError("folders must be a collection of names, not one str")
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
        # A delivery and a stop exclude each other: a loop that has ended would never answer.
        self._lock = threading.Lock()

    @property
    def user(self) -> str:
        """The name of the first user, 'ann' unless ``users`` was given."""
        return next(iter(self.users))

    @property
    def password(self) -> str:
        """The password of the first user, 'secret' unless ``users`` was given."""
        return self.users[self.user]

    @property
    def port(self) -> int:
        """The port for plain connections and STARTTLS, such as 40123.

        Raises RuntimeError while the server isn't running.
        """
        return self._running_ports()[0]

    @property
    def tls_port(self) -> int:
        """The port where TLS starts at once, such as 40124.

        Raises RuntimeError while the server isn't running, and without ``tls=True``.
        """
        port = self._running_ports()[1]
        if port is None:
            raise RuntimeError("EmbeddedServer has a tls_port only with tls=True")
        return port

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the server's certificate authority: b'-----BEGIN CERTIFICATE-----...'.

        The authority is made on first use, lives as long as this object and is trusted by nobody
        else. Raises RuntimeError without the package trustme.
        """
        pem: bytes = self._certificate_authority().cert_pem.bytes()
        return pem

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A client's context that trusts this server's authority and no other, and checks names.

        The same object each time. Raises RuntimeError without the package trustme.
        """
        if self._ssl_context is None:
            cadata = self.ca_pem.decode("ascii")
            self._ssl_context = ssl.create_default_context(cadata=cadata)
        return self._ssl_context

    def unavailable_reason(self) -> str | None:
        """Why this server can't start on this interpreter, in one line; None when it can.

        Such as 'EmbeddedServer needs Python 3.11 or newer (this is 3.9)'. Imports nothing.
        """
        # In a variable, since type checkers take a comparison with sys.version_info itself for a
        # promise about the code below it.
        running = tuple(sys.version_info[:2])
        if running < _OLDEST_PYTHON:
            oldest, this = _dotted(_OLDEST_PYTHON), _dotted(running)
            return f"EmbeddedServer needs Python {oldest} or newer (this is {this})"
        wanted = f"pymap>={_dotted(_OLDEST_PYMAP)}"
        if importlib.util.find_spec("pymap") is None:
            return f"EmbeddedServer needs pymap: pip install '{wanted}'"
        installed = _installed_version("pymap")
        if installed is not None and _numbers(installed) < _OLDEST_PYMAP:
            return f"EmbeddedServer needs a newer pymap than {installed}: pip install '{wanted}'"
        if self._tls or self._starttls:
            return _trustme_missing()
        return None

    def start(self) -> EmbeddedServer:
        """Start the server and return it; it accepts connections when this returns.

        Raises RuntimeError with one line that names what is missing (see `unavailable_reason`) or
        says that it is running already, OSError when a port can't be had. Nothing stays behind
        after an error.
        """
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("EmbeddedServer is running already")
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
        """Say BYE to every connection, close them and all ports, and join the thread.

        Does nothing when the server isn't running. The mailboxes are gone afterwards.
        """
        with self._lock:
            service, thread = self._service, self._thread
            if service is None or thread is None:
                return
            self._service = self._thread = self._ports = None
            with suppress(RuntimeError):  # the loop has ended by an error, which is in the log
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
        r"""Put a message into a user's folder, as a mail transport would, and return its UID: 101.

        Clients that have the folder selected are told at once if they are in IDLE. ``message`` is
        stored unchanged; RFC 5322 wants CRLF line ends. ``flags`` are such as ``["\\Seen"]``, ``date``
        is its INTERNALDATE, now if left out; a naive datetime is local time. May be called from
        any thread.

        Raises ValueError for a user or a folder that doesn't exist, RuntimeError while the server
        isn't running.
        """
        import asyncio

        with self._lock:
            if self._service is None:
                raise RuntimeError("EmbeddedServer is not running")
            if user not in self.users:
                raise ValueError(f"no such user: {user!r}")
            service = self._service
            delivery = service.deliver(user, bytes(message), folder, tuple(flags), date)
            return asyncio.run_coroutine_threadsafe(delivery, service.loop).result()

    def _running_ports(self) -> tuple[int, int | None]:
        if self._ports is None:
            raise RuntimeError("EmbeddedServer is not running")
        return self._ports

    def _contents(self) -> tuple[tuple[str, ...], tuple[SampleMessage, ...]]:
        """The folders and the messages that each user starts with."""
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
    """A listening socket on the first address of the host. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.create_server(address, family=family)
    # Accepted sockets inherit it. asyncio sets it only where the socket names its protocol, which this one does not;
    # without it an answer in two writes waits 40 ms for the client's delayed acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _trustme_missing() -> str | None:
    if importlib.util.find_spec("trustme") is None:
        return "EmbeddedServer needs trustme for TLS: pip install trustme"
    return None


def _installed_version(package: str) -> str | None:
    """'0.36.7', or None for a package that is there without its metadata (a vendored copy)."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _dotted(numbers: Iterable[int]) -> str:
    """'3.11' of (3, 11)."""
    return ".".join(map(str, numbers))


def _numbers(version: str) -> tuple[int, ...]:
    """(0, 36, 7) of '0.36.7' and of '0.36.7.dev1'."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
