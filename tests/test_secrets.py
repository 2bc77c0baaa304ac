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
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from imapclient import IMAPClient
from imapclient._accounts.oauth2 import AccessToken, get_oauth2_token
from imapclient._connection.redaction import REDACTED
from imapclient.config import Settings, parse_config_file
from imapclient.events import Reconnect
from imapclient.exceptions import (
    AlreadyExistsError,
    CommandError,
    IMAPClientAbortError,
    IMAPClientError,
    InvalidCriteriaError,
    LoginError,
    NonexistentError,
    ProtocolError,
    UnavailableError,
)
from imapclient.sasl import CramMD5, Login, Mechanism, OAuthBearer, Plain, ScramSHA1, ScramSHA256, XOAuth2
from tests.helpers.dialogue import dialogue
from tests.helpers.loopback_server import AcceptingServer

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
                # What of a message could not be read is data, and there for whoever asks.
                fields = {name: value for name, value in vars(one).items() if name != "value"}
                self.text.write(f"\n{one}\n{one!r}\n{one.args!r}\n{fields!r}")

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


class Repeating(AcceptingServer):
    """A server that repeats all that it was told, in the way it is asked to, as a careless or a hostile one may."""

    def __init__(self, ending: str) -> None:
        super().__init__()
        #: What it heard of the exchange, without the command's first words.
        self.heard: list[bytes] = []
        self._ending = ending
        #: What it says to each later command, in turn: ``{tag}`` and ``{told}`` are filled in.
        self.later: list[str] = []
        self._received = b""

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(60)
        with sock, sock.makefile("rb") as lines:
            self._talk(sock, lines)

    def _talk(self, sock: socket.socket, lines: Any) -> None:
        auth = " ".join(f"AUTH={name}" for name in ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "X-MINE"))
        scram = "AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256"
        sock.sendall(f"* OK [CAPABILITY {_CAPABILITIES} {auth} {scram}] ready\r\n".encode())
        while True:
            line = lines.readline()
            if len(line.split()) < 2:
                # The end, or a literal to which a BYE was the answer.
                return
            tag, command, *rest = line.split(None, 2)
            if command not in (b"LOGIN", b"AUTHENTICATE"):
                if self.later and command != b"CAPABILITY":
                    answer = self.later.pop(0).encode().replace(b"{tag}", tag).replace(b"{told}", self._received)
                    sock.sendall(answer.replace(b"{size}", b"{%d}" % len(self._received)) + b"\r\n")
                    continue
                sock.sendall(f"* CAPABILITY {_CAPABILITIES}\r\n".encode() if command == b"CAPABILITY" else b"")
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
            told = b" ".join([*heard, *map(_decoded, heard)])
            self._received = _in_many_forms(told)
            if not self._end(sock, tag, told.replace(b"\0", b" ")):
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


_CAPABILITIES = "IMAP4rev1 SASL-IR IDLE SORT THREAD=REFERENCES NAMESPACE QUOTA ACL ID"


def _in_many_forms(told: bytes) -> bytes:
    """What was told, as it came, in base64 and in a URL."""
    forms = [told, *(base64.b64encode(b"x" * before + told) for before in range(3)), quote(told, safe="").encode()]
    return b" ".join(forms).replace(b"\0", b" ").replace(b"\r", b" ").replace(b"\n", b" ")


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
            client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
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


def _refused(error: IMAPClientError) -> bool:
    return isinstance(error, AlreadyExistsError) and error.status == "NO" and error.code == (b"ALREADYEXISTS", ())


def _unread(error: IMAPClientError) -> bool:
    return isinstance(error, ProtocolError) and not isinstance(error, IMAPClientAbortError)


def _ended(error: IMAPClientError) -> bool:
    return isinstance(error, IMAPClientAbortError)


#: Calls after the login, what the server says to them, and what the error is.
_LATER: list[tuple[Callable[[IMAPClient], Any], str, Callable[[IMAPClientError], bool]]] = [
    (lambda client: client.create_folder("x"), "{tag} NO [ALREADYEXISTS] There is {told}", _refused),
    (lambda client: client.create_folder("x"), "{tag} NO [ALREADYEXISTS {told}] There is", _refused),
    (lambda client: client.create_folder("x"), "* NO told: {told}\r\n{tag} NO [ALREADYEXISTS] it is", _refused),
    (lambda client: client.noop(), "{tag} BAD {told}?", lambda error: str(error).startswith("NOOP failed: ")),
    (lambda client: client.search("X"), "{tag} BAD {told}", lambda error: isinstance(error, InvalidCriteriaError)),
    (lambda client: client.folder_status("x"), "* STATUS {told} (\r\n{tag} OK done", _unread),
    (lambda client: client.folder_status("x"), "* STATUS x (X {told}\r\n{tag} OK {told}", _unread),
    (lambda client: client.list_folders(), "* LIST ({told}\r\n{tag} OK done", _unread),
    (lambda client: client.search(), "* SEARCH {told}\r\n{tag} OK done", _unread),
    (lambda client: client.sort("DATE"), "* SORT 5 {told}\r\n{tag} OK done", _unread),
    (lambda client: client.thread(), "* THREAD (5 {told}\r\n{tag} OK done", _unread),
    (lambda client: client.namespace(), '* NAMESPACE (("" {told}\r\n{tag} OK done', _unread),
    (lambda client: client.namespace(), "* NAMESPACE {size}\r\n{told} NIL NIL\r\n{tag} OK done", _unread),
    (lambda client: client.getacl("x"), "* ACL x ({told}\r\n{tag} OK done", _unread),
    (lambda client: client.get_quota("x"), "* QUOTAROOT x y\r\n* QUOTA y ({told}\r\n{tag} OK done", _unread),
    (lambda client: client.id_(), "* ID ({told}\r\n{tag} OK done", _unread),
    (lambda client: client.fetch(5, "ENVELOPE"), "* 1 FETCH (UID 5 ENVELOPE ({told}\r\n{tag} OK [X {told}] x", _unread),
    (lambda client: client.fetch(5, "X"), "* 1 FETCH (UID 5 RFC822.SIZE {size}\r\n{told})\r\n{tag} OK", _unread),
    (lambda client: client.select_folder("x"), "{tag} OK [READ-ONLY] {told}", lambda error: "writable" in str(error)),
    (lambda client: client.idle(), "{tag} NO {told}", lambda error: str(error).startswith("IDLE failed: ")),
    (lambda client: client.noop(), "* BYE {told}", _ended),
    (lambda client: client.noop(), "* BYE [X {told}] bye", _ended),
    (lambda client: client.noop(), "+ {told}", _ended),
    (lambda client: client.noop(), "x{tag} OK {told}", _ended),
    (lambda client: client.noop(), "{told}", _ended),
    (lambda client: client.append("x", b"abc"), "+ go\r\n* BYE {told}", _ended),
]  # fmt: skip


