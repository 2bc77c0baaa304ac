"""The embedded server, seen by the client of the standard library."""

from __future__ import annotations

import imaplib
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import imapclient.embedded_server
from imapclient.embedded_server import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

REASON = EmbeddedServer(tls=True).unavailable_reason()

needs_server = pytest.mark.skipif(REASON is not None, reason=str(REASON))

MESSAGE = b"From: ben@example.org\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(users={"ann": "secret", "bob": "hidden"}, folders=["Work/Now"]) as running:
        yield running


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[imaplib.IMAP4]:
    with plain_client(server) as connected:
        connected.login(server.user, server.password)
        yield connected


def plain_client(server: EmbeddedServer) -> imaplib.IMAP4:
    return imaplib.IMAP4(server.host, server.port)


def tls_client(server: EmbeddedServer) -> imaplib.IMAP4_SSL:
    return imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=server.ssl_context)


def run_python(code: str) -> str:
    """The output of a new interpreter that imports this package and turns warnings into errors."""
    package = Path(imapclient.embedded_server.__file__).parent
    program = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{code}"
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.returncode == 0
    return run.stdout.strip()


class TestWithoutTheServer:
    """Runs on every interpreter, with and without pymap."""

    def test_import_and_construction_load_nothing_heavy(self) -> None:
        loaded = run_python(
            "before = set(sys.modules)\n"
            "from imapclient.embedded_server import EmbeddedServer\n"
            "EmbeddedServer(tls=True, sample=True).unavailable_reason()\n"
            "print(sorted({'asyncio', 'pymap', 'trustme', 'imapclient._testing.sample_mailbox'}"
            " & (set(sys.modules) - before)))"
        )
        assert loaded == "[]"

    def test_the_defaults(self) -> None:
        server = EmbeddedServer()
        assert (server.user, server.password) == ("ann", "secret")
        assert repr(server) == "<EmbeddedServer stopped>"

    def test_a_server_needs_a_user(self) -> None:
        with pytest.raises(ValueError, match="at least one user"):
            EmbeddedServer(users={})

    def test_folders_is_no_single_name(self) -> None:
        with pytest.raises(TypeError, match="folders"):
            EmbeddedServer(folders="Work")

    @pytest.mark.parametrize("name", ["port", "tls_port"])
    def test_there_are_no_ports_before_the_start(self, name: str) -> None:
        with pytest.raises(RuntimeError, match="not running"):
            getattr(EmbeddedServer(tls=True), name)

    def test_nothing_is_delivered_before_the_start(self) -> None:
        with pytest.raises(RuntimeError, match="not running"):
            EmbeddedServer().deliver("ann", MESSAGE)

    def test_stop_before_start_does_nothing(self) -> None:
        EmbeddedServer().stop()

    def test_an_old_interpreter_is_named(self) -> None:
        printed = run_python(
            "from imapclient.embedded_server import EmbeddedServer\n"
            "sys.version_info = (3, 9, 18, 'final', 0)\n"
            "try: EmbeddedServer().start()\n"
            "except RuntimeError as exc: print(exc)"
        )
        assert printed == "EmbeddedServer needs Python 3.11 or newer (this is 3.9)"

    @pytest.mark.skipif(sys.version_info >= (3, 11), reason="this interpreter is new enough")
    def test_this_old_interpreter_is_named(self) -> None:
        with pytest.raises(RuntimeError, match=r"needs Python 3\.11 or newer \(this is 3\.\d+\)"):
            EmbeddedServer().start()

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="the interpreter is missing first")
    def test_a_missing_pymap_is_named(self) -> None:
        printed = run_python(
            "from imapclient.embedded_server import EmbeddedServer\n"
            "sys.modules['pymap'] = None\n"
            "try: EmbeddedServer().__enter__()\n"
            "except RuntimeError as exc: print(exc)"
        )
        assert printed == "EmbeddedServer needs pymap: pip install 'pymap>=0.36.7'"

    @needs_server
    def test_a_missing_trustme_matters_for_tls_only(self) -> None:
        printed = run_python(
            "from imapclient.embedded_server import EmbeddedServer\n"
            "sys.modules['trustme'] = None\n"
            "with EmbeddedServer() as server: print(server.port > 0)\n"
            "for options in {'tls': True}, {'starttls': True}:\n"
            "    try: EmbeddedServer(**options).start()\n"
            "    except RuntimeError as exc: print(exc)\n"
            "try: EmbeddedServer().ssl_context\n"
            "except RuntimeError as exc: print(exc)"
        )
        missing = "EmbeddedServer needs trustme for TLS: pip install trustme"
        assert printed.splitlines() == ["True", missing, missing, missing]

    @needs_server
    def test_an_old_pymap_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "pymap").mkdir()
        (tmp_path / "pymap" / "__init__.py").touch()
        (tmp_path / "pymap-0.13.1.dist-info").mkdir()
        metadata = "Metadata-Version: 2.1\nName: pymap\nVersion: 0.13.1\n"
        (tmp_path / "pymap-0.13.1.dist-info" / "METADATA").write_text(metadata)
        printed = run_python(
            f"sys.path.insert(0, {str(tmp_path)!r})\n"
            "from imapclient.embedded_server import EmbeddedServer\n"
            "print(EmbeddedServer().unavailable_reason())"
        )
        assert printed == ("EmbeddedServer needs a newer pymap than 0.13.1: pip install 'pymap>=0.36.7'")


