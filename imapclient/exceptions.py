"""The exceptions of this package.

Three of them are imaplib's own classes under the names that IMAPClient gave them, so ``except`` clauses written for
imaplib, for IMAPClient and for this package all catch the same things. Each class says whether the connection can
still be used after it was raised.
"""

from __future__ import annotations

import imaplib
from typing import Any, TypeVar, cast

IMAPClientError = imaplib.IMAP4.error
"""Base of everything that is raised about IMAP. On its own: the command failed, the connection is usable."""

IMAPClientAbortError = imaplib.IMAP4.abort
"""The connection can't be used any more: make a new client."""

IMAPClientReadOnlyError = imaplib.IMAP4.readonly
"""The folder was opened read-only though it was asked for read-write. The connection is usable."""

ResponseCode = tuple[bytes, tuple[Any, ...]]
"""A response code with its arguments, such as ``(b'UIDVALIDITY', (3857529045,))`` (RFC 9051, 7.1)."""


class ServerWords:
    """What every exception of this package has: the server's answer, as far as there is one.

    ``command`` is the command's name (``'UID FETCH'``), ``status`` is ``'NO'``, ``'BAD'``, ``'OK'`` or ``'BYE'``,
    ``code`` the response code with its arguments or None (``(b'TRYCREATE', ())``), ``text`` the text without the code.
    Whether the connection is usable is for each class to say.
    """

    command: str = ""
    status: str = ""
    code: ResponseCode | None = None
    text: str = ""


class ConnectionAbortError(ServerWords, IMAPClientAbortError):
    """The connection has ended, and can't be used any more.

    ``command`` is the command that was running, ``code`` and ``text`` are those of the server's BYE.
    """


class CommandError(ServerWords, IMAPClientError):
    """The server answered a command with NO or BAD. The connection is usable.

    ``command`` is the command's name (``'UID FETCH'``), ``status`` is ``'NO'`` or ``'BAD'``, ``code`` the response
    code with its arguments or None (``(b'TRYCREATE', ())``), ``text`` the server's text without the code.
    """

    def __init__(
        self,
        *args: object,
        command: str = "",
        status: str = "",
        code: ResponseCode | None = None,
        text: str = "",
    ) -> None:
        super().__init__(*args)
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


class LoginError(CommandError):
    """The server refused the login. The connection is usable: another login may be tried.

    ``challenge`` is what the server said about it in the exchange of a SASL mechanism: for OAuth a dict such as
    ``{'status': 'invalid_token', 'scope': 'mail'}``, bytes where it is no JSON object, None where it said nothing.
    """

    challenge: dict[str, Any] | bytes | None = None


class InvalidCriteriaError(CommandError):
    """The search criteria are empty, or the server could not read them. The connection is usable."""


# -- one class for each response code that a program may act on


class AuthenticationFailedError(LoginError):
    """AUTHENTICATIONFAILED: the name or the password is wrong, and the server does not say which (RFC 5530, 3).

    The connection is usable.
    """


class AuthorizationFailedError(LoginError):
    """AUTHORIZATIONFAILED: who logged in may not act as the user that was asked for (RFC 5530, 3).

    The connection is usable.
    """


class ExpiredError(LoginError):
    """EXPIRED: the password is no longer valid, and must be changed elsewhere (RFC 5530, 3).

    The connection is usable.
    """


class PrivacyRequiredError(LoginError):
    """PRIVACYREQUIRED: not without TLS (RFC 5530, 3).

    The connection is usable.
    """


class UnavailableError(CommandError):
    """UNAVAILABLE: a part of the server is down for now; try again later (RFC 5530, 3).

    Gmail's "Too many simultaneous connections" too, which has no such code.

    The connection is usable.
    """


class ThrottledError(UnavailableError):
    """THROTTLED: too many commands or too much data for now; try again later (Gmail, Yahoo and Outlook send it).

    The connection is usable.
    """


class ContactAdminError(CommandError):
    """CONTACTADMIN: the user should ask the server's administrators (RFC 5530, 3).

    The connection is usable.
    """


