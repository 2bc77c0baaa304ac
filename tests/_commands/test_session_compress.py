"""COMPRESS: what is sent before and after it, when it is refused, and that all else works over it."""

from __future__ import annotations

import socket
import zlib

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    LoginError,
)
from tests.helpers import certificates
from tests.helpers.clients import connected, set_read_timeout
from tests.helpers.dialogue import dialogue, dialogue_with_peer
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer, ScriptItem, SendBytes

CAPABILITIES = "IMAP4rev1 IDLE COMPRESS=DEFLATE"
_START = "C: A1 COMPRESS DEFLATE\nS: A1 OK Begin compression.\nDEFLATE\n"
_READY = f"S: * OK [CAPABILITY {CAPABILITIES}] ready\n"
_LOGIN = f'C: A1 LOGIN "ann" "secret"\nS: A1 OK [CAPABILITY {CAPABILITIES}] Logged in\n'


def test_all_goes_compressed_after_it() -> None:
    script = f"""{_START}
        C: A2 NOOP
        S: * 4 EXISTS
        S: A2 OK done
        C: A3 APPEND "x" {{3}}
        S: + go
        C: abc
        S: A3 OK stored
        C: A4 UID FETCH 7 (BODY[])
        S: * 1 FETCH (UID 7 BODY[] {{5}}
        S-: hello
        S: )
        S: A4 OK done
    """
    with dialogue(script, capabilities=CAPABILITIES) as client:
        assert client.compress() == b"Begin compression."
        assert client.noop() == (b"done", [(4, b"EXISTS")])
        assert client.append("x", b"abc") == b"stored"
        assert client.fetch(7, "BODY[]")[7][b"BODY[]"] == b"hello"


def test_a_long_message_and_a_long_literal() -> None:
    text = bytes(range(32, 127)) * 20_000
    script: list[ScriptItem] = [
        f'{_START}C: A2 APPEND "x" {{{len(text)}}}\nS: + go\n',
        b"C: " + text,
        f"S: A2 OK stored\nC: A3 UID FETCH 7 (BODY[])\nS: * 1 FETCH (UID 7 BODY[] {{{len(text)}}}\n",
        SendBytes(text),
        "S: )\nS: A3 OK done",
    ]
    with dialogue(script, capabilities=CAPABILITIES) as client:
        client.compress()
        assert client.append("x", text) == b"stored"
        assert client.fetch(7, "BODY[]")[7][b"BODY[]"] == text


