"""The benchmark against another checkout: small runs of it, asserting contents and never a time."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import against, processes, worker, workloads
from tests.helpers.benchmark_clients import (
    OFFERS_GC_TUNING,
    PACKAGE,
    USES_THE_THRESHOLDS,
    command,
    fake_checkout,
)

pytestmark = pytest.mark.once


def against_command(*arguments: str, here: Path = PACKAGE, there: Path = PACKAGE) -> list[str]:
    return command("--against", str(there), *arguments, package=here)


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
    chosen = ["import", "flags", "search", "append-file"]
    small += [f"--workload={folder}" for folder in chosen]
    done = subprocess.run(against_command(*small), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    data = json.loads(file.read_text(encoding="utf-8"))
    plain = [result["folder"] for result in data["workloads"] if not result.get("variant")]
    assert plain == chosen
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
        assert sum(line.startswith(f"{workloads.amount(result)}  ") for line in done.stdout.splitlines()) == 1
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
    # The first run of a process is apart.
    assert results["here"]["first"] == [1.0]
    assert results["here"]["cpu"] == [[3.0, 5.0]]
    assert results["there"]["cpu"] == [[4.0, 6.0]]


def times(
    here: list[list[float]],
    there: list[list[float]],
    folder: str = "flags",
    count: int = 20_000,
    firsts: tuple[float, float] = (0.1, 0.2),
) -> Any:
    """What was measured of a workload, in seconds, with its medians."""
    sides = {
        "here": {"first": [firsts[0]] * len(here), "cpu": here, "wall": here},
        "there": {"first": [firsts[1]] * len(there), "cpu": there, "wall": there},
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
    assert result["ratios"]["first"] == {"median": 0.5, "low": 0.5, "high": 0.5}


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


@pytest.mark.parametrize(
    ("here", "folder", "slower"),
    [(0.1049, "flags", ""), (0.1051, "flags", "SLOWER"), (0.1149, "search", ""), (0.1151, "search", "SLOWER")],
)
def test_the_first_run_may_not_be_slower(here: float, folder: str, slower: str) -> None:
    result = times([[0.1]], [[0.1]], folder, 100_000, firsts=(here, 0.1))
    assert against.verdict(result) == slower
    assert against.is_slower(result) == (slower == "SLOWER")


def test_the_first_import_does_not_count() -> None:
    """It may write the bytecode."""
    result = times([[0.1]], [[0.1]], "import", firsts=(0.3, 0.1))
    assert not against.is_slower(result)
    [line] = [line for line in against.report({**REPORTED, "workloads": [result]}) if line.startswith("import,")]
    assert line.split()[-2:] == ["-", "-"]


def test_a_first_run_that_may_be_slower_by_chance_is_accepted() -> None:
    result = times([[0.1]] * 6, [[0.1]] * 6)
    result["sides"]["here"]["first"] = [0.1, 0.1, 0.2, 0.2, 0.2, 0.2]
    result["sides"]["there"]["first"] = [0.1] * 6
    against.summarise(result)
    assert result["ratios"]["first"] == {"median": 2.0, "low": 1.0, "high": 2.0}
    assert not against.is_slower(result)


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


def test_a_checkout_that_returns_something_else_fails_the_run(tmp_path: Path) -> None:
    status, data = compared_with(PACKAGE, fake_checkout(tmp_path), "--workload", "list", "--no-imports")
    [result] = data["workloads"]
    assert status == 1
    assert set(result["differences"]) == {"generated/there", "here/there"}


def test_what_can_not_be_imported_fails_the_run(tmp_path: Path) -> None:
    there = fake_checkout(tmp_path, more="raise OSError('went away')\n")
    status, data = compared_with(PACKAGE, there, "--workload", "import", "--workload", "list")
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
    there = fake_checkout(tmp_path / "there", fetch=USES_THE_THRESHOLDS)
    here = fake_checkout(tmp_path / "here")
    _, data = compared_with(here, there, "--workload", "flags", "--no-imports")
    assert [result["variant"] for result in data["workloads"]] == ["", "python_gc"]
    assert ["excused" in result for result in data["workloads"]] == [True, False]
    assert [result["errors"] for result in data["workloads"]] == [{}, {}]


def test_gc_tuning_has_a_row_of_its_own_if_this_checkout_offers_it(tmp_path: Path) -> None:
    """The other one is measured as it comes if it does not offer it."""
    there = fake_checkout(tmp_path / "there")
    fetch = f"if self.gc_tuning: {USES_THE_THRESHOLDS}"
    here = fake_checkout(tmp_path / "here", fetch=fetch, more=OFFERS_GC_TUNING)
    _, data = compared_with(here, there, "--workload", "flags", "--no-imports")
    assert [result["variant"] for result in data["workloads"]] == ["", "gc_tuning"]
    tuned = data["workloads"][1]
    assert tuned["errors"] == {}
    assert [tuned["sides"][side]["collector"] for side in against.SIDES] == [True, False]


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
