"""Measure imapclient against its peers, in one run::

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
import random
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
# The last aioimaplib for Python 3.9 is an older one.
AIOIMAPLIB = "aioimaplib==2.0.3" if sys.version_info >= (3, 10) else "aioimaplib==2.0.1"
OTHERS = {"imap_tools": "imap-tools==1.16.0", "aioimaplib": AIOIMAPLIB}
OURS_NEEDS = ("six",)
PATIENCE = 300  # seconds for one answer of a worker: a client that hangs ends the run
SEATS = ("ours", "peer", "imaplib", "imap_tools", "aioimaplib", "socket")
TITLES = {"peer": "IMAPClient 4.1.0"}
ENVELOPE_ITEMS = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"]
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
    seats: tuple[str, ...] = ("ours", "peer", "imaplib", "socket")
    port: int = 0
    """Of another server than the canned one."""


class Must(NamedTuple):
    """What has to hold of two ratios of medians, and what would be better still."""

    to_imaplib: float
    """Our time, with everything parsed, divided by that of imaplib, which parses nothing: at most."""
    to_peer: float
    """The time of IMAPClient 4.1.0 divided by ours: at least."""
    goals: tuple[float, float]


MUSTS = {
    "flags": Must(0.9, 5, (0.5, 8)),
    "envelopes": Must(2.5, 8, (1.5, 14)),
    "headers": Must(0.7, 8, (0.4, 15)),
    "bodies": Must(0.8, 15, (0.5, 22)),
    "search": Must(3, 7, (2, 10)),
    "bodies-huge": Must(1.5, 12, (1.0, 20)),
}

KIB, MIB = 1 << 10, 1 << 20
# aioimaplib takes time with the square of the number of responses: for 20,000, more than a minute.
WITH_AIOIMAPLIB = ("ours", "peer", "imaplib", "aioimaplib", "socket")
WORKLOADS = (
    Workload("flags", "FLAGS MODSEQ", "fetch", ["FLAGS", "MODSEQ"], 20_000),
    Workload(
        "mixed",
        "FLAGS MODSEQ INTERNALDATE RFC822.SIZE",
        "fetch",
        ["FLAGS", "MODSEQ", "INTERNALDATE", "RFC822.SIZE"],
        20_000,
    ),
    Workload("envelopes", "ENVELOPE BODYSTRUCTURE", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("envelopes-odd", "the same, odd mail", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("headers", "header fields", "fetch", [HEADER_ITEM], 5_000),
    Workload("replay-dovecot-2.3", "replay of Dovecot", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("replay-pymap", "replay of pymap", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("bodies", "bodies of 15 to 70 kB", "fetch", ["BODY[]"], 300, 0, SEATS),
    Workload("bodies-small", "bodies", "fetch", ["BODY[]"], 3_000, 4 * KIB),
    Workload("bodies-large", "bodies", "fetch", ["BODY[]"], 50, MIB, WITH_AIOIMAPLIB),
    Workload("bodies-huge", "bodies", "fetch", ["BODY[]"], 1, 64 * MIB, WITH_AIOIMAPLIB),
    Workload("search", "SEARCH", "search", [], 100_000, 0, SEATS),
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
        elif seat in OTHERS:
            result[seat] = Interpreter(environment(environments_folder(options.env) / seat, (OTHERS[seat],)), None)
        else:
            result[seat] = Interpreter(Path(sys.executable), None)
    return result


# ---- processes


def give_core(process: subprocess.Popen[str], place: int) -> None:
    """Keep a process on one core where there are several: the server on the last, the clients on the first.

    They are two machines elsewhere. Where the system moves them about, each waits for the other.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {sorted(os.sched_getaffinity(0))[place]})


