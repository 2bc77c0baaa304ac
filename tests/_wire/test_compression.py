"""The compressing transport: one side receives all that the other sends, in pieces of any size, with interrupts."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import tracemalloc
import zlib
from typing import Any

import pytest

from imapclient._connection.reader import Reader
from imapclient._parsing.records import Limits
from imapclient._wire import compression
from imapclient._wire.compression import DeflateTransport
from imapclient._wire.sockets import Data, SocketTransport
from imapclient.exceptions import IMAPClientAbortError, LimitError, ProtocolAbortError
from tests.fixtures.chunks import ChunkTransport, Event, timed_out
from tests.fixtures.reading import RESPONSES, STREAM, Interrupted, read_all, read_through_interrupts


def deflated(*pieces: bytes) -> bytes:
    """What a server sends that flushes after each piece."""
    deflate = zlib.compressobj(wbits=-15)
    return b"".join(deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH) for piece in pieces)


def reader_of(events: list[Event], **limits: int) -> Reader:
    return Reader(DeflateTransport(ChunkTransport(events)), Limits()._replace(**limits))


def in_chunks(data: bytes, size: int) -> list[Event]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_the_stream_in_pieces(size: int) -> None:
    assert read_all(reader_of(in_chunks(deflated(STREAM), size))) == RESPONSES


def test_a_timeout_loses_nothing() -> None:
    events: list[Event] = []
    for chunk in in_chunks(deflated(STREAM), 3):
        events += [chunk, timed_out()]
    reader = reader_of(events)
    found: list[object] = []
    while len(found) < len(RESPONSES):
        with contextlib.suppress(socket.timeout):
            found.append(reader.read_response())
    assert found == RESPONSES


def test_what_was_received_ahead_comes_first() -> None:
    data = deflated(b"* 1 EXISTS\r\n* 2 EXISTS\r\n")
    reader = Reader(DeflateTransport(ChunkTransport([data[9:]]), data[:9]))
    assert [reader.read_line(), reader.read_line()] == [b"* 1 EXISTS", b"* 2 EXISTS"]


@pytest.mark.parametrize("size", [20, 1000])
def test_interrupt_at_every_line(size: int) -> None:
    """Wherever the handler of a signal raises, nothing is lost and nothing comes twice."""
    tracer = sys.gettrace()
    at, interrupts = 0, 1
    while interrupts:
        left = at
        at += 1

        def interrupt(frame: Any, event: str, _: Any) -> Any:
            nonlocal left
            if frame.f_code.co_filename != compression.__file__:
                return interrupt if frame.f_code.co_filename.endswith("reader.py") else None
            if event == "line":
                left -= 1
                if left == -1:
                    raise Interrupted
            return interrupt

        reader = reader_of(in_chunks(deflated(STREAM), size))
        sys.settrace(interrupt)
        try:
            found, interrupts = read_through_interrupts(reader, Interrupted, count=len(RESPONSES))
        finally:
            sys.settrace(tracer)
        assert found == RESPONSES, f"interrupted before line {at} that was run"
    assert at > 20


@pytest.mark.parametrize("size", [1, 100, 65536])
def test_no_more_is_expanded_than_is_asked_for(size: int) -> None:
    transport = DeflateTransport(ChunkTransport([deflated(b"\0" * 300_000)]))
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < (300 if size == 1 else 300_000):
        transport.recv(pieces, size, None)
        assert 0 < len(pieces[-1]) <= size
    assert not b"".join(pieces).strip(b"\0")


def test_a_bomb_meets_the_limits_of_the_reader() -> None:
    """A hundred megabytes of zeros, a thousand times smaller on the wire."""
    bomb = deflated(*[b"0" * 10_000_000] * 10)
    assert len(bomb) < 200_000
    reader = reader_of(in_chunks(bomb, 65536), line_length=1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError):
            reader.read_line()
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_large_literal() -> None:
    data = random.Random(5).randbytes(500_000) + b"x" * 3_000_000
    reader = reader_of(in_chunks(deflated(b"* X {%d}\r\n" % len(data), data, b"\r\n"), 10_000))
    assert reader.read_response() == (b"* X {3500000}", [(b"* X {3500000}", data), b""])


def test_a_large_literal_takes_no_more_memory_than_its_size() -> None:
    """However well it is compressed: what is expanded at a time is copied."""
    size = 30_000_000
    wire = deflated(b"* X {%d}\r\n" % size, bytes(size), b"\r\n")
    reader = reader_of(in_chunks(wire, 1_000_000))
    tracemalloc.start()
    try:
        [_, literal], _ = reader.read_response()[1] or []
        assert isinstance(literal, bytes)
        assert tracemalloc.get_traced_memory()[1] < 1.3 * size
    finally:
        tracemalloc.stop()
    assert len(literal) == size
    assert not literal.strip(b"\0")


@pytest.mark.parametrize("event", [b"", None])
def test_the_end_of_the_connection(event: bytes | None) -> None:
    events: list[Event] = [deflated(b"* BYE\r\n* 2"), *([] if event is None else [event])]
    reader = reader_of(events)
    assert reader.read_line() == b"* BYE"
    for _ in range(2):
        with pytest.raises(IMAPClientAbortError, match="closed the connection"):
            reader.read_line()


def test_the_end_of_the_compressed_data_is_the_end_of_the_connection() -> None:
    """Whatever comes after it."""
    deflate = zlib.compressobj(wbits=-15)
    data = deflate.compress(b"* BYE\r\n") + deflate.flush(zlib.Z_FINISH)
    reader = reader_of([data + b"* OK in the clear\r\n", b"more\r\n"])
    assert reader.read_line() == b"* BYE"
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        reader.read_line()


def test_data_that_is_not_compressed_is_refused() -> None:
    reader = reader_of([b"* OK this is plain text, and no deflate stream\r\n"])
    with pytest.raises(ProtocolAbortError, match="data that is not compressed"):
        reader.read_line()


def test_a_poll_ends_though_empty_blocks_come_without_end() -> None:
    """A flush without data makes a few bytes on the wire and none for the reader."""
    empty = zlib.compressobj(wbits=-15).flush(zlib.Z_FULL_FLUSH)
    assert empty

    class Endless(ChunkTransport):
        def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
            into.append(empty)

    with pytest.raises(socket.timeout):
        DeflateTransport(Endless([])).recv([], 100, 0)


# -- sending


class _Taker(ChunkTransport):
    """Takes what is sent: of each `send_now` as much as ``amounts`` says, in turn."""

    def __init__(self, *amounts: int) -> None:
        super().__init__([])
        self.amounts = list(amounts)
        self.taken = b""

    def sendall(self, data: Data, timeout: float | None) -> None:
        self.taken += data

    def send_now(self, data: memoryview) -> int:
        amount = min(self.amounts.pop(0), len(data))
        self.taken += data[:amount]
        return amount

    def inflated(self) -> bytes:
        return zlib.decompressobj(-15).decompress(self.taken)


@pytest.mark.parametrize("size", [1, 100, 1_000_000])
def test_all_that_is_sent_is_there_at_once(size: int) -> None:
    taker = _Taker()
    transport = DeflateTransport(taker)
    sent = b""
    for count in (1, 2, 3):
        data = random.Random(count).randbytes(size)
        transport.sendall(data, None)
        sent += data
        assert taker.inflated() == sent
    transport.sendall(b"", None)
    assert taker.inflated() == sent


@pytest.mark.parametrize("amounts", [(0, 0, 1000), (3, 0, 2, 0, 1000), (1000,)])
def test_what_is_not_taken_at_once_is_taken_later(amounts: tuple[int, ...]) -> None:
    taker = _Taker(*amounts)
    transport = DeflateTransport(taker)
    data = memoryview(b"A1 UID FETCH 1:5 (FLAGS)\r\n")
    for _ in range(amounts.count(0)):
        assert transport.send_now(data) == 0
    assert transport.send_now(data) == len(data)
    assert taker.inflated() == bytes(data)


def test_what_was_begun_is_ended_by_sendall() -> None:
    taker = _Taker(3, 0)
    transport = DeflateTransport(taker)
    assert transport.send_now(memoryview(b"A1 NOOP\r\n")) == 0
    transport.sendall(b"A1 NOOP\r\n", None)
    transport.sendall(b"A2 NOOP\r\n", None)
    assert taker.inflated() == b"A1 NOOP\r\nA2 NOOP\r\n"


def test_both_sides_over_a_socket() -> None:
    one, other = socket.socketpair()
    with one, other:
        left, right = DeflateTransport(SocketTransport(one)), DeflateTransport(SocketTransport(other))
        left.sendall(b"hello\r\n", 5)
        right.sendall(b"* OK\r\n", 5)
        assert Reader(right, timeout=60).read_line() == b"hello"
        assert Reader(left, timeout=60).read_line() == b"* OK"
        left.close()
        with pytest.raises(IMAPClientAbortError):
            Reader(right, timeout=60).read_line()
