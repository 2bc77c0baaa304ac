"""What went wrong in connecting, in one line for a person, with what to do about it."""

from __future__ import annotations

import argparse
import socket
import ssl

from .._accounts.oauth2 import OAuth2Error
from .._accounts.options import ConfigError
from .._wire.tls import NO_TLS
from ..exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    LoginError,
    NotOfferedError,
    PrivacyRequiredError,
    ProtocolAbortError,
    ServerWords,
)

# X509_V_ERR_... of OpenSSL.
_SELF_SIGNED = (18,)
_UNKNOWN_AUTHORITY = (2, 19, 20, 21)
_NOT_IN_TIME = (9, 10)
_OTHER_NAME = (62, 64)

_LENGTH = 400


def advice(error: BaseException, conf: argparse.Namespace) -> str:
    """A line such as ``'imap.example.org does not take connections on port 143: ...'``. It has no secret."""
    return one_line(_advice(error, conf))


def one_line(text: str) -> str:
    """The text without line ends and other characters that no terminal should get from a server, and not too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LENGTH else line[: _LENGTH - 3] + "..."


def _advice(error: BaseException, conf: argparse.Namespace) -> str:
    has_file = getattr(conf, "filename", None) is not None
    tls, starttls = ("ssl = true", "starttls = true") if has_file else ("--ssl", "--starttls")
    plain = "ssl = false" if has_file else "--insecure"
    host = "the command" if conf.stream else f"{conf.host}"
    port = conf.port or (993 if conf.ssl else 143)
    if isinstance(error, (ConfigError, OAuth2Error)):
        return f"{error}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error, host, has_file)
    # A name that no domain can have fails in its encoding; other texts have another one.
    if isinstance(error, socket.gaierror) or (
        isinstance(error, UnicodeError) and getattr(error, "encoding", "idna") == "idna"
    ):
        return f"there is no host {host!r} to be found ({_text(error)}): check its name and your network"
    if isinstance(error, socket.timeout):
        within = f"within {conf.timeout:g} seconds" if conf.timeout else "in time"
        hint = "" if conf.ssl else f"; a port that wants TLS from the first byte needs {tls}"
        return f"{host} does not answer on port {port} {within}: check host and port{hint}"
    if isinstance(error, ConnectionRefusedError):
        return f"{host} takes no connections on port {port}: check the port (993 with {tls}, else 143)"
    if isinstance(error, (NotOfferedError, PrivacyRequiredError)) and not (conf.ssl or conf.starttls):
        return f"{host} takes no login before TLS: use {starttls}, or {tls}"
    if isinstance(error, LoginError):
        return f"{host} refuses to log in {conf.username}: {_words(error)}"
    if isinstance(error, CapabilityError) and conf.starttls:
        return f"{host} has no STARTTLS on port {port}: use {tls}"
    if isinstance(error, ssl.SSLError) and conf.ssl and getattr(error, "reason", None) in NO_TLS:
        hint = f"use {starttls}, or {plain} where nobody can listen"
        return f"{host} does not speak TLS on port {port} ({_text(error)}): {hint}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {host} on port {port}: {_text(error)}"
    if isinstance(error, IMAPClientAbortError):
        hint = "" if conf.ssl or conf.stream else f"; a port that wants TLS from the first byte needs {tls}"
        if isinstance(error, ProtocolAbortError):
            return f"{host} does not speak IMAP on port {port} ({error}): check the port{hint}"
        return f"{host} ended the connection: {_words(error)}{hint}"
    if isinstance(error, OSError):
        return f"no connection to {host}, port {port}: {_text(error)}"
    return f"no connection to {host}: {type(error).__name__}: {error}"


def _certificate(error: ssl.SSLCertVerificationError, host: str, has_file: bool) -> str:
    authority = "ssl_ca_file" if has_file else "--ca-file"
    if error.verify_code in _SELF_SIGNED:
        hint = f"it is self-signed; if it is the right one, name its PEM file by {authority}"
    elif error.verify_code in _UNKNOWN_AUTHORITY:
        hint = f"nobody here knows who signed it; name the authority's PEM file by {authority}"
    elif error.verify_code in _NOT_IN_TIME:
        hint = "the server needs another one, or this machine's clock is wrong"
    elif error.verify_code in _OTHER_NAME:
        hint = "connect to the name that the certificate is for"
    else:
        hint = "the server needs another one"
    return f"the certificate of {host} is not trusted ({error.verify_message}): {hint}"


def _text(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or f"{error}" or type(error).__name__


def _words(error: BaseException) -> str:
    """The server's words, where it has said any."""
    return (error.text if isinstance(error, ServerWords) else "") or f"{error}" or type(error).__name__
