"""The ``with`` block of the helpers: one pair of ``__enter__`` and ``__exit__`` for all."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

_Self = TypeVar("_Self", bound="Closing")


class Closing:
    """A context manager: `start` begins its ``with`` block, and `close` ends it."""

    def start(self) -> None:
        """Start what the constructor has not started."""

    def close(self) -> None:
        """End everything that runs, and close everything that is open."""
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
