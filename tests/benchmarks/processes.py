"""The processes of the benchmark, and their virtual environments."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
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
# Peers that may fail without failing the run.
MAY_FAIL = (*OTHERS, "go-imap", "imapflow")
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


class Unavailable(Exception):
    """A seat can not take part on this machine. The text says why."""


class Program(NamedTuple):
    """How to start a worker in another language."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    path: None = None

    def variables(self) -> dict[str, str]:
        return dict(self.environ)


class Interpreter(NamedTuple):
    """How to start Python so that it imports this imapclient and no other."""

    python: Path
    path: Path | None

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of a worker."""
        return str(self.python), str(HERE / "worker.py")

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


@contextmanager
def on_core(place: int) -> Iterator[None]:
    """Keep processes that are started meanwhile on one core, if there are several.

    The server has the last core, the clients the first one: in real use they are on two machines. If the system moves
    them between cores, they wait for each other.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[place]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


class Worker:
    """A client process, which answers requests."""

    def __init__(self, seat: str, interpreter: Interpreter | Program, **variables: str) -> None:
        self.seat = seat
        self.interpreter = interpreter
        with on_core(0):
            self.process = subprocess.Popen(
                interpreter.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # aioimaplib logs each timer that fails.
                stderr=subprocess.DEVNULL if seat in MAY_FAIL else None,
                text=True,
                env={**interpreter.variables(), **variables},
            )

    @property
    def is_imapclient(self) -> bool:
        """Whether the process measures an imapclient: ours, or the peer."""
        return self.seat not in ("imaplib", "socket", *MAY_FAIL)

    def open(self, workload: Workload, port: int) -> dict[str, Any]:
        """Connect, and select the folder. ``port`` is the port of the canned server."""
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
    with on_core(-1):
        process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
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
