"""A clock that a test puts forward, so that long waits take no time and no machine is too slow for short ones."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest


class Clock:
    """`time.monotonic` of this process: it goes on as ever, unless stopped, and the test may add to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._added = 0.0
        self._now = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: self._now() + self._added)

    def stop(self) -> None:
        """From now on, only `forward` moves it."""
        stopped_at = self._now()
        self._now = lambda: stopped_at

    def forward(self, seconds: float) -> None:
        self._added += seconds

    def no_answer_from(self, dead: tuple[str, int]) -> list[float]:
        """Let each connection to an address time out, on this clock only: the seconds that each one waited."""
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
