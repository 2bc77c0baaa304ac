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
    baseline,
    compression,
    dovecot,
    measuring,
    musts,
    other_languages,
    processes,
    replies,
    report,
    results,
    run,
    worker,
    workloads,
)
from tests.benchmarks.workloads import WORKLOADS
from tests.helpers.benchmark_clients import OFFERS_GC_TUNING, command, fake_checkout
from tests.helpers.dovecot import Dovecot
from tests.helpers.live import not_available

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


# ---- what must hold


def times(**seconds: float) -> dict[str, Any]:
    """The times of one row."""
    return {name: {clock: {"median": value} for clock in measuring.CLOCKS} for name, value in seconds.items()}


def measured(folder: str, first: dict[str, Any], steady: dict[str, Any]) -> dict[str, Any]:
    """Data of a run with one workload."""
    seats = {name: {"first": first.get(name), "steady": steady.get(name)} for name in {**first, **steady}}
    result = {"folder": folder, "title": folder, "count": 9, "size": 0, "seats": seats}
    return {"clock": "cpu", "scale": 1.0, "python": "3", "machine": "m", "date": "today", "workloads": [result]}


@pytest.mark.parametrize(
    ("ours", "peer", "imaplib", "expected"),
    [(9, 90, 10, [True, True]), (9.1, 90, 10, [False, True]), (9, 44, 10, [True, False]), (20, 20, 10, [False, False])],
)
def test_what_must_hold_is_stated(ours: float, peer: float, imaplib: float, expected: list[bool]) -> None:
    stated = list(musts.musts(measured("flags", {}, times(ours=ours, peer=peer, imaplib=imaplib))))
    assert [holds for _, holds in stated] == expected
    assert ["NOT" not in line for line, _ in stated] == expected


def test_first_runs_must_hold_too() -> None:
    steady = times(ours=20, peer=500, imaplib=10)
    stated = list(musts.musts(measured("overviews", times(ours=41, peer=500, imaplib=10), steady)))
    assert [(line.partition(" is ")[0], holds) for line, holds in stated] == [
        ("overviews, first: ours/imaplib", False),
        ("overviews, first: peer/ours", True),
        ("overviews, steady: ours/imaplib", True),
    ]
    assert "4.10, must be at most 4 (goal 3): DOES NOT HOLD" in stated[0][0]
    assert "12.20, must be at least 7 (goal 9): holds, and so does the goal" in stated[1][0]


def test_other_languages_and_the_general_path_must_hold_if_they_were_measured() -> None:
    row = {**times(ours=10, imaplib=5), "go-imap": times(go=9)["go"], "ours:general": times(general=26)["general"]}
    stated = list(musts.musts(measured("overviews", row, row)))
    assert {line.partition(" is ")[0] for line, holds in stated if not holds} == {
        f"overviews, {row}: {name}" for row in measuring.ROWS for name in ("ours/go-imap", "ours:general/imaplib")
    }


def test_a_must_may_be_of_another_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download waits, so that its CPU time does not say how long it takes."""
    monkeypatch.setattr(musts, "MUSTS", (musts.Must("Large", "steady", "ours/ours:fetch", 1.5, 1.5, clock="wall"),))
    row = {
        name: {"cpu": {"median": 1.0}, "wall": {"median": wall}} for name, wall in (("ours", 16), ("ours:fetch", 10))
    }
    [(line, holds)] = musts.musts(measured("Large", {}, row))
    assert line == "Large, steady: ours/ours:fetch is 1.60, must be at most 1.5 (goal 1.5): DOES NOT HOLD"
    assert not holds


def test_nothing_must_hold_of_less_data_or_of_another_workload() -> None:
    row = times(ours=20, peer=20, imaplib=10)
    assert list(musts.musts({**measured("flags", row, row), "scale": 0.5})) == []
    assert list(musts.musts(measured("list", row, row))) == []


def test_what_must_hold_is_measured() -> None:
    """Each required ratio is one of the workload's seats and variants."""
    known = {item.folder: {*item.seats, *(f"ours:{name}" for name in workloads.variants(item))} for item in WORKLOADS}
    for must in musts.MUSTS:
        assert must.row in measuring.ROWS
        assert must.folder == "import" or set(must.name.split("/")) <= known[must.folder]


# ---- against an earlier run


def test_a_run_is_compared_with_an_earlier_one(small_run: dict[str, Any], tmp_path: Path) -> None:
    """Ours at half the ratio of then is not worse; at 1.06 of it, it is."""
    earlier = json.loads(json.dumps(small_run))
    file = tmp_path / "earlier.json"
    file.write_text(json.dumps(earlier), encoding="utf-8")
    assert baseline.load(file) == earlier
    rows = baseline.compared(small_run, earlier, "cpu")
    assert {row.factor for row in rows} == {1.0}
    # A workload has two rows, and each of its variants two.
    overviews = by_folder(small_run)["overviews"]
    assert len([row for row in rows if row.title.startswith("overviews")]) == 2 * (1 + len(names_of(overviews)))
    overviews["seats"]["ours"]["first"]["cpu"]["median"] *= 0.5
    overviews["seats"]["ours"]["steady"]["cpu"]["median"] *= 1.06
    try:
        lines = list(baseline.report(small_run, earlier, "cpu"))
        assert lines[-1] == f"more than 5% worse: {workloads.amount(overviews)}, steady"
        assert [line.endswith("WORSE") for line in lines].count(True) == 1
    finally:
        overviews["seats"]["ours"]["first"]["cpu"]["median"] *= 2
        overviews["seats"]["ours"]["steady"]["cpu"]["median"] /= 1.06


def names_of(result: dict[str, Any]) -> list[str]:
    return [name for name in result["seats"] if name.startswith("ours:")]


