"""A canned IMAP server for the benchmark, which needs very little time.

Each folder is one workload. Its replies are generated at the first SELECT and sent unchanged after that, so that the
measured time is the client's. ``--expect`` saves the values of the replies, to compare them with those of a client.

run.py starts it: ``python -m tests.benchmarks.server --sizes '{"flags": [20000, 0]}' --expect DIR`` prints its port and
serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import bisect
import contextlib
import json
import os
import re
import socket
import sys
import threading
from pathlib import Path

from tests.benchmarks.replies import APPENDED, LITERAL, Folder, make_folder
from tests.helpers.loopback_server import AcceptingServer

PIECE = re.compile(rb"BODY\.PEEK\[\]<(\d+)\.(\d+)>")


def chosen(folder: Folder, sequence_set: bytes) -> bytes:
    """Return the FETCH responses for the UIDs of the set, each message once, in mailbox order."""
    places: set[int] = set()
    last = folder.uids[-1]
    for part in sequence_set.split(b","):
        ends = [last if end == b"*" else int(end) for end in part.split(b":")]
        low, high = min(ends), max(ends)
        places.update(range(bisect.bisect_left(folder.uids, low), bisect.bisect_right(folder.uids, high)))
    if len(places) == len(folder.messages):
        return folder.whole
    return b"".join(folder.messages[place] for place in sorted(places))


def piece(folder: Folder, start: int, size: int) -> bytes:
    """Return the FETCH response for a piece of the first message, with the size of the message."""
    message = folder.messages[0]
    first, end = message.index(b"}\r\n") + 3, len(message) - 3
    text = message[first + start : min(first + start + size, end)]
    about = (folder.uids[0], end - first, start, len(text))
    return b"* 1 FETCH (UID %d RFC822.SIZE %d BODY[]<%d> {%d}\r\n" % about + text + b")\r\n"


class Incoming:
    """Receives lines, each with its end, and literals between them.

    Each TCP segment is acknowledged at once. IMAPClient 4.1.0 sends SEARCH in two pieces, and waits for the
    acknowledgement of the first. By default that takes 40 ms (Nagle's algorithm and delayed acknowledgement), which
    would hide the measured time.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def _receive(self) -> bytes:
        data = self._connection.recv(1 << 18)
        if data and hasattr(socket, "TCP_QUICKACK"):
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data

    def line(self) -> bytes:
        """Return the next line, or an empty one at the end of the connection."""
        while (end := self._buffer.find(b"\n")) < 0:
            data = self._receive()
            if not data:
                return b""
            self._buffer += data
        line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        return line

    def skip(self, size: int) -> None:
        """Receive the content of a literal, and forget it."""
        while size > len(self._buffer):
            size -= len(self._buffer)
            self._buffer = self._receive()
            if not self._buffer:
                return
        self._buffer = self._buffer[size:]


class Server(AcceptingServer):
    """Serves each connection in its own thread. Only one of them is busy at a time."""

    def __init__(self, sizes: dict[str, tuple[int, int]], expect: Path | None) -> None:
        super().__init__()
        self.sizes = sizes
        self.expect = expect
        self.lock = threading.Lock()
        self.name = ""
        self.folder = Folder([], [], b"", b"", b"")
        self.replies: dict[bytes, bytes] = {}

    def select(self, name: str) -> None:
        """Generate the folder's replies, and delete those of the previous folder."""
        with self.lock:
            if name != self.name:
                self.replies = {}
                self.folder = Folder([], [], b"", b"", b"")
                self.folder = make_folder(name, *self.sizes[name], self.expect)
                self.name = name

    def answer(self, verb: bytes, rest: bytes) -> bytes:
        """Return the untagged part of the reply to one command."""
        if verb == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 UIDPLUS CONDSTORE\r\n"
        if verb in (b"SELECT", b"EXAMINE"):
            self.select(rest.strip().strip(b'"').decode())
            start = b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* %d EXISTS\r\n"
            end = b"* 0 RECENT\r\n* OK [UIDVALIDITY 1] ok\r\n"
            return start % len(self.folder.uids) + end
        if verb == b"LIST":
            return self.folder.listing
        if verb == b"UID":
            what, rest = rest.split(b" ", 1)
            if what.upper() == b"SEARCH":
                return self.folder.search
            if what.upper() == b"FETCH":
                asked = PIECE.search(rest)
                if asked:
                    return piece(self.folder, int(asked[1]), int(asked[2]))
                sequence_set = rest.split(b" ", 1)[0]
                if sequence_set not in self.replies:
                    self.replies[sequence_set] = chosen(self.folder, sequence_set)
                return self.replies[sequence_set]
        if verb == b"LOGOUT":
            return b"* BYE bye\r\n"
        return b""

    def _serve(self, sock: socket.socket) -> None:
        threading.Thread(target=self._serve_one, args=(sock,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        # If a worker fails, run.py reports it.
        with contextlib.suppress(ConnectionError), connection:
            self.converse(connection)

    def converse(self, connection: socket.socket) -> None:
        incoming = Incoming(connection)
        connection.sendall(b"* OK [CAPABILITY IMAP4rev1 UIDPLUS CONDSTORE] benchmark\r\n")
        while line := incoming.line():
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            verb, _, rest = command.partition(b" ")
            while literal := LITERAL.search(line):
                if not literal[2]:
                    connection.sendall(b"+ go on\r\n")
                # Only messages come as literals. Names of folders are atoms.
                incoming.skip(int(literal[1]))
                line = incoming.line()
            data = self.answer(verb.upper(), rest)
            if data:
                connection.sendall(data)
            text = APPENDED if verb.upper() == b"APPEND" else b"done"
            connection.sendall(tag + b" OK " + text + b"\r\n")
            if verb.upper() == b"LOGOUT":
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", required=True, help="JSON: folder -> [number of items, bytes of each]")
    parser.add_argument("--expect", type=Path, help="folder for the values that the replies stand for")
    arguments = parser.parse_args()
    server = Server(json.loads(arguments.sizes), arguments.expect)
    server.start()
    print(server.port, flush=True)
    # Standard input ends when run.py ends, also if run.py is killed.
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
