"""COPY and MOVE: the UIDs that come back, and MOVE on a server that has none."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient._parsing.uid_codes import CopyReply
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    NoPermissionError,
    OverQuotaError,
    ProtocolAbortError,
    ProtocolError,
    TryCreateError,
)
from tests.helpers.dialogue import Case, dialogue, in_every_way, unsolicited
from tests.helpers.uid_codes import known

# -- where the server puts COPYUID


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
@pytest.mark.parametrize(
    ("untagged", "tagged", "validity", "uids", "sources"),
    [
        ("", "[COPYUID 38505 304,319:320 3956:3958] Done", 38505, "3956:3958", "304,319:320"),
        ("", "[copyuid 38505 304 3956] done", 38505, "3956", "304"),
        ("S: * OK [COPYUID 38505 304,319:320 3956:3958]", "Done", 38505, "3956:3958", "304,319:320"),
        ("S: * ok [CopyUID 38505 1:2 7:8] Soon", "Done", 38505, "7:8", "1:2"),
        ("S: * OK [COPYUID 5 1:2 7:8] Soon", "[COPYUID 5 1:2 7:8] Done", 5, "7:8", "1:2"),
        ("S: * OK [COPYUID 5 1 7] One\nS: * OK [COPYUID 5 2 8] Two", "Done", 5, "7:8", "1:2"),
        ("", "[COPYUID 1 1:4294967295 1:4294967295] Done", 1, "1:4294967295", "1:4294967295"),
        ("", "Done", None, None, None),
        ("", "[COPYUID 1  ] Done", None, None, None),
        ("", "[COPYUID 1 1:2 *] Done", None, None, None),
        ("", "[COPYUID 1 1:3 7:8] Done", None, None, None),
        ("", "[COPYUID 1 1 99999999999] Done", None, None, None),
        ("", "[COPYUID 99999999999 1 1] Done", None, None, None),
        ("", "[APPENDUID 1 2] Done", None, None, None),
    ],
)
def test_copyuid(
    command: str, untagged: str, tagged: str, validity: int | None, uids: str | None, sources: str | None
) -> None:
    asked = sources or "1:3"
    with dialogue(f'C: A1 UID {command} {asked} "x"\n{untagged}\nS: A1 OK {tagged}') as client:
        reply = getattr(client, command.lower())(asked, "x")
        assert type(reply) is CopyReply
        assert known(reply) == (tagged.encode(), validity, uids, sources)
        assert unsolicited(client) == []


def test_copyuid_before_and_after_the_messages_are_gone() -> None:
    script = """
        C: A1 UID MOVE 1 "x"
        S: * OK [COPYUID 38505 1 7] Moved
        S: * 1 EXPUNGE
        S: A1 OK Done
        C: A2 UID MOVE 2 {4}
        S: + go
        Cx: caf\\xe9
        S: * VANISHED 2
        S: * OK [COPYUID 38505 2 8] Moved
        S: A2 OK Done
    """
    with dialogue(script) as client:
        assert list(client.move(1, "x").pairs()) == [(1, 7)]
        assert list(client.move(2, b"caf\xe9").pairs()) == [(2, 8)]
        assert unsolicited(client) == [(1, b"EXPUNGE", b""), (None, b"VANISHED", b"2")]


def test_what_else_is_told_in_an_untagged_ok_is_handed_on() -> None:
    script = """
        C: A1 UID COPY 1 "x"
        S: * OK [COPYUID 5 1 *] Odd
        S: * OK [ALERT] Look out
        S: * OK [COPYUID 5 1 6] Soon
        S: * NO [COPYUID 5 1 7] A warning
        S: * OK [APPENDUID 5 6] Whose?
        S: A1 OK Done
    """
    heard: list[Any] = []
    with dialogue(script) as client:
        client.on_unsolicited = heard.append
        assert known(client.copy(1, "x")) == (b"Done", 5, "6", "1")
    assert heard == [
        (b"OK", b"[COPYUID 5 1 *] Odd"),
        (b"OK", b"[ALERT] Look out"),
        (b"NO", b"[COPYUID 5 1 7] A warning"),
        (b"OK", b"[APPENDUID 5 6] Whose?"),
    ]


def test_copyuid_outside_a_copy_is_not_taken() -> None:
    with dialogue("C: A1 NOOP\nS: * OK [COPYUID 5 1 6] Late\nS: A1 OK Done") as client:
        assert client.noop() == (b"Done", [(b"OK", b"[COPYUID 5 1 6] Late")])


@pytest.mark.parametrize(
    ("code", "error"), [("TRYCREATE", TryCreateError), ("OVERQUOTA", OverQuotaError), ("NOPERM", NoPermissionError)]
)
@pytest.mark.parametrize("command", ["COPY", "MOVE"])
def test_refused(command: str, code: str, error: type[CommandError]) -> None:
    with dialogue(f'C: A1 UID {command} 1 "x"\nS: A1 NO [{code}] Not there\nC: A2 NOOP\nS: A2 OK Done') as client:
        with pytest.raises(error, match="Not there") as caught:
            getattr(client, command.lower())(1, "x")
        assert caught.value.code == (code.encode(), ())
        assert _left(caught.value) == ("", "", (b"", None, None, None))
        assert client.noop() == (b"Done", [])


def _left(error: BaseException) -> tuple[str, str, Any]:
    """What an exception says is done and copied, and what its reply knows."""
    said = vars(error)
    return said["done"], said["copied"], known(said["reply"])


# -- long sets: every other id, of seven digits, a thousand to a command

_MANY = range(1000001, 1004001, 2)
_PARTS = [",".join(map(str, _MANY[start : start + 1000])) for start in (0, 1000)]


def _copyuid(part: int, validity: int = 38505) -> str:
    """The code for a part: its new UIDs are a thousand from 1, then a thousand from 1001."""
    return f"[COPYUID {validity} {_PARTS[part]} {1 + 1000 * part}:{1000 + 1000 * part}]"


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
@pytest.mark.parametrize("untagged", [False, True])
def test_a_long_set_has_the_uids_of_all_commands(command: str, untagged: bool) -> None:
    script = "".join(
        f'C: A1 UID {command} {_PARTS[part]} "x"\n'
        + (f"S: * OK {_copyuid(part)}\nS: A1 OK {text}\n" if untagged else f"S: A1 OK {_copyuid(part)} {text}\n")
        for part, text in enumerate(("one", "two"))
    )
    with dialogue(script) as client:
        reply = getattr(client, command.lower())(reversed(_MANY), "x")
        assert reply == (b"two" if untagged else f"{_copyuid(1)} two".encode())
        assert list(reply.pairs()) == list(zip(_MANY, range(1, 2001)))
        assert reply.uidvalidity == 38505


def test_a_target_that_was_made_anew_between_the_commands() -> None:
    script = f"""
        C: A1 UID COPY {_PARTS[0]} "x"
        S: A1 OK {_copyuid(0)} one
        C: A2 UID COPY {_PARTS[1]} "x"
        S: A2 OK {_copyuid(1, validity=38506)} two
    """
    with dialogue(script) as client:
        reply = client.copy(_MANY, "x")
        assert reply.uidvalidity == 38506
        assert list(reply.pairs()) == list(zip(_MANY[1000:], range(1001, 2001)))


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
@pytest.mark.parametrize(("ending", "error"), [("S: A2 NO [OVERQUOTA] Full", OverQuotaError), ("CLOSE", Exception)])
def test_a_second_part_that_fails_leaves_the_uids_of_the_first(
    command: str, ending: str, error: type[Exception]
) -> None:
    script = f"""
        C: A1 UID {command} {_PARTS[0]} "x"
        S: A1 OK {_copyuid(0)} one
        C: A2 UID {command} {_PARTS[1]} "x"
        {ending}
    """
    with dialogue(script) as client:
        with pytest.raises(error) as caught:
            getattr(client, command.lower())(_MANY, "x")
        told = (f"{_copyuid(0)} one".encode(), 38505, "1:1000", _PARTS[0])
        assert _left(caught.value) == (_PARTS[0], "", told)
        assert isinstance(caught.value, IMAPClientError)


def test_what_is_handed_on_waits_until_all_commands_are_done() -> None:
    """A callback may select another folder, where the next command would hit other messages."""
    script = f"""
        C: A1 UID COPY {_PARTS[0]} "x"
        S: * 7 EXISTS
        S: A1 OK one
        C: A2 UID COPY {_PARTS[1]} "x"
        S: * 8 EXISTS
        S: A2 OK two
        C: A3 NOOP
        S: A3 OK Done
        C: A4 NOOP
        S: A4 OK Done
    """
    heard: list[Any] = []
    with dialogue(script) as client:

        def hear(item: Any) -> None:
            heard.append(item)
            client.noop()

        client.on_unsolicited = hear
        assert client.copy(_MANY, "x") == b"two"
        assert heard == [(7, b"EXISTS"), (8, b"EXISTS")]


# -- MOVE without MOVE

_NO_MOVE = "IMAP4rev1 UIDPLUS"
_STORE = "+FLAGS.SILENT (\\Deleted)"

_STEPS = f"""
    C: A5 UID FETCH 7:9,12 (UID)
    S: * 1 FETCH (UID 7)
    S: * 2 FETCH (UID 9)
    S: * 3 FETCH (UID 12)
    S: A5 OK Done
    C: A6 UID COPY 7,9,12 "x"
    S: * OK [COPYUID 38505 7,9,12 101:103] Copied
    S: A6 OK Copied
    C: A7 UID STORE 7,9,12 {_STORE}
    S: A7 OK Done
    C: A1 UID EXPUNGE 7,9,12
