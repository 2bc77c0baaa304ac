"""The script of a server without a connection: what it sends, and in reply to which command."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from typing import Union

from .._parsing.records import announced_size
from ..util import Text, to_wire


class ScriptError(AssertionError):
    """The client did not do what the script expects.

    Its connection is not usable afterwards, unless ``idle_check`` or ``assert_done`` raised the error.
    """


class Event(enum.Enum):
    """Something that a server may do besides sending lines."""

    PAUSE = "PAUSE"
    CLOSE = "CLOSE"


# Users import these classes from that module. A traceback, a repr and a pickle name it.
ScriptError.__module__ = Event.__module__ = "imapclient.testable_imapclient"

ScriptItem = Union[str, bytes, Event, BaseException]
"""An item of a script: a line, a literal, `PAUSE`, `CLOSE`, or an exception that reading raises."""

# The parts of a line: texts and literals alternate, and the last one is a text. Texts contain their line ends, and
# "{tag}" for the tag.
Line = tuple[bytes, ...]
Step = Union[Line, Event, BaseException]

TAG = b"{tag}"
BYE: tuple[Step, ...] = ((b"* BYE Logging out\r\n",), (b"{tag} OK Logout completed\r\n",))


def parse_steps(items: Iterable[ScriptItem]) -> list[Step]:
    """Parse a script. Raises ValueError if it is not valid."""
    steps: list[Step] = []
    rest = iter(items)
    for item in rest:
        if isinstance(item, (Event, BaseException)):
            steps.append(item)
            continue
        texts_and_literals = [_text(item)]
        while _announces_literal(texts_and_literals[-1]):
            literal, after = next(rest, None), next(rest, None)
            if not isinstance(literal, (str, bytes)) or not isinstance(after, (str, bytes)):
                raise ValueError(f"after {item!r} pass the literal as an argument, and then the rest of the line")
            data = to_wire(literal)
            texts_and_literals[-1] = _with_size(texts_and_literals[-1], len(data))
            texts_and_literals += [data, _text(after)]
        texts_and_literals[-1] += b"\r\n"
        if texts_and_literals[0].rstrip().partition(b" ")[0].upper() in (b"OK", b"NO", b"BAD"):
            texts_and_literals[0] = b"%s %s" % (TAG, texts_and_literals[0])
        steps.append(tuple(texts_and_literals))
    return steps


def _text(item: Text) -> bytes:
    text = to_wire(item)
    if b"\r" in text or b"\n" in text:
        raise ValueError(f"a line must not contain a line end: {item!r}; pass each line as an argument of its own")
    return text


def _announces_literal(text: bytes) -> bool:
    return text.endswith(b"{}") or announced_size(text) is not None


def _with_size(text: bytes, size: int) -> bytes:
    """The end of the text before a literal of ``size`` bytes. Raises ValueError if it announces another size."""
    if text.endswith(b"{}"):
        text = b"%s%d}" % (text[:-1], size)
    if announced_size(text) != size:
        raise ValueError(f"{text!r} must announce the size of its literal, which is {size}")
    return text + b"\r\n"


def is_tagged(step: Step) -> bool:
    return isinstance(step, tuple) and step[0].startswith(TAG)


def is_continuation(step: Step) -> bool:
    return isinstance(step, tuple) and step[0].startswith(b"+")


def shown(data: bytes | Event | BaseException) -> str:
    if not isinstance(data, bytes):
        return repr(data)
    return repr(data if len(data) <= 500 else data[:497] + b"...")


class Reply:
    """The scripted reply to one command."""

    def __init__(self, items: tuple[ScriptItem, ...], to: Text | None) -> None:
        self.items = items
        self.to = None if to is None else to_wire(to)
        self.steps = deque(parse_steps(items))

    def is_for(self, command: bytes) -> bool:
        if self.to is None:
            return True
        if self.to.endswith(b"..."):
            return command.startswith(self.to[:-3])
        return command == self.to
