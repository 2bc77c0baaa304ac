"""Log in with OAuth 2, and get a new access token if the old one has expired.

    python examples/oauth2_login.py imap.example.org ann@example.org \\
        --token-url https://auth.example.org/token --client-id my-program

These come from the environment:

- IMAP_ACCESS_TOKEN, the last access token. It may be missing.
- IMAP_REFRESH_TOKEN, for which the provider returns a new access token (RFC 6749, 6). The provider's documentation says
  how to get one.
- IMAP_CLIENT_SECRET, if the provider requires it.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

from imapclient import IMAPClient
from imapclient.exceptions import LoginError


def new_access_token(token_url: str, client_id: str) -> str:
    """Request one from the provider. Raises OSError, and ValueError if the answer contains no token."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": os.environ.get("IMAP_REFRESH_TOKEN", ""),
        "client_id": client_id,
        "client_secret": os.environ.get("IMAP_CLIENT_SECRET", ""),
    }
    data = urllib.parse.urlencode({name: value for name, value in form.items() if value}).encode("ascii")
    with urllib.request.urlopen(token_url, data, timeout=30) as response:
        answer = json.load(response)
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        raise ValueError("the answer has no access token")
    token: str = answer["access_token"]
    return token


def log_in(client: IMAPClient, user: str, token: str) -> None:
    # OAUTHBEARER is the standard (RFC 7628). XOAUTH2 is older.
    if client.has_capability("AUTH=OAUTHBEARER"):
        client.oauthbearer_login(user, token)
    else:
        client.oauth2_login(user, token)


def why(error: LoginError) -> str:
    """The server's reasons as text, such as ``status: invalid_token, scope: mail``."""
    challenge = error.challenge
    if isinstance(challenge, dict):
        return ", ".join(f"{name}: {value}" for name, value in challenge.items())
    # The text is empty if nothing was sent, because the server does not offer the mechanism.
    return error.text or str(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("user")
    parser.add_argument("--token-url", required=True, help="the provider's token endpoint")
    parser.add_argument("--client-id", required=True, help="the id that the provider gave to your program")
    parser.add_argument("--port", type=int, default=993)
    parser.add_argument("--ca", metavar="FILE", help="trust this authority, in PEM form, instead of the system's")
    options = parser.parse_args()

    context = ssl.create_default_context(cafile=options.ca) if options.ca else None
    try:
        with IMAPClient(options.host, options.port, ssl_context=context, timeout=30) as client:
            token = os.environ.get("IMAP_ACCESS_TOKEN")
            if token:
                try:
                    log_in(client, options.user, token)
                except LoginError as error:
                    # The connection is usable: try the next token on it.
                    print(f"The old token is refused ({why(error)}).")
                    token = None
            if not token:
                log_in(client, options.user, new_access_token(options.token_url, options.client_id))
            print(f"{options.user} is logged in, INBOX: {client.folder_status('INBOX')}")
    except LoginError as error:
        sys.exit(f"The server refuses the new token: {why(error)}")
    except urllib.error.HTTPError as error:
        sys.exit(f"The provider gives no token: {error.code} {error.reason}")
    except ValueError as error:
        sys.exit(f"The provider gives no token: {error}")
    except (IMAPClient.AbortError, OSError) as error:
        sys.exit(f"There is no connection: {error}")


if __name__ == "__main__":
    main()
