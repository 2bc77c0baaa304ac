"""The session: capabilities, ENABLE, ID, TLS, compression, the end of it, and NOOP."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Optional, Union

from .._arguments.strings import Argument, atom, string
from .._connection.exchange import AwaitedQueue
from .._parsing.collector import Collector
from .._parsing.lexer import read_values
from .._wire.sockets import check_context
from ..exceptions import CapabilityError, IllegalStateError
from ..util import Text, to_wire
from .base.running import CommandBase, UntaggedItem

IdParameters = Union[Mapping[str, Optional[Text]], Mapping[bytes, Optional[Text]]]
"""``{'name': 'My program', 'version': '1.0', 'os': None}``"""

# What RFC 2971, 3.3 sets for the fields of ID: how many there may be, and octets in a name and in a value.
_MAX_ID_FIELDS = 30
_MAX_ID_NAME = 30
_MAX_ID_VALUE = 1024


class SessionMixin(CommandBase):
    """CAPABILITY, ENABLE, ID, STARTTLS, COMPRESS, NOOP, LOGOUT (RFC 9051, 6.1, 6.2.1, 6.3.1; RFC 2971; RFC 4978)."""

    def capabilities(self) -> tuple[bytes, ...]:
        """The server's capabilities, in upper case: ``(b'IMAP4REV1', b'IDLE', b'UIDPLUS')`` (RFC 9051, 6.1.1).

        What the greeting or the answer to the login told is used; the server is asked only where it told nothing.
        """
        return tuple(word.encode("ascii", "replace") for word in self._imap.fetch_capabilities())

    def has_capability(self, capability: Text) -> bool:
        """Whether the server has a capability, in any letter case: ``has_capability('IDLE')``."""
        return to_wire(capability).upper() in self.capabilities()

    def enable(self, *capabilities: Text) -> list[bytes]:
        """Switch extensions of the server on (RFC 9051, 6.3.1; RFC 5161): ``enable('CONDSTORE', 'UTF8=ACCEPT')``.

        Returns those that the server says it has switched on, as it writes them: ``[b'CONDSTORE']``. One that it does
        not know, or that was on before, may be missing. After ``UTF8=ACCEPT`` or ``IMAP4rev2`` names of folders and
        search criteria go in UTF-8; nothing changes for the caller.

        Needs ENABLE (CapabilityError without). Possible after the login while no folder is selected, else
        IllegalStateError is raised; ValueError for what can't be a capability's name or for none at all. Nothing was
        sent then. CommandError where the server refuses. The connection is usable after all of these.
        """
        names = [atom(capability, "capability") for capability in capabilities]
        if not names:
            raise ValueError("no capabilities given to enable")
        self._require("ENABLE")
        self._imap.check_usable()
        if self._imap.state != "AUTH":
            raise IllegalStateError("ENABLE is possible after login while no folder is selected")
        heard = Collector(b"ENABLED")
        self._imap.may_enable |= {name.decode("ascii").upper() for name in names}
        self._execute(b"ENABLE", names, heard.handlers)
        return [name for response in heard.responses for name in response.text.split()]

    def id_(self, parameters: IdParameters | None = None) -> tuple[Any, ...]:
        """Tell the server what program this is, and hear what it is (RFC 2971). Needs ID; possible before login too.

        ``id_({'name': 'My program', 'version': '1.0'})`` returns ``((b'name', b'Dovecot', b'version', b'2.3'),)``: one
        tuple with names and values in turn, values None where the server does not tell them. It is ``(None,)`` where
        the server tells nothing at all, ``()`` where it sends no answer. None as ``parameters`` tells the server
        nothing; a value of None goes out as NIL.

        Text may be any, within what RFC 2971, 3.3 allows: at most 30 fields, 30 octets in a name and 1024 in a value
        (as UTF-8). ValueError beyond, and for NUL; TypeError for what is no mapping of text. Nothing was sent then.
        CapabilityError without the capability, CommandError where the server refuses. The connection is usable after
        all of these.
        """
        argument = _id_parameters(parameters)
        self._require("ID")
        heard = Collector(b"ID")
        self._execute(b"ID", [argument], heard.handlers)
        with self._answering(b"ID"):
            return tuple(value for r in heard.responses for value in read_values(r, self._read_options))

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
        self._imap.check_usable()
        if self.stream:
            raise IllegalStateError("STARTTLS is not possible over the standard input and output of a command")
        if self._imap.is_tls:
            raise CapabilityError("the connection has TLS already")
        if self._imap.state != "NONAUTH":
            raise IllegalStateError("STARTTLS is possible before login only")
        self._require("STARTTLS")
        context = ssl_context or self.ssl_context
        check_context(context)
        text = self._imap.start_tls(context).text
        self._starttls = (context,)
        return text

    def compress(self) -> bytes:
        """Go on compressed (RFC 4978); call it after the login. Returns the server's text: ``b'Begin compression.'``.

        Raises CapabilityError where the server lacks COMPRESS=DEFLATE, IllegalStateError before the login (passwords
        are not compressed), in IDLE, and where the connection is compressed already; nothing was sent then.
        CommandError where the server refuses. The connection is usable after all of these.
        """
        self._imap.check_usable()
        if self._imap.state not in ("AUTH", "SELECTED"):
            raise IllegalStateError("COMPRESS is possible after login only")
        if self._imap.is_compressed or self._imap.is_compressed_by_tls:
            raise IllegalStateError("the connection is compressed already")
        self._require("COMPRESS=DEFLATE")
        try:
            text = self._imap.start_compression().text
        finally:
            self._deliver_unsolicited()
        # A connection that takes this one's place is compressed too.
        self._compress = True
        return text

    def noop(self) -> tuple[bytes, list[UntaggedItem]]:
        """Do nothing, and hear what changed (RFC 9051, 6.1.2).

        Returns the server's text and what it sent before: ``(b'NOOP completed.', [(4, b'EXISTS'), (0, b'RECENT')])``.
        """
        heard = AwaitedQueue()
        with self._delivered_on_failure(heard):
            reply = self._execute(b"NOOP", handlers={b"*": heard.append})
        return reply.text, self._untagged_items(heard)

    def logout(self) -> bytes:
        """Log out and close the connection, which is closed even where that fails. Returns the server's last words."""
        self._closing.set()
        try:
            return self._imap.end()
        finally:
            self._deliver_unsolicited()

    def shutdown(self) -> None:
        """Close the connection without logging out. Never raises."""
        self._closing.set()
        self._imap.shutdown()


def _id_parameters(parameters: IdParameters | None) -> Argument:
    """id-params-list = "(" *(string SP nstring) ")" / nil (RFC 2971, 4)."""
    if parameters is None:
        return b"NIL"
    if not isinstance(parameters, Mapping):
        raise TypeError("'parameters' should be a dictionary")
    if len(parameters) > _MAX_ID_FIELDS:
        raise ValueError(f"more than {_MAX_ID_FIELDS} fields for ID: {len(parameters)}")
    fields: list[Argument] = []
    for name, value in parameters.items():
        fields.append(_id_text(name, _MAX_ID_NAME, "the name of an ID field"))
        fields.append(b"NIL" if value is None else _id_text(value, _MAX_ID_VALUE, "the value of an ID field"))
    return tuple(fields)


def _id_text(text: Text, most: int, what: str) -> Argument:
    if len(to_wire(text)) > most:
        raise ValueError(f"{what} is longer than {most} octets")
    return string(text, what)
