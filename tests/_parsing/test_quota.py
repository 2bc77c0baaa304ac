"""Quotas and quota roots. test_response_parser.py tests the cases in fixtures/."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient._parsing.quota import parse_quota, parse_quota_root
from imapclient._parsing.responses import ReadOptions
from imapclient.exceptions import ProtocolError
from imapclient.imap_utf7 import encode_name
from imapclient.response_types import Quota
from tests.fixtures import quota, quota_root
from tests.fixtures.case import Case, untagged
from tests.fixtures.chunks import read
from tests.helpers.dialogue import types


@pytest.mark.parametrize("case", quota.CASES, ids=lambda case: case.name)
def test_types_of_quotas(case: Case) -> None:
    value = parse_quota(untagged(*read(case.raw)))
    assert types(_plain(value)) == types(_plain(case.expected))


@pytest.mark.parametrize("case", quota_root.CASES, ids=lambda case: case.name)
def test_types_of_quota_roots(case: Case) -> None:
    value = parse_quota_root(untagged(*read(case.raw)))
    assert types(_plain(value)) == types(_plain(case.expected))


def _plain(value: Any) -> Any:
    """Quotas as lists. Names of roots may be a subclass of str."""
    if isinstance(value, Quota):
        return [str(value.quota_root), value.resource, value.usage, value.limit]
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return str(value) if isinstance(value, str) else value


@pytest.mark.parametrize("raw", [b"Gr\xc3\xb6\xc3\x9fe", b"Gr\xf6", b"&APw-", b"&", b"a\r\nb", b"\x7f", b""])
def test_the_name_of_a_root_leads_back_to_its_bytes(raw: bytes) -> None:
    line = b"* QUOTAROOT x {%d}" % len(raw)
    _, (root,) = parse_quota_root(untagged(line, [(line, raw), b""]))
    assert isinstance(root, str)
    assert root.isprintable()
    assert encode_name(root, utf8=True) == raw
    line = b"* QUOTA {%d}" % len(raw)
    (found,) = parse_quota(untagged(line, [(line, raw), b" (STORAGE 1 2)"]))
    assert found == Quota(root, "STORAGE", 1, 2)


def test_nesting_over_the_limit() -> None:
    with pytest.raises(ProtocolError, match="max_nesting_depth=3"):
        parse_quota(untagged(b'* QUOTA "" ((((STORAGE 1 2))))'), ReadOptions(max_depth=3))
