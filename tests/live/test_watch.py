"""Watching a folder on real servers: events of another connection, and events during a lost connection."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.events import Bye, Expunged, FlagsChanged, FolderEvent, NewMessage, Reconnect, Reconnected
from imapclient.exceptions import IMAPClientAbortError
from imapclient.imapclient import DELETED, SEEN
from tests.helpers.clients import is_waiting_in_idle, set_read_timeout
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.live import LiveServer

_PLAIN = pytest.mark.parametrize(
    "live_server",
    [(name, "plain") for name in ("pymap", "dovecot", "cyrus", "courier")],
    ids=["pymap", "dovecot", "cyrus", "courier"],
    indirect=True,
)
_LOSSES = [
    *((name, "silence") for name in ("pymap", "dovecot", "cyrus", "courier")),
    *((name, loss) for name in ("pymap", "dovecot") for loss in ("cut", "reset")),
]
_MESSAGE = b"Subject: x\r\n\r\nx\r\n"


@contextlib.contextmanager
def other(live_server: LiveServer) -> Iterator[IMAPClient]:
    client = live_server.connect()
    client.select_folder("INBOX")
    yield client


def reconnect(live_server: LiveServer) -> Reconnect:
    return Reconnect((live_server.user, live_server.password), first_delay=0.1, max_delay=0.5)


def within_idle(
    client: IMAPClient, watching: Generator[FolderEvent, None, None], act: Callable[[], Any]
) -> FolderEvent:
    """Return the next event after ``act``, which runs while the client is in IDLE."""
    error: list[BaseException] = []

    def run() -> None:
        deadline = time.monotonic() + 60
        while not (client._imap.is_idle and is_waiting_in_idle(client)) and time.monotonic() < deadline:
            time.sleep(0.005)
        try:
            act()
        except BaseException as exc:
            error.append(exc)
            client.shutdown()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        return next(watching)
    finally:
        thread.join(60)
        assert error == []


def until(watching: Iterator[FolderEvent], kind: type[Any]) -> Any:
    for event in watching:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")


@_PLAIN
def test_what_another_connection_does_is_told(live_server: LiveServer) -> None:
    client = live_server.connect()
    first = client.append("INBOX", _MESSAGE)
    with other(live_server) as second:
        watching = client.watch("INBOX", timeout=500)
        event = within_idle(client, watching, lambda: second.append("INBOX", _MESSAGE))
        while isinstance(event, FlagsChanged):
            event = next(watching)
        assert isinstance(event, NewMessage)
        assert event.sequence_number == 2
        # The loop may use the connection.
        assert event.uid is not None
        assert client.fetch(event.uid, "RFC822.SIZE")[event.uid][b"RFC822.SIZE"] >= 10
        second.noop()
        uid = event.uid
        event = within_idle(client, watching, lambda: second.add_flags(uid, SEEN))
        while not (isinstance(event, FlagsChanged) and SEEN in event.flags):
            event = next(watching)
        assert (event.sequence_number, event.uid) == (2, uid)

        def remove() -> None:
            second.add_flags("1:*", DELETED)
            second.expunge()

        event = within_idle(client, watching, remove)
        while not isinstance(event, Expunged):
            assert isinstance(event, FlagsChanged)
            event = next(watching)
        watching.close()
    assert client.noop()[0]
    assert first.uidvalidity == client.select_folder("INBOX")[b"UIDVALIDITY"]


@_PLAIN
def test_the_generator_left_in_any_way_leaves_a_usable_connection(live_server: LiveServer) -> None:
    client = live_server.connect()
    client.append("INBOX", _MESSAGE)
    assert [e for e in client.watch("INBOX", timeout=0.3, renew=0.1) if not isinstance(e, FlagsChanged)] == []
    for event in client.watch("INBOX", uidnext=1):
        assert isinstance(event, NewMessage)
        break
    client.select_folder("INBOX")
    assert len(client.search("ALL")) == 1


@pytest.mark.parametrize(
    ("live_server", "loss"),
    [((name, "plain"), loss) for name, loss in _LOSSES],
    ids=[f"{name}-{loss}" for name, loss in _LOSSES],
    indirect=["live_server"],
)
def test_a_lost_connection(live_server: LiveServer, loss: str) -> None:
    """This includes a connection over which nothing comes for longer than the timeout."""
    with FaultProxy(live_server.host, live_server.port) as proxy, other(live_server) as second:
        second.append("INBOX", _MESSAGE)
        client = IMAPClient(proxy.host, proxy.port, ssl=False, timeout=60)
        try:
            client.login(live_server.user, live_server.password)
            watching = client.watch("INBOX", renew=0.5, timeout=500, reconnect=reconnect(live_server))

            def lose() -> None:
                getattr(proxy, loss)()
                if loss == "silence":
                    set_read_timeout(client, 1)
                # The watching client cannot receive an event for this message.
                second.append("INBOX", _MESSAGE)

            event = within_idle(client, watching, lose)
            while not isinstance(event, Reconnected):
                # pymap may send the reason why it closes a connection that its client has reset.
                assert isinstance(event, (FlagsChanged, Bye))
                event = next(watching)
            assert not event.uidvalidity_changed
            assert (event.before.exists, event.after.exists) in ((1, 1), (1, 2))
            new = until(watching, NewMessage)
            assert new.sequence_number == 2
            assert new.uid is not None
            assert new.uid >= (event.before.uidnext or 0)
            event = within_idle(client, watching, lambda: second.append("INBOX", _MESSAGE))
            if not isinstance(event, NewMessage):
                event = until(watching, NewMessage)
            assert event.sequence_number == 3
            watching.close()
            assert client.noop()[0]
        finally:
            client.shutdown()


def serving(client: IMAPClient) -> list[int]:
    """Return the processes with the server's end of the connection, by Linux's /proc."""
    ours, theirs = (address[1] for address in (client.socket().getsockname(), client.socket().getpeername()))
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [int(field.partition(":")[2], 16) for field in fields[1:3]] == [theirs, ours]:
            inodes.add(f"socket:[{fields[9]}]")
    found = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(descriptor) in inodes:
                found.add(int(descriptor.parts[2]))
    return sorted(found)


@pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="which process serves a connection is told by Linux only"
)
@pytest.mark.parametrize(
    "live_server",
    [(name, "plain") for name in ("dovecot", "cyrus", "courier")],
    ids=["dovecot", "cyrus", "courier"],
    indirect=True,
)
def test_the_servers_process_is_killed(live_server: LiveServer) -> None:
    client = live_server.connect()
    client.append("INBOX", _MESSAGE)
    watching = client.watch("INBOX", timeout=500, reconnect=reconnect(live_server))

    def kill() -> None:
        processes = serving(client)
        assert processes
        for process in processes:
            os.kill(process, signal.SIGKILL)

    event = within_idle(client, watching, kill)
    while isinstance(event, (Bye, FlagsChanged)):
        event = next(watching)
    assert isinstance(event, Reconnected)
    assert isinstance(event.cause, IMAPClientAbortError)
    with other(live_server) as second:
        event = within_idle(client, watching, lambda: second.append("INBOX", _MESSAGE))
        new = event if isinstance(event, NewMessage) else until(watching, NewMessage)
        assert new.sequence_number == 2
    watching.close()
    assert client.noop()[0]


def test_the_embedded_server_is_stopped_and_started_again() -> None:
    """The new folder has another UIDVALIDITY. The old messages and everything known about them are gone."""
    pytest.importorskip("pymap", reason="EmbeddedServer needs Python 3.11 and pymap")
    from imapclient.embedded_server import EmbeddedServer

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer({"ann": "secret"}))
        client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
        stack.callback(client.shutdown)
        client.login("ann", "secret")
        client.append("INBOX", _MESSAGE)
        watching = client.watch(
            "INBOX", timeout=500, reconnect=Reconnect(("ann", "secret"), first_delay=0.1, max_delay=0.5)
        )

        def restart() -> None:
            port = server.port
            server.stop()
            again = stack.enter_context(EmbeddedServer({"ann": "secret"}, port=port))
            again.deliver("ann", _MESSAGE)

        event = within_idle(client, watching, restart)
        while isinstance(event, (Bye, FlagsChanged)):
            event = next(watching)
        assert isinstance(event, Reconnected)
        assert event.uidvalidity_changed
        assert event.before.exists == 1
        watching.close()


@pytest.mark.parametrize("live_server", [("dovecot", "starttls")], ids=["dovecot"], indirect=True)
@pytest.mark.parametrize("by", ["constructor", "call"])
def test_compression_starttls_and_what_was_enabled_are_kept(live_server: LiveServer, by: str) -> None:
    client = live_server.connect(compress=by == "constructor")
    if by == "call":
        client.compress()
    client.enable("CONDSTORE")
    watching = client.watch("INBOX", timeout=500, reconnect=reconnect(live_server))
    before = client._imap
    event = within_idle(client, watching, lambda: client.socket().shutdown(socket.SHUT_RDWR))
    assert isinstance(event, Reconnected)
    assert client._imap is not before
    assert client._imap.is_compressed
    assert client._imap.is_tls
    assert client._imap.enabled >= {"CONDSTORE"}
    client.append("INBOX", _MESSAGE)
    assert isinstance(next(watching), NewMessage)
    watching.close()
