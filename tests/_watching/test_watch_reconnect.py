"""Watching a folder over several connections: what is kept, what is told, and when it gives up."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient._parsing.records import Limits
from imapclient.events import Bye, Expunged, FolderState, NewMessage, Reconnect, Reconnected
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    LoginError,
    UnavailableError,
)
from imapclient.sasl import Plain
from tests.helpers import certificates
from tests.helpers.clock import Clock
from tests.helpers.scripted_peer import PeerFactory, Script, ScriptedPeer

_CAPABILITIES = "IMAP4rev1 IDLE ENABLE AUTH=PLAIN SASL-IR"
_HELLO = f"S: * OK [CAPABILITY {_CAPABILITIES}] ready\n"
_LOGIN = f'C: A1 LOGIN "ann" "s3cret"\nS: A1 OK [CAPABILITY {_CAPABILITIES}] in\n'
_FIRST_SELECT = """
    C: A2 SELECT "INBOX"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 5] x
    S: * OK [UIDNEXT 104] x
    S: * OK [HIGHESTMODSEQ 70] x
    S: A2 OK [READ-WRITE] Done
"""
_FIRST = _HELLO + _LOGIN + _FIRST_SELECT + "C: A3 IDLE\nS: +\n"
_BEFORE = FolderState(exists=3, uidvalidity=5, uidnext=104, highestmodseq=70)
_AGAIN = """
    C: A2 SELECT "INBOX"
    S: * 4 EXISTS
    S: * OK [UIDVALIDITY 5] x
    S: * OK [UIDNEXT 107] x
    S: * OK [HIGHESTMODSEQ 90] x
    S: A2 OK [READ-WRITE] Done
    C: A3 UID SEARCH UID 104:*
    S: * SEARCH 105 106
    S: A3 OK Done
