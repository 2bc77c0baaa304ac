"""Reads FETCH responses with an ENVELOPE or a body structure by regular expressions, without the lexer. No I/O.

Each element of the grammar that most messages consist of has an expression: an item, an envelope, a part, and what
follows the parts of a multipart. It is matched at a position of the text. The lexer reads what an expression does not
match: atoms in the place of strings, and lists nested deeper.

The expressions describe exactly what they match, so the values are those of `parse_fetch`. Each is linear in the length
of any input: the alternatives within a repetition start with different bytes, so there is one way to repeat.

The text parts of many messages have the same type, charset and encoding. These values are kept for the length of a
command. Address lists are not: most of them come once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..._import_time import expression
from ...util import escaped
from ..fetch.items import FIRST_ITEMS, LITERAL_ITEM, add_first_items, simple_value
from ..fetch.parser import add_items
from ..fetch.results import FetchItems
from ..lexer import read_rest_of_list, values_in
from ..mail.body_structure import BodyData
from ..mail.envelope import ADDRESS_LIST, Envelope, address_fields, envelope_of
from ..quoted_strings import HIDDEN, NSTRING, NSTRING_CONTENT, hidden, shown, with_escapes
from ..responses import ReadOptions, Untagged

# Lists of a response can be nested at most so deep if the expressions match it. A client with a lower limit must find
# the error, so it does without them.
MAX_DEPTH = 12
# The items, the outermost part, and in a part a list in a list, or an envelope's lists of addresses.
_MAX_PARTS_DEPTH = MAX_DEPTH - 4
# Longer lines are rare. For each address of a line, the expressions need some hundred bytes of memory.
MAX_LENGTH = 65536
# At most so many values are kept, and only those of short texts.
_MAX_KEPT = 1024
_MAX_LENGTH_KEPT = 200
# A longer literal is left to the parser.
_MAX_QUOTED = 4096

_NUMBER = rb"(0|[1-9]\d{0,18})"
# The start of a response, with the items that most responses begin with.
_HEAD = re.compile(rb"\* (\d{1,20}) FETCH \(" + FIRST_ITEMS)
# Any item whose value is a number, a flat list without strings, or a string.
_ITEM = re.compile(
    rb"((?!NIL )[A-Z][A-Z0-9.-]*) "
    rb'(?:%b|\(([^()"\n\r\v\f\0]*)\)|"([^"\\\r\n\0]*)")'
    rb"(?: (?=[A-Z])|\)\r\n)" % _NUMBER
)
_LITERAL = re.compile(rb"(%b) \{%b\}\r\n" % (LITERAL_ITEM.pattern, _NUMBER))
_ANNOUNCEMENT = re.compile(rb"[ (]\{%b\}\r\Z" % _NUMBER)

# As numbers, because a number is found in bytes in a tenth of the time of a byte string.
_OPEN, _SPACE, _FIRST_OF_TEXT = b"( T"

# The expressions for structures. A string may have any byte: they are for the text of one response, its escapes hidden.
_ENVELOPE = re.compile(
    rb"\(%b\)" % b" ".join([NSTRING_CONTENT, NSTRING_CONTENT, *[ADDRESS_LIST] * 6, NSTRING_CONTENT, NSTRING_CONTENT])
)
# A list of pairs of strings: the first pair, and the text of the others.
_PAIRS = rb'\("([^"]*)" "([^"]*)"((?: "[^"]*" "[^"]*")*)\)'
_FLAT = rb"\(%b(?: %b)*\)" % (NSTRING, NSTRING)
_FIELD = rb"(?:%b|%b)" % (NSTRING, _FLAT)
# What may follow the fields that have groups: mostly NILs, or lists that are not nested deeper than a disposition with
# parameters.
_OTHERS = rb"((?: NIL)*|(?: (?:%b|\(%b(?: %b)*\)))*)" % (NSTRING, _FIELD, _FIELD)
# A part that is not a multipart: the fields up to the octets; and the lines, MD5 and the disposition, and all others.
_PART_START = rb"\(%b %b (?:%b|NIL) %b %b %b %b" % (
    NSTRING_CONTENT,
    NSTRING_CONTENT,
    _PAIRS,
    NSTRING_CONTENT,
    NSTRING_CONTENT,
    NSTRING_CONTENT,
    _NUMBER,
)
_PART_END = rb'(?: %b)?(?: %b \("([^"]*)" (?:%b|NIL)\))?%b\)' % (_NUMBER, NSTRING_CONTENT, _PAIRS, _OTHERS)
_PART = re.compile(_PART_START + _PART_END)
# A text, as most are: the fields in front of the octets, and those after the lines.
_TEXT_PART = re.compile(
    rb'(\("TEXT" "[^"]*" (?:NIL|\("[^"]*"(?: "[^"]*")*\)) NIL NIL "[^"]*") %b %b%b\)' % (_NUMBER, _NUMBER, _OTHERS)
)
# A message has its envelope and its body between the two.
_MESSAGE_START = expression(_PART_START + b" ")
_MESSAGE_END = expression(_PART_END)
# What follows the parts of a multipart.
_END = re.compile(rb" %b(?: (?:%b|NIL)%b)?\)" % (NSTRING_CONTENT, _PAIRS, _OTHERS))


class StructureReader:
    """Reads the responses to one command."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        # The text of the first or last fields of parts -> their values, which many parts share.
        self._values: dict[bytes, tuple[Any, ...]] = {}

    def read(self, buffer: bytes, position: int, end: int) -> tuple[FetchItems, int] | None:
        """The items of the response at a position, and the position after it.

        ``end`` is the position of the first LF. Returns None if `parse_fetch` must read the response, or if it does not
        lie in the buffer whole. Raises ProtocolError, ValueError or LookupError if it is not valid.
        """
        # The text of this response only: up to the end of the line, or with its literals as quoted strings.
        line = buffer[position : end + 1]
        if len(line) > MAX_LENGTH or HIDDEN in line:
            return None
        text, last_hidden, has_odd_escapes = _without_escapes(line)
        head = _HEAD.match(text)
        if head is None:
            return None
        normalise_times = self._options.normalise_times
        groups = head.groups()
        number = int(groups[0])
        items: FetchItems = {b"SEQ": number}
        add_first_items(items, groups[1:], normalise_times)
        position = head.end()
        after = end + 1
        is_quoted = False
        last = len(text) - 3 if text.endswith(b")\r\n") else -1
        while position != last:
            structure = self._structure(text, position, last_hidden > position, has_odd_escapes)
            if structure is not None:
                key, items[key], position = structure
                if text[position] == _SPACE:
                    position += 1
                continue
            item = _ITEM.match(text, position)
            if item is not None:
                kind = item.lastindex or 0
                key, value = item.group(1, kind)
                items[key] = simple_value(key, kind, value, normalise_times)
                position = item.end()
                if position == len(text):
                    break
            elif text[-3:-1] != b"}\r" or is_quoted:
                if text[-2:-1] != b"\r":
                    return None
                rest = Untagged(b"FETCH", number, with_escapes(text[position:-2]))
                add_items(items, read_rest_of_list(rest, self._options), normalise_times)
                break
            else:
                literal = _LITERAL.match(text, position)
                if literal is not None:
                    start, position = after, after + int(literal.group(2))
                    items[literal.group(1)] = buffer[start:position]
                    end = buffer.find(b"\n", position)
                    if end < 0:
                        return None
                    line, after = buffer[position : end + 1], end + 1
                else:
                    quoted = _with_quoted_literals(buffer, after - len(text) + position, end)
                    if quoted is None:
                        return None
                    line, after = quoted
                    is_quoted = True
                if len(line) > MAX_LENGTH or HIDDEN in line:
                    return None
                text, last_hidden, has_odd_escapes = _without_escapes(line)
                position = 1 if line[:1] == b" " else 0
                last = len(text) - 3 if text.endswith(b")\r\n") else -1
        # The server may send an item SEQ, which must not replace ours.
        items[b"SEQ"] = number
        return items, after

    def _structure(
        self, text: bytes, position: int, has_escapes: bool, has_odd_escapes: bool
    ) -> tuple[bytes, Any, int] | None:
        """The name and the value of the item at a position, and the position after it."""
        found: tuple[Any, int] | None
        if text[position : position + 10] == b"ENVELOPE (":
            key = b"ENVELOPE"
            found = self._envelope(text, position + 9)
        elif text[position : position + 15] == b"BODYSTRUCTURE (":
            key = b"BODYSTRUCTURE"
            found = self._body(text, position + 14, 1, has_escapes)
        elif text[position : position + 6] == b"BODY (":
            key = b"BODY"
            found = self._body(text, position + 5, 1, has_escapes)
        else:
            return None
        if found is None or (has_odd_escapes and text.find(b"\\", position, found[1]) >= 0):
            return None
        return (key, *found)

    def _envelope(self, text: bytes, position: int) -> tuple[Envelope, int] | None:
        """The envelope at a position, and the position after it."""
        match = _ENVELOPE.match(text, position)
        if match is None:
            return None
        date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = match.groups()
        envelope = envelope_of(
            shown(date) if date and HIDDEN in date else date,
            shown(subject) if subject and HIDDEN in subject else subject,
            # Sender and Reply-To are mostly the same as From. One text takes less memory than three.
            (from_, from_ if sender == from_ else sender, from_ if reply_to == from_ else reply_to, to, cc, bcc),
            shown(in_reply_to) if in_reply_to and HIDDEN in in_reply_to else in_reply_to,
            shown(message_id) if message_id and HIDDEN in message_id else message_id,
            self._options.normalise_times,
        )
        return envelope, match.end()

    # -- body structures

    def _body(self, text: bytes, position: int, depth: int, has_escapes: bool) -> tuple[BodyData, int] | None:
        """The part at a position, and the position after it."""
        if text[position + 1] != _OPEN:
            return self._part(text, position, depth, has_escapes)
        if depth == _MAX_PARTS_DEPTH:
            return None
        parts: list[BodyData] = []
        position += 1
        while text[position] == _OPEN:
            if text[position + 1] == _OPEN:
                found = self._body(text, position, depth + 1, has_escapes)
            else:
                found = self._part(text, position, depth + 1, has_escapes)
            if found is None:
                return None
            part, position = found
            parts.append(part)
        match = _END.match(text, position)
        if match is None:
            return None
        if has_escapes and HIDDEN in match[0]:
            return BodyData((parts, *values_in(with_escapes(match[0][:-1])))), match.end()
        subtype, name, value, pairs, others = match.groups()
        if others is None:
            return BodyData((parts, subtype)), match.end()
        fields = (subtype, _parameters(name, value, pairs), *self._extension(others))
        return BodyData((parts, *fields)), match.end()

    def _part(self, text: bytes, position: int, depth: int, has_escapes: bool) -> tuple[BodyData, int] | None:
        """The part at a position, which is not a multipart, and the position after it."""
        usual = _TEXT_PART.match(text, position) if text[position + 2] == _FIRST_OF_TEXT else None
        if usual is not None:
            start, octets, lines, end = usual.groups()
            first, last = self._values.get(start), self._values.get(end)
            if first is not None and last is not None:
                return BodyData((*first, int(octets), int(lines), *last)), usual.end()
        match = _PART.match(text, position)
        if match is None:
            if text[position : position + 11] == b'("MESSAGE" ' and not has_escapes:
                return self._message(text, position, depth)
            return None
        if has_escapes and HIDDEN in match[0]:
            return BodyData(values_in(with_escapes(match[0]))[0]), match.end()
        body = self._body_data(match.groups(), ())
        if usual is not None:
            self._keep(start, body[:6])
            self._keep(end, body[8:])
        return body, match.end()

    def _message(self, text: bytes, position: int, depth: int) -> tuple[BodyData, int] | None:
        """The part at a position, which is a message without escapes, and the position after it."""
        start = _MESSAGE_START.match(text, position)
        envelope = None if start is None else _ENVELOPE.match(text, start.end())
        if start is None or envelope is None or b"()" in envelope[0] or depth >= _MAX_PARTS_DEPTH:
            return None
        position = envelope.end()
        body = self._body(text, position + 1, depth + 1, False) if text[position] == _SPACE else None
        end = None if body is None else _MESSAGE_END.match(text, body[1])
        if body is None or end is None:
            return None
        # The envelope and the body are plain values.
        date, subject, *address_lists, in_reply_to, message_id = envelope.groups()
        lists = [one and address_fields(one) for one in address_lists]
        fields = (date, subject, *lists, in_reply_to, message_id)
        return self._body_data((*start.groups(), *end.groups()), (fields, _plain(body[0]))), end.end()

    def _body_data(self, groups: Sequence[Any], inner: tuple[Any, ...]) -> BodyData:
        """The values of a part, from the groups of ``_PART``. ``inner`` follows the octets."""
        # fmt: off
        (
            kind, subtype, name, value, pairs, content_id, description, encoding, octets,
            lines, md5, disposition, its_name, its_value, its_pairs, others,
        ) = groups
        # fmt: on
        last = self._extension(others)
        if disposition is not None:
            placing = (disposition, _parameters(its_name, its_value, its_pairs))
            last = (md5, placing) + last  # noqa: RUF005 - faster than a new tuple
        parameters = _parameters(name, value, pairs)
        fields = (kind, subtype, parameters, content_id, description, encoding, int(octets))
        if lines is None:
            return BodyData(fields + inner + last)
        return BodyData(fields + inner + (int(lines),) + last)

    def _extension(self, text: bytes) -> tuple[Any, ...]:
        """The values of the last fields of a part: strings, NIL and lists of these."""
        known = self._values.get(text)
        if known is not None:
            return known
        values = tuple(values_in(with_escapes(text)))
        self._keep(text, values)
        return values

    def _keep(self, text: bytes, values: tuple[Any, ...]) -> None:
        if len(text) <= _MAX_LENGTH_KEPT:
            if len(self._values) >= _MAX_KEPT:
                self._values.clear()
            self._values[text] = values


