"""All harnesses by name."""

from __future__ import annotations

from tests.fuzz.fast_paths import FAST_PATHS
from tests.fuzz.harnesses import HARNESSES, Harness

ALL: dict[str, Harness] = {**HARNESSES, **FAST_PATHS}
