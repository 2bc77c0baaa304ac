"""The version of the package, in one place; setup.py runs this file by itself."""

from __future__ import annotations

# (major, minor, micro, release level, serial): the level is "dev", "alpha", "beta", "candidate"
# or "final", as in sys.version_info.
version_info = (5, 0, 0, "dev", 0)

__version__ = "5.0.0.dev0"
