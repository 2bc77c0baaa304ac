from __future__ import annotations

import contextlib
import datetime
import email.utils
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imapclient import datetime_util
from imapclient.datetime_util import (
    datetime_to_INTERNALDATE,
    datetime_to_native,
    format_criteria_date,
    parse_to_datetime,
)
from imapclient.fixed_offset import FixedOffset
from tests.helpers.zones import SystemZone

# POSIX rules: they need no zone files. Central Europe changes at 01:00 UTC on the last Sundays of
# March and October.
CENTRAL_EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"
NEWFOUNDLAND = "NST3:30NDT,M3.2.0,M11.1.0"
INDIA = "IST-5:30"
# An offset with seconds, as in the days of local mean time.
BERLIN_MEAN_TIME = "LMT-0:53:28"


@pytest.fixture
def blind_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library that can't convert any time, as Windows can't before 1970."""

    def fail(_: float) -> Any:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(datetime_util, "_from_timestamp", fail)


def at(*fields: int, minutes: float = 0) -> datetime.datetime:
    year, month, day, hour, minute, second = fields
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=FixedOffset(minutes))


def same(one: datetime.datetime, other: datetime.datetime) -> bool:
    """Whether fields and offset are equal. == only compares the moments."""
    return one.replace(tzinfo=None) == other.replace(tzinfo=None) and (one.utcoffset() == other.utcoffset())


READABLE = {
    b"17-Jul-1996 02:44:25 -0700": at(1996, 7, 17, 2, 44, 25, minutes=-420),
    b" 1-Feb-2020 10:11:12 +0100": at(2020, 2, 1, 10, 11, 12, minutes=60),
    b"1-Feb-2020 10:11:12 +0100": at(2020, 2, 1, 10, 11, 12, minutes=60),
    b"01-feb-2020 10:11:12 -0330": at(2020, 2, 1, 10, 11, 12, minutes=-210),
    b"01-FEB-2020 10:11:12 -0030": at(2020, 2, 1, 10, 11, 12, minutes=-30),
    b"01-Feb-2020 10:11:12 -0000": at(2020, 2, 1, 10, 11, 12),
    b"31-Dec-9999 23:59:59 -0100": at(9999, 12, 31, 23, 59, 59, minutes=-60),
    b"01-Jan-0100 00:00:00 +0000": at(100, 1, 1, 0, 0, 0),
    # Near misses of INTERNALDATE.
    b"  1-Feb-2020 10:11:12 +0100": at(2020, 2, 1, 10, 11, 12, minutes=60),
    b"01-Feb-2020 10:11:12 +0100 ": at(2020, 2, 1, 10, 11, 12, minutes=60),
    b"01-Feb-2020 1:1:1 +0100": at(2020, 2, 1, 1, 1, 1, minutes=60),
    b"01-Feb-20 10:11:12 +0100": at(2020, 2, 1, 10, 11, 12, minutes=60),
    b"01-Feb-0001 00:11:12 +0100": at(2001, 2, 1, 0, 11, 12, minutes=60),
    b"01-Feb-0099 10:11:12 +0100": at(1999, 2, 1, 10, 11, 12, minutes=60),
    # RFC 5322.
    b"Sat, 8 May 2010 16:03:09 +0200": at(2010, 5, 8, 16, 3, 9, minutes=120),
    b"Sat, 8 May 2010 16:03:09 +0200 (CEST)": at(2010, 5, 8, 16, 3, 9, minutes=120),
    b"Sat, 8 May 2010 16:03:09 +0200 (Mitteleurop\xe4ische Zeit)": at(2010, 5, 8, 16, 3, 9, minutes=120),
    b"8 May 2010 16:03 GMT": at(2010, 5, 8, 16, 3, 0),
    b"8 May 10 16:03 EST": at(2010, 5, 8, 16, 3, 0, minutes=-300),
    b"Sat, 8 May 2010 16:03:09 -0000": at(2010, 5, 8, 16, 3, 9),
    b"Sat, 8 May 2010 16:03:09": at(2010, 5, 8, 16, 3, 9),
    b"Sat, 8 May 2010 16:03:09 XYZ": at(2010, 5, 8, 16, 3, 9),
    # Dots in the time, which some mailers write.
    b"Sat, 8 May 2010 16.03.09 +0200": at(2010, 5, 8, 16, 3, 9, minutes=120),
    b"01-Feb-2020 10.11.12 +0100": at(2020, 2, 1, 10, 11, 12, minutes=60),
    # Leap seconds.
    b"31-Dec-2016 23:59:60 +0000": at(2016, 12, 31, 23, 59, 59),
    b"Sat, 31 Dec 2016 23:59:60 +0000": at(2016, 12, 31, 23, 59, 59),
}

UNREADABLE = [
    b"",
    b" ",
    b"-",
    b"junk",
    b"\xff",
    b"\0",
    b"8 May 2010",
    b"01-FEB-2020 10:11:12",
    b'"01-Feb-2020 10:11:12 +0100"',
    b"01-Foo-2020 10:11:12 +0100",
    b"00-Feb-2020 10:11:12 +0100",
    b"30-Feb-2020 10:11:12 +0100",
    b"99-Feb-2020 10:11:12 +0100",
    b"01-Feb-2020 24:00:00 +0100",
    b"01-Feb-2020 23:60:00 +0100",
    b"01-Feb-2020 23:59:61 +0100",
    b"01-Feb-2020 10:11:12 +9999",
    b"Sat, 8 May 2010 16:03:09 +2460",
    b"Sat, 8 May 2010 16:03:09.123 +0200",
    b"Sat, 8 May 99999999999999999999 16:03:09 +0200",
    b"1 Jan 2000 99999999999999999999:00:00 +0000",
]


@pytest.mark.parametrize("timestamp", READABLE)
def test_parse_keeps_the_offset(timestamp: bytes) -> None:
    parsed = parse_to_datetime(timestamp, normalise=False)
    assert same(parsed, READABLE[timestamp])
    assert isinstance(parsed.tzinfo, FixedOffset)


@pytest.mark.parametrize("timestamp", READABLE)
def test_parse_to_local_time(timestamp: bytes, system_zone: SystemZone) -> None:
    system_zone("UTC0")
    if timestamp.startswith(b"31-Dec-9999"):
        with pytest.raises(ValueError, match="outside the years"):
            parse_to_datetime(timestamp)
        return
    expected = READABLE[timestamp].astimezone(datetime.timezone.utc).replace(tzinfo=None)
    parsed = parse_to_datetime(timestamp)
    assert parsed.tzinfo is None
    assert parsed == expected


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("timestamp", UNREADABLE)
def test_parse_error_has_the_bytes(timestamp: bytes, normalise: bool) -> None:
    with pytest.raises(ValueError, match="not a valid date") as caught:
        parse_to_datetime(timestamp, normalise)
    assert repr(timestamp) in str(caught.value)


def test_the_end_of_a_date_is_remembered_for_dates_of_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comment of a header's date must not become valid in an INTERNALDATE."""
    ends = datetime_util._Ends(), datetime_util._Ends()
    monkeypatch.setattr(datetime_util, "_known_ends", ends)
    monkeypatch.setattr(datetime_util, "_known_days", datetime_util._Days())
    datetime_util._month.cache_clear()
    for text in (b"17-Jul-1996 02:44:25 -0700", b"18-Jul-1996 03:11:59 -0700"):
        parse_to_datetime(text)
    parse_to_datetime(b"Wed, 17 Jul 1996 02:44:26 -0700 (PDT)")
    assert [list(found.zones) for found in ends] == [[b" -0700 (PDT)"], [b" -0700"]]
    datetime_util._month.cache_clear()
    with pytest.raises(ValueError, match="not a valid date"):
        parse_to_datetime(b"17-Jul-1996 02:44:26 -0700 (PDT")


