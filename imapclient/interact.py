"""An interactive shell with a connected client: ``python -m imapclient.interact``, or ``imapclient``.

What the options say is connected to, the user is asked for what they don't say, and a shell begins in which ``c`` is
the client. Leaving it logs out. What goes wrong before is told in one line, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from ._accounts.options import OPTIONS, PASSWORD_SOURCES, read_value
from ._connection.protocol_log import client_log, wire_log
from ._shell.advice import advice, one_line
from ._shell.shells import run_shell
from .config import ConfigError, Settings, create_client_from_config, get_config_defaults, parse_config_file
from .version import __version__

__all__ = ["command_line", "main"]

BANNER = 'IMAPClient instance is "c"'

# Whoever sits at a terminal wants to know sooner than the system's own patience ends.
_TIMEOUT_SECONDS = 60.0

_DESCRIPTION = """\
Connect to an IMAP server, log in, and begin a Python shell in which "c" is the connected IMAPClient.
"""
_EPILOG = """\
What is needed and not given is asked for. The shell is IPython or ptpython where one of them is installed, and else
Python's own. Leaving it logs out.
"""


def main() -> int:
    """Run the program with the options in ``sys.argv``. Returns its exit status: 0, or 1 without a connection."""
    conf = command_line()
    if conf.log:
        _show_protocol()
    try:
        return _run(conf)
    except KeyboardInterrupt:
        return _left()


def _run(conf: Settings) -> int:
    with contextlib.ExitStack() as stack:
        try:
            if conf.demo:
                _start_demo(stack, conf)
            print("Connecting...", flush=True)
            client = stack.enter_context(create_client_from_config(conf))
        except Exception as error:  # whatever it is, a person reads it
            print(f"imapclient: {advice(error, conf)}", file=sys.stderr)
            return 1
        print(f"Connected.\n\n{BANNER}", flush=True)
        return run_shell(client)


def command_line() -> Settings:
    """The options in ``sys.argv``, or the file that they name, with the answers of the user to what they don't say.

    Beside its own attributes the result has ``log`` and ``demo``. Raises SystemExit: with status 2 for options that
    can't be used, with 1 for a file that can't be, and where the user leaves at a question.
    """
    parser = _parser()
    options = parser.parse_args()
    alone = [name for name in ("file", "demo") if getattr(options, name)]
    others = sorted(name for name, value in vars(options).items() if value and name not in ("log", *alone[:1]))
    if alone and others:
        shown = {"file": "-f/--file", "demo": "--demo"}[alone[0]]
        parser.error(f"{shown} takes no other option than --log, and not --{others[0].replace('_', '-')}")
    if options.ca_file and options.insecure:
        parser.error("--ca-file and --insecure exclude each other")
    try:
        conf = _from_file(options.file) if options.file else _from_options(options)
        if not options.demo:
            _ask(conf)
    except (KeyboardInterrupt, EOFError):
        sys.exit(_left())
    except UnicodeDecodeError as error:
        _fail(f"the answer can't be read: {error.reason}; is the terminal's encoding not {error.encoding}?")
    conf.log, conf.demo = options.log, options.demo
    return conf


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imapclient", description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("-H", "--host", metavar="HOST", help="IMAP host to connect to")
    add("-u", "--username", metavar="USER", help="user to log in as")
    add("-p", "--password", metavar="PASSWORD", help="password (others on this machine can see it; better be asked)")
    add("-P", "--port", metavar="PORT", type=_reader("port"), help="port (default: 993 with --ssl, else 143)")
    security = parser.add_mutually_exclusive_group()
    security.add_argument("-s", "--ssl", action="store_true", help="TLS from the first byte (this is the default)")
    security.add_argument("--starttls", action="store_true", help="begin in plain text, and change to TLS by STARTTLS")
    security.add_argument("--insecure", action="store_true", help="no TLS: all can be read on its way")
    add(
        "--ca-file",
        metavar="FILE",
        type=_reader("ssl_ca_file"),
        help="PEM file with the certificate authorities to trust, instead of the system's",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        type=_reader("timeout"),
        help=f"how long to wait for the server (default: {_TIMEOUT_SECONDS:.0f})",
    )
    add("-f", "--file", metavar="FILE", help="take all of that from a configuration file (see livetest.ini.example)")
    add("--log", action="store_true", help="show the protocol, without passwords and tokens")
    add("--demo", action="store_true", help="start a mail server with sample mail, and connect to it")
    add("--version", action="version", version=f"imapclient {__version__}")
    return parser


def _reader(option: str) -> Callable[[str], Any]:
    """Reads the value as it is read in a file."""

    def read(text: str) -> Any:
        try:
            return read_value(option, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}") from None

    return read


def _from_options(options: argparse.Namespace) -> Settings:
    if options.password is not None:
        _warn("others on this machine can see a password on the command line; without -p you are asked for it")
    defaults = get_config_defaults()
    conf = Settings(alternates={})
    for option in OPTIONS:
        # A user name and a password of the environment are for the server of a file, not for any.
        setattr(conf, option.name, None if option.is_in_environment else defaults.get(option.name))
    conf.host, conf.port = options.host, options.port
    conf.username, conf.password = options.username, options.password
    conf.ssl, conf.starttls = not (options.starttls or options.insecure or options.demo), options.starttls
    conf.ssl_ca_file = options.ca_file
    conf.timeout = options.timeout or _TIMEOUT_SECONDS
    return conf


def _from_file(filename: str) -> Settings:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            conf = parse_config_file(filename)
        except ConfigError as error:
            _fail(f"{error}")
        except OSError as error:
            _fail(f"{filename}: {error.strerror}")
    for warning in caught:
        _warn(f"{warning.message}")
    return conf


def _ask(conf: Settings) -> None:
    """Ask for what a login needs. A command's connection may be logged in from the start."""
    if conf.stream:
        return
    while not conf.host:
        conf.host = input("host: ").strip()
    while not conf.username:
        conf.username = input("username: ").strip()
    while not conf.oauth2 and not any(getattr(conf, name) for name in PASSWORD_SOURCES):
        conf.password = getpass.getpass("password: ")


def _show_protocol() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    for log in (client_log, wire_log):
        log.setLevel(logging.DEBUG)
        log.addHandler(handler)


def _start_demo(stack: contextlib.ExitStack, conf: Settings) -> None:
    from .embedded_server import EmbeddedServer

    server = EmbeddedServer(sample=True)
    reason = server.unavailable_reason()
    if reason is not None:
        _fail(reason)
    stack.enter_context(server)
    conf.host, conf.port, conf.username, conf.password = server.host, server.port, server.user, server.password
    print(f"A mail server with sample mail runs on {server.host}, port {server.port}, until you leave.")


def _left() -> int:
    """The exit status after Ctrl-C or Ctrl-D, on a new line."""
    print()
    return 1


def _warn(text: str) -> None:
    print(f"Warning: {one_line(text)}", file=sys.stderr, flush=True)


def _fail(text: str) -> NoReturn:
    sys.exit(f"imapclient: {one_line(text)}")


if __name__ == "__main__":
    sys.exit(main())
