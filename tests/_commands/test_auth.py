"""LOGIN, and AUTHENTICATE with each mechanism."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from imapclient._auth import mechanisms as sasl
from imapclient.exceptions import (
    AuthenticationFailedError,
    CapabilityError,
    CommandError,
    IMAPClientAbortError,
    LoginError,
    NotOfferedError,
)
from imapclient.sasl import Anonymous, Mechanism, Plain
from tests.helpers.clients import connected
from tests.helpers.dialogue import Case, dialogue, dialogue_with_peer, in_every_way, unsolicited
from tests.helpers.sasl_turns import (
    OAUTHBEARER,
    PLAIN,
    SCRAM_NONCE,
    TURNS,
    XOAUTH2,
    Call,
    Make,
    assert_not_revealed,
    b64,
    oauthbearer,
    script_of,
)
from tests.helpers.scripted_peer import ScriptedPeer

CASES = [
    Case(
        "login",
        lambda client: client.login("ann", "secret"),
        'C: A1 LOGIN "ann" "secret"',
        "",
        b"Logged in",
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
    Case(
        "plain_login",
        lambda client: client.plain_login("ann", "secret"),
        f"C: A1 AUTHENTICATE PLAIN\nS: +\nC: {PLAIN}",
        "",
        b"Logged in",
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
    Case(
        "oauth2_login",
        lambda client: client.oauth2_login("ann", "t0ken"),
        f"C: A1 AUTHENTICATE XOAUTH2\nS: + \nC: {XOAUTH2}",
        "",
        [b"Logged in"],
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
    Case(
        "oauthbearer_login",
        oauthbearer,
        f"C: A1 AUTHENTICATE OAUTHBEARER\nS: + \nC: {OAUTHBEARER}",
        "",
        [b"Logged in"],
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
    Case(
        "authenticate",
        lambda client: client.authenticate(Anonymous("trace")),
        f"C: A1 AUTHENTICATE ANONYMOUS\nS: + \nC: {b64('trace')}",
        "",
        b"Logged in",
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
    Case(
        "sasl_login",
        lambda client: client.sasl_login("X-MINE", lambda challenge: b"mine"),
        f"C: A1 AUTHENTICATE X-MINE\nS: + \nC: {b64('mine')}",
        "",
        b"Logged in",
        ok="Logged in",
        no=LoginError,
        bad=LoginError,
        login=False,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


def test_login_returns_the_text_with_its_code() -> None:
    script = """
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1] Hello [ann]
    """
    with dialogue(script, login=False) as client:
        assert client.login("ann", "secret") == b"[CAPABILITY IMAP4rev1] Hello [ann]"


def test_login_refused_can_be_tried_again_and_keeps_the_capabilities() -> None:
    script = """
        C: A1 LOGIN "ann" "wrong"
        S: A1 NO [AUTHENTICATIONFAILED] Go away
        C: A2 LOGIN "ann" "secret"
        S: A2 OK Logged in
    """
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError, match="Go away") as caught:
            client.login("ann", "wrong")
        assert caught.value.code == (b"AUTHENTICATIONFAILED", ())
        assert "wrong" not in str(caught.value)
        assert client.has_capability("IDLE")
        client.login("ann", "secret")


@pytest.mark.parametrize(
    ("user", "password", "sent"),
    [
        ("ann", 'a "b" \\c', 'C: A1 LOGIN "ann" "a \\"b\\" \\\\c"'),
        (b"ann", b"secret", 'C: A1 LOGIN "ann" "secret"'),
        ("", "", 'C: A1 LOGIN "" ""'),
        ("ann smith", "{5}", 'C: A1 LOGIN "ann smith" "{5}"'),
        ("NIL", "*%", 'C: A1 LOGIN "NIL" "*%"'),
        ("ann", "pä", 'C: A1 LOGIN "ann" {3}\nS: + go\nC: pä'),
        ("ann", b"\xff", 'C: A1 LOGIN "ann" {1}\nS: + go\nCx: \\xff'),
        ("日本", "x", 'C: A1 LOGIN {6}\nS: +\nC: 日本 "x"'),
        ("é", "ü", "C: A1 LOGIN {2}\nS: + go\nC: é {2}\nS: + go\nC: ü"),
        ("ann", "x\r\nA999 NOOP", 'C: A1 LOGIN "ann" {12}\nS: + go\nCx: x\\r\\nA999 NOOP'),
        ("ann", "y" * 1001, 'C: A1 LOGIN "ann" {1001}\nS: + go\nC: ' + "y" * 1001),
        ("ann", "y" * 1000, 'C: A1 LOGIN "ann" "' + "y" * 1000 + '"'),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_login_sends(user: Any, password: Any, sent: str) -> None:
    with dialogue(f"{sent}\nS: A1 OK Logged in", login=False) as client:
        assert client.login(user, password) == b"Logged in"


@pytest.mark.parametrize("capability", ["LITERAL+", "LITERAL-"])
def test_literals_wait_even_where_the_server_needs_no_wait(capability: str) -> None:
    """A server that refuses LOGIN in this state, and forgets the literal, would take the password for a command."""
    script = 'C: A1 LOGIN "ann" {3}\nS: + go\nC: pä\nS: A1 OK Logged in'
    with dialogue(script, capabilities=f"IMAP4rev1 {capability}", login=False) as client:
        client.login("ann", "pä")


def test_a_literal_that_is_refused() -> None:
    script = """
        C: A1 LOGIN {2}
        S: A1 BAD No literals here
        C: A2 LOGIN "ann" "secret"
        S: A2 OK Logged in
    """
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError, match="No literals here"):
            client.login("é", "x")
        client.login("ann", "secret")


@pytest.mark.parametrize(("user", "password"), [("a\0", "x"), ("ann", "x\0"), (b"a\0", b"x"), ("ann", "é\0")])
def test_nul_is_refused_before_anything_is_sent(user: Any, password: Any) -> None:
    with dialogue(login=False) as client, pytest.raises(ValueError, match="NUL"):
        client.login(user, password)


@pytest.mark.parametrize(("user", "password"), [(None, "x"), ("ann", None), (5, "x"), ("ann", ["x"])])
def test_what_is_no_text_is_refused_before_anything_is_sent(user: Any, password: Any) -> None:
    with dialogue(login=False) as client, pytest.raises(TypeError):
        client.login(user, password)


def test_nul_in_a_password_is_not_told() -> None:
    with dialogue(login=False) as client:
        with pytest.raises(ValueError, match="NUL") as caught:
            client.login("ann", "hunter2\0")
        assert "hunter2" not in str(caught.value)


def test_a_login_error_is_caught_by_old_except_clauses() -> None:
    script = 'C: A1 LOGIN "ann" "x"\nS: A1 NO Go away'
    with dialogue(script, login=False) as client:
        with pytest.raises(client.Error) as caught:
            client.login("ann", "x")
        assert isinstance(caught.value, (LoginError, CommandError))
        assert not isinstance(caught.value, client.AbortError)


def test_a_server_that_repeats_the_password() -> None:
    """Neither the exception nor those that led to it have it."""
    script = 'C: A1 LOGIN "ann" "hunter2"\nS: A1 BAD [X-LINE hunter2] What is LOGIN "ann" "hunter2"?'
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.login("ann", "hunter2")
        assert (caught.value.status, caught.value.code) == ("BAD", (b"X-LINE", ()))
        assert_not_revealed(caught.value, "hunter2")


@pytest.mark.parametrize("password", ["hunter2\ud800", b"hunter2\0"])
def test_a_password_that_can_not_be_sent_is_not_told(password: Any) -> None:
    with dialogue(login=False) as client:
        with pytest.raises(ValueError, match=r"surrogate|NUL") as caught:
            client.login("ann", password)
        assert_not_revealed(caught.value, "hunter2")


# -- LOGINDISABLED


def test_login_disabled() -> None:
    """A LoginError, as IMAPClient raises after the server's NO; but nothing was sent."""
    capabilities = "IMAP4rev1 STARTTLS LOGINDISABLED"
    with dialogue("C: A1 NOOP\nS: A1 OK Done", capabilities=capabilities, login=False) as client:
        with pytest.raises(NotOfferedError, match=r"LOGINDISABLED.*nothing was sent") as caught:
            client.login("ann", "secret")
        assert isinstance(caught.value, LoginError)
        assert caught.value.command == "LOGIN"
        assert (caught.value.status, caught.value.code, caught.value.text) == ("", None, "")
        assert client.noop() == (b"Done", [])


