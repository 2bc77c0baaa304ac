"""From the values of a response to what the client hands out. No I/O; total: a value or ProtocolError.

Two kinds of function: those that IMAPClient has (`parse_response`, `parse_message_list`, `parse_fetch_response`), which
take records in imaplib's shape, and those that the commands use, which take a response's line, where in it the data
starts, and its records if it has literals.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import (
    Any,
    Callable,
    NamedTuple,
    Optional,
)

from .datetime_util import parse_to_datetime
from .exceptions import ProtocolError, ResponseCode
from .reader import Record
from .response_lexer import MAX_DEPTH, around, brief, number, read_rest_of_list, read_values
from .response_types import Address, BodyData, Envelope, SearchIds

FetchItems = dict[bytes, Any]


# -- IMAPClient's three


def parse_response(data: Sequence[Record | None]) -> tuple[Any, ...]:
    """Any response's values: ``parse_response([b'INBOX (MESSAGES 3)']) == (b'INBOX', (b'MESSAGES', 3))``.

    ``data`` are records in imaplib's shape; ``[None]``, imaplib's word for nothing, gives ``()``.
    """
    records = [record for record in data if record is not None]
    return tuple(read_values(b"", 0, records))


def parse_message_list(data: Sequence[bytes | str | None]) -> SearchIds:
    """The ids in a SEARCH response: ``parse_message_list([b'1 5 9 (MODSEQ 35)']) == [1, 5, 9]``, modseq 35.

    ValueError unless there is exactly one record.
    """
    if len(data) != 1:
        raise ValueError("unexpected message list data")
    record = data[0]
    if record is None:
        return SearchIds()
    return parse_search(record.encode("ascii") if isinstance(record, str) else record, 0)


def parse_fetch_response(
    text: Sequence[Record | None], normalise_times: bool = True, uid_is_key: bool = True
) -> defaultdict[int, FetchItems]:
    """FETCH responses: ``parse_fetch_response([b'3 (UID 8 FLAGS (\\\\Seen))'])`` is
    ``{8: {b'SEQ': 3, b'FLAGS': (b'\\\\Seen',)}}``.

    With ``uid_is_key`` a message that carries its UID is filed under it, else under its sequence number and the UID
    is an item. With ``normalise_times`` datetimes are naive and in local time, else they carry their zone.
    """
    response: defaultdict[int, FetchItems] = defaultdict(dict)
    values = parse_response(text)
    for index in range(0, len(values), 2):
        if index + 1 == len(values):
            raise ProtocolError(f"a FETCH response without its items: {brief(values[index])}")
        number, items = values[index], values[index + 1]
        if not isinstance(number, int):
            raise ProtocolError(f"invalid message number: {brief(number)}")
        parsed = _fetch_items(number, items, normalise_times)
        if uid_is_key:
            number = parsed.pop(b"UID", number)
        response[number].update(parsed)
    return response


# -- FETCH


def parse_fetch(
    sequence_number: int,
    line: bytes,
    start: int,
    records: Sequence[Record] | None = None,
    normalise_times: bool = True,
    max_depth: int = MAX_DEPTH,
) -> FetchItems:
    """The items of one FETCH response (RFC 9051, 7.5.2), UID and SEQ among them.

    ``parse_fetch(3, b'* 3 FETCH (UID 8 FLAGS (\\\\Seen))', 10)`` is
    ``{b'SEQ': 3, b'UID': 8, b'FLAGS': (b'\\\\Seen',)}``.
    """
    if line[-2:] == b"))":
        match = _UID_AND_FLAGS.match(line, start)
        if match is not None:
            uid, text = match.groups()
            return {b"SEQ": sequence_number, b"UID": int(uid), b"FLAGS": _flag_lists.get(text) or _flags(text)}
    if line[start : start + 1] != b"(":
        raise ProtocolError("a FETCH response without its list of items", start, around(line, start))
    items: FetchItems = {b"SEQ": sequence_number}
    position = start + 1
    index = 0
    while True:
        # Most items are a number, a date or a flat list: one regular expression reads each of these whole.
        match = _SIMPLE_ITEM.match(line, position)
        while match is not None:
            kind = match.lastindex
            key, value = match.group(1, kind)  # type: ignore[arg-type]
            if kind == 2 and key == b"UID":
                items[key] = int(value)
            elif kind == 3 and key == b"FLAGS":
                items[key] = _flag_lists.get(value) or _flags(value)
            else:
                if kind == 2:
                    value = int(value)
                elif kind == 3:
                    value = (number(value),) if value.isdigit() else tuple(read_values(value))
                convert = _CONVERTERS.get(key)
                items[key] = value if convert is None else convert(value, normalise_times)
            position = match.end()
            match = _SIMPLE_ITEM.match(line, position)
        if position == len(line) and line[-1:] == b")" and (records is None or index == len(records) - 1):
            return items
        if records is None or index == len(records) - 1:
            break
        key = _literal_item(line, position)
        if key is None:
            break
        items[key] = records[index][1]
        index += 1
        following = records[index]
        if following == b")" and index == len(records) - 1:
            return items
        line = following[0] if isinstance(following, tuple) else following
        position = 1 if line[:1] == b" " else 0
    rest = None if records is None else records[index:]
    _add_items(items, read_rest_of_list(line, position, rest, max_depth=max_depth), normalise_times)
    return items


# What the synchronisation of a large mailbox mostly brings.
_UID_AND_FLAGS = re.compile(rb"\(UID (\d{1,10}) FLAGS \(([^()\"]*)\)\)\Z")
# One item up to the space or parenthesis after it: a number, a list without lists or strings in it, a string without
# escapes. Names in lower case, NIL and all else go the long way.
_SIMPLE_ITEM = re.compile(
    rb"([A-Z][A-Z0-9.-]*) "
    rb"(?:(0|[1-9]\d{0,18})|\(([^()\"]*)\)|\"([^\"\\]*)\")"
    rb"(?: (?=[A-Z])|\)\Z)"
)
_LITERAL_ITEM = re.compile(rb"(?:BODY|BINARY)\[[A-Z0-9.]*(?: \([A-Z0-9 -]+\))?\](?:<\d+>)?|RFC822(?:\.[A-Z]+)?")
_literal_items: set[bytes] = set()
_flag_lists: dict[bytes, tuple[bytes, ...]] = {}
_MAX_FLAG_LISTS_KEPT = 1024


def _literal_item(line: bytes, start: int) -> bytes | None:
    """The name of the item whose literal the line announces, if that is all it has from ``start`` on."""
    space = line.rfind(b" ")
    name = line[start:space]
    if line[space + 1 : space + 2] != b"{":
        # ~{n}, or no space before it
        return None
    if name not in _literal_items:
        if _LITERAL_ITEM.fullmatch(name) is None:
            return None
        if len(_literal_items) < _MAX_FLAG_LISTS_KEPT and len(name) < 200:
            _literal_items.add(name)
    return name


def _flags(text: bytes) -> tuple[bytes, ...]:
    """The flags of a list. Such lists are mostly one of few."""
    flags = tuple(text.split())
    if len(_flag_lists) < _MAX_FLAG_LISTS_KEPT and len(text) < 200:
        _flag_lists[text] = flags
    return flags


def _fetch_items(number: int, values: Any, normalise_times: bool) -> FetchItems:
    if not isinstance(values, tuple):
        raise ProtocolError(f"not a list of FETCH items: {brief(values)}")
    items: FetchItems = {b"SEQ": number}
    _add_items(items, values, normalise_times)
    return items


def _add_items(items: FetchItems, values: Iterable[Any], normalise_times: bool) -> None:
    """Add pairs of names and values."""
    iterator = iter(values)
    for key in iterator:
        if not isinstance(key, bytes):
            raise ProtocolError(f"not a FETCH item's name: {brief(key)}")
        if b"[" in key and b"]" not in key:
            key = _section(key, iterator)
        try:
            value = next(iterator)
        except StopIteration:
            raise ProtocolError(f"the FETCH item {brief(key)} has no value") from None
        key = key.upper()
        convert = _CONVERTERS.get(key)
        items[key] = value if convert is None else convert(value, normalise_times)


_UID = re.compile(rb"[( ]UID (\d{1,10})[ )]", re.IGNORECASE)


def fetch_uid(line: bytes, start: int) -> int | None:
    """The UID in a FETCH response that can't be read as a whole, where it stands on the first line; else None."""
    match = _UID.search(line, start)
    return int(match.group(1)) if match else None


