"""The options of a configuration file, as one table. The parser, the documentation and the tests read it."""

from __future__ import annotations

import configparser
import math
import os
import ssl
import urllib.parse
from collections.abc import Callable
from typing import Any, NamedTuple

from .._connection.redaction import REDACTED


class ConfigError(configparser.Error, ValueError):
    """A setting is missing, is not valid, or contradicts another.

    ``filename``, ``section`` and ``option`` name the setting: ``'my.ini'``, ``'work'``, ``'port'``. They are None if
    unknown. ``reason`` is the message without them: ``"must be a number from 1 to 65535, not 'abc'"``. It does not
    contain a value that is a secret. `create_client_from_config` leaves no connection open after it.
    """

    def __init__(
        self,
        reason: str,
        *,
        filename: str | None = None,
        section: str | None = None,
        option: str | None = None,
    ) -> None:
        super().__init__(located(reason, filename, section, option))
        self.reason = reason
        self.filename = filename
        self.section = section
        self.option = option


ConfigError.__module__ = "imapclient.config"


class ConfigWarning(UserWarning):
    """A configuration file contains an unknown option, or a secret that other users can read."""


ConfigWarning.__module__ = "imapclient.config"


def located(reason: str, filename: str | None, section: str | None = None, option: str | None = None) -> str:
    """The reason with its place: ``located("missing", "my.ini", "work", "host") == "my.ini [work] host: missing"``."""
    where = [
        *([filename] if filename is not None else []),
        *([f"[{section}]"] if section is not None else []),
        *([option] if option is not None else []),
    ]
    return ": ".join([" ".join(where), reason] if where else [reason])


# -- types: each parses the text of a value, or raises ValueError. Its arguments are what is allowed, and perhaps a
# detail.


def _boolean(text: str) -> bool:
    value = configparser.RawConfigParser.BOOLEAN_STATES.get(text.lower())
    if value is None:
        raise ValueError("1, yes, true, on or 0, no, false, off")
    return value


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError("a number from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("a number of seconds above 0")
    return value


def _authorities(text: str) -> str:
    path = os.path.expanduser(text)
    if path:
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            # An error of ssl does not name the file. If the file is not PEM, users can't understand the error.
            detail = "it contains none" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError("a PEM file with certificates", detail) from None
    return path


def https_url(text: str) -> str:
    """Return the address if it is https. Otherwise raises ValueError.

    The second argument of the error is the address without a name and password.
    """
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        parts = urllib.parse.urlsplit("")
    if text and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("an address that begins with https://", _without_credentials(text))
    if "@" in parts.netloc:
        raise ValueError("an address without a name and password", _without_credentials(text))
    return text


def _without_credentials(address: str) -> str:
    start, at, end = address.rpartition("@")
    if not at:
        return address
    scheme, slashes, _ = start.partition("//")
    return f"{scheme}{slashes}{REDACTED}@{end}" if slashes else f"{REDACTED}@{end}"


class OptionType(NamedTuple):
    """A type of options: its name in the manual, and the function that parses a value."""

    shown: str
    read: Callable[[str], Any]


STRING = OptionType("string", str)
BOOL = OptionType("bool", _boolean)
PORT = OptionType("int", _port)
SECONDS = OptionType("number", _seconds)
PEM_FILE = OptionType("string", _authorities)
HTTPS_URL = OptionType("string", https_url)


# -- the table


class Option(NamedTuple):
    """One option. ``meaning`` is text for the manual, in reStructuredText."""

    name: str
    type: OptionType
    default: bool | None
    """What `get_config_defaults` returns. Texts and numbers have no default."""
    meaning: str
    is_secret: bool = False
    is_in_environment: bool = False
    """Whether the value comes from the environment variable ``imapclient_NAME`` if the file does not set it."""


OPTIONS = (
    Option("host", STRING, None, "IMAP host name. Every account needs one."),
    Option("username", STRING, None, "User to log in as.", is_in_environment=True),
    Option("password", STRING, None, "Password for ``username``.", is_secret=True, is_in_environment=True),
    Option(
        "password_command",
        STRING,
        None,
        "Shell command that prints the password in its first line, instead of ``password``: "
        "``pass show mail/ann``, ``secret-tool lookup imap ann``.",
    ),
    Option(
        "keyring",
        STRING,
        None,
        "Service whose password to read from the keyring of the system, instead of ``password``. It needs the package "
        "``keyring``. The command ``keyring set SERVICE USERNAME`` stores the password.",
    ),
    Option("port", PORT, None, "Port. The default is 993 if ``ssl`` is true, otherwise 143. Not with ``stream``."),
    Option(
        "ssl",
        BOOL,
        True,
        "TLS from the start. The default is false if ``starttls`` or ``stream`` is true. True beside one of them is an "
        "error.",
    ),
    Option("starttls", BOOL, False, "Start without TLS, and switch to TLS with STARTTLS before the login."),
    Option("ssl_check_hostname", BOOL, True, "Check that the server's certificate matches the host name."),
    Option(
        "ssl_verify_cert",
        BOOL,
        True,
        "Check that the certificate is valid. False also skips the host name.",
    ),
    Option(
        "ssl_ca_file",
        PEM_FILE,
        None,
        "PEM file with the certificate authorities to trust, instead of those of the system.",
    ),
    Option("timeout", SECONDS, None, "Seconds to wait for the server; a fraction is allowed. Unlimited by default."),
    Option(
        "stream",
        BOOL,
        False,
        "``host`` is a shell command. Its standard input and output are the connection. "
        "There is no login if it greets with PREAUTH.",
    ),
    Option(
        "oauth2",
        BOOL,
        False,
        "Log in with OAuth 2. ``username`` is the mailbox; ``password`` is ignored.",
    ),
    Option("oauth2_client_id", STRING, None, "Client id, from the provider.", is_in_environment=True),
    Option(
        "oauth2_client_secret",
        STRING,
        None,
        "Client secret, from the provider. Some providers do not issue one.",
        is_secret=True,
        is_in_environment=True,
    ),
    Option(
        "oauth2_refresh_token",
        STRING,
        None,
        "Refresh token, which is exchanged for access tokens.",
        is_secret=True,
        is_in_environment=True,
    ),
    Option(
        "oauth2_token_url",
        HTTPS_URL,
        None,
        "Address that issues access tokens. It is known for the hosts in `imapclient.config.OAUTH2_REFRESH_URLS`.",
    ),
    Option("oauth2_scope", STRING, None, "Scope to request, if the provider needs one."),
    Option(
        "expect_failure",
        STRING,
        None,
        "For the live tests, in an alternate section: connecting must fail with an error that contains this text.",
    ),
)

BY_NAME = {option.name: option for option in OPTIONS}


def read_value(name: str, text: str) -> Any:
    """Parse the text of an option. Raises ValueError such as ``"must be a number from 1 to 65535, not 'abc'"``."""
    try:
        return BY_NAME[name].type.read(text)
    except ValueError as error:
        allowed, *detail = error.args
        if BY_NAME[name].type is HTTPS_URL:
            text, *detail = detail
        raise ValueError(": ".join([f"must be {allowed}, not {text!r}", *detail])) from None


PASSWORD_SOURCES = ("password", "password_command", "keyring")
"""The options for a password. A section sets at most one of them."""
