"""SASL mechanisms (RFC 4422): the responses of a client in an AUTHENTICATE exchange. No I/O."""

from __future__ import annotations

import base64
import contextlib
import importlib
import re
from collections.abc import Generator, Iterator
from typing import Any, Union

from ..exceptions import ProtocolError
from ..util import Text, printable, to_wire

Dialogue = Generator[bytes, bytes, None]
"""A generator that yields the responses. Each challenge after the first is sent to it."""

Failure = Union[dict[str, Any], bytes]
"""The reason for a refusal that the server sends during the exchange: a JSON object, or other bytes."""

# These are not compiled here, because compiling is slow and few programs need all of them.
_SURROGATE = "[\ud800-\udfff]"
_CONTROL = rb"[\x00-\x1f\x7f]"
# iteration-count, an attribute in the server's first message (RFC 5802, 7)
_ITERATIONS = r"(?:\A|,)i=([^,]*)"
_COUNT = r"[1-9][0-9]{0,9}\Z"
# The RFC sets no limit for the nonce. Servers use fewer than 100 characters. The client must send it back.
_NONCE = r"(?:\A|,)r=([^,]*)"
_MAX_NONCE = 1024
# The maximum length of a server's reason, in bytes: to parse it as JSON, and to show it in a message.
_MAX_JSON = 64 * 1024
_MAX_SHOWN = 400


