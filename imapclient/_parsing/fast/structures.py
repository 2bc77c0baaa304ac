"""Reads FETCH responses with an ENVELOPE or a body structure by regular expressions, without the lexer. No I/O.

Each element of the grammar that most messages consist of has an expression: an item, an envelope, an address, a part,
and what follows the parts of a multipart. It is matched at a position of the text. The lexer reads what an expression
does not match: atoms in the place of strings, lists nested deeper, messages within messages.

The expressions describe exactly what they match, so the values are those of `parse_fetch`. Each is linear in the length
of any input: its alternatives start with different bytes, and no repetition contains another one that could match the
same bytes.

Many messages have the same senders, parameters and dispositions. Their values are kept for the length of a command.
"""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from ...datetime_util import parse_to_datetime
from ..fetch.items import flag_list, simple_value
from ..fetch.parser import add_items
from ..fetch.results import FetchItems
from ..lexer import read_rest_of_list, values_in
from ..mail.body_structure import BodyData
from ..mail.envelope import Address, Envelope, envelope_date
from ..responses import ReadOptions, Untagged

# Lists of a response can be nested at most so deep if the expressions match it. A client with a lower limit must find
# the error, so it does without them.
MAX_DEPTH = 12
# The items, the outermost part, and a list in a list of a part.
_MAX_PARTS_DEPTH = MAX_DEPTH - 4
# Longer lines are rare. For each address of a line, the expressions need some hundred bytes of memory.
MAX_LENGTH = 65536
# At most so many values are kept, and only those of short texts.
_MAX_KEPT = 1024
_MAX_LENGTH_KEPT = 400
_MAX_QUOTED = 4096

# The start of a response, with the items that most responses begin with.
_HEAD = re.compile(
    rb"\* (\d{1,20}) FETCH \("
    rb"(?:UID (0|[1-9]\d{0,18}) )?"
    rb"(?:FLAGS \(([^()\"\n\r\v\f]*)\) )?"
    rb'(?:INTERNALDATE "([^"\\\r\n]*)" )?'
    rb"(?:RFC822\.SIZE (0|[1-9]\d{0,18}) )?"
)
# Any item whose value is a number, a flat list without strings, or a string.
_ITEM = re.compile(
    rb"((?!NIL )[A-Z][A-Z0-9.-]*) "
    rb'(?:(0|[1-9]\d{0,18})|\(([^()"\n\r\v\f]*)\)|"([^"\\\r\n]*)")'
    rb"(?: (?=[A-Z])|\)\r\n)"
)
_SECTION = rb"((?:BODY|BINARY)\[[A-Z0-9.]*(?: \([A-Z0-9 -]+\))?\](?:<\d+>)?|RFC822(?:\.HEADER|\.TEXT)?) "
_LITERAL = re.compile(_SECTION + rb"\{(0|[1-9]\d{0,18})\}\r\n")
_ANNOUNCEMENT = re.compile(rb"[ (]\{(0|[1-9]\d{0,18})\}\r\Z")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CR, _LF, _BRACE = b"\r\n}"

_Fields = tuple["bytes | None", ...]


class _Expressions(NamedTuple):
    """The expressions for text whose strings have a certain form.

    A group for a string has its content, and a group for a list its text with the parentheses.
    """

    envelope: re.Pattern[bytes]
    """Its groups are the fields. An address list has five: the first address, and the text of the others."""
    address: re.Pattern[bytes]
    """Its groups are the four fields."""
    part: re.Pattern[bytes]
    """A part that is not a multipart. Its groups are the fields up to the lines, and the text of all that follows."""
    end: re.Pattern[bytes]
    """What follows the parts of a multipart. Its groups are the subtype, the parameters, and the text of the rest."""
    extension: re.Pattern[bytes]
    """What follows the lines of a part. Its groups are the MD5, the disposition and its parameters, and the rest."""


def _expressions(content: bytes) -> _Expressions:
    """The expressions for strings with this content."""
    group = rb'(?:"(%b)"|NIL)' % content
    text = rb'(?:"%b"|NIL)' % content
    number = rb"(0|[1-9]\d{0,18})"
    address = rb"\(%b\)" % b" ".join([group] * 4)
    people = rb"(?:\(%b((?:\(%b\))*)\)|NIL|\(\))" % (address, b" ".join([text] * 4))
    parameters = rb'(?:(\("%b"(?: "%b")*\))|NIL)' % (content, content)
    flat = rb"\(%b(?: %b)*\)" % (text, text)
    field = rb"(?:%b|%b)" % (text, flat)
    value = rb"(?:%b|\(%b(?: %b)*\))" % (text, field, field)
    rest = rb"((?: %b)*)" % value
    envelope = b" ".join([group, group, *[people] * 6, group, group])
    fields = b" ".join([group, group, parameters, group, group, group, number])
    disposition = rb"\(%b %b\)" % (group, parameters)
    return _Expressions(
        re.compile(rb"\(%b\)" % envelope),
        re.compile(address),
        re.compile(rb"\(%b(?: %b)?%b\)" % (fields, number, rest)),
        re.compile(rb" %b(?: %b%b)?\)" % (group, parameters, rest)),
        re.compile(rb" %b %b(.*)" % (group, disposition), re.DOTALL),
    )


