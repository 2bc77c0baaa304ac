"""Connect over TLS without verifying the server's certificate.

    python examples/no_certificate_checks.py localhost ann --port 9993

The password comes from the environment variable IMAP_PASSWORD, or the program asks for it.

WARNING: anyone between you and the server can pretend to be the server, and gets the password and the mail. Use this
only for a test server on your own machine. If a server has a self-signed certificate, trust that one instead: see
own_ca.py.
"""

from __future__ import annotations

import argparse
import getpass
import os
import ssl
import sys

from imapclient import IMAPClient, create_default_context


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("user")
    parser.add_argument("--port", type=int, default=993)
    options = parser.parse_args()
    password = os.environ.get("IMAP_PASSWORD") or getpass.getpass()

    context = create_default_context()
    # In this order: a context can't check the host name unless it verifies the certificate.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    print("WARNING: the server's certificate is not verified.", file=sys.stderr)
    with IMAPClient(options.host, options.port, ssl_context=context, timeout=30) as client:
        client.login(options.user, password)
        print(f"{options.user} is logged in, INBOX: {client.folder_status('INBOX')}")


if __name__ == "__main__":
    main()
