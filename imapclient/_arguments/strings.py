"""From a caller's values to what goes on the wire. No I/O; all that is sent was encoded here.

An argument is bytes that are complete as they are, a `Literal`, or a tuple of arguments, which is a parenthesised list.
`encode_command` joins them with spaces.

Where injection is stopped: text goes out quoted or as a literal, so CR, LF, quotes and 8-bit text are data. Where the
grammar wants an atom, or where a caller's string is passed on raw, what could end the command or announce a literal
raises ValueError.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Union, cast

from ..datetime_util import datetime_to_INTERNALDATE, format_criteria_date
from ..exceptions import InvalidCriteriaError, ResponseCode
from ..imap_utf7 import encode_name
from ..sequence_set import SEQUENCE_SET_LIMIT, SequenceSet, UidSet, is_sequence_set
from ..util import Text, escaped, shortened, to_wire


class Literal(NamedTuple):
    """A literal of the given bytes; with ``binary`` a literal8 (RFC 3516), which may hold NUL."""

    data: bytes
    binary: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


class StreamedLiteral:
    """A literal whose bytes are made while it is sent: ``size`` of them, else ``pieces`` raises."""

    __slots__ = ("binary", "pieces", "size")

    def __init__(self, size: int, pieces: Iterable[bytes], binary: bool = False) -> None:
        self.size = size
        self.pieces = pieces
        self.binary = binary


Argument = Union[bytes, Literal, StreamedLiteral, SequenceSet, tuple[Any, ...]]

# How long a quoted string may get before it goes out as a literal: servers have line limits.
QUOTED_LIMIT = 1000

# atom = 1*ATOM-CHAR: no control, space, "(", ")", "{", "%", "*", quote, backslash, "]" (RFC 9051, 9)
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+\Z')
# flag = "\" atom or atom. Real servers have keywords with "]", "{" and "*" in them, so what is refused is only what
# would end the atom, and what announces a literal: Dovecot takes {5} for it in the middle of a line too.
_FLAG = re.compile(rb'(?!~?\{\d+\+?\}\Z)\\?[^\x00-\x20\x7f-\xff()"\\]+\Z')
_NOT_QUOTABLE = re.compile(rb"[\x00\r\n\x80-\xff]")
_ANNOUNCES_LITERAL = re.compile(rb"\{\d+\+?\}\s*\Z")


def positive(number: int, name: str) -> None:
    """TypeError or ValueError for what is no number of things, from 1 on. ``name`` is the argument's."""
    if not isinstance(number, int):
        raise TypeError(f"{name} must be an int, not {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1")


def string(value: Text, what: str = "text") -> Argument:
    """A string: quoted, or a literal where it is 8-bit, has CR or LF, or is long. ValueError, without it, for NUL.

    ``string('a "b"') == b'"a \\\\"b\\\\""'``; ``string('café') == Literal(b'caf\\xc3\\xa9')``.
    """
    data = to_wire(value)
    if len(data) > QUOTED_LIMIT or _NOT_QUOTABLE.search(data):
        if b"\0" in data:
            raise ValueError(f"{what} must not contain NUL")
        return Literal(data)
    return b'"%s"' % escaped(data)


def atom(value: Text, what: str = "atom") -> bytes:
    """An atom as it is: ``atom('MESSAGES') == b'MESSAGES'``. ValueError where the value is none."""
    data = to_wire(value)
    if not _ATOM.match(data):
        raise ValueError(f"not a valid {what}: {shortened(data)}")
    return data


def flag(value: Text) -> bytes:
    """A flag or keyword: ``flag('\\\\Seen') == b'\\\\Seen'``. ValueError where it would not stay one atom."""
    data = to_wire(value)
    if not _FLAG.match(data):
        raise ValueError(f"not a valid flag: {shortened(data)}")
    return data


def flags(values: Text | Iterable[Text]) -> tuple[bytes, ...]:
    """A flag list: ``flags(['\\\\Seen', 'Work'])`` and ``flags('\\\\Seen Work')`` are ``(b'\\\\Seen', b'Work')``."""
    if isinstance(values, (str, bytes)):
        values = [word for word in to_wire(values).split(b" ") if word] or [b""]
    return tuple(flag(value) for value in values)


def mailbox(name: Text, folder_encode: bool = True, utf8: bool = False) -> Argument:
    """A mailbox name as an argument: ``mailbox('Entwürfe') == b'"Entw&APw-rfe"'``."""
    return string(wire_name(name, folder_encode, utf8), "a folder's name")


def wire_name(name: Text, folder_encode: bool = True, utf8: bool = False) -> bytes:
    """The bytes of a mailbox name: ``wire_name('Entwürfe') == b'Entw&APw-rfe'``, or UTF-8 where names are in UTF-8."""
    return encode_name(name, utf8) if folder_encode else to_wire(name)


