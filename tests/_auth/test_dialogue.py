"""The exchange of an AUTHENTICATE command, without a connection: base64, the initial response, cancelling."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from imapclient._auth.dialogue import AuthExchange
from imapclient.exceptions import ProtocolAbortError, ProtocolError
from imapclient.sasl import Login, Mechanism, Plain, ScramSHA1


def test_exchange_decodes_and_encodes() -> None:
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> bytes | str:
        challenges.append(challenge)
        return (b"\xff\0", "ü", b"")[len(challenges) - 1]

    exchange = AuthExchange(respond)
    assert exchange.initial_argument() is None
    assert exchange.respond(b"") == b"/wA="
    assert exchange.respond(b"YWJj") == b"w7w="
    assert exchange.respond(b"YWI= ") == b""
    assert challenges == [b"", b"abc", b"ab"]
    assert exchange.may_succeed
    assert not exchange.cancelled


def test_exchange_with_an_initial_response() -> None:
    exchange = AuthExchange(lambda challenge: b"next", b"first")
    assert not exchange.may_succeed
    assert exchange.initial_argument() == b"Zmlyc3Q="
    assert exchange.may_succeed
    assert exchange.respond(b"") == b"bmV4dA=="
    later = AuthExchange(lambda challenge: b"next", b"first")
    assert later.respond(b"") == b"Zmlyc3Q="
    assert later.respond(b"") == b"bmV4dA=="
    assert AuthExchange(lambda challenge: None, b"").initial_argument() == b"="


def test_an_initial_response_that_is_too_long_for_a_line() -> None:
    fits, too_long = AuthExchange(lambda _: None, b"x" * 6000), AuthExchange(lambda _: None, b"x" * 6001)
    argument = fits.initial_argument()
    assert argument is not None
    assert len(argument) == 8000
    assert too_long.initial_argument() is None
    assert too_long.respond(b"") == base64.b64encode(b"x" * 6001)


@pytest.mark.parametrize("text", [b"Go ahead", b"YQ", b"*", b"YWJj YWJj", "ä".encode(), b"YQ===", b"\0", b"a" * 200])
def test_a_challenge_that_is_not_base64_cancels(text: bytes) -> None:
    exchange = AuthExchange(lambda challenge: b"never", b"secret")
    if len(text) == 200:
        text = text[:-1] + b"!"
    assert exchange.respond(text) == b"*"
    assert exchange.cancelled
    assert not exchange.may_succeed
    assert isinstance(exchange.error, ProtocolError)
    assert not isinstance(exchange.error, ProtocolAbortError)
    assert exchange.error.context == text[:80]


def test_a_challenge_that_repeats_the_secret_is_not_shown() -> None:
    exchange = AuthExchange(lambda challenge: b"hunter2")
    said = exchange.respond(b"")
    assert exchange.respond(b"what is " + said + b"?") == b"*"
    assert said.decode() not in str(exchange.error)


def test_of_a_response_that_is_absurdly_long_the_ends_are_remembered() -> None:
    remembered: list[bytes] = []
    response = b"ab" + b"x" * 65533 + b"yz"
    exchange = AuthExchange(lambda challenge: response[len(challenge) :], remember=remembered.extend)
    encoded = exchange.respond(b"")
    assert encoded == base64.b64encode(response)
    assert remembered == [response[:4096], response[-4096:], encoded[:4096], encoded[-4096:]]
    remembered.clear()
    encoded = exchange.respond(b"YQ==")
    assert remembered == [response[1:], encoded]


def test_none_cancels() -> None:
    exchange = AuthExchange(lambda challenge: None)
    assert exchange.respond(b"") == b"*"
    assert exchange.cancelled
    assert exchange.error is None
    with pytest.raises(ProtocolAbortError, match="after the exchange was cancelled"):
        exchange.respond(b"")


@pytest.mark.parametrize("response", [5, ["x"], (b"x",), "\ud800"])
def test_a_response_that_can_not_be_sent_cancels(response: Any) -> None:
    exchange = AuthExchange(lambda challenge: response)
    assert exchange.respond(b"") == b"*"
    assert isinstance(exchange.error, (TypeError, ValueError))


def test_what_raises_cancels_and_is_kept() -> None:
    problem = KeyError("x")

    def respond(challenge: bytes) -> bytes:
        raise problem

    exchange = AuthExchange(respond)
    assert exchange.respond(b"") == b"*"
    assert exchange.error is problem


def test_an_interrupt_comes_out_at_once() -> None:
    def respond(challenge: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        AuthExchange(respond).respond(b"")


def test_challenges_without_end_are_cancelled() -> None:
    calls: list[bytes] = []

    def respond(challenge: bytes) -> bytes:
        calls.append(challenge)
        return b""

    exchange = AuthExchange(respond)
    while not exchange.cancelled:
        exchange.respond(b"")
    assert len(calls) == AuthExchange.MAX_CHALLENGES
    assert isinstance(exchange.error, ProtocolError)


def test_a_huge_challenge_is_cancelled() -> None:
    calls: list[int] = []

    def respond(challenge: bytes) -> bytes:
        calls.append(len(challenge))
        return b""

    size = AuthExchange.MAX_CHALLENGE_SIZE
    exchange = AuthExchange(respond)
    assert exchange.respond(b"A" * size) == b""
    assert exchange.respond(b"A" * (size + 4)) == b"*"
    assert calls == [size * 3 // 4]
    assert len(str(exchange.error)) < 200


@pytest.mark.parametrize("mechanism", [Plain("ann", "x"), Login("ann", "x"), ScramSHA1("ann", "x")], ids=repr)
def test_an_exchange_may_not_succeed_before_the_mechanism_is_complete(mechanism: Mechanism) -> None:
    exchange = AuthExchange(mechanism)
    assert exchange.mechanism is mechanism
    assert not exchange.may_succeed
    exchange.respond(b"")
    assert exchange.may_succeed is isinstance(mechanism, Plain)
