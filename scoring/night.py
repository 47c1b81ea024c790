"""One night of scoring: contract tables and earlier nights in, what is said tonight out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Night:
    """What every step of a night is given.

    `saying`: the rules by which bands and reasons are said; `past`: the nights said before it.
    """

    contract_folder: Path
    home: Path
    as_of_date: date
    rules: Rules
    saying: Rules
    language: Language
    currency: str
    connected: frozenset[str]
    past: list[memory.SaidNight]

    @property
    def last(self) -> memory.SaidNight | None:
        """The last night said; None on the first."""
        return self.past[-1] if self.past else None


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
    night = Night(
        contract_folder,
        home,
        as_of_date,
        rules,
        saying=rules.confirming_at_once() if confirms_at_once else rules,
        language=language,
        currency=currency,
        connected=signals.read_connected_entities(contract_folder),
        past=memory.nights_before(home, as_of_date),
    )
    remembered = memory.recall(home, night.last, "confirmations", MEMORY_SCHEMA, empty_memory())
    tonight = _read_tonight(night)
    paying = tonight.filter(pl.col("mrr") > 0)
    outcomes = signals.read_outcomes(contract_folder, as_of_date)
    responses = signals.read_responses(contract_folder, as_of_date)
    capacity = signals.read_table(contract_folder, "csm_capacity")
    seen_before = history.read_history(contract_folder, as_of_date, rules, night.connected)
    resamples = Resamples(seen_before.rows["customer_id"], rules.report.resamples)

    scored, band_memory = _score(paying, seen_before, remembered, night)
    components = health.list_components(scored, rules)
    ledger = _list_changes(scored, night)

    models = memory.recall_document(home, night.last, MODELS, {})
    horizons = churn.estimate_churn(seen_before, rules, resamples, models)
    main = horizons[rules.churn.horizon_days]
    probabilities = churn.list_probabilities(scored, seen_before, horizons, main.days)
    treatments = judgement.list_treatments(responses)
    matured = _read_matured(seen_before, main, night)
    learnt = savings.learn_savings(matured, treatments, rules, night.connected)

    at_stake = churn.add_probability(scored, probabilities)
    at_stake = reasons.join_lapsed(at_stake, tonight).with_columns(
        currency=pl.lit(currency), horizon_days=pl.lit(main.days)
    )
    listed, said = _warn(at_stake, remembered, responses, capacity, learnt, night)

    judged = evaluation.evaluate(
        seen_before,
        horizons,
        outcomes,
        treatments,
        _read_said_probabilities(seen_before, night),
        matured,
        paying,
        budget_share=queue.budget_share(paying, capacity, rules),
        resamples=resamples,
        rules=rules,
        language=language,
    )

    scores = scored.with_columns(rules_version=pl.lit(rules.rules_version)).select(HEALTH_SCORES)
    run = memory.SaidNight(as_of_date, run_id)
    is_new = memory.write_night(
        home,
        run,
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
            "signal_restatements": _list_restatements(seen_before, night),
            "score_disagreements": disagreements.list_disagreements(seen_before, outcomes, rules),
            # What the next night needs.
            "confirmations": _keep_memory(band_memory, said),
            "signals": paying,
        },
        {
            "rules.json": rules.as_json() + "\n",
            **{name: _spell(document) for name, document in (documents or {}).items()},
            MODELS: _spell({str(days): h.as_document() for days, h in horizons.items()}),
            CONNECTED: _spell(sorted(night.connected)),
        },
    )
    return sum_up(
        run,
        home,
        rules,
        connected=night.connected,
        last=night.last,
        is_new=is_new,
        scores=scores,
        listed=listed,
        main=main,
        verdict=evaluation.verdict_of(judged.card, main.days),
    )


def _read_tonight(night: Night) -> pl.DataFrame:
    found = signals.read_signals(night.contract_folder, [night.as_of_date])
    unknown = sorted(health.signals_named(night.rules) - set(found.columns))
    if unknown:
        raise signals.UnknownSignalError(
            f"the rules name signals that customer_signals does not have: {', '.join(unknown)}; "
            "docs/tables.md lists those it has"
        )
    return found


def _score(
    paying: pl.DataFrame, seen_before: history.History, remembered: pl.DataFrame, night: Night
) -> bands.Banded:
    """Tonight's scores with bands, trends and sentences, and the memory of bands."""
    scored = health.score_customers(paying, night.rules, night.connected)
    scored = scored.with_columns(currency=pl.lit(night.currency))
    scored, band_memory = bands.say_bands(scored, remembered, night.saying)
    scored = _add_trends(scored, seen_before, night)
    scored = health.add_reason(scored, night.rules, night.language)
    return bands.Banded(health.add_trend_sentence(scored, night.language), band_memory)


