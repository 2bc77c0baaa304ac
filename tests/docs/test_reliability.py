"""The page of promises names tests that exist, and each promise has one."""

from __future__ import annotations

import re

from tests.docs.test_docs import ROOT

PAGE = (ROOT / "doc" / "src" / "reliability.rst").read_text(encoding="utf-8")
_TEST = re.compile(r"``(tests/[\w/]+\.py)(?:::(\w+))?``")


def test_each_test_exists() -> None:
    named = _TEST.findall(PAGE)
    assert named
    for path, function in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not function or re.search(rf"^def {function}\(", source, re.MULTILINE), f"{path}::{function}"


def test_each_promise_has_a_proof() -> None:
    promises = re.split(r"^(?=\S.*\n {3}\S)", PAGE, flags=re.MULTILINE)[1:]
    assert len(promises) > 5
    for promise in promises:
        assert "\n   Proof: " in promise, promise
