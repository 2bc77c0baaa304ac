"""The secrets of a connection: what no log and no exception may show, also where a server repeats it.

A secret is looked for as it is, escaped as in a quoted string, percent-encoded as in a URL, and within any base64. One
of `ANYWHERE` bytes or more counts wherever it stands. A shorter one may be an ordinary word, or a part of many: it
counts only as a word of its own, with no letter or digit beside it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, AnyStr, NoReturn, TypeVar

from .exceptions import IMAPClientError, LoginError, ProtocolError, ResponseCode
from .util import escaped, printable

REDACTED = "**REDACTED**"
ANYWHERE = 8
# So much of a secret's beginning at the end of a text, or of its end at the beginning, tells that it was cut there.
_LEAST_PART = 4
# So many pieces between "..." are looked at from either end of a text.
_MOST_PIECES = 25

_RESERVED = re.compile(rb"[^A-Za-z0-9._~-]")

_Error = TypeVar("_Error", bound=BaseException)


class Secrets:
    """What a connection must not show as long as it lasts: it is not logged in again, but a server may repeat it.

    It shows nothing of what it holds, and can't be pickled.
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
        """Remember what must not be shown from now on."""
        known = self._known.union(filter(None, secrets))
        if known != self._known:
            self._known = known
            self._prepare()

    def _prepare(self) -> None:
        """The forms of all secrets, in the bytes of the wire and in text."""
        anywhere: set[bytes] = set()
        words: set[bytes] = set()
        for secret in self._known:
            (anywhere if len(secret) >= ANYWHERE else words).update(_forms(secret))
        self._anywhere = _longest_first(anywhere)
        self._anywhere_text = _longest_first({text for form in anywhere for text in _shown(form)})
        self._words = tuple(words)
        self._word = _word_in_bytes(words)
        self._word_text = _word_in_text({text for form in words for text in _shown(form)})

    # -- bytes of the wire

    def are_in(self, data: bytes, *, may_be_cut: bool = False) -> bool:
        """Whether one of the secrets stands in what a server sent; or a part of one at an end that ``may_be_cut``."""
        if any(form in data for form in self._anywhere) or (self._word is not None and self._word.search(data)):
            return True
        return may_be_cut and any(_has_part(data, form) for form in (*self._anywhere, *self._words))

    # -- text

    def hidden(self, text: str) -> str:
        """A server's text, decoded, without secrets; nor a part of a long one where the text was cut.

        Of more than fifty pieces between ``...``, those in the middle are left out.
        """
        for form in self._anywhere_text:
            text = text.replace(form, REDACTED)
        if self._word_text is not None:
            text = self._word_text.sub(REDACTED, text)
        pieces = text.split("...")
        # This package cuts in a few places: a text with dozens of them is a server's, and not worth the time.
        del pieces[_MOST_PIECES:-_MOST_PIECES]
        return "...".join(self._without_parts(piece, number > 0) for number, piece in enumerate(pieces))

    def _without_parts(self, text: str, may_begin_within: bool) -> str:
        # Without the end of a repr.
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
        """Take the secrets out of an error that tells a server's words, and out of those that led to it. Returns it.

        What a program decides by is kept: the class, ``command``, ``status``, and the name of the response code. The
        code's arguments go where a secret is among them, but for the charsets of BADCHARSET, for which a search is sent
        again. The ``value`` of a FetchError is data of a message, and is kept too.
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
        # What stands before the colon is said by this package.
        own, colon, words = message.partition(": ")
        return own + colon + self.hidden(words)

    def _without_arguments(self, code: ResponseCode) -> ResponseCode:
        return (code[0], ()) if code[0] != b"BADCHARSET" and self._are_in_value(code[1]) else code

    def _are_in_value(self, value: Any) -> bool:
        """Whether one of the secrets stands in a value that was read from what a server sent."""
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
        # At once, since there may be hundreds of thousands.
        return self.are_in(b"\0".join(found))


def _forms(secret: bytes) -> Iterator[bytes]:
    """How a secret may stand in what a server sends."""
    yield secret
    yield escaped(secret)
    # As in a URL (RFC 3986, 2.1).
    yield _RESERVED.sub(lambda match: b"%%%02X" % ord(match[0]), secret)
    if len(secret) >= ANYWHERE:
        for before in range(3):
            encoded = binascii.b2a_base64(bytes(before) + secret + bytes(2))
            # Without the characters at both ends that depend on what stands beside the secret.
            yield encoded[(8 * before + 5) // 6 : 8 * (before + len(secret)) // 6]
    elif len(secret) >= _LEAST_PART:
        yield binascii.b2a_base64(secret).rstrip(b"=\n")


def _shown(form: bytes) -> tuple[str, ...]:
    """How bytes are shown in a text for people: decoded, or as in a literal of Python."""
    return form.decode("utf-8", "backslashreplace"), repr(form)[2:-1], printable(form)


def _longest_first(forms: set[AnyStr]) -> tuple[AnyStr, ...]:
    """In this order none is left over in part, where another one is a part of it."""
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _word_in_bytes(words: set[bytes]) -> re.Pattern[bytes] | None:
    """Matches one of the words. Bytes of UTF-8 are letters."""
    if not words:
        return None
    either = b"|".join(map(re.escape, _longest_first(words)))
    return re.compile(rb"(?<![0-9A-Za-z\x80-\xff])(?:" + either + rb")(?![0-9A-Za-z\x80-\xff])")


def _word_in_text(words: set[str]) -> re.Pattern[str] | None:
    """Matches one of the words. A letter before it may belong to an escape, as in ``\\n`` or ``\\x01``."""
    if not words:
        return None
    either = "|".join(map(re.escape, _longest_first(words)))
    return re.compile(rf"(?:(?<![^\W_])|(?<=\\[nrt])|(?<=\\x[0-9a-f]{{2}}))(?:{either})(?![^\W_])")


def _has_part(data: bytes, form: bytes) -> bool:
    """Whether data ends with the beginning of a form, begins with the end of it, or is a part of it."""
    if len(form) <= _LEAST_PART:
        return False
    if len(data) >= _LEAST_PART and data in form:
        return True
    return bool(_beginning_at_end(data, form) or _end_at_beginning(data, form))


# These two look for the text's four characters in the form: a server may make a text that has the form's many times.


def _beginning_at_end(text: AnyStr, form: AnyStr) -> int:
    """So much of a form's beginning, four characters or more but not all, ends a text; else 0."""
    end = text[-_LEAST_PART:]
    if len(end) < _LEAST_PART:
        return 0
    at = form.rfind(end, 0, min(len(text), len(form) - 1))
    while at >= 0 and not text.endswith(form[: at + _LEAST_PART]):
        at = form.rfind(end, 0, at + _LEAST_PART - 1)
    return 0 if at < 0 else at + _LEAST_PART


def _end_at_beginning(text: AnyStr, form: AnyStr) -> int:
    """So much of a form's end, four characters or more but not all, begins a text; else 0."""
    beginning = text[:_LEAST_PART]
    if len(beginning) < _LEAST_PART:
        return 0
    at = form.find(beginning, max(1, len(form) - len(text)))
    while at >= 0 and not text.startswith(form[at:]):
        at = form.find(beginning, at + 1)
    return 0 if at < 0 else len(form) - at
