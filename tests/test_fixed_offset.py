from __future__ import annotations

import copy
import datetime
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient.fixed_offset import ZERO, FixedOffset
from tests.helpers.zones import SystemZone

MINUTES = st.integers(-1439, 1439)


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        (0, "+0000"),
        (60, "+0100"),
        (330, "+0530"),
        (-60, "-0100"),
        (-210, "-0330"),
        (-30, "-0030"),
        (1439, "+2359"),
        (-1439, "-2359"),
        (90.5, "+0130"),
        (-5.5, "-0005"),
    ],
)
def test_name_and_offset(minutes: float, name: str) -> None:
    zone = FixedOffset(minutes)
    assert zone.tzname(None) == name
    assert zone.utcoffset(None) == datetime.timedelta(minutes=minutes)
    assert zone.dst(None) == ZERO == datetime.timedelta(0)


@given(MINUTES)
def test_name_is_what_strftime_writes(minutes: int) -> None:
    moment = datetime.datetime(2020, 2, 1, tzinfo=FixedOffset(minutes))
    assert moment.strftime("%z") == moment.tzname() == FixedOffset(minutes).tzname(moment)


@given(MINUTES)
def test_is_the_same_zone_as_the_standard_library_makes(minutes: int) -> None:
    standard = datetime.timezone(datetime.timedelta(minutes=minutes))
    moment = datetime.datetime(2020, 2, 1, 10, 11, 12)
    assert moment.replace(tzinfo=FixedOffset(minutes)) == moment.replace(tzinfo=standard)


@given(MINUTES)
def test_copies_are_equal(minutes: int) -> None:
    zone = FixedOffset(minutes)
    moment = datetime.datetime(2020, 2, 1, tzinfo=zone)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(zone, protocol))
        assert type(loaded) is FixedOffset
        assert loaded == zone
        assert loaded.tzname(None) == zone.tzname(None)
    assert copy.deepcopy(moment).tzinfo == zone
    assert copy.copy(zone) == zone


def test_equality() -> None:
    assert FixedOffset(60) == FixedOffset(60.0)
    assert hash(FixedOffset(60)) == hash(FixedOffset(60.0))
    assert FixedOffset(60) != FixedOffset(-60)
    assert FixedOffset(0) != datetime.timezone.utc
    assert len({FixedOffset(60), FixedOffset(60), FixedOffset(61)}) == 2


def test_repr_reads_as_the_call() -> None:
    assert repr(FixedOffset(-210)) == "FixedOffset(-210)"


@pytest.mark.parametrize("minutes", [1440, -1440, 6039, math.inf, -math.inf, math.nan])
def test_no_offset_of_a_day_or_more(minutes: float) -> None:
    with pytest.raises(ValueError, match="less than 24 hours"):
        FixedOffset(minutes)


# Rules of the system's zone that are the same all year: "now" can be any day.
@pytest.mark.parametrize(
    ("rule", "minutes"),
    [
        ("XXX-5:30", 330),
        ("XXX3:30", -210),
        ("UTC0", 0),
        # Daylight saving time, two hours ahead, from the first to the last day of each year.
        ("XXX-1YYY-3,J1/0,J365/25", 180),
    ],
)
def test_for_system(system_zone: SystemZone, rule: str, minutes: int) -> None:
    system_zone(rule)
    zone = FixedOffset.for_system()
    assert zone == FixedOffset(minutes)


def test_for_system_makes_the_subclass(system_zone: SystemZone) -> None:
    class Zone(FixedOffset):
        pass

    system_zone("UTC0")
    assert type(Zone.for_system()) is Zone
