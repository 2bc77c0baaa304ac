"""Fetching."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Callable, cast

from .._arguments.fetch_chunks import MIN_PORTION, Messages, TextItems, by_size
from .._arguments.strings import Argument, fetch_items, positive, raw_list
from .._parsing.fetch.results import FetchIterator, FetchResult
from ..exceptions import CommandError, IllegalStateError, ProtocolError
from ..sequence_set import STAR, MessageIds, SequenceSet
from ..util import Text
from .base.running import CommandBase


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

        The result is a `~imapclient.response_types.FetchResult`, a dict whose ``errors`` tell what could not be read:
        an item that is there is None then, or has what is sound in it. With ``strict`` on, the first of these is raised
        after the command instead (it is a ProtocolError). Raises ValueError for empty ``data``. The connection is
        usable after all of these.
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
        """What `fetch` gives, message by message, for folders of any size: an iterator of ids and data. ::

            for uid, data in client.fetch_iter("1:*", ["FLAGS"]):
                print(uid, data[b"FLAGS"])  # 3230 (b'\\\\Seen',)

        The messages are fetched in chunks, each by commands of its own that are over before the first message of it is
        handed out. So the body of the loop may call anything, `add_flags` for instance, and may leave the loop.

        A chunk has at most ``chunk_messages`` messages. Where ``data`` names text of messages (``BODY[]``,
        ``BODY[1]``, ``RFC822``; headers don't count), it has at most ``chunk_bytes`` bytes too: RFC822.SIZE is asked
        for beforehand, for as many messages at a time, and a message that is larger comes alone. About a chunk is in
        memory at a time.

        Messages come in the order in which ``messages`` lists them, each once; those of a sequence set, a range, a
        `~imapclient.response_types.UidSet`, or a list that has any of these, in ascending order. ``'1:*'`` are the
        messages that are there when the first one is asked for. Messages that are gone by their turn are left out.

        Raises ValueError and TypeError for arguments that can't be sent, at once. While it runs, IllegalStateError
        where another folder was selected or `watch` has made another connection, and, with ``use_uid`` off, where the
        server has told that a message was removed, since sequence numbers mean other messages then. What could not be
        read is in ``errors`` of the iterator, or is raised with ``strict`` on. CommandError where a fetch is refused.
        After an exception the iterator has ended, and the connection is usable after all of these.
        """
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
            if portion.most <= count and not items.whole:
                yield fetch(portion.ids, arguments)
                continue
            sizes = fetch(portion.ids, [b"(RFC822.SIZE)" if items.whole else b"(UID)"], strict=False)
            yield from self._unread(sizes)
            for group in by_size(sizes, items, count, most):
                yield fetch(SequenceSet(group), arguments)

    def _unread(self, result: FetchResult) -> Iterator[FetchResult]:
        """A result without messages for those of which nothing could be read, not even which they are."""
        errors = [error for error in result.errors if error.item is None]
        if errors and self.strict:
            raise errors[0]
        if errors:
            told = FetchResult()
            told.errors = errors
            yield told

    def _bounds(self, size: int, uid: bool) -> tuple[int, Sequence[int]]:
        """The highest id in use, 0 for none, and an id for every ``size`` messages below it."""
        imap = self._imap
        for _ in range(_ATTEMPTS):
            with self._exclusive():
                before = imap.renumberings
                # The command by UIDs is no error in an empty folder.
                last = self._fetch(b"FETCH", SequenceSet("*"), [b"(UID)"], uid=True, strict=False)
                if not last:
                    return 0, ()
                count = last[max(last)][b"SEQ"]
                if count > _MAX_MESSAGES:
                    raise ProtocolError("the server tells of more messages than a folder has", command="UID FETCH")
                places = range(size, count, size)
                if not uid:
                    return count, places
                try:
                    found = self._fetch(b"FETCH", SequenceSet(places), [b"(UID)"], uid=False, strict=False)
                except CommandError:
                    if imap.renumberings == before:
                        raise
            if imap.renumberings == before:
                told = [found[place].get(b"UID") for place in places if place in found]
                bounds = [number for number in told if isinstance(number, int)]
                if len(bounds) < len(places) or sorted(set(bounds)) != bounds:
                    raise ProtocolError("the server does not tell the UID of each message", command="FETCH")
                return max(last), bounds
        raise IllegalStateError("messages are removed all the time: what is there could not be asked for")


# Ten times what the largest folders have. To ask for the bounds of four billion would take hundreds of megabytes.
_MAX_MESSAGES = 100_000_000
# How often the bounds are asked for again, when messages were removed meanwhile.
_ATTEMPTS = 5


def _arguments(data: Text | Iterable[Text], modifiers: Text | Iterable[Text] | None) -> list[Argument]:
    arguments: list[Argument] = [fetch_items(data)]
    modifiers = () if modifiers is None else modifiers if isinstance(modifiers, (str, bytes)) else tuple(modifiers)
    if modifiers != ():
        arguments.append(raw_list(modifiers, "fetch modifiers"))
    return arguments
