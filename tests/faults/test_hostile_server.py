"""Malicious servers: the client stays within limits of memory and time, and its error says what is wrong.

Each client runs in its own process, see `bounded_client.run`. Its defaults are the limits, unless a test sets others.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from tests.helpers import bounded_client
from tests.helpers.bounded_client import Outcome
from tests.helpers.sasl_turns import SCRAM_CHALLENGE, SCRAM_FIRST, SCRAM_NONCE, b64
from tests.helpers.scripted_peer import PeerFactory, SendBytes

pytest.importorskip("resource", reason="this system has no bounds for a process")

READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE NAMESPACE QUOTA ACL ENABLE ID THREAD=REFERENCES SORT] ready"
LOGIN = 'C: A1 LOGIN "ann" "secret"\nS: A1 OK done'
NOOP = "C: A9 NOOP\nS: A9 OK done"
MEGABYTE = 2**20


def assert_aborted(outcome: Outcome, *names: str) -> None:
    """Check that the connection is closed, with one of the documented exceptions and a readable text."""
    assert set(names) <= set(outcome.errors), outcome
    assert "abort" in outcome.errors, outcome
    assert not outcome.usable
    assert outcome.size < 1000


def assert_refused(outcome: Outcome, *names: str) -> None:
    """Check that the call raised one of the documented exceptions, and that the connection is usable."""
    assert set(names) <= set(outcome.errors), outcome
    assert "error" in outcome.errors, outcome
    assert "abort" not in outcome.errors, outcome
    assert outcome.usable
    assert outcome.size < 1000


def endless(data: bytes) -> SendBytes:
    """Yield the same bytes until the client closes the connection."""
    return SendBytes(itertools.repeat(data * max(1, 50_000 // len(data))))


def counted(form: bytes) -> SendBytes:
    """Yield ``form`` with 1, 2, 3, ... for each %d, until the client closes the connection."""

    def pieces() -> Iterator[bytes]:
        numbers = itertools.count(1)
        places = form.count(b"%d")
        while True:
            yield b"".join(form % ((number,) * places) for number in itertools.islice(numbers, 1000))

    return SendBytes(pieces())


# -- sizes

HUGE = ["9223372036854775808", "18446744073709551615"]


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize(
    ("call", "request_line", "line"),
    [
        ("client.fetch(1, ['BODY[]'])", "UID FETCH 1 (BODY[])", "* 1 FETCH (UID 1 BODY[] {%s}"),
        ("client.list_folders()", 'LIST "" "*"', '* LIST () "/" {%s}'),
        ("client.noop()", "NOOP", "* X {%s}"),
    ],
)
def test_a_literal_of_2_to_the_63_bytes(peer: PeerFactory, size: str, call: str, request_line: str, line: str) -> None:
    server = peer([f"{READY}\nC: A1 {request_line}\nS: {line % size}", endless(b"x")])
    assert_aborted(bounded_client.run(server.port, call, megabytes=16), "LimitError")


def test_an_endless_line(peer: PeerFactory) -> None:
    server = peer([f"{READY}\nC: A1 NOOP\nS-: * OK ", endless(b"x")])
    assert_aborted(bounded_client.run(server.port, "client.noop()", megabytes=160), "LimitError")


def test_an_endless_line_in_single_bytes(peer: PeerFactory) -> None:
    """A piece of a line needs more memory than its bytes: here a hundred times as much."""
    dribble = [f"{READY}\nC: A1 NOOP\nS-: * OK ", "CHUNK 1", SendBytes(b"x" * 8000), "CHUNK 0"]
    server = peer([*dribble, endless(b"x")])
    outcome = bounded_client.run(server.port, "client.noop()", megabytes=16, max_line_length=MEGABYTE)
    assert_aborted(outcome, "LimitError")


def test_a_greeting_that_never_ends(peer: PeerFactory) -> None:
    server = peer(["S-: * OK [CAPABILITY IMAP4rev1", endless(b" X")])
    assert_aborted(bounded_client.run(server.port, "", megabytes=160), "LimitError")


def test_a_greeting_of_endless_literals(peer: PeerFactory) -> None:
    server = peer(["S-: * LIST ", endless(b"{1}\r\nx")])
    assert_aborted(bounded_client.run(server.port, "", megabytes=16, max_response_size=MEGABYTE), "LimitError")


def test_a_greeting_that_dribbles(peer: PeerFactory) -> None:
    """The read timeout applies to each read. The whole greeting has to come within it too."""

    def dribble() -> Iterator[bytes]:
        while True:
            yield b"x"
            time.sleep(0.05)

    server = peer(["S-: * OK ", dribble()])
    outcome = bounded_client.run(server.port, "", timeout=2)
    assert "TimeoutError" in outcome.errors or "timeout" in outcome.errors
    assert_aborted(outcome)


CALLS = {
    "noop": ("client.noop()", "NOOP"),
    "create": ("client.create_folder('x')", 'CREATE "x"'),
    "select": ("client.select_folder('x')", 'SELECT "x"'),
    "list": ("client.list_folders()", 'LIST "" "*"'),
    "status": ("client.folder_status('x', 'MESSAGES')", 'STATUS "x" (MESSAGES)'),
    "search": ("client.search()", "UID SEARCH ALL"),
    "thread": ("client.thread()", "UID THREAD REFERENCES UTF-8 ALL"),
    "fetch one": ("client.fetch(1, 'FLAGS')", "UID FETCH 1 (FLAGS)"),
    "fetch all": ("client.fetch('1:*', 'FLAGS')", "UID FETCH 1:* (FLAGS)"),
    "expunge": ("client.expunge()", "EXPUNGE"),
    "getacl": ("client.getacl('x')", 'GETACL "x"'),
    "quota": ("client.get_quota('x')", 'GETQUOTAROOT "x"'),
    "namespace": ("client.namespace()", "NAMESPACE"),
    "enable": ("client._imap.state = 'AUTH'\nclient.enable('X')", "ENABLE X"),
    "id": ("client.id_()", "ID NIL"),
    "capability": ("client._imap.forget_capabilities()\nclient.capabilities()", "CAPABILITY"),
    "login": ("client.login('ann', 'secret')", 'LOGIN "ann" "secret"'),
    "logout": ("client.logout()", "LOGOUT"),
}
"""By name: the call, and the command that the client sends."""


@pytest.mark.parametrize("name", CALLS)
def test_endless_untagged_responses(peer: PeerFactory, name: str) -> None:
    """Responses of all kinds, with new numbers and names each time. Some belong to the command."""
    call, request_line = CALLS[name]
    form = (
        b'* %d EXISTS\r\n* OK [X%d] x\r\n* FLAGS (a%d)\r\n* LIST () "/" x%d\r\n* STATUS x (X%d 1)\r\n* SEARCH %d\r\n'
        b"* THREAD (%d)\r\n* %d FETCH (UID %d FLAGS (x%d) X%d 1)\r\n* 1 FETCH (UID 1 BODY[%d] abc X%d {3}\r\nabc)\r\n"
        b"* 1 EXPUNGE\r\n* ACL x a%d b\r\n* QUOTAROOT x a%d\r\n* QUOTA a%d (X 1 2)\r\n* ENABLED X%d\r\n"
        b'* NAMESPACE NIL NIL ((x%d "/"))\r\n* ID (a b%d)\r\n* CAPABILITY IMAP4rev1 X%d\r\n* X%d\r\n* %d FETCH (\r\n'
    )
    server = peer([f"{READY}\nC: A1 {request_line}", counted(form)])
    outcome = bounded_client.run(server.port, call, megabytes=64, max_command_size=32 * MEGABYTE)
    assert_aborted(outcome, "LimitError")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("list", b'* LIST () "/" x%d\r\n'),
        ("fetch all", b"* %d FETCH (UID %d FLAGS (x%d))\r\n"),
        ("fetch one", b"* 1 FETCH (UID 1 FLAGS ())\r\n"),
        ("create", b"* 1 EXISTS\r\n"),
        ("enable", b"* ENABLED X%d\r\n"),
    ],
)
def test_endless_untagged_responses_of_one_kind(peer: PeerFactory, name: str, form: bytes) -> None:
    call, request_line = CALLS[name]
    server = peer([f"{READY}\nC: A1 {request_line}", counted(form)])
    outcome = bounded_client.run(server.port, call, megabytes=64, max_command_size=32 * MEGABYTE)
    assert_aborted(outcome, "LimitError")


def test_endless_responses_in_idle(peer: PeerFactory) -> None:
    """Responses are returned in portions. The caller decides after each whether to continue."""
    server = peer([f"{READY}\nC: A1 IDLE\nS: + go", counted(b"* %d EXISTS\r\n")])
    calls = "client.idle()\nresult = sum(len(client.idle_check(60)) > 0 for _ in range(20))"
    outcome = bounded_client.run(server.port, calls, megabytes=64, max_command_size=16 * MEGABYTE)
    assert outcome.result == "20"


def test_endless_responses_at_the_end_of_idle(peer: PeerFactory) -> None:
    server = peer([f"{READY}\nC: A1 IDLE\nS: + go\nC: DONE", counted(b"* %d EXISTS\r\n")])
    outcome = bounded_client.run(server.port, "client.idle()\nclient.idle_done()", max_command_size=32 * MEGABYTE)
    assert_aborted(outcome)


# -- depth

DEEP = 100_000


@pytest.mark.parametrize(
    ("name", "line", "closed"),
    [
        ("noop", "* X %s", True),
        ("fetch one", "* 1 FETCH (UID 1 FLAGS %s)", True),
        ("fetch one", "* 1 FETCH (UID 1 FLAGS %s)", False),
        ("list", '* LIST %s "/" x', False),
        ("namespace", "* NAMESPACE %s NIL NIL", False),
        ("thread", "* THREAD %s", False),
        ("search", "* ESEARCH %s", False),
        ("create", "* OK [X %s] x", False),
    ],
)
def test_ten_million_nested_parentheses(peer: PeerFactory, name: str, line: str, closed: bool) -> None:
    call, request_line = CALLS[name]
    start, end = line.split("%s")
    half = 5_000_000
    brackets = [SendBytes(b"(" * half), SendBytes((b")" if closed else b"(") * half)]
    script = [f"{READY}\nC: A1 {request_line}\nS-: {start}", *brackets, f"S: {end}\nS: A1 OK done\n{NOOP}"]
    server = peer(script, timeout=60)
    calls = f"try:\n  {_indented(call)}\nfinally:\n  client.noop()"
    outcome = bounded_client.run(server.port, calls, megabytes=256, seconds=60)
    assert outcome.usable
    if outcome.errors:
        assert_refused(outcome, "ProtocolError")


def _indented(calls: str) -> str:
    return calls.replace("\n", "\n  ")


def _nested(item: str, depth: int) -> str:
    if item == "THREAD":
        return "(1 " * depth + ")" * depth
    if item == "ENVELOPE":
        return "(" * depth + ")" * depth
    return "(" * depth + '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)' + ' "MIXED")' * depth


@pytest.mark.parametrize("depth", [DEEP, 390])
@pytest.mark.parametrize("item", ["THREAD", "BODYSTRUCTURE", "BODY", "ENVELOPE"])
def test_depth(peer: PeerFactory, item: str, depth: int) -> None:
    """A value beyond the maximum depth is an error. A value within it works: repr(), ==, walk()."""
    value = _nested(item, depth)
    if item == "THREAD":
        call, request_line, line = "client.thread()", "UID THREAD REFERENCES UTF-8 ALL", f"* THREAD {value}"
    else:
        call, request_line = f"client.fetch(1, '{item}')", f"UID FETCH 1 ({item})"
        line = f"* 1 FETCH (UID 1 {item} {value})"
    answer = f"S: {line}\nS: A1 OK done\n"
    script = f"{READY}\nC: A1 {request_line}\n{answer}C: A2 NOOP\nS: A2 OK done\n"
    calls = f"""
