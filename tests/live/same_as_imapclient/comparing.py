"""Compares two recordings, IMAPClient's and ours, and finds the differences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .recording import Form

# Text that differs between two runs of the same library on the same server. It is replaced by a fixed text.
_VOLATILE = (
    # A number that the server makes of the time, or at random, when the folder is created.
    (re.compile(r"\[(APPENDUID|COPYUID|UIDVALIDITY) \d+"), r"[\1 N"),
    (re.compile(r"\[MAILBOXID \(F[0-9a-f]{32}\)\]"), "[MAILBOXID (F)]"),
    # Durations in Dovecot's texts.
    (re.compile(r" \(\d+\.\d+ \+ \d+\.\d+(?: \+ \d+\.\d+)? secs\)"), ""),
    # The free port of the run.
    (re.compile(r"(127\.0\.0\.1:)\d+"), r"\1N"),
)
# Keys of dictionaries whose values differ likewise.
_VOLATILE_KEYS = frozenset(("UIDVALIDITY", "MAILBOXID", "EMAILID", "THREADID", "SAVEDATE"))

_ABORT, _ERROR = "imaplib.IMAP4.abort", "imaplib.IMAP4.error"
# Messages of IMAPClient with the server's text: ``create failed: text``, ``STATUS command error: BAD [b'text']``,
# ``b'text'``, ``Unexpected IDLE response: b'tag BAD text'``.
_BYTES = re.compile(r"(?:^|\[|: )b(['\"])(.*)\1\]?$")
_WORDED = re.compile(r"[A-Za-z]+ failed: ")


class Difference(NamedTuple):
    """One difference between the outcomes of a call."""

    where: str
    """``result[101][b'FLAGS']``, or ``exception`` or ``message`` if the call raised."""
    theirs: str
    ours: str
    kind: str = ""
    """``subclass`` if our type is a subclass of theirs, ``wording`` if only the text of a message differs."""

    def __str__(self) -> str:
        return f"{self.where}: IMAPClient {self.theirs}, ours {self.ours}"


def differences(theirs: Form, ours: Form) -> list[Difference]:
    """Return the differences between two outcomes of a call, which are results or exceptions of a `Recording`."""
    if "missing" in ours:
        return [Difference("call", _summary(theirs), f"has no method {ours['missing']}")]
    if "raised" in theirs and "raised" in ours:
        return list(_errors(theirs["raised"], ours["raised"]))
    if "raised" in theirs or "raised" in ours:
        return [Difference("call", _summary(theirs), _summary(ours))]
    return list(_values("result", theirs["returned"], ours["returned"]))


def show(form: Form) -> str:
    """Return a value in the style of Python source."""
    kind: str = form["types"][0].rpartition(".")[2]
    if "fields" in form:
        return f"{kind}({', '.join(f'{name}={show(item)}' for name, item in form['fields'])})"
    if "pairs" in form:
        text = "{" + ", ".join(f"{show(key)}: {show(item)}" for key, item in form["pairs"]) + "}"
        return text if kind == "dict" else f"{kind}({text})"
    if "items" in form:
        inner = ", ".join(show(item) for item in form["items"])
        if kind == "tuple":
            return f"({inner},)" if len(form["items"]) == 1 else f"({inner})"
        return f"[{inner}]" if kind == "list" else f"{kind}([{inner}])"
    if kind == "datetime":
        zone = form["zone"]
        return str(form["value"]) + ("" if zone is None else f" {show(zone['offset'])}")
    value = form["value"]
    plain = repr(value.encode("latin-1")) if "builtins.bytes" in form["types"] else repr(value)
    return plain if kind in ("bytes", "str", "int", "float", "bool", "NoneType") else f"{kind}({plain})"


def _summary(outcome: Form) -> str:
    if "raised" in outcome:
        error = outcome["raised"]
        return f"raises {error['types'][0].rpartition('.')[2]}: {error['message'][:200]}"
    if "returned" in outcome:
        return f"returns {show(outcome['returned'])[:200]}"
    return f"has no method {outcome.get('missing')}"


def _errors(theirs: Form, ours: Form) -> Iterator[Difference]:
    # An except clause that catches their exception must catch ours.
    uncaught = [name for name in theirs["types"] if name not in ours["types"]]
    # An abort means that the connection is lost. Other errors of IMAP mean that it is usable.
    is_lost = _ABORT in ours["types"] and _ABORT not in theirs["types"] and _ERROR in theirs["types"]
    if uncaught or is_lost:
        yield Difference("exception", _summary({"raised": theirs}), _summary({"raised": ours}))
        return
    left, right = _stable(theirs["message"]), _stable(ours["message"])
    if left != right:
        kind = "wording" if _is_only_worded(left, right, theirs["types"]) else ""
        yield Difference("message", repr(left), repr(right), kind)


def _is_only_worded(theirs: str, ours: str, types: list[str]) -> bool:
    """Whether a message means the same. If it contains the server's text, ours must contain it too."""
    if _ERROR not in types:
        return True
    said = _said(theirs)
    return said is None or said in ours


