"""An interactive shell with a connected client: ``python -m imapclient.interact``, or ``imapclient``.

The program connects and logs in with the settings in its options. It asks for those that are missing. Then it starts
a shell in which ``c`` is the client. Leaving the shell logs out. If connecting fails, the program prints one line and
its exit status is 1.
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

# The system's own timeout is too long for a person at a terminal.
_TIMEOUT_SECONDS = 60.0

_DESCRIPTION = """\
Connect to an IMAP server, log in, and start a Python shell in which "c" is the connected IMAPClient.
"""
_EPILOG = """\
The program asks for settings that are needed and missing. The shell is IPython or ptpython if one of them is
installed, otherwise Python's own. Leaving it logs out.
"""


def main() -> int:
    """Run the program with the options in ``sys.argv``. Returns the exit status: 0, or 1 if it can't connect.

    After the shell has run, it is the exit status of the shell.
    """
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
        except Exception as error:  # a person at a terminal needs one line, not a traceback
            print(f"imapclient: {advice(error, conf)}", file=sys.stderr)
            return 1
        print(f"Connected.\n\n{BANNER}", flush=True)
        return run_shell(client)


def command_line() -> Settings:
    """Return the settings from the options in ``sys.argv``, or from the file that they name. Asks for missing ones.

    The result also has the attributes ``log`` and ``demo``. Raises SystemExit with status 2 if the options can't be
    used. Raises it with status 1 if the file can't be used, or if the user presses Ctrl-C or Ctrl-D at a question.
    """
    parser = _parser()
    options = parser.parse_args()
    alone = [name for name in ("file", "demo") if getattr(options, name)]
    others = sorted(name for name, value in vars(options).items() if value and name not in ("log", *alone[:1]))
    if alone and others:
        shown = {"file": "-f/--file", "demo": "--demo"}[alone[0]]
        parser.error(f"{shown} can be combined with --log only, not with --{others[0].replace('_', '-')}")
    if options.ca_file and options.insecure:
        parser.error("--ca-file can't be combined with --insecure")
    try:
        conf = _from_file(options.file) if options.file else _from_options(options)
        if not options.demo:
            _ask(conf)
    except (KeyboardInterrupt, EOFError):
        sys.exit(_left())
    except UnicodeDecodeError as error:
        _fail(f"the answer is not valid {error.encoding} ({error.reason}): check the encoding of the terminal")
    conf.log, conf.demo = options.log, options.demo
    return conf


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imapclient", description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("-H", "--host", metavar="HOST", help="IMAP host to connect to")
    add("-u", "--username", metavar="USER", help="user to log in as")
    add(
        "-p",
        "--password",
        metavar="PASSWORD",
        help="password (other users can see it here; without -p the program asks for it)",
    )
    add("-P", "--port", metavar="PORT", type=_reader("port"), help="port (default: 993 with --ssl, otherwise 143)")
    security = parser.add_mutually_exclusive_group()
    security.add_argument("-s", "--ssl", action="store_true", help="TLS from the start (default)")
    security.add_argument("--starttls", action="store_true", help="start without TLS, then switch to TLS with STARTTLS")
    security.add_argument("--insecure", action="store_true", help="no TLS: others on the network can read everything")
    add(
        "--ca-file",
        metavar="FILE",
        type=_reader("ssl_ca_file"),
        help="PEM file with the certificate authorities to trust (default: those of the system)",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        type=_reader("timeout"),
        help=f"how many seconds to wait for the server (default: {_TIMEOUT_SECONDS:.0f})",
    )
    add("-f", "--file", metavar="FILE", help="read all settings from a configuration file (see livetest.ini.example)")
    add("--log", action="store_true", help="show the protocol, without passwords and tokens")
    add("--demo", action="store_true", help="start a mail server with sample mail and connect to it")
    add("--version", action="version", version=f"imapclient {__version__}")
    return parser


def _reader(option: str) -> Callable[[str], Any]:
    """A function that parses the value of an option like a value in a file."""

    def read(text: str) -> Any:
        try:
            return read_value(option, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}") from None

    return read


def _from_options(options: argparse.Namespace) -> Settings:
    if options.password is not None:
        _warn("other users of this machine can see the password; omit -p, and the program asks for it")
    defaults = get_config_defaults()
    conf = Settings(alternates={})
    for option in OPTIONS:
        # The user name and password in the environment are for the server in a file. No other server must receive them.
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
    """Ask for the settings that a login needs. With ``stream`` ask nothing: the login may not be needed."""
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
        log.logger.setLevel(logging.DEBUG)
        log.logger.addHandler(handler)


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
    """Print a line end and return the exit status after Ctrl-C or Ctrl-D."""
    print()
    return 1


def _warn(text: str) -> None:
    print(f"Warning: {one_line(text)}", file=sys.stderr, flush=True)


def _fail(text: str) -> NoReturn:
    sys.exit(f"imapclient: {one_line(text)}")


if __name__ == "__main__":
    sys.exit(main())
