"""The log of the exchange: each line, with literals shortened and secrets left out.

Lines are logged at DEBUG by the logger ``imapclient.imaplib``. Callers check `is_on` first, so that nothing is
formatted if the log is off.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._parsing.records import Record
from ..util import printable
from .redaction import REDACTED, Secrets

if TYPE_CHECKING:
    import logging

# logging.DEBUG
_DEBUG = 10


class Log:
    """A logger of the module `logging`, which is not imported as long as nobody can have asked for the messages.

    It takes long to import. Until a program imports it, no handler and no level are set, so that only warnings are
    shown.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: logging.Logger | None = None

    @property
    def logger(self) -> logging.Logger:
        """The logger itself."""
        if self._known is None:
            import logging

            self._known = logging.getLogger(self.name)
        return self._known

    def is_for_debugging(self) -> bool:
        """Whether messages at DEBUG are logged."""
        return "logging" in sys.modules and self.logger.isEnabledFor(_DEBUG)

    def debug(self, message: str, *values: object) -> None:
        """Log at DEBUG, as `logging.Logger.debug` does."""
        if "logging" in sys.modules:
            self.logger.debug(message, *values, stacklevel=2)

    def info(self, message: str, *values: object) -> None:
        """Log at INFO, as `logging.Logger.info` does."""
        if "logging" in sys.modules:
            self.logger.info(message, *values, stacklevel=2)

    def warning(self, message: str, *values: object) -> None:
        """Log at WARNING, as `logging.Logger.warning` does."""
        self.logger.warning(message, *values, stacklevel=2)

    def exception(self, message: str, *values: object) -> None:
        """Log the exception that is being handled at ERROR, as `logging.Logger.exception` does."""
        self.logger.exception(message, *values, stacklevel=2)


client_log = Log("imapclient.imapclient")
wire_log = Log("imapclient.imaplib")

MAX_LITERAL_SHOWN = 40


def is_on() -> bool:
    """Whether lines of the exchange are logged."""
    return wire_log.is_for_debugging()


def sent(line: bytes) -> None:
    """Log a line that was sent."""
    wire_log.debug("> %s", printable(line))


def sent_literal(data: bytes) -> None:
    """Log a literal that was sent."""
    wire_log.debug("> %s", literal(data))


def sent_secretly(words: bytes) -> None:
    """Log the first words of a line that was sent, and hide the rest."""
    wire_log.debug("> %s %s", printable(words), REDACTED)


def received(line: bytes, records: Sequence[Record] | None, secrets: Secrets) -> None:
    """Log a response. If it contains one of the secrets, only its first two words are shown."""
    parts = [part for record in records or (line,) for part in (record if isinstance(record, tuple) else (record,))]
    if any(map(secrets.are_in, parts)):
        head = b" ".join(line.split(b" ", 2)[:2])
        shown = b"" if secrets.are_in(head) else head
        wire_log.debug("< %s %s", printable(shown), REDACTED)
        return
    for record in records or (line,):
        if isinstance(record, tuple):
            wire_log.debug("< %s", printable(record[0]))
            wire_log.debug("< %s", literal(record[1]))
        else:
            wire_log.debug("< %s", printable(record))


def received_secretly(first: bytes) -> None:
    """Log the first word of a response, and hide the rest."""
    wire_log.debug("< %s %s", printable(first), REDACTED)


def literal(data: bytes) -> str:
    """A literal, shortened: ``(literal of 5000 bytes: b'From: ann@example.org'...)``."""
    dots = "..." if len(data) > MAX_LITERAL_SHOWN else ""
    return f"(literal of {len(data)} bytes: {data[:MAX_LITERAL_SHOWN]!r}{dots})"
