"""One buffer over a transport: lines, literals and whole responses are cut from it.

Rules:

- A line ends with CRLF (RFC 9051, 2.2). A LF without its CR is an error, so that a server that ends its lines
  otherwise is told so at once instead of being waited for.
- Bytes leave the buffer only when the whole line or literal is there. A timeout or an interrupt in the middle loses
  nothing: the same call made again goes on where it was. But for one: an interrupt while a large literal is received
  into its place, where nobody has counted yet what has come. The exchange that it breaks is not gone on with.
- Memory grows as data arrives, never to a size that the server merely announced.
- What ends with ``{n}`` announces a literal only in a data response. At the end of human text (OK, NO, BAD, BYE,
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

# How much is asked of the transport at a time.
CHUNK = 65536
# And where there was as much as that the last time.
LARGE_CHUNK = 16 * CHUNK
# How much room is added at a time to the buffer of a literal of which little has come.
STEP = 4 * CHUNK
# The object for a literal is made in its whole size once a sixteenth has come. Up to a size that is no harm, at once.
_ARRIVED = 16
_AT_ONCE = 4 * STEP
# How much freed memory is kept for what is received next, and where there are literals, in bytes.
_KEPT = 3 * LARGE_CHUNK
_KEPT_OF_LITERALS = 16 * LARGE_CHUNK
# The memory of a literal larger than the first is prepared, so much at a time as the second.
_PREPARED_FROM = 64 * STEP
_PREPARED = 8 * STEP
# Pieces smaller than this are put together: each costs many times its bytes.
SMALL = 4096


# * 1 FETCH ()
_MIN_RESPONSE = 14


class Reader:
    """Cuts lines, literals and responses from what a transport receives.

    ``timeout`` (seconds, None for no limit) applies to each single read from the transport; a `Deadline` given to a
    call applies to all its reads together. Both raise `socket.timeout`. The end of the stream raises
    IMAPClientAbortError, a broken frame ProtocolAbortError, a limit LimitError.
    """

    def __init__(self, transport: Transport, limits: Limits = DEFAULT_LIMITS, timeout: float | None = None) -> None:
        self._line_limit, self._literal_limit, self._response_limit = limits[:3]
        self.timeout = timeout
        self._transport = transport
        self._buffer = b""
        self._position = 0
        self._chunk = CHUNK
        # The start of a line whose end has not come. While there is any, the buffer is empty. Joined once the end is
        # there, so that a line of any length costs time in proportion to it.
        self._pieces: list[bytes] = []
        # The part of a response that was read, and the line whose literal comes next.
        self._records: list[Record] = []
        self._records_size = 0
        self._announcement: bytes | None = None
        # What was received since `begin`, and the state at that time.
        self._journal: list[bytes] | None = None
        self._mark: tuple[bytes, list[Record], int, bytes | None] = (b"", [], 0, None)
        # A literal larger than a chunk: what has come of it, and how much of that is filled.
        self._large: BytesIO | None = None
        self._filled = 0

    @property
    def is_clean(self) -> bool:
        """Whether all that was received was also read: nothing buffered, no response half-way."""
        return not (
            self._position < len(self._buffer)
            or self._pieces
            or self._records
            or self._announcement is not None
            or self._large is not None
        )

    def replace_transport(self, transport: Transport) -> None:
        """Go on over another transport (TLS, compression).

        ProtocolAbortError where anything is left from the old one: what came in the clear must not count as if it had
        come protected.
        """
        self.check_clean()
        self._transport = transport

    def check_clean(self) -> None:
        """Raise ProtocolAbortError unless `is_clean`."""
        if not self.is_clean:
            self._settle()
            raise ProtocolAbortError(
                "data was sent ahead of the change of transport",
                context=self._buffer[self._position : self._position + 80],
            )

    def take_rest(self) -> bytes:
        """What was received and not read, which another transport goes on with (compression)."""
        self._settle()
        rest = self._buffer[self._position :]
        self._buffer, self._position = b"", 0
        return rest

    def let_go(self) -> None:
        """Keep no memory of what was read, nor for what comes: the connection may now wait for long."""
        self._chunk = CHUNK
        if self._position == len(self._buffer):
            self._buffer, self._position = b"", 0

    # -- responses

    def read_response(self, deadline: Deadline | None = None) -> tuple[bytes, list[Record] | None]:
        """The next response: ``(line, None)``, or ``(first line, records)`` where it holds literals.

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
            # A number follows the star in FETCH, the usual response with a literal: that is no human text.
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
        """Let responses that lie in the buffer whole be taken many at a time; `read_response` has the first that isn't.

        Not where one is begun already, nor where a reading may be taken back. Returns what they count, as
        `Limits.command_size` counts, or a little more; nothing is offered that might count more than ``room``.
        """
        buffer, position = self._buffer, self._position
        # While there is any piece, or a large literal, the buffer is empty.
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
        """The response that ``line`` begins, if it has one literal and lies in the buffer whole: the usual case."""
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
        """Receive until there is an end of line; the line."""
        if self._pieces and b"\n" in self._pieces[-1]:
            # An interrupt came right after it was received.
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
                # Joined once, without the end of line: a search may bring megabytes.
                line = b"".join((*self._pieces[:-1], data[: end - 1]))
                self._buffer, self._position, self._pieces = data, end + 1, []
                return line
            if end >= 0:
                self._settle()
                return self.read_line(deadline)
            size += len(data)
        raise LimitError("max_line_length", self._line_limit, "a line")

    def _open_pieces(self, start: int) -> None:
        """Make the buffer from ``start`` on the first piece."""
        if start < len(self._buffer):
            rest = self._buffer[start:]
            self._buffer, self._position, self._pieces = b"", 0, [rest]

    def _receive(self, deadline: Deadline | None) -> bytes:
        """Receive once, into the pieces, which must be open or the buffer empty."""
        into = self._pieces if self._journal is None else self._journal
        for pieces in (self._pieces, self._journal):
            if pieces and len(pieces[-1]) < SMALL:
                _put_together(pieces)
        # More at a time where there is more, so that more responses lie in the buffer whole; but little where all of it
        # is kept, to be taken back.
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
        """Join the pieces into the buffer, which is used up while there are any."""
        if self._pieces:
            self._buffer, self._position, self._pieces = b"".join(self._pieces), 0, []

    # -- taking back

    def begin(self) -> None:
        """From here on `take_back` can undo all reading, until `commit`."""
        self._settle()
        self._mark = (
            self._buffer[self._position :],
            list(self._records),
            self._records_size,
            self._announcement,
        )
        self._journal = []

    def commit(self) -> None:
        """All that was read since `begin` has been handed over."""
        self._journal = None
        self.let_go()

    def take_back(self) -> None:
        """Make unread what was read since `begin`: an interrupt came, and not all was handed over."""
        if self._journal is None:
            return
        rest, self._records, self._records_size, self._announcement = self._mark
        self._buffer, self._position, self._pieces = b"".join([rest, *self._journal]), 0, []
        self._journal = None

    # -- literals

    def read_literal(self, size: int, deadline: Deadline | None = None) -> bytes:
        """The next ``size`` bytes."""
        self._check_literal(size)
        if self._large is None:
            self._settle()
            start = self._position
            end = start + size
            if end <= len(self._buffer):
                self._position = end
                return self._buffer[start:end]
            if size > CHUNK and self._journal is None:
                # Shared, not copied, until something is written.
                self._large = BytesIO(self._buffer[start:])
                self._filled = len(self._buffer) - start
                self._buffer, self._position = b"", 0
        if self._large is not None:
            return self._receive_large(self._large, size, deadline)
        keep_freed(_KEPT_OF_LITERALS)
        missing = end - len(self._buffer)
        self._open_pieces(start)
        while True:
            data = self._receive(deadline)
            if len(data) >= missing:
                # Joined without what follows, which may be much more.
                literal = b"".join((*self._pieces[:-1], memoryview(data)[:missing]))
                self._buffer, self._position, self._pieces = data, missing, []
                return literal
            missing -= len(data)

    def _receive_large(self, large: BytesIO, size: int, deadline: Deadline | None) -> bytes:
        """From the transport straight into the object that is handed over, so that the peak of memory is its size."""
        room = len(large.getbuffer())
        while size > _AT_ONCE and self._filled * _ARRIVED < size:
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
                # The standard library's reader fills an object that nobody else has seen, without clearing it first.
                found: bytes = BufferedReader(rest, 1).read(size) or b""
            finally:
                rest.come.release()
        if len(found) < size:
            self._large, self._filled = BytesIO(found), len(found)
            raise rest.error or ConnectionAbortError("the server closed the connection within a literal")
        self._large, self._filled = None, 0
        # Where another one follows, no more of it than that has to be copied.
        self._chunk = CHUNK
        return found

    def _patience(self, deadline: Deadline | None) -> float | None:
        remaining = deadline.remaining() if deadline is not None else None
        if remaining is None:
            return self.timeout
        return remaining if self.timeout is None else min(remaining, self.timeout)


