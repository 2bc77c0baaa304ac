"""Measures workloads: the first run of fresh processes, and the runs that follow."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.imports import ImportFailed, import_once
from tests.benchmarks.processes import PEER, Interpreter, Program, Worker
from tests.benchmarks.results import compared
from tests.benchmarks.workloads import Workload, variants

CLOCKS = ("cpu", "wall")
ROWS = ("first", "steady")
# A process ends after so many seconds of its steady runs, but each has one at least.
LONG_ENOUGH = 1.5
# A candidate that has run for so many seconds takes part in no more turns, ...
TOO_LONG = 15
# ... but each has so many fresh processes.
LEAST = 3


class Amount(NamedTuple):
    """How much is measured."""

    repeat: int
    """The number of fresh processes of each candidate."""
    rounds: int
    """The number of runs in a process after the first one."""


class Candidate(NamedTuple):
    """A seat with a workload, or our seat with a variant of it."""

    seat: str
    interpreter: Interpreter | Program
    workload: Workload

    def start(self, stack: ExitStack, port: int, turn: int) -> tuple[Worker, dict[str, Any]]:
        """Return a new process that has connected, with its answer."""
        # In a turn, sets have the same order in all processes.
        worker = Worker(self.seat, self.interpreter, PYTHONHASHSEED=str(turn))
        stack.callback(worker.close)
        return worker, worker.open(self.workload, port)


class Samples:
    """The times of a candidate, in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.peaks: list[int | None] = []
        self.first: dict[str, list[float]] = {clock: [] for clock in CLOCKS}
        self.steady: dict[str, list[list[float]]] = {clock: [] for clock in CLOCKS}

    @property
    def processes(self) -> int:
        return len(self.first["wall"])

    @property
    def seconds(self) -> float:
        """How long all runs have taken."""
        return sum(self.first["wall"]) + sum(map(sum, self.steady["wall"]))

    def add_first(self, answer: dict[str, Any]) -> None:
        self.count = answer["count"]
        self.peaks.append(answer["peak"])
        for clock in CLOCKS:
            self.first[clock].append(answer[clock])
            self.steady[clock].append([])

    def add(self, answer: dict[str, Any]) -> None:
        for clock in CLOCKS:
            self.steady[clock][-1].append(answer[clock])

    def wants_more(self, rounds: int) -> bool:
        """Whether the newest process is to run once more."""
        times = self.steady["wall"][-1]
        return not times or (len(times) < rounds and sum(times) < LONG_ENOUGH)

    def summary(self) -> dict[str, Any]:
        """Return all times, and the medians of the processes. A process counts with the median of its steady runs."""
        peaks = [peak for peak in self.peaks if peak is not None]
        result: dict[str, Any] = {
            "count": self.count,
            "peak": statistics.median(peaks) if peaks else None,
            "first": self.first_summary(),
            "steady": {},
        }
        for clock in CLOCKS:
            medians = [statistics.median(times) for times in self.steady[clock]]
            result["steady"][clock] = {"median": statistics.median(medians), "all": self.steady[clock]}
        return result

    def first_summary(self) -> dict[str, Any]:
        return {clock: {"median": statistics.median(self.first[clock]), "all": self.first[clock]} for clock in CLOCKS}


