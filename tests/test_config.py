from __future__ import annotations

import argparse
import configparser
import re
import shlex
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imapclient.config import (
    ConfigError,
    Settings,
    create_client_from_config,
    get_config_defaults,
    parse_config_file,
)
from imapclient.exceptions import IMAPClientError, LoginError
from tests.helpers.certificates import Authority
from tests.helpers.scripted_peer import PeerFactory, ScriptedPeer

ConfigFile = Callable[[str], Path]

EXAMPLE = Path(__file__).parents[1] / "livetest.ini.example"

GREETING = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n"
LOGIN = 'C: A1 LOGIN "ann" "s3cret"\nS: A1 OK [CAPABILITY IMAP4rev1] done\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in get_config_defaults():
        monkeypatch.delenv(f"imapclient_{name}", raising=False)


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    def write(text: str) -> Path:
        path = tmp_path / "account.ini"
        path.write_text(text, encoding="utf-8")
        return path

    return write


# Defaults


def test_defaults() -> None:
    assert get_config_defaults() == {
        "username": None,
        "password": None,
        "ssl": True,
        "ssl_check_hostname": True,
        "ssl_verify_cert": True,
        "ssl_ca_file": None,
        "timeout": None,
        "starttls": False,
        "stream": False,
        "oauth2": False,
        "oauth2_client_id": None,
        "oauth2_client_secret": None,
        "oauth2_refresh_token": None,
        "expect_failure": None,
    }


@pytest.mark.parametrize(
    "option",
    ["username", "password", "oauth2_client_id", "oauth2_client_secret", "oauth2_refresh_token"],
)
def test_default_from_the_environment(monkeypatch: pytest.MonkeyPatch, config_file: ConfigFile, option: str) -> None:
    monkeypatch.setenv(f"imapclient_{option}", "50% of it")
    assert get_config_defaults()[option] == "50% of it"
    unset = config_file("[DEFAULT]\nhost = a\n")
    assert getattr(parse_config_file(unset), option) == "50% of it"
    file_wins = config_file(f"[DEFAULT]\nhost = a\n{option} = mine\n")
    assert getattr(parse_config_file(file_wins), option) == "mine"


# Reading a file


def test_host_alone(config_file: ConfigFile) -> None:
    settings = parse_config_file(config_file("[DEFAULT]\nhost = imap.example.org\n"))
    assert vars(settings) == {
        "host": "imap.example.org",
        "port": None,
        "ssl": True,
        "starttls": False,
        "ssl_check_hostname": True,
        "ssl_verify_cert": True,
        "ssl_ca_file": "",
        "timeout": None,
        "stream": False,
        "username": "",
        "password": "",
        "oauth2": False,
        "oauth2_client_id": "",
        "oauth2_client_secret": "",
        "oauth2_refresh_token": "",
        "expect_failure": "",
        "alternates": {},
    }


def test_all_options(config_file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    settings = parse_config_file(
        config_file(
            """
            [DEFAULT]
            host: imap.example.org
            PORT = 1143
            ssl = No
            starttls = ON
            ssl_check_hostname = 0
            ssl_verify_cert = false
            ssl_ca_file = ~/ca.pem
            timeout = 2.5
            stream = off
            username = änn
            password = a%%b;c # "d"
            oauth2 = 1
            oauth2_client_id = i
            oauth2_client_secret = s
            oauth2_refresh_token = r
            something_else = 5
            """.replace(" " * 12, "")
        )
    )
    assert vars(settings) == {
        "host": "imap.example.org",
        "port": 1143,
        "ssl": False,
        "starttls": True,
        "ssl_check_hostname": False,
        "ssl_verify_cert": False,
        "ssl_ca_file": "/home/ann/ca.pem",
        "timeout": 2.5,
        "stream": False,
        "username": "änn",
        "password": 'a%b;c # "d"',
        "oauth2": True,
        "oauth2_client_id": "i",
        "oauth2_client_secret": "s",
        "oauth2_refresh_token": "r",
        "expect_failure": "",
        "alternates": {},
    }


def test_alternates_take_over_what_they_do_not_set(config_file: ConfigFile) -> None:
    settings = parse_config_file(
        config_file(
            "[DEFAULT]\nhost = a\nport = 1\nusername = ann\n"
            "[other]\nhost = b\nport =\n"
            "[wrong]\npassword = w\nexpect_failure = no such password\n"
        )
    )
    assert list(settings.alternates) == ["other", "wrong"]
    other, wrong = settings.alternates.values()
    assert (settings.host, settings.port, settings.username) == ("a", 1, "ann")
    assert (other.host, other.port, other.username) == ("b", None, "ann")
    assert (wrong.host, wrong.port, wrong.password) == ("a", 1, "w")
    assert wrong.expect_failure == "no such password"
    assert other.expect_failure == settings.expect_failure == ""
    assert other.alternates == {}


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "notepad.ini"
    path.write_bytes(b"\xef\xbb\xbf[DEFAULT]\r\nhost = a\r\n")
    assert parse_config_file(str(path)).host == "a"


def test_secrets_are_not_in_the_repr(config_file: ConfigFile) -> None:
    secrets = ("password", "oauth2_client_secret", "oauth2_refresh_token")
    account = "host = a\n" + "".join(f"{option} = s3cret\n" for option in secrets)
    settings = parse_config_file(config_file(f"[DEFAULT]\n{account}[b]\n{account}"))
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)
    assert repr(settings).count("<hidden>") == 6
    assert "host='a'" in repr(settings)
    assert "password=''" in repr(parse_config_file(config_file("[DEFAULT]\nhost = a\n")))


