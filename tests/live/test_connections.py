"""Connecting and logging in, on each real server."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Union

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, CommandError, IllegalStateError, LoginError
from tests.helpers import certificates
from tests.helpers.live import SERVERS, LiveServer
from tests.helpers.mail_server import MailServer

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

    Server = Union[MailServer, EmbeddedServer]

_TIMEOUT = 60


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each real server."""
    name = "embedded" if request.param == "pymap" else request.param
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


def test_wrong_password_is_refused_and_the_right_one_taken(server: Server) -> None:
    with IMAPClient(server.host, server.port, ssl=False, timeout=_TIMEOUT) as client:
        with pytest.raises(LoginError) as caught:
            client.login("bob", "wrong")
        assert caught.value.command == "LOGIN"
        assert caught.value.status == "NO"
        assert caught.value.code in (None, (b"AUTHENTICATIONFAILED", ()))
        assert "wrong" not in str(caught.value)
        client.login("bob", "secret")
        assert client.folder_exists("INBOX")


def test_login_brings_new_capabilities(live_server: LiveServer) -> None:
    client = live_server.connect(logged_in=False)
    before = client.capabilities()
    client.login(live_server.user, live_server.password)
    # With TLS, Courier's capabilities stay the same.
    assert client.capabilities() != before or live_server.name == "courier"
    assert client.has_capability("UIDPLUS")


def test_commands_before_login_are_refused(live_server: LiveServer) -> None:
    client = live_server.connect(logged_in=False)
    with pytest.raises(CommandError):
        client.list_folders()
    client.login(live_server.user, live_server.password)
    assert client.folder_exists("INBOX")


def test_starttls_once_only(live_server: LiveServer) -> None:
    client = live_server.connect(logged_in=False)
    if live_server.transport == "plain":
        client.starttls(live_server.ssl_context)
    with pytest.raises((CapabilityError, IllegalStateError)):
        client.starttls(live_server.ssl_context)
    client.login(live_server.user, live_server.password)
    with pytest.raises((CapabilityError, IllegalStateError)):
        client.starttls(live_server.ssl_context)
    assert isinstance(client.socket(), ssl.SSLSocket)
    assert client.folder_exists("INBOX")


def test_starttls_after_login_is_refused(server: Server) -> None:
    with IMAPClient(server.host, server.port, ssl=False, timeout=_TIMEOUT) as client:
        client.login("bob", "secret")
        with pytest.raises((CapabilityError, IllegalStateError)):
            client.starttls(server.ssl_context)
        client.noop()


def test_password_of_any_unicode_text(server: Server) -> None:
    password = server.users["uni"]
    assert not password.isascii()
    for secret in (password, password.encode("utf-8")):
        with IMAPClient(server.host, server.port, ssl=False, timeout=_TIMEOUT) as client:
            client.starttls(server.ssl_context)
            client.login("uni", secret)
            assert client.folder_exists("INBOX")


@pytest.mark.parametrize(
    "transport_context",
    [None, certificates.untrusted_authority().client_context()],
    ids=["system", "other-authority"],
)
def test_tls_verifies_the_certificate(server: Server, transport_context: ssl.SSLContext | None) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        IMAPClient(server.host, server.tls_port, ssl_context=transport_context, timeout=_TIMEOUT)


@pytest.mark.parametrize(
    "transport_context",
    [None, certificates.untrusted_authority().client_context()],
    ids=["system", "other-authority"],
)
def test_starttls_verifies_the_certificate(server: Server, transport_context: ssl.SSLContext | None) -> None:
    client = IMAPClient(server.host, server.port, ssl=False, timeout=_TIMEOUT)
    with pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(transport_context)
    # The client must not continue without TLS.
    with pytest.raises(IMAPClient.AbortError) as caught:
        client.login("bob", "secret")
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    client.shutdown()


@pytest.mark.parametrize("timeout", [SocketTimeout(None, 0.2), SocketTimeout(_TIMEOUT, 0.2)])
def test_a_silent_server_runs_into_the_timeout(server: Server, timeout: SocketTimeout) -> None:
    # With TLS the client sends first, without TLS the server does. So both wait here.
    with pytest.raises(socket.timeout) as caught:
        IMAPClient(server.host, server.tls_port, ssl=False, timeout=timeout)
    assert isinstance(caught.value, IMAPClient.AbortError)


def test_tls_to_a_port_in_the_clear_fails(server: Server) -> None:
    with pytest.raises(ssl.SSLError):
        IMAPClient(server.host, server.port, ssl_context=server.ssl_context, timeout=_TIMEOUT)


def test_nobody_listens(server: Server) -> None:
    with contextlib.closing(socket.socket()) as unused:
        unused.bind((server.host, 0))
        with pytest.raises(ConnectionRefusedError):
            IMAPClient(server.host, unused.getsockname()[1], ssl=False, timeout=_TIMEOUT)
