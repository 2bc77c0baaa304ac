"""Gmail's labels of messages: FETCH and STORE of X-GM-LABELS."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, ProtocolError
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

_ANSWER = 'S: * 2 FETCH (UID 13 X-GM-LABELS ())\nS: * 1 FETCH (X-GM-LABELS (\\Inbox "Caf&AOk-" Work) UID 12)'
_LABELS = {12: ["\\Inbox", "Café", "Work"], 13: []}
_BY_NUMBER = 'S: * 12 FETCH (X-GM-LABELS ("\\\\Inbox" "Caf&AOk-" "Work"))\nS: * 13 FETCH (X-GM-LABELS ())'

CASES = [
    Case(
        "get",
        lambda client: client.get_gmail_labels([12, 13]),
        "C: A1 UID FETCH 12:13 (X-GM-LABELS)",
        _ANSWER,
        _LABELS,
    ),
    Case(
        "get-by-number",
        lambda client: client.get_gmail_labels([12, 13]),
        "C: A1 FETCH 12:13 (X-GM-LABELS)",
        _BY_NUMBER,
        _LABELS,
        use_uid=False,
    ),
    Case(
        "add",
        lambda client: client.add_gmail_labels([12, 13], ["Café", "\\Inbox", "a b"]),
        'C: A1 UID STORE 12:13 +X-GM-LABELS ("Caf&AOk-" \\Inbox "a b")',
        _ANSWER,
        _LABELS,
    ),
    Case(
        "remove",
        lambda client: client.remove_gmail_labels([12, 13], b"Work"),
        'C: A1 UID STORE 12:13 -X-GM-LABELS ("Work")',
        _ANSWER,
        _LABELS,
    ),
    Case(
        "set",
        lambda client: client.set_gmail_labels([12, 13], []),
        "C: A1 UID STORE 12:13 X-GM-LABELS ()",
        _ANSWER,
        _LABELS,
    ),
    Case(
        "set-by-number",
        lambda client: client.set_gmail_labels([12, 13], "Work"),
        'C: A1 STORE 12:13 X-GM-LABELS ("Work")',
        _BY_NUMBER,
        _LABELS,
        use_uid=False,
    ),
    Case(
        "add-silent",
        lambda client: client.add_gmail_labels(12, "\\Starred", silent=True),
        "C: A1 UID STORE 12 +X-GM-LABELS.SILENT (\\Starred)",
        "",
        None,
    ),
    Case(
        "remove-silent",
        lambda client: client.remove_gmail_labels(12, "\\Starred", True),
        "C: A1 UID STORE 12 -X-GM-LABELS.SILENT (\\Starred)",
        "",
        None,
    ),
    Case(
        "set-silent",
        lambda client: client.set_gmail_labels(12, ["a", "b"], silent=True),
        'C: A1 UID STORE 12 X-GM-LABELS.SILENT ("a" "b")',
        "",
        None,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- labels that are sent

_STORES: list[tuple[str, Callable[..., Any]]] = [
    ("+X-GM-LABELS", IMAPClient.add_gmail_labels),
    ("-X-GM-LABELS", IMAPClient.remove_gmail_labels),
    ("X-GM-LABELS", IMAPClient.set_gmail_labels),
]


@pytest.mark.parametrize(("item", "store"), _STORES, ids=[item for item, _ in _STORES])
@pytest.mark.parametrize(
    ("labels", "sent"),
    [
        ("Work", '("Work")'),
        (b"Work", '("Work")'),
        (["Work", b"a b"], '("Work" "a b")'),
        (("a", "b"), '("a" "b")'),
        ([], "()"),
        ("", '("")'),
        ("\\Sent", "(\\Sent)"),
        (b"\\Sent", "(\\Sent)"),
        (["\\Important", "x"], '(\\Important "x")'),
        ("\\", '("\\\\")'),
        ("\\a b", '("\\\\a b")'),
        ("\\a1", '("\\\\a1")'),
        ("\\\\Sent", '("\\\\\\\\Sent")'),
        ("\\Übersicht", '("\\\\&ANw-bersicht")'),
        ('a"b\\c', '("a\\"b\\\\c")'),
        ("Entwürfe/台北", '("Entw&APw-rfe/&U,BTFw-")'),
        ("AT&T", '("AT&-T")'),
        (b"AT&T", '("AT&T")'),
        (b"Entw&APw-rfe", '("Entw&APw-rfe")'),
        ("[Gmail]/{5}", '("[Gmail]/{5}")'),
        ("(x)%*]", '("(x)%*]")'),
        ("NIL", '("NIL")'),
        ("2024", '("2024")'),
        ("x\r\nA999 NOOP", '("x&AA0ACg-A999 NOOP")'),
        ("nul\0", '("nul&AAA-")'),
        ([b"caf\xe9", "b"], '({4}\nS: + go\nCx: caf\\xe9 "b")'),
        (b"x\r\nA999 NOOP", "({12}\nS: + go\nCx: x\\r\\nA999 NOOP)"),
        ("n" * 1001, "({1001}\nS: + go\nC: " + "n" * 1001 + ")"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_the_labels_that_are_sent(item: str, store: Callable[..., Any], labels: Any, sent: str) -> None:
    with dialogue(f"C: A1 UID STORE 5 {item} {sent}\nS: A1 OK Done") as client:
        assert store(client, 5, labels) == {}


def test_any_iterable_of_labels() -> None:
    with dialogue('C: A1 UID STORE 5 +X-GM-LABELS ("a" "b")\nS: A1 OK Done') as client:
        assert client.add_gmail_labels(5, iter(["a", "b"])) == {}


@pytest.mark.parametrize("labels", [b"a\0", ["a", b"\0"], "\ud800", None, 5, [None], ["a", 5], [["a"]]])
def test_what_is_no_label_is_refused_before_anything_is_sent(labels: Any) -> None:
    with dialogue() as client:
        for _, store in _STORES:
            with pytest.raises((ValueError, TypeError)):
                store(client, 5, labels)
            with pytest.raises((ValueError, TypeError)):
                store(client, 5, labels, silent=True)


def test_labels_are_encoded_whatever_folder_encode_is() -> None:
    script = """
        C: A1 UID STORE 5 +X-GM-LABELS ("Caf&AOk-")
        S: * 1 FETCH (UID 5 X-GM-LABELS ("Caf&AOk-"))
        S: A1 OK Done
    """
    with dialogue(script) as client:
        client.folder_encode = False
        assert client.add_gmail_labels(5, "Café") == {5: ["Café"]}


def test_labels_in_utf8_once_that_is_enabled() -> None:
    script = """
        C: A1 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: A1 OK Done
        C: A2 UID STORE 5 +X-GM-LABELS ({5}
        S: + go
        C: Café "A&B" \\Sent)
        S: * 1 FETCH (UID 5 X-GM-LABELS (\\Sent "Café" "A&B" "&APw-"))
        S: A2 OK Done
    """
    with dialogue(script, capabilities=f"{CAPABILITIES} ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        assert client.add_gmail_labels(5, ["Café", "A&B", "\\Sent"]) == {5: ["\\Sent", "Café", "A&B", "&APw-"]}


# -- labels that come back


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("()", []),
        ("NIL", []),
        ('(\\Inbox \\Sent Important "Muy Importante")', ["\\Inbox", "\\Sent", "Important", "Muy Importante"]),
        ('("\\\\Inbox" "\\\\Sent")', ["\\Inbox", "\\Sent"]),
        ("(2024 007 NIL)", ["2024", "007", "NIL"]),
        ('("2024" "NIL" "")', ["2024", "NIL", ""]),
        ('("&APw-" &APw-)', ["ü", "ü"]),
        ('("a\\"b" "c\\\\d")', ['a"b', "c\\d"]),
        ('({3}\nS: a"b {2}\nS: cd x)', ['a"b', "cd", "x"]),
        ('("[Gmail]/x" a]b)', ["[Gmail]/x", "a]b"]),
    ],
)
def test_forms_of_labels(wire: str, expected: list[str]) -> None:
    script = f"C: A1 UID FETCH 5 (X-GM-LABELS)\nS: * 1 FETCH (UID 5 X-GM-LABELS {wire})\nS: A1 OK Done"
    with dialogue(script) as client:
        result = client.get_gmail_labels(5)
        assert result == {5: expected}
        assert types(result) == types({5: expected})


@pytest.mark.parametrize(
    ("wire", "text", "sent"),
    [
        ('"&JgM-&JgM-"', "☃☃", '"&JgM-&JgM-"'),
        ('"AT&T"', "AT&T", '"AT&T"'),
        ('"☃"', "☃", "{3}\nS: + go\nC: ☃"),
        ('"caf\\xe9"', "caf\\xe9", "{4}\nS: + go\nCx: caf\\xe9"),
    ],
)
def test_a_label_that_is_not_modified_utf7_stands_for_the_same_label(wire: str, text: str, sent: str) -> None:
    script = f"""
        C: A1 UID FETCH 5 (X-GM-LABELS)
        Sx: * 1 FETCH (UID 5 X-GM-LABELS ({wire}))
        S: A1 OK Done
        C: A2 UID STORE 5 -X-GM-LABELS.SILENT ({sent})
        S: A2 OK Done
    """
    with dialogue(script) as client:
        labels = client.get_gmail_labels(5)
        assert labels == {5: [text]}
        assert client.remove_gmail_labels(5, labels[5], silent=True) is None


def test_only_labels_are_in_the_result() -> None:
    script = """
        C: A1 UID STORE 5:7 +X-GM-LABELS ("a")
        S: * 1 FETCH (UID 5 X-GM-LABELS (a) MODSEQ (7))
        S: * 2 FETCH (UID 6 FLAGS (\\Seen))
        S: * 9 FETCH (UID 90 X-GM-LABELS (b))
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.add_gmail_labels([5, 6, 7], "a") == {5: ["a"]}
        assert unsolicited(client) == [(9, b"FETCH", b"(UID 90 X-GM-LABELS (b))")]