# For the buffer: a string ends on its line.
_PLAIN = _expressions(rb'[^"\\\r\n]*')


@functools.lru_cache(maxsize=1)
def _for_copies() -> _Expressions:
    """The expressions for a copy of one response, in which literals have become strings."""
    return _expressions(rb'[^"\\]*(?:\\["\\][^"\\]*)*')


class StructureReader:
    """Reads the responses to one command."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._values: dict[bytes, tuple[Any, ...]] = {}

    def read(self, buffer: bytes, position: int, end: int) -> tuple[FetchItems, int] | None:
        """The items of the response at a position, and the position after it.

        ``end`` is the position of the first LF. Returns None if `parse_fetch` must read the response, or if it does not
        lie in the buffer whole. Raises ProtocolError or ValueError if it is not valid.
        """
        head = _HEAD.match(buffer, position)
        if head is None or end - position > MAX_LENGTH:
            return None
        normalise_times = self._options.normalise_times
        number_text, uid, flags, date, size = head.groups()
        number = int(number_text)
        items: FetchItems = {b"SEQ": number}
        if uid is not None:
            items[b"UID"] = int(uid)
        if flags is not None:
            items[b"FLAGS"] = flag_list(flags)
        if date is not None:
            items[b"INTERNALDATE"] = parse_to_datetime(date, normalise_times)
        if size is not None:
            items[b"RFC822.SIZE"] = int(size)
        text, position = buffer, head.end()
        expressions = _PLAIN
        # The position after the response in the buffer, if `text` is a copy of the response's rest.
        after = -1
        while True:
            structure = self._structure(text, position, expressions)
            if structure is not None:
                key, items[key], position = structure
            elif (item := _ITEM.match(text, position)) is not None:
                kind = item.lastindex
                key, value = item.group(1, kind)
                items[key] = simple_value(key, kind, value, normalise_times)
                position = item.end()
                if text[position - 1] == _LF:
                    break
                continue
            elif (literal := _LITERAL.match(text, position)) is not None:
                start = literal.end()
                position = start + int(literal.group(2))
                end = text.find(b"\n", position)
                if end < 0:
                    return None
                items[literal.group(1)] = text[start:position]
            elif after < 0 and (text[end - 2] == _BRACE or text.find(b"\\", position, end) >= 0):
                rest = _with_quoted_literals(text, position, end)
                if rest is None:
                    return None
                text, after = rest
                position, end, expressions = 0, len(text) - 1, _for_copies()
                continue
            elif text[end - 1] != _CR:
                return None
            else:
                line = Untagged(b"FETCH", number, text[position : end - 1])
                add_items(items, read_rest_of_list(line, self._options), normalise_times)
                position = end + 1
                break
            if text.startswith(b")\r\n", position):
                position += 3
                break
            if not text.startswith(b" ", position):
                return None
            position += 1
        # The server may send an item SEQ, which must not replace ours.
        items[b"SEQ"] = number
        if after < 0:
            return items, position
        return (items, after) if position == len(text) else None

    def _structure(self, text: bytes, position: int, expressions: _Expressions) -> tuple[bytes, Any, int] | None:
        """The name and the value of the item at a position, and the position after it."""
        if text.startswith(b"ENVELOPE (", position):
            match = expressions.envelope.match(text, position + 9)
            return None if match is None else (b"ENVELOPE", self._envelope(match.groups(), expressions), match.end())
        if text.startswith(b"BODYSTRUCTURE (", position):
            key = b"BODYSTRUCTURE"
        elif text.startswith(b"BODY (", position):
            key = b"BODY"
        else:
            return None
        body = self._body(text, position + len(key) + 1, expressions, 1)
        return None if body is None else (key, *body)

    def _envelope(self, fields: _Fields, expressions: _Expressions) -> Envelope:
        date, subject, in_reply_to, message_id = fields[0], fields[1], fields[-2], fields[-1]
        if expressions is not _PLAIN:
            date, subject, in_reply_to, message_id = map(_unescaped, (date, subject, in_reply_to, message_id))
        moment = envelope_date(date, self._options.normalise_times) if date else None
        envelope = Envelope(
            moment,
            subject,
            None if fields[6] is None else _people(fields[2:7], expressions),
            None if fields[11] is None else _people(fields[7:12], expressions),
            None if fields[16] is None else _people(fields[12:17], expressions),
            None if fields[21] is None else _people(fields[17:22], expressions),
            None if fields[26] is None else _people(fields[22:27], expressions),
            None if fields[31] is None else _people(fields[27:32], expressions),
            in_reply_to,
            message_id,
        )
        if date and moment is None:
            envelope._unreadable_date = date
        return envelope

    def _body(self, text: bytes, position: int, expressions: _Expressions, depth: int) -> tuple[BodyData, int] | None:
        """The part at a position, and the position after it."""
        match = expressions.part.match(text, position)
        if match is not None:
            return self._part(match.groups(), expressions), match.end()
        if depth == _MAX_PARTS_DEPTH or not text.startswith(b"((", position):
            return None
        parts: list[BodyData] = []
        position += 1
        while text.startswith(b"(", position):
            match = expressions.part.match(text, position)
            if match is not None:
                parts.append(self._part(match.groups(), expressions))
                position = match.end()
                continue
            found = self._body(text, position, expressions, depth + 1)
            if found is None:
                return None
            part, position = found
            parts.append(part)
        match = expressions.end.match(text, position)
        if match is None:
            return None
        subtype, parameters, rest = match.groups()
        if expressions is not _PLAIN:
            subtype = _unescaped(subtype)
        if rest is None:
            return BodyData((parts, subtype)), match.end()
        if parameters is not None:
            parameters = self._parameters(parameters)
        return BodyData((parts, subtype, parameters, *self._all(rest))), match.end()

    def _part(self, fields: tuple[Any, ...], expressions: _Expressions) -> BodyData:
        kind, subtype, parameters, content_id, description, encoding, octets, lines, rest = fields
        if expressions is not _PLAIN:
            content_id, description = _unescaped(content_id), _unescaped(description)
            kind, subtype, encoding = map(_unescaped, (kind, subtype, encoding))
        if parameters is not None:
            parameters = self._values.get(parameters) or self._parameters(parameters)
        extension = self._values.get(rest)
        if extension is None:
            extension = self._extension(rest, expressions)
        values = (kind, subtype, parameters, content_id, description, encoding, int(octets))
        return BodyData(values + extension if lines is None else (*values, int(lines), *extension))

    def _parameters(self, text: bytes) -> tuple[Any, ...]:
        """The strings in a list of strings."""
        values = self._values.get(text)
        if values is None:
            values = values_in(text)[0] if b"\\" in text else tuple(text[2:-2].split(b'" "'))
            _keep(self._values, text, values)
        return values

    def _extension(self, text: bytes, expressions: _Expressions) -> tuple[Any, ...]:
        """The values after the lines of a part."""
        match = expressions.extension.match(text)
        if match is None:
            return self._all(text)
        md5, disposition, parameters, rest = match.groups()
        if expressions is not _PLAIN:
            md5, disposition = _unescaped(md5), _unescaped(disposition)
        if parameters is not None:
            parameters = self._parameters(parameters)
        return md5, (disposition, parameters), *self._all(rest)

    def _all(self, text: bytes) -> tuple[Any, ...]:
        """The values of strings, NIL and lists of these."""
        values = self._values.get(text)
        if values is None:
            values = tuple(values_in(text))
            _keep(self._values, text, values)
        return values


def _people(fields: _Fields, expressions: _Expressions) -> tuple[Address, ...]:
    """The addresses of a list, from the fields of the first one and the text of the others."""
    name, route, mailbox, host, others = fields
    if expressions is _PLAIN:
        first = Address(name, route, mailbox, host)
        if not others:
            return (first,)
        return (first, *[Address(*match.groups()) for match in expressions.address.finditer(others)])
    addresses = [fields[:4]]
    if others:
        addresses += [match.groups() for match in expressions.address.finditer(others)]
    return tuple([Address(*map(_unescaped, address)) for address in addresses])


def _keep(kept: dict[bytes, Any], text: bytes, value: Any) -> None:
    if len(text) <= _MAX_LENGTH_KEPT:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        kept[text] = value


def _unescaped(text: bytes | None) -> bytes | None:
    return _ESCAPED.sub(rb"\1", text) if text and b"\\" in text else text


def _with_quoted_literals(buffer: bytes, position: int, end: int) -> tuple[bytes, int] | None:
    """The rest of a response with quoted strings in place of its literals, and the position after it in the buffer.

    ``end`` is the position of the first LF. Returns None if a literal is large, or if the response does not lie in the
    buffer whole.
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
        if announcement is None:
            return None
        start, position = end + 1, end + 1 + int(announcement.group(1))
        literal = buffer[start:position]
        end = buffer.find(b"\n", position)
        if end < 0 or len(literal) > _MAX_QUOTED:
            return None
        quoted = literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        pieces += [line[: announcement.start() + 1], b'"', quoted, b'"']
