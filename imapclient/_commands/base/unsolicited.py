"""Unsolicited responses: those that are not part of the answer to a command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ..._connection.protocol_log import client_log
from ..._parsing.responses import Untagged
from ..._wire import waiting
from ...exceptions import IMAPClientError, ProtocolError
from .state import ClientState, UntaggedItem

# The data of these responses is text for people, not values (RFC 9051, 7.1).
_HUMAN_TEXT = frozenset((b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"))


class UnsolicitedDelivery(ClientState):
    """Delivers unsolicited responses to ``on_unsolicited``, and converts them to items such as ``(1, b'EXISTS')``."""

    def _deliver_unsolicited(self) -> None:
        """Deliver unsolicited responses once the current exchange is over.

        The callback may call the client. Responses that arrive during that call are delivered by the same loop. An
        exception of the callback is only logged, because the result of the command matters more. One thread delivers at
        a time, and it holds no lock that a command needs.
        """
        if self._exclusive_thread == waiting.thread_id():
            return
        # Another thread may add responses while this one delivers: look again after releasing the lock.
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
            client_log.warning("%d responses are not delivered to on_unsolicited: too many at once", dropped)
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

    def _deliver_others(self, responses: Iterable[Untagged]) -> None:
        """Deliver responses that a command collected but that are not part of its answer."""
        for response in responses:
            self._imap.unsolicited.append(response)
        self._deliver_unsolicited()

    @contextlib.contextmanager
    def _delivered_on_failure(self, collected: Iterable[Untagged]) -> Iterator[None]:
        """If the command in the body fails, deliver the responses that it collected."""
        try:
            yield
        except IMAPClientError:
            self._deliver_others(collected)
            raise

    def _untagged_items(self, responses: Iterable[Untagged]) -> list[UntaggedItem]:
        """Responses as `idle_check`, `noop` and `expunge` return them.

        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``. If the data of a
        response can't be parsed, its raw bytes are the last element of the item. So the other responses are not lost.
        """
        return [self._untagged_item(response) for response in responses]

    def _untagged_item(self, response: Untagged) -> UntaggedItem:
        head = (response.name,) if response.number is None else (response.number, response.name)
        if response.number is None and response.name in _HUMAN_TEXT:
            return (*head, response.text)
        if response.records is None and not response.text:
            return head
        # Imported here, because not every program needs it.
        from ..._parsing.lexer import read_values

        try:
            values = read_values(response, self._read_options)
        except ProtocolError:
            values = [response.text]
        return (*head, *values)
