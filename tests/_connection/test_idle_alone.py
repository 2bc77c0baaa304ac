"""IDLE on an exchange over a transport in memory: no connection, and no imaplib."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from imapclient._connection.capabilities import Capabilities
from imapclient._connection.exchange import Exchange
from imapclient._connection.idle import IdleExchange
from imapclient._connection.sending import Sender
from imapclient._parsing.records import DEFAULT_LIMITS
from imapclient._parsing.responses import Untagged
from imapclient._wire.sockets import SocketTimeout
from imapclient.exceptions import IllegalStateError
from tests.fixtures.chunks import RecordingTransport, timed_out


def _idle_over(*events: bytes | BaseException) -> tuple[IdleExchange, Exchange, RecordingTransport]:
    transport = RecordingTransport(events)
    exchange = Exchange(DEFAULT_LIMITS, SocketTimeout(None, None), Capabilities())
    exchange.use_transport(transport)
    return IdleExchange(exchange, Sender(exchange)), exchange, transport


def _numbers(responses: Iterable[Untagged]) -> list[int | None]:
    return [response.number for response in responses]


def test_idle_without_a_connection() -> None:
    idle, exchange, transport = _idle_over(
        b"+ idling\r\n", b"* 1 EXISTS\r\n", timed_out(), b"* 2 EXISTS\r\nA0 OK Done\r\n"
    )
    with pytest.raises(IllegalStateError, match="not in IDLE"):
        idle.poll_idle(0, list)
    idle.check_over()
    idle.start_idle()
    assert idle.is_idle
    with pytest.raises(IllegalStateError, match="in IDLE"):
        idle.check_over()
    assert idle.poll_idle(None, _numbers) == [1]
    reply, rest = idle.finish_idle(_numbers)
    assert (reply.text, rest) == (b"Done", [2])
    assert transport.sent == b"A0 IDLE\r\nDONE\r\n"
    assert not idle.is_idle
    exchange.check_usable()


def test_an_interrupt_takes_back_what_idle_has_read() -> None:
    idle, _, _ = _idle_over(b"+ idling\r\n", b"* 1 EXISTS\r\n* 2 EX", KeyboardInterrupt(), b"ISTS\r\n", timed_out())
    idle.start_idle()
    with pytest.raises(KeyboardInterrupt):
        idle.poll_idle(None, _numbers)
    assert idle.poll_idle(None, _numbers) == [1, 2]
