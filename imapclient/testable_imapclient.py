"""A client for tests: no connection, no thread, and a server whose every word the test has written.

    client = TestableIMAPClient()
    client.script("* SEARCH 1 2 3", "OK Search completed", to="UID SEARCH UNSEEN")
    assert client.search("UNSEEN") == [1, 2, 3]
    client.assert_done()

The client is a real `IMAPClient`. Only what lies below it is replaced: `_Connection` runs the exchange of the real
connections over `_Server`, a transport in memory, which plays the script. `MockIMAP4` is what stands around them as
``client._imap``, since tests written for IMAPClient expect a Mock there.
"""

from __future__ import annotations

import enum
import math
import socket
import ssl
from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Any, Callable, Final, Union
from unittest.mock import Mock

from ._connection.exchange import Command, Exchange
from ._connection.gateway import Connection
from ._parsing.records import DEFAULT_LIMITS, announced_size
from ._parsing.responses import Tagged
from ._wire.sockets import NO_TIMEOUT, Data, Transport
from ._wire.waiting import Deadline
from .imapclient import IMAPClient
from .util import Text, to_unicode, to_wire


class ScriptError(AssertionError):
    """The client did something else than the script has.

    Its connection is unusable after it, unless ``idle_check`` or ``assert_done`` has raised it.
    """


class Event(enum.Enum):
    """What a server may do beside saying something."""

    PAUSE = "PAUSE"
    CLOSE = "CLOSE"


PAUSE: Final = Event.PAUSE
"""The server says nothing more for now: ends one call of ``idle_check``, and is a read timeout in any other call."""

CLOSE: Final = Event.CLOSE
"""The server closes the connection."""

ScriptItem = Union[str, bytes, Event, BaseException]
"""A line of a script, or a literal, or what happens: `PAUSE`, `CLOSE`, an exception that reading raises."""

# A line as texts and literals in turn, the last one a text; the texts hold their line ends, and "{tag}" for the tag.
_Line = tuple[bytes, ...]
_Step = Union[_Line, Event, BaseException]

_TAG = b"{tag}"
_BYE: tuple[_Step, ...] = ((b"* BYE Logging out\r\n",), (b"{tag} OK Logout completed\r\n",))


def _steps(items: Iterable[ScriptItem]) -> list[_Step]:
    """Read a script. ValueError for what is none."""
    steps: list[_Step] = []
    rest = iter(items)
    for item in rest:
        if isinstance(item, (Event, BaseException)):
            steps.append(item)
            continue
        texts_and_literals = [_text(item)]
        while _announces_literal(texts_and_literals[-1]):
            literal, after = next(rest, None), next(rest, None)
            if not isinstance(literal, (str, bytes)) or not isinstance(after, (str, bytes)):
                raise ValueError(f"after {item!r} must come the literal, and then the rest of the line")
            data = to_wire(literal)
            texts_and_literals[-1] = _with_size(texts_and_literals[-1], len(data))
            texts_and_literals += [data, _text(after)]
        texts_and_literals[-1] += b"\r\n"
        if texts_and_literals[0].rstrip().partition(b" ")[0].upper() in (b"OK", b"NO", b"BAD"):
            texts_and_literals[0] = b"%s %s" % (_TAG, texts_and_literals[0])
        steps.append(tuple(texts_and_literals))
    return steps


def _text(item: Text) -> bytes:
    text = to_wire(item)
    if b"\r" in text or b"\n" in text:
        raise ValueError(f"each line is an argument of its own, and has no line end: {item!r}")
    return text


def _announces_literal(text: bytes) -> bool:
    return text.endswith(b"{}") or announced_size(text) is not None


def _with_size(text: bytes, size: int) -> bytes:
    """The end of a text before a literal of ``size`` bytes. ValueError where it says another size."""
    if text.endswith(b"{}"):
        text = b"%s%d}" % (text[:-1], size)
    if announced_size(text) != size:
        raise ValueError(f"{text!r} announces another size than that of its literal, which is {size}")
    return text + b"\r\n"


def _is_tagged(step: _Step) -> bool:
    return isinstance(step, tuple) and step[0].startswith(_TAG)


def _is_continuation(step: _Step) -> bool:
    return isinstance(step, tuple) and step[0].startswith(b"+")


def _shown(data: bytes | Event | BaseException) -> str:
    if not isinstance(data, bytes):
        return repr(data)
    return repr(data if len(data) <= 500 else data[:497] + b"...")


class _Reply:
    """What is scripted for one command."""

    def __init__(self, items: tuple[ScriptItem, ...], to: Text | None) -> None:
        self.items = items
        self.to = None if to is None else to_wire(to)
        self.steps = deque(_steps(items))

    def is_for(self, command: bytes) -> bool:
        if self.to is None:
            return True
        if self.to.endswith(b"..."):
            return command.startswith(self.to[:-3])
        return command == self.to


