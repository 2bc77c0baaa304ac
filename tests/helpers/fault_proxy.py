"""A proxy between a client and a real server, or a scripted peer, that does what networks do to connections.

    with FaultProxy(server.host, server.port, to_client=[Fault(100, "cut")]) as proxy:
        client = IMAPClient(proxy.host, proxy.port, ssl=False)

Faults at a byte are planned when the proxy is made, and hold for each connection that begins then; `silence`, `cut` and
`refuse` happen when they are called. With ``seconds`` the way is a long one: each byte arrives so much later, whatever
else is on its way, so that what is sent ahead costs no time of its own.
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

#: What may happen: both sides are closed in order; both get a reset; the direction ends, and the other goes on;
#: no more is read, so that the sender is blocked in the end; all is read, and nothing passed on; bytes are put in that
#: no server sends; there is a pause; all that follows comes one byte at a time, with pauses. Of TLS the proxy knows
#: nothing: there a cut is one without a goodbye.
KINDS = ("cut", "reset", "half-close", "stall", "silence", "garbage", "delay", "dribble")

#: Seconds of a delay, and between the bytes of a dribble.
DELAY = 0.05
PAUSE = 0.002
GARBAGE = b'\x00\xff) {7}\r\n\x80( "\r\n'

_SIZE = 65536
_PATIENCE = 60


class Fault(NamedTuple):
    """``kind`` happens once ``after`` bytes have been passed on in the direction."""

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
        #: What new connections will meet; may be changed.
        self.to_server: Sequence[Fault] = to_server
        self.to_client: Sequence[Fault] = to_client
        #: How many connections were accepted, those that were refused included.
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
        assert not alive, f"{len(alive)} threads of the proxy go on"

    def silence(self) -> None:
        """From now on nothing is passed on over the connections that there are, nor their end."""
        for connection in self._snapshot():
            connection.silent.set()

    def cut(self) -> None:
        """Close the connections that there are, in order."""
        for connection in self._snapshot():
            connection.end()

    def reset(self) -> None:
        """Break the connections that there are, with a reset."""
        for connection in self._snapshot():
            connection.reset()

    def refuse(self, refuses: bool = True) -> None:
        """Close each new connection at once, until it is called with False."""
        self._refuses = refuses

    def passed(self) -> tuple[int, int]:
        """How many bytes were passed on so far, to clients and to the server."""
        connections = self._snapshot()
        return sum(c.to_client.passed for c in connections), sum(c.to_server.passed for c in connections)

    @property
    def turns(self) -> int:
        """How often a client has sent something after it had heard something, or had connected."""
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
    """A connection of a client, and the one to the server that belongs to it."""

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
            threading.Thread(target=self._deliver_others, args=(client, self.to_server, to_server), name="fault proxy"),
            threading.Thread(target=self._deliver_others, args=(server, self.to_client, to_client), name="fault proxy"),
        ]
        if seconds:
            self.threads += [
                threading.Thread(target=way.deliver, name="fault proxy, way")
                for way in (self.to_client, self.to_server)
            ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def _deliver_others(self, source: socket.socket, target: _Way, faults: Sequence[Fault]) -> None:
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
                if target is self.to_server and self.to_client.is_heard:
                    self.to_client.is_heard = False
                    self.turns += 1
                # Counted first: who has what was passed on finds it counted.
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
"""When it arrives, and what; None for the end."""


class _Way:
    """What leads to a socket, at once or ``seconds`` later."""

    def __init__(self, sock: socket.socket, seconds: float, over: threading.Event) -> None:
        #: How many bytes were passed on, garbage not counted.
        self.passed = 0
        #: Whether anything has arrived since this was last set to False.
        self.is_heard = True
        self._sock = sock
        self._seconds = seconds
        self._over = over
        self._sent: queue.SimpleQueue[_Sent] = queue.SimpleQueue()

    def sendall(self, data: bytes) -> None:
        if self._seconds:
            self._sent.put((time.monotonic() + self._seconds, data))
            return
        self.is_heard = True
        self._sock.sendall(data)

    def end(self) -> None:
        """Say that no more comes."""
        if self._seconds:
            self._sent.put((time.monotonic() + self._seconds, b""))
        else:
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """No more is sent, and nothing said of it."""
        self._sent.put(None)

    def deliver(self) -> None:
        """Run by a thread, where there are ``seconds``."""
        with contextlib.suppress(OSError):
            while (sent := self._sent.get()) is not None:
                due, data = sent
                self._over.wait(max(0.0, due - time.monotonic()))
                if data:
                    self.is_heard = True
                    self._sock.sendall(data)
                else:
                    self._sock.shutdown(socket.SHUT_WR)