def test_parse_error_does_not_flood_a_log() -> None:
    with pytest.raises(ValueError, match="not a valid date") as caught:
        parse_to_datetime(b"17-Jul-1996" * 10_000)
    assert len(str(caught.value)) < 200


@given(st.binary(max_size=40) | st.text("0123456789-: +JanFeb.,()\xe9\xb2", max_size=40))
def test_parse_is_total(data: bytes | str) -> None:
    timestamp = data if isinstance(data, bytes) else data.encode("latin-1")
    with contextlib.suppress(ValueError):
        assert parse_to_datetime(timestamp, normalise=False).utcoffset() is not None


AWARE = st.datetimes(
    min_value=datetime.datetime(100, 1, 2),
    timezones=st.builds(FixedOffset, st.integers(-1439, 1439)),
).map(lambda moment: moment.replace(microsecond=0))


@given(AWARE)
def test_internaldate_round_trip(moment: datetime.datetime) -> None:
    text = datetime_to_INTERNALDATE(moment)
    assert same(parse_to_datetime(text.encode("ascii"), normalise=False), moment)


@given(AWARE)
def test_rfc5322_round_trip(moment: datetime.datetime) -> None:
    # email.utils writes the year of a date before 1000 in less than four digits.
    assume(moment.year >= 1000)
    text = email.utils.format_datetime(moment)
    assert same(parse_to_datetime(text.encode("ascii"), normalise=False), moment)


