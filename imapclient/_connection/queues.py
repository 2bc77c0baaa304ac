"""Queues of untagged responses. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .._parsing.records import MAX_ANSWER_BYTES
from .._parsing.responses import Untagged
from .._wire import waiting
from ..exceptions import LimitError


class UnsolicitedQueue:
    """Untagged responses that no command asked for, oldest first.

    If there are too many, or they have too many bytes, the oldest ones are dropped and counted in ``dropped``. Threads
    may add and take responses at the same time.
    """

    def __init__(self, max_responses: int = 4000, max_bytes: int = 4 * 1024 * 1024) -> None:
        self.dropped = 0
        self._responses: deque[Untagged] = deque()
        self._size = 0
        self._lock = waiting.lock()
        self._max_responses = max_responses
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._responses)

    def __iter__(self) -> Iterator[Untagged]:
        with self._lock:
            return iter(list(self._responses))

    def append(self, response: Untagged) -> None:
        """Add a response, and drop the oldest ones if there is no room for it.

        One that is too large is dropped itself.
        """
        size = response.size
        with self._lock:
            if size > self._max_bytes:
                self.dropped += 1
                return
            self._responses.append(response)
            self._size += size
            while len(self._responses) > self._max_responses or self._size > self._max_bytes:
                self._size -= self._responses.popleft().size
                self.dropped += 1

    def popleft(self) -> Untagged:
        """Remove and return the oldest response. Raises IndexError if the queue is empty."""
        with self._lock:
            response = self._responses.popleft()
            self._size -= response.size
        return response

    def shorten(self, length: int) -> None:
        """Keep the oldest ``length`` responses only."""
        with self._lock:
            while len(self._responses) > length:
                self._size -= self._responses.pop().size

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another response."""
        return len(self._responses) >= self._max_responses or self._size >= self._max_bytes

    def take(self) -> list[Untagged]:
        """Remove and return all responses, oldest first."""
        with self._lock:
            taken = list(self._responses)
            self._responses.clear()
            self._size = 0
        return taken

    def clear(self) -> None:
        """Remove all responses."""
        self.take()


class AwaitedQueue(UnsolicitedQueue):
    """Untagged responses that a caller waits for.

    If there are too many, LimitError is raised, and no response is dropped.

    ``is_full`` is true much earlier, so that the caller takes them in parts.
    """

    MAX_RESPONSES = 1_000_000
    MAX_BYTES = MAX_ANSWER_BYTES

    def append(self, response: Untagged) -> None:
        """Add a response. Raises LimitError if there is no room for it."""
        size = response.size
        with self._lock:
            if len(self._responses) >= self.MAX_RESPONSES:
                raise LimitError(
                    "AwaitedQueue.MAX_RESPONSES", self.MAX_RESPONSES, "the number of responses to one call"
                )
            if self._responses and self._size + size > self.MAX_BYTES:
                raise LimitError("AwaitedQueue.MAX_BYTES", self.MAX_BYTES, "the size of the responses to one call")
            self._responses.append(response)
            self._size += size
