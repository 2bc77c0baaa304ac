"""Envelopes of messages and the addresses in them (RFC 9051, 7.5.2). No I/O."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, SupportsIndex, Union

from ..._import_time import dataclass, expression
from ...datetime_util import parse_to_datetime
from ...exceptions import ProtocolError
from ...util import to_unicode
from ..lexer import brief
from ..quoted_strings import HIDDEN, NSTRING, NSTRING_CONTENT, shown
from .header_text import decode_text, decode_words


@dataclass
class Address:
    """One address of an envelope (RFC 9051, 7.5.2). Each field is bytes as the server sent them, or None.

    ``Address(name=b'Ann', route=None, mailbox=b'ann', host=b'example.org')``. A group (RFC 5322, 3.4) starts with an
    address whose host is None and whose mailbox is the group's name. It ends with one whose host and mailbox are None.
    """

    __slots__ = ("host", "mailbox", "name", "route")

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None

    def __init__(self, name: bytes | None, route: bytes | None, mailbox: bytes | None, host: bytes | None) -> None:
        self.name = name
        self.route = route
        self.mailbox = mailbox
        self.host = host

    def __str__(self) -> str:
        """The address as in a header: ``'Ann <ann@example.org>'``.

        Nothing is decoded. Bytes that are not ASCII are omitted. A control character becomes a space, so the text is
        one line.
        """
        # Imported here: it is slow to import, and few programs need it.
        from email.utils import formataddr

        parts = [to_unicode(part) for part in (self.mailbox, self.host) if part]
        address = formataddr((to_unicode(self.name or b""), "@".join(parts)))
        return address if address.isprintable() else address.translate(_CONTROL_TO_SPACE)

    @property
    def display_name(self) -> str | None:
        """The name to show, decoded (RFC 2047): ``'Zoë'`` for ``b'=?utf-8?q?Zo=C3=AB?='``, or None.

        If name and host are missing, it is the mailbox. That is a group's name, ``'undisclosed-recipients'``, or a user
        of the same machine, ``'root'``. The sender wrote it: it does not prove who the sender is.
        """
        raw = self.name
        if not raw and self._host is None and self.mailbox not in _NO_MAILBOXES:
            raw = self.mailbox
        return (decode_words(raw).strip() or None) if raw else None

    @property
    def email(self) -> str | None:
        """The address alone: ``'ann@example.org'``, or None if mailbox or host is missing.

        It is None at the start and end of a group. It is also None if the server sent a stand-in: ``MISSING_MAILBOX``,
        ``MISSING_DOMAIN`` (Dovecot), ``unspecified-domain`` (Cyrus), ``.MISSING-HOST-NAME.`` (UW, Exchange). Raw UTF-8
        is decoded (RFC 6532); a domain in Punycode is not. A mailbox that needs quotes in a header has them:
        ``'"ann smith"@example.org'``.
        """
        if not self.mailbox or self._host is None or self.mailbox in _NO_MAILBOXES:
            return None
        mailbox, host = decode_text(self.mailbox), decode_text(self._host)
        if not _DOMAIN.fullmatch(host):
            return None
        if not _DOT_ATOM.fullmatch(mailbox) and not _is_quoted(mailbox):
            mailbox = '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{mailbox}@{host}"

    @property
    def _host(self) -> bytes | None:
        """The host, or None if the header has no host."""
        return None if not self.host or self.host in _NO_HOSTS else self.host

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        # Pickle protocols before 2 do not support slots.
        return super().__reduce_ex__(max(2, protocol.__index__()))


Address.__module__ = "imapclient.response_types"


# What servers send if the header has no host or no mailbox.
_NO_HOSTS = frozenset(
    {
        # Dovecot 2.3, for "From: root" and for "From: <ann@>"
        b"MISSING_DOMAIN",
        b"SYNTAX_ERROR",
        # Cyrus 3
        b"unspecified-domain",
        # UW imapd and Exchange
        b".MISSING-HOST-NAME.",
        b".SYNTAX-ERROR.",
    }
)
_NO_MAILBOXES = frozenset(
    {
        # Dovecot 2.3, for "From: <>"
        b"MISSING_MAILBOX",
        # Cyrus 3
        b"unknown-user",
        # UW imapd, each with .SYNTAX-ERROR.
        b"INVALID_ADDRESS",
        b"MISSING_MAILBOX_TERMINATOR",
        b"UNEXPECTED_DATA_AFTER_ADDRESS",
    }
)
_CONTROL_TO_SPACE = dict.fromkeys([*range(9), *range(10, 32), 127], " ")
# dot-atom and quoted-string (RFC 5322, 3.2; RFC 6532 adds characters beyond ASCII). Dots may stand anywhere.
_WORDS = r"[^\x00-\x20()<>\[\]:;@\\,\"\x7f]+"
_DOT_ATOM = expression(_WORDS)
_ESCAPED = expression(r"\\.")
_QUOTE_OR_BACKSLASH = expression(r'["\\]')
_DOMAIN = expression(_WORDS + r"|\[[^\x00-\x20\[\]\\\x7f]*\]")


def _is_quoted(text: str) -> bool:
    """Whether text is a quoted-string. A single expression for this would take a hundred times the text's memory."""
    inside = text[1:-1]
    return text == f'"{inside}"' and not _QUOTE_OR_BACKSLASH.search(_ESCAPED.sub("", inside))


