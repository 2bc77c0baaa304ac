"""Error texts that equal those of IMAPClient 4.1.0, word for word.

Programs that came from IMAPClient may compare these texts, show them, or search logs for them. So they stay as they
are, whatever the rules for our own texts are. Each text is provoked in this library and compared as a whole with the
literal in the table. Somebody who provokes the same error in IMAPClient 4.1.0 gets the same text.

Other texts may change at any time; they need no entry here. An error whose text comes from Python or from the
operating system, such as ``Connection refused``, has none either.
"""

from __future__ import annotations

import socket
from typing import Any, Callable, NamedTuple

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, CommandError, InvalidCriteriaError
from imapclient.imapclient import Quota
from imapclient.response_parser import parse_message_list
from imapclient.testable_imapclient import TestableIMAPClient

_EVERYTHING = "IMAP4rev1 ENABLE SORT THREAD=REFERENCES QUOTA ID UIDPLUS XLIST"


class _Call(NamedTuple):
    """A call that fails, and its text."""

    text: str
    call: Callable[[IMAPClient], Any]
    use_uid: bool = True
    logged_in: bool = True


_WITHOUT_CAPABILITY = [
    _Call("Server does not support ACL capability", lambda client: client.getacl("INBOX")),
    _Call("Server does not support ACL capability", lambda client: client.setacl("INBOX", "ann", "lrs")),
    _Call("Server does not support ENABLE capability", lambda client: client.enable("CONDSTORE")),
    _Call("Server does not support ID capability", lambda client: client.id_()),
    _Call("Server does not support IDLE capability", lambda client: client.idle()),
    _Call("Server does not support MULTIAPPEND capability", lambda client: client.multiappend("INBOX", [b"x"])),
    _Call("Server does not support NAMESPACE capability", lambda client: client.namespace()),
    _Call("Server does not support QUOTA capability", lambda client: client.get_quota()),
    _Call("Server does not support QUOTA capability", lambda client: client.get_quota_root("INBOX")),
    _Call("Server does not support QUOTA capability", lambda client: client.set_quota([Quota("", "STORAGE", 0, 512)])),
    _Call("Server does not support SORT capability", lambda client: client.sort("ARRIVAL")),
    _Call("Server does not support STARTTLS capability", lambda client: client.starttls(), logged_in=False),
    _Call("Server does not support UIDPLUS capability", lambda client: client.uid_expunge([1])),
    _Call("Server does not support UNSELECT capability", lambda client: client.unselect_folder()),
    _Call("Server does not support X-GM-EXT-1 capability", lambda client: client.gmail_search("has:attachment")),
    _Call("Server does not support XLIST capability", lambda client: client.xlist_folders()),
]

_BAD_ARGUMENTS = [
    _Call("'parameters' should be a dictionary", lambda client: client.id_("text")),  # type: ignore[arg-type]
    _Call("cannot EXPUNGE by ID when not using uids", lambda client: client.expunge([1]), use_uid=False),
    _Call("no criteria specified", lambda client: client.search("")),
    _Call("no criteria specified", lambda client: client.search([])),
    _Call("no criteria specified", lambda client: client.sort("ARRIVAL", [])),
    _Call("no criteria specified", lambda client: client.thread("REFERENCES", "")),
]

_REFUSED = [
    _Call("ENABLE failed: no", lambda client: client.enable("CONDSTORE")),
    _Call("EXPUNGE failed: no", lambda client: client.expunge()),
    _Call("GETQUOTAROOT failed: no", lambda client: client.get_quota()),
    _Call("GETQUOTAROOT failed: no", lambda client: client.get_quota_root("INBOX")),
    _Call("LIST failed: no", lambda client: client.list_folders()),
    _Call("LIST failed: no", lambda client: client.folder_exists("INBOX")),
    _Call("LIST failed: no", lambda client: client.find_special_folder(b"\\Sent")),
    _Call("LSUB failed: no", lambda client: client.list_sub_folders()),
    _Call("NOOP failed: no", lambda client: client.noop()),
    _Call("SEARCH failed: no", lambda client: client.search(), use_uid=False),
    _Call("SETQUOTA failed: no", lambda client: client.set_quota([Quota("", "STORAGE", 0, 512)])),
    _Call("SORT failed: no", lambda client: client.sort("ARRIVAL"), use_uid=False),
    _Call("THREAD failed: no", lambda client: client.thread(), use_uid=False),
    _Call("XLIST failed: no", lambda client: client.xlist_folders()),
]

_NOT_UNDERSTOOD = [
    _Call("EXPUNGE failed: bad", lambda client: client.expunge()),
    _Call("NOOP failed: bad", lambda client: client.noop()),
]


def _named(calls: list[_Call]) -> list[Any]:
    return [pytest.param(call, id=f"{call.text}-{number}") for number, call in enumerate(calls)]


def _client(capabilities: str, case: _Call) -> TestableIMAPClient:
    client = TestableIMAPClient(capabilities=capabilities, logged_in=case.logged_in)
    client.use_uid = case.use_uid
    return client


@pytest.mark.parametrize("case", _named(_WITHOUT_CAPABILITY))
def test_a_missing_capability(case: _Call) -> None:
    client = _client("IMAP4rev1", case)
    with pytest.raises(CapabilityError) as caught:
        case.call(client)
    assert str(caught.value) == case.text


@pytest.mark.parametrize("case", _named(_BAD_ARGUMENTS))
def test_a_bad_argument(case: _Call) -> None:
    client = _client(_EVERYTHING, case)
    with pytest.raises((TypeError, ValueError, InvalidCriteriaError)) as caught:
        case.call(client)
    assert str(caught.value) == case.text


@pytest.mark.parametrize("case", _named(_REFUSED))
def test_a_refused_command(case: _Call) -> None:
    client = _client(_EVERYTHING, case)
    client.script("NO no")
    with pytest.raises(CommandError) as caught:
        case.call(client)
    assert str(caught.value) == case.text
    client.assert_done()


@pytest.mark.parametrize("case", _named(_NOT_UNDERSTOOD))
def test_a_command_that_the_server_does_not_understand(case: _Call) -> None:
    client = _client(_EVERYTHING, case)
    client.script("BAD bad")
    with pytest.raises(CommandError) as caught:
        case.call(client)
    assert str(caught.value) == case.text
    client.assert_done()


def test_a_port_beside_a_stream() -> None:
    with pytest.raises(ValueError, match="port") as caught:
        IMAPClient("cat", port=143, stream=True)
    assert str(caught.value) == "can't set 'port' when 'stream' True"


@pytest.mark.parametrize("data", [[], [b"1", b"2"]], ids=repr)
def test_a_list_of_ids_in_several_lines(data: list[bytes]) -> None:
    with pytest.raises(ValueError, match="unexpected") as caught:
        parse_message_list(data)
    assert str(caught.value) == "unexpected message list data"


def test_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(socket.timeout) as caught:
        IMAPClient("127.0.0.1", silent.getsockname()[1], ssl=False, timeout=0.1)
    assert str(caught.value) == "timed out"
