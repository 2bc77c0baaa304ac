"""The lexer of IMAPClient 4.1, for programs that import it."""

from __future__ import annotations

from ._parsing.lexer import TokenSource

__all__ = ["TokenSource"]
