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
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    # This file is started by its path, but imports modules of the package `tests`.
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from tests.benchmarks import against, baseline
from tests.benchmarks.dovecot import dovecot
from tests.benchmarks.measuring import Amount, measure, measure_imports
from tests.benchmarks.musts import musts
from tests.benchmarks.other_languages import go_imap, imapflow
from tests.benchmarks.processes import (
    CHECKOUT,
    MAY_FAIL,
    OTHERS,
    OURS_NEEDS,
    PEER,
    Interpreter,
    Program,
    Unavailable,
    canned_server,
    environment,
    environments_folder,
    note,
    prepare,
)
from tests.benchmarks.report import report
from tests.benchmarks.results import publish
from tests.benchmarks.workloads import SEATS, WORKLOADS, scaled

# The defaults of --repeat and --rounds: for a run beside the peers, and for one against another checkout.
BESIDE_PEERS = Amount(5, 5)
AGAINST_CHECKOUT = Amount(15, 7)
IN_OTHER_LANGUAGES: dict[str, Callable[[Path], Program]] = {"go-imap": go_imap, "imapflow": imapflow}


def interpreters(options: argparse.Namespace) -> tuple[dict[str, Interpreter | Program], dict[str, str]]:
    """Return one program for each chosen seat, and why others can not take part."""
    folder = environments_folder(options.env)
    result: dict[str, Interpreter | Program] = {}
    absent: dict[str, str] = {}
    for seat in options.seats:
        if seat == "ours":
            python = options.ours_python or environment(folder / "ours", OURS_NEEDS)
            result[seat] = Interpreter(python, options.ours_path.resolve())
        elif seat == "peer":
            result[seat] = Interpreter(options.peer_python or environment(folder / "peer", (PEER,)), None)
        elif seat in OTHERS:
            result[seat] = Interpreter(environment(folder / seat, (OTHERS[seat],)), None)
        elif seat in IN_OTHER_LANGUAGES:
            try:
                # These do not depend on the version of Python.
                result[seat] = IN_OTHER_LANGUAGES[seat](folder.parent / seat)
            except Unavailable as error:
                absent[seat] = str(error)
        else:
            result[seat] = Interpreter(Path(sys.executable), None)
    return result, absent


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
    parser.add_argument(
        "--repeat",
        type=int,
        help=f"fresh processes of each participant ({BESIDE_PEERS.repeat}); pairs of processes with --against DIR "
        f"({AGAINST_CHECKOUT.repeat})",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"runs in each process after the first one ({BESIDE_PEERS.rounds}, {AGAINST_CHECKOUT.rounds})",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR or FILE",
        help="compare with another checkout, without the peers; or with an earlier run that --json wrote",
    )
    parser.add_argument(
        "--workload",
        action="append",
        choices=[*(workload.folder for workload in WORKLOADS), "dovecot", "import"],
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
    parser.add_argument("--clock", choices=["wall", "cpu"], default="cpu", help="which medians --check looks at (cpu)")
    parser.add_argument("--no-dovecot", action="store_true", help="leave out the part on a real server")
    parser.add_argument("--no-imports", action="store_true", help="leave out the time of import imapclient")
    parser.add_argument("--env", type=Path, help="folder for the environments (.venv-bench)")
    parser.add_argument("--ours-path", type=Path, default=CHECKOUT, help="folder that holds our imapclient/")
    parser.add_argument("--ours-python", type=absolute, help="interpreter for our seat; makes none")
    parser.add_argument("--peer-python", type=absolute, help=f"interpreter with {PEER}; makes none")
    options = parser.parse_args(arguments)
    unknown = set(options.seats) - set(SEATS)
    if unknown:
        parser.error(f"unknown seats: {', '.join(sorted(unknown))}")
    default = BESIDE_PEERS
    options.earlier = None
    if options.against is not None and options.against.is_file():
        try:
            options.earlier = baseline.load(options.against)
        except ValueError as error:
            parser.error(str(error))
        if options.earlier["scale"] != options.scale:
            parser.error(f"{options.against} is of a run with --scale {options.earlier['scale']:g}")
    elif options.against is not None:
        default = AGAINST_CHECKOUT
        if not (options.against / "imapclient" / "__init__.py").exists():
            parser.error(f"{options.against} is no checkout: it has no imapclient/__init__.py")
    options.repeat = default.repeat if options.repeat is None else options.repeat
    options.rounds = default.rounds if options.rounds is None else options.rounds
    return options


def measured(
    seats: dict[str, Interpreter | Program], data: dict[str, Any], options: argparse.Namespace, folder: Path
) -> Iterator[dict[str, Any]]:
    """Return the results of all chosen workloads, one by one."""
    amount = Amount(options.repeat, options.rounds)

    def is_chosen(name: str) -> bool:
        return options.workload is None or name in options.workload

    if is_chosen("import") and not options.no_imports:
        note("import …")
        yield measure_imports(seats, Interpreter(Path(sys.executable), None), amount, folder)
    workloads = [scaled(workload, options.scale) for workload in WORKLOADS if is_chosen(workload.folder)]
    with canned_server(workloads, folder) as port:
        for workload in workloads:
            note(f"{workload.folder} …")
            prepare(port, workload)
            yield measure(workload, seats, port, amount, folder)
    if is_chosen("dovecot") and not options.no_dovecot:
        try:
            with dovecot(options.scale) as real:
                for workload in real:
                    yield measure(workload, seats, 0, amount, folder)
        except Unavailable as error:
            data["absent"]["Dovecot"] = str(error)


def main(arguments: list[str] | None = None) -> int:
    """Return 1 if a client failed or returned wrong values, or if --check fails. Otherwise 0."""
    options = parsed(arguments)
    if options.against is not None and options.earlier is None:
        return against.main(options)
    seats, absent = interpreters(options)
    data: dict[str, Any] = {
        "format": baseline.FORMAT,
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "repeat": options.repeat,
        "rounds": options.rounds,
        "scale": options.scale,
        "clock": options.clock,
        "workloads": [],
        "absent": absent,
    }
    folder = Path(tempfile.mkdtemp(prefix="imapclient-bench-"))
    try:
        data["workloads"] += measured(seats, data, options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    lines = list(report(data))
    worse = False
    if options.earlier is not None:
        lines += ["", *baseline.report(data, options.earlier, options.clock)]
        worse = any(row.is_worse for row in baseline.compared(data, options.earlier, options.clock))
    publish(data, lines, options.json)
    # Failures of the other peers do not count.
    failed = any(set(item["errors"]) - set(MAY_FAIL) or item["differences"] for item in data["workloads"])
    misses = worse or not all(holds for _, holds in musts(data))
    return int(failed or (options.check and misses))


if __name__ == "__main__":
    sys.exit(main())
