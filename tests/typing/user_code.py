"""Programs as users write them, for mypy: what each call returns, and which calls are mistakes.

``mypy --strict`` checks this file as it does the rest of the tests. `assert_type` is an error where the type is another
one; an ignored error that is none is an error as well.
"""

from __future__ import annotations

import dataclasses
import datetime
import io
import tempfile
from typing import TYPE_CHECKING, Any

from imapclient import DELETED, SEEN, IMAPClient, SocketTimeout
from imapclient._commands.idle import Idle
from imapclient._parsing.fetch.results import FetchIterator, FetchResult, ItemResult
from imapclient._parsing.uid_codes import AppendReply, CopyReply
from imapclient.exceptions import AlreadyExistsError, CommandError, FetchError, LoginError
from imapclient.imapclient import SENT, MailboxQuotaRoots, Namespace, Quota
from imapclient.response_types import Address, BodyData, Envelope, SearchIds
from imapclient.sequence_set import UidSet

if TYPE_CHECKING:
    from typing_extensions import assert_type


def connect(host: str) -> IMAPClient:
    client = IMAPClient(host, ssl=True, timeout=SocketTimeout(connect=10, read=60))
    assert_type(client.login("ann", "secret"), bytes)
    assert_type(client.welcome, bytes)
    assert_type(client.capabilities(), tuple[bytes, ...])
    assert_type(client.has_capability("IDLE"), bool)
    return client


def stream(client: IMAPClient) -> None:
    messages = client.fetch_iter("1:*", ["FLAGS"], chunk_messages=500)
    assert_type(messages, FetchIterator)
    for uid, data in messages:
        assert_type(uid, int)
        assert_type(data, dict[bytes, Any])
    assert_type(messages.errors, list[FetchError])
    with open("message.eml", "rb") as source:
        assert_type(client.append("Sent", source, progress=lambda done, total: print(done, total)), AppendReply)
    with tempfile.TemporaryFile() as target:
        assert_type(client.download(5, "2", target, decode=True, progress=lambda done, total: None), int)
        client.append("Sent", target)
    client.append("Sent", (bytes(number) for number in range(3)), size=3)
    client.append("Sent", io.StringIO())  # type: ignore[arg-type]
    client.download(5, "2", io.StringIO())  # type: ignore[arg-type]
    assert_type(client.compress(), bytes)


def archive(client: IMAPClient) -> None:
    info = client.select_folder("INBOX", readonly=False)
    assert_type(info, dict[bytes, Any])
    ids = client.search(["UNSEEN", "SINCE", datetime.date(2024, 1, 1), "SUBJECT", "invoice"])
    assert_type(ids, SearchIds)
    assert_type(ids[0], int)
    assert_type(ids.modseq, int | None)
    fetched = client.fetch(ids, ["ENVELOPE", "BODYSTRUCTURE"])
    assert_type(fetched, FetchResult)
    assert_type(fetched.errors, list[FetchError])
    for uid, data in fetched.items():
        assert_type(uid, int)
        assert_type(data, dict[bytes, Any])
        envelope: Envelope = data[b"ENVELOPE"]
        assert_type(envelope.date, datetime.datetime | None)
        assert_type(envelope.subject, bytes | None)
        assert_type(envelope.subject_text, str | None)
        for address in envelope.from_ or ():
            assert_type(address, Address)
            assert_type(address.email, str | None)
            assert_type(address.display_name, str | None)
            assert_type(dataclasses.replace(address, name=None), Address)
            dataclasses.replace(address, name="Ann")  # type: ignore[arg-type]
        assert_type(dataclasses.asdict(envelope), dict[str, Any])
        body: BodyData = data[b"BODYSTRUCTURE"]
        for number, part in body.walk():
            assert_type(number, str)
            assert_type(part, BodyData)
            assert_type(part.content_type, str | None)
            assert_type(part.filename, str | None)
            assert_type(part.size, int | None)
    copied = client.copy(ids, "Archive")
    assert_type(copied, CopyReply)
    assert_type(copied.uids, UidSet | None)
    assert_type(client.move("1:*", "Archive"), CopyReply)
    assert_type(client.add_flags(ids, [SEEN, "Work"]), ItemResult[tuple[bytes, ...]] | None)
    assert_type(client.get_flags(range(1, 10)), ItemResult[tuple[bytes, ...]])
    client.set_flags({1, 2}, DELETED, silent=True)
    assert_type(client.expunge(ids), tuple[bytes, list[tuple[Any, ...]]])


def listen(client: IMAPClient) -> None:
    with client.idle(timeout=600) as idle:
        assert_type(idle, Idle)
        for item in idle:
            assert_type(item, tuple[Any, ...])
    assert_type(idle.rest, list[tuple[Any, ...]])


def import_mail(client: IMAPClient, messages: list[bytes]) -> None:
    reply = client.append("INBOX", messages[0], flags=[SEEN], msg_time=datetime.datetime.now())
    assert_type(reply, AppendReply)
    assert_type(reply.uidvalidity, int | None)
    as_before: bytes = reply
    assert_type(as_before.decode(), str)
    assert_type(client.multiappend("INBOX", messages), AppendReply)
    try:
        assert_type(client.create_folder("Archive"), bytes)
    except AlreadyExistsError as error:
        assert_type(error.command, str)
        assert_type(error.code, tuple[bytes, tuple[Any, ...]] | None)
    except CommandError as error:
        assert_type(error.text, str)


def folders(client: IMAPClient) -> None:
    for flags, delimiter, name in client.list_folders("", "*"):
        assert_type(flags, tuple[bytes, ...])
        assert_type(delimiter, bytes | None)
        assert_type(name, Any)  # str, or bytes with folder_encode off
    assert_type(client.find_special_folder(SENT), str | None)
    assert_type(client.folder_status("INBOX", ["UNSEEN"]), dict[bytes, Any])
    assert_type(client.namespace(), Namespace)
    assert_type(client.get_quota_root("INBOX"), tuple[MailboxQuotaRoots, list[Quota]])


def wait(client: IMAPClient) -> None:
    client.idle()
    for response in client.idle_check(timeout=60):
        assert_type(response, tuple[Any, ...])
    assert_type(client.idle_done(), tuple[bytes, list[tuple[Any, ...]]])
    with IMAPClient("localhost") as other:
        assert_type(other, IMAPClient)

    def told(item: tuple[Any, ...]) -> None:
        print(item)

    client.on_unsolicited = told


def mistakes(client: IMAPClient) -> None:
    client.login(5, "secret")  # type: ignore[arg-type]
    client.fetch(1.5, "FLAGS")  # type: ignore[arg-type]
    client.fetch(1)  # type: ignore[call-arg]
    client.append("INBOX", b"m", msg_time="today")  # type: ignore[arg-type]
    client.add_flags(1, 5)  # type: ignore[arg-type]
    client.select_folder(None)  # type: ignore[arg-type]
    client.search("ALL").modseq + 1  # type: ignore[operator]
    client.serach("ALL")  # type: ignore[attr-defined]
    Address(b"Ann", None, b"ann")  # type: ignore[call-arg]
    Quota("", "STORAGE", 10, "512")  # type: ignore[arg-type]
    IMAPClient("localhost", timeout="10")  # type: ignore[arg-type]
    print(LoginError("x").codes)  # type: ignore[attr-defined]
