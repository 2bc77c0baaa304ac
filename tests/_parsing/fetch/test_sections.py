"""The sections of messages that a FETCH command asks for."""

from __future__ import annotations

import pytest

from imapclient._parsing.fetch.sections import AskedSections


def kept(request: bytes, *names: bytes) -> list[bytes]:
    """The names that a response may have, out of these."""
    sections = AskedSections(request)
    has_all = sections.has_all([dict.fromkeys(names)])
    dropped = sections.not_asked(names)
    assert has_all is not bool(dropped)
    # Once more, now that the names are known.
    assert list(sections.not_asked(names)) == list(dropped)
    return [name for name in names if name not in dropped]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (b"(BODY.PEEK[])", b"BODY[]"),
        (b"(BODY[]<0.100>)", b"BODY[]<0>"),
        (b"(body.peek[1.mime])", b"BODY[1.MIME]"),
        (b"(BODY.PEEK[HEADER.FIELDS (DATE FROM)])", b"BODY[HEADER.FIELDS (FROM DATE)]"),
        (b"(BODY.PEEK[HEADER.FIELDS (DATE)])", b'BODY[HEADER.FIELDS ("DATE")]'),
        (b"(FLAGS BODY.PEEK[2.HEADER.FIELDS.NOT (X)]<5.6>)", b"BODY[2.HEADER.FIELDS.NOT (X)]<5>"),
        (b"(BINARY.PEEK[1.2])", b"BINARY[1.2]"),
        (b"(BINARY.SIZE[1])", b"BINARY.SIZE[1]"),
        (b"(RFC822)", b"RFC822"),
        (b"(RFC822.HEADER UID)", b"RFC822.HEADER"),
        (b"(RFC822 RFC822.TEXT)", b"RFC822.TEXT"),
        # other names for the same section, with which some servers answer
        (b"(RFC822)", b"BODY[]"),
        (b"(BODY.PEEK[HEADER])", b"RFC822.HEADER"),
        # not known: anything may be an answer to it
        (b"(X-ALL-TEXT)", b"BODY[TEXT]"),
    ],
)
def test_sections_that_were_asked_for(request_: bytes, name: bytes) -> None:
    assert kept(request_, b"SEQ", name, b"FLAGS") == [b"SEQ", name, b"FLAGS"]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (b"(FLAGS)", b"BODY[]"),
        (b"FULL", b"BODY[]"),
        (b"(BODY BODYSTRUCTURE RFC822.SIZE)", b"RFC822"),
        (b"(RFC822.SIZE)", b"RFC822.HEADER"),
        (b"(BODY[1])", b"BODY[2]"),
        (b"(BODY[1])", b"BODY[1.2]"),
        (b"(BODY[TEXT])", b"BODY[]"),
        (b"(BODY[HEADER])", b"BODY[TEXT]"),
        (b"(BINARY.SIZE[1])", b"BINARY[1]"),
        (b"(BODY[1.TEXT])", b"BODY[2.TEXT]"),
        (b"+FLAGS", b"BODY[]"),
        (b"(BODY.PEEK[]<0.10> MODSEQ)", b"BODY[1]"),
    ],
)
def test_sections_that_were_not_asked_for(request_: bytes, name: bytes) -> None:
    assert kept(request_, b"SEQ", name, b"FLAGS") == [b"SEQ", b"FLAGS"]


@pytest.mark.parametrize("name", [b"RFC822.SIZE", b"BODY", b"BODYSTRUCTURE", b"ENVELOPE", b"MODSEQ", b"X-GM-MSGID"])
def test_other_items_are_kept(name: bytes) -> None:
    assert kept(b"(FLAGS)", b"SEQ", name) == [b"SEQ", name]
