"""What goes to the loggers, and what does not."""

from __future__ import annotations

import logging

import pytest

from imapclient._connection import protocol_log
from imapclient._connection.protocol_log import (
    is_on,
    literal,
    received,
    received_secretly,
    sent,
    sent_literal,
    sent_secretly,
)
from imapclient._connection.redaction import REDACTED, Secrets
from imapclient._parsing.records import Record

WIRE = "imapclient.imaplib"


def known(*secrets: bytes) -> Secrets:
    found = Secrets()
    found.add(secrets)
    return found


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, WIRE)
    return caplog


def test_names_of_the_loggers() -> None:
    """The names that IMAPClient has."""
    assert protocol_log.client_log.name == "imapclient.imapclient"
    assert protocol_log.wire_log.name == WIRE


@pytest.mark.parametrize(("level", "on"), [(logging.DEBUG, True), (logging.INFO, False), (logging.WARNING, False)])
def test_is_on(caplog: pytest.LogCaptureFixture, level: int, on: bool) -> None:
    caplog.set_level(level, WIRE)
    assert is_on() is on


def test_sent(log: pytest.LogCaptureFixture) -> None:
    sent(b"A1 NOOP")
    sent_literal(b"abc")
    sent_secretly(b"A2 LOGIN")
    assert log.messages == ["> A1 NOOP", "> (literal of 3 bytes: b'abc')", f"> A2 LOGIN {REDACTED}"]
    assert {(record.name, record.levelname) for record in log.records} == {(WIRE, "DEBUG")}


def test_received(log: pytest.LogCaptureFixture) -> None:
    received(b"* 1 EXISTS", None, Secrets())
    records: list[Record] = [(b"* 1 FETCH (BODY[] {5000}", b"x" * 5000), b" UID 5)"]
    received(b"* 1 FETCH (BODY[] {5000}", records, Secrets())
    received_secretly(b"+")
    assert log.messages == [
        "< * 1 EXISTS",
        "< * 1 FETCH (BODY[] {5000}",
        "< (literal of 5000 bytes: b'" + "x" * 40 + "'...)",
        "<  UID 5)",
        f"< + {REDACTED}",
    ]


@pytest.mark.parametrize(
    ("line", "records", "secrets"),
    [
        (b"A1 BAD unknown: LOGIN ann hunter2", None, (b"hunter2",)),
        (b'A1 NO "hunter2" is wrong', None, (b"", b"other", b"hunter2")),
        (b"* 1 X {7}", [(b"* 1 X {7}", b"hunter2"), b""], (b"hunter2",)),
        (b"* 1 X {3}", [(b"* 1 X {3}", b"abc"), b" hunter2"], (b"hunter2",)),
        (b"* 1 X {3}", [(b"* 1 X {3}", b"abc"), (b" hunter2 {1}", b"x"), b""], (b"hunter2",)),
        (b"A1 hunter2", None, (b"hunter2",)),
        (b"hunter2 A1", None, (b"hunter2",)),
    ],
)
def test_a_secret_that_the_server_repeats(
    log: pytest.LogCaptureFixture, line: bytes, records: list[Record] | None, secrets: tuple[bytes, ...]
) -> None:
    received(line, records, known(*secrets))
    assert "hunter2" not in log.text
    assert REDACTED in log.text


def test_what_holds_no_secret_is_logged(log: pytest.LogCaptureFixture) -> None:
    received(b"A1 OK done", None, known(b"", b"hunter2"))
    assert log.messages == ["< A1 OK done"]


def test_literal() -> None:
    assert literal(b"") == "(literal of 0 bytes: b'')"
    assert literal(b"x" * 40) == "(literal of 40 bytes: b'" + "x" * 40 + "')"
    assert literal(b"x" * 41) == "(literal of 41 bytes: b'" + "x" * 40 + "'...)"
    assert "\n" not in literal(b"a\r\nb")


def test_a_percent_sign_is_no_format(log: pytest.LogCaptureFixture) -> None:
    sent(b'A1 LIST "" %s%d%')
    received(b"* OK 100% %s", None, Secrets())
    assert log.messages == ['> A1 LIST "" %s%d%', "< * OK 100% %s"]
