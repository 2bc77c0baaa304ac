"""The collector runs less often while a fetch is read, and as often as before afterwards."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from imapclient._commands.base.gc_tuning import fewer_collections
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import SendBytes

USUAL = (700, 10, 10)


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


def test_it_runs_less_often_meanwhile() -> None:
    with fewer_collections():
        young, middle, old = gc.get_threshold()
        assert (young, old) == (USUAL[0], USUAL[2])
        assert middle >= 1000
    assert gc.get_threshold() == USUAL


def test_after_an_exception() -> None:
    with pytest.raises(KeyboardInterrupt), fewer_collections():
        raise KeyboardInterrupt
    assert gc.get_threshold() == USUAL


@pytest.mark.parametrize("own", [(0, 10, 10), (500, 5000, 5)])
def test_a_setting_that_is_more_generous_stays(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with fewer_collections():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_what_others_set_meanwhile_stays() -> None:
    with fewer_collections():
        gc.set_threshold(123, 4, 5)
    assert gc.get_threshold() == (123, 4, 5)


def test_two_at_a_time() -> None:
    one, other = fewer_collections(), fewer_collections()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    other.__exit__(None, None, None)
    assert gc.get_threshold() == USUAL


def test_a_fetch_with_gc_tuning() -> None:
    generations: list[int] = []

    def count(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and gc.get_threshold() != USUAL:
            generations.append(info["generation"])

    line = b'* %d FETCH (UID %d ENVELOPE (NIL NIL ((NIL NIL "ann" "x"))' + b" NIL" * 7 + b"))\r\n"
    # One piece: a script's lines would be objects that go while the others come.
    sent = SendBytes(b"".join(line % (number, number) for number in range(1, 4001)))
    with dialogue(["C: A1 UID FETCH 1:4000 (ENVELOPE)", sent, "S: A1 OK Done"]) as client:
        client.gc_tuning = True
        gc.collect()
        gc.callbacks.append(count)
        try:
            assert len(client.fetch("1:4000", "ENVELOPE")) == 4000
        finally:
            gc.callbacks.remove(count)
    assert len(generations) > 10
    if sys.version_info < (3, 14):
        # From there on each collection is a part of one of what is old, called generation 1.
        assert set(generations) == {0}
    assert gc.get_threshold() == USUAL


def test_a_fetch_changes_nothing_by_itself() -> None:
    thresholds: set[tuple[int, int, int]] = set()

    def note(phase: str, info: dict[str, int]) -> None:
        thresholds.add(gc.get_threshold())

    sent = SendBytes(
        b"".join(b"* %d FETCH (UID %d ENVELOPE (%s))\r\n" % (n, n, b"NIL " * 9 + b"NIL") for n in range(1, 4001))
    )
    with dialogue(["C: A1 UID FETCH 1:4000 (ENVELOPE)", sent, "S: A1 OK Done"]) as client:
        assert client.gc_tuning is False
        gc.callbacks.append(note)
        try:
            assert len(client.fetch("1:4000", "ENVELOPE")) == 4000
        finally:
            gc.callbacks.remove(note)
    assert thresholds == {USUAL}