def test_login_disabled_on_a_server_that_has_not_told_its_capabilities() -> None:
    script = """
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 LoginDisabled
        S: A1 OK Done
    """
    with dialogue(script, capabilities=None, login=False) as client:
        for _ in range(2):
            with pytest.raises(LoginError, match="LOGINDISABLED"):
                client.login("ann", "secret")


def test_login_asks_for_the_capabilities_that_were_not_told() -> None:
    script = """
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: A1 OK Done
        C: A2 LOGIN "ann" "secret"
        S: A2 OK Logged in
    """
    with dialogue(script, capabilities=None, login=False) as client:
        assert client.login("ann", "secret") == b"Logged in"


@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_a_server_that_does_not_tell_its_capabilities(status: str) -> None:
    """Nothing is known against a login then."""
    script = f"""
        C: A1 CAPABILITY
        S: A1 {status} What?
        C: A2 LOGIN "ann" "wrong"
        S: A2 NO Go away
        C: A3 CAPABILITY
        S: A3 {status} What?
        C: A4 AUTHENTICATE PLAIN
        S: +
        C: {PLAIN}
        S: A4 OK Logged in
    """
    with dialogue(script, capabilities=None, login=False) as client:
        with pytest.raises(LoginError, match="Go away"):
            client.login("ann", "wrong")
        assert client.plain_login("ann", "secret") == b"Logged in"


