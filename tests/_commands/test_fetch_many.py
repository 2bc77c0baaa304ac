"""Many responses to one FETCH, over a socket: nothing that others hear or that limits count gets lost."""

from __future__ import annotations

import logging

import pytest

from imapclient.exceptions import LimitError
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import SendBytes

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

FLAGS = [f"S: * {number} FETCH (UID {100 + number} FLAGS (\\Seen) MODSEQ ({number}))" for number in range(1, 301)]
EXPECTED = {100 + number: {b"SEQ": number, b"FLAGS": (b"\\Seen",), b"MODSEQ": (number,)} for number in range(1, 301)}
COMMAND = "C: A1 UID FETCH 101:400 (FLAGS MODSEQ)"
OTHERS = ["S: * 301 EXISTS", "S: * 7 FETCH (UID 999 FLAGS ())", "S: * OK [ALERT] Beware"]


def script(responses: list[str]) -> str:
    return "\n".join([COMMAND, *responses, "S: A1 OK Done"])


def between(at: int) -> str:
    return script([*FLAGS[:at], *OTHERS, *FLAGS[at:]])


@pytest.mark.parametrize("chunk", [0, 100, 4096])
@pytest.mark.parametrize("at", [0, 1, 150, 300])
def test_what_is_told_in_between_is_for_whoever_listens(chunk: int, at: int) -> None:
    with dialogue(between(at), chunk=chunk) as client:
        found = client.fetch("101:400", ["FLAGS", "MODSEQ"])
        assert found == EXPECTED
        assert list(found) == list(EXPECTED)
        told = [(response.number, response.name, response.text) for response in client._imap.unsolicited.take()]
    assert told == [(301, b"EXISTS", b""), (7, b"FETCH", b"(UID 999 FLAGS ())"), (None, b"OK", b"[ALERT] Beware")]


def test_every_response_is_logged_where_there_is_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with dialogue(script(FLAGS)) as client, caplog.at_level(logging.DEBUG, "imapclient.imaplib"):
        assert client.fetch("101:400", ["FLAGS", "MODSEQ"]) == EXPECTED
    assert sum(" FETCH (UID " in record.getMessage() for record in caplog.records) == 300


def test_the_limit_of_a_command_holds() -> None:
    """Each response counts 1024 bytes more than it has."""
    # In one piece, which is on its way before the client closes the connection.
    answer = SendBytes("".join(f"{line[3:]}\r\n" for line in FLAGS).encode())
    with dialogue([COMMAND, answer]) as client:
        client._imap._exchange.limits = client._imap.limits._replace(command_size=200 * 1070)
        with pytest.raises(LimitError, match="max_command_size"):
            client.fetch("101:400", ["FLAGS", "MODSEQ"])
        assert not client._imap.is_usable


def test_each_is_filed_under_its_message_however_often_it_comes() -> None:
    again = [line.replace("\\Seen", "\\Deleted").replace(f" MODSEQ ({n})", "") for n, line in enumerate(FLAGS, 1)]
    with dialogue(script([*FLAGS, *again])) as client:
        found = client.fetch("101:400", ["FLAGS", "MODSEQ"])
    assert found == {uid: {**items, b"FLAGS": (b"\\Deleted",)} for uid, items in EXPECTED.items()}
