"""The results of FETCH: the items of messages, and the errors about items that can't be parsed. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Callable, TypeVar

from ...exceptions import FetchError

FetchItems = dict[bytes, Any]
"""``{b'SEQ': 84, b'FLAGS': (b'\\Seen',)}``: the items of one message."""

_Value = TypeVar("_Value")


class FetchResult(defaultdict[int, FetchItems]):
    """Message id -> item -> value: ``{3230: {b'SEQ': 84, b'FLAGS': (b'\\Seen',)}}``.

    ``errors`` is a list of `~imapclient.exceptions.FetchError`, one for each item that can't be parsed. Such an item is
    None here, or has only its sound parts. The other items and the other messages are complete.
    """

    def __init__(
        self,
        values: Mapping[int, FetchItems] | Iterable[tuple[int, FetchItems]] = (),
        *,
        default_factory: Callable[[], FetchItems] | None = None,
    ) -> None:
        super().__init__(default_factory, values)
        self.errors: list[FetchError] = []

    def __repr__(self) -> str:
        return dict.__repr__(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For IPython: prints as a dict does, on several lines if needed."""
        printer.pretty(dict(self))

    def __copy__(self) -> FetchResult:
        copied = FetchResult(self, default_factory=self.default_factory)
        copied.errors = self.errors[:]
        return copied

    copy = __copy__

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"errors": self.errors, "default_factory": self.default_factory}
        return FetchResult, (), state, None, iter(self.items())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.errors = state["errors"]
        self.default_factory = state["default_factory"]


FetchResult.__module__ = "imapclient.response_types"


class FetchIterator(Iterator[tuple[int, FetchItems]]):
    """Iterates over pairs of a message's id and its items: ``(3230, {b'SEQ': 84, b'FLAGS': (b'\\Seen',)})``.

    Messages are fetched in chunks. ``errors`` is a list of `~imapclient.exceptions.FetchError`, as in `FetchResult`. It
    grows with each chunk; clear it if there may be many errors. Call `close` to stop early; this is optional.
    """

    def __init__(self, chunks: Generator[FetchResult, None, None], check: Callable[[], object]) -> None:
        self.errors: list[FetchError] = []
        self._chunks = chunks
        # Raises IllegalStateError if the ids no longer mean the messages that were asked for.
        self._check = check
        # Messages that are fetched but not returned yet; the next one is last.
        self._ready: list[tuple[int, FetchItems]] = []

    def __iter__(self) -> FetchIterator:
        return self

    def __next__(self) -> tuple[int, FetchItems]:
        while not self._ready:
            chunk = next(self._chunks)
            self.errors += chunk.errors
            self._ready = list(chunk.items())
            self._ready.reverse()
        try:
            self._check()
        except BaseException:
            self.close()
            raise
        return self._ready.pop()

    def close(self) -> None:
        """Stop: drop the messages that are fetched but not returned yet, and fetch no more."""
        self._ready.clear()
        self._chunks.close()


FetchIterator.__module__ = "imapclient.response_types"


class ItemResult(dict[int, _Value]):
    """One item of each message: ``{12: (b'\\Seen', b'Work'), 13: ()}``.

    ``errors`` is a list of `~imapclient.exceptions.FetchError`. Messages whose item can't be parsed are omitted.
    """

    def __init__(self, values: Mapping[int, _Value] | Iterable[tuple[int, _Value]] = ()) -> None:
        super().__init__(values)
        self.errors: list[FetchError] = []

    @classmethod
    def of(cls, item: bytes, fetched: FetchResult) -> ItemResult[Any]:
        """The item of all messages that have it."""
        errors = [error for error in fetched.errors if error.item in (item, None)]
        unread = {error.message for error in errors if error.item is not None}
        pairs = ((number, items[item]) for number, items in fetched.items() if item in items)
        result = cls(pair for pair in pairs if pair[0] not in unread)
        result.errors = errors
        return result


ItemResult.__module__ = "imapclient.response_types"
