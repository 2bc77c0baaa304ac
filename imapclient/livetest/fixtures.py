"""Fixtures and functions of the live tests: clients, folders, messages, and skipping without a capability."""

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
"""How many seconds a server may need to report the changes of another connection."""

with_uids = pytest.mark.parametrize("numbering", ["uid"], indirect=True)
"""For tests that need UIDs, if a fixture uses `numbering`."""
with_sequence_numbers = pytest.mark.parametrize("numbering", ["sequence"], indirect=True)
"""For tests that need sequence numbers."""


class Connect(Protocol):
    """The fixture ``connect``: returns a new client that is logged in. It is closed after the test."""

    def __call__(
        self, *, timeout: float | SocketTimeout | None = ..., login: bool = ..., section: str | None = ...
    ) -> IMAPClient: ...


class Folders:
    """Creates new folders inside the folder of the run."""

    def __init__(self, client: IMAPClient, account: Account) -> None:
        self._client = client
        self._account = account
        self.delimiter = account.delimiter

    def name(self, suffix: str = "") -> str:
        """The name of a new folder, which is not created: ``'imapclient-livetest-67e2c1ab0f3d9a41/4-suffix'``."""
        return self._account.new_name(suffix)

    def create(self, suffix: str = "") -> str:
        """Create a folder and return its name, which ends with ``suffix``."""
        name = self.name(suffix)
        self._client.create_folder(name)
        return name


@pytest.fixture
def client(account: Account) -> Iterator[IMAPClient]:
    """A client that is logged in. No folder is selected, and its attributes have their defaults."""
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
    """Creates new folders with `client`."""
    return Folders(client, account)


@pytest.fixture
def folder(client: IMAPClient, account: Account) -> Iterator[str]:
    """The name of an empty folder. It is not selected. A test must not delete or rename it."""
    name = account.take_folder(client)
    yield name
    account.give_back_folder(name)


@pytest.fixture(params=["uid", "sequence"])
def numbering(request: pytest.FixtureRequest, client: IMAPClient) -> str:
    """Run the test twice: `client` uses UIDs ("uid"), then sequence numbers ("sequence")."""
    kind: str = request.param
    client.use_uid = kind == "uid"
    return kind


def create_or_skip(folders: Folders, suffix: str) -> str:
    """Create a folder whose name ends with ``suffix``. Skip the test if the server refuses the name."""
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
    """A message with CRLF line ends. ``headers`` are further header lines: ``'Cc: bob@example.org'``."""
    lines = [f"Subject: {subject}", "From: Ann <ann@example.org>", "To: bob@example.org", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def fill(client: IMAPClient, folder: str, messages: Iterable[bytes]) -> list[int]:
    """Append messages to an empty folder and select it. Returns their ids, in the order of the messages."""
    for data in messages:
        client.append(folder, data)
    client.select_folder(folder)
    return ids(client)


def ids(client: IMAPClient) -> list[int]:
    """The ids in the selected folder, in ascending order: UIDs or sequence numbers, depending on the client."""
    return sorted(client.search("ALL"))


def uids(client: IMAPClient) -> list[int]:
    """The UIDs in the selected folder, in ascending order, also if the client uses sequence numbers."""
    found = ids(client)
    return found if client.use_uid or not found else [items[b"UID"] for items in client.fetch(found, "UID").values()]


def flags_of(client: IMAPClient, message_id: int) -> set[bytes]:
    r"""The flags of a message without ``\Recent``, which only the server controls."""
    return set(client.get_flags(message_id)[message_id]) - {b"\\Recent"}


def receive(client: IMAPClient, kind: bytes, *, idling: bool = False) -> list[tuple[Any, ...]]:
    """Wait until the server reports something of a kind (``b'EXISTS'``), with IDLE or NOOP. Returns all responses.

    Fails after `PATIENCE` seconds.
    """
    received: list[tuple[Any, ...]] = []
    deadline = time.monotonic() + PATIENCE
    while not any(kind in item[:2] for item in received):
        if time.monotonic() > deadline:
            pytest.fail(f"no {kind.decode('ascii')} in {PATIENCE:.0f} seconds, but {received}")
        if idling:
            received += client.idle_check(timeout=1)
        else:
            received += client.noop()[1]
            if not received:
                time.sleep(0.05)
    return received
