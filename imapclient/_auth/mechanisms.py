"""SASL mechanisms (RFC 4422): what a client sends in an AUTHENTICATE exchange. No I/O. The door: `imapclient.sasl`."""

from __future__ import annotations

import base64
import contextlib
import importlib
import re
import unicodedata
from collections.abc import Generator, Iterator
from typing import Any, Union

from ..exceptions import ProtocolError
from ..util import Text, printable, to_wire

Dialogue = Generator[bytes, bytes, None]
"""Yields the responses, and is sent each challenge after the first."""

Failure = Union[dict[str, Any], bytes]
"""What a server says in the exchange about why it refuses: a JSON object, or the bytes where it is none."""

# These are text, of which `re` makes expressions where they are first needed.
_SURROGATE = "[\ud800-\udfff]"
_CONTROL = rb"[\x00-\x1f\x7f]"
# iteration-count, an attribute of the server's first message (RFC 5802, 7)
_ITERATIONS = r"(?:\A|,)i=([^,]*)"
_COUNT = r"[1-9][0-9]{0,9}\Z"
# The RFC sets no limit. Servers use less than a hundred characters; the client has to repeat them.
_NONCE = r"(?:\A|,)r=([^,]*)"
_MAX_NONCE = 1024
# How much of a server's reasons for a failure is read as JSON, and how much stands in a message.
_MAX_JSON = 64 * 1024
_MAX_SHOWN = 400


class Mechanism:
    """Base of the mechanisms. One of your own has a ``name`` and a `dialogue`.

    ``client_first`` says whether the client speaks first, so that its first response may go with the command (SASL-IR,
    RFC 4959). ``complete`` must become True before the response after which the server may say OK. A challenge in which
    the server gives its reasons for a refusal goes to ``refusal``. What `secrets` returns is kept out of logs and
    exceptions.
    """

    name = ""
    client_first = True
    complete = False
    refusal = b""
    identity: Text = ""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget an exchange, so that another one may begin."""
        self._running: Dialogue | None = None
        self.complete = False
        self.refusal = b""

    def __call__(self, challenge: bytes) -> bytes:
        """The response to a challenge; the first one is ``b''`` for a mechanism in which the client speaks first.

        Raises ProtocolError for a challenge that is not as the mechanism has it, or that comes after the last one.
        """
        try:
            if self._running is None:
                self._running = self.dialogue(challenge)
                return next(self._running)
            return self._running.send(challenge)
        except StopIteration:
            raise ProtocolError(f"{self.name} has no answer to a further challenge") from None

    def dialogue(self, challenge: bytes) -> Dialogue:
        """Yield the responses, the first one to ``challenge``; ``yield`` gives the next challenge."""
        raise NotImplementedError

    def secrets(self) -> tuple[bytes, ...]:
        """What must never be logged: secrets and the forms in which they are sent."""
        return ()

    @property
    def failure(self) -> Failure | None:
        """Why the server refused, if it said so in the exchange: the JSON object of OAuth, or bytes."""
        if len(self.refusal) <= _MAX_JSON:
            # RecursionError: what is nested as deep as that.
            with contextlib.suppress(ValueError, RecursionError):
                # Here, since few servers say why they refuse, and few programs need json otherwise.
                import json

                value = json.loads(self.refusal.decode("utf-8"))
                if isinstance(value, dict):
                    return value
        return self.refusal or None

    @property
    def failure_shown(self) -> str:
        """`failure` for a message, as one line, shortened; ``''`` where there is none."""
        return printable(self.refusal[:_MAX_SHOWN])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity!r}>"


Mechanism.__module__ = "imapclient.sasl"


class Plain(Mechanism):
    """PLAIN (RFC 4616): name and password as they are, so only over TLS.

    ``authorization_identity`` is the user to act as, where that is another one.
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


