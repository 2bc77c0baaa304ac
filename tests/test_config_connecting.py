from __future__ import annotations

import argparse
import shlex
import socket
import ssl
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imapclient._accounts import oauth2
from imapclient.config import ConfigError, Settings, create_client_from_config, get_config_defaults, parse_config_file
from imapclient.exceptions import IMAPClientError, LoginError, NotOfferedError
from tests.helpers import certificates
from tests.helpers.certificates import Authority
from tests.helpers.config_files import write_config
from tests.helpers.dovecot import Dovecot
from tests.helpers.memory_keyring import MemoryKeyring, use_memory_keyring
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer
from tests.helpers.token_endpoint import TokenEndpoint, token

ConfigFile = Callable[[str], Path]

GREETING = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n"
LOGIN = 'C: A1 LOGIN "ann" "s3cret"\nS: A1 OK [CAPABILITY IMAP4rev1] done\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in get_config_defaults():
        monkeypatch.delenv(f"imapclient_{name}", raising=False)


@pytest.fixture
def memory_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    return lambda text: write_config(tmp_path / "account.ini", text)


def settings_for(peer: ScriptedPeer, config_file: ConfigFile, *lines: str) -> Settings:
    account = [
        "[DEFAULT]",
        f"host = {peer.host}",
        f"port = {peer.port}",
        "username = ann",
        "password = s3cret",
        "timeout = 60",
        *lines,
    ]
    return parse_config_file(config_file("\n".join(account)))


def until_closed() -> Iterator[bytes]:
    """Sends until the client closes the connection: `ScriptedPeer.wait` returns only then."""
    while True:
        yield b"* OK still here\r\n"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.ca_pem)
    return path


def test_connects_and_logs_in(peer: PeerFactory, config_file: ConfigFile) -> None:
    with peer(GREETING + LOGIN) as server:
        client = create_client_from_config(settings_for(server, config_file, "ssl = no"))
        client.shutdown()
        server.wait()


def test_takes_a_plain_namespace(peer: PeerFactory) -> None:
    with peer(GREETING + LOGIN) as server:
        settings = {
            **get_config_defaults(),
            "host": server.host,
            "port": server.port,
            "ssl": False,
            "username": "ann",
            "password": "s3cret",
        }
        create_client_from_config(argparse.Namespace(**settings)).shutdown()
        server.wait()


def test_without_login(peer: PeerFactory, config_file: ConfigFile) -> None:
    with peer(GREETING) as server:
        settings = settings_for(server, config_file, "ssl = no", "oauth2 = yes")
        settings.username = ""
        client = create_client_from_config(settings, login=False)
        assert client.welcome.endswith(b"ready")
        client.shutdown()
        server.wait()


def test_refused_login_closes_the_connection(peer: PeerFactory, config_file: ConfigFile) -> None:
    refusal = 'C: A1 LOGIN "ann" "s3cret"\nS: A1 NO [AUTHENTICATIONFAILED] wrong\n'
    with peer([GREETING + refusal, until_closed()]) as server:
        settings = settings_for(server, config_file, "ssl = no")
        with pytest.raises(LoginError, match="wrong"):
            create_client_from_config(settings)
        server.wait()


def test_refused_starttls_closes_the_connection(peer: PeerFactory, config_file: ConfigFile) -> None:
    """In particular, no password is sent without TLS."""
    with peer([GREETING + "C: A1 STARTTLS\nS: A1 NO not now\n", until_closed()]) as server:
        settings = settings_for(server, config_file, "starttls = yes")
        with pytest.raises(IMAPClientError):
            create_client_from_config(settings)
        server.wait()


def test_tls(peer: PeerFactory, config_file: ConfigFile, authority: Authority, ca_file: Path) -> None:
    with peer(GREETING + LOGIN, implicit_tls=True, tls_context=authority.server_context()) as server:
        settings = settings_for(server, config_file, f"ssl_ca_file = {ca_file}")
        create_client_from_config(settings).shutdown()
        server.wait()


def test_starttls(peer: PeerFactory, config_file: ConfigFile, authority: Authority, ca_file: Path) -> None:
    script = f"""{GREETING}
        C: A1 STARTTLS
        S: A1 OK go on
        TLS
        C: A2 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: A2 OK done
        C: A3 LOGIN "ann" "s3cret"
        S: A3 OK [CAPABILITY IMAP4rev1] done
        """
    with peer(script, tls_context=authority.server_context()) as server:
        settings = settings_for(server, config_file, "starttls = yes", f"ssl_ca_file = {ca_file}")
        create_client_from_config(settings).shutdown()
        server.wait()


