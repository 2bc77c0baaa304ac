"""SELECT, EXAMINE, UNSELECT, CLOSE."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient.exceptions import CommandError, IMAPClientReadOnlyError, ProtocolError
from tests.helpers.dialogue import Case, dialogue, in_every_way, types, unsolicited

_SELECTED = """
    S: * FLAGS (\\Answered \\Seen)
    S: * OK [PERMANENTFLAGS (\\Seen \\*)] Flags permitted.
    S: * 3 EXISTS
    S: * 0 RECENT
    S: * OK [UNSEEN 2] First unseen.
    S: * OK [UIDVALIDITY 1239278212] UIDs valid
    S: * OK [UIDNEXT 11] Predicted next UID
    S: * OK [HIGHESTMODSEQ 90060115194045001] Highest
"""
_VALUES = {
    b"FLAGS": (b"\\Answered", b"\\Seen"),
    b"PERMANENTFLAGS": (b"\\Seen", b"\\*"),
    b"EXISTS": 3,
    b"RECENT": 0,
    b"UNSEEN": [b"2"],
    b"UIDVALIDITY": 1239278212,
    b"UIDNEXT": 11,
    b"HIGHESTMODSEQ": 90060115194045001,
}
# What is said about the folder counts, whenever it is said.
_OWN = frozenset((b"EXISTS", b"OK"))

CASES = [
    Case(
        "select",
        lambda client: client.select_folder("Entwürfe"),
        'C: A1 SELECT "Entw&APw-rfe"',
        _SELECTED,
        {**_VALUES, b"READ-WRITE": True},
        ok="[READ-WRITE] Select completed",
        own=_OWN,
    ),
    Case(
        "examine",
        lambda client: client.select_folder("x", readonly=True),
        'C: A1 EXAMINE "x"',
        _SELECTED,
        {**_VALUES, b"READ-ONLY": [b""]},
        ok="[READ-ONLY] Examine completed",
        own=_OWN,
    ),
    Case(
        "unselect",
        lambda client: client.unselect_folder(),
        "C: A1 UNSELECT",
        "",
        b"Done",
        needs="UNSELECT",
    ),
    Case("close", lambda client: client.close_folder(), "C: A1 CLOSE", "", b"Done"),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


def _select(lines: str) -> str:
    return f'C: A1 SELECT "x"\n{lines}\nS: A1 OK [READ-WRITE] Done'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("S: * OK [NOMODSEQ] No", {b"NOMODSEQ": [b""]}),
        ("S: * OK [MAILBOXID (F2212)] Id", {b"MAILBOXID": [b"(F2212)"]}),
        ("S: * OK [UIDNEXT soon] ?", {b"UIDNEXT": [b"soon"]}),
        ("S: * OK [UIDNEXT] ?", {b"UIDNEXT": [b""]}),
        ("S: * OK [PERMANENTFLAGS ()] None", {b"PERMANENTFLAGS": ()}),
        ('S: * OK [X-ODD a (b c) "d]"] e', {b"X-ODD": [b'a (b c) "d]"']}),
        ("S: * OK [UNSEEN 2]", {b"UNSEEN": [b"2"]}),
        ("S: * OK [UNSEEN 2] Message 2 is new [really]", {b"UNSEEN": [b"2"]}),
        ("S: * OK [UIDNEXT 7] Predicted [7]", {b"UIDNEXT": 7}),
        ("S: * OK [NOMODSEQ] Not [here]", {b"NOMODSEQ": [b""]}),
        ("S: * FLAGS ()", {b"FLAGS": ()}),
        ("S: * FLAGS (\\Seen $MDNSent a]b)", {b"FLAGS": (b"\\Seen", b"$MDNSent", b"a]b")}),
        ("S: * FLAGS (\\Seen 2024 NIL)", {b"FLAGS": (b"\\Seen", b"2024", b"NIL")}),
        ("S: * OK [PERMANENTFLAGS (\\Seen 2024)] x", {b"PERMANENTFLAGS": (b"\\Seen", b"2024")}),
        ("S: * OK [PERMANENTFLAGS (\\Seen a]b \\*)] x", {b"PERMANENTFLAGS": (b"\\Seen", b"a]b", b"\\*")}),
        # Not a list, and the folder is selected all the same.
        ("S: * OK [PERMANENTFLAGS NIL] x", {b"PERMANENTFLAGS": [b"NIL"]}),
        ("S: * OK [PERMANENTFLAGS (\\Seen] x", {b"PERMANENTFLAGS": [b"(\\Seen"]}),
    ],
)
def test_what_a_server_tells_of_a_folder(line: str, expected: dict[bytes, Any]) -> None:
    with dialogue(_select(line)) as client:
        result = client.select_folder("x")
        assert result == {**expected, b"READ-WRITE": True}
        assert types(result) == types({**expected, b"READ-WRITE": True})


def test_text_without_a_code_is_no_part_of_it() -> None:
    script = _select("S: * OK Hello\nS: * 2 FETCH (FLAGS ())\nS: * 2 EXPUNGE\nS: * NO [oops Broken code\nS: * 1 EXISTS")
    with dialogue(script) as client:
        assert client.select_folder("x") == {b"EXISTS": 1, b"READ-WRITE": True}
        assert unsolicited(client) == [
            (None, b"OK", b"Hello"),
            (2, b"FETCH", b"(FLAGS ())"),
            (2, b"EXPUNGE", b""),
            (None, b"NO", b"[oops Broken code"),
        ]


def test_what_the_folder_left_behind_said_is_no_part_of_it() -> None:
    script = _select("S: * 99 EXISTS\nS: * OK [UIDNEXT 88] Old\nS: * OK [CLOSED] Previous\nS: * 1 EXISTS")
    with dialogue(script) as client:
        assert client.select_folder("x") == {b"CLOSED": [b""], b"EXISTS": 1, b"READ-WRITE": True}


def test_nothing_of_the_folder_before_is_left() -> None:
    first = _select("S: * 3 EXISTS\nS: * OK [UIDNEXT 7] x")
    second = 'C: A2 SELECT "y"\nS: * 1 EXISTS\nS: A2 OK Done'
    with dialogue(f"{first}\n{second}") as client:
        client.select_folder("x")
        assert client.select_folder("y") == {b"EXISTS": 1}


@pytest.mark.parametrize(
    "line",
    [
        "S: * FLAGS (\\Seen",
        "S: * FLAGS \\Seen)",
        'S: * FLAGS ("x)',
        "S: * FLAGS",
        "S: * FLAGS \\Seen",
        "S: * FLAGS \\Seen \\Draft",
        "S: * FLAGS (\\Seen) (\\Draft)",
        "S: * FLAGS NIL",
    ],
)
def test_flags_that_can_not_be_read_leave_the_connection_usable(line: str) -> None:
    with dialogue(_select(line) + "\nC: A2 NOOP\nS: A2 OK Done") as client:
        try:
            flags = client.select_folder("x").get(b"FLAGS", ())
            assert isinstance(flags, tuple)
            assert all(isinstance(flag, bytes) for flag in flags)
        except ProtocolError:
            pass
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("code", ["READ-ONLY", "read-only"])
def test_a_folder_that_opens_read_only_against_the_callers_wish(code: str) -> None:
    script = f"""
        C: A1 SELECT "x"
        S: * 3 EXISTS
        S: A1 OK [{code}] Done
        C: A2 UID SEARCH ALL
        S: * SEARCH 1
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(IMAPClientReadOnlyError, match="x") as caught:
            client.select_folder("x")
        assert isinstance(caught.value, client.ReadOnlyError)
        assert client.search() == [1]


