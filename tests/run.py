"""Runs all the tests: `python3 tests/run.py`, with nothing to install first.

It makes an environment of its own in the checkout (.venv-test) with tox in it, finds the Python
interpreters of this machine, and runs the environments of tox.ini on them: lint, types, unit and
wire tests on every interpreter, live tests, failing connections, docs and the built packages on
one. What had to be left out is said in one line each, with how to get it. The exit code is tox's.

    python3 tests/run.py unit                       unit and wire tests on one interpreter, under a minute
    python3 tests/run.py dev                        makes .venv-dev, to run tests by hand
    python3 tests/run.py -e py311,lint              only these environments
    python3 tests/run.py -e py311 -- -k name        the rest goes to pytest
    python3 tests/run.py -- tests/_connection/test_reader.py    pytest on one interpreter

With IMAPCLIENT_TEST_REQUIRE=all in the environment, something left out is a failure.
"""

# No `from __future__ import annotations` here: a Python too old for it would stop with a
# SyntaxError instead of the line below. Standard library only, for the same reason.
import sys

if sys.version_info < (3, 9):  # noqa: UP036 - the file is started by whatever python3 is
    sys.exit(f"tests/run.py needs Python 3.9 or newer, and {sys.executable} is {sys.version[:6]}")

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

CHECKOUT = Path(__file__).resolve().parent.parent
TOOLS = CHECKOUT / ".venv-test"
DEV = CHECKOUT / ".venv-dev"
RESULT = TOOLS / "result.json"
TOX = "tox>=4.22"

OLDEST = (3, 9)
# Those that IMAPCLIENT_TEST_REQUIRE=all insists on. Newer ones are used where they are found.
REQUIRED = [(3, minor) for minor in range(9, 14)]
# Those that run what runs once, the newest first: the tools and the demo's server support them.
PREFERRED = [(3, 13), (3, 12), (3, 11)]
# pymap, which the embedded server is built on, needs it.
EMBEDDED_SERVER = (3, 11)

# Where Debian keeps daemons, out of the PATH of ordinary users.
SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"]
# Where .ci/install-servers puts the packages that can't be installed beside each other.
UNPACKED = "/usr/local/lib/imapclient-tests"
# A program of each server, the folders beyond PATH where it may be, and how to get it.
SERVERS = [
    ("Dovecot", "dovecot", [], "install the package dovecot-imapd"),
    (
        "Cyrus",
        "idled",
        ["/usr/lib/cyrus/bin", f"{UNPACKED}/cyrus-imapd/usr/lib/cyrus/bin"],
        "run .ci/install-servers as root, on Debian",
    ),
    (
        "Courier",
        "imaplogin",
        ["/usr/lib/courier/courier", f"{UNPACKED}/courier-imap/usr/lib/courier/courier"],
        "run .ci/install-servers and the tests as root, on Debian",
    ),
]

# Seconds for an interpreter to say what it is.
PROBE_TIMEOUT = 30

# Printed by the candidate itself, since nothing else tells whether it starts.
PROBE = """
import json, platform, sys, sysconfig
try:
    import ensurepip, venv
except ImportError:
    ensurepip = None
print(json.dumps([
    list(sys.version_info),
    platform.python_implementation(),
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    getattr(sys, "_base_executable", "") or sys.executable,
    ensurepip is not None,
]))
"""


class Interpreter(NamedTuple):
    """A Python that was started and answered."""

    version: tuple[int, int, int, str, int]  # sys.version_info
    path: str  # of the base interpreter, where the candidate belongs to a virtual environment
    makes_venv: bool  # Debian's python3 has no ensurepip without the package python3-venv

    @property
    def minor(self) -> tuple[int, int]:
        """What there is one of, such as (3, 11)."""
        return self.version[:2]

    @property
    def env(self) -> str:
        """Its environment in tox.ini, such as "py311"."""
        return "py{}{}".format(*self.minor)


