"""A server that answers for folders, messages and sections that it was not asked for: the caller gets nothing of it.

Each call runs with answers of others before and after its own, and with those alone. They go to `on_unsolicited`.
"""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import ProtocolError
from tests.commands import dialogue

CAPABILITIES = "IMAP4rev1 NAMESPACE QUOTA ACL UIDPLUS THREAD=REFERENCES SORT X-GM-EXT-1"
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
            with pytest.raises(ProtocolError, match="no STATUS response about the folder that was asked for"):
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
