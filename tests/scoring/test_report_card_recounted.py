"""The whole report card and its calibration, counted again row by row from the definitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import NormalDist, mean, median
from typing import Any

import numpy as np
import polars as pl
import pytest

from scoring.churn import estimate_churn
from scoring.config import load_rules
from scoring.evaluation import Evaluation, evaluate
from scoring.history import History
from scoring.resampling import Resamples
from tests.scoring.companies import LAST_SUNDAY, grow_company, history_of

RULES = load_rules({"report": {"resamples": 100, "minimum_events": 15}})
DAYS, SHARE = 90, 0.15
# What the hands of a week take, and the top tenth that the lift looks at.
SHARES = {"flag": SHARE, "top": 0.10}
Place = tuple[str, date]


@dataclass(frozen=True)
class Case:
    """A customer and date that is judged: its group, and what became of it."""

    place: Place
    group: Any
    segment: str
    arr: float
    lead: int | None
    is_treated: bool

    @property
    def is_lost(self) -> bool:
        return self.lead is not None


@dataclass(frozen=True)
class Night:
    """A company on its last Sunday, as it was judged and as plain values."""

    history: History
    resamples: Resamples
    judged: Evaluation
    rows: dict[Place, dict[str, Any]]
    risks: dict[str, dict[Place, float]]
    said: dict[Place, float]
    cases: dict[str, list[Case]]


@pytest.fixture(scope="module")
def night() -> Night:
    found, outcomes = grow_company(45, 100, signal=1.5, hazard=0.016)
    number = pl.col("customer_id").str.slice(1, 4).cast(pl.Float64)
    found = found.with_columns(
        arr=(1000.0 + 300.0 * number).cast(found.schema["arr"]),
        days_since_last_use=(number % 7).cast(pl.Int64),
        active_user_count_28d=pl.when(number % 5 > 0).then(number * 3).cast(pl.Int64),
    )
    outcomes = outcomes.with_columns(
        pl.col("known_on").clip(upper_bound=LAST_SUNDAY + timedelta(days=99)),
        arr=(500.0 + 100.0 * number).cast(outcomes.schema["arr"]),
        term_months=pl.lit(12.0),
    ).filter(pl.col("known_on") <= LAST_SUNDAY)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    resamples = Resamples(history.rows["customer_id"], RULES.report.resamples)
    horizons = estimate_churn(history, RULES, resamples, {})
    acted = [
        (name, LAST_SUNDAY - timedelta(days=200 + i))
        for i, name in enumerate(sorted(set(history.rows["customer_id"])))
        if i % 3 == 0
    ]
    rows = {(r["customer_id"], r["as_of_date"]): r for r in history.rows.iter_rows(named=True)}
    lost_on = [
        (name, day)
        for kind, name, day in outcomes.select("kind", "customer_id", "outcome_date").rows()
        if kind == "mrr_loss"
    ]
    newest = max(day for _, day in rows if (LAST_SUNDAY - day).days >= DAYS + 90)
    judged_on = {day for _, day in rows if day <= newest and (newest - day).days % 91 == 0}
    # The second date was said then, by other probabilities.
    said_on = sorted(judged_on)[-2]
    said = {place: 0.01 + row["health_score"] / 200 for place, row in rows.items()
            if place[1] == said_on}  # fmt: skip

    def is_treated(place: Place) -> bool:
        return any(n == place[0] and abs((on - place[1]).days) <= 28 for n, on in acted)

    def lead(place: Place) -> int | None:
        leads = [(on - place[1]).days for name, on in lost_on if name == place[0]]
        return min((days for days in leads if 1 <= days <= DAYS), default=None)

    customers = [
        Case(place, place[1], row["segment"], row["arr"], lead(place), is_treated(place))
        for place, row in rows.items()
        if place[1] in judged_on
    ]
    due = outcomes.filter(kind="renewal").select("customer_id", "outcome_date", "outcome", "arr")
    renewals = []
    for name, on, outcome, arr in due.rows():
        before = [day for day in history.dates if day <= on - timedelta(days=DAYS)]
        place = (name, max(before, default=date.min))
        if place in rows:
            ahead = (on - place[1]).days if outcome == "churned" else None
            segment = rows[place]["segment"]
            renewals.append(Case(place, "all", segment, float(arr), ahead, is_treated(place)))
    told = [(name, day, DAYS, p) for (name, day), p in said.items()]
    judged = evaluate(
        history,
        {DAYS: horizons[DAYS]},
        outcomes,
        pl.DataFrame(acted, schema=["customer_id", "started_on"], orient="row"),
        pl.DataFrame(
            told, schema=["customer_id", "as_of_date", "horizon_days", "probability"], orient="row"
        ),
        pl.DataFrame(),
        found,
        budget_share=SHARE,
        resamples=resamples,
        rules=RULES,
        language="en",
    )
    return Night(
        history,
        resamples,
        judged,
        rows,
        risks_of(rows, horizons[DAYS].by_method),
        said,
        {"customer": customers, "renewal": renewals},
    )


def risks_of(
    rows: dict[Place, dict[str, Any]], by_method: dict[str, np.ndarray]
) -> dict[str, dict[Place, float]]:
    """The risk of every row by every method; what is not measured is in the middle of its date."""
    simple: dict[str, Callable[[dict[str, Any]], float | None]] = {
        "days_since_last_use": lambda row: row["days_since_last_use"],
        "active_user_count_28d": lambda row: (
            None if row["active_user_count_28d"] is None else -row["active_user_count_28d"]
        ),
        "last_outcome": lambda row: 0.0,
        "tenure_days": lambda row: -row["tenure_days"],
    }
    found = {}
    for method, measure in simple.items():
        known: dict[date, list[float]] = {}
        for (_, day), row in rows.items():
            value = measure(row)
            if value is not None:
                known.setdefault(day, []).append(value)
        middle = {day: median(values) for day, values in known.items()}
        found[method] = {
            place: middle[place[1]] if (value := measure(row)) is None else value
            for place, row in rows.items()
        }
    for method, p in by_method.items():
        by_rules = by_method["rules"].tolist()
        spoken = [q if math.isnan(x) else x for x, q in zip(p.tolist(), by_rules, strict=True)]
        found[method] = dict(zip(rows, spoken, strict=True))
    return found


def flag(risk: dict[Place, float], share: float) -> dict[Place, float]:
    """1 for who is within the share of a date, shared by equals at its edge."""
    by_date: dict[date, list[Place]] = {}
    for place in risk:
        by_date.setdefault(place[1], []).append(place)
    flags = {}
    for places in by_date.values():
        slots = math.ceil(share * len(places) - 1e-9)
        for place in places:
            above = sum(risk[other] > risk[place] for other in places)
            equal = sum(risk[other] == risk[place] for other in places)
            flags[place] = min(max((slots - above) / equal, 0.0), 1.0)
    return flags


def tenths(p: list[float]) -> list[int]:
    """1 to 10 by rank, equals together."""
    ranks = [sum(q < x for q in p) + (sum(q == x for q in p) + 1) / 2 for x in p]
    return [min(int((rank - 0.5) * 10 / len(p)), 9) + 1 for rank in ranks]


def middle(values: Iterable[float]) -> tuple[float, float]:
    """The middle 95 % of draws."""
    low, high = np.quantile([v for v in values if not math.isnan(v)], [0.025, 0.975])
    return float(low), float(high)


def share_of(
    above: list[float], below: list[float], weights: list[dict[str, float]], names: list[str]
) -> tuple[float, float, float]:
    """A share and its interval: of customers drawn again, or Wilson's of none or all."""

    def total(values: list[float], weight: dict[str, float] | None) -> float:
        return sum(v * (weight[n] if weight else 1.0) for v, n in zip(values, names, strict=True))

    share = total(above, None) / total(below, None)
    if share in (0.0, 1.0):
        doubt = NormalDist().inv_cdf(0.975) ** 2
        margin = doubt / (total(below, None) + doubt)
        return (share, 0.0, margin) if share == 0.0 else (share, 1.0 - margin, 1.0)
    drawn = []
    for weight in weights:
        n = total(below, weight)
        drawn.append(total(above, weight) / n if n > 1e-12 else math.nan)
    return (share, *middle(drawn))


