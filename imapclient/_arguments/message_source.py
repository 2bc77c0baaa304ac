"""A message that is read from a file object or an iterator while it is sent (RFC 9051, 6.3.12).

APPEND announces the size before the message. So the source must supply exactly that many bytes. If some were missing,
the server would take the next command for the rest of the message.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Callable, Protocol, Union

# The number of bytes that one read asks for. The first piece also shows whether the header is ASCII.
PIECE = 262144

Progress = Callable[[int, int], object]
"""A function that gets the number of bytes sent so far, and the message's size: ``progress(262144, 1000000)``."""


class Readable(Protocol):
    """A file object that is open in binary mode. Only its ``read`` must exist."""

    def read(self, size: int, /) -> bytes: ...


Source = Union[Readable, Iterable[bytes]]


class MessageSource:
    """The bytes of one message, and their number.

    ``size`` may be None for a file that can seek. The message is then the rest of the file from its current position.
    Before anything is sent, raises TypeError or ValueError for a source or a size that can't be used.
    """

    def __init__(self, source: Source, size: int | None, progress: Progress | None = None) -> None:
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be a function, not {progress!r}")
        self._progress = progress
        self._content: _SeekableFile | _Pieces
        if hasattr(source, "read"):
            self._content = _file_content(source, size)
        else:
            _check_iterable(source, size)
            self._content = _Pieces(source, _checked_size(size))
        self.size = self._content.size

    @property
    def beginning(self) -> bytes:
        """The first bytes of the message: enough to contain the header of any usual message."""
        return self._content.beginning()

    @property
    def may_have_nul(self) -> bool:
        """Whether the message may contain NUL.

        A file that can seek is read to its end; for other sources it is True.
        """
        return self._content.may_have_nul()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes of the message, once, in pieces. Raises ValueError if their number is not the size."""
        done = 0
        for piece in self._content.pieces():
            done += len(piece)
            _check_not_longer(done, self.size)
            yield piece
            # The sender asks for the next piece when this one is sent.
            if self._progress is not None:
                self._progress(done, self.size)
        if done < self.size:
            raise ValueError(f"the message ended after {done} of {self.size} bytes")


class _SeekableFile:
    """The ``size`` bytes of a file from ``start`` on. They can be read more than once."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size
        # A file in text mode fails here, before anything is sent.
        _checked_piece(file.read(min(1, size)))
        file.seek(start)

    def beginning(self) -> bytes:
        beginning = _checked_piece(self._file.read(min(PIECE, self.size)))
        self._file.seek(self._start)
        return beginning

    def may_have_nul(self) -> bool:
        try:
            return any(b"\0" in piece for piece in self.pieces())
        finally:
            self._file.seek(self._start)

    def pieces(self) -> Iterator[bytes]:
        return map(_checked_piece, _read(self._file, self.size))


class _Pieces:
    """The bytes of an iterable, or of a file that can't seek. They can be read once."""

    def __init__(self, pieces: Iterable[Any], size: int) -> None:
        self._pieces = (piece for piece in map(_checked_piece, pieces) if piece)
        self.size = size
        # A first piece that can't be sent fails here, before anything is sent.
        self._first = list(islice(self._pieces, 1))
        _check_not_longer(len(self.beginning()), size)

    def beginning(self) -> bytes:
        return b"".join(self._first)

    def may_have_nul(self) -> bool:
        return True

    def pieces(self) -> Iterator[bytes]:
        if self._first:
            yield self._first.pop()
        yield from self._pieces


def _file_content(file: Any, size: int | None) -> _SeekableFile | _Pieces:
    if isinstance(file, io.TextIOBase):
        raise TypeError("a message is bytes: open the file in binary mode")
    extent = _extent(file)
    if extent is None:
        if size is None:
            raise ValueError("the file can't seek, so size must be given")
        size = _checked_size(size)
        return _Pieces(_read(file, size), size)
    start, end = extent
    left = max(0, end - start)
    size = left if size is None else _checked_size(size)
    # Files without an end, such as those of /proc, report the end 0.
    if end and size > left:
        raise ValueError(f"the file has {left} bytes after its current position, not {size}")
    return _SeekableFile(file, start, size)


def _extent(file: Any) -> tuple[int, int] | None:
    """The current position and the end of a file; None if it can't seek."""
    try:
        start: int = file.tell()
        end: int = file.seek(0, io.SEEK_END)
        file.seek(start)
    except (OSError, AttributeError):
        return None
    return start, end


def _read(file: Any, size: int) -> Iterator[bytes]:
    """At most ``size`` bytes, in pieces. What follows them in the file stays unread."""
    left = size
    while left:
        piece = file.read(min(PIECE, left))
        if not piece:
            return
        left -= len(piece)
        yield piece


def _check_iterable(source: Any, size: int | None) -> None:
    # A list without a size is more likely a list of messages.
    if not isinstance(source, Iterator if size is None else Iterable):
        raise TypeError(f"a message must be bytes, a file or an iterator of bytes, not {type(source).__name__}")
    if size is None:
        raise ValueError("the message is an iterator, so size must be given")


def _checked_size(size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"size must be a number of bytes, not {size!r}")
    if size < 0:
        raise ValueError(f"size must not be negative: {size}")
    return size


def _check_not_longer(done: int, size: int) -> None:
    if done > size:
        raise ValueError(f"the message has more than the announced {size} bytes")


def _checked_piece(piece: Any) -> bytes:
    if not isinstance(piece, bytes):
        raise TypeError(f"a message must consist of bytes, not of {type(piece).__name__}")
    return piece
