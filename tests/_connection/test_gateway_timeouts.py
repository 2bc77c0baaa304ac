"""Timeouts, interrupts and broken connections: what is raised, and that the connection is unusable after it."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient._connection.exchange import Command
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from tests.helpers import certificates
from tests.helpers.clients import assert_closed, assert_unusable, connected, set_read_timeout
from tests.helpers.clock import Clock
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer

READY = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] ready"
#: Seconds to read, once the client is connected.
SHORT = 0.1


# -- connecting


@pytest.mark.parametrize("timeout", [SocketTimeout(60, 0.2), SocketTimeout(None, 0.2)])
def test_a_greeting_that_never_comes(peer: PeerFactory, timeout: Any) -> None:
    server = peer("S-: * OK rea")
    with pytest.raises(socket.timeout) as caught:
        IMAPClient(server.host, server.port, ssl=False, timeout=timeout)
    assert isinstance(caught.value, IMAPClientAbortError)
    assert_closed(server)


def test_a_number_is_for_the_greeting_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(socket.timeout):
        IMAPClient("127.0.0.1", silent.getsockname()[1], ssl=False, timeout=0.2)


@pytest.mark.parametrize("timeout", [0.2, SocketTimeout(0.2, 5), SocketTimeout(0.2, None)])
def test_the_budget_for_connecting_covers_the_handshake(timeout: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(socket.timeout):
        IMAPClient("127.0.0.1", silent.getsockname()[1], ssl=True, timeout=timeout)


def test_a_handshake_that_trickles_is_within_the_budget() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                # A handshake record of 16,384 bytes that takes its time.
                connection.sendall(b"\x16\x03\x03\x40\x00")
                while not over.wait(0.05):
                    connection.sendall(b"\x02")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(socket.timeout):
            IMAPClient("127.0.0.1", listener.getsockname()[1], ssl=True, timeout=0.3)
        over.set()
        thread.join(60)


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """An address at which connecting neither succeeds nor fails: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_the_budget_for_connecting(black_hole: tuple[str, int]) -> None:
    with pytest.raises(socket.timeout):
        IMAPClient(*black_hole, ssl=False, timeout=SocketTimeout(0.3, 5))


def test_all_addresses_share_the_budget(peer: PeerFactory, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead address doesn't use up the time of those after it."""
    dead = ("127.0.0.1", 9)
    waited = clock.no_answer_from(dead)
    server = peer(READY)
    family = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    addresses = [(*family, dead), (*family, ("127.0.0.1", 1)), (*family, dead)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [*addresses, (*family, (server.host, server.port))])
    client = IMAPClient("several.example", 143, ssl=False, timeout=SocketTimeout(1000, 60))
    assert client.socket().getpeername() == (server.host, server.port)
    client.shutdown()
    # A quarter of all, and half of the rest.
    assert waited == pytest.approx([250, 375], abs=100)
    waited.clear()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [addresses[0]] * 20)
    with pytest.raises(socket.timeout):
        IMAPClient("several.example", 143, ssl=False, timeout=SocketTimeout(1000, 60))
    assert sum(waited) <= 1000


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        IMAPClient("127.0.0.1", port, ssl=False, timeout=60)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(socket.gaierror):
        IMAPClient("no-such-host.invalid", ssl=False, timeout=60)


# -- reading and writing


@pytest.mark.parametrize(
    "start",
    [
        "",
        "S-: * 1 FET",
        "S: * 1 FETCH (UID 1 BODY[] {300000}\nS-: a part of it",
        "S: * 1 FETCH (UID 1 BODY[] {30}\nS-: a part",
        "S: * 1 FETCH (UID 1 BODY[] {3}\nS-: abc",
        "S: * 1 FETCH (UID 1 BODY[] {3}",
        "S: * 1 FETCH (UID 1 BODY[] NIL)",
    ],
)
def test_a_read_timeout(peer: PeerFactory, start: str) -> None:
    server = peer(READY)
    with connected(server) as client:
        # What there is of an answer has arrived before the wait for more begins.
        server.play(start)
        set_read_timeout(client, SHORT)
        with pytest.raises(socket.timeout) as caught:
            client.fetch(1, ["BODY[]"])
        server.play("C: A1 UID FETCH 1 (BODY[])")
        assert isinstance(caught.value, IMAPClientAbortError)
        assert isinstance(caught.value, OSError)
        assert_unusable(client, caught.value)


def test_an_answer_that_comes_after_the_timeout_is_never_matched(peer: PeerFactory) -> None:
    server = peer(f"{READY}\nC: A1 UID SEARCH ALL")
    with connected(server) as client:
        set_read_timeout(client, SHORT)
        with pytest.raises(socket.timeout) as caught:
            client.search()
        server.play("S: * SEARCH 1 2 3\nS: A1 OK done")
        assert_unusable(client, caught.value)


def test_a_timeout_while_a_literal_waits(peer: PeerFactory) -> None:
    ready = READY.replace(" LITERAL+", "")
    with connected(peer(f'{ready}\nC: A1 APPEND "x" {{3}}')) as client:
        set_read_timeout(client, SHORT)
        with pytest.raises(socket.timeout) as caught:
            client.append("x", b"abc")
        assert_unusable(client, caught.value)


def test_a_server_that_stops_reading() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(READY[3:].encode() + b"\r\n")
                over.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        client = IMAPClient("127.0.0.1", listener.getsockname()[1], ssl=False, timeout=60)
        set_read_timeout(client, SHORT)
        try:
            with pytest.raises(socket.timeout) as caught:
                client.append("x", b"m" * 40_000_000)
            assert_unusable(client, caught.value)
        finally:
            over.set()
            client.shutdown()
            thread.join(60)


