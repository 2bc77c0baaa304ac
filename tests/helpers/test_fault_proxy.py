"""Each fault of the fault proxy, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.helpers.fault_proxy import GARBAGE, Fault, FaultProxy, _Way
from tests.helpers.loopback_server import AcceptingServer

_TIMEOUT = 60


class _Echo(AcceptingServer):
    """A server that sends back what it receives, until the client ends the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.got = b""
        self.over = threading.Event()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            while data := sock.recv(65536):
                self.got += data
                sock.sendall(data)
        self.over.set()


@pytest.fixture
def echo() -> Iterator[_Echo]:
    with _Echo() as server:
        yield server


def _connect(proxy: FaultProxy) -> socket.socket:
    sock = socket.create_connection((proxy.host, proxy.port), timeout=_TIMEOUT)
    sock.settimeout(_TIMEOUT)
    return sock


def _read(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_without_faults_all_goes_through(echo: _Echo) -> None:
    sent = bytes(range(256)) * 4000
    with FaultProxy("127.0.0.1", echo.port) as proxy, _connect(proxy) as sock:

        def send() -> None:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert _read(sock) == sent
        sender.join(_TIMEOUT)
    assert echo.got == sent


@pytest.mark.parametrize("after", [0, 1, 5])
def test_cut_of_what_goes_to_the_client(echo: _Echo, after: int) -> None:
    with FaultProxy("127.0.0.1", echo.port, to_client=[Fault(after, "cut")]) as proxy, _connect(proxy) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(b"abcdefgh")
        assert _read(sock) == b"abcdefgh"[:after]
        assert echo.over.wait(_TIMEOUT)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_cut_of_what_goes_to_the_server(echo: _Echo, after: int) -> None:
    with FaultProxy("127.0.0.1", echo.port, to_server=[Fault(after, "cut")]) as proxy, _connect(proxy) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(b"abcdefgh")
            _read(sock)
        assert echo.over.wait(_TIMEOUT)
    assert echo.got == b"abcdefgh"[:after]


def test_reset(echo: _Echo) -> None:
    with FaultProxy("127.0.0.1", echo.port, to_client=[Fault(3, "reset")]) as proxy, _connect(proxy) as sock:
        sock.sendall(b"abcdefgh")
        with pytest.raises(ConnectionResetError):
            _read(sock)


def test_half_close(echo: _Echo) -> None:
    with FaultProxy("127.0.0.1", echo.port, to_client=[Fault(3, "half-close")]) as proxy, _connect(proxy) as sock:
        sock.sendall(b"abc")
        assert _read(sock) == b"abc"
        echo.over.clear()
        sock.sendall(b"more")
        sock.shutdown(socket.SHUT_WR)
        assert echo.over.wait(_TIMEOUT)
    assert echo.got[:3] == b"abc"


@pytest.mark.parametrize("kind", ["silence", "stall"])
def test_silence_and_stall_keep_the_connection(echo: _Echo, kind: str) -> None:
    with FaultProxy("127.0.0.1", echo.port, to_client=[Fault(3, kind)]) as proxy, _connect(proxy) as sock:
        sock.sendall(b"abcdefgh")
        assert sock.recv(3) == b"abc"
        sock.settimeout(0.2)
        with pytest.raises(socket.timeout):
            sock.recv(1)


def test_silence_on_request_and_new_connections(echo: _Echo) -> None:
    with FaultProxy("127.0.0.1", echo.port) as proxy:
        with _connect(proxy) as first:
            first.sendall(b"abc")
            assert first.recv(3) == b"abc"
            proxy.silence()
            first.sendall(b"def")
            first.settimeout(0.2)
            with pytest.raises(socket.timeout):
                first.recv(1)
            proxy.cut()
        proxy.refuse()
        with _connect(proxy) as second:
            assert _read(second) == b""
        proxy.refuse(False)
        with _connect(proxy) as third:
            third.sendall(b"ghi")
            assert third.recv(3) == b"ghi"
        assert proxy.accepted == 3


def test_garbage_and_a_dribble(echo: _Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    send = _Way.sendall

    def sendall(way: _Way, data: bytes) -> None:
        pieces.append(data)
        send(way, data)

    monkeypatch.setattr(_Way, "sendall", sendall)
    faults = [Fault(3, "garbage"), Fault(4, "delay"), Fault(5, "dribble")]
    with FaultProxy("127.0.0.1", echo.port, to_client=faults) as proxy, _connect(proxy) as sock:
        sock.sendall(b"abcdefgh")
        sock.shutdown(socket.SHUT_WR)
        assert _read(sock) == b"abc" + GARBAGE + b"defgh"
        # The pieces as they were sent. The client may receive two at once.
        assert pieces[-3:] == [b"f", b"g", b"h"]
        assert echo.got == b"abcdefgh"
        assert proxy.passed() == (8, 8)


def test_a_fault_on_a_long_way(echo: _Echo) -> None:
    """Bytes that passed the proxy before the fault arrive before it, with the same delay."""
    faults = [Fault(3, "half-close")]
    with FaultProxy("127.0.0.1", echo.port, to_client=faults, seconds=0.05) as proxy, _connect(proxy) as sock:
        sock.sendall(b"abc")
        assert _read(sock) == b"abc"
        assert proxy.turns == 1
        assert proxy.passed() == (3, 3)
        proxy.cut()
        assert echo.over.wait(_TIMEOUT)


def test_an_unknown_fault() -> None:
    with pytest.raises(ValueError, match="no such fault"):
        FaultProxy("127.0.0.1", 1, to_client=[Fault(1, "explode")])
