"""Measure imapclient against IMAPClient 4.1.0, imaplib and a bare socket, in one run::

    python tests/benchmarks/run.py

It makes the environments it needs (in .venv-bench of the checkout; the peer comes from the package
index), so that nothing needs to be installed before. README.rst, beside this file, says what is
measured and how to read the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
PEER = "IMAPClient==4.1.0"
OURS_NEEDS = ("six",)
PATIENCE = 300  # seconds for one answer of a worker: a client that hangs ends the run
SEATS = ("ours", "peer", "imaplib", "socket")
HEADER_ITEM = "BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"


class Workload(NamedTuple):
    """What is asked for, and how much of it."""

    folder: str
    title: str
    call: str
    items: list[str]
    total: int
    size: int = 0
    """Bytes of one item, where that is a property of the workload."""
    seats: tuple[str, ...] = SEATS


KIB, MIB = 1 << 10, 1 << 20
WORKLOADS = (
    Workload("flags", "FLAGS", "fetch", ["FLAGS"], 20_000),
    Workload(
        "mixed",
        "FLAGS MODSEQ INTERNALDATE RFC822.SIZE",
        "fetch",
        ["FLAGS", "MODSEQ", "INTERNALDATE", "RFC822.SIZE"],
        20_000,
    ),
    Workload("envelopes", "ENVELOPE BODYSTRUCTURE", "fetch", ["ENVELOPE", "BODYSTRUCTURE"], 2_000),
    Workload("headers", "header fields", "fetch", [HEADER_ITEM], 5_000),
    Workload("bodies-small", "bodies", "fetch", ["BODY[]"], 3_000, 4 * KIB),
    Workload("bodies-large", "bodies", "fetch", ["BODY[]"], 50, MIB),
    Workload("bodies-huge", "bodies", "fetch", ["BODY[]"], 1, 64 * MIB),
    Workload("search", "SEARCH", "search", [], 100_000),
    # imaplib, and so IMAPClient, reads no line over 1,000,000 bytes.
    Workload("search-million", "SEARCH", "search", [], 1_000_000, 0, ("ours", "socket")),
    Workload("list", "LIST", "list", [], 5_000),
)


def scaled(workload: Workload, scale: float) -> Workload:
    """The workload with fewer items, or with a smaller one where it has only one."""
    if workload.total == 1:
        return workload._replace(size=max(4 * KIB, int(workload.size * scale)))
    return workload._replace(total=max(3, int(workload.total * scale)))


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- environments


def environment(folder: Path, requirements: tuple[str, ...]) -> Path:
    """The interpreter of a virtual environment that holds the requirements; made when missing."""
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
    """The folder for the environments of this interpreter, which git doesn't see."""
    folder = choice or CHECKOUT / ".venv-bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder / platform.python_version()


class Interpreter(NamedTuple):
    """How to start Python so that it imports the one imapclient and no other."""

    python: Path
    path: Path | None

    def variables(self) -> dict[str, str]:
        # Clients return naive local times: in UTC they can be compared with what was generated.
        result = dict(os.environ, TZ="UTC")
        result.pop("PYTHONPATH", None)
        # An installed package has its bytecode; a checkout must not be compared while it compiles.
        result.pop("PYTHONDONTWRITEBYTECODE", None)
        result["PYTHONPYCACHEPREFIX"] = str(environments_folder(None) / "bytecode")
        if self.path is not None:
            result["PYTHONPATH"] = str(self.path)
        return result


def interpreters(options: argparse.Namespace) -> dict[str, Interpreter]:
    """One interpreter for each seat that was chosen."""
    result: dict[str, Interpreter] = {}
    for seat in options.seats:
        if seat == "ours":
            python = options.ours_python or environment(environments_folder(options.env) / "ours", OURS_NEEDS)
            result[seat] = Interpreter(python, options.ours_path.resolve())
        elif seat == "peer":
            python = options.peer_python or environment(environments_folder(options.env) / "peer", (PEER,))
            result[seat] = Interpreter(python, None)
        else:
            result[seat] = Interpreter(Path(sys.executable), None)
    return result