class Worker:
    """A client process: a request goes in, an answer comes out."""

    def __init__(self, seat: str, interpreter: Interpreter) -> None:
        self.seat = seat
        self.process = subprocess.Popen(
            [str(interpreter.python), str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # aioimaplib logs each of its timers that fails.
            stderr=subprocess.DEVNULL if seat in OTHERS else None,
            text=True,
            env=interpreter.variables(),
        )
        give_core(self.process, 0)

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
        give_core(process, -1)
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(60)


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
    results = {"generated": lines_by_key(expected)} if expected.exists() else {}
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
        if "generated" in results:
            found[f"generated/{seat}"] = differences(results["generated"], results[seat])
    if "ours" in results and "peer" in results:
        found["ours/peer"] = differences(results["ours"], results["peer"])
    return {pair: texts for pair, texts in found.items() if texts}


def summary(samples: list[dict[str, Any]], first: dict[str, Any]) -> dict[str, Any]:
    """Best and median of the rounds, and the first run's CPU time, in seconds; its peak in bytes."""
    result: dict[str, Any] = {"peak": first["peak"], "first": first["cpu"], "count": samples[0]["count"]}
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
        firsts: dict[str, dict[str, Any]] = {}
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
                port=workload.port or port,
                user="alice" if workload.port else "user",
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
            # The server joins its reply here, so the wall time means nothing. In the first run of a process no memory
            # of a former run is at hand to be used again, so it is the one that shows the peak; and nothing is learnt.
            answer = workers[seat].ask(do="run")
            if not failed(seat, answer):
                firsts[seat] = answer
                samples[seat] = []
        for turn in range(rounds):
            order = list(workers)
            start = turn % max(1, len(order))
            for seat in order[start:] + order[:start]:
                answer = workers[seat].ask(do="run")
                if not failed(seat, answer):
                    samples[seat].append(answer)
        result["seats"] = {seat: summary(samples[seat], firsts[seat]) for seat in workers}
        result["differences"] = compared(workers, folder / f"{workload.folder}.expected", folder)
    result["ratios"] = {
        f"{above}/{below}": {
            clock: result["seats"][above][clock]["median"] / result["seats"][below][clock]["median"]
            for clock in ("wall", "cpu")
        }
        for above, below in (("ours", "imaplib"), ("peer", "ours"))
        if above in result["seats"] and below in result["seats"]
    }
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


def on_dovecot(
    results: list[dict[str, Any]], seats: dict[str, Interpreter], options: argparse.Namespace, folder: Path
) -> str:
    """Measure on a real server with 20,000 messages. Why not, where that can't be; else nothing."""
    sys.path.insert(0, str(CHECKOUT))
    try:
        from imapclient import IMAPClient
        from tests.benchmarks.server import header_block
        from tests.helpers.dovecot import Dovecot
        from tests.helpers.mail_server import ServerUnavailable
    except ImportError as error:
        return f"{error} (install the package with its extra test)"

    total = max(3, int(20_000 * options.scale))
    rng = random.Random(total)
    try:
        with Dovecot(quota_messages=2 * total) as server:
            note(f"dovecot, {total} messages …")
            with IMAPClient(server.host, server.port, ssl=False) as client:
                client.login("alice", "secret")
                client.create_folder("Bench")
                for start in range(0, total, 1000):
                    mail = [header_block(rng) + b"Hello\r\n" for _ in range(min(1000, total - start))]
                    client.multiappend("Bench", mail)
                # The first to select it gets the flag \\Recent.
                client.select_folder("Bench")
            chosen = ("ours", "peer", "imaplib")
            for title, items in (("FLAGS MODSEQ", ["FLAGS", "MODSEQ"]), ("ENVELOPE BODYSTRUCTURE", ENVELOPE_ITEMS)):
                workload = Workload("Bench", f"Dovecot: {title}", "chunks", items, total, 0, chosen, server.port)
                results.append(measure(workload, seats, 0, options.rounds, folder))
    except ServerUnavailable as error:
        return str(error)
    return ""


# ---- the report


def amount(workload: dict[str, Any]) -> str:
    size = workload["size"]
    unit = f" of {size // MIB} MiB" if size >= MIB else f" of {size // KIB} KiB" if size else ""
    return f"{workload['title']}{unit}, {workload['count']:,}"


def milliseconds(seat: dict[str, Any] | None) -> str:
    if seat is None:
        return "-"
    return f"{seat['wall']['median'] * 1e3:.1f} / {seat['cpu']['median'] * 1e3:.1f}"


def ratio(workload: dict[str, Any], name: str) -> str:
    found = workload["ratios"].get(name)
    return f"{found['wall']:.2f} / {found['cpu']:.2f}" if found else "-"


def musts(data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """A line for each thing that must hold, and whether it does. Of less data than there is to be, nothing must."""
    clock = data["clock"]
    if data["scale"] != 1:
        return
    for workload in data["workloads"]:
        must = MUSTS.get(workload["folder"])
        for name, limit, goal, at_most in (
            ("ours/imaplib", must.to_imaplib, must.goals[0], True) if must else ("", 0, 0, True),
            ("peer/ours", must.to_peer, must.goals[1], False) if must else ("", 0, 0, True),
        ):
            if name in workload["ratios"]:
                found = workload["ratios"][name][clock]
                holds = found <= limit if at_most else found >= limit
                reached = found <= goal if at_most else found >= goal
                verdict = ("holds, and so does the goal" if reached else "holds") if holds else "DOES NOT HOLD"
                yield (
                    f"{workload['folder']}: {name} is {found:.2f}, must be at {'most' if at_most else 'least'} "
                    f"{limit:g} (goal {goal:g}): {verdict}",
                    holds,
                )


def mebibytes(seat: dict[str, Any] | None) -> str:
    return "-" if seat is None or seat["peak"] is None else f"{seat['peak'] / MIB:.1f}"


def first_run(seat: dict[str, Any] | None) -> str:
    return "-" if seat is None else f"{seat['first'] * 1e3:.1f}"


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
        f"Python {data['python']}, {data['machine']}, medians of {data['rounds']} rounds. "
        "Times are wall / CPU of the client in milliseconds, and so are the ratios of medians."
    )
    yield "imaplib and aioimaplib leave the replies unparsed; socket: the reply received and thrown away."
    yield ""
    seats = [seat for seat in SEATS if any(seat in workload["seats"] for workload in data["workloads"])]
    titles = [TITLES.get(seat, seat) for seat in seats]
    rows = [["workload", *titles, "ours/imaplib", "IMAPClient/ours"]]
    first = [["first run of a process, CPU in milliseconds", *titles]]
    memory = [["memory beyond the start, peak in MiB", *titles]]
    for workload in data["workloads"]:
        found = workload["seats"]
        times = [milliseconds(found.get(seat)) for seat in seats]
        rows.append([amount(workload), *times, ratio(workload, "ours/imaplib"), ratio(workload, "peer/ours")])
        first.append([amount(workload), *[first_run(found.get(seat)) for seat in seats]])
        memory.append([amount(workload), *[mebibytes(found.get(seat)) for seat in seats]])
    yield from columns(rows)
    yield ""
    yield from columns(first)
    yield ""
    yield from columns(memory)
    if data["dovecot"]:
        yield ""
        yield f"Dovecot was left out: {data['dovecot']}"
    stated = list(musts(data))
    if stated:
        yield ""
        yield f"By the medians of {data['clock']} time:"
        yield from (f"  {line}" for line, _ in stated)
    if data["imports"]:
        yield ""
        rows = [["import, milliseconds", "-X importtime", "fresh process"]]
        names = {**TITLES, "nothing": "nothing (Python itself)"}
        for name, kinds in data["imports"].items():
            imported = [kinds.get(kind) for kind in ("importtime", "process")]
            rows.append([names.get(name, name), *("-" if cell is None else f"{cell * 1e3:.1f}" for cell in imported)])
        yield from columns(rows)
    yield ""
    clean = True
    for workload in data["workloads"]:
        for seat, error in workload["errors"].items():
            clean = clean and seat in OTHERS
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
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each workload (7)")
    parser.add_argument(
        "--workload",
        action="append",
        choices=[*(workload.folder for workload in WORKLOADS), "dovecot"],
        help="only this one; may be given several times",
    )
    parser.add_argument(
        "--seats",
        type=lambda text: text.split(","),
        default=list(SEATS),
        help="who takes part, of " + ",".join(SEATS),
    )
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the amount of data")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a ratio is not what it must be")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="which medians --check looks at (wall)"
    )
    parser.add_argument("--no-dovecot", action="store_true", help="leave out the part on a real server")
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
    """0, or 1 when a client failed or returned something else than the server sent; see also --check."""
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
        "clock": options.clock,
        "workloads": [],
        "imports": {},
        "dovecot": "",
    }
    folder = Path(tempfile.mkdtemp(prefix="imapclient-bench-"))
    try:
        with canned_server(workloads, folder) as port:
            for workload in workloads:
                note(f"{workload.folder} …")
                prepare(port, workload)
                data["workloads"].append(measure(workload, seats, port, options.rounds, folder))
        if not options.no_dovecot and (options.workload is None or "dovecot" in options.workload):
            data["dovecot"] = on_dovecot(data["workloads"], seats, options, folder)
        if not options.no_imports:
            note("imports …")
            data["imports"] = imports(seats, max(5, options.rounds), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps(data, indent=1))
    else:
        print("\n".join(report(data)))
    # What the other peers can't do is no fault of this run.
    failed = any(set(item["errors"]) - set(OTHERS) or item["differences"] for item in data["workloads"])
    return int(failed or (options.check and not all(holds for _, holds in musts(data))))


if __name__ == "__main__":
    sys.exit(main())
