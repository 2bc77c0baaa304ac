"""Every harness for a moment, without a fuzzer: on its seeds, and on the same few changes of them in each run."""

from __future__ import annotations

import pytest

from tests.fuzz.seeds import mutated
from tests.fuzz.table import ALONE

_MUTATIONS = 150


@pytest.mark.parametrize("name", ALONE)
def test_seeds(name: str) -> None:
    harness = ALONE[name]
    assert harness.seeds
    # Of the long inputs some are enough here.
    for seed in harness.seeds[:: 10 if name == "slowness" else 1]:
        harness.run(seed)


@pytest.mark.parametrize("name", [name for name in ALONE if name != "slowness"])
def test_mutated_seeds(name: str) -> None:
    harness = ALONE[name]
    for data in mutated(harness.seeds, _MUTATIONS, number=1):
        harness.run(data)
