"""What is said about folders: LIST, STATUS, NAMESPACE, ACL, QUOTA. No I/O; total: a value or ProtocolError.

The functions take a response's line, where in it the data starts, and its records if it has literals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from ._parsing.records import Record
from .exceptions import ProtocolError
from .imap_utf7 import decode_name
from .response_lexer import MAX_DEPTH, around, brief, number, read_values
from .response_types import Quota


class ListItem(NamedTuple):
    """One LIST or LSUB response: ``ListItem((b'\\\\HasNoChildren',), b'/', b'INBOX', ())``."""

    flags: tuple[bytes, ...]
    delimiter: bytes | None
    name: bytes
    extended: tuple[Any, ...]


# mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox, without escapes in the name
# and without the control characters at which bytes.split() would end a flag
_LIST = re.compile(rb' *\(([^()"{\n\r\v\f]*)\) (?:"(?:\\(.)|([^\\"]))"|[Nn][Ii][Ll]) (?:"([^"\\]*)"|([^ "(){\\]+))\Z')


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


def parse_list(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> ListItem:
    """One LIST, LSUB or XLIST response (RFC 9051, 7.3.1; RFC 5258, 6). The name is as on the wire."""
    if records is None:
        match = _LIST.match(line, start)
        if match:
            flags, escaped, plain, quoted, atom = match.groups()
            return ListItem(tuple(flags.split()), escaped or plain, atom if quoted is None else quoted, ())
    values = read_values(line, start, records, max_depth=max_depth, typed=False)
    if len(values) < 3 or not isinstance(values[0], tuple) or not isinstance(values[1], bytes):
        raise ProtocolError("not a LIST response", start, around(line, start))
    flags, delimiter, name, *rest = values
    extended: tuple[Any, ...] = ()
    if rest and isinstance(rest[-1], tuple):
        extended = rest.pop()
    if rest:
        # A name with spaces and no quotes.
        name = b" ".join(word for word in (name, *rest) if isinstance(word, bytes))
    if records is None and isinstance(name, bytes) and (rest or b"\t" in line):
        name = _bare_name(line, start) or name
    if not isinstance(name, bytes):
        raise ProtocolError("a LIST response without a name", start, around(line, start))
    return ListItem(
        tuple(flag for flag in flags if isinstance(flag, bytes)),
        None if delimiter.upper() == b"NIL" else delimiter or None,
        name,
        extended,
    )


# The name of a LIST response to its end, or up to the extended data, where it has spaces or tabs and no quotes. Both
# are text, of which `re` makes expressions where they are first needed, which is hardly ever.
_BARE_NAME = rb'(?s) *\([^()]*\) (?:"(?:\\.|[^\\"])"|[Nn][Ii][Ll]) ([^"(){ ][^"({]*?)(?: +\(.*\))?\Z'
_BARE_STATUS_NAME = rb' *([^"(){ ][^"({]*?) +\('


def _bare_name(line: bytes, start: int) -> bytes | None:
    match = re.match(_BARE_NAME, line[start:])
    return match.group(1) if match else None


def _bare_status_name(line: bytes, start: int) -> bytes | None:
    match = re.match(_BARE_STATUS_NAME, line[start:])
    return match.group(1) if match else None


def parse_status(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> tuple[bytes, dict[bytes, Any]]:
    """One STATUS response: ``(b'INBOX', {b'MESSAGES': 3, b'UIDNEXT': 7})``. The name is as on the wire.

    status-att-val's are numbers but for objectids in parentheses (RFC 9051, 7.3.4; RFC 8474, 4).
    """
    # Twice, since a name may look like a number or NIL.
    *names, items = read_values(line, start, records, max_depth=max_depth) or [None]
    words = read_values(line, start, records, max_depth=max_depth, typed=False)[:-1]
    if not names or not isinstance(items, tuple) or not all(isinstance(word, bytes) for word in words):
        raise ProtocolError("not a STATUS response", start, around(line, start))
    if len(items) % 2 or not all(isinstance(key, bytes) for key in items[::2]):
        raise ProtocolError("not pairs of STATUS items", start, around(line, start))
    name = b" ".join(words)
    if records is None and (len(words) > 1 or b"\t" in line):
        name = _bare_status_name(line, start) or name
    return name, dict(zip((key.upper() for key in items[::2]), items[1::2]))


# -- NAMESPACE

NamespaceKind = Optional[tuple[tuple[bytes, Optional[bytes]], ...]]


def parse_namespace(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> tuple[NamespaceKind, NamespaceKind, NamespaceKind]:
    """A NAMESPACE response: ``(((b'', b'/'),), None, ((b'Public/', b'/'),))``, as on the wire (RFC 2342, 6)."""
    values = read_values(line, start, records, max_depth=max_depth)
    if len(values) != 3:
        raise ProtocolError("not a NAMESPACE response", start, around(line, start))
    personal, other, shared = [_namespace_kind(value) for value in values]
    return personal, other, shared


def _namespace_kind(value: Any) -> NamespaceKind:
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not a list of namespaces: {brief(value)}")
    kind = []
    for item in value:
        prefix, delimiter, *_ = item if isinstance(item, tuple) and len(item) >= 2 else (None, None)
        if not isinstance(prefix, bytes) or not isinstance(delimiter, (bytes, type(None))):
            raise ProtocolError(f"not a namespace: {brief(item)}")
        kind.append((prefix, delimiter or None))
    return tuple(kind)


# -- names in values of any kind

_STATUS_ITEMS = frozenset(
    (
        b"MESSAGES",
        b"RECENT",
        b"UIDNEXT",
        b"UIDVALIDITY",
        b"UNSEEN",
        b"DELETED",
        b"SIZE",
        b"HIGHESTMODSEQ",
        b"MAILBOXID",
        b"APPENDLIMIT",
        b"DELETED-STORAGE",
    )
)


def with_name(values: list[Any]) -> tuple[Any, ...]:
    """The values of a response, whatever it is; those of a LIST or STATUS with their name as bytes.

    A mailbox may be named 666. Both are known by their shape: ``(flags) "/" 666`` and ``666 (MESSAGES 3)``.
    """
    if len(values) == 3 and isinstance(values[0], tuple) and isinstance(values[2], int):
        if values[1] is None or (isinstance(values[1], bytes) and len(values[1]) <= 1):
            values[2] = b"%d" % values[2]
    elif len(values) == 2 and isinstance(values[0], int) and _are_status_items(values[1]):
        values[0] = b"%d" % values[0]
    return tuple(values)


def _are_status_items(value: Any) -> bool:
    if not isinstance(value, tuple) or not value:
        return False
    return all(isinstance(key, bytes) and key.upper() in _STATUS_ITEMS for key in value[::2])


# -- ACL


def parse_acl(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """An ACL response: ``(b'INBOX', [(b'ann', b'lrswi'), (b'-bob', b'w')])``, as on the wire (RFC 4314, 3.6)."""
    words = _words(line, start, records, max_depth)
    if len(words) % 2 != 1:
        raise ProtocolError("not an ACL response", start, around(line, start))
    return words[0], list(zip(words[1::2], words[2::2]))


def _words(line: bytes, start: int, records: Sequence[Record] | None, max_depth: int) -> list[bytes]:
    """Strings and atoms, as they came: a name may look like a number or NIL."""
    words = read_values(line, start, records, max_depth=max_depth, typed=False)
    if not all(isinstance(word, bytes) for word in words):
        raise ProtocolError("a list where there should be none", start, around(line, start))
    return words


# -- quotas


def parse_quota_root(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> tuple[bytes, list[str]]:
    """A QUOTAROOT response: ``(b'INBOX', ['User quota'])``, the folder's name as on the wire (RFC 9208, 4.2.2)."""
    words = _words(line, start, records, max_depth)
    if not words:
        raise ProtocolError("not a QUOTAROOT response", start, around(line, start))
    return words[0], [_root_name(word) for word in words[1:]]


