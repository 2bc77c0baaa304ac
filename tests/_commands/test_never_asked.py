"""A server that answers for folders, messages and sections that it was not asked for: the caller gets nothing of it.

Each call runs with answers of others before and after its own, and with those alone. They go to `on_unsolicited`.
"""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.events import Bye, NewMessage
from imapclient.exceptions import ProtocolError
from tests.helpers.dialogue import dialogue
from tests.helpers.uid_codes import known

CAPABILITIES = "IMAP4rev1 MOVE NAMESPACE QUOTA ACL UIDPLUS THREAD=REFERENCES SORT X-GM-EXT-1"
Call = Callable[[IMAPClient], Any]

#: The call, what is sent for it, the answer, what others would be told, and what the call gives without an answer.
CASES: list[tuple[Call, str, list[str], list[str], Any]] = [
    (
        lambda client: client.fetch([5, 7], ["FLAGS", "BODY.PEEK[1]"]),
        "UID FETCH 5,7 (FLAGS BODY.PEEK[1])",
        ['* 1 FETCH (UID 5 FLAGS (a) BODY[1] "x")'],
        ['* 2 FETCH (UID 6 FLAGS (b) BODY[1] "y")', "* 3 FETCH (UID 8 FLAGS (c))", "* 4 FETCH (FLAGS (d))"],
        {},
    ),
    (
        lambda client: client.get_flags([5]),
        "UID FETCH 5 (FLAGS)",
        ["* 1 FETCH (UID 5 FLAGS (a))"],
        ["* 2 FETCH (UID 6 FLAGS (b))"],
        {},
    ),
    (
        lambda client: client.add_flags([5], "a"),
        "UID STORE 5 +FLAGS (a)",
        ["* 1 FETCH (UID 5 FLAGS (a))"],
        ["* 2 FETCH (UID 6 FLAGS (b))"],
        {},
    ),
    (
        lambda client: client.get_gmail_labels([5]),
        "UID FETCH 5 (X-GM-LABELS)",
        ["* 1 FETCH (UID 5 X-GM-LABELS (a))"],
        ["* 2 FETCH (UID 6 X-GM-LABELS (b))"],
        {},
    ),
    (
        lambda client: client.folder_status("A", "MESSAGES"),
        'STATUS "A" (MESSAGES)',
        ["* STATUS A (MESSAGES 1)"],
        ["* STATUS B (MESSAGES 2)", "* STATUS A/B (MESSAGES 3)"],
        ProtocolError,
    ),
    (
        lambda client: client.folder_status("INBOX/A", "MESSAGES"),
        'STATUS "INBOX/A" (MESSAGES)',
        ["* STATUS A (MESSAGES 1)"],
        ["* STATUS INBOX (MESSAGES 2)"],
        ProtocolError,
    ),
    (
        lambda client: client.getacl("A"),
        'GETACL "A"',
        ["* ACL A ann lrs"],
        ["* ACL B bob lrs"],
        ProtocolError,
    ),
    (
        lambda client: client.get_quota_root("A"),
        'GETQUOTAROOT "A"',
        ["* QUOTAROOT A mine", "* QUOTA mine (STORAGE 1 2)"],
        ["* QUOTAROOT B theirs", "* QUOTA theirs (STORAGE 3 4)"],
        ProtocolError,
    ),
    (
        lambda client: client.list_folders("", "A%"),
        'LIST "" "A%"',
        ['* LIST () "/" A', '* LIST () "/" AB'],
        ['* LIST () "/" B', '* LIST () "/" AB/C'],
        [],
    ),
    (
        lambda client: client.list_sub_folders("A/", "*"),
        'LSUB "A/" "*"',
        ['* LSUB () "/" A/B', '* LSUB () "/" A/B/C'],
        ['* LSUB () "/" B', '* LSUB () "/" AB'],
        [],
    ),
    (
        lambda client: client.folder_exists("A"),
        'LIST "" "A"',
        ['* LIST () "/" A'],
        ['* LIST () "/" B'],
        False,
    ),
    (
        lambda client: client.search(),
        "UID SEARCH ALL",
        ["* SEARCH 1 2"],
        ["* SORT 3", "* THREAD (4)", '* ESEARCH (TAG "other") UID ALL 5'],
        [],
    ),
    (
        lambda client: known(client.copy([5, 7], "A")),
        'UID COPY 5,7 "A"',
        ["* OK [COPYUID 1 5,7 8:9] x"],
        ["* OK [COPYUID 1 6 10] x", "* OK [COPYUID 1 5:7 11:13] x"],
        (b"done", None, None, None),
    ),
    (
        lambda client: known(client.move([5, 7], "A")),
        'UID MOVE 5,7 "A"',
        ["* OK [COPYUID 1 5 8] x", "* OK [COPYUID 1 7 9] x"],
        ["* OK [COPYUID 1 6 10] x", "* OK [COPYUID 1 5:7 11:13] x"],
        (b"done", None, None, None),
    ),
    (lambda client: client.sort("DATE"), "UID SORT (DATE) UTF-8 ALL", ["* SORT 2 1"], ["* SEARCH 3"], []),
    (lambda client: client.thread(), "UID THREAD REFERENCES UTF-8 ALL", ["* THREAD (1 2)"], ["* SEARCH 3"], ()),
]


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_answers_for_others(case: tuple[Call, str, list[str], list[str], Any]) -> None:
    call, request, own, others, _ = case
    plain = [f"C: A1 {request}", *(f"S: {line}" for line in own), "S: A1 OK done"]
    with dialogue("\n".join(plain), capabilities=CAPABILITIES) as client:
        expected = call(client)
    mixed = [f"C: A1 {request}", *(f"S: {line}" for line in (*others, *own, *others)), "S: A1 OK done"]
    heard: list[Any] = []
    with dialogue("\n".join(mixed), capabilities=CAPABILITIES) as client:
        client.on_unsolicited = heard.append
        assert call(client) == expected
    assert len(heard) == 2 * len(others)


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_answers_for_others_alone(case: tuple[Call, str, list[str], list[str], Any]) -> None:
    call, request, _, others, expected = case
    script = [f"C: A1 {request}", *(f"S: {line}" for line in others), "S: A1 OK done"]
    heard: list[Any] = []
    with dialogue("\n".join(script), capabilities=CAPABILITIES) as client:
        client.on_unsolicited = heard.append
        if expected is ProtocolError:
            with pytest.raises(ProtocolError):
                call(client)
        else:
            assert call(client) == expected
        assert client._imap.is_usable
    assert len(heard) == len(others)