def _put_together(pieces: list[bytes]) -> None:
    """Join the last pieces so that each is at least half as long as those after it: few pieces, and few copies."""
    while len(pieces) > 1 and len(pieces[-2]) < 2 * len(pieces[-1]):
        pieces[-2:] = [pieces[-2] + pieces[-1]]


class _RestOfLiteral(RawIOBase):
    """What a literal is read from: the part of it that has come, then the transport.

    An ``error`` is kept, and the reader is told that there is nothing more: what has come is then handed over.
    """

    def __init__(self, come: memoryview, transport: Transport, patience: Callable[[], float | None]) -> None:
        self.come = come
        self.error: BaseException | None = None
        # How much from the end of the literal back is not prepared.
        self._fresh: int | None = None
        self._transport = transport
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:
        try:
            size = min(len(self.come), len(target))
            if size:
                target[:size] = self.come[:size]
                self.come = self.come[size:]
                return size
            if len(target) >= (_PREPARED_FROM if self._fresh is None else _PREPARED):
                self._prepare(target)
            return self._transport.recv_into(target, self._patience())
        except BaseException as error:
            self.error = error
            return None

    def _prepare(self, target: memoryview) -> None:
        """Let there always be some memory ahead that is prepared, and never more than `_PREPARED`."""
        fresh = len(target) if self._fresh is None else min(self._fresh, len(target))
        ahead = len(target) - fresh
        if ahead < _PREPARED // 4:
            with target[ahead:_PREPARED] as part:
                prepare(part)
            fresh = len(target) - _PREPARED
        self._fresh = fresh
