"""The package's structure, proved on its syntax trees: who may import whom, and what a module may hold.

Each check is a function from sources to a list of complaints. The first half runs the checks on the
package and expects none; the second half gives each check small made-up sources that break its rule.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from imapclient import IMAPClient

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "imapclient"


class Room(NamedTuple):
    """A folder of the package, or a module beside the folders, and whose modules it may import."""

    name: str
    holds: str
    may_import: tuple[str, ...] | None
    """Names of rooms; None is every room above it."""


_GROUND = (
    "_import_time",
    "version",
    "constants",
    "fixed_offset",
    "exceptions",
    "util",
    "sequence_set",
    "imap_utf7",
    "datetime_util",
)

# In the order in which data flows: a room imports rooms above it only. CONTRIBUTING.rst shows the same table.
ROOMS = (
    Room("_import_time", "dataclasses, named tuples, expressions that are quick to import", ()),
    Room("version", "the version", ()),
    Room("constants", "flags and special uses", ()),
    Room("fixed_offset", "a time zone of fixed offset", ()),
    Room("exceptions", "the exceptions of commands and of the connection", ()),
    Room("util", "text and bytes", ("exceptions",)),
    Room("sequence_set", "sets of message ids", ("_import_time", "util")),
    Room("imap_utf7", "folder names on the wire", ("_import_time", "util")),
    Room("datetime_util", "dates and times", ("_import_time", "fixed_offset", "util")),
    Room("_parsing", "what a server sends, from bytes to values; no I/O", _GROUND),
    Room("_arguments", "what a caller gives, from values to bytes; no I/O", _GROUND),
    Room("_auth", "SASL mechanisms and their dialogue", ("exceptions", "util")),
    Room("_wire", "bytes and time: sockets, TLS, compression, waiting", ("_import_time", "exceptions")),
    Room("events", "what watch yields", (*_GROUND, "_auth")),
    Room(
        "_connection",
        "imaplib behind a gateway; the exchange; socket errors",
        (*_GROUND, "_parsing", "_arguments", "_wire"),
    ),
    Room("_commands", "the client's methods, one file and one mixin a family", None),
    Room("_watching", "watch, and what is known about the folder", None),
    Room("response_types", "face: the types of what comes back", None),
    Room("response_parser", "face: IMAPClient's parser functions", None),
    Room("response_lexer", "face: IMAPClient's lexer", None),
    Room("imap4", "face: the connection classes", None),
    Room("tls", "face: TLS, as IMAPClient has it", None),
    Room("sasl", "face: the mechanisms", None),
    Room("fetch_result", "face: an older path of response_types", None),
    Room("replies", "face: an older path of response_types", None),
    Room("commands", "face: an older path of response_types", None),
    Room("imapclient", "the client", None),
    Room("__init__", "what import imapclient gives", None),
    Room("_accounts", "options of an INI file, passwords, OAuth 2", None),
    Room("config", "from an INI file to a connected client", None),
    Room("_testing", "behind the test doubles: pymap, sample messages, scripts", None),
    Room("testable_imapclient", "a client for unit tests", None),
    Room("sample_mailbox", "face: the messages of the embedded server", None),
    Room("embedded_server", "an IMAP server for tests", None),
    Room("pytest_plugin", "the server as a fixture", None),
    Room("_shell", "behind interact", None),
    Room("interact", "python -m imapclient.interact", None),
    Room("livetest", "tests for a user's own server", None),
)
RANKS = {room.name: rank for rank, room in enumerate(ROOMS)}
FACES = tuple(room.name for room in ROOMS if room.holds.startswith("face:"))

SANS_IO = ("_parsing", "_arguments", "_auth", "events")
# Modules that wait, or tell which thread runs; and the names of `time` that do not belong to dates.
WAITING_MODULES = ("threading", "_thread", "select", "selectors", "queue", "asyncio", "concurrent", "signal")
WAITING_NAMES = ("sleep", "time", "monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns", "time_ns")
# These rooms run programs, servers and tests beside a client.
MAY_WAIT = ("_testing", "embedded_server", "pytest_plugin", "_shell", "interact", "livetest")
IO_MODULES = ("socket", "ssl", "os", "select", "selectors", "subprocess", "threading", "asyncio", "pathlib")
LINES = 600

Sources = Mapping[str, str]
"""Module name below the package (``commands.fetch``; ``__init__`` for the package itself) -> source."""


def package_sources() -> dict[str, str]:
    sources = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        sources[".".join(parts)] = path.read_text("utf-8")
    return sources


# -- reading


class Import(NamedTuple):
    """One imported name: ``from ..util import Text`` is ``Import('imapclient.util', 'Text', 7)``."""

    module: str
    name: str | None
    line: int


def imports(module: str, source: str, modules: Sources | None = None) -> list[Import]:
    """All imports of a module, also those within functions and under TYPE_CHECKING, by absolute names."""
    found = []
    is_package = module == "__init__" or any(other.startswith(f"{module}.") for other in modules or ())
    here = [PACKAGE] if module == "__init__" else [PACKAGE, *module.split(".")]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, None, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + is_package] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            found += [Import(target, alias.name, node.lineno) for alias in node.names]
    return found


def own_modules(module: str, source: str, modules: Sources) -> Iterator[tuple[str, int]]:
    """The modules of the package that a module imports, with the line."""
    for imported in imports(module, source, modules):
        if imported.module != PACKAGE and not imported.module.startswith(f"{PACKAGE}."):
            continue
        target = imported.module[len(PACKAGE) + 1 :]
        inside = f"{target}.{imported.name}" if target else str(imported.name)
        yield (inside if inside in modules else target or "__init__"), imported.line


def top_level(imported: Import) -> str:
    return imported.module.partition(".")[0]


def room_of(module: str) -> str:
    return module.partition(".")[0]


# -- the checks


def modules_outside_the_table(sources: Sources) -> list[str]:
    return [f"{module} has no room" for module in sources if room_of(module) not in RANKS]


def imports_that_point_up(sources: Sources) -> list[str]:
    """Up, or to a room that the table does not allow, or from one family of commands to another."""
    wrong = []
    for module, source in sources.items():
        room = room_of(module)
        for target, line in own_modules(module, source, sources):
            other = room_of(target)
            if other not in RANKS or room not in RANKS or target == module or target not in sources:
                wrong.append(f"{module}:{line} imports {target}: no such room")
            elif RANKS[other] > RANKS[room]:
                wrong.append(f"{module}:{line} imports {target}, which is above it")
            elif other != room and not _may_import(room, other):
                wrong.append(f"{module}:{line} imports {target}, which {room} may not know")
            elif other == room and _is_family(module) and _is_family(target):
                wrong.append(f"{module}:{line} imports another family, {target}")
    return wrong


def _may_import(room: str, other: str) -> bool:
    """Rooms import no face: these are for users."""
    may = ROOMS[RANKS[room]].may_import
    if room == "livetest":
        return other == "__init__" or not other.startswith("_")
    if room.startswith("_") and not room.startswith("__") and other in FACES:
        return False
    return may is None or other in may


def _is_family(module: str) -> bool:
    return module.startswith("_commands.") and not module.startswith("_commands.base")


def rooms_that_import_each_other(sources: Sources) -> list[str]:
    pairs = {
        (room_of(module), room_of(target))
        for module, source in sources.items()
        for target, _ in own_modules(module, source, sources)
        if room_of(target) != room_of(module)
    }
    return sorted(f"{one} and {other}" for one, other in pairs if one < other and (other, one) in pairs)


def cycles(sources: Sources) -> list[str]:
    """Modules of one room may import each other as long as there is an order among them."""
    graph = {
        module: {target for target, _ in own_modules(module, source, sources) if target in sources}
        for module, source in sources.items()
    }
    while True:
        leaves = [module for module, targets in graph.items() if not targets]
        if not leaves:
            return sorted(graph)
        for leaf in leaves:
            del graph[leaf]
        for targets in graph.values():
            targets.difference_update(leaves)


def uses_of_imaplib(sources: Sources) -> list[str]:
    """Only _connection imports imaplib; exceptions may, and reads nothing but its three classes."""
    wrong = []
    for module, source in sources.items():
        if room_of(module) == "_connection":
            continue
        if module == "exceptions":
            wrong += _more_than_the_classes(source)
            continue
        wrong += [
            f"{module}:{imported.line} imports imaplib"
            for imported in imports(module, source)
            if top_level(imported) == "imaplib"
        ]
    return wrong


def _more_than_the_classes(source: str) -> list[str]:
    wrong = [
        f"exceptions:{i.line} imports from imaplib"
        for i in imports("exceptions", source)
        if i.module == "imaplib" and i.name
    ]
    allowed = {"imaplib.IMAP4.error", "imaplib.IMAP4.abort", "imaplib.IMAP4.readonly"}
    tree = ast.parse(source)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        whole = isinstance(node, (ast.Attribute, ast.Name)) and id(node) not in inner
        text = ast.unparse(node) if whole else ""
        if text.partition(".")[0] == "imaplib" and text not in allowed:
            wrong.append(f"exceptions:{getattr(node, 'lineno', 0)} uses {text}")
    return wrong


def private_names_of(*classes: type) -> frozenset[str]:
    """The private names of imaplib's classes: their attributes, and what their methods set on self."""
    names: set[str] = set()
    for cls in classes:
        for base in cls.__mro__:
            names.update(vars(base))
            for function in vars(base).values():
                code = getattr(function, "__code__", None)
                names.update(code.co_names if code is not None else ())
    return frozenset(name for name in names if name.startswith("_") and not name.startswith("__"))