def test_settings_take_command_line_options(config_file: ConfigFile) -> None:
    settings = parse_config_file(config_file("[DEFAULT]\nhost = a\nusername = ann\n"))
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    parser.add_argument("--host")
    parser.parse_args(["--host", "b"], namespace=settings)
    assert (settings.host, settings.username) == ("b", "ann")


@pytest.mark.parametrize(
    ("text", "section", "option", "reason"),
    [
        ("", "DEFAULT", "host", "missing"),
        ("[b]\nhost = b\n", "DEFAULT", "host", "missing"),
        ("[DEFAULT]\nhost =\n", "DEFAULT", "host", "missing"),
        ("[DEFAULT]\nhost = a\nport = abc\n", "DEFAULT", "port", "'abc'"),
        ("[DEFAULT]\nhost = a\nport = 143 ; plain\n", "DEFAULT", "port", "'143 ; plain'"),
        ("[DEFAULT]\nhost = a\nport = 0\n", "DEFAULT", "port", "1 to 65535"),
        ("[DEFAULT]\nhost = a\nport = 65536\n", "DEFAULT", "port", "1 to 65535"),
        ("[DEFAULT]\nhost = a\nport = -1\n", "DEFAULT", "port", "1 to 65535"),
        ("[DEFAULT]\nhost = a\nport = ²\n", "DEFAULT", "port", "1 to 65535"),
        ("[DEFAULT]\nhost = a\nssl = maybe\n", "DEFAULT", "ssl", "yes or no, not 'maybe'"),
        ("[DEFAULT]\nhost = a\nssl =\n", "DEFAULT", "ssl", "yes or no, not ''"),
        ("[DEFAULT]\nhost = a\n[b]\noauth2 = google\n", "b", "oauth2", "yes or no"),
        ("[DEFAULT]\nhost = a\ntimeout = soon\n", "DEFAULT", "timeout", "seconds above 0"),
        ("[DEFAULT]\nhost = a\ntimeout = 0\n", "DEFAULT", "timeout", "seconds above 0"),
        ("[DEFAULT]\nhost = a\ntimeout = -1\n", "DEFAULT", "timeout", "seconds above 0"),
        ("[DEFAULT]\nhost = a\ntimeout = inf\n", "DEFAULT", "timeout", "seconds above 0"),
        ("[DEFAULT]\nhost = a\nstarttls = yes\n", "DEFAULT", "starttls", "needs ssl = no"),
        ("[DEFAULT]\nhost = a\n[b]\nstream = yes\n", "b", "stream", "needs ssl = no"),
        ("[DEFAULT]\nhost = a\nexpect_failure =\n", "DEFAULT", "expect_failure", "only another"),
        ("[DEFAULT]\nhost = a\npassword = 5%s3cret\n", "DEFAULT", "password", "written %%"),
        ("[DEFAULT]\nhost = a\npassword = %(s3cret)s\n", "DEFAULT", "password", "written %%"),
        ("password = s3cret\n", None, None, "line 1: stands before the first section"),
        ("[DEFAULT]\nhost = a\npassword s3cret\n", None, None, "line 3: not `option = value`"),
        ("[DEFAULT]\npassword = s3cret\npassword = s3cret\n", "DEFAULT", "password", "line 3"),
        ("[DEFAULT]\nhost = a\n[b]\n[b]\n", "b", None, "line 4: there twice"),
    ],
)
def test_what_cannot_be_understood(
    config_file: ConfigFile, text: str, section: str | None, option: str | None, reason: str
) -> None:
    path = config_file(text)
    with pytest.raises(ConfigError, match=re.escape(reason)) as caught:
        parse_config_file(path)
    error = caught.value
    assert (error.filename, error.section, error.option) == (str(path), section, option)
    for part in (str(path), *([section] if section else []), *([option] if option else [])):
        assert part in str(error)
    assert "s3cret" not in str(error)
    # A traceback shows no other error that quotes the file.
    assert error.__suppress_context__ or error.__context__ is None


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.ini"
    path.write_bytes(b"[DEFAULT]\nhost = a\nusername = \xe4nn\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        parse_config_file(path)
    assert caught.value.filename == str(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parse_config_file(tmp_path / "none.ini")


def test_error_is_what_callers_of_imapclient_catch() -> None:
    error = ConfigError("missing", option="host")
    assert isinstance(error, ValueError)
    assert isinstance(error, configparser.Error)
    assert str(error) == "host: missing"
    assert str(ConfigError("missing")) == "missing"


# The example


def test_example_is_read() -> None:
    settings = parse_config_file(EXAMPLE)
    assert (settings.host, settings.username, settings.password) == (
        "imap.example.org",
        "ann",
        "secret",
    )


def test_example_shows_each_option_with_its_default(config_file: ConfigFile) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    uncommented = re.sub(r"^#(?=[\w\[])", "", text, flags=re.MULTILINE)
    shown = set(re.findall(r"^(\w+) =", uncommented, flags=re.MULTILINE))
    later = {name for name in Settings.__annotations__ if name.startswith("oauth2")}
    assert shown == set(Settings.__annotations__) - later - {"alternates"}

    settings = parse_config_file(config_file(uncommented))
    assert list(settings.alternates) == ["starttls", "wrong-password"]
    assert settings.alternates["starttls"].starttls
    assert settings.alternates["wrong-password"].expect_failure
    as_it_stands = vars(parse_config_file(EXAMPLE))
    differing = {name for name, value in vars(settings).items() if value != as_it_stands[name]}
    assert differing == {"port", "ssl_ca_file", "alternates"}


# Connecting


def settings_for(peer: ScriptedPeer, config_file: ConfigFile, *lines: str) -> Settings:
    account = [
        "[DEFAULT]",
        f"host = {peer.host}",
        f"port = {peer.port}",
        "username = ann",
        "password = s3cret",
        "timeout = 10",
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
    """Above all, no password goes out in the clear."""
    with peer([GREETING + "C: A1 STARTTLS\nS: A1 NO not now\n", until_closed()]) as server:
        settings = settings_for(server, config_file, "ssl = no", "starttls = yes")
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
        settings = settings_for(server, config_file, "ssl = no", "starttls = yes", f"ssl_ca_file = {ca_file}")
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
    with peer("ACCEPT") as server:
        settings = settings_for(server, config_file, "ssl = no")
        settings.timeout = 0.1
        with pytest.raises(socket.timeout):
            create_client_from_config(settings)


@pytest.mark.skipif(sys.platform == "win32", reason="stream=True needs a POSIX system")
def test_stream(config_file: ConfigFile) -> None:
    program = "import sys; print('* PREAUTH [CAPABILITY IMAP4rev1] hi', end='\\r\\n', flush=True); sys.stdin.read()"
    command = shlex.join([sys.executable, "-c", program])
    settings = parse_config_file(config_file(f"[DEFAULT]\nhost = {command}\nssl = no\nstream = yes\ntimeout = 10\n"))
    client = create_client_from_config(settings, login=False)
    assert client.welcome.endswith(b"hi")
    client.shutdown()


# None of these may connect: nobody listens at this address.
@pytest.mark.parametrize(
    ("lines", "option", "reason"),
    [
        ("username = ann\n", "password", "missing"),
        ("password = s3cret\n", "username", "missing"),
        ("username = ann\npassword = s3cret\noauth2 = yes\n", "oauth2", "not supported yet"),
        (
            "username = ann\npassword = s3cret\nssl_ca_file = /no/such/file.pem\n",
            "ssl_ca_file",
            "/no/such/file.pem",
        ),
    ],
)
def test_contradicting_settings(config_file: ConfigFile, lines: str, option: str, reason: str) -> None:
    settings = parse_config_file(config_file(f"[DEFAULT]\nhost = 127.0.0.1\nport = 1\n{lines}"))
    with pytest.raises(ConfigError, match=re.escape(reason)) as caught:
        create_client_from_config(settings)
    assert caught.value.option == option
    assert "s3cret" not in str(caught.value)


def test_ca_file_that_is_none(config_file: ConfigFile) -> None:
    path = config_file("[DEFAULT]\nhost = 127.0.0.1\nport = 1\n")
    settings = parse_config_file(path)
    settings.ssl_ca_file = str(path)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        create_client_from_config(settings, login=False)
