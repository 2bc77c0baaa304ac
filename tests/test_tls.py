"""TLS from the start, STARTTLS, and the names in imapclient.tls."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Any

import pytest

from imapclient import IMAPClient, SocketTimeout, tls
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    ProtocolError,
)
from tests.helpers import certificates
from tests.helpers.clients import assert_closed, connected, set_read_timeout
from tests.helpers.scripted_peer import PeerFactory

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"
OFFERS = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED X-INJECTED] ready"


# -- from the start


@pytest.mark.parametrize("chunk", [0, 1, 5])
def test_tls_from_the_start(peer: PeerFactory, chunk: int) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{2000}}
        S-: {"x" * 2000}
        S: )
        S: A1 OK done
    """
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True, chunk=chunk)
    with connected(server, ssl=True, ssl_context=certificates.client_context()) as client:
        assert client.ssl
        assert isinstance(client.socket(), ssl.SSLSocket)
        assert client.fetch(1, ["BODY[]"])[1][b"BODY[]"] == b"x" * 2000


def test_tls_is_the_default() -> None:
    """No other argument makes the connection go on in the clear."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begun: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                begun.append(connection.recv(3))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises((OSError, IMAPClientError)):
            IMAPClient("127.0.0.1", listener.getsockname()[1], timeout=60)
        thread.join(60)
    # A handshake record, version TLS 1.x.
    assert begun[0][:2] == b"\x16\x03"


def test_a_server_that_greets_in_the_clear() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"* OK [CAPABILITY IMAP4rev1] no TLS here\r\n")
                while connection.recv(10_000):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ssl.SSLError):
            IMAPClient("127.0.0.1", listener.getsockname()[1], timeout=60)
        thread.join(60)


bad_certificates = pytest.mark.parametrize(
    "server_context",
    [
        certificates.wrong_ca_server_context,
        certificates.wrong_host_server_context,
        certificates.expired_server_context,
    ],
    ids=["authority", "host", "expired"],
)


@bad_certificates
def test_a_bad_certificate(peer: PeerFactory, server_context: Any) -> None:
    server = peer("ACCEPT\nTLS FAILS", tls_context=server_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="CERTIFICATE_VERIFY_FAILED"):
        IMAPClient(server.host, server.port, ssl_context=certificates.client_context(), timeout=60)


def test_without_a_context_the_systems_authorities_count(peer: PeerFactory) -> None:
    server = peer("ACCEPT\nTLS FAILS", tls_context=certificates.server_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        IMAPClient(server.host, server.port, timeout=60)


def test_preauth_over_tls(peer: PeerFactory) -> None:
    script = """
        S: * PREAUTH [CAPABILITY IMAP4rev1] known by your certificate
        C: A1 SELECT "INBOX"
        S: A1 OK [READ-WRITE] done
    """
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    with connected(server, ssl=True, ssl_context=certificates.client_context()) as client:
        client.select_folder("INBOX")


def test_the_end_of_tls(peer: PeerFactory) -> None:
    server = peer(f"{READY}\nC: A1 NOOP\nCLOSE", tls_context=certificates.server_context(), implicit_tls=True)
    with connected(server, ssl=True, ssl_context=certificates.client_context()) as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.noop()
        with pytest.raises(IMAPClientAbortError) as later:
            client.noop()
        assert later.value.__cause__ is caught.value


def test_the_end_without_a_goodbye_of_tls(peer: PeerFactory) -> None:
    script = f"{READY}\nC: A1 UID FETCH 1 (BODY[])\nS: * 1 FETCH (BODY[] {{100000}}\nS-: part\nRESET"
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    context = certificates.client_context()
    with connected(server, ssl=True, ssl_context=context) as client, pytest.raises(IMAPClientAbortError):
        client.fetch(1, ["BODY[]"])


def test_a_read_timeout_over_tls(peer: PeerFactory) -> None:
    server = peer(READY, tls_context=certificates.server_context(), implicit_tls=True)
    with connected(server, ssl=True, ssl_context=certificates.client_context()) as client:
        server.play("S: * 1 FETCH (BODY[] {100000}\nS-: part")
        set_read_timeout(client, 0.1)
        with pytest.raises(socket.timeout) as caught:
            client.fetch(1, ["BODY[]"])
        server.play("C: A1 UID FETCH 1 (BODY[])")
        assert isinstance(caught.value, IMAPClientAbortError)
        with pytest.raises(IMAPClientAbortError) as later:
            client.noop()
        assert later.value.__cause__ is caught.value


def test_a_large_message_over_tls(peer: PeerFactory) -> None:
    message = b"0123456789abcdef" * 100_000
    script = [
        f'S: * PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] x\nC: A1 APPEND "x" {{{len(message)}+}}',
        b"C: " + message,
        f"S: A1 OK done\nC: A2 UID FETCH 1 (BODY[])\nS: * 1 FETCH (UID 1 BODY[] {{{len(message)}}}",
        b"S-: " + message,
        "S: )\nS: A2 OK done",
    ]
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    with connected(server, ssl=True, ssl_context=certificates.client_context()) as client:
        client.append("x", message)
        assert client.fetch(1, ["BODY[]"])[1][b"BODY[]"] == message


# -- STARTTLS


def test_starttls(peer: PeerFactory) -> None:
    script = f"""
        {OFFERS}
        C: A1 STARTTLS
        S: A1 OK begin
        TLS
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
        S: A2 OK done
        C: A3 LOGIN "ann" "secret"
        S: A3 OK [CAPABILITY IMAP4rev1 IDLE] done
    """
    with connected(peer(script, tls_context=certificates.server_context())) as client:
        assert client.has_capability("X-INJECTED")
        assert client.starttls(certificates.client_context()) == b"begin"
        assert isinstance(client.socket(), ssl.SSLSocket)
        # What was heard in the clear doesn't count.
        assert client.capabilities() == (b"IMAP4REV1", b"AUTH=PLAIN")
        client.login("ann", "secret")
        assert client.has_capability("IDLE")


def test_starttls_asks_for_the_capabilities_where_it_must(peer: PeerFactory) -> None:
    script = """
        S: * OK ready
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 STARTTLS
        S: A1 OK done
        C: A2 STARTTLS
        S: A2 OK begin
        TLS
        C: A3 NOOP
        S: A3 OK done
    """
    with connected(peer(script, tls_context=certificates.server_context())) as client:
        client.starttls(certificates.client_context())
        client.noop()


def test_what_was_heard_in_the_clear_is_forgotten(peer: PeerFactory) -> None:
    script = f"""
        {OFFERS}
        S: * 99 EXISTS
        C: A1 STARTTLS
        S: * OK [ALERT] injected
        S: * CAPABILITY IMAP4rev1 STARTTLS X-INJECTED
        S: A1 OK [CAPABILITY IMAP4rev1 X-INJECTED] begin
        TLS
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: A2 OK done
    """
    with connected(peer(script, tls_context=certificates.server_context())) as client:
        client.starttls(certificates.client_context())
        assert client.capabilities() == (b"IMAP4REV1",)
        assert len(client._imap.unsolicited) == 0


@pytest.mark.parametrize(
    "injected",
    [
        r"* CAPABILITY IMAP4rev1 X-INJECTED\r\n",
        r"A2 OK [CAPABILITY IMAP4rev1] Logged in\r\n",
        r"* 1 EX",
        r"x",
        r"\r\n",
        r"* BYE no\r\n",
    ],
)
def test_plain_text_behind_the_ok_is_an_error(peer: PeerFactory, injected: str) -> None:
    server = peer(f"{OFFERS}\nC: A1 STARTTLS\nSx-: A1 OK begin\\r\\n{injected}")
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    try:
        with pytest.raises(ProtocolError) as caught:
            client.starttls(certificates.client_context())
        assert isinstance(caught.value, IMAPClientAbortError)
        with pytest.raises(IMAPClientAbortError) as later:
            client.login("ann", "secret")
        assert later.value.__cause__ is caught.value
        assert not client._imap.is_tls
    finally:
        client.shutdown()


def test_after_plain_text_behind_the_ok_the_connection_is_closed(peer: PeerFactory) -> None:
    server = peer(f"{OFFERS}\nC: A1 STARTTLS\nSx: A1 OK begin\\r\\n* 1 EXISTS")
    with connected(server) as client:
        with pytest.raises(ProtocolError):
            client.starttls(certificates.client_context())
        assert_closed(server)


@bad_certificates
def test_starttls_with_a_bad_certificate(peer: PeerFactory, server_context: Any) -> None:
    server = peer(f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin\nTLS FAILS", tls_context=server_context())
    with connected(server) as client:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            client.starttls(certificates.client_context())
        assert isinstance(caught.value, IMAPClientAbortError)
        assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
        assert client.socket().fileno() == -1
        with pytest.raises(IMAPClientAbortError) as later:
            client.login("ann", "secret")
        assert later.value.__cause__ is caught.value


def test_what_the_error_of_tls_tells_is_kept(peer: PeerFactory) -> None:
    """Programs look at these attributes of ssl.SSLError and ssl.SSLCertVerificationError."""
    server = peer(
        f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin\nTLS FAILS", tls_context=certificates.wrong_host_server_context()
    )
    with connected(server) as client, pytest.raises(ssl.SSLCertVerificationError) as caught:
        client.starttls(certificates.client_context())
    assert caught.value.reason == "CERTIFICATE_VERIFY_FAILED"
    assert caught.value.library == "SSL"
    assert "127.0.0.1" in caught.value.verify_message
    assert caught.value.verify_code


def test_starttls_verifies_by_default(peer: PeerFactory) -> None:
    server = peer(f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin\nTLS FAILS", tls_context=certificates.server_context())
    with connected(server) as client:
        with pytest.raises(ssl.SSLError):
            client.starttls()
        with pytest.raises(IMAPClientAbortError):
            client.noop()


def test_a_handshake_that_never_answers(peer: PeerFactory) -> None:
    script = rf"""
        {OFFERS}
        C: A1 STARTTLS
        S: A1 OK begin
        Cx-: \x16\x03\x01
    """
    server = peer(script)
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    client._imap.socket_timeout = SocketTimeout(0.1, 60)
    with pytest.raises(socket.timeout) as caught:
        client.starttls(certificates.client_context())
    assert isinstance(caught.value, IMAPClientAbortError)
    with pytest.raises(IMAPClientAbortError) as later:
        client.noop()
    assert later.value.__cause__ is caught.value
    client.shutdown()
    # Of the handshake, the peer's script has only the beginning.
    server.close()
    server.failure = None


def test_no_starttls_after_preauth(peer: PeerFactory) -> None:
    script = """
        S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(IllegalStateError):
            client.starttls(certificates.client_context())
        client.noop()


