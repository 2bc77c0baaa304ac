"""A client for tests, without a connection and without threads. The test scripts the server's replies.

    client = TestableIMAPClient()
    client.script("* SEARCH 1 2 3", "OK Search completed", to="UID SEARCH UNSEEN")
    assert client.search("UNSEEN") == [1, 2, 3]
    client.assert_done()

The client is a real `IMAPClient`, and `_Connection` is a real connection. Only its transport is replaced: a transport
in memory plays the script. ``client._imap`` is a `MockIMAP4` around the connection, because tests that were written for
IMAPClient expect a Mock there.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable
from itertools import count
from typing import Any, Final
from unittest.mock import Mock

from ._connection.exchange import Command, Exchange
from ._connection.gateway import Connection
from ._parsing.records import DEFAULT_LIMITS
from ._parsing.responses import Tagged
from ._testing.script import Event, Reply, ScriptError, ScriptItem, is_tagged, parse_steps
from ._testing.scripted_transport import ScriptedTransport
from ._wire.sockets import NO_TIMEOUT, Transport
from ._wire.waiting import Deadline
from .imapclient import IMAPClient
from .util import Text, to_unicode, to_wire

__all__ = ["CLOSE", "PAUSE", "Event", "MockIMAP4", "ScriptError", "ScriptItem", "TestableIMAPClient"]

PAUSE: Final = Event.PAUSE
"""The server sends nothing until the timeout. ``idle_check`` returns then, and other calls raise socket.timeout."""

CLOSE: Final = Event.CLOSE
"""The server closes the connection."""


class _Exchange(Exchange):
    """An exchange with predictable tags, in which no time passes."""

    def next_tag(self) -> bytes:
        """The tag ``tag``, as in IMAPClient's test client. If several commands are in flight: ``tag2`` and so on."""
        tags = (b"tag" if number == 1 else b"tag%d" % number for number in count(1))
        return next(tag for tag in tags if tag.upper() not in self.in_flight)

    def read(self, deadline: Deadline | None) -> None:
        if deadline is not None:
            # Only PAUSE makes time pass, so a slow machine does not change the result of a test.
            deadline.POLLING = math.inf
        super().read(deadline)


class _Connection(Connection):
    """A real connection over a `ScriptedTransport`."""

    def __init__(self, server: ScriptedTransport) -> None:
        self._server = server
        self._prepare(NO_TIMEOUT, DEFAULT_LIMITS)
        super().__init__("somehost", 993)
        self._capabilities.are_known = True

    def _exchange_class(self) -> type[Exchange]:
        return _Exchange

    def _open_transport(self) -> Transport:
        vars(self)["sock"] = Mock(name="socket")
        return self._server

    def forget_capabilities(self) -> None:
        """Forget what was enabled, but keep the capabilities that the test has set. So CAPABILITY is not sent."""
        names = self._capabilities.names
        super().forget_capabilities()
        self._capabilities.names, self._capabilities.are_known = names, True

    def start_tls(self, ssl_context: ssl.SSLContext | None) -> Tagged:
        """STARTTLS without the handshake."""
        with self.exclusive():
            reply = self.execute(Command(b"STARTTLS"))
            vars(self)["sock"] = Mock(spec=ssl.SSLSocket)
            self.unsolicited.clear()
            self.forget_capabilities()
            return reply


# The public names that the package's own classes define.
_OF_THE_EXCHANGE = frozenset(
    name
    for base in Connection.__mro__
    if base.__module__.partition(".")[0] == __name__.partition(".")[0]
    for name in vars(base)
    # These two only wrap methods of imaplib.
    if not name.startswith("_") and name not in ("login", "authenticate")
)


class MockIMAP4(Mock):
    """The ``client._imap`` of a `TestableIMAPClient`: a Mock around a connection without a server.

    Guaranteed, as in IMAPClient:

    - It is a `unittest.mock.Mock`, with the same arguments.
    - ``sent`` contains all bytes that were sent, and is ``b''`` at first. A test may set it. The tag of a command is
      ``tag``: ``b'tag UID SEARCH ALL\\r\\n'``.
    - ``send(data)`` is called with all data that the client sends, and adds it to ``sent``.
    - ``capabilities`` are the capabilities of the server, ``[]`` at first. A test may set them, as str or bytes in any
      letter case. No call sends CAPABILITY, and a login changes them only if the scripted response contains others.
    - ``tagged_commands`` and ``untagged_responses`` are ``{}`` at first.
    - ``use_uid`` is True, and ``_new_tag()`` returns ``'tag'``.
    - The other methods of imaplib and all other names are Mocks. They are for programs that use ``client._imap``
      themselves: ``client._imap.xatom.return_value = ("OK", [b"done"])``.

    It is not guaranteed how the methods of IMAPClient use this object. They call no method of imaplib. So a
    ``return_value`` of ``client._imap.login`` or ``client._imap._command_complete`` does not affect them. ``script``
    their replies instead. The names of the package's own connection (``execute``, ``state``, ``unsolicited``, ...) are
    not Mocks and not in ``mock_calls``. They may change with any release.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An assignment needs `_of_the_connection`, and Mock.__init__ assigns its keywords. So these attributes are set
        # first, in __dict__.
        server = ScriptedTransport(lambda data: self.send(data))
        connection = _Connection(server)
        of_the_connection = _OF_THE_EXCHANGE.union(name for name in vars(connection) if not name.startswith("_"))
        self.__dict__.update(_server=server, _connection=connection, _of_the_connection=of_the_connection)
        self.__dict__.update(use_uid=True, sent=b"", _starttls_done=False)
        self.capabilities: Any = []
        super().__init__(*args, **kwargs)

    def send(self, data: bytes) -> None:
        """Add data to ``sent``. The server does not reply to data that a test passes here."""
        self.sent += data

    def _new_tag(self) -> str:
        return "tag"

    def script(self, *reply: ScriptItem, to: Text | None = None) -> None:
        """See `TestableIMAPClient.script`."""
        if not reply:
            raise ValueError("a reply needs at least one line")
        self._server.script(Reply(reply, to))

    def push(self, *lines: ScriptItem) -> None:
        """See `TestableIMAPClient.push`."""
        steps = parse_steps(lines)
        if any(map(is_tagged, steps)):
            raise ValueError("push() can't send a tagged response such as OK: use script()")
        self._server.push(steps)

    def assert_done(self) -> None:
        """See `TestableIMAPClient.assert_done`."""
        self._server.assert_done()

    # -- attributes of the connection: they are read, set and deleted on the connection itself

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name) if self._is_of_the_connection(name) else super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_of_the_connection(name):
            setattr(self._connection, name, _capabilities(value) if name == "capabilities" else value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute of the connection too. `unittest.mock.patch` does so before it restores the old value."""
        if self._is_of_the_connection(name):
            delattr(self._connection, name)
        else:
            super().__delattr__(name)

    def _is_of_the_connection(self, name: str) -> bool:
        return name in self.__dict__["_of_the_connection"] and not hasattr(type(self), name)

    def _get_child_mock(self, **kw: Any) -> Mock:
        """Children are plain Mocks, without a connection."""
        return Mock(**kw)


