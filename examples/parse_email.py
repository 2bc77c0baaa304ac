"""Print the text of messages and the names of their attachments, parsed by Python's email package.

    python examples/parse_email.py -f my.ini --search 'SUBJECT "report"'

The messages stay unread: BODY.PEEK[] does not set the flag \\Seen.
"""

from __future__ import annotations

import argparse
from email import message_from_bytes
from email.policy import default

from imapclient.config import create_client_from_config, parse_config_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="the folder to search (default: INBOX)")
    parser.add_argument("--search", default="UNSEEN", metavar="CRITERIA", help="which messages (default: UNSEEN)")
    options = parser.parse_args()

    with create_client_from_config(parse_config_file(options.file)) as client:
        client.select_folder(options.folder, readonly=True)
        # One message at a time, because all of them together may not fit into memory.
        for uid in client.search(options.search):
            data = client.fetch([uid], ["BODY.PEEK[]"]).get(uid)
            if data is None:
                continue  # It was removed after the search.
            message = message_from_bytes(data[b"BODY[]"], policy=default)
            print(f"== {uid}: {message['Subject']} ({message['From']})")
            body = message.get_body(preferencelist=("plain", "html"))
            if body is not None:
                try:
                    print(body.get_content().rstrip())
                except LookupError as error:
                    print(f"(can't be decoded: {error})")
            for part in message.iter_attachments():
                size = len(part.get_payload(decode=True) or b"")
                print(f"-- attachment {part.get_filename()}, {part.get_content_type()}, {size} bytes")


if __name__ == "__main__":
    main()
