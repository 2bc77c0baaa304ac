"""Classes that are dataclasses for programs, as in IMAPClient, whatever makes them. Each is compared to a real one."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from imapclient import SocketTimeout
from imapclient.response_types import Address, Envelope, MailboxQuotaRoots, Quota

ANN = Address(b"Ann", None, b"ann", b"example.org")
VALUES: list[Any] = [
    ANN,
    Envelope(datetime(2024, 1, 1), b"Hi", (ANN,), None, None, (ANN,), None, None, None, b"<1@x>"),
    Quota("", "STORAGE", 10, 512),
    MailboxQuotaRoots("INBOX", ["", "User quota"]),
    SocketTimeout(15, 60),
]
by_class = pytest.mark.parametrize("value", VALUES, ids=[type(value).__name__ for value in VALUES])


def real(cls: type) -> Any:
    """A class with the same fields, as `dataclasses.dataclass` makes it."""
    body = {"__annotations__": dict(cls.__annotations__), "__module__": __name__, "__qualname__": cls.__qualname__}
    return dataclasses.dataclass(type(cls.__name__, (), body))


def values_of(value: Any) -> list[Any]:
    return [getattr(value, name) for name in type(value).__annotations__]


@by_class
def test_it_has_the_fields_of_a_dataclass(value: Any) -> None:
    cls: Any = type(value)
    twin = real(cls)
    assert [dataclasses.is_dataclass(one) for one in (cls, value)] == [True, True]
    assert repr(dataclasses.fields(cls)) == repr(dataclasses.fields(twin))
    assert dataclasses.fields(value) == dataclasses.fields(cls)
    assert repr(cls.__dataclass_params__) == repr(twin.__dataclass_params__)


@by_class
def test_it_has_the_methods_of_a_dataclass(value: Any) -> None:
    cls, twin = type(value), real(type(value))
    made = twin(*values_of(value))
    assert repr(value) == repr(made)
    assert list(inspect.signature(cls).parameters.values()) == list(inspect.signature(twin).parameters.values())
    assert cls(**{name: getattr(value, name) for name in cls.__annotations__}) == value
    with pytest.raises(TypeError, match="missing"):
        cls()
    assert dataclasses.asdict(value) == dataclasses.asdict(made)
    assert dataclasses.astuple(value) == dataclasses.astuple(made)
    assert (getattr(cls, "__hash__", None), twin.__hash__) == (None, None)


@by_class
def test_it_is_equal_to_the_same_class_with_the_same_values(value: Any) -> None:
    cls = type(value)
    assert value == cls(*values_of(value))
    assert value != real(cls)(*values_of(value))
    assert value != tuple(values_of(value))
    assert value != type("Sub", (cls,), {})(*values_of(value))
    for name in cls.__annotations__:
        assert value != dataclasses.replace(value, **{name: "another"})
    with pytest.raises(TypeError):
        value < value  # noqa: B015


@by_class
def test_it_is_replaced_and_copied(value: Any) -> None:
    first = next(iter(type(value).__annotations__))
    replaced = dataclasses.replace(value, **{first: "another"})
    assert type(replaced) is type(value)
    assert values_of(replaced) == ["another", *values_of(value)[1:]]
    with pytest.raises(TypeError):
        dataclasses.replace(value, unknown=1)
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert again is not value
        assert (type(again), again) == (type(value), value)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is new in Python 3.13")
@by_class
def test_copy_replaces_it(value: Any) -> None:
    first = next(iter(type(value).__annotations__))
    replaced = copy.replace(value, **{first: "another"})  # type: ignore[attr-defined, unused-ignore]
    assert values_of(replaced) == ["another", *values_of(value)[1:]]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="match is new in Python 3.10")
@by_class
def test_it_is_matched_by_position(value: Any) -> None:
    cls = type(value)
    assert cls.__match_args__ == real(cls).__match_args__ == tuple(cls.__annotations__)
    names = [f"found_{number}" for number in range(len(cls.__match_args__))]
    found: dict[str, Any] = {"cls": cls, "value": value}
    exec(f"match value:\n    case cls({', '.join(names)}): pass", found)
    assert [found[name] for name in names] == values_of(value)


@by_class
def test_a_dataclass_inherits_its_fields(value: Any) -> None:
    cls = type(value)
    body = {"__annotations__": {"note": "str"}, "note": "none", "__module__": __name__}
    More: Any = dataclasses.dataclass(order=True)(type("More", (cls,), body))
    made = More(*values_of(value), note="seen")
    names = list(cls.__annotations__)
    assert [field.name for field in dataclasses.fields(More)] == [*names, "note"]
    assert [field.name for field in dataclasses.fields(cls)] == names
    assert [getattr(made, name) for name in names] == values_of(value)
    assert repr(made).endswith(", note='seen')")
    assert made != value
    assert made < dataclasses.replace(made, note="unseen")
    with pytest.raises(TypeError, match="frozen"):
        dataclasses.dataclass(frozen=True)(type("Frozen", (cls,), {}))


def test_a_repr_that_contains_itself_ends() -> None:
    roots: Any = MailboxQuotaRoots("INBOX", [])
    roots.quota_roots.append(roots)
    assert repr(roots) == "MailboxQuotaRoots(mailbox='INBOX', quota_roots=[...])"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("dataclasses.is_dataclass(cls)", True),
        ("len(dataclasses.fields(cls)) == len(cls.__annotations__)", True),
        ("cls.__dataclass_params__.frozen", False),
        ("dataclasses.is_dataclass(type('Sub', (cls,), {}))", True),
    ],
)
def test_the_first_question_may_be_any(question: str, answer: bool) -> None:
    """In a fresh interpreter, in which nothing has looked at the fields yet."""
    classes = [type(value) for value in VALUES]
    program = [f"from {cls.__module__} import {cls.__name__}" for cls in classes]
    program += [f"import dataclasses\nfor cls in {', '.join(cls.__name__ for cls in classes)}:\n    print({question})"]
    result = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [str(answer)] * len(classes)
