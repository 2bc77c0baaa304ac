"""Measure what a message costs at which step, in microseconds of CPU time::

    python -m tests.benchmarks.layers

The bytes come over a socket from another thread, whose time does not count.

- receive: take the bytes from the socket;
- split: cut them into responses (``_connection/reader.py``);
- parse: find the strings, numbers and lists in the responses (``_parsing/lexer.py``): what the other steps leave;
- build: make the items of them: flags, datetimes, envelopes, body structures (``_parsing/fetch``).

That is the general path. The fast path does the last three steps in one. The addresses of an envelope are made when a
program looks at them: the last column is the time for all six lists.
"""

from __future__ import annotations

import argparse
import platform
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

from imapclient._connection.reader import Reader
from imapclient._parsing.fast.batch_reader import BatchReader
from imapclient._parsing.fetch.parser import fetch_items, parse_fetch
from imapclient._parsing.lexer import read_values
from imapclient._parsing.responses import UNTAGGED, ReadOptions, Untagged
from imapclient._wire.sockets import SocketTransport
from tests.benchmarks.replies import make_folder
from tests.benchmarks.results import columns

PAYLOADS = {"overviews": 2_000, "envelopes": 2_000, "flags": 20_000, "headers": 5_000}
_LISTS = ("from_", "sender", "reply_to", "to", "cc", "bcc")
_OPTIONS = ReadOptions()


class Costs(NamedTuple):
    """Microseconds for a message."""

    receive: float
    split: float
    parse: float
    build: float
    fast: float
    """All of it on the fast path."""
    addresses: float


def receive(transport: SocketTransport, size: int) -> None:
    while size:
        pieces: list[bytes] = []
        transport.recv(pieces, 1 << 20, None)
        size -= len(pieces[0])


def next_response(reader: Reader) -> Untagged:
    line, records = reader.read_response()
    match = UNTAGGED.match(line)
    assert match is not None
    return Untagged(b"FETCH", int(match[1]), line, match.end(), records)


def responses(transport: SocketTransport, count: int) -> Iterator[Untagged]:
    reader = Reader(transport)
    for _ in range(count):
        yield next_response(reader)


def at_once(transport: SocketTransport, count: int) -> list[dict[bytes, Any]]:
    """The items of all responses, on the fast path."""
    reader, batches = Reader(transport), BatchReader(True, _OPTIONS)
    found: list[dict[bytes, Any]] = []

    def bulk(buffer: bytes, position: int) -> tuple[int, int]:
        batch = batches.read(buffer, position)
        if batch is None:
            return position, 0
        found.extend(batch.items)
        return batch.end, len(batch.items)

    while len(found) < count:
        reader.offer(bulk, 1 << 40)
        if len(found) < count:
            found.append(parse_fetch(next_response(reader), _OPTIONS))
    return found


def seconds(data: bytes, work: Callable[[SocketTransport], Any], rounds: int) -> float:
    """The least CPU time of this thread in which ``work`` consumes the data."""
    times = []
    for _ in range(rounds):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            sender = threading.Thread(target=theirs.sendall, args=(data,))
            sender.start()
            start = time.thread_time()
            result = work(SocketTransport(ours))
            times.append(time.thread_time() - start)
            sender.join()
            del result
    return min(times)


def build_items(values: list[Any]) -> list[Any]:
    return [fetch_items(1, message, True) for message in values]


def look_at_addresses(items: list[Any]) -> None:
    for message in items:
        envelope = message.get(b"ENVELOPE")
        if envelope is not None:
            for name in _LISTS:
                getattr(envelope, name)


def timed(work: Callable[[list[Any]], Any], data: list[Any]) -> float:
    start = time.thread_time()
    result = work(data)
    took = time.thread_time() - start
    del result
    return took


def costs(name: str, count: int, rounds: int) -> Costs:
    """Measure one payload of the benchmark."""
    data = b"".join(make_folder(name, count, 0, None).messages)
    works: tuple[Callable[[SocketTransport], Any], ...] = (
        lambda transport: receive(transport, len(data)),
        lambda transport: list(responses(transport, count)),
        lambda transport: [parse_fetch(response) for response in responses(transport, count)],
        lambda transport: at_once(transport, count),
    )
    received, split, general, fast = (seconds(data, work, rounds) * 1e6 / count for work in works)
    values: list[Any] = []
    seconds(data, lambda transport: values.extend(read_values(one)[0] for one in responses(transport, count)), 1)
    build = min(timed(build_items, values) for _ in range(rounds)) * 1e6 / count
    looked_at: list[float] = []
    seconds(data, lambda transport: looked_at.append(timed(look_at_addresses, at_once(transport, count))), rounds)
    return Costs(received, split - received, general - split - build, build, fast, min(looked_at) * 1e6 / count)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="of each step; the fastest one counts (default: 15)")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the numbers of messages")
    options = parser.parse_args(arguments)
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}: µs of CPU time for a message")
    rows = [["payload", "receive", "split", "parse", "build", "general path", "fast path", "addresses"]]
    for name, count in PAYLOADS.items():
        found = costs(name, max(3, int(count * options.scale)), options.rounds)
        general = sum(found[:4])
        shown = (*found[:4], general, found.fast, found.addresses)
        rows.append([name, *[f"{value:.1f}" for value in shown]])
    print("\n".join(columns(rows)))


if __name__ == "__main__":
    main()
