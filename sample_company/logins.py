"""What users do in the product, month by month, so that memory stays bounded.

A user is active on a day with a chance that follows from the customer's behaviour; an active
user logs in and does some more. Every number is drawn month by month and day by day in a fixed
order: the events do not depend on how they are cut into files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sample_company.catalogue import EVENT_CODES, EVENTS
from sample_company.company import Company
from sample_company.dates import LAST_DAY, is_working, month_end, months_of, utc_offset_hours
from sample_company.features import FEATURE_BITS, allowed_features
from sample_company.population import Ints, Population

EXTRA_EVENTS = 1.0  # events of an active user and day after the login, on average
NOTIFICATIONS = 0.03  # excluded events for each event of use
NIGHT_SHARE = 0.015  # sessions just after midnight: another UTC day
MOBILE_SHARE = 0.08
DAILY_SHARE = 0.5  # share of the users a propensity counts that come on a given working day
CHUNK_EVENTS = 400_000
CALM_DAY = 0.05  # activity on a weekend or holiday against a working day
USED_AFTER_END = timedelta(days=60)  # by those whose service was never closed
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class UserDays:
    """Pairs of a day and a user active on it, and how many events follow the login."""

    day: Ints
    user: Ints
    more: Ints

    def cut(self, part: slice) -> UserDays:
        return UserDays(self.day[part], self.user[part], self.more[part])


@dataclass(frozen=True)
class Chunk:
    """Events of some days of one month, in order of time; `second` is seconds since 1970, UTC."""

    second: Ints
    day: Ints
    user: Ints
    tenant: Ints
    event: Ints
    duration: Ints  # -1: none
    quantity: Ints  # -1: none
    is_mobile: NDArray[np.bool_]

    @property
    def is_use(self) -> NDArray[np.bool_]:
        return np.asarray(self.event != EVENT_CODES["notification_sent"])


def daily_chances(company: Company) -> NDArray[np.float32]:
    """Customers x days: chance that an average user is active; 0 where there is no service."""
    behaviour, after = company.behaviour, LAST_DAY + timedelta(days=1)
    days = (after - company.start).days
    is_open = np.zeros((len(company.customers), days), dtype=bool)

    def set_open(index: int, begin: date, end: date, value: bool) -> None:
        low, high = (begin - company.start).days, (end - company.start).days
        is_open[index, max(0, low) : max(0, high)] = value

    for term in company.book.terms:
        until = term.effective_end or after
        if "used_after_end" in term.customer.stories:
            until += USED_AFTER_END
        set_open(term.customer.index, term.start, until, True)
    for line in company.book.lines:
        if line.product_id == "API-CALLS" and line.term_start is not None:
            set_open(line.order.customer.index, line.term_start, after, True)
    for index, intervals in behaviour.quiet.items():
        for begin, end in intervals:
            set_open(index, begin, end, False)
    calendar = [company.start + timedelta(days=number) for number in range(days)]
    rhythm = np.array([1.0 if is_working(day) else CALM_DAY for day in calendar])
    rhythm *= [0.55 if (day.month, day.day) >= (12, 21) else 1.0 for day in calendar]
    rhythm *= [0.8 if day.month == 8 else 1.0 for day in calendar]
    weeks = np.minimum(np.arange(days) // 7, behaviour.level.shape[1] - 1)
    level = (behaviour.level * behaviour.propensity[:, None] * DAILY_SHARE).astype(np.float32)
    return np.asarray(level[:, weeks] * rhythm.astype(np.float32) * is_open, dtype=np.float32)


def volume(
    population: Population, chances: NDArray[np.float32], events: int | None
) -> tuple[float, float]:
    """Events after a login, and thinning of user-days, that make about `events` events."""
    if events is None:
        return EXTRA_EVENTS, 1.0
    summed = np.concatenate(
        [np.zeros((len(chances), 1)), np.cumsum(chances, axis=1, dtype=np.float64)], axis=1
    )
    begin = np.clip(population.first, 0, chances.shape[1])
    end = np.clip(population.last, 0, chances.shape[1])
    days = summed[population.customer, end] - summed[population.customer, begin]
    wanted = events / (1 + NOTIFICATIONS)
    logins = float((days * population.eagerness).sum())
    weighted = float((days * population.eagerness * _zeal(population.eagerness)).sum())
    if wanted >= 1.3 * logins:
        return (wanted - logins) / weighted, 1.0
    return 0.3 * logins / weighted, wanted / (1.3 * logins)


def _zeal(eagerness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Eager users do more on a day, too, but not without bound."""
    return np.minimum(eagerness, np.float32(1.6))


def stream(
    company: Company, population: Population, events: int | None
) -> Iterator[tuple[date, NDArray[np.int64], Iterator[Chunk]]]:
    """For each month: its first day, the truly active users (days x customers), its chunks."""
    start, chances = company.start, daily_chances(company)
    allowed = allowed_features(company)
    extra, thinning = volume(population, chances, events)
    for month in months_of(start, LAST_DAY):
        random = np.random.default_rng([company.seed, 22, month.year, month.month])
        low = (month - start).days
        high = low + month_end(month).day
        day, user = _active(population, chances[:, low:high] * thinning, low, random)
        cells = np.bincount(
            day * chances.shape[0] + population.customer[user],
            minlength=(high - low) * chances.shape[0],
        )
        active = cells.reshape(high - low, chances.shape[0])
        more = random.poisson(extra * _zeal(population.eagerness[user]))
        user_days = UserDays(day + low, user, more)
        yield month, active, _chunks(population, allowed, start, user_days, random)


