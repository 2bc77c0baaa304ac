"""The package's structure, proved on its syntax trees: who may import whom, and what a module may hold.

Each check is a function from sources to a list of complaints. The first half runs the checks on the
package and expects none; the second half gives each check small made-up sources that break its rule.
"""

from __future__ import annotations

import ast
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

_LAYERS: tuple[tuple[str, ...], ...] = (
    ("version", "constants", "fixed_offset", "exceptions"),
    (
        "util",
        "datetime_util",
        "header_text",
        "garbage",
        "imap_utf7",
        "memory",
        "sockets",
        "compression",
        "reader",
        "redaction",
        "protocol_log",
    ),
    (
        "response_types",
        "envelope",
        "body_structure",
        "response_lexer",
        "arguments",
        "sequence_set",
        "sasl",
        "sasl_exchange",
        "events",
        "fetch_result",
        "fetch_chunks",
        "message_source",
        "transfer_decoding",
    ),
    (
        "response_parser",
        "fetch_batch",
        "fetch_parser",
        "fetch_plan",
        "fetch_sections",
        "lenient_fetch",
        "search_parser",
        "folder_parser",
        "response_codes",
        "exchange",
        "replies",
        "append_message",
        "folder_tracker",
    ),
    ("imap4", "imap4_capabilities", "imap4_idle", "imap4_send"),
    ("tls", "commands", "commands.base", "folder_watch"),
    ("commands.*",),
    ("imapclient",),
    ("__init__", "testable_imapclient"),
    (
        "config",
        "config_options",
        "oauth2",
        "password_sources",
        "connection_errors",
        "embedded_server",
        "embedded_pymap",
        "sample_mailbox",
    ),
    ("interact", "interactive_shells", "livetest", "livetest.*", "pytest_plugin"),
)
LAYERS = {module: number for number, modules in enumerate(_LAYERS) for module in modules}

SANS_IO = (
    "append_message",
    "arguments",
    "body_structure",
    "envelope",
    "events",
    "fetch_batch",
    "fetch_chunks",
    "fetch_parser",
    "fetch_plan",
    "fetch_result",
    "fetch_sections",
    "folder_parser",
    "folder_tracker",
    "header_text",
    "lenient_fetch",
    "replies",
    "response_codes",
    "response_lexer",
    "response_parser",
    "response_types",
    "sasl",
    "sasl_exchange",
    "search_parser",
    "sequence_set",
    "transfer_decoding",
)
IO_MODULES = ("socket", "ssl", "os", "io", "select", "selectors", "subprocess", "threading", "asyncio", "pathlib")
FACADES = ("__init__", "tls", "commands")
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
    """One imported name: ``from ..reader import Record`` is ``Import('imapclient.reader', 'Record', 7)``."""

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


def layer_of(module: str) -> int | None:
    family = module.partition(".")[0]
    return LAYERS.get(module, LAYERS.get(f"{family}.*") if "." in module else None)


# -- the checks


def modules_outside_the_table(sources: Sources) -> list[str]:
    return [f"{module} has no layer" for module in sources if layer_of(module) is None]


def imports_that_point_up(sources: Sources) -> list[str]:
    """Down, or within the layer; commands/* know no other family."""
    wrong = []
    for module, source in sources.items():
        own = layer_of(module)
        for target, line in own_modules(module, source, sources):
            layer = layer_of(target)
            if own is None or layer is None or target == module:
                wrong.append(f"{module}:{line} imports {target}: no layer")
            elif layer > own:
                wrong.append(f"{module}:{line} (layer {own}) imports {target} (layer {layer})")
            elif _is_family(module) and _is_family(target):
                wrong.append(f"{module}:{line} imports another family, {target}")
    return wrong


def _is_family(module: str) -> bool:
    return module.startswith("commands.") and module != "commands.base"


