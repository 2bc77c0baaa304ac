"""Made-up mail: people, envelopes and body structures, as values and in their form in IMAP.

Nothing here uses imapclient. All of it comes from a generator of random numbers, and so from its seed.
"""

from __future__ import annotations

import base64
import random
from datetime import datetime, timedelta, timezone
from email.header import Header
from typing import NamedTuple

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


class Mail(NamedTuple):
    """How often a mailbox has text for which servers do not send plain quoted strings."""

    literals: float
    """The share of strings that are sent as literals, although they could be quoted."""
    quoted_names: float
    """The share of people's names that contain quotes."""
    odd_subjects: float
    """The share of subjects that contain quotes and a backslash."""
    raw_subjects: float = 0.02
    """The share of subjects that are raw UTF-8, which servers send as literals."""
    named: float = 0.85
    """The share of addresses with a name."""
    answers: float = 0.4
    """The share of messages with an In-Reply-To."""
    to: tuple[int, ...] = (1, 1, 1, 2, 3, 6)
    """The numbers of recipients, each as probable as another."""
    cc: tuple[int, ...] = (0, 0, 0, 1, 4)


# A server sends as literals only what can't be quoted: here a subject in fifty, which is raw UTF-8.
ORDINARY = Mail(0.0, 0.005, 0.02)
# In a third of the messages something is a literal, and in another third something has escapes.
ODD = Mail(0.01, 0.11, 0.05)
# Everything is quoted. Names have escapes, and the numbers of recipients vary.
VARIED = Mail(0.0, 0.25, 0.0, raw_subjects=0.0, named=1.0, answers=1.0, to=(1, 2, 3, 4), cc=(0, 1, 2))


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
    name = encoded_word(chosen) if rng.random() < mail.named else None
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
    subject_bytes = subject.encode() if rng.random() < mail.raw_subjects else encoded_word(subject)
    if rng.random() < mail.odd_subjects:
        subject_bytes = b'Re: "' + subject_bytes + b'" \\ next'
    sender = [a_person(rng, mail)]
    people: list[list[Person]] = [sender, sender, sender if rng.random() < 0.8 else [a_person(rng, mail)]]
    people.append([a_person(rng, mail) for _ in range(rng.choice(mail.to))])
    people.append([a_person(rng, mail) for _ in range(rng.choice(mail.cc))])
    people.append([])
    answered = message_id(rng) if rng.random() < mail.answers else None
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


def varied_part(rng: random.Random, kind: int) -> tuple[object, ...]:
    """Return a text, a file or an image, with parameters and a disposition."""
    size = rng.randrange(200, 5_000_000)
    if kind == 0:
        charset = rng.choice((b"UTF-8", b"us-ascii", b"iso-8859-1"))
        parameters = (b"CHARSET", charset, b"FORMAT", b"flowed")
        encoding = rng.choice((b"7BIT", b"8BIT", b"QUOTED-PRINTABLE"))
        plain = (b"TEXT", rng.choice((b"PLAIN", b"HTML")), parameters, None, None, encoding, size, size // 60)
        return (*plain, None, (b"INLINE", None), None, None)
    name = encoded_word(sentence(rng, 2))
    end = (None, b"BASE64", size, None)
    if kind == 1:
        subtype = rng.choice((b"PDF", b"ZIP", b"OCTET-STREAM"))
        placing = (b"ATTACHMENT", (b"FILENAME", name, b"SIZE", b"%d" % size))
        return (b"APPLICATION", subtype, (b"NAME", name), None, *end, placing, None, None)
    subtype = rng.choice((b"PNG", b"JPEG"))
    return (b"IMAGE", subtype, (b"NAME", name), message_id(rng), *end, (b"INLINE", (b"FILENAME", name)), None, None)


def varied_structure(rng: random.Random) -> tuple[object, ...]:
    """Return a BODYSTRUCTURE of one part, or of one to four parts, each of one of three kinds."""
    if rng.random() < 0.4:
        return varied_part(rng, rng.randrange(3))
    parts = [varied_part(rng, rng.randrange(3)) for _ in range(rng.randrange(1, 5))]
    return multipart(rng, rng.choice((b"MIXED", b"ALTERNATIVE", b"RELATED")), *parts)


def flattened(value: object) -> object:
    """Return the value as a client returns it, without encode()'s list for addresses."""
    if isinstance(value, tuple):
        if len(value) == 1 and isinstance(value[0], list):
            return tuple(flattened(part) for part in value[0])
        return tuple(flattened(part) for part in value)
    if isinstance(value, list):
        return [flattened(part) for part in value]
    return value
