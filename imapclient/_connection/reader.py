"""The reader: one buffer over a transport, from which lines, literals and whole responses are cut.

Rules:

- A line ends with CRLF (RFC 9051, 2.2). LF without CR is an error. So a server with other line ends fails at once,
  instead of being waited for.
- Bytes leave the buffer only when the whole line or literal is there. After a timeout or an interrupt, the same call
  continues from there. There is one exception. An interrupt while a large literal is received loses the bytes that are
  not counted yet, and makes the connection unusable.
- Memory grows as data arrives. It never grows to a size that the server only announced.
- ``{n}`` at the end of a line announces a literal only in a data response. At the end of human text (OK, NO, BAD, BYE,
  PREAUTH, a continuation request, any tagged response) it is text.
"""

from __future__ import annotations

from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, Callable

from .._parsing.records import DEFAULT_LIMITS, OVERHEAD, RESPONSE_COST, BulkReader, Limits, Record, announced_size
from .._parsing.responses import ENDS_IN_TEXT
from .._wire.page_faults import keep_freed, prepare
from .._wire.sockets import Transport
from .._wire.waiting import Deadline
from ..exceptions import ConnectionAbortError, LimitError, ProtocolAbortError

# How many bytes are read from the transport at a time. After a read that returned that many, the next one asks for a
# large chunk.
CHUNK = 65536
LARGE_CHUNK = 16 * CHUNK
# The buffer of a literal grows by this many bytes until a sixteenth of the literal has arrived.
STEP = 4 * CHUNK
# After that sixteenth the literal gets memory for its whole size. A small literal gets it at the start.
_ARRIVED = 16
_MAX_AT_ONCE = 4 * STEP
# How many bytes of freed memory are kept for the next data: for lines, and for literals.
_KEPT = 3 * LARGE_CHUNK
_KEPT_FOR_LITERALS = 16 * LARGE_CHUNK
# The memory of a literal is prepared if it is at least this large, and this much at a time.
_MIN_PREPARED_LITERAL = 64 * STEP
_PREPARED = 8 * STEP
# Pieces smaller than this are joined, because a small object needs many times the memory of its bytes.
MIN_PIECE = 4096
# The shortest response that a bulk reader consumes, with its CRLF: * 1 FETCH ()
_MIN_RESPONSE = 14


