"""Flags of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

from ..arguments import MessageIds, SequenceSet, Text
from ..arguments import flags as flag_list
from ..constants import DELETED
from .base import CommandBase

Flags = Union[Text, Iterable[Text]]
FlagsOfMessages = dict[int, tuple[bytes, ...]]
"""``{12: (b'\\\\Seen', b'Work'), 13: ()}``"""


class FlagsMixin(CommandBase):
    """STORE, and FETCH FLAGS (RFC 9051, 6.4.6 and 6.4.5).

    ``messages`` are ids as for `fetch`. Flags are str or bytes, one or several; what can't be a flag raises ValueError
    before anything is sent. With ``silent`` the server is asked not to answer, and None comes back; else the flags that
    the messages have now, as far as the server tells them.
    """

    def get_flags(self, messages: MessageIds) -> FlagsOfMessages:
        """The flags of messages: ``{12: (b'\\\\Seen', b'Work'), 13: ()}``."""
        wanted = SequenceSet(messages)
        if not wanted:
            return {}
        return self._only(b"FLAGS", self._fetch(b"FETCH", wanted, [b"(FLAGS)"]))

    def add_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Add flags: ``add_flags([12], '\\\\Flagged')`` gives ``{12: (b'\\\\Seen', b'\\\\Flagged')}``."""
        return self._store(b"+FLAGS", messages, flag_list(flags), silent)

    def remove_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Remove flags: ``remove_flags([12], ['\\\\Flagged'])`` gives ``{12: (b'\\\\Seen',)}``."""
        return self._store(b"-FLAGS", messages, flag_list(flags), silent)

    def set_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Replace all flags: ``set_flags([12], [])`` gives ``{12: ()}``."""
        return self._store(b"FLAGS", messages, flag_list(flags), silent)

    def delete_messages(self, messages: MessageIds, silent: bool = False) -> FlagsOfMessages | None:
        """Mark messages as deleted; `expunge` or `close_folder` then removes them. Returns as `add_flags` does."""
        return self._store(b"+FLAGS", messages, (DELETED,), silent)

    def _store(
        self, item: bytes, messages: MessageIds, values: tuple[bytes, ...], silent: bool
    ) -> FlagsOfMessages | None:
        wanted = SequenceSet(messages)
        if not wanted:
            return None if silent else {}
        if silent:
            self._for_messages(b"STORE", wanted, [item + b".SILENT", values])
            return None
        return self._only(b"FLAGS", self._fetch(b"STORE", wanted, [item, values]))

    @staticmethod
    def _only(item: bytes, fetched: dict[int, dict[bytes, Any]]) -> dict[int, Any]:
        """One item of each message that has it."""
        return {number: items[item] for number, items in fetched.items() if item in items}
