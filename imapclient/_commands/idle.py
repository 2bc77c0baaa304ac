"""IDLE: waiting for what the server sends by itself."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from .._connection.protocol_log import client_log
from .._wire import waiting
from ..exceptions import IMAPClientError
from .base.command_base import CommandBase
from .base.state import UntaggedItem


class IdleMixin(CommandBase):
    """IDLE (RFC 2177; RFC 9051, 6.3.13). Needs the capability IDLE.

    No other command can be sent between `idle` and `idle_done`: it raises IllegalStateError at once, also in another
    thread. While one thread waits in `idle_check`, `idle_check` and `idle_done` raise IllegalStateError in other
    threads. A server may end a connection that is in IDLE for 30 minutes. Call `idle_done` and `idle` again before
    that, or use `watch`, which does so.
    """

    def idle(self, *, timeout: float | None = None) -> Idle:
        """Start IDLE: the server then sends the changes in the selected folder (RFC 2177). `idle_done` ends IDLE.

        Returns an `~imapclient.response_types.Idle`. In a ``with`` statement, the end of the block ends IDLE. A loop
        over it receives the items that `idle_check` returns, for at most ``timeout`` seconds (None: for ever)::

            with client.idle(timeout=600) as idle:
                for item in idle:
                    if item[1] == b'EXISTS':
                        break
            print(idle.rest)

        No other command can be sent until IDLE has ended: it raises IllegalStateError.

        Raises CapabilityError without IDLE, IllegalStateError if the connection is in IDLE already, and CommandError if
        the server refuses. The connection is usable after these.
        """
        self._require("IDLE")
        # A timeout that is not a number raises TypeError here, before anything is sent.
        end = math.inf if timeout is None else waiting.now() + timeout
        try:
            self._imap.start_idle()
        finally:
            self._deliver_unsolicited()
        return Idle(self, end)

    def idle_check(self, timeout: float | None = None) -> list[UntaggedItem]:
        """The responses in IDLE. Waits for the first one at most ``timeout`` seconds (None: for ever; 0: not at all).

        Returns a list, which is empty after the timeout:
        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``.

        Raises IMAPClientAbortError if the connection has ended. If there are responses from before the end, they are
        returned first, and the next call raises the error. Raises IllegalStateError if the connection is not in IDLE;
        it is usable then. A call that is interrupted by Ctrl-C loses nothing and can be repeated.

        If you wait with a selector on `socket`, call ``idle_check(0)`` before each wait. Data that was received already
        does not make the socket readable.
        """
        return self._imap.poll_idle(timeout, self._untagged_items)

    def idle_done(self) -> tuple[bytes, list[UntaggedItem]]:
        """End IDLE. Returns the server's text and what it sent meanwhile: ``(b'Idle completed.', [(2, b'EXISTS')])``.

        Waits for the server at most as long as the read timeout, or 60 seconds if it is not set. If the server does not
        answer, raises socket.timeout and the connection is unusable. Raises IllegalStateError if the connection is not
        in IDLE; it is usable then.
        """
        reply, items = self._imap.finish_idle(self._untagged_items)
        return reply.text, items


class Idle(Iterator[UntaggedItem]):
    """What ``idle`` returns: a context manager that ends IDLE, and an iterator over what the server sends.

    The iterator ends after the timeout, and when IDLE has ended. It raises what ``idle_check`` raises.

    The end of the ``with`` block ends IDLE, also if the block raises an exception. The connection is usable again,
    unless the exception means that it has ended. ``text`` is then the server's text, ``b'Idle completed.'``. ``rest``
    is a list of the items that the iterator has not returned: ``[(5, b'EXISTS')]``.
    """

    def __init__(self, client: IdleMixin, end: float) -> None:
        self.text = b""
        self.rest: list[UntaggedItem] = []
        self._client = client
        self._end = end
        self._items: deque[UntaggedItem] = deque()

    def __enter__(self) -> Idle:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        last: list[UntaggedItem] = []
        try:
            if self._client._imap.is_idle:
                self.text, last = self._client.idle_done()
        except IMAPClientError as error:
            if exc_value is None:
                raise
            client_log.info("Could not end IDLE: %s", error)
        finally:
            self.rest = [*self._items, *last]
            self._items.clear()

    def __next__(self) -> UntaggedItem:
        while not self._items:
            if not self._client._imap.is_idle:
                raise StopIteration
            remaining = self._end - waiting.now()
            self._items.extend(self._client.idle_check(None if remaining == math.inf else max(0.0, remaining)))
            if not self._items and remaining <= 0:
                raise StopIteration
        return self._items.popleft()

    def __repr__(self) -> str:
        return f"<Idle: {'waiting' if self._client._imap.is_idle else 'over'}>"


Idle.__module__ = "imapclient.response_types"
