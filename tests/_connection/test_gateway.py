"""The exchange of commands and responses: greeting, capabilities, letter case, framing, BYE."""

from __future__ import annotations

import contextlib
import socket

import pytest

from imapclient import IMAPClient
from imapclient._connection.exchange import Command
from imapclient._connection.gateway import IMAP4
from imapclient._parsing.responses import Untagged
from imapclient.exceptions import CommandError, IMAPClientAbortError, IMAPClientError, LoginError, ProtocolError
from tests.helpers.clients import assert_closed, assert_unusable, connected
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"


# -- the greeting


@pytest.mark.parametrize(
    "greeting",
    [
        "* OK [CAPABILITY IMAP4rev1 IDLE] ready",
        "* ok [capability imap4rev1 idle] ready",
        "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] welcome back",
        "* PreAuth [CAPABILITY imap4REV1 Idle]",
        "*  OK  [CAPABILITY IMAP4rev1 IDLE] two spaces",
        "* OK [CAPABILITY IMAP4rev1 IDLE] not a literal {5}",
        "* OK [CAPABILITY IMAP4rev1 IDLE] naïve 8-bit text",
    ],
)
def test_the_greetings_capabilities_are_used(peer: PeerFactory, greeting: str) -> None:
    with connected(peer(f"S: {greeting}")) as client:
        assert client.welcome == greeting.encode()
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")
        assert client.has_capability("idle")
        assert not client.has_capability("MOVE")


@pytest.mark.parametrize("greeting", ["* OK ready", "* OK", "* PREAUTH [ALERT] hello", "* OK {3}", "* ok hello ]["])
def test_capability_is_sent_once_if_the_greeting_reports_none(peer: PeerFactory, greeting: str) -> None:
    script = f"""
        S: {greeting}
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        assert client.has_capability("IDLE")
        assert client.has_capability("IMAP4rev1")
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")


def test_capability_is_not_sent_while_no_call_needs_it(peer: PeerFactory) -> None:
    script = """
        S: * OK ready
        C: A1 NOOP
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.noop()


@pytest.mark.parametrize("code", ["[CAPABILITY IMAP4rev1] no", "no"])
def test_a_bye_for_a_greeting(peer: PeerFactory, code: str) -> None:
    server = peer(f"S: * BYE {code} room")
    with pytest.raises(IMAPClientAbortError, match="no room"):
        IMAPClient(server.host, server.port, ssl=False, timeout=60)
    assert_closed(server)


@pytest.mark.parametrize(
    "garbage",
    [
        "S: HTTP/1.1 400 Bad Request",
        "S: +OK POP3 ready",
        "S: + OK",
        "S: A1 OK done",
        "S: * NO way",
        "S: * 3 EXISTS",
        "S: * CAPABILITY IMAP4rev1",
        "S: *",
        "S:",
        "S: OK",
        "S: * OKAY",
        r"Sx-: * OK only a line feed\n",
        r"Sx: \x16\x03\x01\x02\0",
        "S: * SEARCH {3}\nS-: abc\nS:",
    ],
)
def test_what_is_no_greeting(peer: PeerFactory, garbage: str) -> None:
    server = peer(garbage)
    with pytest.raises(ProtocolError) as caught:
        IMAPClient(server.host, server.port, ssl=False, timeout=60)
    assert isinstance(caught.value, IMAPClientAbortError)
    assert_closed(server)


@pytest.mark.parametrize("start", ["", "S-: * OK rea"])
def test_the_end_in_place_of_a_greeting(peer: PeerFactory, start: str) -> None:
    server = peer(f"ACCEPT\n{start}\nCLOSE")
    with pytest.raises(IMAPClientAbortError, match="closed"):
        IMAPClient(server.host, server.port, ssl=False, timeout=60)


def test_a_reset_in_place_of_a_greeting(peer: PeerFactory) -> None:
    server = peer("ACCEPT\nRESET")
    with pytest.raises(ConnectionResetError):
        IMAPClient(server.host, server.port, ssl=False, timeout=60)


def test_a_greeting_in_pieces_of_one_byte(peer: PeerFactory) -> None:
    with connected(peer("S: * OK [CAPABILITY IMAP4rev1] slow", chunk=1)) as client:
        assert client.capabilities() == (b"IMAP4REV1",)


