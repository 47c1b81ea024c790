"""What `generate` promises: the same bytes, every entity, every story, and a known ceiling."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, timedelta
from itertools import islice, pairwise
from pathlib import Path

import polars as pl
import pytest
import yaml

from ingest.contracts import ENTITIES
from sample_company import generate
from sample_company.company import build
from sample_company.event_files import OUTAGE
from sample_company.hazard import area_under_curve, make_hazard, summarise
from sample_company.logins import CHUNK_EVENTS, stream
from sample_company.population import populate
from sample_company.stories import (
    CONTRACT_STORIES,
    FAULT_STORIES,
    SERVICE_STORIES,
    USE_STORIES,
)
from sample_company.truth import Ledger
from tests.sample_company.reading import story_customers

LAST_DAY = date(2026, 6, 30)


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def web_events(sample: Path) -> pl.DataFrame:
    return pl.read_parquet(sample / "inbox/product/*.parquet")


def mobile_events(sample: Path) -> pl.DataFrame:
    paths = sorted((sample / "inbox/mobile").glob("*.csv.gz"))
    return pl.concat(
        [pl.read_csv(gzip.decompress(p.read_bytes()), infer_schema=False) for p in paths]
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        generate(tmp_path / name, customers=15, months=12, seed=seed, events=3000)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
    assert fingerprint(tmp_path / "one") != fingerprint(tmp_path / "other")


def test_writing_again_replaces_what_was_there(tmp_path: Path) -> None:
    generate(tmp_path, customers=15, months=12, events=3000)
    before = fingerprint(tmp_path)
    (tmp_path / "inbox" / "crm" / "accounts-2020-01-01.csv").write_text("left over\n")
    generate(tmp_path, customers=15, months=12, events=3000)
    assert fingerprint(tmp_path) == before


def test_a_company_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 10 customers"):
        generate(tmp_path, customers=3)
    with pytest.raises(ValueError, match="at least 1000 events"):
        generate(tmp_path, events=3)


def test_every_entity_has_a_mapped_file_with_every_required_column(sample: Path) -> None:
    config = yaml.safe_load((sample / "customer_health.yml").read_text())
    mapped = set()
    del config["sources"]["warning_actions"]  # what people fill in; there is none to begin with
    for source in config["sources"].values():
        for entity, mapping in source["entities"].items():
            mapped.add(entity)
            paths = sorted((sample / source["location"]).glob(mapping["files"]))
            assert paths, entity
            header = columns_of(paths[0], source["format"])
            names = mapping.get("columns", {})
            for column in ENTITIES[entity].required_columns:
                own = names.get(column.name, column.name)
                assert isinstance(own, dict) or own in header, (entity, column.name)
            for own in names.values():
                assert isinstance(own, dict) or own in header, (entity, own)
    assert mapped == set(ENTITIES)


def columns_of(path: Path, format_: str) -> list[str]:
    if format_ == "parquet":
        return list(pl.read_parquet_schema(path))
    if format_ == "jsonl":
        return list(json.loads(path.read_text().splitlines()[0]))
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode().splitlines()[0].split(",")


def test_every_file_is_listed_with_its_rows(sample: Path) -> None:
    files = pl.read_csv(sample / "truth/files.csv").to_dicts()
    found = {
        str(path.relative_to(sample / "inbox"))
        for path in (sample / "inbox").rglob("*")
        if path.is_file()
    }
    assert {fact["file"] for fact in files} == found
    for fact in files:
        path = sample / "inbox" / fact["file"]
        if path.suffix == ".parquet":
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        elif path.suffix == ".gz":
            rows = len(gzip.decompress(path.read_bytes()).splitlines()) - 1
        else:
            rows = len(path.read_text().splitlines()) - (path.suffix == ".csv")
        assert rows == fact["rows"], fact


def test_bad_rows_stand_where_truth_says(sample: Path) -> None:
    bad = pl.read_csv(sample / "truth/bad_rows.csv").to_dicts()
    assert {row["reason"] for row in bad} == {
        "type", "missing", "value", "currency", "order", "future", "old",
    }  # fmt: skip
    marks = ("BAD-", "bad-", "n/a", "about forty")
    for row in bad:
        path = sample / "inbox" / row["file"]
        if path.suffix == ".parquet":
            event = pl.read_parquet(path).row(row["line"] - 1, named=True)
            old = event["ts"] is not None and event["ts"].year == 1999
            assert event["action"] is None or event["ts"] is None or old
            continue
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        line = raw.decode().splitlines()[row["line"] - 1]
        assert any(mark in line for mark in marks), row
    counts = pl.read_csv(sample / "truth/files.csv")
    assert counts["bad"].sum() == len(bad)


def test_every_story_is_told(sample: Path) -> None:
    told = set(pl.read_csv(sample / "truth/stories.csv")["story"])
    assert told == {*CONTRACT_STORIES, *USE_STORIES, *SERVICE_STORIES, *FAULT_STORIES}


def test_renewals_end_in_every_way(sample: Path) -> None:
    renewals = pl.read_parquet(sample / "truth/renewals.parquet")
    assert {
        "auto_renewed", "renewed_early", "renewed_on_time", "renewed_late", "coterminated",
        "returned", "refused", "not_renewed", "replaced", "cancelled", "refunded", "left_out", "",
    } <= set(renewals["how"])  # fmt: skip


def test_use_stories_can_be_seen_in_the_use(sample: Path) -> None:
    daily = pl.read_parquet(sample / "truth/active_users_daily.parquet")
    last_use = dict(daily.group_by("customer_id").agg(pl.col("activity_date").max()).iter_rows())
    (never,) = story_customers(sample, "never_started")
    assert never not in last_use
    (dormant,) = story_customers(sample, "dormant")
    assert 14 < (LAST_DAY - last_use[dormant]).days < 20
    (silent,) = story_customers(sample, "silent")
    assert (LAST_DAY - last_use[silent]).days > 60
    (back,) = story_customers(sample, "resurrected")
    days = daily.filter(pl.col("customer_id") == back)["activity_date"].sort().to_list()
    gap = max((b - a).days for a, b in pairwise(days))
    assert gap > 60
    assert (LAST_DAY - days[-1]).days < 7


def test_customers_with_a_use_or_service_story_still_pay(sample: Path) -> None:
    months = pl.read_parquet(sample / "truth/customer_months.parquet")
    paying = set(
        months.filter((pl.col("month_start") == date(2026, 6, 1)) & pl.col("is_paying"))[
            "customer_id"
        ]
    )
    for story in (
        "never_started",
        "declining",
        "dormant",
        "silent",
        "ugly_stayer",
        *SERVICE_STORIES,
    ):
        assert set(story_customers(sample, story)) <= paying, story
    assert not set(story_customers(sample, "healthy_churner")) & paying


def test_the_web_source_is_silent_in_the_outage_and_the_app_is_not(sample: Path) -> None:
    days = web_events(sample)["ts"].dt.convert_time_zone("Europe/Berlin").dt.date()
    assert not set(OUTAGE) & set(days)
    assert OUTAGE[0] - timedelta(days=1) in set(days)
    assert any(time.startswith("2026-05-20") for time in mobile_events(sample)["time"])


def test_the_delivered_users_of_each_day_follow_from_the_files(sample: Path) -> None:
    tenants = pl.read_csv(sample / "inbox/accounts/workspaces-*.csv")
    accounts = pl.read_csv(sample / "inbox/crm/accounts-2026-06-30.csv", infer_schema=False)
    merged = accounts.select("account_no", "merged_into_account_no").drop_nulls()
    web = web_events(sample).select("ts", "workspace", "actor", "action")
    app = mobile_events(sample).filter(~pl.col("id").str.starts_with("bad"))
    app = app.select(
        ts=pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us"),
        workspace="workspace",
        actor="actor",
        action="action",
    )
    used = (
        pl.concat([web, app])
        .filter((pl.col("action") != "notification_sent") & (pl.col("ts").dt.year() > 2000))
        .join(tenants, on="workspace")
        .join(merged, on="account_no", how="left")
        .select(
            customer_id=pl.coalesce("merged_into_account_no", "account_no"),
            activity_date=pl.col("ts").dt.convert_time_zone("Europe/Berlin").dt.date(),
            actor="actor",
        )
        .group_by("customer_id", "activity_date")
        .agg(pl.col("actor").n_unique().cast(pl.Int64).alias("delivered_user_count"))
        .sort("customer_id", "activity_date")
    )
    truth = (
        pl.read_parquet(sample / "truth/active_users_daily.parquet")
        .filter(pl.col("delivered_user_count") > 0)
        .select(used.columns)
        .sort("customer_id", "activity_date")
    )
    assert truth.equals(used)


def test_the_number_of_events_is_about_what_was_asked_for(sample: Path) -> None:
    files = pl.read_csv(sample / "truth/files.csv").filter(pl.col("entity") == "product_events")
    assert abs(files["rows"].sum() - 60_000) < 6_000


def test_the_number_of_users_is_about_what_was_asked_for() -> None:
    assert abs(len(populate(build(200, 12, 7, False), users=6_000).user_ids) - 6_000) < 600


def test_events_come_month_by_month_in_bounded_chunks() -> None:
    company = build(60, 12, 7, False)
    population = populate(company)
    months = stream(company, population, 3_000_000)
    _, _, chunks = next(months)  # a month is drawn when asked for, not before
    sizes = [(len(chunk.second), chunk.day) for chunk in islice(chunks, 3)]
    for size, days in sizes:
        a_day = size / len(set(days.tolist()))
        assert size < CHUNK_EVENTS + 3 * a_day


def test_the_best_score_is_good_and_far_from_perfect() -> None:
    company = build(400, 36, 7, False)
    best = summarise(make_hazard(company, Ledger(company.book, company.rates)))
    assert 0.75 <= float(best["best_auc"] or 0) <= 0.85
    customer_years = int(best["rows"] or 0) / 12
    assert 0.08 < len(company.losses) / customer_years < 0.2


def test_without_signal_nothing_can_be_foreseen() -> None:
    company = build(400, 36, 7, True)
    best = summarise(make_hazard(company, Ledger(company.book, company.rates)))
    assert 0.44 <= float(best["best_auc"] or 0) <= 0.56


def test_the_area_under_the_curve_counts_ties_half() -> None:
    assert area_under_curve([1, 2, 3, 4], [False, False, True, True]) == 1.0
    assert area_under_curve([1, 1], [False, True]) == 0.5
