"""The scripted peer: above all, it fails if the client differs from the script."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.helpers import certificates
from tests.helpers.scripted_peer import PeerFactory, Script, ScriptedPeer, SendBytes

_TIMEOUT = 60


@contextlib.contextmanager
def connected(peer: ScriptedPeer, *, tls: bool = False) -> Iterator[socket.socket]:
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection((peer.host, peer.port), _TIMEOUT))
        if tls:
            context = certificates.client_context()
            sock = stack.enter_context(context.wrap_socket(sock, server_hostname="localhost"))
        yield sock


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, f"the connection ended after {bytes(data)!r}"
        data += piece
    return bytes(data)


def read_to_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(4096), b""))


def talk(
    script: Script,
    *sent: bytes,
    receive: bytes = b"",
    to_end: bool = False,
    tls: bool = False,
    tls_context: ssl.SSLContext | None = None,
) -> None:
    """Follow the script with a client that receives and sends the given bytes, then closes.

    With `to_end` the client closes only after the peer did.
    """
    peer = ScriptedPeer(script, tls_context=tls_context)
    with peer, connected(peer, tls=tls) as sock:
        assert read_exactly(sock, len(receive)) == receive
        for data in sent:
            sock.sendall(data)
        if to_end:
            assert read_to_end(sock) == b""


# -- dialogues that succeed


def test_a_dialogue_with_the_clients_own_tags() -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: A1 LOGIN "ann" "s\\x"
        S: A1 OK done
        C: A2 APPEND "x" {5}
        S: + go
        C: hello
        # A comment is nothing to send.
        S: * ESEARCH (TAG "A1") UID
        S: A2 OK
        S: A3 OK
    """
    with ScriptedPeer(script) as peer, connected(peer) as sock:
        greeting = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
        assert read_exactly(sock, len(greeting)) == greeting
        sock.sendall(b'x7 LOGIN "ann" "s\\x"\r\n')
        assert read_exactly(sock, 12) == b"x7 OK done\r\n"
        sock.sendall(b'x8 APPEND "x" {5}\r\n')
        assert read_exactly(sock, 6) == b"+ go\r\n"
        sock.sendall(b"hello\r\n")
        rest = b'* ESEARCH (TAG "x7") UID\r\nx8 OK\r\nA3 OK\r\n'
        assert read_exactly(sock, len(rest)) == rest
        peer.wait()
        assert peer.received == [
            b'x7 LOGIN "ann" "s\\x"\r\n',
            b'x8 APPEND "x" {5}\r\n',
            b"hello\r\n",
        ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("S:", b"\r\n"),
        ("S: ", b"\r\n"),
        ("S:  two spaces  ", b" two spaces  \r\n"),
        (r"S: a\r\0", b"a\\r\\0\r\n"),
        (r"Sx: \x00\0\r\n\t\\\xff", b"\0\0\r\n\t\\\xff\r\n"),
        ("S-: no end", b"no end"),
        (r"Sx-: \x2a", b"*"),
        ("S: grüße", "grüße\r\n".encode()),
        (b"S: \xff", b"\xff\r\n"),
        ("\n\n  \tS: a\n\n  S: b\n", b"a\r\nb\r\n"),
        (["S: a", SendBytes(b"raw"), b"S: c"], b"a\r\nrawc\r\n"),
        ([SendBytes([b"1", b"2"]), iter([b"3"]), lambda: b"4", lambda: None], b"1234"),
    ],
)
def test_what_is_sent(script: Script, expected: bytes) -> None:
    items = [script] if isinstance(script, (str, bytes)) else script
    with ScriptedPeer([*items, "CLOSE"]) as peer, connected(peer) as sock:
        assert read_to_end(sock) == expected


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ("C:", b"\r\n"),
        ("C: a  ", b"a  \r\n"),
        (r"C: \x41", b"\\x41\r\n"),
        (r"Cx: \x41\0", b"A\0\r\n"),
        ("C-: +", b"+"),
        ("C: DONE", b"DONE\r\n"),
        ("C: A1", b"abc9\r\n"),
        (r"Cx: \x411 x", b"A1 x\r\n"),
        ("C: A1 grüße", "T grüße\r\n".encode()),
    ],
)
def test_what_is_expected(script: str, sent: bytes) -> None:
    talk(script, sent)