def _section(key: bytes, rest: Iterable[Any]) -> bytes:
    """The whole name of an item whose section holds strings: ``BODY[HEADER.FIELDS ("Subject")]``."""
    parts = [key]
    for value in rest:
        if isinstance(value, tuple) and all(isinstance(name, bytes) for name in value):
            parts.append(b" (%s)" % b" ".join(value))
        elif isinstance(value, bytes):
            parts.append(value if value.startswith(b"]") else b" " + value)
            if b"]" in value:
                return b"".join(parts)
        else:
            break
    raise ProtocolError(f"the section of {brief(key)} is not closed")


def _uid(value: Any, _: bool) -> int:
    if isinstance(value, bytes) and value.isdigit() and len(value) <= 20:
        # As a literal or a string, seen in fixtures of other clients: UID {4} 2345
        value = int(value)
    if not isinstance(value, int):
        raise ProtocolError(f"invalid UID: {brief(value)}")
    return value


def parse_flags(line: bytes, start: int, records: Sequence[Record] | None = None) -> tuple[bytes, ...]:
    """A list of flags: ``parse_flags(b'* FLAGS (\\\\Seen Work)', 8) == (b'\\\\Seen', b'Work')``."""
    values = read_values(line, start, records, typed=False)
    if len(values) != 1 or not isinstance(values[0], tuple) or not all(isinstance(f, bytes) for f in values[0]):
        raise ProtocolError("not a list of flags", start, around(line, start))
    return values[0]


