"""GETACL and SETACL."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient.exceptions import CommandError, NoPermissionError, ProtocolError
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited

_CAN = f"{CAPABILITIES} ACL"

CASES = [
    Case(
        "get",
        lambda client: client.getacl("Entwürfe"),
        'C: A1 GETACL "Entw&APw-rfe"',
        'S: * ACL "Entw&APw-rfe" "ann" "lrswi" "Bob Lee" "l"',
        [(b"ann", b"lrswi"), (b"Bob Lee", b"l")],
        needs="ACL",
    ),
    Case("get-nobody", lambda client: client.getacl("x"), 'C: A1 GETACL "x"', "S: * ACL x", [], needs="ACL"),
    Case(
        "set",
        lambda client: client.setacl("Entwürfe", "ann", "lrs"),
        'C: A1 SETACL "Entw&APw-rfe" "ann" "lrs"',
        "",
        b"Done",
        needs="ACL",
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- GETACL


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("S: * ACL INBOX ann lrs -bob w", [(b"ann", b"lrs"), (b"-bob", b"w")]),
        ('S: * ACL "INBOX" "ann" "lrs"', [(b"ann", b"lrs")]),
        ('S: * ACL INBOX "a\\"b\\\\c" ""', [(b'a"b\\c', b"")]),
        ('S: * ACL INBOX {3}\nS: a"b {2}\nS: lr bob l', [(b'a"b', b"lr"), (b"bob", b"l")]),
        ("S: * ACL {5}\nS: INBOX ann lr", [(b"ann", b"lr")]),
        ("S: * ACL INBOX NIL lr 007 l", [(b"NIL", b"lr"), (b"007", b"l")]),
        ('S: * ACL INBOX "Jörg" lr', [("Jörg".encode(), b"lr")]),
        ("Sx: * ACL INBOX J\\xf6rg lr", [(b"J\xf6rg", b"lr")]),
        ("S: * ACL inbox ann lr", [(b"ann", b"lr")]),
    ],
)
def test_forms_of_acl_responses(line: str, expected: Any) -> None:
    with dialogue(f'C: A1 GETACL "INBOX"\n{line}\nS: A1 OK Done', capabilities=_CAN) as client:
        result = client.getacl("INBOX")
        assert result == expected
        assert types(result) == types(expected)


@pytest.mark.parametrize("name", ['"caf&AOk-"', "{8}\nS: caf&AOk-", "CAF&AOk-", "café", '"INBOX/café"'])
def test_an_acl_response_in_another_form_of_the_name(name: str) -> None:
    script = f'C: A1 GETACL "caf&AOk-"\nS: * ACL {name} ann lr\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.getacl("café") == [(b"ann", b"lr")]
        assert unsolicited(client) == []


@pytest.mark.parametrize("own_first", [True, False])
def test_the_acl_of_another_folder_is_not_taken_for_the_answer(own_first: bool) -> None:
    lines = ["S: * ACL x ann lr", "S: * ACL other bob l"]
    script = "\n".join(['C: A1 GETACL "x"', *(lines if own_first else lines[::-1]), "S: A1 OK Done\n"])
    heard: list[Any] = []
    with dialogue(script + script, capabilities=_CAN) as client:
        assert client.getacl("x") == [(b"ann", b"lr")]
        assert unsolicited(client) == [(None, b"ACL", b"other bob l")]
        client.on_unsolicited = heard.append
        assert client.getacl("x") == [(b"ann", b"lr")]
        assert heard == [(b"ACL", b"other", b"bob", b"l")] * 2


def test_of_two_answers_the_first_counts() -> None:
    script = 'C: A1 GETACL "x"\nS: * ACL x ann lr\nS: * ACL x bob l\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.getacl("x") == [(b"ann", b"lr")]
        assert unsolicited(client) == [(None, b"ACL", b"x bob l")]


def test_an_acl_response_of_another_folder_that_can_not_be_read_does_no_harm() -> None:
    script = 'C: A1 GETACL "x"\nS: * ACL other (\nS: * ACL x ann lr\nS: * ACL\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.getacl("x") == [(b"ann", b"lr")]


@pytest.mark.parametrize(
    "line", ["", "S: * ACL", "S: * ACL x ann", "S: * ACL x (ann lr)", "S: * ACL x (\nS: * ACL y a l"]
)
def test_an_acl_that_can_not_be_read_leaves_the_connection_usable(line: str) -> None:
    script = f'C: A1 GETACL "x"\n{line}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        with pytest.raises(ProtocolError):
            client.getacl("x")
        assert client.noop() == (b"Done", [])


def test_an_acl_without_folder_encode() -> None:
    script = """
        C: A1 GETACL "Entw&APw-rfe"
        S: * ACL Entw&APw-rfe ann lr
        S: * ACL other bob l
        S: A1 OK Done
        C: A2 SETACL "Entw&APw-rfe" "ann" "l"
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        client.folder_encode = False
        assert client.getacl(b"Entw&APw-rfe") == [(b"ann", b"lr")]
        assert client.setacl(b"Entw&APw-rfe", "ann", "l") == b"Done"


