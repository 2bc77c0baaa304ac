"""Settings of an account in an INI file, and a connected client made from them.

The section ``[DEFAULT]`` is the account; each other section is an alternative one, which takes over
from ``[DEFAULT]`` what it doesn't set itself. The options are those of `Settings`.
livetest.ini.example at the top of the source tree shows them all. A ``%`` is written ``%%``.
"""

from __future__ import annotations

import argparse
import configparser
import math
import os
import ssl
from typing import Any

from .imapclient import IMAPClient

_SECRETS = frozenset({"password", "oauth2_client_secret", "oauth2_refresh_token"})


class ConfigError(configparser.Error, ValueError):
    """A setting is missing, can't be read, or contradicts another. Nothing was connected.

    ``filename``, ``section`` and ``option`` say where, and are None where that isn't known. The
    message names the value too, unless it is a secret.
    """

    def __init__(
        self,
        reason: str,
        *,
        filename: str | None = None,
        section: str | None = None,
        option: str | None = None,
    ) -> None:
        where = [
            *([filename] if filename is not None else []),
            *([f"[{section}]"] if section is not None else []),
            *([option] if option is not None else []),
        ]
        super().__init__(": ".join([" ".join(where), reason] if where else [reason]))
        self.filename = filename
        self.section = section
        self.option = option


