"""The live suite itself: it calls every method, and the table in the docs lists its tests."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

import imapclient.livetest
from imapclient import IMAPClient
from imapclient.livetest.accounts import Facts
from imapclient.livetest.plugin import Outcome, Results
from tests.helpers.live import SERVERS
from tests.live.known_server_bugs import KNOWN

_SUITE = Path(imapclient.livetest.__path__[0])
_PAGE = Path(__file__).parents[1] / "doc" / "src" / "servers.rst"
_TABLE = _PAGE.with_suffix(".csv")

# Methods with message ids. The suite must call them with UIDs and with sequence numbers.
_WITH_IDS = {
    "add_flags",
    "add_gmail_labels",
    "copy",
    "delete_messages",
    "download",
    "fetch",
    "fetch_iter",
    "get_flags",
    "get_gmail_labels",
    "gmail_search",
    "move",
    "remove_flags",
    "remove_gmail_labels",
    "search",
    "set_flags",
    "set_gmail_labels",
    "sort",
    "thread",
    "uid_expunge",
}


def _functions() -> Iterator[ast.FunctionDef]:
    """The functions in the modules of the suite: tests, fixtures, and helpers."""
    for path in sorted(_SUITE.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield node


def _called(node: ast.AST) -> set[str]:
    """The names of methods that are called, including those in a tuple or a dict."""
    return {found.attr for found in ast.walk(node) if isinstance(found, ast.Attribute)}


def _tests() -> set[str]:
    return {function.name for function in _functions() if function.name.startswith("test_")}


def _public_methods() -> set[str]:
    names = {name for name in dir(IMAPClient) if not name.startswith("_")}
    # Error, AbortError and ReadOnlyError are classes.
    return {name for name in names if not isinstance(getattr(IMAPClient, name), type)}


def test_the_suite_calls_every_public_method() -> None:
    called = set().union(*(_called(function) for function in _functions()))
    assert _public_methods() - called == set()


def _takes_both(function: ast.FunctionDef, fixtures: dict[str, ast.FunctionDef]) -> bool:
    """Whether it runs with UIDs and with sequence numbers: it or one of its fixtures uses `numbering`."""
    words = {
        node.value for mark in function.decorator_list for node in ast.walk(mark) if isinstance(node, ast.Constant)
    }
    names = {argument.arg for argument in function.args.args} | {word for word in words if isinstance(word, str)}
    decorators = {mark.id for mark in function.decorator_list if isinstance(mark, ast.Name)}
    if {"with_uids", "with_sequence_numbers"} & decorators:
        return False
    return "numbering" in names or any(_takes_both(fixtures[name], fixtures) for name in names if name in fixtures)


def test_the_suite_calls_what_takes_ids_with_both_kinds() -> None:
    functions = list(_functions())
    fixtures = {function.name: function for function in functions if not function.name.startswith("test_")}
    called = set().union(*(_called(function) for function in functions if _takes_both(function, fixtures)))
    assert _public_methods() >= _WITH_IDS
    assert _WITH_IDS - called == set()


# -- the table in the docs


def test_the_table_of_results_is_of_this_suite() -> None:
    """Add a new test: ``python -m pytest tests/live/test_livetest.py -k NEW --livetest-report doc/src/servers.csv``.

    Delete the row of a removed test by hand.
    """
    with _TABLE.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["test", *SERVERS]
    assert [row[0] for row in rows] == sorted(_tests())
    for row in rows:
        assert len(row) == len(header)
        assert not [cell for cell in row if cell in ("", "fails", "not run")]


# -- the summary


@pytest.fixture
def results() -> Results:
    results = Results()
    results.facts["DEFAULT"] = Facts("* OK | ready", "name Example, version 1", ("IMAP4REV1", "IDLE"))
    for outcome in (
        Outcome("test_one", "passed"),
        Outcome("test_one", "skipped", "the server has no SORT"),
        Outcome("test_two", "failed", "assert 1 == 2", "test_two[DEFAULT-x]"),
        Outcome("test_three", "skipped", "the server has no SORT"),
        Outcome("test_four", "known", "it is wrong"),
        Outcome("test_five", "skipped", "the server refuses such a name: No way"),
    ):
        results.add("DEFAULT", outcome)
    return results


def test_summary(results: Results) -> None:
    assert results.summary() == [
        "DEFAULT: 1 passed, 1 failed, 3 skipped, 1 faults of the server",
        "  server: * OK | ready",
        "  ID: name Example, version 1",
        "  capabilities: IMAP4REV1 IDLE",
        "  skipped, 2: the server has no SORT",
        "  skipped, 1: the server refuses such a name: No way",
        "  faults of the server, 1: it is wrong",
        "  failed: test_two[DEFAULT-x]: assert 1 == 2",
    ]


def test_markdown(results: Results) -> None:
    assert results.markdown() == (
        "| DEFAULT | |\n|---|---|\n"
        "| server | * OK \\| ready |\n"
        "| ID | name Example, version 1 |\n"
        "| capabilities | IMAP4REV1 IDLE |\n"
        "| passed | 1 |\n"
        "| failed | 1 |\n"
        "| failed: `test_two[DEFAULT-x]` | assert 1 == 2 |\n"
        "| skipped: the server has no SORT | 2 |\n"
        "| skipped: the server refuses such a name: No way | 1 |\n"
        "| faults of the server: it is wrong | 1 |\n"
    )


def test_csv_keeps_the_rows_of_what_was_not_run(results: Results) -> None:
    before = 'test,DEFAULT\ntest_one,fails\ntest_zero,"passes; no SORT, of course"\n'
    lines = results.csv(before).splitlines()
    assert lines[0] == "test,DEFAULT"
    assert "test_one,passes; no SORT" in lines
    assert lines[-1] == 'test_zero,"passes; no SORT, of course"'
    # Rows of other accounts are not kept.
    assert results.csv("test,other\ntest_zero,passes\n") == results.csv()


def test_csv(results: Results) -> None:
    assert results.csv() == (
        "test,DEFAULT\n"
        "test_five,the server refuses such a name\n"
        "test_four,the server's fault\n"
        "test_one,passes; no SORT\n"
        "test_three,no SORT\n"
        "test_two,fails\n"
    )


def test_the_docs_have_the_faults_of_servers() -> None:
    text = " ".join(_PAGE.read_text(encoding="utf-8").partition("Faults of these servers")[2].split())
    listed = [item.partition(": ")[2].strip() for item in text.split(" - ")[1:]]
    assert sorted(listed) == sorted(f"{bug.what}." for bug in KNOWN)
