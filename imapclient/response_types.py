"""The types of parsed values. Plain data: each reads nothing but its own fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

from .body_structure import BodyData
from .envelope import Address, Envelope

__all__ = ["Address", "BodyData", "Envelope", "MailboxQuotaRoots", "Namespace", "Quota", "SearchIds"]


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


@dataclasses.dataclass
class Quota:
    """One limit of a quota root (RFC 9208, 4.2.1): ``Quota(quota_root='', resource='STORAGE', usage=10, limit=512)``.

    STORAGE is in units of 1024 bytes, MESSAGE and MAILBOX in messages and folders.
    """

    quota_root: str
    resource: str
    usage: int
    limit: int


@dataclasses.dataclass
class MailboxQuotaRoots:
    """The quota roots of a folder (RFC 9208, 4.2.2): ``MailboxQuotaRoots(mailbox='INBOX', quota_roots=[''])``."""

    mailbox: str
    quota_roots: list[str]
