"""One seat of the benchmark: a client process that does what run.py asks.

A request and its answer are one JSON object each, on a line of their own:

- ``{"do": "open", "seat": "imapclient", "port": 4143, "user": "user", "folder": "flags", "call": "fetch",
  "items": ["FLAGS"], "total": 2, "size": 0, "variant": "", "checkout": "path"}`` connects and selects. With a
  ``checkout``, the imapclient that is imported must be in that folder. The answer has the key ``absent`` if the
  library does not offer the variant.
  Nothing of the workload is done before the first run, so that nothing is warm then: only ``search()`` for the ids.
- ``{"do": "run"}`` gives ``{"wall": seconds, "cpu": seconds, "peak": bytes or null, "count": 2,
  "collector": true}``. The last one says whether the library changed the thresholds of the garbage collector.
- ``{"do": "dump", "file": "path"}`` writes one line per item, as server.py does with its values

The seats are ``imapclient`` (the one that this interpreter imports), ``imaplib`` (replies that are not parsed),
``aioimaplib`` (not parsed either), ``imap_tools``, and ``socket`` (bytes that are only received: nothing can be
faster). This file imports only the standard library and the measured library, because nothing else is installed.
``go_imap_worker.go`` and ``imapflow_worker.js`` are seats in other languages, which answer to ``open`` and ``run``.
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
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

DIGEST_OVER = 4096  # server.py shortens longer values in the same way
# The last line of a reply to SocketSeat.
END = re.compile(rb"ZZ9 OK [^\r\n]*\r\n\Z")
ENVELOPE = (
    *("date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc"),
    *("in_reply_to", "message_id"),
)
ADDRESS = ("name", "route", "mailbox", "host")


class Task(NamedTuple):
    """The task of a seat."""

    port: int
    user: str
    folder: str
    call: str
    items: list[str]
    total: int
    """The number of messages to append."""
    size: int
    """The size of each message, in bytes."""
    variant: str
    """One of `VARIANTS`, or empty for the default."""

    def message(self) -> bytes:
        """The message to append."""
        line = b"A line of text, as long as the lines of messages usually are, about that.\r\n"
        return (b"Subject: hello\r\n\r\n" + line * (self.size // len(line) + 1))[: self.size - 2] + b"\r\n"


class AbsentError(Exception):
    """The library does not offer the variant. The text is its name."""


class Thresholds:
    """Replaces `gc.set_threshold`: notes that the library calls it, and may ignore the call."""

    def __init__(self) -> None:
        self.were_set = False
        self.are_fixed = False
        self._set = gc.set_threshold

    def watch(self) -> None:
        gc.set_threshold = self

    def __call__(self, *thresholds: int) -> None:
        self.were_set = True
        if not self.are_fixed:
            self._set(*thresholds)


THRESHOLDS = Thresholds()


def as_it_comes(client: Any) -> None:
    """The client with its defaults."""


def with_gc_tuning(client: Any) -> None:
    """With fewer garbage collections, if the library offers that. Raises AbsentError if it does not."""
    if not hasattr(client, "gc_tuning"):
        raise AbsentError("gc_tuning")
    client.gc_tuning = True


def with_python_thresholds(client: Any) -> None:
    """With Python's own thresholds of the garbage collector, even if the library would change them."""
    THRESHOLDS.are_fixed = True


def with_general_path(client: Any) -> None:
    """With each response read by the general parser. Raises AbsentError if the library has no other."""
    try:
        batch_reader: Any = importlib.import_module("imapclient._parsing.fast.batch_reader")
    except ImportError:
        raise AbsentError("general") from None
    batch_reader.enabled = False


VARIANTS: dict[str, Callable[[Any], None]] = {
    "": as_it_comes,
    "general": with_general_path,
    "gc_tuning": with_gc_tuning,
    "python_gc": with_python_thresholds,
}


class Seat(Protocol):
    def run(self) -> Any:
        """Do the workload once and return what the client returns."""


