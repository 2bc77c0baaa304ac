"""The parser functions of IMAPClient 4.1, for responses from imaplib."""

from __future__ import annotations

from ._parsing.imaplib_records import parse_fetch_response, parse_message_list, parse_response

__all__ = ["parse_fetch_response", "parse_message_list", "parse_response"]
