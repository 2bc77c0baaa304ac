"""Measure how much memory our client needs at most, each case in a process of its own::

    python -m tests.benchmarks.memory

The server generates its answers, in this process. ``growth`` is the growth of the peak of the client's process.
``values`` is the part of it that the returned objects need. ``tests/_connection/test_reader_memory.py`` does the same
with smaller amounts.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.processes import canned_server, note, prepare
from tests.benchmarks.results import columns
from tests.benchmarks.workloads import ENVELOPE_ITEMS, Workload
from tests.helpers.generated_server import DECODED, LINE, GeneratedServer
from tests.helpers.memory import Growth, growth

MB = 1_000_000


class Case(NamedTuple):
    """A task of a program, and the maximum of memory for it."""

    what: str
    """The text of the table. ``{amount}`` is the amount."""
    full: int
    """The promised amount: a number of messages, or of bytes if ``is_bytes``."""
    small: int
    """The smallest amount that shows the limit, for the tests."""
    body: str
    """The program of the client. ``AMOUNT`` is the amount."""
    room: int = 0
    """How much the peak may grow, in bytes, beside what is next."""
    factor: float = 0
    """The additional growth for each byte of the returned values."""
    is_bytes: bool = False
    size: int = 0
    """The size of each message, in bytes."""
    warm_up: str = ""
    folder: str = "INBOX"
    """The folder. If it is not the default, the benchmark's server has it."""

    def most(self, found: Growth) -> int:
        """Return the maximum growth of the peak, in bytes."""
        return int(self.room + self.factor * found.values)

    def title(self, amount: int) -> str:
        return self.what.format(amount=f"{amount / MB:,.0f} MB" if self.is_bytes else f"{amount:,}")


_ITERATE = """
count = 0
for uid, data in client.fetch_iter("1:*", ["{item}"]):
    count += 1
    assert data[b"{item}"]
assert count == AMOUNT, count
"""
_DOWNLOAD = """
with open("/dev/null", "wb") as file:
    written = client.download(2, "1", file, decode={decode})
assert abs(written - AMOUNT * {share}) < 100, written
"""

CASES = {
    "fetch-body": Case(
        "fetch of one body of {amount}",
        256 * MB,
        32 * MB,
        'result = client.fetch(2, ["BODY[]"])\nassert len(result[2][b"BODY[]"]) == AMOUNT',
        factor=1.3,
        is_bytes=True,
    ),
    "fetch-envelopes": Case(
        "fetch of {amount} ENVELOPEs and BODYSTRUCTUREs",
        20_000,
        12_000,
        f"result = client.fetch(ids, {ENVELOPE_ITEMS})\nassert len(result) == AMOUNT",
        factor=1.3,
        warm_up=f"ids = client.search()\nclient.fetch(ids[:100], {ENVELOPE_ITEMS})",
        folder="envelopes",
    ),
    "fetch-flags": Case(
        "fetch of the flags of {amount}",
        200_000,
        160_000,
        'result = client.fetch("1:*", ["FLAGS"])\nassert len(result) == AMOUNT',
        factor=1.3,
    ),
    "search": Case(
        "search that finds {amount}",
        1_000_000,
        600_000,
        "result = client.search()\nassert len(result) == AMOUNT",
        factor=1.5,
    ),
    "iterate-flags": Case(
        "fetch_iter over the flags of {amount}", 1_000_000, 200_000, _ITERATE.format(item="FLAGS"), room=10 * MB
    ),
    "iterate-bodies": Case(
        "fetch_iter over {amount} bodies of 100 kB",
        2_000,
        400,
        _ITERATE.format(item="BODY[]"),
        room=20 * MB,
        size=100_000,
    ),
    "download": Case(
        "download of {amount}",
        500 * MB,
        78 * MB,
        _DOWNLOAD.format(decode=False, share=1),
        room=20 * MB,
        is_bytes=True,
    ),
    "download-decoded": Case(
        "download of {amount}, decoded from base64",
        500 * MB,
        78 * MB,
        _DOWNLOAD.format(decode=True, share=len(DECODED) / len(LINE)),
        room=20 * MB,
        is_bytes=True,
    ),
    "append-file": Case(
        "append of {amount} from a file",
        500 * MB,
        100 * MB,
        """
import tempfile
with tempfile.TemporaryFile() as file:
    file.truncate(AMOUNT)
    client.append("x", file)
""",
        room=20 * MB,
        is_bytes=True,
    ),
    "append-iterator": Case(
        "append of {amount} from an iterator",
        500 * MB,
        100 * MB,
        'client.append("x", (bytes(1_000_000) for _ in range(AMOUNT // 1_000_000)), size=AMOUNT)',
        room=20 * MB,
        is_bytes=True,
    ),
}


@contextmanager
def _serving(case: Case, amount: int) -> Iterator[int]:
    """Yield the port of a server with the data of the case."""
    if case.folder != "INBOX":
        workload = Workload(case.folder, case.what, "fetch", ENVELOPE_ITEMS, amount)
        with tempfile.TemporaryDirectory() as folder, canned_server([workload], Path(folder)) as port:
            prepare(port, workload)
            yield port
        return
    messages, size = (1, amount) if case.is_bytes else (amount, case.size)
    with GeneratedServer(messages, size) as server:
        yield server.port
        if "append" in case.body:
            assert server.appended == amount


def measure(case: Case, amount: int) -> Growth:
    """Measure the case with this amount."""
    with _serving(case, amount) as port:
        return growth(port, f"AMOUNT = {amount}\n{case.body}", case.warm_up, case.folder)


def main(arguments: list[str] | None = None) -> int:
    """Return 1 if a case needs more memory than its maximum. Otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; may be given several times")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the amounts, which are MB or messages")
    parser.add_argument("--json", action="store_true", help="print the data instead of the table")
    options = parser.parse_args(arguments)
    rows = [["MB", "growth", "values", "at most"]]
    data = {}
    over = False
    for name in options.case or CASES:
        case = CASES[name]
        note(f"{name} …")
        amount = int(case.full * options.scale)
        found = measure(case, amount)
        most = case.most(found)
        over = over or found.peak > most
        data[name] = {"amount": amount, **found._asdict(), "most": most}
        figures = [f"{size / MB:.1f}" if size else "-" for size in (*found, most)]
        rows.append([case.title(amount), *figures])
    if options.json:
        print(json.dumps(data, indent=1))
    else:
        print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
        print("\n".join(columns(rows)))
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
