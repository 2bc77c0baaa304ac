"""The events of `IMAPClient.watch`, and the settings for reconnecting. No I/O.

Earlier events change the sequence numbers in later ones: after ``Expunged(3)``, message 4 becomes message 3. UIDs stay
the same.
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
    """The state of a folder at one moment. Keep it to find out later what has changed.

    ``exists`` is the number of messages. Another value is None if the server does not report it. The UID of a new
    message is ``uidnext`` or higher. If ``uidvalidity`` changes, all earlier UIDs are invalid (RFC 9051, 2.3.1.1). If
    the flags of a message change, its mod-sequence becomes higher than ``highestmodseq`` (RFC 7162).
    """

    exists: int
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None


@dataclass(frozen=True)
class NewMessage:
    """A new message arrived: ``NewMessage(sequence_number=14, uid=114)``. ``uid`` is None if it is unknown."""

    sequence_number: int
    uid: int | None = None


@dataclass(frozen=True)
class Expunged:
    """The message with this sequence number was removed: ``Expunged(sequence_number=3)`` (RFC 9051, 7.5.1)."""

    sequence_number: int


@dataclass(frozen=True)
class Vanished:
    """Messages were removed: ``Vanished(uids=UidSet('41,43:116'))`` (RFC 7162, 3.2.10).

    It replaces `Expunged` if QRESYNC is enabled.
    """

    uids: UidSet


@dataclass(frozen=True)
class FlagsChanged:
    """The flags of a message are now these: ``FlagsChanged(sequence_number=3, flags=(b'\\\\Seen',), uid=103)``.

    ``uid`` is None if it is unknown, and ``modseq`` is None if the server does not send it.
    """

    sequence_number: int
    flags: tuple[bytes, ...]
    uid: int | None = None
    modseq: int | None = None


@dataclass(frozen=True)
class Bye:
    """The server closes the connection and sends the reason: ``Bye(text='Shutting down', code=None)``."""

    text: str
    code: ResponseCode | None = None


@dataclass(frozen=True)
class Reconnected:
    """The connection was lost. There is a new connection, and the folder is selected again.

    ``before`` is the last known state of the folder, and ``after`` is its state now. If messages arrived meanwhile, a
    `NewMessage` follows for each, unless `uidvalidity_changed` is true. There are no events for messages that were
    removed meanwhile, or whose flags changed. To find removed messages, compare the UIDs (`IMAPClient.search`). To find
    changed flags, call ``fetch("1:*", ["FLAGS"], [f"CHANGEDSINCE {before.highestmodseq}"])``. ``cause`` is the
    exception that ended the connection. ``attempts`` is the number of attempts to reconnect, at least 1.
    """

    before: FolderState
    after: FolderState
    cause: BaseException
    attempts: int

    @property
    def uidvalidity_changed(self) -> bool:
        """Whether all earlier UIDs are invalid: the UIDVALIDITY of the folder changed, or the server sends none."""
        return self.after.uidvalidity is None or self.after.uidvalidity != self.before.uidvalidity


FolderEvent = Union[NewMessage, Expunged, Vanished, FlagsChanged, Bye, Reconnected]
"""The events of `IMAPClient.watch`."""

# One day, in seconds.
_MAX_DELAY = 86400

Credentials = Union[tuple[Text, Text], Mechanism, Callable[[Any], object], None]


@dataclass(frozen=True)
class Reconnect:
    """How `IMAPClient.watch` reconnects if the connection is lost.

    ``login`` is a pair of user name and password, a mechanism of `imapclient.sasl`, or a function that logs the client
    in. The function receives the client as its argument, and can use a new token:
    ``lambda client: client.oauth2_login("ann", new_token())``. ``login`` is None if the connection needs no login. The
    repr of this object does not show it.

    There is a pause before each attempt. The first pause takes at most ``first_delay`` seconds. Each further pause is
    twice as long, but at most ``max_delay`` seconds. Up to half of a pause is left out at random. So the clients of a
    server do not all reconnect at the same moment. If ``attempts`` in a row fail, the last error is raised. If it
    is None, there is no limit.

    Raises TypeError if ``login`` is anything else. Raises ValueError if ``attempts`` is less than 1, or if not
    0 <= ``first_delay`` <= ``max_delay`` <= 86400 (a day).
    """

    login: Credentials = field(repr=False)
    attempts: int | None = None
    first_delay: float = 1.0
    max_delay: float = 300.0

    def __post_init__(self) -> None:
        if not (self.login is None or callable(self.login) or (isinstance(self.login, tuple) and len(self.login) == 2)):
            raise TypeError("login must be a pair of user name and password, a mechanism, a function, or None")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, or None for no limit, not {self.attempts!r}")
        if not 0 <= self.first_delay <= self.max_delay <= _MAX_DELAY:
            raise ValueError(
                f"the delays must be 0 <= first_delay <= max_delay <= {_MAX_DELAY} seconds, not "
                f"first_delay={self.first_delay!r}, max_delay={self.max_delay!r}"
            )

    def delays(self) -> Iterator[float]:
        """The pause before each attempt, in seconds."""
        delay, number = self.first_delay, 0
        while self.attempts is None or number < self.attempts:
            yield delay * random.uniform(0.5, 1)
            # Only the first delay may be 0.
            delay, number = min(2 * delay or 1.0, self.max_delay), number + 1