def test_the_answer_that_silent_asked_not_to_give() -> None:
    script = """
        C: A1 UID STORE 5 +X-GM-LABELS.SILENT ("a")
        S: * 1 FETCH (UID 5 X-GM-LABELS (a))
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.add_gmail_labels(5, "a", silent=True) is None
        assert unsolicited(client) == [(1, b"FETCH", b"(UID 5 X-GM-LABELS (a))")]


_UNREADABLE = """
    C: A1 UID FETCH 5:7 (X-GM-LABELS)
    S: * 1 FETCH (UID 5 X-GM-LABELS (a))
    S: * 2 FETCH (UID 6 X-GM-LABELS x)
    S: * 3 FETCH (UID 7 X-GM-LABELS (b))
    S: A1 OK Done
    C: A2 NOOP
    S: A2 OK Done
"""


def test_labels_that_can_not_be_read_lose_no_other_message() -> None:
    with dialogue(_UNREADABLE) as client:
        labels = client.get_gmail_labels([5, 6, 7])
        assert labels == {5: ["a"], 7: ["b"]}
        assert [(error.message, error.item, error.value) for error in labels.errors] == [(6, b"X-GM-LABELS", b"x")]
        assert client.noop() == (b"Done", [])


def test_labels_that_can_not_be_read_raise_where_that_is_asked_for() -> None:
    with dialogue(_UNREADABLE) as client:
        client.strict = True
        with pytest.raises(ProtocolError):
            client.get_gmail_labels([5, 6, 7])
        assert client.noop() == (b"Done", [])


# -- other servers, other ways to call


def test_another_server_says_that_it_has_no_labels() -> None:
    script = """
        C: A1 UID FETCH 5 (X-GM-LABELS)
        S: A1 BAD Unknown parameter X-GM-LABELS
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="X-GM-LABELS"):
            client.get_gmail_labels(5)
        assert client.noop() == (b"Done", [])


def test_no_messages_send_nothing() -> None:
    with dialogue() as client:
        for result in (
            client.get_gmail_labels([]),
            client.add_gmail_labels([], "a"),
            client.remove_gmail_labels([], "a", silent=True),
        ):
            assert result == {}
            assert types(result) == types({})


def test_arguments_by_name() -> None:
    script = """
        C: A1 UID STORE 5 +X-GM-LABELS.SILENT ("a")
        S: A1 OK Done
        C: A2 UID FETCH 5 (X-GM-LABELS)
        S: A2 OK Done
    """
    with dialogue(script) as client:
        assert client.add_gmail_labels(messages=5, labels="a", silent=True) is None
        assert client.get_gmail_labels(messages=5) == {}
