"""What `IMAPClient.watch` tells, and how it connects again. No I/O.

Sequence numbers are those after all events before: ``Expunged(3)`` makes of message 4 message 3. UIDs stay the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable, Union

from ._auth.mechanisms import Mechanism
from .exceptions import ResponseCode
from .sequence_set import UidSet
from .util import Text


@dataclass(frozen=True)
class FolderState:
    """What is known of a folder at one moment: enough to tell later what may have been missed.

    ``exists`` is the number of messages. None for what the server does not tell. A new message has ``uidnext`` as its
    UID or a higher one; a different ``uidvalidity`` means that no UID from before is valid (RFC 9051, 2.3.1.1);
    flags that changed since have a mod-sequence above ``highestmodseq`` (RFC 7162).
    """

    exists: int
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None


@dataclass(frozen=True)
class NewMessage:
    """A message has come: ``NewMessage(sequence_number=14, uid=114)``. ``uid`` is None where it can't be known."""

    sequence_number: int
    uid: int | None = None


@dataclass(frozen=True)
class Expunged:
    """The message with that number is gone: ``Expunged(sequence_number=3)``."""

    sequence_number: int


@dataclass(frozen=True)
class Vanished:
    """Messages are gone: ``Vanished(uids=UidSet('41,43:116'))``. Comes instead of `Expunged` where QRESYNC is on."""

    uids: UidSet


@dataclass(frozen=True)
class FlagsChanged:
    """A message's flags are these now: ``FlagsChanged(sequence_number=3, flags=(b'\\\\Seen',), uid=103)``.

    ``uid`` is None where it can't be known, ``modseq`` where the server does not tell it.
    """

    sequence_number: int
    flags: tuple[bytes, ...]
    uid: int | None = None
    modseq: int | None = None


@dataclass(frozen=True)
class Bye:
    """The server ends the connection, and says why: ``Bye(text='Shutting down', code=None)``."""

    text: str
    code: ResponseCode | None = None


@dataclass(frozen=True)
class Reconnected:
    """The connection was lost and there is a new one, with the folder selected.

    ``before`` is the folder as it was known, ``after`` as it is now. Messages that came in between follow as
    `NewMessage`, unless `uidvalidity_changed`. Which were removed, and whose flags changed, nobody has told: that is to
    be looked for, by comparing UIDs (`IMAPClient.search`) and by ``fetch("1:*", ["FLAGS"], [f"CHANGEDSINCE
    {before.highestmodseq}"])``. ``cause`` is what ended the connection, ``attempts`` how often it was tried: 1 or more.
    """

    before: FolderState
    after: FolderState
    cause: BaseException
    attempts: int

    @property
    def uidvalidity_changed(self) -> bool:
        """Whether what is known by UIDs is worthless: the folder has another UIDVALIDITY, or has none at all."""
        return self.after.uidvalidity is None or self.after.uidvalidity != self.before.uidvalidity


FolderEvent = Union[NewMessage, Expunged, Vanished, FlagsChanged, Bye, Reconnected]
"""What `IMAPClient.watch` tells."""

# A day. Who waits longer has given up.
_LONGEST_DELAY = 86400

Credentials = Union[tuple[Text, Text], Mechanism, Callable[[Any], object], None]


@dataclass(frozen=True)
class Reconnect:
    """How `IMAPClient.watch` connects again where the connection is lost.

    ``login`` is a pair of user name and password, a mechanism of `imapclient.sasl`, or a function that is called with
    the client and logs it in, with a fresh token for example: ``lambda client: client.oauth2_login("ann",
    new_token())``. None is for a connection that needs no login. It is not in the repr.

    After the loss, and after each attempt that fails, there is a pause: about ``first_delay`` seconds, then twice as
    long each time, at most ``max_delay``, which is at most a day; half of it is left to chance, so that not all clients
    of a server come back at once. After ``attempts`` of them in a row (None: never) the last error is raised.
    """

    login: Credentials = field(repr=False)
    attempts: int | None = None
    first_delay: float = 1.0
    max_delay: float = 300.0

    def __post_init__(self) -> None:
        if not (self.login is None or callable(self.login) or (isinstance(self.login, tuple) and len(self.login) == 2)):
            raise TypeError("login is a pair of user name and password, a mechanism, a function, or None")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError("attempts must be 1 or more")
        if not 0 <= self.first_delay <= self.max_delay <= _LONGEST_DELAY:
            raise ValueError(f"the delays must be 0 <= first_delay <= max_delay <= {_LONGEST_DELAY}")

    def delays(self) -> Iterator[float]:
        """The pause before each attempt, in seconds."""
        delay, number = self.first_delay, 0
        while self.attempts is None or number < self.attempts:
            yield delay * random.uniform(0.5, 1)
            # Only the first one may be none at all.
            delay, number = min(2 * delay or 1.0, self.max_delay), number + 1
