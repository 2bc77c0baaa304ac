"""Watching a folder: what happens in it as events, over as many connections as that takes."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING

from .._commands.base.running import CommandBase
from .._wire import waiting
from ..sequence_set import STAR
from ..util import Text

if TYPE_CHECKING:
    from ..events import FolderEvent, Reconnect


class WatchMixin(CommandBase):
    """IDLE (RFC 2177), or NOOP where the server lacks it, for as long as one likes."""

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
        """What happens in a folder, as it happens: a generator of the events of `imapclient.events`.

        ::

            for event in client.watch('INBOX'):
                if isinstance(event, NewMessage) and event.uid is not None:
                    print(client.fetch(event.uid, 'ENVELOPE'))

        The folder is selected when the first event is asked for. It waits in IDLE, which it renews every ``renew``
        seconds; where the server lacks IDLE it asks every ``poll`` seconds (NOOP). While the body of the loop runs the
        connection is not in IDLE and may be used, but no other folder selected: the next event is then an
        IllegalStateError. While the loop waits, calls of other threads raise that.

        It ends after ``timeout`` seconds (None: never), or where the loop is left and the generator closed: IDLE is
        ended then, and the connection usable. `shutdown` in another thread ends it with an IMAPClientAbortError.

        ``uidnext`` is the UIDNEXT up to which the program knows the folder: the messages with this UID or a higher one
        that are there already are told first, as new.

        Where the connection is lost, IMAPClientAbortError is raised (after a `Bye` where the server said why), unless
        ``reconnect`` says how to log in again: then there is a new connection with all settings of this client, and a
        `Reconnected` that says what may have been missed. LoginError is raised where the login is refused for good,
        CommandError where the folder can't be selected any more, ssl.SSLCertVerificationError where the certificate is
        not good: none of these gets better by itself. Give the client a ``timeout``, so that a server that falls silent
        as it is connected to is given up, too.

        What is not about the folder's messages, such as an alert, goes to ``on_unsolicited``.
        """
        # Here, since few programs watch, and the classes of the events take a tenth of this package's time of import.
        from ..events import Reconnect
        from .folder_watch import FolderWatch

        for name, value in (("renew", renew), ("poll", poll)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")
        self._folder(folder)
        if uidnext is not None and not (type(uidnext) is int and 0 < uidnext < STAR):
            raise ValueError(f"not a UID: {uidnext!r}")
        if reconnect is not None and not isinstance(reconnect, Reconnect):
            raise TypeError("reconnect must be an imapclient.events.Reconnect or None")
        end = math.inf if timeout is None else waiting.now() + timeout
        return FolderWatch(self, folder, readonly, renew, poll, end, reconnect).events(uidnext)
