"""IMAPClient: an IMAP client library. Arguments and results have types of Python, such as int, list and datetime."""

from __future__ import annotations

from ._connection.gateway import IMAP4_TLS
from ._parsing.imaplib_records import parse_fetch_response, parse_message_list, parse_response
from ._wire.tls import create_default_context, wrap_socket
from .constants import ANSWERED, DELETED, DRAFT, FLAGGED, RECENT, SEEN
from .imapclient import IMAPClient, SocketTimeout
from .version import __version__, version_info

__all__ = [
    "ANSWERED",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "IMAP4_TLS",
    "RECENT",
    "SEEN",
    "IMAPClient",
    "SocketTimeout",
    "__version__",
    "create_default_context",
    "parse_fetch_response",
    "parse_message_list",
    "parse_response",
    "version_info",
    "wrap_socket",
]
