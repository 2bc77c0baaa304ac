"""Limits, and how much memory a server can make the client use."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import IMAPClientAbortError, LimitError, ProtocolError
from tests.helpers.clients import connected, memory_peak
from tests.helpers.scripted_peer import PeerFactory, SendBytes

READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE] ready"
MEGABYTE = 1_000_000


def assert_limit(client: IMAPClient, error: pytest.ExceptionInfo[LimitError], name: str, allowed: int) -> None:
    """The error names the limit, and the connection can't be used after it."""
    assert (error.value.limit, error.value.allowed) == (name, allowed)
    assert f"{name}={allowed}" in str(error.value)
    with pytest.raises(IMAPClientAbortError) as later:
        client.noop()
    assert later.value.__cause__ is error.value


@pytest.mark.parametrize("tail", ["", "\\r\\n"])
def test_line_length(peer: PeerFactory, tail: str) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        Sx-: * OK {"x" * 2000}{tail}
    """
    with connected(peer(script), max_line_length=1000) as client:
        with pytest.raises(LimitError) as caught:
            client.noop()
        assert_limit(client, caught, "max_line_length", 1000)


def test_a_line_without_an_end_stops_at_the_limit(peer: PeerFactory) -> None:
    server = peer([f"{READY}\nC: A1 NOOP\nS-: * OK ", SendBytes(itertools.repeat(b"x" * 50_000))])
    with connected(server, max_line_length=3 * MEGABYTE) as client, memory_peak(10 * MEGABYTE):
        with pytest.raises(LimitError) as caught:
            client.noop()
        assert_limit(client, caught, "max_line_length", 3 * MEGABYTE)


def test_line_length_in_the_greeting(peer: PeerFactory) -> None:
    server = peer(["S-: * OK ", SendBytes(itertools.repeat(b"x" * 50_000))])
    with pytest.raises(LimitError, match="max_line_length=1000"):
        IMAPClient(server.host, server.port, ssl=False, timeout=60, max_line_length=1000)


def test_literal_size(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{1000}}
        S-: {"x" * 1000}
        S: )
        S: A1 OK done
        C: A2 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{1001}}
    """
    with connected(peer(script), max_literal_size=1000) as client:
        assert client.fetch(1, ["BODY[]"])[1][b"BODY[]"] == b"x" * 1000
        with pytest.raises(LimitError) as caught:
            client.fetch(1, ["BODY[]"])
        assert_limit(client, caught, "max_literal_size", 1000)


@pytest.mark.parametrize("size", ["99999999999", "18446744073709551615", "99999999999999999999"])
def test_the_size_announced_is_never_allocated(peer: PeerFactory, size: str) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{{size}}}
    """
    with connected(peer(script)) as client, memory_peak(2 * MEGABYTE):
        with pytest.raises(LimitError) as caught:
            client.fetch(1, ["BODY[]"])
        assert caught.value.limit in ("max_literal_size", "max_response_size")


def test_memory_grows_as_a_literal_arrives(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{2000000000}}
        S-: {"x" * 100_000}
        CLOSE
    """
    with connected(peer(script)) as client, memory_peak(3 * MEGABYTE), pytest.raises(IMAPClientAbortError):
        client.fetch(1, ["BODY[]"])


