"""A message that is read as it is sent, from a file object or an iterator (RFC 9051, 6.3.12).

Its size goes before it, so what the source gives must be just that many bytes: with less the server would wait, and
take what comes next for the rest of the message.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Protocol, Union

# How much is read at a time, and how much of its beginning is looked at for a header that is no ASCII.
PIECE = 262144

Progress = Callable[[int, int], object]
"""Is told how many bytes are done, and how many there are in all: ``progress(262144, 1000000)``."""


class Readable(Protocol):
    """What is needed of a file object: open it in binary mode."""

    def read(self, size: int, /) -> bytes: ...


Source = Union[Readable, Iterable[bytes]]


class MessageSource:
    """Where a message comes from, and how many bytes it has.

    The size of a file that can seek is what is left of it from where it stands; any other source needs ``size``.
    """

    def __init__(self, source: Source, size: int | None, progress: Progress | None = None) -> None:
        self._file: Any = source if hasattr(source, "read") else None
        self._progress = progress
        self._start: int | None = None
        self._first: list[bytes] = []
        if progress is not None and not callable(progress):
            raise TypeError(f"not a function: {progress!r}")
        if isinstance(source, io.TextIOBase):
            raise TypeError("a message is bytes: open the file in binary mode")
        end = None
        if self._file is not None:
            end = self._find_end()
            if size is None:
                if end is None or self._start is None:
                    raise ValueError("the file can't seek, so its size has to be given")
                size = max(0, end - self._start)
        elif not isinstance(source, Iterator if size is None else Iterable):
            raise TypeError(f"not a message: {type(source).__name__}")
        elif size is None:
            raise ValueError("the size of a message that comes from an iterator has to be given")
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"a size is a number of bytes: {size!r}")
        if size < 0:
            raise ValueError(f"a size can't be negative: {size}")
        if self._start is not None and end and size > max(0, end - self._start):
            # Of a file without an end, such as those of /proc, nobody knows.
            raise ValueError(f"the file has {max(0, end - self._start)} bytes from where it stands, and not {size}")
        self.size = size
        self._pieces = self._read() if self._file is not None else iter(source)  # type: ignore[arg-type]
        # What can't be sent is found before anything is, if it is the first piece already.
        if self._start is not None:
            _checked(self._file.read(min(1, size)))
            self._file.seek(self._start)
        else:
            self._first = [_checked(piece) for piece in _first_of(self._pieces)]
            self._account(0, self.beginning)

    def _find_end(self) -> int | None:
        try:
            start = self._file.tell()
            end: int = self._file.seek(0, io.SEEK_END)
            self._file.seek(start)
        except (OSError, AttributeError):
            return None
        self._start = start
        return end

    def _read(self) -> Iterator[bytes]:
        left = self.size
        while left:
            piece = self._file.read(min(PIECE, left))
            if not piece:
                return
            left -= len(piece)
            yield piece

    @property
    def beginning(self) -> bytes:
        """Its first bytes: enough of them to hold the header of any usual message."""
        if self._start is None:
            return b"".join(self._first)
        beginning = _checked(self._file.read(min(PIECE, self.size)))
        self._file.seek(self._start)
        return beginning

    @property
    def may_have_nul(self) -> bool:
        """Whether there may be NUL in it. A file that can seek is read through for that."""
        if self._start is None:
            return True
        try:
            return any(b"\0" in _checked(piece) for piece in self._read())
        finally:
            self._file.seek(self._start)

    def __iter__(self) -> Iterator[bytes]:
        """Its bytes, once. ValueError where there are not as many as the size says."""
        done = 0
        while self._first:
            done = self._account(done, self._first[0])
            yield self._first.pop()
            self._tell(done)
        for piece in self._pieces:
            if _checked(piece):
                done = self._account(done, piece)
                yield piece
                self._tell(done)
        if done < self.size:
            raise ValueError(f"the message ended after {done} of {self.size} bytes")

    def _account(self, done: int, piece: bytes) -> int:
        if done + len(piece) > self.size:
            raise ValueError(f"the message has more than the {self.size} bytes that were announced")
        return done + len(piece)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self.size)


def _first_of(pieces: Iterator[Any]) -> Iterator[Any]:
    for piece in pieces:
        if not isinstance(piece, bytes) or piece:
            yield piece
            return


def _checked(piece: Any) -> bytes:
    if not isinstance(piece, bytes):
        raise TypeError(f"a message is made of bytes, not of {type(piece).__name__}")
    return piece
