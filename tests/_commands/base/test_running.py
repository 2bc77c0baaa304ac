"""What all commands share: message ids, long sets, what can't be injected, and a connection that has failed."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient._parsing.uid_codes import CopyReply
from imapclient.exceptions import CommandError, IMAPClientAbortError, IMAPClientError, ProtocolError
from tests.helpers.clients import set_read_timeout
from tests.helpers.dialogue import dialogue, dialogue_with_peer, types, unsolicited
from tests.helpers.scripted_peer import Script

# -- message ids

Call = Callable[[IMAPClient, Any], Any]

#: Each method that takes message ids: what it sends before and after them, and what it returns for none.
METHODS: dict[str, tuple[Call, str, str, Any]] = {
    "fetch": (lambda client, ids: client.fetch(ids, "UID"), "FETCH", " (UID)", {}),
    "get_flags": (lambda client, ids: client.get_flags(ids), "FETCH", " (FLAGS)", {}),
    "add_flags": (lambda client, ids: client.add_flags(ids, "a"), "STORE", " +FLAGS (a)", {}),
    "add_flags-silent": (lambda client, ids: client.add_flags(ids, "a", True), "STORE", " +FLAGS.SILENT (a)", {}),
    "remove_flags": (lambda client, ids: client.remove_flags(ids, "a"), "STORE", " -FLAGS (a)", {}),
    "set_flags": (lambda client, ids: client.set_flags(ids, "a"), "STORE", " FLAGS (a)", {}),
    "delete_messages": (lambda client, ids: client.delete_messages(ids), "STORE", " +FLAGS (\\Deleted)", {}),
    "get_gmail_labels": (lambda client, ids: client.get_gmail_labels(ids), "FETCH", " (X-GM-LABELS)", {}),
    "add_gmail_labels": (lambda client, ids: client.add_gmail_labels(ids, "a"), "STORE", ' +X-GM-LABELS ("a")', {}),
    "remove_gmail_labels": (
        lambda client, ids: client.remove_gmail_labels(ids, "a"),
        "STORE",
        ' -X-GM-LABELS ("a")',
        {},
    ),
    "set_gmail_labels": (lambda client, ids: client.set_gmail_labels(ids, "a"), "STORE", ' X-GM-LABELS ("a")', {}),
    "copy": (lambda client, ids: client.copy(ids, "x"), "COPY", ' "x"', CopyReply()),
    "move": (lambda client, ids: client.move(ids, "x"), "MOVE", ' "x"', CopyReply()),
    "expunge": (lambda client, ids: client.expunge(ids), "EXPUNGE", "", (b"", [])),
    "uid_expunge": (lambda client, ids: client.uid_expunge(ids), "EXPUNGE", "", (b"", [])),
}

_IDS: list[tuple[Any, str]] = [
    (5, "5"),
    ([3, 1, 2], "1:3"),
    ([2, 2, 2], "2"),
    ((7,), "7"),
    (range(1, 501), "1:500"),
    (range(500, 0, -1), "1:500"),
    (range(1, 10, 2), "1,3,5,7,9"),
    ({9, 4, 5}, "4:5,9"),
    (frozenset((4,)), "4"),
    ({8: "a", 9: "b"}.keys(), "8:9"),
    (lambda: (number * 2 for number in (1, 2)), "2,4"),
    (lambda: iter([1, "2:4"]), "1:4"),
    ("1:*", "1:*"),
    ("*", "*"),
    ("*:7", "7:*"),
    ("1,2", "1:2"),
    (b"1,2", "1:2"),
    ("5:7,9", "5:7,9"),
    ("7:5", "5:7"),
    ("9,5:7,6:8", "5:9"),
    ("12:*,3:*,1", "1,3:*"),
    ("5,*", "5,*"),
    ("$", "$"),
    (b"$", "$"),
    ([1, "3:5", b"9:*"], "1,3:5,9:*"),
    (["1", "2", b"3"], "1:3"),
    ([4294967295, 1], "1,4294967295"),
    ("007", "7"),
]


@pytest.mark.parametrize(("ids", "sent"), _IDS, ids=[f"{index}-{sent}" for index, (_, sent) in enumerate(_IDS)])
def test_the_ids_that_are_sent(ids: Any, sent: str) -> None:
    script = "".join(f"C: A1 UID {verb} {sent}{after}\nS: A1 OK Done\n" for _, verb, after, _ in METHODS.values())
    with dialogue(script) as client:
        for call, _, _, _ in METHODS.values():
            call(client, ids() if callable(ids) else ids)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "expunge"])
def test_sequence_numbers(method: str) -> None:
    call, verb, after, _ = METHODS[method]
    # Its name says UID.
    uid = "UID " if method == "uid_expunge" else ""
    with dialogue(f"C: A1 {uid}{verb} 1:3{after}\nS: A1 OK Done", use_uid=False) as client:
        call(client, [1, 2, 3])


@pytest.mark.parametrize("ids", [1, [1, 2], "1:*"])
def test_expunge_of_sequence_numbers_raises_before_anything_is_sent(ids: Any) -> None:
    """No server takes them: EXPUNGE of ids is UID EXPUNGE only (RFC 4315, 2.1)."""
    with dialogue(use_uid=False) as client, pytest.raises(ValueError, match="uids"):
        client.expunge(ids)


@pytest.mark.parametrize(
    "empty",
    [
        list,
        tuple,
        set,
        dict,
        str,
        bytes,
        lambda: " ",
        lambda: range(0),
        lambda: range(5, 5),
        lambda: range(3, 1),
        lambda: iter(()),
    ],
)
@pytest.mark.parametrize("use_uid", [True, False])
def test_an_empty_set_sends_nothing(empty: Callable[[], Any], use_uid: bool) -> None:
    with dialogue(use_uid=use_uid) as client:
        for method, (call, _, _, expected) in METHODS.items():
            if use_uid or method != "expunge":
                result = call(client, empty())
                assert result == expected
                assert types(result) == types(expected)


@pytest.mark.parametrize("method", METHODS)
def test_none_is_an_empty_set_as_in_imapclient(method: str) -> None:
    with dialogue() as client:
        if method in ("copy", "move", "uid_expunge"):
            with pytest.raises(TypeError):
                METHODS[method][0](client, None)
        elif method != "expunge":
            assert METHODS[method][0](client, None) == {}


_NO_IDS: list[Any] = [
    0, -1, 2**32, True, False, 1.5, 1.0, "x", "1:", ":1", "1,", ",1", "1,,2", "1:2:3", "0", "0:5",
    "5:0", "-1", "+1", "1 2", "1;2", "1.5", "**", "*:", "1:x", "4294967296", "1:4294967296", "99999999999", "0x1",
    "1\r\nA1 NOOP", "1\nA1 NOOP", b"1\r\nA1 NOOP", "1\0", "1:*\r\n\r\n(", "1)", "{1}", "\u0661", b"\xff", "$,1", "$1",
    "$$", object(), 1j, [0], [1, 0], [-1], [2**32], [True], [None], [1.5], [""], ["x"], [1, "1:"], [[1]], [(1, 2)],
    ["1\r\nA1 NOOP"], [1, "$"], ["$", "1"], range(3), range(-3, 3), range(2, -2, -1), range(2**32, 2**32 + 2),
    range(0, 9, 3), {"x": 1}, bytearray(b"1:3"), memoryview(b"12"),
]  # fmt: skip


@pytest.mark.parametrize("ids", _NO_IDS, ids=[f"{index}-{type(value).__name__}" for index, value in enumerate(_NO_IDS)])
def test_what_is_no_message_id_is_refused_before_anything_is_sent(ids: Any) -> None:
    with dialogue() as client:
        for method, (call, _, _, _) in METHODS.items():
            if method == "expunge" and ids is None:
                continue  # That means all deleted messages.
            with pytest.raises((ValueError, TypeError)):
                call(client, ids)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ids", [[], 0, "x"])
def test_nor_are_the_capabilities_asked_for(method: str, ids: Any) -> None:
    """This server has not told any."""
    with dialogue(capabilities=None, login=False) as client:
        if ids == []:
            METHODS[method][0](client, ids)
        else:
            with pytest.raises(ValueError, match=r"a message number must be from 1 to|not a sequence set"):
                METHODS[method][0](client, ids)


# -- sets that are too long for a line

# Seven digits and a comma each: a thousand of them are 7,999 bytes, one more would go over 8,000.
_MANY = range(1000000, 1005000, 2)


def _part(number: int) -> str:
    part = ",".join(map(str, _MANY[1000 * number : 1000 * number + 1000]))
    assert len(part) <= 8000
    return part


_PARTS = [_part(0), _part(1), _part(2)]


def _in_parts(method: str, *answers: str, uid: bool = True) -> str:
    """A script for the ids of _MANY: each part with what the server answers, the tagged response last."""
    _, verb, after, _ = METHODS[method]
    prefix = "UID " if uid else ""
    lines = []
    for number, (part, answer) in enumerate(zip(_PARTS, answers), 1):
        lines += [f"C: A{number} {prefix}{verb} {part}{after}", answer.format(tag=f"A{number}")]
    return "\n".join(lines)


@pytest.mark.parametrize("method", METHODS)
def test_a_long_set_goes_in_several_commands(method: str) -> None:
    with dialogue(_in_parts(method, *["S: {tag} OK Done"] * 3)) as client:
        result = METHODS[method][0](client, _MANY)
        assert types(result) == types(None if method.endswith("-silent") else METHODS[method][3])


_ANSWERS = (
    "S: * 1 FETCH (UID 1000000 FLAGS (a))\nS: * 9 FETCH (UID 1003000 FLAGS (x))\nS: {tag} OK one",
    "S: * 2 FETCH (UID 1002000 FLAGS (b))\nS: * 77 FETCH (UID 77 FLAGS (no))\nS: {tag} OK two",
    "S: * 3 FETCH (UID 1004998 FLAGS (c))\nS: {tag} OK three",
)
_MERGED: dict[int, tuple[bytes, ...]] = {1004998: (b"c",), 1003000: (b"x",), 1002000: (b"b",), 1000000: (b"a",)}


def test_fetch_merges_the_parts_in_the_order_of_the_request() -> None:
    with dialogue(_in_parts("fetch", *_ANSWERS)) as client:
        result = client.fetch(reversed(_MANY), "UID")
        assert {uid: items[b"FLAGS"] for uid, items in result.items()} == _MERGED
        assert list(result) == list(_MERGED)
        assert unsolicited(client) == [(77, b"FETCH", b"(UID 77 FLAGS (no))")]


@pytest.mark.parametrize("method", ["get_flags", "add_flags", "remove_flags", "set_flags", "delete_messages"])
def test_flags_merge_the_parts(method: str) -> None:
    with dialogue(_in_parts(method, *_ANSWERS)) as client:
        result = METHODS[method][0](client, reversed(_MANY))
        assert result == _MERGED
        assert list(result) == list(_MERGED)


@pytest.mark.parametrize("method", ["copy", "move"])
def test_copy_and_move_return_the_last_text(method: str) -> None:
    with dialogue(_in_parts(method, "S: {tag} OK one", "S: {tag} OK two", "S: {tag} OK three")) as client:
        assert METHODS[method][0](client, list(_MANY)) == b"three"


@pytest.mark.parametrize(("method", "use_uid"), [("expunge", True), ("uid_expunge", True), ("uid_expunge", False)])
def test_expunge_merges_the_parts(method: str, use_uid: bool) -> None:
    answers = [f"S: * {number} EXPUNGE\nS: {{tag}} OK {number}" for number in (1, 2, 3)]
    with dialogue(_in_parts(method, *answers), use_uid=use_uid) as client:
        expected = (b"3", [(1, b"EXPUNGE"), (2, b"EXPUNGE"), (3, b"EXPUNGE")])
        assert METHODS[method][0](client, set(_MANY)) == expected


@pytest.mark.parametrize("method", ["fetch", "get_flags", "add_flags", "add_flags-silent", "set_flags"])
def test_sequence_numbers_of_fetch_and_store_go_in_parts_too(method: str) -> None:
    answers = [f"S: * {number} FETCH (FLAGS (a))\nS: {{tag}} OK Done" for number in (1000000, 1002000, 1004000)]
    with dialogue(_in_parts(method, *answers, uid=False), use_uid=False) as client:
        result = METHODS[method][0](client, _MANY)
        if result is not None:
            assert list(result) == [1000000, 1002000, 1004000]


@pytest.mark.parametrize("method", ["copy", "move"])
def test_sequence_numbers_of_copy_and_move_raise_before_anything_is_sent(method: str) -> None:
    with dialogue(use_uid=False) as client, pytest.raises(ValueError, match="UIDs"):
        METHODS[method][0](client, _MANY)


def test_a_long_set_of_runs_is_one_command() -> None:
    with dialogue('C: A1 COPY 1:100000 "x"\nS: A1 OK Done', use_uid=False) as client:
        assert client.copy(range(1, 100001), "x") == b"Done"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("status", "finished"), [("BAD", 0), ("NO", 1), ("BAD", 2)])
def test_a_part_that_fails_says_which_ids_are_done(method: str, status: str, finished: int) -> None:
    answers = [*["S: {tag} OK Done"] * finished, f"S: {{tag}} {status} Disk full"]
    done = _PARTS[:finished]
    if METHODS[method][1] == "FETCH":
        # The later parts are on the wire by then.
        answers += ["S: {tag} OK Done"] * (2 - finished)
        done += _PARTS[finished + 1 :]
    with dialogue(_in_parts(method, *answers) + "\nC: A9 NOOP\nS: A9 OK Done") as client:
        with pytest.raises(CommandError, match="Disk full") as caught:
            METHODS[method][0](client, _MANY)
        assert vars(caught.value)["done"] == ",".join(done)
        assert client.noop() == (b"Done", [])


def test_a_connection_that_is_lost_says_which_ids_are_done() -> None:
    with dialogue(_in_parts("copy", "S: {tag} OK Done", "S: {tag} OK Done", "CLOSE")) as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.copy(_MANY, "x")
        assert vars(caught.value)["done"] == f"{_PARTS[0]},{_PARTS[1]}"


def test_data_that_can_not_be_read_says_which_ids_are_done() -> None:
    answers = ("S: {tag} OK Done", "S: * 1 FETCH (UID\nS: {tag} OK Done")
    with dialogue(_in_parts("add_flags", *answers)) as client:
        client.strict = True
        with pytest.raises(ProtocolError) as caught:
            client.add_flags(_MANY, "a")
        # The second part came with an OK: the server did what was asked, and only its words can't be read.
        assert vars(caught.value)["done"] == f"{_PARTS[0]},{_PARTS[1]}"


def test_data_that_can_not_be_read_costs_no_other_part_of_a_fetch() -> None:
    answers = ("S: {tag} OK Done", "S: * 1 FETCH (UID\nS: {tag} OK Done", "S: {tag} NO Disk full")
    with dialogue(_in_parts("fetch", *answers)) as client:
        client.strict = True
        with pytest.raises(ProtocolError) as caught:
            client.fetch(_MANY, "UID")
        assert vars(caught.value)["done"] == f"{_PARTS[0]},{_PARTS[1]}"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ending", ["S: A1 NO Disk full", "S: A1 BAD What?", "CLOSE"])
def test_a_single_part_that_fails_says_that_nothing_is_done(method: str, ending: str) -> None:
    call, verb, after, _ = METHODS[method]
    with dialogue(f"C: A1 UID {verb} 5{after}\n{ending}") as client:
        with pytest.raises(IMAPClientError) as caught:
            call(client, 5)
        assert vars(caught.value)["done"] == ""


def test_a_single_part_whose_answer_can_not_be_read_is_done() -> None:
    with dialogue("C: A1 UID STORE 5,7 +FLAGS (a)\nS: * 1 FETCH (UID 5\nS: A1 OK Done") as client:
        client.strict = True
        with pytest.raises(ProtocolError) as caught:
            client.add_flags([5, 7], "a")
        assert vars(caught.value)["done"] == "5,7"


# -- responses


def test_a_tag_in_lower_case() -> None:
    with dialogue_with_peer() as (client, peer), ThreadPoolExecutor() as pool:
        answer = pool.submit(peer.play, ["C: A1 NOOP", lambda: peer.received[-1].split()[0].lower() + b" ok Done\r\n"])
        assert client.noop() == (b"Done", [])
        answer.result()


def test_what_nobody_asked_for_is_kept_within_a_bound_and_counted() -> None:
    script: Script = [
        'C: A1 CREATE "x"',
        (b"* %d EXISTS\r\n" % number for number in range(5000)),
        "S: A1 OK Done",
    ]
    with dialogue(script) as client:
        client.create_folder("x")
        kept = unsolicited(client)
        assert 0 < len(kept) < 5000
        assert kept[-1] == (4999, b"EXISTS", b"")
        assert client._imap.unsolicited.dropped == 5000 - len(kept)


# -- a connection that has failed


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        ("CLOSE", IMAPClientAbortError),
        ("RESET", ConnectionResetError),
        ("S: * BYE Go", IMAPClientAbortError),
        ("S: what is this?", ProtocolError),
        ("S: Z999 OK never sent", ProtocolError),
        ("S: + go on", ProtocolError),
        ("Sx-: * 5 EXISTS\\n", ProtocolError),
    ],
)
def test_after_a_broken_exchange_each_call_says_so_at_once(ending: str, cause: type[Exception]) -> None:
    with dialogue(f"C: A1 NOOP\n{ending}") as client:
        with pytest.raises(IMAPClientAbortError) as first:
            client.noop()
        assert isinstance(first.value, cause)
        calls: list[Callable[[], Any]] = [
            client.noop,
            client.search,
            client.list_folders,
            client.idle,
            lambda: client.fetch(1, "FLAGS"),
            lambda: client.append("x", b"m"),
            lambda: client.login("ann", "secret"),
            # These need what a lost connection may not have: a capability, a state.
            lambda: client.move(1, "x"),
            lambda: client.getacl("x"),
            lambda: client.enable("CONDSTORE"),
            client.starttls,
            client.compress,
        ]
        for call in calls:
            with pytest.raises(IMAPClientAbortError) as later:
                call()
            assert later.value.__cause__ is first.value


def test_an_answer_that_comes_after_a_timeout_is_never_given_to_another_command() -> None:
    with dialogue_with_peer("C: A1 UID SEARCH ALL\nS: * SEARCH 1") as (client, peer):
        set_read_timeout(client, 0.1)
        with pytest.raises(socket.timeout) as first:
            client.search()
        assert isinstance(first.value, IMAPClientAbortError)
        peer.play("S: A1 OK Done")
        with pytest.raises(IMAPClientAbortError) as later:
            client.search()
        assert later.value.__cause__ is first.value
