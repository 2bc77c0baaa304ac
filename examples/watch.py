"""Print what happens in a folder, and reconnect if the connection is lost, until Ctrl-C.

    python examples/watch.py -f my.ini --folder INBOX

If the server has no capability IDLE, the program asks it once a minute.
"""

from __future__ import annotations

import argparse
import contextlib

from imapclient.config import create_client_from_config, parse_config_file
from imapclient.events import Bye, Expunged, FlagsChanged, NewMessage, Reconnect, Reconnected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="which folder to watch (default: INBOX)")
    parser.add_argument("--events", type=int, metavar="N", help="stop after N events")
    options = parser.parse_args()
    account = parse_config_file(options.file)

    seen = 0
    with create_client_from_config(account) as client, contextlib.suppress(KeyboardInterrupt):
        # Reports everything that happens after this, because watch() gets this UIDNEXT.
        info = client.select_folder(options.folder, readonly=True)
        print(f"Watching {options.folder}, with {info[b'EXISTS']} messages; Ctrl-C ends this.", flush=True)
        events = client.watch(
            options.folder,
            readonly=True,
            uidnext=info.get(b"UIDNEXT"),
            reconnect=Reconnect((account.username, account.password)),
        )
        for event in events:
            if isinstance(event, NewMessage) and event.uid is not None:
                # The loop may use the connection. The message may have been removed by now.
                envelope = client.fetch(event.uid, ["ENVELOPE"]).get(event.uid, {}).get(b"ENVELOPE")
                subject = envelope.subject_text if envelope else None
                print(f"new: {event.uid} {subject}", flush=True)
            elif isinstance(event, Expunged):
                print(f"removed: number {event.sequence_number}", flush=True)
            elif isinstance(event, FlagsChanged):
                print(f"flags: {event.uid} {event.flags}", flush=True)
            elif isinstance(event, Bye):
                print(f"the server ends the connection: {event.text}", flush=True)
            elif isinstance(event, Reconnected):
                print(f"connected again; the connection was lost by: {event.cause}", flush=True)
                if event.uidvalidity_changed:
                    print("the UIDs from before are no longer valid", flush=True)
            seen += 1
            if seen == options.events:
                break


if __name__ == "__main__":
    main()