@needs_server
class TestLifecycle:
    def test_the_port_is_closed_and_the_thread_gone_afterwards(self) -> None:
        threads = threading.active_count()
        with EmbeddedServer() as server:
            address = (server.host, server.port)
            assert repr(server) == f"<EmbeddedServer 127.0.0.1:{server.port}>"
            assert threading.active_count() == threads + 1
        assert threading.active_count() == threads
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    def test_every_connection_gets_a_bye_and_is_closed(self) -> None:
        server = EmbeddedServer(tls=True).start()
        greeted = socket.create_connection((server.host, server.port))
        greeting = greeted.makefile("rb")
        assert greeting.readline().startswith(b"* OK ")
        idling = imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=server.ssl_context)
        idling.login("ann", "secret")
        idling.select()
        idling.send(b"i IDLE\r\n")
        assert idling.readline().startswith(b"+ ")
        with socket.create_connection((server.host, server.tls_port)):  # in its TLS handshake
            server.stop()
            assert greeting.read().startswith(b"* BYE ")
            assert idling.readline().startswith(b"* BYE ")
        idling.shutdown()
        greeting.close()
        greeted.close()

    def test_it_can_be_started_again_and_is_empty_then(self) -> None:
        server = EmbeddedServer()
        for _ in range(2):
            with server, plain_client(server) as client:
                client.login("ann", "secret")
                assert client.select() == ("OK", [b"0"])
                server.deliver("ann", MESSAGE)

    def test_it_is_not_started_twice(self, server: EmbeddedServer) -> None:
        with pytest.raises(RuntimeError, match="running already"):
            server.start()
        with socket.create_connection((server.host, server.port)):
            pass

    def test_stop_twice_does_no_harm(self) -> None:
        server = EmbeddedServer().start()
        server.stop()
        server.stop()

    def test_a_port_in_use_raises_here_and_leaves_nothing(self, server: EmbeddedServer) -> None:
        threads = threading.active_count()
        second = EmbeddedServer(tls=True, tls_port=server.port)
        with pytest.raises(OSError, match="in use"):
            second.start()
        assert threading.active_count() == threads
        second.stop()

    def test_an_error_in_the_thread_raises_here(self) -> None:
        threads = threading.active_count()
        users: Any = {"ann": b"bytes are no password"}
        with pytest.raises(AttributeError):
            EmbeddedServer(users=users).start()
        assert threading.active_count() == threads

    def test_a_wanted_port_is_used(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with EmbeddedServer(port=port) as server:
            assert server.port == port

    def test_a_name_and_ipv6_are_hosts_too(self) -> None:
        with EmbeddedServer(host="localhost", tls=True) as server, tls_client(server) as client:
            client.noop()
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            return  # a machine without IPv6
        with EmbeddedServer(host="::1") as server, plain_client(server) as client:
            client.noop()

    def test_nothing_is_left_open_or_printed(self) -> None:
        # In -X dev, open sockets, transports, loops and forgotten tasks each print a warning.
        printed = run_python(
            "import gc, imaplib, socket\n"
            "from imapclient.embedded_server import EmbeddedServer\n"
            "with EmbeddedServer(tls=True, starttls=True) as server:\n"
            "    tls_address = (server.host, server.tls_port)\n"
            "    silent = socket.create_connection(tls_address)\n"
            "    wrong = socket.create_connection(tls_address)\n"
            "    wrong.sendall(b'a NOOP\\r\\n' * 9)\n"
            "    done = imaplib.IMAP4_SSL(*tls_address, ssl_context=server.ssl_context)\n"
            "    done.login('ann', 'secret')\n"
            "    done.logout()\n"
            "    unread = imaplib.IMAP4(server.host, server.port)\n"
            "    unread.starttls(server.ssl_context)\n"
            "    unread.login('ann', 'secret')\n"
            "    server.deliver('ann', b'x' * 8_000_000)\n"
            "    unread.select()\n"
            "    unread.send(b'f FETCH 1 BODY[]\\r\\n')\n"
            "    unread.readline()\n"
            "    gone = imaplib.IMAP4(server.host, server.port)\n"
            "    gone.login('ann', 'secret')\n"
            "    gone.select()\n"
            "    gone.send(b'i IDLE\\r\\n')\n"
            "    gone.readline()\n"
            "    gone.shutdown()\n"
            "for each in silent, wrong: each.close()\n"
            "unread.shutdown()\n"
            "gc.collect()\n"
            "print('end')"
        )
        assert printed == "end"

    def test_a_server_that_nobody_stopped_ends_with_the_process(self) -> None:
        command = (
            f"import sys; sys.path.insert(0, {str(Path(imapclient.__file__ or '').parents[1])!r})\n"
            "from imapclient.embedded_server import EmbeddedServer\n"
            "EmbeddedServer().start(); print('end')"
        )
        run = subprocess.run([sys.executable, "-c", command], capture_output=True, timeout=500)
        assert (run.returncode, run.stdout.strip(), run.stderr) == (0, b"end", b"")

    def test_an_error_of_pymap_ends_that_connection_only(
        self,
        server: EmbeddedServer,
        client: imaplib.IMAP4,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with socket.create_connection((server.host, server.port)) as sock, suppress(OSError):
            sock.sendall(b"a NOOP " + b"x" * 2_000_000)
            while sock.recv(1000):
                pass
        client.noop()
        (record,) = caplog.records
        assert record.name == "imapclient.embedded_server"
        assert record.levelname == "WARNING"
        assert "pymap" in record.getMessage()


@needs_server
class TestLogin:
    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("ann", 'pässwörd "q" \\ {3}'),
            ("zoë@example.org", "日本語"),
            ("שלום abc", "🚀 \u200b \ue000 e\u0301"),
        ],
    )
    def test_any_text_is_a_name_or_a_password(self, name: str, password: str) -> None:
        with EmbeddedServer(users={name: password}) as server:
            for wrong in (password + "x", ""):
                with plain_client(server) as client, pytest.raises(imaplib.IMAP4.error):
                    authenticate(client, name, wrong)
            with plain_client(server) as client:
                authenticate(client, name, password)
                assert client.select() == ("OK", [b"0"])

    def test_each_user_has_a_mailbox(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        server.deliver("bob", MESSAGE)
        assert client.select() == ("OK", [b"0"])
        with plain_client(server) as bob:
            bob.login("bob", "hidden")
            assert bob.select() == ("OK", [b"1"])

    def test_unknown_names_and_bytes_that_are_not_utf8_are_refused(self, server: EmbeddedServer) -> None:
        address = (server.host, server.port)
        with socket.create_connection(address) as sock, sock.makefile("rb") as lines:
            lines.readline()
            for number, login in enumerate([b"eve secret", b"{3+}\r\n\xff\xfeb {1+}\r\n\xff"]):
                sock.sendall(b"%d LOGIN %b\r\n" % (number, login))
                assert lines.readline().startswith(b"%d NO " % number)


def authenticate(client: imaplib.IMAP4, name: str, password: str) -> None:
    client.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())


