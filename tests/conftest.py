"""Fixtures for all tests: the scripted peer, and the real servers.

A server that isn't there skips its tests and says how to get it. With IMAPCLIENT_TEST_REQUIRE=all
in the environment it fails them.
"""

from __future__ import annotations

import gc
import signal
import ssl
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
from hypothesis import HealthCheck, settings

from imapclient._parsing.fast import batch_reader
from imapclient._wire.sockets import SocketTransport
from imapclient.livetest.plugin import pytest_addoption
from tests.helpers.clock import Clock
from tests.helpers.courier import Courier
from tests.helpers.cyrus import Cyrus
from tests.helpers.dovecot import Dovecot
from tests.helpers.live import SERVERS, TRANSPORTS, LiveServer, live_server_of, new_embedded, running
from tests.helpers.mail_server import MailServer
from tests.helpers.scripted_peer import PeerFactory, Script, ScriptedPeer
from tests.helpers.zones import SystemZone

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

__all__ = ["pytest_addoption"]

# A loaded machine is no failure: how long an example takes is the benchmark's business. The same examples each time: a
# change is judged by itself, not by the dice. `--hypothesis-profile=random` throws these, to look for more.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("imapclient", settings.get_profile("random"), derandomize=True)
# For one more interpreter, on which the same examples would show the same.
settings.register_profile("few", settings.get_profile("imapclient"), max_examples=10)
settings.load_profile("imapclient")

_HERE = Path(__file__).parent
# The tests of the documentation, and those of failing connections.
_ONCE = [_HERE / "docs", _HERE / "faults"]
_SERVER_FIXTURES = {"account", "courier", "cyrus", "dovecot", "embedded", "live_server", "mail_server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real server as live; as once, what has a bound of processor time, and two folders."""
    for item in items:
        if _SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())) or _HERE / "live" in item.path.parents:
            item.add_marker(pytest.mark.live)
        if item.get_closest_marker("processor_seconds") or any(folder in item.path.parents for folder in _ONCE):
            item.add_marker(pytest.mark.once)


def pytest_collection_finish() -> None:
    """Keep the thousands of tests out of the garbage collector's sight, which makes each of its runs short."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """End a test that has the marker ``processor_seconds(number)`` when this process has used so many."""
    marker = item.get_closest_marker("processor_seconds")
    if marker is None or not hasattr(signal, "setitimer"):
        return (yield)

    def end(signum: int, frame: object) -> None:
        pytest.fail(f"more than {marker.args[0]} seconds of the processor")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, marker.args[0])
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.fixture
def system_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemZone]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system can't change the time zone of a process")

    def set_zone(rule: str) -> None:
        monkeypatch.setenv("TZ", rule)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(params=[True, False], ids=["fast", "general"])
def both_fetch_paths(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test twice: with the fast path for FETCH responses and without it."""
    monkeypatch.setattr(batch_reader, "enabled", request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """`time.monotonic`, to be put forward."""
    return Clock(monkeypatch)


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """A function that raises KeyboardInterrupt in the main thread, as Ctrl-C does, called in another thread."""
    main_thread = threading.main_thread().ident or 0
    raised = threading.Event()

    def raise_it(signum: int, frame: object) -> None:
        if not raised.is_set():
            raised.set()
            raise KeyboardInterrupt

    def strike() -> None:
        raised.clear()
        while True:
            # Python acts on a signal that arrives just before a system call only after that call, or at the next one.
            signal.pthread_kill(main_thread, signal.SIGUSR1)
            if raised.wait(0.05):
                return

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        yield strike
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def interrupt_reading(interrupt: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """As `interrupt`, once the main thread has received so many bytes over a connection and waits for more.

    A read that only takes what is there, or waits for less than a second, is no such wait.
    """
    received: weakref.WeakKeyDictionary[SocketTransport, int] = weakref.WeakKeyDictionary()
    waits = threading.Condition()
    waiting: set[SocketTransport] = set()

    def watched(read: Callable[..., object]) -> Callable[..., object]:
        def wrapper(transport: SocketTransport, *arguments: Any) -> object:
            timeout = arguments[-1]
            if threading.current_thread() is not threading.main_thread():
                return read(transport, *arguments)
            with waits:
                received.setdefault(transport, 0)
                if timeout is None or timeout >= 1:
                    waiting.add(transport)
                    waits.notify()
            try:
                count = read(transport, *arguments)
                received[transport] += len(arguments[0][-1]) if count is None else count  # type: ignore[operator]
                return count
            finally:
                waiting.discard(transport)

        return wrapper

    for name in ("recv", "recv_into"):
        monkeypatch.setattr(SocketTransport, name, watched(getattr(SocketTransport, name)))

    def strike(size: int) -> None:
        with waits:
            assert waits.wait_for(lambda: any(received[transport] >= size for transport in tuple(waiting)), 60)
        interrupt()

    return strike


@pytest.fixture(autouse=True)
def _no_peer_left() -> Iterator[None]:
    """Fail a test that leaves a scripted peer's thread and sockets behind, and end these."""
    yield
    left = sorted(ScriptedPeer.running, key=lambda peer: peer.port)
    for peer in left:
        peer.close()
    assert not left, f"{len(left)} scripted peers were left running"


@pytest.fixture
def peer() -> Iterator[PeerFactory]:
    """Start scripted peers: ``peer(script)`` takes the arguments of ScriptedPeer and returns it.

    A test may use it as a context manager; else its script is checked at the end of the test.
    """
    peers: list[ScriptedPeer] = []

    def start(
        script: Script = "",
        *,
        tls_context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        chunk: int = 0,
        timeout: float = 60.0,
    ) -> ScriptedPeer:
        started = ScriptedPeer(
            script,
            tls_context=tls_context,
            implicit_tls=implicit_tls,
            chunk=chunk,
            timeout=timeout,
        )
        peers.append(started)
        return started

    yield start
    failures = []
    for started in peers:
        # A peer that was used as a context manager has reported already.
        if started in ScriptedPeer.running:
            started.close()
            if started.failure is not None:
                failures.append(started.failure)
    if failures:
        raise AssertionError("\n".join(failures))


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot; `Dovecot.add_user` gives a test a mailbox of its own."""
    yield from running(Dovecot)


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    """A running Cyrus; `Cyrus.add_user` gives a test a mailbox of its own."""
    yield from running(Cyrus)


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    """A running Courier; `Courier.add_user` gives a test a mailbox of its own."""
    yield from running(Courier)


@pytest.fixture(params=["dovecot", "cyrus", "courier"])
def mail_server(request: pytest.FixtureRequest) -> MailServer:
    """Each real server that is a program of its own."""
    server: MailServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServer]:
    """A running EmbeddedServer with TLS and STARTTLS; what one test leaves, the next one sees."""
    users = {"alice": "secret", "bob": "secret", "ops": "secret", "uni": 'pässwörd "q"'}
    with new_embedded(users) as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param((server, transport), id=f"{server}-{transport}") for server in SERVERS for transport in TRANSPORTS
    ]
)
def live_server(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """Each real server over each transport, with a new user whose mailbox is empty."""
    with live_server_of(request, *request.param) as live:
        yield live
