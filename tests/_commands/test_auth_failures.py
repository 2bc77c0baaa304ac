"""AUTHENTICATE that fails: refusals and their reasons, servers that break the rules, and what must not be told."""

from __future__ import annotations

import contextlib
import logging
import pickle
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient._auth import mechanisms as sasl
from imapclient._auth.dialogue import AuthExchange
from imapclient.exceptions import IllegalStateError, IMAPClientAbortError, LoginError, ProtocolAbortError, ProtocolError
from imapclient.sasl import Anonymous, CramMD5, Login, Mechanism, Plain, ScramSHA1, XOAuth2
from tests.helpers.dialogue import dialogue
from tests.helpers.sasl_turns import (
    OAUTHBEARER,
    PLAIN,
    SCRAM_CHALLENGE,
    SCRAM_FIRST,
    SCRAM_NONCE,
    SCRAM_PROOF,
    TURNS,
    XOAUTH2,
    Call,
    Make,
    assert_not_revealed,
    b64,
    oauthbearer,
    script_of,
)
from tests.helpers.scripted_peer import Script


@pytest.fixture(autouse=True)
def _known_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sasl, "_nonce", lambda: SCRAM_NONCE)


#: Calls of several kinds, with the name of the mechanism.
CALLS: list[tuple[Call, str]] = [
    (lambda client: client.plain_login("ann", "secret"), "PLAIN"),
    (lambda client: client.oauth2_login("ann", "t0ken"), "XOAUTH2"),
    (lambda client: client.oauthbearer_login("ann", "t0ken"), "OAUTHBEARER"),
    (lambda client: client.authenticate(Login("ann", "secret")), "LOGIN"),
    (lambda client: client.authenticate(CramMD5("ann", "secret")), "CRAM-MD5"),
    (lambda client: client.authenticate(ScramSHA1("user", "pencil")), "SCRAM-SHA-1"),
    (lambda client: client.sasl_login("X-FIRST", lambda challenge: b"x", initial_response="secret"), "X-FIRST"),
    (lambda client: client.sasl_login("X-MINE", lambda challenge: b"secret"), "X-MINE"),
]
each_call = pytest.mark.parametrize(("call", "name"), CALLS, ids=[name for _, name in CALLS])
STILL_USABLE = "C: A9 NOOP\nS: A9 OK Done"


def assert_usable(client: IMAPClient) -> None:
    """The connection goes on, and nobody is logged in. The script has STILL_USABLE."""
    assert client._imap.state == "NONAUTH"
    assert client.noop() == (b"Done", [])


def assert_unusable(client: IMAPClient) -> None:
    assert not client._imap.is_usable
    with pytest.raises(IMAPClientAbortError):
        client.noop()


# -- callables


def test_a_callable_that_raises() -> None:
    """Its exception comes out, and the connection goes on."""
    problem = KeyError("no token")

    def respond(challenge: bytes) -> bytes:
        if challenge:
            raise problem
        return b"ann"

    script = f"""
        C: A1 AUTHENTICATE X
        S: +
        C: {b64("ann")}
        S: + {b64("Password:")}
        C: *
        S: * 3 EXISTS
        S: A1 BAD Cancelled
        C: A2 LOGIN "ann" "secret"
        S: A2 OK Logged in
    """
    with dialogue(script, login=False) as client:
        with pytest.raises(KeyError) as caught:
            client.sasl_login("X", respond)
        assert caught.value is problem
        assert client._imap.state == "NONAUTH"
        assert client.login("ann", "secret") == b"Logged in"


def test_a_callable_that_is_interrupted() -> None:
    """The rest of the exchange is not waited for: the user wants to get out."""

    def respond(challenge: bytes) -> bytes:
        raise KeyboardInterrupt

    with dialogue("C: A1 AUTHENTICATE X\nS: +", login=False) as client:
        with pytest.raises(KeyboardInterrupt):
            client.sasl_login("X", respond)
        assert_unusable(client)


def test_a_callable_that_returns_none_cancels() -> None:
    script = f"C: A1 AUTHENTICATE X\nS: +\nC: *\nS: A1 BAD Cancelled\n{STILL_USABLE}"
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError, match="Cancelled"):
            client.sasl_login("X", lambda challenge: None)
        assert_usable(client)