def test_no_starttls_after_login(peer: PeerFactory) -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1 STARTTLS] done
    """
    with connected(peer(script)) as client:
        client.login("ann", "secret")
        with pytest.raises(IllegalStateError):
            client.starttls(certificates.client_context())


def test_no_starttls_without_the_capability(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CapabilityError):
            client.starttls(certificates.client_context())
        client.noop()


@pytest.mark.parametrize("implicit", [False, True])
def test_no_starttls_twice(peer: PeerFactory, implicit: bool) -> None:
    script = OFFERS if implicit else f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin\nTLS"
    script += "\nC: A2 NOOP\nS: A2 OK done"
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=implicit)
    options = {"ssl": True, "ssl_context": certificates.client_context()} if implicit else {}
    with connected(server, **options) as client:
        if not implicit:
            client.starttls(certificates.client_context())
        with pytest.raises(IMAPClientError) as caught:
            client.starttls(certificates.client_context())
        assert not isinstance(caught.value, IMAPClientAbortError)
        client.noop()


@pytest.mark.parametrize("answer", ["NO not today", "BAD what"])
def test_starttls_refused(peer: PeerFactory, answer: str) -> None:
    script = f"""
        {OFFERS}
        C: A1 STARTTLS
        S: A1 {answer}
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CommandError):
            client.starttls(certificates.client_context())
        assert not client._imap.is_tls
        client.noop()


