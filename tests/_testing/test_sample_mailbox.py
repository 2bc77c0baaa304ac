"""The sample mailbox: the bytes and properties of its messages, also on the server and from a zip file."""

from __future__ import annotations

import hashlib
import imaplib
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import get_type_hints

import pytest
import six

import imapclient
from imapclient import sample_mailbox
from imapclient.embedded_server import EmbeddedServer
from imapclient.sample_mailbox import SAMPLE_FOLDERS, SampleMessage, sample_messages

MESSAGES = Path(imapclient.__file__).parent / "_testing" / "sample_messages"

# Programs rely on these tables: no line may change.

# Folder, flags and INTERNALDATE of each message.
PROMISED = [
    ("INBOX", ("\\Seen",), "2021-03-01T08:30:00+01:00"),
    ("INBOX", ("\\Seen", "\\Answered"), "2022-11-07T17:05:00-05:00"),
    ("INBOX", ("\\Seen",), "2022-11-08T09:15:00+05:30"),
    ("INBOX", ("\\Flagged", "$Important"), "2022-11-08T10:40:00-05:00"),
    ("INBOX", (), "2023-05-20T12:00:00+00:00"),
    ("INBOX", ("\\Seen",), "2023-08-02T06:45:00-08:00"),
    ("INBOX", (), "2023-09-14T21:03:00-03:30"),
    ("INBOX", ("\\Flagged",), "2023-12-01T11:11:00+01:00"),
    ("INBOX", (), "2023-12-24T18:00:00+01:00"),
    ("INBOX", ("\\Seen", "$Forwarded"), "2024-02-29T23:59:59+00:00"),
    ("INBOX", (), "2024-04-01T07:00:00+02:00"),
    ("INBOX", (), "2024-06-30T03:20:00+09:00"),
    ("INBOX", ("\\Deleted", "\\Seen"), "2024-07-01T00:00:00+00:00"),
    ("Archive/2019", ("\\Seen",), "2019-01-05T13:37:00+01:00"),
    ("Archive/2019", ("\\Seen", "Project-X"), "2019-07-19T16:20:00+01:00"),
    ("Entwürfe", ("\\Draft", "\\Seen"), "2024-08-08T08:08:08+02:00"),
    ("Lists & News", ("\\Seen",), "2020-10-10T10:10:00-07:00"),
    ("Lists & News", (), "2020-10-10T20:02:00+01:00"),
    ("Sent", ("\\Seen",), "2022-11-07T23:30:00+01:00"),
    ("日本語", (), "2024-01-01T00:00:01+09:00"),
]

# SHA-256 of the bytes of each message.
DIGESTS = [
    "0b498c99e637d635d28f5d6c9a23ee8d9788bb655d356bf133f17d780c578bfd",
    "4316b42b2ac49b094eb3663ca38e1336aa39b017c116045c46e2bc836c5d26f8",
    "2e909b33102dcde561df1401b320b97ab09abf994096e3aa82ebdee39abd0a32",
    "eb8ba173ff911005c354e5e48429280cd4da236e41f5fbcdb5039407df194a9c",
    "f41873156f4a359b7f49674ed5340eb17e0cd3ae424a28cb437a42eaff2474d4",
    "d55f5b57171fcc06ba32d34aae3917293abb0099d3d45988ca28bea8f71acf40",
    "859035e5c582365a59ec78f9199826f98a345bf78611d000c6c4cd52a487935a",
    "4bfa613e7ecf57e71ae50a4fdee67b146c2fbec72c401f987ab07b5046c88552",
    "16ece4c625e0e1732dea11bc12f20bf8941e30fca8554390ca19413c43cbb327",
    "20d0f16f985c42ee12b5936c41f2c8eb8b2806c7492b60ba90cf7c630cfd73b4",
    "4c9ed32c56a9d6b4955a99ba2ff2ace9c8fc6cd2e98e4ad000dbf647bc852aa1",
    "abe32e0a665f83fba576b4800ca1a874dc2926b05d9dba84832feda94feb7c96",
    "85032041830735b293f0de578c405c287afb481fe386a327a62ed4298935b83d",
    "ec4249f158d9fb22d24826fc3109c5022dabaa322f818c05ab48688a73216fe5",
    "43acdec98ab790474f2ee4573cab68e5c72c242e7cb1dc4e0c39e55a140cda84",
    "b07aed6eaf4350b824f61ebf9f6c91bc88908373c0f82cec0a3b9601874cc577",
    "a6ef9c7b4e4f5540e13a7834a87c1d9a5048f58cd76a1bca45b766c31d007021",
    "d11a1ae3edf7428b4c4647ba29042c016dade26a81c069ae11a994f08a4d15c3",
    "6f875d462d40bc2d0a50d0fbca4540b758c87cee9cff0f9449e2cba6d56d8d70",
    "5e548414ec18a5a1a8d4269226f5680d3efb485fbc97f834cb0a99a70e3476d5",
]


