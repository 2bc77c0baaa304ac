"""fetch_iter: what is sent for each chunk and when, and what the body of the loop may do."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient.exceptions import CommandError, IllegalStateError, IMAPClientAbortError, ProtocolError
from tests.helpers.dialogue import dialogue, dialogue_with_peer

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

_SELECT = """
    C: A90 SELECT "{0}"
    S: * 9 EXISTS
    S: * OK [UIDVALIDITY {1}]
    S: A90 OK done
"""
_TWO_CHUNKS = """
    C: A1 UID FETCH 5,7 (FLAGS)
    S: * 1 FETCH (UID 5 FLAGS (a))
    S: * 2 FETCH (UID 7 FLAGS (b))
    S: A1 OK done
    {between}
    C: A2 UID FETCH 9 (FLAGS)
    S: * 3 FETCH (UID 9 FLAGS (c))
    S: A2 OK done
"""
_FOUND = [
    (5, {b"SEQ": 1, b"FLAGS": (b"a",)}),
    (7, {b"SEQ": 2, b"FLAGS": (b"b",)}),
    (9, {b"SEQ": 3, b"FLAGS": (b"c",)}),
]


def test_messages_come_in_chunks() -> None:
    with dialogue(_TWO_CHUNKS.format(between="")) as client:
        assert list(client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)) == _FOUND


def test_a_chunk_is_fetched_when_its_first_message_is_asked_for() -> None:
    script = _TWO_CHUNKS.format(between="C: A80 NOOP\nS: A80 OK done")
    with dialogue_with_peer(script) as (client, peer):
        messages = client.fetch_iter(iter([5, 7, 9]), "FLAGS", chunk_messages=2)
        assert len(peer.received) == 1  # the login
        assert [next(messages), next(messages)] == _FOUND[:2]
        client.noop()
        assert list(messages) == _FOUND[2:]
        assert list(messages) == []


def test_other_commands_in_the_body_of_the_loop() -> None:
    between = """
        C: A81 UID STORE 5 +FLAGS.SILENT (x)
        S: A81 OK done
        C: A82 UID STORE 7 +FLAGS.SILENT (x)
        S: * 1 EXPUNGE
        S: A82 OK done
    """
    after = "C: A83 UID STORE 9 +FLAGS.SILENT (x)\nS: A83 OK done"
    with dialogue(_TWO_CHUNKS.format(between=between) + after) as client:
        found = []
        for uid, data in client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2):
            client.add_flags(uid, "x", silent=True)
            found.append((uid, data))
        assert found == _FOUND


def test_leaving_early_leaves_a_usable_connection() -> None:
    script = _TWO_CHUNKS.partition("{between}")[0] + "C: A2 NOOP\nS: A2 OK done"
    with dialogue(script) as client:
        for _ in client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2):
            break
        client.noop()


def test_close_ends_it() -> None:
    with dialogue(_TWO_CHUNKS.partition("{between}")[0]) as client:
        messages = client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)
        next(messages)
        messages.close()
        assert list(messages) == []


@pytest.mark.parametrize("messages", [None, [], "", (), iter([])])
def test_no_messages_send_nothing(messages: Any) -> None:
    with dialogue() as client:
        assert list(client.fetch_iter(messages, "FLAGS")) == []


def test_the_order_is_that_of_the_list() -> None:
    script = """
        C: A1 UID FETCH 5,9 (FLAGS)
        S: * 1 FETCH (UID 5 FLAGS ())
        S: * 3 FETCH (UID 9 FLAGS ())
        S: A1 OK done
        C: A2 UID FETCH 7 (FLAGS)
        S: * 2 FETCH (UID 7 FLAGS ())
        S: A2 OK done
    """
    with dialogue(script) as client:
        assert [uid for uid, _ in client.fetch_iter([9, 5, 9, 7], "FLAGS", chunk_messages=2)] == [9, 5, 7]


def test_modifiers_go_with_each_chunk() -> None:
    script = """
        C: A1 UID FETCH 5 (FLAGS) (CHANGEDSINCE 7)
        S: A1 OK done
        C: A2 UID FETCH 6 (FLAGS) (CHANGEDSINCE 7)
        S: * 1 FETCH (UID 6 FLAGS () MODSEQ (9))
        S: A2 OK done
    """
    with dialogue(script) as client:
        found = list(client.fetch_iter([5, 6], "FLAGS", ["CHANGEDSINCE 7"], chunk_messages=1))
        assert found == [(6, {b"SEQ": 1, b"FLAGS": (), b"MODSEQ": (9,)})]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.fetch_iter(0, "FLAGS"),
        lambda client: client.fetch_iter("1,x", "FLAGS"),
        lambda client: client.fetch_iter(1, []),
        lambda client: client.fetch_iter(1, "FLAGS\r\n"),
        lambda client: client.fetch_iter(1, "FLAGS", chunk_messages=0),
        lambda client: client.fetch_iter(1, "FLAGS", chunk_bytes=0),
        lambda client: client.fetch_iter([True], "FLAGS"),
    ],
)
def test_wrong_arguments_are_told_by_the_call_itself(call: Any) -> None:
    with dialogue() as client, pytest.raises((ValueError, TypeError)):
        call(client)


# -- sequence sets


def _received_size(tag: str, **uids: int) -> str:
    lines = [f"S: * {number[1:]} FETCH (UID {uid} FLAGS ())\n" for number, uid in uids.items()]
    return "".join(lines) + f"S: {tag} OK done\n"


def test_all_messages_of_a_small_folder() -> None:
    script = f"""
        C: A1 UID FETCH * (UID)
        {_received_size("A1", n3=900)}
        C: A2 UID FETCH 1:900 (FLAGS)
        {_received_size("A2", n1=5, n2=77, n3=900)}
    """
    with dialogue(script) as client:
        assert [uid for uid, _ in client.fetch_iter("1:*", "FLAGS")] == [5, 77, 900]


def test_an_empty_folder() -> None:
    with dialogue("C: A1 UID FETCH * (UID)\nS: A1 OK done") as client:
        assert list(client.fetch_iter("1:*", "FLAGS")) == []


def test_a_large_folder_is_cut_at_uids_that_the_server_tells() -> None:
    """Not at sequence numbers, which shift, nor at round UIDs: millions of them may be three messages."""
    script = f"""
        C: A1 UID FETCH * (UID)
        {_received_size("A1", n2500=4000000000)}
        C: A2 FETCH 1000,2000 (UID)
        {_received_size("A2", n1000=1111, n2000=30000)}
        C: A3 UID FETCH 1:1111 (FLAGS)
        {_received_size("A3", n1=1, n1000=1111)}
        C: A4 UID FETCH 1112:30000 (FLAGS)
        {_received_size("A4", n2000=30000)}
        C: A5 UID FETCH 30001:4000000000 (FLAGS)
        {_received_size("A5", n2500=4000000000)}
    """
    with dialogue(script) as client:
        assert [uid for uid, _ in client.fetch_iter("1:*", "FLAGS")] == [1, 1111, 30000, 4000000000]


def test_a_removal_while_the_bounds_are_asked_for_has_them_asked_for_again() -> None:
    script = f"""
        C: A1 UID FETCH * (UID)
        S: * 2001 FETCH (UID 9000)
        S: * 1 EXPUNGE
        S: A1 OK done
        C: A2 FETCH 1000,2000 (UID)
        {_received_size("A2", n1000=1001, n2000=9000)}
        C: A3 UID FETCH * (UID)
        {_received_size("A3", n2000=9000)}
        C: A4 FETCH 1000 (UID)
        {_received_size("A4", n1000=1001)}
        C: A5 UID FETCH 1:1001 (FLAGS)
        S: A5 OK done
        C: A6 UID FETCH 1002:9000 (FLAGS)
        S: A6 OK done
    """
    with dialogue(script) as client:
        assert list(client.fetch_iter("1:*", "FLAGS")) == []


def test_a_removal_that_makes_the_bounds_impossible_has_them_asked_for_again() -> None:
    script = f"""
        C: A1 UID FETCH * (UID)
        S: * 1001 FETCH (UID 9000)
        S: * 7 EXPUNGE
        S: * 7 EXPUNGE
        S: A1 OK done
        C: A2 FETCH 1000 (UID)
        S: A2 BAD Invalid messageset
        C: A3 UID FETCH * (UID)
        {_received_size("A3", n999=9000)}
        C: A4 UID FETCH 1:9000 (FLAGS)
        S: A4 OK done
    """
    with dialogue(script) as client:
        assert list(client.fetch_iter("1:*", "FLAGS")) == []


def test_a_server_that_refuses_the_bounds() -> None:
    script = f"C: A1 UID FETCH * (UID)\n{_received_size('A1', n1001=9000)}C: A2 FETCH 1000 (UID)\nS: A2 NO no"
    with dialogue(script) as client, pytest.raises(CommandError, match="no"):
        next(client.fetch_iter("1:*", "FLAGS"))


@pytest.mark.parametrize("told", ["", "S: * 1000 FETCH (FLAGS ())\n", "S: * 1000 FETCH (UID x)\n"])
def test_a_server_that_tells_no_bounds(told: str) -> None:
    script = f"C: A1 UID FETCH * (UID)\n{_received_size('A1', n1001=9000)}C: A2 FETCH 1000 (UID)\n{told}S: A2 OK done"
    with dialogue(script + "\nC: A3 NOOP\nS: A3 OK done") as client:
        with pytest.raises(ProtocolError, match="does not send the UID"):
            next(client.fetch_iter("1:*", "FLAGS"))
        client.noop()


def test_small_chunks_of_a_large_set_are_asked_for_their_uids() -> None:
    script = f"""
        C: A1 UID FETCH * (UID)
        {_received_size("A1", n3=9000)}
        C: A2 UID FETCH 1:9000 (UID)
        {_received_size("A2", n1=5, n2=77, n3=9000)}
        C: A3 UID FETCH 5,77 (FLAGS)
        {_received_size("A3", n1=5, n2=77)}
        C: A4 UID FETCH 9000 (FLAGS)
        {_received_size("A4", n3=9000)}
    """
    with dialogue(script) as client:
        assert [uid for uid, _ in client.fetch_iter("1:*", "FLAGS", chunk_messages=2)] == [5, 77, 9000]


def test_the_saved_result_of_a_search() -> None:
    script = """
        C: A1 UID SEARCH $
        S: * SEARCH 5 7 9
        S: A1 OK done
    """
    with dialogue(script + _TWO_CHUNKS.replace("A2", "A3").replace("A1", "A2").format(between="")) as client:
        assert list(client.fetch_iter("$", "FLAGS", chunk_messages=2)) == _FOUND


# -- bounded in bytes


def test_text_is_fetched_in_chunks_by_size() -> None:
    script = """
        C: A1 UID FETCH 5,7,9,11:12 (RFC822.SIZE)
        S: * 1 FETCH (UID 5 RFC822.SIZE 60)
        S: * 2 FETCH (UID 7 RFC822.SIZE 40)
        S: * 3 FETCH (UID 9 RFC822.SIZE 5000)
        S: * 4 FETCH (UID 12 RFC822.SIZE 10)
        S: A1 OK done
        C: A2 UID FETCH 5,7 (BODY.PEEK[])
        S: * 1 FETCH (UID 5 BODY[] "five")
        S: * 2 FETCH (UID 7 BODY[] "seven")
        S: A2 OK done
        C: A3 UID FETCH 9 (BODY.PEEK[])
        S: * 3 FETCH (UID 9 BODY[] "nine")
        S: A3 OK done
        C: A4 UID FETCH 12 (BODY.PEEK[])
        S: * 4 FETCH (UID 12 BODY[] "twelve")
        S: A4 OK done
    """
    with dialogue(script) as client:
        found = client.fetch_iter([5, 7, 9, 11, 12], "BODY.PEEK[]", chunk_bytes=100)
        assert [(uid, data[b"BODY[]"]) for uid, data in found] == [
            (5, b"five"),
            (7, b"seven"),
            (9, b"nine"),
            (12, b"twelve"),
        ]


def test_a_size_that_can_not_be_read_is_no_error_of_the_result() -> None:
    script = """
        C: A1 UID FETCH 5 (RFC822.SIZE)
        S: * 1 FETCH (UID 5 RFC822.SIZE (large))
        S: A1 OK done
        C: A2 UID FETCH 5 (BODY[])
        S: * 1 FETCH (UID 5 BODY[] "five")
        S: A2 OK done
    """
    with dialogue(script) as client:
        client.strict = True
        messages = client.fetch_iter(5, "BODY[]")
        assert [uid for uid, _ in messages] == [5]
        assert messages.errors == []


def test_parts_of_known_length_need_no_sizes() -> None:
    script = "".join(f"C: A{uid} UID FETCH {uid} (BODY.PEEK[]<0.60>)\nS: A{uid} OK done\n" for uid in (1, 2))
    with dialogue(script) as client:
        assert list(client.fetch_iter([1, 2], "BODY.PEEK[]<0.60>", chunk_bytes=100)) == []


# -- sequence numbers


def test_sequence_numbers() -> None:
    script = """
        C: A1 UID FETCH * (UID)
        S: * 3 FETCH (UID 900)
        S: A1 OK done
        C: A2 FETCH 1:3 (FLAGS)
        S: * 1 FETCH (FLAGS (a))
        S: * 3 FETCH (FLAGS (c))
        S: A2 OK done
    """
    with dialogue(script, use_uid=False) as client:
        assert [number for number, _ in client.fetch_iter("1:*", "FLAGS")] == [1, 3]


@pytest.mark.parametrize("removed", ["* 1 EXPUNGE", "* VANISHED 5"])
def test_sequence_numbers_mean_others_after_a_removal(removed: str) -> None:
    """Not only in the next chunk: what is at hand already has the old numbers too."""
    script = f"""
        C: A1 FETCH 1:2 (FLAGS)
        S: * 1 FETCH (FLAGS (a))
        S: * 2 FETCH (FLAGS (b))
        S: A1 OK done
        C: A2 NOOP
        S: {removed}
        S: A2 OK done
        C: A3 NOOP
        S: A3 OK done
    """
    with dialogue(script, use_uid=False) as client:
        messages = client.fetch_iter([1, 2, 3], "FLAGS", chunk_messages=2)
        assert next(messages)[0] == 1
        client.noop()
        with pytest.raises(IllegalStateError, match="use UIDs"):
            next(messages)
        client.noop()


def test_what_vanished_earlier_moves_no_sequence_number() -> None:
    script = """
        C: A1 FETCH 1:2 (FLAGS)
        S: * 1 FETCH (FLAGS (a))
        S: * 2 FETCH (FLAGS (b))
        S: A1 OK done
        C: A2 NOOP
        S: * VANISHED (EARLIER) 5:9
        S: A2 OK done
    """
    with dialogue(script, use_uid=False) as client:
        messages = client.fetch_iter([1, 2], "FLAGS")
        assert next(messages)[0] == 1
        client.noop()
        assert next(messages)[0] == 2


def test_the_kind_of_ids_is_that_of_the_call() -> None:
    with dialogue(_TWO_CHUNKS.format(between="")) as client:
        messages = client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)
        first = next(messages)
        client.use_uid = False
        assert [first, *messages] == _FOUND


# -- another folder


@pytest.mark.parametrize("folder", ["Other", "INBOX"])
def test_another_folder_ends_it(folder: str) -> None:
    """Also one of the same name that was made anew: its UIDs mean other messages."""
    script = _SELECT.format("INBOX", 1) + _TWO_CHUNKS.partition("{between}")[0]
    script += _SELECT.format(folder, 2).replace("A90", "A91") + "C: A92 NOOP\nS: A92 OK done"
    with dialogue(script) as client:
        client.select_folder("INBOX")
        messages = client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)
        next(messages)
        client.select_folder(folder)
        with pytest.raises(IllegalStateError, match="another folder"):
            next(messages)
        client.noop()
        assert list(messages) == []


def test_leaving_the_folder_ends_it() -> None:
    script = _SELECT.format("INBOX", 1) + _TWO_CHUNKS.partition("{between}")[0] + "C: A91 CLOSE\nS: A91 OK done"
    with dialogue(script) as client:
        client.select_folder("INBOX")
        messages = client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)
        next(messages)
        client.close_folder()
        with pytest.raises(IllegalStateError, match="another folder"):
            next(messages)


def test_the_loop_may_go_to_another_folder_and_back() -> None:
    between = _SELECT.format("Other", 2).replace("A90", "A91") + _SELECT.format("INBOX", 1).replace("A90", "A92")
    script = _SELECT.format("INBOX", 1) + _TWO_CHUNKS.format(between=between)
    with dialogue(script) as client:
        client.select_folder("INBOX")
        found = []
        for uid, data in client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2):
            found.append((uid, data))
            if uid == 7:
                client.select_folder("Other")
                client.select_folder("INBOX")
        assert found == _FOUND


# -- what goes wrong


def test_what_can_not_be_read_is_in_errors() -> None:
    script = """
        C: A1 UID FETCH 5,7 (INTERNALDATE)
        S: * 1 FETCH (UID 5 INTERNALDATE "never")
        S: * 2 FETCH (UID 7 INTERNALDATE NIL)
        S: A1 OK done
        C: A2 UID FETCH 9 (INTERNALDATE)
        S: * 3 FETCH (UID 9 INTERNALDATE (x))
        S: A2 OK done
    """
    with dialogue(script) as client:
        messages = client.fetch_iter([5, 7, 9], "INTERNALDATE", chunk_messages=2)
        assert next(messages) == (5, {b"SEQ": 1, b"INTERNALDATE": None})
        assert [error.message for error in messages.errors] == [5]
        messages.errors.clear()
        assert [uid for uid, _ in messages] == [7, 9]
        assert [error.message for error in messages.errors] == [9]


def test_strict_raises() -> None:
    script = """
        C: A1 UID FETCH 5 (INTERNALDATE)
        S: * 1 FETCH (UID 5 INTERNALDATE "never")
        S: A1 OK done
        C: A2 NOOP
        S: A2 OK done
    """
    with dialogue(script) as client:
        client.strict = True
        messages = client.fetch_iter([5, 7], "INTERNALDATE", chunk_messages=1)
        with pytest.raises(ProtocolError):
            next(messages)
        assert list(messages) == []
        client.noop()


def test_a_chunk_that_is_refused_ends_it() -> None:
    script = """
        C: A1 UID FETCH 5 (FLAGS)
        S: A1 NO [SERVERBUG] no
        C: A2 NOOP
        S: A2 OK done
    """
    with dialogue(script) as client:
        messages = client.fetch_iter([5, 7], "FLAGS", chunk_messages=1)
        with pytest.raises(CommandError):
            next(messages)
        assert list(messages) == []
        client.noop()


def test_a_connection_that_ends() -> None:
    with dialogue("C: A1 UID FETCH 5,7 (FLAGS)\nCLOSE") as client, pytest.raises(IMAPClientAbortError):
        next(client.fetch_iter([5, 7], "FLAGS"))


# -- careless callers, and servers that are


@pytest.mark.parametrize("messages", [b"efg", b"101"])
@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_that_can_be_changed_are_no_ids(messages: bytes, kind: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError, match="a message id must be an int, str or bytes"):
        client.fetch_iter(kind(messages), "FLAGS")


def test_ids_of_a_kind_of_int_keep_their_order() -> None:
    class Uid(int):
        pass

    script = _TWO_CHUNKS.format(between="").replace("5,7", "7,9", 1).replace("UID 5", "UID 9")
    with dialogue(
        script.replace("UID FETCH 9 (", "UID FETCH 5 (").replace("* 3 FETCH (UID 9", "* 3 FETCH (UID 5")
    ) as client:
        assert [uid for uid, _ in client.fetch_iter([Uid(9), 7, Uid(5)], "FLAGS", chunk_messages=2)] == [9, 7, 5]


@pytest.mark.parametrize("sizes", [{"chunk_messages": 2.5}, {"chunk_bytes": "5"}, {"chunk_messages": None}])
def test_sizes_of_chunks_that_are_none(sizes: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError, match="must be an int"):
        client.fetch_iter("1:*", "FLAGS", **sizes)


@pytest.mark.parametrize("strict", [False, True])
def test_a_size_that_can_not_be_read(strict: bool) -> None:
    """Nothing tells which message it is, so it can't be fetched: it is not left out without a word."""
    script = """
        C: A1 UID FETCH 5,7 (RFC822.SIZE)
        S: * 1 FETCH (UID 5 RFC822.SIZE 3)
        S: * 2 FETCH RFC822.SIZE 3
        S: A1 OK done
    """
    rest = """
        C: A2 UID FETCH 5 (BODY.PEEK[])
        S: * 1 FETCH (UID 5 BODY[] "abc")
        S: A2 OK done
    """
    with dialogue(script if strict else script + rest) as client:
        client.strict = strict
        messages = client.fetch_iter([5, 7], "BODY.PEEK[]")
        if strict:
            with pytest.raises(ProtocolError):
                next(messages)
        else:
            assert [uid for uid, _ in messages] == [5]
            assert len(messages.errors) == 1


