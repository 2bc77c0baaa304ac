"""Messages: appending, copying, moving, expunging."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Iterable, Sequence

from ..append_message import (
    AppendMessage,
    MessageToAppend,
    StreamedMessage,
    append_message,
    append_messages,
    streamed_message,
)
from ..arguments import Argument
from ..exceptions import CapabilityError, IllegalStateError, IMAPClientError, ProtocolError, note_done
from ..exchange import Command, HeardQueue
from ..message_source import MessageSource, Progress, Source
from ..replies import AppendReply, CopyReply, UidCodes
from ..sequence_set import STAR, MessageIds, SequenceSet, UidSet
from ..util import Text
from .base import CommandBase, UntaggedItem


class MessagesMixin(CommandBase):
    """APPEND, COPY, MOVE, EXPUNGE (RFC 9051, 6.3.12, 6.4 and RFC 3502, RFC 4315, RFC 6851).

    Where a call needs several commands for a long set of ids and a later one fails, the exception's attribute ``done``
    is a sequence set of those that are done.
    """

    # -- APPEND

    def append(
        self,
        folder: Text,
        msg: Text | Source,
        flags: Text | Iterable[Text] = (),
        msg_time: datetime.datetime | None = None,
        *,
        size: int | None = None,
        progress: Progress | None = None,
    ) -> AppendReply:
        """Add a message to a folder, byte for byte (a str as UTF-8) (RFC 9051, 6.3.12).

        ``msg_time`` becomes its INTERNALDATE; naive is local time, None leaves it to the server. Returns the server's
        text, ``b'[APPENDUID 1795294595 2] Append completed'``; its attribute ``uids`` is ``UidSet('2')`` and
        ``uidvalidity`` is 1795294595 where the server has UIDPLUS. Raises TryCreateError where the folder is not
        there: the connection is usable.

        A header in UTF-8 (RFC 6532) needs ``enable("UTF8=ACCEPT")`` or ``enable("IMAP4rev2")``, NUL needs BINARY.

        A long message may be a file object, open in binary mode, or an iterator of bytes: it is then read while it is
        sent, and never in memory as a whole. Of a file that can seek, all is sent from where it stands; ``size``, in
        bytes, is how much of it is wanted. All other sources need ``size``, and give just as many bytes. ``progress``
        is called with the bytes sent so far and the size, ``progress(262144, 1000000)``; it can't use the client.

        Whatever is raised once the command has begun, TryCreateError where the folder is not there for example, has the
        attribute ``message_sent``: whether the server was sent all of the message, so that it may be in the folder even
        though the connection was lost. What is raised before has no such attribute, and nothing was sent:
        ``getattr(error, 'message_sent', False)`` is right for both. The connection is usable after CommandError. An
        exception that the source or ``progress`` raises comes out as it is, the message is not in the folder then, and
        the connection is unusable; so it is after ValueError where the source has other than ``size`` bytes, and
        TypeError where it gives something else than bytes. ValueError and TypeError are raised before anything is sent
        for all else that can't be.
        """
        target = self._folder(folder)
        if isinstance(msg, (bytearray, memoryview)):
            msg = bytes(msg)
        if isinstance(msg, (str, bytes)):
            message = append_message(msg, flags, msg_time)
            if progress is None and size is None:
                return self._append(target, [message])
            if size not in (None, len(message.data)):
                raise ValueError(f"the message has {len(message.data)} bytes, and not {size}")
            msg = io.BytesIO(message.data)
        return self._append(target, [streamed_message(MessageSource(msg, size, progress), flags, msg_time)])

    def multiappend(self, folder: Text, msgs: Iterable[MessageToAppend]) -> AppendReply:
        """Add several messages to a folder, all of them or none (RFC 3502). Needs MULTIAPPEND.

        Each one is bytes or str, or a dict such as ``{"msg": b"...", "flags": ["\\\\Seen"], "date": datetime(...)}``,
        of which only ``"msg"`` must be there; other keys are ignored. Returns as `append` does; ``uids`` has the UIDs
        in the order of the messages.

        All are looked at before anything is sent: ValueError or TypeError names the index of one that can't be sent.
        That is one without ``"msg"`` for example, or an empty one, with which RFC 3502 cancels the command. Of no
        messages at all ValueError is raised.
        """
        target = self._folder(folder)
        self._require("MULTIAPPEND")
        return self._append(target, append_messages(msgs))

    def _append(self, target: Argument, messages: Sequence[AppendMessage | StreamedMessage]) -> AppendReply:
        literal8 = any(map(self._needs_literal8, messages))
        # IMAP4rev2 takes such a message as it takes any other (RFC 9051, 6.3.12; RFC 9755, 4).
        utf8 = "UTF8=ACCEPT" in self._imap.enabled and "IMAP4REV2" not in self._imap.enabled
        arguments = [target]
        for message in messages:
            arguments += message.arguments(literal8=literal8, utf8=utf8)
        codes = UidCodes(b"APPENDUID", count=len(messages))
        command = Command(b"APPEND", arguments, codes.handlers)
        try:
            codes.finish(self._imap.execute(command))
        except BaseException as error:
            with contextlib.suppress(AttributeError):
                error.message_sent = command.is_sent  # type: ignore[attr-defined]
            raise
        finally:
            self._hand_on()
        return codes.append_reply()

    def _needs_literal8(self, message: AppendMessage | StreamedMessage) -> bool:
        """Whether it has NUL and the server BINARY. What costs more is asked last."""
        if isinstance(message, StreamedMessage):
            return self.has_capability("BINARY") and message.has_nul
        return message.has_nul and self.has_capability("BINARY")

    # -- COPY and MOVE

    def copy(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Copy messages to another folder (RFC 9051, 6.4.7).

        Returns the server's text, ``b'[COPYUID 1795294595 1:2 5:6] Copy completed'``; ``b''`` where there was nothing
        to copy. Where the server has UIDPLUS, its attributes are ``source_uids``, ``uids`` and ``uidvalidity``:
        ``UidSet('1:2')``, ``UidSet('5:6')`` and 1795294595; ``pairs`` is ``(1, 5), (2, 6)``.

        A long set goes in several commands: the text is the last one's, the UIDs are all commands'. Where one of them
        fails, the exception has ``done``, the ids that are copied, and ``reply``, the CopyReply about these.
        Raises TryCreateError where the folder is not there: the connection is usable.
        """
        wanted, target = SequenceSet(messages), self._folder(folder)
        return self._to_folder(b"COPY", wanted, target) if wanted else CopyReply()

    def move(self, messages: MessageIds, folder: Text) -> CopyReply:
        """Move messages to another folder (RFC 6851). Needs MOVE or UIDPLUS. Returns as `copy` does.

        Without MOVE, the UIDs of the messages are asked for; these are copied, marked as deleted, and they alone are
        expunged by UID EXPUNGE. Of a long set, each part is moved before the next is copied. Where the server has
        neither, CapabilityError is raised before anything is sent, for EXPUNGE would also remove what others have
        marked. IllegalStateError, then too, where the folder is selected read-only.

        When a step fails, no message is lost. The exception has these attributes: ``done``, a sequence set of the
        messages that are moved, in the kind of ids that the call was given (sequence numbers are those from before the
        call); ``copied``, of those that are in the target folder while the source still has them, perhaps marked as
        deleted; ``reply``, the CopyReply about both. ``command`` of a CommandError is the step: ``'UID STORE'``. Of a
        connection that is lost, what was running then may be done or not.
        Raises TryCreateError where the folder is not there: the connection is usable.
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
            # A second part would mean other messages, once the first has been moved or the server has told EXPUNGE.
            raise ValueError(f"too many messages for one {command.decode()} by sequence numbers: use UIDs")
        verb = self._verb(command)
        codes = UidCodes(b"COPYUID", asked=wanted, by_uid=self.use_uid)
        done: list[bytes] = []
        try:
            with self._undisturbed():
                for part in parts:
                    codes.finish(self._execute(verb, [part, target], codes.handlers))
                    done.append(part)
        except IMAPClientError as error:
            _note(error, b",".join(done), b"", codes)
            raise
        return codes.copy_reply()

    def _copy_and_remove(self, wanted: SequenceSet, target: Argument) -> CopyReply:
        """MOVE without MOVE.

        All steps go by the UIDs of the messages that are there now. A message that arrives between two steps may have
        its place in the set that was asked for, such as ``1:*``, and would be removed without having been copied.
        """
        codes = UidCodes(b"COPYUID")
        ids: dict[int, int] = {}
        done: list[int] = []
        copied: list[int] = []
        try:
            with self._undisturbed():
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
        """The UIDs of the messages that are there, each with the id that the caller knows the message by."""
        found = self._fetch(b"FETCH", wanted, [b"(UID)"])
        ids = {number if self.use_uid else items.get(b"UID"): number for number, items in found.items()}
        uids = {uid: number for uid, number in ids.items() if isinstance(uid, int) and 0 < uid < STAR}
        if len(uids) < len(found) or any(error.message not in found for error in found.errors):
            raise ProtocolError(
                "the server does not tell the UID of each message", command=self._verb(b"FETCH").decode()
            )
        return uids

    # -- EXPUNGE

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
        heard = HeardQueue()
        with self._passed_on_where_it_fails(heard):
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
        heard = HeardQueue()
        with self._passed_on_where_it_fails(heard):
            replies = self._for_messages(b"EXPUNGE", wanted, handlers={b"*": heard.append}, uid=True)
        return replies[-1].text, self._untagged_items(heard)


def _note(error: IMAPClientError, done: bytes, copied: bytes, codes: UidCodes) -> None:
    note_done(error, done.decode("ascii"))
    vars(error).update(copied=copied.decode("ascii"), reply=codes.copy_reply())
