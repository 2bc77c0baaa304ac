"""The server's capabilities: which it has, which are enabled, and how commands are sent because of them. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from .._arguments.command import Literal, StreamedLiteral
from ..exceptions import ResponseCode

# LITERAL- lets a literal of at most this size follow without a wait (RFC 7888, 5).
_LITERAL_MINUS = 4096
# A server that has IMAP4rev1 as well keeps to modified UTF-7 until one of these is enabled.
_SWITCHES_TO_UTF8 = frozenset(("UTF8=ACCEPT", "IMAP4REV2"))
_MAX_ENABLED = 1000


class Capabilities:
    """The server's capabilities, as its greeting, CAPABILITY and ENABLED report them.

    ``names`` holds them in upper case, ``('IMAP4REV1', 'IDLE')``, or is empty while ``are_known`` is false. ``enabled``
    holds the extensions that ENABLE switched on (RFC 5161), ``may_enable`` those that we sent ENABLE for.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget all: a login may change them, and those from before STARTTLS can't be trusted."""
        self.names: tuple[str, ...] = ()
        self.are_known = False
        self.enabled: frozenset[str] = frozenset()
        self.may_enable: frozenset[str] = frozenset()

    def learn(self, names: Iterable[bytes]) -> None:
        """Take the names from the data of CAPABILITY."""
        self.names = tuple(name.decode("ascii", "replace").upper() for name in names)
        self.are_known = True

    def learn_from_code(self, code: ResponseCode | None) -> None:
        """Take the names from a response code, if it is CAPABILITY."""
        if code is not None and code[0] == b"CAPABILITY":
            self.learn([name for name in code[1] if isinstance(name, bytes)])

    def learn_enabled(self, names: Iterable[bytes]) -> None:
        """Take the names of enabled extensions from the data of ENABLED."""
        # Without our ENABLE it does not count. No server has as many extensions as the bound. Without it, a hostile
        # server could make the set grow, and each response copies the set.
        if self.may_enable and len(self.enabled) < _MAX_ENABLED:
            enabled = {name.decode("ascii", "replace").upper() for name in names}
            # A server may report more than we asked for, but these would change how folder names are encoded.
            self.enabled |= enabled if self.may_enable & _SWITCHES_TO_UTF8 else enabled - _SWITCHES_TO_UTF8

    @property
    def is_utf8(self) -> bool:
        """Whether mailbox names and search text are sent in UTF-8 (RFC 6855, 3; RFC 9051, 5.1)."""
        if self.enabled & _SWITCHES_TO_UTF8:
            return True
        return "IMAP4REV2" in self.names and "IMAP4REV1" not in self.names

    def is_synchronising(self, literal: Literal | StreamedLiteral) -> bool:
        """Whether a literal must wait for the server's continuation request (RFC 7888).

        A streamed literal always waits: it is mostly long, and a server without room for it refuses it before it is
        sent.
        """
        if literal.binary or isinstance(literal, StreamedLiteral):
            return True
        if "LITERAL+" in self.names:
            return False
        if "LITERAL-" in self.names or "IMAP4REV2" in self.names:
            return literal.size > _LITERAL_MINUS
        return True
