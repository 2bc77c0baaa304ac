"""What is streamed takes the same memory however much it is, and what is returned hardly more than its values."""

from __future__ import annotations

import gc
import json
import mmap
import platform
import re
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from imapclient import IMAPClient
from imapclient._connection.reader import Reader
from imapclient._wire import page_faults as memory
from imapclient.exceptions import ConnectionAbortError
from tests.benchmarks.memory import CASES, main, measure
from tests.fixtures.chunks import ChunkTransport
from tests.helpers.generated_server import GeneratedServer
from tests.helpers.memory import fresh_pages, is_measurable, resident, size_of

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not is_measurable(), reason="this system does not report the peak of a process's memory"),
]


@pytest.mark.parametrize("name", CASES)
def test_growth(name: str) -> None:
    case = CASES[name]
    found = measure(case, case.small)
    assert found.peak <= case.most(found)
    # What is returned is there at the end: a measurement that says otherwise has measured something else.
    assert found.values > 0 or not case.factor
    assert found.peak > found.values * 0.9


def test_a_case_that_takes_more_than_it_may(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["search"]._replace(what="{amount} ids", full=2_000, body="result = [b'x' * 4_000_000, AMOUNT]")
    monkeypatch.setitem(CASES, "search", case)
    assert main(["--case", "search"]) == 0
    monkeypatch.setitem(CASES, "search", case._replace(factor=0.5))
    assert main(["--case", "search", "--scale", "0.5", "--json"]) == 1
    table, _, data = capsys.readouterr().out.partition("{")
    assert "2,000 ids" in table
    assert json.loads("{" + data)["search"]["amount"] == 1_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep freed memory in other ways")
def test_texts_reuse_the_memory_of_the_last_ones() -> None:
    fetch = 'result = client.fetch("1:*", ["BODY[]"])'
    with GeneratedServer(300, 40_000) as server:
        fresh = fresh_pages(server.port, fetch, f"{fetch}\ndel result")
    assert fresh < 300 * 40_000 // 4096 // 10


def test_the_size_of_a_value() -> None:
    shared = b"x" * 1000
    alone = size_of(shared)
    assert 1000 < alone < 1100
    assert alone < size_of([shared, shared]) < alone + 200
    assert size_of({1: {b"A": b"x" * 1001}, 2: (b"y" * 1002,)}) > 2 * alone


def test_a_connection_that_waits_keeps_no_memory() -> None:
    with GeneratedServer(300, 4_000) as server, IMAPClient("127.0.0.1", server.port, ssl=False) as client:
        client.login("ann", "secret")
        client.select_folder("INBOX")
        tracemalloc.start()
        try:
            assert len(client.fetch("1:*", ["BODY[]"])) == 300
            gc.collect()
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak > 1_200_000
    assert kept < 100_000


# -- memory that is given ahead

MIB = 1024 * 1024
TAKES_HINTS = sys.platform == "linux" and [int(part) for part in re.findall(r"\d+", platform.release())[:2]] >= [5, 14]


@pytest.mark.skipif(not TAKES_HINTS, reason="this system can't be asked to give memory ahead")
def test_memory_is_there_before_it_is_written_to() -> None:
    with mmap.mmap(-1, 64 * MIB) as pages, memoryview(pages) as view:
        view[1000:1003] = b"abc"
        before = resident()
        with view[1001 : 32 * MIB + 1] as part:
            memory.prepare(part)
        assert 31 * MIB < resident() - before < 33 * MIB
        assert bytes(view[998:1006]) == b"\0\0abc\0\0\0"


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What is known of the system is not known before, nor after."""
    memory._madvise.cache_clear()
    yield
    memory._madvise.cache_clear()


@pytest.mark.parametrize("missing", ["Linux", "ctypes", "a C library", "the function"])
def test_a_system_that_can_not_be_asked(missing: str, forgotten: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "Linux":
        monkeypatch.setattr(sys, "platform", "win32")
    elif missing == "ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    else:
        import ctypes

        def library(name: object) -> object:
            if missing == "the function":
                return object()
            raise OSError("no C library")

        monkeypatch.setattr(ctypes, "CDLL", library)
    assert memory._madvise() is None
    large_literal(300_000)


# Less and more than is prepared at a time.
@pytest.mark.parametrize("chunk", [300_000, 3_000_000])
def test_a_large_literal_is_what_was_sent(chunk: int) -> None:
    large_literal(chunk)


def large_literal(chunk: int) -> None:
    data = bytes(range(251)) * (20 * MIB // 251)
    first = b"* 1 FETCH (BODY[] {%d}" % len(data)
    reader = Reader(ChunkTransport.of_size(first + b"\r\n" + data + b")\r\n", chunk))
    assert reader.read_response() == (first, [(first, data), b")"])


def test_no_more_is_prepared_than_is_filled_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that announces much and sends little takes little memory."""
    prepared: list[int] = []
    monkeypatch.setattr("imapclient._connection.reader.prepare", lambda part: prepared.append(len(part)))
    sent = 5 * MIB
    reader = Reader(ChunkTransport.of_size(b"* 1 FETCH (BODY[] {%d}\r\n" % (64 * MIB) + bytes(sent), 100_000))
    with pytest.raises(ConnectionAbortError):
        reader.read_response()
    assert prepared
    assert sum(prepared) <= sent + 2 * MIB
    assert max(prepared) <= 2 * MIB
