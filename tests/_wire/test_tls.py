"""TLS on loopback sockets."""

from __future__ import annotations

import socket
import ssl
import sys
import time
from typing import Any

import pytest

from imapclient._wire.tls import create_default_context, wrap_socket, wrap_within
from imapclient._wire.waiting import Deadline
from tests.helpers import certificates
from tests.helpers.transports import sockets_left, tls_pair, tls_server


def test_wrap_socket() -> None:
    with tls_pair() as (tls, peer):
        assert tls.version() in ("TLSv1.2", "TLSv1.3")
        assert tls.server_hostname == "localhost"
        peer.sendall(b"hello")
        assert tls.recv(10) == b"hello"


@pytest.mark.parametrize(
    "server_context",
    [
        certificates.wrong_ca_server_context,
        certificates.wrong_host_server_context,
        certificates.expired_server_context,
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda sock, context: wrap_socket(sock, context, "localhost"),
        lambda sock, context: wrap_within(sock, context, "localhost", Deadline(60)),
    ],
)
def test_a_bad_certificate_closes_the_socket(server_context: Any, wrap: Any) -> None:
    context = certificates.client_context()
    with tls_server(server_context()) as (client, _):
        before = sockets_left()
        with pytest.raises(ssl.SSLCertVerificationError):
            wrap(client, context)
        assert client.fileno() == -1
        assert len(sockets_left()) < len(before)


def test_no_context_means_a_verifying_one() -> None:
    with tls_server(certificates.wrong_ca_server_context()) as (client, _):
        with pytest.raises(ssl.SSLCertVerificationError):
            wrap_socket(client, None, "localhost")
        assert client.fileno() == -1


def test_default_context_verifies() -> None:
    context = create_default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2 or sys.version_info < (3, 10)


def test_a_context_that_can_not_be_made_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise ssl.SSLError("no trust store")

    monkeypatch.setattr(ssl, "create_default_context", fails)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(ssl.SSLError, match="no trust store"):
            wrap_socket(ours, None, "localhost")
        assert ours.fileno() == -1


def test_what_is_no_tls_closes_the_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname(), 60)
        accepted, _ = listening.accept()
        with client, accepted:
            accepted.sendall(b"* OK this is IMAP in the clear\r\n")
            with pytest.raises(ssl.SSLError):
                wrap_socket(client, certificates.client_context(), "localhost")
            assert client.fileno() == -1


def test_a_handshake_that_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname(), 60)
        accepted, _ = listening.accept()
        with client, accepted:
            before = sockets_left()
            with pytest.raises(socket.timeout):
                wrap_within(client, certificates.client_context(), "localhost", Deadline(0.1))
            assert client.fileno() == -1
            assert len(sockets_left()) < len(before)


@pytest.mark.parametrize("late", [0.0, 2 * Deadline.POLLING])
def test_a_handshake_for_which_no_time_is_left(late: float) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        deadline = Deadline(0)
        time.sleep(late)
        with pytest.raises(socket.timeout):
            wrap_within(ours, certificates.client_context(), "localhost", deadline)
        assert ours.fileno() == -1


def test_a_handshake_within_a_budget() -> None:
    context = certificates.client_context()
    for seconds in (60, None):
        with tls_server(certificates.server_context()) as (client, _):
            tls = wrap_within(client, context, "127.0.0.1", Deadline(seconds))
            with tls:
                assert tls.version() is not None
