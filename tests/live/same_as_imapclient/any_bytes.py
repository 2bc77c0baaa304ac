"""Parses its input with the ``imapclient`` of its interpreter: ``python -m same_as_imapclient.any_bytes``.

A request is a line with a JSON list of records. Each is ``"line"`` or ``["line", "literal"]`` in Latin-1. The answer is
a line of JSON with the outcome of each function.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from imapclient import response_parser

from .recording import Form, Recording

Records = list[Any]
"""Lines, and pairs of a line and its literal, as imaplib returns them."""


def outcomes(records: Records) -> dict[str, Form]:
    recording = Recording()
    recording.call("parse_fetch_response", _fetched, records)
    recording.call("parse_fetch_response, zones", _fetched, records, False, False)
    recording.call("parse_response", response_parser.parse_response, records)
    if len(records) == 1:
        recording.call("parse_message_list", response_parser.parse_message_list, records)
    return recording.outcomes


def _fetched(*arguments: Any) -> Any:
    result = response_parser.parse_fetch_response(*arguments)
    if getattr(result, "errors", ()):
        raise ValueError("not all of it could be read")
    return result


def encoded(records: Records) -> str:
    """A request."""
    return json.dumps([_text(record) for record in records])


def _text(record: Any) -> Any:
    return [_text(part) for part in record] if isinstance(record, tuple) else record.decode("latin-1")


def _record(text: Any) -> Any:
    return tuple(map(_record, text)) if isinstance(text, list) else text.encode("latin-1")


def main() -> None:
    # Bytes that are not ASCII raise it, for example.
    logging.disable()
    for line in sys.stdin:
        print(json.dumps(outcomes([_record(text) for text in json.loads(line)])), flush=True)


if __name__ == "__main__":
    main()
