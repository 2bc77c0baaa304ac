"""What FETCH gives: the data of messages, and what of it could not be read."""

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

    ``errors`` is a list of
    `~imapclient.exceptions.FetchError`: what a server sent that could not be read. An item that is in it has the value
    None here, or holds what is sound in it; the other items and the other messages are what they should be.
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
        """For IPython: as a dict, on as many lines as it takes."""
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
    """Pairs of a message's id and its data, ``(3230, {b'SEQ': 84, b'FLAGS': (b'\\Seen',)})``, chunk by chunk.

    ``errors`` is a list of `~imapclient.exceptions.FetchError`: what could not be read so far, as in `FetchResult`. It
    grows with each chunk; clear it where there may be many. `close` ends it early, which may also be left out.
    """

    def __init__(self, chunks: Generator[FetchResult, None, None], check: Callable[[], object]) -> None:
        self.errors: list[FetchError] = []
        self._chunks = chunks
        # Raises where the ids no longer mean the messages that were meant.
        self._check = check
        # What is fetched and not handed out yet, the next one last.
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
        """Forget what was fetched and not handed out. Nothing more comes then."""
        self._ready.clear()
        self._chunks.close()


FetchIterator.__module__ = "imapclient.response_types"


class ItemResult(dict[int, _Value]):
    """One item of each message: ``{12: (b'\\Seen', b'Work'), 13: ()}``.

    ``errors`` is a list of `~imapclient.exceptions.FetchError`; a message whose item is in it is left out.
    """

    def __init__(self, values: Mapping[int, _Value] | Iterable[tuple[int, _Value]] = ()) -> None:
        super().__init__(values)
        self.errors: list[FetchError] = []

    @classmethod
    def of(cls, item: bytes, fetched: FetchResult) -> ItemResult[Any]:
        """That item of all messages that have it."""
        errors = [error for error in fetched.errors if error.item in (item, None)]
        unread = {error.message for error in errors if error.item is not None}
        pairs = ((number, items[item]) for number, items in fetched.items() if item in items)
        result = cls(pair for pair in pairs if pair[0] not in unread)
        result.errors = errors
        return result


ItemResult.__module__ = "imapclient.response_types"
