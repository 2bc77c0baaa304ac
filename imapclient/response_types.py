"""The types of what comes back: one place to import them from."""

from __future__ import annotations

from ._parsing.quota import MailboxQuotaRoots, Quota
from .body_structure import BodyData
from .envelope import Address, Envelope
from .folder_parser import Namespace
from .search_parser import SearchIds

__all__ = ["Address", "BodyData", "Envelope", "MailboxQuotaRoots", "Namespace", "Quota", "SearchIds"]
