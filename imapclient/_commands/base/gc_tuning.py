"""Python's garbage collector, while very many objects are made that all stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# After how many collections of new objects those that have stayed are looked at again, instead of 10.
_COLLECTIONS_OF_NEW = 1000


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the collector look at new objects only, as often as before: these are in the processor's cache.

    What has stayed it would look at again and again while more is made, for nothing here, and that is slow memory. The
    setting is the process's: what is more generous already, or off, stays so, and what somebody else has set meanwhile
    is not put back.
    """
    before = gc.get_threshold()
    young, middle, old = before
    if young == 0 or middle >= _COLLECTIONS_OF_NEW:
        yield
        return
    during = young, _COLLECTIONS_OF_NEW, old
    gc.set_threshold(*during)
    try:
        yield
    finally:
        if gc.get_threshold() == during:
            gc.set_threshold(*before)
