"""Collects the FETCH responses to a command, under the ids of the messages that were asked for. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from ...exceptions import ProtocolError
from ...sequence_set import STAR, SequenceSet
from ..fast import batch_reader
from ..responses import Handlers, ReadOptions, Untagged
from .parser import parse_fetch
from .results import FetchItems, FetchResult
from .sections import AskedSections


class FetchCollector:
    """Collects the responses about the messages of ``wanted``. Other responses are not for this command.

    ``wanted`` are UIDs with ``use_uid``, otherwise sequence numbers. ``asked`` are the items of the command:
    ``b'(FLAGS BODY[])'``. With ``strict`` a response that can't be parsed raises; otherwise the result has its errors.
    """

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
        # The range that contained the last message's id. It mostly contains the next id too.
        self._low, self._high = (1, 0) if wanted.is_bounded else (0, STAR)
        self._use_uid = use_uid
        self._options = options
        self._strict = strict
        self._messages = FetchResult()
        self._batches = batch_reader.BatchReader(use_uid, options)
        # Sequence number -> UID, from this command's responses. The UIDs of batches are added when a UID is looked up.
        self._uids: dict[int, int] = {}
        self._uids_of_batches: list[tuple[Sequence[int], Sequence[int]]] = []

    @property
    def handlers(self) -> Handlers:
        """The handlers for a command, new ones each time: see `Collector.handlers`."""
        handlers = {b"FETCH": self._take, b"EXPUNGE": self._forget_uids, b"VANISHED": self._forget_uids}
        return Handlers(handlers, bulk=self.consume if batch_reader.enabled else None)

    def _take(self, response: Untagged) -> bool | None:
        if response.number is None:
            return False
        try:
            items = parse_fetch(response, self._options)
        except ProtocolError as error:
            return self._take_leniently(response, error)
        message = self._message(items)
        if message is None:
            return False
        self._file(message, items)
        return None

    def consume(self, buffer: bytes, position: int) -> tuple[int, int]:
        """Consume as many responses as can be read at once: a `BulkReader`."""
        batch = self._batches.read(buffer, position)
        if batch is None:
            return position, 0
        if not (all(map(self._is_wanted, batch.ids)) and self._sections.has_all(batch.items)):
            self._batches.give_up(len(batch.ids))
            return position, 0
        if self._use_uid:
            self._uids_of_batches.append((batch.numbers, batch.ids))
        if len(set(batch.ids)) == len(batch.ids) and self._messages.keys().isdisjoint(batch.ids):
            self._messages.update(zip(batch.ids, batch.items))
        else:
            for message, items in zip(batch.ids, batch.items):
                self._file(message, items)
        return batch.end, len(batch.ids)

    def _take_leniently(self, response: Untagged, error: ProtocolError) -> bool | None:
        """Collect the sound items of a response that can't be parsed as a whole, and the errors about the others."""
        # Imported here, because few responses need it.
        from .lenient import read_leniently

        items, errors = read_leniently(response, self._options)
        names_a_message = not self._use_uid or items.get(b"UID") is not None
        message = self._message(items)
        if message is None and (names_a_message or not errors):
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
        """The id of the message. None if the message was not asked for, or if its id is not known."""
        number: int = items[b"SEQ"]
        if not self._use_uid:
            return number if self._is_wanted(number) else None
        for numbers, ids in self._uids_of_batches:
            self._uids.update(zip(numbers, ids))
        self._uids_of_batches.clear()
        uid: int | None = items.pop(b"UID", None)
        if uid is None:
            # Only an earlier response to this command can show the message's UID.
            return self._uids.get(number)
        if not self._is_wanted(uid):
            self._uids.pop(number, None)
            return None
        self._uids[number] = uid
        return uid

    def _file(self, message: int, items: FetchItems) -> None:
        for name in self._sections.not_asked(items.keys()):
            del items[name]
        known = self._messages.get(message)
        if known is None:
            self._messages[message] = items
        else:
            known.update(items)

    def _is_wanted(self, message: int) -> bool:
        if self._low <= message <= self._high:
            return True
        found = self._wanted.range_of(message)
        if found is not None:
            self._low, self._high = found
        return found is not None

    def _forget_uids(self, response: Untagged) -> bool:
        """Forget all UIDs: after an EXPUNGE, sequence numbers mean other messages.

        The EXPUNGE is not for this command.
        """
        self._uids_of_batches.clear()
        self._uids.clear()
        return False

    def result(self) -> FetchResult:
        """The messages, in the order in which they were asked for."""
        messages = self._messages
        order = self._wanted.in_order(messages.keys())
        if order != list(messages):
            ordered = FetchResult((message, messages[message]) for message in order)
            ordered.errors = messages.errors
            return ordered
        return messages
