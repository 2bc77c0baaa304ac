"""Body structures (RFC 9051, 7.5.2): IMAPClient's tuple, with properties for the meaning of its fields. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..._import_time import NamedTuple
from ..lexer import brief
from .envelope import Envelope, read_envelope
from .header_text import decode_parameters, decode_text, decode_words, split_parameters


class BodyData(tuple[Any, ...]):
    """A body structure (RFC 9051, 7.5.2), a tuple with its fields in the order of the grammar.

    A part: ``(b'TEXT', b'PLAIN', (b'CHARSET', b'utf-8'), None, None, b'7BIT', 42, 2)``. A multipart has the list of
    its parts first: ``([(b'TEXT', b'PLAIN', ...), (b'TEXT', b'HTML', ...)], b'ALTERNATIVE', (b'BOUNDARY', b'x'))``.

    `walk` yields all parts with their numbers. The properties decode the fields and never raise. A field that is
    missing, NIL or of the wrong kind gives None, ``{}`` or ``()``. A BODY has no disposition, language, location or
    MD5: fetch BODYSTRUCTURE for these. Names of types, dispositions, encodings, charsets and parameters are in lower
    case. All text is one line.
    """

    __slots__ = ()

    @classmethod
    def create(cls, response: Sequence[Any]) -> BodyData:
        """The body structure for a parsed BODY or BODYSTRUCTURE value.

        A multipart without parts, as Gmail sends it, has an empty list of parts:
        ``([], b'MIXED', (b'BOUNDARY', b'x'), None, None)``.
        """
        return read_body(response)[0]

    @property
    def is_multipart(self) -> bool:
        """Whether this is a multipart. Its first field is then the list of its parts."""
        return bool(self) and isinstance(self[0], list)

    def walk(self) -> Iterator[tuple[str, BodyData]]:
        """Yield all parts with their numbers (RFC 9051, 6.4.5), this one first, each before the parts within it.

        ``[('', <multipart/mixed>), ('1', <text/plain>), ('2', <message/rfc822>), ('2.1', <text/plain>)]``. Use the
        number in ``BODY[2]``, ``BODY[2.MIME]`` or ``BINARY[2]``. A message that is not a multipart has one part,
        ``'1'``. A multipart that is the whole message has the number ``''``; ``BODY[]`` is the message with its header.
        A multipart that is the body of a message within the message has ``'2.TEXT'``, since the grammar gives it no
        number.
        """
        # One iterator for each level, so that memory holds few numbers at a time.
        levels: list[Iterator[tuple[str, BodyData]]] = [iter([("" if self.is_multipart else "1", self)])]
        while levels:
            found = next(levels[-1], None)
            if found is None:
                levels.pop()
                continue
            yield found
            number, part = found
            if part.is_multipart:
                prefix = number[: -len("TEXT")] if number.endswith(".TEXT") else number and f"{number}."
                levels.append(_numbered(prefix, part[0]))
            else:
                body = part.body
                if body is not None:
                    levels.append(iter([(f"{number}.TEXT" if body.is_multipart else f"{number}.1", body)]))

    # -- fields of all parts

    @property
    def content_type(self) -> str | None:
        """The type: ``'text/plain'``, ``'multipart/alternative'``; ``'text'`` if the server left out the subtype."""
        kind = "multipart" if self.is_multipart else _word(self._at(0))
        subtype = _word(self._at(1))
        return f"{kind}/{subtype}" if kind and subtype else kind

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the type, decoded (RFC 2231, RFC 2047): ``{'charset': 'utf-8', 'format': 'flowed'}``."""
        return decode_parameters(self._at(2) if self.is_multipart else self._field(2))

    @property
    def charset(self) -> str | None:
        """The charset of a text: ``'utf-8'``. Python may not know it."""
        return self.params.get("charset", "").strip(" '\"").lower() or None

    @property
    def disposition(self) -> str | None:
        """The disposition: ``'inline'``, ``'attachment'`` (RFC 2183)."""
        return _word(self._extension.disposition)

    @property
    def disposition_params(self) -> dict[str, str]:
        """The parameters of the disposition, decoded like `params`: ``{'filename': 'Grüße.txt', 'size': '1650'}``."""
        return decode_parameters(self._extension.disposition_params)

    @property
    def filename(self) -> str | None:
        """The name of the file: the disposition's parameter ``filename``, otherwise the type's parameter ``name``.

        Never use it as a path: the sender wrote it, and it may be ``'../../etc/passwd'``, ``'C:\\\\x'``, ``'CON'`` or
        ``'.'``.
        """
        return self.disposition_params.get("filename") or self.params.get("name") or None

    @property
    def language(self) -> tuple[str, ...]:
        """The languages (RFC 3282): ``('en', 'de')``."""
        value = self._extension.language
        texts = map(_text, value if isinstance(value, tuple) else [value])
        return tuple(text for text in texts if text)

    @property
    def location(self) -> str | None:
        """The URI of the content (RFC 2557)."""
        return _text(self._extension.location)

    # -- fields of parts that are not multiparts

    @property
    def content_id(self) -> str | None:
        """The id by which other parts refer to this one, with its brackets: ``'<logo@example.org>'``."""
        return _text(self._field(3))

    @property
    def description(self) -> str | None:
        """The description, decoded (RFC 2047)."""
        value = self._field(4)
        return (decode_words(value).strip() or None) if isinstance(value, bytes) else None

    @property
    def encoding(self) -> str | None:
        """The transfer encoding: ``'base64'``, ``'quoted-printable'``, ``'7bit'``, ``'8bit'``, ``'binary'``."""
        return _word(self._field(5))

    @property
    def size(self) -> int | None:
        """The size in bytes, in the transfer encoding.

        It is also None for -1, which servers send for an unknown size.
        """
        return _count(self._field(6))

    @property
    def lines(self) -> int | None:
        """The number of lines of a text or a message, in the transfer encoding."""
        return _count(self._field(9 if self._has_body else 7))

    @property
    def md5(self) -> str | None:
        """The MD5 of the content in base64 (RFC 1864)."""
        return _text(self._extension.md5)

    # -- fields of a message within the message

    def envelope(self, normalise_times: bool = True) -> Envelope | None:
        """The envelope of a message within the message (message/rfc822). None for other parts.

        With ``normalise_times`` the date is naive and in local time; otherwise it has the sender's zone.
        """
        value = self._field(7)
        if not self._is_message or not isinstance(value, tuple) or _is_disposition(value):
            return None
        return read_envelope(value, normalise_times)[0]

    @property
    def body(self) -> BodyData | None:
        """The body structure of a message within the message (message/rfc822). None for other parts."""
        return BodyData.create(self._field(8)) if self._has_body else None

    # -- positions of the fields

    def _at(self, index: int) -> Any:
        return self[index] if index < len(self) else None

    def _place(self, index: int) -> int:
        """The index of a part's field, from its index in the grammar (RFC 9051, 9: body-type-1part).

        It is one less if the server left out the subtype: ``("TEXT" ("CHARSET" "utf-8") NIL NIL "base64" 356 5)``,
        ``("MESSAGE" NIL NIL NIL "base64" 356)``.
        """
        subtype = self._at(1)
        is_left_out = isinstance(subtype, tuple) or (subtype is None and isinstance(self._at(5), int))
        return index - 1 if is_left_out else index

    def _field(self, index: int) -> Any:
        """The field at an index in the grammar of a part. None for a multipart, which has other fields."""
        return None if self.is_multipart else self._at(self._place(index))

    @property
    def _is_message(self) -> bool:
        return self.content_type in ("message/rfc822", "message/global")

    @property
    def _has_body(self) -> bool:
        """Whether this is a message and the server sent its structure.

        Gmail and Exchange may describe it as any file: ``("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 836 NIL ("ATTACHMENT"
        NIL) NIL)``. The envelope may be NIL although a body follows it.
        """
        envelope, body = self._field(7), self._field(8)
        if not (self._is_message and body and isinstance(body, tuple)) or _is_disposition(envelope):
            return False
        return isinstance(envelope, tuple) or not _is_disposition(body)

    @property
    def _extension(self) -> _Extension:
        """The fields that only BODYSTRUCTURE has (RFC 9051, 9: body-ext-1part, body-ext-mpart)."""
        if self.is_multipart:
            # A multipart has parameters in the place of MD5. Some servers send the disposition one place too late, as
            # in a part: "RELATED" ("BOUNDARY" "x") NIL ("INLINE" NIL) NIL NIL
            fields: tuple[Any, ...] = (None, *self[3:])
            places: tuple[int, ...] = (1, 2)
        else:
            has_lines = _word(self._at(0)) == "text" or isinstance(self._field(7), int)
            start = 10 if self._has_body else 8 if has_lines else 7
            fields, places = self[self._place(start) :], (1, 0, 2)
        fields += (None,) * 5
        place = next((place for place in places if _is_disposition(fields[place])), 1)
        value, language, location = fields[place : place + 3]
        if not _is_disposition(value):
            value = None
        if isinstance(value, bytes):
            value = split_parameters(value)
        disposition, params = (*(value or ()), None, None)[:2]
        return _Extension(fields[0] if place else None, disposition, params, language, location)


