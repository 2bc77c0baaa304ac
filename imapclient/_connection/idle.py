"""IDLE: waiting for responses that no command asked for, without losing any (RFC 2177).

An interrupt at any moment of `poll_idle` leaves everything as before the call. Data that was read becomes unread
again, and responses that were queued before stay queued.

A thread that waits in IDLE holds a lock of its own, not that of the exchange. So another thread's command fails at once
because of IDLE, instead of waiting. The same holds for a command that waited for the exchange when IDLE began.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Callable, TypeVar

from .._parsing.responses import Tagged, Untagged
from .._wire import waiting
from .._wire.waiting import Deadline, is_timeout
from ..exceptions import IllegalStateError, IMAPClientError, ProtocolAbortError, ProtocolError
from . import protocol_log
from .exchange import Command, Exchange
from .queues import AwaitedQueue
from .sending import Sender

T = TypeVar("T")

# How many seconds the end of IDLE may take if the connection has no read timeout.
MAX_DONE_SECONDS = 60.0
# How many bytes of continuation requests, which mean nothing in IDLE, are kept in case of an interrupt.
MAX_STRAY_BYTES = 65536


class IdleExchange:
    """IDLE on an exchange: `start_idle`, any number of `poll_idle`, `finish_idle`."""

    def __init__(self, exchange: Exchange, sender: Sender) -> None:
        self._exchange = exchange
        self._sender = sender
        self._command: Command | None = None
        self._queue = AwaitedQueue()
        # Held by the thread that waits in IDLE or ends it. Not reentrant: a signal handler must not end IDLE during
        # a wait.
        self._in_use = waiting.lock()

    @property
    def is_idle(self) -> bool:
        """Whether the connection is between `start_idle` and `finish_idle`."""
        return self._command is not None

    def check_over(self) -> None:
        """Raise IllegalStateError during IDLE, or ConnectionAbortError if the connection ended in it."""
        if self._command is not None:
            self._exchange.check_usable()
            raise IllegalStateError("the connection is in IDLE: call idle_done() first")

    def start_idle(self) -> None:
        """Send IDLE and wait until the server is ready for it.

        Raises CommandError if the server refuses, and ProtocolError if it answers OK at once. The connection is usable
        after both.
        """
        exchange = self._exchange
        command = Command(b"IDLE", handlers={b"*": self._queue.append})
        self.check_over()
        with exchange.lock:
            self.check_over()
            self._sender.start(command)
            with exchange.unusable_on_error():
                while exchange.continuation is None and command.reply is None:
                    exchange.read(None)
                exchange.continuation = None
            if command.reply is not None:
                for response in self._queue.take():
                    exchange.unsolicited.append(response)
                self._sender.finish(command)
                raise ProtocolError("the server ended IDLE before it began")
            self._command = command

    def poll_idle(self, timeout: float | None, render: Callable[[Iterable[Untagged]], list[T]]) -> list[T]:
        """Wait for responses, at most ``timeout`` seconds (None: for ever), and return what ``render`` makes of them.

        The responses are removed only after ``render`` has returned. If the connection ends, the responses before the
        end are returned, and the next call raises.
        """
        exchange = self._exchange
        with self._used_alone():
            command = self._idle_command()
            if not self._queue:
                exchange.check_usable()
            exchange.is_logged = protocol_log.is_on()
            exchange.received_size = 0
            queued_before = len(self._queue)
            reader = exchange.reader
            try:
                reader.timeout = None
                reader.begin()
                self._receive(command, Deadline(timeout))
            except (OSError, IMAPClientError) as error:
                exchange.fail(error)
            except BaseException:
                reader.take_back()
                self._queue.shorten(queued_before)
                raise
            finally:
                reader.timeout = exchange.timeout.read
            reader.commit()
            if command.reply is not None and exchange.failure is None:
                exchange.fail(ProtocolAbortError("the server ended IDLE by itself", context=command.reply.text[:80]))
            if exchange.failure is not None and not self._queue:
                raise exchange.failure
            items = render(self._queue)
            self._queue.clear()
            return items

    def _receive(self, command: Command, deadline: Deadline) -> None:
        """Read until the deadline, until the end of IDLE, or until there are as many responses as one call returns."""
        exchange = self._exchange
        drain = None
        stray = 0
        try:
            while command.reply is None and exchange.failure is None and not self._queue.is_full:
                if self._queue and drain is None:
                    # After the first response, only read the data that has already arrived.
                    drain = Deadline(0)
                exchange.read(drain or deadline)
                stray += len(exchange.continuation or b"") + 1
                exchange.continuation = None
                if stray > MAX_STRAY_BYTES and not self._queue:
                    # Continuation requests mean nothing here, so after an interrupt they need not be read again.
                    exchange.reader.begin()
                    stray = 0
        except OSError as error:
            if not is_timeout(error):
                raise

    def finish_idle(self, render: Callable[[Iterable[Untagged]], list[T]]) -> tuple[Tagged, list[T]]:
        """Send DONE and read to the end of IDLE. Returns the tagged response, and the rest as `poll_idle` does.

        The whole call may take as long as the connection's read timeout, or 60 seconds if there is none.
        """
        exchange = self._exchange
        patience = exchange.timeout.read or MAX_DONE_SECONDS
        with self._used_alone(), exchange.lock:
            command = self._idle_command()
            exchange.check_usable()
            exchange.reader.commit()
            exchange.reader.timeout = exchange.timeout.read
            exchange.is_logged = protocol_log.is_on()
            if exchange.is_logged:
                protocol_log.sent(b"DONE")
            with exchange.unusable_on_error():
                deadline = Deadline(patience)
                exchange.transport.sendall(b"DONE\r\n", patience)
                while command.reply is None:
                    exchange.read(deadline)
                    exchange.continuation = None
            self._command = None
            items = render(self._queue)
            self._queue.clear()
            return self._sender.finish(command), items

    @contextlib.contextmanager
    def _used_alone(self) -> Iterator[None]:
        """Use IDLE in this thread alone. Raises IllegalStateError if another thread waits in IDLE or ends it.

        It does not wait for that thread, because the response that the thread waits for may never arrive.
        """
        if not self._in_use.acquire(blocking=False):
            self._exchange.check_usable()
            raise IllegalStateError("another thread waits in idle_check(), or ends IDLE")
        try:
            yield
        finally:
            self._in_use.release()

    def _idle_command(self) -> Command:
        if self._command is None:
            self._exchange.check_usable()
            raise IllegalStateError("the connection is not in IDLE: call idle() first")
        return self._command
