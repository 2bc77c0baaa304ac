"""What is streamed takes the same memory however much it is, and what is returned hardly more than its values."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.memory import CASES, main, measure
from tests.helpers.memory import is_measurable, size_of

pytestmark = pytest.mark.skipif(not is_measurable(), reason="this system does not tell the peak of a process's memory")


@pytest.mark.parametrize("name", CASES)
def test_growth(name: str) -> None:
    case = CASES[name]
    found = measure(case, case.small)
    assert found.peak <= case.most(found)
    # What is returned is there at the end: a measurement that says otherwise has measured something else.
    assert found.values > 0 or not case.factor
    assert found.peak > found.values * 0.9


def test_a_case_that_takes_more_than_it_may(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["search"]._replace(what="{amount} ids", full=2_000, body="result = [b'x' * 4_000_000, AMOUNT]")
    monkeypatch.setitem(CASES, "search", case)
    assert main(["--case", "search"]) == 0
    monkeypatch.setitem(CASES, "search", case._replace(factor=0.5))
    assert main(["--case", "search", "--scale", "0.5", "--json"]) == 1
    table, _, data = capsys.readouterr().out.partition("{")
    assert "2,000 ids" in table
    assert json.loads("{" + data)["search"]["amount"] == 1_000


def test_the_size_of_a_value() -> None:
    shared = b"x" * 1000
    alone = size_of(shared)
    assert 1000 < alone < 1100
    assert alone < size_of([shared, shared]) < alone + 200
    assert size_of({1: {b"A": b"x" * 1001}, 2: (b"y" * 1002,)}) > 2 * alone
