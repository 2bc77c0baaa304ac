"""Download the attachments of a message, of any size, into a folder, and show a progress bar.

    python examples/download_attachments.py -f my.ini 4711 attachments

4711 is the message's UID. The package tqdm draws the bar (pip install tqdm). Without it, the program prints the name of
each file.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional

from imapclient.config import create_client_from_config, parse_config_file

try:
    import tqdm
except ImportError:
    HAS_TQDM = False
else:
    HAS_TQDM = True

Progress = Callable[[int, Optional[int]], object]


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    if not HAS_TQDM:
        print(title)
        yield None
        return
    with tqdm.tqdm(desc=title, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="the message's folder (default: INBOX)")
    parser.add_argument("uid", type=int, help="the message's UID")
    parser.add_argument("target", type=Path, help="the folder for the files; it is created if it is missing")
    options = parser.parse_args()

    options.target.mkdir(parents=True, exist_ok=True)
    with create_client_from_config(parse_config_file(options.file)) as client:
        client.select_folder(options.folder, readonly=True)
        message = client.fetch(options.uid, "BODYSTRUCTURE").get(options.uid)
        if message is None:
            parser.error(f"there is no message {options.uid} in {options.folder}")
        for number, part in message[b"BODYSTRUCTURE"].walk():
            kind = part.content_type or "unknown"
            if part.is_multipart or (part.filename is None and kind.startswith("text/")):
                continue
            # The sender chose the name, such as ../../.profile. So the file is named by the part's number only.
            path = options.target / f"{options.uid}-{number}"
            with path.open("wb") as file, progress_bar(part.filename or kind) as progress:
                written = client.download(options.uid, number, file, decode=True, progress=progress)
            print(f"{path.name}: {written} bytes, {kind}")


if __name__ == "__main__":
    main()
