"""What is streamed takes the same memory however much it is."""

from __future__ import annotations

import pytest

from tests.helpers.generated_server import GeneratedServer
from tests.helpers.memory import growth, is_measurable

MIB = 1 << 20

pytestmark = pytest.mark.skipif(not is_measurable(), reason="this system does not tell the peak of a process's memory")


def test_fetch_iter_over_200_000_flags() -> None:
    body = """
        count = 0
        for uid, data in client.fetch_iter("1:*", ["FLAGS"]):
            count += 1
            assert data[b"FLAGS"][0] == b"\\\\Seen"
        assert count == 200_000, count
    """
    with GeneratedServer(messages=200_000) as server:
        assert growth(server.port, body) <= 10 * MIB


def test_a_message_that_is_appended_from_a_file_and_from_an_iterator() -> None:
    body = """
        import tempfile
        with tempfile.TemporaryFile() as file:
            file.truncate(100_000_000)
            client.append("x", file)
        client.append("x", (bytes(1_000_000) for _ in range(100)), size=100_000_000)
    """
    with GeneratedServer() as server:
        assert growth(server.port, body) <= 20 * MIB
        assert server.appended == 100_000_000


def test_a_part_that_is_downloaded() -> None:
    body = """
        with open("/dev/null", "wb") as file:
            assert client.download(2, "1", file) == 78_000_000
            assert client.download(2, "1", file, decode=True) == 57_000_000
    """
    with GeneratedServer(body_size=78_000_000) as server:
        assert growth(server.port, body) <= 20 * MIB
