"""pymap in its own event loop: the implementation of `EmbeddedServer`, imported when a server starts.

`Service` and all its objects belong to the thread of the loop, `ServiceThread`.
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

# The maximum length of a command line in bytes. If a line is longer, pymap closes the connection. The default of
# asyncio is 64 KiB, which is less than Dovecot accepts.
_LINE_LIMIT = 1024 * 1024

# How many seconds the end of a connection may take, with BYE and the client's end of TLS. Then it is aborted.
_CLOSE_SECONDS = 1.0


class Listener(NamedTuple):
    """A bound socket and its TLS context. At most one of the two contexts is set."""

    sock: socket.socket
    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        port: int = self.sock.getsockname()[1]
        return port


class ServiceThread(threading.Thread):
    """The thread of the event loop. It is a daemon, so it does not keep the process alive."""

    def __init__(self, service: Service, listeners: list[Listener]) -> None:
        super().__init__(name="imapclient-embedded-server", daemon=True)
        self._service = service
        self._listeners = listeners
        self._started_or_failed = threading.Event()
        self._error: BaseException | None = None

    def start_and_wait(self) -> None:
        """Start the thread and return when the server accepts connections. Raises the error if the start fails."""
        self.start()
        self._started_or_failed.wait()
        if self._error is not None:
            self.join()
            raise self._error

    def run(self) -> None:
        # asyncio.run would use the loop policy of the application, which may create another kind of loop (uvloop). The
        # debug mode of asyncio would report slow callbacks of pymap in the application's log. The type is Any because
        # types are checked for Python 3.10, which has no Runner.
        runner_class = cast("Any", asyncio).Runner
        try:
            with runner_class(debug=False, loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._service.run(self._listeners, self._started_or_failed.set))
        except BaseException as exc:
            self._error = exc
            if self._started_or_failed.is_set():
                _log.exception("the embedded server ended with an error")
        finally:
            self._started_or_failed.set()


class Service:
    """The objects of pymap and the connections. Only `stop_soon` may be called from other threads."""

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
        # The transports are those of the sockets, even if TLS starts on top of them later.
        self._connections: dict[asyncio.Task[None], asyncio.WriteTransport] = {}
        self._stop: asyncio.Event

    async def run(self, listeners: list[Listener], started: Callable[[], None]) -> None:
        """Accept connections on the listeners until `stop_soon` is called. Calls `started` first."""
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
        # One more turn of the loop, for sockets that are accepted in this turn. asyncio passes each socket to a task.
        # If the task were cancelled or the server closed before the first step of the task, the socket would be lost.
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
        """Append to the folder of an existing user and return the UID. Raises ValueError if there is no such folder."""
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

        # A plain function, which creates the task itself. For a coroutine function asyncio would create the task, and
        # this class could neither cancel it nor wait for it.
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
        """Serve one connection until either side ends it. Raises only CancelledError."""
        try:
            if tls is not None:
                # TLS starts here, not in the listener. A TLS listener of asyncio leaves sockets open if stop() is
                # called during a handshake.
                await writer.start_tls(tls)
            await self._pymap.serve(self._login.backend, config, reader, writer)
        except (OSError, EOFError) as exc:
            _log.debug("a client of the embedded server closed its connection: %r", exc)
        except Exception as exc:
            _log.warning(
                "pymap, the embedded server, closed a connection because of an internal error: %r",
                exc,
                exc_info=_log.isEnabledFor(logging.DEBUG),
            )
        finally:
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        """Close the connection. Unless the server is stopping, wait at most a second for the client's end of TLS.

        If the connection is still open when its task ends, it is aborted.
        """
        # Only once: if a TLS transport of asyncio is closed twice, its socket stays open.
        writer.close()
        if not self._stop.is_set():
            with suppress(OSError, asyncio.TimeoutError):  # the client closed first, or does not answer
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
    """The parts of pymap that the server needs. No other code uses the names of pymap.

    Its objects have the type Any, because pymap is optional, and types are also checked without it.

    The server differs from the command-line server of pymap. The greeting does not look up the name of this host. A
    wrong user name is refused at once. A password may be any text, and is hashed in one round; the default takes 0.4 s
    for each. A client in IDLE also receives messages that arrived before its IDLE.
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
        # Created with type(), because strict type checks refuse a class statement with a base of type Any.
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
        """The settings of pymap for one listener."""
        return self._config_class(
            Namespace(proxy_protocol=None, passlib_cfg=None),
            host=None,
            port=0,
            # Without STARTTLS the context is not used. If it were None, pymap would load the system's authorities.
            ssl_context=starttls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            tls_enabled=starttls is not None,
            hash_context=self._hashing.BuiltinHash(rounds=1),
            # The default is a pool of threads with event loops that pymap never closes.
            cpu_subsystem=self._concurrent.Subsystem.for_asyncio(),
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
            bad_command_limit=None,
            demo_data=False,
            demo_user="",
            demo_password="",
        )

    def login(self) -> Login:
        """An empty table of users and their mailboxes."""
        return Login(self.config(), self._backend, self._user)

    async def serve(self, login: Any, config: Any, reader: Any, writer: Any) -> None:
        """Serve one connection until it ends. The caller closes it."""
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
        """Append a message and return its UID. Raises ValueError if there is no such folder."""
        flag_set = frozenset(self._flag(flag) for flag in flags)
        try:
            append_uid, _ = await session.append_messages(folder, [self._message(message, date, flag_set)])
        except self._exceptions.MailboxNotFound:
            raise ValueError(f"no such folder: {folder!r}") from None
        (uid,) = append_uid.uids
        return int(uid)


class Login:
    """The table of users of pymap."""

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
        """An async context manager with the session of that user."""
        return self._of(name).new_session()

    def _of(self, name: str) -> Any:
        return self._identity(name, self.backend, None, frozenset())


async def _receive_updates(state: Any, command: Any, done: Any) -> Iterable[Any]:
    """Wait for untagged responses for a client in IDLE, and return them.

    It replaces a method of pymap that waits for the next change, and ignores changes since the last command. With that
    method, a message that arrives between SELECT and IDLE would only be reported together with the next message. The
    same is true for a message that arrives while other responses are written.
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
    """Return the text without SASLprep, which in pymap refuses all characters newer than Unicode 3.2.

    If a client sends bytes that are not UTF-8, they are surrogates here. They become \\xNN, so that the text can be
    compared. It is then refused like any wrong password.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio would print to stderr, such as a lost client or a refused handshake."""
    _log.debug("event loop: %s", context.get("message"), exc_info=context.get("exception"))