class _NotFields:
    """Attributes of envelopes that are not fields. They are not set if they are not needed, because that takes time."""

    __slots__ = ("_address_lists", "_unreadable_date")
    # The six address lists, if they came from a server. `_MADE` stands for a list whose field is set. None in the place
    # of all: each field is set.
    _address_lists: Sequence[Any] | None
    _unreadable_date: bytes | None


@dataclass
class Envelope(_NotFields):
    """The envelope of a message (RFC 9051, 7.5.2).

    ``date`` is a datetime, naive and in local time unless ``normalise_times`` is off. It is None if the header is
    missing or can't be parsed. Text is bytes as in the header, not decoded. Address lists are tuples of `Address`,
    which are made when your program first looks at the list. A field is None if the server sent NIL.
    """

    __slots__ = (
        "bcc",
        "cc",
        "date",
        "from_",
        "in_reply_to",
        "message_id",
        "reply_to",
        "sender",
        "subject",
        "to",
    )

    date: datetime.datetime | None
    subject: bytes | None
    from_: tuple[Address, ...] | None
    sender: tuple[Address, ...] | None
    reply_to: tuple[Address, ...] | None
    to: tuple[Address, ...] | None
    cc: tuple[Address, ...] | None
    bcc: tuple[Address, ...] | None
    in_reply_to: bytes | None
    message_id: bytes | None

    def __init__(
        self,
        date: datetime.datetime | None,
        subject: bytes | None,
        from_: tuple[Address, ...] | None,
        sender: tuple[Address, ...] | None,
        reply_to: tuple[Address, ...] | None,
        to: tuple[Address, ...] | None,
        cc: tuple[Address, ...] | None,
        bcc: tuple[Address, ...] | None,
        in_reply_to: bytes | None,
        message_id: bytes | None,
    ) -> None:
        self.date = date
        self.subject = subject
        self.from_ = from_
        self.sender = sender
        self.reply_to = reply_to
        self.to = to
        self.cc = cc
        self.bcc = bcc
        self.in_reply_to = in_reply_to
        self.message_id = message_id

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make the addresses of a list when it is first looked at. Python calls this if an attribute is not set."""
            index = _ADDRESS_FIELDS.get(name)
            lists = None if index is None else getattr(self, "_address_lists", None)
            if lists is None or lists[index] is _MADE:
                return object.__getattribute__(self, name)
            found = lists[index]
            fields = address_fields(found) if isinstance(found, bytes) else found
            addresses = None if fields is None else tuple([Address(*one) for one in fields])
            # The field first, because another thread may look at it meanwhile.
            setattr(self, name, addresses)
            left = [fields if one is found else one for one in lists]
            left[index] = _MADE
            self._address_lists = None if left == _ALL_MADE else tuple(left)
            return addresses

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For IPython: prints the repr, with a line for each field if it is too long for one line."""
        # Imported here: it is slow to import, and IPython has loaded it.
        from dataclasses import fields

        with printer.group(len("Envelope("), "Envelope(", ")"):
            for field in fields(self):
                if field.name != "date":
                    printer.text(",")
                    printer.breakable()
                printer.text(f"{field.name}=")
                printer.pretty(getattr(self, field.name))

    @property
    def subject_text(self) -> str | None:
        """The subject, decoded (RFC 2047): ``'Grüße'`` for ``b'=?utf-8?q?Gr=C3=BC=C3=9Fe?='``, or None.

        It is one line, whatever the bytes are. Bytes that can't be decoded become U+FFFD.
        """
        return None if self.subject is None else decode_words(self.subject)

    @property
    def unreadable_date(self) -> bytes | None:
        """The bytes of a date that can't be parsed, such as ``b'00-Jan-0000'``; otherwise None."""
        try:
            return self._unreadable_date
        except AttributeError:
            return None

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        for name in _ADDRESS_FIELDS:
            getattr(self, name, None)
        # Pickle protocols before 2 do not support slots.
        reduced: Any = super().__reduce_ex__(max(2, protocol.__index__()))
        state = reduced[2]
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            state[1].pop("_address_lists", None)
        return reduced  # type: ignore[no-any-return]


Envelope.__module__ = "imapclient.response_types"


# -- parsing

# The addresses of an envelope are made when a program looks at a list. Most programs look at few of the lists.

