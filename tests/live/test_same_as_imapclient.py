"""The same calls with IMAPClient 4.1.0 and with this library return the same values and types.

A table here has the differences, by their entry in doc/src/differences.rst. A test fails if a difference is not in the
table, or if one in the table no longer exists.

The calls are in tests/live/same_as_imapclient. They run on Dovecot and on the embedded server, with a new server for
each library. Others run on written replies, or need no server. IMAPClient comes from the package index, into its own
environment in the checkout.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

import imapclient
from imapclient.embedded_server import EmbeddedServer
from tests.benchmarks.processes import CHECKOUT, PEER, Interpreter, environment, environments_folder
from tests.helpers.dovecot import Dovecot
from tests.live.same_as_imapclient.comparing import Difference, differences
from tests.live.same_as_imapclient.driver import GROUPS, WITHOUT_SERVER

pytestmark = pytest.mark.live

_SUBCLASSES: Mapping[tuple[str, str], str] = {
    ("builtins.bytes", "imapclient.response_types.AppendReply"): "Results may carry more",
    ("builtins.bytes", "imapclient.response_types.CopyReply"): "``copy`` and ``move`` return the server's text",
    ("builtins.dict", "imapclient.response_types.FetchResult"): "Results may carry more",
    ("builtins.dict", "imapclient.response_types.ItemResult"): "Results may carry more",
    ("builtins.list", "imapclient.response_types.SearchIds"): "Results may carry more",
    ("builtins.str", "imapclient.imap_utf7.WireName"): "Folder names that are not modified UTF-7",
    ("collections.defaultdict", "imapclient.response_types.FetchResult"): "Results may carry more",
}
"""Key: IMAPClient's type, and ours, which is a subclass. Value: the entry about it."""

