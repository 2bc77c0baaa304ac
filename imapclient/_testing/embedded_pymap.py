"""pymap in an event loop of its own: the inside of `EmbeddedServer`, imported when one starts.

`Service` and everything that it holds belong to the thread of the loop, `ServiceThread`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
import threading
from argparse import Namespace
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from .sample_mailbox import SampleMessage

_log = logging.getLogger("imapclient.embedded_server")

# The longest command line that pymap reads, in bytes. asyncio's own limit of 64 KiB is shorter than
# what Dovecot takes, and pymap closes the connection beyond it.
_LINE_LIMIT = 1024 * 1024

# How long a connection may take to end (BYE, the client's end of TLS) before it is cut, in seconds.
_CLOSE_SECONDS = 1.0


class Listener(NamedTuple):
    """A bound socket and the TLS that it offers; at most one of the two contexts is set."""

    sock: socket.socket
    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        port: int = self.sock.getsockname()[1]
        return port


class ServiceThread(threading.Thread):
    """The thread of the event loop; daemonic, so that it keeps no process alive."""

    def __init__(self, service: Service, listeners: list[Listener]) -> None:
        super().__init__(name="imapclient-embedded-server", daemon=True)
        self._service = service
        self._listeners = listeners
        self._started_or_failed = threading.Event()
        self._error: BaseException | None = None

    def start_and_wait(self) -> None:
        """Start; return when connections are accepted, raise here what went wrong there."""
        self.start()
        self._started_or_failed.wait()
        if self._error is not None:
            self.join()
            raise self._error

    def run(self) -> None:
        # Not asyncio.run: the loop that an application's policy makes may be another kind (uvloop),
        # and its debug mode would report pymap's slow callbacks in the application's log.
        # Of type Any since Python 3.10, for which types are checked, has no Runner.
        runner_class = cast("Any", asyncio).Runner
        try:
            with runner_class(debug=False, loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._service.run(self._listeners, self._started_or_failed.set))
        except BaseException as exc:
            self._error = exc
            if self._started_or_failed.is_set():
                _log.exception("the embedded server ended by an error")
        finally:
            self._started_or_failed.set()


class Service:
    """pymap's objects and the connections. Apart from `stop_soon`, for the loop's thread only."""

    loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        users: Mapping[str, str],
        folders: Iterable[str],
        messages: Iterable[SampleMessage],
    ) -> None:
        self._users = dict(users)
        self._folders = tuple(folders)
        self._messages = tuple(messages)
        self._pymap = Pymap()
        self._login = self._pymap.login()
        # With the transport of the socket itself, also where TLS starts on top of it later.
        self._connections: dict[asyncio.Task[None], asyncio.WriteTransport] = {}
        self._stop: asyncio.Event

    async def run(self, listeners: list[Listener], started: Callable[[], None]) -> None:
        """Accept connections on the listeners, from the call of `started` until `stop_soon`."""
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(_log_loop_error)
        self._stop = asyncio.Event()
        await self._fill()
        servers = [
            await asyncio.start_server(self._acceptor(listener), sock=listener.sock, limit=_LINE_LIMIT)
            for listener in listeners
        ]
        started()
        await self._stop.wait()
        for listener in listeners:
            self.loop.remove_reader(listener.sock)
        # One turn of the loop, for sockets accepted in this one: asyncio gives each to a task that
        # loses its socket when it is cancelled, or the server closed, before the first step.
        await asyncio.sleep(0)
        for server in servers:
            server.close()
        await self._end_connections()

    def stop_soon(self) -> None:
        """Make `run` return. Thread-safe."""
        self.loop.call_soon_threadsafe(self._stop.set)

    async def deliver(
        self,
        user: str,
        message: bytes,
        folder: str,
        flags: Iterable[str | bytes],
        date: datetime | None,
    ) -> int:
        """Append to a known user's folder, return the UID; ValueError when there is no folder."""
        async with self._login.session(user) as session:
            uid: int = await self._pymap.append(session, folder, message, flags, date)
        return uid

    async def _fill(self) -> None:
        for name, password in self._users.items():
            await self._login.add_user(name, password)
        folders = dict.fromkeys(name for name in self._folders if name.upper() != "INBOX")
        for name in self._users:
            async with self._login.session(name) as session:
                for folder in folders:
                    await session.create_mailbox(folder)
                    await session.subscribe(folder)
                for message in self._messages:
                    await self._pymap.append(session, message.folder, message.content, message.flags, message.date)

    def _acceptor(self, listener: Listener) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        config = self._pymap.config(starttls=listener.starttls)

        # A plain function that makes the task itself: of a coroutine function asyncio would make
        # one that nobody outside can cancel and wait for.
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._stop.is_set():  # accepted just before the listener was closed
                writer.transport.abort()
                return
            talk = self._talk(config, listener.tls, reader, writer)
            task = self.loop.create_task(talk)
            self._connections[task] = writer.transport
            task.add_done_callback(lambda task: self._connections.pop(task).abort())

        return accept

    async def _talk(
        self,
        config: Any,
        tls: ssl.SSLContext | None,
        reader: asyncio.StreamReader,
        writer: Any,
    ) -> None:
        """Serve one connection until either side ends it. Raises nothing but CancelledError."""
        try:
            if tls is not None:
                # First thing in the task, so that no byte of the handshake has been read yet.
                # asyncio's own TLS listener would leave sockets open that stop() meets in the
                # middle of a handshake.
                await writer.start_tls(tls)
            await self._pymap.serve(self._login.backend, config, reader, writer)
        except (OSError, EOFError) as exc:
            _log.debug("a client of the embedded server went away: %r", exc)
        except Exception as exc:
            _log.warning(
                "pymap, the embedded server, closed a connection after an error of its own: %r",
                exc,
                exc_info=_log.isEnabledFor(logging.DEBUG),
            )
        finally:
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        """Close, and wait for the client's end of TLS for a while unless the server is stopping.

        What is still open when the connection's task ends is aborted then.
        """
        # Once: asyncio's TLS transport forgets what it wraps when it is closed twice.
        writer.close()
        if not self._stop.is_set():
            with suppress(OSError, asyncio.TimeoutError):  # the client was faster, or is silent
                await asyncio.wait_for(writer.wait_closed(), _CLOSE_SECONDS)

    async def _end_connections(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()  # pymap answers a cancellation with BYE
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
        for transport in self._connections.values():
            transport.abort()


class Pymap:
    """What the server needs of pymap, and the only place that knows pymap's names.

    Its objects are typed as Any: pymap is optional, so types are checked without it too.

    Departures from pymap's own command-line server, each for tests' sake: the greeting asks no
    name server for this host's name; wrong user names get their NO at once; passwords are hashed
    in one round (the default takes 0.4 s each); any text is a password; an idling client hears of
    messages that arrived before its IDLE.
    """

    def __init__(self) -> None:
        self._backend = importlib.import_module("pymap.backend.dict")
        self._concurrent = importlib.import_module("pymap.concurrent")
        self._context = importlib.import_module("pymap.context")
        self._exceptions = importlib.import_module("pymap.exceptions")
        self._flag = importlib.import_module("pymap.parsing.specials.flag").Flag
        self._imap = importlib.import_module("pymap.imap")
        self._message = importlib.import_module("pymap.parsing.message").AppendMessage
        self._user = importlib.import_module("pymap.user")
        self._hashing = importlib.import_module("pysasl.hashing")
        self._socket_info = importlib.import_module("proxyprotocol.sock").SocketInfo
        state = importlib.import_module("pymap.imap.state").ConnectionState
        # Made with type(): a class statement on a base of type Any doesn't pass strict checks.
        self._config_class: Any = type(
            "EmbeddedConfig",
            (self._backend.Config,),
            {
                "greeting": b"imapclient.EmbeddedServer ready",
                "password_prep": staticmethod(_comparable_text),
            },
        )
        self._state_class: Any = type("EmbeddedState", (state,), {"receive_updates": _receive_updates})

    def config(self, *, starttls: ssl.SSLContext | None = None) -> Any:
        """pymap's settings of one listener."""
        return self._config_class(
            Namespace(proxy_protocol=None, passlib_cfg=None),
            host=None,
            port=0,
            # Never used without STARTTLS, but pymap would load the system's authorities for None.
            ssl_context=starttls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            tls_enabled=starttls is not None,
            hash_context=self._hashing.BuiltinHash(rounds=1),
            # The default is a pool of threads, each with an event loop that pymap never closes.
            cpu_subsystem=self._concurrent.Subsystem.for_asyncio(),
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
            bad_command_limit=None,
            demo_data=False,
            demo_user="",
            demo_password="",
        )

    def login(self) -> Login:
        """The users, none yet, and their mailboxes."""
        return Login(self.config(), self._backend, self._user)

    async def serve(self, login: Any, config: Any, reader: Any, writer: Any) -> None:
        """Greet and answer one connection until it ends. Closing it is the caller's part."""
        info = self._socket_info.get(writer, None)
        connection = self._imap.IMAPConnection(config.commands, config, reader, writer, info)
        async with AsyncExitStack() as stack:
            self._context.connection_exit.set(stack)
            await connection.run(self._state_class(login, config))

    async def append(
        self,
        session: Any,
        folder: str,
        message: bytes,
        flags: Iterable[str | bytes],
        date: datetime | None,
    ) -> int:
        """Do what APPEND does, return the UID. Raises ValueError when there is no such folder."""
        flag_set = frozenset(self._flag(flag) for flag in flags)
        try:
            append_uid, _ = await session.append_messages(folder, [self._message(message, date, flag_set)])
        except self._exceptions.MailboxNotFound:
            raise ValueError(f"no such folder: {folder!r}") from None
        (uid,) = append_uid.uids
        return int(uid)


class Login:
    """pymap's table of users."""

    def __init__(self, config: Any, backend: Any, user: Any) -> None:
        self._config = config
        self._identity = backend.Identity
        self._metadata = user.UserMetadata
        self._passwords = user.Passwords(config)
        self.backend = backend.Login(config)

    async def add_user(self, name: str, password: str) -> None:
        hashed = await self._passwords.hash_password(password)
        await self._of(name).set(self._metadata(self._config, name, password=hashed))

    def session(self, name: str) -> Any:
        """An async context manager; inside it, pymap's session of that user."""
        return self._of(name).new_session()

    def _of(self, name: str) -> Any:
        return self._identity(name, self.backend, None, frozenset())


async def _receive_updates(state: Any, command: Any, done: Any) -> Iterable[Any]:
    """The untagged responses that a client in IDLE is to see next; waits until there are any.

    Replaces pymap's method of this name, which waits for the next change without a look at what
    has changed since the last command: a message that comes between SELECT and IDLE, or while the
    responses for another are written, would stay unseen until one more arrives.
    """
    selected = await state.session.check_mailbox(state.selected)
    state._selected, untagged = selected.fork(command)
    responses = list(untagged)
    if responses or done.is_set():
        return responses
    selected = await state.session.check_mailbox(state.selected, wait_on=done)
    state._selected, untagged = selected.fork(command)
    return list(untagged)


def _comparable_text(text: str) -> str:
    """The text itself, where pymap's SASLprep would refuse all characters newer than Unicode 3.2.

    Bytes of a client that aren't UTF-8, surrogates by now, become \\xNN, so that they can be
    compared and are refused like any other wrong password.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would print to stderr goes to the log: a client cut off, a handshake refused."""
    _log.debug("event loop: %s", context.get("message"), exc_info=context.get("exception"))