# The group has the text of an address list, its escapes `hidden`. It is None if the list is empty.
ADDRESS_LIST = rb"(?:(\((?:\(%b\))+\))|NIL|\(\))" % b" ".join([NSTRING] * 4)
_ADDRESS = expression(rb"\(%b\)" % b" ".join([NSTRING_CONTENT] * 4))
_ADDRESS_FIELDS = {name: index for index, name in enumerate(("from_", "sender", "reply_to", "to", "cc", "bcc"))}
_AddressList = Union[bytes, tuple[tuple[Optional[bytes], ...], ...], None]
"""The group of `ADDRESS_LIST`, or the fields of the addresses."""
_MADE = object()
_ALL_MADE = [_MADE] * 6


def envelope_of(
    date: bytes | None,
    subject: bytes | None,
    address_lists: Sequence[_AddressList],
    in_reply_to: bytes | None,
    message_id: bytes | None,
    normalise_times: bool,
) -> Envelope:
    """The envelope with the contents of these strings and with these six address lists."""
    envelope = Envelope.__new__(Envelope)
    try:
        envelope.date = parse_to_datetime(date, normalise_times) if date else None
    except (TypeError, ValueError):
        envelope.date, envelope._unreadable_date = None, date
    envelope.subject = subject
    envelope._address_lists = address_lists
    envelope.in_reply_to = in_reply_to
    envelope.message_id = message_id
    return envelope


def address_fields(text: bytes) -> tuple[tuple[bytes | None, ...], ...]:
    """The fields of each address, from the group of `ADDRESS_LIST`."""
    people = [match.groups() for match in _ADDRESS.finditer(text, 1)]
    if HIDDEN in text:
        people = [tuple([shown(field) if field and HIDDEN in field else field for field in one]) for one in people]
    return tuple(people)


class PartlyReadError(ProtocolError):
    """A part of an item's value is not valid. ``sound`` is the value without that part. The connection is usable.

    The text lists the first five of the ``faults``.
    """

    def __init__(self, message: object = "", sound: Any = None, faults: Sequence[str] = ()) -> None:
        super().__init__(f"{message}: {'; '.join(faults[:5])}" if faults else message)
        self.sound = sound


def read_envelope(fields: Sequence[Any], normalise_times: bool = True) -> tuple[Envelope, list[str]]:
    """The envelope for the values of an ENVELOPE, and its faults in words: mostly ``[]``.

    A field that is missing at the end is None, which is not a fault. A field of the wrong kind is None, and an address
    that is not valid is omitted: both are faults. A date that can't be parsed is the sender's fault, so it is not among
    the faults: it is in ``unreadable_date``.
    """
    faults: list[str] = []
    if len(fields) != 10:
        if len(fields) > 10:
            faults.append(f"more than ten fields, from {brief(fields[10])} on")
        fields = (*fields, *[None] * 10)[:10]
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = fields
    subject = subject if type(subject) is bytes else _string(subject, faults)
    authors = _checked_addresses(from_, faults)
    envelope = envelope_of(
        date,
        subject,
        (
            authors,
            # Mostly the same as From. If that is sound, it is not nested deep, and comparing is safe.
            authors if authors is from_ and sender == from_ else _checked_addresses(sender, faults),
            authors if authors is from_ and reply_to == from_ else _checked_addresses(reply_to, faults),
            _checked_addresses(to, faults),
            _checked_addresses(cc, faults),
            _checked_addresses(bcc, faults),
        ),
        in_reply_to if type(in_reply_to) is bytes else _string(in_reply_to, faults),
        message_id if type(message_id) is bytes else _string(message_id, faults),
        normalise_times,
    )
    if date and envelope.date is None:
        envelope._unreadable_date = _string(date, faults)
    return envelope, faults


def _string(value: Any, faults: list[str]) -> bytes | None:
    """The bytes of a string, or None. A number is a string that the server sent without quotes."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return b"%d" % value
    faults.append(f"not a string: {brief(value)}")
    return None


def _checked_addresses(value: Any, faults: list[str]) -> _AddressList:
    """The fields of the addresses in a list, or None if there are no addresses."""
    if not value:
        return None
    if not isinstance(value, tuple):
        faults.append(f"not a list of addresses: {brief(value)}")
        return None
    for address in value:
        if type(address) is tuple and len(address) == 4:
            name, route, mailbox, host = address
            if type(mailbox) is bytes is type(host) and route is None and (name is None or type(name) is bytes):
                continue
        return tuple(_sound_addresses(value, faults)) or None
    return value


def _sound_addresses(values: tuple[Any, ...], faults: list[str]) -> Iterator[tuple[bytes | None, ...]]:
    for address in values:
        if not isinstance(address, tuple) or len(address) != 4:
            if address != ():
                faults.append(f"not an address: {brief(address)}")
        elif isinstance(address[2], tuple) or isinstance(address[3], tuple):
            # If None replaced the list, the address would be taken for the start or end of a group.
            faults.append(f"not an address: {brief(address)}")
        else:
            yield tuple([_string(field, faults) for field in address])
