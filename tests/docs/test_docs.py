"""Each block of code on each page of the documentation is run or checked.

The pages are README.rst and doc/src/*.rst. These are the rules for a writer of a page:

- ``.. code-block:: python`` and doctests (``>>>``) of one page are run from top to bottom in one namespace, which is
  empty at first: a block goes on where the one before it stopped. So a reader can paste them into a fresh interpreter,
  one after the other. What a doctest shows is compared; ``...`` stands for anything, and any amount of white space for
  any other.
- A block of ``python`` is pasted line by line, as into Python's prompt: there an empty line ends a loop, a function or
  a ``with`` statement, so none may stand within one, and one must stand behind it.
- ``.. include:: sample_client.inc`` has the code that makes ``client`` and ``server``, on the page and in the test.
- ``.. tests: dovecot`` puts ``client`` into the namespace, logged in to Dovecot as a new user whose name begins with
  ``ann``. The page says so.
- Python blocks that define tests or fixtures are collected into one file for each page. pytest runs it.
- ``.. code-block:: ini`` must be readable by `parse_config_file`.
- ``.. code-block:: console`` has commands in lines that begin with ``$``. Each must be one that `check_command` knows.
  An unknown option of a program, a missing file and an unknown extra of setup.py fail.
- ``.. code-block:: text`` is an interactive session. test_interactive_session.py types it into a terminal.
- A paragraph that ends in ``::`` is followed by commands without ``$``.
- ``literalinclude`` may include a program from examples/, all of which test_examples.py runs.
- Anything else that shows code fails: it would not be run.
"""

from __future__ import annotations

import ast
import codeop
import contextlib
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Callable, NamedTuple

import pytest

import imapclient
from imapclient import IMAPClient, response_types
from imapclient.config import parse_config_file
from tests.helpers.config_files import write_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.rst", *sorted((ROOT / "doc" / "src").glob("*.rst"))]

# To end what hangs.
TIMEOUT_SECONDS = 300
DOCTEST_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_DIRECTIVE = re.compile(r"( *)\.\. ([a-z-]+):: *(.*)")
_NEEDS_DOVECOT = re.compile(r"^\.\. tests: dovecot$", re.MULTILINE)
_SHOWS_CODE = {"code", "sourcecode", "parsed-literal", "testcode", "doctest", "prompt", "highlight"}
_INCLUDES = {"literalinclude": "program", "include": "shared"}


class Block(NamedTuple):
    """A block and the number of its first line.

    Its kind is 'python', 'doctest', 'ini', 'console', 'text', 'commands', 'program' or 'shared'. The text of the last
    two is the name of a file.
    """

    kind: str
    line: int
    text: str


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page, in order. Raises AssertionError if no rule is for a block."""
    lines = page.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index]
        directive = _DIRECTIVE.match(line)
        if line.lstrip().startswith(">>> "):
            end = index
            while end < len(lines) and lines[end].strip():
                end += 1
            yield Block("doctest", index + 1, textwrap.dedent("\n".join(lines[index:end])) + "\n")
            index = end
        elif directive is not None and directive[2] == "code-block":
            assert directive[3] in ("python", "ini", "console", "text"), (
                f"line {index + 1}: no rule for {line.strip()!r}"
            )
            end = _end_of_indented(lines, index + 1, len(directive[1]))
            yield _indented(directive[3], lines, index + 1, end)
            index = end
        elif directive is not None and directive[2] in _INCLUDES:
            yield Block(_INCLUDES[directive[2]], index + 1, directive[3])
            index += 1
        elif directive is not None:
            assert directive[2] not in _SHOWS_CODE, f"line {index + 1}: no rule for {line.strip()!r}"
            index += 1
        elif line.endswith("::") and not line.startswith(".. "):
            end = _end_of_indented(lines, index + 1, len(line) - len(line.lstrip()))
            yield _indented("commands", lines, index + 1, end)
            index = end
        else:
            index += 1


def _end_of_indented(lines: list[str], start: int, indentation: int) -> int:
    end = start
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indentation):
        end += 1
    return end


def _indented(kind: str, lines: list[str], start: int, end: int) -> Block:
    while start < end and not lines[start].strip():
        start += 1
    return Block(kind, start + 1, textwrap.dedent("\n".join(lines[start:end])).strip("\n") + "\n")


def defines_tests(source: str) -> bool:
    """Whether pytest has to run this block, because it has test functions, test cases or fixtures."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and (
            node.name.startswith("test_") or any("fixture" in ast.unparse(d) for d in node.decorator_list)
        ):
            return True
        if isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases):
            return True
    return False


