"""The pytest plugin, in its own pytest process that loads no other plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import imapclient.pytest_plugin
from imapclient.embedded_server import EmbeddedServer

pytest_plugins = ("pytester",)

RUN_WITH_PLUGIN = ("-p", "imapclient.pytest_plugin", "-W", "error", "-rs")

needs_server = pytest.mark.skipif(
    EmbeddedServer(tls=True).unavailable_reason() is not None,
    reason=str(EmbeddedServer(tls=True).unavailable_reason()),
)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    # -p loads the plugin. An installed package would register the same module twice.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    package = Path(imapclient.pytest_plugin.__file__).parent
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@needs_server
def test_the_server_runs_and_is_fresh_for_each_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import imaplib
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_mail(imap_server, turn):
            client = imaplib.IMAP4(imap_server.host, imap_server.port)
            client.login(imap_server.user, imap_server.password)
            assert client.select() == ("OK", [b"0"])
            imap_server.deliver("ann", b"Subject: hello\\r\\n\\r\\n")
            assert client.select() == ("OK", [b"1"])
            client.logout()
        """
    )
    pytester.runpytest_subprocess(*RUN_WITH_PLUGIN).assert_outcomes(passed=2)


@needs_server
def test_options_are_overridden_by_a_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import imaplib
        import pytest

        @pytest.fixture
        def imap_server_options():
            return {"users": {"zoë": "日本語"}, "folders": ["Work"], "tls": True}

        def test_options(imap_server):
            assert (imap_server.user, imap_server.password) == ("zoë", "日本語")
            client = imaplib.IMAP4_SSL(
                imap_server.host, imap_server.tls_port, ssl_context=imap_server.ssl_context
            )
            client.authenticate("PLAIN", lambda _: "\\0zoë\\0日本語".encode())
            assert client.select("Work")[0] == "OK"
            client.logout()
        """
    )
    pytester.runpytest_subprocess(*RUN_WITH_PLUGIN).assert_outcomes(passed=1)


def test_the_fixture_skips_with_a_reason_where_pymap_is_missing(pytester: pytest.Pytester) -> None:
    # On Python before 3.11 the reason is the interpreter.
    pytester.makeconftest("import sys; sys.modules['pymap'] = None")
    pytester.makepyfile("def test_mail(imap_server): assert False, 'must not run'")
    result = pytester.runpytest_subprocess(*RUN_WITH_PLUGIN)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*EmbeddedServer needs *"])


def test_wrong_options_are_an_error_and_no_skip(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def imap_server_options():
            return {"no_such_option": 1}

        def test_mail(imap_server): pass
        """
    )
    pytester.runpytest_subprocess(*RUN_WITH_PLUGIN).assert_outcomes(errors=1)


def test_loading_the_plugin_imports_neither_the_server_nor_asyncio() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import imapclient.pytest_plugin\n"
        "print(sorted({'asyncio', 'pymap', 'trustme', 'imapclient.embedded_server'}\n"
        "             & (set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
