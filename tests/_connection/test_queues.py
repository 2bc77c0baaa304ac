"""Queues of untagged responses."""

from __future__ import annotations

import pytest

from imapclient._connection.queues import AwaitedQueue, UnsolicitedQueue
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import LimitError

# -- unsolicited responses


def exists(number: int, padding: int = 0) -> Untagged:
    return Untagged(b"EXISTS", number, b"* %d EXISTS" % number + b" " * padding, 10, None)


def test_queue() -> None:
    queue = UnsolicitedQueue()
    first, second = exists(1), exists(2)
    assert len(queue) == 0
    queue.append(first)
    queue.append(second)
    assert len(queue) == 2
    assert list(queue) == [first, second]
    assert not queue.is_full
    assert queue.take() == [first, second]
    assert queue.take() == []
    assert len(queue) == 0
    assert queue.dropped == 0


def test_queue_made_shorter() -> None:
    """The newest ones go: they are read again."""
    queue = UnsolicitedQueue(max_bytes=1000)
    for number in range(1, 5):
        queue.append(exists(number, padding=200))
    queue.shorten(2)
    assert [response.number for response in queue] == [1, 2]
    queue.shorten(5)
    assert len(queue) == 2
    assert queue.dropped == 0
    assert not queue.is_full
    queue.append(exists(5, padding=500))
    assert [response.number for response in queue] == [1, 2, 5]
    queue.clear()
    assert len(queue) == 0
    queue.append(exists(6, padding=900))
    assert [response.number for response in queue] == [6], "nothing of what was cleared takes room"
    queue.shorten(0)
    assert queue.take() == []


def test_queue_of_bounded_number() -> None:
    queue = UnsolicitedQueue(max_responses=3)
    for number in range(1, 11):
        queue.append(exists(number))
        assert queue.is_full == (number >= 3)
    assert [response.number for response in queue] == [8, 9, 10]
    assert queue.dropped == 7


def test_queue_of_bounded_size() -> None:
    queue = UnsolicitedQueue(max_bytes=1000)
    for number in range(1, 101):
        queue.append(exists(number, padding=189))
        assert sum(response.size for response in queue) <= 1000
    assert [response.number for response in queue] == [97, 98, 99, 100]
    assert queue.dropped == 96


@pytest.mark.parametrize("padding", [1000, 100_000])
def test_a_response_larger_than_the_queue(padding: int) -> None:
    queue = UnsolicitedQueue(max_bytes=500)
    queue.append(exists(1))
    queue.append(exists(2, padding))
    assert queue.dropped == 1
    queue.append(exists(3))
    assert [response.number for response in queue] == [1, 3]


def test_an_emptied_queue_has_all_its_room() -> None:
    queue = UnsolicitedQueue(max_bytes=1000)
    for _ in range(5):
        queue.append(exists(1, padding=800))
        assert len(queue.take()) == 1
    assert queue.dropped == 0
    assert not queue.is_full


# -- responses that a caller waits for


def test_the_awaited_queue_drops_nothing() -> None:
    queue = AwaitedQueue()
    # More than the other queue keeps, in number and in bytes.
    for number in range(3000):
        queue.append(exists(number, padding=2000))
    assert [response.number for response in queue] == list(range(3000))
    assert queue.dropped == 0
    assert queue.is_full, "so that it is returned in several parts"


def test_the_awaited_queue_takes_one_response_of_any_size() -> None:
    queue = AwaitedQueue()
    for number, padding in ((1, 0), (2, 5 * 1024 * 1024), (3, 0)):
        queue.append(exists(number, padding))
    assert [response.number for response in queue] == [1, 2, 3]


def test_too_many_awaited_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwaitedQueue, "MAX_RESPONSES", 3)
    queue = AwaitedQueue()
    for number in (1, 2, 3):
        queue.append(exists(number))
    with pytest.raises(LimitError):
        queue.append(exists(4))
    assert [response.number for response in queue] == [1, 2, 3]
    queue.clear()
    queue.append(exists(5))


def test_too_many_awaited_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwaitedQueue, "MAX_BYTES", 1000)
    queue = AwaitedQueue()
    # One that is alone is taken: the reader has its own limit for it.
    queue.append(exists(1, padding=2000))
    with pytest.raises(LimitError):
        queue.append(exists(2))
    queue.clear()
    queue.append(exists(3, padding=400))
    queue.append(exists(4, padding=400))
    with pytest.raises(LimitError):
        queue.append(exists(5, padding=400))
    assert [response.number for response in queue] == [3, 4]