"""


class _WithoutMove(Case):
    """Its last command is the one that things happen to."""

    def start(self, script: str, **options: Any) -> Any:
        return super().start(script, **{"capabilities": _NO_MOVE, **options})


_CASE = _WithoutMove(
    "move-without-move",
    lambda client: known(client.move("7:9,12", "x")),
    _STEPS,
    "",
    (b"Copied", 38505, "101:103", "7,9,12"),
)


@pytest.mark.parametrize(("case", "way"), in_every_way([_CASE]))
def test_dialogue_without_move(case: Case, way: Any) -> None:
    way(case)


def test_sequence_numbers_without_move() -> None:
    """They are the caller's only in the first step: others may be expunged in between, and the numbers shift."""
    script = f"""
        C: A1 FETCH 2:3,9 (UID)
        S: * 2 FETCH (UID 40)
        S: * 5 FETCH (FLAGS (\\Seen))
        S: * 3 FETCH (FLAGS () UID 7)
        S: * 9 FETCH (UID 41)
        S: A1 OK Done
        C: A2 UID COPY 7,40:41 "x"
        S: * 1 EXPUNGE
        S: A2 OK [COPYUID 5 7,40:41 1:3] Copied
        C: A3 UID STORE 7,40:41 {_STORE}
        S: A3 OK Done
        C: A4 UID EXPUNGE 7,40:41
        S: * 1 EXPUNGE
        S: A4 OK Done
    """
    with dialogue(script, capabilities=_NO_MOVE, use_uid=False) as client:
        reply = client.move([9, 2, 3], "x")
        assert list(reply.pairs()) == [(7, 1), (40, 2), (41, 3)]
        assert reply == b"[COPYUID 5 7,40:41 1:3] Copied"
        assert [name for _, name, _ in unsolicited(client)] == [b"FETCH", b"EXPUNGE", b"EXPUNGE"]