def raw(value: Text, what: str) -> bytes:
    """A caller's text that is sent as it is. ValueError where it could end the command or announce a literal."""
    data = to_wire(value)
    if re.search(rb"[\r\n\0]", data):
        raise ValueError(f"{what} must not contain CR, LF or NUL: {shortened(data)}")
    if _ANNOUNCES_LITERAL.search(data):
        raise ValueError(f"{what} must not end as a literal's announcement does: {shortened(data)}")
    return data


# Names for sets of items, which stand alone (RFC 9051, 9: fetch).
_FETCH_MACROS = (b"ALL", b"FAST", b"FULL")


def fetch_items(values: Text | Iterable[Text]) -> bytes:
    """The items to fetch: ``fetch_items(['FLAGS', 'UID']) == b'(FLAGS UID)'``, ``fetch_items('FAST') == b'FAST'``."""
    items = raw_list(values, "fetch data")
    return items[1:-1] if items[1:-1].upper() in _FETCH_MACROS else items


# section-spec without HEADER.FIELDS (RFC 9051, 9)
_SECTION = rb"(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT|)\Z"


def section(value: Text) -> bytes:
    """A section of a message: ``section('1.2')``, ``'2.MIME'``, ``'HEADER'``, ``''`` for all. ValueError for others."""
    data = to_wire(value).upper()
    if not re.match(_SECTION, data):
        raise ValueError(f"not a section of a message: {shortened(data)}")
    return data


def is_part_number(section: bytes) -> bool:
    """Whether a section is a part as a whole: ``b'1.2'``, unlike ``b''`` and ``b'1.MIME'``."""
    return section[-1:].isdigit()


def raw_list(values: Text | Iterable[Text], what: str) -> bytes:
    """A caller's items, as they are, in parentheses: ``raw_list(['FLAGS', 'UID'], 'data') == b'(FLAGS UID)'``."""
    if isinstance(values, (str, bytes)):
        values = (values,)
    items = [raw(value, what) for value in values]
    if not items or not all(items):
        raise ValueError(f"{what} must not be empty")
    return b"(%s)" % b" ".join(items)


def date_time(value: datetime.datetime) -> bytes:
    """An INTERNALDATE, quoted: ``b'" 1-Feb-2020 10:11:12 +0100"'``."""
    return b'"%s"' % to_wire(datetime_to_INTERNALDATE(value), "ascii")


# -- search criteria

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
                if data.startswith(b"\\") or not _FLAG.match(data):
                    raise ValueError(f"not a valid keyword: {shortened(data)}")
                return data
            if data.startswith(b"/"):
                # The name of an entry is always quoted: MODSEQ "/flags/x" all 5 (RFC 7162, 3.1.5).
                return string(data)
        is_atom = len(data) <= QUOTED_LIMIT and _ATOM.match(data) and data.upper() != b"NIL"
        return data if is_atom else string(data)

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


class Joined(tuple[Any, ...]):
    """Arguments sent one after the other with nothing between."""


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


# -- the command on the wire

# What no server refuses to read: atoms and quoted strings just as the grammar has them, the flags that a message may
# be given, parentheses. As text, of which `re` makes an expression where it is first needed, for that takes a while.
_STRICT = rb"""(?ix)
    (?: [ ()] | [^\x00-\x20\x7f-\xff(){%*"\\\]]
      | " (?: [^\x00\r\n"\\\x80-\xff] | \\["\\] )* "
      | \\ (?: Answered | Deleted | Draft | Flagged | Seen ) (?= [ )] )
    )* (?: \r\n )? \Z
"""
_STRICT_LIMIT = 8000


def is_strict(text: bytes) -> bool:
    """Whether a piece of a command can be read by any server: ``b'A1 APPEND "x" (\\\\Seen Work) '``."""
    return len(text) <= _STRICT_LIMIT and re.match(_STRICT, text) is not None


def encode_command(tag: bytes, name: bytes, arguments: Iterable[Argument]) -> list[bytes | Literal | StreamedLiteral]:
    """A command as pieces to send: text between literals, and the literals, which the sender announces.

    ``encode_command(b'A1', b'LOGIN', [b'"ann"', Literal(b'p')])`` is
    ``[b'A1 LOGIN "ann" ', Literal(b'p'), b'\\r\\n']``.
    """
    pieces: list[bytes | Literal | StreamedLiteral] = []
    text = bytearray(tag + b" " + name)

    def add(argument: Argument) -> None:
        if isinstance(argument, bytes):
            text.extend(argument)
        elif isinstance(argument, SequenceSet):
            text.extend(bytes(argument))
        elif isinstance(argument, (Literal, StreamedLiteral)):
            pieces.append(bytes(text))
            pieces.append(argument)
            text.clear()
        elif isinstance(argument, Joined):
            for part in argument:
                add(part)
        else:
            text.extend(b"(")
            for index, part in enumerate(argument):
                if index:
                    text.extend(b" ")
                add(part)
            text.extend(b")")

    for argument in arguments:
        text.extend(b" ")
        add(argument)
    text.extend(b"\r\n")
    pieces.append(bytes(text))
    return pieces
