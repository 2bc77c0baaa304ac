"""GETQUOTAROOT and SETQUOTA."""

from __future__ import annotations

import types as kinds
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, OverQuotaError, ProtocolError
from imapclient.imap_utf7 import WireName
from imapclient.imapclient import MailboxQuotaRoots, Quota
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, unsolicited

_CAN = f"{CAPABILITIES} QUOTA"

_ROOTS = """
    S: * QUOTAROOT "Entw&APw-rfe" "User quota" ""
    S: * QUOTA "User quota" (STORAGE 12 51200 MESSAGE 3 5000)
    S: * QUOTA "" (STORAGE 13 99999999999)
"""
_QUOTAS = [
    Quota("User quota", "STORAGE", 12, 51200),
    Quota("User quota", "MESSAGE", 3, 5000),
    Quota("", "STORAGE", 13, 99999999999),
]

CASES = [
    Case(
        "get-root",
        lambda client: client.get_quota_root("Entwürfe"),
        'C: A1 GETQUOTAROOT "Entw&APw-rfe"',
        _ROOTS,
        (MailboxQuotaRoots("Entwürfe", ["User quota", ""]), _QUOTAS),
        needs="QUOTA",
    ),
    Case(
        "get",
        lambda client: client.get_quota("Entwürfe"),
        'C: A1 GETQUOTAROOT "Entw&APw-rfe"',
        _ROOTS,
        _QUOTAS,
        needs="QUOTA",
    ),
    Case(
        "get-none",
        lambda client: client.get_quota(),
        'C: A1 GETQUOTAROOT "INBOX"',
        "S: * QUOTAROOT INBOX",
        [],
        needs="QUOTA",
    ),
    Case(
        "set",
        lambda client: client.set_quota([Quota("", "STORAGE", 0, 512), Quota("", "MESSAGE", 0, 5)]),
        'C: A1 SETQUOTA "" (STORAGE 512 MESSAGE 5)',
        'S: * QUOTA "" (STORAGE 10 512 MESSAGE 1 5)',
        [Quota("", "STORAGE", 10, 512), Quota("", "MESSAGE", 1, 5)],
        needs="QUOTA",
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- GETQUOTAROOT


@pytest.mark.parametrize(
    ("roots", "quota", "expected"),
    [
        ('""', '"" (STORAGE 10 512)', [Quota("", "STORAGE", 10, 512)]),
        ("root", '"root" (STORAGE 10 512)', [Quota("root", "STORAGE", 10, 512)]),
        ('"root"', "{4}\nS: root (storage 10 512)", [Quota("root", "STORAGE", 10, 512)]),
        ('{3}\nS: a"b', '"a\\"b" (MESSAGE 1 2)', [Quota('a"b', "MESSAGE", 1, 2)]),
        ("12", '"12" (MESSAGE 1 2)', [Quota("12", "MESSAGE", 1, 2)]),
        ("NIL", "NIL (MESSAGE 1 2)", [Quota("NIL", "MESSAGE", 1, 2)]),
        ("Größe", '"Größe" (MESSAGE 1 2)', [Quota("Größe", "MESSAGE", 1, 2)]),
        ("&APw-", "&APw- (MESSAGE 1 2)", [Quota("&APw-", "MESSAGE", 1, 2)]),
        ("x", "x ()", []),
        (
            "x y",
            "y (A 1 2 B 3 4)\nS: * QUOTA x (C 5 6)",
            [Quota("y", "A", 1, 2), Quota("y", "B", 3, 4), Quota("x", "C", 5, 6)],
        ),
        ("x", "x (STORAGE 0 18446744073709551615)", [Quota("x", "STORAGE", 0, 18446744073709551615)]),
    ],
)
def test_forms_of_quotas(roots: str, quota: str, expected: list[Quota]) -> None:
    script = f'C: A1 GETQUOTAROOT "INBOX"\nS: * QUOTAROOT INBOX {roots}\nS: * QUOTA {quota}\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        found, quotas = client.get_quota_root("INBOX")
        assert quotas == expected
        assert found.mailbox == "INBOX"
        assert unsolicited(client) == []
        assert {q.quota_root for q in quotas} <= set(found.quota_roots)
        for q in quotas:
            assert [type(field) for field in vars(q).values()] == [str, str, int, int]


def test_quotas_that_come_before_their_roots() -> None:
    script = 'C: A1 GETQUOTAROOT "INBOX"\nS: * QUOTA x (A 1 2)\nS: * QUOTAROOT INBOX x\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.get_quota() == [Quota("x", "A", 1, 2)]


def test_a_root_that_was_not_asked_for_is_no_part_of_the_answer() -> None:
    script = """
        C: A1 GETQUOTAROOT "INBOX"
        S: * QUOTAROOT other y
        S: * QUOTA y (A 3 4)
        S: * QUOTAROOT INBOX x
        S: * QUOTA x (A 1 2)
        S: A1 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        assert client.get_quota_root("INBOX") == (MailboxQuotaRoots("INBOX", ["x"]), [Quota("x", "A", 1, 2)])
        assert unsolicited(client) == [(None, b"QUOTAROOT", b"other y"), (None, b"QUOTA", b"y (A 3 4)")]


def test_what_is_no_part_of_the_answer_is_handed_on() -> None:
    script = """
        C: A1 GETQUOTAROOT "INBOX"
        S: * QUOTAROOT INBOX x
        S: * QUOTA y (A 3 4)
        S: A1 OK Done
    """
    heard: list[Any] = []
    with dialogue(script, capabilities=_CAN) as client:
        client.on_unsolicited = heard.append
        assert client.get_quota() == []
        assert heard == [(b"QUOTA", b"y", (b"A", 3, 4))]


@pytest.mark.parametrize("name", ['"caf&AOk-"', "{8}\nS: caf&AOk-", "café", '"INBOX/caf&AOk-"'])
def test_a_quotaroot_response_in_another_form_of_the_name(name: str) -> None:
    script = f'C: A1 GETQUOTAROOT "caf&AOk-"\nS: * QUOTAROOT {name} x\nS: * QUOTA x (A 1 2)\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        roots, quotas = client.get_quota_root("café")
        assert roots == MailboxQuotaRoots("INBOX/café" if "INBOX" in name else "café", ["x"])
        assert quotas == [Quota("x", "A", 1, 2)]


def test_without_folder_encode_the_name_is_as_on_the_wire() -> None:
    script = """
        C: A1 GETQUOTAROOT "Entw&APw-rfe"
        S: * QUOTAROOT Entw&APw-rfe x
        S: A1 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        client.folder_encode = False
        roots, _ = client.get_quota_root(b"Entw&APw-rfe")
        assert roots == MailboxQuotaRoots("Entw&APw-rfe", ["x"])
        assert type(roots.mailbox) is str


def test_names_in_utf8_once_that_is_enabled() -> None:
    script = """
        C: A1 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: A1 OK Done
        C: A2 GETQUOTAROOT {7}
        S: + go
        C: Größe
        S: * QUOTAROOT "Größe" "&APw-"
        S: A2 OK Done
    """
    with dialogue(script, capabilities=f"{_CAN} ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        roots, _ = client.get_quota_root("Größe")
        assert roots == MailboxQuotaRoots("Größe", ["&APw-"])
        assert type(roots.mailbox) is str


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "S: * QUOTAROOT",
        "S: * QUOTAROOT (INBOX)",
        "S: * QUOTA x (A 1 2)",
        "S: * QUOTAROOT INBOX x\nS: * QUOTA x (A 1)",
        "S: * QUOTAROOT INBOX x\nS: * QUOTA x (A NIL 2)",
        "S: * QUOTAROOT INBOX x\nS: * QUOTA x",
        "S: * QUOTAROOT INBOX x\nS: * QUOTA x (A 1 2\nS: * QUOTA x (A 1 2)",
    ],
)
def test_a_quota_that_can_not_be_read_leaves_the_connection_usable(lines: str) -> None:
    script = f'C: A1 GETQUOTAROOT "INBOX"\n{lines}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        with pytest.raises(ProtocolError):
            client.get_quota()
        assert client.noop() == (b"Done", [])


# -- SETQUOTA


def test_each_root_takes_a_command_of_its_own() -> None:
    script = """
        C: A1 SETQUOTA "b" (STORAGE 1 MESSAGE 3)
        S: * QUOTA b (STORAGE 0 1 MESSAGE 0 3)
        S: A1 OK Done
        C: A2 SETQUOTA "a" (STORAGE 2)
        S: * QUOTA a (STORAGE 0 2)
        S: A2 OK Done
    """
    quotas = [Quota("b", "STORAGE", 9, 1), Quota("a", "STORAGE", 9, 2), Quota("b", "MESSAGE", 9, 3)]
    with dialogue(script, capabilities=_CAN) as client:
        assert client.set_quota(iter(quotas)) == [
            Quota("b", "STORAGE", 0, 1),
            Quota("b", "MESSAGE", 0, 3),
            Quota("a", "STORAGE", 0, 2),
        ]


@pytest.mark.parametrize("limit", [0, 1, 2**32, 2**63 - 1])
def test_limits_of_any_size(limit: int) -> None:
    script = f'C: A1 SETQUOTA "" (X-{limit} {limit})\nS: * QUOTA "" (X-{limit} 0 {limit})\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        assert client.set_quota([Quota("", f"X-{limit}", 9, limit)]) == [Quota("", f"X-{limit}", 0, limit)]


def test_a_root_that_fails_stops_those_after_it() -> None:
    script = """
        C: A1 SETQUOTA "a" (STORAGE 1)
        S: A1 OK Done
        C: A2 SETQUOTA "b" (STORAGE 1)
        S: A2 NO [OVERQUOTA] More than there is
        C: A3 NOOP
        S: A3 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        with pytest.raises(OverQuotaError, match="More than there is"):
            client.set_quota([Quota(root, "STORAGE", 0, 1) for root in "abc"])
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize(
    ("root", "sent"),
    [
        ("", '""'),
        ("User quota", '"User quota"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("{5}", '"{5}"'),
        ("&APw-", '"&APw-"'),
        (b"bytes", '"bytes"'),
        ("Größe", "{7}\nS: + go\nC: Größe"),
        (WireName("Gr\\xf6", b"Gr\xf6"), "{3}\nS: + go\nCx: Gr\\xf6"),
        ("x\r\nA999 NOOP", "{12}\nS: + go\nCx: x\\r\\nA999 NOOP"),
    ],
)
def test_the_roots_that_are_sent(root: Any, sent: str) -> None:
    script = f"C: A1 SETQUOTA {sent} (STORAGE 512)\nS: A1 OK Done"
    with dialogue(script, capabilities=_CAN) as client:
        assert client.set_quota((Quota(root, "STORAGE", 0, 512),)) == []


def test_a_quota_that_was_read_can_be_set_again() -> None:
    """Also of a root whose name is in no encoding that is known."""
    script = """
        C: A1 GETQUOTAROOT "INBOX"
        Sx: * QUOTAROOT INBOX "Gr\\xf6"
        Sx: * QUOTA "Gr\\xf6" (STORAGE 1 9223372036854775807)
        S: A1 OK Done
        C: A2 SETQUOTA {3}
        S: + go
        Cx: Gr\\xf6 (STORAGE 9223372036854775807)
        Sx: * QUOTA "Gr\\xf6" (STORAGE 1 9223372036854775807)
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        quotas = client.get_quota()
        assert client.set_quota(quotas) == quotas == [Quota("Gr\\xf6", "STORAGE", 1, 2**63 - 1)]


_quota: Any = Quota
_NO_QUOTAS: list[Any] = [
    "text", b"text", ["text"], None, 5, [None], [("", "STORAGE", 0, 1)], Quota("", "STORAGE", 0, 1),
    [kinds.SimpleNamespace(quota_root="", resource="STORAGE", limit=1)],
    *([_quota("", resource, 0, 1)] for resource in ("", "A B", "A)", '"A"', "A\r\nB", "{1}", "é", "A\0", None, 5)),
    *([_quota("", "STORAGE", 0, limit)] for limit in (-1, 2**63, True, None, "5", "5)", 1.5, b"1\r\nA999 NOOP")),
    *([_quota(root, "STORAGE", 0, 1)] for root in ("a\0", b"\0", "\ud800", None, 5, ["x"])),
    [Quota("", "STORAGE", 0, 1), Quota("x", "STORAGE", 0, -1)],
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(_NO_QUOTAS)), ids=lambda index: f"{index}-{_NO_QUOTAS[index]!r}"[:60])
def test_what_is_no_quota_is_refused_before_anything_is_sent(index: int) -> None:
    with dialogue(capabilities=_CAN) as client, pytest.raises((ValueError, TypeError)):
        client.set_quota(_NO_QUOTAS[index])


