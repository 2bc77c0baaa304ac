"""Programs that tests start: they react to Ctrl-C, and tests see whether they wait."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

# Seconds after which a program counts as waiting, on a system that does not show it.
_WAITING_SECONDS = 20


def heed_ctrl_c() -> None:
    """For ``preexec_fn``: tests that run in the background of a shell ignore Ctrl-C, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def trace(pid: int) -> object:
    """Return a value that stays equal while the process waits, and changes when it runs.

    A process that waits only for a free processor counts as running.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return time.monotonic() // _WAITING_SECONDS
    state = re.search(r"^State:\t(.)", status, re.MULTILINE)
    if state is None or state[1] != "S":
        return object()
    return re.findall(r"^\w+_ctxt_switches:\t(\d+)", status, re.MULTILINE)
