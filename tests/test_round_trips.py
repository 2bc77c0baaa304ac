"""How often a session has to wait for the server, through a proxy that makes each way longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from imapclient import IMAPClient
from imapclient._connection.exchange import Command
from tests.benchmarks.processes import CHECKOUT
from tests.benchmarks.round_trips import MAX_WAITS, MESSAGES, STEPS, best, download, report, report_of_download, session
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.scripted_peer import PeerFactory


@pytest.mark.parametrize("messages", [1000, MESSAGES])
def test_a_session_waits_as_often_whatever_the_number_of_commands(messages: int, tmp_path: Path) -> None:
    """TLS takes two (its hello, its end), then login, select, search, fetch and logout one each."""
    commands = messages // 1000
    result = session(sys.executable, CHECKOUT, 0.01, messages, messages, tmp_path, together=commands)
    assert result["messages"] == messages
    assert result["commands"] == commands
    assert result["turns"] == 7
    assert len(result["steps"]) == len(STEPS)


SEQUENTIAL_CLIENT = """
import socket


class IMAPClient:
    '''Requests pieces of 1000 bytes, the first one alone and then two at a time.'''

    def __init__(self, host, port, ssl):
        self.socket = socket.create_connection((host, port))
        self.number = 0
        self.answers(b"* OK")

    def answers(self, *ends):
        data = b""
        while not all(end in data for end in ends) or not data.endswith(b"\\n"):
            data += self.socket.recv(65536)

    def send(self, command):
        self.number += 1
        self.socket.sendall(b"A%d %s\\r\\n" % (self.number, command))
        return b"A%d OK" % self.number

    def login(self, user, password):
        self.answers(self.send(b"LOGIN ann secret"))

    def select_folder(self, name):
        self.answers(self.send(b"SELECT INBOX"))

    def search(self):
        self.answers(self.send(b"UID SEARCH ALL"))
        return [2]

    def piece(self, start):
        return self.send(b"UID FETCH 2 (BODY.PEEK[1]<%d.1000>)" % start)

    def download(self, uid, part, file):
        self.answers(self.piece(0))
        self.answers(self.piece(1000), self.piece(2000))
        self.answers(self.piece(3000), self.piece(4000))
        return 5000

    def logout(self):
        self.send(b"LOGOUT")
"""


def test_pieces_that_are_requested_ahead_are_no_waits(tmp_path: Path) -> None:
    """Of five commands, three are each sent after an answer."""
    (tmp_path / "imapclient.py").write_text(SEQUENTIAL_CLIENT, encoding="utf-8")
    assert count_waits(tmp_path, tmp_path) == {"size": 5000, "waits": 3, "commands": 5}


def test_a_small_download_waits_once(tmp_path: Path) -> None:
    assert count_waits(CHECKOUT, tmp_path) == {"size": 5000, "waits": 1, "commands": 1}


def count_waits(path: Path, folder: Path) -> dict[str, int]:
    result: dict[str, int] = download(sys.executable, path, 0, 5000, folder)
    del result["seconds"]
    return result


@pytest.mark.parametrize(("waits", "verdict"), [(MAX_WAITS, "at most 16 waits"), (MAX_WAITS + 1, "MORE THAN 16 WAITS")])
def test_the_report_of_a_download(waits: int, verdict: str) -> None:
    line = report_of_download({"seconds": 2.0, "waits": waits, "commands": 26, "size": 100_000_000}, 0.05)
    assert line.split() == ["download", "of", "100", "MB", "20.0", str(waits), "26", *verdict.split()]


def test_the_report() -> None:
    sessions = [
        {"steps": [0.2, 0.1, 0.1, 0.1, 0.3, 0.1], "turns": 8, "commands": 10, "messages": 5},
        {"steps": [0.3, 0.1, 0.1, 0.1, 0.1, 0.1], "turns": 7, "commands": 10, "messages": 5},
    ]
    [line] = report("ours", best(sessions), 0.05)
    assert line.split() == ["ours", "2.0", "1.0", "1.0", "1.0", "1.0", "1.0", "7.0", "7", "10"]


def test_the_proxy_passes_on_what_is_sent_ahead_without_waiting(peer: PeerFactory) -> None:
    scripted = peer("S: * PREAUTH ready\nC: A1 NOOP\nC: A2 NOOP\nS: A1 OK\nS: A2 OK\nC: A3 NOOP\nS: A3 OK")
    with FaultProxy(scripted.host, scripted.port, seconds=0.02) as proxy:
        client = IMAPClient(proxy.host, proxy.port, ssl=False, timeout=60)
        client._imap.execute_all([Command(b"NOOP"), Command(b"NOOP")])
        client.noop()
        client.shutdown()
        assert proxy.turns == 2


def test_the_proxy_passes_on_the_end(peer: PeerFactory) -> None:
    scripted = peer("S: * PREAUTH ready\nCLOSE")
    with FaultProxy(scripted.host, scripted.port, seconds=0.01) as proxy:
        client = IMAPClient(proxy.host, proxy.port, ssl=False, timeout=60)
        with pytest.raises(IMAPClient.AbortError):
            client.noop()
        client.shutdown()
