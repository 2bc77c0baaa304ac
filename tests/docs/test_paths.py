"""The files, tests and modules that the documentation names exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.docs.test_docs import PAGES, ROOT

DOCUMENTS = [
    *PAGES,
    *(ROOT / "doc" / "src").glob("*.inc"),
    ROOT / "CONTRIBUTING.rst",
    ROOT / "CHANGELOG.rst",
    ROOT / "SECURITY.rst",
    ROOT / "tests" / "benchmarks" / "README.rst",
]

# tests/fuzz/run.py, tests/_wire/test_sockets.py::test_connection, doc/src
_PATH = re.compile(r"(?<![\w/.-])(?:tests|imapclient|examples|doc)/[\w/.-]*\w(?:::\w+)?")
_MODULE = re.compile(r"``(imapclient(?:\.\w+)+)``")
_NAMES_OF_LOGGERS = {"imapclient.imaplib", "imapclient.imapclient", "imapclient.embedded_server"}
# differences.rst says of it that it does not exist.
_NAMED_AS_MISSING = {"imapclient.require_capability"}


def missing_paths(text: str) -> list[str]:
    """The paths in a text that do not exist, and the tests and functions that their files do not define."""
    missing = []
    for named in _PATH.findall(text):
        if "FAMILY" in named:
            continue  # stands for any family of commands
        path, _, name = named.partition("::")
        file = ROOT / path
        if not file.exists():
            missing.append(named)
        elif name:
            source = file.read_text(encoding="utf-8")
            if not re.search(rf"^(?:async )?(?:def|class) {name}\b", source, re.MULTILINE):
                missing.append(named)
    return missing


def missing_modules(text: str) -> list[str]:
    names = (name for name in _MODULE.findall(text) if name not in _NAMES_OF_LOGGERS | _NAMED_AS_MISSING)
    return [name for name in names if not is_importable(name)]


def is_importable(name: str) -> bool:
    """Whether a module has this name, or a module has an attribute of it: ``imapclient.tls.IMAP4_TLS``."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return bool(module) and is_importable(module) and hasattr(importlib.import_module(module), attribute)
    return True


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert missing_paths(text) == []
    assert missing_modules(text) == []


def test_what_is_missing_is_found() -> None:
    text = (
        "``tests/test_gone.py`` and tests/docs/test_paths.py::test_gone, imapclient/_parsing/gone.py,"
        " but ``tests/docs/test_paths.py::missing_paths``, tests/docs/test_paths.py. And so on: doc/src/*.rst"
    )
    assert missing_paths(text) == [
        "tests/test_gone.py",
        "tests/docs/test_paths.py::test_gone",
        "imapclient/_parsing/gone.py",
    ]
    text = "``imapclient.gone``, ``imapclient.tls.Gone``; ``imapclient.tls.IMAP4_TLS``, ``imapclient.imaplib``"
    assert missing_modules(text) == ["imapclient.gone", "imapclient.tls.Gone"]


def test_the_page_of_promises_names_tests() -> None:
    page = (ROOT / "doc" / "src" / "reliability.rst").read_text(encoding="utf-8")
    assert len(_PATH.findall(page)) > 40
