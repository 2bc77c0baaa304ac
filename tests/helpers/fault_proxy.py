"""A proxy between a client and a server that breaks connections as networks do. The server is real or scripted.

    with FaultProxy(server.host, server.port, to_client=[Fault(100, "cut")]) as proxy:
        client = IMAPClient(proxy.host, proxy.port, ssl=False)

The constructor plans faults at a byte. They apply to each new connection. `silence`, `cut` and `refuse` happen when
they are called. ``seconds`` is a delay of each byte, as on a long way: all bytes on their way are delayed at the same
time, so that pipelined commands wait only once.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Optional

from .loopback_server import AcceptingServer, reset_when_closed

#: The kinds of faults. The proxy does not know TLS, so that it sends no close_notify.
#:
#: - cut: close both sides in order
#: - reset: send a reset to both sides
#: - half-close: end this direction; the other one goes on
#: - stall: stop reading, so that the sender blocks when the buffers are full
#: - silence: read everything in both directions, and send nothing
#: - garbage: insert bytes that no server sends
#: - delay: pause once
#: - dribble: send the rest in single bytes, with pauses
KINDS = ("cut", "reset", "half-close", "stall", "silence", "garbage", "delay", "dribble")

#: The length of a delay, and the pause between the bytes of a dribble, in seconds.
DELAY = 0.05
PAUSE = 0.002
GARBAGE = b'\x00\xff) {7}\r\n\x80( "\r\n'

_SIZE = 65536
_PATIENCE = 60


class Fault(NamedTuple):
    """``kind`` happens when ``after`` bytes have been sent on in the direction."""

    after: int
    kind: str


class FaultProxy(AcceptingServer):
    """A proxy that runs within its ``with`` block. All its threads end with the block."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        to_server: Sequence[Fault] = (),
        to_client: Sequence[Fault] = (),
        seconds: float = 0,
    ) -> None:
        for fault in (*to_server, *to_client):
            if fault.kind not in KINDS:
                raise ValueError(f"no such fault: {fault.kind!r}")
        super().__init__()
        #: The faults of new connections. A test may change them.
        self.to_server: Sequence[Fault] = to_server
        self.to_client: Sequence[Fault] = to_client
        #: The number of connections so far, with the refused ones.
        self.accepted = 0
        self._target = host, port
        self._seconds = seconds
        self._refuses = False
        self._connections: list[_Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop accepting connections, and end those that are open."""
        super().close()
        for connection in self._connections:
            connection.end()
        alive = [thread for c in self._connections for thread in c.threads if thread.is_alive()]
        assert not alive, f"{len(alive)} threads of the proxy still run"

    def silence(self) -> None:
        """Send nothing more over the open connections, not even their end."""
        for connection in self._snapshot():
            connection.silent.set()

    def cut(self) -> None:
        """Close the open connections in order."""
        for connection in self._snapshot():
            connection.end()

    def reset(self) -> None:
        """Close the open connections with a reset."""
        for connection in self._snapshot():
            connection.reset()

    def refuse(self, refuses: bool = True) -> None:
        """Close each new connection at once. ``refuse(False)`` ends that."""
        self._refuses = refuses

    def passed(self) -> tuple[int, int]:
        """Return how many bytes were sent on so far: to clients, and to the server."""
        connections = self._snapshot()
        return sum(c.to_client.passed for c in connections), sum(c.to_server.passed for c in connections)

    @property
    def turns(self) -> int:
        """How many times a client sent something after it had connected or received something."""
        return sum(connection.turns for connection in self._snapshot())

    def _snapshot(self) -> list[_Connection]:
        with self._lock:
            return list(self._connections)

    def _serve(self, sock: socket.socket) -> None:
        self.accepted += 1
        if self._refuses:
            sock.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=_PATIENCE)
        except OSError:
            # To the client this looks like a server that ends the connection.
            sock.close()
            return
        server.settimeout(None)
        connection = _Connection(sock, server, self.to_server, self.to_client, self._seconds)
        with self._lock:
            # The connection is listed before a byte passes, so that `silence` and `cut` apply to it too.
            self._connections.append(connection)
            connection.start()


class _Connection:
    """A client's connection, and the connection to the server for it."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        to_server: Sequence[Fault],
        to_client: Sequence[Fault],
        seconds: float,
    ) -> None:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets = (client, server)
        self._over = threading.Event()
        self.silent = threading.Event()
        self._dribbles = False
        self.turns = 0
        self.to_client, self.to_server = _Way(client, seconds, self._over), _Way(server, seconds, self._over)
        self.threads = [
            threading.Thread(target=self._forward, args=(client, self.to_server, to_server), name="fault proxy"),
            threading.Thread(target=self._forward, args=(server, self.to_client, to_client), name="fault proxy"),
        ]
        if seconds:
            self.threads += [
                threading.Thread(target=way.deliver, name="fault proxy, way")
                for way in (self.to_client, self.to_server)
            ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def _forward(self, source: socket.socket, target: _Way, faults: Sequence[Fault]) -> None:
        plan = sorted(faults)
        passed = 0
        with contextlib.closing(target), contextlib.suppress(OSError):
            while True:
                while plan and passed >= plan[0].after:
                    self._happen(plan.pop(0).kind, target)
                room = min(plan[0].after - passed, _SIZE) if plan else _SIZE
                data = source.recv(room)
                if self.silent.is_set():
                    if not data:
                        return
                    continue
                if not data:
                    target.end()
                    return
                if target is self.to_server and self.to_client.has_sent:
                    self.to_client.has_sent = False
                    self.turns += 1
                # It is counted before it is sent, so that a test that has received it finds it counted.
                passed += len(data)
                target.passed = passed
                if self._dribbles:
                    for index in range(len(data)):
                        target.sendall(data[index : index + 1])
                        self._over.wait(PAUSE)
                else:
                    target.sendall(data)

    def _happen(self, kind: str, target: _Way) -> None:
        if kind == "cut":
            self.end(wait=False)
        elif kind == "reset":
            self.reset()
        elif kind == "half-close":
            target.end()
        elif kind == "stall":
            self._over.wait()
        elif kind == "garbage":
            target.sendall(GARBAGE)
        elif kind == "delay":
            self._over.wait(DELAY)
        elif kind == "dribble":
            self._dribbles = True
        else:
            self.silent.set()

    def reset(self) -> None:
        for sock in self._sockets:
            reset_when_closed(sock)
        self.end(wait=False, in_order=False)

    def end(self, wait: bool = True, in_order: bool = True) -> None:
        self._over.set()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR if in_order else socket.SHUT_RD)
        if wait:
            for thread in self.threads:
                thread.join(_PATIENCE)
        if wait or not in_order:
            for sock in self._sockets:
                sock.close()


