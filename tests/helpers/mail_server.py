"""The base of the real servers: free ports, a temporary folder, and a certain end.

A server is a child of `tests.helpers.keeper`, which ends it when the tests end, also if they are killed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from .certificates import SERVER_NAMES, Authority, authority
from .closing import Closing

_PORT_ATTEMPTS = 3
_START_SECONDS = 120
# Longer than tests.helpers.keeper waits.
_STOP_SECONDS = 120
_POLL_SECONDS = 0.01
_MIN_FREE_BYTES = 2 * 1024**3


class ServerUnavailable(Exception):
    """The server is not installed, or the tests cannot start it. The text says what to do."""


class MailServer(Closing, ABC):
    """A server that runs within its ``with`` block, on free loopback ports."""

    #: The name in the ids of tests: "dovecot".
    name: ClassVar[str]
    #: The programs that the server needs, folders to find them in beside PATH, and how to install them.
    _PROGRAMS: ClassVar[tuple[str, ...]]
    _PROGRAM_FOLDERS: ClassVar[tuple[str, ...]] = ()
    _REMEDY: ClassVar[str]
    #: The system users that the server needs if root starts it.
    _SYSTEM_USERS: ClassVar[tuple[str, ...]] = ()
    host = "127.0.0.1"

    def __init__(self) -> None:
        #: With plain text and STARTTLS.
        self.port = 0
        #: With TLS from the first byte.
        self.tls_port = 0
        #: Name and password of each user.
        self.users = {"alice": "secret", "bob": "secret", "ops": "secret", "uni": 'pässwörd "q"'}
        self._authority: Authority = authority()
        self._folder: Path | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._users_lock = threading.Lock()

    @classmethod
    def unavailable(cls) -> str | None:
        """Return why the tests cannot start the server, and what to do. None if they can."""
        return _unavailable(cls)

    @classmethod
    def _problem(cls) -> str | None:
        """Return why the installed server does not work here. None if it does."""
        return None

    @classmethod
    def _program(cls, name: str) -> str:
        """Return the path of one of the server's programs. Raises ServerUnavailable if it is missing."""
        return find_program(name, cls._REMEDY, *cls._PROGRAM_FOLDERS)

    @abstractmethod
    def _write_files(self, folder: Path) -> None:
        """Write the configuration, with `users`, into the new folder."""

    @abstractmethod
    def _command(self, folder: Path) -> list[str]:
        """Return the command that serves in the foreground until SIGTERM."""

    @abstractmethod
    def _add_user(self, name: str, password: str) -> None:
        """Allow a user, whose mailbox is new and empty, to log in to the running server."""

    @property
    def folder(self) -> Path:
        """The temporary folder with everything: configuration, mail, ``log``."""
        if self._folder is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._folder

    @property
    def ca_file(self) -> str:
        """The path of the authority's certificate, which clients must trust."""
        return str(self.folder / "ca.pem")

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A new context for a client that trusts this server."""
        return self._authority.client_context()

    def client_certificate_context(self, user: str) -> ssl.SSLContext:
        """Return a context for a client. Its certificate names the user."""
        return self._authority.client_context(user)

    def add_user(self, name: str, password: str = "secret") -> None:
        """Add a user with an empty mailbox.

        :raises ValueError: if the name is in use, or the server's files cannot contain the name or the password.
        """
        for text in (name, password):
            if not text or any(character in text for character in ":\t\r\n\0"):
                raise ValueError(f"not possible in the users' file of {self.name}: {text!r}")
        if "/" in name or name.startswith((".", "#")):
            raise ValueError(f"not possible as the name of a folder: {name!r}")
        with self._users_lock:
            if name in self.users:
                raise ValueError(f"the user {name!r} exists")
            self._add_user(name, password)
            self.users[name] = password

    def new_user(self) -> tuple[str, str]:
        """Add a user with an empty mailbox and a new name. Return its name and its password."""
        name = f"user-{uuid.uuid4().hex}"
        self.add_user(name)
        return name, self.users[name]

    def log(self) -> str:
        """Return the text of the server's log so far."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted((self.folder / "log").iterdir()))

    def start(self) -> None:
        """Start the server, and wait until it sends its greeting.

        :raises ServerUnavailable: if it is not installed, or has a version that the tests do not support.
        :raises RuntimeError: if it does not start. The text contains its log.
        """
        if self._keeper is not None:
            raise RuntimeError(f"{self.name} is running already")
        reason = self.unavailable()
        if reason is not None:
            raise ServerUnavailable(reason)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self._start_once()
                return
            except BaseException as error:
                taken = self._folder is not None and "Address already in use" in self.log()
                self.close()
                # Another process may take the free port before the server does.
                if not (taken and isinstance(error, RuntimeError) and attempt < _PORT_ATTEMPTS):
                    raise

    def close(self) -> None:
        """End all processes of the server, and remove its folder. Does nothing if the server is closed."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait(_STOP_SECONDS)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _start_once(self) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=_in_memory()))
        # Processes of other users must be able to enter it.
        folder.chmod(0o755)
        (folder / "log").mkdir()
        self.port, self.tls_port = _free_ports(2)
        self._write_files(folder)
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", str(_KEEPER), str(folder), str(folder / "log" / "output"), *self._command(folder)],
            stdin=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not (self._greets(self.port) and self._greets(self.tls_port, tls=True)):
            if self._keeper.poll() is not None:
                raise RuntimeError(f"{self.name} ended at once:\n{self.log()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} sent no greeting in {_START_SECONDS} s:\n{self.log()}")
            time.sleep(_POLL_SECONDS)

    def _greets(self, port: int, *, tls: bool = False) -> bool:
        try:
            with contextlib.ExitStack() as stack:
                sock = stack.enter_context(socket.create_connection((self.host, port), timeout=60))
                if tls:
                    sock = stack.enter_context(self.ssl_context.wrap_socket(sock, server_hostname="localhost"))
                return sock.recv(5) == b"* OK "
        except OSError:
            return False

    def _write_certificates(self, folder: Path, *names: str) -> None:
        """Write ca.pem, server.pem with the chain, and server.key. ``names`` are more names of the server."""
        certificate = self._authority.issue(*SERVER_NAMES, *names)
        (folder / "ca.pem").write_bytes(self._authority.ca_pem)
        (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key = folder / "server.key"
        key.touch(0o600)
        key.write_bytes(certificate.private_key_pem.bytes())

    def _write(self, path: Path, template: str, **settings: object) -> None:
        """Write a file of the configuration: the template with the folder, the ports and the settings filled in."""
        path.write_text(fill_in(template, folder=self.folder, port=self.port, tls_port=self.tls_port, **settings))


_KEEPER = Path(__file__).with_name("keeper.py")


@functools.cache
def _unavailable(kind: type[MailServer]) -> str | None:
    try:
        for name in kind._PROGRAMS:
            kind._program(name)
        if os.geteuid() == 0:
            for user in kind._SYSTEM_USERS:
                try:
                    pwd.getpwnam(user)
                except KeyError:
                    return f"if root starts {kind.__name__}, the system user {user!r} must exist"
        return kind._problem()
    except ServerUnavailable as error:
        return str(error)


def find_program(name: str, remedy: str, *folders: str) -> str:
    """Return the path of a program. The sbin folders are searched too, which a user's PATH may not contain.

    :raises ServerUnavailable: if the program is missing. The text ends with the remedy.
    """
    places = [*folders, os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise ServerUnavailable(f"the program {name!r} is missing: {remedy}")
    return found


def fill_in(template: str, **settings: object) -> str:
    """Return the template, with each ``@name@`` replaced by the value of the setting."""
    for name, value in settings.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def _in_memory() -> str | None:
    """Return a folder in memory, where fsync costs nothing. None if there is no such folder with enough space."""
    try:
        free = shutil.disk_usage("/dev/shm").free
    except OSError:
        return None
    return "/dev/shm" if free > _MIN_FREE_BYTES and os.access("/dev/shm", os.W_OK) else None


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        # They are open at the same time, so that the ports differ.
        sockets = [stack.enter_context(socket.create_server((MailServer.host, 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]
