"""IDLE on the connection: what the server tells by itself, without losing any of it (RFC 2177).

Part of the connection class in imap4.py, in a file of its own. An interrupt at any moment of `poll_idle` leaves things
as if the call had not been made: what was read from the buffer is made unread, and what was heard stays heard.

Who waits in IDLE holds not the lock of the exchange but one of its own, so that another thread's command is told at
once that the connection idles. A thread that waited for the exchange as IDLE began is told as soon as it has begun.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Callable, TypeVar

from .._parsing.responses import Tagged, Untagged
from .._wire import waiting
from .._wire.sockets import SocketTimeout, Transport
from .._wire.waiting import Deadline, Lock
from ..exceptions import IllegalStateError, IMAPClientError, ProtocolAbortError, ProtocolError
from . import protocol_log
from .exchange import AwaitedQueue, Command, UnsolicitedQueue
from .failures import is_timeout
from .reader import Reader

T = TypeVar("T")

# How long the end of IDLE is waited for, in seconds, where the connection has no timeout of its own.
IDLE_DONE_PATIENCE = 60.0
# How many bytes of meaningless continuation requests are kept for the case of an interrupt.
STRAY_KEPT = 65536
_ABOUT_MESSAGES = frozenset((b"EXISTS", b"EXPUNGE", b"VANISHED"))


class IdleExchange:
    """The part of the connection that idles. What it needs of the rest is declared first."""

    socket_timeout: SocketTimeout
    _broken: BaseException | None
    _continuation: bytes | None
    _in_flight: dict[bytes, Command]
    _logging: bool
    _lock: Lock
    _reader: Reader
    _received_size: int
    _transport: Transport
    unsolicited: UnsolicitedQueue

    @abstractmethod
    def start(self, command: Command) -> int: ...

    @abstractmethod
    def finish(self, command: Command) -> Tagged: ...

    @abstractmethod
    def _exchange(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _read(self, deadline: Deadline | None) -> None: ...

    @abstractmethod
    def _fail(self, error: BaseException) -> BaseException: ...

    @abstractmethod
    def check_usable(self) -> None: ...

    def _prepare_idle(self) -> None:
        self._idling: Command | None = None
        self._heard = AwaitedQueue()
        #: What is told of the selected folder by whatever command, for who watches it; None while nobody does.
        self.observed: AwaitedQueue | None = None
        # Held by who listens in IDLE or ends it. Not reentrant: a signal handler must not end IDLE under a wait.
        self._listening = waiting.lock()

    def exclusive(self) -> AbstractContextManager[bool]:
        """Several exchanges in which no other thread's comes in between; others wait until the end of it."""
        return self._lock

    @property
    def is_idle(self) -> bool:
        """Whether the connection is between `start_idle` and `finish_idle`."""
        return self._idling is not None

    def start_idle(self) -> None:
        """Send IDLE and wait until the server is ready for it.

        Raises CommandError where the server refuses, ProtocolError where it says OK to IDLE at once; the connection is
        usable after both.
        """
        command = Command(b"IDLE", handlers={b"*": self._hear})
        with self._lock:
            self.start(command)
            with self._exchange():
                while self._continuation is None and command.reply is None:
                    self._read(None)
                self._continuation = None
            if command.reply is not None:
                for response in self._heard.take():
                    self.unsolicited.append(response)
                self.finish(command)
                raise ProtocolError("the server ended IDLE before it began")
            self._idling = command

    def _observe(self, response: Untagged, unasked: bool) -> None:
        """Keep what tells of a change. FETCH does so unless a command has asked for it, which then leaves it over."""
        if self.observed is None:
            return
        if response.name == b"FETCH":
            if unasked == any(b"FETCH" in command.handlers for command in self._in_flight.values()):
                self.observed.append(response)
        elif not unasked and response.name in _ABOUT_MESSAGES:
            self.observed.append(response)

    def _hear(self, response: Untagged) -> None:
        self._heard.append(response)

    def poll_idle(self, timeout: float | None, render: Callable[[Iterable[Untagged]], list[T]]) -> list[T]:
        """What the server says in IDLE: waits until it says something, at most ``timeout`` seconds (None: for ever).

        ``render`` makes of the responses what is returned: they are forgotten only after that. What came before the
        connection ended is returned, and the next call raises.
        """
        with self._alone():
            command = self._idle_command()
            if not self._heard:
                self.check_usable()
            self._logging = protocol_log.is_on()
            self._received_size = 0
            heard_before = len(self._heard)
            reader = self._reader
            try:
                reader.timeout = None
                reader.begin()
                self._listen(command, Deadline(timeout))
            except (OSError, IMAPClientError) as error:
                self._fail(error)
            except BaseException:
                reader.take_back()
                self._heard.shorten(heard_before)
                raise
            finally:
                reader.timeout = self.socket_timeout.read
            reader.commit()
            if command.reply is not None and self._broken is None:
                self._fail(ProtocolAbortError("the server ended IDLE by itself", context=command.reply.text[:80]))
            if self._broken is not None and not self._heard:
                raise self._broken
            items = render(self._heard)
            self._heard.clear()
            return items

    def _listen(self, command: Command, deadline: Deadline) -> None:
        """Read until the deadline, the end of IDLE, or as much as is handed out at once."""
        drain = None
        stray = 0
        try:
            while command.reply is None and self._broken is None and not self._heard.is_full:
                if self._heard and drain is None:
                    # Once something was heard, what is there already is taken, and no more is waited for.
                    drain = Deadline(0)
                self._read(drain or deadline)
                stray += len(self._continuation or b"") + 1
                self._continuation = None
                if stray > STRAY_KEPT and not self._heard:
                    # Continuation requests that mean nothing: not to be taken back, and not to be kept.
                    self._reader.begin()
                    stray = 0
        except OSError as error:
            if not is_timeout(error):
                raise

    def finish_idle(self, render: Callable[[Iterable[Untagged]], list[T]]) -> tuple[Tagged, list[T]]:
        """Send DONE and read to the end of IDLE; what was heard, as `poll_idle` returns it, comes with it.

        All within the connection's read timeout, or 60 seconds where it has none.
        """
        patience = self.socket_timeout.read or IDLE_DONE_PATIENCE
        with self._alone(), self._lock:
            command = self._idle_command()
            self.check_usable()
            self._reader.commit()
            self._reader.timeout = self.socket_timeout.read
            self._logging = protocol_log.is_on()
            if self._logging:
                protocol_log.sent(b"DONE")
            with self._exchange():
                deadline = Deadline(patience)
                self._transport.sendall(b"DONE\r\n", patience)
                while command.reply is None:
                    self._read(deadline)
                    self._continuation = None
            self._idling = None
            items = render(self._heard)
            self._heard.clear()
            return self.finish(command), items

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """IllegalStateError at once where another thread listens: what it waits for may never come."""
        if not self._listening.acquire(blocking=False):
            self.check_usable()
            raise IllegalStateError("another thread waits in idle_check(), or ends IDLE")
        try:
            yield
        finally:
            self._listening.release()

    def _idle_command(self) -> Command:
        if self._idling is None:
            self.check_usable()
            raise IllegalStateError("the connection is not in IDLE: call idle() first")
        return self._idling