class ImapClientSeat:
    """The public API of an imapclient: ours, or the peer."""

    def __init__(self, task: Task) -> None:
        from imapclient import IMAPClient

        client = IMAPClient("127.0.0.1", task.port, ssl=False)
        client.login(task.user, "secret")
        client.select_folder(task.folder)
        items = task.items
        ids = list(client.search()) if task.call in ("fetch", "chunks", "iterate", "download") else []
        message = task.message() if task.call.startswith("append") else b""
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: client.fetch(ids, items),
            "iterate": lambda: dict(client.fetch_iter(ids, items)),
            "download": lambda: [client.download(uid, "", Nowhere()) for uid in ids],
            "chunks": lambda: in_chunks(client, ids, items),
            "search": lambda: client.search(),
            "list": lambda: client.list_folders(),
            "append": lambda: [client.append(task.folder, message) for _ in range(task.total)],
            "append-file": lambda: [client.append(task.folder, BytesIO(message)) for _ in range(task.total)],
        }
        self.run = calls[task.call]
        self.whole = (lambda: {uid: downloaded(client, uid) for uid in ids}) if task.call == "download" else self.run
        VARIANTS[task.variant](client)


class Nowhere:
    """A file that takes no time."""

    def write(self, data: bytes) -> int:
        return len(data)


def downloaded(client: Any, uid: int) -> dict[bytes, Any]:
    """As fetch returns the only message of a folder."""
    file = BytesIO()
    client.download(uid, "", file)
    return {b"SEQ": 1, b"BODY[]": file.getvalue()}


def in_chunks(client: Any, ids: list[int], items: list[str]) -> Any:
    """Fetch in chunks of ids, as IMAPClient 4.1.0 needs it: Dovecot accepts no command of more than 64 KiB."""
    result = client.fetch(ids[:5000], items)
    for start in range(5000, len(ids), 5000):
        result.update(client.fetch(ids[start : start + 5000], items))
    return result


class ImaplibSeat:
    """imaplib. A client on top of it cannot be faster."""

    def __init__(self, task: Task) -> None:
        connection = imaplib.IMAP4("127.0.0.1", task.port)
        connection.login(task.user, "secret")
        connection.select(task.folder)
        names = f"({' '.join(task.items)})"
        message = task.message()
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: connection.uid("FETCH", "1:*", names)[1],
            "download": lambda: connection.uid("FETCH", "1:*", "(BODY.PEEK[])")[1],
            "search": lambda: connection.uid("SEARCH", "ALL")[1],
            "list": lambda: connection.list()[1],
            "append": lambda: [connection.append(task.folder, "", "", message)[1] for _ in range(task.total)],
        }
        calls["iterate"] = calls["fetch"]
        calls["append-file"] = calls["append"]
        self.run = calls[task.call]


class ImapToolsSeat:
    """imap_tools, which only has searches and whole messages."""

    def __init__(self, task: Task) -> None:
        library = importlib.import_module("imap_tools")
        mailbox = library.MailBoxUnencrypted("127.0.0.1", task.port)
        mailbox.login(task.user, "secret", initial_folder=task.folder)
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: list(mailbox.fetch("ALL", mark_seen=False, bulk=True)),
            "search": lambda: mailbox.uids("ALL"),
        }
        self.run = calls[task.call]


class AioimaplibSeat:
    """aioimaplib, which does not parse the replies either."""

    def __init__(self, task: Task) -> None:
        library = importlib.import_module("aioimaplib")
        loop = asyncio.new_event_loop()

        async def connected() -> Any:
            client = library.IMAP4("127.0.0.1", task.port, timeout=120)
            await client.wait_hello_from_server()
            await client.login(task.user, "secret")
            await client.select(task.folder)
            return client

        client = loop.run_until_complete(connected())
        names = f"({' '.join(task.items)})"
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: client.uid("fetch", "1:*", names),
            "search": lambda: client.uid_search("ALL"),
            "list": lambda: client.list('""', "*"),
        }
        self.run = lambda: loop.run_until_complete(calls[task.call]()).lines


