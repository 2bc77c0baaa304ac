"""The replies of the benchmark's server: generated values, and their form in IMAP.

Nothing here uses imapclient. The values are generated first, and then written as IMAP.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.header import Header
from pathlib import Path
from typing import Any, NamedTuple

CAPTURES = Path(__file__).resolve().parent / "captures"
HEADER_ITEM = b"BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
# The server's text for each APPEND.
APPENDED = b"[APPENDUID 1 7] Append completed"
DIGEST_OVER = 4096  # worker.py shortens longer values in the same way

NAMES = (
    "Ann Example",
    "Bob O'Hara",
    "Zoë Müller",
    "山田太郎",
    "Иван Петров",
    "Support, Sales & Co.",
    "newsletter",
    "José Ángel Pérez-Gutiérrez",
)
QUOTED_NAME = 'Jo "the cat" Doe'
WORDS = (
    *("meeting", "agenda", "invoice", "report", "Tuesday", "project", "budget", "release", "notes"),
    *("question", "draft", "order", "confirmation", "travel", "weekly", "summary", "reminder"),
    *("Grüße", "résumé", "会議", "отчёт", "price", "offer", "ticket", "update", "server", "outage"),
)
HOSTS = ("example.org", "mail.example.com", "lists.example.net", "example.co.uk")
FLAG_SETS = (
    (),
    (b"\\Seen",),
    (b"\\Seen",),
    (b"\\Seen", b"\\Answered"),
    (b"\\Seen", b"$Forwarded"),
    (b"\\Flagged", b"\\Seen", b"NonJunk", b"$label1"),
    (b"\\Deleted",),
    (b"\\Draft", b"\\Recent"),
)
# Parts of folder names, on the wire (modified UTF-7, RFC 3501 section 5.1.3) and for the user.
FOLDER_WORDS = (
    (b"Projects", "Projects"),
    (b"2023 archive", "2023 archive"),
    (b"Entw&APw-rfe", "Entwürfe"),
    (b"Research &- Development", "Research & Development"),
    (b"&U,BTFw-", "台北"),
    (b"Lists", "Lists"),
    (b"customer-support", "customer-support"),
    (b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
)
ATOM = re.compile(rb"[A-Za-z0-9_.$/&-]+\Z")


class Reply(NamedTuple):
    """One response of a folder: its bytes, and the key and the value that it means."""

    wire: bytes
    key: int
    value: object


class Folder(NamedTuple):
    uids: list[int]
    messages: list[bytes]
    whole: bytes
    search: bytes
    listing: bytes


def short(value: bytes) -> object:
    """Return the value, or its length and digest if it is too long to print."""
    if len(value) <= DIGEST_OVER:
        return value
    return ("bytes", len(value), hashlib.sha256(value).hexdigest())


class Mail(NamedTuple):
    """How often a mailbox has text for which servers do not send plain quoted strings."""

    literals: float
    """The share of strings that are sent as literals, although they could be quoted."""
    quoted_names: float
    """The share of people's names that contain quotes."""
    odd_subjects: float
    """The share of subjects that contain quotes and a backslash."""


# A server sends as literals only what can't be quoted: here a subject in fifty, which is raw UTF-8.
ORDINARY = Mail(0.0, 0.005, 0.02)
# In a third of the messages something is a literal, and in another third something has escapes.
ODD = Mail(0.01, 0.11, 0.05)


def encode(value: object, rng: random.Random, mail: Mail = ORDINARY) -> bytes:
    """Return a value of ENVELOPE or BODYSTRUCTURE as IMAP. The items of a list follow each other without spaces."""
    if value is None:
        return b"NIL"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytes):
        plain = value.isascii() and b"\r" not in value and b"\n" not in value
        if not plain or rng.random() < mail.literals:
            return b"{%d}\r\n%b" % (len(value), value)
        return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if isinstance(value, list):
        return b"".join(encode(part, rng, mail) for part in value)
    assert isinstance(value, tuple), value
    return b"(%b)" % b" ".join(encode(part, rng, mail) for part in value)


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def encoded_word(text: str) -> bytes:
    """Return the text for a header: ASCII unchanged, other text as encoded words (RFC 2047)."""
    if text.isascii():
        return text.encode()
    return Header(text, "utf-8", maxlinelen=10**6).encode().encode()


def date_text(moment: datetime, rng: random.Random) -> str:
    comment = rng.choice(("", "", " (CET)"))
    return f"{moment:%a, %d %b %Y %H:%M:%S %z}{comment}"


def a_moment(rng: random.Random) -> datetime:
    zone = timezone(timedelta(minutes=rng.choice((-480, -300, 0, 0, 60, 120, 330))))
    return datetime(2015, 1, 1, tzinfo=zone) + timedelta(seconds=rng.randrange(300_000_000))


