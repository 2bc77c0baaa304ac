"""The session that the grid of faults breaks: the calls of a mail program, from the greeting to the logout.

`steps` are its calls. The value of each is reduced to the part that is the same in each repetition on an empty mailbox.
`Site` is a server on which the session can be repeated.
"""

from __future__ import annotations

import contextlib
import datetime
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from imapclient import IMAPClient
from tests.helpers.dovecot import Dovecot
from tests.helpers.scripted_peer import ScriptedPeer

PASSWORD = "secret"
MESSAGE = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Mon, 7 Feb 2022 21:52:25 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n* BYE\r\n) A1 OK {5}\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)
TIME = datetime.datetime(2022, 2, 7, 21, 52, 25, tzinfo=datetime.timezone.utc)
Step = tuple[str, Callable[[IMAPClient], Any]]


def _append(client: IMAPClient) -> Any:
    return str(client.append("INBOX", MESSAGE, ["\\Seen"], TIME).uids)


def _multiappend(client: IMAPClient) -> Any:
    return str(client.multiappend("INBOX", [{"msg": MESSAGE, "date": TIME}, {"msg": MESSAGE, "date": TIME}]).uids)


def _select(client: IMAPClient) -> Any:
    found = client.select_folder("INBOX")
    return {name: found.get(name) for name in (b"EXISTS", b"FLAGS", b"READ-WRITE")}


def _fetch(client: IMAPClient) -> Any:
    return dict(
        client.fetch([1, 2], ["FLAGS", "INTERNALDATE", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "RFC822.SIZE"])
    )


def _idle(client: IMAPClient) -> Any:
    client.idle()
    heard = client.idle_check(0.02)
    return [item for item in heard + client.idle_done()[1] if item[0] != b"OK"]


def steps(user: str) -> tuple[Step, ...]:
    """Make the calls in order. The texts of LOGIN, LOGOUT and CREATE are for people, and are not compared."""
    return (
        ("login", lambda client: client.login(user, PASSWORD) and None),
        ("list", lambda client: sorted(client.list_folders(), key=repr)),
        ("create", lambda client: client.create_folder("Copies") and None),
        ("append", _append),
        ("multiappend", _multiappend),
        ("select", _select),
        ("search", lambda client: list(client.search(["SUBJECT", "Gr\u00fc\u00dfe"]))),
        ("fetch", _fetch),
        ("store", lambda client: dict(client.add_flags([1, 2], ["\\Flagged"]) or {})),
        ("copy", lambda client: list(client.copy([1, 2], "Copies").pairs())),
        ("move", lambda client: list(client.move([3], "Copies").pairs())),
        ("status", lambda client: client.folder_status("Copies", ["MESSAGES"])),
        ("idle", _idle),
        ("logout", lambda client: client.logout() and None),
    )


class Visit(NamedTuple):
    """An empty mailbox for one repetition of the session."""

    host: str
    port: int
    user: str
    ssl_context: ssl.SSLContext | None = None

    def connect(self, port: int, timeout: float) -> IMAPClient:
        """Return a client of the server, or of the proxy at ``port``."""
        if self.ssl_context is None:
            return IMAPClient(self.host, port, ssl=False, timeout=timeout)
        return IMAPClient(self.host, port, ssl_context=self.ssl_context, timeout=timeout)


class Site:
    """A server. `visit` yields a new mailbox for each session."""

    name = ""
    #: Whether a test can search for a message that came over a lost connection.
    keeps = True

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def _new_user(self) -> str:
        # All names have the same length, so that the bytes of all sessions have the same positions.
        with self._lock:
            self._count += 1
            return f"u{self._count:06d}"

    @contextlib.contextmanager
    def visit(self) -> Iterator[Visit]:
        raise NotImplementedError
        yield


class DovecotSite(Site):
    name = "dovecot"

    def __init__(self, server: Dovecot, *, tls: bool = False) -> None:
        super().__init__()
        self._server = server
        self._tls = tls
        self.name = "dovecot-tls" if tls else "dovecot"

    @contextlib.contextmanager
    def visit(self) -> Iterator[Visit]:
        user = ("t" if self._tls else "p") + self._new_user()
        self._server.add_user(user, PASSWORD)
        port, context = (self._server.tls_port, self._server.ssl_context) if self._tls else (self._server.port, None)
        yield Visit(self._server.host, port, user, context)


