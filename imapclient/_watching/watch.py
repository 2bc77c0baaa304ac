"""Watching a folder: its changes as events, over one or several connections."""

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
    """Watching a folder for any length of time, with IDLE (RFC 2177), or with NOOP on servers without IDLE."""

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
        """Yield an event for each change in a folder, as soon as the server reports it. ::

            for event in client.watch('INBOX'):
                if isinstance(event, NewMessage) and event.uid is not None:
                    print(client.fetch(event.uid, 'ENVELOPE'))

        The events are the classes of `imapclient.events`, such as ``NewMessage(sequence_number=14, uid=114)``.

        The folder is selected when the first event is requested. The loop waits in IDLE (RFC 2177), which it renews
        every ``renew`` seconds. Without the capability IDLE, it sends NOOP every ``poll`` seconds. While the body of
        the loop runs, the connection is not in IDLE and may be used. If the body selects another folder, the next event
        raises IllegalStateError. While the loop waits in IDLE, commands of other threads raise IllegalStateError.

        The generator ends after ``timeout`` seconds (None: never), or when the program leaves the loop. IDLE has ended
        then, and the connection is usable. If another thread calls `shutdown`, the generator raises
        IMAPClientAbortError.

        ``uidnext`` is an earlier UIDNEXT of the folder, for a program that has seen all messages before it. Existing
        messages with this UID or a higher one come first, as `NewMessage`.

        If the connection is lost, raises IMAPClientAbortError. If the server sent BYE, a `Bye` comes first.

        With ``reconnect``, which contains the login, a new connection is made instead, with all settings of this
        client. The event `Reconnected` then shows what may have been missed. If the server refuses the login or the
        folder, or if its certificate is not valid, a new attempt would not help. Then LoginError, CommandError or
        ssl.SSLCertVerificationError is raised. Set the client's ``timeout``: without it, a new attempt waits for ever
        for a server that does not answer.

        Responses that are not about the folder's messages, such as an alert, are delivered to ``on_unsolicited``.

        Raises ValueError or TypeError at once, if an argument is not valid.
        """
        # Imported here, because few programs use watch(). This import would take a tenth of the package's import time.
        from ..events import Reconnect
        from .folder_watch import FolderWatch

        for name, value in (("renew", renew), ("poll", poll)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")
        self._folder(folder)
        if uidnext is not None and not (type(uidnext) is int and 0 < uidnext < STAR):
            raise ValueError(f"uidnext must be a UID from 1 to {STAR - 1}, not {uidnext!r}")
        if reconnect is not None and not isinstance(reconnect, Reconnect):
            raise TypeError("reconnect must be an imapclient.events.Reconnect or None, not " + type(reconnect).__name__)
        end = math.inf if timeout is None else waiting.now() + timeout
        return FolderWatch(self, folder, readonly, renew, poll, end, reconnect).events(uidnext)
