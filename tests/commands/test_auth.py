"""LOGIN."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient.exceptions import CommandError, LoginError
from tests.commands import Case, dialogue, in_every_way

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


@pytest.mark.parametrize(
    ("capability", "password", "sent"),
    [
        ("LITERAL+", "pä", 'C: A1 LOGIN "ann" {3+}\nC: pä'),
        ("LITERAL-", "pä", 'C: A1 LOGIN "ann" {3+}\nC: pä'),
        ("LITERAL-", "y" * 4096, 'C: A1 LOGIN "ann" {4096+}\nC: ' + "y" * 4096),
        ("LITERAL-", "y" * 4097, 'C: A1 LOGIN "ann" {4097}\nS: + go\nC: ' + "y" * 4097),
        ("LITERAL+", "y" * 4097, 'C: A1 LOGIN "ann" {4097+}\nC: ' + "y" * 4097),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_literals_that_need_no_wait(capability: str, password: str, sent: str) -> None:
    script = f"{sent}\nS: A1 OK Logged in"
    with dialogue(script, capabilities=f"IMAP4rev1 {capability}", login=False) as client:
        client.login("ann", password)


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
