"""What is hidden of a secret that a server repeats, and what is kept."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any
from urllib.parse import quote

import pytest

from imapclient._connection.redaction import REDACTED, Secrets
from imapclient._parsing.lexer import brief
from imapclient.exceptions import (
    BadCharsetError,
    CommandError,
    ConnectionAbortError,
    FetchError,
    LoginError,
    NonexistentError,
    ProtocolError,
    command_error,
)


def known(*secrets: bytes) -> Secrets:
    found = Secrets()
    found.add(secrets)
    return found


def refusal(text: str, code: Any = None) -> CommandError:
    return command_error(f"STATUS failed: {text}", command="STATUS", status="NO", code=code, text=text)


# -- text


@pytest.mark.parametrize(
    "secret", [b"correct horse", b"hunter2hunter2", b'pa"ss\\word', "pässwörtlich".encode(), b"\xff" * 9]
)
@pytest.mark.parametrize("around", ["{}", "x{}y", "What is {}?", "[X {}] no", "ann/{}@host"])
def test_a_long_secret_is_hidden_anywhere(secret: bytes, around: str) -> None:
    secrets = known(secret)
    quoted = secret.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for form in (secret, quoted, quote(secret, safe="").encode()):
        text = around.encode().replace(b"{}", form)
        assert secrets.hidden(text.decode("utf-8", "backslashreplace")) == around.replace("{}", REDACTED)
        assert secrets.hidden(f"{text!r}") == f"{around.encode()!r}".replace("{}", REDACTED)
        assert secrets.are_in(text)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
def test_a_long_secret_is_hidden_in_any_base64(before: int, after: int) -> None:
    secrets = known(b"hunter2hunter2")
    encoded = base64.b64encode(b"\0" * before + b"hunter2hunter2" + b"z" * after)
    assert secrets.are_in(b"no " + encoded)
    shown = secrets.hidden(f"no {encoded.decode()}")
    # What is left are the ends, which stand for the bytes beside.
    assert REDACTED in shown
    assert len(shown.replace(REDACTED, "")) <= len("no ") + 4 + 2 * 4


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        (b"a", "There is a folder named a.", f"There is {REDACTED} folder named {REDACTED}."),
        (b"a", "Names: (a) 'a' a_b a1 ä", f"Names: ({REDACTED}) '{REDACTED}' {REDACTED}_b a1 ä"),
        (b"Mailbox", "Mailbox exists, mailbox is no Mailboxes", f"{REDACTED} exists, mailbox is no Mailboxes"),
        (b"hunter2", 'LOGIN "ann" "hunter2"', f'LOGIN "ann" "{REDACTED}"'),
        (b'h"2', 'LOGIN "ann" "h\\"2"', f'LOGIN "ann" "{REDACTED}"'),
        (b"1234", "1234 12345 MTIzNA== 0MTIzNA", f"{REDACTED} 12345 {REDACTED}== 0MTIzNA"),
        ("pä".encode(), "pä pär", f"{REDACTED} pär"),
        (b"p/1", "imap://ann:p%2F1@host", f"imap://ann:{REDACTED}@host"),
        (b"", "a", "a"),
        (b"x", "", ""),
    ],
)  # fmt: skip
def test_a_short_secret_is_hidden_if_it_is_a_word(secret: bytes, text: str, shown: str) -> None:
    assert known(secret).hidden(text) == shown


def test_a_word_behind_an_escape() -> None:
    assert known(b"hunter2").hidden(repr(b"\nhunter2 \x01hunter2 xhunter2")) == repr(b"\n@ \x01@ xhunter2").replace(
        "@", REDACTED
    )


def test_the_longest_form_is_hidden_as_a_whole() -> None:
    secrets = known(b"secret99", b"\0ann\0secret99", b"secret99 and more")
    assert secrets.hidden("\0ann\0secret99, secret99 and more") == f"{REDACTED}, {REDACTED}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("told: correct ho", f"told: {REDACTED}"),
        ("told: 'corr'", f"told: '{REDACTED}'"),
        ("told: cor", "told: cor"),
        ("told: correct answer", "told: correct answer"),
        (f"a value: {brief(b'x' * 30 + b'correct horse')}", f"a value: b'{'x' * 11}...{'x' * 3}{REDACTED}'"),
        ("b'told correct...horse x'", f"b'told {REDACTED}...{REDACTED} x'"),
    ],
)
def test_a_long_secret_that_was_cut(text: str, shown: str) -> None:
    assert known(b"correct horse").hidden(text) == shown


@pytest.mark.parametrize(
    ("secret", "data"),
    [
        (b"correct horse", b"x correct"),
        (b"correct horse", b"horse x"),
        (b"correct horse", b"rect hor"),
        (b"hunter2", b"x hunter"),
        (b"hunter2", b"ter2 x"),
    ],
)
def test_a_piece_of_a_response_may_have_a_part_of_a_secret(secret: bytes, data: bytes) -> None:
    assert known(secret).are_in(data, may_be_cut=True)
    assert not known(secret).are_in(data)
    assert not known(secret).are_in(b"x other x", may_be_cut=True)


# -- exceptions


@pytest.mark.parametrize("secret", [b"Mailbox", b"NONEXISTENT", b"STATUS", b"NO", b"failed", b"STATUS failed"])
def test_what_a_program_decides_by_is_kept(secret: bytes) -> None:
    error = known(secret).hide(refusal("[NONEXISTENT] Mailbox isn't there", (b"NONEXISTENT", ())))
    assert type(error) is NonexistentError
    assert (error.command, error.status, error.code) == ("STATUS", "NO", (b"NONEXISTENT", ()))
    assert str(error).startswith("STATUS failed: [")
    assert str(error).endswith("isn't there")
    assert error.text.endswith("isn't there")


def test_the_arguments_of_a_code() -> None:
    secrets = known(b"hunter2", b"1234")
    for arguments in ((b"x", b"hunter2"), (1234,), ((b"a", (b"hunter2",)),), (b"x hunter2 y",)):
        error = secrets.hide(refusal("no", (b"REFERRAL", arguments)))
        assert error.code == (b"REFERRAL", ())
    assert secrets.hide(refusal("no", (b"UIDNEXT", (12345,)))).code == (b"UIDNEXT", (12345,))


def test_the_charsets_that_a_search_is_sent_again_in_are_kept() -> None:
    error = known(b"UTF-8").hide(refusal("[BADCHARSET (UTF-8)] no", (b"BADCHARSET", ((b"UTF-8",),))))
    assert type(error) is BadCharsetError
    assert error.code == (b"BADCHARSET", ((b"UTF-8",),))
    assert str(error) == f"STATUS failed: [BADCHARSET ({REDACTED})] no"


def test_an_error_without_a_secret_is_left_alone() -> None:
    error = known(b"hunter2").hide(refusal("[X y] Mailbox hunter22", (b"X", (b"y",))))
    assert (str(error), error.text) == ("STATUS failed: [X y] Mailbox hunter22", "[X y] Mailbox hunter22")
    assert error.code == (b"X", (b"y",))
    other = ProtocolError("not a LIST response", 5, b"* LIST (")
    assert known(b"hunter2").hide(other).context == b"* LIST ("
    assert str(other) == "not a LIST response at byte 5: b'* LIST ('"


@pytest.mark.parametrize("context", [b"* LIST hunter2", b"* LIST hunt", b"ter2 (", b"\0hunter2"])
def test_the_context_of_a_protocol_error(context: bytes) -> None:
    error = known(b"hunter2").hide(ProtocolError("not a LIST response", 5, context))
    assert str(error) == f"not a LIST response at byte 5: {REDACTED}"
    assert error.context is None
    assert error.position == 5


def test_a_value_in_the_message_of_a_protocol_error() -> None:
    error = FetchError("the FETCH item b'hunter2' has no value")
    error.value = b"hunter2"
    assert str(known(b"hunter2").hide(error)) == f"the FETCH item b'{REDACTED}' has no value"
    assert error.value == b"hunter2"


def test_the_errors_that_led_to_an_error() -> None:
    secrets = known(b"hunter2")
    first, second = refusal("hunter2"), refusal("hunter2")
    second.__cause__ = first
    secrets.hide(second)
    assert "hunter2" not in f"{first}{first.args}{first.text}"
    unread = ProtocolError("a response can't be read")
    unread.__cause__ = ValueError("invalid literal: 'hunter2'")
    assert secrets.hide(unread).__cause__ is None
    unread.__cause__ = cause = ValueError("invalid literal: 'x'")
    assert secrets.hide(unread).__cause__ is cause


def test_an_error_of_another_kind_that_led_to_an_error() -> None:
    def raised(text: str) -> ProtocolError:
        try:
            try:
                raise ValueError(text)
            except ValueError as error:
                raise ProtocolError("a response can't be read") from error
        except ProtocolError as error:
            return error

    secrets = known(b"hunter2")
    hidden = secrets.hide(raised("invalid literal: 'hunter2'"))
    assert (hidden.__cause__, hidden.__context__) == (None, None)
    kept = secrets.hide(raised("invalid literal: 'x'"))
    assert str(kept.__cause__) == str(kept.__context__) == "invalid literal: 'x'"


def test_other_exceptions_are_left_alone() -> None:
    error = ValueError("hunter2")
    assert str(known(b"hunter2").hide(error)) == "hunter2"
    lost = ConnectionAbortError("the server ends the connection: bye, hunter2")
    assert str(known(b"hunter2").hide(lost)) == f"the server ends the connection: bye, {REDACTED}"


@pytest.mark.parametrize("challenge", [{"status": "hunter2"}, {"hunter2": 1}, b"no hunter2"])
def test_the_challenge_of_a_login_error(challenge: Any) -> None:
    error = LoginError("AUTHENTICATE failed: no", command="AUTHENTICATE", status="NO")
    error.challenge = challenge
    assert known(b"hunter2").hide(error).challenge is None
    error.challenge = {"status": "400"}
    assert known(b"hunter2").hide(error).challenge == {"status": "400"}


def test_a_challenge_that_is_nested_deep() -> None:
    error = LoginError("no")
    error.challenge = json.loads('{"a":' + "[" * 500 + "]" * 500 + "}")
    assert known(b"hunter2").hide(error).challenge is not None


# -- the object


def test_it_shows_nothing_and_can_not_be_written_anywhere() -> None:
    secrets = known(b"hunter2", b"correct horse")
    assert repr(secrets) == str(secrets) == f"<Secrets: {REDACTED}>"
    assert not hasattr(secrets, "__dict__")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(secrets, protocol)
    with pytest.raises(TypeError, match="can't be pickled"):
        copy.copy(secrets)


def test_nothing_is_hidden_before_there_is_a_secret() -> None:
    secrets = Secrets()
    secrets.add([b"", b""])
    assert secrets.hidden("hunter2...x") == "hunter2...x"
    assert not secrets.are_in(b"hunter2", may_be_cut=True)
    assert str(secrets.hide(refusal("hunter2"))) == "STATUS failed: hunter2"


# A server that has received a token, or makes one up with the same start, may send these to keep a client busy.
_TOKEN = b"ya29." + base64.b64encode(bytes(range(256)) * 6)
_UNITS = [
    (b"x...", False), (b"ya29...", False), (b"ya29 ", False), (b"ya29", True), (_TOKEN[-4:], True),
    (b"ya29" * 600 + b"...", False), (b"..." + _TOKEN[-4:] * 600, False), (_TOKEN[:-1] + b"...", False),
]  # fmt: skip


@pytest.mark.processor_seconds(20)
@pytest.mark.parametrize(("unit", "ends_in_part"), _UNITS, ids=range(len(_UNITS)))
def test_a_megabyte_is_looked_through_in_no_time(unit: bytes, ends_in_part: bool) -> None:
    message = b"user=ann\1auth=Bearer %s\1\1" % _TOKEN
    secrets = known(_TOKEN, message, base64.b64encode(message))
    data = unit * (2**20 // len(unit))
    error = refusal(data.decode(), (b"X", (data, tuple(data[:300000].split(b"a")))))
    secrets.hide(error)
    assert secrets.hide(ProtocolError("no", 1, data)).position == 1
    assert secrets.are_in(data, may_be_cut=True) is ends_in_part


@pytest.mark.processor_seconds(20)
def test_a_secret_that_repeats_itself_takes_no_time() -> None:
    secrets = known(b"a" * 1000 + b"b" + b"a" * 1000)
    for unit in (b"b" + b"a" * 999, b"a" * 999 + b"b"):
        assert secrets.hidden((unit.decode() + "...") * 1000)
        assert secrets.are_in(unit * 1000, may_be_cut=True)


def test_what_stands_amid_dozens_of_dots_is_left_out() -> None:
    secrets = known(b"correct horse")
    assert secrets.hidden("..." * 49 + "x") == "..." * 49 + "x"
    shown = secrets.hidden("told correct" + "...x" * 5000 + "...horse, corr")
    assert shown == f"told {REDACTED}" + "...x" * 48 + f"...{REDACTED}, {REDACTED}"


def test_long_texts() -> None:
    secrets = known(b"a" * 4000, b"ab", b"abcdefgh" * 1000)
    assert secrets.hidden("a." * 500_000) == "a." * 500_000
    assert secrets.hidden("ab " * 100_000) == f"{REDACTED} " * 100_000
