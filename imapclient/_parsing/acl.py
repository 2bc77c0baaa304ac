"""ACL responses (RFC 4314, 3.6). No I/O; a value or ProtocolError."""

from __future__ import annotations

from .lexer import read_words, unreadable
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged


def parse_acl(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """An ACL response: ``(b'INBOX', [(b'ann', b'lrswi'), (b'-bob', b'w')])``, as on the wire (RFC 4314, 3.6)."""
    words = read_words(response, options)
    if len(words) % 2 != 1:
        raise unreadable("not an ACL response", response)
    return words[0], list(zip(words[1::2], words[2::2]))