class Login(Mechanism):
    """LOGIN, which no RFC has: the server asks for the name, then for the password. Only over TLS.

    For servers that have nothing better. The wording of their questions is not looked at.
    """

    name = "LOGIN"
    client_first = False

    def __init__(self, identity: Text, password: Text) -> None:
        super().__init__()
        self.identity = identity
        self._identity = _without_nul(identity, "the identity")
        self._password = _without_nul(password, "the password")

    def dialogue(self, challenge: bytes) -> Dialogue:
        yield self._identity
        self.complete = True
        yield self._password

    def secrets(self) -> tuple[bytes, ...]:
        return self._password, base64.b64encode(self._password)


Login.__module__ = "imapclient.sasl"


class CramMD5(Mechanism):
    """CRAM-MD5 (RFC 2195): a keyed digest of the server's challenge.

    The password does not go over the wire, but whoever reads along can try out guesses of it. The server does not prove
    that it knows the password.
    """

    name = "CRAM-MD5"
    client_first = False

    def __init__(self, identity: Text, password: Text) -> None:
        super().__init__()
        self.identity = identity
        self._identity = _without_nul(identity, "the identity")
        self._password = _without_nul(password, "the password")

    def dialogue(self, challenge: bytes) -> Dialogue:
        self.complete = True
        # Here, since it is seldom needed and loads OpenSSL's digests.
        import hmac

        digest = hmac.new(self._password, challenge, "md5").hexdigest()
        yield b"%s %s" % (self._identity, digest.encode("ascii"))

    def secrets(self) -> tuple[bytes, ...]:
        return self._password, base64.b64encode(self._password)


CramMD5.__module__ = "imapclient.sasl"


class External(Mechanism):
    """EXTERNAL (RFC 4422, appendix A): the server knows who it is, by the client's TLS certificate mostly.

    ``authorization_identity`` is the user to act as, where that is another one.
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
    """ANONYMOUS (RFC 4505). ``trace`` may say who it is: an e-mail address, or any text of 1 to 255 characters."""

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
    """What both mechanisms have: one message, and a last word after the server has said why it refuses."""

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
    """XOAUTH2, as Google, Microsoft and Yahoo have it: an access token of OAuth 2.

    ``vendor`` and another ``name`` are for services that ask for them. What a server says of a refusal is in
    ``failure``: ``{'status': '400', 'schemes': 'Bearer', 'scope': 'https://mail.google.com/'}``.
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
    """OAUTHBEARER (RFC 7628): an access token of OAuth 2.

    ``identity`` may be empty where the token tells it. ``host`` and ``port`` are those that the client connected to.
    What a server says of a refusal is in ``failure``: ``{'status': 'invalid_token', 'scope': 'mail'}``.
    """

    name = "OAUTHBEARER"
    # RFC 7628, 3.2.3: the server's NO comes after this.
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
    """Without channel binding: b'n,a=ann,' (RFC 5801, 4). Comma and equals sign are escaped."""
    if not identity:
        return b"n,,"
    return b"n,a=%s," % identity.replace(b"=", b"=3D").replace(b",", b"=2C")


# -- SCRAM


