"""One seat of the benchmark: a client process that does what run.py asks.

A request and its answer are one JSON object each, on a line of their own:

- ``{"do": "open", "seat": "imapclient", "port": 4143, "folder": "flags", "call": "fetch",
  "items": ["FLAGS"]}`` connects and selects
- ``{"do": "run"}`` gives ``{"wall": seconds, "cpu": seconds, "peak": bytes or null, "count": 2}``
- ``{"do": "dump", "file": "path"}`` writes one line per item, as server.py does with its values

Seats are ``imapclient`` (whichever one this interpreter imports), ``imaplib`` (the replies as
imaplib cuts them, not parsed), ``aioimaplib`` (not parsed either), ``imap_tools`` and ``socket`` (the
bytes received and thrown away: none can be faster). The file imports nothing but the standard
library and, where it is needed, the library that is measured, because it runs where only that one is
installed.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import imaplib
import importlib
import json
import re
import socket
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

DIGEST_OVER = 4096  # server.py shortens longer values in the same way
ENVELOPE = (
    *("date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc"),
    *("in_reply_to", "message_id"),
)
ADDRESS = ("name", "route", "mailbox", "host")


class Seat(Protocol):
    def run(self) -> Any:
        """Do the workload once and return what the client returns."""

    def warm_up(self) -> None:
        """Do the smallest part of the workload, so that what is made once is made."""


class ImapClientSeat:
    """The public API of an imapclient, ours or a peer's."""

    def __init__(self, port: int, user: str, folder: str, call: str, items: list[str]) -> None:
        from imapclient import IMAPClient

        client = IMAPClient("127.0.0.1", port, ssl=False)
        client.login(user, "secret")
        client.select_folder(folder)
        self.client = client
        self.items = items
        self.ids = list(client.search()) if call in ("fetch", "chunks") else []
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: client.fetch(self.ids, items),
            "chunks": lambda: in_chunks(client, self.ids, items),
            "search": lambda: client.search(),
            "list": lambda: client.list_folders(),
        }
        self.run = calls[call]

    def warm_up(self) -> None:
        if self.ids:
            self.client.fetch(self.ids[:1], self.items)


def in_chunks(client: Any, ids: list[int], items: list[str]) -> Any:
    """As a program must that hands on its ids to IMAPClient 4.1.0: Dovecot takes no command of over 64 KiB."""
    result = client.fetch(ids[:5000], items)
    for start in range(5000, len(ids), 5000):
        result.update(client.fetch(ids[start : start + 5000], items))
    return result


class ImaplibSeat:
    """imaplib itself: the time below which a client on top of it can't get."""

    def __init__(self, port: int, user: str, folder: str, call: str, items: list[str]) -> None:
        connection = imaplib.IMAP4("127.0.0.1", port)
        connection.login(user, "secret")
        connection.select(folder)
        names = f"({' '.join(items)})"
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: connection.uid("FETCH", "1:*", names)[1],
            "search": lambda: connection.uid("SEARCH", "ALL")[1],
            "list": lambda: connection.list()[1],
        }
        self.run = calls[call]

    def warm_up(self) -> None:
        """Nothing is made once."""


class ImapToolsSeat:
    """imap_tools, which has whole messages and searches only."""

    def __init__(self, port: int, user: str, folder: str, call: str, items: list[str]) -> None:
        library = importlib.import_module("imap_tools")
        mailbox = library.MailBoxUnencrypted("127.0.0.1", port).login(user, "secret", initial_folder=folder)
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: list(mailbox.fetch("ALL", mark_seen=False, bulk=True)),
            "search": lambda: mailbox.uids("ALL"),
        }
        self.run = calls[call]

    def warm_up(self) -> None:
        """Nothing is made once."""


