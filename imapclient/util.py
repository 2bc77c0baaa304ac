"""Conversion between text and bytes."""

from __future__ import annotations

from typing import Union

Text = Union[str, bytes]


def to_unicode(s: bytes | str) -> str:
    """Return ASCII bytes as text: ``to_unicode(b"INBOX") == "INBOX"``.

    Bytes above 127 are dropped, and a warning is logged. Anything but bytes is returned unchanged.
    """
    if not isinstance(s, bytes):
        return s
    # Imported here: it prepares modules of Python 2 too, which takes long. So in the other functions.
    import six

    try:
        return six.ensure_text(s, "ascii")
    except UnicodeDecodeError:
        # Imported late: logging imports threading, and the parser must also load without threads.
        import logging

        logging.getLogger(__name__).warning("dropped the bytes above 127 from %s: ASCII was expected", shortened(s))
        return six.ensure_text(s, "ascii", "ignore")


def to_bytes(s: bytes | str, charset: str = "ascii") -> bytes:
    """Return text as bytes: ``to_bytes("INBOX") == b"INBOX"``.

    Anything but a str is returned unchanged. Raises UnicodeEncodeError, a ValueError, if the charset does not contain
    a character. Raises LookupError if Python does not know the charset.
    """
    if not isinstance(s, str):
        return s
    import six

    return six.ensure_binary(s, charset)


def to_wire(value: Text, encoding: str = "utf-8") -> bytes:
    """Return text encoded, and a bytearray or memoryview as bytes: ``to_wire("Grüße") == b"Gr\\xc3\\xbc\\xc3\\x9fe"``.

    Raises UnicodeEncodeError, a ValueError, if the encoding does not contain a character. Raises TypeError for anything
    but text and bytes.
    """
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    import six

    return six.ensure_binary(value, encoding)


def escaped(data: bytes) -> bytes:
    """The content of a quoted string: ``escaped(b'a"b') == b'a\\\\"b'``."""
    return data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def shortened(data: bytes) -> str:
    """The repr of bytes for an error message. More than 60 bytes are cut: ``b'abc...'``."""
    return repr(data if len(data) <= 60 else data[:57] + b"...")


_NOT_PRINTABLE = {byte: f"\\x{byte:02x}" for byte in range(256) if not (32 <= byte < 127 or byte == 9)}


def printable(line: bytes) -> str:
    """A line as text. Bytes that are not printable ASCII are escaped: ``printable(b"a\\xff") == "a\\\\xff"``."""
    return line.decode("latin-1").translate(_NOT_PRINTABLE)
