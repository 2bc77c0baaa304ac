"""From the bytes of a response to tokens and nested values. No I/O, no recursion, total.

The grammar (RFC 9051, 9) needs five kinds of token: ``(``, ``)``, a quoted string, a literal (which the reader has
already cut out) and an atom, which here is any other run without space, parenthesis or quote. All five are found by one
regular expression whose every alternative either matches or fails at once, so that no input costs more than time in
proportion to its length.

Values: a parenthesised list becomes a tuple, a string or atom bytes, an atom of digits int (but ``007`` stays bytes:
a number has no leading zero), NIL None.
"""

from __future__ import annotations

import contextlib
import re
import reprlib
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

from ..exceptions import ProtocolError
from .records import Record, before_announcement
from .responses import DEFAULT_OPTIONS, ReadOptions, Untagged

_TOKEN = re.compile(
    rb"""
      # Quoted, in text whose escapes are hidden. The end of the line closes it too, so that this can't fail late.
      " [^"]* (?: " | \Z )
    | [()]
      # The section of an item's name holds spaces and parentheses: BODY[HEADER.FIELDS (DATE FROM)]<0>
    | (?i: BODY | BINARY ) (?: \.[A-Za-z]+ )? \[ [^][("]* (?: \( [^][()"]* \) )? \] [^][ \t()"]*
    | [^ \t()"]+
    """,
    re.VERBOSE,
)
_find_tokens = _TOKEN.findall
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

QUOTE, OPEN, CLOSE, ZERO, NINE = b'"()09'
_PARENTHESES = (OPEN, CLOSE)


# -- escapes, hidden so that a quote is always the end of a string

# What stands for an escaped backslash and an escaped quote, two bytes for two bytes so that places stay the same:
# control characters, which a line hardly ever holds, and of them two that it does not.
_STAND_INS = tuple(bytes([code, code]) for code in (0, 1, 2, 3, 4, 5, 6, 7, 14, 15, *range(0xF5, 0x100)))


class _Hidden(NamedTuple):
    """Text without ``\\\\`` and ``\\"``, and what stands in it for each."""

    text: bytes
    backslash: bytes
    quote: bytes

    def restored(self, text: bytes) -> bytes:
        """Text as it was, with its escapes."""
        return text.replace(self.quote, b'\\"').replace(self.backslash, b"\\\\")

    def unescaped(self, strings: list[bytes]) -> list[bytes]:
        """The contents of a line's strings as they are meant. What is left as a backslash escapes what needs none."""
        meanings = ((b"\\", b""), (self.quote, b'"'), (self.backslash, b"\\"))
        # All at once: what stands between is in no line that a server has sent.
        inside = b"\n".join(strings)
        if inside.count(b"\n") == len(strings) - 1:
            for escape, meant in meanings:
                inside = inside.replace(escape, meant)
            return inside.split(b"\n")
        for escape, meant in meanings:
            strings = [string.replace(escape, meant) for string in strings]
        return strings


def hide_escapes(text: bytes) -> _Hidden:
    free = (stand_in for stand_in in _STAND_INS if stand_in[0] not in text)
    backslash, quote = next(free, b""), next(free, b"")
    if not quote:
        raise ProtocolError("a line full of control characters", 0, text[:80])
    return _Hidden(text.replace(b"\\\\", backslash).replace(b'\\"', quote), backslash, quote)


def tokens(line: bytes, start: int = 0) -> list[bytes]:
    """The tokens of a line from ``start`` on, quoted strings with their quotes and escapes.

    ``tokens(b'1 (FLAGS (\\\\Seen) X "a b")')`` is
    ``[b'1', b'(', b'FLAGS', b'(', b'\\\\Seen', b')', b'X', b'"a b"', b')']``.
    ProtocolError where a quote is not closed.
    """
    text = line[start:] if start else line
    if b"\\" in text:
        hidden = hide_escapes(text)
        text = hidden.text
        found: list[bytes] = [hidden.restored(token) for token in _find_tokens(text)]
    else:
        found = _find_tokens(text)
    if text.count(b'"') & 1:
        raise _not_closed(line, start, text)
    return found


