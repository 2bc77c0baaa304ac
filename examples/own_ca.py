"""Connect to a server whose certificate comes from an authority of your own, such as a company's.

    python examples/own_ca.py imap.example.org ann --ca authority.pem

The certificate and its host name are verified, and only that authority is trusted.
The password comes from the environment variable IMAP_PASSWORD, or the program asks for it.
"""

from __future__ import annotations

import argparse
import getpass
import os
import ssl
import sys

from imapclient import IMAPClient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("user")
    parser.add_argument("--ca", metavar="FILE", required=True, help="the authority's certificate, in PEM form")
    parser.add_argument("--port", type=int, help="default: 993, or 143 with --starttls")
    parser.add_argument("--starttls", action="store_true", help="begin without TLS and change to it before the login")
    options = parser.parse_args()
    password = os.environ.get("IMAP_PASSWORD") or getpass.getpass()

    context = ssl.create_default_context(cafile=options.ca)
    tls_context = None if options.starttls else context
    try:
        with IMAPClient(
            options.host, options.port, ssl=not options.starttls, ssl_context=tls_context, timeout=30
        ) as client:
            if options.starttls:
                client.starttls(context)
            client.login(options.user, password)
            sock = client.socket()
            assert isinstance(sock, ssl.SSLSocket)
            print(f"{options.user} is logged in over {sock.version()}, INBOX: {client.folder_status('INBOX')}")
    except ssl.SSLCertVerificationError as error:
        sys.exit(f"The certificate of {options.host} is not trusted: {error.verify_message}")


if __name__ == "__main__":
    main()
