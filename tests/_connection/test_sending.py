"""Several commands on the wire at once: all are sent before the first is answered, and no side waits for the other."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from imapclient import IMAPClient
from imapclient._arguments.command import Literal
from imapclient._connection.capabilities import Capabilities
from imapclient._connection.exchange import Command, Exchange
from imapclient._connection.sending import MAX_IN_FLIGHT, Sender
from imapclient._parsing.records import DEFAULT_LIMITS
from imapclient._wire.pipes import PipeTransport, spawn
from imapclient._wire.sockets import SocketTimeout, SocketTransport
from imapclient.exceptions import CommandError, IllegalStateError, IMAPClientAbortError, ProtocolError
from tests.fixtures.chunks import RecordingTransport
from tests.helpers.certificates import authority
from tests.helpers.clients import connected
from tests.helpers.dialogue import dialogue, unsolicited
from tests.helpers.loopback_server import AcceptingServer
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer

# Seven digits and a comma each: a thousand of them fill a command.
_IDS = range(1000000, 1005000, 2)
_PARTS = [",".join(map(str, _IDS[start : start + 1000])) for start in (0, 1000, 2000)]
_ALL_SENT = "\n".join(f"C: A{number} UID FETCH {part} (FLAGS)" for number, part in enumerate(_PARTS, 1)) + "\n"


def test_all_parts_of_a_fetch_are_sent_before_the_first_is_answered() -> None:
    answers = """
        S: * 1 FETCH (UID 1000000 FLAGS (a))
        S: A1 OK one
        S: * 2 FETCH (UID 1004998 FLAGS (c))
        S: * 3 FETCH (UID 1002000 FLAGS (b))
        S: A2 OK two
        S: A3 OK three
    """
    with dialogue(_ALL_SENT + answers) as client:
        found = {uid: items[b"FLAGS"] for uid, items in client.fetch(_IDS, "FLAGS").items()}
        assert found == {1000000: (b"a",), 1002000: (b"b",), 1004998: (b"c",)}


def test_answers_may_come_in_any_order() -> None:
    answers = "S: A3 OK three\nS: * 1 FETCH (UID 1000000 FLAGS ())\nS: A1 OK one\nS: A2 OK two\n"
    with dialogue(_ALL_SENT + answers) as client:
        assert list(client.fetch(_IDS, "FLAGS")) == [1000000]


def test_unsolicited_responses_are_delivered_once_all_parts_are_done() -> None:
    """The callback's own command must not go between the parts."""
    answers = "S: * 4 EXISTS\nS: A1 OK one\nS: A2 OK two\nS: A3 OK three\nC: A4 NOOP\nS: A4 OK Done\n"
    received = []
    with dialogue(_ALL_SENT + answers) as client:

        def listen(item: object) -> None:
            received.append((item, client.noop()))

        client.on_unsolicited = listen
        assert client.fetch(_IDS, "FLAGS") == {}
        assert received == [((4, b"EXISTS"), (b"Done", []))]


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_one_part_that_is_refused_leaves_the_connection_usable(refused: int) -> None:
    answers = "".join(f"S: A{number} {'NO' if number == refused else 'OK'} {number}\n" for number in (1, 2, 3))
    with dialogue(_ALL_SENT + answers + "C: A4 NOOP\nS: A4 OK Done") as client:
        with pytest.raises(CommandError, match=f"failed: {refused}"):
            client.fetch(_IDS, "FLAGS")
        client.noop()


def test_a_connection_that_ends_between_the_answers() -> None:
    with dialogue(_ALL_SENT + "S: A1 OK one\nCLOSE") as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.fetch(_IDS, "FLAGS")
        assert vars(caught.value)["done"] == _PARTS[0]


def test_no_more_than_a_few_are_in_flight() -> None:
    count = MAX_IN_FLIGHT + 2
    script = [f"C: A{number} NOOP" for number in range(1, MAX_IN_FLIGHT + 1)]
    for number in range(1, count + 1):
        script.append(f"S: A{number} OK Done")
        if MAX_IN_FLIGHT + number <= count:
            script.append(f"C: A{MAX_IN_FLIGHT + number} NOOP")
    with dialogue("\n".join(script)) as client:
        commands = [Command(b"NOOP") for _ in range(count)]
        client._imap.execute_all(commands)
        assert [command.reply is not None and command.reply.status for command in commands] == ["OK"] * count


def test_the_errors_of_each_are_kept() -> None:
    """Nothing is raised if the connection is usable: the caller checks each command."""

    def unreadable(_: object) -> None:
        raise ProtocolError("no")

    with dialogue("C: A1 X\nC: A2 Y\nS: * Z\nS: A1 BAD no\nS: A2 OK Done") as client:
        first, second = Command(b"X"), Command(b"Y", handlers={b"Z": unreadable})
        client._imap.execute_all([first, second])
        assert first.reply is not None
        assert first.reply.status == "BAD"
        assert isinstance(second.error, ProtocolError)
        assert unsolicited(client) == []


def test_no_command_is_sent_in_idle(peer: PeerFactory) -> None:
    script = "S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\nC: A1 IDLE\nS: +\n"
    with connected(peer(script)) as client:
        client.idle()
        with pytest.raises(IllegalStateError):
            client._imap.execute_all([Command(b"NOOP")])