def test_a_slow_server_is_no_timeout(peer: PeerFactory, clock: Clock) -> None:
    """The read timeout is for each read: a server that keeps sending may take as long as it needs."""
    script: list[Any] = [f"{READY}\nC: A1 NOOP\nS-: * 1 "]
    for character in "EXISTS":
        script += [lambda: clock.forward(50), f"S-: {character}"]
    with connected(peer([*script, "S:\nS: A1 OK done"])) as client:
        assert client.noop() == (b"done", [(1, b"EXISTS")])


def test_without_a_timeout_reads_wait_for_ever(peer: PeerFactory) -> None:
    server = peer([READY, "C: A1 NOOP\nPAUSE 0.1\nS: A1 OK done"])
    with connected(server, timeout=None) as client:
        assert client.socket().gettimeout() is None
        client.noop()
        assert client.socket().getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_the_socket_waits_as_long_as_the_read_timeout_says(peer: PeerFactory) -> None:
    script = f"{READY}\nC: A1 NOOP\nS: A1 OK done"
    with connected(peer(script), timeout=SocketTimeout(60, 67)) as client:
        assert client.socket().gettimeout() == 67
        client.noop()
        assert client.socket().gettimeout() == 67


# -- what the exceptions are


def test_a_reset(peer: PeerFactory) -> None:
    with connected(peer(f"{READY}\nC: A1 NOOP\nRESET")) as client:
        with pytest.raises(ConnectionResetError) as caught:
            client.noop()
        assert isinstance(caught.value, IMAPClientAbortError)
        assert isinstance(caught.value, IMAPClientError)
        assert caught.value.errno is not None
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        assert_unusable(client, caught.value)


def test_broken_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with certificates.server_context().wrap_socket(connection, server_side=True) as tls:
                tls.sendall(READY[3:].encode() + b"\r\n")
                tls.recv(1000)
                # A record that no key has made.
                with socket.socket(fileno=os.dup(tls.fileno())) as plain:
                    plain.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
                    with contextlib.suppress(OSError):
                        plain.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        client = IMAPClient("127.0.0.1", port, ssl_context=certificates.client_context(), timeout=60)
        try:
            with pytest.raises(ssl.SSLError) as caught:
                client.noop()
            assert isinstance(caught.value, IMAPClientAbortError)
            assert isinstance(caught.value, OSError)
            assert_unusable(client, caught.value)
        finally:
            client.shutdown()
            thread.join(60)


@pytest.mark.parametrize("end", ["CLOSE", "RESET"])
def test_the_end_between_commands(peer: PeerFactory, end: str) -> None:
    server = peer(f"{READY}\nC: A1 NOOP\nS: A1 OK done")
    with connected(server) as client:
        client.noop()
        server.play(end)
        with pytest.raises(IMAPClientAbortError) as caught:
            client.noop()
        assert_unusable(client, caught.value)


# -- interrupts


@pytest.mark.parametrize("start", ["", "S-: * 1 FET", "S: * 1 FETCH (UID 1 BODY[] {300000}\nS-: a part of it"])
def test_an_interrupted_command(peer: PeerFactory, interrupt: Callable[[], None], start: str) -> None:
    server = peer([f"{READY}\nC: A1 UID FETCH 1 (BODY[])\n{start}", interrupt])
    with connected(server) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.fetch(1, ["BODY[]"])
        assert_unusable(client, caught.value)


def test_an_interrupted_greeting(peer: PeerFactory, interrupt_reading: Callable[[int], None]) -> None:
    server: ScriptedPeer = peer(["S-: * OK rea", lambda: interrupt_reading(server.sent())])
    with pytest.raises(KeyboardInterrupt):
        IMAPClient(server.host, server.port, ssl=False, timeout=60)
    assert_closed(server)


def test_an_interrupted_handler_of_responses(peer: PeerFactory) -> None:
    """Whatever leaves an exchange half-way makes the connection unusable, not only what the socket raises."""

    def fail(response: Untagged) -> None:
        raise ZeroDivisionError

    with connected(peer(f"{READY}\nC: A1 NOOP\nS: * 1 EXISTS")) as client:
        with pytest.raises(ZeroDivisionError) as caught:
            client._imap.execute(Command(b"NOOP", handlers={b"EXISTS": fail}))
        assert_unusable(client, caught.value)


def test_an_interrupted_idle_check_loses_nothing(peer: PeerFactory, interrupt_reading: Callable[[int], None]) -> None:
    script: list[Any] = [
        f"{READY}\nC: A1 IDLE\nS: + go\nS: * 1 EXISTS\nS-: * 2 EX",
        lambda: interrupt_reading(server.sent()),
        "S: ISTS\nS: * 1 FETCH (BODY[] {100000}\nS-: " + "x" * 50_000,
        lambda: interrupt_reading(server.sent()),
        "S-: " + "y" * 50_000 + "\nS: )\nS: * 3 EXISTS\nC: DONE\nS: A1 OK done",
    ]
    received: list[Any] = []
    interrupts = 0
    server: ScriptedPeer = peer(script)
    with connected(server) as client:
        client.idle()
        while (3, b"EXISTS") not in received:
            try:
                received += client.idle_check(60)
            except KeyboardInterrupt:
                interrupts += 1
        assert client.idle_done() == (b"done", [])
    assert interrupts == 2
    body = b"x" * 50_000 + b"y" * 50_000
    assert received == [(1, b"EXISTS"), (2, b"EXISTS"), (1, b"FETCH", (b"BODY[]", body)), (3, b"EXISTS")]
