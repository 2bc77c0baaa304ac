"""Access control lists of folders."""

from __future__ import annotations

from .._arguments.strings import string
from .._parsing.acl import parse_acl
from .._parsing.collector import Collector
from ..util import Text
from .base.command_base import CommandBase


class AclMixin(CommandBase):
    """GETACL and SETACL (RFC 4314, 3.1 and 3.3). They need ACL.

    Both raise CapabilityError without the capability. They raise CommandError if there is no such folder, or if the
    user may not administer it. The connection is usable after both.
    """

    def getacl(self, folder: Text) -> list[tuple[bytes, bytes]]:
        """Who may do what with a folder (RFC 4314, 3.3): ``[(b'ann', b'lrswipkxtea'), (b'anyone', b'l')]``.

        Identifiers and rights are bytes, without the quotes and escapes of the wire. An identifier that begins with
        ``-`` names rights that are taken away. Each letter is a right (RFC 4314, 2.1).

        Raises ProtocolError if the server sends no readable answer about this folder. The connection is usable then.
        """
        self._require("ACL")
        collected = Collector(b"ACL")
        self._execute(b"GETACL", [self._folder(folder)], collected.handlers)
        return self._about(b"GETACL", folder, collected, parse_acl)[1]

    def setacl(self, folder: Text, who: Text, what: Text) -> bytes:
        """Set the rights of an identifier on a folder (RFC 4314, 3.1). Returns the server's text.

        ``setacl('Team', 'ann', 'lrs')`` replaces her rights. ``'+w'`` adds a right and ``'-w'`` removes it. ``''``
        removes all rights; the list may still name her then. Identifier and rights may be any text, which is sent as
        UTF-8.

        Raises ValueError for NUL, before anything is sent.
        """
        self._require("ACL")
        arguments = [self._folder(folder), string(who, "an identifier"), string(what, "rights")]
        return self._execute(b"SETACL", arguments).text
