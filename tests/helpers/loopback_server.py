"""The base of the test servers and of the fault proxy: a listening socket and a thread."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from abc import ABC, abstractmethod

from .closing import Closing

# Longer than any test runs. It ends only what hangs.
_SECONDS = 60


class LoopbackServer(Closing, ABC):
    """A listening socket on a free port of loopback, and a thread that calls `_run`."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self._listener = self._listen()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=f"{type(self).__name__}-{self.port}", daemon=True)

    def _listen(self) -> socket.socket:
        return socket.create_server((self.host, 0))

    def start(self) -> None:
        """Start to accept connections."""
        self._thread.start()

    @abstractmethod
    def _run(self) -> None:
        """Accept and serve connections until `close`."""


class AcceptingServer(LoopbackServer):
    """A server that serves one connection after the other within its ``with`` block.

    A server for several connections at once starts a thread in `_serve`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_closing = False

    def close(self) -> None:
        """Stop accepting connections, and wait until the thread has ended."""
        self._is_closing = True
        # Closing the listener ends accept() on some systems only. A connection ends it on all.
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port)):
            pass
        self._thread.join(_SECONDS)
        self._listener.close()
        assert not self._thread.is_alive(), f"{self._thread.name} still runs"

    def _run(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._is_closing:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The client may break the connection at any time.
            with contextlib.suppress(OSError):
                self._serve(sock)

    @abstractmethod
    def _serve(self, sock: socket.socket) -> None:
        """Serve one connection, and close it."""


def reset_when_closed(sock: socket.socket) -> None:
    """Make ``sock.close()`` send a reset (RST) instead of an orderly end."""
    # Linger is on, for 0 seconds.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
