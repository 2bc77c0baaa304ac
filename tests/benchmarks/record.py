"""Record the responses of real servers to FETCH, for the benchmark: ``python -m tests.benchmarks.record``.

The mail is the package's own sample mailbox. Each file in ``captures`` has the untagged responses of one server to
``UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)``, byte for byte.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

from imapclient import IMAPClient
from imapclient.embedded_server import EmbeddedServer
from imapclient.sample_mailbox import sample_messages
from tests.helpers.dovecot import Dovecot

CAPTURES = Path(__file__).resolve().parent / "captures"
COMMAND = b"C UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
FOLDER = "Recorded"


def record(host: str, port: int, user: str, password: str) -> bytes:
    """Return the responses of a server, after appending the sample messages to a new folder."""
    with IMAPClient(host, port, ssl=False) as client:
        client.login(user, password)
        client.create_folder(FOLDER)
        for message in sample_messages():
            client.append(FOLDER, message.content, message.flags, message.date)
    with socket.create_connection((host, port), 30) as connection, connection.makefile("rb") as replies:
        commands = (b"A LOGIN %b %b" % (user.encode(), password.encode()), b"B SELECT " + FOLDER.encode(), COMMAND)
        answer = b""
        for command in commands:
            connection.sendall(command + b"\r\n")
            answer = b""
            while not re.search(rb"(?:\A|\r\n)" + command[:1] + rb" OK[^\r\n]*\r\n\Z", answer):
                line = replies.readline()
                assert line, answer
                answer += line
    # The tagged response is left out.
    return answer[: answer.rindex(b"\r\n", 0, -2) + 2]


def main() -> None:
    with Dovecot() as dovecot:
        (CAPTURES / "dovecot-2.3.bin").write_bytes(record(dovecot.host, dovecot.port, "alice", "secret"))
    with EmbeddedServer() as server:
        (CAPTURES / "pymap.bin").write_bytes(record(server.host, server.port, server.user, server.password))


if __name__ == "__main__":
    main()
