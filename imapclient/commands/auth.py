"""Logging in."""

from __future__ import annotations

from ..arguments import Text, forms_of, string
from ..exceptions import CommandError, LoginError, retyped
from ..exchange import Command
from .base import CommandBase


class AuthMixin(CommandBase):
    """LOGIN (RFC 9051, 6.2.3)."""

    def login(self, username: Text, password: Text) -> bytes:
        """Log in with a user name and password. Returns the server's text: ``b'Logged in'``.

        Text is sent as UTF-8, so any name and password work where the server takes UTF-8. Raises LoginError where the
        server refuses (the connection is usable), ValueError for NUL in either.
        """
        arguments = [string(username, "the user name"), string(password, "the password")]
        command = Command(b"LOGIN", arguments, secrets=forms_of(password))
        return self._authenticated(command)

    def _authenticated(self, command: Command) -> bytes:
        """Send what logs in. The capabilities are those that the answer tells, or are asked for again."""
        imap = self._imap
        try:
            reply = imap.log_in(command)
        except CommandError as error:
            raise retyped(error, LoginError) from error
        return reply.text
