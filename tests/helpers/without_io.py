"""Loads and tries the parser and the encoder without modules that do I/O: `python -m tests.helpers.without_io`.

Modules that do I/O cannot be imported here. ``imapclient`` is a bare package, because its ``__init__`` loads all rooms.
``imaplib`` is a stand-in with the three base classes of the exceptions.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import pkgutil
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent.parent / "imapclient"
FORBIDDEN = ("socket", "_socket", "ssl", "_ssl", "threading", "selectors", "select", "subprocess", "imaplib", "asyncio")
ROOMS = ("_parsing", "_arguments")


class _Refusal(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in FORBIDDEN:
            raise ImportError(f"{name} does I/O; this module must not import it")
        return None


def _forbid() -> None:
    """Unload the forbidden modules that the interpreter has loaded, and refuse to import them again."""
    # Functions that parse dates need it. Before Python 3.13 it loads socket, which they do not use.
    importlib.import_module("email.utils")
    for name in FORBIDDEN:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, _Refusal())
    error = type("error", (Exception,), {})
    abort = type("abort", (error,), {})
    stand_in = types.ModuleType("imaplib")
    vars(stand_in)["IMAP4"] = type(
        "IMAP4", (), {"error": error, "abort": abort, "readonly": type("readonly", (abort,), {})}
    )
    sys.modules["imaplib"] = stand_in
    bare = types.ModuleType("imapclient")
    bare.__path__ = [str(PACKAGE)]
    sys.modules["imapclient"] = bare


def _modules() -> Iterator[str]:
    for room in ROOMS:
        yield f"imapclient.{room}"
        for module in pkgutil.walk_packages([str(PACKAGE / room)], f"imapclient.{room}."):
            yield module.name


def main() -> None:
    _forbid()
    modules = list(_modules())
    for module in modules:
        importlib.import_module(module)
    kinds = importlib.import_module("tests.fixtures.kinds")
    case = importlib.import_module("tests.fixtures.case")
    errors = importlib.import_module("imapclient.exceptions")
    count = 0
    for kind, parse, good, broken in kinds.KINDS:
        for one in (*good, *broken):
            try:
                value = parse(case.untagged(*case.records_of(one.raw)))
            except errors.ProtocolError:
                if one in good:
                    raise
            else:
                if one not in good or value != one.expected:
                    sys.exit(f"{kind}, {one.name}: {value!r}")
            count += 1
    loaded = sorted(set(FORBIDDEN) & set(sys.modules) - {"imaplib"})
    if loaded:
        sys.exit(f"loaded all the same: {loaded}")
    print(f"{len(modules)} modules, {count} cases")


if __name__ == "__main__":
    main()
