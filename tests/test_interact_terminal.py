"""The interactive shell as a person uses it: in a terminal, on the embedded server, in each of the three shells."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from imapclient import __version__

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals of POSIX here", allow_module_level=True)

from tests.helpers.config_files import write_config
from tests.helpers.scripted_peer import PeerFactory
from tests.helpers.terminal import ENTER, TAB, UP, Terminal

Start = Callable[..., Terminal]


class Shell(NamedTuple):
    """A shell, and the packages that must be missing for it to start."""

    name: str
    hidden: tuple[str, ...]
    prompt: str
    """The prompt of the first input. The number increases with each input."""

    def prompt_of(self, number: int) -> str:
        return self.prompt.replace("1", str(number))


IPYTHON = Shell("ipython", (), "In [1]: ")
PTPYTHON = Shell("ptpython", ("IPython",), ">>> ")
STANDARD = Shell("standard", ("IPython", "ptpython"), ">>> ")
each_shell = pytest.mark.parametrize("shell", [IPYTHON, PTPYTHON, STANDARD], ids=lambda shell: str(shell.name))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program in a terminal: ``start(shell, "--demo")``. All starts of a test share a home folder."""
    terminals: list[Terminal] = []

    def start(shell: Shell, *arguments: str) -> Terminal:
        home = tmp_path / shell.name
        home.mkdir(exist_ok=True)
        terminals.append(Terminal("-m", "imapclient.interact", *arguments, home=home, hidden=shell.hidden))
        return terminals[-1]

    yield start
    for terminal in terminals:
        with terminal:
            pass


# The text must not occur in the source, because IPython shows some of it.
PASSWORD = "zanzibar5"