def _active(
    population: Population,
    chances: NDArray[np.float32],
    low: int,
    random: np.random.Generator,
) -> tuple[Ints, Ints]:
    """The pairs (day, user) of the month with use, in order of the day."""
    found_days, found_users = [], []
    for number in range(chances.shape[1]):
        chance = chances[population.customer, number] * population.eagerness
        is_there = (population.first <= low + number) & (low + number < population.last)
        drawn = random.random(len(chance), dtype=np.float32)
        users = np.nonzero((drawn < np.minimum(chance, 0.97)) & is_there)[0]
        found_users.append(users)
        found_days.append(np.full(len(users), number))
    return np.concatenate(found_days), np.concatenate(found_users)


def _chunks(
    population: Population,
    allowed: NDArray[np.int16],
    start: date,
    user_days: UserDays,
    random: np.random.Generator,
) -> Iterator[Chunk]:
    """Whole days until a chunk is full; chunks end with the day, so files can be cut by day."""
    day, more = user_days.day, user_days.more
    if not len(day):
        return
    days, firsts = np.unique(day, return_index=True)
    ends = np.append(firsts[1:], len(day))
    totals = np.add.reduceat(1 + more, firsts)
    begin, size = 0, 0
    for number in range(len(days)):
        size += int(totals[number])
        is_last_month = start + timedelta(days=int(days[number])) >= LAST_DAY.replace(day=1)
        if size >= CHUNK_EVENTS or is_last_month or number == len(days) - 1:
            part = slice(int(firsts[begin]), int(ends[number]))
            yield _events(population, allowed, start, user_days.cut(part), random)
            begin, size = number + 1, 0


def _events(
    population: Population,
    allowed: NDArray[np.int16],
    start: date,
    user_days: UserDays,
    random: np.random.Generator,
) -> Chunk:
    """A login for each active user and day, and what follows it; notifications among them."""
    day, user, more = user_days.day, user_days.user, user_days.more
    pairs = len(day)
    of_pair = np.repeat(np.arange(pairs), 1 + more)
    total = len(of_pair)
    is_login = np.zeros(total, dtype=bool)
    is_login[np.cumsum(np.append(0, 1 + more[:-1]))] = True
    shares = np.array([event.share for event in EVENTS])
    code = np.searchsorted(np.cumsum(shares / shares.sum()), random.random(total), side="right")
    code = np.minimum(code, len(EVENTS) - 2)
    code[is_login] = EVENT_CODES["login"]
    users = user[of_pair]
    bits = np.array([FEATURE_BITS.get(event.feature or "", 0) for event in EVENTS])
    instead = np.array([EVENT_CODES.get(event.instead, 0) for event in EVENTS])
    is_missing = (bits[code] & ~allowed[population.customer[user], day][of_pair]) != 0
    code = np.where(is_missing, instead[code], code)
    groups = np.array([event.group in ("core", "value") for event in EVENTS])
    code[population.has_no_value[users] & groups[code]] = EVENT_CODES["search_run"]

    is_night = (random.random(pairs) < NIGHT_SHARE)[of_pair]
    begins = 7.2 * 3600 + random.beta(2, 2.6, pairs) * 9 * 3600
    second = begins[of_pair] + np.where(is_login, 0, random.random(total) ** 1.5 * 5.5 * 3600)
    night = 300 + (begins[of_pair] % 3000) + np.where(is_login, 0, random.random(total) * 1500)
    second = np.where(is_night, night, second).astype(np.int64)
    seconds_online = np.where(is_login, 120 + random.gamma(2, 700, total).astype(np.int64), -1)
    quantity = np.where(code == 1, 1 + random.poisson(0.6, total), -1)
    is_mobile = random.random(total) < MOBILE_SHARE

    # Notifications go to users whether they are active or not: no use.
    count = int(total * NOTIFICATIONS)
    told = random.integers(0, pairs, count)
    colleague = np.minimum(user[told] + random.integers(0, 3, count), len(population.customer) - 1)
    is_same = population.tenant[colleague] == population.tenant[user[told]]
    receiver = np.where(is_same, colleague, user[told])
    none = np.full(count, -1)

    day_of = np.concatenate([day[of_pair], day[told]])
    nights = np.concatenate([is_night, np.zeros(count, dtype=bool)])
    local = np.concatenate([second, random.integers(6 * 3600, 20 * 3600, count)])
    days = np.unique(day_of)
    dates = [start + timedelta(days=int(number)) for number in days]
    at = np.searchsorted(days, day_of)
    by_day = np.array([utc_offset_hours(date_) for date_ in dates])[at]
    by_night = np.array([utc_offset_hours(date_, 0) for date_ in dates])[at]
    zero = (start - EPOCH).days * 86400
    utc = zero + day_of * 86400 + local - 3600 * np.where(nights, by_night, by_day)
    users = np.concatenate([users, receiver])
    tenant = np.where(utc % 2 == 0, population.tenant[users], population.other_tenant[users])
    order = np.argsort(utc, kind="stable")
    return Chunk(
        second=utc[order],
        day=day_of[order],
        user=users[order],
        tenant=tenant[order],
        event=np.concatenate([code, np.full(count, EVENT_CODES["notification_sent"])])[order],
        duration=np.concatenate([seconds_online, none])[order],
        quantity=np.concatenate([quantity, none])[order],
        is_mobile=np.concatenate([is_mobile, np.zeros(count, dtype=bool)])[order],
    )
