"""The connection: imaplib's classes with an exchange of our own, made of parts.

The parts are `Capabilities`, `Exchange` (with the `Reader` and the transport), `Sender` and `IdleExchange`.
`Connection` puts them together. imaplib's own methods work on it too, because users call them on ``client._imap``.

No other module imports imaplib, except `exceptions` for three classes. Beyond the hooks that imaplib's manual lists
(open, read, readline, send, shutdown) it needs these names:

- ``_connect``: overridden. imaplib's own always sends CAPABILITY, even if the greeting has reported the capabilities.
  It also takes ``{5}`` at the end of a greeting for a literal.
- ``_get_capabilities``: overridden, because imaplib's own ``starttls`` and ``_connect`` would bypass our exchange.
- ``_new_tag`` and ``tagged_commands``: overridden and set, so that imaplib's methods take their tags from our series.
- ``tagpre``, ``tagre``, ``_cmd_log*``, ``_tls_established``, ``is_readonly``, ``state``, ``welcome``, ``capabilities``,
  ``PROTOCOL_VERSION``: set, because imaplib's methods read them.
- ``Int2AP``: called for the prefix of the tags, as imaplib does.
"""

from __future__ import annotations

import imaplib
import random
import re
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from .._parsing.records import DEFAULT_LIMITS, Limits
from .._parsing.responses import Tagged, Untagged
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
from .._wire.waiting import Deadline, Lock
from ..exceptions import CommandError, IllegalStateError, IMAPClientAbortError, ProtocolAbortError

if TYPE_CHECKING:
    from .exchange import Command, Exchange

T = TypeVar("T")


class _PartAttribute:
    """An attribute of the connection that one of its parts holds.

    It can be deleted, because `unittest.mock.patch` deletes an attribute before it sets the original again.
    """

    def __init__(self, part: str, name: str) -> None:
        self._part = part
        self._name = name

    def __get__(self, connection: object, owner: type | None = None) -> Any:
        if connection is None:
            raise AttributeError(self._name)
        return getattr(getattr(connection, self._part), self._name)

    def __set__(self, connection: object, value: Any) -> None:
        setattr(getattr(connection, self._part), self._name, value)

    def __delete__(self, connection: object) -> None:
        delattr(getattr(connection, self._part), self._name)


