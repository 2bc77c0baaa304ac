"""A keyring of the package keyring's own kind, which keeps passwords as long as it lives."""

from __future__ import annotations

import keyring
import keyring.backend
import pytest


class MemoryKeyring(keyring.backend.KeyringBackend):
    """``set_password("imap", "ann", "secret")``, and from then on the package finds it."""

    priority = 1

    def __init__(self) -> None:
        # The base's takes properties from the environment, which are not for this one.
        self._passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._passwords[service, username] = password


def use_memory_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Let the package use a new one of these, until the test is over."""
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    return backend
