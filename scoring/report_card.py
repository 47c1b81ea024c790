"""Does the score help? score_report_card: each method against what became of the customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from scoring.calibration import measure_error
from scoring.config import Language, ReportRules
from scoring.history import Floats
from scoring.judgement import BASELINES, Judged, Ranking
from scoring.resampling import Resamples, interval, interval_of_share, quotient, tidy
from scoring.sentences import say_method, say_name, say_verdict

CARD_SCHEMA: dict[str, pl.DataType] = {
    "card": pl.String(),
    "method": pl.String(),
    "horizon_days": pl.Int64(),
    "segment": pl.String(),
    "population": pl.String(),
    "n": pl.Int64(),
    "events": pl.Int64(),
    "base_rate": pl.Float64(),
    "flips_per_customer_year": pl.Float64(),
    "precision_at_k": pl.Float64(),
    "precision_low": pl.Float64(),
    "precision_high": pl.Float64(),
    "recall_at_k": pl.Float64(),
    "recall_low": pl.Float64(),
    "recall_high": pl.Float64(),
    "recall_arr_at_k": pl.Float64(),
    "lift_top_decile": pl.Float64(),
    "auc": pl.Float64(),
    "auc_low": pl.Float64(),
    "auc_high": pl.Float64(),
    "brier": pl.Float64(),
    "calibration_error": pl.Float64(),
    "lead_days_p50": pl.Float64(),
    "is_in_force": pl.Boolean(),
    "budget_share": pl.Float64(),
    "verdict": pl.String(),
}
ALL = "all"
# The sums over customers that every figure is a quotient of.
SUMS = (
    "n",
    "flagged",
    "caught",
    "lost",
    "caught_arr",
    "lost_arr",
    "top",
    "top_caught",
    "wins",
    "pairs",
    "error",
)


@dataclass(frozen=True)
class Subset:
    """A part of the judged rows, under the names of its row in the card."""

    segment: str
    population: str
    mask: np.ndarray


def write_card(
    judged: Judged,
    rankings: Mapping[str, Ranking],
    lived: Ranking,
    is_lived: np.ndarray,
    flips: pl.DataFrame,
    *,
    in_force: str,
    budget_share: float,
    resamples: Resamples,
    report: ReportRules,
    language: Language,
) -> list[dict[str, Any]]:
    """The rows of one card and horizon.

    `rankings`: by method, over the rows of the history; `lived`: the method in force as it was
    said then, on the rows where `is_lived`; `flips`: judgement.count_flips.
    """
    flip_rates = {row["segment"]: row for row in flips.iter_rows(named=True)}
    listed = []
    for subset in _subsets(judged, is_lived):
        rows = judged.rows.filter(pl.Series(subset.mask))
        is_lived_row = subset.population == "lived"
        ranked = {**rankings, in_force: lived} if is_lived_row else rankings
        measured = {
            method: _measure(rows, ranking, resamples) for method, ranking in ranked.items()
        }
        totals = np.hstack([totals for totals, _ in measured.values()])
        # Without the events for an interval nothing is drawn: a company may have many segments.
        is_drawn = rows["is_lost"].sum() >= report.minimum_events
        drawn = resamples.draw(totals) if is_drawn else totals.sum(axis=0, keepdims=True)
        sums = {method: _name_sums(drawn, place) for place, method in enumerate(measured)}
        verdicts = _compare(sums, judged.horizon_days, in_force, report, language)
        flip_row = flip_rates.get(subset.segment, {}) if subset.population == ALL else {}
        for method, (_, figures) in measured.items():
            listed.append(
                {
                    "card": judged.card,
                    "method": method,
                    "horizon_days": judged.horizon_days,
                    "segment": subset.segment,
                    "population": subset.population,
                    "flips_per_customer_year": _known(flip_row.get(method)),
                    "is_in_force": method == in_force,
                    "budget_share": round(budget_share, 6),
                    "verdict": verdicts[method],
                    **figures,
                    **_judge(sums[method], rankings[method].probability is not None, report),
                }
            )
    return listed


def select_in_force(card: pl.DataFrame, horizon_days: int) -> pl.DataFrame:
    """The row of score_report_card that stands for the score: in force, over all customers."""
    return card.filter(
        pl.col("is_in_force"),
        card="customer",
        horizon_days=horizon_days,
        segment=ALL,
        population=ALL,
    )


def _subsets(judged: Judged, is_lived: np.ndarray) -> Iterator[Subset]:
    everybody = np.ones(judged.rows.height, dtype=bool)
    treated = judged.rows["is_treated"].to_numpy()
    segment = judged.rows["segment"].to_numpy()
    yield Subset(ALL, ALL, everybody)
    populations = {
        "treated": treated,
        "untreated": ~treated,
        "lived": is_lived,
        "reconstructed": ~is_lived,
    }
    for population, mask in populations.items():
        if mask.any():
            yield Subset(ALL, population, mask)
    for name in sorted(set(segment)):
        yield Subset(name, ALL, segment == name)


def _measure(
    rows: pl.DataFrame, ranking: Ranking, resamples: Resamples
) -> tuple[np.ndarray, dict[str, Any]]:
    """The SUMS of each customer, and the figures that are no quotient of sums."""
    places = rows["row"].to_numpy()
    lost = rows["is_lost"].to_numpy().astype(float)
    lost_arr = lost * rows["arr"].fill_null(0.0).to_numpy()
    flags, top = ranking.flags[places], ranking.top_flags[places]
    wins, pairs = _compare_pairs(rows, ranking.risk[places])
    error, calibration_error = np.zeros(len(lost)), None
    if ranking.probability is not None:
        p = ranking.probability[places]
        error, calibration_error = (p - lost) ** 2, measure_error(p, lost)
    columns = {
        "n": np.ones(len(lost)),
        "flagged": flags,
        "caught": flags * lost,
        "lost": lost,
        "caught_arr": flags * lost_arr,
        "lost_arr": lost_arr,
        "top": top,
        "top_caught": top * lost,
        "wins": wins,
        "pairs": pairs,
        "error": error,
    }
    leads = rows["lead_days"].to_numpy()[(flags >= 0.5) & (lost > 0)]
    figures = {
        "calibration_error": calibration_error,
        "lead_days_p50": float(np.median(leads)) if leads.size else None,
    }
    return resamples.totals(rows["customer_id"], [columns[name] for name in SUMS]), figures


def _name_sums(drawn: np.ndarray, place: int) -> dict[str, np.ndarray]:
    """The draws of one method, by the names of SUMS."""
    first = place * len(SUMS)
    return {name: drawn[:, first + column] for column, name in enumerate(SUMS)}


def _compare_pairs(rows: pl.DataFrame, risk: Floats) -> tuple[Floats, Floats]:
    """Per row: its pairs with customers of the other outcome in its group, and those ranked right.

    An equal risk is half right.
    """
    among_all = pl.col("risk").rank("average").over("group")
    among_own = pl.col("risk").rank("average").over("group", "is_lost")
    others = pl.len().over("group") - pl.len().over("group", "is_lost")
    below = among_all - among_own
    found = rows.select("group", "is_lost", risk=pl.Series(risk)).select(
        wins=pl.when("is_lost").then(below).otherwise(others - below), pairs=others
    )
    return found["wins"].to_numpy().astype(float), found["pairs"].to_numpy().astype(float)


def _auc(sums: Mapping[str, np.ndarray]) -> np.ndarray:
    """The AUC of each draw.

    Every pair stands in the sums of both its customers. A draw counts a pair by the draws of
    either, to first order: w1 w2 is about w1 + w2 - 1.
    """
    wins, pairs = sums["wins"], sums["pairs"]
    return np.clip(quotient(wins - wins[0] / 2.0, pairs - pairs[0] / 2.0), 0.0, 1.0)


def _judge(
    sums: Mapping[str, np.ndarray], has_probability: bool, report: ReportRules
) -> dict[str, Any]:
    """The figures that are quotients; those with intervals only from the minimum of events on."""
    found: dict[str, Any] = {
        "n": round(float(sums["n"][0])),
        "events": round(float(sums["lost"][0])),
        "base_rate": _ratio(sums, "lost", "n"),
        "recall_arr_at_k": _ratio(sums, "caught_arr", "lost_arr"),
        "brier": _ratio(sums, "error", "n") if has_probability else None,
    }
    if found["events"] < report.minimum_events:
        return found
    top_rate = quotient(sums["top_caught"], sums["top"])
    found["lift_top_decile"] = tidy(quotient(top_rate, quotient(sums["lost"], sums["n"]))[0])
    auc = _auc(sums)
    found["auc"] = tidy(auc[0])
    found["auc_low"], found["auc_high"] = interval(auc, report.confidence)
    for name, among in (("precision", "flagged"), ("recall", "lost")):
        found[f"{name}_at_k"] = _ratio(sums, "caught", among)
        found[f"{name}_low"], found[f"{name}_high"] = interval_of_share(
            sums["caught"], sums[among], report.confidence
        )
    return found


def _compare(
    measured: Mapping[str, Mapping[str, np.ndarray]],
    horizon_days: int,
    in_force: str,
    report: ReportRules,
    language: Language,
) -> dict[str, str]:
    """Each method's verdict: against chance, and against the best baseline on the same draws.

    A baseline that is the same for everybody (nothing delivers it) is none to beat.
    """
    verdicts = {}
    aucs = {method: _auc(sums) for method, sums in measured.items()}
    baselines = [b for b in measured if b in BASELINES and np.any(aucs[b] != 0.5)]
    for method, sums in measured.items():
        said: dict[str, Any] = {
            "subject": say_method(method, method == in_force, language),
            "events": round(float(sums["lost"][0])),
            "days": horizon_days,
        }
        if said["events"] < report.minimum_events or np.isnan(aucs[method][0]):
            said["minimum"] = report.minimum_events
            is_few = said["events"] < report.minimum_events
            verdicts[method] = say_verdict("too_few" if is_few else "none_stayed", said, language)
            continue
        best = max(baselines, key=lambda b: float(aucs[b][0]), default=method)
        low, high = interval(aucs[method], report.confidence)
        above, below = interval(aucs[method] - aucs[best], report.confidence)
        if method in BASELINES and method not in baselines:
            key = "same_for_all"
        elif high is not None and high < 0.5:
            key = "wrong_way"
        elif low is None or low <= 0.5:
            key = "no_help"
        elif method in BASELINES:
            key = "baseline"
        elif not baselines:
            key = "helps"
        elif above is not None and above > 0:
            key = "beats"
        elif below is not None and below < 0:
            key = "worse"
        else:
            key = "no_better"
        said |= {
            "auc": f"{aucs[method][0]:.2f}",
            "low": f"{low or 0.0:.2f}",
            "high": f"{high or 0.0:.2f}",
            "best": say_name(best, language),
            "best_auc": f"{aucs[best][0]:.2f}",
            "above": f"{above or 0.0:+.2f}",
            "below": f"{below or 0.0:+.2f}",
        }
        verdicts[method] = say_verdict(key, said, language)
    return verdicts


def _ratio(sums: Mapping[str, np.ndarray], above: str, below: str) -> float | None:
    return tidy(float(quotient(sums[above], sums[below])[0]))


def _known(value: float | None) -> float | None:
    return None if value is None else tidy(float(value))
