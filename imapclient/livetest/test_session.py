"""The session: capabilities, namespaces, NOOP, ID, ENABLE, compression, and the end of the connection."""

from __future__ import annotations

import pytest

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IllegalStateError
from imapclient.livetest.fixtures import Connect, Folders, message, needs, wait_for_response


def test_capabilities_name_the_protocol(client: IMAPClient) -> None:
    capabilities = client.capabilities()
    assert {b"IMAP4REV1", b"IMAP4REV2"}.intersection(capabilities)
    assert all(capability == capability.upper() for capability in capabilities)


def test_has_capability_in_any_case(client: IMAPClient) -> None:
    first = client.capabilities()[0].decode("ascii")
    assert client.has_capability(first.lower())
    assert client.has_capability(first.encode("ascii"))
    assert not client.has_capability("X-NO-SUCH-CAPABILITY")


def test_welcome_is_the_greeting(client: IMAPClient) -> None:
    assert client.welcome.startswith(b"* ")


def test_namespace_has_the_users_own_folders(client: IMAPClient) -> None:
    needs(client, "NAMESPACE")
    personal = client.namespace().personal
    assert personal
    for prefix, delimiter in personal:
        assert isinstance(prefix, str)
        assert delimiter is None or len(delimiter) == 1


def test_namespace_without_the_capability(client: IMAPClient) -> None:
    if client.has_capability("NAMESPACE"):
        pytest.skip("the server has NAMESPACE")
    with pytest.raises(CapabilityError, match="NAMESPACE"):
        client.namespace()
    client.noop()


def test_noop_returns_the_servers_text(client: IMAPClient) -> None:
    text, responses = client.noop()
    assert text
    assert isinstance(responses, list)


def test_noop_reports_a_new_message(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    second_client.append(folder, message())
    assert (1, b"EXISTS") in wait_for_response(client, b"EXISTS")


def test_compress(connect: Connect, second_client: IMAPClient, folder: str) -> None:
    client = connect()
    needs(client, "COMPRESS=DEFLATE")
    client.select_folder(folder)
    client.compress()
    long = message("Long", b"0123456789" * 50_000)
    client.append(folder, long)
    client.noop()
    [items] = client.fetch("1:*", "BODY.PEEK[]").values()
    assert items[b"BODY[]"] == long
    second_client.append(folder, message())
    assert (2, b"EXISTS") in wait_for_response(client, b"EXISTS")
    if client.has_capability("IDLE"):
        client.idle()
        second_client.append(folder, message())
        assert (3, b"EXISTS") in client.idle_check(timeout=30)
        client.idle_done()
    client.noop()


def test_leaving_the_context_ends_the_connection(connect: Connect) -> None:
    with connect() as client:
        client.noop()
    with pytest.raises(IMAPClient.AbortError):
        client.noop()


def test_leaving_the_context_keeps_the_exception(connect: Connect) -> None:
    client = connect()
    with pytest.raises(ZeroDivisionError), client:
        raise ZeroDivisionError
    with pytest.raises(IMAPClient.AbortError):
        client.noop()


def test_logout_within_the_context(connect: Connect) -> None:
    with connect() as client:
        assert client.logout()
    with pytest.raises(IMAPClient.AbortError):
        client.noop()


def test_shutdown_ends_the_connection(connect: Connect) -> None:
    client = connect()
    client.shutdown()
    client.shutdown()
    with pytest.raises(IMAPClient.AbortError):
        client.noop()


def test_timeout_for_connecting_and_reading(connect: Connect) -> None:
    client = connect(timeout=SocketTimeout(connect=60, read=45))
    assert client.noop()[0]


def test_timeout_as_a_number(connect: Connect) -> None:
    client = connect(timeout=45)
    assert client.noop()[0]


# -- ID and ENABLE


def test_id(client: IMAPClient) -> None:
    needs(client, "ID")
    for parameters in (None, {"name": 'say "hi" \\ Grüße', "version": "x" * 200}):
        (fields,) = client.id_(parameters)
        assert fields is None or len(fields) % 2 == 0
    client.noop()


def test_id_without_a_value(connect: Connect) -> None:
    # A server may accept only the first ID of a connection.
    client = connect()
    needs(client, "ID")
    (fields,) = client.id_({"name": "imapclient", "os": None})
    assert fields is None or len(fields) % 2 == 0


def test_enable(connect: Connect) -> None:
    client = connect()
    needs(client, "ENABLE", "CONDSTORE")
    assert [name.upper() for name in client.enable("CONDSTORE")] == [b"CONDSTORE"]
    client.enable("X-NO-SUCH-EXTENSION")
    client.noop()


def test_enable_utf8(connect: Connect, folders: Folders) -> None:
    client = connect()
    needs(client, "ENABLE", "UTF8=ACCEPT")
    name = folders.create("-Entwürfe 日本")
    assert b"UTF8=ACCEPT" in client.enable("UTF8=ACCEPT")
    assert [item[2] for item in client.list_folders("", name)] == [name]
    client.append(name, "Subject: Grüße\r\n\r\nSchöne Äpfel\r\n")
    assert client.select_folder(name)[b"EXISTS"] == 1
    (uid,) = client.search(["SUBJECT", "Grüße"])
    assert "Grüße".encode() in client.fetch(uid, "BODY.PEEK[HEADER]")[uid][b"BODY[HEADER]"]


def test_enable_while_a_folder_is_selected(client: IMAPClient, folder: str) -> None:
    needs(client, "ENABLE")
    client.select_folder(folder)
    with pytest.raises(IllegalStateError):
        client.enable("CONDSTORE")
    client.noop()
