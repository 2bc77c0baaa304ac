"""Running commands: one command, several at once, and one in parts if it is too long for a line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Callable

from ..._arguments.command import Argument
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

if TYPE_CHECKING:
    from ..._connection.exchange import Command

# The capabilities that IMAP4rev2 includes (RFC 9051, appendix E).
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
        # Imported here, because only an open connection needs it.
        from ..._connection.exchange import Command

        try:
            return self._imap.execute(Command(name, arguments, handlers))
        finally:
            self._deliver_unsolicited()

    def _execute_all(self, commands: Sequence[Command]) -> None:
        """Run several commands, without waiting for the answer to each. After all have ended, raise the first error."""
        try:
            self._imap.execute_all(commands)
            for command in commands:
                self._imap.finish(command)
        finally:
            self._deliver_unsolicited()

    @contextlib.contextmanager
    def _answering(self, command: bytes) -> Iterator[None]:
        """Add the command's name to a ProtocolError of the body. Hide secrets that the server repeats in its text."""
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

        Commands of other threads wait until the body has ended. `on_unsolicited` is called after that. ``imap`` is the
        connection, by default the client's own.
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
        """Return a function that checks that message ids still mean the same messages as now.

        It is for calls that send several commands. The function raises IllegalStateError if another folder was selected
        or another connection made. With ``by_number`` it also raises it if a message was removed. ``meanwhile`` is a
        part of the error text, such as ``'during a download'``.
        """
        imap = self._imap
        selection, renumberings = imap.selection, imap.renumberings

        def check() -> None:
            if self._imap is not imap or imap.selection != selection:
                raise IllegalStateError(f"another folder was selected, or another connection was made, {meanwhile}")
            if by_number and imap.renumberings != renumberings:
                raise IllegalStateError("messages were removed, so sequence numbers mean other messages now: use UIDs")

        return check

    # -- capabilities

    def _require(self, capability: str) -> None:
        """Raise CapabilityError if the server does not have the capability. No command but CAPABILITY is sent."""
        if not self._can(capability):
            self._imap.check_usable()
            raise CapabilityError(f"Server does not support {capability} capability")

    def _can(self, capability: str) -> bool:
        """Whether the server has a capability. IMAP4rev2 includes some capabilities without their names."""
        return self.has_capability(capability) or (capability in _IN_REV2 and self.has_capability("IMAP4REV2"))

    def _compress_if_offered(self) -> None:
        """Compress the connection if the constructor's ``compress`` asks for it and the server offers it.

        If the server refuses, the connection is used without compression.
        """
        imap = self._imap
        if not self._compress or imap.is_compressed or imap.is_compressed_by_tls or imap.state != "AUTH":
            return
        try:
            if self.has_capability("COMPRESS=DEFLATE"):
                imap.start_compression()
        except CommandError as error:
            client_log.info("The server refused compression: %s", error)

    # -- sets of messages

    def _verb(self, command: bytes, uid: bool | None = None) -> bytes:
        """``b'UID FETCH'`` for ``b'FETCH'`` if message ids are UIDs. ``uid`` None means ``use_uid``."""
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
