"""Folder names: from a caller's name to the wire, and from a server's answer to the folder that was asked for."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

from ..._arguments.command import Argument
from ..._arguments.strings import mailbox, wire_name
from ..._parsing.collector import Collector
from ..._parsing.folder_names import is_form_of
from ..._parsing.responses import ReadOptions, Untagged
from ...exceptions import ProtocolError
from ...imap_utf7 import decode_name
from ...util import Text
from .running import CommandRunner

_Value = TypeVar("_Value")
_Parse = Callable[[Untagged, ReadOptions], tuple[bytes, _Value]]


class FolderNames(CommandRunner):
    """Encodes and decodes folder names, and finds the answer that is about one folder."""

    def _folder(self, name: Text) -> Argument:
        return mailbox(name, self.folder_encode, self._imap.is_utf8)

    def _wire_name(self, name: Text) -> bytes:
        """The bytes of a mailbox name."""
        return wire_name(name, self.folder_encode, self._imap.is_utf8)

    def _folder_name(self, wire: bytes) -> Any:
        """A mailbox name as the API returns it: str, or the bytes of the wire if ``folder_encode`` is off."""
        return decode_name(wire, self._imap.is_utf8) if self.folder_encode else wire

    def _name_text(self, wire: bytes) -> str:
        return str(decode_name(wire, self._imap.is_utf8))

    def _are_one_folder(self, name: bytes, wanted: bytes) -> bool:
        """Whether two names of the wire are one folder's: INBOX in any case, or the same text in two encodings."""
        if name == wanted or name.upper() == wanted.upper() == b"INBOX":
            return True
        utf8 = self._imap.is_utf8
        return decode_name(name, utf8) == decode_name(wanted, utf8)

    def _about(self, command: bytes, folder: Text, collected: Collector, parse: _Parse[_Value]) -> tuple[bytes, _Value]:
        """The one response to ``command`` that is about a folder: the server's name for the folder, and the value.

        A server may write the name in another form than it was asked. If no response has the name itself, the answer is
        the one response whose name is a form of it. Responses about other folders are delivered as unsolicited ones.
        """
        answer, others, error = self._sort_out(self._wire_name(folder), collected, parse)
        self._deliver_others(others)
        if answer is None:
            with self._answering(command):
                which = " about the folder that was asked for" if others else ""
                name = collected.names[0].decode("ascii")
                raise error or ProtocolError(f"the server sent no {name} response{which}")
        return answer

    def _sort_out(
        self, wanted: bytes, collected: Collector, parse: _Parse[_Value]
    ) -> tuple[tuple[bytes, _Value] | None, list[Untagged], ProtocolError | None]:
        """The answer about the folder, the responses that are not it, and the first error in parsing."""
        answer: tuple[bytes, _Value] | None = None
        # By their names. Two different names are two folders: then nobody knows which of them was asked for.
        forms: dict[bytes, tuple[Untagged, tuple[bytes, _Value]]] = {}
        others: list[Untagged] = []
        unreadable: list[Untagged] = []
        error: ProtocolError | None = None
        for response in collected.responses:
            try:
                found = parse(response, self._read_options)
            except ProtocolError as exc:
                error = error or exc
                unreadable.append(response)
                continue
            if answer is None and self._are_one_folder(found[0], wanted):
                answer = found
                continue
            others.append(response)
            if len(forms) < 2 and found[0] not in forms and is_form_of(found[0], wanted):
                forms[found[0]] = response, found
        if answer is None and len(forms) == 1:
            response, answer = forms.popitem()[1]
            others.remove(response)
        return answer, others if answer is None else others + unreadable, error
