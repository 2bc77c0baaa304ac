"""What the wire tests of the commands share.

`dialogue` runs a logged-in client against a script. A `Case` is one call, with the bytes that the client must send, the
bytes that the server sends, and the value that the call returns. `in_every_way` combines each case with everything that
can happen to any command.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple

import pytest

from imapclient import IMAPClient
from imapclient._parsing.fetch.results import FetchResult, ItemResult
from imapclient.exceptions import CapabilityError, CommandError
from tests.helpers.scripted_peer import Script, ScriptedPeer

CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS MOVE UNSELECT NAMESPACE"

#: One item of `IMAPClient._imap.unsolicited`: number, name, text.
Unsolicited = tuple[Any, bytes, bytes]


@contextlib.contextmanager
def dialogue_with_peer(
    script: Script = "",
    *,
    capabilities: str | None = CAPABILITIES,
    login: bool = True,
    chunk: int = 0,
    use_uid: bool = True,
    timeout: float = 60,
    **options: Any,
) -> Iterator[tuple[IMAPClient, ScriptedPeer]]:
    """Yield a client and its peer. The peer's script is the greeting, the login and ``script``, and must be finished.

    If ``capabilities`` is None, the server sends no capabilities, and the script has to contain CAPABILITY. ``chunk``
    applies after the login. ``timeout`` is the client's, in seconds. ``options`` are for the peer.
    """
    code = "" if capabilities is None else f"[CAPABILITY {capabilities}] "
    start = f"S: * OK {code}ready\n"
    if login:
        start += f'C: A1 LOGIN "ann" "secret"\nS: A1 OK {code}Logged in\n'
    start += f"CHUNK {chunk}\n"
    rest = [script] if isinstance(script, (str, bytes)) else script
    with ScriptedPeer([start, *rest], **options) as peer:
        client = IMAPClient(peer.host, peer.port, use_uid=use_uid, ssl=False, timeout=timeout)
        try:
            if login:
                client.login("ann", "secret")
            yield client, peer
        finally:
            client.shutdown()


@contextlib.contextmanager
def dialogue(script: Script = "", **options: Any) -> Iterator[IMAPClient]:
    """As `dialogue_with_peer`, for tests that do not need the peer."""
    with dialogue_with_peer(script, **options) as (client, _):
        yield client


def unsolicited(client: IMAPClient) -> list[Unsolicited]:
    """Return the unsolicited responses as (number, name, text)."""
    return [(response.number, response.name, response.text) for response in client._imap.unsolicited]


class Case(NamedTuple):
    """One call. ``request`` and ``responses`` are lines of a script. The tagged response is ``A1 OK`` and ``ok``."""

    name: str
    call: Callable[[IMAPClient], Any]
    request: str
    responses: str
    result: Any
    ok: str = "Done"
    #: The capability that it needs.
    needs: str = ""
    #: Names of untagged responses that always belong to this command.
    own: frozenset[bytes] = frozenset()
    no: type[CommandError] = CommandError
    bad: type[CommandError] = CommandError
    login: bool = True
    use_uid: bool = True

    def script(self, responses: str | None = None, tagged: str | None = None) -> str:
        """Return the dialogue. ``responses`` and ``tagged`` replace the case's own."""
        return "\n".join(
            (
                self.request,
                self.responses if responses is None else responses,
                f"S: A1 OK {self.ok}" if tagged is None else f"S: A1 {tagged}",
            )
        )

    def start(self, script: str, **options: Any) -> contextlib.AbstractContextManager[IMAPClient]:
        options.setdefault("capabilities", f"{CAPABILITIES} {self.needs}".rstrip())
        return dialogue(script, login=self.login, use_uid=self.use_uid, **options)

    def check(self, client: IMAPClient) -> None:
        """Make the call, and compare the values and types."""
        result = self.call(client)
        assert result == self.result
        assert types(result) == types(self.result)


