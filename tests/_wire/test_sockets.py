"""Timeouts, connecting and the socket transport, on loopback sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient._wire.sockets import (
    SEND_SIZE,
    Address,
    SocketTimeout,
    SocketTransport,
    Timeout,
    as_socket_timeout,
    open_connection,
    pieces,
    resolve,
)
from imapclient._wire.waiting import Deadline
from tests.helpers.clock import Clock
from tests.helpers.transports import received, received_into, sockets_left, tls_pair

# -- timeouts


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
        (float("inf"), "connect"),
        (SocketTimeout(0, 5), "connect"),
        (SocketTimeout(5, 0), "read"),
        (SocketTimeout(None, -0.1), "read"),
    ],
)
def test_as_socket_timeout_refuses(timeout: Timeout, name: str) -> None:
    with pytest.raises(ValueError, match=f"timeout: {name} must be more than 0 and at most"):
        as_socket_timeout(timeout)


# -- the transport


@pytest.fixture
def pair() -> Iterator[tuple[SocketTransport, socket.socket]]:
    """A transport over one end of a connection, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield SocketTransport(ours), theirs


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
    """An address on loopback at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address: tuple[str, int] = sock.getsockname()
    return address


# For `Clock.no_answer_from`.
DEAD = ("127.0.0.1", 9)


def at(address: tuple[str, int]) -> Address:
    """An address as the name service gives it."""
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)


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


def test_a_family_that_is_missing_on_this_system(listener: socket.socket) -> None:
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
    # What Ctrl-C does at the worst moment: the socket exists and is not returned yet.
    monkeypatch.setattr(socket.socket, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_connection([at(listener.getsockname())], Deadline(60))
    assert len(sockets_left()) == len(before)
