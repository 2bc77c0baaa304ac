"""The benchmark's peers in other languages, and its real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import dovecot, measuring, other_languages, processes, report, run
from tests.benchmarks.workloads import WORKLOADS
from tests.helpers.dovecot import Dovecot
from tests.helpers.live import not_available

pytestmark = pytest.mark.once

REPORTED: dict[str, Any] = {
    "python": "3",
    "machine": "m",
    "repeat": 1,
    "rounds": 1,
    "scale": 1.0,
    "clock": "cpu",
    "workloads": [],
}


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


def test_a_package_index_that_does_not_answer_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], timeout: float, **options: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(processes.Unavailable, match="no end after"):
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
    data = {**REPORTED, "absent": absent}
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
