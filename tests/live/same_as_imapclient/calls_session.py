"""Connecting, capabilities, TLS, logging in and out, ID, ENABLE, NOOP, IDLE, and commands in the wrong state."""

from __future__ import annotations

import operator
import ssl
import time
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from .messages import EVERYWHERE, PLAIN
from .place import Calls, Place, RawConnection
from .recording import Recorded


def attributes(place: Place) -> None:
    """The attributes of a client, and failing connections."""
    client = place.client(logged_in=False)
    names = ("host", "ssl", "ssl_context", "stream", "use_uid", "folder_encode", "normalise_times", "welcome")
    for name in names:
        place.call(f"client.{name}", getattr, client._, name)
    place.call("client.port == port", lambda: client._.port == place.port)
    place.call("client.socket() is connected", lambda: client._.socket().getpeername()[1] == place.port)
    for name in ("Error", "AbortError", "ReadOnlyError"):
        place.call(f"IMAPClient.{name}", lambda kind: kind.__mro__[:2], getattr(IMAPClient, name))
        place.call(f"client.{name}", operator.is_, getattr(client._, name), getattr(IMAPClient, name))
    other = place.client(logged_in=False, use_uid=False, timeout=SocketTimeout(60, 80))
    place.call("client.use_uid of use_uid=False", lambda: other._.use_uid)
    place.call("client.socket() has the read timeout", lambda: other._.socket().gettimeout())
    place.call("SocketTimeout", lambda: SocketTimeout(connect=1, read=2.5))
    place.call("IMAPClient(stream=True, ssl=False, port=1)", lambda: IMAPClient("cat", port=1, ssl=False, stream=True))
    place.call("IMAPClient with a port where nobody listens", lambda: IMAPClient(place.host, 1, ssl=False))
    place.call("IMAPClient with an unknown host", lambda: IMAPClient("nowhere.invalid", ssl=False))
    place.call("IMAPClient of a command that ends", lambda: IMAPClient("true", ssl=False, stream=True))
    place.call("use as a context manager", lambda: _entered(place))
    place.call("use after a with statement", lambda: _after_with(place))


def _entered(place: Place) -> Any:
    with place.client(logged_in=False)._ as client:
        return client.login(place.user, place.password), type(client) is IMAPClient


def _after_with(place: Place) -> Any:
    with place.client()._ as client:
        pass
    return client.noop()


def tls(place: Place) -> None:
    """TLS from the first byte and by STARTTLS, with a trusted certificate and with an untrusted one."""

    def connected(**options: Any) -> Any:
        client = IMAPClient(place.host, place.tls_port, timeout=60, **options)
        try:
            return client.login(place.user, place.password), type(client.socket()).__name__, client.ssl
        finally:
            client.logout()

    place.call("TLS", lambda: connected(ssl_context=place.ssl_context))
    place.call("TLS with an authority that is not trusted", connected)
    place.call("TLS with a context that trusts nobody", lambda: connected(ssl_context=ssl.create_default_context()))
    client = place.client(logged_in=False)
    client.starttls(place.ssl_context)
    client.capabilities()
    client.starttls(place.ssl_context)
    client.login(place.user, place.password)
    place.client(logged_in=False).starttls()
    place.client().starttls(place.ssl_context)
    encrypted = place.client(logged_in=False, port=place.tls_port, ssl=True, ssl_context=place.ssl_context)
    encrypted.starttls(place.ssl_context)
    encrypted.starttls()


def capabilities(place: Place) -> None:
    client = place.client(logged_in=False)
    client.capabilities()
    for name in ("IMAP4rev1", "imap4REV1", b"IMAP4rev1", "STARTTLS", "IDLE", "NONSENSE", ""):
        client.has_capability(name)
    client._.login(place.user, place.password)
    client.capabilities()
    for name in ("IMAP4rev1", b"uidplus", "UIDPLUS", "AUTH=PLAIN", "QUOTA", "SORT", "literal+"):
        client.has_capability(name)


