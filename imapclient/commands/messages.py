"""Messages: appending, copying, moving, expunging."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from ..arguments import Argument, Literal, MessageIds, SequenceSet, Text, date_time, to_wire
from ..arguments import flags as flag_list
from .base import Collector, CommandBase, UntaggedItem


class MessagesMixin(CommandBase):
    """APPEND, COPY, MOVE, EXPUNGE (RFC 9051, 6.3.12, 6.4 and RFC 6851, RFC 4315).

    Where a call needs several commands for a long set of ids and a later one fails, the exception's attribute ``done``
    is a sequence set of those that are done.
    """

    def append(
        self,
        folder: Text,
        msg: Text,
        flags: Text | Iterable[Text] = (),
        msg_time: datetime.datetime | None = None,
    ) -> bytes:
        """Add a message to a folder, byte for byte (a str as UTF-8) (RFC 9051, 6.3.12).

        ``msg_time`` becomes its INTERNALDATE; naive is local time, None leaves it to the server. Returns the server's
        text: ``b'[APPENDUID 1795294595 2] Append completed'``. Raises CommandError where the folder is not there.
        """
        arguments: list[Argument] = [self._folder(folder)]
        marks = flag_list(flags)
        if marks:
            arguments.append(marks)
        if msg_time is not None:
            arguments.append(date_time(msg_time))
        data = to_wire(msg)
        arguments.append(Literal(data, binary=b"\0" in data and self.has_capability("BINARY")))
        return self._execute(b"APPEND", arguments).text

    def copy(self, messages: MessageIds, folder: Text) -> bytes:
        """Copy messages to another folder (RFC 9051, 6.4.7).

        Returns the server's text, ``b'[COPYUID 1795294595 1:2 5:6] Copy completed'``; ``b''`` where there was nothing
        to copy. A long set goes in several commands: the last one's text comes back.
        """
        return self._to_folder(b"COPY", messages, folder)

    def move(self, messages: MessageIds, folder: Text) -> bytes:
        """Move messages to another folder (RFC 6851). Needs MOVE. Returns as `copy` does."""
        return self._to_folder(b"MOVE", messages, folder, needs="MOVE")

    def _to_folder(self, command: bytes, messages: MessageIds, folder: Text, needs: str | None = None) -> bytes:
        wanted, name = SequenceSet(messages), self._folder(folder)
        if not wanted:
            return b""
        if needs is not None:
            self._require(needs)
        replies = self._for_messages(command, wanted, [name], renumbers=True)
        return replies[-1].text

    def expunge(self, messages: MessageIds | None = None) -> tuple[bytes, list[UntaggedItem]]:
        """Remove the messages that are marked as deleted (RFC 9051, 6.4.3).

        With ``messages`` (UIDs), only those of them: see `uid_expunge`. An empty set of them removes nothing. With
        ``use_uid`` off that raises ValueError, since the server takes no sequence numbers there.
        Returns the server's text and the sequence numbers removed: ``(b'Expunge completed.', [(2, b'EXPUNGE')])``.
        """
        if messages is not None:
            if not self.use_uid:
                raise ValueError("cannot EXPUNGE by ID when not using uids")
            return self.uid_expunge(messages)
        heard = Collector(b"EXPUNGE", b"VANISHED")
        reply = self._execute(b"EXPUNGE", handlers=heard.handlers)
        return reply.text, self._untagged_items(heard.responses)

    def uid_expunge(self, messages: MessageIds) -> tuple[bytes, list[UntaggedItem]]:
        """Remove those of the messages that are marked as deleted, and no others (RFC 4315). Needs UIDPLUS.

        ``messages`` are UIDs whatever ``use_uid`` says. Returns as `expunge` does.
        """
        wanted = SequenceSet(messages)
        if not wanted:
            return b"", []
        self._require("UIDPLUS")
        heard = Collector(b"EXPUNGE", b"VANISHED")
        replies = self._for_messages(b"EXPUNGE", wanted, handlers=heard.handlers, uid=True)
        return replies[-1].text, self._untagged_items(heard.responses)
