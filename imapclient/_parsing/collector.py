"""The untagged responses to a command, collected until it is over. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from ..exceptions import LimitError
from .records import MAX_ANSWER_BYTES
from .responses import Handler, Untagged


class Collector:
    """Collects the untagged responses with the names that a command asks for: ``Collector(b'LIST')``."""

    def __init__(self, *names: bytes) -> None:
        self.names = names
        self.responses: list[Untagged] = []
        self._room = MAX_ANSWER_BYTES

    @property
    def handlers(self) -> dict[bytes, Handler]:
        """The handlers for a command.

        The dict is new each time. If a collector kept its own bound methods, only the garbage collector could free it.
        """
        return dict.fromkeys(self.names, self._keep)

    def _keep(self, response: Untagged) -> None:
        self._room -= response.size
        if self._room < 0:
            raise LimitError("MAX_ANSWER_BYTES", MAX_ANSWER_BYTES, "the answer to one command")
        self.responses.append(response)

    def answers_to(self, tags: Iterable[bytes]) -> tuple[list[Untagged], list[Untagged]]:
        """The answers to the searches with these tags, and those to other searches, which may still run (RFC 5267).

        A response without a tag counts as an answer to these searches.
        """
        # Imported here, because not every program needs it.
        from .search import correlator

        expected = {None, *(tag.upper() for tag in tags)}
        own: list[Untagged] = []
        others: list[Untagged] = []
        for response in self.responses:
            is_own = response.name != b"ESEARCH" or correlator(response) in expected
            (own if is_own else others).append(response)
        return own, others
