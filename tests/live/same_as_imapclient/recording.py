"""Records what calls return and raise: each value with its type, as data for another process."""

from __future__ import annotations

import dataclasses
import datetime
import importlib
import re
from typing import Any, Callable

Form = dict[str, Any]
"""A value as JSON: ``types`` has the names of its classes, other keys its content. See `form_of`."""

# Types that may be defined in any module, with the paths for users.
_PUBLIC_PATHS = (
    *((f"imapclient.imapclient.{name}") for name in ("Namespace", "Quota", "MailboxQuotaRoots", "SocketTimeout")),
    *((f"imapclient.response_types.{name}") for name in ("Address", "BodyData", "Envelope", "SearchIds")),
    *(f"imapclient.exceptions.{name}" for name in ("CapabilityError", "IllegalStateError", "InvalidCriteriaError")),
    *(f"imapclient.exceptions.{name}" for name in ("LoginError", "ProtocolError")),
    "imapclient.fixed_offset.FixedOffset",
    "imapclient.tls.IMAP4_TLS",
)
# Attributes of a value beside the content of its base type.
_ATTRIBUTES = {
    "imapclient.response_types.SearchIds": ("modseq",),
    "imapclient.response_types.BodyData": ("is_multipart",),
}
# These classes are ignored, because all values have them.
_COMMON = (object, BaseException)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Recording:
    """The outcome of each call, by its label, in the order of the calls."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Form] = {}

    def call(self, label: str, function: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """Make the call and record its outcome. Return the result, or None if the call raised."""
        while label in self.outcomes:
            label += " again"
        self.outcomes[label] = {}  # The label gets its place now, before labels of nested calls.
        try:
            result = function(*arguments, **options)
        except Exception as error:
            self.outcomes[label] = {"raised": form_of_error(error)}
            return None
        self.outcomes[label] = {"returned": form_of(result)}
        return result


class Recorded:
    """A client whose public methods record their outcome, with a label such as ``fetch([1], 'FLAGS')``.

    ``_`` is the client itself, for calls that are not recorded.
    """

    def __init__(self, client: Any, recording: Recording) -> None:
        self._ = client
        self._recording = recording

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def called(*arguments: object, **options: object) -> Any:
            listed = [shown(value) for value in arguments]
            listed += [f"{key}={shown(value)}" for key, value in options.items()]
            label = f"{name}({', '.join(listed)})"
            if not hasattr(type(self._), name):
                self._recording.outcomes[label] = {"missing": name}
                return None
            return self._recording.call(label, getattr(self._, name), *arguments, **options)

        return called


def form_of(value: Any) -> Form:
    """Return a value as data: ``{"types": ["builtins.list"], "items": [...]}``. ``types`` has the base classes too."""
    names = _type_names(type(value))
    result: Form = {"types": names}
    if isinstance(value, (bytes, bytearray)):
        result["value"] = value.decode("latin-1")
    elif value is None or isinstance(value, (int, float)):
        result["value"] = value
    elif isinstance(value, str):
        # A subclass may have another str(), so that this is the text itself.
        result["value"] = "".join(value)
    elif isinstance(value, (list, tuple)):
        result["items"] = [form_of(item) for item in value]
    elif isinstance(value, dict):
        result["pairs"] = [[form_of(key), form_of(item)] for key, item in value.items()]
    elif isinstance(value, (set, frozenset)):
        result["items"] = [form_of(item) for item in sorted(value, key=repr)]
    elif isinstance(value, datetime.datetime):
        result["value"] = value.replace(tzinfo=None).isoformat()
        result["zone"] = _zone(value)
    elif dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value)]
        result["fields"] = [[name, form_of(getattr(value, name))] for name in fields]
        if type(value).__str__ is not object.__str__:
            result["text"] = _outcome(lambda: str(value))
    else:
        result["value"] = _ADDRESS.sub("", repr(value))
    for name in names:
        if name in _ATTRIBUTES:
            result["attributes"] = {key: form_of(getattr(value, key)) for key in _ATTRIBUTES[name]}
    return result


def form_of_error(error: BaseException) -> Form:
    """Return an exception as data. ``types`` are all classes with which an ``except`` clause catches it."""
    return {"types": _type_names(type(error)), "message": _outcome(lambda: str(error))["value"]}


def _type_names(kind: type) -> list[str]:
    return [_public_name(one) for one in kind.__mro__ if one not in _COMMON and one.__module__ != "typing"]


def _public_name(kind: type) -> str:
    for path in _PUBLIC_PATHS:
        module, _, name = path.rpartition(".")
        if kind.__name__ == name and getattr(importlib.import_module(module), name, None) is kind:
            return path
    return f"{kind.__module__}.{kind.__qualname__}"


def _zone(value: datetime.datetime) -> Form | None:
    if value.tzinfo is None:
        return None
    return {
        "types": _type_names(type(value.tzinfo)),
        "offset": _outcome(value.utcoffset),
        "name": _outcome(value.tzname),
        "dst": _outcome(value.dst),
    }


def _outcome(function: Callable[[], Any]) -> Form:
    try:
        return form_of(function())
    except Exception as error:
        return {"types": _type_names(type(error)), "value": f"raises {type(error).__name__}"}


def shown(value: object) -> str:
    """Return an argument for a label. A long one is shortened."""
    if isinstance(value, datetime.datetime):
        # The repr of the zone is left out, because it differs between the libraries.
        return f"{type(value).__name__} {value.isoformat()}"
    text = _ADDRESS.sub("", repr(value))
    return text if len(text) <= 80 else f"{text[:60]}…{len(text)}"
