"""Running commands: one, several at once, and one that is too long for a line in parts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable

from ..._arguments.command import Argument
from ..._connection.exchange import Command
from ..._connection.gateway import Connection
from ..._connection.protocol_log import client_log
from ..._parsing.responses import Handler, Tagged
from ..._wire import waiting
from ...exceptions import (
    CapabilityError,
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    IMAPClientError,
    ProtocolError,
    note_done,
)
from ...sequence_set import SequenceSet
from .unsolicited import UnsolicitedDelivery

# What IMAP4rev2 includes (RFC 9051, appendix E).
_IN_REV2 = frozenset(("ENABLE", "IDLE", "LIST-EXTENDED", "MOVE", "NAMESPACE", "SPECIAL-USE", "UIDPLUS", "UNSELECT"))


class CommandRunner(UnsolicitedDelivery):
    """Runs commands. After each one, unsolicited responses are delivered."""

    # -- commands

    def _execute(
        self,
        name: bytes,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
    ) -> Tagged:
        try:
            return self._imap.execute(Command(name, arguments, handlers))
        finally:
            self._deliver_unsolicited()

    def _execute_all(self, commands: Sequence[Command]) -> None:
        """Run commands that may be on the wire at once. All run to their end, then the first error is raised."""
        try:
            self._imap.execute_all(commands)
            for command in commands:
                self._imap.finish(command)
        finally:
            self._deliver_unsolicited()

    @contextlib.contextmanager
    def _answering(self, command: bytes) -> Iterator[None]:
        """Add the command's name to a ProtocolError of the body, and hide the secrets that the server repeats in it."""
        try:
            yield
        except ProtocolError as error:
            error.command = error.command or command.decode("ascii")
            self._imap.secrets.hide(error)
            raise

    # -- several commands that belong together

    @contextlib.contextmanager
    def _exclusive(self, imap: Connection | None = None) -> Iterator[None]:
        """Keep the commands of the body together: nothing may select another folder between them.

        Commands of other threads wait until the body has ended, and `on_unsolicited` is not called before. ``imap`` is
        the connection, if it is not the client's own.
        """
        try:
            with (imap or self._imap).exclusive():
                outer = self._exclusive_thread
                try:
                    self._exclusive_thread = waiting.thread_id()
                    yield
                finally:
                    self._exclusive_thread = outer
        finally:
            self._deliver_unsolicited()

    def _same_messages(self, meanwhile: str, by_number: bool = False) -> Callable[[], None]:
        """A check, for a call of several commands, that ids still mean the messages that they mean now.

        The check raises IllegalStateError if another folder is selected or the connection is another one. With
        ``by_number`` it raises it if a message was removed, too. Its text says ``meanwhile``, such as
        ``'during a download'``.
        """
        imap = self._imap
        selection, renumberings = imap.selection, imap.renumberings

        def check() -> None:
            if self._imap is not imap or imap.selection != selection:
                raise IllegalStateError(f"another folder was selected, or a connection made, {meanwhile}")
            if by_number and imap.renumberings != renumberings:
                raise IllegalStateError("messages were removed, so sequence numbers mean others now: use UIDs")

        return check

    # -- capabilities

    def _require(self, capability: str) -> None:
        """Raise CapabilityError unless the server has the capability. At most CAPABILITY is sent."""
        if not self._can(capability):
            self._imap.check_usable()
            raise CapabilityError(f"Server does not support {capability} capability")

    def _can(self, capability: str) -> bool:
        """Whether the server has a capability, by its name or as a part of IMAP4rev2."""
        return self.has_capability(capability) or (capability in _IN_REV2 and self.has_capability("IMAP4REV2"))

    def _compress_where_offered(self) -> None:
        """Compress the connection if the constructor's ``compress`` asks for it and the server offers it.

        A server that refuses is spoken to without compression.
        """
        imap = self._imap
        if not self._compress or imap.is_compressed or imap.is_compressed_by_tls or imap.state != "AUTH":
            return
        try:
            if self.has_capability("COMPRESS=DEFLATE"):
                imap.start_compression()
        except CommandError as error:
            client_log.info("Goes on without compression: %s", error)

    # -- sets of messages

    def _verb(self, command: bytes, uid: bool | None = None) -> bytes:
        """``b'UID FETCH'`` for ``b'FETCH'`` if messages go by UIDs. ``uid`` None means ``use_uid``."""
        return b"UID " + command if (self.use_uid if uid is None else uid) else command

    def _for_messages(
        self,
        name: bytes,
        messages: SequenceSet,
        arguments: Sequence[Argument] = (),
        handlers: Mapping[bytes, Handler] | None = None,
        *,
        uid: bool | None = None,
    ) -> list[Tagged]:
        """Send a command for a set of messages, in several parts if the set is too long for one line."""
        parts = messages.split()
        verb = self._verb(name, uid)
        replies: list[Tagged] = []
        with self._exclusive():
            for index, part in enumerate(parts):
                try:
                    replies.append(self._execute(verb, [part, *arguments], handlers))
                except IMAPClientError as error:
                    # If a response could not be parsed, the command itself ended with OK: that part is done.
                    is_done = isinstance(error, ProtocolError) and not isinstance(error, IMAPClientAbortError)
                    note_done(error, b",".join(parts[: index + is_done]).decode("ascii"))
                    raise
        return replies
