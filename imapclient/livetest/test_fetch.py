"""FETCH: the items, the sets of messages, and the iterators."""

from __future__ import annotations

import base64
import datetime
import io
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, NoSuchPartError
from imapclient.livetest.fixtures import fill, flags_of, ids, message, needs, with_uids

from ..response_types import Address

_MULTIPART = (
    b"Date: Tue, 2 Jan 2024 10:20:30 -0700\r\n"
    b"Subject: With parts\r\n"
    b'From: "Ann \\"A\\" B" <ann@example.org>\r\n'
    b"Sender: sender@example.org\r\n"
    b"Reply-To: Replies <reply@example.org>\r\n"
    b"To: bob@example.org, Carol <carol@example.com>\r\n"
    b"Cc: (a comment) j@example.net\r\n"
    b"In-Reply-To: <1@example.org>\r\n"
    b"Message-ID: <2@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=outer\r\n"
    b"\r\n"
    b"preamble\r\n"
    b"--outer\r\n"
    b"Content-Type: multipart/alternative; boundary=inner\r\n"
    b"\r\n"
    b"--inner\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"caf=C3=A9\r\n"
    b"--inner\r\n"
    b"Content-Type: text/html\r\n"
    b"\r\n"
    b"<p>x</p>\r\n"
    b"--inner--\r\n"
    b"--outer\r\n"
    b'Content-Type: application/octet-stream; name="a b.bin"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="a b.bin"\r\n'
    b"\r\n"
    b"AAEC\r\n"
    b"--outer\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: inside\r\n"
    b"\r\n"
    b"nested\r\n"
    b"--outer--\r\n"
)


@pytest.fixture
def multipart(client: IMAPClient, folder: str, numbering: str) -> int:
    """The id of a message with parts. The selected folder has no other message."""
    client.append(folder, _MULTIPART, (), datetime.datetime(2024, 1, 2, 17, 20, 31, tzinfo=datetime.timezone.utc))
    client.select_folder(folder)
    return ids(client)[0]


@pytest.fixture
def four(client: IMAPClient, folder: str, numbering: str) -> list[int]:
    """The ids of the messages in the selected folder. Their subjects are "Number 1" to "Number 4"."""
    return fill(client, folder, [message(f"Number {number}") for number in range(1, 5)])


def _body_type(body: Any) -> tuple[bytes, bytes]:
    return body[0].lower(), body[1].lower()


def _addresses(addresses: Any) -> list[str]:
    # If an address has no name, servers send NIL or an empty string. str() gives the same for both.
    return [str(address) for address in addresses]


def test_fetch_envelope(client: IMAPClient, multipart: int) -> None:
    client.normalise_times = False
    envelope = client.fetch(multipart, "ENVELOPE")[multipart][b"ENVELOPE"]
    zone = datetime.timezone(datetime.timedelta(hours=-7))
    assert envelope.date == datetime.datetime(2024, 1, 2, 10, 20, 30, tzinfo=zone)
    assert envelope.date.utcoffset() == datetime.timedelta(hours=-7)
    assert envelope.subject == b"With parts"
    assert envelope.from_ == (Address(b'Ann "A" B', None, b"ann", b"example.org"),)
    assert _addresses(envelope.sender) == ["sender@example.org"]
    assert _addresses(envelope.reply_to) == ["Replies <reply@example.org>"]
    assert _addresses(envelope.to) == ["bob@example.org", "Carol <carol@example.com>"]
    assert [(address.mailbox, address.host) for address in envelope.cc] == [(b"j", b"example.net")]
    assert envelope.bcc is None
    assert envelope.in_reply_to == b"<1@example.org>"
    assert envelope.message_id == b"<2@example.org>"


def test_fetch_envelope_with_encoded_words(client: IMAPClient, folder: str) -> None:
    subject, name = "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?utf-8?q?J=C3=BCrgen?="
    (uid,) = fill(client, folder, [message(subject, b"", f"Cc: {name} <j@example.net>")])
    envelope = client.fetch(uid, "ENVELOPE")[uid][b"ENVELOPE"]
    assert envelope.subject == subject.encode("ascii")
    assert envelope.cc == (Address(name.encode("ascii"), None, b"j", b"example.net"),)


def test_fetch_envelope_in_local_time(client: IMAPClient, multipart: int) -> None:
    date = client.fetch(multipart, "ENVELOPE")[multipart][b"ENVELOPE"].date
    sent = datetime.datetime(2024, 1, 2, 17, 20, 30, tzinfo=datetime.timezone.utc)
    assert date == sent.astimezone().replace(tzinfo=None)


