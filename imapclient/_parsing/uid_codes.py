"""The replies to APPEND, COPY and MOVE: the server's text, with the UIDs in its response code. No I/O.

``resp-code-apnd = "APPENDUID" SP nz-number SP append-uid`` and ``resp-code-copy = "COPYUID" SP nz-number SP uid-set SP
uid-set`` (RFC 4315, 3 and 4). The first number is the target folder's UIDVALIDITY, and the last set has the new
messages' UIDs. In COPYUID, the UIDs in the source folder come before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from .._import_time import NamedTuple
from ..sequence_set import SequenceSet, UidSet, how_many
from .response_codes import split_response_code
from .responses import Handler, Tagged, Untagged

_Reply = TypeVar("_Reply", bound="AppendReply")


class AppendReply(bytes):
    """The server's text, ``b'[APPENDUID 38505 3955] Done'``, with the new messages' UIDs.

    It is equal to the plain bytes, and prints as they do.
    """

    #: The UIDVALIDITY of the target folder, 38505. None if the server has sent no UIDs.
    uidvalidity: int | None
    #: The new messages' UIDs, ``UidSet('3955')``, in the order of the messages. None if the server has sent no UIDs.
    uids: UidSet | None

    def __new__(
        cls: type[_Reply], text: bytes = b"", *, uidvalidity: int | None = None, uids: UidSet | None = None
    ) -> _Reply:
        reply = super().__new__(cls, text)
        reply.uidvalidity = uidvalidity
        reply.uids = uids
        return reply


AppendReply.__module__ = "imapclient.response_types"


class CopyReply(AppendReply):
    """The server's text, ``b'[COPYUID 38505 304,319:320 3956:3958] Done'``, with the messages' old and new UIDs."""

    #: The messages' UIDs in the source folder, ``UidSet('304,319:320')``, in the order of ``uids``. None if the server
    #: has sent no UIDs.
    source_uids: UidSet | None

    def __new__(
        cls,
        text: bytes = b"",
        *,
        uidvalidity: int | None = None,
        uids: UidSet | None = None,
        source_uids: UidSet | None = None,
    ) -> CopyReply:
        reply = super().__new__(cls, text, uidvalidity=uidvalidity, uids=uids)
        reply.source_uids = source_uids
        return reply

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield each message's UID in the source and in the target: ``(304, 3956), (319, 3957), (320, 3958)``.

        Yields nothing if the server has sent no UIDs.
        """
        if self.source_uids is not None and self.uids is not None:
            yield from zip(self.source_uids, self.uids)


CopyReply.__module__ = "imapclient.response_types"


class _Code(NamedTuple):
    uidvalidity: int
    sources: UidSet | None
    uids: UidSet


class UidCodes:
    """Collects the codes in the responses to a call's commands. ``name`` is ``b'APPENDUID'`` or ``b'COPYUID'``.

    A code about other messages is ignored. APPENDUID must have ``count`` UIDs. With ``by_uid``, ``asked`` are UIDs, and
    COPYUID must have no other ones. Otherwise ``asked`` are sequence numbers, and COPYUID must not have more UIDs than
    these.

    Give ``handlers`` to each command: servers send the code of a MOVE in an untagged OK (RFC 6851, 4.3). Give the
    command's tagged response to `finish`.
    """

    def __init__(
        self, name: bytes, *, count: int | None = None, asked: SequenceSet | None = None, by_uid: bool = True
    ) -> None:
        self.handlers: dict[bytes, Handler] = {b"OK": self._take}
        self._name = name
        self._count = count
        self._asked = asked
        self._by_uid = by_uid
        self._text = b""
        self._codes: list[_Code] = []
        # From untagged responses to the running command.
        self._untagged: list[_Code] = []

    def _take(self, response: Untagged) -> bool:
        code = self._read(response.text)
        if code is None:
            return False
        self._untagged.append(code)
        return True

    def finish(self, reply: Tagged) -> None:
        """Add the code of a command's tagged response.

        That code is about the whole command, so it replaces those in the command's untagged responses.
        """
        code = self._read(reply.text)
        self._codes += self._untagged if code is None else [code]
        self._untagged = []
        self._text = reply.text

    def _read(self, text: bytes) -> _Code | None:
        found = split_response_code(text)
        if found is None or found[0] != self._name:
            return None
        code = _read_code(found[1].split(), has_sources=self._name == b"COPYUID")
        return code if code is not None and self._is_own(code) else None

    def _is_own(self, code: _Code) -> bool:
        if self._count is not None:
            return how_many(code.uids.ranges) == self._count
        if self._asked is None or code.sources is None:
            return True
        return self._asked.has_all(code.sources) if self._by_uid else self._asked.has_room(code.sources)

    def append_reply(self) -> AppendReply:
        """The last command's text, with the UIDs of all commands."""
        codes = self._valid_codes()
        if not codes:
            return AppendReply(self._text)
        uids = UidSet.of_all(code.uids for code in codes)
        return AppendReply(self._text, uidvalidity=codes[-1].uidvalidity, uids=uids)

    def copy_reply(self) -> CopyReply:
        """The last command's text, with the UIDs of all commands, including one that sent some and then failed."""
        codes = self._valid_codes()
        if not codes:
            return CopyReply(self._text)
        return CopyReply(
            self._text,
            uidvalidity=codes[-1].uidvalidity,
            uids=UidSet.of_all(code.uids for code in codes),
            source_uids=UidSet.of_all(code.sources for code in codes if code.sources is not None),
        )

    def _valid_codes(self) -> list[_Code]:
        """The codes with the last one's UIDVALIDITY.

        Another UIDVALIDITY belongs to a folder that was replaced during the call. Its UIDs mean nothing now.
        """
        codes = self._codes + self._untagged
        return [code for code in codes if code.uidvalidity == codes[-1].uidvalidity]


def _read_code(arguments: list[bytes], *, has_sources: bool) -> _Code | None:
    """The code's numbers. None if they can't be parsed, such as ``1 *``, or if the sets differ in length."""
    if len(arguments) != 2 + has_sources:
        return None
    try:
        (uidvalidity,) = UidSet(arguments[0])
        uids = UidSet(arguments[-1])
        sources = UidSet(arguments[1]) if has_sources else None
        if sources is not None and len(sources) != len(uids):
            return None
    except (ValueError, OverflowError):
        # OverflowError: len() of more than sys.maxsize, on a machine with 32 bits.
        return None
    return _Code(uidvalidity, sources, uids)
