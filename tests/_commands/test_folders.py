"""LIST, LSUB, XLIST, STATUS, CREATE, RENAME, DELETE, SUBSCRIBE, NAMESPACE and finding special folders."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import ProtocolAbortError, ProtocolError
from imapclient.imapclient import ARCHIVE, DRAFTS, JUNK, SENT, TRASH, Namespace
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited

_LISTED = """
    S: * LIST (\\HasNoChildren) "/" "Inbox"
    S: * LIST (\\HasNoChildren \\Sent) "/" "Entw&APw-rfe"
    S: * LIST () NIL "flat"
"""
_FOLDERS = [
    ((b"\\HasNoChildren",), b"/", "Inbox"),
    ((b"\\HasNoChildren", b"\\Sent"), b"/", "Entwürfe"),
    ((), None, "flat"),
]

CASES = [
    Case("list", lambda client: client.list_folders(), 'C: A1 LIST "" "*"', _LISTED, _FOLDERS),
    Case("list-none", lambda client: client.list_folders("x", "y%"), 'C: A1 LIST "x" "y%"', "", []),
    Case(
        "lsub",
        lambda client: client.list_sub_folders(),
        'C: A1 LSUB "" "*"',
        _LISTED.replace("* LIST", "* LSUB"),
        _FOLDERS,
    ),
    Case(
        "xlist",
        lambda client: client.xlist_folders(),
        'C: A1 XLIST "" "*"',
        _LISTED.replace("* LIST", "* XLIST"),
        _FOLDERS,
        needs="XLIST",
    ),
    Case(
        "xlist-below",
        lambda client: client.xlist_folders("é", b"%"),
        'C: A1 XLIST "&AOk-" "%"',
        'S: * XLIST (\\HasNoChildren \\Inbox) "/" "&AOk-/Inbox"',
        [((b"\\HasNoChildren", b"\\Inbox"), b"/", "é/Inbox")],
        needs="XLIST",
    ),
    Case(
        "exists",
        lambda client: client.folder_exists("été"),
        'C: A1 LIST "" "&AOk-t&AOk-"',
        'S: * LIST () "/" "&AOk-t&AOk-"',
        True,
    ),
    Case("exists-not", lambda client: client.folder_exists("x"), 'C: A1 LIST "" "x"', "", False),
    Case(
        "status",
        lambda client: client.folder_status("Inbox"),
        'C: A1 STATUS "Inbox" (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)',
        'S: * STATUS "Inbox" (MESSAGES 3 RECENT 0 UIDNEXT 7 UIDVALIDITY 1239278212 UNSEEN 1)',
        {b"MESSAGES": 3, b"RECENT": 0, b"UIDNEXT": 7, b"UIDVALIDITY": 1239278212, b"UNSEEN": 1},
    ),
    Case("create", lambda client: client.create_folder("a/b"), 'C: A1 CREATE "a/b"', "", b"Done"),
    Case("rename", lambda client: client.rename_folder("a", "ü"), 'C: A1 RENAME "a" "&APw-"', "", b"Done"),
    Case("delete", lambda client: client.delete_folder("a"), 'C: A1 DELETE "a"', "", b"Done"),
    Case("subscribe", lambda client: client.subscribe_folder("a"), 'C: A1 SUBSCRIBE "a"', "", [b"Done"]),
    Case("unsubscribe", lambda client: client.unsubscribe_folder("a"), 'C: A1 UNSUBSCRIBE "a"', "", [b"Done"]),
    Case(
        "namespace",
        lambda client: client.namespace(),
        "C: A1 NAMESPACE",
        'S: * NAMESPACE (("" "/")("Gem&AOQ-/" NIL)) NIL (("Public/" "/"))',
        Namespace((("", "/"), ("Gemä/", None)), None, (("Public/", "/"),)),
        needs="NAMESPACE",
    ),
    Case(
        "special",
        lambda client: client.find_special_folder(SENT),
        'C: A1 LIST "" "*"',
        _LISTED,
        "Entwürfe",
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- names that are sent

_NAMES: list[tuple[Any, str]] = [
    ("INBOX", 'C: A1 {} "INBOX"'),
    ("", 'C: A1 {} ""'),
    ("a b", 'C: A1 {} "a b"'),
    ('say "hi"', 'C: A1 {} "say \\"hi\\""'),
    ("back\\slash", 'C: A1 {} "back\\\\slash"'),
    ("{5}", 'C: A1 {} "{{5}}"'),
    ("(a)%*]", 'C: A1 {} "(a)%*]"'),
    ("NIL", 'C: A1 {} "NIL"'),
    ("AT&T", 'C: A1 {} "AT&-T"'),
    ("Entwürfe", 'C: A1 {} "Entw&APw-rfe"'),
    ("台北", 'C: A1 {} "&U,BTFw-"'),
    ("😀", 'C: A1 {} "&2D3eAA-"'),
    ("x\r\nA999 NOOP", 'C: A1 {} "x&AA0ACg-A999 NOOP"'),
    ("nul\0", 'C: A1 {} "nul&AAA-"'),
    (b"Entw&APw-rfe", 'C: A1 {} "Entw&APw-rfe"'),
    (b"x\r\nA999 NOOP", "C: A1 {} {{12}}\nS: + go\nCx: x\\r\\nA999 NOOP"),
    (b"caf\xe9", "C: A1 {} {{4}}\nS: + go\nCx: caf\\xe9"),
    ("n" * 1001, "C: A1 {} {{1001}}\nS: + go\nC: " + "n" * 1001),
]
_ON_A_NAME: list[tuple[str, Callable[[IMAPClient, Any], Any]]] = [
    ("CREATE", lambda client, name: client.create_folder(name)),
    ("DELETE", lambda client, name: client.delete_folder(name)),
    ("SUBSCRIBE", lambda client, name: client.subscribe_folder(name)),
    ("UNSUBSCRIBE", lambda client, name: client.unsubscribe_folder(name)),
    ("SELECT", lambda client, name: client.select_folder(name)),
    ("EXAMINE", lambda client, name: client.select_folder(name, readonly=True)),
    ("RENAME", lambda client, name: client.rename_folder(name, "z")),
    ("RENAME", lambda client, name: client.rename_folder("z", name)),
    ('LIST ""', lambda client, name: client.list_folders("", name)),
    ('LSUB ""', lambda client, name: client.list_sub_folders("", name)),
    ('LIST ""', lambda client, name: client.folder_exists(name)),
]


@pytest.mark.parametrize(("name", "sent"), _NAMES, ids=lambda value: repr(value)[:24])
def test_what_is_sent_for_a_name(name: Any, sent: str) -> None:
    with dialogue(sent.format("CREATE") + "\nS: A1 OK Done") as client:
        assert client.create_folder(name) == b"Done"


@pytest.mark.parametrize("index", range(len(_ON_A_NAME)), ids=lambda index: f"{_ON_A_NAME[index][0]}-{index}")
def test_each_command_encodes_names(index: int) -> None:
    command, call = _ON_A_NAME[index]
    after = ' "z"' if index == 6 else ""
    if index == 7:
        command += ' "z"'
    script = []
    for name in ('"Entw&APw-rfe \\"x\\""', "{4}\nS: + go\nCx: caf\\xe9"):
        script.append(f"C: A1 {command} {name}{after}\nS: A1 OK Done")
    with dialogue("\n".join(script)) as client:
        call(client, 'Entwürfe "x"')
        call(client, b"caf\xe9")


def test_names_of_status() -> None:
    script = """
        C: A1 STATUS "Entw&APw-rfe \\"x\\"" (MESSAGES)
        S: * STATUS "entw&APw-rfe \\"x\\"" (MESSAGES 1)
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.folder_status('Entwürfe "x"', "MESSAGES") == {b"MESSAGES": 1}


