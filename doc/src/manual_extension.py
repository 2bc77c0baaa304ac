"""Extends Sphinx for the manual: tables that come from the code, and short names.

``option-table``
    The options of a configuration file, from `imapclient._accounts.options`.

``family-table:: search``
    The client's methods of a family, from `imapclient._commands.search`, each with the first sentence of its docstring
    and a link to the rest. The family ``watch`` is in `imapclient._watching`.

A name such as ``NewMessage`` or ``IMAPClient.search`` links to the one documented object whose full name
ends like that.
"""

from __future__ import annotations

import importlib
from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.ext.autosummary import Autosummary
from sphinx.util.docutils import SphinxDirective

from imapclient._accounts.options import OPTIONS


class OptionTable(SphinxDirective):
    """A row for each option: name, type, default, meaning."""

    def run(self) -> list[nodes.Node]:
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 25 10 10 55", ""]
        lines += ["   * - Option", "     - Type", "     - Default", "     - Meaning"]
        for option in OPTIONS:
            default = "" if option.default is None else str(option.default).lower()
            cells = [f"``{option.name}``", option.type.shown, default, option.meaning]
            lines += [f"   {'* -' if cell is cells[0] else '  -'} {cell}" for cell in cells]
        container = nodes.Element()
        self.state.nested_parse(
            StringList(lines, source="imapclient/_accounts/options.py"), self.content_offset, container
        )
        return container.children


class FamilyTable(Autosummary):
    """A row for each public method of the family's mixin, in the order of the code."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        family = self.arguments[0]
        room = "_watching" if family == "watch" else "_commands"
        module = importlib.import_module(f"imapclient.{room}.{family}")
        (mixin,) = (value for name, value in vars(module).items() if name.endswith("Mixin"))
        names = [name for name, value in vars(mixin).items() if not name.startswith("_") and callable(value)]
        self.content = StringList(names, source=module.__name__)
        # The context of the methods, in which their docstrings name each other.
        context = {"py:module": "imapclient", "py:class": "IMAPClient"}
        before = dict(self.env.ref_context)
        self.env.ref_context.update(context)
        try:
            return super().run()
        finally:
            self.env.ref_context.clear()
            self.env.ref_context.update(before)


def find_by_its_end(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """A link for a name that is not a full one."""
    domain = env.domains["py"]
    if node.get("refdomain") != "py" or not isinstance(domain, PythonDomain):
        return None
    found = [name for name in domain.objects if name.endswith(f".{node['reftarget']}")]
    if len(found) != 1:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, content)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("missing-reference", find_by_its_end)
    app.add_directive("option-table", OptionTable)
    app.add_directive("family-table", FamilyTable)
    return {"parallel_read_safe": True}
