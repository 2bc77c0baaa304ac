"""One client used from several threads: what one does never gets into what another one does."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient._connection.queues import UnsolicitedQueue
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import IllegalStateError, IMAPClientAbortError
from tests.helpers.clients import connected, is_waiting_in_idle
from tests.helpers.scripted_peer import PeerFactory, Script

READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] ready"
_PATIENCE = 60


class Other:
    """Another thread, for a script: ``other.calls(f)`` starts f there and gives it time to get to where it waits."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.result: Future[Any] = Future()

    def calls(self, function: Callable[[], Any]) -> Callable[[], None]:
        def start() -> None:
            self.result = self._pool.submit(function)
            # That it waits by now can't be seen from outside; if it doesn't, the test proves less and passes.
            time.sleep(0.1)

        return start


@pytest.fixture
def other() -> Iterator[Other]:
    with ThreadPoolExecutor() as pool:
        yield Other(pool)


# -- IDLE holds the connection


def _calls(client: IMAPClient) -> list[Callable[[], object]]:
    return [
        client.noop,
        client.idle,
        client.idle_check,
        client.idle_done,
        client.capabilities,
        lambda: client.select_folder("x"),
        lambda: client.fetch(1, "FLAGS"),
        lambda: client.append("x", b"abc"),
        lambda: client.move([1], "x"),
    ]


def test_calls_of_other_threads_in_idle_are_refused_at_once(peer: PeerFactory) -> None:
    """The one that idles waits without end: a call that waited for it would never come back."""
    refused = threading.Event()
    script: Script = [
        f"{READY}\nC: A1 IDLE\nS: + idling",
        lambda: None if refused.wait(_PATIENCE) else b"",
        "S: * 1 EXISTS\nC: DONE\nS: A1 OK done",
    ]
    with connected(peer(script)) as client, ThreadPoolExecutor() as pool:
        client.idle()
        waiting = pool.submit(client.idle_check)
        while not is_waiting_in_idle(client):
            time.sleep(0.001)
        for call in _calls(client):
            if call == client.capabilities:
                assert call() == (b"IMAP4REV1", b"IDLE", b"UIDPLUS")
                continue
            with pytest.raises(IllegalStateError, match=r"in IDLE: call idle_done|another thread waits in idle_check"):
                call()
        refused.set()
        assert waiting.result(_PATIENCE) == [(1, b"EXISTS")]
        assert client.idle_done() == (b"done", [])


def test_a_call_that_waits_as_idle_begins_is_refused_then(peer: PeerFactory, other: Other) -> None:
    holder: list[IMAPClient] = []

    def noop() -> None:
        try:
            holder[0].noop()
        finally:
            refused.set()

    refused = threading.Event()
    script: Script = [
        f"{READY}\nC: A1 IDLE",
        other.calls(noop),
        "S: + idling",
        lambda: None if refused.wait(_PATIENCE) else b"",
        "S: * 1 EXISTS\nC: DONE\nS: A1 OK done",
    ]
    with connected(peer(script)) as client:
        holder.append(client)
        client.idle()
        assert client.idle_check(_PATIENCE) == [(1, b"EXISTS")]
        with pytest.raises(IllegalStateError, match="in IDLE"):
            other.result.result(_PATIENCE)
        client.idle_done()


def test_a_call_that_waits_for_the_end_of_idle_goes_on_after_it(peer: PeerFactory, other: Other) -> None:
    """IDLE is over for the server, though not for the client yet: the command is sent, or refused, and never lost."""
    holder: list[IMAPClient] = []
    script: Script = [
        f"{READY}\nC: A1 IDLE\nS: + idling\nC: DONE",
        other.calls(lambda: holder[0].noop()),
        "S: A1 OK done\nC: A2 NOOP\nS: A2 OK done",
    ]
    with connected(peer(script)) as client:
        holder.append(client)
        client.idle()
        client.idle_done()
        with contextlib.suppress(IllegalStateError):
            other.result.result(_PATIENCE)
            return
        client.noop()


@pytest.mark.parametrize("logout", [True, False])
def test_closing_by_another_thread_ends_the_wait(peer: PeerFactory, logout: bool) -> None:
    with connected(peer(f"{READY}\nC: A1 IDLE\nS: + idling")) as client, ThreadPoolExecutor() as pool:
        client.idle()
        waiting = pool.submit(client.idle_check)
        while not is_waiting_in_idle(client):
            time.sleep(0.001)
        if logout:
            with pytest.raises(IllegalStateError, match="another thread"):
                client.logout()
        else:
            client.shutdown()
        with pytest.raises(IMAPClientAbortError):
            waiting.result(_PATIENCE)
        with pytest.raises(IMAPClientAbortError):
            client.noop()


# -- what belongs together


def test_nothing_comes_between_the_steps_of_a_move(peer: PeerFactory, other: Other) -> None:
    """Another folder selected in between would have its messages removed: UIDs mean others there."""
    holder: list[IMAPClient] = []
    script: Script = [
        f'{READY}\nC: A1 UID FETCH 5 (UID)\nS: * 1 FETCH (UID 5)\nS: A1 OK x\nC: A2 UID COPY 5 "x"',
        other.calls(lambda: holder[0].select_folder("y")),
        r"""
        S: A2 OK x
        C: A3 UID STORE 5 +FLAGS.SILENT (\Deleted)
        S: A3 OK x
        C: A4 UID EXPUNGE 5
        S: A4 OK x
        C: A5 SELECT "y"
        S: * 3 EXISTS
        S: A5 OK x
        """,
    ]
    with connected(peer(script)) as client:
        holder.append(client)
        client.move(5, "x")
        assert other.result.result(_PATIENCE) == {b"EXISTS": 3}