class NoPermissionError(CommandError):
    """NOPERM: this user may not do that, by the access control list for example (RFC 5530, 3).

    The connection is usable.
    """


class InUseError(CommandError):
    """INUSE: another session holds what the command needs; try again soon (RFC 5530, 3).

    The connection is usable.
    """


class ExpungeIssuedError(CommandError):
    """EXPUNGEISSUED: some of the messages have been removed by another session; NOOP tells which (RFC 5530, 3).

    The connection is usable.
    """


class CorruptionError(CommandError):
    """CORRUPTION: the server found damaged data; its administrators have to look (RFC 5530, 3).

    The connection is usable.
    """


class ServerBugError(CommandError):
    """SERVERBUG: the server ran into an error of its own (RFC 5530, 3).

    The connection is usable.
    """


class ClientBugError(CommandError):
    """CLIENTBUG: the server holds the command for a mistake of the client (RFC 5530, 3).

    The connection is usable.
    """


class CannotError(CommandError):
    """CANNOT: what is asked for is never possible on this server, such as a folder of that name (RFC 5530, 3).

    The connection is usable.
    """


class ServerLimitError(CommandError):
    """LIMIT: over one of the server's limits, such as the number of folders (RFC 5530, 3).

    The connection is usable.
    """


class OverQuotaError(ServerLimitError):
    """OVERQUOTA: the user has no room left (RFC 5530, 3).

    The connection is usable.
    """


class TooBigError(ServerLimitError):
    """TOOBIG: the message is larger than the server takes (RFC 4469, 4.2; RFC 7889).

    The connection is usable.
    """


class NonexistentError(CommandError):
    """NONEXISTENT: there is no folder of that name (RFC 5530, 3).

    The connection is usable.
    """


class TryCreateError(NonexistentError):
    """TRYCREATE: there is no folder to put messages into; ``create_folder`` may help (RFC 9051, 7.1).

    The connection is usable.
    """


class AlreadyExistsError(CommandError):
    """ALREADYEXISTS: there is a folder of that name (RFC 5530, 3).

    The connection is usable.
    """


class HasChildrenError(CommandError):
    """HASCHILDREN: the folder has folders below it, and can't be deleted before them (RFC 9051, 7.1).

    The connection is usable.
    """


class BadCharsetError(InvalidCriteriaError):
    """BADCHARSET: the server can't search in that charset; ``code`` may name those that it can (RFC 9051, 7.1).

    The connection is usable.
    """


_CLASS_OF_CODE: dict[bytes, type[CommandError]] = {
    b"AUTHENTICATIONFAILED": AuthenticationFailedError,
    b"AUTHORIZATIONFAILED": AuthorizationFailedError,
    b"EXPIRED": ExpiredError,
    b"PRIVACYREQUIRED": PrivacyRequiredError,
    b"UNAVAILABLE": UnavailableError,
    b"THROTTLED": ThrottledError,
    b"CONTACTADMIN": ContactAdminError,
    b"NOPERM": NoPermissionError,
    b"INUSE": InUseError,
    b"EXPUNGEISSUED": ExpungeIssuedError,
    b"CORRUPTION": CorruptionError,
    b"SERVERBUG": ServerBugError,
    b"CLIENTBUG": ClientBugError,
    b"CANNOT": CannotError,
    b"LIMIT": ServerLimitError,
    b"OVERQUOTA": OverQuotaError,
    b"TOOBIG": TooBigError,
    b"NONEXISTENT": NonexistentError,
    b"TRYCREATE": TryCreateError,
    b"ALREADYEXISTS": AlreadyExistsError,
    b"HASCHILDREN": HasChildrenError,
    b"BADCHARSET": BadCharsetError,
}


# Gmail: NO [ALERT] Too many simultaneous connections. (Failure)
_TOO_MANY_CONNECTIONS = "too many simultaneous connections"


