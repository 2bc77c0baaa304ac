"""APPEND: the bytes of the message, flags, times, several messages."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import random
import time
from collections.abc import Iterator

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, TryCreateError
from imapclient.livetest.fixtures import Folders, flags_of, message, needs, uids

from ..response_types import AppendReply

_UTC = datetime.timezone.utc


def _only_uid(client: IMAPClient, folder: str) -> int:
    client.select_folder(folder)
    (uid,) = uids(client)
    return uid


def _content(client: IMAPClient, folder: str) -> bytes:
    uid = _only_uid(client, folder)
    content: bytes = client.fetch(uid, "BODY.PEEK[]")[uid][b"BODY[]"]
    return content


def test_append_returns_the_servers_text(client: IMAPClient, folder: str) -> None:
    text = client.append(folder, message())
    assert text
    _check_uids(client, text, folder)


def _check_uids(client: IMAPClient, reply: AppendReply, folder: str) -> None:
    """A server with UIDPLUS reports the new UIDs. The folder has no others."""
    assert isinstance(reply, AppendReply)
    if not client.has_capability("UIDPLUS"):
        return
    assert reply.uids is not None
    assert reply.uidvalidity == client.folder_status(folder, "UIDVALIDITY")[b"UIDVALIDITY"]
    client.select_folder(folder)
    assert list(reply.uids) == uids(client)


def test_append_byte_for_byte(client: IMAPClient, folder: str) -> None:
    data = message("Lines", b"one\r\n\r\n.\r\n..two\r\nA1 OK done\r\n* BYE\r\n{3}\r\n+ go\r\n")
    client.append(folder, data)
    assert _content(client, folder) == data


def test_append_eight_bit(client: IMAPClient, folder: str) -> None:
    body = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    data = message("8 bit", body, "Content-Transfer-Encoding: 8bit")
    client.append(folder, data)
    assert _content(client, folder) == data


def test_append_text_as_utf8(client: IMAPClient, folder: str) -> None:
    text = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße 日本 📬\r\n"
    client.append(folder, text)
    assert _content(client, folder) == text.encode("utf-8")


@pytest.mark.parametrize(
    "body", [b"one\ntwo\n", b"one\rtwo\r", b"one\r\r\ntwo\n\r\n", b"no end"], ids=["LF", "CR", "mixed", "missing"]
)
def test_append_odd_line_ends(client: IMAPClient, folder: str, body: bytes) -> None:
    """A server may replace such line ends by CRLF, remove them, or refuse the message. All other bytes stay."""
    data = message("Bare", body)
    try:
        client.append(folder, data)
    except CommandError as error:
        assert client.folder_status(folder, "MESSAGES") == {b"MESSAGES": 0}
        pytest.skip(f"the server refuses bare line ends: {error.text}")
    assert _content(client, folder).translate(None, b"\r\n") == data.translate(None, b"\r\n")


def test_append_an_empty_message(client: IMAPClient, folder: str) -> None:
    # With RFC 3502 an empty message cancels the command. Other servers store it.
    with contextlib.suppress(CommandError):
        client.append(folder, b"")
    count = client.folder_status(folder, "MESSAGES")[b"MESSAGES"]
    assert count in (0, 1)
    client.append(folder, message("After"))
    assert client.folder_status(folder, "MESSAGES") == {b"MESSAGES": count + 1}


def test_append_nul(client: IMAPClient, folder: str) -> None:
    needs(client, "BINARY")
    body = b"before\0after\0\0"
    client.append(folder, message("NUL", body, "MIME-Version: 1.0", "Content-Type: application/octet-stream"))
    uid = _only_uid(client, folder)
    assert client.fetch(uid, "BINARY[1]")[uid][b"BINARY[1]"] == body


def test_append_ten_megabytes(client: IMAPClient, folder: str) -> None:
    chance = random.Random(5)
    lines = [b"%0254x\r\n" % chance.getrandbits(1016) for _ in range(40_960)]
    data = message("Large", b"".join(lines))
    client.append(folder, data)
    received = _content(client, folder)
    assert len(received) == len(data)
    assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


def test_append_many_sizes(client: IMAPClient, folder: str) -> None:
    # Sizes around 4096, the limit of LITERAL-, and around usual sizes of buffers.
    head = len(message("Size", b""))
    sizes = [head + 2, 1000, 4095, 4096, 4097, 8192, 16384, 65535, 65536, 65537]
    for size in sizes:
        client.append(folder, message("Size", b"x" * (size - head - 2) + b"\r\n"))
    client.select_folder(folder)
    fetched = client.fetch(uids(client), ["RFC822.SIZE", "BODY.PEEK[]"])
    assert [items[b"RFC822.SIZE"] for items in fetched.values()] == sizes
    assert [len(items[b"BODY[]"]) for items in fetched.values()] == sizes


def test_append_with_flags(client: IMAPClient, folder: str) -> None:
    kinds: list[list[str | bytes]] = [
        [],
        [b"\\Seen"],
        ["\\Flagged", "\\Answered"],
        [b"\\Draft", "\\Deleted", "\\Seen"],
    ]
    for flags in kinds:
        client.append(folder, message(), flags)
    client.select_folder(folder)
    for uid, flags in zip(uids(client), kinds):
        assert flags_of(client, uid) == {flag.encode("ascii") if isinstance(flag, str) else flag for flag in flags}


def test_append_with_a_single_flag(client: IMAPClient, folder: str) -> None:
    client.append(folder, message(), b"\\Flagged")
    assert flags_of(client, _only_uid(client, folder)) == {b"\\Flagged"}


@pytest.fixture
def local_zone() -> Iterator[None]:
    """Set the local time zone to one with daylight saving time: UTC+1, in summer UTC+2."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system can't change the time zone of a process")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("local_zone")