# -- neither side waits for the other


class _SlowReader(AcceptingServer):
    """A server that answers each command at length before it reads on, over buffers that hold little."""

    ANSWER = b"* 1 FETCH (UID 1000000 FLAGS (%s))\r\n" % (b"x" * 1_000_000)

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._context = context

    def _listen(self) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        listener.bind((self.host, 0))
        listener.listen()
        return listener

    def _serve(self, sock: socket.socket) -> None:
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True)
        with sock, sock.makefile("rb") as lines:
            sock.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
            for line in lines:
                tag = line.split(b" ", 1)[0]
                sock.sendall(self.ANSWER + tag + b" OK Done\r\n")


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_that_takes_no_command_before_its_answer_is_read(tls: bool) -> None:
    certificates = authority()
    context = certificates.server_context("localhost") if tls else None
    with _SlowReader(context) as server:
        client = IMAPClient(
            "localhost", server.port, ssl=tls, ssl_context=certificates.client_context() if tls else None, timeout=60
        )
        client._imap.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        try:
            ids = range(1000000, 1030000, 2)
            assert list(client.fetch(ids, "FLAGS")) == [1000000]
        finally:
            client.shutdown()


# -- sending without waiting


@contextlib.contextmanager
def _socket_that_is_full() -> Iterator[tuple[SocketTransport, Callable[[int], bytes]]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield SocketTransport(ours), theirs.recv


def test_a_socket_that_takes_no_more_says_so() -> None:
    with _socket_that_is_full() as (transport, receive):
        data = memoryview(b"x" * 65536)
        sent = 0
        while (now := transport.send_now(data)) > 0:
            sent += now
        assert sent > 0
        assert transport.send_now(data) == 0
        left = sent
        while left:
            left -= len(receive(65536))
        assert transport.send_now(data) > 0


def test_a_pipe_that_takes_no_more_says_so(tmp_path: Path) -> None:
    go = tmp_path / "go"
    transport = PipeTransport(spawn(f"until [ -e {go} ]; do sleep 0.01; done; cat >/dev/null"))
    try:
        data = memoryview(b"x" * 65536)
        while transport.send_now(data) > 0:
            pass
        assert transport.send_now(data) == 0
        go.touch()
        transport.sendall(data, 10)
    finally:
        transport.close()


def test_a_script_is_followed_through_a_long_fetch(peer: Callable[..., ScriptedPeer]) -> None:
    script = "S: * PREAUTH ready\n" + _ALL_SENT + "S: A1 OK one\nS: A2 OK two\nS: A3 OK three\n"
    with connected(peer(script, chunk=3)) as client:
        assert client.fetch(_IDS, "FLAGS") == {}


# -- the sender by itself


def _sender_over(*events: bytes) -> tuple[Sender, Exchange, RecordingTransport]:
    transport = RecordingTransport(events)
    exchange = Exchange(DEFAULT_LIMITS, SocketTimeout(None, None), Capabilities())
    exchange.use_transport(transport)
    return Sender(exchange), exchange, transport


def test_a_command_is_sent_and_finished() -> None:
    sender, exchange, transport = _sender_over(b"* 3 EXISTS\r\nA0 OK Done\r\n")
    command = Command(b"SELECT", [b'"INBOX"'])
    assert sender.start(command) == len(b'A0 SELECT "INBOX"\r\n')
    assert (transport.sent, command.is_sent, command.reply) == (b'A0 SELECT "INBOX"\r\n', True, None)
    assert list(exchange.in_flight.values()) == [command]
    assert sender.finish(command).text == b"Done"
    assert sender.finish(command).text == b"Done"
    assert exchange.in_flight == {}


def test_a_literal_waits_for_the_server_or_goes_ahead() -> None:
    sender, _, transport = _sender_over(b"+ go\r\n", b"A0 OK\r\n")
    sender.start(Command(b"APPEND", [b"x", Literal(b"abc")]))
    assert transport.sent == b"A0 APPEND x {3}\r\nabc\r\n"
    assert len(transport.sizes) == 1
    sender, exchange, transport = _sender_over()
    exchange.state = "AUTH"
    exchange.capabilities.learn([b"LITERAL+"])
    sender.start(Command(b"APPEND", [b"x", Literal(b"abc")]))
    assert transport.sent == b"A0 APPEND x {3+}\r\nabc\r\n"
    assert transport.sizes == []


def test_a_refused_literal_is_not_sent() -> None:
    sender, _, transport = _sender_over(b"A0 NO [TOOBIG] no\r\n")
    command = Command(b"APPEND", [b"x", Literal(b"abc")])
    sender.start(command)
    assert transport.sent == b"A0 APPEND x {3}\r\n"
    assert not command.is_sent
    with pytest.raises(CommandError, match="TOOBIG"):
        sender.finish(command)


def test_a_command_answers_continuation_requests() -> None:
    sender, _, transport = _sender_over(b"+ one\r\n+ two\r\nA0 OK\r\n")
    command = Command(b"AUTHENTICATE", [b"X"], respond=bytes.upper)
    sender.start(command)
    with pytest.raises(IllegalStateError, match="authentication"):
        sender.start(Command(b"NOOP"))
    sender.finish(command)
    assert transport.sent == b"A0 AUTHENTICATE X\r\nONE\r\nTWO\r\n"
