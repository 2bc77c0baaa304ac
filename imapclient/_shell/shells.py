"""Start a Python shell with a client in it: IPython, ptpython, or the shell of the standard library."""

from __future__ import annotations

import code
import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imapclient

from ..imapclient import IMAPClient

Namespace = dict[str, Any]


def run_shell(client: IMAPClient) -> int:
    """Run IPython, ptpython or Python's own shell, the first that is installed. Returns the exit status.

    Its variables are ``c``, which is the client, and ``imapclient``.
    """
    namespace: Namespace = {"c": client, "imapclient": imapclient, "__name__": "__console__", "__doc__": None}
    try:
        if (ipython := _imported("IPython")) is not None:
            _run_ipython(ipython, namespace)
        elif (repl := _imported("ptpython.repl")) is not None:
            _run_ptpython(repl, namespace)
        else:
            _run_standard(namespace)
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        print(leaving.code, file=sys.stderr)
        return 1
    return 0


def _imported(module: str) -> Any:
    """The module, or None if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _run_ipython(ipython: Any, namespace: Namespace) -> None:
    config = importlib.import_module("traitlets.config").Config()
    config.TerminalIPythonApp.display_banner = False
    config.TerminalInteractiveShell.confirm_exit = False
    # IPython must not parse the options of this program.
    ipython.start_ipython(argv=[], config=config, user_ns=namespace)


def _run_ptpython(repl: Any, namespace: Namespace) -> None:
    def configure(shell: Any) -> None:
        shell.confirm_exit = False

    repl.embed(
        globals=namespace,
        locals=namespace,
        history_filename=_history_file("ptpython"),
        configure=configure,
        title="imapclient",
    )


def _run_standard(namespace: Namespace) -> None:
    with _line_editing(namespace):
        # The caller has printed the banner. An empty text prints nothing.
        code.InteractiveConsole(namespace).interact(banner="", exitmsg="")


@contextlib.contextmanager
def _line_editing(namespace: Namespace) -> Iterator[None]:
    """Provide history and completion, if this Python has readline."""
    # Imported late: once it is imported, the answers to `input` become history too.
    try:
        import readline
        import rlcompleter
    except ImportError:
        yield
        return
    history = _history_file("python")
    readline.set_completer(rlcompleter.Completer(namespace).complete)
    # On macOS the module is libedit, whose commands differ from those of GNU readline.
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    if history is not None:
        with contextlib.suppress(OSError):
            readline.read_history_file(history)
    try:
        yield
    finally:
        if history is not None:
            readline.set_history_length(1000)
            with contextlib.suppress(OSError):
                readline.write_history_file(history)


def _history_file(shell: str) -> str | None:
    """Create the history file, which only its owner can read, and return its name. None if that fails."""
    try:
        path = Path.home() / f".imapclient_{shell}_history"
        path.touch(0o600)
    except (OSError, RuntimeError):
        return None
    return str(path)
