"""Calls with replies that no server here sends: Gmail's, quotas of several resources, unusual forms.

The commands that each library sends are compared too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Callable, NamedTuple

from imapclient import IMAPClient
from imapclient import imapclient as module

from .canned_server import CannedServer
from .recording import Recording, shown

_CAPABILITIES = (
    "IMAP4rev1 ID ENABLE IDLE NAMESPACE UNSELECT UIDPLUS MOVE SORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT QUOTA ACL "
    "CONDSTORE MULTIAPPEND LITERAL+"
)
_GMAIL = (
    "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE "
    "CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584"
)
_BARE = "IMAP4rev1"
_UNSELECTED = frozenset(("enable", "select_folder"))
_BEFORE_LOGIN = frozenset(("login", "oauth2_login", "oauthbearer_login", "plain_login", "sasl_login"))


class Case(NamedTuple):
    """One call of a logged-in client with INBOX selected. A call that logs in or selects is made before that."""

    name: str
    method: str
    arguments: tuple[Any, ...]
    replies: Mapping[str, str]
    """The replies by command, for `CannedServer`."""
    capabilities: str = _CAPABILITIES
    attributes: Mapping[str, Any] = {}
    """The attributes to set on the client before the call."""


def _by_reply(
    method: str, arguments: tuple[Any, ...], command: str, replies: Iterable[str], **attributes: Any
) -> list[Case]:
    """Return the same call with each of the replies."""
    return [Case(_in_one_line(reply), method, arguments, {command: reply}, attributes=attributes) for reply in replies]


def _in_one_line(reply: str) -> str:
    return reply.replace("\r\n", "~").replace("\n", " | ")


def _by_arguments(
    method: str, command: str, reply: str, *several: tuple[Any, ...], on: str = _CAPABILITIES
) -> list[Case]:
    """Return calls with each of the arguments, and the same reply."""
    return [Case(", ".join(map(shown, arguments)), method, arguments, {command: reply}, on) for arguments in several]


def _made(cases: list[Case]) -> Callable[[Recording], None]:
    def make(recording: Recording) -> None:
        for case in cases:
            _make(case, recording)

    return make


def _make(case: Case, recording: Recording) -> None:
    label = f"{case.method}: {case.name}"
    if not hasattr(IMAPClient, case.method):
        recording.outcomes[label] = recording.outcomes[f"{label}, commands"] = {"missing": case.method}
        return
    with CannedServer(case.replies, case.capabilities) as server:
        client = IMAPClient(server.host, server.port, ssl=False, timeout=60)
        try:
            if case.method not in _BEFORE_LOGIN:
                client.login("ann", "secret")
                if case.method not in _UNSELECTED:
                    client.select_folder("INBOX")
            for name, value in case.attributes.items():
                setattr(client, name, value)
            del server.sent[:]
            recording.call(label, getattr(client, case.method), *case.arguments)
            recording.call(f"{label}, commands", server.sent.copy)
        finally:
            with suppress(OSError):
                client.shutdown()


_FETCHED = (
    "* 1 FETCH (FLAGS (\\Seen) UID 1)",
    "* 1 FETCH (UID 1 FLAGS ())\n* 2 FETCH (UID 2 FLAGS (\\Seen $x))",
    "* 1 FETCH (UID 1)\n* 1 FETCH (UID 1 FLAGS (\\Seen))",
    "* 1 FETCH (UID 1 X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888)",
    '* 1 FETCH (UID 1 X-GM-LABELS (\\Inbox \\Sent Important "Muy Importante" &AOQ- "a \\"b\\""))',
    "* 1 FETCH (UID 1 X-GM-LABELS ({5}\r\nx & y foo))",
    '* 1 FETCH (UID 1 INTERNALDATE " 9-Feb-2007 17:08:08 +0100")',
    '* 1 FETCH (UID 1 INTERNALDATE "09-Feb-2007 17:08:08 -0330")',
    '* 1 FETCH (UID 1 INTERNALDATE "nonsense")',
    "* 1 FETCH (UID 1 INTERNALDATE NIL)",
    '* 1 FETCH (UID 1 INTERNALDATE "00-Jan-0000 00:00:00 +0000")',
    "* 1 FETCH (UID 1 MODSEQ (12345))",
    "* 1 FETCH (UID 1 BODY[TEXT] {5}\r\nhello)",
    "* 1 FETCH (UID 1 BODY[TEXT] NIL)",
    '* 1 FETCH (UID 1 BODY[TEXT] "")',
    '* 1 FETCH (UID 1 BODY[TEXT] "123")',
    "* 1 FETCH (UID 1 BODY[TEXT] {3}\r\n123)",
    "* 1 FETCH (UID 1 BODY[]<0> {2}\r\nab)",
    "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {4}\r\n\r\n\r\n)",
    '* 1 FETCH (UID 1 BODY[HEADER.FIELDS ("SUBJECT")] {4}\r\n\r\n\r\n)',
    "* 1 FETCH (uid 1 flags (\\seen) rfc822.size 44)",
    "* 1 FETCH (UID 1 RFC822 {2}\r\n\r\n RFC822.SIZE 2)",
    '* 1 FETCH (UID 1 BODY ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 1152 23))',
    '* 1 FETCH (UID 1 BODY (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)("TEXT" "HTML" NIL NIL NIL "7BIT" 2 2) "MIXED"))',
    '* 1 FETCH (UID 1 BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL NIL NIL NIL)((("A" "B" NIL NIL NIL '
    '"7BIT" 1)("C" "D" NIL NIL NIL "7BIT" 1) "X")("E" "F" NIL NIL NIL "7BIT" 1) "Y") "MIXED" ("BOUNDARY" "=_x") NIL '
    "NIL NIL))",
    '* 1 FETCH (UID 1 ENVELOPE ("Mon, 5 Feb 2024 09:30:15 +0100" "Subj" (("Ann" NIL "ann" "example.org")) NIL NIL NIL '
    'NIL NIL NIL "<id>"))',
    "* 1 FETCH (UID 1 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))",
    '* 1 FETCH (UID 1 ENVELOPE ("no date" {4}\r\nSubj ((NIL NIL "group" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)) NIL '
    "NIL NIL NIL NIL NIL NIL))",
    "* 1 FETCH (UID 1 ENVELOPE (123 456 NIL NIL NIL NIL NIL NIL NIL NIL))",
    "* 3 FETCH (UID 9 FLAGS ())",
    "* 3 FETCH (FLAGS (\\Seen))",
    "* 4 EXISTS\n* 1 FETCH (UID 1 FLAGS ())\n* 2 EXPUNGE",
    "* 1 FETCH (UID 1 FLAGS (",
    "* 1 FETCH UID 1",
    "* 1 FETCH (UID 1 FLAGS)",
    "* 1 FETCH (UID one)",
    "* 1 FETCH (UID 1 X (a (b c) NIL 5 {2}\r\nxy))",
    "* 1 FETCH (UID 1 X -5 Y 007 Z 1.5)",
    "* 1 FETCH ()",
    "* 1 FETCH (UID 1 FLAGS (\\Seen))\nNO [EXPUNGEISSUED] some are gone",
    "BAD what",
    "* 1 FETCH (UID 1 FLAGS (NIL nil 12 \\*))",
    "* 1 FETCH (UID 1 FLAGS ())\nCLOSE",
    "* BYE Going down\nCLOSE",
)
_STORED = "* 1 FETCH (UID 1 FLAGS (a:b \\Seen))\n* 2 FETCH (UID 2 FLAGS ())"
_FETCH = [
    *_by_reply("fetch", ([1, 2], ["X-ANY"]), "FETCH", _FETCHED, normalise_times=False),
    *_by_reply("fetch", (1, "FLAGS"), "FETCH", ["* 1 FETCH (FLAGS ())", "* 1 FETCH (FLAGS () UID 77)"], use_uid=False),
    *_by_arguments(
        "fetch",
        "FETCH",
        "* 1 FETCH (UID 1 MODSEQ (7) FLAGS ())",
        ([1], ["FLAGS"], ["CHANGEDSINCE 5"]),
        ([1], "FLAGS", "CHANGEDSINCE 5"),
        ([1], ["FLAGS", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.10>"], [b"CHANGEDSINCE 5", "VANISHED"]),
    ),
    *_by_reply("add_flags", ([1], "\\Seen"), "STORE", [_STORED, "OK Nothing", "* 1 FETCH (FLAGS (\\Seen))"]),
    *(
        case
        for method in ("add_flags", "remove_flags", "set_flags", "delete_messages")
        for case in _by_arguments(
            method,
            "STORE",
            _STORED,
            *(
                [([1, 2],), ([1, 2], True)]
                if method == "delete_messages"
                else [([1, 2], ["\\Seen", b"x"]), (1, b"x", True), ([1], []), ([1], ["\\Seen"], True)]
            ),
        )
    ),
]

_CRITERIA: tuple[Any, ...] = (
    "UNSEEN",
    ["(SEEN)"],
    ["(SEEN FLAGGED)"],
    ["UNSEEN SINCE 01-Jan-2024"],
    ["OR", "(SEEN)", "(DELETED)"],
    [["OR", "SEEN", "DELETED"], "UNSEEN"],
    ["TEXT", "*"],
    ["TEXT", "a%b]c"],
    ["TEXT", "a(b"],
    ["TEXT", 'a"b\\c'],
    ["TEXT", "NIL"],
    ["TEXT", ""],
    ["KEYWORD", "$Forwarded"],
    ["NOT", [["SEEN"], ["FLAGGED"]]],
    ["FROM", "ann@example.org", "TO", "bob baz"],
)
_FOUND = (
    "* SEARCH 1 2 3",
    "* SEARCH",
    "OK nothing",
    "* SEARCH 5 4 (MODSEQ 1234)",
    "* SEARCH (MODSEQ 1234)",
    "* SEARCH 1 2 ",
    "* SEARCH 1\n* SEARCH 2",
    "* search 7",
    "* SEARCH x",
    "* SEARCH 1 (FOO 2)",
    "NO [BADCHARSET (US-ASCII)] no",
    "NO no",
    "BAD criteria",
    "* ESEARCH UID ALL 1:3,5",
    "* 3 EXISTS\n* SEARCH 3\n* 4 EXISTS",
)
_SORTED = (
    "* SORT 3 1 2",
    "* SORT",
    "OK nothing",
    "* SORT 1\n* SORT 2",
    "* SORT 1 (MODSEQ 5)",
    "BAD criteria",
    "NO no",
)
_THREADS = (
    "* THREAD (1 2)(3)((4)(5 6))",
    "* THREAD",
    "OK nothing",
    "* THREAD (1 (2)(3 4))",
    "* THREAD ((1)(2))(3 (4 5))",
    "* THREAD (1)",
    "* THREAD (1)\n* THREAD (2)",
    "* THREAD (1",
    "NO no",
)
_SEARCH = [
    *_by_reply("search", (), "SEARCH", _FOUND),
    *_by_arguments("search", "SEARCH", "* SEARCH", *((criteria,) for criteria in _CRITERIA)),
    *_by_reply("sort", ("ARRIVAL",), "SORT", _SORTED),
    *_by_arguments("sort", "SORT", "* SORT", (["REVERSE DATE", "SUBJECT"], ["UNSEEN", "FROM", "ann"]), ("size",)),
    *_by_reply("thread", (), "THREAD", _THREADS),
    *_by_arguments("thread", "THREAD", "* THREAD (1)", ("ORDEREDSUBJECT", "UNSEEN"), ("REFS",), (b"REFERENCES",)),
]

_LISTS = (
    '* LIST (\\HasNoChildren) "/" INBOX\n* LIST (\\NoSelect) "/" "A b"\n* LIST () NIL {3}\r\nx"y\n* LIST () "." 123',
    '* LIST (\\HasNoChildren) "\\\\" "a\\\\b"\n* LIST () "/" "&2D3dHg-"\n* LIST () "/" NIL',
    "* LIST () / x",
    "OK nothing",
    '* LIST (\\Sent \\X) "/" Sent ("CHILDINFO" ("SUBSCRIBED"))',
    '* list (\\Marked) "/" lower',
    '* LIST () "/" "a&b"',
    '* LIST () "/" ä',
    '* LIST () "/"',
    '* LIST (\\HasNoChildren "/" x',
    '* LIST () "/" a b',
    "NO no",
)
_STATUSES = (
    "* STATUS foo (MESSAGES 3 UIDNEXT 4)",
    '* STATUS "foo" (MESSAGES 3 UIDNEXT 4)',
    "* STATUS {3}\r\nfoo (MESSAGES 3 UIDNEXT 4)",
    "* status foo (messages 3)",
    "* STATUS foo ()",
    "OK nothing",
    "* STATUS bar (MESSAGES 9)\n* STATUS foo (MESSAGES 3)",
    "* STATUS foo (MESSAGES 3 UIDNEXT 4) ",
    "* STATUS foo bar (MESSAGES 3)",
)
_SELECTED = (
    "* FLAGS (\\Answered \\Seen x)\n* OK [PERMANENTFLAGS (\\Seen \\*)] Limited\n* 3 EXISTS\n* 1 RECENT\n"
    "* OK [UNSEEN 2] First unseen\n* OK [UIDVALIDITY 1239278212] Valid\n* OK [UIDNEXT 11] Next\n"
    "* OK [HIGHESTMODSEQ 55] Highest\nOK [READ-WRITE] Selected",
    "* 3 EXISTS\nOK [READ-ONLY] Selected",
    "OK [READ-WRITE] Selected",
    "* OK [NOMODSEQ] No\n* OK [UIDNOTSTICKY] x\n* OK [MAILBOXID (abc)] y\n* OK [X-Y z] a\nOK Done",
    "* 3 EXISTS\n* OK text\nOK Done",
    "* FLAGS ()\n* OK [PERMANENTFLAGS ()] None\n* 0 EXISTS\nOK [READ-WRITE] Done",
    "NO [NONEXISTENT] Unknown",
    "* OK [UIDNEXT 1] x\n* OK [UIDNEXT 2] y\nOK [READ-WRITE] Done",
    "* 5 EXISTS\n* OK [CLOSED] Previous\n* 3 EXISTS\nOK [READ-WRITE] Done",
    "* 3 EXISTS\nOK [read-write] Done",
    '* 3 EXISTS\n* LIST () "/" foo\nOK [READ-WRITE] Done',
)
_NAMESPACES = (
    '* NAMESPACE (("" "/")) NIL NIL',
    '* NAMESPACE (("" "/")("#mh/" "/")) (("~" "/")) (("#shared/" "/")("&AOQ-/" "."))',
    "* NAMESPACE NIL NIL NIL",
    '* NAMESPACE (("" NIL)) nil NIL',
    '* NAMESPACE (("" "/" "X-PARAM" ("FLAG1" "FLAG2"))) NIL NIL',
    "* NAMESPACE () NIL NIL",
    "OK nothing",
)
_SPECIAL = (
    ("by flag", f"{_BARE} SPECIAL-USE", '* LIST (\\Sent) "/" Gesendet\n* LIST () "/" Sent'),
    ("by flag without the capability", _BARE, '* LIST (\\Sent) "/" Gesendet\n* LIST () "/" Sent'),
    ("nothing", _BARE, "OK Nothing"),
)
_FOLDERS = [
    *_by_reply("list_folders", (), "LIST", _LISTS),
    *_by_reply("list_folders", (), "LIST", _LISTS[:2], folder_encode=False),
    *_by_reply("list_sub_folders", ("a", "%"), "LSUB", ['* LSUB (\\NoSelect) "/" ax\n* LSUB () "/" a&AOQ-']),
    *_by_arguments("list_folders", "LIST", "OK Done", ("ä", "b*"), ("a b", 'x"y'), (b"&AOQ-", b"%")),
    *_by_reply("folder_status", ("foo", ["MESSAGES", "UIDNEXT"]), "STATUS", _STATUSES),
    *_by_reply("folder_status", ("foo bar", ["MESSAGES"]), "STATUS", _STATUSES[-1:]),
    *_by_reply("folder_status", ("123", ["MESSAGES"]), "STATUS", ["* STATUS 123 (MESSAGES 3)"]),
    *_by_reply("select_folder", ("foo",), "SELECT", _SELECTED),
    *_by_reply("select_folder", ("foo", True), "EXAMINE", ["* 3 EXISTS\nOK [READ-ONLY] Selected"]),
    *_by_reply("namespace", (), "NAMESPACE", _NAMESPACES),
    *_by_reply("namespace", (), "NAMESPACE", _NAMESPACES[:1], folder_encode=False),
    *(
        Case(name, "find_special_folder", (b"\\Sent",), {"LIST": reply}, capabilities)
        for name, capabilities, reply in _SPECIAL
    ),
]

_ACLS = (
    "* ACL foo fred rwipslda",
    '* ACL "foo" fred rwipslda sally ""',
    "* ACL foo fred rw anyone l -bob x",
    '* ACL foo "fred b" "rw"',
    "* ACL foo",
    "* ACL {3}\r\nfoo fred rw",
    "* ACL bar fred rw",
    "OK nothing",
    "NO no",
)
_QUOTAS = (
    '* QUOTAROOT INBOX ""\n* QUOTA "" (STORAGE 10 512)',
    '* QUOTAROOT INBOX "User quota"\n* QUOTA "User quota" (STORAGE 10 512 MESSAGE 20 100)',
    "* QUOTAROOT INBOX a b\n* QUOTA a (STORAGE 1 2)\n* QUOTA b (MESSAGE 3 4)",
    "* QUOTAROOT INBOX a\n* QUOTA a ()",
    "* QUOTAROOT INBOX",
    '* QUOTAROOT bar ""\n* QUOTA "" (STORAGE 1 2)',
    "OK nothing",
    '* QUOTAROOT INBOX ""\n* QUOTA "" (storage 10 512)',
    "NO no",
)
_SET_QUOTAS = ('* QUOTA "" (STORAGE 0 512)\nOK Set', "OK Set", "NO no")
_IDS = (
    '* ID ("name" "Cyrus" "version" "1.5")',
    "* ID NIL",
    '* ID ("name" NIL)',
    "* ID ()",
    "OK nothing",
    "* ID nil",
    "* id (name x)",
    '* ID ("name" {3}\r\na"b)',
)
_ENABLED = (
    "* ENABLED CONDSTORE",
    "* ENABLED CONDSTORE X-GOOD",
    "* ENABLED",
    "* ENABLED ",
    "OK nothing",
    "* ENABLED A\n* ENABLED B",
    "* enabled condstore",
    "BAD no",
)
_APPENDED = (
    "OK [APPENDUID 38505 3955] APPEND completed",
    "OK APPEND completed",
    "OK",
    "* OK [APPENDUID 38505 3955] x\nOK APPEND completed",
    "NO [TRYCREATE] first",
)
_COPIED = (
    "OK [COPYUID 38505 1,2 3956:3957] Done",
    "* OK [COPYUID 38505 1:2 3956:3957] Moved\n* 1 EXPUNGE\n* 1 EXPUNGE\nOK Done",
    "OK Done",
    "NO [OVERQUOTA] full",
)
_UIDS = "* 1 FETCH (UID 1)\n* 2 FETCH (UID 2)"
_NOOPS = (
    "OK NOOP completed",
    "* 4 EXISTS\n* 0 RECENT",
    "* 2 EXPUNGE\n* 1 FETCH (FLAGS (\\Seen) UID 7)",
    "* OK [ALERT] System shutdown in 10 minutes\n* CAPABILITY IMAP4rev1",
    "* FLAGS (a b)\n* OK [PERMANENTFLAGS (\\*)] x\n* VANISHED 41,43:116",
    '* LIST () "/" new\n* STATUS foo (MESSAGES 3)\n* SEARCH 1 2',
    "* 1 FETCH (BODY[TEXT] {3}\r\na\r\n)",
    "* XYZ",
    "BAD no",
)
_NEED_A_CAPABILITY: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("enable", ("A",)),
    ("get_quota", ()),
    ("get_quota_root", ("INBOX",)),
    ("getacl", ("INBOX",)),
    ("id_", ()),
    ("idle", ()),
    ("move", ([1], "foo")),
    ("multiappend", ("foo", [b"one"])),
    ("namespace", ()),
    ("set_quota", ([],)),
    ("setacl", ("INBOX", "a", "b")),
    ("sort", ("ARRIVAL",)),
    ("thread", ()),
    ("uid_expunge", ([1],)),
    ("unselect_folder", ()),
    ("gmail_search", ("x",)),
    ("get_gmail_labels", ([1],)),
    ("add_gmail_labels", ([1], "x")),
)
_OTHERS = [
    *(Case("no capability", method, arguments, {}, _BARE) for method, arguments in _NEED_A_CAPABILITY),
    *_by_reply("getacl", ("foo",), "GETACL", _ACLS),
    *_by_reply("getacl", ("ä",), "GETACL", ["* ACL &AOQ- 123 456"]),
    *_by_arguments("setacl", "SETACL", "OK Set", ("ä b", "fred", "+rw"), (b"foo", b"fred", b"")),
    *(Case(_in_one_line(reply), "get_quota", (), {"GETQUOTAROOT": reply, "GETQUOTA": reply}) for reply in _QUOTAS),
    *_by_reply("get_quota_root", ("INBOX",), "GETQUOTAROOT", _QUOTAS),
    *_by_reply("get_quota_root", ("123",), "GETQUOTAROOT", ["* QUOTAROOT 123 456"]),
    *_by_reply("get_quota_root", (b"&AOQ-",), "GETQUOTAROOT", ['* QUOTAROOT "&AOQ-" ""\n* QUOTA "" (STORAGE 1 2)']),
    *_by_reply("set_quota", ([module.Quota("", "STORAGE", 0, 512)],), "SETQUOTA", _SET_QUOTAS),
    *_by_arguments(
        "set_quota",
        "SETQUOTA",
        "OK Set",
        ([module.Quota("a b", "STORAGE", 1, 2), module.Quota("a b", "MESSAGE", 1, 3)],),
        ([module.Quota("a", "STORAGE", 1, 2), module.Quota("b", "STORAGE", 1, 2)],),
    ),
    *_by_reply("id_", (), "ID", _IDS),
    *_by_arguments("id_", "ID", "* ID NIL", ({"name": "x", "os": None},), ({"a": 'b"c'},), ({"ä": "ö"},), ({},)),
    *_by_reply("enable", ("CONDSTORE",), "ENABLE", _ENABLED),
    *_by_arguments("enable", "ENABLE", "* ENABLED A", ("A", b"B", "c"), ("A B",)),
    *_by_reply("append", ("foo", b"x"), "APPEND", _APPENDED),
    *_by_reply("multiappend", ("foo", [b"one", {"msg": b"two", "flags": ["\\Seen"]}]), "APPEND", _APPENDED),
    *_by_reply("copy", ([1, 2], "foo"), "COPY", _COPIED),
    *_by_reply("move", ([1, 2], "foo"), "MOVE", _COPIED),
    Case("UIDPLUS alone", "move", ([1, 2], "foo"), {"COPY": _COPIED[0], "FETCH": _UIDS}, f"{_BARE} UIDPLUS"),
    *_by_reply("expunge", (), "EXPUNGE", ["* 3 EXPUNGE\n* 3 EXPUNGE\n* 1 EXISTS\nOK Expunged", "OK Expunged"]),
    *_by_reply("uid_expunge", ([1, 2],), "EXPUNGE", ["* 3 EXPUNGE\n* 3 EXPUNGE\nOK Expunged"]),
    *_by_reply("noop", (), "NOOP", _NOOPS),
    Case("told at the login", "capabilities", (), {}, "IMAP4rev1 idle AUTH=PLAIN QUOTA=RES-STORAGE"),
]

_LABELS = '* 1 FETCH (UID 1 X-GM-LABELS (\\Inbox "a b" &AOQ-))\n* 2 FETCH (X-GM-LABELS () UID 2)'
_XLIST = (
    '* XLIST (\\HasNoChildren \\Inbox) "/" "Inbox"\n* XLIST (\\HasChildren \\Noselect) "/" "[Gmail]"\n'
    '* XLIST (\\HasNoChildren \\AllMail) "/" "[Gmail]/All Mail"\n* XLIST (\\Sent) "/" "[Gmail]/Envoy&AOk-s"'
)
_GMAIL_CASES = [
    *_by_arguments("get_gmail_labels", "FETCH", _LABELS, ([1, 2],), (1,), ([],), on=_GMAIL),
    *_by_arguments("get_gmail_labels", "FETCH", "OK Nothing", ([1, 2, 3],), on=_GMAIL),
    *(
        case
        for method in ("add_gmail_labels", "remove_gmail_labels", "set_gmail_labels")
        for case in _by_arguments(
            method,
            "STORE",
            _LABELS,
            ([1, 2], "foo"),
            ([1, 2], b"foo"),
            ([1, 2], ["foo", "a b", "\\Starred"]),
            ([1, 2], ["ä", "日本"]),
            ([1, 2], ['say "hi"', "back\\slash"]),
            ([1, 2], ["foo"], True),
            ([1, 2], []),
            ([], ["foo"]),
            on=_GMAIL,
        )
    ),
    *_by_arguments(
        "gmail_search",
        "SEARCH",
        "* SEARCH 1 5",
        ("has:attachment in:unread",),
        ('"exact words" from:(a b)',),
        ("Öl",),
        ("Öl", "ISO-8859-1"),
        ("",),
        on=_GMAIL,
    ),
    *_by_arguments("xlist_folders", "XLIST", _XLIST, (), ("", "*"), on=_GMAIL),
    *_by_arguments(
        "search",
        "SEARCH",
        "* SEARCH 1",
        (["X-GM-LABELS", "a b"],),
        (["X-GM-RAW", "has:attachment"],),
        (["X-GM-THRID", 1266894439832287888],),
        on=_GMAIL,
    ),
]

_CHALLENGED = "+ \nOK done"
_REFUSED = "+ \n+ eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiQmVhcmVyIn0=\nNO refused"


def _plain(challenge: bytes) -> str:
    return "\0ann\0secret"


_SASL = [
    *(
        case._replace(capabilities=f"{_BARE} AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=PLAIN AUTH=X")
        for case in (
            *_by_reply(
                "oauth2_login", ("ann", "token"), "AUTHENTICATE", [_CHALLENGED, _REFUSED, "NO refused", "BAD no"]
            ),
            *_by_reply("oauth2_login", ("ann", "token", "XOAUTH2", "vendor"), "AUTHENTICATE", [_CHALLENGED]),
            *_by_reply("oauthbearer_login", ("ann", "token"), "AUTHENTICATE", [_CHALLENGED, _REFUSED]),
            *_by_reply("plain_login", ("ann", "secret"), "AUTHENTICATE", [_CHALLENGED, "NO refused"]),
            *_by_reply("plain_login", ("ann", "secret", "bob"), "AUTHENTICATE", [_CHALLENGED]),
            *_by_reply("sasl_login", ("PLAIN", _plain), "AUTHENTICATE", [_CHALLENGED, "NO refused"]),
            *_by_reply("sasl_login", ("X", bytes.upper), "AUTHENTICATE", ["+ Zm9v\n+ YmFy\nOK done"]),
        )
    ),
    Case("SASL-IR", "plain_login", ("ann", "secret"), {"AUTHENTICATE": "OK done"}, f"{_BARE} SASL-IR AUTH=PLAIN"),
    Case("SASL-IR", "sasl_login", ("PLAIN", _plain), {"AUTHENTICATE": _CHALLENGED}, f"{_BARE} SASL-IR AUTH=PLAIN"),
    Case("LOGINDISABLED", "login", ("ann", "secret"), {}, f"{_BARE} LOGINDISABLED"),
    Case("not advertised", "sasl_login", ("X", bytes.upper), {"AUTHENTICATE": "+ Zm9v\nOK done"}, _BARE),
    Case("not advertised", "plain_login", ("ann", "secret"), {"AUTHENTICATE": _CHALLENGED}, _BARE),
    Case("not advertised", "oauth2_login", ("ann", "token"), {"AUTHENTICATE": _CHALLENGED}, _BARE),
]

GROUPS: dict[str, Callable[[Recording], None]] = {
    f"canned_{name}": _made(cases)
    for name, cases in (
        ("fetch", _FETCH),
        ("search", _SEARCH),
        ("folders", _FOLDERS),
        ("others", _OTHERS),
        ("gmail", _GMAIL_CASES),
        ("sasl", _SASL),
    )
}
