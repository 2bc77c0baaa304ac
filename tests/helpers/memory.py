"""How much memory a program needs at most: measured in a process of its own, which has done nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_PROGRAM = """
import sys
from pathlib import Path

from imapclient import IMAPClient


def peak():
    # Not getrusage(): that begins with what the parent had.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


client = IMAPClient("127.0.0.1", int(sys.argv[1]), ssl=False, timeout=60)
client.login("ann", "secret")
client.select_folder("INBOX")
{warm_up}
before = peak()
{body}
print(peak() - before)
client.logout()
"""


def is_measurable() -> bool:
    """Whether this system tells the peak of a process's memory."""
    return Path("/proc/self/status").exists() and "VmHWM" in Path("/proc/self/status").read_text()


def growth(port: int, body: str, warm_up: str = "") -> int:
    """By how many bytes the peak grows in ``body``, which has a ``client`` with INBOX selected.

    ``warm_up`` runs before, so that what is loaded or made once is not counted.
    """
    program = _PROGRAM.format(body=textwrap.dedent(body), warm_up=textwrap.dedent(warm_up))
    result = subprocess.run(
        [sys.executable, "-c", program, str(port)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout.split()[-1])
