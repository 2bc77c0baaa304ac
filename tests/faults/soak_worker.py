"""The work of one user in the soak, over one failing connection after the other."""

from __future__ import annotations

import contextlib
import io
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from imapclient import IMAPClient
from imapclient._wire.sockets import SocketTimeout
from imapclient.exceptions import (
    CommandError,
    ExpungeIssuedError,
    IMAPClientAbortError,
    IMAPClientError,
    ServerBugError,
)
from tests.faults.soak_ledger import Failure, Ledger, message, token_of
from tests.faults.soak_proxy import HOST

#: The maximum time of a step, in seconds.
HANGS = 300.0

_TIMEOUT = SocketTimeout(connect=5.0, read=2.0)
_DIRECT_TIMEOUT = 60
#: After this number of steps the server's folders are compared with the ledger, and emptied.
_EPOCH = 400
_FOLDERS = ("INBOX", "Archive", "Entwürfe")
# What a call may raise whose connection fails: the documented exceptions, and the answer of Dovecot 2.3 to APPEND where
# compressed data end within the message: NO [SERVERBUG] Internal error occurred.
_LOST = (IMAPClientAbortError, OSError, ServerBugError)


class _SourceFailed(Exception):
    """An exception of the program's source of a message."""


class Place(NamedTuple):
    """The ports of the proxy, and those of the server."""

    seed: str
    port: int
    tls_port: int
    direct_port: int
    ssl_context: Callable[[], ssl.SSLContext]
    sessions: Callable[[str], int]
    stop: threading.Event
    pause: float = 0.0


