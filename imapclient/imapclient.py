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

    ``port`` None means 993 with TLS, otherwise 143. ``use_uid`` makes message ids UIDs, which stay the same, and not
    sequence numbers, which change. ``ssl`` means TLS from the start, with ``ssl_context``, which `starttls` uses too.
    If ``ssl_context`` is None, the server's certificate and name are verified. ``stream`` runs ``host`` as a command of
    the shell and speaks over its standard input and output. ``timeout`` is in seconds, a number or a `SocketTimeout`;
    None waits for ever.

    These bound what a server may send, in bytes: ``max_line_length``, ``max_literal_size``, ``max_response_size`` (all
    lines and literals of one response), ``max_command_size`` (all responses while one command runs, each counted as
    1024 bytes more than it has). Beyond a bound, LimitError is raised and the connection is unusable. A response nested
    deeper than ``max_nesting_depth`` can't be parsed; the connection stays usable.

    The function ``on_unsolicited`` receives what the server sends unasked: new messages, removed ones, changed flags,
    alerts. It is called right after the command in which the response arrived, with one item such as
    ``(4, b'EXISTS')``, ``(2, b'EXPUNGE')``, ``(1, b'FETCH', (b'FLAGS', (b'\\Seen',)))`` or
    ``(b'OK', b'[ALERT] Quota is nearly full')``. It may call the client. An exception that it raises is logged. It does
    not receive what `noop`, `idle_check` and other methods return.

    ``compress`` compresses the connection right after the login, as `compress` does, if the server offers that
    (RFC 4978). If the server refuses, the connection is used without compression.

    ``gc_tuning`` lets Python's garbage collector examine new objects only while a fetch is parsed. A fetch of many
    messages takes less time then. It changes the thresholds of the whole process (``gc.set_threshold``) and sets them
    back after the command.

    These may be changed at any time: ``on_unsolicited``; ``gc_tuning``; ``strict`` (False: unreadable items of a
    message are collected in the ``errors`` of the result, as `fetch` says; True: they raise ProtocolError);
    ``use_uid``; ``folder_encode`` (True: folder names are str, in modified UTF-7 on the wire; False: bytes as on the
    wire); ``normalise_times`` (True: datetimes are naive and in local time; False: they carry the zone that was sent).

    Use the client in a ``with`` statement: its end logs out, and closes the connection even if logging out fails.
    Raises OSError, ssl.SSLError or socket.timeout if no connection can be made.
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
        self._compress_where_offered()
        self._deliver_unsolicited()
        if stream:
            # Without the command: it may hold a password.
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
        """Log out and close. An error of that is logged, not raised: the body's exception matters more."""
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
        """The connection's socket, for selectors; the pipe with ``stream``. Don't read from it or write to it.

        Call ``idle_check(0)`` before each wait for it to become readable: lines may have been received already.
        """
        return self._imap.sock


def join_message_ids(messages: MessageIds) -> bytes:
    """Message ids as one sequence set, as they are given: ``join_message_ids([1, 2, 5]) == b'1,2,5'``."""
    items: list[int | Text] = [messages] if isinstance(messages, (int, str, bytes)) else list(messages)
    if items:
        SequenceSet(items[0] if len(items) == 1 else items)
    return b",".join(b"%d" % item if isinstance(item, int) else to_wire(item) for item in items)