def parse_quota(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> list[Quota]:
    """A QUOTA response: ``[Quota('User quota', 'STORAGE', 12, 51200)]``, one for each resource (RFC 9208, 4.2.1)."""
    *words, resources = read_values(line, start, records, max_depth=max_depth, typed=False) or [None]
    if not isinstance(resources, tuple) or len(resources) % 3 or not _are_bytes(words) or not _are_bytes(resources):
        raise ProtocolError("not a QUOTA response", start, around(line, start))
    # No word is the root "", several are one with spaces and no quotes.
    root = _root_name(b" ".join(words))
    quotas = []
    for name, usage, limit in zip(resources[::3], resources[1::3], resources[2::3]):
        used, allowed = number(usage), number(limit)
        if not isinstance(used, int) or not isinstance(allowed, int):
            raise ProtocolError("usage and limit are no numbers", start, around(line, start))
        quotas.append(Quota(root, name.upper().decode("ascii", "backslashreplace"), used, allowed))
    return quotas


def _are_bytes(values: Sequence[Any]) -> bool:
    return all(isinstance(value, bytes) for value in values)


def _root_name(wire: bytes) -> str:
    """The name of a quota root. It is an astring that no RFC gives an encoding: UTF-8, and any other bytes survive."""
    return decode_name(wire, utf8=True)
