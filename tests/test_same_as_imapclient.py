"""The comparison with IMAPClient sees each kind of difference, and takes nothing else for one."""

from __future__ import annotations

import datetime
import json
import socket
from collections import defaultdict
from typing import Any

import pytest

from imapclient.exceptions import CommandError, IMAPClientAbortError, IMAPClientError, LoginError
from imapclient.fixed_offset import FixedOffset
from imapclient.response_types import Address, BodyData, SearchIds
from tests.live.same_as_imapclient.canned_server import CannedServer
from tests.live.same_as_imapclient.comparing import differences, show
from tests.live.same_as_imapclient.recording import Recorded, Recording


class _Text(bytes):
    """Bytes that carry more."""


class _Folder(str):
    """A str that shows itself otherwise."""

    def __str__(self) -> str:
        return "shown"


def _returned(value: object) -> dict[str, Any]:
    """The outcome of a call that returns the value, as the other process gets it."""
    recording = Recording()
    recording.call("call", lambda: value)
    outcome: dict[str, Any] = json.loads(json.dumps(recording.outcomes))["call"]
    return outcome


def _raised(error: Exception) -> dict[str, Any]:
    def fail() -> None:
        raise error

    recording = Recording()
    assert recording.call("call", fail) is None
    outcome: dict[str, Any] = json.loads(json.dumps(recording.outcomes))["call"]
    return outcome


def _ids(modseq: int | None) -> SearchIds:
    ids = SearchIds([1, 2])
    ids.modseq = modseq
    return ids


_NOON = datetime.datetime(2024, 2, 5, 12)
_ANN = Address(b"Ann", None, b"ann", b"example.org")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -5,
        1.5,
        "Grüße\r\n",
        b"\x00\xff",
        [1, (b"a", None)],
        {b"FLAGS": (b"\\Seen",), 5: {}},
        defaultdict(dict, {1: {}}),
        _NOON,
        _NOON.replace(tzinfo=FixedOffset(90)),
        _ANN,
        BodyData((b"TEXT", b"PLAIN")),
        _ids(7),
        pytest.param({"a", "b"}, id="a set"),
        datetime.timedelta(hours=1),
    ],
    ids=repr,
)
def test_what_is_the_same(value: object) -> None:
    assert differences(_returned(value), _returned(value)) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "where"),
    [
        (1, 2, "result"),
        (b"a", "a", "result"),
        ([1], (1,), "result"),
        ([1], [1, 2], "result"),
        ((1, (2, 3)), (1, (2, 4)), "result[1][1]"),
        (defaultdict(dict), {}, "result"),
        ({1: {b"X": 1}}, {1: {b"X": 2}}, "result[1][b'X']"),
        ({1: 0}, {2: 0}, "keys of result"),
        ({1: 0, 2: 0}, {2: 0, 1: 0}, "order of result"),
        ({b"X": 1}, {"X": 1}, "keys of result"),
        ({b"UIDVALIDITY": 1}, {b"UIDNEXT": 1}, "keys of result"),
        (_NOON, _NOON.replace(second=1), "result"),
        (_NOON, _NOON.replace(tzinfo=FixedOffset(0)), "result"),
        (_NOON.replace(tzinfo=FixedOffset(0)), _NOON.replace(tzinfo=FixedOffset(60)), "result"),
        (_NOON.replace(tzinfo=FixedOffset(0)), _NOON.replace(tzinfo=datetime.timezone.utc), "result"),
        (_ANN, Address(b"Ann", None, b"ann", None), "result.host"),
        (_ANN, (b"Ann", None, b"ann", b"example.org"), "result"),
        (BodyData((b"A",)), (b"A",), "result"),
        (_ids(7), [1, 2], "result"),
        (_ids(7), _ids(None), "result.modseq"),
        (None, b"", "result"),
        (_Text(b"a"), b"a", "result"),
    ],
    ids=repr,
)
def test_what_is_not_the_same(theirs: object, ours: object, where: str) -> None:
    found = differences(_returned(theirs), _returned(ours))
    assert found[0].where == where
    assert found[0].kind == ""


def test_a_subclass_is_told_by_name_and_compared() -> None:
    (found,) = differences(_returned({1: b"a"}), _returned({1: _Text(b"a")}))
    assert (found.where, found.kind, found.theirs) == ("result[1]", "subclass", "builtins.bytes")
    assert found.ours.endswith("._Text")
    both = differences(_returned(b"a"), _returned(_Text(b"b")))
    assert [difference.kind for difference in both] == ["subclass", ""]
    for theirs, ours in (("x", _Folder("x")), (1, True)):
        assert [difference.kind for difference in differences(_returned(theirs), _returned(ours))] == ["subclass"]


def test_the_order_of_what_is_told_about_one_thing_does_not_count() -> None:
    assert differences(_returned({b"A": 1, b"B": 2}), _returned({b"B": 2, b"A": 1})) == []


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (b"[APPENDUID 1 2] Done", b"[APPENDUID 3 2] Done"),
        (b"[COPYUID 1 2 3] Done", b"[COPYUID 4 2 3] Done"),
        (b"Done (0.001 + 0.000 secs).", b"Done (0.012 + 0.001 + 0.011 secs)."),
        ({b"UIDVALIDITY": 1}, {b"UIDVALIDITY": 2}),
    ],
    ids=repr,
)
def test_what_changes_from_run_to_run_does_not_count(theirs: object, ours: object) -> None:
    assert differences(_returned(theirs), _returned(ours)) == []


def test_what_is_beside_that_counts() -> None:
    assert differences(_returned(b"[APPENDUID 1 2] Done"), _returned(b"[APPENDUID 1 3] Done"))
    assert differences(_returned({b"UIDVALIDITY": 1}), _returned({b"UIDVALIDITY": b"1"}))
    assert differences(_returned({b"UIDNEXT": 1}), _returned({b"UIDNEXT": 2}))


