from __future__ import annotations

import argparse
import configparser
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from imapclient._accounts.options import OPTIONS
from imapclient.config import ConfigError, ConfigWarning, Settings, get_config_defaults, parse_config_file
from tests.helpers import certificates
from tests.helpers.config_files import write_config

ConfigFile = Callable[[str], Path]

EXAMPLE = Path(__file__).parents[1] / "livetest.ini.example"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in get_config_defaults():
        monkeypatch.delenv(f"imapclient_{name}", raising=False)


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    return lambda text: write_config(tmp_path / "account.ini", text)


# Defaults


def test_defaults() -> None:
    assert get_config_defaults() == {
        "username": None,
        "password": None,
        "password_command": None,
        "keyring": None,
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
        "oauth2_token_url": None,
        "oauth2_scope": None,
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
    path = config_file("[DEFAULT]\nhost = imap.example.org\n")
    assert vars(parse_config_file(path)) == {
        "host": "imap.example.org",
        "username": "",
        "password": "",
        "password_command": "",
        "keyring": "",
        "port": None,
        "ssl": True,
        "starttls": False,
        "ssl_check_hostname": True,
        "ssl_verify_cert": True,
        "ssl_ca_file": "",
        "timeout": None,
        "stream": False,
        "oauth2": False,
        "oauth2_client_id": "",
        "oauth2_client_secret": "",
        "oauth2_refresh_token": "",
        "oauth2_token_url": "",
        "oauth2_scope": "",
        "expect_failure": "",
        "alternates": {},
        "filename": str(path),
        "section": "DEFAULT",
    }


def test_all_options(config_file: ConfigFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "ca.pem").write_bytes(certificates.authority().ca_pem)
    path = config_file(
        """
        [DEFAULT]
        host: imap.example.org
        username = änn
        password = a%b;c # "d"
        PORT = 1143
        starttls = ON
        ssl_check_hostname = 0
        ssl_verify_cert = false
        ssl_ca_file = ~/ca.pem
        timeout = 2.5
        oauth2 = 1
        oauth2_client_id = i
        oauth2_client_secret = s
        oauth2_refresh_token = r
        oauth2_token_url = https://auth.example.org/token?a=1
        oauth2_scope = mail offline
        [stream]
        host = run --me
        stream = TRUE
        starttls = No
        password_command = pass show me
        expect_failure = not me
        [keyring]
        keyring = imap
        """.replace(" " * 8, "")
    )
    settings = parse_config_file(path)
    expected = {
        "host": "imap.example.org",
        "username": "änn",
        "password": 'a%b;c # "d"',
        "password_command": "",
        "keyring": "",
        "port": 1143,
        "ssl": False,
        "starttls": True,
        "ssl_check_hostname": False,
        "ssl_verify_cert": False,
        "ssl_ca_file": str(tmp_path / "ca.pem"),
        "timeout": 2.5,
        "stream": False,
        "oauth2": True,
        "oauth2_client_id": "i",
        "oauth2_client_secret": "s",
        "oauth2_refresh_token": "r",
        "oauth2_token_url": "https://auth.example.org/token?a=1",
        "oauth2_scope": "mail offline",
        "expect_failure": "",
        "alternates": settings.alternates,
        "filename": str(path),
        "section": "DEFAULT",
    }
    assert vars(settings) == expected
    expected.update(alternates={}, password="", section="keyring", keyring="imap")
    assert vars(settings.alternates["keyring"]) == expected
    expected.update(host="run --me", stream=True, starttls=False, port=None, expect_failure="not me")
    expected.update(section="stream", keyring="", password_command="pass show me")
    assert vars(settings.alternates["stream"]) == expected


@pytest.mark.parametrize("text", ["1", "yes", "true", "on", "YES", "True", "oN"])
def test_true(config_file: ConfigFile, text: str) -> None:
    assert parse_config_file(config_file(f"[DEFAULT]\nhost = a\noauth2 = {text}\n")).oauth2 is True


@pytest.mark.parametrize("text", ["0", "no", "false", "off", "NO", "False", "oFF"])
def test_false(config_file: ConfigFile, text: str) -> None:
    assert parse_config_file(config_file(f"[DEFAULT]\nhost = a\nssl = {text}\n")).ssl is False


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("a%b", "a%b"),
        ("%", "%"),
        ("a%%b", "a%b"),
        ("%%%%", "%%"),
        ("%%%", "%%"),
        ("%(host)s", "%(host)s"),
        ("%s", "%s"),
    ],
)
def test_percent_signs(config_file: ConfigFile, written: str, password: str) -> None:
    assert parse_config_file(config_file(f"[DEFAULT]\nhost = a\npassword = {written}\n")).password == password


