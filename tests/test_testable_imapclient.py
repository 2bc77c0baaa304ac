"""The client for users' tests: its scripts, its errors, and its compatibility with that of IMAPClient.

pytest must not collect TestableIMAPClient as tests. That would be a warning here, and so a failure.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import socket
import ssl
import subprocess
import sys
import threading
import time
from itertools import count
from typing import Any, Callable, NamedTuple
from unittest.mock import Mock, patch

import pytest

import imapclient
from imapclient import IMAPClient
from imapclient._connection.exchange import Command
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
    ProtocolError,
)
from imapclient.response_types import Quota
from imapclient.sasl import Plain
from imapclient.testable_imapclient import CLOSE, PAUSE, MockIMAP4, ScriptError, ScriptItem, TestableIMAPClient
from tests.helpers.dialogue import dialogue, types

# -- every family of commands


class Dialogue(NamedTuple):
    """A call, the command that it sends, the reply, and the result."""

    call: Callable[[IMAPClient], Any]
    command: str
    reply: tuple[str, ...]
    result: Any


DIALOGUES = {
    "login": Dialogue(
        lambda client: client.login("ann", 'se"cret'),
        'LOGIN "ann" "se\\"cret"',
        ("OK [CAPABILITY IMAP4rev1] Logged in",),
        b"[CAPABILITY IMAP4rev1] Logged in",
    ),
    "list_folders": Dialogue(
        lambda client: client.list_folders(),
        'LIST "" "*"',
        ('* LIST (\\HasNoChildren) "/" INBOX', '* LIST (\\Sent) "/" "Gesendete Entw&APw-rfe"', "OK List completed"),
        [((b"\\HasNoChildren",), b"/", "INBOX"), ((b"\\Sent",), b"/", "Gesendete Entwürfe")],
    ),
    "folder_exists": Dialogue(
        lambda client: client.folder_exists("Work"),
        'LIST "" "Work"',
        ("OK List completed",),
        False,
    ),
    "folder_status": Dialogue(
        lambda client: client.folder_status("Work", ["MESSAGES"]),
        'STATUS "Work" (MESSAGES)',
        ("* STATUS Work (MESSAGES 3)", "OK Status completed"),
        {b"MESSAGES": 3},
    ),
    "create_folder": Dialogue(
        lambda client: client.create_folder("Entwürfe"), 'CREATE "Entw&APw-rfe"', ("OK Created",), b"Created"
    ),
    "subscribe_folder": Dialogue(
        lambda client: client.subscribe_folder("a"), 'SUBSCRIBE "a"', ("OK Subscribed",), [b"Subscribed"]
    ),
    "select_folder": Dialogue(
        lambda client: client.select_folder("INBOX"),
        'SELECT "INBOX"',
        (
            "* FLAGS (\\Answered \\Seen)",
            "* 3 EXISTS",
            "* 0 RECENT",
            "* OK [UIDVALIDITY 12] UIDs valid",
            "OK [READ-WRITE] Select completed",
        ),
        {
            b"FLAGS": (b"\\Answered", b"\\Seen"),
            b"EXISTS": 3,
            b"RECENT": 0,
            b"UIDVALIDITY": 12,
            b"READ-WRITE": True,
        },
    ),
    "close_folder": Dialogue(lambda client: client.close_folder(), "CLOSE", ("OK Closed",), b"Closed"),
    "search": Dialogue(
        lambda client: client.search("UNSEEN"), "UID SEARCH UNSEEN", ("* SEARCH 1 2 3", "OK Done"), [1, 2, 3]
    ),
    "fetch": Dialogue(
        lambda client: client.fetch([7, 8], ["FLAGS"]),
        "UID FETCH 7:8 (FLAGS)",
        ("* 1 FETCH (UID 7 FLAGS (\\Seen))", "* 2 FETCH (UID 8 FLAGS ())", "OK Done"),
        {7: {b"SEQ": 1, b"FLAGS": (b"\\Seen",)}, 8: {b"SEQ": 2, b"FLAGS": ()}},
    ),
    "add_flags": Dialogue(
        lambda client: client.add_flags([7], "\\Seen"),
        "UID STORE 7 +FLAGS (\\Seen)",
        ("* 1 FETCH (UID 7 FLAGS (\\Seen))", "OK Done"),
        {7: (b"\\Seen",)},
    ),
    "copy": Dialogue(
        lambda client: client.copy([7], "Work"),
        'UID COPY 7 "Work"',
        ("OK [COPYUID 12 7 1] Done",),
        b"[COPYUID 12 7 1] Done",
    ),
    "expunge": Dialogue(
        lambda client: client.expunge(),
        "EXPUNGE",
        ("* 2 EXPUNGE", "OK Done"),
        (b"Done", [(2, b"EXPUNGE")]),
    ),
    "noop": Dialogue(
        lambda client: client.noop(),
        "NOOP",
        ("* 4 EXISTS", "* OK [ALERT] Look out", "OK Done"),
        (b"Done", [(4, b"EXISTS"), (b"OK", b"[ALERT] Look out")]),
    ),
    "logout": Dialogue(lambda client: client.logout(), "LOGOUT", ("* BYE See you", "OK Logged out"), b"See you"),
}
each_dialogue = pytest.mark.parametrize("case", DIALOGUES.values(), ids=DIALOGUES)


@each_dialogue
def test_a_dialogue(case: Dialogue) -> None:
    client = TestableIMAPClient()
    client.script(*case.reply, to=case.command)
    result = case.call(client)
    assert result == case.result
    assert client._imap.sent == b"tag %b\r\n" % case.command.encode()
    client.assert_done()


@each_dialogue
def test_a_connection_gives_the_same(case: Dialogue) -> None:
    """The table is right, and the client sends the same as over a connection."""
    *untagged, tagged = case.reply
    lines = [f"C: A1 {case.command}", *(f"S: {line}" for line in untagged), f"S: A1 {tagged}"]
    with dialogue("\n".join(lines)) as client:
        connected = case.call(client)
    double = TestableIMAPClient()
    double.script(*case.reply, to=case.command)
    scripted = case.call(double)
    assert scripted == connected
    assert types(scripted) == types(connected)


@pytest.mark.parametrize("status", ["NO", "BAD"])
@pytest.mark.parametrize("name", [name for name in DIALOGUES if name != "logout"])
def test_a_refusal(name: str, status: str) -> None:
    case = DIALOGUES[name]
    client = TestableIMAPClient()
    client.script(f"{status} [X-WHY 5] Not today", to=case.command)
    client.script(*case.reply, to=case.command)
    with pytest.raises(CommandError, match="Not today") as caught:
        case.call(client)
    assert (caught.value.status, caught.value.code) == (status, (b"X-WHY", (5,)))
    assert case.call(client) == case.result
    client.assert_done()


def test_one_client_for_a_whole_session() -> None:
    client = TestableIMAPClient()
    for case in DIALOGUES.values():
        client.script(*case.reply, to=case.command)
    for case in DIALOGUES.values():
        assert case.call(client) == case.result
    client.assert_done()


#: Arguments of the public methods, by the parameter's name.
_ARGUMENTS: dict[str, Any] = {
    "messages": [1],
    "data": ["FLAGS"],
    "flags": ["\\Seen"],
    "labels": ["Work"],
    "msg": b"Subject: x\r\n\r\n",
    "msgs": [b"Subject: x\r\n\r\n"],
    "sort_criteria": "ARRIVAL",
    "folder_flag": b"\\Sent",
    "mech_callable": lambda challenge: b"response",
    "mechanism": Plain("ann", "secret"),
    "quotas": [Quota("", "STORAGE", 0, 512)],
    "message": 1,
    "section": "TEXT",
    "file": io.BytesIO(),
}
_OF_METHOD: dict[str, dict[str, Any]] = {"setacl": {"what": "lrs"}, "enable": {"capabilities": "UTF8=ACCEPT"}}
_NO_COMMAND = {"capabilities", "has_capability", "idle_check", "idle_done", "shutdown", "socket"}
_CAN_EVERYTHING = """
    IMAP4rev1 ACL AUTH=OAUTHBEARER AUTH=PLAIN AUTH=XOAUTH2 BINARY CHILDREN COMPRESS=DEFLATE CONDSTORE ENABLE ESEARCH
    ESORT ID IDLE LIST-EXTENDED LITERAL+ METADATA MOVE MULTIAPPEND NAMESPACE QUOTA SASL-IR SORT SPECIAL-USE STARTTLS
    THREAD=ORDEREDSUBJECT THREAD=REFERENCES UIDPLUS UNSELECT UTF8=ACCEPT X-GM-EXT-1 XLIST