@pytest.mark.parametrize("item", ["BODYSTRUCTURE", "BODY"])
def test_fetch_body_structure(client: IMAPClient, multipart: int, item: str) -> None:
    body = client.fetch(multipart, item)[multipart][item.encode("ascii")]
    assert body.is_multipart
    parts, subtype = body[:2]
    assert subtype.lower() == b"mixed"
    alternative, attachment, nested = parts
    assert alternative.is_multipart
    assert alternative[1].lower() == b"alternative"
    assert [_body_type(part) for part in alternative[0]] == [(b"text", b"plain"), (b"text", b"html")]
    plain = alternative[0][0]
    assert not plain.is_multipart
    assert tuple(word.lower() for word in plain[2]) == (b"charset", b"utf-8")
    assert plain[5].lower() == b"quoted-printable"
    assert _body_type(attachment) == (b"application", b"octet-stream")
    assert b"a b.bin" in attachment[2]
    assert _body_type(nested) == (b"message", b"rfc822")
    assert nested[7].subject == b"inside" if hasattr(nested[7], "subject") else b"inside" in nested[7]


def test_fetch_the_message_and_its_parts(client: IMAPClient, multipart: int) -> None:
    items = ["BODY.PEEK[]", "BODY.PEEK[1.1]", "BODY.PEEK[1.2.MIME]", "BODY.PEEK[2]", "BODY.PEEK[3.HEADER]"]
    fetched = client.fetch(multipart, items)[multipart]
    assert fetched[b"BODY[]"] == _MULTIPART
    assert fetched[b"BODY[1.1]"].rstrip() == b"caf=C3=A9"
    assert fetched[b"BODY[1.2.MIME]"].strip() == b"Content-Type: text/html"
    assert fetched[b"BODY[2]"].rstrip() == b"AAEC"
    assert fetched[b"BODY[3.HEADER]"] == b"Subject: inside\r\n\r\n"


