"""What a search found: SEARCH, SORT, ESEARCH and THREAD responses. No I/O; total: a value or ProtocolError.

Each function takes a response's line and where in it the data starts.
"""

from __future__ import annotations

import array
import binascii
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ..exceptions import ProtocolError
from .lexer import MAX_DEPTH, around, brief, read_values


class SearchIds(list[int]):
    """The message ids that a search found: a list of int, ``[1, 5, 9]``.

    ``modseq`` is the highest mod-sequence of the messages found where the search asked for it (RFC 7162, 3.1.5),
    else None.
    """

    def __init__(self, *args: Iterable[int]) -> None:
        super().__init__(*args)
        self.modseq: int | None = None


SearchIds.__module__ = "imapclient.response_types"


# A reply is read a block at a time, so that all forms of a block stay in the processor's cache. Three ways, from the
# fastest: ids of equal width all at once, any ids as a JSON array, and one by one, which also tells what is wrong.
# Digits stay, a space becomes a comma, anything else something that JSON does not know.
_TO_JSON = bytes(c if c in b"0123456789" else ord(",") if c == ord(" ") else ord("!") for c in range(256))
_SEARCH_BLOCK = 32768
_LONGEST_ID = 20
_EXTENDED = re.compile(rb"\((?:MODSEQ (\d{1,20})|(?!MODSEQ)[A-Z][^()]*)\)\Z", re.IGNORECASE)


def parse_search(line: bytes, start: int) -> SearchIds:
    """The ids of one SEARCH or SORT response, in its order: ``parse_search(b'* SEARCH 2 3 6', 8) == [2, 3, 6]``."""
    end = len(line)
    modseq = None
    if line[-1:] in (b" ", b")"):
        text = line.rstrip(b" ")
        end = len(text)
        # What an extension has to say follows the ids in parentheses (RFC 4466, 2.6.2): MODSEQ, of which more is known.
        extended = text.find(b"(", start)
        match = _EXTENDED.match(text, extended) if extended >= 0 else None
        if match:
            modseq = None if match.group(1) is None else int(match.group(1))
            end = len(text[:extended].rstrip(b" "))
    ids = SearchIds()
    while start < end:
        stop = line.find(b" ", min(start + _SEARCH_BLOCK, end), end)
        if stop < 0:
            stop = end
        known = len(ids)
        try:
            if stop - start > _SEARCH_BLOCK + _LONGEST_ID:
                # Not for int(), which takes time in the square of the digits where Python has no limit for them.
                raise ValueError
            # Each id with the space before it.
            for piece in _pieces_of_equal_width(b" " + line[start:stop]):
                ids += _ids_of_equal_width(piece) or _ids_in_json(piece)
        except ValueError:
            del ids[known:]
            ids += _search_ids(line, start, stop)
        start = stop + 1
    ids.modseq = modseq
    return ids


def _ids_in_json(text: bytes) -> list[int]:
    # Here, since the ids of most searches are of equal width, and few programs need json otherwise.
    import json

    ids: list[int] = json.loads(text[1:].translate(_TO_JSON).decode("ascii").join("[]"))
    if ids and max(ids) >= 10**20:
        raise ValueError
    return ids


def _pieces_of_equal_width(text: bytes) -> Iterator[bytes]:
    """Cut where ids in ascending order get one more digit. What is in no order is left whole."""
    start = width = 0
    while start < len(text):
        before, width = width, _width(text, start)
        end = _end_of_width(text, start, width) if width > before else len(text)
        yield text[start:end]
        start = end


def _width(text: bytes, space: int) -> int:
    """How many digits follow a space."""
    end = text.find(b" ", space + 1)
    return (end if end >= 0 else len(text)) - space - 1


def _end_of_width(text: bytes, start: int, width: int) -> int:
    """Where the ids of a width, of which there is one at ``start``, end, by bisection."""
    low, high = start, text.rfind(b" ")
    if len(text) - high - 1 == width:
        return len(text)
    while True:
        half = (low + high) // 2 + 1
        middle = text.find(b" ", half, high)
        if middle < 0:
            middle = text.rfind(b" ", low + 1, half)
        if middle < 0:
            return high
        if _width(text, middle) == width:
            low = middle
        else:
            high = middle


# Two decimal digits in a byte (BCD) -> the number from 0 to 99 that they make, or that and _MARK where a space took the
# place of the first one; 255 for what has any other hexadecimal digit in it.
_MARK = 128
_FROM_BCD = bytes(
    (0 if b >> 4 == 10 else b >> 4) * 10 + (b & 15) + (_MARK if b >> 4 == 10 else 0)
    if b >> 4 <= 10 and b & 15 < 10
    else 255
    for b in range(256)
)
_SPACE_TO_TEN = bytes(ord("a") if c == ord(" ") else 255 if c in b"aA" else c for c in range(256))


