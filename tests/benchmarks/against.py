"""Measure this checkout against another one, in runs that alternate the two::

    python tests/benchmarks/run.py --against ../before --check

README.rst in this folder says how to read the table. Only ``imapclient`` is imported from the other checkout, and only
its public names are used, because its modules may be at other places. Everything else comes from this checkout,
``worker.py`` too.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from math import comb
from pathlib import Path
from typing import Any

from tests.benchmarks.dovecot import dovecot
from tests.benchmarks.imports import ImportFailed, import_once
from tests.benchmarks.processes import (
    OURS_NEEDS,
    Interpreter,
    Unavailable,
    Worker,
    canned_server,
    environment,
    environments_folder,
    note,
    prepare,
)
from tests.benchmarks.results import columns, compared, publish
from tests.benchmarks.workloads import WORKLOADS, Workload, amount, scaled, variants

SIDES = ("here", "there")
CLOCKS = ("cpu", "wall")
# The maximum CPU time of a workload, as a factor of the other checkout's.
MOST = 1.05
# Seconds of CPU for each id found that a search may take beside that: 10 ms for 100,000 ids. This much the plain way
# to parse a SEARCH response may cost more than one made for nothing but long responses.
MORE_FOR_AN_ID = 0.010 / 100_000
# A fetch may take more if only the other checkout changes the thresholds of the garbage collector: they are the
# process's, not the library's. Then a row in which neither does has to keep to `MOST`.
OTHER_THRESHOLDS = "the other one changes the garbage collector's thresholds: see the row with Python's"
# Pairs of processes are added until the interval of the ratio is at most this wide.
NARROW = 0.04
# Runs are added to a process until it has run for so long, in seconds.
LONG_ENOUGH = 0.2
# But there are at most so many times the pairs of `--repeat` and the runs of `--rounds`.
MORE = 3
# Imports in fresh interpreters for each pair of workers. One takes a tenth of a second.
IMPORTS = 3


class Failed(Exception):
    """One of the two failed in the workload. The text has which one, and its error."""


class Absent(Exception):
    """This checkout does not offer the variant."""


# ---- measuring


def measure(
    workload: Workload, sides: dict[str, Interpreter], port: int, options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """One workload: pairs of fresh processes, and in each pair runs that alternate.

    The result has the time of each run, in seconds, one list for each process. Raises Absent.
    """
    result: dict[str, Any] = {
        "folder": workload.folder,
        "title": workload.title,
        "count": workload.total,
        "size": workload.size,
        "variant": workload.variant,
        "errors": {},
        "differences": {},
        "sides": {side: {"first": [], "cpu": [], "wall": [], "collector": False} for side in SIDES},
    }
    try:
        for turn in turns(result, options.repeat):
            with ExitStack() as stack:
                workers = {}
                # Each side goes first in every other pair.
                for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
                    interpreter = sides[side]
                    # With the same hash seed, sets have the same order on both sides.
                    workers[side] = Worker(side, interpreter, PYTHONHASHSEED=str(turn))
                    stack.callback(workers[side].close)
                    open_worker(workers[side], workload, port)
                alternate(workers, options.rounds, result["sides"])
                if turn == 0:
                    expected = folder / f"{workload.folder}.expected"
                    result["differences"] = compared(workers, expected, folder)
    except Failed as error:
        result["errors"] = dict([error.args])
    return result


def turns(result: dict[str, Any], least: int) -> Iterator[int]:
    """Numbers of the pairs to measure for the result, which is summarised after them: until it is clear enough."""
    for turn in range(MORE * least):
        if turn >= least:
            summarise(result)
            ratio = result["ratios"]["cpu"]
            if ratio["high"] - ratio["low"] <= NARROW:
                return
        yield turn
    summarise(result)


def open_worker(worker: Worker, workload: Workload, port: int) -> None:
    """Connect. The other checkout does without a variant that it does not offer. Raises Absent and Failed."""
    answer = worker.open(workload, port)
    if "absent" in answer:
        if worker.seat == "here":
            raise Absent(workload.variant)
        answer = worker.open(workload._replace(variant=""), port)
    if "error" in answer:
        raise Failed(worker.seat, answer["error"])


def alternate(workers: dict[str, Worker], rounds: int, results: dict[str, Any]) -> None:
    """Let the two run in turn, and add the times of a process to the results of each side. Raises Failed."""
    times: dict[str, dict[str, list[float]]] = {side: {clock: [] for clock in CLOCKS} for side in workers}

    def run(side: str) -> dict[str, Any]:
        answer = workers[side].ask(do="run")
        if "error" in answer:
            raise Failed(side, answer["error"])
        results[side]["collector"] = results[side]["collector"] or answer["collector"]
        return answer

    # The first run of a process finds nothing warm.
    firsts = {side: run(side)["cpu"] for side in workers}
    wanted = int(LONG_ENOUGH / max(*firsts.values(), 1e-9))
    for _ in range(max(rounds, min(MORE * rounds, wanted))):
        for side in workers:
            answer = run(side)
            for clock in CLOCKS:
                times[side][clock].append(answer[clock])
    for side in workers:
        results[side]["first"].append(firsts[side])
        for clock in CLOCKS:
            results[side][clock].append(times[side][clock])


def with_variants(
    workload: Workload, sides: dict[str, Interpreter], port: int, options: argparse.Namespace, folder: Path
) -> Iterator[dict[str, Any]]:
    """Measure a workload, and those of its variants that show something else."""
    result = measure(workload, sides, port, options, folder)
    yield result
    if result["sides"]["there"]["collector"] and not result["sides"]["here"]["collector"] and not result["errors"]:
        result["excused"] = OTHER_THRESHOLDS
        yield measure(workload._replace(variant="python_gc"), sides, port, options, folder)
    for variant in variants(workload).values():
        # A variant that is another call, such as a fetch beside a download, says nothing new here.
        if variant.variant:
            with suppress(Absent):
                yield measure(variant, sides, port, options, folder)


def imports(sides: dict[str, Interpreter], options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """As `measure`, for ``import imapclient`` in new interpreters."""
    result: dict[str, Any] = {
        "folder": "import",
        "title": "import",
        "count": 0,
        "size": 0,
        "errors": {},
        "differences": {},
        "sides": {side: {"first": [], "cpu": [], "wall": [], "collector": False} for side in SIDES},
    }
    try:
        for side in SIDES:
            # The first import may write the bytecode.
            result["sides"][side]["first"].append(_import_once(side, sides[side], folder, 0)[0])
        for turn in turns(result, options.repeat):
            times: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
            for _ in range(IMPORTS):
                for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
                    times[side].append(_import_once(side, sides[side], folder, turn))
            for side in SIDES:
                result["sides"][side]["cpu"].append([cpu for cpu, _ in times[side]])
                result["sides"][side]["wall"].append([wall for _, wall in times[side]])
    except Failed as error:
        result["errors"] = dict([error.args])
    return result


def _import_once(side: str, interpreter: Interpreter, folder: Path, seed: int) -> tuple[float, float]:
    try:
        return import_once(interpreter, "imapclient", folder, seed)
    except ImportFailed as error:
        raise Failed(side, str(error)) from None


# ---- medians, ratios and limits


def summarise(result: dict[str, Any]) -> None:
    """Add medians and ratios to the times.

    The value of a process is the median of its runs. The ratio is the median of the pairs' ratios, because other load
    of the machine affects both processes of a pair.
    """
    medians = {
        side: {clock: [statistics.median(times) for times in result["sides"][side][clock]] for clock in CLOCKS}
        for side in SIDES
    }
    result["medians"] = {side: {clock: statistics.median(medians[side][clock]) for clock in CLOCKS} for side in SIDES}
    result["ratios"] = {}
    for clock in CLOCKS:
        ratios = [here / there for here, there in zip(medians["here"][clock], medians["there"][clock])]
        low, high = interval(ratios)
        result["ratios"][clock] = {"median": statistics.median(ratios), "low": low, "high": high}
    firsts = [here / there for here, there in zip(*(result["sides"][side]["first"] for side in SIDES))]
    low, high = interval(firsts)
    result["ratios"]["first"] = {"median": statistics.median(firsts), "low": low, "high": high}


def interval(values: list[float]) -> tuple[float, float]:
    """Return the interval of the true median. Its probability is at least 95 % if there are 6 values or more.

    Each value is above or below the true median with equal probability. So the median is outside of the k-th values
    from both ends with the probability that at most k - 1 of n coins fall on one side.
    """
    ordered, count = sorted(values), len(values)
    place, outside = 0, 2 / 2**count
    while place + 1 < count // 2 and outside + 2 * comb(count, place + 1) / 2**count <= 0.05:
        place += 1
        outside += 2 * comb(count, place) / 2**count
    return ordered[place], ordered[-1 - place]


def allowed(result: dict[str, Any]) -> float:
    """Return the maximum CPU time of this checkout in seconds, for the time of the other one."""
    there: float = result["medians"]["there"]["cpu"]
    return there * MOST + more_for_ids(result)


def is_slower(result: dict[str, Any]) -> bool:
    """Whether this checkout takes more than the maximum."""
    if "excused" in result or "medians" not in result:
        return False
    if first_is_slower(result):
        return True
    ratio: float = result["ratios"]["cpu"]["median"]
    there: float = result["medians"]["there"]["cpu"]
    return ratio * there > allowed(result)


def first_is_slower(result: dict[str, Any]) -> bool:
    """Whether the first runs of fresh processes certainly take more than the maximum.

    There is one for each process, so that their ratio is less clear than the other one. Searches may take more, as
    after the first run. The first import may write the bytecode, so it does not count.
    """
    if result["folder"] == "import":
        return False
    ratio = result["ratios"]["first"]
    there: float = statistics.median(result["sides"]["there"]["first"])
    return bool(ratio["low"] * there > there * MOST + more_for_ids(result))


def more_for_ids(result: dict[str, Any]) -> float:
    """Return the seconds that a search may take more."""
    return MORE_FOR_AN_ID * result["count"] if result["folder"].startswith("search") else 0


def verdict(result: dict[str, Any]) -> str:
    """Return the text of the last column of the table."""
    if "excused" not in result and first_is_slower(result):
        return "SLOWER"
    if result["ratios"]["cpu"]["median"] <= MOST:
        return ""
    if "excused" in result:
        return "excused"
    return "SLOWER" if is_slower(result) else "allowed"


# ---- the report


def report(data: dict[str, Any]) -> Iterator[str]:
    """Return the lines of the report."""
    yield f"here:  {data['here']}"
    yield f"there: {data['there']}"
    yield f"Python {data['python']}, {data['machine']}"
    yield f"{data['repeat']} pairs of processes, {data['rounds']} runs in each process, and more if they differ much"
    yield "CPU of the client in milliseconds, medians. Ratios are here/there, with the interval of 95 %."
    yield ""
    rows = [["workload", "here", "there", "CPU ratio", "95 %", "wall ratio", "95 %", "first run", "95 %", ""]]
    for result in data["workloads"]:
        if "medians" not in result:
            continue
        cells = [f"{result['medians'][side]['cpu'] * 1e3:.2f}" for side in SIDES]
        for kind in (*CLOCKS, "first"):
            if kind == "first" and result["folder"] == "import":
                cells += ["-", "-"]
                continue
            found = result["ratios"][kind]
            cells += [f"{found['median']:.3f}", f"{found['low']:.3f}-{found['high']:.3f}"]
        rows.append([amount(result), *cells, verdict(result)])
    yield from columns(rows)
    yield ""
    for result in data["workloads"]:
        for side, error in result["errors"].items():
            yield f"{amount(result)}: {side} failed: {error}"
        for pair, texts in result["differences"].items():
            yield from (f"{amount(result)}: {pair} differ: {text}" for text in texts)
        if "medians" in result and verdict(result) == "excused":
            yield f"{amount(result)}: excused: {result['excused']}"
    if data["dovecot"]:
        yield f"Dovecot was left out: {data['dovecot']}"
    slower = [amount(result) for result in data["workloads"] if is_slower(result)]
    yield f"more than {MOST - 1:.0%} slower: {'; '.join(slower) or 'nothing'}"


def main(options: argparse.Namespace) -> int:
    """Return 1 if a client failed or returned wrong values, or, with --check, if a workload is slower. Otherwise 0."""
    python = options.ours_python or environment(environments_folder(options.env) / "ours", OURS_NEEDS)
    paths = {"here": options.ours_path.resolve(), "there": options.against.resolve()}
    sides = {side: Interpreter(python, path) for side, path in paths.items()}
    workloads = [
        scaled(workload, options.scale)
        for workload in WORKLOADS
        if options.workload is None or workload.folder in options.workload
    ]
    data: dict[str, Any] = {
        "here": str(paths["here"]),
        "there": str(paths["there"]),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "repeat": options.repeat,
        "rounds": options.rounds,
        "scale": options.scale,
        "dovecot": "",
        "workloads": [],
    }
    folder = Path(tempfile.mkdtemp(prefix="imapclient-bench-"))
    try:
        # This comes first, because it writes the bytecode for the workers.
        if not options.no_imports and (options.workload is None or "import" in options.workload):
            note("imports …")
            data["workloads"].append(imports(sides, options, folder))
        with canned_server(workloads, folder) as port:
            for workload in workloads:
                note(f"{workload.folder} …")
                prepare(port, workload)
                data["workloads"] += with_variants(workload, sides, port, options, folder)
        if not options.no_dovecot and (options.workload is None or "dovecot" in options.workload):
            try:
                with dovecot(options.scale) as real:
                    for workload in real:
                        data["workloads"] += with_variants(workload, sides, 0, options, folder)
            except Unavailable as error:
                data["dovecot"] = str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    publish(data, report(data), options.json)
    failed = any(result["errors"] or result["differences"] for result in data["workloads"])
    return int(failed or (options.check and any(map(is_slower, data["workloads"]))))
