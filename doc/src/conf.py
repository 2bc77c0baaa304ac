"""Sphinx's settings: `sphinx-build -W doc/src out`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from imapclient.version import __version__

project = "imapclient"
copyright = "The imapclient developers"
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "manual_extension"]
# A name in single backticks, as docstrings have it, links to what has this name.
default_role = "py:obj"
highlight_language = "none"

html_theme = "alabaster"
html_theme_options = {"description": "An IMAP client library for Python", "fixed_sidebar": True}

# All names must lead somewhere, but those of the standard library, for whose manual there would have to be a network,
# and a type variable in a signature.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(argparse|collections\.abc|datetime|email|imaplib|socket|ssl|unittest)(\..*)?"),
    ("py:class", "_Reply"),
]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