class ScramSHA256(Mechanism):
    """SCRAM-SHA-256 (RFC 5802, 7677): both sides prove that they know the password, and neither tells it.

    It needs the package scramp, which the extra ``scram`` installs; ImportError without it. ValueError for a name or
    password that SASLprep (RFC 4013) forbids: control characters, and characters younger than Unicode 3.2.

    The server says how often the password is to be hashed. Fewer than ``MIN_ITERATIONS`` would make the password easy
    to guess from the client's proof (RFC 7677, 4), and more than ``max_iterations`` could keep the client busy for
    hours: both raise ProtocolError before anything is computed, as does a nonce of more than 1024 characters. A million
    iterations take half a second, with the scramp that Python 3.9 gets up to ten seconds.

    Without channel binding: a proxy in between that the client takes for the server is not found out.
    """

    name = "SCRAM-SHA-256"

    MIN_ITERATIONS = 4096
    MAX_ITERATIONS = 1_000_000

    def __init__(self, identity: Text, password: Text, *, max_iterations: int = MAX_ITERATIONS) -> None:
        super().__init__()
        self.identity = identity
        self._identity = _as_str(_without_nul(identity, "the identity"), "the identity")
        self._password = _as_str(_without_nul(password, "the password"), "the password")
        self._max_iterations = max_iterations
        self._scramp = _load_scramp()
        try:
            # Some releases look at the password only when the proof is made, which would be too late.
            self._scramp.ScramMechanism(self.name).make_auth_info(self._password, self.MIN_ITERATIONS, b"s" * 16)
            first = self._new_client(self._identity).get_client_first()
        except self._scramp.ScramException as error:
            raise ValueError(f"{self.name} can't carry this identity or password: {error}") from None
        # Old releases don't escape comma and equals sign (RFC 5802, 5.1), which some other characters are turned into.
        special = {",", "="}.intersection(unicodedata.normalize("NFKC", self._identity))
        if first.startswith("n,,n=,") or (special and "=3D" not in self._new_client("=").get_client_first()):
            raise ValueError(f"{self.name} needs a newer scramp for an identity that is empty or has ',' or '=' in it")

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
        """Whether the server says why it will refuse, such as b'e=invalid-proof'."""
        if challenge.startswith(b"e="):
            self.refusal = challenge
            return True
        return False

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (self._scramp.ScramException, ValueError, TypeError, LookupError) as error:
            # Without the message, in which a server may repeat the proof.
            raise ProtocolError(f"{self.name}: the server's message is not acceptable: {error}") from None

    def _check_iterations(self, server_first: str) -> None:
        counts = re.findall(_ITERATIONS, server_first)
        low, high = self.MIN_ITERATIONS, self._max_iterations
        if not counts or not all(re.match(_COUNT, count) and low <= int(count) <= high for count in counts):
            raise ValueError(f"the number of iterations is not from {low} to {high}")

    def secrets(self) -> tuple[bytes, ...]:
        password = self._password.encode("utf-8")
        return password, base64.b64encode(password)


ScramSHA256.__module__ = "imapclient.sasl"


class ScramSHA1(ScramSHA256):
    """SCRAM-SHA-1 (RFC 5802): as `ScramSHA256`, for servers that have no better one."""

    name = "SCRAM-SHA-1"


ScramSHA1.__module__ = "imapclient.sasl"


def _load_scramp() -> Any:
    try:
        return importlib.import_module("scramp")
    except ImportError:
        raise ImportError("SCRAM needs scramp, which the extra 'scram' installs: pip install 'scramp>=1.4.6'") from None


def _nonce() -> str:
    # Here for the same reason as hmac: it imports that.
    import secrets

    return secrets.token_urlsafe(24)


# -- values


def checked_text(value: Text, what: str) -> bytes:
    """Text as UTF-8, bytes as they are. An exception has no part of the value in it."""
    # UnicodeEncodeError would carry all of it.
    if isinstance(value, str) and re.search(_SURROGATE, value):
        raise ValueError(f"{what} has half of a surrogate pair in it")
    return to_wire(value)


def _without_nul(value: Text, what: str) -> bytes:
    data = checked_text(value, what)
    if b"\0" in data:
        raise ValueError(f"{what} must not contain NUL")
    return data


def _without_controls(value: Text, what: str) -> bytes:
    """Fields end at \\x01. Of the others a line end is the likeliest, from a token that was read from a file."""
    data = checked_text(value, what)
    if re.search(_CONTROL, data):
        raise ValueError(f"{what} must not contain control characters")
    return data


def _as_str(data: bytes, what: str) -> str:
    text = data.decode("utf-8", "surrogateescape")
    if re.search(_SURROGATE, text):
        raise ValueError(f"{what} is not UTF-8")
    return text
