"""The exceptions of this package.

Three of them are classes of imaplib under the names that IMAPClient uses. So ``except`` clauses for imaplib, for
IMAPClient and for this package catch the same errors. Each docstring says whether the connection is usable afterwards.
"""

from __future__ import annotations

import imaplib
from typing import Any, TypeVar, cast

IMAPClientError = imaplib.IMAP4.error
"""Base of all exceptions about IMAP. If it is raised itself, the command failed and the connection is usable."""

IMAPClientAbortError = imaplib.IMAP4.abort
"""The connection can't be used any more. Create a new client."""

IMAPClientReadOnlyError = imaplib.IMAP4.readonly
"""The server opened a folder read-only, but read-write was requested. The connection is usable."""

ResponseCode = tuple[bytes, tuple[Any, ...]]
"""A response code with its arguments, such as ``(b'UIDVALIDITY', (3857529045,))`` (RFC 9051, 7.1)."""


class ServerWords:
    """The attributes of every exception of this package: the server's response, if there was one.

    ``command`` is the name of the command, such as ``'UID FETCH'``. ``status`` is ``'NO'``, ``'BAD'``, ``'OK'`` or
    ``'BYE'``. ``code`` is the response code with its arguments, such as ``(b'TRYCREATE', ())``, or None. ``text`` is
    the server's text without the code. An attribute is ``''`` if it is unknown. The docstring of each subclass says
    whether the connection is usable.
    """

    command: str = ""
    status: str = ""
    code: ResponseCode | None = None
    text: str = ""


class ConnectionAbortError(ServerWords, IMAPClientAbortError):
    """The connection has ended and can't be used any more.

    ``command`` is the command that was running. ``code`` and ``text`` are those of the server's BYE, if it sent one.
    """


class CommandError(ServerWords, IMAPClientError):
    """The server answered a command with NO or BAD. The connection is usable.

    ``command`` is the name of the command, such as ``'UID FETCH'``. ``status`` is ``'NO'`` or ``'BAD'``. ``code`` is
    the response code with its arguments, such as ``(b'TRYCREATE', ())``, or None. ``text`` is the server's text
    without the code.
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
    """Set the attribute ``done`` of an error: the messages that were finished before the call failed.

    A call sends several commands if its message ids do not fit into one. ``error.done`` is a sequence set such as
    ``'1:500,502'``. It contains UIDs or sequence numbers, like the call. It is ``''`` if no message was finished.
    """
    error.__dict__["done"] = done


class LoginError(CommandError):
    """The server refused the login. The connection is usable, so the program may try another login.

    ``challenge`` is the reason that the server sent during the exchange of a SASL mechanism. For OAuth it is a dict
    such as ``{'status': 'invalid_token', 'scope': 'mail'}``. It is bytes if the reason is not a JSON object, and None
    if the server sent no reason.
    """

    challenge: dict[str, Any] | bytes | None = None


class InvalidCriteriaError(CommandError):
    """The search criteria are empty, or the server refused them. The connection is usable."""


# -- one class for each response code that matters to programs


class AuthenticationFailedError(LoginError):
    """AUTHENTICATIONFAILED: the user name or the password is wrong (RFC 5530, 3).

    The connection is usable.
    """


class AuthorizationFailedError(LoginError):
    """AUTHORIZATIONFAILED: the user may not act as the requested other user (RFC 5530, 3).

    The connection is usable.
    """


class ExpiredError(LoginError):
    """EXPIRED: the password has expired; the user must change it outside IMAP (RFC 5530, 3).

    The connection is usable.
    """


class PrivacyRequiredError(LoginError):
    """PRIVACYREQUIRED: the login needs TLS (RFC 5530, 3).

    The connection is usable.
    """


class UnavailableError(CommandError):
    """UNAVAILABLE: a part of the server is down; try again later (RFC 5530, 3).

    Gmail's "Too many simultaneous connections" raises it too, although Gmail sends no such code.

    The connection is usable.
    """


class ThrottledError(UnavailableError):
    """THROTTLED: too many commands or too much data; try again later (Gmail, Yahoo and Outlook send it).

    The connection is usable.
    """


class ContactAdminError(CommandError):
    """CONTACTADMIN: the user should ask the administrators of the server (RFC 5530, 3).

    The connection is usable.
    """


class NoPermissionError(CommandError):
    """NOPERM: the user has no permission, for example in the access control list (RFC 5530, 3).

    The connection is usable.
    """


class InUseError(CommandError):
    """INUSE: another session has locked what the command needs; try again soon (RFC 5530, 3).

    The connection is usable.
    """


class ExpungeIssuedError(CommandError):
    """EXPUNGEISSUED: another session has expunged some of the messages; NOOP reports which (RFC 5530, 3).

    The connection is usable.
    """


class CorruptionError(CommandError):
    """CORRUPTION: the server found damaged data, which its administrators must repair (RFC 5530, 3).

    The connection is usable.
    """


class ServerBugError(CommandError):
    """SERVERBUG: the server has a bug (RFC 5530, 3).

    The connection is usable.
    """


class ClientBugError(CommandError):
    """CLIENTBUG: the server considers the command a bug of the client (RFC 5530, 3).

    The connection is usable.
    """


class CannotError(CommandError):
    """CANNOT: this server never allows the operation, such as a folder with that name (RFC 5530, 3).

    The connection is usable.
    """


class ServerLimitError(CommandError):
    """LIMIT: a limit of the server is exceeded, such as the number of folders (RFC 5530, 3).

    The connection is usable.
    """


class OverQuotaError(ServerLimitError):
    """OVERQUOTA: the quota of the user is exceeded (RFC 5530, 3).

    The connection is usable.
    """


class TooBigError(ServerLimitError):
    """TOOBIG: the message is larger than the server accepts (RFC 4469, 4.2; RFC 7889).

    The connection is usable.
    """


class NonexistentError(CommandError):
    """NONEXISTENT: there is no folder with that name (RFC 5530, 3).

    The connection is usable.
    """


class TryCreateError(NonexistentError):
    """TRYCREATE: the target folder does not exist; ``create_folder`` may help (RFC 9051, 7.1).

    The connection is usable.
    """


class AlreadyExistsError(CommandError):
    """ALREADYEXISTS: a folder with that name exists (RFC 5530, 3).

    The connection is usable.
    """


class HasChildrenError(CommandError):
    """HASCHILDREN: the folder has subfolders, which must be deleted first (RFC 9051, 7.1).

    The connection is usable.
    """


class BadCharsetError(InvalidCriteriaError):
    """BADCHARSET: the server does not support the charset; ``code`` may list those it supports (RFC 9051, 7.1).

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
    """The error for a NO or BAD, of the class for its response code."""
    kind = CommandError if code is None else _CLASS_OF_CODE.get(code[0], CommandError)
    if _TOO_MANY_CONNECTIONS in text.lower() and not issubclass(kind, UnavailableError):
        kind = UnavailableError if kind is CommandError else _combined(kind, UnavailableError)
    return kind(message, command=command, status=status, code=code, text=text)


