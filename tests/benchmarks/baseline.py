"""Compares a run with an earlier one, from the JSON file that ``--json`` wrote.

A ratio of ours to imaplib of the same run stands for each row, so that machines and moments can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.measuring import ROWS, ratio
from tests.benchmarks.report import rows_of
from tests.benchmarks.results import columns

# The number of the layout of the JSON file. Files of another one can't be compared.
FORMAT = 2
# The maximum of a row's ratio, as a factor of the earlier one.
MOST = 1.05


class Row(NamedTuple):
    """Ours divided by imaplib, in this run and in the earlier one."""

    title: str
    row: str
    now: float
    then: float

    @property
    def factor(self) -> float:
        return self.now / self.then

    @property
    def is_worse(self) -> bool:
        return self.factor > MOST


def load(path: Path) -> dict[str, Any]:
    """Return the data of an earlier run. Raises ValueError if the file is something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{path} is not JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path} is not what --json FILE of this benchmark writes; measure that commit again")
    return data


def ratios(data: dict[str, Any], clock: str) -> dict[tuple[str, str], float]:
    """Return ours divided by imaplib for each row: {("SEARCH, 100,000", "first"): 1.1}."""
    found = {}
    for result in data["workloads"]:
        for ours, title in rows_of(result):
            for row in ROWS:
                value = ratio(result, row, f"{ours}/imaplib", clock)
                if value is not None:
                    found[title, row] = value
    return found


def compared(now: dict[str, Any], then: dict[str, Any], clock: str) -> list[Row]:
    """Return the rows that both runs have."""
    before = ratios(then, clock)
    return [Row(*key, value, before[key]) for key, value in ratios(now, clock).items() if key in before]


def report(now: dict[str, Any], then: dict[str, Any], clock: str) -> Iterator[str]:
    """Return the lines of the comparison."""
    rows = compared(now, then, clock)
    yield f"Compared with a run on Python {then['python']}, {then['machine']}, of {then['date']}:"
    yield f"{clock} time, ours divided by imaplib of the same run."
    table = [["row", "run", "then", "now", "now/then", ""]]
    for row in rows:
        verdict = "WORSE" if row.is_worse else ""
        table.append([row.title, row.row, f"{row.then:.2f}", f"{row.now:.2f}", f"{row.factor:.3f}", verdict])
    yield from columns(table)
    only = [f"{title}, {row}" for title, row in ratios(now, clock).keys() ^ ratios(then, clock).keys()]
    if only:
        yield f"only in one of the runs: {'; '.join(sorted(only))}"
    worse = [f"{row.title}, {row.row}" for row in rows if row.is_worse]
    yield f"more than {MOST - 1:.0%} worse: {'; '.join(worse) or 'nothing'}"
