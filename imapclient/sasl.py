"""SASL mechanisms (RFC 4422): the responses of a client in an AUTHENTICATE exchange. No I/O.

Pass a `Mechanism` to `~imapclient.IMAPClient.authenticate`. It is called with each challenge and returns the response.
Both are bytes without base64. A mechanism serves one exchange at a time, and can be used again afterwards.

Text is sent as UTF-8. The constructor raises ValueError if the mechanism can't send a character: NUL, or a control
character in a field of OAuth. Neither the error text nor the repr of a mechanism contains a secret.
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