@pytest.mark.parametrize(("response", "error"), [(5, TypeError), (["x"], TypeError), ("\ud800", ValueError)])
def test_a_callable_that_returns_what_can_not_be_sent(response: Any, error: type[Exception]) -> None:
    script = f"C: A1 AUTHENTICATE X\nS: +\nC: *\nS: A1 BAD Cancelled\n{STILL_USABLE}"
    with dialogue(script, login=False) as client:
        with pytest.raises(error):
            client.sasl_login("X", lambda challenge: response)
        assert_usable(client)


# -- servers that break the rules


@each_call
@pytest.mark.parametrize("text", ["Go ahead", "YWJ", "YWJj!", "*", "YWJj YWJj"])
def test_a_challenge_that_is_not_base64(call: Call, name: str, text: str) -> None:
    script = f"C: A1 AUTHENTICATE {name}\nS: + {text}\nC: *\nS: A1 BAD Cancelled\n{STILL_USABLE}"
    with dialogue(script, login=False) as client:
        with pytest.raises(ProtocolError, match="not base64") as caught:
            call(client)
        assert not isinstance(caught.value, IMAPClientAbortError)
        assert_usable(client)


@each_call
@pytest.mark.parametrize("times", [1, 8])
def test_a_huge_challenge(call: Call, name: str, times: int) -> None:
    script: Script = [
        f"C: A1 AUTHENTICATE {name}",
        b"S: + AAAA" + b"A" * (times * AuthExchange.MAX_CHALLENGE_SIZE),
        f"C: *\nS: A1 BAD Cancelled\n{STILL_USABLE}",
    ]
    with dialogue(script, login=False) as client:
        with pytest.raises(ProtocolError, match="a challenge is too long") as caught:
            call(client)
        assert len(str(caught.value)) < 200
        assert_usable(client)


def test_challenges_without_end_from_a_server_that_heeds_a_cancellation() -> None:
    turns = "S: +\nC: eA==\n" * AuthExchange.MAX_CHALLENGES
    script = f"C: A1 AUTHENTICATE X-MINE\n{turns}S: +\nC: *\nS: A1 BAD Cancelled\n{STILL_USABLE}"
    with dialogue(script, login=False) as client:
        with pytest.raises(ProtocolError, match="too many challenges"):
            client.sasl_login("X-MINE", lambda challenge: b"x")
        assert_usable(client)


