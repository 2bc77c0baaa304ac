"""Watching a folder on one connection: what is told, and what state the connection is in."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from imapclient._connection.queues import AwaitedQueue
from imapclient.events import Bye, Expunged, FlagsChanged, FolderEvent, NewMessage, Reconnect, Reconnected, Vanished
from imapclient.exceptions import (
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientReadOnlyError,
    LimitError,
)
from imapclient.sequence_set import UidSet
from tests.helpers.clients import is_waiting_in_idle, memory_peak
from tests.helpers.clock import Clock
from tests.helpers.dialogue import dialogue, dialogue_with_peer, unsolicited
from tests.helpers.scripted_peer import Script, ScriptedPeer, SendBytes

SELECT = """
    C: A1 SELECT "INBOX"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 5] x
    S: * OK [UIDNEXT 104] x
    S: A1 OK [READ-WRITE] Done
"""
IDLE = "C: A2 IDLE\nS: + idling\n"
DONE = "C: DONE\nS: A2 OK Done\n"
NOOP = "C: A9 NOOP\nS: A9 OK Done\n"


def uids(*pairs: tuple[int, int], tag: str = "A3") -> str:
    """The look for UIDs: ``uids((4, 104))``."""
    numbers = ",".join(str(number) for number, _ in pairs)
    if len(pairs) > 1:
        numbers = f"{pairs[0][0]}:{pairs[-1][0]}"
    lines = [f"C: {tag} FETCH {numbers} (UID)", *(f"S: * {number} FETCH (UID {uid})" for number, uid in pairs)]
    return "\n".join([*lines, f"S: {tag} OK Done", ""])


def take(watching: Generator[FolderEvent, None, None], count: int) -> list[FolderEvent]:
    return list(itertools.islice(watching, count))


def test_a_new_message_and_the_connection_is_free_in_the_loop() -> None:
    script = SELECT + IDLE + "S: * 4 EXISTS\nS: * 1 RECENT\n" + DONE + uids((4, 104)) + NOOP
    with dialogue(script) as client:
        events = []
        for event in client.watch("INBOX"):
            events.append(event)
            client.noop()
            break
        assert events == [NewMessage(sequence_number=4, uid=104)]


@pytest.mark.parametrize("use_uid", [True, False])
def test_all_kinds_of_events_in_their_order(use_uid: bool) -> None:
    told = b"* 2 FETCH (FLAGS (\\Seen))\r\n* 1 EXPUNGE\r\n* 4 EXISTS\r\n* 2 FETCH (UID 103 FLAGS (a))\r\n* 3 EXISTS\r\n"
    script: Script = [
        SELECT,
        "C: A2 IDLE",
        SendBytes(told + b"+ idling\r\n"),
        DONE,
        "C: A3 FETCH 1,3 (UID)\nS: * 1 FETCH (UID 102)\nS: * 3 FETCH (UID 105)\nS: A3 OK Done",
    ]
    with dialogue(script, use_uid=use_uid) as client:
        watching = client.watch("INBOX")
        assert take(watching, 4) == [
            FlagsChanged(2, (b"\\Seen",), 102),
            Expunged(1),
            FlagsChanged(2, (b"a",), 103),
            NewMessage(3, 105),
        ]
        watching.close()


def test_vanished_messages() -> None:
    with dialogue(SELECT + IDLE + "S: * VANISHED 101,103\n" + DONE) as client:
        assert next(client.watch("INBOX")) == Vanished(UidSet("101,103"))


def test_what_the_commands_of_the_loop_hear_is_told() -> None:
    script = (
        SELECT + IDLE + "S: * 4 EXISTS\n" + DONE + uids((4, 104))
        + 'C: A4 CREATE "x"\nS: * 5 EXISTS\nS: * 1 EXPUNGE\nS: A4 OK x\n'
        + "C: A5 NOOP\nS: * 2 FETCH (FLAGS (b))\nS: A5 OK Done\n"
        + "C: A6 UID FETCH 101 (FLAGS)\nS: * 1 FETCH (UID 102 FLAGS (mine))\n"
        + "S: * 3 FETCH (UID 104 FLAGS (c))\nS: A6 OK x\n"
        + "C: A7 UID STORE 102 +FLAGS (d)\nS: * 1 FETCH (UID 102 FLAGS (d))\nS: A7 OK x\n"
        + "C: A8 FETCH 2,4 (UID)\nS: * 2 FETCH (UID 103)\nS: * 4 FETCH (UID 105)\nS: A8 OK x\n"
    )  # fmt: skip
    with dialogue(script) as client:
        watching = client.watch("INBOX")
        assert next(watching) == NewMessage(4, 104)
        client.create_folder("x")
        assert client.noop() == (b"Done", [(2, b"FETCH", (b"FLAGS", (b"b",)))])
        client.fetch(101, "FLAGS")
        client.add_flags(102, "d")
        # Not what the loop asked for itself: message 1.
        assert take(watching, 4) == [
            Expunged(1),
            FlagsChanged(2, (b"b",), 103),
            FlagsChanged(1, (b"mine",), 102),
            FlagsChanged(3, (b"c",), 104),
        ]
        assert next(watching) == NewMessage(4, 105)


def test_flags_that_are_told_as_uids_are_looked_for() -> None:
    script = (
        SELECT + IDLE + "S: * 2 FETCH (FLAGS (a))\n" + DONE
        + "C: A3 FETCH 2 (UID)\nS: * 2 FETCH (FLAGS (b))\nS: * 2 FETCH (UID 102)\n"
        + "S: * 1 FETCH (FLAGS (c))\nS: A3 OK x\n"
        + "C: A4 FETCH 1 (UID)\nS: * 1 FETCH (UID 101)\nS: A4 OK x\n"
    )  # fmt: skip
    with dialogue(script) as client:
        assert take(client.watch("INBOX"), 3) == [
            FlagsChanged(2, (b"a",), 102),
            FlagsChanged(2, (b"b",), 102),
            FlagsChanged(1, (b"c",), 101),
        ]


def test_uids_that_the_server_refuses_to_tell() -> None:
    with dialogue(
        SELECT + IDLE + "S: * 4 EXISTS\n" + DONE + "C: A3 FETCH 4 (UID)\nS: A3 NO Not today\n" + NOOP
    ) as client:
        assert next(client.watch("INBOX")) == NewMessage(4, None)
        client.noop()


def test_idle_is_renewed() -> None:
    script = SELECT + IDLE + DONE + "C: A3 IDLE\nS: + again\nC: DONE\nS: A3 OK x\nC: A4 IDLE\nS: + x\nS: * 1 EXPUNGE\n"
    with dialogue(script + "C: DONE\nS: A4 OK x") as client:
        assert next(client.watch("INBOX", renew=0.05)) == Expunged(1)


def test_without_idle_the_server_is_asked() -> None:
    script = (
        SELECT + "C: A2 NOOP\nS: A2 OK x\nC: A3 NOOP\nS: * 2 EXPUNGE\nS: * OK [ALERT] Look out\nS: A3 OK x\n" + NOOP
    )
    with dialogue(script, capabilities="IMAP4rev1") as client:
        heard: list[Any] = []
        client.on_unsolicited = heard.append
        assert next(client.watch("INBOX", poll=0.05)) == Expunged(2)
        assert heard == [(b"OK", b"[ALERT] Look out")]
        client.noop()


def test_what_is_not_about_messages_goes_to_the_callback_after_idle() -> None:
    script: Script = [SELECT, "C: A2 IDLE", SendBytes(b"* OK [ALERT] Look out\r\n* 1 EXPUNGE\r\n+ x\r\n"), DONE, NOOP]
    with dialogue(script) as client:
        heard: list[Any] = []

        def listen(item: Any) -> None:
            heard.append(item)
            client.noop()

        client.on_unsolicited = listen
        assert next(client.watch("INBOX")) == Expunged(1)
        assert heard == [(b"OK", b"[ALERT] Look out")]


def test_still_here_does_not_end_idle() -> None:
    script = SELECT + IDLE + "S: * OK Still here\nPAUSE 0.05\nS: * OK Still here\nPAUSE 0.05\nS: * 1 EXPUNGE\n" + DONE
    with dialogue(script) as client:
        assert next(client.watch("INBOX")) == Expunged(1)
        assert [text for _, _, text in unsolicited(client)] == [b"Still here"] * 2


# -- the beginning


def test_messages_that_are_there_already() -> None:
    script = (
        SELECT + "C: A2 UID SEARCH UID 102:*\nS: * SEARCH 103 102\nS: A2 OK x\n" + uids((2, 102), (3, 103))
        + "C: A4 IDLE\nS: + x\nS: * 1 EXPUNGE\nC: DONE\nS: A4 OK x\n"
    )  # fmt: skip
    with dialogue(script) as client:
        expected = [NewMessage(2, 102), NewMessage(3, 103), Expunged(1)]
        assert take(client.watch("INBOX", uidnext=102), 3) == expected


@pytest.mark.parametrize("exists", [3, 0])
def test_a_server_that_tells_no_uidnext(exists: int) -> None:
    """Courier 5: the UID of the last message says which ones are new after a lost connection."""
    select = f'C: A1 SELECT "INBOX"\nS: * {exists} EXISTS\nS: * OK [UIDVALIDITY 5] x\nS: A1 OK [READ-WRITE] Done\n'
    look = "C: A2 FETCH 3 (UID)\nS: * 3 FETCH (UID 103)\nS: A2 OK x\n" if exists else ""
    again = f"S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] in\n{select.replace(f'{exists} EXISTS', f'{exists + 1} EXISTS')}"
    again += f"C: A2 FETCH {exists + 1} (UID)\nS: * {exists + 1} FETCH (UID 104)\nS: A2 OK x\n"
    again += f"C: A3 UID SEARCH UID {104 if exists else 1}:*\nS: * SEARCH 104\nS: A3 OK x\n"
    new = f"C: A4 FETCH {exists + 1} (UID)\nS: * {exists + 1} FETCH (UID 104)\nS: A4 OK x\n"
    with dialogue(f"{select}{look}C: A3 IDLE\nS: +\nCLOSE\nACCEPT\n{again}{new}") as client:
        watching = client.watch("INBOX", reconnect=Reconnect(None, first_delay=0))
        event = next(watching)
        assert isinstance(event, Reconnected)
        assert (event.before.uidnext, event.after.uidnext) == (104 if exists else 1, 105)
        assert next(watching) == NewMessage(exists + 1, 104)


@pytest.mark.parametrize("answer", ["* SEARCH 103", '* ESEARCH (TAG "A2") UID ALL 103', "* SEARCH"])
def test_no_message_is_new(answer: str) -> None:
    """``104:*`` is the last message, whatever its UID, where there is none from 104 on."""
    script = SELECT + f"C: A2 UID SEARCH UID 104:*\nS: {answer}\nS: A2 OK x\n"
    with dialogue(script + "C: A3 IDLE\nS: + x\nS: * 1 EXPUNGE\nC: DONE\nS: A3 OK x\n") as client:
        assert next(client.watch("INBOX", uidnext=104)) == Expunged(1)


def test_nothing_is_sent_before_the_first_event_is_asked_for() -> None:
    with dialogue() as client:
        watching = client.watch("INBOX")
        watching.close()
        client.watch("INBOX")
        assert client._imap.observed is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"renew": 0}, ValueError),
        ({"poll": -1}, ValueError),
        ({"renew": float("nan")}, ValueError),
        ({"poll": float("inf")}, ValueError),
        ({"reconnect": ("ann", "secret")}, TypeError),
        ({"folder": None}, TypeError),
        ({"uidnext": 0}, ValueError),
        ({"uidnext": 2**32}, ValueError),
        ({"uidnext": "1 NOOP"}, ValueError),
        ({"uidnext": True}, ValueError),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(options: dict[str, Any], error: type[Exception]) -> None:
    with dialogue() as client, pytest.raises(error):
        client.watch(**{"folder": "INBOX", **options})


def test_a_folder_that_can_not_be_selected() -> None:
    with dialogue('C: A1 SELECT "x"\nS: A1 NO [NONEXISTENT] None\n' + NOOP) as client:
        with pytest.raises(CommandError, match="None"):
            next(client.watch("x", reconnect=Reconnect(None)))
        client.noop()
        assert client._imap.observed is None


def test_read_only() -> None:
    with dialogue(
        SELECT.replace("SELECT", "EXAMINE").replace("WRITE", "ONLY") + IDLE + "S: * 1 EXPUNGE\n" + DONE
    ) as client:
        assert next(client.watch("INBOX", readonly=True)) == Expunged(1)
    with dialogue(SELECT.replace("READ-WRITE", "READ-ONLY") + NOOP) as client:
        with pytest.raises(IMAPClientReadOnlyError):
            next(client.watch("INBOX"))
        client.noop()


def test_one_folder_at_a_time() -> None:
    with dialogue(SELECT + IDLE + "S: * 1 EXPUNGE\n" + DONE + NOOP) as client:
        watching = client.watch("INBOX")
        assert next(watching) == Expunged(1)
        with pytest.raises(IllegalStateError, match="already"):
            next(client.watch("Sent"))
        client.noop()
        watching.close()
        assert client._imap.observed is None


# -- the end


def test_the_deadline_ends_it(clock: Clock) -> None:
    clock.stop()
    script: Script = [SELECT + IDLE, lambda: clock.forward(1), DONE + NOOP]
    with dialogue(script) as client:
        assert list(client.watch("INBOX", timeout=0.05)) == []
        client.noop()
    script = [SELECT + "C: A2 NOOP", lambda: clock.forward(1), "S: * 1 EXPUNGE\nS: A2 OK x\n" + NOOP]
    with dialogue(script, capabilities="IMAP4rev1") as client:
        assert list(client.watch("INBOX", timeout=0.05)) == [Expunged(1)]
        client.noop()


def test_closing_the_generator_between_events() -> None:
    script: Script = [SELECT, "C: A2 IDLE", SendBytes(b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n+ x\r\n"), DONE, NOOP]
    with dialogue(script) as client:
        with contextlib.closing(client.watch("INBOX")) as watching:
            assert next(watching) == Expunged(1)
        assert client._imap.observed is None
        client.noop()


def test_ctrl_c_while_it_waits_leaves_idle(interrupt_reading: Callable[[int], None]) -> None:
    peers: list[ScriptedPeer] = []
    script: Script = [
        *(SELECT + IDLE + "S: * OK [ALERT] Look out", lambda: interrupt_reading(peers[0].sent())),
        DONE + NOOP,
    ]
    with dialogue_with_peer(script) as (client, peer):
        peers.append(peer)
        with pytest.raises(KeyboardInterrupt):
            next(client.watch("INBOX"))
        client.noop()
        assert [text for _, _, text in unsolicited(client)] == [b"[ALERT] Look out"]


@pytest.mark.parametrize("leave", [lambda client: client.select_folder("x"), lambda client: client.close_folder()])
def test_leaving_the_folder_in_the_loop_is_an_error(leave: Any) -> None:
    with dialogue_with_peer(SELECT + IDLE + "S: * 1 EXPUNGE\n" + DONE) as (client, peer):
        watching = client.watch("INBOX", reconnect=Reconnect(None))
        assert next(watching) == Expunged(1)
        with ThreadPoolExecutor() as pool:
            left = pool.submit(leave, client)
            peer.play([lambda: None, lambda: _answer_any(peer)])
            left.result(60)
        with pytest.raises(IllegalStateError, match="another folder"):
            next(watching)
        assert client._imap.observed is None


def _answer_any(peer: Any) -> bytes:
    stream = peer._need_stream()
    while not stream.buffer.endswith(b"\r\n"):
        stream.receive()
    tag = bytes(stream.buffer).split()[0]
    stream.buffer.clear()
    return tag + b" OK Done\r\n"


def test_a_bye_is_told_and_then_raised() -> None:
    script: Script = [
        SELECT,
        "C: A2 IDLE",
        SendBytes(b"+ x\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n* BYE [UNAVAILABLE] Going down\r\n"),
        "CLOSE",
    ]
    with dialogue_with_peer(script) as (client, _):
        watching = client.watch("INBOX")
        assert take(watching, 2) == [Expunged(1), Bye("Going down", (b"UNAVAILABLE", ()))]
        with pytest.raises(IMAPClientAbortError, match="Going down"):
            next(watching)
        assert list(watching) == []


@pytest.mark.parametrize("end", ["CLOSE", "RESET", "S: nonsense", "S: A2 OK Enough"])
def test_the_end_of_the_connection_is_raised(end: str) -> None:
    with dialogue(SELECT + IDLE + end) as client:
        with pytest.raises(IMAPClientAbortError):
            next(client.watch("INBOX"))
        with pytest.raises(IMAPClientAbortError):
            client.noop()
        assert client._imap.observed is None


@pytest.mark.parametrize("logout", [True, False])
def test_closing_the_client_in_another_thread_ends_it(logout: bool) -> None:
    with dialogue_with_peer(SELECT + IDLE) as (client, peer), ThreadPoolExecutor() as pool:
        watching = pool.submit(next, client.watch("INBOX", reconnect=Reconnect(("ann", "secret"))))
        peer.wait()
        while not is_waiting_in_idle(client):
            pass
        if logout:
            with pytest.raises(IllegalStateError):
                client.logout()
        else:
            client.shutdown()
        with pytest.raises(IMAPClientAbortError):
            watching.result(60)


def test_calls_of_other_threads_while_it_waits() -> None:
    with dialogue_with_peer(SELECT + IDLE) as (client, peer), ThreadPoolExecutor() as pool:
        watching = pool.submit(next, client.watch("INBOX"))
        peer.wait()
        while not is_waiting_in_idle(client):
            pass
        with pytest.raises(IllegalStateError):
            client.noop()
        peer.play("S: * 1 EXPUNGE\n" + DONE)
        assert watching.result(60) == Expunged(1)


# -- a server that tells too much


def test_a_flood_ends_the_connection_and_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwaitedQueue, "MAX_RESPONSES", 5000)
    flood = itertools.repeat(b"* 1 FETCH (FLAGS (a))\r\n* 3 EXISTS\r\n* OK x\r\n" * 300)
    script: Script = [SELECT + IDLE + "S: * 1 EXPUNGE\nC: DONE", SendBytes(flood)]
    with dialogue(script) as client, memory_peak(8 * 1024 * 1024), pytest.raises(LimitError):
        list(client.watch("INBOX"))


def test_more_than_the_bound_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwaitedQueue, "MAX_RESPONSES", 50)
    script: Script = [
        SELECT + IDLE + "S: * 1 EXPUNGE\n" + DONE + 'C: A3 CREATE "x"',
        SendBytes(b"* 2 EXISTS\r\n" * 100),
    ]
    with dialogue(script) as client:
        watching = client.watch("INBOX")
        assert next(watching) == Expunged(1)
        with pytest.raises(LimitError):
            client.create_folder("x")
        with pytest.raises(LimitError):
            next(watching)


def test_messages_without_end_are_told_in_parts() -> None:
    script = SELECT + IDLE + "S: * 4294967295 EXISTS\n" + DONE + "C: A3 FETCH 4:503 (UID)\nS: A3 OK x"
    with dialogue(script) as client, memory_peak(2**22):
        assert next(client.watch("INBOX")) == NewMessage(4)


def test_events_are_those_of_this_client() -> None:
    """Two clients watch two folders, in one thread."""
    with (
        dialogue(SELECT + IDLE + "S: * 1 EXPUNGE\n" + DONE) as one,
        dialogue(SELECT + IDLE + "S: * 2 EXPUNGE\n" + DONE) as two,
    ):
        assert [next(one.watch("INBOX")), next(two.watch("INBOX"))] == [Expunged(1), Expunged(2)]
