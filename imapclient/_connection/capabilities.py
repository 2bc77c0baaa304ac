"""What the server of a connection can do, what of it is switched on, and what follows for the wire.

Part of the connection class in imap4.py, in a file of its own.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterable

from .._arguments.command import Literal, StreamedLiteral
from .._parsing.responses import Tagged
from ..exceptions import ResponseCode
from .exchange import Command

# LITERAL- allows a literal to go out without waiting up to this size (RFC 7888, 5).
_LITERAL_MINUS = 4096
# A server that speaks revision 1 too goes on with modified UTF-7 until one of these is enabled.
_SWITCHES_TO_UTF8 = frozenset(("UTF8=ACCEPT", "IMAP4REV2"))
_MAX_ENABLED = 1000


class CapabilityState:
    """The part of the connection that knows the server's capabilities. What it needs of the rest is declared first."""

    #: In upper case; () where they are not known.
    capabilities: tuple[str, ...]
    capabilities_known: bool
    #: What ENABLE has switched on, in upper case (RFC 5161).
    enabled: frozenset[str]
    #: What ENABLE was sent for, in upper case.
    may_enable: frozenset[str]
    #: imaplib's: NONAUTH, AUTH, SELECTED or LOGOUT.
    state: str
    _lock: threading.RLock

    @abstractmethod
    def execute(self, command: Command) -> Tagged: ...

    def _prepare_capabilities(self) -> None:
        self.capabilities = ()
        self.capabilities_known = False
        self.enabled = frozenset()
        self.may_enable = frozenset()

    def _learn_from_code(self, code: ResponseCode | None) -> None:
        if code is not None and code[0] == b"CAPABILITY":
            self._learn_capabilities([c for c in code[1] if isinstance(c, bytes)])

    def _learn_capabilities(self, words: Iterable[bytes]) -> None:
        self.capabilities = tuple(word.decode("ascii", "replace").upper() for word in words)
        self.capabilities_known = True

    def _learn_enabled(self, words: Iterable[bytes]) -> None:
        # Nothing counts that was not asked for. And more than any server has: a set that grew with each response would
        # cost time in its square.
        if self.may_enable and len(self.enabled) < _MAX_ENABLED:
            enabled = {word.decode("ascii", "replace").upper() for word in words}
            # A server may tell more than it was asked for; but this would change what names mean.
            self.enabled |= enabled if self.may_enable & _SWITCHES_TO_UTF8 else enabled - _SWITCHES_TO_UTF8

    def forget_capabilities(self) -> None:
        """They may have changed (login) or can't be trusted (STARTTLS): ask again when they are needed."""
        self._prepare_capabilities()

    def fetch_capabilities(self) -> tuple[str, ...]:
        """The server's capabilities in upper case, asked for if they are not known: ``('IMAP4REV1', 'IDLE')``."""
        # Another thread's login forgets them on its way.
        with self._lock:
            if not self.capabilities_known:
                self.execute(Command(b"CAPABILITY"))
                self.capabilities_known = True
            return self.capabilities

    @property
    def is_utf8(self) -> bool:
        """Whether mailbox names and search text are in UTF-8 on the wire (RFC 6855, 3; RFC 9051, 5.1)."""
        if self.enabled & _SWITCHES_TO_UTF8:
            return True
        return "IMAP4REV2" in self.capabilities and "IMAP4REV1" not in self.capabilities

    def _is_synchronising(self, literal: Literal | StreamedLiteral) -> bool:
        """Whether a literal has to wait for the server's word, by what the server can do.

        One that is streamed does in any case: it is mostly long, and a server that has no room for it says so before.
        """
        if literal.binary or isinstance(literal, StreamedLiteral):
            return True
        if "LITERAL+" in self.capabilities:
            return False
        if "LITERAL-" in self.capabilities or "IMAP4REV2" in self.capabilities:
            return literal.size > _LITERAL_MINUS
        return True

    def _is_surely_read(self, command: Command) -> bool:
        """Whether a literal may be sent ahead of the server's word, as far as the command's name tells.

        Dovecot 2.3 forgets a literal that was sent ahead when it refuses what stands before it, such as a command that
        it does not know in this state, and then takes the literal's text for commands. So only messages go ahead.
        """
        return command.name == b"APPEND" and self.state in ("AUTH", "SELECTED")
