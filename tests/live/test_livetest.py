"""The live suite of the package, on the servers of these tests.

conftest.py in this folder has its fixtures. The most important one is `account`, a user on each server.
"""

from __future__ import annotations

import importlib
import pkgutil

import imapclient.livetest

_FROM_CONFTEST = ("client", "second_client", "connect", "folder", "folders", "numbering")


def _collect() -> None:
    """Copy the public names of each test module into this one: tests, and their fixtures.

    :raises ImportError: if two modules use one name for different things.
    """
    for module_info in pkgutil.iter_modules(imapclient.livetest.__path__):
        if not module_info.name.startswith("test_"):
            continue
        module = importlib.import_module(f"imapclient.livetest.{module_info.name}")
        marks = getattr(module, "pytestmark", [])
        for name, value in vars(module).items():
            if name.startswith("_") or name in _FROM_CONFTEST or name == "pytestmark":
                continue
            # Tests and fixtures are callable. The name of a constant matters only in its own module.
            if callable(value) and globals().get(name, value) is not value:
                raise ImportError(f"two modules of the live suite define {name}")
            if name.startswith(("test_", "Test")):
                for mark in marks if isinstance(marks, list) else [marks]:
                    mark(value)
            globals().setdefault(name, value)


_collect()
