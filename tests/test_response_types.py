"""Types of parsed values without a test file of their own: shape and copies."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from imapclient import response_types
from imapclient._parsing.mail.body_structure import BodyData
from imapclient._parsing.mail.envelope import Address, Envelope
from imapclient.response_types import MailboxQuotaRoots, Namespace, Quota, SearchIds


def test_the_types_are_where_imapclient_has_them() -> None:
    assert response_types.Address is Address
    assert response_types.BodyData is BodyData
    assert response_types.Envelope is Envelope


def test_search_ids() -> None:
    ids = SearchIds([3, 1])
    assert isinstance(ids, list)
    assert ids == [3, 1]
    assert ids[:1] == [3]
    assert [*ids, 5] == [3, 1, 5]
    more = [7]
    assert ids + more == [3, 1, 7]
    assert ids.modseq is None
    ids.modseq = 9
    assert ids.modseq == 9
    assert SearchIds() == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copies_of_search_ids(protocol: int) -> None:
    ids = SearchIds([3, 1])
    ids.modseq = 9
    for again in (pickle.loads(pickle.dumps(ids, protocol)), copy.copy(ids), copy.deepcopy(ids)):
        assert type(again) is SearchIds
        assert again == ids
        assert again.modseq == 9


def test_namespace() -> None:
    namespace = Namespace((("", "/"),), None, (("Public/", "/"),))
    assert namespace.personal == namespace[0] == (("", "/"),)
    assert namespace.other is None
    assert namespace.shared == (("Public/", "/"),)


def test_quota() -> None:
    quota = Quota("", "STORAGE", 10, 512)
    assert quota == Quota(quota_root="", resource="STORAGE", usage=10, limit=512)
    assert quota != Quota("", "STORAGE", 11, 512)
    assert repr(quota) == "Quota(quota_root='', resource='STORAGE', usage=10, limit=512)"
    quota.limit = 1024
    assert dataclasses.astuple(quota) == ("", "STORAGE", 10, 1024)
    assert pickle.loads(pickle.dumps(quota)) == copy.copy(quota) == quota


def test_mailbox_quota_roots() -> None:
    roots = MailboxQuotaRoots("INBOX", ["", "User quota"])
    assert roots == MailboxQuotaRoots(mailbox="INBOX", quota_roots=["", "User quota"])
    assert repr(roots) == "MailboxQuotaRoots(mailbox='INBOX', quota_roots=['', 'User quota'])"
    roots.quota_roots.append("x")
    assert roots != MailboxQuotaRoots("INBOX", ["", "User quota"])
    assert pickle.loads(pickle.dumps(roots)) == copy.copy(roots) == roots
