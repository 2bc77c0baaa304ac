"""Which sections of messages a FETCH has asked for. No I/O.

Servers may tell more of a message than they were asked, its flags above all. Text of a message is another thing: what
nobody has asked for could only be taken for an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .results import FetchItems

# BODY.PEEK[1.HEADER.FIELDS (DATE)]<0.10>, BINARY[2], RFC822.TEXT; in a response names may be quoted.
# Both expressions are text: it takes a while to make them, so `re` does it where they are first needed.
_SECTION = (
    rb"(?i)(?:BODY|(?P<binary>BINARY(?P<size>\.SIZE)?))(?:\.PEEK)?\[(?P<part>[\d.]*)(?P<text>[A-Z]*)[^]]*\]"
    rb"|(?<![^ (])RFC822(?:\.(?P<old>HEADER|TEXT|PEEK))?(?=[ )]|\Z)"
)
_WORD = rb"(?<!<)[^\s()<>]+(?![^<]*>)"
_KNOWN = frozenset(
    b"ALL FAST FULL FLAGS INTERNALDATE ENVELOPE BODY BODYSTRUCTURE UID MODSEQ RFC822.SIZE +FLAGS -FLAGS X-GM-LABELS "
    b"+X-GM-LABELS -X-GM-LABELS X-GM-MSGID X-GM-THRID EMAILID THREADID SAVEDATE PREVIEW LAZY".split()
)
_OLD = {b"HEADER": b"HEADER", b"TEXT": b"TEXT"}


class AskedSections:
    """``AskedSections(b'(FLAGS BODY.PEEK[HEADER.FIELDS (DATE)])')``: what of a response's items was asked for.

    Fields of a header and the place in a text don't count, nor which of BODY, BINARY and RFC822 names a section:
    servers write these in their own way. Where an item is asked for that is not known here, all may be an answer.
    """

    def __init__(self, request: bytes) -> None:
        self._asked = frozenset(map(_section, re.finditer(_SECTION, request)))
        others = re.sub(_SECTION, b"", request.upper())
        self._is_open = not _KNOWN.issuperset(re.findall(_WORD, others))
        # Names that were looked at and may stay.
        self._known: set[bytes] = set()

    def keep_asked(self, items: FetchItems) -> None:
        """Take out of ``items`` the sections that were not asked for."""
        if not self._known.issuperset(items):
            for name in [name for name in items if not self._is_asked(name)]:
                del items[name]

    def has_all(self, several: Iterable[FetchItems]) -> bool:
        """Whether each section in any of them was asked for."""
        return all(map(self._is_asked, set().union(*several) - self._known))

    def _is_asked(self, name: bytes) -> bool:
        match = re.match(_SECTION, name)
        if match is not None and not self._is_open and _section(match) not in self._asked:
            return False
        if len(self._known) < 1000:
            self._known.add(name)
        return True


def _section(match: re.Match[bytes]) -> tuple[bool, bytes, bytes]:
    """Whether it is a size, the part's number, and HEADER, TEXT, MIME or nothing."""
    part, text = match["part"], match["text"]
    if part is None:
        return False, b"", _OLD.get((match["old"] or b"").upper(), b"")
    return match["size"] is not None, part.rstrip(b"."), text.upper()
