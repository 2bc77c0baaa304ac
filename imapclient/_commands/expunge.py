"""Expunging messages."""

from __future__ import annotations

from .._connection.queues import AwaitedQueue
from ..sequence_set import MessageIds, SequenceSet
from .base.command_base import CommandBase
from .base.state import UntaggedItem


class ExpungeMixin(CommandBase):
    """EXPUNGE (RFC 9051, 6.4.3) and UID EXPUNGE (RFC 4315).

    A long set of ids takes several commands. If one of them fails, the exception's attribute ``done`` is a sequence set
    of the ids whose messages are done, such as ``'1:500,502'``.
    """

    def expunge(self, messages: MessageIds | None = None) -> tuple[bytes, list[UntaggedItem]]:
        """Remove the messages that are marked as deleted (RFC 9051, 6.4.3).

        With ``messages`` (UIDs) it removes only those among them, see `uid_expunge`. An empty set removes nothing.

        Returns the server's text and the responses that it sent before, with the sequence numbers that were removed:
        ``(b'Expunge completed.', [(2, b'EXPUNGE'), (0, b'RECENT')])``.

        Raises ValueError for ``messages`` if ``use_uid`` is off, because the server takes no sequence numbers there.
        """
        if messages is not None:
            if not self.use_uid:
                raise ValueError("cannot EXPUNGE by ID when not using uids")
            return self.uid_expunge(messages)
        collected = AwaitedQueue()
        with self._delivered_on_failure(collected):
            reply = self._execute(b"EXPUNGE", handlers={b"*": collected.append})
        return reply.text, self._untagged_items(collected)

    def uid_expunge(self, messages: MessageIds) -> tuple[bytes, list[UntaggedItem]]:
        """Remove those of the messages that are marked as deleted, and no others (RFC 4315). Needs UIDPLUS.

        ``messages`` are UIDs, whatever ``use_uid`` is. The result is that of `expunge`.

        Raises CapabilityError without UIDPLUS. Nothing is sent then.
        """
        wanted = SequenceSet(messages)
        if not wanted:
            return b"", []
        self._require("UIDPLUS")
        collected = AwaitedQueue()
        with self._delivered_on_failure(collected):
            replies = self._for_messages(b"EXPUNGE", wanted, handlers={b"*": collected.append}, uid=True)
        return replies[-1].text, self._untagged_items(collected)
