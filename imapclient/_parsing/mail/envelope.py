"""Envelopes of messages and the addresses in them (RFC 9051, 7.5.2). No I/O."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, SupportsIndex

from ..._import_time import dataclass, expression
from ...datetime_util import parse_to_datetime
from ...exceptions import ProtocolError
from ...util import to_unicode
from ..lexer import brief
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


class _WithUnreadableDate:
    """An attribute of envelopes that is not a field. In most envelopes it is not set, because setting it costs time."""

    __slots__ = ("_unreadable_date",)
    _unreadable_date: bytes | None


@dataclass
class Envelope(_WithUnreadableDate):
    """The envelope of a message (RFC 9051, 7.5.2).

    ``date`` is a datetime, naive and in local time unless ``normalise_times`` is off. It is None if the header is
    missing or can't be parsed. Text is bytes as in the header, not decoded. Address lists are tuples of `Address`. A
    field is None if the server sent NIL.
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
        # Pickle protocols before 2 do not support slots.
        return super().__reduce_ex__(max(2, protocol.__index__()))


Envelope.__module__ = "imapclient.response_types"


# -- parsing


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
    moment = envelope_date(date, normalise_times) if date else None
    envelope = Envelope(
        moment,
        subject if type(subject) is bytes else _string(subject, faults),
        _addresses(from_, faults),
        _addresses(sender, faults),
        _addresses(reply_to, faults),
        _addresses(to, faults),
        _addresses(cc, faults),
        _addresses(bcc, faults),
        in_reply_to if type(in_reply_to) is bytes else _string(in_reply_to, faults),
        message_id if type(message_id) is bytes else _string(message_id, faults),
    )
    if date and moment is None:
        envelope._unreadable_date = _string(date, faults)
    return envelope, faults


def envelope_date(value: Any, normalise_times: bool) -> datetime.datetime | None:
    """The date of an envelope. None if it can't be parsed."""
    try:
        return parse_to_datetime(value, normalise_times)
    except (TypeError, ValueError):
        return None


def _string(value: Any, faults: list[str]) -> bytes | None:
    """The bytes of a string, or None. A number is a string that the server sent without quotes."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return b"%d" % value
    faults.append(f"not a string: {brief(value)}")
    return None


def _addresses(value: Any, faults: list[str]) -> tuple[Address, ...] | None:
    """The addresses in a list, or None if it is empty."""
    if not value:
        return None
    if not isinstance(value, tuple):
        faults.append(f"not a list of addresses: {brief(value)}")
        return None
    addresses = []
    for address in value:
        if not isinstance(address, tuple) or len(address) != 4:
            if address != ():
                faults.append(f"not an address: {brief(address)}")
            continue
        name, route, mailbox, host = address
        if not (type(mailbox) is bytes is type(host) and route is None and (name is None or type(name) is bytes)):
            if isinstance(mailbox, tuple) or isinstance(host, tuple):
                # If None replaced the list, the address would be taken for the start or end of a group.
                faults.append(f"not an address: {brief(address)}")
                continue
            name, route, mailbox, host = (_string(field, faults) for field in address)
        addresses.append(Address(name, route, mailbox, host))
    return tuple(addresses) or None
