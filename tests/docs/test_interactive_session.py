"""Each interactive session in the documentation is what a user sees who types the same.

A block of text that begins with ``$`` is a session. The test types its command, the answer to the prompt and the inputs
at IPython's prompts into a terminal. At the end the screen must be equal to the block. With
IMAPCLIENT_WRITE_SESSIONS=1 in the environment, the test writes the screen into the page instead.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.test_docs import PAGES, Block, blocks_of

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals of POSIX here", allow_module_level=True)

from tests.helpers.terminal import ENTER, Terminal

PORT = "1143"
_INPUT = re.compile(r"^In \[(\d+)\]: (.*)$", re.MULTILINE)

# What differs from run to run -> what the page shows instead.
_CHANCE = (
    (re.compile(r"(?<=b'UIDVALIDITY': )\d+"), "1795294595"),
    (re.compile(r"(?<=b'MAILBOXID': \[b'\()F[0-9a-f]+"), "F2212ea87"),
)


def sessions() -> list[tuple[Path, Block]]:
    return [
        (page, block) for page in PAGES for block in blocks_of(page.read_text(encoding="utf-8")) if block.kind == "text"
    ]


def test_the_manual_has_one() -> None:
    assert [page.name for page, _ in sessions()] == ["advanced.rst"]


@pytest.mark.parametrize(("page", "block"), sessions(), ids=lambda value: getattr(value, "stem", None))
def test_session(page: Path, block: Block, embedded: EmbeddedServer, tmp_path: Path) -> None:
    shown = screen_of(block.text, tmp_path)
    if os.environ.get("IMAPCLIENT_WRITE_SESSIONS"):
        write(page, block, shown)
        return
    difference = "\n".join(difflib.unified_diff(block.text.splitlines(), shown.splitlines(), lineterm=""))
    assert not difference, difference


def screen_of(session: str, home: Path) -> str:
    """The screen after the session, on a server whose user ann has two messages."""
    from imapclient.embedded_server import EmbeddedServer

    command, *_ = session.splitlines()
    with EmbeddedServer() as server:
        server.deliver("ann", b"Subject: Minutes\r\n\r\nHello\r\n", flags=["\\Seen"])
        server.deliver("ann", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n")
        words = shlex.split(command.replace(PORT, str(server.port)))
        assert words[:2] == ["$", "python"]
        with Terminal(*words[2:], home=home, rows=100) as terminal:
            terminal.wait_for("password:")
            terminal.press(f"secret{ENTER}")
            for number, text in _INPUT.findall(session):
                terminal.wait_for(f"In [{number}]:")
                terminal.press(f"{text}{ENTER}")
            assert terminal.wait_for_end() == 0
            screen = f"{command}\n{terminal.screen}"
    for pattern, instead in _CHANCE:
        screen = pattern.sub(instead, screen)
    # One empty line instead of several.
    return re.sub(r"\n{3,}", "\n\n", screen) + "\n"


def write(page: Path, block: Block, session: str) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    length = len(block.text.splitlines())
    lines[block.line - 1 : block.line - 1 + length] = [f"   {line}".rstrip() for line in session.splitlines()]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