@pytest.mark.parametrize("names", [(), ("other.example.org",)])
def test_certificate_of_nobody_knows_whom(
    peer: PeerFactory, config_file: ConfigFile, authority: Authority, names: tuple[str, ...]
) -> None:
    context = authority.server_context(*names)
    with peer("TLS FAILS", tls_context=context) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            create_client_from_config(settings_for(server, config_file))
        server.wait()
    with peer(GREETING + LOGIN, implicit_tls=True, tls_context=context) as server:
        settings = settings_for(server, config_file, "ssl_verify_cert = no")
        create_client_from_config(settings).shutdown()
        server.wait()


def test_certificate_for_another_host(
    peer: PeerFactory, config_file: ConfigFile, authority: Authority, ca_file: Path
) -> None:
    context = authority.server_context("other.example.org")
    trust = f"ssl_ca_file = {ca_file}"
    with peer("TLS FAILS", tls_context=context) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            create_client_from_config(settings_for(server, config_file, trust))
        server.wait()
    with peer(GREETING + LOGIN, implicit_tls=True, tls_context=context) as server:
        settings = settings_for(server, config_file, trust, "ssl_check_hostname = no")
        create_client_from_config(settings).shutdown()
        server.wait()


def test_without_host_name_check_the_authority_still_counts(
    peer: PeerFactory, config_file: ConfigFile, authority: Authority
) -> None:
    with peer("TLS FAILS", tls_context=authority.server_context()) as server:
        settings = settings_for(server, config_file, "ssl_check_hostname = no")
        with pytest.raises(ssl.SSLCertVerificationError):
            create_client_from_config(settings)
        server.wait()


def test_timeout_holds_for_the_greeting(peer: PeerFactory, config_file: ConfigFile) -> None:
    with peer() as server:
        settings = settings_for(server, config_file, "ssl = no")
        settings.timeout = 0.1
        with pytest.raises(socket.timeout):
            create_client_from_config(settings)


# Streams


def stream_settings(config_file: ConfigFile, greeting: str, *lines: str) -> Settings:
    """A command that greets, and accepts one LOGIN of ann with s3cret."""
    source = f"""
import sys
def say(text):
    print(text, end="\\r\\n", flush=True)
say("* {greeting}")
tag, *command = input().split()
say(tag + (" OK [CAPABILITY IMAP4rev1] done" if command == ["LOGIN", '"ann"', '"s3cret"'] else " NO wrong"))
sys.stdin.read()
"""
    # On one line, because it is a value in the file.
    command = shlex.join([sys.executable, "-c", f"exec({source!r})"])
    text = "\n".join(["[DEFAULT]", f"host = {command}", "stream = yes", "timeout = 60", *lines, ""])
    return parse_config_file(config_file(text))


needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="stream=True needs a POSIX system")


@needs_pipes
def test_stream(config_file: ConfigFile) -> None:
    settings = stream_settings(config_file, "OK [CAPABILITY IMAP4rev1] hi", "username = ann", "password = s3cret")
    client = create_client_from_config(settings)
    assert client.welcome.endswith(b"hi")
    client.shutdown()
    settings.password = "wrong"
    with pytest.raises(LoginError):
        create_client_from_config(settings)


@needs_pipes
@pytest.mark.parametrize(
    "lines", [(), ("username = ann", "password = wrong"), ("password_command = false",), ("oauth2 = yes",)]
)
def test_nobody_logs_in_after_preauth(config_file: ConfigFile, lines: tuple[str, ...]) -> None:
    settings = stream_settings(config_file, "PREAUTH [CAPABILITY IMAP4rev1] hi", *lines)
    client = create_client_from_config(settings)
    assert client.welcome.endswith(b"hi")
    client.shutdown()


@needs_pipes
def test_stream_that_wants_a_login(config_file: ConfigFile) -> None:
    settings = stream_settings(config_file, "OK [CAPABILITY IMAP4rev1] hi")
    with pytest.raises(ConfigError) as caught:
        create_client_from_config(settings)
    assert str(caught.value) == f"{settings.filename} [DEFAULT] username: missing: login needs it"
    create_client_from_config(settings, login=False).shutdown()


def test_preauth_over_the_network(peer: PeerFactory, config_file: ConfigFile) -> None:
    """For example a server that identifies its client by a certificate."""
    with peer("S: * PREAUTH [CAPABILITY IMAP4rev1] hi") as server:
        create_client_from_config(settings_for(server, config_file, "ssl = no")).shutdown()
        server.wait()