"""


def _call(client: IMAPClient, method: str) -> Any:
    known = {**_ARGUMENTS, **_OF_METHOD.get(method, {})}
    positional = []
    for parameter in inspect.signature(getattr(IMAPClient, method)).parameters.values():
        if parameter.name == "self" or parameter.kind is parameter.KEYWORD_ONLY:
            continue
        if parameter.default is parameter.empty or known.get(parameter.name) is not None:
            positional.append(known.get(parameter.name, "x"))
        else:
            positional.append(parameter.default)
    result = getattr(client, method)(*positional)
    # These send nothing before the first item is requested.
    return next(result) if method in ("fetch_iter", "watch") else result


_METHODS = [
    name
    for name, _ in inspect.getmembers(IMAPClient, inspect.isfunction)
    if not name.startswith("_") and name not in _NO_COMMAND
]


@pytest.mark.parametrize("method", _METHODS)
def test_every_method_gets_the_scripted_reply(method: str) -> None:
    client = TestableIMAPClient(capabilities=_CAN_EVERYTHING, logged_in=method != "starttls")
    client.script("BAD Not today", to="LOGOUT" if method == "logout" else None)
    with pytest.raises(IMAPClientError, match="Not today"):
        _call(client, method)
    assert client._imap.sent.startswith(b"tag ")
    client.assert_done()


@pytest.mark.parametrize("method", sorted(_NO_COMMAND - {"shutdown", "socket"}))
def test_the_others_send_nothing(method: str) -> None:
    client = TestableIMAPClient()
    with (
        pytest.raises(IllegalStateError, match="not in IDLE") if method.startswith("idle") else contextlib.nullcontext()
    ):
        _call(client, method)
    assert client._imap.sent == b""


# -- lines


def test_a_literal_of_the_server() -> None:
    client = TestableIMAPClient()
    body = b"Subject: hi\r\n\r\n* 5 EXISTS\r\n{tag} {}"
    client.script("* 1 FETCH (UID 7 BODY[] {}", body, " BODY[TEXT] {}", "é", ")", "OK Done")
    data = client.fetch(7, ["BODY[]", "BODY[TEXT]"])[7]
    assert data[b"BODY[]"] == body
    assert data[b"BODY[TEXT]"] == "é".encode()
    client.assert_done()


def test_a_literal_with_its_size() -> None:
    client = TestableIMAPClient()
    client.script(b"* LIST () {1}", b"/", b" {5+}", "a b/c", "", "* LIST () NIL ~{3}", "x y", "", "OK Done")
    assert client.list_folders() == [((), b"/", "a b/c"), ((), None, "x y")]


@pytest.mark.parametrize("size", [0, 65535, 65536, 65537, 500_000])
def test_a_literal_of_any_size(size: int) -> None:
    client = TestableIMAPClient()
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    client.script("* 1 FETCH (UID 7 BODY[] {}", body, ")", "* 2 EXISTS", "OK Done")
    assert client.fetch(7, "BODY[]")[7][b"BODY[]"] == body
    client.assert_done()


def test_literals_of_the_client() -> None:
    """The server requests them automatically."""
    client = TestableIMAPClient()
    client.script("OK Logged in", to="LOGIN {4}\r\nänn {7}\r\nsecrét")
    assert client.login("änn", "secrét") == b"Logged in"
    message = b"Subject: {5}\r\n\r\ntag NOOP\r\n"
    client.script("OK [APPENDUID 1 2] Done", to=b'APPEND "Sent" (\\Seen) {%d}\r\n%b' % (len(message), message))
    assert client.append("Sent", message, "\\Seen") == b"[APPENDUID 1 2] Done"
    client.assert_done()


def test_a_literal_that_is_asked_for_in_the_script() -> None:
    client = TestableIMAPClient()
    client.script("+ Ready for it", "* 5 EXISTS", "OK Done", to='APPEND "Sent" {5}\r\nhello')
    assert client.append("Sent", "hello") == b"Done"
    client.script("+ One", "+ Two", "OK Logged in")
    assert client.login("é", "è") == b"Logged in"
    client.assert_done()


def test_a_literal_that_needs_no_asking() -> None:
    client = TestableIMAPClient(capabilities=["LITERAL+"])
    client.script("OK Done", to='APPEND "Sent" {5+}\r\nhello')
    assert client.append("Sent", "hello") == b"Done"
    client.assert_done()


def test_a_large_literal_of_the_client() -> None:
    client = TestableIMAPClient()
    message = b"x" * 300_000
    client.script("OK Done", to="APPEND ...")
    assert client.append("Sent", message) == b"Done"
    assert client._imap.sent.endswith(message + b"\r\n")
    client.assert_done()


def test_the_tag() -> None:
    client = TestableIMAPClient(capabilities=["ESEARCH"])
    client.script('* ESEARCH (TAG "{tag}") UID ALL 1:3', "{tag} ok [X {tag}] Done")
    assert client.search() == [1, 2, 3]
    client.script("no way", to="NOOP")
    with pytest.raises(CommandError, match="way"):
        client.noop()
    client.assert_done()


def test_commands_in_flight_together_have_their_own_tags() -> None:
    client = TestableIMAPClient()
    client.script("OK one", to="ONE")
    client.script("OK two", to="TWO")
    client.script("OK three", to="THREE")
    one, two, three = (Command(name) for name in (b"ONE", b"TWO", b"THREE"))
    client._imap.start(one)
    client._imap.start(two)
    assert client._imap.finish(one).text == b"one"
    client._imap.start(three)
    assert client._imap.finish(three).text == b"three"
    assert client._imap.finish(two).text == b"two"
    assert client._imap.sent == b"tag ONE\r\ntag2 TWO\r\ntag THREE\r\n"
    client.assert_done()


def test_lines_after_the_tagged_one_wait_for_the_next_command() -> None:
    client = TestableIMAPClient()
    client.script("OK Done", "* 5 EXISTS")
    client.script("* 6 EXISTS", "OK Done")
    assert client.noop() == (b"Done", [])
    assert client.noop() == (b"Done", [(5, b"EXISTS"), (6, b"EXISTS")])
    client.assert_done()


@pytest.mark.parametrize("line", ["garbage", "A1 OK Done", "+ what?", "", "*"])
def test_what_is_no_imap_reaches_the_client(line: str) -> None:
    client = TestableIMAPClient()
    client.script(line)
    with pytest.raises(ProtocolError):
        client.noop()
    client.assert_done()


_NO_SCRIPTS: list[tuple[ScriptItem, ...]] = [
    (),
    ("* SEARCH 1\r\nOK Done",),
    ("OK Done\n",),
    (b"OK\r",),
    ("* 1 FETCH (BODY[] {}",),
    ("* 1 FETCH (BODY[] {}", b"abc"),
    ("* 1 FETCH (BODY[] {}", b"abc", PAUSE),
    ("* 1 FETCH (BODY[] {}", CLOSE, ")"),
    ("* 1 FETCH (BODY[] {4}", b"abc", ")"),
]


@pytest.mark.parametrize("reply", _NO_SCRIPTS)
def test_what_is_no_script(reply: tuple[ScriptItem, ...]) -> None:
    client = TestableIMAPClient()
    with pytest.raises(ValueError, match=r"line|literal"):
        client.script(*reply)
    client.assert_done()


@pytest.mark.parametrize("item", [None, 5, ["OK"], ValueError])
def test_what_is_no_line(item: Any) -> None:
    client = TestableIMAPClient()
    with pytest.raises(TypeError):
        client.script(item)
    with pytest.raises(TypeError):
        client.push(item)


# -- the command expected


@pytest.mark.parametrize(
    "to", ["UID SEARCH ALL", b"UID SEARCH ALL", "UID SEARCH ...", "UID SEARCH ALL...", "...", None]
)
def test_the_command_that_is_expected(to: str | bytes | None) -> None:
    client = TestableIMAPClient()
    client.script("OK Done", to=to)
    assert client.search() == []
    client.assert_done()


@pytest.mark.parametrize(
    "to", ["UID SEARCH", "UID SEARCH UNSEEN", "uid search all", "tag UID SEARCH ALL", "SEARCH ..."]
)
def test_another_command(to: str) -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1", "OK Done", to=to)
    with pytest.raises(ScriptError) as caught:
        client.search()
    assert f"expected: {to.encode()!r}" in str(caught.value)
    assert "sent:     b'UID SEARCH ALL'" in str(caught.value)
    _assert_failed(client, caught.value)


def test_a_command_that_nothing_is_scripted_for() -> None:
    client = TestableIMAPClient()
    with pytest.raises(AssertionError, match=r"nothing is scripted for the command b'UID SEARCH ALL'") as caught:
        client.search()
    _assert_failed(client, caught.value)


def test_a_literal_that_nothing_is_scripted_for() -> None:
    client = TestableIMAPClient()
    with pytest.raises(ScriptError, match=r"nothing is scripted .*APPEND \"Sent\" \{5\}") as caught:
        client.append("Sent", b"hello")
    _assert_failed(client, caught.value)


def test_a_reply_without_a_tagged_response() -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1 2")
    with pytest.raises(
        ScriptError, match="the reply scripted for b'UID SEARCH ALL' ends without OK, NO or BAD"
    ) as caught:
        client.search()
    _assert_failed(client, caught.value)


def test_a_long_command_is_cut_in_the_message() -> None:
    client = TestableIMAPClient(capabilities=["LITERAL+"])
    with pytest.raises(ScriptError) as caught:
        client.append("Sent", b"x" * 100_000)
    assert len(str(caught.value)) < 1000


def _assert_failed(client: TestableIMAPClient, error: BaseException) -> None:
    """The client is not usable and its errors give the reason. A program that catches the error does not hide it."""
    with pytest.raises(IMAPClientAbortError) as later:
        client.noop()
    assert str(error) in str(later.value)
    assert later.value.__cause__ is error
    with pytest.raises(ScriptError) as caught:
        client.assert_done()
    assert caught.value is error


# -- unfinished scripts


@pytest.mark.parametrize(
    ("reply", "to", "shown"),
    [
        (("* SEARCH 1", "OK Done"), None, "for any command, which the client did not send: '* SEARCH 1', 'OK Done'"),
        (("OK Done",), "NOOP", "for b'NOOP', which the client did not send: 'OK Done'"),
        ((CLOSE,), None, "for any command, which the client did not send: <Event.CLOSE"),
        (("* LIST () {}", b"abc", "", "OK Done"), None, "'* LIST () {}', b'abc', '', 'OK Done'"),
    ],
)
def test_a_reply_that_was_not_asked_for(reply: tuple[ScriptItem, ...], to: str | None, shown: str) -> None:
    client = TestableIMAPClient()
    client.assert_done()
    client.script("OK Done")
    client.script(*reply, to=to)
    client.noop()
    with pytest.raises(ScriptError) as caught:
        client.assert_done()
    assert shown in str(caught.value)


def test_lines_that_were_not_read() -> None:
    client = TestableIMAPClient()
    client.script("OK Done", "* 5 EXISTS")
    client.noop()
    client.push("* 6 EXISTS", ConnectionResetError("reset"), PAUSE)
    with pytest.raises(ScriptError) as caught:
        client.assert_done()
    assert str(caught.value).split("\n") == [
        "the script is not finished:",
        "  not read by the client: b'* 5 EXISTS\\r\\n'",
        "  not read by the client: b'* 6 EXISTS\\r\\n'",
        "  not read by the client: ConnectionResetError('reset')",
    ]


def test_an_idle_that_was_not_ended() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "OK Idle completed")
    client.idle()
    with pytest.raises(ScriptError, match=r"of the reply to b'IDLE': b'tag OK Idle completed\\r\\n'"):
        client.assert_done()
    client.idle_done()
    client.assert_done()


# -- IDLE and unsolicited responses


def test_idle() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script(
        "+ idling", "* 1 EXISTS", "* 0 RECENT", PAUSE, "* 2 EXISTS", PAUSE, PAUSE, "* 3 EXISTS", "OK Idle completed",
        to="IDLE",
    )  # fmt: skip
    client.idle()
    assert client.idle_check(timeout=1000) == [(1, b"EXISTS"), (0, b"RECENT")]
    assert client.idle_check() == [(2, b"EXISTS")]
    assert client.idle_check(timeout=1000) == []
    assert client.idle_check(timeout=0) == [(3, b"EXISTS")]
    assert client.idle_done() == (b"Idle completed", [])
    assert client._imap.sent == b"tag IDLE\r\nDONE\r\n"
    client.assert_done()


def test_idle_done_gets_what_was_not_read_and_does_not_wait_for_pauses() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "* 1 EXISTS", PAUSE, PAUSE, "* 2 EXISTS", PAUSE, "OK Idle completed")
    client.idle()
    assert client.idle_done() == (b"Idle completed", [(1, b"EXISTS"), (2, b"EXISTS")])
    client.assert_done()


@pytest.mark.parametrize("timeout", [None, 1000])
def test_an_idle_check_that_would_wait_for_nothing(timeout: float | None) -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "* 1 EXISTS", "OK Idle completed")
    client.idle()
    assert client.idle_check(timeout) == [(1, b"EXISTS")]
    assert client.idle_check(timeout=0) == []
    with pytest.raises(ScriptError, match=r"nothing more is scripted for idle_check\(\): add PAUSE") as caught:
        client.idle_check(timeout)
    # As after any interrupt of idle_check, the end of IDLE is still possible.
    assert client.idle_done() == (b"Idle completed", [])
    with pytest.raises(ScriptError) as again:
        client.assert_done()
    assert again.value is caught.value


def test_a_machine_that_stalls_loses_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock advances 10 s between two looks, but the response that is there is still received."""
    clock = count(step=10)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "* 1 EXISTS", PAUSE, "* 2 EXISTS", PAUSE, PAUSE, "OK Idle completed")
    client.idle()
    assert client.idle_check(0) == [(1, b"EXISTS")]
    assert client.idle_check(1) == [(2, b"EXISTS")]
    assert client.idle_check(1) == []
    assert client.idle_done() == (b"Idle completed", [])


