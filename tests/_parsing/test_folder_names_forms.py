"""Names in a response that may be forms of the folder's name in the command."""

from __future__ import annotations

import unicodedata

import pytest

from imapclient._parsing.folder_names import is_form_of


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (b"A", b"A"),
        (b"", b""),
        (b"inbox", b"INBOX"),
        (b"Work", b"work"),
        # Courier has all folders below INBOX. Other servers put the user's mail folder in front.
        (b"A", b"INBOX.A"),
        (b"INBOX.A", b"A"),
        (b"A/B", b"INBOX.A.B"),
        (b"mail/A", b"/home/ann/mail/A"),
        (b"~/mail/A", b"mail/A"),
        (b"A/B", b"A.B"),
        (b"A/", b"A"),
        (b"A", b"A."),
        (b"caf&AOk-", "café".encode()),
        ("café".encode(), b"caf&AOk-"),
        (b"caf&AOk-", unicodedata.normalize("NFD", "café").encode()),
        (b"INBOX.caf&AOk-", "Café".encode()),
        (b"Stra&AN8-e", b"STRASSE"),
        # Some servers do not escape quotes and backslashes, others escape them twice.
        (b"a\\b", b"ab"),
        (b"a\\b", b"a\\\\b"),
        (b'a "b"', b'a \\"b\\"'),
        (b"A", b'"A"'),
        (b"Sent Items", b"Sent  Items "),
        (b"caf\xe9", b"caf\xe9"),
        (b"AT&T", b"AT&-T"),
    ],
)
def test_forms_of_one_name(asked: bytes, sent: bytes) -> None:
    assert is_form_of(sent, asked)
    assert is_form_of(asked, sent)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (b"A", b"B"),
        (b"A", b"A/B"),
        (b"A/B", b"A"),
        (b"A", b"BA"),
        (b"A", b"INBOX"),
        (b"A", b""),
        (b"INBOX", b""),
        (b"Items", b"Sent Items"),
        (b"caf&AOk-", b"cafe"),
        (b"caf&AOk-", b"caf&AOg-"),
        (b"A/B", b"AB"),
        (b"x/A", b"y/A"),
        (b"1", b"01"),
    ],
)
def test_names_of_others(asked: bytes, sent: bytes) -> None:
    assert not is_form_of(sent, asked)
    assert not is_form_of(asked, sent)


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize("part", [b"/", b"a/", b" ", b"\\", b'"', b"&AOk-", b"\xff", b"&"])
def test_long_names(part: bytes) -> None:
    assert not is_form_of(part * 300_000 + b"x", b"A")
