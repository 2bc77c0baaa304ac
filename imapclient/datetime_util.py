"""Conversion between the dates of IMAP and `datetime`.

An INTERNALDATE is ``17-Jul-1996 02:44:25 -0700`` (RFC 9051 section 9, ``date-time``). A date in search criteria is
``01-Feb-2020`` (``date``). ENVELOPE contains the Date field of the message (RFC 5322 section 3.3). Month names are
English in every locale.

A naive datetime is local time. Its offset is the offset of the system's zone at that moment, not the current offset.
At the end of daylight saving time, one hour occurs twice; ``fold`` distinguishes the two.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import time

from ._import_time import expression
from .fixed_offset import ZERO, FixedOffset
from .util import shortened

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTH_NUMBERS = {name.lower().encode("ascii"): index for index, name in enumerate(_MONTHS, 1)}

# Fast path for INTERNALDATE, which FETCH may return for each message. Years below 100 and leap seconds take the slow
# path.
_TIME_AND_ZONE = rb"(\d\d):(\d\d):([0-5]\d) ([+-]\d{4})"
_INTERNALDATE = expression(rb" ?(\d\d?)-([A-Za-z]{3})-(?!00)(\d{4}) " + _TIME_AND_ZONE)

# Fast path for the usual form of a Date field: Mon, 7 Feb 1994 21:52:25 -0800 (PST)
_RFC5322 = expression(
    rb"(?:[A-Za-z]{3}, )?(\d\d?) ([A-Za-z]{3}) (?!00)(\d{4}) " + _TIME_AND_ZONE + rb"(?: \([A-Za-z]+\))?"
)

# The errors of the C library for a time that it can't convert. On Windows it is OSError, before 1970 and after 3000.
_UNKNOWN_TO_PLATFORM = (OSError, OverflowError, ValueError)

# A date may contain comments of any length. But a very long text could contain numbers that take hours to parse.
_MAX_LENGTH = 1000

_EPOCH = datetime.datetime(1970, 1, 1)
_from_timestamp = datetime.datetime.fromtimestamp

# Dates of the usual forms are also read without an expression: their parts are looked up. The messages of a mailbox
# have few different days and zones. All numbers are seconds.
_MAX_KEPT = 8192
_MAX_LENGTH_KEPT = 64
_MONTH = expression(rb"([ -])([A-Za-z]{3})\1(?!00)(\d{4})")


class _Ends(dict[bytes, int]):
    """The texts after the minutes, ``b"25 -0800 (PST)"``: the seconds, minus the offset of the zone."""

    def __init__(self) -> None:
        super().__init__()
        # The texts after the seconds, b" -0800 (PST)", of dates that the form's expression matched.
        self.zones: dict[bytes, int] = {}

    def __missing__(self, text: bytes) -> int:
        seconds = _SECONDS[text[:2]] + self.zones[text[2:]]
        if len(self) >= _MAX_KEPT:
            self.clear()
        self[text] = seconds
        return seconds

    def learn(self, zone: bytes, offset: int) -> None:
        """Add a zone: its text, and its offset from UTC."""
        if len(zone) <= _MAX_LENGTH_KEPT:
            if len(self.zones) >= _MAX_KEPT:
                self.zones.clear()
            self.zones[zone] = -offset


class _Days(dict[bytes, "tuple[int, _Ends]"]):
    """The days in either form, ``b"Mon, 7 Feb 1994"``: their start since 1970, and the ends of the form."""

    def __missing__(self, text: bytes) -> tuple[int, _Ends]:
        month_start, days, ends = _month(text[-9:])
        if len(self) >= _MAX_KEPT:
            self.clear()
        self[text] = found = month_start + days[text[:-9]], ends
        return found


# The ends of RFC 5322 dates, and of INTERNALDATEs.
_known_ends = _Ends(), _Ends()
_known_days = _Days()
_HOURS = {b"%02d" % hour: hour * 3600 for hour in range(24)}
_MINUTES = {b"%02d" % minute: minute * 60 for minute in range(60)}
_SECONDS = {b"%02d" % second: second for second in range(60)}


@functools.lru_cache(maxsize=2048)
def _month(text: bytes) -> tuple[int, dict[bytes, int], _Ends]:
    """The start of a month since 1970, the texts of its days, and the ends of the form: for ``b"-Feb-1994"``.

    Raises KeyError or ValueError if the text is not that of a month.
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise KeyError(text)
    separator, name, year = match.groups()
    is_internal = separator == b"-"
    first = datetime.date(int(year), _MONTH_NUMBERS[name.lower()], 1)
    length = calendar.monthrange(first.year, first.month)[1]
    start = (first.toordinal() - _EPOCH.toordinal()) * 86400
    return start, _day_texts(length, is_internal), _known_ends[is_internal]


