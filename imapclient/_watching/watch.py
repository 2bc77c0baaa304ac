"""Watching a folder: what happens in it as events, over one or several connections."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING

from .._commands.base.command_base import CommandBase
from .._wire import waiting
from ..sequence_set import STAR
from ..util import Text

if TYPE_CHECKING:
    from ..events import FolderEvent, Reconnect


class WatchMixin(CommandBase):
    """IDLE (RFC 2177), or NOOP without it, for any length of time."""

    def watch(
        self,
        folder: Text,
        *,
        readonly: bool = False,
        renew: float = 540.0,
        poll: float = 60.0,
        timeout: float | None = None,
        uidnext: int | None = None,
        reconnect: Reconnect | None = None,
    ) -> Generator[FolderEvent, None, None]:
        """Yield what happens in a folder, as it happens: the events of `imapclient.events`.

        ::

            for event in client.watch('INBOX'):
                if isinstance(event, NewMessage) and event.uid is not None:
                    print(client.fetch(event.uid, 'ENVELOPE'))

        The folder is selected when the first event is requested. The loop waits in IDLE, which it renews every
        ``renew`` seconds. Without IDLE it sends NOOP every ``poll`` seconds. While the body of the loop runs, the
        connection is not in IDLE and may be used. If the body selects another folder, the next event raises
        IllegalStateError. While the loop waits, calls of other threads raise IllegalStateError.

        The generator ends after ``timeout`` seconds (None: never), and when it is closed because the loop is left. IDLE
        is over then, and the connection is usable. `shutdown` in another thread ends the generator with an
        IMAPClientAbortError.

        ``uidnext`` is the UIDNEXT up to which the program knows the folder. Messages that are there already, with this
        UID or a higher one, come first, as `NewMessage`.

        Raises IMAPClientAbortError if the connection is lost, after a `Bye` if the server gave a reason. With
        ``reconnect``, which says how to log in again, a new connection with all settings of this client is made
        instead. `Reconnected` then says what may have been missed. LoginError, CommandError and
        ssl.SSLCertVerificationError are raised all the same, if the login, the folder or the certificate is refused and
        a new attempt would not help. Set the client's ``timeout``, so that a server that falls silent during the
        connect is given up too.

        Responses that are not about the folder's messages, such as an alert, are delivered to ``on_unsolicited``.
        """
        # Imported here because few programs watch, and the events take a tenth of the time to import the package.
        from ..events import Reconnect
        from .folder_watch import FolderWatch

        for name, value in (("renew", renew), ("poll", poll)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")
        self._folder(folder)
        if uidnext is not None and not (type(uidnext) is int and 0 < uidnext < STAR):
            raise ValueError(f"uidnext must be a UID, not {uidnext!r}")
        if reconnect is not None and not isinstance(reconnect, Reconnect):
            raise TypeError("reconnect must be an imapclient.events.Reconnect or None")
        end = math.inf if timeout is None else waiting.now() + timeout
        return FolderWatch(self, folder, readonly, renew, poll, end, reconnect).events(uidnext)
