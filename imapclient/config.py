"""Settings of an account in an INI file, and a connected client made from them.

The section ``[DEFAULT]`` is the account. Each other section is an alternative account. Options that it does not set are
those of ``[DEFAULT]``. `imapclient._accounts.options` lists the options, and livetest.ini.example in the source tree
explains them. There is no interpolation: ``%`` and ``%%`` both stand for one ``%``.
"""

from __future__ import annotations

import argparse
import configparser
import difflib
import os
import ssl
import stat
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from ._accounts.oauth2 import OAUTH2_REFRESH_URLS, OAuth2Error, get_oauth2_token, known_or_new, refresh_oauth2_token
from ._accounts.options import BY_NAME, OPTIONS, PASSWORD_SOURCES, ConfigError, ConfigWarning, located, read_value
from ._accounts.passwords import password_from_command, password_from_keyring
from ._wire.tls import create_default_context
from .exceptions import LoginError, NotOfferedError
from .imapclient import IMAPClient

__all__ = [
    "OAUTH2_REFRESH_URLS",
    "ConfigError",
    "ConfigWarning",
    "OAuth2Error",
    "Settings",
    "create_client_from_config",
    "get_config_defaults",
    "get_oauth2_token",
    "parse_config_file",
    "refresh_oauth2_token",
]

_DEFAULT = "DEFAULT"