def recount(night: Night, cases: list[Case], risk: dict[Place, float], *, is_p: bool) -> dict:
    """The figures of one row of the card."""
    flags, tops = flag(risk, SHARES["flag"]), flag(risk, SHARES["top"])
    lost = [float(case.is_lost) for case in cases]
    flagged = [flags[case.place] for case in cases]
    caught = [f * x for f, x in zip(flagged, lost, strict=True)]
    names = [case.place[0] for case in cases]
    lost_arr = sum(case.arr for case in cases if case.is_lost)
    found: dict[str, Any] = {
        "n": len(cases),
        "events": sum(lost),
        "base_rate": mean(lost),
        "recall_arr_at_k": (
            sum(case.arr * flags[case.place] for case in cases if case.is_lost) / lost_arr
            if lost_arr
            else None
        ),
        "lead_days_p50": median_of(
            [case.lead for case in cases if case.lead and flags[case.place] >= 0.5]
        ),
    }
    if is_p:
        p = [risk[case.place] for case in cases]
        found["brier"] = mean((a - b) ** 2 for a, b in zip(p, lost, strict=True))
        bins: dict[int, list[tuple[float, float]]] = {}
        for number, a, b in zip(tenths(p), p, lost, strict=True):
            bins.setdefault(number, []).append((a, b))
        found["calibration_error"] = sum(
            abs(mean(a for a, _ in pairs) - mean(b for _, b in pairs)) * len(pairs) / len(p)
            for pairs in bins.values()
        )
    if sum(lost) < RULES.report.minimum_events:
        return found
    top = [tops[case.place] for case in cases]
    top_lost = sum(t * x for t, x in zip(top, lost, strict=True))
    found["lift_top_decile"] = top_lost / sum(top) / mean(lost) if sum(top) else None
    weights = weights_of(night)
    keys = ("{}_at_k", "{}_low", "{}_high")
    for name, below in (("precision", flagged), ("recall", lost)):
        for key, value in zip(keys, share_of(caught, below, weights, names), strict=True):
            found[key.format(name)] = value
    pairs = [
        (a.place[0], b.place[0], float(risk[a.place] > risk[b.place])
         + 0.5 * float(risk[a.place] == risk[b.place]))
        for a in cases if a.is_lost for b in cases
        if not b.is_lost and a.group == b.group
    ]  # fmt: skip
    found["auc"] = mean(win for *_, win in pairs)
    # To first order in the draws: a pair counts w1 + w2 - 1 times.
    drawn = []
    for weight in weights:
        drawn_pairs = [(weight[a] + weight[b] - 1, win) for a, b, win in pairs]
        all_of = sum(w for w, _ in drawn_pairs)
        drawn.append(sum(w * win for w, win in drawn_pairs) / all_of)
    found["auc_low"], found["auc_high"] = middle(min(max(x, 0.0), 1.0) for x in drawn)
    return found