def login(place: Place) -> None:
    for user, password in (
        (place.user, place.password),
        (place.user.encode(), place.password.encode()),
        (place.user, place.password.encode()),
        (place.user, "wrong"),
        ("nobody", "wrong"),
        (place.user, ""),
        ("", ""),
        (place.user, 'a "quoted" \\ password'),
        (place.user, "pässwörd"),
        ("ünknown", "secret"),
        (place.user, "pässwörd".encode()),
    ):
        client = place.client(logged_in=False)
        client.login(user, password)
    client.login(place.user, place.password)
    client.login(place.user, place.password)
    keywords = place.client(logged_in=False)
    keywords.login(username=place.user, password=place.password)


def authenticate(place: Place) -> None:
    """The logins by AUTHENTICATE, also if the server does not have the mechanism."""

    def client() -> Any:
        return place.client(logged_in=False)

    client().plain_login(place.user, place.password)
    client().plain_login(place.user, place.password, place.user)
    client().plain_login(place.user, place.password, authorization_identity="")
    client().plain_login(place.user, "wrong")
    client().plain_login("", "")
    failed = client()
    failed.plain_login("nobody", "wrong")
    failed.login(place.user, place.password)
    client().oauth2_login(place.user, "token")
    client().oauth2_login(place.user, "token", mech="OAUTHBEARER")
    client().oauth2_login(place.user, "token", vendor="example")
    client().oauthbearer_login(place.user, "token")

    challenges: list[bytes] = []

    def plain(challenge: bytes) -> str:
        challenges.append(challenge)
        return f"\0{place.user}\0{place.password}"

    def plain_bytes(challenge: bytes) -> bytes:
        return plain(challenge).encode()

    client().sasl_login("PLAIN", plain)
    place.call("challenges of PLAIN", lambda: challenges[:])
    client().sasl_login("PLAIN", plain_bytes)
    client().sasl_login("NONSENSE", plain)
    client().sasl_login("PLAIN", lambda challenge: None)
    client().sasl_login("PLAIN", lambda challenge: "\0nobody\0wrong")

    def broken(challenge: bytes) -> str:
        raise KeyError("the callable's own error")

    place.call("sasl_login with a callable that raises", lambda: client()._.sasl_login("PLAIN", broken))
    if place.is_dovecot:
        client().sasl_login("LOGIN", lambda challenge: place.user if b"User" in challenge else place.password)
        client().sasl_login("login", lambda challenge: place.user if b"User" in challenge else "wrong")
        client().sasl_login("ANONYMOUS", lambda challenge: "trace")
        logged_in = place.client()
        logged_in.plain_login(place.user, place.password)


def logout(place: Place) -> None:
    client = place.client()
    client.logout()
    client.noop()
    client.capabilities()
    client.search()
    client.select_folder("INBOX")
    client.logout()
    client = place.client(logged_in=False)
    client.logout()
    client = place.client()
    client.shutdown()
    client.noop()
    client.fetch(1, "FLAGS")
    client.shutdown()


def id_(place: Place) -> None:
    for client in (place.client(logged_in=False), place.client()):
        client.id_()
        client.id_(None)
        client.id_({})
        client.id_({"name": 'a "test"', "version": "1"})
        client.id_({"name": None})
        client.id_({b"name": b"bytes"})
        client.id_("text")


def enable(place: Place) -> None:
    client = place.client()
    client.enable("CONDSTORE")
    client.enable("CONDSTORE")
    client.enable(b"QRESYNC", "NONSENSE")
    client.enable("nonsense")
    client.enable()
    client.select_folder("INBOX")
    client.enable("CONDSTORE")
    place.client(logged_in=False).enable("CONDSTORE")


def namespace(place: Place) -> None:
    client = place.client()
    client.namespace()
    found = client._.namespace() if client._.has_capability("NAMESPACE") else None
    if found is not None:
        place.call("namespace().personal", lambda: (found.personal, found.other, found.shared, found[0]))
    client._.folder_encode = False
    client.namespace()
    place.client(logged_in=False).namespace()