@pytest.mark.parametrize("index", range(len(_ON_A_NAME)), ids=lambda index: f"{_ON_A_NAME[index][0]}-{index}")
@pytest.mark.parametrize(("name", "error"), [(b"a\0", ValueError), ("\ud800", ValueError), (None, TypeError)])
def test_what_is_no_name_is_refused_before_anything_is_sent(index: int, name: Any, error: type[Exception]) -> None:
    with dialogue() as client, pytest.raises(error):
        _ON_A_NAME[index][1](client, name)


# -- names and lists that come back

_LIST_LINES: list[tuple[str, str, Any]] = [
    ("quoted", 'S: * LIST (\\Marked) "/" "a b"', ((b"\\Marked",), b"/", "a b")),
    ("atom", "S: * LIST () / INBOX", ((), b"/", "INBOX")),
    ("literal", 'S: * LIST () "/" {5}\nS: a"b\\c', ((), b"/", 'a"b\\c')),
    ("literal-with-crlf", 'S: * LIST () "/" {4}\nS: a\nS: b', ((), b"/", "a\\x0d\\x0ab")),
    ("literal-encoded", 'S: * LIST () "/" {12}\nS: Entw&APw-rfe', ((), b"/", "Entwürfe")),
    ("escaped-name", 'S: * LIST () "/" "say \\"hi\\" \\\\o/"', ((), b"/", 'say "hi" \\o/')),
    ("delimiter-nil", "S: * LIST () NIL x", ((), None, "x")),
    ("delimiter-escaped", 'S: * LIST () "\\\\" "a\\\\b"', ((), b"\\", "a\\b")),
    ("delimiter-quote", 'S: * LIST () "\\"" x', ((), b'"', "x")),
    ("delimiter-dot", 'S: * LIST () "." INBOX.x', ((), b".", "INBOX.x")),
    ("numeric", 'S: * LIST () "/" 2024', ((), b"/", "2024")),
    ("leading-zero", 'S: * LIST () "/" 007', ((), b"/", "007")),
    ("nil-as-name", 'S: * LIST () "/" "NIL"', ((), b"/", "NIL")),
    ("nil-as-atom", 'S: * LIST () "/" NIL', ((), b"/", "NIL")),
    ("empty", 'S: * LIST (\\Noselect) "/" ""', ((b"\\Noselect",), b"/", "")),
    ("ampersand", 'S: * LIST () "/" "AT&-T"', ((), b"/", "AT&T")),
    ("extended", 'S: * LIST (\\Subscribed) "/" "x" ("CHILDINFO" ("SUBSCRIBED"))', ((b"\\Subscribed",), b"/", "x")),
    ("extended-atom", "S: * LIST () / x (OLDNAME (y))", ((), b"/", "x")),
    ("spaces-in-atom", 'S: * LIST () "/" Sent Items', ((), b"/", "Sent Items")),
    ("flag-that-is-a-number", 'S: * LIST (\\Marked 2024 NIL) "/" x', ((b"\\Marked", b"2024", b"NIL"), b"/", "x")),
    ("brackets", 'S: * LIST () "/" "[Gmail]/{5}"', ((), b"/", "[Gmail]/{5}")),
]


