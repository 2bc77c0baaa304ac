"""A proxy for thousands of connections that fail at random. It has its own process, because the soak's is measured.

``python -m tests.faults.soak_proxy SEED PORT...`` listens on a free port of loopback for each of the server's ports. It
prints the free ports in one line, and ends when its standard input ends. The faults of a connection follow from the
seed and from the number of the connection at its port. `tests.helpers.fault_proxy` is no base for it: that one has
planned faults, and threads for each connection until the end of the test. This one is an event loop that forgets a
connection when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from typing import NamedTuple

from tests.helpers.loopback_server import reset_when_closed

HOST = "127.0.0.1"
#: The kinds of faults, and how many of a hundred connections have each.
KINDS = {"none": 4, "cut": 26, "reset": 22, "half-close": 18, "stall": 10, "delay": 10, "dribble": 10}
_MEAN_BYTES = 4_000
_CHUNK = 16_384


class Fault(NamedTuple):
    """The fault of one connection, and the number of bytes before it in one direction."""

    kind: str
    from_server: bool
    after: int

    @classmethod
    def random(cls, dice: random.Random) -> Fault:
        (kind,) = dice.choices(list(KINDS), list(KINDS.values()))
        return cls(kind, dice.random() < 0.6, int(dice.expovariate(1 / _MEAN_BYTES)))


class _Connection:
    """One client's connection."""

    def __init__(self, fault: Fault, dice: random.Random, client: _Side, server: _Side) -> None:
        self._fault = fault
        self._dice = dice
        self._client = client
        self._server = server
        self._ended = asyncio.Event()

    async def run(self) -> None:
        tasks = [
            asyncio.ensure_future(self._carry(self._client, self._server, not self._fault.from_server)),
            asyncio.ensure_future(self._carry(self._server, self._client, self._fault.from_server)),
            asyncio.ensure_future(self._ended.wait()),
        ]
        # Each direction continues until its sender closes it. So the other direction works when one is half-closed.
        carrying, ended = tasks[:2], tasks[2]
        while not ended.done() and not all(task.done() for task in carrying):
            await asyncio.wait([ended, *(task for task in carrying if not task.done())], return_when="FIRST_COMPLETED")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._client.close()
        self._server.close()

    async def _carry(self, source: _Side, target: _Side, is_faulty: bool) -> None:
        kind, room = self._fault.kind, self._fault.after
        try:
            while True:
                data = await source.reader.read(_CHUNK)
                if not data:
                    break
                if is_faulty and kind != "none":
                    if len(data) >= room:
                        await target.send(data[:room])
                        data, room = data[room:], int(self._dice.expovariate(1 / _MEAN_BYTES))
                        if not await self._strike(kind, source, target):
                            return
                        if kind == "dribble":
                            for index in range(min(len(data), 300)):
                                await target.send(data[index : index + 1])
                                await asyncio.sleep(0.001)
                            data = data[300:]
                        # A connection that survives gets another fault.
                        kind = Fault.random(self._dice).kind
                    room = max(0, room - len(data))
                await target.send(data)
            await target.end()
            if source is self._client:
                # When the client has closed its side, it reads no more.
                self._ended.set()
        except OSError:
            self._ended.set()

    async def _strike(self, kind: str, source: _Side, target: _Side) -> bool:
        """Do the fault. Return whether the connection continues."""
        if kind in ("delay", "dribble"):
            await asyncio.sleep(self._dice.uniform(0.01, 0.2))
            return True
        if kind in ("stall", "half-close"):
            if kind == "half-close":
                await target.end()
            # Nothing more is sent until the client closes the connection.
            while await source.reader.read(_CHUNK):
                pass
            if source is self._server:
                await asyncio.sleep(600)
        elif kind == "reset":
            self._client.reset()
        self._ended.set()
        return False


class _Side:
    """One side: the connection of the client, or the one to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def end(self) -> None:
        with contextlib.suppress(OSError, NotImplementedError):
            # This is the half-close of TCP. TLS has none, but this proxy does not know TLS.
            self._writer.write_eof()

    def reset(self) -> None:
        sock = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            reset_when_closed(sock)

    def close(self) -> None:
        self._writer.transport.abort()


async def _serve(seed: str, ports: list[int]) -> None:
    servers = []
    for port in ports:
        numbers = iter(range(sys.maxsize))

        async def join(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port, numbers: object = numbers
        ) -> None:
            dice = random.Random(f"{seed}/{next(numbers)}")  # type: ignore[call-overload]
            client = _Side(reader, writer)
            try:
                server = _Side(*await asyncio.open_connection(HOST, port))
            except OSError:
                client.close()
                return
            await _Connection(Fault.random(dice), dice, client, server).run()

        servers.append(await asyncio.start_server(join, HOST, 0))
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], [int(port) for port in sys.argv[2:]]))
