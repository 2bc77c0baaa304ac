"""Each program in examples/, run as a user runs it: in its own process, from another folder."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imapclient import IMAPClient
from tests.helpers import certificates
from tests.helpers.config_files import write_config
from tests.helpers.dovecot import Dovecot
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.processes import heed_ctrl_c, trace
from tests.helpers.scripted_peer import PeerFactory
from tests.helpers.token_endpoint import Answer, Form, TokenEndpoint, token

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
# To end what hangs.
TIMEOUT_SECONDS = 500

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


def environment(**extra: str) -> dict[str, str]:
    """An environment with the checkout's package, which may not be installed, and with UTF-8 output."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python with these arguments in an empty folder: ``run(EXAMPLES / "idle_example.py", "-f", ini)``."""

    def run(*arguments: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=environment(**extra),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
        )

    return run


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    """Start Python with these arguments, for a program that waits; it is killed after the test."""

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            preexec_fn=heed_ctrl_c,
        )

        def end() -> None:
            process.kill()
            process.communicate()

        request.addfinalizer(end)
        return process

    return start


@pytest.fixture
def ini(tmp_path: Path) -> Callable[..., Path]:
    """Write an INI file: ``ini(server.port)``; further settings replace those given here."""

    def write(port: int, **settings: object) -> Path:
        options = {
            "host": "127.0.0.1",
            "port": port,
            "ssl": "no",
            "username": "ann",
            "password": "secret",
            "timeout": 60,
            **settings,
        }
        lines = [f"{name} = {value}" for name, value in options.items()]
        return write_config(tmp_path / "my.ini", "\n".join(["[DEFAULT]", *lines, ""]))

    return write


Ini = Callable[..., Path]


def output(done: subprocess.CompletedProcess[str]) -> str:
    """The output of a program. Fails unless its exit code is 0."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The line on standard error of a program. Fails unless it is one line and the exit code is 1."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def line_of(process: subprocess.Popen[str], beginning: str) -> str:
    """Wait for a line of a running program that begins like this."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return line.rstrip("\n")
    raise AssertionError(f"no line {beginning!r} in {lines}")


def interrupted(process: subprocess.Popen[str]) -> str:
    """The output of a running program until Ctrl-C ends it.

    If the program still waits, Ctrl-C is sent again, as a user would press it again. If a signal arrives just before a
    system call, Python handles it only after that call, and these calls wait for minutes. That happens once in some
    hundred runs.
    """
    process.send_signal(signal.SIGINT)
    last: object = None
    for _ in range(TIMEOUT_SECONDS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=1)[0]
        now = trace(process.pid)
        if now == last:
            process.send_signal(signal.SIGINT)
            now = None
        last = now
    raise AssertionError("the program goes on")


def flags_of_inbox(server: EmbeddedServer) -> dict[int, tuple[bytes, ...]]:
    with IMAPClient(server.host, server.port, ssl=False, timeout=60) as client:
        client.login("ann", "secret")
        client.select_folder("INBOX", readonly=True)
        flags = client.get_flags("1:*")
    # \Recent is not stored. It shows only which session was the first to select the folder.
    return {uid: tuple(flag for flag in of_one if flag != b"\\Recent") for uid, of_one in flags.items()}


# -- all of them


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_help_says_what_the_example_does(path: Path, run: Run) -> None:
    text = output(run(path, "--help"))
    first = path.read_text(encoding="utf-8").split('"""')[1].splitlines()[0]
    assert first in text
    # Run below with more than --help.
    assert f'EXAMPLES / "{path.name}"' in Path(__file__).read_text(encoding="utf-8")


# -- quickstart.py


