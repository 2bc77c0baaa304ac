"""The server's capabilities: which ones it has, which ones are enabled, and how they change what we send. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from .._arguments.command import Literal, StreamedLiteral
from ..exceptions import ResponseCode

# With LITERAL-, a literal of at most this size is sent without waiting for the server (RFC 7888, 5).
_LITERAL_MINUS = 4096
# A server that also has IMAP4rev1 uses modified UTF-7 until we enable one of these.
_SWITCHES_TO_UTF8 = frozenset(("UTF8=ACCEPT", "IMAP4REV2"))
_MAX_ENABLED = 1000


class Capabilities:
    """The server's capabilities, as its greeting, CAPABILITY and ENABLED report them.

    ``names`` holds them in upper case, ``('IMAP4REV1', 'IDLE')``, or is empty while ``are_known`` is false. ``enabled``
    holds the extensions that are enabled (RFC 5161). ``may_enable`` holds those for which we sent ENABLE.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget all names. A login may change them, and names from before STARTTLS can't be trusted."""
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
        # A report counts only if we sent ENABLE. Each report copies the set, so it has a maximum size, which only a
        # hostile server reaches.
        if self.may_enable and len(self.enabled) < _MAX_ENABLED:
            enabled = {name.decode("ascii", "replace").upper() for name in names}
            # A server may report more than we asked for. But unless we asked for one of these two, they are ignored:
            # they change how folder names are encoded.
            self.enabled |= enabled if self.may_enable & _SWITCHES_TO_UTF8 else enabled - _SWITCHES_TO_UTF8

    @property
    def is_utf8(self) -> bool:
        """Whether mailbox names and search text are sent in UTF-8 (RFC 6855, 3; RFC 9051, 5.1)."""
        if self.enabled & _SWITCHES_TO_UTF8:
            return True
        return "IMAP4REV2" in self.names and "IMAP4REV1" not in self.names

    def is_synchronising(self, literal: Literal | StreamedLiteral) -> bool:
        """Whether a literal must wait for the server's continuation request (RFC 7888).

        A literal8 always waits. So does a streamed literal, which is mostly long: a server without room for it refuses
        it before it is sent.
        """
        if literal.binary or isinstance(literal, StreamedLiteral):
            return True
        if "LITERAL+" in self.names:
            return False
        if "LITERAL-" in self.names or "IMAP4REV2" in self.names:
            return literal.size > _LITERAL_MINUS
        return True