@pytest.mark.parametrize(("line", "item"), [line[1:] for line in _LIST_LINES], ids=[line[0] for line in _LIST_LINES])
def test_forms_of_list_responses(line: str, item: Any) -> None:
    script = f'C: A1 LIST "" "*"\n{line}\nS: A1 OK Done\n'
    lsub = script.replace(" LIST ", " LSUB ")
    xlist = script.replace(" LIST ", " XLIST ")
    with dialogue(script + lsub + xlist, capabilities=f"{CAPABILITIES} XLIST") as client:
        for result in (client.list_folders(), client.list_sub_folders(), client.xlist_folders()):
            assert result == [item]
            flags, delimiter, name = result[0]
            assert types(flags) == types(item[0])
            assert type(delimiter) is type(item[1])
            assert isinstance(name, str)


@pytest.mark.parametrize(
    ("wire", "sent"),
    [
        ("&JgM-&JgM-", 'C: A2 SELECT "&JgM-&JgM-"'),
        ("AT&T", 'C: A2 SELECT "AT&T"'),
        ("a&AAo-b", 'C: A2 SELECT "a&AAo-b"'),
        ("☃", "C: A2 SELECT {3}\nS: + go\nC: ☃"),
        ("caf\\xe9", "C: A2 SELECT {4}\nS: + go\nCx: caf\\xe9"),
        ("x&", 'C: A2 SELECT "x&"'),
        ("&2D0-", 'C: A2 SELECT "&2D0-"'),
    ],
)
def test_a_name_that_is_not_modified_utf7_selects_the_same_folder(wire: str, sent: str) -> None:
    script = f"""
        C: A1 LIST "" "*"
        Sx: * LIST () "/" "{wire}"
        S: A1 OK Done
        {sent}
        S: * 1 EXISTS
        S: A2 OK Done
    """
    with dialogue(script) as client:
        ((_, _, name),) = client.list_folders()
        assert isinstance(name, str)
        assert name.isprintable()
        assert client.select_folder(name) == {b"EXISTS": 1}


