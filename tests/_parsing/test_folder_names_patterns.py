"""Folders that a server may return for LIST with a reference and a pattern (RFC 9051, 6.3.9)."""

from __future__ import annotations

import pytest

from imapclient._parsing.folder_names import matches_pattern


@pytest.mark.parametrize(
    ("reference", "pattern", "name"),
    [
        ("", "*", "anything/at all"),
        ("", "%", "A"),
        ("", "A*", "A/B"),
        ("", "A/%", "A/B"),
        ("", "inbox", "INBOX"),
        ("", "INBOX*", "INBOX/A"),
        ("", "%/%", "A/B"),
        ("", "A/", "A"),
        ("", "e\u0301", "\u00e9"),
        ("A/", "%", "A/B"),
        # Some servers put the delimiter between reference and pattern.
        ("A", "%", "A/B"),
        ("A", "*", "AB"),
        ("", "[Gmail]/*", "[Gmail]/Sent"),
        ("", "a.b+c", "a.b+c"),
        # References with a meaning that only the server knows.
        ("~ann/", "*", "A"),
        ("", "#news.*", "comp.mail"),
        ("", "", ""),
    ],
)
def test_names_that_match(reference: str, pattern: str, name: str) -> None:
    assert matches_pattern(name, "/", reference, pattern)


@pytest.mark.parametrize(
    ("reference", "pattern", "name"),
    [
        ("", "A", "B"),
        ("", "A", "A/B"),
        ("", "A%", "A/B"),
        ("", "%", "A/B"),
        ("", "a.b", "axb"),
        ("A/", "*", "B"),
        ("A/", "*", "AB"),
        ("", "A*", "x" * 10_000),
        ("", "*" * 100 + "b", "a" * 5000),
    ],
)
def test_names_that_do_not_match(reference: str, pattern: str, name: str) -> None:
    assert not matches_pattern(name, "/", reference, pattern)


def test_without_a_delimiter_there_is_one_level() -> None:
    assert matches_pattern("A/B", None, "", "%")