def uses_of_private_names(sources: Sources, private: frozenset[str]) -> list[str]:
    """An attribute of something else than self or cls, with a name that is private to imaplib.

    Outside _connection nobody takes any private name from the connection object, ``client._imap``.
    """
    wrong = []
    for module, source in sources.items():
        if room_of(module) == "_connection":
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
                continue
            owner = ast.unparse(node.value)
            of_connection = owner == "imap" or owner.endswith("._imap")
            if of_connection or (node.attr in private and owner not in ("self", "cls")):
                wrong.append(f"{module}:{node.lineno} uses {owner}.{node.attr}")
    return wrong


def faults_of_families(sources: Sources) -> list[str]:
    """A mixin holds no regex, no socket, no imaplib, and cuts no bytes of the wire.

    Cutting is told by its syntax: a slice (``text[1:]``), or a search for the place of a cut
    (``find``, ``index``, ``partition`` and the like) on anything at all.
    """
    wrong = []
    for module, source in sources.items():
        if not module.startswith(("_commands.", "_watching.")) or module.startswith("_commands.base"):
            continue
        wrong += [
            f"{module}:{imported.line} imports {imported.module}"
            for imported in imports(module, source)
            if top_level(imported) in ("re", "socket", "imaplib", "select", "selectors")
        ]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and _is_wire(node.value):
                wrong.append(f"{module}:{node.lineno} slices {ast.unparse(node)}")
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("find", "rfind", "index", "rindex", "partition", "rpartition")
            ):
                wrong.append(f"{module}:{node.lineno} searches in bytes: {ast.unparse(node)}")
    return wrong


