"""Measure imapclient against its peers, in one run::

    python tests/benchmarks/run.py

It makes the environments it needs (in .venv-bench of the checkout; the peer comes from the package
index), so that nothing needs to be installed before. README.rst, beside this file, says what is
measured and how to read the table.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

if __package__ in (None, ""):
    # This file is started by its path, but imports modules of the package `tests`.
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from tests.benchmarks import against
from tests.benchmarks.dovecot import DovecotUnavailable, dovecot
from tests.benchmarks.processes import (
    CHECKOUT,
    OTHERS,
    OURS_NEEDS,
    PEER,
    Interpreter,
    Worker,
    canned_server,
    environment,
    environments_folder,
    note,
    prepare,
)
from tests.benchmarks.results import columns, compared, publish
from tests.benchmarks.workloads import MIB, SEATS, WORKLOADS, Workload, amount, gc_tuned, scaled

TITLES = {"peer": "IMAPClient 4.1.0"}


class Must(NamedTuple):
    """The required values of two ratios of medians, and better ones to aim at."""

    to_imaplib: float
    """The maximum of our time, with everything parsed, divided by the time of imaplib, which parses nothing."""
    to_peer: float
    """The minimum of the time of IMAPClient 4.1.0 divided by our time."""
    goals: tuple[float, float]


MUSTS = {
    "flags": Must(0.9, 5, (0.5, 8)),
    "envelopes": Must(2.5, 8, (1.5, 14)),
    "headers": Must(0.7, 8, (0.4, 15)),
    "bodies": Must(0.8, 15, (0.5, 22)),
    "search": Must(3, 3.5, (2, 5)),
    "bodies-huge": Must(1.5, 12, (1.0, 20)),
}


def interpreters(options: argparse.Namespace) -> dict[str, Interpreter]:
    """Return one interpreter for each chosen seat."""
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


# ---- measuring


def summary(samples: list[dict[str, Any]], first: dict[str, Any]) -> dict[str, Any]:
    """The best and the median time of the rounds, the CPU time of the first run, in seconds, and its peak in bytes."""
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
    """Measure one workload. Each round runs all seats, and begins with another one."""
    result: dict[str, Any] = {
        "folder": workload.folder,
        "title": workload.title,
        "count": workload.total,
        "size": workload.size,
        "variant": workload.variant,
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
            answer = worker.open(workload, port)
            if answer.get("absent"):
                continue
            if failed(seat, answer):
                continue
            workers[seat] = worker
            if worker.is_imapclient:
                result["libraries"][seat] = answer["version"]
                if seat == "peer" and answer["version"] != PEER.partition("==")[2]:
                    failed(seat, {"error": f"{answer['path']} is not {PEER}"})
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
    """Return the best times of an import in seconds: by -X importtime, and of a whole new process."""
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
    """Measure on a real server. Why not, if that is not possible; otherwise nothing."""
    try:
        with dovecot(options.scale) as workloads:
            for workload in workloads:
                results += with_variants(workload, seats, 0, options.rounds, folder)
    except DovecotUnavailable as error:
        return str(error)
    return ""


def with_variants(
    workload: Workload, seats: dict[str, Interpreter], port: int, rounds: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Measure a workload, and the variants that our client offers."""
    yield measure(workload, seats, port, rounds, folder)
    variant = gc_tuned(workload)
    if variant is not None:
        result = measure(variant, seats, port, rounds, folder)
        if result["seats"] or result["errors"]:
            yield result


# ---- the report


def milliseconds(seat: dict[str, Any] | None) -> str:
    if seat is None:
        return "-"
    return f"{seat['wall']['median'] * 1e3:.1f} / {seat['cpu']['median'] * 1e3:.1f}"


def ratio(workload: dict[str, Any], name: str) -> str:
    found = workload["ratios"].get(name)
    return f"{found['wall']:.2f} / {found['cpu']:.2f}" if found else "-"


def musts(data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Return a line for each required ratio, with whether it holds. With less data than usual nothing is required."""
    clock = data["clock"]
    if data["scale"] != 1:
        return
    for workload in data["workloads"]:
        must = None if workload["variant"] else MUSTS.get(workload["folder"])
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


def report(data: dict[str, Any]) -> Iterator[str]:
    """Return the lines of the report."""
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


def absolute(text: str) -> Path:
    """Return the absolute path of a program. Links are kept, because Python finds its environment by them."""
    return Path(text).absolute()


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure imapclient against its peers.")
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="print the data, not the table; or write them to a file",
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each workload (7)")
    parser.add_argument("--against", type=Path, metavar="DIR", help="compare with another checkout, not with the peers")
    parser.add_argument("--repeat", type=int, default=15, help="with --against: pairs of fresh processes (15)")
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
    parser.add_argument("--check", action="store_true", help="exit with 1 if a ratio is not what it must be")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="which medians --check looks at (wall)"
    )
    parser.add_argument("--no-dovecot", action="store_true", help="leave out the part on a real server")
    parser.add_argument("--no-imports", action="store_true", help="leave the import times out")
    parser.add_argument("--env", type=Path, help="folder for the environments (.venv-bench)")
    parser.add_argument("--ours-path", type=Path, default=CHECKOUT, help="folder that holds our imapclient/")
    parser.add_argument("--ours-python", type=absolute, help="interpreter for our seat; makes none")
    parser.add_argument("--peer-python", type=absolute, help=f"interpreter with {PEER}; makes none")
    options = parser.parse_args(arguments)
    unknown = set(options.seats) - set(SEATS)
    if unknown:
        parser.error(f"unknown seats: {', '.join(sorted(unknown))}")
    if options.against is not None and not (options.against / "imapclient" / "__init__.py").exists():
        parser.error(f"{options.against} is no checkout: it has no imapclient/__init__.py")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Return 1 if a client failed or returned wrong values, or if --check fails. Otherwise 0."""
    options = parsed(arguments)
    if options.against is not None:
        return against.main(options)
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
                data["workloads"] += with_variants(workload, seats, port, options.rounds, folder)
        if not options.no_dovecot and (options.workload is None or "dovecot" in options.workload):
            data["dovecot"] = on_dovecot(data["workloads"], seats, options, folder)
        if not options.no_imports:
            note("imports …")
            data["imports"] = imports(seats, max(5, options.rounds), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    publish(data, report(data), options.json)
    # Failures of the other peers do not count.
    failed = any(set(item["errors"]) - set(OTHERS) or item["differences"] for item in data["workloads"])
    return int(failed or (options.check and not all(holds for _, holds in musts(data))))


if __name__ == "__main__":
    sys.exit(main())
