"""Messages: searching, sorting, fetching, flags, appending, copying, moving, expunging."""

from __future__ import annotations

import datetime
import operator
from datetime import date, timedelta, timezone
from typing import Any

from imapclient import DELETED, FLAGGED, SEEN
from imapclient.fixed_offset import FixedOffset

from .messages import ATTACHMENTS, EVERYWHERE, PLAIN, RAW_8BIT, REPLY
from .messages import GROUPS as GROUPS_MESSAGE
from .place import Calls, Place
from .recording import Recorded


def _inbox(place: Place, *, dovecot_too: bool = False, **options: Any) -> Recorded:
    """Return a client whose selected folder has the messages 101 to 105, and on request 106 on Dovecot."""
    more = (GROUPS_MESSAGE,) if dovecot_too and place.is_dovecot else ()
    place.seed((*EVERYWHERE, *more))
    client = place.client(**options)
    client._.select_folder("INBOX")
    return client


_CRITERIA: tuple[Any, ...] = (
    "ALL",
    b"ALL",
    ["ALL"],
    [b"ALL"],
    "UNSEEN",
    ["UNSEEN", "UNDELETED"],
    ("NOT", "DELETED"),
    ["NOT", ["SEEN"]],
    ["NOT", ["SEEN", "FLAGGED"]],
    ["OR", ["SEEN"], ["DELETED"]],
    ["OR", ["SUBJECT", "Budget"], ["NOT", ["FROM", "ann"]]],
    'SUBJECT "next year"',
    ["SUBJECT", "next year"],
    ["SUBJECT", b"next year"],
    ["SUBJECT", 'with "quotes" and \\'],
    ["SUBJECT", ""],
    "SUBJECT next",
    ["TEXT", "Tuesday"],
    ["BODY", "sheet"],
    ["FROM", "ann@example.org", "TO", "bob"],
    ["HEADER", "Message-ID", "<budget-1@example.org>"],
    ["HEADER", "X-Nothing", ""],
    ["SINCE", date(2024, 2, 7)],
    ["BEFORE", datetime.datetime(2024, 2, 7, 12, 0)],
    ["ON", date(2024, 2, 5)],
    ["SENTSINCE", date(2024, 2, 6)],
    ["SENTON", "05-Feb-2024"],
    "SINCE 07-Feb-2024",
    ["LARGER", 400],
    ["SMALLER", "100"],
    ["KEYWORD", "Work"],
    ["UNKEYWORD", "$Forwarded"],
    ["UID", "101:103"],
    ["UID", [101, 103]],
    ["UID", 101],
    ["UID", "*"],
    "1:3",
    ["1:3"],
    [[1, 3]],
    ["UID", "999"],
    ["FLAGGED", "LARGER", 1, "OR", "SEEN", "ANSWERED"],
    "(SEEN FLAGGED)",
    "OR (SEEN) (DELETED)",
    [["SEEN"], ["FLAGGED"]],
    "",
    [],
    [""],
    "NONSENSE",
    ["NONSENSE", "x"],
    "SUBJECT",
    ["SINCE", "yesterday"],
    ["(", "SEEN"],
    None,
    1,
)


def search(place: Place) -> None:
    client = _inbox(place)
    client.search()
    for criteria in _CRITERIA:
        client.search(criteria)
    client.search(criteria="SEEN", charset="UTF-8")
    client.search(charset="US-ASCII")
    place.call("what search returns is a list", lambda: _as_list(client._.search()))
    client._.use_uid = False
    client.search()
    client.search("UNSEEN")
    client.search(["UID", "102:103"])
    client._.select_folder("Archive" if place.is_dovecot else "INBOX")
    client.search()
    client.search("DELETED NOT DELETED")


def _as_list(found: Any) -> Any:
    return (
        operator.add(found, [1]),
        found[1:],
        found == list(found),
        found[0],
        len(found),
        type(found[:1]).__name__,
        str(found),
    )


