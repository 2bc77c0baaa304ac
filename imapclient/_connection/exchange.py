"""The exchange: commands in flight, and the responses that are read and dispatched while they run.

An exchange lasts from the first byte sent to the tagged response, and runs under one lock. Any exception that leaves it
makes the connection unusable (timeout, interrupt, broken framing), because the next response is then unknown. Each
later call raises at once, with the first cause chained.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Callable

from .._arguments.command import Argument
from .._parsing.records import RESPONSE_COST, BulkReader, Limits, Record
from .._parsing.response_codes import parse_response_text
from .._parsing.responses import TAGGED, UNTAGGED, Handler, Handlers, Tagged, Untagged, readable
from .._wire import waiting
from .._wire.sockets import SocketTimeout, Transport
from .._wire.waiting import Deadline
from ..exceptions import (
    ConnectionAbortError,
    LimitError,
    ProtocolAbortError,
    ProtocolError,
    ResponseCode,
    ServerWords,
)
from . import protocol_log
from .capabilities import Capabilities
from .queues import AwaitedQueue, UnsolicitedQueue
from .reader import Reader
from .redaction import Secrets

# Responses about the connection itself, whichever command runs.
_ABOUT_CONNECTION = frozenset((b"OK", b"BYE", b"CAPABILITY", b"ENABLED", b"EXPUNGE", b"VANISHED"))
_ABOUT_MESSAGES = frozenset((b"EXISTS", b"EXPUNGE", b"VANISHED"))


class Command:
    """A command, and its reply once it is finished.

    ``handlers`` are `Handlers`, or a plain mapping of the same shape. ``respond`` gets the text of each continuation
    request and returns the line to send. ``secrets`` are never logged. If there are any, the log shows neither what the
    command sends nor the continuation requests. ``reply`` is the tagged response. ``error`` is about the first response
    that could not be parsed.
    """

    __slots__ = ("arguments", "error", "handlers", "is_sent", "name", "reply", "respond", "secrets", "tag")

    def __init__(
        self,
        name: bytes,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        *,
        respond: Callable[[bytes], bytes] | None = None,
        secrets: tuple[bytes, ...] = (),
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.handlers = handlers if isinstance(handlers, Handlers) else Handlers(handlers or {})
        self.respond = respond
        self.secrets = secrets
        self.tag = b""
        # Whether all of it was passed to the system for sending.
        self.is_sent = False
        self.reply: Tagged | None = None
        self.error: ProtocolError | None = None


class Exchange:
    """The state that the parts of a connection share. Reads responses and dispatches them to their handlers."""

    transport: Transport
    reader: Reader

    def __init__(self, limits: Limits, timeout: SocketTimeout, capabilities: Capabilities) -> None:
        self.limits = limits
        self.timeout = timeout
        self.capabilities = capabilities
        self.lock = waiting.reentrant_lock()
        # imaplib's: NONAUTH, AUTH, SELECTED or LOGOUT.
        self.state = "LOGOUT"
        self.secrets = Secrets()
        # By their tags, in the order in which they were sent.
        self.in_flight: dict[bytes, Command] = {}
        # How many bytes were received since the last command was sent, or since `poll_idle` last returned.
        self.received_size = 0
        # The text of a continuation request that is not answered yet.
        self.continuation: bytes | None = None
        # Whether the exchange is logged: looked up once for each command.
        self.is_logged = False
        # The error that made the connection unusable, and the text of the server's BYE.
        self.failure: BaseException | None = None
        self.bye: bytes | None = None
        # An error that the caller's source of a literal raised. It is no error of the connection.
        self.source_error: OSError | None = None
        self.unsolicited = UnsolicitedQueue()
        # Changes of the selected folder that arrived during any command. None if the folder is not watched.
        self.observed: AwaitedQueue | None = None
        # Increases when sequence numbers may have begun to mean other messages.
        self.renumberings = 0
        self.tag_prefix = b"A"
        self._tag_numbers = count()

    def next_tag(self) -> bytes:
        """A tag that this connection has not used: ``b'BKDF7'``."""
        return b"%s%d" % (self.tag_prefix, next(self._tag_numbers))

    # -- the transport

    def use_transport(self, transport: Transport) -> None:
        """Use a connected transport, with a new reader."""
        self.transport = transport
        self.reader = Reader(transport, self.limits, self.timeout.read)

    def replace_transport(self, transport: Transport) -> None:
        """Go on over another transport. Raises ProtocolAbortError if data of the old one is left in the buffer."""
        self.reader.replace_transport(transport)
        self.transport = transport

    # -- usable or not

    def check_usable(self) -> None:
        """Raise ConnectionAbortError if the connection is unusable, with the cause chained."""
        if self.failure is not None:
            error = ConnectionAbortError(
                "the connection can't be used any more: %s" % (str(self.failure) or type(self.failure).__name__)
            )
            if isinstance(self.failure, ConnectionAbortError):
                # From the server's BYE. After IDLE, this may be the first error that the caller gets.
                error.status, error.code, error.text = self.failure.status, self.failure.code, self.failure.text
            raise error from self.failure

    @contextlib.contextmanager
    def unusable_on_error(self) -> Iterator[None]:
        """Check that the connection is usable. Any exception of the body makes it unusable.

        The caller must hold the lock. This method does not take it: Ctrl-C may stop a context manager that is written
        in Python before it releases a lock.
        """
        self.check_usable()
        try:
            yield
        except OSError as error:
            failure = self.fail(error)
            if failure is error:
                raise
            raise failure from error
        except BaseException as error:
            self.fail(error)
            raise

    def fail(self, error: BaseException) -> BaseException:
        """Make the connection unusable. Returns the error to raise: the same one, or that of `as_abort_error`."""
        self.secrets.hide(error)
        self.failure = error
        if isinstance(error, OSError) and error is not self.source_error:
            # Imported here, because few connections fail.
            from .failures import as_abort_error

            self.failure = as_abort_error(error)
        if isinstance(self.failure, ServerWords) and self.in_flight:
            # The caller waits for the oldest one.
            running = next(iter(self.in_flight.values()))
            self.failure.command = self.failure.command or running.name.decode("ascii")
        return self.failure

    # -- responses

    def read_greeting(self) -> bytes:
        """Read the server's greeting. Returns its line: ``b'* OK [CAPABILITY IMAP4rev1] ready'``.

        Raises ConnectionAbortError for BYE, and ProtocolAbortError if it is not a greeting.
        """
        line, records = self.reader.read_response(Deadline(self.timeout.read))
        if protocol_log.is_on():
            protocol_log.received(line, records, self.secrets)
        match = UNTAGGED.match(line)
        name = match.group(2).upper() if match else b""
        if match is None or name not in (b"OK", b"PREAUTH", b"BYE"):
            raise ProtocolAbortError("not an IMAP greeting", 0, line[:80])
        text = line[match.end() :]
        if name == b"BYE":
            raise _bye_error(text, "the server refuses the connection")
        code, _human = parse_response_text(text)
        self.capabilities.learn_from_code(code)
        self._queue_alert(code, name, line, match.end())
        self.state = "AUTH" if name == b"PREAUTH" else "NONAUTH"
        return line

    def offer(self, command: Command, bulk: BulkReader) -> None:
        """Offer the buffer to a command's bulk reader.

        Does nothing if the exchange is logged, a folder is watched, or an older command is in flight. Each response is
        then needed by itself.
        """
        if not self.is_logged and self.observed is None and next(iter(self.in_flight.values())) is command:
            self.received_size += self.reader.offer(bulk, self.limits.command_size - self.received_size)

    def read(self, deadline: Deadline | None) -> None:
        """Read one response and dispatch it: to a handler, to the command that it ends, or to ``continuation``."""
        line, records = self.reader.read_response(deadline)
        if self.is_logged:
            self._log_received(line, records)
        if line[:1] == b"*":
            match = UNTAGGED.match(line)
            if match is None:
                raise ProtocolAbortError("not a response", 0, line[:80])
            number, name = match.groups()
            number = None if number is None else int(number)
            self._dispatch(Untagged(name.upper(), number, line, match.end(), records))
        elif line[:1] == b"+":
            self.continuation = line[1:].lstrip(b" ")
        else:
            self._complete(line)

    def _log_received(self, line: bytes, records: list[Record] | None) -> None:
        if line[:1] == b"+" and any(command.secrets for command in self.in_flight.values()):
            protocol_log.received_secretly(b"+")
        else:
            protocol_log.received(line, records, self.secrets)

    def _dispatch(self, response: Untagged) -> None:
        """Pass a response to the first command in flight that has a handler for it and accepts it."""
        name = response.name
        self.received_size += response.size + RESPONSE_COST
        if self.received_size > self.limits.command_size:
            raise LimitError("max_command_size", self.limits.command_size, "the size of the responses to one command")
        if name in _ABOUT_CONNECTION:
            self._notice(response)
        if self.observed is not None:
            self._observe(response, is_unsolicited=False)
        for command in self.in_flight.values():
            handler = command.handlers.get(name) or command.handlers.get(b"*")
            if handler is not None:
                try:
                    if handler(response) is not False:
                        return
                except ProtocolAbortError:
                    raise
                except ProtocolError as error:
                    # The framing is intact: read to the end of the command, then raise.
                    command.error = command.error or error
                    return
                except (ValueError, TypeError, LookupError) as error:
                    # A defect of our own: parsing should never raise these. The framing is intact here too.
                    problem = ProtocolError("a response can't be read", context=response.line[:80])
                    problem.__cause__ = error
                    command.error = command.error or problem
                    return
        if name != b"CAPABILITY":
            self.unsolicited.append(response)
            self._observe(response, is_unsolicited=True)

    def _notice(self, response: Untagged) -> None:
        """Update the state from a response about the connection. Raises ConnectionAbortError for BYE before LOGOUT."""
        if response.name == b"CAPABILITY":
            self.capabilities.learn(response.text.split())
        elif response.name == b"ENABLED":
            self.capabilities.learn_enabled(response.text.split())
        elif response.name in (b"EXPUNGE", b"VANISHED"):
            # Messages that vanished earlier have no sequence number any more (RFC 7162, 3.2.10.1).
            self.renumberings += not response.text.upper().startswith(b"(EARLIER)")
        elif response.name == b"BYE":
            self.bye = response.text
            if not any(command.name == b"LOGOUT" for command in self.in_flight.values()):
                raise _bye_error(response.text, "the server ends the connection")
        elif response.text[:12].upper() == b"[CAPABILITY ":
            self.capabilities.learn_from_code(parse_response_text(response.text)[0])

    def _observe(self, response: Untagged, *, is_unsolicited: bool) -> None:
        """Keep a change of the selected folder for `watch`.

        A FETCH that answers a command is not a change. It is an answer if the FETCH handler of a command in flight
        accepts it.
        """
        if self.observed is None:
            return
        if response.name == b"FETCH":
            if is_unsolicited == any(b"FETCH" in command.handlers for command in self.in_flight.values()):
                self.observed.append(response)
        elif not is_unsolicited and response.name in _ABOUT_MESSAGES:
            self.observed.append(response)

    def _complete(self, line: bytes) -> None:
        """End the command that a tagged response belongs to."""
        match = TAGGED.match(line)
        command = None
        if match is not None:
            tag, status, text = match.groups(b"")
            command = self.in_flight.pop(tag.upper(), None)
        if match is None or command is None:
            raise ProtocolAbortError("not a response to any command that was sent", 0, line[:80])
        code, human = parse_response_text(text)
        self.capabilities.learn_from_code(code)
        self._queue_alert(code, status.upper(), line, match.start(3))
        command.reply = Tagged(status.decode("ascii").upper(), text, code, human)

    def _queue_alert(self, code: ResponseCode | None, status: bytes, line: bytes, start: int) -> None:
        """Queue an ALERT as unsolicited: the user must see it (RFC 9051, 7.1), and few callers read the text of OK."""
        if code is not None and code[0] == b"ALERT":
            self.unsolicited.append(Untagged(status, None, line, start, None))


def _bye_error(text: bytes, message: str) -> ConnectionAbortError:
    error = ConnectionAbortError(f"{message}: {readable(text)}")
    error.status = "BYE"
    error.code, human = parse_response_text(text)
    error.text = readable(human)
    return error
