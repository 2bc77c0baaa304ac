"""Search criteria and sort keys, as arguments of a command (RFC 9051, 6.4.4; RFC 5256). No I/O."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, cast

from .._import_time import NamedTuple
from ..datetime_util import format_criteria_date
from ..exceptions import InvalidCriteriaError, ResponseCode
from ..sequence_set import SEQUENCE_SET_LIMIT, SequenceSet, UidSet, is_sequence_set
from ..util import Text, shortened, to_wire
from .command import Argument, Joined
from .strings import atom, atom_or_string, is_keyword, raw, string

# The number of text operands of each search key that has any (RFC 9051, 6.4.4; Gmail's extensions). Other words are
# keys, atoms, numbers, dates and sequence sets.
_TEXT_OPERANDS = {
    **dict.fromkeys((b"BCC", b"BODY", b"CC", b"FROM", b"SUBJECT", b"TEXT", b"TO"), 1),
    **dict.fromkeys((b"X-GM-RAW", b"X-GM-LABELS", b"EMAILID", b"THREADID"), 1),
    b"HEADER": 2,
}
_KEYWORD_KEYS = (b"KEYWORD", b"UNKEYWORD")


class SearchCriteria(NamedTuple):
    """Criteria as arguments of a command, and the properties of their text."""

    arguments: list[Argument]
    #: The charset to send with them, as the caller wrote it. None if the caller set no charset.
    charset: bytes | None
    #: Whether all text is ASCII. Other text is in UTF-8 if the caller set no charset.
    is_ascii: bool
    #: Whether all text was str. Only then can it be encoded in another charset.
    is_str: bool


def search_criteria(criteria: Any, charset: str | None) -> SearchCriteria:
    """Encode search criteria.

    A str or bytes is sent as it is: ``search_criteria('UNSEEN SINCE 1-Feb-2020', None)``. The items of a sequence are
    encoded one by one: ``['SUBJECT', 'café', ['NOT', 'SEEN']]``. Text is encoded in ``charset``, by default in UTF-8.

    Raises InvalidCriteriaError for empty criteria, and ValueError for text that can't be sent or encoded.
    """
    name = atom(charset, "charset") if charset else None
    encoder = _CriteriaEncoder(charset or "utf-8")
    try:
        if isinstance(criteria, (str, bytes)):
            arguments = encoder.text(criteria)
        elif isinstance(criteria, Iterable):
            arguments = encoder.items(criteria)
        elif criteria is None:
            raise InvalidCriteriaError("no criteria specified")
        else:
            raise TypeError(f"search criteria must be str, bytes or a sequence, not {criteria!r}")
    except UnicodeEncodeError:
        if encoder.encoding != (charset or "utf-8"):
            raise ValueError(f"unknown charset: {charset!r}") from None
        raise
    return SearchCriteria(arguments, name, encoder.is_ascii, encoder.is_str)


def in_another_charset(criteria: Any, refused: SearchCriteria, code: ResponseCode | None) -> SearchCriteria | None:
    """Encode the criteria again, in a charset that the server lists in a BADCHARSET code.

    Returns None if no listed charset can encode the text. ``code`` is ``(b'BADCHARSET', ((b'US-ASCII', b'UTF-8'),))``,
    or ``(b'BADCHARSET', ())`` if the server lists no charset.
    """
    names = code[1][0] if code is not None and code[1] else ()
    known = (refused.charset or (b"" if refused.is_ascii else b"UTF-8")).upper()
    if refused.is_str and isinstance(names, tuple):
        for name in names:
            if isinstance(name, bytes) and name.upper() not in (known, b""):
                try:
                    return search_criteria(criteria, name.decode("ascii"))
                except ValueError:
                    pass  # The charset has no such characters, or Python does not know it.
    return None


class _CriteriaEncoder:
    """Encodes criteria, and records the properties of their text."""

    def __init__(self, charset: str) -> None:
        self.is_ascii = True
        self.is_str = True
        try:
            "x".encode(charset)
            self.encoding = charset
        except LookupError:
            # The server may know a charset that Python does not know. Bytes, and text in ASCII, can still be sent.
            self.encoding = "ascii"

    # -- a sequence

    def items(self, criteria: Iterable[Any]) -> list[Argument]:
        arguments: list[Argument] = []
        # The last search key, and the number of its text operands that are still missing.
        key, texts = b"", 0
        for item in criteria:
            if _is_collection(item):
                if len(item) == 0:
                    raise InvalidCriteriaError("no criteria specified: they contain an empty list")
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
            raise TypeError(f"a search criterion must be str, bytes, int, a date or a list, not {item!r}")
        data = to_wire(item, self.encoding if is_text or not item.isascii() else "ascii")
        self.is_ascii = self.is_ascii and item.isascii()
        self.is_str = self.is_str and isinstance(item, str)
        if not is_text:
            if is_sequence_set(data):
                return SequenceSet(data) if len(data) > SEQUENCE_SET_LIMIT else data
            if key in _KEYWORD_KEYS:
                # flag-keyword is an atom and can't be quoted.
                if not is_keyword(data):
                    raise ValueError(f"not a valid keyword: {shortened(data)}")
                return data
            if data.startswith(b"/"):
                # An entry name is always quoted: MODSEQ "/flags/x" all 5 (RFC 7162, 3.1.5).
                return string(data)
        return atom_or_string(data)

    # -- one string

    def text(self, criteria: Text) -> list[Argument]:
        if not criteria.strip():
            raise InvalidCriteriaError("no criteria specified")
        unchanged = raw(criteria, "search criteria")
        # Decode the text before quotes are searched. In some charsets, the byte of a quote may be half of a character.
        text, encoding = (criteria, self.encoding) if isinstance(criteria, str) else _decoded(criteria, self.encoding)
        self.is_ascii = text.isascii()
        self.is_str = isinstance(criteria, str)
        return [unchanged] if self.is_ascii else [Joined(_with_literals(text, encoding))]


def _is_collection(item: Any) -> bool:
    return isinstance(item, Collection) and not isinstance(item, (str, bytes, bytearray, memoryview, Mapping))


def _decoded(criteria: bytes, encoding: str) -> tuple[str, str]:
    """The text of criteria, and the encoding that yields the same bytes again.

    That is Latin-1 if the bytes are not valid in ``encoding``.
    """
    try:
        text = criteria.decode(encoding)
        if text.encode(encoding) == criteria:
            return text, encoding
    except UnicodeError:
        pass
    return criteria.decode("latin-1"), "latin-1"


# A quoted string, or a word without spaces, quotes and parentheses.
_STRING_OR_WORD = r'"((?:[^"\\]|\\.)*)"|([^ "()]+)'


def _with_literals(text: str, encoding: str) -> Iterator[Argument]:
    """Criteria in pieces: non-ASCII strings and words as literals, the text between them as it is."""
    # `done` is the end of the text that was yielded, `last` the end of the last string or word.
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
        raise ValueError(f"a quoted string in the search criteria is not closed: {shortened(to_wire(text))}")
    yield text[done:].encode("ascii")


def split_criteria(arguments: list[Argument]) -> list[list[Argument]]:
    """Split criteria whose sequence set is too long for one command. Each part then fits into a command.

    The results of all parts together are the result of the whole. Raises ValueError if the criteria can't be split: the
    set is negated or in a group, or several sets are too long.
    """
    long_sets = [
        index
        for index, argument in enumerate(arguments)
        if isinstance(argument, SequenceSet) and len(argument.split()) > 1
    ]
    if not long_sets:
        if any(isinstance(argument, tuple) and _has_long_set(argument) for argument in arguments):
            raise ValueError(
                "a list of message ids within a group is too long for one command: search for them in parts"
            )
        return [arguments]
    if len(long_sets) > 1 or b"NOT" in [argument.upper() for argument in arguments if isinstance(argument, bytes)]:
        raise ValueError("a list of message ids is too long for one command: search for them in parts")
    (index,) = long_sets
    whole = cast(SequenceSet, arguments[index])
    return [[*arguments[:index], part, *arguments[index + 1 :]] for part in whole.split()]


def unsplit_criteria(arguments: list[Argument]) -> list[Argument]:
    """Return the criteria, or raise ValueError if they do not fit into one command.

    SORT and THREAD can't be split: the results of the parts do not show the order or the threads of all messages.
    """
    if len(split_criteria(arguments)) > 1:
        raise ValueError("a list of message ids is too long for one command: pass fewer ids")
    return arguments


def _has_long_set(group: tuple[Any, ...]) -> bool:
    return any(
        _has_long_set(item) if isinstance(item, tuple) else isinstance(item, SequenceSet) and len(item.split()) > 1
        for item in group
    )


def sort_keys(values: Text | Iterable[Text]) -> tuple[bytes, ...]:
    """Sort criteria as a list: ``sort_keys(['REVERSE SIZE', 'subject']) == (b'REVERSE', b'SIZE', b'SUBJECT')``.

    One value may contain several keys with spaces between them. Raises ValueError if a key is not an atom, and
    InvalidCriteriaError if there is no key.
    """
    if isinstance(values, (str, bytes)):
        values = (values,)
    keys = tuple(
        atom(word.upper(), "sort criterion") for value in values for word in to_wire(value).split(b" ") if word
    )
    if not keys:
        raise InvalidCriteriaError("no sort criteria specified")
    return keys
