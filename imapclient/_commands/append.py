"""Appending messages."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Iterable, Sequence

from .._arguments.append import (
    AppendMessage,
    MessageToAppend,
    StreamedMessage,
    append_message,
    append_messages,
    streamed_message,
)
from .._arguments.message_source import MessageSource, Progress, Source
from .._arguments.strings import Argument
from .._connection.exchange import Command
from .._parsing.uid_codes import AppendReply, UidCodes
from ..util import Text
from .base.running import CommandBase


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
            self._deliver_unsolicited()
        return codes.append_reply()

    def _needs_literal8(self, message: AppendMessage | StreamedMessage) -> bool:
        """Whether it has NUL and the server BINARY. What costs more is asked last."""
        if isinstance(message, StreamedMessage):
            return self.has_capability("BINARY") and message.has_nul
        return message.has_nul and self.has_capability("BINARY")