def test_a_slower_machine_is_not_worse() -> None:
    now = measured("flags", times(ours=8, imaplib=16), times(ours=6, imaplib=16))
    then = measured("flags", times(ours=4, imaplib=8), times(ours=3, imaplib=8))
    assert [row.factor for row in baseline.compared(now, then, "wall")] == [1.0, 1.0]


def test_what_only_one_of_the_runs_has_is_named() -> None:
    now = measured("flags", times(ours=8, imaplib=16), {})
    then = measured("flags", {}, times(ours=4, imaplib=8))
    lines = list(baseline.report(now, then, "cpu"))
    assert lines[-2:] == [
        "only in one of the runs: flags, 9, first; flags, 9, steady",
        "more than 5% worse: nothing",
    ]


@pytest.mark.parametrize(("text", "reason"), [("{", "is not JSON"), ("{}", "measure that commit again")])
def test_another_file_is_refused(text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        run.parsed(["--against", str(file)])
    assert reason in capsys.readouterr().err


def test_a_run_of_another_scale_is_refused(
    small_run: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.json"
    file.write_text(json.dumps(small_run), encoding="utf-8")
    with pytest.raises(SystemExit):
        run.parsed(["--against", str(file)])
    assert "is of a run with --scale 0.002" in capsys.readouterr().err
    assert run.parsed(["--against", str(file), "--scale", "0.002"]).earlier["scale"] == 0.002


@pytest.mark.parametrize(("factor", "status"), [(1.0, 0), (1e-9, 1)])
def test_what_is_worse_fails_the_check(factor: float, status: int, small_run: dict[str, Any], tmp_path: Path) -> None:
    """Compared with a run in which ours took no time, everything is worse."""
    earlier = json.loads(json.dumps(small_run))
    for name, seat in by_folder(earlier)["search"]["seats"].items():
        for row in measuring.ROWS:
            # With the other factor, nothing can be.
            seat[row]["cpu"]["median"] *= factor if name == "ours" else 1 if factor != 1 else 1e-9
    file = tmp_path / "earlier.json"
    file.write_text(json.dumps(earlier), encoding="utf-8")
    small = ["--scale", "0.002", "--repeat", "1", "--rounds", "1", "--seats", "ours,imaplib", "--workload", "search"]
    line = command(*small, "--against", str(file), "--check")
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("more than 5% worse: " + ("SEARCH" if status else "nothing"))


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


# ---- peers in other languages, and a real server


@pytest.mark.parametrize(
    ("make", "missing"), [(other_languages.go_imap, "Go is not"), (other_languages.imapflow, "Node or its npm is not")]
)
def test_a_language_that_is_not_installed_is_named(
    make: Any, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(processes.Unavailable, match=missing):
        make(tmp_path)


def test_go_without_go_imap_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "go", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(other_languages, "GO_IMAP", tmp_path / "missing")
    with pytest.raises(processes.Unavailable, match="go-imap is not installed"):
        other_languages.go_imap(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")
def test_a_package_that_can_not_be_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "node", "exit 0")
    program(tmp_path / "npm", "echo 'no network' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(processes.Unavailable, match=r"^imapflow@.* can't be made: no network$"):
        other_languages.imapflow(tmp_path / "folder")


def program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def test_who_is_missing_is_said_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(folder: Path) -> processes.Program:
        raise processes.Unavailable("Go is not installed")

    monkeypatch.setitem(run.IN_OTHER_LANGUAGES, "go-imap", missing)
    seats, absent = run.interpreters(run.parsed(["--seats", "go-imap,imaplib"]))
    assert list(seats) == ["imaplib"]
    assert absent == {"go-imap": "Go is not installed"}
    data = {**measured("flags", {}, {}), "repeat": 1, "rounds": 1, "absent": absent}
    data["workloads"][0].update(errors={}, differences={})
    assert "go-imap was left out: Go is not installed" in list(report.report(data))


@pytest.mark.parametrize("seat", ["go-imap", "imapflow"])
def test_the_peers_in_other_languages_return_every_item(seat: str, tmp_path: Path) -> None:
    """If they are installed already: a test installs nothing."""
    folder = processes.environments_folder(None).parent / seat
    if seat == "imapflow" and not (folder / "made-for.txt").exists():
        pytest.skip("imapflow was not installed by a run of the benchmark")
    try:
        started = run.IN_OTHER_LANGUAGES[seat](folder if seat == "imapflow" else tmp_path)
    except processes.Unavailable as error:
        pytest.skip(str(error))
    chosen = [item._replace(total=30) for item in WORKLOADS if seat in item.seats]
    assert len(chosen) == 6
    with processes.canned_server(chosen, tmp_path) as port:
        for workload in chosen:
            worker = processes.Worker(seat, started)
            try:
                assert "version" in worker.open(workload, port)
                assert worker.ask(do="run")["count"] == 30, workload.folder
            finally:
                worker.close()


@pytest.mark.live
def test_a_download_from_dovecot_is_measured_beside_a_fetch(tmp_path: Path) -> None:
    reason = Dovecot.unavailable()
    if reason is not None:
        not_available(reason)
    seats: Any = {
        "ours": processes.Interpreter(Path(sys.executable), processes.CHECKOUT),
        "imaplib": processes.Interpreter(Path(sys.executable), None),
    }
    with dovecot.dovecot(0.001) as real:
        [large] = [workload for workload in real if workload.call == "download"]
        result = measuring.measure(large, seats, 0, measuring.Amount(1, 1), tmp_path)
    assert (result["errors"], result["differences"]) == ({}, {})
    assert set(result["seats"]) == {"ours", "ours:fetch", "imaplib"}
