"""Passwords that are not in the configuration file: from a command, or from the system's keyring."""

from __future__ import annotations

import importlib
import subprocess


def password_from_command(command: str) -> str:
    """Run a command of the shell, and return the first line that it prints: ``'s3cret'``.

    It has the caller's terminal, so that it can ask for a passphrase. Raises ValueError where it fails or prints
    nothing; the text has nothing of what it printed.
    """
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=False)
    if done.returncode < 0:
        raise ValueError(f"ended by signal {-done.returncode}: {command}")
    if done.returncode:
        raise ValueError(f"ended with exit status {done.returncode}: {command}")
    try:
        password = done.stdout.decode("utf-8").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        raise ValueError(f"printed what is not UTF-8: {command}") from None
    if not password:
        raise ValueError(f"printed no password: {command}")
    return password


def password_from_keyring(service: str, username: str) -> str:
    """Return what the system's keyring has for a user of a service: ``'s3cret'``.

    Raises ValueError where the package keyring is not installed, it finds no keyring, or that has no such password.
    """
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise ValueError("needs the package keyring: pip install keyring") from None
    try:
        password = keyring.get_password(service, username)
    except keyring.errors.KeyringError as error:
        raise ValueError(f"the keyring can't be read: {type(error).__name__}: {error}") from None
    if not password:
        raise ValueError(f"no password for {username!r} in the service {service!r}: keyring set {service} {username}")
    return str(password)