def _atoms(value: Any, _: bool) -> Any:
    """A list of flags or labels. These are names even where they look like a number or NIL."""
    if not isinstance(value, tuple):
        return value
    for atom in value:
        if not isinstance(atom, bytes):
            return tuple(v if isinstance(v, (bytes, tuple)) else b"NIL" if v is None else b"%d" % v for v in value)
    return value


def _date(value: Any, normalise_times: bool) -> datetime.datetime | None:
    if not isinstance(value, bytes):
        return None
    try:
        return parse_to_datetime(value, normalise_times)
    except ValueError:
        return None


def _addresses(value: Any) -> tuple[Address, ...] | None:
    if not isinstance(value, tuple):
        return None
    addresses = []
    for address in value:
        if isinstance(address, tuple) and len(address) == 4:
            name, route, mailbox, host = address
            if not (type(mailbox) is bytes is type(host) and route is None and (name is None or type(name) is bytes)):
                name, route, mailbox, host = map(_nstring, address)
            addresses.append(Address(name, route, mailbox, host))
        elif address:
            raise ProtocolError(f"not an address: {brief(address)}")
    return tuple(addresses) or None


def _nstring(value: Any) -> bytes | None:
    """A string or NIL. A number is a string that was sent without its quotes."""
    if isinstance(value, int):
        return b"%d" % value
    if value is not None and not isinstance(value, bytes):
        raise ProtocolError(f"not a string: {brief(value)}")
    return value


def _envelope(value: Any, normalise_times: bool) -> Envelope | None:
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not an envelope: {brief(value)}")
    if len(value) != 10:
        value = (value + (None,) * 10)[:10]
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = value
    return Envelope(
        _date(date, normalise_times),
        _nstring(subject),
        _addresses(from_),
        _addresses(sender),
        _addresses(reply_to),
        _addresses(to),
        _addresses(cc),
        _addresses(bcc),
        _nstring(in_reply_to),
        _nstring(message_id),
    )


def _body(value: Any, _: bool) -> Any:
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolError(f"not a body structure: {brief(value)}")
    return BodyData.create(value)


_CONVERTERS: dict[bytes, Callable[[Any, bool], Any]] = {
    b"UID": _uid,
    b"FLAGS": _atoms,
    b"X-GM-LABELS": _atoms,
    b"INTERNALDATE": _date,
    b"ENVELOPE": _envelope,
    b"BODY": _body,
    b"BODYSTRUCTURE": _body,
}