def test_such_a_name_in_a_literal_selects_the_same_folder() -> None:
    script = """
        C: A1 LIST "" "*"
        Sx: * LIST () "/" {4}\\r\\na\\r\\nb
        S: A1 OK Done
        Cx: A2 SELECT {4}
        S: + go
        Cx: a\\r\\nb
        S: * 1 EXISTS
        S: A2 OK Done
    """
    with dialogue(script) as client:
        ((_, _, name),) = client.list_folders()
        assert name.isprintable()
        assert client.select_folder(name) == {b"EXISTS": 1}


@pytest.mark.parametrize(
    "garbage",
    [
        "S: * LIST",
        "S: * LIST what is this",
        'S: * LIST (\\Marked "/" "x"',
        'S: * LIST () "/" "x',
        'S: * LIST \\Marked) "/" x',
        'S: * LIST () "/"',
        'S: * LIST () "/" ("x")',
        "S: * LIST () {3}\nS: (/) x",
    ],
)
def test_one_garbage_line_loses_no_other_folder(garbage: str) -> None:
    script = f"""
        C: A1 LIST "" "*"
        S: * LIST () "/" "a"
        {garbage}
        S: * LIST () "/" "b"
        S: A1 OK Done
    """
    with dialogue(script) as client:
        names = [name for _, _, name in client.list_folders()]
        assert names[0] == "a"
        assert names[-1] == "b"
        heard = unsolicited(client)
        assert len(names) + len(heard) == 3
        assert all(name == b"LIST" for _, name, _ in heard)


