"""One night of scoring: contract tables and earlier nights in, what is said tonight out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from scoring import bands, episodes, health, memory, probability, signals, warnings
from scoring.config import Language, Rules
from scoring.confirmation import MEMORY_SCHEMA, empty_memory

HEALTH_SCORES = (
    "customer_id",
    "as_of_date",
    "health_score",
    "health_band",
    "coverage",
    "score_low",
    "score_high",
    "trend_7d",
    "trend_28d",
    "trend_90d",
    "rules_version",
    "reason",
)


@dataclass(frozen=True)
class ScoreReport:
    """What a night said, in counts; nothing here is needed by another night."""

    as_of_date: date
    run_id: str
    folder: Path
    rules_version: str
    previous_night: date | None
    was_kept: bool
    customer_count: int
    band_counts: dict[str, int]
    mean_score: float | None
    median_score: float | None
    mean_coverage: float | None
    unconnected_components: dict[str, float]
    warning_counts: dict[str, int]
    reason_counts: dict[str, int]
    within_budget_count: int
    expected_saved_arr: float
    base_rate: float
    loss_count: int


def score_night(
    contract_folder: Path,
    home: Path,
    rules: Rules,
    as_of_date: date,
    run_id: str,
    language: Language = "en",
    configuration: Mapping[str, Any] | None = None,
) -> ScoreReport:
    """Scores the customers with MRR > 0 and continues the warnings; writes the night's folder.

    `contract_folder`: the contract tables as Parquet; `home`: the data root, of which only
    `scores/` is read and written; `configuration`: the company's, kept beside the rules. The same
    inputs give the same bytes. A folder of the same run_id is left as it is (`was_kept`). The
    night is remembered by later ones only after `memory.append_said`.
    Raises ContractError (an unusable contract table) and LostMemoryError (an earlier night gone).
    """
    signals.check_night(contract_folder, as_of_date)
    connected = signals.read_connected_entities(contract_folder)
    past = memory.nights_before(home, as_of_date)
    last = past[-1] if past else None
    remembered = _remember(home, last, "confirmations", MEMORY_SCHEMA, empty_memory())
    warned = _remember(
        home, last, "churn_warnings", episodes.WARNINGS_SCHEMA, episodes.empty_warnings()
    )

    paying = _read_paying(contract_folder, as_of_date, rules)
    scored = health.score_customers(paying, rules, connected)
    scored, band_memory = bands.say_bands(scored, remembered, rules)
    scored = _add_trends(
        scored, contract_folder, home, past, as_of_date, rules=rules, connected=connected
    )
    scored = health.add_reason(scored, rules, language)
    components = health.list_components(scored, rules)

    rates = _estimate_rates(contract_folder, as_of_date, rules)
    at_stake = probability.add_probability(scored, rates, rules.churn)
    at_stake = warnings.add_warning_signals(at_stake)
    seen = warnings.see_reasons(at_stake, rules, connected)
    reasons = warnings.say_reasons(seen, remembered, rules, is_first_night=last is None)
    drivers = episodes.gather_drivers(reasons, at_stake, rules, language)
    responses = signals.read_table(contract_folder, "playbook_responses")
    capacity = signals.read_table(contract_folder, "csm_capacity")
    listed = episodes.continue_episodes(
        warned, drivers, at_stake, responses, rules=rules, as_of_date=as_of_date
    )
    listed = episodes.rank_within_budget(listed, at_stake, capacity, responses, rules)

    scores = scored.with_columns(rules_version=pl.lit(rules.rules_version)).select(HEALTH_SCORES)
    night = memory.SaidNight(as_of_date, run_id)
    is_new = memory.write_night(
        home,
        night,
        {
            "health_scores": scores,
            "health_components": components,
            "churn_warnings": listed,
            "confirmations": _keep_memory(band_memory, reasons),
        },
        {
            "rules.json": rules.as_json() + "\n",
            "configuration.json": _spell(configuration or {}),
        },
    )
    return _report(
        night,
        home,
        rules,
        connected=connected,
        last=last,
        is_new=is_new,
        scores=scores,
        listed=listed,
        rates=rates,
    )


def _remember(
    home: Path,
    night: memory.SaidNight | None,
    table: str,
    schema: Mapping[str, pl.DataType],
    nothing: pl.DataFrame,
) -> pl.DataFrame:
    if night is None:
        return nothing
    return memory.read_said(home, night, table).select(
        pl.col(name).cast(dtype) for name, dtype in schema.items()
    )


def _read_paying(contract_folder: Path, as_of_date: date, rules: Rules) -> pl.DataFrame:
    found = signals.read_signals(contract_folder, [as_of_date])
    unknown = sorted(health.signals_named(rules) - set(found.columns))
    if unknown:
        raise signals.ContractError(
            f"the rules name signals that customer_signals does not have: {', '.join(unknown)}"
        )
    return found.filter(pl.col("mrr") > 0)


def _add_trends(
    scored: pl.DataFrame,
    contract_folder: Path,
    home: Path,
    past: list[memory.SaidNight],
    as_of_date: date,
    *,
    rules: Rules,
    connected: frozenset[str],
) -> pl.DataFrame:
    """Trends against what was said on the day, else against the nearest weekly date."""
    said = {night.as_of_date: night for night in past}
    weekly = signals.read_signal_dates(contract_folder)
    wanted = health.trend_dates(as_of_date)
    tolerance = rules.health.trend_tolerance_days
    nearest = {days: health.nearest_date(then, weekly, tolerance) for days, then in wanted.items()}
    rows = signals.read_signals(contract_folder, {day for day in nearest.values() if day})
    then_scored = health.score_customers(rows.filter(pl.col("mrr") > 0), rules, connected)
    for days, then in wanted.items():
        said_then = (
            memory.read_said(home, said[then], "health_scores") if then in said else scored.clear()
        )
        computed = then_scored.filter(pl.col("as_of_date") == pl.lit(nearest[days], pl.Date))
        scored = health.add_trend(scored, days, said_then, computed)
    return scored


def _estimate_rates(contract_folder: Path, as_of_date: date, rules: Rules) -> probability.LossRates:
    dates = signals.read_signal_dates(contract_folder)
    chosen = probability.origins(dates, as_of_date, rules.churn)
    population = signals.read_signals(contract_folder, chosen, ["segment", "mrr"])
    outcomes = signals.read_table(contract_folder, "customer_outcomes")
    return probability.estimate_rates(
        population.filter(pl.col("mrr") > 0), outcomes, as_of_date, rules.churn
    )


def _keep_memory(band_memory: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """What the next night needs to know; a reason that is off and not waiting needs no row."""
    waiting = reasons.drop("raw").filter(
        (pl.col("said") == "yes") | pl.col("pending").is_not_null()
    )
    columns = list(MEMORY_SCHEMA)
    kept = pl.concat([band_memory.select(columns), waiting.select(columns)])
    return kept.sort("customer_id", "subject")


def _report(
    night: memory.SaidNight,
    home: Path,
    rules: Rules,
    *,
    connected: frozenset[str],
    last: memory.SaidNight | None,
    is_new: bool,
    scores: pl.DataFrame,
    listed: pl.DataFrame,
    rates: probability.LossRates,
) -> ScoreReport:
    queue = listed.filter(pl.col("status").is_in(["opened", "ongoing"]))
    saved = queue["expected_saved_arr"].sum()
    return ScoreReport(
        as_of_date=night.as_of_date,
        run_id=night.run_id,
        folder=memory.night_folder(home, night),
        rules_version=rules.rules_version,
        previous_night=last.as_of_date if last else None,
        was_kept=not is_new,
        customer_count=scores.height,
        band_counts=_count(scores, "health_band"),
        mean_score=_number(scores["health_score"].mean()),
        median_score=_number(scores["health_score"].median()),
        mean_coverage=_number(scores["coverage"].mean()),
        unconnected_components=health.unconnected_components(rules, connected),
        warning_counts=_count(
            listed.filter(
                (pl.col("status") != "closed") | (pl.col("closed_on") == night.as_of_date)
            ),
            "status",
        ),
        reason_counts=_count(queue, "reason_code"),
        within_budget_count=int(listed["is_within_budget"].sum()),
        expected_saved_arr=float(saved or 0),
        base_rate=rates.base,
        loss_count=rates.event_count,
    )


def _count(rows: pl.DataFrame, column: str) -> dict[str, int]:
    counted = rows.group_by(column).len().sort(column)
    return dict(counted.iter_rows())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _spell(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1, default=str) + "\n"
