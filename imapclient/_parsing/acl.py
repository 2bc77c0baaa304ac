"""ACL responses (RFC 4314, 3.6). No I/O; a value or ProtocolError."""

from __future__ import annotations

from collections.abc import Sequence

from ..exceptions import ProtocolError
from .lexer import MAX_DEPTH, around, read_words
from .records import Record


def parse_acl(
    line: bytes, start: int, records: Sequence[Record] | None = None, max_depth: int = MAX_DEPTH
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """An ACL response: ``(b'INBOX', [(b'ann', b'lrswi'), (b'-bob', b'w')])``, as on the wire (RFC 4314, 3.6)."""
    words = read_words(line, start, records, max_depth)
    if len(words) % 2 != 1:
        raise ProtocolError("not an ACL response", start, around(line, start))
    return words[0], list(zip(words[1::2], words[2::2]))