class Settings(argparse.Namespace):
    """The settings of one account. Its repr shows no password and no token.

    It is an `argparse.Namespace`, so command line options can be stored in it. If the file does not set an option and
    there is no default, a text is ``""``, and a number is None.
    """

    host: str
    username: str
    password: str
    password_command: str
    keyring: str
    port: int | None
    ssl: bool
    starttls: bool
    ssl_check_hostname: bool
    ssl_verify_cert: bool
    ssl_ca_file: str
    timeout: float | None
    stream: bool
    oauth2: bool
    oauth2_client_id: str
    oauth2_client_secret: str
    oauth2_refresh_token: str
    oauth2_token_url: str
    oauth2_scope: str
    expect_failure: str
    alternates: dict[str, Settings]
    """The settings of the other sections, by name. Empty in the settings of such a section."""
    filename: str | None = None
    """The name of the file, for error texts."""
    section: str | None = None
    """The name of the section, for error texts."""

    def __repr__(self) -> str:
        shown = (
            f"{name}={'<hidden>' if name in BY_NAME and BY_NAME[name].is_secret and value else repr(value)}"
            for name, value in vars(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def get_config_defaults() -> dict[str, Any]:
    """Return the settings that have a default, by name: ``{'ssl': True, 'timeout': None, ...}``.

    Some come from environment variables: ``imapclient_username``, ``imapclient_password``,
    ``imapclient_oauth2_client_id``, ``imapclient_oauth2_client_secret``, ``imapclient_oauth2_refresh_token``. They are
    None if the variable is not set. ``host`` and ``port`` have no default.
    """
    return {
        option.name: os.environ.get(f"imapclient_{option.name}") if option.is_in_environment else option.default
        for option in OPTIONS
        if option.name not in ("host", "port")
    }


# -- reading a file


def parse_config_file(filename: str | os.PathLike[str]) -> Settings:
    """Return the settings of ``[DEFAULT]``. Its ``alternates`` are the settings of the other sections.

    For example, ``parse_config_file("my.ini").alternates["work"].host`` is ``"imap.example.org"``.

    Raises OSError if the file can't be opened. Raises `ConfigError`, which is a ValueError and a configparser.Error,
    if the file is not valid. Warns with `ConfigWarning` if an option is unknown, and ignores it. Also warns if the file
    contains a secret and other users can read it.
    """
    name = os.fspath(filename)
    # configparser must not merge [DEFAULT] into the other sections: this code must know which section sets an option.
    parser = configparser.RawConfigParser(default_section="\0")
    with open(name, encoding="utf-8-sig") as file:
        _read(parser, file, name)
        mode = os.fstat(file.fileno()).st_mode if os.name == "posix" else 0
    default = dict(parser[_DEFAULT]) if parser.has_section(_DEFAULT) else {}
    if "expect_failure" in default:
        raise ConfigError("allowed in other sections only", filename=name, section=_DEFAULT, option="expect_failure")
    settings = _Section(name, _DEFAULT, default, default).read()
    for section in parser.sections():
        own = dict(parser[section])
        if section != _DEFAULT:
            settings.alternates[section] = _Section(name, section, own, default).read()
        for option in own:
            if option not in BY_NAME:
                (nearest,) = difflib.get_close_matches(option, BY_NAME, n=1, cutoff=0.0)
                _warn(f"unknown option, ignored; did you mean {nearest}?", name, section, option)
    secrets = [(section, option) for section in parser.sections() for option in _secrets_in(parser[section])]
    if secrets and mode & (stat.S_IRGRP | stat.S_IROTH):
        reason = (
            f"other users can read this secret, the mode of the file is {stat.S_IMODE(mode):04o}: run chmod 600 {name}"
        )
        _warn(reason, name, *secrets[0])
    return settings


def _read(parser: configparser.RawConfigParser, file: TextIO, name: str) -> None:
    # The errors of configparser contain text of the file, which may be a password.
    try:
        parser.read_file(file)
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8: {error.reason}", filename=name) from None
    except configparser.MissingSectionHeaderError as error:
        reason = f"line {error.lineno}: must come after the first section, such as [DEFAULT]"
        raise ConfigError(reason, filename=name) from None
    except configparser.ParsingError as error:
        lines = ", ".join(str(number) for number, _ in error.errors)
        raise ConfigError(f"line {lines}: must be `option = value`", filename=name) from None
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        reason = f"line {error.lineno}: duplicate: remove one of the two"
        option = getattr(error, "option", None)
        raise ConfigError(reason, filename=name, section=error.section, option=option) from None


def _secrets_in(written: Mapping[str, str]) -> list[str]:
    return [option.name for option in OPTIONS if option.is_secret and written.get(option.name)]


def _warn(reason: str, filename: str, section: str, option: str) -> None:
    # With this stacklevel the warning names the line that calls `parse_config_file`.
    warnings.warn(ConfigWarning(located(reason, filename, section, option)), stacklevel=3)


class _Section:
    """Parses the options of one section. Raises `ConfigError` if a value is not valid."""

    def __init__(self, filename: str, section: str, own: Mapping[str, str], inherited: Mapping[str, str]) -> None:
        self._filename = filename
        self._section = section
        self._own = own
        self._written = {**inherited, **own}
        sources = [name for name in PASSWORD_SOURCES if own.get(name)]
        if len(sources) > 1:
            raise self._error(sources[1], f"can't be combined with {sources[0]}: set only one of them")
        if sources:
            # The section's own source of the password replaces the one in [DEFAULT].
            self._written.update((name, "") for name in PASSWORD_SOURCES if name != sources[0])

    def read(self) -> Settings:
        defaults = get_config_defaults()
        if any(self._written.get(name) for name in PASSWORD_SOURCES):
            defaults["password"] = None
        settings = Settings(filename=self._filename, section=self._section, alternates={})
        for option in OPTIONS:
            name = option.name
            value = self._value(name) if name in self._written else defaults.get(name)
            setattr(settings, name, option.type.read("") if value is None else value)
        self._check(settings)
        return settings

    def _value(self, name: str) -> Any:
        text = self._written[name]
        if "\n" in text:
            raise self._error(name, "continues on an indented line: an option must start at the beginning of its line")
        try:
            return read_value(name, text.replace("%%", "%"))
        except ValueError as error:
            raise self._error(name, f"{error}") from None

    def _check(self, settings: Settings) -> None:
        if not settings.host:
            raise self._error("host", "missing: every account needs one")
        for name in ("starttls", "stream"):
            if getattr(settings, name) and "ssl" not in self._written:
                settings.ssl = False
            elif getattr(settings, name) and settings.ssl:
                raise self._error(name, "can't be true if ssl is true: set one of them to false")
        if settings.stream and settings.starttls:
            raise self._error("starttls", "can't be true if stream is true: set one of them to false")
        if settings.stream and settings.port is not None:
            if "port" in self._own and "stream" in self._own:
                raise self._error("port", f"must not be set if stream is true, not {settings.port}")
            settings.port = None

    def _error(self, option: str, reason: str) -> ConfigError:
        return ConfigError(reason, filename=self._filename, section=self._section, option=option)


# -- connecting


def create_client_from_config(conf: argparse.Namespace, login: bool = True) -> IMAPClient:
    """Return a client that is connected with the settings ``conf``. It is logged in unless ``login`` is False.

    ``conf`` is the result of `parse_config_file`, one of its ``alternates``, or an `argparse.Namespace` with the same
    attributes. Attributes that IMAPClient 4.1 does not know may be missing. If the server greets with PREAUTH, there is
    no login; a command for ``stream`` may do so. With ``oauth2`` the login uses OAUTHBEARER (RFC 7628) if the server
    offers it, otherwise XOAUTH2.

    Raises `ConfigError` if the user name or the password is missing, or if ssl_ca_file can't be loaded. Raises
    `OAuth2Error` if the provider sends no access token. With ``stream`` both may be raised after it has connected. So
    may OAuth2Error if the server refuses an earlier token and a new one is requested. Connecting, STARTTLS and the
    login raise their own exceptions. After any exception the connection is closed.
    """
    context = _ssl_context(conf) if conf.ssl or conf.starttls else None
    # With stream, the command may greet with PREAUTH. Then no password is needed. So it is not requested before that.
    log_in = _login(conf) if login and not conf.stream else None
    client = IMAPClient(
        conf.host,
        port=conf.port,
        ssl=conf.ssl,
        stream=conf.stream,
        ssl_context=context,
        timeout=conf.timeout,
    )
    try:
        if conf.starttls:
            client.starttls(context)
        if login and not client.welcome.upper().startswith(b"* PREAUTH"):
            (log_in or _login(conf))(client)
    except BaseException:
        client.shutdown()
        raise
    return client


def _login(conf: argparse.Namespace) -> Callable[[IMAPClient], None]:
    """Get the password or the token, and return a function that logs a client in. Raises `ConfigError`."""
    _need(conf, "username")
    if conf.oauth2:
        return _oauth2_login(conf)
    password = _password(conf)

    def log_in(client: IMAPClient) -> None:
        client.login(conf.username, password)

    return log_in


def _need(conf: argparse.Namespace, option: str) -> None:
    if not getattr(conf, option, None):
        raise _error_in(conf, option, "missing: login needs it")


def _error_in(conf: argparse.Namespace, option: str, reason: str) -> ConfigError:
    filename, section = getattr(conf, "filename", None), getattr(conf, "section", None)
    return ConfigError(reason, filename=filename, section=section, option=option)


def _password(conf: argparse.Namespace) -> str:
    command, service = getattr(conf, "password_command", None), getattr(conf, "keyring", None)
    option = "keyring" if service else "password_command"
    try:
        if not conf.password and service:
            return password_from_keyring(service, conf.username)
        if not conf.password and command:
            return password_from_command(command)
    except ValueError as error:
        raise _error_in(conf, option, f"{error}") from None
    _need(conf, "password")
    return str(conf.password)


def _oauth2_login(conf: argparse.Namespace) -> Callable[[IMAPClient], None]:
    for option in ("oauth2_client_id", "oauth2_refresh_token"):
        _need(conf, option)
    account = (conf.host, conf.oauth2_client_id, conf.oauth2_client_secret or "", conf.oauth2_refresh_token)
    url, scope = getattr(conf, "oauth2_token_url", None), getattr(conf, "oauth2_scope", None)
    timeout = conf.timeout or 30.0
    try:
        token, is_new = known_or_new(*account, url, scope, timeout)
    except ConfigError as error:
        raise _error_in(conf, "oauth2_token_url", error.reason) from None

    def log_in(client: IMAPClient) -> None:
        try:
            _send_token(client, conf.username, token)
        except NotOfferedError:
            raise
        except LoginError:
            # The provider may have revoked the token before it expired.
            if is_new:
                raise
            renewed = refresh_oauth2_token(*account, token_url=url, scope=scope, timeout=timeout)
            _send_token(client, conf.username, renewed)

    return log_in


def _send_token(client: IMAPClient, username: str, token: str) -> None:
    # OAUTHBEARER is the standard (RFC 7628). XOAUTH2 is older.
    if client.has_capability("AUTH=OAUTHBEARER"):
        client.oauthbearer_login(username, token)
    else:
        client.oauth2_login(username, token)


def _ssl_context(conf: argparse.Namespace) -> ssl.SSLContext:
    try:
        context = create_default_context(cafile=read_value("ssl_ca_file", conf.ssl_ca_file or "") or None)
    except ValueError as error:
        raise _error_in(conf, "ssl_ca_file", f"{error}") from None
    # The order matters: check_hostname must be off before the certificate need not be verified.
    if not (conf.ssl_check_hostname and conf.ssl_verify_cert):
        context.check_hostname = False
    if not conf.ssl_verify_cert:
        context.verify_mode = ssl.CERT_NONE
    return context
