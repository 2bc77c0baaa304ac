"""The session: capabilities, ENABLE, ID, TLS, compression, NOOP and LOGOUT."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Optional, Union

from .._arguments.command import Argument
from .._arguments.strings import atom, string
from .._connection.queues import AwaitedQueue
from .._wire.tls import check_context
from ..exceptions import CapabilityError, IllegalStateError
from ..util import Text, to_wire
from .base.command_base import CommandBase
from .base.state import UntaggedItem

IdParameters = Union[Mapping[str, Optional[Text]], Mapping[bytes, Optional[Text]]]
"""``{'name': 'My program', 'version': '1.0', 'os': None}``"""

# The limits of ID: how many fields, and how many octets in a name and in a value (RFC 2971, 3.3).
_MAX_ID_FIELDS = 30
_MAX_ID_NAME = 30
_MAX_ID_VALUE = 1024


class SessionMixin(CommandBase):
    """CAPABILITY, ENABLE, ID, STARTTLS, COMPRESS, NOOP, LOGOUT (RFC 9051, 6.1, 6.2.1, 6.3.1; RFC 2971; RFC 4978)."""

    def capabilities(self) -> tuple[bytes, ...]:
        """The server's capabilities, in upper case: ``(b'IMAP4REV1', b'IDLE', b'UIDPLUS')`` (RFC 9051, 6.1.1).

        CAPABILITY is sent only if the capabilities are unknown. Most servers list them in the greeting and in the
        answer to the login. After STARTTLS they are unknown. Raises CommandError if the server refuses. The connection
        is usable then.
        """
        return tuple(word.encode("ascii", "replace") for word in self._imap.fetch_capabilities())

    def has_capability(self, capability: Text) -> bool:
        """Whether the server has a capability: ``has_capability('IDLE')``. The letter case does not matter.

        Raises what `capabilities` raises.
        """
        return to_wire(capability).upper() in self.capabilities()

    def enable(self, *capabilities: Text) -> list[bytes]:
        """Enable extensions of the server (RFC 9051, 6.3.1; RFC 5161): ``enable('CONDSTORE', 'UTF8=ACCEPT')``.

        Returns the extensions that the server reports as enabled, in the server's spelling: ``[b'CONDSTORE']``. An
        extension may be missing if the server does not know it, or if it was enabled before. After ``UTF8=ACCEPT`` or
        ``IMAP4rev2``, folder names and search criteria are sent in UTF-8; nothing changes for the caller.

        Raises CapabilityError without ENABLE. Raises IllegalStateError before the login and while a folder is selected.
        Raises ValueError if no name is given, or if a name can't be a capability. Nothing is sent then.
        Raises CommandError if the server refuses. The connection is usable after all of these.
        """
        names = [atom(capability, "capability") for capability in capabilities]
        if not names:
            raise ValueError("no capabilities given: pass at least one to enable()")
        self._require("ENABLE")
        self._imap.check_usable()
        if self._imap.state != "AUTH":
            raise IllegalStateError("ENABLE is possible only after the login, and only while no folder is selected")
        # Imported here, because not every program needs it.
        from .._parsing.collector import Collector

        collected = Collector(b"ENABLED")
        self._imap.may_enable |= {name.decode("ascii").upper() for name in names}
        self._execute(b"ENABLE", names, collected.handlers)
        return [name for response in collected.responses for name in response.text.split()]

    def id_(self, parameters: IdParameters | None = None) -> tuple[Any, ...]:
        """Send facts about this program, and return the facts that the server sends about itself (RFC 2971). Needs ID.

        ``id_({'name': 'My program', 'version': '1.0'})`` returns ``((b'name', b'Dovecot', b'version', b'2.3'),)``: one
        tuple in which names and values alternate. A value is None if the server sends NIL for it. The result is
        ``(None,)`` if the server answers NIL, and ``()`` if it sends no ID response. If ``parameters`` is None, NIL is
        sent. A value that is None is sent as NIL too. The call is also possible before the login.

        Names and values may be any text, which is sent as UTF-8. RFC 2971, 3.3 allows at most 30 fields, 30 bytes in a
        name and 1024 bytes in a value. Raises ValueError beyond these limits, and if a text contains NUL. Raises
        TypeError if ``parameters`` is not a mapping of text. Raises CapabilityError without ID. Nothing is sent then.
        Raises CommandError if the server refuses. The connection is usable after all of these.
        """
        argument = _id_parameters(parameters)
        self._require("ID")
        from .._parsing.collector import Collector
        from .._parsing.lexer import read_values

        collected = Collector(b"ID")
        self._execute(b"ID", [argument], collected.handlers)
        with self._answering(b"ID"):
            return tuple(value for r in collected.responses for value in read_values(r, self._read_options))

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> bytes:
        """Switch the connection to TLS (RFC 9051, 6.2.1). Call it before `login`. Returns the server's text.

        If ``ssl_context`` is None, the client's context is used. If that is None too, the server's certificate and name
        are verified with the authorities of the system. The client forgets the capabilities and all responses that it
        received before TLS.

        Raises CapabilityError if the connection has TLS already, or without STARTTLS. Raises IllegalStateError after
        the login. This includes a PREAUTH greeting, which may come from an attacker if there is no TLS. Raises
        CommandError if the server refuses. The connection is usable after these. Raises ssl.SSLError if the handshake
        fails, and ProtocolError if the server sent data before the handshake. The connection is closed then.
        """
        self._imap.check_usable()
        if self.stream:
            raise IllegalStateError("STARTTLS is not possible over the standard input and output of a command")
        if self._imap.is_tls:
            raise CapabilityError("the connection has TLS already")
        if self._imap.state != "NONAUTH":
            raise IllegalStateError("STARTTLS is possible only before the login")
        self._require("STARTTLS")
        context = ssl_context or self.ssl_context
        check_context(context)
        text = self._imap.start_tls(context).text
        self._starttls = (context,)
        return text

    def compress(self) -> bytes:
        """Compress the connection (RFC 4978). Call it after the login. Needs COMPRESS=DEFLATE.

        Returns the server's text, such as ``b'Begin compression.'``.

        Raises CapabilityError without COMPRESS=DEFLATE. Raises IllegalStateError before the login, because passwords
        must not be compressed. Also raises it in IDLE, and if the connection is compressed already. Nothing is sent
        then. Raises CommandError if the server refuses. The connection is usable after all of these.
        """
        self._imap.check_usable()
        if self._imap.state not in ("AUTH", "SELECTED"):
            raise IllegalStateError("COMPRESS is possible only after the login")
        if self._imap.is_compressed or self._imap.is_compressed_by_tls:
            raise IllegalStateError("the connection is compressed already")
        self._require("COMPRESS=DEFLATE")
        try:
            text = self._imap.start_compression().text
        finally:
            self._deliver_unsolicited()
        # The next connection of `watch` is compressed too.
        self._compress = True
        return text

    def noop(self) -> tuple[bytes, list[UntaggedItem]]:
        """Send NOOP, so that the server can report changes in the selected folder (RFC 9051, 6.1.2).

        Returns the server's text and the responses before it:
        ``(b'NOOP completed.', [(4, b'EXISTS'), (0, b'RECENT')])``.

        Raises CommandError if the server refuses. The connection is usable then.
        """
        collected = AwaitedQueue()
        with self._delivered_on_failure(collected):
            reply = self._execute(b"NOOP", handlers={b"*": collected.append})
        return reply.text, self._untagged_items(collected)

    def logout(self) -> bytes:
        """Log out (RFC 9051, 6.1.3). Returns the text of the server's BYE: ``b'Logging out'``.

        The connection is closed in any case. Raises CommandError if the server refuses, and IMAPClientAbortError or
        OSError if the connection is lost before the BYE.
        """
        self._closing.set()
        try:
            return self._imap.end()
        finally:
            self._deliver_unsolicited()

    def shutdown(self) -> None:
        """Close the connection without LOGOUT. Never raises."""
        self._closing.set()
        self._imap.shutdown()


def _id_parameters(parameters: IdParameters | None) -> Argument:
    """id-params-list = "(" *(string SP nstring) ")" / nil (RFC 2971, 4)."""
    if parameters is None:
        return b"NIL"
    if not isinstance(parameters, Mapping):
        raise TypeError("'parameters' should be a dictionary")
    if len(parameters) > _MAX_ID_FIELDS:
        raise ValueError(f"ID takes at most {_MAX_ID_FIELDS} fields, not {len(parameters)}")
    fields: list[Argument] = []
    for name, value in parameters.items():
        fields.append(_id_text(name, _MAX_ID_NAME, "the name of an ID field"))
        fields.append(b"NIL" if value is None else _id_text(value, _MAX_ID_VALUE, "the value of an ID field"))
    return tuple(fields)


def _id_text(text: Text, max_octets: int, what: str) -> Argument:
    if len(to_wire(text)) > max_octets:
        raise ValueError(f"{what} is longer than {max_octets} octets")
    return string(text, what)
