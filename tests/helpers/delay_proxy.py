"""A proxy that passes on everything some time later, as a long way between client and server does.

    with DelayProxy(server.host, server.port, seconds=0.05) as proxy:
        client = IMAPClient(proxy.host, proxy.port, ssl=False)
        print(proxy.turns)

Each byte arrives ``seconds`` after it was sent, whatever else is on its way: what is sent ahead costs no time of its
own. ``turns`` counts how often the client has sent something after it had heard something.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from types import TracebackType
from typing import Optional

_SIZE = 65536
_PATIENCE = 10

_Sent = Optional[tuple[float, bytes]]


class DelayProxy:
    """Runs within its ``with`` block, for one connection after the other or several at once."""

    host = "127.0.0.1"

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.turns = 0
        self._seconds = seconds
        self._target = host, port
        self._client_has_heard = True
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> DelayProxy:
        self._run(self._accept)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="delay proxy", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                # The handshake of TCP takes a round trip too, before a client may send.
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    on_the_way: queue.Queue[_Sent] = queue.Queue()
                    self._run(self._take, source, on_the_way, source is client)
                    self._run(self._give, target, on_the_way, target is client)

    def _take(self, source: socket.socket, on_the_way: queue.Queue[_Sent], is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_SIZE):
                if is_client and self._client_has_heard:
                    self._client_has_heard = False
                    self.turns += 1
                on_the_way.put((time.monotonic() + self._seconds, data))
        on_the_way.put(None)

    def _give(self, target: socket.socket, on_the_way: queue.Queue[_Sent], is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while (sent := on_the_way.get()) is not None:
                due, data = sent
                time.sleep(max(0.0, due - time.monotonic()))
                if is_client:
                    self._client_has_heard = True
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
