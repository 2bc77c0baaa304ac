"""Over the standard input and output of a command (stream=True)."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import socket
import sys
import textwrap
import threading
from typing import Any

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient._wire.pipes import PipeTransport
from imapclient.exceptions import IllegalStateError, IMAPClientAbortError, ProtocolError
from tests.helpers.clients import set_read_timeout
from tests.helpers.dovecot import Dovecot

SERVER = """
    import sys, time

    def say(text):
        sys.stdout.write(text)
        sys.stdout.flush()

    def receive():
        line = sys.stdin.readline()
        tag, _, rest = line.partition(" ")
        return tag, rest.rstrip()
"""
GREETING = 'say("* PREAUTH [CAPABILITY IMAP4rev1 IDLE STARTTLS] at your service\\r\\n")\n'


def program(body: str, greeting: str = GREETING) -> str:
    """A command line that runs the lines of Python, which may use ``say`` and ``receive``."""
    code = textwrap.dedent(SERVER) + greeting + textwrap.dedent(body)
    return f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}"


SERVES = """
    while True:
        tag, rest = receive()
        if rest == "IDLE":
            say("+ go\\r\\n* 1 EXISTS\\r\\n")
            assert sys.stdin.readline() == "DONE\\r\\n"
        if rest == "LOGOUT":
            say("* BYE bye\\r\\n" + tag + " OK done\\r\\n")
            break
        if not tag:
            break
        say(tag + " OK did " + rest + "\\r\\n")
"""


# Answers with the number of lines that it has received.
TELLS = """
    count = 0
    while True:
        tag, rest = receive()
        if not tag:
            break
        count += 1
        if rest == "LOGOUT":
            say("* BYE bye\\r\\n")
        say(f"{tag} OK received {count}\\r\\n")
"""


@pytest.fixture(autouse=True)
def _time_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is killed because it ends slowly."""
    monkeypatch.setattr(PipeTransport.close, "__defaults__", (60.0,))


def test_a_session() -> None:
    with IMAPClient(program(SERVES), stream=True, timeout=60) as client:
        assert client.welcome.startswith(b"* PREAUTH")
        assert client.stream
        assert not client.ssl
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE", b"STARTTLS")
        assert client.noop() == (b"did NOOP", [])
        client.idle()
        assert client.idle_check(60) == [(1, b"EXISTS")]
        assert client.idle_check(0) == []
        assert client.idle_done() == (b"did IDLE", [])
        # For selectors: readable when the program has said something.
        assert client.socket().fileno() >= 0
        process = client._imap.process
        assert process.poll() is None
    # It has ended and was waited for.
    assert process.returncode == 0


def test_shutdown_ends_the_process() -> None:
    client = IMAPClient(program(SERVES), stream=True, timeout=60)
    client.shutdown()
    client.shutdown()
    assert client._imap.process.returncode is not None
    with pytest.raises(IMAPClientAbortError):
        client.noop()


@pytest.mark.parametrize("greeting", [GREETING, GREETING.replace("PREAUTH", "OK"), GREETING.replace("STARTTLS", "X")])
def test_no_tls_over_a_stream(greeting: str) -> None:
    """Whatever the server says, and nothing is sent for it."""
    with IMAPClient(program(TELLS, greeting), stream=True, timeout=60) as client:
        with pytest.raises(IllegalStateError, match="standard input"):
            client.starttls()
        assert client.noop() == (b"received 1", [])


@pytest.mark.parametrize("timeout", [60, SocketTimeout(None, 60)])
def test_a_read_timeout(timeout: Any) -> None:
    client = IMAPClient(r"printf '* PREAUTH hi\r\n'; while read x; do :; done", stream=True, timeout=timeout)
    set_read_timeout(client, 0.1)
    try:
        with pytest.raises(socket.timeout) as caught:
            client.noop()
        with pytest.raises(IMAPClientAbortError) as later:
            client.noop()
        assert later.value.__cause__ is caught.value
    finally:
        client.shutdown()


