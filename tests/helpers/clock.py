"""A clock that a test sets forward. Long waits take no time, and no machine is too slow for short ones."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest


class Clock:
    """`time.monotonic` of this process. It runs as usual, until a test stops it or sets it forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._added = 0.0
        self._now = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: self._now() + self._added)

    def stop(self) -> None:
        """Stop the clock. After that, only `forward` changes it."""
        stopped_at = self._now()
        self._now = lambda: stopped_at

    def forward(self, seconds: float) -> None:
        self._added += seconds

    def no_answer_from(self, dead: tuple[str, int]) -> list[float]:
        """Let each connection attempt time out on this clock. Return the list of the seconds that each one waited."""
        waited: list[float] = []
        clock = self

        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                if address != dead:
                    return super().connect(address)
                seconds = self.gettimeout()
                assert seconds is not None
                waited.append(seconds)
                clock.forward(seconds)
                raise socket.timeout("timed out")

        self._monkeypatch.setattr(socket, "socket", Socket)
        return waited