# -- pages


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_code_of_page(path: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    request.addfinalizer(lambda: close_all(namespace))
    request.addfinalizer(switches_of_package())
    blocks = [*blocks_with_shared(path)]
    if _NEEDS_DOVECOT.search(page):
        namespace["client"] = request.getfixturevalue("dovecot_client")
    elif any("EmbeddedServer(" in block.text or "imap_server" in block.text for _, block in blocks):
        # Skips or fails if the server can't run.
        request.getfixturevalue("embedded")
    tests = []
    for file, block in blocks:
        if block.kind == "python" and defines_tests(block.text):
            tests.append(block.text)
        elif block.kind == "python":
            paste(block, file, namespace)
        elif block.kind == "doctest":
            run_doctest(block, file, namespace)
        elif block.kind == "ini":
            parse_config_file(write_config(tmp_path / "block.ini", block.text))
        elif block.kind == "program":
            included = (path.parent / block.text).resolve()
            assert included.parent == ROOT / "examples", f"line {block.line}: not one of the examples"
            assert included.is_file(), f"line {block.line}: no such file"
        elif block.kind == "text":
            assert block.text.startswith("$ "), f"line {block.line}: no interactive session"
        else:
            for command in commands_of(block):
                check_command(command)
    if tests:
        run_pytest("\n\n".join(tests), tmp_path)


def blocks_with_shared(path: Path) -> Iterator[tuple[Path, Block]]:
    """The blocks of a page and of the files that it includes, in the order in which a reader meets them."""
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.kind == "shared":
            yield from blocks_with_shared(path.parent / block.text)
        else:
            yield path, block


def switches_of_package() -> Callable[[], None]:
    """A function that sets the package's switches, which are bool, back to what they are now.

    A page may show how to use one. In the reader's interpreter it is gone with the interpreter.
    """
    before = [
        (vars(module), name, value)
        for module_name, module in list(sys.modules.items())
        if module_name.startswith("imapclient.")
        for name, value in vars(module).items()
        if isinstance(value, bool)
    ]

    def set_back() -> None:
        for names, name, value in before:
            names[name] = value

    return set_back


def close_all(namespace: dict[str, Any]) -> None:
    """End what a page has started, as the end of the reader's interpreter would."""
    for value in namespace.values():
        if isinstance(value, IMAPClient):
            value.shutdown()
    for value in namespace.values():
        # By its name: the module is only imported by pages that use it.
        if type(value).__name__ == "EmbeddedServer":
            value.stop()


def paste(block: Block, path: Path, namespace: dict[str, Any]) -> None:
    """Run a block line by line, as Python's prompt does."""
    compiler = codeop.CommandCompiler()
    pending: list[str] = []
    for number, line in enumerate([*block.text.splitlines(), ""], block.line):
        pending.append(line)
        # With the lines of the page, for the traceback.
        source = "\n" * (number - len(pending)) + "\n".join(pending)
        try:
            code = compiler(source, str(path), "single")
        except SyntaxError as error:
            raise AssertionError(
                f"{path.name}, line {number}, can't be pasted into Python's prompt: {error}"
            ) from error
        if code is not None:
            pending.clear()
            exec(code, namespace)
    assert not pending, f"{path.name}, line {block.line}: the block is not complete"


def test_the_guide_can_be_pasted_into_a_fresh_interpreter(embedded: object, tmp_path: Path) -> None:
    lines = []
    for _, block in blocks_with_shared(ROOT / "doc" / "src" / "guide.rst"):
        if block.kind == "python":
            lines += [block.text, "\n"]
        elif block.kind == "doctest":
            # A statement of several lines ends with an empty one.
            examples = doctest.DocTestParser().get_examples(block.text)
            lines += [
                f"{example.source}\n" if example.source.count("\n") > 1 else example.source for example in examples
            ]
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))},
        input="".join(lines),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
    )
    assert "Error" not in done.stderr, done.stderr
    assert done.stdout.endswith("b'Logging out.'\n"), done.stdout