@pytest.mark.parametrize("code", ["[COPYUID 5 8 1]", "[COPYUID 5 7:8 1:2]"])
def test_copyuid_of_other_messages_without_move(code: str) -> None:
    script = f"""
        C: A1 UID FETCH 1:* (UID)
        S: * 1 FETCH (UID 7)
        S: A1 OK Done
        C: A2 UID COPY 7 "x"
        S: * OK {code} Whose?
        S: A2 OK {code} Copied
        C: A3 UID STORE 7 {_STORE}
        S: A3 OK Done
        C: A4 UID EXPUNGE 7
        S: A4 OK Done
    """
    with dialogue(script, capabilities=_NO_MOVE) as client:
        assert known(client.move("1:*", "x")) == (f"{code} Copied".encode(), None, None, None)
        assert unsolicited(client) == [(None, b"OK", f"{code} Whose?".encode())]


@pytest.mark.parametrize("asked", ["1:*", "$", "*"])
def test_a_message_that_arrives_between_the_steps_is_left_alone(asked: str) -> None:
    """It would be within ``1:*`` at the second step, and be removed without having been copied."""
    script = f"""
        C: A1 UID FETCH {asked} (UID)
        S: * 1 FETCH (UID 7)
        S: A1 OK Done
        C: A2 UID COPY 7 "x"
        S: * 2 EXISTS
        S: A2 OK Copied
        C: A3 UID STORE 7 {_STORE}
        S: A3 OK Done
        C: A4 UID EXPUNGE 7
        S: A4 OK Done
    """
    with dialogue(script, capabilities=_NO_MOVE) as client:
        assert client.move(asked, "x") == b"Copied"


