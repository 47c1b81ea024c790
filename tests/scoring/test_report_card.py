"""The report card: its figures by hand, its intervals, its words."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from scoring.calibration import calibrate, measure_error
from scoring.churn import estimate_churn
from scoring.config import Rules, load_rules
from scoring.evaluation import Evaluation, evaluate, label_past, verdict_of
from scoring.history import History, score_history
from scoring.judgement import (
    count_flips,
    flag_top,
    judge_customers,
    judge_renewals,
    list_treatments,
    mark_treated,
    rank,
    rank_baselines,
)
from scoring.logistic import LOGISTIC
from scoring.report_card import CARD_SCHEMA, write_card
from scoring.resampling import Resamples, interval, interval_of_share, quotient
from tests.scoring.companies import LAST_SUNDAY, grow_company, history_of, loss, renewal
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, frame, signals

RULES = load_rules()
NOBODY = pl.DataFrame(schema={"customer_id": pl.String, "started_on": pl.Date})
ORIGIN = NIGHT - timedelta(days=200)


def history_of_ten(*outcomes: dict[str, Any], **changes: list[Any]) -> History:
    """Ten customers on one matured date; changes: a value for each."""
    rows = [
        customer(f"c{i}", on=ORIGIN, **{name: values[i] for name, values in changes.items()})
        for i in range(10)
    ]
    certain = frame("customer_outcomes", outcomes).with_columns(
        mrr_kept=pl.lit(None, pl.Float64), term_months=pl.lit(None, pl.Float64)
    )
    return score_history(signals(*rows), certain, NIGHT, RULES, CONNECTED)


def card_of(
    history: History,
    risk: list[float],
    rules: Rules = RULES,
    share: float = 0.2,
    treatments: pl.DataFrame = NOBODY,
    days: int = 90,
    in_force: str = "rules",
    resamples: Resamples | None = None,
    said: list[float] | None = None,
) -> pl.DataFrame:
    """The card of one method beside the baselines; said: the risk that every night said then."""
    rankings = {"rules": rank(history, np.array(risk), share, has_probability=True)}
    rankings |= rank_baselines(history, share)
    judged = judge_customers(history, treatments, days, rules)
    listed = write_card(
        judged,
        rankings,
        rank(history, np.array(said or risk), share, has_probability=True),
        np.full(judged.rows.height, said is not None),
        count_flips(history, {m: r.flags for m, r in rankings.items()}),
        in_force=in_force,
        budget_share=share,
        resamples=resamples or Resamples(history.rows["customer_id"], 200),
        report=rules.report,
        language="en",
    )
    return pl.DataFrame(listed, schema=CARD_SCHEMA, orient="row")


def judge(
    found: pl.DataFrame,
    outcomes: pl.DataFrame,
    rules: Rules = RULES,
    logistic_from: date | None = None,
) -> Evaluation:
    """The evaluation of a company on its last Sunday.

    `logistic_from`: since when there has been a logistic model, which calls all equally probable.
    """
    history = history_of(found, outcomes, rules, LAST_SUNDAY)
    resamples = Resamples(history.rows["customer_id"], rules.report.resamples)
    horizons = estimate_churn(history, rules, resamples, {})
    if logistic_from:
        has_model = (history.rows["as_of_date"] >= logistic_from).to_numpy()
        for horizon in horizons.values():
            horizon.by_method[LOGISTIC] = np.where(has_model, 0.1, np.nan)
    matured = found.filter(pl.col("as_of_date") == history.dates[40])
    return evaluate(
        history,
        horizons,
        outcomes.with_columns(term_months=pl.lit(12.0)).filter(pl.col("known_on") <= LAST_SUNDAY),
        NOBODY,
        pl.DataFrame(
            schema={
                "customer_id": pl.String,
                "as_of_date": pl.Date,
                "horizon_days": pl.Int64,
                "probability": pl.Float64,
            }
        ),
        label_past(history, matured, horizons[90]),
        found.filter(pl.col("as_of_date") == LAST_SUNDAY),
        budget_share=0.1,
        resamples=resamples,
        rules=rules,
        language="en",
    )


def test_the_figures_of_a_card_by_hand():
    # Of ten customers two are lost; the method ranks them 1st and 4th, and the budget takes two.
    rules = load_rules({"report": {"minimum_events": 1}})
    lost = [loss("c0", ORIGIN + timedelta(days=30)), loss("c3", ORIGIN + timedelta(days=60))]
    history = history_of_ten(*lost, arr=[3000.0, 1, 1, 1000.0, 1, 1, 1, 1, 1, 1])
    risk = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    row = card_of(history, risk, rules).row(0, named=True)
    assert (row["n"], row["events"], row["base_rate"]) == (10, 2, 0.2)
    assert (row["precision_at_k"], row["recall_at_k"]) == (0.5, 0.5)
    assert row["recall_arr_at_k"] == 0.75
    assert row["lift_top_decile"] == 5.0
    # Of 2 x 8 pairs the first is right in 8, the second in 6.
    assert row["auc"] == pytest.approx(14 / 16)
    brier = sum((p - (i in (0, 3))) ** 2 for i, p in enumerate(risk)) / 10
    assert row["brier"] == pytest.approx(brier, abs=1e-6)
    assert row["lead_days_p50"] == 30.0


def test_nights_that_were_lived_are_judged_by_what_they_said():
    rules = load_rules({"report": {"minimum_events": 1}})
    history = history_of_ten(loss("c0", ORIGIN + timedelta(days=30)))
    first, last = [0.9, *[0.1] * 9], [0.1, *[0.9] * 9]
    card = card_of(history, first, rules, said=last).filter(method="rules")
    aucs = dict(card.filter(segment="all").select("population", "auc").iter_rows())
    assert aucs == {"all": 1.0, "untreated": 1.0, "lived": 0.0}


def test_equals_share_the_last_slots_and_are_half_right():
    rules = load_rules({"report": {"minimum_events": 1}})
    history = history_of_ten(loss("c0", ORIGIN + timedelta(days=30)))
    row = card_of(history, [0.5] * 10, rules).row(0, named=True)
    assert (row["auc"], row["recall_at_k"], row["precision_at_k"]) == (0.5, 0.2, 0.1)
    three_equal = np.array([1.0, 1, 1, *[0.0] * 7])
    fifth, half = flag_top(history, three_equal, 0.2, 0.5)
    assert fifth.tolist() == pytest.approx([2 / 3] * 3 + [0.0] * 7)
    assert half.tolist() == pytest.approx([1.0] * 3 + [2 / 7] * 7)


def test_below_the_minimum_of_events_it_says_too_few():
    history = history_of_ten(loss("c0", ORIGIN + timedelta(days=30)))
    row = card_of(history, [0.5] * 10).row(0, named=True)
    assert (row["auc"], row["precision_at_k"], row["recall_low"]) == (None, None, None)
    assert row["verdict"] == (
        "The score cannot be checked yet: it takes 20 losses to tell whether it finds them in"
        " advance, and so far 1 can be looked back on."
    )


def test_a_score_that_ranks_the_lost_last_is_not_said_to_be_chance():
    found, outcomes = grow_company(120, signal=2.0, hazard=0.01)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    row = write_card_of(history, history.column("health_score"), RULES)
    assert row["auc_high"] < 0.5
    assert row["verdict"].startswith("The score points the wrong way 90 days ahead: AUC 0.")


def test_where_everybody_left_it_does_not_ask_for_more_losses():
    rules = load_rules({"report": {"minimum_events": 5}})
    history = history_of_ten(*(loss(f"c{i}", ORIGIN + timedelta(days=30)) for i in range(10)))
    row = card_of(history, [0.5] * 10, rules).row(0, named=True)
    assert (row["events"], row["auc"], row["precision_at_k"]) == (10, None, 1.0)
    assert row["verdict"] == (
        "The score cannot be checked yet: on no date that can be looked back on did some customers"
        " leave within 90 days and others stay (10 losses)."
    )


def test_the_rules_are_spoken_of_in_the_singular():
    rules = load_rules({"report": {"minimum_events": 1}})
    history = history_of_ten(loss("c0", ORIGIN + timedelta(days=30)))
    card = card_of(history, [0.5] * 10, rules, in_force="logistic").filter(method="rules")
    assert card["verdict"][0].startswith("Scoring by rules does not help")


LONG_GONE = [300, 250, *[3] * 8]
FEW_LOSSES = load_rules({"report": {"minimum_events": 2}})


def verdicts_of(**changes: list[Any]) -> dict[str, str]:
    """The verdicts on ten customers, of whom the score finds the two that were lost."""
    lost = (loss(f"c{i}", ORIGIN + timedelta(days=30)) for i in range(2))
    history = history_of_ten(*lost, **{"days_since_last_use": [None] * 10, **changes})
    card = card_of(history, [0.9, 0.8, *[0.1] * 8], FEW_LOSSES).filter(segment="all")
    return dict(card.filter(population="all").select("method", "verdict").iter_rows())


def test_a_measure_that_nothing_delivers_is_none_to_beat():
    same = {"active_user_count_28d": [None] * 10, "last_outcome": [None] * 10}
    younger = verdicts_of(**same, tenure_days=[10, *[500] * 9])
    assert "the best simple measure (time as a customer)" in younger["rules"]
    assert younger["days_since_last_use"] == (
        "Days since last use is the same for every customer here, so there is nothing to compare"
        " with."
    )
    unused = verdicts_of(**same, tenure_days=[500] * 10, days_since_last_use=LONG_GONE)
    assert "the best simple measure (days since last use)" in unused["rules"]


def test_without_any_simple_measure_the_score_is_told_from_chance_alone():
    columns = ("active_user_count_28d", "last_outcome", "tenure_days")
    verdict = verdicts_of(**{name: [None] * 10 for name in columns})["rules"]
    assert verdict == (
        "The score helps to find losses 90 days ahead: AUC 1.00 over 2 losses (1.00 to 1.00)."
        " No simple measure has the data to be compared with."
    )


def test_baselines_rank_by_what_everybody_sees():
    history = history_of_ten(
        days_since_last_use=[40, None, 3, None, *[3] * 6],
        days_without_first_use=[None, 12, None, None, *[None] * 6],
        last_outcome=["churned", "renewed_late", None, "renewed_on_time", *[None] * 6],
        tenure_days=[10, 20, *[500] * 8],
    )
    rankings = rank_baselines(history, 0.2)
    assert rankings["days_since_last_use"].risk.tolist()[:4] == [40, 100_000, 3, 3]
    assert rankings["last_outcome"].risk.tolist()[:4] == [4, 3, 0, 0]
    assert rankings["tenure_days"].flags.tolist()[:3] == [1, 1, 0]
    assert all(r.probability is None for r in rankings.values())


def test_flips_count_who_enters_and_leaves_per_customer_year():
    rows = [customer(c, on=NIGHT - timedelta(weeks=w)) for c in "ab" for w in range(3)]
    # That c was flagged two weeks apart tells nothing of the week between.
    rows += [customer("c", on=NIGHT - timedelta(weeks=w)) for w in (0, 2)]
    history = score_history(
        signals(*rows),
        frame("customer_outcomes", ()).with_columns(
            mrr_kept=pl.lit(None, pl.Float64), term_months=pl.lit(None, pl.Float64)
        ),
        NIGHT,
        RULES,
        CONNECTED,
    )
    # Dates in order, a then b: a is flagged, then b, then b.
    flips = count_flips(history, {"m": np.array([1.0, 0, 1, 0, 1, 0, 1, 1])})
    assert flips["segment"].to_list() == ["all", "smb"]
    assert flips["m"].to_list() == pytest.approx([2 / (28 / 365.25)] * 2)


def test_the_card_is_that_of_a_plain_recount():
    rules = load_rules({"report": {"minimum_events": 1}})
    found, outcomes = grow_company(50, 60, signal=1.0)
    history = history_of(found, outcomes, rules, LAST_SUNDAY)
    acted = [(f"c{i:04}", LAST_SUNDAY - timedelta(days=150 + i)) for i in range(0, 50, 3)]
    treatments = pl.DataFrame(acted, schema=NOBODY.schema, orient="row")
    card = card_of(history, [0.0] * history.rows.height, rules, 0.3, treatments, 30)

    # customer, date, tenure; the rank of who has been there shortest is the highest.
    rows = found.select("customer_id", "as_of_date", "tenure_days").rows()
    losses = outcomes.filter(kind="mrr_loss", is_provisional=False)
    lost_on = {
        (name, day)
        for name, day, known_on in losses.select("customer_id", "outcome_date", "known_on").rows()
        if known_on <= LAST_SUNDAY
    }
    # Dates 30 days apart are five weeks apart, the newest with horizon and grace behind it.
    newest = max(day for _, day, _ in rows if (LAST_SUNDAY - day).days >= 30 + 90)
    seen: dict[str, tuple[date, float]] = {}
    moved, followed_days, counts = 0.0, 0, {False: [0, 0, 0.0, 0.0], True: [0, 0, 0.0, 0.0]}
    for day in sorted({day for _, day, _ in rows}):
        here = [(name, tenure) for name, on, tenure in rows if on == day]
        slots = math.ceil(0.3 * len(here) - 1e-9)
        for name, tenure in here:
            before = sum(other < tenure for _, other in here)
            equal = sum(other == tenure for _, other in here)
            flag = min(max((slots - before) / equal, 0.0), 1.0)
            if name in seen:
                then, was = seen[name]
                moved, followed_days = moved + abs(flag - was), followed_days + (day - then).days
            seen[name] = (day, flag)
            if day <= newest and (newest - day).days % 35 == 0:
                is_lost = any(
                    (name, day + timedelta(days=ahead)) in lost_on for ahead in range(1, 31)
                )
                is_treated = any(n == name and abs((on - day).days) <= 28 for n, on in acted)
                count = counts[is_treated]
                for place, value in enumerate((1, is_lost, flag, flag * is_lost)):
                    count[place] += value

    assert min(count[1] for count in counts.values()) > 0
    everybody = [sum(pair) for pair in zip(*counts.values(), strict=True)]
    populations = {"all": everybody, "treated": counts[True], "untreated": counts[False]}
    for population, (n, lost, flagged, caught) in populations.items():
        row = card.filter(method="tenure_days", segment="all", population=population).row(
            0, named=True
        )
        assert (row["n"], row["events"]) == (n, lost)
        assert row["precision_at_k"] == pytest.approx(caught / flagged, abs=1e-6)
        assert row["recall_at_k"] == pytest.approx(caught / lost, abs=1e-6)
    row = card.filter(method="tenure_days", segment="all", population="all").row(0, named=True)
    flips = moved / (followed_days / 365.25)
    assert row["flips_per_customer_year"] == pytest.approx(flips, abs=1e-6)
    parts = card.filter(pl.col("population") != "all")
    assert parts["flips_per_customer_year"].to_list() == [None] * parts.height


def test_a_renewal_is_judged_by_the_last_date_before_its_horizon():
    dates = [NIGHT - timedelta(days=2 + 7 * week) for week in range(30)]
    due = NIGHT - timedelta(days=40)
    outcomes = frame(
        "customer_outcomes", [renewal("a", due, "churned"), renewal("b", due, "open")]
    ).with_columns(mrr_kept=pl.lit(None, pl.Float64), term_months=pl.Series([12.0, 12.0]))
    found = signals(*(customer(c, on=day) for c in "ab" for day in dates))
    history = score_history(found, outcomes, NIGHT, RULES, CONNECTED)
    row = judge_renewals(history, outcomes, NOBODY, 90, RULES).rows.row(0, named=True)
    wanted = max(day for day in dates if day <= due - timedelta(days=90))
    assert (row["customer_id"], row["as_of_date"], row["is_lost"]) == ("a", wanted, True)
    assert row["lead_days"] == (due - wanted).days > 90
    monthly = outcomes.with_columns(term_months=pl.lit(1.0))
    assert judge_renewals(history, monthly, NOBODY, 90, RULES).rows.is_empty()


def test_treated_is_who_was_acted_on_around_the_date():
    rows = pl.DataFrame({"customer_id": ["a", "b"], "as_of_date": [ORIGIN] * 2})
    runs = frame(
        "playbook_responses",
        [
            {"customer_id": "a", "kind": "risk", "started_on": ORIGIN + timedelta(days=28)},
            {"customer_id": "b", "kind": "risk", "started_on": ORIGIN + timedelta(days=29)},
            {"customer_id": "b", "kind": "upsell", "started_on": ORIGIN},
        ],
    )
    assert mark_treated(rows, list_treatments(runs), 28)["is_treated"].to_list() == [True, False]


def test_the_interval_of_an_auc_is_that_of_customers_resampled_pair_by_pair():
    dice = np.random.default_rng(5)
    rules = load_rules({"report": {"minimum_events": 1, "resamples": 1000}})
    found, outcomes = grow_company(60, 60, signal=1.0)
    history = history_of(found, outcomes, rules, LAST_SUNDAY)
    risk = -history.column("health_score")
    card = write_card_of(history, risk, rules)
    judged = judge_customers(history, NOBODY, 90, rules).rows
    x, lost = risk[judged["row"].to_numpy()], judged["is_lost"].to_numpy()
    groups = judged["group"].to_numpy()
    ids = judged["customer_id"].to_numpy()
    everybody = np.unique(history.rows["customer_id"].to_numpy())
    pairs = [
        (i, j, 1.0 if x[i] > x[j] else 0.5 if x[i] == x[j] else 0.0)
        for i in np.flatnonzero(lost)
        for j in np.flatnonzero(~lost)
        if groups[i] == groups[j]
    ]
    first, second, wins = (np.array(column) for column in zip(*pairs, strict=True))
    assert card["auc"] == pytest.approx(wins.mean(), abs=1e-6)
    drawn = []
    for _ in range(1000):
        counts = dict(zip(everybody, np.zeros(len(everybody)), strict=True))
        for name in dice.choice(everybody, len(everybody)):
            counts[name] += 1
        weight = np.array([counts[name] for name in ids])
        both = weight[first] * weight[second]
        drawn.append((both * wins).sum() / both.sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (card["auc_low"], card["auc_high"]) == pytest.approx((low, high), abs=0.03)


def write_card_of(history: History, risk: np.ndarray, rules: Rules) -> dict[str, Any]:
    return card_of(history, risk.tolist(), rules).row(0, named=True)


def test_a_score_that_sees_weakness_beats_the_baselines_and_says_so():
    found, outcomes = grow_company(150, signal=2.0, hazard=0.01)
    judged = judge(found, outcomes)
    verdict = verdict_of(judged.card, 90)
    assert verdict.startswith("The score beats the best simple measure")
    assert set(judged.card["card"]) == {"customer", "renewal"}
    assert {"all", "big", "small"} == set(judged.card["segment"])
    assert not judged.card.select(
        pl.struct("card", "method", "horizon_days", "segment", "population").is_duplicated().any()
    ).item()
    rates = judged.calibration.filter(
        (pl.col("horizon_days") == 90) & (pl.col("method") == "rules")
    )
    assert rates["bin"].to_list() == sorted(rates["bin"])
    assert (rates["low"] <= rates["observed"]).all() and (rates["observed"] <= rates["high"]).all()


def test_a_method_is_judged_by_the_rules_until_it_had_a_model_and_not_before_it_had_any():
    found, outcomes = grow_company(60, 60, signal=1.0)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    origins = sorted(judge_customers(history, NOBODY, 90, RULES).rows["as_of_date"].unique())
    assert len(origins) > 1

    def brier_of(card: pl.DataFrame) -> dict[str, float]:
        rows = card.filter(card="customer", horizon_days=90, segment="all", population="all")
        return dict(rows.drop_nulls("brier").select("method", "brier").iter_rows())

    never = judge(found, outcomes, logistic_from=LAST_SUNDAY)
    since_last = brier_of(judge(found, outcomes, logistic_from=origins[-1]).card)
    always = brier_of(judge(found, outcomes, logistic_from=origins[0]).card)
    for table in (never.card, never.calibration):
        assert "logistic" not in table.filter(horizon_days=90)["method"].to_list()
    # On the last date alone a tenth for everybody, on the others as the rules.
    horizons = estimate_churn(history, RULES, Resamples(history.rows["customer_id"], 100), {})
    judged = judge_customers(history, NOBODY, 90, RULES)
    lost = judged.rows["is_lost"].to_numpy().astype(float)
    by_rules = horizons[90].by_method["rules"][judged.places]
    is_last = (judged.rows["as_of_date"] == origins[-1]).to_numpy()
    mixed = (np.where(is_last, 0.1, by_rules) - lost) ** 2
    assert since_last["logistic"] == pytest.approx(mixed.mean(), abs=1e-6)
    assert always["logistic"] == pytest.approx(((0.1 - lost) ** 2).mean(), abs=1e-6)


def test_without_any_signal_it_says_that_the_score_does_not_help():
    found, outcomes = grow_company(120, signal=0.0, hazard=0.01, seed=4)
    judged = judge(found, outcomes)
    row = judged.card.filter(
        (pl.col("card") == "customer")
        & pl.col("is_in_force")
        & (pl.col("horizon_days") == 90)
        & (pl.col("segment") == "all")
        & (pl.col("population") == "all")
    ).row(0, named=True)
    assert row["auc_low"] <= 0.5 <= row["auc_high"]
    assert row["verdict"].startswith("The score does not help")


def test_none_or_all_lost_is_not_said_to_be_certain():
    # Wilson's interval of none of 10 at 95 %: 1.96^2 / (10 + 1.96^2).
    none, ten, all_ten = np.zeros(3), np.full(3, 10.0), np.full(3, 10.0)
    assert interval_of_share(none, ten, 0.95) == (0.0, pytest.approx(3.8415 / 13.8415, abs=1e-5))
    assert interval_of_share(all_ten, ten, 0.95) == (pytest.approx(10 / 13.8415, abs=1e-5), 1.0)
    assert interval_of_share(np.array([5.0, 4, 6]), ten, 0.5) == (0.45, 0.55)
    assert interval_of_share(none, none, 0.95) == (None, None)


def test_a_calibration_by_hand():
    # Forty customers, two by two equally probable: four in each tenth, the riskiest four are lost.
    risk = np.repeat([i / 100 for i in range(1, 21)], 2)
    lost = [loss(f"c{i:02}", ORIGIN + timedelta(days=30)) for i in range(36, 40)]
    history = score_history(
        signals(*(customer(f"c{i:02}", on=ORIGIN) for i in range(40))),
        frame("customer_outcomes", lost).with_columns(
            mrr_kept=pl.lit(None, pl.Float64), term_months=pl.lit(None, pl.Float64)
        ),
        NIGHT,
        RULES,
        CONNECTED,
    )
    judged = judge_customers(history, NOBODY, 90, RULES)
    resamples = Resamples(history.rows["customer_id"], 100)
    found = calibrate(judged, risk, "rules", resamples, RULES.report)
    assert found["bin"].to_list() == list(range(1, 11))
    assert found["n"].to_list() == [4] * 10
    assert found["predicted"].to_list() == pytest.approx([0.015 + 0.02 * i for i in range(10)])
    assert found["observed"].to_list() == [0.0] * 9 + [1.0]
    assert found["low"].to_list()[:9] == [0.0] * 9 and found["high"].min() > 0.4
    error = (sum(0.015 + 0.02 * i for i in range(9)) + 1 - 0.195) / 10
    assert measure_error(risk, np.repeat([0.0, 1.0], [36, 4])) == pytest.approx(error, abs=1e-6)


def test_segments_too_small_for_intervals_cost_no_draws():
    rules = load_rules({"report": {"minimum_events": 2}})
    lost = [loss(f"c{i}", ORIGIN + timedelta(days=30)) for i in range(3)]
    history = history_of_ten(*lost, segment=[f"s{i}" for i in range(10)])
    drawn = []

    class Watched(Resamples):
        def draw(self, totals: np.ndarray) -> np.ndarray:
            drawn.append(totals.shape)
            return super().draw(totals)

    card = card_of(history, [0.5] * 10, rules, resamples=Watched(history.rows["customer_id"], 100))
    # Everybody, and the untreated and reconstructed, who are everybody too.
    assert len(drawn) == 3
    few = card.filter(segment="s0", method="rules").row(0, named=True)
    assert (few["n"], few["events"], few["base_rate"], few["auc"]) == (1, 1, 1.0, None)


def test_resamples_are_the_same_in_every_run_and_begin_with_everybody():
    ids = pl.Series(["b", "a", "a"])
    one, two = Resamples(ids, 100), Resamples(ids, 100)
    assert (one.draws == two.draws).all()
    totals = one.totals(pl.Series(["a", "a", "b"]), [np.array([1.0, 2.0, 5.0])])
    assert totals.tolist() == [[3.0], [5.0]]
    assert one.draw(totals)[0, 0] == 8.0
    assert interval(np.array([1.0]), 0.9) == (None, None)
    assert np.isnan(quotient(np.array([1.0]), np.array([0.0]))[0])
