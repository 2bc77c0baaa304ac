"""download: the pieces that are asked for, what is written, and in which state an interruption leaves things."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from imapclient._commands import download
from imapclient.exceptions import (
    CommandError,
    IllegalStateError,
    IMAPClientAbortError,
    NoSuchPartError,
    ProtocolError,
)
from tests.helpers.clients import connected
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import PeerFactory

pytestmark = pytest.mark.usefixtures("both_fetch_paths")

_STRUCTURE = (
    '(("TEXT" "PLAIN" NIL NIL NIL "QUOTED-PRINTABLE" 8 1)("IMAGE" "PNG" NIL NIL NIL "BASE64" 22)'
    '("APPLICATION" "X" NIL NIL NIL "X-OWN" 3) "MIXED")'
)


def _first(section: str, text: str, about: str = f"BODYSTRUCTURE {_STRUCTURE}", size: int = 10) -> str:
    item = about.split(" ")[0]
    return f"""
        C: A1 UID FETCH 7 ({item} BODY.PEEK[{section}]<0.{size}>)
        S: * 3 FETCH (UID 7 {about} BODY[{section}]<0> {text})
        S: A1 OK done
    """


def _piece(tag: str, section: str, start: int, text: str, size: int = 10) -> str:
    return f"""
        C: {tag} UID FETCH 7 (BODY.PEEK[{section}]<{start}.{size}>)
        S: * 3 FETCH (UID 7 BODY[{section}]<{start}> {text})
        S: {tag} OK done
    """


_NOOP = "\nC: A9 NOOP\nS: A9 OK done"


def test_a_small_part_takes_one_round_trip() -> None:
    file = io.BytesIO()
    with dialogue(_first("1", '"Gr=C3=BC"')) as client:
        assert client.download(7, "1", file, chunk_size=10) == 8
    assert file.getvalue() == b"Gr=C3=BC"


def test_a_large_part_comes_in_pieces() -> None:
    told: list[tuple[int, int | None]] = []
    script = _first("2", '"QUJDREVGR0"') + _piece("A2", "2", 10, '"hJSktMTU5P"') + _piece("A3", "2", 20, '"UA"')
    file = io.BytesIO()
    with dialogue(script) as client:
        written = client.download(
            7, "2", file, decode=True, chunk_size=10, progress=lambda done, total: told.append((done, total))
        )
    assert file.getvalue() == b"ABCDEFGHIJKLMNOP"
    assert written == 16
    assert told == [(10, 22), (20, 22), (22, 22)]


def test_quoted_printable_is_decoded() -> None:
    file = io.BytesIO()
    script = _first("1", '"Gr=C3=BC=C"') + _piece("A2", "1", 10, '"3=9F"')
    with dialogue(script) as client:
        assert client.download(7, "1", file, decode=True, chunk_size=10) == 6
    assert file.getvalue() == "Grüß".encode()


def test_a_whole_message() -> None:
    told: list[tuple[int, int | None]] = []
    file = io.BytesIO()
    script = _first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"')
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=10, progress=lambda d, t: told.append((d, t))) == 12
    assert (file.getvalue(), told) == (b"0123456789ab", [(10, 12), (12, 12)])


@pytest.mark.parametrize("section", ["HEADER", "TEXT", "1.MIME", "2.1.HEADER", b"header"])
def test_other_sections_have_no_size(section: Any) -> None:
    told: list[tuple[int, int | None]] = []
    name = section.decode().upper() if isinstance(section, bytes) else section
    file = io.BytesIO()
    with dialogue(_first(name, '"abc"', "RFC822.SIZE 12")) as client:
        client.download(7, section, file, chunk_size=10, progress=lambda d, t: told.append((d, t)))
    assert (file.getvalue(), told) == (b"abc", [(3, None)])


def test_a_message_larger_than_the_client_takes_of_a_literal(peer: PeerFactory) -> None:
    script = "S: * PREAUTH ready\n" + _first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"')
    file = io.BytesIO()
    with connected(peer(script), max_literal_size=10) as client:
        assert client.download(7, "", file) == 12


def test_a_part_that_fills_its_last_piece() -> None:
    file = io.BytesIO()
    script = _first("", '"0123456789"', "RFC822.SIZE 10") + _piece("A2", "", 10, '""')
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=10) == 10


@pytest.mark.parametrize("end", ['""', "NIL"])
def test_a_size_that_is_too_large(end: str) -> None:
    """Exchange computes sizes of messages that it does not store as they are."""
    file = io.BytesIO()
    script = _first("", '"0123"', "RFC822.SIZE 4711") + _piece("A2", "", 4, end) + _piece("A3", "", 3, '"3"', 1)
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=10) == 4


@pytest.mark.parametrize("end", ['""', "NIL"])
def test_a_message_that_is_gone_in_the_middle(end: str) -> None:
    """A server may send nothing then, and say OK (RFC 2180, 4.1.3)."""
    file = io.BytesIO()
    script = _first("", '"0123456789"', "RFC822.SIZE 30") + _piece("A2", "", 10, end) + _piece("A3", "", 20, end)
    with dialogue(script + _piece("A4", "", 9, end, 1) + _NOOP) as client:
        with pytest.raises(ProtocolError, match="nothing after 10 bytes"):
            client.download(7, "", file, chunk_size=10)
        client.noop()
    assert file.getvalue() == b"0123456789"


def test_a_part_that_should_have_text_and_has_none() -> None:
    with dialogue(_first("1", '""')) as client, pytest.raises(ProtocolError, match="nothing after 0 bytes"):
        client.download(7, "1", io.BytesIO(), chunk_size=10)


def test_a_size_that_is_too_small() -> None:
    file = io.BytesIO()
    script = _first("", '"0123456789"', "RFC822.SIZE 3") + _piece("A2", "", 10, '"ab"')
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=10) == 12


def test_pieces_shorter_than_asked_for() -> None:
    """What a server may do that has a limit of its own."""
    file = io.BytesIO()
    script = _first("", '"0123"', "RFC822.SIZE 8") + _piece("A2", "", 4, '"4567"')
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=10) == 8
    assert file.getvalue() == b"01234567"


def test_a_server_that_sends_all_instead_of_a_piece() -> None:
    script = f"""
        C: A1 UID FETCH 7 (RFC822.SIZE BODY.PEEK[]<0.3>)
        S: * 3 FETCH (UID 7 RFC822.SIZE 8 BODY[] "01234567")
        S: A1 OK done
        {_NOOP}
    """
    file = io.BytesIO()
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=3) == 8
        client.noop()
    assert file.getvalue() == b"01234567"


def test_an_empty_part() -> None:
    about = 'BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)'
    file = io.BytesIO()
    with dialogue(_first("1", '""', about)) as client:
        assert client.download(7, "1", file, decode=True, chunk_size=10) == 0


def test_sequence_numbers_go_over_to_uids() -> None:
    """Which the message keeps, whatever is removed between two pieces."""
    script = f"""
        C: A1 FETCH 3 (UID RFC822.SIZE BODY.PEEK[]<0.10>)
        S: * 3 FETCH (UID 7 RFC822.SIZE 12 BODY[]<0> "0123456789")
        S: A1 OK done
        {_piece("A2", "", 10, '"ab"')}
    """
    file = io.BytesIO()
    with dialogue(script, use_uid=False) as client:
        assert client.download(3, "", file, chunk_size=10) == 12


# -- the encoding by the part's header


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: BASE64\r\n\r\n", b"ABC"),
        ("Content-Type: text/plain\r\n\r\n", b"QUJD"),
    ],
)
@pytest.mark.parametrize("about", ["BODYSTRUCTURE NIL", "BODYSTRUCTURE (x)", f"BODYSTRUCTURE {_STRUCTURE}"])
def test_where_the_structure_does_not_tell(about: str, header: str, content: bytes) -> None:
    file = io.BytesIO()
    script = (
        _first("5", '"QUJD"', about)
        + f"""
        C: A2 UID FETCH 7 (BODY.PEEK[5.MIME])
        S: * 3 FETCH (UID 7 BODY[5.MIME] {{{len(header)}}}
        Sx-: {header.replace(chr(13), "").replace(chr(10), chr(92) + "r" + chr(92) + "n")}
        S: )
        S: A2 OK done
    """
    )
    with dialogue(script) as client:
        client.download(7, "5", file, decode=True, chunk_size=10)
    assert file.getvalue() == content


def test_where_the_header_does_not_tell_either() -> None:
    script = _first("5", '"QUJD"') + "C: A2 UID FETCH 7 (BODY.PEEK[5.MIME])\nS: * 3 FETCH (UID 7 BODY[5.MIME] NIL)\n"
    file = io.BytesIO()
    with dialogue(script + "S: A2 OK done" + _NOOP) as client:
        with pytest.raises(ProtocolError, match="transfer encoding"):
            client.download(7, "5", file, decode=True, chunk_size=10)
        client.noop()
    assert file.getvalue() == b""


def test_an_unknown_encoding_writes_nothing() -> None:
    file = io.BytesIO()
    with dialogue(_first("3", '"abc"') + _NOOP) as client:
        with pytest.raises(ProtocolError, match="x-own"):
            client.download(7, "3", file, decode=True, chunk_size=10)
        client.noop()
    assert file.getvalue() == b""


# -- what is not there


@pytest.mark.parametrize("text", ["NIL", '""'])
def test_no_such_part(text: str) -> None:
    with dialogue(_first("9", text) + _NOOP) as client:
        with pytest.raises(NoSuchPartError):
            client.download(7, "9", io.BytesIO(), chunk_size=10)
        client.noop()


def test_no_such_message() -> None:
    script = "C: A1 UID FETCH 7 (RFC822.SIZE BODY.PEEK[]<0.10>)\nS: A1 OK done"
    with dialogue(script + _NOOP) as client:
        with pytest.raises(NoSuchPartError, match="no such message"):
            client.download(7, "", io.BytesIO(), chunk_size=10)
        client.noop()


def test_a_message_that_is_removed_meanwhile() -> None:
    file = io.BytesIO()
    script = _first("", '"0123456789"', "RFC822.SIZE 12") + "C: A2 UID FETCH 7 (BODY.PEEK[]<10.10>)\nS: A2 OK done"
    with dialogue(script + _NOOP) as client:
        with pytest.raises(NoSuchPartError):
            client.download(7, "", file, chunk_size=10)
        client.noop()
    assert file.getvalue() == b"0123456789"


@pytest.mark.parametrize(
    "answer", ["(UID 7 FLAGS ())", "(UID 7 BODY[]<5> {3}\r\nabc)", "(UID 7 BODY[]<10> 12)", "(UID 7 BODY[]<10> (x y))"]
)
def test_something_else_than_what_was_asked_for(answer: str) -> None:
    first, _, rest = answer.partition("\r\n")
    script = (
        _first("", '"0123456789"', "RFC822.SIZE 12")
        + f"""
        C: A2 UID FETCH 7 (BODY.PEEK[]<10.10>)
        S: * 3 FETCH {first}
        {"S: " + rest if rest else ""}
        S: A2 OK done
        {_NOOP}
    """
    )
    with dialogue(script) as client:
        with pytest.raises(ProtocolError):
            client.download(7, "", io.BytesIO(), chunk_size=10)
        client.noop()


def test_a_refusal() -> None:
    with dialogue("C: A1 UID FETCH 7 (RFC822.SIZE BODY.PEEK[]<0.10>)\nS: A1 NO no" + _NOOP) as client:
        with pytest.raises(CommandError):
            client.download(7, "", io.BytesIO(), chunk_size=10)
        client.noop()


def test_a_connection_that_ends() -> None:
    script = _first("", '"0123456789"', "RFC822.SIZE 12") + "C: A2 UID FETCH 7 (BODY.PEEK[]<10.10>)\nCLOSE"
    file = io.BytesIO()
    with dialogue(script) as client, pytest.raises(IMAPClientAbortError):
        client.download(7, "", file, chunk_size=10)
    assert file.getvalue() == b"0123456789"


# -- several pieces in flight


def _requests(*pieces: tuple[str, int, int]) -> str:
    return "".join(f"\nC: {tag} UID FETCH 7 (BODY.PEEK[]<{start}.{size}>)" for tag, start, size in pieces)


def _answer(tag: str, start: int, text: str) -> str:
    return f'\nS: * 3 FETCH (UID 7 BODY[]<{start}> "{text}")\nS: {tag} OK done'


def test_the_next_pieces_are_requested_before_one_arrives() -> None:
    """The peer answers A2 only after it has received A3, and so on."""
    script = (
        _first("", '"01"', "RFC822.SIZE 9", size=2) + _requests(("A2", 2, 2), ("A3", 4, 2)) + _answer("A2", 2, "23")
    )
    script += _requests(("A4", 6, 2)) + _answer("A3", 4, "45") + _requests(("A5", 8, 2))
    script += _answer("A4", 6, "67") + _answer("A5", 8, "8")
    file = io.BytesIO()
    told: list[int] = []
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=2, progress=lambda done, total: told.append(done)) == 9
    assert (file.getvalue(), told) == (b"012345678", [2, 4, 6, 8, 9])


def test_a_piece_shorter_than_requested_among_several() -> None:
    """Those that were requested ahead start at the wrong place. They are not used."""
    script = _first("", '"0123"', "RFC822.SIZE 12", size=4) + _requests(("A2", 4, 4), ("A3", 8, 4))
    script += _answer("A2", 4, "456") + _requests(("A4", 7, 3)) + _answer("A3", 8, "8") + _answer("A4", 7, "789")
    script += _requests(("A5", 10, 3)) + _answer("A5", 10, "ab") + _NOOP
    file = io.BytesIO()
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=4) == 12
        client.noop()
    assert file.getvalue() == b"0123456789ab"


def test_answers_in_another_order() -> None:
    """A server may run commands in any order (RFC 9051, 5.5). What is then missing is fetched again."""
    script = _first("", '"01"', "RFC822.SIZE 5", size=2) + _requests(("A2", 2, 2), ("A3", 4, 2))
    script += _answer("A3", 4, "4") + _answer("A2", 2, "23")
    script += _requests(("A4", 4, 2)) + _answer("A4", 4, "4") + _NOOP
    file = io.BytesIO()
    with dialogue(script) as client:
        assert client.download(7, "", file, chunk_size=2) == 5
        client.noop()
    assert file.getvalue() == b"01234"


def test_a_refusal_among_several() -> None:
    script = _first("", '"01"', "RFC822.SIZE 5", size=2) + _requests(("A2", 2, 2), ("A3", 4, 2))
    script += "\nS: A2 NO no" + _answer("A3", 4, "4") + _NOOP
    file = io.BytesIO()
    with dialogue(script) as client:
        with pytest.raises(CommandError):
            client.download(7, "", file, chunk_size=2)
        client.noop()
    assert file.getvalue() == b"01"


def test_a_connection_that_ends_before_the_caller_uses_it() -> None:
    """The caller's command fails. So does the download, if the caller ignores that."""
    script = _first("", '"01"', "RFC822.SIZE 5", size=2) + _requests(("A2", 2, 2), ("A3", 4, 2)) + "\nCLOSE"
    file = io.BytesIO()

    def progress(done: int, total: int | None) -> None:
        with pytest.raises(IMAPClientAbortError):
            client.noop()

    with dialogue(script) as client, pytest.raises(IMAPClientAbortError):
        client.download(7, "", file, chunk_size=2, progress=progress)
    assert file.getvalue() == b"01"


