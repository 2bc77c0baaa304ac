"""The connection classes, for programs that create or replace a connection."""

from __future__ import annotations

from ._connection.gateway import IMAP4, IMAP4_TLS, IMAP4_Stream

__all__ = ["IMAP4", "IMAP4_TLS", "IMAP4_Stream"]
