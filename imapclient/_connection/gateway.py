"""The connection: thin subclasses of imaplib's classes, and the exchange of commands and responses over them.

The only module that imports imaplib for more than its exception classes. What it uses of imaplib beyond the hooks
that its manual lists (open, read, readline, send, shutdown):

- ``_connect``: overridden. imaplib's asks for the capabilities even where the greeting has told them, and takes a
  greeting that ends in ``{5}`` for a literal.
- ``_get_capabilities``: overridden, since imaplib's own ``starttls`` and ``_connect`` would go past our exchange.
- ``_new_tag``: called, so that our commands and those of imaplib's methods (which users reach through
  ``client._imap``) share one series of tags.
- ``tagged_commands``: our tags are taken out of it again, since imaplib only ever adds.
- ``tagpre``, ``tagre``, ``_cmd_log*``, ``_tls_established``, ``is_readonly``, ``state``, ``welcome``, ``capabilities``,
  ``PROTOCOL_VERSION``: set, because imaplib's methods read them.

An exchange, from the first byte sent to the tagged response, runs under one lock. Whatever exception gets out of it
(timeout, interrupt, broken framing) makes the connection unusable, for nobody knows then which response comes next.
Each later call says so at once, with the first cause chained.
"""

from __future__ import annotations

import contextlib
import imaplib
import random
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from .._parsing.records import DEFAULT_LIMITS, RESPONSE_COST, BulkReader, Limits, Record
from .._parsing.response_codes import parse_response_text
from .._parsing.responses import TAGGED, UNTAGGED, Tagged, Untagged, readable
from .._wire import waiting
from .._wire.compression import DeflateTransport
from .._wire.pipes import PipeTransport, spawn
from .._wire.sockets import (
    NO_TIMEOUT,
    Address,
    SocketTimeout,
    SocketTransport,
    Timeout,
    Transport,
    as_socket_timeout,
    open_connection,
    resolve,
)
from .._wire.tls import create_default_context, wrap_within
from .._wire.waiting import Deadline
from ..exceptions import (
    CommandError,
    ConnectionAbortError,
    IllegalStateError,
    IMAPClientAbortError,
    LimitError,
    ProtocolAbortError,
    ProtocolError,
    ResponseCode,
    ServerWords,
)
from . import protocol_log
from .capabilities import CapabilityState
from .exchange import Command, UnsolicitedQueue
from .failures import mapped
from .idle import IdleExchange
from .reader import Reader
from .redaction import Secrets
from .sending import SendExchange

# What is said about the connection itself, whoever asked.
_ABOUT_CONNECTION = frozenset((b"OK", b"BYE", b"CAPABILITY", b"ENABLED", b"EXPUNGE", b"VANISHED"))


def _bye(text: bytes, message: str) -> ConnectionAbortError:
    error = ConnectionAbortError(f"{message}: {readable(text)}")
    error.status = "BYE"
    error.code, human = parse_response_text(text)
    error.text = readable(human)
    return error