def test_a_download_within_a_download() -> None:
    script = _first("", '"01"', "RFC822.SIZE 5", size=2) + _requests(("A2", 2, 2), ("A3", 4, 2))
    script += _answer("A2", 2, "23") + _answer("A3", 4, "4")
    script += """
        C: A4 UID FETCH 7 (RFC822.SIZE BODY.PEEK[]<0.2>)
        S: * 3 FETCH (UID 7 RFC822.SIZE 5 BODY[]<0> "01")
        S: A4 OK done
    """
    script += _requests(("A5", 2, 2), ("A6", 4, 2)) + _answer("A5", 2, "23") + _answer("A6", 4, "4")
    outer, inner = io.BytesIO(), io.BytesIO()

    def progress(done: int, total: int | None) -> None:
        if done == 2:
            client.download(7, "", inner, chunk_size=2)

    with dialogue(script) as client:
        client.download(7, "", outer, chunk_size=2, progress=progress)
    assert outer.getvalue() == inner.getvalue() == b"01234"


@pytest.mark.parametrize("is_fast", [True, False])
def test_pieces_grow_if_the_line_is_fast(monkeypatch: pytest.MonkeyPatch, is_fast: bool) -> None:
    monkeypatch.setattr(download, "_SECONDS_TO_GROW", float("inf") if is_fast else 0.0)
    first = 1 << 20
    second, third = (4 << 20, 12 << 20) if is_fast else (first, first)
    total = first + 2 * second + 2 * third
    script = f"""
        C: A1 UID FETCH 7 (RFC822.SIZE BODY.PEEK[]<0.{first}>)
        S: * 3 FETCH (UID 7 RFC822.SIZE {total} BODY[]<0> "{"a" * first}")
        S: A1 OK done
    """
    script += _requests(("A2", first, second), ("A3", first + second, second))
    script += f"""
        S: * 3 FETCH (UID 7 BODY[]<{first}> "{"b" * second}")
        S: A2 OK done
    """
    script += _requests(("A4", first + 2 * second, third)) + "\nCLOSE"
    file = io.BytesIO()
    with dialogue(script) as client, pytest.raises(IMAPClientAbortError):
        client.download(7, "", file)
    assert file.getvalue() == b"a" * first + b"b" * second