@pytest.mark.parametrize("end", ["CLOSE", "S: * BYE no", "S: + go"])
def test_another_answer_to_starttls(peer: PeerFactory, end: str) -> None:
    with connected(peer(f"{OFFERS}\nC: A1 STARTTLS\n{end}")) as client, pytest.raises(IMAPClientAbortError):
        client.starttls(certificates.client_context())


def test_idle_after_starttls(peer: PeerFactory) -> None:
    script = rf"""
        {OFFERS}
        C: A1 STARTTLS
        S: A1 OK begin
        TLS
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: A2 OK done
        C: A3 IDLE
        Sx: + go\r\n* 1 EXISTS\r\n* 2 EXISTS
        C: DONE
        S: A3 OK done
    """
    with connected(peer(script, tls_context=certificates.server_context())) as client:
        client.starttls(certificates.client_context())
        client.idle()
        assert client.idle_check(0) == [(1, b"EXISTS"), (2, b"EXISTS")]
        assert client.idle_done() == (b"done", [])


# -- imapclient.tls


def test_the_default_context_verifies() -> None:
    context = tls.create_default_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("context", [None, certificates.client_context()])
def test_wrap_socket(peer: PeerFactory, context: ssl.SSLContext | None) -> None:
    """IMAPClient has it as wrap_socket(sock, ssl_context, host); None is the default context."""
    server = peer("ACCEPT\nTLS" + (" FAILS" if context is None else ""), tls_context=certificates.server_context())
    sock = socket.create_connection((server.host, server.port), 10)
    if context is None:
        with pytest.raises(ssl.SSLError):
            tls.wrap_socket(sock, context, "localhost")
        assert sock.fileno() == -1
    else:
        with tls.wrap_socket(sock, context, "localhost") as wrapped:
            assert wrapped.version() is not None


def test_the_class_for_tls(peer: PeerFactory) -> None:
    """IMAPClient has it as IMAP4_TLS(host, port, ssl_context, timeout)."""
    server = peer(READY, tls_context=certificates.server_context(), implicit_tls=True)
    connection = tls.IMAP4_TLS(server.host, server.port, certificates.client_context(), 10)
    assert connection.welcome.startswith(b"* OK")
    connection.shutdown()
