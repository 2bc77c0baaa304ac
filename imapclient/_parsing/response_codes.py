"""Response codes in the text of status responses (RFC 9051, 7.1). No I/O; never raises."""

from __future__ import annotations

from ..exceptions import ProtocolError, ResponseCode
from .lexer import values_in


def split_response_code(text: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The code's name, its arguments as sent, and the text after it. None if there is no code.

    ``split_response_code(b'[UNSEEN 12] Message 12 is first')`` is ``(b'UNSEEN', b'12', b'Message 12 is first')``.
    A bracket in a quoted argument or in a list does not end the code, since keywords such as ``a]b`` exist.
    """
    start = len(text) - len(text.lstrip(b" ")) + 1
    if text[start - 1 : start] != b"[":
        return None
    end = text.find(b"]", start)
    quotes = depth = 0
    counted = start
    while end >= 0:
        quotes += text.count(b'"', counted, end) - text.count(b'\\"', counted, end)
        depth += text.count(b"(", counted, end) - text.count(b")", counted, end)
        if not quotes & 1 and depth <= 0:
            break
        counted, end = end, text.find(b"]", end + 1)
    if end < 0:
        end = text.find(b"]", start)
    if end < 0:
        return None
    name, _, arguments = text[start:end].partition(b" ")
    if not name:
        return None
    return name.upper(), arguments, text[end + 1 :].lstrip(b" ")


def parse_response_text(text: bytes) -> tuple[ResponseCode | None, bytes]:
    """The response code, or None, and the text after it (RFC 9051, 7.1).

    ``parse_response_text(b'[UIDNEXT 8] Predicted')`` is ``((b'UIDNEXT', (8,)), b'Predicted')``. Arguments that can't
    be parsed are one bytes value.
    """
    found = split_response_code(text)
    if found is None:
        return None, text
    name, arguments, human = found
    try:
        values = tuple(values_in(arguments))
    except ProtocolError:
        values = (arguments,)
    return (name, values), human
