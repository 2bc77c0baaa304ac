"""How often a session has to wait for the server, through a proxy that makes each way longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from imapclient import IMAPClient
from imapclient._connection.exchange import Command
from tests.benchmarks.processes import CHECKOUT
from tests.benchmarks.round_trips import MESSAGES, STEPS, best, report, session
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