def test_nothing_to_set_sends_nothing() -> None:
    with dialogue(capabilities=_CAN) as client:
        assert client.set_quota([]) == []


def test_the_quotas_of_other_roots_that_a_change_tells_of() -> None:
    """A change may be told for the roots above it too."""
    script = 'C: A1 SETQUOTA "a" (STORAGE 1)\nS: * QUOTA a (STORAGE 0 1)\nS: * QUOTA b (STORAGE 0 7)\nS: A1 OK Done'
    with dialogue(script, capabilities=_CAN) as client:
        result = client.set_quota([Quota("a", "STORAGE", 0, 1)])
        assert result == [Quota("a", "STORAGE", 0, 1), Quota("b", "STORAGE", 0, 7)]


def test_a_server_that_does_not_let_it() -> None:
    script = """
        C: A1 SETQUOTA "" (STORAGE 1)
        S: A1 NO [NOPERM] Administrators only
        C: A2 GETQUOTAROOT "x"
        S: A2 NO [NONEXISTENT] No such folder
        C: A3 NOOP
        S: A3 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        with pytest.raises(CommandError, match="Administrators only"):
            client.set_quota([Quota("", "STORAGE", 0, 1)])
        with pytest.raises(CommandError, match="No such folder"):
            client.get_quota("x")
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("call", [IMAPClient.get_quota, IMAPClient.get_quota_root])
@pytest.mark.parametrize("mailbox", [b"a\0", "\ud800", None, 5])
def test_what_is_no_folder_is_refused_before_anything_is_sent(call: Callable[..., Any], mailbox: Any) -> None:
    with dialogue(capabilities=_CAN) as client, pytest.raises((ValueError, TypeError)):
        call(client, mailbox)


def test_arguments_by_name() -> None:
    script = """
        C: A1 GETQUOTAROOT "x"
        S: * QUOTAROOT x
        S: A1 OK Done
        C: A2 GETQUOTAROOT "x"
        S: * QUOTAROOT x
        S: A2 OK Done
        C: A3 SETQUOTA "" (STORAGE 5)
        S: A3 OK Done
    """
    with dialogue(script, capabilities=_CAN) as client:
        assert client.get_quota(mailbox="x") == []
        assert client.get_quota_root(mailbox="x") == (MailboxQuotaRoots(mailbox="x", quota_roots=[]), [])
        assert client.set_quota(quotas=[Quota(quota_root="", resource="STORAGE", usage=0, limit=5)]) == []
