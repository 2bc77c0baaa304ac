"""The check of the built manual finds what is broken, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import check_links
from tests.docs.check_links import broken_links

SOUND = """
<link rel="stylesheet" href="_static/style.css"><img src="_static/logo.png?v=1">
<h1 id="top">Guide</h1><a name="old">x</a>
<a href="#top">here</a> <a href="#old">here</a> <a href="api/fetch.html#imapclient.fetch">there</a>
<a href="https://example.org/missing.html#gone">elsewhere</a> <a href="mailto:ann@example.org">mail</a>
<a>no address</a> <a href="">this page</a> <a href="api/na%C3%AFve.html#%C3%BC">there</a>
"""


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    """A manual without a broken link."""
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "style.css").touch()
    (tmp_path / "_static" / "logo.png").touch()
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "fetch.html").write_text('<dt id="imapclient.fetch">fetch</dt><a href="../guide.html">up</a>')
    (tmp_path / "api" / "naïve.html").write_text('<p id="ü">x</p>', encoding="utf-8")
    (tmp_path / "guide.html").write_text(SOUND)
    return tmp_path


def test_a_sound_manual(manual: Path) -> None:
    assert broken_links(manual) == []


@pytest.mark.parametrize(
    "element",
    [
        '<a href="missing.html">x</a>',
        '<a href="#missing">x</a>',
        '<a href="api/fetch.html#imapclient.search">x</a>',
        '<a href="api/missing.html#imapclient.fetch">x</a>',
        '<a href="_static/logo.png#top">x</a>',
        '<img src="missing.png">',
        '<link href="missing.css">',
        '<script src="missing.js"></script>',
    ],
)
def test_a_broken_link_is_found(manual: Path, element: str) -> None:
    (manual / "guide.html").write_text(SOUND + element)
    [line] = broken_links(manual)
    assert line.startswith("guide.html: ")
    assert line.partition(": ")[2] in element


def test_a_page_that_another_one_overwrites_is_found(manual: Path) -> None:
    (manual / "api" / "fetch.html").write_text("<h1>Sphinx's own page</h1>")
    assert broken_links(manual) == ["guide.html: api/fetch.html#imapclient.fetch"]


def test_the_program_fails_if_a_link_is_broken(manual: Path) -> None:
    done = run(manual)
    assert (done.returncode, done.stdout) == (0, "3 pages, 0 broken links\n")
    (manual / "guide.html").write_text('<a href="gone.html">x</a>')
    done = run(manual)
    assert (done.returncode, done.stdout) == (1, "guide.html: gone.html\n3 pages, 1 broken links\n")


def test_the_program_fails_without_a_manual(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 1


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(check_links.__file__), str(folder)], capture_output=True, encoding="utf-8", timeout=300
    )
