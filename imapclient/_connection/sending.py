"""Sending on the connection: commands with their literals, and several commands on the wire at once.

Part of the connection class in imap4.py, in a file of its own.

Several commands may be on their way at once (RFC 9051, 5.5). Neither side may then wait for the other to read: while
answers are outstanding, nothing is written that the system does not take at once, and when it takes no more, answers
are read until it does.
"""

from __future__ import annotations

import socket
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from .._arguments.command import Literal, StreamedLiteral, encode_command, is_strict
from .._parsing.responses import Tagged
from .._wire.sockets import SEND_SIZE, Deadline, SocketTimeout, Transport
from ..exceptions import IllegalStateError, IMAPClientAbortError, IMAPClientError, ProtocolAbortError
from . import protocol_log
from .exchange import Command
from .redaction import Secrets

# How many commands of `execute_all` are on their way at once, and how many bytes of them.
MAX_IN_FLIGHT = 16
MAX_BYTES_IN_FLIGHT = 131072


class SendExchange:
    """The part of the connection that sends. What it needs of the rest is declared first."""

    secrets: Secrets
    socket_timeout: SocketTimeout
    _bye: bytes | None
    _continuation: bytes | None
    _in_flight: dict[bytes, Command]
    _lock: threading.RLock
    _logging: bool
    _received_size: int
    _transport: Transport

    @abstractmethod
    def finish(self, command: Command) -> Tagged: ...

    @abstractmethod
    def _next_tag(self) -> bytes: ...

    @abstractmethod
    def _exchange(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _read(self, deadline: Deadline | None) -> None: ...

    @abstractmethod
    def check_usable(self) -> None: ...

    @abstractmethod
    def _check_idle(self) -> None: ...

    @abstractmethod
    def _is_surely_read(self, command: Command) -> bool: ...

    @abstractmethod
    def _is_synchronising(self, literal: Literal | StreamedLiteral) -> bool: ...

    def _prepare_sending(self) -> None:
        # Whether the bytes of a literal are being made, in this thread: another one waits for the lock.
        self._is_streaming = False
        # What the source of a literal raised, which says nothing about the connection.
        self._of_source: OSError | None = None

    # -- commands

    def start(self, command: Command) -> int:
        """Send a command and leave it in flight: `finish` must follow. Several may be in flight at once.

        Returns how many bytes the command has without its literals.
        """
        # Before the lock too: a thread that waits in IDLE holds it.
        self._check_idle()
        with self._lock:
            self.check_usable()
            self._check_idle()
            if self._is_streaming:
                raise IllegalStateError("a message is being sent: its source and its progress can't send commands")
            if any(other.respond is not None for other in self._in_flight.values()):
                raise IllegalStateError("an authentication is under way: its callable can't send commands")
            self._logging = protocol_log.is_on()
            command.tag = self._next_tag()
            pieces = encode_command(command.tag, command.name, command.arguments)
            with self._exchange():
                self._received_size = 0
                self._in_flight[command.tag.upper()] = command
                self._send_pieces(command, pieces)
        return sum(len(piece) for piece in pieces if isinstance(piece, bytes))

    def execute_all(self, commands: Iterable[Command]) -> None:
        """Run commands, the later ones being on the wire before the earlier ones are answered.

        They must be such as may run at once without ambiguity (RFC 9051, 5.5). A literal is waited for. All are run
        to their end; ``reply`` and ``error`` of each tell what became of it. Raises only what makes the connection
        unusable.
        """
        sizes: deque[tuple[Command, int]] = deque()
        bytes_in_flight = 0
        with self._lock:
            for command in commands:
                while sizes and (len(sizes) >= MAX_IN_FLIGHT or bytes_in_flight >= MAX_BYTES_IN_FLIGHT):
                    bytes_in_flight -= self._await_first(sizes)
                size = self.start(command)
                sizes.append((command, size))
                bytes_in_flight += size
            while sizes:
                self._await_first(sizes)

    def _await_first(self, sizes: deque[tuple[Command, int]]) -> int:
        command, size = sizes.popleft()
        try:
            self.finish(command)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            # Its own error, which `reply` and `error` keep.
            if command.reply is None:
                raise
        return size

    def _send_pieces(self, command: Command, pieces: list[Any]) -> None:
        """Send what `encode_command` made. A literal is announced, and waits unless the server needs no wait."""
        log = self._logging
        if log and command.secrets:
            protocol_log.sent_secretly(command.tag + b" " + command.name)
        show = log and not command.secrets
        self.secrets.add(command.secrets)
        ahead = self._is_surely_read(command)
        waiting = bytearray()
        for piece in pieces:
            if isinstance(piece, bytes):
                ahead = ahead and is_strict(piece)
                waiting += piece
                if show and piece != b"\r\n":
                    protocol_log.sent(piece[:-2] if piece.endswith(b"\r\n") else piece)
                continue
            synchronising = not ahead or self._is_synchronising(piece)
            waiting += b"%s{%d%s}\r\n" % (
                b"~" if piece.binary else b"",
                piece.size,
                b"" if synchronising else b"+",
            )
            if synchronising:
                self._write(waiting)
                waiting.clear()
                if not self._literal_is_wanted(command):
                    if command.reply is not None and command.reply.status == "OK":
                        raise ProtocolAbortError("the server says OK to a command that it has not got yet")
                    return
            if isinstance(piece, StreamedLiteral):
                self._stream(piece, show)
                continue
            if show:
                protocol_log.sent_literal(piece.data)
            if len(piece.data) > 65536:
                self._write(waiting)
                waiting.clear()
                self._write(piece.data)
            else:
                waiting += piece.data
        # Before: an interrupt may come when the last byte is on its way, and then the server may have all of it.
        command.is_sent = True
        try:
            self._write(waiting)
        except OSError:
            command.is_sent = False
            raise

    def _stream(self, literal: StreamedLiteral, show: bool) -> None:
        """Send a literal while its bytes are made. That runs code of the caller's, which must not send in between."""
        if show:
            protocol_log.sent(b"<%d bytes that are streamed>" % literal.size)
        self._is_streaming = True
        try:
            for piece in self._from_source(literal.pieces):
                self._write(piece)
        finally:
            self._is_streaming = False

    def _from_source(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same, and what they raise is noted as an error of a file, not of the connection."""
        try:
            yield from pieces
        except OSError as error:
            self._of_source = error
            raise

    # -- bytes

    def _write(self, data: bytes | bytearray) -> None:
        view = memoryview(bytes(data))
        try:
            # More than one: the command that is being sent, and others whose answers may fill the way back.
            while len(self._in_flight) > 1 and view:
                sent = self._transport.send_now(view[:SEND_SIZE])
                view = view[sent:]
                if not sent:
                    self._read(None)
            if view:
                self._transport.sendall(view, self.socket_timeout.read)
        except OSError as error:
            if not isinstance(error, socket.timeout):
                self._hear_last_words()
            raise

    def _hear_last_words(self) -> None:
        """The server closed the connection while we wrote. If it said BYE and why, raise that."""
        now = Deadline(0)
        try:
            while True:
                self._read(now)
        except (OSError, IMAPClientError):
            if self._bye is not None:
                raise

    def _literal_is_wanted(self, command: Command) -> bool:
        """Wait for the server's word: go on, or a tagged response that refuses the command."""
        while command.reply is None:
            self._read(None)
            if self._continuation is not None:
                self._continuation = None
                return True
        return False

    def _respond(self, command: Command) -> None:
        text, self._continuation = self._continuation or b"", None
        if command.respond is None:
            # In base64 it may repeat what it was told.
            shown = None if command.secrets else text[:80]
            raise ProtocolAbortError("a continuation request that nothing waits for", None, shown)
        if self._logging:
            protocol_log.sent_secretly(b"+")
        response = command.respond(text)
        self._write(response + b"\r\n")
