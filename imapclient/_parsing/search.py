"""SEARCH, SORT, ESEARCH and THREAD responses. No I/O; a value or ProtocolError."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .._import_time import expression
from ..exceptions import ProtocolError
from .lexer import around, brief, read_values, unreadable
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged


class SearchIds(list[int]):
    """The ids of the messages that a search found: ``[1, 5, 9]``, a list of int.

    ``modseq`` is the highest mod-sequence of these messages, if the criteria have MODSEQ (RFC 7162, 3.1.5). Otherwise
    it is None.
    """

    def __init__(self, *args: Iterable[int]) -> None:
        super().__init__(*args)
        self.modseq: int | None = None


SearchIds.__module__ = "imapclient.response_types"

# -- SEARCH and SORT

# How ids with one space between them become a JSON array. Digits stay, a space becomes a comma, and any other byte
# becomes one that JSON does not allow.
_TO_JSON = bytes(c if c in b"0123456789" else ord(",") if c == ord(" ") else ord("!") for c in range(256))
# How many bytes become JSON at once. It limits the time for a hostile number: int() is quadratic in the digits on
# versions of Python that do not limit them.
_BLOCK = 32768
_MAX_DIGITS = 20
# search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")" (RFC 7162, 7); other extensions: RFC 4466, 2.6.2
_EXTENSION = expression(rb"\((?:MODSEQ (\d{1,20})|(?!MODSEQ)[A-Z][^()]*)\)\Z", re.IGNORECASE)
_WORD = expression(rb"[^ \t]+")


def parse_search(response: Untagged) -> SearchIds:
    """The ids in a SEARCH or SORT response, in the server's order: ``[2, 3, 6]`` for ``* SEARCH 2 3 6``."""
    line, start = response.line, response.start
    ids = SearchIds()
    end, ids.modseq = _extension(line, start)
    while start < end:
        stop = line.find(b" ", min(start + _BLOCK, end), end)
        if stop < 0:
            stop = end
        ids += _ids_in_json(line[start:stop]) or _ids_one_by_one(line, start, stop)
        start = stop + 1
    return ids


def _extension(line: bytes, start: int) -> tuple[int, int | None]:
    """The position at which the ids end, and the mod-sequence that follows them, or None."""
    text = line.rstrip(b" ")
    place = text.find(b"(", start) if text[-1:] == b")" else -1
    match = _EXTENSION.match(text, place) if place >= 0 else None
    if match is None:
        return len(text), None
    modseq = match.group(1)
    return len(text[:place].rstrip(b" ")), None if modseq is None else int(modseq)


def _ids_in_json(text: bytes) -> list[int]:
    """The ids, if exactly one space is between any two of them; otherwise ``[]``."""
    if len(text) > _BLOCK + _MAX_DIGITS:
        return []
    # Imported here, since few programs need json otherwise.
    import json

    try:
        ids: list[int] = json.loads(text.translate(_TO_JSON).decode("ascii").join("[]"))
    except ValueError:
        return []
    # If an id has too many digits, the sum is too large. Other sums are rarely so large.
    return ids if sum(ids) < 10**_MAX_DIGITS else []


def _ids_one_by_one(line: bytes, start: int, end: int) -> list[int]:
    """The ids, with any spaces and tabs between them. Raises ProtocolError for the first word that is not an id."""
    found = []
    for match in _WORD.finditer(line, start, end):
        word = match.group()
        if not word.isdigit() or len(word) > _MAX_DIGITS:
            position = match.start()
            raise ProtocolError(f"not a message id: {brief(word)}", position, around(line, position))
        found.append(int(word))
    return found


# -- ESEARCH

# The most ids that ranges expand to: a range of a few bytes can stand for 4,294,967,295 ids.
MAX_EXPANDED = 10_000_000
# search-correlator = SP "(" "TAG" SP tag-string ")" (RFC 9051, 9)
_CORRELATOR = expression(rb' *\(TAG "?([^ ()"]+)"?\)', re.IGNORECASE)


