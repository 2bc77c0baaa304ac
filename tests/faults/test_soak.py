"""A short soak, and tests of its ledger."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.faults.soak_ledger import Failure, Ledger, message, token_of
from tests.faults.soak_proxy import KINDS, Fault
from tests.helpers.dovecot import Dovecot

# The amount of work is the same on each machine, and the time differs.
_COMMANDS = 10_000
# Seconds, to end what hangs.
_HANGS = 1800


@pytest.mark.live
@pytest.mark.timeout(_HANGS + 60)
def test_ten_thousand_commands(dovecot: Dovecot) -> None:
    """The soak runs in its own process, in which it counts memory, descriptors and threads. So does the server."""
    command = [sys.executable, "-m", "tests.faults.soak", "--seconds", str(2 * _HANGS), "--seed", "two minutes"]
    command += ["--commands", str(_COMMANDS), "--interval", "1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_HANGS)
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, output
    found = {name: int(count) for name, count in re.findall(r"^([a-zA-Z: _]+): (\d+)$", output, re.MULTILINE)}
    assert found["messages compared"] > 100, output
    assert sum(count for name, count in found.items() if name.startswith("lost: ")) > 20, output


def test_the_ledger_wants_each_message_as_often_as_the_calls_said() -> None:
    ledger = Ledger()
    ledger.add("appended", 1, 1)
    ledger.add("not sure", 0, 1)
    ledger.add("copied", 1, 1)
    ledger.add("copied", 1, 1)
    assert ledger.faults(Counter({"appended": 1, "copied": 2})) == []
    assert ledger.faults(Counter({"appended": 1, "copied": 2, "not sure": 1})) == []
    assert ledger.faults(Counter({"appended": 2, "copied": 1, "not sure": 2, "unknown": 1})) == [
        "appended is there 2 times, not 1 to 1",
        "copied is there 1 times, not 2 to 2",
        "not sure is there 2 times, not 0 to 1",
        "unknown is there 1 times, not 0 to 0",
    ]
    assert ledger.tally() == {"sure": 2, "not sure": 1}


def test_each_byte_of_a_message_is_looked_at() -> None:
    data = message("soak-1-2@soak.example")
    assert token_of(data) == "soak-1-2@soak.example"
    for wrong in (data[:-1], data + b"\n", data.replace(b"soak\r", b"sock\r"), b""):
        with pytest.raises(Failure, match="other bytes"):
            token_of(wrong)


def test_a_seed_throws_the_same_faults() -> None:
    thrown = [[Fault.random(random.Random(f"seed/{number}")) for number in range(200)] for _ in range(2)]
    assert thrown[0] == thrown[1]
    assert {fault.kind for fault in thrown[0]} == set(KINDS)
    assert {fault.from_server for fault in thrown[0]} == {True, False}
