"""Hours of mixed work over connections that fail: ``python -m tests.faults.soak [--seconds 3600]``.

Several connections to a Dovecot, in the clear, over TLS and compressed, each in a thread of its own and for a user of
its own, append, search, fetch, store,
copy, move, expunge, idle and change folders, through a proxy that cuts, resets, half-closes, stalls, delays and
dribbles at random (`soak_proxy`). What each call should have done is kept in a ledger, and a connection without faults
looks at the server's folders now and then. It fails where

- a message is there more or less often than the calls have said: each that was appended is there exactly once, or the
  call raised;
- a call returns what is wrong, raises what is not documented, or does not come back;
- memory, descriptors or threads grow.

``tox -e soak`` runs it. ``--seed`` makes the dice fall as before; what the clock does to them is not repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import hashlib
import os
import random
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, IMAPClientAbortError, IMAPClientError, ServerBugError
from imapclient.sockets import SocketTimeout
from tests.faults.soak_proxy import HOST
from tests.helpers.dovecot import Dovecot

_TIMEOUT = SocketTimeout(connect=5.0, read=2.0)
_DIRECT_TIMEOUT = 60
_HANGS = 60.0
#: Calls after which the server's folders are compared with the ledger, and emptied.
_EPOCH = 400
_FOLDERS = ("INBOX", "Archive", "Entwürfe")
# What a call may raise whose connection fails: the documented exceptions, and the answer of Dovecot 2.3 to APPEND where
# compressed data end within the message: NO [SERVERBUG] Internal error occurred.
_LOST = (IMAPClientAbortError, OSError, ServerBugError)


class Failure(Exception):
    """Something is not as it has to be."""


# -- messages that say what they are


def message(token: str) -> bytes:
    """The one message with this token: whoever has the token can tell whether a byte of it is wrong."""
    dice = random.Random(token)
    size = dice.choice((10, 200, 2_000, 20_000))
    body = hashlib.sha256(token.encode()).hexdigest().encode()
    lines = b"\r\n".join(body for _ in range(size // len(body) + 1))
    return b"Message-ID: <%s>\r\nSubject: soak\r\n\r\n%s\r\n" % (token.encode(), lines)


def token_of(data: bytes) -> str:
    first = data.partition(b"\r\n")[0]
    token = first[len(b"Message-ID: <") : -1].decode("ascii", "replace")
    if data != message(token):
        raise Failure(f"a message has other bytes than were appended: {first!r}, {len(data)} bytes")
    return token


class Ledger:
    """How often each message has to be there: at least, and at most."""

    def __init__(self) -> None:
        self._bounds: dict[str, tuple[int, int]] = {}

    def add(self, token: str, least: int, most: int) -> None:
        low, high = self._bounds.get(token, (0, 0))
        self._bounds[token] = (max(0, low + least), max(0, high + most))

    def faults(self, there: Counter[str]) -> list[str]:
        """What is not as the calls have said."""
        faults = []
        for token in {*self._bounds, *there}:
            low, high = self._bounds.get(token, (0, 0))
            if not low <= there[token] <= high:
                faults.append(f"{token} is there {there[token]} times, not {low} to {high}")
        return sorted(faults)

    def tally(self) -> Counter[str]:
        """How many messages are certainly there, certainly not, or may be."""
        kinds = Counter[str]()
        for low, high in self._bounds.values():
            kinds["sure" if low == high else "not sure"] += 1
        return kinds

    def clear(self) -> None:
        self._bounds.clear()


# -- one connection


class Worker:
    """One user's work, over one connection after the other."""

    def __init__(self, name: str, soak: Soak, *, tls: bool, compresses: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.longest = 0.0
        self.failure: BaseException | None = None
        self.began = time.monotonic()
        self.doing = "start"
        self._name = name
        self._dice = random.Random(f"{soak.seed}/{name}")
        self._soak = soak
        self._port = soak.tls_port if tls else soak.port
        self._context = soak.ssl_context() if tls else None
        self._compresses = compresses
        self._client: IMAPClient | None = None
        self._ledger = Ledger()
        self._number = 0
        self._ways: list[tuple[Callable[[IMAPClient], None], int]] = [
            (self._append, 22),
            (self._fetch, 18),
            (self._search, 10),
            (self._store, 12),
            (self._copy, 8),
            (self._move, 8),
            (self._expunge, 8),
            (self._idle, 3),
            (self._noop, 6),
            (self._folders, 5),
        ]

    def run(self) -> None:
        try:
            with contextlib.suppress(FileExistsError):
                self._direct(self._prepare)
            while not self._soak.is_over():
                for _ in range(_EPOCH):
                    if self._soak.is_over():
                        break
                    self._do_one()
                self._close()
                self._direct(self._compare)
        except BaseException as error:
            self.failure = error
            self._soak.stop.set()
        finally:
            self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.shutdown()

    # -- connections

    def _direct(self, work: Callable[[IMAPClient], None]) -> None:
        """Work over a connection without faults."""
        with IMAPClient(HOST, self._soak.direct_port, ssl=False, timeout=_DIRECT_TIMEOUT) as client:
            client.login(self._name, "secret")
            work(client)

    def _prepare(self, client: IMAPClient) -> None:
        client.create_folder("Entwürfe")

    def _compare(self, client: IMAPClient) -> None:
        """The server's folders against the ledger. What an ended connection has sent may still be on its way."""
        for attempt in range(6):
            there: Counter[str] = Counter()
            for folder in _FOLDERS:
                client.select_folder(folder, readonly=True)
                for data in client.fetch("1:*", ["BODY.PEEK[]"]).values():
                    there[token_of(data[b"BODY[]"])] += 1
            faults = self._ledger.faults(there)
            if not faults:
                break
            time.sleep(0.3 * attempt)
        else:
            raise Failure(f"{self._name}: {len(faults)} messages: {'; '.join(faults[:5])}")
        self.counts["messages compared"] += sum(there.values())
        self.counts.update({f"messages {kind}": count for kind, count in self._ledger.tally().items()})
        for folder in _FOLDERS:
            client.select_folder(folder)
            ids = client.search()
            if ids:
                client.delete_messages(ids, silent=True)
                client.expunge(ids)
        for _, _, name in client.list_folders("", "tmp-*"):
            client.delete_folder(name)
        self._ledger.clear()

    def _connected(self) -> IMAPClient:
        if self._client is None:
            self._number += 1
            tls = self._context is not None
            client = IMAPClient(HOST, self._port, ssl=tls, ssl_context=self._context, timeout=_TIMEOUT)
            self._client = client
            client.login(self._name, "secret")
            if self._compresses:
                client.compress()
            client.select_folder(self._dice.choice(_FOLDERS))
            self.counts["connections"] += 1
        return self._client

    def _do_one(self) -> None:
        """One call, or a few that belong together. A connection that fails is left for a new one."""
        (way,) = self._dice.choices([way for way, _ in self._ways], [weight for _, weight in self._ways])
        self.began, self.doing = time.monotonic(), way.__name__
        try:
            way(self._connected())
        except _LOST as error:
            self.counts[f"lost: {type(error).__name__}"] += 1
            client = self._client
            if client is not None and isinstance(error, IMAPClientAbortError):
                self._is_unusable(client)
            self._close()
        except IMAPClientError as error:
            raise Failure(f"{way.__name__}: {error!r}") from error
        spent = time.monotonic() - self.began
        if self._soak.pause:
            time.sleep(self._soak.pause)
        self.longest = max(self.longest, spent)
        if spent > _HANGS:
            raise Failure(f"{way.__name__} took {spent:.0f} s")

    def _is_unusable(self, client: IMAPClient) -> None:
        try:
            client.noop()
        except IMAPClientAbortError:
            return
        raise Failure("a connection that was lost answers")

    # -- the work

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.counts["commands"] += 1
        return function(*arguments, **named)

    def _append(self, client: IMAPClient) -> None:
        self._number += 1
        tokens = [f"{self._name}-{self._number}-{index}@soak.example" for index in range(self._dice.choice((1, 1, 3)))]
        folder = self._dice.choice(_FOLDERS)
        try:
            if len(tokens) == 1:
                reply = self._call(client.append, folder, message(tokens[0]))
            else:
                reply = self._call(client.multiappend, folder, [message(token) for token in tokens])
        except (*_LOST, IMAPClientError) as error:
            may_be_there = was_sent(error)
            self.counts["appends reported as not sure" if may_be_there else "appends reported as not sent"] += 1
            for token in tokens:
                self._ledger.add(token, 0, 1 if may_be_there else 0)
            raise
        for token in tokens:
            self._ledger.add(token, 1, 1)
        self.counts["messages appended"] += len(tokens)
        if reply.uids is None or len(reply.uids) != len(tokens):
            raise Failure(f"the reply to APPEND has the uids {reply.uids}, for {len(tokens)} messages")

    def _some(self, client: IMAPClient) -> dict[int, str]:
        """A few messages of a folder, which is then selected, by uid."""
        self._call(client.select_folder, self._dice.choice(_FOLDERS))
        ids = self._call(client.search, "ALL")
        chosen = self._dice.sample(list(ids), min(len(ids), self._dice.choice((1, 2, 5))))
        if not chosen:
            return {}
        found = self._call(client.fetch, chosen, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
        tokens = {}
        for uid, data in found.items():
            header = data[b"BODY[HEADER.FIELDS (MESSAGE-ID)]"]
            tokens[uid] = header.strip()[len(b"Message-ID: <") : -1].decode("ascii")
        if found.errors or not set(tokens) <= set(chosen):
            raise Failure(f"asked for the messages {chosen}, got {tokens}, {found.errors}")
        return tokens

    def _fetch(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        items = ["BODY.PEEK[]", "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE", "INTERNALDATE"]
        found = self._call(client.fetch, list(tokens), items)
        if found.errors:
            raise Failure(f"unreadable: {found.errors}")
        for uid, data in found.items():
            if token_of(data[b"BODY[]"]) != tokens[uid] or data[b"RFC822.SIZE"] != len(data[b"BODY[]"]):
                raise Failure(f"message {uid} is {token_of(data[b'BODY[]'])}, not {tokens[uid]}")
            if data[b"ENVELOPE"].message_id != b"<%s>" % tokens[uid].encode():
                raise Failure(f"the envelope of {tokens[uid]} has {data[b'ENVELOPE'].message_id!r}")

    def _search(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        for uid, token in list(tokens.items())[:1]:
            if uid not in self._call(client.search, ["HEADER", "MESSAGE-ID", f"<{token}>"]):
                raise Failure(f"the search for {token} does not find it")
        ids = self._call(client.sort, "ARRIVAL")
        if sorted(ids) != sorted(set(ids)):
            raise Failure(f"sorted twice: {ids}")

    def _store(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if tokens:
            flag = self._dice.choice((b"\\Seen", b"\\Flagged", b"Work"))
            change = self._dice.choice((client.add_flags, client.remove_flags))
            flags = self._call(change, list(tokens), flag)
            for uid, found in flags.items():
                if (flag in found) != (change == client.add_flags):
                    raise Failure(f"{change.__name__} {flag!r} of {uid}: {found}")

    def _other_folder(self, client: IMAPClient) -> str:
        return self._dice.choice(_FOLDERS)

    def _copy(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        try:
            reply = self._call(client.copy, list(tokens), self._other_folder(client))
        except _LOST:
            for token in tokens.values():
                self._ledger.add(token, 0, 1)
            raise
        copied = set() if reply.source_uids is None else set(reply.source_uids)
        for uid, token in tokens.items():
            if uid in copied:
                self._ledger.add(token, 1, 1)

    def _move(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if tokens:
            # Whether it comes about or not: they are there as often as before.
            self._call(client.move, list(tokens), self._other_folder(client))

    def _expunge(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        try:
            self._call(client.delete_messages, list(tokens), silent=True)
            self._call(client.uid_expunge, list(tokens))
        except _LOST:
            for token in tokens.values():
                self._ledger.add(token, -1, 0)
            raise
        for token in tokens.values():
            self._ledger.add(token, -1, -1)

    def _idle(self, client: IMAPClient) -> None:
        """A message that another connection appends is told by IDLE."""
        self._call(client.select_folder, "INBOX")
        self._call(client.idle)
        self._number += 1
        token = f"{self._name}-{self._number}@soak.example"
        self._direct(lambda direct: self._append_direct(direct, token))
        heard: list[Any] = []
        deadline = time.monotonic() + 20
        while not any(item[1:] == (b"EXISTS",) for item in heard):
            if time.monotonic() > deadline:
                # A stalled connection looks like one on which nothing happens. What comes next tells.
                self.counts["idle heard nothing"] += 1
                break
            heard += client.idle_check(timeout=1)
        self._call(client.idle_done)

    def _append_direct(self, direct: IMAPClient, token: str) -> None:
        direct.append("INBOX", message(token))
        self._ledger.add(token, 1, 1)

    def _noop(self, client: IMAPClient) -> None:
        self._call(client.noop)
        if b"IDLE" not in client.capabilities():
            raise Failure(f"capabilities: {client.capabilities()}")

    def _folders(self, client: IMAPClient) -> None:
        self._number += 1
        name = f"tmp-{self._number}-&ü"
        self._call(client.create_folder, name)
        if not self._call(client.folder_exists, name):
            raise Failure(f"{name} is not there")
        self._call(client.subscribe_folder, name)
        status = self._call(client.folder_status, name, ["MESSAGES", "UIDNEXT"])
        if status[b"MESSAGES"] != 0:
            raise Failure(f"{name} has {status}")
        self._call(client.unsubscribe_folder, name)
        self._call(client.rename_folder, name, name + "2")
        self._call(client.delete_folder, name + "2")


def was_sent(error: BaseException) -> bool:
    """Whether the server may have the message of an append that raised this."""
    return not isinstance(error, CommandError)


# -- all of them


class Resources(NamedTuple):
    """What this process has: bytes of memory, blocks of Python's allocator, descriptors, threads."""

    memory: int
    objects: int
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> Resources:
        """Memory and descriptors are 0 where the system does not tell."""
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
    """The server, the proxy and the workers, and what is measured."""

    def __init__(self, seconds: float, commands: int, connections: int, seed: str, pause: float = 0.0) -> None:
        self.stop = threading.Event()
        self.workers: list[Worker] = []
        self.samples: list[tuple[float, Resources]] = []
        self._seconds = seconds
        self._commands = commands
        self._connections = connections
        self.seed = seed
        self.pause = pause
        self._began = time.monotonic()
        self._server: Dovecot | None = None
        #: The server's own port, and the proxy's.
        self.direct_port = self.port = self.tls_port = 0

    def ssl_context(self) -> ssl.SSLContext:
        assert self._server is not None
        return self._server.ssl_context

    def is_over(self) -> bool:
        return self.stop.is_set()

    def commands(self) -> int:
        return sum(worker.counts["commands"] for worker in self.workers)

    def run(self) -> None:
        """Works until the time or the number of commands is reached; `Failure` for what is not as it has to be."""
        with Dovecot() as server, _proxy(self.seed, server.port, server.tls_port) as ports:
            self._server = server
            self.direct_port = server.port
            self.port, self.tls_port = ports
            for index in range(self._connections):
                name = f"soak-{index}"
                server.add_user(name)
                self.workers.append(Worker(name, self, tls=index % 2 == 1, compresses=index % 4 >= 2))
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
                    thread.join(2 * _HANGS)
                if any(worker.failure for worker in self.workers):
                    print("the server's last words:", *server.log().splitlines()[-20:], sep="\n", flush=True)
            self._judge(before, Resources.now())

    def _watch(self) -> None:
        interval = min(30.0, self._seconds / 12)
        while not self.stop.wait(interval):
            # A hang shows where every thread stands.
            faulthandler.dump_traceback_later(5 * _HANGS)
            now = time.monotonic()
            self.samples.append((now - self._began, Resources.now()))
            print(self._line(), flush=True)
            for worker in self.workers:
                if now - worker.began > 2 * _HANGS:
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
        # What is kept on purpose, such as compiled expressions, has been kept by the middle.
        for name, allowed in _GROWTH.items():
            early = _median([getattr(used, name) for _, used in self.samples[half // 2 : half + half // 2]])
            late = _median([getattr(used, name) for _, used in self.samples[-(half // 2 + 1) :]])
            print(f"{name}: {early} around the middle, {late} at the end", flush=True)
            if late > early + allowed:
                raise Failure(f"{name} grew from {early} to {late}")

    def report(self) -> str:
        """What was done and what came of it, a line for each."""
        counts: Counter[str] = Counter()
        for worker in self.workers:
            counts.update(worker.counts)
        lines = [f"{name}: {counts[name]}" for name in sorted(counts)]
        longest = max(worker.longest for worker in self.workers)
        return "\n".join([*lines, f"seed: {self.seed}", f"longest step: {longest:.1f} s"])


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
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else str(random.SystemRandom().randrange(1_000_000))
    print(f"seed: {seed}", flush=True)
    soak = Soak(options.seconds, options.commands, options.connections, seed, options.pause)
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
