"""What the helpers for real servers share: free ports, a folder that goes, and an end that is certain.

A server runs below `tests.helpers.keeper`, which ends it when the tests end, in whatever way they do.
"""

from __future__ import annotations

import contextlib
import os
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
from types import TracebackType
from typing import ClassVar, TypeVar

from .certificates import SERVER_NAMES, Authority, authority

_PORT_ATTEMPTS = 3
_START_SECONDS = 120
# Longer than tests.helpers.keeper waits.
_STOP_SECONDS = 120
_POLL_SECONDS = 0.01
_ROOM_BYTES = 2 * 1024**3

_Self = TypeVar("_Self", bound="MailServer")


class ServerUnavailable(Exception):
    """The server isn't here, or the tests can't start it; the text says how to get it."""


class MailServer(ABC):
    """A server that runs within its ``with`` block, on loopback ports of its own."""

    #: As in the ids of tests: "dovecot".
    name: ClassVar[str]
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
    @abstractmethod
    def unavailable(cls) -> str | None:
        """Say why there is no such server for the tests, and how to get it; None when there is one."""

    @abstractmethod
    def _write_files(self, folder: Path) -> None:
        """Write the configuration, with `users`, into the new folder."""

    @abstractmethod
    def _command(self, folder: Path) -> list[str]:
        """The command that serves in the foreground until SIGTERM."""

    @abstractmethod
    def _let_in(self, name: str, password: str) -> None:
        """Let a user log in to the running server, whose mailbox is new."""

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """The folder that holds all of it: configuration, mail, ``log``."""
        if self._folder is None:
            raise RuntimeError(f"{self.name} isn't running")
        return self._folder

    @property
    def ca_file(self) -> str:
        """Path of the authority's certificate, which a client has to trust."""
        return str(self.folder / "ca.pem")

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A new client's context that trusts this server."""
        return self._authority.client_context()

    def client_certificate_context(self, user: str) -> ssl.SSLContext:
        """Return a client's context whose certificate names the user."""
        return self._authority.client_context(user)

    def add_user(self, name: str, password: str = "secret") -> None:
        """Let a user log in from now on; the mailbox is new and empty.

        :raises ValueError: the name is taken, or one that the server's files can't hold.
        """
        for text in (name, password):
            if not text or any(character in text for character in ":\t\r\n\0"):
                raise ValueError(f"not possible in {self.name}'s file of users: {text!r}")
        if "/" in name or name.startswith((".", "#")):
            raise ValueError(f"not possible as a folder's name: {name!r}")
        with self._users_lock:
            if name in self.users:
                raise ValueError(f"the user {name!r} exists")
            self._let_in(name, password)
            self.users[name] = password

    def new_user(self) -> tuple[str, str]:
        """Name and password of a user that nobody else has, with an empty mailbox."""
        name = f"user-{uuid.uuid4().hex}"
        self.add_user(name)
        return name, self.users[name]

    def log(self) -> str:
        """What the server has logged so far."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted((self.folder / "log").iterdir()))

    def start(self) -> None:
        """Start the server and wait until it greets.

        :raises ServerUnavailable: it isn't installed, or is of another version than the tests know.
        :raises RuntimeError: it doesn't start; the text has its log.
        """
        if self._keeper is not None:
            raise RuntimeError(f"{self.name} is running")
        reason = self.unavailable()
        if reason is not None:
            raise ServerUnavailable(reason)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self._start_once()
                return
            except BaseException as error:
                taken = self._folder is not None and "Address already in use" in self.log()
                self.stop()
                # Another process may take a free port between our look and the server's start.
                if not (taken and isinstance(error, RuntimeError) and attempt < _PORT_ATTEMPTS):
                    raise

    def stop(self) -> None:
        """End the server with all its processes and remove its folder; harmless when stopped."""
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
        # The processes of other users must be able to walk through.
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
                raise RuntimeError(f"{self.name} doesn't greet in {_START_SECONDS} s:\n{self.log()}")
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
        """Write ca.pem, server.pem with the chain, and server.key, for the names beside the usual ones."""
        certificate = self._authority.issue(*SERVER_NAMES, *names)
        (folder / "ca.pem").write_bytes(self._authority.ca_pem)
        (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key = folder / "server.key"
        key.touch(0o600)
        key.write_bytes(certificate.private_key_pem.bytes())


_KEEPER = Path(__file__).with_name("keeper.py")


def find_program(name: str, remedy: str, *folders: str) -> str:
    """The path of a program, also where ordinary users' PATH lacks the sbin folders.

    :raises ServerUnavailable: there is none; the text ends with the remedy.
    """
    places = [*folders, os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise ServerUnavailable(f"there is no {name}: {remedy}")
    return found


def fill_in(template: str, **settings: object) -> str:
    """The template with ``@name@`` replaced by each setting."""
    for name, value in settings.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def _in_memory() -> str | None:
    """A folder that is in memory, where each fsync of a server costs nothing; None where there is none with room."""
    try:
        free = shutil.disk_usage("/dev/shm").free
    except OSError:
        return None
    return "/dev/shm" if free > _ROOM_BYTES and os.access("/dev/shm", os.W_OK) else None


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        # All are open at once, so that they differ.
        sockets = [stack.enter_context(socket.create_server((MailServer.host, 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]