BodyData.__module__ = "imapclient.response_types"


def _numbered(prefix: str, parts: Sequence[BodyData]) -> Iterator[tuple[str, BodyData]]:
    return ((f"{prefix}{index}", part) for index, part in enumerate(parts, 1))


class _Extension(NamedTuple):
    md5: Any
    disposition: Any
    disposition_params: Any
    language: Any
    location: Any


_MULTIPARTS = frozenset(
    {b"ALTERNATIVE", b"DIGEST", b"ENCRYPTED", b"MIXED", b"PARALLEL", b"RELATED", b"REPORT", b"SIGNED"}
)
_DISPOSITIONS = frozenset({b"ATTACHMENT", b"INLINE"})
_FLOAT = rb"\d{1,20}(?:\.\d{1,20})?[eE]\+?\d{1,2}"


def _is_disposition(value: Any) -> bool:
    """Whether a field has the form of a disposition: ``("INLINE" NIL)``, ``("ATTACHMENT" ("FILENAME" "x"))``.

    Also accepted are ``"INLINE"`` without parentheses, and the text of the header field, which pymap 0.36 sends:
    ``"attachment; filename=\\"a b.txt\\""``. Some servers send a description in the place of a multipart's disposition,
    ``"Multipart message"``. It is not accepted.
    """
    if isinstance(value, bytes):
        return value.partition(b";")[0].strip().upper() in _DISPOSITIONS
    if not isinstance(value, tuple) or not value:
        return False
    if isinstance(value[0], bytes) and value[0].upper() in _DISPOSITIONS:
        return True
    return len(value) == 2 and isinstance(value[0], (bytes, type(None))) and isinstance(value[1], (tuple, type(None)))


