"""Search criteria and sort keys, from a caller's values to arguments of a command (RFC 9051, 6.4.4; RFC 5256). No I/O."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from ..datetime_util import format_criteria_date
from ..exceptions import InvalidCriteriaError, ResponseCode
from ..sequence_set import SEQUENCE_SET_LIMIT, SequenceSet, UidSet, is_sequence_set
from ..util import Text, shortened, to_wire
from .command import Argument, Joined
from .strings import atom, atom_or_string, is_keyword, raw, string

# How many of the words after a search key are text (RFC 9051, 6.4.4; Gmail's extensions). These are quoted where they
# are no atoms; any other word is a key, an atom, a number, a date or a sequence set, and goes out as it is if it can.
_TEXT_OPERANDS = {
    **dict.fromkeys((b"BCC", b"BODY", b"CC", b"FROM", b"SUBJECT", b"TEXT", b"TO"), 1),
    **dict.fromkeys((b"X-GM-RAW", b"X-GM-LABELS", b"EMAILID", b"THREADID"), 1),
    b"HEADER": 2,
}
_KEYWORD_KEYS = (b"KEYWORD", b"UNKEYWORD")


class SearchCriteria(NamedTuple):
    """Criteria as arguments of a command, and what is to be known about their text."""

    arguments: list[Argument]
    #: The charset to name with them, as the caller named it; None where the caller named none.
    charset: bytes | None
    #: Whether all text is ASCII. Where it is not and no charset is named, it is in UTF-8.
    is_ascii: bool
    #: Whether all of it was given as str, so that it can be encoded in another charset.
    is_str: bool


def search_criteria(criteria: Any, charset: str | None) -> SearchCriteria:
    """Criteria as arguments.

    A str or bytes is a whole program, sent raw: ``search_criteria('UNSEEN SINCE 1-Feb-2020', None)``. A sequence is
    encoded item by item: ``['SUBJECT', 'café', ['NOT', 'SEEN']]``. Text in it is encoded in ``charset``, by default in
    UTF-8. InvalidCriteriaError for empty criteria, ValueError for what can't be sent or encoded.
    """
    name = atom(charset, "charset") if charset else None
    encoder = _CriteriaEncoder(charset or "utf-8")
    try:
        if isinstance(criteria, (str, bytes)):
            arguments = encoder.program(criteria)
        elif isinstance(criteria, Iterable):
            arguments = encoder.items(criteria)
        elif criteria is None:
            raise InvalidCriteriaError("no criteria specified")
        else:
            raise TypeError(f"search criteria must be a string or a sequence, not {criteria!r}")
    except UnicodeEncodeError:
        if encoder.encoding != (charset or "utf-8"):
            raise ValueError(f"unknown charset: {charset!r}") from None
        raise
    return SearchCriteria(arguments, name, encoder.is_ascii, encoder.is_str)


def in_another_charset(criteria: Any, refused: SearchCriteria, code: ResponseCode | None) -> SearchCriteria | None:
    """The criteria in the first charset that a BADCHARSET code names and that can hold their text; None without one.

    ``code`` is ``(b'BADCHARSET', ((b'US-ASCII', b'UTF-8'),))``, or without names ``(b'BADCHARSET', ())``.
    """
    names = code[1][0] if code is not None and code[1] else ()
    known = (refused.charset or (b"" if refused.is_ascii else b"UTF-8")).upper()
    if refused.is_str and isinstance(names, tuple):
        for name in names:
            if isinstance(name, bytes) and name.upper() not in (known, b""):
                try:
                    return search_criteria(criteria, name.decode("ascii"))
                except ValueError:
                    pass  # Not all of the text exists in it, or Python does not know it.
    return None


class _CriteriaEncoder:
    """Makes arguments of criteria, and notes what text there was."""

    def __init__(self, charset: str) -> None:
        self.is_ascii = True
        self.is_str = True
        try:
            "x".encode(charset)
            self.encoding = charset
        except LookupError:
            # Python need not know it if the server does: bytes can be sent all the same, and so can ASCII.
            self.encoding = "ascii"

    # -- a sequence

    def items(self, criteria: Iterable[Any]) -> list[Argument]:
        arguments: list[Argument] = []
        # The last key, and how many of its text operands are still to come.
        key, texts = b"", 0
        for item in criteria:
            if _is_collection(item):
                if len(item) == 0:
                    raise InvalidCriteriaError("no criteria specified: there is an empty list among them")
                is_set = key == b"UID" or isinstance(item, UidSet) or all(type(number) is int for number in item)
                arguments.append(SequenceSet(item) if is_set else tuple(self.items(item)))
                key, texts = b"", 0
                continue
            argument = self._item(item, key, texts > 0)
            arguments.append(argument)
            if texts:
                texts -= 1
            elif key in _KEYWORD_KEYS:
                key = b""
            else:
                key = argument.upper() if isinstance(argument, bytes) else b""
                texts = _TEXT_OPERANDS.get(key, 0)
        if not arguments:
            raise InvalidCriteriaError("no criteria specified")
        return arguments

    def _item(self, item: Any, key: bytes, is_text: bool) -> Argument:
        if isinstance(item, (datetime.datetime, datetime.date)):
            return format_criteria_date(item)
        if isinstance(item, int) and not isinstance(item, bool):
            return b"%d" % item
        if not isinstance(item, (str, bytes)):
            raise TypeError(f"not a search criterion: {item!r}")
        data = to_wire(item, self.encoding if is_text or not item.isascii() else "ascii")
        self.is_ascii = self.is_ascii and item.isascii()
        self.is_str = self.is_str and isinstance(item, str)
        if not is_text:
            if is_sequence_set(data):
                return SequenceSet(data) if len(data) > SEQUENCE_SET_LIMIT else data
            if key in _KEYWORD_KEYS:
                # flag-keyword is an atom, and has no other form.
                if not is_keyword(data):
                    raise ValueError(f"not a valid keyword: {shortened(data)}")
                return data
            if data.startswith(b"/"):
                # The name of an entry is always quoted: MODSEQ "/flags/x" all 5 (RFC 7162, 3.1.5).
                return string(data)
        return atom_or_string(data)

    # -- a whole program

    def program(self, criteria: Text) -> list[Argument]:
        if not criteria.strip():
            raise InvalidCriteriaError("no criteria specified")
        as_it_is = raw(criteria, "search criteria")
        # Cut as text: in some charsets a quote or backslash may be half of a character.
        text, encoding = (criteria, self.encoding) if isinstance(criteria, str) else _decoded(criteria, self.encoding)
        self.is_ascii = text.isascii()
        self.is_str = isinstance(criteria, str)
        return [as_it_is] if self.is_ascii else [Joined(_with_literals(text, encoding))]


def _is_collection(item: Any) -> bool:
    return isinstance(item, Collection) and not isinstance(item, (str, bytes, bytearray, memoryview, Mapping))


def _decoded(criteria: bytes, encoding: str) -> tuple[str, str]:
    """Criteria as text, and the encoding that makes the same bytes of it: Latin-1 where they are not in their own."""
    try:
        text = criteria.decode(encoding)
        if text.encode(encoding) == criteria:
            return text, encoding
    except UnicodeError:
        pass
    return criteria.decode("latin-1"), "latin-1"


# A quoted string, or a run without spaces, quotes and parentheses.
_STRING_OR_WORD = r'"((?:[^"\\]|\\.)*)"|([^ "()]+)'


def _with_literals(text: str, encoding: str) -> Iterator[Argument]:
    """A program in pieces: its 8-bit strings and words as literals, what is between as it is."""
    # Where the text ends that was given away, and where that of the last string or word.
    done = last = 0
    for match in re.finditer(_STRING_OR_WORD, text):
        if '"' in text[last : match.start()]:
            break
        last = match.end()
        if not match.group().isascii():
            quoted, word = match.groups()
            content = re.sub(r"\\(.)", r"\1", quoted) if word is None else word
            yield text[done : match.start()].encode("ascii")
            yield string(content.encode(encoding))
            done = last
    if '"' in text[last:]:
        raise ValueError(f"a quote in the search criteria is not closed: {shortened(to_wire(text))}")
    yield text[done:].encode("ascii")


def split_criteria(arguments: list[Argument]) -> list[list[Argument]]:
    """The same criteria in parts that each fit into a command, where their one long sequence set does not.

    What the parts find together is what the whole would. That holds only where the set is neither negated nor in a
    group: ValueError there.
    """
    long_sets = [
        index
        for index, argument in enumerate(arguments)
        if isinstance(argument, SequenceSet) and len(argument.split()) > 1
    ]
    if not long_sets:
        if any(isinstance(argument, tuple) and _has_long_set(argument) for argument in arguments):
            raise ValueError("a list of message ids within a group is too long for one command")
        return [arguments]
    if len(long_sets) > 1 or b"NOT" in [argument.upper() for argument in arguments if isinstance(argument, bytes)]:
        raise ValueError("message ids are too many for one command: search for them in parts")
    (index,) = long_sets
    whole = cast(SequenceSet, arguments[index])
    return [[*arguments[:index], part, *arguments[index + 1 :]] for part in whole.split()]


def unsplit_criteria(arguments: list[Argument]) -> list[Argument]:
    """The criteria as they are. ValueError where they don't fit into one command.

    The order of messages, and which of them belong together, can't be told from parts.
    """
    if len(split_criteria(arguments)) > 1:
        raise ValueError("message ids are too many for one command")
    return arguments


def _has_long_set(group: tuple[Any, ...]) -> bool:
    return any(
        _has_long_set(item) if isinstance(item, tuple) else isinstance(item, SequenceSet) and len(item.split()) > 1
        for item in group
    )


def sort_keys(values: Text | Iterable[Text]) -> tuple[bytes, ...]:
    """Sort criteria as a list: ``sort_keys(['REVERSE SIZE', 'subject']) == (b'REVERSE', b'SIZE', b'SUBJECT')``.

    A value may hold several, with spaces between. ValueError where one is no atom, InvalidCriteriaError for none.
    """
    if isinstance(values, (str, bytes)):
        values = (values,)
    keys = tuple(
        atom(word.upper(), "sort criterion") for value in values for word in to_wire(value).split(b" ") if word
    )
    if not keys:
        raise InvalidCriteriaError("no sort criteria specified")
    return keys
