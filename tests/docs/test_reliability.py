"""Each promise of the page has a proof. test_paths.py checks that the tests named there exist."""

from __future__ import annotations

import re

from tests.docs.test_docs import ROOT

PAGE = (ROOT / "doc" / "src" / "reliability.rst").read_text(encoding="utf-8")


def test_each_promise_has_a_proof() -> None:
    promises = re.split(r"^(?=\S.*\n {3}\S)", PAGE, flags=re.MULTILINE)[1:]
    assert len(promises) > 5
    for promise in promises:
        assert "\n   Proof: " in promise, promise