def test_a_connection_that_has_failed_says_so_rather_than_login_disabled() -> None:
    with dialogue("C: A1 NOOP\nCLOSE", capabilities="IMAP4rev1 LOGINDISABLED", login=False) as client:
        with pytest.raises(IMAPClientAbortError) as first:
            client.noop()
        for call in (client.login, client.plain_login, client.oauth2_login, client.oauthbearer_login):
            with pytest.raises(IMAPClientAbortError) as later:
                call("ann", "secret")
            assert later.value.__cause__ is first.value


def test_login_disabled_is_looked_at_before_login_only() -> None:
    """Cyrus goes on to list LOGINDISABLED after it."""
    script = """
        C: A1 AUTHENTICATE PLAIN
        S: +
        C: %s
        S: A1 OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] Logged in
        C: A2 LOGIN "ann" "secret"
        S: A2 BAD Already logged in
    """
    with dialogue(script % PLAIN, capabilities="IMAP4rev1 LOGINDISABLED AUTH=PLAIN", login=False) as client:
        client.plain_login("ann", "secret")
        assert client.has_capability("LOGINDISABLED")
        with pytest.raises(LoginError, match="Already"):
            client.login("ann", "secret")


def test_login_disabled_on_a_connection_that_greets_with_preauth() -> None:
    script = """
        S: * PREAUTH [CAPABILITY IMAP4rev1 LOGINDISABLED] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 BAD Already logged in
    """
    with ScriptedPeer(script) as peer, connected(peer) as client, pytest.raises(LoginError, match="Already"):
        client.login("ann", "secret")


# -- AUTHENTICATE: what is sent, with and without SASL-IR

in_turns = pytest.mark.parametrize(("make", "turns"), TURNS, ids=[f"{make()!r}" for make, _ in TURNS])


@pytest.fixture(autouse=True)
def _known_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sasl, "_nonce", lambda: SCRAM_NONCE)


@in_turns
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("initial", [True, False])
def test_authenticate(make: Make, turns: list[str | bytes], initial: bool, listed: bool) -> None:
    mechanism = make()
    capabilities = "IMAP4rev1" + " SASL-IR" * initial + f" AUTH=X AUTH={mechanism.name}" * listed
    script = script_of(mechanism, turns, initial=initial)
    with dialogue(script, capabilities=capabilities, login=False) as client:
        assert client.authenticate(mechanism) == b"Logged in"
        assert client._imap.state == "AUTH"
        assert mechanism.complete


