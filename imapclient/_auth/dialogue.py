"""The client's side of one AUTHENTICATE command (RFC 9051, 6.2.2). No I/O."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Callable, Optional

from ..exceptions import ProtocolAbortError, ProtocolError
from ..util import Text, to_wire
from .mechanisms import Mechanism, checked_text

# In base64. Every server accepts a line of 8,192 bytes.
_MAX_INITIAL_RESPONSE = 8000
# A shorter response, such as "y", is not a secret.
_MIN_SECRET = 4
# Of a longer response, only the beginning and the end are redacted. All data from the server is searched for these, so
# they must be short.
_MAX_SECRET = 64 * 1024
_END_OF_SECRET = 4096

Respond = Callable[[bytes], Optional[Text]]
"""Takes a challenge and returns the response. None cancels the exchange."""


class AuthExchange:
    """One AUTHENTICATE exchange: it encodes in base64, keeps the initial response, and can cancel.

    If ``respond`` raises or a challenge is invalid, the exchange is cancelled and ``error`` is the exception. The
    server's tagged response must still be read.

    ``remember`` is called with each response that must not be logged, both in base64 and not encoded. If a response is
    very long, it gets only the beginning and the end. The user name may be logged, and so may the responses of a
    mechanism without secrets.


    """

    #: No mechanism has more challenges, or longer ones. The size is in bytes of base64.
    MAX_CHALLENGES = 100
    MAX_CHALLENGE_SIZE = 1024 * 1024

    def __init__(
        self,
        respond: Respond,
        initial_response: bytes | None = None,
        remember: Callable[[Iterable[bytes]], object] | None = None,
    ) -> None:
        self.error: Exception | None = None
        self.cancelled = False
        #: All responses so far, both in base64 and not encoded.
        self.sent: list[bytes] = []
        self._respond = respond
        self._initial_response = initial_response
        self._remember = remember
        self._challenges = 0

    @property
    def mechanism(self) -> Mechanism | None:
        """The mechanism that responds, or None if the responses come from another callable."""
        return self._respond if isinstance(self._respond, Mechanism) else None

    @property
    def may_succeed(self) -> bool:
        """Whether the server may send OK now: not after a cancellation, and not before the last response."""
        is_complete = self._initial_response is None and (self.mechanism is None or self.mechanism.complete)
        return is_complete and not self.cancelled

    def initial_argument(self) -> bytes | None:
        """The initial response as an argument of the command: ``b'AGFubgB4'``, ``b'='`` for an empty one (RFC 4959, 3).

        None if the exchange has no initial response. Also None if it is too long for a line: it is then sent after the
        first challenge.
        """
        if self._initial_response is None or len(self._initial_response) > _MAX_INITIAL_RESPONSE * 3 // 4:
            return None
        initial, self._initial_response = self._initial_response, None
        return self._encoded(initial) or b"="

    def respond(self, text: bytes) -> bytes:
        """The line to send after a continuation request: base64, or ``b'*'`` to cancel."""
        if self.cancelled:
            raise ProtocolAbortError("the server sent a challenge after the exchange was cancelled")
        try:
            response = self._answer(text)
        except Exception as error:
            self.error = error
            response = None
        if response is None:
            self.cancelled = True
            return b"*"
        return self._encoded(response)

    def _answer(self, text: bytes) -> bytes | None:
        self._challenges += 1
        if self._challenges > self.MAX_CHALLENGES:
            raise ProtocolError(f"the server sent too many challenges: more than {self.MAX_CHALLENGES}")
        if len(text) > self.MAX_CHALLENGE_SIZE:
            raise ProtocolError(f"a challenge is too long: {len(text)} bytes of at most {self.MAX_CHALLENGE_SIZE}")
        try:
            challenge = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            context = None if any(sent and sent in text for sent in self.sent) else text[:80]
            raise ProtocolError("a challenge is not base64", context=context) from None
        if self._initial_response is not None:
            initial, self._initial_response = self._initial_response, None
            return initial
        response = self._respond(challenge)
        return None if response is None else checked_text(response, "a response")

    def _encoded(self, response: bytes) -> bytes:
        encoded = base64.b64encode(response)
        self.sent += [response, encoded]
        if self._remember is not None and self._is_secret(response):
            secrets: tuple[bytes, ...] = (response, encoded)
            if len(response) > _MAX_SECRET:
                secrets = tuple(end for part in secrets for end in (part[:_END_OF_SECRET], part[-_END_OF_SECRET:]))
            self._remember(secrets)
        return encoded

    def _is_secret(self, response: bytes) -> bool:
        mechanism = self.mechanism
        if mechanism is not None and (not mechanism.secrets() or response == to_wire(mechanism.identity)):
            return False
        return len(response) >= _MIN_SECRET
