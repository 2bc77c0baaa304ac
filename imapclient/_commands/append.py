"""Appending messages."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .._arguments.command import Argument
from ..util import Text
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._arguments.append import AppendMessage, MessageToAppend, StreamedMessage
    from .._arguments.message_source import Progress, Source
    from .._parsing.uid_codes import AppendReply


class AppendMixin(CommandBase):
    """APPEND (RFC 9051, 6.3.12; RFC 3502)."""

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
        """Add a message to a folder, byte for byte (RFC 9051, 6.3.12). A str is sent as UTF-8.

        ``msg_time`` becomes the INTERNALDATE. A naive datetime is local time. If it is None, the server sets the date.

        Returns the server's text, ``b'[APPENDUID 1795294595 2] Append completed'``. If the server has UIDPLUS, the
        attribute ``uids`` of the result is ``UidSet('2')``, and ``uidvalidity`` is 1795294595.

        A message whose header contains UTF-8 (RFC 6532) needs ``enable("UTF8=ACCEPT")`` or ``enable("IMAP4rev2")``
        first. A message that contains NUL needs the capability BINARY.

        A long message may be a file object, open in binary mode, or an iterator of bytes. It is read while it is sent,
        and is never in memory as a whole. A file that can seek is sent from its current position on; ``size`` limits
        how many bytes. Every other source needs ``size``, and must have exactly this number of bytes. ``progress`` is
        called with the number of bytes sent so far and the size: ``progress(262144, 1000000)``. The source and
        ``progress`` can't use the client.

        Raises ValueError or TypeError before anything is sent, if an argument can't be sent. Raises CommandError if the
        server refuses the message, and TryCreateError if the folder does not exist. The connection is usable after
        these.

        An exception of the source or of ``progress`` is raised as it is. Raises ValueError if the source does not have
        ``size`` bytes, and TypeError if it contains anything but bytes. After these the message is not in the folder,
        and the connection is unusable.

        An exception that is raised after the command has begun has the attribute ``message_sent``. It is True if the
        whole message was sent. Then the message may be in the folder, even if the connection was lost. An exception
        that is raised earlier does not have the attribute. So use ``getattr(error, 'message_sent', False)``.
        """
        # Imported here, because not every program needs it.
        from .._arguments.append import append_message, streamed_message
        from .._arguments.message_source import MessageSource

        target = self._folder(folder)
        if isinstance(msg, (bytearray, memoryview)):
            msg = bytes(msg)
        if isinstance(msg, (str, bytes)):
            message = append_message(msg, flags, msg_time)
            if progress is None and size is None:
                return self._append(target, [message])
            if size not in (None, len(message.data)):
                raise ValueError(f"size must be {len(message.data)}, the size of the message, not {size}")
            msg = io.BytesIO(message.data)
        return self._append(target, [streamed_message(MessageSource(msg, size, progress), flags, msg_time)])

    def multiappend(self, folder: Text, msgs: Iterable[MessageToAppend]) -> AppendReply:
        """Add several messages to a folder, either all or none of them (RFC 3502). Needs MULTIAPPEND.

        Each message is bytes or str, or a dict such as ``{"msg": b"...", "flags": ["\\\\Seen"], "date":
        datetime(...)}``. Only the key ``"msg"`` is required. Keys other than these three are ignored. Returns what
        `append` returns; ``uids`` has the UIDs in the order of the messages.

        All messages are checked before anything is sent. Raises ValueError or TypeError, with the index of the message,
        if a message can't be sent. Examples are a dict without ``"msg"``, and an empty message, which would cancel the
        command (RFC 3502). Raises ValueError if there are no messages, and CapabilityError without MULTIAPPEND. Raises
        CommandError if the server refuses, and TryCreateError if the folder does not exist. The connection is usable
        after all of these.
        """
        from .._arguments.append import append_messages

        target = self._folder(folder)
        self._require("MULTIAPPEND")
        return self._append(target, append_messages(msgs))

    def _append(self, target: Argument, messages: Sequence[AppendMessage | StreamedMessage]) -> AppendReply:
        from .._connection.exchange import Command
        from .._parsing.uid_codes import UidCodes

        literal8 = any(map(self._needs_literal8, messages))
        # IMAP4rev2 takes a message in UTF-8 like any other (RFC 9051, 6.3.12; RFC 9755, 4).
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
            self._deliver_unsolicited()
        return codes.append_reply()

    def _needs_literal8(self, message: AppendMessage | StreamedMessage) -> bool:
        """Whether the message contains NUL and the server has BINARY. The slower check comes last."""
        from .._arguments.append import StreamedMessage

        if isinstance(message, StreamedMessage):
            return self.has_capability("BINARY") and message.has_nul
        return message.has_nul and self.has_capability("BINARY")
