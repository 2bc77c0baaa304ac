"""Certificates and versions of TLS that are refused, from the start and by STARTTLS: the error says which it is."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Callable

import pytest

from imapclient import IMAPClient, create_default_context
from imapclient.exceptions import CapabilityError, CommandError, IllegalStateError, IMAPClientAbortError
from tests.helpers import certificates
from tests.helpers.clients import assert_unusable, connected
from tests.helpers.scripted_peer import PeerFactory

OFFERS = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready"
ServerContext = Callable[[], ssl.SSLContext]

#: The server's context, the host that the client asks for, what the error says.
REFUSED = [
    pytest.param(certificates.expired_server_context, "127.0.0.1", "has expired", id="expired"),
    pytest.param(certificates.wrong_host_server_context, "127.0.0.1", "is for another host", id="address"),
    pytest.param(certificates.wrong_host_server_context, "localhost", "is for another host", id="host"),
    pytest.param(certificates.self_signed_server_context, "localhost", "signed by itself only", id="self-signed"),
    pytest.param(certificates.wrong_ca_server_context, "127.0.0.1", "authority that is not known", id="authority"),
    pytest.param(certificates.client_only_server_context, "127.0.0.1", "is not for servers", id="key usage"),
    pytest.param(certificates.old_tls_server_context, "127.0.0.1", "no version of TLS that is allowed", id="TLS 1.1"),
]


def new_client_context() -> ssl.SSLContext:
    """As the default one is, for the tests' authority."""
    context = certificates.client_context()
    context.minimum_version = create_default_context().minimum_version
    return context


@pytest.mark.parametrize(("server_context", "host", "words"), REFUSED)
def test_from_the_start(peer: PeerFactory, server_context: ServerContext, host: str, words: str) -> None:
    server = peer("ACCEPT\nTLS FAILS", tls_context=server_context())
    with pytest.raises(ssl.SSLError, match=words) as caught:
        IMAPClient(host, server.port, ssl_context=new_client_context(), timeout=60)
    assert caught.value.reason in str(caught.value)


@pytest.mark.parametrize(("server_context", "host", "words"), REFUSED)
def test_by_starttls(peer: PeerFactory, server_context: ServerContext, host: str, words: str) -> None:
    server = peer(f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin\nTLS FAILS", tls_context=server_context())
    client = IMAPClient(host, server.port, ssl=False, timeout=60)
    with pytest.raises(ssl.SSLError, match=words) as caught:
        client.starttls(new_client_context())
    assert isinstance(caught.value, IMAPClientAbortError)
    assert isinstance(caught.value, ssl.SSLCertVerificationError) == ("certificate" in str(caught.value))
    assert client.socket().fileno() == -1
    assert_unusable(client, caught.value)


def test_the_default_context_takes_no_old_version() -> None:
    assert create_default_context().minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("server_context", [certificates.server_context, certificates.self_signed_server_context])
def test_the_default_context_knows_the_systems_authorities_only(
    peer: PeerFactory, server_context: ServerContext
) -> None:
    server = peer("ACCEPT\nTLS FAILS", tls_context=server_context())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"authority that is not known|signed by itself"):
        IMAPClient("localhost", server.port, timeout=60)


@contextlib.contextmanager
def server_that_says(data: bytes) -> Iterator[int]:
    """A port at which the first connection gets the bytes once it has said something."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(1)
                connection.sendall(data)
                while connection.recv(10_000):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"* OK [CAPABILITY IMAP4rev1] no TLS here\r\n", "does not use TLS"),
        # An alert: protocol_version
        (b"\x15\x03\x01\x00\x02\x02\x46", "no version of TLS that is allowed"),
    ],
)
def test_a_server_that_does_not_speak_tls(data: bytes, words: str) -> None:
    with server_that_says(data) as port, pytest.raises(ssl.SSLError, match=words):
        IMAPClient("127.0.0.1", port, ssl_context=new_client_context(), timeout=60)


# -- STARTTLS that somebody in between prevents


@pytest.mark.parametrize("reply", ["NO not now", "BAD what?"])
def test_a_downgrade(peer: PeerFactory, reply: str) -> None:
    """The server refuses, or somebody in its name: that is an error, and no password has been sent."""
    with connected(peer(f"{OFFERS}\nC: A1 STARTTLS\nS: A1 {reply}")) as client:
        with pytest.raises(CommandError):
            client.starttls(new_client_context())
        assert not client._imap.is_tls


def test_stripping(peer: PeerFactory) -> None:
    with connected(peer("S: * OK [CAPABILITY IMAP4rev1] ready")) as client:
        with pytest.raises(CapabilityError, match="STARTTLS"):
            client.starttls(new_client_context())
        assert not client._imap.is_tls


def test_preauth_in_the_clear(peer: PeerFactory) -> None:
    """It would keep the client from asking for TLS (RFC 9051, 11.2)."""
    with connected(peer("S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome")) as client:
        with pytest.raises(IllegalStateError):
            client.starttls(new_client_context())
        assert not client._imap.is_tls


@pytest.mark.parametrize("injected", [b"* CAPABILITY IMAP4rev1 X-INJECTED\r\n", b"A2 OK Logged in\r\n"])
def test_bytes_that_come_ahead_of_the_handshake_in_a_packet_of_their_own(peer: PeerFactory, injected: bytes) -> None:
    """Those in one packet with the OK are in test_tls.py. These come where TLS is expected."""
    script = [
        f"{OFFERS}\nC: A1 STARTTLS\nS: A1 OK begin",
        # The first byte of the handshake: the client waits for no more words in the clear.
        b"Cx-: \\x16",
        b"S-: " + injected,
    ]
    server = peer(script)
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    with pytest.raises((ssl.SSLError, IMAPClientAbortError)) as caught:
        client.starttls(new_client_context())
    assert_unusable(client, caught.value)
    server.close()
    # Of the handshake, the script has only the beginning.
    server.failure = None
