"""Expunging messages."""

from __future__ import annotations

from .._connection.exchange import AwaitedQueue
from ..sequence_set import MessageIds, SequenceSet
from .base.running import CommandBase, UntaggedItem


class ExpungeMixin(CommandBase):
    """EXPUNGE (RFC 9051, 6.4.3; RFC 4315).

    A long set of ids takes several commands. If one of them fails, the exception's attribute ``done`` is a sequence set
    of the ids whose messages are done.
    """

    def expunge(self, messages: MessageIds | None = None) -> tuple[bytes, list[UntaggedItem]]:
        """Remove the messages that are marked as deleted (RFC 9051, 6.4.3).

        With ``messages`` (UIDs), only those of them: see `uid_expunge`. An empty set of them removes nothing. With
        ``use_uid`` off that raises ValueError, since the server takes no sequence numbers there.
        Returns the server's text and what it told before, the sequence numbers removed among it:
        ``(b'Expunge completed.', [(2, b'EXPUNGE'), (0, b'RECENT')])``.
        """
        if messages is not None:
            if not self.use_uid:
                raise ValueError("cannot EXPUNGE by ID when not using uids")
            return self.uid_expunge(messages)
        heard = AwaitedQueue()
        with self._delivered_on_failure(heard):
            reply = self._execute(b"EXPUNGE", handlers={b"*": heard.append})
        return reply.text, self._untagged_items(heard)

    def uid_expunge(self, messages: MessageIds) -> tuple[bytes, list[UntaggedItem]]:
        """Remove those of the messages that are marked as deleted, and no others (RFC 4315). Needs UIDPLUS.

        ``messages`` are UIDs whatever ``use_uid`` says. Returns as `expunge` does.
        Without UIDPLUS, CapabilityError is raised and nothing is sent.
        """
        wanted = SequenceSet(messages)
        if not wanted:
            return b"", []
        self._require("UIDPLUS")
        heard = AwaitedQueue()
        with self._delivered_on_failure(heard):
            replies = self._for_messages(b"EXPUNGE", wanted, handlers={b"*": heard.append}, uid=True)
        return replies[-1].text, self._untagged_items(heard)
