"""The session: capabilities, TLS, the end of it, and NOOP."""

from __future__ import annotations

import ssl

from ..arguments import Text, to_wire
from ..exceptions import CapabilityError, IllegalStateError
from ..exchange import HeardQueue
from .base import CommandBase, UntaggedItem


class SessionMixin(CommandBase):
    """CAPABILITY, STARTTLS, NOOP, LOGOUT (RFC 9051, 6.1 and 6.2.1)."""

    def capabilities(self) -> tuple[bytes, ...]:
        """The server's capabilities, in upper case: ``(b'IMAP4REV1', b'IDLE', b'UIDPLUS')`` (RFC 9051, 6.1.1).

        What the greeting or the answer to the login told is used; the server is asked only where it told nothing.
        """
        return tuple(word.encode("ascii", "replace") for word in self._imap.fetch_capabilities())

    def has_capability(self, capability: Text) -> bool:
        """Whether the server has a capability, in any letter case: ``has_capability('IDLE')``."""
        return to_wire(capability).upper() in self.capabilities()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> bytes:
        """Go on over TLS (RFC 9051, 6.2.1); call it before `login`. Returns the server's text.

        ``ssl_context`` None means the client's own, and where there is none, one that verifies the server's certificate
        and name against the system's authorities. All that the server said in the clear, its capabilities included, is
        forgotten.

        Raises CapabilityError where the connection has TLS already or the server lacks STARTTLS, IllegalStateError
        where it is logged in (a server that greets with PREAUTH in the clear may be anybody; the connection is usable
        after these), ssl.SSLError or ProtocolError where the handshake fails or the server sent data ahead of
        it (the connection is then closed).
        """
        if self.stream:
            raise IllegalStateError("STARTTLS is not possible over the standard input and output of a command")
        if self._imap.is_tls:
            raise CapabilityError("the connection has TLS already")
        if self._imap.state != "NONAUTH":
            raise IllegalStateError("STARTTLS is possible before login only")
        self._require("STARTTLS")
        return self._imap.start_tls(ssl_context or self.ssl_context).text

    def noop(self) -> tuple[bytes, list[UntaggedItem]]:
        """Do nothing, and hear what changed (RFC 9051, 6.1.2).

        Returns the server's text and what it sent before: ``(b'NOOP completed.', [(4, b'EXISTS'), (0, b'RECENT')])``.
        """
        heard = HeardQueue()
        reply = self._execute(b"NOOP", handlers={b"*": heard.append})
        return reply.text, self._untagged_items(heard)

    def logout(self) -> bytes:
        """Log out and close the connection, which is closed even where that fails. Returns the server's last words."""
        return self._imap.end()

    def shutdown(self) -> None:
        """Close the connection without logging out. Never raises."""
        self._imap.shutdown()