def test_quickstart(embedded: EmbeddedServer, run: Run) -> None:
    text = output(run(EXAMPLES / "quickstart.py"))
    results = [
        ">>> client.login('ann', 'secret')\n    b'",
        ">>> client.has_capability('IDLE')\n    True\n",
        "    ((b'\\\\HasNoChildren',), b'/', '日本語')\n",
        ">>> info[b'EXISTS']\n    13\n",
        ">>> client.search('UNSEEN')\n    [104, 105, 107, 108, 109, 111, 112]\n",
        "Recettes détaillées\n        from René Dupont <rene@example.fr>",
        "get_content()\n    'Hello Ann,",
        ">>> client.add_flags([104], ['\\\\Seen', '$Read'])\n    {104: (",
        "b'\\\\Seen'",
        ">>> client.append('INBOX', draft, ['\\\\Draft'])\n    b'[APPENDUID ",
        ">>> client.move([114], 'Entwürfe')\n    b'",
        "['MESSAGES'])\n    {b'MESSAGES': 2}\n",
        ">>> client.idle()\n>>> other.append('INBOX', news)",
        ">>> client.idle_check(timeout=30)\n    [(14, b'EXISTS')",
        ">>> client.idle_done()\n    (b'",
        "b'News from another connection'",
        ">>> client.logout()\n    b'",
    ]
    position = 0
    for result in results:
        assert result in text[position:]
        position = text.index(result, position) + len(result)