class Reader:
    """Cuts lines, literals and responses from the bytes that a transport receives.

    ``timeout`` (seconds, None for no limit) applies to each read from the transport. The `Deadline` of a call applies
    to all its reads together. Both raise `socket.timeout`. Raises ConnectionAbortError at the end of the stream,
    ProtocolAbortError for broken framing, and LimitError above a limit.
    """

    def __init__(self, transport: Transport, limits: Limits = DEFAULT_LIMITS, timeout: float | None = None) -> None:
        self._line_limit, self._literal_limit, self._response_limit = limits[:3]
        self.timeout = timeout
        self._transport = transport
        self._buffer = b""
        self._position = 0
        self._chunk = CHUNK
        # The start of a line whose end has not arrived. While there are pieces, the buffer is empty. They are joined
        # once, at the end of the line. So the time for a line is in proportion to its length.
        self._pieces: list[bytes] = []
        # The records of a response that is half read, and the line whose literal comes next.
        self._records: list[Record] = []
        self._records_size = 0
        self._announcement: bytes | None = None
        # All data that was received since `begin`, and the state at that time.
        self._journal: list[bytes] | None = None
        self._mark: tuple[bytes, list[Record], int, bytes | None] = (b"", [], 0, None)
        # A literal larger than a chunk: its buffer, and how many bytes of that are filled.
        self._large: BytesIO | None = None
        self._filled = 0

    @property
    def is_clean(self) -> bool:
        """Whether all received data was read: nothing is buffered, and no response is half read."""
        return not (
            self._position < len(self._buffer)
            or self._pieces
            or self._records
            or self._announcement is not None
            or self._large is not None
        )

    def replace_transport(self, transport: Transport) -> None:
        """Go on over another transport (TLS, compression).

        Raises ProtocolAbortError if data from the old one is left. That data was not protected by TLS, and nothing must
        treat it as if it were.
        """
        self.check_clean()
        self._transport = transport

    def check_clean(self) -> None:
        """Raise ProtocolAbortError unless `is_clean`."""
        if not self.is_clean:
            self._settle()
            raise ProtocolAbortError(
                "the server sent data too early, before the change to another transport",
                context=self._buffer[self._position : self._position + 80],
            )

    def take_rest(self) -> bytes:
        """Remove and return the data that was not read, for another transport (compression)."""
        self._settle()
        rest = self._buffer[self._position :]
        self._buffer, self._position = b"", 0
        return rest

    def let_go(self) -> None:
        """Free the memory that the reader does not need while the connection waits. A wait may be long."""
        self._chunk = CHUNK
        if self._position == len(self._buffer):
            self._buffer, self._position = b"", 0

    # -- responses

    def read_response(self, deadline: Deadline | None = None) -> tuple[bytes, list[Record] | None]:
        """The next response: ``(line, None)``, or ``(first line, records)`` if it holds literals.

        ``(b'* 3 EXISTS', None)``;
        ``(b'* 1 FETCH (BODY[] {3}', [(b'* 1 FETCH (BODY[] {3}', b'abc'), b' UID 8)'])``.
        """
        records = self._records
        if not records and self._announcement is None:
            line = self.read_line(deadline)
            if len(line) > self._response_limit:
                self._account(len(line))
            if line[-1:] != b"}":
                return line, None
            size = announced_size(line)
            if size is None:
                return line, None
            # FETCH, the usual response with a literal, has a number after the star. It needs no search for human text.
            if not (line[:2] == b"* " and line[2:3].isdigit()) and ENDS_IN_TEXT.match(line) is not None:
                return line, None
            found = self._whole_response(line, size)
            if found is not None:
                return line, found
            self._announcement = line
        while True:
            if self._announcement is not None:
                line = self._announcement
                size = announced_size(line) or 0
                self._check_literal(size)
                self._account(len(line) + size + OVERHEAD)
                records.append((line, self.read_literal(size, deadline)))
                self._announcement = None
                self._records_size += len(line) + size + OVERHEAD
            line = self.read_line(deadline)
            if line[-1:] == b"}" and announced_size(line) is not None:
                self._announcement = line
                continue
            self._account(len(line))
            records.append(line)
            self._records, self._records_size = [], 0
            return records[0][0], records  # type: ignore[return-value]

    def offer(self, bulk: BulkReader, room: int) -> int:
        """Let a bulk reader consume whole responses from the buffer. `read_response` returns the first one after them.

        Nothing is offered while a response is half read, or while `take_back` may undo the reading. Returns the size of
        the responses as `Limits.command_size` counts it, or a little more. Nothing is offered if that may be above
        ``room``.
        """
        buffer, position = self._buffer, self._position
        # While there are pieces, or a large literal, the buffer is empty.
        if self._records or self._announcement is not None or self._journal is not None:
            return 0
        size = len(buffer) - position
        if size > min(self._line_limit, self._literal_limit, self._response_limit) - OVERHEAD:
            return 0
        if size + size // _MIN_RESPONSE * RESPONSE_COST > room:
            return 0
        start, responses = position, 0
        while position < len(buffer):
            end, count = bulk(buffer, position)
            if not count:
                break
            responses += count
            position = self._position = end
        return position - start + responses * RESPONSE_COST

    def _whole_response(self, line: bytes, size: int) -> list[Record] | None:
        """The response that starts with ``line``, if it has one literal and is whole in the buffer: the usual case."""
        start = self._position
        buffer = self._buffer
        end = buffer.find(b"\n", start + size)
        if end < start + size + 1 or buffer[end - 1] != 13 or buffer[end - 2] == 125:
            return None
        if size > self._literal_limit or len(line) + end - start + OVERHEAD > self._response_limit:
            return None
        literal, rest = buffer[start : start + size], buffer[start + size : end - 1]
        if len(rest) > self._line_limit:
            return None
        self._position = end + 1
        return [(line, literal), rest]

    def _check_literal(self, size: int) -> None:
        if size > self._literal_limit:
            raise LimitError("max_literal_size", self._literal_limit, f"a literal of {size} bytes")

    def _account(self, size: int) -> None:
        if self._records_size + size > self._response_limit:
            raise LimitError("max_response_size", self._response_limit, "a response")

    # -- lines

    def read_line(self, deadline: Deadline | None = None) -> bytes:
        """The next line, without its CRLF."""
        start = self._position
        buffer = self._buffer
        end = buffer.find(b"\n", start)
        if end < 0:
            return self._receive_line(deadline)
        if end - start > self._line_limit:
            raise LimitError("max_line_length", self._line_limit, "a line")
        if end == start or buffer[end - 1] != 13:
            raise ProtocolAbortError(
                "a line ends with LF without CR",
                end - start,
                buffer[max(start, end - 60) : end + 1],
            )
        self._position = end + 1
        return buffer[start : end - 1]

    def _receive_line(self, deadline: Deadline | None) -> bytes:
        """Receive until the end of the line. Returns the line."""
        if self._pieces and b"\n" in self._pieces[-1]:
            # An interrupt came right after the end of the line was received.
            self._settle()
            return self.read_line(deadline)
        self._open_pieces(self._position)
        size = sum(map(len, self._pieces))
        while size <= self._line_limit:
            data = self._receive(deadline)
            end = data.find(b"\n")
            if end >= 0 and size + end > self._line_limit:
                break
            if end > 0 and data[end - 1] == 13:
                # Joined once, without the CRLF: the answer to a search may have megabytes.
                line = b"".join((*self._pieces[:-1], data[: end - 1]))
                self._buffer, self._position, self._pieces = data, end + 1, []
                return line
            if end >= 0:
                self._settle()
                return self.read_line(deadline)
            size += len(data)
        raise LimitError("max_line_length", self._line_limit, "a line")

    def _open_pieces(self, start: int) -> None:
        """Move the buffer from ``start`` on to the pieces."""
        if start < len(self._buffer):
            rest = self._buffer[start:]
            self._buffer, self._position, self._pieces = b"", 0, [rest]

    def _receive(self, deadline: Deadline | None) -> bytes:
        """Receive once and add the data to the pieces. The buffer must be empty."""
        into = self._pieces if self._journal is None else self._journal
        for pieces in (self._pieces, self._journal):
            if pieces and len(pieces[-1]) < MIN_PIECE:
                _put_together(pieces)
        # If the last chunk was full, the next one is large, so that more whole responses are in the buffer. It is small
        # while all data is kept for `take_back`.
        self._transport.recv(into, self._chunk, self._patience(deadline))
        data = into[-1]
        if not data:
            into.pop()
            raise ConnectionAbortError("the server closed the connection")
        if len(data) < CHUNK or self._journal is not None:
            self._chunk = CHUNK
        else:
            self._chunk = LARGE_CHUNK
            keep_freed(_KEPT)
        if into is not self._pieces:
            self._pieces.append(data)
        return data

    def _settle(self) -> None:
        """Join the pieces into the buffer."""
        if self._pieces:
            self._buffer, self._position, self._pieces = b"".join(self._pieces), 0, []

    # -- taking back

    def begin(self) -> None:
        """Keep all data from now on, so that `take_back` can undo the reading, until `commit`."""
        self._settle()
        self._mark = (
            self._buffer[self._position :],
            list(self._records),
            self._records_size,
            self._announcement,
        )
        self._journal = []

    def commit(self) -> None:
        """Forget the data that was read since `begin`: the caller has got it."""
        self._journal = None
        self.let_go()

    def take_back(self) -> None:
        """Make the data unread that was read since `begin`. Does nothing after `commit`."""
        if self._journal is None:
            return
        rest, self._records, self._records_size, self._announcement = self._mark
        self._buffer, self._position, self._pieces = b"".join([rest, *self._journal]), 0, []
        self._journal = None

    # -- literals

    def read_literal(self, size: int, deadline: Deadline | None = None) -> bytes:
        """The next ``size`` bytes: a literal that a line has announced."""
        self._check_literal(size)
        if self._large is None:
            self._settle()
            start = self._position
            end = start + size
            if end <= len(self._buffer):
                self._position = end
                return self._buffer[start:end]
            if size > CHUNK and self._journal is None:
                # BytesIO shares the bytes, and copies them only when it is written to.
                self._large = BytesIO(self._buffer[start:])
                self._filled = len(self._buffer) - start
                self._buffer, self._position = b"", 0
        if self._large is not None:
            return self._receive_large(self._large, size, deadline)
        keep_freed(_KEPT_FOR_LITERALS)
        missing = end - len(self._buffer)
        self._open_pieces(start)
        while True:
            data = self._receive(deadline)
            if len(data) >= missing:
                # Joined without the data after the literal, which may be much longer.
                literal = b"".join((*self._pieces[:-1], memoryview(data)[:missing]))
                self._buffer, self._position, self._pieces = data, missing, []
                return literal
            missing -= len(data)

    def _receive_large(self, large: BytesIO, size: int, deadline: Deadline | None) -> bytes:
        """Receive a literal directly into the object that is returned. So it never takes more memory than its size."""
        room = len(large.getbuffer())
        while size > _MAX_AT_ONCE and self._filled * _ARRIVED < size:
            if self._filled == room:
                room = min(size, room + STEP)
                large.seek(room - 1)
                large.write(b"\0")
            with large.getbuffer() as view, view[self._filled :] as free:
                received = self._transport.recv_into(free, self._patience(deadline))
                self._filled += received
            if not received:
                raise ConnectionAbortError("the server closed the connection within a literal")
        with large.getbuffer() as view:
            rest = _RestOfLiteral(view[: self._filled], self._transport, lambda: self._patience(deadline))
            try:
                # The standard library's reader fills a new object without writing zeros to it first.
                found: bytes = BufferedReader(rest, 1).read(size) or b""
            finally:
                rest.received.release()
        if len(found) < size:
            self._large, self._filled = BytesIO(found), len(found)
            raise rest.error or ConnectionAbortError("the server closed the connection within a literal")
        self._large, self._filled = None, 0
        # If another literal follows, at most a small chunk of it has to be copied.
        self._chunk = CHUNK
        return found

    def _patience(self, deadline: Deadline | None) -> float | None:
        remaining = deadline.remaining() if deadline is not None else None
        if remaining is None:
            return self.timeout
        return remaining if self.timeout is None else min(remaining, self.timeout)


