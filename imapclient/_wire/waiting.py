"""Waiting, the clock and threads. No other module waits, except inside a call of a socket.

The rest of the package takes its locks, its events, the time and the number of the thread from here. It waits for pipes
and processes here. So only this module has to change to wait in another way, such as on an event loop.
"""

from __future__ import annotations

import math
import select
import socket
import subprocess
import threading
import time
from types import TracebackType
from typing import Protocol

# The longest wait that this Python takes, in seconds.
MAX_SECONDS = threading.TIMEOUT_MAX
# A pipe that is ready for writing takes this many bytes without waiting (POSIX, PIPE_BUF).
PIPE_SIZE: int = getattr(select, "PIPE_BUF", 512)


class Lock(Protocol):
    """A lock: the methods of `threading.Lock` and `threading.RLock` that are used."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> bool: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


class Event(Protocol):
    """An event: the methods of `threading.Event` that are used."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool: ...


def lock() -> Lock:
    """A lock that its holder must not take again."""
    return threading.Lock()


def reentrant_lock() -> Lock:
    """A lock that its holder may take again."""
    return threading.RLock()


def event() -> Event:
    """An event that is not set."""
    return threading.Event()


def thread_id() -> int:
    """The number of the thread that calls. No two threads that run have the same one."""
    return threading.get_ident()


def now() -> float:
    """Seconds on a clock that is never set back."""
    return time.monotonic()


def wait_readable(pipe: int, seconds: float | None) -> bool:
    """Wait until the pipe with this descriptor can be read or has ended. Returns False if ``seconds`` pass first.

    None waits for ever. Returns True at once if the system can't wait for pipes (Windows).


    """
    return _wait(pipe, "POLLIN", seconds)


def wait_writable(pipe: int, seconds: float | None) -> bool:
    """Wait until the pipe with this descriptor accepts data. Otherwise the same as `wait_readable`."""
    return _wait(pipe, "POLLOUT", seconds)


def _wait(pipe: int, kind: str, seconds: float | None) -> bool:
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(pipe, getattr(select, kind))
    return bool(poll.poll(None if seconds is None else math.ceil(seconds * 1000)))


def wait_for_end(process: subprocess.Popen[bytes], seconds: float | None) -> bool:
    """Wait until a process has ended. Returns False if ``seconds`` pass first. None waits for ever."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


class Deadline:
    """A time by which something must be done, ``seconds`` from now. None sets no limit, and 0 polls."""

    # For how many seconds after the end data that has arrived is still read. It is limited, because a peer may never
    # stop.
    POLLING = 0.05
    # The longest wait that every system takes, in seconds: 10 days.
    MAX_WAIT = 864000.0

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else now() + max(0.0, seconds)
        self._polling_end: float | None = None

    def remaining(self) -> float | None:
        """Seconds left, at most `MAX_WAIT`; 0 after the end; None if there is no limit.

        Raises socket.timeout if the first call that returned 0 was more than `POLLING` seconds ago.


        """
        if self._end is None:
            return None
        moment = now()
        if moment < self._end:
            return min(self._end - moment, self.MAX_WAIT)
        if self._polling_end is None:
            # Counted from this call and not from the end. On a busy system, this thread may not have run since the end.
            # It must still read the data that has arrived.
            self._polling_end = moment + self.POLLING
        elif moment > self._polling_end:
            raise socket.timeout("timed out")
        return 0.0


def is_timeout(error: BaseException) -> bool:
    """Whether a wait took longer than its timeout. ETIMEDOUT is something else: it ends a dead connection."""
    return isinstance(error, socket.timeout) and error.errno is None
