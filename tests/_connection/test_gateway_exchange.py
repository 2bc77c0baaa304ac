"""Several commands on one connection: in flight, of two threads, of imaplib's own methods."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from imapclient._connection.exchange import Command
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import CommandError, FetchError, IMAPClientAbortError
from tests.helpers.clients import connected, set_read_timeout
from tests.helpers.scripted_peer import PeerFactory

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"


# -- several commands at a time


def test_commands_in_flight_are_finished_in_any_order(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 STATUS "a" (MESSAGES)
        C: A2 NOOP
        C: A3 SEARCH ALL
        S: * STATUS a (MESSAGES 1)
        S: A3 OK third
        S: * SEARCH 7
        S: A1 NO first
        S: A2 OK second
        C: A4 NOOP
        S: A4 OK fourth
    """
    with connected(peer(script)) as client:
        received: list[bytes] = []

        def keep(response: Untagged) -> None:
            received.append(response.name)

        imap = client._imap
        first = Command(b"STATUS", [b'"a"', (b"MESSAGES",)], {b"STATUS": keep})
        second = Command(b"NOOP")
        third = Command(b"SEARCH", [b"ALL"], {b"SEARCH": keep})
        for command in (first, second, third):
            imap.start(command)
        assert imap.finish(second).human == b"second"
        assert imap.finish(third).human == b"third"
        with pytest.raises(CommandError, match="first"):
            imap.finish(first)
        assert received == [b"STATUS"]
        assert client.noop()[0] == b"fourth"
        # The third was complete already: no command in flight takes it.
        assert [response.line for response in imap.unsolicited] == [b"* SEARCH 7"]


def test_a_command_with_literals_while_another_is_in_flight(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        C: A2 APPEND "x" {{3}}
        S: * 1 EXISTS
        S: A1 OK first
        S: + go
        C: abc
        S: A2 OK second
    """
    with connected(peer(script)) as client:
        first = Command(b"NOOP")
        client._imap.start(first)
        assert client.append("x", b"abc") == b"second"
        assert client._imap.finish(first).human == b"first"


def test_two_threads_share_a_client(peer: PeerFactory) -> None:
    count = 60
    dialogue = [f"C: A{n} NOOP\nS: * {n} EXISTS\nS: A{n} OK {n}" for n in range(1, count + 1)]
    answers: list[tuple[bytes, Any]] = []
    with connected(peer([READY, *dialogue])) as client:

        def work() -> None:
            answers.extend(client.noop() for _ in range(count // 2))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(int(text) for text, _ in answers) == list(range(1, count + 1))
    assert all(items == [(int(text), b"EXISTS")] for text, items in answers)


def test_shutdown_by_another_thread_ends_a_call_that_waits(peer: PeerFactory) -> None:
    waiting = threading.Event()
    server = peer([READY, "C: A1 NOOP", waiting.set])
    with connected(server) as client:

        def end() -> None:
            waiting.wait(60)
            client.shutdown()

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(IMAPClientAbortError):
            client.noop()
        thread.join(60)


# -- imaplib's own methods


def test_methods_of_imaplib_share_the_connection_and_its_tags(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1] done
        C: A2 NOOP
        S: A2 OK done
        C: A3 LIST "" *
        S: * LIST () "/" INBOX
        S: * LIST () "/" {{6}}
        S-: Drafts
        S:
        S: A3 OK done
        C: A4 NOOP
        S: * 1 EXISTS
        S: A4 OK done
        C: A5 SELECT "INBOX"
        S: * 3 EXISTS
        S: A5 OK [READ-WRITE] done
        C: A6 UID SEARCH ALL
        S: * SEARCH 1 2 3
        S: A6 OK done
        C: A7 UID SEARCH ALL
        S: * SEARCH 1 2 3
        S: A7 OK done
        C: A8 APPEND x {{3}}
        S: + go
        C: abc
        S: A8 OK done
    """
    with connected(peer(script)) as client:
        imap = client._imap
        client.login("ann", "secret")
        assert imap.noop() == ("OK", [b"done"])
        assert imap.list('""', "*") == ("OK", [b'() "/" INBOX', (b'() "/" {6}', b"Drafts"), b""])
        assert client.noop() == (b"done", [(1, b"EXISTS")])
        client.select_folder("INBOX")
        assert imap.uid("SEARCH", "ALL") == ("OK", [b"1 2 3"])
        assert client.search() == [1, 2, 3]
        assert imap.append("x", "", "", b"abc") == ("OK", [b"done"])


def test_a_login_by_imaplibs_own_method_makes_the_capabilities_unknown(peer: PeerFactory) -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
        C: A1 AUTHENTICATE PLAIN
        S: +
        C: AGFubgBzZWNyZXQ=
        S: A1 OK done
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 MOVE
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        assert not client.has_capability("MOVE")
        client._imap.authenticate("PLAIN", lambda challenge: b"\0ann\0secret")
        assert client.has_capability("MOVE")


# -- the data of an error


@pytest.mark.parametrize(
    ("answer", "status", "code", "text"),
    [
        ("CLOSE", "", None, ""),
        ("RESET", "", None, ""),
        ("# silence", "", None, ""),
        ("S: what is this", "", None, ""),
        ("S: * BYE [UNAVAILABLE] Going down", "BYE", (b"UNAVAILABLE", ()), "Going down"),
    ],
)
def test_an_error_of_the_connection_names_the_command_that_was_running(
    peer: PeerFactory, answer: str, status: str, code: Any, text: str
) -> None:
    script = f'{READY}\nC: A1 NOOP\nS: A1 OK Done\nC: A2 STATUS "x" (MESSAGES)\n{answer}'
    with connected(peer(script)) as client:
        client.noop()
        if answer == "# silence":
            set_read_timeout(client, 0.1)
        with pytest.raises(IMAPClientAbortError) as caught:
            client.folder_status("x", "MESSAGES")
        error: Any = caught.value
        assert (error.command, error.status, error.code, error.text) == ("STATUS", status, code, text)


def test_an_error_of_a_response_names_its_command(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (ENVELOPE)
        S: * 1 FETCH (UID 1 ENVELOPE 5)
        S: A1 OK [READ-WRITE] Done
    """
    with connected(peer(script), strict=True) as client:
        with pytest.raises(FetchError) as caught:
            client.fetch(1, "ENVELOPE")
        error = caught.value
        assert (error.command, error.status, error.code, error.text) == (
            "UID FETCH",
            "OK",
            (b"READ-WRITE", ()),
            "Done",
        )
