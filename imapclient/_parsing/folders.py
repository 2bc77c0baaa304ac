"""LIST, STATUS and NAMESPACE responses. No I/O; total: a value or ProtocolError.

The functions take a response's line, where in it the data starts, and its records if it has literals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from ..exceptions import ProtocolError
from .folder_names import bare_name, bare_status_name
from .lexer import MAX_DEPTH, around, brief, read_values
from .records import Record


class ListItem(NamedTuple):
    """One LIST or LSUB response: ``ListItem((b'\\\\HasNoChildren',), b'/', b'INBOX', ())``."""

    flags: tuple[bytes, ...]
    delimiter: bytes | None
    name: bytes
    extended: tuple[Any, ...]


# mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox, without escapes in the name
# and without the control characters at which bytes.split() would end a flag
_LIST = re.compile(rb' *\(([^()"{\n\r\v\f]*)\) (?:"(?:\\(.)|([^\\"]))"|[Nn][Ii][Ll]) (?:"([^"\\]*)"|([^ "(){\\]+))\Z')


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
        name = bare_name(line, start) or name
    if not isinstance(name, bytes):
        raise ProtocolError("a LIST response without a name", start, around(line, start))
    return ListItem(
        tuple(flag for flag in flags if isinstance(flag, bytes)),
        None if delimiter.upper() == b"NIL" else delimiter or None,
        name,
        extended,
    )


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
        name = bare_status_name(line, start) or name
    return name, dict(zip((key.upper() for key in items[::2]), items[1::2]))


# -- NAMESPACE


class Namespace(NamedTuple):
    """The server's namespaces (RFC 2342): each None, or a tuple of (prefix, hierarchy delimiter) pairs.

    ``Namespace(personal=(('', '/'),), other=None, shared=(('Public/', '/'),))``.
    """

    personal: tuple[tuple[str, str | None], ...] | None
    other: tuple[tuple[str, str | None], ...] | None
    shared: tuple[tuple[str, str | None], ...] | None


Namespace.__module__ = "imapclient.response_types"


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