def test_an_idle_that_is_refused() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("NO Not now")
    with pytest.raises(CommandError, match="Not now"):
        client.idle()
    client.script("OK Done")
    assert client.noop() == (b"Done", [])
    client.assert_done()


def test_pushed_lines() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.push("* 5 EXISTS", "* OK Still here")
    client.script("* 6 EXISTS", "OK Done")
    assert client.noop() == (b"Done", [(5, b"EXISTS"), (b"OK", b"Still here"), (6, b"EXISTS")])
    client.script("+ idling", "OK Idle completed")
    client.idle()
    client.push("* LIST () {}", b"abc", "")
    assert client.idle_check(1) == [(b"LIST", (), b"abc")]
    client.push(PAUSE)
    assert client.idle_check(1) == []
    assert client.idle_done() == (b"Idle completed", [])
    client.assert_done()


@pytest.mark.parametrize("line", ["OK Done", "NO", "bad x", "{tag} OK Done"])
def test_a_tagged_line_is_no_line_to_push(line: str) -> None:
    client = TestableIMAPClient()
    with pytest.raises(ValueError, match="tagged"):
        client.push("* 5 EXISTS", line)
    client.assert_done()


# -- a server that fails


def test_a_read_timeout() -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1", PAUSE, "OK Done")
    with pytest.raises(socket.timeout):
        client.search()
    with pytest.raises(IMAPClientAbortError):
        client.noop()