def test_nothing_but_garbage_raises_and_leaves_the_connection_usable() -> None:
    script = """
        C: A1 LIST "" "*"
        S: * LIST (\\Marked
        S: A1 OK Done
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.list_folders()
        assert client.noop() == (b"Done", [])


def test_xlist_names_without_folder_encode() -> None:
    script = 'C: A1 XLIST "" "*"\nS: * XLIST (\\Sent) "/" "Entw&APw-rfe"\nS: A1 OK Done'
    with dialogue(script, capabilities=f"{CAPABILITIES} XLIST") as client:
        client.folder_encode = False
        assert client.xlist_folders() == [((b"\\Sent",), b"/", b"Entw&APw-rfe")]


def test_lsub_answered_by_list_responses() -> None:
    script = 'C: A1 LSUB "" "*"\nS: * LIST (\\Subscribed) "/" x\nS: A1 OK Done'
    with dialogue(script) as client:
        assert client.list_sub_folders() == [((b"\\Subscribed",), b"/", "x")]


def test_a_list_response_that_nobody_asked_for_is_kept_apart() -> None:
    script = """
        C: A1 CREATE "x"
        S: * LIST () "/" "x"
        S: A1 OK Done
        C: A2 LIST "" "*"
        S: * LIST () "/" "y"
        S: A2 OK Done
    """
    with dialogue(script) as client:
        client.create_folder("x")
        assert client.list_folders() == [((), b"/", "y")]
        assert unsolicited(client) == [(None, b"LIST", b'() "/" "x"')]


def test_without_folder_encode_names_are_bytes_as_on_the_wire() -> None:
    script = """
        C: A1 LIST "" "*"
        S: * LIST () "/" "Entw&APw-rfe"
        Sx: * LIST () "/" "caf\\xe9"
        S: * LIST () "/" 2024
        S: * LIST () "/" {3}
        S: a"b
        S: A1 OK Done
        C: A2 LSUB "" "*"
        S: * LSUB () "/" "Entw&APw-rfe"
        S: A2 OK Done
        C: A3 SELECT "Entw&APw-rfe"
        S: A3 OK Done
        C: A4 CREATE {4}
        S: + go
        Cx: caf\\xe9
        S: A4 OK Done
        C: A5 CREATE "AT&T"
        S: A5 OK Done
        C: A6 CREATE {2}
        S: + go
        C: é
        S: A6 OK Done
    """
    with dialogue(script) as client:
        client.folder_encode = False
        listed = client.list_folders()
        assert [name for _, _, name in listed] == [b"Entw&APw-rfe", b"caf\xe9", b"2024", b'a"b']
        assert client.list_sub_folders() == [((), b"/", b"Entw&APw-rfe")]
        client.select_folder(listed[0][2])
        client.create_folder(listed[1][2])
        client.create_folder("AT&T")
        client.create_folder("é")


# -- STATUS


@pytest.mark.parametrize(
    ("what", "sent"),
    [
        ("MESSAGES", "MESSAGES"),
        (b"MESSAGES", "MESSAGES"),
        (["MESSAGES"], "MESSAGES"),
        (("MESSAGES", b"UIDNEXT"), "MESSAGES UIDNEXT"),
        (iter(["UIDNEXT", "MESSAGES"]), "UIDNEXT MESSAGES"),
        ("messages", "messages"),
        ("MESSAGES  UIDNEXT", "MESSAGES UIDNEXT"),
        ([b"MESSAGES UIDNEXT", "UNSEEN"], "MESSAGES UIDNEXT UNSEEN"),
    ],
)
def test_status_items(what: Any, sent: str) -> None:
    script = f"""
        C: A1 STATUS "x" ({sent})
        S: * STATUS "x" (MESSAGES 3 UIDNEXT 7)
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.folder_status("x", what) == {b"MESSAGES": 3, b"UIDNEXT": 7}


@pytest.mark.parametrize("what", [[], "", [""], " ", "MESSAGES)", ["a\r\nb"], "x\0", "é", [None], 5, "{5}", '"x"'])
def test_what_is_no_status_item_is_refused_before_anything_is_sent(what: Any) -> None:
    with dialogue() as client, pytest.raises((ValueError, TypeError)):
        client.folder_status("x", what)


@pytest.mark.parametrize(
    "name",
    ['"caf&AOk-"', "caf&AOk-", "CAF&AOk-", "{8}\nS: caf&AOk-", "café", '"INBOX/café"', "INBOX.caf&AOk-", '"caf&AOk-/"'],
)
def test_a_status_response_in_another_form_of_the_name(name: str) -> None:
    script = f'C: A1 STATUS "caf&AOk-" (MESSAGES)\nS: * STATUS {name} (MESSAGES 3)\nS: A1 OK Done'
    with dialogue(script) as client:
        assert client.folder_status("café", "MESSAGES") == {b"MESSAGES": 3}
        assert unsolicited(client) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("2024", "2024"),
        ("NIL", "NIL"),
        ("a b", "a b"),
        ("a  b", "a  b"),
        ("a.b", "a/b"),
        ("INBOX.a", "a"),
        ("a\\b", '"a\\b"'),
    ],
)
def test_a_status_response_whose_name_is_not_written_as_it_should_be(asked: str, told: str) -> None:
    script = f"C: A1 STATUS {{0}} (MESSAGES)\nS: * STATUS {told} (MESSAGES 3)\nS: A1 OK Done"
    quoted = asked.replace("\\", "\\\\")
    with dialogue(script.format(f'"{quoted}"')) as client:
        assert client.folder_status(asked, "MESSAGES") == {b"MESSAGES": 3}


