"""Commands, and the exchange by itself: a transport in memory, no sender and no imaplib."""

from __future__ import annotations

import socket

import pytest

from imapclient._connection.capabilities import Capabilities
from imapclient._connection.exchange import Command, Exchange
from imapclient._connection.queues import AwaitedQueue
from imapclient._parsing.records import DEFAULT_LIMITS, Limits
from imapclient._parsing.responses import Tagged, Untagged
from imapclient._wire.sockets import SocketTimeout
from imapclient.exceptions import ConnectionAbortError, LimitError, ProtocolAbortError, ProtocolError
from tests.fixtures.chunks import ChunkTransport

# -- commands


def test_command() -> None:
    def take(_: Untagged) -> None:
        return None

    command = Command(b"UID FETCH", [b"1:*", (b"FLAGS",)], {b"FETCH": take}, secrets=(b"x",))
    assert command.name == b"UID FETCH"
    assert command.arguments == [b"1:*", (b"FLAGS",)]
    assert command.handlers == {b"FETCH": take}
    assert command.secrets == (b"x",)
    assert command.respond is None
    assert (command.tag, command.reply, command.error) == (b"", None, None)


def test_command_of_a_name_alone() -> None:
    command = Command(b"NOOP", respond=lambda text: text)
    assert not command.arguments
    assert command.handlers == {}
    assert command.secrets == ()
    assert command.respond is not None
    assert command.respond(b"x") == b"x"


# -- the exchange


