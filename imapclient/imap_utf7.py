"""Modified UTF-7, the encoding of mailbox names (RFC 3501 section 5.1.3), and invalid names.

The rules: printable ASCII stays as it is, except ``&``, which becomes ``&-``. Other characters become a shift:
``&``, the modified BASE64 of their UTF-16BE code units, and ``-``. Modified BASE64 uses ``,`` instead of ``/``
and has no padding. Two shifts must not be adjacent, and a shift must not contain printable ASCII. So each name has one
valid encoding.

`encode` and `decode` implement only these rules. `decode_name` and `encode_name` convert folder names. They convert
every name from a server to text, and the text back to the same bytes.
"""

from __future__ import annotations

import binascii
import re

from ._import_time import expression

_ENCODED_RUN = expression(r"[^ -~]+|&")
_SHIFT = expression(rb"&([^-]*)-?")
# The BASE64 itself is checked later: decoding and encoding must give the same bytes.
_SHIFTS = expression(rb"&[A-Za-z0-9+,]*-")
_DIRECT = expression(rb"[ -%'-~]*")

# Characters that RFC 9051 section 5.1 forbids in a name, and lone surrogates. Not compiled here, because compiling is
# slow and few names need this expression.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def encode(s: str | bytes) -> bytes:
    """Return a folder name in modified UTF-7: ``encode("Entwürfe") == b"Entw&APw-rfe"``.

    Anything but a str is returned unchanged. Control characters are encoded too, so the result is printable ASCII.
    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    if not isinstance(s, str):
        return s
    if "&" not in s and s.isascii() and s.isprintable():
        return s.encode("ascii")
    return _ENCODED_RUN.sub(_encode_run, s).encode("ascii")


def _encode_run(match: re.Match[str]) -> str:
    run = match.group()
    if run == "&":
        return "&-"
    base64 = binascii.b2a_base64(run.encode("utf-16-be"), newline=False)
    return "&" + base64.rstrip(b"=").replace(b"/", b",").decode("ascii") + "-"


def decode(s: bytes | str) -> str:
    """Return the text of a name in modified UTF-7: ``decode(b"Entw&APw-rfe") == "Entwürfe"``.

    Never raises for bytes. An invalid shift is kept: ``decode(b"AT&T-x") == "AT&T-x"``. The ``-`` at the end of a name
    may be missing. A byte above 127 is decoded as Latin-1. So encoding the result may not yield the same bytes; use
    `decode_name` if it must. Anything but bytes is returned unchanged.
    """
    if not isinstance(s, bytes):
        return s
    if b"&" not in s:
        return s.decode("latin-1")
    parts = []
    end = 0
    for match in _SHIFT.finditer(s):
        parts.append(s[end : match.start()].decode("latin-1"))
        parts.append(_decode_shift(match))
        end = match.end()
    parts.append(s[end:].decode("latin-1"))
    return "".join(parts)


def _decode_shift(match: re.Match[bytes]) -> str:
    base64 = match[1]
    if not base64:
        return "&"
    try:
        return (b"+" + base64.replace(b",", b"/") + b"-").decode("utf-7")
    except UnicodeDecodeError:
        return match.group().decode("latin-1")


class WireName(str):
    """A folder name that is not valid modified UTF-7: printable text, and the server's bytes.

    The text contains no control characters and no lone surrogates. ``wire`` is the name exactly as the server sent it:
    ``b"AT&T"``. If you pass the object as a folder, ``wire`` is sent. Slicing, ``+`` and ``str()`` return a plain str
    without ``wire``.
    """

    wire: bytes

    def __new__(cls, text: str, wire: bytes) -> WireName:
        self = super().__new__(cls, text)
        self.wire = wire
        return self

    # For copy and pickle.
    def __getnewargs__(self) -> tuple[str, bytes]:  # type: ignore[override]
        return str(self), self.wire


def decode_name(wire: bytes, utf8: bool = False) -> str:
    """Return a mailbox name from the wire as text that `encode_name` turns into these bytes again.

    The result is a plain str if the name is valid modified UTF-7 of printable text: ``decode_name(b"&JgM-") == "☃"``.
    Otherwise it is a `WireName` with this text:

    - ``b"&JgM-&JgM-"``, a name that can be decoded but is not the valid encoding: ``"☃☃"``
    - ``b"\\xe2\\x98\\x83"``, raw UTF-8 (Courier with UTF-8 names, IMAP4rev2): ``"☃"``
    - ``b"AT&T"``, with an ``&`` that starts no shift: ``"AT&T"``
    - ``b"caf\\xe9"``, neither modified UTF-7 nor UTF-8: ``"caf\\\\xe9"``, with bytes above 127 escaped
    - ``b"a&AAo-b"``, with a control character, here a line feed: ``"a\\\\x0ab"``, also escaped

    Set ``utf8`` if names on the wire are UTF-8, as after ENABLE UTF8=ACCEPT or IMAP4rev2 (RFC 6855 section 3, RFC 9051
    section 5.1). An ``&`` is then an ordinary character. Never raises.
    """
    # Most names are plain ASCII.
    if (utf8 or b"&" not in wire) and wire.isascii():
        text = wire.decode("ascii")
        return text if text.isprintable() else WireName(_printable(text), wire)
    if utf8:
        text = wire.decode("utf-8", "backslashreplace")
        if not re.search(_UNPRINTABLE, text) and text.encode("utf-8") == wire:
            return text
    elif _DIRECT.fullmatch(_SHIFTS.sub(b"", wire)):
        text = decode(wire)
        if not re.search(_UNPRINTABLE, text) and encode(text) == wire:
            return text
    else:
        text = wire.decode("utf-8", "backslashreplace")
    return WireName(_printable(text), wire)


def encode_name(name: str | bytes, utf8: bool = False) -> bytes:
    """Return a folder name as bytes for the wire: ``encode_name("☃") == b"&JgM-"``.

    A `WireName` becomes its ``wire``, and bytes are returned unchanged. Any other str is encoded with `encode`, or as
    UTF-8 if ``utf8`` is set. Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    if isinstance(name, WireName):
        return name.wire
    if utf8 and isinstance(name, str):
        return name.encode("utf-8")
    return encode(name)


def _printable(text: str) -> str:
    return re.sub(_UNPRINTABLE, _escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
