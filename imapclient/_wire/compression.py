"""COMPRESS=DEFLATE (RFC 4978): a transport that compresses the data of another one. Knows nothing of IMAP.

A peer's data may expand a thousandfold. One call expands at most as many bytes as the caller reads. So the reader's
limits hold here too.
"""

from __future__ import annotations

import zlib

from ..exceptions import ProtocolAbortError
from .sockets import Data, Transport, pieces
from .waiting import Deadline

# A raw deflate stream, without header and checksum (RFC 4978, 3).
_RAW = -15
# How many bytes `recv_into` expands at a time. Until they are copied, they take this memory twice.
_MAX_AT_ONCE = 1 << 19


class DeflateTransport:
    """A `Transport` over another one, with both directions compressed.

    ``received`` is compressed data that was already read from the other transport.
    """

    def __init__(self, transport: Transport, received: bytes = b"") -> None:
        self._transport = transport
        self._inflate = zlib.decompressobj(_RAW)
        self._deflate = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, _RAW)
        # Compressed data. An empty item is the end of the stream.
        self._received: list[bytes] = [received] if received else []
        # Data that `send_now` has compressed but not fully sent, and its size before compression.
        self._unsent = memoryview(b"")
        self._begun = 0

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        """Receive as `Transport.recv` does. Raises ProtocolAbortError if the data is not compressed."""
        deadline = Deadline(timeout)
        before = len(into)
        while len(into) == before:
            try:
                self._step(into, size, deadline)
            except zlib.error as error:
                raise ProtocolAbortError(f"the server sent data that is not compressed: {error}") from error

    def _step(self, into: list[bytes], size: int, deadline: Deadline) -> None:
        """Expand data that was received, or receive some.

        As in `SocketTransport`, one call in C takes the data, expands it and stores the result. So no interrupt can
        lose data.
        """
        inflate = self._inflate
        expanded = len(into)
        if inflate.unconsumed_tail:
            into.extend(filter(None, map(inflate.decompress, (inflate.unconsumed_tail,), (size,))))
        elif self._received and self._received[0] and not inflate.eof:
            into.extend(filter(None, map(inflate.decompress, map(self._received.pop, (0,)), (size,))))
        else:
            # zlib may hold output although it has taken all input.
            into.extend(filter(None, map(inflate.decompress, (b"",), (size,))))
            if len(into) > expanded:
                return
            if self._received or inflate.eof:
                into.append(b"")
            else:
                self._transport.recv(self._received, size, deadline.remaining())

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        received: list[bytes] = []
        self.recv(received, min(len(buffer), _MAX_AT_ONCE), timeout)
        data = received[0]
        buffer[: len(data)] = data
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        rest = memoryview(data)[self._begun :]
        if self._begun:
            self._transport.sendall(self._unsent, timeout)
            self._unsent, self._begun = memoryview(b""), 0
        for piece in pieces(rest):
            self._transport.sendall(self._deflate.compress(piece), timeout)
        if rest:
            self._transport.sendall(self._deflate.flush(zlib.Z_SYNC_FLUSH), timeout)

    def send_now(self, data: memoryview) -> int:
        if not self._begun:
            self._unsent = memoryview(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
            self._begun = len(data)
        while self._unsent:
            sent = self._transport.send_now(self._unsent)
            if not sent:
                return 0
            self._unsent = self._unsent[sent:]
        begun, self._begun = self._begun, 0
        return begun

    def close(self) -> None:
        self._transport.close()