# -- capabilities and login


def test_the_tagged_ok_of_login_reports_the_capabilities(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1 MOVE] Logged in
    """
    with connected(peer(script)) as client:
        assert client.login("ann", "secret") == b"[CAPABILITY IMAP4rev1 MOVE] Logged in"
        assert client.capabilities() == (b"IMAP4REV1", b"MOVE")


def test_untagged_capabilities_during_login_are_used(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "secret"
        S: * capability imap4rev1 move
        S: A1 OK Logged in
    """
    with connected(peer(script)) as client:
        client.login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"MOVE")


def test_capability_is_sent_after_a_login_that_reports_none(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "secret"
        S: A1 OK Logged in
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 UIDPLUS
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.login("ann", "secret")
        assert client.has_capability("UIDPLUS")
        assert client.has_capability("IMAP4REV1")


def test_a_refused_login_leaves_the_capabilities_and_the_connection(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "wrong"
        S: A1 NO [AUTHENTICATIONFAILED] no such user
        C: A2 LOGIN "ann" "secret"
        S: A2 OK [CAPABILITY IMAP4rev1] Logged in
    """
    with connected(peer(script)) as client:
        with pytest.raises(LoginError) as caught:
            client.login("ann", "wrong")
        assert caught.value.code == (b"AUTHENTICATIONFAILED", ())
        assert caught.value.status == "NO"
        assert client.capabilities() == (b"IMAP4REV1",)
        client.login("ann", "secret")


def test_capabilities_in_any_ok_are_noted(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: * OK [capability IMAP4rev1 X-NEW] changed
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.noop()
        assert client.has_capability("X-NEW")


# -- any letter case


def test_responses_in_lower_case(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 SELECT "INBOX"
        S: * 3 exists
        S: * flags (\\Seen)
        S: * ok [uidvalidity 7] fine
        S: A1 ok [read-write] done
        C: A2 UID SEARCH ALL
        S: * search 1 2
        S: A2 Ok done
        C: A3 UID FETCH 1 (FLAGS)
        S: * 1 fetch (uid 1 flags (\\Seen))
        S: A3 oK done
        C: A4 LIST "" "*"
        S: * list (\\HasNoChildren) "/" INBOX
        S: A4 ok done
        C: A5 CREATE "x"
        S: A5 no [alreadyexists] it is there
        C: A6 CREATE "x"
        S: A6 bad idea
    """
    with connected(peer(script)) as client:
        selected = client.select_folder("INBOX")
        assert (selected[b"EXISTS"], selected[b"UIDVALIDITY"], selected[b"READ-WRITE"]) == (3, 7, True)
        assert client.search() == [1, 2]
        assert client.fetch(1, ["FLAGS"]) == {1: {b"SEQ": 1, b"FLAGS": (b"\\Seen",)}}
        assert client.list_folders() == [((b"\\HasNoChildren",), b"/", "INBOX")]
        with pytest.raises(CommandError) as refused:
            client.create_folder("x")
        assert (refused.value.status, refused.value.code) == ("NO", (b"ALREADYEXISTS", ()))
        with pytest.raises(CommandError) as bad:
            client.create_folder("x")
        assert (bad.value.status, bad.value.text) == ("BAD", "idea")


def test_a_tag_in_the_other_letter_case(peer: PeerFactory) -> None:
    server: ScriptedPeer = peer(
        [READY, "C: A1 NOOP", lambda: server.received[-1].split()[0].swapcase() + b" ok done\r\n"]
    )
    with connected(server) as client:
        assert client.noop() == (b"done", [])


def test_a_continuation_request_without_text(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{3}}
        S: +
        C: abc
        S: A1 OK
    """
    with connected(peer(script)) as client:
        assert client.append("x", b"abc") == b""


# -- framing


@pytest.mark.parametrize(
    "line",
    [
        "S: Z9 OK done",
        "S: garbage",
        "S: A1",
        "S: A1 MAYBE done",
        "S: A1 OKAY",
        "S:",
        "S: *",
        "S: OK done",
        "S: + go ahead",
        r"Sx-: * 1 EXISTS\n",
        r"Sx-: A1 OK done\n",
        r"Sx: \0\0\0",
    ],
)
def test_what_is_no_response_makes_the_connection_unusable(peer: PeerFactory, line: str) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        {line}
        S: A1 OK done
    """
    server = peer(script)
    with connected(server) as client:
        with pytest.raises(ProtocolError) as caught:
            client.noop()
        assert isinstance(caught.value, IMAPClientAbortError)
        server.wait()
        assert_unusable(client, caught.value)


def test_a_second_tagged_response_is_never_taken_for_the_next_commands(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
        S: A1 OK done
        C: A2 UID SEARCH ALL
    """
    with connected(peer(script)) as client:
        client.noop()
        with pytest.raises(IMAPClientAbortError) as caught:
            client.search()
        assert_unusable(client, caught.value)


def test_an_answer_that_comes_before_its_command(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: A1 OK done
        S: A2 NO you may not
        C: A2 NOOP
    """
    with connected(peer(script)) as client:
        client.noop()
        with pytest.raises(IMAPClientAbortError):
            client.noop()


@pytest.mark.parametrize("human", ["Done {5}", "Done {5+}", "[ALERT] ~{5}", "[UNSEEN 2] {0}"])
def test_human_text_never_announces_a_literal(peer: PeerFactory, human: str) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: * OK {human}
        S: * NO {human}
        S: * BAD {human}
        S: A1 OK {human}
        C: A2 CREATE "x"
        S: A2 NO {human}
        C: A3 APPEND "x" {{1}}
        S: + {human}
        C: m
        S: A3 OK {human}
    """
    with connected(peer(script)) as client:
        assert client.noop()[0] == human.encode()
        with pytest.raises(CommandError):
            client.create_folder("x")
        assert client.append("x", b"m") == human.encode()


@pytest.mark.parametrize("announcement", ["{5}", "~{5}", "{5+}", "({5}", "X{5}"])
def test_data_announces_a_literal_whatever_stands_before_it(peer: PeerFactory, announcement: str) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: * X-DATA {announcement}
        Sx-: a\\r\\nA1
        S:
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        received: list[Untagged] = []
        client._imap.execute(Command(b"NOOP", handlers={b"X-DATA": received.append}))
        (response,) = received
        assert response.data == [(announcement.encode(), b"a\r\nA1"), b""]


@pytest.mark.parametrize("chunk", [1, 7])
def test_a_dialogue_in_pieces(peer: PeerFactory, chunk: int) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1:2 (BODY[] FLAGS)
        S: * 1 FETCH (UID 1 BODY[] {{6}}
        Sx-: a\\r\\n\\r\\nb
        S:  FLAGS (\\Seen))
        S: * 2 FETCH (UID 2 BODY[] ~{{0}}
        S:  FLAGS ())
        S: A1 OK done
    """
    with connected(peer(script, chunk=chunk)) as client:
        assert client.fetch([1, 2], ["BODY[]", "FLAGS"]) == {
            1: {b"SEQ": 1, b"BODY[]": b"a\r\n\r\nb", b"FLAGS": (b"\\Seen",)},
            2: {b"SEQ": 2, b"BODY[]": b"", b"FLAGS": ()},
        }


@pytest.mark.parametrize(
    "line",
    [
        "* 1 FETCH (UID 1 FLAGS (\\Seen)",
        "* 1 FETCH (UID 1 FLAGS",
        '* 1 FETCH (UID 1 ENVELOPE ("unclosed',
        "* 1 FETCH",
        "* 1 FETCH )",
    ],
)
def test_a_parse_error_leaves_the_connection_usable(peer: PeerFactory, line: str) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1:2 (FLAGS)
        S: {line}
        S: * 2 FETCH (UID 2 FLAGS ())
        S: A1 OK done
        C: A2 UID FETCH 2 (FLAGS)
        S: * 2 FETCH (UID 2 FLAGS ())
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        client.strict = True
        with pytest.raises(ProtocolError) as caught:
            client.fetch([1, 2], ["FLAGS"])
        assert not isinstance(caught.value, IMAPClientAbortError)
        assert client.fetch(2, ["FLAGS"]) == {2: {b"SEQ": 2, b"FLAGS": ()}}


@pytest.mark.parametrize(
    "code", ["[", "[]", "[X", "[ ]", "[X (]", '[X "]', "[CAPABILITY", "[CAPABILITY (]", "[X ((((]"]
)
def test_a_broken_response_code_never_breaks_the_connection(peer: PeerFactory, code: str) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        S: * OK {code} text
        S: A1 OK {code} text
        C: A2 NOOP
        S: A2 OK done
    """
    with connected(peer(script)) as client:
        with contextlib.suppress(ProtocolError):
            client.noop()
        assert client.noop() == (b"done", [])


def test_a_refusal_with_a_broken_response_code_is_a_refusal(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 CREATE "x"
        S: A1 NO [ALERT( "no
    """
    with connected(peer(script)) as client, pytest.raises(CommandError, match="ALERT"):
        client.create_folder("x")


# -- BYE


def test_a_bye_in_the_middle_of_a_command(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (FLAGS)
        S: * 1 FETCH (UID 1 FLAGS ())
        S: * BYE going down
    """
    with connected(peer(script)) as client:
        with pytest.raises(IMAPClientAbortError, match="going down") as caught:
            client.fetch(1, ["FLAGS"])
        assert_unusable(client, caught.value)


def test_a_bye_while_a_literal_waits(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 APPEND "x" {{3}}
        S: * bye too much
    """
    with connected(peer(script)) as client:
        with pytest.raises(IMAPClientAbortError, match="too much") as caught:
            client.append("x", b"abc")
        assert_unusable(client, caught.value)


def test_a_bye_to_a_login(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGIN "ann" "secret"
        S: * BYE too many logins
        CLOSE
    """
    with connected(peer(script)) as client, pytest.raises(IMAPClientAbortError, match="too many logins"):
        client.login("ann", "secret")


def test_a_bye_between_commands_is_raised_by_the_next_one(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        S: * BYE idle for too long
        C: A1 NOOP
    """
    with connected(peer(script)) as client, pytest.raises(IMAPClientAbortError, match="idle for too long"):
        client.noop()


def test_the_end_in_the_middle_of_a_command(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 UID FETCH 1 (BODY[])
        S: * 1 FETCH (UID 1 BODY[] {{300000}}
        S-: only a part
        CLOSE
    """
    with connected(peer(script)) as client:
        with pytest.raises(IMAPClientAbortError, match="closed") as caught:
            client.fetch(1, ["BODY[]"])
        assert_unusable(client, caught.value)


def test_logout_returns_the_servers_last_words(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGOUT
        S: * BYE see you
        S: A1 OK done
    """
    server = peer(script)
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    assert client.logout() == b"see you"
    assert_closed(server)
    with pytest.raises(IMAPClientAbortError, match="closed"):
        client.noop()


def test_logout_if_the_server_closes_right_after_its_bye(peer: PeerFactory) -> None:
    script = f"""
        {READY}
        C: A1 LOGOUT
        S: * BYE see you
        CLOSE
    """
    with connected(peer(script)) as client:
        assert client.logout() == b"see you"


@pytest.mark.parametrize("end", ["CLOSE", "S: A1 NO you stay", "S: nonsense"])
def test_a_logout_that_fails_closes_the_connection(peer: PeerFactory, end: str) -> None:
    server = peer(f"{READY}\nC: A1 LOGOUT\n{end}")
    client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
    with pytest.raises(IMAPClientError):
        client.logout()
    assert client.socket().fileno() == -1


class _Tunnelled(IMAP4):
    """As users have it who go through a proxy: imaplib's manual allows to override open()."""

    def open(self, host: str | None = None, port: int | None = None, timeout: float | None = None) -> None:
        self.sock = socket.create_connection((host or "", port or 0), timeout)
        self.file = self.sock.makefile("rb")


def test_a_connection_class_of_a_users_own(peer: PeerFactory) -> None:
    server = peer("S: * OK [CAPABILITY IMAP4rev1] hi\nC: A1 NOOP\nS: A1 OK Done")

    class Client(IMAPClient):
        def _create_IMAP4(self) -> IMAP4:
            return _Tunnelled(self.host, self.port or 0)

    client = Client(server.host, server.port, ssl=False)
    assert client.noop() == (b"Done", [])
    client.shutdown()
