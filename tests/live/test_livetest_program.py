"""``python -m imapclient.livetest`` and ``pytest tests/live --livetest-config``, as users start them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imapclient import IMAPClient
from imapclient.livetest.accounts import PREFIX
from tests.helpers.config_files import write_config

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

_ROOT = Path(__file__).parents[2]

_NO_PYTEST = """
import importlib.util, runpy, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "pytest" else find_spec(name, package)
sys.argv[1:] = ["any.ini"]
runpy.run_module("imapclient.livetest", run_name="__main__")
"""

# A plugin that raises KeyboardInterrupt in the third test.
_INTERRUPTING = """
import itertools
numbers = itertools.count(1)
def pytest_runtest_call(item):
    if next(numbers) == 3:
        raise KeyboardInterrupt
"""


_Done = subprocess.CompletedProcess[str]


def _run(folder: Path, *arguments: str, cwd: Path | None = None, plugins: bool = True) -> _Done:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    if not plugins:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd or folder,
        env={**environment, "PYTHONPATH": os.pathsep.join([str(_ROOT), str(folder)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=500,
        check=False,
    )


def _livetest(settings: Path, *arguments: str) -> _Done:
    # It does not need the plugins that are installed here.
    return _run(settings.parent, "-m", "imapclient.livetest", settings.name, *arguments, plugins=False)


@pytest.fixture
def settings(tmp_path: Path, embedded: EmbeddedServer) -> Path:
    """A configuration file with the account of "ops": over TLS, by STARTTLS, and with a wrong password."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(embedded.ca_pem)
    return write_config(
        tmp_path / "my.ini",
        "[DEFAULT]\n"
        f"host = {embedded.host}\nport = {embedded.tls_port}\nssl_ca_file = {authority}\n"
        "username = ops\npassword = secret\n"
        f"[starttls]\nssl = no\nstarttls = yes\nport = {embedded.port}\n"
        "[wrong]\npassword = wrong\nexpect_failure = LOGIN failed\n",
    )


@pytest.fixture
def ops(embedded: EmbeddedServer) -> Iterator[IMAPClient]:
    """A client of the file's user."""
    with IMAPClient(embedded.host, embedded.port, ssl=False, timeout=60) as client:
        client.login("ops", "secret")
        yield client


def _contents(client: IMAPClient) -> object:
    names = [item[2] for item in client.list_folders()]
    subscribed = [item[2] for item in client.list_sub_folders()]
    return subscribed, {name: client.folder_status(name) for name in names}


