"""The content of a part that arrives piece by piece: its transfer encoding undone (RFC 2045, 6), and written to a file.

What is decoded is what Python's ``email`` package makes of the whole: characters that don't belong there are skipped,
and base64 ends at its padding, whatever a mailing list has put behind it. Only of base64 that ends after the first
character of four it makes nothing, and here that character is left out.
"""

from __future__ import annotations

from binascii import a2b_base64, a2b_qp
from typing import Callable, Protocol

from ...exceptions import ProtocolError
from ...util import shortened

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
# How much of a line without end is kept back: lines of quoted-printable have 76 characters.
_LONGEST_LINE = 65536


class Decoder(Protocol):
    """Takes the encoded bytes in pieces of any size, and gives what can be decoded by then."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class Identity:
    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class Base64Decoder:
    def __init__(self) -> None:
        self._rest = b""
        self._ended = False
        # How many "=" have come since the last other character.
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
                # The padding is what makes four of two or three characters. Any other "=" does not belong there.
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
        # A single character has not even eight bits.
        if len(rest) % 4 == 1:
            rest = rest[:-1]
        return a2b_base64(rest + b"=" * (-len(rest) % 4))


class QuotedPrintableDecoder:
    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > _LONGEST_LINE:
            # Not within "=41".
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
    """The decoder for a Content-Transfer-Encoding; that of a part without one is 7bit, so ``""`` is too.

    ProtocolError for one that nobody has defined.
    """
    make = _DECODERS.get(encoding.strip().lower())
    if make is None:
        raise ProtocolError(f"an unknown transfer encoding: {shortened(encoding.encode('utf-8', 'replace'))}")
    return make()


class Writable(Protocol):
    """What is needed of a file object: open it in binary mode."""

    def write(self, data: bytes, /) -> object: ...


class PartWriter:
    """Writes a part to a file; ``written`` counts the bytes there."""

    def __init__(self, file: Writable, decoder: Decoder) -> None:
        self.written = 0
        self._file = file
        self._decoder = decoder

    def feed(self, data: bytes) -> None:
        self._write(self._decoder.feed(data))

    def end(self) -> None:
        self._write(self._decoder.end())

    def _write(self, data: bytes) -> None:
        while data:
            count = self._file.write(data)
            # A raw file may take a part only. What is no count took all of it.
            taken = count if isinstance(count, int) and 0 <= count < len(data) else len(data)
            if taken == 0:
                raise OSError("the file takes no more")
            self.written += taken
            data = data[taken:]
