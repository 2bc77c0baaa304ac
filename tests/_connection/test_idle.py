"""IDLE over the wire: waiting, partial lines, the end of it, selectors."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    ProtocolError,
)
from tests.helpers import certificates
from tests.helpers.clients import connected, set_read_timeout
from tests.helpers.scripted_peer import PeerFactory, SendBytes

READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE] ready"
IDLING = f"{READY}\nC: A1 IDLE\nS: + idling\n"


def collect(client: IMAPClient, count: int) -> list[Any]:
    """What idle_check returns until there are ``count`` items."""
    received: list[Any] = []
    deadline = time.monotonic() + 60
    while len(received) < count:
        assert time.monotonic() < deadline, received
        received += client.idle_check(1)
    return received


def test_from_beginning_to_end(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        S: * OK Still here
        S: * 1 EXISTS
        S: * 1 FETCH (FLAGS (\\Seen Work))
        S: * 1 EXPUNGE
        C: DONE
        S: A1 OK Idle completed
        C: A2 NOOP
        S: A2 OK done
        C: A3 IDLE
        S: + again
        S: * 2 EXISTS
        C: DONE
        S: A3 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert collect(client, 4) == [
            (b"OK", b"Still here"),
            (1, b"EXISTS"),
            (1, b"FETCH", (b"FLAGS", (b"\\Seen", b"Work"))),
            (1, b"EXPUNGE"),
        ]
        assert client.idle_done() == (b"Idle completed", [])
        client.noop()
        client.idle()
        assert collect(client, 1) == [(2, b"EXISTS")]
        client.idle_done()


def test_needs_the_capability(peer: PeerFactory) -> None:
    with connected(peer("S: * OK [CAPABILITY IMAP4rev1] ready")) as client, pytest.raises(CapabilityError):
        client.idle()


@pytest.mark.parametrize("answer", ["NO not now", "BAD what", "OK already over"])
def test_a_refusal_leaves_the_connection_usable(peer: PeerFactory, answer: str) -> None:
    script = f"""
        {READY}
        C: A1 IDLE
        S: * 1 EXISTS
        S: A1 {answer}
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CommandError if answer[:2] != "OK" else ProtocolError) as caught:
            client.idle()
        assert not isinstance(caught.value, IMAPClientAbortError)
        with pytest.raises(IllegalStateError):
            client.idle_check(0)
        assert client.noop() == (b"done", [])


@pytest.mark.parametrize("line", ["S: * BYE going down", "CLOSE", "RESET"])
def test_the_end_in_place_of_the_start(peer: PeerFactory, line: str) -> None:
    with connected(peer(f"{READY}\nC: A1 IDLE\n{line}")) as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.idle()
        with pytest.raises(IMAPClientAbortError) as later:
            client.idle_check(1)
        assert later.value.__cause__ is caught.value