_Kind = TypeVar("_Kind", bound=CommandError)


def retyped(error: CommandError, kind: type[_Kind], message: str | None = None) -> _Kind:
    """The same error as an instance of ``kind``. The result is still an instance of the old class too.

    For example, if a server answers a login with NO [UNAVAILABLE], the error is a LoginError and an UnavailableError.
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
    """A subclass of all these classes, with the name of the first. The classes may themselves be combined."""
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
    """The call is not possible now, such as a command during IDLE. The connection is usable."""


class NoSuchPartError(ServerWords, IMAPClientError):
    """The selected folder has no such message, or the message no such part. The connection is usable."""


class CapabilityError(ServerWords, IMAPClientError):
    """The server does not support a capability that the call needs. Nothing was sent. The connection is usable."""


class NotOfferedError(LoginError, CapabilityError):
    """The server does not offer this login method on this connection. Often it requires TLS first.

    Nothing was sent. The connection is usable. ``command`` is ``'LOGIN'`` or ``'AUTHENTICATE'``.
    """


class ProtocolError(ServerWords, IMAPClientError):
    """The server sent something that is not valid IMAP. The connection is usable, except after a `ProtocolAbortError`.

    ``position`` is the offset in bytes at which parsing the response failed. ``context`` contains the bytes around it.
    Both are None if unknown.
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
    """An item of one message could not be parsed. The connection is usable.

    ``item`` is the name of the item, such as ``b'ENVELOPE'``. It is None if the name could not be parsed either.
    ``value`` is the value, parsed as far as possible: bytes, int, None or a tuple. ``message`` is the id of the
    message, like the keys of the result. It is None if the server did not send it. ``sequence_number`` is the sequence
    number of the message.
    """

    def __init__(self, message: object = "", position: int | None = None, context: bytes | None = None) -> None:
        super().__init__(message, position, context)
        self.message: int | None = None
        self.sequence_number: int | None = None
        self.item: bytes | None = None
        self.value: Any = None


class ProtocolAbortError(ProtocolError, IMAPClientAbortError):
    """The response stream is not valid, or exceeds a limit. The connection can't be used any more."""


class LimitError(ProtocolAbortError):
    """A response exceeds a limit. The connection can't be used any more.

    ``limit`` is the name of the limit, such as ``'max_literal_size'``. ``allowed`` is its value, such as 2147483648.
    """

    def __init__(self, limit: str, allowed: int, what: str) -> None:
        super().__init__(f"{what} is over the limit {limit}={allowed}")
        self.limit = limit
        self.allowed = allowed
        self._what = what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.allowed, self._what), vars(self)
