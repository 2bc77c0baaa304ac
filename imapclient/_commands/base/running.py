"""What the families of commands share: the client's attributes, sending, sets of messages, folder names.

Every mixin inherits `CommandBase`, which also declares the methods that one family needs of another.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, TypeVar

from ..._arguments.strings import Argument, mailbox, wire_name
from ..._auth.mechanisms import Mechanism
from ..._connection.exchange import Command
from ..._connection.gateway import WireMixin
from ..._connection.protocol_log import client_log
from ..._parsing.collector import Collector
from ..._parsing.fetch.collector import FetchCollector
from ..._parsing.fetch.results import FetchResult, ItemResult
from ..._parsing.folder_names import is_form_of
from ..._parsing.lexer import read_values
from ..._parsing.records import Limits
from ..._parsing.responses import Handler, ReadOptions, Tagged, Untagged
from ..._parsing.search import SearchIds
from ...exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    ProtocolError,
    note_done,
)
from ...imap_utf7 import decode_name
from ...sequence_set import MessageIds, SequenceSet
from ...util import Text
from .gc_tuning import fewer_collections

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
    _delivering: threading.Lock
    _exclusive_thread: int | None
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
    ) -> Tagged:
        try:
            return self._imap.execute(Command(name, arguments, handlers))
        finally:
            self._deliver_unsolicited()

    def _execute_all(self, commands: Sequence[Command]) -> None:
        """Run commands that may be on the wire at once. All are run to their end, then the first error is raised."""
        try:
            self._imap.execute_all(commands)
            for command in commands:
                self._imap.finish(command)
        finally:
            self._deliver_unsolicited()

    def _deliver_unsolicited(self) -> None:
        """Give the caller what no command asked for, after the exchange in which it came.

        The callback may call the client: what comes then follows in the same loop. Its exceptions are logged, since the
        result of the command that is running matters more. It runs in one thread at a time, and holds no lock that a
        command needs.
        """
        if self._exclusive_thread == threading.get_ident():
            return
        # Whoever hands on looks again after letting go, so that what another thread adds meanwhile is not left lying.
        while self.on_unsolicited is not None and self._imap.unsolicited:
            if not self._delivering.acquire(blocking=False):
                return
            try:
                self._deliver_all_unsolicited()
            finally:
                self._delivering.release()

    def _deliver_all_unsolicited(self) -> None:
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
    def _exclusive(self, imap: WireMixin | None = None) -> Iterator[None]:
        """The commands of the body belong together: nothing may select another folder between them.

        Commands of other threads wait until its end, and `on_unsolicited` is not called before. ``imap`` is another
        connection than the client's own.
        """
        try:
            with (imap or self._imap).exclusive():
                outer = self._exclusive_thread
                try:
                    self._exclusive_thread = threading.get_ident()
                    yield
                finally:
                    self._exclusive_thread = outer
        finally:
            self._deliver_unsolicited()

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

    def _deliver_others(self, responses: Iterable[Untagged]) -> None:
        """What a command heard that is no part of its answer is for whoever listens."""
        for response in responses:
            self._imap.unsolicited.append(response)
        self._deliver_unsolicited()

    @contextlib.contextmanager
    def _delivered_on_failure(self, heard: Iterable[Untagged]) -> Iterator[None]:
        """What a command heard that then fails is for whoever listens."""
        try:
            yield
        except IMAPClientError:
            self._deliver_others(heard)
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
    ) -> list[Tagged]:
        """Send a command for a set of messages, in several parts where the set is too long for one line."""
        parts = messages.split()
        verb = self._verb(name, uid)
        replies: list[Tagged] = []
        with self._exclusive():
            for index, part in enumerate(parts):
                try:
                    replies.append(self._execute(verb, [part, *arguments], handlers))
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
        collector = FetchCollector(wanted, self._read_options, use_uid=uid, strict=strict, asked=asked)
        parts = wanted.split()
        with fewer_collections():
            if command == b"FETCH" and len(parts) > 1:
                self._fetch_parts(parts, arguments, collector, uid)
            else:
                self._for_messages(command, wanted, arguments, collector.handlers, uid=uid)
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
        commands = [Command(verb, [part, *arguments], collector.handlers) for part in parts]
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

    @property
    def _read_options(self) -> ReadOptions:
        return ReadOptions(self.normalise_times, self._limits.nesting_depth)

    @contextlib.contextmanager
    def _answering(self, command: bytes) -> Iterator[None]:
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
            values = read_values(response, self._read_options)
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
        self,
        command: bytes,
        folder: Text,
        heard: Collector,
        parse: Callable[[Untagged, ReadOptions], tuple[bytes, _Value]],
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
                told = parse(response, self._read_options)
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
        self._deliver_others(others if answer is None else others + unread)
        if answer is None:
            with self._answering(command):
                which = " about the folder that was asked for" if others else ""
                raise error or ProtocolError(f"the server sent no {heard.names[0].decode('ascii')} response{which}")
        return answer