@pytest.mark.parametrize(
    ("lines", "ssl"),
    [
        ("", True),
        ("starttls = yes\n", False),
        ("stream = yes\n", False),
        ("starttls = no\n", True),
        ("starttls = yes\nssl = no\n", False),
        ("starttls = no\nssl = yes\n", True),
    ],
)
def test_starttls_and_stream_turn_ssl_off(config_file: ConfigFile, lines: str, ssl: bool) -> None:
    assert parse_config_file(config_file(f"[DEFAULT]\nhost = a\n{lines}")).ssl is ssl
    assert parse_config_file(config_file(f"[DEFAULT]\nhost = a\n[b]\n{lines}")).alternates["b"].ssl is ssl


def test_alternates_take_over_what_they_do_not_set(config_file: ConfigFile) -> None:
    settings = parse_config_file(
        config_file(
            "[other]\nhost = b\nport =\n"
            "[DEFAULT]\nhost = a\nport = 1\nusername = ann\n"
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


def test_the_nearest_source_of_the_password_counts(config_file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("imapclient_password", "of the environment")
    settings = parse_config_file(
        config_file("[DEFAULT]\nhost = a\npassword_command = show\n[same]\n[own]\npassword = p\n[ring]\nkeyring = k\n")
    )
    accounts = {"DEFAULT": settings, **settings.alternates}
    sources = {name: (each.password, each.password_command, each.keyring) for name, each in accounts.items()}
    assert sources == {
        "DEFAULT": ("", "show", ""),
        "same": ("", "show", ""),
        "own": ("p", "", ""),
        "ring": ("", "", "k"),
    }


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


# Invalid files


HOST = "[DEFAULT]\nhost = a\n"
BOOLEANS = "1, yes, true, on or 0, no, false, off"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE [DEFAULT] host: missing: every account needs one"),
        ("[b]\nhost = b\n", "FILE [DEFAULT] host: missing: every account needs one"),
        ("[DEFAULT]\nhost =\n", "FILE [DEFAULT] host: missing: every account needs one"),
        (HOST + "[b]\nhost =\n", "FILE [b] host: missing: every account needs one"),
        (HOST + "port = abc\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not 'abc'"),
        (HOST + "port = 143 ; x\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not '143 ; x'"),
        (HOST + "port = 0\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not '0'"),
        (HOST + "port = 65536\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not '65536'"),
        (HOST + "port = -1\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not '-1'"),
        (HOST + "port = ²\n", "FILE [DEFAULT] port: must be a number from 1 to 65535, not '²'"),
        (HOST + "ssl = maybe\n", f"FILE [DEFAULT] ssl: must be {BOOLEANS}, not 'maybe'"),
        (HOST + "ssl =\n", f"FILE [DEFAULT] ssl: must be {BOOLEANS}, not ''"),
        (HOST + "[b]\noauth2 = google\n", f"FILE [b] oauth2: must be {BOOLEANS}, not 'google'"),
        (HOST + "timeout = soon\n", "FILE [DEFAULT] timeout: must be a number of seconds above 0, not 'soon'"),
        (HOST + "timeout = 0\n", "FILE [DEFAULT] timeout: must be a number of seconds above 0, not '0'"),
        (HOST + "timeout = -1\n", "FILE [DEFAULT] timeout: must be a number of seconds above 0, not '-1'"),
        (HOST + "timeout = inf\n", "FILE [DEFAULT] timeout: must be a number of seconds above 0, not 'inf'"),
        (
            HOST + "starttls = yes\nssl = yes\n",
            "FILE [DEFAULT] starttls: can't be true if ssl is true: set one of them to false",
        ),
        (
            HOST + "ssl = yes\n[b]\nstream = yes\n",
            "FILE [b] stream: can't be true if ssl is true: set one of them to false",
        ),
        (
            HOST + "starttls = yes\nstream = yes\n",
            "FILE [DEFAULT] starttls: can't be true if stream is true: set one of them to false",
        ),
        (
            HOST + "stream = yes\nport = 143\n",
            "FILE [DEFAULT] port: must not be set if stream is true, not 143",
        ),
        (
            HOST + "ssl_ca_file = /none\n",
            "FILE [DEFAULT] ssl_ca_file: must be a PEM file with certificates, not '/none': No such file or directory",
        ),
        (
            HOST + "ssl_ca_file = FILE\n",
            "FILE [DEFAULT] ssl_ca_file: must be a PEM file with certificates, not 'FILE': it contains none",
        ),
        (
            HOST + "oauth2_token_url = http://auth.example.org/\n",
            "FILE [DEFAULT] oauth2_token_url: must be an address that begins with https://, not 'http://auth.example.org/'",
        ),
        (
            HOST + "oauth2_token_url = https://[/\n",
            "FILE [DEFAULT] oauth2_token_url: must be an address that begins with https://, not 'https://[/'",
        ),
        (HOST + "expect_failure =\n", "FILE [DEFAULT] expect_failure: allowed in other sections only"),
        (
            HOST + "[b]\npassword = s3cret\nkeyring = k\n",
            "FILE [b] keyring: can't be combined with password: set only one of them",
        ),
        (
            HOST + "password_command = c\npassword = s3cret\n",
            "FILE [DEFAULT] password_command: can't be combined with password: set only one of them",
        ),
        (
            HOST + "password = s3cret\n  port = 5\n",
            "FILE [DEFAULT] password: continues on an indented line: an option must start at the beginning of its line",
        ),
        ("password = s3cret\n", "FILE: line 1: must come after the first section, such as [DEFAULT]"),
        (HOST + "password s3cret\nport\n", "FILE: line 3, 4: must be `option = value`"),
        (
            "[DEFAULT]\npassword = s3cret\npassword = s3cret\n",
            "FILE [DEFAULT] password: line 3: duplicate: remove one of the two",
        ),
        (HOST + "[b]\n[b]\n", "FILE [b]: line 4: duplicate: remove one of the two"),
        (HOST + "[DEFAULT]\n", "FILE [DEFAULT]: line 3: duplicate: remove one of the two"),
    ],
)
def test_what_cannot_be_understood(config_file: ConfigFile, tmp_path: Path, text: str, message: str) -> None:
    path = config_file(text.replace("FILE", str(tmp_path / "account.ini")))
    with pytest.raises(ConfigError) as caught:
        parse_config_file(path)
    error = caught.value
    assert str(error) == message.replace("FILE", str(path))
    where = [part for part in (error.filename, f"[{error.section}]" if error.section else None, error.option) if part]
    assert str(error) == f"{' '.join(where)}: {error.reason}"
    # The traceback must not show another error that contains text of the file.
    assert error.__suppress_context__ or error.__context__ is None


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.ini"
    path.write_bytes(b"[DEFAULT]\nhost = a\nusername = \xe4nn\n")
    with pytest.raises(ConfigError) as caught:
        parse_config_file(path)
    assert str(caught.value) == f"{path}: not UTF-8: invalid continuation byte"
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


# Warnings


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("pasword = s3cret\n", "[DEFAULT] pasword: unknown option, ignored; did you mean password?"),
        ("user = ann\n", "[DEFAULT] user: unknown option, ignored; did you mean username?"),
        ("[b]\nssl_ca = x\n", "[b] ssl_ca: unknown option, ignored; did you mean ssl_ca_file?"),
    ],
)
def test_unknown_option(config_file: ConfigFile, lines: str, message: str) -> None:
    path = config_file(HOST + lines)
    with pytest.warns(ConfigWarning) as caught:
        settings = parse_config_file(path)
    assert [str(warning.message) for warning in caught] == [f"{path} {message}"]
    assert caught[0].filename == __file__
    assert settings.host == "a"