def test_only_in_idle(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        for call in (lambda: client.idle_check(0), client.idle_done):
            with pytest.raises(IllegalStateError):
                call()
        client.noop()


def test_no_command_in_idle(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        C: DONE
        S: A1 OK done
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        for call in (
            client.noop,
            client.idle,
            lambda: client.fetch(1, ["FLAGS"]),
            lambda: client.append("x", b"abc"),
            lambda: client.login("ann", "secret"),
            lambda: client.select_folder("INBOX"),
        ):
            with pytest.raises(IllegalStateError):
                call()
        client.idle_done()
        client.noop()


def test_logout_ends_idle(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        C: DONE
        S: * 1 EXISTS
        S: A1 OK done
        C: A2 LOGOUT
        S: * BYE bye
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.logout() == b"bye"


def test_leaving_the_with_block_ends_idle(peer: PeerFactory) -> None:
    server = peer(f"{IDLING}\nC: DONE\nS: A1 OK done\nC: A2 LOGOUT\nS: * BYE bye\nS: A2 OK done")
    with IMAPClient(server.host, server.port, ssl=False, timeout=60) as client:
        client.idle()
    server.wait()


# -- waiting


@pytest.mark.parametrize("timeout", [0, 0.2])
def test_nothing_comes(peer: PeerFactory, timeout: float) -> None:
    with connected(peer(IDLING)) as client:
        client.idle()
        assert client.idle_check(timeout) == []
        assert client.idle_check(timeout=timeout) == []


def test_the_read_timeout_is_not_for_idle_check(peer: PeerFactory) -> None:
    with connected(peer(f"{IDLING}\nPAUSE 0.1\nS: * 1 EXISTS")) as client:
        client.idle()
        set_read_timeout(client, 0.01)
        assert client.idle_check() == [(1, b"EXISTS")]
        assert client.idle_check(0.05) == []
        assert client.idle_check(0) == []


@pytest.mark.parametrize("tls", [False, True])
def test_within_its_timeout_although_bytes_trickle_in(peer: PeerFactory, tls: bool) -> None:
    def trickle() -> Iterator[bytes]:
        yield b"* OK "
        while True:
            time.sleep(0.05)
            yield b"x"

    server = peer(
        [IDLING, SendBytes(trickle())],
        tls_context=certificates.server_context() if tls else None,
        implicit_tls=tls,
    )
    options = {"ssl": True, "ssl_context": certificates.client_context()} if tls else {}
    with connected(server, **options) as client:
        client.idle()
        assert client.idle_check(0.2) == []
        assert client.idle_check(0) == []


def test_a_literal_that_trickles_in(peer: PeerFactory) -> None:
    def trickle() -> Iterator[bytes]:
        yield b"* 1 FETCH (BODY[] {1000000}\r\n"
        while True:
            time.sleep(0.05)
            yield b"x" * 100

    with connected(peer([IDLING, SendBytes(trickle())])) as client:
        client.idle()
        assert client.idle_check(0.2) == []


def test_an_endless_stream_is_within_the_timeout(peer: PeerFactory) -> None:
    server = peer([IDLING, SendBytes(itertools.repeat(b"* 5 EXISTS\r\n" * 100))])
    with connected(server) as client:
        client.idle()
        for timeout in (0, 0.2, 3600):
            assert set(client.idle_check(timeout)) <= {(5, b"EXISTS")}


def test_an_endless_line_is_within_the_timeout(peer: PeerFactory) -> None:
    def endless() -> Iterator[bytes]:
        yield b"* OK "
        while True:
            # So that the limit of a line stays far away.
            time.sleep(0.001)
            yield b"x" * 10_000

    server = peer([IDLING, SendBytes(endless())])
    with connected(server) as client:
        client.idle()
        assert client.idle_check(0.2) == []
        assert client.idle_check(0) == []


# -- what was received already


def test_lines_that_came_with_the_continuation_request(peer: PeerFactory) -> None:
    script = rf"""
        {READY}
        C: A1 IDLE
        Sx: + idling\r\n* 1 EXISTS\r\n* 2 EXISTS
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.idle_check(0) == [(1, b"EXISTS"), (2, b"EXISTS")]


def test_lines_before_the_continuation_request(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 IDLE
        S: * 1 EXISTS
        S: + idling
        C: DONE
        S: * 2 EXISTS
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.idle_check(0) == [(1, b"EXISTS")]
        assert client.idle_done() == (b"done", [(2, b"EXISTS")])


def test_idle_done_returns_responses_that_were_not_checked(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        S: * 1 EXISTS
        S: * 1 FETCH (BODY[] {{3}}
        S-: abc
        S: )
        C: DONE
        S: * 2 EXISTS
        S: A1 OK [X] done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.idle_done() == (
            b"[X] done",
            [(1, b"EXISTS"), (1, b"FETCH", (b"BODY[]", b"abc")), (2, b"EXISTS")],
        )


def test_a_line_in_several_parts(peer: PeerFactory) -> None:
    server = peer(IDLING)
    with connected(server) as client:
        client.idle()
        for part in (b"*", b" 1 EX", b"ISTS\r"):
            server.send(part)
            assert client.idle_check(0.05) == []
        server.send(b"\n* 2 EXI")
        assert client.idle_check(60) == [(1, b"EXISTS")]
        server.send(b"STS\r\n")
        assert client.idle_check(60) == [(2, b"EXISTS")]


def test_a_literal_in_several_parts(peer: PeerFactory) -> None:
    server = peer(IDLING)
    with connected(server) as client:
        client.idle()
        for part in (b"* 1 FETCH (BODY[] {70", b"000}\r", b"\n", b"x" * 69_999, b"y", b" FLAGS ("):
            server.send(part)
            assert client.idle_check(0.05) == []
        server.send(b"))\r\n")
        assert collect(client, 1) == [(1, b"FETCH", (b"BODY[]", b"x" * 69_999 + b"y", b"FLAGS", ()))]


def test_a_part_of_a_line_does_not_get_lost_with_idle_done(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        S-: * 1 EXI
        C: DONE
        S: STS
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.idle_check(0.1) == []
        assert client.idle_done() == (b"done", [(1, b"EXISTS")])


def test_an_odd_line_loses_no_others(peer: PeerFactory) -> None:
    script = rf"""
        {IDLING}
        Sx: * 1 EXISTS\r\n* 1 FETCH (FLAGS\r\n* 2 EXISTS
        C: DONE
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        received: list[Any] = []
        for _ in range(3):
            with contextlib.suppress(ProtocolError):
                received += client.idle_check(0.2)
        with contextlib.suppress(ProtocolError):
            received += client.idle_done()[1]
        assert [item for item in received if item[1] == b"EXISTS"] == [(1, b"EXISTS"), (2, b"EXISTS")]


@pytest.mark.parametrize("tls", [False, True])
def test_a_selector_that_is_asked_after_idle_check(peer: PeerFactory, tls: bool) -> None:
    """The loop that the documentation shows sees all lines, those buffered by us or by TLS too."""
    count = 4000
    lines = b"".join(b"* %d EXISTS\r\n" % number for number in range(count))
    server = peer(
        [IDLING, SendBytes(lines)],
        tls_context=certificates.server_context() if tls else None,
        implicit_tls=tls,
    )
    options = {"ssl": True, "ssl_context": certificates.client_context()} if tls else {}
    with connected(server, **options) as client, selectors.DefaultSelector() as selector:
        client.idle()
        selector.register(client.socket(), selectors.EVENT_READ)
        received: list[Any] = []
        while len(received) < count:
            found = client.idle_check(0)
            received += found
            if not found:
                assert selector.select(60), "the selector doesn't see what is left"
        assert received == [(number, b"EXISTS") for number in range(count)]
        assert selector.select(0) == []


def test_more_than_1024_open_files(peer: PeerFactory) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the system allows no more than {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    server = peer(f"{IDLING}\nPAUSE 0.1\nS: * 1 EXISTS\nC: DONE\nS: A1 OK done")
    opened: list[int] = []
    try:
        while not opened or opened[-1] < 1100:
            opened.append(os.dup(0))
        with connected(server) as client:
            assert client.socket().fileno() > 1024
            client.idle()
            assert client.idle_check(60) == [(1, b"EXISTS")]
            assert client.idle_check(0.1) == []
            assert client.idle_done() == (b"done", [])
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- the end


@pytest.mark.parametrize(
    ("end", "message"),
    [("S: * BYE going down", "going down"), ("CLOSE", "closed"), ("S: nonsense", "nonsense"), ("S: Z9 OK x", "Z9")],
)
def test_what_came_before_the_end_is_returned_first(peer: PeerFactory, end: str, message: str) -> None:
    server = peer(f"{IDLING}\nS: * 1 EXISTS\nS: * 2 EXISTS\n{end}")
    with connected(server) as client:
        client.idle()
        server.wait()
        assert collect(client, 2) == [(1, b"EXISTS"), (2, b"EXISTS")]
        with pytest.raises(IMAPClientAbortError, match=message) as caught:
            client.idle_check(60)
        first_cause = caught.value.__cause__ or caught.value
        for call in (client.idle_done, client.noop, lambda: client.idle_check(60)):
            with pytest.raises(IMAPClientAbortError, match=message) as later:
                call()
            assert later.value.__cause__ is first_cause


def test_a_reset_in_idle(peer: PeerFactory) -> None:
    server = peer(IDLING)
    with connected(server) as client:
        client.idle()
        server.play("RESET")
        with pytest.raises(ConnectionResetError) as caught:
            client.idle_check(60)
        assert isinstance(caught.value, IMAPClientAbortError)


@pytest.mark.parametrize("answer", ["OK that was long enough", "NO more of this", "BAD timeout"])
def test_the_server_ends_idle_by_itself(peer: PeerFactory, answer: str) -> None:
    with connected(peer(f"{IDLING}\nS: * 1 EXISTS\nS: A1 {answer}")) as client:
        client.idle()
        assert collect(client, 1) == [(1, b"EXISTS")]
        with pytest.raises(IMAPClientAbortError):
            client.idle_check(60)
        with pytest.raises(IMAPClientAbortError):
            client.idle_done()


def test_idle_done_if_the_server_has_just_ended_idle(peer: PeerFactory) -> None:
    """DONE and the server's own end cross: nothing hangs, and the responses before are returned."""
    script = rf"""
        {READY}
        C: A1 IDLE
        Sx: + idling\r\n* 1 EXISTS
        S: A1 OK long enough
        C: DONE
    """
    with connected(peer(script)) as client:
        client.idle()
        assert client.idle_done() == (b"long enough", [(1, b"EXISTS")])


@pytest.mark.parametrize("answer", ["NO sorry", "BAD DONE?"])
def test_idle_done_is_refused(peer: PeerFactory, answer: str) -> None:
    script = f"""
        {IDLING}
        C: DONE
        S: A1 {answer}
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        with pytest.raises(CommandError):
            client.idle_done()
        client.noop()


def test_idle_done_gives_up_at_the_read_timeout(peer: PeerFactory) -> None:
    with connected(peer(f"{IDLING}\nC: DONE")) as client:
        client.idle()
        set_read_timeout(client, 0.1)
        with pytest.raises(socket.timeout) as caught:
            client.idle_done()
        with pytest.raises(IMAPClientAbortError) as later:
            client.noop()
        assert later.value.__cause__ is caught.value


def test_idle_done_gives_up_although_the_server_goes_on(peer: PeerFactory) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b"* OK Still here\r\n"

    server = peer([f"{IDLING}\nC: DONE", SendBytes(endless())])
    with connected(server) as client:
        client.idle()
        set_read_timeout(client, 0.2)
        with pytest.raises(socket.timeout):
            client.idle_done()


def test_idle_done_gives_up_in_a_flood(peer: PeerFactory) -> None:
    server = peer([f"{IDLING}\nC: DONE", SendBytes(itertools.repeat(b"* 5 EXISTS\r\n" * 500))])
    with connected(server) as client:
        client.idle()
        set_read_timeout(client, 0.2)
        with pytest.raises(socket.timeout):
            client.idle_done()


@pytest.mark.parametrize("end", ["S: * BYE going down", "CLOSE"])
def test_the_end_while_idle_done_waits(peer: PeerFactory, end: str) -> None:
    with connected(peer(f"{IDLING}\nS: * 1 EXISTS\nC: DONE\n{end}")) as client:
        client.idle()
        with pytest.raises(IMAPClientAbortError):
            client.idle_done()
        # Responses from before are not lost.
        assert client.idle_check(0) == [(1, b"EXISTS")]
        with pytest.raises(IMAPClientError):
            client.idle_check(0)


def test_a_continuation_request_in_idle_is_passed_over(peer: PeerFactory) -> None:
    script = f"""
        {IDLING}
        S: + still idling
        S: * 1 EXISTS
        C: DONE
        S: + eh
        S: A1 OK done
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.idle()
        assert collect(client, 1) == [(1, b"EXISTS")]
        assert client.idle_done() == (b"done", [])
        client.noop()


def test_a_command_of_another_thread_while_one_waits(peer: PeerFactory) -> None:
    """It raises once the waiting call is over, because the connection is in IDLE. Nothing is sent."""
    server = peer(IDLING)
    errors: list[Exception] = []
    with connected(server) as client:
        client.idle()

        def work() -> None:
            try:
                client.noop()
            except IMAPClientError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        assert client.idle_check(0.3) == []
        thread.join(60)
        assert [type(error) for error in errors] == [IllegalStateError]
