"""No password, token or SASL message shows up anywhere: logs at DEBUG, repr and str, exceptions, tracebacks, stderr.

For each way to log in, and for each way in which a server may answer, also by repeating what it was told. All that the
process has said is searched for the secrets, in the clear and within any base64, and for each line of the exchange.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import logging
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.config import Settings, parse_config_file
from imapclient.events import Reconnect
from imapclient.exceptions import IMAPClientError
from imapclient.oauth2 import AccessToken, get_oauth2_token
from imapclient.sasl import CramMD5, Login, Mechanism, OAuthBearer, Plain, ScramSHA1, ScramSHA256, XOAuth2

#: What each secret has in it: rare enough to be found.
TELLTALE = "Zq77sEcReTtelltaLe"
#: It needs quoting, and is not ASCII.
PASSWORD = f'pä"s\\{TELLTALE} x'
TOKEN = f"ya29.{TELLTALE}-_~/=="


def forms(text: str) -> set[str]:
    """A text as it may stand in what is shown: in the clear, and within the base64 of anything that has it."""
    data = text.encode()
    found = {text}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data + b"\0\0").decode()
        # The ends depend on what stands beside.
        found.add(encoded[(8 * before + 5) // 6 : (8 * (before + len(data))) // 6])
    return found


def test_the_forms_are_found_in_any_base64() -> None:
    for before, after in itertools.product(("", "a", "ab", "abc"), repeat=2):
        encoded = base64.b64encode(f"{before}{TELLTALE}{after}".encode()).decode()
        assert any(form in encoded for form in forms(TELLTALE)), (before, after)


class Said:
    """All that the process says while it is open."""

    def __init__(self) -> None:
        self.text = io.StringIO()

    def error(self, error: BaseException) -> None:
        """An exception with all that hangs on it, as a program may show it."""
        self.text.write("".join(_messages_of_traceback(error)))
        seen: set[int] = set()
        todo: list[BaseException | None] = [error]
        while todo:
            one = todo.pop()
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                todo += [one.__cause__, one.__context__]
                self.text.write(f"\n{one}\n{one!r}\n{one.args!r}\n{vars(one)!r}")

    def objects(self, *roots: object) -> None:
        """Objects of this package, and those of this package that they hold, as repr and str show them."""
        seen: set[int] = set()
        todo = list(roots)
        while todo:
            one = todo.pop()
            if id(one) in seen or not type(one).__module__.startswith("imapclient"):
                continue
            seen.add(id(one))
            self.text.write(f"\n{one!r}\n{one!s}")
            for value in getattr(one, "__dict__", {}).values():
                todo += list(value) if isinstance(value, (list, tuple, set)) else [value]


def _messages_of_traceback(error: BaseException) -> Iterator[str]:
    """A traceback without the lines of source code, which may be the tests' own."""
    for line in traceback.format_exception(type(error), error, error.__traceback__):
        yield "\n".join(part for part in line.split("\n") if not part.startswith("    "))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Said]:
    """Logs at DEBUG of every logger, standard output and error, and what the test adds."""
    said = Said()
    handler = logging.StreamHandler(said.text)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    caplog.set_level(logging.DEBUG, "imapclient")
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stderr(said.text), contextlib.redirect_stdout(said.text):
            yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def assert_silent(said: Said, heard: list[bytes] | None = None) -> None:
    """None of the secrets was said, nor any line of the exchange that the server heard."""
    text = said.text.getvalue()
    assert len(text) > 50
    lines = [line.decode("utf-8", "replace") for line in heard or () if len(line) > 8]
    for secret in [*forms(TELLTALE), *lines]:
        assert secret not in text, text[max(0, text.index(secret) - 300) : text.index(secret) + 300]


