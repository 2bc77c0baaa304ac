"""CAPABILITY, STARTTLS, NOOP, LOGOUT and the end of a session. ENABLE and ID are in test_session_enable.py."""

from __future__ import annotations

import ssl
from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient._connection.queues import AwaitedQueue
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    LimitError,
    ProtocolError,
)
from tests.helpers import certificates
from tests.helpers.clients import assert_unusable
from tests.helpers.dialogue import CAPABILITIES, Case, dialogue, dialogue_with_peer, in_every_way, types, unsolicited
from tests.helpers.scripted_peer import ScriptedPeer, SendBytes

CASES = [
    Case(
        "noop",
        lambda client: client.noop(),
        "C: A1 NOOP",
        "S: * 7 EXISTS\nS: * 0 RECENT",
        (b"Done", [(7, b"EXISTS"), (0, b"RECENT")]),
        own=frozenset((b"EXISTS", b"EXPUNGE", b"FETCH", b"OK", b"X-THING")),
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- NOOP

_MANY = b"".join(b"* %d EXISTS\r\n" % number for number in range(3000))


def test_noop_gives_all_of_many_responses() -> None:
    with dialogue(["C: A1 NOOP", SendBytes(_MANY), "S: A1 OK Done"]) as client:
        assert client.noop() == (b"Done", [(number, b"EXISTS") for number in range(3000)])
        assert unsolicited(client) == []


@pytest.mark.parametrize(("bound", "value"), [("MAX_RESPONSES", 3), ("MAX_BYTES", 40)])
def test_noop_with_more_than_the_bound_is_the_end_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(AwaitedQueue, bound, value)
    with dialogue(["C: A1 NOOP", SendBytes(_MANY)]) as client:
        with pytest.raises(LimitError) as caught:
            client.noop()
        assert_unusable(client, caught.value)


def test_noop_gives_each_kind_of_response_as_imapclient_does() -> None:
    script = """
        C: A1 NOOP
        S: * OK Still here
        S: * OK [UIDNEXT 3] Predicted
        S: * 1 EXISTS
        S: * 1 FETCH (FLAGS (\\NotJunk) UID 5)
        S: * 2 FETCH (BODY[] {3}
        S-: a"b
        S: )
        S: * 3 EXPUNGE
        S: * VANISHED 1:3
        S: * FLAGS (\\Seen Work)
        S: * SEARCH
        S: A1 OK Nothing done
    """
    expected = (
        b"Nothing done",
        [
            (b"OK", b"Still here"),
            (b"OK", b"[UIDNEXT 3] Predicted"),
            (1, b"EXISTS"),
            (1, b"FETCH", (b"FLAGS", (b"\\NotJunk",), b"UID", 5)),
            (2, b"FETCH", (b"BODY[]", b'a"b')),
            (3, b"EXPUNGE"),
            (b"VANISHED", b"1:3"),
            (b"FLAGS", (b"\\Seen", b"Work")),
            (b"SEARCH",),
        ],
    )
    with dialogue(script) as client:
        result = client.noop()
        assert result == expected
        assert types(result) == types(expected)


def test_noop_without_news() -> None:
    with dialogue("C: A1 NOOP\nS: A1 OK\n") as client:
        assert client.noop() == (b"", [])


def test_a_bye_in_the_middle_of_a_command_ends_the_connection() -> None:
    with dialogue("C: A1 NOOP\nS: * BYE Too long\nCLOSE") as client:
        with pytest.raises(IMAPClientAbortError, match="Too long"):
            client.noop()
        with pytest.raises(IMAPClientAbortError, match="Too long") as caught:
            client.noop()
        assert isinstance(caught.value.__cause__, IMAPClientAbortError)


# -- capabilities

_ASKED = """
    C: A1 CAPABILITY
    S: * CAPABILITY IMAP4rev1 idle AUTH=Plain
    S: A1 OK Done
"""


def test_capabilities_of_the_greeting_are_used_until_login_and_then_those_of_its_answer() -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1 Idle] Logged in
    """
    with ScriptedPeer(script) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60)
        assert client.capabilities() == (b"IMAP4REV1", b"AUTH=PLAIN")
        client.login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")
        client.shutdown()


def test_capabilities_sent_untagged_during_login_are_used() -> None:
    script = """
        C: A1 LOGIN "ann" "secret"
        S: * CAPABILITY IMAP4rev1 MOVE
        S: A1 OK Logged in
    """
    with dialogue(script, login=False) as client:
        client.login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"MOVE")
        assert unsolicited(client) == []


def test_capabilities_are_asked_for_once_where_the_server_told_none() -> None:
    with dialogue(_ASKED, capabilities=None, login=False) as client:
        result = client.capabilities()
        assert result == (b"IMAP4REV1", b"IDLE", b"AUTH=PLAIN")
        assert types(result) == types((b"", b"", b""))
        assert client.capabilities() == result
        assert client.has_capability("IDLE") is True


def test_capabilities_of_the_greeting_count_no_more_after_a_login_that_tells_none() -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK Logged in
    """
    with ScriptedPeer(script + _ASKED.replace("A1", "A2")) as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60)
        client.login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE", b"AUTH=PLAIN")
        client.shutdown()


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_capabilities_refused(status: str) -> None:
    script = f"C: A1 CAPABILITY\nS: A1 {status} Not now\n{_ASKED}"
    with dialogue(script, capabilities=None, login=False) as client:
        with pytest.raises(CommandError, match="Not now"):
            client.capabilities()
        assert client.has_capability("idle")


