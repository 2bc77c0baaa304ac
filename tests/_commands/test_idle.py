"""IDLE."""

from __future__ import annotations

import errno
import itertools
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient._connection.queues import AwaitedQueue
from imapclient._wire.sockets import SocketTransport
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    LimitError,
    ProtocolError,
)
from tests.helpers.clients import assert_unusable, memory_peak, set_read_timeout
from tests.helpers.dialogue import INTRUDERS, dialogue, dialogue_with_peer, types, unsolicited
from tests.helpers.scripted_peer import Script, ScriptedPeer, SendBytes

_BEGUN = "C: A1 IDLE\nS: + idling\n"
_DONE = "C: DONE\nS: A1 OK Idle completed.\n"
# Longer than any answer takes, shorter than the test's own limit: what a call that must not wait is given.
_PATIENCE = 60


def heard(client: IMAPClient, count: int) -> list[tuple[Any, ...]]:
    """What `idle_check` returns, until that are so many responses: the network may deliver them in parts."""
    result: list[tuple[Any, ...]] = []
    while len(result) < count:
        more = client.idle_check(_PATIENCE)
        assert more
        assert type(more) is list
        result += more
    return result


_TOLD = """
    S: * OK Still here
    S: * 1 EXISTS
    S: * 1 FETCH (FLAGS (\\NotJunk))
"""
_ITEMS: list[tuple[Any, ...]] = [(b"OK", b"Still here"), (1, b"EXISTS"), (1, b"FETCH", (b"FLAGS", (b"\\NotJunk",)))]


@pytest.mark.parametrize("chunk", [0, 1])
def test_what_is_told(chunk: int) -> None:
    with dialogue(_BEGUN + _TOLD + _DONE, chunk=chunk) as client:
        client.idle()
        result = heard(client, 3)
        assert result == _ITEMS
        assert types(result) == types(_ITEMS)
        assert client.idle_check(0) == []
        assert client.idle_done() == (b"Idle completed.", [])
        assert unsolicited(client) == []


def test_what_is_told_in_lower_case() -> None:
    script = "C: A1 IDLE\nS: +\nS: * ok Still here\nS: * 1 exists\nC: DONE\nS: A1 ok done\n"
    with dialogue(script) as client:
        client.idle()
        assert heard(client, 2) == _ITEMS[:2]
        assert client.idle_done() == (b"done", [])


def test_what_is_told_until_the_end_comes_with_idle_done() -> None:
    script = [_BEGUN, "C: DONE", _TOLD, "S: A1 OK Idle completed."]
    with dialogue(script) as client:
        client.idle()
        result = client.idle_done()
        assert result == (b"Idle completed.", _ITEMS)
        assert types(result) == types((b"", _ITEMS))


def test_idle_done_gives_what_no_check_has_given() -> None:
    with dialogue(_BEGUN + _TOLD + "C: DONE\nS: * 2 EXISTS\nS: A1 OK End") as client:
        client.idle()
        assert client.idle_done() == (b"End", [*_ITEMS, (2, b"EXISTS")])


def test_every_kind_of_response() -> None:
    script = _BEGUN + "\n".join(line for line, _ in INTRUDERS) + "\nS: * VANISHED 1:3\nS: * FLAGS (a b)\n" + _DONE
    with dialogue(script) as client:
        client.idle()
        assert heard(client, 7) == [
            (23, b"EXISTS"),
            (4, b"EXPUNGE"),
            (9, b"FETCH", (b"UID", 900, b"FLAGS", (b"\\Answered",))),
            (b"OK", b"[ALERT] Look out"),
            (b"X-THING", (1, b"\r\n* 5 EXISTS")),
            (b"VANISHED", b"1:3"),
            (b"FLAGS", (b"a", b"b")),
        ]
        client.idle_done()


def test_responses_ahead_of_the_word_to_go_on_are_not_lost() -> None:
    with dialogue(f"C: A1 IDLE\nS: * 3 EXISTS\nS: + idling\n{_DONE}") as client:
        client.idle()
        assert client.idle_check(0) == [(3, b"EXISTS")]
        client.idle_done()