client.strict = True
try:
    found = {call}
finally:
    client.noop()
assert repr(found) and found == {call}
result = sum(1 for part in found[1][b'{item}'].walk()) if b'BODY' in b'{item}' else None
"""
    if depth != DEEP:
        script += f"C: A3 {request_line}\n{answer.replace('A1', 'A3')}"
    if depth == DEEP:
        outcome = bounded_client.run(peer(script).port, calls)
        assert_refused(outcome, "ProtocolError")
        assert "max_nesting_depth" in outcome.message
    elif item == "ENVELOPE":
        # It can be parsed, but it is not an envelope.
        outcome = bounded_client.run(peer(script.partition("C: A3")[0]).port, calls)
        assert_refused(outcome, "ProtocolError")
    else:
        outcome = bounded_client.run(peer(script).port, calls)
        assert outcome.errors == (), outcome
        assert outcome.result == ("None" if item == "THREAD" else str(depth + 1))


# -- numbers

DIGITS = b"9" * 2_000_000


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("noop", b"* %s EXISTS"),
        ("noop", b"* X %s"),
        ("fetch one", b"* %s FETCH (UID 1 FLAGS ())"),
        ("fetch one", b"* 1 FETCH (UID %s FLAGS ())"),
        ("fetch one", b"* 1 FETCH (UID 1 FLAGS (%s))"),
        ("fetch one", b"* 1 FETCH (UID 1 FLAGS () MODSEQ (%s) RFC822.SIZE %s)"),
        ("fetch one", b'* 1 FETCH (UID 1 INTERNALDATE "%s-Jan-2024 00:00:00 +0000")'),
        ("fetch one", b'* 1 FETCH (UID 1 INTERNALDATE "01-Jan-%s 00:00:00 +%s")'),
        ("fetch one", b'* 1 FETCH (UID 1 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" %s %s))'),
        ("fetch one", b"* 1 FETCH (UID 1 BODY[] {%s}"),
        ("fetch one", b"* 1 FETCH (UID 1 BODY[]<%s> x)"),
        ("search", b"* SEARCH %s"),
        ("search", b"* SEARCH 1 %s 2"),
        ("search", b"* SEARCH 1 (MODSEQ %s)"),
        ("search", b"* ESEARCH UID ALL %s"),
        ("search", b"* ESEARCH UID ALL 1:%s COUNT %s MODSEQ %s"),
        ("thread", b"* THREAD (%s)"),
        ("status", b"* STATUS x (MESSAGES %s)"),
        ("quota", b"* QUOTAROOT x q\r\n* QUOTA q (STORAGE %s %s)"),
        ("select", b"* %s EXISTS\r\n* OK [UIDVALIDITY %s] x\r\n* OK [UNSEEN %s] x\r\n* OK [HIGHESTMODSEQ %s] x"),
        ("create", b"* OK [X %s] x"),
        ("copy", b"* OK [COPYUID %s 1 2] x\r\n* OK [COPYUID 1 %s 1:%s] x"),
    ],
)
def test_numbers_of_two_million_digits(peer: PeerFactory, name: str, line: bytes) -> None:
    """The time of int() grows with the square of the digits. The interpreter's own limit of digits is off here."""
    call, request_line = {**CALLS, "copy": ("client.copy(1, 'x')", 'UID COPY 1 "x"')}[name]
    script = [f"{READY}\nC: A1 {request_line}", SendBytes(line.replace(b"%s", DIGITS)), f"S:\nS: A1 OK done\n{NOOP}"]
    server = peer(script)
    calls = f"try:\n  {_indented(call)}\nfinally:\n  client.noop()"
    outcome = bounded_client.run(server.port, calls, any_digits=True, seconds=5)
    if line.startswith(b"* %s") or line.endswith(b"{%s}"):
        # The client must close the connection: this number separates the frame of the response from its data.
        server.failure = None
        assert not outcome.errors or "error" in outcome.errors, outcome
    else:
        assert outcome.usable, outcome
        assert not outcome.errors or "ProtocolError" in outcome.errors, outcome
    assert outcome.size < 2000