def _not_closed(line: bytes, start: int, text: bytes) -> ProtocolError:
    """For a line whose ``text``, from ``start`` on and with its escapes hidden, has an odd number of quotes."""
    position = start + text.rindex(b'"')
    return ProtocolError("a quoted string is not closed", position, around(line, position))


def unquote(token: bytes) -> bytes:
    """The content of a quoted string: ``unquote(b'"a\\\\"b"') == b'a"b'``."""
    if b"\\" in token:
        return _ESCAPED.sub(rb"\1", token[1:-1])
    return token[1:-1]


def number(token: bytes) -> int | bytes:
    """The int that an atom of digits stands for; any other atom as it is (RFC 9051: no more than 64 bits)."""
    if token.isdigit() and len(token) <= 20 and (token[0] != ZERO or len(token) == 1):
        return int(token)
    return token


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2


def brief(value: object) -> str:
    """A value for an error message, cut so that it can't flood a log."""
    return _SHORT.repr(value[:40] if isinstance(value, bytes) else value)


def around(line: bytes, position: int) -> bytes:
    """The bytes of a line next to a position, for an error."""
    return line[max(0, position - 40) : position + 40]


def unreadable(problem: str, response: Untagged) -> ProtocolError:
    """The error for data that is no answer of its kind. Its position is the start of the data."""
    return ProtocolError(problem, response.start, around(response.line, response.start))


def read_values(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS, *, typed: bool = True) -> list[Any]:
    """The values of a response: ``[b'INBOX', (b'MESSAGES', 3)]`` for ``* STATUS INBOX (MESSAGES 3)``.

    With ``typed`` off, atoms stay bytes as they came. ProtocolError, with position and context, where parentheses or
    quotes don't match, or lists are nested deeper than ``max_depth``.
    """
    values: list[Any] = []
    _read(response, values, [], options.max_depth, typed)
    return values


def values_in(text: bytes) -> list[Any]:
    """The values of a part of a line: ``values_in(b'Junk (a 5)') == [b'Junk', (b'a', 5)]``. Raises as `read_values`."""
    return read_values(Untagged(b"", None, text))


