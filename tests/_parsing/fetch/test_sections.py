"""Which sections of messages a FETCH has asked for."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient._parsing.fetch.sections import AskedSections


def kept(request: bytes, *names: bytes) -> list[bytes]:
    items: dict[bytes, Any] = dict.fromkeys(names)
    sections = AskedSections(request)
    has_all = sections.has_all([items])
    sections.keep_asked(items)
    assert has_all == (list(items) == list(names))
    # Once more, now that the names are known.
    again = dict.fromkeys(names)
    sections.keep_asked(again)
    assert again == items
    return list(items)


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
        # Other names for the same, which some servers answer with.
        (b"(RFC822)", b"BODY[]"),
        (b"(BODY.PEEK[HEADER])", b"RFC822.HEADER"),
        # What it may answer with is not known.
        (b"(X-ALL-TEXT)", b"BODY[TEXT]"),
    ],
)
def test_what_answers_a_request(request_: bytes, name: bytes) -> None:
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
def test_what_nobody_has_asked_for(request_: bytes, name: bytes) -> None:
    assert kept(request_, b"SEQ", name, b"FLAGS") == [b"SEQ", b"FLAGS"]


@pytest.mark.parametrize("name", [b"RFC822.SIZE", b"BODY", b"BODYSTRUCTURE", b"ENVELOPE", b"MODSEQ", b"X-GM-MSGID"])
def test_what_is_no_section_stays(name: bytes) -> None:
    assert kept(b"(FLAGS)", b"SEQ", name) == [b"SEQ", name]