def probe(path: str) -> Optional[Interpreter]:
    """Starts `path`; None unless it is a CPython, 3.9 or newer, with a GIL, that answers."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_TIMEOUT,
            check=True,
        ).stdout
        version, implementation, free_threaded, base, makes_venv = json.loads(answer)
        found = Interpreter(tuple(version), base, makes_venv)
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return None
    if implementation != "CPython" or free_threaded or found.minor < OLDEST:
        return None
    return found


def on_path(environ: Mapping[str, str]) -> Iterator[str]:
    """Every python, python3 and python3.N on PATH; some may be shims that start nothing."""
    name = re.compile(r"python(3(\.\d+)?)?(\.exe)?")
    for folder in environ.get("PATH", "").split(os.pathsep):
        if not os.path.isabs(folder) or not os.path.isdir(folder):
            continue
        for entry in sorted(os.listdir(folder)):
            path = os.path.join(folder, entry)
            if name.fullmatch(entry) and os.access(path, os.X_OK):
                yield path


def of_pyenv(environ: Mapping[str, str]) -> Iterator[str]:
    """The real interpreters behind pyenv's shims, found also where pyenv is not on PATH."""
    root = environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    places = [environ.get("PATH", ""), os.path.join(root, "bin")]
    pyenv = shutil.which("pyenv", path=os.pathsep.join(places))
    if pyenv is None:
        return
    try:
        root, names = (
            subprocess.run(
                [pyenv, *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PROBE_TIMEOUT,
                check=True,
                text=True,
            ).stdout.strip()
            for arguments in (["root"], ["versions", "--bare"])
        )
    except (OSError, subprocess.SubprocessError):
        return
    for name in names.splitlines():
        yield os.path.join(root, "versions", name.strip(), "bin", "python")


def one_per_minor(candidates: Iterable[str]) -> list[Interpreter]:
    """The candidates that start, oldest first: the first, then the newest of each other minor."""
    best: dict[tuple[int, int], Interpreter] = {}
    first = None
    for path in dict.fromkeys(candidates):
        found = probe(path)
        if found is None:
            continue
        first = first or found
        known = best.setdefault(found.minor, found)
        if known is not first and found.version > known.version:
            best[found.minor] = found
    return [best[minor] for minor in sorted(best)]


def find_interpreters(environ: Mapping[str, str], started_with: str) -> list[Interpreter]:
    """Every interpreter to test on, one per minor version, oldest first."""
    return one_per_minor([started_with, *of_pyenv(environ), *on_path(environ)])


def choose_single(interpreters: Sequence[Interpreter], started_with: tuple[int, int]) -> Optional[Interpreter]:
    """The one for what runs once; None if none of them can make a virtual environment."""
    usable = {found.minor: found for found in interpreters if found.makes_venv}
    order = [*PREFERRED, started_with, *sorted(usable, reverse=True)]
    return next((usable[minor] for minor in order if minor in usable), None)


def all_envs(interpreters: Iterable[Interpreter], single: Interpreter) -> list[str]:
    """Everything; the longest first, so that it does not run alone at the end.

    `live`, `once` and `reliability` together run every test, so their interpreter needs no other run.
    """
    others = [found.env for found in interpreters if found is not single]
    return ["live", "once", "reliability", *others, "dist", "types", "docs", "lint"]


def left_out(interpreters: Sequence[Interpreter], single: Interpreter, environ: Mapping[str, str]) -> list[str]:
    """One line for each thing that cannot be tested here, and how to get it."""
    lines = []
    present = {found.minor for found in interpreters}
    for major, minor in REQUIRED:
        if (major, minor) not in present:
            name = f"{major}.{minor}"
            lines.append(
                f"Python {name}: no such interpreter starts here; install it, for example with: pyenv install {name}"
            )
    for name, program, folders, remedy in SERVERS:
        places = [environ.get("PATH", ""), *SYSTEM_FOLDERS, *folders]
        found = shutil.which(program, path=os.pathsep.join(places)) is not None
        # Courier's configuration is at fixed places, which only root can put another one at.
        if not found or (name == "Courier" and not _is_root()):
            lines.append(f"live tests against {name}: {remedy}")
    if single.minor < EMBEDDED_SERVER:
        lines.append("live tests against the embedded server: install Python 3.11 or newer")
    return lines


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_tox(single: Interpreter, environ: Mapping[str, str]) -> Path:
    """Makes .venv-test with tox, or takes the one that is there: the path of its python."""
    python = TOOLS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = TOOLS / "made-with.json"
    wanted = json.dumps({"python": single.path, "version": single.version, "install": TOX})
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"tests/run.py: installing tox into {TOOLS.name}", flush=True)
    make = [single.path, "-m", "venv", "--clear", str(TOOLS)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOX]
    for command in (make, install):
        done = subprocess.run(command, env=dict(environ), stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"tests/run.py: could not install tox; this failed: {' '.join(command)}")
    # Written last: an installation that was cut short is made again.
    stamp.write_text(wanted, encoding="utf-8")
    return python


def side_by_side() -> int:
    """How many environments run at the same time: one more than there are CPUs, since many tests wait."""
    return max(1, min((os.cpu_count() or 1) + 1, 4))


def plan(envs: Sequence[str]) -> str:
    """What is going to run: `tests/run.py: runs lint, types, 3 at a time; each prints its output when it ends`."""
    several = f", {side_by_side()} at a time; each prints its output when it ends" if len(envs) > 1 else ""
    return f"tests/run.py: runs {', '.join(envs)}{several}"


def tox_command(
    python: Path,
    interpreters: Sequence[Interpreter],
    envs: Sequence[str],
    pytest_args: Sequence[str],
) -> list[str]:
    """The command line of tox, which runs `side_by_side` environments at the same time."""
    command = [str(python), "-m", "tox"]
    if len(envs) > 1:
        command += ["run-parallel", "--parallel", str(side_by_side()), "--parallel-no-spinner"]
    else:
        command += ["run"]
    command += ["--skip-missing-interpreters", "false", "--result-json", str(RESULT)]
    command += ["--discover", *(found.path for found in interpreters)]
    command += ["-e", ",".join(envs)]
    if pytest_args:
        command += ["--", *pytest_args]
    return command


