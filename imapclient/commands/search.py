"""Searching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

from ..arguments import Argument, search_criteria, split_criteria
from ..exceptions import CommandError, InvalidCriteriaError, retyped
from ..response_parser import parse_esearch, parse_search
from ..response_types import SearchIds
from .base import Collector, CommandBase

Criteria = Union[str, bytes, Sequence[Any]]


class SearchMixin(CommandBase):
    """SEARCH (RFC 9051, 6.4.4)."""

    def search(self, criteria: Criteria = "ALL", charset: str | None = None) -> SearchIds:
        """The ids of the messages in the selected folder that meet the criteria: ``[1, 5, 9]``, a list of int.

        ``criteria`` is a list, ``['SUBJECT', 'budget', 'SINCE', date(2024, 1, 1)]``, whose items are quoted as they
        need (a list in it is a parenthesised group, a list of int a sequence set), or a str or bytes that is sent as
        it is: ``'UNSEEN'``.
        ``charset`` is that of text that is not ASCII; None means UTF-8 where there is any.
        Where the criteria include MODSEQ, the result's ``modseq`` is the highest of the messages found (RFC 7162).

        Message ids too many for one command are searched for in parts. An IMAP4rev2 server's ESEARCH is read too.

        Raises InvalidCriteriaError where the server can't read the criteria or they are empty, ValueError where they
        can't be sent. The connection is usable after both.
        """
        name, arguments = search_criteria(criteria, charset)
        prefix: list[Argument] = [] if name is None else [b"CHARSET", name]
        found = [self._search(b"SEARCH", criteria, [*prefix, *part]) for part in split_criteria(arguments)]
        return found[0] if len(found) == 1 else _merged(found)

    def _search(self, command: bytes, criteria: Criteria, arguments: list[Argument]) -> SearchIds:
        heard = Collector(command, b"ESEARCH")
        try:
            self._execute(b"UID " + command if self.use_uid else command, arguments, heard.handlers)
        except CommandError as error:
            if error.status != "BAD":
                raise
            message = f"{error}\n\nThe criteria were: {criteria!r}"
            raise retyped(error, InvalidCriteriaError, message) from error
        found = [
            parse_esearch(response.line, response.start)
            if response.name == b"ESEARCH"
            else parse_search(response.line, response.start)
            for response in heard.responses
        ]
        return found[0] if len(found) == 1 else _together(found)


def _together(parts: list[SearchIds]) -> SearchIds:
    """The ids of several responses, one after the other."""
    together = SearchIds(number for ids in parts for number in ids)
    together.modseq = max((ids.modseq for ids in parts if ids.modseq is not None), default=None)
    return together


def _merged(parts: list[SearchIds]) -> SearchIds:
    """What several searches found, each id once, in ascending order."""
    together = _together(parts)
    merged = SearchIds(sorted(set(together)))
    merged.modseq = together.modseq
    return merged
