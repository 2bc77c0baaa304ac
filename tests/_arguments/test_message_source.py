"""The source of a streamed message: its size, its pieces, and invalid sources."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imapclient._arguments.message_source import PIECE, MessageSource


class Unseekable(io.RawIOBase):
    """A pipe, or a file from the network."""

    def __init__(self, data: bytes, most: int = 1 << 20) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._most))

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_a_file_is_sent_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "message.eml"
    path.write_bytes(b"x" * 100 + b"y" * 600_000)
    with path.open("rb") as file:
        file.seek(100)
        source = MessageSource(file, None)
        assert source.size == 600_000
        pieces = list(source)
    assert b"".join(pieces) == b"y" * 600_000
    assert max(map(len, pieces)) == PIECE


@pytest.mark.parametrize("size", [0, 1, 3, 7])
def test_of_a_file_no_more_is_read_than_is_wanted(size: int) -> None:
    file = io.BytesIO(b"0123456789")
    assert b"".join(MessageSource(file, size)) == b"0123456789"[:size]
    assert file.read() == b"0123456789"[size:]


@pytest.mark.parametrize(
    "source",
    [
        lambda: Unseekable(b"abcdef"),
        lambda: Unseekable(b"abcdef", most=1),
        lambda: iter([b"abc", b"", b"def"]),
        lambda: iter([b"", b"abcdef"]),
        lambda: [b"abc", b"def"],
        lambda: (bytes([byte]) for byte in b"abcdef"),
        lambda: io.BufferedReader(Unseekable(b"abcdef")),
        lambda: io.BytesIO(b"abcdef"),
    ],
)
def test_sources_with_a_known_size(source: Callable[[], Any]) -> None:
    told: list[tuple[int, int]] = []
    message = MessageSource(source(), 6, lambda done, total: told.append((done, total)))
    assert b"abcdef".startswith(message.beginning)
    assert b"".join(message) == b"abcdef"
    assert told[-1] == (6, 6)
    assert told == sorted(told)


def test_a_spooled_file() -> None:
    with tempfile.SpooledTemporaryFile(10) as file:
        file.write(b"x" * 1000)
        file.seek(0)
        assert b"".join(MessageSource(file, None)) == b"x" * 1000


def test_a_file_that_stands_beyond_its_end_is_empty() -> None:
    file = io.BytesIO(b"abc")
    file.seek(100)
    assert list(MessageSource(file, None)) == []


@pytest.mark.parametrize(
    ("source", "size", "pattern"),
    [
        (lambda: Unseekable(b"x"), None, "can't seek"),
        (lambda: iter([b"x"]), None, "iterator"),
        (lambda: io.BytesIO(b"x"), -1, "negative"),
        (lambda: iter([b"abc"]), 2, "more than the announced 2 bytes"),
    ],
)
def test_sizes_that_are_not_known_or_wrong(source: Callable[[], Any], size: int | None, pattern: str) -> None:
    with pytest.raises(ValueError, match=pattern):
        MessageSource(source(), size)


@pytest.mark.parametrize("source", [5, None, ["x"], object(), {b"a": 1}])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(TypeError, match="a message must be bytes, a file or an iterator"):
        MessageSource(source, None)


@pytest.mark.parametrize("size", ["5", 5.0, True])
def test_what_is_no_size(size: Any) -> None:
    with pytest.raises(TypeError, match="number of bytes"):
        MessageSource(io.BytesIO(b"abcdef"), size)


@pytest.mark.parametrize("source", [lambda: io.StringIO("abc"), lambda: iter(["abc"]), lambda: iter([1, 2, 3])])
def test_text_is_refused_before_anything_is_sent(source: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="bytes"):
        MessageSource(source(), 3)


def test_text_from_what_only_looks_like_a_file_is_refused_too() -> None:
    class Text(io.BytesIO):
        def read(self, size: int | None = -1) -> Any:
            return super().read(size).decode()

    with pytest.raises(TypeError, match="bytes"):
        MessageSource(Text(b"abc"), None)


def test_a_file_that_is_too_short_is_told_before_anything_is_sent() -> None:
    file = io.BytesIO(b"abcdef")
    file.seek(2)
    with pytest.raises(ValueError, match="4 bytes after its current position, not 5"):
        MessageSource(file, 5)
    assert file.tell() == 2


@pytest.mark.parametrize("source", [lambda: iter([b"a", b"bc"]), lambda: Unseekable(b"abc")])
def test_a_message_that_ends_too_early(source: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="ended after 3 of 5 bytes"):
        list(MessageSource(source(), 5))


def test_an_iterator_that_goes_on_too_long() -> None:
    pieces = iter(MessageSource(iter([b"abc", b"def"]), 5))
    assert next(pieces) == b"abc"
    with pytest.raises(ValueError, match="more than the announced 5 bytes"):
        next(pieces)


def test_bytes_after_the_last_one_are_not_dropped_in_silence() -> None:
    with pytest.raises(ValueError, match="more than the announced 3 bytes"):
        list(MessageSource(iter([b"abc", b"d"]), 3))


def test_progress_is_told_once_a_piece_is_taken() -> None:
    """The caller asks for the next piece after the last one is sent."""
    told = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"ab", b"cd"):
            told.append(piece)
            yield piece

    for piece in MessageSource(pieces(), 4, lambda done, total: told.append((done, total))):  # type: ignore[arg-type]
        told.append(b"sent " + piece)
    assert told == [b"ab", b"sent ab", (2, 4), b"cd", b"sent cd", (4, 4)]


def test_nul_is_looked_for_where_that_is_possible() -> None:
    for data, has in ((b"a" * 600_000 + b"\0", True), (b"a" * 600_000, False)):
        file = io.BytesIO(b"\0\0" + data + b"\0")
        file.seek(2)
        source = MessageSource(file, len(data))
        assert source.may_have_nul is has
        assert b"".join(source) == data
    assert MessageSource(iter([b"a"]), 1).may_have_nul
