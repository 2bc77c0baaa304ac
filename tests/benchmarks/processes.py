"""The processes of the benchmark, and their virtual environments."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.workloads import Workload

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
PEER = "IMAPClient==4.1.0"
# Python 3.9 needs an older release of aioimaplib.
AIOIMAPLIB = "aioimaplib==2.0.3" if sys.version_info >= (3, 10) else "aioimaplib==2.0.1"
OTHERS = {"imap_tools": "imap-tools==1.16.0", "aioimaplib": AIOIMAPLIB}
OURS_NEEDS = ("six",)
PATIENCE = 300  # seconds for one answer of a worker: a client that hangs ends the run


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def environment(folder: Path, requirements: tuple[str, ...]) -> Path:
    """Return the interpreter of a virtual environment with the requirements. The environment is created if missing."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "made-for.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8").split() != list(requirements):
        note(f"making {folder} with {' '.join(requirements)}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, *requirements], check=True)
        stamp.write_text("\n".join(requirements), encoding="utf-8")
    return python


def environments_folder(choice: Path | None) -> Path:
    """Return the folder for the environments of this interpreter. git ignores it."""
    folder = choice or CHECKOUT / ".venv-bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder / platform.python_version()


class Interpreter(NamedTuple):
    """Return how to start Python so that it imports this imapclient and no other."""

    python: Path
    path: Path | None

    def variables(self) -> dict[str, str]:
        # Clients return naive local times: in UTC they can be compared with what was generated.
        result = dict(os.environ, TZ="UTC")
        result.pop("PYTHONPATH", None)
        # An installed package has bytecode. A checkout without bytecode would be slower.
        result.pop("PYTHONDONTWRITEBYTECODE", None)
        result["PYTHONPYCACHEPREFIX"] = str(environments_folder(None) / "bytecode")
        if self.path is not None:
            result["PYTHONPATH"] = str(self.path)
        return result


def give_core(process: subprocess.Popen[str], place: int) -> None:
    """Keep a process on one core, if there are several: the server on the last, the clients on the first.

    In real use they are on two machines. If the system moves them between cores, they wait for each other.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {sorted(os.sched_getaffinity(0))[place]})


class Worker:
    """A client process, which answers requests."""

    def __init__(self, seat: str, interpreter: Interpreter, **variables: str) -> None:
        self.seat = seat
        self.interpreter = interpreter
        self.process = subprocess.Popen(
            [str(interpreter.python), str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # aioimaplib logs each timer that fails.
            stderr=subprocess.DEVNULL if seat in OTHERS else None,
            text=True,
            env={**interpreter.variables(), **variables},
        )
        give_core(self.process, 0)

    @property
    def is_imapclient(self) -> bool:
        """Whether the process measures an imapclient: ours, or the peer."""
        return self.seat not in ("imaplib", "socket", *OTHERS)

    def open(self, workload: Workload, port: int) -> dict[str, Any]:
        """Connect, and do the smallest part of the workload. ``port`` is the port of the canned server."""
        return self.ask(
            do="open",
            seat="imapclient" if self.is_imapclient else self.seat,
            checkout=str(self.interpreter.path or ""),
            port=workload.port or port,
            user="alice" if workload.port else "user",
            folder=workload.folder,
            call=workload.call,
            items=workload.items,
            total=workload.total,
            size=workload.size,
            variant=workload.variant,
        )

    def ask(self, **request: object) -> dict[str, Any]:
        """Return the answer. It has the key "error" if the client failed or hung."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        clock = threading.Timer(PATIENCE, self.process.kill)
        clock.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            clock.cancel()
        if not line:
            return {"error": f"the worker ended, or gave no answer in {PATIENCE} seconds"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def canned_server(workloads: list[Workload], expect: Path) -> Iterator[int]:
    """Yield the port of a server process with the workloads."""
    sizes = json.dumps({workload.folder: [workload.total, workload.size] for workload in workloads})
    command = [sys.executable, "-m", "tests.benchmarks.server", "--sizes", sizes, "--expect", str(expect)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        give_core(process, -1)
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(60)


def prepare(port: int, workload: Workload) -> None:
    """Let the server generate the replies and the expected values of the workload."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"A SELECT {workload.folder}\r\nB LOGOUT\r\n".encode())
        while connection.recv(4096):
            pass
