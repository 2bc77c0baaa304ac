"""All harnesses by name."""

from __future__ import annotations

from tests.fuzz.against_imapclient import AGAINST_IMAPCLIENT
from tests.fuzz.fast_paths import FAST_PATHS
from tests.fuzz.harnesses import HARNESSES, Harness
from tests.fuzz.session import SESSION

ALONE: dict[str, Harness] = {**HARNESSES, **FAST_PATHS, **SESSION}
"""The harnesses that need no other program."""

ALL: dict[str, Harness] = {**ALONE, **AGAINST_IMAPCLIENT}