@pytest.mark.parametrize("use_uid", [True, False])
def test_none_of_the_messages_is_there(use_uid: bool) -> None:
    prefix = "UID " if use_uid else ""
    script = f"C: A1 {prefix}FETCH 7 (UID)\nS: A1 OK Done"
    with dialogue(script, capabilities=_NO_MOVE, use_uid=use_uid) as client:
        assert known(client.move(7, "x")) == (b"", None, None, None)


def test_a_long_set_is_moved_part_by_part() -> None:
    with dialogue("".join(_long_steps(6)), capabilities=_NO_MOVE) as client:
        reply = client.move(_MANY, "x")
        assert list(reply.pairs()) == list(zip(_MANY, range(1, 2001)))
        assert reply == f"{_copyuid(1)} copied".encode()


def test_a_long_set_of_sequence_numbers_is_moved_part_by_part() -> None:
    """Only their UIDs are too long for one command, and these do not shift."""
    fetched = "".join(f"S: * {number} FETCH (UID {uid})\n" for number, uid in enumerate(_MANY, 1))
    script = f"C: A9 FETCH 1:2000 (UID)\n{fetched}S: A9 OK Done\n" + "".join(_long_steps(6)[1:])
    with dialogue(script, capabilities=_NO_MOVE, use_uid=False) as client:
        assert list(client.move(range(1, 2001), "x").pairs()) == list(zip(_MANY, range(1, 2001)))


def _long_steps(count: int, ending: str | None = None) -> list[str]:
    """The commands for `_MANY`: two FETCH in one, then the first ``count`` of COPY, STORE, EXPUNGE, COPY, ...

    ``ending`` is in place of the last one's answer.
    """
    fetch = ""
    for ids in _PARTS:
        fetched = "".join(f"S: * {uid - 1000000} FETCH (UID {uid})\n" for uid in map(int, ids.split(",")))
        fetch += f"C: A9 UID FETCH {ids} (UID)\n{fetched}S: A9 OK Done\n"
    steps = [fetch]
    for number in range(count):
        part, step = divmod(number, 3)
        sent = (f'COPY {_PARTS[part]} "x"', f"STORE {_PARTS[part]} {_STORE}", f"EXPUNGE {_PARTS[part]}")[step]
        answer = f"S: A1 OK {_copyuid(part)} copied\n" if step == 0 else "S: A1 OK Done\n"
        if number == count - 1 and ending is not None:
            answer = f"{ending}\n"
        steps.append(f"C: A1 UID {sent}\n{answer}")
    return steps