# -- the caller's code


class _Full(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


def test_a_file_that_is_full_leaves_the_connection_usable() -> None:
    """The next piece was requested before. The next command reads it first."""
    with dialogue(_first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"') + _NOOP) as client:
        with pytest.raises(OSError, match="No space left"):
            client.download(7, "", _Full(), chunk_size=10)
        client.noop()


def test_so_does_a_progress_that_raises() -> None:
    def progress(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    file = io.BytesIO()
    with dialogue(_first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"') + _NOOP) as client:
        with pytest.raises(KeyboardInterrupt):
            client.download(7, "", file, chunk_size=10, progress=progress)
        client.noop()
    assert file.getvalue() == b"0123456789"


def test_progress_may_use_the_client() -> None:
    """Its results are its own, even if the next piece of the same message is received meanwhile."""
    script = _first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"')
    script += "C: A3 UID STORE 7 +FLAGS (x)\nS: * 3 FETCH (UID 7 FLAGS (x))\nS: A3 OK done"
    script += "\nC: A4 UID STORE 7 +FLAGS (x)\nS: * 3 FETCH (UID 7 FLAGS (x y))\nS: A4 OK done"
    file = io.BytesIO()
    found: list[Any] = []
    with dialogue(script) as client:
        client.download(7, "", file, chunk_size=10, progress=lambda *_: found.append(client.add_flags(7, "x")))
    assert file.getvalue() == b"0123456789ab"
    assert found == [{7: (b"x",)}, {7: (b"x", b"y")}]


def test_another_folder_ends_it() -> None:
    """The next piece, which was requested before, is of the first folder. It is not written."""
    script = _first("", '"0123456789"', "RFC822.SIZE 12") + _piece("A2", "", 10, '"ab"')
    script += 'C: A3 SELECT "x"\nS: * OK [UIDVALIDITY 3]\nS: A3 OK done' + _NOOP
    file = io.BytesIO()
    with dialogue(script) as client:
        with pytest.raises(IllegalStateError, match="another folder"):
            client.download(7, "", file, chunk_size=10, progress=lambda done, total: client.select_folder("x"))
        client.noop()
    assert file.getvalue() == b"0123456789"


@pytest.mark.parametrize(
    "section", ["x", "0", "1.", ".1", "1]", "1 FLAGS", "HEADER.FIELDS (X)", "1\r\n", "1.0", "BODY"]
)
def test_what_is_no_section(section: str) -> None:
    with dialogue() as client, pytest.raises(ValueError, match="not a section"):
        client.download(7, section, io.BytesIO())


@pytest.mark.parametrize("section", ["", "HEADER", "TEXT", "1.MIME", "1.TEXT"])
def test_only_a_part_can_be_decoded(section: str) -> None:
    with dialogue() as client, pytest.raises(ValueError, match="decoded"):
        client.download(7, section, io.BytesIO(), decode=True)


@pytest.mark.parametrize("message", [0, -1, [7], "7", "1:*", None, True, 2**32])
def test_what_is_no_single_id(message: Any) -> None:
    with dialogue() as client, pytest.raises((ValueError, TypeError)):
        client.download(message, "1", io.BytesIO())


def test_a_chunk_has_bytes() -> None:
    with dialogue() as client, pytest.raises(ValueError, match="chunk_size"):
        client.download(7, "1", io.BytesIO(), chunk_size=0)


@pytest.mark.parametrize("progress", ["x", 5, [print]])
def test_a_progress_is_a_function(progress: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError, match="must be a function"):
        client.download(7, "1", io.BytesIO(), progress=progress)


# -- careless callers


@pytest.mark.parametrize("size", [10.5, 1e6 / 3, "10"])
def test_a_size_of_pieces_that_is_none(size: Any) -> None:
    with dialogue(_NOOP.replace("A9", "A1")) as client:
        with pytest.raises(TypeError, match="chunk_size must be an int"):
            client.download(7, "TEXT", io.BytesIO(), chunk_size=size)
        client.noop()


@pytest.mark.parametrize("file", ["message.eml", io.StringIO(), None, Path("message.eml")])
def test_what_is_no_file(file: Any) -> None:
    with dialogue(_NOOP.replace("A9", "A1")) as client:
        with pytest.raises(TypeError, match="open in binary mode"):
            client.download(7, "TEXT", file)
        client.noop()


def test_a_raw_file_that_takes_nothing() -> None:
    class Full(io.RawIOBase):
        def write(self, data: Any, /) -> Any:
            return None

    with dialogue(_first("1", '"Gr=C3=BC"') + _NOOP.replace("A9", "A2")) as client:
        with pytest.raises(BlockingIOError):
            client.download(7, "1", Full(), chunk_size=10)
        client.noop()


def test_what_can_not_be_read_of_another_message() -> None:
    file = io.BytesIO()
    second = _piece("A2", "1", 5, '"=BC"').replace("S: * 3", "S: * 9 FETCH (FLAGS\nS: * 3")
    with dialogue(_first("1", '"Gr=C3"', size=5) + second.replace(".10>", ".5>")) as client:
        assert client.download(7, "1", file, chunk_size=5) == 8
    assert file.getvalue() == b"Gr=C3=BC"
