"""The options of the interactive shell, its text if connecting fails, and its log.

tests/test_interact_terminal.py has the shells themselves.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from imapclient import __version__, interact
from imapclient._shell.advice import advice
from imapclient.config import Settings
from tests.helpers import certificates
from tests.helpers.config_files import write_config
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer
from tests.helpers.token_endpoint import TokenEndpoint

ROOT = Path(__file__).resolve().parents[1]

GREETING = "S: * OK [CAPABILITY IMAP4rev1] ready\n"
BYE = "S: * BYE\nS: A2 OK done\n"

Arguments = Callable[..., None]


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> Arguments:
    """``arguments("--ssl")`` sets the command line."""

    def set_arguments(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["imapclient", *words])

    return set_arguments


# -- options


def test_options(arguments: Arguments, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    words = ["-H", "a", "-u", "ann", "-p", "s3cret", "-P", "1143", "--starttls", "--timeout", "2.5", "--log"]
    arguments(*words, "--ca-file", str(authority))
    conf = interact.command_line()
    assert (conf.host, conf.username, conf.password, conf.port) == ("a", "ann", "s3cret", 1143)
    assert (conf.ssl, conf.starttls, conf.ssl_ca_file, conf.timeout) == (False, True, str(authority), 2.5)
    assert (conf.ssl_verify_cert, conf.ssl_check_hostname, conf.stream, conf.oauth2) == (True, True, False, False)
    assert (conf.log, conf.demo) == (True, False)


@pytest.mark.parametrize(("words", "ssl"), [((), True), (("-s",), True), (("--ssl",), True), (("--insecure",), False)])
def test_tls_is_the_default(arguments: Arguments, words: tuple[str, ...], ssl: bool) -> None:
    arguments("--host", "a", "--username", "ann", "--password", "s3cret", *words)
    conf = interact.command_line()
    assert (conf.ssl, conf.starttls, conf.port, conf.timeout) == (ssl, False, None, 60.0)


def test_secrets_of_the_environment_are_not_for_any_server(
    arguments: Arguments, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("imapclient_username", "other")
    monkeypatch.setenv("imapclient_password", "0ther")
    arguments("-H", "a", "-u", "ann", "-p", "s3cret")
    conf = interact.command_line()
    assert (conf.username, conf.password) == ("ann", "s3cret")


def test_password_on_the_command_line_is_warned_of(arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> None:
    arguments("-H", "a", "-u", "ann", "-p", "s3cret")
    interact.command_line()
    assert capsys.readouterr().err == (
        "Warning: other users of this machine can see the password; omit -p, and the program asks for it\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-f", "my.ini", "-H", "a"], "-f/--file can be combined with --log only, not with --host"),
        (
            ["-f", "my.ini", "--ca-file", str(__file__)],
            "argument --ca-file: must be a PEM file with certificates, not ",
        ),
        (["-f", "my.ini", "--starttls"], "-f/--file can be combined with --log only, not with --starttls"),
        (["-f", "my.ini", "--timeout", "5", "--log"], "-f/--file can be combined with --log only, not with --timeout"),
        (["-f", "my.ini", "--demo"], "-f/--file can be combined with --log only, not with --demo"),
        (["--demo", "-P", "5"], "--demo can be combined with --log only, not with --port"),
        (["--ssl", "--starttls"], "argument --starttls: not allowed with argument -s/--ssl"),
        (["--ssl", "--insecure"], "argument --insecure: not allowed with argument -s/--ssl"),
        (["-P", "imap"], "argument -P/--port: must be a number from 1 to 65535, not 'imap'"),
        (["--timeout", "0"], "argument --timeout: must be a number of seconds above 0, not '0'"),
        (
            ["--ca-file", "/no/such"],
            "argument --ca-file: must be a PEM file with certificates, not '/no/such': No such file",
        ),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
    ],
)
def test_options_that_cannot_be_used(
    arguments: Arguments, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    arguments(*words)
    with pytest.raises(SystemExit) as caught:
        interact.command_line()
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"imapclient: error: {message}")


def test_ca_file_without_tls(arguments: Arguments, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    arguments("--ca-file", str(authority), "--insecure")
    with pytest.raises(SystemExit):
        interact.command_line()
    assert capsys.readouterr().err.endswith("imapclient: error: --ca-file can't be combined with --insecure\n")


def test_version(arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> None:
    arguments("--version")
    with pytest.raises(SystemExit) as caught:
        interact.main()
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"imapclient {__version__}\n"


# -- files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "FILE: No such file or directory"),
        ("[DEFAULT]\nhost = a\nport = x\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not 'x'"),
        ("host = a\n", "FILE: line 1: must come after the first section, such as [DEFAULT]"),
    ],
)
def test_file_that_cannot_be_used(
    arguments: Arguments, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "my.ini"
    if text is not None:
        write_config(path, text)
    arguments("-f", str(path))
    with pytest.raises(SystemExit) as caught:
        interact.main()
    assert caught.value.code == f"imapclient: {message.replace('FILE', str(path))}"
    assert capsys.readouterr().err == ""


def test_warnings_of_a_file(arguments: Arguments, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = write_config(tmp_path / "my.ini", "[DEFAULT]\nhost = a\nusername = ann\npassword = s3cret\ntime = 5\n")
    arguments("-f", str(path), "--log")
    conf = interact.command_line()
    assert (conf.host, conf.password, conf.log, conf.demo) == ("a", "s3cret", True, False)
    assert capsys.readouterr().err == (
        f"Warning: {path} [DEFAULT] time: unknown option, ignored; did you mean timeout?\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "stream = yes",
        "username = ann\npassword_command = c",
        "username = ann\nkeyring = k",
        "username = ann\noauth2 = yes",
    ],
)
def test_nobody_is_asked_for_what_a_file_has(arguments: Arguments, tmp_path: Path, line: str) -> None:
    arguments("-f", str(write_config(tmp_path / "my.ini", f"[DEFAULT]\nhost = a\n{line}\n")))
    assert interact.command_line().password == ""


# -- no connection: one line, and exit status 1


Fails = Callable[..., str]


@pytest.fixture
def fails(arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Run the program, which must fail, and return the line that it prints."""

    def run(*words: str) -> str:
        arguments(*words)
        assert interact.main() == 1
        out, err = capsys.readouterr()
        assert out == "Connecting...\n"
        line = err.splitlines()[-1]
        assert err.count("\n") == 1 + ("-p" in words)
        assert line.startswith("imapclient: ")
        assert "s3cret" not in err
        return line[len("imapclient: ") :]

    return run


