"""Tell what happens in a folder while it happens, until Ctrl-C.

    python examples/idle.py -f my.ini --folder INBOX

The server needs the capability IDLE; CapabilityError says so where it lacks it.
"""

from __future__ import annotations

import argparse
import contextlib
import time

from imapclient.config import create_client_from_config, parse_config_file

# Servers may end a connection that idles for 30 minutes (RFC 2177): begin anew before.
RENEW_SECONDS = 13 * 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="which folder to watch (default: INBOX)")
    parser.add_argument("--events", type=int, metavar="N", help="stop after N events")
    options = parser.parse_args()

    seen = 0
    with create_client_from_config(parse_config_file(options.file)) as client, contextlib.suppress(KeyboardInterrupt):
        client.select_folder(options.folder, readonly=True)
        while options.events is None or seen < options.events:
            client.idle()
            print(f"Waiting for events in {options.folder}; Ctrl-C ends this.", flush=True)
            renew_at = time.monotonic() + RENEW_SECONDS
            while time.monotonic() < renew_at and (options.events is None or seen < options.events):
                for event in client.idle_check(timeout=max(0.0, renew_at - time.monotonic())):
                    print(event, flush=True)
                    seen += 1
            text, last = client.idle_done()
            for event in last:
                print(event, flush=True)
            print(f"The server says: {text.decode('utf-8', 'replace')}", flush=True)


if __name__ == "__main__":
    main()