def test_it_takes_what_the_client_sends_in_pieces_or_at_once() -> None:
    script = "C: A1 NOOP\nC: A2 NOOP"
    talk(script, *(bytes([byte]) for byte in b"a NOOP\r\nb NOOP\r\n"))
    talk(script, b"a NOOP\r\nb NOOP\r\n")


def test_chunks_cut_what_is_sent() -> None:
    with ScriptedPeer("S: abc\nCHUNK 0\nS: whole", chunk=1) as peer, connected(peer) as sock:
        assert read_exactly(sock, 12) == b"abc\r\nwhole\r\n"
    with ScriptedPeer("CHUNK 2\nS: abcdefg\nCLOSE") as peer, connected(peer) as sock:
        assert read_to_end(sock) == b"abcdefg\r\n"


def test_close_ends_the_connection_in_good_order() -> None:
    with ScriptedPeer("S: bye\nCLOSE") as peer, connected(peer) as sock:
        assert read_to_end(sock) == b"bye\r\n"


def test_reset_resets_the_connection() -> None:
    with ScriptedPeer("S: hi\nC: go\nRESET") as peer, connected(peer) as sock:
        assert read_exactly(sock, 4) == b"hi\r\n"
        sock.sendall(b"go\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_accept_takes_another_connection_with_tags_of_its_own() -> None:
    script = """
        C: A1 NOOP
        S: A1 OK
        ACCEPT
        C: A1 NOOP
        S: A1 OK
    """
    with ScriptedPeer(script) as peer:
        for _ in range(2):
            with connected(peer) as sock:
                sock.sendall(b"same NOOP\r\n")
                assert read_exactly(sock, 9) == b"same OK\r\n"


def test_the_body_can_add_to_the_script() -> None:
    with ScriptedPeer() as peer, connected(peer) as sock:
        peer.play("ACCEPT")
        peer.send(b"* OK\r\n")
        assert read_exactly(sock, 6) == b"* OK\r\n"
        sock.sendall(b"a NOOP\r\n")
        peer.expect(b"a NOOP\r\n")


def test_what_the_body_adds_fails_at_once() -> None:
    peer = ScriptedPeer("ACCEPT")
    with connected(peer) as sock:
        sock.sendall(b"b NOOP\r\n")
        with pytest.raises(AssertionError, match="something else"):
            peer.expect(b"a NOOP\r\n")
    with pytest.raises(AssertionError, match="something else"), peer:
        pass


def test_a_pause_ends_with_the_body() -> None:
    with ScriptedPeer("PAUSE 3600\nS: x") as peer, connected(peer) as sock:
        peer.close()
        assert read_to_end(sock) == b"x\r\n"


def test_an_endless_stream_ends_with_the_client() -> None:
    with ScriptedPeer(["S: * OK", SendBytes(itertools.repeat(b"* 1 EXISTS\r\n"))]) as peer:
        with connected(peer) as sock:
            assert read_exactly(sock, 18) == b"* OK\r\n* 1 EXISTS\r\n"[:18]
        peer.wait()


def test_an_endless_stream_ends_with_the_body() -> None:
    with ScriptedPeer([SendBytes(itertools.repeat(b"x" * 1000))]) as peer, connected(peer):
        peer.close()
        assert peer.failure is None


# -- dialogues that must fail


@pytest.mark.parametrize(
    ("script", "sent", "message"),
    [
        ("C: A1 NOOP", b"a NOOK\r\n", r"script line 1: C: A1 NOOP\n.* from byte 5 on"),
        ("C: A1 NOOP", b"a NOOK\r\n", r"expected: b'A1 NOOP\\r\\n'\n  got:      b'a NOOK\\r\\n'"),
        ("C: A1 NOOP", b"a noop\r\n", "something else"),
        ("C: A1 NOOP", b"a NOOP\n", "something else"),
        ("C: A1 NOOP", b"a NOOP \r\n", "something else"),
        ("C: A1 NOOP", b"a  NOOP\r\n", "something else"),
        ("C: A1 NOOP", b" NOOP\r\n", "something else"),
        ("C: A1 NOOP", b"* NOOP\r\n", "something else"),
        ("C: NOOP", b"a NOOP\r\n", "something else"),
        ("C-: x", b"y", "something else"),
        ("C: \xe9", b"\xe9\r\n", "something else"),
        ("\n\nC: A1 X\nC: A2 NOOP", b"a X\r\nb Y\r\n", "script line 4"),
        ("C: A1 X\nC: A2 Y", b"a X\r\na Y\r\n", "tag b'a' twice"),
        ("C: A1 NOOP", b"", "client closed"),
        ("C: A1 NOOP", b"a", "client closed"),
        ("C: A1 NOOP", b"a NO", r"client closed(.|\n)*got:      b'a NO'"),
        ("C: a\nC: b", b"a\r\n", "script line 2: C: b\n"),
        ("C: a\nS: b\nC: c\nS: d", b"a\r\n", "script line 3: C: c\n"),
        ("C: a", b"a\r\nb", r"more than the script: b'b'"),
        ("ACCEPT", b"x", "more than the script"),
        ("C: a\nCLOSE", b"a\r\nb\r\n", "more than the script"),
        ("C: a\nRESET", b"a\r\nb\r\n", "more than the script"),
        ("C: a\nACCEPT", b"a\r\nb\r\n", "more than the script"),
        ("C: a\nACCEPT", b"a\r\n", "the test's body was over"),
        ("CLOSE\nS: x", b"", "ACCEPT is missing"),
        ("TLS", b"", "no tls_context"),
    ],
)
def test_another_dialogue_fails(script: str, sent: bytes, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        talk(script, sent)


def test_a_script_that_nobody_connects_to_fails() -> None:
    with pytest.raises(AssertionError, match="first connection"), ScriptedPeer("S: * OK"):
        pass


def test_an_empty_script_that_nobody_connects_to_is_fine() -> None:
    with ScriptedPeer() as peer:
        peer.wait()


def test_a_script_that_waits_when_the_body_ends_fails() -> None:
    peer = ScriptedPeer("C: A1 NOOP")
    with connected(peer), pytest.raises(AssertionError, match="the test's body was over"), peer:
        pass


def test_a_client_that_says_nothing_fails_within_the_timeout() -> None:
    peer = ScriptedPeer("ACCEPT")
    with connected(peer):
        peer.wait()
        assert peer._stream is not None
        peer._stream._timeout = 0.05
        with pytest.raises(AssertionError, match=r"nothing happened for 0\.05 seconds"):
            peer.play("C: A1 NOOP")
    peer.close()


def test_wait_has_a_deadline() -> None:
    peer = ScriptedPeer("C: A1 NOOP")
    with pytest.raises(AssertionError, match="in time"):
        peer.wait(timeout=0.01)
    with pytest.raises(AssertionError, match="first connection"), peer:
        pass


def test_after_a_failure_the_connection_ends_and_none_is_accepted() -> None:
    peer = ScriptedPeer("C: a\nS: b\nACCEPT")
    with connected(peer) as sock:
        sock.sendall(b"x\r\n")
        assert read_to_end(sock) == b""
    with pytest.raises(ConnectionRefusedError), connected(peer):
        pass
    with pytest.raises(AssertionError, match="something else"), peer:
        pass


def test_the_bodys_own_exception_comes_out_and_names_the_scripts_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ZeroDivisionError) as caught, ScriptedPeer("C: A1 NOOP"):
        _ = 1 // 0
    notes = [*getattr(caught.value, "__notes__", []), capsys.readouterr().err]
    assert "The scripted peer failed too: the first connection" in "".join(notes)


def test_an_exception_of_the_scripts_own_code_fails() -> None:
    def broken() -> None:
        raise KeyError("k")

    with pytest.raises(AssertionError, match=r"script item 2\n.*KeyError\('k'\)"):
        talk(["S: a", broken], receive=b"a\r\n", to_end=True)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("S: a\n  hello", r"script line 2: neither C:, S: nor a directive: b'hello'"),
        ("S:a", "neither"),
        ("C:a", "neither"),
        ("Q: a", "neither"),
        ("PAUSE", "neither"),
        ("PAUSE long", "could not convert"),
        ("CLOSE now", "neither"),
        (r"Sx: \q", "no such escape"),
        (r"Sx: \x4", "no such escape"),
        ("Sx: \\", "no such escape"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(script: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScriptedPeer(script)
    assert not ScriptedPeer.running


def test_nothing_is_left_of_a_peer() -> None:
    peer = ScriptedPeer("S: * OK")
    with peer, connected(peer) as sock:
        assert read_exactly(sock, 6) == b"* OK\r\n"
        assert peer in ScriptedPeer.running
    assert not ScriptedPeer.running
    assert not [t for t in threading.enumerate() if t.name.startswith("scripted-peer")]
    with pytest.raises(ConnectionRefusedError), connected(peer):
        pass


# -- TLS


def test_tls_from_the_start() -> None:
    script = "S: * OK\nC: A1 NOOP\nS: A1 OK\nCLOSE"
    server = certificates.server_context()
    peer = ScriptedPeer(script, tls_context=server, implicit_tls=True, chunk=3)
    with peer, connected(peer, tls=True) as sock:
        assert read_exactly(sock, 6) == b"* OK\r\n"
        sock.sendall(b"a NOOP\r\n")
        assert read_to_end(sock) == b"a OK\r\n"


def test_tls_in_the_middle() -> None:
    script = "S: * OK\nC: A1 STARTTLS\nS: A1 OK\nTLS\nC: A2 NOOP\nS: A2 OK"
    context = certificates.client_context()
    peer = ScriptedPeer(script, tls_context=certificates.server_context())
    with peer, connected(peer) as plain:
        assert read_exactly(plain, 6) == b"* OK\r\n"
        plain.sendall(b"a STARTTLS\r\n")
        assert read_exactly(plain, 6) == b"a OK\r\n"
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
            sock.sendall(b"b NOOP\r\n")
            assert read_exactly(sock, 6) == b"b OK\r\n"


def test_tls_sees_bytes_beyond_the_script() -> None:
    server = certificates.server_context()
    with pytest.raises(AssertionError, match="more than the script: b'extra'"):
        talk("TLS\nS: x", b"extra", tls_context=server, tls=True, receive=b"x\r\n")


def test_a_client_in_the_clear_where_the_script_has_tls_fails() -> None:
    server = certificates.server_context()
    with pytest.raises(AssertionError, match="TLS failed"):
        talk("TLS", b"a LOGIN ann secret\r\n", tls_context=server)


@pytest.mark.parametrize(
    ("make_server_context", "reason"),
    [
        (certificates.wrong_ca_server_context, "self.signed|unable to get local issuer"),
        (certificates.wrong_host_server_context, "(?i)hostname mismatch"),
        (certificates.expired_server_context, "expired"),
    ],
)
def test_a_client_refuses_a_bad_certificate(make_server_context: Callable[[], ssl.SSLContext], reason: str) -> None:
    context = certificates.client_context()
    peer = ScriptedPeer("TLS FAILS", tls_context=make_server_context())
    refused = pytest.raises(ssl.SSLCertVerificationError, match=reason)
    with peer, connected(peer) as plain, refused:
        context.wrap_socket(plain, server_hostname="localhost")


def test_tls_fails_fails_when_the_client_goes_on() -> None:
    server = certificates.server_context()
    with pytest.raises(AssertionError, match="went on after the handshake"):
        talk("TLS FAILS", b"a NOOP\r\n", tls_context=server, tls=True)


def test_implicit_tls_needs_a_context() -> None:
    with pytest.raises(ValueError, match="tls_context"):
        ScriptedPeer("", implicit_tls=True)


# -- the fixtures


def test_the_peer_fixture_starts_peers(peer: PeerFactory) -> None:
    first, second = peer("S: a"), peer("S: b", chunk=1)
    with connected(first) as sock:
        assert read_exactly(sock, 3) == b"a\r\n"
    with second, connected(second) as sock:
        assert read_exactly(sock, 3) == b"b\r\n"