class _Server:
    """Plays the script: a `Transport` in memory, which never waits. ``record`` gets all that the client sends."""

    def __init__(self, record: Callable[[bytes], object]) -> None:
        self.failure: ScriptError | None = None
        self._record = record
        self._replies: deque[_Reply] = deque()
        self._outgoing: deque[bytes | Event | BaseException] = deque([b"* PREAUTH ready\r\n"])
        # From the client: what was not looked at yet, the command that it is about to send, and how many bytes of a
        # literal come next.
        self._incoming = b""
        self._begun = b""
        self._literal: int | None = None
        # The command that is answered, its tag, and what of the reply is still to be sent.
        self._command = b""
        self._tag = b""
        self._rest: deque[_Step] = deque()
        # After a continuation request: the client's next line is no command.
        self._is_awaiting = False
        self._is_closed = False

    # -- the script

    def script(self, reply: _Reply) -> None:
        self._replies.append(reply)

    def push(self, steps: Iterable[_Step]) -> None:
        for step in steps:
            self._put(step)

    def assert_done(self) -> None:
        if self.failure is not None:
            raise self.failure
        left = [f"of the reply to {_shown(self._command)}: {_shown(self._wire(step))}" for step in self._rest]
        left += [f"not read by the client: {_shown(data)}" for data in self._outgoing if not isinstance(data, Event)]
        for reply in self._replies:
            command = "any command" if reply.to is None else _shown(reply.to)
            left.append(f"for {command}, which did not come: {', '.join(map(repr, reply.items))}")
        if left:
            raise ScriptError("the script has more:\n  " + "\n  ".join(left))

    def _fail(self, message: str) -> ScriptError:
        self.failure = self.failure or ScriptError(message)
        return self.failure

    # -- from the client

    def send_now(self, data: memoryview) -> int:
        self.sendall(data, None)
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        self._record(bytes(data))
        self._incoming += data
        while not self._is_closed and self._take():
            pass

    def _take(self) -> bool:
        """Take a literal or a line. False where there is no whole one."""
        if self._literal is not None:
            if len(self._incoming) < self._literal:
                return False
            self._begun += self._incoming[: self._literal]
            self._incoming = self._incoming[self._literal :]
            self._literal = None
            return True
        line, end, rest = self._incoming.partition(b"\r\n")
        if not end:
            return False
        self._incoming = rest
        if self._is_awaiting:
            self._is_awaiting = False
            # The time of silence is over.
            self._outgoing = deque(data for data in self._outgoing if data is not PAUSE)
            self._go_on()
            return True
        self._begun += line
        size = announced_size(line)
        if size is None:
            command, self._begun = self._begun, b""
            self._answer(command)
        else:
            self._begun += end
            self._literal = size
            if not line.endswith(b"+}"):
                self._ask_for_literal()
        return True

    def _ask_for_literal(self) -> None:
        steps = self._next_reply(self._begun.partition(b" ")[2]).steps
        self._put(steps.popleft() if steps and _is_continuation(steps[0]) else (b"+ go on\r\n",))

    def _next_reply(self, command: bytes) -> _Reply:
        if not self._replies:
            raise self._fail(
                f"nothing is scripted for the command {_shown(command)}: give its reply to script() beforehand"
            )
        return self._replies[0]

    def _answer(self, command: bytes) -> None:
        self._tag, _, self._command = command.partition(b" ")
        if self._command == b"LOGOUT" and not (self._replies and self._replies[0].to == b"LOGOUT"):
            # At the end of every program, and seldom what its test is about.
            self._rest = deque(_BYE)
        else:
            reply = self._next_reply(self._command)
            if not reply.is_for(self._command):
                raise self._fail(
                    "another command is scripted\n"
                    f"  expected: {_shown(reply.to or b'')}\n"
                    f"  sent:     {_shown(self._command)}"
                )
            self._replies.popleft()
            self._rest = reply.steps
        self._go_on()

    # -- to the client

    def _go_on(self) -> None:
        """Send of the reply what does not have to wait for the client's answer to a continuation request."""
        while self._rest:
            step = self._rest[0]
            if self._is_awaiting and (_is_continuation(step) or _is_tagged(step)):
                return
            self._put(self._rest.popleft())
            self._is_awaiting = self._is_awaiting or _is_continuation(step)

    def _put(self, step: _Step) -> None:
        self._is_closed = self._is_closed or step is CLOSE
        self._outgoing.append(self._wire(step))

    def _wire(self, step: _Step) -> bytes | Event | BaseException:
        if not isinstance(step, tuple):
            return step
        return b"".join(part if index % 2 else part.replace(_TAG, self._tag) for index, part in enumerate(step))

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        if not self._outgoing:
            raise self._silence(timeout)
        data = self._outgoing.popleft()
        if data is CLOSE:
            into.append(b"")
        elif isinstance(data, Event):
            raise socket.timeout("timed out")
        elif isinstance(data, BaseException):
            raise data
        else:
            if len(data) > size:
                self._outgoing.appendleft(data[size:])
            into.append(data[:size])

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        into: list[bytes] = []
        self.recv(into, len(buffer), timeout)
        buffer[: len(into[0])] = into[0]
        return len(into[0])

    def _silence(self, timeout: float | None) -> BaseException:
        """What reading raises where there is nothing to read. A real server would be waited for."""
        if timeout == 0:
            return socket.timeout("timed out")
        if self._is_awaiting and self._command == b"IDLE":
            return self._fail("nothing more is scripted for idle_check(): write PAUSE where its timeout is to pass")
        return self._fail(f"the reply scripted for {_shown(self._command)} ends without OK, NO or BAD")

    def close(self) -> None:
        """There is nothing to close."""


