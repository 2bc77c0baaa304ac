"""Gmail's labels of messages."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError
from imapclient.livetest.fixtures import fill, message, needs

# System labels. Other labels are folders, and the tests may create folders only in the folder of the run.
_LABELS = ["\\Starred", "\\Important"]


def test_gmail_labels(client: IMAPClient, folder: str, numbering: str) -> None:
    needs(client, "X-GM-EXT-1")
    (found,) = fill(client, folder, [message()])
    client.set_gmail_labels(found, [])
    assert client.get_gmail_labels(found) == {found: []}
    added = client.add_gmail_labels(found, _LABELS)
    assert added is not None
    assert set(added[found]) == set(_LABELS)
    assert client.remove_gmail_labels(found, _LABELS[0]) == {found: _LABELS[1:]}
    assert client.remove_gmail_labels(found, _LABELS, silent=True) is None
    assert client.get_gmail_labels(found) == {found: []}


def test_gmail_labels_on_another_server(client: IMAPClient, folder: str, numbering: str) -> None:
    if client.has_capability("X-GM-EXT-1"):
        pytest.skip("the server has X-GM-EXT-1")
    (found,) = fill(client, folder, [message()])
    with pytest.raises(CommandError):
        client.get_gmail_labels(found)
    for change in (client.add_gmail_labels, client.set_gmail_labels, client.remove_gmail_labels):
        with pytest.raises(CommandError):
            change(found, _LABELS)
    assert client.search() == [found]
