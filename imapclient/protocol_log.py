"""What goes to the loggers: each line of the exchange, literals shortened, secrets left out.

Lines are logged at DEBUG by the logger ``imapclient.imaplib``. Callers ask `is_on` first, so that nothing is formatted
for a log that nobody reads.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Sequence

from .exceptions import ServerWords
from .reader import Record

client_log = logging.getLogger("imapclient.imapclient")
wire_log = logging.getLogger("imapclient.imaplib")

REDACTED = "**REDACTED**"
LITERAL_SHOWN = 40
# A shorter secret may stand in any text by chance; "*" and "=" are responses too.
TELLTALE = 4


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


def received(line: bytes, records: Sequence[Record] | None, secrets: Iterable[bytes]) -> None:
    """Log a response. Where one of the secrets stands in it, only its first two words are shown."""
    parts = [part for record in records or (line,) for part in (record if isinstance(record, tuple) else (record,))]
    if any(secret and secret in part for secret in secrets for part in parts):
        head = b" ".join(line.split(b" ", 2)[:2])
        shown = b"" if any(secret and secret in head for secret in secrets) else head
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


def printable(line: bytes) -> str:
    """A line as one line of text: what is not printable ASCII is escaped."""
    return "".join(chr(byte) if 32 <= byte < 127 or byte == 9 else f"\\x{byte:02x}" for byte in line)


def literal(data: bytes) -> str:
    """A literal, shortened: ``'(literal of 5000 bytes: b'From: ann@…')'``."""
    dots = "..." if len(data) > LITERAL_SHOWN else ""
    return f"(literal of {len(data)} bytes: {data[:LITERAL_SHOWN]!r}{dots})"


def forms_of_response(response: bytes) -> tuple[bytes, ...]:
    """What must not be shown of a line that answers a challenge: the line, and what it is the base64 of."""
    try:
        forms = (response, base64.b64decode(response, validate=True))
    except ValueError:
        forms = (response, b"")
    return tuple(form for form in forms if len(form) >= TELLTALE)


def hide_secrets(error: BaseException, secrets: Iterable[bytes]) -> None:
    """Take a server's words out of an error where it repeats one of the secrets in them, or the beginning of one.

    What is shown of a response may have been cut within the secret.
    """
    if not isinstance(error, ServerWords) or not isinstance(error, Exception):
        return
    context = getattr(error, "context", None) or b""
    words = [str(error), error.text, repr(error.code), context.decode("utf-8", "backslashreplace"), repr(context)[2:-1]]
    if not any(_repeats(text, secret) for secret in secrets if len(secret) >= TELLTALE for text in words):
        return
    error.args = (f"{str(error).partition(': ')[0]}: {REDACTED}",)
    error.text = REDACTED
    error.code = None
    if context:
        vars(error)["context"] = None


def _repeats(text: str, secret: bytes) -> bool:
    shown = {secret.decode("utf-8", "backslashreplace"), repr(secret)[2:-1], printable(secret)}
    return any(form in text or any(text.endswith(form[:end]) for end in range(TELLTALE, len(form))) for form in shown)
