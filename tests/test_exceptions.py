"""The classes of exceptions: which clauses catch them, and their data."""

from __future__ import annotations

import copy
import imaplib
import importlib
import pickle
import pkgutil
from typing import Any, Callable

import pytest

import imapclient
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
    command_error,
    note_done,
    retyped,
)
from tests.helpers.dialogue import dialogue


def test_imaplibs_classes_are_ours() -> None:
    """So except clauses for imaplib, for IMAPClient and for this package catch the same errors."""
    assert IMAPClientError is imaplib.IMAP4.error
    assert IMAPClientAbortError is imaplib.IMAP4.abort
    assert IMAPClientReadOnlyError is imaplib.IMAP4.readonly


@pytest.mark.parametrize(
    "name",
    [name for name, value in vars(exceptions).items() if isinstance(value, type) and issubclass(value, Exception)],
)
def test_each_class(name: str) -> None:
    """All are errors of imaplib. The docstring of each of ours says whether the connection is usable."""
    cls = getattr(exceptions, name)
    assert issubclass(cls, IMAPClientError)
    if cls.__module__ == exceptions.__name__:
        assert "connection" in (cls.__doc__ or "")
        usable = "can't be used any more" not in cls.__doc__
        assert issubclass(cls, IMAPClientAbortError) == (not usable) or cls is ProtocolError


@pytest.mark.parametrize(
    "cls",
    [
        value
        for value in vars(exceptions).values()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == exceptions.__name__
    ],
)
def test_each_of_our_classes_has_the_servers_words(cls: type[Exception]) -> None:
    """Errors of imaplib's own classes get these attributes when they are raised, as the tests below show."""
    arguments = ("x", 1, "y") if cls is LimitError else ("x",)
    error: Any = cls(*arguments)
    assert (error.command, error.status, error.code, error.text) == ("", "", None, "")


def test_a_bye_has_the_servers_words() -> None:
    with dialogue("C: A1 NOOP\nS: * BYE [UNAVAILABLE] Back soon") as client:
        with pytest.raises(IMAPClientAbortError, match="Back soon") as caught:
            client.noop()
        error: Any = caught.value
        assert (error.status, error.code, error.text) == ("BYE", (b"UNAVAILABLE", ()), "Back soon")


def test_a_lost_connection_has_no_words_but_the_command() -> None:
    with dialogue("C: A1 NOOP\nRESET") as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.noop()
        assert isinstance(caught.value, OSError)
        error: Any = caught.value
        assert (error.command, error.status, error.code, error.text) == ("NOOP", "", None, "")


def test_a_folder_that_is_read_only_has_the_servers_words() -> None:
    with dialogue('C: A1 SELECT "x"\nS: A1 OK [READ-ONLY] Only look') as client:
        with pytest.raises(IMAPClientReadOnlyError) as caught:
            client.select_folder("x")
        error: Any = caught.value
        words = (error.command, error.status, error.code, error.text)
        assert words == ("SELECT", "OK", (b"READ-ONLY", ()), "Only look")


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


# The response codes with a class, and the classes of each besides CommandError.
_CODES: dict[bytes, tuple[type[CommandError], ...]] = {
    b"AUTHENTICATIONFAILED": (exceptions.AuthenticationFailedError, LoginError),
    b"AUTHORIZATIONFAILED": (exceptions.AuthorizationFailedError, LoginError),
    b"EXPIRED": (exceptions.ExpiredError, LoginError),
    b"PRIVACYREQUIRED": (exceptions.PrivacyRequiredError, LoginError),
    b"UNAVAILABLE": (exceptions.UnavailableError,),
    b"THROTTLED": (exceptions.ThrottledError, exceptions.UnavailableError),
    b"CONTACTADMIN": (exceptions.ContactAdminError,),
    b"NOPERM": (exceptions.NoPermissionError,),
    b"INUSE": (exceptions.InUseError,),
    b"EXPUNGEISSUED": (exceptions.ExpungeIssuedError,),
    b"CORRUPTION": (exceptions.CorruptionError,),
    b"SERVERBUG": (exceptions.ServerBugError,),
    b"CLIENTBUG": (exceptions.ClientBugError,),
    b"CANNOT": (exceptions.CannotError,),
    b"LIMIT": (exceptions.ServerLimitError,),
    b"OVERQUOTA": (exceptions.OverQuotaError, exceptions.ServerLimitError),
    b"TOOBIG": (exceptions.TooBigError, exceptions.ServerLimitError),
    b"NONEXISTENT": (exceptions.NonexistentError,),
    b"TRYCREATE": (exceptions.TryCreateError, exceptions.NonexistentError),
    b"ALREADYEXISTS": (exceptions.AlreadyExistsError,),
    b"HASCHILDREN": (exceptions.HasChildrenError,),
    b"BADCHARSET": (exceptions.BadCharsetError, InvalidCriteriaError),
}


