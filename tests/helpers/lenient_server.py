"""A server that accepts every command, and a parser of commands that shares no code with the package.

The tests do not know before which calls send something. So they cannot use ScriptedPeer.
"""

from __future__ import annotations

import base64
import re
import socket
from typing import NamedTuple

from .loopback_server import AcceptingServer

_ANNOUNCED = re.compile(rb"\{(\d+)(\+?)\}\r?\n\Z")


class LenientServer(AcceptingServer):
    """A server that answers OK to each command, and keeps it: ``[b'A1 LOGIN "ann" {6}\\r\\nsecret\\r\\n']``.

    A line ends with LF, with or without CR. ``{n}`` at its end announces a literal. The client's response in
    AUTHENTICATE is kept as one more word of the command.
    """

    def __init__(self, capabilities: bytes) -> None:
        super().__init__()
        self.commands: list[bytes] = []
        self._capabilities = capabilities

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as lines:
            sock.sendall(b"* OK [CAPABILITY %b] ready\r\n" % self._capabilities)
            while True:
                command = line = lines.readline()
                if not line:
                    return
                literal = _ANNOUNCED.search(line)
                while literal is not None:
                    if not literal.group(2):
                        sock.sendall(b"+ go\r\n")
                    command += lines.read(int(literal.group(1)))
                    line = lines.readline()
                    command += line
                    literal = _ANNOUNCED.search(line)
                # The command is the second word: the tag may be IDLE1.
                tag, name = [*command.split(None, 2)[:2], b"*", b""][:2]
                if name == b"AUTHENTICATE" and len(command.split()) == 3:
                    # The command has no initial response.
                    sock.sendall(b"+ \r\n")
                    command = command[:-2] + b" " + lines.readline()
                self.commands.append(command)
                if name == b"IDLE":
                    sock.sendall(b"+ idling\r\n")
                else:
                    sock.sendall(tag + b" OK [CAPABILITY %b] Done\r\n" % self._capabilities)


class SentCommand(NamedTuple):
    """A parsed command: its words, its strings, and ``flat``, the whole text with the content of the strings."""

    words: list[bytes]
    strings: list[bytes]
    flat: bytes


_LITERAL = re.compile(rb"~?\{([0-9]+)\+?\}\r\n")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')
# A word may contain braces. At the end of the line they announce a literal.
_WORD = re.compile(rb"(?!~?\{[0-9]+\+?\}\r\n)[\x21\x23-\x27\x2a-\x7e]+")
_ENDS_IN_ANNOUNCEMENT = re.compile(rb"\{[0-9]+\+?\}\Z")
_BETWEEN = re.compile(rb"[ ()]")


def read_command(data: bytes) -> SentCommand:
    """Parse one command by the grammar (RFC 9051, 9). Raises ValueError if the data are not exactly one command.

    ``read_command(b'A1 LOGIN ann {3}\\r\\nx y\\r\\n')`` is ``SentCommand([b'A1', b'LOGIN', b'ann'], [b'x y'], b'A1
    LOGIN ann x y')``.
    """
    words, strings, flat = [], [], b""
    position = 0
    while data[position:] != b"\r\n":
        literal, quoted = _LITERAL.match(data, position), _QUOTED.match(data, position)
        word, between = _WORD.match(data, position), _BETWEEN.match(data, position)
        if literal is not None:
            end = literal.end() + int(literal.group(1))
            strings.append(data[literal.end() : end])
            flat += strings[-1]
            if end > len(data):
                raise ValueError("the literal is longer than the data")
            position = end
        elif quoted is not None:
            strings.append(re.sub(rb'\\(["\\])', rb"\1", quoted.group(1)))
            flat += strings[-1]
            position = quoted.end()
        elif word is not None and not (
            data.startswith(b"\r\n", word.end()) and _ENDS_IN_ANNOUNCEMENT.search(word.group())
        ):
            words.append(word.group())
            flat += word.group()
            position = word.end()
        elif between is not None:
            flat += between.group()
            position = between.end()
        else:
            raise ValueError(f"not a command, from byte {position} on: {data[position : position + 60]!r}")
    return SentCommand(words, strings, flat)


def from_modified_utf7(name: bytes) -> bytes | None:
    """Return a mailbox name as UTF-8 (RFC 3501, 5.1.3): ``b'a\\xc3\\xa9'`` for ``b'a&AOk-'``. None if it is invalid."""

    def decoded(match: re.Match[bytes]) -> bytes:
        if not match.group(1):
            return b"&"
        text = match.group(1).replace(b",", b"/")
        return base64.b64decode(text + b"=" * (-len(text) % 4)).decode("utf-16-be", "surrogatepass").encode("utf-8")

    try:
        return re.sub(rb"&([A-Za-z0-9+,]*)-", decoded, name)
    except ValueError:
        return None