class AioimaplibSeat:
    """aioimaplib, which leaves the replies unparsed too."""

    def __init__(self, port: int, user: str, folder: str, call: str, items: list[str]) -> None:
        library = importlib.import_module("aioimaplib")
        loop = asyncio.new_event_loop()

        async def connected() -> Any:
            client = library.IMAP4("127.0.0.1", port, timeout=120)
            await client.wait_hello_from_server()
            await client.login(user, "secret")
            await client.select(folder)
            return client

        client = loop.run_until_complete(connected())
        names = f"({' '.join(items)})"
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: client.uid("fetch", "1:*", names),
            "search": lambda: client.uid_search("ALL"),
            "list": lambda: client.list('""', "*"),
        }
        self.run = lambda: loop.run_until_complete(calls[call]()).lines

    def warm_up(self) -> None:
        """Nothing is made once."""


class SocketSeat:
    """Receives the reply and looks for its last line only."""

    def __init__(self, port: int, user: str, folder: str, call: str, items: list[str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.buffer = memoryview(bytearray(1 << 18))
        self.exchange(b"LOGIN user secret")
        self.exchange(b"SELECT " + folder.encode())
        commands = {
            "fetch": f"UID FETCH 1:* ({' '.join(items)})",
            "search": "UID SEARCH ALL",
            "list": 'LIST "" "*"',
        }
        self.command = commands[call].encode()

    def exchange(self, command: bytes) -> int:
        self.socket.sendall(b"ZZ9 " + command + b"\r\n")
        end, total, tail = b"ZZ9 OK done\r\n", 0, b""
        while not tail.endswith(end):
            got = self.socket.recv_into(self.buffer)
            if not got:
                raise ConnectionError("the server closed the connection")
            total += got
            tail = (tail + self.buffer[max(0, got - len(end)) : got].tobytes())[-len(end) :]
        return total

    def run(self) -> Any:
        return range(self.exchange(self.command))

    def warm_up(self) -> None:
        """Nothing is made once."""


def plain(value: Any) -> Any:
    """The value without the classes of one library: tuples, lists, bytes, numbers and text."""
    if isinstance(value, bytes):
        if len(value) <= DIGEST_OVER:
            return bytes(value)
        return ("bytes", len(value), hashlib.sha256(value).hexdigest())
    if isinstance(value, datetime):
        return value.isoformat()
    for name, fields in (("Envelope", ENVELOPE), ("Address", ADDRESS)):
        if type(value).__name__ == name:
            return (name, *[plain(getattr(value, field)) for field in fields])
    if isinstance(value, dict):
        return tuple(sorted((plain(key), plain(item)) for key, item in value.items()))
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value


def status(name: str) -> int | None:
    """A size in bytes from Linux's table of this process; None elsewhere."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            found = re.search(rf"^{name}:\s+(\d+) kB$", file.read(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass  # then the peak is that of the process's life: the same thing in its first run


def measured(seat: Seat) -> dict[str, Any]:
    gc.collect()
    reset_peak()
    before = status("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    result = seat.run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = status("VmHWM")
    peak = None if before is None or after is None else max(0, after - before)
    return {"wall": wall, "cpu": cpu, "peak": peak, "count": len(result)}


def dump(seat: Seat, path: str) -> dict[str, Any]:
    result = seat.run()
    pairs = sorted(result.items()) if isinstance(result, dict) else enumerate(result)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{key}\t{plain(value)!r}\n" for key, value in pairs)
    return {"count": len(result)}


def opened(request: dict[str, Any]) -> Seat:
    seats: dict[str, Callable[..., Seat]] = {
        "imapclient": ImapClientSeat,
        "imaplib": ImaplibSeat,
        "imap_tools": ImapToolsSeat,
        "aioimaplib": AioimaplibSeat,
        "socket": SocketSeat,
    }
    arguments = [request[name] for name in ("port", "user", "folder", "call", "items")]
    if request["seat"] != "imapclient" and arguments[3] == "chunks":
        arguments[3] = "fetch"
    seat = seats[request["seat"]](*arguments)
    seat.warm_up()
    return seat


def main() -> None:
    seat: Seat | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if request["do"] == "open":
                seat = opened(request)
                if request["seat"] == "imapclient":
                    import imapclient

                    answer = {"version": imapclient.__version__, "path": imapclient.__file__}
            elif seat is None:
                answer = {"error": "nothing is open"}
            elif request["do"] == "run":
                answer = measured(seat)
            else:
                answer = dump(seat, request["file"])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
