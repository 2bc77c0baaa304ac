"""Dataclasses, named tuples and regular expressions that cost little when the package is imported.

The module `dataclasses` loads inspect, ast and tokenize. It is not imported until a program asks for the fields of a
dataclass. `typing.NamedTuple` compiles the annotation of each field, which takes three times as long as the rest. An
expression is compiled when it is first used.

Mypy is shown the originals instead, so that it knows the classes as what they are.
"""

from __future__ import annotations

import collections
import operator
import re
import reprlib
from typing import TYPE_CHECKING, Any, AnyStr


def _dataclass(cls: Any) -> Any:
    """The class with the methods and attributes of a dataclass. It must define ``__init__`` itself.

    `dataclasses.fields`, `asdict`, `replace` and a dataclass that inherits from the class find what they look for.
    """
    names = tuple(cls.__annotations__)
    values = operator.attrgetter(*names)

    @reprlib.recursive_repr()
    def __repr__(self: Any) -> str:
        fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{type(self).__qualname__}({fields})"

    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __replace__(self: Any, /, **changes: Any) -> Any:
        import dataclasses

        return dataclasses.replace(self, **changes)

    made = {
        "__repr__": __repr__,
        "__eq__": __eq__,
        "__hash__": None,
        # For copy.replace, from Python 3.13 on.
        "__replace__": __replace__,
        # For the match statement, from Python 3.10 on.
        "__match_args__": names,
        **{name: _MadeWhenRead(cls, name) for name in _MadeWhenRead.NAMES},
    }
    for name, value in made.items():
        setattr(cls, name, value)
    return cls


class _MadeWhenRead:
    """An attribute that the module `dataclasses` makes, and looks for in other classes."""

    NAMES = ("__dataclass_fields__", "__dataclass_params__")

    def __init__(self, cls: Any, name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, value: object, owner: type | None = None) -> Any:
        import dataclasses

        body = {"__annotations__": dict(self._cls.__annotations__), "__module__": __name__}
        real: Any = dataclasses.dataclass(type(self._cls.__name__, (), body))
        for name in self.NAMES:
            setattr(self._cls, name, getattr(real, name))
        return getattr(real, self._name)


class _NamedTupleMaker(type):
    """The metaclass of `_NamedTuple` itself. Its subclasses are plain named tuples."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields: dict[str, Any] = body["__annotations__"]
        defaults = [body[field] for field in fields if field in body]
        # As any value, because mypy wants to know the fields.
        namedtuple: Any = collections.namedtuple
        made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
        made.__annotations__ = made.__new__.__annotations__ = fields
        for key, value in body.items():
            if key not in fields and key not in ("__annotations__", "__module__", "__qualname__"):
                setattr(made, key, value)
        return made


class _NamedTuple(metaclass=_NamedTupleMaker):
    """What `typing.NamedTuple` is: the base of a class whose fields are its annotations."""


class _Expression:
    """A regular expression that is not compiled yet. Its methods are those of `re.Pattern`."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._arguments = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        # Called once for each method. From then on the method is an attribute, so that using it costs nothing more.
        method = getattr(re.compile(*self._arguments), name)
        setattr(self, name, method)
        return method


def expression(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` returns, but compiled when it is first used."""
    made: Any = _Expression(pattern, flags)
    return made  # type: ignore[no-any-return]


if TYPE_CHECKING:
    from dataclasses import dataclass
    from typing import NamedTuple
else:
    dataclass, NamedTuple = _dataclass, _NamedTuple

__all__ = ["NamedTuple", "dataclass", "expression"]