@functools.lru_cache(maxsize=8)
def _day_texts(length: int, is_internal: bool) -> dict[bytes, int]:
    """The texts in front of a month of that length, ``b"Mon, 7"`` or ``b"17"``."""
    prefixes = (b"", b" ") if is_internal else (b"", *[b"%b, " % day for day in _WEEKDAYS])
    return {
        prefix + number: day * 86400
        for day in range(length)
        for number in (b"%d" % (day + 1), b"%02d" % (day + 1))
        for prefix in prefixes
    }


def parse_to_datetime(timestamp: bytes, normalise: bool = True) -> datetime.datetime:
    """Return the datetime for an INTERNALDATE or an RFC 5322 date.

    In Berlin ``b"17-Jul-1996 02:44:25 -0700"`` becomes ``datetime(1996, 7, 17, 11, 44, 25)``: naive, in local time.
    If ``normalise`` is off, the result is aware, with the offset in the text:
    ``datetime(1996, 7, 17, 2, 44, 25, tzinfo=FixedOffset(-420))``.

    A date without a zone, or with an unknown zone, is UTC. A year below 100 is a year of two digits, as in
    `email.utils`: 0 to 68 means 2000 to 2068, and 69 to 99 means 1969 to 1999. A leap second (``23:59:60``) becomes
    the second before it, because datetime has no leap seconds.

    Raises ValueError if the text is not a date, or if the local time is outside the years 1 to 9999. The error text
    contains the first bytes of the text.
    """
    if normalise and type(timestamp) is bytes:
        try:
            day_and_hour, minute, end = timestamp.split(b":")
            day, _, hour = day_and_hour.rpartition(b" ")
            start, ends = _known_days[day]
            return _from_timestamp(start + _HOURS[hour] + _MINUTES[minute] + ends[end])
        except (KeyError, *_UNKNOWN_TO_PLATFORM):
            pass
    try:
        if len(timestamp) > _MAX_LENGTH:
            raise ValueError(f"longer than {_MAX_LENGTH} bytes")
        internal = _INTERNALDATE.fullmatch(timestamp)
        match = internal or _RFC5322.fullmatch(timestamp)
        if match:
            day, month, year, hour, minute, second, zone = match.groups()
            moment = datetime.datetime(
                int(year),
                _MONTH_NUMBERS.get(month.lower(), 0),
                int(day),
                int(hour),
                int(minute),
                int(second),
            )
            if normalise:
                try:
                    # Calculating with seconds is faster than with an aware datetime. This runs for each message.
                    local = _from_timestamp((moment - _EPOCH).total_seconds() - _offset_seconds(zone))
                    _known_ends[internal is not None].learn(timestamp[match.end(6) :], _offset_seconds(zone))
                    return local
                except _UNKNOWN_TO_PLATFORM:
                    pass
            moment = moment.replace(tzinfo=_zone(zone))
        else:
            moment = _parse_rfc5322(timestamp)
        return _local(moment) if normalise else moment
    except ValueError as error:
        raise ValueError(f"not a valid date: {shortened(timestamp)} ({error})") from None


# The cache saves one object for each message, because a mailbox contains few different zones.
@functools.lru_cache(maxsize=128)
def _zone(zone: bytes) -> FixedOffset:
    """Return the zone for ``b"-0330"``."""
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return FixedOffset(-minutes if zone[:1] == b"-" else minutes)


@functools.lru_cache(maxsize=128)
def _offset_seconds(zone: bytes) -> int:
    return int(_zone(zone).utcoffset(None).total_seconds())