@pytest.mark.parametrize("name", _LOGINS)
def test_no_secret_is_said_later(name: str, said: Said) -> None:
    """A server may keep what it was told, and repeat it in answer to any command."""
    with Repeating(_plausible(name)) as server:
        client: IMAPClient | None = None
        for call, answer, is_right in _LATER:
            if client is None:
                client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
                client.strict = True
                with contextlib.suppress(LoginError):
                    _LOGINS[name](client)
                client.on_unsolicited = _complain
            server.later = [answer]
            with pytest.raises(IMAPClientError) as caught:
                call(client)
            assert is_right(caught.value), answer
            said.error(caught.value)
            said.objects(client, client._imap)
            if not client._imap.is_usable:
                with pytest.raises(IMAPClientAbortError) as caught:
                    client.noop()
                said.error(caught.value)
                client.shutdown()
                client = None
        assert client is None
    assert "it was told" in said.text.getvalue()
    assert_silent(said, server.heard)


def _plausible(name: str) -> str:
    """An OK where the server has nothing to prove; SCRAM takes none from one that does not know the password."""
    return "no" if name.startswith("SCRAM") else "ok"


def _complain(item: object) -> None:
    raise RuntimeError("it was told")


@pytest.mark.parametrize("password", ["a", "Mailbox", "NONEXISTENT", "failed"])
def test_a_password_that_is_a_word_of_the_servers(password: str) -> None:
    """It goes out of the text, and out of nothing else."""
    script = f"""
        C: A1 LOGIN "ann" "{password}"
        S: A1 OK in
        C: A2 CREATE "x"
        S: A2 NO [NONEXISTENT] a Mailbox of ann NONEXISTENT failed, already
    """
    with dialogue(script, login=False) as client:
        client.login("ann", password)
        with pytest.raises(NonexistentError) as caught:
            client.create_folder("x")
        words = "a Mailbox of ann NONEXISTENT failed, already".replace(f"{password} ", f"{REDACTED} ")
        assert caught.value.text == words.replace("failed,", f"{REDACTED}," if password == "failed" else "failed,")
        assert caught.value.code == (b"NONEXISTENT", ())
        assert str(caught.value).startswith("CREATE failed: [")


def test_a_name_is_no_secret() -> None:
    """Only what is said beside it is."""
    name = base64.b64encode(b"ann@example").decode()
    word = base64.b64encode(b"hunter2").decode()
    script = f"""
        C: A1 AUTHENTICATE LOGIN
        S: +
        C: {name}
        S: +
        C: {word}
        S: A1 OK in
        C: A2 NOOP
        S: A2 NO ann@example {name} hunter2 {word}
    """
    with dialogue(script, login=False) as client:
        client.authenticate(Login("ann@example", "hunter2"))
        with pytest.raises(CommandError) as caught:
            client.noop()
        assert caught.value.text == f"ann@example {name} {REDACTED} {REDACTED}"


@pytest.mark.parametrize("code", ["ALERT", "AUTHENTICATIONFAILED", "UNAVAILABLE"])
def test_connections_that_are_too_many_are_known_whatever_the_password(code: str) -> None:
    """Gmail's answer, with ALERT, which has no code that says so: watch() tries such a login again."""
    script = f"""
        C: A1 LOGIN "ann" "connections"
        S: A1 NO [{code}] Too many simultaneous connections. (Failure)
    """
    with dialogue(script, login=False) as client:
        with pytest.raises(UnavailableError) as caught:
            client.login("ann", "connections")
        assert isinstance(caught.value, LoginError)
        assert caught.value.text == f"Too many simultaneous {REDACTED}. (Failure)"


@pytest.mark.parametrize("name", _LOGINS)
def test_what_could_not_be_read_of_a_message_says_no_secret(name: str, said: Said) -> None:
    with Repeating(_plausible(name)) as server:
        client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
        with contextlib.suppress(LoginError):
            _LOGINS[name](client)
        server.later = ["* 1 FETCH (UID 5 RFC822.SIZE {size}\r\n{told} FLAGS (a))\r\n{tag} OK done"]
        result = client.fetch(5, ["FLAGS", "RFC822.SIZE"])
        assert result[5][b"FLAGS"] == (b"a",)
        (error,) = result.errors
        assert isinstance(error.value, bytes)
        said.error(error)
        client.shutdown()
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
        client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
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
            client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
            client.login("ann", PASSWORD)
            watching = client.watch(
                "INBOX", reconnect=Reconnect(("ann", PASSWORD), attempts=2, first_delay=0, max_delay=0)
            )
            server._ending = ending
            client._imap._exchange.transport.close()
            client._imap._exchange.failure = None
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