_COMMANDS = ("UID COPY", "UID STORE", "UID EXPUNGE")


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("ending", ["NO [NOPERM] Not you", "BAD What?", "CLOSE"])
@pytest.mark.parametrize("use_uid", [True, False])
def test_a_step_that_fails_says_what_is_where(count: int, ending: str, use_uid: bool) -> None:
    part, step = divmod(count - 1, 3)
    closes = ending == "CLOSE"
    steps = _long_steps(count, ending if closes else f"S: A1 {ending}")
    ids = _PARTS
    if not use_uid:
        fetched = "".join(f"S: * {number} FETCH (UID {uid})\n" for number, uid in enumerate(_MANY, 1))
        steps[0] = f"C: A9 FETCH 1:2000 (UID)\n{fetched}S: A9 OK Done\n"
        ids = ["1:1000", "1001:2000"]
    if not closes:
        steps.append("C: A2 NOOP\nS: A2 OK Done")
    expected = IMAPClientAbortError if closes else CommandError
    with dialogue("".join(steps), capabilities=_NO_MOVE, use_uid=use_uid) as client:
        with pytest.raises(expected) as caught:
            client.move(_MANY if use_uid else "1:2000", "x")
        done, copied, told = _left(caught.value)
        assert done == (ids[0] if part else "")
        assert copied == (ids[part] if step else "")
        heard = part + (step > 0)
        if heard:
            text = f"{_copyuid(heard - 1)} copied".encode()
            sources = ",".join(_PARTS[:heard])
            assert told == (text, 38505, f"1:{1000 * heard}", sources)
        else:
            assert told == (b"", None, None, None)
        if not closes:
            assert isinstance(caught.value, CommandError)
            assert caught.value.command == _COMMANDS[step]
            assert client.noop() == (b"Done", [])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("S: A1 NO Not today", CommandError),
        ("S: A1 BAD Which?", CommandError),
        ("S: * 3 FETCH (FLAGS (\\Seen))\nS: A1 OK Done", ProtocolError),
        ("S: * 3 FETCH (UID 0)\nS: A1 OK Done", ProtocolError),
        ("S: * 3 FETCH (UID 1:*)\nS: A1 OK Done", ProtocolError),
        ("S: * 3 FETCH (UID 4294967296)\nS: A1 OK Done", ProtocolError),
        ("S: * 3 FETCH (UID NIL)\nS: A1 OK Done", ProtocolError),
        ("S: * 3 FETCH (UID 7)\nS: * 4 FETCH (UID x)\nS: A1 OK Done", ProtocolError),
    ],
)
def test_nothing_is_moved_where_the_uids_are_not_told(answer: str, error: type[IMAPClientError]) -> None:
    script = f"C: A1 FETCH 3:4 (UID)\n{answer}\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_NO_MOVE, use_uid=False) as client:
        with pytest.raises(error) as caught:
            client.move("3:4", "x")
        assert not isinstance(caught.value, ProtocolAbortError)
        assert _left(caught.value) == ("", "", (b"", None, None, None))
        assert client.noop() == (b"Done", [])


def test_a_long_set_whose_uids_are_not_all_told_has_nothing_done() -> None:
    """That the first FETCH is done is no news for a caller of move()."""
    script = f"""
        C: A1 UID FETCH {_PARTS[0]} (UID)
        S: A1 OK Done
        C: A2 UID FETCH {_PARTS[1]} (UID)
        S: A2 NO Not today
    """
    with dialogue(script, capabilities=_NO_MOVE) as client:
        with pytest.raises(CommandError) as caught:
            client.move(_MANY, "x")
        assert _left(caught.value) == ("", "", (b"", None, None, None))


def test_what_is_handed_on_waits_until_all_steps_are_done() -> None:
    heard: list[Any] = []
    script = _STEPS.replace("S: A6 OK", "S: * 4 EXISTS\nS: A6 OK")
    script += "S: * 1 EXPUNGE\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done\nC: A3 NOOP\nS: A3 OK Done"
    with dialogue(script, capabilities=_NO_MOVE) as client:

        def hear(item: Any) -> None:
            heard.append(item)
            client.noop()

        client.on_unsolicited = hear
        client.move("7:9,12", "x")
    assert heard == [(4, b"EXISTS"), (1, b"EXPUNGE")]


def test_a_move_in_a_callback() -> None:
    """What is told meanwhile waits for the callback's end."""
    script = f"""
        C: A9 CREATE "x"
        S: * OK [X] go
        S: A9 OK Done
        {_STEPS}
        S: * 1 EXPUNGE
        S: A1 OK Done
    """
    heard: list[Any] = []
    with dialogue(script, capabilities=_NO_MOVE) as client:

        def hear(item: Any) -> None:
            heard.append(item)
            if item[0] == b"OK":
                heard.append(known(client.move("7:9,12", "x")))

        client.on_unsolicited = hear
        client.create_folder("x")
    assert heard == [(b"OK", b"[X] go"), (b"Copied", 38505, "101:103", "7,9,12"), (1, b"EXPUNGE")]