def test_folders_flags_and_dates_are_those_that_were_promised() -> None:
    assert [(message.folder, message.flags, message.date.isoformat()) for message in sample_messages()] == PROMISED


def test_bytes_are_those_that_were_promised() -> None:
    assert [hashlib.sha256(message.content).hexdigest() for message in sample_messages()] == DIGESTS


def test_folders_are_those_that_were_promised() -> None:
    assert SAMPLE_FOLDERS == (
        "INBOX",
        "Archive",
        "Archive/2019",
        "Entwürfe",
        "Lists & News",
        "Sent",
        "Trash",
        "日本語",
    )


def test_every_file_but_the_large_one_is_a_whole_message() -> None:
    contents = {message.content for message in sample_messages()}
    files = list(MESSAGES.iterdir())
    assert [path.name for path in files if path.read_bytes() not in contents] == ["large.eml"]
    assert len(files) == len(contents)


def test_types_of_a_message() -> None:
    for message in sample_messages():
        assert type(message) is SampleMessage
        assert [type(value) for value in message] == [str, tuple, datetime, bytes]


def test_names_are_those_of_the_public_module() -> None:
    assert sample_mailbox.__all__ == ["SAMPLE_FOLDERS", "SampleMessage", "sample_messages"]
    assert SampleMessage.__module__ == sample_messages.__module__ == "imapclient.sample_mailbox"
    message = sample_messages()[0]
    assert pickle.loads(pickle.dumps(message)) == message


def test_annotations_can_be_resolved() -> None:
    assert get_type_hints(SampleMessage) == {
        "folder": str,
        "flags": tuple[str, ...],
        "date": datetime,
        "content": bytes,
    }
    assert get_type_hints(sample_messages) == {"return": tuple[SampleMessage, ...]}


def test_messages_load_from_a_zip_file(tmp_path: Path) -> None:
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packages:
        for path in MESSAGES.parent.parent.rglob("*"):
            if path.suffix in (".py", ".eml"):
                packages.write(path, path.relative_to(MESSAGES.parents[2]))
        packages.write(six.__file__, "six.py")
    program = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); from imapclient import sample_mailbox; "
        "assert sample_mailbox.__file__.startswith(sys.argv[1]), sample_mailbox.__file__; "
        "print(*(hashlib.sha256(m.content).hexdigest() for m in sample_mailbox.sample_messages()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(archive)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == DIGESTS


# -- the messages, as programs see them


def parse(message: SampleMessage) -> EmailMessage:
    parsed = message_from_bytes(message.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_the_bytes_are_the_same_each_time() -> None:
    assert sample_messages() == sample_messages()


def test_lines_end_with_crlf_and_are_of_lawful_length() -> None:
    for message in sample_messages():
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message.content)
        assert max(map(len, message.content.split(b"\r\n"))) <= 998


def test_the_standard_parser_finds_no_defect() -> None:
    for message in sample_messages():
        parsed = message_from_bytes(message.content, policy=policy.default)
        for part in parsed.walk():
            assert part.defects == []
            for value in part.values():
                assert list(value.defects) == []


