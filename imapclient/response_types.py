"""The types of the results. Import them from here."""

from __future__ import annotations

# `typing.get_type_hints` looks here for the names in the annotations of these classes.
import datetime  # noqa: F401

from ._commands.idle import Idle
from ._parsing.fetch.results import FetchIterator, FetchResult, ItemResult
from ._parsing.folders import Namespace
from ._parsing.mail.body_structure import BodyData
from ._parsing.mail.envelope import Address, Envelope
from ._parsing.quota import MailboxQuotaRoots, Quota
from ._parsing.search import SearchIds
from ._parsing.uid_codes import AppendReply, CopyReply
from .imap_utf7 import WireName
from .sequence_set import UidSet

__all__ = [
    "Address",
    "AppendReply",
    "BodyData",
    "CopyReply",
    "Envelope",
    "FetchIterator",
    "FetchResult",
    "Idle",
    "ItemResult",
    "MailboxQuotaRoots",
    "Namespace",
    "Quota",
    "SearchIds",
    "UidSet",
    "WireName",
]
