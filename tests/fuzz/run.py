"""Fuzz, guided by coverage: ``python -m tests.fuzz.run [--seconds 600] [NAME...]``, which ``tox -e fuzz`` runs.

The harnesses run one after the other, and share the time. Each prints a line: the number of inputs, the number of
branches that they reached, and the failures. Failing inputs stay in ``.fuzz/found``. ``--replay FILE NAME`` shows the
traceback of one. Inputs that reached a new branch stay in ``.fuzz/corpus`` for the next time. The exit code is 1 if
there was a failure.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.seeds import WORDS
from tests.fuzz.table import ALL

CHECKOUT = Path(__file__).resolve().parent.parent.parent
FOLDER = CHECKOUT / ".fuzz"

# Limits: seconds for one input, and megabytes for the process. No input of this length needs nearly as much.
_SECONDS_EACH = 20
_MEGABYTES = 2048
_LENGTH = 4096
_DONE = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+) ft: (\d+)")


class Outcome(NamedTuple):
    """The result of one harness."""

    name: str
    executions: int
    covered: int
    features: int
    found: list[Path]
    output: str


def fuzz(name: str, seconds: int) -> Outcome:
    corpus, found = FOLDER / "corpus" / name, FOLDER / "found" / name
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in ALL[name].seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    dictionary = FOLDER / "words"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS), "ascii")
    known = set(found.iterdir())
    command = [
        *(sys.executable, "-m", "tests.fuzz.worker", name),
        *(f"-max_total_time={seconds}", f"-timeout={_SECONDS_EACH}", f"-rss_limit_mb={_MEGABYTES}"),
        # An input that is slow within the limit counts as an effect of the machine's load.
        "-report_slow_units=1000",
        *(f"-max_len={_LENGTH}", f"-dict={dictionary}", f"-artifact_prefix={found}/", "-print_final_stats=1"),
        str(corpus),
    ]
    done = subprocess.run(
        command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode("utf-8", "replace")
    new = sorted(set(found.iterdir()) - known)
    executions = _DONE.findall(output)
    covered = _COVERED.findall(output)
    if done.returncode and not new:
        raise RuntimeError(f"the fuzzer did not run:\n{output[-4000:]}")
    return Outcome(
        name,
        int(executions[-1]) if executions else 0,
        int(covered[-1][0]) if covered else 0,
        int(covered[-1][1]) if covered else 0,
        new,
        output,
    )


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _report(outcome: Outcome) -> str:
    text = f"{outcome.name:16} {outcome.executions:10} inputs, {outcome.covered:5} branches"
    return f"{text}, FOUND: {', '.join(str(path) for path in outcome.found)}" if outcome.found else text


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzzes, guided by coverage.")
    parser.add_argument("--seconds", type=int, default=600, help="for all harnesses together; 600 unless given")
    parser.add_argument("--replay", metavar="FILE", help="run one harness on this input, and on nothing else")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"all unless given: {', '.join(ALL)}")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in ALL]
    if unknown:
        parser.error(f"no such harness: {', '.join(unknown)}")
    names = options.names or list(ALL)
    if options.replay:
        for name in names:
            ALL[name].run(Path(options.replay).read_bytes())
        return 0
    share = max(1, options.seconds // len(names))
    outcomes = []
    for name in names:
        outcomes.append(fuzz(name, share))
        print(_report(outcomes[-1]), flush=True)
        if outcomes[-1].found:
            print(outcomes[-1].output[-4000:], flush=True)
    found = sum(len(outcome.found) for outcome in outcomes)
    print(f"{sum(outcome.executions for outcome in outcomes)} inputs in all, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
