"""Connecting, TLS and the byte transport under the reader. Knows nothing of IMAP.

Rules: a budget in seconds is shared by everything that it covers; a socket that is not handed over is closed; and
what can be sent or received is said by a `Transport`, so that TLS (STARTTLS) or compression can be put in between.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import math
import os
import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, Any, Protocol, Union

# When TCP looks whether a silent peer is still there: after so many seconds, then every so many, and how often it gets
# no answer before the connection is over. By itself a system looks after two hours; many a router has forgotten a
# silent connection long before. macOS has another name for the first.
KEEPALIVE = ((("TCP_KEEPIDLE", "TCP_KEEPALIVE"), 120), (("TCP_KEEPINTVL",), 30), (("TCP_KEEPCNT",), 4))
# How much is written before the timeout starts anew.
SEND_SIZE = 262144
# How much a pipe that can be written to takes at once (POSIX).
PIPE_SIZE = getattr(select, "PIPE_BUF", 512)


@dataclasses.dataclass
class SocketTimeout:
    """Timeouts in seconds, each None for no limit.

    ``connect`` is the budget for trying all addresses of the host, together with the TLS handshake. ``read`` applies
    to the greeting and to each later read from, or write to, the server.
    """

    connect: float | None
    read: float | None


SocketTimeout.__module__ = "imapclient.imapclient"


NO_TIMEOUT = SocketTimeout(None, None)
Timeout = Union[None, int, float, SocketTimeout]


def as_socket_timeout(timeout: Timeout) -> SocketTimeout:
    """A number stands for both timeouts: ``as_socket_timeout(30) == SocketTimeout(connect=30, read=30)``.

    ValueError for zero or less: IMAP can't be spoken over a socket that never waits.
    """
    if not isinstance(timeout, SocketTimeout):
        timeout = SocketTimeout(timeout, timeout)
    for name in ("connect", "read"):
        value = getattr(timeout, name)
        if value is None:
            continue
        if not isinstance(value, (int, float)):
            raise TypeError(f"timeout: {name} must be a number of seconds, or None for no limit, not {value!r}")
        if not 0 < value <= threading.TIMEOUT_MAX:
            raise ValueError(f"timeout: {name} must be more than 0 seconds, None for no limit, not {value!r}")
    return SocketTimeout(timeout.connect, timeout.read)


class Deadline:
    """A moment on the monotonic clock, or none. ``Deadline(0)`` polls: it takes what is there."""

    # How long what is there already is taken after the end: a peer that never stops sending can't hold us.
    POLLING = 0.05
    # The longest wait that every system takes, in seconds: 10 days.
    LONGEST = 864000.0

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + max(0.0, seconds)
        self._polling_end: float | None = None

    def remaining(self) -> float | None:
        """Seconds left, 0 at the end, None if there is no deadline.

        Raises socket.timeout if it was called at the end before, `POLLING` seconds ago or more.
        """
        if self._end is None:
            return None
        now = time.monotonic()
        if now < self._end:
            return min(self._end - now, self.LONGEST)
        if self._polling_end is None:
            # Not from the end itself: a busy system may not have run us since, and we have not looked yet.
            self._polling_end = now + self.POLLING
        elif now > self._polling_end:
            raise socket.timeout("timed out")
        return 0.0


Data = Union[bytes, memoryview]


class Transport(Protocol):
    """What the reader and the sender need of a connection. ``timeout`` is in seconds, None waits for ever, 0 polls.

    A timeout raises `socket.timeout` and loses no byte; the end of the stream is an empty result.
    """

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        """Append to ``into`` what arrives, at most ``size`` bytes."""

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int: ...

    def sendall(self, data: Data, timeout: float | None) -> None: ...

    def send_now(self, data: memoryview) -> int:
        """Send the first bytes without waiting; how many that were, 0 where none can be sent now.

        After 0 the same data, or no less than it, must be sent next: a TLS record may be half-way.
        """

    def close(self) -> None: ...


class SocketTransport:
    """A `Transport` over a socket, plain or TLS.

    The socket's own timeout is set for each call that needs another one: that is what makes a deadline hold for TLS
    too, where a readable socket may carry no more than a piece of a record, and it has no limit of 1024 open files.
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
            # One call in C receives and stores: an interrupt (Ctrl-C) can't fall between and lose the bytes. Over TLS
            # a moment remains, inside the ssl module's own Python code.
            into.extend(map(self.sock.recv, (size,)))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise socket.timeout("timed out") from None

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        self._use(timeout)
        try:
            return self.sock.recv_into(buffer)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise socket.timeout("timed out") from None

    def send_now(self, data: memoryview) -> int:
        self._use(0.0)
        try:
            return self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def sendall(self, data: Data, timeout: float | None) -> None:
        # In pieces: the timeout is for a connection that takes nothing, not for a message that takes long.
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
"""As socket.getaddrinfo gives it."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host, for `open_connection`. Raises socket.gaierror."""
    return list(socket.getaddrinfo(host or None, port, 0, socket.SOCK_STREAM))


