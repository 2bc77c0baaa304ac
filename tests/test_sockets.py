"""Connecting, TLS and the socket transport, on loopback sockets."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient import sockets
from imapclient.sockets import (
    SEND_SIZE,
    Address,
    Deadline,
    PipeTransport,
    SocketTimeout,
    SocketTransport,
    Timeout,
    Transport,
    as_socket_timeout,
    open_connection,
    pieces,
    resolve,
    spawn,
    wrap_socket,
    wrap_within,
)
from tests.helpers import certificates
from tests.helpers.clock import Clock

# -- timeouts and deadlines


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, SocketTimeout(None, None)),
        (30, SocketTimeout(30, 30)),
        (0.5, SocketTimeout(0.5, 0.5)),
        (SocketTimeout(1, 2.5), SocketTimeout(1, 2.5)),
        (SocketTimeout(None, 2), SocketTimeout(None, 2)),
        (SocketTimeout(connect=3, read=None), SocketTimeout(3, None)),
    ],
)
def test_as_socket_timeout(timeout: Timeout, expected: SocketTimeout) -> None:
    assert as_socket_timeout(timeout) == expected


@pytest.mark.parametrize(
    ("timeout", "name"),
    [
        (0, "connect"),
        (-1, "connect"),
        (0.0, "connect"),
        (float("nan"), "connect"),
        (SocketTimeout(0, 5), "connect"),
        (SocketTimeout(5, 0), "read"),
        (SocketTimeout(None, -0.1), "read"),
    ],
)
def test_as_socket_timeout_refuses(timeout: Timeout, name: str) -> None:
    with pytest.raises(ValueError, match=f"timeout: {name} must be more than 0 seconds"):
        as_socket_timeout(timeout)


def test_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    assert Deadline(None).remaining() is None
    deadline = Deadline(100)
    assert deadline.remaining() == 100
    clock[0] += 40
    assert deadline.remaining() == 60


@pytest.mark.parametrize("late", [0, 1000])
def test_deadline_that_is_over(monkeypatch: pytest.MonkeyPatch, late: float) -> None:
    """What is there may be taken for a moment after we look for the first time, however late that is."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    deadline = Deadline(5)
    clock[0] += 5 + late
    for _ in range(2):
        assert deadline.remaining() == 0
        clock[0] += 0.6 * Deadline.POLLING
    with pytest.raises(socket.timeout):
        deadline.remaining()


# -- the transport


@pytest.fixture
def pair() -> Iterator[tuple[SocketTransport, socket.socket]]:
    """A transport over one end of a connection, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield SocketTransport(ours), theirs


def received(transport: Transport, size: int, timeout: float | None) -> bytes:
    into: list[bytes] = []
    transport.recv(into, size, timeout)
    (data,) = into
    return data


def received_into(transport: Transport, size: int, timeout: float | None) -> bytes:
    buffer = bytearray(size)
    with memoryview(buffer) as view:
        count = transport.recv_into(view, timeout)
    return bytes(buffer[:count])


@pytest.mark.parametrize("receive", [received, received_into])
def test_receive(pair: tuple[SocketTransport, socket.socket], receive: Any) -> None:
    transport, theirs = pair
    theirs.sendall(b"abcdef")
    assert receive(transport, 2, None) == b"ab"
    assert receive(transport, 2, 5) == b"cd"
    assert receive(transport, 100, 0) == b"ef"
    for timeout in (0, 0.001, 0):
        with pytest.raises(socket.timeout):
            receive(transport, 100, timeout)
    theirs.sendall(b"more")
    assert receive(transport, 100, 5) == b"more"
    theirs.close()
    assert receive(transport, 100, 5) == b""
    assert receive(transport, 100, 0) == b""


@pytest.mark.parametrize("receive", [received, received_into])
def test_receive_over_tls(receive: Any) -> None:
    with tls_pair() as (tls, peer):
        transport = SocketTransport(tls)
        for timeout in (0, 0.001):
            with pytest.raises(socket.timeout):
                receive(transport, 100, timeout)
        peer.sendall(b"abcdef")
        assert receive(transport, 2, 5) == b"ab"
        assert receive(transport, 100, 0) == b"cdef"
        transport.sendall(b"to the server", 5)
        assert peer.recv(100) == b"to the server"


def test_a_timeout_stores_nothing(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, _ = pair
    into: list[bytes] = []
    with pytest.raises(socket.timeout):
        transport.recv(into, 100, 0)
    assert into == []


def test_send(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, theirs = pair
    data = bytes(range(256)) * 4096 + b"end"
    assert len(data) > 3 * SEND_SIZE
    got = bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(theirs.recv(100_000))

    thread = threading.Thread(target=read)
    thread.start()
    transport.sendall(data, 60)
    thread.join()
    assert bytes(got) == data


def test_send_to_a_peer_that_takes_nothing(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, _ = pair
    with pytest.raises(socket.timeout):
        transport.sendall(b"x" * 50_000_000, 0.05)


def test_deadlines_of_any_length() -> None:
    """Longer than the system's calls take, and less than nothing."""
    for seconds in (1e12, float("inf")):
        remaining = Deadline(seconds).remaining()
        assert remaining is not None
        with socket.socket() as sock:
            sock.settimeout(remaining)
    assert Deadline(-1000).remaining() == 0


