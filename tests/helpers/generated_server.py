"""A server for measurements: a folder with any number of messages of any size, which are generated when requested.

It has the commands that the tests of memory and round trips need: CAPABILITY, LOGIN, SELECT, SEARCH ALL, STORE, APPEND,
NOOP, LOGOUT, and FETCH of UID, FLAGS, RFC822.SIZE, BODYSTRUCTURE, BODY[] and ``<first.length>`` of BODY[1]. The UIDs
are even numbers from ``first_uid`` on: 2, 4, 6 by default.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import BinaryIO

from .loopback_server import AcceptingServer

# BODY[] and BODY[1] repeat this line of base64.
LINE = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
assert len(LINE) == 78
DECODED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234"
# The server sends this many lines at a time.
_LINES = LINE * 1000

_CAPABILITIES = b"CAPABILITY IMAP4rev1 UIDPLUS"
_FETCH = re.compile(rb"(UID )?FETCH (\S+) \((.*)\)")
_PART = re.compile(rb"BODY\.PEEK\[1\]<(\d+)\.(\d+)>")
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")


class GeneratedServer(AcceptingServer):
    """A server with ``messages`` messages of ``body_size`` bytes each."""

    def __init__(
        self,
        messages: int = 10,
        body_size: int = 0,
        context: ssl.SSLContext | None = None,
        first_uid: int = 2,
        together: int = 1,
    ) -> None:
        super().__init__()
        self.messages = messages
        #: The number of FETCH commands to receive before the server answers the first one.
        self.together = together
        #: The number of FETCH commands so far.
        self.fetches = 0
        self._below = first_uid - 2
        self.body_size = body_size
        #: The number of bytes that came with the last APPEND.
        self.appended = 0
        self._context = context

    def _serve(self, sock: socket.socket) -> None:
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True)
        with sock, sock.makefile("rb") as reader, sock.makefile("wb") as writer:
            self._converse(reader, writer)

    def _converse(self, reader: BinaryIO, writer: BinaryIO) -> None:
        capabilities = b"[%s]" % _CAPABILITIES
        writer.write(b"* OK %s ready\r\n" % capabilities)
        writer.flush()
        waiting: list[tuple[bytes, bytes]] = []
        for line in reader:
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            literal = _LITERAL.search(line)
            if literal is not None:
                self._receive_literal(int(literal[1]), reader, writer)
            waiting.append((tag, command))
            if _FETCH.fullmatch(command) and len(waiting) < self.together:
                continue
            for tag, command in waiting:
                for piece in self._answer(command):
                    writer.write(piece)
                code = capabilities if command.startswith(b"LOGIN") else b""
                writer.write(b"%s OK %s done\r\n" % (tag, code))
                writer.flush()
            waiting.clear()
            if command == b"LOGOUT":
                return

    def _receive_literal(self, size: int, reader: BinaryIO, writer: BinaryIO) -> None:
        writer.write(b"+ go\r\n")
        writer.flush()
        self.appended = 0
        while self.appended < size:
            self.appended += len(reader.read(min(1 << 16, size - self.appended)))
        reader.readline()

    def _answer(self, command: bytes) -> Iterator[bytes]:
        match = _FETCH.fullmatch(command)
        if match is not None:
            yield from self._fetch(match[1] is not None, match[2], match[3])
        elif command.startswith(b"SELECT"):
            yield b"* %d EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1]\r\n" % self.messages
        elif command == b"CAPABILITY":
            yield b"* %s\r\n" % _CAPABILITIES
        elif command == b"LOGOUT":
            yield b"* BYE see you\r\n"
        elif command.startswith(b"UID SEARCH"):
            uids = range(self._below + 2, self._below + 2 * self.messages + 2, 2)
            yield b"* SEARCH " + b" ".join(map(b"%d".__mod__, uids)) + b"\r\n"

    def _fetch(self, by_uid: bool, messages: bytes, items: bytes) -> Iterator[bytes]:
        self.fetches += 1
        highest = self._below + 2 * self.messages if by_uid else self.messages
        for part in messages.split(b","):
            low, _, high = part.replace(b"*", b"%d" % highest).partition(b":")
            first, last = int(low), int(high or low)
            if by_uid:
                first, last = (first - self._below + 1) // 2, (last - self._below) // 2
            for number in range(max(first, 1), min(last, self.messages) + 1):
                yield from self._message(number, items)

    def _message(self, number: int, items: bytes) -> Iterator[bytes]:
        size = self.body_size
        yield b"* %d FETCH (UID %d" % (number, self._below + 2 * number)
        if b"FLAGS" in items:
            yield b" FLAGS (\\Seen $Label%d)" % (number % 5)
        if b"RFC822.SIZE" in items:
            yield b" RFC822.SIZE %d" % size
        if b"BODYSTRUCTURE" in items:
            yield b' BODYSTRUCTURE ("APPLICATION" "OCTET-STREAM" NIL NIL NIL "BASE64" %d)' % size
        part = _PART.search(items)
        if part is not None:
            start, length = int(part[1]), max(0, min(int(part[2]), size - int(part[1])))
            yield b" BODY[1]<%d> {%d}\r\n" % (start, length)
            yield (LINE * (length // len(LINE) + 2))[start % len(LINE) :][:length]
        if b" BODY[] " in b" %s " % items:
            yield b" BODY[] {%d}\r\n" % size
            for start in range(0, size, len(_LINES)):
                yield _LINES[: size - start]
        yield b")\r\n"
