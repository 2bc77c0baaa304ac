"""The benchmark measures the right thing: small runs of it, asserting contents and never a time."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import imapclient
from tests.benchmarks import against, compression, processes, replies, results, run, worker, workloads

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
            processes.give_core(process, place)
            assert os.sched_getaffinity(process.pid) == {cores[place]}
            process.kill()


def test_every_workload_is_run_by_every_seat(small_run: dict[str, Any]) -> None:
    ran = {item["folder"]: set(item["seats"]) for item in small_run["workloads"] if not item["variant"]}
    chosen = {"ours", "imaplib", "socket"}
    expected = {item.folder: set(item.seats) & chosen for item in workloads.WORKLOADS}
    assert ran == expected


def test_each_fetch_is_run_with_gc_tuning_too(small_run: dict[str, Any]) -> None:
    expected = [item.folder for item in workloads.WORKLOADS if workloads.gc_tuned(item)]
    tuned = [item for item in small_run["workloads"] if item["variant"] == "gc_tuning"]
    assert [item["folder"] for item in tuned] == expected
    assert "flags" in expected
    assert [list(item["seats"]) for item in tuned] == [["ours"]] * len(expected)


def test_every_client_returns_all_items(small_run: dict[str, Any]) -> None:
    for item in small_run["workloads"]:
        assert item["seats"]["ours"]["count"] == item["count"], item["folder"]
        # What the socket counts is bytes: each item takes at least two of them.
        assert item["variant"] or item["seats"]["socket"]["count"] > 2 * item["count"], item["folder"]


def test_the_table_has_a_line_for_each_workload(small_run: dict[str, Any]) -> None:
    lines = list(run.report(small_run))
    for item in small_run["workloads"]:
        assert sum(line.startswith(f"{workloads.amount(item)}  ") for line in lines) == 3, item["folder"]
    assert lines[-1] == "Every result was compared with what the server sent: no differences."


def measured(folder: str, ours: float, peer: float, imaplib: float) -> dict[str, Any]:
    """Data of a run with one workload, with ratios of these times."""
    ratios = {"ours/imaplib": {"wall": ours / imaplib, "cpu": 1.0}, "peer/ours": {"wall": peer / ours, "cpu": 1.0}}
    return {"clock": "wall", "scale": 1.0, "workloads": [{"folder": folder, "variant": "", "ratios": ratios}]}


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


# ---- against another checkout


def against_command(*arguments: str, here: Path = PACKAGE, there: Path = PACKAGE) -> list[str]:
    own = ["--ours-python", sys.executable, "--ours-path", str(here), "--against", str(there)]
    script = str(CHECKOUT / "tests" / "benchmarks" / "run.py")
    return [sys.executable, script, "--no-dovecot", *own, *arguments]


def compared_with(here: Path, there: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the data of a run with little data."""
    small = ["--scale", "0.002", "--repeat", "1", "--rounds", "1", "--json"]
    line = against_command(*small, *arguments, here=here, there=there)
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, data