def open_connection(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """A TCP connection to the first of the addresses that answers.

    The budget is shared: each address gets an equal part of what is left, so that one dead address (IPv6 without a
    route, say) can't use up the time of those after it. Raises the last address's OSError.
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
    """Keepalive finds connections that died silently; no delay, since a literal waits for its continuation."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for names, value in KEEPALIVE:
        for name in names:
            if hasattr(socket, name):
                # A system may know the option and not take it. Then its own intervals hold.
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
                break


def create_default_context(*, cafile: str | None = None) -> ssl.SSLContext:
    """A TLS context that verifies the server's certificate against the system's authorities, and its host name.

    ``cafile`` is a PEM file with authorities to trust instead of the system's; OSError where it can't be loaded. TLS
    1.2 is the oldest version that the context takes.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=cafile)
    # Python 3.9 leaves that to the system.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return context


# By OpenSSL's number for what is wrong with a certificate (X509_V_ERR_...).
_WRONG_WITH_CERTIFICATE = {
    2: "the server's certificate is from an authority that is not known here",
    9: "the server's certificate is not valid yet",
    10: "the server's certificate has expired",
    18: "the server's certificate is signed by nobody but itself",
    19: "the server's certificate is from an authority that is not known here",
    20: "the server's certificate is from an authority that is not known here",
    21: "the server's certificate is from an authority that is not known here",
    23: "the server's certificate was revoked",
    26: "the server's certificate is not for servers",
    62: "the server's certificate is for another host",
    64: "the server's certificate is for another host",
}
# OpenSSL's names for what a server without TLS leads to; the latter two in 3.2 and later, for some first bytes.
NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_OLD_VERSION = "the server speaks no version of TLS that is allowed here"
# By the names of OpenSSL's reasons.
_WRONG_WITH_TLS = {
    "UNSUPPORTED_PROTOCOL": _OLD_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_VERSION,
    "NO_PROTOCOLS_AVAILABLE": _OLD_VERSION,
    **dict.fromkeys(NO_TLS, "the server does not speak TLS here"),
}


def _explained(error: ssl.SSLError) -> ssl.SSLError:
    """An error of the handshake, with words for people before those of OpenSSL. Its class and attributes stay."""
    words = _WRONG_WITH_CERTIFICATE.get(getattr(error, "verify_code", 0)) or _WRONG_WITH_TLS.get(
        getattr(error, "reason", None) or ""
    )
    if words is None:
        return error
    explained = type(error)(error.errno, f"{words}: {error.strerror}")
    vars(explained).update(vars(error))
    return explained


def check_context(ssl_context: object) -> None:
    """TypeError for what can't wrap a socket, such as the name of a file with certificates, before anything is sent."""
    if ssl_context is not None and not hasattr(ssl_context, "wrap_socket"):
        raise TypeError(f"not an SSLContext: {ssl_context!r}")


def wrap_socket(sock: socket.socket, ssl_context: ssl.SSLContext | None, host: str) -> ssl.SSLSocket:
    """Wrap a connected socket in TLS and shake hands, within the socket's own timeout.

    ``ssl_context`` None means `create_default_context()`. Raises ssl.SSLError (ssl.SSLCertVerificationError where the
    certificate is not good), whose text says what is wrong, or socket.timeout; the socket is then closed.
    """
    try:
        if ssl_context is None:
            ssl_context = create_default_context()
        return ssl_context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLError as error:
        sock.close()
        raise _explained(error) from error
    except BaseException:
        sock.close()
        raise


def wrap_within(
    sock: socket.socket, ssl_context: ssl.SSLContext | None, host: str, deadline: Deadline
) -> ssl.SSLSocket:
    """`wrap_socket` within a budget."""
    try:
        remaining = deadline.remaining()
        if remaining == 0:
            raise socket.timeout("timed out")
        sock.settimeout(remaining)
    except BaseException:
        sock.close()
        raise
    return wrap_socket(sock, ssl_context, host)


class PipeTransport:
    """A `Transport` over the standard input and output of a child process.

    Two pipes and not a socket pair: Dovecot's imap, for one, refuses to start with a socket as its output. Where the
    system can't wait for a pipe (Windows), timeouts have no effect.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        # Held while the output is read: its number must not be closed, and given to another file, under a read.
        self._reading = threading.RLock()

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        with self._reading:
            self._wait(self._output, "POLLIN", timeout)
            # As in `SocketTransport`: no interrupt between receiving and storing.
            into.extend(map(os.read, (self._output.fileno(),), (size,)))

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        with self._reading:
            self._wait(self._output, "POLLIN", timeout)
            data = os.read(self._output.fileno(), len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._input, "POLLOUT", timeout)
            # No more than a pipe that can be written to takes at once, so that the write does not wait.
            view = view[os.write(self._input.fileno(), view[:PIPE_SIZE]) :]

    def send_now(self, data: memoryview) -> int:
        try:
            self._wait(self._input, "POLLOUT", 0.0)
        except socket.timeout:
            return 0
        return os.write(self._input.fileno(), data[:PIPE_SIZE])

    @staticmethod
    def _wait(pipe: IO[bytes], event: str, timeout: float | None) -> None:
        if pipe.closed:
            raise OSError(errno.EBADF, "the pipe is closed")
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(pipe.fileno(), getattr(select, event))
        if not poll.poll(None if timeout is None else math.ceil(timeout * 1000)):
            raise socket.timeout("timed out")

    def close(self, patience: float = 5.0) -> None:
        """End the process's input and wait for its end; after ``patience`` seconds it is killed.

        Its output is closed last: another thread that waits for it is woken by the end of the process.
        """
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # A thread that still reads gets the end of the output now, unless a process of the process keeps it open.
        if self._reading.acquire(timeout=patience):
            try:
                self._output.close()
            finally:
                self._reading.release()


def spawn(command: str) -> subprocess.Popen[bytes]:
    """Run ``command`` in the shell, with pipes for its standard input and output."""
    return subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


for _function in (create_default_context, wrap_socket):
    _function.__module__ = "imapclient.tls"
