"""THREAD (RFC 5256)."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import BadCharsetError, CapabilityError, InvalidCriteriaError, ProtocolError
from imapclient.sequence_set import UidSet
from tests.helpers.dialogue import Case, dialogue, in_every_way, types
from tests.helpers.scripted_peer import ScriptedPeer

_THREAD = "IMAP4rev1 THREAD=REFERENCES THREAD=ORDEREDSUBJECT"

CASES = [
    Case(
        "thread",
        lambda client: client.thread(),
        "C: A1 UID THREAD REFERENCES UTF-8 ALL",
        "S: * THREAD (2)(3 6 (4 23)(44 7 96))",
        ((2,), (3, 6, (4, 23), (44, 7, 96))),
        needs="THREAD=REFERENCES",
        bad=InvalidCriteriaError,
    ),
    Case(
        "thread-sequence-numbers",
        lambda client: client.thread("ORDEREDSUBJECT", "UNSEEN", "US-ASCII"),
        "C: A1 THREAD ORDEREDSUBJECT US-ASCII UNSEEN",
        "S: * THREAD (1 2)",
        ((1, 2),),
        needs="THREAD=ORDEREDSUBJECT",
        bad=InvalidCriteriaError,
        use_uid=False,
    ),
    Case(
        "thread-literal",
        lambda client: client.thread("REFERENCES", ["SUBJECT", "café"]),
        "C: A1 UID THREAD REFERENCES UTF-8 SUBJECT {5}\nS: + go\nC: café",
        "S: * THREAD",
        (),
        needs="THREAD=REFERENCES",
        bad=InvalidCriteriaError,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


@pytest.mark.parametrize(
    ("responses", "threads"),
    [
        ("", ()),
        ("S: * THREAD", ()),
        ("S: * THREAD ", ()),
        ("S: * THREAD (1)", ((1,),)),
        ("S: * THREAD (3)(5)", ((3,), (5,))),
        ("S: * THREAD (3) (5 6) ", ((3,), (5, 6))),
        ("S: * THREAD ((1)(2))", (((1,), (2,)),)),
        ("S: * THREAD ((1)(2 (3)(4)))(5)", (((1,), (2, (3,), (4,))), (5,))),
        ("S: * THREAD (3)(5)\nS: * THREAD\nS: * THREAD ((1)(2))", ((3,), (5,), ((1,), (2,)))),
    ],
)
def test_forms_of_the_answer(responses: str, threads: Any) -> None:
    script = f"C: A1 UID THREAD REFERENCES UTF-8 ALL\n{responses}\nS: A1 OK Done"
    with dialogue(script, capabilities=_THREAD) as client:
        found = client.thread()
        assert found == threads
        assert types(found) == types(threads)


@pytest.mark.parametrize(
    ("algorithm", "criteria", "charset", "sent"),
    [
        ("REFERENCES", "ALL", "UTF-8", "REFERENCES UTF-8 ALL"),
        (b"references", b"ALL", "utf-8", "references utf-8 ALL"),
        ("REFS", ["UID", UidSet("5:7")], "UTF-8", "REFS UTF-8 UID 5:7"),
        ("REFS", ["SUBJECT", "é"], "ISO-8859-1", "REFS ISO-8859-1 SUBJECT {1}\nS: + go\nCx: \\xe9"),
        ("REFS", ["NOT", ["SUBJECT", "é"]], "UTF-8", "REFS UTF-8 NOT (SUBJECT {2}\nS: + go\nC: é)"),
        ("REFS", "ALL", None, "REFS UTF-8 ALL"),
    ],
)
def test_what_is_sent(algorithm: Any, criteria: Any, charset: Any, sent: str) -> None:
    script = f"C: A1 UID THREAD {sent}\nS: * THREAD (4)\nS: A1 OK Done"
    with dialogue(script, capabilities=f"{_THREAD} THREAD=REFS") as client:
        assert client.thread(algorithm, criteria, charset) == ((4,),)


@pytest.mark.parametrize("algorithm", ["REFS", "refs", b"REFS", "REFERENCES2", "REF"])
def test_an_algorithm_that_the_server_lacks(algorithm: Any) -> None:
    with dialogue(capabilities=_THREAD) as client, pytest.raises(CapabilityError, match=r"(?i)THREAD=REF"):
        client.thread(algorithm)


@pytest.mark.parametrize("algorithm", ["", "x\r\nA999 NOOP", "REFERENCES UTF-8 ALL", "{5}", '"x"', "é", b"\xff", "x\0"])
def test_what_is_no_algorithm_raises_before_anything_is_sent(algorithm: Any) -> None:
    with dialogue(capabilities=_THREAD) as client, pytest.raises(ValueError, match="not a valid threading algorithm"):
        client.thread(algorithm)


_BROKEN = ["(1", "(1))", "1", "(x)", "(1 NIL)", '("1")', "(-1)", "(1.5)", "(1) (MODSEQ 5)", ")", "(1,2)", "(" * 500]


@pytest.mark.parametrize("data", _BROKEN)
def test_an_answer_that_can_not_be_read_leaves_the_connection_usable(data: str) -> None:
    script = f"C: A1 UID THREAD REFERENCES UTF-8 ALL\nS: * THREAD {data}\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_THREAD) as client:
        with pytest.raises(ProtocolError):
            client.thread()
        assert client.noop() == (b"Done", [])


def test_a_literal_is_no_thread() -> None:
    script = "C: A1 UID THREAD REFERENCES UTF-8 ALL\nS: * THREAD (1 {1}\nS: 2)\nS: A1 OK Done"
    with dialogue(script, capabilities=_THREAD) as client, pytest.raises(ProtocolError):
        client.thread()


@pytest.mark.parametrize(("allowed", "is_read"), [(29, False), (30, True), (5000, True)])
def test_nesting_up_to_the_clients_limit(allowed: int, is_read: bool) -> None:
    script = f"""
        S: * OK [CAPABILITY {_THREAD}] ready
        C: A1 UID THREAD REFERENCES UTF-8 ALL
        S: * THREAD {"(" * 30}1{")" * 30}
        S: A1 OK Done
        C: A2 NOOP
        S: A2 OK Done
    """
    with ScriptedPeer(script) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60, max_nesting_depth=allowed)
        try:
            if is_read:
                (found,) = client.thread()
                for _ in range(30):
                    (found,) = found
                assert found == 1
            else:
                with pytest.raises(ProtocolError, match="max_nesting_depth=29"):
                    client.thread()
            assert client.noop() == (b"Done", [])
        finally:
            client.shutdown()


def test_a_charset_that_the_server_asks_for() -> None:
    script = """
        C: A1 UID THREAD REFERENCES UTF-8 SUBJECT {2}
        S: A1 NO [BADCHARSET (US-ASCII KOI8-R)] Not that charset
        C: A2 UID THREAD REFERENCES KOI8-R SUBJECT {1}
        S: + go
        Cx: \\xf6
        S: * THREAD (5 4)
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_THREAD) as client:
        assert client.thread("REFERENCES", ["SUBJECT", "Ж"]) == ((5, 4),)


def test_a_charset_that_the_server_does_not_know() -> None:
    script = "C: A1 UID THREAD REFERENCES KOI7 SUBJECT x\nS: A1 NO [BADCHARSET] No\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_THREAD) as client:
        with pytest.raises(BadCharsetError):
            client.thread("REFERENCES", ["SUBJECT", "x"], "KOI7")
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("criteria", [["UID", range(1, 20_000, 2)], ["NOT", ["UID", range(1, 20_000, 2)]]])
def test_ids_too_many_for_one_command_raise_before_anything_is_sent(criteria: Any) -> None:
    """Messages that belong together may be in different parts."""
    with dialogue(capabilities=_THREAD) as client, pytest.raises(ValueError, match=r"too (many|long) for one command"):
        client.thread("REFERENCES", criteria)


@pytest.mark.parametrize("criteria", ["", [], ["SEEN", []]])
def test_empty_criteria_raise_before_anything_is_sent(criteria: Any) -> None:
    with dialogue(capabilities=_THREAD) as client, pytest.raises(InvalidCriteriaError, match="no criteria"):
        client.thread("REFERENCES", criteria)
