"""Decodes the content of a part, piece by piece (RFC 2045, 6), and writes it to the caller's file. No other I/O.

The result is that of Python's ``email`` package. Characters outside the alphabet are skipped. Base64 ends at its
padding, even if a mailing list has added text. One difference: ``email`` decodes nothing of base64 that ends after the
first character of four. Here only that character is skipped.
"""

from __future__ import annotations

from binascii import a2b_base64, a2b_qp
from typing import Callable, Protocol

from ...exceptions import ProtocolError
from ...util import shortened

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
# At most this many bytes of an unfinished line are kept. Lines of quoted-printable have at most 76.
_MAX_LINE_KEPT = 65536
# How many bytes are decoded at once.
_MAX_DECODED = 256 * 1024


class Decoder(Protocol):
    """Decodes bytes that are fed in pieces of any size."""

    def feed(self, data: bytes) -> bytes:
        """Add bytes, and return what can be decoded so far."""

    def end(self) -> bytes:
        """Return the decoded rest."""


class Identity:
    """For 7bit, 8bit and binary: the bytes are not encoded."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class Base64Decoder:
    """Decodes base64 (RFC 2045, 6.8)."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False
        # The number of "=" since the last other character.
        self._padding = 0

    def feed(self, data: bytes) -> bytes:
        if self._ended:
            return b""
        first, *others = data.translate(None, _NOT_BASE64).split(b"=")
        if first:
            self._padding = 0
        data = self._rest + first
        if others:
            found = bytearray(data)
            for part in others:
                # Padding fills two or three characters up to four. Any other "=" is skipped.
                self._padding += 1
                if len(found) % 4 >= 2 and len(found) % 4 + self._padding >= 4:
                    self._rest = bytes(found)
                    return self.end()
                if part:
                    self._padding = 0
                    found += part
            data = bytes(found)
        cut = len(data) - len(data) % 4
        self._rest = data[cut:]
        return a2b_base64(data[:cut])

    def end(self) -> bytes:
        rest, self._rest, self._ended = self._rest, b"", True
        # One character has six bits: less than a byte.
        if len(rest) % 4 == 1:
            rest = rest[:-1]
        return a2b_base64(rest + b"=" * (-len(rest) % 4))


class QuotedPrintableDecoder:
    """Decodes quoted-printable (RFC 2045, 6.7)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > _MAX_LINE_KEPT:
            # An escape such as "=41" must not be cut.
            equals = data.find(b"=", len(data) - 2)
            cut = len(data) if equals < 0 else equals
        self._rest = data[cut:]
        return a2b_qp(data[:cut])

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return a2b_qp(rest)


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "": Identity,
    "7bit": Identity,
    "8bit": Identity,
    "binary": Identity,
    "base64": Base64Decoder,
    "quoted-printable": QuotedPrintableDecoder,
}


def decoder_for(encoding: str) -> Decoder:
    """A new decoder for a Content-Transfer-Encoding: ``'base64'``.

    ``''`` means that the part has no such field, so the encoding is 7bit.

    Raises ProtocolError for an unknown encoding.
    """
    make = _DECODERS.get(encoding.strip().lower())
    if make is None:
        raise ProtocolError(f"unknown transfer encoding: {shortened(encoding.encode('utf-8', 'replace'))}")
    return make()


class Writable(Protocol):
    """A file object in binary mode, or any object with its ``write``."""

    def write(self, data: bytes, /) -> object:
        """Write bytes, and return how many."""


class PartWriter:
    """Decodes a part and writes it to a file. ``written`` is the number of bytes written."""

    def __init__(self, file: Writable, decoder: Decoder) -> None:
        self.written = 0
        self._file = file
        self._decoder = decoder

    def feed(self, data: bytes) -> None:
        if isinstance(self._decoder, Identity):
            self._write(data)
            return
        # Decoding takes several times the memory of what is decoded.
        for start in range(0, len(data), _MAX_DECODED):
            self._write(self._decoder.feed(data[start : start + _MAX_DECODED]))

    def end(self) -> None:
        self._write(self._decoder.end())

    def _write(self, data: bytes) -> None:
        while data:
            count = self._file.write(data)
            # A raw file may write only a part. If the result is not a number, everything was written.
            written = count if isinstance(count, int) and 0 <= count < len(data) else len(data)
            if written == 0:
                raise OSError("the file accepts no more data: its write() returned 0")
            self.written += written
            data = data[written:]
