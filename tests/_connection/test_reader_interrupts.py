"""The reader, interrupted: what was read since begin() can be taken back, and no byte is lost."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from imapclient._connection.reader import CHUNK, Reader
from tests.fixtures.chunks import ChunkTransport, Event, StoredThenRaised, reader_of, timed_out
from tests.fixtures.reading import (
    RESPONSES,
    STREAM,
    Interrupted,
    is_reading,
    read_through_interrupts,
)


@pytest.mark.parametrize("size", [1, 5, 30, 1000])
def test_interrupt_after_bytes_were_stored(size: int) -> None:
    """A signal's handler may raise right after the reader has the bytes: they count as received."""
    for place in range(1, len(STREAM) + 1):
        before, after = STREAM[:place], STREAM[place:]
        chunks = [before[start : start + size] for start in range(0, place, size)]
        events: list[Event] = [*chunks[:-1], StoredThenRaised(chunks[-1], KeyboardInterrupt())]
        events += [after[start : start + size] for start in range(0, len(after), size)]
        reader = Reader(ChunkTransport(events))
        found, interrupts = read_through_interrupts(reader, KeyboardInterrupt, count=len(RESPONSES))
        assert found == RESPONSES, f"interrupted after byte {place}"
        assert interrupts == 1
        assert reader.is_clean


@pytest.mark.once
@pytest.mark.parametrize("size", [60, 1000])
def test_interrupt_at_every_line_of_the_reader(size: int) -> None:
    """Wherever in the reader the handler of a signal raises, nothing is lost and nothing comes twice."""
    tracer = sys.gettrace()
    at = 0
    interrupts = 1
    while interrupts:
        left = at
        at += 1

        def interrupt(frame: Any, event: str, _: Any) -> Any:
            nonlocal left
            if not is_reading(frame):
                return None
            if event == "line":
                left -= 1
                if left == -1:
                    raise Interrupted
            return interrupt

        reader = Reader(ChunkTransport.of_size(STREAM, size))
        sys.settrace(interrupt)
        try:
            found, interrupts = read_through_interrupts(reader, Interrupted, count=len(RESPONSES))
        finally:
            sys.settrace(tracer)
        assert found == RESPONSES, f"interrupted before line {at} that was run"
        assert reader.is_clean
    assert at > 100


def test_an_interrupted_line_needs_no_more_data() -> None:
    """It is complete: waiting for more would hang on a server that has nothing more to say."""
    reader = reader_of(b"* 1 EX", StoredThenRaised(b"ISTS\r\n* 2 REC", KeyboardInterrupt()), timed_out(), b"ENT\r\n")
    reader.begin()
    with pytest.raises(KeyboardInterrupt):
        reader.read_line()
    reader.take_back()
    assert reader.read_line() == b"* 1 EXISTS"
    with pytest.raises(socket.timeout):
        reader.read_line()
    assert reader.read_line() == b"* 2 RECENT"


@pytest.mark.parametrize("begun", [b"", b"* 1 EX"])
def test_a_line_that_was_received_when_the_interrupt_came_is_read_without_taking_back(begun: bytes) -> None:
    """Where nothing was begun, the next read goes on: it must not wait for an end of line that it has."""
    rest = b"* 1 EXISTS\r\n* 2 REC"[len(begun) :]
    chunks: list[Event] = [begun] if begun else []
    reader = reader_of(*chunks, StoredThenRaised(rest, KeyboardInterrupt()), timed_out(), b"ENT\r\n")
    with pytest.raises(KeyboardInterrupt):
        reader.read_line()
    assert reader.read_line() == b"* 1 EXISTS"
    with pytest.raises(socket.timeout):
        reader.read_line()
    assert reader.read_line() == b"* 2 RECENT"
    assert reader.is_clean


def test_what_was_committed_is_not_taken_back() -> None:
    reader = reader_of(b"a\r\nb\r\nc", b"\r\n", timed_out())
    assert reader.read_line() == b"a"
    reader.begin()
    assert reader.read_line() == b"b"
    reader.commit()
    reader.begin()
    assert reader.read_line() == b"c"
    reader.take_back()
    assert not reader.is_clean
    assert reader.read_line() == b"c"
    assert reader.is_clean


def test_taking_back_in_the_middle_of_a_response() -> None:
    """What a timeout left half-way is still half-way."""
    first = b"* X {3}"
    reader = reader_of(b"* X {3}\r\na", timed_out(), b"bc {2}\r\n", timed_out(), b"de", timed_out(), b"\r\n")
    with pytest.raises(socket.timeout):
        reader.read_response()
    for _ in range(2):
        reader.begin()
        with pytest.raises(socket.timeout):
            reader.read_response()
        reader.take_back()
    assert reader.read_response() == (first, [(first, b"abc"), (b" {2}", b"de"), b""])


def test_taking_back_a_large_literal() -> None:
    data = b"x" * (3 * CHUNK)
    first = b"* X {%d}" % len(data)
    reader = reader_of(first + b"\r\n", data[:CHUNK], timed_out(), data[CHUNK:], b"\r\n")
    reader.begin()
    with pytest.raises(socket.timeout):
        reader.read_response()
    reader.take_back()
    assert reader.read_response() == (first, [(first, data), b""])
