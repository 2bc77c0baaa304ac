"""A client in its own process, with limits of memory and CPU time, for malicious servers.

`run` starts the process, which runs this module as a program. It returns an `Outcome`. A client that needs more memory
gets MemoryError, and one that needs more time is killed. The tests expect neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).resolve().parent.parent.parent


class Outcome(NamedTuple):
    """The outcome of the calls. ``errors`` are the names of the exception's classes, or () without an exception.

    ``size`` is the number of characters of the exception's str(). ``usable`` is False if there is no client. ``result``
    is the repr() of the variable ``result`` after the calls. ``memory`` is in MB, and ``seconds`` are CPU time. Both do
    not include the start of Python and the imports.
    """

    errors: tuple[str, ...]
    message: str
    size: int
    usable: bool
    result: str
    memory: float
    seconds: float


def run(
    port: int,
    calls: str,
    *,
    megabytes: int = 64,
    seconds: int = 20,
    any_digits: bool = False,
    **options: Any,
) -> Outcome:
    """Connect to ``port`` and execute ``calls``, which is Python code. It uses ``client`` and may set ``result``.

    ``any_digits`` switches off Python's limit of the digits of a number. Old releases do not have that limit.
    ``options`` are for IMAPClient.
    """
    options = {"ssl": False, "timeout": 60, **options}
    order = {"port": port, "calls": calls, "megabytes": megabytes, "seconds": seconds, "options": options}
    environment = {**os.environ, "PYTHONINTMAXSTRDIGITS": "0" if any_digits else "4300"}
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(order)],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        # The limit is of CPU time. This timeout only ends a process that hangs.
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, f"the client's process ended with {done.returncode}"
    answer = json.loads(done.stdout)
    outcome = Outcome(**{**answer, "errors": tuple(answer["errors"])})
    assert outcome.memory < megabytes, outcome
    assert outcome.seconds < seconds, outcome
    return outcome


def _main(order: dict[str, Any]) -> dict[str, Any]:
    import resource

    from imapclient import IMAPClient

    def memory() -> float:
        status = Path("/proc/self/status")
        if status.exists():
            # Linux lets a process inherit the ru_maxrss of the one that started it.
            return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

    def seconds() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    memory_before, seconds_before = memory(), seconds()
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 2**20 * order["megabytes"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    limit = int(seconds_before) + order["seconds"] + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    names: dict[str, Any] = {"client": None, "result": None}
    errors: tuple[str, ...] = ()
    message = ""
    try:
        names["client"] = IMAPClient("127.0.0.1", order["port"], **order["options"])
        exec(order["calls"], names)
    except Exception as error:
        errors = tuple(cls.__name__ for cls in type(error).__mro__)
        message = str(error)
    client = names["client"]
    usable = client is not None and client._imap.is_usable
    if client is not None:
        client.shutdown()
    return {
        "errors": errors,
        "message": message[:2000],
        "size": len(message),
        "usable": usable,
        "result": repr(names["result"])[:2000],
        "memory": memory() - memory_before,
        "seconds": seconds() - seconds_before,
    }


if __name__ == "__main__":
    print(json.dumps(_main(json.loads(sys.argv[1]))))
