"""From what a server tells to events: a program that follows the events knows which messages are there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from imapclient._parsing.responses import Untagged
from imapclient._watching.folder_tracker import FolderTracker, folder_state
from imapclient.events import Expunged, FlagsChanged, FolderState, NewMessage, Vanished
from imapclient.sequence_set import UidSet


def told(*lines: bytes) -> list[Untagged]:
    """Responses: ``told(b'3 EXPUNGE', b'VANISHED 5')``."""
    responses = []
    for line in lines:
        first, _, rest = line.partition(b" ")
        number = int(first) if first.isdigit() else None
        name = rest.partition(b" ")[0] if first.isdigit() else first
        start = len(b"* ") + len(line) - len(rest.partition(b" ")[2] if first.isdigit() else rest)
        responses.append(Untagged(name, number, b"* " + line, start, None))
    return responses


def changes(tracker: FolderTracker, *lines: bytes, uids: dict[int, int] | None = None) -> list[Any]:
    tracker.follow(told(*lines))
    return list(tracker.changes(uids or {}))


def test_the_state_is_what_select_tells() -> None:
    told_by_select: dict[bytes, Any] = {
        b"EXISTS": 3, b"UIDVALIDITY": 5, b"UIDNEXT": 9, b"HIGHESTMODSEQ": 7, b"FLAGS": (), b"READ-WRITE": True,
    }  # fmt: skip
    assert folder_state(told_by_select) == FolderState(3, 5, 9, 7)
    assert folder_state({b"UIDNEXT": [b"x"]}) == FolderState(0)


def test_new_messages() -> None:
    tracker = FolderTracker(FolderState(2, uidnext=9))
    assert changes(tracker, b"4 EXISTS", uids={3: 9, 4: 12}) == [NewMessage(3, 9), NewMessage(4, 12)]
    assert tracker.state == FolderState(4, uidnext=13)
    assert changes(tracker, b"5 EXISTS") == [NewMessage(5)]
    assert tracker.state == FolderState(5, uidnext=13)
    assert changes(tracker, b"5 EXISTS") == []


def test_a_new_message_that_is_gone_at_once_is_not_told() -> None:
    tracker = FolderTracker(FolderState(2))
    assert changes(tracker, b"4 EXISTS", b"3 EXPUNGE", uids={3: 8}) == [NewMessage(3, 8)]


def test_numbers_go_down_with_each_expunge() -> None:
    tracker = FolderTracker(FolderState(5))
    assert changes(tracker, b"2 EXPUNGE", b"2 EXPUNGE", b"4 EXISTS", uids={4: 7}) == [
        Expunged(2),
        Expunged(2),
        NewMessage(4, 7),
    ]
    assert tracker.state.exists == 4


def test_flags_get_the_uid_of_the_message_that_was_meant() -> None:
    tracker = FolderTracker(FolderState(5))
    tracker.follow(told(b"3 FETCH (FLAGS (a))", b"4 FETCH (FLAGS ())", b"1 EXPUNGE", b"3 EXPUNGE"))
    assert tracker.numbers_without_uid() == {2}
    assert list(tracker.changes({2: 70, 3: 80})) == [
        FlagsChanged(3, (b"a",), 70),
        # It is gone meanwhile.
        FlagsChanged(4, (), None),
        Expunged(1),
        Expunged(3),
    ]


def test_what_the_server_tells_with_flags() -> None:
    tracker = FolderTracker(FolderState(5))
    lines = (b"3 FETCH (UID 9 MODSEQ (77) FLAGS (\\Seen))", b"2 FETCH (BODY[] x)", b"6 FETCH (FLAGS (a))")
    assert changes(tracker, *lines) == [FlagsChanged(3, (b"\\Seen",), 9, 77)]


@pytest.mark.parametrize(
    "line",
    [b"0 EXPUNGE", b"6 EXPUNGE", b"5 EXISTS", b"99999999999 EXISTS", b"3 FETCH (FLAGS", b"VANISHED x", b"EXISTS",
     b"VANISHED (EARLIER) 1:4", b"0 FETCH (FLAGS ())", b"VANISHED 1:*", b"3 FETCH (FLAGS x)"],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(line: bytes) -> None:
    tracker = FolderTracker(FolderState(5, uidnext=9))
    assert changes(tracker, line) == []
    assert tracker.state == FolderState(5, uidnext=9)


def test_vanished() -> None:
    tracker = FolderTracker(FolderState(5, uidnext=9))
    lines = (b"3 FETCH (FLAGS (a))", b"VANISHED 2,4:5")
    assert changes(tracker, *lines) == [FlagsChanged(3, (b"a",)), Vanished(UidSet("2,4:5"))]
    assert tracker.state.exists == 2
    # Of messages that are not told yet.
    assert changes(tracker, b"4 EXISTS", b"VANISHED 9", uids={3: 10}) == [Vanished(UidSet("9")), NewMessage(3, 10)]
    assert changes(tracker, b"VANISHED 1:4294967295") == [Vanished(UidSet("1:4294967295"))]
    assert tracker.state.exists == 0


def test_many_new_messages_are_told_in_parts() -> None:
    tracker = FolderTracker(FolderState(1))
    found = changes(tracker, b"4294967295 EXISTS")
    assert 0 < len(found) <= 1000
    assert found[0] == NewMessage(2)
    assert next(iter(tracker.changes({}))) == NewMessage(2 + len(found))


def test_what_was_there_before_is_not_new() -> None:
    tracker = FolderTracker(FolderState(5, uidnext=20))
    tracker.expect_new(2, 8)
    assert tracker.numbers_without_uid() == {4, 5}
    assert list(tracker.changes({4: 7, 5: 9})) == [NewMessage(5, 9)]
    assert tracker.state == FolderState(5, uidnext=10)


def test_what_is_known_when_the_connection_ends() -> None:
    tracker = FolderTracker(FolderState(5, uidnext=20))
    tracker.follow(told(b"6 EXISTS", b"2 FETCH (FLAGS ())", b"1 EXPUNGE"))
    assert list(tracker.known_changes()) == [FlagsChanged(2, ()), Expunged(1)]
    # The new message is to be told by the next connection.
    assert tracker.state == FolderState(4, uidnext=20)


_STEPS = strategies.lists(strategies.tuples(strategies.sampled_from("nnxfl"), strategies.integers(0, 30)), max_size=60)


@given(_STEPS)
def test_whoever_follows_the_events_knows_the_folder(steps: list[tuple[str, int]]) -> None:
    """New message, expunge, change of flags, look: the folder as the events tell it is the one that the server has."""
    folder = [101, 102, 103]
    following = list(folder)
    uidnext = 104
    tracker = FolderTracker(FolderState(len(folder), uidnext=uidnext))
    lines: list[bytes] = []
    for step, number in [*steps, ("l", 0)]:
        if step == "n":
            folder.append(uidnext)
            uidnext += 1
            lines.append(b"%d EXISTS" % len(folder))
        elif step == "l":
            tracker.follow(told(*lines))
            lines.clear()
            uids = {place: folder[place - 1] for place in tracker.numbers_without_uid()}
            for change in tracker.changes(uids):
                if isinstance(change, NewMessage):
                    assert change.sequence_number == len(following) + 1
                    assert change.uid is not None
                    following.append(change.uid)
                elif isinstance(change, Expunged):
                    del following[change.sequence_number - 1]
                else:
                    assert isinstance(change, FlagsChanged)
                    assert change.uid in (None, following[change.sequence_number - 1])
                    if following[change.sequence_number - 1] in folder:
                        assert change.uid is not None
            assert following == folder
            assert tracker.state.exists == len(folder)
        elif folder:
            place = number % len(folder) + 1
            if step == "x":
                del folder[place - 1]
                lines.append(b"%d EXPUNGE" % place)
            else:
                lines.append(b"%d FETCH (FLAGS (\\Seen))" % place)