def cycles(sources: Sources) -> list[str]:
    """Modules of one layer may import each other as long as there is an order among them."""
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
    """Only imap4 imports imaplib; exceptions may, and reads nothing but its three classes."""
    wrong = []
    for module, source in sources.items():
        if module == "imap4":
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

    Nor does anyone but imap4 take any private name from the connection object, ``client._imap``.
    """
    wrong = []
    for module, source in sources.items():
        if module == "imap4":
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
        if not module.startswith("commands."):
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
    for module in SANS_IO:
        source = sources.get(module, "")
        wrong += [
            f"{module}:{imported.line} imports {imported.module}"
            for imported in imports(module, source)
            if top_level(imported) in IO_MODULES or imported.module == f"{PACKAGE}.sockets"
        ]
        wrong += [
            f"{module}:{node.lineno} calls {node.func.id}"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print", "input", "__import__")
        ]
    return wrong


def faults_of_facades(sources: Sources) -> list[str]:
    """A docstring, imports, __all__: nothing else."""
    wrong = []
    for module in FACADES:
        for index, node in enumerate(ast.parse(sources.get(module, "")).body):
            docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            names = isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]
            if not (docstring or names or isinstance(node, (ast.Import, ast.ImportFrom))):
                wrong.append(f"{module}:{node.lineno} is more than imports: {ast.unparse(node)[:60]}")
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


# -- the package keeps the rules

SOURCES = package_sources()


def test_every_module_has_its_layer() -> None:
    assert "imap4" in SOURCES
    assert "commands.base" in SOURCES
    assert modules_outside_the_table(SOURCES) == []


def test_imports_point_down() -> None:
    assert imports_that_point_up(SOURCES) == []


def test_imports_have_an_order() -> None:
    assert cycles(SOURCES) == []


def test_imaplib_is_known_to_imap4_alone() -> None:
    import imaplib

    private = private_names_of(imaplib.IMAP4, imaplib.IMAP4_SSL, imaplib.IMAP4_stream)
    assert {"_new_tag", "_connect", "_command", "_get_line", "_cmd_log_len"} <= private
    assert uses_of_imaplib(SOURCES) == []
    assert uses_of_private_names(SOURCES, private) == []


def test_families_hold_no_grammar() -> None:
    assert faults_of_families(SOURCES) == []


def test_lexer_parser_types_and_arguments_do_no_io() -> None:
    assert set(SANS_IO) <= set(SOURCES)
    assert faults_of_sans_io(SOURCES) == []


def test_facades_hold_imports_only() -> None:
    assert set(FACADES) <= set(SOURCES)
    assert faults_of_facades(SOURCES) == []


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
    # What takes milliseconds, and few programs need.
    seldom = {"email", "hmac", "imapclient.events", "imapclient.folder_watch", "json"}
    # What measures coverage has loaded some before.
    assert not loaded & seldom - loaded_by("pass")


# -- and the checks can fail


def test_a_module_outside_the_table_is_found() -> None:
    assert modules_outside_the_table({"reader": "", "commands.anything": ""}) == []
    assert modules_outside_the_table({"helper": "", "other.reader": ""}) == [
        "helper has no layer",
        "other.reader has no layer",
    ]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("util", "from .imap4 import IMAP4"),
        ("util", "from . import imap4"),
        ("util", "import imapclient.imap4"),
        ("util", "from imapclient.imap4 import IMAP4"),
        ("util", "def f():\n    from .imap4 import IMAP4"),
        ("util", "if TYPE_CHECKING:\n    from .imap4 import IMAP4"),
        ("util", "from . import IMAPClient"),
        ("util", "from .missing import thing"),
        ("commands.fetch", "from ..imapclient import IMAPClient"),
        ("commands.fetch", "from .flags import FlagsMixin"),
        ("commands.fetch", "from ..commands import flags"),
        ("commands.base", "from .fetch import FetchMixin"),
        ("__init__", "from .config import create_client"),
        ("__init__", "from . import config"),
    ],
)
def test_an_import_upwards_is_found(module: str, source: str) -> None:
    modules = dict.fromkeys(
        ("imap4", "imapclient", "__init__", "config", "commands", "commands.base", "commands.flags"), ""
    )
    wrong = imports_that_point_up({**modules, module: source})
    assert len(wrong) == 1, wrong
    assert wrong[0].startswith(f"{module}:")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("imap4", "from .reader import Reader\nfrom . import reader"),
        ("commands.fetch", "from .base import CommandBase\nfrom ..reader import Record\nimport datetime"),
        ("exchange", "from .response_parser import parse_search"),
        ("__init__", "from .imapclient import IMAPClient\nfrom . import tls"),
        ("imapclient", "from .commands.fetch import FetchMixin"),
    ],
)
def test_an_import_downwards_is_none_of_them(module: str, source: str) -> None:
    modules = dict.fromkeys(("reader", "commands.base", "commands.fetch", "response_parser", "imapclient", "tls"), "")
    assert imports_that_point_up({**modules, module: source}) == []


def test_a_cycle_within_a_layer_is_found() -> None:
    sources = {"util": "from .reader import x", "reader": "from .sockets import x", "sockets": "", "tls": ""}
    assert cycles(sources) == []
    assert cycles({**sources, "sockets": "from .util import x"}) == ["reader", "sockets", "util"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("reader", "import imaplib"),
        ("reader", "def f():\n    from imaplib import IMAP4"),
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
    assert uses_of_imaplib({"exceptions": source, "imap4": "import imaplib\nimaplib.Int2AP(1)"}) == []


def test_a_use_of_a_private_name_is_found() -> None:
    private = frozenset({"_new_tag"})
    wrong = {"commands.fetch": "tag = self._imap._new_tag()\nlock = self._imap._lock\ntag = connection._new_tag()"}
    assert len(uses_of_private_names(wrong, private)) == 3
    right = {
        "imap4": "self._new_tag()",
        "commands.fetch": "self._imap.execute(self._folder(x)._own, self._imap.__dict__)",
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
    assert len(faults_of_families({"commands.fetch": source})) == 1
    assert faults_of_families({"reader": source}) == []


def test_plain_code_in_a_family_is_none_of_it() -> None:
    assert (
        faults_of_families({"commands.fetch": "import ssl\nx = replies[-1].text\ny = parts[:index]\nd = items[b'A']"})
        == []
    )


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import ssl",
        "from os import path",
        "import os.path",
        "from .sockets import Deadline",
        "open('x')",
        "print(1)",
    ],
)
def test_io_in_the_parser_is_found(source: str) -> None:
    assert len(faults_of_sans_io({"response_parser": source})) == 1
    assert faults_of_sans_io({"sockets": source}) == []


@pytest.mark.parametrize("source", ["x = 1", "def f(): ...", "if True:\n    import os", "print()", "import os\n'text'"])
def test_code_in_a_facade_is_found(source: str) -> None:
    head = '"""Doc."""\nfrom __future__ import annotations\nfrom .imap4 import IMAP4\n__all__ = ["IMAP4"]\n'
    assert faults_of_facades({"tls": head, "imap4": source}) == []
    assert len(faults_of_facades({"tls": head + source})) == 1


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
