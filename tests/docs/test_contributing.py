"""The way of one `fetch`, as CONTRIBUTING.rst shows it, is the way that a fetch takes."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

from imapclient import IMAPClient
from tests.docs.test_docs import ROOT
from tests.helpers.clients import connected
from tests.helpers.scripted_peer import PeerFactory

PACKAGE = ROOT / "imapclient"
CALL = 'client.fetch("1:3", ["FLAGS", "ENVELOPE"])'

Place = tuple[str, int]
"""A file, and the line in which a function's code begins."""

ENVELOPE = '("Thu, 29 Feb 2024 12:00:00 +0000" "Hello" ((NIL NIL "ann" "example.org")) NIL NIL NIL NIL NIL NIL "<1@x>")'
SCRIPT = f"""
    S: * PREAUTH [CAPABILITY IMAP4rev1] ready
    C: A1 UID FETCH 1:3 (FLAGS ENVELOPE)
    S: * 1 FETCH (UID 1 FLAGS (\\Seen) ENVELOPE {ENVELOPE})
    S: * 2 FETCH (UID 2 FLAGS (\\Seen) ENVELOPE {ENVELOPE})
    S: * 3 FETCH (UID 3 FLAGS (\\Seen) ENVELOPE {ENVELOPE})
    S: A1 OK Done
"""


def section() -> str:
    text = (ROOT / "CONTRIBUTING.rst").read_text(encoding="utf-8")
    match = re.search(r"^The way of one ``fetch``\n=+\n(.*?)(?=^[^\n]+\n={5,}\n\n)", text, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def steps() -> list[tuple[str, str]]:
    """``[('_commands/fetch.py', 'FetchMixin.fetch'), ...]``"""
    return re.findall(r"^#\. ``([\w/]+\.py): ([\w.]+)``", section(), re.MULTILINE)


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """The functions and methods of a file by their qualified names, with the line in which their code begins."""

    def within(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, int]]:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield prefix + node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            elif isinstance(node, ast.ClassDef):
                yield from within(node.body, f"{prefix}{node.name}.")

    return within(ast.parse(path.read_text(encoding="utf-8")).body, "")


def calls_of(client: IMAPClient) -> list[Place]:
    """The package's functions that a fetch calls, in their order."""
    codes: list[CodeType] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            codes.append(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        result = eval(CALL, {"client": client})
    finally:
        sys.setprofile(before)
    assert list(result) == [1, 2, 3]
    return [(str(Path(code.co_filename).resolve()), code.co_firstlineno) for code in codes]


def test_each_function_exists_and_is_called_in_this_order(peer: PeerFactory) -> None:
    assert f"``{CALL}``" in section()
    assert len(steps()) > 15
    places: list[Place] = []
    for file, name in steps():
        lines = dict(functions_of(PACKAGE / file))
        assert name in lines, f"{file} has no {name}"
        places.append((str(PACKAGE / file), lines[name]))
    with connected(peer(SCRIPT)) as client:
        calls = iter(calls_of(client))
    for step, place in zip(steps(), places):
        # Advances to the first such call after that of the step before.
        assert place in calls, f"not called at this place: {step}"