# ---- processes


class Worker:
    """A client process: a request goes in, an answer comes out."""

    def __init__(self, seat: str, interpreter: Interpreter) -> None:
        self.seat = seat
        self.process = subprocess.Popen(
            [str(interpreter.python), str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=interpreter.variables(),
        )

    def ask(self, **request: object) -> dict[str, Any]:
        """The answer, which has the key "error" when the client failed or hung."""
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
    """The port of a server process that holds the workloads."""
    sizes = json.dumps({workload.folder: [workload.total, workload.size] for workload in workloads})
    command = [sys.executable, str(HERE / "server.py"), "--sizes", sizes, "--expect", str(expect)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


def prepare(port: int, workload: Workload) -> None:
    """Let the server make the replies and expected values of the workload."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"A SELECT {workload.folder}\r\nB LOGOUT\r\n".encode())
        while connection.recv(4096):
            pass


# ---- measuring


def lines_by_key(path: Path) -> dict[str, str]:
    with open(path, encoding="utf-8") as file:
        return {key: value.rstrip("\n") for key, _, value in (line.partition("\t") for line in file)}


def differences(one: dict[str, str], other: dict[str, str], limit: int = 3) -> list[str]:
    """What differs between two results, one text each; the last one counts those left out."""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    found = []
    for key in keys[:limit]:
        left, right = one.get(key, "nothing"), other.get(key, "nothing")
        same = 0
        while same < min(len(left), len(right)) and left[same] == right[same]:
            same += 1
        start = max(0, same - 40)
        found.append(f"{key}: …{left[start : same + 80]}… != …{right[start : same + 80]}…")
    if len(keys) > limit:
        found.append(f"and {len(keys) - limit} more")
    return found


def compared(workers: dict[str, Worker], expected: Path, folder: Path) -> dict[str, list[str]]:
    """The differences between what was generated and what each client returned, by pair."""
    results = {"generated": lines_by_key(expected)}
    found: dict[str, list[str]] = {}
    for seat in ("ours", "peer"):
        if seat not in workers:
            continue
        dumped = folder / f"{seat}.dump"
        answer = workers[seat].ask(do="dump", file=str(dumped))
        if "error" in answer:
            found[f"generated/{seat}"] = [answer["error"]]
            continue
        results[seat] = lines_by_key(dumped)
        found[f"generated/{seat}"] = differences(results["generated"], results[seat])
    if "ours" in results and "peer" in results:
        found["ours/peer"] = differences(results["ours"], results["peer"])
    return {pair: texts for pair, texts in found.items() if texts}


def summary(samples: list[dict[str, Any]], peak: int | None) -> dict[str, Any]:
    """Best and median of the rounds, in seconds; peak in bytes."""
    result: dict[str, Any] = {"peak": peak, "count": samples[0]["count"]}
    for clock in ("wall", "cpu"):
        times = [sample[clock] for sample in samples]
        result[clock] = {"best": min(times), "median": statistics.median(times), "all": times}
    return result


def measure(
    workload: Workload,
    seats: dict[str, Interpreter],
    port: int,
    rounds: int,
    folder: Path,
) -> dict[str, Any]:
    """One workload: every seat in turn in every round, each round started by another seat."""
    result: dict[str, Any] = {
        "folder": workload.folder,
        "title": workload.title,
        "count": workload.total,
        "size": workload.size,
        "seats": {},
        "errors": {},
        "libraries": {},
    }
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        peaks: dict[str, int | None] = {}
        samples: dict[str, list[dict[str, Any]]] = {}

        def failed(seat: str, answer: dict[str, Any]) -> bool:
            if "error" in answer:
                result["errors"][seat] = answer["error"]
                workers.pop(seat, None)
                samples.pop(seat, None)
            return "error" in answer

        for seat, interpreter in seats.items():
            if seat not in workload.seats:
                continue
            worker = Worker(seat, interpreter)
            stack.callback(worker.close)
            kind = "imapclient" if seat in ("ours", "peer") else seat
            answer = worker.ask(
                do="open",
                seat=kind,
                port=port,
                folder=workload.folder,
                call=workload.call,
                items=workload.items,
            )
            if failed(seat, answer):
                continue
            workers[seat] = worker
            if kind == "imapclient":
                result["libraries"][seat] = answer["version"]
                if seat == "peer" and answer["version"] != PEER.partition("==")[2]:
                    failed(seat, {"error": f"{answer['path']} is not {PEER}"})
                elif seat == "ours" and interpreter.path not in Path(answer["path"]).parents:
                    failed(seat, {"error": f"{answer['path']} is not in {interpreter.path}"})
        for seat in list(workers):
            # Not timed: the server joins its reply here. In the first run of a process no memory
            # of a former run is at hand to be used again, so it is the one that shows the peak.
            answer = workers[seat].ask(do="run")
            if not failed(seat, answer):
                peaks[seat] = answer["peak"]
                samples[seat] = []
        for turn in range(rounds):
            order = list(workers)
            start = turn % max(1, len(order))
            for seat in order[start:] + order[:start]:
                answer = workers[seat].ask(do="run")
                if not failed(seat, answer):
                    samples[seat].append(answer)
        result["seats"] = {seat: summary(samples[seat], peaks[seat]) for seat in workers}
        result["differences"] = compared(workers, folder / f"{workload.folder}.expected", folder)
    ours, peer = result["seats"].get("ours"), result["seats"].get("peer")
    if ours and peer:
        result["speedup"] = {clock: peer[clock]["best"] / ours[clock]["best"] for clock in ("wall", "cpu")}
    return result


def imports(seats: dict[str, Interpreter], rounds: int, folder: Path) -> dict[str, Any]:
    """Best times of an import, in seconds: what -X importtime says, and a whole fresh process."""
    standard = Interpreter(Path(sys.executable), None)
    programs = {"nothing": (standard, "sys"), "imaplib": (standard, "imaplib")}
    for seat in ("ours", "peer"):
        if seat in seats:
            programs[seat] = (seats[seat], "imapclient")
    result: dict[str, dict[str, float]] = {name: {} for name in programs}

    def keep(name: str, kind: str, seconds: float) -> None:
        result[name][kind] = min(seconds, result[name].get(kind, seconds))

    def start(name: str, *options: str) -> str:
        interpreter, module = programs[name]
        command = [str(interpreter.python), *options, "-c", f"import {module}"]
        return subprocess.run(
            command,
            env=interpreter.variables(),
            cwd=folder,
            text=True,
            stderr=subprocess.PIPE,
            check=True,
        ).stderr

    for name in list(programs):
        try:
            start(name)  # writes the bytecode
        except subprocess.CalledProcessError as error:
            note(f"{name} can't be imported: {error.stderr.strip().splitlines()[-1]}")
            del programs[name], result[name]
    for _ in range(rounds):
        for name, (_, module) in programs.items():
            begin = time.perf_counter()
            start(name)
            keep(name, "process", time.perf_counter() - begin)
            for line in start(name, "-X", "importtime").splitlines():
                cells = [cell.strip() for cell in line.partition("import time:")[2].split("|")]
                if cells[-1] == module and len(cells) == 3:
                    keep(name, "importtime", int(cells[1]) / 1e6)
    return result


# ---- the report


def amount(workload: dict[str, Any]) -> str:
    size = workload["size"]
    unit = f" of {size // MIB} MiB" if size >= MIB else f" of {size // KIB} KiB" if size else ""
    return f"{workload['title']}{unit}, {workload['count']:,}"


def milliseconds(seat: dict[str, Any] | None) -> str:
    if seat is None:
        return "-"
    return f"{seat['wall']['best'] * 1e3:.1f} / {seat['cpu']['best'] * 1e3:.1f}"


def mebibytes(seat: dict[str, Any] | None) -> str:
    return "-" if seat is None or seat["peak"] is None else f"{seat['peak'] / MIB:.1f}"


def columns(rows: list[list[str]]) -> Iterator[str]:
    """The rows as a table: the first column to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()


def report(data: dict[str, Any]) -> Iterator[str]:
    """The lines that a reader sees."""
    yield (
        f"Python {data['python']}, {data['machine']}, best of {data['rounds']} rounds. "
        "Times are wall / CPU of the client in milliseconds;"
    )
    yield (
        "faster: the time of IMAPClient 4.1.0 divided by ours, wall / CPU; socket: the reply received and thrown away."
    )
    yield ""
    rows = [["workload", "ours", "IMAPClient 4.1.0", "imaplib", "socket", "faster"]]
    memory = [["memory beyond the start, peak in MiB", "ours", "IMAPClient 4.1.0", "imaplib"]]
    for workload in data["workloads"]:
        seats = workload["seats"]
        speedup = workload.get("speedup")
        faster = f"{speedup['wall']:.1f} / {speedup['cpu']:.1f}" if speedup else "-"
        rows.append([amount(workload), *[milliseconds(seats.get(seat)) for seat in SEATS], faster])
        memory.append([amount(workload), *[mebibytes(seats.get(seat)) for seat in SEATS[:3]]])
    yield from columns(rows)
    yield ""
    yield from columns(memory)
    if data["imports"]:
        yield ""
        rows = [["import, milliseconds", "-X importtime", "fresh process"]]
        titles = {"ours": "ours", "peer": "IMAPClient 4.1.0", "nothing": "nothing (Python itself)"}
        for name, kinds in data["imports"].items():
            times = [kinds.get(kind) for kind in ("importtime", "process")]
            cells = ["-" if cell is None else f"{cell * 1e3:.1f}" for cell in times]
            rows.append([titles.get(name, name), *cells])
        yield from columns(rows)
    yield ""
    clean = True
    for workload in data["workloads"]:
        for seat, error in workload["errors"].items():
            clean = False
            yield f"{amount(workload)}: {seat} failed: {error}"
        for pair, texts in workload["differences"].items():
            clean = False
            for text in texts:
                yield f"{amount(workload)}: {pair} differ: {text}"
    if clean:
        yield "Every result was compared with what the server sent: no differences."


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure imapclient against its peers.")
    parser.add_argument("--json", action="store_true", help="print the data instead of the table")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each workload (5)")
    parser.add_argument(
        "--workload",
        action="append",
        choices=[workload.folder for workload in WORKLOADS],
        help="only this one; may be given several times",
    )
    parser.add_argument(
        "--seats",
        type=lambda text: text.split(","),
        default=list(SEATS),
        help="who takes part, of " + ",".join(SEATS),
    )
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the amount of data")
    parser.add_argument("--no-imports", action="store_true", help="leave the import times out")
    parser.add_argument("--env", type=Path, help="folder for the environments (.venv-bench)")
    parser.add_argument("--ours-path", type=Path, default=CHECKOUT, help="folder that holds our imapclient/")
    parser.add_argument("--ours-python", type=Path, help="interpreter for our seat; makes none")
    parser.add_argument("--peer-python", type=Path, help=f"interpreter with {PEER}; makes none")
    options = parser.parse_args(arguments)
    unknown = set(options.seats) - set(SEATS)
    if unknown:
        parser.error(f"unknown seats: {', '.join(sorted(unknown))}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 when a client failed or returned something else than the server sent."""
    options = parsed(arguments)
    seats = interpreters(options)
    workloads = [
        scaled(workload, options.scale)
        for workload in WORKLOADS
        if options.workload is None or workload.folder in options.workload
    ]
    data: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "rounds": options.rounds,
        "scale": options.scale,
        "workloads": [],
        "imports": {},
    }
    folder = Path(tempfile.mkdtemp(prefix="imapclient-bench-"))
    try:
        with canned_server(workloads, folder) as port:
            for workload in workloads:
                note(f"{workload.folder} …")
                prepare(port, workload)
                data["workloads"].append(measure(workload, seats, port, options.rounds, folder))
        if not options.no_imports:
            note("imports …")
            data["imports"] = imports(seats, max(5, options.rounds), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps(data, indent=1))
    else:
        print("\n".join(report(data)))
    return int(any(item["errors"] or item["differences"] for item in data["workloads"]))


if __name__ == "__main__":
    sys.exit(main())