def search_text(place: Place) -> None:
    """Text that is not ASCII, with a charset and without one."""
    client = _inbox(place)
    for criteria, charset in (
        (["SUBJECT", "größe"], "UTF-8"),
        (["SUBJECT", "größe".encode()], "UTF-8"),
        (["SUBJECT", "größe".encode("latin-1")], "ISO-8859-1"),
        (["SUBJECT", "größe"], "ISO-8859-1"),
        (["BODY", "café"], "UTF-8"),
        (["OR", ["SUBJECT", "anstößig"], ["BODY", "grüße"]], "UTF-8"),
        (["OR", "SUBJECT", "anstößig", "BODY", "grüße"], "UTF-8"),
        ("SUBJECT größe", "UTF-8"),
        ('SUBJECT "größe"', "UTF-8"),
        ('SUBJECT "größe"'.encode(), "UTF-8"),
        (["SUBJECT", "日本"], "UTF-8"),
        (["SUBJECT", "日本"], "ISO-8859-1"),
        (["SUBJECT", "Budget"], "UTF-8"),
        (["SUBJECT", "Budget"], b"UTF-8"),
        (["SUBJECT", "Budget"], "NONSENSE-1"),
        (["SUBJECT", "größe"], "NONSENSE-1"),
        (["SUBJECT", "größe"], None),
        ("SUBJECT größe", None),
    ):
        client.search(criteria, charset)
    client.search("ALL")


def sort(place: Place) -> None:
    client = _inbox(place)
    for criteria in ("ARRIVAL", ["ARRIVAL"], b"SIZE", ["REVERSE SIZE"], ["REVERSE", "SIZE"], ["SUBJECT", "DATE"]):
        client.sort(criteria)
    client.sort(["FROM"], "UNSEEN")
    client.sort("SIZE", ["SUBJECT", "größe"])
    client.sort("SIZE", ["SUBJECT", "größe"], "UTF-8")
    client.sort("SIZE", ["OR", ["SUBJECT", "größe"], ["SEEN"]], charset="UTF-8")
    client.sort("SIZE", ["SUBJECT", "Budget"], "US-ASCII")
    client.sort("SIZE", ["SUBJECT", "größe"], "ISO-8859-1")
    client.sort("SIZE", "SUBJECT größe")
    client.sort("reverse size")
    client.sort("NONSENSE")
    client.sort([])
    client.sort("")
    client.sort("SIZE", "NONSENSE")
    client.sort("SIZE", "")
    client.sort("SIZE", ["UID", "999"])
    client._.use_uid = False
    client.sort("SIZE")


def thread(place: Place) -> None:
    client = _inbox(place)
    client.thread()
    client.thread("REFERENCES")
    client.thread(b"REFERENCES")
    client.thread("ORDEREDSUBJECT")
    client.thread("REFS", "UNDELETED")
    client.thread("references")
    client.thread(algorithm="REFERENCES", criteria=["SUBJECT", "größe"])
    client.thread("REFERENCES", ["SUBJECT", "größe"], "UTF-8")
    client.thread("REFERENCES", ["SUBJECT", "größe"], "ISO-8859-1")
    client.thread("NONSENSE")
    client.thread("REFERENCES", "NONSENSE")
    client.thread("REFERENCES", ["UID", "999"])
    client._.use_uid = False
    client.thread()


_ITEMS: tuple[Any, ...] = (
    "FLAGS",
    b"FLAGS",
    ["FLAGS"],
    [b"FLAGS", "UID"],
    ("UID",),
    "UID",
    ["INTERNALDATE"],
    ["RFC822.SIZE"],
    ["ENVELOPE"],
    ["BODY"],
    ["BODYSTRUCTURE"],
    ["BODY.PEEK[]"],
    ["BODY.PEEK[HEADER]"],
    ["BODY.PEEK[TEXT]"],
    ["BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]"],
    "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]",
    ["BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT FROM TO)]"],
    ["BODY.PEEK[1]"],
    ["BODY.PEEK[1.MIME]", "BODY.PEEK[2.MIME]"],
    ["BODY.PEEK[1.1]", "BODY.PEEK[3.HEADER]", "BODY.PEEK[3.TEXT]", "BODY.PEEK[3.1]"],
    ["BODY.PEEK[9]"],
    ["BODY.PEEK[]<0.10>"],
    ["BODY.PEEK[TEXT]<5.1000>", "BODY.PEEK[TEXT]<9999.10>"],
    ["RFC822.HEADER"],
    ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[HEADER]"],
    "FLAGS INTERNALDATE",
    "(FLAGS UID)",
    ["(FLAGS UID)"],
    "flags",
    ["body.peek[header]"],
)


