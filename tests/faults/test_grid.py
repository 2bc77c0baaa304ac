"""A fixed sample of the grid of faults. ``tox -e faults`` runs the whole grid."""

from __future__ import annotations

import pytest

from tests.faults import grid
from tests.faults.grid import Attempt, Place
from tests.faults.session import DovecotSite, EmbeddedSite, ScriptedSite, Site, embedded_is_there
from tests.helpers.dovecot import Dovecot

#: One place in so many: some hundred in all, a minute of one processor.
OFTEN, SELDOM = 130, 700
EVERY = {kind: OFTEN if kind in ("cut", "stall") else SELDOM for kind in grid.KINDS}


def assert_as_promised(site: Site) -> None:
    outcome = grid.run([site], EVERY, seed=5)
    assert sum(outcome.kinds.values()) > 30
    assert outcome.complaints == []


def test_scripted() -> None:
    assert_as_promised(ScriptedSite())


@pytest.mark.skipif(not embedded_is_there(), reason="EmbeddedServer needs Python 3.11, pymap and trustme")
def test_embedded() -> None:
    assert_as_promised(EmbeddedSite())


def test_dovecot(dovecot: Dovecot) -> None:
    assert_as_promised(DovecotSite(dovecot))


def test_dovecot_over_tls(dovecot: Dovecot) -> None:
    assert_as_promised(DovecotSite(dovecot, tls=True))


def test_the_grid_sees_what_is_wrong() -> None:
    """Wrong values are found: an attempt compares what the calls return with a session without faults."""
    site = ScriptedSite()
    recording = grid.record(site)
    other = {**recording.truth, "search": [1, 2]}
    (complaint,) = Attempt(site, Place("scripted", "delay", True, 5), other).run().complaints
    assert "search returned [1, 2, 3]" in complaint
    harmless = Attempt(site, Place("scripted", "cut", True, 500), recording.truth)
    assert harmless.run().complaints == []
    assert harmless.failed == "fetch"
