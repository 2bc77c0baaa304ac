"""The inputs from which fuzzing starts: the parser cases in tests/fixtures, and a few more texts."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterator

from tests import fixtures
from tests.fixtures.case import Case
from tests.fixtures.on_the_wire import ANNOUNCEMENTS, INJECTIONS
from tests.fixtures.reading import STREAM


def responses() -> list[bytes]:
    """Return the bytes of every parser case, with the broken ones."""
    found = []
    for module in pkgutil.iter_modules(fixtures.__path__):
        for value in vars(importlib.import_module(f"tests.fixtures.{module.name}")).values():
            if isinstance(value, list):
                found += [case.raw for case in value if isinstance(case, Case)]
    return sorted(set(found))


def responses_with(*words: bytes) -> list[bytes]:
    """Return the seeds that contain one of the words."""
    return [raw for raw in responses() if any(word in raw.upper() for word in words)]


STREAMS = [
    b"\x00" + STREAM,
    b"\x07" + STREAM,
    b"\xc1" + STREAM,
    b"\x82* 1 FETCH (BODY[] {300}\r\n" + b"x" * 300 + b")\r\n",
    b"\x01a\nb\r\n",
]
NAMES = [
    b"INBOX",
    b"Entw&APw-rfe",
    b"&-",
    b"a&b",
    b"AT&T-x",
    b"&AAo-",
    b"&2D3eAA-",
    b"&2D0-",
    b"Entw\xc3\xbcrfe",
    b"caf\xe9",
    b"&ZeVnLIqe-/&U,BTFw-",
    b"&Jjo!",
]
SEQUENCE_SETS = [
    b"1",
    b"1:5,9",
    b"2:*",
    b"*",
    b"$",
    b"5:7,3",
    b"4294967295:1",
    b"1,1,1:3",
    b" 7 ",
    b"*:*",
    b"0",
    b"1:0",
]
DATES = [
    b"17-Jul-1996 02:44:25 -0700",
    b" 1-Feb-2020 10:11:12 +0530",
    b"Mon, 7 Feb 1994 21:52:25 -0800 (PST)",
    b"Sat, 8 May 2010 16.03.09 +0200",
    b"31-Dec-9999 23:59:59 -1200",
    b"01-Jan-0001 00:00:00 +1400",
    b"00-Jan-0000 00:00:00 +0000",
    b"30 Jun 2015 23:59:60 GMT",
    b"1 Jan 69 00:00 EST",
    b"29-Mar-2020 02:30:00 +0100",
]
HEADERS = [
    b"=?utf-8?q?caf=C3=A9?= =?utf-8?b?4oKs?=",
    b"=?iso-2022-jp?B?GyRCRnxLXA==?= and =?gb2312?q?=C4=E3?=",
    b"=?utf-7?q?+2D0-?=",
    b"a\r\n b\x00\xff=?x?q??=",
    b"NAME*0*=utf-8''%E2%82;NAME*1*=%AC;NAME=x;CHARSET=us-ascii",
    b"name*=iso-8859-1'en'%A3%20rates",
]
CODES = [
    b"[UIDNEXT 8] Predicted",
    b"[COPYUID 38505 304,319:320 3956:3958] Done",
    b"[APPENDUID 38505 3955] Done",
    b'[PERMANENTFLAGS (\\Answered "a]b" \\*)] ok',
    b"[BADCHARSET (UTF-8)] no",
    b"[ALERT",
    b"[COPYUID 1 1:4294967295 1:4294967295] x",
]
CONFIGURATIONS = [
    b"[DEFAULT]\nhost = imap.example.org\nusername = ann\npassword = 50%%\ntimeout = 12.5\nport = 993\n",
    b"[DEFAULT]\nhost=a\n[work]\nssl = no\nstarttls: yes\nhost = b\nexpect_failure = x\n; no\n# no\n",
    b"\xef\xbb\xbf[DEFAULT]\r\nhost = %(username)s\r\n  more\r\n",
    b"host = x\n",
    b"[DEFAULT]\nhost = x\nhost = y\n",
]
CHALLENGES = [
    b"r=abc,s=QSXCR+Q6sek8bf92,i=4096\r\nv=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\r\n",
    b'{"status": "invalid_token"}\r\n',
    b"<1896.697170952@postoffice.example.net>\r\n",
    b"\r\n\r\n",
]
TEXTS = [text.encode("utf-8") for text in (*INJECTIONS, *ANNOUNCEMENTS, "INBOX", 'a "b" \\c', "größe", "NIL", "a[b]")]

# Words that lead into branches of the parsers. The fuzzer's dictionary and the mutations use them.
WORDS = (
    *(b"(", b")", b" ", b'"', b"\\", b'\\"', b"NIL", b"nil", b"0", b"007", b"4294967295", b"18446744073709551616"),
    *(b"UID", b"FLAGS", b"MODSEQ", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY[", b"]", b"BODY[]", b"BINARY.SIZE[1]"),
    *(b"BODY[HEADER.FIELDS (", b"INTERNALDATE", b"RFC822.SIZE", b"X-GM-LABELS", b"{3}\r\n", b"~{3}\r\n", b"{0+}\r\n"),
    *(b"\r\n", b"\n", b"\r", b"\t", b"\x00", b"\xff", b"ALL", b"(TAG", b":", b",", b"*", b"-1", b"9.3736e+06"),
    *(b'(NIL NIL "a" "b")', b'"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1', b'"MESSAGE" "RFC822"', b'"MIXED"', b"\\Seen"),
    *(
        b"=?utf-8?q?",
        b"=?utf-8?b?",
        b"?=",
        b"''",
        b"*0*=",
        b"%E2",
        b"&",
        b"&AOQ-",
        b"+0000",
        b"Jan",
        b"-0700",
        b"[",
        b"=",
    ),
)


def mutated(seeds: list[bytes], count: int, number: int) -> Iterator[bytes]:
    """Return changed seeds. They are the same for the same ``number``."""
    dice = random.Random(number)
    for _ in range(count):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 4)):
            place = dice.randint(0, len(data))
            end = min(len(data), place + dice.choice((0, 0, 1, 2, 8)))
            kind = dice.randrange(4)
            if kind == 0:
                new = dice.choice(WORDS)
            elif kind == 1:
                new = bytes([dice.randrange(256)])
            elif kind == 2:
                other = dice.choice(seeds)
                start = dice.randint(0, len(other))
                new = other[start : start + dice.randint(0, 40)]
            else:
                new = b""
            data[place:end] = new
        yield bytes(data)