@given(
    st.datetimes(datetime.datetime(100, 1, 3), datetime.datetime(9999, 12, 29)),
    st.integers(0, 1),
)
def test_local_time_round_trip(local: datetime.datetime, fold: int) -> None:
    """In every zone, local time is encoded with its offset and decoded to the same time."""
    local = local.replace(microsecond=0, fold=fold)
    moment = local.astimezone()
    assume(moment.replace(tzinfo=None) == local)  # A time that the zone skips.
    text = datetime_to_INTERNALDATE(local)
    assert abs(parse_to_datetime(text.encode("ascii"), normalise=False) - moment) < (datetime.timedelta(seconds=1))
    assert parse_to_datetime(text.encode("ascii")) == local
    assert datetime_to_native(moment) == local


@pytest.mark.parametrize(
    ("zone", "timestamp", "expected"),
    [
        (CENTRAL_EUROPE, b"17-Jul-1996 02:44:25 -0700", datetime.datetime(1996, 7, 17, 11, 44, 25)),
        (CENTRAL_EUROPE, b"17-Jan-1996 02:44:25 -0700", datetime.datetime(1996, 1, 17, 10, 44, 25)),
        (NEWFOUNDLAND, b"01-Jul-2020 12:00:00 +0000", datetime.datetime(2020, 7, 1, 9, 30)),
        (NEWFOUNDLAND, b"01-Jan-2020 12:00:00 +0000", datetime.datetime(2020, 1, 1, 8, 30)),
        (INDIA, b"31-Dec-2020 20:00:00 +0000", datetime.datetime(2021, 1, 1, 1, 30)),
        (BERLIN_MEAN_TIME, b"01-Jan-1850 00:00:00 +0000", datetime.datetime(1850, 1, 1, 0, 53, 28)),
    ],
)
def test_local_time_has_the_offset_of_its_own_day(
    system_zone: SystemZone, zone: str, timestamp: bytes, expected: datetime.datetime
) -> None:
    system_zone(zone)
    assert parse_to_datetime(timestamp) == expected
    assert datetime_to_native(parse_to_datetime(timestamp, normalise=False)) == expected


def test_hours_at_the_end_of_daylight_saving_time(system_zone: SystemZone) -> None:
    system_zone(CENTRAL_EUROPE)
    first = parse_to_datetime(b"25-Oct-2020 00:30:00 +0000")
    second = parse_to_datetime(b"25-Oct-2020 01:30:00 +0000")
    assert first == second == datetime.datetime(2020, 10, 25, 2, 30)
    assert (first.fold, second.fold) == (0, 1)
    assert datetime_to_INTERNALDATE(first) == "25-Oct-2020 02:30:00 +0200"
    assert datetime_to_INTERNALDATE(second) == "25-Oct-2020 02:30:00 +0100"


def test_hour_that_daylight_saving_time_skips(system_zone: SystemZone) -> None:
    system_zone(CENTRAL_EUROPE)
    skipped = datetime.datetime(2021, 3, 28, 2, 30)
    text = datetime_to_INTERNALDATE(skipped)
    assert text == "28-Mar-2021 03:30:00 +0200"
    assert parse_to_datetime(text.encode("ascii"), normalise=False) == at(2021, 3, 28, 2, 30, 0, minutes=60)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        (CENTRAL_EUROPE, datetime.datetime(2020, 2, 1, 10, 11, 12), "01-Feb-2020 10:11:12 +0100"),
        (CENTRAL_EUROPE, datetime.datetime(2020, 7, 1, 10, 11, 12), "01-Jul-2020 10:11:12 +0200"),
        (NEWFOUNDLAND, datetime.datetime(2020, 2, 1, 10, 11, 12), "01-Feb-2020 10:11:12 -0330"),
        (NEWFOUNDLAND, datetime.datetime(2020, 7, 1, 10, 11, 12), "01-Jul-2020 10:11:12 -0230"),
        (INDIA, datetime.datetime(9999, 12, 31, 23, 59, 59), "31-Dec-9999 23:59:59 +0530"),
        (INDIA, datetime.datetime(1, 1, 1), "01-Jan-0001 00:00:00 +0530"),
        ("AAA3", datetime.datetime(9999, 12, 31, 23, 59, 59), "31-Dec-9999 23:59:59 -0300"),
        # 00:00:00 at +00:53:28 is 23:59:32 of the day before at +00:53.
        (BERLIN_MEAN_TIME, datetime.datetime(1850, 1, 1), "31-Dec-1849 23:59:32 +0053"),
    ],
)
def test_internaldate_of_local_time(
    system_zone: SystemZone, zone: str, local: datetime.datetime, expected: str
) -> None:
    system_zone(zone)
    assert datetime_to_INTERNALDATE(local) == expected


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (datetime.timedelta(minutes=-210), "01-Feb-2020 10:11:12 -0330"),
        (datetime.timedelta(minutes=-30), "01-Feb-2020 10:11:12 -0030"),
        (datetime.timedelta(0), "01-Feb-2020 10:11:12 +0000"),
        (datetime.timedelta(hours=14), "01-Feb-2020 10:11:12 +1400"),
        (datetime.timedelta(minutes=53, seconds=28), "01-Feb-2020 10:10:44 +0053"),
        (datetime.timedelta(minutes=53, seconds=40), "01-Feb-2020 10:11:32 +0054"),
        (datetime.timedelta(minutes=-90, seconds=-20), "01-Feb-2020 10:11:32 -0130"),
    ],
)
def test_internaldate_of_an_aware_datetime(offset: datetime.timedelta, expected: str) -> None:
    moment = datetime.datetime(2020, 2, 1, 10, 11, 12, 999999, datetime.timezone(offset))
    assert datetime_to_INTERNALDATE(moment) == expected
    parsed = parse_to_datetime(expected.encode("ascii"), normalise=False)
    assert parsed == moment.replace(microsecond=0)