def test_what_is_buffered_already_is_seen_without_waiting() -> None:
    """One write of the server holds the word to go on and two responses: the socket gets readable once."""
    script: Script = ["C: A1 IDLE", SendBytes(b"+ idling\r\n* 3 EXISTS\r\n* 4 EXISTS\r\n"), _DONE]
    with dialogue(script) as client:
        client.idle()
        assert heard(client, 2) == [(3, b"EXISTS"), (4, b"EXISTS")]
        client.idle_done()


def test_a_line_that_comes_in_parts_is_not_lost() -> None:
    with dialogue_with_peer(_BEGUN) as (client, peer):
        client.idle()
        peer.send(b"* 12 EXI")
        assert client.idle_check(0.01) == []
        peer.send(b"STS\r\n* 1 FETCH (BODY[] {5}\r\nab")
        assert client.idle_check(_PATIENCE) == [(12, b"EXISTS")]
        assert client.idle_check(0.01) == []
        peer.send(b"cde)\r\n")
        assert client.idle_check(_PATIENCE) == [(1, b"FETCH", (b"BODY[]", b"abcde"))]


def test_a_line_that_comes_in_parts_is_completed_by_idle_done() -> None:
    with dialogue_with_peer(_BEGUN) as (client, peer):
        client.idle()
        peer.send(b"* 12 EXI")
        assert client.idle_check(0.01) == []
        with ThreadPoolExecutor() as pool:
            rest = pool.submit(peer.play, "C: DONE\nS: STS\nS: A1 OK End")
            assert client.idle_done() == (b"End", [(12, b"EXISTS")])
            rest.result()


def test_nothing_is_told() -> None:
    with dialogue(_BEGUN + _DONE) as client:
        client.idle()
        assert client.idle_check(0) == []
        assert client.idle_check(timeout=0.01) == []
        assert client.idle_done() == (b"Idle completed.", [])


def test_idle_again_and_other_commands_after() -> None:
    script = _BEGUN + _DONE + "C: A2 NOOP\nS: A2 OK Done\n" + _BEGUN + "S: * 5 EXISTS\n" + _DONE
    with dialogue(script) as client:
        client.idle()
        client.idle_done()
        assert client.noop() == (b"Done", [])
        client.idle()
        assert heard(client, 1) == [(5, b"EXISTS")]
        assert client.idle_done() == (b"Idle completed.", [])


def test_one_response_that_can_not_be_read_loses_no_other() -> None:
    script: Script = ["C: A1 IDLE", SendBytes(b"+ x\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS (\r\n* 4 EXISTS\r\n"), _DONE]
    with dialogue(script) as client:
        client.idle()
        found: list[tuple[Any, ...]] = []
        for _ in range(5):
            try:
                found += client.idle_check(0.01)
            except ProtocolError:
                continue
        text, more = client.idle_done()
        assert text == b"Idle completed."
        assert [item for item in found + more if item[1:] == (b"EXISTS",)] == [(3, b"EXISTS"), (4, b"EXISTS")]


# -- refusals and states


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_idle_refused(status: str) -> None:
    script = f"C: A1 IDLE\nS: A1 {status} Not today\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="Not today") as caught:
            client.idle()
        assert caught.value.status == status
        assert client.noop() == (b"Done", [])
        with pytest.raises(IllegalStateError):
            client.idle_check(0)


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_idle_that_ends_badly(status: str) -> None:
    script = f"{_BEGUN}C: DONE\nS: * 5 EXISTS\nS: A1 {status} Lost count\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script) as client:
        client.idle()
        with pytest.raises(CommandError, match="Lost count"):
            client.idle_done()
        assert client.noop() == (b"Done", [])


def test_an_ok_at_once_is_no_idle() -> None:
    with dialogue("C: A1 IDLE\nS: A1 OK What?\nC: A2 NOOP\nS: A2 OK Done") as client:
        with pytest.raises(ProtocolError):
            client.idle()
        assert client.noop() == (b"Done", [])


