"""The reader over real sockets."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imapclient._connection.reader import Reader
from imapclient._wire.sockets import SocketTransport
from imapclient._wire.waiting import Deadline
from imapclient.exceptions import IMAPClientAbortError
from tests.fixtures.reading import (
    RESPONSES,
    STREAM,
    Interrupted,
    is_reading,
    read_all,
    read_through_interrupts,
)
from tests.helpers import certificates

resource: Any
try:
    import resource
except ImportError:  # Windows
    resource = None


@pytest.fixture
def pair() -> Iterator[tuple[Reader, socket.socket]]:
    """A reader over one end of a connection, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Reader(SocketTransport(ours)), theirs


class Trickle(threading.Thread):
    """Sends data in small pieces, calls ``pause`` after each, then ends the stream."""

    def __init__(
        self, sock: socket.socket, data: bytes, size: int, pause: Callable[[], object] = lambda: time.sleep(0.001)
    ) -> None:
        super().__init__(daemon=True)
        self._sock = sock
        self._data = data
        self._size = size
        self._pause = pause

    def run(self) -> None:
        # A test that failed has closed the connection: that is no second failure.
        with contextlib.suppress(OSError):
            for start in range(0, len(self._data), self._size):
                self._sock.sendall(self._data[start : start + self._size])
                self._pause()
            self._sock.shutdown(socket.SHUT_WR)


def test_over_a_socket(pair: tuple[Reader, socket.socket]) -> None:
    reader, theirs = pair
    theirs.sendall(STREAM)
    theirs.shutdown(socket.SHUT_WR)
    assert read_all(reader) == RESPONSES


def test_timeout_over_a_socket(pair: tuple[Reader, socket.socket]) -> None:
    reader, theirs = pair
    reader.timeout = 0.01
    theirs.sendall(b"* 1 EX")
    with pytest.raises(socket.timeout):
        reader.read_line()
    theirs.sendall(b"ISTS\r\n* X {200000}\r\nabc")
    assert reader.read_line() == b"* 1 EXISTS"
    for _ in range(3):
        with pytest.raises(socket.timeout):
            reader.read_response()
    trickle = Trickle(theirs, b"d" * 199_997 + b"\r\n", 50_000)
    trickle.start()
    reader.timeout = 60
    first = b"* X {200000}"
    assert reader.read_response() == (first, [(first, b"abc" + b"d" * 199_997), b""])
    trickle.join()


@pytest.mark.parametrize("waiting_for", [b"", b"* 1 EX", b"* X {5}\r\nab", b"* X {100000}\r\nab"])
def test_poll_over_a_socket(pair: tuple[Reader, socket.socket], waiting_for: bytes) -> None:
    reader, theirs = pair
    theirs.sendall(b"* 1 RECENT\r\n" + waiting_for)
    assert reader.read_response(Deadline(60)) == (b"* 1 RECENT", None)
    for _ in range(3):
        with pytest.raises(socket.timeout):
            reader.read_response(Deadline(0))
    rest = {
        b"": b"* 1 EXISTS\r\n",
        b"* 1 EX": b"ISTS\r\n",
        b"* X {5}\r\nab": b"cde\r\n",
        b"* X {100000}\r\nab": b"c" * 99_998 + b"\r\n",
    }[waiting_for]
    trickle = Trickle(theirs, rest, 1000)
    trickle.start()
    line, records = reader.read_response(Deadline(60))
    raw = (
        line if records is None else b"%s\r\n%s" % records[0] + b"".join(r for r in records[1:] if isinstance(r, bytes))
    )
    assert raw + b"\r\n" == waiting_for + rest
    trickle.join()


def test_deadline_while_data_trickles_in(pair: tuple[Reader, socket.socket]) -> None:
    """Each byte comes well within the timeout; the deadline is for the line."""
    reader, theirs = pair
    reader.timeout = 60
    over = threading.Event()
    sent = 0

    def send() -> None:
        nonlocal sent
        while not over.wait(0.002):
            theirs.sendall(b"x")
            sent += 1
        theirs.sendall(b"\r\n")

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(socket.timeout):
            reader.read_line(Deadline(0.05))
    finally:
        over.set()
        thread.join()
    assert reader.read_line(Deadline(60)) == b"x" * sent