class WireMixin(CapabilityState, SendExchange, IdleExchange, imaplib.IMAP4):
    """What our three connection classes share. It replaces imaplib's hooks and owns the reader."""

    def _prepare(self, timeout: SocketTimeout, limits: Limits) -> None:
        """Must be called before imaplib's constructor, which connects."""
        self.socket_timeout = timeout
        self.limits = limits
        self.unsolicited = UnsolicitedQueue()
        # Whether the exchange is logged: asked once for each command.
        self._logging = False
        self._lock = waiting.reentrant_lock()
        self._in_flight: dict[bytes, Command] = {}
        # How much was told since the last command was sent, or since the caller of an IDLE last got something.
        self._received_size = 0
        self._continuation: bytes | None = None
        self._broken: BaseException | None = None
        self._bye: bytes | None = None
        #: What must not be shown even after the login that it served.
        self.secrets = Secrets()
        #: Whether all that is sent and received is compressed.
        self.is_compressed = False
        #: Which folder is selected: equal as long as UIDs mean the same messages. None where none is selected.
        self.selection: object = None
        #: Counts whenever sequence numbers may have come to mean other messages.
        self.renumberings = 0
        self._prepare_capabilities()
        self._prepare_idle()
        self._prepare_sending()

    # -- imaplib's hooks

    def open(
        self,
        host: str | None = None,
        port: int | None = None,
        timeout: float | None = None,
    ) -> None:
        """Connect. Raises what connecting raises: OSError, socket.gaierror, ssl.SSLError, socket.timeout."""
        self.host = host or ""
        self.port = port or 0
        self._use_transport(self._open_transport())

    def _open_transport(self) -> Transport:
        addresses = resolve(self.host, self.port)
        self.sock = self._connect_to(addresses, Deadline(self.socket_timeout.connect))
        return SocketTransport(self.sock)

    def _connect_to(self, addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
        return open_connection(addresses, deadline)

    def _use_transport(self, transport: Transport) -> None:
        self._transport = transport
        self._reader = Reader(transport, self.limits, self.socket_timeout.read)

    def replace_transport(self, transport: Transport) -> None:
        """Go on over another transport: TLS, compression. Nothing may be buffered from the old one."""
        with self._lock, self._exchange():
            self._reader.replace_transport(transport)
            self._transport = transport

    def read(self, size: int) -> bytes:
        self.check_usable()
        return self._reader.read_literal(size)

    def readline(self) -> bytes:
        self.check_usable()
        return self._reader.read_line() + b"\r\n"

    def send(self, data: Any) -> None:
        self.check_usable()
        self._transport.sendall(bytes(data), self.socket_timeout.read)

    def shutdown(self) -> None:
        """Close the connection. Never raises."""
        self.state = "LOGOUT"
        if self._broken is None:
            self._broken = IllegalStateError("the connection was closed")
        transport = getattr(self, "_transport", None)
        if transport is not None:
            transport.close()

    def _connect(self) -> None:
        prefix: bytes = imaplib.Int2AP(random.randint(4096, 65535))
        tagged = rb"(?P<tag>" + prefix + rb"\d+) (?P<type>[A-Z]+) (?P<data>.*)"
        # Not by assignment: the type stubs of imaplib say str for what is bytes.
        vars(self).update(tagpre=prefix, tagre=re.compile(tagged, re.ASCII))
        self._cmd_log_len = 10
        self._cmd_log_idx = 0
        self._cmd_log: dict[int, Any] = {}
        self.PROTOCOL_VERSION = "IMAP4REV1"
        if not hasattr(self, "_reader"):
            # A subclass of a user's has overridden open(), which imaplib's manual allows, and set the socket.
            self._use_transport(SocketTransport(self.sock))
        try:
            with self._exchange():
                self._read_greeting()
                if isinstance(self._transport, SocketTransport):
                    # Not what the greeting has left of it: programs look at this.
                    self.sock.settimeout(self.socket_timeout.read)
        except BaseException:
            # imaplib's constructor does so for Exception only.
            self.shutdown()
            raise

    def login(self, user: str, password: str) -> Any:
        """imaplib's own. What the server can do is asked for anew after it."""
        answer = super().login(user, password)
        self.forget_capabilities()
        return answer

    def authenticate(self, mechanism: str, authobject: Any) -> Any:
        """imaplib's own, see `login`."""
        answer = super().authenticate(mechanism, authobject)
        self.forget_capabilities()
        return answer

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """imaplib's own would put TLS on a socket that our reader does not read from."""
        return "OK", [self.start_tls(ssl_context).text]

    def _get_capabilities(self) -> None:
        self.fetch_capabilities()

    def _read_greeting(self) -> None:
        line, records = self._reader.read_response(Deadline(self.socket_timeout.read))
        if protocol_log.is_on():
            protocol_log.received(line, records, self.secrets)
        match = UNTAGGED.match(line)
        name = match.group(2).upper() if match else b""
        if match is None or name not in (b"OK", b"PREAUTH", b"BYE"):
            raise ProtocolAbortError("not an IMAP greeting", 0, line[:80])
        self.welcome = line
        code, _human = parse_response_text(line[match.end() :])
        if name == b"BYE":
            raise _bye(line[match.end() :], "the server refuses the connection")
        self._learn_from_code(code)
        self._note_alert(code, name, line, match.end())
        self.state = "AUTH" if name == b"PREAUTH" else "NONAUTH"

    # -- the state of the connection

    @property
    def is_usable(self) -> bool:
        """Whether commands can be sent."""
        return self._broken is None

    @property
    def is_tls(self) -> bool:
        """Whether the connection is protected by TLS."""
        return isinstance(self.sock, ssl.SSLSocket)

    @property
    def is_compressed_by_tls(self) -> bool:
        """Whether TLS compresses, which leaves nothing for COMPRESS (RFC 4978, 3)."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.compression() is not None

    def check_usable(self) -> None:
        """Raise the ConnectionAbortError of a connection that can't be used any more, its cause chained."""
        if self._broken is not None:
            error = ConnectionAbortError(
                "the connection can't be used any more: %s" % (str(self._broken) or type(self._broken).__name__)
            )
            if isinstance(self._broken, ConnectionAbortError):
                # The server's BYE, which in IDLE may have come with responses that were handed out first.
                error.status, error.code, error.text = self._broken.status, self._broken.code, self._broken.text
            raise error from self._broken

    def _check_idle(self) -> None:
        if self._idling is not None:
            self.check_usable()
            raise IllegalStateError("the connection is in IDLE: call idle_done() first")

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[None]:
        """Within the lock, on a usable connection; what gets out makes it unusable.

        It does not take the lock itself: Ctrl-C may keep a context manager that is written in Python from its end.
        """
        self.check_usable()
        try:
            yield
        except OSError as error:
            failed = self._fail(error)
            if failed is error:
                raise
            raise failed from error
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> BaseException:
        """Make the connection unusable. Returns the error as it is to be raised."""
        self.secrets.hide(error)
        self._broken = mapped(error) if isinstance(error, OSError) and error is not self._of_source else error
        if isinstance(self._broken, ServerWords) and self._in_flight:
            # The oldest is the one that is waited for.
            running = next(iter(self._in_flight.values()))
            self._broken.command = self._broken.command or running.name.decode("ascii")
        return self._broken

    # -- commands

    def execute(self, command: Command, deadline: Deadline | None = None) -> Tagged:
        """Send a command and read until its tagged response, handing over each untagged one as it arrives.

        Raises CommandError for NO and BAD, and ProtocolError where a response could not be parsed: the connection is
        usable after both. Anything else that goes wrong leaves it unusable.
        """
        self._check_idle()
        with self._lock:
            self.start(command)
            return self.finish(command, deadline)

    def _next_tag(self) -> bytes:
        tag: bytes = self._new_tag()
        self.tagged_commands.pop(tag, None)
        return tag

    def finish(self, command: Command, deadline: Deadline | None = None) -> Tagged:
        """Read until the tagged response of a command that was started."""
        with self._lock:
            if command.reply is None:
                with self._exchange():
                    while command.reply is None:
                        if command.handlers.bulk is not None:
                            self._offer(command, command.handlers.bulk)
                        self._read(deadline)
                        if self._continuation is not None:
                            self._respond(command)
                    self._reader.let_go()
            reply = command.reply
            if reply.status != "OK":
                raise self.secrets.hide(reply.error(command.name))
            if command.error is not None:
                raise self.secrets.hide(reply.unread(command.name, command.error))
            return reply

    def _offer(self, command: Command, bulk: BulkReader) -> None:
        """Offer the buffer to a command's bulk reader, if nobody else may see a response before its handlers."""
        if not self._logging and self.observed is None and next(iter(self._in_flight.values())) is command:
            self._received_size += self._reader.offer(bulk, self.limits.command_size - self._received_size)

    # -- responses

    def _read(self, deadline: Deadline | None) -> None:
        """Read one response and hand it to where it belongs."""
        line, records = self._reader.read_response(deadline)
        if self._logging:
            self._log_received(line, records)
        if line[:1] == b"*":
            match = UNTAGGED.match(line)
            if match is None:
                raise ProtocolAbortError("not a response", 0, line[:80])
            number, name = match.groups()
            number = None if number is None else int(number)
            self._dispatch(Untagged(name.upper(), number, line, match.end(), records))
        elif line[:1] == b"+":
            self._continuation = line[1:].lstrip(b" ")
        else:
            self._complete(line)

    def _log_received(self, line: bytes, records: list[Record] | None) -> None:
        if line[:1] == b"+" and any(command.secrets for command in self._in_flight.values()):
            protocol_log.received_secretly(b"+")
        else:
            protocol_log.received(line, records, self.secrets)

    def _dispatch(self, response: Untagged) -> None:
        name = response.name
        self._received_size += response.size + RESPONSE_COST
        if self._received_size > self.limits.command_size:
            raise LimitError("max_command_size", self.limits.command_size, "what the server tells at one command")
        if name in _ABOUT_CONNECTION:
            self._notice(response)
        if self.observed is not None:
            self._observe(response, False)
        for command in self._in_flight.values():
            handler = command.handlers.get(name) or command.handlers.get(b"*")
            if handler is not None:
                try:
                    if handler(response) is not False:
                        return
                except ProtocolAbortError:
                    raise
                except ProtocolError as error:
                    # The stream is in step all the same: go on to the end of the command, then say it.
                    command.error = command.error or error
                    return
                except (ValueError, TypeError, LookupError) as error:
                    # No value that a server sends may do this; if one does, the connection is none the worse.
                    problem = ProtocolError("a response can't be read", context=response.line[:80])
                    problem.__cause__ = error
                    command.error = command.error or problem
                    return
        if name != b"CAPABILITY":
            self.unsolicited.append(response)
            self._observe(response, True)

    def _notice(self, response: Untagged) -> None:
        if response.name == b"CAPABILITY":
            self._learn_capabilities(response.text.split())
        elif response.name == b"ENABLED":
            self._learn_enabled(response.text.split())
        elif response.name in (b"EXPUNGE", b"VANISHED"):
            # What vanished earlier has no number by now (RFC 7162, 3.2.10.1).
            self.renumberings += not response.text.upper().startswith(b"(EARLIER)")
        elif response.name == b"BYE":
            self._bye = response.text
            if not any(command.name == b"LOGOUT" for command in self._in_flight.values()):
                raise _bye(response.text, "the server ends the connection")
        elif response.text[:12].upper() == b"[CAPABILITY ":
            self._learn_from_code(parse_response_text(response.text)[0])

    def _complete(self, line: bytes) -> None:
        match = TAGGED.match(line)
        command = None
        if match is not None:
            tag, status, text = match.groups(b"")
            command = self._in_flight.pop(tag.upper(), None)
        if match is None or command is None:
            raise ProtocolAbortError("not a response to anything that was sent", 0, line[:80])
        code, human = parse_response_text(text)
        self._learn_from_code(code)
        self._note_alert(code, status.upper(), line, match.start(3))
        command.reply = Tagged(status.decode("ascii").upper(), text, code, human)

    def _note_alert(self, code: ResponseCode | None, status: bytes, line: bytes, start: int) -> None:
        """RFC 9051, 7.1: the user must see it, and few callers look at the text of an OK."""
        if code is not None and code[0] == b"ALERT":
            self.unsolicited.append(Untagged(status, None, line, start, None))

    # -- changes of state

    def selected(self, readonly: bool, selection: object) -> None:
        """Note that a folder is selected, for imaplib's own methods too."""
        self.selection = selection
        self.renumberings += 1
        self.state = "SELECTED"
        self.is_readonly = readonly

    def unselected(self) -> None:
        """Note that no folder is selected any more."""
        self.selection = None
        if self.state == "SELECTED":
            self.state = "AUTH"

    def log_in(self, command: Command) -> Tagged:
        """Send a command that logs in. What the server can do is learnt anew, from its answer if that tells."""
        with self._lock:
            known, self.capabilities_known = self.capabilities_known, False
            try:
                reply = self.execute(command)
            except CommandError:
                self.capabilities_known = self.capabilities_known or known
                raise
            if not self.capabilities_known:
                self.forget_capabilities()
            self.state = "AUTH"
            return reply

    # -- TLS, the end

    def start_tls(self, ssl_context: ssl.SSLContext | None) -> Tagged:
        """Send STARTTLS and go on over TLS (RFC 9051, 6.2.1). What was heard in the clear is forgotten."""
        with self._lock:
            reply = self.execute(Command(b"STARTTLS"))
            with self._exchange():
                if not self._reader.is_clean:
                    self._transport.close()
                    self._reader.replace_transport(self._transport)
                self.sock = wrap_within(self.sock, ssl_context, self.host, Deadline(self.socket_timeout.connect))
                self._transport = SocketTransport(self.sock)
                self._reader.replace_transport(self._transport)
            self._tls_established = True
            self.unsolicited.clear()
            self.forget_capabilities()
            return reply

    def start_compression(self) -> Tagged:
        """Send COMPRESS DEFLATE and go on compressed (RFC 4978, 3).

        Unlike what follows STARTTLS in the clear, what follows the answer is the server's own, and compressed already.
        """
        with self._lock:
            if self.is_compressed:
                raise IllegalStateError("the connection is compressed already")
            reply = self.execute(Command(b"COMPRESS", [b"DEFLATE"]))
            with self._exchange():
                self._transport = DeflateTransport(self._transport, self._reader.take_rest())
                self._reader.replace_transport(self._transport)
            self.is_compressed = True
            return reply

    def end(self) -> bytes:
        """Send LOGOUT, read the server's BYE, and close the connection whatever happens. Returns the BYE's text."""
        self._bye = None
        try:
            if self.is_idle:
                self.finish_idle(list)
            reply = self.execute(Command(b"LOGOUT"))
            return reply.text if self._bye is None else self._bye
        except IMAPClientAbortError:
            # Servers that close the connection right after their BYE.
            if self._bye is None:
                raise
            return self._bye
        finally:
            self.shutdown()


class IMAP4(WireMixin):
    """A plain connection: `imaplib.IMAP4` with our exchange."""

    def __init__(
        self,
        host: str,
        port: int = 143,
        timeout: SocketTimeout = NO_TIMEOUT,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._prepare(timeout, limits)
        super().__init__(host, port)


IMAP4.__module__ = "imapclient.imap4"


class IMAP4_TLS(WireMixin, imaplib.IMAP4_SSL):
    """A connection over TLS from the start: `imaplib.IMAP4_SSL` with our exchange.

    ``ssl_context`` None means `create_default_context()`, which verifies.
    """

    def __init__(
        self,
        host: str,
        port: int = 993,
        ssl_context: ssl.SSLContext | None = None,
        timeout: Timeout = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._prepare(as_socket_timeout(timeout), limits)
        super().__init__(host, port, ssl_context=ssl_context or create_default_context())

    def _connect_to(self, addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
        sock = super()._connect_to(addresses, deadline)
        return wrap_within(sock, self.ssl_context, self.host, deadline)


IMAP4_TLS.__module__ = "imapclient.tls"


class IMAP4_Stream(WireMixin, imaplib.IMAP4_stream):
    """A connection over the standard input and output of a command: `imaplib.IMAP4_stream` with our exchange."""

    def __init__(
        self,
        command: str,
        timeout: SocketTimeout = NO_TIMEOUT,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._prepare(timeout, limits)
        super().__init__(command)

    def _open_transport(self) -> Transport:
        self.process = spawn(self.command)
        # For selectors. No socket, but it has a fileno().
        vars(self)["sock"] = self.process.stdout
        return PipeTransport(self.process)


IMAP4_Stream.__module__ = "imapclient.imap4"
