"""Measure what COMPRESS=DEFLATE (RFC 4978) saves on the wire, and what it costs our client::

    python -m tests.benchmarks.compression

The replies are those of the benchmark. They are sent once in plain form and once compressed, with zlib's level 6 as
servers use it. They are compressed before the measurement, so that the server costs nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.benchmarks.processes import CHECKOUT, note
from tests.benchmarks.replies import make_folder
from tests.benchmarks.results import columns
from tests.benchmarks.server import Incoming
from tests.benchmarks.workloads import WORKLOADS, Workload, scaled

FOLDERS = ("flags", "envelopes", "headers", "bodies")

#: The program of the client's process. It prints the CPU time of each fetch in seconds, and the number of messages.
_CLIENT = """
import gc, json, sys, time
from imapclient import IMAPClient

port, items, rounds, compressed = int(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"
client = IMAPClient("127.0.0.1", port, ssl=False)
client.login("ann", "secret")
if compressed:
    client.compress()
client.select_folder("INBOX")
# The first fetch fills the caches, and does not count.
client.fetch("1:*", items)
times = []
for _ in range(rounds):
    gc.collect()
    start = time.process_time()
    found = client.fetch("1:*", items)
    times.append(time.process_time() - start)
client.logout()
print(json.dumps({"times": times, "messages": len(found)}))
"""


class Result(NamedTuple):
    messages: int
    plain: int
    """Bytes of the reply as it is."""
    compressed: int
    cpu_plain: float
    """Seconds of the client for a fetch, the best of all."""
    cpu_compressed: float


def deflated(data: bytes) -> bytes:
    """Compress data so that they may follow or precede any other compressed data."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)


class _Inflated:
    """The receiving side of a compressed connection, for `Incoming`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inflate = zlib.decompressobj(-15)

    def recv(self, size: int) -> bytes:
        while data := self._connection.recv(size):
            if expanded := self._inflate.decompress(data):
                return expanded
        return b""

    def setsockopt(self, *option: int) -> None:
        self._connection.setsockopt(*option)


def _converse(connection: socket.socket, reply: bytes, compressed_reply: bytes) -> None:
    capabilities = b"[CAPABILITY IMAP4rev1 COMPRESS=DEFLATE]"
    connection.sendall(b"* OK %s ready\r\n" % capabilities)
    incoming = Incoming(connection)
    is_compressed = False
    while line := incoming.line():
        tag, _, command = line.strip().partition(b" ")
        end = b"%s OK %s done\r\n" % (tag, capabilities if command.startswith(b"LOGIN") else b"")
        if command.startswith(b"UID FETCH"):
            connection.sendall(compressed_reply if is_compressed else reply)
        elif command == b"LOGOUT":
            end = b"* BYE see you\r\n" + end
        connection.sendall(deflated(end) if is_compressed else end)
        if command.startswith(b"COMPRESS"):
            is_compressed = True
            incoming = Incoming(_Inflated(connection))  # type: ignore[arg-type]


@contextmanager
def _serving(reply: bytes, compressed_reply: bytes) -> Iterator[int]:
    """Yield the port of a server for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                _converse(connection, reply, compressed_reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)


def measure(workload: Workload, rounds: int) -> Result:
    """Fetch the workload's messages ``rounds`` times over a connection of each kind."""
    reply = make_folder(workload.folder, workload.total, workload.size, None).whole
    compressed_reply = deflated(reply)
    found: list[Any] = []
    for compressed in "01":
        with _serving(reply, compressed_reply) as port:
            done = subprocess.run(
                [sys.executable, "-c", _CLIENT, str(port), json.dumps(workload.items), str(rounds), compressed],
                cwd=CHECKOUT,
                stdout=subprocess.PIPE,
                check=True,
                timeout=500,
            )
        found.append(json.loads(done.stdout))
    assert found[0]["messages"] == found[1]["messages"] == workload.total
    return Result(workload.total, len(reply), len(compressed_reply), *(min(client["times"]) for client in found))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the number of messages")
    parser.add_argument("--rounds", type=int, default=7, help="fetches of each, the best counts (7)")
    parser.add_argument("--json", action="store_true", help="print the data instead of the table")
    options = parser.parse_args(arguments)
    rows = [["kB on the wire, milliseconds of CPU", "plain", "compressed", "ratio", "CPU", "compressed", "ratio"]]
    data = {}
    for folder in FOLDERS:
        note(f"{folder} …")
        [workload] = [scaled(workload, options.scale) for workload in WORKLOADS if workload.folder == folder]
        result = measure(workload, options.rounds)
        data[folder] = result._asdict()
        _, plain, compressed, before, after = result
        cells = [f"{plain / 1e3:,.0f}", f"{compressed / 1e3:,.0f}", f"{plain / compressed:.1f}"]
        cells += [f"{before * 1e3:.1f}", f"{after * 1e3:.1f}", f"{after / before:.2f}"]
        rows.append([f"{workload.title}, {workload.total:,}", *cells])
    if options.json:
        print(json.dumps(data, indent=1))
    else:
        print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
        print("\n".join(columns(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