class _Exchange(Exchange):
    """An exchange whose tags are known beforehand, and for which no time passes."""

    def next_tag(self) -> bytes:
        """The tag of IMAPClient's double, and others only for commands that are in flight together."""
        tags = (b"tag" if number == 1 else b"tag%d" % number for number in count(1))
        return next(tag for tag in tags if tag.upper() not in self.in_flight)

    def read(self, deadline: Deadline | None) -> None:
        if deadline is not None:
            # A machine that stalls must not change what a test sees: no time passes but by PAUSE.
            deadline.POLLING = math.inf
        super().read(deadline)


class _Connection(Connection):
    """The exchange of the real connections, over a `_Server`."""

    _exchange_class = _Exchange

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._prepare(NO_TIMEOUT, DEFAULT_LIMITS)
        super().__init__("somehost", 993)
        self._capabilities.are_known = True

    def _open_transport(self) -> Transport:
        vars(self)["sock"] = Mock(name="socket")
        return self._server

    def forget_capabilities(self) -> None:
        """All that is forgotten but these: they are the test's to set, and CAPABILITY is not sent for them."""
        names = self._capabilities.names
        super().forget_capabilities()
        self._capabilities.names, self._capabilities.are_known = names, True

    def start_tls(self, ssl_context: ssl.SSLContext | None) -> Tagged:
        """All of STARTTLS but the handshake."""
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
    # Two methods of imaplib's that are no more than wrapped.
    if not name.startswith("_") and name not in ("login", "authenticate")
)


