"""One line about a failed connection, for the user: what is wrong, and what to do."""

from __future__ import annotations

import argparse
import socket
import ssl
from typing import Callable, NamedTuple

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

# Codes of OpenSSL (X509_V_ERR_...).
_SELF_SIGNED = (18,)
_UNKNOWN_AUTHORITY = (2, 19, 20, 21)
_NOT_IN_TIME = (9, 10)
_OTHER_NAME = (62, 64)

_MAX_LENGTH = 400


def advice(error: BaseException, conf: argparse.Namespace) -> str:
    """A line such as ``'imap.example.org refuses connections on port 143: ...'``. It contains no secret."""
    attempt = _Attempt(error, conf)
    return one_line(next(line for line in (case(attempt) for case in _CASES) if line is not None))


def one_line(text: str) -> str:
    """The text in one line of at most 400 characters, without characters that could control a terminal."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 3] + "..."


class _Attempt(NamedTuple):
    """An error and the settings of the failed connection. Also the names of the options, as the user writes them."""

    error: BaseException
    conf: argparse.Namespace

    @property
    def host(self) -> str:
        return "the command" if self.conf.stream else f"{self.conf.host}"

    @property
    def port(self) -> int:
        port: int | None = self.conf.port
        return port or (993 if self.conf.ssl else 143)

    def option(self, in_file: str, on_command_line: str) -> str:
        """The name of an option: in the file if the settings come from a file, otherwise on the command line."""
        return on_command_line if getattr(self.conf, "filename", None) is None else in_file

    @property
    def tls(self) -> str:
        return self.option("ssl = true", "--ssl")

    @property
    def starttls(self) -> str:
        return self.option("starttls = true", "--starttls")

    @property
    def insecure(self) -> str:
        return self.option("ssl = false", "--insecure")

    @property
    def tls_hint(self) -> str:
        """What to try if the port may expect TLS from the start. Empty if TLS is used, or if there is no port."""
        return "" if self.conf.ssl or self.conf.stream else f"; if the port expects TLS from the start, use {self.tls}"

    @property
    def text(self) -> str:
        error = self.error
        return (error.strerror if isinstance(error, OSError) else "") or f"{error}" or type(error).__name__

    @property
    def server_text(self) -> str:
        """The server's own words, if it sent any."""
        error = self.error
        return (error.text if isinstance(error, ServerWords) else "") or f"{error}" or type(error).__name__


# -- the cases. Each returns None if the error is another case.


def _bad_setting(attempt: _Attempt) -> str | None:
    return f"{attempt.error}" if isinstance(attempt.error, (ConfigError, OAuth2Error)) else None


def _certificate(attempt: _Attempt) -> str | None:
    error = attempt.error
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    authority = attempt.option("ssl_ca_file", "--ca-file")
    hints = {
        _SELF_SIGNED: f"it is self-signed; if you trust it, set {authority} to its PEM file",
        _UNKNOWN_AUTHORITY: f"its authority is unknown here; set {authority} to the authority's PEM file",
        _NOT_IN_TIME: "the server needs a new one, or the clock of this machine is wrong",
        _OTHER_NAME: "connect to a host name that the certificate contains",
    }
    hint = next((hints[codes] for codes in hints if error.verify_code in codes), "the server needs a new one")
    return f"the certificate of {attempt.host} is not trusted ({error.verify_message}): {hint}"


def _no_such_host(attempt: _Attempt) -> str | None:
    error = attempt.error
    # Python encodes a host name as IDNA. This fails if the name is not valid.
    is_bad_name = isinstance(error, UnicodeError) and getattr(error, "encoding", "idna") == "idna"
    if isinstance(error, socket.gaierror) or is_bad_name:
        return f"the host {attempt.host!r} was not found ({attempt.text}): check its name and your network"
    return None


def _timeout(attempt: _Attempt) -> str | None:
    if not isinstance(attempt.error, socket.timeout):
        return None
    limit = attempt.conf.timeout
    within = f"within {limit:g} seconds" if limit else "in time"
    return f"{attempt.host} does not answer on port {attempt.port} {within}: check host and port{attempt.tls_hint}"


def _refused_connection(attempt: _Attempt) -> str | None:
    if not isinstance(attempt.error, ConnectionRefusedError):
        return None
    hint = f"check the port (993 with {attempt.tls}, otherwise 143)"
    return f"{attempt.host} refuses connections on port {attempt.port}: {hint}"


def _refused_login(attempt: _Attempt) -> str | None:
    error, conf = attempt.error, attempt.conf
    if isinstance(error, (NotOfferedError, PrivacyRequiredError)) and not (conf.ssl or conf.starttls):
        return f"{attempt.host} allows no login before TLS: use {attempt.starttls} or {attempt.tls}"
    if isinstance(error, LoginError):
        return f"{attempt.host} refuses to log in {conf.username}: {attempt.server_text}"
    return None


def _no_starttls(attempt: _Attempt) -> str | None:
    if isinstance(attempt.error, CapabilityError) and attempt.conf.starttls:
        return f"{attempt.host} does not support STARTTLS on port {attempt.port}: use {attempt.tls}"
    return None


def _no_tls(attempt: _Attempt) -> str | None:
    error = attempt.error
    if not isinstance(error, ssl.SSLError):
        return None
    if attempt.conf.ssl and getattr(error, "reason", None) in NO_TLS:
        hint = f"use {attempt.starttls}, or {attempt.insecure} on a network that you trust"
        return f"{attempt.host} does not speak TLS on port {attempt.port} ({attempt.text}): {hint}"
    return f"TLS with {attempt.host} on port {attempt.port} failed: {attempt.text}"


def _ended_connection(attempt: _Attempt) -> str | None:
    error, host, hint = attempt.error, attempt.host, attempt.tls_hint
    if isinstance(error, ProtocolAbortError):
        return f"{host} does not speak IMAP on port {attempt.port} ({error}): check the port{hint}"
    if isinstance(error, IMAPClientAbortError):
        return f"{host} closed the connection: {attempt.server_text}{hint}"
    return None


def _no_connection(attempt: _Attempt) -> str:
    if isinstance(attempt.error, OSError):
        return f"no connection to {attempt.host}, port {attempt.port}: {attempt.text}"
    return f"no connection to {attempt.host}: {type(attempt.error).__name__}: {attempt.error}"


# The first case that returns a line is used. The order matters, because some errors are of several classes.
_CASES: tuple[Callable[[_Attempt], str | None], ...] = (
    _bad_setting,
    _certificate,
    _no_such_host,
    _timeout,
    _refused_connection,
    _refused_login,
    _no_starttls,
    _no_tls,
    _ended_connection,
    _no_connection,
)
