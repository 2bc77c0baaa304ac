"""Ctrl-C at every line that the library runs: ``python -m tests.faults.interrupts CALL`` prints what went wrong.

A call runs once for each line of the package that it executes, in a new session each time. At that line
KeyboardInterrupt is raised. After that, the client must raise an error that says that it is unusable, or continue in
step. The server numbers its answers, so that each command can be compared with its own answer. This runs in its own
process, because coverage traces too.
"""

from __future__ import annotations

import contextlib
import linecache
import re
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Callable

import imapclient
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError
from tests.helpers.clients import set_read_timeout
from tests.helpers.loopback_server import AcceptingServer

_PACKAGE = str(Path(imapclient.__file__).parent)
_COMMAND = re.compile(rb"(\w+) (?:UID )?(\w+)")
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")


def _watch(client: IMAPClient) -> object:
    # The generator is closed here. An exception in the finalizer of a generator would be ignored.
    with contextlib.closing(client.watch("x")) as events:
        return next(events)


CALLS: dict[str, Callable[[IMAPClient], object]] = {
    "noop": lambda client: client.noop(),
    "login": lambda client: client.login("ann", "secret"),
    "select": lambda client: client.select_folder("x"),
    "search": lambda client: client.search(),
    "fetch": lambda client: client.fetch([1, 2], ["BODY[]", "FLAGS"]),
    "append": lambda client: client.append("x", b"message"),
    "copy": lambda client: client.copy([1, 2], "x"),
    "idle": lambda client: (client.idle(), client.idle_check(1), client.idle_done()),
    "watch": _watch,
    "logout": lambda client: client.logout(),
}


class Server(AcceptingServer):
    """A server that answers each command. The answer to NOOP reports how many it has received."""

    def _serve(self, sock: socket.socket) -> None:
        threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock: socket.socket) -> None:
        noops = 0
        with sock, sock.makefile("rb") as lines:
            try:
                sock.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE] ready\r\n")
                for line in lines:
                    match = _COMMAND.match(line)
                    if match is None:
                        return
                    tag, name = match.groups()
                    literal = _LITERAL.search(line)
                    while literal is not None:
                        if not literal.group(2):
                            sock.sendall(b"+ go\r\n")
                        lines.read(int(literal.group(1)))
                        literal = _LITERAL.search(lines.readline())
                    if name == b"NOOP":
                        noops += 1
                    sock.sendall(self._answer(name, noops))
                    if name == b"IDLE" and not lines.readline():
                        return
                    sock.sendall(b"%s OK done\r\n" % tag)
                    if name == b"LOGOUT":
                        return
            except OSError:
                return

    @staticmethod
    def _answer(name: bytes, noops: int) -> bytes:
        return {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE\r\n",
            b"NOOP": b"* %d EXISTS\r\n" % noops,
            b"SELECT": b"* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1] x\r\n",
            b"SEARCH": b"* SEARCH 1 2 3\r\n",
            b"FETCH": b"".join(b"* %d FETCH (UID %d FLAGS () BODY[] {3}\r\nabc)\r\n" % (n, n) for n in (1, 2)),
            b"IDLE": b"+ idling\r\n* 9 EXISTS\r\n",
            b"LOGOUT": b"* BYE bye\r\n",
        }.get(name, b"")


class Interrupt:
    """Raises KeyboardInterrupt at the ``at``-th executed line of the package. With 0 it only counts the lines."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.lines = 0
        self.where = ""
        self._inside: set[tuple[int, int]] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        if event == "line" and not self._has_no_signal(frame):
            self.lines += 1
            if self.lines == self.at:
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self

    def _has_no_signal(self, frame: FrameType) -> bool:
        """Whether Python delivers no signal before this line, although the line is traced.

        These are: the end of a ``with`` block, which repeats its line; ``try:``, which is no instruction; the call of a
        method in C right after ``finally:``.
        """
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if not line.startswith("with "):
            return line == "try:" or line.endswith(".release()")
        # Of the frame: what keeps commands together may stand within itself.
        place = id(frame), frame.f_lineno
        self._inside ^= {place}
        return place not in self._inside


def interrupted(port: int, name: str, at: int) -> tuple[Interrupt, str]:
    """Run one session with an interrupt. Return the interrupt, and what was wrong after it."""
    client = IMAPClient("127.0.0.1", port, ssl=False, timeout=60)
    if name != "login":
        client.login("ann", "secret")
    interrupt = Interrupt(at)
    try:
        sys.settrace(interrupt)
        try:
            CALLS[name](client)
        except KeyboardInterrupt as error:
            sys.settrace(None)
            return interrupt, _wrong_after(client, name, error)
        finally:
            sys.settrace(None)
        return interrupt, "it was swallowed" if at else ""
    finally:
        client.shutdown()


def _wrong_after(client: IMAPClient, name: str, error: BaseException) -> str:
    if name == "append" and not hasattr(error, "message_sent") and not client._imap.is_usable:
        # If nothing was sent, there is nothing to check.
        return "message_sent is missing"
    found: list[str] = []
    # Where the server waits for the end of IDLE, and the client does not know: then it says that it is unusable.
    set_read_timeout(client, 1)
    # This runs in another thread, which would wait for ever for a lock that is still held.
    thread = threading.Thread(target=lambda: found.append(_wrong_in_thread(client)), daemon=True)
    thread.start()
    thread.join(60)
    return found[0] if found else "a later call hangs"


def _wrong_in_thread(client: IMAPClient) -> str:
    try:
        if client._imap.is_idle and client._imap.is_usable:
            responses = client.idle_check(0.05) + client.idle_done()[1]
            if any(item != (9, b"EXISTS") for item in responses):
                return f"IDLE returned {responses}"
        for number in range(3):
            responses = client.noop()[1]
            if not responses or responses[-1] not in ((number + 1, b"EXISTS"), (number + 2, b"EXISTS")):
                return f"NOOP {number + 1} returned {responses}"
    except IMAPClientAbortError:
        if client._imap.is_usable:
            return "usable, and a call says that it is not"
        return ""
    except Exception as raised:
        return f"a later call raised {raised!r}"
    return ""


def main(names: list[str]) -> int:
    failures = 0
    with Server() as server:
        for name in names:
            total, _ = interrupted(server.port, name, 0)
            for at in range(1, total.lines + 1):
                interrupt, wrong = interrupted(server.port, name, at)
                if wrong and interrupt.where:
                    failures += 1
                    print(f"{name}: {interrupt.where}: {wrong}")
            print(f"{name}: {total.lines} lines")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(CALLS)))
