"""Hours of mixed work over connections that fail: ``python -m tests.faults.soak [--seconds 3600]``.

Several connections to a Dovecot are open: in plain text, over TLS, and compressed. Each has its own thread and its own
user (`soak_worker`). They append, search, fetch, store, copy, move, expunge, idle and change folders. A proxy
(`soak_proxy`) cuts, resets, half-closes, stalls, delays and dribbles at random. A ledger (`soak_ledger`) keeps the
expected effect of each call. From time to time a connection without faults compares the server's folders with it. The
soak fails if

- the number of copies of a message is wrong: an appended message is there exactly once, or the call raised;
- a call returns a wrong value, raises an undocumented exception, or does not return;
- memory, descriptors or threads grow.

``tox -e soak`` runs it. ``--seed`` repeats the random choices, but not the effects of the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults.soak_ledger import Failure
from tests.faults.soak_worker import HANGS, Place, Worker
from tests.helpers.dovecot import Dovecot


class Resources(NamedTuple):
    """The resources of this process: bytes of memory, blocks of Python's allocator, descriptors, threads."""

    memory: int
    objects: int
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> Resources:
        """Memory and descriptors are 0 if the system does not report them."""
        gc.collect()
        memory = descriptors = 0
        statm = Path("/proc/self/statm")
        if statm.exists():
            memory = int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            descriptors = len(os.listdir("/proc/self/fd"))
        return cls(memory, sys.getallocatedblocks(), descriptors, threading.active_count())


#: How much more there may be at the end than in the middle. Blocks are counted exactly; memory comes and goes in pages
#: of which a few bytes are in use.
_GROWTH = {"memory": 16 * 1024 * 1024, "objects": 20_000}


class Soak:
    """The server, the proxy, the workers, and the measured resources."""

    def __init__(
        self,
        seconds: float,
        commands: int,
        connections: int,
        seed: str,
        pause: float = 0.0,
        interval: float | None = None,
    ) -> None:
        self.stop = threading.Event()
        self.workers: list[Worker] = []
        self.samples: list[tuple[float, Resources]] = []
        self._seconds = seconds
        self._commands = commands
        self._connections = connections
        self._seed = seed
        self._pause = pause
        self._interval = interval or min(30.0, seconds / 12)
        self._began = time.monotonic()

    def commands(self) -> int:
        return sum(worker.counts["commands"] for worker in self.workers)

    def run(self) -> None:
        """Work until the time or the number of commands is reached. Raises `Failure` if anything is wrong."""
        with Dovecot() as server, _proxy(self._seed, server.port, server.tls_port) as ports:
            port, tls_port = ports
            place = Place(
                self._seed,
                port,
                tls_port,
                server.port,
                lambda: server.ssl_context,
                server.sessions,
                self.stop,
                self._pause,
            )
            for index in range(self._connections):
                name = f"soak-{index}"
                server.add_user(name)
                self.workers.append(Worker(name, place, tls=index % 2 == 1, compresses=index % 4 >= 2))
            before = Resources.now()
            threads = [
                threading.Thread(target=worker.run, name=str(index)) for index, worker in enumerate(self.workers)
            ]
            self._began = time.monotonic()
            for thread in threads:
                thread.start()
            try:
                self._watch()
            finally:
                self.stop.set()
                for thread in threads:
                    thread.join(2 * HANGS)
                if any(worker.failure for worker in self.workers):
                    print("the server's last words:", *server.log().splitlines()[-20:], sep="\n", flush=True)
            self._judge(before, Resources.now())

    def _watch(self) -> None:
        while not self.stop.wait(self._interval):
            # If it hangs, the stack of each thread is printed.
            faulthandler.dump_traceback_later(HANGS)
            now = time.monotonic()
            self.samples.append((now - self._began, Resources.now()))
            print(self._line(), flush=True)
            for worker in self.workers:
                if now - worker.began > 2 * HANGS:
                    raise Failure(f"{worker.doing} hangs")
            if now - self._began > self._seconds or self.commands() >= self._commands:
                break
        faulthandler.cancel_dump_traceback_later()

    def _line(self) -> str:
        seconds, used = self.samples[-1]
        connections = sum(worker.counts["connections"] for worker in self.workers)
        return (
            f"{seconds:7.0f} s {self.commands():8} commands {connections:6} connections {used.memory >> 10:7} KiB "
            f"{used.objects:7} blocks {used.descriptors:3} descriptors {used.threads:2} threads"
        )

    def _judge(self, before: Resources, after: Resources) -> None:
        for worker in self.workers:
            if worker.failure is not None:
                raise worker.failure
        print(self.report(), flush=True)
        if (after.descriptors, after.threads) != (before.descriptors, before.threads):
            raise Failure(f"not as before: {before} became {after}")
        half = len(self.samples) // 2
        if half < 3:
            return
        # By the middle, the caches are full, such as the one of compiled expressions.
        for name, allowed in _GROWTH.items():
            early = _median([getattr(used, name) for _, used in self.samples[half // 2 : half + half // 2]])
            late = _median([getattr(used, name) for _, used in self.samples[-(half // 2 + 1) :]])
            print(f"{name}: {early} around the middle, {late} at the end", flush=True)
            if late > early + allowed:
                raise Failure(f"{name} grew from {early} to {late}")

    def report(self) -> str:
        """Return the report: a line for each thing that was done, with its result."""
        counts: Counter[str] = Counter()
        for worker in self.workers:
            counts.update(worker.counts)
        lines = [f"{name}: {counts[name]}" for name in sorted(counts)]
        longest = max(worker.longest for worker in self.workers)
        return "\n".join([*lines, f"seed: {self._seed}", f"longest step: {longest:.1f} s"])


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


@contextlib.contextmanager
def _proxy(seed: str, *ports: int) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "tests.faults.soak_proxy", seed, *map(str, ports)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description="Works on failing connections.")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--commands", type=int, default=1_000_000, help="stop after so many, if that is earlier")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seed", default=None, help="any text; by default another one each time")
    parser.add_argument(
        "--pause", type=float, default=0.0, help="seconds after each step, to leave the machine to others"
    )
    parser.add_argument("--interval", type=float, help="seconds between two looks at memory, descriptors and threads")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else str(random.SystemRandom().randrange(1_000_000))
    print(f"seed: {seed}", flush=True)
    soak = Soak(options.seconds, options.commands, options.connections, seed, options.pause, options.interval)
    try:
        soak.run()
    except Failure as failure:
        print(f"FAILED: {failure}", flush=True)
        print(soak.report(), flush=True)
        return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
