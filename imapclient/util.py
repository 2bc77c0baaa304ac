"""Coercion between text and bytes."""

from __future__ import annotations

import logging

import six

logger = logging.getLogger(__name__)


def to_unicode(s: bytes | str) -> str:
    """Return ASCII bytes as text: ``to_unicode(b"INBOX") == "INBOX"``.

    Bytes above 127 are dropped and a warning is logged. What is no bytes object comes back
    unchanged.
    """
    if not isinstance(s, bytes):
        return s
    try:
        return six.ensure_text(s, "ascii")
    except UnicodeDecodeError:
        logger.warning("dropped the bytes above 127 from %r: ASCII was expected", s)
        return six.ensure_text(s, "ascii", "ignore")


def to_bytes(s: bytes | str, charset: str = "ascii") -> bytes:
    """Return text as bytes: ``to_bytes("INBOX") == b"INBOX"``.

    What is no str comes back unchanged. Raises UnicodeEncodeError, a ValueError, for a character
    that the charset lacks, and LookupError for a charset that Python doesn't know.
    """
    if not isinstance(s, str):
        return s
    return six.ensure_binary(s, charset)
