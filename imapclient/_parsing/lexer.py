"""Tokens and nested values from the bytes of a response. No I/O, no recursion; a value or ProtocolError.

The grammar (RFC 9051, 9) has five kinds of token: ``(``, ``)``, a quoted string, a literal, an atom. The reader has cut
out the literals. Here, an atom is any other run of bytes without space, parenthesis or quote. One regular expression
finds the tokens. Each of its alternatives matches or fails at once, so the time is linear in the length of any input.

A parenthesised list becomes a tuple. Strings and atoms become bytes. An atom of digits becomes an int, but ``007``
stays bytes, because a number has no leading zero. NIL becomes None.
"""

from __future__ import annotations

import contextlib
import re
import reprlib
from collections.abc import Iterator, Sequence
from typing import Any, Callable

from .._import_time import expression
from ..exceptions import ProtocolError
from .quoted_strings import all_shown, hidden, mark_for, unquote, with_escapes
from .records import Record, before_announcement
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged

_TOKEN = expression(
    rb"""
      # A quoted string, its escapes hidden. The end of the line closes it too, so that this can't fail late.
      " [^"]* (?: " | \Z )
    | [()]
      # The section of an item's name holds spaces and parentheses: BODY[HEADER.FIELDS (DATE FROM)]<0>
    | (?i: BODY | BINARY ) (?: \.[A-Za-z]+ )? \[ [^][("]* (?: \( [^][()"]* \) )? \] [^][ \t()"]*
    | [^ \t()"]+
    """,
    re.VERBOSE,
)

QUOTE, OPEN, CLOSE, ZERO, NINE, BACKSLASH = b'"()09\\'
_PARENTHESES = (OPEN, CLOSE)


def tokens(line: bytes, start: int = 0) -> list[bytes]:
    """The tokens of a line from ``start`` on. Quoted strings keep their quotes and escapes.

    ``tokens(b'1 (FLAGS (\\\\Seen) X "a b")')`` is
    ``[b'1', b'(', b'FLAGS', b'(', b'\\\\Seen', b')', b'X', b'"a b"', b')']``.
    Raises ProtocolError if a quoted string is not closed.
    """
    text = line[start:] if start else line
    if BACKSLASH in text:
        mark = mark_for(text)
        text = hidden(text, mark)
        found: list[bytes] = [with_escapes(token, mark) for token in _TOKEN.findall(text)]
    else:
        found = _TOKEN.findall(text)
    if text.count(b'"') & 1:
        raise _not_closed(line, start, text)
    return found


def _not_closed(line: bytes, start: int, text: bytes) -> ProtocolError:
    """The error for a quote that is not closed. ``text`` is the line from ``start`` on, with its escapes hidden."""
    position = start + text.rindex(b'"')
    return ProtocolError("a quoted string is not closed", position, around(line, position))


def number(token: bytes) -> int | bytes:
    """The int for an atom of digits; any other atom as it is. Numbers have at most 64 bits (RFC 9051, 9: number64)."""
    if token.isdigit() and len(token) <= 20 and (token[0] != ZERO or len(token) == 1):
        return int(token)
    return token


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2


def brief(value: object) -> str:
    """A value's repr for an error message, shortened so that it can't flood a log."""
    return _SHORT.repr(value[:40] if isinstance(value, bytes) else value)


def around(line: bytes, position: int) -> bytes:
    """The bytes of a line around a position: the context of an error."""
    return line[max(0, position - 40) : position + 40]


def unreadable(problem: str, response: Untagged) -> ProtocolError:
    """The error for a response whose data does not have the form of its kind. The position is the start of the data."""
    return ProtocolError(problem, response.start, around(response.line, response.start))


def read_values(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS, *, typed: bool = True) -> list[Any]:
    """The values of a response: ``[b'INBOX', (b'MESSAGES', 3)]`` for ``* STATUS INBOX (MESSAGES 3)``.

    With ``typed`` off, atoms stay bytes as the server sent them. Raises ProtocolError, with position and context, if
    parentheses or quotes don't match, or if lists are nested deeper than ``max_depth``.
    """
    values: list[Any] = []
    _read(response, values, [], options.max_depth, typed)
    return values


def values_in(text: bytes) -> list[Any]:
    """The values in a part of a line: ``values_in(b'Junk (a 5)') == [b'Junk', (b'a', 5)]``. See `read_values`."""
    return read_values(Untagged(b"", None, text))