def _put_together(pieces: list[bytes]) -> None:
    """Join the last pieces until each is at least twice as long as the next one.

    So there are few pieces and few copies.
    """
    while len(pieces) > 1 and len(pieces[-2]) < 2 * len(pieces[-1]):
        pieces[-2:] = [pieces[-2] + pieces[-1]]


class _RestOfLiteral(RawIOBase):
    """A stream of a literal's bytes: those that were received before, then those from the transport.

    An exception ends the stream and is kept as ``error``. So the bytes before it are not lost.
    """

    def __init__(self, received: memoryview, transport: Transport, patience: Callable[[], float | None]) -> None:
        self.received = received
        self.error: BaseException | None = None
        # How many bytes at the end of the literal are not prepared yet.
        self._fresh: int | None = None
        self._transport = transport
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:
        try:
            size = min(len(self.received), len(target))
            if size:
                target[:size] = self.received[:size]
                self.received = self.received[size:]
                return size
            if len(target) >= (_MIN_PREPARED_LITERAL if self._fresh is None else _PREPARED):
                self._prepare(target)
            return self._transport.recv_into(target, self._patience())
        except BaseException as error:
            self.error = error
            return None

    def _prepare(self, target: memoryview) -> None:
        """Prepare memory that is written to next, at most `_PREPARED` bytes at a time."""
        fresh = len(target) if self._fresh is None else min(self._fresh, len(target))
        ahead = len(target) - fresh
        if ahead < _PREPARED // 4:
            with target[ahead:_PREPARED] as part:
                prepare(part)
            fresh = len(target) - _PREPARED
        self._fresh = fresh
