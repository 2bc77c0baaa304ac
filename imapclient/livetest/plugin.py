"""The pytest plugin of the live tests: it reads the configuration file, and writes the summary and the report.

To run the tests on other accounts, set ``config.stash[ACCOUNTS]`` in ``pytest_configure``, and define a fixture
``account``.
"""

from __future__ import annotations

import configparser
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from imapclient.config import Settings, parse_config_file
from imapclient.livetest.accounts import Account, Facts

Sections = Mapping[str, Sequence[str]]
ACCOUNTS = pytest.StashKey[Sections]()
"""The accounts to test. Key: the name of the account. Value: the sections of the file with other ways to connect."""

_FILE = pytest.StashKey[Settings]()
_RESULTS = pytest.StashKey["Results"]()
_PROPERTY = "imapclient live test"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options ``--livetest-config FILE`` and ``--livetest-report FILE``."""
    group = parser.getgroup("imapclient", "live tests of imapclient")
    group.addoption("--livetest-config", metavar="FILE", help="run the live tests on the account of this file")
    group.addoption(
        "--livetest-report",
        metavar="FILE",
        help="write to FILE what passed, failed and was skipped: a summary for a bug report. If the name ends with "
        ".csv, update a table of each test on each account; tests that are not run keep their rows",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the configuration file. If it is not valid, pytest prints one line about the error and ends."""
    file = config.getoption("livetest_config", None)
    if file is not None:
        try:
            settings = parse_config_file(file)
        except (OSError, configparser.Error) as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_FILE] = settings
        config.stash[ACCOUNTS] = {"DEFAULT": list(settings.alternates)}
    if file is not None or config.getoption("livetest_report", None):
        config.stash[_RESULTS] = results = Results()
        config.pluginmanager.register(_Recorder(config, results, config.getoption("livetest_report", None)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each account. Tests with the argument ``section`` run on each section too."""
    accounts = metafunc.config.stash.get(ACCOUNTS, {})
    if "section" in metafunc.fixturenames:
        pairs = [(name, section) for name, sections in accounts.items() for section in sections or (None,)]
        ids = [f"{name}-{section}" for name, section in pairs]
        metafunc.parametrize(("account", "section"), pairs, ids=ids, indirect=["account"], scope="session")
    elif "account" in metafunc.fixturenames:
        metafunc.parametrize("account", list(accounts), indirect=True, scope="session")


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The account of the file."""
    yield from account_of_the_file(request)


def account_of_the_file(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Yield the account of ``--livetest-config``, then delete its folder. A fixture ``account`` can use this."""
    used = Account(request.param, request.config.stash[_FILE])
    yield used
    note_facts(request.config, used)
    used.close()


def note_facts(config: pytest.Config, account: Account) -> None:
    """Keep what the server reports about itself, for the summary and the report."""
    if _RESULTS in config.stash:
        config.stash[_RESULTS].facts[account.name] = account.facts


@pytest.fixture(autouse=True)
def _belongs_to(request: pytest.FixtureRequest) -> None:
    """Add the account and the test's name to the test's report."""
    call = getattr(request.node, "callspec", None)
    if call is not None and "account" in call.params:
        name = request.node.originalname
        request.node.user_properties.append((_PROPERTY, (call.params["account"], name)))


class Outcome(NamedTuple):
    """How one test ended: "passed", "failed", "skipped" or "known", which is a known fault of the server."""

    test: str
    kind: str
    reason: str = ""
    case: str = ""
    """The test with its parameters, if it failed: ``test_name_round_trip[DEFAULT-emoji]``."""


class Results:
    """The outcomes of all tests, by account."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[Outcome]] = {}
        self.facts: dict[str, Facts | None] = {}

    def add(self, account: str, outcome: Outcome) -> None:
        self.outcomes.setdefault(account, []).append(outcome)

    def put_in_order(self, accounts: Sections) -> None:
        """Put the outcomes into the order of ``accounts``. pytest may run the tests in another order."""
        self.outcomes = {name: self.outcomes[name] for name in accounts if name in self.outcomes}

    def of_kind(self, account: str, kind: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes[account] if outcome.kind == kind]

    def reasons(self, account: str, kind: str) -> list[tuple[str, int]]:
        """Return each reason of the outcomes of a kind and how often it occurs, the most frequent first."""
        return Counter(outcome.reason for outcome in self.of_kind(account, kind)).most_common()

    def counts(self, account: str) -> str:
        """Return how many tests had each outcome: ``'212 passed, 0 failed, 14 skipped'``."""
        kinds = ["passed", "failed", "skipped", *(["known"] if self.of_kind(account, "known") else [])]
        return ", ".join(f"{len(self.of_kind(account, kind))} {_WORDS[kind]}" for kind in kinds)

    def summary(self) -> list[str]:
        """Return the lines to show at the end of a run."""
        lines = []
        for account in self.outcomes:
            lines.append(f"{account}: {self.counts(account)}")
            facts = self.facts.get(account)
            if facts is not None:
                lines += [
                    f"  server: {facts.greeting}",
                    f"  ID: {facts.identification or 'none'}",
                    f"  capabilities: {' '.join(facts.capabilities)}",
                ]
            for kind in ("skipped", "known"):
                lines += [f"  {_WORDS[kind]}, {count}: {reason}" for reason, count in self.reasons(account, kind)]
            lines += [f"  failed: {outcome.case}: {outcome.reason}" for outcome in self.of_kind(account, "failed")]
        return lines

    def markdown(self) -> str:
        """Return the summary as a table for a bug report. It names neither the host nor the user."""
        parts = []
        for account in self.outcomes:
            facts = self.facts.get(account) or Facts("", "", ())
            rows = [
                ("server", facts.greeting),
                ("ID", facts.identification or "none"),
                ("capabilities", " ".join(facts.capabilities)),
                *((_WORDS[kind], str(len(self.of_kind(account, kind)))) for kind in ("passed", "failed")),
                *((f"failed: `{outcome.case}`", outcome.reason) for outcome in self.of_kind(account, "failed")),
                *(
                    (f"{_WORDS[kind]}: {reason}", str(count))
                    for kind in ("skipped", "known")
                    for reason, count in self.reasons(account, kind)
                ),
            ]
            table = "".join(f"| {_cell(left)} | {_cell(right)} |\n" for left, right in rows)
            parts.append(f"| {_cell(account)} | |\n|---|---|\n{table}")
        return "\n".join(parts)

    def csv(self, before: str = "") -> str:
        """Return a table in CSV with a row for each test and a column for each account.

        ``before`` is an earlier table. If it has the same accounts, rows of tests that did not run now are kept.
        """
        header, *rows = list(csv.reader(before.splitlines())) or [[]]
        wanted = ["test", *self.outcomes]
        table = {row[0]: row[1:] for row in rows if row} if header == wanted else {}
        for test in {outcome.test for outcomes in self.outcomes.values() for outcome in outcomes}:
            table[test] = [self._cell_text(account, test) for account in self.outcomes]
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(wanted)
        writer.writerows([test, *cells] for test, cells in sorted(table.items()))
        return file.getvalue()

    def _cell_text(self, account: str, test: str) -> str:
        outcomes = [outcome for outcome in self.outcomes[account] if outcome.test == test]
        kinds = {outcome.kind for outcome in outcomes}
        if not outcomes:
            return "not run"
        if "failed" in kinds:
            return "fails"
        words = ["passes"] if "passed" in kinds else []
        words += ["the server's fault"] if "known" in kinds else []
        words += sorted({_without_text(outcome.reason) for outcome in outcomes if outcome.kind == "skipped"})
        return "; ".join(words)


_WORDS = {"passed": "passed", "failed": "failed", "skipped": "skipped", "known": "faults of the server"}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def _without_text(reason: str) -> str:
    """Return the reason without the server's text, and shorter: ``'no SORT'`` for ``'the server has no SORT'``."""
    return re.sub(r"\Athe server has (?=no )", "", reason).partition(":")[0]


class _Recorder:
    def __init__(self, config: pytest.Config, results: Results, file: str | None) -> None:
        self._config = config
        self._results = results
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        places: list[Any] = [value for name, value in report.user_properties if name == _PROPERTY]
        if not places:
            return
        account, test = places[-1]
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            lines = (crash.message if crash is not None else str(report.longrepr)).splitlines()
            case = report.nodeid.rpartition("::")[2]
            self._results.add(account, Outcome(test, "failed", lines[0] if lines else "", case))
        elif hasattr(report, "wasxfail") and report.skipped:
            self._results.add(account, Outcome(test, "known", report.wasxfail))
        elif report.skipped:
            text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._results.add(account, Outcome(test, "skipped", text.removeprefix("Skipped: ")))
        elif report.when == "call":
            self._results.add(account, Outcome(test, "passed"))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        self._results.put_in_order(self._config.stash[ACCOUNTS])
        lines = self._results.summary()
        if lines:
            terminalreporter.section("live tests")
            for line in lines:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        if self._file is None or not self._results.outcomes:
            return
        file = Path(self._file)
        if file.suffix == ".csv":
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            text = self._results.csv(before)
        else:
            text = self._results.markdown()
        file.write_text(text, encoding="utf-8")