def read_words(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> list[bytes]:
    """The strings and atoms of a response, as bytes: a name may look like a number or NIL.

    Raises ProtocolError if there is a list among them.
    """
    words = read_values(response, options, typed=False)
    if not all(isinstance(word, bytes) for word in words):
        raise unreadable("unexpected list", response)
    return words


def read_rest_of_list(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[Any, ...]:
    """The values of a list that starts before the response's data and ends with it.

    ``(b'UID', 5, b'FLAGS', ())`` for ``* 1 FETCH (UID 5 FLAGS ())``, if the data starts at ``UID``.
    """
    outside: list[Any] = []
    _read(response, [], [outside], options.max_depth, True)
    if len(outside) != 1 or not isinstance(outside[0], tuple):
        raise unreadable("unexpected data after the end of a list", response)
    return outside[0]


class Atom(bytes):
    """An atom: bytes that the server sent without quotes. Most functions treat it like a quoted string."""

    __slots__ = ()


def read_what_is_sound(records: Sequence[Record], max_depth: int) -> tuple[list[Any], ProtocolError | None]:
    """The values of a list that starts before the records, up to the first error, and that error.

    ``UID 5 FLAGS (\\Seen) X "abc)`` has the values UID, 5, FLAGS, a list and X. Its error says that a quoted string is
    not closed. If there is no error, it is None. Atoms are `Atom` values, and within nested lists plain bytes.
    """
    values: list[Any] = []
    current = values
    outside: list[Any] = []
    stack = [outside]
    text = b""

    def value_of(token: bytes) -> int | bytes | None:
        value = _atom(token)
        return Atom(value) if isinstance(value, bytes) and len(stack) == 1 else value

    for record in records:
        text, literal = record if isinstance(record, tuple) else (record, None)
        text = text if literal is None else before_announcement(text)
        try:
            current = _fold_tokens(text, 0, current, stack, max_depth, value_of)
        except ProtocolError as error:
            if error.position is not None and text[error.position : error.position + 1] == b'"':
                # Nothing of this line was added yet. Add the values before the quote that is not closed.
                with contextlib.suppress(ProtocolError):
                    _fold_tokens(text[: error.position], 0, current, stack, max_depth, value_of)
            return values, error
        if literal is not None:
            current.append(literal)
    if stack:
        return values, ProtocolError("a parenthesis is not closed", len(text), around(text, len(text)))
    if len(outside) > 1:
        return values, ProtocolError("unexpected data after the end of a list", len(text), around(text, len(text)))
    return values, None


def _read(response: Untagged, current: list[Any], stack: list[list[Any]], max_depth: int, typed: bool) -> None:
    """Add the values of all lines and literals to ``current``, the innermost open list; ``stack`` holds the others."""
    fold = _fold if typed else _fold_tokens
    start = response.start
    line = b""
    for record in response.records or (response.line,):
        if isinstance(record, tuple):
            line, literal = record
            current = fold(before_announcement(line), start, current, stack, max_depth)
            current.append(literal)
        else:
            line = record
            current = fold(line, start, current, stack, max_depth)
        start = 0
    if stack:
        raise ProtocolError("a parenthesis is not closed", len(line), around(line, len(line)))


# A line is cut at its quotes. The pieces between its strings are mostly the same few: " ", " NIL NIL (", ")) ((".
# So each piece is read once and kept as steps. A step opens a list, closes one, or is a tuple of values to add. Pieces
# with a number are not kept, since there are too many.
_OPEN_STEP, _CLOSE_STEP = 1, 2
_steps_of: dict[bytes, tuple[Any, ...]] = {b" ": (), b"": ()}
_MAX_STEPS_KEPT = 4096
_MAX_PIECE_KEPT = 60
# The octets and lines of a part of a body structure, at the start of a piece. What follows them is kept.
_NUMBERS = expression(rb" (0|[1-9]\d{0,18})(?: (0|[1-9]\d{0,18}))?(?=[ )])")


def _fold(line: bytes, start: int, current: list[Any], stack: list[list[Any]], max_depth: int) -> list[Any]:
    """Add a line's values to ``current``. Returns the list that is innermost at the end of the line.

    One call in C cuts the line at its quotes: every second piece is the content of a string.
    """
    cut = _cut_at_quotes(line, start)
    if cut is None:
        return _fold_tokens(line, start, current, stack, max_depth, _atom)
    depth = len(stack)
    kept = _steps_of
    pop = stack.pop
    open_step, close_step = _OPEN_STEP, _CLOSE_STEP
    try:
        for piece, string in zip(*cut):
            if piece != b" ":
                steps = kept.get(piece)
                for step in _steps(piece) if steps is None else steps:
                    if step is open_step:
                        if len(stack) >= max_depth:
                            raise _misnested(line, start, depth, max_depth)
                        stack.append(current)
                        current = []
                    elif step is close_step:
                        outer = pop()
                        outer.append(tuple(current))
                        current = outer
                    else:
                        current.extend(step)
            current.append(string)
    except IndexError:
        raise _misnested(line, start, depth, max_depth) from None
    current.pop()
    return current


def _cut_at_quotes(line: bytes, start: int) -> tuple[list[bytes], list[bytes]] | None:
    """The pieces outside of strings, and the string after each. None if there is an escape outside of strings.

    No string follows the last piece: b'' takes its place.
    """
    text = line[start:] if start else line
    mark = None
    if BACKSLASH in text and (QUOTE in text or b"\\\\" in text):
        mark = mark_for(text)
        text = hidden(text, mark)
    pieces = text.split(b'"')
    between, strings = pieces[::2], pieces[1::2]
    if len(between) == len(strings):
        raise _not_closed(line, start, text)
    if mark is not None:
        if mark in b"".join(between):
            return None
        strings = all_shown(strings, mark, other_escapes=BACKSLASH in text)
    strings.append(b"")
    return between, strings


def _steps(piece: bytes) -> tuple[Any, ...]:
    """The steps for a piece of a line without quotes."""
    numbers = _NUMBERS.match(piece)
    if numbers is None:
        return _steps_for_tokens(piece)
    octets, lines = numbers.groups()
    values = (int(octets),) if lines is None else (int(octets), int(lines))
    rest = piece[numbers.end() :]
    return (values, *(_steps_of.get(rest) or _steps_for_tokens(rest)))


def _steps_for_tokens(piece: bytes) -> tuple[Any, ...]:
    steps: list[Any] = []
    values: list[Any] = []
    has_number = False
    for token in _TOKEN.findall(piece):
        first = token[0]
        if first in _PARENTHESES:
            if values:
                steps.append(tuple(values))
                values = []
            steps.append(_OPEN_STEP if first == OPEN else _CLOSE_STEP)
        else:
            value = _atom(token)
            has_number = has_number or isinstance(value, int)
            values.append(value)
    if values:
        steps.append(tuple(values))
    found = tuple(steps)
    if not has_number and len(piece) <= _MAX_PIECE_KEPT and len(_steps_of) < _MAX_STEPS_KEPT:
        _steps_of[piece] = found
    return found


def _atom(token: bytes) -> int | bytes | None:
    """The value of an atom: int, None or bytes."""
    if ZERO <= token[0] <= NINE:
        return number(token)
    return None if len(token) == 3 and token.upper() == b"NIL" else token


def _fold_tokens(
    line: bytes,
    start: int,
    current: list[Any],
    stack: list[list[Any]],
    max_depth: int,
    value_of: Callable[[bytes], Any] = bytes,
) -> list[Any]:
    """`_fold`, token by token. By default atoms stay bytes: a mailbox may be named 007 or NIL."""
    depth = len(stack)
    for token in tokens(line, start):
        first = token[0]
        if first == QUOTE:
            current.append(unquote(token))
        elif first == OPEN:
            if len(stack) >= max_depth:
                raise _misnested(line, start, depth, max_depth)
            stack.append(current)
            current = []
        elif first == CLOSE:
            if not stack:
                raise _misnested(line, start, depth, max_depth)
            stack[-1].append(tuple(current))
            current = stack.pop()
        else:
            current.append(value_of(token))
    return current


def _misnested(line: bytes, start: int, depth: int, max_depth: int) -> ProtocolError:
    """The error for a line with an unmatched ``)`` or too many open lists. ``depth`` lists are open at its start."""
    text = hidden(line, mark_for(line)) if BACKSLASH in line else line
    for match in _TOKEN.finditer(text, start):
        position = match.start()
        if match.group() == b"(":
            if depth >= max_depth:
                message = f"nested deeper than the limit max_nesting_depth={max_depth}"
                return ProtocolError(message, position, around(line, position))
            depth += 1
        elif match.group() == b")":
            if depth == 0:
                break
            depth -= 1
    return ProtocolError("unmatched closing parenthesis", position, around(line, position))


class TokenSource:
    """Iterates over the tokens of a response's records, as IMAPClient's class does.

    ``list(TokenSource([b'abc "d" (1)']))`` is ``[b'abc', b'"d"', b'(', b'1', b')']``. If the last token announced a
    literal, ``current_literal`` is that literal.
    """

    def __init__(self, text: Sequence[Record]) -> None:
        self._pairs = self._read(text)
        self._literal: bytes | None = None

    @staticmethod
    def _read(text: Sequence[Record]) -> Iterator[tuple[bytes, bytes | None]]:
        for record in text:
            line, literal = record if isinstance(record, tuple) else (record, None)
            found = tokens(line)
            for token in found[:-1]:
                yield token, None
            if found:
                yield found[-1], literal

    @property
    def current_literal(self) -> bytes | None:
        """The literal that the last token announced, or None."""
        return self._literal

    def __iter__(self) -> Iterator[bytes]:
        for token, literal in self._pairs:
            self._literal = literal
            yield token


TokenSource.__module__ = "imapclient.response_lexer"