@pytest.fixture
def server(embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A server whose user ann has two messages. `embedded` skips the test if the server can't run."""
    from imapclient.embedded_server import EmbeddedServer

    with EmbeddedServer({"ann": PASSWORD}) as server:
        server.deliver("ann", b"Subject: one\r\n\r\nHello\r\n", flags=["\\Seen"])
        server.deliver("ann", b"Subject: two\r\n\r\nHello\r\n")
        yield server


def wait_for_prompt(terminal: Terminal, shell: Shell, number: int) -> None:
    """Wait until the prompt of the n-th input accepts text."""
    if shell is IPYTHON:
        terminal.wait_for(shell.prompt_of(number).rstrip())
    else:
        terminal.wait_for(shell.prompt.rstrip(), times=number)


@each_shell
def test_session(start: Start, server: EmbeddedServer, shell: Shell, tmp_path: Path) -> None:
    terminal = start(shell, "--insecure", "-P", str(server.port))
    terminal.wait_for("host:")
    terminal.press(f"{server.host}{ENTER}")
    terminal.wait_for("username:")
    terminal.press(f"ann{ENTER}")
    terminal.wait_for("password:")
    terminal.press(f"{PASSWORD}{ENTER}")

    wait_for_prompt(terminal, shell, 1)
    begin = f'host: {server.host}\nusername: ann\npassword:\nConnecting...\nConnected.\n\nIMAPClient instance is "c"\n'
    assert terminal.screen.startswith(begin)
    terminal.press(f"c.select_folder('inbox'){ENTER}")
    terminal.wait_for("b'EXISTS': 2")

    # Completion of the attributes of c. ptpython shows it first, and accepts it with the second key.
    wait_for_prompt(terminal, shell, 2)
    terminal.press(f"c.sea{TAB}")
    if shell is PTPYTHON:
        terminal.wait_for("search()")
        terminal.press(TAB)
    terminal.wait_for("c.search")
    terminal.press_ctrl("u")
    terminal.press(f"c.search(){ENTER}")
    terminal.wait_for("[101, 102]")

    # The shell shows an error and continues.
    wait_for_prompt(terminal, shell, 3)
    terminal.press(f"c.select_folder('nowhere'){ENTER}")
    terminal.wait_for("NonexistentError: ")
    wait_for_prompt(terminal, shell, 4)
    terminal.press(f"imapclient.__version__{ENTER}")
    terminal.wait_for(f"'{__version__}'")
    wait_for_prompt(terminal, shell, 5)
    terminal.press(f"c.logout(){ENTER}")
    terminal.wait_for("b'Logging out.'")
    wait_for_prompt(terminal, shell, 6)
    terminal.press_ctrl("d")
    assert terminal.wait_for_end() == 0
    assert PASSWORD not in terminal.written

    # History: the inputs of the last session are available.
    again = start(shell, "--demo")
    wait_for_prompt(again, shell, 1)
    again.press_until(UP, "c.logout()", "imapclient.__version__", "c.select_folder('nowhere')")
    history = tmp_path / shell.name / f".imapclient_{'python' if shell is STANDARD else shell.name}_history"
    if shell is not IPYTHON:
        # The answers to the prompts are not in the history.
        assert history.stat().st_mode & 0o077 == 0
        assert server.host not in history.read_text(encoding="utf-8")
    again.press_ctrl("u")
    again.press(f"exit(){ENTER}")
    assert again.wait_for_end() == 0


@pytest.mark.parametrize("key", ["c", "d"])
@pytest.mark.parametrize("prompt", ["host:", "username:", "password:"])
def test_leaving_at_a_prompt(start: Start, prompt: str, key: str) -> None:
    given = {"host:": [], "username:": ["-H", "127.0.0.1"], "password:": ["-H", "127.0.0.1", "-u", "ann"]}
    terminal = start(STANDARD, *given[prompt])
    terminal.wait_for(prompt)
    assert terminal.wait_for_end(key) == 1
    assert terminal.screen.replace("^C", "").strip() == prompt


def test_prompts_want_an_answer(start: Start) -> None:
    terminal = start(STANDARD)
    for prompt, answer in (("host:", "127.0.0.1"), ("username:", "ann"), ("password:", None)):
        terminal.wait_for(prompt)
        terminal.press(ENTER)
        terminal.wait_for(prompt, times=2)
        if answer:
            terminal.press(f"{answer}{ENTER}")
    terminal.press_ctrl("d")
    assert terminal.wait_for_end() == 1


def test_file_asks_for_what_it_lacks(start: Start, server: EmbeddedServer, tmp_path: Path) -> None:
    path = write_config(tmp_path / "my.ini", f"[DEFAULT]\nhost = {server.host}\nport = {server.port}\nssl = no\n")
    terminal = start(STANDARD, "-f", str(path))
    terminal.wait_for("username:")
    terminal.press(f"ann{ENTER}")
    terminal.wait_for("password:")
    terminal.press(f"{PASSWORD}{ENTER}")
    wait_for_prompt(terminal, STANDARD, 1)
    terminal.press_ctrl("d")
    assert terminal.wait_for_end() == 0
    assert PASSWORD not in terminal.written


def test_leaving_while_it_connects(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        terminal = start(STANDARD, "-H", "127.0.0.1", "-P", str(port), "-u", "ann", "--insecure")
        terminal.wait_for("password:")
        terminal.press(f"{PASSWORD}{ENTER}")
        terminal.wait_for("Connecting...")
        assert terminal.wait_for_end("c") == 1
        assert terminal.screen.replace("^C", "").strip() == "password:\nConnecting..."


@each_shell
def test_leaving_the_shell_logs_out(start: Start, shell: Shell, tmp_path: Path, peer: PeerFactory) -> None:
    """Also out of IDLE."""
    script = """
        S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
        C: A1 LOGIN "ann" "zanzibar5"
        S: A1 OK [CAPABILITY IMAP4rev1 IDLE] done
        C: A2 IDLE
        S: + go on
        C: DONE
        S: A2 OK done
        C: A3 LOGOUT
        S: * BYE
        S: A3 OK done
    """
    with peer(script, timeout=60) as scripted:
        account = f"host = {scripted.host}\nport = {scripted.port}\nssl = no\nusername = ann\npassword = {PASSWORD}\n"
        terminal = start(shell, "-f", str(write_config(tmp_path / "my.ini", f"[DEFAULT]\n{account}")))
        wait_for_prompt(terminal, shell, 1)
        terminal.press(f"c.idle(){ENTER}")
        wait_for_prompt(terminal, shell, 2)
        terminal.press_ctrl("d")
        assert terminal.wait_for_end() == 0
        scripted.wait()


def test_server_that_goes_away(start: Start, tmp_path: Path, peer: PeerFactory) -> None:
    """The shell continues, and leaving it prints no error."""
    script = """
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: A1 LOGIN "ann" "zanzibar5"
        S: A1 OK [CAPABILITY IMAP4rev1] done
        C: A2 NOOP
        CLOSE
    """
    scripted = peer(script, timeout=60)
    account = f"host = {scripted.host}\nport = {scripted.port}\nssl = no\nusername = ann\npassword = {PASSWORD}\n"
    terminal = start(STANDARD, "-f", str(write_config(tmp_path / "my.ini", f"[DEFAULT]\n{account}")))
    wait_for_prompt(terminal, STANDARD, 1)
    terminal.press(f"c.noop(){ENTER}")
    terminal.wait_for("AbortError: ")
    wait_for_prompt(terminal, STANDARD, 2)
    terminal.press_ctrl("d")
    assert terminal.wait_for_end() == 0
    assert terminal.screen.splitlines()[-1] == ">>>"
