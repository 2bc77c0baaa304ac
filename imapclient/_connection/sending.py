"""Sending commands with their literals, and reading until they are finished.

Several commands may be in flight at once (RFC 9051, 5.5). Neither side may then wait for the other to read. So while
responses are outstanding, data is written only as far as the system takes it. If it takes none, responses are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Union

from .._arguments.command import Literal, StreamedLiteral, encode_command, is_strict
from .._parsing.responses import Tagged
from .._wire.sockets import SEND_SIZE
from .._wire.waiting import Deadline, is_timeout
from ..exceptions import IllegalStateError, IMAPClientAbortError, IMAPClientError, ProtocolAbortError
from . import protocol_log
from .exchange import Command, Exchange

# How many commands of `execute_all` are in flight at once, and how many bytes they have together.
MAX_IN_FLIGHT = 16
MAX_BYTES_IN_FLIGHT = 131072
# A literal larger than this is sent by itself, so that it is not copied.
MAX_COPIED = 65536

Piece = Union[bytes, Literal, StreamedLiteral]
"""A part of an encoded command: text, or a literal."""


class Sender:
    """Sends commands, and reads until they are finished. The exchange dispatches the responses."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        # Whether this thread is making the bytes of a literal. Other threads wait for the lock.
        self._is_streaming = False
        # Commands in flight that were started ahead, in the order in which they were sent.
        self._ahead: list[Command] = []

    # -- commands

    def start(self, command: Command, *, ahead: bool = False) -> int:
        """Send a command and leave it in flight. `finish` must follow.

        With ``ahead`` it need not follow: any command that is not sent ahead itself first reads the answers to those
        that are. So the caller's code may run in between, use the connection, and raise.

        Returns how many bytes the command has without its literals. Raises IllegalStateError if another command needs
        the caller's code at this moment: it makes a literal, or answers a continuation request.
        """
        exchange = self._exchange
        with exchange.lock:
            exchange.check_usable()
            if self._is_streaming:
                raise IllegalStateError("a message is being sent: its source and its progress can't send commands")
            if any(other.respond is not None for other in exchange.in_flight.values()):
                raise IllegalStateError("an authentication is under way: its callable can't send commands")
            while self._ahead and not ahead:
                self._finish_quietly(self._ahead[0])
            exchange.is_logged = protocol_log.is_on()
            command.tag = exchange.next_tag()
            pieces = encode_command(command.tag, command.name, command.arguments)
            with exchange.unusable_on_error():
                exchange.received_size = 0
                exchange.in_flight[command.tag.upper()] = command
                if ahead:
                    self._ahead.append(command)
                self._send_pieces(command, pieces)
        return sum(len(piece) for piece in pieces if isinstance(piece, bytes))

    def finish(self, command: Command, deadline: Deadline | None = None) -> Tagged:
        """Read until the tagged response to a command that was started, and return it.

        Raises CommandError for NO and BAD, and ProtocolError if a response could not be parsed. The connection is
        usable after both, and unusable after any other error.
        """
        exchange = self._exchange
        with exchange.lock:
            if command in self._ahead:
                self._ahead.remove(command)
            if command.reply is None:
                with exchange.unusable_on_error():
                    while command.reply is None:
                        if command.handlers.bulk is not None:
                            exchange.offer(command, command.handlers.bulk)
                        exchange.read(deadline)
                        if exchange.continuation is not None:
                            self._respond(command)
                    exchange.reader.let_go()
            reply = command.reply
            if reply.status != "OK":
                raise exchange.secrets.hide(reply.error(command.name))
            if command.error is not None:
                raise exchange.secrets.hide(reply.unread(command.name, command.error))
            return reply

    def execute_all(self, commands: Iterable[Command]) -> None:
        """Run all commands to their end. Later ones are sent before earlier ones are finished.

        The result must not depend on the order in which the server runs them (RFC 9051, 5.5). A literal still waits for
        its continuation request. ``reply`` and ``error`` of each command hold the outcome. Raises only errors after
        which the connection is unusable.
        """
        sizes: deque[tuple[Command, int]] = deque()
        bytes_in_flight = 0
        with self._exchange.lock:
            for command in commands:
                while sizes and (len(sizes) >= MAX_IN_FLIGHT or bytes_in_flight >= MAX_BYTES_IN_FLIGHT):
                    bytes_in_flight -= self._finish_first(sizes)
                size = self.start(command)
                sizes.append((command, size))
                bytes_in_flight += size
            while sizes:
                self._finish_first(sizes)

    def _finish_first(self, sizes: deque[tuple[Command, int]]) -> int:
        command, size = sizes.popleft()
        self._finish_quietly(command)
        return size

    def _finish_quietly(self, command: Command) -> None:
        """Finish a command. Its own error is not raised: its `reply` and `error` hold it."""
        try:
            self.finish(command)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            if command.reply is None:
                raise

    # -- the pieces of a command

    def _send_pieces(self, command: Command, pieces: Sequence[Piece]) -> None:
        """Send an encoded command. Before a literal, wait for the server if the literal is synchronising."""
        exchange = self._exchange
        exchange.secrets.add(command.secrets)
        if exchange.is_logged and command.secrets:
            protocol_log.sent_secretly(command.tag + b" " + command.name)
        is_logged = exchange.is_logged and not command.secrets
        goes_ahead = self._may_go_ahead(command)
        unsent = bytearray()
        for piece in pieces:
            if isinstance(piece, bytes):
                goes_ahead = goes_ahead and is_strict(piece)
                unsent += piece
                if is_logged and piece != b"\r\n":
                    protocol_log.sent(piece.removesuffix(b"\r\n"))
                continue
            waits = not goes_ahead or exchange.capabilities.is_synchronising(piece)
            unsent += b"%s{%d%s}\r\n" % (b"~" if piece.binary else b"", piece.size, b"" if waits else b"+")
            if waits:
                self._write_out(unsent)
                if not self._is_literal_wanted(command):
                    return
            if isinstance(piece, StreamedLiteral):
                self._stream(piece, is_logged)
            else:
                self._add_literal(unsent, piece.data, is_logged)
        self._send_last(command, unsent)

    def _send_last(self, command: Command, unsent: bytearray) -> None:
        # Set before sending: if an interrupt comes right after the last byte, the server may have the whole command.
        command.is_sent = True
        try:
            self._write(unsent)
        except OSError:
            command.is_sent = False
            raise

    def _may_go_ahead(self, command: Command) -> bool:
        """Whether a literal of this command may be sent before the server asks for it.

        This is so for messages only. Dovecot 2.3 may refuse the text before such a literal, for example if it does not
        accept the command in this state. It then takes the literal for commands.
        """
        return command.name == b"APPEND" and self._exchange.state in ("AUTH", "SELECTED")

    def _is_literal_wanted(self, command: Command) -> bool:
        """Wait for the server's continuation request. False if it refuses the command instead."""
        exchange = self._exchange
        while command.reply is None:
            exchange.read(None)
            if exchange.continuation is not None:
                exchange.continuation = None
                return True
        if command.reply.status == "OK":
            raise ProtocolAbortError("the server answered OK before it received the whole command")
        return False

    def _add_literal(self, unsent: bytearray, data: bytes, is_logged: bool) -> None:
        """Add a literal to the data that is sent next, or send it now if it is large."""
        if is_logged:
            protocol_log.sent_literal(data)
        if len(data) > MAX_COPIED:
            self._write_out(unsent)
            self._write(data)
        else:
            unsent += data

    def _stream(self, literal: StreamedLiteral, is_logged: bool) -> None:
        """Send a literal while its bytes are made.

        This runs the caller's code, which must not send commands meanwhile.
        """
        if is_logged:
            protocol_log.sent(b"<%d bytes that are streamed>" % literal.size)
        self._is_streaming = True
        try:
            for piece in self._from_source(literal.pieces):
                self._write(piece)
        finally:
            self._is_streaming = False

    def _from_source(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces. An OSError that they raise is noted as an error of a file, not of the connection."""
        try:
            yield from pieces
        except OSError as error:
            self._exchange.source_error = error
            raise

    def _respond(self, command: Command) -> None:
        """Send the command's answer to a continuation request."""
        exchange = self._exchange
        text, exchange.continuation = exchange.continuation or b"", None
        if command.respond is None:
            # The server may repeat a secret in it, in base64.
            shown = None if command.secrets else text[:80]
            raise ProtocolAbortError("a continuation request that no command waits for", None, shown)
        if exchange.is_logged:
            protocol_log.sent_secretly(b"+")
        response = command.respond(text)
        self._write(response + b"\r\n")

    # -- bytes

    def _write_out(self, unsent: bytearray) -> None:
        self._write(unsent)
        unsent.clear()

    def _write(self, data: bytes | bytearray) -> None:
        exchange = self._exchange
        view = memoryview(bytes(data))
        try:
            # If another command is in flight, the server may stop reading until its responses are read.
            while len(exchange.in_flight) > 1 and view:
                sent = exchange.transport.send_now(view[:SEND_SIZE])
                view = view[sent:]
                if not sent:
                    exchange.read(None)
            if view:
                exchange.transport.sendall(view, exchange.timeout.read)
        except OSError as error:
            if not is_timeout(error):
                self._read_bye()
            raise

    def _read_bye(self) -> None:
        """Read the last responses after the server closed the connection. Raises ConnectionAbortError for its BYE."""
        exchange = self._exchange
        now = Deadline(0)
        try:
            while True:
                exchange.read(now)
        except (OSError, IMAPClientError):
            if exchange.bye is not None:
                raise
