"""Follows the responses about the selected folder, and converts them to events. No I/O.

Until the `NewMessage` of a message, there are no other events for it. Only `Vanished` may contain its UID.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Union

from .._parsing.fetch.parser import parse_fetch
from .._parsing.responses import Untagged
from ..events import Expunged, FlagsChanged, FolderState, NewMessage, Vanished
from ..exceptions import ProtocolError
from ..sequence_set import STAR, UidSet, how_many

Change = Union[NewMessage, Expunged, Vanished, FlagsChanged]

#: The names of the responses that a `FolderTracker` follows.
FOLLOWED = frozenset((b"EXISTS", b"EXPUNGE", b"VANISHED", b"FETCH"))
# The maximum number of changes of flags whose UIDs are fetched at a time, and of new messages that become events at a
# time.
_MAX_AT_ONCE = 500


def folder_state(selected: Mapping[bytes, Any]) -> FolderState:
    """The state of a folder, from the result of `IMAPClient.select_folder`."""
    numbers = {name: value for name, value in selected.items() if isinstance(value, int)}
    return FolderState(
        exists=numbers.get(b"EXISTS", 0),
        uidvalidity=numbers.get(b"UIDVALIDITY"),
        uidnext=numbers.get(b"UIDNEXT"),
        highestmodseq=numbers.get(b"HIGHESTMODSEQ"),
    )


class FolderTracker:
    """The changes of one folder since it was selected. ``state`` is the state after the events so far."""

    def __init__(self, state: FolderState) -> None:
        self.state = state
        self._exists = state.exists
        self._changes: list[Change] = []
        # Key: the index in `_changes` of a change of flags without a UID. Value: the message's present sequence number.
        self._unresolved: dict[int, int] = {}

    def expect_new(self, count: int, uidnext: int) -> None:
        """Treat the last ``count`` messages as new. Their UIDs are ``uidnext`` or higher."""
        self.state = replace(self.state, exists=max(0, self._exists - count), uidnext=uidnext)

    def follow(self, responses: Iterable[Untagged]) -> None:
        """Follow responses, in the order in which they were received."""
        for response in responses:
            number = response.number
            if response.name == b"VANISHED":
                self._vanish(response)
            elif number is None:
                continue
            elif response.name == b"EXISTS":
                if number < STAR:
                    self._exists = number
                    self.state = replace(self.state, exists=min(self.state.exists, number))
            elif response.name == b"EXPUNGE":
                self._expunge(number)
            elif response.name == b"FETCH":
                with contextlib.suppress(ProtocolError):
                    self.note_flags(number, parse_fetch(response))

    def _expunge(self, number: int) -> None:
        if not 0 < number <= self._exists:
            return
        self._exists -= 1
        if number > self.state.exists:
            return
        self.state = replace(self.state, exists=self.state.exists - 1)
        self._unresolved = {
            index: other - (other > number) for index, other in self._unresolved.items() if other != number
        }
        self._changes.append(Expunged(number))

    def _vanish(self, response: Untagged) -> None:
        # VANISHED (EARLIER), the answer to a command, is not a UidSet (RFC 7162, 3.2.10).
        try:
            uids = UidSet(response.text)
        except ValueError:
            return
        uidnext = self.state.uidnext
        known = [(low, high if uidnext is None else min(high, uidnext - 1)) for low, high in uids.ranges]
        gone = how_many((low, high) for low, high in known if low <= high)
        self._exists = max(0, self._exists - len(uids))
        self.state = replace(self.state, exists=max(0, min(self._exists, self.state.exists - gone)))
        # The sequence numbers of these messages are unknown, so the later numbers are unknown too.
        self._unresolved.clear()
        self._changes.append(Vanished(uids))

    def note_flags(self, number: int, items: Mapping[bytes, Any]) -> None:
        """Note the flags of a message, if its FETCH response has them."""
        flags, uid, modseq = items.get(b"FLAGS"), items.get(b"UID"), items.get(b"MODSEQ")
        if not isinstance(flags, tuple) or not 0 < number <= self.state.exists:
            return
        if isinstance(modseq, tuple):
            modseq = modseq[0] if modseq else None
        if uid is None and len(self._unresolved) < _MAX_AT_ONCE:
            self._unresolved[len(self._changes)] = number
        self._changes.append(FlagsChanged(number, flags, uid, modseq))

    def numbers_without_uid(self) -> set[int]:
        """The sequence numbers whose UIDs `changes` needs: those of changed flags and of new messages."""
        return {*self._unresolved.values(), *self._new()}

    def _new(self) -> range:
        known = self.state.exists
        return range(known + 1, min(self._exists, known + _MAX_AT_ONCE) + 1)

    def changes(self, uids: Mapping[int, int]) -> Iterator[Change]:
        """The changes since the last call. ``uids`` has UIDs for `numbers_without_uid`, as far as they are known."""
        new = self._new()
        changes, self._changes = self._changes, []
        unresolved, self._unresolved = self._unresolved, {}
        for index, number in unresolved.items():
            change = changes[index]
            assert isinstance(change, FlagsChanged)
            changes[index] = replace(change, uid=uids.get(number))
        for number in new:
            uid, uidnext = uids.get(number), self.state.uidnext
            self.state = replace(self.state, exists=number)
            if uid is not None:
                if uidnext is not None and uid < uidnext:
                    # The message is not new: SEARCH and EXISTS were answered at different times.
                    continue
                self.state = replace(self.state, uidnext=uid + 1)
            changes.append(NewMessage(number, uid))
        return iter(changes)

    def known_changes(self) -> Iterator[Change]:
        """The changes of known messages since the last call, with the UIDs that the server sent."""
        changes, self._changes = self._changes, []
        self._unresolved.clear()
        return iter(changes)