"""
_AFTER = FolderState(exists=4, uidvalidity=5, uidnext=107, highestmodseq=90)
_NEW = "C: A4 FETCH 3:4 (UID)\nS: * 3 FETCH (UID 105)\nS: * 4 FETCH (UID 106)\nS: A4 OK Done\n"
_GONE = "C: A5 IDLE\nS: +\nS: * 1 EXPUNGE\nC: DONE\nS: A5 OK x\n"

_RECONNECT = Reconnect(("ann", "s3cret"), first_delay=0, max_delay=0)


def connect(server: Any, **options: Any) -> IMAPClient:
    client = IMAPClient(server.host, server.port, **{"ssl": False, "timeout": 60, **options})
    if "tls" not in options:
        client.login("ann", "s3cret")
    return client


@pytest.mark.parametrize(
    "end", ["S: * BYE [UNAVAILABLE] Going down\nCLOSE", "CLOSE", "RESET", "S: A3 OK Enough\nCLOSE"]
)
def test_what_may_have_been_missed(peer: PeerFactory, end: str) -> None:
    server = peer(f"{_FIRST}{end}\nACCEPT\n{_HELLO}{_LOGIN}{_AGAIN}{_NEW}{_GONE}C: A6 NOOP\nS: A6 OK Done")
    client = connect(server)
    watching = client.watch("INBOX", reconnect=_RECONNECT)
    event = next(watching)
    if "BYE" in end:
        assert event == Bye("Going down", (b"UNAVAILABLE", ()))
        event = next(watching)
    assert isinstance(event, Reconnected)
    assert (event.before, event.after, event.attempts) == (_BEFORE, _AFTER, 1)
    assert isinstance(event.cause, IMAPClientAbortError)
    assert not event.uidvalidity_changed
    assert [next(watching) for _ in range(3)] == [NewMessage(3, 105), NewMessage(4, 106), Expunged(1)]
    watching.close()
    assert client.noop() == (b"Done", [])
    client.shutdown()


def test_another_uidvalidity_makes_nothing_new(peer: PeerFactory) -> None:
    again = _AGAIN.replace("UIDVALIDITY 5", "UIDVALIDITY 6")
    script = f"{_FIRST}CLOSE\nACCEPT\n{_HELLO}{_LOGIN}{again}C: A5 IDLE\nS: +\nS: * 1 EXPUNGE\nC: DONE\nS: A5 OK x"
    client = connect(peer(script))
    watching = client.watch("INBOX", reconnect=_RECONNECT)
    event = next(watching)
    assert isinstance(event, Reconnected)
    assert event.uidvalidity_changed
    assert next(watching) == Expunged(1)
    client.shutdown()


def test_what_was_told_before_the_end_is_not_lost_nor_told_twice(peer: PeerFactory) -> None:
    """A new message whose UID could no longer be learnt is told by the next connection, with its UID."""
    script = f"{_FIRST}S: * 2 EXPUNGE\nS: * 3 EXISTS\nC: DONE\nS: A3 OK x\nC: A4 FETCH 3 (UID)\nCLOSE\nACCEPT\n"
    server = peer(f"{script}{_HELLO}{_LOGIN}{_AGAIN}{_NEW}")
    client = connect(server)
    watching = client.watch("INBOX", reconnect=_RECONNECT)
    assert next(watching) == Expunged(2)
    event = next(watching)
    assert isinstance(event, Reconnected)
    assert event.before == FolderState(2, 5, 104, 70)
    assert [next(watching) for _ in range(2)] == [NewMessage(3, 105), NewMessage(4, 106)]
    client.shutdown()


def test_a_connection_that_is_lost_in_the_loop(peer: PeerFactory) -> None:
    script = f"{_FIRST}S: * 1 EXPUNGE\nC: DONE\nS: A3 OK x\nC: A4 NOOP\nCLOSE\nACCEPT\n{_HELLO}{_LOGIN}{_AGAIN}"
    client = connect(peer(script))
    watching = client.watch("INBOX", reconnect=_RECONNECT)
    assert next(watching) == Expunged(1)
    with pytest.raises(IMAPClientAbortError) as caught:
        client.noop()
    event = next(watching)
    assert isinstance(event, Reconnected)
    assert event.cause is caught.value
    client.shutdown()


# -- what is kept


def test_every_setting_is_kept(peer: PeerFactory) -> None:
    heard: list[Any] = []
    alert = "S: * OK [ALERT] Hello\n"
    examine = _AGAIN.replace("SELECT", "EXAMINE").replace("READ-WRITE", "READ-ONLY")
    first = _FIRST.replace("SELECT", "EXAMINE").replace("READ-WRITE", "READ-ONLY")
    server = peer(
        f"{first}CLOSE\nACCEPT\n{_HELLO}{_LOGIN.replace('S:', alert + 'S:', 1)}{examine}"
        "C: A4 FETCH 1 (FLAGS)\nS: * 1 FETCH (FLAGS (a))\nS: A4 OK x"
    )
    client = connect(
        server,
        use_uid=False,
        timeout=SocketTimeout(67, 68),
        max_line_length=50_000,
        max_literal_size=60_000,
        max_response_size=70_000,
        max_nesting_depth=9,
        strict=True,
        on_unsolicited=heard.append,
    )
    before = client._imap
    event = next(client.watch("INBOX", readonly=True, reconnect=_RECONNECT))
    assert isinstance(event, Reconnected)
    after = client._imap
    assert after is not before
    assert type(after) is type(before)
    assert (after.limits, after.socket_timeout) == (before.limits, before.socket_timeout)
    assert after.limits == Limits(50_000, 60_000, 70_000, 9)
    assert heard == [(b"OK", b"[ALERT] Hello")]
    assert client.fetch(1, "FLAGS")[1][b"FLAGS"] == (b"a",)
    assert client.socket() is after.sock
    assert before.sock.fileno() == -1
    client.shutdown()


def test_tls_is_kept(peer: PeerFactory) -> None:
    authority = certificates.authority()
    server = peer(
        f"{_FIRST}CLOSE\nACCEPT\n{_HELLO}{_LOGIN}{_AGAIN}",
        tls_context=authority.server_context(),
        implicit_tls=True,
    )
    client = connect(server, ssl=True, ssl_context=authority.client_context())
    assert isinstance(next(client.watch("INBOX", reconnect=_RECONNECT)), Reconnected)
    assert isinstance(client.socket(), ssl.SSLSocket)
    client.shutdown()


_CLEAR = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\n"
_STARTTLS = f"C: A1 STARTTLS\nS: A1 OK go\nTLS\nC: A2 CAPABILITY\nS: * CAPABILITY {_CAPABILITIES}\nS: A2 OK x\n"


def _numbered(script: str, by: int) -> str:
    """A script with higher numbers in its tags."""
    for number in range(9, 0, -1):
        script = script.replace(f"A{number} ", f"A{number + by} ")
    return script


@pytest.mark.parametrize("own", [True, False])
def test_starttls_is_kept(peer: PeerFactory, own: bool) -> None:
    """With the context that it was given, or the client's own."""
    authority = certificates.authority()
    context = authority.client_context()
    script = (
        f"{_CLEAR}{_STARTTLS}{_numbered(_LOGIN + _FIRST_SELECT, 2)}C: A5 IDLE\nS: +\nCLOSE\nACCEPT\n"
        f"{_CLEAR}{_STARTTLS}{_numbered(_LOGIN + _AGAIN, 2)}"
    )
    server = peer(script, tls_context=authority.server_context())
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60, ssl_context=None if own else context)
    client.starttls(context if own else None)
    client.login("ann", "s3cret")
    assert isinstance(next(client.watch("INBOX", reconnect=_RECONNECT)), Reconnected)
    assert isinstance(client.socket(), ssl.SSLSocket)
    client.shutdown()


