"""What can't be read of one message costs nothing of the others."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import FetchError, ProtocolError
from tests.helpers.dialogue import dialogue, unsolicited

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

_SCRIPT = """
    C: A1 UID FETCH 5:7 ({items})
    S: * 1 FETCH (UID 5 FLAGS (a) {good})
    S: * 2 FETCH (UID 6 {bad} FLAGS (b))
    S: * 3 FETCH (UID 7 FLAGS (c) {good})
    S: A1 OK Done
"""


def _received_size(errors: list[FetchError]) -> list[tuple[Any, ...]]:
    return [(error.message, error.sequence_number, error.item, error.value) for error in errors]


@pytest.mark.parametrize(
    ("item", "good", "bad", "value"),
    [
        ("ENVELOPE", "NIL", "7", 7),
        ("BODYSTRUCTURE", "NIL", '"x"', b"x"),
        ("INTERNALDATE", '"17-Jul-1996 02:44:25 +0000"', '"00-Jan-0000 00:00:00 +0000"', b"00-Jan-0000 00:00:00 +0000"),
        ("RFC822.SIZE", "12", "many", b"many"),
        ("RFC822.SIZE", "12", "", None),
    ],
)
def test_an_item(item: str, good: str, bad: str, value: Any) -> None:
    script = _SCRIPT.format(items=item, good=f"{item} {good}", bad=f"{item} {bad}".strip())
    with dialogue(f"{script}\nC: A2 NOOP\nS: A2 OK Done") as client:
        result = client.fetch("5:7", item)
        name = item.encode()
        assert list(result) == [5, 6, 7]
        assert [items[b"FLAGS"] for items in result.values()] == [(b"a",), (b"b",), (b"c",)]
        assert result[5] == {b"SEQ": 1, b"FLAGS": (b"a",), name: result[7][name]}
        assert result[6][name] is None
        assert _received_size(result.errors) == [(6, 2, name, value)]
        assert isinstance(result.errors[0], ProtocolError)
        assert client.noop() == (b"Done", [])


def test_strict_raises_after_the_command() -> None:
    script = _SCRIPT.format(items="ENVELOPE", good="ENVELOPE NIL", bad="ENVELOPE 7")
    with dialogue(f"{script}\nC: A2 NOOP\nS: A2 OK Done") as client:
        client.strict = True
        with pytest.raises(ProtocolError, match="not an envelope: 7"):
            client.fetch("5:7", "ENVELOPE")
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("(UID 6 FLAGS (b) X", {b"SEQ": 2, b"FLAGS": (b"b",)}),
        ('(UID 6 FLAGS (b) X "y', {b"SEQ": 2, b"FLAGS": (b"b",)}),
        ("(UID 6 FLAGS (b)))", {b"SEQ": 2, b"FLAGS": (b"b",)}),
        ("(FLAGS (b) X (y UID 6)", {b"SEQ": 2, b"FLAGS": (b"b",)}),
        ("(UID 6 BODY[] {3}\nS: abc X", {b"SEQ": 2, b"BODY[]": b"abc"}),
    ],
)
def test_a_response_whose_end_is_missing(line: str, expected: Any) -> None:
    script = f"""
        C: A1 UID FETCH 5:7 (X)
        S: * 1 FETCH (UID 5 FLAGS (a))
        S: * 2 FETCH {line}
        S: * 3 FETCH (UID 7 FLAGS (c))
        S: A1 OK Done
    """
    with dialogue("\n".join(part.strip() for part in script.split("\n"))) as client:
        result = client.fetch("5:7", "X")
        if "UID 6)" in line:
            # A word before it: the sender of the message may have written that.
            assert list(result) == [5, 7]
            assert [(error.message, error.sequence_number) for error in result.errors] == [(None, 2)]
        else:
            assert result[6] == expected
            assert [(error.message, error.item) for error in result.errors] == [(6, None)]
        assert (result[5], result[7]) == ({b"SEQ": 1, b"FLAGS": (b"a",)}, {b"SEQ": 3, b"FLAGS": (b"c",)})


@pytest.mark.parametrize("line", ["(UID NIL FLAGS (b))", "UID 6", "(FLAGS (b) X"])
def test_a_response_that_does_not_tell_its_message(line: str) -> None:
    script = f"C: A1 UID FETCH 5:7 (FLAGS)\nS: * 2 FETCH {line}\nS: * 3 FETCH (UID 7 FLAGS (c))\nS: A1 OK Done"
    with dialogue(script) as client:
        result = client.fetch("5:7", "FLAGS")
        assert result == {7: {b"SEQ": 3, b"FLAGS": (b"c",)}}
        assert [(error.message, error.sequence_number) for error in result.errors] == [(None, 2)]
        assert unsolicited(client) == []


def test_what_this_command_told_before_says_which_message_it_is() -> None:
    script = """
        C: A1 UID FETCH 5:7 (FLAGS)
        S: * 2 FETCH (UID 6 RFC822.SIZE 9)
        S: * 2 FETCH (FLAGS (b) X
        S: A1 OK Done
    """
    with dialogue(script) as client:
        result = client.fetch("5:7", "FLAGS")
        assert result == {6: {b"SEQ": 2, b"RFC822.SIZE": 9, b"FLAGS": (b"b",)}}
        assert [error.message for error in result.errors] == [6]


def test_by_sequence_number() -> None:
    script = """
        C: A1 FETCH 1:2 (FLAGS ENVELOPE)
        S: * 1 FETCH (FLAGS (a) ENVELOPE 5)
        S: * 2 FETCH (FLAGS (b) ENVELOPE NIL)
        S: * 3 FETCH (FLAGS (b) ENVELOPE 5)
        S: A1 OK Done
    """
    with dialogue(script, use_uid=False) as client:
        result = client.fetch("1:2", ["FLAGS", "ENVELOPE"])
        assert result == {
            1: {b"SEQ": 1, b"FLAGS": (b"a",), b"ENVELOPE": None},
            2: {b"SEQ": 2, b"FLAGS": (b"b",), b"ENVELOPE": None},
        }
        assert _received_size(result.errors) == [(1, 1, b"ENVELOPE", 5)]
        assert unsolicited(client) == [(3, b"FETCH", b"(FLAGS (b) ENVELOPE 5)")]


def test_the_errors_stay_when_the_messages_are_put_in_order() -> None:
    script = _SCRIPT.format(items="ENVELOPE", good="ENVELOPE NIL", bad="ENVELOPE 7")
    with dialogue(script) as client:
        result = client.fetch([7, 6, 5], "ENVELOPE")
        assert list(result) == [7, 6, 5]
        assert [error.message for error in result.errors] == [6]


_STORE: dict[str, tuple[Callable[[IMAPClient], Any], str]] = {
    "get_flags": (lambda client: client.get_flags("5:6"), "FETCH 5:6 (FLAGS)"),
    "add_flags": (lambda client: client.add_flags("5:6", "a"), "STORE 5:6 +FLAGS (a)"),
    "set_flags": (lambda client: client.set_flags("5:6", "a"), "STORE 5:6 FLAGS (a)"),
    "delete_messages": (lambda client: client.delete_messages("5:6"), "STORE 5:6 +FLAGS (\\Deleted)"),
}


@pytest.mark.parametrize("method", _STORE)
def test_flags_that_can_not_be_read_are_left_out_and_reported(method: str) -> None:
    call, sent = _STORE[method]
    script = f"C: A1 UID {sent}\nS: * 1 FETCH (UID 5 FLAGS x)\nS: * 2 FETCH (UID 6 FLAGS (b))\nS: A1 OK Done"
    with dialogue(script) as client:
        result = call(client)
        assert result == {6: (b"b",)}
        assert _received_size(result.errors) == [(5, 1, b"FLAGS", b"x")]


def test_strict_raises_the_first_error_that_would_be_reported() -> None:
    script = _SCRIPT.format(items="ENVELOPE", good="ENVELOPE NIL", bad="ENVELOPE 7")
    with dialogue(script) as client:
        client.strict = True
        with pytest.raises(FetchError) as caught:
            client.fetch("5:7", "ENVELOPE")
        assert _received_size([caught.value]) == [(6, 2, b"ENVELOPE", 7)]


def test_a_response_without_a_uid_that_needs_mending_is_for_somebody_else() -> None:
    script = "C: A1 UID FETCH 5 (FLAGS)\nS: * 9 FETCH ((FLAGS (a)))\nS: A1 OK Done"
    with dialogue(script) as client:
        assert client.fetch(5, "FLAGS") == {}
        assert unsolicited(client) == [(9, b"FETCH", b"((FLAGS (a)))")]


def test_control_characters_behind_escapes_hide_no_message() -> None:
    """A sender may put all of them into the name of an attachment."""
    name = "a\\" + '"b' + "".join(f"\\x{code:02x}" for code in range(1, 32) if code not in (10, 13))
    script = f'C: A1 UID FETCH 5 (X)\nSx: * 1 FETCH (UID 5 X "{name}" FLAGS (b))\nS: A1 OK Done'
    with dialogue(script.replace('\\"', '\\\\"')) as client:
        result = client.fetch(5, "X")
        assert result.errors == []
        assert result[5][b"X"].startswith(b'a"b\x01\x02')
        assert result[5][b"FLAGS"] == (b"b",)
