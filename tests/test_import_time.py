"""What is made without the modules that take long to import: named tuples and regular expressions.

Dataclasses have a file of their own.
"""

from __future__ import annotations

import pickle
import re
import typing
from typing import Any

import pytest

from imapclient import _import_time
from imapclient._import_time import expression
from imapclient.response_types import Namespace


class Made(_import_time.NamedTuple):
    """A named tuple of ours."""

    name: bytes
    size: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.size


class Real(typing.NamedTuple):
    """A named tuple of typing."""

    name: bytes
    size: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.size


def test_a_named_tuple_is_like_one_of_typing() -> None:
    made: Any = Made(b"a", size=5)
    real: Any = Real(b"a", size=5)
    assert made == real == (b"a", 5)
    assert repr(made) == "Made(name=b'a', size=5)"
    assert (made.is_empty, Made(b"b").is_empty) == (False, True)
    assert made._replace(size=7) == Made(b"a", 7)
    assert made._asdict() == real._asdict()
    assert Made._fields == Real._fields
    assert Made._field_defaults == Real._field_defaults
    assert Made.__mro__ == (Made, tuple, object)
    assert (Made.__doc__, Made.__module__) == ("A named tuple of ours.", __name__)
    assert list(Made.__annotations__) == list(Real.__annotations__)
    with pytest.raises(TypeError, match="missing"):
        Made()  # type: ignore[call-arg]


def test_a_named_tuple_is_pickled() -> None:
    found = pickle.loads(pickle.dumps(Made(b"a", 5)))
    assert (type(found), found) == (Made, Made(b"a", 5))


def test_a_public_named_tuple() -> None:
    assert Namespace.__annotations__.keys() == {"personal", "other", "shared"}
    assert Namespace._make([None, None, None]) == Namespace(None, None, None)


@pytest.mark.parametrize("method", ["match", "fullmatch", "search", "findall", "sub", "finditer"])
def test_an_expression_is_like_a_compiled_one(method: str) -> None:
    arguments = ("-", "aXbx") if method == "sub" else ("aXbx",)
    pattern = "([a-z])x"
    lazy: Any = expression(pattern, re.IGNORECASE)
    compiled: Any = re.compile(pattern, re.IGNORECASE)
    for _ in range(2):
        found, expected = getattr(lazy, method)(*arguments), getattr(compiled, method)(*arguments)
        assert _plain(found) == _plain(expected)
    assert (lazy.pattern, lazy.flags, lazy.groups) == (compiled.pattern, compiled.flags, compiled.groups)


def _plain(found: Any) -> Any:
    if isinstance(found, (str, list)) or found is None:
        return found
    return found.span() if isinstance(found, re.Match) else [match.span() for match in found]


def test_an_expression_is_compiled_when_it_is_used() -> None:
    broken = expression("(")
    with pytest.raises(re.error):
        broken.match("text")
