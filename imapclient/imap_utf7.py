"""Modified UTF-7, the encoding of mailbox names (RFC 3501 section 5.1.3), and broken names.

The rules: printable ASCII stands for itself, except ``&``, which is written ``&-``. Everything else
is written as ``&``, the modified BASE64 of its UTF-16BE code units, and ``-``. Modified BASE64 has
``,`` where BASE64 has ``/``, and no padding. Two shifts in a row, or a shift that holds printable
ASCII, are not allowed, so a name has one spelling.

`encode` and `decode` are the encoding alone. `decode_name` and `encode_name` are what folder names
go through: every name that a server sends comes back as text, and leads back to the same bytes.
"""

from __future__ import annotations

import binascii
import re

_ENCODED_RUN = re.compile(r"[^ -~]+|&")
_SHIFT = re.compile(rb"&([^-]*)-?")
# Not what the BASE64 stands for: that is seen when it is decoded and encoded again.
_SHIFTS = re.compile(rb"&[A-Za-z0-9+,]*-")
_DIRECT = re.compile(rb"[ -%'-~]*")

# What RFC 9051 section 5.1 forbids in a name, and what has no place in Unicode text: lone
# surrogates. `re` makes the expression of it where it is first needed, for that takes a while.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def encode(s: str | bytes) -> bytes:
    """Return a folder name in modified UTF-7: ``encode("Entwürfe") == b"Entw&APw-rfe"``.

    What is no str comes back unchanged. Control characters are encoded like any other, so that the
    result is printable ASCII. Raises UnicodeEncodeError, a ValueError, for a lone surrogate: no
    name has it.
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

    Never raises for bytes. A shift that can't be read stays as it is, ``decode(b"AT&T-x") ==
    "AT&T-x"``, the ``-`` at the end of a name may be missing, and a byte above 127 is the character
    of its number (Latin-1). So the result need not lead back to the same bytes; where that counts,
    use `decode_name`. What is no bytes object comes back unchanged.
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
    """A folder name that is not valid modified UTF-7: text to print, and the bytes it stands for.

    The text can be printed: it has no control characters and no lone surrogates. ``wire`` has the
    name exactly as the server sent it, and is what goes out again where the object is passed as a
    folder. A string made from it (by slicing, ``+``, ``str()``) is a plain str and has no wire form
    of its own.
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

    A plain str where the name is valid modified UTF-7 of printable text: ``decode_name(b"&JgM-") ==
    "☃"``. Otherwise a `WireName`, which reads as follows:

    - ``b"&JgM-&JgM-"``, decodable though not the one right spelling: ``"☃☃"``
    - ``b"\\xe2\\x98\\x83"``, raw UTF-8 (Courier with UTF-8 names, IMAP4rev2): ``"☃"``
    - ``b"AT&T"``, an ``&`` that begins no shift: ``"AT&T"``
    - ``b"caf\\xe9"``, neither: ``"caf\\\\xe9"``, the bytes above 127 in backslash escapes
    - ``b"a&AAo-b"``, a control character, here a line feed: ``"a\\\\x0ab"``, in backslash escapes
      too

    With ``utf8`` names are in UTF-8 on the wire, as after ENABLE UTF8=ACCEPT or IMAP4rev2 (RFC 6855 section 3, RFC 9051
    section 5.1), and an ``&`` is an ``&``. Never raises.
    """
    # Nothing to decode in nearly every name.
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

    They are those of a `WireName`, bytes unchanged, and what `encode` makes of any other str, or UTF-8 with ``utf8``.
    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
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