def fetch(place: Place) -> None:
    client = _inbox(place, dovecot_too=True)
    everything = [101, 102, 103, 104, 105]
    if place.is_dovecot:
        everything.append(106)
    for items in _ITEMS:
        client.fetch(everything, items)
    for items in (["BODY[]"], ["RFC822"], ["RFC822.TEXT"], ["BODY[TEXT]"], ["BODY[1.MIME]"], ["BODY[HEADER]"]):
        client.fetch(105, items)
        client.fetch(105, "FLAGS")
        client._.remove_flags(105, SEEN)
    for items in ("ALL", "FAST", "FULL", ["ALL"], ["FAST"]):
        client.fetch([101, 102], items)
    for items in ([], "", [""], "NONSENSE", ["BODY[", "x"], ["NONSENSE", "FLAGS"]):
        client.fetch(101, items)
    if place.is_dovecot:
        for items in (["MODSEQ"], ["BINARY.PEEK[1]", "BINARY.SIZE[1]"], ["PREVIEW"], ["SAVEDATE"]):
            client.fetch([101], items)
        client.fetch([101, 102], ["FLAGS"], ["CHANGEDSINCE 1"])
        client.fetch([101, 102], ["FLAGS"], modifiers=["CHANGEDSINCE 99999"])
        client.fetch([101], ["FLAGS"], modifiers=[])
        client.fetch([101], ["FLAGS"], ["NONSENSE"])
    else:
        client.fetch([101], ["EMAILID", "THREADID"])


def fetch_ids(place: Place) -> None:
    """Sets of messages: ids in all forms, missing ids, no ids, sequence numbers."""
    client = _inbox(place)
    for messages in (
        101,
        [101],
        (101, 103),
        [103, 101],
        [101, 101],
        {102},
        range(101, 104),
        iter([101, 102]),
        client._.search("ALL"),
        "101",
        "102:104",
        b"101",
        ["101", "103"],
        [b"101"],
        "101,102",
        ["101:102"],
        "104:*",
        "*",
        [],
        (),
        "",
        [101, 999],
        [999],
        999,
        0,
        -1,
        [None],
        None,
        "x",
        ["101", 103],
        True,
        1.5,
    ):
        client.fetch(messages, ["FLAGS"])
    place.call("missing message of a fetch", lambda: client._.fetch([101], ["FLAGS"])[999])
    place.call("missing item of a fetch", lambda: client._.fetch([101], ["FLAGS"])[101][b"NONE"])
    place.call("missing message by get", lambda: client._.fetch([101], ["FLAGS"]).get(999))
    client._.use_uid = False
    for messages in (1, [1, 3], [3, 1], "2:3", [], 99, "*"):
        client.fetch(messages, ["FLAGS", "UID"])
    client.get_flags([1, 2])
    client.fetch(1, ["ENVELOPE"])


def fetch_times(place: Place) -> None:
    """INTERNALDATE and the date of an envelope, with the zone that was sent."""
    client = _inbox(place)
    client._.normalise_times = False
    client.fetch([101, 102, 103, 104, 105], ["INTERNALDATE", "ENVELOPE"])
    client._.normalise_times = True
    client.fetch([101, 102], "INTERNALDATE")


def flags(place: Place) -> None:
    client = _inbox(place)
    client.get_flags([101, 102])
    client.get_flags(101)
    client.get_flags([])
    client.get_flags([999])
    for method in (client.add_flags, client.remove_flags, client.set_flags):
        method([101, 102], ["\\Seen", FLAGGED])
        method(101, "\\Answered")
        method([101], b"$Later")
        method([101], ("Work", b"Home"))
        method([101], ["\\Draft"], silent=True)
        method([101], "\\Draft", True)
        method([], "\\Seen")
        method([], "\\Seen", silent=True)
        method([999], "\\Seen")
        method([101, 999], "\\Seen")
        method("102", "\\Seen")
        method([103], [])
        method([103], ())
    client.get_flags([101, 102, 103])
    client.delete_messages([101])
    client.delete_messages(102, silent=True)
    client.delete_messages([])
    client.delete_messages([999])
    client.get_flags([101, 102])
    client._.use_uid = False
    client.add_flags([1], "\\Answered")
    client.set_flags(2, [])
    client.delete_messages([3])
    client.get_flags([1, 2, 3])


def flags_odd(place: Place) -> None:
    """Invalid flags, unusual flags, and several flags in one text."""
    raw = place.seed([PLAIN])
    raw.command("SELECT INBOX")
    for odd in (
        "",
        [""],
        "\\Seen \\Draft",
        ["\\Seen Work"],
        "(\\Seen)",
        "\\Nonsense",
        "\\Recent",
        "ünicode",
        ["NIL", "nil"],
        "123",
        "{5}",
        "\\*",
        "a*b",
        [5],
    ):
        for method in ("add_flags", "remove_flags", "set_flags"):
            raw.command("STORE 1 FLAGS.SILENT (\\Seen \\Draft)")
            # Each has its own connection, so that no call affects another.
            client = place.client()
            client._.select_folder("INBOX")
            getattr(client, method)([101], odd)