# -- SEARCH

# A reply is read a block at a time, so that all forms of a block stay in the processor's cache. Three ways, from the
# fastest: ids of equal width all at once, any ids as a JSON array, and one by one, which also tells what is wrong.
# Digits stay, a space becomes a comma, anything else something that JSON does not know.
_TO_JSON = bytes(c if c in b"0123456789" else ord(",") if c == ord(" ") else ord("!") for c in range(256))
_SEARCH_BLOCK = 32768
_MODSEQ = re.compile(rb"\(MODSEQ (\d{1,20})\)\Z", re.IGNORECASE)


def parse_search(line: bytes, start: int) -> SearchIds:
    """The ids of one SEARCH or SORT response, in its order: ``parse_search(b'* SEARCH 2 3 6', 8) == [2, 3, 6]``."""
    end = len(line)
    modseq = None
    if line[-1:] in (b" ", b")"):
        text = line.rstrip(b" ")
        match = _MODSEQ.search(text, max(start, len(text) - 40))
        if match:
            modseq = int(match.group(1))
        end = len(text[: match.start()].rstrip(b" ")) if match else len(text)
    ids = SearchIds()
    while start < end:
        stop = line.find(b" ", min(start + _SEARCH_BLOCK, end), end)
        if stop < 0:
            stop = end
        block = line[start:stop]
        try:
            ids += _ids_of_equal_width(block) or json.loads(block.translate(_TO_JSON).decode("ascii").join("[]"))
        except ValueError:
            ids += _search_ids(line, start, stop)
        start = stop + 1
    ids.modseq = modseq
    return ids


# Two decimal digits in a byte (BCD) -> the number that they make; 255 for what has a hexadecimal digit in it.
_FROM_BCD = bytes((b >> 4) * 10 + (b & 15) if b >> 4 < 10 and b & 15 < 10 else 255 for b in range(256))


def _ids_of_equal_width(text: bytes) -> tuple[int, ...] | None:
    """The ids of a block if they all have the same number of digits, as nearly all of a mailbox have; else None.

    Padded to eight digits, an id is four bytes of BCD. One call makes each byte the number from 0 to 99 that it stands
    for, and arithmetic on the whole block as one int then puts pairs of bytes, and pairs of these, together.
    """
    width = text.find(b" ")
    spaces = text[width :: width + 1] if 0 < width <= 8 else b""
    count = len(spaces) + 1
    if len(text) != count * (width + 1) - 1 or spaces.count(b" ") != len(spaces) or text.count(b" ") != len(spaces):
        return None
    padding = b"0" * (8 - width)
    # ValueError where it is not all digits.
    lanes = bytes.fromhex((padding + text.replace(b" ", padding)).decode("ascii")).translate(_FROM_BCD)
    if len(lanes) != 4 * count or b"\xff" in lanes:
        return None
    low_bytes, low_pairs = _lane_masks(count)
    value = int.from_bytes(lanes, "big")
    value = (value >> 8 & low_bytes) * 100 + (value & low_bytes)
    value = (value >> 16 & low_pairs) * 10000 + (value & low_pairs)
    return struct.unpack(f">{count}I", value.to_bytes(4 * count, "big"))


@functools.lru_cache(maxsize=16)
def _lane_masks(count: int) -> tuple[int, int]:
    """For ``count`` lanes of four bytes: every second byte, and every second pair of bytes."""
    return int.from_bytes(b"\x00\xff" * (2 * count), "big"), int.from_bytes(b"\x00\x00\xff\xff" * count, "big")


def _search_ids(line: bytes, start: int, end: int) -> list[int]:
    """The ids from ``start`` to ``end`` where they are not simply numbers with one space between."""
    found = []
    for match in _WORD.finditer(line, start, end):
        word = match.group()
        if not word.isdigit() or len(word) > 20:
            position = match.start()
            raise ProtocolError(f"not a message id: {brief(word)}", position, around(line, position))
        found.append(int(word))
    return found


_WORD = re.compile(rb"[^ \t]+")


# -- LIST, STATUS