@pytest.mark.parametrize("moment", [datetime.datetime.min, datetime.datetime.max])
def test_internaldate_that_rounding_takes_out_of_the_calendar(moment: datetime.datetime) -> None:
    seconds = 29 if moment == datetime.datetime.min else -29
    zone = datetime.timezone(datetime.timedelta(hours=1, seconds=seconds))
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        datetime_to_INTERNALDATE(moment.replace(tzinfo=zone))


class NoOffset(datetime.tzinfo):
    def utcoffset(self, _: datetime.datetime | None) -> None:
        return None

    def dst(self, _: datetime.datetime | None) -> None:
        return None

    def tzname(self, _: datetime.datetime | None) -> None:
        return None


def test_zone_without_an_offset_is_naive(system_zone: SystemZone) -> None:
    system_zone(CENTRAL_EUROPE)
    moment = datetime.datetime(2020, 7, 1, 10, 11, 12, tzinfo=NoOffset())
    assert datetime_to_INTERNALDATE(moment) == "01-Jul-2020 10:11:12 +0200"
    assert datetime_to_native(moment) == datetime.datetime(2020, 7, 1, 10, 11, 12)
    assert datetime_to_native(moment).tzinfo is None


def test_native(system_zone: SystemZone) -> None:
    system_zone(CENTRAL_EUROPE)
    utc = datetime.timezone.utc
    assert datetime_to_native(datetime.datetime(2020, 7, 1, 12, 0, 0, 123456, utc)) == datetime.datetime(
        2020, 7, 1, 14, 0, 0, 123456
    )
    # A float is not precise to the microsecond in this year.
    assert datetime_to_native(datetime.datetime(9999, 7, 1, 12, 0, 0, 123457, utc)) == datetime.datetime(
        9999, 7, 1, 14, 0, 0, 123457
    )
    naive = datetime.datetime(2020, 7, 1, 12, 0, fold=1)
    assert datetime_to_native(naive) == naive


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("AAA3", datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)),
        (INDIA, datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)),
    ],
)
def test_native_outside_the_years_of_datetime(system_zone: SystemZone, zone: str, moment: datetime.datetime) -> None:
    system_zone(zone)
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        datetime_to_native(moment)


@pytest.mark.usefixtures("blind_platform")
def test_standard_time_where_the_platform_knows_no_better(system_zone: SystemZone) -> None:
    system_zone(CENTRAL_EUROPE)
    assert parse_to_datetime(b"01-Feb-1960 10:11:12 +0000") == datetime.datetime(1960, 2, 1, 11, 11, 12)
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        parse_to_datetime(b"31-Dec-9999 23:30:00 +0000")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (datetime.date(2020, 2, 1), b"01-Feb-2020"),
        (datetime.datetime(2020, 2, 1, 23, 59), b"01-Feb-2020"),
        (at(2020, 2, 1, 23, 59, 0, minutes=-600), b"01-Feb-2020"),
        (datetime.date(9999, 12, 31), b"31-Dec-9999"),
        (datetime.date(50, 7, 1), b"01-Jul-0050"),
    ],
)
def test_criteria_date(date: datetime.date, expected: bytes) -> None:
    assert format_criteria_date(date) == expected


def test_months_are_those_of_the_grammar() -> None:
    months = [format_criteria_date(datetime.date(2020, month, 1))[3:6] for month in range(1, 13)]
    assert b" ".join(months) == b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


@pytest.mark.parametrize("text", [b"-Jul-1996 02:44:25 +0000", b"-", b"- - -", b" ", b""])
def test_what_email_utils_of_python_3_9_stumbles_over(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a valid date"):
        parse_to_datetime(text)