@pytest.mark.parametrize(
    ("calls", "request_line", "line"),
    [
        ("result = client.search()", "UID SEARCH ALL", "* ESEARCH UID ALL 1:4294967295"),
        ("result = client.search()", "UID SEARCH ALL", "* ESEARCH UID ALL 1:9999999\n  S: * ESEARCH UID ALL 1:9999999"),
        ("result = str(client.copy(1, 'x').uids)", 'UID COPY 1 "x"', "* OK [COPYUID 1 1:4294967295 1:4294967295] x"),
        (
            "result = str(client.copy('1:*', 'x').uids)",
            'UID COPY 1:* "x"',
            "* OK [COPYUID 1 1:4294967295 1:4294967295] x",
        ),
        ("result = client.append('x', b'm').uids", 'APPEND "x" {1}', "* OK [APPENDUID 1 1:4294967295] x"),
        ("result = client.noop()", "NOOP", "* VANISHED 1:4294967295"),
        ("result = client.noop()", "NOOP", "* VANISHED (EARLIER) 1:4294967295,1:4294967295"),
        (
            "result = list(client.fetch_iter('1:*', 'FLAGS'))",
            "UID FETCH * (UID)",
            "* 4294967295 FETCH (UID 4294967295)",
        ),
        ("result = client.fetch('1:*', 'FLAGS')", "UID FETCH 1:* (FLAGS)", "* VANISHED (EARLIER) 1:4294967295"),
        ("result = client.fetch('1:4294967295', 'FLAGS')", "UID FETCH 1:4294967295 (FLAGS)", "* VANISHED 1:4294967295"),
    ],
)
def test_ranges_that_stand_for_4_billion_ids(peer: PeerFactory, calls: str, request_line: str, line: str) -> None:
    answer = "S: + go\nC: m\n" if request_line.startswith("APPEND") else ""
    script = f"{READY}\nC: A1 {request_line}\n{answer}S: {line}\nS: A1 OK done\n{NOOP}"
    outcome = bounded_client.run(peer(script).port, f"try:\n  {calls}\nfinally:\n  client.noop()", megabytes=600)
    assert outcome.usable
    assert not outcome.errors or "ProtocolError" in outcome.errors, outcome


