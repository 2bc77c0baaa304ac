"""The test of the accounts that have ``expect_failure`` in the configuration file."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient
from imapclient.livetest.accounts import Account


def test_connecting_fails(refused_account: Account) -> None:
    with pytest.raises((IMAPClient.Error, OSError)) as caught:
        refused_account.connect().logout()
    assert refused_account.settings.expect_failure in str(caught.value)
