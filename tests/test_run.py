"""tests/run.py: which interpreters it finds, what it leaves out, what it hands to tox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake interpreters are shell scripts")

MakePython = Callable[..., str]


@pytest.fixture
def make_python(tmp_path: Path) -> MakePython:
    """Makes a script that answers the probe as another interpreter would."""

    def make(
        name: str,
        *version: object,
        implementation: str = "CPython",
        free_threaded: bool = False,
        makes_venv: bool = True,
    ) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        full = [*version, *[0, "final", 0][len(version) - 2 :]]
        answer = json.dumps([full, implementation, free_threaded, str(path), makes_venv])
        path.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return make


def script(path: Path, body: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def interpreter(major: int, minor: int, *, makes_venv: bool = True) -> run.Interpreter:
    path = f"/opt/python{major}.{minor}"
    return run.Interpreter((major, minor, 0, "final", 0), path, makes_venv)


def test_probe_of_the_running_interpreter() -> None:
    found = run.probe(sys.executable)
    assert found is not None
    assert found.version == tuple(sys.version_info)
    assert found.env == "py{}{}".format(*sys.version_info[:2])
    assert subprocess.run([found.path, "-c", ""]).returncode == 0


def test_probe_of_a_shim_that_fails(tmp_path: Path) -> None:
    shim = script(
        tmp_path / "python3.12",
        "echo 'pyenv: python3.12: command not found' >&2; exit 127",
    )
    assert run.probe(shim) is None


@pytest.mark.parametrize("answer", ["", "3.12.1", "[]", "{}", '[[3, 12], "CPython"]'])
def test_probe_of_something_that_gives_another_answer(tmp_path: Path, answer: str) -> None:
    assert run.probe(script(tmp_path / "python3.12", f"echo '{answer}'")) is None


def test_probe_of_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("no program\n", encoding="utf-8")
    assert run.probe(str(tmp_path / "python3")) is None
    assert run.probe(str(tmp_path / "nothing")) is None
    assert run.probe(str(tmp_path)) is None


def test_probe_refuses_what_is_not_supported(make_python: MakePython) -> None:
    assert run.probe(make_python("python3.8", 3, 8, 18)) is None
    assert run.probe(make_python("pypy", 3, 11, 9, implementation="PyPy")) is None
    assert run.probe(make_python("python3.13t", 3, 13, 0, free_threaded=True)) is None


def test_probe_takes_newer_ones_and_pre_releases(make_python: MakePython) -> None:
    found = run.probe(make_python("python3.15", 3, 15, 0, "alpha", 2))
    assert found is not None
    assert found.env == "py315"


def test_candidates_on_path(make_python: MakePython, tmp_path: Path) -> None:
    wanted = [make_python(f"bin/{name}", 3, 11) for name in ("python", "python3", "python3.11")]
    for name in ("python3.11-config", "pythonw", "python2.7", "ipython3"):
        make_python(f"bin/{name}", 3, 11)
    (tmp_path / "bin" / "python3.12").write_text("not executable", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path / "bin"), "", "relative", str(tmp_path / "missing")])
    assert list(run.on_path({"PATH": path})) == wanted


def test_pyenv_names_are_resolved_to_real_interpreters(tmp_path: Path) -> None:
    script(
        tmp_path / "bin" / "pyenv",
        f'[ "$1" = root ] && echo {tmp_path} || printf "3.9.18\\n3.12.1\\n"',
    )
    for environ in (
        {"PATH": f"{tmp_path}/bin"},
        {"PATH": "/nowhere", "PYENV_ROOT": str(tmp_path)},
    ):
        assert list(run.of_pyenv(environ)) == [
            f"{tmp_path}/versions/3.9.18/bin/python",
            f"{tmp_path}/versions/3.12.1/bin/python",
        ]


def test_a_pyenv_that_fails_names_nothing(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "pyenv", "exit 1")
    assert list(run.of_pyenv({"PATH": str(tmp_path / "bin")})) == []


def test_one_interpreter_for_each_minor_version(make_python: MakePython, tmp_path: Path) -> None:
    started_with = make_python("mine/python3", 3, 11, 2)
    candidates = [
        started_with,
        make_python("a/python3.12", 3, 12, 1),
        make_python("a/python3.11", 3, 11, 7),
        make_python("b/python3.12", 3, 12, 4),
        make_python("c/python3.12", 3, 12, 4),
        make_python("a/python3.9", 3, 9, 18),
        make_python("a/python3.15", 3, 15, 0, "final", 0),
        make_python("b/python3.15", 3, 15, 0, "beta", 4),
        script(tmp_path / "shims" / "python3.10", "exit 127"),
    ]
    assert [found.path for found in run.one_per_minor(candidates)] == [
        str(tmp_path / "a/python3.9"),
        started_with,
        str(tmp_path / "b/python3.12"),
        str(tmp_path / "a/python3.15"),
    ]


def test_a_failing_shim_first_on_path_hides_nothing(make_python: MakePython, tmp_path: Path) -> None:
    script(tmp_path / "shims" / "python3.12", "exit 127")
    real = make_python("bin/python3.12", 3, 12, 1)
    path = os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "bin")])
    environ = {"PATH": path, "PYENV_ROOT": str(tmp_path / "no-pyenv")}
    found = run.find_interpreters(environ, make_python("mine/python3", 3, 11, 2))
    assert [each.minor for each in found] == [(3, 11), (3, 12)]
    assert found[1].path == real


def test_single_is_the_newest_preferred() -> None:
    found = [interpreter(3, minor) for minor in (9, 10, 11, 12, 13, 14)]
    assert run.choose_single(found, (3, 9)) == interpreter(3, 13)
    assert run.choose_single(found[:3], (3, 9)) == interpreter(3, 11)


def test_single_without_a_preferred_one_is_the_one_started_with() -> None:
    found = [interpreter(3, 9), interpreter(3, 10), interpreter(3, 14)]
    assert run.choose_single(found, (3, 10)) == interpreter(3, 10)


def test_single_has_to_make_virtual_environments() -> None:
    bare = interpreter(3, 13, makes_venv=False)
    assert run.choose_single([interpreter(3, 9), bare], (3, 13)) == interpreter(3, 9)
    assert run.choose_single([bare], (3, 13)) is None


def test_what_is_left_out_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SYSTEM_FOLDERS", [])
    monkeypatch.setattr(run, "SERVERS", [(name, program, [], remedy) for name, program, _, remedy in run.SERVERS])
    found = [interpreter(3, 9), interpreter(3, 10), interpreter(3, 12)]
    lines = run.left_out(found, found[0], {"PATH": str(tmp_path)})
    assert len(lines) == 6
    assert "Python 3.11" in lines[0]
    assert "pyenv install 3.11" in lines[0]
    assert "Python 3.13" in lines[1]
    assert "dovecot-imapd" in lines[2]
    assert "Cyrus: run .ci/install-servers" in lines[3]
    assert "Courier: run .ci/install-servers" in lines[4]
    assert "embedded server" in lines[5]
    assert "Python 3.11 or newer" in lines[5]


def test_nothing_is_left_out_where_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("dovecot", "idled", "imaplogin"):
        script(tmp_path / name, "exit 0")
    found = [interpreter(3, minor) for minor in range(9, 14)]
    assert run.left_out(found, found[-1], {"PATH": str(tmp_path)}) == []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (line,) = run.left_out(found, found[-1], {"PATH": str(tmp_path)})
    assert "Courier" in line
    assert "as root" in line


def test_require_all_fails_before_anything_runs(
    tmp_path: Path, make_python: MakePython, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started as a program, on a PATH with nothing but the running interpreter."""
    environ = {
        "PATH": str(tmp_path),
        "HOME": str(tmp_path),
        "IMAPCLIENT_TEST_REQUIRE": "all",
    }
    program = Path(run.__file__)
    done = subprocess.run(
        [sys.executable, str(program), "-e", "lint"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    absent = [minor for minor in range(9, 14) if (3, minor) != sys.version_info[:2]]
    for minor in absent:
        assert f"missing: Python 3.{minor}:" in done.stdout
    assert "nothing was run" in done.stdout
    assert "tox" not in done.stdout


def test_arguments() -> None:
    assert run.parse([]) == ("", [], [])
    assert run.parse(["unit"]) == ("unit", [], [])
    assert run.parse(["dev"]) == ("dev", [], [])
    assert run.parse(["-e", "py39,lint"]) == ("", ["py39", "lint"], [])
    assert run.parse(["-e", "py311", "--", "tests/test_x.py", "-k", "n"]) == (
        "",
        ["py311"],
        ["tests/test_x.py", "-k", "n"],
    )
    assert run.parse(["--", "-e", "x"]) == ("", [], ["-e", "x"])
    with pytest.raises(SystemExit):
        run.parse(["tests/test_x.py"])
    with pytest.raises(SystemExit):
        run.parse(["unit", "-e", "py39"])


def test_everything_is_run_with_every_interpreter() -> None:
    found = [interpreter(3, 9), interpreter(3, 13), interpreter(3, 14)]
    envs = run.all_envs(found, found[1])
    # With 3.13, "live" does.
    assert sorted(envs) == ["dist", "docs", "lint", "live", "once", "py314", "py39", "reliability", "types"]


def test_tox_is_told_where_each_interpreter_is() -> None:
    found = [interpreter(3, 9), interpreter(3, 13)]
    command = run.tox_command(Path("python"), found, ["py39"], ["-k", "name"])
    place = command.index("--discover")
    assert command[place + 1 : place + 3] == ["/opt/python3.9", "/opt/python3.13"]
    assert command[command.index("-e") + 1] == "py39"
    assert command[command.index("--") :] == ["--", "-k", "name"]
    assert "run-parallel" not in command
    assert "run-parallel" in run.tox_command(Path("python"), found, ["py39", "lint"], [])


def test_the_plan_names_what_runs() -> None:
    assert run.plan(["unit"]) == "tests/run.py: runs unit"
    several = run.plan(["live", "py39"])
    assert several.startswith("tests/run.py: runs live, py39, ")
    assert f" {run.side_by_side()} at a time;" in several


@pytest.mark.parametrize(
    ("arguments", "envs"),
    [
        (["unit"], ["unit"]),
        (["--", "tests/test_util.py"], ["unit"]),
        (["-e", "py39", "--", "-k", "x"], ["py39"]),
        ([], ["live", "once", "reliability", "py39", "dist", "types", "docs", "lint"]),
    ],
)
def test_which_environments_run(
    arguments: list[str], envs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[object] = []
    monkeypatch.delenv("IMAPCLIENT_TEST_REQUIRE", raising=False)
    monkeypatch.setattr(run, "find_interpreters", lambda *_: [interpreter(3, 9), interpreter(3, 13)])

    def run_tox(interpreters: object, single: run.Interpreter, envs: list[str], *_: object) -> int:
        ran.append((single.env, envs))
        return 0

    monkeypatch.setattr(run, "run_tox", run_tox)
    assert run.main(arguments) == 0
    assert ran == [("py313", envs)]
    assert "py313: /opt/python3.13, 3.13.0, also for all that runs once" in capsys.readouterr().out


def test_the_development_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def started(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 1 if len(ran) == 3 else 0)

    monkeypatch.setattr(subprocess, "run", started)
    assert run.make_dev(interpreter(3, 13)) == 0
    assert ran[0] == ["/opt/python3.13", "-m", "venv", str(run.DEV)]
    assert ".[test,demo,doc]" in ran[1]
    assert "-m pytest tests/" in capsys.readouterr().out
    # One that fails ends it.
    assert run.make_dev(interpreter(3, 13)) == 1
    assert len(ran) == 3


def test_summary_counts_what_tox_is_silent_about_as_failed() -> None:
    result = {
        "testenvs": {
            "lint": {"result": {"success": True}, "setup": [{"elapsed": 2.0}], "test": [{"elapsed": 1.0}, {}]},
            "py39": {"result": {"success": False}, "test": [{"elapsed": 61.2}]},
            "live": {},
        }
    }
    assert run.summary(["lint"], result) == ["     3 s  lint", "environments: 1 passed, 0 failed"]
    assert run.summary(["lint", "py39", "live", "docs"], result) == [
        "tests/run.py: failed: py39, live, docs",
        "    61 s  py39",
        "     3 s  lint",
        "     0 s  live",
        "     0 s  docs",
        "environments: 1 passed, 3 failed",
    ]
    assert run.summary(["lint"], {})[-1] == "environments: 0 passed, 1 failed"


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    """The lines before the check are run, by a Python that says that it is 3.8."""
    source = Path(run.__file__).read_text(encoding="utf-8")
    code = (
        "import sys; sys.version_info = (3, 8, 18, 'final', 0); "
        "exec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'), {'__name__': 'x'})"
    )
    done = subprocess.run([sys.executable, "-c", code, run.__file__], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.9 or newer" in done.stderr
    # A Python that does not know a __future__ feature stops before it can say that.
    assert "\nfrom __future__" not in source
