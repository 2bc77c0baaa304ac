"""The system's time zone, for a test."""

from __future__ import annotations

from typing import Callable

SystemZone = Callable[[str], None]
"""The fixture ``system_zone``: sets the zone of this process by a POSIX rule, until the end of the test."""
