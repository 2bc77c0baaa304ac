"""The fixtures and functions of the live tests: clients, folders, messages, and the check for capabilities."""

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
"""How long a server may take to report a change by another connection, in seconds."""

with_uids = pytest.mark.parametrize("numbering", ["uid"], indirect=True)
"""A mark for tests with the fixture `numbering`: the test runs with UIDs only."""
with_sequence_numbers = pytest.mark.parametrize("numbering", ["sequence"], indirect=True)
"""A mark for tests with the fixture `numbering`: the test runs with sequence numbers only."""


class Connect(Protocol):
    """The type of the fixture ``connect``. It returns a new client, which the fixture closes after the test."""

    def __call__(
        self, *, timeout: float | SocketTimeout | None = ..., login: bool = ..., section: str | None = ...
    ) -> IMAPClient: ...


class Folders:
    """Creates folders in the folder of the run."""

    def __init__(self, client: IMAPClient, account: Account) -> None:
        self._client = client
        self._account = account
        self.delimiter = account.delimiter

    def name(self, suffix: str = "") -> str:
        """Return the name of a folder that does not exist yet: ``'imapclient-livetest-67e2c1ab0f3d9a41/4-suffix'``."""
        return self._account.new_name(suffix)

    def create(self, suffix: str = "") -> str:
        """Create a folder whose name ends with ``suffix``. Return its name."""
        name = self.name(suffix)
        self._client.create_folder(name)
        return name


@pytest.fixture
def client(account: Account) -> Iterator[IMAPClient]:
    """A logged-in client without a selected folder. All its attributes have their default values."""
    client = account.take()
    yield client
    account.give_back(client)


@pytest.fixture
def second_client(client: IMAPClient, account: Account) -> Iterator[IMAPClient]:
    """A second connection of the same user."""
    second = account.take()
    yield second
    account.give_back(second)


@pytest.fixture
def connect(client: IMAPClient, account: Account) -> Iterator[Connect]:
    """A function that opens new connections. They are closed after the test."""
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
    """Creates folders with `client`."""
    return Folders(client, account)


@pytest.fixture
def folder(client: IMAPClient, account: Account) -> Iterator[str]:
    """The name of an empty folder, which is not selected. A test must not rename or delete it."""
    name = account.take_folder(client)
    yield name
    account.give_back_folder(name)


@pytest.fixture(params=["uid", "sequence"])
def numbering(request: pytest.FixtureRequest, client: IMAPClient) -> str:
    """Which ids `client` uses: "uid" for UIDs, "sequence" for sequence numbers. A test runs with both."""
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
    """Skip the test if the server does not have all the capabilities."""
    missing = [capability for capability in capabilities if not client.has_capability(capability)]
    if missing:
        pytest.skip(f"the server has no {' and no '.join(missing)}")


def message(subject: str = "A test", body: bytes = b"Hello.\r\n", *headers: str) -> bytes:
    """Return a message whose lines end with CRLF. ``headers`` are more header lines: ``'Cc: bob@example.org'``."""
    lines = [f"Subject: {subject}", "From: Ann <ann@example.org>", "To: bob@example.org", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def fill(client: IMAPClient, folder: str, messages: Iterable[bytes]) -> list[int]:
    """Append messages to an empty folder and select it. Return their ids, in the order of the messages."""
    for data in messages:
        client.append(folder, data)
    client.select_folder(folder)
    return ids(client)


def ids(client: IMAPClient) -> list[int]:
    """Return the ids in the selected folder, lowest first: UIDs or sequence numbers, as the client uses them."""
    return sorted(client.search("ALL"))


def uids(client: IMAPClient) -> list[int]:
    """Return the UIDs in the selected folder, lowest first, even if the client uses sequence numbers."""
    found = ids(client)
    return found if client.use_uid or not found else [items[b"UID"] for items in client.fetch(found, "UID").values()]


def flags_of(client: IMAPClient, message_id: int) -> set[bytes]:
    r"""Return the flags of a message without ``\Recent``, which only the server sets."""
    return set(client.get_flags(message_id)[message_id]) - {b"\\Recent"}


def wait_for_response(client: IMAPClient, kind: bytes, *, idling: bool = False) -> list[tuple[Any, ...]]:
    """Wait for an untagged response of a kind, such as ``b'EXISTS'``. Return all untagged responses until then.

    Sends NOOP, or calls `IMAPClient.idle_check` if ``idling``. The test fails after `PATIENCE` seconds.
    """
    responses: list[tuple[Any, ...]] = []
    deadline = time.monotonic() + PATIENCE
    while not any(kind in item[:2] for item in responses):
        if time.monotonic() > deadline:
            pytest.fail(f"no {kind.decode('ascii')} in {PATIENCE:.0f} seconds, but {responses}")
        if idling:
            responses += client.idle_check(timeout=1)
        else:
            responses += client.noop()[1]
            if not responses:
                time.sleep(0.05)
    return responses
