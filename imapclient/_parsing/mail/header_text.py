"""The text of header fields: encoded words (RFC 2047) and parameters (RFC 2231). No I/O; never raises.

Any bytes give a str of one line, without control characters and lone surrogates. So no text can end one header and
start another. A byte that is not valid in its charset becomes U+FFFD. An unknown charset is read as UTF-8.

The standard library's functions for this raise: `email.header.decode_header` for broken base64,
`email.utils.decode_params` for a section with a long number.
"""

from __future__ import annotations

import binascii
import codecs
import encodings.aliases
import functools
import re
from collections.abc import Sequence
from typing import Any

# The expressions in this module are text: compiling them takes a while, so `re` does it when they are first used.

# -- plain text

_FOLD = r"\r?\n(?=[ \t])"
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_SURROGATE = "[\ud800-\udfff]"


def decode_text(raw: bytes) -> str:
    """UTF-8 text without encoded words: ``decode_text(b'caf\\xc3\\xa9') == 'café'``."""
    return _one_line(raw.decode("utf-8", "replace"))


def _one_line(text: str) -> str:
    """Text unfolded (RFC 5322, 2.2.3), with a space in place of each remaining control character."""
    if text.isprintable():
        return text
    text = re.sub(_CONTROL, " ", re.sub(_FOLD, "", text))
    # From UTF-7, the only charset that can encode half of a surrogate pair.
    return re.sub(_SURROGATE, "\ufffd", text)


# -- charsets

# The superset that mailers mean by the name of a charset, as in the WHATWG's Encoding Standard. Most messages in
# "gb2312" have characters of gb18030.
_MEANT = {
    "ascii": "utf-8",
    "big5": "cp950",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "shift_jis": "cp932",
}
# Names that mailers use and Python does not know.
_OTHER_NAMES = {
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "x-euc-jp": "euc-jp",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
}
# Codecs of Python that are not charsets of mail. Two of them take quadratic time.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


@functools.lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    """The names of Python's codecs, normalised.

    Other names must not reach `codecs.lookup`: it keeps every name in memory, and is slow for an unknown one. The
    sender of a mail chooses these names.
    """
    # Imported here: it is slow to import, and few programs need it.
    import pkgutil

    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset((*encodings.aliases.aliases, *encodings.aliases.aliases.values(), *modules))


def _decode(raw: bytes, charset: str) -> str:
    charset = _OTHER_NAMES.get(charset.lower(), charset.lower())
    name = encodings.normalize_encoding(charset)
    if name not in _known_names() and name.replace(".", "_") not in _known_names():
        return raw.decode("utf-8", "replace")
    try:
        name = codecs.lookup(charset).name
        if name not in _NO_CHARSETS:
            return raw.decode(_MEANT.get(name, name), "replace")
    except (LookupError, ValueError):
        pass
    return raw.decode("utf-8", "replace")


