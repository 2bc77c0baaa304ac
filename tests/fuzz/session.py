"""A whole client, whose server sends any bytes. How they arrive does not change what a call returns or raises."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any
from unittest import mock

from imapclient import IMAPClient
from imapclient._connection.gateway import IMAP4
from imapclient._parsing.fast import batch_reader
from imapclient._wire.sockets import Data, Transport
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from tests.fuzz.harnesses import Harness, look_at

# Separates the server's turns, one for each command. The second stands for the tag of the command.
_TURN, _TAG = b"\x1e", b"\x1f"
_TAG_SENT = re.compile(rb"^([A-Z]{4}\d+) [A-Z]", re.MULTILINE)
_GREETING = b"* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE ENABLE ID SORT THREAD=REFERENCES NAMESPACE QUOTA ACL] hi\r\n"


class _Fed:
    """A `Transport` that receives the server's next turn, in pieces, once the client has sent something."""

    def __init__(self, turns: list[bytes], size: int) -> None:
        self._turns = turns[::-1]
        self._size = size
        self._arrived = _GREETING
        # The tags of the commands that wait for their turn. A literal, or anything but a command, has the last tag.
        self._tags: list[bytes] = []
        self._last_tag = b""
        self._silences = 3

    def _next(self, size: int) -> bytes:
        if not self._arrived and self._turns and self._tags:
            self._arrived = self._turns.pop().replace(_TAG, self._tags.pop(0))
        elif not self._arrived and self._silences:
            # As if time had passed, which matters only in IDLE.
            self._silences -= 1
            raise socket.timeout("timed out")
        data, self._arrived = self._arrived[: min(size, self._size)], self._arrived[min(size, self._size) :]
        return data

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        into.append(self._next(size))

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        for tag in _TAG_SENT.findall(bytes(data)) or [self._last_tag]:
            self._tags.append(tag)
            self._last_tag = tag

    def send_now(self, data: memoryview) -> int:
        self.sendall(data, None)
        return len(data)

    def close(self) -> None:
        self._turns.clear()


class _FedClient(IMAPClient):
    def __init__(self, transport: Transport) -> None:
        self._fed = transport
        super().__init__("fuzz", ssl=False, timeout=10)

    def _create_IMAP4(self) -> IMAP4:
        fed = self._fed

        class Connection(IMAP4):
            def _open_transport(self) -> Transport:
                return fed

        return Connection("fuzz")


_UIDS = [1, 2, 5]
# Those with gaps do not fit into one command.
_MANY = range(1, 5000, 2)
_CALLS: tuple[Callable[[IMAPClient], Any], ...] = (
    lambda client: client.login("ann", "secret"),
    lambda client: client.select_folder("INBOX"),
    lambda client: client.fetch(_UIDS, ["FLAGS", "ENVELOPE", "BODY[]"]),
    lambda client: client.fetch(_MANY, ["FLAGS"]),
    lambda client: client.search("ALL"),
    lambda client: client.sort("ARRIVAL"),
    lambda client: client.thread(),
    lambda client: client.list_folders(),
    lambda client: client.folder_status("INBOX"),
    lambda client: client.namespace(),
    lambda client: client.get_quota_root("INBOX"),
    lambda client: client.getacl("INBOX"),
    lambda client: client.append("INBOX", b"x\r\n"),
    lambda client: client.copy(_UIDS, "Archive"),
    lambda client: client.move(_UIDS, "Archive"),
    lambda client: client.add_flags(_UIDS, "\\Seen"),
    lambda client: client.expunge(_UIDS),
    lambda client: client.noop(),
    lambda client: client.id_({"name": "x"}),
    lambda client: client.enable("UTF8=ACCEPT"),
    lambda client: client.idle() and None,
    lambda client: client.idle_check(timeout=0),
    lambda client: client.idle_done(),
    lambda client: client.capabilities(),
    lambda client: client.plain_login("ann", "secret"),
    lambda client: client.logout(),
)
# capabilities(), and idle_check(), which returns the responses before the connection was lost.
_TOLD_WITHOUT_THE_SERVER = (23, 21)
_IDLE = (20, 21, 22)


