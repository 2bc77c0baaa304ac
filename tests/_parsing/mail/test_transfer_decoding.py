"""Transfer encodings, decoded piece by piece: the same as decoding the whole."""

from __future__ import annotations

import base64
import binascii
import email
import io
import random
from typing import Any

import pytest

from imapclient._parsing.mail.transfer_decoding import Decoder, Identity, PartWriter, decoder_for
from imapclient.exceptions import ProtocolError


def decoded(encoding: str, *pieces: bytes) -> bytes:
    decoder = decoder_for(encoding)
    return b"".join([*map(decoder.feed, pieces), decoder.end()])


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(12)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)])]


@pytest.mark.parametrize("seed", range(40))
def test_base64_in_any_pieces(seed: int) -> None:
    rng = random.Random(seed)
    content = rng.randbytes(rng.randrange(400))
    data = base64.encodebytes(content).replace(b"\n", b"\r\n")
    assert decoded("base64", *cut(data, rng)) == content


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", b""),
        (b"QUJD", b"ABC"),
        (b"QUI=", b"AB"),
        (b"QUI", b"AB"),
        (b"QQ", b"A"),
        (b"QUJDR", b"ABC"),
        (b"Q!U\x00J\xffD-_", b"ABC"),
        (b"QUI=\r\n-- \r\nUnsubscribe here: https://lists.example.org\r\n", b"AB"),
        (b"====", b""),
    ],
)
def test_base64_as_it_comes(data: bytes, content: bytes) -> None:
    for size in (1, 3, 1000):
        assert decoded("base64", *(data[start : start + size] for start in range(0, len(data), size))) == content


def quoted(rng: random.Random) -> bytes:
    parts = [b"text ", b"=41", b"=C3=BC", b"=3d", b"=\r\n", b"=\n", b"\r\n", b"=", b"=4", b"=ZZ", b" \t\r\n", b"x" * 70]
    return b"".join(rng.choice(parts) for _ in range(rng.randrange(60)))


@pytest.mark.parametrize("seed", range(60))
def test_quoted_printable_in_any_pieces(seed: int) -> None:
    rng = random.Random(seed)
    data = quoted(rng)
    assert decoded("quoted-printable", *cut(data, rng)) == binascii.a2b_qp(data)


def test_quoted_printable_without_line_ends_takes_little_memory() -> None:
    decoder = decoder_for("quoted-printable")
    piece = b"=41=42" * 5000
    out = b""
    for start in range(0, 100 * len(piece), 29_999):
        whole = piece * 2
        out += decoder.feed(whole[start % 6 :][:29_999])
    out += decoder.end()
    assert set(out) <= set(b"AB=4123")
    assert len(vars(decoder)["_rest"]) == 0


@pytest.mark.parametrize("shift", range(6))
def test_a_long_line_is_not_cut_within_a_character(shift: int) -> None:
    data = b"x" * shift + b"=41=42" * 30_000
    pieces = [data[start : start + 10_000] for start in range(0, len(data), 10_000)]
    assert decoded("quoted-printable", *pieces) == b"x" * shift + b"AB" * 30_000


@pytest.mark.parametrize("encoding", ["", "7bit", "8BIT", " Binary "])
def test_bytes_that_are_not_encoded(encoding: str) -> None:
    assert decoded(encoding, b"a=41\r\n", b"QUJD") == b"a=41\r\nQUJD"


@pytest.mark.parametrize("encoding", ["x-uuencode", "base65", "bäse64"])
def test_an_unknown_encoding(encoding: str) -> None:
    with pytest.raises(ProtocolError, match="unknown transfer encoding"):
        decoder_for(encoding)


# -- writing


class _Raw(io.BytesIO):
    """A raw file that writes three bytes at a time."""

    def write(self, data: Any) -> int:
        return super().write(data[:3])


class _Silent(io.BytesIO):
    """A file whose write() returns None."""

    def write(self, data: Any) -> Any:
        super().write(data)


@pytest.mark.parametrize("file", [io.BytesIO(), _Raw(), _Silent()])
def test_all_of_it_is_written(file: io.BytesIO) -> None:
    writer = PartWriter(file, Identity())
    writer.feed(b"0123456789")
    writer.feed(b"")
    writer.feed(b"ab")
    writer.end()
    assert (file.getvalue(), writer.written) == (b"0123456789ab", 12)


def test_a_file_that_takes_nothing() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            return 0

    with pytest.raises(OSError, match="accepts no more data"):
        PartWriter(Full(), Identity()).feed(b"x")


def test_the_rest_is_written_at_the_end() -> None:
    file = io.BytesIO()
    decoder: Decoder = decoder_for("base64")
    writer = PartWriter(file, decoder)
    writer.feed(b"QUJDRE")
    assert file.getvalue() == b"ABC"
    writer.end()
    assert (file.getvalue(), writer.written) == (b"ABCD", 4)


@pytest.mark.parametrize("seed", range(200))
def test_base64_with_stray_equals_signs(seed: int) -> None:
    """As the email package decodes it. A single last character is skipped."""
    rng = random.Random(seed)
    data = b"".join(rng.choice((b"QUJD", b"R", b"UE", b"=", b"==", b"\r\n", b"!")) for _ in range(rng.randrange(1, 16)))
    message = email.message_from_bytes(b"Content-Transfer-Encoding: base64\n\n" + data)
    expected = message.get_payload(decode=True)
    found = decoded("base64", *cut(data, rng))
    assert found == decoded("base64", data)
    if any("InvalidBase64LengthDefect" in repr(defect) for defect in message.defects):
        return
    assert found == expected


def test_base64_lines_that_end_in_equals_signs() -> None:
    assert decoded("base64", b"QUJD=\r\nREVG=\r\n", b"=R0hJ=") == b"ABCDEFGHI"