class Connection(imaplib.IMAP4):
    """The base of our three connection classes: the parts, and imaplib's hooks."""

    def _prepare(self, timeout: SocketTimeout, limits: Limits) -> None:
        """Make the parts. imaplib's constructor, which connects, needs them."""
        # Imported here, because only an open connection needs them.
        from .capabilities import Capabilities
        from .idle import IdleExchange
        from .sending import Sender

        self._capabilities = Capabilities()
        self._exchange = self._exchange_class()(limits, timeout, self._capabilities)
        self._sender = Sender(self._exchange)
        self._idle = IdleExchange(self._exchange, self._sender)
        self.limits = limits
        self.socket_timeout = timeout
        #: Hidden in logs and errors, even after the login.
        self.secrets = self._exchange.secrets
        self.unsolicited = self._exchange.unsolicited
        #: Whether all that is sent and received is compressed.
        self.is_compressed = False
        #: None if no folder is selected. Otherwise, two equal values show that UIDs mean the same messages.
        self.selection: object = None

    def _exchange_class(self) -> type[Exchange]:
        """Overridden by the test client."""
        from .exchange import Exchange

        return Exchange

    # -- imaplib's hooks

    def open(
        self,
        host: str | None = None,
        port: int | None = None,
        timeout: float | None = None,
    ) -> None:
        """Connect. Raises OSError, socket.gaierror, ssl.SSLError or socket.timeout if that fails."""
        self.host = host or ""
        self.port = port or 0
        self._exchange.use_transport(self._open_transport())

    def _open_transport(self) -> Transport:
        addresses = resolve(self.host, self.port)
        self.sock = self._connect_to(addresses, Deadline(self.socket_timeout.connect))
        return SocketTransport(self.sock)

    def _connect_to(self, addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
        return open_connection(addresses, deadline)

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes, for imaplib's methods."""
        self.check_usable()
        return self._exchange.reader.read_literal(size)

    def readline(self) -> bytes:
        """Read a line with its CRLF, for imaplib's methods."""
        self.check_usable()
        return self._exchange.reader.read_line() + b"\r\n"

    def send(self, data: Any) -> None:
        """Send bytes, for imaplib's methods."""
        self.check_usable()
        self._exchange.transport.sendall(bytes(data), self.socket_timeout.read)

    def shutdown(self) -> None:
        """Close the connection. Never raises."""
        self.state = "LOGOUT"
        if self._exchange.failure is None:
            self._exchange.failure = IllegalStateError("the connection was closed")
        transport = getattr(self._exchange, "transport", None)
        if transport is not None:
            transport.close()

    def _connect(self) -> None:
        prefix: bytes = imaplib.Int2AP(random.randint(4096, 65535))
        tagged = rb"(?P<tag>" + prefix + rb"\d+) (?P<type>[A-Z]+) (?P<data>.*)"
        # Not by assignment: the type stubs declare str, but imaplib uses bytes.
        vars(self).update(tagpre=prefix, tagre=re.compile(tagged, re.ASCII))
        self._exchange.tag_prefix = prefix
        self._cmd_log_len = 10
        self._cmd_log_idx = 0
        self._cmd_log: dict[int, Any] = {}
        self.PROTOCOL_VERSION = "IMAP4REV1"
        if not hasattr(self._exchange, "transport"):
            # A user's subclass has overridden open(), as imaplib's manual allows, and set the socket.
            self._exchange.use_transport(SocketTransport(self.sock))
        try:
            with self._exchange.unusable_on_error():
                self.welcome = self._exchange.read_greeting()
                if isinstance(self._exchange.transport, SocketTransport):
                    # Programs read the socket's own timeout. The deadline of the greeting has changed it.
                    self.sock.settimeout(self.socket_timeout.read)
        except BaseException:
            # imaplib's constructor would close the connection only for an Exception.
            self.shutdown()
            raise

    def _new_tag(self) -> Any:
        """A new tag for imaplib's own methods, which look up the response under it."""
        tag = self._exchange.next_tag()
        tagged_commands: dict[Any, Any] = self.tagged_commands
        tagged_commands[tag] = None
        return tag

    def login(self, user: str, password: str) -> Any:
        """Log in with imaplib's own method, and forget the capabilities."""
        answer = super().login(user, password)
        self.forget_capabilities()
        return answer

    def authenticate(self, mechanism: str, authobject: Any) -> Any:
        """Log in with imaplib's own method, and forget the capabilities."""
        answer = super().authenticate(mechanism, authobject)
        self.forget_capabilities()
        return answer

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Send STARTTLS, for imaplib's callers. imaplib's own method would not change the transport of our reader."""
        return "OK", [self.start_tls(ssl_context).text]

    def _get_capabilities(self) -> None:
        self.fetch_capabilities()

    # -- the state of the connection

    #: As imaplib has it: NONAUTH, AUTH, SELECTED or LOGOUT.
    state = _PartAttribute("_exchange", "state")
    #: The server's capabilities in upper case; empty if they are not known.
    capabilities = _PartAttribute("_capabilities", "names")
    #: The extensions that are enabled, in upper case (RFC 5161).
    enabled = _PartAttribute("_capabilities", "enabled")
    #: The extensions for which we sent ENABLE, in upper case.
    may_enable = _PartAttribute("_capabilities", "may_enable")
    #: Changes of the selected folder that arrived during any command. None if the folder is not watched.
    observed = _PartAttribute("_exchange", "observed")
    #: A number that increases when sequence numbers may have begun to mean other messages.
    renumberings = _PartAttribute("_exchange", "renumberings")

    @property
    def is_utf8(self) -> bool:
        """Whether mailbox names and search text are sent in UTF-8 (RFC 6855, 3; RFC 9051, 5.1)."""
        return self._capabilities.is_utf8

    @property
    def is_usable(self) -> bool:
        """Whether commands can be sent."""
        return self._exchange.failure is None

    @property
    def is_idle(self) -> bool:
        """Whether the connection is between `start_idle` and `finish_idle`."""
        return self._idle.is_idle

    @property
    def is_tls(self) -> bool:
        """Whether the connection is protected by TLS."""
        return isinstance(self.sock, ssl.SSLSocket)

    @property
    def is_compressed_by_tls(self) -> bool:
        """Whether TLS compresses, which leaves nothing for COMPRESS (RFC 4978, 3)."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.compression() is not None

    def check_usable(self) -> None:
        """Raise ConnectionAbortError if the connection is unusable, with the cause chained."""
        self._exchange.check_usable()

    # -- commands

    def execute(self, command: Command, deadline: Deadline | None = None) -> Tagged:
        """Send a command and read until its tagged response. Its handlers get each untagged response as it arrives.

        Raises CommandError for NO and BAD, and ProtocolError if a response could not be parsed. The connection is
        usable after both, and unusable after any other error.
        """
        self._idle.check_over()
        with self._exchange.lock:
            self.start(command)
            return self._sender.finish(command, deadline)

    def start(self, command: Command, *, ahead: bool = False) -> int:
        """Send a command and leave it in flight. `finish` must follow, except with ``ahead``. See `Sender.start`."""
        # Before the lock too, which the thread that starts IDLE holds.
        self._idle.check_over()
        with self._exchange.lock:
            self._idle.check_over()
            return self._sender.start(command, ahead=ahead)

    def finish(self, command: Command, deadline: Deadline | None = None) -> Tagged:
        """Read until the tagged response to a command that was started. See `Sender.finish`."""
        return self._sender.finish(command, deadline)

    def execute_all(self, commands: Iterable[Command]) -> None:
        """Run commands, several at once. See `Sender.execute_all`."""
        self._idle.check_over()
        with self._exchange.lock:
            self._idle.check_over()
            self._sender.execute_all(commands)

    def exclusive(self) -> Lock:
        """A context manager for several commands. Commands of other threads wait until its end."""
        return self._exchange.lock

    # -- IDLE

    def start_idle(self) -> None:
        """Send IDLE. See `IdleExchange.start_idle`."""
        self._idle.start_idle()

    def poll_idle(self, timeout: float | None, render: Callable[[Iterable[Untagged]], list[T]]) -> list[T]:
        """Wait for responses in IDLE. See `IdleExchange.poll_idle`."""
        return self._idle.poll_idle(timeout, render)

    def finish_idle(self, render: Callable[[Iterable[Untagged]], list[T]]) -> tuple[Tagged, list[T]]:
        """End IDLE. See `IdleExchange.finish_idle`."""
        return self._idle.finish_idle(render)

    # -- capabilities

    def fetch_capabilities(self) -> tuple[str, ...]:
        """The server's capabilities in upper case: ``('IMAP4REV1', 'IDLE')``. Sends CAPABILITY if they are unknown."""
        # Within the lock: another thread's login forgets them for a moment.
        with self._exchange.lock:
            if not self._capabilities.are_known:
                from .exchange import Command

                self.execute(Command(b"CAPABILITY"))
                self._capabilities.are_known = True
            return self._capabilities.names

    def forget_capabilities(self) -> None:
        """Forget the capabilities: they may have changed (login), or can't be trusted (STARTTLS)."""
        self._capabilities.forget()

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
        """Send a command that logs in. After a login, the capabilities from before it are forgotten."""
        capabilities = self._capabilities
        with self._exchange.lock:
            were_known, capabilities.are_known = capabilities.are_known, False
            try:
                reply = self.execute(command)
            except CommandError:
                capabilities.are_known = capabilities.are_known or were_known
                raise
            if not capabilities.are_known:
                self.forget_capabilities()
            self.state = "AUTH"
            return reply

    def start_tls(self, ssl_context: ssl.SSLContext | None) -> Tagged:
        """Send STARTTLS and go on over TLS (RFC 9051, 6.2.1). Responses from before it are forgotten."""
        from .exchange import Command

        exchange = self._exchange
        with exchange.lock:
            reply = self.execute(Command(b"STARTTLS"))
            with exchange.unusable_on_error():
                try:
                    exchange.reader.check_clean()
                except ProtocolAbortError:
                    exchange.transport.close()
                    raise
                self.sock = wrap_within(self.sock, ssl_context, self.host, Deadline(self.socket_timeout.connect))
                exchange.replace_transport(SocketTransport(self.sock))
            self._tls_established = True
            self.unsolicited.clear()
            self.forget_capabilities()
            return reply

    def start_compression(self) -> Tagged:
        """Send COMPRESS DEFLATE and go on compressed (RFC 4978, 3).

        Data that the server sent right after its response is compressed data, and is read. After STARTTLS it would be
        refused.
        """
        # Imported here, because few connections need it.
        from .._wire.compression import DeflateTransport
        from .exchange import Command

        exchange = self._exchange
        with exchange.lock:
            if self.is_compressed:
                raise IllegalStateError("the connection is compressed already")
            reply = self.execute(Command(b"COMPRESS", [b"DEFLATE"]))
            with exchange.unusable_on_error():
                exchange.replace_transport(DeflateTransport(exchange.transport, exchange.reader.take_rest()))
            self.is_compressed = True
            return reply

    def replace_transport(self, transport: Transport) -> None:
        """Go on over another transport. Raises ProtocolAbortError if data of the old one is left in the buffer."""
        with self._exchange.lock, self._exchange.unusable_on_error():
            self._exchange.replace_transport(transport)

    def end(self) -> bytes:
        """Send LOGOUT, read the server's BYE and return its text. The connection is closed in any case."""
        from .exchange import Command

        exchange = self._exchange
        exchange.bye = None
        try:
            if self.is_idle:
                self.finish_idle(list)
            reply = self.execute(Command(b"LOGOUT"))
            return reply.text if exchange.bye is None else exchange.bye
        except IMAPClientAbortError:
            # Some servers close the connection right after their BYE.
            if exchange.bye is None:
                raise
            return exchange.bye
        finally:
            self.shutdown()


class IMAP4(Connection):
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


class IMAP4_TLS(Connection, imaplib.IMAP4_SSL):
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


class IMAP4_Stream(Connection, imaplib.IMAP4_stream):
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
        # Imported here, because few connections need it.
        from .._wire.pipes import PipeTransport, spawn

        self.process = spawn(self.command)
        # For selectors: the pipe is not a socket, but it also has a fileno().
        vars(self)["sock"] = self.process.stdout
        return PipeTransport(self.process)


IMAP4_Stream.__module__ = "imapclient.imap4"
