"""The company's calendar: months that clip at their end, working days, moments in UTC."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
LAST_DAY = date(2026, 6, 30)  # fixed: the same seed gives the same bytes on any day it is run


def first_day(months: int) -> date:
    """First day of the company's story: `months` whole months up to `LAST_DAY`."""
    return add_months(LAST_DAY + timedelta(days=1), -months)


def add_months(day: date, months: int) -> date:
    """The same day `months` later; the last day of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def whole_months(start: date, end: date) -> int | None:
    """How many whole calendar months `[start, end)` is; None if it is none exactly."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if months > 0 and add_months(start, months) == end else None


def month_end(month_start: date) -> date:
    return add_months(month_start, 1) - timedelta(days=1)


def months_of(start: date, end: date) -> list[date]:
    """First days of the months from `start` to `end`, both included."""
    day, found = start.replace(day=1), []
    while day <= end:
        found.append(day)
        day = add_months(day, 1)
    return found


@cache
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


@cache
def holidays(year: int) -> frozenset[date]:
    """Holidays all of Germany has."""
    sunday = easter(year)
    moving = {sunday + timedelta(days=days) for days in (-2, 1, 39, 50)}
    fixed = {date(year, m, d) for m, d in ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))}
    return frozenset(moving | fixed)


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


def working_day(day: date) -> date:
    """The day itself, or the next on which people work."""
    while not is_working(day):
        day += timedelta(days=1)
    return day


def working_day_before(day: date) -> date:
    """The day itself, or the last before it on which people work."""
    while not is_working(day):
        day -= timedelta(days=1)
    return day


@cache
def utc_offset_hours(day: date, hour: int = 12) -> int:
    """Hours the zone is ahead of UTC on a day at a wall-clock hour."""
    offset = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 3600


def moment(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A wall-clock moment of the company as a naive UTC datetime (from 04:00 on)."""
    local = datetime(day.year, day.month, day.day, hour, minute, second)
    return local - timedelta(hours=utc_offset_hours(day))
