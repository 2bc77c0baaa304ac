"""Fetching."""

from __future__ import annotations

from collections.abc import Iterable

from ..arguments import Argument, fetch_items, raw_list
from ..fetch_result import FetchResult
from ..sequence_set import MessageIds, SequenceSet
from ..util import Text
from .base import CommandBase


class FetchMixin(CommandBase):
    """FETCH (RFC 9051, 6.4.5)."""

    def fetch(
        self,
        messages: MessageIds | None,
        data: Text | Iterable[Text],
        modifiers: Text | Iterable[Text] | None = None,
    ) -> FetchResult:
        """Data of messages in the selected folder, in the order in which they were asked for.

        ``messages`` are ids (UIDs unless ``use_uid`` is off): an int, a sequence, range or set of ints, or a sequence
        set such as ``'1:*'``. ``data`` names the items, ``modifiers`` the fetch modifiers, such as
        ``['CHANGEDSINCE 123']`` (RFC 7162). Returns ::

            {3230: {b'SEQ': 84, b'FLAGS': (b'\\\\Seen',), b'INTERNALDATE': datetime.datetime(2011, 1, 30, 13, 32, 9)},
             3293: {b'SEQ': 110, b'FLAGS': (), b'INTERNALDATE': datetime.datetime(2011, 2, 24, 19, 30, 36)}}

        Messages that don't exist are not in it. Data of other messages that the server sends in between is not either.
        Empty ``messages``, None among them, give ``{}`` and send nothing.

        The result is a `~imapclient.fetch_result.FetchResult`, a dict whose ``errors`` tell what could not be read: an
        item that is there is None then, or has what is sound in it. With ``strict`` on, the first of these is raised
        after the command instead (it is a ProtocolError). Raises ValueError for empty ``data``. The connection is
        usable after all of these.
        """
        wanted = SequenceSet(() if messages is None else messages)
        arguments: list[Argument] = [fetch_items(data)]
        modifiers = () if modifiers is None else modifiers if isinstance(modifiers, (str, bytes)) else tuple(modifiers)
        if modifiers != ():
            arguments.append(raw_list(modifiers, "fetch modifiers"))
        if not wanted:
            return FetchResult()
        return self._fetch(b"FETCH", wanted, arguments)
