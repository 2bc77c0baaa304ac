"""What setup.py and MANIFEST.in promise, asked of the metadata and the sdist that they make."""

from __future__ import annotations

import configparser
import email.message
import email.parser
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imapclient.version import __version__, version_info
from tests.check_dist import CHECKOUT, NOT_SOURCE

pytestmark = pytest.mark.once


def call_backend(hook: str, source: Path, folder: Path) -> Path:
    """Calls a hook of PEP 517 the way pip does, in a process of its own: what it made."""
    code = (
        "import json, sys; from setuptools import build_meta; "
        "print(json.dumps(getattr(build_meta, sys.argv[1])(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, hook, str(folder)],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / str(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout: the backend writes into the folder that it runs in."""
    return Path(shutil.copytree(CHECKOUT, tmp_path_factory.mktemp("copy") / "s", ignore=NOT_SOURCE))


@pytest.fixture(scope="module")
def dist_info(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The .dist-info folder, made while the package cannot be imported."""
    init = source / "imapclient" / "__init__.py"
    kept = init.read_bytes()
    init.write_text("raise RuntimeError('setup.py imported the package')\n", encoding="utf-8")
    yield call_backend("prepare_metadata_for_build_wheel", source, tmp_path_factory.mktemp("metadata"))
    init.write_bytes(kept)


@pytest.fixture(scope="module")
def metadata(dist_info: Path) -> email.message.Message:
    text = (dist_info / "METADATA").read_text(encoding="utf-8")
    return email.parser.Parser().parsestr(text)


def requirements(metadata: email.message.Message, extra: str | None) -> dict[str, str]:
    """`{"pymap": 'pymap>=0.36.7; python_version >= "3.11"'}`, without the mark of the extra."""
    found = {}
    for line in metadata.get_all("Requires-Dist", []):
        requirement, _, marker = line.partition(";")
        conditions = [part.strip() for part in marker.replace("(", "").replace(")", "").split("and")]
        mark = f'extra == "{extra}"'.replace("'", '"')
        conditions = [part.replace("'", '"') for part in conditions if part]
        is_extra = any(part.startswith("extra ==") for part in conditions)
        if (mark in conditions) if extra else not is_extra:
            rest = [part for part in conditions if part != mark]
            name = requirement.split(">")[0].split("[")[0].strip()
            found[name] = "; ".join([requirement.strip(), *rest])
    return found


def test_version_comes_from_version_py_without_an_import(metadata: email.message.Message) -> None:
    assert metadata["Version"] == __version__


def test_version_info_and_version_say_the_same() -> None:
    major, minor, micro, level, serial = version_info
    suffix = {"dev": ".dev", "alpha": "a", "beta": "b", "candidate": "rc", "final": ""}[level]
    expected = f"{major}.{minor}.{micro}{suffix}{serial if suffix else ''}"
    assert __version__ == expected


def test_name_python_and_licence(metadata: email.message.Message) -> None:
    assert metadata["Name"].lower() == "imapclient"
    assert metadata["Requires-Python"] == ">=3.9"
    assert "BSD-3-Clause" in (metadata["License"], metadata["License-Expression"])
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/x-rst"


def test_six_is_the_only_requirement(metadata: email.message.Message) -> None:
    assert set(requirements(metadata, None)) == {"six"}


def test_extras(metadata: email.message.Message) -> None:
    assert set(metadata.get_all("Provides-Extra", [])) == {"demo", "doc", "interactive", "keyring", "scram", "test"}
    assert set(requirements(metadata, "interactive")) == {"ipython"}
    assert set(requirements(metadata, "keyring")) == {"keyring"}
    assert set(requirements(metadata, "scram")) == {"scramp"}
    assert "sphinx" in requirements(metadata, "doc")
    assert {"pytest", "hypothesis"} <= set(requirements(metadata, "test"))


def test_demo_takes_no_old_pymap_on_an_old_python(metadata: email.message.Message) -> None:
    demo = requirements(metadata, "demo")
    assert demo["pymap"] == 'pymap>=0.36.7; python_version >= "3.11"'
    assert "trustme" in demo


def test_entry_points(dist_info: Path) -> None:
    parser = configparser.ConfigParser(delimiters="=")
    parser.read(dist_info / "entry_points.txt", encoding="utf-8")
    assert dict(parser["console_scripts"]) == {"imapclient": "imapclient.interact:main"}
    assert dict(parser["pytest11"]) == {"imapclient.pytest_plugin": "imapclient.pytest_plugin"}


def test_sdist_holds_all_that_its_own_tests_need(source: Path, tmp_path: Path) -> None:
    with tarfile.open(call_backend("build_sdist", source, tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        path.relative_to(source).as_posix()
        for folder in ("imapclient", "tests", "examples", "doc")
        for path in (source / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    expected |= {"CHANGELOG.rst", "CONTRIBUTING.rst", "LICENSE", "README.rst", "SECURITY.rst"}
    expected |= {"pyproject.toml", "setup.py", "tox.ini"}
    assert expected - names == set()
    assert not {name for name in names if name.endswith(".pyc") or "__pycache__" in name}