def noop(place: Place) -> None:
    raw = place.seed(EVERYWHERE)
    client = place.client()
    client.noop()
    client._.select_folder("INBOX")
    client.noop()
    raw.command("APPEND INBOX {5+}\r\nhello")
    client.noop()
    raw.command("SELECT INBOX")
    raw.command("STORE 1 FLAGS (\\Seen Work)")
    raw.command("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.noop()
    raw.command("EXPUNGE")
    client.noop()
    client.noop()
    place.client(logged_in=False).noop()


def idle(place: Place) -> None:
    raw = place.seed([PLAIN])
    client = place.client()
    client._.select_folder("INBOX")
    client.idle()
    client.idle_check(0)
    client.idle_check(timeout=0.01)
    if place.is_dovecot:
        _idle_with_another(place, client, raw)
    client.idle_done()
    client.noop()
    client.idle()
    client.idle_done()
    client.search()
    place.client(logged_in=False).idle()
    unselected = place.client()
    unselected.idle()
    unselected.idle_check(0)
    unselected.idle_done()
    unselected.idle_check(0)


def _idle_with_another(place: Place, client: Recorded, raw: RawConnection) -> None:
    """Not on the embedded server: pymap sends a response in several pieces, and IMAPClient fails at that."""
    place.call(
        "IDLE: a message arrives", lambda: _received_size(client._, raw, "APPEND INBOX {5+}\r\nhello", b"EXISTS")
    )
    raw.command("SELECT INBOX")
    place.call("IDLE: flags change", lambda: _received_size(client._, raw, "STORE 1 +FLAGS (\\Flagged Work)", b"FETCH"))
    raw.command("STORE 1 +FLAGS.SILENT (\\Deleted)")
    place.call("IDLE: flags change again", lambda: _received_size(client._, None, "", b"FETCH"))
    place.call("IDLE: a message is expunged", lambda: _received_size(client._, raw, "EXPUNGE", b"EXPUNGE"))


def _received_size(client: IMAPClient, raw: RawConnection | None, command: str, awaited: bytes) -> list[Any]:
    """Receive the responses of IDLE to a change by another connection, until the given response."""
    if raw is not None:
        raw.command(command)
    responses: list[Any] = []
    end = time.monotonic() + 60
    while not any(awaited in item for item in responses) and time.monotonic() < end:
        responses += client.idle_check(timeout=60)
    return sorted((item for item in responses if item != (b"OK", b"Still here")), key=repr)


def wrong_state(place: Place) -> None:
    """Commands before the login, and before a folder is selected."""
    arguments: tuple[Any, ...]
    for method, arguments in (
        ("select_folder", ("INBOX",)),
        ("list_folders", ()),
        ("create_folder", ("x",)),
        ("folder_exists", ("INBOX",)),
        ("append", ("INBOX", b"x")),
        ("getacl", ("INBOX",)),
        ("multiappend", ("INBOX", [b"x"])),
        ("search", ()),
    ):
        client = place.client(logged_in=False)
        getattr(client, method)(*arguments)
        client.capabilities()
    for method, arguments in (
        ("search", ()),
        ("sort", ("ARRIVAL",)),
        ("thread", ()),
        ("fetch", (1, ["FLAGS"])),
        ("get_flags", ([1],)),
        ("add_flags", ([1], "\\Seen")),
        ("delete_messages", (1,)),
        ("copy", ([1], "INBOX")),
        ("move", ([1], "INBOX")),
        ("expunge", ()),
        ("uid_expunge", ([1],)),
        ("close_folder", ()),
        ("unselect_folder", ()),
        ("gmail_search", ("x",)),
        ("get_gmail_labels", ([1],)),
        ("add_gmail_labels", ([1], ["x"])),
    ):
        client = place.client()
        getattr(client, method)(*arguments)
        client.noop()


def stream(place: Place) -> None:
    """Over standard input and output of a command, which begins with PREAUTH. IMAPClient fails at PREAUTH."""
    command = place.stream
    if command is None:
        return
    place.call("stream", lambda: IMAPClient(command, ssl=False, stream=True).logout())
    place.call("stream, ssl left out", lambda: IMAPClient(command, stream=True).logout())
    place.call("stream, with a timeout", lambda: IMAPClient(command, ssl=False, stream=True, timeout=60).logout())


GROUPS: dict[str, Calls] = {
    group.__name__.rstrip("_"): group
    for group in (
        attributes,
        tls,
        capabilities,
        login,
        authenticate,
        logout,
        id_,
        enable,
        namespace,
        noop,
        idle,
        wrong_state,
        stream,
    )
}