@pytest.mark.parametrize("use_uid", [True, False])
@pytest.mark.parametrize("messages", [7, "1:*", "$"])
def test_neither_move_nor_uidplus(use_uid: bool, messages: Any) -> None:
    """EXPUNGE would remove what others have marked: CapabilityError before anything is sent."""
    missing = pytest.raises(CapabilityError, match="does not support MOVE capability, nor UIDPLUS")
    with dialogue(capabilities="IMAP4rev1", use_uid=use_uid) as client, missing:
        client.move(messages, "x")


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 MOVE", "IMAP4rev1 MOVE UIDPLUS", "IMAP4rev2", "IMAP4rev1 move"])
@pytest.mark.parametrize("use_uid", [True, False])
def test_move_is_used_where_it_is_there(capabilities: str, use_uid: bool) -> None:
    prefix = "UID " if use_uid else ""
    with dialogue(f'C: A1 {prefix}MOVE 7 "x"\nS: A1 OK Done', capabilities=capabilities, use_uid=use_uid) as client:
        assert client.move(7, "x") == b"Done"


def test_a_folder_that_is_selected_read_only() -> None:
    """A copy would be made, and could not be undone."""
    script = f"""
        C: A1 EXAMINE "y"
        S: A1 OK [READ-ONLY] Done
        C: A2 NOOP
        S: A2 OK Done
        C: A3 SELECT "y"
        S: A3 OK [READ-WRITE] Done
        {_STEPS}
        S: A1 OK Done
    """
    with dialogue(script, capabilities=_NO_MOVE) as client:
        client.select_folder("y", readonly=True)
        with pytest.raises(IllegalStateError, match="read-only"):
            client.move("7:9,12", "x")
        client.noop()
        client.select_folder("y")
        assert client.move("7:9,12", "x") == b"Copied"


def test_whether_a_folder_is_selected_is_the_servers_to_say() -> None:
    """None is, after one that was selected read-only."""
    script = """
        C: A1 EXAMINE "y"
        S: A1 OK [READ-ONLY] Done
        C: A2 UNSELECT
        S: A2 OK Done
        C: A3 UID FETCH 7 (UID)
        S: A3 BAD No folder is selected
    """
    with dialogue(script, capabilities=f"{_NO_MOVE} UNSELECT") as client:
        client.select_folder("y", readonly=True)
        client.unselect_folder()
        with pytest.raises(CommandError, match="No folder"):
            client.move(7, "x")


def test_a_folder_that_turns_out_to_be_read_only() -> None:
    script = _STEPS.replace("S: A7 OK Done", "S: A7 NO [READ-ONLY] Not here").partition("C: A1")[0]
    with dialogue(script, capabilities=_NO_MOVE) as client:
        with pytest.raises(CommandError, match="Not here") as caught:
            client.move("7:9,12", "x")
        assert caught.value.command == "UID STORE"
        assert _left(caught.value) == ("", "7,9,12", (b"Copied", 38505, "101:103", "7,9,12"))


def test_move_to_a_folder_that_is_not_there_without_move() -> None:
    script = 'C: A1 UID FETCH 7 (UID)\nS: * 1 FETCH (UID 7)\nS: A1 OK Done\nC: A2 UID COPY 7 "x"'
    with dialogue(f"{script}\nS: A2 NO [TRYCREATE] Where?", capabilities=_NO_MOVE) as client:
        with pytest.raises(TryCreateError) as caught:
            client.move(7, "x")
        assert _left(caught.value) == ("", "", (b"", None, None, None))


def test_a_uid_that_can_not_be_read_moves_nothing() -> None:
    script = "C: A1 UID FETCH 1:2 (UID)\nS: * 1 FETCH (UID 1)\nS: * 2 FETCH (UID NIL)\nS: A1 OK Done"
    with (
        dialogue(script, capabilities="IMAP4rev1 UIDPLUS") as client,
        pytest.raises(ProtocolError, match="UID of each"),
    ):
        client.move([1, 2], "x")