def test_over_tls() -> None:
    ours, theirs = socket.socketpair()
    server: list[ssl.SSLSocket] = []

    server_context, client_context = certificates.server_context(), certificates.client_context()

    def serve() -> None:
        server.append(server_context.wrap_socket(theirs, server_side=True))

    thread = threading.Thread(target=serve)
    thread.start()
    with client_context.wrap_socket(ours, server_hostname="localhost") as tls:
        thread.join()
        with server[0] as peer:
            reader = Reader(SocketTransport(tls), timeout=60)
            with pytest.raises(socket.timeout):
                reader.read_line(Deadline(0))
            # Several lines in one record: the socket is not readable any more, and still there is more.
            peer.sendall(b"* 1 EXISTS\r\n* 2 EXISTS\r\n")
            assert reader.read_line() == b"* 1 EXISTS"
            assert reader.read_line(Deadline(0)) == b"* 2 EXISTS"
            with pytest.raises(socket.timeout):
                reader.read_literal(200_000, Deadline(0))
            trickle = Trickle(peer, b"x" * 200_000 + b"\r\n", 10_000)
            trickle.start()
            assert reader.read_literal(200_000) == b"x" * 200_000
            assert reader.read_line() == b""
            trickle.join()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs pthread_kill, which is missing on this system")
@pytest.mark.parametrize("size", [1, 3, 40])
def test_interrupts_while_data_trickles_in(pair: tuple[Reader, socket.socket], size: int) -> None:
    """A handler raises many times while the reader is at work: no byte is lost, and no two lines become one."""
    reader, theirs = pair
    expected = [b"* %d EXISTS" % index if index % 3 else b"* X {%d}" % (index % 50) for index in range(1, 120)]
    stream = b"".join(
        line + b"\r\n" + (b"l" * (index % 50) + b"\r\n" if line.endswith(b"}") else b"")
        for index, line in enumerate(expected, 1)
    )
    raised = 0
    handled: queue.SimpleQueue[None] = queue.SimpleQueue()
    main = threading.main_thread().ident
    assert main is not None

    def strike() -> None:
        """As each piece arrives. Python acts on a signal just before a system call only at the next one."""
        while True:
            signal.pthread_kill(main, signal.SIGUSR1)
            with contextlib.suppress(queue.Empty):
                return handled.get(timeout=0.05)

    def handler(_: int, frame: Any) -> None:
        nonlocal raised
        handled.put(None)
        # Only while the reader runs, and not while this test handles a response. Not for ever: on a slow machine
        # no read would end between two interrupts.
        if raised < 500 and is_reading(frame):
            raised += 1
            raise Interrupted

    # Not SIGALRM, which guards the tests' time.
    before = signal.signal(signal.SIGUSR1, handler)
    trickle = Trickle(theirs, stream, size, strike)
    try:
        trickle.start()
        found, interrupts = read_through_interrupts(reader, Interrupted, count=len(expected))
    finally:
        trickle.join()
        signal.signal(signal.SIGUSR1, before)
    assert [line for line, _ in found] == expected
    for index, (line, records) in enumerate(found, 1):
        assert records == ([(line, b"l" * (index % 50)), b""] if line.endswith(b"}") else None)
    assert interrupts > 10


@pytest.mark.skipif(resource is None, reason="needs the resource module, which is missing on this system")
def test_more_than_1024_open_files() -> None:
    """select() knows no more; deadlines and polls must work all the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this system allows a process no more than {hard} open files")
    raised = max(soft, wanted) if soft != resource.RLIM_INFINITY else soft
    opened: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        while not opened or opened[-1] < 1050:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert ours.fileno() > 1024
            reader = Reader(SocketTransport(ours), timeout=60)
            for deadline in (Deadline(0), Deadline(0.01)):
                with pytest.raises(socket.timeout):
                    reader.read_line(deadline)
            theirs.sendall(b"* 1 EXISTS\r\n* 2 EX")
            assert reader.read_line(Deadline(60)) == b"* 1 EXISTS"
            with pytest.raises(socket.timeout):
                reader.read_line(Deadline(0))
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


ReadCall = Callable[[Reader], object]


@pytest.mark.parametrize("read", [Reader.read_line, Reader.read_response, lambda reader: reader.read_literal(200_000)])
def test_a_socket_that_is_reset(pair: tuple[Reader, socket.socket], read: ReadCall) -> None:
    reader, theirs = pair
    theirs.close()
    with pytest.raises((IMAPClientAbortError, ConnectionResetError)):
        read(reader)
