from __future__ import annotations

import shlex
import sys

import keyring
import keyring.core
import pytest

from imapclient._accounts.passwords import password_from_command, password_from_keyring
from tests.helpers.memory_keyring import use_memory_keyring


def command(program: str) -> str:
    return shlex.join([sys.executable, "-c", program])


@pytest.mark.parametrize(
    ("program", "password"),
    [
        ("print('s3cret')", "s3cret"),
        ("print(' s3 cret ')", " s3 cret "),
        ("print('s3cret', end='')", "s3cret"),
        (r"print('s3cret\r\nlogin: ann')", "s3cret"),
        ("import sys; sys.stdout.buffer.write('pässwörd\\n'.encode())", "pässwörd"),
    ],
)
def test_first_line_of_a_command(program: str, password: str) -> None:
    assert password_from_command(command(program)) == password


def test_command_is_one_of_the_shell() -> None:
    assert password_from_command("echo first && echo second") == "first"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('s3cret'); raise SystemExit(3)", "ended with exit status 3"),
        ("pass", "printed no password"),
        (r"print('\ns3cret')", "printed no password"),
        ("import sys; sys.stdout.buffer.write(b's3cret\\xff')", "printed text that is not UTF-8"),
    ],
)
def test_command_that_gives_no_password(program: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        password_from_command(command(program))
    assert str(caught.value) == f"{reason}: {command(program)}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of POSIX here")
def test_command_that_is_killed() -> None:
    with pytest.raises(ValueError, match="ended by signal 15: kill"):
        password_from_command("kill $$")


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    use_memory_keyring(monkeypatch).set_password("imap", "ann", "s3cret")
    assert password_from_keyring("imap", "ann") == "s3cret"
    with pytest.raises(ValueError, match="no password") as caught:
        password_from_keyring("imap", "ben")
    assert str(caught.value) == "no password for 'ben' in the service 'imap': run keyring set imap ben"


def test_machine_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    use_memory_keyring(monkeypatch)
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    with pytest.raises(ValueError, match="the keyring can't be read: NoKeyringError: No recommended backend"):
        password_from_keyring("imap", "ann")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ValueError, match="the package keyring is not installed") as caught:
        password_from_keyring("imap", "ann")
    assert str(caught.value) == "the package keyring is not installed: pip install keyring"
