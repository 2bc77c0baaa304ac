"""SASL mechanisms (RFC 4422): what a client says in an AUTHENTICATE exchange. No I/O.

A `Mechanism` is called with each challenge and returns the response to it, both as bytes without their base64. Give one
to `~imapclient.IMAPClient.authenticate`. It serves one exchange at a time, and may be used again after that.

Text is sent as UTF-8. What a mechanism can't carry (NUL; control characters in OAuth's fields) raises ValueError as the
mechanism is made, and the message never has the value in it. Secrets are not in a mechanism's repr() either.
"""

from __future__ import annotations

from ._auth.mechanisms import (
    Anonymous,
    CramMD5,
    Dialogue,
    External,
    Failure,
    Login,
    Mechanism,
    OAuthBearer,
    Plain,
    ScramSHA1,
    ScramSHA256,
    XOAuth2,
)

# `typing.get_type_hints` looks here for the names in the annotations of these classes.
from .util import Text  # noqa: F401

__all__ = [
    "Anonymous",
    "CramMD5",
    "Dialogue",
    "External",
    "Failure",
    "Login",
    "Mechanism",
    "OAuthBearer",
    "Plain",
    "ScramSHA1",
    "ScramSHA256",
    "XOAuth2",
]
