"""What the families of commands share: the client's attributes, sending, sets of messages, folder names.

Every mixin inherits `CommandBase`, which also declares the methods that one family needs of another.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..arguments import STAR, Argument, SequenceSet, Text, mailbox
from ..exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, ProtocolError, note_done
from ..exchange import Command, Handler, Tagged, Untagged
from ..imap4 import WireMixin
from ..imap_utf7 import decode_name
from ..reader import Limits
from ..response_lexer import read_values
from ..response_parser import FetchItems, fetch_uid, parse_fetch

FetchResult = dict[int, FetchItems]
"""``{3230: {b'SEQ': 84, b'FLAGS': (b'\\Seen',)}}``: message id -> item -> value."""

UntaggedItem = tuple[Any, ...]
"""An untagged response as the API hands it out: ``(1, b'EXISTS')``, ``(b'OK', b'Still here')``."""


# What IMAP4rev2 includes (RFC 9051, appendix E).
_IN_REV2 = frozenset(("IDLE", "LIST-EXTENDED", "MOVE", "NAMESPACE", "SPECIAL-USE", "UIDPLUS", "UNSELECT"))
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
    _limits: Limits

    # -- provided by other families

    def capabilities(self) -> tuple[bytes, ...]:
        raise NotImplementedError

    def has_capability(self, capability: Text) -> bool:
        raise NotImplementedError

    # -- sending

    def _execute(
        self,
        name: bytes,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
    ) -> Tagged:
        return self._imap.execute(Command(name, arguments, handlers))

    def _require(self, capability: str) -> None:
        """CapabilityError unless the server has the capability. Nothing but CAPABILITY is sent."""
        if not self._can(capability):
            raise CapabilityError(f"Server does not support {capability} capability")

    def _can(self, capability: str) -> bool:
        """Whether the server has a capability, by its name or as a part of IMAP4rev2."""
        return self.has_capability(capability) or (capability in _IN_REV2 and self.has_capability("IMAP4REV2"))

    # -- sets of messages

    def _for_messages(
        self,
        name: bytes,
        messages: SequenceSet,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        *,
        uid: bool | None = None,
        renumbers: bool = False,
    ) -> list[Tagged]:
        """Send a command for a set of messages, in several parts where the set is too long for one line.

        With ``renumbers`` the command may shift sequence numbers, so that a second part would mean other messages:
        then a set of sequence numbers that needs parts raises ValueError before anything is sent.
        """
        if uid is None:
            uid = self.use_uid
        parts = messages.split()
        if len(parts) > 1 and renumbers and not uid:
            raise ValueError("too many messages for one {} by sequence numbers: use UIDs".format(name.decode("ascii")))
        verb = b"UID " + name if uid else name
        replies: list[Tagged] = []
        for index, part in enumerate(parts):
            try:
                replies.append(self._execute(verb, [part, *arguments], handlers))
            except IMAPClientError as error:
                # A response that could not be read came with an OK: that part is done.
                is_done = isinstance(error, ProtocolError) and not isinstance(error, IMAPClientAbortError)
                note_done(error, b",".join(parts[: index + is_done]).decode("ascii"))
                raise
        return replies

    def _fetch(self, command: bytes, wanted: SequenceSet, arguments: Sequence[Argument]) -> FetchResult:
        """Send a command that is answered by FETCH responses, and file them under the messages asked for."""
        collector = FetchCollector(wanted, self.use_uid, self.normalise_times, self._limits.nesting_depth)
        self._for_messages(command, wanted, arguments, collector.handlers)
        return collector.result()

    # -- untagged responses

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
        return mailbox(name, self.folder_encode)

    def _folder_name(self, wire: bytes) -> Any:
        """A mailbox name as the API hands it out: str, or the bytes of the wire with ``folder_encode`` off."""
        return decode_name(wire) if self.folder_encode else wire


class Collector:
    """Keeps the untagged responses of the names that a command asks for."""

    def __init__(self, *names: bytes) -> None:
        self.responses: list[Untagged] = []
        self.handlers: dict[bytes, Handler] = dict.fromkeys(names, self._keep)

    def _keep(self, response: Untagged) -> None:
        self.responses.append(response)


class FetchCollector:
    """Files FETCH responses under the ids that were asked for, and leaves all others alone."""

    def __init__(self, wanted: SequenceSet, use_uid: bool, normalise_times: bool, max_depth: int) -> None:
        self._wanted = wanted
        # Where the last message was found: they mostly come in order.
        self._low, self._high = (1, 0) if wanted.is_bounded else (0, STAR)
        self._use_uid = use_uid
        self._normalise_times = normalise_times
        self._max_depth = max_depth
        self._messages: FetchResult = {}
        # Sequence number -> UID, as learnt in this command.
        self._uids: dict[int, int] = {}
        self.handlers: dict[bytes, Handler] = {
            b"FETCH": self._take,
            b"EXPUNGE": self._renumber,
            b"VANISHED": self._renumber,
        }

    def _take(self, response: Untagged) -> bool | None:
        number = response.number
        if number is None:
            return False
        try:
            items = parse_fetch(
                number, response.line, response.start, response.records, self._normalise_times, self._max_depth
            )
        except ProtocolError:
            uid = fetch_uid(response.line, response.start) if self._use_uid else number
            if uid is not None and not self._is_wanted(uid):
                return False
            raise
        if self._use_uid:
            uid = items.pop(b"UID", None)
            if uid is None:
                # Only what this command has told says which message this is: a sequence number is no UID.
                uid = self._uids.get(number)
                if uid is None:
                    return False
            elif not self._is_wanted(uid):
                self._uids.pop(number, None)
                return False
            else:
                self._uids[number] = uid
            number = uid
        elif not self._is_wanted(number):
            return False
        known = self._messages.get(number)
        if known is None:
            self._messages[number] = items
        else:
            known.update(items)
        return None

    def _is_wanted(self, number: int) -> bool:
        if self._low <= number <= self._high:
            return True
        found = self._wanted.range_of(number)
        if found is not None:
            self._low, self._high = found
        return found is not None

    def _renumber(self, response: Untagged) -> bool:
        """After an EXPUNGE, sequence numbers mean other messages. The response itself is for somebody else."""
        self._uids.clear()
        return False

    def result(self) -> FetchResult:
        messages = self._messages
        order = self._wanted.in_order(messages)
        return messages if order == list(messages) else {number: messages[number] for number in order}
