r"""The sample mailbox: a table of its messages. Each message is a file in ``sample_messages/``.

A file contains the exact bytes of a message, with CRLF line ends and 8-bit characters. So editors and hooks must not
change it; see ``.gitattributes`` and ``.editorconfig``. No address header contains a group (RFC 5322, section 3.4): if
a client fetches the ENVELOPE of such a message, pymap 0.36 closes the connection.

``large.eml`` is incomplete. Its attachment of 1.1 MB is generated when the message is loaded, so it is neither in the
repository nor in the wheel.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from importlib.resources import files
from typing import NamedTuple, get_type_hints

#: The folders of the sample mailbox, parents before their children. Trash is empty.
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

# Folder, name of the file, flags, INTERNALDATE, in the order of arrival.
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
    """One message: its folder, flags, INTERNALDATE and bytes."""

    folder: str
    flags: tuple[str, ...]
    date: datetime
    content: bytes


def sample_messages() -> tuple[SampleMessage, ...]:
    """Return the messages. Within each folder they are in the order of arrival."""
    return tuple(
        SampleMessage(folder, tuple(flags.split()), datetime.fromisoformat(date), _content(name))
        for folder, name, flags, date in _MESSAGES
    )


def _content(name: str) -> bytes:
    content = (files("imapclient._testing") / "sample_messages" / f"{name}.eml").read_bytes()
    return content.replace(_LARGE_PLACE, _large_attachment()) if _LARGE_PLACE in content else content


def _large_attachment() -> bytes:
    """Pseudorandom bytes in base64 (RFC 2045, section 6.8). They can't be compressed well, and are always the same."""
    data = hashlib.shake_128(b"imapclient sample mailbox").digest(_LARGE_SIZE)
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


# So that reprs, tracebacks and pickles name the public module. Annotations are resolved before that, because the public
# module does not import `datetime`.
SampleMessage.__annotations__ = get_type_hints(SampleMessage)
SampleMessage.__module__ = sample_messages.__module__ = "imapclient.sample_mailbox"
