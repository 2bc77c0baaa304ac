"""Folders: listing, status, creating, renaming, deleting, subscribing, namespaces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional

from .._arguments.command import Argument
from .._arguments.strings import atom
from .._parsing.folders import Namespace, parse_list, parse_namespace, parse_status
from .._parsing.responses import Untagged
from ..constants import SPECIAL_USE_NAMES
from ..exceptions import CommandError, ProtocolError
from ..imap_utf7 import decode_name
from ..util import Text, to_wire
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._parsing.collector import Collector

FolderItem = tuple[tuple[bytes, ...], Optional[bytes], Any]
"""``((b'\\\\HasNoChildren', b'\\\\Sent'), b'/', 'Sent')``: flags, hierarchy delimiter, name."""

_STATUS_ITEMS = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN")
_NAMES_BY_FLAG = {flag.lower(): names for flag, names in SPECIAL_USE_NAMES.items()}


class FoldersMixin(CommandBase):
    """LIST, LSUB, XLIST, STATUS, CREATE, RENAME, DELETE, SUBSCRIBE, NAMESPACE (RFC 9051, 6.3)."""

    def list_folders(self, directory: Text = "", pattern: Text = "*") -> list[FolderItem]:
        """The folders whose names begin with ``directory``, followed by a match of ``pattern`` (RFC 9051, 6.3.9).

        In the pattern, ``*`` stands for any text, and ``%`` for any text without the hierarchy delimiter.

        Returns a list of (flags, delimiter, name): ``[((b'\\\\HasNoChildren',), b'/', 'INBOX')]``. Names are str. If a
        name is not valid modified UTF-7, it becomes a str that still selects the same folder. The delimiter is None if
        the server has no hierarchy of folders.

        A response that can't be parsed is omitted, and delivered to ``on_unsolicited``. Raises ProtocolError if there
        are responses and none of them can be parsed. Raises CommandError if the server refuses. The connection is
        usable after both.
        """
        return self._list(b"LIST", directory, pattern)

    def list_sub_folders(self, directory: Text = "", pattern: Text = "*") -> list[FolderItem]:
        """The subscribed folders; arguments and result as for `list_folders` (RFC 3501, 6.3.9: LSUB)."""
        return self._list(b"LSUB", directory, pattern)

    def xlist_folders(self, directory: Text = "", pattern: Text = "*") -> list[FolderItem]:
        """The folders with flags for their special use; arguments and result as for `list_folders`. Needs XLIST.

        ``[((b'\\\\HasNoChildren', b'\\\\Inbox'), b'/', 'Inbox'), ((b'\\\\Sent',), b'/', 'Sent Mail')]``. XLIST is older
        than SPECIAL-USE (RFC 6154), and few servers have it. Prefer `find_special_folder`, which uses SPECIAL-USE. To
        select the folder with the flag ``b'\\\\Inbox'``, use the name ``INBOX``, even if the result has another name.

        Raises CapabilityError without XLIST, and what `list_folders` raises. The connection is usable after these.
        """
        self._require("XLIST")
        return self._list(b"XLIST", directory, pattern)

    def _list(self, command: bytes, directory: Text, pattern: Text, *options: Argument) -> list[FolderItem]:
        from .._parsing.collector import Collector

        collected = Collector(command, b"LIST")
        self._execute(command, [self._folder(directory), self._folder(pattern), *options], collected.handlers)
        with self._answering(command):
            return self._folder_items(collected, self._asked_text(directory), self._asked_text(pattern))

    def _asked_text(self, name: Text) -> str:
        return self._name_text(self._wire_name(name))

    def _folder_items(self, collected: Collector, directory: str, pattern: str) -> list[FolderItem]:
        """The folders that match. Raises ProtocolError if there are responses and none can be parsed.

        Responses about other folders are delivered as unsolicited ones.
        """
        # Imported here, because not every program needs it.
        from .._parsing.folder_names import matches_pattern

        items: list[FolderItem] = []
        unreadable: list[Untagged] = []
        others: list[Untagged] = []
        error: ProtocolError | None = None
        is_all = pattern == "*" and not directory
        options = self._read_options
        # Some servers answer LSUB with LIST responses only. If there are LSUB responses too, the LIST responses answer
        # another command.
        command = collected.names[0]
        is_named = any(response.name == command for response in collected.responses)
        for response in collected.responses:
            if is_named and response.name != command:
                others.append(response)
                continue
            try:
                item = parse_list(response, options)
            except ProtocolError as exc:
                error = exc
                unreadable.append(response)
            else:
                delimiter = None if item.delimiter is None else item.delimiter.decode("latin-1")
                if is_all or matches_pattern(self._name_text(item.name), delimiter, directory, pattern):
                    items.append((item.flags, item.delimiter, self._folder_name(item.name)))
                else:
                    others.append(response)
        is_lost = error is not None and not items
        self._deliver_others(others if is_lost else others + unreadable)
        if error is not None and is_lost:
            raise error
        return items

    def find_special_folder(self, folder_flag: Text) -> str | None:
        """The name of the folder with a special use (RFC 6154): ``'Sent'`` for ``find_special_folder(b'\\\\Sent')``.

        ``imapclient.imapclient`` has constants for ``folder_flag``, such as ``SENT``. First looks for a folder with
        this flag. If no folder has it, looks for the usual names of such a folder. It looks at the top, below INBOX,
        and below the prefix of the personal namespace (RFC 2342). Returns None if no folder is found. Sends LIST, and
        perhaps NAMESPACE.

        Raises what `list_folders` raises. The connection is usable then.
        """
        wanted = to_wire(folder_flag).lower()
        extended = self._can("SPECIAL-USE") and self._can("LIST-EXTENDED")
        options: list[Argument] = [b"RETURN", (b"SPECIAL-USE",)] if extended else []
        folders = self._list(b"LIST", "", "*", *options)
        folders = [item for item in folders if b"\\nonexistent" not in map(bytes.lower, item[0])]
        for flags, _, name in folders:
            if any(flag.lower() == wanted for flag in flags):
                return name  # type: ignore[no-any-return]
        names = _NAMES_BY_FLAG.get(wanted, ())
        found = self._by_usual_name(folders, names, "inbox")
        if found is None and names:
            for prefix, delimiter in self._personal_namespaces():
                text = _text(prefix).lower()
                found = found or self._by_usual_name(folders, names, text.removesuffix(delimiter or ""))
        return found  # type: ignore[no-any-return]

    def _personal_namespaces(self) -> tuple[tuple[Any, str | None], ...]:
        if self._can("NAMESPACE"):
            try:
                return self.namespace().personal or ()
            except (CommandError, ProtocolError):
                if not self._imap.is_usable:
                    raise
        return ()

    @staticmethod
    def _by_usual_name(folders: list[FolderItem], names: Iterable[str], parent: str) -> Any:
        """The folder with the first of the names that exists: at the top or, as on some servers, below ``parent``."""
        by_name: dict[str, Any] = {}
        for _, delimiter, name in reversed(folders):
            text = _text(name).lower()
            by_name[text.removeprefix(parent + delimiter.decode("ascii", "replace")) if delimiter else text] = name
        return next((by_name[name.lower()] for name in names if name.lower() in by_name), None)

    def folder_exists(self, folder: Text) -> bool:
        """Whether a folder exists, such as ``folder_exists('Archive/2024')``. Sends LIST (RFC 9051, 6.3.9).

        Raises what `list_folders` raises. The connection is usable then.
        """
        found = self.list_folders("", folder)
        text = to_wire(folder)
        if b"*" in text or b"%" in text:
            # The name is also a pattern, which may match other folders.
            wanted = self._wire_name(folder)
            return any(self._wire_name(name) == wanted for _, _, name in found)
        return bool(found)

    def folder_status(self, folder: Text, what: Text | Iterable[Text] | None = None) -> dict[bytes, Any]:
        """The status of a folder, which need not be selected (RFC 9051, 6.3.11).

        ``what`` names the items: ``'MESSAGES'`` or ``['MESSAGES', 'UNSEEN']``. None means MESSAGES, RECENT, UIDNEXT,
        UIDVALIDITY and UNSEEN. Returns
        ``{b'MESSAGES': 3, b'RECENT': 0, b'UIDNEXT': 7, b'UIDVALIDITY': 1239278212, b'UNSEEN': 1}``.

        Raises ValueError if ``what`` is empty or can't be sent; nothing is sent then. Raises CommandError if the folder
        does not exist, and ProtocolError if the server sends no readable answer about it. The connection is usable
        after these.
        """
        if what is None:
            what = _STATUS_ITEMS
        elif isinstance(what, (str, bytes)):
            what = (what,)
        items = tuple(atom(word, "STATUS item") for item in what for word in to_wire(item).split(b" ") if word)
        if not items:
            raise ValueError("no STATUS items given: pass at least one, such as 'MESSAGES'")
        from .._parsing.collector import Collector

        collected = Collector(b"STATUS")
        self._execute(b"STATUS", [self._folder(folder), items], collected.handlers)
        return self._about(b"STATUS", folder, collected, parse_status)[1]

    def create_folder(self, folder: Text) -> bytes:
        """Create a folder (RFC 9051, 6.3.4). Returns the server's text: ``b'Create completed'``.

        Raises CommandError if the server refuses, for example because the folder exists. The connection is usable then.
        """
        return self._execute(b"CREATE", [self._folder(folder)]).text

    def rename_folder(self, old_name: Text, new_name: Text) -> bytes:
        """Rename a folder (RFC 9051, 6.3.6). Returns the server's text: ``b'Rename completed'``.

        Raises CommandError if the server refuses, for example because ``old_name`` does not exist. The connection is
        usable then.
        """
        return self._execute(b"RENAME", [self._folder(old_name), self._folder(new_name)]).text

    def delete_folder(self, folder: Text) -> bytes:
        """Delete a folder and all its messages (RFC 9051, 6.3.5). Returns the server's text: ``b'Delete completed'``.

        Raises CommandError if the server refuses, for example because the folder does not exist. The connection is
        usable then.
        """
        return self._execute(b"DELETE", [self._folder(folder)]).text

    def subscribe_folder(self, folder: Text) -> list[bytes]:
        """Subscribe to a folder (RFC 9051, 6.3.7). Returns the server's text in a list: ``[b'Subscribe completed']``.

        Raises CommandError if the server refuses. The connection is usable then.
        """
        return [self._execute(b"SUBSCRIBE", [self._folder(folder)]).text]

    def unsubscribe_folder(self, folder: Text) -> list[bytes]:
        """Unsubscribe from a folder (RFC 9051, 6.3.8). Returns the server's text in a list.

        For example ``[b'Unsubscribe completed']``. Raises CommandError if the server refuses. The connection is usable
        then.
        """
        return [self._execute(b"UNSUBSCRIBE", [self._folder(folder)]).text]

    def namespace(self) -> Namespace:
        """The server's namespaces (RFC 2342). Needs NAMESPACE.

        Each of ``personal``, ``other`` and ``shared`` is None or a tuple of pairs (prefix, delimiter):
        ``Namespace(personal=(('', '/'),), other=None, shared=(('Public/', '/'),))``.

        Raises CapabilityError without NAMESPACE, and CommandError if the server refuses. Raises ProtocolError if the
        server sends no readable NAMESPACE response. The connection is usable after all of these.
        """
        self._require("NAMESPACE")
        from .._parsing.collector import Collector

        collected = Collector(b"NAMESPACE")
        self._execute(b"NAMESPACE", handlers=collected.handlers)
        with self._answering(b"NAMESPACE"):
            if not collected.responses:
                raise ProtocolError("the server sent no NAMESPACE response")
            kinds = parse_namespace(collected.responses[-1], self._read_options)
        return Namespace(
            *(
                None
                if kind is None
                else tuple(
                    (self._folder_name(prefix), None if delimiter is None else _delimiter(delimiter))
                    for prefix, delimiter in kind
                )
                for kind in kinds
            )
        )


def _text(name: str | bytes) -> str:
    """A folder's name as text, for comparisons. It does not depend on ``folder_encode``."""
    return name if isinstance(name, str) else decode_name(name)


def _delimiter(value: bytes) -> str:
    """A hierarchy delimiter as text: ``'/'``. Servers should send one ASCII character; other bytes are escaped."""
    return value.decode("ascii", "backslashreplace")
