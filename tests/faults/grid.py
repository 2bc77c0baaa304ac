"""The grid of faults: the session of session.py with each kind of fault, at every byte of both sides.

``python -m tests.faults.grid`` cuts and stalls at every byte. It does the other faults at one byte in ten. ``--every 20
--seed 3`` runs a sample. `Attempt` says what each fault must lead to. The program ends with the figures, and with
status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import functools
import gc
import multiprocessing
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, IMAPClientAbortError, IMAPClientError
from tests.faults.session import DovecotSite, EmbeddedSite, ScriptedSite, Site, Visit, embedded_is_there, steps
from tests.helpers.dovecot import Dovecot
from tests.helpers.fault_proxy import Fault, FaultProxy

KINDS = ("cut", "reset", "half-close", "stall", "silence", "delay", "dribble", "garbage")
#: After these faults the session continues. It must return the same values as without a fault.
HARMLESS = frozenset(("delay", "dribble"))
#: The read timeouts in seconds. Only a stall reaches its timeout.
PATIENCE = {"stall": 0.5, "silence": 0.5}
_PATIENCE = 60


class Place(NamedTuple):
    """One place of the grid: the fault ``kind`` happens after a number of bytes in one direction."""

    site: str
    kind: str
    to_client: bool
    after: int


class Attempt:
    """One session with one fault. ``complaints`` lists what was wrong. The rules are:

    - Each call returns the same value as without a fault, or raises IMAPClientAbortError (or OSError, while the client
      connects). No call waits on a broken connection until its timeout. Only garbage may lead to other errors of IMAP,
      and to other values.
    - After that, the client is unusable, and each later call raises. It can be closed.
    - If ``append`` or ``multiappend`` report that the message was not sent, the server does not have it.
    """

    def __init__(self, site: Site, place: Place, truth: dict[str, Any]) -> None:
        self.complaints: list[str] = []
        self.place = place
        #: The step that failed, or "" if no step failed.
        self.failed = ""
        self._site = site
        self._truth = truth
        self._timeout = PATIENCE.get(place.kind, _PATIENCE)
        self._appended = 0

    def run(self) -> Attempt:
        faults = [Fault(self.place.after, self.place.kind)]
        to_client, to_server = (faults, []) if self.place.to_client else ([], faults)
        with self._site.visit() as visit:
            with FaultProxy(visit.host, visit.port, to_client=to_client, to_server=to_server) as proxy:
                error = self._attempt(visit, proxy.port)
            if self.failed.endswith("append"):
                self._look_for_message(visit, error)
        return self

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self.place}: {self.failed}: {text}")

    def _attempt(self, visit: Visit, port: int) -> BaseException | None:
        try:
            client = visit.connect(port, self._timeout)
        except (OSError, IMAPClientError) as error:
            self.failed = "connect"
            self._check_error(error)
            return error
        except BaseException as error:
            self._complain(f"connecting raised {error!r}")
            return error
        try:
            return self._go_through(client, visit.user)
        finally:
            sock = client.socket()
            client.shutdown()
            if sock.fileno() != -1:
                self._complain("the socket is open after shutdown()")

    def _go_through(self, client: IMAPClient, user: str) -> BaseException | None:
        for name, call in steps(user):
            try:
                result = call(client)
            except BaseException as error:
                self.failed = name
                self._check_error(error)
                if not isinstance(error, CommandError):
                    self._check_unusable(client)
                return error
            if result != self._truth[name] and self.place.kind != "garbage":
                self._complain(f"{name} returned {result!r} and not {self._truth[name]!r}")
            self._appended += {"append": 1, "multiappend": 2}.get(name, 0)
        return None

    def _check_error(self, error: BaseException) -> None:
        kind = self.place.kind
        documented: tuple[type[BaseException], ...] = (IMAPClientAbortError,)
        if self.failed == "connect" or kind == "garbage":
            documented = (IMAPClientError, OSError)
        elif kind == "half-close" and not self.place.to_client:
            # The server has the whole command, sees that no more will come, and may refuse it: Dovecot says
            # NO [EXPUNGEISSUED] to a COPY then.
            documented = (IMAPClientAbortError, CommandError)
        waited = isinstance(error, socket.timeout) and kind not in (*PATIENCE, "garbage")
        if kind in HARMLESS or waited or not isinstance(error, documented):
            self._complain(f"raised {error!r}")

    def _check_unusable(self, client: IMAPClient) -> None:
        if self.place.kind == "garbage" and client._imap.is_usable:
            # The bytes were parsed as an answer to the command, and the following responses are in step.
            return
        if client._imap.is_usable:
            self._complain("the client says that it is usable")
        later = (
            client.noop,
            lambda: client.search(),
            lambda: client.append("x", b"x"),
            lambda: client.idle_check(0.01),
        )
        for call in later:
            try:
                call()
            except IMAPClientAbortError:
                continue
            except BaseException as error:
                self._complain(f"a later call raised {error!r}")
            else:
                self._complain("a later call returned")

    def _look_for_message(self, visit: Visit, error: BaseException | None) -> None:
        was_sent = getattr(error, "message_sent", None)
        if was_sent is None:
            self._complain("the exception has no message_sent")
        elif self._site.keeps and not was_sent:
            client = visit.connect(visit.port, _PATIENCE)
            try:
                client.login(visit.user, "secret")
                there = client.folder_status("INBOX", "MESSAGES")[b"MESSAGES"]
                if there != self._appended:
                    self._complain(f"message_sent is False, and {there - self._appended} are there")
            finally:
                client.shutdown()


class Recording(NamedTuple):
    """A session without a fault: the value of each step, and the number of bytes in each direction."""

    truth: dict[str, Any]
    to_client: int
    to_server: int


def record(site: Site) -> Recording:
    with site.visit() as visit, FaultProxy(visit.host, visit.port) as proxy:
        client = visit.connect(proxy.port, _PATIENCE)
        try:
            truth = {name: call(client) for name, call in steps(visit.user)}
        finally:
            client.shutdown()
        return Recording(truth, *proxy.passed())


def places(site: Site, recording: Recording, every: Mapping[str, int], dice: random.Random) -> Iterator[Place]:
    """Of each kind one place in so many, by chance; with 1 each place."""
    for kind, number in every.items():
        for to_client, size in ((True, recording.to_client), (False, recording.to_server)):
            for after in range(size):
                if number == 1 or dice.random() < 1 / number:
                    yield Place(site.name, kind, to_client, after)


class Outcome(NamedTuple):
    """The result of a run: the number of places by kind, the steps that failed, and what was wrong."""

    kinds: Counter[str]
    failed: Counter[str]
    complaints: list[str]


def run(
    sites: Sequence[Site],
    every: Mapping[str, int],
    *,
    seed: int = 0,
    threads: int = 16,
    part: int = 0,
    parts: int = 1,
) -> Outcome:
    """Try the places of all sites, or one part of them. Descriptors and threads are counted before and after."""
    outcome = Outcome(Counter(), Counter(), [])
    dice = random.Random(seed)
    descriptors, alive = _descriptors(), threading.active_count()
    for site in sites:
        recording = record(site)
        if record(site).truth != recording.truth:
            outcome.complaints.append(f"{site.name}: two sessions without a fault differ")
        wanted = list(places(site, recording, every, dice))[part::parts]
        # Attempts that only wait run beside the others.
        dice.shuffle(wanted)
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for attempt in pool.map(functools.partial(_attempt, site, recording.truth), wanted):
                outcome.kinds[f"{site.name} {attempt.place.kind}"] += 1
                outcome.failed[attempt.failed or "nothing"] += 1
                outcome.complaints.extend(attempt.complaints)
    gc.collect()
    for what, before, after in (
        ("descriptors", descriptors, _descriptors()),
        ("threads", alive, threading.active_count()),
    ):
        if after > before:
            outcome.complaints.append(f"{what}: {before} before, {after} after")
    return outcome


def _attempt(site: Site, truth: dict[str, Any], place: Place) -> Attempt:
    return Attempt(site, place, truth).run()


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0


def _run_part(
    names: Sequence[str], every: Mapping[str, int], seed: int, threads: int, part: int, parts: int
) -> Outcome:
    """Run one part in its own process, with its own servers."""
    with contextlib.ExitStack() as stack:
        sites: list[Site] = []
        if "scripted" in names:
            sites.append(ScriptedSite())
        if "embedded" in names and embedded_is_there():
            sites.append(EmbeddedSite())
        tls_or_not = [tls for tls, name in ((False, "dovecot"), (True, "dovecot-tls")) if name in names]
        if tls_or_not and Dovecot.unavailable() is None:
            server = stack.enter_context(Dovecot())
            sites += [DovecotSite(server, tls=tls) for tls in tls_or_not]
        return run(sites, every, seed=seed, threads=threads, part=part, parts=parts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Break a session at every byte, in every way.")
    parser.add_argument("--every", type=int, default=1, help="cut and stall at one byte in so many, by chance")
    parser.add_argument("--others", type=int, default=10, help="the other kinds that many times as seldom")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--sites", nargs="*", default=["scripted", "embedded", "dovecot", "dovecot-tls"])
    options = parser.parse_args(arguments)
    start = time.monotonic()
    every = {kind: options.every * (1 if kind in ("cut", "stall") else options.others) for kind in options.kinds}
    total = Outcome(Counter(), Counter(), [])
    # The processes are not forked, because fork() copies the locks of threads.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        parts = [
            pool.submit(_run_part, options.sites, every, options.seed, options.threads, part, options.processes)
            for part in range(options.processes)
        ]
        for part in concurrent.futures.as_completed(parts):
            outcome = part.result()
            total.kinds.update(outcome.kinds)
            total.failed.update(outcome.failed)
            total.complaints.extend(outcome.complaints)
    for name, number in sorted(total.kinds.items()):
        print(f"{number:7} {name}")
    print("failed in:", ", ".join(f"{name} {number}" for name, number in total.failed.most_common()))
    for complaint in total.complaints[:100]:
        print(complaint)
    print(
        f"{sum(total.kinds.values())} places in {time.monotonic() - start:.0f} s, "
        f"{len(total.complaints)} not as promised"
    )
    return 1 if total.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