def options(peer: ScriptedPeer, *more: str, host: str = "") -> list[str]:
    return ["-H", host or peer.host, "-P", str(peer.port), "-u", "ann", "-p", "s3cret", "--timeout", "60", *more]


def ca_file(folder: Path, pem: bytes) -> str:
    path = folder / "authority.pem"
    path.write_bytes(pem)
    return str(path)


def test_unknown_authority(fails: Fails, peer: PeerFactory, tmp_path: Path) -> None:
    scripted = peer("TLS FAILS", tls_context=certificates.wrong_ca_server_context())
    pattern = (
        r"the certificate of 127\.0\.0\.1 is not trusted \(.*certificate.*\): "
        r"its authority is unknown here; set --ca-file to the authority's PEM file"
    )
    assert re.fullmatch(pattern, fails(*options(scripted)))


def test_self_signed_certificate(fails: Fails, peer: PeerFactory, tmp_path: Path) -> None:
    scripted = peer("TLS FAILS", tls_context=certificates.self_signed_server_context())
    assert re.fullmatch(
        r"the certificate of 127\.0\.0\.1 is not trusted \(self.signed certificate\): "
        r"it is self-signed; if you trust it, set --ca-file to its PEM file",
        fails(*options(scripted)),
    )


@pytest.mark.parametrize("words", [("--ssl",), ("--starttls",)])
def test_certificate_of_another_time(fails: Fails, peer: PeerFactory, tmp_path: Path, words: tuple[str, ...]) -> None:
    script = "TLS FAILS"
    if words == ("--starttls",):
        script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: A1 STARTTLS\nS: A1 OK go on\nTLS FAILS"
    scripted = peer(script, tls_context=certificates.expired_server_context())
    authority = ca_file(tmp_path, certificates.authority().ca_pem)
    assert fails(*options(scripted, "--ca-file", authority, *words)) == (
        "the certificate of 127.0.0.1 is not trusted (certificate has expired): "
        "the server needs a new one, or the clock of this machine is wrong"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_certificate_of_another_host(fails: Fails, peer: PeerFactory, tmp_path: Path, host: str) -> None:
    scripted = peer("TLS FAILS", tls_context=certificates.wrong_host_server_context())
    authority = ca_file(tmp_path, certificates.authority().ca_pem)
    kind = "IP address" if host == "127.0.0.1" else "Hostname"
    assert fails(*options(scripted, "--ca-file", authority, host=host)) == (
        f"the certificate of {host} is not trusted ({kind} mismatch, certificate is not valid for '{host}'.): "
        "connect to a host name that the certificate contains"
    )


def test_certificate_of_an_account_in_a_file(fails: Fails, peer: PeerFactory, tmp_path: Path) -> None:
    scripted = peer("TLS FAILS", tls_context=certificates.wrong_ca_server_context())
    account = f"host = {scripted.host}\nport = {scripted.port}\nusername = ann\npassword = s3cret\ntimeout = 60\n"
    path = write_config(tmp_path / "my.ini", f"[DEFAULT]\n{account}")
    assert fails("-f", str(path)).endswith("set ssl_ca_file to the authority's PEM file")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_unknown_host(fails: Fails, host: str) -> None:
    line = fails("-H", host, "-u", "ann", "-p", "s3cret")
    assert re.fullmatch(rf"the host '{re.escape(host)}' was not found \(.+\): check its name and your network", line)


def test_nobody_listens(fails: Fails) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert fails("-H", "127.0.0.1", "-P", str(port), "-u", "ann", "-p", "s3cret") == (
        f"127.0.0.1 refuses connections on port {port}: check the port (993 with --ssl, otherwise 143)"
    )


@pytest.mark.parametrize("words", [("--insecure",), ()])
def test_silence(fails: Fails, words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        line = fails("-H", "127.0.0.1", "-P", str(port), "-u", "ann", "-p", "s3cret", "--timeout", "0.2", *words)
    hint = "; if the port expects TLS from the start, use --ssl" if words else ""
    assert line == f"127.0.0.1 does not answer on port {port} within 0.2 seconds: check host and port{hint}"


def test_tls_to_a_port_without(fails: Fails) -> None:
    def greet(listening: socket.socket) -> None:
        connection = listening.accept()[0]
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"* OK ready\r\n")
            # Until the client closes the connection.
            while connection.recv(1024):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet, args=(listening,))
        thread.start()
        port = listening.getsockname()[1]
        line = fails("-H", "127.0.0.1", "-P", str(port), "-u", "ann", "-p", "s3cret", "--timeout", "60")
        thread.join()
    hint = "use --starttls, or --insecure on a network that you trust"
    assert re.fullmatch(rf"127\.0\.0\.1 does not speak TLS on port {port} \(.+\): {hint}", line)


