"""Functions that parse the responses of imaplib, as IMAPClient has them."""

from __future__ import annotations

from ._parsing.imaplib_records import parse_fetch_response, parse_message_list, parse_response

__all__ = ["parse_fetch_response", "parse_message_list", "parse_response"]
