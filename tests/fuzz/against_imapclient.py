"""Compares our parsed values with those of IMAPClient 4.1.0, for input that both accept.

IMAPClient comes from the package index into an environment of its own, as for tests/live/test_same_as_imapclient.py,
and answers over a pipe. A table here has the known differences, by their entry in doc/src/differences.rst.
"""

from __future__ import annotations

import atexit
import functools
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable, NamedTuple

from tests.benchmarks.processes import PEER, Interpreter, environment, environments_folder
from tests.fuzz import seeds
from tests.fuzz.harnesses import Harness, responses
from tests.live import same_as_imapclient
from tests.live.same_as_imapclient import any_bytes
from tests.live.same_as_imapclient.comparing import Difference, differences
from tests.live.same_as_imapclient.recording import Form

_ANSWER_IS_OF = re.compile(rb"\* (?:(?:SEARCH|SORT) ?|(\d+) FETCH )?")


class _Peer:
    """IMAPClient in another process."""

    def __init__(self) -> None:
        python = environment(environments_folder(None) / "peer", (PEER,))
        self._process = subprocess.Popen(
            [str(python), "-m", "same_as_imapclient.any_bytes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Python searches modules in this folder first. The checkout has another package named imapclient.
            cwd=Path(same_as_imapclient.__file__).parent.parent,
            env=Interpreter(python, None).variables(),
        )
        atexit.register(self._end)

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def outcomes(self, records: any_bytes.Records) -> dict[str, Form]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(any_bytes.encoded(records).encode("ascii") + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Form] = json.loads(self._process.stdout.readline())
        return answer


@functools.cache
def _peer() -> _Peer:
    return _Peer()


class _Input(NamedTuple):
    """What both parse, as text too."""

    text: bytes
    call: str


def against_imapclient(data: bytes) -> None:
    for records in _records(data):
        text = b"".join(b"".join(record) if isinstance(record, tuple) else record for record in records)
        theirs = _peer().outcomes(records)
        for call, ours in any_bytes.outcomes(records).items():
            if "returned" in theirs[call] and "returned" in ours:
                found = differences(theirs[call], ours)
                undeclared = [str(one) for one in found if not _declared(_Input(text, call), one)]
                assert not undeclared, f"{call} of {records}: {'; '.join(undeclared)}"


def _records(data: bytes) -> Iterator[any_bytes.Records]:
    """Return the responses in imaplib's form, without ``* 3 FETCH``."""
    *cut, _ = responses(data)
    for response in cut:
        records: any_bytes.Records = list(response.records or [response.line])
        first = records[0][0] if isinstance(records[0], tuple) else records[0]
        match = _ANSWER_IS_OF.match(first)
        if match is not None:
            first = (match[1] or b"") + first[match.end() - (1 if match[1] else 0) :]
        records[0] = (first, records[0][1]) if isinstance(records[0], tuple) else first
        yield records


_NIL_IN_LOWER_CASE = re.compile(rb"(?!NIL)[Nn][Ii][Ll]")
_QUOTES_IN_BRACKETS = re.compile(rb'\[[^]]*"')
_LITERAL8 = re.compile(rb"~\{\d+\}")
_ANNOUNCEMENT = re.compile(rb"\{\d+\+?\}")
_MORE_THAN_64_BITS = re.compile(rb"\d{20}")
_QUOTE_WITHIN = re.compile(rb'[^ (]"[^ )]')
_ENDS_A_WORD = re.compile(rb"[\x00-\x1f%\x7f]")

_Rule = Callable[[_Input, Difference], object]
RULES: Mapping[str, _Rule] = {
    "NIL in any letter case is None": lambda data, found: _NIL_IN_LOWER_CASE.search(data.text),
    "A message's number is what stands before FETCH": lambda data, found: "[b'SEQ']" in found.where,
    "Sizes are numbers": lambda data, found: ".SIZE" in found.where,
    "Flags are always bytes": lambda data, found: (
        ("FLAGS" in found.where or "X-GM-LABELS" in found.where) and not found.theirs.startswith("builtins.bytes")
    ),
    "Header fields in keys have no quotes": lambda data, found: _QUOTES_IN_BRACKETS.search(data.text),
    "``parse_response`` takes brackets for parts of words": lambda data, found: (
        b"[" in data.text and data.call == "parse_response"
    ),
    "A literal8 has its item's name": lambda data, found: _LITERAL8.search(data.text),
    "A multipart without its parts": lambda data, found: "[]" in found.ours or found.where.endswith(".is_multipart"),
    "``BodyData.create`` takes every tuple": lambda data, found: (
        found.ours.startswith("BodyData([[") and found.theirs.startswith("BodyData([[") and b"))" in data.text
    ),
    "Addresses in groups can be printed": lambda data, found: found.where.startswith("str("),
    "Parentheses and literals that don't fit are errors": lambda data, found: _ANNOUNCEMENT.search(data.text),
    "A folder's name is always text": lambda data, found: (
        data.call == "parse_response" and found.theirs.startswith("builtins.int")
    ),
    "Numbers have no more than 64 bits": lambda data, found: _MORE_THAN_64_BITS.search(data.text),
    "Fields of an envelope are bytes or None": lambda data, found: (
        "ENVELOPE" in found.where and found.theirs.startswith(("builtins.int", "builtins.tuple ()"))
    ),
    "What ends a word": lambda data, found: _ENDS_A_WORD.search(data.text),
    "Parentheses round a value": lambda data, found: found.theirs.startswith("builtins.tuple ("),
    "Quotes within a string": lambda data, found: _QUOTE_WITHIN.search(data.text),
    "A backslash in a string": lambda data, found: (
        "\\" in found.theirs and found.theirs.replace("\\", "") == found.ours.replace("\\", "")
    ),
}
"""Key: the entry in doc/src/differences.rst. Value: a function that recognises the difference."""


def _declared(data: _Input, difference: Difference) -> bool:
    return difference.kind == "subclass" or any(rule(data, difference) for rule in RULES.values())


AGAINST_IMAPCLIENT = {
    "against_imapclient": Harness(
        against_imapclient,
        seeds.responses_with(b"FETCH", b"SEARCH", b"SORT", b"STATUS", b"LIST"),
        # IMAPClient uses today's offset from UTC for all times.
        zone="UTC",
    )
}
