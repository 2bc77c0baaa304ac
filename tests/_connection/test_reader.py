"""The reader over scripted chunks of every size."""

from __future__ import annotations

import contextlib
import socket
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._connection.reader import CHUNK, LARGE_CHUNK, STEP, Reader
from imapclient._parsing.records import Limits, announced_size
from imapclient._wire.waiting import Deadline
from imapclient.exceptions import IMAPClientAbortError, LimitError, ProtocolAbortError, ProtocolError
from tests.fixtures.chunks import ChunkTransport, Event, reader_of, timed_out
from tests.fixtures.reading import (
    RESPONSES,
    STREAM,
    Response,
    read_all,
    read_into,
    read_patiently,
)

# -- chunks


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_chunks_of_any_size(size: int) -> None:
    assert read_all(Reader(ChunkTransport.of_size(STREAM, size))) == RESPONSES


@pytest.mark.parametrize("place", range(1, len(STREAM)))
def test_cut_at_every_byte(place: int) -> None:
    assert read_all(Reader(ChunkTransport.cut_at(STREAM, place))) == RESPONSES


@given(st.lists(st.integers(min_value=1, max_value=len(STREAM) - 1)))
def test_cut_anywhere(places: list[int]) -> None:
    assert read_all(Reader(ChunkTransport.cut_at(STREAM, *places))) == RESPONSES


@pytest.mark.parametrize("place", range(len(STREAM)))
def test_timeout_at_every_byte(place: int) -> None:
    """The same call made again goes on where it was."""
    reader = Reader(ChunkTransport.cut_at(STREAM, place, between=timed_out()))
    found, interrupts = read_patiently(reader, socket.timeout)
    assert found == RESPONSES
    assert interrupts == 1


@pytest.mark.parametrize("size", [1, 2, 7])
def test_timeout_after_each_chunk(size: int) -> None:
    reader = Reader(ChunkTransport.cut_at(STREAM, *range(size, len(STREAM), size), between=timed_out()))
    found, interrupts = read_patiently(reader, socket.timeout)
    assert found == RESPONSES
    assert interrupts == len(range(size, len(STREAM), size))


# -- the end


@pytest.mark.parametrize("place", range(len(STREAM)))
def test_end_of_stream_at_every_byte(place: int) -> None:
    reader = Reader(ChunkTransport.of_size(STREAM[:place], 3))
    found: list[Response] = []
    with pytest.raises(IMAPClientAbortError, match="closed the connection") as caught:
        read_into(found, reader)
    assert not isinstance(caught.value, ProtocolError)
    assert found == RESPONSES[: len(found)]
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        reader.read_response()


# -- what announces a literal


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"{5}", 5),
        (b"* 1 FETCH (X {5}", 5),
        (b"x~{0}", 0),
        (b"x {12+}", 12),
        (b"x ~{12+}", 12),
        (b"x{007}", 7),
        (b"x {99999999999999999999}", 99999999999999999999),
        (b"{1} {2}", 2),
        (b"{{2}", 2),
        (b"", None),
        (b"}", None),
        (b"{", None),
        (b"{}", None),
        (b"{+}", None),
        (b"{5", None),
        (b"{5} ", None),
        (b"{5}x", None),
        (b"{-5}", None),
        (b"{ 5}", None),
        (b"{5-}", None),
        (b"{5++}", None),
        (b"{a}", None),
        (b"{\xb2}", None),
        (b"x {100000000000000000000}", None),
    ],
)
def test_announced_size(line: bytes, size: int | None) -> None:
    assert announced_size(line) == size


