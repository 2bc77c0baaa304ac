"""No text of a caller becomes a command, or a part of one: every public method, every argument that may hold text.

What the server got is read by a reader of the tests' own: exactly one command, with exactly the value that was given;
or nothing at all, and an exception that says so.
"""

from __future__ import annotations

import base64
import dataclasses
import inspect
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient._parsing.fetch.results import FetchIterator
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from imapclient.imapclient import Quota
from imapclient.sasl import Plain
from tests.helpers.lenient_server import LenientServer, SentCommand, from_modified_utf7, read_command

pytestmark = pytest.mark.once

#: A valid value for each argument that may hold text, by the argument's name. A new name belongs into one of the two.
_TEXT: dict[str, Any] = {
    "algorithm": "REFERENCES",
    "capabilities": ["CONDSTORE"],
    "access_token": "t0ken",
    "authorization_identity": "bob",
    "capability": "IDLE",
    "charset": "UTF-8",
    "criteria": ["SUBJECT", "x"],
    "data": ["FLAGS"],
    "directory": "",
    "file": io.BytesIO(),
    "flags": ["\\Seen"],
    "folder": "INBOX",
    "folder_flag": b"\\Sent",
    "labels": ["\\Starred", "x"],
    "mailbox": "INBOX",
    "identity": "ann",
    "initial_response": "ann",
    "mech": "XOAUTH2",
    "mech_callable": lambda challenge: b"ann",
    "mech_name": "X-MINE",
    "mechanism": Plain("ann", "secret"),
    "message": 1,
    "messages": [1],
    "modifiers": ["CHANGEDSINCE 1"],
    "msg": b"m",
    "msgs": [b"m"],
    "new_name": "y",
    "old_name": "x",
    "parameters": {"name": "me"},
    "password": "secret",
    "pattern": "*",
    "quotas": [Quota("", "STORAGE", 0, 512)],
    "query": "x",
    "section": "1",
    "sort_criteria": ["ARRIVAL"],
    "user": "ann",
    "username": "ann",
    "vendor": "acme",
    "what": ["MESSAGES"],
    "who": "ann",
}
#: The same where one name is used for different things.
_TEXT_OF: dict[tuple[str, str], Any] = {("setacl", "what"): "lrs"}
_NO_TEXT = {
    "self",
    "chunk_bytes",
    "chunk_messages",
    "chunk_size",
    "decode",
    "progress",
    "size",
    "msg_time",
    "readonly",
    "silent",
    "ssl_context",
    "timeout",
    # of watch
    "poll",
    "reconnect",
    "renew",
    "uidnext",
}
#: What is sent as it is given, where it is one text: it need not be right.
_RAW = {"criteria", "data", "modifiers"}
#: What is not sent: it is compared with what the server has, or is written to.
_NOT_SENT = {"capability", "file", "folder_flag"}
_CAPABILITIES = (
    b"IMAP4rev1 IDLE UIDPLUS MOVE UNSELECT NAMESPACE SPECIAL-USE LIST-EXTENDED BINARY MULTIAPPEND ENABLE ID XLIST ACL"
    b" QUOTA SORT THREAD=REFERENCES X-GM-EXT-1"
)

_EVIL: tuple[str | bytes, ...] = (
    "x\r\nA999 NOOP",
    "x\nA999 NOOP",
    "x\rA999 NOOP",
    "x {13+}\r\nA999 NOOP",
    'x"\r\nA999 NOOP\r\n"',
    "x\0y",
    "{5}",
    "{5+}",
    "x {5}",
    "x~{5+}",
    'x" NOOP "y',
    "x\\",
    'x\\"',
    "x) (y",
    "*%]",
    "x é ü",
    b"x \xff\x80",
    "x" * 100_000,
    "xé" * 33_000,
)
_LITERALS = [evil for evil in _EVIL if isinstance(evil, bytes) or not evil.isascii() or re.search(r"[\r\n\0{\\]", evil)]


def _text_arguments() -> Iterator[tuple[str, str]]:
    for name, method in inspect.getmembers(IMAPClient, inspect.isfunction):
        if not name.startswith("_"):
            for parameter in inspect.signature(method).parameters:
                if parameter not in _NO_TEXT:
                    yield name, parameter


def _forms(evil: str | bytes, valid: Any) -> Iterator[Any]:
    """Every way in which a caller may give the text: as it is, in bytes, and within what is expected there."""
    if len(evil) > 1000:
        # It takes long, and the way to it has been gone by the others.
        yield evil
        if isinstance(valid, list):
            yield [*valid, evil]
        return
    texts: list[str | bytes] = [evil] if isinstance(evil, bytes) else [evil, evil.encode()]
    for text in texts:
        yield from (text, [text])
    text = texts[-1]
    if isinstance(valid, list):
        yield from ([*valid, evil], [evil, *valid], (evil,), [[evil]], [*valid, [text]])
        if isinstance(valid[0], Quota):
            # How much is used is not sent.
            changes: list[dict[str, Any]] = [{field: evil} for field in vars(valid[0]) if field != "usage"]
            yield from ([dataclasses.replace(valid[0], **change)] for change in changes)
    if isinstance(valid, dict):
        yield from ({**valid, "x": evil}, {evil: "x"}, {text: text})