_DIFFERENCES: Mapping[str, tuple[str, ...]] = {
    "Literals wait where the server may refuse what stands before them": (
        "refused_before_literals/NOOP after ...",
        "refused_before_literals/folder made by ...",
        "refused_before_literals/search('KEYWORD a{b ...",
    ),
    "``starttls`` after the login": ("tls/starttls(<ssl.SSLContext object>) again again",),
    "Values have no other attributes": (
        "behaviour/Address: set another attribute",
        "behaviour/Address: fields",
        "behaviour/Envelope: set another attribute",
        "behaviour/Envelope: fields",
        "behaviour/Namespace: set another attribute",
        "behaviour/Namespace: fields",
        "behaviour/BodyData: set a field",
        "behaviour/BodyData: set another attribute",
        "behaviour/BodyData: fields",
    ),
    "Arguments are checked before the capabilities": (
        "enable/enable()",
        "sort/sort([])",
        "sort/sort('')",
        "sort/sort('SIZE', '')",
    ),
    "Sequence sets as text": (
        "fetch_ids/fetch('102:104', ...",
        "fetch_ids/fetch('101,102', ...",
        "fetch_ids/fetch(['101:102'], ...",
        "fetch_ids/fetch('104:*', ...",
        "fetch_ids/fetch('*', ...",
        "fetch_ids/fetch('2:3', ...",
        "copy/fetch('1:*', ...",
    ),
    "Ids from an iterator": ("fetch_ids/fetch(<list_iterator object>, ...",),
    "Ids are checked": (
        "fetch_ids/fetch(0, ...",
        "fetch_ids/fetch(-1, ...",
        "fetch_ids/fetch('x', ...",
        "fetch_ids/fetch(True, ...",
        "utilities/join_message_ids(range(0, 3))",
    ),
    "An empty set of messages sends nothing": (
        "copy/copy([], ...",
        "move/move([], ...",
        "uid_expunge/uid_expunge([])",
        "expunge_none/...",
        "canned_gmail/add_gmail_labels: [], ...",
        "canned_gmail/remove_gmail_labels: [], ...",
        "canned_gmail/set_gmail_labels: [], ...",
        "quota/set_quota([])",
    ),
    "Names that the grammar has no room for raise ValueError": (
        "flags_odd/add_flags([101], '')",
        "flags_odd/add_flags([101], [''])",
        "flags_odd/add_flags([101], '{5}')",
        "flags_odd/add_flags([101], ['\\\\Seen Work'])",
        "flags_odd/add_flags([101], '(\\\\Seen)')",
        "flags_odd/add_flags([101], 'ünicode')",
        "flags_odd/remove_flags([101], '')",
        "flags_odd/remove_flags([101], [''])",
        "flags_odd/remove_flags([101], '{5}')",
        "flags_odd/remove_flags([101], ['\\\\Seen Work'])",
        "flags_odd/remove_flags([101], '(\\\\Seen)')",
        "flags_odd/remove_flags([101], 'ünicode')",
        "flags_odd/set_flags([101], '')",
        "flags_odd/set_flags([101], [''])",
        "flags_odd/set_flags([101], '{5}')",
        "flags_odd/set_flags([101], ['\\\\Seen Work'])",
        "flags_odd/set_flags([101], '(\\\\Seen)')",
        "flags_odd/set_flags([101], 'ünicode')",
        "append_odd/append('INBOX', b'X NOOP\\r\\n', ['a b'])",
        "status/folder_status('INBOX', '(MESSAGES UNSEEN)')",
        "status/folder_status('INBOX', [])",
        "status/folder_status('INBOX', '')",
        "canned_others/enable: 'A B'...",
    ),
    "User names, passwords and search text of any script": (
        "login/login('login', 'pässwörd')",
        "login/login('ünknown', 'secret')",
        "quota/get_quota('Entwürfe')",
        "quota/get_quota_root('Entwürfe')",
        "search_text/search(['SUBJECT', 'größe'], None)",
        "search_text/search('SUBJECT größe', None)",
        "append_odd/append('INBOX', 'text\\r\\nGrüße\\r\\n', ...",
        "canned_others/id_: {'ä': 'ö'}...",
    ),
    "Every text is quoted where the grammar wants it": (
        "login/login('', '')",
        "acl/setacl('Teams', 'name with space', 'l')",
        "acl/setacl('Teams', 'bob', '')",
        "canned_others/setacl: b'foo', b'fred', b'', commands",
    ),
    "Folder names that are bytes are taken for those of the wire": (
        "names_as_bytes/list_folders(b'', b'Entw&APw-rfe')",
        "names_as_bytes/folder_exists(b'Entw&APw-rfe')",
        "names_as_bytes/folder_exists(b'Entw\\xc3\\xbcrfe')",
        "names_as_bytes/folder_status(b'Entw&APw-rfe', 'MESSAGES')",
        "names_as_bytes/folder_exists('a&b')",
        "names_as_bytes/select_folder(b'Entw&APw-rfe')",
        "canned_folders/list_folders: b'&AOQ-', b'%', commands",
    ),
    "``append`` leaves the message as it is": ("append_odd/what was appended first",),
    "ID may have values that are None": (
        "id/id_({'name': None})...",
        "canned_others/id_: {'name': 'x', 'os': None}...",
    ),
    "Years have four digits": ("times/format_criteria_date(datetime.date(999, 12, 31))",),
    "Text in a list of criteria is quoted": (
        "search/search(['(', 'SEEN'])",
        "canned_search/search: ['(SEEN)'], commands",
        "canned_search/search: ['OR', '(SEEN)', '(DELETED)'], commands",
        "canned_search/search: ['TEXT', 'a(b'], commands",
    ),
    "Ids in criteria are a sequence set": ("search/search(['UID', [101, 103]])", "search/search([[1, 3]])"),
    "Nested criteria keep the charset": (
        "search_text/search(['OR', ['SUBJECT', 'anstößig'], ['BODY', 'grüße']], 'UTF-8')",
        "sort/sort('SIZE', ['OR', ['SUBJECT', 'größe'], ['SEEN']], charset='UTF-8')",
    ),
    "Criteria in one string may hold any text": (
        "search_text/search('SUBJECT größe', 'UTF-8')",
        "search_text/search('SUBJECT \"größe\"', 'UTF-8')",
        "search_text/search(b'SUBJECT \"gr\\xc3\\xb6\\xc3\\x9fe\"', 'UTF-8')",
        "sort/sort('SIZE', 'SUBJECT größe')",
    ),
    "A charset that Python doesn't know": (
        "search_text/search(['SUBJECT', 'Budget'], 'NONSENSE-1')",
        "search_text/search(['SUBJECT', 'größe'], 'NONSENSE-1')",
    ),
    "A second try in a charset that the server has": ("canned_search/search: NO [BADCHARSET (US-ASCII)] no, commands",),
    "``fetch`` with no items raises ValueError": (
        "fetch/fetch(101, [])",
        "fetch/fetch(101, '')",
        "fetch/fetch(101, [''])",
    ),
    "``fetch`` with ``ALL``, ``FAST`` or ``FULL``": (
        "fetch/fetch([101, 102], 'ALL')",
        "fetch/fetch([101, 102], 'FAST')",
        "fetch/fetch([101, 102], 'FULL')",
        "fetch/fetch([101, 102], ['ALL'])",
        "fetch/fetch([101, 102], ['FAST'])",
    ),
    "One message that can't be read doesn't lose the others": (
        "parsing/parse_fetch_response([b'4 FOO'], {})",
        "parsing/parse_fetch_response([b'4 (UID x)'], {})",
        "parsing/parse_fetch_response([b'4 (FLAGS'], {})",
        "parsing/parse_fetch_response([b'4 (FLAGS)'], {})",
        "canned_fetch/fetch: * 1 FETCH (UID 1 ENVELOPE (123 456 NIL NIL NIL NIL NIL NIL NIL NIL))",
        "canned_fetch/fetch: * 1 FETCH (UID 1 FLAGS (",
        "canned_fetch/fetch: * 1 FETCH UID 1",
        "canned_fetch/fetch: * 1 FETCH (UID 1 FLAGS)",
        "canned_fetch/fetch: * 1 FETCH (UID one)",
    ),
    "A FETCH response without a UID is not taken for one of the messages": (
        "canned_fetch/fetch: * 1 FETCH ()",
        "canned_fetch/add_flags: * 1 FETCH (FLAGS (\\Seen))",
    ),
    "Header fields in keys have no quotes": (
        'canned_fetch/fetch: * 1 FETCH (UID 1 BODY[HEADER.FIELDS ("SUBJECT")]...',
    ),
    "Flags are always bytes": (
        "flags_odd/add_flags([101], ['NIL', 'nil'])",
        "flags_odd/set_flags([101], ['NIL', 'nil'])",
        "flags_odd/add_flags([101], '123')",
        "flags_odd/set_flags([101], '123')",
        "canned_fetch/fetch: * 1 FETCH (UID 1 FLAGS (NIL nil 12 \\*))",
    ),
    "Addresses in groups can be printed": (
        "behaviour/str(Address) with {'mailbox': None, 'host': None}",
        "fetch/fetch([101, 102, 103, 104, 105, 106], ['ENVELOPE'])",
        "fetch/fetch([101, 102, 103, 104, 105, 106], ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', ...",
        'canned_fetch/fetch: * 1 FETCH (UID 1 ENVELOPE ("no date" ...',
    ),
    "Folder lists are read in all the forms that servers send": (
        'canned_folders/list_folders: * LIST (\\Sent \\X) "/" Sent ("CHILDINFO" ("SUBSCRIBED"))',
        'canned_folders/list_folders: * LIST () "/" a b',
    ),
    "A folder's name is always text": (
        'canned_folders/list_folders: * LIST (\\HasNoChildren) "\\\\" ...',
        'canned_folders/list_folders: * LIST (\\HasNoChildren) "/" INBOX ...',
        "canned_others/get_quota_root: * QUOTAROOT 123 456",
        "parsing/parse_response([b'(\\\\Noselect) \"/\" 123'])",
        "parsing/parse_response([b'123 (MESSAGES 4)'])",
    ),
    "Folder names that are not modified UTF-7": (
        "names/decode(b'&&')",
        "names/decode(b'&x')",
        "names/decode(b'a&b-c')",
        'canned_folders/list_folders: * LIST () "/" "a&b"',
        'canned_folders/list_folders: * LIST () "/" ä',
    ),
    "``&`` at the end of a name": ("names/decode(b'&')",),
    "``find_special_folder`` sends one command, or two": (
        "listing/find_special_folder('\\\\Sent')",
        "canned_folders/find_special_folder: nothing, commands",
    ),
    "What SELECT tells is about the new folder": (
        "canned_folders/select_folder: * OK [UIDNEXT 1] x | * OK [UIDNEXT 2] y | OK [READ-WRITE] Done",
        "canned_folders/select_folder: * 5 EXISTS | * OK [CLOSED] Previous | * 3 EXISTS | OK [READ-WRITE] Done",
        'canned_folders/select_folder: * 3 EXISTS | * LIST () "/" foo | OK [READ-WRITE] Done',
    ),
    "Namespaces of every kind": (
        'canned_folders/namespace: * NAMESPACE (("" NIL)) nil NIL',
        'canned_folders/namespace: * NAMESPACE (("" "/" "X-PARAM" ("FLAG1" "FLAG2"))) NIL NIL',
    ),
    "``folder_status``, ``getacl`` and ``get_quota_root`` return what is told of that folder": (
        "canned_folders/folder_status: * STATUS foo bar (MESSAGES 3)",
        "canned_others/getacl: * ACL bar fred rw",
        'canned_others/get_quota: * QUOTAROOT bar "" | * QUOTA "" (STORAGE 1 2)',
        'canned_others/get_quota_root: * QUOTAROOT bar "" | * QUOTA "" (STORAGE 1 2)',
    ),
    "``getacl`` returns identifiers without quotes": (
        'canned_others/getacl: * ACL "foo" fred rwipslda sally ""',
        'canned_others/getacl: * ACL foo "fred b" "rw"',
    ),
    "Quotas in their usual form": (
        'canned_others/get_quota: * QUOTAROOT INBOX "" | * QUOTA "" (storage 10 512)',
        'canned_others/get_quota_root: * QUOTAROOT INBOX "" | * QUOTA "" (storage 10 512)',
        'canned_others/get_quota_root: * QUOTAROOT "&AOQ-" "" | * QUOTA "" (STORAGE 1 2)',
    ),
    "``set_quota`` takes quotas of several roots": (
        "canned_others/set_quota: [Quota(quota_root='a', resource='STORAGE', usage=1, limit=2)…...",
    ),
    "``copy`` and ``move`` return the server's text": (
        "copy/copy(...",
        "move/move(...",
        "canned_others/copy: ...",
        "canned_others/move: OK ...",
        "canned_others/move: * OK ...",
    ),
    "``move`` works without the capability MOVE": ("canned_others/move: UIDPLUS alone...",),
    "``uid_expunge`` and ``expunge(messages)`` return ``(text, list)``": (
        "expunge/expunge([101])",
        "expunge/expunge(102)",
        "expunge/expunge('103:104')",
        "expunge/expunge([105])",
        "uid_expunge/uid_expunge([101])",
        "uid_expunge/uid_expunge(102)",
        "uid_expunge/uid_expunge('103:104')",
        "uid_expunge/uid_expunge([999])",
        "canned_others/uid_expunge: ...",
    ),
    "``multiappend`` returns bytes, and raises where the server refuses": (
        "multiappend/multiappend(...",
        "canned_others/multiappend: ...",
        "refused_before_literals/multiappend(...",
        "multiappend/multiappend('missing', ...",
        "canned_others/multiappend: NO [TRYCREATE] first",
    ),
    "``starttls`` returns the server's text": ("tls/starttls(<ssl.SSLContext object>)",),
    "``use_uid = False`` works in every method": ("move/move([1], 'Target')", "uid_expunge/uid_expunge([105])"),
    "Changing Gmail's labels always returns a dict": ("canned_others/add_gmail_labels: no capability",),
    "NIL in any letter case is None": ("canned_others/id_: * ID nil",),
    "Names of responses in any letter case": (
        "canned_search/search: * search 7",
        'canned_folders/list_folders: * list (\\Marked) "/" lower',
        "canned_folders/folder_status: * status foo (messages 3)",
        "canned_folders/select_folder: * 3 EXISTS | OK [read-write] Done",
        "canned_others/id_: * id (name x)",
        "canned_others/enable: * enabled condstore",
    ),
    "A tagged response without text is read": ("canned_others/append: OK", "canned_others/multiappend: OK"),
    "Literals in untagged responses": ("canned_others/noop: * 1 FETCH (BODY[TEXT] {3}~a~)",),
    "A response that doesn't come is a ProtocolError": (
        'canned_folders/list_folders: * LIST () "/"',
        "canned_folders/folder_status: OK nothing",
        "canned_folders/namespace: OK nothing",
        "canned_others/getacl: OK nothing",
        "canned_others/get_quota: OK nothing",
        "canned_others/get_quota_root: OK nothing",
    ),
    "Message ids in every form": (
        "parsing/parse_message_list([b'(MODSEQ 9)'])",
        "parsing/parse_message_list([b' 1  2 '])",
        "parsing/parse_message_list([b'1 x'])",
        "canned_search/search: * SEARCH (MODSEQ 1234)",
        "canned_search/search: * SEARCH 1 | * SEARCH 2",
        "canned_search/search: * SEARCH x",
        "canned_search/sort: OK nothing",
        "canned_search/sort: * SORT 1 | * SORT 2",
        "canned_search/sort: * SORT 1 (MODSEQ 5)",
        "canned_others/enable: * ENABLED A | * ENABLED B",
    ),
    "What an IMAP4rev2 server answers to SEARCH": ("canned_search/search: * ESEARCH UID ALL 1:3,5",),
    "Parentheses and literals that don't fit are errors": (
        "parsing/parse_response([b'foo)'])",
        "parsing/parse_response([b'{5}'])",
    ),
    "``TokenSource.current_literal`` is the literal of one token": ("parsing/TokenSource literals",),
    "Namespace is a named tuple": (
        "behaviour/Namespace: repr",
        "behaviour/Namespace: str",
        "behaviour/Namespace: copy",
        "behaviour/Namespace: deep copy",
        "behaviour/Namespace: pickle",
    ),
    "``BodyData.create`` takes every tuple": (
        "behaviour/BodyData.create(())",
        "behaviour/BodyData.create(((b'A',),))",
    ),
    "Local time is that of the moment": ("times/seasons",),
    "A zone of a day or more can't be read": ("times/parse_to_datetime(b'Sat, 8 May 2010 16:03:09 +9999', False)",),
    "FixedOffset is a full tzinfo": ("offsets/FixedOffset(...", "offsets/a datetime with FixedOffset, pickled"),
    "``stream=True`` works": ("stream/...",),
    "``idle`` returns an object": ("idle/idle()...",),
    "``idle_check`` and ``idle_done`` need ``idle``": (
        "idle/idle_check(0) again",
        "idle/idle_check(0) again again",
        "idle/idle_done() again again",
    ),
    "A connection that broke says so": (
        "logout/search()",
        "logout/select_folder('INBOX')",
        "logout/fetch(1, 'FLAGS')",
    ),
    "``shutdown`` never raises": ("logout/shutdown() again",),
    "CAPABILITY is sent less often": (
        "attributes/use as a context manager",
        "tls/TLS",
        "tls/login('tls', 'secret')",
        "login/login('login', 'secret')",
        "login/login('login', 'secret') again",
        "login/login('login', b'secret')",
        "login/login(b'login', b'secret')",
        "login/login(username='login', password='secret')",
        "authenticate/plain_login('authenticate', 'secret')",
        "authenticate/plain_login('authenticate', 'secret', 'authenticate')",
        "authenticate/plain_login('authenticate', 'secret', authorization_identity='')",
        "authenticate/login('authenticate', 'secret')",
        "authenticate/sasl_login('PLAIN', <function authenticate.<locals>.plain>)",
        "authenticate/sasl_login('PLAIN', <function authenticate.<locals>.plain_bytes>)",
        "authenticate/sasl_login('LOGIN', <function authenticate.<locals>.<lambda>>)",
        "authenticate/sasl_login('ANONYMOUS', <function authenticate.<locals>.<lambda>>)",
    ),
    "LOGIN is not sent where the server forbids it": ("canned_sasl/login: LOGINDISABLED",),
    "The first message of a mechanism goes with AUTHENTICATE": ("canned_sasl/plain_login: SASL-IR, commands",),
    "OAuth as the RFC has it": (
        "canned_sasl/oauth2_login: +  | + eyJ...",
        "canned_sasl/oauthbearer_login: ...",
    ),
    "Arguments that are wrong raise ValueError or TypeError": (
        "append_odd/append('INBOX', b'X NOOP\\r\\n', (), 'yesterday')",
        "append_odd/append('INBOX', b'X NOOP\\r\\n', (), datetime.date(2024, 2, 5))",
        "multiappend/multiappend('INBOX', [])",
        "multiappend/multiappend('INBOX', [{}])",
    ),
    "A ProtocolError's arguments are where and what": ("constants/ProtocolError('text', 5)",),
}
"""Key: the entry. Value: the calls that differ, as ``group/label``. ``...`` at the end matches any text."""

