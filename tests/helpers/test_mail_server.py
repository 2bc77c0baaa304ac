"""The helpers for real servers: each starts, and nothing of it is left, also if the tests are killed."""

from __future__ import annotations

import imaplib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.dovecot import Dovecot
from tests.helpers.live import running
from tests.helpers.mail_server import MailServer

_ROOT = Path(__file__).parents[2]
_PATIENCE = 60

_STARTS_ONE_AND_WAITS = """
import importlib, sys
module, name = sys.argv[1:]
with getattr(importlib.import_module(module), name)() as server:
    print(server.folder, server.port, flush=True)
    sys.stdin.read()
"""


def _plain(user: str, password: str) -> Callable[[bytes], bytes]:
    return lambda _challenge: f"\0{user}\0{password}".encode()


def test_a_new_user_can_log_in_at_once(mail_server: MailServer) -> None:
    for number in range(2):
        name = f"new-{mail_server.name}-{number}"
        mail_server.add_user(name, "a b")
        with imaplib.IMAP4(mail_server.host, mail_server.port) as client:
            client.authenticate("PLAIN", _plain(name, "a b"))
            assert client.select() == ("OK", [b"0"])
    name, password = mail_server.new_user()
    with imaplib.IMAP4(mail_server.host, mail_server.port) as client:
        client.login(name, password)
        assert client.select() == ("OK", [b"0"])


def test_invalid_users(mail_server: MailServer) -> None:
    with pytest.raises(ValueError, match="exists"):
        mail_server.add_user("alice")
    for name in ("a:b", "../a", "a\tb", "a\nb", "", ".a"):
        with pytest.raises(ValueError, match="not possible"):
            mail_server.add_user(name)


def test_tls_and_starttls(mail_server: MailServer) -> None:
    context = ssl.create_default_context(cafile=mail_server.ca_file)
    with imaplib.IMAP4_SSL(mail_server.host, mail_server.tls_port, ssl_context=context) as tls:
        assert tls.login("alice", mail_server.users["alice"])[0] == "OK"
    with imaplib.IMAP4(mail_server.host, mail_server.port) as plain:
        plain.starttls(mail_server.ssl_context)
        answer = plain.authenticate("PLAIN", _plain("uni", mail_server.users["uni"]))
        assert answer[0] == "OK"


def test_client_certificate(mail_server: MailServer) -> None:
    context = mail_server.client_certificate_context("bob")
    with imaplib.IMAP4_SSL(mail_server.host, mail_server.tls_port, ssl_context=context) as client:
        assert "AUTH=EXTERNAL" in client.capabilities
        assert client.authenticate("EXTERNAL", lambda _: b"")[0] == "OK"


def test_preauth_command_of_dovecot(dovecot: Dovecot) -> None:
    with imaplib.IMAP4_stream(dovecot.preauth_command("alice")) as client:
        assert client.welcome.startswith(b"* PREAUTH ")
        assert client.select("INBOX", readonly=True)[0] == "OK"


def test_nothing_is_left_at_the_end(mail_server: MailServer) -> None:
    with type(mail_server)() as server:
        folder, port = server.folder, server.port
        assert folder.is_dir()
        # An open connection does not keep the server.
        client = imaplib.IMAP4(server.host, port)
        client.login("alice", "secret")
    assert not folder.exists()
    _assert_refused(server.host, port)
    client.shutdown()
    assert _processes_of(folder) == []


def test_nothing_is_left_when_the_tests_are_killed(mail_server: MailServer) -> None:
    kind = type(mail_server)
    tests = subprocess.Popen(
        [sys.executable, "-c", _STARTS_ONE_AND_WAITS, kind.__module__, kind.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        encoding="utf-8",
    )
    with tests:
        assert tests.stdout is not None
        path, port = tests.stdout.readline().split()
        folder = Path(path)
        client = imaplib.IMAP4(kind.host, int(port))
        client.login("alice", "secret")
        tests.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while folder.exists() or _processes_of(folder):
        assert time.monotonic() < deadline, _processes_of(folder)
        time.sleep(0.02)
    _assert_refused(kind.host, int(port))
    client.shutdown()


def test_a_server_that_does_not_start_shows_its_log(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(mail_server)
    monkeypatch.setattr(kind, "_command", lambda self, folder: ["sh", "-c", "echo what is wrong >&2; exit 3"])
    server = kind()
    with pytest.raises(RuntimeError, match="what is wrong"):
        server.start()
    with pytest.raises(RuntimeError, match="is not running"):
        server.folder  # noqa: B018


def test_a_missing_server_is_skipped_or_fails_if_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dovecot, "unavailable", classmethod(lambda cls: "install it"))
    monkeypatch.delenv("IMAPCLIENT_TEST_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install it"):
        next(running(Dovecot))
    monkeypatch.setenv("IMAPCLIENT_TEST_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="install it"):
        next(running(Dovecot))


def _assert_refused(host: str, port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=60)


def _processes_of(folder: Path) -> list[str]:
    """Return the command lines that contain the folder. Each server has at least one. On Linux only."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line and entry.parent.name != str(os.getpid()):
            found.append(line)
    return found
