"""Expunging messages."""

from __future__ import annotations

from .._connection.queues import AwaitedQueue
from ..sequence_set import MessageIds, SequenceSet
from .base.command_base import CommandBase
from .base.state import UntaggedItem


class ExpungeMixin(CommandBase):
    """EXPUNGE (RFC 9051, 6.4.3) and UID EXPUNGE (RFC 4315, 2.1; RFC 9051, 6.4.9)."""

    def expunge(self, messages: MessageIds | None = None) -> tuple[bytes, list[UntaggedItem]]:
        """Remove the messages that are marked as deleted (RFC 9051, 6.4.3).

        With ``messages``, a set of UIDs, it is the same as `uid_expunge`: other messages are not removed. An empty set
        removes nothing.

        Returns the server's text and the responses before it. They contain the sequence numbers of the removed
        messages: ``(b'Expunge completed.', [(2, b'EXPUNGE'), (0, b'RECENT')])``.

        Raises ValueError if ``messages`` is given and ``use_uid`` is off, because UID EXPUNGE accepts no sequence
        numbers. Raises CommandError if the server refuses, for example because the folder is selected read-only. The
        connection is usable after both.
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
        """Remove those of the messages that are marked as deleted, and no others (RFC 4315, 2.1). Needs UIDPLUS.

        ``messages`` are UIDs, even if ``use_uid`` is off. Returns what `expunge` returns; for an empty set it is
        ``(b'', [])``.

        Raises CapabilityError without UIDPLUS; nothing is sent then. Raises CommandError if the server refuses. The
        connection is usable after both. A long set takes several commands. If one of them fails, the attribute ``done``
        of the exception is a sequence set of the UIDs before it, such as ``'1:500,502'``.
        """
        wanted = SequenceSet(messages)
        if not wanted:
            return b"", []
        self._require("UIDPLUS")
        collected = AwaitedQueue()
        with self._delivered_on_failure(collected):
            replies = self._for_messages(b"EXPUNGE", wanted, handlers={b"*": collected.append}, uid=True)
        return replies[-1].text, self._untagged_items(collected)
