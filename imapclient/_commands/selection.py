"""Selecting a folder and leaving it."""

from __future__ import annotations

from typing import Any

from .._parsing.responses import Untagged, readable
from ..exceptions import CommandError, IMAPClientReadOnlyError, ProtocolError
from ..util import Text
from .base.command_base import CommandBase

_NUMBERS = frozenset((b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ"))


class SelectionMixin(CommandBase):
    """SELECT, EXAMINE, UNSELECT, CLOSE (RFC 9051, 6.3 and 6.4)."""

    def select_folder(self, folder: Text, readonly: bool = False) -> dict[bytes, Any]:
        """Select a folder. The methods for messages then use this folder (RFC 9051, 6.3.2 and 6.3.3).

        With ``readonly`` the server changes nothing in the folder. Returns what it sends about the folder::

            {b'EXISTS': 3, b'RECENT': 0, b'FLAGS': (b'\\\\Answered', b'\\\\Seen'),
             b'PERMANENTFLAGS': (b'\\\\Seen', b'\\\\*'),
             b'UIDVALIDITY': 1239278212, b'UIDNEXT': 11, b'UNSEEN': [b'2'], b'READ-WRITE': True}

        Raises CommandError if the server refuses; no folder is selected then. Raises IMAPClientReadOnlyError if
        ``readonly`` is off but the server opens the folder read-only; the folder is selected for reading then. The
        connection is usable after both.
        """
        responses = _SelectResponses()
        names = (b"OK", b"FLAGS", b"EXISTS", b"RECENT")
        command = b"EXAMINE" if readonly else b"SELECT"
        imap = self._imap
        with self._exclusive():
            try:
                reply = self._execute(command, [self._folder(folder)], dict.fromkeys(names, responses.take))
            except CommandError:
                imap.unselected()
                raise
            responses.add_code(reply.text)
            uidvalidity = responses.values.get(b"UIDVALIDITY")
            # Without UIDVALIDITY, a UID may mean another message at the next SELECT.
            selection = object() if uidvalidity is None else (self._wire_name(folder), uidvalidity)
            imap.selected(readonly or b"READ-ONLY" in responses.values, selection)
        if not readonly and b"READ-ONLY" in responses.values:
            error = IMAPClientReadOnlyError(f"{folder!r} is not writable")
            vars(error).update(command="SELECT", status="OK", code=(b"READ-ONLY", ()), text=readable(reply.human))
            raise imap.secrets.hide(error)
        return responses.values

    def unselect_folder(self) -> bytes:
        """Unselect the folder without expunging (RFC 3691; RFC 9051, 6.4.2). Needs UNSELECT.

        Returns the server's text: ``b'Unselect completed'``. Raises CapabilityError without UNSELECT, and CommandError
        if the server refuses, for example because no folder is selected. The connection is usable after both.
        """
        self._require("UNSELECT")
        return self._unselect(b"UNSELECT")

    def close_folder(self) -> bytes:
        """Unselect the folder and expunge the messages that are marked as deleted (RFC 9051, 6.4.1).

        In a folder that is selected read-only, no message is expunged. Returns the server's text:
        ``b'Close completed'``. Raises CommandError if the server refuses, for example because no folder is selected.
        The connection is usable then.
        """
        return self._unselect(b"CLOSE")

    def _unselect(self, command: bytes) -> bytes:
        with self._exclusive():
            reply = self._execute(command)
            self._imap.unselected()
            return reply.text


def _flags(response: Untagged) -> tuple[bytes, ...]:
    # Imported here, because not every program needs it.
    from .._parsing.fetch.items import parse_flags

    return parse_flags(response)


class _SelectResponses:
    """Collects the answer to SELECT. Responses before the code CLOSED are about the previous folder.

    See RFC 7162, 3.2.11.
    """

    def __init__(self) -> None:
        self.values: dict[bytes, Any] = {}

    def take(self, response: Untagged) -> bool | None:
        if response.name in (b"EXISTS", b"RECENT"):
            self.values[response.name] = response.number
        elif response.name == b"FLAGS":
            try:
                self.values[b"FLAGS"] = _flags(response)
            except ProtocolError:
                # The folder is selected all the same.
                return False
        else:
            return self.add_code(response.text)
        return None

    def add_code(self, text: bytes) -> bool:
        from .._parsing.response_codes import split_response_code

        found = split_response_code(text)
        if found is None or found[0] == b"ALERT":
            return False
        name, arguments, _ = found
        if name in _NUMBERS and arguments.isdigit() and len(arguments) <= 20:
            self.values[name] = int(arguments)
        elif name == b"PERMANENTFLAGS":
            try:
                self.values[name] = _flags(Untagged(name, None, arguments))
            except ProtocolError:
                # The folder is selected all the same.
                self.values[name] = [arguments]
        elif name == b"READ-WRITE":
            self.values[name] = True
        else:
            if name == b"CLOSED":
                self.values.clear()
            self.values[name] = [arguments]
        return True
