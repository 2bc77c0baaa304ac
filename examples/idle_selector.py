"""Watch several folders at once, in one thread: a connection for each, and a selector over their sockets.

    python examples/idle_selector.py -f my.ini INBOX Archive

Call idle_check(0) before each wait of the selector. Data that a connection has already received does not make its
socket readable again.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import time
from typing import Any

from imapclient import IMAPClient
from imapclient.config import create_client_from_config, parse_config_file

# Servers may end a connection after 30 minutes of IDLE (RFC 2177), and routers drop it sooner: renew IDLE before that.
RENEW_SECONDS = 10 * 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--events", type=int, metavar="N", help="stop after N events")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    options = parser.parse_args()
    account = parse_config_file(options.file)

    def show(folder: str, events: list[tuple[Any, ...]]) -> None:
        for event in events:
            print(f"{folder}: {event}", flush=True)

    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        watched: dict[str, IMAPClient] = {}
        for folder in options.folders:
            client = stack.enter_context(create_client_from_config(account))
            client.select_folder(folder, readonly=True)
            client.idle()
            selector.register(client.socket(), selectors.EVENT_READ)
            watched[folder] = client
        print(f"Waiting for events in {', '.join(watched)}; Ctrl-C ends this.", flush=True)

        seen = 0
        renew_at = time.monotonic() + RENEW_SECONDS
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        while options.events is None or seen < options.events:
            # All clients, not only those that the selector reported: this is the idle_check(0) before the next wait.
            before = seen
            for folder, client in watched.items():
                events = client.idle_check(0)
                show(folder, events)
                seen += len(events)
            if time.monotonic() >= renew_at:
                for folder, client in watched.items():
                    # Returns what arrived since the last idle_check, too.
                    show(folder, client.idle_done()[1])
                    client.idle()
                renew_at = time.monotonic() + RENEW_SECONDS
            elif seen == before:
                selector.select(renew_at - time.monotonic())
        for folder, client in watched.items():
            show(folder, client.idle_done()[1])


if __name__ == "__main__":
    main()
