"""Responses that no server may send. The client ends in a defined state, and the error shows the response."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import (
    CommandError,
    ConnectionAbortError,
    IMAPClientAbortError,
    ProtocolAbortError,
    ProtocolError,
)
from tests.helpers.clients import assert_unusable, connected
from tests.helpers.scripted_peer import PeerFactory, SendBytes

READY = "S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE NAMESPACE QUOTA ACL ENABLE ID THREAD=REFERENCES SORT] ready"
READY_WORDS = READY.partition("CAPABILITY ")[2].partition("]")[0].encode().split()
NOOP = "C: A9 NOOP\nS: A9 OK done"

# -- the exchange

ABORTS = [
    ("two tagged replies", "S: A1 OK done\nS: A1 OK done", "client.noop()\nclient.noop()", ""),
    ("two tagged replies of different kinds", "S: A1 OK done\nS: A1 NO done", "client.noop()\nclient.noop()", ""),
    ("a tag that is not ours", "S: B7 OK done", "client.noop()", "B7 OK"),
    ("a tag of no letters", "S: . OK done", "client.noop()", ". OK"),
    ("an empty tag", "S:  OK done", "client.noop()", ""),
    ("an empty line", "S:", "client.noop()", ""),
    ("a continuation request", "S: + go on", "client.noop()", "go on"),
    ("an empty continuation request", "S: +", "client.noop()", ""),
    ("endless continuation requests", "S: + go on\n" * 1000, "client.noop()", "go on"),
    ("a tagged BYE", "S: A1 BYE done", "client.noop()", ""),
    ("a tagged PREAUTH", "S: A1 PREAUTH done", "client.noop()", ""),
    ("no status", "S: A1", "client.noop()", ""),
]


@pytest.mark.parametrize(("script", "calls", "text"), [row[1:] for row in ABORTS], ids=[row[0] for row in ABORTS])
def test_what_no_exchange_has(peer: PeerFactory, script: str, calls: str, text: str) -> None:
    second = "C: A2 NOOP\n" if "\n" in calls else ""
    server = peer(f"{READY}\nC: A1 NOOP\n{script}\n{second}")
    with connected(server) as client:
        with pytest.raises(ProtocolAbortError) as caught:
            exec(calls, {"client": client})
        assert text in str(caught.value)
        assert_unusable(client, caught.value)
    server.close()
    # The client may have sent the second command before it received the second reply, or not.
    server.failure = None


@pytest.mark.parametrize(
    "code",
    [
        "[",
        "[X",
        "[X ",
        "[X (",
        '[X "',
        "[CAPABILITY IMAP4rev1",
        "[UIDVALIDITY 1",
        "[ALERT",
        "[]",
        "[ ]",
        "[[[",
        "]",
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("status", ["OK", "NO"])
def test_a_response_code_that_does_not_end(peer: PeerFactory, code: str, status: str) -> None:
    """It is parsed as text, which is never an error."""
    script = f"""
        S: * OK {code}
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: A1 OK {code}
        C: A2 SELECT "x"
        S: * OK {code}
        S: * NO {code}
        S: * BAD {code}
        S: A2 {status} {code}
        {NOOP}
    """
    with connected(peer(script)) as client:
        client.capabilities()
        with contextlib.nullcontext() if status == "OK" else pytest.raises(CommandError):
            client.select_folder("x")
        client.noop()


_DIALOGUE = """
    S: * OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN] ready
    C: A1 AUTHENTICATE PLAIN
    S: +
    C: AGFubgBzZWNyZXQ=
    S: A1 OK [CAPABILITY IMAP4rev1 IDLE] done
    C: A2 SELECT "x"
    S: * 1 EXISTS
    S: A2 OK [READ-WRITE] done
    C: A3 UID FETCH 1 (BODY[])
    S: * 1 FETCH (UID 1 BODY[] {3}
    S: abc)
    S: A3 OK done
    C: A4 APPEND "x" {3}
    S: + go
    C: abc
    S: A4 OK done
    C: A5 IDLE
    S: + idling
    S: * 2 EXISTS
    C: DONE
    S: A5 OK done
    C: A6 LOGOUT
