"""Clients of a scripted peer, and checks of a client whose connection has failed."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError
from tests.helpers.scripted_peer import ScriptedPeer


@contextlib.contextmanager
def connected(peer: ScriptedPeer, timeout: Any = 60, **options: Any) -> Iterator[IMAPClient]:
    """Yield a client of the peer, without TLS by default. It is closed at the end, without LOGOUT."""
    client = IMAPClient(peer.host, peer.port, timeout=timeout, **{"ssl": False, **options})
    try:
        yield client
    finally:
        client.shutdown()


def is_waiting_in_idle(client: IMAPClient) -> bool:
    """Whether a thread waits for the server in IDLE now."""
    listening: Any = client._imap._idle._in_use
    return bool(listening.locked())


def set_read_timeout(client: IMAPClient, seconds: float) -> None:
    """Set the read timeout of the next commands. Greeting and login were under the client's own timeout."""
    imap = client._imap
    imap.socket_timeout = imap._exchange.timeout = SocketTimeout(imap.socket_timeout.connect, seconds)
    imap._exchange.reader.timeout = seconds


def assert_closed(peer: ScriptedPeer) -> None:
    """Check that the client sent only what is in the script, and closed the connection."""
    with pytest.raises(AssertionError, match=r"the client closed the connection|the client's connection broke"):
        peer.expect(b"anything")
    peer.failure = None


def assert_unusable(client: IMAPClient, cause: BaseException) -> None:
    """Check that each later call raises at once, with the first cause chained. The peer's script shows that they send
    nothing.
    """
    calls: list[Callable[[], object]] = [
        client.noop,
        lambda: client.select_folder("x"),
        lambda: client.append("x", b"abc"),
        client.idle_check,
        client.idle_done,
        client._imap.noop,
        client.logout,
    ]
    for call in calls:
        with pytest.raises(IMAPClientAbortError) as caught:
            call()
        assert caught.value.__cause__ is cause
    client.shutdown()
    with pytest.raises(IMAPClientAbortError) as after_shutdown:
        client.noop()
    assert after_shutdown.value.__cause__ is cause


@contextlib.contextmanager
def memory_peak(limit: int) -> Iterator[None]:
    """Check that the body never holds more than ``limit`` allocated bytes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        yield
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < limit
