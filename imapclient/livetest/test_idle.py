"""IDLE and watch: changes that the server reports without a command."""

from __future__ import annotations

import pytest

from imapclient import FLAGGED, IMAPClient
from imapclient.events import Expunged, FolderEvent, NewMessage, Vanished
from imapclient.exceptions import IllegalStateError
from imapclient.livetest.fixtures import PATIENCE, fill, message, needs, wait_for_response


@pytest.fixture
def idling(client: IMAPClient, folder: str) -> IMAPClient:
    """`client` in IDLE. Its selected folder is `folder`, with two messages."""
    needs(client, "IDLE")
    fill(client, folder, [message("One"), message("Two")])
    client.idle()
    return client


def _deliver(second_client: IMAPClient, folder: str) -> None:
    second_client.append(folder, message("Delivered"))


def test_idle_reports_a_new_message(idling: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    _deliver(second_client, folder)
    assert (3, b"EXISTS") in wait_for_response(idling, b"EXISTS", idling=True)
    text, _rest = idling.idle_done()
    assert text
    assert len(idling.search(["SUBJECT", "Delivered"])) == 1


def test_idle_reports_expunged_messages(idling: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    second_client.select_folder(folder)
    second_client.delete_messages("1:*", silent=True)
    second_client.close_folder()
    responses = wait_for_response(idling, b"EXPUNGE", idling=True)
    responses += idling.idle_done()[1]
    assert {item[0] for item in responses if item[1] == b"EXPUNGE"} <= {1, 2}
    idling.noop()
    assert idling.search() == []


def test_idle_reports_flags(idling: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    second_client.select_folder(folder)
    second_client.add_flags("1:*", FLAGGED)
    responses = wait_for_response(idling, b"FETCH", idling=True)
    number, _fetch, items = next(item for item in responses if item[1] == b"FETCH")
    assert number in (1, 2)
    assert FLAGGED in items[items.index(b"FLAGS") + 1]
    idling.idle_done()


def test_idle_without_changes(idling: IMAPClient) -> None:
    # A server may send OK from time to time, to keep the connection open.
    assert all(item[0] == b"OK" for item in idling.idle_check(timeout=0))
    assert all(item[0] == b"OK" for item in idling.idle_check(timeout=0.1))
    text, responses = idling.idle_done()
    assert text
    assert all(item[0] == b"OK" for item in responses)


def test_idle_done_returns_what_the_server_sent(idling: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    _deliver(second_client, folder)
    responses = idling.idle_done()[1]
    responses += wait_for_response(idling, b"EXISTS") if (3, b"EXISTS") not in responses else []
    assert (3, b"EXISTS") in responses


def test_idle_again_and_again(idling: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    for count in (3, 4):
        _deliver(second_client, folder)
        assert (count, b"EXISTS") in wait_for_response(idling, b"EXISTS", idling=True)
        idling.idle_done()
        idling.noop()
        idling.idle()
    idling.idle_done()
    assert len(idling.search()) == 4


def test_idle_allows_no_other_command(idling: IMAPClient) -> None:
    with pytest.raises(IllegalStateError, match="idle_done"):
        idling.noop()
    with pytest.raises(IllegalStateError):
        idling.idle()
    idling.idle_done()
    idling.noop()


def test_idle_check_without_idle_is_refused(client: IMAPClient) -> None:
    with pytest.raises(IllegalStateError):
        client.idle_check(timeout=0)
    with pytest.raises(IllegalStateError):
        client.idle_done()
    client.noop()


def test_idle_and_log_out(idling: IMAPClient) -> None:
    assert idling.logout()
    with pytest.raises(IMAPClient.AbortError):
        idling.noop()


def test_watch(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    fill(client, folder, [message("One"), message("Two")])
    uidnext = client.folder_status(folder, "UIDNEXT")[b"UIDNEXT"]
    second_client.append(folder, message("Three"))
    events = client.watch(folder, poll=0.5, timeout=PATIENCE, uidnext=uidnext)
    # This message arrived before the watch began.
    event: FolderEvent = next(events)
    assert isinstance(event, NewMessage)
    assert event.sequence_number == 3
    assert event.uid is not None
    assert client.fetch(event.uid, "ENVELOPE")[event.uid][b"ENVELOPE"].subject == b"Three"
    _deliver(second_client, folder)
    event = next(event for event in events if isinstance(event, NewMessage))
    assert event.sequence_number == 4
    second_client.select_folder(folder)
    second_client.delete_messages(event.uid or "*", silent=True)
    second_client.expunge()
    event = next(event for event in events if isinstance(event, (Expunged, Vanished)))
    assert event == Expunged(4)
    events.close()
    assert len(client.search()) == 3
