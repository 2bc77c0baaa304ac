"""``python -m imapclient.livetest``, as users start it, on the embedded server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imapclient import IMAPClient
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


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


@pytest.fixture
def settings(tmp_path: Path, embedded: EmbeddedServer) -> Path:
    """A configuration file with the account of "ops" over TLS, again by STARTTLS, and one that is refused."""
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


def test_it_runs_on_each_account_and_leaves_nothing_behind(settings: Path, embedded: EmbeddedServer) -> None:
    def contents() -> object:
        with IMAPClient(embedded.host, embedded.port, ssl=False, timeout=30) as client:
            client.login("ops", "secret")
            names = [item[2] for item in client.list_folders()]
            subscribed = [item[2] for item in client.list_sub_folders()]
            return subscribed, {name: client.folder_status(name) for name in names}

    with IMAPClient(embedded.host, embedded.port, ssl=False, timeout=30) as client:
        client.login("ops", "secret")
        client.append("INBOX", b"Subject: mine\r\n\r\nDo not touch.\r\n", [b"\\Deleted"])
    before = contents()
    # A project's settings in the current folder are not meant for it.
    settings.with_name("pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    tests = "subscribe or copy or idle or context or select_read_only or connecting_fails or local_time"
    result = _run(settings.parent, "-m", "imapclient.livetest", settings.name, "-k", tests, "-v")
    assert result.returncode == 0, result.stdout
    for line in (
        "test_subscribe_and_unsubscribe[DEFAULT]",
        "test_subscribe_and_unsubscribe[starttls]",
        "test_idle_and_log_out[DEFAULT]",
        "test_connecting_fails[wrong]",
    ):
        assert line in result.stdout
    assert result.stdout.count("[wrong]") == 1
    assert contents() == before
    assert not list(settings.parent.rglob(".pytest_cache"))


def test_a_failure_is_told(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("expect_failure = LOGIN failed", "expect_failure = something else"), "utf-8")
    result = _run(settings.parent, "-m", "imapclient.livetest", settings.name, "-k", "connecting_fails")
    assert result.returncode == 1, result.stdout
    assert "something else" in result.stdout


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