def correlator(response: Untagged) -> bytes | None:
    """The tag of the command that an ESEARCH response answers, in upper case (RFC 9051, 7.3.4).

    b'A1' for ``* ESEARCH (TAG "A1") UID ALL 2``. None if the server has sent no tag.
    """
    match = _CORRELATOR.match(response.line, response.start)
    return None if match is None else match.group(1).upper()


# seq-range = seq-number ":" seq-number (RFC 9051, 9); the second number may be missing.
_RANGE = expression(rb"(\d{1,10})(?::(\d{0,10}))?")


def parse_esearch(response: Untagged, room: int = MAX_EXPANDED) -> SearchIds:
    """The ids in an ESEARCH response: ``[2, 10, 11]`` for ``* ESEARCH (TAG "A1") UID ALL 2,10:11``.

    Without ALL it has no ids (RFC 9051, 7.3.4; RFC 4731). Raises ProtocolError for more than ``room`` ids.
    """
    items = _esearch_items(read_values(response, typed=False))
    ids = SearchIds()
    modseq = items.get(b"MODSEQ")
    if isinstance(modseq, bytes) and modseq.isdigit() and len(modseq) <= _MAX_DIGITS:
        ids.modseq = int(modseq)
    found = items.get(b"ALL")
    if found is None:
        return ids
    for part in found.split(b",") if isinstance(found, bytes) else [b""]:
        match = _RANGE.fullmatch(part)
        if match is None:
            raise unreadable(f"not a sequence set: {brief(found)}", response)
        low, high = match.groups()
        lowest, highest = sorted((int(low), int(high or low)))
        if highest - lowest + len(ids) >= room:
            raise ProtocolError(f"more than {MAX_EXPANDED} ids in an ESEARCH response")
        ids.extend(range(lowest, highest + 1))
    return ids


def _esearch_items(values: list[Any]) -> dict[bytes, Any]:
    """The items by name: ``{b'ALL': b'2,10:11'}``. The correlator and UID, which come before them, are skipped."""
    first = 0
    while first < len(values) and (isinstance(values[first], tuple) or values[first].upper() == b"UID"):
        first += 1
    pairs = zip(values[first::2], values[first + 1 :: 2])
    return {key.upper(): value for key, value in pairs if isinstance(key, bytes)}


# -- THREAD

_THREAD_TOKEN = expression(rb"[()]|[^ ()]+")


def parse_thread(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[Any, ...]:
    """The threads in a THREAD response (RFC 5256, 4). Each id answers the one before it; branches come last.

    ``((2,), (3, 6, (4, 23), (44, 7, 96)))`` for ``* THREAD (2)(3 6 (4 23)(44 7 96))``.
    """
    line, max_depth = response.line, options.max_depth
    current: list[Any] = []
    stack: list[list[Any]] = []
    for match in _THREAD_TOKEN.finditer(line, response.start):
        token = match.group()
        if token == b"(" and len(stack) < max_depth:
            stack.append(current)
            current = []
        elif token == b")" and stack:
            thread = tuple(current)
            current = stack.pop()
            current.append(thread)
        elif stack and token.isdigit() and len(token) <= _MAX_DIGITS:
            current.append(int(token))
        else:
            position = match.start()
            raise ProtocolError(_thread_problem(token, bool(stack), max_depth), position, around(line, position))
    if stack:
        raise ProtocolError("a parenthesis is not closed", len(line), around(line, len(line)))
    return tuple(current)


def _thread_problem(token: bytes, is_open: bool, max_depth: int) -> str:
    if token == b"(":
        return f"nested deeper than the limit max_nesting_depth={max_depth}"
    if token == b")":
        return "unmatched closing parenthesis"
    return f"not a message id: {brief(token)}" if is_open else f"not a thread: {brief(token)}"
