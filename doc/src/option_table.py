"""The directive ``option-table``: the options of a configuration file, from `imapclient.config_options`."""

from __future__ import annotations

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from imapclient.config_options import OPTIONS


class OptionTable(SphinxDirective):
    """A row for each option: name, type, default, meaning."""

    def run(self) -> list[nodes.Node]:
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 25 10 10 55", ""]
        lines += ["   * - Option", "     - Type", "     - Default", "     - Meaning"]
        for option in OPTIONS:
            default = "" if option.default is None else str(option.default).lower()
            lines += [
                f"   * - ``{option.name}``",
                f"     - {option.type.shown}",
                f"     - {default}",
                f"     - {option.meaning}",
            ]
        container = nodes.Element()
        self.state.nested_parse(
            StringList(lines, source="imapclient/config_options.py"), self.content_offset, container
        )
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("option-table", OptionTable)
    return {"parallel_read_safe": True}
