"""Locks, the clock, deadlines, and waiting for pipes and processes."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading
import time

import pytest

from imapclient._wire import waiting
from imapclient._wire.pipes import spawn
from imapclient._wire.waiting import Deadline

POSIX = pytest.mark.skipif(os.name != "posix", reason="this system can't wait for pipes")


def test_a_lock_is_taken_once_and_a_reentrant_one_again() -> None:
    lock, reentrant = waiting.lock(), waiting.reentrant_lock()
    with lock, reentrant:
        assert not lock.acquire(blocking=False)
        assert reentrant.acquire(blocking=False)
        reentrant.release()
    assert lock.acquire(timeout=0)


def test_an_event_is_waited_for_from_another_thread() -> None:
    event = waiting.event()
    assert not event.is_set()
    assert not event.wait(0)
    thread = threading.Thread(target=event.set)
    thread.start()
    assert event.wait(60)
    assert event.is_set()
    thread.join()


def test_each_thread_has_its_number() -> None:
    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(waiting.thread_id()))
    thread.start()
    thread.join()
    assert waiting.thread_id() == threading.get_ident() not in others


def test_the_clock_goes_on() -> None:
    assert time.monotonic() <= waiting.now() <= waiting.now() <= time.monotonic()


@POSIX
def test_waiting_for_a_pipe() -> None:
    reading, writing = os.pipe()
    try:
        assert not waiting.wait_readable(reading, 0)
        assert not waiting.wait_readable(reading, 0.001)
        assert waiting.wait_writable(writing, None)
        os.write(writing, b"x" * waiting.PIPE_SIZE)
        assert waiting.wait_readable(reading, None)
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while os.write(writing, b"x" * waiting.PIPE_SIZE):
                pass
        assert not waiting.wait_writable(writing, 0)
    finally:
        os.close(writing)
    while os.read(reading, 1 << 20):
        pass
    assert waiting.wait_readable(reading, 0), "the end can be read"
    os.close(reading)


def test_a_system_that_can_not_wait_for_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll", raising=False)
    assert waiting.wait_readable(-1, 0)


def test_waiting_for_the_end_of_a_process() -> None:
    process = spawn(f'"{sys.executable}" -c "input()"')
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert not waiting.wait_for_end(process, 0)
        process.stdin.write(b"\n")
        assert waiting.wait_for_end(process, None)
        assert waiting.wait_for_end(process, 0)


# -- deadlines


def test_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    assert Deadline(None).remaining() is None
    deadline = Deadline(100)
    assert deadline.remaining() == 100
    clock[0] += 40
    assert deadline.remaining() == 60


@pytest.mark.parametrize("late", [0, 1000])
def test_deadline_that_is_over(monkeypatch: pytest.MonkeyPatch, late: float) -> None:
    """What is there may be taken for a moment after we look for the first time, however late that is."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    deadline = Deadline(5)
    clock[0] += 5 + late
    for _ in range(2):
        assert deadline.remaining() == 0
        clock[0] += 0.6 * Deadline.POLLING
    with pytest.raises(socket.timeout):
        deadline.remaining()


def test_deadlines_of_any_length() -> None:
    """Longer than the system's calls take, and less than nothing."""
    for seconds in (1e12, float("inf")):
        remaining = Deadline(seconds).remaining()
        assert remaining is not None
        with socket.socket() as sock:
            sock.settimeout(remaining)
    assert Deadline(-1000).remaining() == 0
