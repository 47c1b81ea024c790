"""Most customers are well looked after, and those that slip can be seen to slip."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from sample_company.behaviour import simulate
from sample_company.customers import make_customers
from tests.sample_company.reading import newest

LAST_DAY = date(2026, 6, 30)


def paying(sample: Path) -> pl.DataFrame:
    """(customer_id, mrr, risk_now) of those that pay on the last day."""
    months = pl.read_parquet(sample / "truth/customer_months.parquet")
    now = months.filter((pl.col("month_start") == date(2026, 6, 1)) & pl.col("is_paying"))
    return now.join(pl.read_csv(sample / "truth/characters.csv"), on="customer_id")


def interactions(sample: Path) -> pl.DataFrame:
    return pl.DataFrame(newest(sample, "interactions")).with_columns(
        day=pl.col("occurred_at").str.slice(0, 10).str.to_date()
    )


def test_a_healthy_customer_hears_from_us_as_often_as_its_tier_plans(sample: Path) -> None:
    ours = interactions(sample).filter(
        (pl.col("direction") == "outbound") & (pl.col("mode") != "one_to_many")
    )
    last = ours.group_by("customer_id").agg(pl.col("day").max())
    arr = 12 * pl.col("mrr").cast(pl.Float64)
    healthy = (
        paying(sample)
        .filter(pl.col("risk_now") < 1)
        .join(last, on="customer_id", how="left")
        .with_columns(
            plan=pl.when(arr >= 20_000).then(30).when(arr >= 6_000).then(60).otherwise(120)
        )
    )
    is_late = (LAST_DAY - pl.col("day")).dt.total_days() > pl.col("plan")
    late = healthy.filter(is_late | pl.col("day").is_null())
    assert len(late) < 0.15 * len(healthy)


def test_most_renewal_talks_start_60_to_120_days_before_due(sample: Path) -> None:
    talks = interactions(sample).filter(pl.col("kind") == "renewal_talk")
    terms = pl.read_parquet(sample / "truth/terms.parquet").filter(~pl.col("is_trial"))
    leads = (
        talks.join(terms, on="customer_id")
        .with_columns(lead=(pl.col("term_end") - pl.col("day")).dt.total_days())
        .filter(pl.col("lead") > 0)
        .group_by("interaction_id")
        .agg(pl.col("lead").min())
    )
    assert len(leads) > 20
    assert len(leads.filter(pl.col("lead").is_between(60, 120))) > 0.8 * len(leads)


def test_who_slips_far_slips_in_contact_and_support_too() -> None:
    behaviour = simulate(make_customers(400, 36, 7), 36, 7, no_signal=False)
    is_grown = behaviour.level.cumsum(axis=1) > 20
    is_slipping = is_grown & (behaviour.level < 0.5)
    is_well = is_grown & (behaviour.level > 0.8)
    assert behaviour.lapse[is_slipping].mean() > 0.5 > 0.15 > behaviour.lapse[is_well].mean()
    assert behaviour.pile[is_slipping].mean() > 3 * behaviour.pile[is_well].mean()
    assert is_slipping.sum() < 0.2 * is_grown.sum()
