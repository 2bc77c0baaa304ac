"""Configuration files that only their owner can read, so that the package does not warn."""

from __future__ import annotations

from pathlib import Path


def write_config(path: Path, text: str) -> Path:
    """Write the file in UTF-8, readable by its owner only. Return its path."""
    path.touch(0o600)
    path.write_text(text, encoding="utf-8")
    return path
