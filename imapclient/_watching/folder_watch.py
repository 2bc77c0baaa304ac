"""One call of `IMAPClient.watch`: waits on one connection after the other, and yields the events.

The module `watch` imports this module when it is first needed.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace

from .._auth.mechanisms import Mechanism
from .._commands.base.command_base import CommandBase
from .._connection.exchange import Command
from .._connection.protocol_log import client_log
from .._connection.queues import AwaitedQueue
from .._parsing.collector import Collector
from .._parsing.fetch.collector import FetchCollector
from .._parsing.responses import Untagged
from .._parsing.search import parse_esearch, parse_search
from .._wire import waiting
from ..events import Bye, FolderEvent, FolderState, Reconnect, Reconnected
from ..exceptions import (
    CommandError,
    ConnectionAbortError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientReadOnlyError,
    InUseError,
    ServerBugError,
    UnavailableError,
)
from ..sequence_set import SequenceSet
from ..util import Text
from .folder_tracker import FOLLOWED, Change, FolderTracker, folder_state

# If a connection lasted this number of seconds, the next pause before reconnecting is the first delay again.
_GOOD_SECONDS = 60.0
# After this number of responses, IDLE is ended to deliver those that are not about the folder's messages.
_MAX_OBSERVED = 1000


class FolderWatch:
    """A folder that a client watches."""

    def __init__(
        self,
        client: CommandBase,
        folder: Text,
        readonly: bool,
        renew: float,
        poll: float,
        end: float,
        reconnect: Reconnect | None,
    ) -> None:
        self._client = client
        self._folder = folder
        self._readonly = readonly
        self._renew = renew
        self._poll = poll
        self._end = end
        self._reconnect = reconnect
        self._tracker = FolderTracker(FolderState(0))
        # The delays that are left, since the last good connection was lost.
        self._delays: Iterator[float] | None = None
        self._good_after = 0.0
        # The selection of the connection: another object each time a folder is selected.
        self._selection: object = None
        # The extensions that are enabled, for the next connection.
        self._enabled: frozenset[str] = frozenset()

    def events(self, uidnext: int | None) -> Generator[FolderEvent, None, None]:
        client = self._client
        if client._imap.observed is not None:
            raise IllegalStateError("the client watches a folder already: end the other watch() first")
        try:
            with client._exclusive():
                self._select(uidnext)
            while True:
                try:
                    yield from self._on_one_connection()
                    return
                except IMAPClientAbortError as error:
                    cause = _first_cause(error)
                yield from self._tracker.known_changes()
                if isinstance(cause, ConnectionAbortError) and cause.status == "BYE":
                    yield Bye(cause.text, cause.code)
                if self._reconnect is None or client._closing.is_set():
                    raise cause
                yield self._connect_again(self._reconnect, cause)
        finally:
            client._imap.observed = None

    # -- on one connection

    def _on_one_connection(self) -> Iterator[FolderEvent]:
        while True:
            changes = self._changes()
            yield from changes
            if not changes:
                remaining = self._end - waiting.now()
                if remaining <= 0:
                    return
                self._wait(remaining)

    def _select(self, uidnext: int | None) -> FolderState:
        """Select the folder and start to follow it. Messages whose UID is ``uidnext`` or higher are new."""
        imap = self._client._imap
        imap.observed = AwaitedQueue()
        state = folder_state(self._client.select_folder(self._folder, self._readonly))
        # These responses are the answer to SELECT, not changes.
        imap.observed.clear()
        self._selection = imap.selection
        self._enabled = imap.enabled
        self._good_after = waiting.now() + _GOOD_SECONDS
        self._tracker = FolderTracker(state)
        if state.uidnext is None:
            # Courier 5 does not send UIDNEXT. New messages have a higher UID than the last message.
            last = self._uids([state.exists]).get(state.exists) if state.exists else 0
            if last is not None:
                state = replace(state, uidnext=last + 1)
                self._tracker = FolderTracker(state)
        if uidnext is not None:
            self._tracker.expect_new(self._count_from(uidnext), uidnext)
        return state

    def _count_from(self, uidnext: int) -> int:
        """How many messages have this UID or a higher one."""
        collected = Collector(b"SEARCH", b"ESEARCH")
        # If there is no such message, n:* means the last message (RFC 9051, 9, seq-range).
        command = Command(b"UID SEARCH", [b"UID", bytes(SequenceSet(f"{uidnext}:*"))], collected.handlers)
        self._client._execute_all([command])
        own, others = collected.answers_to([command.tag])
        self._client._deliver_others(others)
        found: set[int] = set()
        with self._client._answering(command.name):
            for response in own:
                parse = parse_esearch if response.name == b"ESEARCH" else parse_search
                found.update(uid for uid in parse(response) if uid >= uidnext)
        return len(found)

    def _changes(self) -> list[Change]:
        """The changes since the last call. Their responses may have arrived during any command."""
        client, imap = self._client, self._client._imap
        with client._exclusive():
            if imap.selection is not self._selection:
                raise IllegalStateError("another folder was selected, or the watched folder was closed, during watch()")
            if imap.observed is not None:
                self._tracker.follow(imap.observed.take())
            numbers = self._tracker.numbers_without_uid()
            return list(self._tracker.changes(self._uids(numbers) if numbers else {}))

    def _uids(self, numbers: Iterable[int]) -> dict[int, int]:
        """The UIDs of messages: ``{3: 103}``. The numbers stay valid: no server sends EXPUNGE during FETCH.

        See RFC 9051, 7.5.1.
        """
        client = self._client
        wanted = SequenceSet(numbers)
        collector = FetchCollector(wanted, client._read_options, use_uid=False, strict=False)
        try:
            client._for_messages(b"FETCH", wanted, [b"(UID)"], collector.handlers, uid=False)
        except CommandError as error:
            client_log.info("Could not fetch UIDs: %s", error)
        uids: dict[int, int] = {}
        for number, items in collector.result().items():
            # The response may contain flags that have changed.
            self._tracker.note_flags(number, items)
            if isinstance(items.get(b"UID"), int):
                uids[number] = items[b"UID"]
        return uids

    def _wait(self, remaining: float) -> None:
        """Wait until something happens, or until it is time to renew IDLE or to send NOOP."""
        if self._client._can("IDLE"):
            self._wait_in_idle(min(remaining, self._renew))
            return
        self._client._closing.wait(min(remaining, self._poll))
        collected = AwaitedQueue()
        try:
            self._client._imap.execute(Command(b"NOOP", handlers={b"*": collected.append}))
        finally:
            self._client._deliver_others(response for response in collected if response.name not in FOLLOWED)

    def _wait_in_idle(self, seconds: float) -> None:
        imap = self._client._imap
        end = waiting.now() + seconds
        responses: list[Untagged] = []
        is_followed = False
        imap.start_idle()
        try:
            remaining = seconds
            while remaining > 0 and not imap.observed and len(responses) < _MAX_OBSERVED:
                responses += imap.poll_idle(remaining, list)
                remaining = end - waiting.now()
            is_followed = True
        finally:
            # Also after Ctrl-C.
            if imap.is_idle and imap.is_usable:
                responses += imap.finish_idle(list)[1]
            others = (response for response in responses if not (is_followed and response.name in FOLLOWED))
            self._client._deliver_others(others)

    # -- from one connection to the next

    def _connect_again(self, reconnect: Reconnect, cause: IMAPClientAbortError) -> Reconnected:
        before = self._tracker.state
        if self._delays is None or waiting.now() > self._good_after:
            self._delays = reconnect.delays()
        error: Exception = cause
        for attempts, delay in enumerate(self._delays, 1):
            remaining = self._end - waiting.now()
            self._client._closing.wait(min(delay, max(0.0, remaining)))
            if self._client._closing.is_set() or remaining <= delay:
                break
            try:
                return Reconnected(before, self._new_connection(reconnect, before), cause, attempts)
            except Exception as failure:
                client_log.info("Could not connect again: %s", failure)
                if not _may_get_better(failure):
                    raise
                error = failure
        raise error

    def _new_connection(self, reconnect: Reconnect, before: FolderState) -> FolderState:
        client, old = self._client, self._client._imap
        old.observed = None
        old.shutdown()
        imap = client._create_IMAP4()
        try:
            # Commands of other threads wait until the new connection is ready.
            with client._exclusive(imap):
                client._imap = imap
                if client._closing.is_set():
                    raise ConnectionAbortError("the client was closed")
                for response in old.unsolicited.take():
                    imap.unsolicited.append(response)
                self._log_in(reconnect)
                after = self._select(before.uidnext)
                if after.uidvalidity is None or after.uidvalidity != before.uidvalidity:
                    # The earlier UIDs are not valid any more.
                    self._tracker = FolderTracker(after)
                return after
        except BaseException:
            imap.shutdown()
            raise

    def _log_in(self, reconnect: Reconnect) -> None:
        client, login = self._client, reconnect.login
        if client._starttls is not None:
            client.starttls(*client._starttls)
        if client._imap.state == "NONAUTH":
            if login is None:
                raise IllegalStateError("the new connection needs a login: set login of Reconnect")
            if isinstance(login, Mechanism):
                client.authenticate(login)
            elif isinstance(login, tuple):
                client.login(*login)
            else:
                login(client)
        # A login has compressed the connection already. Without a login this call does it.
        client._compress_if_offered()
        if self._enabled:
            client.enable(*sorted(self._enabled))


def _first_cause(error: IMAPClientAbortError) -> IMAPClientAbortError:
    """The error that ended the connection. Later calls raise another error, whose cause is the first one."""
    cause = error.__cause__
    return cause if isinstance(cause, IMAPClientAbortError) else error


def _may_get_better(error: Exception) -> bool:
    """Whether the same attempt may succeed later."""
    if isinstance(error, (ssl.SSLCertVerificationError, IMAPClientReadOnlyError)):
        return False
    return isinstance(error, (OSError, IMAPClientAbortError, UnavailableError, InUseError, ServerBugError))