def summary(envs: Sequence[str], result: Mapping[str, object]) -> list[str]:
    """Closing lines: what failed, if anything did, and `environments: 9 passed, 1 failed`.

    An environment that tox says nothing about has failed.
    """
    testenvs = result.get("testenvs")
    failed = []
    for env in envs:
        entry = testenvs.get(env) if isinstance(testenvs, dict) else None
        if not (entry and entry.get("result", {}).get("success")):
            failed.append(env)
    lines = [f"tests/run.py: failed: {', '.join(failed)}"] if failed else []
    seconds = {env: _seconds(testenvs.get(env)) for env in envs} if isinstance(testenvs, dict) else {}
    lines += [f"{seconds[env]:6.0f} s  {env}" for env in sorted(seconds, key=lambda env: -seconds[env])]
    return [*lines, f"environments: {len(envs) - len(failed)} passed, {len(failed)} failed"]


def _seconds(entry: object) -> float:
    """How long the commands of an environment took, from its entry in tox's result; 0 without one."""
    if not isinstance(entry, dict):
        return 0.0
    commands = [*entry.get("setup", ()), *entry.get("test", ())]
    return float(sum(command.get("elapsed", 0) for command in commands))


def make_dev(single: Interpreter) -> int:
    """Make .venv-dev, with the package as editable and all that tests and tools need."""
    python = DEV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    make = [single.path, "-m", "venv", str(DEV)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[test,demo,doc]"]
    for command in (make, [*install, TOX, "pre-commit"]):
        print("tests/run.py:", " ".join(command), flush=True)
        if subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL).returncode != 0:
            return 1
    print(f"tests/run.py: made {DEV.name}; try: {python.relative_to(CHECKOUT)} -m pytest tests/test_util.py")
    return 0


def run_tox(
    interpreters: Sequence[Interpreter],
    single: Interpreter,
    envs: Sequence[str],
    pytest_args: Sequence[str],
    notes: Sequence[str],
) -> int:
    """Runs tox on `envs` and prints `notes` and the closing lines after it; tox's exit code."""
    # What is set for the Python of this process is not meant for the others.
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if len(envs) == 1 and not pytest_args:
        # The only environment gets two cores. Of several, each gets one.
        environ.setdefault("IMAPCLIENT_TEST_WORKERS", "2")
    if pytest_args:
        # A part of the tests covers a part of the package.
        environ["IMAPCLIENT_COVERAGE_REPORT"] = "--fail-under=0"
    command = tox_command(install_tox(single, environ), interpreters, envs, pytest_args)
    RESULT.unlink(missing_ok=True)
    print(plan(envs), flush=True)
    code = subprocess.run(command, cwd=CHECKOUT, env=environ, stdin=subprocess.DEVNULL).returncode
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    print(*notes, *summary(envs, result), sep="\n", flush=True)
    return code


def parse(argv: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """`(what, environments, arguments for pytest)`; each is empty if the user named none."""
    own, rest = list(argv), []
    if "--" in own:
        split = own.index("--")
        own, rest = own[:split], own[split + 1 :]
    parser = argparse.ArgumentParser(
        usage="%(prog)s [unit | dev | -e ENV[,ENV...]] [-- pytest arguments]",
        description="Runs all the tests, or a part of them, by tox.",
    )
    parser.add_argument("what", nargs="?", choices=["unit", "dev"], help="unit tests only; make .venv-dev")
    parser.add_argument("-e", metavar="ENV", help="environments of tox.ini, such as py311,lint")
    arguments = parser.parse_args(own)
    if arguments.what and arguments.e:
        parser.error(f"{arguments.what} and -e can't be combined")
    return arguments.what or "", (arguments.e.split(",") if arguments.e else []), rest


def main(argv: Sequence[str]) -> int:
    what, envs, rest = parse(argv)
    interpreters = find_interpreters(os.environ, sys.executable)
    single = choose_single(interpreters, sys.version_info[:2])
    if single is None:
        print("tests/run.py: no CPython from 3.9 on that can make a virtual environment starts here;")
        print("on Debian, install the package python3-venv")
        return 2
    if what == "dev":
        return make_dev(single)
    missing = left_out(interpreters, single, os.environ)
    if missing and os.environ.get("IMAPCLIENT_TEST_REQUIRE") == "all":
        print(*(f"missing: {line}" for line in missing), sep="\n")
        print("tests/run.py: nothing was run, since IMAPCLIENT_TEST_REQUIRE is all")
        return 2
    if not envs:
        envs = ["unit"] if rest or what == "unit" else all_envs(interpreters, single)
    lines = []
    for found in interpreters:
        once = ", also for all that runs once" if found is single else ""
        lines.append("{}: {}, {}.{}.{}".format(found.env, found.path, *found.version[:3]) + once)
    notes = [f"left out: {line}" for line in missing]
    print(*lines, *notes, sep="\n", flush=True)
    return run_tox(interpreters, single, envs, rest, notes)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