def test_what_the_server_tells_right_after_its_answer() -> None:
    """It may come in the same packet, compressed already."""
    deflate = zlib.compressobj(wbits=-15)
    early = deflate.compress(b"* 9 EXISTS\r\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
    peers: list[ScriptedPeer] = []

    def answer() -> bytes:
        return peers[0].received[-1].split(b" ")[0] + b" OK go\r\n" + early

    with dialogue_with_peer(["C: A1 COMPRESS DEFLATE", answer], capabilities=CAPABILITIES) as (client, peer):
        peers.append(peer)
        client.compress()
        assert client._imap.readline() == b"* 9 EXISTS\r\n"


def test_over_tls(peer: PeerFactory) -> None:
    script = f"{_READY}{_LOGIN}{_START.replace('A1', 'A2')}C: A3 NOOP\nS: A3 OK done"
    scripted = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    with connected(scripted, ssl=True, ssl_context=certificates.client_context(), compress=True) as client:
        client.login("ann", "secret")
        client.noop()


# -- in the constructor


def test_the_constructors_option_compresses_after_the_login(peer: PeerFactory) -> None:
    script = f"{_READY}{_LOGIN}{_START.replace('A1', 'A2')}C: A3 NOOP\nS: A3 OK done"
    with connected(peer(script), compress=True) as client:
        assert client.login("ann", "secret").endswith(b"Logged in")
        client.noop()


def test_a_connection_that_is_logged_in_from_the_start_is_compressed_at_once(peer: PeerFactory) -> None:
    script = f"{_READY.replace('OK', 'PREAUTH')}{_START}C: A2 NOOP\nS: A2 OK done"
    with connected(peer(script), compress=True) as client:
        client.noop()


def test_authenticate_compresses_too(peer: PeerFactory) -> None:
    script = f"""
        S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready
        C: A1 AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=
        S: A1 OK in
        C: A2 CAPABILITY
        S: * CAPABILITY {CAPABILITIES}
        S: A2 OK done
        {_START.replace("A1", "A3")}
        C: A4 NOOP
        S: A4 OK done
    """
    with connected(peer(script), compress=True) as client:
        client.plain_login("ann", "secret")
        client.noop()


@pytest.mark.parametrize(
    "after",
    [
        "C: A2 COMPRESS DEFLATE\nS: A2 NO [COMPRESSIONACTIVE] by TLS\n",
        "C: A2 COMPRESS DEFLATE\nS: A2 BAD not here\n",
    ],
)
def test_a_server_that_refuses_is_spoken_to_as_before(peer: PeerFactory, after: str) -> None:
    with connected(peer(f"{_READY}{_LOGIN}{after}C: A3 NOOP\nS: A3 OK done"), compress=True) as client:
        client.login("ann", "secret")
        client.noop()


def test_a_server_that_does_not_offer_it_is_not_asked(peer: PeerFactory) -> None:
    script = (_READY + _LOGIN).replace(" COMPRESS=DEFLATE", "") + "C: A2 NOOP\nS: A2 OK done"
    with connected(peer(script), compress=True) as client:
        client.login("ann", "secret")
        client.noop()


def test_a_login_that_fails_leaves_it_off(peer: PeerFactory) -> None:
    script = f'{_READY}C: A1 LOGIN "ann" "wrong"\nS: A1 NO no\nC: A2 NOOP\nS: A2 OK done'
    with connected(peer(script), compress=True) as client:
        with pytest.raises(LoginError):
            client.login("ann", "wrong")
        client.noop()


def test_without_the_option_it_is_off(peer: PeerFactory) -> None:
    with connected(peer(f"{_READY}{_LOGIN}C: A2 NOOP\nS: A2 OK done")) as client:
        client.login("ann", "secret")
        client.noop()


# -- when it is not possible


def test_not_before_the_login() -> None:
    with dialogue("C: A1 NOOP\nS: A1 OK done", capabilities=CAPABILITIES, login=False) as client:
        with pytest.raises(IllegalStateError, match="after the login"):
            client.compress()
        client.noop()


def test_not_twice() -> None:
    with dialogue(f"{_START}C: A2 NOOP\nS: A2 OK done", capabilities=CAPABILITIES) as client:
        client.compress()
        with pytest.raises(IllegalStateError, match="compressed already"):
            client.compress()
        client.noop()


def test_not_where_the_server_lacks_it() -> None:
    with dialogue("C: A1 NOOP\nS: A1 OK done") as client:
        with pytest.raises(CapabilityError, match="COMPRESS=DEFLATE"):
            client.compress()
        client.noop()


def test_not_in_idle() -> None:
    script = "C: A1 IDLE\nS: + idling\nC: DONE\nS: A1 OK done"
    with dialogue(script, capabilities=CAPABILITIES) as client:
        client.idle()
        with pytest.raises(IllegalStateError, match="IDLE"):
            client.compress()
        client.idle_done()


def test_a_refusal_leaves_the_connection_as_it_was() -> None:
    script = "C: A1 COMPRESS DEFLATE\nS: A1 NO not today\nC: A2 NOOP\nS: A2 OK done"
    with dialogue(script, capabilities=CAPABILITIES) as client:
        with pytest.raises(CommandError, match="not today"):
            client.compress()
        client.noop()


def test_an_answer_that_is_not_compressed() -> None:
    script = "C: A1 COMPRESS DEFLATE\nS: A1 OK go\nS: * OK this is said in the clear"
    with dialogue(script, capabilities=CAPABILITIES) as client:
        client.compress()
        with pytest.raises(IMAPClientAbortError, match="data that is not compressed"):
            client._imap.readline()


# -- IDLE and timeouts over it


def test_idle_check_takes_what_the_decompressor_holds() -> None:
    """The socket is not readable then: that is what idle_check(0) before each wait is for."""
    told = "".join(f"S: * {number} EXISTS\n" for number in range(1, 3001))
    script = f"{_START}C: A2 IDLE\nS: + idling\n{told}C: DONE\nS: A2 OK done"
    with dialogue(script, capabilities=CAPABILITIES) as client:
        client.compress()
        client.idle()
        heard: list[object] = []
        while len(heard) < 3000:
            heard += client.idle_check(60)
        assert heard == [(number, b"EXISTS") for number in range(1, 3001)]
        assert client.idle_check(0) == []
        client.idle_done()


def test_a_read_timeout() -> None:
    with dialogue(f"{_START}C: A2 NOOP", capabilities=CAPABILITIES) as client:
        client.compress()
        set_read_timeout(client, 0.1)
        with pytest.raises(socket.timeout):
            client.noop()


def test_a_connection_that_ends(peer: PeerFactory) -> None:
    with dialogue(f"{_START}C: A2 NOOP\nS: * BYE shutting down\nCLOSE", capabilities=CAPABILITIES) as client:
        client.compress()
        with pytest.raises(IMAPClient.AbortError, match="shutting down"):
            client.noop()


def test_many_commands_at_once_go_compressed() -> None:
    ids = range(1000000, 1005000, 2)
    parts = [",".join(map(str, ids[start : start + 1000])) for start in (0, 1000, 2000)]
    sent = "".join(f"C: A{number} UID FETCH {part} (FLAGS)\n" for number, part in enumerate(parts, 2))
    script = f"{_START}{sent}S: A2 OK\nS: A3 OK\nS: A4 OK"
    with dialogue(script, capabilities=CAPABILITIES) as client:
        client.compress()
        assert client.fetch(ids, "FLAGS") == {}
