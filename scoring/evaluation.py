"""A night's judgement of its own scores: the report card and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from scoring.calibration import CALIBRATION_SCHEMA, calibrate
from scoring.churn import Horizon
from scoring.cohorts import list_cohorts
from scoring.config import Language, Rules
from scoring.history import Floats, History, is_lost_within
from scoring.judgement import (
    Judged,
    Ranking,
    count_flips,
    judge_customers,
    judge_renewals,
    rank,
    rank_baselines,
)
from scoring.probability import RULES
from scoring.report_card import CARD_SCHEMA, select_in_force, write_card
from scoring.resampling import Resamples


class Evaluation(NamedTuple):
    """score_report_card, score_calibration, signal_cohorts."""

    card: pl.DataFrame
    calibration: pl.DataFrame
    cohorts: pl.DataFrame


def evaluate(
    history: History,
    horizons: Mapping[int, Horizon],
    outcomes: pl.DataFrame,
    treatments: pl.DataFrame,
    said: pl.DataFrame,
    past: pl.DataFrame,
    tonight: pl.DataFrame,
    *,
    budget_share: float,
    resamples: Resamples,
    rules: Rules,
    language: Language,
) -> Evaluation:
    """Judges every horizon against the outcomes that are certain.

    `said`: churn_probabilities of nights said on dates of the history; `past`: signals of matured
    dates with is_lost, `tonight`: tonight's signals, for the cohorts.
    """
    baselines = rank_baselines(history, budget_share)
    card, calibration = [], [pl.DataFrame(schema=CALIBRATION_SCHEMA)]
    for days, horizon in horizons.items():
        customers = judge_customers(history, treatments, days, rules)
        by_method = _methods_to_judge(horizon, customers)
        rankings = baselines | {
            method: rank(history, p, budget_share, has_probability=True)
            for method, p in by_method.items()
        }
        flips = count_flips(history, {method: r.flags for method, r in rankings.items()})
        said_then = _said_probabilities(history, said, days)
        lived = _rank_as_said(history, horizon, said_then, budget_share)
        for judged in (customers, judge_renewals(history, outcomes, treatments, days, rules)):
            card += write_card(
                judged,
                rankings,
                lived,
                ~np.isnan(said_then[judged.places]),
                flips,
                in_force=horizon.method,
                budget_share=budget_share,
                resamples=resamples,
                report=rules.report,
                language=language,
            )
        for method, p in by_method.items():
            calibration.append(calibrate(customers, p, method, resamples, rules.report))
    return Evaluation(
        pl.DataFrame(card, schema=CARD_SCHEMA, orient="row").sort(
            "card", "method", "horizon_days", "segment", "population"
        ),
        pl.concat(calibration).sort("method", "horizon_days", "bin"),
        list_cohorts(past, tonight, resamples, rules.report),
    )


def label_past(history: History, signals: pl.DataFrame, horizon: Horizon) -> pl.DataFrame:
    """Signals of past dates with what became of them: adds is_lost and churn_probability."""
    labels = history.rows.select("customer_id", "as_of_date").with_columns(
        is_lost=pl.Series(is_lost_within(history.rows, horizon.days), dtype=pl.Boolean),
        churn_probability=pl.Series(horizon.probabilities, dtype=pl.Float64),
    )
    return signals.join(labels, on=["customer_id", "as_of_date"], how="inner").sort(
        "as_of_date", "customer_id"
    )


def verdict_of(card: pl.DataFrame, days: int) -> str:
    """The sentence a reader sees first: the score in force, over all customers."""
    return str(select_in_force(card, days)["verdict"].item())


def _methods_to_judge(horizon: Horizon, judged: Judged) -> dict[str, Floats]:
    """The probabilities of each method as it would have spoken: by the rules until it had a model.

    A method that had none on any judged date is left out.
    """
    by_rules = horizon.by_method[RULES]
    return {
        method: np.where(np.isnan(p), by_rules, p)
        for method, p in horizon.by_method.items()
        if method == horizon.method or not np.isnan(p[judged.places]).all()
    }


def _said_probabilities(history: History, said: pl.DataFrame, days: int) -> Floats:
    """What was said then, for every row of the history; NaN where nothing was."""
    wanted = said.filter(pl.col("horizon_days") == days).select(
        "customer_id", "as_of_date", "probability"
    )
    rows = history.rows.select("customer_id", "as_of_date").join(
        wanted, on=["customer_id", "as_of_date"], how="left", maintain_order="left"
    )
    found: Floats = rows["probability"].fill_null(np.nan).to_numpy()
    return found


def _rank_as_said(
    history: History, horizon: Horizon, said_then: Floats, budget_share: float
) -> Ranking:
    risk = np.where(np.isnan(said_then), horizon.probabilities, said_then)
    return rank(history, risk, budget_share, has_probability=True)