def test_read_only_told_untagged() -> None:
    script = 'C: A1 SELECT "x"\nS: * OK [READ-ONLY] Sorry\nS: A1 OK Done'
    with dialogue(script) as client, pytest.raises(IMAPClientReadOnlyError):
        client.select_folder("x")


def test_a_folder_that_is_not_there() -> None:
    script = 'C: A1 SELECT "x"\nS: * OK [CLOSED] Previous\nS: A1 NO [NONEXISTENT] No such folder'
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="No such folder") as caught:
            client.select_folder("x")
        assert caught.value.code == (b"NONEXISTENT", ())
        assert caught.value.command == "SELECT"


def test_readonly_by_position_and_name() -> None:
    script = 'C: A1 EXAMINE "x"\nS: A1 OK Done\nC: A2 EXAMINE "x"\nS: A2 OK Done\nC: A3 SELECT "x"\nS: A3 OK Done'
    with dialogue(script) as client:
        assert client.select_folder("x", True) == {}
        assert client.select_folder(folder="x", readonly=True) == {}
        assert client.select_folder("x", False) == {}


@pytest.mark.parametrize("odd", ["S: * FLAGS x", "S: * OK [UIDNEXT " + "9" * 5000 + "] x"])
def test_what_can_not_be_read_leaves_the_folder_selected(odd: str) -> None:
    script = f'C: A1 SELECT "x"\n{odd}\nS: * 3 EXISTS\nS: A1 OK [READ-WRITE] Done'
    with dialogue(script) as client:
        assert client.select_folder("x")[b"EXISTS"] == 3
        assert client._imap.state == "SELECTED"


def test_a_number_of_5000_digits_with_the_answer() -> None:
    with dialogue('C: A1 SELECT "x"\nS: A1 OK [UIDNEXT ' + "9" * 5000 + "] Done") as client:
        client.select_folder("x")
        assert client._imap.state == "SELECTED"


def test_a_folder_opened_read_only_is_known_to_be() -> None:
    with dialogue('C: A1 SELECT "x"\nS: A1 OK [READ-ONLY] Done') as client:
        with pytest.raises(client.ReadOnlyError):
            client.select_folder("x")
        assert (client._imap.state, client._imap.is_readonly) == ("SELECTED", True)