def test_tls_that_is_too_old(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer("TLS FAILS", tls_context=certificates.old_tls_server_context())
    line = fails(*options(scripted))
    assert line.startswith(
        f"TLS with 127.0.0.1 on port {scripted.port} failed: "
        "the server supports no version of TLS that is allowed here: "
    )


def test_no_starttls(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer(GREETING)
    assert fails(*options(scripted, "--starttls")) == (
        f"127.0.0.1 does not support STARTTLS on port {scripted.port}: use --ssl"
    )


def test_no_login_before_tls(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready")
    assert fails(*options(scripted, "--insecure")) == "127.0.0.1 allows no login before TLS: use --starttls or --ssl"
    refusing = peer(GREETING + 'C: A1 LOGIN "ann" "s3cret"\nS: A1 NO [PRIVACYREQUIRED] No\n')
    assert fails(*options(refusing, "--insecure")) == "127.0.0.1 allows no login before TLS: use --starttls or --ssl"


def test_refused_login(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer(
        GREETING + 'C: A1 LOGIN "ann" "s3cret"\nSx: A1 NO [AUTHENTICATIONFAILED] Wrong\\x1b[31m password.\n'
    )
    assert fails(*options(scripted, "--insecure")) == "127.0.0.1 refuses to log in ann: Wrong [31m password."


def test_server_that_repeats_the_password(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer(GREETING + 'C: A1 LOGIN "ann" "s3cret"\nS: A1 NO s3cret is wrong\n')
    assert fails(*options(scripted, "--insecure")) == "127.0.0.1 refuses to log in ann: **REDACTED** is wrong"


def test_server_that_hangs_up(fails: Fails, peer: PeerFactory) -> None:
    hint = "; if the port expects TLS from the start, use --ssl"
    busy = peer("S: * BYE Too many connections")
    assert fails(*options(busy, "--insecure")) == f"127.0.0.1 closed the connection: Too many connections{hint}"
    closing = peer("CLOSE")
    line = fails(*options(closing, "--insecure"))
    assert line.startswith("127.0.0.1 closed the connection: ")
    assert line.endswith(hint)


def test_server_of_another_protocol(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer("S: SSH-2.0-OpenSSH_9.2p1")
    assert fails(*options(scripted, "--insecure")) == (
        f"127.0.0.1 does not speak IMAP on port {scripted.port} "
        "(not an IMAP greeting at byte 0: b'SSH-2.0-OpenSSH_9.2p1'): "
        "check the port; if the port expects TLS from the start, use --ssl"
    )


def test_user_name_that_is_no_text(fails: Fails, peer: PeerFactory) -> None:
    scripted = peer(GREETING)
    words = options(scripted, "--insecure", "-u", "\udce4")
    assert fails(*words).startswith("no connection to 127.0.0.1: ValueError: the user name must not contain half")


def test_answer_that_is_no_text() -> None:
    done = run(stdin=b"\xe4\n")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "imapclient: the answer is not valid utf-8 (invalid continuation byte): check the encoding of the terminal"
    )
    assert "Traceback" not in done.stderr


def test_command_that_fails(fails: Fails, tmp_path: Path) -> None:
    path = write_config(tmp_path / "my.ini", "[DEFAULT]\nhost = exit 3\nstream = yes\ntimeout = 60\n")
    assert fails("-f", str(path)).startswith("the command closed the connection: ")


def test_password_command_that_fails(fails: Fails, tmp_path: Path) -> None:
    path = write_config(tmp_path / "my.ini", "[DEFAULT]\nhost = a\nusername = ann\npassword_command = exit 3\n")
    assert fails("-f", str(path)) == f"{path} [DEFAULT] password_command: ended with exit status 3: exit 3"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no connection to a, port 993: No route to host"),
        (RuntimeError("odd\nthing"), "no connection to a: RuntimeError: odd thing"),
        (RuntimeError("x" * 1000), f"no connection to a: RuntimeError: {'x' * 363}..."),
    ],
)
def test_what_is_not_foreseen(error: Exception, line: str) -> None:
    assert advice(error, Settings(host="a", port=None, ssl=True, starttls=False, stream=False)) == line


def test_demo_without_its_server(arguments: Arguments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    arguments("--demo")
    with pytest.raises(SystemExit) as caught:
        interact.main()
    assert caught.value.code == "imapclient: EmbeddedServer needs Python 3.11 or newer (this is 3.9)"


# -- the log


def run(*words: str, stdin: str | bytes) -> subprocess.CompletedProcess[str]:
    """The program in its own process, with the shell of Python, which reads from a pipe."""
    program = (
        "import sys; sys.modules['IPython'] = sys.modules['ptpython.repl'] = None; "
        "from imapclient.interact import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "HOME": os.devnull},
        input=stdin if isinstance(stdin, bytes) else stdin.encode("utf-8"),
        capture_output=True,
        timeout=500,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_log(peer: PeerFactory) -> None:
    """The protocol is shown, but the password in none of its forms."""
    secret = 'pä"ss'
    literal = base64.b64encode(secret.encode()).decode()
    script = f"""
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: A1 LOGIN "ann" {{6}}
        S: + go on
        C: {secret}
        S: A1 OK [CAPABILITY IMAP4rev1] Hello {secret}
        C: A2 NOOP
        S: A2 OK Done
        C: A3 LOGOUT
        S: * BYE
        S: A3 OK done
    """
    with peer(script) as scripted:
        account = ["-H", scripted.host, "-P", str(scripted.port), "-u", "ann", "-p", secret, "--insecure", "--log"]
        done = run(*account, stdin="c.noop()\n")
        scripted.wait()
    assert done.returncode == 0, done.stderr
    assert 'Connected.\n\nIMAPClient instance is "c"\n' in done.stdout
    assert "(b'Done', [])" in done.stdout
    shown = done.stdout + done.stderr
    assert secret not in shown
    assert literal not in shown
    assert "p\\xc3\\xa4" not in shown
    assert "LOGIN **REDACTED**" in done.stderr
    assert re.search(r"^> \w+ NOOP$", done.stderr, re.MULTILINE)
    assert re.search(r"^< \w+ OK Done$", done.stderr, re.MULTILINE)


def test_log_of_a_login_by_oauth2(peer: PeerFactory, tmp_path: Path) -> None:
    initial = base64.b64encode(b"user=ann\x01auth=Bearer t0ken\x01\x01").decode()
    script = f"""
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
        C: A1 AUTHENTICATE XOAUTH2 {initial}
        S: A1 OK [CAPABILITY IMAP4rev1] done
        C: A2 LOGOUT
        S: * BYE
        S: A2 OK done
    """
    authority = ca_file(tmp_path, certificates.authority().ca_pem)
    with peer(script) as scripted, TokenEndpoint(certificates.server_context()) as endpoint:
        account = (
            f"host = {scripted.host}\nport = {scripted.port}\nssl = no\nusername = ann\ntimeout = 60\noauth2 = yes\n"
        )
        tokens = "oauth2_client_id = me\noauth2_client_secret = cl1ent\noauth2_refresh_token = r3fresh\n"
        path = write_config(tmp_path / "my.ini", f"[DEFAULT]\n{account}{tokens}oauth2_token_url = {endpoint.url}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", authority)
            patch.setenv("no_proxy", "*")
            done = run("-f", str(path), "--log", stdin="c\n")
        scripted.wait()
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert re.search(r"AUTHENTICATE.* \*\*REDACTED\*\*", shown)
    for secret in ("t0ken", "cl1ent", "r3fresh", initial):
        assert secret not in shown


def test_status_and_words_of_leaving(peer: PeerFactory) -> None:
    script = GREETING + 'C: A1 LOGIN "ann" "s3cret"\nS: A1 OK [CAPABILITY IMAP4rev1] done\nC: A2 LOGOUT\n' + BYE
    for leaving, status, words in (("exit(3)", 3, ""), ("exit()", 0, ""), ("exit('bye')", 1, "bye\n")):
        with peer(script) as scripted:
            done = run(*options(scripted, "--insecure"), stdin=f"{leaving}\n")
            scripted.wait()
        assert done.returncode == status
        assert done.stderr.splitlines(keepends=True)[1:] == ([words] if words else [])
        assert "Traceback" not in done.stderr