def test_search_responses_without_end_in_ids(peer: PeerFactory) -> None:
    """Each id needs many times its bytes in memory."""
    script = [
        f"{READY}\nC: A1 UID SEARCH ALL",
        SendBytes((b"* SEARCH" + b" 9" * 4_000_000 + b"\r\n") * 4),
        f"S: A1 OK done\n{NOOP}",
    ]
    outcome = bounded_client.run(peer(script).port, "try:\n  client.search()\nfinally:\n  client.noop()", megabytes=400)
    assert_refused(outcome, "ProtocolError")


# -- capabilities


@pytest.mark.parametrize(
    "script",
    [
        "S: * OK [CAPABILITY IMAP4rev1 %s] ready\n",
        "S: * OK ready\nC: A1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 %s\nS: A1 OK done\n",
        "S: * OK ready\nC: A1 CAPABILITY\nS: A1 OK [CAPABILITY IMAP4rev1 %s] done\n",
    ],
)
def test_a_hundred_thousand_capabilities(peer: PeerFactory, script: str) -> None:
    many = " ".join(f"X-{number}" for number in range(100_000))
    rest = """
        C: A2 LOGIN "ann" "secret"
        S: A2 OK done
        C: A3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 ENABLE %s
        S: A3 OK done
        C: A4 ENABLE X-5
        S: * ENABLED %s
        S: A4 OK done
    """
    script = (script + rest).replace("%s", many)
    calls = """
result = client.has_capability('X-99999'), len(client.capabilities())
client.login('ann', 'secret')
result += client.has_capability('X-99999'), len(client.enable('X-5'))
"""
    outcome = bounded_client.run(peer(script).port, calls)
    assert outcome.result == "(True, 100001, True, 100000)"