@pytest.mark.parametrize(
    ("mechanism", "turns"),
    [
        (Plain("ann", "secret"), [f"C: {PLAIN}"]),
        (Login("ann", "x"), [f"C: {b64('ann')}", "C: eA=="]),
        (XOAuth2("ann", "t0ken"), [f"C: {XOAUTH2}", "C:"]),
        (Anonymous(), ["C:"]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("heeds", [True, False])
def test_more_challenges_than_the_mechanism_has(mechanism: Mechanism, turns: list[str], heeds: bool) -> None:
    exchange = "\n".join(f"S: +\n{turn}" for turn in turns)
    end = f"S: A1 NO Cancelled\n{STILL_USABLE}" if heeds else "S: +"
    script = f"C: A1 AUTHENTICATE {mechanism.name}\n{exchange}\nS: +\nC: *\n{end}"
    with dialogue(script, login=False) as client:
        if heeds:
            with pytest.raises(ProtocolError, match="sent a challenge after the last response"):
                client.authenticate(mechanism)
            assert_usable(client)
        else:
            with pytest.raises(ProtocolAbortError, match="after the exchange was cancelled"):
                client.authenticate(mechanism)
            assert_unusable(client)


@each_call
def test_bye_in_the_middle(call: Call, name: str) -> None:
    with dialogue(f"C: A1 AUTHENTICATE {name}\nS: * BYE Too many of you\nCLOSE", login=False) as client:
        with pytest.raises(IMAPClientAbortError, match="Too many of you"):
            call(client)
        assert_unusable(client)


@each_call
def test_the_end_of_the_connection_in_the_middle(call: Call, name: str) -> None:
    with dialogue(f"C: A1 AUTHENTICATE {name}\nCLOSE", login=False) as client:
        with pytest.raises(IMAPClientAbortError):
            call(client)
        assert_unusable(client)


def test_a_challenge_after_the_end() -> None:
    script = f"C: A1 AUTHENTICATE PLAIN\nS: +\nC: {PLAIN}\nS: A1 OK Done\nS: + YWJj\nC: A2 NOOP"
    with dialogue(script, login=False) as client:
        client.plain_login("ann", "secret")
        with pytest.raises(ProtocolError, match="no command waits for"):
            client.noop()
        assert_unusable(client)


@each_call
def test_ok_before_the_client_has_said_anything(call: Call, name: str) -> None:
    with dialogue(f"C: A1 AUTHENTICATE {name}\nS: A1 OK Welcome", login=False) as client:
        if name == "X-MINE":
            # Who speaks first, and when the exchange is complete, is not known of a callable.
            assert call(client) == b"Welcome"
            return
        with pytest.raises(ProtocolAbortError, match="not complete"):
            call(client)
        assert_unusable(client)


def test_ok_before_the_password() -> None:
    script = f"C: A1 AUTHENTICATE LOGIN\nS: + \nC: {b64('ann')}\nS: A1 OK Welcome"
    with dialogue(script, login=False) as client:
        with pytest.raises(ProtocolAbortError, match="not complete"):
            client.authenticate(Login("ann", "secret"))
        assert_unusable(client)


@pytest.mark.parametrize("problem", [None, KeyError("mine")])
def test_ok_to_a_cancelled_exchange(problem: Exception | None) -> None:
    def respond(challenge: bytes) -> None:
        if problem is not None:
            raise problem

    with dialogue("C: A1 AUTHENTICATE X-MINE\nS: +\nC: *\nS: A1 OK Welcome", login=False) as client:
        with pytest.raises(ProtocolAbortError, match="cancelled") as caught:
            client.sasl_login("X-MINE", respond)
        assert caught.value.__cause__ is problem
        assert_unusable(client)


# -- SCRAM against a server that is not what it says

SCRAM_START = f"C: A1 AUTHENTICATE SCRAM-SHA-1 {b64(SCRAM_FIRST)}\n"
SCRAM_MIDDLE = f"S: + {b64(SCRAM_CHALLENGE)}\nC: {b64(SCRAM_PROOF)}\n"
WRONG_SIGNATURE = b64("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=")


@pytest.mark.parametrize(
    "turns",
    [
        "",
        SCRAM_MIDDLE,
        f"S: + {b64('e=other-error')}\nC:\n",
        f"{SCRAM_MIDDLE}S: + {b64('e=invalid-proof')}\nC:\n",
        f"{SCRAM_MIDDLE}S: + {WRONG_SIGNATURE}\nC: *\n",
    ],
)
def test_scram_ok_before_the_server_has_proved_that_it_knows_the_password(turns: str) -> None:
    script = f"{SCRAM_START}{turns}S: A1 OK Welcome"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        with pytest.raises(ProtocolAbortError, match="not complete"):
            client.authenticate(ScramSHA1("user", "pencil"))
        assert_unusable(client)


@pytest.mark.parametrize(
    "turns",
    [
        f"S: + {b64(SCRAM_CHALLENGE.replace('4096', '2147483648'))}\nC: *\n",
        f"S: + {b64(SCRAM_CHALLENGE.replace('4096', '1'))}\nC: *\n",
        f"S: + {b64(SCRAM_CHALLENGE.replace('r=f', 'r=g'))}\nC: *\n",
        "S: +\nC: *\n",
        f"{SCRAM_MIDDLE}S: + {WRONG_SIGNATURE}\nC: *\n",
        f"{SCRAM_MIDDLE}S: +\nC: *\n",
    ],
)
def test_scram_with_messages_that_are_not_acceptable(turns: str) -> None:
    script = f"{SCRAM_START}{turns}S: A1 NO Cancelled\n{STILL_USABLE}"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        with pytest.raises(ProtocolError, match="message is not valid") as caught:
            client.authenticate(ScramSHA1("user", "pencil"))
        assert not isinstance(caught.value, IMAPClientAbortError)
        assert_usable(client)


def test_scram_with_a_server_that_says_why_it_refuses() -> None:
    script = f"{SCRAM_START}{SCRAM_MIDDLE}S: + {b64('e=invalid-proof')}\nC:\nS: A1 NO No\n{STILL_USABLE}"
    with dialogue(script, capabilities="IMAP4rev1 SASL-IR", login=False) as client:
        with pytest.raises(LoginError, match=r"AUTHENTICATE failed: No \(e=invalid-proof\)") as caught:
            client.authenticate(ScramSHA1("user", "pencil"))
        assert caught.value.challenge == b"e=invalid-proof"
        assert_usable(client)


# -- OAuth: the server's reasons

GOOGLE = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
RFC7628 = '{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/x"}'


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize(
    ("call", "name", "message", "last_word"),
    [
        (lambda client: client.oauth2_login("ann", "t0ken"), "XOAUTH2", XOAUTH2, ""),
        (oauthbearer, "OAUTHBEARER", OAUTHBEARER, "AQ=="),
    ],
    ids=["XOAUTH2", "OAUTHBEARER"],
)
@pytest.mark.parametrize(
    ("challenge", "reasons"),
    [
        (GOOGLE, {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}),
        (
            RFC7628,
            {"status": "invalid_token", "scope": "example_scope", "openid-configuration": "https://example.com/x"},
        ),
        ("no JSON\r\n", b"no JSON\r\n"),
        ("", None),
    ],
    ids=["google", "rfc7628", "no-json", "empty"],
)
def test_the_reasons_of_an_oauth_server(
    call: Call, name: str, message: str, last_word: str, initial: bool, challenge: str, reasons: Any
) -> None:
    start = f" {message}\n" if initial else f"\nS: +\nC: {message}\n"
    script = f"C: A1 AUTHENTICATE {name}{start}S: + {b64(challenge)}\nC: {last_word}\nS: A1 NO [X] Go\n{STILL_USABLE}"
    with dialogue(script, capabilities="IMAP4rev1" + " SASL-IR" * initial, login=False) as client:
        with pytest.raises(LoginError, match="Go") as caught:
            call(client)
        error = caught.value
        assert error.challenge == reasons
        assert (error.status, error.code, error.text) == ("NO", (b"X", ()), "Go")
        shown = challenge.replace("\r\n", "\\x0d\\x0a")
        assert str(error) == "AUTHENTICATE failed: [X] Go" + f" ({shown})" * bool(challenge)
        assert_not_revealed(error, "t0ken", message)
        assert_usable(client)


def test_an_oauth_server_that_gives_no_reasons() -> None:
    script = f"C: A1 AUTHENTICATE XOAUTH2\nS: +\nC: {XOAUTH2}\nS: A1 NO Go"
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.oauth2_login("ann", "t0ken")
        assert caught.value.challenge is None
        assert str(caught.value) == "AUTHENTICATE failed: Go"


def test_a_refused_login_may_be_pickled() -> None:
    script = f"C: A1 AUTHENTICATE XOAUTH2\nS: +\nC: {XOAUTH2}\nS: + {b64(GOOGLE)}\nC:\nS: A1 NO [UNAVAILABLE] Later"
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.oauth2_login("ann", "t0ken")
        copy = pickle.loads(pickle.dumps(caught.value))
        assert isinstance(copy, LoginError)
        assert vars(copy) == vars(caught.value)
        challenge = copy.challenge
        assert isinstance(challenge, dict)
        assert challenge["status"] == "400"


# -- secrets

#: Those of TURNS that have secrets.
TELLING = [(make, turns) for make, turns in TURNS if any(make().secrets())]
each_telling = pytest.mark.parametrize(("make", "turns"), TELLING, ids=[repr(make()) for make, _ in TELLING])


def told_by_client(mechanism: Mechanism, turns: list[str | bytes]) -> list[str]:
    """What the client says that nobody else may read, in base64."""
    mine = turns[0::2] if mechanism.client_first else turns[1::2]
    return [b64(turn) for turn in mine if len(turn) > 3]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log at DEBUG."""
    caplog.set_level(logging.DEBUG, "imapclient")
    return caplog


@each_telling
@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("tagged", ["OK Logged in", "NO Go away"])
def test_no_secret_is_logged(
    make: Make, turns: list[str | bytes], initial: bool, tagged: str, log: pytest.LogCaptureFixture
) -> None:
    mechanism = make()
    script = script_of(mechanism, turns, initial=initial, tagged=tagged)
    capabilities = "IMAP4rev1" + " SASL-IR" * initial
    with dialogue(script, capabilities=capabilities, login=False) as client, contextlib.suppress(LoginError):
        client.authenticate(mechanism)
    assert "AUTHENTICATE" in log.text
    assert tagged in log.text
    secrets = [secret.decode("utf-8", "backslashreplace") for secret in mechanism.secrets() if len(secret) > 1]
    assert not [secret for secret in secrets + told_by_client(mechanism, turns) if secret in log.text]


@pytest.mark.parametrize(
    "start",
    ["C: A1 AUTHENTICATE X-MINE\nS: + \nC: {initial}", "C: A1 AUTHENTICATE X-MINE {initial}"],
    ids=["line", "argument"],
)
def test_what_is_said_in_an_exchange_with_a_callable_is_not_logged(start: str, log: pytest.LogCaptureFixture) -> None:
    """Nor what the server says in it, for that may be a secret too."""
    initial, challenge, response = b64("hunter2"), b64("hunter3"), b64("hunter4")
    script = f"{start.format(initial=initial)}\nS: + {challenge}\nC: {response}\nS: A1 OK Logged in"
    capabilities = "IMAP4rev1" if "+" in start else "IMAP4rev1 SASL-IR"
    with dialogue(script, capabilities=capabilities, login=False) as client:
        client.sasl_login("X-MINE", lambda challenge: "hunter4", initial_response="hunter2")
    assert "AUTHENTICATE" in log.text
    assert not [word for word in (initial, challenge, response, "hunter") if word in log.text]


@each_telling
@pytest.mark.parametrize("initial", [True, False])
def test_a_server_that_repeats_what_it_was_told(make: Make, turns: list[str | bytes], initial: bool) -> None:
    mechanism = make()
    told = told_by_client(mechanism, turns)
    assert told
    tagged = f"BAD [AUTHENTICATIONFAILED] What is {' '.join(told)}?"
    script = script_of(mechanism, turns, initial=initial, tagged=tagged)
    with dialogue(script, capabilities="IMAP4rev1" + " SASL-IR" * initial, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.authenticate(mechanism)
        assert type(caught.value).__name__ == "AuthenticationFailedError"
        assert caught.value.status == "BAD"
        assert_not_revealed(caught.value, *told)


def test_an_oauth_server_that_repeats_the_token() -> None:
    reasons = '{"status":"400","token":"t0ken"}'
    script = f"C: A1 AUTHENTICATE XOAUTH2\nS: +\nC: {XOAUTH2}\nS: + {b64(reasons)}\nC:\nS: A1 NO Go"
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.oauth2_login("ann", "t0ken")
        assert_not_revealed(caught.value, "t0ken")
        assert caught.value.challenge is None


def test_a_callable_whose_answer_is_repeated() -> None:
    script = f"C: A1 AUTHENTICATE X-MINE\nS: +\nC: {b64('hunter2')}\nS: A1 NO Not {b64('hunter2')}, not hunter2"
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.sasl_login("X-MINE", lambda challenge: b"hunter2")
        assert_not_revealed(caught.value, "hunter2", b64("hunter2"))


@each_telling
def test_what_a_server_repeats_is_not_logged(
    make: Make, turns: list[str | bytes], log: pytest.LogCaptureFixture
) -> None:
    mechanism = make()
    told = told_by_client(mechanism, turns)
    script = script_of(mechanism, turns, initial=False, tagged="OK Logged in")
    script += f"\nC: A2 NOOP\nS: * OK You said {' '.join(told)}\nS: A2 OK Done"
    with dialogue(script, login=False) as client:
        client.authenticate(mechanism)
        client.noop()
    assert not [word for word in told if word in log.text]


def test_a_callable_that_sends_a_command_itself() -> None:
    def respond(challenge: bytes) -> bytes:
        client.noop()
        return b""

    script = f"C: A1 AUTHENTICATE X\nS: +\nC: *\nS: A1 BAD Cancelled\n{STILL_USABLE}"
    with dialogue(script, login=False) as client:
        with pytest.raises(IllegalStateError):
            client.sasl_login("X", respond)
        assert_usable(client)