_BERLIN = timezone(timedelta(hours=1), "CET")
_FOREIGN = FixedOffset(-570)


def append(place: Place) -> None:
    client = place.client()
    client._.create_folder("Entwürfe")
    content = PLAIN.content
    moment = datetime.datetime(2024, 2, 5, 9, 30, 15)
    client.append("INBOX", content, (), moment)
    client.append(b"INBOX", content, (SEEN, "\\Draft", "Work"), moment.replace(tzinfo=_BERLIN))
    client.append("Entwürfe", content, [b"\\Flagged"], moment.replace(tzinfo=_FOREIGN))
    client.append("INBOX", content.decode(), flags="\\Seen", msg_time=moment.replace(microsecond=999999))
    client.append("INBOX", content, b"\\Seen", moment)
    client.append("INBOX", RAW_8BIT.content, [], moment)
    client.append("INBOX", bytearray(content), (), moment)
    client._.select_folder("INBOX")
    client.fetch(client._.search(), ["FLAGS", "INTERNALDATE", "RFC822.SIZE"])
    client._.normalise_times = False
    client.fetch(client._.search(), ["INTERNALDATE", "BODY.PEEK[TEXT]"])
    client._.select_folder("Entwürfe")
    client.fetch(client._.search(), ["FLAGS", "INTERNALDATE"])


def append_odd(place: Place) -> None:
    """Invalid messages, flags, dates and folders. None may affect the next command."""
    moment = datetime.datetime(2024, 2, 5, 9, 30, 15)
    for arguments in (
        ("INBOX", b"line\nfeeds\nonly\n", (), moment),
        ("INBOX", b"", (), moment),
        ("missing", b"X NOOP\r\n"),
        ("INBOX", b"X NOOP\r\n", "\\Nonsense"),
        ("INBOX", b"X NOOP\r\n", ["\\Recent"]),
        ("INBOX", b"X NOOP\r\n", ["a*b"]),
        ("INBOX", b"X NOOP\r\n", "\\Seen \\Draft"),
        ("INBOX", b"X NOOP\r\n", ["a b"]),
        ("INBOX", b"X NOOP\r\n", (), "yesterday"),
        ("INBOX", b"X NOOP\r\n", (), moment.date()),
        ("INBOX", None),
        ("", b"X NOOP\r\n"),
        ("INBOX", "text\r\nGrüße\r\n", (), moment),
    ):
        client = place.client()
        client.append(*arguments)
        client.noop()
    client = place.client()
    client._.select_folder("INBOX")
    first = client._.search("ON 05-Feb-2024")[:1]
    place.call("what was appended first", lambda: client._.fetch(first, ["RFC822.SIZE", "BODY.PEEK[]"]))


def refused_before_literals(place: Place) -> None:
    """Commands that the server refuses before it reads a literal. The literal's text must not become a command.

    Dovecot then forgets a literal that came without waiting, and parses its text as commands.
    """
    place.seed([PLAIN])
    calls: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("append", ("INBOX", b"X CREATE made-0\r\n", "\\Nonsense")),
        ("append", ("INBOX", b"X CREATE made-1\r\n", ["a{b"])),
        ("multiappend", ("INBOX", [b"one", {"msg": b"X CREATE made-2\r\n", "flags": ["\\Recent"]}])),
        ("search", (["KEYWORD", "a{b", "SUBJECT", "ä\r\nX CREATE made-3\r\n"], "UTF-8")),
        ("search", ('KEYWORD a{b SUBJECT "X CREATE made-4 ä"', "UTF-8")),
        ("sort", ("SIZE", ["KEYWORD", "a{b", "SUBJECT", "ä\r\nX CREATE made-5\r\n"])),
    )
    for number, (method, arguments) in enumerate(calls):
        client = place.client()
        client._.select_folder("INBOX")
        getattr(client, method)(*arguments)
        place.call(f"NOOP after call {number}", client._.noop)
        place.call(f"folder made by call {number}", place.client()._.folder_exists, f"made-{number}")


