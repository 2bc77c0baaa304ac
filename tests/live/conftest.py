"""The accounts of the live suite: a user on each real server, or the account of --livetest-config.

With --livetest-config, pytest runs only the suite, and no other test of this folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imapclient.config import parse_config_file
from imapclient.livetest.accounts import Account
from imapclient.livetest.fixtures import client, connect, folder, folders, numbering, second_client
from imapclient.livetest.plugin import (
    ACCOUNTS,
    _belongs_to,
    account_of_the_file,
    note_facts,
    pytest_generate_tests,
)
from imapclient.livetest.plugin import pytest_configure as configure
from tests.helpers.config_files import write_config
from tests.helpers.dovecot import Dovecot
from tests.helpers.live import SERVERS, new_embedded
from tests.live.known_server_bugs import KNOWN, of_test

if TYPE_CHECKING:
    from imapclient.embedded_server import EmbeddedServer
    from tests.helpers.mail_server import MailServer

__all__ = [
    "_belongs_to",
    "client",
    "connect",
    "folder",
    "folders",
    "numbering",
    "pytest_generate_tests",
    "second_client",
]

# How the suite connects to each server. Each of `_SECTIONS` is tried too.
_SUITE = {"dovecot": "tls", "cyrus": "plain", "courier": "plain", "pymap": "starttls"}
_SECTIONS = {
    "plain": "port = {port}\nssl = no\nstarttls = no",
    "tls": "port = {tls_port}\nssl = yes\nstarttls = no",
    "starttls": "port = {port}\nssl = no\nstarttls = yes",
    "unverified": "port = {tls_port}\nssl = yes\nstarttls = no\nssl_ca_file =\nssl_verify_cert = no",
    "other-authority": "port = {tls_port}\nssl = yes\nstarttls = no\nssl_ca_file =\n"
    "expect_failure = CERTIFICATE_VERIFY_FAILED",
    "wrong-password": "port = {port}\nssl = no\nstarttls = no\npassword = wrong\nexpect_failure = LOGIN failed",
}
_STREAM = "host = {command}\nport =\nssl = no\nstream = yes"


def _sections(server: str) -> dict[str, str]:
    if server == "dovecot":
        return {**_SECTIONS, "stream": _STREAM}
    # Courier answers a wrong password only after five seconds. test_connections.py tries one.
    return {name: text for name, text in _SECTIONS.items() if (server, name) != ("courier", "wrong-password")}


def pytest_configure(config: pytest.Config) -> None:
    configure(config)
    if ACCOUNTS not in config.stash:
        config.stash[ACCOUNTS] = {server: list(_sections(server)) for server in SERVERS}


def _own(config: pytest.Config) -> bool:
    return not config.getoption("livetest_config", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect failures by known bugs of a server. With a file, deselect everything but the suite."""
    suite = Path(__file__).with_name("test_livetest.py")
    if not _own(config):
        others = [item for item in items if suite.parent in item.path.parents and item.path != suite]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
        return
    for item in items:
        if item.path == suite and isinstance(item, pytest.Function):
            server = item.callspec.params["account"]
            for bug in KNOWN:
                if bug.server == server and of_test(bug, item.originalname, item.callspec.id):
                    item.add_marker(pytest.mark.xfail(reason=bug.what, strict=True))


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A new user on a server of these tests, or the account of the file."""
    if not _own(request.config):
        yield from account_of_the_file(request)
        return
    name: str = request.param
    with contextlib.ExitStack() as stack:
        server: MailServer | EmbeddedServer
        if name == "pymap":
            user, password = "ann", "secret"
            server = stack.enter_context(new_embedded({user: password}))
            ca_pem = server.ca_pem
        else:
            started: MailServer = request.getfixturevalue(name)
            user, password = started.new_user()
            server = started
            ca_pem = Path(started.ca_file).read_bytes()
        folder = tmp_path_factory.mktemp(name)
        (folder / "ca.pem").write_bytes(ca_pem)
        text = f"[DEFAULT]\nhost = {server.host}\nusername = {user}\npassword = {password}\ntimeout = 60\n"
        text += f"ssl_ca_file = {folder / 'ca.pem'}\n{_SECTIONS[_SUITE[name]]}\n"
        text += "".join(f"[{section}]\n{lines}\n" for section, lines in _sections(name).items())
        # If root starts it, Dovecot's imap refuses a socket as its output. With cat it has a pipe.
        command = f"{server.preauth_command(user)} 2>/dev/null | cat" if isinstance(server, Dovecot) else ""
        text = text.format(port=server.port, tls_port=server.tls_port, command=command)
        used = Account(name, parse_config_file(write_config(folder / "livetest.ini", text)))
        yield used
        note_facts(request.config, used)
        # The folders stay until the server ends: Courier needs two seconds to delete one.
        used.log_out()
