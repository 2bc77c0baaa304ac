"""Coercion between text and bytes."""

from __future__ import annotations

from typing import Union

import six

Text = Union[str, bytes]


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
        # Loaded when it is needed: it loads threading, which the parser does without.
        import logging

        logging.getLogger(__name__).warning("dropped the bytes above 127 from %s: ASCII was expected", shortened(s))
        return six.ensure_text(s, "ascii", "ignore")


def to_bytes(s: bytes | str, charset: str = "ascii") -> bytes:
    """Return text as bytes: ``to_bytes("INBOX") == b"INBOX"``.

    What is no str comes back unchanged. Raises UnicodeEncodeError, a ValueError, for a character
    that the charset lacks, and LookupError for a charset that Python doesn't know.
    """
    if not isinstance(s, str):
        return s
    return six.ensure_binary(s, charset)


def to_wire(value: Text, encoding: str = "utf-8") -> bytes:
    """Text as bytes; bytes as they are, also out of a bytearray or memoryview. TypeError for anything else."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    return six.ensure_binary(value, encoding)


def escaped(data: bytes) -> bytes:
    """As it stands between the quotes of a quoted string: ``escaped(b'a"b') == b'a\\\\"b'``."""
    return data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def shortened(data: bytes) -> str:
    """A value for an error message, cut so that it can't flood a log."""
    return repr(data if len(data) <= 60 else data[:57] + b"...")


_NOT_PRINTABLE = {byte: f"\\x{byte:02x}" for byte in range(256) if not (32 <= byte < 127 or byte == 9)}


def printable(line: bytes) -> str:
    """A line as one line of text: what is not printable ASCII is escaped."""
    return line.decode("latin-1").translate(_NOT_PRINTABLE)