def command_error(message: str, *, command: str, status: str, code: ResponseCode | None, text: str) -> CommandError:
    """The error for a NO or BAD, of the class that its response code has."""
    kind = CommandError if code is None else _CLASS_OF_CODE.get(code[0], CommandError)
    if _TOO_MANY_CONNECTIONS in text.lower() and not issubclass(kind, UnavailableError):
        kind = UnavailableError if kind is CommandError else _combined(kind, UnavailableError)
    return kind(message, command=command, status=status, code=code, text=text)


_Kind = TypeVar("_Kind", bound=CommandError)


def retyped(error: CommandError, kind: type[_Kind], message: str | None = None) -> _Kind:
    """A command's error as one of the class ``kind``, with the same data; what its code made of it, it stays.

    UNAVAILABLE in answer to a login is a LoginError and an UnavailableError.
    """
    own = type(error)
    if issubclass(own, kind):
        combined: type[CommandError] = own
    elif issubclass(kind, own):
        combined = kind
    else:
        combined = _combined(kind, own)
    result = combined(
        str(error) if message is None else message,
        command=error.command,
        status=error.status,
        code=error.code,
        text=error.text,
    )
    return cast("_Kind", result)


_combined_classes: dict[tuple[type[CommandError], ...], type[CommandError]] = {}


def _combined(*kinds: type[CommandError]) -> type[CommandError]:
    """A subclass of all these classes, of which some may be combined themselves. It has the name of the first."""
    parts = tuple(part for kind in kinds for part in getattr(kind, "_parts", (kind,)))
    if parts not in _combined_classes:
        body = {"__doc__": parts[0].__doc__, "__reduce__": _reduce_combined, "_parts": parts}
        _combined_classes[parts] = type(parts[0].__name__, parts, body)
    return _combined_classes[parts]


def _reduce_combined(error: Any) -> tuple[Any, ...]:
    # Pickle can't import a combined class by its name, so it gets the parts.
    return _rebuild_combined, (error._parts, error.args), vars(error)


def _rebuild_combined(parts: tuple[type[CommandError], ...], args: tuple[Any, ...]) -> CommandError:
    return _combined(*parts)(*args)


class IllegalStateError(ServerWords, IMAPClientError):
    """The call is not possible in the present state, such as a command during IDLE. The connection is usable."""


class NoSuchPartError(ServerWords, IMAPClientError):
    """There is no such message in the selected folder, or no such part of it. The connection is usable."""


class CapabilityError(ServerWords, IMAPClientError):
    """The server lacks the capability that the call needs. Nothing was sent, the connection is usable."""


class NotOfferedError(LoginError, CapabilityError):
    """The server does not offer this way to log in, on this connection. Nothing was sent, and it is usable.

    Most often it wants TLS first. ``command`` is ``'LOGIN'`` or ``'AUTHENTICATE'``.
    """


class ProtocolError(ServerWords, IMAPClientError):
    """The server sent something that is not IMAP.

    ``position`` is the offset, in bytes, into the response at which reading failed (None where there is none) and
    ``context`` the bytes around it. Raised while a value is parsed it leaves the connection usable; raised because
    the stream itself can't be followed any more it is a `ProtocolAbortError`.
    """

    def __init__(
        self,
        message: object = "",
        position: int | None = None,
        context: bytes | None = None,
        *,
        command: str = "",
    ) -> None:
        text = str(message)
        if position is not None:
            text = f"{text} at byte {position}"
        if context is not None:
            text = f"{text}: {context!r}"
        super().__init__(text)
        self.position = position
        self.context = context
        self.command = command


class FetchError(ProtocolError):
    """What a server sent about one message could not be read. The connection is usable.

    ``item`` is the name of the item (``b'ENVELOPE'``), or None where not even that could be told; ``value`` is what
    stands there, parsed as far as it could be: bytes, int, None or a tuple. ``message`` is the message's id as in the
    keys of the result, None where the server did not tell it; ``sequence_number`` is its sequence number.
    """

    def __init__(self, message: object = "", position: int | None = None, context: bytes | None = None) -> None:
        super().__init__(message, position, context)
        self.message: int | None = None
        self.sequence_number: int | None = None
        self.item: bytes | None = None
        self.value: Any = None


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
        return type(self), (self.limit, self.allowed, self._what), vars(self)
