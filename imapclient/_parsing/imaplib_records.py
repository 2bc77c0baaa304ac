"""IMAPClient's functions that parse responses. They take imaplib's records. No I/O.

The client's own commands use other modules: fetch/parser.py, search.py, folders.py, response_codes.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..exceptions import FetchError, ProtocolError
from .fetch.results import FetchItems, FetchResult
from .records import Record
from .responses import ReadOptions, Untagged

if TYPE_CHECKING:
    from .search import SearchIds


def parse_response(data: Sequence[Record | None]) -> tuple[Any, ...]:
    """The values of any response: ``parse_response([b'INBOX (MESSAGES 3)']) == (b'INBOX', (b'MESSAGES', 3))``.

    ``data`` is a list of records, as imaplib returns them. If no response came, imaplib returns ``[None]``, which gives
    ``()``. Raises ProtocolError if the data is not valid.
    """
    # Imported here, because not every program needs it.
    from .folders import with_name
    from .lexer import read_values

    records = [record for record in data if record is not None]
    return with_name(read_values(_untagged(records)))


def parse_message_list(data: Sequence[bytes | str | None]) -> SearchIds:
    """The ids in a SEARCH response: ``parse_message_list([b'1 5 9 (MODSEQ 35)']) == [1, 5, 9]``, with modseq 35.

    Raises ValueError if there is not exactly one record, ProtocolError if it is not a list of ids.
    """
    from .search import SearchIds, parse_search

    if len(data) != 1:
        raise ValueError("unexpected message list data")
    record = data[0]
    if record is None:
        return SearchIds()
    return parse_search(_untagged([record.encode("ascii") if isinstance(record, str) else record]))


def parse_fetch_response(
    text: Sequence[Record | None], normalise_times: bool = True, uid_is_key: bool = True, *, strict: bool = False
) -> FetchResult:
    """The messages in FETCH responses: ``parse_fetch_response([b'3 (UID 8 FLAGS (\\Seen))'])`` is
    ``{8: {b'SEQ': 3, b'FLAGS': (b'\\Seen',)}}``.

    With ``uid_is_key`` the key is the message's UID, or its sequence number if the response has no UID. Otherwise the
    key is the sequence number, and the UID is an item. With ``normalise_times`` datetimes are naive and in local time;
    otherwise they have the zone that the server sent.

    An item that can't be parsed is None, and an error about it is in the ``errors`` of the result. With ``strict`` it
    raises ProtocolError instead. Data that is not a FETCH response raises ProtocolError in both cases. The result is a
    defaultdict, as with IMAPClient: looking up a message that is missing gives ``{}``.
    """
    records = [record for record in text if record is not None]
    try:
        return _read_strictly(records, normalise_times, uid_is_key)
    except ProtocolError:
        if strict:
            raise
    result = FetchResult(default_factory=dict)
    for response in _responses(records):
        number, items, errors = _read_leniently(response, normalise_times)
        message: int | None = number
        # If an error is not about a single item, the UID may be in the part that could not be read.
        if uid_is_key and (b"UID" in items or any(error.item is None for error in errors)):
            message = items.pop(b"UID", None)
        for error in errors:
            error.message = message
        result.errors += errors
        if message is not None:
            result[message].update(items)
    return result


def _read_strictly(records: list[Record], normalise_times: bool, uid_is_key: bool) -> FetchResult:
    from .fetch.parser import fetch_items
    from .lexer import brief, read_values

    values = read_values(_untagged(records))
    result = FetchResult(default_factory=dict)
    for index in range(0, len(values), 2):
        if index + 1 == len(values):
            raise ProtocolError(f"a FETCH response without its items: {brief(values[index])}")
        number, items = values[index], values[index + 1]
        if not isinstance(number, int):
            raise ProtocolError(f"invalid message number: {brief(number)}")
        parsed = fetch_items(number, items, normalise_times)
        if uid_is_key:
            number = parsed.pop(b"UID", number)
        result[number].update(parsed)
    return result


def _responses(records: list[Record]) -> Iterator[list[Record]]:
    """The records of each response. After a literal, the same response continues."""
    response: list[Record] = []
    for record in records:
        response.append(record)
        if not isinstance(record, tuple):
            yield response
            response = []
    if response:
        yield response


# What stands before the items in "3 (UID 8)".
_NUMBER = rb" *(\d{1,20}) +"


def _read_leniently(response: list[Record], normalise_times: bool) -> tuple[int, FetchItems, list[FetchError]]:
    # Imported here, because few responses need it.
    from .fetch.lenient import read_leniently
    from .lexer import unreadable

    untagged = _untagged(response)
    match = re.match(_NUMBER, untagged.line)
    if match is None:
        raise unreadable("not a FETCH response", untagged)
    number = int(match.group(1))
    untagged = Untagged(b"FETCH", number, untagged.line, match.end(), response)
    return (number, *read_leniently(untagged, ReadOptions(normalise_times)))


def _untagged(records: Sequence[Record]) -> Untagged:
    """Make an `Untagged` of a response's data: imaplib has removed what comes before it, such as ``* LIST``."""
    first = records[0] if records else b""
    return Untagged(b"", None, first[0] if isinstance(first, tuple) else first, 0, records)


for _function in (parse_response, parse_message_list, parse_fetch_response):
    _function.__module__ = "imapclient.response_parser"