def test_a_size_of_nothing_is_not_known() -> None:
    script = "C: A1 UID FETCH 5,7 (RFC822.SIZE)\n"
    script += "S: * 1 FETCH (UID 5 RFC822.SIZE 0)\nS: * 2 FETCH (UID 7 RFC822.SIZE 0)\nS: A1 OK done\n"
    for tag, number, uid in ((2, 1, 5), (3, 2, 7)):
        script += (
            f"C: A{tag} UID FETCH {uid} (BODY.PEEK[])\nS: * {number} FETCH (UID {uid} BODY[] x)\nS: A{tag} OK done\n"
        )
    with dialogue(script) as client:
        assert [uid for uid, _ in client.fetch_iter([5, 7], "BODY.PEEK[]")] == [5, 7]


def test_a_part_of_no_bytes() -> None:
    script = "C: A1 UID FETCH 5 (BODY.PEEK[]<0.0>)\nS: A1 BAD what is that\nC: A2 NOOP\nS: A2 OK done"
    with dialogue(script) as client:
        with pytest.raises(CommandError):
            next(client.fetch_iter([5], "BODY.PEEK[]<0.0>"))
        client.noop()


def test_another_connection_in_the_body_of_the_loop() -> None:
    """As `watch` makes one, with another folder perhaps."""
    script = _TWO_CHUNKS.partition("{between}")[0]
    with dialogue(script) as client, dialogue() as other:
        messages = client.fetch_iter([5, 7, 9], "FLAGS", chunk_messages=2)
        next(messages)
        first, client._imap = client._imap, other._imap
        with pytest.raises(IllegalStateError, match="another connection was made"):
            next(messages)
        client._imap = first
