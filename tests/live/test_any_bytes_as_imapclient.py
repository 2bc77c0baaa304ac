"""Changed responses in the parsers of IMAPClient 4.1.0 and in ours. If both accept one, the values are the same.

This is a live test, because IMAPClient comes from the package index. ``tox -e fuzz`` runs it for longer.
"""

from __future__ import annotations

import re

import pytest

from tests.benchmarks.processes import CHECKOUT
from tests.fuzz.against_imapclient import AGAINST_IMAPCLIENT, RULES
from tests.fuzz.seeds import mutated
from tests.helpers.zones import SystemZone

pytestmark = pytest.mark.live

_HARNESS = AGAINST_IMAPCLIENT["against_imapclient"]


@pytest.fixture(autouse=True)
def _without_summer_time(system_zone: SystemZone) -> None:
    """IMAPClient uses today's offset from UTC for all times."""
    system_zone("UTC0")


def test_cases() -> None:
    for seed in _HARNESS.seeds:
        _HARNESS.run(seed)


def test_changed_cases() -> None:
    for data in mutated(_HARNESS.seeds, 500, number=1):
        _HARNESS.run(data)


def test_declared_differences_are_documented() -> None:
    page = (CHECKOUT / "doc" / "src" / "differences.rst").read_text(encoding="utf-8")
    # A term of a definition list is a line of text before an indented line.
    assert set(RULES) - set(re.findall(r"^(\S.*)\n {3}\S", page, re.MULTILINE)) == set()
