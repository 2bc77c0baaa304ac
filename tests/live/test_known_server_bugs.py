"""The known bugs of servers are still there: see known_server_bugs.py."""

from __future__ import annotations

import ast
import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import imapclient.livetest
from tests.helpers.live import LiveServer, live_server_of
from tests.live.known_server_bugs import CONNECTION_ENDS, KNOWN, Bug

pytestmark = pytest.mark.live

_TIMEOUT = 60


@pytest.fixture(params=KNOWN, ids=lambda bug: f"{bug.server}-{bug.what.partition(' (')[0]}")
def bug(request: pytest.FixtureRequest) -> Bug:
    found: Bug = request.param
    return found


@pytest.fixture
def server(request: pytest.FixtureRequest, bug: Bug) -> Iterator[LiveServer]:
    with live_server_of(request, bug.server, "plain") as live:
        yield live


def _answers(server: LiveServer, commands: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the answer to each command, with ``#`` for UIDVALIDITY and without the tag."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection((server.host, server.port), timeout=_TIMEOUT))
        lines = stack.enter_context(sock.makefile("rb"))
        lines.readline()
        for number, command in enumerate((f"LOGIN {server.user} {server.password}".encode(), *commands)):
            tag = b"T%d " % number
            # The client has to wait for a continuation request before each literal.
            first, *rest = re.split(rb"(?<=\}\r\n)", command + b"\r\n")
            sock.sendall(tag + first)
            answer = b""
            while tag not in answer:
                line = lines.readline()
                if not line:
                    yield answer + CONNECTION_ENDS
                    return
                if line.startswith(b"+"):
                    sock.sendall(rest.pop(0))
                answer += line
            yield re.sub(rb"(?<=UIDVALIDITY )\d+", b"#", answer).replace(tag, b"")


def test_the_bug_is_still_there(bug: Bug, server: LiveServer) -> None:
    *_, last = _answers(server, bug.commands)
    assert bug.answer in last


def test_each_bug_names_tests_that_there_are() -> None:
    names = set()
    for path in Path(imapclient.livetest.__path__[0]).glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {test.partition("[")[0] for bug in KNOWN for test in bug.tests} <= names
