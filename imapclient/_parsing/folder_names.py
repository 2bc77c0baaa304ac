"""Names of folders as servers write them: patterns, and other forms of a name. No I/O."""

from __future__ import annotations

import re
import unicodedata

from ..imap_utf7 import decode_name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().rstrip("/.\\")


# A reference that has a meaning of its own on some servers: ~user, /path, #news.
_SPECIAL_REFERENCE = ("~", "/", "#")


def matches_pattern(name: str, delimiter: str | None, reference: str, pattern: str) -> bool:
    """Whether a folder may answer LIST with a reference and a pattern (RFC 9051, 6.3.9): ``*`` is any text, ``%`` any
    text without a delimiter.

    Letter case and the form of characters don't count, nor whether there is a delimiter between the two, for servers
    put them together in their own ways; one that begins with ``~``, ``/`` or ``#`` may mean anything.
    """
    whole = reference + pattern
    # Nobody has a name as long as that, and wildcards would take time in the square of it.
    if len(name) > 5000:
        return False
    if whole.startswith(_SPECIAL_REFERENCE) or (pattern == "*" and not reference) or not pattern:
        return True
    any_level = f"[^{re.escape(delimiter)}]*" if delimiter else ".*"
    forms = {whole, f"{reference}{delimiter or ''}{pattern}"}
    for form in forms:
        parts = re.split(r"([*%]+)", _folded(form))
        # Several wildcards in a row are one: an expression with many would take time without end.
        joined = "".join(
            (".*" if "*" in part else any_level) if part[:1] in ("*", "%") else re.escape(part) for part in parts
        )
        if re.fullmatch(joined, _folded(name), re.DOTALL):
            return True
    return False


def is_form_of(name: bytes, wanted: bytes) -> bool:
    """Whether a server that was asked about the folder ``wanted`` may call it ``name``. Both as on the wire.

    Servers write a name in their own form. Letter case, the form of characters, modified UTF-7 or UTF-8, quotes and
    backslashes, how much white space, and which of ``/`` and ``.`` stands between the levels, also at the end, do not
    count. Either name may have more levels in front: the prefix of a namespace, as Courier's ``INBOX.``.
    """
    return any(_ends_with(one, other) or _ends_with(other, one) for one in _forms(name) for other in _forms(wanted))


def _ends_with(name: str, levels: str) -> bool:
    return name == levels or (levels != "" and name.endswith("/" + levels))


def _forms(name: bytes) -> set[str]:
    """A name as text, without all that a server may write otherwise."""
    forms = set()
    for utf8 in (False, True):
        text = unicodedata.normalize("NFC", re.sub(r'["\\]+', "", decode_name(name, utf8))).casefold()
        forms.add(re.sub(r"[/.]+", "/", " ".join(text.split())).strip("/"))
    return forms