def test_unknown_option_far_from_all(config_file: ConfigFile) -> None:
    with pytest.warns(ConfigWarning, match=r"qqq: unknown option, ignored; did you mean [a-z]+\?"):
        parse_config_file(config_file(HOST + "qqq = 1\n"))


@pytest.mark.skipif(os.name != "posix", reason="files have no mode here")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("password = s3cret\n", "[DEFAULT] password"),
        ("oauth2_client_secret = s3cret\noauth2_refresh_token = s3cret\n", "[DEFAULT] oauth2_client_secret"),
        ("[b]\noauth2_refresh_token = s3cret\n", "[b] oauth2_refresh_token"),
    ],
)
def test_secret_that_others_can_read(config_file: ConfigFile, mode: int, lines: str, where: str) -> None:
    path = config_file(HOST + lines)
    path.chmod(mode)
    with pytest.warns(ConfigWarning) as caught:
        parse_config_file(path)
    reason = f"other users can read this secret, the mode of the file is 0{mode:o}: run chmod 600 {path}"
    assert [str(warning.message) for warning in caught] == [f"{path} {where}: {reason}"]
    path.chmod(0o600)
    parse_config_file(path)


def test_file_without_a_secret_may_be_read_by_all(config_file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("imapclient_password", "s3cret")
    path = config_file(HOST + "username = ann\npassword_command = pass show me\n[b]\npassword =\n")
    path.chmod(0o644)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse_config_file(path)


# The table of options


def test_settings_are_those_of_the_table() -> None:
    names = [option.name for option in OPTIONS]
    assert list(Settings.__annotations__) == [*names, "alternates", "filename", "section"]


# The example


@pytest.fixture
def example(config_file: ConfigFile) -> Path:
    """A user's copy of the example, which other users can't read."""
    return config_file(EXAMPLE.read_text(encoding="utf-8"))


def test_example_is_read(example: Path) -> None:
    settings = parse_config_file(example)
    assert (settings.host, settings.username, settings.password) == ("imap.example.org", "ann", "secret")


def test_example_explains_each_option(config_file: ConfigFile, tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    uncommented = re.sub(r"^#(?=[\w\[])", "", text, flags=re.MULTILINE)
    assert set(re.findall(r"^(\w+) =", uncommented, flags=re.MULTILINE)) == {option.name for option in OPTIONS}
    # In [DEFAULT] each option, or the first of a group, has a comment directly above it.
    account, *others = re.split(r"^(?=\[)", uncommented, flags=re.MULTILINE)[1:]
    for group in account.partition("\n")[2].strip().split("\n\n"):
        assert group.startswith("# "), group
    assert [other.splitlines()[0] for other in others] == ["[starttls]", "[stream]", "[wrong-password]"]


def test_each_line_of_the_example_can_be_used(config_file: ConfigFile, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificates.authority().ca_pem)
    text = EXAMPLE.read_text(encoding="utf-8").replace("~/certificates/authority.pem", str(authority))
    as_it_stands = vars(parse_config_file(config_file(text)))
    lines = [line for line in text.splitlines() if re.match(r"#\w+ =", line)]
    assert len(lines) > 15
    for line in lines[: lines.index("#port = 143")]:
        name = line[1:].split(" ")[0]
        changed = text.replace(line, line[1:], 1)
        if name in ("password_command", "keyring"):
            changed = changed.replace("\npassword = ", "\n#password = ")
        settings = vars(parse_config_file(config_file(changed)))
        # The example shows defaults as they are. Any other value must differ from the default.
        shows_default = line.endswith(("= true", "= false"))
        assert (settings[name] == as_it_stands[name]) is shows_default, line

    everything = re.sub(r"^#(?=\[|\w+ = (143|wrong|ssh|authentication))", "", text, flags=re.MULTILINE)
    everything = everything.replace("\n#starttls = true", "\nstarttls = true").replace(
        "\n#stream = true", "\nstream = true"
    )
    alternates = parse_config_file(config_file(everything)).alternates
    assert (alternates["starttls"].port, alternates["starttls"].starttls, alternates["starttls"].ssl) == (
        143,
        True,
        False,
    )
    assert (alternates["stream"].stream, alternates["stream"].host[:4]) == (True, "ssh ")
    assert alternates["wrong-password"].expect_failure
