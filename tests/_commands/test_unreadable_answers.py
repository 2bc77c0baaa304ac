"""Answers that can't be read or don't come: the error says to which command."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import ProtocolError
from imapclient.response_types import Quota
from tests.helpers.dialogue import CAPABILITIES, dialogue

_CAN = f"{CAPABILITIES} ACL ID NAMESPACE QUOTA SORT THREAD=REFERENCES"


@pytest.mark.parametrize(
    ("call", "sent", "answer", "command"),
    [
        (lambda client: client.search("ALL"), "UID SEARCH ALL", "* SEARCH 1 x", "UID SEARCH"),
        (lambda client: client.sort("DATE"), "UID SORT (DATE) UTF-8 ALL", "* SORT x", "UID SORT"),
        (lambda client: client.thread(), "UID THREAD REFERENCES UTF-8 ALL", "* THREAD (1", "UID THREAD"),
        (lambda client: client.folder_status("x", "UNSEEN"), 'STATUS "x" (UNSEEN)', "* STATUS x (", "STATUS"),
        (lambda client: client.folder_status("x", "UNSEEN"), 'STATUS "x" (UNSEEN)', "* 1 EXISTS", "STATUS"),
        (lambda client: client.namespace(), "NAMESPACE", "* NAMESPACE (", "NAMESPACE"),
        (lambda client: client.namespace(), "NAMESPACE", "* 1 EXISTS", "NAMESPACE"),
        (lambda client: client.getacl("x"), 'GETACL "x"', "* ACL x ann", "GETACL"),
        (lambda client: client.get_quota("x"), 'GETQUOTAROOT "x"', "* QUOTAROOT (", "GETQUOTAROOT"),
        (
            lambda client: client.get_quota("x"),
            'GETQUOTAROOT "x"',
            '* QUOTAROOT x ""\nS: * QUOTA "" (STORAGE 1)',
            "GETQUOTAROOT",
        ),
        (
            lambda client: client.set_quota([Quota("", "STORAGE", 0, 5)]),
            'SETQUOTA "" (STORAGE 5)',
            '* QUOTA "" (STORAGE 1)',
            "SETQUOTA",
        ),
        (lambda client: client.id_(), "ID NIL", "* ID (", "ID"),
    ],
)
def test_the_error_says_to_which_command(
    call: Callable[[IMAPClient], Any], sent: str, answer: str, command: str
) -> None:
    with dialogue(f"C: A1 {sent}\nS: {answer}\nS: A1 OK Done", capabilities=_CAN) as client:
        with pytest.raises(ProtocolError) as caught:
            call(client)
        assert caught.value.command == command