def _without_escapes(line: bytes) -> tuple[bytes, int, bool]:
    """A line with its escapes `hidden`, the position of the last of these or -1, and whether strings may have others.

    The others escape other bytes. A backslash in front of the first string belongs to a flag.
    """
    if line.rfind(b"\\") < line.find(b'"'):
        return line, -1, False
    text = hidden(line)
    return text, text.rfind(HIDDEN), text.rfind(b"\\") > text.find(b'"')


def _plain(body: BodyData) -> tuple[Any, ...]:
    """A body structure as it was in the list of its values."""
    return (*map(_plain, body[0]), *body[1:]) if isinstance(body[0], list) else tuple(body)


def _parameters(name: bytes, value: bytes, others: bytes | None) -> tuple[bytes, ...] | None:
    """The strings in a list of pairs, from the groups of ``_PAIRS``. None if these did not match."""
    if others is None:
        return None
    return (name, value, *others[2:-1].split(b'" "')) if others else (name, value)


def _with_quoted_literals(buffer: bytes, position: int, end: int) -> tuple[bytes, int] | None:
    """The rest of a response with quoted strings in place of its literals, and the position after it in the buffer.

    ``end`` is the position of the first LF. Returns None if a literal is large or within quotes, or if the response
    does not lie in the buffer whole.
    """
    pieces: list[bytes] = []
    while True:
        line = buffer[position:end]
        if line[-1:] != b"\r":
            return None
        if line[-2:] != b"}\r":
            pieces.append(buffer[position : end + 1])
            return b"".join(pieces), end + 1
        announcement = _ANNOUNCEMENT.search(line)
        if announcement is None or HIDDEN in line or hidden(line).count(b'"') & 1:
            return None
        start, position = end + 1, end + 1 + int(announcement.group(1))
        literal = buffer[start:position]
        end = buffer.find(b"\n", position)
        if end < 0 or len(literal) > _MAX_QUOTED:
            return None
        pieces += [line[: announcement.start() + 1], b'"', escaped(literal), b'"']
