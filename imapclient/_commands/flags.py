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

    ``messages`` are ids as for `fetch`. ``flags`` are one or several flags, str or bytes.
    """

    def get_flags(self, messages: MessageIds) -> FlagsOfMessages:
        """The flags of messages: ``{12: (b'\\\\Seen', b'Work'), 13: ()}`` (RFC 9051, 6.4.5).

        Raises CommandError if the server refuses. The connection is usable then.
        """
        return self._fetch_item(b"FLAGS", messages)

    def add_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Add flags: ``add_flags([12], '\\\\Flagged')`` returns ``{12: (b'\\\\Seen', b'\\\\Flagged')}``.

        Sends STORE (RFC 9051, 6.4.6). The result contains the flags that the messages have now, as far as the server
        sends them. With ``silent`` the server sends none, and the result is None.

        Raises ValueError if a value can't be a flag; nothing is sent then. Raises CommandError if the server refuses,
        for example because the folder is selected read-only. The connection is usable after both.
        """
        return self._store(b"+", b"FLAGS", messages, flag_list(flags), silent)

    def remove_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Remove flags: ``remove_flags([12], ['\\\\Flagged'])`` returns ``{12: (b'\\\\Seen',)}``.

        The result and the exceptions are those of `add_flags`.
        """
        return self._store(b"-", b"FLAGS", messages, flag_list(flags), silent)

    def set_flags(self, messages: MessageIds, flags: Flags, silent: bool = False) -> FlagsOfMessages | None:
        """Replace all flags: ``set_flags([12], [])`` returns ``{12: ()}``.

        The result and the exceptions are those of `add_flags`.
        """
        return self._store(b"", b"FLAGS", messages, flag_list(flags), silent)

    def delete_messages(self, messages: MessageIds, silent: bool = False) -> FlagsOfMessages | None:
        """Mark messages as deleted: add the flag ``\\\\Deleted``. `expunge` or `close_folder` then removes them.

        The result and the exceptions are those of `add_flags`.
        """
        return self._store(b"+", b"FLAGS", messages, (DELETED,), silent)
