"""What a search found: SEARCH, SORT, ESEARCH and THREAD responses. No I/O; total: a value or ProtocolError."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..exceptions import ProtocolError
from .lexer import around, brief, read_values, unreadable
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged


class SearchIds(list[int]):
    """The message ids that a search found: a list of int, ``[1, 5, 9]``.

    ``modseq`` is the highest mod-sequence of the messages found where the search asked for it (RFC 7162, 3.1.5),
    else None.
    """

    def __init__(self, *args: Iterable[int]) -> None:
        super().__init__(*args)
        self.modseq: int | None = None


SearchIds.__module__ = "imapclient.response_types"


# A reply is read a block at a time: as a JSON array, or one by one, which also tells what is wrong.
# Digits stay, a space becomes a comma, anything else something that JSON does not know.
_TO_JSON = bytes(c if c in b"0123456789" else ord(",") if c == ord(" ") else ord("!") for c in range(256))
_BLOCK = 32768
_LONGEST_ID = 20
_EXTENDED = re.compile(rb"\((?:MODSEQ (\d{1,20})|(?!MODSEQ)[A-Z][^()]*)\)\Z", re.IGNORECASE)
_WORD = re.compile(rb"[^ \t]+")


def parse_search(response: Untagged) -> SearchIds:
    """The ids of one SEARCH or SORT response, in its order: ``[2, 3, 6]`` for ``* SEARCH 2 3 6``."""
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
    """Where the ids end, and the mod-sequence after them.

    What an extension has to say follows the ids in parentheses (RFC 4466, 2.6.2): MODSEQ, of which more is known.
    """
    text = line.rstrip(b" ")
    place = text.find(b"(", start) if text[-1:] == b")" else -1
    match = _EXTENDED.match(text, place) if place >= 0 else None
    if match is None:
        return len(text), None
    modseq = match.group(1)
    return len(text[:place].rstrip(b" ")), None if modseq is None else int(modseq)


def _ids_in_json(text: bytes) -> list[int]:
    """The ids where they are numbers with one space between; else an empty list."""
    # Not for int(), which takes time in the square of the digits where Python has no limit for them.
    if len(text) > _BLOCK + _LONGEST_ID:
        return []
    # Here, since few programs need json otherwise.
    import json

    try:
        ids: list[int] = json.loads(text.translate(_TO_JSON).decode("ascii").join("[]"))
    except ValueError:
        return []
    return ids if max(ids, default=0) < 10**_LONGEST_ID else []


def _ids_one_by_one(line: bytes, start: int, end: int) -> list[int]:
    """The ids with any spaces and tabs between; ProtocolError says which is none."""
    found = []
    for match in _WORD.finditer(line, start, end):
        word = match.group()
        if not word.isdigit() or len(word) > _LONGEST_ID:
            position = match.start()
            raise ProtocolError(f"not a message id: {brief(word)}", position, around(line, position))
        found.append(int(word))
    return found


# -- ESEARCH

# More ids than this are not expanded: a range of a few bytes could stand for 4,294,967,295 of them.
MAX_EXPANDED = 10_000_000


_CORRELATOR = re.compile(rb' *\(TAG "?([^ ()"]+)"?\)', re.IGNORECASE)


def correlator(response: Untagged) -> bytes | None:
    """The tag of the command that an ESEARCH response answers, in upper case, if it tells (RFC 9051, 7.3.4).

    b'A1' for ``* ESEARCH (TAG "A1") UID ALL 2``.
    """
    match = _CORRELATOR.match(response.line, response.start)
    return None if match is None else match.group(1).upper()


# A range of a sequence set. Some servers leave its end out.
_RANGE = re.compile(rb"(\d{1,10})(?::(\d{0,10}))?")


def parse_esearch(response: Untagged, room: int = MAX_EXPANDED) -> SearchIds:
    """The ids in an ESEARCH response, all of them where it has ALL (RFC 9051, 7.3.4; RFC 4731).

    ``[2, 10, 11]`` for ``* ESEARCH (TAG "A1") UID ALL 2,10:11``.
    """
    items = _esearch_items(read_values(response, typed=False))
    ids = SearchIds()
    modseq = items.get(b"MODSEQ")
    if isinstance(modseq, bytes) and modseq.isdigit() and len(modseq) <= _LONGEST_ID:
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
    """The items by their names: ``{b'ALL': b'2,10:11'}``. Before them stand the correlator and UID."""
    first = 0
    while first < len(values) and (isinstance(values[first], tuple) or values[first].upper() == b"UID"):
        first += 1
    pairs = zip(values[first::2], values[first + 1 :: 2])
    return {key.upper(): value for key, value in pairs if isinstance(key, bytes)}


# -- THREAD

_THREAD_TOKEN = re.compile(rb"[()]|[^ ()]+")


def parse_thread(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[Any, ...]:
    """The threads of a THREAD response (RFC 5256, 4): each the ids on its way, then a tuple for each branch.

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
        elif stack and token.isdigit() and len(token) <= 20:
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
        return "a parenthesis closes nothing"
    return f"not a message id: {brief(token)}" if is_open else f"not a thread: {brief(token)}"