def _is_wire(value: ast.expr) -> bool:
    """Whether a sliced expression may hold bytes of the wire: any but what is a list by its name."""
    return not (isinstance(value, ast.Name) and value.id in ("parts", "replies"))


def faults_of_sans_io(sources: Sources) -> list[str]:
    wrong = []
    for module, source in sources.items():
        if room_of(module) not in SANS_IO:
            continue
        wrong += [
            f"{module}:{imported.line} imports {imported.module}"
            for imported in imports(module, source)
            if top_level(imported) in IO_MODULES
        ]
        wrong += [
            f"{module}:{node.lineno} calls {node.func.id}"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print", "input", "__import__")
        ]
    return wrong


def waits_of_its_own(sources: Sources) -> list[str]:
    """Locks, events, clocks, threads and selectors that do not come from _wire.waiting."""
    wrong = []
    for module, source in sources.items():
        if module == "_wire.waiting" or room_of(module) in MAY_WAIT:
            continue
        wrong += [
            f"{module}:{imported.line} imports {imported.module}"
            for imported in imports(module, source)
            if top_level(imported) in WAITING_MODULES
            or (imported.module == "time" and imported.name in (*WAITING_NAMES, "*"))
        ]
        wrong += [
            f"{module}:{node.lineno} uses {ast.unparse(node)}"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and node.attr in WAITING_NAMES and ast.unparse(node.value) == "time"
        ]
    return wrong


