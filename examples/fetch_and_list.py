"""List the folders of an account with their sizes, and the newest messages of one of them.

    python examples/fetch_and_list.py -f my.ini --folder INBOX

Nothing changes on the server: the folder is opened for reading.
"""

from __future__ import annotations

import argparse

from imapclient.config import create_client_from_config, parse_config_file
from imapclient.exceptions import CommandError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="the folder whose messages are listed (default: INBOX)")
    options = parser.parse_args()

    with create_client_from_config(parse_config_file(options.file)) as client:
        for flags, _delimiter, name in client.list_folders():
            # These only contain other folders. They can't be selected and have no status (RFC 9051, 7.3.1).
            if {b"\\noselect", b"\\nonexistent"}.intersection(flag.lower() for flag in flags):
                print(name)
                continue
            try:
                status = client.folder_status(name, ["MESSAGES", "UNSEEN"])
            except CommandError as error:
                # For example a shared folder that this user may only list.
                print(f"{name}: {error.text}")
            else:
                print(f"{name}: {status[b'MESSAGES']} messages, {status[b'UNSEEN']} unread")

        client.select_folder(options.folder, readonly=True)
        newest = client.search("ALL")[-10:]
        print(f"\nThe newest {len(newest)} messages of {options.folder}:")
        for uid, data in client.fetch(newest, ["ENVELOPE", "INTERNALDATE"]).items():
            envelope = data[b"ENVELOPE"]
            if envelope is None:
                print(f"{uid}: (can't be read)")
                continue
            sender = "(nobody)"
            if envelope.from_:
                sender = envelope.from_[0].display_name or envelope.from_[0].email or sender
            print(f"{uid}: {data[b'INTERNALDATE']} {sender}: {envelope.subject_text}")


if __name__ == "__main__":
    main()