def read_words(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> list[bytes]:
    """Strings and atoms, as they came: a name may look like a number or NIL."""
    words = read_values(response, options, typed=False)
    if not all(isinstance(word, bytes) for word in words):
        raise unreadable("a list where there should be none", response)
    return words


def read_rest_of_list(response: Untagged, options: ReadOptions = DEFAULT_OPTIONS) -> tuple[Any, ...]:
    """The values of a list whose opening parenthesis was read already; the response must end with it.

    From ``UID`` on, ``* 1 FETCH (UID 5 FLAGS ())`` is ``(b'UID', 5, b'FLAGS', ())``.
    """
    outside: list[Any] = []
    _read(response, [], [outside], options.max_depth, True)
    if len(outside) != 1 or not isinstance(outside[0], tuple):
        raise unreadable("something follows the end of a list", response)
    return outside[0]


class Atom(bytes):
    """An atom, where it matters that it came without quotes."""

    __slots__ = ()


def read_what_is_sound(records: Sequence[Record], max_depth: int) -> tuple[list[Any], ProtocolError | None]:
    """The values of a list whose opening parenthesis was read already, up to where it can't be read any more.

    Each that is an atom is an `Atom`; those in lists within it are plain bytes.
    Of ``UID 5 FLAGS (\\Seen) X "abc)`` these are UID, 5, FLAGS, its list and X. The error is the one that ended the
    reading, None where all was read.
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
                # Nothing of the line was taken; what is before the quote that opens and does not close can be.
                with contextlib.suppress(ProtocolError):
                    _fold_tokens(text[: error.position], 0, current, stack, max_depth, value_of)
            return values, error
        if literal is not None:
            current.append(literal)
    if stack:
        return values, ProtocolError("a parenthesis is not closed", len(text), around(text, len(text)))
    if len(outside) > 1:
        return values, ProtocolError("something follows the end of a list", len(text), around(text, len(text)))
    return values, None


# What may follow a string: the end of a list or of the line, or one more value.
_AFTER_STRING = re.compile(rb' *(?:\)|\Z)| +(?:["(]|[^ ()"]{1,100}(?=[ )]|\Z))')
_ESCAPE_OR_QUOTE = re.compile(rb'\\.|"', re.DOTALL)


def mended(record: Record) -> Record:
    """A line whose strings have their inner quotes escaped: ``("Re: "urgent" matter" NIL)``, seen of old servers.

    A quote closes a string where it is followed by what may follow a string.
    """
    line = record[0] if isinstance(record, tuple) else record
    parts = []
    end = 0
    is_open = False
    for match in _ESCAPE_OR_QUOTE.finditer(line):
        position = match.start()
        if match.group() != b'"':
            continue
        if not is_open:
            is_open = True
        elif _AFTER_STRING.match(line, position + 1):
            is_open = False
        else:
            parts.append(line[end:position])
            end = position
    line = b"\\".join([*parts, line[end:]])
    return (line, record[1]) if isinstance(record, tuple) else line


def _read(response: Untagged, current: list[Any], stack: list[list[Any]], max_depth: int, typed: bool) -> None:
    """Add the values of all lines and literals to ``current``, the innermost open list; the others are on the stack."""
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


# What stands between two quoted strings is mostly one of few things: a space, " NIL NIL (", ")) ((". Each is read once
# and kept as the steps it stands for: a parenthesis, or a tuple of values. Pieces with a number in them are too many.
_OPEN_STEP, _CLOSE_STEP = 1, 2
_steps_of: dict[bytes, tuple[Any, ...]] = {b" ": (), b"": ()}
_MAX_STEPS_KEPT = 4096
_MAX_PIECE_KEPT = 60
# The octets and lines of a body structure's part.
_NUMBERS = re.compile(rb" (0|[1-9]\d{0,18})(?: (0|[1-9]\d{0,18}))?(?=[ )])")


def _fold(line: bytes, start: int, current: list[Any], stack: list[list[Any]], max_depth: int) -> list[Any]:
    """Add a line's values to ``current``. Returns the list that is innermost at its end.

    Cut at the quotes first, which one call in C does: every second piece is then a string's content.
    """
    cut = _cut_at_quotes(line, start)
    if cut is None:
        return _fold_tokens(line, start, current, stack, max_depth, _atom)
    depth = len(stack)
    kept = _steps_of
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
                        stack[-1].append(tuple(current))
                        current = stack.pop()
                    else:
                        current.extend(step)
            current.append(string)
    except IndexError:
        raise _misnested(line, start, depth, max_depth) from None
    current.pop()
    return current


def _cut_at_quotes(line: bytes, start: int) -> tuple[list[bytes], list[bytes]] | None:
    """What stands outside of strings, and the string after each; None where an escape stands outside of strings.

    After the last piece comes no string: it is followed by a stand-in.
    """
    text = line[start:] if start else line
    hidden = None
    if b"\\" in text and (b'"' in text or b"\\\\" in text):
        hidden = hide_escapes(text)
        text = hidden.text
    pieces = text.split(b'"')
    between, strings = pieces[::2], pieces[1::2]
    if len(between) == len(strings):
        raise _not_closed(line, start, text)
    if hidden is not None:
        outside = b"".join(between)
        if hidden.backslash in outside or hidden.quote in outside:
            return None
        strings = hidden.unescaped(strings)
    strings.append(b"")
    return between, strings


def _steps(piece: bytes) -> tuple[Any, ...]:
    """What to do for a piece of a line that has no quotes in it."""
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
    for token in _find_tokens(piece):
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
    """The value of an atom."""
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
    """`_fold`, token by token. Atoms stay as they came unless told otherwise: a mailbox may be named 007 or NIL."""
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
    """For a line, begun ``depth`` lists deep, that closes what is not open or opens too much."""
    text = hide_escapes(line).text if b"\\" in line else line
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
    return ProtocolError("a parenthesis closes nothing", position, around(line, position))


class TokenSource:
    """The tokens of a response's records, one by one, as IMAPClient has it.

    ``list(TokenSource([b'abc "d" (1)']))`` is ``[b'abc', b'"d"', b'(', b'1', b')']``. After a token that announces a
    literal, ``current_literal`` is that literal's bytes; else it is None.
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