@needs_pipes
def test_stream_of_dovecot(config_file: ConfigFile, dovecot: Dovecot) -> None:
    command = dovecot.preauth_command(new_user(dovecot))
    settings = parse_config_file(config_file(f"[DEFAULT]\nhost = {command}\nstream = yes\ntimeout = 60\n"))
    with create_client_from_config(settings) as client:
        assert client.welcome.startswith(b"* PREAUTH")
        assert client.select_folder("INBOX")[b"EXISTS"] == 0


# Each option on a real server


def new_user(dovecot: Dovecot) -> str:
    name = f"config-{uuid.uuid4().hex}"
    dovecot.add_user(name, "100%secret")
    return name


def dovecot_settings(dovecot: Dovecot, config_file: ConfigFile, *lines: str, user: str = "") -> Settings:
    account = [f"host = {dovecot.host}", f"username = {user or new_user(dovecot)}", "timeout = 60"]
    return parse_config_file(config_file("\n".join(["[DEFAULT]", *account, *lines, ""])))


def assert_logged_in(settings: Settings) -> None:
    with create_client_from_config(settings) as client:
        assert client.select_folder("INBOX")[b"EXISTS"] == 0


@pytest.mark.parametrize("transport", ["ssl = no", "ssl = yes", "starttls = yes"])
def test_transports_of_dovecot(dovecot: Dovecot, config_file: ConfigFile, transport: str) -> None:
    port = dovecot.tls_port if transport == "ssl = yes" else dovecot.port
    lines = [f"port = {port}", transport, f"ssl_ca_file = {dovecot.ca_file}", "password = 100%secret"]
    assert_logged_in(dovecot_settings(dovecot, config_file, *lines))


@pytest.mark.parametrize("transport", ["ssl = yes", "starttls = yes"])
def test_certificate_options_are_the_same_for_both_ways_to_tls(
    dovecot: Dovecot, config_file: ConfigFile, transport: str
) -> None:
    port = dovecot.tls_port if transport == "ssl = yes" else dovecot.port
    account = [f"port = {port}", transport, "password = 100%secret"]
    trusted = f"ssl_ca_file = {dovecot.ca_file}"
    user = new_user(dovecot)

    def attempt(*lines: str) -> None:
        assert_logged_in(dovecot_settings(dovecot, config_file, *account, *lines, user=user))

    with pytest.raises(ssl.SSLCertVerificationError):
        attempt()
    with pytest.raises(ssl.SSLCertVerificationError):
        attempt("ssl_check_hostname = no")
    attempt(trusted)
    attempt("ssl_verify_cert = no")
    attempt("ssl_verify_cert = no", "ssl_check_hostname = yes")


def test_password_by_command(dovecot: Dovecot, config_file: ConfigFile) -> None:
    plain = (f"port = {dovecot.port}", "ssl = no")
    assert_logged_in(dovecot_settings(dovecot, config_file, *plain, "password_command = echo 100%secret; echo more"))
    with pytest.raises(ConfigError) as caught:
        create_client_from_config(dovecot_settings(dovecot, config_file, *plain, "password_command = exit 3"))
    assert str(caught.value) == (f"{config_file('')} [DEFAULT] password_command: ended with exit status 3: exit 3")


def test_password_by_keyring(dovecot: Dovecot, config_file: ConfigFile, memory_keyring: MemoryKeyring) -> None:
    settings = dovecot_settings(dovecot, config_file, f"port = {dovecot.port}", "ssl = no", "keyring = mail")
    with pytest.raises(ConfigError) as caught:
        create_client_from_config(settings)
    name = settings.username
    reason = f"no password for {name!r} in the service 'mail': run keyring set mail {name}"
    assert str(caught.value) == f"{settings.filename} [DEFAULT] keyring: {reason}"
    memory_keyring.set_password("mail", name, "100%secret")
    assert_logged_in(settings)


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenEndpoint]:
    """A provider whose certificate the system trusts."""
    authority = tmp_path / "system.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("no_proxy", "*")
    oauth2._tokens.clear()
    with TokenEndpoint(certificates.server_context()) as server:
        yield server


def oauth2_lines(endpoint: TokenEndpoint, port: int) -> list[str]:
    return [
        f"port = {port}",
        "oauth2 = yes",
        "oauth2_client_id = me",
        "oauth2_client_secret = 50%",
        "oauth2_refresh_token = r3fresh",
        f"oauth2_token_url = {endpoint.url}",
        "oauth2_scope = mail",
    ]


