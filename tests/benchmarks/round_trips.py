"""Count the round trips of a session: ours and IMAPClient 4.1.0's, through a proxy that adds 50 ms each way::

    python -m tests.benchmarks.round_trips

A session is: connect over TLS, log in, select, search, fetch the flags of all messages, log out. The ids have gaps, so
that the fetch needs ten commands. Our client splits the set. IMAPClient would send one line that is too long for
servers. So it gets the ids in chunks, as in a program that uses it.

A further row is a download of 100 MB by our client. IMAPClient does not have that method.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import CHECKOUT, PEER, environment, environments_folder
from tests.helpers import certificates
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.generated_server import GeneratedServer

STEPS = ("connect", "login", "select", "search", "fetch", "logout")
# An id has seven digits and a comma, so that a thousand ids fill a command.
MESSAGES = 10_000
FIRST_UID = 1_000_000
# The size of the message that is downloaded, and how often the client may wait for it.
DOWNLOAD = 100_000_000
MAX_WAITS = 16

#: The program of the client's process. It prints the time of each step in seconds, and the number of messages.
_CLIENT = """
import json, ssl, sys, time
from imapclient import IMAPClient

port, chunk, ca = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
times = [time.perf_counter()]


def step():
    times.append(time.perf_counter())


client = IMAPClient("localhost", port, ssl=True, ssl_context=context)
step()
client.login("ann", "secret")
step()
client.select_folder("INBOX")
step()
ids = client.search()
step()
found = {}
for start in range(0, len(ids), chunk):
    found.update(client.fetch(ids[start : start + chunk], ["FLAGS"]))
step()
client.logout()
step()
print(json.dumps({"steps": [b - a for a, b in zip(times, times[1:])], "messages": len(found)}))
"""


#: The program of the client that downloads. It prints the seconds, how often it had to wait, and the number of bytes.
_DOWNLOADER = """
import json, re, socket, sys, time

sent, answered, tail = {}, 0, b""


def note_sent(data):
    for tag in re.findall(rb"^(\\w+) ", data, re.MULTILINE):
        sent[tag] = answered + 1


def note_received(data):
    global answered, tail
    tail += data
    for tag in re.findall(rb"^(\\w+) OK .*\\r\\n", tail, re.MULTILINE):
        answered = max(answered, sent.pop(tag, 0))
    tail = tail[tail.rfind(b"\\n") + 1 :]


class NotingSocket(socket.socket):
    def sendall(self, data, *flags):
        note_sent(bytes(data))
        return super().sendall(data, *flags)

    def send(self, data, *flags):
        note_sent(bytes(data))
        return super().send(data, *flags)

    def recv(self, *arguments):
        data = super().recv(*arguments)
        note_received(data)
        return data

    def recv_into(self, buffer, *arguments):
        count = super().recv_into(buffer, *arguments)
        note_received(bytes(memoryview(buffer)[:count]))
        return count


socket.socket = NotingSocket
from imapclient import IMAPClient


class Nowhere:
    def write(self, data):
        return len(data)