def session(data: bytes) -> None:
    """The bytes of the first turn choose the calls. The other turns are the server's."""
    calls, *turns = data.split(_TURN)
    whole = _outcomes(calls[:8], turns, 1 << 20)
    # Responses in IDLE belong to one idle_check() or the next, depending on time.
    in_idle = any(choice % len(_CALLS) in _IDLE for choice in calls[:8])
    for size in (1, 7):
        assert _outcomes(calls[:8], turns, size) == whole or in_idle
    with mock.patch.object(batch_reader, "enabled", False):
        assert _outcomes(calls[:8], turns, 1 << 20) == whole or in_idle


def _outcomes(calls: bytes, turns: list[bytes], size: int) -> list[str]:
    """The repr of each call's result, or the class of its exception."""
    # Always the same tags, since they are in the server's turns, and so in results.
    with mock.patch("random.randint", return_value=5000):
        client = _FedClient(_Fed(turns, size))
    outcomes = []
    for choice in calls:
        was_usable = client._imap.is_usable
        raised: IMAPClientError | None = None
        result = None
        try:
            result = _CALLS[choice % len(_CALLS)](client)
        except IMAPClientError as error:
            raised = error
        outcomes.append(repr(result) if raised is None else type(raised).__name__)
        if raised is None:
            assert was_usable or choice % len(_CALLS) in _TOLD_WITHOUT_THE_SERVER
        elif not isinstance(raised, IMAPClientAbortError):
            assert client._imap.is_usable or not was_usable, f"{raised!r} does not say that the connection is lost"
        if isinstance(result, dict):
            look_at(dict(result))
    client.shutdown()
    return outcomes


def _seed(calls: bytes, *turns: bytes) -> bytes:
    return _TURN.join([calls, *turns])


_OK = b"\x1f OK done\r\n"
_SEEDS = [
    _seed(bytes((0, 1)), _OK, b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDNEXT 4] x\r\n\x1f OK [READ-WRITE] x\r\n"),
    _seed(
        bytes((2, 17)),
        b"* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n* 4 EXISTS\r\n* 2 FETCH (UID 2 FLAGS ())\r\n" + _OK,
        b"* 1 EXPUNGE\r\n" + _OK,
    ),
    _seed(bytes((3, 17)), b"* 1 FETCH (UID 1 FLAGS ())\r\n" + _OK, b"* 3 FETCH (UID 3 FLAGS ())\r\n" + _OK, _OK),
    _seed(
        bytes((4, 5, 6)),
        *(b"* SEARCH 1 2 3\r\n" + _OK, b"* SORT 3 2 1\r\n" + _OK, b"* THREAD (1)(2 3)\r\n" + _OK),
    ),
    _seed(bytes((7, 8)), b'* LIST (\\A) "/" INBOX\r\n' + _OK, b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4)\r\n" + _OK),
    _seed(
        bytes((9, 10, 11)),
        *(b'* NAMESPACE (("" "/")) NIL NIL\r\n' + _OK, b"* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 1 2)\r\n" + _OK),
        b"* ACL INBOX ann lrs\r\n" + _OK,
    ),
    _seed(bytes((12,)), b"+ go\r\n", b"\x1f OK [APPENDUID 1 2] x\r\n"),
    _seed(
        bytes((13, 14)), b"\x1f OK [COPYUID 1 1:2 3:4] x\r\n", b"* OK [COPYUID 1 1:2 3:4] x\r\n* 1 EXPUNGE\r\n" + _OK
    ),
    _seed(
        bytes((15, 16, 17)),
        *(b"* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n" + _OK, b"* 1 EXPUNGE\r\n" + _OK, b"\x1f NO no\r\n"),
    ),
    _seed(
        bytes((20, 21, 21, 22)),
        *(b"+ idling\r\n* 2 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n", b"* 1 EXPUNGE\r\n" + _OK),
    ),
    _seed(bytes((18, 19, 23)), b'* ID ("name" "x")\r\n' + _OK, b"* ENABLED UTF8=ACCEPT\r\n" + _OK, _OK),
    _seed(bytes((24, 25)), b"+ \r\n", _OK, b"* BYE bye\r\n" + _OK),
    _seed(bytes((17, 17)), b"* BYE [UNAVAILABLE] going down\r\n", b""),
]
SESSION = {"session": Harness(session, _SEEDS)}
