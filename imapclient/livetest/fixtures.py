"""What the live tests share: new folders, messages, and skipping where a capability is missing."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterable
from typing import Any, Protocol

import pytest

from imapclient import IMAPClient
from imapclient.sockets import Timeout

PREFIX = f"imapclient-livetest-{uuid.uuid4().hex[:16]}-"
"""How the name of every folder begins that this run makes, below the namespace of the user."""

PATIENCE = 60.0
"""How long a server may take, in seconds, until one connection sees what another one did."""


class Connect(Protocol):
    """The fixture ``connect``: returns a new client that is logged in, and that the test need not close."""

    def __call__(self, *, timeout: Timeout = ...) -> IMAPClient: ...


class Folders:
    """Makes new folders on a server."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._numbers = itertools.count(1)
        self.root = root_of(client)
        _flags, delimiter, _name = client.list_folders("", "")[0]
        self.delimiter = (delimiter or b"").decode("ascii")

    def name(self, suffix: str = "") -> str:
        """The name of a folder that doesn't exist yet: ``'imapclient-livetest-3f9c21ab5d0e7788-4-suffix'``."""
        return f"{self.root}{PREFIX}{uuid.uuid4().hex[:8]}-{next(self._numbers)}{suffix}"

    def create(self, suffix: str = "") -> str:
        """Create a folder and return its name, which ends with ``suffix``."""
        name = self.name(suffix)
        self._client.create_folder(name)
        return name


@pytest.fixture
def folders(client: IMAPClient) -> Folders:
    """Makes new folders, through `client`."""
    return Folders(client)


@pytest.fixture
def folder(folders: Folders) -> str:
    """The name of a new, empty folder. It isn't selected."""
    return folders.create()


def root_of(client: IMAPClient) -> str:
    """What the user's own folders begin with: ``''``, or such as ``'INBOX.'``."""
    if not client.has_capability("NAMESPACE"):
        return ""
    personal = client.namespace().personal
    return personal[0][0] if personal else ""


def delete_folders(client: IMAPClient) -> None:
    """Delete every folder that this run has made, and what it has subscribed to. None of them may be selected."""
    pattern = f"{root_of(client)}{PREFIX}*"
    for _flags, _delimiter, name in client.list_sub_folders("", pattern):
        client.unsubscribe_folder(name)
    # The longest first: a folder comes after those inside it.
    for name in sorted((item[2] for item in client.list_folders("", pattern)), key=len, reverse=True):
        try:
            client.delete_folder(name)
        except IMAPClient.Error:
            # Some servers remove an empty parent by themselves.
            if client.folder_exists(name):
                raise


def needs(client: IMAPClient, *capabilities: str) -> None:
    """Skip the test unless the server has all the capabilities."""
    missing = [capability for capability in capabilities if not client.has_capability(capability)]
    if missing:
        pytest.skip(f"the server has no {' and no '.join(missing)}")


def message(subject: str = "A test", body: bytes = b"Hello.\r\n", *headers: str) -> bytes:
    """A message with lines that end in CRLF. ``headers`` are more lines: ``'Cc: bob@example.org'``."""
    lines = [f"Subject: {subject}", "From: Ann <ann@example.org>", "To: bob@example.org", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def fill(client: IMAPClient, folder: str, messages: Iterable[bytes]) -> list[int]:
    """Append messages to an empty folder, select it, and return their UIDs, in the order of the messages."""
    for data in messages:
        client.append(folder, data)
    client.select_folder(folder)
    return uids(client)


def uids(client: IMAPClient) -> list[int]:
    """The UIDs in the selected folder, lowest first."""
    return sorted(client.search("ALL")) if client.use_uid else sorted(client.fetch("1:*", "UID"))


def flags_of(client: IMAPClient, uid: int) -> set[bytes]:
    r"""The flags of a message without ``\Recent``, which the server sets as it likes."""
    return set(client.get_flags(uid)[uid]) - {b"\\Recent"}


def hear(client: IMAPClient, kind: bytes, *, idling: bool = False) -> list[tuple[Any, ...]]:
    """Listen until the server tells something of a kind (``b'EXISTS'``), by IDLE or NOOP; return all that it told.

    Fails after `PATIENCE` seconds.
    """
    heard: list[tuple[Any, ...]] = []
    deadline = time.monotonic() + PATIENCE
    while not any(kind in item[:2] for item in heard):
        if time.monotonic() > deadline:
            pytest.fail(f"no {kind.decode('ascii')} in {PATIENCE:.0f} seconds, but {heard}")
        if idling:
            heard += client.idle_check(timeout=1)
        else:
            heard += client.noop()[1]
            if not heard:
                time.sleep(0.05)
    return heard
