"""APPEND of what is read while it is sent: the bytes on the wire, and in which state an interruption leaves things."""

from __future__ import annotations

import datetime
import io
import urllib.error
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from imapclient import IMAPClient
from imapclient.exceptions import CommandError, IllegalStateError, IMAPClientAbortError, TooBigError, TryCreateError
from tests.helpers.clients import assert_unusable
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import ScriptItem

PLUS = "IMAP4rev1 LITERAL+ UIDPLUS"
LARGE = bytes(range(32, 127)) * 20_000


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "message.eml"
    path.write_bytes(LARGE)
    script: list[ScriptItem] = [
        f'C: A1 APPEND "x" (\\Seen) "01-Feb-2020 10:11:12 +0000" {{{len(LARGE)}}}\nS: + go',
        b"C: " + LARGE,
        "S: A1 OK [APPENDUID 9 7] stored",
    ]
    time = datetime.datetime(2020, 2, 1, 10, 11, 12, tzinfo=datetime.timezone.utc)
    told = []
    with dialogue(script) as client, path.open("rb") as file:
        reply = client.append("x", file, "\\Seen", time, progress=lambda done, total: told.append((done, total)))
        assert reply == b"[APPENDUID 9 7] stored"
        assert reply.uids is not None
        assert list(reply.uids) == [7]
    assert told[-1] == (len(LARGE), len(LARGE))
    assert len(told) == -(-len(LARGE) // 262144)


@pytest.mark.parametrize(
    "message", [b"abc", "abc", bytearray(b"abc"), iter([b"a", b"bc"]), [b"ab", b"c"], io.BytesIO(b"abcdef")]
)
def test_a_size_and_progress_go_with_any_message(message: Any) -> None:
    told = []
    with dialogue('C: A1 APPEND "x" {3}\nS: + go\nC: abc\nS: A1 OK done') as client:
        client.append("x", message, size=3, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)


def test_an_empty_file() -> None:
    with dialogue('C: A1 APPEND "x" {0}\nS: + go\nC: \nS: A1 OK done') as client:
        assert client.append("x", io.BytesIO()) == b"done"


def test_the_server_is_asked_first_even_where_it_has_literal_plus() -> None:
    """What it has no room for is not read and not sent."""
    script = 'C: A1 APPEND "x" {6}\nS: A1 NO [TOOBIG] too big\nC: A2 NOOP\nS: A2 OK done'
    file = io.BytesIO(b"abcdef")
    with dialogue(script, capabilities=PLUS) as client:
        with pytest.raises(TooBigError) as caught:
            client.append("x", file)
        assert vars(caught.value)["message_sent"] is False
        client.noop()
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("capabilities", "source", "size", "announced"),
    [
        ("IMAP4rev1 BINARY", io.BytesIO(b"a\0b"), None, "~{3}"),
        ("IMAP4rev1 BINARY", io.BytesIO(b"abc"), None, "{3}"),
        ("IMAP4rev1 BINARY", iter([b"abc"]), 3, "~{3}"),
        ("IMAP4rev1", io.BytesIO(b"a\0b"), None, "{3}"),
        ("IMAP4rev1", iter([b"abc"]), 3, "{3}"),
    ],
)
def test_nul_goes_in_a_literal8(capabilities: str, source: Any, size: int | None, announced: str) -> None:
    """A source that can be read once only may have NUL."""
    data = "a\\0b" if isinstance(source, io.BytesIO) and b"\0" in source.getvalue() else "abc"
    script = f'C: A1 APPEND "x" {announced}\nS: + go\nCx: {data}\nS: A1 OK done'
    with dialogue(script, capabilities=capabilities) as client:
        client.append("x", source, size=size)