class Repeating:
    """A server that repeats all that it was told, in the way it is asked to, as a careless or a hostile one may."""

    def __init__(self, ending: str) -> None:
        #: What it heard of the exchange, without the command's first words.
        self.heard: list[bytes] = []
        self._ending = ending
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Repeating:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(10)
                with sock, sock.makefile("rb") as lines, contextlib.suppress(OSError):
                    self._talk(sock, lines)

    def _talk(self, sock: socket.socket, lines: Any) -> None:
        auth = " ".join(f"AUTH={name}" for name in ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "X-MINE"))
        scram = "AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256"
        sock.sendall(f"* OK [CAPABILITY IMAP4rev1 SASL-IR IDLE {auth} {scram}] ready\r\n".encode())
        while True:
            line = lines.readline()
            if not line:
                return
            tag, command, *rest = line.split(None, 2)
            if command not in (b"LOGIN", b"AUTHENTICATE"):
                sock.sendall(tag + b" OK done\r\n")
                continue
            heard = [rest[0].rstrip(b"\r\n")]
            while literal := re.search(rb"\{(\d+)\}\Z", heard[-1]):
                sock.sendall(b"+ go\r\n")
                heard += [lines.read(int(literal.group(1))), lines.readline().rstrip(b"\r\n")]
            if command == b"AUTHENTICATE":
                name, *initial = heard[0].split()
                heard = [*initial]
                for challenge in _challenges(name, initial):
                    sock.sendall(b"+ " + base64.b64encode(challenge(heard)) + b"\r\n")
                    heard.append(lines.readline().rstrip(b"\r\n"))
            if command == b"AUTHENTICATE":
                # What a person names himself by is no secret.
                self.heard += [text for text in heard if text != base64.b64encode(b"ann")]
            if not self._end(sock, tag, b" ".join([*heard, *map(_decoded, heard)]).replace(b"\0", b" ")):
                return

    def _end(self, sock: socket.socket, tag: bytes, told: bytes) -> bool:
        told = told.replace(b"\r", b" ").replace(b"\n", b" ")
        endings = {
            "ok": b"%s OK in" % tag,
            "ok, repeated": b"%s OK [X %s] in" % (tag, told),
            "no": b"%s NO [AUTHENTICATIONFAILED] wrong: %s" % (tag, told),
            "bad": b"%s BAD what is %s" % (tag, told),
            "untagged": b"* OK told: %s\r\n* X-TOLD %s\r\n%s NO no" % (told, told, tag),
            "bye": b"* BYE told: %s" % told,
            "nonsense": told,
            "another tag": b"%s OK" % told,
            "a challenge": b"+ %s" % told,
            "a challenge in base64": b"+ %s" % base64.b64encode(told),
            "the end": b"",
        }
        sock.sendall(endings[self._ending] + b"\r\n" if endings[self._ending] else b"")
        return self._ending.startswith("ok") or self._ending in ("no", "bad", "untagged")


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _challenges(name: bytes, initial: list[bytes]) -> list[Callable[[list[bytes]], bytes]]:
    """What the server says in turn, from what it has heard."""
    empty: Callable[[list[bytes]], bytes] = lambda heard: b""  # noqa: E731
    if name == b"LOGIN":
        return [lambda heard: b"User Name", lambda heard: b"Password"]
    if name == b"CRAM-MD5":
        return [lambda heard: b"<1@example>"]
    if name.startswith(b"SCRAM"):

        def server_first(heard: list[bytes]) -> bytes:
            nonce = re.search(rb"r=([^,]*)", base64.b64decode(heard[-1]))
            assert nonce is not None
            return b"r=%sx,s=QSXCR+Q6sek8bf92,i=4096" % nonce.group(1)

        return [*([] if initial else [empty]), server_first]
    return [] if initial else [empty]


_LOGINS: dict[str, Callable[[IMAPClient], Any]] = {
    "login": lambda client: client.login("ann", PASSWORD),
    "login with bytes": lambda client: client.login(b"ann", PASSWORD.encode()),
    "login in ASCII": lambda client: client.login("ann", TELLTALE),
    "plain_login": lambda client: client.plain_login("ann", PASSWORD, "bob"),
    "oauth2_login": lambda client: client.oauth2_login("ann", TOKEN, vendor="acme"),
    "oauthbearer_login": lambda client: client.oauthbearer_login("ann", TOKEN),
    "PLAIN": lambda client: client.authenticate(Plain("ann", PASSWORD)),
    "LOGIN": lambda client: client.authenticate(Login("ann", PASSWORD)),
    "CRAM-MD5": lambda client: client.authenticate(CramMD5("ann", PASSWORD)),
    "SCRAM-SHA-1": lambda client: client.authenticate(ScramSHA1("ann", PASSWORD)),
    "SCRAM-SHA-256": lambda client: client.authenticate(ScramSHA256("ann", PASSWORD)),
    "XOAUTH2": lambda client: client.authenticate(XOAuth2("ann", TOKEN)),
    "OAUTHBEARER": lambda client: client.authenticate(OAuthBearer("ann", TOKEN, host="h", port=1)),
    "sasl_login": lambda client: client.sasl_login("X-MINE", lambda challenge: TOKEN),
    "sasl_login, initial": lambda client: client.sasl_login("X-MINE", lambda c: TOKEN, initial_response=TOKEN),
}
_ENDINGS = (
    "ok", "ok, repeated", "no", "bad", "untagged", "bye", "nonsense", "another tag", "a challenge",
    "a challenge in base64", "the end",
)  # fmt: skip


