"""The types of parsed values. Plain data: each reads nothing but its own fields."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .util import to_unicode


@dataclasses.dataclass
class Address:
    """One address of an envelope (RFC 9051, 7.5.2): each field bytes as the server sent them, or None.

    ``Address(name=b'Ann', route=None, mailbox=b'ann', host=b'example.org')``. In a group (RFC 5322) the start of the
    group is an address with host None and mailbox its name, the end one with both None.
    """

    __slots__ = ("host", "mailbox", "name", "route")

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None

    def __str__(self) -> str:
        """As in a header: ``'Ann <ann@example.org>'``. Bytes that are not ASCII are left out."""
        # Here for the same reason as in datetime_util.
        from email.utils import formataddr

        address = to_unicode(self.mailbox or b"")
        if self.host is not None:
            address = f"{address}@{to_unicode(self.host)}"
        return formataddr((to_unicode(self.name or b""), address))


@dataclasses.dataclass
class Envelope:
    """The envelope of a message (RFC 9051, 7.5.2).

    ``date`` is a datetime, naive and in local time unless ``normalise_times`` is off, or None where the header is
    missing or can't be read. Text is bytes as in the header (not decoded), the address lists are tuples of `Address`;
    each is None where the server sent NIL.
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


class BodyData(tuple[Any, ...]):
    """A body structure (RFC 9051, 7.5.2), a tuple in the order of the grammar's fields.

    A part: ``(b'TEXT', b'PLAIN', (b'CHARSET', b'utf-8'), None, None, b'7BIT', 42, 2)``. A multipart has the list of
    its parts first: ``([(b'TEXT', b'PLAIN', ...), (b'TEXT', b'HTML', ...)], b'ALTERNATIVE', (b'BOUNDARY', b'x'))``.
    """

    @classmethod
    def create(cls, response: Sequence[Any]) -> BodyData:
        """The body structure for a parsed BODY or BODYSTRUCTURE value.

        Without recursion: each multipart that is found is appended to ``open_lists`` and completed from the inside out.
        """
        if not (response and isinstance(response[0], tuple)):
            return cls(response)
        # (multipart value, its list of parts, where it goes: the list of its parent and the index there)
        pending: list[tuple[Sequence[Any], list[Any], list[Any] | None, int]] = []
        todo: list[tuple[Sequence[Any], list[Any] | None, int]] = [(response, None, 0)]
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
                    parts.append(cls(part))
            pending.append((value, parts, parent, index))
        while True:
            value, parts, parent, index = pending.pop()
            body = cls((parts, *value[len(parts) :]))
            if parent is None:
                return body
            parent[index] = body

    @property
    def is_multipart(self) -> bool:
        """Whether this is a multipart: the first field is then the list of its parts."""
        return bool(self) and isinstance(self[0], list)


class SearchIds(list[int]):
    """The message ids that a search found: a list of int, ``[1, 5, 9]``.

    ``modseq`` is the highest mod-sequence of the messages found where the search asked for it (RFC 7162, 3.1.5),
    else None.
    """

    def __init__(self, *args: Iterable[int]) -> None:
        super().__init__(*args)
        self.modseq: int | None = None


class Namespace(NamedTuple):
    """The server's namespaces (RFC 2342): each None, or a tuple of (prefix, hierarchy delimiter) pairs.

    ``Namespace(personal=(('', '/'),), other=None, shared=(('Public/', '/'),))``.
    """

    personal: tuple[tuple[str, str | None], ...] | None
    other: tuple[tuple[str, str | None], ...] | None
    shared: tuple[tuple[str, str | None], ...] | None