def test_sections_that_nobody_asked_for() -> None:
    script = """
        C: A1 UID FETCH 5 (FLAGS BODY.PEEK[1])
        S: * 1 FETCH (UID 5 FLAGS (a) BODY[1] "x" BODY[2] "y" RFC822.TEXT {3}
        S: abc BODY[1.MIME] NIL)
        S: * 1 FETCH (UID 5 BODY[] "z")
        S: A1 OK done
    """
    with dialogue(script) as client:
        assert client.fetch(5, ["FLAGS", "BODY.PEEK[1]"]) == {5: {b"SEQ": 1, b"FLAGS": (b"a",), b"BODY[1]": b"x"}}


_STATUS = 'C: A1 STATUS "A" (MESSAGES)\n{}\nS: A1 OK done'


def test_of_names_in_other_forms_only_one_alone_is_the_answer() -> None:
    told = ["S: * STATUS INBOX.A (MESSAGES 1)", "S: * STATUS Old.A (MESSAGES 2)"]
    for lines in (told, told[::-1]):
        with dialogue(_STATUS.format("\n".join(lines))) as client:
            with pytest.raises(ProtocolError, match="no STATUS response about the requested folder"):
                client.folder_status("A", "MESSAGES")
            assert client._imap.is_usable
            assert len(client._imap.unsolicited) == 2


def test_the_name_itself_comes_before_any_other_form_of_it() -> None:
    told = ["S: * STATUS INBOX.A (MESSAGES 1)", "S: * STATUS A (MESSAGES 2)", "S: * STATUS Old.A (MESSAGES 3)"]
    for lines in (told, told[::-1]):
        with dialogue(_STATUS.format("\n".join(lines))) as client:
            assert client.folder_status("A", "MESSAGES") == {b"MESSAGES": 2}
            assert len(client._imap.unsolicited) == 2


def test_a_form_of_the_name_among_others() -> None:
    told = ["S: * STATUS B (MESSAGES 1)", "S: * STATUS INBOX.A (MESSAGES 2)", "S: * STATUS (", "S: * STATUS INBOX.A ()"]
    with dialogue(_STATUS.format("\n".join(told))) as client:
        assert client.folder_status("A", "MESSAGES") == {b"MESSAGES": 2}
        assert [response.text for response in client._imap.unsolicited] == [b"B (MESSAGES 1)", b"INBOX.A ()", b"("]


@pytest.mark.parametrize("code", ["[COPYUID 1 6 10]", "[COPYUID 1 5:7 8:10]", "[COPYUID 1 5:4294967295 6:4294967295]"])
@pytest.mark.parametrize("command", ["COPY", "MOVE"])
def test_a_copy_of_messages_that_nobody_asked_for(command: str, code: str) -> None:
    with dialogue(f'C: A1 UID {command} 5,7 "A"\nS: A1 OK {code} done', capabilities=CAPABILITIES) as client:
        reply = getattr(client, command.lower())([5, 7], "A")
        assert known(reply) == (f"{code} done".encode(), None, None, None)