def multiappend(place: Place) -> None:
    client = place.client()
    client._.create_folder("Entwürfe")
    moment = datetime.datetime(2024, 2, 5, 9, 30, 15)
    client.multiappend("INBOX", [PLAIN.content, REPLY.content])
    client.multiappend("Entwürfe", [PLAIN.content])
    client.multiappend("INBOX", [{"msg": PLAIN.content, "flags": ["\\Seen"], "date": moment}, REPLY.content])
    client.multiappend("INBOX", [{"msg": b"only the message"}])
    client.multiappend("INBOX", [{"msg": b"a date", "date": moment}])
    client.multiappend("INBOX", [{"msg": "text", "flags": "\\Seen"}])
    client.multiappend("INBOX", ["text of type str"])
    client.multiappend("INBOX", (message for message in (b"one", b"two")))
    client.multiappend("INBOX", [])
    client.multiappend("missing", [PLAIN.content])
    client.multiappend("INBOX", [{}])
    client.multiappend(b"INBOX", [b"bytes"])
    client._.select_folder("INBOX")
    client.fetch(client._.search(), ["FLAGS", "RFC822.SIZE"])


def copy(place: Place) -> None:
    client = _inbox(place)
    for name in ("Target", "Ziel ü"):
        client._.create_folder(name)
    client.copy([101, 102], "Target")
    client.copy(101, "Ziel ü")
    client.copy("103", b"Target")
    client.copy("101:103", "Target")
    client.copy([104], "INBOX")
    client.copy([999], "Target")
    client.copy([101, 999], "Target")
    client.copy([101], "missing")
    client.copy([], "Target")
    client._.use_uid = False
    client.copy([1], "Target")
    client._.select_folder("Target")
    client._.use_uid = True
    client.fetch("1:*", ["FLAGS", "INTERNALDATE"])
    client.fetch(client._.search(), ["FLAGS", "INTERNALDATE"])


def move(place: Place) -> None:
    client = _inbox(place)
    for name in ("Target", "Ziel ü"):
        client._.create_folder(name)
    client.move([101], "Target")
    client.move(102, "Ziel ü")
    client.move("103", b"Target")
    client.move([999], "Target")
    client.move([104], "missing")
    client.move([], "Target")
    client.search()
    client.noop()
    client._.use_uid = False
    client.move([1], "Target")


def expunge(place: Place) -> None:
    client = _inbox(place)
    client._.delete_messages([101, 102, 103])
    client.expunge([101])
    client.expunge(102)
    client.expunge("103:104")
    client.expunge([105])
    client.search()
    client.expunge()
    client.expunge()
    client.search()
    client._.use_uid = False
    client.expunge([1])
    client._.delete_messages([1])
    client.expunge()


def expunge_none(place: Place) -> None:
    client = _inbox(place)
    client._.delete_messages([101])
    client.expunge([])
    client.search()


def uid_expunge(place: Place) -> None:
    client = _inbox(place)
    client._.delete_messages([101, 102, 103, 105])
    client.uid_expunge([101])
    client.uid_expunge(102)
    client.uid_expunge("103:104")
    client.uid_expunge([999])
    client.uid_expunge([])
    client.search()
    client.noop()
    client._.use_uid = False
    client.uid_expunge([105])


def gmail(place: Place) -> None:
    """Gmail's extensions, which these servers do not have."""
    client = _inbox(place)
    client.gmail_search("has:attachment")
    client.get_gmail_labels([101])
    client.add_gmail_labels([101], ["x"])
    client.remove_gmail_labels([101], "x")
    client.set_gmail_labels([101], [b"x"], silent=True)
    client.get_gmail_labels([])
    client.search()


def changes_by_others(place: Place) -> None:
    """Changes by another connection between two calls."""
    raw = place.seed((PLAIN, REPLY, ATTACHMENTS, RAW_8BIT))
    client = place.client()
    client._.select_folder("INBOX")
    raw.command("SELECT INBOX")
    raw.command("STORE 1 FLAGS (\\Seen)")
    client.fetch([102], ["FLAGS"])
    client.fetch([101, 102, 103], ["FLAGS"])
    raw.command("STORE 3 +FLAGS (\\Flagged)")
    client.add_flags([101], "\\Answered")
    client.get_flags([101, 103])
    raw.command("STORE 2 +FLAGS (\\Deleted)")
    raw.command("EXPUNGE")
    client.fetch([101, 102, 103], ["FLAGS"])
    client.noop()
    client.fetch([101, 102, 103], ["FLAGS"])
    client._.add_flags([101], DELETED)
    raw.command("APPEND INBOX {5+}\r\nhello")
    client.search()
    client.expunge()


GROUPS: dict[str, Calls] = {
    group.__name__: group
    for group in (
        search,
        search_text,
        sort,
        thread,
        fetch,
        fetch_ids,
        fetch_times,
        flags,
        flags_odd,
        append,
        append_odd,
        refused_before_literals,
        multiappend,
        copy,
        move,
        expunge,
        expunge_none,
        uid_expunge,
        gmail,
        changes_by_others,
    )
}