# -- encoded words

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2047, 2; RFC 2231, 5)
# Mailers also send spaces and question marks in the encoded text, and no space between a word and other text. The
# limits keep the time linear in the length of any text.
_WORD = rb"""(?x)
    =\? ([\w.:()+-]{0,60}) (?: \* [^?\s]{0,60} )? \? ([BbQq]) \?
    ( [^?]* (?: \? (?!=) [^?]* ){0,20} ) \?=
"""
_NOT_BASE64 = bytes(sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")))


def decode_words(raw: bytes) -> str:
    """Text with its encoded words decoded: ``decode_words(b'=?utf-8?q?caf=C3=A9?= =?utf-8?b?4oKs?=') == 'café€'``.

    Adjacent words in one charset are decoded together, since some mailers cut within a character.
    """
    if b"=?" not in raw:
        return decode_text(raw)
    pieces: list[tuple[str, list[bytes]]] = []
    position = 0
    for word in re.finditer(_WORD, raw):
        between = raw[position : word.start()]
        follows_word = position > 0 and not between.strip()
        if between and not follows_word:
            pieces.append(("utf-8", [between]))
        charset = word.group(1).decode("ascii").lower()
        encoding, text = word.group(2, 3)
        content = _base64(text) if encoding in b"Bb" else binascii.a2b_qp(text, header=True)
        if follows_word and pieces[-1][0] == charset:
            pieces[-1][1].append(content)
        else:
            pieces.append((charset, [content]))
        position = word.end()
    pieces.append(("utf-8", [raw[position:]]))
    return _one_line("".join(_decode(b"".join(contents), charset) for charset, contents in pieces))


def _base64(text: bytes) -> bytes:
    """Decoded base64. Characters outside the alphabet are skipped. Padding may stand anywhere, or be missing."""
    runs = []
    for run in text.translate(None, _NOT_BASE64).split(b"="):
        if len(run) % 4 == 1:
            # One character has six bits: less than a byte.
            run = run[:-1]
        runs.append(binascii.a2b_base64(run + b"=" * (-len(run) % 4)))
    return b"".join(runs)


# -- parameters

# parameter name = attribute ["*" section] ["*"] (RFC 2231, 7). The last asterisk marks an extended value. That is
# percent-encoded, and its first section starts with charset and language.
_SECTION = r"([^*]+)(?:\*([0-9]{1,4}))?(\*)?"
_PERCENT = rb"%([0-9A-Fa-f]{2})"


def decode_parameters(fields: Any) -> dict[str, str]:
    """The parameters in a list of names and values, as text. Names are in lower case, values are decoded.

    ``decode_parameters((b'CHARSET', b'utf-8', b'NAME*', b"utf-8''%E2%82%AC"))`` is
    ``{'charset': 'utf-8', 'name': '€'}``.

    Values may be extended, in sections, in encoded words, or raw UTF-8. If a name occurs twice, the first value is
    used, and an extended value rather than a plain one. NIL is an empty value: Exchange sends it so. A name or value
    that is not a string is omitted. Anything but a list gives ``{}``.
    """
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[bytes, bool]]] = {}
    if not isinstance(fields, (tuple, list)):
        return plain
    for raw_name, raw_value in zip(fields[::2], fields[1::2]):
        value = b"" if raw_value is None else b"%d" % raw_value if isinstance(raw_value, int) else raw_value
        if not (isinstance(raw_name, bytes) and isinstance(value, bytes)):
            continue
        name = decode_text(raw_name).strip().lower()
        match = re.fullmatch(_SECTION, name)
        if match is not None and name != match[1]:
            extended.setdefault(match[1], {}).setdefault(int(match[2] or 0), (value, bool(match[3])))
        elif name:
            plain.setdefault(name, decode_words(value))
    for name, sections in extended.items():
        # Some mailers send an empty extended value and the text in a plain one.
        plain[name] = _extended([sections[number] for number in sorted(sections)]) or plain.get(name, "")
    return plain


# parameter = attribute "=" value, each after a semicolon (RFC 2045, 5.1)
_PARAMETER = rb'(?s);\s*([^\s=;"]+)\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^;"]*))'


def split_parameters(raw: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """A field's value, and its parameters as a list of names and values, not decoded.

    ``split_parameters(b'inline; filename="a b"; size=3')`` is ``(b'inline', (b'filename', b'a b', b'size', b'3'))``.
    """
    fields: list[bytes] = []
    for name, quoted, plain in re.findall(_PARAMETER, raw):
        fields += name, re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain.strip()
    return raw.partition(b";")[0].strip(), tuple(fields)


def _extended(sections: Sequence[tuple[bytes, bool]]) -> str:
    """The text of a value in sections: pairs of bytes and whether these are percent-encoded."""
    first, is_encoded = sections[0]
    charset = b""
    parts = [value for value, _ in sections]
    if is_encoded and first.count(b"'") >= 2:
        charset, _, parts[0] = first.split(b"'", 2)
    content = b"".join(_unpercent(part) if encoded else part for part, (_, encoded) in zip(parts, sections))
    if charset:
        return _one_line(_decode(content, charset.decode("ascii", "replace")))
    return decode_words(content)


def _unpercent(text: bytes) -> bytes:
    return re.sub(_PERCENT, lambda match: bytes([int(match[1], 16)]), text)