def run_doctest(block: Block, path: Path, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, {}, path.name, str(path), block.line - 1)
    # The same namespace, not the copy that DocTest makes.
    test.globs = namespace
    report: list[str] = []
    doctest.DocTestRunner(optionflags=DOCTEST_OPTIONS, verbose=False).run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def run_pytest(source: str, folder: Path) -> None:
    """All tests of a page must pass, and none may be skipped."""
    (folder / "test_page.py").write_text(source, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "imapclient.pytest_plugin", "test_page.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout, done.stdout


# -- commands


def commands_of(block: Block) -> list[str]:
    lines = block.text.strip().splitlines()
    if block.kind == "commands":
        return lines
    assert all(line.startswith("$ ") for line in lines), f"line {block.line}: a command begins with '$ '"
    return [line[2:] for line in lines]


def check_command(command: str) -> None:
    """Raise AssertionError if a command can't work in a checkout, or if no rule is for it."""
    for part in command.split("&&"):
        program, *words = shlex.split(part)
        name = program.rsplit("/", 1)[-1]
        if name in ("python", "python3") and words[:1] == ["-m"]:
            _check_module(words[1], words[2:])
        elif name in ("python", "python3"):
            _check_program(ROOT / words[0], words[1:])
        elif name == "imapclient":
            _check_options([sys.executable, "-m", "imapclient.interact"], words)
        elif name == "pip":
            _check_module("pip", words)
        else:
            raise AssertionError(f"no rule for the command {part.strip()!r}")


def _check_module(module: str, words: list[str]) -> None:
    if module == "pip":
        assert words[0] == "install", f"no rule for pip {words[0]}"
        for wanted in words[1:]:
            _check_requirement(wanted)
    elif module == "imapclient.interact" or module.startswith("tests.benchmarks."):
        _check_options([sys.executable, "-m", module], words)
    elif module == "build":
        assert re.search(r"^    build$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE)
    elif module == "imapclient.livetest":
        plugin = (ROOT / "imapclient" / "livetest" / "plugin.py").read_text(encoding="utf-8")
        assert words[0].endswith(".ini")
        assert [word for word in words if word.startswith("--") and f'"{word}"' not in plugin] == []
    else:
        assert module == "venv", f"no rule for python -m {module}"


def _check_requirement(wanted: str) -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    checkout = re.fullmatch(r"\.(?:\[([\w,]+)\])?", wanted)
    if checkout is not None:
        for extra in filter(None, (checkout[1] or "").split(",")):
            assert f'"{extra}": [' in setup, f"setup.py has no extra {extra}"
        return
    # The name IMAPClient belongs to another project in the index. So pages name only packages that are needed.
    name = re.split("[<>=~;]", wanted)[0]
    assert name in ("pymap", "pytest", "trustme", "six"), f"not a package that the library needs: {wanted}"
    assert wanted in setup, f"setup.py does not ask for {wanted}"


def _check_program(path: Path, words: list[str]) -> None:
    assert path.is_file(), f"no such program: {path.relative_to(ROOT)}"
    _check_options([sys.executable, str(path)], words)


def _check_options(command: list[str], words: list[str]) -> None:
    options = [word for word in words if word.startswith("-")]
    if options:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        help_of = [*command, "--help"]
        text = subprocess.run(
            help_of, env=env, capture_output=True, encoding="utf-8", check=True, timeout=TIMEOUT_SECONDS
        ).stdout
        for option in options:
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"{command[-1]} has no {option}"


def test_readme_has_the_two_commands() -> None:
    """CI runs both: check_dist.py and .ci/run start the same programs."""
    blocks = list(blocks_of((ROOT / "README.rst").read_text(encoding="utf-8")))
    commands = [command for block in blocks if block.kind == "commands" for command in commands_of(block)]
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install '.[demo]' && .venv/bin/python examples/quickstart.py",
        "python3 tests/run.py",
    ]


@pytest.mark.parametrize(
    "command",
    [
        "python examples/missing.py",
        "python -m imapclient.interact --no-such-option",
        "python examples/idle_example.py --no-such-option",
        "pip install '.[no_such_extra]'",
        "pip install IMAPClient",
        "pip install 'pymap>=99'",
        "curl https://example.org",
    ],
)
def test_wrong_commands_are_found(command: str) -> None:
    with pytest.raises(AssertionError):
        check_command(command)


@pytest.mark.parametrize("block", [".. code-block:: perl\n\n   die;", ".. code:: python\n\n   1", ".. highlight:: c"])
def test_blocks_that_would_not_be_run_are_found(block: str) -> None:
    with pytest.raises(AssertionError, match="line 3: no rule"):
        list(blocks_of(f"Text.\n\n{block}\n"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("with open('x') as file:\n    a = 1\n\n    b = 2\n", "line 4, can't be pasted"),
        ("for x in [1]:\n    pass\nassert x\n", "line 3, can't be pasted"),
        ("x = (1,\n", "line 1: the block is not complete"),
    ],
)
def test_code_that_python_s_prompt_refuses_is_found(source: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        paste(Block("python", 1, source), Path("page.rst"), {"open": lambda name: contextlib.nullcontext()})


def test_code_that_needs_what_the_page_does_not_make_is_found() -> None:
    with pytest.raises(AssertionError, match="NameError: name 'server' is not defined"):
        run_doctest(Block("doctest", 1, ">>> server.host\n'127.0.0.1'\n"), Path("page.rst"), {})
    with pytest.raises(NameError):
        paste(Block("python", 1, "server.host\n"), Path("page.rst"), {})


def test_pasted_code_is_run() -> None:
    namespace: dict[str, Any] = {}
    paste(Block("python", 1, "def f():\n    return 1\n\nx = [\n    f(),\n]\n"), Path("page.rst"), namespace)
    assert namespace["x"] == [1]


def test_a_switch_that_a_page_uses_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapclient.util.switch", True, raising=False)
    set_back = switches_of_package()
    paste(Block("python", 1, "import imapclient.util\nimapclient.util.switch = False\n"), Path("page.rst"), {})
    set_back()
    assert vars(sys.modules["imapclient.util"])["switch"] is True


def test_blocks_of_a_page() -> None:
    page = "Do::\n\n  ls\n\n.. code-block:: python\n\n   x = 1\n\n   y = 2\n\n"
    page += "And:\n\n>>> x\n1\n\n.. note::\n\n   >>> y\n   2\n"
    assert list(blocks_of(page)) == [
        Block("commands", 3, "ls\n"),
        Block("python", 7, "x = 1\n\ny = 2\n"),
        Block("doctest", 13, ">>> x\n1\n"),
        Block("doctest", 18, ">>> y\n2\n"),
    ]


# -- the pages as a whole


def test_every_public_method_is_documented_once() -> None:
    methods = [name for name, _ in inspect.getmembers(IMAPClient, callable) if not name.startswith("_")]
    methods = [name for name in methods if isinstance(inspect.getattr_static(IMAPClient, name), FunctionType)]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    documented = re.findall(r"^\.\. automethod:: imapclient\.IMAPClient\.(\w+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(methods)


# Sphinx writes a page of its own with this name.
_PAGE_OF_FAMILY = {"search": "searching"}


def test_every_family_has_its_page() -> None:
    families = {path.stem for path in (ROOT / "imapclient" / "_commands").glob("*.py")} - {"__init__"} | {"watch"}
    assert {"fetch", "search", "watch"} <= families
    sections = re.findall(
        r"^Page: :doc:`(\w+)`\..*\n(?:.+\n)*\n\.\. family-table:: (\w+)$",
        (ROOT / "doc" / "src" / "api.rst").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    pages = {family: page for page, family in sections}
    assert pages == {family: _PAGE_OF_FAMILY.get(family, family) for family in families}
    for page in pages.values():
        assert (ROOT / "doc" / "src" / f"{page}.rst").is_file()


def test_no_page_has_the_name_of_one_that_sphinx_writes() -> None:
    """In HTML one of the two would be missing."""
    assert {"search", "genindex", "py-modindex", "modindex"} & {page.stem for page in PAGES} == set()


def test_every_public_name_is_in_the_overview() -> None:
    overview = (ROOT / "doc" / "src" / "api.rst").read_text(encoding="utf-8")
    assert [name for name in imapclient.__all__ if not re.search(rf"imapclient\.{name}\b", overview)] == []


def test_every_type_of_a_result_is_in_the_overview() -> None:
    overview = (ROOT / "doc" / "src" / "api.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   imapclient\.(?:response_types|imap_utf7)\.([A-Z]\w+)$", overview, re.MULTILINE)
    assert sorted(listed) == sorted(response_types.__all__)


def test_every_example_is_named() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in (ROOT / "examples").glob("*.py") if path.name not in text] == []


# -- docstrings

_EQUATION = re.compile(r"``([^`]+? == [^`]+?)``", re.DOTALL)


def modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(imapclient.__path__, "imapclient."):
        # The first imports pymap. pytest has loaded the second already.
        left_out = ("imapclient._testing.embedded_pymap", "imapclient.pytest_plugin")
        if info.name not in left_out and ".livetest" not in info.name:
            yield importlib.import_module(info.name)


def equations() -> Iterator[Any]:
    """The ``f(x) == y`` in docstrings of public functions and classes."""
    for module in modules():
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            for text in _EQUATION.findall(inspect.getdoc(value) or ""):
                yield pytest.param(module, " ".join(text.split()), id=f"{module.__name__}.{name}")


@pytest.mark.parametrize(("module", "equation"), list(equations()))
def test_equations_in_docstrings(module: ModuleType, equation: str) -> None:
    assert eval(equation, {**vars(module)})


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: str(module.__name__))
def test_doctests_in_docstrings(module: ModuleType) -> None:
    assert doctest.testmod(module, optionflags=DOCTEST_OPTIONS).failed == 0
