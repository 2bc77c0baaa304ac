"""The connections of an account, and the folder in which the live tests work.

Connections and folders are kept between tests, because many servers limit the number of logins, and some need seconds
to delete a folder.
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
"""The beginning of the name of the folder of a run. The folder is at the top level, or in the user's namespace."""

# The timeout if the file sets none.
_TIMEOUT_SECONDS = 60.0
# The folder of a run is deleted by another run if it is older.
_OLD_SECONDS = 24 * 60 * 60


class Facts(NamedTuple):
    """Information from the server after the login."""

    greeting: str
    identification: str
    """The response to ID, ``'name Dovecot, version 2.3.19'``, or ``''`` if the server does not support ID."""
    capabilities: tuple[str, ...]


class Account:
    """One account, its free connections, and the folder of this run."""

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
        """A new connection, with the settings of ``section`` if it is not None."""
        settings = copy.copy(self.settings if section is None else self.settings.alternates[section])
        # Set in vars(), because a file can't contain a SocketTimeout, but IMAPClient accepts one.
        vars(settings)["timeout"] = timeout or settings.timeout or _TIMEOUT_SECONDS
        return create_client_from_config(settings, login=login)

    def take(self) -> IMAPClient:
        """A connection in the state after the login: a kept one, or a new one."""
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
        """Keep a connection for the next test, if it is still usable."""
        client.use_uid = client.folder_encode = client.normalise_times = True
        try:
            client.noop()
            # This expunges messages. The folder belongs to the tests, so nothing is lost.
            client.close_folder()
        except (IMAPClient.AbortError, OSError):
            client.shutdown()
            return
        except IMAPClient.Error:
            # It is in IDLE, no folder is selected, or the folder is read-only. `take` checks it with NOOP.
            pass
        self._connections.append(client)

    # -- folders

    @property
    def top(self) -> str:
        """The folder of this run, which contains all other folders: ``'imapclient-livetest-67e2c1ab0f3d9a41'``."""
        if self._top is None:
            raise RuntimeError("the folder of this run does not exist yet: call take() first")
        return self._top

    def new_name(self, suffix: str = "") -> str:
        """The name of a new folder inside `top`, which is not created: ``'imapclient-livetest-.../12-suffix'``."""
        return f"{self.top}{self.delimiter or '-'}{next(self._numbers)}{suffix}"

    def take_folder(self, client: IMAPClient) -> str:
        """The name of an empty folder that no other test uses. Its UIDs do not start with 1."""
        while self._folders:
            name = self._folders.pop()
            with contextlib.suppress(CommandError):
                _empty(client, name)
                return name
        name = self.new_name()
        client.create_folder(name)
        # UIDs and sequence numbers must differ, so a test notices if they are mixed up.
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
        """Delete the folder of this run with its content, and log out."""
        if self._top is not None:
            client = self.take()
            delete_tree(client, self._top, self.delimiter)
            self._top = None
            self._connections.append(client)
        self.log_out()

    def log_out(self) -> None:
        """Close the connections."""
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
    """The prefix of the user's own folders: ``''`` or, for example, ``'INBOX.'``."""
    if not client.has_capability("NAMESPACE"):
        return ""
    personal = client.namespace().personal
    return personal[0][0] if personal else ""


def old_folders(client: IMAPClient) -> list[str]:
    """The folders of earlier runs that are at least a day old."""
    root = root_of(client)
    begin = re.compile(re.escape(root + PREFIX) + r"([0-9a-f]{8})[0-9a-f]{8}")
    found = set()
    for _flags, _delimiter, name in client.list_folders("", f"{root}{PREFIX}*"):
        match = begin.match(name)
        if match is not None and int(match[1], 16) < time.time() - _OLD_SECONDS:
            found.add(match[0])
    return sorted(found)


def delete_tree(client: IMAPClient, top: str, delimiter: str) -> None:
    """Delete a folder with its subfolders and their subscriptions. None of them may be selected."""
    pattern = f"{top}{delimiter or '-'}*"
    for _flags, _delimiter, name in (*client.list_sub_folders("", pattern), *client.list_sub_folders("", top)):
        client.unsubscribe_folder(name)
    inside = [name for _flags, _delimiter, name in client.list_folders("", pattern)]
    # The longest name first, so subfolders come before their parent.
    for name in (*sorted(inside, key=len, reverse=True), top):
        try:
            client.delete_folder(name)
        except CommandError:
            # Some servers delete an empty parent automatically.
            if client.folder_exists(name):
                raise
