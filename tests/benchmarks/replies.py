"""The replies of the benchmark's server: generated values, and their form in IMAP.

Nothing here uses imapclient. The values are generated first, and then written as IMAP.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.mail import (
    ODD,
    ORDINARY,
    VARIED,
    Mail,
    a_bodystructure,
    a_moment,
    a_person,
    an_envelope,
    date_text,
    encode,
    encoded_word,
    flattened,
    message_id,
    naive_utc,
    sentence,
    varied_structure,
)

CAPTURES = Path(__file__).resolve().parent / "captures"
HEADER_ITEM = b"BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
# The server's text for each APPEND.
APPENDED = b"[APPENDUID 1 7] Append completed"
DIGEST_OVER = 4096  # worker.py shortens longer values in the same way

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


def envelopes(
    mail: Mail, structure_of: Callable[[random.Random], tuple[object, ...]] = a_bodystructure
) -> Callable[[int, int, random.Random], Reply]:
    def message(seq: int, uid: int, rng: random.Random) -> Reply:
        chosen, moment, size = rng.choice(FLAG_SETS), a_moment(rng), rng.randrange(300, 10**7)
        wire, value = an_envelope(rng, mail)
        structure = structure_of(rng)
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
        "overviews": envelopes(VARIED, varied_structure),
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
