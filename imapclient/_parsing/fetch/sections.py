"""The sections of messages that a FETCH command asks for. No I/O.

Servers may send more about a message than they were asked for, above all its flags. Text that was not asked for is
dropped: a program could take it for the text that it asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from .results import FetchItems

# BODY.PEEK[1.HEADER.FIELDS (DATE)]<0.10>, BINARY[2], RFC822.TEXT. In a response the names of fields may be quoted.
# Both expressions are text: compiling them takes a while, so `re` does it when they are first used.
_SECTION = (
    rb"(?i)(?:BODY|(?P<binary>BINARY(?P<size>\.SIZE)?))(?:\.PEEK)?\[(?P<part>[\d.]*)(?P<text>[A-Z]*)[^]]*\]"
    rb"|(?<![^ (])RFC822(?:\.(?P<old>HEADER|TEXT|PEEK))?(?=[ )]|\Z)"
)
_WORD = rb"(?<!<)[^\s()<>]+(?![^<]*>)"
# Items and words of a command that ask for no text.
_KNOWN = frozenset(
    b"ALL FAST FULL FLAGS INTERNALDATE ENVELOPE BODY BODYSTRUCTURE UID MODSEQ RFC822.SIZE +FLAGS -FLAGS X-GM-LABELS "
    b"+X-GM-LABELS -X-GM-LABELS X-GM-MSGID X-GM-THRID EMAILID THREADID SAVEDATE PREVIEW LAZY".split()
)
_OLD = {b"HEADER": b"HEADER", b"TEXT": b"TEXT"}
_MAX_NAMES_KEPT = 1000


class AskedSections:
    """The sections that a command asks for: ``AskedSections(b'(FLAGS BODY.PEEK[HEADER.FIELDS (DATE)])')``.

    Header fields, partial ranges, and the choice of BODY, BINARY or RFC822 are ignored, since servers write these in
    their own way. If the command has an item that is not known here, any section may be an answer to it.
    """

    def __init__(self, request: bytes) -> None:
        self._asked = frozenset(map(_section, re.finditer(_SECTION, request)))
        others = re.sub(_SECTION, b"", request.upper())
        self._is_open = not _KNOWN.issuperset(re.findall(_WORD, others))
        # Names that were already checked, and that were asked for.
        self._known: set[bytes] = set()

    def not_asked(self, names: Collection[bytes]) -> Collection[bytes]:
        """The names of sections among ``names`` that were not asked for."""
        if self._known.issuperset(names):
            return ()
        return [name for name in names if not self._is_asked(name)]

    def has_all(self, several: Iterable[FetchItems]) -> bool:
        """Whether every section in the items of these messages was asked for."""
        return all(map(self._is_asked, set().union(*several) - self._known))

    def _is_asked(self, name: bytes) -> bool:
        match = re.match(_SECTION, name)
        if match is not None and not self._is_open and _section(match) not in self._asked:
            return False
        if len(self._known) < _MAX_NAMES_KEPT:
            self._known.add(name)
        return True


def _section(match: re.Match[bytes]) -> tuple[bool, bytes, bytes]:
    """Whether it is a size, the number of the part, and HEADER, TEXT, MIME or b''."""
    part, text = match["part"], match["text"]
    if part is None:
        return False, b"", _OLD.get((match["old"] or b"").upper(), b"")
    return match["size"] is not None, part.rstrip(b"."), text.upper()