@needs_server
class TestTls:
    def test_implicit_tls(self) -> None:
        with EmbeddedServer(tls=True) as server, tls_client(server) as client:
            assert "STARTTLS" not in client.capabilities
            client.login("ann", "secret")
            assert server.tls_port != server.port

    def test_starttls(self) -> None:
        with EmbeddedServer(starttls=True) as server, plain_client(server) as client:
            assert "STARTTLS" in client.capabilities
            client.starttls(server.ssl_context)
            assert "STARTTLS" not in client.capabilities
            client.login("ann", "secret")
            with pytest.raises(RuntimeError, match="tls=True"):
                server.tls_port  # noqa: B018

    def test_a_large_message_both_ways(self) -> None:
        big = b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 150_000
        with EmbeddedServer(starttls=True) as server, plain_client(server) as client:
            client.starttls(server.ssl_context)
            client.login("ann", "secret")
            client.append("INBOX", "", "", big)
            client.select()
            assert fetch_body(client, 1) == big

    def test_the_plain_port_offers_no_tls_unless_asked(self, client: imaplib.IMAP4) -> None:
        assert "STARTTLS" not in client.capabilities

    def test_nobody_else_trusts_the_certificate(self) -> None:
        with EmbeddedServer(tls=True) as server, pytest.raises(ssl.SSLCertVerificationError):
            imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=EmbeddedServer().ssl_context)

    def test_the_context_trusts_this_server_under_its_names_only(self) -> None:
        with EmbeddedServer(tls=True) as server:
            address = (server.host, server.tls_port)
            assert server.ssl_context is server.ssl_context
            assert server.ssl_context.cert_store_stats()["x509_ca"] == 1
            wrap = server.ssl_context.wrap_socket
            with wrap(socket.create_connection(address), server_hostname="localhost") as tls:
                assert tls.recv(4) == b"* OK"
            refused = pytest.raises(ssl.SSLCertVerificationError, match="mismatch")
            with socket.create_connection(address) as sock, refused:
                wrap(sock, server_hostname="imap.example.org")

    def test_the_authority_as_a_file_for_other_programs(self, tmp_path: Path) -> None:
        with EmbeddedServer(tls=True) as server:
            (tmp_path / "ca.pem").write_bytes(server.ca_pem)
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            with imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=context) as client:
                client.noop()