class Worker:
    """The work of one user, over one connection after the other."""

    def __init__(self, name: str, place: Place, *, tls: bool, compresses: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.longest = 0.0
        self.failure: BaseException | None = None
        self.began = time.monotonic()
        self.doing = "start"
        self._name = name
        self._dice = random.Random(f"{place.seed}/{name}")
        self._place = place
        self._port = place.tls_port if tls else place.port
        self._context = place.ssl_context() if tls else None
        self._compresses = compresses
        self._client: IMAPClient | None = None
        self._ledger = Ledger()
        self._number = 0
        self._ways: list[tuple[Callable[[IMAPClient], None], int]] = [
            (self._append, 22),
            (self._fetch, 18),
            (self._search, 10),
            (self._store, 12),
            (self._copy, 8),
            (self._move, 8),
            (self._expunge, 8),
            (self._idle, 3),
            (self._noop, 6),
            (self._folders, 5),
        ]

    def run(self) -> None:
        try:
            with contextlib.suppress(FileExistsError):
                self._direct(self._prepare)
            while not self._place.stop.is_set():
                for _ in range(_EPOCH):
                    if self._place.stop.is_set():
                        break
                    self._do_one()
                self._close()
                self._direct(self._compare)
        except BaseException as error:
            self.failure = error
            self._place.stop.set()
        finally:
            self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.shutdown()

    # -- connections

    def _direct(self, work: Callable[[IMAPClient], None]) -> None:
        """Work over a connection without faults."""
        with IMAPClient(HOST, self._place.direct_port, ssl=False, timeout=_DIRECT_TIMEOUT) as client:
            client.login(self._name, "secret")
            work(client)

    def _prepare(self, client: IMAPClient) -> None:
        client.create_folder("Entwürfe")

    def _compare(self, client: IMAPClient) -> None:
        """Compare the server's folders with the ledger."""
        # Commands of a lost connection may be on their way until the server has received its end.
        deadline = time.monotonic() + HANGS
        while self._place.sessions(self._name) > 1:
            if time.monotonic() > deadline:
                raise Failure(f"{self._name}: the server does not see the end of a connection")
            time.sleep(0.02)
        there: Counter[str] = Counter()
        for folder in _FOLDERS:
            client.select_folder(folder, readonly=True)
            for data in client.fetch("1:*", ["BODY.PEEK[]"]).values():
                there[token_of(data[b"BODY[]"])] += 1
        faults = self._ledger.faults(there)
        if faults:
            raise Failure(f"{self._name}: {len(faults)} messages: {'; '.join(faults[:5])}")
        self.counts["messages compared"] += sum(there.values())
        self.counts.update({f"messages {kind}": count for kind, count in self._ledger.tally().items()})
        for folder in _FOLDERS:
            client.select_folder(folder)
            ids = client.search()
            if ids:
                client.delete_messages(ids, silent=True)
                client.expunge(ids)
        for _, _, name in client.list_folders("", "tmp-*"):
            client.delete_folder(name)
        self._ledger.clear()

    def _connected(self) -> IMAPClient:
        if self._client is None:
            self._number += 1
            tls = self._context is not None
            client = IMAPClient(HOST, self._port, ssl=tls, ssl_context=self._context, timeout=_TIMEOUT)
            self._client = client
            client.login(self._name, "secret")
            if self._compresses:
                client.compress()
            client.select_folder(self._dice.choice(_FOLDERS))
            self.counts["connections"] += 1
        return self._client

    def _do_one(self) -> None:
        """Make one call, or a few that belong together. A failed connection is replaced by a new one."""
        (way,) = self._dice.choices([way for way, _ in self._ways], [weight for _, weight in self._ways])
        self.began, self.doing = time.monotonic(), way.__name__
        try:
            way(self._connected())
        except (*_LOST, _SourceFailed) as error:
            self.counts[f"lost: {type(error).__name__}"] += 1
            client = self._client
            if client is not None and isinstance(error, (IMAPClientAbortError, _SourceFailed)):
                self._is_unusable(client)
            self._close()
        except ExpungeIssuedError:
            # Commands of a lost connection may be executed later, and remove messages that were just found.
            self.counts["answered with EXPUNGEISSUED"] += 1
        except IMAPClientError as error:
            raise Failure(f"{way.__name__}: {error!r}") from error
        spent = time.monotonic() - self.began
        if self._place.pause:
            time.sleep(self._place.pause)
        self.longest = max(self.longest, spent)
        if spent > HANGS:
            raise Failure(f"{way.__name__} took {spent:.0f} s")

    def _is_unusable(self, client: IMAPClient) -> None:
        try:
            client.noop()
        except IMAPClientAbortError:
            return
        raise Failure("a connection that was lost answers")

    # -- the work

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.counts["commands"] += 1
        return function(*arguments, **named)

    def _append(self, client: IMAPClient) -> None:
        self._number += 1
        several = self._dice.random() < 0.3
        tokens = [f"{self._name}-{self._number}-{index}@soak.example" for index in range(3 if several else 1)]
        folder = self._dice.choice(_FOLDERS)
        try:
            if several:
                reply = self._call(client.multiappend, folder, [message(token) for token in tokens])
            else:
                data = message(tokens[0])
                source = self._dice.choice((bytes, io.BytesIO, self._pieces, self._pieces_that_end))(data)
                size = None if isinstance(source, (bytes, io.BytesIO)) else len(data)
                reply = self._call(client.append, folder, source, size=size)
        except (*_LOST, IMAPClientError, _SourceFailed) as error:
            may_be_there = was_sent(error)
            self.counts["appends reported as not sure" if may_be_there else "appends reported as not sent"] += 1
            for token in tokens:
                self._ledger.add(token, 0, 1 if may_be_there else 0)
            raise
        for token in tokens:
            self._ledger.add(token, 1, 1)
        self.counts["messages appended"] += len(tokens)
        if reply.uids is None or len(reply.uids) != len(tokens):
            raise Failure(f"the reply to APPEND has the uids {reply.uids}, for {len(tokens)} messages")

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Append a message that is generated while it is sent."""
        for start in range(0, len(data), 5000):
            yield data[start : start + 5000]

    def _pieces_that_end(self, data: bytes) -> Iterator[bytes]:
        """Append generated messages. Some sources raise before the end."""
        yield data[:100]
        if self._dice.random() < 0.1:
            raise _SourceFailed
        yield data[100:]

    def _some(self, client: IMAPClient) -> dict[int, str]:
        """Select a folder. Return a few of its messages by UID."""
        self._call(client.select_folder, self._dice.choice(_FOLDERS))
        ids = self._call(client.search, "ALL")
        chosen = self._dice.sample(list(ids), min(len(ids), self._dice.choice((1, 2, 5))))
        if not chosen:
            return {}
        found = self._call(client.fetch, chosen, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
        tokens = {}
        for uid, data in found.items():
            header = data[b"BODY[HEADER.FIELDS (MESSAGE-ID)]"]
            tokens[uid] = header.strip()[len(b"Message-ID: <") : -1].decode("ascii")
        if found.errors or not set(tokens) <= set(chosen):
            raise Failure(f"asked for the messages {chosen}, got {tokens}, {found.errors}")
        return tokens

    def _fetch(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        items = ["BODY.PEEK[]", "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE", "INTERNALDATE"]
        if self._dice.random() < 0.3:
            iterator = self._call(client.fetch_iter, list(tokens), items, chunk_messages=2)
            found, errors = dict(iterator), iterator.errors
        else:
            found = self._call(client.fetch, list(tokens), items)
            errors = found.errors
        if errors:
            raise Failure(f"unreadable: {errors}")
        for uid, data in found.items():
            if token_of(data[b"BODY[]"]) != tokens[uid] or data[b"RFC822.SIZE"] != len(data[b"BODY[]"]):
                raise Failure(f"message {uid} is {token_of(data[b'BODY[]'])}, not {tokens[uid]}")
            if data[b"ENVELOPE"].message_id != b"<%s>" % tokens[uid].encode():
                raise Failure(f"the envelope of {tokens[uid]} has {data[b'ENVELOPE'].message_id!r}")

    def _search(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        for uid, token in list(tokens.items())[:1]:
            found = self._call(client.search, ["HEADER", "MESSAGE-ID", f"<{token}>"])
            if uid not in found and uid in self._call(client.search, "ALL"):
                raise Failure(f"the search for {token} does not find it")
        ids = self._call(client.sort, "ARRIVAL")
        if sorted(ids) != sorted(set(ids)):
            raise Failure(f"sorted twice: {ids}")

    def _store(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if tokens:
            flag = self._dice.choice((b"\\Seen", b"\\Flagged", b"Work"))
            change = self._dice.choice((client.add_flags, client.remove_flags))
            flags = self._call(change, list(tokens), flag)
            for uid, found in flags.items():
                if (flag in found) != (change == client.add_flags):
                    raise Failure(f"{change.__name__} {flag!r} of {uid}: {found}")

    def _other_folder(self, client: IMAPClient) -> str:
        return self._dice.choice(_FOLDERS)

    def _copy(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        try:
            reply = self._call(client.copy, list(tokens), self._other_folder(client))
        except _LOST:
            for token in tokens.values():
                self._ledger.add(token, 0, 1)
            raise
        copied = set() if reply.source_uids is None else set(reply.source_uids)
        for uid, token in tokens.items():
            if uid in copied:
                self._ledger.add(token, 1, 1)

    def _move(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if tokens:
            # The number of copies does not change, with or without the command.
            self._call(client.move, list(tokens), self._other_folder(client))

    def _expunge(self, client: IMAPClient) -> None:
        tokens = self._some(client)
        if not tokens:
            return
        try:
            self._call(client.delete_messages, list(tokens), silent=True)
            self._call(client.uid_expunge, list(tokens))
        except _LOST:
            for token in tokens.values():
                self._ledger.add(token, -1, 0)
            raise
        for token in tokens.values():
            self._ledger.add(token, -1, -1)

    def _idle(self, client: IMAPClient) -> None:
        """IDLE reports a message that another connection appends."""
        self._call(client.select_folder, "INBOX")
        self._call(client.idle)
        self._number += 1
        token = f"{self._name}-{self._number}@soak.example"
        self._direct(lambda direct: self._append_direct(direct, token))
        heard: list[Any] = []
        deadline = time.monotonic() + 10
        while not any(item[1:] == (b"EXISTS",) for item in heard):
            if time.monotonic() > deadline:
                # A stalled connection looks like a quiet one. The next command shows the difference.
                self.counts["idle heard nothing"] += 1
                break
            heard += client.idle_check(timeout=1)
        self._call(client.idle_done)

    def _append_direct(self, direct: IMAPClient, token: str) -> None:
        direct.append("INBOX", message(token))
        self._ledger.add(token, 1, 1)

    def _noop(self, client: IMAPClient) -> None:
        self._call(client.noop)
        if b"IDLE" not in client.capabilities():
            raise Failure(f"capabilities: {client.capabilities()}")

    def _folders(self, client: IMAPClient) -> None:
        self._number += 1
        name = f"tmp-{self._number}-&ü"
        self._call(client.create_folder, name)
        if not self._call(client.folder_exists, name):
            raise Failure(f"{name} is not there")
        self._call(client.subscribe_folder, name)
        status = self._call(client.folder_status, name, ["MESSAGES", "UIDNEXT"])
        if status[b"MESSAGES"] != 0:
            raise Failure(f"{name} has {status}")
        self._call(client.unsubscribe_folder, name)
        self._call(client.rename_folder, name, name + "2")
        self._call(client.delete_folder, name + "2")


def was_sent(error: BaseException) -> bool:
    """Whether the server may have the message of an append that raised this."""
    return not isinstance(error, CommandError) and getattr(error, "message_sent", True)
