"""Print what happens in a folder as it happens, until Ctrl-C.

    python examples/idle_example.py -f my.ini --folder INBOX

The server needs the capability IDLE. Without it, the program ends with a CapabilityError.
"""

from __future__ import annotations

import argparse
import contextlib
import sys

from imapclient import IMAPClient
from imapclient.config import create_client_from_config, parse_config_file

# Servers may end a connection after 30 minutes of IDLE (RFC 2177), and routers drop it sooner: renew IDLE before that.
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
            # These arrived with the end of IDLE.
            for event in idle.rest:
                print(event, flush=True)
                seen += 1
            print(f"The server says: {idle.text.decode('utf-8', 'replace')}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except IMAPClient.AbortError as error:
        # The client is unusable. To continue, make a new one and find out what it missed. IMAPClient.watch can do both.
        sys.exit(f"The connection has ended: {error}")
