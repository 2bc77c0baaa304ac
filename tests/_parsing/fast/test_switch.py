"""The switch that turns the fast path off. Only one module imports the fast path."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import imapclient
from imapclient._parsing.fast import batch_reader
from imapclient._parsing.fetch.collector import FetchCollector
from imapclient._parsing.responses import ReadOptions
from imapclient.sequence_set import SequenceSet
from tests.helpers.dialogue import dialogue

PACKAGE = Path(imapclient.__file__).parent
FLAGS = "\n".join(f"S: * {number} FETCH (UID {100 + number} FLAGS (\\Seen))" for number in range(1, 51))


@pytest.mark.parametrize("enabled", [True, False])
def test_a_fetch_gives_the_same_with_the_switch_on_and_off(monkeypatch: pytest.MonkeyPatch, enabled: bool) -> None:
    read = []
    monkeypatch.setattr(batch_reader, "enabled", enabled)
    monkeypatch.setattr(batch_reader.BatchReader, "read", lambda *arguments: read.append(arguments))
    with dialogue(f"C: A1 UID FETCH 101:150 (FLAGS)\n{FLAGS}\nS: A1 OK Done") as client:
        found = client.fetch("101:150", ["FLAGS"])
    assert found == {100 + number: {b"SEQ": number, b"FLAGS": (b"\\Seen",)} for number in range(1, 51)}
    assert bool(read) is enabled


def test_a_command_that_runs_goes_on_as_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = FetchCollector(SequenceSet("1:*"), ReadOptions(), use_uid=True, strict=False).handlers
    monkeypatch.setattr(batch_reader, "enabled", False)
    assert handlers.bulk is not None


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_only_the_collector_imports_it() -> None:
    """So the general path works without it."""
    fast = PACKAGE / "_parsing" / "fast"
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if fast not in path.parents and any("fast" in name.split(".") for name in _imports(path))
    }
    assert users == {"_parsing/fetch/collector.py"}