def median_of(values: list[int]) -> float | None:
    return float(median(values)) if values else None


def weights_of(night: Night) -> list[dict[str, float]]:
    """How often each draw takes each customer."""
    names = night.resamples.customer_ids.to_list()
    return [dict(zip(names, draw, strict=True)) for draw in night.resamples.draws[1:].tolist()]


def populations(night: Night, card: str) -> dict[tuple[str, str], list[Case]]:
    """(segment, population): the cases of each."""
    cases = night.cases[card]
    parts = {
        ("all", "all"): cases,
        ("all", "treated"): [case for case in cases if case.is_treated],
        ("all", "untreated"): [case for case in cases if not case.is_treated],
        ("all", "lived"): [case for case in cases if case.place in night.said],
        ("all", "reconstructed"): [case for case in cases if case.place not in night.said],
    }
    for segment in {case.segment for case in cases}:
        parts[segment, "all"] = [case for case in cases if case.segment == segment]
    return {key: part for key, part in parts.items() if part}


@pytest.mark.parametrize("card", ["customer", "renewal"])
def test_every_figure_of_the_card_is_that_of_a_plain_recount(night, card):
    found = night.judged.card.filter(card=card)
    parts = populations(night, card)
    assert set(found.select("segment", "population").unique().rows()) == set(parts)
    assert set(found["method"]) == set(night.risks)
    compared = set()
    for row in found.iter_rows(named=True):
        risk = night.risks[row["method"]]
        if row["population"] == "lived" and row["is_in_force"]:
            risk = risk | night.said
        cases = parts[row["segment"], row["population"]]
        wanted = recount(night, cases, risk, is_p=row["method"] in ("rules", "logistic"))
        figures = {name: row[name] for name in FIGURES}
        assert figures == pytest.approx({name: wanted.get(name) for name in FIGURES}, abs=2e-6), (
            row["method"],
            row["segment"],
            row["population"],
        )
        compared |= {name for name in FIGURES if row[name] is not None}
    assert compared == set(FIGURES)


FIGURES = (
    "n",
    "events",
    "base_rate",
    "precision_at_k",
    "precision_low",
    "precision_high",
    "recall_at_k",
    "recall_low",
    "recall_high",
    "recall_arr_at_k",
    "lift_top_decile",
    "auc",
    "auc_low",
    "auc_high",
    "brier",
    "calibration_error",
    "lead_days_p50",
)


def test_flips_are_those_of_a_plain_recount_for_every_method(night):
    dates_of: dict[str, list[date]] = {}
    for name, day in night.rows:
        dates_of.setdefault(name, []).append(day)
    whole = night.judged.card.filter(segment="all", population="all", card="customer")
    for method, flips in whole.select("method", "flips_per_customer_year").rows():
        flags = flag(night.risks[method], SHARE)
        moves = [
            (abs(flags[name, after] - flags[name, before]), (after - before).days)
            for name, days in dates_of.items()
            for before, after in pairwise(sorted(days))
            if (after - before).days <= 7
        ]
        years = sum(days for _, days in moves) / 365.25
        assert flips == pytest.approx(sum(size for size, _ in moves) / years, abs=1e-6)


def test_the_calibration_is_that_of_a_plain_recount(night):
    cases, weights = night.cases["customer"], weights_of(night)
    for method in night.judged.calibration["method"].unique():
        risk = night.risks[method]
        bins = tenths([risk[case.place] for case in cases])
        found = night.judged.calibration.filter(method=method).sort("bin")
        assert found["bin"].to_list() == sorted(set(bins))
        for number, n, predicted, *observed in found.select(
            "bin", "n", "predicted", "observed", "low", "high"
        ).rows():
            here = [case for case, own in zip(cases, bins, strict=True) if own == number]
            assert (n, predicted) == (
                len(here),
                pytest.approx(mean(risk[case.place] for case in here), abs=2e-6),
            )
            lost = [float(case.is_lost) for case in here]
            wanted = share_of(lost, [1.0] * n, weights, [case.place[0] for case in here])
            assert observed == pytest.approx(wanted, abs=2e-6)
