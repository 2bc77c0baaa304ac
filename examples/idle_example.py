"""Watch a mailbox: tell what happens in a folder while it happens, until Ctrl-C.

    python examples/idle_example.py -f my.ini --folder INBOX

The server needs the capability IDLE; CapabilityError says so where it lacks it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys

from imapclient import IMAPClient
from imapclient.config import create_client_from_config, parse_config_file

# Servers may end a connection that idles for 30 minutes (RFC 2177), and routers forget it sooner: begin anew before.
RENEW_SECONDS = 10 * 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="which folder to watch (default: INBOX)")
    parser.add_argument("--events", type=int, metavar="N", help="stop after N events")
    options = parser.parse_args()
    wanted = float("inf") if options.events is None else options.events

    seen = 0
    with create_client_from_config(parse_config_file(options.file)) as client, contextlib.suppress(KeyboardInterrupt):
        client.select_folder(options.folder, readonly=True)
        while seen < wanted:
            with client.idle(timeout=RENEW_SECONDS) as idle:
                print(f"Waiting for events in {options.folder}; Ctrl-C ends this.", flush=True)
                for event in idle:
                    print(event, flush=True)
                    seen += 1
                    if seen >= wanted:
                        break
            # What came with the end of IDLE.
            for event in idle.rest:
                print(event, flush=True)
                seen += 1
            print(f"The server says: {idle.text.decode('utf-8', 'replace')}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except IMAPClient.AbortError as error:
        # The client is of no more use. A program that goes on makes a new one, and looks at what it has missed;
        # IMAPClient.watch can do that by itself.
        sys.exit(f"The connection has ended: {error}")
