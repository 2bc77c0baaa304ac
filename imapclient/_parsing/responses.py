"""Responses before their data is parsed (RFC 9051, 7). No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Callable, Optional

from .._import_time import NamedTuple, expression
from ..exceptions import CommandError, ProtocolError, ResponseCode, command_error
from .records import DEFAULT_LIMITS, BulkReader, Record

# * 12 FETCH ..., * OK ..., * SEARCH
UNTAGGED = expression(rb"\* +(?:(\d{1,20}) +)?([^ ]+) ?")
TAGGED = expression(rb"([^ ]+) +(OK|NO|BAD)(?: +(.*))?\Z", re.IGNORECASE | re.DOTALL)
# Responses that end in resp-text. A line that does not start with "* " is tagged or a continuation request.
ENDS_IN_TEXT = expression(rb"(?!\* )|\* +(?:OK|NO|BAD|BYE|PREAUTH)(?: |\Z)", re.IGNORECASE)


class Untagged:
    """One untagged response, its data not parsed yet.

    ``* 12 FETCH (UID 5)`` has the name b'FETCH' and the number 12. Its data starts at ``start`` of ``line``.
    ``records`` are all its lines and literals; None if it has no literals.
    """

    __slots__ = ("line", "name", "number", "records", "start")

    def __init__(
        self,
        name: bytes,
        number: int | None,
        line: bytes,
        start: int = 0,
        records: Sequence[Record] | None = None,
    ) -> None:
        self.name = name
        self.number = number
        self.line = line
        self.start = start
        self.records = records

    @property
    def text(self) -> bytes:
        """The data on the first line: ``b'(UID 5)'``."""
        return self.line[self.start :]

    @property
    def data(self) -> list[Record]:
        """The data as records: ``[b'(UID 5)']``; with literals ``[(b'(BODY[] {3}', b'abc'), b' UID 5)']``."""
        if self.records is None:
            return [self.text]
        first = self.records[0]
        if isinstance(first, bytes):
            return [first[self.start :], *self.records[1:]]
        return [(first[0][self.start :], first[1]), *self.records[1:]]

    @property
    def size(self) -> int:
        """Its size in bytes."""
        if self.records is None:
            return len(self.line)
        return sum(len(r) if isinstance(r, bytes) else len(r[0]) + len(r[1]) for r in self.records)


class ReadOptions(NamedTuple):
    """How the data of a response becomes values."""

    normalise_times: bool = True
    """Whether datetimes are naive and in local time. Otherwise they have the zone that the server sent."""
    max_depth: int = DEFAULT_LIMITS.nesting_depth
    """How deep lists may be nested."""


DEFAULT_OPTIONS = ReadOptions()

Handler = Callable[[Untagged], Optional[bool]]
"""Receives a response for a command. Returns False if the response is not for that command."""


class Handlers(dict[bytes, Handler]):
    """The handlers of a command, by the names of the responses that they receive: ``{b'FETCH': ...}``.

    The handler under ``b'*'`` receives every response. ``bulk`` is offered the buffer before any handler is called. It
    consumes many responses at a time, if its results for them are those of the handlers.
    """

    def __init__(
        self, handlers: Mapping[bytes, Handler] = MappingProxyType({}), bulk: BulkReader | None = None
    ) -> None:
        super().__init__(handlers)
        self.bulk = bulk


class Tagged(NamedTuple):
    """A tagged response.

    ``A1 OK [READ-WRITE] Done`` is ``Tagged('OK', b'[READ-WRITE] Done', (b'READ-WRITE', ()), b'Done')``.
    """

    status: str
    text: bytes
    code: ResponseCode | None
    human: bytes

    def error(self, command: bytes) -> CommandError:
        """The error for this NO or BAD. ``command`` is the name of the command that it answers: ``b'FETCH'``."""
        name = command.decode("ascii")
        return command_error(
            f"{name} failed: {readable(self.text)}",
            command=name,
            status=self.status,
            code=self.code,
            text=readable(self.human),
        )

    def unread(self, command: bytes, error: ProtocolError) -> ProtocolError:
        """Complete the error about an untagged response that could not be parsed, and return it.

        It gets the command, and the status, code and text of this OK.
        """
        error.command = command.decode("ascii")
        error.status, error.code, error.text = self.status, self.code, readable(self.human)
        return error


def readable(text: bytes) -> str:
    """A server's text as str. Bytes that are not UTF-8 become escapes: ``'caf\\xe9'``."""
    return text.decode("utf-8", "backslashreplace")