def test_it_is_as_varied_as_promised() -> None:
    messages = sample_messages()
    parsed = [parse(message) for message in messages]
    types = {part.get_content_type() for message in parsed for part in message.walk()}
    assert types >= {
        "text/plain",
        "text/html",
        "multipart/alternative",
        "multipart/mixed",
        "multipart/related",
        "message/rfc822",
        "application/octet-stream",
    }
    filenames = {part.get_filename() for message in parsed for part in message.walk()}
    assert "Crêpes et gâteaux de Noel.pdf" in filenames
    assert {message["subject"] for message in parsed} >= {
        "Grüße aus Köln \u2013 Fotos folgen",
        "明けましておめでとうございます",
    }
    assert any(not message.content.isascii() for message in messages)
    assert 1_000_000 < max(len(message.content) for message in messages) < 2_000_000
    assert {flag for message in messages for flag in message.flags} >= {
        "\\Seen",
        "\\Answered",
        "\\Flagged",
        "\\Draft",
        "\\Deleted",
        "$Important",
    }
    assert len({message.date.year for message in messages}) >= 5
    assert len({message.date.utcoffset() for message in messages}) >= 5
    assert {message.folder for message in messages} < set(SAMPLE_FOLDERS)


def test_a_thread_of_replies_refers_to_its_first_message() -> None:
    parsed = [parse(message) for message in sample_messages()]
    ids = {message["message-id"] for message in parsed}
    replies = [message for message in parsed if message["subject"] == "Re: Release plan"]
    assert len(replies) == 3
    for reply in replies:
        assert set(reply["references"].split()) < ids


# -- on the server

REASON = EmbeddedServer().unavailable_reason()

needs_server = pytest.mark.skipif(REASON is not None, reason=str(REASON))

WIRE_NAMES = {
    "Entwürfe": "Entw&APw-rfe",
    "Lists & News": '"Lists &- News"',
    "日本語": "&ZeVnLIqe-",
}


@pytest.fixture(scope="module")
def sample_client() -> Iterator[imaplib.IMAP4]:
    running = EmbeddedServer(sample=True, folders=["More"])
    with running as server, imaplib.IMAP4(server.host, server.port) as client:
        client.login(server.user, server.password)
        yield client


def fetch_body(client: imaplib.IMAP4, number: int) -> bytes:
    part = client.fetch(str(number), "(BODY.PEEK[])")[1][0]
    assert isinstance(part, tuple)
    return part[1]


@needs_server
def test_the_folders_are_listed_and_subscribed(sample_client: imaplib.IMAP4) -> None:
    names = [WIRE_NAMES.get(name, name).strip('"') for name in SAMPLE_FOLDERS] + ["More"]
    for lines in (sample_client.list()[1], sample_client.lsub()[1]):
        listed = [line for line in lines if isinstance(line, bytes)]
        wire = [line.split(b'"/" ')[1].strip(b'"').decode() for line in listed]
        assert sorted(wire) == sorted(names)


@needs_server
@pytest.mark.parametrize("folder", SAMPLE_FOLDERS)
def test_every_message_can_be_fetched_with_all_its_data(sample_client: imaplib.IMAP4, folder: str) -> None:
    wanted = [message for message in sample_messages() if message.folder == folder]
    typ, (count,) = sample_client.select(WIRE_NAMES.get(folder, folder), readonly=True)
    assert (typ, count) == ("OK", b"%d" % len(wanted))
    for number, message in enumerate(wanted, 1):
        items = "(FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
        typ, parts = sample_client.fetch(str(number), items)
        assert typ == "OK"
        data = b"".join(b"".join(part) if isinstance(part, tuple) else part or b"" for part in parts)
        assert b"RFC822.SIZE %d " % len(message.content) in data
        assert message.date.strftime("%Y %H:%M:%S %z").encode()[5:] in data
        for flag in message.flags:
            assert flag.encode() in data
        assert b"ENVELOPE (" in data
        assert b"BODYSTRUCTURE (" in data
        assert fetch_body(sample_client, number) == message.content