@in_turns
@pytest.mark.parametrize("initial", [True, False])
def test_a_mechanism_that_is_refused_may_be_tried_again(make: Make, turns: list[str | bytes], initial: bool) -> None:
    mechanism = make()
    refused = script_of(mechanism, turns, initial=initial, tagged="NO [AUTHENTICATIONFAILED] Go away")
    script = f"{refused}\n{script_of(mechanism, turns, initial=initial)}"
    with dialogue(script, capabilities="IMAP4rev1" + " SASL-IR" * initial, login=False) as client:
        with pytest.raises(AuthenticationFailedError, match=r"AUTHENTICATE failed: .*Go away") as caught:
            client.authenticate(mechanism)
        assert isinstance(caught.value, LoginError)
        assert caught.value.code == (b"AUTHENTICATIONFAILED", ())
        assert client._imap.state == "NONAUTH"
        assert client.authenticate(mechanism) == b"Logged in"


@in_turns
def test_a_mechanism_as_the_callable_of_sasl_login(make: Make, turns: list[str | bytes]) -> None:
    """No initial response unless it is asked for. It may be tried again too."""
    mechanism = make()
    refused = script_of(mechanism, turns, initial=False, tagged="NO Later")
    script = f"{refused}\n{script_of(mechanism, turns, initial=False)}"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        with pytest.raises(LoginError, match="Later"):
            client.sasl_login(mechanism.name, mechanism)
        assert client.sasl_login(mechanism.name, mechanism) == b"Logged in"


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda client: client.plain_login("ann", "secret"), f"PLAIN {PLAIN}"),
        (lambda client: client.plain_login(b"ann", b"\xff", "bob"), "PLAIN " + b64(b"bob\0ann\0\xff")),
        (lambda client: client.plain_login("ann", ""), "PLAIN " + b64("\0ann\0")),
        (lambda client: client.oauth2_login("ann", "t0ken"), f"XOAUTH2 {XOAUTH2}"),
        (lambda client: client.oauth2_login("ann", "t0ken", "xoauth"), f"XOAUTH {XOAUTH2}"),
        (
            lambda client: client.oauth2_login("ann", "t0ken", vendor="acme"),
            "XOAUTH2 " + b64("user=ann\1auth=Bearer t0ken\1vendor=acme\1\1"),
        ),
        (oauthbearer, f"OAUTHBEARER {OAUTHBEARER}"),
    ],
)  # fmt: skip
def test_what_is_sent_with_the_command(call: Call, sent: str) -> None:
    script = f"C: A1 AUTHENTICATE {sent}\nS: A1 OK Logged in"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        call(client)


def test_oauthbearer_names_the_host_and_port_of_the_connection() -> None:
    with dialogue_with_peer(login=False) as (client, peer), ThreadPoolExecutor() as pool:
        message = f"n,a=ann,\1host=127.0.0.1\1port={peer.port}\1auth=Bearer t0ken\1\1"
        answer = pool.submit(peer.play, f"C: A1 AUTHENTICATE OAUTHBEARER\nS: +\nC: {b64(message)}\nS: A1 OK Done")
        assert client.oauthbearer_login("ann", "t0ken") == [b"Done"]
        answer.result()


def test_oauthbearer_over_a_stream_names_no_host() -> None:
    """There ``host`` is a command of the shell."""
    message = b64("n,a=ann,\1auth=Bearer t0ken\1\1")
    with dialogue(f"C: A1 AUTHENTICATE OAUTHBEARER\nS: +\nC: {message}\nS: A1 OK Done", login=False) as client:
        client.stream = True
        client.oauthbearer_login("ann", "t0ken")


def test_a_long_initial_response_goes_in_a_line_of_its_own() -> None:
    token = "t" * 9000
    message = b64(f"user=ann\1auth=Bearer {token}\1\1")
    script = f"C: A1 AUTHENTICATE XOAUTH2\nS: +\nC: {message}\nS: A1 OK Done"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        client.oauth2_login("ann", token)


def test_revision_2_of_imap_takes_an_initial_response_as_it_is() -> None:
    with dialogue(f"C: A1 AUTHENTICATE PLAIN {PLAIN}\nS: A1 OK Done", capabilities="IMAP4rev2", login=False) as client:
        client.plain_login("ann", "secret")