@pytest.mark.parametrize(
    "text",
    [
        b"* OK {5}",
        b"* ok {5}",
        b"* No [ALERT] {5}",
        b"* BAD x{5}",
        b"* bYe {5+}",
        b"* PREAUTH ~{5}",
        b"*  OK {5}",
        b"+ {5}",
        b"+{5}",
        b"A1 OK {5}",
        b"a1 no {5}",
        b"A1 BAD x {5+}",
        b"12 OK {5}",
        b"+ 5 more {5}",
        b"AB1 OK {5}",
        b"A123 NO {5}",
    ],
)
def test_human_text_announces_nothing(text: bytes) -> None:
    reader = reader_of(text + b"\r\n* 1 EXISTS\r\n")
    assert reader.read_response() == (text, None)
    assert reader.read_response() == (b"* 1 EXISTS", None)


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (BODY[] {5}",
        b"* 1 fetch (BINARY[] ~{5}",
        b"* LIST () NIL {5+}",
        b"* list () nil {5}",
        b"* STATUS{5}",
        b"* OKAY {5}",
        b"* NOTHING {5}",
        b"* X-OK OK {5}",
        b"* {5}",
    ],
)
def test_data_announces_a_literal(line: bytes) -> None:
    reader = reader_of(line + b"\r\nab\r\n rest\r\n* 1 EXISTS\r\n")
    # 5 bytes: a, b, CR, LF and the space
    assert reader.read_response() == (line, [(line, b"ab\r\n "), b"rest"])
    assert reader.read_response() == (b"* 1 EXISTS", None)


def test_text_after_a_literal_may_look_human() -> None:
    reader = reader_of(b"* X {1}\r\na* OK {2}\r\nbc\r\n")
    assert reader.read_response() == (b"* X {1}", [(b"* X {1}", b"a"), (b"* OK {2}", b"bc"), b""])


# -- how much is received at a time


def test_much_is_asked_for_as_long_as_there_is_much() -> None:
    sizes = [10, CHUNK, CHUNK, LARGE_CHUNK, 10, CHUNK, 10]
    transport = ChunkTransport(b"x" * (size - 2) + b"\r\n" for size in sizes)
    reader = Reader(transport)
    assert [len(reader.read_line()) + 2 for _ in sizes] == sizes
    assert transport.sizes == [CHUNK, CHUNK, LARGE_CHUNK, LARGE_CHUNK, LARGE_CHUNK, CHUNK, LARGE_CHUNK]


def test_reads_are_small_again_after_the_connection_has_waited() -> None:
    transport = ChunkTransport([b"x" * (CHUNK - 2) + b"\r\n", b"a\r\n"])
    reader = Reader(transport)
    reader.read_line()
    reader.let_go()
    assert reader.read_line() == b"a"
    assert transport.sizes == [CHUNK, CHUNK]


def test_what_is_not_read_is_not_let_go() -> None:
    reader = reader_of(b"a\r\nb\r\n* 1 F")
    assert reader.read_line() == b"a"
    reader.let_go()
    assert reader.read_line() == b"b"
    reader.let_go()
    assert reader.take_rest() == b"* 1 F"


def test_what_a_large_literal_has_brought_is_resizable_after_an_interrupt() -> None:
    class Interrupted(ChunkTransport):
        def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
            raise KeyboardInterrupt

    first = b"* X {%d}" % (2 * CHUNK)
    reader = Reader(Interrupted([first + b"\r\n" + b"a" * 10]))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            reader.read_response()


# -- sizes of literals