_Sent = Optional[tuple[float, bytes]]
"""The time of arrival, and the bytes; None for the end."""


class _Way:
    """One direction of a connection: it sends to a socket, at once or ``seconds`` later."""

    def __init__(self, sock: socket.socket, seconds: float, over: threading.Event) -> None:
        #: The number of bytes that were sent on, without garbage.
        self.passed = 0
        #: Whether anything has been sent since this was last set to False.
        self.has_sent = True
        self._sock = sock
        self._seconds = seconds
        self._over = over
        self._sent: queue.SimpleQueue[_Sent] = queue.SimpleQueue()

    def sendall(self, data: bytes) -> None:
        if self._seconds:
            self._sent.put((time.monotonic() + self._seconds, data))
            return
        self.has_sent = True
        self._sock.sendall(data)

    def end(self) -> None:
        """Send the end of the direction."""
        if self._seconds:
            self._sent.put((time.monotonic() + self._seconds, b""))
        else:
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Stop sending, without an end of the direction."""
        self._sent.put(None)

    def deliver(self) -> None:
        """Send when it is due. A thread runs this if ``seconds`` is set."""
        with contextlib.suppress(OSError):
            while (sent := self._sent.get()) is not None:
                due, data = sent
                self._over.wait(max(0.0, due - time.monotonic()))
                if data:
                    self.has_sent = True
                    self._sock.sendall(data)
                else:
                    self._sock.shutdown(socket.SHUT_WR)