class Measurement:
    """The measurement of one workload."""

    def __init__(self, workload: Workload, seats: Mapping[str, Interpreter | Program], port: int) -> None:
        self.port = port
        self.candidates = {
            seat: Candidate(seat, interpreter, workload)
            for seat, interpreter in seats.items()
            if seat in workload.seats
        }
        if "ours" in self.candidates:
            for name, variant in variants(workload).items():
                self.candidates[f"ours:{name}"] = Candidate("ours", seats["ours"], variant)
        self.samples: dict[str, Samples] = {}
        self.errors: dict[str, str] = {}
        self.libraries: dict[str, str] = {}

    def failed(self, name: str, answer: dict[str, Any]) -> bool:
        """Whether a candidate failed. If so, it takes part no more."""
        if "error" in answer:
            self.errors[name] = answer["error"]
            self.samples.pop(name, None)
            self.candidates.pop(name, None)
        return "error" in answer

    def compare(self, expected: Path, folder: Path) -> dict[str, list[str]]:
        """Run each candidate once, and return how the values of clients differ. No time counts.

        The server joins its replies meanwhile, and Python writes the bytecode.
        """
        with ExitStack() as stack:
            workers: dict[str, Worker] = {}
            for name, candidate in list(self.candidates.items()):
                worker, answer = candidate.start(stack, self.port, 0)
                if "absent" in answer:
                    del self.candidates[name]
                    continue
                if self.failed(name, answer):
                    continue
                self.libraries[name] = answer.get("version", "")
                if name == "peer" and answer["version"] != PEER.partition("==")[2]:
                    self.failed(name, {"error": f"{answer['path']} is not {PEER}"})
                elif worker.is_imapclient:
                    workers[name] = worker
                else:
                    self.failed(name, worker.ask(do="run"))
            return compared(workers, expected, folder)

    def take_turn(self, turn: int, rounds: int) -> None:
        """Measure one fresh process of each candidate. Their runs alternate."""
        names = [name for name in self.candidates if self.takes_part(name)]
        with ExitStack() as stack:
            workers: dict[str, Worker] = {}
            for name in rotated(names, turn):
                worker, answer = self.candidates[name].start(stack, self.port, turn)
                if not self.failed(name, answer):
                    workers[name] = worker
            for name in rotated(names, turn):
                if name in workers:
                    answer = workers[name].ask(do="run")
                    if not self.failed(name, answer):
                        self.samples.setdefault(name, Samples()).add_first(answer)
            for number in range(rounds):
                for name in rotated(names, turn + number):
                    if name in self.samples and self.samples[name].wants_more(rounds):
                        answer = workers[name].ask(do="run")
                        if not self.failed(name, answer):
                            self.samples[name].add(answer)

    def takes_part(self, name: str) -> bool:
        """Whether the candidate needs another process."""
        samples = self.samples.get(name)
        return samples is None or samples.processes < LEAST or samples.seconds < TOO_LONG


def rotated(names: list[str], by: int) -> list[str]:
    place = by % max(1, len(names))
    return names[place:] + names[:place]


def measure(
    workload: Workload, seats: Mapping[str, Interpreter | Program], port: int, amount: Amount, folder: Path
) -> dict[str, Any]:
    """Measure one workload. Each turn has a fresh process of each candidate, and begins with another one."""
    found = Measurement(workload, seats, port)
    differences = found.compare(folder / f"{workload.folder}.expected", folder)
    compared_ones = list(found.candidates)
    for turn in range(amount.repeat):
        found.take_turn(turn, amount.rounds)
    return {
        "folder": workload.folder,
        "title": workload.title,
        "count": workload.total,
        "size": workload.size,
        "compared": compared_ones,
        "seats": {name: samples.summary() for name, samples in found.samples.items()},
        "errors": found.errors,
        "libraries": {name: version for name, version in found.libraries.items() if version},
        "differences": differences,
    }


def measure_imports(
    seats: Mapping[str, Interpreter | Program], python: Interpreter, amount: Amount, folder: Path
) -> dict[str, Any]:
    """As `measure`, for ``import imapclient`` in fresh processes. There are only first runs.

    ``python`` is the interpreter that imports imaplib.
    """
    samples: dict[str, Samples] = {}
    programs = {"imaplib": (python, "imaplib")}
    for seat in ("ours", "peer"):
        interpreter = seats.get(seat)
        if isinstance(interpreter, Interpreter):
            programs[seat] = (interpreter, "imapclient")
    errors: dict[str, str] = {}
    for name, (interpreter, module) in list(programs.items()):
        try:
            # It may write the bytecode.
            import_once(interpreter, module, folder, 0)
        except ImportFailed as error:
            errors[name] = str(error)
            del programs[name]
    for turn in range(amount.repeat * amount.rounds):
        for name in rotated(list(programs), turn):
            cpu, wall = import_once(*programs[name], folder, turn)
            answer = {"cpu": cpu, "wall": wall, "count": 1, "peak": None}
            samples.setdefault(name, Samples()).add_first(answer)
    return {
        "folder": "import",
        "title": "import",
        "count": 0,
        "size": 0,
        "compared": [],
        "seats": {name: {"first": found.first_summary()} for name, found in samples.items()},
        "errors": errors,
        "libraries": {},
        "differences": {},
    }


def ratio(result: dict[str, Any], row: str, name: str, clock: str) -> float | None:
    """Return a ratio of medians, such as that of "ours/imaplib". None if one of the two was not measured."""
    times = []
    for seat in name.split("/"):
        found = result["seats"].get(seat, {}).get(row)
        if found is None:
            return None
        times.append(found[clock]["median"])
    above, below = times
    return float(above / below)
