"""The classes of exceptions: what catches them, and what they carry."""

from __future__ import annotations

import imaplib
import pickle

import pytest

from imapclient import exceptions
from imapclient.exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    InvalidCriteriaError,
    LimitError,
    LoginError,
    ProtocolAbortError,
    ProtocolError,
    note_done,
)


def test_imaplibs_classes_are_ours() -> None:
    """So that each except clause written for imaplib, for IMAPClient or for this package catches the same."""
    assert IMAPClientError is imaplib.IMAP4.error
    assert IMAPClientAbortError is imaplib.IMAP4.abort
    assert IMAPClientReadOnlyError is imaplib.IMAP4.readonly


@pytest.mark.parametrize(
    "name",
    [name for name, value in vars(exceptions).items() if isinstance(value, type) and issubclass(value, Exception)],
)
def test_each_class(name: str) -> None:
    """All are imaplib's errors, and each one of ours says whether the connection is usable afterwards."""
    cls = getattr(exceptions, name)
    assert issubclass(cls, IMAPClientError)
    if cls.__module__ == exceptions.__name__:
        assert "connection" in (cls.__doc__ or "")
        usable = "can't be used any more" not in cls.__doc__
        assert issubclass(cls, IMAPClientAbortError) == (not usable) or cls is ProtocolError


@pytest.mark.parametrize("cls", [CommandError, LoginError, InvalidCriteriaError])
def test_command_error(cls: type[CommandError]) -> None:
    error = cls("folder gone", command="SELECT", status="NO", code=(b"NONEXISTENT", ()), text="gone")
    assert str(error) == "folder gone"
    assert (error.command, error.status, error.code, error.text) == ("SELECT", "NO", (b"NONEXISTENT", ()), "gone")
    assert isinstance(error, CommandError)
    assert not isinstance(error, IMAPClientAbortError)


def test_command_error_of_a_message_alone() -> None:
    error = CommandError("x")
    assert (error.command, error.status, error.code, error.text) == ("", "", None, "")


@pytest.mark.parametrize("cls", [IllegalStateError, CapabilityError])
def test_plain_errors(cls: type[Exception]) -> None:
    assert str(cls("x")) == "x"
    assert not issubclass(cls, IMAPClientAbortError)


def test_protocol_error() -> None:
    error = ProtocolError("what is this", 12, b"* ???")
    assert str(error) == "what is this at byte 12: b'* ???'"
    assert (error.position, error.context) == (12, b"* ???")
    assert not isinstance(error, IMAPClientAbortError)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [((), ""), (("x",), "x"), ((b"x",), "b'x'"), (("x", 0), "x at byte 0"), (("x", None, b""), "x: b''")],
)
def test_protocol_error_of_less(arguments: tuple[object, ...], text: str) -> None:
    error = ProtocolError(*arguments)  # type: ignore[arg-type]
    assert str(error) == text


def test_protocol_abort_error() -> None:
    error = ProtocolAbortError("x", 3, b"abc")
    assert isinstance(error, ProtocolError)
    assert isinstance(error, IMAPClientAbortError)
    assert (error.position, error.context) == (3, b"abc")


def test_limit_error() -> None:
    error = LimitError("max_line_length", 100, "a line")
    assert str(error) == "a line is over the limit max_line_length=100"
    assert (error.limit, error.allowed) == ("max_line_length", 100)
    assert (error.position, error.context) == (None, None)
    assert isinstance(error, ProtocolAbortError)


def test_note_done() -> None:
    error = CommandError("x")
    note_done(error, "1:500,502")
    assert error.done == "1:500,502"  # type: ignore[attr-defined]
    plain = IMAPClientAbortError("y")
    note_done(plain, "7")
    assert plain.done == "7"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error",
    [
        CommandError("x", command="SELECT", status="NO", code=(b"A", (1,)), text="t"),
        LoginError("x", status="NO"),
        ProtocolError("x", 5, b"abc"),
        ProtocolAbortError("x", 5, b"abc"),
        LimitError("max_line_length", 100, "a line"),
        CapabilityError("x"),
    ],
)
def test_errors_go_through_pickle(error: Exception) -> None:
    """As they do when a pool of processes hands them back."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
