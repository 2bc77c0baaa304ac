"""Flags of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Union

from .._arguments.strings import flags as flag_list
from .._parsing.fetch.results import ItemResult
from ..constants import DELETED
from ..sequence_set import MessageIds
from ..util import Text
from .base.command_base import CommandBase

Flags = Union[Text, Iterable[Text]]
FlagsOfMessages = ItemResult[tuple[bytes, ...]]
"""``{12: (b'\\\\Seen', b'Work'), 13: ()}``"""


class FlagsMixin(CommandBase):
    """STORE, and FETCH FLAGS (RFC 9051, 6.4.6 and 6.4.5).

    ``messages`` are ids as for `fetch`. Flags are str or bytes, one or several. A value that can't be a flag raises
    ValueError before anything is sent.

    With ``silent`` the server is asked not to answer, and the method returns None. Otherwise it returns the flags that
    the messages have now, as far as the server sends them.
    """

    def get_flags(self, messages: MessageIds) -> FlagsOfMessages:
        """The flags of messages: ``{12: (b'\\\\Seen', b'Work'), 13: ()}``."""
        return self._fetch_item(b"FLAGS", messages)

    def add_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Add flags: ``add_flags([12], '\\\\Flagged')`` returns ``{12: (b'\\\\Seen', b'\\\\Flagged')}``."""
        return self._store(b"+", b"FLAGS", messages, flag_list(flags), silent)

    def remove_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Remove flags: ``remove_flags([12], ['\\\\Flagged'])`` returns ``{12: (b'\\\\Seen',)}``."""
        return self._store(b"-", b"FLAGS", messages, flag_list(flags), silent)

    def set_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Replace all flags: ``set_flags([12], [])`` returns ``{12: ()}``."""
        return self._store(b"", b"FLAGS", messages, flag_list(flags), silent)

    def delete_messages(self, messages: MessageIds, silent: bool = False) -> FlagsOfMessages | None:
        """Mark messages as deleted; `expunge` or `close_folder` then removes them. Returns what `add_flags` returns."""
        return self._store(b"+", b"FLAGS", messages, (DELETED,), silent)
