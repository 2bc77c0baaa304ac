"""Clients for the tests of the benchmark, and the command line that measures them in this interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import imapclient

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SCRIPT = str(CHECKOUT / "tests" / "benchmarks" / "run.py")
#: The folder with the package that is tested.
PACKAGE = Path(imapclient.__file__).resolve().parent.parent

_FAKE_CLIENT = """
import gc

__version__ = "0"


class IMAPClient:
    def __init__(self, host, port, ssl):
        pass

    def login(self, user, password):
        pass

    def select_folder(self, folder):
        pass

    def search(self):
        return [1]

    def list_folders(self):
        {listing}
        return [((), b"/", "INBOX")]

    def fetch(self, ids, items):
        {fetch}
        return {{}}
"""
USES_THE_THRESHOLDS = "gc.set_threshold(*gc.get_threshold())"
OFFERS_GC_TUNING = "    gc_tuning = False\n"


def command(*arguments: str, package: Path = PACKAGE) -> list[str]:
    """Return the command that measures a package in this interpreter, so that nothing is installed for it."""
    own = ["--ours-python", sys.executable, "--ours-path", str(package)]
    return [sys.executable, SCRIPT, "--no-dovecot", *own, *arguments]


def fake_checkout(folder: Path, *, fetch: str = "", listing: str = "", more: str = "") -> Path:
    """Make a package whose client finds one folder and no message, whatever the server sends."""
    (folder / "imapclient").mkdir(parents=True)
    text = _FAKE_CLIENT.format(fetch=fetch, listing=listing) + more
    (folder / "imapclient" / "__init__.py").write_text(text, encoding="utf-8")
    return folder
