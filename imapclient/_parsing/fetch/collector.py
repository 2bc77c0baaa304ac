"""The FETCH responses that answer a command, filed under the messages that were asked for. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from ...exceptions import ProtocolError
from ...sequence_set import STAR, SequenceSet
from ..fast import batch_reader
from ..responses import Handlers, ReadOptions, Untagged
from .lenient import read_leniently
from .parser import parse_fetch
from .results import FetchItems, FetchResult
from .sections import AskedSections


class FetchCollector:
    """Files FETCH responses under the ids that were asked for, and leaves all others alone."""

    def __init__(
        self,
        wanted: SequenceSet,
        options: ReadOptions,
        *,
        use_uid: bool,
        strict: bool,
        asked: bytes = b"",
    ) -> None:
        self._wanted = wanted
        self._sections = AskedSections(asked)
        # Where the last message was found: they mostly come in order.
        self._low, self._high = (1, 0) if wanted.is_bounded else (0, STAR)
        self._use_uid = use_uid
        self._options = options
        self._strict = strict
        self._messages = FetchResult()
        self._batches = batch_reader.BatchReader(use_uid, options)
        # Sequence number -> UID, as learnt in this command; and what is to be added to it, which is seldom needed.
        self._uids: dict[int, int] = {}
        self._learnt: list[tuple[Sequence[int], Sequence[int]]] = []

    @property
    def handlers(self) -> Handlers:
        """See `Collector.handlers`."""
        handlers = {b"FETCH": self._take, b"EXPUNGE": self._renumber, b"VANISHED": self._renumber}
        return Handlers(handlers, bulk=self.consume if batch_reader.enabled else None)

    def _take(self, response: Untagged) -> bool | None:
        if response.number is None:
            return False
        try:
            items = parse_fetch(response, self._options)
        except ProtocolError as error:
            return self._take_what_is_sound(response, error)
        message = self._message(items)
        if message is None:
            return False
        self._file(message, items)
        return None

    def consume(self, buffer: bytes, position: int) -> tuple[int, int]:
        """Read responses from a buffer, as many as can be read at once. Returns where they end, and how many."""
        batch = self._batches.read(buffer, position)
        if batch is None:
            return position, 0
        if not (all(map(self._is_wanted, batch.ids)) and self._sections.has_all(batch.items)):
            self._batches.give_up(len(batch.ids))
            return position, 0
        if self._use_uid:
            self._learnt.append((batch.numbers, batch.ids))
        if len(set(batch.ids)) == len(batch.ids) and self._messages.keys().isdisjoint(batch.ids):
            self._messages.update(zip(batch.ids, batch.items))
        else:
            for number, items in zip(batch.ids, batch.items):
                self._file(number, items)
        return batch.end, len(batch.ids)

    def _take_what_is_sound(self, response: Untagged, error: ProtocolError) -> bool | None:
        items, errors = read_leniently(response, self._options)
        is_told = not self._use_uid or items.get(b"UID") is not None
        message = self._message(items)
        if message is None and (is_told or not errors):
            return False
        for found in errors:
            found.message = message
        if self._strict:
            raise errors[0] if errors else error
        self._messages.errors += errors
        if message is not None:
            self._file(message, items)
        return None

    def _message(self, items: FetchItems) -> int | None:
        """The id under which a response is filed; None where it is for somebody else, or doesn't tell."""
        number: int = items[b"SEQ"]
        if not self._use_uid:
            return number if self._is_wanted(number) else None
        for numbers, ids in self._learnt:
            self._uids.update(zip(numbers, ids))
        self._learnt.clear()
        uid: int | None = items.pop(b"UID", None)
        if uid is None:
            # Only what this command has told says which message this is: a sequence number is no UID.
            return self._uids.get(number)
        if not self._is_wanted(uid):
            self._uids.pop(number, None)
            return None
        self._uids[number] = uid
        return uid

    def _file(self, number: int, items: FetchItems) -> None:
        self._sections.keep_asked(items)
        known = self._messages.get(number)
        if known is None:
            self._messages[number] = items
        else:
            known.update(items)

    def _is_wanted(self, number: int) -> bool:
        if self._low <= number <= self._high:
            return True
        found = self._wanted.range_of(number)
        if found is not None:
            self._low, self._high = found
        return found is not None

    def _renumber(self, response: Untagged) -> bool:
        """After an EXPUNGE, sequence numbers mean other messages. The response itself is for somebody else."""
        self._learnt.clear()
        self._uids.clear()
        return False

    def result(self) -> FetchResult:
        messages = self._messages
        order = self._wanted.in_order(messages)
        if order != list(messages):
            ordered = FetchResult((number, messages[number]) for number in order)
            ordered.errors = messages.errors
            return ordered
        return messages