@pytest.mark.parametrize("code", _CODES)
@pytest.mark.parametrize("status", ["NO", "BAD"])
def test_the_class_that_a_response_code_has(code: bytes, status: str) -> None:
    script = f'C: A1 CREATE "x"\nS: A1 {status} [{code.decode().lower()} 7 (a b)] Sorry\nC: A2 NOOP\nS: A2 OK Done'
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="Sorry") as caught:
            client.create_folder("x")
        error = caught.value
        assert type(error) is _CODES[code][0]
        assert all(isinstance(error, kind) for kind in _CODES[code])
        assert (error.command, error.status, error.text) == ("CREATE", status, "Sorry")
        assert error.code == (code, (7, (b"a", b"b")))
        client.noop()


@pytest.mark.parametrize("code", ["X-OTHER", "PARSE", "READ-ONLY"])
def test_another_code_has_no_class_of_its_own(code: str) -> None:
    with dialogue(f'C: A1 CREATE "x"\nS: A1 NO [{code}] Sorry') as client:
        with pytest.raises(CommandError) as caught:
            client.create_folder("x")
        assert type(caught.value) is CommandError


def test_a_code_in_answer_to_a_login_makes_an_error_of_both() -> None:
    script = 'C: A1 LOGIN "ann" "x"\nS: A1 NO [UNAVAILABLE] Database is down'
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.login("ann", "x")
        error = caught.value
    assert isinstance(error, exceptions.UnavailableError)
    assert error.code == (b"UNAVAILABLE", ())


def test_a_code_in_answer_to_a_login_that_is_about_logins() -> None:
    script = 'C: A1 LOGIN "ann" "x"\nS: A1 NO [AUTHENTICATIONFAILED] No'
    with dialogue(script, login=False) as client:
        with pytest.raises(LoginError) as caught:
            client.login("ann", "x")
        assert type(caught.value) is exceptions.AuthenticationFailedError


def test_a_code_in_answer_to_a_search_makes_an_error_of_both() -> None:
    with dialogue("C: A1 UID SEARCH ALL\nS: A1 BAD [CLIENTBUG] What?") as client:
        with pytest.raises(InvalidCriteriaError, match="The criteria were: 'ALL'") as caught:
            client.search()
        assert isinstance(caught.value, exceptions.ClientBugError)


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


# -- every exception class of the package


def _classes() -> list[type[BaseException]]:
    """All exception classes that a module of the package defines or renames."""
    found: dict[type[BaseException], None] = {}
    for module in pkgutil.walk_packages(imapclient.__path__, "imapclient."):
        if not module.name.endswith("__main__") and ".test_" not in module.name:
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, BaseException):
                    found[value] = None
    return [cls for cls in found if cls.__module__.startswith("imapclient") or issubclass(cls, IMAPClientError)]


_MESSAGES: dict[str, tuple[Any, ...]] = {
    "LimitError": ("max_line_length", 100, "a line"),
    "PartlyReadError": ("not an envelope", ("sound",), ["a fault"]),
    "ProtocolError": ("not a response", 5, b"abc"),
    "ProtocolAbortError": ("not a response", 5, b"abc"),
    "FetchError": ("not a flag", 5, b"abc"),
}


def _made(cls: type[BaseException]) -> BaseException:
    """An instance with a value in each attribute of its own, and in those that the package sets later."""
    error = cls(*_MESSAGES.get(cls.__name__, ("sorry",)))
    for name in list(vars(error)):
        if vars(error)[name] in ("", None):
            setattr(error, name, f"the {name}")
    if isinstance(error, IMAPClientError):
        note_done(error, "1:500,502")
        error.__dict__.update(
            command="UID FETCH",
            status="NO",
            code=(b"A", (1, (b"B",))),
            text="sorry",
            message_sent=True,
            challenge=b"no",
        )
    return error


_COPIERS: list[Callable[[Any], Any]] = [
    *(lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol)) for protocol in range(2, 6)),
    copy.copy,
    copy.deepcopy,
]


def _assert_equal_copies(error: BaseException) -> None:
    for copier in _COPIERS:
        other = copier(error)
        assert type(other) is type(error)
        assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_every_class_is_pickled_and_copied_with_its_data(cls: type[BaseException]) -> None:
    """A pool of processes returns an error by pickle. Three of the classes are imaplib's own."""
    _assert_equal_copies(_made(cls))


_KINDS = [value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, CommandError)]


@pytest.mark.parametrize("text", ["Sorry", "Too many simultaneous connections"])
@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
def test_every_combined_class_is_pickled_and_copied_with_its_data(kind: type[CommandError], text: str) -> None:
    for code in (None, *((name, ()) for name in _CODES)):
        refused = command_error("Refused", command="LOGIN", status="NO", code=code, text=text)
        error = retyped(refused, kind)
        assert all(isinstance(error, cls) for cls in (kind, *(_CODES[code[0]] if code else ())))
        assert isinstance(error, exceptions.UnavailableError) or text == "Sorry"
        note_done(error, "7")
        _assert_equal_copies(error)
        assert type(retyped(refused, kind)) is type(error)
