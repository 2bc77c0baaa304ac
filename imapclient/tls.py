"""The class and functions for TLS, under the names of IMAPClient 4.1."""

from __future__ import annotations

from ._connection.gateway import IMAP4_TLS
from ._wire.tls import create_default_context, wrap_socket

__all__ = ["IMAP4_TLS", "create_default_context", "wrap_socket"]