@pytest.mark.parametrize(
    ("hello", "error"),
    [
        ("S: * OK [CAPABILITY IMAP4rev1 IDLE] ready", CapabilityError),
        ("S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE STARTTLS] in", IllegalStateError),
    ],
)
def test_no_password_goes_out_where_starttls_is_taken_away(
    peer: PeerFactory, hello: str, error: type[Exception]
) -> None:
    """By whoever sits between; the script shows that nothing is sent."""
    authority = certificates.authority()
    script = f"{_CLEAR}{_STARTTLS}{_numbered(_LOGIN + _FIRST_SELECT, 2)}C: A5 IDLE\nS: +\nCLOSE\nACCEPT\n{hello}\n"
    server = peer(script, tls_context=authority.server_context())
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    client.starttls(authority.client_context())
    client.login("ann", "s3cret")
    with pytest.raises(error):
        next(client.watch("INBOX", reconnect=_RECONNECT))
    client.shutdown()


def test_what_was_enabled_is_enabled_again(peer: PeerFactory) -> None:
    enable = "C: A2 ENABLE CONDSTORE UTF8=ACCEPT\nS: * ENABLED CONDSTORE UTF8=ACCEPT\nS: A2 OK x\n"
    first = _numbered(_FIRST_SELECT + "C: A3 IDLE\nS: +\n", 1)
    server = peer(f"{_HELLO}{_LOGIN}{enable}{first}CLOSE\nACCEPT\n{_HELLO}{_LOGIN}{enable}{_numbered(_AGAIN, 1)}")
    client = connect(server)
    client.enable("CONDSTORE", "UTF8=ACCEPT")
    assert isinstance(next(client.watch("INBOX", reconnect=_RECONNECT)), Reconnected)
    assert client._imap.is_utf8
    client.shutdown()


# -- the login


@pytest.mark.parametrize("kind", ["mechanism", "function", "preauth"])
def test_ways_to_log_in(peer: PeerFactory, kind: str) -> None:
    plain = "C: A1 AUTHENTICATE PLAIN AGFubgBzM2NyZXQ=\nS: A1 OK in\nC: A2 CAPABILITY\n"
    plain += f"S: * CAPABILITY {_CAPABILITIES}\nS: A2 OK x\n"
    calls: list[IMAPClient] = []

    def log_in(client: IMAPClient) -> None:
        calls.append(client)
        client.plain_login("ann", "s3cret")

    if kind == "preauth":
        again = f"S: * PREAUTH [CAPABILITY {_CAPABILITIES}] in\n{_AGAIN}"
        reconnect = Reconnect(None, first_delay=0)
    else:
        # The capabilities are asked for when they are needed, which is by the next IDLE.
        again = f"{_HELLO}{plain.partition('C: A2')[0]}{_AGAIN}"
        reconnect = Reconnect(Plain("ann", "s3cret") if kind == "mechanism" else log_in, first_delay=0)
    client = connect(peer(f"{_FIRST}CLOSE\nACCEPT\n{again}"))
    assert isinstance(next(client.watch("INBOX", reconnect=reconnect)), Reconnected)
    assert calls == ([client] if kind == "function" else [])
    client.shutdown()