# -- SASL


@pytest.mark.parametrize(
    "count", ["2147483648", "1000001", "9" * 700_000, "1"], ids=["2^31", "a million", "digits", "one"]
)
def test_a_scram_iteration_count_of_2_to_the_31(peer: PeerFactory, count: str) -> None:
    """The count is refused before any computation. So is one that makes the password easy to guess."""
    challenge = SCRAM_CHALLENGE.replace("4096", count)
    script = f"""
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-1] ready
        C: A1 AUTHENTICATE SCRAM-SHA-1 {b64(SCRAM_FIRST)}
        S: + {b64(challenge)}
        C: *
        S: A1 NO cancelled
        {NOOP}
    """
    calls = f"""
from imapclient._auth import mechanisms
mechanisms._nonce = lambda: {SCRAM_NONCE!r}
try:
    client.authenticate(mechanisms.ScramSHA1("user", "pencil"))
finally:
    client.noop()
"""
    outcome = bounded_client.run(peer(script).port, calls, any_digits=True, seconds=5)
    assert_refused(outcome, "ProtocolError")
    assert "iterations" in outcome.message


def test_endless_challenges(peer: PeerFactory) -> None:
    script = [
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=X] ready\nC: A1 AUTHENTICATE X",
        endless(b"+ Y2hhbGxlbmdl\r\n"),
    ]
    server = peer(script)
    outcome = bounded_client.run(server.port, "client.sasl_login('X', lambda challenge: b'r')")
    server.close()
    server.failure = None
    assert_aborted(outcome, "ProtocolError")


# -- compression


@pytest.mark.parametrize(
    ("start", "data", "limit"),
    [
        (b"* OK ", b"x" * MEGABYTE, "max_line_length"),
        (b"", b"* 1 EXISTS\r\n" * 10_000, "max_command_size"),
        (b"* 1 FETCH (UID 1 BODY[] {200000000}\r\n", b"x" * MEGABYTE, "max_literal_size"),
    ],
    ids=["line", "responses", "literal"],
)
def test_a_zip_bomb(peer: PeerFactory, start: bytes, data: bytes, limit: str) -> None:
    """The data expand to a thousand times their size. The limits apply to the expanded data."""
    script = """
        S: * PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] ready
        C: A1 COMPRESS DEFLATE
        S: A1 OK done
        DEFLATE
        C: A2 NOOP
    """
    server = peer([script, SendBytes(start), SendBytes(itertools.repeat(data))])
    calls = "client.compress()\nclient.noop()"
    outcome = bounded_client.run(
        server.port,
        calls,
        megabytes=64,
        max_line_length=16 * MEGABYTE,
        max_literal_size=16 * MEGABYTE,
        max_command_size=64 * MEGABYTE,
    )
    assert_aborted(outcome, "LimitError")
    assert limit in outcome.message