def test_fetch_headers_and_text(client: IMAPClient, multipart: int) -> None:
    header, text = (part for part in _MULTIPART.split(b"\r\n\r\n", 1))
    fetched = client.fetch(multipart, ["BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "RFC822.HEADER"])[multipart]
    assert fetched[b"BODY[HEADER]"] == header + b"\r\n\r\n"
    assert fetched[b"RFC822.HEADER"] == header + b"\r\n\r\n"
    assert fetched[b"BODY[TEXT]"] == text
    assert flags_of(client, multipart) == set()


def test_fetch_rfc822(client: IMAPClient, multipart: int) -> None:
    fetched = client.fetch(multipart, ["RFC822", "RFC822.TEXT", "RFC822.SIZE"])[multipart]
    assert fetched[b"RFC822"] == _MULTIPART
    assert fetched[b"RFC822.TEXT"] == _MULTIPART.split(b"\r\n\r\n", 1)[1]
    assert fetched[b"RFC822.SIZE"] == len(_MULTIPART)


def test_fetch_header_fields(client: IMAPClient, multipart: int) -> None:
    items = "BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID X-NONE)]"
    fetched = client.fetch(multipart, items)[multipart]
    (key,) = (key for key in fetched if key.startswith(b"BODY[HEADER.FIELDS"))
    lines = fetched[key].splitlines()
    assert sorted(lines) == [b"", b"Message-ID: <2@example.org>", b"Subject: With parts"]
    fetched = client.fetch(multipart, "BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]")[multipart]
    (key,) = (key for key in fetched if key.startswith(b"BODY[HEADER.FIELDS.NOT"))
    assert b"Message-ID: <2@example.org>\r\n" in fetched[key]
    assert b"Subject:" not in fetched[key]


def test_fetch_a_part_of_the_body(client: IMAPClient, multipart: int) -> None:
    for start, length in [(0, 10), (5, 100), (0, 1_000_000), (1_000_000, 10)]:
        fetched = client.fetch(multipart, f"BODY.PEEK[]<{start}.{length}>")[multipart]
        # If the start is after the end of the text, servers send an empty string (RFC 9051, 6.4.5) or NIL.
        assert (fetched[b"BODY[]<%d>" % start] or b"") == _MULTIPART[start : start + length]


def test_fetch_internal_date_and_size(client: IMAPClient, multipart: int) -> None:
    moment = datetime.datetime(2024, 1, 2, 17, 20, 31, tzinfo=datetime.timezone.utc)
    fetched = client.fetch(multipart, ["INTERNALDATE", "RFC822.SIZE", "UID"])[multipart]
    assert fetched[b"INTERNALDATE"] == moment.astimezone().replace(tzinfo=None)
    assert fetched[b"RFC822.SIZE"] == len(_MULTIPART)
    assert fetched[b"SEQ"] == 1
    client.normalise_times = False
    assert client.fetch(multipart, "INTERNALDATE")[multipart][b"INTERNALDATE"] == moment


def test_fetch_many_items_at_once(client: IMAPClient, multipart: int) -> None:
    items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "BODY.PEEK[1.1]<0.3>"]
    fetched = client.fetch(multipart, items)[multipart]
    wanted = (b"SEQ", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY[]")
    assert set(wanted) <= set(fetched)
    assert fetched[b"BODY[1.1]<0>"] == b"caf"


def test_fetch_macros(client: IMAPClient, multipart: int) -> None:
    # A macro must be the only item, without parentheses (RFC 9051, 6.4.5).
    fast = {b"SEQ", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"}
    assert set(client.fetch(multipart, "FAST")[multipart]) >= fast
    assert set(client.fetch(multipart, "ALL")[multipart]) >= fast | {b"ENVELOPE"}
    assert set(client.fetch(multipart, "FULL")[multipart]) >= fast | {b"ENVELOPE", b"BODY"}


def test_fetch_modification_sequence(client: IMAPClient, multipart: int) -> None:
    needs(client, "CONDSTORE")
    (modseq,) = client.fetch(multipart, "MODSEQ")[multipart][b"MODSEQ"]
    assert client.fetch(multipart, "FLAGS", [f"CHANGEDSINCE {modseq}"]) == {}
    changed = client.fetch(multipart, "FLAGS", [f"CHANGEDSINCE {modseq - 1}"])
    assert changed[multipart][b"MODSEQ"] == (modseq,)


def test_fetch_binary(client: IMAPClient, multipart: int) -> None:
    needs(client, "BINARY")
    fetched = client.fetch(multipart, ["BINARY[2]", "BINARY.SIZE[2]"])[multipart]
    assert fetched[b"BINARY[2]"] == b"\x00\x01\x02"
    assert fetched[b"BINARY.SIZE[2]"] == 3


def test_fetch_marks_as_seen_unless_it_peeks(client: IMAPClient, four: list[int]) -> None:
    client.fetch(four[0], "BODY.PEEK[]")
    assert flags_of(client, four[0]) == set()
    fetched = client.fetch(four[0], "BODY[]")[four[0]]
    assert b"Subject: Number 1" in fetched[b"BODY[]"]
    assert flags_of(client, four[0]) == {b"\\Seen"}


def test_fetch_sets_of_all_kinds(client: IMAPClient, four: list[int]) -> None:
    first, last = four[0], four[-1]
    kinds: list[Any] = [
        list(four),
        tuple(four),
        set(four),
        range(first, last + 1),
        f"{first}:{last}",
        b"%d:%d" % (first, last),
        "1:*",
        f"{first}:{four[1]},{four[2]},{last}",
        [str(uid) for uid in four],
        [f"{first}:{four[2]}", last],
    ]
    for messages in kinds:
        fetched = client.fetch(messages, ["FLAGS"])
        assert sorted(fetched) == four, messages
        assert [fetched[uid][b"SEQ"] for uid in four] == [1, 2, 3, 4], messages


def test_fetch_one_id(client: IMAPClient, four: list[int]) -> None:
    assert list(client.fetch(four[2], "UID")) == [four[2]]
    assert list(client.fetch("*", "FLAGS")) == [four[3]]


def test_fetch_in_the_order_of_the_request(client: IMAPClient, four: list[int]) -> None:
    first, second, third, fourth = four
    assert list(client.fetch([third, first, fourth, second], "FLAGS")) == [third, first, fourth, second]
    assert list(client.fetch(f"{fourth}:{first}", "FLAGS")) == [fourth, third, second, first]
    assert list(client.fetch([second, second, first], "FLAGS")) == [second, first]


@with_uids
def test_fetch_missing_messages(client: IMAPClient, four: list[int]) -> None:
    behind = four[-1] + 1000
    assert client.fetch(behind, "FLAGS") == {}
    assert list(client.fetch([four[1], behind], "FLAGS")) == [four[1]]


def test_fetch_nothing(client: IMAPClient, four: list[int]) -> None:
    nothings: list[Any] = [[], (), set(), range(0)]
    for nothing in nothings:
        assert client.fetch(nothing, "FLAGS") == {}


@with_uids
def test_fetch_by_sequence_numbers(client: IMAPClient, four: list[int]) -> None:
    client.delete_messages(four[0], silent=True)
    client.expunge()
    client.use_uid = False
    fetched = client.fetch([1, 3], ["UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])
    assert list(fetched) == [1, 3]
    assert [fetched[number][b"UID"] for number in (1, 3)] == [four[1], four[3]]
    assert [fetched[number][b"SEQ"] for number in (1, 3)] == [1, 3]


def test_fetch_of_unknown_items_is_refused(client: IMAPClient, four: list[int]) -> None:
    with pytest.raises(CommandError) as caught:
        client.fetch(four, "NOSUCHITEM")
    assert caught.value.status in ("BAD", "NO")
    assert caught.value.command == ("UID FETCH" if client.use_uid else "FETCH")
    assert sorted(client.fetch(four, "FLAGS")) == four


def test_fetch_sees_a_message_of_another_connection(client: IMAPClient, second_client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    second_client.append(folder, message("From outside"))
    client.noop()
    (uid,) = client.search()
    assert client.fetch(uid, "ENVELOPE")[uid][b"ENVELOPE"].subject == b"From outside"


def test_fetch_a_thousand_messages(client: IMAPClient, folder: str) -> None:
    client.append(folder, message("One of many"))
    # Copying all messages ten times is faster than appending 1024 of them.
    for _ in range(10):
        client.select_folder(folder)
        client.copy("1:*", folder)
    assert client.select_folder(folder)[b"EXISTS"] > 0
    found = ids(client)
    if len(found) < 1024:
        pytest.skip("the server keeps only one of several equal messages")
    fetched = client.fetch(found, ["FLAGS", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])
    assert list(fetched) == found
    assert {items[b"ENVELOPE"].subject for items in fetched.values()} == {b"One of many"}
    assert [items[b"SEQ"] for items in fetched.values()] == list(range(1, 1025))
    # The set of every second id is the longest, because no two of these ids are a range.
    half = found[::2]
    assert list(client.fetch(half[::-1], "FLAGS")) == half[::-1]
    client.add_flags(half, b"\\Flagged", silent=True)
    assert sorted(client.search("FLAGGED")) == half
    client.use_uid = False
    assert len(client.fetch("1:*", "UID")) == 1024


@pytest.mark.usefixtures("numbering")
def test_fetch_by_more_ids_than_fit_into_a_command(client: IMAPClient, folder: str) -> None:
    ids = fill(client, folder, [message(f"Number {number}") for number in range(3)])
    if not client.use_uid:
        pytest.skip("a server may refuse sequence numbers of missing messages")
    wanted = [*ids, *range(ids[-1] + 10, ids[-1] + 40_000, 2)]
    assert {uid: data[b"ENVELOPE"].subject for uid, data in client.fetch(wanted, "ENVELOPE").items()} == {
        uid: b"Number %d" % number for number, uid in enumerate(ids)
    }
    assert client.search(["UID", wanted]) == ids
    client.noop()


def test_fetch_iter_while_the_loop_changes_the_folder(
    client: IMAPClient, second_client: IMAPClient, folder: str
) -> None:
    found = fill(client, folder, [message(f"Number {number}") for number in range(7)])
    seen = []
    for number, data in client.fetch_iter("1:*", ["ENVELOPE", "FLAGS"], chunk_messages=2):
        seen.append((number, data[b"ENVELOPE"].subject))
        client.add_flags(number, "\\Answered")
        if number == found[2]:
            second_client.append(folder, message("Number 7"))
            client.noop()
    assert seen == [(number, b"Number %d" % index) for index, number in enumerate(found)]
    assert all(b"\\Answered" in flags_of(client, number) for number in found)


@pytest.mark.usefixtures("numbering")
def test_fetch_iter_by_size(client: IMAPClient, folder: str) -> None:
    bodies = [message(f"Number {number}", b"x" * 1000 * number + b"\r\n") for number in range(1, 6)]
    found = fill(client, folder, bodies)
    fetched = client.fetch_iter(found, "BODY.PEEK[]", chunk_bytes=3500)
    assert [(number, data[b"BODY[]"]) for number, data in fetched] == list(zip(found, bodies))


def test_fetch_iter_in_an_empty_folder(client: IMAPClient, folder: str) -> None:
    client.select_folder(folder)
    assert list(client.fetch_iter("1:*", "FLAGS")) == []


def test_download_of_parts(client: IMAPClient, folder: str, numbering: str) -> None:
    content = bytes(range(256)) * 2000
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    data = (
        b'Subject: Parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Gr=C3=BC=C3=9Fe\r\n--b\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n"
    )
    [number] = fill(client, folder, [data])

    def download(section: str, **options: Any) -> bytes:
        file = io.BytesIO()
        assert client.download(number, section, file, chunk_size=100_000, **options) == len(file.getvalue())
        return file.getvalue()

    assert download("") == data
    assert download("2").rstrip() == encoded.rstrip()
    assert download("2", decode=True) == content
    assert download("1", decode=True).decode().rstrip() == "Grüße"
    assert b"Subject: Parts" in download("HEADER")
    assert b"\\Seen" not in flags_of(client, number)
    with pytest.raises(NoSuchPartError):
        download("7")
    # Some servers refuse the sequence number of a missing message.
    with pytest.raises(NoSuchPartError if client.use_uid else (NoSuchPartError, CommandError)):
        client.download(number + 5, "1", io.BytesIO())
    client.noop()
