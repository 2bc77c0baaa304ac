"""Copying and moving messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._arguments.command import Argument
from ..exceptions import CapabilityError, IllegalStateError, IMAPClientError, ProtocolError, note_done
from ..sequence_set import STAR, MessageIds, SequenceSet, UidSet
from ..util import Text
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._parsing.uid_codes import CopyReply, UidCodes


class CopyMixin(CommandBase):
    """COPY (RFC 9051, 6.4.7) and MOVE (RFC 6851)."""

    def copy(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Copy messages to another folder (RFC 9051, 6.4.7).

        Returns the server's text, ``b'[COPYUID 1795294595 1:2 5:6] Copy completed'``. It is ``b''`` if ``messages`` is
        empty. If the server has UIDPLUS, the attributes ``source_uids``, ``uids`` and ``uidvalidity`` of the result are
        ``UidSet('1:2')``, ``UidSet('5:6')`` and 1795294595. Its method ``pairs()`` yields ``(1, 5)`` and ``(2, 6)``.

        A long set takes several commands. The result has the text of the last command, and the UIDs of all of them. If
        a command fails, the exception has two attributes. ``done`` is a sequence set of the ids that are copied.
        ``reply`` is the CopyReply about them.

        Raises ValueError if ``use_uid`` is off and the sequence numbers do not fit into one command; nothing is sent
        then. Raises CommandError if the server refuses, and TryCreateError if the folder does not exist. The connection
        is usable after all of these.
        """
        # Imported here, because not every program needs it.
        from .._parsing.uid_codes import CopyReply

        wanted, target = SequenceSet(messages), self._folder(folder)
        return self._to_folder(b"COPY", wanted, target) if wanted else CopyReply()

    def move(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Move messages to another folder (RFC 6851). Needs MOVE or UIDPLUS. Returns what `copy` returns.

        Without MOVE, the messages are copied, marked as deleted, and expunged by their UIDs. So no other message is
        removed. A long set is split into parts, and each part is moved before the next one is copied.

        No message is lost if a step fails. The exception then has these attributes:

        - ``done``: a sequence set of the messages that are moved. It contains UIDs or sequence numbers, like
          ``messages``. Sequence numbers are those from before the call.
        - ``copied``: a sequence set of the messages that are in both folders. They may be marked as deleted in the
          source.
        - ``reply``: the CopyReply about both.

        The attribute ``command`` of a CommandError is the step that failed, such as ``'UID STORE'``. If the connection
        is lost, it is unknown whether the server completed the last step.

        Raises CommandError if the server refuses, and TryCreateError if the folder does not exist. Raises ProtocolError
        if the server sends no UIDs for the steps without MOVE. Raises CapabilityError without MOVE and UIDPLUS: EXPUNGE
        would also remove other messages that are marked as deleted. Raises ValueError if ``use_uid`` is off and the
        sequence numbers do not fit into one MOVE. Without MOVE, raises IllegalStateError if the folder is selected
        read-only. Nothing is sent before the last three. The connection is usable after all of these.
        """
        from .._parsing.uid_codes import CopyReply

        wanted, target = SequenceSet(messages), self._folder(folder)
        if not wanted:
            return CopyReply()
        if self._can("MOVE"):
            return self._to_folder(b"MOVE", wanted, target)
        if not self._can("UIDPLUS"):
            raise CapabilityError("Server does not support MOVE capability, nor UIDPLUS to move without it")
        if self._imap.state == "SELECTED" and self._imap.is_readonly:
            raise IllegalStateError(
                "no message can be moved, because the folder is selected read-only: select it without readonly"
            )
        return self._copy_and_remove(wanted, target)

    def _to_folder(self, command: bytes, wanted: SequenceSet, target: Argument) -> CopyReply:
        from .._parsing.uid_codes import UidCodes

        parts = wanted.split()
        if len(parts) > 1 and not self.use_uid:
            # After the first part, sequence numbers may mean other messages: messages were moved or expunged.
            raise ValueError(f"too many messages for one {command.decode()} by sequence numbers: use UIDs")
        verb = self._verb(command)
        codes = UidCodes(b"COPYUID", asked=wanted, by_uid=self.use_uid)
        done: list[bytes] = []
        try:
            with self._exclusive():
                for part in parts:
                    codes.finish(self._execute(verb, [part, target], codes.handlers))
                    done.append(part)
        except IMAPClientError as error:
            _note(error, b",".join(done), b"", codes)
            raise
        return codes.copy_reply()

    def _copy_and_remove(self, wanted: SequenceSet, target: Argument) -> CopyReply:
        """Move messages on a server without MOVE.

        All steps use the UIDs of the messages that exist now. A message that arrives between two steps may be within
        ``wanted``, such as ``1:*``. It would be removed but not copied.
        """
        from .._parsing.uid_codes import UidCodes

        codes = UidCodes(b"COPYUID")
        ids: dict[int, int] = {}
        done: list[int] = []
        copied: list[int] = []
        try:
            with self._exclusive():
                ids = self._ids_by_uid(wanted)
                by_uid = SequenceSet(ids)
                codes = UidCodes(b"COPYUID", asked=by_uid)
                for part in by_uid.split():
                    codes.finish(self._execute(b"UID COPY", [part, target], codes.handlers))
                    copied = [ids[uid] for uid in UidSet(part)]
                    self._execute(b"UID STORE", [part, b"+FLAGS.SILENT", (b"\\Deleted",)])
                    self._execute(b"UID EXPUNGE", [part])
                    done += copied
                    copied = []
        except IMAPClientError as error:
            _note(error, bytes(SequenceSet(done)), bytes(SequenceSet(copied)), codes)
            raise
        return codes.copy_reply()

    def _ids_by_uid(self, wanted: SequenceSet) -> dict[int, int]:
        """A dict of the messages that exist: each UID, and the id that the caller uses for the message."""
        found = self._fetch(b"FETCH", wanted, [b"(UID)"])
        ids = {number if self.use_uid else items.get(b"UID"): number for number, items in found.items()}
        uids = {uid: number for uid, number in ids.items() if isinstance(uid, int) and 0 < uid < STAR}
        if len(uids) < len(found) or any(error.message not in found for error in found.errors):
            raise ProtocolError(
                "the server does not send the UID of each message", command=self._verb(b"FETCH").decode()
            )
        return uids


def _note(error: IMAPClientError, done: bytes, copied: bytes, codes: UidCodes) -> None:
    note_done(error, done.decode("ascii"))
    vars(error).update(copied=copied.decode("ascii"), reply=codes.copy_reply())