class ListItem(NamedTuple):
    """One LIST or LSUB response: ``ListItem((b'\\\\HasNoChildren',), b'/', b'INBOX', ())``."""

    flags: tuple[bytes, ...]
    delimiter: bytes | None
    name: bytes
    extended: tuple[Any, ...]


# mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox, without escapes in the name
_LIST = re.compile(rb' *\(([^()"{]*)\) (?:"(?:\\(.)|([^\\"]))"|[Nn][Ii][Ll]) (?:"([^"\\]*)"|([^ "(){\\]+))\Z')


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
    # Several words are a name with spaces and no quotes.
    return b" ".join(words), dict(zip((key.upper() for key in items[::2]), items[1::2]))


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


# -- text with a response code


def split_response_code(text: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The name of a response code, its arguments as they stand, and the text after it; None where there is no code.

    ``split_response_code(b'[UNSEEN 12] Message 12 is first')`` is ``(b'UNSEEN', b'12', b'Message 12 is first')``.
    A bracket in a quoted argument or in a list does not end the code: keywords such as ``a]b`` exist.
    """
    start = len(text) - len(text.lstrip(b" ")) + 1
    if text[start - 1 : start] != b"[":
        return None
    end = text.find(b"]", start)
    quotes = depth = 0
    counted = start
    while end >= 0:
        quotes += text.count(b'"', counted, end) - text.count(b'\\"', counted, end)
        depth += text.count(b"(", counted, end) - text.count(b")", counted, end)
        if not quotes & 1 and depth <= 0:
            break
        counted, end = end, text.find(b"]", end + 1)
    if end < 0:
        end = text.find(b"]", start)
    if end < 0:
        return None
    name, _, arguments = text[start:end].partition(b" ")
    if not name:
        return None
    return name.upper(), arguments, text[end + 1 :].lstrip(b" ")


def parse_response_text(text: bytes) -> tuple[ResponseCode | None, bytes]:
    """The response code of a status response's text, and the text after it (RFC 9051, 7.1).

    ``parse_response_text(b'[UIDNEXT 8] Predicted')`` is ``((b'UIDNEXT', (8,)), b'Predicted')``. A code whose arguments
    can't be read keeps them as one bytes value: text is for people, and never an error.
    """
    found = split_response_code(text)
    if found is None:
        return None, text
    name, arguments, human = found
    try:
        values = tuple(read_values(arguments))
    except ProtocolError:
        values = (arguments,)
    return (name, values), human


# -- ESEARCH

# More ids than this are not expanded: a range of a few bytes could stand for 4,294,967,295 of them.
MAX_EXPANDED = 10_000_000


def parse_esearch(line: bytes, start: int) -> SearchIds:
    """The ids in an ESEARCH response, all of them where it has ALL (RFC 9051, 7.3.4; RFC 4731).

    ``parse_esearch(b'* ESEARCH (TAG "A1") UID ALL 2,10:11', 10) == [2, 10, 11]``.
    """
    values = read_values(line, start, typed=False)
    ids = SearchIds()
    first = 0
    while first < len(values) and (isinstance(values[first], tuple) or values[first].upper() == b"UID"):
        first += 1
    pairs = zip(values[first::2], values[first + 1 :: 2])
    items = {key.upper(): value for key, value in pairs if isinstance(key, bytes)}
    modseq = items.get(b"MODSEQ", b"")
    if isinstance(modseq, bytes) and modseq.isdigit() and len(modseq) <= 20:
        ids.modseq = int(modseq)
    found = items.get(b"ALL")
    if found is None:
        return ids
    for part in found.split(b",") if isinstance(found, bytes) else [b""]:
        low, _, high = part.partition(b":")
        high = high or low
        if not (low.isdigit() and high.isdigit() and len(low) <= 10 and len(high) <= 10):
            raise ProtocolError(f"not a sequence set: {brief(found)}", start, around(line, start))
        lowest, highest = sorted((int(low), int(high)))
        if highest - lowest + len(ids) >= MAX_EXPANDED:
            raise ProtocolError(f"more than {MAX_EXPANDED} ids in an ESEARCH response")
        ids.extend(range(lowest, highest + 1))
    return ids
