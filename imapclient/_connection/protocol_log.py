"""What goes to the loggers: each line of the exchange, literals shortened, secrets left out.

Lines are logged at DEBUG by the logger ``imapclient.imaplib``. Callers ask `is_on` first, so that nothing is formatted
for a log that nobody reads.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from .._parsing.records import Record
from ..util import printable
from .redaction import REDACTED, Secrets

client_log = logging.getLogger("imapclient.imapclient")
wire_log = logging.getLogger("imapclient.imaplib")

LITERAL_SHOWN = 40


def is_on() -> bool:
    """Whether lines of the exchange are logged."""
    return wire_log.isEnabledFor(logging.DEBUG)


def sent(line: bytes) -> None:
    """Log a line that was sent."""
    wire_log.debug("> %s", printable(line))


def sent_literal(data: bytes) -> None:
    """Log a literal that was sent."""
    wire_log.debug("> %s", literal(data))


def sent_secretly(words: bytes) -> None:
    """Log that something was sent, and of it no more than the first words."""
    wire_log.debug("> %s %s", printable(words), REDACTED)


def received(line: bytes, records: Sequence[Record] | None, secrets: Secrets) -> None:
    """Log a response. Where one of the secrets stands in it, only its first two words are shown."""
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
    """Log that something came which may not be shown."""
    wire_log.debug("< %s %s", printable(first), REDACTED)


def literal(data: bytes) -> str:
    """A literal, shortened: ``'(literal of 5000 bytes: b'From: ann@…')'``."""
    dots = "..." if len(data) > LITERAL_SHOWN else ""
    return f"(literal of {len(data)} bytes: {data[:LITERAL_SHOWN]!r}{dots})"