def test_without_the_capability_nothing_is_sent() -> None:
    with dialogue(capabilities="IMAP4rev1") as client:
        with pytest.raises(CapabilityError, match="IDLE"):
            client.idle()
        with pytest.raises(IllegalStateError):
            client.idle_done()


def test_check_and_done_outside_of_idle_send_nothing() -> None:
    with dialogue() as client:
        for call in (lambda: client.idle_check(0), client.idle_check, client.idle_done):
            with pytest.raises(IllegalStateError, match=r"idle\(\)"):
                call()


def test_other_commands_in_idle_send_nothing_and_do_not_end_it() -> None:
    with dialogue(_BEGUN + _DONE) as client:
        client.idle()
        for call in (client.noop, client.idle, client.search, lambda: client.append("x", b"m")):
            with pytest.raises(IllegalStateError, match=r"idle_done\(\)"):
                call()
        assert client.idle_done() == (b"Idle completed.", [])


# -- the end of the connection


def test_a_bye_is_told_after_what_came_before_it() -> None:
    with dialogue(_BEGUN + "S: * 7 EXISTS\nS: * BYE Shutting down\nCLOSE") as client:
        client.idle()
        assert heard(client, 1) == [(7, b"EXISTS")]
        with pytest.raises(IMAPClientAbortError, match="Shutting down"):
            client.idle_check(_PATIENCE)
        with pytest.raises(IMAPClientAbortError, match="Shutting down"):
            client.noop()


def test_a_connection_that_ends_is_told_after_what_came_before() -> None:
    with dialogue(_BEGUN + "S: * 7 EXISTS\nCLOSE") as client:
        client.idle()
        assert heard(client, 1) == [(7, b"EXISTS")]
        with pytest.raises(IMAPClientAbortError):
            client.idle_check(_PATIENCE)
        with pytest.raises(IMAPClientAbortError):
            client.idle_done()


def test_a_connection_that_is_reset() -> None:
    with dialogue(_BEGUN + "RESET") as client:
        client.idle()
        with pytest.raises(IMAPClientAbortError) as caught:
            client.idle_check(_PATIENCE)
        assert isinstance(caught.value, ConnectionResetError)


def test_a_bye_before_idle_has_begun() -> None:
    with dialogue("C: A1 IDLE\nS: * BYE No\nCLOSE") as client, pytest.raises(IMAPClientAbortError, match="No"):
        client.idle()


def test_a_server_that_ends_idle_by_itself() -> None:
    with dialogue(_BEGUN + "S: * 7 EXISTS\nS: A1 OK Enough") as client:
        client.idle()
        assert heard(client, 1) == [(7, b"EXISTS")]
        with pytest.raises(IMAPClientAbortError, match="Enough"):
            client.idle_check(_PATIENCE)


def test_idle_done_has_a_deadline() -> None:
    with ScriptedPeer("S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] x\nC: A1 IDLE\nS: + x\nC: DONE\nS: * 1 EXISTS") as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60)
        try:
            client.idle()
            set_read_timeout(client, 0.1)
            with pytest.raises(socket.timeout) as caught:
                client.idle_done()
            assert isinstance(caught.value, IMAPClientAbortError)
            with pytest.raises(IMAPClientAbortError):
                client.noop()
        finally:
            client.shutdown()


def test_idle_check_waits_longer_than_the_read_timeout() -> None:
    script = (
        "S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] x\nC: A1 IDLE\nS: + x\nPAUSE 0.1\nS: * 1 EXISTS\nC: DONE\nS: A1 OK x"
    )
    with ScriptedPeer(script) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60)
        try:
            client.idle()
            set_read_timeout(client, 0.01)
            assert client.idle_check(_PATIENCE) == [(1, b"EXISTS")]
            set_read_timeout(client, 60)
            assert client.idle_done() == (b"x", [])
        finally:
            client.shutdown()


def test_logout_in_idle_ends_it_first() -> None:
    script = _BEGUN + _DONE + "C: A2 LOGOUT\nS: * BYE Bye\nS: A2 OK Done"
    with dialogue(script) as client:
        client.idle()
        assert client.logout() == b"Bye"


