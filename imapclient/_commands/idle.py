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
    """IDLE (RFC 2177). Needs IDLE.

    No other command can be sent between `idle` and `idle_done`: it raises IllegalStateError at once, also in another
    thread. While one thread waits in `idle_check`, another thread that calls `idle_check` or `idle_done` gets
    IllegalStateError, too. A server may end a connection that idles for 30 minutes. Call `idle_done` and `idle` again
    before that, or use `watch`, which does so.
    """

    def idle(self, *, timeout: float | None = None) -> Idle:
        """Start IDLE: the server then sends what changes in the selected folder. `idle_done` ends it.

        Use it in a ``with`` statement to end it in any case. Loop over it to receive the items of `idle_check`, for at
        most ``timeout`` seconds (None: for ever)::

            with client.idle(timeout=600) as idle:
                for item in idle:
                    if item[1] == b'EXISTS':
                        break
            print(idle.rest)

        Raises CommandError if the server refuses. The connection is usable then.
        """
        self._require("IDLE")
        # A timeout that is not a number fails here, before anything is sent.
        end = math.inf if timeout is None else waiting.now() + timeout
        try:
            self._imap.start_idle()
        finally:
            self._deliver_unsolicited()
        return Idle(self, end)

    def idle_check(self, timeout: float | None = None) -> list[UntaggedItem]:
        """What the server has sent. Waits for it at most ``timeout`` seconds (None: for ever; 0: not at all).

        Returns a list, empty after the timeout:
        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``.

        Raises IMAPClientAbortError if the connection has ended. What the server sent before is returned first, by the
        call before. An interrupted call (Ctrl-C) loses nothing and can be repeated.

        If you wait with a selector on `socket`, call ``idle_check(0)`` before each wait. Bytes that were received
        already do not make a socket readable.
        """
        return self._imap.poll_idle(timeout, self._untagged_items)

    def idle_done(self) -> tuple[bytes, list[UntaggedItem]]:
        """End IDLE. Returns the server's text and what it sent meanwhile: ``(b'Idle completed.', [(2, b'EXISTS')])``.

        Waits for the server at most the read timeout, or 60 seconds without one. After that the connection is unusable.
        """
        reply, items = self._imap.finish_idle(self._untagged_items)
        return reply.text, items


class Idle(Iterator[UntaggedItem]):
    """What ``idle`` returns: a context manager that ends IDLE, and an iterator over what the server sends.

    The iterator ends at the deadline, and when IDLE is over. It raises what ``idle_check`` raises.

    Leaving the block sends DONE, also after an exception, which then goes on. The connection is usable again, unless
    the exception says that it has ended. ``text`` is then the server's text, ``b'Idle completed.'``. ``rest`` is a list
    of the items that the iterator had not returned: ``[(5, b'EXISTS')]``.
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
