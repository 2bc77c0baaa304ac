"""The required ratios, for ``--check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.benchmarks.measuring import ratio


class Must(NamedTuple):
    """A ratio of medians that must hold, and a better one to aim at. If the goal is lower, lower is better."""

    folder: str
    row: str
    """``first`` or ``steady``."""
    name: str
    """The two candidates, such as "ours/imaplib"; ``ours:general`` is our seat's variant."""
    limit: float
    goal: float
    clock: str = ""
    """``cpu`` or ``wall``, if this ratio is not to be looked at by the clock of the run."""

    @property
    def is_maximum(self) -> bool:
        return self.goal <= self.limit

    def holds(self, found: float) -> bool:
        return found <= self.limit if self.is_maximum else found >= self.limit

    def reaches_goal(self, found: float) -> bool:
        return found <= self.goal if self.is_maximum else found >= self.goal

    def line(self, found: float) -> str:
        verdict = ("holds, and so does the goal" if self.reaches_goal(found) else "holds") if self.holds(found) else ""
        return (
            f"{self.folder}, {self.row}: {self.name} is {found:.2f}, must be at "
            f"{'most' if self.is_maximum else 'least'} {self.limit:g} (goal {self.goal:g}): "
            f"{verdict or 'DOES NOT HOLD'}"
        )


MUSTS = (
    Must("import", "first", "ours/peer", 0.7, 0.7),
    Must("overviews", "first", "ours/imaplib", 4, 3),
    Must("overviews", "first", "peer/ours", 7, 9),
    Must("overviews", "first", "ours/go-imap", 1, 0.8),
    Must("overviews", "first", "ours:general/imaplib", 5, 5),
    Must("overviews", "steady", "ours/imaplib", 2.8, 2.2),
    Must("overviews", "steady", "ours/go-imap", 1, 0.8),
    Must("overviews", "steady", "ours:general/imaplib", 5, 5),
    Must("flags", "steady", "ours/imaplib", 0.9, 0.5),
    Must("flags", "steady", "peer/ours", 5, 8),
    Must("envelopes", "steady", "ours/imaplib", 2.5, 1.5),
    Must("envelopes", "steady", "peer/ours", 8, 14),
    Must("headers", "steady", "ours/imaplib", 0.7, 0.4),
    Must("headers", "steady", "peer/ours", 8, 15),
    Must("bodies", "steady", "ours/imaplib", 0.8, 0.5),
    Must("bodies", "steady", "peer/ours", 15, 22),
    Must("search", "steady", "ours/imaplib", 3, 2),
    Must("search", "steady", "peer/ours", 3.5, 5),
    Must("bodies-huge", "steady", "ours/imaplib", 1.5, 1),
    Must("bodies-huge", "steady", "peer/ours", 12, 20),
    Must("Large", "steady", "ours/ours:fetch", 1.5, 1.5, clock="wall"),
)


def musts(data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Return a line for each required ratio, with whether it holds. With less data than usual nothing is required."""
    if data["scale"] != 1:
        return
    results = {result["folder"]: result for result in data["workloads"]}
    for must in MUSTS:
        if must.folder in results:
            found = ratio(results[must.folder], must.row, must.name, must.clock or data["clock"])
            if found is not None:
                yield must.line(found), must.holds(found)
