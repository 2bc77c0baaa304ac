"""Runs a command until standard input or the command ends. Then it ends all processes and removes the folder.

    python -I keeper.py FOLDER OUTPUT COMMAND...

Standard input is a pipe from the tests: however these end, also by SIGKILL, it ends then. The command's processes are
one process group. What they print goes to the file OUTPUT. Standard library only; POSIX.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

# For a server to end by itself after SIGTERM, in seconds.
_STOP_SECONDS = 60
_PR_SET_CHILD_SUBREAPER = 36


def main(folder: str, output: str, command: list[str]) -> int:
    """Run the command. Return its exit status, or 0 if standard input ended first."""
    # Ctrl-C is for the tests. They close standard input when they end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # A process whose parent has ended becomes a child of this one, so that `_reap` finds it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with open(output, "ab") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, restore_signals=True
        )
    stopping = threading.Event()
    threading.Thread(target=_stop_at_end_of_input, args=(server, stopping), daemon=True).start()
    status = server.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    _reap()
    if not stopping.is_set():
        # The command ended by itself. The folder stays, because its log has the reason.
        return status or 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _stop_at_end_of_input(server: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    # os.read() takes no lock. That of sys.stdin would still be held at the interpreter's end.
    while os.read(0, 1024):
        pass
    stopping.set()
    with contextlib.suppress(ProcessLookupError):
        server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _reap() -> None:
    """Kill the processes that left the group, and wait until all are gone."""
    while True:
        # When a process ends, its children become children of this one.
        for number in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        return [int(number) for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
