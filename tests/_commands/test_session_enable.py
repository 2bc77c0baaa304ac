"""ENABLE and ID, which tell the server what the client can do and what it is."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient.exceptions import CommandError, IllegalStateError, ProtocolError
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited

CASES = [
    Case(
        "enable",
        lambda client: client.enable("x-One", b"X-Two"),
        "C: A1 ENABLE x-One X-Two",
        "S: * ENABLED x-one x-two",
        [b"x-one", b"x-two"],
        needs="ENABLE",
    ),
    Case("enable-nothing", lambda client: client.enable("X"), "C: A1 ENABLE X", "S: * ENABLED", [], needs="ENABLE"),
    Case("enable-untold", lambda client: client.enable("X"), "C: A1 ENABLE X", "", [], needs="ENABLE"),
    Case(
        "id",
        lambda client: client.id_({"name": "me", "version": None}),
        'C: A1 ID ("name" "me" "version" NIL)',
        'S: * ID ("name" "Cool server" "version" NIL)',
        ((b"name", b"Cool server", b"version", None),),
        needs="ID",
    ),
    Case("id-nothing", lambda client: client.id_(), "C: A1 ID NIL", "S: * ID NIL", (None,), needs="ID"),
    Case("id-untold", lambda client: client.id_({}), "C: A1 ID ()", "", (), needs="ID"),
    Case(
        "id-before-login",
        lambda client: client.id_(None),
        "C: A1 ID NIL",
        'S: * ID ("name" "x")',
        ((b"name", b"x"),),
        needs="ID",
        login=False,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- ENABLE

_CAN_ENABLE = f"{CAPABILITIES} ENABLE CONDSTORE UTF8=ACCEPT"


def test_enabled_in_several_responses() -> None:
    script = """
        C: A1 ENABLE CONDSTORE QRESYNC
        S: * ENABLED CONDSTORE
        S: * ENABLED QRESYNC condstore
        S: A1 OK Done
    """
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        assert client.enable("CONDSTORE", "QRESYNC") == [b"CONDSTORE", b"QRESYNC", b"condstore"]
        assert client._imap.enabled == {"CONDSTORE", "QRESYNC"}
        assert unsolicited(client) == []


_CREATE_UTF8 = "C: A9 CREATE {2}\nS: + go\nC: é\nS: A9 OK Done"
_CREATE_UTF7 = 'C: A9 CREATE "&AOk-"\nS: A9 OK Done'


@pytest.mark.parametrize(
    ("enabled", "expected", "create"),
    [
        ("S: * ENABLED UTF8=ACCEPT", [b"UTF8=ACCEPT"], _CREATE_UTF8),
        ("S: * enabled utf8=accept", [b"utf8=accept"], _CREATE_UTF8),
        ("S: * ENABLED imap4REV2 CONDSTORE", [b"imap4REV2", b"CONDSTORE"], _CREATE_UTF8),
        ("S: * ENABLED CONDSTORE", [b"CONDSTORE"], _CREATE_UTF7),
        ("S: * ENABLED", [], _CREATE_UTF7),
        ("", [], _CREATE_UTF7),
    ],
)
def test_what_was_enabled_says_how_names_are_sent(enabled: str, expected: list[bytes], create: str) -> None:
    script = f"C: A1 ENABLE UTF8=ACCEPT\n{enabled}\nS: A1 OK Done\n{create}"
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        assert client.enable("UTF8=ACCEPT") == expected
        client.create_folder("é")


def test_an_enabled_response_that_comes_later_counts() -> None:
    script = f"""
        C: A1 ENABLE UTF8=ACCEPT
        S: A1 OK Done
        C: A2 NOOP
        S: * ENABLED UTF8=ACCEPT
        S: A2 OK Done
        {_CREATE_UTF8}
    """
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        assert client.enable("UTF8=ACCEPT") == []
        assert client.noop() == (b"Done", [(b"ENABLED", b"UTF8=ACCEPT")])
        client.create_folder("é")


def test_a_refused_enable_changes_nothing() -> None:
    script = f"C: A1 ENABLE UTF8=ACCEPT\nS: A1 BAD Not you\n{_CREATE_UTF7}"
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        with pytest.raises(CommandError, match="Not you"):
            client.enable("UTF8=ACCEPT")
        client.create_folder("é")


def test_what_is_enabled_adds_up() -> None:
    script = f"""
        C: A1 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: A1 OK Done
        C: A2 ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: A2 OK Done
        {_CREATE_UTF8}
    """
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        client.enable("UTF8=ACCEPT")
        client.enable("CONDSTORE")
        client.create_folder("é")


def test_enable_before_login_sends_nothing() -> None:
    with dialogue(capabilities=_CAN_ENABLE, login=False) as client, pytest.raises(IllegalStateError, match="login"):
        client.enable("CONDSTORE")


def test_enable_with_a_folder_selected_sends_nothing() -> None:
    script = """
        C: A1 SELECT "x"
        S: A1 OK Done
        C: A2 UNSELECT
        S: A2 OK Done
        C: A3 ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: A3 OK Done
    """
    with dialogue(script, capabilities=_CAN_ENABLE) as client:
        client.select_folder("x")
        with pytest.raises(IllegalStateError, match="folder"):
            client.enable("CONDSTORE")
        client.unselect_folder()
        assert client.enable("CONDSTORE") == [b"CONDSTORE"]


_NO_CAPABILITIES: list[tuple[Any, ...]] = [
    (), ("",), (b"",), ("A B",), ("A", ""), ("A\r\nB",), ("A)",), ("é",), ('"A"',), ("A\0",), (None,), (5,), (["A"],),
]  # fmt: skip


@pytest.mark.parametrize("names", _NO_CAPABILITIES)
def test_what_is_no_capability_is_refused_before_anything_is_sent(names: tuple[Any, ...]) -> None:
    with dialogue(capabilities=_CAN_ENABLE) as client, pytest.raises((ValueError, TypeError)):
        client.enable(*names)


# -- ID

_CAN_ID = f"{CAPABILITIES} ID"
_LONG = "ü" * 512


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        (None, "NIL"),
        ({}, "()"),
        ({"name": "me"}, '("name" "me")'),
        ({b"name": b"me"}, '("name" "me")'),
        ({"name": 'a "b" \\'}, '("name" "a \\"b\\" \\\\")'),
        ({"name": None, "version": ""}, '("name" NIL "version" "")'),
        ({"name": "NIL"}, '("name" "NIL")'),
        ({"name": "é", "os": "x"}, '("name" {2}\nS: + go\nC: é "os" "x")'),
        ({"é": "x"}, '({2}\nS: + go\nC: é "x")'),
        ({"a": "x\r\nA999 NOOP"}, '("a" {12}\nS: + go\nCx: x\\r\\nA999 NOOP)'),
        ({"k" * 30: _LONG}, f'("{"k" * 30}" {{1024}}\nS: + go\nC: {_LONG})'),
        ({str(n): "v" for n in range(10, 40)}, "({})".format(" ".join(f'"{n}" "v"' for n in range(10, 40)))),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_the_id_that_is_sent(parameters: Any, sent: str) -> None:
    with dialogue(f"C: A1 ID {sent}\nS: * ID NIL\nS: A1 OK Done", capabilities=_CAN_ID) as client:
        assert client.id_(parameters) == (None,)


_NO_IDS: list[Any] = [
    "text", b"text", 5, ["name"], [("name", "me")], {"name": 5}, {5: "x"}, {None: "x"}, {"name": ["x"]},
    {"a\0": "x"}, {"a": "x\0"}, {"a": "\ud800"}, {"k" * 31: "x"}, {"ü" * 16: "x"}, {"a": "x" * 1025},
    {"a": _LONG + "x"}, {str(number): "v" for number in range(31)},
]  # fmt: skip


@pytest.mark.parametrize("parameters", _NO_IDS, ids=lambda value: repr(value)[:24])
def test_what_is_no_id_is_refused_before_anything_is_sent(parameters: Any) -> None:
    with dialogue(capabilities=_CAN_ID) as client, pytest.raises((ValueError, TypeError)):
        client.id_(parameters)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("S: * ID nil", (None,)),
        ("S: * ID", ()),
        ("S: * ID ()", ((),)),
        ('S: * ID ("name" {3}\nS: a"b)', ((b"name", b'a"b'),)),
        ('S: * ID ("name" "say \\"hi\\"" "os" nil)', ((b"name", b'say "hi"', b"os", None),)),
        ('Sx: * ID ("name" "J\\xf6rg" "a" "é")', ((b"name", b"J\xf6rg", b"a", "é".encode()),)),
        ('S: * ID ("version" 2)', ((b"version", 2),)),
        ('S: * ID ("a" "1")\nS: * ID ("b" "2")', ((b"a", b"1"), (b"b", b"2"))),
    ],
)
def test_forms_of_id_responses(lines: str, expected: tuple[Any, ...]) -> None:
    with dialogue(f"C: A1 ID NIL\n{lines}\nS: A1 OK Done", capabilities=_CAN_ID) as client:
        result = client.id_()
        assert result == expected
        assert types(result) == types(expected)


@pytest.mark.parametrize("line", ['S: * ID ("name" "x"', 'S: * ID ("name" "x', "S: * ID )"])
def test_an_id_that_can_not_be_read_leaves_the_connection_usable(line: str) -> None:
    script = f"C: A1 ID NIL\n{line}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_CAN_ID) as client:
        with pytest.raises(ProtocolError):
            client.id_()
        assert client.noop() == (b"Done", [])


def test_arguments_of_id_by_name() -> None:
    with dialogue('C: A1 ID ("name" "me")\nS: A1 OK Done', capabilities=_CAN_ID) as client:
        assert client.id_(parameters={"name": "me"}) == ()