def test_a_large_literal_is_in_memory_once(peer: PeerFactory) -> None:
    size = 16 * MEGABYTE
    script = [
        f"{READY}\nC: A1 UID FETCH 1 (BODY[])\nS: * 1 FETCH (UID 1 BODY[] {{{size}}}",
        SendBytes(itertools.repeat(b"x" * 16_000, 1000)),
        "S: )\nS: A1 OK done",
    ]
    with connected(peer(script)) as client, memory_peak(size + size // 4):
        assert len(client.fetch(1, ["BODY[]"])[1][b"BODY[]"]) == size


def test_a_response_of_many_literals(peer: PeerFactory) -> None:
    script = [
        f"{READY}\nC: A1 UID FETCH 1 (BODY[])\nS-: * 1 FETCH (UID 1 ",
        SendBytes(itertools.repeat(b"BODY[] {100}\r\n" + b"x" * 100 + b" ")),
    ]
    with connected(peer(script), max_response_size=50_000) as client:
        with pytest.raises(LimitError) as caught:
            client.fetch(1, ["BODY[]"])
        assert_limit(client, caught, "max_response_size", 50_000)


def test_the_size_of_a_response_without_literals(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (X)
        S: * 1 FETCH (UID 1 X "{"x" * 2000}")
        S: A1 OK done
    """
    server = peer(script)
    with connected(server, max_response_size=1000) as client:
        with pytest.raises(LimitError) as caught:
            client.fetch(1, ["X"])
        server.wait()
        assert_limit(client, caught, "max_response_size", 1000)


@pytest.mark.parametrize("depth", [11, 5000, 200_000])
def test_nesting_depth_leaves_the_connection_usable(peer: PeerFactory, depth: int) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODYSTRUCTURE)
        S: * 1 FETCH {"(" * depth}{")" * depth}
        S: A1 OK done
        C: A2 UID FETCH 1 (X)
        S: * 1 FETCH (UID 1 X {"(" * 9}{")" * 9})
        S: A2 OK done
    """
    with connected(peer(script), max_nesting_depth=10) as client:
        client.strict = True
        with pytest.raises(ProtocolError, match="max_nesting_depth=10") as caught:
            client.fetch(1, ["BODYSTRUCTURE"])
        assert not isinstance(caught.value, IMAPClientAbortError)
        assert b"X" in client.fetch(1, ["X"])[1]


@pytest.mark.parametrize(
    ("command", "response"),
    [
        ("SELECT", "* FLAGS %s"),
        ("SELECT", "* OK [PERMANENTFLAGS %s] x"),
        ("NOOP", "* 1 FETCH %s"),
        ("NOOP", "* OK [X %s] x"),
    ],
)
def test_nesting_depth_holds_for_every_response(peer: PeerFactory, command: str, response: str) -> None:
    depth = 100
    argument = ' "x"' if command == "SELECT" else ""
    script = f"""
        {READY}
        C: A1 {command}{argument}
        S: {response % ("(" * depth + ")" * depth)}
        S: A1 OK done
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script), max_nesting_depth=10) as client:
        result: Any = None
        with contextlib.suppress(ProtocolError):
            result = client.select_folder("x") if command == "SELECT" else client.noop()
        assert _depth(result) <= 13
        client.noop()


def _depth(value: Any) -> int:
    """How deep the tuples, lists and values of dicts in a value go."""
    depth, level = 0, [value]
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, (list, tuple)):
                inner.extend(item)
        depth, level = depth + 1, inner
    return depth


@pytest.mark.once
def test_unsolicited_responses_cost_no_memory_during_a_command(peer: PeerFactory) -> None:
    fat = b"* OK " + b"x" * 990 + b"\r\n"
    script = [f'{READY}\nC: A1 CREATE "x"', SendBytes(itertools.repeat(fat * 50, 400)), "S: A1 OK done"]
    with connected(peer(script)) as client, memory_peak(8 * MEGABYTE):
        assert client.create_folder("x") == b"done"


@pytest.mark.once
def test_unsolicited_responses_cost_no_memory_between_commands(peer: PeerFactory) -> None:
    thin = b"* 5 EXISTS\r\n"
    script = [READY, SendBytes(itertools.repeat(thin * 500, 100)), 'C: A1 CREATE "x"\nS: A1 OK done']
    with connected(peer(script)) as client:
        with memory_peak(4 * MEGABYTE):
            assert client.create_folder("x") == b"done"
        kept = list(client._imap.unsolicited)
        assert 0 < len(kept) < 50_000
        assert len(kept) + client._imap.unsolicited.dropped == 50_000


def test_the_last_unsolicited_responses_are_kept(peer: PeerFactory) -> None:
    numbers = b"".join(b"* %d EXISTS\r\n" % number for number in range(3000))
    script = [f'{READY}\nC: A1 CREATE "x"', SendBytes(numbers), "S: A1 OK done"]
    with connected(peer(script)) as client:
        client.create_folder("x")
        kept: list[Untagged] = client._imap.unsolicited.take()
        assert [response.number for response in kept] == list(range(3000))[-len(kept) :]
        assert len(client._imap.unsolicited) == 0


def test_an_endless_stream_in_idle_costs_no_memory(peer: PeerFactory) -> None:
    fat = b"* OK " + b"x" * 990 + b"\r\n"
    script = [f"{READY}\nC: A1 IDLE\nS: + go", SendBytes(itertools.repeat(fat * 50))]
    with connected(peer(script)) as client:
        client.idle()
        with memory_peak(16 * MEGABYTE):
            for _ in range(5):
                received = client.idle_check(60)
                assert received
                assert all(item[0] == b"OK" for item in received)


def test_an_endless_tiny_stream_in_idle_is_returned_in_parts(peer: PeerFactory) -> None:
    script = [f"{READY}\nC: A1 IDLE\nS: + go", SendBytes(itertools.repeat(b"* 5 EXISTS\r\n" * 500))]
    with connected(peer(script)) as client:
        client.idle()
        for _ in range(5):
            assert set(client.idle_check(60)) == {(5, b"EXISTS")}


def test_a_search_reply_of_more_than_a_million_bytes(peer: PeerFactory) -> None:
    ids = list(range(1_000_000, 1_200_000))
    script: list[Any] = [f"{READY}\nC: A1 UID SEARCH ALL\nS-: * SEARCH"]
    line = b"".join(b" %d" % number for number in ids)
    assert len(line) > MEGABYTE
    script += [SendBytes(line), "S:\nS: A1 OK done"]
    with connected(peer(script)) as client:
        assert client.search() == ids


def test_a_literal_within_a_list_of_folders_within_the_limits(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LIST "" "*"
        S: * LIST () "/" {{5}}
        S-: a
        Sx: \\r\\nbc
        S: * LIST () "/" {{1001}}
    """
    with connected(peer(script), max_literal_size=1000) as client:
        with pytest.raises(LimitError) as caught:
            client.list_folders()
        assert_limit(client, caught, "max_literal_size", 1000)
