"""The events of a watched folder, and the settings for reconnecting."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from imapclient.events import FolderState, Reconnect, Reconnected
from imapclient.sasl import Plain


def test_the_login_is_in_no_repr() -> None:
    for login in (("ann", "s3cret"), Plain("ann", "s3cret"), lambda client: "s3cret"):
        assert "s3cret" not in repr(Reconnect(login))
        assert "s3cret" not in str(Reconnect(login))


@pytest.mark.parametrize("login", ["ann", ("ann",), ("ann", "b", "c"), 5, ["ann", "secret"]])
def test_what_is_no_login(login: Any) -> None:
    with pytest.raises(TypeError) as caught:
        Reconnect(login)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"first_delay": -1},
        {"first_delay": 2, "max_delay": 1},
        {"max_delay": float("nan")},
        {"max_delay": 86401},
    ],
)
def test_what_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Reconnect(None, **options)


def test_the_pauses_grow_up_to_the_longest_and_differ() -> None:
    reconnect = Reconnect(None, first_delay=1, max_delay=5)
    delays = list(itertools.islice(reconnect.delays(), 40))
    for delay, longest in zip(delays, [1, 2, 4, *[5] * 37]):
        assert longest / 2 <= delay <= longest
    assert len(set(delays)) > 10


def test_only_the_first_pause_may_be_none() -> None:
    delays = list(itertools.islice(Reconnect(None, first_delay=0).delays(), 3))
    assert delays[0] == 0
    assert 0.5 <= delays[1] <= 1 <= delays[2] <= 2


def test_no_more_pauses_than_attempts() -> None:
    assert len(list(Reconnect(None, attempts=3, first_delay=0).delays())) == 3


@pytest.mark.parametrize(
    ("before", "after", "changed"), [(1, 1, False), (1, 2, True), (1, None, True), (None, 1, True)]
)
def test_another_uidvalidity(before: int | None, after: int | None, changed: bool) -> None:
    event = Reconnected(FolderState(1, before), FolderState(1, after), OSError(), 1)
    assert event.uidvalidity_changed is changed
