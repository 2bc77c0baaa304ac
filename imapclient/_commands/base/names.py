"""Folder names: their encoding for the wire, and the search for the response about one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, TypeVar

from ..._arguments.command import Argument
from ..._arguments.strings import mailbox, wire_name
from ..._parsing.responses import ReadOptions, Untagged
from ...exceptions import ProtocolError
from ...imap_utf7 import decode_name
from ...util import Text
from .running import CommandRunner

if TYPE_CHECKING:
    from ..._parsing.collector import Collector

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
        """Whether two names on the wire mean the same folder: INBOX in any letter case, or the same decoded text."""
        if name == wanted or name.upper() == wanted.upper() == b"INBOX":
            return True
        utf8 = self._imap.is_utf8
        return decode_name(name, utf8) == decode_name(wanted, utf8)

    def _about(self, command: bytes, folder: Text, collected: Collector, parse: _Parse[_Value]) -> tuple[bytes, _Value]:
        """The server's name for a folder, and the value, from the response to ``command`` about this folder.

        A server may write the name in another form. If no response has the name itself, the answer is the response with
        another form of the name, if there is only one. Responses about other folders are delivered as unsolicited ones.
        Raises ProtocolError if there is no answer.
        """
        answer, others, error = self._sort_out(self._wire_name(folder), collected, parse)
        self._deliver_others(others)
        if answer is None:
            with self._answering(command):
                which = " about the requested folder" if others else ""
                name = collected.names[0].decode("ascii")
                raise error or ProtocolError(f"the server sent no {name} response{which}")
        return answer

    def _sort_out(
        self, wanted: bytes, collected: Collector, parse: _Parse[_Value]
    ) -> tuple[tuple[bytes, _Value] | None, list[Untagged], ProtocolError | None]:
        """The answer about the folder, the other responses, and the first error of parsing."""
        # Imported here, because not every program needs it.
        from ..._parsing.folder_names import is_form_of

        answer: tuple[bytes, _Value] | None = None
        # Key: the folder's name in the response. Two different names are two folders, and either may be the requested
        # one. So at most two are kept.
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
