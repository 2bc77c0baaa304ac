"""Each SASL mechanism on Dovecot: accepted and refused, with an initial response and without one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import AuthenticationFailedError, LoginError, NotOfferedError
from imapclient.sasl import (
    Anonymous,
    CramMD5,
    External,
    Login,
    Mechanism,
    OAuthBearer,
    Plain,
    ScramSHA1,
    ScramSHA256,
    XOAuth2,
)
from tests.helpers.dovecot import Dovecot, has_strict_host

Connect = Callable[..., IMAPClient]
Make = Callable[[str, str], Mechanism]

WITH_PASSWORD: dict[str, Make] = {
    "PLAIN": Plain,
    "LOGIN": Login,
    "CRAM-MD5": CramMD5,
    "SCRAM-SHA-1": ScramSHA1,
    "SCRAM-SHA-256": ScramSHA256,
}
WITH_TOKEN: dict[str, Make] = {"XOAUTH2": XOAuth2, "OAUTHBEARER": OAuthBearer}
each_with_password = pytest.mark.parametrize("make", WITH_PASSWORD.values(), ids=WITH_PASSWORD)
each_with_token = pytest.mark.parametrize("make", WITH_TOKEN.values(), ids=WITH_TOKEN)
needs_strict_host = pytest.mark.skipif(not has_strict_host(), reason=f"this machine has no {Dovecot.strict_host}")


@pytest.fixture
def connect(dovecot: Dovecot) -> Iterator[Connect]:
    """A function that opens connections without a login. ``connect(ssl_context=...)`` uses TLS."""
    clients: list[IMAPClient] = []

    def connect(host: str = dovecot.host, **options: Any) -> IMAPClient:
        port = dovecot.tls_port if "ssl_context" in options else dovecot.port
        client = IMAPClient(host, port, timeout=60, **{"ssl": "ssl_context" in options, **options})
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.shutdown()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    """A new user whose password is "secret"."""
    name = f"user-{uuid.uuid4().hex}"
    dovecot.add_user(name, "secret")
    return name


def assert_logged_in(client: IMAPClient, server: Dovecot, user: str, method: str) -> None:
    assert client.has_capability("NAMESPACE")
    assert not client.has_capability(f"AUTH={method}")
    assert client.select_folder("INBOX")[b"EXISTS"] == 0
    client.logout()
    # Another process writes the log, perhaps a little later.
    deadline = time.monotonic() + 60
    while f"user=<{user}>, method={method}," not in server.log():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)


@each_with_password
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("initial", [True, False])
def test_password(make: Make, initial: bool, tls: bool, dovecot: Dovecot, connect: Connect, user: str) -> None:
    client = connect(ssl_context=dovecot.ssl_context) if tls else connect()
    mechanism = make(user, "secret")
    text = client.authenticate(mechanism) if initial else client.sasl_login(mechanism.name, mechanism)
    assert text.endswith(b"Logged in")
    assert_logged_in(client, dovecot, user, mechanism.name)


@each_with_password
@pytest.mark.parametrize(("password", "initial"), [("wrong", True), ("wrong", False), ("", True)])
def test_wrong_password(make: Make, password: str, initial: bool, connect: Connect, user: str) -> None:
    client = connect()
    mechanism = make(user, password)
    with pytest.raises(AuthenticationFailedError) as caught:
        client.authenticate(mechanism) if initial else client.sasl_login(mechanism.name, mechanism)
    assert caught.value.command == "AUTHENTICATE"
    assert caught.value.status == "NO"
    assert client.authenticate(make(user, "secret")).endswith(b"Logged in")


@each_with_password
def test_password_that_is_not_ascii(make: Make, dovecot: Dovecot, connect: Connect) -> None:
    client = connect()
    client.authenticate(make("uni", dovecot.users["uni"]))
    assert client.select_folder("INBOX")


@each_with_password
def test_user_that_is_not_ascii(make: Make, dovecot: Dovecot, connect: Connect) -> None:
    name = f"jürgen-{uuid.uuid4().hex}"
    dovecot.add_user(name, "secret")
    client = connect()
    client.authenticate(make(name, "secret"))
    assert client.select_folder("INBOX")


def test_scram_escapes_the_name(dovecot: Dovecot, connect: Connect) -> None:
    name = f"a,b=c-{uuid.uuid4().hex}"
    dovecot.add_user(name, "secret")
    for make in (ScramSHA1, ScramSHA256, Plain, CramMD5):
        assert connect().authenticate(make(name, "secret")).endswith(b"Logged in")


def test_plain_login(connect: Connect, dovecot: Dovecot, user: str) -> None:
    client = connect()
    assert client.plain_login(user, "secret", user).endswith(b"Logged in")
    assert_logged_in(client, dovecot, user, "PLAIN")


def test_plain_login_as_somebody_else_is_not_allowed(connect: Connect, user: str) -> None:
    client = connect()
    with pytest.raises(LoginError):
        client.plain_login(user, "secret", "bob")
    assert client.plain_login(user, "secret").endswith(b"Logged in")


# -- OAuth


@each_with_token
@pytest.mark.parametrize("initial", [True, False])
# The longer one is a little shorter than 8,192 bytes, Dovecot's maximum.
@pytest.mark.parametrize("padding", [0, 4000])
def test_token(make: Make, initial: bool, padding: int, dovecot: Dovecot, connect: Connect, user: str) -> None:
    client = connect()
    mechanism = make(user, dovecot.access_token(user, padding=padding))
    text = client.authenticate(mechanism) if initial else client.sasl_login(mechanism.name, mechanism)
    assert text.endswith(b"Logged in")
    assert_logged_in(client, dovecot, user, mechanism.name)


@pytest.mark.parametrize("name", ["oauth2_login", "oauthbearer_login"])
def test_token_with_the_method_for_it(name: str, dovecot: Dovecot, connect: Connect, user: str) -> None:
    client = connect(ssl_context=dovecot.ssl_context)
    (text,) = getattr(client, name)(user, dovecot.access_token(user))
    assert text.endswith(b"Logged in")
    assert client.select_folder("INBOX")


@pytest.mark.parametrize("claims", [{"expired": True}, {"forged": True}], ids=["expired", "forged"])
@pytest.mark.parametrize(("name", "status"), [("oauth2_login", "401"), ("oauthbearer_login", "invalid_token")])
def test_token_that_is_refused(
    name: str, status: str, claims: dict[str, bool], dovecot: Dovecot, connect: Connect, user: str
) -> None:
    client = connect()
    token = dovecot.access_token(user, **claims)
    with pytest.raises(AuthenticationFailedError) as caught:
        getattr(client, name)(user, token)
    challenge = caught.value.challenge
    assert isinstance(challenge, dict)
    assert challenge["status"] == status
    assert challenge["openid-configuration"] == "https://auth.example.invalid/openid-configuration"
    assert status in str(caught.value)
    assert token not in str(caught.value)
    (text,) = getattr(client, name)(user, dovecot.access_token(user))
    assert text.endswith(b"Logged in")


@pytest.mark.parametrize("name", ["oauth2_login", "oauthbearer_login"])
def test_token_of_another_user(name: str, dovecot: Dovecot, connect: Connect, user: str) -> None:
    with pytest.raises(LoginError):
        getattr(connect(), name)(user, dovecot.access_token("bob"))


# -- EXTERNAL and ANONYMOUS


@pytest.mark.parametrize("identity", [None, "alice"])
@pytest.mark.parametrize("initial", [True, False])
def test_external(identity: str | None, initial: bool, dovecot: Dovecot, connect: Connect) -> None:
    client = connect(ssl_context=dovecot.client_certificate_context("alice"))
    mechanism = External(identity)
    text = client.authenticate(mechanism) if initial else client.sasl_login("EXTERNAL", mechanism)
    assert text.endswith(b"Logged in")
    assert client.select_folder("INBOX")


def test_external_without_a_certificate(dovecot: Dovecot, connect: Connect) -> None:
    client = connect(ssl_context=dovecot.ssl_context)
    with pytest.raises(LoginError):
        client.authenticate(External())
    assert client.login("alice", "secret")


@pytest.mark.parametrize("trace", ["", "ann@example.org"])
@pytest.mark.parametrize("initial", [True, False])
def test_anonymous(trace: str, initial: bool, connect: Connect) -> None:
    client = connect()
    mechanism = Anonymous(trace)
    text = client.authenticate(mechanism) if initial else client.sasl_login("ANONYMOUS", mechanism)
    assert text.endswith(b"Logged in")


# -- callables


def test_a_callable_of_ones_own(dovecot: Dovecot, connect: Connect, user: str) -> None:
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> str:
        challenges.append(challenge)
        return user if len(challenges) == 1 else "secret"

    client = connect()
    assert client.sasl_login("LOGIN", respond).endswith(b"Logged in")
    assert challenges == [b"Username:", b"Password:"]
    assert_logged_in(client, dovecot, user, "LOGIN")


def test_an_initial_response_of_ones_own(connect: Connect, user: str) -> None:
    def respond(challenge: bytes) -> bytes:
        raise AssertionError("there is no challenge")

    response = f"\0{user}\0secret"
    assert connect().sasl_login("PLAIN", respond, initial_response=response).endswith(b"Logged in")


def test_a_callable_that_cancels_or_raises(connect: Connect, user: str) -> None:
    client = connect()
    with pytest.raises(LoginError):
        client.sasl_login("PLAIN", lambda challenge: None)
    with pytest.raises(ZeroDivisionError):
        client.sasl_login("PLAIN", lambda challenge: b"%d" % (1 // 0))
    with pytest.raises(LoginError):
        client.sasl_login("X-UNKNOWN", lambda challenge: b"")
    assert client.plain_login(user, "secret").endswith(b"Logged in")


# -- a server that requires TLS before a password


@needs_strict_host
def test_no_password_in_the_clear(dovecot: Dovecot, connect: Connect, user: str) -> None:
    client = connect(dovecot.strict_host)
    assert client.has_capability("LOGINDISABLED")
    with pytest.raises(NotOfferedError, match="LOGINDISABLED"):
        client.login(user, "secret")
    for call in (client.plain_login, client.oauth2_login, client.oauthbearer_login):
        with pytest.raises(NotOfferedError, match="does not offer"):
            call(user, "secret")
    client.starttls(dovecot.ssl_context)
    assert client.login(user, "secret").endswith(b"Logged in")
    # The client has sent no password before.
    assert f"user=<{user}>, method=PLAIN" in dovecot.log()
    assert dovecot.log().count(f"user=<{user}>") == 1


@needs_strict_host
@pytest.mark.parametrize("make", [CramMD5, ScramSHA1, ScramSHA256])
def test_what_does_not_tell_the_password_works_in_the_clear(
    make: Make, dovecot: Dovecot, connect: Connect, user: str
) -> None:
    client = connect(dovecot.strict_host)
    assert client.authenticate(make(user, "secret")).endswith(b"Logged in")
