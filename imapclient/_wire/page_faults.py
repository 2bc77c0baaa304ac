"""How fast the system gives memory to this process: with large texts, that is half of the time.

A page, mostly of 4 KiB, is given when it is first written to, which interrupts the program each time. Both functions
are hints: where the system does not know them, nothing happens.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Callable

# From Linux 5.14 on (madvise(2)).
_MADV_POPULATE_WRITE = 23


@functools.cache
def keep_freed(size: int) -> None:
    """Have up to ``size`` bytes of freed memory kept, so that they are not given back and taken anew again and again.

    glibc keeps twice as much as the largest block that was freed (mallopt(3), M_MMAP_THRESHOLD), so one is. It is of
    zeros, which are not touched: this takes some microseconds, and no memory.
    """
    with contextlib.suppress(MemoryError):
        bytes(size // 2)


def prepare(memory: memoryview) -> None:
    """Have memory that is going to be written to given in one go. What is in it stays as it is."""
    madvise = _madvise()
    if madvise is not None:
        import ctypes
        import mmap

        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        first = start // mmap.PAGESIZE * mmap.PAGESIZE
        madvise(first, start + len(memory) - first, _MADV_POPULATE_WRITE)


@functools.cache
def _madvise() -> Callable[[int, int, int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        # Here, since only those who receive very large texts need it.
        import ctypes

        function = ctypes.CDLL(None).madvise
    except Exception:
        # Without ctypes, without the function, or where a hardened system lets nobody use them: in many ways.
        return None
    function.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    found: Callable[[int, int, int], int] = function
    return found
