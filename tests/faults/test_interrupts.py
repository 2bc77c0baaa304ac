"""Ctrl-C, and exceptions of the user's code, in the middle of an exchange."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError
from tests.faults import grid, interrupts
from tests.faults.session import ScriptedSite, steps
from tests.helpers.clients import assert_unusable, connected
from tests.helpers.fault_proxy import Fault, FaultProxy
from tests.helpers.scripted_peer import PeerFactory

ROOT = Path(__file__).resolve().parent.parent.parent
READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE LITERAL+ MULTIAPPEND] ready"


@pytest.mark.parametrize("name", interrupts.CALLS)
def test_ctrl_c_at_every_line(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.interrupts", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[-2]) > 100


def test_ctrl_c_while_the_server_is_silent(interrupt_reading: Callable[[int], None]) -> None:
    """At many places of the session: the call raises it, and the client is unusable after that."""
    site = ScriptedSite()
    recording = grid.record(site)
    for after in range(60, recording.to_client, 97):
        with site.visit() as visit, FaultProxy(visit.host, visit.port, to_client=[Fault(after, "stall")]) as proxy:
            thread = threading.Thread(target=interrupt_reading, args=(after,))
            thread.start()
            client = None
            returned: dict[str, Any] = {}
            with pytest.raises(KeyboardInterrupt) as caught:  # noqa: PT012
                client = visit.connect(proxy.port, 60)
                for name, call in steps(visit.user):
                    returned[name] = call(client)
            thread.join(60)
            assert returned == {name: recording.truth[name] for name in returned}
            if client is not None:
                assert not client._imap.is_usable
                with pytest.raises(IMAPClientAbortError) as later:
                    client.noop()
                assert later.value.__cause__ is caught.value
                client.shutdown()
                assert client.socket().fileno() == -1


# -- the user's code


class Trouble(Exception):
    """An exception of the user's code."""


class BadFile(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise Trouble
        return super().read(10)


def _bad_iterator() -> Iterator[bytes]:
    yield b"x" * 10
    raise Trouble


def _bad_progress(done: int, total: int) -> None:
    raise Trouble


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (BadFile(b"x" * 100), {}),
        (_bad_iterator(), {"size": 100}),
        (b"x" * 100, {"progress": _bad_progress}),
    ],
    ids=["file", "iterator", "progress"],
)
def test_code_that_runs_while_a_message_is_sent(message: Any, options: Any) -> None:
    """Its exception is raised unchanged, with ``message_sent`` False. The connection is unusable."""
    with interrupts.Server() as server:
        client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
        client.login("ann", "secret")
        with pytest.raises(Trouble) as caught:
            client.append("x", message, **options)
        assert caught.value.message_sent is False  # type: ignore[attr-defined]
        assert_unusable(client, caught.value)
        assert client.socket().fileno() == -1


def test_messages_that_an_iterator_fails_to_give(peer: PeerFactory) -> None:
    """All messages are taken from the iterator before the client sends anything."""

    def messages() -> Iterator[bytes]:
        yield b"first"
        raise Trouble

    with connected(peer(f"{READY}\nC: A1 NOOP\nS: A1 OK done")) as client:
        with pytest.raises(Trouble):
            client.multiappend("x", messages())
        client.noop()


def test_a_callback_for_what_the_server_tells(peer: PeerFactory) -> None:
    """It is called between exchanges. Its exception is logged. Ctrl-C in it leaves the connection in step."""
    script = f"""
        {READY}
        C: A1 CREATE "x"
        S: * 5 EXISTS
        S: A1 OK done
        C: A2 CREATE "y"
        S: * 6 EXISTS
        S: A2 OK done
        C: A3 NOOP
        S: * 7 EXISTS
        S: A3 OK done
    """
    with connected(peer(script)) as client:
        raised: list[BaseException] = [Trouble(), KeyboardInterrupt()]

        def heard(item: object) -> None:
            raise raised.pop(0)

        client.on_unsolicited = heard
        client.create_folder("x")
        with pytest.raises(KeyboardInterrupt):
            client.create_folder("y")
        client.on_unsolicited = None
        assert client.noop() == (b"done", [(7, b"EXISTS")])


def test_an_interrupt_as_the_last_byte_goes_out(peer: PeerFactory, interrupt: Callable[[], None]) -> None:
    """The server may have the whole message. The exception says so."""
    server = peer([f'{READY}\nC: A1 APPEND "x" {{3}}\nS: + go\nC: abc', interrupt])
    with connected(server) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.append("x", b"abc")
        assert caught.value.message_sent is True  # type: ignore[attr-defined]


def test_message_sent_where_the_message_is_lost_half_way(peer: PeerFactory) -> None:
    server = peer(f'{READY}\nC: A1 APPEND "x" {{3}}\nRESET')
    with connected(server) as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.append("x", b"abc")
        assert caught.value.message_sent is False  # type: ignore[attr-defined]


def test_a_dribble_shorter_than_the_patience_of_idle_check(peer: PeerFactory) -> None:
    """A byte comes every 20 ms, and each wait is for 5: nothing is lost, and the order is kept."""
    told = b"* 1 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen) X {5}\r\n* 9 \n)\r\n* 3 EXPUNGE\r\n"
    script: list[Any] = [f"{READY}\nC: A1 IDLE\nS: + go"]
    for byte in told:
        script += ["PAUSE 0.02", b"Sx-: \\x%02x" % byte]
    script += ["C: DONE\nS: A1 OK done"]
    with connected(peer(script)) as client:
        client.idle()
        heard: list[Any] = []
        while (3, b"EXPUNGE") not in heard:
            heard += client.idle_check(0.005)
        assert heard == [(1, b"EXISTS"), (2, b"FETCH", (b"FLAGS", (b"\\Seen",), b"X", b"* 9 \n")), (3, b"EXPUNGE")]
        assert client.idle_done() == (b"done", [])
