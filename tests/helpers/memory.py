"""Measures the peak of memory of a program, in a new process."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

_PROGRAM = """
import json
import resource
import sys

from imapclient import IMAPClient
from tests.helpers.memory import peak, size_of

client = IMAPClient("127.0.0.1", int(sys.argv[1]), ssl=False, timeout=60)
client.login("ann", "secret")
client.select_folder(sys.argv[2])
result = None
{warm_up}
before, faults = peak(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
{body}
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
growth = peak() - before
print(json.dumps([growth, 0 if result is None else size_of(result), faults]))
client.logout()
"""


class Growth(NamedTuple):
    """The growth of a process's peak in bytes, and how many of these the remaining values need."""

    peak: int
    values: int


def is_measurable() -> bool:
    """Whether this system reports the peak of a process's memory."""
    return Path("/proc/self/status").exists() and "VmHWM" in Path("/proc/self/status").read_text()


def peak() -> int:
    """Return the peak of this process's memory, in bytes."""
    # getrusage() would begin with the memory of the parent.
    return _status("VmHWM")


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    return _status("VmRSS")


def _status(name: str) -> int:
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) * 1024


def size_of(value: Any) -> int:
    """Return the size of a value with everything in it, each object once, without the allocator's overhead."""
    seen: set[int] = set()
    total = 0
    rest = [value]
    while rest:
        item = rest.pop()
        # Classes do not count, because they existed before.
        if id(item) not in seen and not isinstance(item, type):
            seen.add(id(item))
            total += sys.getsizeof(item)
            rest += gc.get_referents(item)
    return total


def growth(port: int, body: str, warm_up: str = "", folder: str = "INBOX") -> Growth:
    """By how much the peak grows in ``body``, which has a ``client`` with the folder selected.

    What it leaves in ``result`` is weighed. ``warm_up`` runs before, so that what is loaded or made once is not
    counted.
    """
    return Growth(*_measured(port, body, warm_up, folder)[:2])


def fresh_pages(port: int, body: str, warm_up: str) -> int:
    """How many pages of memory ``body`` had to take from the system, once ``warm_up`` had run."""
    return _measured(port, body, warm_up)[2]


def _measured(port: int, body: str, warm_up: str, folder: str = "INBOX") -> list[int]:
    program = _PROGRAM.format(body=textwrap.dedent(body), warm_up=textwrap.dedent(warm_up))
    done = subprocess.run(
        [sys.executable, "-c", program, str(port), folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[int] = json.loads(done.stdout.splitlines()[-1])
    return found