def test_capabilities_in_lower_case_in_single_bytes_and_among_other_data() -> None:
    script = """
        C: A1 CAPABILITY
        S: * 3 EXISTS
        S: * capability imap4rev1 idle
        S: * OK [ALERT] Look out
        S: A1 ok done
    """
    with dialogue(script, capabilities=None, login=False, chunk=1) as client:
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")
        assert unsolicited(client) == [(3, b"EXISTS", b""), (None, b"OK", b"[ALERT] Look out")]


def test_capabilities_told_in_between_replace_the_known_ones() -> None:
    script = """
        C: A1 CREATE "x"
        S: * OK [CAPABILITY IMAP4rev1 X-NEW] Changed
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.has_capability("MOVE")
        client.create_folder("x")
        assert client.capabilities() == (b"IMAP4REV1", b"X-NEW")


@pytest.mark.parametrize("name", ["IDLE", "idle", b"Idle", "iDLE"])
def test_has_capability_in_any_case_and_type(name: str | bytes) -> None:
    with dialogue() as client:
        assert client.has_capability(name) is True


@pytest.mark.parametrize("name", ["X-NONE", "", b"IDL", "IDLE MOVE", "café"])
def test_has_not_the_capability(name: str | bytes) -> None:
    with dialogue() as client:
        assert client.has_capability(name) is False


# -- STARTTLS


@pytest.fixture
def context() -> ssl.SSLContext:
    return certificates.client_context()


def _tls_dialogue(script: str, **options: Any) -> Any:
    options.setdefault("capabilities", "IMAP4rev1 STARTTLS X-CLEAR")
    return dialogue(script, login=False, tls_context=certificates.server_context(), **options)


def test_starttls_forgets_what_was_said_in_the_clear(context: ssl.SSLContext) -> None:
    script = """
        C: A1 STARTTLS
        S: * 5 EXISTS
        S: * ENABLED UTF8=ACCEPT
        S: A1 OK Begin TLS
        TLS
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 X-SAFE
        S: A2 OK Done
        C: A3 LOGIN "ann" "secret"
        S: A3 OK Logged in
        C: A4 CREATE "&AOk-"
        S: A4 OK Done
    """
    with _tls_dialogue(script) as client:
        result = client.starttls(context)
        assert result == b"Begin TLS"
        assert type(result) is bytes
        assert isinstance(client.socket(), ssl.SSLSocket)
        assert unsolicited(client) == []
        assert client.capabilities() == (b"IMAP4REV1", b"X-SAFE")
        assert client.login("ann", "secret") == b"Logged in"
        client.create_folder("é")


def test_starttls_in_lower_case_and_single_bytes(context: ssl.SSLContext) -> None:
    script = """
        C: A1 STARTTLS
        S: A1 ok begin
        CHUNK 0
        TLS
        C: A2 NOOP
        S: A2 OK Done
    """
    with _tls_dialogue(script, chunk=1) as client:
        assert client.starttls(context) == b"begin"
        assert client.noop() == (b"Done", [])


def test_starttls_verifies_by_default() -> None:
    with _tls_dialogue("C: A1 STARTTLS\nS: A1 OK Begin\nTLS FAILS") as client:
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls()
        with pytest.raises(IMAPClientAbortError):
            client.noop()


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_starttls_refused(status: str) -> None:
    script = f"C: A1 STARTTLS\nS: A1 {status} Not today\nC: A2 NOOP\nS: A2 OK Done"
    with _tls_dialogue(script) as client:
        with pytest.raises(CommandError, match="Not today"):
            client.starttls()
        assert not isinstance(client.socket(), ssl.SSLSocket)
        assert client.noop() == (b"Done", [])


def test_starttls_without_the_capability_sends_nothing() -> None:
    with _tls_dialogue("", capabilities=CAPABILITIES) as client, pytest.raises(CapabilityError):
        client.starttls()


def test_starttls_on_tls_sends_nothing(context: ssl.SSLContext) -> None:
    with _tls_dialogue("C: A1 STARTTLS\nS: A1 OK Begin\nTLS") as client:
        client.starttls(context)
        with pytest.raises(CapabilityError):
            client.starttls(context)


def test_starttls_after_login_sends_nothing() -> None:
    with dialogue(capabilities="IMAP4rev1 STARTTLS") as client, pytest.raises(IllegalStateError):
        client.starttls()


def test_starttls_after_preauth_sends_nothing() -> None:
    with ScriptedPeer("S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] Welcome back") as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False, timeout=60)
        with pytest.raises(IllegalStateError):
            client.starttls()
        client.shutdown()


def test_starttls_takes_nothing_that_was_sent_ahead_of_the_handshake(context: ssl.SSLContext) -> None:
    script = """
        C: A1 STARTTLS
        Sx: A1 OK Begin\\r\\n* 1 EXISTS
    """
    with _tls_dialogue(script) as client:
        with pytest.raises(ProtocolError, match="too early"):
            client.starttls(context)
        with pytest.raises(IMAPClientAbortError):
            client.noop()


# -- the end


def test_logout_returns_the_last_words_and_closes() -> None:
    script = """
        C: A1 LOGOUT
        S: * BYE Logging out
        S: A1 OK Logout completed
        CLOSE
    """
    with dialogue(script) as client:
        result = client.logout()
        assert result == b"Logging out"
        assert type(result) is bytes
        assert client.socket().fileno() == -1
        with pytest.raises(IMAPClientAbortError, match="closed"):
            client.noop()


def test_logout_in_lower_case_single_bytes_and_among_other_data() -> None:
    script = """
        C: A1 LOGOUT
        S: * 3 EXISTS
        S: * bye Logging out
        S: * 4 EXISTS
        S: A1 ok done
    """
    with dialogue(script, chunk=1) as client:
        assert client.logout() == b"Logging out"
        kept = [item for item in unsolicited(client) if item[1] != b"BYE"]
        assert kept == [(3, b"EXISTS", b""), (4, b"EXISTS", b"")]


def test_logout_of_a_server_that_says_no_bye() -> None:
    with dialogue("C: A1 LOGOUT\nS: A1 OK Gone") as client:
        assert client.logout() == b"Gone"


def test_logout_of_a_server_that_closes_after_its_bye() -> None:
    with dialogue("C: A1 LOGOUT\nS: * BYE Gone\nCLOSE") as client:
        assert client.logout() == b"Gone"


def test_logout_of_a_server_that_is_gone() -> None:
    with dialogue("C: A1 LOGOUT\nCLOSE") as client:
        with pytest.raises(IMAPClientAbortError):
            client.logout()
        assert client.socket().fileno() == -1


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_logout_refused_closes_all_the_same(status: str) -> None:
    with dialogue(f"C: A1 LOGOUT\nS: A1 {status} Stay") as client:
        with pytest.raises(CommandError, match="Stay"):
            client.logout()
        assert client.socket().fileno() == -1


def test_shutdown_sends_nothing_and_never_raises() -> None:
    with dialogue() as client:
        client.shutdown()
        client.shutdown()
        assert client.socket().fileno() == -1


def test_leaving_the_context_logs_out() -> None:
    with dialogue_with_peer("C: A1 LOGOUT\nS: * BYE Bye\nS: A1 OK Done\nCLOSE") as (client, peer):
        with client as entered:
            assert entered is client
        peer.wait()
        assert client.socket().fileno() == -1


def test_leaving_the_context_keeps_the_exception_of_its_body() -> None:
    with dialogue("C: A1 LOGOUT\nS: A1 NO Stay") as client:
        with pytest.raises(ZeroDivisionError), client:
            raise ZeroDivisionError
        assert client.socket().fileno() == -1


def test_leaving_the_context_of_a_lost_connection_raises_nothing() -> None:
    with dialogue("C: A1 LOGOUT\nCLOSE") as client:
        with client:
            pass
        assert client.socket().fileno() == -1


def test_leaving_the_context_after_logout_sends_nothing_more() -> None:
    with dialogue("C: A1 LOGOUT\nS: * BYE Bye\nS: A1 OK Done\nCLOSE") as client, client:
        client.logout()


# -- IMAP4rev2 includes what were extensions of IMAP4rev1 (RFC 9051, appendix E)


def _idle(client: IMAPClient) -> None:
    client.idle()
    client.idle_done()


_IN_REV2: list[tuple[Callable[[IMAPClient], object], str]] = [
    (lambda client: client.move(5, "x"), 'C: A1 UID MOVE 5 "x"\nS: A1 OK Done'),
    (lambda client: client.uid_expunge(5), "C: A1 UID EXPUNGE 5\nS: A1 OK Done"),
    (lambda client: client.expunge(5), "C: A1 UID EXPUNGE 5\nS: A1 OK Done"),
    (lambda client: client.unselect_folder(), "C: A1 UNSELECT\nS: A1 OK Done"),
    (lambda client: client.enable("X"), "C: A1 ENABLE X\nS: * ENABLED X\nS: A1 OK Done"),
    (lambda client: client.namespace(), "C: A1 NAMESPACE\nS: * NAMESPACE NIL NIL NIL\nS: A1 OK Done"),
    (_idle, "C: A1 IDLE\nS: +\nC: DONE\nS: A1 OK Done"),
    (
        lambda client: client.find_special_folder(b"\\Sent"),
        'C: A1 LIST "" "*" RETURN (SPECIAL-USE)\nS: * LIST (\\Sent) "/" "x"\nS: A1 OK Done',
    ),
]


@pytest.mark.parametrize(("call", "script"), _IN_REV2, ids=[script.split(maxsplit=2)[2][:9] for _, script in _IN_REV2])
@pytest.mark.parametrize("capabilities", ["IMAP4rev2", "imap4REV2 X", "IMAP4rev1 IMAP4rev2"])
def test_a_server_of_imap4rev2_needs_to_name_no_single_capability(
    call: Callable[[IMAPClient], object], script: str, capabilities: str
) -> None:
    with dialogue(script, capabilities=capabilities) as client:
        call(client)


def test_what_imap4rev2_does_not_include_is_not_assumed() -> None:
    with dialogue(capabilities="IMAP4rev2", login=False) as client:
        # It is not among the words that the server said.
        assert not client.has_capability("MOVE")
        with pytest.raises(CapabilityError, match="STARTTLS"):
            client.starttls()