@pytest.mark.parametrize(
    ("messages", "code", "is_known"),
    [
        ("5:*", "[COPYUID 1 2,6:8 1:4]", True),
        ("$", "[COPYUID 1 2,6:8 1:4]", True),
        ("1:9", "[COPYUID 1 9,2:3 1:3]", True),
        ("1:4,5:9", "[COPYUID 1 3:6 1:4]", True),
        ("1:9", "[COPYUID 1 9:10 1:2]", False),
    ],
)
def test_which_messages_may_be_copied(messages: str, code: str, is_known: bool) -> None:
    sent = "1:9" if messages == "1:4,5:9" else messages
    with dialogue(f'C: A1 UID COPY {sent} "A"\nS: A1 OK {code} done') as client:
        assert (client.copy(messages, "A").uids is not None) == is_known


@pytest.mark.parametrize(("uids", "is_known"), [("8:9", True), ("8:10", False), ("8", False), ("1:4294967295", False)])
def test_the_copies_of_messages_by_number_are_as_many(uids: str, is_known: bool) -> None:
    """Which UIDs they have is for the server to tell."""
    count = {"8:9": "101:102", "8:10": "101:103", "8": "101", "1:4294967295": "1:4294967295"}[uids]
    with dialogue(f'C: A1 COPY 5,7 "A"\nS: A1 OK [COPYUID 1 {count} {uids}] done') as client:
        client.use_uid = False
        # Fewer, where some are gone by now.
        assert (client.copy([5, 7], "A").uids is not None) == (is_known or uids == "8")


@pytest.mark.parametrize(("uids", "is_known"), [("7", True), ("7:8", False), ("1:4294967295", False)])
def test_the_uids_of_messages_that_nobody_appended(uids: str, is_known: bool) -> None:
    script = f'C: A1 APPEND "A" {{1}}\nS: + go\nC: m\nS: A1 OK [APPENDUID 1 {uids}] done'
    with dialogue(script) as client:
        assert (client.append("A", b"m").uids is not None) == is_known


def test_list_responses_beside_those_of_lsub() -> None:
    """Servers that answer LSUB by LIST responses alone are understood; where there are both, these are of another."""
    script = 'C: A1 LSUB "" "*"\nS: * LIST () "/" A\nS: * LSUB () "/" B\nS: * LIST () "/" C\nS: A1 OK Done'
    with dialogue(script) as client:
        assert client.list_sub_folders() == [((), b"/", "B")]
        assert [response.text for response in client._imap.unsolicited] == [b'() "/" A', b'() "/" C']


def test_others_are_handed_on_also_where_nothing_can_be_read() -> None:
    script = 'C: A1 LIST "" "A"\nS: * LIST () "/" B\nS: * LIST (\nS: A1 OK Done'
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.list_folders("", "A")
        assert [response.text for response in client._imap.unsolicited] == [b'() "/" B']


@pytest.mark.parametrize("word", ["UTF8=ACCEPT", "IMAP4rev2"])
def test_utf8_that_nobody_has_enabled(word: str) -> None:
    """It would make other folders of all names."""
    script = f"""
        C: A1 ENABLE CONDSTORE
        S: * ENABLED CONDSTORE {word}
        S: A1 OK Done
        C: A2 CREATE "&AOk-"
        S: * ENABLED {word}
        S: A2 OK Done
        C: A3 CREATE "&AOk-"
        S: A3 OK Done
    """
    with dialogue(script, capabilities="IMAP4rev1 ENABLE UTF8=ACCEPT") as client:
        assert client.enable("CONDSTORE") == [b"CONDSTORE", word.encode()]
        assert client._imap.enabled == {"CONDSTORE"}
        client.create_folder("é")
        client.create_folder("é")


def test_the_answer_to_another_search_is_no_new_message() -> None:
    script = """
        C: A1 SELECT "INBOX"
        S: * 5 EXISTS
        S: * OK [UIDVALIDITY 5] x
        S: * OK [UIDNEXT 106] x
        S: A1 OK [READ-WRITE] Done
        C: A2 UID SEARCH UID 104:*
        S: * ESEARCH (TAG "A1") UID ALL 101:104
        S: * ESEARCH (TAG "A2") UID ALL 105
        S: A2 OK Done
        C: A3 FETCH 5 (UID)
        S: * 5 FETCH (UID 105)
        S: A3 OK Done
        C: A4 IDLE
        S: +
        S: * BYE now
    """
    with dialogue(script, capabilities="IMAP4rev1 IDLE") as client:
        watching = client.watch("INBOX", uidnext=104)
        assert next(watching) == NewMessage(5, 105)
        assert next(watching) == Bye("now")
        (other,) = client._imap.unsolicited
        assert other.text.endswith(b" UID ALL 101:104")


def test_a_folder_of_four_billion_messages() -> None:
    """No folder has them: to ask for the bounds of their chunks would take a command of 90 megabytes."""
    script = "C: A1 UID FETCH * (UID)\nS: * 4294967295 FETCH (UID 4294967295)\nS: A1 OK\nC: A2 NOOP\nS: A2 OK x"
    with dialogue(script) as client:
        with pytest.raises(ProtocolError, match="can't have 4294967295 messages"):
            next(client.fetch_iter("1:*", ["FLAGS"]))
        assert client.noop() == (b"x", [])
