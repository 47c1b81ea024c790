"""How good a score can be at best: the generator's own hazard against what then happened.

At each month's end, for each customer with MRR above 0: the observable part of the hazard of the
next 90 days, and whether MRR fell in these days to at most half and was still there at the end
of the grace. Ranking by that part cannot be beaten by signals; its AUC is the ceiling.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from sample_company.behaviour import BOUNDARY, Behaviour
from sample_company.company import Company
from sample_company.contract_book import Term
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, month_end, months_of
from sample_company.tables import DATE, FLAG, NUMBER, TEXT, table
from sample_company.truth import Ledger, survivor

HORIZON_DAYS = 90
LONGEST_GRACE_DAYS = 90
NOTED = 0.97  # a customer that said it leaves nearly always does

Step = tuple[date, float, int]


def make_hazard(company: Company, ledger: Ledger) -> pl.DataFrame:
    """Rows of (customer, as_of_date); `is_mature` where horizon and grace have passed."""
    terms: dict[str, list[Term]] = defaultdict(list)
    for term in company.book.terms:
        if not term.is_trial:
            terms[survivor(term.customer)].append(term)
    rows = []
    ends = [month_end(month) for month in months_of(company.start, LAST_DAY)]
    for customer in company.customers:
        steps = ledger.steps(customer.customer_id)
        for day in ends:
            mrr = level_on(steps, day)
            if mrr <= 0 or ledger.mrr(customer.customer_id, day) is None:
                continue
            probability = observable(company.behaviour, customer, terms[customer.customer_id], day)
            rows.append(
                (
                    customer.customer_id,
                    day,
                    round(probability, 9),
                    falls_to_half(steps, day, mrr),
                    day + timedelta(days=HORIZON_DAYS + LONGEST_GRACE_DAYS) <= LAST_DAY,
                )
            )
    columns = {
        "customer_id": TEXT,
        "as_of_date": DATE,
        "observable_hazard": NUMBER,
        "has_loss": FLAG,
        "is_mature": FLAG,
    }
    return table(columns, rows)


def observable(behaviour: Behaviour, customer: Customer, terms: list[Term], day: date) -> float:
    """Chance of a loss from what is known on `day`: terms closed by then, behaviour by then."""
    known = [
        term
        for term in terms
        if min(term.closed_on, term.start) <= day
        and (term.effective_end is None or day < (term.gap_until or term.effective_end))
    ]
    if any(term.noted_on and term.noted_on <= day for term in known) and not any(
        term.start > day for term in known
    ):
        return NOTED
    ending = [term for term in known if term.end is not None]
    if not ending:
        return behaviour.observable_probability(customer.index, day, None, None, HORIZON_DAYS)
    last = max(ending, key=lambda term: (term.end, term.start))
    assert last.end is not None
    months = min(BOUNDARY, key=lambda m: abs(m * 30.44 - (last.end - last.start).days))  # type: ignore[operator]
    return behaviour.observable_probability(customer.index, day, months, last.end, HORIZON_DAYS)


def level_on(steps: Sequence[Step], day: date) -> float:
    level = 0.0
    for step_day, value, _ in steps:
        if step_day > day:
            break
        level = value
    return level


def falls_to_half(steps: Sequence[Step], day: date, mrr: float) -> bool:
    """MRR falls in (day, day + horizon] to at most half and is still there after the grace."""
    for step_day, value, length in steps:
        if day < step_day <= day + timedelta(days=HORIZON_DAYS) and value <= mrr / 2:
            grace = 14 if length <= 31 else 30 if length <= 184 else 90
            if level_on(steps, step_day + timedelta(days=grace)) <= mrr / 2:
                return True
    return False


def area_under_curve(scores: Sequence[float], events: Sequence[bool]) -> float:
    """Chance that an event has the higher score than a non-event; ties count half."""
    values, hits = np.asarray(scores), np.asarray(events, dtype=bool)
    ranks = pl.Series(values).rank("average").to_numpy()
    positive, negative = int(hits.sum()), int((~hits).sum())
    if not positive or not negative:
        return float("nan")
    return float((ranks[hits].sum() - positive * (positive + 1) / 2) / (positive * negative))


def summarise(hazard: pl.DataFrame) -> dict[str, float | int | str | None]:
    """The content of `best_auc.json`, over the mature rows; no AUC without a loss."""
    mature = hazard.filter("is_mature")
    area = area_under_curve(mature["observable_hazard"].to_list(), mature["has_loss"].to_list())
    return {
        "best_auc": None if math.isnan(area) else round(area, 4),
        "rows": len(mature),
        "events": int(mature["has_loss"].sum()),
        "base_rate": round(float(mature["has_loss"].mean() or 0), 5),  # type: ignore[arg-type]
        "horizon_days": HORIZON_DAYS,
        "population": "month ends, MRR above 0, horizon and grace passed",
    }