@pytest.mark.parametrize("size", [0, 1, SEND_SIZE - 1, SEND_SIZE, SEND_SIZE + 1, 3 * SEND_SIZE])
def test_pieces(size: int) -> None:
    data = b"x" * size
    found = [bytes(piece) for piece in pieces(data)]
    assert b"".join(found) == data
    assert all(0 < len(piece) <= SEND_SIZE for piece in found)


def test_close_twice(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, theirs = pair
    transport.close()
    transport.close()
    assert transport.sock.fileno() == -1
    assert theirs.recv(10) == b""


# -- connecting


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket on loopback that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A socket on loopback whose queue is full: a connection to it is neither taken nor refused."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(64):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.05)
            try:
                filler.connect(sock.getsockname())
            except socket.timeout:
                break
        else:
            pytest.skip("this system queues connections without an end")
        yield sock


@pytest.fixture
def refusing() -> tuple[str, int]:
    """An address on loopback where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address: tuple[str, int] = sock.getsockname()
    return address


# For `Clock.no_answer_from`.
DEAD = ("127.0.0.1", 9)


def at(address: tuple[str, int]) -> Address:
    """An address as the name service gives it."""
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)


def sockets_left() -> list[socket.socket]:
    """The open sockets that nothing but the garbage collector knows of."""
    gc.collect()
    return [item for item in gc.get_objects() if isinstance(item, socket.socket) and item.fileno() != -1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", ""])
def test_resolve(host: str) -> None:
    """No host is this machine."""
    addresses = resolve(host, 143)
    assert addresses
    for family, kind, _, _, address in addresses:
        assert family in (socket.AF_INET, socket.AF_INET6)
        assert kind == socket.SOCK_STREAM
        assert address[0] in ("127.0.0.1", "::1")
        assert address[1] == 143


def test_resolve_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [at(("192.0.2.2", 143)), at(("192.0.2.1", 143)), at(("192.0.2.3", 143))]
    asked: list[Any] = []

    def lookup(*arguments: Any) -> list[Address]:
        asked.append(arguments[:2])
        return addresses

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert resolve("imap.example.org", 143) == addresses
    assert asked == [("imap.example.org", 143)]


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(socket.gaierror):
        resolve("nowhere.example.invalid", 143)


def test_connection(listener: socket.socket) -> None:
    address = listener.getsockname()
    with open_connection(resolve(*address), Deadline(60)) as sock:
        assert sock.getpeername() == address
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [sock.getsockopt(socket.IPPROTO_TCP, name) for name in names] == [120, 30, 4]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_connection_without_a_budget(listener: socket.socket) -> None:
    with open_connection([at(listener.getsockname())], Deadline(None)) as sock:
        assert sock.getpeername() == listener.getsockname()
        assert sock.gettimeout() is None


def test_addresses_in_order(listener: socket.socket, refusing: tuple[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as second:
        addresses = [at(refusing), at(listener.getsockname()), at(second.getsockname())]
        with open_connection(addresses, Deadline(60)) as sock:
            assert sock.getpeername() == listener.getsockname()


def test_a_dead_address_leaves_time_for_the_next(listener: socket.socket, clock: Clock) -> None:
    waited = clock.no_answer_from(DEAD)
    with open_connection([at(DEAD), at(DEAD), at(listener.getsockname())], Deadline(1000)) as sock:
        assert sock.getpeername() == listener.getsockname()
    # A third of all, and half of the rest.
    assert waited == pytest.approx([333, 333], abs=100)


def test_all_addresses_dead(deaf: socket.socket) -> None:
    before = sockets_left()
    with pytest.raises(socket.timeout):
        open_connection([at(deaf.getsockname())] * 3, Deadline(0.1))
    assert len(sockets_left()) == len(before)


def test_all_addresses_fail(refusing: tuple[str, int], clock: Clock) -> None:
    """The last one's error is raised."""
    clock.no_answer_from(DEAD)
    before = sockets_left()
    with pytest.raises(ConnectionRefusedError):
        open_connection([at(DEAD), at(refusing)], Deadline(1000))
    with pytest.raises(socket.timeout):
        open_connection([at(refusing), at(DEAD)], Deadline(1000))
    assert len(sockets_left()) == len(before)


def test_a_family_that_this_system_lacks(listener: socket.socket) -> None:
    odd = (9999, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    with open_connection([odd, at(listener.getsockname())], Deadline(60)) as sock:
        assert sock.getpeername() == listener.getsockname()
    with pytest.raises(OSError, match=r"."):
        open_connection([odd], Deadline(60))


def test_no_address() -> None:
    with pytest.raises(OSError, match="no address"):
        open_connection([], Deadline(60))


def test_a_budget_that_is_used_up(listener: socket.socket) -> None:
    with pytest.raises(socket.timeout):
        open_connection([at(listener.getsockname())], Deadline(0))


def test_an_interrupt_while_connecting_closes_the_socket(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    before = sockets_left()
    # What Ctrl-C does at the worst moment: the socket is there and not handed over yet.
    monkeypatch.setattr(socket.socket, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_connection([at(listener.getsockname())], Deadline(60))
    assert len(sockets_left()) == len(before)


# -- TLS


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[tuple[socket.socket, list[ssl.SSLSocket]]]:
    """A connected client socket, not yet wrapped, and where the server's end appears once it has shaken hands."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listening.getsockname(), 60))
        accepted, _ = listening.accept()
        accepted.settimeout(60)
        served: list[ssl.SSLSocket] = []

        def serve() -> None:
            # The client's refusal comes as an alert, or as the end of the connection.
            with contextlib.suppress(OSError):
                served.append(context.wrap_socket(accepted, server_side=True))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield client, served
        finally:
            client.close()
            thread.join()
            accepted.close()
            for sock in served:
                sock.close()


@contextlib.contextmanager
def tls_pair() -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of a TLS connection."""
    context = certificates.client_context()
    with contextlib.ExitStack() as stack:
        client, served = stack.enter_context(tls_server(certificates.server_context()))
        tls = stack.enter_context(wrap_socket(client, context, "localhost"))
        while not served:
            time.sleep(0.001)
        yield tls, served[0]


def test_wrap_socket() -> None:
    with tls_pair() as (tls, peer):
        assert tls.version() in ("TLSv1.2", "TLSv1.3")
        assert tls.server_hostname == "localhost"
        peer.sendall(b"hello")
        assert tls.recv(10) == b"hello"


@pytest.mark.parametrize(
    "server_context",
    [
        certificates.wrong_ca_server_context,
        certificates.wrong_host_server_context,
        certificates.expired_server_context,
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda sock, context: wrap_socket(sock, context, "localhost"),
        lambda sock, context: wrap_within(sock, context, "localhost", Deadline(60)),
    ],
)
def test_a_bad_certificate_closes_the_socket(server_context: Any, wrap: Any) -> None:
    context = certificates.client_context()
    with tls_server(server_context()) as (client, _):
        before = sockets_left()
        with pytest.raises(ssl.SSLCertVerificationError):
            wrap(client, context)
        assert client.fileno() == -1
        assert len(sockets_left()) < len(before)


def test_no_context_means_a_verifying_one() -> None:
    with tls_server(certificates.wrong_ca_server_context()) as (client, _):
        with pytest.raises(ssl.SSLCertVerificationError):
            wrap_socket(client, None, "localhost")
        assert client.fileno() == -1


def test_default_context_verifies() -> None:
    context = sockets.create_default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2 or sys.version_info < (3, 10)


def test_a_context_that_can_not_be_made_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise ssl.SSLError("no trust store")

    monkeypatch.setattr(ssl, "create_default_context", fails)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(ssl.SSLError, match="no trust store"):
            wrap_socket(ours, None, "localhost")
        assert ours.fileno() == -1


def test_what_is_no_tls_closes_the_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname(), 60)
        accepted, _ = listening.accept()
        with client, accepted:
            accepted.sendall(b"* OK this is IMAP in the clear\r\n")
            with pytest.raises(ssl.SSLError):
                wrap_socket(client, certificates.client_context(), "localhost")
            assert client.fileno() == -1


def test_a_handshake_that_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname(), 60)
        accepted, _ = listening.accept()
        with client, accepted:
            before = sockets_left()
            with pytest.raises(socket.timeout):
                wrap_within(client, certificates.client_context(), "localhost", Deadline(0.1))
            assert client.fileno() == -1
            assert len(sockets_left()) < len(before)


@pytest.mark.parametrize("late", [0.0, 2 * Deadline.POLLING])
def test_a_handshake_for_which_no_time_is_left(late: float) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        deadline = Deadline(0)
        time.sleep(late)
        with pytest.raises(socket.timeout):
            wrap_within(ours, certificates.client_context(), "localhost", deadline)
        assert ours.fileno() == -1


def test_a_handshake_within_a_budget() -> None:
    context = certificates.client_context()
    for seconds in (60, None):
        with tls_server(certificates.server_context()) as (client, _):
            tls = wrap_within(client, context, "127.0.0.1", Deadline(seconds))
            with tls:
                assert tls.version() is not None


# -- child processes

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


@contextlib.contextmanager
def child(command: str) -> Iterator[PipeTransport]:
    """A transport over the standard input and output of a command."""
    transport = PipeTransport(spawn(command))
    try:
        yield transport
    finally:
        transport.close()


@POSIX
@pytest.mark.parametrize("receive", [received, received_into])
def test_spawn(receive: Any) -> None:
    with child("echo '* OK ready'; read line; echo \"got $line\"") as transport:
        transport.sendall(b"hello\n", 60)
        data = b""
        while not data.endswith(b"hello\n"):
            data += receive(transport, 7, 60)
        assert data == b"* OK ready\ngot hello\n"
        for timeout in (None, 10, 0):
            assert receive(transport, 100, timeout) == b""


@POSIX
@pytest.mark.parametrize("receive", [received, received_into])
def test_timeouts_over_pipes(receive: Any) -> None:
    with child("cat") as transport:
        for timeout in (0, 0.001):
            with pytest.raises(socket.timeout):
                receive(transport, 100, timeout)
        transport.sendall(b"x", None)
        assert receive(transport, 100, None) == b"x"


@POSIX
def test_much_over_pipes() -> None:
    data = bytes(range(256)) * 4096
    with child("cat") as transport:
        thread = threading.Thread(target=transport.sendall, args=(data, 60))
        thread.start()
        got = bytearray()
        while len(got) < len(data):
            got += received(transport, 100_000, 60)
        thread.join()
        assert bytes(got) == data


@POSIX
def test_send_to_a_child_that_takes_nothing() -> None:
    with child("exec sleep 1000") as transport:
        with pytest.raises(socket.timeout):
            transport.sendall(b"x" * 10_000_000, 0.05)
        transport.close(0.05)


@POSIX
def test_closing_ends_a_child() -> None:
    process = spawn("cat > /dev/null; exit 3")
    PipeTransport(process).close(60)
    assert process.returncode == 3


@POSIX
def test_a_child_that_does_not_end_is_killed() -> None:
    process = spawn("exec sleep 1000")
    transport = PipeTransport(process)
    transport.close(0.05)
    assert process.returncode == -signal.SIGKILL
    transport.close()


@POSIX
def test_a_system_that_can_not_wait_for_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without poll there are no timeouts, and all else works."""
    monkeypatch.delattr(select, "poll")
    with child("cat") as transport:
        transport.sendall(b"hello", 0.001)
        assert received(transport, 100, 0.001) == b"hello"
