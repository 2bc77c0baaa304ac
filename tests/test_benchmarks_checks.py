"""The benchmark's checks: the ratios that must hold, and the comparison with an earlier run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import baseline, measuring, musts, run, workloads
from tests.benchmarks.dovecot import DOWNLOAD
from tests.benchmarks.workloads import WORKLOADS
from tests.helpers.benchmark_clients import command

pytestmark = pytest.mark.once


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
    known = {
        item.folder: {*item.seats, *(f"ours:{name}" for name in workloads.variants(item))}
        for item in (*WORKLOADS, DOWNLOAD)
    }
    for must in musts.MUSTS:
        assert must.row in measuring.ROWS
        assert must.folder == "import" or set(must.name.split("/")) <= known[must.folder]


# ---- against an earlier run


def test_a_run_is_compared_with_an_earlier_one() -> None:
    """Ours at half the ratio of then is not worse; at 1.06 of it, it is. A variant is compared too."""
    general = {"ours:general": times(general=30)["general"]}
    then = measured("overviews", {**times(ours=10, imaplib=5), **general}, {**times(ours=10, imaplib=5), **general})
    now = measured("overviews", {**times(ours=5, imaplib=5), **general}, {**times(ours=10.6, imaplib=5), **general})
    rows = baseline.compared(now, then, "cpu")
    assert [(row.title, row.row, round(row.factor, 9)) for row in rows] == [
        ("overviews, 9", "first", 0.5),
        ("overviews, 9", "steady", 1.06),
        ("overviews, 9, general path alone", "first", 1),
        ("overviews, 9, general path alone", "steady", 1),
    ]
    lines = list(baseline.report(now, then, "cpu"))
    assert lines[-1] == "more than 5% worse: overviews, 9, steady"
    assert [line.endswith("WORSE") for line in lines].count(True) == 1


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


def small_search(*arguments: str) -> subprocess.CompletedProcess[str]:
    small = ["--scale", "0.002", "--repeat", "1", "--rounds", "1", "--seats", "ours,imaplib", "--workload", "search"]
    return subprocess.run(command(*small, *arguments), capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run with little data."""
    file = tmp_path_factory.mktemp("earlier") / "run.json"
    done = small_search("--json", str(file))
    assert done.returncode == 0, done.stderr
    return file


def test_a_run_of_another_scale_is_refused(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.parsed(["--against", str(earlier)])
    assert "is of a run with --scale 0.002" in capsys.readouterr().err
    assert run.parsed(["--against", str(earlier), "--scale", "0.002"]).earlier["scale"] == 0.002


@pytest.mark.parametrize(("quicker", "status"), [("imaplib", 0), ("ours", 1)])
def test_what_is_worse_fails_the_check(quicker: str, status: int, earlier: Path, tmp_path: Path) -> None:
    """Compared with a run in which ours took almost no time, everything is worse; if imaplib did so, nothing is."""
    data = baseline.load(earlier)
    for row in measuring.ROWS:
        data["workloads"][0]["seats"][quicker][row]["cpu"]["median"] *= 1e-9
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    done = small_search("--against", str(file), "--check")
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("more than 5% worse: " + ("SEARCH" if status else "nothing"))