def test_leaving_the_context_in_idle() -> None:
    script = _BEGUN + _DONE + "C: A2 LOGOUT\nS: * BYE Bye\nS: A2 OK Done\nCLOSE"
    with dialogue(script) as client, client:
        client.idle()


def test_shutdown_in_idle_sends_nothing() -> None:
    with dialogue(_BEGUN) as client:
        client.idle()
        client.shutdown()
        with pytest.raises(IMAPClientAbortError):
            client.idle_check(0)


# -- a great deal is told

_MANY = [(number, b"EXISTS") for number in range(3000)]
_MANY_LINES = b"".join(b"* %d EXISTS\r\n" % number for number in range(3000))


def test_many_responses_all_come_from_several_checks() -> None:
    with dialogue([_BEGUN, SendBytes(_MANY_LINES), _DONE]) as client:
        client.idle()
        assert heard(client, 3000) == _MANY
        assert client.idle_done() == (b"Idle completed.", [])
        assert unsolicited(client) == []


def test_many_responses_all_come_with_idle_done() -> None:
    with dialogue([_BEGUN, SendBytes(_MANY_LINES), _DONE]) as client:
        client.idle()
        assert client.idle_done() == (b"Idle completed.", _MANY)


def test_many_responses_from_a_check_and_idle_done() -> None:
    with dialogue([_BEGUN, SendBytes(_MANY_LINES), _DONE]) as client:
        client.idle()
        found = client.idle_check(_PATIENCE)
        assert found
        assert found + client.idle_done()[1] == _MANY


def test_many_responses_ahead_of_the_word_to_go_on() -> None:
    with dialogue(["C: A1 IDLE", SendBytes(_MANY_LINES), "S: + idling", _DONE]) as client:
        client.idle()
        assert client.idle_done() == (b"Idle completed.", _MANY)


@pytest.mark.parametrize("checked", [True, False])
def test_a_large_response_does_not_push_out_its_neighbours(checked: bool) -> None:
    body = b"x" * (5 * 1024 * 1024)
    lines = b"* 1 EXISTS\r\n* 1 FETCH (BODY[] {%d}\r\n" % len(body) + body + b")\r\n* 2 EXISTS\r\n"
    expected = [(1, b"EXISTS"), (1, b"FETCH", (b"BODY[]", body)), (2, b"EXISTS")]
    with dialogue([_BEGUN, SendBytes(lines), _DONE]) as client:
        client.idle()
        found = heard(client, 3) if checked else []
        assert found + client.idle_done()[1] == expected


@pytest.mark.parametrize(("bound", "value"), [("MAX_RESPONSES", 3), ("MAX_BYTES", 30)])
def test_more_than_the_bound_is_the_end_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(AwaitedQueue, bound, value)
    with dialogue([_BEGUN + "C: DONE", SendBytes(_MANY_LINES)]) as client:
        client.idle()
        with pytest.raises(LimitError) as caught:
            client.idle_done()
        # What was heard within the bound is not lost.
        assert client.idle_check(0) == _MANY[:3]
        assert_unusable(client, caught.value)


def test_continuation_requests_without_end_take_no_memory() -> None:
    endless = itertools.repeat((b"+ " + b"x" * 1000 + b"\r\n") * 50)
    with dialogue([_BEGUN, SendBytes(endless)]) as client:
        client.idle()
        with memory_peak(2 * 1024 * 1024):
            assert client.idle_check(0.3) == []


class DyingTransport(SocketTransport):
    """Raises what the system raises for a connection whose other end has not answered for long."""

    dead = False

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        if self.dead:
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        super().recv(into, size, timeout)


def test_a_connection_that_dies_is_not_taken_for_the_timeout_of_the_check() -> None:
    with dialogue(_BEGUN) as client:
        transport = DyingTransport(client.socket())
        client._imap.replace_transport(transport)
        client.idle()
        transport.dead = True
        with pytest.raises(IMAPClientAbortError, match="Connection timed out") as caught:
            client.idle_check(_PATIENCE)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.errno == errno.ETIMEDOUT
        assert_unusable(client, caught.value)
