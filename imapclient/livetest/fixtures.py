"""What the live tests share: clients, folders, messages, and skipping where a capability is missing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError
from imapclient.livetest.accounts import Account

from ..imapclient import SocketTimeout

PATIENCE = 60.0
"""How long a server may take, in seconds, until one connection sees what another one did."""

with_uids = pytest.mark.parametrize("numbering", ["uid"], indirect=True)
"""For tests that are about UIDs, with a fixture that needs `numbering`."""
with_sequence_numbers = pytest.mark.parametrize("numbering", ["sequence"], indirect=True)
"""For tests that are about sequence numbers."""


class Connect(Protocol):
    """The fixture ``connect``: returns a new client that is logged in, and that the test need not close."""

    def __call__(
        self, *, timeout: float | SocketTimeout | None = ..., login: bool = ..., section: str | None = ...
    ) -> IMAPClient: ...


class Folders:
    """Makes new folders on a server, inside the one of the run."""

    def __init__(self, client: IMAPClient, account: Account) -> None:
        self._client = client
        self._account = account
        self.delimiter = account.delimiter

    def name(self, suffix: str = "") -> str:
        """The name of a folder that doesn't exist yet: ``'imapclient-livetest-67e2c1ab0f3d9a41/4-suffix'``."""
        return self._account.new_name(suffix)

    def create(self, suffix: str = "") -> str:
        """Create a folder and return its name, which ends with ``suffix``."""
        name = self.name(suffix)
        self._client.create_folder(name)
        return name


@pytest.fixture
def client(account: Account) -> Iterator[IMAPClient]:
    """A client that is logged in, no folder selected, all attributes as after construction."""
    client = account.take()
    yield client
    account.give_back(client)


@pytest.fixture
def second_client(client: IMAPClient, account: Account) -> Iterator[IMAPClient]:
    """Another connection of the same user."""
    second = account.take()
    yield second
    account.give_back(second)


@pytest.fixture
def connect(client: IMAPClient, account: Account) -> Iterator[Connect]:
    """Opens new connections."""
    opened: list[IMAPClient] = []

    def connect(
        *, timeout: float | SocketTimeout | None = None, login: bool = True, section: str | None = None
    ) -> IMAPClient:
        opened.append(account.connect(timeout=timeout, login=login, section=section))
        return opened[-1]

    yield connect
    for new in opened:
        new.shutdown()


@pytest.fixture
def folders(client: IMAPClient, account: Account) -> Folders:
    """Makes new folders, through `client`."""
    return Folders(client, account)


@pytest.fixture
def folder(client: IMAPClient, account: Account) -> Iterator[str]:
    """The name of an empty folder. It isn't selected, and a test leaves it where it is."""
    name = account.take_folder(client)
    yield name
    account.give_back_folder(name)


@pytest.fixture(params=["uid", "sequence"])
def numbering(request: pytest.FixtureRequest, client: IMAPClient) -> str:
    """Whether ids are UIDs or sequence numbers to `client`: "uid" or "sequence"."""
    kind: str = request.param
    client.use_uid = kind == "uid"
    return kind


def create_or_skip(folders: Folders, suffix: str) -> str:
    """Create a folder with such a name; skip the test where the server refuses it."""
    try:
        return folders.create(suffix)
    except CommandError as error:
        pytest.skip(f"the server refuses such a name: {error.text}")


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
    """Append messages to an empty folder, select it, and return their ids, in the order of the messages."""
    for data in messages:
        client.append(folder, data)
    client.select_folder(folder)
    return ids(client)


def ids(client: IMAPClient) -> list[int]:
    """The ids in the selected folder, UIDs or sequence numbers as the client uses them, lowest first."""
    return sorted(client.search("ALL"))


def uids(client: IMAPClient) -> list[int]:
    """The UIDs in the selected folder, lowest first, whatever ids the client uses."""
    found = ids(client)
    return found if client.use_uid or not found else [items[b"UID"] for items in client.fetch(found, "UID").values()]


def flags_of(client: IMAPClient, message_id: int) -> set[bytes]:
    r"""The flags of a message without ``\Recent``, which the server sets as it likes."""
    return set(client.get_flags(message_id)[message_id]) - {b"\\Recent"}


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
