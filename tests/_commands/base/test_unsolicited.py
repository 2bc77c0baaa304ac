"""What the server tells that no command asked for."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, IMAPClientAbortError
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import ScriptedPeer, SendBytes

_NEWS = """
    S: * 4 EXISTS
    S: * 2 EXPUNGE
    S: * 1 FETCH (UID 9 FLAGS (\\Seen))
    S: * OK [ALERT] Quota is nearly full
    S: * X-THING (1 {3}
    S: abc "d")
    S: * X-ODD (1
"""
_ITEMS: list[Any] = [
    (4, b"EXISTS"),
    (2, b"EXPUNGE"),
    (1, b"FETCH", (b"UID", 9, b"FLAGS", (b"\\Seen",))),
    (b"OK", b"[ALERT] Quota is nearly full"),
    (b"X-THING", (1, b"abc", b"d")),
    (b"X-ODD", b"(1"),
]


def test_it_goes_to_the_callback_parsed() -> None:
    heard: list[Any] = []
    with dialogue(f'C: A1 CREATE "x"\n{_NEWS}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done') as client:
        client.on_unsolicited = heard.append
        assert client.create_folder("x") == b"Done"
        assert heard == _ITEMS
        client.noop()
        assert heard == _ITEMS
        assert len(client._imap.unsolicited) == 0


def test_the_constructor_takes_it() -> None:
    heard: list[Any] = []
    with dialogue("C: A1 NOOP\nS: A1 OK Done") as other:
        other.noop()
    assert other.on_unsolicited is None
    script = 'S: * OK [CAPABILITY IMAP4rev1] hi\nC: A1 CREATE "x"\nS: * 4 EXISTS\nS: A1 OK Done'
    with ScriptedPeer(script) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60, on_unsolicited=heard.append)
        client.create_folder("x")
        assert heard == [(4, b"EXISTS")]
        client.shutdown()


def test_alerts_of_the_greeting_and_of_the_logout() -> None:
    heard: list[Any] = []
    script = "S: * OK [ALERT] Hello\nC: A1 LOGOUT\nS: * OK [ALERT] Bye bye\nS: * BYE x\nS: A1 OK x"
    with ScriptedPeer(script) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60, on_unsolicited=heard.append)
        assert heard == [(b"OK", b"[ALERT] Hello")]
        client.logout()
    assert heard[:2] == [(b"OK", b"[ALERT] Hello"), (b"OK", b"[ALERT] Bye bye")]


def test_it_is_called_where_the_command_fails_too() -> None:
    heard: list[Any] = []
    with dialogue('C: A1 CREATE "x"\nS: * 4 EXISTS\nS: A1 NO [ALERT] Go home') as client:
        client.on_unsolicited = heard.append
        with pytest.raises(CommandError):
            client.create_folder("x")
        assert heard == [(4, b"EXISTS"), (b"NO", b"[ALERT] Go home")]


def test_it_is_called_where_the_connection_ends_too() -> None:
    heard: list[Any] = []
    with dialogue('C: A1 CREATE "x"\nS: * 4 EXISTS\nCLOSE') as client:
        client.on_unsolicited = heard.append
        with pytest.raises(IMAPClientAbortError):
            client.create_folder("x")
        assert heard == [(4, b"EXISTS")]


def test_an_alert_with_the_answer_is_told() -> None:
    heard: list[Any] = []
    script = """
        C: A1 SELECT "x"
        S: * 1 EXISTS
        S: * OK [ALERT] Going down
        S: * OK [UIDVALIDITY 5] x
        S: A1 OK [ALERT] Soon
    """
    with dialogue(script) as client:
        client.on_unsolicited = heard.append
        assert client.select_folder("x") == {b"EXISTS": 1, b"UIDVALIDITY": 5}
        assert heard == [(b"OK", b"[ALERT] Going down"), (b"OK", b"[ALERT] Soon")]


def test_the_callback_may_call_the_client() -> None:
    heard: list[Any] = []

    def look(item: Any) -> None:
        heard.append(item)
        if item == (4, b"EXISTS"):
            heard.append(client.create_folder("y"))

    script = """
        C: A1 CREATE "x"
        S: * 4 EXISTS
        S: * 1 EXPUNGE
        S: A1 OK x
        C: A2 CREATE "y"
        S: * 5 EXISTS
        S: A2 OK y
    """
    with dialogue(script) as client:
        client.on_unsolicited = look
        assert client.create_folder("x") == b"x"
        assert heard == [(4, b"EXISTS"), b"y", (1, b"EXPUNGE"), (5, b"EXISTS")]


def test_an_exception_of_the_callback_is_logged_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []

    def fail(item: Any) -> None:
        heard.append(item)
        raise RuntimeError("not today")

    with dialogue(f'C: A1 CREATE "x"\n{_NEWS}\nS: A1 OK Done') as client, caplog.at_level(logging.ERROR):
        client.on_unsolicited = fail
        assert client.create_folder("x") == b"Done"
    assert heard == _ITEMS
    assert caplog.text.count("RuntimeError: not today") == len(_ITEMS)


def test_an_interrupt_in_the_callback_loses_no_other_item() -> None:
    heard: list[Any] = []

    def interrupt(item: Any) -> None:
        heard.append(item)
        if len(heard) == 2:
            raise KeyboardInterrupt

    with dialogue(f'C: A1 CREATE "x"\n{_NEWS}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done') as client:
        client.on_unsolicited = interrupt
        with pytest.raises(KeyboardInterrupt):
            client.create_folder("x")
        client.noop()
        assert heard == _ITEMS


def test_it_may_be_taken_away_in_between() -> None:
    heard: list[Any] = []

    def once(item: Any) -> None:
        heard.append(item)
        client.on_unsolicited = None

    with dialogue(f'C: A1 CREATE "x"\n{_NEWS}\nS: A1 OK Done') as client:
        client.on_unsolicited = once
        client.create_folder("x")
        assert heard == _ITEMS[:1]
        assert len(client._imap.unsolicited) == len(_ITEMS) - 1


def test_what_a_command_returns_is_not_told_twice() -> None:
    heard: list[Any] = []
    script = "C: A1 NOOP\nS: * 4 EXISTS\nS: A1 OK Done\nC: A2 EXPUNGE\nS: * 1 EXPUNGE\nS: * 3 EXISTS\nS: A2 OK Done"
    with dialogue(script) as client:
        client.on_unsolicited = heard.append
        assert client.noop() == (b"Done", [(4, b"EXISTS")])
        assert client.expunge() == (b"Done", [(1, b"EXPUNGE"), (3, b"EXISTS")])
        assert heard == []


def test_the_callback_waits_until_all_parts_of_a_long_set_are_done() -> None:
    """It may select another folder, where the rest of the ids would be other messages."""
    script = """
        C: A1 UID STORE {first} +FLAGS.SILENT (a)
        S: * 4 EXISTS
        S: A1 OK Done
        C: A2 UID STORE {second} +FLAGS.SILENT (a)
        S: A2 OK Done
        C: A3 SELECT "x"
        S: A3 OK Done
    """
    ids = range(1000000, 1002002, 2)
    first, second = ",".join(map(str, ids[:1000])), str(ids[1000])
    with dialogue(script.format(first=first, second=second)) as client:
        client.on_unsolicited = lambda item: client.select_folder("x")
        client.add_flags(ids, "a", silent=True)


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda client: client.noop(), "NOOP"),
        (lambda client: client.expunge(), "EXPUNGE"),
        (lambda client: client.uid_expunge(5), "UID EXPUNGE 5"),
    ],
)
def test_what_a_command_heard_before_it_failed_is_told(call: Any, sent: str) -> None:
    heard: list[Any] = []
    with dialogue(f"C: A1 {sent}\nS: * 2 EXPUNGE\nS: * 5 EXISTS\nS: A1 NO Not today") as client:
        client.on_unsolicited = heard.append
        with pytest.raises(CommandError):
            call(client)
    assert heard == [(2, b"EXPUNGE"), (5, b"EXISTS")]


def test_the_callback_waits_for_the_second_try_of_a_search() -> None:
    script = """
        C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}
        S: + go
        C: \u00fc
        S: * 4 EXISTS
        S: A1 NO [BADCHARSET (ISO-8859-1)] No
        C: A2 UID SEARCH CHARSET ISO-8859-1 SUBJECT {1}
        S: + go
        Cx: \\xfc
        S: * SEARCH 7
        S: A2 OK Done
        C: A3 SELECT "x"
        S: A3 OK Done
    """
    with dialogue(script) as client:
        client.on_unsolicited = lambda item: client.select_folder("x")
        assert client.search(["SUBJECT", "\u00fc"]) == [7]


def test_many_at_once() -> None:
    """Another client has cleaned up."""
    heard: list[Any] = []
    told = SendBytes(3000 * b"* 1 EXPUNGE\r\n")
    with dialogue(["C: A1 UID SEARCH ALL", told, "S: * SEARCH 5\nS: A1 OK Done"]) as client:
        client.on_unsolicited = heard.append
        assert client.search() == [5]
    assert heard == 3000 * [(1, b"EXPUNGE")]


def test_the_log_counts_what_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []
    told = SendBytes(9000 * b"* 1 EXPUNGE\r\n")
    rest = "S: * SEARCH 5\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(["C: A1 UID SEARCH ALL", told, rest]) as client, caplog.at_level(logging.WARNING):
        client.on_unsolicited = heard.append
        client.search()
        client.noop()
    assert 0 < len(heard) < 9000
    assert [record.getMessage() for record in caplog.records] == [
        f"{9000 - len(heard)} responses are not delivered to on_unsolicited: too many at once"
    ]
