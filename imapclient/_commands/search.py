"""Searching, sorting and threading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, TypeVar, Union

from .._arguments.strings import (
    Argument,
    SearchCriteria,
    atom,
    in_another_charset,
    search_criteria,
    sort_keys,
    split_criteria,
    unsplit_criteria,
)
from .._connection.exchange import Command
from .._parsing.collector import Collector
from .._parsing.responses import Untagged
from .._parsing.search import MAX_EXPANDED, SearchIds, parse_esearch, parse_search, parse_thread
from ..exceptions import BadCharsetError, CommandError, InvalidCriteriaError, ProtocolError, retyped
from ..util import Text
from .base.running import CommandBase

Criteria = Union[str, bytes, Sequence[Any]]

_Found = TypeVar("_Found")


class SearchMixin(CommandBase):
    """SEARCH (RFC 9051, 6.4.4), SORT and THREAD (RFC 5256), and Gmail's own search."""

    def search(self, criteria: Criteria = "ALL", charset: str | None = None) -> SearchIds:
        """The ids of the messages in the selected folder that meet the criteria: ``[1, 5, 9]``, a list of int.

        ``criteria`` is a list, ``['SUBJECT', 'budget', 'SINCE', date(2024, 1, 1)]``, whose items are quoted as they
        need (a list in it is a parenthesised group; a list of int, a ``UidSet``, or any list after ``'UID'`` is a
        sequence set), or a str or bytes that is sent as it is: ``'UNSEEN'``. In one that has 8-bit text, the strings
        and words that have it are sent as literals, so that the server reads the same criteria.

        ``charset`` is that of the text. It is named to the server as it is given here, and text given as bytes must be
        in it. None means UTF-8, which is named only where text is not ASCII, and not where the connection is in UTF-8
        (RFC 6855, 3; RFC 9051, 6.4.4). Where the server does not know the charset and names others (BADCHARSET), the
        criteria are sent once more in the first of them that has all of their text, unless some of it was bytes.

        Where the criteria include MODSEQ, the result's ``modseq`` is the highest of the messages found (RFC 7162).
        Message ids too many for one command are searched for in parts. An IMAP4rev2 server's ESEARCH is read too.

        Raises InvalidCriteriaError where the server can't read the criteria or they are empty, BadCharsetError (which
        is an InvalidCriteriaError) for the charset, CommandError where the search fails otherwise, ValueError or
        TypeError where the criteria can't be sent. The connection is usable after all of these.
        """
        return self._search(criteria, charset)

    def gmail_search(self, query: Text, charset: str = "UTF-8") -> SearchIds:
        """The ids of the messages in the selected folder that Gmail finds, as `search` gives them: ``[1, 5, 9]``.

        ``query`` is any text as one types it into Gmail's search: ``'has:attachment in:unread'``.

        Raises CapabilityError where the server lacks X-GM-EXT-1, and what `search` raises.
        """
        # The default is what a connection in UTF-8 must not be told (RFC 6855, 3).
        named = None if charset == "UTF-8" and self._imap.is_utf8 else charset
        return self._search(["X-GM-RAW", query], named, needs="X-GM-EXT-1")

    def sort(
        self,
        sort_criteria: Text | Iterable[Text],
        criteria: Criteria = "ALL",
        charset: str = "UTF-8",
    ) -> SearchIds:
        """The ids that `search` would find, sorted by the server (RFC 5256): ``[9, 1, 5]``.

        ``sort_criteria`` is one or a list of ``'ARRIVAL'``, ``'CC'``, ``'DATE'``, ``'FROM'``, ``'SIZE'``,
        ``'SUBJECT'``, ``'TO'``, each with ``'REVERSE '`` before it for the opposite order:
        ``['REVERSE DATE', 'SUBJECT']``. With the capability SORT=DISPLAY also ``'DISPLAYFROM'`` and ``'DISPLAYTO'``
        (RFC 5957). ``criteria`` and ``charset`` are as for `search`, but the charset is named in any case.

        Raises CapabilityError where the server lacks SORT, and what `search` raises; ValueError also for message ids
        too many for one command.
        """
        keys = sort_keys(sort_criteria)

        def send(encoded: SearchCriteria) -> SearchIds:
            arguments = [keys, encoded.charset or b"UTF-8", *unsplit_criteria(encoded.arguments)]
            responses = self._run(b"SORT", (keys, criteria), [arguments], b"SORT")
            with self._answering(self._verb(b"SORT")):
                return _together([parse_search(response) for response in responses])

        return self._in_known_charset(criteria, charset, send, needs="SORT")

    def thread(
        self,
        algorithm: Text = "REFERENCES",
        criteria: Criteria = "ALL",
        charset: str = "UTF-8",
    ) -> tuple[Any, ...]:
        """The ids that `search` would find, as threads (RFC 5256): ``((2,), (3, 6, (4, 23), (44, 7, 96)))``.

        A thread is a tuple of ids, each the answer to the one before it; where there is more than one answer, a tuple
        for each follows. In the example, 3 was answered by 6, and 6 by 4 and 44. A thread whose first message is
        missing begins with tuples: ``((1,), (2,))``. ``algorithm`` is ``'REFERENCES'``, ``'ORDEREDSUBJECT'`` or another
        that the server has; ``criteria`` and ``charset`` are as for `search`, but the charset is named in any case.

        Raises CapabilityError where the server lacks THREAD= with the algorithm, and what `search` raises; ValueError
        also for message ids too many for one command, ProtocolError for threads nested deeper than
        ``max_nesting_depth``.
        """
        name = atom(algorithm, "threading algorithm")

        def send(encoded: SearchCriteria) -> tuple[Any, ...]:
            arguments = [name, encoded.charset or b"UTF-8", *unsplit_criteria(encoded.arguments)]
            responses = self._run(b"THREAD", (name, criteria), [arguments], b"THREAD")
            with self._answering(self._verb(b"THREAD")):
                threads = [parse_thread(response, self._read_options) for response in responses]
            return tuple(thread for part in threads for thread in part)

        return self._in_known_charset(criteria, charset, send, needs="THREAD=" + name.decode("ascii"))

    def _search(self, criteria: Criteria, charset: str | None, needs: str = "") -> SearchIds:
        def send(encoded: SearchCriteria) -> SearchIds:
            prefix = self._charset_argument(encoded)
            parts = [[*prefix, *part] for part in split_criteria(encoded.arguments)]
            if len(parts) == 1:
                return self._search_parts(criteria, parts)
            # The first one tells whether the server knows the charset.
            ahead = 1 if prefix else 0
            found = [self._search_parts(criteria, some) for some in (parts[:ahead], parts[ahead:]) if some]
            return _merged(_together(found))

        return self._in_known_charset(criteria, charset, send, needs=needs)

    def _search_parts(self, criteria: Criteria, commands: Sequence[list[Argument]]) -> SearchIds:
        responses = self._run(b"SEARCH", (criteria,), commands, b"SEARCH", b"ESEARCH")
        with self._answering(self._verb(b"SEARCH")):
            return _ids_of(responses)

    def _charset_argument(self, encoded: SearchCriteria) -> list[Argument]:
        """What SEARCH has before its criteria."""
        name = encoded.charset
        if name is None:
            if encoded.is_ascii or self._is_utf8():
                return []
            name = b"UTF-8"
        return [b"CHARSET", name]

    def _is_utf8(self) -> bool:
        """Whether criteria are in UTF-8 without saying so."""
        # That may depend on the server's capabilities, which need not be known yet.
        self.capabilities()
        return self._imap.is_utf8

    def _in_known_charset(
        self,
        criteria: Criteria,
        charset: str | None,
        send: Callable[[SearchCriteria], _Found],
        needs: str,
    ) -> _Found:
        """Send a command with criteria, and once more where the server asks for them in another charset."""
        if isinstance(criteria, Iterator):
            criteria = list(criteria)
        encoded = search_criteria(criteria, charset)
        if needs:
            self._require(needs)
        with self._exclusive():
            try:
                return send(encoded)
            except BadCharsetError as error:
                other = in_another_charset(criteria, encoded, error.code) if error.status == "NO" else None
                if other is None:
                    raise
                return send(other)

    def _run(
        self, command: bytes, asked: tuple[object, ...], parts: Sequence[list[Argument]], *answers: bytes
    ) -> list[Untagged]:
        """Send a command, as often as there are parts of its arguments, without waiting for each other's end.

        Returns the untagged responses of the given names. BAD means what the caller ``asked``.
        """
        heard = Collector(*answers)
        name = self._verb(command)
        try:
            commands = [Command(name, arguments, heard.handlers) for arguments in parts]
            self._execute_all(commands)
        except CommandError as error:
            if error.status != "BAD":
                raise
            message = "{}\n\nThe criteria were: {}".format(error, ", ".join(map(repr, asked)))
            raise retyped(error, InvalidCriteriaError, message) from error
        # The answers to other searches are for whoever listens.
        own, others = heard.answers_to(command.tag for command in commands)
        self._deliver_others(others)
        return own


def _ids_of(responses: Iterable[Untagged]) -> SearchIds:
    """The ids of all responses to one search."""
    parts: list[SearchIds] = []
    room = MAX_EXPANDED
    for response in responses:
        if response.name == b"ESEARCH":
            parts.append(parse_esearch(response, room))
            room -= len(parts[-1])
        else:
            parts.append(parse_search(response))
            room -= len(parts[-1])
            if room < 0:
                raise ProtocolError(f"more than {MAX_EXPANDED} ids found by one search")
    return _together(parts)


def _together(parts: list[SearchIds]) -> SearchIds:
    """The ids of several responses, one after the other."""
    if len(parts) == 1:
        return parts[0]
    together = SearchIds(number for ids in parts for number in ids)
    together.modseq = max((ids.modseq for ids in parts if ids.modseq is not None), default=None)
    return together


def _merged(together: SearchIds) -> SearchIds:
    """What several searches found, each id once, in ascending order."""
    merged = SearchIds(sorted(set(together)))
    merged.modseq = together.modseq
    return merged
