"""What goes to the loggers: every line, literals shortened, no secret; and nothing is formatted when they are off."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient._connection.exchange import Command
from imapclient.exceptions import LoginError
from tests.helpers.clients import connected
from tests.helpers.scripted_peer import PeerFactory

READY = "S: * OK [CAPABILITY IMAP4rev1] ready"
PLUS = "S: * PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] ready"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log at DEBUG."""
    caplog.set_level(logging.DEBUG, "imapclient")
    return caplog


def wire(log: pytest.LogCaptureFixture) -> list[str]:
    """The lines of the exchange."""
    return [record.getMessage() for record in log.records if record.name == "imapclient.imaplib"]


def test_every_line_is_there(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    script = f"""
        {READY}
        C: A1 SELECT "INBOX"
        S: * 3 EXISTS
        S: A1 OK [READ-WRITE] done
        C: A2 APPEND "x" (\\Seen) {{300}}
        S: + go ahead
        C: {"m" * 300}
        S: A2 NO sorry
    """
    with connected(peer(script)) as client:
        client.select_folder("INBOX")
        with contextlib.suppress(client.Error):
            client.append("x", b"m" * 300, ["\\Seen"])
    lines = wire(log)
    assert {record.levelno for record in log.records if record.name == "imapclient.imaplib"} == {logging.DEBUG}
    expected = [
        "* OK [CAPABILITY IMAP4rev1] ready",
        'SELECT "INBOX"',
        "* 3 EXISTS",
        "OK [READ-WRITE] done",
        'APPEND "x" (\\Seen)',
        "+ go ahead",
        "m" * 20,
        "NO sorry",
    ]
    for text in expected:
        matching = [index for index, line in enumerate(lines) if text in line]
        assert matching, (text, lines)
        # In this order.
        lines = lines[matching[0] + 1 :]


def test_the_client_says_where_it_connects(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    with connected(peer(READY)):
        pass
    (record,) = [record for record in log.records if record.name == "imapclient.imapclient"]
    assert "127.0.0.1" in record.getMessage()


@pytest.mark.parametrize("size", [300, 200_000])
def test_literals_are_shortened(peer: PeerFactory, log: pytest.LogCaptureFixture, size: int) -> None:
    script = [
        f'{PLUS}\nC: A1 APPEND "x" {{{size}+}}',
        b"C: " + b"m" * size,
        f"S: A1 OK done\nC: A2 UID FETCH 1 (BODY[])\nS: * 1 FETCH (UID 1 BODY[] {{{size}}}",
        b"S-: " + b"n" * size,
        "S:  FLAGS (Last))\nS: A2 OK done",
    ]
    with connected(peer(script)) as client:
        client.append("x", b"m" * size)
        client.fetch(1, ["BODY[]"])
    text = "\n".join(wire(log))
    for letter in "mn":
        assert letter * 10 in text
        assert letter * 200 not in text
    assert str(size) in text
    assert "FLAGS (Last)" in text


def test_each_response_is_one_line_of_text(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    script = f"""
        {READY}
        C: A1 NOOP
        Sx: * OK \\x1b[31m\\r\\xe9\\x07 "fake
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        client.noop()
    for line in wire(log):
        assert line.isprintable()


def test_a_percent_sign_is_text(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    with connected(peer(f'{READY}\nC: A1 LIST "" "%s%d%"\nS: * OK 100%s %(x)s\nS: A1 OK done')) as client:
        client.list_folders("", "%s%d%")
    assert any("%s%d%" in line for line in wire(log))


# -- secrets

# What login sends, after its tag.
_FORMS = [
    pytest.param("ann", "secret", ['C: A1 LOGIN "ann" "secret"'], id="quoted"),
    pytest.param("ann", 'se"cr\\et', [r'C: A1 LOGIN "ann" "se\"cr\\et"'], id="escaped"),
    pytest.param("ann", "sécret", ['C: A1 LOGIN "ann" {7}', "S: + go", "C: sécret"], id="literal"),
    pytest.param("änn", "sécret", ["C: A1 LOGIN {4}", "S: + 1", "C: änn {7}", "S: + 2", "C: sécret"], id="literals"),
    pytest.param("ann", "sec\rret", ['C: A1 LOGIN "ann" {7}', "S: + go", r"Cx: sec\rret"], id="control"),
    pytest.param("ann", b"sec\xffret", ['C: A1 LOGIN "ann" {7}', "S: + go", r"Cx: sec\xffret"], id="bytes"),
    pytest.param("ann", "s" * 2000, ['C: A1 LOGIN "ann" {2000}', "S: + go", "C: " + "s" * 2000], id="long"),
]


def assert_secret(log: pytest.LogCaptureFixture, password: str | bytes) -> None:
    text = password.decode("latin-1") if isinstance(password, bytes) else password
    raw = password if isinstance(password, bytes) else password.encode()
    hidden = {text, text.replace("\\", "\\\\").replace('"', '\\"'), repr(raw)[2:-1], raw.decode("latin-1")}
    hidden.add("".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in raw))
    assert log.records
    for record in log.records:
        message = record.getMessage() + repr(record.args)
        assert not [form for form in hidden if form in message]


@pytest.mark.parametrize(("user", "password", "dialogue"), _FORMS)
@pytest.mark.parametrize("answer", ["OK Logged in", "NO wrong", "BAD what"])
def test_no_password_is_logged(
    peer: PeerFactory,
    log: pytest.LogCaptureFixture,
    user: str,
    password: str | bytes,
    dialogue: list[str],
    answer: str,
) -> None:
    with connected(peer([READY, *dialogue, f"S: A1 {answer}"])) as client, contextlib.suppress(LoginError):
        client.login(user, password)
    assert_secret(log, password)
    assert any("LOGIN" in line for line in wire(log))


@pytest.mark.parametrize(
    "echo",
    [
        'A1 BAD unknown LOGIN "ann" "secret"',
        "A1 NO wrong password secret",
        'A1 OK [X secret] user "ann" is in',
        '* BAD unknown LOGIN "ann" "secret"\nS: A1 NO no',
        '* OK [X "secret"] hm\nS: A1 NO no',
        "* X-DATA {6}\nS-: secret\nS:\nS: A1 NO no",
        '* X-DATA (a {1}\nS-: a\nS:  "secret")\nS: A1 NO no',
    ],
)
def test_a_password_that_the_server_echoes_is_not_logged(
    peer: PeerFactory, log: pytest.LogCaptureFixture, echo: str
) -> None:
    with connected(peer(f'{READY}\nC: A1 LOGIN "ann" "secret"\nS: {echo}')) as client, contextlib.suppress(LoginError):
        client.login("ann", "secret")
    assert_secret(log, "secret")


@pytest.mark.parametrize("echo", [r'"se\"cr\\et"', r"se\"cr\\et", r'[X "se\"cr\\et" y] no', 'se"cr\\et'])
def test_an_escaped_password_that_the_server_echoes_is_not_logged(
    peer: PeerFactory, log: pytest.LogCaptureFixture, echo: str
) -> None:
    password = 'se"cr\\et'
    script = f'{READY}\nC: A1 LOGIN "ann" "se\\"cr\\\\et"\nS: A1 BAD LOGIN {echo}'
    with connected(peer(script)) as client, contextlib.suppress(LoginError):
        client.login("ann", password)
    assert_secret(log, password)


def test_what_is_said_in_a_secret_exchange_is_not_logged(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    script = f"""
        {READY}
        C: A1 AUTHENTICATE X
        S: + Y2hhbGxlbmdl
        C: cmVzcG9uc2U=
        S: A1 OK done
    """
    with connected(peer(script)) as client:
        command = Command(
            b"AUTHENTICATE", [b"X"], respond=lambda challenge: b"cmVzcG9uc2U=", secrets=(b"cmVzcG9uc2U=",)
        )
        assert client._imap.execute(command).status == "OK"
    text = "\n".join(wire(log))
    assert "Y2hh" not in text
    assert "cmVz" not in text


# -- off


class Unprintable(bytes):
    """Bytes that can be sent and not be shown."""

    def __repr__(self) -> str:
        raise AssertionError("formatted for a log that is off")

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("cut for a log that is off")

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("read for a log that is off")


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_off_nothing_is_formatted(peer: PeerFactory, caplog: pytest.LogCaptureFixture, level: int) -> None:
    caplog.set_level(level, "imapclient.imaplib")
    with connected(peer(f'{PLUS}\nC: A1 APPEND "x" {{3+}}\nC: abc\nS: A1 OK done')) as client:
        client.append("x", Unprintable(b"abc"))
    assert wire(caplog) == []


def test_on_it_would_have_been(peer: PeerFactory, log: pytest.LogCaptureFixture) -> None:
    """So the test above shows something."""
    with connected(peer(PLUS)) as client, pytest.raises(AssertionError, match="for a log"):
        client.append("x", Unprintable(b"abc"))


def test_the_log_can_be_switched_in_the_middle(peer: PeerFactory, caplog: pytest.LogCaptureFixture) -> None:
    script = f"{READY}\nC: A1 NOOP\nS: A1 OK one\nC: A2 NOOP\nS: A2 OK two\nC: A3 NOOP\nS: A3 OK three"
    with connected(peer(script)) as client:
        caplog.set_level(logging.WARNING, "imapclient.imaplib")
        client.noop()
        caplog.set_level(logging.DEBUG, "imapclient.imaplib")
        client.noop()
        caplog.set_level(logging.WARNING, "imapclient.imaplib")
        client.noop()
    lines = wire(caplog)
    assert len(lines) == 2
    assert "NOOP" in lines[0]
    assert "two" in lines[1]
