"""Compares the values of clients with the expected ones, and formats tables."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import Worker


def lines_by_key(path: Path) -> dict[str, str]:
    with open(path, encoding="utf-8") as file:
        return {key: value.rstrip("\n") for key, _, value in (line.partition("\t") for line in file)}


def differences(one: dict[str, str], other: dict[str, str], limit: int = 3) -> list[str]:
    """Return a text for each difference of two results. The last text counts the differences that are left out."""
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
    """Return the differences between the generated values and those of each client, by pair."""
    results = {"generated": lines_by_key(expected)} if expected.exists() else {}
    found: dict[str, list[str]] = {}
    clients = [seat for seat, worker in workers.items() if worker.is_imapclient]
    for seat in clients:
        dumped = folder / f"{seat.replace(':', '-')}.dump"
        answer = workers[seat].ask(do="dump", file=str(dumped))
        if "error" in answer:
            found[f"generated/{seat}"] = [answer["error"]]
            continue
        results[seat] = lines_by_key(dumped)
        if "generated" in results:
            found[f"generated/{seat}"] = differences(results["generated"], results[seat])
    for one, other in itertools.combinations([seat for seat in clients if seat in results], 2):
        found[f"{one}/{other}"] = differences(results[one], results[other])
    return {pair: texts for pair, texts in found.items() if texts}


def columns(rows: list[list[str]]) -> Iterator[str]:
    """Return the rows as a table. The first column is aligned to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()


def publish(data: dict[str, Any], report: Iterable[str], to: str | None) -> None:
    """Print the report. ``to`` is a file for the data. With ``"-"`` the data are printed instead."""
    text = json.dumps(data, indent=1)
    if to == "-":
        print(text)
        return
    if to is not None:
        Path(to).write_text(text + "\n", encoding="utf-8")
    print("\n".join(report))
