"""Gmail's labels of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

from .._arguments.command import Argument
from .._arguments.strings import flag, string
from .._parsing.fetch.results import ItemResult
from ..imap_utf7 import decode_name, encode_name
from ..sequence_set import MessageIds
from ..util import Text, to_wire
from .base.command_base import CommandBase

Labels = Union[Text, Iterable[Text]]
LabelsOfMessages = ItemResult[list[str]]
"""``{12: ['\\\\Inbox', 'Work']}``"""

_ITEM = b"X-GM-LABELS"


class GmailMixin(CommandBase):
    """FETCH and STORE of X-GM-LABELS, an extension of Gmail with the capability X-GM-EXT-1. Other servers answer BAD.

    ``messages`` are ids as for `fetch`. ``labels`` are one or several labels: str, or bytes as on the wire. A label may
    be any text. Gmail's own labels begin with a backslash: ``'\\\\Inbox'``, ``'\\\\Important'``, ``'\\\\Starred'``.

    Returned labels are str, even if ``folder_encode`` is off. If the bytes of a label are not modified UTF-7, it
    becomes a str that still means the same label.
    """

    def get_gmail_labels(self, messages: MessageIds) -> LabelsOfMessages:
        """The labels of messages: ``{12: ['\\\\Inbox', 'Work'], 13: []}``.

        Raises CommandError if the server refuses. The connection is usable then.
        """
        return self._decoded(self._fetch_item(_ITEM, messages))

    def add_gmail_labels(self, messages: MessageIds, labels: Labels, silent: bool = False) -> LabelsOfMessages | None:
        """Add labels: ``add_gmail_labels([12], ['Café', '\\\\Starred'])`` returns ``{12: ['\\\\Starred', 'Café']}``.

        The result contains the labels that the messages have now, as far as the server sends them. With ``silent`` the
        server sends none, and the result is None.

        Raises ValueError if a label in bytes contains NUL; nothing is sent then. Raises CommandError if the server
        refuses. The connection is usable after both.
        """
        return self._store_labels(b"+", messages, labels, silent)

    def remove_gmail_labels(
        self, messages: MessageIds, labels: Labels, silent: bool = False
    ) -> LabelsOfMessages | None:
        """Remove labels: ``remove_gmail_labels([12], 'Café')`` returns ``{12: ['\\\\Starred']}``.

        The result and the exceptions are those of `add_gmail_labels`.
        """
        return self._store_labels(b"-", messages, labels, silent)

    def set_gmail_labels(self, messages: MessageIds, labels: Labels, silent: bool = False) -> LabelsOfMessages | None:
        """Replace all labels: ``set_gmail_labels([12], [])`` returns ``{12: []}``.

        The result and the exceptions are those of `add_gmail_labels`.
        """
        return self._store_labels(b"", messages, labels, silent)

    def _store_labels(
        self, change: bytes, messages: MessageIds, labels: Labels, silent: bool
    ) -> LabelsOfMessages | None:
        if isinstance(labels, (str, bytes)):
            labels = (labels,)
        stored = self._store(change, _ITEM, messages, tuple(self._label(label) for label in labels), silent)
        return None if stored is None else self._decoded(stored)

    def _label(self, label: Text) -> Argument:
        wire = to_wire(encode_name(label, self._imap.is_utf8))
        # Gmail's own labels are atoms like flags, all others are strings.
        return flag(wire) if wire.startswith(b"\\") and wire.removeprefix(b"\\").isalpha() else string(wire, "a label")

    def _decoded(self, found: ItemResult[Any]) -> LabelsOfMessages:
        for message, labels in found.items():
            found[message] = [decode_name(label, self._imap.is_utf8) for label in labels if isinstance(label, bytes)]
        return found
