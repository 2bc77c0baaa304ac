"""Dataclasses that do not need the module `dataclasses` until a program asks for their fields.

That module loads inspect, ast and tokenize. To import it takes longer than to import most of this package.
"""

from __future__ import annotations

import operator
import reprlib
from typing import Any


def dataclass(cls: Any) -> Any:
    """The class with the methods and attributes of a dataclass. It must define ``__init__`` itself.

    `dataclasses.fields`, `asdict`, `replace` and a dataclass that inherits from the class find what they look for.
    Mypy is shown the real decorator instead, so that it knows the class as a dataclass.
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