class MockIMAP4(Mock):
    """What a `TestableIMAPClient` has as ``client._imap``: a Mock around a connection without a server.

    Guaranteed, as with IMAPClient:

    - It is a `unittest.mock.Mock`, and takes its arguments.
    - ``sent``: all bytes that were sent, b'' at first; may be set. The tag of a command is ``tag``:
      ``b'tag UID SEARCH ALL\\r\\n'``.
    - ``send(data)``: gets all that is sent, and adds it to ``sent``.
    - ``capabilities``: what the server can do, [] at first; may be set, to str or bytes in any letter case. No call
      sends CAPABILITY to learn it, and a login does not change it unless the scripted answer does.
    - ``tagged_commands`` and ``untagged_responses``: {} at first.
    - ``use_uid``, which is True, and ``_new_tag()``, which is 'tag'.
    - imaplib's other methods and all other names are Mocks, for programs that call ``client._imap`` themselves:
      ``client._imap.xatom.return_value = ("OK", [b"done"])``.

    Not guaranteed: how IMAPClient's methods use this object. They call no method of imaplib, so a ``return_value``
    of ``client._imap.login`` or ``client._imap._command_complete`` has no effect on them: ``script`` their replies.
    The names that the package's own connection has (``execute``, ``state``, ``unsolicited``, ...) are the real ones
    here, may change with any release, and are not in ``mock_calls``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Not by assignment, which needs the Mock that is not there yet; and before it, for its keywords set attributes.
        server = _Server(lambda data: self.send(data))
        connection = _Connection(server)
        of_the_connection = _OF_THE_EXCHANGE.union(name for name in vars(connection) if not name.startswith("_"))
        self.__dict__.update(_server=server, _connection=connection, _of_the_connection=of_the_connection)
        self.__dict__.update(use_uid=True, sent=b"", _starttls_done=False)
        self.capabilities: Any = []
        super().__init__(*args, **kwargs)

    def send(self, data: bytes) -> None:
        """Add to ``sent``. What a test passes itself is answered by nobody."""
        self.sent += data

    def _new_tag(self) -> str:
        return "tag"

    def script(self, *reply: ScriptItem, to: Text | None = None) -> None:
        """See `TestableIMAPClient.script`."""
        if not reply:
            raise ValueError("a reply has at least one line")
        self._server.script(_Reply(reply, to))

    def push(self, *lines: ScriptItem) -> None:
        """See `TestableIMAPClient.push`."""
        steps = _steps(lines)
        if any(map(_is_tagged, steps)):
            raise ValueError("a tagged response is an answer: script() it")
        self._server.push(steps)

    def assert_done(self) -> None:
        """See `TestableIMAPClient.assert_done`."""
        self._server.assert_done()

    # -- what belongs to the connection is read from it and set on it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name) if self._is_of_the_connection(name) else super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_of_the_connection(name):
            setattr(self._connection, name, _capabilities(value) if name == "capabilities" else value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """`unittest.mock.patch` deletes what it has set, and sets what was there before."""
        if self._is_of_the_connection(name):
            delattr(self._connection, name)
        else:
            super().__delattr__(name)

    def _is_of_the_connection(self, name: str) -> bool:
        return name in self.__dict__["_of_the_connection"] and not hasattr(type(self), name)

    def _get_child_mock(self, **kw: Any) -> Mock:
        """Children are Mocks: only the connection has a connection."""
        return Mock(**kw)


def _capabilities(words: Text | Iterable[Text] | None) -> list[str] | tuple[str, ...]:
    """Capabilities as the connection has them; a list stays one."""
    separate = to_wire(words).split() if isinstance(words, (str, bytes)) else words or []
    upper = [to_unicode(word).upper() for word in separate]
    return upper if isinstance(words, list) else tuple(upper)


class TestableIMAPClient(IMAPClient):
    """An `~imapclient.IMAPClient` for tests: it opens no connection, and the test writes what the server says.

    It is logged in at once; with ``logged_in`` off it is as before the login. ``capabilities`` is what the server can
    do, such as ``["IDLE", "MOVE"]``; it may be set later, as ``client._imap.capabilities``. Everything else is as in a
    client: host 'somehost', port 993, and so on.

    It never waits. A call for which nothing is scripted raises `ScriptError`, an AssertionError that names the command.
    LOGOUT alone is answered without a script, unless the next reply is ``to="LOGOUT"``.

    Subclasses may replace methods by their own, have an ``__init__`` with other arguments, or return another object
    from ``_create_IMAP4``. ``client._imap`` is a `MockIMAP4`, which says what is guaranteed of it.
    """

    # For pytest: no class of tests, whatever its name.
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
        """Script the reply to the next command that has none yet.

        Each argument is a line as the server sends it, without its line end and, for OK, NO and BAD, without the tag;
        ``{tag}`` stands for the tag anywhere. A line that ends in ``{}`` announces a literal: the next argument is the
        literal, the one after it the rest of the line. ::

            client.script("* 1 FETCH (UID 7 BODY[] {}", message, " FLAGS ())", "OK Fetch completed")

        ``to`` is the command that must be sent, without its tag, as in ``to="UID SEARCH UNSEEN"``; three dots at its
        end stand for anything: ``to="UID FETCH 1:3 ..."``. A literal in it is written as on the wire:
        ``to=b'APPEND "Sent" {5}\\r\\nhello'``.

        A line that begins with ``+`` waits for the client's next line before the reply goes on to the next ``+``, or
        to OK, NO or BAD; other lines follow at once, as in IDLE. For literals that the client sends, none is needed.

        `PAUSE` ends one call of ``idle_check``; in other commands it is a read timeout. `CLOSE` ends the connection.
        An exception among the lines is raised when the client reads that far: ``ConnectionResetError("reset")``.

        Raises ValueError for what can't be a script.
        """
        self._imap.script(*reply, to=to)

    def push(self, *lines: ScriptItem) -> None:
        """Have the server say something by itself, now: ``client.push("* 5 EXISTS")``.

        The client reads it with its next command, or with ``idle_check``. Lines, PAUSE, CLOSE and exceptions are
        written as for `script`.
        """
        self._imap.push(*lines)

    def assert_done(self) -> None:
        """ScriptError unless all that was scripted has been sent and read.

        It also raises again what the script has raised before, in case the program under test has caught that.
        """
        self._imap.assert_done()

    @property
    def _cached_capabilities(self) -> tuple[bytes, ...]:
        """Where tests written for IMAPClient set the capabilities: as ``client._imap.capabilities``."""
        return self.capabilities()

    @_cached_capabilities.setter
    def _cached_capabilities(self, words: Iterable[Text] | None) -> None:
        self._imap.capabilities = words
