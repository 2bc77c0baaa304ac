"""Access tokens from a provider over HTTPS, on the loopback address."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imapclient._accounts import oauth2
from imapclient._accounts.oauth2 import OAUTH2_REFRESH_URLS, OAuth2Error, get_oauth2_token, refresh_oauth2_token
from imapclient.config import ConfigError
from imapclient.exceptions import LoginError
from tests.helpers import certificates
from tests.helpers.token_endpoint import Answer, Form, TokenEndpoint, token

HOST = "imap.example.org"
SECRETS = ("c1ient&secret", "r3fresh token")


@pytest.fixture(autouse=True)
def _no_token_known() -> None:
    oauth2._tokens.clear()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' authority replaces those of the system, and proxies are ignored."""
    path = tmp_path / "system.pem"
    path.write_bytes(certificates.authority().ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def endpoint(trusted: None) -> Iterator[TokenEndpoint]:
    with TokenEndpoint(certificates.server_context()) as server:
        yield server


def refresh(url: str, scope: str | None = None, timeout: float = 60.0) -> str:
    return refresh_oauth2_token(HOST, "me", *SECRETS, token_url=url, scope=scope, timeout=timeout)


def get(url: str) -> str:
    return get_oauth2_token(HOST, "me", *SECRETS, token_url=url, timeout=60)


def failure(call: Callable[[], object]) -> OAuth2Error:
    """The call fails. Neither the message nor the traceback contains a secret."""
    with pytest.raises(OAuth2Error) as caught:
        call()
    shown = "".join(traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__))
    for secret in (*SECRETS, "c1ient%26secret", "r3fresh+token"):
        assert secret not in shown
    return caught.value


def test_what_is_asked(endpoint: TokenEndpoint) -> None:
    assert refresh(endpoint.url, scope="https://mail.example.org/ offline") == "t0ken"
    assert endpoint.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "me",
            "client_secret": SECRETS[0],
            "refresh_token": SECRETS[1],
            "scope": "https://mail.example.org/ offline",
        }
    ]
    assert endpoint.accept == ["application/json"]


def test_what_is_empty_is_not_sent(endpoint: TokenEndpoint) -> None:
    refresh_oauth2_token(HOST, "me", "", "r", token_url=endpoint.url)
    assert endpoint.asked == [{"grant_type": "refresh_token", "client_id": "me", "refresh_token": "r"}]


def test_address_of_the_host(endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OAUTH2_REFRESH_URLS, HOST, endpoint.url)
    assert refresh_oauth2_token("IMAP.example.org", "me", "s", "r") == "t0ken"
    assert get_oauth2_token(HOST, "me", "s", "r") == "t0ken"


def test_known_hosts() -> None:
    assert set(OAUTH2_REFRESH_URLS) == {"imap.gmail.com", "imap.mail.yahoo.com", "outlook.office365.com"}
    assert all(url.startswith("https://") for url in OAUTH2_REFRESH_URLS.values())


def test_host_without_address() -> None:
    with pytest.raises(ConfigError) as caught:
        get_oauth2_token(HOST, "me", "s", "r")
    assert str(caught.value) == (
        "oauth2_token_url: missing: the address that issues access tokens for 'imap.example.org' is unknown"
    )


def test_secrets_go_over_https_only() -> None:
    with TokenEndpoint() as plain:
        with pytest.raises(ConfigError) as caught:
            refresh(plain.url)
        assert str(caught.value) == f"oauth2_token_url: must be an address that begins with https://, not {plain.url!r}"
        assert plain.asked == []


# -- how long a token is used


@pytest.mark.parametrize("lifetime", [{}, {"expires_in": 3600}, {"expires_in": "3600"}, {"expires_in": None}])
def test_token_is_used_again(endpoint: TokenEndpoint, lifetime: dict[str, object]) -> None:
    endpoint.answer = token("first", **lifetime)
    assert get(endpoint.url) == "first"
    endpoint.answer = token("second")
    assert get(endpoint.url) == "first"
    assert refresh(endpoint.url) == "second"
    assert get(endpoint.url) == "second"
    assert len(endpoint.asked) == 2


def test_token_that_is_about_to_end_is_replaced(endpoint: TokenEndpoint) -> None:
    endpoint.answer = token("first", expires_in=59)
    assert get(endpoint.url) == "first"
    endpoint.answer = token("second", expires_in=3600)
    assert get(endpoint.url) == "second"


