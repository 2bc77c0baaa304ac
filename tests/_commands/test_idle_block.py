"""`IMAPClient.idle` in a ``with`` statement, and as an iterator with a deadline."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient._commands.idle import Idle
from imapclient.exceptions import CapabilityError, CommandError, IllegalStateError, IMAPClientAbortError
from tests.helpers.dialogue import dialogue, dialogue_with_peer, types
from tests.helpers.scripted_peer import Script, SendBytes

_BEGUN = "C: A1 IDLE\nS: + idling\n"
_DONE = "C: DONE\nS: A1 OK Idle completed.\n"
_NOOP = "C: A2 NOOP\nS: A2 OK Done\n"
_TOLD = "S: * 1 EXISTS\nS: * OK Still here\nS: * 1 FETCH (FLAGS (\\Seen))\n"
_ITEMS: list[tuple[Any, ...]] = [(1, b"EXISTS"), (b"OK", b"Still here"), (1, b"FETCH", (b"FLAGS", (b"\\Seen",)))]


def _next(idle: Idle, count: int) -> list[tuple[Any, ...]]:
    return [next(idle) for _ in range(count)]


def test_items_one_by_one_and_the_end_at_the_end_of_the_block() -> None:
    with dialogue(_BEGUN + _TOLD + _DONE + _NOOP) as client:
        with client.idle() as idle:
            items = _next(idle, 3)
            assert items == _ITEMS
            assert types(items) == types(_ITEMS)
            assert repr(idle) == "<Idle: waiting>"
        assert idle.text == b"Idle completed."
        assert idle.rest == []
        assert list(idle) == []
        assert repr(idle) == "<Idle: over>"
        assert client.noop() == (b"Done", [])


def test_what_was_not_given_is_the_rest() -> None:
    script: Script = [_BEGUN, SendBytes(b"* 1 EXISTS\r\n* OK Still here\r\n"), "C: DONE\nS: * 2 EXISTS\nS: A1 OK End"]
    with dialogue(script) as client:
        with client.idle() as idle:
            for item in idle:
                assert item == (1, b"EXISTS")
                break
        assert idle.rest == [(b"OK", b"Still here"), (2, b"EXISTS")]
        assert idle.text == b"End"


def test_nothing_is_asked_of_the_iterator() -> None:
    with dialogue(_BEGUN + _TOLD + _DONE) as client:
        with client.idle() as idle:
            pass
        assert idle.rest == _ITEMS


def test_the_deadline_ends_the_loop() -> None:
    told = b"* 1 EXISTS\r\n* OK Still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"
    with dialogue(["C: A1 IDLE", SendBytes(told + b"+ idling\r\n"), _DONE + _NOOP]) as client:
        with client.idle(timeout=0.1) as idle:
            assert list(idle) == _ITEMS
            assert list(idle) == []
        assert idle.rest == []
        client.noop()


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_deadline_that_is_over_takes_what_is_there(timeout: float) -> None:
    script: Script = ["C: A1 IDLE", SendBytes(b"* 5 EXISTS\r\n+ idling\r\n"), _DONE]
    with dialogue(script) as client, client.idle(timeout=timeout) as idle:
        assert list(idle) == [(5, b"EXISTS")]


def test_as_in_imapclient_without_a_block() -> None:
    with dialogue(_BEGUN + _TOLD + _DONE + _NOOP) as client:
        idle = client.idle()
        assert next(idle) == _ITEMS[0]
        text, rest = client.idle_done()
        assert text == b"Idle completed."
        assert [*idle, *rest] == _ITEMS[1:]
        client.noop()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_in_the_block_ends_idle_and_goes_on(error: type[BaseException]) -> None:
    with dialogue(_BEGUN + "S: * 1 EXISTS\n" + _DONE + _NOOP) as client:
        idle = client.idle()
        assert next(idle) == (1, b"EXISTS")
        with pytest.raises(error), idle:
            raise error
        assert idle.text == b"Idle completed."
        assert client.noop() == (b"Done", [])


def test_commands_in_the_block_are_refused_and_idle_is_ended() -> None:
    with dialogue(_BEGUN + _DONE + _NOOP) as client:
        with pytest.raises(IllegalStateError), client.idle():
            client.noop()
        client.noop()


def test_idle_done_in_the_block() -> None:
    with dialogue(_BEGUN + _DONE + _NOOP) as client:
        with client.idle() as idle:
            client.idle_done()
            assert list(idle) == []
            client.noop()
        assert idle.rest == []


def test_the_end_of_the_connection_in_the_block() -> None:
    with dialogue(_BEGUN + "S: * 1 EXISTS\nS: * BYE Going down\nCLOSE") as client:
        idle = client.idle(timeout=60)
        assert next(idle) == (1, b"EXISTS")
        with pytest.raises(IMAPClientAbortError, match="Going down"), idle:
            next(idle)
        with pytest.raises(IMAPClientAbortError, match="Going down"):
            client.noop()


def test_the_end_of_the_connection_as_the_block_is_left() -> None:
    with dialogue(_BEGUN + "C: DONE\nS: * BYE Going down\nCLOSE") as client:
        with pytest.raises(IMAPClientAbortError, match="Going down"), client.idle():
            pass
        with pytest.raises(IMAPClientAbortError, match="Going down"):
            client.noop()


def test_the_exception_of_the_block_matters_more(caplog: pytest.LogCaptureFixture) -> None:
    with (
        dialogue(_BEGUN + "C: DONE\nS: A1 BAD What?\n" + _NOOP) as client,
        caplog.at_level(logging.INFO, "imapclient.imapclient"),
    ):
        with pytest.raises(RuntimeError, match="mine"), client.idle():
            raise RuntimeError("mine")
        assert "Could not end IDLE: IDLE failed: What?" in caplog.text
        client.noop()


def test_a_refusal_as_the_block_is_left() -> None:
    with dialogue(_BEGUN + "S: * 1 EXISTS\nC: DONE\nS: A1 BAD What?\n" + _NOOP) as client:
        with pytest.raises(CommandError, match="What"), client.idle():
            pass
        client.noop()


def test_a_block_that_does_not_begin() -> None:
    with dialogue("C: A1 IDLE\nS: A1 NO Not today\n" + _NOOP) as client:
        with pytest.raises(CommandError, match="Not today"), client.idle():
            raise AssertionError("the block is entered")
        client.noop()
    with dialogue(capabilities="IMAP4rev1") as client, pytest.raises(CapabilityError):
        client.idle(timeout=1)


def test_one_block_after_the_other() -> None:
    again = "C: A2 IDLE\nS: +\nS: * 2 EXISTS\nC: DONE\nS: A2 OK x"

    def last(client: IMAPClient) -> list[Any]:
        with client.idle() as idle:
            pass
        return idle.rest

    with dialogue_with_peer(_BEGUN + "S: * 1 EXISTS\n" + _DONE + again) as (client, _):
        assert last(client) == [(1, b"EXISTS")]
        assert last(client) == [(2, b"EXISTS")]


@pytest.mark.parametrize("timeout", ["5", datetime.timedelta(seconds=5)])
def test_a_timeout_that_is_no_number(timeout: Any) -> None:
    with dialogue("C: A1 NOOP\nS: A1 OK Done") as client:
        with pytest.raises(TypeError):
            client.idle(timeout=timeout)
        client.noop()
