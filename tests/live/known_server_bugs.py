"""Known bugs of the test servers, with the bytes, and the tests of the live suite that fail because of them.

test_known_server_bugs.py sends the bytes and expects the wrong answer. The tests of the suite are expected to fail. So
both fail when a newer version of a server has fixed a bug.
"""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """One bug of one server."""

    server: str
    what: str
    """The bug in one sentence, with the rule of the standard."""
    tests: tuple[str, ...]
    """The tests of the suite that fail: ``test_move``, or ``test_move[sequence]`` if only some of its cases do."""
    commands: tuple[bytes, ...]
    """The commands of a new user, one after the other."""
    answer: bytes
    """A part of the answer to the last command, without its tag."""


def of_test(bug: Bug, name: str, case: str) -> bool:
    """Whether a case of a test fails because of the bug. ``case`` is a part of pytest's id."""
    for test in bug.tests:
        function, _, wanted = test.rstrip("]").partition("[")
        if function == name and (not wanted or f"-{wanted}-" in f"-{case}-"):
            return True
    return False


CONNECTION_ENDS = b"(the connection ends)"
"""The answer if the server closes the connection."""

_ENCODED = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n"

KNOWN = [
    Bug(
        "cyrus",
        "the first ID with a value of NIL ends the process of the connection (RFC 2971, 3.3: value is nstring)",
        ("test_id_without_a_value",),
        (b'ID ("name" "imapclient" "os" NIL)',),
        CONNECTION_ENDS,
    ),
    Bug(
        "courier",
        "RENAME of a folder that isn't there is answered with OK (RFC 9051, 6.3.6: NO)",
        ("test_rename_a_missing_folder",),
        (b"RENAME INBOX.nothing INBOX.something",),
        b"OK Folder renamed.",
    ),
    Bug(
        "courier",
        "SELECT reports no UIDNEXT (RFC 9051, 6.3.2: REQUIRED)",
        ("test_select_returns_the_state_of_the_folder",),
        (b"SELECT INBOX",),
        b"* 0 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY #] Ok\r\n"
        b'* OK [MYRIGHTS "acdilrsw"] ACL\r\nOK [READ-WRITE] Ok\r\n',
    ),
    Bug(
        "courier",
        "STORE changes flags in a folder that is selected by EXAMINE (RFC 9051, 6.3.3: no changes are permitted)",
        ("test_select_read_only_changes_nothing",),
        (
            b"APPEND INBOX {5}\r\nhello",
            b"EXAMINE INBOX",
            b"STORE 1 +FLAGS (\\Flagged)",
            b"SELECT INBOX",
            b"FETCH 1 FLAGS",
        ),
        b"* 1 FETCH (FLAGS (\\Flagged))",
    ),
    Bug(
        "courier",
        "a name with a character beyond U+FFFF is refused (RFC 9051, A.1: UTF-16 in modified UTF-7)",
        (),
        (b'CREATE "INBOX.&2D3c7A-"',),
        b"NO Error in IMAP command received by server.",
    ),
    Bug(
        "courier",
        "APPEND with UTF8 needs a list of flags before it (RFC 6855, 4: flag-list is optional)",
        (),
        (b"ENABLE UTF8=ACCEPT", b"APPEND INBOX UTF8 (~{5}\r\nhello)"),
        b"NO Error in IMAP command received by server.",
    ),
    Bug(
        "pymap",
        "ENVELOPE has encoded words decoded, as raw UTF-8 (RFC 9051, 7.5.2: it has the header's text)",
        ("test_fetch_envelope_with_encoded_words",),
        (b"APPEND INBOX {%d}\r\n%s" % (len(_ENCODED), _ENCODED), b"SELECT INBOX", b"FETCH 1 ENVELOPE"),
        b"* 1 FETCH (ENVELOPE (NIL {7}\r\nGr\xc3\xbc\xc3\x9fe NIL",
    ),
    Bug(
        "pymap",
        "an & behind encoded text in a name comes back as it is (RFC 9051, A.1: as &-)",
        ("test_name_round_trip[ampersand behind umlauts]",),
        (b'CREATE "S&APwA3w-&-Salzig &- mehr"', b'LIST "" "S*"'),
        b'* LIST (\\HasNoChildren) "/" "S&APwA3w-&Salzig &- mehr"',
    ),
    Bug(
        "pymap",
        "UID SEARCH takes sequence numbers for UIDs (RFC 9051, 6.4.9: only the result are UIDs)",
        ("test_search_within_sequence_numbers[uid]",),
        (b"APPEND INBOX {5}\r\nhello", b"SELECT INBOX", b"UID SEARCH 1"),
        b"* SEARCH\r\nOK UID SEARCH completed.",
    ),
    Bug(
        "pymap",
        "CLOSE of a folder that is selected by EXAMINE is refused (RFC 9051, 6.4.1: no error)",
        ("test_close_after_read_only_does_not_expunge",),
        (b"EXAMINE INBOX", b"CLOSE"),
        b"NO [READ-ONLY] Mailbox is read-only.",
    ),
    Bug(
        "pymap",
        "ID with a value of NIL is refused (RFC 2971, 3.3: value is nstring)",
        ("test_id_without_a_value",),
        (b'ID ("name" "x" "version" NIL)',),
        b"BAD ID: Invalid arguments.",
    ),
]
