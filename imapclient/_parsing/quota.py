"""QUOTA and QUOTAROOT responses (RFC 9208, 4.2). No I/O; a value or ProtocolError."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._import_time import dataclass
from ..imap_utf7 import decode_name
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged


@dataclass
class Quota:
    """One limit of a quota root: ``Quota(quota_root='', resource='STORAGE', usage=10, limit=512)``.

    STORAGE is counted in units of 1024 bytes, MESSAGE in messages, MAILBOX in folders (RFC 9208, 4.2.1 and 5).
    """

    quota_root: str
    resource: str
    usage: int
    limit: int

    def __init__(self, quota_root: str, resource: str, usage: int, limit: int) -> None:
        self.quota_root = quota_root
        self.resource = resource
        self.usage = usage
        self.limit = limit


Quota.__module__ = "imapclient.response_types"


@dataclass
class MailboxQuotaRoots:
    """The quota roots of a folder (RFC 9208, 4.2.2): ``MailboxQuotaRoots(mailbox='INBOX', quota_roots=[''])``."""

    mailbox: str
    quota_roots: list[str]

    def __init__(self, mailbox: str, quota_roots: list[str]) -> None:
        self.mailbox = mailbox
        self.quota_roots = quota_roots


MailboxQuotaRoots.__module__ = "imapclient.response_types"


def parse_quota_root(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[bytes, list[str]]:
    """The folder's name, as on the wire, and its quota roots: ``(b'INBOX', ['User quota'])``.

    quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name) (RFC 9208, 7)
    """
    from .lexer import read_words, unreadable

    words = read_words(response, options)
    if not words:
        raise unreadable("not a QUOTAROOT response", response)
    return words[0], [_root_name(word) for word in words[1:]]


def parse_quota(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> list[Quota]:
    """The quotas of one root, one for each resource: ``[Quota('User quota', 'STORAGE', 12, 51200)]``.

    quota-response = "QUOTA" SP quota-root-name SP "(" quota-resource *(SP quota-resource) ")" (RFC 9208, 7)
    """
    from .lexer import number, read_values, unreadable

    *words, resources = read_values(response, options, typed=False) or [None]
    if not isinstance(resources, tuple) or len(resources) % 3 or not _are_bytes(words) or not _are_bytes(resources):
        raise unreadable("not a QUOTA response", response)
    # The grammar requires exactly one word. But no word means the root "". Several words are one name with spaces that
    # the server did not quote.
    root = _root_name(b" ".join(words))
    quotas = []
    for name, usage, limit in zip(resources[::3], resources[1::3], resources[2::3]):
        used, allowed = number(usage), number(limit)
        if not isinstance(used, int) or not isinstance(allowed, int):
            raise unreadable("usage or limit of a quota is not a number", response)
        quotas.append(Quota(root, name.upper().decode("ascii", "backslashreplace"), used, allowed))
    return quotas


def _are_bytes(values: Sequence[Any]) -> bool:
    return all(isinstance(value, bytes) for value in values)


def _root_name(wire: bytes) -> str:
    """The name of a quota root. No RFC gives it an encoding. It is read as UTF-8, and no byte is lost."""
    return decode_name(wire, utf8=True)
