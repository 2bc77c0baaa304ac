"""The time of an import in a new interpreter, beyond the start of the interpreter itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.benchmarks.processes import Interpreter, on_core

_PROGRAM = """
import os, sys, time
module, path = sys.argv[1:]
wall, cpu = time.perf_counter(), time.process_time()
__import__(module)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
file = os.path.realpath(sys.modules[module].__file__)
assert not path or file.startswith(path + os.sep), file
print(cpu, wall)
"""


class ImportFailed(Exception):
    """The module can not be imported. The text is the error."""


def import_once(interpreter: Interpreter, module: str, folder: Path, seed: int) -> tuple[float, float]:
    """Return the CPU and wall time of an import, in seconds. ``seed`` is that of hashes. Raises ImportFailed."""
    with on_core(0):
        done = subprocess.run(
            [str(interpreter.python), "-c", _PROGRAM, module, str(interpreter.path or "")],
            env={**interpreter.variables(), "PYTHONHASHSEED": str(seed)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ImportFailed(done.stderr.strip().rpartition("\n")[2])
    cpu, wall = map(float, done.stdout.split())
    return cpu, wall
