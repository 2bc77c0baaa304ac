"""The benchmark measures the right thing: small runs of it, asserting contents and never a time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imapclient._parsing.fast import batch_reader
from tests.benchmarks import (
    compression,
    layers,
    measuring,
    processes,
    replies,
    report,
    results,
    worker,
    workloads,
)
from tests.benchmarks.workloads import WORKLOADS
from tests.helpers.benchmark_clients import OFFERS_GC_TUNING, command, fake_checkout

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def all_compared() -> dict[str, Any]:
    """The data of all workloads, with about a thousandth of their size, and without a measured process."""
    return data_of("--seats", "ours,imaplib,socket", "--scale", "0.002", "--repeat", "0", "--no-imports")


@pytest.fixture(scope="module")
def small_run() -> dict[str, Any]:
    """The data of two processes with two runs after the first one."""
    chosen = [f"--workload={name}" for name in ("import", "overviews", "search", "download")]
    return data_of("--seats", "ours,imaplib,socket", "--scale", "0.002", "--repeat", "2", "--rounds", "2", *chosen)


def data_of(*arguments: str) -> dict[str, Any]:
    line = command(*arguments, "--json")
    done = subprocess.run(line, capture_output=True, text=True, timeout=500, check=False)
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    data["exit"] = done.returncode
    return data


def by_folder(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["folder"]: item for item in data["workloads"]}


def test_every_workload_returns_what_the_server_sent(all_compared: dict[str, Any]) -> None:
    problems = {
        item["folder"]: [item["errors"], item["differences"]]
        for item in all_compared["workloads"]
        if item["errors"] or item["differences"]
    }
    assert problems == {}
    assert all_compared["exit"] == 0


def test_every_workload_is_run_by_every_seat(all_compared: dict[str, Any]) -> None:
    """And by our seat's variants."""
    chosen = {"ours", "imaplib", "socket"}
    expected = {
        item.folder: (set(item.seats) & chosen) | {f"ours:{name}" for name in workloads.variants(item)}
        for item in WORKLOADS
    }
    assert {name: set(item["compared"]) for name, item in by_folder(all_compared).items()} == expected
    assert {"ours:gc_tuning", "ours:general"} < expected["overviews"]
    assert "ours:fetch" in expected["download"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system moves processes as it likes")
def test_the_server_and_the_clients_have_a_core_each() -> None:
    cores = sorted(os.sched_getaffinity(0))
    for place in (0, -1):
        with processes.on_core(place):
            process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        with process:
            assert os.sched_getaffinity(process.pid) == {cores[place]}
            process.kill()
    assert os.sched_getaffinity(0) == set(cores)


def test_each_workload_has_first_and_steady_runs(small_run: dict[str, Any]) -> None:
    for item in small_run["workloads"]:
        if item["folder"] == "import":
            continue
        assert set(item["seats"]) == set(item["compared"])
        for name, seat in item["seats"].items():
            for clock in measuring.CLOCKS:
                assert [len(seat["first"][clock]["all"]), len(seat["steady"][clock]["all"])] == [2, 2]
                assert [len(times) for times in seat["steady"][clock]["all"]] == [2, 2]
            assert name == "imaplib" or seat["count"] >= item["count"]


def test_the_import_is_measured_in_fresh_processes(small_run: dict[str, Any]) -> None:
    item = by_folder(small_run)["import"]
    assert set(item["seats"]) == {"ours", "imaplib"}
    assert all(list(seat) == ["first"] and len(seat["first"]["cpu"]["all"]) == 4 for seat in item["seats"].values())


def test_the_table_has_two_lines_for_each_workload(small_run: dict[str, Any]) -> None:
    lines = list(report.report(small_run))
    for item in small_run["workloads"]:
        for _, title in report.rows_of(item):
            # In the tables of CPU time, of wall time and of memory.
            found = [line[len(title) :].split()[0] for line in lines if line.startswith(f"{title}  ")]
            kinds = [cell if cell in measuring.ROWS else "" for cell in found]
            expected = ["first"] * 2 if title == "import" else ["first", "steady", "first", "steady", ""]
            assert kinds == expected, title
    assert lines[-1] == "Every result was compared with what the server sent: no differences."


class NotingWorker:
    """A worker whose runs take some seconds. It notes who is asked."""

    is_imapclient = False

    def __init__(self, name: str, asked: list[str], seconds: float = 1.0) -> None:
        self.name = name
        self.asked = asked
        self.seconds = seconds

    def ask(self, **request: object) -> dict[str, Any]:
        self.asked.append(self.name)
        return {"wall": self.seconds, "cpu": float(len(self.asked)), "peak": 5, "count": 1}


class NotingCandidate(NotingWorker):
    def start(self, stack: object, port: int, turn: int) -> tuple[NotingWorker, dict[str, Any]]:
        self.asked.append(self.name.upper())
        return self, {}


def noting(seconds: float) -> tuple[measuring.Measurement, list[str]]:
    """A measurement of the candidates a and b, whose runs take so many seconds. The list has who started and ran."""
    measurement = measuring.Measurement(WORKLOADS[0], {}, 0)
    asked: list[str] = []
    candidates: Any = {name: NotingCandidate(name, asked, seconds) for name in "ab"}
    measurement.candidates = candidates
    return measurement, asked


def test_each_turn_has_fresh_processes_and_begins_with_another_one() -> None:
    measurement, asked = noting(0.01)
    for turn in range(2):
        measurement.take_turn(turn, 2)
    assert "".join(asked) == "AB" + "ab" + "abba" + "BA" + "ba" + "baab"
    summary = measurement.samples["b"].summary()
    assert summary["first"]["cpu"] == {"median": (4 + 11) / 2, "all": [4, 11]}
    # A process counts with the median of its runs.
    assert summary["steady"]["cpu"] == {"median": (6.5 + 14.5) / 2, "all": [[6, 7], [13, 16]]}


def test_slow_candidates_run_less_often() -> None:
    """But three processes of each have one run after the first one."""
    measurement, asked = noting(measuring.TOO_LONG)
    for turn in range(measuring.LEAST + 2):
        measurement.take_turn(turn, 5)
    assert [asked.count("A"), asked.count("a")] == [measuring.LEAST, 2 * measuring.LEAST]


def test_what_fails_is_measured_no_more() -> None:
    measurement, asked = noting(0.01)
    measurement.take_turn(0, 1)
    assert measurement.failed("a", {"error": "went away"})
    measurement.take_turn(1, 1)
    assert asked.count("A") == 1
    assert list(measurement.samples) == ["b"]
    assert measurement.errors == {"a": "went away"}


# ---- the replies


def test_the_varied_overviews_have_many_forms() -> None:
    """A form is what is left of a response without what its strings hold, without digits, and without flags."""
    [workload] = [item for item in WORKLOADS if item.folder == "overviews"]
    messages = replies.make_folder("overviews", workload.total, 0, None).messages
    bare = [re.sub(rb'"(?:[^"\\]|\\.)*"|\d+', b"", wire[wire.index(b"ENVELOPE") :]) for wire in messages]
    assert len(messages) == 2000
    assert len(set(bare)) >= 150
    structures = {form[form.index(b"BODYSTRUCTURE") :] for form in bare}
    assert len(structures) >= 100
    names = re.findall(rb'\(("(?:[^"\\]|\\.)*") NIL "', b"".join(messages))
    assert 0.2 < sum(b"\\" in name for name in names) / len(names) < 0.3
    assert any(b"=?utf-8?" in name for name in names)


def test_replays_are_what_a_server_sent() -> None:
    """With other numbers, and cut between responses."""
    captures = list(replies.CAPTURES.glob("*.bin"))
    assert len(captures) == 2
    for capture in captures:
        recorded = capture.read_bytes()
        count = recorded.count(b" FETCH (")
        sent = [reply.wire for reply in replies.replayed(capture.stem, count + 1)]
        digits = bytes(range(0x30, 0x3A))
        assert b"".join(sent[:-1]).translate(None, digits) == recorded.translate(None, digits)
        assert sent[-1].translate(None, digits) == sent[0].translate(None, digits)
        for number, wire in enumerate(sent, 1):
            assert wire.startswith(b"* %d FETCH (" % number)
            assert wire.count(b"UID %d " % number) + wire.count(b"UID %d)" % number) == 1


def test_a_difference_is_reported() -> None:
    """A client that drops a message, changes a flag or invents an item is found out."""
    sent = {"1": "(b'FLAGS', (b'\\\\Seen',))", "2": "(b'FLAGS', ())", "3": "(b'FLAGS', ())"}
    returned = {"1": "(b'FLAGS', (b'\\\\Draft',))", "3": "(b'FLAGS', ())", "4": "()"}
    assert results.differences(sent, dict(sent)) == []
    found = results.differences(sent, returned)
    assert [text.partition(":")[0] for text in found] == ["1", "2", "4"]
    assert "Seen" in found[0]
    assert "Draft" in found[0]
    assert results.differences(sent, returned, limit=1)[1] == "and 2 more"


def small_list(package: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["--seats", "ours", "--workload", "list", "--scale", "0.01", "--repeat", "1", "--rounds", "1"]
    return subprocess.run(
        command(*arguments, package=package), capture_output=True, text=True, timeout=500, check=False
    )


def test_a_client_that_returns_something_else_fails_the_run(tmp_path: Path) -> None:
    done = small_list(fake_checkout(tmp_path))
    assert done.returncode == 1
    assert "ours differ" in done.stdout
    assert "no differences" not in done.stdout


def test_a_client_that_fails_is_reported(tmp_path: Path) -> None:
    done = small_list(fake_checkout(tmp_path, listing='raise OSError("went away")'))
    assert done.returncode == 1
    assert "ours differ: OSError: went away" in done.stdout


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


def test_the_benchmark_has_a_line_for_gc_tuning_if_our_client_offers_it(tmp_path: Path) -> None:
    here = fake_checkout(tmp_path, more=OFFERS_GC_TUNING)
    small = ["--workload", "flags", "--scale", "0.002", "--repeat", "1", "--rounds", "1"]
    line = command("--seats", "ours,socket", *small, package=here)
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FLAGS MODSEQ, 40, with gc_tuning ")]
    assert len(lines) == 5, done.stdout + done.stderr


def test_the_general_path_alone_is_a_switch_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reader, "enabled", True)
    worker.VARIANTS["general"](None)
    assert not batch_reader.enabled
    monkeypatch.setitem(sys.modules, batch_reader.__name__, None)
    with pytest.raises(worker.AbsentError, match="general"):
        worker.VARIANTS["general"](None)


def test_the_layers_of_each_payload(capsys: pytest.CaptureFixture[str]) -> None:
    layers.main(["--scale", "0.01", "--rounds", "1"])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[3:]]
    assert [row[0] for row in rows] == list(layers.PAYLOADS)
    for row in rows:
        receive, split, parse, build, general, fast, _ = map(float, row[1:])
        assert general == pytest.approx(receive + split + parse + build, abs=0.25)
        assert fast > 0
        assert build > 0
