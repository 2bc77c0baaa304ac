r"""The mailbox of each user of `EmbeddedServer(sample=True)`: 20 messages in 8 folders.

It contains messages of many kinds: plain text, alternatives, HTML, attachments, a forwarded message, encoded and 8-bit
headers, a thread of replies, a large message. Flags and keywords vary, and so do the years and zones of the dates. The
bytes are the same on each call, with CRLF line ends.

    >>> message = sample_messages()[0]
    >>> message.folder, message.flags
    ('INBOX', ('\\Seen',))
"""

from __future__ import annotations

from ._testing.sample_mailbox import SAMPLE_FOLDERS, SampleMessage, sample_messages

__all__ = ["SAMPLE_FOLDERS", "SampleMessage", "sample_messages"]
