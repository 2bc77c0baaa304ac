"""Fetching messages, at once or message by message."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Callable, cast

from .._arguments.command import Argument
from .._arguments.strings import fetch_items, raw_list
from .._parsing.fetch.results import FetchIterator, FetchResult
from ..exceptions import CommandError, IllegalStateError, ProtocolError
from ..sequence_set import STAR, MessageIds, SequenceSet
from ..util import Text
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._arguments.fetch_chunks import Messages, TextItems


class FetchMixin(CommandBase):
    """FETCH (RFC 9051, 6.4.5)."""

    def fetch(
        self,
        messages: MessageIds | None,
        data: Text | Iterable[Text],
        modifiers: Text | Iterable[Text] | None = None,
    ) -> FetchResult:
        """The data of messages in the selected folder, in the order of ``messages`` (RFC 9051, 6.4.5).

        ``messages`` are ids (UIDs unless ``use_uid`` is off): an int, a sequence, range or set of ints, or a sequence
        set such as ``'1:*'``. ``data`` names the items to fetch: ``['FLAGS', 'INTERNALDATE']``. ``modifiers`` are fetch
        modifiers, such as ``['CHANGEDSINCE 123']`` (RFC 7162, 3.1.4). Returns ::

            {3230: {b'SEQ': 84, b'FLAGS': (b'\\\\Seen',), b'INTERNALDATE': datetime.datetime(2011, 1, 30, 13, 32, 9)},
             3293: {b'SEQ': 110, b'FLAGS': (), b'INTERNALDATE': datetime.datetime(2011, 2, 24, 19, 30, 36)}}

        Messages that do not exist are omitted. So is data about other messages that the server sends meanwhile. If
        ``messages`` is empty or None, the result is ``{}`` and nothing is sent.

        The result is a `~imapclient.response_types.FetchResult`, a dict. Unreadable items are collected in its
        ``errors``. The value of such an item is None, or its readable part. With ``strict`` on, the first of these
        errors is raised after the command; it is a ProtocolError.

        Raises ValueError or TypeError if ``messages`` or ``data`` can't be sent, for example if ``data`` is empty.
        Raises CommandError if the server refuses. The connection is usable after all of these.
        """
        wanted = SequenceSet(() if messages is None else messages)
        arguments = _arguments(data, modifiers)
        if not wanted:
            return FetchResult()
        return self._fetch(b"FETCH", wanted, arguments)

    def fetch_iter(
        self,
        messages: MessageIds | None,
        data: Text | Iterable[Text],
        modifiers: Text | Iterable[Text] | None = None,
        *,
        chunk_messages: int = 1000,
        chunk_bytes: int = 8 * 1024 * 1024,
    ) -> FetchIterator:
        """An iterator of ids and data, for folders of any size. The data is what `fetch` returns for the message. ::

            for uid, data in client.fetch_iter("1:*", ["FLAGS"]):
                print(uid, data[b"FLAGS"])  # 3230 (b'\\\\Seen',)

        The messages are fetched in chunks. The commands of a chunk have ended before its first message is returned. So
        the body of the loop may call any method, such as `add_flags`, and may leave the loop. About one chunk is in
        memory at a time.

        A chunk has at most ``chunk_messages`` messages. If ``data`` names text of messages (``BODY[]``, ``BODY[1]``,
        ``RFC822``, but not headers), a chunk also has at most ``chunk_bytes`` bytes. For this, RFC822.SIZE is fetched
        first. A larger message is a chunk of its own.

        Each message is returned once, in the order of ``messages``. The order is ascending for a sequence set, a range,
        a `~imapclient.response_types.UidSet`, and a list that contains one of these. ``'1:*'`` means the messages that
        exist when the first one is requested. A message that is removed before its turn is omitted. Unreadable items
        are collected in ``errors`` of the iterator.

        Raises ValueError or TypeError at once, if an argument can't be sent. The iterator raises:

        - IllegalStateError if another folder was selected, or if `watch` made another connection. If ``use_uid`` is
          off, also if a message was removed: sequence numbers mean other messages then.
        - CommandError if the server refuses a fetch.
        - the first of the errors, if ``strict`` is on.

        The iterator has ended after an exception. The connection is usable after all of these.
        """
        # Imported here, because not every program needs it.
        from .._arguments.fetch_chunks import Messages, TextItems, positive

        wanted = Messages(messages)
        arguments = _arguments(data, modifiers)
        positive(chunk_messages, "chunk_messages")
        positive(chunk_bytes, "chunk_bytes")
        uid = self.use_uid
        check = self._same_messages("while fetch_iter() was running", by_number=not uid)

        def fetch(ids: SequenceSet, what: Sequence[Argument], strict: bool | None = None) -> FetchResult:
            with self._exclusive():
                check()
                return self._fetch(b"FETCH", ids, what, uid=uid, strict=strict)

        items = TextItems.of(cast(bytes, arguments[0]))
        return FetchIterator(self._chunks(wanted, arguments, items, chunk_messages, chunk_bytes, uid, fetch), check)

    def _chunks(
        self,
        wanted: Messages,
        arguments: Sequence[Argument],
        items: TextItems,
        count: int,
        most: int,
        uid: bool,
        fetch: Callable[..., FetchResult],
    ) -> Generator[FetchResult, None, None]:
        from .._arguments.fetch_chunks import MIN_PORTION, Messages, by_size

        if wanted.is_saved:
            wanted = Messages(self.search("$"))
        count = items.count_within(count, most)
        size = count if wanted.numbers is not None and not items.whole else max(count, MIN_PORTION)
        highest, bounds = STAR, cast("Sequence[int]", ())
        if wanted.needs_bounds(size):
            highest, bounds = self._bounds(size, uid)
            if not highest:
                return
        for portion in wanted.portions(size, bounds, highest):
            if portion.max_messages <= count and not items.whole:
                yield fetch(portion.ids, arguments)
                continue
            sizes = fetch(portion.ids, [b"(RFC822.SIZE)" if items.whole else b"(UID)"], strict=False)
            yield from self._unknown(sizes)
            for group in by_size(sizes, items, count, most):
                yield fetch(SequenceSet(group), arguments)

    def _unknown(self, result: FetchResult) -> Iterator[FetchResult]:
        """Yield a result with errors only, if there are responses that do not show which message they are about."""
        errors = [error for error in result.errors if error.item is None]
        if errors and self.strict:
            raise errors[0]
        if errors:
            without_messages = FetchResult()
            without_messages.errors = errors
            yield without_messages

    def _bounds(self, size: int, uid: bool) -> tuple[int, Sequence[int]]:
        """The highest id in use, or 0 in an empty folder. And the id of every ``size``-th message below it."""
        imap = self._imap
        for _ in range(_ATTEMPTS):
            with self._exclusive():
                before = imap.renumberings
                # With UIDs, because with sequence numbers this is an error in an empty folder.
                last = self._fetch(b"FETCH", SequenceSet("*"), [b"(UID)"], uid=True, strict=False)
                if not last:
                    return 0, ()
                count = last[max(last)][b"SEQ"]
                if count > _MAX_MESSAGES:
                    raise ProtocolError(f"a folder can't have {count} messages", command="UID FETCH")
                places = range(size, count, size)
                if not uid:
                    return count, places
                try:
                    found = self._fetch(b"FETCH", SequenceSet(places), [b"(UID)"], uid=False, strict=False)
                except CommandError:
                    if imap.renumberings == before:
                        raise
            if imap.renumberings == before:
                uids = [found[place].get(b"UID") for place in places if place in found]
                bounds = [uid for uid in uids if isinstance(uid, int)]
                if len(bounds) < len(places) or sorted(set(bounds)) != bounds:
                    raise ProtocolError("the server does not send the UID of each message", command="FETCH")
                return max(last), bounds
        raise IllegalStateError("the UIDs can't be fetched, because messages are removed all the time: try again later")


# Ten times as many as the largest folders have. The bounds of four billion messages would take hundreds of megabytes.
_MAX_MESSAGES = 100_000_000
# How often the bounds are fetched, if messages are removed meanwhile.
_ATTEMPTS = 5


def _arguments(data: Text | Iterable[Text], modifiers: Text | Iterable[Text] | None) -> list[Argument]:
    arguments: list[Argument] = [fetch_items(data)]
    modifiers = () if modifiers is None else modifiers if isinstance(modifiers, (str, bytes)) else tuple(modifiers)
    if modifiers != ():
        arguments.append(raw_list(modifiers, "fetch modifiers"))
    return arguments
