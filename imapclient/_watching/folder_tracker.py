"""Follows what a server tells of the selected folder, and makes events of it. No I/O.

A message that is not known yet, whose `NewMessage` is still to come, is in no other event.
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

#: Names of the responses that it follows.
FOLLOWED = frozenset((b"EXISTS", b"EXPUNGE", b"VANISHED", b"FETCH"))
# For so many changes of flags at a time UIDs are looked for, and so many new messages are told at a time.
_MAX_AT_ONCE = 500


def folder_state(told: Mapping[bytes, Any]) -> FolderState:
    """What SELECT tells, as `IMAPClient.select_folder` returns it."""
    numbers = {name: value for name, value in told.items() if isinstance(value, int)}
    return FolderState(
        exists=numbers.get(b"EXISTS", 0),
        uidvalidity=numbers.get(b"UIDVALIDITY"),
        uidnext=numbers.get(b"UIDNEXT"),
        highestmodseq=numbers.get(b"HIGHESTMODSEQ"),
    )


class FolderTracker:
    """One folder, from when it was selected. ``state`` is what the events so far have told."""

    def __init__(self, state: FolderState) -> None:
        self.state = state
        self._exists = state.exists
        self._changes: list[Change] = []
        # Index of a change of flags without a UID, and the number that its message has now.
        self._unresolved: dict[int, int] = {}

    def expect_new(self, count: int, uidnext: int) -> None:
        """The last ``count`` messages are to be told as new: those whose UID is ``uidnext`` or higher."""
        self.state = replace(self.state, exists=max(0, self._exists - count), uidnext=uidnext)

    def follow(self, responses: Iterable[Untagged]) -> None:
        """Take what the server has told, in its order."""
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
        # "VANISHED (EARLIER)" is the answer to a command (RFC 7162, 3.2.10).
        try:
            uids = UidSet(response.text)
        except ValueError:
            return
        uidnext = self.state.uidnext
        known = [(low, high if uidnext is None else min(high, uidnext - 1)) for low, high in uids.ranges]
        gone = how_many((low, high) for low, high in known if low <= high)
        self._exists = max(0, self._exists - len(uids))
        self.state = replace(self.state, exists=max(0, min(self._exists, self.state.exists - gone)))
        # Which numbers these had isn't known.
        self._unresolved.clear()
        self._changes.append(Vanished(uids))

    def note_flags(self, number: int, items: Mapping[bytes, Any]) -> None:
        """Take what a FETCH response says of a message, if that is about flags."""
        flags, uid, modseq = items.get(b"FLAGS"), items.get(b"UID"), items.get(b"MODSEQ")
        if not isinstance(flags, tuple) or not 0 < number <= self.state.exists:
            return
        if isinstance(modseq, tuple):
            modseq = modseq[0] if modseq else None
        if uid is None and len(self._unresolved) < _MAX_AT_ONCE:
            self._unresolved[len(self._changes)] = number
        self._changes.append(FlagsChanged(number, flags, uid, modseq))

    def numbers_without_uid(self) -> set[int]:
        """The sequence numbers whose UIDs `changes` needs: of changed flags, and of new messages."""
        return {*self._unresolved.values(), *self._new()}

    def _new(self) -> range:
        known = self.state.exists
        return range(known + 1, min(self._exists, known + _MAX_AT_ONCE) + 1)

    def changes(self, uids: Mapping[int, int]) -> Iterator[Change]:
        """What has happened, with the UIDs that are known of `numbers_without_uid`; each is told once."""
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
                    # It was there before: what SEARCH found and what EXISTS told came at different times.
                    continue
                self.state = replace(self.state, uidnext=uid + 1)
            changes.append(NewMessage(number, uid))
        return iter(changes)

    def known_changes(self) -> Iterator[Change]:
        """What has happened to messages that are known already, without their UIDs where the server told none."""
        changes, self._changes = self._changes, []
        self._unresolved.clear()
        return iter(changes)