def faults_of_faces(sources: Sources) -> list[str]:
    """A docstring, imports, __all__: nothing else. The door to a room is a docstring alone."""
    wrong = []
    for module, source in sources.items():
        is_door = room_of(module).startswith("_") and any(other.startswith(f"{module}.") for other in sources)
        if room_of(module) not in FACES and module != "__init__" and not is_door:
            continue
        for index, node in enumerate(ast.parse(source).body):
            docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            names = isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]
            if not docstring and (is_door or not (names or isinstance(node, (ast.Import, ast.ImportFrom)))):
                wrong.append(f"{module}:{node.lineno} is more than it may be: {ast.unparse(node)[:60]}")
    return wrong


def faults_of_the_head(sources: Sources) -> list[str]:
    """A docstring, and, where there is any code behind it, the __future__ import before all else."""
    wrong = []
    for module, source in sources.items():
        tree = ast.parse(source)
        if not ast.get_docstring(tree):
            wrong.append(f"{module} has no docstring")
            continue
        code = tree.body[1:]
        if code and not _is_future_import(code[0]):
            wrong.append(f"{module} does not begin with from __future__ import annotations")
    return wrong


def _is_future_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and node.names[0].name == "annotations"


def files_too_long(sources: Sources) -> list[str]:
    return [
        f"{module} has {len(source.splitlines())} lines"
        for module, source in sources.items()
        if len(source.splitlines()) > LINES
    ]


def public_methods_without_docstring(cls: type) -> list[str]:
    """Among the methods that the package defines, wherever in the class's bases."""
    wrong = []
    for name in dir(cls):
        if name.startswith("_"):
            continue
        for base in cls.__mro__:
            if name not in vars(base):
                continue
            member = vars(base)[name]
            documented = member.fget if isinstance(member, property) else member
            if (callable(documented) and not isinstance(documented, type)) and not (documented.__doc__ or "").strip():
                wrong.append(f"{base.__name__}.{name} has no docstring")
            break
    return wrong


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=500
    )
    return set(result.stdout.split())


def loaded_alone(statement: str) -> set[str]:
    """The modules that a statement has loaded, in an interpreter that loads nothing at its start but what it must."""
    program = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{statement}\nprint('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True, timeout=500
    )
    return set(result.stdout.split())


# -- the package keeps the rules

SOURCES = package_sources()


def test_every_module_has_its_room() -> None:
    assert {"_connection.gateway", "_commands.fetch", "_parsing.fetch.parser"} <= set(SOURCES)
    assert modules_outside_the_table(SOURCES) == []
    assert {room_of(module) for module in SOURCES} == set(RANKS)


def test_imports_point_down() -> None:
    assert imports_that_point_up(SOURCES) == []


def test_no_two_rooms_import_each_other() -> None:
    assert rooms_that_import_each_other(SOURCES) == []


def test_imports_have_an_order() -> None:
    assert cycles(SOURCES) == []


def test_contributing_shows_the_same_rooms() -> None:
    text = (ROOT / "CONTRIBUTING.rst").read_text("utf-8")
    shown = [tuple(re.split(r"  +", line, maxsplit=1)) for line in text.splitlines() if "  " in line.strip()]
    assert [pair for pair in shown if pair[0] in RANKS] == [(room.name, room.holds) for room in ROOMS]