class Mechanism:
    """Base class of the mechanisms. A mechanism of your own needs a ``name`` and a `dialogue`.

    ``client_first`` says whether the client sends the first message. That response may then be sent with the command
    (SASL-IR, RFC 4959). Set ``complete`` before you yield the last response: the server may send OK only after it. If a
    challenge contains the reason for a refusal, store it in ``refusal``. Logs and exceptions do not show what `secrets`
    returns.
    """

    name = ""
    client_first = True
    complete = False
    refusal = b""
    identity: Text = ""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget the last exchange and prepare for the next one."""
        self._running: Dialogue | None = None
        self.complete = False
        self.refusal = b""

    def __call__(self, challenge: bytes) -> bytes:
        """Return the response to a challenge. If ``client_first`` is set, the first challenge is ``b''``.

        Raises ProtocolError if the challenge is not valid in this mechanism, or if the exchange is over.
        """
        try:
            if self._running is None:
                self._running = self.dialogue(challenge)
                return next(self._running)
            return self._running.send(challenge)
        except StopIteration:
            raise ProtocolError(f"{self.name}: the server sent a challenge after the last response") from None

    def dialogue(self, challenge: bytes) -> Dialogue:
        """Yield the responses, starting with the one to ``challenge``. Each ``yield`` returns the next challenge."""
        raise NotImplementedError

    def secrets(self) -> tuple[bytes, ...]:
        """Bytes that must never be logged: the secrets, and the forms in which they are sent."""
        return ()

    @property
    def failure(self) -> Failure | None:
        """The reason for a refusal that the server sent during the exchange: a JSON object, bytes, or None."""
        if len(self.refusal) <= _MAX_JSON:
            # RecursionError: the JSON is nested too deeply.
            with contextlib.suppress(ValueError, RecursionError):
                # Imported late, because few servers send a reason.
                import json

                value = json.loads(self.refusal.decode("utf-8"))
                if isinstance(value, dict):
                    return value
        return self.refusal or None

    @property
    def failure_shown(self) -> str:
        """`failure` as one shortened line for a message, or ``''``."""
        return printable(self.refusal[:_MAX_SHOWN])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity!r}>"


Mechanism.__module__ = "imapclient.sasl"


class Plain(Mechanism):
    """PLAIN (RFC 4616): sends the name and the password as they are, so use it over TLS only.

    ``authorization_identity`` is the user to act as, if that is another user.
    """

    name = "PLAIN"

    def __init__(self, identity: Text, password: Text, authorization_identity: Text | None = None) -> None:
        super().__init__()
        self.identity = identity
        self._password = _without_nul(password, "the password")
        acting_as = _without_nul(authorization_identity or "", "the authorization identity")
        self._message = b"\0".join((acting_as, _without_nul(identity, "the identity"), self._password))

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        yield self._message

    def secrets(self) -> tuple[bytes, ...]:
        return self._password, self._message, base64.b64encode(self._message)


Plain.__module__ = "imapclient.sasl"


class _ServerFirst(Mechanism):
    """Base of the password mechanisms that begin with a challenge from the server."""

    client_first = False

    def __init__(self, identity: Text, password: Text) -> None:
        super().__init__()
        self.identity = identity
        self._identity = _without_nul(identity, "the identity")
        self._password = _without_nul(password, "the password")

    def secrets(self) -> tuple[bytes, ...]:
        return self._password, base64.b64encode(self._password)


class Login(_ServerFirst):
    """LOGIN, which no RFC defines: the server asks for the name, then for the password. Use it over TLS only.

    It is for servers without a better mechanism. The text of the challenges is ignored.
    """

    name = "LOGIN"

    def dialogue(self, challenge: bytes) -> Dialogue:
        yield self._identity
        self.complete = True
        yield self._password


Login.__module__ = "imapclient.sasl"


class CramMD5(_ServerFirst):
    """CRAM-MD5 (RFC 2195): sends a keyed digest of the server's challenge.

    The password is not sent. But somebody who records the exchange can test guesses of the password. The server does
    not prove that it knows the password.
    """

    name = "CRAM-MD5"

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        # Imported late: it is seldom needed, and loads the digests of OpenSSL.
        import hmac

        digest = hmac.new(self._password, challenge, "md5").hexdigest()
        yield b"%s %s" % (self._identity, digest.encode("ascii"))


CramMD5.__module__ = "imapclient.sasl"


class External(Mechanism):
    """EXTERNAL (RFC 4422, appendix A): the server identifies the client by other means, mostly its TLS certificate.

    ``authorization_identity`` is the user to act as, if that is another user.
    """

    name = "EXTERNAL"

    def __init__(self, authorization_identity: Text | None = None) -> None:
        super().__init__()
        self.identity = authorization_identity or ""
        self._message = _without_nul(self.identity, "the authorization identity")

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        yield self._message


External.__module__ = "imapclient.sasl"


class Anonymous(Mechanism):
    """ANONYMOUS (RFC 4505). ``trace`` may identify the user: an e-mail address, or any text of 1 to 255 characters."""

    name = "ANONYMOUS"

    def __init__(self, trace: Text = "") -> None:
        super().__init__()
        self.identity = trace
        self._message = _without_nul(trace, "the trace")

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        yield self._message


Anonymous.__module__ = "imapclient.sasl"


# -- OAuth 2


class _OAuth(Mechanism):
    """Base of both mechanisms: one message. If the server sends a reason for a refusal, a final response follows."""

    _last_word = b""

    def __init__(self, access_token: Text) -> None:
        super().__init__()
        self._token = _without_controls(access_token, "the access token")

    @property
    def _message(self) -> bytes:
        raise NotImplementedError

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        self.refusal = yield self._message
        yield self._last_word

    def secrets(self) -> tuple[bytes, ...]:
        return self._token, self._message, base64.b64encode(self._message)


class XOAuth2(_OAuth):
    """XOAUTH2 of Google, Microsoft and Yahoo: sends an access token of OAuth 2.

    ``vendor`` and another ``name`` are for services that require them. If the server refuses, ``failure`` is its
    reason: ``{'status': '400', 'schemes': 'Bearer', 'scope': 'https://mail.google.com/'}``.
    """

    name = "XOAUTH2"

    def __init__(self, user: Text, access_token: Text, vendor: Text | None = None, *, name: str = "XOAUTH2") -> None:
        super().__init__(access_token)
        self.name = name
        self.identity = user
        self._user = _without_controls(user, "the user")
        self._vendor = b"" if vendor is None else b"vendor=%s\1" % _without_controls(vendor, "the vendor")

    @property
    def _message(self) -> bytes:
        return b"user=%s\1auth=Bearer %s\1%s\1" % (self._user, self._token, self._vendor)


XOAuth2.__module__ = "imapclient.sasl"


class OAuthBearer(_OAuth):
    """OAUTHBEARER (RFC 7628): sends an access token of OAuth 2.

    ``identity`` may be empty if the token contains it. ``host`` and ``port`` are those of the connection. If the server
    refuses, ``failure`` is its reason: ``{'status': 'invalid_token', 'scope': 'mail'}``.
    """

    name = "OAUTHBEARER"
    # RFC 7628, 3.2.3: the server sends NO after this response.
    _last_word = b"\1"

    def __init__(
        self, identity: Text, access_token: Text, *, host: Text | None = None, port: int | None = None
    ) -> None:
        super().__init__(access_token)
        self.identity = identity
        self._identity = _without_controls(identity, "the identity")
        self._host = b"" if host is None else b"host=%s\1" % _without_controls(host, "the host")
        self._port = b"" if port is None else b"port=%d\1" % port

    @property
    def _message(self) -> bytes:
        return b"%s\1%s%sauth=Bearer %s\1\1" % (_gs2_header(self._identity), self._host, self._port, self._token)


OAuthBearer.__module__ = "imapclient.sasl"


def _gs2_header(identity: bytes) -> bytes:
    """The header for no channel binding: b'n,a=ann,' (RFC 5801, 4). Comma and equals sign are escaped."""
    if not identity:
        return b"n,,"
    return b"n,a=%s," % identity.replace(b"=", b"=3D").replace(b",", b"=2C")


# -- SCRAM


class ScramSHA256(Mechanism):
    """SCRAM-SHA-256 (RFC 5802, 7677): client and server prove that they know the password, without sending it.

    It needs the package scramp, which the extra ``scram`` installs. Raises ImportError if scramp is missing. Raises
    ValueError if SASLprep (RFC 4013) forbids the name or the password: control characters, and characters that are
    newer than Unicode 3.2.

    The server sends the number of hash iterations. With fewer than ``MIN_ITERATIONS`` an attacker could guess the
    password from the client's proof (RFC 7677, 4). With more than ``max_iterations`` the client could be busy for
    hours. Both raise ProtocolError before anything is computed. So does a nonce of more than 1024 characters. A million
    iterations take half a second, or up to ten seconds with the version of scramp for Python 3.9.

    There is no channel binding, so the mechanism does not detect a proxy that impersonates the server.

    """

    name = "SCRAM-SHA-256"

    MIN_ITERATIONS = 4096
    MAX_ITERATIONS = 1_000_000

    def __init__(self, identity: Text, password: Text, *, max_iterations: int = MAX_ITERATIONS) -> None:
        super().__init__()
        # Imported here: its table of characters is large, and few sessions need it.
        import unicodedata

        self.identity = identity
        self._identity = _as_str(_without_nul(identity, "the identity"), "the identity")
        self._password = _as_str(_without_nul(password, "the password"), "the password")
        self._max_iterations = max_iterations
        self._scramp = _load_scramp()
        try:
            # Some releases of scramp check the password only when they compute the proof, which would be too late.
            self._scramp.ScramMechanism(self.name).make_auth_info(self._password, self.MIN_ITERATIONS, b"s" * 16)
            first = self._new_client(self._identity).get_client_first()
        except self._scramp.ScramException as error:
            raise ValueError(f"{self.name} can't send this identity or password: {error}") from None
        # Old releases of scramp don't escape comma and equals sign (RFC 5802, 5.1). NFKC turns some other characters
        # into these.
        special = {",", "="}.intersection(unicodedata.normalize("NFKC", self._identity))
        if first.startswith("n,,n=,") or (special and "=3D" not in self._new_client("=").get_client_first()):
            raise ValueError(f"{self.name} needs a newer scramp for an identity that is empty or contains ',' or '='")

    def _new_client(self, identity: str) -> Any:
        return self._scramp.ScramClient([self.name], identity, self._password, c_nonce=_nonce())

    def dialogue(self, challenge: bytes) -> Dialogue:
        client = self._new_client(self._identity)
        server_first = yield client.get_client_first().encode("utf-8")
        if self._says_error(server_first):
            yield b""
            return
        with self._reading():
            message = server_first.decode("utf-8")
            self._check_iterations(message)
            if any(len(nonce) > _MAX_NONCE for nonce in re.findall(_NONCE, message)):
                raise ValueError(f"the nonce is longer than {_MAX_NONCE} characters")
            client.set_server_first(message)
            proof = client.get_client_final().encode("utf-8")
        server_final = yield proof
        if self._says_error(server_final):
            yield b""
            return
        with self._reading():
            client.set_server_final(server_final.decode("utf-8"))
        self.complete = True
        yield b""

    def _says_error(self, challenge: bytes) -> bool:
        """Whether the challenge is a reason for a refusal, such as b'e=invalid-proof'."""
        if challenge.startswith(b"e="):
            self.refusal = challenge
            return True
        return False

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (self._scramp.ScramException, ValueError, TypeError, LookupError) as error:
            # The text must not contain the server's message, which may repeat the proof.
            raise ProtocolError(f"{self.name}: the server's message is not valid: {error}") from None

    def _check_iterations(self, server_first: str) -> None:
        counts = re.findall(_ITERATIONS, server_first)
        low, high = self.MIN_ITERATIONS, self._max_iterations
        if not counts or not all(re.match(_COUNT, count) and low <= int(count) <= high for count in counts):
            raise ValueError(f"the number of iterations must be from {low} to {high}")

    def secrets(self) -> tuple[bytes, ...]:
        password = self._password.encode("utf-8")
        return password, base64.b64encode(password)


ScramSHA256.__module__ = "imapclient.sasl"


class ScramSHA1(ScramSHA256):
    """SCRAM-SHA-1 (RFC 5802): same as `ScramSHA256`, for servers without a better mechanism."""

    name = "SCRAM-SHA-1"


ScramSHA1.__module__ = "imapclient.sasl"


def _load_scramp() -> Any:
    try:
        return importlib.import_module("scramp")
    except ImportError:
        raise ImportError("SCRAM needs scramp, which the extra 'scram' installs: pip install 'scramp>=1.4.6'") from None


def _nonce() -> str:
    # Imported late, because it imports hmac.
    import secrets

    return secrets.token_urlsafe(24)


# -- values


def checked_text(value: Text, what: str) -> bytes:
    """Encode text as UTF-8 and return bytes unchanged. An exception never contains a part of the value."""
    # UnicodeEncodeError would contain the value.
    if isinstance(value, str) and re.search(_SURROGATE, value):
        raise ValueError(f"{what} must not contain half of a surrogate pair")
    return to_wire(value)


def _without_nul(value: Text, what: str) -> bytes:
    data = checked_text(value, what)
    if b"\0" in data:
        raise ValueError(f"{what} must not contain NUL")
    return data


def _without_controls(value: Text, what: str) -> bytes:
    """Encode text. Control characters raise ValueError, because fields end with \\x01.

    A token that was read from a file often ends with a line end.
    """
    data = checked_text(value, what)
    if re.search(_CONTROL, data):
        raise ValueError(f"{what} must not contain control characters")
    return data


def _as_str(data: bytes, what: str) -> str:
    text = data.decode("utf-8", "surrogateescape")
    if re.search(_SURROGATE, text):
        raise ValueError(f"{what} must be UTF-8")
    return text