def test_the_end_of_the_connection() -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1", CLOSE)
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        client.search()
    client.assert_done()


def test_a_bye() -> None:
    client = TestableIMAPClient()
    client.push("* BYE Going down", CLOSE)
    with pytest.raises(IMAPClientAbortError, match="Going down"):
        client.noop()
    client.assert_done()


def test_a_connection_that_ended_meanwhile() -> None:
    """This command needs no script."""
    client = TestableIMAPClient()
    client.push(CLOSE)
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        client.append("Sent", b"x")
    client.assert_done()


def test_the_end_of_the_connection_in_idle() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "* 1 EXISTS", CLOSE)
    client.idle()
    assert client.idle_check() == [(1, b"EXISTS")]
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        client.idle_check()
    client.assert_done()


def test_the_end_of_the_connection_in_a_literal() -> None:
    client = TestableIMAPClient()
    client.script(CLOSE, to="APPEND ...")
    with pytest.raises(IMAPClientAbortError, match="closed the connection"):
        client.append("Sent", b"x")
    client.assert_done()


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), ssl.SSLError("broken"), socket.timeout("slow")])
def test_an_exception_of_the_connection(error: OSError) -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1", error)
    with pytest.raises(type(error)) as caught:
        client.search()
    assert isinstance(caught.value, IMAPClientAbortError)
    client.assert_done()


