"""ACL responses (RFC 4314, 3.6). No I/O; a value or ProtocolError."""

from __future__ import annotations

from .lexer import read_words, unreadable
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged


def parse_acl(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The folder's name and the rights in it: ``(b'INBOX', [(b'ann', b'lrswi'), (b'-bob', b'w')])``.

    All are bytes as on the wire. acl-data = "ACL" SP mailbox *(SP identifier SP rights) (RFC 4314, 4)
    """
    words = read_words(response, options)
    if len(words) % 2 != 1:
        raise unreadable("not an ACL response", response)
    return words[0], list(zip(words[1::2], words[2::2]))
