"""The capabilities of a server, without a connection."""

from __future__ import annotations

import pytest

from imapclient._arguments.command import Literal, StreamedLiteral
from imapclient._connection.capabilities import Capabilities


def having(*names: str) -> Capabilities:
    capabilities = Capabilities()
    capabilities.learn(name.encode("latin-1") for name in names)
    return capabilities


def test_nothing_is_known_at_first() -> None:
    capabilities = Capabilities()
    assert (capabilities.names, capabilities.are_known) == ((), False)
    assert (capabilities.enabled, capabilities.may_enable) == (frozenset(), frozenset())
    assert not capabilities.is_utf8


def test_names_are_learnt_in_upper_case() -> None:
    capabilities = having("imap4rev1", "Auth=Plain", "x-\xff")
    assert capabilities.names == ("IMAP4REV1", "AUTH=PLAIN", "X-\N{REPLACEMENT CHARACTER}")
    assert capabilities.are_known


def test_all_is_forgotten() -> None:
    capabilities = having("IMAP4rev1")
    capabilities.may_enable = capabilities.enabled = frozenset(("CONDSTORE",))
    capabilities.forget()
    assert vars(capabilities) == vars(Capabilities())


def test_a_response_code_counts_if_it_is_capability() -> None:
    capabilities = Capabilities()
    capabilities.learn_from_code(None)
    capabilities.learn_from_code((b"UIDNEXT", (7,)))
    assert not capabilities.are_known
    capabilities.learn_from_code((b"CAPABILITY", (b"IMAP4rev1", 5, b"idle")))
    assert capabilities.names == ("IMAP4REV1", "IDLE")


@pytest.mark.parametrize(
    ("may_enable", "expected"),
    [
        ((), ()),
        (("CONDSTORE",), ("CONDSTORE", "QRESYNC")),
        (("UTF8=ACCEPT",), ("CONDSTORE", "QRESYNC", "UTF8=ACCEPT")),
    ],
)
def test_enabled_counts_after_our_enable(may_enable: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """A server may report more than was asked for, but only our own ENABLE changes how names are encoded."""
    capabilities = having("IMAP4rev1", "ENABLE")
    capabilities.may_enable = frozenset(may_enable)
    capabilities.learn_enabled([b"condstore", b"QRESYNC", b"UTF8=ACCEPT"])
    assert capabilities.enabled == frozenset(expected)
    assert capabilities.is_utf8 == ("UTF8=ACCEPT" in expected)


def test_enabled_grows_to_a_bound() -> None:
    capabilities = having("ENABLE")
    capabilities.may_enable = frozenset(("X",))
    for number in range(3000):
        capabilities.learn_enabled([b"X%d" % number])
    assert len(capabilities.enabled) == 1000


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["IMAP4rev1"], False), (["IMAP4rev2"], True), (["IMAP4rev1", "IMAP4rev2"], False), ([], False)],
)
def test_a_server_of_revision_2_only_uses_utf8(names: list[str], expected: bool) -> None:
    assert having(*names).is_utf8 == expected


@pytest.mark.parametrize(
    ("names", "size", "expected"),
    [
        (["IMAP4rev1"], 1, True),
        (["IMAP4rev1", "LITERAL+"], 100_000, False),
        (["IMAP4rev1", "LITERAL-"], 4096, False),
        (["IMAP4rev1", "LITERAL-"], 4097, True),
        (["IMAP4rev2"], 4096, False),
        (["IMAP4rev2"], 4097, True),
        (["LITERAL-", "LITERAL+"], 4097, False),
        ([], 0, True),
    ],
)
def test_which_literals_wait(names: list[str], size: int, expected: bool) -> None:
    capabilities = having(*names)
    assert capabilities.is_synchronising(Literal(b"x" * size)) == expected
    assert capabilities.is_synchronising(Literal(b"x" * size, binary=True))
    assert capabilities.is_synchronising(StreamedLiteral(size, [b"x" * size]))
