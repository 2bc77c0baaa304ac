"""Sets the thresholds of Python's garbage collector for a fetch, which creates many objects and deletes few."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# The number of collections of new objects before older objects are examined. Python's default is 10.
_COLLECTIONS_OF_NEW = 1000


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the collector examine new objects as often as before, but older objects hardly ever.

    New objects are still in the processor's cache. Older objects are slow to read. While a fetch creates objects, the
    collector would examine the older ones again and again, and find nothing to delete.

    The thresholds apply to the whole process. Nothing changes if the collector is off, or if its thresholds are higher
    already. At the end the thresholds are set back, unless other code has changed them meanwhile.
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
