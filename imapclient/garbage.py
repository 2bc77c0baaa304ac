"""Python's garbage collector, while very many objects are made that all stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# How many new objects there are when the collector looks at them, instead of 700 (Python 3.12 and older) or 2,000.
_NEW_OBJECTS = 5000


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the collector run less often. It looks at each object several times while others are made, for nothing here.

    The setting is the process's: what is more generous already, or off, stays so, and what somebody else has set
    meanwhile is not put back.
    """
    before = gc.get_threshold()
    if not 0 < before[0] < _NEW_OBJECTS:
        yield
        return
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        if gc.get_threshold()[0] == _NEW_OBJECTS:
            gc.set_threshold(*before)
