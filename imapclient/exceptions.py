"""The exceptions of this package.

Three of them are imaplib's own classes under the names that IMAPClient gave them, so ``except`` clauses written for
imaplib, for IMAPClient and for this package all catch the same things. Each class says whether the connection can
still be used after it was raised.
"""

from __future__ import annotations

import imaplib
from typing import Any, TypeVar

IMAPClientError = imaplib.IMAP4.error
"""Base of everything that is raised about IMAP. On its own: the command failed, the connection is usable."""

IMAPClientAbortError = imaplib.IMAP4.abort
"""The connection can't be used any more: make a new client."""

IMAPClientReadOnlyError = imaplib.IMAP4.readonly
"""The folder was opened read-only though it was asked for read-write. The connection is usable."""

ResponseCode = tuple[bytes, tuple[Any, ...]]
"""A response code with its arguments, such as ``(b'UIDVALIDITY', (3857529045,))`` (RFC 9051, 7.1)."""


class CommandError(IMAPClientError):
    """The server answered a command with NO or BAD. The connection is usable.

    ``command`` is the command's name (``'UID FETCH'``), ``status`` is ``'NO'`` or ``'BAD'``, ``code`` the response
    code with its arguments or None (``(b'TRYCREATE', ())``), ``text`` the server's text without the code.
    """

    def __init__(
        self,
        message: str,
        *,
        command: str = "",
        status: str = "",
        code: ResponseCode | None = None,
        text: str = "",
    ) -> None:
        super().__init__(message)
        self.command = command
        self.status = status
        self.code = code
        self.text = text


def note_done(error: IMAPClientError, done: str) -> None:
    """Give an error the attribute ``done``: the messages that a call had finished when a later part of it failed.

    A call whose message ids do not fit into one command sends several. ``error.done`` is a sequence set such as
    ``'1:500,502'``, in the kind of ids that the call was given; ``''`` where nothing is done.
    """
    error.__dict__["done"] = done


_Kind = TypeVar("_Kind", bound=CommandError)


def retyped(error: CommandError, kind: type[_Kind], message: str | None = None) -> _Kind:
    """A command's error as one of another class, with the same data."""
    return kind(
        str(error) if message is None else message,
        command=error.command,
        status=error.status,
        code=error.code,
        text=error.text,
    )


class LoginError(CommandError):
    """The server refused the login. The connection is usable: another login may be tried."""


class InvalidCriteriaError(CommandError):
    """The search criteria are empty, or the server could not read them. The connection is usable."""


class IllegalStateError(IMAPClientError):
    """The call is not possible in the present state, such as a command during IDLE. The connection is usable."""


class CapabilityError(IMAPClientError):
    """The server lacks the capability that the call needs. Nothing was sent, the connection is usable."""


class ProtocolError(IMAPClientError):
    """The server sent something that is not IMAP.

    ``position`` is the offset, in bytes, into the response at which reading failed (None where there is none) and
    ``context`` the bytes around it. Raised while a value is parsed it leaves the connection usable; raised because
    the stream itself can't be followed any more it is a `ProtocolAbortError`.
    """

    def __init__(self, message: object = "", position: int | None = None, context: bytes | None = None) -> None:
        text = str(message)
        if position is not None:
            text = f"{text} at byte {position}"
        if context is not None:
            text = f"{text}: {context!r}"
        super().__init__(text)
        self.position = position
        self.context = context


class ProtocolAbortError(ProtocolError, IMAPClientAbortError):
    """The server broke the framing of the stream, or a limit. The connection can't be used any more."""


class LimitError(ProtocolAbortError):
    """A response went over one of the client's limits; ``limit`` is its name. The connection can't be used any more."""

    def __init__(self, limit: str, allowed: int, what: str) -> None:
        super().__init__(f"{what} is over the limit {limit}={allowed}")
        self.limit = limit
        self.allowed = allowed
        self._what = what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.allowed, self._what)
