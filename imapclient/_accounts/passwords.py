"""Passwords from a command or from the keyring of the system, instead of the configuration file."""

from __future__ import annotations

import importlib
import subprocess


def password_from_command(command: str) -> str:
    """Run a shell command and return the first line of its output: ``'s3cret'``.

    The command uses the same terminal, so it can ask for a passphrase. Raises ValueError if it fails, or if it prints
    nothing or text that is not UTF-8. The error text contains no output of the command.
    """
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=False)
    if done.returncode < 0:
        raise ValueError(f"ended by signal {-done.returncode}: {command}")
    if done.returncode:
        raise ValueError(f"ended with exit status {done.returncode}: {command}")
    try:
        password = done.stdout.decode("utf-8").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        raise ValueError(f"printed text that is not UTF-8: {command}") from None
    if not password:
        raise ValueError(f"printed no password: {command}")
    return password


def password_from_keyring(service: str, username: str) -> str:
    """Return the password of a user of a service from the keyring of the system: ``'s3cret'``.

    Raises ValueError if the package keyring is not installed, if it finds no keyring, or if the keyring has no such
    password.
    """
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise ValueError("the package keyring is not installed: pip install keyring") from None
    try:
        password = keyring.get_password(service, username)
    except keyring.errors.KeyringError as error:
        raise ValueError(f"the keyring can't be read: {type(error).__name__}: {error}") from None
    if not password:
        raise ValueError(
            f"no password for {username!r} in the service {service!r}: run keyring set {service} {username}"
        )
    return str(password)
