"""Flags of messages: STORE, and FETCH FLAGS."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import DELETED, IMAPClient
from tests.helpers.dialogue import Case, dialogue, in_every_way, unsolicited

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

_ANSWER = "S: * 2 FETCH (UID 13 FLAGS ())\nS: * 1 FETCH (FLAGS (\\Seen Work) UID 12)"
_FLAGS = {12: (b"\\Seen", b"Work"), 13: ()}
_BY_NUMBER = "S: * 12 FETCH (FLAGS (\\Seen Work))\nS: * 13 FETCH (FLAGS ())"

CASES = [
    Case("get", lambda client: client.get_flags([12, 13]), "C: A1 UID FETCH 12:13 (FLAGS)", _ANSWER, _FLAGS),
    Case(
        "get-by-number",
        lambda client: client.get_flags([12, 13]),
        "C: A1 FETCH 12:13 (FLAGS)",
        _BY_NUMBER,
        _FLAGS,
        use_uid=False,
    ),
    Case(
        "add",
        lambda client: client.add_flags([12, 13], ["\\Seen", b"Work"]),
        "C: A1 UID STORE 12:13 +FLAGS (\\Seen Work)",
        _ANSWER,
        _FLAGS,
    ),
    Case(
        "remove",
        lambda client: client.remove_flags([12, 13], "\\Seen"),
        "C: A1 UID STORE 12:13 -FLAGS (\\Seen)",
        _ANSWER,
        _FLAGS,
    ),
    Case(
        "set",
        lambda client: client.set_flags([12, 13], []),
        "C: A1 UID STORE 12:13 FLAGS ()",
        _ANSWER,
        _FLAGS,
    ),
    Case(
        "set-by-number",
        lambda client: client.set_flags([12, 13], b"Work"),
        "C: A1 STORE 12:13 FLAGS (Work)",
        _BY_NUMBER,
        _FLAGS,
        use_uid=False,
    ),
    Case(
        "delete",
        lambda client: client.delete_messages([12, 13]),
        "C: A1 UID STORE 12:13 +FLAGS (\\Deleted)",
        _ANSWER,
        _FLAGS,
    ),
    Case(
        "add-silent",
        lambda client: client.add_flags(12, "\\Seen", silent=True),
        "C: A1 UID STORE 12 +FLAGS.SILENT (\\Seen)",
        "",
        None,
    ),
    Case(
        "remove-silent",
        lambda client: client.remove_flags(12, "\\Seen", True),
        "C: A1 UID STORE 12 -FLAGS.SILENT (\\Seen)",
        "",
        None,
    ),
    Case(
        "set-silent",
        lambda client: client.set_flags(12, ["a", "b"], silent=True),
        "C: A1 UID STORE 12 FLAGS.SILENT (a b)",
        "",
        None,
    ),
    Case(
        "delete-silent",
        lambda client: client.delete_messages(12, silent=True),
        "C: A1 UID STORE 12 +FLAGS.SILENT (\\Deleted)",
        "",
        None,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


_STORES: list[tuple[str, Callable[..., Any]]] = [
    ("+FLAGS", IMAPClient.add_flags),
    ("-FLAGS", IMAPClient.remove_flags),
    ("FLAGS", IMAPClient.set_flags),
]


@pytest.mark.parametrize(("item", "store"), _STORES, ids=[item for item, _ in _STORES])
@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        ("\\Seen", "(\\Seen)"),
        (b"\\Seen", "(\\Seen)"),
        (DELETED, "(\\Deleted)"),
        (["\\Seen", b"Work"], "(\\Seen Work)"),
        (("a", "b"), "(a b)"),
        (iter(["a", "b"]), "(a b)"),
        ([], "()"),
        ("$Forwarded", "($Forwarded)"),
        ("2024", "(2024)"),
        ("a]b", "(a]b)"),
        ("\\Seen Work", "(\\Seen Work)"),
        (b" a  b ", "(a b)"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_the_flags_that_are_sent(item: str, store: Callable[..., Any], flags: Any, sent: str) -> None:
    # An iterator is used up by the first of the three.
    flags = flags if isinstance(flags, (str, bytes)) else list(flags) or sent[1:-1].split()
    with dialogue(f"C: A1 UID STORE 5 {item} {sent}\nS: A1 OK Done") as client:
        assert store(client, 5, flags) == {}


_NO_FLAGS = [
    "x\r\nA999 NOOP", "\r\n", "\n", "", "(", "a)", '"a"', 'a"', "\\", "\\\\Seen", "a\\b", "\0",
    "\x7f", "é", b"\xff", "\t", "{5}", "~{5}", "{5+}",
]  # fmt: skip


@pytest.mark.parametrize("flags", [["a b"], [" a"], ["a "], ["\\Seen", "a b"]])
def test_one_flag_of_several_has_no_spaces(flags: list[str]) -> None:
    with dialogue() as client, pytest.raises(ValueError, match="flag"):
        client.add_flags(5, flags)


@pytest.mark.parametrize("flag", _NO_FLAGS)
def test_what_is_no_flag_is_refused_before_anything_is_sent(flag: str | bytes) -> None:
    with dialogue() as client:
        for _, store in _STORES:
            for flags in (flag, [flag], ["\\Seen", flag]):
                with pytest.raises(ValueError, match="flag"):
                    store(client, 5, flags)
                with pytest.raises(ValueError, match="flag"):
                    store(client, 5, flags, silent=True)


@pytest.mark.parametrize("flags", [None, 5, [None], ["a", 5]])
def test_what_is_no_text_is_refused_before_anything_is_sent(flags: Any) -> None:
    with dialogue() as client:
        for _, store in _STORES:
            with pytest.raises(TypeError):
                store(client, 5, flags)


def test_only_flags_are_in_the_result() -> None:
    script = """
        C: A1 UID STORE 5:7 +FLAGS (a)
        S: * 1 FETCH (UID 5 MODSEQ (7) FLAGS (a))
        S: * 2 FETCH (UID 6 MODSEQ (8))
        S: * 3 FETCH (FLAGS (x))
        S: * 9 FETCH (UID 90 FLAGS (y))
        S: A1 OK [MODIFIED 7] Done
    """
    with dialogue(script) as client:
        assert client.add_flags([5, 6, 7], "a") == {5: (b"a",)}
        assert unsolicited(client) == [(3, b"FETCH", b"(FLAGS (x))"), (9, b"FETCH", b"(UID 90 FLAGS (y))")]


def test_flags_that_look_like_something_else_are_bytes() -> None:
    script = "C: A1 UID FETCH 5 (FLAGS)\nS: * 1 FETCH (UID 5 FLAGS (2024 NIL \\Seen a]b))\nS: A1 OK Done"
    with dialogue(script) as client:
        assert client.get_flags(5) == {5: (b"2024", b"NIL", b"\\Seen", b"a]b")}


def test_the_answer_that_silent_asked_not_to_give() -> None:
    script = """
        C: A1 UID STORE 5 +FLAGS.SILENT (a)
        S: * 1 FETCH (UID 5 FLAGS (a))
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.add_flags(5, "a", silent=True) is None
        assert unsolicited(client) == [(1, b"FETCH", b"(UID 5 FLAGS (a))")]


def test_a_range_in_order() -> None:
    lines = [f"S: * {number} FETCH (UID {number} FLAGS (f{number}))" for number in (1, 2, 3)]
    with dialogue("\n".join(["C: A1 UID FETCH 1:3 (FLAGS)", *lines, "S: A1 OK Done"])) as client:
        assert list(client.get_flags([3, 1, 2])) == [3, 1, 2]


def test_arguments_by_name() -> None:
    script = "C: A1 UID STORE 5 +FLAGS.SILENT (a)\nS: A1 OK Done\n"
    with dialogue(script) as client:
        assert client.add_flags(messages=5, flags="a", silent=True) is None
