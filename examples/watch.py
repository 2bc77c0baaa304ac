"""Tell what happens in a folder, over as many connections as that takes, until Ctrl-C.

    python examples/watch.py -f my.ini --folder INBOX

Works without the capability IDLE too: then the server is asked once a minute.
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
        # Whatever comes after this is told, also what comes before the watching has begun.
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
                # The connection may be used while the loop has an event. The message may be gone by now.
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
                print(f"connected again; it was lost by: {event.cause}", flush=True)
                if event.uidvalidity_changed:
                    print("all that is known by UIDs is worthless now", flush=True)
            seen += 1
            if seen == options.events:
                break


if __name__ == "__main__":
    main()
