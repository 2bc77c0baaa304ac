"""LIST, STATUS and NAMESPACE responses. No I/O; a value or ProtocolError."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from .._import_time import NamedTuple, expression
from ..exceptions import ProtocolError
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged

# -- LIST


class ListItem(NamedTuple):
    """One LIST or LSUB response: ``ListItem((b'\\\\HasNoChildren',), b'/', b'INBOX', ())``."""

    flags: tuple[bytes, ...]
    delimiter: bytes | None
    name: bytes
    extended: tuple[Any, ...]


# mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox (RFC 9051, 9). A name with
# escapes, and a flag with a control character at which bytes.split() would cut, are left to the lexer.
_LIST = expression(rb' *\(([^()"{\n\r\v\f]*)\) (?:"(?:\\(.)|([^\\"]))"|[Nn][Ii][Ll]) (?:"([^"\\]*)"|([^ "(){\\]+))\Z')


def parse_list(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> ListItem:
    """One LIST, LSUB or XLIST response (RFC 9051, 7.3.1; RFC 5258, 6). The name is as on the wire."""
    match = _LIST.match(response.line, response.start) if response.records is None else None
    if match is not None:
        flags, escaped, plain, quoted, atom = match.groups()
        return ListItem(tuple(flags.split()), escaped or plain, atom if quoted is None else quoted, ())
    # Imported here, because few responses need it.
    from .lexer import read_values, unreadable

    values = read_values(response, options, typed=False)
    if len(values) < 3 or not isinstance(values[0], tuple) or not isinstance(values[1], bytes):
        raise unreadable("not a LIST response", response)
    attributes, delimiter, *name = values
    extended = name.pop() if len(name) > 1 and isinstance(name[-1], tuple) else ()
    words = _bytes_among(name)
    if not words:
        raise unreadable("a LIST response without a name", response)
    return ListItem(
        _bytes_among(attributes),
        None if delimiter.upper() in (b"NIL", b"") else delimiter,
        _name(response, words, _BARE_LIST_NAME),
        extended,
    )


def _bytes_among(values: Iterable[Any]) -> tuple[bytes, ...]:
    return tuple(value for value in values if isinstance(value, bytes))


# -- STATUS


def parse_status(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[bytes, dict[bytes, Any]]:
    """The folder's name, as on the wire, and its status: ``(b'INBOX', {b'MESSAGES': 3, b'UIDNEXT': 7})``.

    Values are numbers, except objectids in parentheses (RFC 9051, 7.3.4; RFC 8474, 4).
    """
    from .lexer import read_values, unreadable

    # Read twice, because a name may look like a number or NIL.
    *names, items = read_values(response, options) or [None]
    words = read_values(response, options, typed=False)[:-1]
    if not names or not isinstance(items, tuple) or not all(isinstance(word, bytes) for word in words):
        raise unreadable("not a STATUS response", response)
    if len(items) % 2 or not all(isinstance(key, bytes) for key in items[::2]):
        raise unreadable("not pairs of STATUS items", response)
    pairs = zip(items[::2], items[1::2])
    return _name(response, words, _BARE_STATUS_NAME), {key.upper(): value for key, value in pairs}


# -- names without quotes

# A LIST response's name with spaces or tabs and without quotes: up to the end, or to the extended data.
# Both expressions are text, since they are rarely needed: `re` compiles one when it is first used.
_BARE_LIST_NAME = rb'(?s) *\([^()]*\) (?:"(?:\\.|[^\\"])"|[Nn][Ii][Ll]) ([^"(){ ][^"({]*?)(?: +\(.*\))?\Z'
_BARE_STATUS_NAME = rb' *([^"(){ ][^"({]*?) +\('


def _name(response: Untagged, words: Sequence[bytes], bare_name: bytes) -> bytes:
    """The name, which the lexer has cut into ``words``.

    The server sent it without quotes if there are several words, or a tab. It is then the text that the expression
    ``bare_name`` finds.
    """
    if response.records is None and (len(words) > 1 or b"\t" in response.line):
        match = re.match(bare_name, response.text)
        if match is not None:
            return match.group(1)
    return b" ".join(words)


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
    response: Untagged, options: ReadOptions = DEFAULT_OPTIONS
) -> tuple[NamespaceKind, NamespaceKind, NamespaceKind]:
    """Personal, other users' and shared namespaces: ``(((b'', b'/'),), None, ((b'Public/', b'/'),))``.

    All are as on the wire (RFC 2342, 6).
    """
    from .lexer import read_values, unreadable

    values = read_values(response, options)
    if len(values) != 3:
        raise unreadable("not a NAMESPACE response", response)
    personal, other, shared = [_namespace_kind(value) for value in values]
    return personal, other, shared


def _namespace_kind(value: Any) -> NamespaceKind:
    from .lexer import brief

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


# -- names in responses whose kind is not known

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
    """The values of any response. A folder's name in those of LIST and STATUS is bytes, even if it is 666.

    Both are recognised by their shape: ``(flags) "/" 666`` and ``666 (MESSAGES 3)``.
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