def test_a_login_that_is_refused_is_raised(peer: PeerFactory) -> None:
    """Trying on would lock the account."""
    script = f'{_FIRST}CLOSE\nACCEPT\n{_HELLO}C: A1 LOGIN "ann" "s3cret"\nS: A1 NO [AUTHENTICATIONFAILED] No'
    client = connect(peer(script))
    with pytest.raises(LoginError) as caught:
        next(client.watch("INBOX", reconnect=_RECONNECT))
    assert "s3cret" not in str(caught.value)
    with pytest.raises(IMAPClientAbortError):
        client.noop()
    client.shutdown()


@pytest.mark.parametrize(
    "refusal",
    [
        "NO [UNAVAILABLE] Later",
        "NO [INUSE] Later",
        "NO [THROTTLED] Slowly",
        "NO [SERVERBUG] Oh",
        # Gmail
        "NO [ALERT] Too many simultaneous connections. (Failure)",
    ],
)
def test_a_login_that_is_not_possible_now_is_tried_again(peer: PeerFactory, refusal: str) -> None:
    again = f'ACCEPT\n{_HELLO}C: A1 LOGIN "ann" "s3cret"\nS: A1 {refusal}\n'
    client = connect(peer(f"{_FIRST}CLOSE\n{again}{again}ACCEPT\n{_HELLO}{_LOGIN}{_AGAIN}"))
    event = next(client.watch("INBOX", reconnect=_RECONNECT))
    assert isinstance(event, Reconnected)
    assert event.attempts == 3
    client.shutdown()


def test_the_last_error_is_raised_after_all_attempts(peer: PeerFactory, caplog: pytest.LogCaptureFixture) -> None:
    again = f'ACCEPT\n{_HELLO}C: A1 LOGIN "ann" "s3cret"\nS: A1 NO [UNAVAILABLE] Later\n'
    client = connect(peer(f"{_FIRST}CLOSE\n{again}{again}"))
    with caplog.at_level(logging.INFO, "imapclient.imapclient"), pytest.raises(UnavailableError, match="Later"):
        next(client.watch("INBOX", reconnect=Reconnect(("ann", "s3cret"), 2, first_delay=0, max_delay=0)))
    assert caplog.text.count("Could not connect again: LOGIN failed: [UNAVAILABLE] Later") == 2
    assert "s3cret" not in caplog.text
    client.shutdown()


def test_no_login_for_a_connection_that_needs_one(peer: PeerFactory) -> None:
    client = connect(peer(f"{_FIRST}CLOSE\nACCEPT\n{_HELLO}"))
    with pytest.raises(IllegalStateError, match="needs a login"):
        next(client.watch("INBOX", reconnect=Reconnect(None, first_delay=0)))
    client.shutdown()


# -- giving up


def test_a_folder_that_is_gone(peer: PeerFactory) -> None:
    gone = 'C: A2 SELECT "INBOX"\nS: A2 NO [NONEXISTENT] Deleted'
    client = connect(peer(f"{_FIRST}CLOSE\nACCEPT\n{_HELLO}{_LOGIN}{gone}"))
    with pytest.raises(CommandError, match="Deleted"):
        next(client.watch("INBOX", reconnect=_RECONNECT))
    client.shutdown()