def naive_utc(moment: datetime) -> str:
    """Return what a client with TZ=UTC returns for the time. worker.py runs with TZ=UTC."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()


class Person(NamedTuple):
    wire: tuple[object, ...]
    value: tuple[object, ...]
    header: bytes


def a_person(rng: random.Random, mail: Mail = ORDINARY) -> Person:
    chosen = QUOTED_NAME if rng.random() < mail.quoted_names else rng.choice(NAMES)
    name = encoded_word(chosen) if rng.random() < 0.85 else None
    mailbox = (rng.choice("abcdef") + str(rng.randrange(10_000)) + ".user").encode()
    host = rng.choice(HOSTS).encode()
    fields = (name, None, mailbox, host)
    quoted = b"" if name is None else b'"%b" ' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return Person(fields, ("Address", *fields), quoted + b"<%b@%b>" % (mailbox, host))


def message_id(rng: random.Random) -> bytes:
    return b"<%032x@%b>" % (rng.getrandbits(128), rng.choice(HOSTS).encode())


def an_envelope(rng: random.Random, mail: Mail = ORDINARY) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return the fields of an ENVELOPE (RFC 3501, 7.4.2): for the wire, and as a client returns them."""
    moment = a_moment(rng)
    subject = sentence(rng, rng.randrange(2, 9))
    subject_bytes = subject.encode() if rng.random() < 0.02 else encoded_word(subject)
    if rng.random() < mail.odd_subjects:
        subject_bytes = b'Re: "' + subject_bytes + b'" \\ next'
    sender = [a_person(rng, mail)]
    people: list[list[Person]] = [sender, sender, sender if rng.random() < 0.8 else [a_person(rng, mail)]]
    people.append([a_person(rng, mail) for _ in range(rng.choice((1, 1, 1, 2, 3, 6)))])
    people.append([a_person(rng, mail) for _ in range(rng.choice((0, 0, 0, 1, 4)))])
    people.append([])
    answered = message_id(rng) if rng.random() < 0.4 else None
    own = message_id(rng)
    wire: list[object] = [date_text(moment, rng).encode(), subject_bytes]
    value: list[object] = ["Envelope", naive_utc(moment), subject_bytes]
    for group in people:
        # Addresses follow each other with nothing between, as the items of a list do in encode().
        wire.append(([person.wire for person in group],) if group else None)
        value.append(tuple(person.value for person in group) or None)
    return (*wire, answered, own), (*value, answered, own)


def text_part(rng: random.Random, subtype: bytes) -> tuple[object, ...]:
    size = rng.randrange(200, 40_000)
    encoding = rng.choice((b"7BIT", b"QUOTED-PRINTABLE", b"BASE64"))
    charset = (b"CHARSET", rng.choice((b"UTF-8", b"us-ascii", b"iso-8859-1")))
    return (
        b"TEXT",
        subtype,
        charset,
        None,
        None,
        encoding,
        size,
        size // 60,
        None,
        None,
        None,
        None,
    )


def file_part(rng: random.Random, kind: bytes, subtype: bytes, disposition: bytes) -> tuple[object, ...]:
    name = encoded_word(sentence(rng, 2) + "." + subtype.decode().lower())
    size = rng.randrange(5_000, 5_000_000)
    content_id = message_id(rng) if disposition == b"INLINE" else None
    placing = (disposition, (b"FILENAME", name, b"SIZE", b"%d" % size))
    md5 = base64.b64encode(rng.randbytes(16)) if rng.random() < 0.1 else None
    return (
        kind,
        subtype,
        (b"NAME", name),
        content_id,
        None,
        b"BASE64",
        size,
        md5,
        placing,
        None,
        None,
    )


def multipart(rng: random.Random, subtype: bytes, *parts: object) -> tuple[object, ...]:
    return (list(parts), subtype, (b"BOUNDARY", b"=_%016x" % rng.getrandbits(64)), None, None, None)


def message_part(rng: random.Random) -> tuple[object, ...]:
    text = text_part(rng, b"PLAIN")
    wire, _ = an_envelope(rng)
    return (
        b"MESSAGE",
        b"RFC822",
        None,
        None,
        b"forwarded",
        b"7BIT",
        9_000,
        wire,
        text,
        150,
        None,
        None,
        None,
        None,
    )