def _call(client: IMAPClient, name: str, arguments: dict[str, Any]) -> None:
    method = getattr(client, name)
    kinds = {parameter.name: parameter.kind for parameter in inspect.signature(method).parameters.values()}
    several = [argument for argument in arguments if kinds[argument] is inspect.Parameter.VAR_POSITIONAL]
    by_name = {argument: value for argument, value in arguments.items() if argument not in several}
    items = (arguments[argument] for argument in several)
    result = method(*(i for item in items for i in ([item] if isinstance(item, (str, bytes)) else item)), **by_name)
    if isinstance(result, FetchIterator):
        list(result)
    elif name == "watch":
        next(result, None)


def _carries(command: bytes, value: bytes) -> bool:
    """Whether the command has exactly this value, in one of the ways in which IMAP carries text."""
    sent = read_command(command)
    if value in sent.strings or value in sent.words:
        return True
    for text in (*sent.strings, *sent.words):
        # Names of mailboxes.
        if from_modified_utf7(text) == value:
            return True
        # What is said in AUTHENTICATE, between its separators.
        if re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
            said = base64.b64decode(text)
            if value == said or value in re.split(rb"[\0\1]|(?:user|vendor|n,a)=|auth=Bearer |,", said):
                return True
    # Several words, which stand as they were given: search criteria, items of FETCH, flags.
    given = b" ".join(value.split()).upper()
    return any(given in b" ".join(text.split()).upper() for text in (sent.flat, command))


@pytest.mark.parametrize("capabilities", [b"", b" LITERAL+ SASL-IR"], ids=["plain", "literal+"])
@pytest.mark.parametrize(("name", "argument"), list(_text_arguments()))
def test_one_command_with_the_value_or_none(name: str, argument: str, capabilities: bytes) -> None:
    parameters = inspect.signature(getattr(IMAPClient, name)).parameters
    known = {parameter: _TEXT_OF.get((name, parameter), _TEXT.get(parameter)) for parameter in parameters}
    valid = {parameter: value for parameter, value in known.items() if parameter not in _NO_TEXT}
    if name == "watch":
        # Without IDLE: it selects the folder, and is over.
        valid["timeout"] = 0
    calls = 0
    with LenientServer(_CAPABILITIES + capabilities) as server:
        client = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=60)
        try:
            client.login("ann", "secret")
            # With LITERAL+ what is no literal is sent as without it.
            for evil in _EVIL if capabilities == b"" else _LITERALS:
                for form in _forms(evil, valid[argument]):
                    before = len(server.commands)
                    calls += 1
                    try:
                        _call(client, name, {**valid, argument: form})
                    except IMAPClientAbortError:
                        raise
                    except (ValueError, TypeError, LookupError):
                        assert len(server.commands) == before, f"{form!r:.200}"
                    except IMAPClientError:
                        pass  # The server sends no data, which some calls say.
                    sent = server.commands[before:]
                    assert len(sent) <= 1, f"{form!r:.200}"
                    if sent and argument not in _NOT_SENT:
                        value = evil if isinstance(evil, bytes) else evil.encode()
                        is_raw = argument in _RAW and sent[0].count(b"\n") == 1 and value in sent[0]
                        assert is_raw or _carries(sent[0], value), f"{form!r:.200} was sent as {sent[0]!r:.400}"
            done = len(server.commands)
            client.noop()
            assert len(server.commands) == done + 1
        finally:
            client.shutdown()
    tags = [command.split(None, 1)[0] for command in server.commands]
    assert b"A999" not in tags
    assert len(set(tags)) == len(tags)
    names = {re.sub(rb"\A[A-Z0-9]+ ((?:UID )?[A-Z]+).*", rb"\1", c, flags=re.DOTALL) for c in server.commands[1:-1]}
    assert len(names) <= 1
    assert b"NOOP" not in names
    assert calls >= 2 * len(_LITERALS)


def test_the_walk_knows_every_argument() -> None:
    arguments = {argument for _, argument in _text_arguments()}
    assert arguments <= set(_TEXT), "add a valid value to _TEXT, or the name to _NO_TEXT"
    assert {name for name, _ in _text_arguments()} >= {"login", "append", "search", "fetch", "folder_status", "copy"}


def test_the_reader_of_commands() -> None:
    sent = read_command(b'A1 X (a "b \\" \\\\" {3+}\r\n\r\n) ~{1}\r\n\0)\r\n')
    assert sent == SentCommand([b"A1", b"X", b"a"], [b'b " \\', b"\r\n)", b"\0"], b'A1 X (a b " \\ \r\n) \0)')
    assert from_modified_utf7(b"a&AOk-&-b") == "aé&b".encode()


@pytest.mark.parametrize(
    "data",
    [b"A1 NOOP", b"A1 X\r\nA2 NOOP\r\n", b"A1 X\nA2\r\n", b'A1 "x\r\n', b'A1 "a\rb"\r\n', b"A1 {5}\r\nab\r\n",
     b"A1 {5}\r\n", b"A1 x{5}\r\n", b"A1 x~{5+}\r\n",
     b"A1 x\0y\r\n", b"A1 \xff\r\n", b'A1 "x\\y"\r\n'],
)  # fmt: skip
def test_what_is_not_one_command(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not|the literal is longer than the data"):
        read_command(data)
