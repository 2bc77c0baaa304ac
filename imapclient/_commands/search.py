"""Searching, sorting and threading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, TypeVar, Union

from .._arguments.command import Argument
from .._arguments.strings import atom
from .._parsing.responses import Untagged
from ..exceptions import BadCharsetError, CommandError, InvalidCriteriaError, ProtocolError, retyped
from ..util import Text
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._arguments.criteria import SearchCriteria
    from .._parsing.search import SearchIds

Criteria = Union[str, bytes, Sequence[Any]]

_Found = TypeVar("_Found")


class SearchMixin(CommandBase):
    """SEARCH (RFC 9051, 6.4.4), SORT and THREAD (RFC 5256), and the search of Gmail."""

    def search(self, criteria: Criteria = "ALL", charset: str | None = None) -> SearchIds:
        """The ids of the messages in the selected folder that match the criteria: ``[1, 5, 9]``, a list of int.

        ``criteria`` may be a list: ``['SUBJECT', 'budget', 'SINCE', date(2024, 1, 1)]``. Its items are quoted if they
        need it. A list inside the list is a group in parentheses. A list of int, a ``UidSet``, and any list after
        ``'UID'`` is a sequence set.

        ``criteria`` may also be a str or bytes, which is sent unchanged: ``'UNSEEN'``. Only strings and words that are
        not ASCII are sent as literals, which mean the same to the server.

        ``charset`` is the name of the charset of the text, and is sent unchanged. Text in bytes must be in this
        charset. None means UTF-8; its name is sent only if some text is not ASCII, and never if the connection is in
        UTF-8 (RFC 6855, 3; RFC 9051, 6.4.4). If the server does not know the charset, it may list others (BADCHARSET).
        Then the criteria are sent once more, in the first listed charset that has all the characters. Criteria that
        contain bytes are not sent again.

        If the criteria include MODSEQ, the attribute ``modseq`` of the result is the highest mod-sequence of the found
        messages (RFC 7162, 3.1.5). If the ids in the criteria do not fit into one command, several commands are sent.
        ESEARCH, the answer of IMAP4rev2 servers, is parsed too.

        Raises InvalidCriteriaError if the criteria are empty or the server can't read them. Raises BadCharsetError,
        which is an InvalidCriteriaError, if the server refuses the charset. Raises CommandError if the search fails
        otherwise. Raises ValueError or TypeError if the criteria can't be sent. The connection is usable after all of
        these.
        """
        return self._search(criteria, charset)

    def gmail_search(self, query: Text, charset: str = "UTF-8") -> SearchIds:
        """The ids of the messages in the selected folder that Gmail finds: ``[1, 5, 9]``, as `search` returns them.

        ``query`` is any text that can be typed into Gmail's search: ``'has:attachment in:unread'``.

        Raises CapabilityError without X-GM-EXT-1, and what `search` raises. The connection is usable after these.
        """
        # No charset may be sent if the connection is in UTF-8 (RFC 6855, 3).
        named = None if charset == "UTF-8" and self._imap.is_utf8 else charset
        return self._search(["X-GM-RAW", query], named, needs="X-GM-EXT-1")

    def sort(
        self,
        sort_criteria: Text | Iterable[Text],
        criteria: Criteria = "ALL",
        charset: str = "UTF-8",
    ) -> SearchIds:
        """The ids that `search` would find, sorted by the server (RFC 5256): ``[9, 1, 5]``.

        ``sort_criteria`` is one of ``'ARRIVAL'``, ``'CC'``, ``'DATE'``, ``'FROM'``, ``'SIZE'``, ``'SUBJECT'`` and
        ``'TO'``, or a list of them. ``'REVERSE '`` before a criterion reverses its order: ``['REVERSE DATE',
        'SUBJECT']``. With the capability SORT=DISPLAY, ``'DISPLAYFROM'`` and ``'DISPLAYTO'`` work too (RFC 5957).
        ``criteria`` and ``charset`` are as for `search`, but the charset is always sent.

        Raises CapabilityError without SORT, and what `search` raises. Raises ValueError if the message ids do not fit
        into one command. The connection is usable after all of these.
        """
        # Imported here, because not every program needs it.
        from .._arguments.criteria import sort_keys, unsplit_criteria
        from .._parsing.search import parse_search

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

        A thread is a tuple of ids. Each message replies to the message before it. If a message has several replies, a
        tuple for each reply follows. In the example, 6 replies to 3, and both 4 and 44 reply to 6. If the first message
        of a thread is missing, the thread begins with tuples: ``((1,), (2,))``.

        ``algorithm`` is ``'REFERENCES'``, ``'ORDEREDSUBJECT'`` or another one that the server has. ``criteria`` and
        ``charset`` are as for `search`, but the charset is always sent.

        Raises CapabilityError without the capability of the algorithm, such as THREAD=REFERENCES. Raises what `search`
        raises. Raises ValueError if the message ids do not fit into one command. Raises ProtocolError if threads are
        nested deeper than ``max_nesting_depth``. The connection is usable after all of these.
        """
        from .._arguments.criteria import unsplit_criteria
        from .._parsing.search import parse_thread

        name = atom(algorithm, "threading algorithm")

        def send(encoded: SearchCriteria) -> tuple[Any, ...]:
            arguments = [name, encoded.charset or b"UTF-8", *unsplit_criteria(encoded.arguments)]
            responses = self._run(b"THREAD", (name, criteria), [arguments], b"THREAD")
            with self._answering(self._verb(b"THREAD")):
                threads = [parse_thread(response, self._read_options) for response in responses]
            return tuple(thread for part in threads for thread in part)

        return self._in_known_charset(criteria, charset, send, needs="THREAD=" + name.decode("ascii"))

    def _search(self, criteria: Criteria, charset: str | None, needs: str = "") -> SearchIds:
        from .._arguments.criteria import split_criteria

        def send(encoded: SearchCriteria) -> SearchIds:
            prefix = self._charset_argument(encoded)
            parts = [[*prefix, *part] for part in split_criteria(encoded.arguments)]
            if len(parts) == 1:
                return self._search_parts(criteria, parts)
            # The first part shows whether the server knows the charset.
            ahead = 1 if prefix else 0
            found = [self._search_parts(criteria, some) for some in (parts[:ahead], parts[ahead:]) if some]
            return _merged(_together(found))

        return self._in_known_charset(criteria, charset, send, needs=needs)

    def _search_parts(self, criteria: Criteria, commands: Sequence[list[Argument]]) -> SearchIds:
        responses = self._run(b"SEARCH", (criteria,), commands, b"SEARCH", b"ESEARCH")
        with self._answering(self._verb(b"SEARCH")):
            return _ids_of(responses)

    def _charset_argument(self, encoded: SearchCriteria) -> list[Argument]:
        """The arguments of SEARCH before its criteria."""
        name = encoded.charset
        if name is None:
            if encoded.is_ascii or self._is_utf8():
                return []
            name = b"UTF-8"
        return [b"CHARSET", name]

    def _is_utf8(self) -> bool:
        """Whether criteria are in UTF-8 without a CHARSET argument."""
        # This may depend on the server's capabilities, which may not be known yet.
        self.capabilities()
        return self._imap.is_utf8

    def _in_known_charset(
        self,
        criteria: Criteria,
        charset: str | None,
        send: Callable[[SearchCriteria], _Found],
        needs: str,
    ) -> _Found:
        """Send a command with criteria, and once more if the server asks for another charset."""
        from .._arguments.criteria import in_another_charset, search_criteria

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
        """Send a command once for each part of its arguments, without waiting for the end of each one.

        Returns the untagged responses of the names in ``answers``. If the server answers BAD, the error shows what the
        caller ``asked``.
        """
        from .._connection.exchange import Command
        from .._parsing.collector import Collector

        collected = Collector(*answers)
        name = self._verb(command)
        try:
            commands = [Command(name, arguments, collected.handlers) for arguments in parts]
            self._execute_all(commands)
        except CommandError as error:
            if error.status != "BAD":
                raise
            message = "{}\n\nThe criteria were: {}".format(error, ", ".join(map(repr, asked)))
            raise retyped(error, InvalidCriteriaError, message) from error
        # Answers to other searches are unsolicited.
        own, others = collected.answers_to(command.tag for command in commands)
        self._deliver_others(others)
        return own


def _ids_of(responses: Iterable[Untagged]) -> SearchIds:
    """The ids of all responses to one search."""
    from .._parsing.search import MAX_EXPANDED, parse_esearch, parse_search

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
                raise ProtocolError(f"one search found more than {MAX_EXPANDED} ids")
    return _together(parts)


def _together(parts: list[SearchIds]) -> SearchIds:
    """The ids of several responses, one after the other."""
    from .._parsing.search import SearchIds

    if len(parts) == 1:
        return parts[0]
    together = SearchIds(number for ids in parts for number in ids)
    together.modseq = max((ids.modseq for ids in parts if ids.modseq is not None), default=None)
    return together


def _merged(together: SearchIds) -> SearchIds:
    """The ids that several searches found, each once, in ascending order."""
    from .._parsing.search import SearchIds

    merged = SearchIds(sorted(set(together)))
    merged.modseq = together.modseq
    return merged