def test_imaplib_is_known_to_the_connection_alone() -> None:
    import imaplib

    private = private_names_of(imaplib.IMAP4, imaplib.IMAP4_SSL, imaplib.IMAP4_stream)
    assert {"_new_tag", "_connect", "_command", "_get_line", "_cmd_log_len"} <= private
    assert uses_of_imaplib(SOURCES) == []
    assert uses_of_private_names(SOURCES, private) == []


def test_families_hold_no_grammar() -> None:
    assert faults_of_families(SOURCES) == []


def test_parsing_and_arguments_do_no_io() -> None:
    assert faults_of_sans_io(SOURCES) == []


def test_parsing_and_arguments_work_without_sockets_threads_and_imaplib() -> None:
    """In an interpreter that can't import them, each module loads, and the parser reads its fixture cases."""
    program = [sys.executable, "-m", "tests.helpers.without_io"]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, "")
    modules, cases = map(int, re.findall(r"\d+", result.stdout))
    expected = [module for module in SOURCES if room_of(module) in ("_parsing", "_arguments")]
    assert modules == len(expected)
    assert cases > 350


def test_only_waiting_waits() -> None:
    assert "_wire.waiting" in SOURCES
    assert set(MAY_WAIT) <= set(RANKS)
    assert waits_of_its_own(SOURCES) == []


def test_faces_and_doors_hold_no_code() -> None:
    assert {"tls", "response_types"} <= set(FACES)
    assert faults_of_faces(SOURCES) == []


def test_modules_begin_alike() -> None:
    assert faults_of_the_head(SOURCES) == []


def test_no_file_is_too_long() -> None:
    assert files_too_long(SOURCES) == []


def test_public_methods_are_documented() -> None:
    assert "fetch" in dir(IMAPClient)
    assert public_methods_without_docstring(IMAPClient) == []


def test_import_is_light() -> None:
    loaded = loaded_by("import imapclient")
    assert "imapclient.imapclient" in loaded
    assert not loaded & {"asyncio", "IPython", "keyring", "ptpython", "pymap", "scramp", "trustme", "pytest"}


def test_import_loads_no_more_than_imaplib_and_typing() -> None:
    """Each other module of the standard library takes milliseconds. What only some programs need is loaded later."""
    loaded = loaded_alone("import imapclient")
    own = {name for name in loaded if name.split(".")[0] == PACKAGE}
    assert loaded - own - loaded_alone("import imaplib") <= {
        "__future__",
        *("typing", "_typing", "typing.io", "typing.re"),
    }


def test_import_loads_what_every_program_needs() -> None:
    """Not the parts of an open connection, the parser, or what only some commands need."""
    loaded = loaded_alone("import imapclient")
    later = ("_auth", "_arguments.criteria", "_connection.exchange", "_parsing.lexer", "_parsing.mail", "datetime_util")
    assert {"imapclient.imapclient", "imapclient._commands.fetch"} <= loaded
    assert not loaded & {f"imapclient.{name}" for name in later}


# -- and the checks can fail