class EmbeddedSite(Site):
    name = "embedded"

    @contextlib.contextmanager
    def visit(self) -> Iterator[Visit]:
        from imapclient.embedded_server import EmbeddedServer

        # It starts within milliseconds.
        with EmbeddedServer(users={"ann": PASSWORD}) as server:
            yield Visit(server.host, server.port, "ann")


class ScriptedSite(Site):
    name = "scripted"
    keeps = False

    @contextlib.contextmanager
    def visit(self) -> Iterator[Visit]:
        peer = ScriptedPeer(_SCRIPT, timeout=60)
        try:
            yield Visit(peer.host, peer.port, "ann")
        finally:
            # After a broken session a part of the script is left.
            peer.close()


def _literal(message: bytes) -> str:
    return message.decode().replace("\r\n", "\\r\\n")


_SIZE = len(MESSAGE)
_ENVELOPE = (
    '("Mon, 7 Feb 2022 21:52:25 +0000" "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" (("Ann" NIL "ann" "example.org")) NIL NIL '
    '((NIL NIL "bob" "example.org")) NIL NIL NIL "<1@example.org>")'
)
_FETCHED = (
    f'FLAGS (\\Seen) INTERNALDATE "07-Feb-2022 21:52:25 +0000" ENVELOPE {_ENVELOPE} '
    'BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 35 4 NIL NIL NIL NIL) RFC822.SIZE '
    f"{_SIZE} BODY[] {{{_SIZE}}}"
)
_SCRIPT = f"""
    S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE LITERAL+ MULTIAPPEND ENABLE] ready
    C: A1 LOGIN "ann" "secret"
    S: A1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE LITERAL+ MULTIAPPEND ENABLE] Logged in
    C: A2 LIST "" "*"
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: * LIST (\\HasNoChildren) "/" {{5}}
    S: Draft
    S: A2 OK done
    C: A3 CREATE "Copies"
    S: A3 OK done
    C: A4 APPEND "INBOX" (\\Seen) "07-Feb-2022 21:52:25 +0000" {{{_SIZE}+}}
    Cx: {_literal(MESSAGE)}
    S: A4 OK [APPENDUID 1 1] done
    C: A5 APPEND "INBOX" "07-Feb-2022 21:52:25 +0000" {{{_SIZE}+}}
    Cx-: {_literal(MESSAGE)}
    C:  "07-Feb-2022 21:52:25 +0000" {{{_SIZE}+}}
    Cx: {_literal(MESSAGE)}
    S: A5 OK [APPENDUID 1 2:3] done
    C: A6 SELECT "INBOX"
    S: * 3 EXISTS
    S: * FLAGS (\\Seen \\Flagged)
    S: * OK [UIDVALIDITY 1] x
    S: A6 OK [READ-WRITE] done
    C: A7 UID SEARCH CHARSET UTF-8 SUBJECT {{7}}
    S: + go
    C: Grüße
    S: * SEARCH 1 2 3
    S: A7 OK done
    C: A8 UID FETCH 1:2 (FLAGS INTERNALDATE ENVELOPE BODYSTRUCTURE BODY.PEEK[] RFC822.SIZE)
    S: * 1 FETCH (UID 1 {_FETCHED}
    Sx-: {_literal(MESSAGE)}
    S: )
    S: * 4 EXISTS
    S: * 2 FETCH (UID 2 {_FETCHED}
    Sx-: {_literal(MESSAGE)}
    S: )
    S: A8 OK done
    C: A9 UID STORE 1:2 +FLAGS (\\Flagged)
    S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged))
    S: * 2 FETCH (FLAGS (\\Flagged) UID 2)
    S: A9 OK done
    C: A10 UID COPY 1:2 "Copies"
    S: A10 OK [COPYUID 2 1:2 1:2] done
    C: A11 UID MOVE 3 "Copies"
    S: * OK [COPYUID 2 3 3] done
    S: * 3 EXPUNGE
    S: A11 OK done
    C: A12 STATUS "Copies" (MESSAGES)
    S: * STATUS Copies (MESSAGES 3)
    S: A12 OK done
    C: A13 IDLE
    S: + idling
    S: * 3 EXISTS
    C: DONE
    S: A13 OK done
    C: A14 LOGOUT
    S: * BYE bye
    S: A14 OK done
    CLOSE
"""


def embedded_is_there() -> bool:
    """Whether this interpreter has what the embedded server needs."""
    from imapclient.embedded_server import EmbeddedServer

    return EmbeddedServer().unavailable_reason() is None