def test_the_capabilities_are_asked_for_before_and_learnt_anew_after() -> None:
    script = f"""
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN
        S: A1 OK Done
        C: A2 AUTHENTICATE PLAIN {PLAIN}
        S: A2 OK Logged in
        C: A3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: A3 OK Done
    """
    with dialogue(script, capabilities=None, login=False) as client:
        client.plain_login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")


def test_the_capabilities_that_the_answer_tells_are_taken() -> None:
    script = f"C: A1 AUTHENTICATE PLAIN\nS: +\nC: {PLAIN}\nS: * CAPABILITY IMAP4rev1 IDLE\nS: A1 OK Done"
    with dialogue(script, capabilities="IMAP4rev1", login=False) as client:
        client.plain_login("ann", "secret")
        assert client.capabilities() == (b"IMAP4REV1", b"IDLE")


def test_what_comes_in_between_is_handed_on() -> None:
    heard: list[Any] = []
    script = f"C: A1 AUTHENTICATE PLAIN\nS: * OK [ALERT] Look out\nS: +\nC: {PLAIN}\nS: * 3 EXISTS\nS: A1 OK Done"
    with dialogue(script, login=False) as client:
        client.on_unsolicited = heard.append
        client.plain_login("ann", "secret")
        assert heard == [(b"OK", b"[ALERT] Look out"), (3, b"EXISTS")]
        assert unsolicited(client) == []


# -- whether the server offers the mechanism


@pytest.mark.parametrize(
    "capabilities",
    [
        "IMAP4rev1 AUTH=CRAM-MD5 AUTH=LOGIN",
        "IMAP4rev1 AUTH=PLAINER",
        "IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5",
        # Nothing at all is offered in the clear.
        "IMAP4rev1 SASL-IR STARTTLS LOGINDISABLED",
    ],
)
def test_a_mechanism_that_is_not_offered(capabilities: str) -> None:
    with dialogue("C: A1 NOOP\nS: A1 OK Done", capabilities=capabilities, login=False) as client:
        with pytest.raises(NotOfferedError, match="does not offer PLAIN") as caught:
            client.plain_login("ann", "secret")
        # Old except clauses catch it, for IMAPClient sends the password and raises LoginError after the NO.
        assert isinstance(caught.value, LoginError)
        assert isinstance(caught.value, CapabilityError)
        assert (caught.value.command, caught.value.status) == ("AUTHENTICATE", "")
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 LOGINDISABLED AUTH=plain", "IMAP4rev1 AUTH=PLAIN"])
def test_a_mechanism_that_may_be_tried(capabilities: str) -> None:
    """LOGINDISABLED is about LOGIN, and a server need not list its mechanisms."""
    script = f"C: A1 AUTHENTICATE PLAIN\nS: +\nC: {PLAIN}\nS: A1 OK Done"
    with dialogue(script, capabilities=capabilities, login=False) as client:
        assert client.plain_login("ann", "secret") == b"Done"


def test_once_logged_in_the_server_decides() -> None:
    """Most servers list no mechanisms then, and some list LOGINDISABLED."""
    script = "C: A1 AUTHENTICATE PLAIN\nS: A1 BAD Already logged in"
    with dialogue(script, capabilities="IMAP4rev1 AUTH=X") as client:
        with pytest.raises(LoginError, match="Already"):
            client.plain_login("ann", "secret")
        assert client._imap.state == "AUTH"


def test_sasl_login_does_not_look_at_what_is_offered() -> None:
    script = "C: A1 AUTHENTICATE X-MINE\nS: A1 NO What?"
    with dialogue(script, capabilities="IMAP4rev1 LOGINDISABLED AUTH=PLAIN", login=False) as client:
        with pytest.raises(LoginError, match="What") as caught:
            client.sasl_login("X-MINE", lambda challenge: b"")
        assert caught.value.status == "NO"


# -- sasl_login


def test_sasl_login_calls_with_each_challenge() -> None:
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> str | bytes:
        challenges.append(challenge)
        responses: list[str | bytes] = ["first", b"\xff", "ü", b""]
        return responses[len(challenges) - 1]

    script = f"""
        C: A1 AUTHENTICATE X-MINE
        S: +
        C: {b64("first")}
        S: + {b64("second")}
        C: {b64(bytes([255]))}
        S: +
        C: {b64("ü")}
        S: + {b64("last")}
        C:
        S: A1 OK [CAPABILITY IMAP4rev1] Logged in
    """
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        assert client.sasl_login("x-mine", respond) == b"[CAPABILITY IMAP4rev1] Logged in"
    assert challenges == [b"", b"second", b"", b"last"]