@pytest.mark.parametrize("timeout", [0.1, SocketTimeout(None, 0.1)])
def test_a_greeting_that_never_comes(timeout: Any) -> None:
    with pytest.raises(socket.timeout):
        IMAPClient("while read x; do :; done", stream=True, timeout=timeout)


@pytest.mark.parametrize("command", ["exit 3", "exec /no/such/program 2>/dev/null", "printf '* OK rea'; exec sleep 0"])
def test_a_program_that_ends_at_once(command: str) -> None:
    with pytest.raises(IMAPClientAbortError, match="closed"):
        IMAPClient(command, stream=True, timeout=60)


def test_a_program_that_speaks_no_imap() -> None:
    with pytest.raises(ProtocolError):
        IMAPClient(r"printf 'hello\r\n'; cat >/dev/null", stream=True, timeout=60)


def test_a_program_that_ends_in_the_middle() -> None:
    client = IMAPClient(program("receive()\nsay('* 1 EXI')"), stream=True, timeout=60)
    with pytest.raises(IMAPClientAbortError) as caught:
        client.noop()
    with pytest.raises(IMAPClientAbortError) as later:
        client.noop()
    assert later.value.__cause__ is caught.value
    client.shutdown()


def test_a_program_that_was_killed() -> None:
    client = IMAPClient(program(SERVES), stream=True, timeout=60)
    process = client._imap.process
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    with pytest.raises(IMAPClientAbortError):
        client.noop()
    client.shutdown()


def test_a_large_message() -> None:
    body = """
        tag, rest = receive()
        size = int(rest.rpartition("{")[2].strip("}"))
        say("+ go\\r\\n")
        got = sys.stdin.buffer.read(size + 2)
        say(f"{tag} OK {len(got)}\\r\\n")
        tag, rest = receive()
        say("* 1 FETCH (UID 1 BODY[] {" + str(size) + "}\\r\\n" + "x" * size + ")\\r\\n" + tag + " OK done\\r\\n")
        sys.stdin.read()
    """
    client = IMAPClient(program(body), stream=True, timeout=60)
    try:
        assert client.append("x", b"x" * 3_000_000) == b"3000002"
        assert client.fetch(1, ["BODY[]"])[1][b"BODY[]"] == b"x" * 3_000_000
    finally:
        client.shutdown()


def test_the_standard_error_of_the_program_is_ours(capfd: pytest.CaptureFixture[str]) -> None:
    client = IMAPClient("echo complaint >&2; " + program(SERVES), stream=True, timeout=60)
    client.logout()
    assert "complaint" in capfd.readouterr().err


def test_shutdown_by_another_thread() -> None:
    client = IMAPClient(program("receive(); sys.stdin.read()"), stream=True, timeout=60)
    timer = threading.Timer(0.2, client.shutdown)
    timer.start()
    with pytest.raises(IMAPClientAbortError):
        client.noop()
    timer.join(60)


def test_dovecot_over_a_stream(dovecot: Dovecot) -> None:
    dovecot.add_user("streamer")
    with IMAPClient(dovecot.preauth_command("streamer"), stream=True, timeout=60) as client:
        assert client.welcome.upper().startswith(b"* PREAUTH")
        assert client.select_folder("INBOX")[b"EXISTS"] == 0
        client.append("INBOX", b"Subject: over a stream\r\n\r\n" + b"x" * 100_000)
        client.append("INBOX", "Subject: ünïcode\r\n\r\nbody")
        assert client.search(["SUBJECT", "ünïcode"]) == [2]
        assert len(client.fetch(1, ["BODY[]"])[1][b"BODY[]"]) > 100_000
        client.idle()
        assert client.idle_check(0.1) == []
        client.idle_done()
        process = client._imap.process
    assert process.returncode == 0


def test_the_command_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its line may hold a password."""
    caplog.set_level(logging.DEBUG, "imapclient.imapclient")
    caplog.set_level(logging.DEBUG, "imapclient.imaplib")
    with IMAPClient(f"PASSWORD=tell-nobody {program(SERVES)}", stream=True):
        pass
    assert "over a stream" in caplog.text
    assert "tell-nobody" not in caplog.text