def _parse_rfc5322(timestamp: bytes) -> datetime.datetime:
    """Return the datetime for a date in another form.

    It accepts the obsolete forms of RFC 5322 section 4.3. Some mailers also write dots in the time
    (``Sat, 8 May 2010 16.03.09 +0200``), or 8-bit text in a comment. `email.utils` parses both.
    """
    # Imported late: it is seldom needed, and would take an eighth of the time that this package takes to import.
    from email.utils import parsedate_tz

    text = timestamp.decode("latin-1")
    try:
        fields = parsedate_tz(text)
    except IndexError:
        # email.utils of Python 3.9 raises it for blank text and for "-Jul-1996 02:44:25 +0000".
        fields = None
    if fields is None:
        raise ValueError("neither an INTERNALDATE nor an RFC 5322 date")
    year, month, day, hour, minute, second = fields[:6]
    try:
        return datetime.datetime(
            year,
            month,
            day,
            hour,
            minute,
            59 if second == 60 else second,
            tzinfo=FixedOffset(round((fields[9] or 0) / 60)),
        )
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _local(aware: datetime.datetime) -> datetime.datetime:
    """Return an aware datetime as naive local time.

    Raises ValueError if the local time is outside the years 1 to 9999.
    """
    try:
        # Unlike astimezone(), this sets fold.
        return _from_timestamp(aware.timestamp())
    except _UNKNOWN_TO_PLATFORM:
        pass
    try:
        standard = datetime.timezone(_standard_offset())
        return aware.astimezone(standard).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("the local time is outside the years 1 to 9999") from None


def _aware(local: datetime.datetime) -> datetime.datetime:
    """Return naive local time as an aware datetime, with the offset that the zone has at that moment."""
    try:
        # In the hour that daylight saving time skips, local.astimezone() would return another time.
        return _from_timestamp(local.timestamp(), datetime.timezone.utc).astimezone()
    except _UNKNOWN_TO_PLATFORM:
        return local.replace(tzinfo=datetime.timezone(_standard_offset()))


def _standard_offset() -> datetime.timedelta:
    return datetime.timedelta(seconds=-time.timezone)


def datetime_to_native(dt: datetime.datetime) -> datetime.datetime:
    """Return an aware datetime as naive local time. A naive one is returned unchanged.

    ``datetime(2020, 7, 1, 12, 0, tzinfo=timezone.utc)`` gives ``datetime(2020, 7, 1, 14, 0)`` in
    Berlin. Raises ValueError if the local time is outside the years 1 to 9999.
    """
    if dt.utcoffset() is None:
        return dt.replace(tzinfo=None)
    # A timestamp is a float, which is not precise to the microsecond in distant years.
    return _local(dt.replace(microsecond=0)).replace(microsecond=dt.microsecond)


def datetime_to_INTERNALDATE(dt: datetime.datetime) -> str:
    """Return a datetime as INTERNALDATE, such as ``"01-Feb-2020 10:11:12 +0100"``.

    A naive datetime is local time. If daylight saving time skips this time, the result is the same moment in summer
    time. Microseconds are dropped. An offset in IMAP has no seconds. So the offset is rounded to whole minutes, and the
    time is adjusted to stay the same moment. Raises ValueError if the adjusted time is outside the years 1 to 9999.
    """
    offset = dt.utcoffset()
    if offset is None:
        dt = _aware(dt.replace(tzinfo=None, microsecond=0))
        offset = dt.utcoffset() or ZERO
    # Rounding must not reach 24 hours.
    minutes = max(-1439, min(1439, round(offset / datetime.timedelta(minutes=1))))
    try:
        local = dt.replace(tzinfo=None) + (datetime.timedelta(minutes=minutes) - offset)
    except OverflowError:
        raise ValueError("the time is outside the years 1 to 9999 after rounding its offset to whole minutes") from None
    hours, rest = divmod(abs(minutes), 60)
    return (
        f"{_date(local)} {local.hour:02d}:{local.minute:02d}:{local.second:02d} "
        f"{'-' if minutes < 0 else '+'}{hours:02d}{rest:02d}"
    )


def format_criteria_date(dt: datetime.datetime | datetime.date) -> bytes:
    """Return a date for search criteria, such as ``b"01-Feb-2020"``.

    The time and the zone of a datetime are dropped and not converted, because servers compare dates without them.
    """
    return _date(dt).encode("ascii")


def _date(date: datetime.date) -> str:
    return f"{date.day:02d}-{_MONTHS[date.month - 1]}-{date.year:04d}"
