"""One connection of the scripted peer. Each wait has a deadline, and ends with the test's body."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
import zlib

from .loopback_server import reset_when_closed

_RECEIVE_SIZE = 65536
_CHUNK_GAP_SECONDS = 0.0001


class DialogueFailure(Exception):
    """The dialogue differs from the script."""


class ClientGone(Exception):
    """The client closed the connection, or the test's body ended, before the script was done."""


class Stream:
    """One connection. TLS is done with memory buffers, so that each wait ends at the deadline or with the test."""

    def __init__(self, sock: socket.socket, over: socket.socket, timeout: float) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._over = over
        self._timeout = timeout
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None
        self.buffer = bytearray()
        self.chunk = 0
        self.tags: dict[bytes, bytes] = {}
        #: How many bytes were sent so far.
        self.sent = 0

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the server's side of the handshake.

        :raises ssl.SSLError: if the client aborts it.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._incoming.write(bytes(self.buffer))
        self.buffer.clear()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self._receive_raw())
            except ssl.SSLError:
                self._flush()
                raise
        self._flush()
        self._tls = tls

    def start_deflate(self) -> None:
        """Compress from now on, both ways (RFC 4978)."""
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(wbits=-15)
        waiting = bytes(self.buffer)
        self.buffer.clear()
        self.buffer += self._inflate.decompress(waiting)

    def receive(self) -> None:
        """Receive until the buffer has at least one new byte."""
        before = len(self.buffer)
        while len(self.buffer) == before:
            data = self._receive_raw() if self._tls is None else self._receive_tls(self._tls)
            self.buffer += data if self._inflate is None else self._inflate.decompress(data)

    def _receive_tls(self, tls: ssl.SSLObject) -> bytes:
        while True:
            try:
                data = tls.read(_RECEIVE_SIZE)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive_raw())
                continue
            except ssl.SSLError as error:
                raise ClientGone(f"the client ended TLS: {error}") from error
            if not data:
                raise ClientGone("the client closed the connection")
            return data

    def receive_waiting(self) -> None:
        """Add everything to the buffer that the client has sent so far, without waiting for more."""
        timeout, self._timeout = self._timeout, 0.0
        try:
            while True:
                self.receive()
        except (ClientGone, DialogueFailure):
            pass
        finally:
            self._timeout = timeout

    def send(self, data: bytes) -> None:
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if not self.chunk:
            self._send_whole(data)
            return
        for start in range(0, len(data), self.chunk):
            self._send_whole(data[start : start + self.chunk])
            time.sleep(_CHUNK_GAP_SECONDS)

    def _send_whole(self, data: bytes) -> None:
        if self._tls is None:
            self._send_raw(data)
        elif data:
            self._tls.write(data)
            self._flush()

    def close(self) -> None:
        # If there are unread bytes, close() sends a reset.
        self.receive_waiting()
        if self._tls is not None:
            # Do not wait for the client's close_notify.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            with contextlib.suppress(ClientGone, DialogueFailure):
                self._flush()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def reset(self) -> None:
        reset_when_closed(self._sock)
        self._sock.close()

    def _flush(self) -> None:
        self._send_raw(self._outgoing.read())

    def _receive_raw(self) -> bytes:
        while True:
            try:
                data = self._sock.recv(_RECEIVE_SIZE)
            except (BlockingIOError, InterruptedError):
                wait_for(self._sock, selectors.EVENT_READ, self._over, self._timeout)
                continue
            except OSError as error:
                raise ClientGone(f"the client's connection broke: {error}") from error
            if not data:
                raise ClientGone("the client closed the connection")
            return data

    def _send_raw(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                count = self._sock.send(rest)
                self.sent += count
                rest = rest[count:]
            except (BlockingIOError, InterruptedError):
                wait_for(self._sock, selectors.EVENT_WRITE, self._over, self._timeout)
            except OSError as error:
                raise ClientGone(f"the client's connection broke: {error}") from error


def wait_for(sock: socket.socket, event: int, over: socket.socket, timeout: float) -> None:
    """Wait until the socket is ready.

    :raises ClientGone: if the test's body is over, which makes ``over`` readable.
    :raises DialogueFailure: if the socket is not ready within ``timeout`` seconds.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(sock, event)
        selector.register(over, selectors.EVENT_READ)
        ready = [key.fileobj for key, _ in selector.select(timeout)]
    if sock in ready:
        return
    if over in ready:
        raise ClientGone("the test's body was over")
    raise DialogueFailure(f"nothing happened for {timeout:g} seconds")