@pytest.mark.parametrize("name", ["caf&AOk-", "café"], ids=["as asked", "raw UTF-8"])
@pytest.mark.parametrize("other_first", [True, False])
def test_the_status_of_another_folder_is_not_taken_for_the_answer(other_first: bool, name: str) -> None:
    """A server that was told to notify sends STATUS of other folders at any time (RFC 5465)."""
    lines = ['S: * STATUS "other" (MESSAGES 99)', f'S: * STATUS "{name}" (MESSAGES 3)']
    script = ['C: A1 STATUS "caf&AOk-" (MESSAGES)', *(lines if other_first else lines[::-1]), "S: A1 OK Done"]
    with dialogue("\n".join(script)) as client:
        assert client.folder_status("café", "MESSAGES") == {b"MESSAGES": 3}
        assert unsolicited(client) == [(None, b"STATUS", b'"other" (MESSAGES 99)')]


@pytest.mark.parametrize("line", ["S: * STATUS other (MESSAGES", "S: * STATUS other"])
def test_a_status_of_another_folder_that_can_not_be_read_does_no_harm(line: str) -> None:
    script = f'C: A1 STATUS "x" (MESSAGES)\n{line}\nS: * STATUS x (MESSAGES 3)\n{line}\nS: A1 OK Done'
    with dialogue(script) as client:
        assert client.folder_status("x", "MESSAGES") == {b"MESSAGES": 3}


@pytest.mark.parametrize(
    "line", ["", "S: * STATUS", "S: * STATUS x", "S: * STATUS x (MESSAGES)", "S: * STATUS x (1 2)"]
)
def test_status_without_an_answer_raises_and_leaves_the_connection_usable(line: str) -> None:
    script = f"""
        C: A1 STATUS "x" (MESSAGES)
        {line}
        S: A1 OK Done
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.folder_status("x", "MESSAGES")
        assert client.noop() == (b"Done", [])


def test_status_values_that_are_no_numbers() -> None:
    script = """
        C: A1 STATUS "x" (MESSAGES MAILBOXID DELETED)
        S: * STATUS "x" (MAILBOXID (F2212) MESSAGES 18446744073709551615 DELETED NIL)
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.folder_status("x", ["MESSAGES", "MAILBOXID", "DELETED"]) == {
            b"MAILBOXID": (b"F2212",),
            b"MESSAGES": 18446744073709551615,
            b"DELETED": None,
        }


# -- NAMESPACE


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("S: * NAMESPACE NIL NIL NIL", Namespace(None, None, None)),
        ('S: * NAMESPACE (("" "/")) nil NIL', Namespace((("", "/"),), None, None)),
        (
            'S: * NAMESPACE (("INBOX." ".")("#mh/" NIL "X-PARAM" ("FLAG1" "FLAG2"))) NIL (("\\"x\\"" "\\\\"))',
            Namespace((("INBOX.", "."), ("#mh/", None)), None, (('"x"', "\\"),)),
        ),
        ('S: * NAMESPACE (({2}\nS: a/ "/")) NIL NIL', Namespace((("a/", "/"),), None, None)),
    ],
)
def test_forms_of_namespaces(line: str, expected: Namespace) -> None:
    with dialogue(f"C: A1 NAMESPACE\n{line}\nS: A1 OK Done") as client:
        result = client.namespace()
        assert result == expected
        assert types(result) == types(expected)
        # As a tuple of three, too.
        personal, other, shared = result
        assert (personal, other, shared) == (result.personal, result.other, result.shared)


def test_namespaces_without_folder_encode_are_bytes() -> None:
    script = 'C: A1 NAMESPACE\nS: * NAMESPACE (("Gem&AOQ-/" "/")) NIL NIL\nS: A1 OK Done'
    with dialogue(script) as client:
        client.folder_encode = False
        personal: Any = client.namespace().personal
        assert personal == ((b"Gem&AOQ-/", "/"),)


@pytest.mark.parametrize("line", ["", "S: * NAMESPACE", "S: * NAMESPACE NIL NIL", "S: * NAMESPACE 1 2 3"])
def test_a_namespace_that_can_not_be_read_leaves_the_connection_usable(line: str) -> None:
    script = f"C: A1 NAMESPACE\n{line}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.namespace()
        assert client.noop() == (b"Done", [])


