"""A program in a terminal. Tests see its screen and press keys."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pexpect
import pyte

from .closing import Closing
from .processes import heed_ctrl_c, trace

ROOT = Path(__file__).resolve().parents[2]

# To end what hangs.
_SECONDS = 300
# Between two looks at whether the program waits.
_LOOK_SECONDS = 1.0
_CTRL = {letter: chr(ord(letter) - ord("a") + 1) for letter in "cdu"}
TAB, ENTER, UP = "\t", "\r", "\x1b[A"


class _Screen(pyte.Screen):
    """A screen that answers a program's request for the position of the cursor."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal(Closing):
    """Runs Python with the arguments, in a home folder of its own, until the ``with`` block ends.

    The modules `hidden` can't be imported there.
    """

    def __init__(
        self, *arguments: str, home: Path, hidden: Iterable[str] = (), columns: int = 100, rows: int = 60
    ) -> None:
        hiding = home / "hidden"
        hiding.mkdir(parents=True, exist_ok=True)
        for module in hidden:
            (hiding / f"{module}.py").write_text(f"raise ImportError({module!r})\n", encoding="utf-8")
        environment = {
            **os.environ,
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
            "PYTHONPATH": os.pathsep.join([str(hiding), str(ROOT)]),
            "TERM": "xterm",
            "NO_COLOR": "1",
        }
        #: Everything that the program has written.
        self.written = ""
        self._screen = _Screen(columns, rows, self.press)
        self._stream = pyte.Stream(self._screen)
        self._child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            list(arguments),
            cwd=str(home),
            env=environment,
            encoding="utf-8",
            dimensions=(rows, columns),
            preexec_fn=heed_ctrl_c,
        )
        self._child.delaybeforesend = None
        self._looked = time.monotonic()
        self._trace: object = None

    def close(self) -> None:
        """End the program."""
        self._child.close(force=True)

    @property
    def screen(self) -> str:
        """What is on the screen, without spaces at the ends of lines and empty lines at the end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def press(self, keys: str) -> None:
        self._child.send(keys)
        self._looked, self._trace = time.monotonic(), None

    def press_ctrl(self, letter: str) -> None:
        self.press(_CTRL[letter])

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until the text is on the screen. AssertionError with the screen where it doesn't come."""
        end = time.monotonic() + _SECONDS
        while self.screen.count(text) < times:
            assert time.monotonic() < end, f"no {text!r} on the screen:\n{self.screen}"
            assert self._read(), f"the program ended without {text!r}:\n{self.screen}"

    def press_until(self, keys: str, *texts: str) -> None:
        """Press the keys until one of the texts is on the screen, again when the program waits for more keys.

        A shell may not have read its history yet when it takes the first key.
        """
        end = time.monotonic() + _SECONDS
        self.press(keys)
        while not any(text in self.screen for text in texts):
            assert time.monotonic() < end, f"none of {texts} on the screen:\n{self.screen}"
            self._read()
            if self._waits():
                self.press(keys)

    def wait_for_end(self, letter: str | None = None) -> int:
        """Wait until the program has ended, and return its exit status.

        With a letter, press Ctrl and that first, and again when the program waits: a Ctrl-C between the moment when
        Python shows a prompt and the one when it waits for an answer is noticed only at the next key.
        """
        end = time.monotonic() + _SECONDS
        if letter is not None:
            self.press_ctrl(letter)
        while self._read():
            assert time.monotonic() < end, f"the program goes on:\n{self.screen}"
            if letter is not None and self._waits():
                self.press_ctrl(letter)
        self._child.wait()
        assert self._child.exitstatus is not None, f"killed by signal {self._child.signalstatus}"
        return int(self._child.exitstatus)

    def _waits(self) -> bool:
        """Whether the program has waited since the last look; False until it is time for the next one."""
        if time.monotonic() < self._looked + _LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        assert self._child.pid is not None
        last, self._trace = self._trace, trace(self._child.pid)
        return last == self._trace

    def _read(self) -> bool:
        """Take what comes within a moment; False at the end."""
        try:
            text = self._child.read_nonblocking(65536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += text
        self._stream.feed(text)
        return True
