"""Literals that the client sends: synchronising, LITERAL+, LITERAL-, several in one command, refused ones."""

from __future__ import annotations

import datetime
import socket
import threading

import pytest

from imapclient import IMAPClient
from imapclient._connection.exchange import Command
from imapclient.exceptions import CommandError, IMAPClientAbortError, LoginError, ProtocolError
from tests.helpers.clients import connected
from tests.helpers.scripted_peer import PeerFactory

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"
PLUS = "S: * PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] ready"
MINUS = "S: * PREAUTH [CAPABILITY IMAP4rev1 LITERAL-] ready"
REV2 = "S: * PREAUTH [CAPABILITY IMAP4rev2] ready"


def test_several_synchronising_literals(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN {{4}}
        S: + and?
        Cx: \\xc3\\xa9\\xc3\\xa8 {{6}}
        S: +
        Cx: \\xc3\\xbcber\\r
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.login("éè", "über\r") == b"done"


@pytest.mark.parametrize("ready", [PLUS, MINUS, REV2])
def test_several_literals_that_need_no_wait(peer: PeerFactory, ready: str) -> None:
    script = f"""
        {ready}
        C: A1 APPEND {{4+}}
        Cx: \\xc3\\xa9\\xc3\\xa8 {{6+}}
        Cx: \\xc3\\xbcber\\n
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.folder_encode = False
        assert client.append("éè", "über\n") == b"done"


# Dovecot 2.3 forgets a literal that was sent ahead when it refuses what stands before it, and runs it as commands.
@pytest.mark.parametrize("ready", [PLUS, MINUS, REV2])
@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        ("\\Recent", "(\\Recent)"),
        ("\\Nonsense", "(\\Nonsense)"),
        (["\\Seen", "a{b"], "(\\Seen a{b)"),
        (["a%b"], "(a%b)"),
        (["a]b"], "(a]b)"),
        (["k" * 9000], "(" + "k" * 9000 + ")"),
    ],
)
def test_a_message_waits_if_the_server_may_refuse_the_text_before_it(
    peer: PeerFactory, ready: str, flags: str | list[str], sent: str
) -> None:
    script = f"""
        {ready}
        C: A1 APPEND "x" {sent} {{8}}
        S: A1 BAD No such flag
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CommandError, match="No such flag"):
            client.append("x", b"X NOOP\r\n", flags)
        client.noop()


@pytest.mark.parametrize("flags", [["\\Seen", "\\flagged", "Work", "$Forwarded", "a.b-c_d+e"], []])
def test_a_message_goes_ahead_if_no_server_refuses_the_text_before_it(peer: PeerFactory, flags: list[str]) -> None:
    sent = f"({' '.join(flags)}) " if flags else ""
    script = f"""
        {PLUS}
        C: A1 APPEND "a \\"b\\" {{}} (c" {sent}"01-Feb-2020 10:11:12 +0000" {{1+}}
        C: m
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        time = datetime.datetime(2020, 2, 1, 10, 11, 12, tzinfo=datetime.timezone.utc)
        client.append('a "b" {} (c', b"m", flags, time)


def test_a_message_waits_before_the_login(peer: PeerFactory) -> None:
    """Where no server knows APPEND."""
    script = f"""
        {PLUS.replace("PREAUTH", "OK")}
        C: A1 APPEND "x" {{8}}
        S: A1 BAD Log in first
    """
    with connected(peer(script)) as client, pytest.raises(CommandError, match="Log in first"):
        client.append("x", b"X NOOP\r\n")


@pytest.mark.parametrize("ready", [MINUS, REV2])
def test_literal_minus_waits_beyond_4096_bytes(peer: PeerFactory, ready: str) -> None:
    small, large = "s" * 4096, "l" * 4097
    script = f"""
        {ready}
        C: A1 APPEND "x" {{4096+}}
        C: {small}
        S: A1 OK small
        C: A2 APPEND "x" {{4097}}
        S: + go
        C: {large}
        S: A2 OK large
    """
    with connected(peer(script)) as client:
        assert client.append("x", small) == b"small"
        assert client.append("x", large) == b"large"


def test_literal_plus_wins_over_literal_minus(peer: PeerFactory) -> None:
    script = f"""
        S: * PREAUTH [CAPABILITY IMAP4rev1 literal- literal+] ready
        C: A1 APPEND "x" {{5000+}}
        C: {"m" * 5000}
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.append("x", "m" * 5000) == b"done"


@pytest.mark.parametrize("size", [0, 1])
def test_the_smallest_literals(peer: PeerFactory, size: int) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{{size}}}
        S: + go
        C: {"m" * size}
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.append("x", "m" * size) == b"done"


def test_a_refused_literal_is_not_sent(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{3}}
        S: * 4 EXISTS
        S: A1 NO [TOOBIG] no room for it
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CommandError) as caught:
            client.append("x", b"abc")
        assert (caught.value.status, caught.value.code, caught.value.command) == ("NO", (b"TOOBIG", ()), "APPEND")
        assert client.noop() == (b"done", [])


