"""Configuration files that nobody else can read, so that none warns of that."""

from __future__ import annotations

from pathlib import Path


def write_config(path: Path, text: str) -> Path:
    """Write the file, in UTF-8 and for its owner only, and return its path."""
    path.touch(0o600)
    path.write_text(text, encoding="utf-8")
    return path
