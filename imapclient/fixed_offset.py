"""A time zone with a constant offset from UTC, such as the zone of an INTERNALDATE."""

from __future__ import annotations

import datetime
import time

ZERO = datetime.timedelta(0)

_MINUTES_OF_A_DAY = 24 * 60


class FixedOffset(datetime.tzinfo):
    """A time zone whose offset from UTC is constant: ``minutes`` east of UTC, or west if negative.

    ``FixedOffset(-210).tzname(None)`` is ``"-0330"``. Two zones with the same offset are equal.
    Raises ValueError for 24 hours or more, which `datetime` does not support.
    """

    def __init__(self, minutes: float) -> None:
        if not -_MINUTES_OF_A_DAY < minutes < _MINUTES_OF_A_DAY:
            raise ValueError(f"an offset must be less than 24 hours (1440 minutes) from UTC, not {minutes!r} minutes")
        self._minutes = minutes
        self._offset = datetime.timedelta(minutes=minutes)
        hours, rest = divmod(int(abs(minutes)), 60)
        self._name = f"{'-' if minutes < 0 else '+'}{hours:02d}{rest:02d}"

    # IMAPClient names the arguments `_`. `datetime` passes them by position.
    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        """Return the offset, such as ``timedelta(minutes=-210)``."""
        return self._offset

    def tzname(self, _: datetime.datetime | None) -> str:
        """Return the offset in the form of IMAP, such as ``"+0100"``, without its seconds."""
        return self._name

    def dst(self, _: datetime.datetime | None) -> datetime.timedelta:
        """Return ``timedelta(0)``: the zone has no daylight saving time."""
        return ZERO

    @classmethod
    def for_system(cls) -> FixedOffset:
        """Return a zone with the current offset of the system's zone, including daylight saving time.

        If the system's zone has daylight saving time, the offset is wrong for other parts of the year.
        """
        return cls(time.localtime().tm_gmtoff / 60)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FixedOffset):
            return NotImplemented
        return self._offset == other._offset

    def __hash__(self) -> int:
        return hash(self._offset)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._minutes!r})"

    # tzinfo's own support for pickle calls the class without arguments.
    def __reduce__(self) -> tuple[type[FixedOffset], tuple[float]]:
        return type(self), (self._minutes,)
