"""Reads FETCH responses with an ENVELOPE or a body structure by regular expressions, without the lexer. No I/O.

Each element of the grammar that most messages consist of has an expression: an item, an envelope, an address, a part,
and what follows the parts of a multipart. It is matched at a position of the text. The lexer reads what an expression
does not match: atoms in the place of strings, lists nested deeper, messages within messages.

The expressions describe exactly what they match, so the values are those of `parse_fetch`. Each is linear in the length
of any input: the alternatives of a repetition start with different bytes, so there is one way to match a text.

The text parts of many messages have the same type, charset and encoding. These values are kept for the length of a
command. Address lists are not: most of them come once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...datetime_util import parse_to_datetime
from ...util import escaped
from ..fetch.items import LITERAL_ITEM, flag_list, simple_value
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
_MAX_LENGTH_KEPT = 200
# A longer literal is left to the parser.
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
_LITERAL = re.compile(rb"(%b) \{(0|[1-9]\d{0,18})\}\r\n" % LITERAL_ITEM.pattern)
_ANNOUNCEMENT = re.compile(rb"[ (]\{(0|[1-9]\d{0,18})\}\r\Z")
# As numbers, because a number is found in bytes in a tenth of the time of a byte string.
_OPEN, _SPACE, _ESCAPE = b"( \\"
# What stands for an escape: two bytes for two, so that positions are the same. No other _HIDDEN is in a text then.
_HIDDEN = 0
_BACKSLASH, _QUOTE = b"\0/", b"\0'"

# The expressions for structures. A string may have any byte: they are for the text of one response, without escapes.
# A group for a string has its content, and a group for a list its text with the parentheses.
_GROUP = rb'(?:"([^"]*)"|NIL)'
_TEXT = rb'(?:"[^"]*"|NIL)'
_PEOPLE = rb"(?:(\((?:\(%b\))+\))|NIL|\(\))" % b" ".join([_TEXT] * 4)
_STRINGS = rb'(\("[^"]*"(?: "[^"]*")*\))'
_FLAT = rb"\(%b(?: %b)*\)" % (_TEXT, _TEXT)
_FIELD = rb"(?:%b|%b)" % (_TEXT, _FLAT)
# Any fields whose lists are not nested deeper than a disposition with parameters.
_REST = rb"((?: (?:%b|\(%b(?: %b)*\)))*)" % (_TEXT, _FIELD, _FIELD)

_ENVELOPE = re.compile(rb"\(%b\)" % b" ".join([_GROUP, _GROUP, *[_PEOPLE] * 6, _GROUP, _GROUP]))
_ADDRESS = re.compile(rb"\(%b\)" % b" ".join([_GROUP] * 4))
_NUMBER = rb"(0|[1-9]\d{0,18})"
# The octets and lines of a part, after its encoding, and mostly all that follows.
_SIZES = re.compile(rb'" %b(?: %b)?(?:((?: NIL)*)\))?' % (_NUMBER, _NUMBER))
_REST_OF_PART = re.compile(_REST + rb"\)")
# A part that is not a multipart: the fields up to the lines; MD5 and the disposition, if that has parameters; and the
# text of all others.
_PART = re.compile(
    rb"\(%b %b (?:%b|NIL) %b %b %b " % (_GROUP, _GROUP, _STRINGS, _GROUP, _GROUP, _GROUP)
    + rb"%b(?: %b)?(?: %b \(%b %b\))?%b\)" % (_NUMBER, _NUMBER, _GROUP, _GROUP, _STRINGS, _REST)
)
# What mostly follows the parts of a multipart: the subtype, one parameter and NILs. And what else may follow.
_BOUNDARY = re.compile(rb' "([^"]*)" \("([^"]*)" "([^"]*)"\)((?: NIL)*)\)')
_END = re.compile(rb" %b(?: (?:%b|NIL)%b)?\)" % (_GROUP, _STRINGS, _REST))


class StructureReader:
    """Reads the responses to one command."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        # Text -> values: of the fields of text parts up to the encoding, and of the fields after the sizes.
        self._values: dict[bytes, Any] = {}

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
        # The text of this response only: up to the end of the line, or with its literals as quoted strings.
        text, position, after = buffer[head.end() : end + 1], 0, end + 1
        hidden = _without_escapes(text)
        is_quoted = False
        while True:
            structure = self._structure(hidden, position)
            if structure is not None:
                key, items[key], position = structure
            elif (item := _ITEM.match(text, position)) is not None:
                kind = item.lastindex or 0
                key, value = item.group(1, kind)
                items[key] = simple_value(key, kind, value, normalise_times)
                position = item.end()
                if position == len(text):
                    break
                continue
            elif text[-3:-1] == b"}\r" and not is_quoted:
                if (literal := _LITERAL.match(text, position)) is not None:
                    start, position = after, after + int(literal.group(2))
                    end = buffer.find(b"\n", position)
                    if end < 0:
                        return None
                    items[literal.group(1)] = buffer[start:position]
                    text, position, after = buffer[position : end + 1], 0, end + 1
                    hidden = _without_escapes(text)
                else:
                    rest = _with_quoted_literals(buffer, after - len(text) + position, end)
                    if rest is None:
                        return None
                    text, after = rest
                    hidden, position, is_quoted = _without_escapes(text), 0, True
                    continue
            elif text[-2:-1] != b"\r":
                return None
            else:
                line = Untagged(b"FETCH", number, text[position:-2])
                add_items(items, read_rest_of_list(line, self._options), normalise_times)
                break
            if text[position] == _SPACE:
                position += 1
            elif text[position:] == b")\r\n":
                break
            else:
                return None
        # The server may send an item SEQ, which must not replace ours.
        items[b"SEQ"] = number
        return items, after

    def _structure(self, text: bytes, position: int) -> tuple[bytes, Any, int] | None:
        """The name and the value of the item at a position, and the position after it."""
        if text[position : position + 10] == b"ENVELOPE (":
            match = _ENVELOPE.match(text, position + 9)
            return None if match is None else (b"ENVELOPE", self._envelope(match.groups()), match.end())
        if text[position : position + 15] == b"BODYSTRUCTURE (":
            key = b"BODYSTRUCTURE"
        elif text[position : position + 6] == b"BODY (":
            key = b"BODY"
        else:
            return None
        body = self._body(text, position + len(key) + 1, 1)
        return None if body is None else (key, *body)

    # -- envelopes

    def _envelope(self, fields: tuple[Any, ...]) -> Envelope:
        date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = fields
        if date and _HIDDEN in date:
            date = _shown(date)
        moment = envelope_date(date, self._options.normalise_times) if date else None
        people = _people(from_) if from_ else []
        envelope = Envelope(
            moment,
            _shown(subject) if subject and _HIDDEN in subject else subject,
            _addresses(people),
            # Sender and Reply-To are mostly the same as From.
            _addresses(people if sender == from_ else _people(sender)),
            _addresses(people if reply_to == from_ else _people(reply_to)),
            _addresses(_people(to)),
            cc and _addresses(_people(cc)),
            bcc and _addresses(_people(bcc)),
            _shown(in_reply_to) if in_reply_to and _HIDDEN in in_reply_to else in_reply_to,
            _shown(message_id) if message_id and _HIDDEN in message_id else message_id,
        )
        if date and moment is None:
            envelope._unreadable_date = date
        return envelope

    # -- body structures

    def _body(self, text: bytes, position: int, depth: int) -> tuple[BodyData, int] | None:
        """The part at a position, and the position after it."""
        if text[position + 1] != _OPEN:
            return self._part(text, position)
        if depth == _MAX_PARTS_DEPTH:
            return None
        parts: list[BodyData] = []
        position += 1
        while text[position] == _OPEN:
            found = self._body(text, position, depth + 1)
            if found is None:
                return None
            part, position = found
            parts.append(part)
        match = _BOUNDARY.match(text, position)
        if match is not None and _HIDDEN not in match[0]:
            subtype, name, value, nils = match.groups()
            return BodyData((parts, subtype, (name, value), *(None,) * (len(nils) // 4))), match.end()
        match = _END.match(text, position)
        if match is None:
            return None
        subtype, parameters, rest = match.groups()
        if rest is None:
            return BodyData((parts, _shown(subtype))), match.end()
        fields = (
            _shown(subtype),
            None if parameters is None else _strings(parameters),
            *(self._values.get(rest) or self._all(rest)),
        )
        return BodyData((parts, *fields)), match.end()

    def _part(self, text: bytes, position: int) -> tuple[BodyData, int] | None:
        """The part at a position, which is not a multipart, and the position after it.

        The fields up to the encoding are known, if they are known for the text in front of the sizes: no text of six
        fields is the start of another one.
        """
        if text[position + 2 : position + 6].upper() != b"TEXT":
            # The names of files are rarely the same.
            return self._unknown_part(text, position, 0)
        limit = position + _MAX_LENGTH_KEPT
        sizes = _SIZES.search(text, position, limit)
        if sizes is None or sizes.end() == limit:
            return self._unknown_part(text, position, 0)
        fields = self._values.get(text[position : sizes.start() + 1])
        if fields is None:
            return self._unknown_part(text, position, sizes.start())
        octets, lines, rest = sizes.groups()
        end = sizes.end()
        if rest is None:
            match = _REST_OF_PART.match(text, end)
            if match is None:
                return None
            rest, end = match[1], match.end()
        extension = self._values.get(rest)
        if extension is None:
            extension = self._all(rest)
        if lines is None:
            return BodyData((*fields, int(octets), *extension)), end
        return BodyData((*fields, int(octets), int(lines), *extension)), end

    def _unknown_part(self, text: bytes, position: int, quote: int) -> tuple[BodyData, int] | None:
        """The same, if the fields are not known. ``quote`` is the position of the quote in front of the sizes, or 0."""
        match = _PART.match(text, position)
        if match is None:
            return None
        groups = match.groups()
        if _HIDDEN in match[0]:
            groups = (*map(_shown, groups[:2]), groups[2], *map(_shown, groups[3:10]), *groups[10:])
        kind, subtype, strings, content_id, description, encoding, octets, lines, md5, disposition, pairs, rest = groups
        parameters = None if strings is None else _strings(strings)
        fields = (kind, subtype, parameters, content_id, description, encoding)
        if match.end(6) == quote:
            self._keep(text[position : quote + 1], fields)
        extension = self._values.get(rest)
        if extension is None:
            extension = self._all(rest)
        if pairs is not None:
            extension = (md5, (disposition, _strings(pairs)), *extension)
        if lines is None:
            return BodyData((*fields, int(octets), *extension)), match.end()
        return BodyData((*fields, int(octets), int(lines), *extension)), match.end()

    def _all(self, text: bytes) -> tuple[Any, ...]:
        """The values of strings, NIL and lists of these."""
        values = tuple(values_in(_escaped(text)))
        self._keep(text, values)
        return values

    def _keep(self, text: bytes, value: Sequence[Any]) -> None:
        values = self._values
        if len(text) <= _MAX_LENGTH_KEPT:
            if len(values) >= _MAX_KEPT:
                values.clear()
            values[text] = value


def _people(text: bytes | None) -> list[tuple[bytes | None, ...]]:
    """The fields of each address of a list."""
    if text is None:
        return []
    if b'""' in text:
        people = [match.groups() for match in _ADDRESS.finditer(text, 1)]
    else:
        # Faster: an empty group is NIL.
        found = _ADDRESS.findall(text, 1)
        people = [(name or None, route or None, mailbox or None, host or None) for name, route, mailbox, host in found]
    return [_shown_fields(fields) for fields in people] if _HIDDEN in text else people


def _addresses(people: list[tuple[Any, ...]]) -> tuple[Address, ...] | None:
    """New addresses with these fields: the caller may change them. None for an empty list."""
    if len(people) == 1:
        return (Address(*people[0]),)
    return tuple([Address(*fields) for fields in people]) or None


def _strings(text: bytes) -> tuple[bytes, ...]:
    """The strings in a list of strings."""
    strings = text[2:-2].split(b'" "')
    return tuple(map(_shown, strings) if _HIDDEN in text else strings)


def _without_escapes(text: bytes) -> bytes:
    """The text with other bytes for the escapes, so that every quote in it starts or ends a string.

    An empty text if that is not possible.
    """
    if _HIDDEN in text:
        return b""
    if _ESCAPE in text:
        text = text.replace(b"\\\\", _BACKSLASH).replace(b'\\"', _QUOTE)
        backslash = text.find(b"\\")
        if backslash >= 0 and text.find(b'"', backslash) >= 0:
            # An escape of another byte, or flags between strings.
            return b""
    return text


def _shown(text: Any) -> Any:
    """The content of a string in a text without escapes, or None."""
    return text.replace(_QUOTE, b'"').replace(_BACKSLASH, b"\\") if text and _HIDDEN in text else text


def _shown_fields(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fields of an address. Mostly its name alone had escapes."""
    name, route, mailbox, host = fields
    if name is not None and _HIDDEN in name:
        name = _shown(name)
    if mailbox is not None and host is not None and route is None and _HIDDEN not in mailbox and _HIDDEN not in host:
        return name, None, mailbox, host
    return name, _shown(route), _shown(mailbox), _shown(host)


def _escaped(text: bytes) -> bytes:
    """A part of a text without escapes, with its escapes."""
    return text.replace(_QUOTE, b'\\"').replace(_BACKSLASH, b"\\\\")


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
        pieces += [line[: announcement.start() + 1], b'"', escaped(literal), b'"']