def test_any_exception() -> None:
    client = TestableIMAPClient()
    client.script(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.noop()


# -- logging in, STARTTLS, logging out


def test_a_login() -> None:
    client = TestableIMAPClient(logged_in=False)
    assert (client._imap.state, client.welcome) == ("NONAUTH", b"* OK ready")
    client.script("NO [AUTHENTICATIONFAILED] Wrong password", to='LOGIN "ann" "wrong"')
    client.script("OK Logged in", to='LOGIN "ann" "secret"')
    with pytest.raises(LoginError, match="Wrong password"):
        client.login("ann", "wrong")
    assert client.login("ann", "secret") == b"Logged in"
    assert client._imap.state == "AUTH"
    client.assert_done()


def test_a_client_is_logged_in() -> None:
    client = TestableIMAPClient()
    assert (client._imap.state, client.welcome) == ("AUTH", b"* PREAUTH ready")


def test_starttls_without_a_handshake() -> None:
    client = TestableIMAPClient(capabilities="STARTTLS IDLE", logged_in=False)
    assert client._imap.is_tls is False
    client._imap.enabled = frozenset({"UTF8=ACCEPT"})
    client.script("* OK [ALERT] Anybody may have said that", "OK Begin", to="STARTTLS")
    assert client.starttls() == b"Begin"
    assert client._imap.is_tls is True
    # As on a connection, responses from before TLS are dropped.
    assert list(client._imap.unsolicited) == []
    assert client._imap.enabled == frozenset()
    assert client.capabilities() == (b"STARTTLS", b"IDLE")
    with pytest.raises(CapabilityError, match="TLS already"):
        client.starttls()
    client.assert_done()


def test_a_starttls_that_is_refused() -> None:
    client = TestableIMAPClient(capabilities=["STARTTLS"], logged_in=False)
    client.script("NO Not now")
    with pytest.raises(CommandError, match="Not now"):
        client.starttls()
    assert client._imap.is_tls is False


def test_sasl_challenges() -> None:
    """A continuation request waits for the client's line before the next one."""
    answers = iter([b"one", b"two"])
    command = Command(b"AUTHENTICATE X-TWICE")
    command.respond = lambda challenge: challenge + b"-" + next(answers)
    client = TestableIMAPClient(logged_in=False)
    client.script("+ Zmlyc3Q=", "* OK Wait", "+ c2Vjb25k", "OK Logged in")
    assert client._imap.log_in(command).text == b"Logged in"
    assert client._imap.sent == b"tag AUTHENTICATE X-TWICE\r\nZmlyc3Q=-one\r\nc2Vjb25k-two\r\n"
    client.assert_done()


def test_logout_needs_no_script() -> None:
    client = TestableIMAPClient()
    assert client.logout() == b"Logging out"
    client.assert_done()
    with pytest.raises(IMAPClientAbortError):
        client.noop()


def test_logout_takes_no_reply_that_is_not_its_own() -> None:
    client = TestableIMAPClient()
    client.script("* SEARCH 1", "OK Done")
    assert client.logout() == b"Logging out"
    with pytest.raises(ScriptError, match="which the client did not send"):
        client.assert_done()


def test_a_logout_that_fails() -> None:
    client = TestableIMAPClient()
    client.script("NO Stay", to="LOGOUT")
    with pytest.raises(CommandError, match="Stay"):
        client.logout()
    client.assert_done()


def test_a_with_statement() -> None:
    with TestableIMAPClient() as client:
        assert isinstance(client, TestableIMAPClient)
    assert client._imap.sent == b"tag LOGOUT\r\n"
    client.assert_done()


def test_a_with_statement_logs_out_of_idle() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"])
    client.script("+ idling", "* 1 EXISTS", "OK Idle completed")
    with client:
        client.idle()
    assert client._imap.sent == b"tag IDLE\r\nDONE\r\ntag LOGOUT\r\n"
    client.assert_done()


def test_an_error_of_the_script_gets_out_of_a_with_statement() -> None:
    with pytest.raises(ScriptError, match="NOOP"), TestableIMAPClient() as client:
        client.noop()


# -- capabilities


@pytest.mark.parametrize("words", ["imap4rev1 Idle", b"IMAP4rev1 IDLE", ["imap4rev1", b"idle"], ("IMAP4REV1", "IDLE")])
def test_capabilities(words: Any) -> None:
    for client in (TestableIMAPClient(capabilities=words), TestableIMAPClient()):
        client._imap.capabilities = words
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")
        assert client.has_capability("idle")
        assert not client.has_capability("MOVE")
        assert client._imap.sent == b""


def test_without_capabilities() -> None:
    client = TestableIMAPClient()
    assert client.capabilities() == ()
    with pytest.raises(CapabilityError):
        client.idle()
    client._imap.capabilities.append("IDLE")
    assert client.has_capability("IDLE")
    client._imap.capabilities = ()
    assert client.capabilities() == ()
    assert client._imap.sent == b""


def test_a_login_keeps_the_capabilities_unless_the_server_tells_others() -> None:
    client = TestableIMAPClient(capabilities=["IDLE"], logged_in=False)
    client.script("NO Wrong")
    client.script("OK Logged in")
    with pytest.raises(LoginError):
        client.login("ann", "x")
    client.login("ann", "secret")
    assert client.capabilities() == (b"IDLE",)
    client.script("OK [CAPABILITY IMAP4rev1 Move] Logged in")
    client.login("ann", "secret")
    assert client.capabilities() == (b"IMAP4REV1", b"MOVE")
    client.script("* CAPABILITY IMAP4rev1", "OK Done")
    client.noop()
    assert client.capabilities() == (b"IMAP4REV1",)
    client.assert_done()


def test_where_tests_for_imapclient_set_the_capabilities() -> None:
    client = TestableIMAPClient()
    client._cached_capabilities = (b"IDLE", b"MOVE")
    assert client.capabilities() == (b"IDLE", b"MOVE")
    assert client._cached_capabilities == (b"IDLE", b"MOVE")
    client._cached_capabilities = None
    assert client.capabilities() == ()


# -- compatibility with IMAPClient


def test_the_attributes_of_the_client() -> None:
    client = TestableIMAPClient()
    assert isinstance(client, IMAPClient)
    assert (client.host, client.port, client.ssl, client.ssl_context, client.stream) == (
        "somehost",
        993,
        True,
        None,
        False,
    )
    assert client.use_uid is True
    assert client.folder_encode is True
    assert client.normalise_times is True


def test_the_attributes_of_the_mock() -> None:
    imap = TestableIMAPClient()._imap
    assert isinstance(imap, MockIMAP4)
    assert isinstance(imap, Mock)
    assert (imap.sent, imap.capabilities, imap.tagged_commands, imap.untagged_responses) == (b"", [], {}, {})
    assert imap.use_uid is True
    assert imap._new_tag() == "tag"
    assert imap._starttls_done is False
    assert imap.mock_calls == []


def test_no_connection_and_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", opened)
    monkeypatch.setattr(socket, "getaddrinfo", opened)
    before = threading.enumerate()
    client = TestableIMAPClient()
    client.script("OK Done")
    client.noop()
    assert threading.enumerate() == before
    assert isinstance(client.socket(), Mock)
    client.shutdown()


def test_what_is_sent() -> None:
    client = TestableIMAPClient()
    client.script("OK Done")
    client.noop()
    assert client._imap.sent == b"tag NOOP\r\n"
    client._imap.sent = b""
    client._imap.send(b"abc\r\n")
    client._imap.send(b"def")
    assert client._imap.sent == b"abc\r\ndef"


def test_all_that_is_sent_goes_through_send() -> None:
    client = TestableIMAPClient()
    client.script("OK Done")
    with patch.object(client._imap, "send") as send:
        client.noop()
    send.assert_called_once_with(b"tag NOOP\r\n")
    assert client._imap.sent == b""


def test_imaplibs_methods_and_other_names_are_mocks() -> None:
    """For programs that call ``client._imap`` themselves."""
    imap = TestableIMAPClient()._imap
    imap.xatom.return_value = ("OK", [b"done"])
    imap.login.side_effect = IMAPClient.Error("no")
    assert imap.xatom("X-THING", "1") == ("OK", [b"done"])
    with pytest.raises(IMAPClient.Error, match="no"):
        imap.login("ann", "secret")
    imap._simple_command("NOOP")
    imap.whatever.deeper()
    assert [call[0] for call in imap.mock_calls] == ["xatom", "login", "_simple_command", "whatever.deeper"]
    imap.xatom.assert_called_once_with("X-THING", "1")
    assert imap.sent == b""
    assert not isinstance(imap.xatom, MockIMAP4)
    imap.reset_mock()
    assert imap.mock_calls == []


def test_a_mock_of_imaplibs_method_answers_no_command() -> None:
    client = TestableIMAPClient()
    client._imap.login.return_value = ("OK", [b"hello"])
    with pytest.raises(ScriptError, match="nothing is scripted for the command b'LOGIN"):
        client.login("ann", "secret")


def test_a_mock_has_its_arguments() -> None:
    imap = MockIMAP4(name="server", sent=b"abc", state="SELECTED", other=3)
    assert "server" in repr(imap)
    assert (imap.sent, imap.state, imap.other) == (b"abc", "SELECTED", 3)
    with pytest.raises(AttributeError):
        MockIMAP4(["one", "two"]).three  # noqa: B018


def test_a_mock_of_its_own() -> None:
    """Same as `TestableIMAPClient`."""
    imap = MockIMAP4(capabilities=["IDLE"])
    imap.script("OK Done", to="NOOP")
    with patch.object(IMAPClient, "_create_IMAP4", lambda self: imap):
        client = IMAPClient("mail.example")
    assert client.has_capability("IDLE")
    assert client.noop() == (b"Done", [])
    imap.push("* 5 EXISTS")
    with pytest.raises(ScriptError, match="5 EXISTS"):
        imap.assert_done()


def test_patches_are_undone() -> None:
    client = TestableIMAPClient(capabilities=["MOVE"])
    imap = client._imap
    with patch.object(imap, "capabilities", ["idle"]), patch.object(imap, "execute") as execute:
        assert client.capabilities() == (b"IDLE",)
        client.create_folder("x")
        assert execute.called
    assert client.capabilities() == (b"MOVE",)
    client.script("OK Done", to='CREATE "x"')
    assert client.create_folder("x") == b"Done"
    with patch.object(imap, "login") as login:
        assert imap.login is login
    del imap.xatom
    with pytest.raises(AttributeError):
        imap.xatom  # noqa: B018


def test_clients_share_nothing() -> None:
    one, other = TestableIMAPClient(), TestableIMAPClient()
    one.script("OK Done")
    one._imap.capabilities.append("IDLE")
    one._imap.tagged_commands["x"] = ("OK", [])
    one.noop()
    assert (other._imap.sent, other._imap.capabilities, other._imap.tagged_commands) == (b"", [], {})
    other.assert_done()


# -- subclasses by users


class Archive(TestableIMAPClient):
    """A subclass with other arguments, attributes of the client, and its own method."""

    def __init__(self, host: str, port: int | None = None, **options: Any) -> None:
        super().__init__()
        self.host = host
        self.sent: list[Any] = []
        self.options = options

    def search(self, criteria: Any = "ALL", charset: Any = None) -> Any:
        self.sent.append((criteria, charset))
        return [1, 2]


class Closed(TestableIMAPClient):
    """A subclass with its own connection object."""

    def _create_IMAP4(self) -> Any:
        imap = Mock()
        imap.execute.side_effect = IMAPClient.AbortError("closed")
        return imap


def test_a_subclass() -> None:
    client = Archive("mail.example", 143, use_uid=True)
    client.script("* 1 FETCH (UID 1 FLAGS ())", "OK Done", to="UID FETCH 1:2 (FLAGS)")
    assert (client.host, client.port, client.options) == ("mail.example", 993, {"use_uid": True})
    assert client.fetch(client.search("UNSEEN"), "FLAGS") == {1: {b"SEQ": 1, b"FLAGS": ()}}
    assert client.sent == [("UNSEEN", None)]
    client.assert_done()


def test_a_subclass_in_place_of_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imapclient, "IMAPClient", Archive)
    client: Any = imapclient.IMAPClient("mail.example", ssl=False)
    assert isinstance(client, Archive)
    assert client.search() == [1, 2]


def test_a_subclass_with_a_connection_of_its_own() -> None:
    client = Closed()
    with pytest.raises(IMAPClient.AbortError, match="closed"):
        client.noop()


def test_settings_of_the_client_count() -> None:
    client = TestableIMAPClient()
    client.use_uid = False
    client.folder_encode = False
    client.script("* SEARCH 4", "OK Done", to="SEARCH ALL")
    client.script("* LIST () NIL a&-b", "OK Done", to='LIST "" "*"')
    assert client.search() == [4]
    assert client.list_folders() == [((), None, b"a&-b")]
    client.assert_done()


# -- the cost for programs that do not use it


def test_the_package_does_not_import_mocks() -> None:
    program = "import imapclient, sys; print('unittest.mock' in sys.modules, 'imapclient.imapclient' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=500)
    assert done.stdout.split() == ["False", "True"]
