"""A child process as the server: the transport over its standard input and output. Knows nothing of IMAP."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
from typing import IO, Callable

from . import waiting
from .sockets import Data
from .waiting import PIPE_SIZE


def spawn(command: str) -> subprocess.Popen[bytes]:
    """Run ``command`` in the shell, with pipes for its standard input and output."""
    return subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


class PipeTransport:
    """A `Transport` over the standard input and output of a child process.

    It uses two pipes and no socket pair, because Dovecot's imap refuses to start with a socket as its output. Timeouts
    have no effect if the system can't wait for a pipe (Windows).
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        # Each read holds this lock, so that the output is not closed during a read. Its descriptor might then belong to
        # another file.
        self._reading = waiting.reentrant_lock()

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        with self._reading:
            _wait(waiting.wait_readable, self._output, timeout)
            # As in `SocketTransport`: no interrupt can come between receiving and storing.
            into.extend(map(os.read, (self._output.fileno(),), (size,)))

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        with self._reading:
            _wait(waiting.wait_readable, self._output, timeout)
            data = os.read(self._output.fileno(), len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        view = memoryview(data)
        while view:
            _wait(waiting.wait_writable, self._input, timeout)
            # At most as much as the pipe takes at once, so that the write does not wait.
            view = view[os.write(self._input.fileno(), view[:PIPE_SIZE]) :]

    def send_now(self, data: memoryview) -> int:
        try:
            _wait(waiting.wait_writable, self._input, 0.0)
        except socket.timeout:
            return 0
        return os.write(self._input.fileno(), data[:PIPE_SIZE])

    def close(self, patience: float = 5.0) -> None:
        """Close the process's input and wait until the process ends. After ``patience`` seconds it is killed.

        Its output is closed last: the end of the process wakes a thread that waits for the output.

        """
        with contextlib.suppress(OSError):
            self._input.close()
        if not waiting.wait_for_end(self._process, patience):
            self._process.kill()
            waiting.wait_for_end(self._process, None)
        # A thread that reads gets the end of the output now, unless a child of the process keeps the output open.
        if self._reading.acquire(timeout=patience):
            try:
                self._output.close()
            finally:
                self._reading.release()


def _wait(wait: Callable[[int, float | None], bool], pipe: IO[bytes], timeout: float | None) -> None:
    """Wait for a pipe. Raises socket.timeout if ``timeout`` seconds pass first, and OSError if the pipe is closed."""
    if pipe.closed:
        raise OSError(errno.EBADF, "the pipe is closed")
    if not wait(pipe.fileno(), timeout):
        raise socket.timeout("timed out")