def test_it_runs_on_the_account_and_leaves_nothing_behind(settings: Path, ops: IMAPClient) -> None:
    ops.append("INBOX", b"Subject: mine\r\n\r\nDo not touch.\r\n", [b"\\Deleted"])
    before = _contents(ops)
    # The settings of a project in the current folder must be ignored.
    settings.with_name("pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    tests = "subscribe or copy or idle or context or select_read_only or section or local_time or sort or thread"
    result = _livetest(settings, "-k", tests, "-v", "--livetest-report", "report.md")
    assert result.returncode == 0, result.stdout
    for line in (
        "test_subscribe_and_unsubscribe[DEFAULT]",
        "test_copy[uid-DEFAULT]",
        "test_copy[sequence-DEFAULT]",
        "test_idle_and_log_out[DEFAULT]",
        "test_section_connects_or_is_refused[DEFAULT-starttls]",
        "test_section_connects_or_is_refused[DEFAULT-wrong]",
    ):
        assert line in result.stdout
    assert _contents(ops) == before
    assert not list(settings.parent.rglob(".pytest_cache"))
    counts = re.search(r"^DEFAULT: (\d+) passed, 0 failed, (\d+) skipped$", result.stdout, re.MULTILINE)
    assert counts is not None
    for line in ("  server: * OK", "  ID: none", "  capabilities: IMAP4REV1 ", "  skipped, 6: the server has no SORT"):
        assert f"\n{line}" in result.stdout
    report = settings.with_name("report.md").read_text(encoding="utf-8")
    assert report.startswith("| DEFAULT | |\n|---|---|\n| server | * OK")
    assert f"| passed | {counts[1]} |\n| failed | 0 |\n" in report
    assert "| skipped: the server has no SORT | 6 |\n" in report
    # Users copy the report into bug reports.
    assert "secret" not in result.stdout + report
    assert "ops" not in report


def test_the_tests_of_the_source_tree_run_on_the_account_too(settings: Path, ops: IMAPClient) -> None:
    before = _contents(ops)
    options = ["--livetest-config", str(settings), "-k", "test_enable or test_copy or dovecot", "-pno:cacheprovider"]
    result = _run(settings.parent, "-m", "pytest", "tests/live", *options, "-v", cwd=_ROOT)
    assert result.returncode == 0, result.stdout
    assert "test_livetest.py::test_copy[sequence-DEFAULT] PASSED" in result.stdout
    assert "dovecot" not in result.stdout.partition("test session starts")[2].partition("rootdir")[2]
    assert "\nDEFAULT: " in result.stdout
    assert _contents(ops) == before


def test_a_failure_is_reported(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("expect_failure = LOGIN failed", "expect_failure = something else"), "utf-8")
    result = _livetest(settings, "-k", "section", "--livetest-report", "report.md")
    assert result.returncode == 1, result.stdout
    assert (
        "\n  failed: test_section_connects_or_is_refused[DEFAULT-wrong]: AssertionError: assert 'something else' in"
        in result.stdout
    )
    report = settings.with_name("report.md").read_text(encoding="utf-8")
    assert "| failed | 1 |\n| failed: `test_section_connects_or_is_refused[DEFAULT-wrong]` | AssertionError: " in report


def test_it_leaves_nothing_behind_when_it_is_interrupted(settings: Path, ops: IMAPClient) -> None:
    before = _contents(ops)
    settings.with_name("interrupting.py").write_text(_INTERRUPTING)
    result = _livetest(settings, "-k", "status or rename", "-p", "interrupting")
    assert result.returncode == 2, result.stdout
    assert "KeyboardInterrupt" in result.stdout
    assert _contents(ops) == before


def test_old_folders_of_earlier_runs_are_deleted(settings: Path, ops: IMAPClient) -> None:
    day = 24 * 60 * 60
    old, young = (f"{PREFIX}{int(time.time()) - age:08x}0123abcd" for age in (2 * day, day // 2))
    mine = f"{PREFIX}notes"
    for name in (old, f"{old}/1", f"{old}/1/2", young, f"{young}/1", mine):
        ops.create_folder(name)
        ops.subscribe_folder(name)
    result = _livetest(settings, "-k", "test_list_has_inbox")
    assert result.returncode == 0, result.stdout
    wanted = {young, f"{young}/1", mine}
    assert {item[2] for item in ops.list_folders("", f"{PREFIX}*")} == wanted
    assert {item[2] for item in ops.list_sub_folders("", f"{PREFIX}*")} == wanted
    for name in sorted(wanted, reverse=True):
        ops.unsubscribe_folder(name)
        ops.delete_folder(name)


def test_it_needs_a_file(tmp_path: Path) -> None:
    result = _run(tmp_path, "-m", "imapclient.livetest")
    assert result.returncode == 2
    assert result.stdout.startswith("usage: python -m imapclient.livetest FILE")
    result = _run(tmp_path, "-m", "imapclient.livetest", "--help")
    assert result.returncode == 0
    result = _run(tmp_path, "-m", "imapclient.livetest", "missing.ini")
    assert result.returncode == 2
    assert "missing.ini" in result.stdout
    assert "Traceback" not in result.stdout


def test_it_says_in_one_line_that_it_needs_pytest(tmp_path: Path) -> None:
    result = _run(tmp_path, "-c", _NO_PYTEST)
    assert result.returncode == 2
    assert result.stdout == "the live tests need pytest: pip install pytest\n"