def test_oauth2_of_dovecot(dovecot: Dovecot, config_file: ConfigFile, endpoint: TokenEndpoint) -> None:
    lines = [*oauth2_lines(endpoint, dovecot.tls_port), f"ssl_ca_file = {dovecot.ca_file}"]
    settings = dovecot_settings(dovecot, config_file, *lines)
    endpoint.answer = token(dovecot.access_token(settings.username), expires_in=3600)
    assert_logged_in(settings)
    assert_logged_in(settings)
    assert endpoint.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "me",
            "client_secret": "50%",
            "refresh_token": "r3fresh",
            "scope": "mail",
        }
    ]
    # The token belongs to another user than the user name.
    settings.username = new_user(dovecot)
    with pytest.raises(LoginError):
        create_client_from_config(settings)
    # The first token was known, and may have been revoked. The second one was new.
    assert len(endpoint.asked) == 2


def test_oauth2_token_that_ended_before_its_time(
    dovecot: Dovecot, config_file: ConfigFile, endpoint: TokenEndpoint
) -> None:
    lines = [*oauth2_lines(endpoint, dovecot.tls_port), f"ssl_ca_file = {dovecot.ca_file}"]
    settings = dovecot_settings(dovecot, config_file, *lines)
    endpoint.answer = token(dovecot.access_token(settings.username, expired=True), expires_in=3600)
    with pytest.raises(LoginError):
        create_client_from_config(settings)
    assert len(endpoint.asked) == 1
    endpoint.answer = token(dovecot.access_token(settings.username), expires_in=3600)
    assert_logged_in(settings)
    assert len(endpoint.asked) == 2


def test_oauth2_on_a_server_with_the_older_mechanism(
    peer: PeerFactory, config_file: ConfigFile, endpoint: TokenEndpoint
) -> None:
    script = """
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
        C: A1 AUTHENTICATE XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgdDBrZW4BAQ==
        S: A1 OK [CAPABILITY IMAP4rev1] Logged in
    """
    with peer(script) as server:
        lines = oauth2_lines(endpoint, server.port)[1:]
        create_client_from_config(settings_for(server, config_file, "ssl = no", *lines)).shutdown()
        server.wait()


def test_oauth2_on_a_server_without_it(peer: PeerFactory, config_file: ConfigFile, endpoint: TokenEndpoint) -> None:
    """The token is not the reason, so no other token is requested."""
    for _ in range(2):
        with peer("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready") as server:
            lines = oauth2_lines(endpoint, server.port)[1:]
            with pytest.raises(NotOfferedError):
                create_client_from_config(settings_for(server, config_file, "ssl = no", *lines))
            server.wait()
    assert len(endpoint.asked) == 1


# None of these may connect: no server listens at this address.
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("username = ann\n", "password: missing: login needs it"),
        ("password = s3cret\n", "username: missing: login needs it"),
        ("oauth2 = yes\n", "username: missing: login needs it"),
        ("oauth2 = yes\nusername = ann\n", "oauth2_client_id: missing: login needs it"),
        ("oauth2 = yes\nusername = ann\noauth2_client_id = i\n", "oauth2_refresh_token: missing: login needs it"),
        (
            "oauth2 = yes\nusername = ann\noauth2_client_id = i\noauth2_refresh_token = s3cret\n",
            "oauth2_token_url: missing: the address that issues access tokens for '127.0.0.1' is unknown",
        ),
    ],
)
def test_what_login_needs(config_file: ConfigFile, lines: str, message: str) -> None:
    path = config_file(f"[DEFAULT]\nhost = 127.0.0.1\nport = 1\n{lines}")
    with pytest.raises(ConfigError) as caught:
        create_client_from_config(parse_config_file(path))
    assert str(caught.value) == f"{path} [DEFAULT] {message}"
    assert caught.value.option == message.partition(":")[0]


def test_ca_file_that_is_gone(config_file: ConfigFile, tmp_path: Path) -> None:
    path = config_file("[DEFAULT]\nhost = 127.0.0.1\nport = 1\n")
    settings = parse_config_file(path)
    settings.ssl_ca_file = str(tmp_path / "gone.pem")
    with pytest.raises(ConfigError) as caught:
        create_client_from_config(settings, login=False)
    reason = f"must be a PEM file with certificates, not {settings.ssl_ca_file!r}: No such file or directory"
    assert str(caught.value) == f"{path} [DEFAULT] ssl_ca_file: {reason}"