@pytest.mark.parametrize("source", [io.BytesIO, lambda data: iter([data])])
def test_a_header_in_utf8(source: Any) -> None:
    message = "Subject: Grüße\r\n\r\nHallo".encode()
    script = [
        "C: A1 ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: A1 OK done",
        f'C: A2 APPEND "x" () UTF8 (~{{{len(message)}}}\nS: + go',
        "C: Subject: Grüße\nC: \nC: Hallo)\nS: A2 OK done",
    ]
    with dialogue(script, capabilities="IMAP4rev1 ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        client.append("x", source(message), size=len(message))


@pytest.mark.parametrize("message", [5, None, ["abc"], {"msg": b"x"}])
def test_what_is_no_message(message: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError):
        client.append("x", message)


def test_wrong_sizes_are_told_before_anything_is_sent() -> None:
    with dialogue() as client:
        for message, size in ((iter([b"x"]), None), (iter([b"abc"]), 2), (io.BytesIO(), -1)):
            with pytest.raises(ValueError, match=r"size|more than"):
                client.append("x", message, size=size)


@pytest.mark.parametrize("message", [b"abc", io.BytesIO(b"abc")], ids=["bytes", "file"])
def test_a_progress_that_is_no_function_is_told_before_anything_is_sent(message: Any) -> None:
    progress: Any
    with dialogue() as client:
        for progress in ("x", 5, [print]):
            with pytest.raises(TypeError, match="progress must be a function"):
                client.append("x", message, progress=progress)


@pytest.mark.parametrize("size", [0, 2, 4])
def test_the_size_of_a_message_in_bytes_is_its_own(size: int) -> None:
    with dialogue() as client, pytest.raises(ValueError, match="size must be 3"):
        client.append("x", b"abc", size=size)


# -- interruptions


class _Cut(Exception):
    pass


def _cut_off(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces
    raise _Cut("the disk went away")


def test_a_source_that_fails_leaves_no_message_and_no_connection() -> None:
    with dialogue('C: A1 APPEND "x" {6}\nS: + go\nC-: abc') as client:
        with pytest.raises(_Cut) as caught:
            client.append("x", _cut_off(b"abc"), size=6)
        assert vars(caught.value)["message_sent"] is False
        assert_unusable(client, caught.value)


def test_so_does_a_progress_that_fails_even_at_the_end() -> None:
    """The end of the command has not been sent then."""

    def progress(done: int, total: int) -> None:
        if done == total:
            raise _Cut

    with dialogue('C: A1 APPEND "x" {6}\nS: + go\nC-: abcdef') as client:
        with pytest.raises(_Cut) as caught:
            client.append("x", iter([b"abc", b"def"]), size=6, progress=progress)
        assert vars(caught.value)["message_sent"] is False
        assert_unusable(client, caught.value)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abc", b"defg"]])
def test_a_source_of_another_size(pieces: list[bytes]) -> None:
    """The rest can't be made up, nor may what is too much become a command."""
    with dialogue('C: A1 APPEND "x" {6}\nS: + go\nC-: abc') as client:
        with pytest.raises(ValueError, match="6 bytes") as caught:
            client.append("x", iter(pieces), size=6)
        assert_unusable(client, caught.value)


def test_ctrl_c() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"abc"
        raise KeyboardInterrupt

    with dialogue('C: A1 APPEND "x" {6}\nS: + go\nC-: abc') as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.append("x", pieces(), size=6)
        assert vars(caught.value)["message_sent"] is False


@pytest.mark.parametrize("script", ["C: abc\nCLOSE", "C: abc\nS: * BYE shutting down\nCLOSE"])
def test_a_connection_that_is_lost_after_the_whole_message(script: str) -> None:
    """The message may be in the folder."""
    with dialogue('C: A1 APPEND "x" {3}\nS: + go\n' + script) as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.append("x", io.BytesIO(b"abc"))
        assert vars(caught.value)["message_sent"] is True


def test_a_connection_that_is_lost_before_it() -> None:
    with dialogue('C: A1 APPEND "x" {3}\nCLOSE') as client:
        with pytest.raises(IMAPClientAbortError) as caught:
            client.append("x", io.BytesIO(b"abc"))
        assert vars(caught.value)["message_sent"] is False


def test_a_refusal_after_the_whole_message() -> None:
    script = 'C: A1 APPEND "x" {3}\nS: + go\nC: abc\nS: A1 NO [TRYCREATE] no such folder\nC: A2 NOOP\nS: A2 OK done'
    with dialogue(script) as client:
        with pytest.raises(TryCreateError) as caught:
            client.append("x", io.BytesIO(b"abc"))
        assert vars(caught.value)["message_sent"] is True
        client.noop()


def test_a_message_in_bytes_has_the_attribute_too() -> None:
    with dialogue('C: A1 APPEND "x" {3}\nS: A1 NO no') as client:
        with pytest.raises(CommandError) as caught:
            client.append("x", b"abc")
        assert vars(caught.value)["message_sent"] is False


def test_no_command_goes_into_a_message() -> None:
    """Its text would become part of it."""
    caught = []

    def progress(done: int, total: int) -> None:
        for call in (client.noop, client.idle, lambda: client.append("x", b"y")):
            try:
                call()
            except IllegalStateError as error:
                caught.append(str(error))

    script = 'C: A1 APPEND "x" {6}\nS: + go\nC: abcdef\nS: A1 OK done\nC: A2 NOOP\nS: A2 OK done'
    client: IMAPClient
    with dialogue(script, capabilities="IMAP4rev1 IDLE") as client:
        client.append("x", iter([b"abcdef"]), size=6, progress=progress)
        client.noop()
    assert len(caught) == 3
    assert "a message is being sent" in caught[0]


def test_the_log_has_the_size_and_not_the_text(caplog: pytest.LogCaptureFixture) -> None:
    script = 'C: A1 APPEND "x" {3}\nS: + go\nC: abc\nS: A1 OK done'
    with caplog.at_level("DEBUG", "imapclient"), dialogue(script) as client:
        client.append("x", io.BytesIO(b"abc"))
    assert "> <3 bytes that are streamed>" in caplog.text
    assert "abc" not in caplog.text


class _OwnConstructor(OSError):
    def __init__(self, path: str, code: int) -> None:
        super().__init__(f"{path}: {code}")


@pytest.mark.parametrize(
    "raised",
    [
        OSError(5, "Input/output error", "message.eml"),
        BrokenPipeError(32, "stdout closed"),
        _OwnConstructor("http://files/rest", 503),
        urllib.error.HTTPError("http://files/rest", 503, "busy", Message(), None),
    ],
    ids=lambda raised: type(raised).__name__,
)
@pytest.mark.parametrize("by", ["source", "progress"])
def test_errors_of_the_system_that_the_source_raises(raised: OSError, by: str) -> None:
    """They are not about the connection, and nothing is sent after them: it would be taken for the message."""

    def source() -> Iterator[bytes]:
        yield b"abc"
        if by == "source":
            raise raised
        yield b"de"

    def progress(done: int, total: int) -> None:
        if by == "progress":
            raise raised

    with dialogue('C: A1 APPEND "x" {6}\nS: + go\nC-: abc') as client:
        with pytest.raises(OSError) as caught:  # noqa: PT011
            client.append("x", source(), size=6, progress=progress)
        assert caught.value is raised
        assert not isinstance(raised, IMAPClientAbortError)
        assert raised.message_sent is False  # type: ignore[attr-defined]
        assert_unusable(client, raised)
