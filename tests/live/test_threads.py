"""One client in several threads, on real servers: each thread gets its own results."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from imapclient import IMAPClient
from imapclient.imapclient import ANSWERED, FLAGGED, SEEN
from tests.helpers.live import LiveServer

THREADS = 8
#: The rounds of each thread. pymap needs more time for one.
COMMANDS = {"dovecot": 500, "pymap": 100}
_FLAGS = (ANSWERED, FLAGGED, SEEN)


class Worker:
    """The work of one thread: its own message and folder, and the values that the server must return."""

    def __init__(self, client: IMAPClient, number: int) -> None:
        self.client = client
        self.random = random.Random(number)
        self.subject = f"worker{number}x"
        self.body = f"{number} ".encode() * (1000 * number + 1)
        self.folder = f"folder{number}"
        self.flag = _FLAGS[number % len(_FLAGS)]
        self.messages = 0
        self.first_uid = 0
        message = f"Subject: {self.subject}\r\n\r\n".encode() + self.body
        self.client.create_folder(self.folder)
        uids = client.append("INBOX", message).uids
        assert uids is not None
        self.uid = next(iter(uids))

    def fetch(self) -> None:
        data = self.client.fetch(self.uid, ["BODY.PEEK[TEXT]", "ENVELOPE"])
        assert list(data) == [self.uid]
        assert data[self.uid][b"BODY[TEXT]"] == self.body
        assert data[self.uid][b"ENVELOPE"].subject == self.subject.encode()

    def search(self) -> None:
        assert self.client.search(["SUBJECT", self.subject]) == [self.uid]

    def flags(self) -> None:
        changed = self.client.add_flags(self.uid, self.flag)
        # Dovecot sends them only if they change.
        assert changed is not None
        assert set(changed) <= {self.uid}
        flags = self.client.get_flags(self.uid)[self.uid]
        assert [flag for flag in flags if flag in _FLAGS] == [self.flag]

    def append(self) -> None:
        reply = self.client.append(self.folder, f"Subject: {self.messages}\r\n\r\nx".encode())
        self.messages += 1
        assert reply.uids is not None
        # The UIDs of a folder grow by one, in this order.
        self.first_uid = self.first_uid or next(iter(reply.uids))
        assert list(reply.uids) == [self.first_uid + self.messages - 1]

    def status(self) -> None:
        assert self.client.folder_status(self.folder, "MESSAGES") == {b"MESSAGES": self.messages}

    def list(self) -> None:
        assert [name for _, _, name in self.client.list_folders("", self.folder)] == [self.folder]

    def special(self) -> None:
        assert self.client.find_special_folder(b"\\All") is None

    def noop(self) -> None:
        text, _ = self.client.noop()
        assert text

    def work(self, commands: int) -> int:
        calls: list[Callable[[], None]] = [
            self.fetch, self.search, self.flags, self.append, self.status, self.list, self.special, self.noop,
        ]  # fmt: skip
        for _ in range(commands):
            self.random.choice(calls)()
        return commands


@pytest.mark.parametrize(
    "live_server", [("dovecot", "plain"), ("pymap", "plain")], ids=["dovecot", "pymap"], indirect=True
)
def test_each_thread_gets_its_own_results(live_server: LiveServer) -> None:
    client, commands = live_server.connect(), COMMANDS[live_server.name]
    client.select_folder("INBOX")
    workers = [Worker(client, number) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        results = [pool.submit(worker.work, commands) for worker in workers]
        assert [result.result(100) for result in results] == [commands] * THREADS
    assert client.search("ALL") == sorted(worker.uid for worker in workers)