"""


def _session(client: IMAPClient) -> None:
    client.plain_login("ann", "secret")
    client.select_folder("x")
    client.fetch(1, "BODY[]")
    client.append("x", b"abc")
    client.idle()
    while not client.idle_check(60):
        pass
    client.idle_done()
    client.logout()


@pytest.mark.parametrize("end", ["", "CLOSE", "RESET"])
@pytest.mark.parametrize("text", ["[UNAVAILABLE] going down", "", "["])
def test_bye_at_any_point(peer: PeerFactory, text: str, end: str) -> None:
    """The response replaces each line of the server, and comes before each line of the client but LOGOUT."""
    lines = [line.strip() for line in _DIALOGUE.strip().split("\n")]
    for index in range(len(lines) - 1):
        server = peer("\n".join([*lines[:index], f"S: * BYE {text}", end]))
        in_literal = index > 0 and lines[index - 1].startswith("S:") and "{3}" in lines[index - 1]
        # Inside a literal only the end of the connection, or the timeout, ends the wait for more.
        timeout = 0.2 if in_literal and not end else 60
        client = None
        with pytest.raises((IMAPClientAbortError, ConnectionResetError)) as caught:  # noqa: PT012
            client = IMAPClient(server.host, server.port, ssl=False, timeout=timeout)
            _session(client)
        server.close()
        # After a BYE the client may have sent its next command, or not.
        server.failure = None
        if client is not None:
            assert isinstance(caught.value, IMAPClientAbortError)
            assert not client._imap.is_usable
            client.shutdown()
        if end != "RESET" and not in_literal:
            # A reset may come before it.
            assert isinstance(caught.value, ConnectionAbortError), lines[index]
            assert caught.value.status == "BYE"
            assert caught.value.text == text.partition("] ")[2] or text == "["


# -- control characters

ANSWERS = [
    ("client.fetch(1, 'FLAGS')", "UID FETCH 1 (FLAGS)", b'1 FETCH (UID 1 FLAGS (\\Seen "x") X (1 "a\\"b" NIL))'),
    (
        "client.fetch(1, 'ENVELOPE')",
        "UID FETCH 1 (ENVELOPE)",
        b'1 FETCH (ENVELOPE ("d" "s" (("n" NIL "m" "h")) NIL NIL NIL NIL NIL NIL "i") UID 1)',
    ),
    (
        "client.fetch(1, 'BODY')",
        "UID FETCH 1 (BODY)",
        b'1 FETCH (UID 1 BODY ("TEXT" "PLAIN" ("CHARSET" "x") NIL NIL "7BIT" 1 1))',
    ),
    ("client.search()", "UID SEARCH ALL", b"SEARCH 1 22 333 (MODSEQ 4)"),
    ("client.search()", "UID SEARCH ALL", b'ESEARCH (TAG "A1") UID ALL 1:3,5 COUNT 4'),
    ("client.thread()", "UID THREAD REFERENCES UTF-8 ALL", b"THREAD (1 2 (3)(4))"),
    ("client.list_folders()", 'LIST "" "*"', b'LIST (\\Marked) "/" "a&AOk-b"'),
    ("client.folder_status('x', 'MESSAGES')", 'STATUS "x" (MESSAGES)', b'STATUS "x" (MESSAGES 1)'),
    ("client.select_folder('x')", 'SELECT "x"', b"OK [PERMANENTFLAGS (\\Seen a)] x"),
    ("client.getacl('x')", 'GETACL "x"', b"ACL x ann lrs"),
    ("client.get_quota('x')", 'GETQUOTAROOT "x"', b"QUOTA q (STORAGE 1 2)"),
    ("client.namespace()", "NAMESPACE", b'NAMESPACE (("" "/")) NIL NIL'),
    ("client.noop()", "NOOP", b"12 EXISTS"),
    ("client.id_()", "ID NIL", b'ID ("name" "x")'),
    ("client.capabilities()", "CAPABILITY", b"CAPABILITY IMAP4rev1 X"),
]
CONTROLS = [b"\0", b"\1", b"\x1b", b"\t", b"\x7f", b"\x85", b"\xff", b"\r", b"\r\r"]


@pytest.mark.parametrize(
    ("call", "request_line", "line"), ANSWERS, ids=[row[0] + row[2][:8].decode() for row in ANSWERS]
)
def test_control_characters_anywhere(peer: PeerFactory, call: str, request_line: str, line: bytes) -> None:
    """At each place of a response the character is accepted, or raises ProtocolError. The client stays usable."""
    spoilt = [line[:place] + control + line[place:] for place in range(len(line)) for control in CONTROLS]
    script: list[Any] = [READY]
    for response in spoilt:
        script += [f"C: A1 {request_line}", SendBytes(b"* " + response + b"\r\n"), "S: A1 OK done"]
    with connected(peer(script)) as client:
        for response in spoilt:
            client._imap.forget_capabilities()
            if "capabilities" not in call:
                client._imap._capabilities.learn(READY_WORDS)
            with contextlib.suppress(ProtocolError):
                eval(call, {"client": client})
            assert client._imap.is_usable, response


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_a_line_end_anywhere(peer: PeerFactory, place: int) -> None:
    """An LF inside a line ends the connection, with an error that says why."""
    line = b'* 1 FETCH (UID 1 FLAGS (\\Seen) X "abcde")'
    server = peer([f"{READY}\nC: A1 UID FETCH 1 (FLAGS)", SendBytes(line[:place] + b"\n" + line[place:] + b"\r\n")])
    with connected(server) as client, pytest.raises(ProtocolAbortError):
        client.fetch(1, "FLAGS")