def a_bodystructure(rng: random.Random) -> tuple[object, ...]:
    """Return a BODYSTRUCTURE (RFC 3501, 7.4.2) as clients return it: the parts are in a list."""
    plain, html = text_part(rng, b"PLAIN"), text_part(rng, b"HTML")
    kind = rng.random()
    if kind < 0.2:
        return plain
    if kind < 0.3:
        return html
    alternative = multipart(rng, b"ALTERNATIVE", plain, html)
    if kind < 0.6:
        return alternative
    if kind < 0.7:
        image = file_part(rng, b"IMAGE", b"PNG", b"INLINE")
        return multipart(rng, b"ALTERNATIVE", plain, multipart(rng, b"RELATED", html, image))
    if kind < 0.95:
        files = [
            file_part(rng, b"APPLICATION", rng.choice((b"PDF", b"ZIP")), b"ATTACHMENT")
            for _ in range(rng.randrange(1, 4))
        ]
        return multipart(rng, b"MIXED", alternative, *files)
    return multipart(rng, b"MIXED", plain, message_part(rng))


def flattened(value: object) -> object:
    """Return the value as a client returns it, without encode()'s list for addresses."""
    if isinstance(value, tuple):
        if len(value) == 1 and isinstance(value[0], list):
            return tuple(flattened(part) for part in value[0])
        return tuple(flattened(part) for part in value)
    if isinstance(value, list):
        return [flattened(part) for part in value]
    return value


def uids_of(count: int, rng: random.Random) -> Iterator[int]:
    """Return ascending UIDs. About one in thirty is missing, as after deleting messages."""
    uid = 0
    for _ in range(count):
        uid += 1 if rng.random() < 0.97 else rng.randrange(2, 9)
        yield uid


def reply(seq: int, uid: int, wire: bytes, values: dict[bytes, object]) -> Reply:
    values[b"SEQ"] = seq
    return Reply(b"* %d FETCH (UID %d %b)\r\n" % (seq, uid, wire), uid, tuple(sorted(values.items())))


def flags(seq: int, uid: int, rng: random.Random) -> Reply:
    chosen, modseq = rng.choice(FLAG_SETS), rng.randrange(1, 2**31)
    wire = b"FLAGS (%b) MODSEQ (%d)" % (b" ".join(chosen), modseq)
    return reply(seq, uid, wire, {b"FLAGS": chosen, b"MODSEQ": (modseq,)})


def mixed(seq: int, uid: int, rng: random.Random) -> Reply:
    chosen, moment = rng.choice(FLAG_SETS), a_moment(rng)
    modseq, size = rng.randrange(1, 2**40), rng.randrange(300, 10**7)
    date = f"{moment:%d-%b-%Y %H:%M:%S %z}".encode()
    wire = b'MODSEQ (%d) INTERNALDATE "%b" RFC822.SIZE %d FLAGS (%b)' % (
        modseq,
        date,
        size,
        b" ".join(chosen),
    )
    values: dict[bytes, object] = {
        b"FLAGS": chosen,
        b"INTERNALDATE": naive_utc(moment),
        b"MODSEQ": (modseq,),
        b"RFC822.SIZE": size,
    }
    return reply(seq, uid, wire, values)


def envelopes(mail: Mail) -> Callable[[int, int, random.Random], Reply]:
    def message(seq: int, uid: int, rng: random.Random) -> Reply:
        chosen, moment, size = rng.choice(FLAG_SETS), a_moment(rng), rng.randrange(300, 10**7)
        wire, value = an_envelope(rng, mail)
        structure = a_bodystructure(rng)
        text = b'FLAGS (%b) INTERNALDATE "%b" RFC822.SIZE %d ENVELOPE %b BODYSTRUCTURE %b' % (
            b" ".join(chosen),
            f"{moment:%d-%b-%Y %H:%M:%S %z}".encode(),
            size,
            encode(wire, rng, mail),
            encode(structure, rng, mail),
        )
        values: dict[bytes, object] = {
            b"FLAGS": chosen,
            b"INTERNALDATE": naive_utc(moment),
            b"RFC822.SIZE": size,
            b"ENVELOPE": value,
            b"BODYSTRUCTURE": flattened(structure),
        }
        return reply(seq, uid, text, values)

    return message


def header_block(rng: random.Random) -> bytes:
    """Return five header fields with the empty line at their end, 300 to 800 bytes."""
    subject = encoded_word(sentence(rng, rng.randrange(2, 9)))
    head = b"From: %b\r\nSubject: %b\r\nDate: %b\r\nMessage-ID: %b\r\nTo: %b" % (
        a_person(rng).header,
        subject,
        date_text(a_moment(rng), rng).encode(),
        message_id(rng),
        a_person(rng).header,
    )
    target = rng.randrange(300, 700)
    while len(head) + 4 < target:
        head += b",\r\n " + a_person(rng).header
    return head + b"\r\n\r\n"


