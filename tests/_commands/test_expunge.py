"""APPEND, COPY, MOVE, EXPUNGE: all that may happen to any command, and more about EXPUNGE.

More about APPEND is in test_messages_append.py, about COPY and MOVE in test_messages_move.py.
"""

from __future__ import annotations

from typing import Callable

import pytest

from imapclient._parsing.uid_codes import AppendReply, CopyReply
from imapclient.exceptions import CapabilityError
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited
from tests.helpers.uid_codes import known

# What they return is all that the server tells.
_EXPUNGE = frozenset((b"EXISTS", b"EXPUNGE", b"FETCH", b"OK", b"X-THING"))


CASES = [
    Case(
        "append",
        lambda client: client.append("Entwürfe", b"Subject: x\r\n\r\nhi"),
        'C: A1 APPEND "Entw&APw-rfe" {16}\nS: + go\nCx: Subject: x\\r\\n\\r\\nhi',
        "",
        AppendReply(b"Done"),
    ),
    Case(
        "append-untagged-code",
        lambda client: known(client.append("x", b"m")),
        'C: A1 APPEND "x" {1}\nS: + go\nC: m',
        "S: * OK [APPENDUID 38505 3955] So far so good",
        (b"Done", 38505, "3955", None),
    ),
    Case(
        "multiappend",
        lambda client: known(client.multiappend("Entwürfe", [b"one", {"msg": "zwölf", "flags": "\\Seen"}])),
        'C: A1 APPEND "Entw&APw-rfe" {3}\nS: + go\nC: one (\\Seen) {6}\nS: + go\nC: zwölf',
        "S: * OK [APPENDUID 38505 7:8] So far so good",
        (b"Done", 38505, "7:8", None),
        needs="MULTIAPPEND",
    ),
    Case(
        "copy",
        lambda client: client.copy([3, 1, 2], "x y"),
        'C: A1 UID COPY 1:3 "x y"',
        "",
        CopyReply(b"Done"),
    ),
    Case(
        "copy-untagged-code",
        lambda client: known(client.copy([3, 1, 2], "x y")),
        'C: A1 UID COPY 1:3 "x y"',
        "S: * OK [COPYUID 38505 1:3 7:9] So far so good",
        (b"Done", 38505, "7:9", "1:3"),
    ),
    Case(
        "copy-sequence-numbers",
        lambda client: client.copy(3, "x"),
        'C: A1 COPY 3 "x"',
        "",
        CopyReply(b"Done"),
        use_uid=False,
    ),
    Case("move", lambda client: client.move("1:*", "x y"), 'C: A1 UID MOVE 1:* "x y"', "", CopyReply(b"Done")),
    Case(
        "move-untagged-code",
        lambda client: known(client.move("1:*", "x y")),
        'C: A1 UID MOVE 1:* "x y"',
        "S: * OK [COPYUID 38505 1:3 7:9] So far so good",
        (b"Done", 38505, "7:9", "1:3"),
    ),
    Case(
        "move-sequence-numbers",
        lambda client: client.move(3, "x"),
        'C: A1 MOVE 3 "x"',
        "",
        CopyReply(b"Done"),
        use_uid=False,
    ),
    Case(
        "expunge",
        lambda client: client.expunge(),
        "C: A1 EXPUNGE",
        "S: * 2 EXPUNGE\nS: * 2 EXPUNGE\nS: * 5 EXPUNGE",
        (b"Done", [(2, b"EXPUNGE"), (2, b"EXPUNGE"), (5, b"EXPUNGE")]),
        own=_EXPUNGE,
    ),
    Case(
        "expunge-ids",
        lambda client: client.expunge([7, 8]),
        "C: A1 UID EXPUNGE 7:8",
        "S: * 2 EXPUNGE",
        (b"Done", [(2, b"EXPUNGE")]),
        needs="UIDPLUS",
        own=_EXPUNGE,
    ),
    Case(
        "uid-expunge",
        lambda client: client.uid_expunge("7:9"),
        "C: A1 UID EXPUNGE 7:9",
        "S: * 2 EXPUNGE\nS: * VANISHED 8:9",
        (b"Done", [(2, b"EXPUNGE"), (b"VANISHED", b"8:9")]),
        needs="UIDPLUS",
        own=_EXPUNGE,
    ),
    Case(
        "uid-expunge-with-sequence-numbers-on",
        lambda client: client.uid_expunge(7),
        "C: A1 UID EXPUNGE 7",
        "",
        (b"Done", []),
        needs="UIDPLUS",
        own=_EXPUNGE,
        use_uid=False,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- EXPUNGE


def test_expunge_of_all_and_of_none() -> None:
    with dialogue("C: A1 EXPUNGE\nS: A1 OK Done") as client:
        assert client.expunge() == (b"Done", [])
        empty = client.expunge([])
        assert empty == (b"", [])
        assert types(empty) == types((b"", []))


def test_expunge_gives_the_uids_that_vanished() -> None:
    script = "C: A1 EXPUNGE\nS: * VANISHED 405,407:410\nS: A1 OK Done"
    with dialogue(script) as client:
        assert client.expunge() == (b"Done", [(b"VANISHED", b"405,407:410")])


def test_an_expunge_that_nobody_asked_for_is_kept_apart() -> None:
    script = """
        C: A1 UID COPY 1 "x"
        S: * 3 EXPUNGE
        S: A1 OK Done
        C: A2 EXPUNGE
        S: A2 OK Done
    """
    with dialogue(script) as client:
        client.copy(1, "x")
        assert client.expunge() == (b"Done", [])
        assert unsolicited(client) == [(3, b"EXPUNGE", b"")]


def test_expunge_of_some_never_becomes_expunge_of_all() -> None:
    with dialogue(capabilities="IMAP4rev1") as client:
        with pytest.raises(CapabilityError, match="UIDPLUS"):
            client.expunge([1])
        with pytest.raises(CapabilityError, match="UIDPLUS"):
            client.uid_expunge([1])


def test_capabilities_are_asked_for_where_they_are_not_known() -> None:
    script = f"""
        C: A1 CAPABILITY
        S: * CAPABILITY {CAPABILITIES}
        S: A1 OK Done
        C: A2 UID MOVE 1 "x"
        S: A2 OK Done
        C: A3 UID EXPUNGE 1
        S: A3 OK Done
    """
    with dialogue(script, capabilities=None, login=False) as client:
        client.move(1, "x")
        client.uid_expunge(1)
