"""The transport over the pipes of a child process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient._wire.pipes import PipeTransport, spawn
from tests.helpers.transports import received, received_into

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


@contextlib.contextmanager
def child(command: str) -> Iterator[PipeTransport]:
    """A transport over the standard input and output of a command."""
    transport = PipeTransport(spawn(command))
    try:
        yield transport
    finally:
        transport.close()


@POSIX
@pytest.mark.parametrize("receive", [received, received_into])
def test_spawn(receive: Any) -> None:
    with child("echo '* OK ready'; read line; echo \"got $line\"") as transport:
        transport.sendall(b"hello\n", 60)
        data = b""
        while not data.endswith(b"hello\n"):
            data += receive(transport, 7, 60)
        assert data == b"* OK ready\ngot hello\n"
        for timeout in (None, 10, 0):
            assert receive(transport, 100, timeout) == b""


@POSIX
@pytest.mark.parametrize("receive", [received, received_into])
def test_timeouts_over_pipes(receive: Any) -> None:
    with child("cat") as transport:
        for timeout in (0, 0.001):
            with pytest.raises(socket.timeout):
                receive(transport, 100, timeout)
        transport.sendall(b"x", None)
        assert receive(transport, 100, None) == b"x"


@POSIX
def test_much_over_pipes() -> None:
    data = bytes(range(256)) * 4096
    with child("cat") as transport:
        thread = threading.Thread(target=transport.sendall, args=(data, 60))
        thread.start()
        got = bytearray()
        while len(got) < len(data):
            got += received(transport, 100_000, 60)
        thread.join()
        assert bytes(got) == data


@POSIX
def test_send_to_a_child_that_takes_nothing() -> None:
    with child("exec sleep 1000") as transport:
        with pytest.raises(socket.timeout):
            transport.sendall(b"x" * 10_000_000, 0.05)
        transport.close(0.05)


@POSIX
def test_closing_ends_a_child() -> None:
    process = spawn("cat > /dev/null; exit 3")
    PipeTransport(process).close(60)
    assert process.returncode == 3


@POSIX
def test_a_child_that_does_not_end_is_killed() -> None:
    process = spawn("exec sleep 1000")
    transport = PipeTransport(process)
    transport.close(0.05)
    assert process.returncode == -signal.SIGKILL
    transport.close()


@POSIX
def test_a_system_that_can_not_wait_for_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without poll there are no timeouts, and all else works."""
    monkeypatch.delattr(select, "poll")
    with child("cat") as transport:
        transport.sendall(b"hello", 0.001)
        assert received(transport, 100, 0.001) == b"hello"
