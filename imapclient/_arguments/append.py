"""Messages as arguments of APPEND (RFC 9051, 6.3.12; RFC 3502). No I/O."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any, Union

from .._import_time import NamedTuple
from ..util import Text, to_wire
from .command import Argument, Literal, StreamedLiteral
from .message_source import MessageSource
from .strings import date_time
from .strings import flags as flag_list

MessageToAppend = Union[str, bytes, Mapping[str, Any]]
"""A message, or a dict with ``"msg"``. The dict may also contain ``"flags"`` and ``"date"``."""

_END_OF_HEADER = re.compile(rb"(?:\A|\n)\r?\n")


class AppendMessage(NamedTuple):
    """One message, checked and encoded: ``append-message = [SP flag-list] [SP date-time] SP append-data``."""

    data: bytes
    flags: tuple[bytes, ...] = ()
    date: bytes | None = None

    @property
    def has_nul(self) -> bool:
        return b"\0" in self.data

    @property
    def has_utf8_header(self) -> bool:
        """Whether its header is UTF-8 but not ASCII (RFC 6532)."""
        end = _END_OF_HEADER.search(self.data)
        header = self.data if end is None else self.data[: end.start()]
        if header.isascii():
            return False
        try:
            header.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    def arguments(self, *, literal8: bool, utf8: bool) -> list[Argument]:
        """The arguments for this message.

        If the server supports ``literal8``, a message with NUL is sent as a literal8 (RFC 3516, 4.4). If ``utf8`` is
        enabled, a message with a UTF-8 header is sent as ``UTF8 (~{5}...)`` (RFC 6855, 4).
        """
        in_utf8 = utf8 and self.has_utf8_header
        binary = in_utf8 or (literal8 and self.has_nul)
        return _arguments(self.flags, self.date, Literal(self.data, binary), in_utf8)


class StreamedMessage(NamedTuple):
    """One message that is read from its source while it is sent."""

    source: MessageSource
    flags: tuple[bytes, ...] = ()
    date: bytes | None = None

    @property
    def has_nul(self) -> bool:
        return self.source.may_have_nul

    def arguments(self, *, literal8: bool, utf8: bool) -> list[Argument]:
        """Same as `AppendMessage.arguments`."""
        in_utf8 = utf8 and AppendMessage(self.source.beginning).has_utf8_header
        literal = StreamedLiteral(self.source.size, self.source, in_utf8 or literal8)
        return _arguments(self.flags, self.date, literal, in_utf8)


def _arguments(
    flags: tuple[bytes, ...], date: bytes | None, literal: Literal | StreamedLiteral, in_utf8: bool
) -> list[Argument]:
    arguments: list[Argument] = []
    # Courier 5.0 answers `APPEND "x" UTF8 (~{18}` with "NO Error in IMAP command received by server.". It accepts the
    # same command with an empty list of flags, so that list is sent.
    if flags or in_utf8:
        arguments.append(flags)
    if date is not None:
        arguments.append(date)
    if in_utf8:
        arguments += [b"UTF8", (literal,)]
    else:
        arguments.append(literal)
    return arguments


def streamed_message(
    source: MessageSource, flags: Text | Iterable[Text], date: datetime.datetime | None
) -> StreamedMessage:
    """Check and encode one message that is read while it is sent. Raises as `append_message` does."""
    _, wire_flags, wire_date = append_message(b"", flags, date)
    return StreamedMessage(source, wire_flags, wire_date)


def append_message(msg: Text, flags: Text | Iterable[Text], date: datetime.datetime | None) -> AppendMessage:
    """Check and encode one message. A str is sent as UTF-8. Raises ValueError or TypeError if it can't be sent."""
    if date is not None and not isinstance(date, datetime.datetime):
        raise TypeError(f"the date of a message must be a datetime, not {date!r}")
    return AppendMessage(to_wire(msg), flag_list(flags), None if date is None else date_time(date))


def append_messages(items: Iterable[MessageToAppend]) -> list[AppendMessage]:
    """Check and encode the messages of one command.

    Raises ValueError or TypeError, with the index of the message: ``msgs[2]: the dict must contain 'msg'``.
    """
    if isinstance(items, (str, bytes, Mapping)):
        raise TypeError("msgs must be a list of messages, not a single message")
    messages: list[AppendMessage] = []
    for index, item in enumerate(items):
        try:
            messages.append(_append_message(item))
        except ValueError as error:
            raise ValueError(f"msgs[{index}]: {error}") from error
        except TypeError as error:
            raise TypeError(f"msgs[{index}]: {error}") from error
    if not messages:
        raise ValueError("msgs must not be empty")
    return messages


def _append_message(item: MessageToAppend) -> AppendMessage:
    if isinstance(item, Mapping):
        if item.get("msg") is None:
            raise ValueError("the dict must contain 'msg'")
        message = append_message(item["msg"], item.get("flags") or (), item.get("date"))
    else:
        message = append_message(item, (), None)
    if not message.data:
        # RFC 3502, 6.3.11: a client sends an empty message to cancel the command.
        raise ValueError("the message is empty, which would cancel the whole command")
    return message
