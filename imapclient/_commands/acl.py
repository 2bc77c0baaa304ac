"""Access control lists of folders."""

from __future__ import annotations

from .._arguments.strings import string
from ..util import Text
from .base.command_base import CommandBase


class AclMixin(CommandBase):
    """GETACL and SETACL (RFC 4314, 3.1 and 3.3). They need the capability ACL.

    Both raise CapabilityError without ACL. They raise CommandError if the folder does not exist, or if the user may not
    administer it. The connection is usable after these errors.
    """

    def getacl(self, folder: Text) -> list[tuple[bytes, bytes]]:
        """The rights on a folder (RFC 4314, 3.3). Needs ACL.

        Returns pairs of identifier and rights: ``[(b'ann', b'lrswipkxtea'), (b'anyone', b'l')]``. Both are bytes,
        without the quotes and escapes of the wire. Each letter is a right (RFC 4314, 2.1). If an identifier begins with
        ``-``, it does not have these rights.

        Raises CapabilityError without ACL. Raises CommandError if the folder does not exist, or if the user may not
        administer it. Raises ProtocolError if the server sends no readable answer about this folder. The connection is
        usable after all of these.
        """
        # Imported here, because not every program needs it.
        from .._parsing.acl import parse_acl
        from .._parsing.collector import Collector

        self._require("ACL")
        collected = Collector(b"ACL")
        self._execute(b"GETACL", [self._folder(folder)], collected.handlers)
        return self._about(b"GETACL", folder, collected, parse_acl)[1]

    def setacl(self, folder: Text, who: Text, what: Text) -> bytes:
        """Set the rights of an identifier on a folder (RFC 4314, 3.1). Needs ACL. Returns the server's text.

        ``setacl('Team', 'ann', 'lrs')`` replaces the rights of ann. ``'+w'`` adds a right and ``'-w'`` removes it.
        ``''`` removes all rights; `getacl` may still list the identifier then. Identifier and rights may be any text,
        which is sent as UTF-8.

        Raises CapabilityError without ACL, and ValueError if an argument contains NUL. Nothing is sent then. Raises
        CommandError if the folder does not exist, or if the user may not administer it. The connection is usable after
        all of these.
        """
        self._require("ACL")
        arguments = [self._folder(folder), string(who, "an identifier"), string(what, "rights")]
        return self._execute(b"SETACL", arguments).text
