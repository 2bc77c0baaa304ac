"""The benchmark measures the right thing: small runs of it, asserting contents and never a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import imapclient
from tests.benchmarks import compression, run, server

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = Path(imapclient.__file__).resolve().parent.parent


def command(*arguments: str, package: Path = PACKAGE) -> list[str]:
    """The benchmark with our seat only, in this interpreter, so that nothing is installed."""
    own = ["--ours-python", sys.executable, "--ours-path", str(package)]
    script = str(CHECKOUT / "tests" / "benchmarks" / "run.py")
    return [sys.executable, script, "--rounds", "1", "--no-imports", "--no-dovecot", *own, *arguments]


@pytest.fixture(scope="module")
def small_run() -> dict[str, Any]:
    """The data of all workloads, with about a thousandth of their size."""
    arguments = command("--seats", "ours,imaplib,socket", "--scale", "0.002", "--json")
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=500, check=False)
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    data["exit"] = done.returncode
    return data


def test_every_workload_returns_what_the_server_sent(small_run: dict[str, Any]) -> None:
    problems = {
        item["folder"]: [item["errors"], item["differences"]]
        for item in small_run["workloads"]
        if item["errors"] or item["differences"]
    }
    assert problems == {}
    assert small_run["exit"] == 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system moves processes as it likes")
def test_the_server_and_the_clients_have_a_core_each() -> None:
    cores = sorted(os.sched_getaffinity(0))
    for place in (0, -1):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
            run.give_core(process, place)
            assert os.sched_getaffinity(process.pid) == {cores[place]}
            process.kill()


def test_every_workload_is_run_by_every_seat(small_run: dict[str, Any]) -> None:
    ran = {item["folder"]: set(item["seats"]) for item in small_run["workloads"]}
    chosen = {"ours", "imaplib", "socket"}
    expected = {item.folder: set(item.seats) & chosen for item in run.WORKLOADS}
    assert ran == expected


def test_every_client_returns_all_items(small_run: dict[str, Any]) -> None:
    for item in small_run["workloads"]:
        assert item["seats"]["ours"]["count"] == item["count"], item["folder"]
        # What the socket counts is bytes: each item takes at least two of them.
        assert item["seats"]["socket"]["count"] > 2 * item["count"], item["folder"]


def test_the_table_has_a_line_for_each_workload(small_run: dict[str, Any]) -> None:
    lines = list(run.report(small_run))
    for item in small_run["workloads"]:
        assert sum(line.startswith(run.amount(item)) for line in lines) == 3, item["folder"]
    assert lines[-1] == "Every result was compared with what the server sent: no differences."


def measured(folder: str, ours: float, peer: float, imaplib: float) -> dict[str, Any]:
    """Data of a run with one workload, with ratios of these times."""
    ratios = {"ours/imaplib": {"wall": ours / imaplib, "cpu": 1.0}, "peer/ours": {"wall": peer / ours, "cpu": 1.0}}
    return {"clock": "wall", "scale": 1.0, "workloads": [{"folder": folder, "ratios": ratios}]}


@pytest.mark.parametrize(
    ("ours", "peer", "imaplib", "expected"),
    [(9, 90, 10, [True, True]), (9.1, 90, 10, [False, True]), (9, 44, 10, [True, False]), (20, 20, 10, [False, False])],
)
def test_what_must_hold_is_stated(ours: float, peer: float, imaplib: float, expected: list[bool]) -> None:
    stated = list(run.musts(measured("flags", ours, peer, imaplib)))
    assert [holds for _, holds in stated] == expected
    assert ["NOT" not in line for line, _ in stated] == expected


def test_nothing_must_hold_of_less_data_or_of_another_workload() -> None:
    assert list(run.musts({**measured("flags", 20, 20, 10), "scale": 0.5})) == []
    assert list(run.musts(measured("list", 20, 20, 10))) == []


def test_replays_are_what_a_server_sent() -> None:
    """With other numbers, and cut between responses."""
    captures = list(server.CAPTURES.glob("*.bin"))
    assert len(captures) == 2
    for capture in captures:
        recorded = capture.read_bytes()
        count = recorded.count(b" FETCH (")
        replies = [reply.wire for reply in server.replayed(capture.stem, count + 1)]
        digits = bytes(range(0x30, 0x3A))
        assert b"".join(replies[:-1]).translate(None, digits) == recorded.translate(None, digits)
        assert replies[-1].translate(None, digits) == replies[0].translate(None, digits)
        for number, wire in enumerate(replies, 1):
            assert wire.startswith(b"* %d FETCH (" % number)
            assert wire.count(b"UID %d " % number) + wire.count(b"UID %d)" % number) == 1


def test_a_difference_is_reported() -> None:
    """A client that drops a message, changes a flag or invents an item is found out."""
    sent = {"1": "(b'FLAGS', (b'\\\\Seen',))", "2": "(b'FLAGS', ())", "3": "(b'FLAGS', ())"}
    returned = {"1": "(b'FLAGS', (b'\\\\Draft',))", "3": "(b'FLAGS', ())", "4": "()"}
    assert run.differences(sent, dict(sent)) == []
    found = run.differences(sent, returned)
    assert [text.partition(":")[0] for text in found] == ["1", "2", "4"]
    assert "Seen" in found[0]
    assert "Draft" in found[0]
    assert run.differences(sent, returned, limit=1)[1] == "and 2 more"


WRONG_CLIENT = '''
__version__ = "0"


class IMAPClient:
    """Finds one folder, whatever the server sends."""

    def __init__(self, host, port, ssl):
        pass

    def login(self, user, password):
        pass

    def select_folder(self, folder):
        pass

    def list_folders(self):
        return [((), b"/", "INBOX")]
'''


def test_a_client_that_returns_something_else_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "imapclient.py").write_text(WRONG_CLIENT, encoding="utf-8")
    arguments = command("--seats", "ours", "--workload", "list", package=tmp_path)
    done = subprocess.run([*arguments, "--scale", "0.01"], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 1
    assert "ours differ" in done.stdout
    assert "no differences" not in done.stdout


def test_a_client_that_fails_is_reported(tmp_path: Path) -> None:
    broken = WRONG_CLIENT.replace('return [((), b"/", "INBOX")]', 'raise OSError("went away")')
    (tmp_path / "imapclient.py").write_text(broken, encoding="utf-8")
    arguments = command("--seats", "ours", "--workload", "list", package=tmp_path)
    done = subprocess.run([*arguments, "--scale", "0.01"], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 1
    assert "ours failed: OSError: went away" in done.stdout


def test_the_compressed_replies_are_smaller(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compression.main(["--scale", "0.02", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(compression.FOLDERS)
    assert all(0 < result["compressed"] < result["plain"] for result in found.values())
    assert all(result["cpu_compressed"] > 0 for result in found.values())
    monkeypatch.setattr(compression, "FOLDERS", ("headers",))
    assert compression.main(["--scale", "0.02", "--rounds", "1"]) == 0
    assert "header fields, 100 " in capsys.readouterr().out