client = IMAPClient("localhost", int(sys.argv[1]), ssl=False)
client.login("ann", "secret")
client.select_folder("INBOX")
[uid] = client.search()
before = answered
start = time.perf_counter()
size = client.download(uid, "1", Nowhere())
seconds = time.perf_counter() - start
waits = answered - before
client.logout()
print(json.dumps({"seconds": seconds, "waits": waits, "size": size}))
"""


def download(python: Path | str, path: Path, seconds: float, size: int, folder: Path) -> Any:
    """Download a message. Return the time, how often the client waited, and the number of bytes and of commands.

    The number of waits is the length of the longest chain of commands of which each is sent after the answer to the one
    before it: so many round trips it takes at least. Pieces that are requested before others have arrived need none of
    their own.
    """
    with ExitStack() as stack:
        server = stack.enter_context(GeneratedServer(1, body_size=size))
        proxy = stack.enter_context(FaultProxy(server.host, server.port, seconds=seconds))
        done = subprocess.run(
            [str(python), "-c", _DOWNLOADER, str(proxy.port)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(path)},
            stdout=subprocess.PIPE,
            check=True,
            timeout=500,
        )
        return {**json.loads(done.stdout), "commands": server.fetches}


def session(
    python: Path | str, path: Path | None, seconds: float, messages: int, chunk: int, folder: Path, together: int = 1
) -> Any:
    """Run one session. Return the times of its steps, the number of round trips, and the number of messages.

    The server answers FETCH commands only after it has received ``together`` of them.
    """
    ca = folder / "ca.pem"
    ca.write_bytes(certificates.authority().ca_pem)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        variables["PYTHONPATH"] = str(path)
    context = certificates.server_context()
    with ExitStack() as stack:
        server = stack.enter_context(GeneratedServer(messages, context=context, first_uid=FIRST_UID, together=together))
        proxy = stack.enter_context(FaultProxy(server.host, server.port, seconds=seconds))
        done = subprocess.run(
            [str(python), "-c", _CLIENT, str(proxy.port), str(chunk), str(ca)],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            check=True,
            timeout=500,
        )
        return {**json.loads(done.stdout), "turns": proxy.turns, "commands": server.fetches}


def best(sessions: list[Any]) -> Any:
    """Return one session with the best time of each step, because other load of the machine only adds time."""
    steps = [min(times) for times in zip(*(found["steps"] for found in sessions))]
    return {**sessions[0], "steps": steps, "turns": min(found["turns"] for found in sessions)}


def report(name: str, result: Any, seconds: float) -> Iterator[str]:
    trips = [step / (2 * seconds) for step in result["steps"]]
    yield (
        f"{name:<18}"
        + "".join(f"{trip:>9.1f}" for trip in trips)
        + f"{sum(trips):>9.1f}{result['turns']:>7}{result['commands']:>10}"
    )


def report_of_download(result: Any, seconds: float) -> str:
    """Return the row of the download, in the columns of the other rows."""
    trips = result["seconds"] / (2 * seconds)
    name = f"download of {result['size'] / 1e6:.0f} MB"
    verdict = f"  at most {MAX_WAITS} waits" if result["waits"] <= MAX_WAITS else f"  MORE THAN {MAX_WAITS} WAITS"
    return f"{name:<{18 + 9 * len(STEPS)}}{trips:>9.1f}{result['waits']:>7}{result['commands']:>10}{verdict}"


def main() -> int:
    """Return 1 if the download waits more often than it may. Otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds each way (default: 0.05)")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"in the folder (default: {MESSAGES})")
    parser.add_argument("--size", type=int, default=DOWNLOAD, help=f"bytes of the download (default: {DOWNLOAD})")
    parser.add_argument("--rounds", type=int, default=3, help="sessions of each, best times count (default: 3)")
    parser.add_argument("--json", action="store_true", help="print the data instead of the table")
    options = parser.parse_args()
    folder = environments_folder(None)
    peer = environment(folder / "peer", (PEER,))
    seats: dict[str, tuple[Path | str, Path | None, int]] = {
        "imapclient": (sys.executable, CHECKOUT, options.messages),
        PEER.replace("==", " "): (peer, None, 1000),
    }
    sessions: dict[str, list[Any]] = {name: [] for name in seats}
    for _ in range(options.rounds):
        for name, (python, path, chunk) in seats.items():
            sessions[name].append(session(python, path, options.delay, options.messages, chunk, folder))
    results = {name: best(found) for name, found in sessions.items()}
    downloads = [download(sys.executable, CHECKOUT, options.delay, options.size, folder) for _ in range(options.rounds)]
    downloaded = min(downloads, key=lambda found: found["seconds"])
    failed = int(downloaded["waits"] > MAX_WAITS)
    if options.json:
        print(json.dumps({**results, "download": downloaded}))
        return failed
    print("Time in round trips, how often the client had to wait, and how many FETCH commands there were:")
    print(f"{'':<18}" + "".join(f"{name:>9}" for name in (*STEPS, "all")) + f"{'waits':>7}{'commands':>10}")
    for name, result in results.items():
        for line in report(name, result, options.delay):
            print(line)
    print(report_of_download(downloaded, options.delay))
    return failed


if __name__ == "__main__":
    sys.exit(main())