def _text(value: Any) -> str | None:
    """The text of a string. A number is a string that the server sent without quotes."""
    raw = b"%d" % value if isinstance(value, int) else value if isinstance(value, bytes) else None
    return (decode_text(raw).strip() or None) if raw else None


def _word(value: Any) -> str | None:
    """The text of a string in lower case."""
    text = _text(value)
    return text and text.lower()


def _count(value: Any) -> int | None:
    """A number; also as a string, and as a float, as some servers send large numbers: ``9.3736e+06``."""
    if isinstance(value, bytes):
        if value.isdigit() and len(value) <= 20:
            return int(value)
        return int(float(value)) if re.fullmatch(_FLOAT, value) else None
    return value if isinstance(value, int) and value >= 0 else None


# -- parsing


def read_body(value: Sequence[Any]) -> tuple[BodyData, list[str]]:
    """The body structure for the values of a BODY or BODYSTRUCTURE, and its faults in words: mostly ``[]``.

    `BodyData` accepts the many forms that servers send. So there is only one fault: parameters that are not a list. The
    other fields are then not what they seem to be.

    No recursion: each multipart is appended to ``pending``, and completed after the multiparts within it.
    """
    faults: list[str] = []
    if not (value and isinstance(value[0], tuple)):
        return _read_part(value, faults), faults
    # (values of a multipart, list of its parts, list of its parent's parts, index in that list)
    pending: list[tuple[Sequence[Any], list[Any], list[Any] | None, int]] = []
    todo: list[tuple[Sequence[Any], list[Any] | None, int]] = [(value, None, 0)]
    while todo:
        value, parent, index = todo.pop()
        parts: list[Any] = []
        for part in value:
            if not isinstance(part, tuple):
                break
            if part and isinstance(part[0], tuple):
                todo.append((part, parts, len(parts)))
                parts.append(None)
            else:
                parts.append(_read_part(part, faults))
        pending.append((value, parts, parent, index))
    while True:
        value, parts, parent, index = pending.pop()
        body = BodyData((parts, *value[len(parts) :]))
        if parent is None:
            return body, faults
        parent[index] = body


def _read_part(fields: Sequence[Any], faults: list[str]) -> BodyData:
    """A part, or a multipart whose parts are missing, with an empty list of parts.

    A part has seven fields or more. Gmail sends ``("ALTERNATIVE" ("BOUNDARY" "x") NIL NIL)``, other servers
    ``("MIXED")`` and ``(NIL "MIXED")``.
    """
    if len(fields) >= 7:
        params = fields[2]
        if params is not None and type(params) is not tuple:
            faults.append(f"not a list of parameters: {brief(params)}")
    elif fields:
        first, second = (*fields, None)[:2]
        if first is None and isinstance(second, bytes) and second.upper() in _MULTIPARTS:
            fields = ([], *fields[1:])
        elif isinstance(first, bytes) and first.upper() in _MULTIPARTS and not isinstance(second, bytes):
            fields = ([], *fields)
    return BodyData(fields)