def _warn(
    at_stake: pl.DataFrame,
    remembered: pl.DataFrame,
    responses: pl.DataFrame,
    capacity: pl.DataFrame,
    learnt: pl.DataFrame,
    night: Night,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """churn_warnings of tonight, and the reasons as said. `learnt`: warning_savings."""
    rules = night.rules
    before = memory.recall(
        night.home,
        night.last,
        "churn_warnings",
        episodes.WARNINGS_SCHEMA,
        episodes.empty_warnings(),
    )
    at_stake = reasons.add_warning_signals(at_stake)
    seen = reasons.see_reasons(at_stake, rules, night.connected)
    said = reasons.say_reasons(seen, remembered, night.saying, is_first_night=night.last is None)
    drivers = episodes.gather_drivers(said, at_stake, rules, night.language)
    listed = episodes.continue_episodes(
        before,
        drivers,
        at_stake,
        responses,
        savings.savings_by_reason(learnt),
        rules=rules,
        as_of_date=night.as_of_date,
    )
    return queue.rank_within_budget(listed, at_stake, capacity, responses, rules), said


def _add_trends(scored: pl.DataFrame, seen_before: history.History, night: Night) -> pl.DataFrame:
    """Trends against what was said on the day, else against the nearest weekly date."""
    said = {earlier.as_of_date: earlier for earlier in night.past}
    tolerance = night.rules.health.trend_tolerance_days
    for days, then in health.trend_dates(seen_before.as_of_date).items():
        nearest = health.nearest_date(then, seen_before.dates, tolerance)
        said_then = (
            memory.read_said(night.home, said[then], "health_scores")
            if then in said
            else scored.clear()
        )
        computed = seen_before.rows.filter(pl.col("as_of_date") == pl.lit(nearest, pl.Date))
        scored = health.add_trend(scored, days, said_then, computed)
    return scored


def _list_changes(scored: pl.DataFrame, night: Night) -> pl.DataFrame:
    """The change ledger; empty on the first night and after one that did not keep its inputs."""
    home, last = night.home, night.last
    if last is None or not memory.keeps(home, last, CONNECTED):
        return changes.list_changes(scored, None, scored.clear(), night.rules, night.language)
    last_night = changes.LastNight(
        last.as_of_date,
        memory.read_said(home, last, "health_scores"),
        memory.read_said(home, last, "signals"),
        frozenset(memory.read_document(home, last, CONNECTED)),
    )
    late = signals.read_late_signals(night.contract_folder, last.as_of_date, night.as_of_date)
    return changes.list_changes(scored, last_night, late, night.rules, night.language)


def _read_matured(seen_before: history.History, main: churn.Horizon, night: Night) -> pl.DataFrame:
    """All signals of the dates that can be judged, with what became of the customers."""
    latest = night.as_of_date - timedelta(days=main.days + night.rules.churn.grace_days)
    origins = history.choose_origins(seen_before.dates, latest, main.days)
    dates = [seen_before.dates[i] for i in origins]
    return evaluation.label_past(
        seen_before, signals.read_signals(night.contract_folder, dates), main
    )


def _read_said_probabilities(seen_before: history.History, night: Night) -> pl.DataFrame:
    """churn_probabilities of the nights that were said on a date of the history."""
    nights = _nights_on_dates(seen_before, night, "churn_probabilities.parquet")
    said = [memory.read_said(night.home, earlier, "churn_probabilities") for earlier in nights]
    return pl.concat([pl.DataFrame(schema=churn.PROBABILITIES_SCHEMA), *said])


def _list_restatements(seen_before: history.History, night: Night) -> pl.DataFrame:
    """The last weekly dates that were said, against what tonight's tables hold of them."""
    nights = _nights_on_dates(seen_before, night, CONNECTED)[-NIGHTS_COMPARED:]
    said = [memory.read_said(night.home, earlier, "signals") for earlier in nights]
    dates = [earlier.as_of_date for earlier in nights]
    return restatements.list_restatements(said, signals.read_signals(night.contract_folder, dates))


def _nights_on_dates(
    seen_before: history.History, night: Night, name: str
) -> list[memory.SaidNight]:
    """The nights said on a date of the history that kept a file."""
    dates = set(seen_before.dates)
    return [
        earlier
        for earlier in night.past
        if earlier.as_of_date in dates and memory.keeps(night.home, earlier, name)
    ]


def _keep_memory(band_memory: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """What the next night needs to know; a reason that is off and not waiting needs no row."""
    waiting = said.drop("raw").filter((pl.col("said") == "yes") | pl.col("pending").is_not_null())
    columns = list(MEMORY_SCHEMA)
    kept = pl.concat([band_memory.select(columns), waiting.select(columns)])
    return kept.sort("customer_id", "subject")


def _spell(document: Any) -> str:
    # In its own order: that of components and signals decides the last digit of a sum.
    return json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"
