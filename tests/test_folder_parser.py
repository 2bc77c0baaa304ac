"""What is said about access and quotas: the cases in fixtures/, whole, cut at every byte, with trailing bytes."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from typing import Any, Callable, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.exceptions import IMAPClientAbortError, ProtocolError
from imapclient.folder_parser import parse_acl, parse_quota, parse_quota_root
from imapclient.imap_utf7 import encode_name
from imapclient.reader import Record
from imapclient.response_types import Quota
from tests.commands import types
from tests.fixtures import acl, quota, quota_root
from tests.fixtures.case import Case, Response, cut_everywhere, data_start, read, with_trailing

Parse = Callable[[bytes, int, Optional[Sequence[Record]]], Any]

KINDS: list[tuple[str, Parse, list[Case], list[Case]]] = [
    ("acl", parse_acl, acl.CASES, acl.BROKEN),
    ("quota", parse_quota, quota.CASES, quota.BROKEN),
    ("quota_root", parse_quota_root, quota_root.CASES, quota_root.BROKEN),
]
GOOD = [pytest.param(parse, case, id=f"{kind}-{case.name}") for kind, parse, good, _ in KINDS for case in good]
BROKEN = [pytest.param(parse, case, id=f"{kind}-{case.name}") for kind, parse, _, broken in KINDS for case in broken]
TRAILING = [b" ", b" more", b" a b", b")", b" )", b"(", b" (1 2 3)", b'"', b'"x"', b" {5}", b"\0\xff", b"\\", b" NIL"]


def _parsed(parse: Parse, response: Response) -> Any:
    line, records = response
    return parse(line, data_start(line), records)


def _gives_a_value_or_a_protocol_error(parse: Parse, response: Response) -> None:
    """Any other exception is the test's failure."""
    with contextlib.suppress(ProtocolError):
        value = _parsed(parse, response)
        assert isinstance(value, list if parse is parse_quota else tuple)


@pytest.mark.parametrize(("parse", "case"), GOOD)
def test_whole(parse: Parse, case: Case) -> None:
    value = _parsed(parse, read(case.raw))
    assert value == case.expected
    assert types(_plain(value)) == types(_plain(case.expected))


def _plain(value: Any) -> Any:
    """Quotas as tuples; names of roots may be a subclass of str."""
    if isinstance(value, Quota):
        return [str(value.quota_root), value.resource, value.usage, value.limit]
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return str(value) if isinstance(value, str) else value


@pytest.mark.parametrize(("parse", "case"), BROKEN)
def test_broken(parse: Parse, case: Case) -> None:
    with pytest.raises(ProtocolError) as caught:
        _parsed(parse, read(case.raw))
    assert not isinstance(caught.value, IMAPClientAbortError), "the framing is intact: the connection is usable"
    assert caught.value.position is not None


@pytest.mark.parametrize(("parse", "case"), GOOD + BROKEN)
def test_cut_at_every_byte(parse: Parse, case: Case) -> None:
    for response in cut_everywhere(read(case.raw)):
        _gives_a_value_or_a_protocol_error(parse, response)


@pytest.mark.parametrize(("parse", "case"), GOOD + BROKEN)
def test_trailing_bytes(parse: Parse, case: Case) -> None:
    response = read(case.raw)
    for trailing in TRAILING:
        _gives_a_value_or_a_protocol_error(parse, with_trailing(response, trailing))


@pytest.mark.parametrize(("kind", "parse", "good", "bad"), KINDS, ids=[kind[0] for kind in KINDS])
def test_names_of_cases_are_unique(kind: str, parse: Parse, good: list[Case], bad: list[Case]) -> None:
    names = [case.name for case in itertools.chain(good, bad)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("raw", [b"Gr\xc3\xb6\xc3\x9fe", b"Gr\xf6", b"&APw-", b"&", b"a\r\nb", b"\x7f", b""])
def test_the_name_of_a_root_leads_back_to_its_bytes(raw: bytes) -> None:
    line = b"* QUOTAROOT x {%d}" % len(raw)
    _, (root,) = parse_quota_root(line, 12, [(line, raw), b""])
    assert isinstance(root, str)
    assert root.isprintable()
    assert encode_name(root, utf8=True) == raw
    (found,) = parse_quota(b"* QUOTA {%d}" % len(raw), 8, [(b"* QUOTA {%d}" % len(raw), raw), b" (STORAGE 1 2)"])
    assert found == Quota(root, "STORAGE", 1, 2)


_WORDS = st.lists(
    st.sampled_from([b"(", b")", b" ", b'"', b"\\", b"NIL", b"1", b"007", b"STORAGE", b"(STORAGE 1 2)", b'""', b"{3}"])
    | st.sampled_from(
        [b"x", b"\xff", b"\0", b"-1", b"\t", b"9" * 21, b"((", b"))", b" (MESSAGE 1 2 X 3 4)", b"[", b"]"]
    )
    | st.binary(max_size=5),
    max_size=12,
).map(b"".join)


@given(st.lists(st.tuples(_WORDS, st.binary(max_size=4)), max_size=2), _WORDS)
def test_any_bytes_give_a_value_or_a_protocol_error(literals: list[tuple[bytes, bytes]], last: bytes) -> None:
    records: list[Record] = [*((text + b" {%d}" % len(data), data) for text, data in literals), last]
    first = records[0]
    line = b"* X " + (first if isinstance(first, bytes) else first[0])
    records[0] = line if isinstance(first, bytes) else (line, first[1])
    for _, parse, _, _ in KINDS:
        _gives_a_value_or_a_protocol_error(parse, (line, records if literals else None))


@pytest.mark.processor_seconds(60)
@pytest.mark.parametrize("piece", [b"(", b")", b'"', b'\\"', b"7", b" ", b"a ", b"() ", b'"" ', b"{1} "])
def test_a_long_hostile_line_ends(piece: bytes) -> None:
    """In time proportional to its length: anything else takes minutes."""
    line = b"* X " + piece * (200_000 // len(piece))
    for _, parse, _, _ in KINDS:
        _gives_a_value_or_a_protocol_error(parse, (line, None))


def test_nesting_over_the_limit() -> None:
    with pytest.raises(ProtocolError, match="max_nesting_depth=3"):
        parse_quota(b'* QUOTA "" ((((STORAGE 1 2))))', 8, None, 3)