@pytest.mark.parametrize("size", [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, STEP - 1, STEP, STEP + 1, STEP + CHUNK + 1])
@pytest.mark.parametrize("chunk", [1000, CHUNK - 1, CHUNK, CHUNK + 1, 10_000_000])
def test_literals_of_many_sizes(size: int, chunk: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    first = b"* 1 FETCH (BODY[] {%d}" % size
    raw = first + b"\r\n" + data + b" UID 7)\r\n* 1 EXISTS\r\n"
    reader = Reader(ChunkTransport.of_size(raw, chunk))
    assert reader.read_response() == (first, [(first, data), b" UID 7)"])
    assert reader.read_response() == (b"* 1 EXISTS", None)
    assert reader.is_clean


@pytest.mark.parametrize("size", [5, CHUNK, CHUNK + 1, 2 * STEP])
def test_timeouts_within_a_literal(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    first = b"* 1 FETCH (BODY[] {%d}" % size
    raw = first + b"\r\n" + data + b" UID 7)\r\n"
    places = [len(first) + 1, len(first) + 2, len(first) + 4, len(raw) // 2, len(raw) - 10, len(raw) - 9, len(raw) - 1]
    reader = Reader(ChunkTransport.cut_at(raw, *places, between=timed_out()))
    found: Response | None = None
    timeouts = 0
    while found is None:
        try:
            found = reader.read_response()
        except socket.timeout:
            timeouts += 1
            assert not reader.is_clean
    assert found == (first, [(first, data), b" UID 7)"])
    assert timeouts == len(places)
    assert reader.is_clean


@pytest.mark.parametrize("size", [10, CHUNK + 10])
def test_end_of_stream_within_a_literal(size: int) -> None:
    for received in (0, 1, size - 1, size):
        reader = reader_of(b"* X {%d}\r\n" % size + b"a" * received)
        for _ in range(2):
            with pytest.raises(IMAPClientAbortError, match="closed the connection"):
                reader.read_response()


def test_read_literal_by_itself() -> None:
    reader = reader_of(b"abc\r\n", b"de")
    assert reader.read_literal(0) == b""
    assert reader.read_literal(2) == b"ab"
    assert reader.read_line() == b"c"
    assert reader.read_literal(2) == b"de"


def test_memory_of_a_large_literal() -> None:
    """It is received into the object that is returned: there is no second copy."""
    size = 32 * 1024 * 1024
    piece = b"x" * CHUNK

    def events() -> Iterator[Event]:
        yield b"* 1 FETCH (BODY[] {%d}\r\n" % size
        for _ in range(size // CHUNK):
            yield piece
        yield b")\r\n"

    reader = Reader(ChunkTransport(events()))
    tracemalloc.start()
    try:
        _, records = reader.read_response()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert records is not None
    assert isinstance(records[0], tuple)
    assert len(records[0][1]) == size
    # A second copy would make it 2. What other threads of the process allocate meanwhile counts too.
    assert peak < 1.5 * size


def test_memory_follows_what_arrives_not_what_is_announced() -> None:
    reader = reader_of(b"* 1 FETCH (BODY[] {2000000000}\r\n" + b"x" * 1000)
    tracemalloc.start()
    try:
        with pytest.raises(IMAPClientAbortError):
            reader.read_response()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * STEP


# -- limits


def limited(data: bytes, chunk: int = 1 << 20, **limits: int) -> Reader:
    return Reader(ChunkTransport.of_size(data, chunk), Limits()._replace(**limits))


def refused(reader: Reader, limit: str, allowed: int) -> None:
    """The next response is over the limit, and the error says so."""
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match=f"{limit}={allowed}") as caught:
            read_into([], reader)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.limit == limit
    assert caught.value.allowed == allowed
    assert isinstance(caught.value, IMAPClientAbortError)
    assert peak < 1_000_000


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_line_length_limit(chunk: int) -> None:
    reader = limited(b"a" * 99 + b"\r\n" + b"b" * 102 + b"\r\n", chunk, line_length=100)
    assert reader.read_line() == b"a" * 99
    refused(reader, "max_line_length", 100)


def test_line_length_limit_without_an_end() -> None:
    def endless() -> Iterator[Event]:
        while True:
            yield b"a" * 50

    transport = ChunkTransport(endless())
    reader = Reader(transport, Limits(line_length=1000))
    refused(reader, "max_line_length", 1000)
    assert len(transport.timeouts) < 30
    refused(reader, "max_line_length", 1000)


@pytest.mark.parametrize("size", [101, 10**9, 10**12, 99999999999999999999])
def test_literal_size_limit(size: int) -> None:
    data = b"* X {100}\r\n" + b"a" * 100 + b"\r\n* X {%d}\r\n" % size
    reader = limited(data, literal_size=100, response_size=10**21)
    first = b"* X {100}"
    assert reader.read_response() == (first, [(first, b"a" * 100), b""])
    refused(reader, "max_literal_size", 100)


def test_literal_size_limit_by_default() -> None:
    """The error names the limit that has to be raised for this literal, not the one around it."""
    size = 100 * 1024**3
    refused(limited(b"* X {%d}\r\n" % size), "max_literal_size", Limits().literal_size)


@pytest.mark.parametrize(
    "data",
    [
        b"* X {60}\r\n" + b"a" * 60 + b" {60}\r\n" + b"b" * 60 + b"\r\n",
        b"* X {60}\r\n" + b"a" * 60 + b"c" * 60 + b"\r\n",
        b"* X {101}\r\n",
    ],
)
@pytest.mark.parametrize("chunk", [1, 1000])
def test_response_size_limit(data: bytes, chunk: int) -> None:
    refused(limited(data, chunk, response_size=100), "max_response_size", 100)


@pytest.mark.parametrize("line", [b"* X " + b"a" * 100, b"A1 OK " + b"a" * 100])
def test_response_size_limit_of_a_single_line(line: bytes) -> None:
    refused(limited(b"* OK\r\n" + line + b"\r\n", response_size=100), "max_response_size", 100)


def test_response_size_counts_each_response_for_itself() -> None:
    response = b"* X {600}\r\n" + b"a" * 600 + b"\r\n"
    reader = limited(response * 5, response_size=1000)
    assert len(read_all(reader)) == 5


def test_a_response_of_endless_literals() -> None:
    def endless() -> Iterator[Event]:
        yield b"* X {1}\r\n"
        while True:
            yield b"a{1}\r\n"

    refused(Reader(ChunkTransport(endless()), Limits(response_size=5000)), "max_response_size", 5000)


# -- lines


@pytest.mark.parametrize("data", [b"\n", b"a\n", b"* OK\n* OK\r\n", b"a\rb\n"])
@pytest.mark.parametrize("chunk", [1, 100])
def test_bare_lf(data: bytes, chunk: int) -> None:
    reader = Reader(ChunkTransport.of_size(data, chunk))
    for _ in range(2):
        with pytest.raises(ProtocolAbortError, match="LF without CR") as caught:
            reader.read_line()
        assert caught.value.position == data.index(b"\n")
        assert caught.value.context == data[: data.index(b"\n") + 1]


def test_bare_cr_is_part_of_a_line() -> None:
    assert reader_of(b"a\rb\r\r\n").read_line() == b"a\rb\r"


def test_a_lone_lf_after_a_good_line() -> None:
    reader = reader_of(b"* OK\r\n\n")
    assert reader.read_line() == b"* OK"
    with pytest.raises(ProtocolAbortError):
        reader.read_line()


def test_a_long_line_in_small_chunks() -> None:
    """Ten megabytes in 20,000 chunks: joined once, not once for each chunk."""
    piece = b"0123456789" * 50
    count = 20_000

    def events() -> Iterator[Event]:
        for _ in range(count):
            yield piece
        yield b"\r\n"

    line = Reader(ChunkTransport(events())).read_line()
    assert len(line) == count * len(piece)
    assert line == piece * count


def test_a_long_line_with_a_timeout_after_each_chunk() -> None:
    def events() -> Iterator[Event]:
        for _ in range(2000):
            yield b"x" * 500
            yield timed_out()
        yield b"\r\n"

    reader = Reader(ChunkTransport(events()))
    line = None
    while line is None:
        with contextlib.suppress(socket.timeout):
            line = reader.read_line()
    assert line == b"x" * 1_000_000


def test_many_lines_in_one_chunk() -> None:
    reader = reader_of(b"* 1 EXPUNGE\r\n" * 5000)
    for _ in range(5000):
        assert reader.read_line() == b"* 1 EXPUNGE"
    assert reader.is_clean


# -- what is buffered


def test_is_clean() -> None:
    reader = reader_of(b"a\r\nb\r\nc", timed_out(), b"\r\n")
    assert reader.is_clean
    assert reader.read_line() == b"a"
    assert not reader.is_clean
    assert reader.read_line() == b"b"
    assert not reader.is_clean
    with pytest.raises(socket.timeout):
        reader.read_line()
    assert not reader.is_clean
    assert reader.read_line() == b"c"
    assert reader.is_clean


def test_replace_transport() -> None:
    reader = reader_of(b"A1 OK begin\r\n")
    assert reader.read_line() == b"A1 OK begin"
    reader.replace_transport(ChunkTransport([b"* OK protected\r\n"]))
    assert reader.read_line() == b"* OK protected"


@pytest.mark.parametrize(
    ("events", "context"),
    [
        ([b"A1 OK begin\r\n* OK injected\r\n"], b"* OK injected\r\n"),
        ([b"A1 OK begin\r\n*"], b"*"),
        ([b"A1 OK begin\r\n" + b"x" * 1000], b"x" * 80),
    ],
)
def test_replace_transport_refuses_what_came_before(events: list[Event], context: bytes) -> None:
    reader = Reader(ChunkTransport(events))
    reader.read_line()
    with pytest.raises(ProtocolAbortError, match="too early") as caught:
        reader.replace_transport(ChunkTransport([]))
    assert caught.value.context == context


@pytest.mark.parametrize(
    "data",
    [b"* OK hal", b"* X {5}\r\nab", b"* X {5}\r\nabcde", b"* X {500000}\r\nab", b"* X {5}\r\nabcde more"],
)
def test_replace_transport_refuses_half_a_response(data: bytes) -> None:
    reader = reader_of(data, timed_out())
    with pytest.raises(socket.timeout):
        reader.read_response()
    assert not reader.is_clean
    with pytest.raises(ProtocolAbortError, match="too early"):
        reader.replace_transport(ChunkTransport([]))


# -- timeouts and deadlines, as the transport sees them


def test_the_readers_timeout_is_for_each_read() -> None:
    transport = ChunkTransport.of_size(b"* X {200000}\r\n" + b"a" * 200_000 + b"\r\n", 10_000)
    Reader(transport, timeout=7.5).read_response()
    assert len(transport.timeouts) > 20
    assert set(transport.timeouts) == {7.5}


def test_no_timeout_at_all() -> None:
    transport = ChunkTransport([b"a\r\n"])
    assert Reader(transport).read_line() == b"a"
    assert transport.timeouts == [None]


def test_the_smaller_of_timeout_and_deadline() -> None:
    transport = ChunkTransport([b"a", b"\r\n", b"b\r\n", b"c\r\n"])
    reader = Reader(transport, timeout=5000)
    reader.read_line(Deadline(10_000))
    assert transport.timeouts == [5000, 5000]
    reader.read_line(Deadline(2000))
    assert transport.timeouts[2] is not None
    assert 1000 < transport.timeouts[2] <= 2000
    reader.timeout = None
    reader.read_line(Deadline(3000))
    assert transport.timeouts[3] is not None
    assert 2000 < transport.timeouts[3] <= 3000


def test_a_poll_takes_what_is_there() -> None:
    transport = ChunkTransport([b"a\r\nb", timed_out()])
    reader = Reader(transport, timeout=5)
    assert reader.read_line(Deadline(0)) == b"a"
    with pytest.raises(socket.timeout):
        reader.read_line(Deadline(0))
    assert transport.timeouts == [0, 0]


def test_a_peer_that_never_stops_does_not_hold_a_poll() -> None:
    def endless() -> Iterator[Event]:
        while True:
            yield b"x"

    reader = Reader(ChunkTransport(endless()))
    with pytest.raises(socket.timeout):
        reader.read_line(Deadline(0))
    with pytest.raises(socket.timeout):
        reader.read_literal(10_000_000, Deadline(0.01))
