"""The secrets of a connection, which no log and no exception may show, even if a server repeats them.

A secret is searched in these forms: as it is, escaped as in a quoted string, percent-encoded as in a URL, and within
any base64. A secret of at least `MIN_ANYWHERE` bytes is hidden wherever it occurs. A shorter one may be part of
ordinary words. So it is hidden only as a word of its own, without a letter or digit beside it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, AnyStr, NoReturn, TypeVar

from ..exceptions import IMAPClientError, LoginError, ProtocolError, ResponseCode
from ..util import escaped, printable

REDACTED = "**REDACTED**"
MIN_ANYWHERE = 8
# A text may be cut within a secret. If at least this many characters of a secret are at the cut, they are hidden.
_MIN_PART = 4
# How many pieces between "..." are searched at each end of a text.
_MAX_PIECES = 25

# As text, so that the expression is compiled only when a secret is added.
_RESERVED = rb"[^A-Za-z0-9._~-]"

_Error = TypeVar("_Error", bound=BaseException)


class Secrets:
    """The secrets of a connection. They are kept after the login, because a server may repeat them at any time.

    The repr does not show them, and they can't be pickled.
    """

    __slots__ = ("_anywhere", "_anywhere_text", "_known", "_word", "_word_text", "_words")

    def __init__(self) -> None:
        self._known: frozenset[bytes] = frozenset()
        self._prepare()

    def __repr__(self) -> str:
        return f"<Secrets: {REDACTED}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets can't be pickled")

    def add(self, secrets: Iterable[bytes]) -> None:
        """Hide these too from now on."""
        known = self._known.union(filter(None, secrets))
        if known != self._known:
            self._known = known
            self._prepare()

    def _prepare(self) -> None:
        """Make all forms of all secrets, in bytes and in text."""
        anywhere: set[bytes] = set()
        words: set[bytes] = set()
        for secret in self._known:
            (anywhere if len(secret) >= MIN_ANYWHERE else words).update(_forms(secret))
        self._anywhere = _longest_first(anywhere)
        self._anywhere_text = _longest_first({text for form in anywhere for text in _shown(form)})
        self._words = tuple(words)
        self._word = _word_in_bytes(words)
        self._word_text = _word_in_text({text for form in words for text in _shown(form)})

    # -- bytes of the wire

    def are_in(self, data: bytes, *, may_be_cut: bool = False) -> bool:
        """Whether the data contains a secret or, with ``may_be_cut``, starts or ends with a part of one."""
        if any(form in data for form in self._anywhere) or (self._word is not None and self._word.search(data)):
            return True
        return may_be_cut and any(_has_part(data, form) for form in (*self._anywhere, *self._words))

    # -- text

    def hidden(self, text: str) -> str:
        """A server's text with its secrets replaced. At a cut (``...``), parts of long secrets are replaced too.

        If there are more than fifty pieces between ``...``, those in the middle are removed.
        """
        for form in self._anywhere_text:
            text = text.replace(form, REDACTED)
        if self._word_text is not None:
            text = self._word_text.sub(REDACTED, text)
        pieces = text.split("...")
        # This package cuts a text in a few places only. A text with dozens of cuts is made by a server, and is not
        # worth the time.
        del pieces[_MAX_PIECES:-_MAX_PIECES]
        return "...".join(self._without_parts(piece, number > 0) for number, piece in enumerate(pieces))

    def _without_parts(self, text: str, may_begin_within: bool) -> str:
        # The end of a repr may follow the cut.
        whole = text.rstrip("'\".)")
        size = max((_beginning_at_end(whole, form) for form in self._anywhere_text), default=0)
        if size:
            text = whole[:-size] + REDACTED + text[len(whole) :]
        if may_begin_within:
            size = max((_end_at_beginning(text, form) for form in self._anywhere_text), default=0)
            if size:
                text = REDACTED + text[size:]
        return text

    # -- exceptions

    def hide(self, error: _Error) -> _Error:
        """Remove the secrets from an error of this package, and from those that led to it. Returns the error.

        The class, ``command``, ``status`` and the name of the response code are kept, because programs check them. The
        code's arguments are removed if they contain a secret. BADCHARSET keeps its charsets, because a search is sent
        again with one of them. The ``value`` of a FetchError is data of a message, and is kept too.
        """
        todo: list[BaseException | None] = [error]
        seen: set[int] = set()
        while todo and self._known:
            one = todo.pop()
            if isinstance(one, IMAPClientError) and id(one) not in seen:
                seen.add(id(one))
                self._hide_in(one)
                todo += [one.__cause__, one.__context__]
        return error

    def _hide_in(self, error: IMAPClientError) -> None:
        fields = vars(error)
        context = fields.get("context")
        if context is not None and self.are_in(context, may_be_cut=True):
            fields["context"] = None
        else:
            context = None
        arguments = tuple(self._message(arg, error, context) if isinstance(arg, str) else arg for arg in error.args)
        if arguments != error.args:
            error.args = arguments
        if fields.get("text"):
            fields["text"] = self.hidden(fields["text"])
        if fields.get("code"):
            fields["code"] = self._without_arguments(fields["code"])
        if isinstance(error, LoginError) and self._are_in_value(error.challenge):
            error.challenge = None
        for link in ("__cause__", "__context__"):
            other = getattr(error, link)
            if other is not None and not isinstance(other, IMAPClientError) and self._are_in_value(other.args):
                setattr(error, link, None)

    def _message(self, message: str, error: IMAPClientError, context: bytes | None) -> str:
        if context is not None:
            message = message.replace(repr(context), REDACTED)
        if isinstance(error, ProtocolError):
            return self.hidden(message)
        # The text before the colon is this package's.
        own, colon, words = message.partition(": ")
        return own + colon + self.hidden(words)

    def _without_arguments(self, code: ResponseCode) -> ResponseCode:
        return (code[0], ()) if code[0] != b"BADCHARSET" and self._are_in_value(code[1]) else code

    def _are_in_value(self, value: Any) -> bool:
        """Whether a parsed value contains one of the secrets."""
        todo = [value]
        found: list[bytes] = []
        while todo:
            one = todo.pop()
            if isinstance(one, dict):
                todo += [*one, *one.values()]
            elif isinstance(one, (tuple, list)):
                todo += one
            else:
                found.append(one if isinstance(one, bytes) else str(one).encode("utf-8", "replace"))
        # In one search, since there may be hundreds of thousands of strings.
        return self.are_in(b"\0".join(found))


def _forms(secret: bytes) -> Iterator[bytes]:
    """The forms in which a server may send a secret."""
    yield secret
    yield escaped(secret)
    # As in a URL (RFC 3986, 2.1).
    yield re.sub(_RESERVED, lambda match: b"%%%02X" % ord(match[0]), secret)
    if len(secret) >= MIN_ANYWHERE:
        for before in range(3):
            encoded = binascii.b2a_base64(bytes(before) + secret + bytes(2))
            # Without the characters at both ends, which depend on the bytes beside the secret.
            yield encoded[(8 * before + 5) // 6 : 8 * (before + len(secret)) // 6]
    elif len(secret) >= _MIN_PART:
        yield binascii.b2a_base64(secret).rstrip(b"=\n")


def _shown(form: bytes) -> tuple[str, ...]:
    """The forms in which a text shows bytes: decoded, or as a literal of Python."""
    return form.decode("utf-8", "backslashreplace"), repr(form)[2:-1], printable(form)


def _longest_first(forms: set[AnyStr]) -> tuple[AnyStr, ...]:
    """Sort so that a secret is replaced before another one that is a part of it."""
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _word_in_bytes(words: set[bytes]) -> re.Pattern[bytes] | None:
    """A pattern that matches any of the words; None if there are no words. Non-ASCII bytes count as letters."""
    if not words:
        return None
    either = b"|".join(map(re.escape, _longest_first(words)))
    return re.compile(rb"(?<![0-9A-Za-z\x80-\xff])(?:" + either + rb")(?![0-9A-Za-z\x80-\xff])")


def _word_in_text(words: set[str]) -> re.Pattern[str] | None:
    """A pattern that matches any of the words, or None without words.

    A letter before the word may belong to an escape, as in ``\\n`` or ``\\x01``.
    """
    if not words:
        return None
    either = "|".join(map(re.escape, _longest_first(words)))
    return re.compile(rf"(?:(?<![^\W_])|(?<=\\[nrt])|(?<=\\x[0-9a-f]{{2}}))(?:{either})(?![^\W_])")


def _has_part(data: bytes, form: bytes) -> bool:
    """Whether the data ends with the start of a form, starts with its end, or is a part of it."""
    if len(form) <= _MIN_PART:
        return False
    if len(data) >= _MIN_PART and data in form:
        return True
    return bool(_beginning_at_end(data, form) or _end_at_beginning(data, form))


# Both functions search the form for four characters of the text. To search the text for four characters of the form
# would be slow if a server repeats these many times.


def _beginning_at_end(text: AnyStr, form: AnyStr) -> int:
    """How many characters at the end of a text are the start of a form. 0 for fewer than 4, and for a whole form."""
    end = text[-_MIN_PART:]
    if len(end) < _MIN_PART:
        return 0
    at = form.rfind(end, 0, min(len(text), len(form) - 1))
    while at >= 0 and not text.endswith(form[: at + _MIN_PART]):
        at = form.rfind(end, 0, at + _MIN_PART - 1)
    return 0 if at < 0 else at + _MIN_PART


def _end_at_beginning(text: AnyStr, form: AnyStr) -> int:
    """How many characters at the start of a text are the end of a form. 0 for fewer than 4, and for a whole form."""
    beginning = text[:_MIN_PART]
    if len(beginning) < _MIN_PART:
        return 0
    at = form.find(beginning, max(1, len(form) - len(text)))
    while at >= 0 and not text.startswith(form[at:]):
        at = form.find(beginning, at + 1)
    return 0 if at < 0 else len(form) - at