def test_nothing_comes_between_the_parts_of_a_long_set(peer: PeerFactory, other: Other) -> None:
    holder: list[IMAPClient] = []
    ids = range(1000000, 1002002, 2)
    script: Script = [
        f"{READY}\nC: A1 UID FETCH {','.join(map(str, ids[:1000]))} (FLAGS)\nS: * 1 FETCH (UID 1000000 FLAGS (a))",
        other.calls(lambda: holder[0].select_folder("y")),
        f"""
        S: A1 OK x
        C: A2 UID FETCH {ids[1000]} (FLAGS)
        S: * 2 FETCH (UID 1002000 FLAGS (b))
        S: A2 OK x
        C: A3 SELECT "y"
        S: A3 OK x
        """,
    ]
    with connected(peer(script)) as client:
        holder.append(client)
        assert {uid: data[b"FLAGS"] for uid, data in client.fetch(ids, "FLAGS").items()} == {
            1000000: (b"a",),
            1002000: (b"b",),
        }
        other.result.result(_PATIENCE)


def test_a_command_during_an_authentication_waits(peer: PeerFactory, other: Other) -> None:
    holder: list[IMAPClient] = []
    script: Script = [
        f"{READY}\nC: A1 AUTHENTICATE X-MINE\nS: +",
        other.calls(lambda: holder[0].noop()),
        "C: eA==\nS: A1 OK [CAPABILITY IMAP4rev1] x\nC: A2 NOOP\nS: A2 OK done",
    ]

    def answer(challenge: bytes) -> bytes:
        # Only now: the other thread is to wait while the exchange is half done.
        deadline = time.monotonic() + _PATIENCE
        while not other.result.running() and time.monotonic() < deadline:
            time.sleep(0.001)
        return b"x"

    with connected(peer(script)) as client:
        holder.append(client)
        client.sasl_login("X-MINE", answer)
        assert other.result.result(_PATIENCE) == (b"done", [])


# -- what nobody asked for


def test_each_unsolicited_response_is_told_once_by_one_thread_at_a_time(peer: PeerFactory) -> None:
    threads, each = 8, 40
    script = [READY, *(f'C: A{n} CREATE "x"\nS: * {n} EXISTS\nS: A{n} OK x' for n in range(1, threads * each + 1))]
    heard: list[Any] = []
    at_once: list[Any] = []
    inside = threading.Lock()

    def listen(item: Any) -> None:
        if not inside.acquire(blocking=False):
            at_once.append(item)
            return
        try:
            heard.append(item)
        finally:
            inside.release()

    with connected(peer(script), on_unsolicited=listen) as client, ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(lambda: [client.create_folder("x") for _ in range(each)]) for _ in range(threads)]
        for future in done:
            future.result(60)
        assert len(client._imap.unsolicited) == 0
    assert at_once == []
    # In the order in which the server told them.
    assert heard == [(number, b"EXISTS") for number in range(1, threads * each + 1)]


def test_the_callback_may_wait_for_another_threads_command(peer: PeerFactory, other: Other) -> None:
    """It holds nothing that the other thread needs."""
    script = f'{READY}\nC: A1 CREATE "x"\nS: * 4 EXISTS\nS: A1 OK x\nC: A2 NOOP\nS: A2 OK done'
    results: list[Any] = []
    with connected(peer(script)) as client:

        def listen(item: Any) -> None:
            other.calls(client.noop)()
            results.append(other.result.result(_PATIENCE))

        client.on_unsolicited = listen
        client.create_folder("x")
    assert results == [(b"done", [])]


def test_the_queue_under_threads() -> None:
    queue = UnsolicitedQueue(max_responses=50)
    taken: list[Untagged] = []
    stop = threading.Event()

    def add() -> None:
        for number in range(2000):
            queue.append(Untagged(b"EXISTS", number, b"* 1 EXISTS", 10, None))

    def take() -> None:
        while not stop.is_set() or queue:
            with contextlib.suppress(IndexError):
                taken.append(queue.popleft())
            assert len(list(queue)) <= 50

    with ThreadPoolExecutor() as pool:
        takers = [pool.submit(take) for _ in range(2)]
        for adder in [pool.submit(add) for _ in range(2)]:
            adder.result(60)
        stop.set()
        for taker in takers:
            taker.result(60)
    assert len(taken) + queue.dropped == 4000
    queue.append(Untagged(b"EXISTS", 1, b"* 1 EXISTS", 10, None))
    assert queue._size == len(b"* 1 EXISTS")


def test_capabilities_are_asked_for_once(peer: PeerFactory) -> None:
    script = "S: * OK ready\nC: A1 CAPABILITY\nPAUSE 0.1\nS: * CAPABILITY IMAP4rev1 X\nS: A1 OK done"
    with connected(peer(script)) as client, ThreadPoolExecutor(8) as pool:
        found = [pool.submit(client.capabilities) for _ in range(8)]
        assert {future.result(_PATIENCE) for future in found} == {(b"IMAP4REV1", b"X")}