# -- special folders


def _listing(*names: str) -> str:
    return "\n".join(['C: A1 LIST "" "*"', *(f"S: * LIST {name}" for name in names), "S: A1 OK Done"])


@pytest.mark.parametrize(
    ("capabilities", "sent"),
    [
        ("SPECIAL-USE LIST-EXTENDED", 'C: A1 LIST "" "*" RETURN (SPECIAL-USE)'),
        ("SPECIAL-USE", 'C: A1 LIST "" "*"'),
        ("LIST-EXTENDED", 'C: A1 LIST "" "*"'),
        ("XLIST", 'C: A1 LIST "" "*"'),
    ],
)
def test_special_folder_by_flag(capabilities: str, sent: str) -> None:
    script = f"""
        {sent}
        S: * LIST (\\HasNoChildren) "/" "Sent"
        S: * LIST (\\HasNoChildren \\Sent) "/" "&APw-ber"
        S: A1 OK Done
    """
    with dialogue(script, capabilities=f"IMAP4rev1 {capabilities}") as client:
        assert client.find_special_folder(SENT) == "über"


@pytest.mark.parametrize("flag", [b"\\Trash", b"\\trash", b"\\TRASH"])
def test_special_folder_by_flag_in_any_case(flag: bytes) -> None:
    with dialogue(_listing('(\\tRash) "/" "x"')) as client:
        assert client.find_special_folder(flag) == "x"


def test_special_folder_by_a_flag_of_ones_own() -> None:
    with dialogue(_listing('(\\Important) "/" "x"')) as client:
        assert client.find_special_folder(b"\\Important") == "x"


@pytest.mark.parametrize(
    ("flag", "name", "expected"),
    [
        (SENT, '() "/" "Sent Items"', "Sent Items"),
        (SENT, '() "/" "SENT"', "SENT"),
        (SENT, '() "." "INBOX.Sent"', "INBOX.Sent"),
        (SENT, '() "/" "Inbox/Sent"', "Inbox/Sent"),
        (SENT, '() "/" "Gesendet"', "Gesendet"),
        (SENT, '() "/" "[Gmail]/Sent Mail"', "[Gmail]/Sent Mail"),
        (DRAFTS, '() "/" "Entw&APw-rfe"', "Entwürfe"),
        (DRAFTS, '() "." "INBOX.Entw&APw-rfe"', "INBOX.Entwürfe"),
        (DRAFTS, "() NIL Drafts", "Drafts"),
        (TRASH, '() "/" "Deleted Messages"', "Deleted Messages"),
        (JUNK, '() "/" "Spam"', "Spam"),
        (TRASH, '() "|" "&BCMENAQwBDsENQQ9BD0ESwQ1-"', "Удаленные"),
        (DRAFTS, '() "/" "&g0l6P3ux-"', "草稿箱"),
        (ARCHIVE, '() "/" "Archives"', "Archives"),
    ],
)
def test_special_folder_by_name(flag: bytes, name: str, expected: str) -> None:
    with dialogue(_listing('() "/" "INBOX"', name, '() "/" "Sentinel"')) as client:
        assert client.find_special_folder(flag) == expected


@pytest.mark.parametrize("flag", ["\\Sent", "\\sent", b"\\sent"])
def test_special_folder_by_name_with_the_flag_in_any_form(flag: Any) -> None:
    with dialogue(_listing('() "/" "Sent"')) as client:
        assert client.find_special_folder(flag) == "Sent"


def test_special_folder_prefers_the_flag_then_the_more_usual_name() -> None:
    names = ('() "/" "Sent Items"', '() "/" "Sent"')
    with dialogue(_listing(*names) + "\n" + _listing(*names, '(\\Sent) "/" "x"')) as client:
        assert client.find_special_folder(SENT) == "Sent"
        assert client.find_special_folder(SENT) == "x"


_NOWHERE = ('() "/" "INBOX"', '() "/" "INBOXSent"', '() "/" "x/Sent"')


