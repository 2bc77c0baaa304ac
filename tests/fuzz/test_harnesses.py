"""Each harness without a fuzzer: on its seeds, and on a few changed seeds, which are the same in each run."""

from __future__ import annotations

import pytest

from tests.fuzz.harnesses import slowness
from tests.fuzz.seeds import mutated
from tests.fuzz.table import ALONE

pytestmark = pytest.mark.once

_MUTATIONS = 100


_EACH_FOR_ITSELF = [name for name in ALONE if name != "slowness"]


@pytest.mark.parametrize("name", _EACH_FOR_ITSELF)
def test_seeds(name: str) -> None:
    harness = ALONE[name]
    assert harness.seeds
    for seed in harness.seeds:
        harness.run(seed)


def test_long_inputs() -> None:
    for seed in ALONE["slowness"].seeds[::30]:
        slowness(seed, length=20_000)


@pytest.mark.parametrize("name", _EACH_FOR_ITSELF)
def test_mutated_seeds(name: str) -> None:
    harness = ALONE[name]
    for data in mutated(harness.seeds, _MUTATIONS, number=1):
        harness.run(data)
