"""The version of the package. setup.py executes this file without importing the package."""

from __future__ import annotations

# (major, minor, micro, release level, serial), similar to sys.version_info. The level is "dev", "alpha", "beta",
# "candidate" or "final".
version_info = (5, 0, 0, "dev", 0)

__version__ = "5.0.0.dev0"
