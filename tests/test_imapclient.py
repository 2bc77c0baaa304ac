"""The client as a whole: its constructor, its attributes, closing it, the context manager."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from typing import Any

import pytest

import imapclient
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError
from imapclient.imapclient import join_message_ids
from tests.helpers import certificates
from tests.helpers.clients import assert_closed, set_read_timeout
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"
LOGOUT = "C: A1 LOGOUT\nS: * BYE bye\nS: A1 OK done"


def connect(peer: ScriptedPeer, **options: Any) -> IMAPClient:
    return IMAPClient(peer.host, peer.port, **{"ssl": False, "timeout": 60, **options})


class Unconnected(IMAPClient):
    """Makes no connection: for what the constructor does before."""

    def _create_IMAP4(self) -> Any:
        return None


# -- the constructor


def test_what_is_known_of_a_client(peer: PeerFactory) -> None:
    server = peer(READY)
    client = connect(server)
    assert (client.host, client.port, client.ssl, client.stream) == ("127.0.0.1", server.port, False, False)
    assert client.use_uid is True
    assert client.folder_encode is True
    assert client.normalise_times is True
    assert client.ssl_context is None
    assert client.welcome == b"* OK [CAPABILITY IMAP4rev1] ready"
    assert client.socket().getpeername() == (server.host, server.port)
    client.shutdown()


@pytest.mark.parametrize(
    ("options", "port", "tls"),
    [
        ({}, 993, True),
        ({"ssl": False}, 143, False),
        ({"ssl": True}, 993, True),
        ({"port": 7}, 7, True),
        ({"port": 7, "ssl": False}, 7, False),
    ],
)
def test_the_port_where_none_is_given(options: dict[str, Any], port: int, tls: bool) -> None:
    client = Unconnected("mail.example", **options)
    assert (client.port, client.ssl) == (port, tls)


def test_positional_arguments_are_those_of_imapclient() -> None:
    context = ssl.create_default_context()
    client = Unconnected("mail.example", 7, False, True, False, context, 3.5)
    assert (client.host, client.port, client.use_uid, client.ssl, client.stream) == (
        "mail.example",
        7,
        False,
        True,
        False,
    )
    assert client.ssl_context is context


@pytest.mark.parametrize(
    "options",
    [
        {"stream": True, "port": 143},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": SocketTimeout(0, 1)},
        {"timeout": SocketTimeout(1, -1)},
        {"timeout": float("nan")},
    ],
)
def test_arguments_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"port|timeout"):
        IMAPClient("mail.example", **options)


def test_a_context_for_later() -> None:
    """For a STARTTLS, programs may give the context here already; alone it makes no TLS."""
    context = ssl.create_default_context()
    client = Unconnected("mail.example", ssl=False, ssl_context=context)
    assert (client.ssl, client.port, client.ssl_context) == (False, 143, context)


@pytest.mark.parametrize("timeout", ["10", b"10", [1, 2]])
def test_a_timeout_of_another_type(timeout: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        Unconnected("mail.example", timeout=timeout)


@pytest.mark.parametrize("timeout", [None, 5, 2.5, SocketTimeout(5, None), SocketTimeout(None, 5)])
def test_timeouts_that_fit(peer: PeerFactory, timeout: Any) -> None:
    server = peer(f"{READY}\nC: A1 NOOP\nS: A1 OK done")
    client = connect(server, timeout=timeout)
    client.noop()
    client.shutdown()


def test_socket_timeout_has_imapclients_shape() -> None:
    timeout = SocketTimeout(1, read=2)
    assert timeout == SocketTimeout(connect=1, read=2) != SocketTimeout(1, 3)
    assert (timeout.connect, timeout.read) == (1, 2)
    timeout.read = 3
    assert repr(timeout) == "SocketTimeout(connect=1, read=3)"
    assert imapclient.SocketTimeout is SocketTimeout


def test_a_connection_over_ipv6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    with listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"* OK [CAPABILITY IMAP4rev1] six\r\n")
                connection.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        client = IMAPClient("::1", listener.getsockname()[1], ssl=False, timeout=60)
        assert client.socket().family == socket.AF_INET6
        assert client.welcome.endswith(b"six")
        client.shutdown()
        thread.join(60)


def test_a_name_with_several_addresses(peer: PeerFactory) -> None:
    """localhost may be ::1 first, where nobody listens."""
    server = peer(READY)
    client = IMAPClient("localhost", server.port, ssl=False, timeout=60)
    assert client.socket().getpeername()[:2] == (server.host, server.port)
    client.shutdown()


def test_the_exceptions_as_attributes() -> None:
    assert IMAPClient.Error is IMAPClientError
    assert IMAPClient.AbortError is IMAPClientAbortError
    assert IMAPClient.ReadOnlyError is IMAPClientReadOnlyError
    assert issubclass(IMAPClientAbortError, IMAPClientError)


@pytest.mark.parametrize(
    ("messages", "joined"),
    [([1, 2, 5], b"1,2,5"), ("1:*", b"1:*"), (b"1,2", b"1,2"), (7, b"7"), ([], b""), (["1:3", 9], b"1:3,9")],
)
def test_join_message_ids(messages: Any, joined: bytes) -> None:
    assert join_message_ids(messages) == joined


# -- names and passwords


@pytest.mark.parametrize(
    ("user", "password"),
    [("änn", "pässwörd"), ("安", "密码"), ("ann\r\n", "\r\n"), (b"\xff", b"\xfe"), ("👩", "🔑\t\r")],
)
def test_any_text_logs_in(peer: PeerFactory, user: str | bytes, password: str | bytes) -> None:
    name, secret = (
        "".join(f"\\x{byte:02x}" for byte in (text if isinstance(text, bytes) else text.encode()))
        for text in (user, password)
    )
    script = f"""
        {READY}
        C: A1 LOGIN {{{len(name) // 4}}}
        S: + and?
        Cx: {name} {{{len(secret) // 4}}}
        S: + and?
        Cx: {secret}
        S: A1 OK welcome
    """
    client = connect(peer(script))
    assert client.login(user, password) == b"welcome"
    client.shutdown()


@pytest.mark.parametrize(("user", "password"), [("a\0", "b"), ("a", "b\0"), (b"\0", "é")])
def test_nul_logs_nobody_in(peer: PeerFactory, user: str | bytes, password: str | bytes) -> None:
    client = connect(peer(READY))
    with pytest.raises(ValueError, match="NUL"):
        client.login(user, password)
    client.shutdown()


def test_an_error_about_a_password_does_not_show_it(peer: PeerFactory) -> None:
    client = connect(peer(READY))
    with pytest.raises(ValueError, match="NUL") as caught:
        client.login("ann", "secret\0word")
    client.shutdown()
    assert "secret" not in str(caught.value)


# -- closing


def test_shutdown_never_raises(peer: PeerFactory) -> None:
    server = peer(READY)
    client = connect(server)
    client.shutdown()
    client.shutdown()
    assert_closed(server)
    with pytest.raises(IMAPClientAbortError):
        client.noop()
    with pytest.raises(IMAPClientAbortError):
        client.logout()
    client.shutdown()


@pytest.mark.parametrize("end", ["CLOSE", "RESET", "S: * BYE x", "S: garbage"])
def test_shutdown_after_the_connection_ended(peer: PeerFactory, end: str) -> None:
    server = peer(READY)
    client = connect(server)
    server.play(end)
    client.shutdown()
    assert client.socket().fileno() == -1


def test_shutdown_in_idle_and_in_the_middle_of_a_line(peer: PeerFactory) -> None:
    server = peer("S: * OK [CAPABILITY IDLE] x\nC: A1 IDLE\nS: + go\nS-: * 1 EXI")
    client = connect(server)
    client.idle()
    client.idle_check(0.1)
    client.shutdown()
    assert_closed(server)


def test_shutdown_over_tls(peer: PeerFactory) -> None:
    server = peer(READY, tls_context=certificates.server_context(), implicit_tls=True)
    client = connect(server, ssl=True, ssl_context=certificates.client_context())
    client.shutdown()
    client.shutdown()
    assert client.socket().fileno() == -1


# -- the context manager


def test_leaving_it_logs_out(peer: PeerFactory) -> None:
    server = peer(f"{READY}\n{LOGOUT}")
    with connect(server) as client:
        assert isinstance(client, IMAPClient)
    server.wait()
    assert_closed(server)


def test_leaving_it_after_a_logout(peer: PeerFactory) -> None:
    server = peer(f"{READY}\n{LOGOUT}")
    with connect(server) as client:
        client.logout()
    assert_closed(server)


def test_leaving_it_after_a_shutdown(peer: PeerFactory) -> None:
    server = peer(READY)
    with connect(server) as client:
        client.shutdown()
    assert_closed(server)


def test_an_exception_of_the_body_survives_and_the_client_is_logged_out(peer: PeerFactory) -> None:
    server = peer(f"{READY}\n{LOGOUT}")
    with pytest.raises(ZeroDivisionError), connect(server):
        raise ZeroDivisionError
    assert_closed(server)


@pytest.mark.parametrize("end", ["CLOSE", "RESET", "S: A1 NO you stay", "S: garbage", "S: A1 BAD x", "S: * BYE x", ""])
@pytest.mark.parametrize("fails", [False, True])
def test_a_logout_that_fails_is_no_matter(
    peer: PeerFactory, caplog: pytest.LogCaptureFixture, end: str, fails: bool
) -> None:
    caplog.set_level(logging.INFO, "imapclient.imapclient")
    server = peer(f"{READY}\nC: A1 LOGOUT\n{end}")
    client = connect(server)
    if end in ("", "S: * BYE x"):
        set_read_timeout(client, 0.1)
    if fails:
        with pytest.raises(ZeroDivisionError) as caught, client:
            raise ZeroDivisionError
        assert caught.value.__context__ is None
    else:
        with client:
            pass
    assert client.socket().fileno() == -1


@pytest.mark.parametrize("end", ["CLOSE", "RESET", "S: * BYE x", "S: garbage"])
def test_an_abort_in_the_body_survives(peer: PeerFactory, end: str) -> None:
    server = peer(f"{READY}\nC: A1 NOOP\n{end}")
    with pytest.raises(IMAPClientAbortError) as caught, connect(server) as client:
        client.noop()
    assert "can't be used" not in str(caught.value)
    assert client.socket().fileno() == -1


def test_a_timeout_in_the_body_is_not_followed_by_a_logout(peer: PeerFactory) -> None:
    server = peer(f"{READY}\nC: A1 NOOP")
    client = connect(server)
    set_read_timeout(client, 0.1)
    with pytest.raises(socket.timeout), client:
        client.noop()
    assert_closed(server)


def test_an_interrupt_in_the_body_survives(peer: PeerFactory) -> None:
    server = peer(f"{READY}\nC: A1 LOGOUT\nCLOSE")
    with pytest.raises(KeyboardInterrupt), connect(server) as client:
        raise KeyboardInterrupt
    assert client.socket().fileno() == -1


def test_the_connection_is_closed_once(peer: PeerFactory) -> None:
    """A number of a file may be somebody else's by the second time."""
    server = peer(f"{READY}\n{LOGOUT}")
    with connect(server) as client:
        descriptor = client.socket().fileno()
        client.logout()
        # The lowest free number is the next one.
        with socket.create_server(("127.0.0.1", 0)) as other:
            assert other.fileno() <= descriptor
            client.shutdown()
            client.__exit__(None, None, None)
            assert other.getsockname()[1]


@pytest.mark.parametrize("name", ["line_length", "literal_size", "response_size", "nesting_depth", "command_size"])
def test_limits_that_are_none(name: str) -> None:
    """Found before anything is opened."""
    for value in (None, "5", 2.5):
        with pytest.raises(TypeError, match=f"max_{name} must be an int"):
            Unconnected("mail.example", **{f"max_{name}": value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"max_{name} can't be negative"):
        Unconnected("mail.example", **{f"max_{name}": -1})  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [(3, 5), SocketTimeout("3", 5), float("inf"), SocketTimeout(None, 1e12)])  # type: ignore[arg-type]
def test_timeouts_that_are_none(timeout: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"timeout: (connect|read) must be"):
        Unconnected("mail.example", timeout=timeout)


def test_what_is_no_tls_context(peer: PeerFactory) -> None:
    with pytest.raises(TypeError, match=r"must be an SSLContext or None, not 'ca\.pem'"):
        Unconnected("mail.example", ssl_context="ca.pem")  # type: ignore[arg-type]
    script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: A1 NOOP\nS: A1 OK Done"
    with connect(peer(script)) as client:
        with pytest.raises(TypeError, match="must be an SSLContext or None"):
            client.starttls("ca.pem")  # type: ignore[arg-type]
        client.noop()
        client.shutdown()