# -- SETACL

_TEXTS: list[tuple[Any, str]] = [
    ("lrs", '"lrs"'),
    (b"lrs", '"lrs"'),
    ("+w", '"+w"'),
    ("-ann", '"-ann"'),
    ("", '""'),
    ("NIL", '"NIL"'),
    ("a b", '"a b"'),
    ('a"b\\c', '"a\\"b\\\\c"'),
    ("{5}", '"{5}"'),
    ("(x)%*]", '"(x)%*]"'),
    ("Jörg", "{5}\nS: + go\nC: Jörg"),
    (b"J\xf6rg", "{4}\nS: + go\nCx: J\\xf6rg"),
    ("x\r\nA999 NOOP", "{12}\nS: + go\nCx: x\\r\\nA999 NOOP"),
    ("n" * 1001, "{1001}\nS: + go\nC: " + "n" * 1001),
]


@pytest.mark.parametrize(("text", "sent"), _TEXTS, ids=lambda value: repr(value)[:24])
def test_identifiers_and_rights_that_are_sent(text: Any, sent: str) -> None:
    script = f"""
        C: A1 SETACL "x" {sent} "l"
        S: A1 OK Done
        C: A2 SETACL "x" "ann" {sent}
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        assert client.setacl("x", text, "l") == b"Done"
        assert client.setacl("x", "ann", text) == b"Done"


@pytest.mark.parametrize("text", ["a\0", b"\0", None, 5, ["lr"]])
def test_what_is_no_text_is_refused_before_anything_is_sent(text: Any) -> None:
    with dialogue(capabilities=_CAN) as client:
        for who, what in ((text, "l"), ("ann", text)):
            with pytest.raises((ValueError, TypeError)):
                client.setacl("x", who, what)


def test_who_may_not_administer_a_folder_is_told_so() -> None:
    script = """
        C: A1 SETACL "x" "ann" "lr"
        S: A1 NO [NOPERM] Not yours
        C: A2 GETACL "x"
        S: A2 NO [NONEXISTENT] None of that name
        C: A3 NOOP
        S: A3 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        with pytest.raises(NoPermissionError, match="Not yours"):
            client.setacl("x", "ann", "lr")
        with pytest.raises(CommandError, match="None of that name") as caught:
            client.getacl("x")
        assert caught.value.code == (b"NONEXISTENT", ())
        assert client.noop() == (b"Done", [])


def test_arguments_by_name() -> None:
    script = 'C: A1 SETACL "x" "ann" "lr"\nS: A1 OK\nC: A2 GETACL "x"\nS: * ACL x ann lr\nS: A2 OK'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.setacl(folder="x", who="ann", what="lr") == b""
        assert client.getacl(folder="x") == [(b"ann", b"lr")]


def test_unasked_acl_is_kept_apart() -> None:
    script = 'C: A1 SETACL "x" "ann" "lr"\nS: * ACL x ann lr\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        client.setacl("x", "ann", "lr")
        assert unsolicited(client) == [(None, b"ACL", b"x ann lr")]
