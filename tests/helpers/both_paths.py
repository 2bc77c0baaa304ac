"""Reads FETCH responses on both paths: many at a time, and one by one."""

from __future__ import annotations

from typing import NamedTuple

from imapclient._connection.reader import Reader
from imapclient._parsing.fetch.collector import FetchCollector
from imapclient._parsing.records import Limits
from imapclient._parsing.responses import UNTAGGED, ReadOptions, Untagged
from imapclient._wire.sockets import Transport
from imapclient.exceptions import IMAPClientError
from imapclient.sequence_set import MessageIds, SequenceSet


class Reading(NamedTuple):
    """The outcome of a stream. If two outcomes are equal, users see no difference."""

    messages: str
    """Ids, items and values, in their order."""
    errors: list[str]
    """The errors of items that cannot be parsed."""
    left: list[bytes]
    """The responses that the collector ignored."""
    end: str
    """How the stream ended."""


def read(
    transport: Transport,
    *,
    fast: bool,
    messages: MessageIds = "1:*",
    use_uid: bool = True,
    normalise_times: bool = True,
    limits: Limits | None = None,
) -> tuple[Reading, int]:
    """Return the outcome of a stream of untagged responses, and how many were read one by one."""
    limits = limits or Limits()
    reader = Reader(transport, limits)
    # Any section may be an answer to an unknown item.
    asked = b"(ANY)"
    collector = FetchCollector(
        SequenceSet(messages),
        ReadOptions(normalise_times, limits.nesting_depth),
        use_uid=use_uid,
        strict=False,
        asked=asked,
    )
    left: list[bytes] = []
    errors: list[str] = []
    singly = 0
    while True:
        try:
            if fast:
                reader.offer(collector.consume, limits.command_size)
            line, records = reader.read_response()
        except IMAPClientError as error:
            end = f"{type(error).__name__}: {error}"
            break
        singly += 1
        match = UNTAGGED.match(line)
        if match is None:
            left.append(line)
            continue
        number, name = match.groups()
        response = Untagged(name.upper(), None if number is None else int(number), line, match.end(), records)
        handler = collector.handlers.get(response.name)
        try:
            if handler is None or handler(response) is False:
                left.append(line)
        except IMAPClientError as error:
            errors.append(repr(error))
    result = collector.result()
    errors += [
        f"{error!r} {error.message} {error.sequence_number} {error.item!r} {error.value!r}" for error in result.errors
    ]
    unreadable = [getattr(items.get(b"ENVELOPE"), "unreadable_date", None) for items in result.values()]
    return Reading(repr([*result.items(), unreadable]), errors, left, end), singly