def test_a_module_outside_the_table_is_found() -> None:
    assert modules_outside_the_table({"util": "", "_commands.anything": ""}) == []
    assert modules_outside_the_table({"helper": "", "other.reader": ""}) == [
        "helper has no room",
        "other.reader has no room",
    ]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("util", "from ._connection.gateway import IMAP4"),
        ("util", "from ._connection import gateway"),
        ("util", "import imapclient._connection.gateway"),
        ("util", "from imapclient._connection.gateway import IMAP4"),
        ("util", "def f():\n    from ._connection.gateway import IMAP4"),
        ("util", "if TYPE_CHECKING:\n    from ._connection.gateway import IMAP4"),
        ("util", "from . import IMAPClient"),
        ("util", "from .missing import thing"),
        ("_commands.fetch", "from ..imapclient import IMAPClient"),
        ("_commands.fetch", "from .flags import FlagsMixin"),
        ("_commands.fetch", "from .._commands import flags"),
        ("_commands.fetch", "from ..response_types import Envelope"),
        ("_parsing.lexer", "from .._arguments.strings import Argument"),
        ("_arguments.strings", "from .._parsing.lexer import tokens"),
        ("_wire.sockets", "from ..util import Text"),
        ("livetest.plugin", "from .._parsing.lexer import tokens"),
        ("__init__", "from .config import create_client"),
        ("__init__", "from . import config"),
    ],
)
def test_an_import_upwards_is_found(module: str, source: str) -> None:
    names = (
        *("util", "_parsing.lexer", "_arguments.strings", "_wire.sockets", "_connection.gateway", "_commands"),
        *("_commands.flags", "response_types", "imapclient", "__init__", "config"),
    )
    wrong = imports_that_point_up({**dict.fromkeys(names, ""), module: source})
    assert len(wrong) == 1, wrong
    assert wrong[0].startswith(f"{module}:")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_connection.gateway", "from .reader import Reader\nfrom . import reader"),
        (
            "_commands.fetch",
            "from .base.command_base import CommandBase\nfrom .._parsing.records import Record\nimport ssl",
        ),
        ("_connection.exchange", "from .._parsing.records import Record"),
        ("__init__", "from .imapclient import IMAPClient\nfrom . import tls"),
        ("imapclient", "from ._commands.fetch import FetchMixin\nfrom .response_types import Quota"),
        ("livetest.plugin", "from ..config import Settings\nfrom .fixtures import client"),
    ],
)
def test_an_import_downwards_is_none_of_them(module: str, source: str) -> None:
    names = (
        *("_parsing.records", "_connection.reader", "_commands.base.command_base", "_commands.fetch", "response_types"),
        *("imapclient", "tls", "config", "livetest.fixtures"),
    )
    modules = dict.fromkeys(names, "")
    assert imports_that_point_up({**modules, module: source}) == []


def test_a_cycle_of_files_is_found() -> None:
    sources = {"_wire.a": "from .b import x", "_wire.b": "from .c import x", "_wire.c": "", "tls": ""}
    assert cycles(sources) == []
    assert cycles({**sources, "_wire.c": "from .a import x"}) == ["_wire.a", "_wire.b", "_wire.c"]


def test_two_rooms_that_import_each_other_are_found() -> None:
    sources = {"_wire.a": "from .._auth.c import x", "_wire.b": "", "_auth.c": "", "_auth.d": ""}
    assert rooms_that_import_each_other(sources) == []
    sources["_auth.d"] = "from .._wire.b import x"
    assert cycles(sources) == []
    assert rooms_that_import_each_other(sources) == ["_auth and _wire"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_wire.sockets", "import imaplib"),
        ("_wire.sockets", "def f():\n    from imaplib import IMAP4"),
        ("exceptions", "import imaplib\nx = imaplib.Int2AP"),
        ("exceptions", "import imaplib\nx = imaplib.IMAP4"),
        ("exceptions", "import imaplib\nx = imaplib"),
        ("exceptions", "from imaplib import IMAP4"),
    ],
)
def test_a_use_of_imaplib_is_found(module: str, source: str) -> None:
    assert len(uses_of_imaplib({module: source})) == 1


def test_the_exception_classes_of_imaplib_are_allowed() -> None:
    source = "import imaplib\na = imaplib.IMAP4.error\nb = imaplib.IMAP4.abort\nc = imaplib.IMAP4.readonly"
    assert uses_of_imaplib({"exceptions": source, "_connection.gateway": "import imaplib\nimaplib.Int2AP(1)"}) == []


def test_a_use_of_a_private_name_is_found() -> None:
    private = frozenset({"_new_tag"})
    wrong = {"_commands.fetch": "tag = self._imap._new_tag()\nlock = self._imap._lock\ntag = connection._new_tag()"}
    assert len(uses_of_private_names(wrong, private)) == 3
    right = {
        "_connection.gateway": "other._new_tag()",
        "_commands.fetch": "self._imap.execute(self._folder(x)._own, self._imap.__dict__)",
    }
    assert uses_of_private_names(right, private) == []


