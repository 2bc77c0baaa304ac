"""An account for the live tests: its connections, and the one folder in which the tests work.

The next test uses the same connections and folders. Many servers limit the number of logins, and some take seconds to
delete a folder.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import re
import time
import uuid
from typing import Any, NamedTuple

from imapclient import IMAPClient
from imapclient.config import Settings, create_client_from_config
from imapclient.exceptions import CommandError

from ..imapclient import SocketTimeout

PREFIX = "imapclient-livetest-"
"""The beginning of the name of the folder that each run creates. The prefix of the user's namespace precedes it."""

# The timeout if the file sets none, so that no test waits for ever.
_TIMEOUT_SECONDS = 60.0
# A folder of this age is from a run that has ended.
_OLD_SECONDS = 24 * 60 * 60


class Facts(NamedTuple):
    """What a server reports about itself after the login."""

    greeting: str
    identification: str
    """The response to ID: ``'name Dovecot, version 2.3.19'``; empty if the server does not have ID."""
    capabilities: tuple[str, ...]


class Account:
    """One account: its open connections that no test uses at the moment, and the folder of this run."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        #: None before the first connection.
        self.facts: Facts | None = None
        self._connections: list[IMAPClient] = []
        self._folders: list[str] = []
        self._numbers = itertools.count(1)
        self._top: str | None = None
        self.delimiter = ""

    # -- connections

    def connect(
        self, *, timeout: float | SocketTimeout | None = None, login: bool = True, section: str | None = None
    ) -> IMAPClient:
        """Open a new connection. It has the settings of ``section`` if one is given."""
        settings = copy.copy(self.settings if section is None else self.settings.alternates[section])
        # timeout may also be a SocketTimeout, which a file can't contain.
        vars(settings)["timeout"] = timeout or settings.timeout or _TIMEOUT_SECONDS
        return create_client_from_config(settings, login=login)

    def take(self) -> IMAPClient:
        """Return a logged-in connection without a selected folder: one from an earlier test, or a new one."""
        while self._connections:
            client = self._connections.pop()
            try:
                client.noop()
            except (IMAPClient.Error, OSError):
                client.shutdown()
            else:
                return client
        client = self.connect()
        if self.facts is None:
            self.facts = _facts(client)
            self._begin(client)
        return client

    def give_back(self, client: IMAPClient) -> None:
        """Keep a connection for the next test, in its original state. Close it if it is broken."""
        client.use_uid = client.folder_encode = client.normalise_times = True
        try:
            client.noop()
            # CLOSE expunges. That is harmless here, because the folder belongs to the tests.
            client.close_folder()
        except (IMAPClient.AbortError, OSError):
            client.shutdown()
            return
        except IMAPClient.Error:
            # The connection is in IDLE, or no folder is selected, or the folder is read-only. A connection in IDLE is
            # kept too: NOOP in `take` then fails, and the connection is closed.
            pass
        self._connections.append(client)

    # -- folders

    @property
    def top(self) -> str:
        """The folder of this run, which contains all others: ``'imapclient-livetest-67e2c1ab0f3d9a41'``."""
        if self._top is None:
            raise RuntimeError("the account has no folder yet; call take() first")
        return self._top

    def new_name(self, suffix: str = "") -> str:
        """Return the name of a folder inside `top` that does not exist yet: ``'imapclient-livetest-.../12-suffix'``."""
        return f"{self.top}{self.delimiter or '-'}{next(self._numbers)}{suffix}"

    def take_folder(self, client: IMAPClient) -> str:
        """Return the name of an empty folder that no other test uses now. Its next UID is greater than 1."""
        while self._folders:
            name = self._folders.pop()
            with contextlib.suppress(CommandError):
                _empty(client, name)
                return name
        name = self.new_name()
        client.create_folder(name)
        # UIDs must differ from sequence numbers, so that a test fails if it confuses them.
        client.append(name, b"Subject: the first\r\n\r\n")
        _empty(client, name)
        return name

    def give_back_folder(self, name: str) -> None:
        """Keep a folder for another test."""
        self._folders.append(name)

    def _begin(self, client: IMAPClient) -> None:
        root = root_of(client)
        _flags, delimiter, _name = client.list_folders("", "")[0]
        self.delimiter = (delimiter or b"").decode("ascii")
        for top in old_folders(client):
            delete_tree(client, top, self.delimiter)
        self._top = f"{root}{PREFIX}{int(time.time()):08x}{uuid.uuid4().hex[:8]}"
        client.create_folder(self._top)

    def close(self) -> None:
        """Delete the folder of this run with everything in it, and log out."""
        if self._top is not None:
            client = self.take()
            delete_tree(client, self._top, self.delimiter)
            self._top = None
            self._connections.append(client)
        self.log_out()

    def log_out(self) -> None:
        """Log out of all connections."""
        while self._connections:
            with self._connections.pop():
                pass


def _facts(client: IMAPClient) -> Facts:
    identification = ""
    if client.has_capability("ID"):
        fields = client.id_({"name": "imapclient"})[0] or ()
        pairs = zip(fields[::2], fields[1::2])
        identification = ", ".join(f"{_text(name)} {_text(value)}" for name, value in pairs if value is not None)
    return Facts(_text(client.welcome), identification, tuple(_text(word) for word in client.capabilities()))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _empty(client: IMAPClient, folder: str) -> None:
    if client.select_folder(folder)[b"EXISTS"]:
        client.delete_messages("1:*", silent=True)
        client.expunge()
    client.close_folder()


def root_of(client: IMAPClient) -> str:
    """Return the prefix of the user's own folders: ``''`` or ``'INBOX.'``, for example."""
    if not client.has_capability("NAMESPACE"):
        return ""
    personal = client.namespace().personal
    return personal[0][0] if personal else ""


def old_folders(client: IMAPClient) -> list[str]:
    """Return the folders of earlier runs that are at least a day old."""
    root = root_of(client)
    begin = re.compile(re.escape(root + PREFIX) + r"([0-9a-f]{8})[0-9a-f]{8}")
    found = set()
    for _flags, _delimiter, name in client.list_folders("", f"{root}{PREFIX}*"):
        match = begin.match(name)
        if match is not None and int(match[1], 16) < time.time() - _OLD_SECONDS:
            found.add(match[0])
    return sorted(found)


def delete_tree(client: IMAPClient, top: str, delimiter: str) -> None:
    """Delete a folder, all folders in it, and the subscriptions to them. None of them may be selected."""
    pattern = f"{top}{delimiter or '-'}*"
    for _flags, _delimiter, name in (*client.list_sub_folders("", pattern), *client.list_sub_folders("", top)):
        client.unsubscribe_folder(name)
    inside = [name for _flags, _delimiter, name in client.list_folders("", pattern)]
    # The longest name comes first, so that a folder is deleted after the folders in it.
    for name in (*sorted(inside, key=len, reverse=True), top):
        try:
            client.delete_folder(name)
        except CommandError:
            # Some servers delete an empty parent by themselves.
            if client.folder_exists(name):
                raise
