"""Waiting for what the server tells by itself."""

from __future__ import annotations

from .base import CommandBase, UntaggedItem


class IdleMixin(CommandBase):
    """IDLE (RFC 2177). Needs IDLE.

    Between `idle` and `idle_done` no other command can be sent: IllegalStateError says so at once, also in another
    thread. While one thread waits in `idle_check`, another one can't wait too or end IDLE, which raises the same. A
    server may end a connection that idles for 30 minutes: call `idle_done` and `idle` again before.
    """

    def idle(self) -> None:
        """Begin to wait: the server then tells what changes in the selected folder."""
        self._require("IDLE")
        try:
            self._imap.start_idle()
        finally:
            self._hand_on()

    def idle_check(self, timeout: float | None = None) -> list[UntaggedItem]:
        """What the server has told, waiting for it at most ``timeout`` seconds (None: for ever; 0: not at all).

        Returns a list, empty after the timeout:
        ``[(b'OK', b'Still here'), (1, b'EXISTS'), (1, b'FETCH', (b'FLAGS', (b'\\\\NotJunk',)))]``.

        Raises IMAPClientAbortError where the connection has ended; what the server told before is returned first, by
        the call before. An interrupted call (Ctrl-C) loses nothing and can be made again.

        With a selector on `socket`: bytes that were received already don't make a socket readable, so call
        ``idle_check(0)`` before each wait.
        """
        return self._imap.poll_idle(timeout, self._untagged_items)

    def idle_done(self) -> tuple[bytes, list[UntaggedItem]]:
        """End the waiting. Returns its text and what it told meanwhile: ``(b'Idle completed.', [(2, b'EXISTS')])``.

        Waits for the server at most the read timeout, or 60 seconds where there is none; the connection is unusable
        when that is over.
        """
        reply, heard = self._imap.finish_idle(self._untagged_items)
        return reply.text, heard