@pytest.mark.parametrize(
    "answer",
    [
        'S: * NAMESPACE (("" "/")) NIL NIL\nS: {tag} OK',
        "S: {tag} NO Not today",
        "S: {tag} OK",
        'S: * NAMESPACE ((NIL "/")) NIL NIL\nS: {tag} OK',
    ],
)
def test_no_special_folder(answer: str) -> None:
    script = _listing(*_NOWHERE)
    tag = f"A{script.count(' OK ') + 1}"
    with dialogue(f"{script}\nC: {tag} NAMESPACE\n{answer.format(tag=tag)}") as client:
        assert client.find_special_folder(SENT) is None


def test_a_special_folder_is_not_looked_for_on_a_connection_that_ends() -> None:
    script = _listing(*_NOWHERE)
    tag = f"A{script.count(' OK ') + 1}"
    with dialogue(f"{script}\nC: {tag} NAMESPACE\nS: what is this") as client, pytest.raises(ProtocolAbortError):
        client.find_special_folder(SENT)


def test_no_special_folder_of_an_unusual_kind() -> None:
    with dialogue(_listing(*_NOWHERE)) as client:
        assert client.find_special_folder(b"\\Nope") is None


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ('(("mail/" "/")) NIL NIL', "mail/Sent"),
        ('(("" "/")("#mh/" "/")) NIL NIL', "#mh/Gesendet"),
        ('(("INBOX." ".")) NIL NIL', "INBOX.Sent"),
    ],
)
def test_special_folder_below_the_prefix_of_a_namespace(namespace: str, name: str) -> None:
    delimiter = "." if "." in name else "/"
    script = (
        f'''C: A1 LIST "" "*"\nS: * LIST () "{delimiter}" "x"\nS: * LIST () "{delimiter}" "{name}"\nS: A1 OK Done'''
    )
    if not name.startswith("INBOX"):
        script += f"\nC: A2 NAMESPACE\nS: * NAMESPACE {namespace}\nS: A2 OK Done"
    with dialogue(script) as client:
        assert client.find_special_folder(SENT) == name


def test_no_special_folder_that_does_not_exist() -> None:
    script = """
        C: A1 LIST "" "*" RETURN (SPECIAL-USE)
        S: * LIST (\\Sent \\NonExistent) "/" "Old"
        S: * LIST () "/" "Sent"
        S: A1 OK Done
    """
    with dialogue(script, capabilities="IMAP4rev1 SPECIAL-USE LIST-EXTENDED") as client:
        assert client.find_special_folder(SENT) == "Sent"


def test_special_folder_without_folder_encode_is_found_by_its_localised_name() -> None:
    with dialogue(_listing('() "." "INBOX.Entw&APw-rfe"')) as client:
        client.folder_encode = False
        found: Any = client.find_special_folder(DRAFTS)
        assert found == b"INBOX.Entw&APw-rfe"


def test_texts_come_back_with_their_codes() -> None:
    script = """
        C: A1 CREATE "x"
        S: A1 OK [MAILBOXID (F1)] Created
        C: A2 SUBSCRIBE "x"
        S: A2 OK
    """
    with dialogue(script, capabilities=CAPABILITIES) as client:
        assert client.create_folder("x") == b"[MAILBOXID (F1)] Created"
        assert client.subscribe_folder("x") == [b""]


@pytest.mark.parametrize("asked", ["inbox", "INBOX", "InBox"])
@pytest.mark.parametrize("told", ["INBOX", "inbox", '"Inbox"'])
def test_the_status_of_the_inbox_in_any_letter_case(asked: str, told: str) -> None:
    script = f"""
        C: A1 STATUS "{asked}" (MESSAGES)
        S: * STATUS {told} (MESSAGES 3)
        S: * STATUS "other" (MESSAGES 9)
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.folder_status(asked, "MESSAGES") == {b"MESSAGES": 3}


def test_the_letter_case_of_another_folder_counts() -> None:
    script = """
        C: A1 STATUS "work" (MESSAGES)
        S: * STATUS work (MESSAGES 3)
        S: * STATUS Work (MESSAGES 9)
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.folder_status("work", "MESSAGES") == {b"MESSAGES": 3}
