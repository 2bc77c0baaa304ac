"""Builds the wheel and the sdist, and uses each as a new user would: `check_dist.py FOLDER`.

Each file is installed with its `demo` extra into an empty environment, and examples/quickstart.py
runs from outside the checkout, so that what is imported is what was installed. FOLDER is for the
files this makes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# The oldest Python that the demo's server runs on.
DEMO_PYTHON = (3, 11)

# Environments, caches and old builds are no source; `.*` covers .git, .tox and the like.
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "_build")

REPORT_PLACE = "import imapclient; print(imapclient.__version__, imapclient.__file__)"


def run(*command: str, cwd: Path, show: bool = True) -> None:
    """Runs `command` in `cwd`; SystemExit if it fails. Without `show`, only a failure's output."""
    print("+", *command, flush=True)
    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.DEVNULL,
        stdout=None if show else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        print(done.stdout or "")
        sys.exit(f"check_dist: exit code {done.returncode} from: {' '.join(command)}")


def build(folder: Path) -> list[Path]:
    """Builds from a copy of the checkout, which stays as it is: [wheel, sdist]."""
    source, dist = folder / "source", folder / "dist"
    shutil.copytree(CHECKOUT, source, ignore=NOT_SOURCE)
    run(sys.executable, "-m", "build", "--outdir", str(dist), ".", cwd=source, show=False)
    files = [*dist.glob("*.whl"), *dist.glob("*.tar.gz")]
    if len(files) != 2:
        sys.exit(f"check_dist: expected one wheel and one sdist, found {files}")
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, files), cwd=folder)
    return files


def check_data(file: Path) -> None:
    """The files in the package that are not code are in `file`, byte for byte; SystemExit if not."""
    expected = {
        path.relative_to(CHECKOUT).as_posix(): path.read_bytes()
        for path in (CHECKOUT / "imapclient").rglob("*")
        if path.suffix in (".eml", ".typed")
    }
    held = contents(file)
    wrong = sorted(name for name, data in expected.items() if held.get(name) != data)
    if not expected or wrong:
        sys.exit(f"check_dist: missing from {file.name}, or changed: {wrong or 'all package data'}")


def contents(file: Path) -> dict[str, bytes]:
    """The files in a wheel or sdist by their path in the checkout: `{"imapclient/py.typed": b""}`."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    found = {}
    with tarfile.open(file) as sdist:
        for member in sdist.getmembers():
            data = sdist.extractfile(member)
            if data is not None:
                found[member.name.partition("/")[2]] = data.read()
    return found


def use(file: Path, folder: Path) -> None:
    """Installs `file` into a new environment in `folder` and runs the quick start there."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(str(python), "-m", "pip", "install", f"{file}[demo]", cwd=folder, show=False)
    run(str(python), "-c", REPORT_PLACE, cwd=folder)
    run(str(python.with_name("imapclient")), "--version", cwd=folder)
    if sys.version_info >= DEMO_PYTHON:
        run(str(python), str(CHECKOUT / "examples" / "quickstart.py"), cwd=folder)
    else:
        print("check_dist: the quick start is left out, it needs Python 3.11 or newer")


def main() -> None:
    folder = Path(sys.argv[1]).resolve() / "check_dist"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in build(folder):
        check_data(file)
        use(file, folder / f"env-{file.suffix[1:]}")
    print("check_dist: wheel and sdist work from an empty environment")


if __name__ == "__main__":
    main()
