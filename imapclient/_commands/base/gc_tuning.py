"""The thresholds of Python's garbage collector while a fetch makes very many objects, all of which stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# Older objects are examined after so many collections of new objects, instead of 10.
_COLLECTIONS_OF_NEW = 1000


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the collector examine new objects only, as often as before. These are in the processor's cache.

    The collector would examine older objects again and again while more are made. Here that finds nothing, and their
    memory is slow to read. The thresholds are the process's. Thresholds that are more generous stay, and so does a
    collector that is off. Thresholds that somebody else sets meanwhile are not set back.
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
