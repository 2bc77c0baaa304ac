"""Each SASL mechanism that a server offers, on each server over each transport. OAuth is in test_auth_dovecot.py.

The library does not have DIGEST-MD5 and CRAM with SHA. They are implemented here for `IMAPClient.sasl_login`, as in a
user's program.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Callable, Union

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import LoginError
from imapclient.sasl import CramMD5, External, Login, Mechanism, Plain, ScramSHA1, ScramSHA256
from tests.helpers.live import LiveServer, live_server_of
from tests.helpers.mail_server import MailServer

pytestmark = pytest.mark.live

Callback = Callable[[bytes], bytes]


def _cram(digest: str) -> Callable[[str, str], Callback]:
    def make(user: str, password: str) -> Callback:
        return lambda challenge: f"{user} {hmac.new(password.encode(), challenge, digest).hexdigest()}".encode()

    return make


_DIGEST_FIELD = re.compile(r'([\w-]+)=(?:"([^"]*)"|([^,]*))')


def _digest_md5(user: str, password: str) -> Callback:
    """RFC 2831, without the optional parts."""

    def respond(challenge: bytes) -> bytes:
        pairs = _DIGEST_FIELD.findall(challenge.decode())
        fields = {key: quoted or bare for key, quoted, bare in pairs}
        if "rspauth" in fields:
            return b""
        uri, cnonce, nonce, realm = "imap/localhost", "0123456789abcdef", fields["nonce"], fields["realm"]
        secret = hashlib.md5(f"{user}:{realm}:{password}".encode()).digest() + f":{nonce}:{cnonce}".encode()
        first, second = hashlib.md5(secret), hashlib.md5(f"AUTHENTICATE:{uri}".encode())
        joined = f"{first.hexdigest()}:{nonce}:00000001:{cnonce}:auth:{second.hexdigest()}"
        return (
            f'charset=utf-8,username="{user}",realm="{realm}",nonce="{nonce}",nc=00000001,cnonce="{cnonce}",'
            f'digest-uri="{uri}",response={hashlib.md5(joined.encode()).hexdigest()},qop=auth'
        ).encode()

    return respond


_Maker = Union[Callable[[str, str], Mechanism], Callable[[str, str], Callback]]

_WITH_PASSWORD: dict[str, _Maker] = {
    "PLAIN": Plain,
    "LOGIN": Login,
    "CRAM-MD5": CramMD5,
    "SCRAM-SHA-1": ScramSHA1,
    "SCRAM-SHA-256": ScramSHA256,
    "DIGEST-MD5": _digest_md5,
    "CRAM-SHA1": _cram("sha1"),
    "CRAM-SHA256": _cram("sha256"),
}
# Tokens and ANONYMOUS are in test_auth_dovecot.py, certificates below.
_OTHER = {"ANONYMOUS", "OAUTHBEARER", "XOAUTH2", "EXTERNAL"}
# The library does not have channel binding.
_UNKNOWN = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"}

_OFFERED = {
    "dovecot": {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"},
    "cyrus": {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"},
    "courier": {"PLAIN", "LOGIN", "CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256"},
    "pymap": {"PLAIN", "LOGIN"},
}


def _offered(client: IMAPClient) -> set[str]:
    words = [word.decode("ascii") for word in client.capabilities()]
    return {word.removeprefix("AUTH=") for word in words if word.startswith("AUTH=")}


def _authenticate(client: IMAPClient, name: str, user: str, password: str) -> bytes:
    made = _WITH_PASSWORD[name](user, password)
    return client.authenticate(made) if isinstance(made, Mechanism) else client.sasl_login(name, made)


def test_each_mechanism_with_a_password(live_server: LiveServer) -> None:
    client = live_server.connect(logged_in=False)
    assert _offered(client) - _OTHER - _UNKNOWN == _OFFERED[live_server.name]
    for name in sorted(_OFFERED[live_server.name]):
        client = live_server.connect(logged_in=False)
        _authenticate(client, name, live_server.user, live_server.password)
        assert client.select_folder("INBOX")[b"EXISTS"] == 0
        client.logout()


# Courier answers a wrong password only after five seconds. test_connections.py tries one.
@pytest.mark.parametrize("server", ["dovecot", "cyrus", "pymap"])
def test_a_wrong_password_with_each_mechanism(server: str, request: pytest.FixtureRequest) -> None:
    with live_server_of(request, server, "plain") as live:
        client = live.connect(logged_in=False)
        for name in sorted(_OFFERED[server]):
            with pytest.raises(LoginError) as caught:
                _authenticate(client, name, live.user, "wrong")
            assert caught.value.status == "NO"
            assert "wrong" not in str(caught.value)
        client.login(live.user, live.password)
        assert client.folder_exists("INBOX")


@pytest.mark.parametrize("starttls", [False, True], ids=["tls", "starttls"])
def test_client_certificate(mail_server: MailServer, starttls: bool) -> None:
    context = mail_server.client_certificate_context("bob")
    port = mail_server.port if starttls else mail_server.tls_port
    with IMAPClient(mail_server.host, port, ssl=not starttls, ssl_context=context, timeout=60) as client:
        if starttls:
            client.starttls(context)
        assert client.has_capability("AUTH=EXTERNAL")
        client.authenticate(External())
        assert client.select_folder("INBOX", readonly=True)[b"READ-ONLY"]
