"""The attributes of a client, and the methods that one family of commands needs from another."""

from __future__ import annotations

import ssl as ssl_module
from typing import TYPE_CHECKING, Any, Callable

from ..._connection.gateway import Connection
from ..._parsing.records import Limits
from ..._parsing.responses import ReadOptions
from ..._wire import waiting
from ...util import Text

if TYPE_CHECKING:
    from ..._auth.mechanisms import Mechanism
    from ..._parsing.search import SearchIds

UntaggedItem = tuple[Any, ...]
"""An untagged response as the API returns it: ``(1, b'EXISTS')``, ``(b'OK', b'Still here')``."""


class ClientState:
    """Every attribute of a client. `IMAPClient` sets the public ones, `_prepare_state` the others."""

    host: str
    port: int | None
    ssl: bool
    ssl_context: ssl_module.SSLContext | None
    stream: bool
    use_uid: bool
    folder_encode: bool
    normalise_times: bool
    strict: bool
    on_unsolicited: Callable[[UntaggedItem], object] | None
    gc_tuning: bool
    _imap: Connection
    _limits: Limits
    #: Whether a connection is compressed after its login.
    _compress: bool
    #: Held by the thread that calls `on_unsolicited`.
    _delivering: waiting.Lock
    #: The thread that runs the body of `_exclusive`, or None.
    _exclusive_thread: int | None
    #: Set by `logout` and `shutdown`, so that nothing connects again after them.
    _closing: waiting.Event
    #: The context that `starttls` was given, in a tuple, for the next connection. None before STARTTLS.
    _starttls: tuple[ssl_module.SSLContext | None] | None

    def _prepare_state(self) -> None:
        self._delivering = waiting.lock()
        self._exclusive_thread = None
        self._closing = waiting.event()
        self._starttls = None

    @property
    def _read_options(self) -> ReadOptions:
        return ReadOptions(self.normalise_times, self._limits.nesting_depth)

    # -- provided by the client

    def _create_IMAP4(self) -> Connection:
        raise NotImplementedError

    # -- provided by families

    def capabilities(self) -> tuple[bytes, ...]:
        raise NotImplementedError

    def has_capability(self, capability: Text) -> bool:
        raise NotImplementedError

    def search(self, criteria: Any) -> SearchIds:
        raise NotImplementedError

    def enable(self, *capabilities: Text) -> list[bytes]:
        raise NotImplementedError

    def starttls(self, ssl_context: ssl_module.SSLContext | None = None) -> bytes:
        raise NotImplementedError

    def login(self, username: Text, password: Text) -> bytes:
        raise NotImplementedError

    def authenticate(self, mechanism: Mechanism) -> bytes:
        raise NotImplementedError

    def select_folder(self, folder: Text, readonly: bool = False) -> dict[bytes, Any]:
        raise NotImplementedError