@pytest.mark.parametrize(
    "source",
    [
        "import re",
        "import socket",
        "from socket import timeout",
        "import imaplib",
        "x = line[3:]",
        "x = response.text[:5]",
        "x = text.index(b'[')",
        "x = text.partition(b' ')",
    ],
)
def test_grammar_in_a_family_is_found(source: str) -> None:
    assert len(faults_of_families({"_commands.fetch": source})) == 1
    assert faults_of_families({"_connection.reader": source}) == []


def test_plain_code_in_a_family_is_none_of_it() -> None:
    assert (
        faults_of_families({"_commands.fetch": "import ssl\nx = replies[-1].text\ny = parts[:index]\nd = items[b'A']"})
        == []
    )


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import ssl",
        "from os import path",
        "import os.path",
        "import threading",
        "open('x')",
        "print(1)",
    ],
)
def test_io_in_the_parser_is_found(source: str) -> None:
    assert len(faults_of_sans_io({"_parsing.folders": source})) == 1
    assert faults_of_sans_io({"_wire.sockets": source}) == []


@pytest.mark.parametrize(
    "source",
    [
        "import threading",
        "from threading import Lock",
        "import selectors",
        "def f():\n    import select",
        "if TYPE_CHECKING:\n    import threading",
        "from concurrent.futures import ThreadPoolExecutor",
        "from time import monotonic",
        "from time import *",
        "import time\ntime.sleep(1)",
        "import time\nclock = time.monotonic",
    ],
)
def test_a_wait_of_its_own_is_found(source: str) -> None:
    assert len(waits_of_its_own({"_commands.idle": source})) == 1
    assert waits_of_its_own({"_wire.waiting": source, "_testing.server": source, "livetest.fixtures": source}) == []


def test_dates_are_no_wait() -> None:
    source = "import time\nzone = time.timezone\nparts = time.localtime(0)\nnow = waiting.now()\nd = when.time()"
    assert waits_of_its_own({"datetime_util": source}) == []


@pytest.mark.parametrize("source", ["x = 1", "def f(): ...", "if True:\n    import os", "print()", "import os\n'text'"])
def test_code_in_a_face_is_found(source: str) -> None:
    head = '"""Doc."""\nfrom __future__ import annotations\nfrom ._wire.a import b\n__all__ = ["b"]\n'
    assert faults_of_faces({"tls": head, "util": source, "_wire": '"""Doc."""', "_wire.sockets": source}) == []
    assert len(faults_of_faces({"tls": head + source})) == 1


def test_code_in_a_door_is_found() -> None:
    assert faults_of_faces({"_wire": '"""Doc."""\nfrom .sockets import wrap_socket', "_wire.sockets": ""}) == [
        "_wire:2 is more than it may be: from .sockets import wrap_socket"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import os",
        "from __future__ import annotations",
        '"""Doc."""\nimport os',
        '"""Doc."""\nfrom __future__ import division',
    ],
)
def test_a_wrong_head_is_found(source: str) -> None:
    assert len(faults_of_the_head({"util": source})) == 1


@pytest.mark.parametrize("source", ['"""Doc."""', '"""Doc."""\nfrom __future__ import annotations\nimport os'])
def test_a_right_head_is_none(source: str) -> None:
    assert faults_of_the_head({"util": source}) == []


def test_a_long_file_is_found() -> None:
    assert files_too_long({"util": "x = 1\n" * LINES}) == []
    assert files_too_long({"util": "x = 1\n" * (LINES + 1)}) == ["util has 601 lines"]


def test_a_method_without_docstring_is_found() -> None:
    class Base:
        def inherited(self) -> None: ...

        def overridden(self) -> None: ...

    class Client(Base):
        Error = ValueError

        def good(self) -> None:
            """Good."""

        def overridden(self) -> None:
            """Good."""

        def _private(self) -> None: ...

        @property
        def bad_property(self) -> int:
            return 1

    assert public_methods_without_docstring(Client) == [
        "Client.bad_property has no docstring",
        "Base.inherited has no docstring",
    ]


def test_a_heavy_import_is_found() -> None:
    assert "asyncio" in loaded_by("import asyncio")
    assert "inspect" in loaded_alone("import dataclasses") - loaded_alone("import imaplib")