@pytest.mark.parametrize(
    ("theirs", "ours", "kinds"),
    [
        (ValueError("a"), ValueError("a"), []),
        # Not the server's words.
        (ValueError("a"), ValueError("b"), ["wording"]),
        (IMAPClientError("create failed: [X] no"), CommandError("CREATE failed: [X] no"), ["wording"]),
        (IMAPClientError("X command error: BAD [b'no \\xc3']"), CommandError("X failed: no \xc3"), ["wording"]),
        (LoginError("b'no'"), LoginError("LOGIN failed: no"), ["wording"]),
        (IMAPClientError("Unexpected IDLE response: b'A1 BAD no'"), IMAPClientError("IDLE failed: no"), ["wording"]),
        # The server's words are lost.
        (IMAPClientError("create failed: [X] no"), CommandError("CREATE failed"), [""]),
        (IMAPClientError("X command error: BAD [b'no']"), CommandError("X failed"), [""]),
        # An except clause would no longer catch it.
        (LoginError("a"), CommandError("a"), [""]),
        (ValueError("a"), TypeError("a"), [""]),
        (IMAPClientError("a"), ValueError("a"), [""]),
        (CommandError("a"), LoginError("a"), []),
        # The connection is lost.
        (IMAPClientError("a"), IMAPClientAbortError("a"), [""]),
        (IMAPClientAbortError("a"), IMAPClientAbortError("a"), []),
    ],
    ids=repr,
)
def test_exceptions(theirs: Exception, ours: Exception, kinds: list[str]) -> None:
    assert [difference.kind for difference in differences(_raised(theirs), _raised(ours))] == kinds


def test_one_raises_and_the_other_returns() -> None:
    for theirs, ours in ((_raised(ValueError("a")), _returned(None)), (_returned(None), _raised(ValueError("a")))):
        (found,) = differences(theirs, ours)
        assert found.where == "call"
        assert "ValueError: a" in str(found)
        assert "returns None" in str(found)


def test_a_method_that_is_missing() -> None:
    recording = Recording()
    Recorded(object(), recording).sort("ARRIVAL", criteria="ALL")
    assert list(recording.outcomes) == ["sort('ARRIVAL', criteria='ALL')"]
    (found,) = differences(_returned([1]), recording.outcomes["sort('ARRIVAL', criteria='ALL')"])
    assert found.ours == "has no method sort"


def test_calls_are_told_apart() -> None:
    recording = Recording()
    recorded = Recorded("text", recording)
    recorded.upper()
    recorded.upper()
    recorded.index("e")
    recorded.index("é")
    assert list(recording.outcomes) == ["upper()", "upper() again", "index('e')", "index('é')"]
    assert show(recording.outcomes["upper() again"]["returned"]) == "'TEXT'"
    assert "raised" in recording.outcomes["index('é')"]


def _talk(server: CannedServer, data: bytes) -> bytes:
    with socket.create_connection((server.host, server.port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as incoming:
            return incoming.read()


def test_the_canned_server_replies_to_commands() -> None:
    replies = {"FETCH": "* 1 FETCH (FLAGS ())\nNO later", "AUTHENTICATE": "+ Zm9v\nOK in", "NOOP": "* BYE\nCLOSE"}
    with CannedServer(replies, "IMAP4rev1 ID", "* OK hello") as server:
        answer = _talk(
            server,
            b"a CAPABILITY\r\nb LOGIN x y\r\nc UID FETCH 1 FLAGS\r\nd AUTHENTICATE X\r\nYmFy\r\n"
            b"e CHECK\r\nf NOOP\r\ng CHECK\r\n",
        )
        assert answer.split(b"\r\n") == [
            b"* OK hello",
            b"* CAPABILITY IMAP4rev1 ID",
            b"a OK Done",
            b"b OK [CAPABILITY IMAP4rev1 ID] Logged in",
            b"* 1 FETCH (FLAGS ())",
            b"c NO later",
            b"+ Zm9v",
            b"d OK in",
            b"e OK Done",
            b"* BYE",
            b"",
        ]
        assert server.sent == [["UID", "FETCH", "1", "FLAGS"], ["AUTHENTICATE", "X"], ["", "YmFy"], ["CHECK"], ["NOOP"]]


def test_the_canned_server_keeps_what_commands_mean() -> None:
    with CannedServer({}, "IMAP4rev1") as server:
        for arguments in (
            b'foo ("a b" {3}\r\nc"d ())',
            b'"foo" ({3+}\r\na b "c\\"d" ())',
            b'{3}\r\nfoo ({3}\r\na b {3}\r\nc"d ())',
        ):
            _talk(server, b"a X " + arguments + b"\r\n")
        for ids in (b"1,2,3,5", b"1:3,5", b"5,1:3", b"1:*"):
            _talk(server, b"a UID FETCH " + ids + b" (BODY.PEEK[HEADER.FIELDS (A B)]<0.5> FLAGS)\r\n")
        _talk(server, b"a APPEND x () {1}\r\ny\r\nb APPEND x {1}\r\ny\r\n")
        items = ["BODY.PEEK[HEADER.FIELDS (A B)]<0.5>", "FLAGS"]
        assert server.sent == [
            *([["X", "foo", ["a b", 'c"d', []]]] * 3),
            ["UID", "FETCH", "1,2,3,5", items],
            ["UID", "FETCH", "1,2,3,5", items],
            ["UID", "FETCH", "5,1,2,3", items],
            ["UID", "FETCH", "1:*", items],
            *([["APPEND", "x", "y"]] * 2),
        ]
