"""FETCH."""

from __future__ import annotations

import copy
import datetime
from typing import Any, Callable

import pytest

from imapclient._parsing.fetch.results import FetchResult
from imapclient.exceptions import ProtocolError
from imapclient.response_types import Address, BodyData, Envelope
from tests.helpers.dialogue import Case, dialogue, in_every_way, types, unsolicited
from tests.helpers.scripted_peer import Script, SendBytes

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

CASES = [
    Case(
        "fetch",
        lambda client: client.fetch([3230, 3293], ["FLAGS", "RFC822.SIZE"]),
        "C: A1 UID FETCH 3230,3293 (FLAGS RFC822.SIZE)",
        "S: * 84 FETCH (UID 3230 FLAGS (\\Seen Work) RFC822.SIZE 44)\nS: * 110 FETCH (RFC822.SIZE 5 FLAGS () UID 3293)",
        {
            3230: {b"SEQ": 84, b"FLAGS": (b"\\Seen", b"Work"), b"RFC822.SIZE": 44},
            3293: {b"SEQ": 110, b"FLAGS": (), b"RFC822.SIZE": 5},
        },
    ),
    Case(
        "fetch-sequence-numbers",
        lambda client: client.fetch(84, "UID"),
        "C: A1 FETCH 84 (UID)",
        "S: * 84 FETCH (UID 3230)",
        {84: {b"SEQ": 84, b"UID": 3230}},
        use_uid=False,
    ),
    Case(
        "fetch-literal",
        lambda client: client.fetch(5, ["BODY[]"]),
        "C: A1 UID FETCH 5 (BODY[])",
        'Sx-: * 1 FETCH (UID 5 BODY[] {14}\\r\\nA1 OK x\\r\\n)"{3}\nS: )',
        {5: {b"SEQ": 1, b"BODY[]": b'A1 OK x\r\n)"{3}'}},
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


def _fetched(*lines: str, messages: str = "1:9", items: str = "FLAGS") -> str:
    return "\n".join([f"C: A1 UID FETCH {messages} ({items})", *lines, "S: A1 OK Done"])


# -- the request


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ("FLAGS", "(FLAGS)"),
        (b"FLAGS", "(FLAGS)"),
        (["FLAGS", b"UID"], "(FLAGS UID)"),
        (("FLAGS",), "(FLAGS)"),
        (iter(["FLAGS", "UID"]), "(FLAGS UID)"),
        ("FLAGS UID", "(FLAGS UID)"),
        (["BODY.PEEK[HEADER.FIELDS (DATE FROM)]"], "(BODY.PEEK[HEADER.FIELDS (DATE FROM)])"),
        (["BODY[1.2]<0.1000>"], "(BODY[1.2]<0.1000>)"),
    ],
)
def test_the_items_that_are_sent(data: Any, sent: str) -> None:
    with dialogue(f"C: A1 UID FETCH 1 {sent}\nS: A1 OK Done") as client:
        # An iterator serves once, and the test runs twice.
        assert client.fetch(1, copy.copy(data)) == {}


