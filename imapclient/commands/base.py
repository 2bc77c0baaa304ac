"""What the families of commands share: the client's attributes, sending, sets of messages, folder names.

Every mixin inherits `CommandBase`, which also declares the methods that one family needs of another.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, TypeVar

from .._parsing import records
from .._parsing.records import Limits, Taker
from .._parsing.responses import Handler, Tagged, Untagged
from ..arguments import Argument, mailbox, wire_name
from ..exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    LimitError,
    ProtocolError,
    note_done,
)
from ..exchange import Command
from ..fetch_batch import BatchReader
from ..fetch_parser import parse_fetch
from ..fetch_result import FetchItems, FetchResult, ItemResult
from ..fetch_sections import AskedSections
from ..folder_parser import is_form_of
from ..garbage import fewer_collections
from ..imap4 import WireMixin
from ..imap_utf7 import decode_name
from ..lenient_fetch import read_leniently
from ..protocol_log import client_log
from ..response_lexer import read_values
from ..response_types import SearchIds
from ..sasl import Mechanism
from ..search_parser import correlator
from ..sequence_set import STAR, MessageIds, SequenceSet
from ..util import Text

_Value = TypeVar("_Value")

UntaggedItem = tuple[Any, ...]
"""An untagged response as the API hands it out: ``(1, b'EXISTS')``, ``(b'OK', b'Still here')``."""


# What IMAP4rev2 includes (RFC 9051, appendix E).
_IN_REV2 = frozenset(("ENABLE", "IDLE", "LIST-EXTENDED", "MOVE", "NAMESPACE", "SPECIAL-USE", "UIDPLUS", "UNSELECT"))
# Responses whose data is text for people, not values (RFC 9051, 7.1).
_HUMAN_TEXT = frozenset((b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"))


class CommandBase:
    """The client as the families of commands see it."""

    _imap: WireMixin
    use_uid: bool
    folder_encode: bool
    normalise_times: bool
    ssl_context: ssl.SSLContext | None
    stream: bool
    strict: bool
    on_unsolicited: Callable[[UntaggedItem], object] | None
    _compress: bool
    _limits: Limits
    _handing_on: threading.Lock
    _undisturbed_thread: int | None
    _closing: threading.Event
    _starttls: tuple[ssl.SSLContext | None] | None

    # -- provided by other families

    def capabilities(self) -> tuple[bytes, ...]:
        raise NotImplementedError

    def has_capability(self, capability: Text) -> bool:
        raise NotImplementedError

    def search(self, criteria: Any) -> SearchIds:
        raise NotImplementedError

    def enable(self, *capabilities: Text) -> list[bytes]:
        raise NotImplementedError

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> bytes:
        raise NotImplementedError

    def login(self, username: Text, password: Text) -> bytes:
        raise NotImplementedError

    def authenticate(self, mechanism: Mechanism) -> bytes:
        raise NotImplementedError

    def select_folder(self, folder: Text, readonly: bool = False) -> dict[bytes, Any]:
        raise NotImplementedError

    # -- provided by the client

    def _create_IMAP4(self) -> WireMixin:
        raise NotImplementedError

    # -- sending

    def _execute(
        self,
        name: bytes,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        take: Taker | None = None,
    ) -> Tagged:
        try:
            return self._imap.execute(Command(name, arguments, handlers, take=take))
        finally:
            self._hand_on()

    def _execute_all(self, commands: Sequence[Command]) -> None:
        """Run commands that may be on the wire at once. All are run to their end, then the first error is raised."""
        try:
            self._imap.execute_all(commands)
            for command in commands:
                self._imap.finish(command)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the caller what no command asked for, after the exchange in which it came.

        The callback may call the client: what comes then follows in the same loop. Its exceptions are logged, since the
        result of the command that is running matters more. It runs in one thread at a time, and holds no lock that a
        command needs.
        """
        if self._undisturbed_thread == threading.get_ident():
            return
        # Whoever hands on looks again after letting go, so that what another thread adds meanwhile is not left lying.
        while self.on_unsolicited is not None and self._imap.unsolicited:
            if not self._handing_on.acquire(blocking=False):
                return
            try:
                self._hand_on_what_is_there()
            finally:
                self._handing_on.release()

    def _hand_on_what_is_there(self) -> None:
        dropped, self._imap.unsolicited.dropped = self._imap.unsolicited.dropped, 0
        if dropped:
            client_log.warning("on_unsolicited does not get the %d oldest of what the server told at once", dropped)
        while self.on_unsolicited is not None:
            try:
                response = self._imap.unsolicited.popleft()
            except IndexError:
                return
            item = self._untagged_item(response)
            try:
                self.on_unsolicited(item)
            except Exception:
                client_log.exception("on_unsolicited failed for %s", self._imap.secrets.hidden(repr(item)))

    @contextlib.contextmanager
    def _undisturbed(self, imap: WireMixin | None = None) -> Iterator[None]:
        """The commands of the body belong together: nothing may select another folder between them.

        Commands of other threads wait until its end, and `on_unsolicited` is not called before. ``imap`` is another
        connection than the client's own.
        """
        try:
            with (imap or self._imap).undivided():
                outer = self._undisturbed_thread
                try:
                    self._undisturbed_thread = threading.get_ident()
                    yield
                finally:
                    self._undisturbed_thread = outer
        finally:
            self._hand_on()

    def _same_messages(self, meanwhile: str, by_number: bool = False) -> Callable[[], None]:
        """A check that ids still mean the messages that they mean now, for what takes several commands.

        It raises IllegalStateError where another folder is selected, or there is another connection, and with
        ``by_number`` where a message was removed. ``meanwhile`` says in its text when that was.
        """
        imap = self._imap
        selection, renumberings = imap.selection, imap.renumberings

        def check() -> None:
            if self._imap is not imap or imap.selection != selection:
                raise IllegalStateError(f"another folder was selected, or a connection made, {meanwhile}")
            if by_number and imap.renumberings != renumberings:
                raise IllegalStateError("messages were removed, so sequence numbers mean others now: use UIDs")

        return check

    def _pass_on(self, responses: Iterable[Untagged]) -> None:
        """What a command heard that is no part of its answer is for whoever listens."""
        for response in responses:
            self._imap.unsolicited.append(response)
        self._hand_on()

    @contextlib.contextmanager
    def _passed_on_where_it_fails(self, heard: Iterable[Untagged]) -> Iterator[None]:
        """What a command heard that then fails is for whoever listens."""
        try:
            yield
        except IMAPClientError:
            self._pass_on(heard)
            raise

    def _compress_where_offered(self) -> None:
        """What the constructor's ``compress`` asks for. A server that refuses is spoken to as before."""
        imap = self._imap
        if not self._compress or imap.is_compressed or imap.is_compressed_by_tls or imap.state != "AUTH":
            return
        try:
            if self.has_capability("COMPRESS=DEFLATE"):
                imap.start_compression()
        except CommandError as error:
            client_log.info("Goes on without compression: %s", error)

    def _require(self, capability: str) -> None:
        """CapabilityError unless the server has the capability. Nothing but CAPABILITY is sent."""
        if not self._can(capability):
            self._imap.check_usable()
            raise CapabilityError(f"Server does not support {capability} capability")

    def _can(self, capability: str) -> bool:
        """Whether the server has a capability, by its name or as a part of IMAP4rev2."""
        return self.has_capability(capability) or (capability in _IN_REV2 and self.has_capability("IMAP4REV2"))

    # -- sets of messages

    def _verb(self, command: bytes, uid: bool | None = None) -> bytes:
        """``b'UID FETCH'`` for ``b'FETCH'``, where messages go by UIDs: ``uid``, or where that is None ``use_uid``."""
        return b"UID " + command if (self.use_uid if uid is None else uid) else command

    def _for_messages(
        self,
        name: bytes,
        messages: SequenceSet,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        *,
        uid: bool | None = None,
        take: Taker | None = None,
    ) -> list[Tagged]:
        """Send a command for a set of messages, in several parts where the set is too long for one line."""
        parts = messages.split()
        verb = self._verb(name, uid)
        replies: list[Tagged] = []
        with self._undisturbed():
            for index, part in enumerate(parts):
                try:
                    replies.append(self._execute(verb, [part, *arguments], handlers, take))
                except IMAPClientError as error:
                    # A response that could not be read came with an OK: that part is done.
                    is_done = isinstance(error, ProtocolError) and not isinstance(error, IMAPClientAbortError)
                    note_done(error, b",".join(parts[: index + is_done]).decode("ascii"))
                    raise
        return replies

    def _fetch(
        self,
        command: bytes,
        wanted: SequenceSet,
        arguments: Sequence[Argument],
        *,
        uid: bool | None = None,
        strict: bool | None = None,
    ) -> FetchResult:
        """Send a command that is answered by FETCH responses, and file them under the messages asked for."""
        uid = self.use_uid if uid is None else uid
        strict = self.strict if strict is None else strict
        asked = arguments[0] if isinstance(arguments[0], bytes) else b""
        collector = FetchCollector(
            wanted, uid, self.normalise_times, self._limits.nesting_depth, strict=strict, asked=asked
        )
        parts = wanted.split()
        with fewer_collections():
            if command == b"FETCH" and len(parts) > 1:
                self._fetch_parts(parts, arguments, collector, uid)
            else:
                self._for_messages(command, wanted, arguments, collector.handlers, uid=uid, take=collector.take)
        result = collector.result()
        for error in result.errors:
            self._imap.secrets.hide(error)
        return result

    def _fetch_parts(
        self, parts: Sequence[bytes], arguments: Sequence[Argument], collector: FetchCollector, uid: bool
    ) -> None:
        """FETCH in several parts, all of which are on the wire at once as far as that is safe.

        Fetching by sequence numbers too: no server tells EXPUNGE while a FETCH is running (RFC 9051, 5.5 and 7.5.1).
        """
        verb = b"UID FETCH" if uid else b"FETCH"
        commands = [Command(verb, [part, *arguments], collector.handlers, take=collector.take) for part in parts]
        try:
            self._execute_all(commands)
        except IMAPClientError as error:
            done = [part for part, command in zip(parts, commands) if command.reply and command.reply.status == "OK"]
            note_done(error, b",".join(done).decode("ascii"))
            raise

    def _fetch_item(self, item: bytes, messages: MessageIds) -> ItemResult[Any]:
        """One item of each message: its flags, its labels."""
        wanted = SequenceSet(() if messages is None else messages)
        if not wanted:
            return ItemResult()
        return ItemResult.of(item, self._fetch(b"FETCH", wanted, [b"(%s)" % item]))

    def _store(
        self, change: bytes, item: bytes, messages: MessageIds, values: tuple[Argument, ...], silent: bool
    ) -> ItemResult[Any] | None:
        """Add to (``+``), take from (``-``) or replace (``change`` is empty) an item of messages. What it is then."""
        wanted = SequenceSet(() if messages is None else messages)
        if not wanted:
            return ItemResult()
        if silent:
            self._for_messages(b"STORE", wanted, [change + item + b".SILENT", values])
            return None
        return ItemResult.of(item, self._fetch(b"STORE", wanted, [change + item, values]))

    # -- untagged responses

    @contextlib.contextmanager
    def _reading_the_answer_to(self, command: bytes) -> Iterator[None]:
        """Say in a ProtocolError that gets out which command the server answered so, and no secret that it repeats."""
        try:
            yield
        except ProtocolError as error:
            error.command = error.command or command.decode("ascii")
            self._imap.secrets.hide(error)
            raise

    def _untagged_items(self, responses: Iterable[Untagged]) -> list[UntaggedItem]:
        """Responses as `idle_check`, `noop` and `expunge` hand them out.

        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``. Of one that can't be
        read, the last item is its data as it came: one odd response never loses the others.
        """
        return [self._untagged_item(response) for response in responses]

    def _untagged_item(self, response: Untagged) -> UntaggedItem:
        head = (response.name,) if response.number is None else (response.number, response.name)
        if response.number is None and response.name in _HUMAN_TEXT:
            return (*head, response.text)
        if response.records is None and not response.text:
            return head
        try:
            values = read_values(b"", 0, response.data, max_depth=self._limits.nesting_depth)
        except ProtocolError:
            values = [response.text]
        return (*head, *values)

    # -- folders

    def _folder(self, name: Text) -> Argument:
        return mailbox(name, self.folder_encode, self._imap.is_utf8)

    def _wire_name(self, name: Text) -> bytes:
        """The bytes of a mailbox name."""
        return wire_name(name, self.folder_encode, self._imap.is_utf8)

    def _folder_name(self, wire: bytes) -> Any:
        """A mailbox name as the API hands it out: str, or the bytes of the wire with ``folder_encode`` off."""
        return decode_name(wire, self._imap.is_utf8) if self.folder_encode else wire

    def _name_text(self, wire: bytes) -> str:
        return str(decode_name(wire, self._imap.is_utf8))

    def _are_one_folder(self, name: bytes, wanted: bytes) -> bool:
        """Whether names of the wire are one folder's: INBOX in any case, and the same text however it is spelt."""
        if name == wanted or name.upper() == wanted.upper() == b"INBOX":
            return True
        utf8 = self._imap.is_utf8
        return decode_name(name, utf8) == decode_name(wanted, utf8)

    def _about(
        self, command: bytes, folder: Text, heard: Collector, parse: Callable[..., tuple[bytes, _Value]]
    ) -> tuple[bytes, _Value]:
        """The one response to ``command`` that is about a folder: the server's name for it, and what it says.

        A server may write the name in another form than it was asked: where none has the name itself, the answer is
        the one with a form of it. What the server says of other folders is for whoever listens.
        """
        wanted = self._wire_name(folder)
        answer: tuple[bytes, _Value] | None = None
        # By their names. Two that differ are two folders': which of them was asked for is not known then.
        in_a_form: dict[bytes, tuple[Untagged, tuple[bytes, _Value]]] = {}
        others: list[Untagged] = []
        unread: list[Untagged] = []
        error: ProtocolError | None = None
        for response in heard.responses:
            try:
                told = parse(response.line, response.start, response.records, self._limits.nesting_depth)
            except ProtocolError as exc:
                error = error or exc
                unread.append(response)
                continue
            if answer is None and self._are_one_folder(told[0], wanted):
                answer = told
                continue
            others.append(response)
            if len(in_a_form) < 2 and told[0] not in in_a_form and is_form_of(told[0], wanted):
                in_a_form[told[0]] = response, told
        if answer is None and len(in_a_form) == 1:
            response, answer = in_a_form.popitem()[1]
            others.remove(response)
        self._pass_on(others if answer is None else others + unread)
        if answer is None:
            with self._reading_the_answer_to(command):
                which = " about the folder that was asked for" if others else ""
                raise error or ProtocolError(f"the server sent no {heard.names[0].decode('ascii')} response{which}")
        return answer


