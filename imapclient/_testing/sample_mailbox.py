r"""The sample mailbox: a table of its messages, each of which is a file in ``sample_messages/``.

A file holds the exact bytes of a message, CRLF line ends and 8-bit characters included. So no editor
or hook may change it; ``.gitattributes`` and ``.editorconfig`` say so. No address header has a group
(RFC 5322, section 3.4): pymap 0.36 closes the connection on the ENVELOPE of such a message.

``large.eml`` is incomplete. Its attachment of 1.1 MB is made when the message is loaded, so that
neither the repository nor the wheel has to hold it.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from importlib.resources import files
from typing import NamedTuple, get_type_hints

#: The folders of the sample mailbox, a parent before its children. Trash is empty.
SAMPLE_FOLDERS: tuple[str, ...] = (
    "INBOX",
    "Archive",
    "Archive/2019",
    "Entwürfe",
    "Lists & News",
    "Sent",
    "Trash",
    "日本語",
)

# Folder, name of the file, flags, INTERNALDATE. The order is the one in which messages arrive.
_MESSAGES: tuple[tuple[str, str, str, str], ...] = (
    ("INBOX", "welcome", r"\Seen", "2021-03-01T08:30:00+01:00"),
    ("INBOX", "release-plan", r"\Seen \Answered", "2022-11-07T17:05:00-05:00"),
    ("INBOX", "release-plan-answer", r"\Seen", "2022-11-08T09:15:00+05:30"),
    ("INBOX", "release-plan-decision", r"\Flagged $Important", "2022-11-08T10:40:00-05:00"),
    ("INBOX", "encoded-subject", "", "2023-05-20T12:00:00+00:00"),
    ("INBOX", "order-in-two-formats", r"\Seen", "2023-08-02T06:45:00-08:00"),
    ("INBOX", "html-only", "", "2023-09-14T21:03:00-03:30"),
    ("INBOX", "report-attached", r"\Flagged", "2023-12-01T11:11:00+01:00"),
    ("INBOX", "long-filename", "", "2023-12-24T18:00:00+01:00"),
    ("INBOX", "forwarded", r"\Seen $Forwarded", "2024-02-29T23:59:59+00:00"),
    ("INBOX", "inline-picture", "", "2024-04-01T07:00:00+02:00"),
    ("INBOX", "large", "", "2024-06-30T03:20:00+09:00"),
    ("INBOX", "no-subject", r"\Deleted \Seen", "2024-07-01T00:00:00+00:00"),
    ("Archive/2019", "note-to-self", r"\Seen", "2019-01-05T13:37:00+01:00"),
    ("Archive/2019", "latin-1-body", r"\Seen Project-X", "2019-07-19T16:20:00+01:00"),
    ("Entwürfe", "utf-8-draft", r"\Draft \Seen", "2024-08-08T08:08:08+02:00"),
    ("Lists & News", "list-question", r"\Seen", "2020-10-10T10:10:00-07:00"),
    ("Lists & News", "list-answer-signed", "", "2020-10-10T20:02:00+01:00"),
    ("Sent", "release-plan-sent", r"\Seen", "2022-11-07T23:30:00+01:00"),
    ("日本語", "japanese", "", "2024-01-01T00:00:01+09:00"),
)

_LARGE_PLACE = b"[1,100,000 bytes are put here when the message is loaded]\r\n"
_LARGE_SIZE = 1_100_000


class SampleMessage(NamedTuple):
    """One message: the folder it lies in, its flags, its INTERNALDATE and its bytes."""

    folder: str
    flags: tuple[str, ...]
    date: datetime
    content: bytes


def sample_messages() -> tuple[SampleMessage, ...]:
    """The messages, those of one folder in the order of their arrival."""
    return tuple(
        SampleMessage(folder, tuple(flags.split()), datetime.fromisoformat(date), _content(name))
        for folder, name, flags, date in _MESSAGES
    )


def _content(name: str) -> bytes:
    content = (files("imapclient._testing") / "sample_messages" / f"{name}.eml").read_bytes()
    return content.replace(_LARGE_PLACE, _large_attachment()) if _LARGE_PLACE in content else content


def _large_attachment() -> bytes:
    """Bytes that look random, do not compress and are the same each time, in base64 (RFC 2045, section 6.8)."""
    data = hashlib.shake_128(b"imapclient sample mailbox").digest(_LARGE_SIZE)
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


# Users see the public module in a repr, a traceback and a pickle. Names in annotations are resolved
# first, since the public module does not import `datetime`.
SampleMessage.__annotations__ = get_type_hints(SampleMessage)
SampleMessage.__module__ = sample_messages.__module__ = "imapclient.sample_mailbox"
