"""TLS, under the names that IMAPClient has here."""

from __future__ import annotations

from ._connection.gateway import IMAP4_TLS
from ._wire.tls import create_default_context, wrap_socket

__all__ = ["IMAP4_TLS", "create_default_context", "wrap_socket"]
