"""A backend of the package keyring that keeps passwords in memory."""

from __future__ import annotations

import keyring
import keyring.backend
import pytest


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory: ``set_password("imap", "ann", "secret")`` adds a password."""

    priority = 1

    def __init__(self) -> None:
        # The constructor of the base class reads properties from the environment, which are for other keyrings.
        self._passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._passwords[service, username] = password


def use_memory_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Let the package keyring use a new `MemoryKeyring` until the end of the test."""
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    return backend