def headers(seq: int, uid: int, rng: random.Random) -> Reply:
    block = header_block(rng)
    wire = b"%b {%d}\r\n%b" % (HEADER_ITEM, len(block), block)
    return reply(seq, uid, wire, {HEADER_ITEM: block})


def bodies(size: int) -> Callable[[int, int, random.Random], Reply]:
    """Generate messages of this size, or of 15 to 70 kB if it is 0."""
    lines = base64.encodebytes(random.Random(size).randbytes(size or 70_000)).replace(b"\n", b"\r\n")

    def body(seq: int, uid: int, rng: random.Random) -> Reply:
        return whole(seq, uid, rng, size or rng.randrange(15_000, 70_000))

    def whole(seq: int, uid: int, rng: random.Random, size: int) -> Reply:
        head = header_block(rng)
        start = rng.randrange(len(lines) - size)
        text = head + lines[start : start + size - len(head)]
        return reply(seq, uid, b"BODY[] {%d}\r\n%b" % (len(text), text), {b"BODY[]": short(text)})

    return body


def replayed(server: str, count: int) -> Iterator[Reply]:
    """Repeat the recorded responses of a real server with other numbers. See record.py."""
    capture = (CAPTURES / f"{server}.bin").read_bytes()
    responses: list[bytes] = []
    position = 0
    while position < len(capture):
        start = position
        while True:
            end = capture.index(b"\r\n", position) + 2
            literal = LITERAL.search(capture[position:end])
            position = end + (int(literal[1]) if literal else 0)
            if not literal:
                break
        responses.append(capture[start:position])
    for number in range(1, count + 1):
        wire = responses[(number - 1) % len(responses)]
        wire = re.sub(rb"\A\* \d+", b"* %d" % number, wire)
        # The first item, or the last one.
        wire = re.sub(rb"(?<=FETCH \(UID )\d+|(?<= UID )\d+(?=\)\r\n\Z)", b"%d" % number, wire)
        yield Reply(wire, number, None)


def no_message(seq: int, uid: int, rng: random.Random) -> Reply:
    return Reply(b"", uid, None)


def folder_line(index: int, rng: random.Random) -> Reply:
    parts = [rng.choice(FOLDER_WORDS) for _ in range(rng.randrange(1, 4))]
    wire = b"/".join([part[0] for part in parts] + [b"f%d" % index])
    name = "/".join([part[1] for part in parts] + [f"f{index}"])
    attributes = rng.choice(((b"\\HasNoChildren",), (b"\\HasNoChildren", b"\\Marked"), (b"\\HasChildren",), ()))
    text = encode(wire, rng) if rng.random() < 0.5 or not ATOM.match(wire) else wire
    line = b'* LIST (%b) "/" %b\r\n' % (b" ".join(attributes), text)
    return Reply(line, index, (attributes, b"/", name))


def make_folder(name: str, count: int, size: int, expect: Path | None) -> Folder:
    """Generate the replies of one workload. They are the same for the same name and numbers."""
    rng = random.Random(f"{name} {count} {size}")
    kinds = {
        "flags": flags,
        "iterate": flags,
        "mixed": mixed,
        "envelopes": envelopes(ODD if name == "envelopes-odd" else ORDINARY),
        "headers": headers,
        "bodies": bodies,
    }
    expected: list[Reply] = []
    uids: list[int] = []
    messages: list[bytes] = []
    listing = b""
    kind = name.split("-")[0]
    if kind == "list":
        expected = [folder_line(index, rng) for index in range(count)]
        listing = b"".join(line.wire for line in expected)
    elif kind == "replay":
        expected = list(replayed(name[len("replay-") :], count))
        uids = [message.key for message in expected]
        messages = [message.wire for message in expected]
    elif kind == "append":
        expected = [Reply(b"", index, APPENDED) for index in range(count)]
    elif kind == "search":
        uids = list(uids_of(count, rng))
        expected = [Reply(b"", index, uid) for index, uid in enumerate(uids)]
    else:
        make: Any = bodies(size) if kind in ("bodies", "download") else kinds[kind]
        uids = list(uids_of(count, rng))
        expected = [make(seq, uid, rng) for seq, uid in enumerate(uids, 1)]
        messages = [message.wire for message in expected]
    if expect is not None and kind != "replay":
        with open(expect / f"{name}.expected", "w", encoding="utf-8") as file:
            file.writelines(f"{item.key}\t{item.value!r}\n" for item in expected)
    search = b"* SEARCH %b\r\n" % b" ".join(b"%d" % uid for uid in uids)
    return Folder(uids, messages, b"".join(messages), search, listing)