def _capabilities(words: Text | Iterable[Text] | None) -> list[str] | tuple[str, ...]:
    """Capabilities as strings in upper case. A list stays a list."""
    separate = to_wire(words).split() if isinstance(words, (str, bytes)) else words or []
    upper = [to_unicode(word).upper() for word in separate]
    return upper if isinstance(words, list) else tuple(upper)


class TestableIMAPClient(IMAPClient):
    """An `~imapclient.IMAPClient` for tests: it opens no connection, and the test scripts what the server sends.

    It is logged in, unless ``logged_in`` is False. ``capabilities`` are those of the server, such as
    ``["IDLE", "MOVE"]``. They may be set later, as ``client._imap.capabilities``. Otherwise it behaves like a client
    with the host 'somehost' and the port 993.

    It never waits. If nothing is scripted for a call, the call raises `ScriptError`, an AssertionError that names the
    command. Only LOGOUT needs no script, unless the next reply has ``to="LOGOUT"``.

    A subclass may replace methods, have an ``__init__`` with other arguments, or return another object from
    ``_create_IMAP4``. ``client._imap`` is a `MockIMAP4`, whose docstring lists what is guaranteed.
    """

    # pytest must not collect this class as tests.
    __test__ = False

    _imap: MockIMAP4

    def __init__(self, *, capabilities: Text | Iterable[Text] = (), logged_in: bool = True) -> None:
        super().__init__("somehost")
        if capabilities:
            self._imap.capabilities = capabilities
        if not logged_in:
            self._imap.state = "NONAUTH"
            self._imap.welcome = b"* OK ready"

    def _create_IMAP4(self) -> MockIMAP4:
        return MockIMAP4()

    def script(self, *reply: ScriptItem, to: Text | None = None) -> None:
        """Script the reply to the next command that has no reply yet.

        Each argument is a line as the server sends it, without the line end. Write OK, NO and BAD without a tag. In
        other places ``{tag}`` stands for the tag. A line that ends with ``{}`` announces a literal. The next argument
        is then the literal, and the argument after it is the rest of the line. ::

            client.script("* 1 FETCH (UID 7 BODY[] {}", message, " FLAGS ())", "OK Fetch completed")

        ``to`` is the command that the client must send, without the tag: ``to="UID SEARCH UNSEEN"``. Three dots at the
        end stand for any text: ``to="UID FETCH 1:3 ..."``. A literal is written as on the wire:
        ``to=b'APPEND "Sent" {5}\\r\\nhello'``.

        After a line that starts with ``+``, the reply waits for the client's next line before the next ``+``, OK, NO or
        BAD. Other lines follow at once, as in IDLE. Literals of the client need no ``+``.

        `PAUSE` ends one call of ``idle_check``; in other commands it is a read timeout. `CLOSE` closes the connection.
        An exception among the lines, such as ``ConnectionResetError("reset")``, is raised when the client reads it.

        Raises ValueError if the arguments are not a valid script.
        """
        self._imap.script(*reply, to=to)

    def push(self, *lines: ScriptItem) -> None:
        """Let the server send something now, without a command: ``client.push("* 5 EXISTS")``.

        The client reads it with its next command, or with ``idle_check``. The arguments are lines, PAUSE, CLOSE and
        exceptions, as in `script`.
        """
        self._imap.push(*lines)

    def assert_done(self) -> None:
        """Raise ScriptError unless the whole script was sent and read.

        If there was an earlier ScriptError, it is raised again, because the tested program may have caught it.
        """
        self._imap.assert_done()

    @property
    def _cached_capabilities(self) -> tuple[bytes, ...]:
        """The capabilities. Tests that were written for IMAPClient set them here."""
        return self.capabilities()

    @_cached_capabilities.setter
    def _cached_capabilities(self, words: Iterable[Text] | None) -> None:
        self._imap.capabilities = words
