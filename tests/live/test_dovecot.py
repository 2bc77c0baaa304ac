"""Tests that need Dovecot: extensions, messages that pymap can't parse, PREAUTH, unsolicited responses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from imapclient import FLAGGED, SEEN, IMAPClient
from imapclient.exceptions import CommandError, IllegalStateError
from imapclient.response_types import Address
from tests.helpers.dovecot import Dovecot

_TIMEOUT = 60


class _User:
    """A new user and its clients."""

    def __init__(self, server: Dovecot) -> None:
        self.name = f"user-{uuid.uuid4().hex}"
        self._server = server
        self._clients: list[IMAPClient] = []
        server.add_user(self.name, "secret")

    def connect(self) -> IMAPClient:
        client = IMAPClient(self._server.host, self._server.port, ssl=False, timeout=_TIMEOUT)
        self._clients.append(client)
        client.login(self.name, "secret")
        return client

    def close(self) -> None:
        for client in self._clients:
            client.shutdown()


@pytest.fixture
def user(dovecot: Dovecot) -> Iterator[_User]:
    """A new user with an empty mailbox."""
    user = _User(dovecot)
    yield user
    user.close()


@pytest.fixture
def inbox(user: _User) -> IMAPClient:
    """A client of `user`. Its selected folder is INBOX, which is empty."""
    client = user.connect()
    client.select_folder("INBOX")
    return client


@pytest.fixture
def watcher(user: _User, inbox: IMAPClient) -> IMAPClient:
    """Another client of `user` with INBOX selected. Use it after `_fill`."""
    return user.connect()


def _message(subject: str, body: bytes = b"Hello.\r\n", *headers: str) -> bytes:
    lines = [f"Subject: {subject}", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def _fill(client: IMAPClient, count: int) -> list[int]:
    for number in range(1, count + 1):
        client.append("INBOX", _message(f"Number {number}"))
    client.noop()
    return sorted(client.search())


# -- addresses


def test_envelope_with_groups_of_addresses(inbox: IMAPClient) -> None:
    headers = (
        'From: "The Team": ann@example.org, Bob <bob@example.org>;',
        "To: undisclosed-recipients:;",
        "Cc: first@example.org, Nobody: ;, last@example.org",
    )
    inbox.append("INBOX", _message("Groups", b"", *headers))
    inbox.noop()
    envelope = inbox.fetch("1:*", "ENVELOPE")[1][b"ENVELOPE"]
    end = Address(None, None, None, None)
    assert envelope.from_ == (
        Address(None, None, b"The Team", None),
        Address(None, None, b"ann", b"example.org"),
        Address(b"Bob", None, b"bob", b"example.org"),
        end,
    )
    assert envelope.to == (Address(None, None, b"undisclosed-recipients", None), end)
    assert envelope.cc == (
        Address(None, None, b"first", b"example.org"),
        Address(None, None, b"Nobody", None),
        end,
        Address(None, None, b"last", b"example.org"),
    )
    assert [str(address) for address in envelope.cc] == ["first@example.org", "Nobody", "", "last@example.org"]


def test_envelope_with_a_route_and_no_host(inbox: IMAPClient) -> None:
    inbox.append("INBOX", _message("Odd", b"", "From: <@a.example,@b.example:ann@example.org>", "To: root"))
    inbox.noop()
    envelope = inbox.fetch(1, "ENVELOPE")[1][b"ENVELOPE"]
    (sender,) = envelope.from_
    assert (sender.mailbox, sender.host) == (b"ann", b"example.org")
    assert sender.route == b"@a.example,@b.example"
    assert envelope.to[0].mailbox == b"root"


# -- BINARY


def test_binary_of_each_encoding(inbox: IMAPClient) -> None:
    inbox.append(
        "INBOX",
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: application/x; \r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAP8=\r\n"
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"caf=C3=A9 =\r\nau lait\r\n--b--\r\n",
    )
    inbox.noop()
    items = ["BINARY.PEEK[1]", "BINARY.SIZE[1]", "BINARY.PEEK[2]", "BINARY.PEEK[1]<1.2>"]
    fetched = inbox.fetch(1, items)[1]
    assert fetched[b"BINARY[1]"] == b"\x00\x01\x02\x00\xff"
    assert fetched[b"BINARY.SIZE[1]"] == 5
    assert fetched[b"BINARY[2]"].rstrip() == "café au lait".encode()
    assert fetched[b"BINARY[1]<1>"] == b"\x01\x02"
    assert inbox.get_flags(1) == {1: (b"\\Recent",)}


def test_binary_message_with_nul(inbox: IMAPClient) -> None:
    body = bytes(range(256)) * 300
    headers = ("MIME-Version: 1.0", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: binary")
    inbox.append("INBOX", _message("Binary", body, *headers), [SEEN])
    inbox.append("INBOX", _message("After"))
    inbox.noop()
    fetched = inbox.fetch("1:*", ["BINARY.PEEK[1]", "FLAGS", "ENVELOPE"])
    assert fetched[1][b"BINARY[1]"] == body
    assert SEEN in fetched[1][b"FLAGS"]
    assert fetched[2][b"ENVELOPE"].subject == b"After"


def test_binary_of_an_unknown_encoding_is_refused(inbox: IMAPClient) -> None:
    inbox.append("INBOX", _message("Odd", b"x\r\n", "MIME-Version: 1.0", "Content-Transfer-Encoding: x-unknown"))
    inbox.noop()
    with pytest.raises(CommandError) as caught:
        inbox.fetch(1, "BINARY.PEEK[1]")
    assert caught.value.code == (b"UNKNOWN-CTE", ())
    assert inbox.fetch(1, "BODY.PEEK[TEXT]")[1][b"BODY[TEXT]"] == b"x\r\n"


# -- PREAUTH over a stream


@pytest.fixture
def preauth(dovecot: Dovecot, user: _User) -> Iterator[IMAPClient]:
    """A client over standard input and output, which needs no login."""
    # If root starts it, Dovecot's imap refuses a socket as its output. With cat it has a pipe.
    command = f"{dovecot.preauth_command(user.name)} 2>/dev/null | cat"
    with IMAPClient(command, stream=True, timeout=_TIMEOUT) as client:
        yield client


def test_stream_begins_logged_in(preauth: IMAPClient) -> None:
    assert preauth.welcome.startswith(b"* PREAUTH ")
    assert preauth.has_capability("UIDPLUS")
    data = _message("Over a stream", b"x" * 200_000)
    preauth.append("Archive", data, [FLAGGED])
    assert preauth.select_folder("Archive")[b"EXISTS"] == 1
    assert preauth.fetch(1, "BODY.PEEK[]")[1][b"BODY[]"] == data
    assert preauth.logout()


def test_stream_and_another_connection_are_one_mailbox(preauth: IMAPClient, user: _User) -> None:
    preauth.append("INBOX", _message("From the stream"))
    client = user.connect()
    client.select_folder("INBOX")
    assert client.search(["SUBJECT", "From the stream"]) == [1]


def test_stream_can_idle(preauth: IMAPClient, user: _User) -> None:
    preauth.select_folder("INBOX")
    preauth.idle()
    user.connect().append("INBOX", _message("Delivered"))
    heard = preauth.idle_check(timeout=_TIMEOUT)
    heard += preauth.idle_done()[1]
    assert (1, b"EXISTS") in heard


def test_preauth_takes_no_starttls(preauth: IMAPClient) -> None:
    with pytest.raises(IllegalStateError):
        preauth.starttls()
    assert preauth.folder_exists("INBOX")


# -- login and TLS as Dovecot is set up


def test_login_waits_for_tls_where_it_is_disabled(dovecot: Dovecot) -> None:
    # At its second address Dovecot accepts passwords only over TLS.
    with IMAPClient(dovecot.host, dovecot.port, ssl=False, timeout=_TIMEOUT) as client:
        assert not client.has_capability("LOGINDISABLED")
        client.starttls(dovecot.ssl_context)
        assert not client.has_capability("STARTTLS")
        client.login("alice", "secret")
        assert client.has_capability("MOVE")


# -- LITERAL+


@pytest.mark.parametrize(
    "name",
    ['a"b\\c', "{5}", "{5+}", "x" * 200, "(a b)", "%s*", "tröt ~&~", "NIL", '""', "&AOQ-"],
    ids=repr,
)
def test_odd_folder_names(inbox: IMAPClient, name: str) -> None:
    assert inbox.has_capability("LITERAL+")
    inbox.create_folder(name)
    assert name in [item[2] for item in inbox.list_folders()]
    inbox.append(name, _message("There"))
    assert inbox.folder_status(name, ["MESSAGES"]) == {b"MESSAGES": 1}
    inbox.select_folder(name)
    inbox.copy(1, name)
    assert inbox.fetch("1:*", "FLAGS").keys() == {1, 2}
    inbox.delete_folder(name)


def test_folder_names_as_literals(inbox: IMAPClient) -> None:
    # Raw UTF-8 must be a literal. Dovecot reports that the folder does not exist, and stays in step.
    inbox.folder_encode = False
    with pytest.raises(CommandError):
        inbox.select_folder("Entwürfe".encode())
    with pytest.raises(CommandError):
        inbox.rename_folder("Größe".encode(), "Maß".encode())
    with pytest.raises(CommandError):
        inbox.create_folder(b"two\r\nlines")
    inbox.folder_encode = True
    assert inbox.select_folder("INBOX")[b"EXISTS"] == 0


# -- CONDSTORE


def _highest_modseq(client: IMAPClient) -> int:
    # Dovecot counts modifications only after the first request for them.
    value: int = client.folder_status("INBOX", "HIGHESTMODSEQ")[b"HIGHESTMODSEQ"]
    return value


def test_search_by_modification_sequence(inbox: IMAPClient) -> None:
    found = _fill(inbox, 3)
    before = _highest_modseq(inbox)
    inbox.add_flags(found[1], FLAGGED)
    after = _highest_modseq(inbox)
    assert after > before
    changed = inbox.search(["MODSEQ", before + 1])
    assert changed == [found[1]]
    assert changed.modseq == after
    everything = inbox.search(["MODSEQ", 1])
    assert sorted(everything) == found
    assert everything.modseq == after
    nothing = inbox.search(["MODSEQ", after + 1000])
    assert nothing == []
    assert nothing.modseq is None
    assert inbox.search(["MODSEQ", "/flags/\\Flagged", "all", before + 1]) == [found[1]]


def test_fetch_changed_since(inbox: IMAPClient) -> None:
    found = _fill(inbox, 3)
    modseq = _highest_modseq(inbox)
    assert inbox.select_folder("INBOX")[b"HIGHESTMODSEQ"] == modseq
    inbox.add_flags(found[2], SEEN, silent=True)
    changed = inbox.fetch("1:*", ["FLAGS"], [f"CHANGEDSINCE {modseq}"])
    assert list(changed) == [found[2]]
    assert changed[found[2]][b"MODSEQ"][0] > modseq


# -- searches


def test_search_in_a_charset_that_dovecot_does_not_know(inbox: IMAPClient) -> None:
    found = _fill(inbox, 2)
    with pytest.raises(CommandError) as caught:
        inbox.search(["SUBJECT", "Number"], "IDNA")
    assert caught.value.code is not None
    assert caught.value.code[0] == b"BADCHARSET"
    assert inbox.search(["SUBJECT", "Number 2"], "ISO-8859-1") == found[1:]


def test_search_in_latin_1(inbox: IMAPClient) -> None:
    headers = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit")
    inbox.append("INBOX", _message("Umlauts", "Größe\r\n".encode("iso-8859-1"), *headers))
    inbox.noop()
    for charset in (None, "UTF-8", "ISO-8859-1"):
        assert inbox.search(["BODY", "größe"], charset) == [1]
        assert inbox.search('BODY "größe"', charset) == [1]


# -- many messages


def test_many_messages(inbox: IMAPClient) -> None:
    inbox.create_folder("many")
    inbox.append("many", _message("One of many"))
    inbox.select_folder("many")
    for _ in range(12):
        inbox.copy("1:*", "many")
        inbox.noop()
    found = inbox.search()
    assert found == list(range(1, 4097))
    half = found[::2]
    inbox.add_flags(half, FLAGGED, silent=True)
    assert inbox.search("FLAGGED") == half
    # This set has no ranges, so that it needs several commands.
    assert list(inbox.fetch(half, "FLAGS")) == half
    assert inbox.search(["UID", half, "FLAGGED"]) == half
    with pytest.raises(ValueError, match="too long"):
        inbox.search([["NOT", "UID", half]])
    inbox.move(half, "Archive")
    assert inbox.search() == found[1::2]
    assert inbox.folder_status("Archive", "MESSAGES") == {b"MESSAGES": 2048}
    inbox.delete_messages(found[1::4], silent=True)
    told = inbox.uid_expunge(found[1::4])[1]
    assert len([item for item in told if item[1:] == (b"EXPUNGE",)]) == 1024
    assert inbox.search() == found[3::4]
    inbox.use_uid = False
    with pytest.raises(ValueError, match="sequence numbers"):
        inbox.copy(range(1, 100_000, 2), "Archive")
    assert len(inbox.search()) == 1024


# -- two clients


def test_flags_of_others_are_not_in_the_result(inbox: IMAPClient, watcher: IMAPClient) -> None:
    first, second, third = _fill(inbox, 3)
    watcher.select_folder("INBOX")
    watcher.set_flags([first, third], FLAGGED)
    # Dovecot reports these in the same command.
    fetched = inbox.fetch(second, "ENVELOPE")
    assert list(fetched) == [second]
    assert fetched[second][b"ENVELOPE"].subject == b"Number 2"
    watcher.remove_flags(first, FLAGGED)
    assert list(inbox.add_flags(second, SEEN) or ()) == [second]
    watcher.add_flags([first, second, third], b"$Other")
    assert list(inbox.get_flags([third])) == [third]
    assert b"$Other" in inbox.get_flags(second)[second]


def test_flags_that_change_during_a_fetch_of_the_message(inbox: IMAPClient, watcher: IMAPClient) -> None:
    (uid,) = _fill(inbox, 1)
    watcher.select_folder("INBOX")
    watcher.add_flags(uid, FLAGGED)
    fetched = inbox.fetch(uid, ["BODY.PEEK[TEXT]", "FLAGS"])
    assert fetched[uid][b"BODY[TEXT]"] == b"Hello.\r\n"
    assert FLAGGED in fetched[uid][b"FLAGS"]
    assert set(fetched) == {uid}


def test_expunged_by_another_client(inbox: IMAPClient, watcher: IMAPClient) -> None:
    found = _fill(inbox, 5)
    watcher.select_folder("INBOX")
    watcher.delete_messages(found[:2], silent=True)
    watcher.expunge()
    # UIDs still mean the same messages. The sequence numbers have changed.
    fetched = inbox.fetch(found, "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    headers = [fetched[uid][b"BODY[HEADER.FIELDS (SUBJECT)]"] for uid in found[2:]]
    assert headers == [b"Subject: Number %d\r\n\r\n" % number for number in (3, 4, 5)]
    # For an expunged message Dovecot sends NIL, or nothing.
    gone = [items.get(b"BODY[HEADER.FIELDS (SUBJECT)]") for uid, items in fetched.items() if uid in found[:2]]
    assert set(gone) <= {None, b"Subject: Number 1\r\n\r\n", b"Subject: Number 2\r\n\r\n"}
    inbox.noop()
    assert inbox.search() == found[2:]
    assert [items[b"SEQ"] for items in inbox.fetch(found[2:], "FLAGS").values()] == [1, 2, 3]


def test_store_while_another_client_expunges(inbox: IMAPClient, watcher: IMAPClient) -> None:
    found = _fill(inbox, 4)
    watcher.select_folder("INBOX")
    watcher.delete_messages(found[0], silent=True)
    watcher.expunge()
    answer = inbox.add_flags(found[1:], FLAGGED)
    assert answer is not None
    assert set(answer) == set(found[1:])
    assert all(FLAGGED in flags for flags in answer.values())
    assert sorted(inbox.search("FLAGGED")) == found[1:]


def test_new_messages_during_commands(inbox: IMAPClient, watcher: IMAPClient) -> None:
    found = _fill(inbox, 2)
    watcher.append("INBOX", _message("Number 3"))
    assert list(inbox.fetch(found, "FLAGS")) == found
    watcher.append("INBOX", _message("Number 4"))
    assert set(found) <= set(inbox.search("ALL"))
    watcher.append("INBOX", _message("Number 5"))
    assert inbox.folder_status("Archive", "MESSAGES") == {b"MESSAGES": 0}
    inbox.noop()
    assert len(inbox.search("ALL")) == 5


def test_selected_folder_is_deleted_by_another_client(user: _User) -> None:
    client, other = user.connect(), user.connect()
    client.create_folder("doomed")
    client.select_folder("doomed")
    other.delete_folder("doomed")
    # Dovecot may continue or close the connection. The client gets at most one clear error, and does not hang.
    try:
        client.noop()
        client.select_folder("INBOX")
    except IMAPClient.AbortError:
        with pytest.raises(IMAPClient.AbortError):
            client.noop()
    assert not other.folder_exists("doomed")
