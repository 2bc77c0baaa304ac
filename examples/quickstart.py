"""Show the library at work, each step with its result.

Without arguments, this starts a mail server on the loopback address, with sample mail, and works through a mailbox as a
mail program does. That needs Python 3.11 and the packages pymap and trustme.

With -f my.ini, it does only the reading steps, and changes nothing. They run on the server of that file: see
livetest.ini.example.
"""

from __future__ import annotations

import sys

# Before the other imports, so that users of an older Python read this first: pymap can't be installed there.
if len(sys.argv) == 1 and sys.version_info < (3, 11):
    sys.exit("The demo's mail server needs Python 3.11 or newer (this is {}.{}).".format(*sys.version_info[:2]))

import argparse
import io
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from imapclient import IMAPClient
from imapclient.config import ConfigError, create_client_from_config, parse_config_file
from imapclient.embedded_server import EmbeddedServer
from imapclient.response_types import Address

WIDTH = 100

NEWS = b"""\
From: Ben Okafor <ben@example.org>\r
To: Ann Example <ann@example.com>\r
Subject: News from another connection\r
\r
This came while the first connection waited.\r
"""


def show(call: str, result: Any) -> None:
    """Print a call and its result. The result is cut to one line."""
    text = repr(result)
    print(f">>> {call}")
    print(f"    {text if len(text) <= WIDTH else text[:WIDTH] + '...'}")


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def readable(header: bytes | None) -> str:
    """A header's value as text. The server sends it as it is in the message: encoded words, or raw UTF-8."""
    return str(default.header_factory("Subject", (header or b"(none)").decode("utf-8", "replace")))


def sender(addresses: tuple[Address, ...] | None) -> str:
    if not addresses:
        return "(nobody)"
    address = b"%s@%s" % (addresses[0].mailbox or b"", addresses[0].host or b"")
    return readable(b"%s <%s>" % (addresses[0].name, address) if addresses[0].name else address)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    if body is None:
        return "(no text)"
    try:
        return str(body.get_content())
    except LookupError:
        return "(in a character set that Python doesn't know)"


def read(client: IMAPClient) -> None:
    """The steps that change nothing: INBOX is selected read-only, and PEEK leaves messages unread."""
    title("What can the server do?")
    show("client.has_capability('IDLE')", client.has_capability("IDLE"))
    show("client.capabilities()", client.capabilities())

    title("Which folders are there?")
    print(">>> client.list_folders()")
    for item in client.list_folders():
        print(f"    {item}")

    title("Select a folder and search in it")
    info = client.select_folder("INBOX", readonly=True)
    show("info = client.select_folder('INBOX', readonly=True)", info)
    show("info[b'EXISTS']", info[b"EXISTS"])
    show("client.search('UNSEEN')", client.search("UNSEEN"))
    ids = client.search(["NOT", "DELETED"])
    show("ids = client.search(['NOT', 'DELETED'])", ids)

    if not ids:
        print("\nINBOX is empty: there is nothing to fetch.")
        return

    title("Fetch the envelopes of the newest messages")
    print(">>> client.fetch(ids[-5:], ['ENVELOPE', 'FLAGS', 'RFC822.SIZE'])")
    for uid, data in client.fetch(ids[-5:], ["ENVELOPE", "FLAGS", "RFC822.SIZE"]).items():
        envelope = data[b"ENVELOPE"]
        print(f"    {uid}: {envelope.date}  {readable(envelope.subject)}")
        print(f"        from {sender(envelope.from_)}, {data[b'RFC822.SIZE']} bytes, flags {data[b'FLAGS']}")

    title("Fetch a whole message, and read it with Python's email package")
    sizes = client.fetch(ids[:50], ["RFC822.SIZE"])
    uid = min(sizes, key=lambda uid: int(sizes[uid][b"RFC822.SIZE"]))
    raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
    show(f"raw = client.fetch([{uid}], ['BODY.PEEK[]'])[{uid}][b'BODY[]']", raw)
    message = message_from_bytes(raw, policy=default)
    show("message['From']", str(message["From"]))
    show("message.get_body(('plain', 'html')).get_content()", text_of(message))


def change(client: IMAPClient, server: EmbeddedServer) -> None:
    """The steps that change the mailbox."""
    title("Set a flag")
    client.select_folder("INBOX")
    uid = client.search("UNSEEN")[0]
    show(f"client.add_flags([{uid}], ['\\\\Seen', '$Read'])", client.add_flags([uid], ["\\Seen", "$Read"]))

    title("Append a message, and move it")
    draft = b"From: ann@example.com\r\nSubject: A draft\r\n\r\nNot finished yet.\r\n"
    show("client.append('INBOX', draft, ['\\\\Draft'])", client.append("INBOX", draft, ["\\Draft"]))
    (uid,) = client.search(["SUBJECT", "A draft"])
    show("client.search(['SUBJECT', 'A draft'])", [uid])
    show(f"client.move([{uid}], 'Entwürfe')", client.move([uid], "Entwürfe"))
    show("client.folder_status('Entwürfe', ['MESSAGES'])", client.folder_status("Entwürfe", ["MESSAGES"]))

    title("Wait until something happens")
    client.idle()
    print(">>> client.idle()")
    with IMAPClient(server.host, server.port, ssl=False) as other:
        other.login("ann", "secret")
        show("other.append('INBOX', news)      # on another connection", other.append("INBOX", NEWS))
    show("client.idle_check(timeout=30)", client.idle_check(timeout=30))
    show("client.idle_done()", client.idle_done())
    (newest,) = client.search(["SUBJECT", "another connection"])
    envelope = client.fetch([newest], ["ENVELOPE"])[newest][b"ENVELOPE"]
    show(f"client.fetch([{newest}], ['ENVELOPE'])[{newest}][b'ENVELOPE'].subject", envelope.subject)


def demo() -> None:
    with EmbeddedServer(users={"ann": "secret"}, sample=True) as server:
        print(f"A mail server runs on {server.host}, port {server.port}, until this program ends.")
        with IMAPClient(server.host, server.port, ssl=False, timeout=30) as client:
            title("Log in")
            show("client.login('ann', 'secret')", client.login("ann", "secret"))
            read(client)
            change(client, server)
            title("Log out")
            show("client.logout()", client.logout())


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # For terminals that can't show the letters of a folder's name.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", dest="file", metavar="my.ini", help="read on the server of this INI file instead")
    options = parser.parse_args()
    if options.file is None:
        reason = EmbeddedServer().unavailable_reason()
        if reason is not None:
            sys.exit(reason)
        demo()
        return
    try:
        client = create_client_from_config(parse_config_file(options.file))
    except (ConfigError, IMAPClient.Error, OSError) as error:
        sys.exit(f"No connection by {options.file}: {error}")
    with client:
        read(client)
        title("Log out")
        show("client.logout()", client.logout())


if __name__ == "__main__":
    main()
