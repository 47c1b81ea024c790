"""Days that a person names, and the company's day at a moment."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from dagster_project.config import ConfigurationError


def as_date(text: str) -> dt.date:
    """The day somebody wrote; raises ConfigurationError for what is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"as of {text}: write a date as YYYY-MM-DD") from None


def today_in(zone: str, now: dt.datetime | None = None) -> dt.date:
    """The day it is there; without a moment, now."""
    return (now or dt.datetime.now(dt.UTC)).astimezone(ZoneInfo(zone)).date()


def refuse_future(day: dt.date, today: dt.date) -> None:
    """Raises ConfigurationError for the night of a day that has not begun."""
    if day > today:
        raise ConfigurationError(
            f"as of {day}: this day has not begun; the last one that is over is "
            f"{today - dt.timedelta(days=1)}"
        )