class SocketSeat:
    """Receives the reply, and searches only its last line."""

    def __init__(self, task: Task) -> None:
        self.socket = socket.create_connection(("127.0.0.1", task.port))
        self.buffer = memoryview(bytearray(1 << 18))
        self.exchange(b"LOGIN user secret")
        self.exchange(b"SELECT " + task.folder.encode())
        self.message = task.message() if task.call.startswith("append") else b""
        self.count = task.total if self.message else 1
        commands = {
            "fetch": f"UID FETCH 1:* ({' '.join(task.items)})",
            "search": "UID SEARCH ALL",
            "list": 'LIST "" "*"',
            "append": f"APPEND {task.folder} {{{len(self.message)}}}",
        }
        commands["iterate"] = commands["download"] = commands["fetch"]
        commands["append-file"] = commands["append"]
        self.command = commands[task.call].encode()

    def exchange(self, command: bytes, message: bytes = b"") -> int:
        self.socket.sendall(b"ZZ9 " + command + b"\r\n")
        if message:
            self.socket.recv_into(self.buffer)
            self.socket.sendall(message)
            self.socket.sendall(b"\r\n")
        total, tail = 0, b""
        while not END.search(tail):
            got = self.socket.recv_into(self.buffer)
            if not got:
                raise ConnectionError("the server closed the connection")
            total += got
            tail = (tail + self.buffer[max(0, got - 80) : got].tobytes())[-80:]
        return total

    def run(self) -> Any:
        return range(sum(self.exchange(self.command, self.message) for _ in range(self.count)))


def plain(value: Any) -> Any:
    """Return the value without classes of a library: with tuples, lists, bytes, numbers and text only."""
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
    THRESHOLDS.were_set = False
    wall, cpu = time.perf_counter(), time.process_time()
    result = seat.run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = status("VmHWM")
    peak = None if before is None or after is None else max(0, after - before)
    return {"wall": wall, "cpu": cpu, "peak": peak, "count": len(result), "collector": THRESHOLDS.were_set}


def dump(seat: Seat, path: str) -> dict[str, Any]:
    # A download that is measured keeps nothing.
    result = seat.whole() if isinstance(seat, ImapClientSeat) else seat.run()
    pairs = sorted(result.items()) if isinstance(result, dict) else enumerate(result)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{key}\t{plain(value)!r}\n" for key, value in pairs)
    return {"count": len(result)}


def library(checkout: str) -> dict[str, Any]:
    """Which imapclient this interpreter imports. AssertionError if it is not in the checkout, unless that is empty."""
    import imapclient

    path = Path(imapclient.__file__).resolve()
    assert not checkout or Path(checkout).resolve() in path.parents, f"{path} is not in {checkout}"
    return {"version": imapclient.__version__, "path": str(path)}


def opened(request: dict[str, Any]) -> Seat:
    seats: dict[str, Callable[..., Seat]] = {
        "imapclient": ImapClientSeat,
        "imaplib": ImaplibSeat,
        "imap_tools": ImapToolsSeat,
        "aioimaplib": AioimaplibSeat,
        "socket": SocketSeat,
    }
    task = Task(*[request[name] for name in Task._fields])
    if request["seat"] != "imapclient" and task.call == "chunks":
        task = task._replace(call="fetch")
    return seats[request["seat"]](task)


def main() -> None:
    THRESHOLDS.watch()
    seat: Seat | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if request["do"] == "open":
                seat = opened(request)
                if request["seat"] == "imapclient":
                    answer = library(request["checkout"])
            elif seat is None:
                answer = {"error": "nothing is open"}
            elif request["do"] == "run":
                answer = measured(seat)
            else:
                answer = dump(seat, request["file"])
        except AbsentError as error:
            answer = {"absent": str(error)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
