"""A server that sends a fixed reply to each command, independent of the arguments.

It is for replies that no real server here sends: `CannedServer({"GETQUOTA": '* QUOTA "" (STORAGE 10 512)'})`. A command
without a reply gets OK. `sent` keeps the commands as data. In it all forms of a string are the same (atom, quoted,
literal), and so are all forms of a set (``1,2,3`` and ``1:3``).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any, BinaryIO

from tests.helpers.loopback_server import AcceptingServer

Reply = str
"""Lines to send. The last one may be ``OK text``, ``NO text`` or ``BAD text`` for the tagged response.

After a line that begins with ``+``, the server receives one line. ``CLOSE`` closes the connection.
"""

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
_TAGGED = re.compile(rb"(OK|NO|BAD)\b")
_SET = re.compile(rb"[\d*]+([:,][\d*]+)*\Z")
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|([()])|((?:[^ ()"\[]|\[[^\]]*\]|\[)+)| ')
_DEFAULTS: dict[str, Reply] = {
    "SELECT": "* 3 EXISTS\n* 0 RECENT\n* FLAGS (\\Seen)\n* OK [UIDVALIDITY 1] Valid\nOK [READ-WRITE] Selected",
    "LOGOUT": "* BYE Bye\nOK Logged out\nCLOSE",
}
# Each library may send these at any time, so that they are not compared.
_UNKEPT = frozenset(("CAPABILITY", "LOGIN", "LOGOUT"))


class CannedServer(AcceptingServer):
    """A server that runs within its ``with`` block, one connection after the other.

    It sends ``capabilities`` after the login and for CAPABILITY. The keys of ``replies`` are commands without ``UID``.
    """

    def __init__(self, replies: Mapping[str, Reply], capabilities: str, greeting: str | None = None) -> None:
        super().__init__()
        self._replies = {**_DEFAULTS, **replies}
        self._capabilities = capabilities
        self._greeting = f"* OK [CAPABILITY {capabilities}] ready" if greeting is None else greeting
        #: The commands as ``[name, argument, ...]``. A parenthesised list is a nested list.
        self.sent: list[list[Any]] = []

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as incoming:
            sock.sendall(self._greeting.encode() + b"\r\n")
            while self._answer(sock, incoming):
                pass

    def _answer(self, connection: socket.socket, incoming: BinaryIO) -> bool:
        parts = self._command(connection, incoming)
        if not parts:
            return False
        tag, *words = tokens(parts)
        by_uid = bool(words) and words[0].upper() == "UID"
        name = "" if len(words) == by_uid else words[by_uid].upper()
        if name not in _UNKEPT:
            # An empty list of flags in APPEND means the same as no list.
            arguments = [word for word in words[1 + by_uid :] if word or name != "APPEND"]
            self.sent.append(["UID", name, *arguments] if by_uid else [name, *arguments])
        if name in ("CAPABILITY", "LOGIN"):
            code = f"* CAPABILITY {self._capabilities}\n" if name == "CAPABILITY" else ""
            text = "Done" if name == "CAPABILITY" else f"[CAPABILITY {self._capabilities}] Logged in"
            default = f"{code}OK {text}"
        else:
            default = "OK Done"
        return self._reply(connection, incoming, tag, self._replies.get(name, default))

    def _reply(self, connection: socket.socket, incoming: BinaryIO, tag: str, reply: Reply) -> bool:
        lines = [line for line in re.split(rb"(?<!\r)\n", reply.encode()) if line]
        if not _TAGGED.match(lines[-1]) and lines[-1] != b"CLOSE":
            lines.append(b"OK Done")
        outgoing = b""
        for line in lines:
            if line != b"CLOSE":
                outgoing += (tag.encode() + b" " if _TAGGED.match(line) else b"") + line + b"\r\n"
            if line.startswith(b"+"):
                connection.sendall(outgoing)
                outgoing = b""
                self.sent.append(["", incoming.readline().rstrip(b"\r\n").decode("latin-1")])
        connection.sendall(outgoing)
        return lines[-1] != b"CLOSE"

    def _command(self, connection: socket.socket, incoming: BinaryIO) -> list[bytes]:
        """Receive the next command. Return its text and literals in turn."""
        parts: list[bytes] = []
        while True:
            line = incoming.readline()
            if not line.endswith(b"\n"):
                return []
            found = _LITERAL.search(line)
            if found is None:
                return [*parts, line.rstrip(b"\r\n")]
            if not found[2]:
                connection.sendall(b"+ go on\r\n")
            parts += [line[: found.start()], incoming.read(int(found[1]))]


def tokens(parts: list[Any]) -> list[Any]:
    """Return the words of a command. A word is a str, and a parenthesised list is a list."""
    stack: list[list[Any]] = [[]]
    for index, part in enumerate(parts):
        if index % 2:
            stack[-1].append(part.decode("latin-1"))
            continue
        for match in _TOKEN.finditer(part):
            quoted, bracket, atom = match.groups()
            if bracket == b"(":
                stack.append([])
            elif bracket == b")" and len(stack) > 1:
                done = stack.pop()
                stack[-1].append(done)
            elif quoted is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted).decode("latin-1"))
            elif atom is not None:
                stack[-1].append(_expanded(atom))
    while len(stack) > 1:
        done = stack.pop()
        stack[-1].append(["never closed", *done])
    return stack[0]


def _expanded(atom: bytes) -> str:
    """Return a sequence set with all its numbers, in the same order. Other atoms are unchanged."""
    if not _SET.match(atom) or b"*" in atom:
        return atom.decode("latin-1")
    numbers: list[int] = []
    for item in atom.decode().split(","):
        low, _, high = item.partition(":")
        numbers += range(int(low), int(high or low) + 1)
    return ",".join(map(str, numbers))