@needs_server
class TestDeliver:
    def test_flags_date_and_bytes_are_kept(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        date = datetime(2020, 2, 29, 12, 30, 1, tzinfo=timezone(timedelta(hours=5.5)))
        uid = server.deliver("ann", b"Bare: LF\n\n\xff\n", folder="Work/Now", flags=["\\Seen", b"Kept"], date=date)
        assert client.select("Work/Now") == ("OK", [b"1"])
        (line, body), _ = client.uid("FETCH", str(uid), "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
        assert body == b"Bare: LF\n\n\xff\n"
        assert b'INTERNALDATE "29-Feb-2020 12:30:01 +0530"' in line
        assert b"\\Seen" in line
        assert b"Kept" in line

    def test_uids_count_up(self, server: EmbeddedServer) -> None:
        first = server.deliver("ann", MESSAGE)
        assert server.deliver("ann", MESSAGE) == first + 1

    def test_unknown_users_and_folders(self, server: EmbeddedServer) -> None:
        with pytest.raises(ValueError, match="no such user: 'eve'"):
            server.deliver("eve", MESSAGE)
        with pytest.raises(ValueError, match="no such folder: 'Nowhere'"):
            server.deliver("ann", MESSAGE, folder="Nowhere")

    def test_from_several_threads(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        uids: list[int] = []
        threads = [threading.Thread(target=lambda: uids.append(server.deliver("ann", MESSAGE))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(uids)) == 8
        assert client.select() == ("OK", [b"8"])


@needs_server
class TestIdle:
    def test_a_delivery_is_announced(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        start_idle(client)
        server.deliver("ann", MESSAGE)
        assert client.readline() == b"* 1 EXISTS\r\n"
        end_idle(client)

    def test_an_append_of_another_connection_is_announced(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        start_idle(client)
        with plain_client(server) as other:
            other.login("ann", "secret")
            other.append("INBOX", "", "", MESSAGE)
        assert client.readline() == b"* 1 EXISTS\r\n"
        end_idle(client)

    def test_what_came_between_select_and_idle_is_announced(
        self, server: EmbeddedServer, client: imaplib.IMAP4
    ) -> None:
        client.select()
        server.deliver("ann", MESSAGE)
        client.send(b"i IDLE\r\n")
        assert client.readline().startswith(b"+ ")
        assert client.readline() == b"* 1 EXISTS\r\n"
        end_idle(client)

    def test_no_delivery_of_many_is_lost(self, server: EmbeddedServer, client: imaplib.IMAP4) -> None:
        start_idle(client)
        for _ in range(50):
            server.deliver("ann", MESSAGE)
        while client.readline() != b"* 50 EXISTS\r\n":
            pass
        end_idle(client)


def start_idle(client: imaplib.IMAP4) -> None:
    client.sock.settimeout(60)
    client.select()
    client.send(b"i IDLE\r\n")
    assert client.readline().startswith(b"+ ")


def end_idle(client: imaplib.IMAP4) -> None:
    client.send(b"DONE\r\n")
    while not client.readline().startswith(b"i OK"):
        pass


def fetch_body(client: imaplib.IMAP4, number: int) -> bytes:
    part = client.fetch(str(number), "(BODY.PEEK[])")[1][0]
    assert isinstance(part, tuple)
    return part[1]
