"""The options of a configuration file as one table, which parsing, the documentation and the tests read."""

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
    """A setting is missing, can't be read, or contradicts another. Nothing is connected.

    ``filename``, ``section`` and ``option`` say where, and are None where that isn't known; ``reason``
    is the message without them. It names the value too, unless it is a secret.
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
    """A configuration file has an option that nobody knows, or a secret that others can read."""


ConfigWarning.__module__ = "imapclient.config"


def located(reason: str, filename: str | None, section: str | None = None, option: str | None = None) -> str:
    """``located("missing", "my.ini", "work", "host") == "my.ini [work] host: missing"``"""
    where = [
        *([filename] if filename is not None else []),
        *([f"[{section}]"] if section is not None else []),
        *([option] if option is not None else []),
    ]
    return ": ".join([" ".join(where), reason] if where else [reason])


# -- types: each reads the text of a value, or raises ValueError with what is allowed and, maybe, a detail


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
            # The errors of ssl name neither the file nor, for what isn't PEM, anything that a user would understand.
            detail = "it has none" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError("a PEM file with certificates", detail) from None
    return path


def https_url(text: str) -> str:
    """An address of https. ValueError, whose second argument is the address to show, for any other."""
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        parts = urllib.parse.urlsplit("")
    if text and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("an address that begins with https://", _without_credentials(text))
    if "@" in parts.netloc:
        raise ValueError("an address without a name and password in it", _without_credentials(text))
    return text


def _without_credentials(address: str) -> str:
    start, at, end = address.rpartition("@")
    if not at:
        return address
    scheme, slashes, _ = start.partition("//")
    return f"{scheme}{slashes}{REDACTED}@{end}" if slashes else f"{REDACTED}@{end}"


class OptionType(NamedTuple):
    """How a value is written, and what reads it."""

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
    """One option. ``meaning`` is for the manual, in reStructuredText."""

    name: str
    type: OptionType
    default: bool | None
    """What `get_config_defaults` says; texts and numbers have none."""
    meaning: str
    is_secret: bool = False
    is_in_environment: bool = False
    """The environment variable ``imapclient_NAME`` has the value where the file doesn't."""


OPTIONS = (
    Option("host", STRING, None, "IMAP host name. Every account needs one."),
    Option("username", STRING, None, "User to log in as.", is_in_environment=True),
    Option("password", STRING, None, "Password for ``username``.", is_secret=True, is_in_environment=True),
    Option(
        "password_command",
        STRING,
        None,
        "Command of the shell that prints the password, instead of ``password``. Its first line counts: "
        "``pass show mail/ann``, ``secret-tool lookup imap ann``.",
    ),
    Option(
        "keyring",
        STRING,
        None,
        "Take the password from the system's keyring by the package ``keyring``, instead of ``password``: the name of "
        "the service under which ``keyring set SERVICE USERNAME`` has stored it.",
    ),
    Option("port", PORT, None, "Port; 143, or 993 when ``ssl`` is true. Not with ``stream``."),
    Option(
        "ssl",
        BOOL,
        True,
        "TLS from the first byte. Without it being written, ``starttls`` and ``stream`` make it false; "
        "written as true beside one of these it is an error.",
    ),
    Option("starttls", BOOL, False, "Begin in plain text and change to TLS by STARTTLS before logging in."),
    Option("ssl_check_hostname", BOOL, True, "Check that the server's certificate matches the host name."),
    Option("ssl_verify_cert", BOOL, True, "Check that the certificate is valid. False also turns off the host name."),
    Option(
        "ssl_ca_file",
        PEM_FILE,
        None,
        "PEM file with the certificate authorities to validate with, instead of the system's.",
    ),
    Option("timeout", SECONDS, None, "Seconds for I/O operations, a fraction if you like. Unlimited if not given."),
    Option(
        "stream",
        BOOL,
        False,
        "``host`` is a command of the shell to run; its standard input and output are the connection. "
        "There is no login where it greets with PREAUTH.",
    ),
    Option(
        "oauth2",
        BOOL,
        False,
        "Log in with OAUTH2. ``username`` is the mailbox, and is sent; ``password`` is ignored.",
    ),
    Option("oauth2_client_id", STRING, None, "Client id, from the provider.", is_in_environment=True),
    Option(
        "oauth2_client_secret",
        STRING,
        None,
        "Client secret, from the provider. Some have none for programs.",
        is_secret=True,
        is_in_environment=True,
    ),
    Option(
        "oauth2_refresh_token",
        STRING,
        None,
        "Refresh token, with which access tokens are asked for.",
        is_secret=True,
        is_in_environment=True,
    ),
    Option(
        "oauth2_token_url",
        HTTPS_URL,
        None,
        "Where to ask for access tokens. Known for the hosts in `imapclient.config.OAUTH2_REFRESH_URLS`.",
    ),
    Option("oauth2_scope", STRING, None, "Scope to ask for, where the provider wants one."),
    Option(
        "expect_failure",
        STRING,
        None,
        "In an alternate section, for the live tests: the login has to fail with an error matching this.",
    ),
)

BY_NAME = {option.name: option for option in OPTIONS}


def read_value(name: str, text: str) -> Any:
    """The value of an option's text. ValueError says what is allowed: ``"a number from 1 to 65535, not 'abc'"``."""
    try:
        return BY_NAME[name].type.read(text)
    except ValueError as error:
        allowed, *detail = error.args
        if BY_NAME[name].type is HTTPS_URL:
            text, *detail = detail
        raise ValueError(": ".join([f"{allowed}, not {text!r}", *detail])) from None


PASSWORD_SOURCES = ("password", "password_command", "keyring")
"""The options of which one gives the password."""