def test_quickstart_reads_on_the_users_server(sample_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    before = flags_of_inbox(sample_server)
    # Reading needs no pymap: its import fails in this process.
    without_pymap = "import runpy, sys; sys.modules['pymap'] = None; sys.argv[:1] = []; " + (
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    text = output(run("-c", without_pymap, EXAMPLES / "quickstart.py", "-f", ini(sample_server.port)))
    assert ">>> info[b'EXISTS']\n    13\n" in text
    assert "112: " in text
    assert "Large: 1.5 MB of data" in text
    assert "get_content()\n    'Hello Ann," in text
    assert "append" not in text
    assert flags_of_inbox(sample_server) == before


def test_quickstart_on_an_empty_mailbox(imap_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    text = output(run(EXAMPLES / "quickstart.py", "-f", ini(imap_server.port)))
    assert "INBOX is empty" in text


def test_quickstart_names_what_is_wrong_with_the_users_settings(
    imap_server: EmbeddedServer, run: Run, ini: Ini
) -> None:
    program = EXAMPLES / "quickstart.py"
    assert "LOGIN failed" in complaint(run(program, "-f", ini(imap_server.port, password="wrong")))
    assert "No such file" in complaint(run(program, "-f", "missing.ini"))
    assert "ssl: must be 1, yes, true, on or 0, no, false, off, not 'perhaps'" in complaint(
        run(program, "-f", ini(imap_server.port, ssl="perhaps"))
    )


def test_quickstart_on_an_old_python_says_what_it_needs(run: Run) -> None:
    old = (
        "import runpy, sys; sys.version_info = (3, 9, 18, 'final', 0); sys.argv[:1] = []; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    line = complaint(run("-c", old, EXAMPLES / "quickstart.py"))
    assert line == "The demo's mail server needs Python 3.11 or newer (this is 3.9)."


@pytest.mark.skipif(sys.version_info < (3, 11), reason="an older Python is named as the reason instead")
def test_quickstart_without_pymap_says_how_to_get_it(run: Run) -> None:
    missing = (
        "import runpy, sys; sys.modules['pymap'] = None; sys.argv[:1] = []; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    line = complaint(run("-c", missing, EXAMPLES / "quickstart.py"))
    assert line == "EmbeddedServer needs pymap: pip install 'pymap>=0.36.7'"


# -- reading


def test_fetch_and_list(sample_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    text = output(run(EXAMPLES / "fetch_and_list.py", "-f", ini(sample_server.port), "--folder", "日本語"))
    assert "INBOX: 13 messages, 7 unread\n" in text
    assert "Archive/2019: 2 messages, 0 unread\n" in text
    assert "The newest 1 messages of 日本語:\n" in text
    assert "山田太郎: 明けましておめでとうございます\n" in text


def test_fetch_and_list_continues_if_the_server_refuses_or_errs(run: Run, ini: Ini, peer: PeerFactory) -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1] Logged in
        C: A2 LIST "" "*"
        S: * LIST () "/" "Shared"
        S: * LIST () "/" "INBOX"
        S: A2 OK Done
        C: A3 STATUS "Shared" (MESSAGES UNSEEN)
        S: A3 NO [NOPERM] Look, don't touch
        C: A4 STATUS "INBOX" (MESSAGES UNSEEN)
        S: * STATUS INBOX (MESSAGES 2 UNSEEN 1)
        S: A4 OK Done
        C: A5 EXAMINE "INBOX"
        S: A5 OK Done
        C: A6 UID SEARCH ALL
        S: * SEARCH 7 8
        S: A6 OK Done
        C: A7 UID FETCH 7:8 (ENVELOPE INTERNALDATE)
        S: * 1 FETCH (UID 7 ENVELOPE INTERNALDATE "01-Feb-2020 10:11:12 +0000")
        S: * 2 FETCH (UID 8 ENVELOPE (NIL "s" ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL) INTERNALDATE NIL)
        S: A7 OK Done
        C: A8 LOGOUT
        S: * BYE
        S: A8 OK Done
    """
    text = output(run(EXAMPLES / "fetch_and_list.py", "-f", ini(peer(script).port)))
    assert "Shared: Look, don't touch\nINBOX: 2 messages, 1 unread\n" in text
    assert text.endswith(":\n7: (can't be read)\n8: None (nobody): s\n")


def test_parse_email(sample_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    before = flags_of_inbox(sample_server)
    settings = ini(sample_server.port)
    text = output(run(EXAMPLES / "parse_email.py", "-f", settings, "--search", 'SUBJECT "report"'))
    assert "== 108: Report with attachment (Ben Okafor <ben@example.org>)\n" in text
    assert "-- attachment " in text
    text = output(run(EXAMPLES / "parse_email.py", "-f", settings))
    assert text.count("== ") == 7
    assert flags_of_inbox(sample_server) == before


def test_parse_email_with_a_character_set_that_python_does_not_know(
    imap_server: EmbeddedServer, run: Run, ini: Ini
) -> None:
    imap_server.deliver("ann", b"Subject: odd\r\nContent-Type: text/plain; charset=x-nope\r\n\r\nhi\r\n")
    text = output(run(EXAMPLES / "parse_email.py", "-f", ini(imap_server.port)))
    assert text == "== 101: odd (None)\n(can't be decoded: unknown encoding: x-nope)\n"
    assert "character set that Python" in output(run(EXAMPLES / "quickstart.py", "-f", ini(imap_server.port)))


@pytest.mark.parametrize("bar", [True, False])
def test_download_attachments(sample_server: EmbeddedServer, run: Run, ini: Ini, tmp_path: Path, bar: bool) -> None:
    if not bar:
        (tmp_path / "without").mkdir()
        (tmp_path / "without" / "tqdm.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path / "without"), str(ROOT)])
    with IMAPClient(sample_server.host, sample_server.port, ssl=False, timeout=60) as client:
        client.login("ann", "secret")
        client.select_folder("INBOX", readonly=True)
        [uid] = client.search(["LARGER", 1_000_000])
    arguments = ("-f", ini(sample_server.port), str(uid), "files")
    done = run(EXAMPLES / "download_attachments.py", *arguments, PYTHONPATH=path)
    assert f"{uid}-2: 1100000 bytes, application/zip" in output(done)
    assert (tmp_path / "files" / f"{uid}-2").stat().st_size == 1_100_000
    assert ("100%" in done.stderr) is bar


# -- IDLE


def test_idle(imap_server: EmbeddedServer, start: Start, ini: Ini) -> None:
    process = start(EXAMPLES / "idle_example.py", "-f", ini(imap_server.port), "--events", "1")
    line_of(process, "Waiting for events in INBOX")
    imap_server.deliver("ann", b"Subject: one\r\n\r\n")
    assert line_of(process, "(") == "(1, b'EXISTS')"
    assert line_of(process, "The server says: ") == "The server says: IDLE completed."
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_idle_ends_by_ctrl_c(imap_server: EmbeddedServer, start: Start, ini: Ini) -> None:
    process = start(EXAMPLES / "idle_example.py", "-f", ini(imap_server.port))
    line_of(process, "Waiting for events in INBOX")
    imap_server.deliver("ann", b"Subject: one\r\n\r\n")
    line_of(process, "(1, b'EXISTS')")
    text = interrupted(process)
    assert process.returncode == 0
    assert "Traceback" not in text


def test_watch(imap_server: EmbeddedServer, start: Start, ini: Ini) -> None:
    with FaultProxy(imap_server.host, imap_server.port) as proxy:
        process = start(EXAMPLES / "watch.py", "-f", ini(proxy.port), "--events", "3")
        line_of(process, "Watching INBOX, with 0 messages")
        imap_server.deliver("ann", b"Subject: one\r\n\r\n")
        assert line_of(process, "new: ").endswith(" one")
        proxy.cut()
        line_of(process, "connected again; the connection was lost by: ")
        imap_server.deliver("ann", b"Subject: two\r\n\r\n")
        assert line_of(process, "new: ").endswith(" two")
        assert process.wait(TIMEOUT_SECONDS) == 0


def test_idle_on_a_connection_that_ends(run: Run, ini: Ini, peer: PeerFactory) -> None:
    scripted = peer(
        """
        S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1 IDLE] done
        C: A2 EXAMINE "INBOX"
        S: * 1 EXISTS
        S: A2 OK [READ-ONLY] done
        C: A3 IDLE
        S: + idling
        S: * 2 EXISTS
        CLOSE
        """
    )
    done = run(EXAMPLES / "idle_example.py", "-f", ini(scripted.port))
    assert done.stdout.splitlines()[-1] == "(2, b'EXISTS')"
    assert complaint(done).startswith("The connection has ended: ")


def test_idle_selector(sample_server: EmbeddedServer, start: Start, ini: Ini) -> None:
    process = start(EXAMPLES / "idle_selector.py", "-f", ini(sample_server.port), "INBOX", "Entwürfe")
    line_of(process, "Waiting for events in INBOX, Entwürfe")
    sample_server.deliver("ann", b"Subject: draft\r\n\r\n", folder="Entwürfe")
    assert line_of(process, "Entwürfe: ") == "Entwürfe: (2, b'EXISTS')"
    sample_server.deliver("ann", b"Subject: new\r\n\r\n")
    assert line_of(process, "INBOX: ") == "INBOX: (14, b'EXISTS')"
    text = interrupted(process)
    assert process.returncode == 0
    assert "Traceback" not in text


def test_idle_selector_stops_by_itself(sample_server: EmbeddedServer, start: Start, ini: Ini) -> None:
    process = start(EXAMPLES / "idle_selector.py", "-f", ini(sample_server.port), "--events", "1", "INBOX")
    line_of(process, "Waiting for events in INBOX")
    sample_server.deliver("ann", b"Subject: new\r\n\r\n")
    assert line_of(process, "INBOX: ") == "INBOX: (14, b'EXISTS')"
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_idle_selector_shows_what_came_after_its_last_look(run: Run, ini: Ini, peer: PeerFactory) -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in
        C: A2 EXAMINE "INBOX"
        S: A2 OK Done
        C: A3 IDLE
        S: + idling
        S: * 5 EXISTS
        C: DONE
        S: * 6 EXISTS
        S: A3 OK Done
        C: A4 LOGOUT
        S: * BYE
        S: A4 OK Done
    """
    text = output(run(EXAMPLES / "idle_selector.py", "-f", ini(peer(script).port), "--events", "1", "INBOX"))
    assert text.splitlines()[1:] == ["INBOX: (5, b'EXISTS')", "INBOX: (6, b'EXISTS')"]


# -- TLS


@pytest.mark.parametrize("starttls", [False, True], ids=["tls", "starttls"])
def test_own_ca(sample_server: EmbeddedServer, tmp_path: Path, run: Run, starttls: bool) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(sample_server.ca_pem)
    port = sample_server.port if starttls else sample_server.tls_port
    options = ["--ca", str(authority), "--port", str(port), *(["--starttls"] if starttls else [])]
    text = output(run(EXAMPLES / "own_ca.py", "localhost", "ann", *options, IMAP_PASSWORD="secret"))
    assert text.startswith("ann is logged in over TLSv1.")
    assert "b'MESSAGES': 13" in text


def test_own_ca_refuses_the_certificates_of_others(sample_server: EmbeddedServer, tmp_path: Path, run: Run) -> None:
    from imapclient.embedded_server import EmbeddedServer

    authority = tmp_path / "authority.pem"
    authority.write_bytes(EmbeddedServer().ca_pem)
    options = ["--ca", str(authority), "--port", str(sample_server.tls_port)]
    line = complaint(run(EXAMPLES / "own_ca.py", "localhost", "ann", *options, IMAP_PASSWORD="secret"))
    assert line.startswith("The certificate of localhost is not trusted: ")


def test_no_certificate_checks(sample_server: EmbeddedServer, run: Run) -> None:
    options = ["--port", str(sample_server.tls_port)]
    done = run(EXAMPLES / "no_certificate_checks.py", "127.0.0.1", "ann", *options, IMAP_PASSWORD="secret")
    assert "b'MESSAGES': 13" in output(done)
    assert done.stderr == "WARNING: the server's certificate is not verified.\n"


# -- OAuth 2


@pytest.fixture
def token_endpoint() -> Iterator[TokenEndpoint]:
    with TokenEndpoint() as endpoint:
        yield endpoint


def for_those_known(text: str) -> Callable[[Form], Answer]:
    """Gives the token to whoever has the refresh token "known"."""
    refusal = (400, b'{"error": "invalid_grant"}')
    return lambda form: token(text)(form) if form["refresh_token"] == "known" else refusal


def test_oauth2_login(dovecot: Dovecot, token_endpoint: TokenEndpoint, run: Run) -> None:
    program = EXAMPLES / "oauth2_login.py"
    options = ["--token-url", token_endpoint.url, "--client-id", "me", "--ca", dovecot.ca_file]
    arguments = [program, "localhost", "alice", "--port", str(dovecot.tls_port), *options]
    good, expired = dovecot.access_token("alice"), dovecot.access_token("alice", expired=True)

    # The old token is good: no new one is asked for.
    token_endpoint.answer = for_those_known("not asked for")
    text = output(run(*arguments, IMAP_ACCESS_TOKEN=good))
    assert text.startswith("alice is logged in, INBOX: {b'MESSAGES': ")

    # It has expired, and a new one is good.
    token_endpoint.answer = for_those_known(good)
    text = output(run(*arguments, IMAP_ACCESS_TOKEN=expired, IMAP_REFRESH_TOKEN="known", IMAP_CLIENT_SECRET="s&t"))
    assert text.startswith("The old token is refused (status: invalid_token, openid-configuration: https://")
    assert "alice is logged in" in text
    assert token_endpoint.asked == [
        {"grant_type": "refresh_token", "refresh_token": "known", "client_id": "me", "client_secret": "s&t"}
    ]
    assert "alice is logged in" in output(run(*arguments, IMAP_REFRESH_TOKEN="known"))

    # No token is to be had, or the new one is no good either.
    assert complaint(run(*arguments, IMAP_REFRESH_TOKEN="unknown")) == "The provider gives no token: 400 Bad Request"
    token_endpoint.answer = for_those_known(expired)
    line = complaint(run(*arguments, IMAP_REFRESH_TOKEN="known"))
    assert line.startswith("The server refuses the new token: status: invalid_token, ")


def test_oauth2_login_on_a_server_that_has_the_older_mechanism_only(
    peer: PeerFactory, token_endpoint: TokenEndpoint, run: Run, tmp_path: Path
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    script = """
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
        C: A1 AUTHENTICATE XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgdDBrZW4BAQ==
        S: A1 OK [CAPABILITY IMAP4rev1] Logged in
        C: A2 STATUS "INBOX" (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)
        S: * STATUS "INBOX" (MESSAGES 3)
        S: A2 OK Done
        C: A3 LOGOUT
        S: * BYE
        S: A3 OK Done
    """
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    options = ["--token-url", token_endpoint.url, "--client-id", "me", "--ca", str(authority)]
    arguments = [EXAMPLES / "oauth2_login.py", "localhost", "ann", "--port", str(server.port), *options]
    assert output(run(*arguments, IMAP_ACCESS_TOKEN="t0ken")) == "ann is logged in, INBOX: {b'MESSAGES': 3}\n"


# -- errors


def test_errors_of_commands(sample_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    settings = ini(sample_server.port)
    text = output(run(EXAMPLES / "errors.py", "-f", settings, "--folder", "No such folder"))
    assert "EXAMINE was answered NO, response code NONEXISTENT: " in text
    assert "The connection is usable: (b'" in text
    assert "Not on this server: Server does not support NAMESPACE capability\n" in text
    assert "INBOX has 13 messages\n" in output(run(EXAMPLES / "errors.py", "-f", settings))


def test_errors_of_settings_and_login(imap_server: EmbeddedServer, run: Run, ini: Ini) -> None:
    program = EXAMPLES / "errors.py"
    assert complaint(run(program, "-f", ini(imap_server.port, timeout="soon"))).startswith(
        "The settings can't be used: "
    )
    assert complaint(run(program, "-f", ini(imap_server.port, password="wrong"))).startswith(
        "The server refuses this user or password: "
    )


def test_errors_of_a_login_that_the_server_does_not_offer(
    run: Run, ini: Ini, peer: PeerFactory, token_endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    greeting = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] ready"
    settings = ini(peer(greeting).port)
    assert complaint(run(EXAMPLES / "errors.py", "-f", settings)).startswith(
        "No login: the server does not allow LOGIN"
    )
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    token_endpoint.answer = for_those_known("t0ken")
    script = f"{greeting}\nC: A1 LOGOUT\nS: * BYE\nS: A1 OK Done"
    server = peer(script, tls_context=certificates.server_context(), implicit_tls=True)
    options = [
        "--port",
        str(server.port),
        "--token-url",
        token_endpoint.url,
        "--client-id",
        "me",
        "--ca",
        str(authority),
    ]
    line = complaint(run(EXAMPLES / "oauth2_login.py", "localhost", "ann", *options, IMAP_REFRESH_TOKEN="known"))
    assert line.endswith("the server does not offer XOAUTH2 on this connection, but AUTH=GSSAPI")
    options[1] = str(peer("S: * BYE Too many", tls_context=certificates.server_context(), implicit_tls=True).port)
    line = complaint(run(EXAMPLES / "oauth2_login.py", "localhost", "ann", *options, IMAP_REFRESH_TOKEN="known"))
    assert line == "There is no connection: the server refuses the connection: Too many"


def test_errors_of_the_connection(sample_server: EmbeddedServer, run: Run, ini: Ini, peer: PeerFactory) -> None:
    program = EXAMPLES / "errors.py"
    assert complaint(run(program, "-f", ini(sample_server.tls_port, ssl="yes"))).startswith(
        "The server's certificate is not trusted: "
    )
    refusing = peer("S: * BYE too many connections")
    assert complaint(run(program, "-f", ini(refusing.port))).endswith("too many connections")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = ini(silent.getsockname()[1], timeout=0.5)
        assert complaint(run(program, "-f", settings)) == "The server does not answer in time"
    assert complaint(run(program, "-f", settings)).startswith("There is no connection: ")
