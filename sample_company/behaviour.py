"""How customers behave, week by week, and the hazard that follows from it.

Behaviour comes first and knows nothing of losses: use, contact and support move on their own.
The hazard of a loss is a function of behaviour (`risk`, which signals can see) and of a latent
factor (`latent`, which leaves no trace anywhere), so that no score can be better than the
ranking by the hazard's observable part. With `no_signal` neither counts and losses are random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, first_day

Array = NDArray[np.float64]

# Log odds of a loss at a boundary of a contract, by the length of its terms in months.
BOUNDARY = {1: -5.8, 3: -4.5, 6: -3.65, 12: -3.05, 24: -2.7, 36: -2.6}
MID_TERM_WEEKLY = 0.00035  # leaving inside a term, at average risk
RISK_STRENGTH = 1.65  # log odds per standard deviation of observable risk
LATENT_STRENGTH = 0.85  # log odds per standard deviation of what nobody sees
RANDOM_WEEKLY = 0.003  # weekly hazard without signal: as many losses, told by nothing

DECLINES_A_YEAR, LAPSES_A_YEAR, PILES_A_YEAR = 0.28, 0.07, 0.25
SLIPS_SHOW = 0.4  # a decline as deep as this shows in contact and support too, mostly


@dataclass(frozen=True)
class Behaviour:
    """Weekly paths, customers x weeks, over the whole span, as if every customer stayed.

    `level` is use against the customer's own normal (1), `propensity` how large that normal is
    (share of users on a working day), `lapse` whether contact has stopped, `pile` how many
    tickets too many there are, `champion_left` the week the champion left (-1: never).
    `quiet` are day intervals of a customer without any use.
    """

    start: date
    level: Array
    propensity: Array
    lapse: NDArray[np.bool_]
    pile: Array
    champion_left: NDArray[np.int64]
    risk: Array
    latent: Array
    mid_term: Array
    quiet: dict[int, list[tuple[date, date]]]
    no_signal: bool

    def week(self, day: date) -> int:
        last = int(self.level.shape[1]) - 1
        return min(max((day - self.start).days // 7, 0), last)

    def boundary_probability(self, index: int, day: date, months: int) -> float:
        """Chance that the customer is lost at a boundary it decides on `day`."""
        if self.no_signal:
            return 0.0
        week = self.week(day)
        return sigmoid(
            BOUNDARY[months]
            + RISK_STRENGTH * float(self.risk[index, week])
            + LATENT_STRENGTH * float(self.latent[index, week])
        )

    def observable_probability(
        self, index: int, day: date, months: int | None, due: date | None, horizon: int
    ) -> float:
        """Chance of a loss in `(day, day + horizon]` from what can be seen on `day`.

        The contract's next boundary is seen, the state of the customer, not the latent factor.
        The same formula with `no_signal`, where it is worth nothing.
        """
        risk = float(self.risk[index, self.week(day)])
        stays = math.exp(-MID_TERM_WEEKLY * horizon / 7 * math.exp(RISK_STRENGTH * risk))
        if months is not None and due is not None:
            left = horizon - (due - day).days
            decisions = 1 + int(left / (30.44 * months)) if left >= 0 else 0
            stays *= (1 - sigmoid(BOUNDARY[months] + RISK_STRENGTH * risk)) ** decisions
        return 1 - stays


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def simulate(customers: list[Customer], months: int, seed: int, no_signal: bool) -> Behaviour:
    """The paths of all customers."""
    start = first_day(months)
    weeks = (LAST_DAY - start).days // 7 + 1
    shape = (len(customers), weeks)
    random = np.random.default_rng([seed, 11])
    began = np.array([(customer.first_day - start).days // 7 for customer in customers])
    age = np.arange(weeks)[None, :] - began[:, None]

    drift = _wander(random, shape, memory=0.95) * 0.12
    slips = _episodes(
        random, shape, DECLINES_A_YEAR, weeks=(12, 44), depth=(0.5, 1.0), gradual=True
    )
    growing_up = np.clip(0.35 + age / 10, 0, 1)
    level = np.exp(drift) * (1 - slips) * growing_up
    propensity = np.clip(random.beta(6, 3, shape[0]), 0.2, 0.95)
    is_slipping = slips > SLIPS_SHOW
    lapses = _episodes(random, shape, LAPSES_A_YEAR, weeks=(12, 40), depth=(1, 1))
    lapse = (lapses > 0) | is_slipping & (random.random((shape[0], 1)) < 0.8)
    pile = _episodes(random, shape, PILES_A_YEAR, weeks=(4, 14), depth=(0.5, 3.0))
    pile = np.maximum(pile, 2.5 * (is_slipping & (random.random((shape[0], 1)) < 0.7)))
    champion_left = np.where(
        random.random(shape[0]) < 0.08,
        np.maximum(began, 0) + random.integers(10, weeks, shape[0]),
        -1,
    )
    quiet: dict[int, list[tuple[date, date]]] = {}
    for customer in customers:
        _bend_use(customer, level, propensity, quiet)
        _bend_service(customer, lapse, pile, champion_left)

    since_champion = np.arange(weeks)[None, :] - champion_left[:, None]
    is_champion_gone = (champion_left[:, None] >= 0) & (since_champion >= 0) & (since_champion < 26)
    risk = (
        1.9 * (1 - np.clip(level, 0, 1.15))
        + 1.2 * (0.65 - propensity)[:, None]
        + 0.55 * lapse
        + 0.28 * pile
        + 0.6 * is_champion_gone
    )
    grown = age > 10
    risk = (risk - risk[grown].mean()) / risk[grown].std()
    risk = np.clip(risk, -2.5, 3.5)
    latent = 0.6 * random.standard_normal((shape[0], 1)) + 0.8 * _wander(random, shape, 0.96)
    if no_signal:
        mid_term = np.full(shape, RANDOM_WEEKLY)
    else:
        mid_term = MID_TERM_WEEKLY * np.exp(RISK_STRENGTH * risk + LATENT_STRENGTH * latent)
    return Behaviour(
        start, level, propensity, lapse, pile, champion_left, risk, latent, mid_term, quiet,
        no_signal,
    )  # fmt: skip


def _wander(random: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """Paths of mean 0 and deviation 1 that forget slowly."""
    noise = random.standard_normal(shape)
    path = np.empty(shape)
    path[:, 0] = noise[:, 0]
    for week in range(1, shape[1]):
        path[:, week] = memory * path[:, week - 1] + math.sqrt(1 - memory**2) * noise[:, week]
    return path


def _episodes(
    random: np.random.Generator,
    shape: tuple[int, int],
    a_year: float,
    *,
    weeks: tuple[int, int],
    depth: tuple[float, float],
    gradual: bool = False,
) -> Array:
    """Zero, but for episodes of random start, length and depth; gradual ones deepen slowly."""
    path = np.zeros(shape)
    starts = random.random(shape) < a_year / 52
    for row, start in zip(*np.nonzero(starts), strict=True):
        length = int(random.integers(*weeks))
        end = min(start + length, shape[1])
        bottom = random.uniform(*depth)
        shape_ = np.full(end - start, bottom)
        if gradual:
            shape_ *= np.clip((np.arange(end - start) + 1) / (0.8 * length), 0, 1)
        path[row, start:end] = np.maximum(path[row, start:end], shape_)
    return path


def _bend_use(
    customer: Customer,
    level: Array,
    propensity: Array,
    quiet: dict[int, list[tuple[date, date]]],
) -> None:
    """Bend a customer's use to its story."""
    index, stories = customer.index, customer.stories
    end = LAST_DAY + timedelta(days=1)
    if stories & {"declining", "dormant", "silent", "resurrected", "healthy_churner"}:
        level[index], propensity[index] = 1.0, 0.7
    if "never_started" in stories:
        level[index] = 0.0
    if "failed_onboarding" in stories:
        level[index] = 0.06
    if "declining" in stories:
        level[index, -9:] = np.linspace(0.8, 0.3, 9)
    if "dormant" in stories:
        quiet[index] = [(LAST_DAY - timedelta(days=14), end)]
    if "silent" in stories:
        quiet[index] = [(LAST_DAY - timedelta(days=70), end)]
        level[index, -10:] = 0.0
    if "resurrected" in stories:
        quiet[index] = [(LAST_DAY - timedelta(days=100), LAST_DAY - timedelta(days=13))]
        level[index, -14:-2] = 0.0
    if "low_use" in stories:
        propensity[index] = 0.05
    if "ugly_stayer" in stories:
        level[index, level.shape[1] // 3 :] = 0.35
        propensity[index] = 0.4


def _bend_service(
    customer: Customer,
    lapse: NDArray[np.bool_],
    pile: Array,
    champion_left: NDArray[np.int64],
) -> None:
    """Bend contact and support to the story."""
    index, stories = customer.index, customer.stories
    weeks = pile.shape[1]
    if stories & {"declining", "dormant", "silent", "resurrected", "healthy_churner"}:
        lapse[index], pile[index], champion_left[index] = False, 0.0, -1
    if "failed_onboarding" in stories:
        lapse[index] = True
    if "silent" in stories:
        lapse[index, -14:] = True
    if "ugly_stayer" in stories:
        lapse[index, weeks // 3 :] = True
        pile[index, weeks // 3 :] = 2.0
    if "lost_contact" in stories:
        lapse[index, -53:] = True
    if "tickets_pile_up" in stories:
        pile[index, -8:] = 4.0
    if "champion_left" in stories:
        champion_left[index] = weeks - 12
