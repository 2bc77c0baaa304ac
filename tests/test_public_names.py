"""What users import: each name says its public module, is there under that name, can be pickled, has types."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import sys
import typing
from collections.abc import Iterator
from datetime import datetime, timezone
from types import ModuleType
from typing import Any

import pytest

import imapclient
from imapclient import (
    config,
    events,
    exceptions,
    fixed_offset,
    imap4,
    response_lexer,
    response_types,
    sample_mailbox,
    sasl,
    testable_imapclient,
)
from imapclient.embedded_server import EmbeddedServer
from imapclient.imapclient import SocketTimeout
from imapclient.sequence_set import SequenceSet


def _is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def _public_modules() -> Iterator[ModuleType]:
    yield imapclient
    for found in pkgutil.walk_packages(imapclient.__path__, "imapclient."):
        if not _is_private(found.name) and not found.name.startswith("imapclient.livetest"):
            yield importlib.import_module(found.name)


def _offered(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions of ``__all__``; without that, those that the module defines."""
    names: Any = getattr(module, "__all__", None)
    values = [
        (name, value) for name, value in vars(module).items() if inspect.isclass(value) or inspect.isfunction(value)
    ]
    for name, value in values:
        is_offered = value.__module__ == module.__name__ and name[0] != "_" if names is None else name in names
        if is_offered:
            yield name, value


OFFERED = {f"{module.__name__}.{name}": value for module in _public_modules() for name, value in _offered(module)}
CLASSES: set[type] = {value for value in OFFERED.values() if inspect.isclass(value)}
ERRORS = sorted((kind for kind in CLASSES if issubclass(kind, Exception)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("path", OFFERED)
def test_a_name_says_where_it_is_imported_from(path: str) -> None:
    value = OFFERED[path]
    if not value.__module__.startswith("imapclient"):
        # An alias of the standard library's: IMAPClientError is imaplib's error.
        assert path.startswith("imapclient.")
        return
    assert not _is_private(value.__module__)
    assert getattr(importlib.import_module(value.__module__), value.__qualname__) is value


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 can't evaluate annotations such as `int | None`")
@pytest.mark.parametrize("path", [path for path, value in OFFERED.items() if inspect.isclass(value)])
def test_types_can_be_read(path: str) -> None:
    """Programs read them for documentation and serialisation."""
    typing.get_type_hints(OFFERED[path])


# -- pickling

_ADDRESS = response_types.Address(b"Ann", None, b"ann", b"example.org")
_FETCHED = response_types.FetchResult({5: {b"SEQ": 1, b"FLAGS": (b"\\Seen",)}})
_STATE = events.FolderState(exists=3, uidvalidity=7, uidnext=9)
VALUES: list[Any] = [
    _ADDRESS,
    response_types.AppendReply(b"[APPENDUID 7 9] Done", uidvalidity=7, uids=response_types.UidSet("9")),
    response_types.CopyReply(
        b"[COPYUID 7 1 9] Done",
        uidvalidity=7,
        uids=response_types.UidSet("9"),
        source_uids=response_types.UidSet("1"),
    ),
    response_types.BodyData.create((b"TEXT", b"PLAIN", (b"CHARSET", b"utf-8"), None, None, b"7BIT", 42, 2)),
    response_types.Envelope(
        datetime(2024, 1, 1, tzinfo=timezone.utc), b"Hi", (_ADDRESS,), None, None, None, None, None, None, b"<1@x>"
    ),
    _FETCHED,
    response_types.ItemResult({5: (b"\\Seen",)}),
    response_types.MailboxQuotaRoots("INBOX", [""]),
    response_types.Namespace((("", "/"),), None, None),
    response_types.Quota("", "STORAGE", 10, 512),
    response_types.SearchIds([1, 5, 9]),
    response_types.UidSet("1:3,7"),
    response_types.WireName("Gr\xf6", b"Gr\xf6"),
    SocketTimeout(connect=15, read=60),
    fixed_offset.FixedOffset(90),
    sample_mailbox.sample_messages()[0],
    events.Bye("going down", (b"UNAVAILABLE", ())),
    events.Expunged(3),
    events.FlagsChanged(3, (b"\\Seen",), 7, 5),
    _STATE,
    events.NewMessage(3, 9),
    events.Reconnect(("ann", "secret")),
    events.Reconnected(_STATE, _STATE, exceptions.ConnectionAbortError("lost"), 2),
    events.Vanished(response_types.UidSet("3")),
    config.ConfigError("no such file"),
    config.ConfigWarning("unknown option"),
    config.OAuth2Error("refused"),
    config.Settings(host="imap.example.org"),
    testable_imapclient.Event.PAUSE,
]
# These hold a connection, a server, a secret, the place that a program has reached; or nobody makes one.
NO_VALUES = {
    *(exceptions.ServerWords, SequenceSet),
    *(imapclient.IMAPClient, imapclient.IMAP4_TLS, imap4.IMAP4, imap4.IMAP4_Stream),
    *(response_types.FetchIterator, response_types.Idle, response_lexer.TokenSource),
    *(testable_imapclient.TestableIMAPClient, testable_imapclient.MockIMAP4, EmbeddedServer),
    *(getattr(sasl, name) for name in sasl.__all__ if inspect.isclass(getattr(sasl, name))),
}


def test_every_public_class_is_pickled_here() -> None:
    tried = {type(value) for value in VALUES} | NO_VALUES
    assert CLASSES - set(ERRORS) - tried == set()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_pickled(value: Any, protocol: int) -> None:
    pickled = pickle.dumps(value, protocol)
    found = pickle.loads(pickled)
    assert type(found) is type(value)
    assert repr(found) == repr(value)
    assert b"._" not in pickled, "a pickle names a private module, which may move"


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_are_pickled(kind: type[Exception]) -> None:
    error = kind("line_length", 5, "a line") if issubclass(kind, exceptions.LimitError) else kind("it failed")
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is kind
    assert str(found) == str(error)


# -- older paths

OLDER_PATHS = [
    ("imapclient.fetch_result.FetchResult", response_types.FetchResult),
    ("imapclient.fetch_result.FetchIterator", response_types.FetchIterator),
    ("imapclient.fetch_result.ItemResult", response_types.ItemResult),
    ("imapclient.replies.AppendReply", response_types.AppendReply),
    ("imapclient.replies.CopyReply", response_types.CopyReply),
    ("imapclient.commands.idle.Idle", response_types.Idle),
    ("imapclient.sequence_set.UidSet", response_types.UidSet),
    ("imapclient.imapclient.Namespace", response_types.Namespace),
    ("imapclient.imapclient.Quota", response_types.Quota),
    ("imapclient.imapclient.MailboxQuotaRoots", response_types.MailboxQuotaRoots),
    ("imapclient.imap4.IMAP4_TLS", imapclient.IMAP4_TLS),
    ("imapclient.imap4.IMAP4", imap4.IMAP4),
    ("imapclient.imap4.IMAP4_Stream", imap4.IMAP4_Stream),
    ("imapclient.response_lexer.TokenSource", response_lexer.TokenSource),
    *((f"imapclient.sasl.{name}", getattr(sasl, name)) for name in sasl.__all__),
]


@pytest.mark.parametrize(("path", "value"), OLDER_PATHS, ids=[path for path, _ in OLDER_PATHS])
def test_a_path_that_was_documented_still_works(path: str, value: object) -> None:
    module, _, name = path.rpartition(".")
    assert getattr(importlib.import_module(module), name) is value