class Collector:
    """Keeps the untagged responses of the names that a command asks for."""

    def __init__(self, *names: bytes) -> None:
        self.names = names
        self.responses: list[Untagged] = []
        self._room = records.MAX_ANSWER_BYTES

    @property
    def handlers(self) -> dict[bytes, Handler]:
        """Made anew: an object that held them would keep itself, and what it has heard, until the next collection."""
        return dict.fromkeys(self.names, self._keep)

    def _keep(self, response: Untagged) -> None:
        self._room -= response.size
        if self._room < 0:
            raise LimitError("MAX_ANSWER_BYTES", records.MAX_ANSWER_BYTES, "the answer to one command")
        self.responses.append(response)

    def answers_to(self, commands: Iterable[Command]) -> tuple[list[Untagged], list[Untagged]]:
        """What answers these searches, and what others, such as those that go on (RFC 5267)."""
        tags = {None, *(command.tag.upper() for command in commands)}
        own: list[Untagged] = []
        others: list[Untagged] = []
        for response in self.responses:
            is_own = response.name != b"ESEARCH" or correlator(response.line, response.start) in tags
            (own if is_own else others).append(response)
        return own, others


class FetchCollector:
    """Files FETCH responses under the ids that were asked for, and leaves all others alone."""

    def __init__(
        self,
        wanted: SequenceSet,
        use_uid: bool,
        normalise_times: bool,
        max_depth: int,
        *,
        strict: bool,
        asked: bytes = b"",
    ) -> None:
        self._wanted = wanted
        self._sections = AskedSections(asked)
        # Where the last message was found: they mostly come in order.
        self._low, self._high = (1, 0) if wanted.is_bounded else (0, STAR)
        self._use_uid = use_uid
        self._normalise_times = normalise_times
        self._max_depth = max_depth
        self._strict = strict
        self._messages = FetchResult()
        self._batches = BatchReader(use_uid, normalise_times, max_depth)
        # Sequence number -> UID, as learnt in this command; and what is to be added to it, which is seldom needed.
        self._uids: dict[int, int] = {}
        self._learnt: list[tuple[Sequence[int], Sequence[int]]] = []

    @property
    def handlers(self) -> dict[bytes, Handler]:
        """See `Collector.handlers`."""
        return {b"FETCH": self._take, b"EXPUNGE": self._renumber, b"VANISHED": self._renumber}

    def _take(self, response: Untagged) -> bool | None:
        number = response.number
        if number is None:
            return False
        try:
            items = parse_fetch(
                number, response.line, response.start, response.records, self._normalise_times, self._max_depth
            )
        except ProtocolError as error:
            return self._take_what_is_sound(response, number, error)
        message = self._message(number, items)
        if message is None:
            return False
        self._file(message, items)
        return None

    def take(self, buffer: bytes, position: int) -> tuple[int, int]:
        """Take responses from a buffer, as many as can be read at once. Returns where they end, and how many."""
        batch = self._batches.read(buffer, position)
        if batch is None:
            return position, 0
        if not (all(map(self._is_wanted, batch.ids)) and self._sections.has_all(batch.items)):
            self._batches.give_up(len(batch.ids))
            return position, 0
        if self._use_uid:
            self._learnt.append((batch.numbers, batch.ids))
        if len(set(batch.ids)) == len(batch.ids) and self._messages.keys().isdisjoint(batch.ids):
            self._messages.update(zip(batch.ids, batch.items))
        else:
            for number, items in zip(batch.ids, batch.items):
                self._file(number, items)
        return batch.end, len(batch.ids)

    def _take_what_is_sound(self, response: Untagged, number: int, error: ProtocolError) -> bool | None:
        items, errors = read_leniently(
            number, response.line, response.start, response.records, self._normalise_times, self._max_depth
        )
        is_told = not self._use_uid or items.get(b"UID") is not None
        message = self._message(number, items)
        if message is None and (is_told or not errors):
            return False
        for found in errors:
            found.message = message
        if self._strict:
            raise errors[0] if errors else error
        self._messages.errors += errors
        if message is not None:
            self._file(message, items)
        return None

    def _message(self, number: int, items: FetchItems) -> int | None:
        """The id under which a response is filed; None where it is for somebody else, or doesn't tell."""
        if not self._use_uid:
            return number if self._is_wanted(number) else None
        for numbers, ids in self._learnt:
            self._uids.update(zip(numbers, ids))
        self._learnt.clear()
        uid: int | None = items.pop(b"UID", None)
        if uid is None:
            # Only what this command has told says which message this is: a sequence number is no UID.
            return self._uids.get(number)
        if not self._is_wanted(uid):
            self._uids.pop(number, None)
            return None
        self._uids[number] = uid
        return uid

    def _file(self, number: int, items: FetchItems) -> None:
        self._sections.keep_asked(items)
        known = self._messages.get(number)
        if known is None:
            self._messages[number] = items
        else:
            known.update(items)

    def _is_wanted(self, number: int) -> bool:
        if self._low <= number <= self._high:
            return True
        found = self._wanted.range_of(number)
        if found is not None:
            self._low, self._high = found
        return found is not None

    def _renumber(self, response: Untagged) -> bool:
        """After an EXPUNGE, sequence numbers mean other messages. The response itself is for somebody else."""
        self._learnt.clear()
        self._uids.clear()
        return False

    def result(self) -> FetchResult:
        messages = self._messages
        order = self._wanted.in_order(messages)
        if order != list(messages):
            ordered = FetchResult((number, messages[number]) for number in order)
            ordered.errors = messages.errors
            return ordered
        return messages