def test_a_second_literal_is_refused(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN {{2}}
        S: + go
        Cx: \\xc3\\xa9 {{2}}
        S: A1 NO not today
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(LoginError, match="not today"):
            client.login("é", "ü")
        client.noop()


def test_a_refused_literal_that_was_sent_without_waiting(peer: PeerFactory) -> None:
    script = f"""
        {PLUS}
        C: A1 APPEND "x" {{3+}}
        C: abc
        S: A1 BAD [TOOBIG] too big
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(CommandError, match="too big"):
            client.append("x", b"abc")
        client.noop()


def test_one_request_too_many_for_a_literal(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{3}}
        S: + go
        C: abc
        S: + more?
    """
    with connected(peer(script)) as client:
        with pytest.raises(ProtocolError) as caught:
            client.append("x", b"abc")
        assert isinstance(caught.value, IMAPClientAbortError)


def test_untagged_data_while_a_literal_waits(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{3}}
        S: * 3 EXISTS
        S: * 1 FETCH (FLAGS () BODY[] {{3}}
        S: + x)
        S: + go
        C: abc
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.append("x", b"abc") == b"done"
        assert [response.name for response in client._imap.unsolicited] == [b"EXISTS", b"FETCH"]


@pytest.mark.parametrize("ready", [READY, PLUS])
def test_a_large_message_in_one_go(peer: PeerFactory, ready: str) -> None:
    message = b"0123456789abcdef" * 625_000
    synchronising = ready is READY
    sign = "" if synchronising else "+"
    script = [
        f'{ready}\nC: A1 APPEND "x" (\\Seen) {{{len(message)}{sign}}}',
        "S: + go" if synchronising else "",
        b"C: " + message,
        "S: A1 OK [APPENDUID 1 2] done",
    ]
    with connected(peer(script)) as client:
        assert client.append("x", message, flags=["\\Seen"]) == b"[APPENDUID 1 2] done"


@pytest.mark.parametrize("ready", [READY, PLUS])
def test_literal8_is_for_servers_with_binary(peer: PeerFactory, ready: str) -> None:
    script = f"""
        {ready.replace("IMAP4rev1", "IMAP4rev1 BINARY")}
        C: A1 APPEND "x" ~{{3}}
        S: + go
        Cx: a\\0b
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.append("x", b"a\0b") == b"done"


def test_nul_in_a_literal_is_sent_as_it_is_without_binary(peer: PeerFactory) -> None:
    script = f"""
        {PLUS}
        C: A1 APPEND "x" {{3+}}
        Cx: a\\0b
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.append("x", b"a\0b") == b"done"


def test_any_argument_may_be_a_literal(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID SEARCH CHARSET UTF-8 OR SUBJECT {{5}}
        S: + 1
        Cx: caf\\xc3\\xa9 BODY {{4}}
        S: + 2
        Cx: a\\r\\nb UNSEEN
        S: * SEARCH 4
        S: A1 OK done
        C: A2 RENAME {{3}}
        S: + 3
        Cx: a\\nb {{4}}
        S: + 4
        Cx: \\r\\n\\r\\n
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        assert client.search(["OR", "SUBJECT", "café", "BODY", "a\r\nb", "UNSEEN"]) == [4]
        client.folder_encode = False
        assert client.rename_folder(b"a\nb", b"\r\n\r\n") == b"done"


def test_long_text_goes_as_a_literal(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 CREATE {{2000}}
        S: + go
        C: {"x" * 2000}
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.create_folder("x" * 2000) == b"done"


@pytest.mark.parametrize("value", ["a\0b", b"a\0b"])
def test_nul_is_refused_before_anything_is_sent(peer: PeerFactory, value: str | bytes) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        for call in (
            lambda: client.login("ann", value),
            lambda: client.login(value, "secret"),
            lambda: client.search(["SUBJECT", value]),
            lambda: client.search(value),
            lambda: client.fetch(1, [value]),
            lambda: client.add_flags(1, value),
        ):
            with pytest.raises(ValueError, match=r"NUL|not a valid"):
                call()
        client.noop()


@pytest.mark.parametrize("value", ["FLAGS\r\nA9 DELETE x", "BODY[] {5}", "BODY[] {5+}", "a\nb", "a\rb"])
def test_what_is_passed_on_raw_can_not_end_the_command(peer: PeerFactory, value: str) -> None:
    with connected(peer(READY)) as client:
        for call in (
            lambda: client.search(value),
            lambda: client.fetch(1, [value]),
            lambda: client.fetch(1, ["FLAGS"], [value]),
        ):
            with pytest.raises(ValueError, match="must not"):
                call()
        with pytest.raises(ValueError, match="not a valid flag"):
            client.add_flags(1, [value])
        with pytest.raises(ValueError, match="not a valid STATUS item"):
            client.folder_status("x", [value])


def test_an_encoding_error_in_an_exchange_sends_nothing(peer: PeerFactory) -> None:
    """What is no argument at all is found before the first byte goes out, and the connection stays usable."""
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        with pytest.raises(TypeError):
            client._imap.execute(Command(b"X", [3]))  # type: ignore[list-item]
        client.noop()


def test_a_hangup_in_the_middle_of_a_large_literal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")
                connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        client = IMAPClient("127.0.0.1", listener.getsockname()[1], ssl=False, timeout=60)
        try:
            with pytest.raises(ConnectionError) as caught:
                client.append("x", b"m" * 30_000_000)
            assert isinstance(caught.value, IMAPClientAbortError)
            with pytest.raises(IMAPClientAbortError) as later:
                client.noop()
            assert later.value.__cause__ is caught.value
        finally:
            client.shutdown()
            thread.join(60)