def test_a_checkout_is_compared_with_itself(tmp_path: Path) -> None:
    file = tmp_path / "raw.json"
    small = ["--scale", "0.002", "--repeat", "1", "--rounds", "2", "--json", str(file)]
    chosen = ["flags", "search", "append-file"]
    small += [f"--workload={folder}" for folder in chosen]
    done = subprocess.run(against_command(*small), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    data = json.loads(file.read_text(encoding="utf-8"))
    plain = [result["folder"] for result in data["workloads"] if not result.get("variant")]
    assert plain == ["import", *chosen]
    for result in data["workloads"]:
        assert (result["errors"], result["differences"]) == ({}, {}), result["folder"]
        assert "excused" not in result
        for side in against.SIDES:
            for clock in against.CLOCKS:
                times = result["sides"][side][clock]
                # More runs if they are short, and more processes if their times differ much.
                assert 1 <= len(times) <= against.MORE
                assert all(2 <= len(part) <= 2 * against.MORE for part in times), result["folder"]
                assert all(time > 0 for part in times for time in part)
        assert sum(line.startswith(f"{against.title(result)}  ") for line in done.stdout.splitlines()) == 1
    assert f"here:  {PACKAGE}" in done.stdout


class NotingWorker:
    """A worker that only notes who is asked."""

    def __init__(self, side: str, asked: list[str], cpu: float | None = None) -> None:
        self.side = side
        self.asked = asked
        self.cpu = cpu

    def ask(self, **request: object) -> dict[str, Any]:
        self.asked.append(self.side)
        return {"wall": 1.0, "cpu": self.cpu or float(len(self.asked)), "collector": False}


def test_the_runs_of_the_two_alternate() -> None:
    asked: list[str] = []
    workers: Any = {side: NotingWorker(side, asked) for side in against.SIDES}
    results = {side: {"first": [], "cpu": [], "wall": [], "collector": False} for side in against.SIDES}
    against.alternate(workers, 2, results)
    assert asked == ["here", "there"] * 3
    # The first run of a process is kept apart.
    assert results["here"]["first"] == [1.0]
    assert results["here"]["cpu"] == [[3.0, 5.0]]
    assert results["there"]["cpu"] == [[4.0, 6.0]]


def times(here: list[list[float]], there: list[list[float]], folder: str = "flags", count: int = 20_000) -> Any:
    """What was measured of a workload, in seconds, with its medians."""
    sides = {
        "here": {"first": [0.1], "cpu": here, "wall": here},
        "there": {"first": [0.2], "cpu": there, "wall": there},
    }
    names = {"folder": folder, "title": folder, "count": count, "size": 0, "variant": ""}
    result = {**names, "sides": sides, "errors": {}, "differences": {}}
    against.summarise(result)
    return result


def test_the_ratio_is_that_of_the_pairs() -> None:
    """A machine that gets slower with the second pair makes no difference between the two."""
    result = times([[0.9, 1.0, 8.0], [2.0], [4.0]], [[1.0], [2.0], [5.0]])
    assert result["medians"] == {"here": {"cpu": 2.0, "wall": 2.0}, "there": {"cpu": 2.0, "wall": 2.0}}
    assert result["ratios"]["cpu"] == {"median": 1.0, "low": 0.8, "high": 1.0}
    assert result["ratios"]["first"] == 0.5


@pytest.mark.parametrize(("count", "place"), [(1, 0), (2, 0), (5, 0), (6, 0), (8, 0), (9, 1), (15, 3), (20, 5)])
def test_the_interval_of_the_median(count: int, place: int) -> None:
    """The places that tables of the sign test have for 95 %."""
    values = [float(value) for value in range(count)]
    assert against.interval(values[::-1]) == (values[place], values[-1 - place])


@pytest.mark.parametrize(
    ("here", "folder", "count", "slower"),
    [
        (0.1049, "flags", 20_000, ""),
        (0.1051, "flags", 20_000, "SLOWER"),
        # 10 ms for a search with 100,000 ids, and for no other workload.
        (0.1149, "search", 100_000, "allowed"),
        (0.1151, "search", 100_000, "SLOWER"),
        (0.1149, "list", 100_000, "SLOWER"),
        (0.1069, "search", 20_000, "allowed"),
        (0.1071, "search", 20_000, "SLOWER"),
    ],
)
def test_what_is_slower(here: float, folder: str, count: int, slower: str) -> None:
    result = times([[here]], [[0.1]], folder, count)
    assert against.verdict(result) == slower
    assert against.is_slower(result) == (slower == "SLOWER")


def test_python_s_own_thresholds_are_an_excuse() -> None:
    result = {**times([[0.2]], [[0.1]]), "excused": against.OTHER_THRESHOLDS}
    assert against.verdict(result) == "excused"
    assert not against.is_slower(result)
    lines = list(against.report({**REPORTED, "workloads": [result]}))
    assert f"flags, 20,000: excused: {against.OTHER_THRESHOLDS}" in lines
    assert lines[-1] == "more than 5% slower: nothing"


REPORTED = {"here": "a", "there": "b", "python": "3", "machine": "m", "repeat": 1, "rounds": 1, "dovecot": ""}


def test_the_report_names_what_is_slower() -> None:
    results = [times([[0.2]], [[0.1]], "flags"), times([[0.1]], [[0.1]], "mixed")]
    results.append({**times([[0.1]], [[0.1]], "list"), "differences": {"here/there": ["1: a != b"]}})
    lines = list(against.report({**REPORTED, "workloads": results}))
    assert lines[-1] == "more than 5% slower: flags, 20,000"
    assert "list, 20,000: here/there differ: 1: a != b" in lines
    assert [line.endswith("SLOWER") for line in lines].count(True) == 1


FAKE_CLIENT = """
import gc

__version__ = "0"


class IMAPClient:
    def __init__(self, host, port, ssl):
        pass

    def login(self, user, password):
        pass

    def select_folder(self, folder):
        pass

    def search(self):
        return [1]

    def list_folders(self):
        return []

    def fetch(self, ids, items):
        {fetch}
        return {{}}
"""
USES_THE_THRESHOLDS = "gc.set_threshold(*gc.get_threshold())"
OFFERS_GC_TUNING = "    gc_tuning = False\n"


def fake_checkout(folder: Path, fetch: str = "", more: str = "") -> Path:
    (folder / "imapclient").mkdir(parents=True)
    text = FAKE_CLIENT.format(fetch=fetch) + more
    (folder / "imapclient" / "__init__.py").write_text(text, encoding="utf-8")
    return folder


def test_a_checkout_that_returns_something_else_fails_the_run(tmp_path: Path) -> None:
    status, data = compared_with(PACKAGE, fake_checkout(tmp_path), "--workload", "list", "--no-imports")
    [result] = data["workloads"]
    assert status == 1
    assert set(result["differences"]) == {"generated/there", "here/there"}


def test_what_can_not_be_imported_fails_the_run(tmp_path: Path) -> None:
    there = fake_checkout(tmp_path, more="raise OSError('went away')\n")
    status, data = compared_with(PACKAGE, there, "--workload", "list")
    assert status == 1
    assert [result["errors"] for result in data["workloads"]] == [{"there": "OSError: went away"}] * 2


def test_pairs_are_measured_until_the_ratio_is_clear() -> None:
    """At least as many as were asked for, and not without end."""
    clear, unclear = times([[1.0]] * 6, [[1.0]] * 6), times([[1.0], [2.0]] * 3, [[2.0], [1.0]] * 3)
    assert list(against.turns(clear, 4)) == [0, 1, 2, 3]
    assert list(against.turns(unclear, 4)) == list(range(4 * against.MORE))


def test_short_runs_are_repeated_more_often() -> None:
    asked: list[str] = []
    workers: Any = {side: NotingWorker(side, asked, 0.05) for side in against.SIDES}
    results = {side: {"first": [], "cpu": [], "wall": [], "collector": False} for side in against.SIDES}
    against.alternate(workers, 2, results)
    # Four of them are long enough.
    assert results["there"]["cpu"] == [[0.05] * 4]


def test_another_checkout_s_thresholds_get_a_row_without(tmp_path: Path) -> None:
    """If only the other one changes the collector's thresholds, both are measured with Python's, too."""
    there = fake_checkout(tmp_path / "there", USES_THE_THRESHOLDS)
    here = fake_checkout(tmp_path / "here")
    _, data = compared_with(here, there, "--workload", "flags", "--no-imports")
    assert [result["variant"] for result in data["workloads"]] == ["", "python_gc"]
    assert ["excused" in result for result in data["workloads"]] == [True, False]
    assert [result["errors"] for result in data["workloads"]] == [{}, {}]


def test_gc_tuning_has_a_row_of_its_own_if_this_checkout_offers_it(tmp_path: Path) -> None:
    """The other one is measured as it comes if it does not offer it."""
    there = fake_checkout(tmp_path / "there")
    fetch = f"if self.gc_tuning: {USES_THE_THRESHOLDS}"
    here = fake_checkout(tmp_path / "here", fetch, OFFERS_GC_TUNING)
    _, data = compared_with(here, there, "--workload", "flags", "--no-imports")
    assert [result["variant"] for result in data["workloads"]] == ["", "gc_tuning"]
    tuned = data["workloads"][1]
    assert tuned["errors"] == {}
    assert [tuned["sides"][side]["collector"] for side in against.SIDES] == [True, False]


def test_the_benchmark_has_a_line_for_gc_tuning_if_our_client_offers_it(tmp_path: Path) -> None:
    here = fake_checkout(tmp_path, more=OFFERS_GC_TUNING)
    line = command("--seats", "ours,socket", "--workload", "flags", "--scale", "0.002", package=here)
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FLAGS MODSEQ, 40, with gc_tuning ")]
    assert len(lines) == 3, done.stdout + done.stderr


def test_python_s_thresholds_stay_if_they_are_to(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[tuple[int, ...]] = []
    monkeypatch.setattr(gc, "set_threshold", lambda *thresholds: changed.append(thresholds))
    thresholds = worker.Thresholds()
    thresholds.watch()
    gc.set_threshold(1, 2, 3)
    assert (thresholds.were_set, changed) == (True, [(1, 2, 3)])
    thresholds.are_fixed = True
    gc.set_threshold(4, 5, 6)
    assert changed == [(1, 2, 3)]


def test_a_client_from_elsewhere_is_not_measured(tmp_path: Path) -> None:
    """Each side must have imported the checkout that it stands for."""
    interpreter = processes.Interpreter(Path(sys.executable), PACKAGE)
    client = processes.Worker("here", interpreter)
    client.interpreter = interpreter._replace(path=fake_checkout(tmp_path))
    try:
        with processes.canned_server([workloads.Workload("list", "", "list", [], 3)], tmp_path) as port:
            answer = client.open(workloads.Workload("list", "", "list", [], 3), port)
    finally:
        client.close()
    assert answer["error"].startswith("AssertionError: ")
    assert f"is not in {tmp_path}" in answer["error"]


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(against_command(there=tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{tmp_path} is no checkout" in done.stderr