def exchange_over(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Exchange:
    """An exchange that receives the data in one piece."""
    exchange = Exchange(limits, SocketTimeout(None, None), Capabilities())
    exchange.use_transport(ChunkTransport([data]))
    return exchange


def in_flight(exchange: Exchange, *commands: Command) -> None:
    for number, command in enumerate(commands, 1):
        command.tag = b"A%d" % number
        exchange.in_flight[command.tag] = command


def test_each_tag_is_another_one() -> None:
    exchange = exchange_over(b"")
    exchange.tag_prefix = b"BCDE"
    assert [exchange.next_tag() for _ in range(3)] == [b"BCDE0", b"BCDE1", b"BCDE2"]


@pytest.mark.parametrize(("name", "state"), [(b"OK", "NONAUTH"), (b"PREAUTH", "AUTH"), (b"preauth", "AUTH")])
def test_a_greeting(name: bytes, state: str) -> None:
    exchange = exchange_over(b"* %b [CAPABILITY IMAP4rev1 IDLE] hi\r\n" % name)
    assert exchange.read_greeting() == b"* %b [CAPABILITY IMAP4rev1 IDLE] hi" % name
    assert exchange.state == state
    assert exchange.capabilities.names == ("IMAP4REV1", "IDLE")


def test_a_response_goes_to_the_first_handler_that_takes_it() -> None:
    exchange = exchange_over(b"* 1 EXISTS\r\n* SEARCH 5\r\n* LIST () NIL a\r\n")
    taken: list[tuple[str, bytes]] = []

    def decline(response: Untagged) -> bool:
        taken.append(("declined", response.name))
        return False

    first = Command(b"X", handlers={b"SEARCH": decline})
    second = Command(b"Y", handlers={b"*": lambda response: taken.append(("taken", response.name))})
    in_flight(exchange, first, second)
    exchange.read(None)
    exchange.read(None)
    assert taken == [("taken", b"EXISTS"), ("declined", b"SEARCH"), ("taken", b"SEARCH")]
    del exchange.in_flight[b"A2"]
    exchange.read(None)
    assert [response.name for response in exchange.unsolicited] == [b"LIST"]


def test_a_tagged_response_ends_its_command() -> None:
    exchange = exchange_over(b"a2 no [CANNOT] never\r\nA1 OK Done\r\nA1 OK again\r\n")
    first, second = Command(b"X"), Command(b"Y")
    in_flight(exchange, first, second)
    exchange.read(None)
    assert second.reply == Tagged("NO", b"[CANNOT] never", (b"CANNOT", ()), b"never")
    assert first.reply is None
    exchange.read(None)
    assert first.reply == Tagged("OK", b"Done", None, b"Done")
    assert exchange.in_flight == {}
    with pytest.raises(ProtocolAbortError, match="not a response to any command"):
        exchange.read(None)


def test_a_continuation_request_is_kept() -> None:
    exchange = exchange_over(b"+ go ahead\r\n+\r\n")
    exchange.read(None)
    assert exchange.continuation == b"go ahead"
    exchange.read(None)
    assert exchange.continuation == b""


@pytest.mark.parametrize("error", [ProtocolError("no"), ValueError("no"), KeyError("no")])
def test_an_error_of_a_handler_is_kept_for_the_end_of_the_command(error: Exception) -> None:
    exchange = exchange_over(b"* SEARCH x\r\nA1 OK Done\r\n")

    def fail(_: Untagged) -> bool:
        raise error

    command = Command(b"UID SEARCH", handlers={b"SEARCH": fail})
    in_flight(exchange, command)
    exchange.read(None)
    assert isinstance(command.error, ProtocolError)
    assert error in (command.error, command.error.__cause__)
    exchange.check_usable()
    exchange.read(None)
    assert command.reply is not None


def test_responses_are_counted_against_the_limit() -> None:
    exchange = exchange_over(b"* 1 EXISTS\r\n" * 3, DEFAULT_LIMITS._replace(command_size=2100))
    exchange.read(None)
    exchange.read(None)
    assert exchange.received_size == 2 * (10 + 1024)
    with pytest.raises(LimitError, match="the size of the responses to one command is over the limit max_command_size"):
        exchange.read(None)


def test_changes_are_observed_whichever_command_runs() -> None:
    exchange = exchange_over(
        b"* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n* 2 EXPUNGE\r\n* LIST () NIL a\r\n* 2 FETCH (FLAGS ())\r\n"
    )
    exchange.observed = AwaitedQueue()
    in_flight(exchange, Command(b"NOOP", handlers={b"*": lambda _: True}))
    for _ in range(4):
        exchange.read(None)
    assert [response.name for response in exchange.observed.take()] == [b"EXISTS", b"FETCH", b"EXPUNGE"]
    assert exchange.renumberings == 1
    in_flight(exchange, Command(b"FETCH", handlers={b"FETCH": lambda _: True}))
    exchange.read(None)
    assert exchange.observed.take() == [], "it is the answer to FETCH"


def test_a_bye_fails_unless_it_answers_logout() -> None:
    exchange = exchange_over(b"* BYE [UNAVAILABLE] going down\r\n")
    with pytest.raises(ConnectionAbortError, match=r"the server ends the connection: .*going down") as caught:
        exchange.read(None)
    assert (caught.value.status, caught.value.code, caught.value.text) == ("BYE", (b"UNAVAILABLE", ()), "going down")
    exchange = exchange_over(b"* BYE see you\r\n")
    in_flight(exchange, Command(b"LOGOUT"))
    exchange.read(None)
    assert exchange.bye == b"see you"


def test_an_exception_makes_it_unusable_and_names_the_command() -> None:
    exchange = exchange_over(b"")
    in_flight(exchange, Command(b"UID FETCH"), Command(b"NOOP"))
    with pytest.raises(ConnectionAbortError) as caught, exchange.unusable_on_error():
        raise ConnectionResetError("reset by the peer")
    assert isinstance(caught.value, ConnectionResetError)
    assert caught.value.command == "UID FETCH"
    with pytest.raises(ConnectionAbortError, match="can't be used any more: reset by the peer") as later:
        exchange.check_usable()
    assert later.value.__cause__ is caught.value
    with pytest.raises(ConnectionAbortError), exchange.unusable_on_error():
        raise AssertionError("the body does not run")


def test_an_interrupt_makes_it_unusable_too() -> None:
    exchange = exchange_over(b"")
    with pytest.raises(KeyboardInterrupt), exchange.unusable_on_error():
        raise KeyboardInterrupt
    with pytest.raises(ConnectionAbortError, match="KeyboardInterrupt"):
        exchange.check_usable()


def test_an_error_of_a_source_is_not_mapped() -> None:
    exchange = exchange_over(b"")
    error = exchange.source_error = socket.timeout("of a file on the network")
    with pytest.raises(socket.timeout) as caught, exchange.unusable_on_error():
        raise error
    assert caught.value is error
    assert exchange.failure is error