class Settings(argparse.Namespace):
    """The settings of one account. Its repr has no password and no token.

    It is an `argparse.Namespace`, so that command line options can be stored into it. Text that the
    file doesn't set is ``""``.
    """

    host: str
    port: int | None
    """None means 143, or 993 with ssl."""
    ssl: bool
    """TLS from the start. True unless the file says otherwise."""
    starttls: bool
    """Begin in the clear and change to TLS by STARTTLS; needs ``ssl = no``."""
    ssl_check_hostname: bool
    ssl_verify_cert: bool
    """False also turns ssl_check_hostname off."""
    ssl_ca_file: str
    """PEM file with the authorities to trust instead of the system's."""
    timeout: float | None
    """Seconds, for connecting and for each read; None waits for ever."""
    stream: bool
    """``host`` is a command whose standard input and output speak IMAP; needs ``ssl = no``."""
    username: str
    password: str
    oauth2: bool
    oauth2_client_id: str
    oauth2_client_secret: str
    oauth2_refresh_token: str
    expect_failure: str
    """For the live tests: connecting with this section must fail with this text in the error."""
    alternates: dict[str, Settings]
    """The other sections by name; empty in these themselves."""

    def __repr__(self) -> str:
        shown = (
            f"{name}={'<hidden>' if name in _SECRETS and value else repr(value)}" for name, value in vars(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def get_config_defaults() -> dict[str, Any]:
    """Return the settings that have a default, by name.

    User name, password and the texts of OAuth2 come from the environment: ``imapclient_username``,
    ``imapclient_password``, ``imapclient_oauth2_client_id``, ``imapclient_oauth2_client_secret``,
    ``imapclient_oauth2_refresh_token``. They are None where it doesn't have them. ``host`` has no
    default.
    """
    return {
        "username": _from_environment("username"),
        "password": _from_environment("password"),
        "ssl": True,
        "ssl_check_hostname": True,
        "ssl_verify_cert": True,
        "ssl_ca_file": None,
        "timeout": None,
        "starttls": False,
        "stream": False,
        "oauth2": False,
        "oauth2_client_id": _from_environment("oauth2_client_id"),
        "oauth2_client_secret": _from_environment("oauth2_client_secret"),
        "oauth2_refresh_token": _from_environment("oauth2_refresh_token"),
        "expect_failure": None,
    }


def _from_environment(option: str) -> str | None:
    # IMAPClient's names, in small letters.
    return os.environ.get(f"imapclient_{option}")


def parse_config_file(filename: str | os.PathLike[str]) -> Settings:
    """Return the settings of ``[DEFAULT]``, with those of the other sections in ``alternates``.

    ``parse_config_file("my.ini").alternates["work"].host`` is ``"imap.example.org"``, say. Options
    that are not known are left alone. Raises OSError where the file can't be opened, and
    `ConfigError`, which is a ValueError and a configparser.Error, for what can't be understood in
    it.
    """
    name = os.fspath(filename)
    parser = configparser.ConfigParser()
    with open(name, encoding="utf-8-sig") as file:
        # The errors that are replaced quote the file's text, which may be a password.
        try:
            parser.read_file(file)
        except UnicodeDecodeError as error:
            raise ConfigError(f"not UTF-8: {error.reason}", filename=name) from None
        except configparser.MissingSectionHeaderError as error:
            reason = f"line {error.lineno}: stands before the first section, such as [DEFAULT]"
            raise ConfigError(reason, filename=name) from None
        except configparser.ParsingError as error:
            lines = ", ".join(str(number) for number, _ in error.errors)
            raise ConfigError(f"line {lines}: not `option = value`", filename=name) from None
        except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
            reason = f"line {error.lineno}: there twice"
            option = getattr(error, "option", None)
            raise ConfigError(reason, filename=name, section=error.section, option=option) from None
    if "expect_failure" in parser.defaults():
        raise ConfigError(
            "only another section may have it",
            filename=name,
            section=parser.default_section,
            option="expect_failure",
        )
    settings = _Section(parser, name, parser.default_section).read()
    settings.alternates = {section: _Section(parser, name, section).read() for section in parser.sections()}
    return settings


class _Section:
    """Reads the options of one section; `ConfigError` for a value that can't be read."""

    def __init__(self, parser: configparser.ConfigParser, filename: str, section: str) -> None:
        self._parser = parser
        self._filename = filename
        self._section = section
        self._defaults = get_config_defaults()

    def read(self) -> Settings:
        settings = Settings(
            host=self.text("host"),
            port=self.port("port"),
            ssl=self.boolean("ssl"),
            starttls=self.boolean("starttls"),
            ssl_check_hostname=self.boolean("ssl_check_hostname"),
            ssl_verify_cert=self.boolean("ssl_verify_cert"),
            ssl_ca_file=os.path.expanduser(self.text("ssl_ca_file")),
            timeout=self.seconds("timeout"),
            stream=self.boolean("stream"),
            username=self.text("username"),
            password=self.text("password"),
            oauth2=self.boolean("oauth2"),
            oauth2_client_id=self.text("oauth2_client_id"),
            oauth2_client_secret=self.text("oauth2_client_secret"),
            oauth2_refresh_token=self.text("oauth2_refresh_token"),
            expect_failure=self.text("expect_failure"),
            alternates={},
        )
        if not settings.host:
            raise self._error("host", "missing: every account needs one")
        for option in ("starttls", "stream"):
            if settings.ssl and getattr(settings, option):
                raise self._error(option, "needs ssl = no, and ssl is on unless it is set")
        return settings

    def text(self, option: str) -> str:
        try:
            value = self._parser.get(self._section, option)
        except configparser.NoOptionError:
            return self._defaults.get(option) or ""
        except configparser.InterpolationError:
            raise self._error(option, "a % that means itself is written %%") from None
        return value

    def boolean(self, option: str) -> bool:
        if not self._parser.has_option(self._section, option):
            return bool(self._defaults[option])
        text = self.text(option)
        value = self._parser.BOOLEAN_STATES.get(text.lower())
        if value is None:
            raise self._error(option, f"yes or no, not {text!r}")
        return value

    def port(self, option: str) -> int | None:
        text = self.text(option)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
            raise self._error(option, f"a number from 1 to 65535, not {text!r}")
        return int(text)

    def seconds(self, option: str) -> float | None:
        text = self.text(option)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise self._error(option, f"a number of seconds above 0, not {text!r}")
        return value

    def _error(self, option: str, reason: str) -> ConfigError:
        return ConfigError(reason, filename=self._filename, section=self._section, option=option)


def create_client_from_config(conf: argparse.Namespace, login: bool = True) -> IMAPClient:
    """Return a client that is connected as `conf` says, and logged in unless `login` is False.

    `conf` is what `parse_config_file` returns, one of its ``alternates``, or an
    `argparse.Namespace` with the same attributes. Raises `ConfigError` before anything is connected
    where the user name or the password is missing, ``oauth2`` is on or ssl_ca_file can't be loaded,
    and otherwise what connecting, STARTTLS and login raise. The connection is then closed.
    """
    if login:
        if conf.oauth2:
            raise ConfigError(
                "login by OAuth2 from a configuration is not supported yet: use login=False and "
                "then oauth2_login or oauthbearer_login of the client",
                option="oauth2",
            )
        for option in ("username", "password"):
            if not getattr(conf, option):
                raise ConfigError("missing: login needs it", option=option)
    context = _ssl_context(conf) if conf.ssl or conf.starttls else None
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
        if login:
            client.login(conf.username, conf.password)
    except BaseException:
        client.shutdown()
        raise
    return client


def _ssl_context(conf: argparse.Namespace) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=conf.ssl_ca_file or None)
    except OSError as error:
        # The error of the ssl module doesn't name the file.
        reason = f"can't load {conf.ssl_ca_file!r}: {error}"
        raise ConfigError(reason, option="ssl_ca_file") from error
    # In this order: a context can't check the host name of a certificate that it doesn't verify.
    if not (conf.ssl_check_hostname and conf.ssl_verify_cert):
        context.check_hostname = False
    if not conf.ssl_verify_cert:
        context.verify_mode = ssl.CERT_NONE
    return context