@pytest.mark.parametrize(("initial", "word"), [(b"abc", "YWJj"), ("ü", "w7w="), (b"", "="), ("", "=")])
def test_sasl_login_with_an_initial_response(initial: Any, word: str) -> None:
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return b"x"

    rest = "S: + YQ==\nC: eA==\nS: A1 OK Done"
    with dialogue(f"C: A1 AUTHENTICATE X {word}\n{rest}", capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        assert client.sasl_login("X", respond, initial_response=initial) == b"Done"
    script = f"C: A1 AUTHENTICATE X\nS: +\nC: {'' if word == '=' else word}\n{rest}"
    with dialogue(script, capabilities="IMAP4rev1", login=False) as client:
        assert client.sasl_login("X", respond, initial_response=initial) == b"Done"
    assert challenges == [b"a", b"a"]


_SENT_NOTHING: list[tuple[Callable[[Any], Any], type[Exception]]] = [
    (lambda client: client.authenticate(None), TypeError),
    (lambda client: client.authenticate("PLAIN"), TypeError),
    (lambda client: client.authenticate(Plain), TypeError),
    (lambda client: client.authenticate(lambda challenge: b""), TypeError),
    (lambda client: client.authenticate(Mechanism()), ValueError),
    (lambda client: client.sasl_login("X", None), TypeError),
    (lambda client: client.sasl_login("X", b"response"), TypeError),
    (lambda client: client.sasl_login("X", str, initial_response=5), TypeError),
    (lambda client: client.sasl_login("X", str, initial_response=True), TypeError),
    (lambda client: client.sasl_login("X", str, initial_response="\ud800"), ValueError),
    (lambda client: client.sasl_login("PLAIN", Plain("a", "b"), initial_response=b"x"), ValueError),
    (lambda client: client.sasl_login(None, str), TypeError),
    (lambda client: client.sasl_login("", str), ValueError),
    (lambda client: client.sasl_login("A B", str), ValueError),
    (lambda client: client.sasl_login("PLAIN\r\nA9 NOOP", str), ValueError),
    (lambda client: client.sasl_login("{5}", str), ValueError),
    (lambda client: client.sasl_login("PLÄIN", str), ValueError),
    (lambda client: client.oauth2_login("ann", "t", "X Y"), ValueError),
    (lambda client: client.oauth2_login("ann", "t", ""), ValueError),
    (lambda client: client.oauth2_login("ann\1auth=x", "t"), ValueError),
    (lambda client: client.oauth2_login("ann", "t\n"), ValueError),
    (lambda client: client.oauth2_login("ann", "t", vendor="x\1"), ValueError),
    (lambda client: client.oauth2_login(None, "t"), TypeError),
    (lambda client: client.oauth2_login("ann", None), TypeError),
    (lambda client: client.oauthbearer_login("ann", 5), TypeError),
    (lambda client: client.oauthbearer_login(["ann"], "t"), TypeError),
    (lambda client: client.oauthbearer_login("a\1b", "t"), ValueError),
    (lambda client: client.plain_login("ann", None), TypeError),
    (lambda client: client.plain_login(None, "secret"), TypeError),
    (lambda client: client.plain_login("ann", 12345), TypeError),
    (lambda client: client.plain_login("ann", "x", 5), TypeError),
    (lambda client: client.plain_login("a\0nn", "x"), ValueError),
    (lambda client: client.plain_login("ann", b"x\0"), ValueError),
    (lambda client: client.plain_login("ann", "x", "\0"), ValueError),
]


@pytest.mark.parametrize(("call", "error"), _SENT_NOTHING)
@pytest.mark.parametrize("capabilities", ["IMAP4rev1 SASL-IR", None])
def test_what_is_refused_before_anything_is_sent(call: Call, error: type[Exception], capabilities: str | None) -> None:
    with dialogue(capabilities=capabilities, login=False) as client, pytest.raises(error):
        call(client)