def test_append_with_local_time(client: IMAPClient, folder: str) -> None:
    # A local time and its offset from UTC in hours. In the last two, the clock shows the same time, before and after
    # the end of daylight saving time.
    times = [
        (datetime.datetime(2024, 1, 15, 8, 30, 1), 1),
        (datetime.datetime(2024, 7, 15, 23, 59, 59), 2),
        (datetime.datetime(1999, 12, 31, 23, 0, 0), 1),
        (datetime.datetime(2024, 10, 27, 2, 30, 0), 2),
        (datetime.datetime(2024, 10, 27, 2, 30, 0, fold=1), 1),
    ]
    for local, _hours in times:
        client.append(folder, message(), (), local)
    client.select_folder(folder)
    received = [items[b"INTERNALDATE"] for items in client.fetch(uids(client), "INTERNALDATE").values()]
    assert [(local, local.fold, local.tzinfo) for local in received] == [
        (local, local.fold, None) for local, _ in times
    ]
    client.normalise_times = False
    moments = [items[b"INTERNALDATE"] for items in client.fetch(uids(client), "INTERNALDATE").values()]
    assert moments == [
        local.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=hours))) for local, hours in times
    ]


def test_append_with_aware_time(client: IMAPClient, folder: str) -> None:
    zones = [datetime.timezone(datetime.timedelta(minutes=minutes)) for minutes in (0, -300, 330, 825)]
    times = [datetime.datetime(2021, 3, 1, 4, 5, 6, tzinfo=zone) for zone in zones]
    for sent in times:
        client.append(folder, message(), (), sent)
    client.select_folder(folder)
    local = [items[b"INTERNALDATE"] for items in client.fetch(uids(client), "INTERNALDATE").values()]
    assert local == [sent.astimezone().replace(tzinfo=None) for sent in times]
    client.normalise_times = False
    received = [items[b"INTERNALDATE"] for items in client.fetch(uids(client), "INTERNALDATE").values()]
    assert received == times
    assert all(moment.tzinfo is not None for moment in received)


