"""Items of messages: FETCH and STORE. The server answers both with FETCH responses."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable

from ..._arguments.command import Argument
from ..._parsing.fetch.results import FetchResult, ItemResult
from ...exceptions import IMAPClientError, note_done
from ...sequence_set import MessageIds, SequenceSet
from .running import CommandRunner

if TYPE_CHECKING:
    from ..._parsing.fetch.collector import FetchCollector


class MessageItems(CommandRunner):
    """Fetches and stores items of messages."""

    def _fetch(
        self,
        command: bytes,
        wanted: SequenceSet,
        arguments: Sequence[Argument],
        *,
        uid: bool | None = None,
        strict: bool | None = None,
    ) -> FetchResult:
        """Send a command that is answered by FETCH responses. Returns the items of the requested messages."""
        # Imported here, because not every program needs it.
        from ..._parsing.fetch.collector import FetchCollector

        uid = self.use_uid if uid is None else uid
        strict = self.strict if strict is None else strict
        asked = arguments[0] if isinstance(arguments[0], bytes) else b""
        collector = FetchCollector(wanted, self._read_options, use_uid=uid, strict=strict, asked=asked)
        parts = wanted.split()
        with self._collecting():
            if command == b"FETCH" and len(parts) > 1:
                self._fetch_parts(parts, arguments, collector, uid)
            else:
                self._for_messages(command, wanted, arguments, collector.handlers, uid=uid)
        return self._collected(collector)

    def _fetch_ahead(self, message: int, items: bytes) -> Callable[[], FetchResult]:
        """Send UID FETCH for one message. Returns the function that reads the answer, and returns what `_fetch` does.

        Other commands may run before it is called. It need not be called.
        """
        from ..._connection.exchange import Command
        from ..._parsing.fetch.collector import FetchCollector

        wanted = SequenceSet(message)
        collector = FetchCollector(wanted, self._read_options, use_uid=True, strict=False, asked=items)
        command = Command(b"UID FETCH", [bytes(wanted), items], collector.handlers)
        imap = self._imap
        imap.start(command, ahead=True)

        def finish() -> FetchResult:
            try:
                imap.finish(command)
            finally:
                self._deliver_unsolicited()
            return self._collected(collector)

        return finish

    def _collected(self, collector: FetchCollector) -> FetchResult:
        result = collector.result()
        for error in result.errors:
            self._imap.secrets.hide(error)
        return result

    def _collecting(self) -> contextlib.AbstractContextManager[None]:
        """A context manager that sets the garbage collector's thresholds for a fetch, if `gc_tuning` is on."""
        if not self.gc_tuning:
            return contextlib.nullcontext()
        # Imported here, because few programs need it.
        from .gc_tuning import fewer_collections

        return fewer_collections()

    def _fetch_parts(
        self, parts: Sequence[bytes], arguments: Sequence[Argument], collector: FetchCollector, uid: bool
    ) -> None:
        """Send FETCH in several parts, without waiting for the answer to each part.

        This is safe for sequence numbers too: no server sends EXPUNGE while FETCH runs (RFC 9051, 5.5 and 7.5.1).
        """
        from ..._connection.exchange import Command

        verb = self._verb(b"FETCH", uid)
        commands = [Command(verb, [part, *arguments], collector.handlers) for part in parts]
        try:
            self._execute_all(commands)
        except IMAPClientError as error:
            done = [part for part, command in zip(parts, commands) if command.reply and command.reply.status == "OK"]
            note_done(error, b",".join(done).decode("ascii"))
            raise

    def _fetch_item(self, item: bytes, messages: MessageIds) -> ItemResult[Any]:
        """One item of each message, such as its flags or labels."""
        wanted = SequenceSet(() if messages is None else messages)
        if not wanted:
            return ItemResult()
        return ItemResult.of(item, self._fetch(b"FETCH", wanted, [b"(%s)" % item]))

    def _store(
        self, change: bytes, item: bytes, messages: MessageIds, values: tuple[Argument, ...], silent: bool
    ) -> ItemResult[Any] | None:
        """Change an item of messages, and return its new values. Returns None with ``silent``.

        ``change`` is ``+`` to add values, ``-`` to remove them, or empty to replace all.
        """
        wanted = SequenceSet(() if messages is None else messages)
        if not wanted:
            return ItemResult()
        if silent:
            self._for_messages(b"STORE", wanted, [change + item + b".SILENT", values])
            return None
        return ItemResult.of(item, self._fetch(b"STORE", wanted, [change + item, values]))
