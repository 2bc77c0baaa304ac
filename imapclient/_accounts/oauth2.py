"""Access tokens of OAuth 2, in exchange for a refresh token (RFC 6749, 6)."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple, Protocol, cast

from .._connection.redaction import REDACTED
from .._wire import waiting
from .._wire.tls import create_default_context
from ..exceptions import LoginError
from .options import ConfigError, https_url

OAUTH2_REFRESH_URLS = {
    "imap.gmail.com": "https://oauth2.googleapis.com/token",
    "imap.mail.yahoo.com": "https://api.login.yahoo.com/oauth2/get_token",
    "outlook.office365.com": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
}
"""Key: an IMAP host name. Value: the address that issues access tokens for it. A program may add hosts."""

_MAX_ANSWER_BYTES = 1 << 20
# For answers without expires_in. RFC 6749, 5.1 recommends it, but does not require it.
_ASSUMED_SECONDS = 300.0
# A token is not used in its last seconds, because it must not expire during a login.
_MARGIN_SECONDS = 60.0
# A shorter secret is not redacted: its text could occur in an error by chance.
_MIN_REDACTED = 4


class OAuth2Error(LoginError):
    """The provider sent no access token. IMAP connections are not affected: an open connection stays usable.

    ``error`` is the provider's error code (RFC 6749, 5.2), such as ``'invalid_grant'`` for a refresh token that is
    no longer valid. It is ``''`` if the provider sent none. The message contains no secret.
    """

    def __init__(self, message: str, *, error: str = "") -> None:
        super().__init__(message)
        self.error = error


OAuth2Error.__module__ = "imapclient.config"


class AccessToken(NamedTuple):
    """An access token, and the time until which it may be used, on the clock of `waiting`."""

    text: str
    usable_until: float

    def __repr__(self) -> str:
        return f"AccessToken({REDACTED}, usable_until={self.usable_until})"


class _Account(NamedTuple):
    """The account that a token belongs to."""

    url: str
    client_id: str
    client_secret: str
    refresh_token: str
    scope: str

    def __repr__(self) -> str:
        return f"_Account({self.url!r}, {self.client_id!r}, {REDACTED}, {REDACTED}, {self.scope!r})"


_tokens: dict[_Account, AccessToken] = {}
_tokens_lock = waiting.lock()


def get_oauth2_token(
    hostname: str,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    *,
    token_url: str | None = None,
    scope: str | None = None,
    timeout: float = 30.0,
) -> str:
    """Return an access token: ``'ya29.a0AfB_by'``. It is the last one if that is still valid, otherwise a new one.

    The arguments and exceptions are those of `refresh_oauth2_token`.
    """
    return known_or_new(hostname, client_id, client_secret, refresh_token, token_url, scope, timeout)[0]


def known_or_new(
    hostname: str,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    token_url: str | None,
    scope: str | None,
    timeout: float,
) -> tuple[str, bool]:
    """Return what `get_oauth2_token` returns, and whether the token is new."""
    account = _account(hostname, client_id, client_secret, refresh_token, token_url, scope)
    with _tokens_lock:
        known = _tokens.get(account)
    if known is not None and waiting.now() < known.usable_until:
        return known.text, False
    return _refresh(account, timeout), True


def refresh_oauth2_token(
    hostname: str,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    *,
    token_url: str | None = None,
    scope: str | None = None,
    timeout: float = 30.0,
) -> str:
    """Request a new access token from the provider and return it: ``'ya29.a0AfB_by'`` (RFC 6749, 6).

    ``hostname`` is the host name of the IMAP server. `OAUTH2_REFRESH_URLS` has the provider's address for it.
    ``token_url`` is another address, which must begin with ``https://``. The provider's certificate is verified with
    the authorities of the system. An empty ``client_secret`` or ``scope`` is not sent. ``timeout`` is in seconds. If
    the answer contains a new refresh token, it is ignored.

    Raises `ConfigError` if the address is unknown or not https. Raises `OAuth2Error` if the provider can't be reached,
    refuses, or sends no token. The messages contain no secret.
    """
    return _refresh(_account(hostname, client_id, client_secret, refresh_token, token_url, scope), timeout)


def _account(
    hostname: str, client_id: str, client_secret: str, refresh_token: str, token_url: str | None, scope: str | None
) -> _Account:
    url = token_url or OAUTH2_REFRESH_URLS.get(hostname.lower())
    if not url:
        raise ConfigError(
            f"missing: the address that issues access tokens for {hostname!r} is unknown", option="oauth2_token_url"
        )
    try:
        https_url(url)
    except ValueError as error:
        allowed, shown = error.args
        raise ConfigError(f"must be {allowed}, not {shown!r}", option="oauth2_token_url") from None
    return _Account(url, client_id, client_secret, refresh_token, scope or "")


def _refresh(account: _Account, timeout: float) -> str:
    form = {
        "grant_type": "refresh_token",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "refresh_token": account.refresh_token,
        "scope": account.scope,
    }
    data = urllib.parse.urlencode({name: value for name, value in form.items() if value}).encode("ascii")
    request = urllib.request.Request(account.url, data, {"Accept": "application/json"})
    asked = waiting.now()
    try:
        with _opener().open(request, timeout=timeout) as response:
            answer = _json_object(_read(response, asked + timeout))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(account, error, asked + timeout) from None
    except urllib.error.URLError as error:
        raise _failure(account, f"{error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _failure(account, f"{error}" or type(error).__name__) from error
    except ValueError as error:
        raise _failure(account, f"{error}") from None
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise _failure(account, _words(answer) or "the answer contains no access_token", _error_code(answer))
    seconds = answer.get("expires_in")
    # Some providers send the number as text.
    valid = float(seconds) if isinstance(seconds, (int, str)) and str(seconds).isdecimal() else _ASSUMED_SECONDS
    with _tokens_lock:
        _tokens[account] = AccessToken(token, asked + max(0.0, valid - _MARGIN_SECONDS))
    return token


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirects, so that the secrets are sent to the given address only."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=create_default_context()), _NoRedirect())


class _Body(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _read(response: _Body, deadline: float) -> bytes:
    """The body. Raises OSError if the deadline has passed, and ValueError if the body is too large."""
    body = b""
    # `read` would wait for each piece of data, and each wait may last the whole timeout.
    while True:
        piece = response.read1(65536)
        if not piece:
            return body
        body += piece
        if len(body) > _MAX_ANSWER_BYTES:
            raise ValueError("the answer is too large")
        if waiting.now() > deadline:
            raise OSError("timed out")


def _json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises ValueError if the body is not one."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise ValueError("the answer is not a JSON object")
    return answer


def _refusal(account: _Account, error: urllib.error.HTTPError, deadline: float) -> OAuth2Error:
    try:
        answer = _json_object(_read(cast(_Body, error), deadline))
    except (OSError, ValueError, http.client.HTTPException):
        answer = {}
    words = _words(answer) or error.reason
    return _failure(account, f"{error.code} {words}", _error_code(answer))


def _error_code(answer: dict[str, Any]) -> str:
    code = answer.get("error")
    return code if isinstance(code, str) else ""


def _words(answer: dict[str, Any]) -> str:
    """The provider's reason: ``'invalid_grant: Token has been expired or revoked.'``, or ``''``."""
    parts = (answer.get("error"), answer.get("error_description"))
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _failure(account: _Account, reason: str, code: str = "") -> OAuth2Error:
    parts = urllib.parse.urlsplit(account.url)
    line = " ".join("".join(character if character.isprintable() else " " for character in reason).split())
    return OAuth2Error(
        f"no access token from https://{parts.hostname}{parts.path}: {_without_secrets(account, line)[:300]}",
        error=_without_secrets(account, code),
    )


def _without_secrets(account: _Account, text: str) -> str:
    # The provider may repeat the secrets in its error text.
    for secret in (account.client_secret, account.refresh_token):
        for shown in (secret, urllib.parse.quote_plus(secret)):
            if len(shown) >= _MIN_REDACTED:
                text = text.replace(shown, REDACTED)
    return text


for _function in (get_oauth2_token, refresh_oauth2_token):
    _function.__module__ = "imapclient.config"