def types(value: Any) -> Any:
    """Return the types of a value and of everything in it. The dict subclasses of FETCH count as dict."""
    if isinstance(value, dict):
        kind = dict if isinstance(value, (FetchResult, ItemResult)) else type(value)
        return kind, {key: (type(key), types(item)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [types(item) for item in value]
    return type(value)


# -- everything that can happen to any command


def as_written(case: Case) -> None:
    with case.start(case.script()) as client:
        case.check(client)
        assert unsolicited(client) == []


_WORD = re.compile(r'"[^"]*"|\{|\\[A-Za-z]+|\b[A-Z][A-Z0-9]+\b')


def lowered(script: str) -> str:
    """Return the script with the server's words of the grammar in lower case. Names, flags and tags stay."""

    def lower(match: re.Match[str]) -> str:
        word = match.group()
        return word if word[0] in '"\\{' else word.lower()

    lines = []
    for line in script.split("\n"):
        start, server, text = line.partition("S: ")
        if server and not start.strip():
            tag, space, rest = text.partition(" ")
            line = f"S: {tag}{space}{_WORD.sub(lower, rest)}"
        lines.append(line)
    return "\n".join(lines)


def in_lower_case(case: Case) -> None:
    with case.start(lowered(case.script())) as client:
        case.check(client)


def in_single_bytes(case: Case) -> None:
    with case.start(case.script(), chunk=1) as client:
        case.check(client)


#: Responses that a server may send at any time (RFC 9051, 5.2 and 7): the script, and what the client keeps.
INTRUDERS: tuple[tuple[str, Unsolicited], ...] = (
    ("S: * 23 EXISTS", (23, b"EXISTS", b"")),
    ("S: * 4 EXPUNGE", (4, b"EXPUNGE", b"")),
    ("S: * 9 FETCH (UID 900 FLAGS (\\Answered))", (9, b"FETCH", b"(UID 900 FLAGS (\\Answered))")),
    ("S: * OK [ALERT] Look out", (None, b"OK", b"[ALERT] Look out")),
    # The content of the literal looks like another response.
    ("S: * X-THING (1 {12}\nSx: \\r\\n* 5 EXISTS)", (None, b"X-THING", b"(1 {12}")),
)


def among_other_data(case: Case) -> None:
    others = [intruder for intruder in INTRUDERS if intruder[1][1] not in case.own]
    between = "\n".join(script for script, _ in others)
    responses = "\n".join((between, case.responses, between))
    with case.start(case.script(responses)) as client:
        case.check(client)
        assert unsolicited(client) == [kept for _, kept in others] * 2


def answered_no(case: Case) -> None:
    _refused(case, "NO", case.no)


def answered_bad(case: Case) -> None:
    _refused(case, "BAD", case.bad)


def _refused(case: Case, status: str, expected: type[CommandError]) -> None:
    """The error has the server's text and code. The next call works as if the failed one had not been."""
    failing = case.script("", f"{status} [X-WHY 5] Not today [or ever]")
    with case.start(f"{failing}\n{case.script()}") as client:
        with pytest.raises(CommandError, match="Not today") as caught:
            case.call(client)
        assert type(caught.value) is expected
        assert caught.value.status == status
        assert caught.value.code == (b"X-WHY", (5,))
        assert caught.value.text == "Not today [or ever]"
        sent = re.search(r"A1 ((?:UID )?[A-Z]+)", case.request)
        assert sent is not None
        assert caught.value.command == sent.group(1)
        case.check(client)


def answered_no_after_data(case: Case) -> None:
    """A server may send data and then fail. The next call returns only its own data."""
    failing = case.script(case.responses, "NO Out of memory")
    with case.start(f"{failing}\n{case.script()}") as client:
        with pytest.raises(CommandError, match="Out of memory"):
            case.call(client)
        case.check(client)


def without_capability(case: Case) -> None:
    """The call raises CapabilityError. The peer's script proves that nothing is sent."""
    others = " ".join(name for name in CAPABILITIES.split() if name != case.needs)
    missing = pytest.raises(CapabilityError, match=f"does not support {case.needs}")
    with case.start("", capabilities=others) as client, missing:
        case.call(client)


_WAYS: tuple[Callable[[Case], None], ...] = (
    as_written,
    in_lower_case,
    in_single_bytes,
    among_other_data,
    answered_no,
    answered_bad,
    answered_no_after_data,
)


def in_every_way(cases: Iterable[Case]) -> list[Any]:
    """Return parameters (case, way) for ``parametrize``. The test calls ``way(case)``."""
    return [
        pytest.param(case, way, id=f"{case.name}-{way.__name__}")
        for case in cases
        for way in ([*_WAYS, without_capability] if case.needs else _WAYS)
    ]