def test_a_certificate_that_is_not_good(peer: PeerFactory) -> None:
    authority = certificates.authority()
    # Its certificate is another one's when the client comes back.
    contexts = [authority.server_context(), certificates.untrusted_authority().server_context()]
    servers: list[ScriptedPeer] = []

    def change() -> None:
        servers[0]._tls_context = contexts[1]

    server = peer([f"TLS\n{_FIRST}CLOSE", change, "ACCEPT\nTLS FAILS"], tls_context=contexts[0])
    servers.append(server)
    client = connect(server, ssl=True, ssl_context=authority.client_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        next(client.watch("INBOX", reconnect=_RECONNECT))
    client.shutdown()


def test_nobody_listens_any_more(peer: PeerFactory) -> None:
    server = peer(f"{_FIRST}S: * 1 EXPUNGE\nC: DONE\nS: A3 OK x")
    client = connect(server)
    watching = client.watch("INBOX", reconnect=Reconnect(("ann", "s3cret"), attempts=3, first_delay=0.01))
    assert next(watching) == Expunged(1)
    server.close()
    with pytest.raises(OSError, match="refused"):
        next(watching)
    client.shutdown()


def test_connections_that_end_at_once_use_the_attempts_up(peer: PeerFactory) -> None:
    """A server that takes each connection and drops it is not asked as fast as it drops them."""
    again = f"ACCEPT\n{_HELLO}{_LOGIN}{_AGAIN}C: A4 FETCH 3:4 (UID)\nCLOSE\n"
    client = connect(peer(f"{_FIRST}CLOSE\n{again}{again}"))
    watching = client.watch("INBOX", reconnect=Reconnect(("ann", "s3cret"), 2, first_delay=0, max_delay=0))
    assert isinstance(next(watching), Reconnected)
    assert isinstance(next(watching), Reconnected)
    with pytest.raises(IMAPClientAbortError):
        next(watching)
    client.shutdown()


@pytest.mark.parametrize("when", ["in the pause", "in the login"])
def test_closing_the_client_ends_it(peer: PeerFactory, when: str) -> None:
    asked = threading.Event()
    script: Script = [f"{_FIRST}CLOSE"]
    if when == "in the login":
        script = [f'{_FIRST}CLOSE\nACCEPT\n{_HELLO}C: A1 LOGIN "ann" "s3cret"', asked.set]
    server = peer(script)
    client = connect(server)
    delay = 60 if when == "in the pause" else 0
    reconnect = Reconnect(("ann", "s3cret"), first_delay=delay, max_delay=delay)
    with ThreadPoolExecutor() as pool:
        watching = pool.submit(next, client.watch("INBOX", reconnect=reconnect))
        if when == "in the login":
            assert asked.wait(60)
        else:
            server.wait()
            while client._imap.is_usable:
                time.sleep(0.001)
        client.shutdown()
        with pytest.raises(IMAPClientAbortError):
            watching.result(60)
    assert not client._imap.is_usable


def test_the_deadline_holds_in_the_pause(peer: PeerFactory, clock: Clock) -> None:
    clock.stop()
    client = connect(peer(f"{_FIRST}CLOSE"))
    with pytest.raises(IMAPClientAbortError):
        next(client.watch("INBOX", timeout=0.2, reconnect=Reconnect(("ann", "s3cret"), first_delay=60)))
    client.shutdown()


def test_other_threads_wait_until_the_new_connection_is_ready(peer: PeerFactory) -> None:
    calls: list[Any] = []
    clients: list[IMAPClient] = []
    pool = ThreadPoolExecutor()
    script: Script = [
        f'{_FIRST}CLOSE\nACCEPT\n{_HELLO}C: A1 LOGIN "ann" "s3cret"',
        lambda: calls.append(pool.submit(clients[0].noop)),
        "PAUSE 0.1",
        f"S: A1 OK [CAPABILITY {_CAPABILITIES}] in\n{_AGAIN}C: A4 NOOP\nS: A4 OK Done",
    ]
    client = connect(peer(script))
    clients.append(client)
    with pool:
        watching = client.watch("INBOX", reconnect=_RECONNECT)
        assert isinstance(next(watching), Reconnected)
        assert calls[0].result(60) == (b"Done", [])
    client.shutdown()