_WORDED = "Messages are worded otherwise"
"""The entry about messages of exceptions with the same meaning in other words."""

_KINDS = ("none", "embedded", "dovecot")
_PASSWORD = "secret"
# A driver that takes longer hangs.
_PATIENCE_SECONDS = 500
# A zone without daylight saving time, because IMAPClient uses today's offset for all times.
_ZONE = "XXX-05:30"


class Recordings(NamedTuple):
    """The outcomes of the same calls with each library, as the driver printed them."""

    theirs: dict[str, Any]
    ours: dict[str, Any]


def _unavailable(reason: str, *, obtainable: bool = True) -> NoReturn:
    if obtainable and os.environ.get("IMAPCLIENT_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


# -- running the drivers


@pytest.fixture(scope="session")
def interpreters() -> list[Interpreter]:
    """IMAPClient's and ours."""
    try:
        python = environment(environments_folder(None) / "peer", (PEER,))
    except (OSError, subprocess.CalledProcessError) as error:
        _unavailable(f"there is no environment with {PEER}, and none can be made: {error}")
    package = Path(imapclient.__file__).resolve().parent.parent
    return [Interpreter(python, None), Interpreter(Path(sys.executable), package)]


class _Runs:
    """Runs the drivers at the first request for their recordings. They run only once, also after a failure."""

    def __init__(self, interpreters: list[Interpreter]) -> None:
        self._interpreters = interpreters
        self._recordings: dict[str, Future[Recordings]] = {}

    def of(self, kind: str) -> Recordings:
        if kind not in self._recordings:
            recordings = self._recordings[kind] = Future()
            try:
                recordings.set_result(self._run(kind))
            except BaseException as error:  # skipping the test is one too
                recordings.set_exception(error)
        return self._recordings[kind].result()

    def _run(self, kind: str) -> Recordings:
        with ExitStack() as stack:
            places = [_place(kind, stack) for _ in self._interpreters]
            # They run at the same time, because they wait for a server most of the time.
            with ThreadPoolExecutor() as pool:
                return Recordings(*pool.map(_drive, self._interpreters, places))


@pytest.fixture(scope="session")
def runs(interpreters: list[Interpreter]) -> _Runs:
    return _Runs(interpreters)


def _place(kind: str, stack: ExitStack) -> dict[str, Any]:
    """Start a server of the kind, until the stack is closed. Return the driver's settings for it."""
    if kind == "none":
        return {"kind": kind, "groups": list(WITHOUT_SERVER)}
    streams: dict[str, str] = {}
    server: Dovecot | EmbeddedServer
    if kind == "dovecot":
        reason = Dovecot.unavailable()
        if reason is not None:
            _unavailable(reason)
        server = stack.enter_context(Dovecot())
        for user in GROUPS:
            server.add_user(user, _PASSWORD)
        # If root starts it, Dovecot's imap refuses a socket as its output. With cat it has a pipe.
        streams["stream"] = f"{server.preauth_command('stream')} 2>/dev/null | cat"
        ca = Path(server.ca_file).read_text(encoding="ascii")
    else:
        server = EmbeddedServer(users=dict.fromkeys(GROUPS, _PASSWORD), tls=True, starttls=True)
        reason = server.unavailable_reason()
        if reason is not None:
            # pymap does not run on older versions of Python, so that nothing can be installed.
            _unavailable(reason, obtainable=tuple(sys.version_info) >= (3, 11))
        stack.enter_context(server)
        ca = server.ca_pem.decode("ascii")
    return {
        "kind": kind,
        "groups": list(GROUPS),
        "host": server.host,
        "port": server.port,
        "tls_port": server.tls_port,
        "ca": ca,
        "password": _PASSWORD,
        "streams": streams,
    }


def _drive(interpreter: Interpreter, place: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [str(interpreter.python), "-m", "same_as_imapclient.driver"],
        input=json.dumps(place),
        capture_output=True,
        text=True,
        encoding="utf-8",
        # Python searches modules in this folder first. The checkout has another package named imapclient.
        cwd=Path(__file__).parent,
        env={**interpreter.variables(), "TZ": _ZONE},
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


# -- comparing


def _group(recordings: Recordings, group: str) -> Iterator[tuple[str, list[Difference]]]:
    """Yield each call of a group, by its name in the table, with its differences."""
    both = []
    for answer in recordings:
        recorded = answer["groups"][group]
        assert "outcomes" in recorded, f"{answer['path']}: {recorded['failed']}"
        both.append(recorded["outcomes"])
    theirs, ours = both
    assert list(theirs) == list(ours)
    for label in theirs:
        yield f"{group}/{label}", differences(theirs[label], ours[label])


_LINES = [(entry, line) for entry, lines in _DIFFERENCES.items() for line in lines]


def _declared(call: str, difference: Difference) -> list[object]:
    """Return the lines of the tables that declare the difference."""
    if difference.kind == "subclass":
        pair = difference.theirs, difference.ours
        return [pair] if pair in _SUBCLASSES else []
    if difference.kind == "wording":
        return [_WORDED]
    return [(entry, line) for entry, line in _LINES if _means(line, call)]


def _means(line: str, call: str) -> bool:
    return call.startswith(line[:-3]) if line.endswith("...") else call == line


_CASES = [(kind, group) for kind in _KINDS for group in (WITHOUT_SERVER if kind == "none" else GROUPS)]


@pytest.mark.parametrize(("kind", "group"), _CASES, ids=[f"{kind}-{group}" for kind, group in _CASES])
def test_calls_do_the_same(runs: _Runs, kind: str, group: str) -> None:
    undeclared = [
        f"{call}\n    {difference}"
        for call, found in _group(runs.of(kind), group)
        for difference in found
        if not _declared(call, difference)
    ]
    assert not undeclared, "\n" + "\n".join(undeclared)


def test_declared_differences_are_still_there(runs: _Runs) -> None:
    used: set[object] = set()
    for kind, group in _CASES:
        for call, found in _group(runs.of(kind), group):
            for difference in found:
                used.update(_declared(call, difference))
    stale = {*_SUBCLASSES, _WORDED, *_LINES} - used
    assert not stale


def test_declared_differences_are_documented() -> None:
    page = (CHECKOUT / "doc" / "src" / "differences.rst").read_text(encoding="utf-8")
    # A term of a definition list is a line of text before an indented line.
    terms = re.findall(r"^(\S.*)\n {3}\S", page, re.MULTILINE)
    assert [term for term, count in Counter(terms).items() if count > 1] == []
    assert {*_DIFFERENCES, *_SUBCLASSES.values(), _WORDED} - set(terms) == set()


def test_the_libraries_are_the_ones_to_compare(runs: _Runs, interpreters: list[Interpreter]) -> None:
    theirs, ours = runs.of("none")
    assert theirs["version"] == PEER.partition("==")[2]
    assert CHECKOUT / "imapclient" not in Path(theirs["path"]).parents
    assert Path(ours["path"]) == Path(imapclient.__file__).resolve()


def test_every_method_is_called(runs: _Runs) -> None:
    called = Counter(
        re.split(r"[(:]", label)[0]
        for kind, group in _CASES
        for label in runs.of(kind).theirs["groups"][group].get("outcomes", ())
    )
    # "client.welcome" and so on are in the group "attributes".
    methods = set(runs.of("none").theirs["methods"]) - {"AbortError", "Error", "ReadOnlyError", "socket", "welcome"}
    assert {name for name in methods if called[name] < 2} == set()


def test_no_literal_has_become_a_command(runs: _Runs) -> None:
    """IMAPClient is no measure here: some of its literals have."""
    outcomes = runs.of("dovecot").ours["groups"]["refused_before_literals"]["outcomes"]
    made = {label: outcome for label, outcome in outcomes.items() if label.startswith("folder made by")}
    assert [label for label, outcome in made.items() if outcome["returned"]["value"]] == []
    assert len(made) == 6