def test_token_is_replaced_when_its_time_is_over(endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.answer = token("first", expires_in=3600)
    assert get(endpoint.url) == "first"
    endpoint.answer = token("second")
    an_hour_later = time.monotonic() + 3600
    monkeypatch.setattr(time, "monotonic", lambda: an_hour_later)
    assert get(endpoint.url) == "second"


def test_token_is_of_one_account(endpoint: TokenEndpoint) -> None:
    endpoint.answer = lambda form: token(f"of {form['refresh_token']}")(form)
    for refresh_token in ("ann", "ben"):
        assert get_oauth2_token(HOST, "me", "s", refresh_token, token_url=endpoint.url) == f"of {refresh_token}"


# -- what can go wrong


def refused(status: int, answer: object) -> Callable[[Form], Answer]:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda form: (status, body)


@pytest.mark.parametrize(
    ("answer", "reason", "error"),
    [
        (
            refused(400, {"error": "invalid_grant", "error_description": "Token has been\r\n revoked."}),
            "400 invalid_grant: Token has been revoked.",
            "invalid_grant",
        ),
        (
            refused(401, {"error": "invalid_client", "error_description": f"{SECRETS[0]} of c1ient%26secret"}),
            "401 invalid_client: **REDACTED** of **REDACTED**",
            "invalid_client",
        ),
        (refused(400, {"error": {"code": 7}}), "400 Bad Request", ""),
        (refused(503, b"<html>"), "503 Service Unavailable", ""),
        (refused(500, b"[1]"), "500 Internal Server Error", ""),
        (refused(200, b"<html>"), "the answer is not JSON", ""),
        (refused(200, b"\xff"), "the answer is not JSON", ""),
        (refused(200, b"[" * 100_000), "the answer is not JSON", ""),
        (refused(200, [1]), "the answer is not a JSON object", ""),
        (refused(200, {}), "the answer contains no access_token", ""),
        (refused(200, {"access_token": ["t"]}), "the answer contains no access_token", ""),
        (refused(200, {"error": "slow_down"}), "slow_down", "slow_down"),
        (refused(200, b" " * 1_100_000), "the answer is too large", ""),
        (refused(400, b" " * 1_100_000), "400 Bad Request", ""),
    ],
)
def test_refusals(endpoint: TokenEndpoint, answer: Callable[[Form], Answer], reason: str, error: str) -> None:
    endpoint.answer = answer
    raised = failure(lambda: refresh(endpoint.url))
    assert str(raised) == f"no access token from https://localhost/token: {reason}"
    assert raised.error == error
    assert isinstance(raised, LoginError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_secrets_are_not_sent_elsewhere(endpoint: TokenEndpoint, status: int) -> None:
    with TokenEndpoint() as elsewhere:
        endpoint.answer = refused(status, elsewhere.url.encode())
        raised = failure(lambda: refresh(endpoint.url))
        assert str(raised).startswith(f"no access token from https://localhost/token: {status} ")
        assert elsewhere.asked == []


def test_provider_that_is_not_there(trusted: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/token"
    raised = failure(lambda: refresh(url))
    assert re.fullmatch(r"no access token from https://127\.0\.0\.1/token: \[.*\] Connection refused", str(raised))


def test_provider_that_is_silent(trusted: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/token"
        raised = failure(lambda: refresh(url, timeout=0.1))
    assert str(raised).startswith("no access token from https://127.0.0.1/token: ")
    assert str(raised).endswith("timed out")


def test_provider_that_is_slow(endpoint: TokenEndpoint) -> None:
    """The timeout is for the whole answer."""
    endpoint.answer = token("x", padding="x" * 100_000)
    raised = failure(lambda: refresh(endpoint.url, timeout=0.0001))
    assert str(raised).endswith("timed out")


@pytest.mark.parametrize("context", [certificates.wrong_ca_server_context, certificates.wrong_host_server_context])
def test_provider_that_is_not_trusted(trusted: None, context: Callable[[], ssl.SSLContext]) -> None:
    with TokenEndpoint(context()) as endpoint:
        raised = failure(lambda: refresh(endpoint.url))
        assert "certificate verify failed" in str(raised)
        assert endpoint.asked == []