def _ids_of_equal_width(text: bytes) -> array.array[int] | None:
    """The ids of a text if they all have the same number of digits, as nearly all of a mailbox have; else None.

    As hexadecimal digits, two of an id make a byte (BCD). One call makes each byte the number from 0 to 99 that it
    stands for, and arithmetic on the whole text as one int then puts the bytes of each id together.
    """
    width = _width(text, 0)
    count = len(text) // (width + 1)
    if not 0 < width <= 8 or len(text) != count * (width + 1):
        return None
    size = (width + 1) // 2
    low, marks, fixed = _lanes(count, size, width & 1)
    if width & 1:
        # The space makes the number of digits even, and leaves its mark.
        digits = text.translate(_SPACE_TO_TEN)
    elif text[:: width + 1].count(b" ") == count == text.count(b" "):
        digits = text.translate(None, b" ")
    else:
        return None
    # ValueError where it is not all digits.
    value = int.from_bytes(binascii.unhexlify(digits).translate(_FROM_BCD), "big")
    if value & fixed != marks:
        return None
    value -= marks
    ids = value
    for place in range(1, size):
        # 256 * a + b - 156 * a = 100 * a + b
        ids -= (value >> 8 * place & low) * (256**place - 100**place)
    packed = ids.to_bytes(size * count, "big")
    lanes = bytearray(4 * count)
    for place in range(size):
        lanes[4 - size + place :: 4] = packed[place::size]
    found = array.array("i", lanes)
    if sys.byteorder == "little":
        found.byteswap()
    return found


@functools.lru_cache(maxsize=32)
def _lanes(count: int, size: int, is_marked: int) -> tuple[int, int, int]:
    """For ``count`` lanes of ``size`` bytes: the lowest byte of each, the marks, and what must be as it is in these."""
    low = b"\xff".rjust(size, b"\0")
    marks = bytes([_MARK if is_marked else 0]).ljust(size, b"\0")
    fixed = bytes([0xF0 if is_marked else _MARK]).ljust(size, bytes([_MARK]))
    low_lanes, mark_lanes, fixed_lanes = (int.from_bytes(lane * count, "big") for lane in (low, marks, fixed))
    return low_lanes, mark_lanes, fixed_lanes


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


# -- ESEARCH

# More ids than this are not expanded: a range of a few bytes could stand for 4,294,967,295 of them.
MAX_EXPANDED = 10_000_000


_CORRELATOR = re.compile(rb' *\(TAG "?([^ ()"]+)"?\)', re.IGNORECASE)


def correlator(line: bytes, start: int) -> bytes | None:
    """The tag of the command that an ESEARCH response answers, in upper case, if it tells (RFC 9051, 7.3.4).

    ``correlator(b'* ESEARCH (TAG "A1") UID ALL 2', 10) == b'A1'``.
    """
    match = _CORRELATOR.match(line, start)
    return None if match is None else match.group(1).upper()


def parse_esearch(line: bytes, start: int, room: int = MAX_EXPANDED) -> SearchIds:
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
        if highest - lowest + len(ids) >= room:
            raise ProtocolError(f"more than {MAX_EXPANDED} ids in an ESEARCH response")
        ids.extend(range(lowest, highest + 1))
    return ids


# -- THREAD

_THREAD_TOKEN = re.compile(rb"[()]|[^ ()]+")


def parse_thread(line: bytes, start: int, max_depth: int = MAX_DEPTH) -> tuple[Any, ...]:
    """The threads of a THREAD response (RFC 5256, 4): each the ids on its way, then a tuple for each branch.

    ``parse_thread(b'* THREAD (2)(3 6 (4 23)(44 7 96))', 9) == ((2,), (3, 6, (4, 23), (44, 7, 96)))``.
    """
    current: list[Any] = []
    stack: list[list[Any]] = []
    for match in _THREAD_TOKEN.finditer(line, start):
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
            raise ProtocolError(
                _thread_problem(token, bool(stack), max_depth), match.start(), around(line, match.start())
            )
    if stack:
        raise ProtocolError("a parenthesis is not closed", len(line), around(line, len(line)))
    return tuple(current)


def _thread_problem(token: bytes, is_open: bool, max_depth: int) -> str:
    if token == b"(":
        return f"nested deeper than the limit max_nesting_depth={max_depth}"
    if token == b")":
        return "a parenthesis closes nothing"
    return f"not a message id: {brief(token)}" if is_open else f"not a thread: {brief(token)}"
