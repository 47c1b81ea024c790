"""One night of scoring: contract tables and earlier nights in, what is said tonight out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from scoring import (
    bands,
    changes,
    churn,
    disagreements,
    episodes,
    evaluation,
    health,
    history,
    judgement,
    memory,
    queue,
    reasons,
    restatements,
    savings,
    signals,
)
from scoring.config import Language, Rules
from scoring.confirmation import MEMORY_SCHEMA, empty_memory
from scoring.resampling import Resamples
from scoring.summary import ScoreReport, sum_up

MODELS = "churn_models.json"
CONNECTED = "connected.json"
# How many weekly dates back it is checked that signals are still what was said.
NIGHTS_COMPARED = 8
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
    "trend_sentence",
)


def score_night(
    contract_folder: Path,
    home: Path,
    rules: Rules,
    as_of_date: date,
    run_id: str,
    language: Language = "en",
    documents: Mapping[str, Any] | None = None,
    *,
    currency: str = "EUR",
    confirms_at_once: bool = False,
) -> ScoreReport:
    """Scores the customers with MRR > 0 and continues the warnings; writes the night's folder.

    `contract_folder`: the contract tables as Parquet; `home`: the data root, of which only
    `scores/` is read and written; `documents`: what else the night keeps, by file name;
    `currency`: that of the company, for sentences. With `confirms_at_once` bands and reasons are
    said without waiting for another night. The same inputs give the same bytes. A folder of the
    same run_id is left as it is (`was_kept`). The night is remembered by later ones only after
    `memory.append_said`.
    Raises ContractError (an unusable contract table) and LostMemoryError (an earlier night gone).
    """
    signals.check_night(contract_folder, as_of_date)
    connected = signals.read_connected_entities(contract_folder)
    past = memory.nights_before(home, as_of_date)
    last = past[-1] if past else None
    remembered = memory.recall(home, last, "confirmations", MEMORY_SCHEMA, empty_memory())
    warned = memory.recall(
        home, last, "churn_warnings", episodes.WARNINGS_SCHEMA, episodes.empty_warnings()
    )

    tonight = _read_tonight(contract_folder, as_of_date, rules)
    paying = tonight.filter(pl.col("mrr") > 0)
    outcomes = signals.read_outcomes(contract_folder, as_of_date)
    responses = signals.read_responses(contract_folder, as_of_date)
    capacity = signals.read_table(contract_folder, "csm_capacity")
    seen_before = history.read_history(contract_folder, as_of_date, rules, connected)
    resamples = Resamples(seen_before.rows["customer_id"], rules.report.resamples)

    saying = rules.confirming_at_once() if confirms_at_once else rules

    scored = health.score_customers(paying, rules, connected)
    scored = scored.with_columns(currency=pl.lit(currency))
    scored, band_memory = bands.say_bands(scored, remembered, saying)
    scored = _add_trends(scored, seen_before, home, past, rules)
    scored = health.add_reason(scored, rules, language)
    scored = health.add_trend_sentence(scored, language)
    components = health.list_components(scored, rules)
    ledger = _list_changes(scored, contract_folder, home, last, as_of_date, rules, language)

    models = memory.recall_document(home, last, MODELS, {})
    horizons = churn.estimate_churn(seen_before, rules, resamples, models)
    main = horizons[rules.churn.horizon_days]
    probabilities = churn.list_probabilities(scored, seen_before, horizons, main.days)
    treatments = judgement.list_treatments(responses)
    matured = _read_matured(contract_folder, seen_before, main, rules)
    learnt = savings.learn_savings(matured, treatments, rules, connected)

    at_stake = churn.add_probability(scored, probabilities)
    at_stake = reasons.join_lapsed(at_stake, tonight).with_columns(
        currency=pl.lit(currency), horizon_days=pl.lit(main.days)
    )
    at_stake = reasons.add_warning_signals(at_stake)
    seen = reasons.see_reasons(at_stake, rules, connected)
    said = reasons.say_reasons(seen, remembered, saying, is_first_night=last is None)
    drivers = episodes.gather_drivers(said, at_stake, rules, language)
    listed = episodes.continue_episodes(
        warned,
        drivers,
        at_stake,
        responses,
        savings.savings_by_reason(learnt),
        rules=rules,
        as_of_date=as_of_date,
    )
    listed = queue.rank_within_budget(listed, at_stake, capacity, responses, rules)

    judged = evaluation.evaluate(
        seen_before,
        horizons,
        outcomes,
        treatments,
        _read_said_probabilities(home, past, seen_before),
        matured,
        paying,
        budget_share=queue.budget_share(paying, capacity, rules),
        resamples=resamples,
        rules=rules,
        language=language,
    )

    scores = scored.with_columns(rules_version=pl.lit(rules.rules_version)).select(HEALTH_SCORES)
    night = memory.SaidNight(as_of_date, run_id)
    is_new = memory.write_night(
        home,
        night,
        {
            "health_scores": scores,
            "health_components": components,
            "health_changes": ledger,
            "churn_probabilities": probabilities,
            "churn_warnings": listed,
            "warning_savings": learnt,
            "score_report_card": judged.card,
            "score_calibration": judged.calibration,
            "signal_cohorts": judged.cohorts,
            "signal_restatements": _list_restatements(contract_folder, home, past, seen_before),
            "score_disagreements": disagreements.list_disagreements(seen_before, outcomes, rules),
            # What the next night needs.
            "confirmations": _keep_memory(band_memory, said),
            "signals": paying,
        },
        {
            "rules.json": rules.as_json() + "\n",
            **{name: _spell(document) for name, document in (documents or {}).items()},
            MODELS: _spell({str(days): h.as_document() for days, h in horizons.items()}),
            CONNECTED: _spell(sorted(connected)),
        },
    )
    return sum_up(
        night,
        home,
        rules,
        connected=connected,
        last=last,
        is_new=is_new,
        scores=scores,
        listed=listed,
        main=main,
        verdict=evaluation.verdict_of(judged.card, main.days),
    )


def _read_tonight(contract_folder: Path, as_of_date: date, rules: Rules) -> pl.DataFrame:
    found = signals.read_signals(contract_folder, [as_of_date])
    unknown = sorted(health.signals_named(rules) - set(found.columns))
    if unknown:
        raise signals.ContractError(
            f"the rules name signals that customer_signals does not have: {', '.join(unknown)}"
        )
    return found


def _add_trends(
    scored: pl.DataFrame,
    seen_before: history.History,
    home: Path,
    past: list[memory.SaidNight],
    rules: Rules,
) -> pl.DataFrame:
    """Trends against what was said on the day, else against the nearest weekly date."""
    said = {night.as_of_date: night for night in past}
    tolerance = rules.health.trend_tolerance_days
    for days, then in health.trend_dates(seen_before.as_of_date).items():
        nearest = health.nearest_date(then, seen_before.dates, tolerance)
        said_then = (
            memory.read_said(home, said[then], "health_scores") if then in said else scored.clear()
        )
        computed = seen_before.rows.filter(pl.col("as_of_date") == pl.lit(nearest, pl.Date))
        scored = health.add_trend(scored, days, said_then, computed)
    return scored


def _list_changes(
    scored: pl.DataFrame,
    contract_folder: Path,
    home: Path,
    last: memory.SaidNight | None,
    as_of_date: date,
    rules: Rules,
    language: Language,
) -> pl.DataFrame:
    """The change ledger; empty on the first night and after one that did not keep its inputs."""
    if last is None or not memory.keeps(home, last, CONNECTED):
        return changes.list_changes(scored, None, scored.clear(), rules, language)
    last_night = changes.LastNight(
        last.as_of_date,
        memory.read_said(home, last, "health_scores"),
        memory.read_said(home, last, "signals"),
        frozenset(memory.read_document(home, last, CONNECTED)),
    )
    late = signals.read_late_signals(contract_folder, last.as_of_date, as_of_date)
    return changes.list_changes(scored, last_night, late, rules, language)


def _read_matured(
    contract_folder: Path, seen_before: history.History, main: churn.Horizon, rules: Rules
) -> pl.DataFrame:
    """All signals of the dates that can be judged, with what became of the customers."""
    latest = seen_before.as_of_date - timedelta(days=main.days + rules.churn.grace_days)
    origins = history.choose_origins(seen_before.dates, latest, main.days)
    found = signals.read_signals(contract_folder, [seen_before.dates[i] for i in origins])
    return evaluation.label_past(seen_before, found, main)


def _read_said_probabilities(
    home: Path, past: list[memory.SaidNight], seen_before: history.History
) -> pl.DataFrame:
    """churn_probabilities of the nights that were said on a date of the history."""
    dates = set(seen_before.dates)
    nights = [
        night
        for night in past
        if night.as_of_date in dates and memory.keeps(home, night, "churn_probabilities.parquet")
    ]
    said = [memory.read_said(home, night, "churn_probabilities") for night in nights]
    return pl.concat([pl.DataFrame(schema=churn.PROBABILITIES_SCHEMA), *said])


def _list_restatements(
    contract_folder: Path,
    home: Path,
    past: list[memory.SaidNight],
    seen_before: history.History,
) -> pl.DataFrame:
    """The last weekly dates that were said, against what tonight's tables hold of them."""
    dates = set(seen_before.dates)
    nights = [n for n in past if n.as_of_date in dates and memory.keeps(home, n, CONNECTED)]
    nights = nights[-NIGHTS_COMPARED:]
    said = [memory.read_said(home, night, "signals") for night in nights]
    now = signals.read_signals(contract_folder, [night.as_of_date for night in nights])
    return restatements.list_restatements(said, now)


def _keep_memory(band_memory: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """What the next night needs to know; a reason that is off and not waiting needs no row."""
    waiting = said.drop("raw").filter((pl.col("said") == "yes") | pl.col("pending").is_not_null())
    columns = list(MEMORY_SCHEMA)
    kept = pl.concat([band_memory.select(columns), waiting.select(columns)])
    return kept.sort("customer_id", "subject")


def _spell(document: Any) -> str:
    # In its own order: that of components and signals decides the last digit of a sum.
    return json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"
