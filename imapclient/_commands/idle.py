"""Waiting for what the server tells by itself."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from .._connection.protocol_log import client_log
from .._wire import waiting
from ..exceptions import IMAPClientError
from .base.running import CommandBase, UntaggedItem


class IdleMixin(CommandBase):
    """IDLE (RFC 2177). Needs IDLE.

    Between `idle` and `idle_done` no other command can be sent: IllegalStateError says so at once, also in another
    thread. While one thread waits in `idle_check`, another one can't wait too or end IDLE, which raises the same. A
    server may end a connection that idles for 30 minutes: call `idle_done` and `idle` again before, or let `watch` do
    so.
    """

    def idle(self, *, timeout: float | None = None) -> Idle:
        """Begin to wait: the server then tells what changes in the selected folder. `idle_done` ends it.

        Or use it in a ``with`` statement, which ends it in any case, and loop over what comes, for at most ``timeout``
        seconds (None: for ever). The items are those of `idle_check`::

            with client.idle(timeout=600) as idle:
                for item in idle:
                    if item[1] == b'EXISTS':
                        break
            print(idle.rest)

        Raises CommandError where the server refuses; the connection is usable then.
        """
        self._require("IDLE")
        # Before anything is sent: a timeout that is no number is found here.
        end = math.inf if timeout is None else waiting.now() + timeout
        try:
            self._imap.start_idle()
        finally:
            self._deliver_unsolicited()
        return Idle(self, end)

    def idle_check(self, timeout: float | None = None) -> list[UntaggedItem]:
        """What the server has told, waiting for it at most ``timeout`` seconds (None: for ever; 0: not at all).

        Returns a list, empty after the timeout:
        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``.

        Raises IMAPClientAbortError where the connection has ended; what the server told before is returned first, by
        the call before. An interrupted call (Ctrl-C) loses nothing and can be made again.

        With a selector on `socket`: bytes that were received already don't make a socket readable, so call
        ``idle_check(0)`` before each wait.
        """
        return self._imap.poll_idle(timeout, self._untagged_items)

    def idle_done(self) -> tuple[bytes, list[UntaggedItem]]:
        """End the waiting. Returns its text and what it told meanwhile: ``(b'Idle completed.', [(2, b'EXISTS')])``.

        Waits for the server at most the read timeout, or 60 seconds where there is none; the connection is unusable
        when that is over.
        """
        reply, heard = self._imap.finish_idle(self._untagged_items)
        return reply.text, heard


class Idle(Iterator[UntaggedItem]):
    """What ``idle`` returns: a context manager that ends IDLE, and an iterator over what the server tells.

    The iterator ends at the deadline, and when IDLE is over. It raises what ``idle_check`` raises.

    Leaving the block sends DONE, after an exception too, which then goes on: the connection is usable again, unless the
    exception is that it has ended. ``text`` is then the server's text, ``b'Idle completed.'``, and ``rest`` a list of
    what the server told and the iterator had not given: ``[(5, b'EXISTS')]``.
    """

    def __init__(self, client: IdleMixin, end: float) -> None:
        self.text = b""
        self.rest: list[UntaggedItem] = []
        self._client = client
        self._end = end
        self._received_size: deque[UntaggedItem] = deque()

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
            self.rest = [*self._received_size, *last]
            self._received_size.clear()

    def __next__(self) -> UntaggedItem:
        while not self._received_size:
            if not self._client._imap.is_idle:
                raise StopIteration
            remaining = self._end - waiting.now()
            self._received_size.extend(self._client.idle_check(None if remaining == math.inf else max(0.0, remaining)))
            if not self._received_size and remaining <= 0:
                raise StopIteration
        return self._received_size.popleft()

    def __repr__(self) -> str:
        return f"<Idle: {'waiting' if self._client._imap.is_idle else 'over'}>"


Idle.__module__ = "imapclient.response_types"
