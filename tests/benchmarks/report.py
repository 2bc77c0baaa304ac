"""The report of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.benchmarks.measuring import CLOCKS, ROWS, ratio
from tests.benchmarks.musts import musts
from tests.benchmarks.processes import MAY_FAIL
from tests.benchmarks.results import columns
from tests.benchmarks.workloads import MIB, SEATS, VARIANTS, amount

TITLES = {"peer": "IMAPClient"}
RATIOS = {"ours/imaplib": "ours/imaplib", "peer/ours": "IMAPClient/ours", "ours/go-imap": "ours/go-imap"}


def report(data: dict[str, Any]) -> Iterator[str]:
    """Return the lines of the report."""
    yield (
        f"Python {data['python']}, {data['machine']}: medians of {data['repeat']} fresh processes. In each, the first "
        f"run is one value, and the median of the {data['rounds']} runs after it is another."
    )
    yield "imaplib and aioimaplib leave the replies unparsed; socket: the reply received and thrown away."
    names = [seat for seat in SEATS if any(seat in result["seats"] for result in data["workloads"])]
    for clock in CLOCKS:
        yield ""
        yield from columns(list(times(data, names, clock)))
    yield ""
    yield from columns(list(peaks(data, names)))
    for seat, reason in data["absent"].items():
        yield ""
        yield f"{seat} was left out: {reason}"
    stated = list(musts(data))
    if stated:
        yield ""
        yield f"By the medians of {data['clock']} time:"
        yield from (f"  {line}" for line, _ in stated)
    yield ""
    yield from problems(data)


def rows_of(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return our candidates of a result, and the names of their lines: "ours", then "ours:gc_tuning" and so on."""
    yield "ours", amount(result)
    for name in result["seats"]:
        variant = name.partition(":")[2]
        if variant:
            yield name, amount(result) + VARIANTS[variant]


def times(data: dict[str, Any], names: list[str], clock: str) -> Iterator[list[str]]:
    """Return the rows of the table of one clock."""
    kind = "CPU" if clock == "cpu" else "wall"
    yield [f"{kind} time of the client, ms", "run", *[TITLES.get(name, name) for name in names], *RATIOS.values()]
    for result in data["workloads"]:
        for ours, title in rows_of(result):
            for row in ROWS:
                cells = []
                for name in names:
                    seat = seat_of(name, ours)
                    found = result["seats"].get(seat, {}).get(row)
                    cells.append("-" if found is None or not seat else f"{found[clock]['median'] * 1e3:.1f}")
                for name in RATIOS:
                    value = ratio(result, row, name.replace("ours", ours), clock)
                    cells.append("-" if value is None else f"{value:.2f}")
                if any(cell != "-" for cell in cells):
                    yield [title, row, *cells]


def seat_of(name: str, ours: str) -> str:
    """Return the candidate for a column. A line of a variant has our seat only: the others are in the line above."""
    if name == "ours":
        return ours
    return name if ours == "ours" else ""


def peaks(data: dict[str, Any], names: list[str]) -> Iterator[list[str]]:
    """Return the rows of the table of memory."""
    yield ["memory beyond the start, peak of the first run, MiB", *[TITLES.get(name, name) for name in names]]
    for result in data["workloads"]:
        for ours, title in rows_of(result):
            found = [result["seats"].get(seat_of(name, ours), {}).get("peak") for name in names]
            if any(peak is not None for peak in found):
                yield [title, *["-" if peak is None else f"{peak / MIB:.1f}" for peak in found]]


def problems(data: dict[str, Any]) -> Iterator[str]:
    clean = True
    for result in data["workloads"]:
        for seat, error in result["errors"].items():
            clean = clean and seat in MAY_FAIL
            yield f"{amount(result)}: {seat} failed: {error}"
        for pair, texts in result["differences"].items():
            clean = False
            yield from (f"{amount(result)}: {pair} differ: {text}" for text in texts)
    if clean:
        yield "Every result was compared with what the server sent: no differences."
