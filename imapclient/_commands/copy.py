"""Copying and moving messages."""

from __future__ import annotations

from .._arguments.command import Argument
from .._parsing.uid_codes import CopyReply, UidCodes
from ..exceptions import CapabilityError, IllegalStateError, IMAPClientError, ProtocolError, note_done
from ..sequence_set import STAR, MessageIds, SequenceSet, UidSet
from ..util import Text
from .base.command_base import CommandBase


class CopyMixin(CommandBase):
    """COPY (RFC 9051, 6.4.7) and MOVE (RFC 6851)."""

    def copy(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Copy messages to another folder (RFC 9051, 6.4.7).

        Returns the server's text, ``b'[COPYUID 1795294595 1:2 5:6] Copy completed'``, or ``b''`` if there was nothing
        to copy. If the server has UIDPLUS, its attributes ``source_uids``, ``uids`` and ``uidvalidity`` are
        ``UidSet('1:2')``, ``UidSet('5:6')`` and 1795294595; ``pairs`` is ``(1, 5), (2, 6)``.

        A long set takes several commands. The text is that of the last one, the UIDs are those of all. If a command
        fails, the exception has the attributes ``done``, a sequence set of the ids that are copied, and ``reply``, the
        CopyReply about them.

        Raises CommandError if the server refuses, TryCreateError if there is no such folder. The connection is usable
        then.
        """
        wanted, target = SequenceSet(messages), self._folder(folder)
        return self._to_folder(b"COPY", wanted, target) if wanted else CopyReply()

    def move(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Move messages to another folder (RFC 6851). Needs MOVE or UIDPLUS. Returns what `copy` returns.

        Without MOVE, the messages are copied, marked as deleted, and expunged by their UIDs, so that no other message
        is removed. Of a long set, each part is moved before the next one is copied.

        No message is lost if a step fails. The exception then has these attributes:

        - ``done``: a sequence set of the messages that are moved, in the kind of ids that the caller passed in.
          Sequence numbers are those from before the call.
        - ``copied``: the messages that are in both folders, and perhaps marked as deleted in the source.
        - ``reply``: the CopyReply about both.

        The attribute ``command`` of a CommandError is the step that failed, such as ``'UID STORE'``. If the connection
        is lost, the step that was running may be done or not.

        Raises TryCreateError if there is no such folder. Raises CapabilityError without MOVE and UIDPLUS, because
        EXPUNGE would also remove what others have marked. Raises IllegalStateError if the folder is selected read-only.
        Nothing is sent before these two. The connection is usable after all of them.
        """
        wanted, target = SequenceSet(messages), self._folder(folder)
        if not wanted:
            return CopyReply()
        if self._can("MOVE"):
            return self._to_folder(b"MOVE", wanted, target)
        if not self._can("UIDPLUS"):
            raise CapabilityError("Server does not support MOVE capability, nor UIDPLUS to move without it")
        if self._imap.state == "SELECTED" and self._imap.is_readonly:
            raise IllegalStateError("no message can be moved: the folder is selected read-only")
        return self._copy_and_remove(wanted, target)

    def _to_folder(self, command: bytes, wanted: SequenceSet, target: Argument) -> CopyReply:
        parts = wanted.split()
        if len(parts) > 1 and not self.use_uid:
            # After the first part, sequence numbers may mean other messages: they were moved, or EXPUNGE came.
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
        """MOVE without MOVE.

        All steps go by the UIDs of the messages that are there now. A message that arrives between two steps may be
        within the set that was asked for, such as ``1:*``, and would be removed without having been copied.
        """
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
        """The UIDs of the messages that are there, each with the id that the caller uses for the message."""
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
