"""The client: one class, assembled from a mixin for each family of commands."""

from __future__ import annotations

import socket as socket_module
import ssl as ssl_module
from types import TracebackType
from typing import Callable, TypeVar, cast

from ._commands.acl import AclMixin
from ._commands.append import AppendMixin
from ._commands.auth import AuthMixin
from ._commands.base.state import UntaggedItem
from ._commands.copy import CopyMixin
from ._commands.download import DownloadMixin
from ._commands.expunge import ExpungeMixin
from ._commands.fetch import FetchMixin
from ._commands.flags import FlagsMixin
from ._commands.folders import FoldersMixin
from ._commands.gmail import GmailMixin
from ._commands.idle import IdleMixin
from ._commands.quota import QuotaMixin
from ._commands.search import SearchMixin
from ._commands.selection import SelectionMixin
from ._commands.session import SessionMixin
from ._connection.gateway import IMAP4, IMAP4_TLS, Connection, IMAP4_Stream
from ._connection.protocol_log import client_log
from ._parsing.folders import Namespace
from ._parsing.quota import MailboxQuotaRoots, Quota
from ._parsing.records import DEFAULT_LIMITS, Limits
from ._watching.watch import WatchMixin
from ._wire.sockets import SocketTimeout, Timeout, as_socket_timeout
from ._wire.tls import check_context
from .constants import (
    ALL,
    ANSWERED,
    ARCHIVE,
    DELETED,
    DRAFT,
    DRAFTS,
    FLAGGED,
    JUNK,
    RECENT,
    SEEN,
    SENT,
    TRASH,
)
from .exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError
from .sequence_set import MessageIds, SequenceSet
from .util import Text, to_wire

__all__ = [
    "ALL",
    "ANSWERED",
    "ARCHIVE",
    "DELETED",
    "DRAFT",
    "DRAFTS",
    "FLAGGED",
    "JUNK",
    "RECENT",
    "SEEN",
    "SENT",
    "TRASH",
    "IMAPClient",
    "MailboxQuotaRoots",
    "Namespace",
    "Quota",
    "SocketTimeout",
    "join_message_ids",
]


_Client = TypeVar("_Client", bound="IMAPClient")