def test_append_without_time_is_now(client: IMAPClient, folder: str) -> None:
    before = datetime.datetime.now(_UTC)
    client.append(folder, message())
    uid = _only_uid(client, folder)
    client.normalise_times = False
    received = client.fetch(uid, "INTERNALDATE")[uid][b"INTERNALDATE"]
    # The server's clock may differ from ours.
    assert abs(received - before) < datetime.timedelta(days=1)


def test_append_to_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    name = folders.name()
    with pytest.raises(TryCreateError) as caught:
        client.append(name, message())
    assert caught.value.command == "APPEND"
    assert caught.value.code == (b"TRYCREATE", ())
    client.create_folder(name)
    client.append(name, message())
    assert client.folder_status(name, "MESSAGES") == {b"MESSAGES": 1}


def test_append_to_the_selected_folder(client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    client.append(folder, message("Here"))
    client.noop()
    assert len(client.search(["SUBJECT", "Here"])) == 1


# -- several messages at once


def test_multiappend(client: IMAPClient, folder: str) -> None:
    needs(client, "MULTIAPPEND")
    when = datetime.datetime(2021, 3, 1, 4, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))
    body = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    sent = [
        message("One"),
        message("Two", body, "Content-Transfer-Encoding: 8bit"),
        message("Three"),
        message("Four", b"x" * 100_000 + b"\r\n"),
    ]
    reply = client.multiappend(
        folder,
        (
            sent[0],
            {"msg": sent[1], "flags": ["\\Flagged", b"\\Seen"], "date": when},
            sent[2].decode("ascii"),
            {"msg": sent[3], "flags": "\\Draft"},
        ),
    )
    assert reply
    _check_uids(client, reply, folder)
    client.select_folder(folder)
    client.normalise_times = False
    found = client.fetch(uids(client), ["BODY.PEEK[]", "INTERNALDATE"])
    assert [items[b"BODY[]"] for items in found.values()] == sent
    assert [flags_of(client, uid) for uid in found] == [set(), {b"\\Flagged", b"\\Seen"}, set(), {b"\\Draft"}]
    assert [items[b"INTERNALDATE"] == when for items in found.values()] == [False, True, False, False]


def test_multiappend_to_a_missing_folder(client: IMAPClient, folders: Folders) -> None:
    needs(client, "MULTIAPPEND")
    name = folders.name()
    with pytest.raises(TryCreateError) as caught:
        client.multiappend(name, [message("One"), {"msg": message("Two"), "flags": ["\\Seen"]}])
    assert caught.value.command == "APPEND"
    client.create_folder(name)
    assert client.folder_status(name, "MESSAGES") == {b"MESSAGES": 0}


def test_multiappend_sends_nothing_if_one_message_is_invalid(client: IMAPClient, folder: str) -> None:
    needs(client, "MULTIAPPEND")
    for bad in ({"flags": ["\\Seen"]}, {"msg": message(), "flags": ["two words"]}, b""):
        with pytest.raises(ValueError, match=r"msgs\[1\]"):
            client.multiappend(folder, [message(), bad])
    assert client.folder_status(folder, "MESSAGES") == {b"MESSAGES": 0}


@pytest.mark.parametrize("kind", ["file", "iterator"])
def test_append_a_stream(client: IMAPClient, folder: str, kind: str) -> None:
    data = message("Streamed", b"0123456789\r\n" * 60_000)
    progress = []
    source = io.BytesIO(data) if kind == "file" else (data[start : start + 9999] for start in range(0, len(data), 9999))
    client.append(folder, source, ["\\Seen"], size=len(data), progress=lambda *sizes: progress.append(sizes))
    client.select_folder(folder)
    [uid] = uids(client)
    items = client.fetch(uid, ["BODY.PEEK[]", "FLAGS"])[uid]
    assert items[b"BODY[]"] == data
    assert b"\\Seen" in items[b"FLAGS"]
    assert progress[-1] == (len(data), len(data))


def test_append_a_stream_to_a_missing_folder(client: IMAPClient) -> None:
    with pytest.raises(CommandError):
        client.append("No such folder", io.BytesIO(message()))
    client.noop()