def _said(message: str) -> str | None:
    """Return the server's text in a message of IMAPClient, or None."""
    first = message.partition("\n\n")[0]
    literal = _BYTES.search(first)
    if literal is not None:
        text = literal[2].encode("latin-1").decode("unicode_escape")
        return text.split(" ", 2)[2] if first.startswith("Unexpected") else text
    found = _WORDED.match(first)
    return first[found.end() :] if found else None


def _values(where: str, theirs: Form, ours: Form) -> Iterator[Difference]:
    if any(name not in ours["types"] for name in theirs["types"]):
        yield Difference(where, _typed(theirs), _typed(ours))
        return
    if theirs["types"][0] != ours["types"][0]:
        yield Difference(where, theirs["types"][0], ours["types"][0], "subclass")
    if theirs.keys() - ours.keys():
        yield Difference(where, show(theirs), show(ours))
    elif "pairs" in theirs:
        yield from _dicts(where, theirs, ours)
    elif "fields" in theirs:
        for (name, left), (_, right) in zip(theirs["fields"], ours["fields"]):
            yield from _values(f"{where}.{name}", left, right)
        if "text" in theirs:
            yield from _values(f"str({where})", theirs["text"], ours["text"])
    elif "items" in theirs:
        if len(theirs["items"]) != len(ours["items"]):
            yield Difference(where, show(theirs), show(ours))
            return
        for index, (left, right) in enumerate(zip(theirs["items"], ours["items"])):
            yield from _values(f"{where}[{index}]", left, right)
    elif _stable(theirs.get("value")) != _stable(ours.get("value")) or theirs.get("zone") != ours.get("zone"):
        yield Difference(where, _zoned(theirs), _zoned(ours))
    for name, left in theirs.get("attributes", {}).items():
        yield from _values(f"{where}.{name}", left, ours["attributes"][name])


def _dicts(where: str, theirs: Form, ours: Form) -> Iterator[Difference]:
    left = {show(key): (key, item) for key, item in theirs["pairs"]}
    right = {show(key): (key, item) for key, item in ours["pairs"]}
    if left.keys() != right.keys():
        yield Difference(f"keys of {where}", _listed(left, right), _listed(right, left))
    for name in left:
        if name in right:
            yield from _values(f"key of {where}", left[name][0], right[name][0])
            theirs_item, ours_item = left[name][1], right[name][1]
            if left[name][0].get("value") not in _VOLATILE_KEYS:
                yield from _values(f"{where}[{name}]", theirs_item, ours_item)
            elif theirs_item["types"] != ours_item["types"]:
                yield Difference(f"{where}[{name}]", _typed(theirs_item), _typed(ours_item))
    # The order of a message's items, or of SELECT's data, does not matter. That of messages does.
    if _ids(left) != _ids(right) and left.keys() == right.keys():
        yield Difference(f"order of {where}", ", ".join(left), ", ".join(right))


def _ids(pairs: Mapping[str, tuple[Form, Form]]) -> list[str]:
    return [name for name, (key, _) in pairs.items() if key["types"][0] == "builtins.int"]


def _listed(these: Mapping[str, tuple[Form, Form]], others: Mapping[str, tuple[Form, Form]]) -> str:
    """Return the items that are not in the others."""
    return "{" + ", ".join(f"{name}: {show(these[name][1])}" for name in these if name not in others) + "}"


def _typed(form: Form) -> str:
    return f"{form['types'][0]} {show(form)}"


def _zoned(form: Form) -> str:
    zone: Any = form.get("zone")
    return show(form) if zone is None else f"{form['value']} {zone}"


def _stable(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, replacement in _VOLATILE:
            value = pattern.sub(replacement, value)
    return value
