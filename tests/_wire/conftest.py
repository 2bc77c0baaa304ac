"""Fixtures for the tests of sockets."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def few_objects() -> Iterator[None]:
    """Hide all present objects from the garbage collector, which makes `sockets_left` fast."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
