"""Timeouts, connecting, and the transport over a socket. Knows nothing of IMAP.

All steps of an operation share one budget in seconds. If an operation fails, its socket is closed. The reader and the
sender see a `Transport` only, so that TLS and compression can be put in between.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Union

from .._import_time import dataclass
from .waiting import MAX_SECONDS, Deadline

# After 120 silent seconds TCP probes the peer, then every 30 seconds. It ends the connection after 4 probes without an
# answer. A system's own first interval is two hours, and many routers forget a silent connection long before. macOS has
# another name for the first interval.
KEEPALIVE = ((("TCP_KEEPIDLE", "TCP_KEEPALIVE"), 120), (("TCP_KEEPINTVL",), 30), (("TCP_KEEPCNT",), 4))
# How many bytes are sent before the timeout starts again.
SEND_SIZE = 262144


@dataclass
class SocketTimeout:
    """Timeouts in seconds, each None for no limit.

    ``connect`` is the budget for all addresses of the host together, and for the TLS handshake. ``read`` applies to the
    greeting, and then to each single read or write.
    """

    connect: float | None
    read: float | None

    def __init__(self, connect: float | None, read: float | None) -> None:
        self.connect = connect
        self.read = read


SocketTimeout.__module__ = "imapclient.imapclient"


NO_TIMEOUT = SocketTimeout(None, None)
Timeout = Union[None, int, float, SocketTimeout]


def as_socket_timeout(timeout: Timeout) -> SocketTimeout:
    """Both timeouts. A number sets both: ``as_socket_timeout(30) == SocketTimeout(connect=30, read=30)``.

    Raises ValueError for 0 or less, because a socket that never waits can't carry IMAP. Raises ValueError also for more
    seconds than Python can wait, and TypeError if a timeout is not a number.
    """
    if not isinstance(timeout, SocketTimeout):
        timeout = SocketTimeout(timeout, timeout)
    for name in ("connect", "read"):
        value = getattr(timeout, name)
        if value is None:
            continue
        if not isinstance(value, (int, float)):
            raise TypeError(f"timeout: {name} must be a number of seconds, or None for no limit, not {value!r}")
        if not 0 < value <= MAX_SECONDS:
            limit = f"more than 0 and at most {MAX_SECONDS:.0f} seconds"
            raise ValueError(f"timeout: {name} must be {limit}, or None for no limit, not {value!r}")
    return SocketTimeout(timeout.connect, timeout.read)


Data = Union[bytes, memoryview]


class Transport(Protocol):
    """A connection, as the reader and the sender use it.

    ``timeout`` is in seconds: None waits for ever, and 0 does not wait. A timeout raises socket.timeout and loses no
    byte. At the end of the stream, `recv` appends ``b''`` and `recv_into` returns 0.


    """

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        """Append the bytes that arrive to ``into``, at most ``size`` of them."""

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        """Write the bytes that arrive into ``buffer``. Returns their number."""

    def sendall(self, data: Data, timeout: float | None) -> None:
        """Send all of ``data``."""

    def send_now(self, data: memoryview) -> int:
        """Send as many of the first bytes as possible without waiting. Returns their number, which may be 0.

        After 0, the next data must begin with the same bytes: a TLS record may be half sent.

        """

    def close(self) -> None:
        """Close the connection. Raises nothing."""


# Raised by a socket that does not wait, and by TLS if a record is not complete.
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketTransport:
    """A `Transport` over a socket, plain or TLS.

    A call uses the socket's own timeout, and changes it if needed. So a deadline also holds if only a part of a TLS
    record has arrived. `select.select` is not used: it takes only descriptors below 1024.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._timeout: float | None = sock.gettimeout()

    def _use(self, timeout: float | None) -> None:
        if timeout != self._timeout:
            self.sock.settimeout(timeout)
            self._timeout = timeout

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        self._use(timeout)
        try:
            # One call in C receives and stores, so that no interrupt (Ctrl-C) between the two can lose bytes. Over TLS,
            # an interrupt can still lose bytes within the ssl module's own Python code.
            into.extend(map(self.sock.recv, (size,)))
        except _NOT_NOW:
            raise socket.timeout("timed out") from None

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        self._use(timeout)
        try:
            return self.sock.recv_into(buffer)
        except _NOT_NOW:
            raise socket.timeout("timed out") from None

    def send_now(self, data: memoryview) -> int:
        self._use(0.0)
        try:
            return self.sock.send(data)
        except _NOT_NOW:
            return 0

    def sendall(self, data: Data, timeout: float | None) -> None:
        # In pieces, each with its own timeout. So a long message does not time out if its pieces are sent in time.
        self._use(timeout)
        for piece in pieces(data):
            self.sock.sendall(piece)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.sock.close()


def pieces(data: Data) -> Iterator[memoryview]:
    """The data in views of at most `SEND_SIZE` bytes."""
    view = memoryview(data)
    for start in range(0, len(view), SEND_SIZE):
        yield view[start : start + SEND_SIZE]


Address = tuple[Any, ...]
"""An item of the list that socket.getaddrinfo returns."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host, for `open_connection`. Raises socket.gaierror."""
    return list(socket.getaddrinfo(host or None, port, 0, socket.SOCK_STREAM))


def open_connection(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """A TCP connection to the first address that answers.

    Each address gets an equal part of the time that is left. So one dead address (IPv6 without a route, for example)
    can't use up the time of the others. Raises the OSError of the last address that was tried, or socket.timeout if no
    time was left for any.
    """
    error: OSError | None = None
    for index, (family, kind, proto, _, address) in enumerate(addresses):
        remaining = deadline.remaining()
        if remaining is not None:
            if remaining == 0:
                raise error or socket.timeout("timed out")
            remaining /= len(addresses) - index
        sock = None
        try:
            sock = socket.socket(family, kind, proto)
            sock.settimeout(remaining)
            sock.connect(address)
            _tune(sock)
        except OSError as exc:
            if sock is not None:
                sock.close()
            error = exc
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        else:
            return sock
    raise error or OSError("the host has no address")


def _tune(sock: socket.socket) -> None:
    """Turn on keep-alive, which finds connections that died silently. Turn off the delay of small packets."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for names, value in KEEPALIVE:
        for name in names:
            if hasattr(socket, name):
                # A system may know an option and refuse it. The system's own intervals then apply.
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
                break