@pytest.mark.parametrize("name", _LOGINS)
def test_no_secret_is_said(name: str, said: Said) -> None:
    for ending in _ENDINGS:
        with Repeating(ending) as server:
            client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
            # imaplib's own log, to standard error.
            client._imap.debug = 10
            try:
                result = _LOGINS[name](client)
                said.text.write(f"succeeded: {type(result)}\n")
                client.noop()
            except IMAPClientError as error:
                said.error(error)
            with contextlib.suppress(IMAPClientError):
                client.noop()
            said.objects(client, client._imap)
            if hasattr(client._imap, "print_log"):
                client._imap.print_log()
            client.shutdown()
        assert TELLTALE in PASSWORD
        assert server.heard or "login" in name
        assert_silent(said, server.heard)


def test_the_objects_that_hold_secrets_hide_them(said: Said) -> None:
    mechanisms: list[Mechanism] = [
        Plain("ann", PASSWORD), Login("ann", PASSWORD), CramMD5("ann", PASSWORD), ScramSHA1("ann", PASSWORD),
        ScramSHA256("ann", PASSWORD), XOAuth2("ann", TOKEN), OAuthBearer("ann", TOKEN),
    ]  # fmt: skip
    settings = Settings(
        username="ann", password=PASSWORD, oauth2_client_secret=TELLTALE, oauth2_refresh_token=TELLTALE, alternates={}
    )
    said.objects(settings, AccessToken(TOKEN, 5.0), *mechanisms)
    said.objects(*(Reconnect(login) for login in (("ann", PASSWORD), mechanisms[0])))
    said.text.write(f"{[AccessToken(TOKEN, 1.0)]} {settings.__dict__.keys()}")
    assert_silent(said)


@pytest.mark.parametrize("make", [Plain, Login, CramMD5, XOAuth2, OAuthBearer, ScramSHA1])
def test_what_can_not_be_sent_is_not_said(make: Callable[[str, Any], object], said: Said) -> None:
    for secret in (f"{TELLTALE}\0", f"{TELLTALE}\ud800", 5):
        with pytest.raises((ValueError, TypeError)) as caught:
            make("ann", secret)
        said.error(caught.value)
    assert_silent(said)


def test_login_with_what_can_not_be_sent(said: Said) -> None:
    with Repeating("no") as server:
        client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
        for secret in (f"{TELLTALE}\0", f"{TELLTALE}\ud800"):
            with pytest.raises(ValueError, match="password") as caught:
                client.login("ann", secret)
            said.error(caught.value)
        client.shutdown()
    assert_silent(said)


def test_connecting_again_says_nothing(said: Said) -> None:
    """Also where the login is refused, and the server repeats it."""
    for ending in ("no", "bye", "nonsense"):
        with Repeating("ok") as server:
            client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
            client.login("ann", PASSWORD)
            watching = client.watch(
                "INBOX", reconnect=Reconnect(("ann", PASSWORD), attempts=2, first_delay=0, max_delay=0)
            )
            server._ending = ending
            client._imap._transport.close()
            client._imap._broken = None
            with pytest.raises(Exception) as caught:  # noqa: PT011  whichever it is
                list(watching)
            said.error(caught.value)
            said.text.write(f"{watching!r}")
            said.objects(client)
            client.shutdown()
        assert_silent(said, server.heard)


@pytest.mark.parametrize("url", ["http://id:{}@host.example/token", "https://id:{}@host.example/token", "id:{}@host"])
def test_credentials_in_an_address(url: str, said: Said, tmp_path: Any) -> None:
    url = url.format(TELLTALE)
    with pytest.raises(ValueError, match="oauth2_token_url") as caught:
        get_oauth2_token("host.example", "id", "client-secret", "refresh", token_url=url)
    said.error(caught.value)
    path = tmp_path / "my.ini"
    path.write_text(f"[DEFAULT]\nhost = h\noauth2 = true\noauth2_token_url = {url}\n")
    with pytest.raises(ValueError, match="oauth2_token_url") as caught:
        parse_config_file(path)
    said.error(caught.value)
    assert_silent(said)