class IMAPClient(
    SessionMixin,
    AuthMixin,
    FoldersMixin,
    SelectionMixin,
    SearchMixin,
    FetchMixin,
    DownloadMixin,
    FlagsMixin,
    AppendMixin,
    CopyMixin,
    ExpungeMixin,
    IdleMixin,
    WatchMixin,
    AclMixin,
    QuotaMixin,
    GmailMixin,
):
    """A connection to an IMAP server.

    ``port`` None means 993 with TLS, otherwise 143. With ``use_uid``, message ids are UIDs, which stay the same.
    Without it, they are sequence numbers, which change when messages are removed. ``ssl`` means TLS from the start.
    ``ssl_context`` is the context for TLS; `starttls` uses it too. If it is None, the server's certificate and name are
    verified. With ``stream``, ``host`` is a shell command, and its standard input and output are the connection.
    ``timeout`` is a number of seconds or a `SocketTimeout`. If it is None, the client waits for ever.

    Four arguments limit how many bytes a server may send. ``max_line_length`` is for one line, ``max_literal_size`` for
    one literal, and ``max_response_size`` for all lines and literals of one response. ``max_command_size`` is for all
    responses while one command runs, with 1024 bytes added for each response. If a limit is exceeded, LimitError is
    raised and the connection is unusable. If a response is nested deeper than ``max_nesting_depth``, it can't be
    parsed, and the connection stays usable.

    The function ``on_unsolicited`` receives responses that are not part of an answer: new messages, removed messages,
    changed flags, alerts. It is called right after the command during which the response arrived, with one item such as
    ``(4, b'EXISTS')``, ``(2, b'EXPUNGE')``, ``(1, b'FETCH', (b'FLAGS', (b'\\Seen',)))`` or
    ``(b'OK', b'[ALERT] Quota is nearly full')``. It may call the client. An exception that it raises is logged. It does
    not receive what `noop`, `idle_check` and other methods return.

    With ``compress``, the connection is compressed right after the login if the server supports it (RFC 4978). If the
    server refuses, the connection is used without compression. The method `compress` compresses it later.

    With ``gc_tuning``, Python's garbage collector examines only new objects during a fetch. A fetch of many messages
    takes less time then. The thresholds of the whole process are changed (``gc.set_threshold``), and set back after the
    command.

    These attributes may be changed at any time: ``on_unsolicited``, ``gc_tuning``, ``use_uid`` and

    - ``strict``. If False, unreadable items of a message are collected in the ``errors`` of the result, see `fetch`. If
      True, they raise ProtocolError.
    - ``folder_encode``. If True, folder names are str, and modified UTF-7 on the wire. If False, they are bytes as on
      the wire.
    - ``normalise_times``. If True, datetimes are naive and in local time. If False, they have the zone that was sent.

    Use the client in a ``with`` statement. The end of the block logs out, and closes the connection even if the logout
    fails. Raises OSError, ssl.SSLError or socket.timeout if no connection can be made. Raises ConnectionAbortError if
    the server refuses with BYE, and ProtocolAbortError if it does not send a greeting of IMAP.
    """

    Error = IMAPClientError
    AbortError = IMAPClientAbortError
    ReadOnlyError = IMAPClientReadOnlyError

    def __init__(
        self,
        host: str,
        port: int | None = None,
        use_uid: bool = True,
        ssl: bool = True,
        stream: bool = False,
        ssl_context: ssl_module.SSLContext | None = None,
        timeout: Timeout = None,
        *,
        max_line_length: int = DEFAULT_LIMITS.line_length,
        max_literal_size: int = DEFAULT_LIMITS.literal_size,
        max_response_size: int = DEFAULT_LIMITS.response_size,
        max_nesting_depth: int = DEFAULT_LIMITS.nesting_depth,
        max_command_size: int = DEFAULT_LIMITS.command_size,
        strict: bool = False,
        on_unsolicited: Callable[[UntaggedItem], object] | None = None,
        compress: bool = False,
        gc_tuning: bool = False,
    ) -> None:
        if stream:
            if port is not None:
                raise ValueError("can't set 'port' when 'stream' True")
            ssl = False
        elif port is None:
            port = 993 if ssl else 143
        self.host = host
        self.port = port
        self.ssl = ssl
        self.ssl_context = ssl_context
        self.stream = stream
        self.use_uid = use_uid
        self.folder_encode = True
        self.normalise_times = True
        self.strict = strict
        self.on_unsolicited = on_unsolicited
        self.gc_tuning = gc_tuning
        self._prepare_state()
        self._timeout = as_socket_timeout(timeout)
        self._limits = Limits(max_line_length, max_literal_size, max_response_size, max_nesting_depth, max_command_size)
        self._limits.check()
        check_context(ssl_context)
        self._compress = compress
        self._imap = self._create_IMAP4()
        self._compress_if_offered()
        self._deliver_unsolicited()
        if stream:
            # The command is not logged, because it may contain a password.
            client_log.debug("Connected to a command over a stream")
        else:
            client_log.debug("Connected to host %s over %s", host, "SSL/TLS" if ssl else "plain text")

    def _create_IMAP4(self) -> Connection:
        if self.stream:
            return IMAP4_Stream(self.host, self._timeout, self._limits)
        port = cast(int, self.port)
        if self.ssl:
            return IMAP4_TLS(self.host, port, self.ssl_context, self._timeout, limits=self._limits)
        return IMAP4(self.host, port, self._timeout, self._limits)

    def __enter__(self: _Client) -> _Client:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Log out and close. An error of the logout is only logged, because the body's exception matters more."""
        try:
            if self._imap.is_usable:
                self.logout()
        except Exception as error:
            client_log.info("Could not log out: %s", error)
        finally:
            self.shutdown()

    @property
    def welcome(self) -> bytes:
        """The server's greeting: ``b'* OK [CAPABILITY IMAP4rev1] ready'``."""
        return self._imap.welcome

    def socket(self) -> socket_module.socket:
        """The connection's socket, for selectors. With ``stream`` it is a pipe. Don't read from it or write to it.

        In IDLE, call ``idle_check(0)`` before each wait for it to become readable. Data may have been received already.
        """
        return self._imap.sock


def join_message_ids(messages: MessageIds) -> bytes:
    """Message ids joined to one sequence set, in the given order: ``join_message_ids([1, 2, 5]) == b'1,2,5'``.

    Raises TypeError or ValueError if an item is not a message id or sequence set. No ids give ``b''``.
    """
    items: list[int | Text] = [messages] if isinstance(messages, (int, str, bytes)) else list(messages)
    if items:
        SequenceSet(items[0] if len(items) == 1 else items)
    return b",".join(b"%d" % item if isinstance(item, int) else to_wire(item) for item in items)
