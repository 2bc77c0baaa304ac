"""The client's side of one AUTHENTICATE command (RFC 9051, 6.2.2). No I/O."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Callable, Optional

from ..exceptions import ProtocolAbortError, ProtocolError
from ..util import Text, to_wire
from .mechanisms import Mechanism, checked_text

# Of base64, so that the line stays within the 8,192 bytes that servers read at least.
_MAX_INITIAL_RESPONSE = 8000
# A shorter response is no secret, but a word such as "y".
_MIN_SECRET = 4
# A longer response is hidden only by its ends, since all that a server says is searched for it.
_MAX_SECRET = 64 * 1024
_END_OF_SECRET = 4096

Respond = Callable[[bytes], Optional[Text]]
"""Takes a challenge and returns the response; None cancels."""


class AuthExchange:
    """Base64, the initial response, cancelling.

    Where ``respond`` raises, or a challenge can't be read, the exchange is cancelled and the exception kept in
    ``error``: the server's tagged response still has to be read.

    ``remember`` is told of what must not be shown: all that is said, in base64 and without it, but for a name, for all
    of a mechanism that has no secrets, and for the middle of what is absurdly long.
    """

    #: So many challenges, and so many bytes of base64 in one, are more than any mechanism has.
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
        #: What has been said, in base64 and without it.
        self.said: list[bytes] = []
        self._respond = respond
        self._initial_response = initial_response
        self._remember = remember
        self._challenges = 0

    @property
    def mechanism(self) -> Mechanism | None:
        """The mechanism that responds, where it is one of this package's kind."""
        return self._respond if isinstance(self._respond, Mechanism) else None

    @property
    def may_succeed(self) -> bool:
        """Whether the server may say OK now: not after a cancellation, nor before the client has said all."""
        told = self._initial_response is None and (self.mechanism is None or self.mechanism.complete)
        return told and not self.cancelled

    def initial_argument(self) -> bytes | None:
        """The initial response as an argument of the command: ``b'AGFubgB4'``, ``b'='`` for an empty one (RFC 4959, 3).

        None where it is too long for a line: then it answers the first challenge.
        """
        if self._initial_response is None or len(self._initial_response) > _MAX_INITIAL_RESPONSE * 3 // 4:
            return None
        initial, self._initial_response = self._initial_response, None
        return self._encoded(initial) or b"="

    def respond(self, text: bytes) -> bytes:
        """The line that answers a continuation request: base64, or ``b'*'`` to cancel."""
        if self.cancelled:
            raise ProtocolAbortError("a challenge after the exchange was cancelled")
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
        if self._challenges > self.MAX_CHALLENGES or len(text) > self.MAX_CHALLENGE_SIZE:
            raise ProtocolError("more challenges, or a longer one, than any mechanism has")
        try:
            challenge = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            context = None if any(said and said in text for said in self.said) else text[:80]
            raise ProtocolError("a challenge that is not base64", context=context) from None
        if self._initial_response is not None:
            initial, self._initial_response = self._initial_response, None
            return initial
        response = self._respond(challenge)
        return None if response is None else checked_text(response, "a response")

    def _encoded(self, response: bytes) -> bytes:
        encoded = base64.b64encode(response)
        self.said += [response, encoded]
        if self._remember is not None and self._is_secret(response):
            said: tuple[bytes, ...] = (response, encoded)
            if len(response) > _MAX_SECRET:
                said = tuple(end for part in said for end in (part[:_END_OF_SECRET], part[-_END_OF_SECRET:]))
            self._remember(said)
        return encoded

    def _is_secret(self, response: bytes) -> bool:
        mechanism = self.mechanism
        if mechanism is not None and (not mechanism.secrets() or response == to_wire(mechanism.identity)):
            return False
        return len(response) >= _MIN_SECRET
