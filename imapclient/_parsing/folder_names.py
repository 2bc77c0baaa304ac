"""Folder names as servers write them: whether one matches a pattern, and whether one is a form of another. No I/O."""

from __future__ import annotations

import re

from ..imap_utf7 import decode_name

# References that have a special meaning on some servers: ~user, /path, #news.
_SPECIAL_REFERENCE = ("~", "/", "#")
# A longer name matches nothing: wildcards take time in the square of the name's length.
_MAX_NAME_LENGTH = 5000


def matches_pattern(name: str, delimiter: str | None, reference: str, pattern: str) -> bool:
    """Whether a server may return a folder for a LIST command with this reference and pattern (RFC 9051, 6.3.9).

    ``*`` stands for any text, ``%`` for any text without a delimiter. Servers interpret a reference in their own way.
    So these differences are ignored: letter case, the Unicode form, and a delimiter between reference and pattern. A
    reference that starts with ``~``, ``/`` or ``#`` may match any folder.
    """
    whole = reference + pattern
    if len(name) > _MAX_NAME_LENGTH:
        return False
    if whole.startswith(_SPECIAL_REFERENCE) or (pattern == "*" and not reference) or not pattern:
        return True
    any_level = f"[^{re.escape(delimiter)}]*" if delimiter else ".*"
    forms = {whole, f"{reference}{delimiter or ''}{pattern}"}
    for form in forms:
        parts = re.split(r"([*%]+)", _folded(form))
        # Several wildcards in a row become one, because an expression with many would take exponential time.
        joined = "".join(
            (".*" if "*" in part else any_level) if part[:1] in ("*", "%") else re.escape(part) for part in parts
        )
        if re.fullmatch(joined, _folded(name), re.DOTALL):
            return True
    return False


def _folded(name: str) -> str:
    return _composed(name).casefold().rstrip("/.\\")


def _composed(text: str) -> str:
    # Imported here: its table of characters is large, and few sessions need it.
    from unicodedata import normalize

    return normalize("NFC", text)


def is_form_of(name: bytes, wanted: bytes) -> bool:
    """Whether ``name`` may be a server's way to write the folder ``wanted``. Both are as on the wire.

    These differences are ignored:

    - letter case and the Unicode form, modified UTF-7 or UTF-8
    - quotes and backslashes, the amount of white space
    - ``/`` or ``.`` between the levels and at the end
    - more levels in front: the prefix of a namespace, such as Courier's ``INBOX.``
    """
    return any(_ends_with(one, other) or _ends_with(other, one) for one in _forms(name) for other in _forms(wanted))


def _ends_with(name: str, levels: str) -> bool:
    return name == levels or (levels != "" and name.endswith("/" + levels))


def _forms(name: bytes) -> set[str]:
    """The name as text, decoded in both ways, without the differences that are ignored."""
    forms = set()
    for utf8 in (False, True):
        text = _composed(re.sub(r'["\\]+', "", decode_name(name, utf8))).casefold()
        forms.add(re.sub(r"[/.]+", "/", " ".join(text.split())).strip("/"))
    return forms