@pytest.mark.parametrize(
    ("modifiers", "sent"),
    [
        (["CHANGEDSINCE 123"], " (CHANGEDSINCE 123)"),
        (["CHANGEDSINCE 123", b"VANISHED"], " (CHANGEDSINCE 123 VANISHED)"),
        ("CHANGEDSINCE 123", " (CHANGEDSINCE 123)"),
        (None, ""),
        ([], ""),
        ((), ""),
        (iter(()), ""),
        (iter(["CHANGEDSINCE 123"]), " (CHANGEDSINCE 123)"),
    ],
)
def test_modifiers(modifiers: Any, sent: str) -> None:
    script = f"""
        C: A1 UID FETCH 1:* (FLAGS){sent}
        S: * VANISHED (EARLIER) 41,43:116
        S: * 3 FETCH (UID 7 MODSEQ (5) FLAGS ())
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.fetch("1:*", "FLAGS", copy.copy(modifiers)) == {7: {b"SEQ": 3, b"MODSEQ": (5,), b"FLAGS": ()}}
        assert unsolicited(client) == [(None, b"VANISHED", b"(EARLIER) 41,43:116")]


_RAW = ["x\r\nA999 NOOP", "x\r", "x\n", "BODY[]\0", "{5}", "BODY {5}", "BODY {5+}", b"X {5} "]


@pytest.mark.parametrize("raw", [*_RAW, *([raw] for raw in _RAW), ["FLAGS", "x\r\ny"], "", [], [""]])
def test_items_that_can_not_be_sent_raise_before_anything_is_sent(raw: Any) -> None:
    with dialogue() as client:
        with pytest.raises(ValueError, match="fetch data must not"):
            client.fetch(1, raw)
        if raw != []:
            # No modifiers at all are as good as None.
            with pytest.raises(ValueError, match="fetch modifiers must not"):
                client.fetch(1, "FLAGS", raw)
        with pytest.raises(ValueError, match="fetch data must not"):
            client.fetch([], raw)


@pytest.mark.parametrize("raw", [None, 5, [None], ["FLAGS", 5]])
def test_items_that_are_no_text_raise_before_anything_is_sent(raw: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError):
        client.fetch(1, raw)


# -- which messages are in the result


def test_the_order_is_that_of_the_request() -> None:
    lines = [f"S: * {number} FETCH (UID {number} FLAGS ())" for number in (1, 2, 3, 5, 7)]
    with dialogue(_fetched(*lines, messages="1:3,5,7")) as client:
        assert list(client.fetch([7, 2, 5, 3, 1], "FLAGS")) == [7, 2, 5, 3, 1]


def test_duplicates_are_asked_for_and_returned_once() -> None:
    lines = [f"S: * {number} FETCH (UID {number} FLAGS ())" for number in (1, 2)]
    with dialogue(_fetched(*lines, messages="1:2")) as client:
        assert list(client.fetch([2, 1, 2, "1:2", 1], "FLAGS")) == [2, 1]


@pytest.mark.parametrize(
    ("messages", "sent", "expected"),
    [
        ("9,1:3", "1:3,9", [9, 1, 2, 3]),
        (["3:1", 9], "1:3,9", [3, 2, 1, 9]),
        (range(3, 0, -1), "1:3", [3, 2, 1]),
    ],
)
def test_the_order_of_ranges(messages: Any, sent: str, expected: list[int]) -> None:
    lines = [f"S: * {number} FETCH (UID {number} FLAGS ())" for number in (2, 9, 1, 3) if number in expected]
    with dialogue(_fetched(*lines, messages=sent)) as client:
        assert list(client.fetch(messages, "FLAGS")) == expected


def test_messages_that_are_not_there_are_not_in_the_result() -> None:
    with dialogue(_fetched("S: * 1 FETCH (UID 4 FLAGS ())", messages="1,4,8")) as client:
        assert client.fetch([8, 4, 1], "FLAGS") == {4: {b"SEQ": 1, b"FLAGS": ()}}


def test_other_messages_are_not_in_the_result() -> None:
    script = _fetched(
        "S: * 3 FETCH (UID 30 FLAGS (\\Seen))",
        "S: * 1 FETCH (UID 10 FLAGS ())",
        "S: * 5 FETCH (UID 50 FLAGS (\\Deleted))",
        messages="10",
    )
    with dialogue(script) as client:
        assert client.fetch(10, "FLAGS") == {10: {b"SEQ": 1, b"FLAGS": ()}}
        assert unsolicited(client) == [
            (3, b"FETCH", b"(UID 30 FLAGS (\\Seen))"),
            (5, b"FETCH", b"(UID 50 FLAGS (\\Deleted))"),
        ]


def test_other_messages_are_not_in_the_result_with_sequence_numbers() -> None:
    script = """
        C: A1 FETCH 1 (FLAGS)
        S: * 3 FETCH (FLAGS (\\Seen))
        S: * 1 FETCH (FLAGS ())
        S: A1 OK Done
    """
    with dialogue(script, use_uid=False) as client:
        assert client.fetch(1, "FLAGS") == {1: {b"SEQ": 1, b"FLAGS": ()}}
        assert unsolicited(client) == [(3, b"FETCH", b"(FLAGS (\\Seen))")]


@pytest.mark.parametrize("messages", ["1:*", "*", "2:*,1", "*:1", ["1:*"]])
def test_an_open_set_takes_all_messages_in_their_order(messages: Any) -> None:
    sent = {"*": "*", "2:*,1": "1:*"}.get(messages if isinstance(messages, str) else "", "1:*")
    lines = [f"S: * {number} FETCH (UID {number}0 FLAGS ())" for number in (1, 2, 3)]
    with dialogue(_fetched(*lines, messages=sent)) as client:
        result = client.fetch(messages, "FLAGS")
        assert {uid: items[b"SEQ"] for uid, items in result.items()} == {10: 1, 20: 2, 30: 3}
        assert type(result) is FetchResult
        if messages == "1:*":
            assert list(result) == [10, 20, 30]


def test_the_saved_result_of_a_search() -> None:
    with dialogue(_fetched("S: * 1 FETCH (UID 10 FLAGS ())", messages="$")) as client:
        assert client.fetch("$", "FLAGS") == {10: {b"SEQ": 1, b"FLAGS": ()}}


def test_several_responses_for_one_message_are_one() -> None:
    script = _fetched(
        "S: * 1 FETCH (UID 10 FLAGS ())",
        "S: * 2 FETCH (UID 20 FLAGS ())",
        "S: * 1 FETCH (UID 10 RFC822.SIZE 5)",
        "S: * 1 FETCH (FLAGS (\\Seen) UID 10)",
        messages="10,20",
    )
    with dialogue(script) as client:
        assert client.fetch([10, 20], "FLAGS") == {
            10: {b"SEQ": 1, b"FLAGS": (b"\\Seen",), b"RFC822.SIZE": 5},
            20: {b"SEQ": 2, b"FLAGS": ()},
        }


def test_a_response_without_uid_is_not_filed_under_its_sequence_number() -> None:
    script = _fetched(
        "S: * 10 FETCH (FLAGS (\\Answered))",
        "S: * 1 FETCH (UID 10 FLAGS ())",
        "S: * 2 FETCH (RFC822.SIZE 7)",
        messages="2,10",
    )
    with dialogue(script) as client:
        assert client.fetch([10, 2], "FLAGS") == {10: {b"SEQ": 1, b"FLAGS": ()}}
        assert unsolicited(client) == [
            (10, b"FETCH", b"(FLAGS (\\Answered))"),
            (2, b"FETCH", b"(RFC822.SIZE 7)"),
        ]


def test_nor_with_an_open_set() -> None:
    script = _fetched("S: * 10 FETCH (FLAGS (\\Answered))", "S: * 1 FETCH (UID 7 FLAGS ())", messages="1:*")
    with dialogue(script) as client:
        assert client.fetch("1:*", "FLAGS") == {7: {b"SEQ": 1, b"FLAGS": ()}}
        assert unsolicited(client) == [(10, b"FETCH", b"(FLAGS (\\Answered))")]


def test_a_response_without_uid_belongs_to_the_uid_that_the_same_command_told() -> None:
    script = _fetched(
        "S: * 1 FETCH (UID 10 FLAGS ())",
        "S: * 3 FETCH (UID 30 FLAGS ())",
        "S: * 1 FETCH (RFC822.SIZE 7)",
        "S: * 3 FETCH (RFC822.SIZE 9)",
        messages="10",
    )
    with dialogue(script) as client:
        assert client.fetch(10, "FLAGS") == {10: {b"SEQ": 1, b"FLAGS": (), b"RFC822.SIZE": 7}}
        assert unsolicited(client) == [
            (3, b"FETCH", b"(UID 30 FLAGS ())"),
            (3, b"FETCH", b"(RFC822.SIZE 9)"),
        ]


def test_so_does_one_among_many_that_are_read_at_once() -> None:
    script = _fetched(
        "S: * 1 FETCH (UID 10 FLAGS ())",
        "S: * 2 FETCH (UID 20 FLAGS ())",
        "S: * 3 FETCH (UID 30 FLAGS ())",
        "S: * 3 FETCH (RFC822.SIZE 7)",
        "S: * 2 FETCH (RFC822.SIZE 8)",
        messages="10,20,30",
    )
    with dialogue(script) as client:
        assert client.fetch([10, 20, 30], "FLAGS") == {
            10: {b"SEQ": 1, b"FLAGS": ()},
            20: {b"SEQ": 2, b"FLAGS": (), b"RFC822.SIZE": 8},
            30: {b"SEQ": 3, b"FLAGS": (), b"RFC822.SIZE": 7},
        }


@pytest.mark.parametrize("ending", ["S: * 1 EXPUNGE", "S: * VANISHED 5"])
def test_what_was_told_ends_with_an_expunge(ending: str) -> None:
    """Sequence numbers mean other messages then (RFC 9051, 7.5.1; VANISHED: RFC 7162, 3.2.10)."""
    script = _fetched(
        "S: * 2 FETCH (UID 20 FLAGS ())",
        "S: * 3 FETCH (UID 30 FLAGS ())",
        "S: * 4 FETCH (UID 40 FLAGS ())",
        ending,
        "S: * 2 FETCH (RFC822.SIZE 7)",
        "S: * 4 FETCH (RFC822.SIZE 7)",
        messages="20,30,40",
    )
    with dialogue(script) as client:
        assert client.fetch([20, 30, 40], "FLAGS") == {
            20: {b"SEQ": 2, b"FLAGS": ()},
            30: {b"SEQ": 3, b"FLAGS": ()},
            40: {b"SEQ": 4, b"FLAGS": ()},
        }
        assert (2, b"FETCH", b"(RFC822.SIZE 7)") in unsolicited(client)
        assert (4, b"FETCH", b"(RFC822.SIZE 7)") in unsolicited(client)


def test_earlier_commands_tell_nothing_about_sequence_numbers() -> None:
    script = """
        C: A1 UID FETCH 10 (FLAGS)
        S: * 1 FETCH (UID 10 FLAGS ())
        S: A1 OK Done
        C: A2 UID FETCH 10 (FLAGS)
        S: * 1 FETCH (FLAGS (\\Seen))
        S: A2 OK Done
    """
    with dialogue(script) as client:
        client.fetch(10, "FLAGS")
        assert client.fetch(10, "FLAGS") == {}


def test_use_uid_can_be_changed_at_any_time() -> None:
    script = """
        C: A1 UID FETCH 10 (UID)
        S: * 1 FETCH (UID 10)
        S: A1 OK Done
        C: A2 FETCH 1 (UID)
        S: * 1 FETCH (UID 10)
        S: A2 OK Done
    """
    with dialogue(script) as client:
        assert client.fetch(10, "UID") == {10: {b"SEQ": 1}}
        client.use_uid = False
        assert client.fetch(1, "UID") == {1: {b"SEQ": 1, b"UID": 10}}


# -- the values


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("flags (\\Seen) rfc822.size 5", {b"FLAGS": (b"\\Seen",), b"RFC822.SIZE": 5}),
        ("FLAGS (\\Seen 2024 NIL)", {b"FLAGS": (b"\\Seen", b"2024", b"NIL")}),
        ("body[header] NIL", {b"BODY[HEADER]": None}),
        ('body.peek[text]<0> "x"', {b"BODY.PEEK[TEXT]<0>": b"x"}),
        ('BODY[] "a \\"b\\""', {b"BODY[]": b'a "b"'}),
        ('BODY[HEADER.FIELDS (DATE FROM)] "x"', {b"BODY[HEADER.FIELDS (DATE FROM)]": b"x"}),
        ('BODY[HEADER.FIELDS ("DATE" "FROM")] "x"', {b"BODY[HEADER.FIELDS (DATE FROM)]": b"x"}),
        ('BODY[1.HEADER.FIELDS.NOT ("Date")]<0> "x"', {b"BODY[1.HEADER.FIELDS.NOT (DATE)]<0>": b"x"}),
        ('BODY[HEADER.FIELDS ({4}\nS: DATE FROM)] "x"', {b"BODY[HEADER.FIELDS (DATE FROM)]": b"x"}),
        ("BODY[] {0}\nS:  RFC822.SIZE 0", {b"BODY[]": b"", b"RFC822.SIZE": 0}),
        ("BODY[1] {2}\nS: ab BODY[2] {3}\nS: c)d", {b"BODY[1]": b"ab", b"BODY[2]": b"c)d"}),
        ("BINARY[1] ~{4}\nSx-: a\\0\\r\\n\nS: ", {b"BINARY[1]": b"a\0\r\n"}),
        ("BINARY.SIZE[1] 7", {b"BINARY.SIZE[1]": 7}),
        ("MODSEQ (624140003)", {b"MODSEQ": (624140003,)}),
        (
            'X-GM-LABELS (\\Inbox "a b" 7) X-GM-MSGID 1278455344230334865',
            {b"X-GM-LABELS": (b"\\Inbox", b"a b", b"7"), b"X-GM-MSGID": 1278455344230334865},
        ),
        ("INTERNALDATE NIL", {b"INTERNALDATE": None}),
        (
            'ENVELOPE (NIL {3}\nS: a"b NIL NIL NIL ((NIL NIL "ann" "example.org")) NIL NIL NIL "<1@x>")',
            {
                b"ENVELOPE": Envelope(
                    None,
                    b'a"b',
                    None,
                    None,
                    None,
                    (Address(None, None, b"ann", b"example.org"),),
                    None,
                    None,
                    None,
                    b"<1@x>",
                )
            },
        ),
        (
            'BODY ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 42 2)',
            {b"BODY": BodyData((b"TEXT", b"PLAIN", (b"CHARSET", b"utf-8"), None, None, b"7BIT", 42, 2))},
        ),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_values(items: str, expected: dict[bytes, Any]) -> None:
    line = f"S: * 1 FETCH (UID 5 {items})"
    # An item of its own that the server may answer with anything.
    with dialogue(_fetched(line, messages="5").replace("(FLAGS)", "(X)", 1)) as client:
        result = client.fetch(5, "X")
        assert result == {5: {b"SEQ": 1, **expected}}
        assert types(result[5]) == types({b"SEQ": 1, **expected})


@pytest.mark.parametrize("uid", ['"5"', "{1}\nS: 5", "5"])
def test_a_uid_in_another_form(uid: str) -> None:
    with dialogue(_fetched(f"S: * 1 FETCH (FLAGS () UID {uid})", messages="5")) as client:
        assert client.fetch(5, "FLAGS") == {5: {b"SEQ": 1, b"FLAGS": ()}}


@pytest.mark.usefixtures("in_berlin")
def test_times_are_naive_and_local_unless_that_is_off() -> None:
    envelope = '("Wed, 17 Jul 1996 02:23:25 -0700" NIL NIL NIL NIL NIL NIL NIL NIL NIL)'
    line = f'S: * 1 FETCH (UID 5 INTERNALDATE "17-Jul-1996 02:44:25 -0700" ENVELOPE {envelope})'
    script = _fetched(line, messages="5")
    with dialogue(script + "\n" + script.replace("A1", "A2")) as client:
        items = client.fetch(5, "FLAGS")[5]
        assert items[b"INTERNALDATE"] == datetime.datetime(1996, 7, 17, 11, 44, 25)
        assert items[b"INTERNALDATE"].tzinfo is None
        assert items[b"ENVELOPE"].date == datetime.datetime(1996, 7, 17, 11, 23, 25)
        client.normalise_times = False
        items = client.fetch(5, "FLAGS")[5]
        zone = datetime.timezone(datetime.timedelta(hours=-7))
        assert items[b"INTERNALDATE"] == datetime.datetime(1996, 7, 17, 2, 44, 25, tzinfo=zone)
        assert items[b"INTERNALDATE"].utcoffset() == datetime.timedelta(hours=-7)
        assert items[b"INTERNALDATE"].hour == 2
        assert items[b"ENVELOPE"].date.utcoffset() == datetime.timedelta(hours=-7)


def test_a_large_literal() -> None:
    body = b"0123456789abcde\n" * 20000
    line = b"* 1 FETCH (UID 5 BODY[] {%d}\r\n%b FLAGS ())\r\n" % (len(body), body)
    script: Script = ["C: A1 UID FETCH 5 (BODY[])", SendBytes(line), "S: A1 OK Done"]
    with dialogue(script) as client:
        assert client.fetch(5, "BODY[]") == {5: {b"SEQ": 1, b"BODY[]": body, b"FLAGS": ()}}


@pytest.mark.parametrize(
    "line",
    [
        "S: * 1 FETCH (UID 5 FLAGS (\\Seen)",
        "S: * 1 FETCH (UID 5 FLAGS",
        "S: * 1 FETCH UID 5",
        "S: * 1 FETCH",
        "S: * 1 FETCH (UID 5 FLAGS)",
        "S: * 1 FETCH (UID x FLAGS ())",
        'S: * 1 FETCH (UID 5 BODY[] "x)',
        "S: * 1 FETCH (UID 5 BODY[] {3}\nS: abc",
        "S: * 1 FETCH (UID 5 ENVELOPE 7)",
        'S: * 1 FETCH (UID 5 ENVELOPE "x")',
        "S: * 1 FETCH (UID 5 BODYSTRUCTURE 7)",
        'S: * 1 FETCH (UID "x" FLAGS ())',
        'S: * 1 FETCH (UID 5 BODY[HEADER.FIELDS ("A" x)',
        "S: * 1 FETCH (UID 5 " + "(" * 2000 + ")" * 2000 + ")",
    ],
    ids=lambda line: line[:30],
)
def test_a_response_that_can_not_be_read_leaves_the_connection_usable(line: str) -> None:
    script = _fetched(line, "S: * 2 FETCH (UID 6 FLAGS ())", messages="5")
    with dialogue(f"{script}\nC: A2 NOOP\nS: A2 OK Done") as client:
        client.strict = True
        with pytest.raises(ProtocolError):
            client.fetch(5, "FLAGS")
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("data", ["(UID 1 ENVELOPE 5)", "(ENVELOPE 5 UID 1)", "(UID 1 FLAGS (\\Seen"])
def test_a_response_of_another_message_that_can_not_be_read_is_passed_over(data: str) -> None:
    script = _fetched(f"S: * 1 FETCH {data}", "S: * 2 FETCH (UID 2 FLAGS (\\Seen))", messages="2")
    with dialogue(script) as client:
        assert client.fetch(2, "FLAGS") == {2: {b"SEQ": 2, b"FLAGS": (b"\\Seen",)}}
        assert unsolicited(client) == [(1, b"FETCH", data.encode())]


def test_a_response_of_another_sequence_number_that_can_not_be_read_is_passed_over() -> None:
    script = """
        C: A1 FETCH 2 (FLAGS)
        S: * 1 FETCH (ENVELOPE 5)
        S: * 2 FETCH (FLAGS ())
        S: A1 OK Done
    """
    with dialogue(script, use_uid=False) as client:
        assert client.fetch(2, "FLAGS") == {2: {b"SEQ": 2, b"FLAGS": ()}}
