"""Handle each kind of error, and see when the connection is still usable.

    python examples/errors.py -f my.ini --folder "No such folder"

The end of the with statement logs out and closes the connection, also after an exception.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import sys

from imapclient import IMAPClient
from imapclient.config import ConfigError, create_client_from_config, parse_config_file
from imapclient.exceptions import CapabilityError, CommandError, LoginError


def look(client: IMAPClient, folder: str) -> None:
    try:
        client.select_folder(folder, readonly=True)
    except CommandError as error:
        # The server answered NO or BAD. The connection is usable.
        code = error.code[0].decode("ascii") if error.code else "none"
        print(f"{error.command} was answered {error.status}, response code {code}: {error.text}")
        print(f"The connection is usable: {client.noop()}")
    else:
        print(f"{folder} has {len(client.search())} messages")

    try:
        print(client.namespace())
    except CapabilityError as error:
        # Nothing was sent.
        print(f"Not on this server: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", required=True, help="the account: livetest.ini.example")
    parser.add_argument("--folder", default="INBOX", help="which folder to select (default: INBOX)")
    options = parser.parse_args()
    try:
        with create_client_from_config(parse_config_file(options.file)) as client:
            look(client, options.folder)
    except ConfigError as error:
        sys.exit(f"The settings can't be used: {error}")
    except LoginError as error:
        # The text is empty if nothing was sent: the server wants TLS first, or another way to log in.
        sys.exit(f"The server refuses this user or password: {error.text}" if error.text else f"No login: {error}")
    except ssl.SSLCertVerificationError as error:
        sys.exit(f"The server's certificate is not trusted: {error.verify_message}")
    except socket.timeout:
        sys.exit("The server does not answer in time")
    # Last, because errors of TLS and timeouts are of these classes too.
    except IMAPClient.AbortError as error:
        sys.exit(f"The connection has ended: {error}")
    except OSError as error:
        sys.exit(f"There is no connection: {error}")


if __name__ == "__main__":
    main()
