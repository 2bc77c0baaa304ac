"""A time zone with one offset from UTC that never changes, such as the one in an INTERNALDATE."""

from __future__ import annotations

import datetime
import time

ZERO = datetime.timedelta(0)

_MINUTES_OF_A_DAY = 24 * 60


class FixedOffset(datetime.tzinfo):
    """A time zone ``minutes`` east of UTC; west is negative.

    ``FixedOffset(-210).tzname(None)`` is ``"-0330"``. Two zones with the same offset are equal.
    Raises ValueError for 24 hours and more, which `datetime` cannot compute with.
    """

    def __init__(self, minutes: float) -> None:
        if not -_MINUTES_OF_A_DAY < minutes < _MINUTES_OF_A_DAY:
            raise ValueError(f"an offset is less than 24 hours (1440 minutes) from UTC, not {minutes!r} minutes")
        self._minutes = minutes
        self._offset = datetime.timedelta(minutes=minutes)
        hours, rest = divmod(int(abs(minutes)), 60)
        self._name = f"{'-' if minutes < 0 else '+'}{hours:02d}{rest:02d}"

    # The arguments keep IMAPClient's name, one underscore: `datetime` passes them by position.
    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        """Return the offset, such as ``timedelta(minutes=-210)``."""
        return self._offset

    def tzname(self, _: datetime.datetime | None) -> str:
        """Return the offset as IMAP writes it, such as ``"+0100"``; seconds are left out."""
        return self._name

    def dst(self, _: datetime.datetime | None) -> datetime.timedelta:
        """Return ``timedelta(0)``: the offset is the same in summer and in winter."""
        return ZERO

    @classmethod
    def for_system(cls) -> FixedOffset:
        """Return the offset in force on this system now, daylight saving time included.

        It is wrong for other times of the year where the system's zone has daylight saving time.
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

    # tzinfo's own pickling support calls the class without arguments.
    def __reduce__(self) -> tuple[type[FixedOffset], tuple[float]]:
        return type(self), (self._minutes,)
