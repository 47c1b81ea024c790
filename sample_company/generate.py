"""Writes the whole sample company: raw files, configuration and truth, from one seed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sample_company import corrections, crm
from sample_company.company import Company, build
from sample_company.configuration import write_configuration
from sample_company.deliveries import DELIVERIES, deliver
from sample_company.event_files import EventFiles
from sample_company.files import Manifest, write_parquet
from sample_company.finance import write_finance
from sample_company.hazard import make_hazard, summarise
from sample_company.logins import stream
from sample_company.order_system import write_order_system
from sample_company.people import access_log, employee_table
from sample_company.population import Population, populate, user_tables
from sample_company.relationship import write_diary
from sample_company.sales import write_sales
from sample_company.truth import (
    Ledger,
    write_contract_truth,
    write_files_truth,
    write_json,
    write_stories,
)

MANY_EVENTS = 5_000_000  # from here on a file of events holds a month, not a quarter
DAILY_USERS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("activity_date", pa.date32()),
        ("active_user_count", pa.int64()),
        ("delivered_user_count", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Summary:
    """What was written, and the best AUC any score can reach on it."""

    folder: Path
    files: int
    rows: int
    events: int
    bad_rows: int
    best_auc: float | None


def generate(
    folder: Path | str,
    *,
    customers: int = 400,
    months: int = 36,
    seed: int = 7,
    events: int | None = None,
    users: int | None = None,
    no_signal: bool = False,
) -> Summary:
    """Write `inbox/`, `customer_health.yml` and `truth/` under `folder`; what was there goes.

    `events` and `users` are about how many there shall be of the product's; None lets behaviour
    and seats decide.
    The same arguments give the same bytes. Raises ValueError for a company too small to be one.
    """
    if customers < 10 or months < 12:
        raise ValueError("a sample company has at least 10 customers and 12 months")
    if events is not None and events < 1000:
        raise ValueError("a sample company has at least 1000 events")
    folder = Path(folder)
    inbox, truth = folder / "inbox", folder / "truth"
    for part in (inbox, truth):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)

    company = build(customers, months, seed, no_signal)
    population = populate(company, users)
    manifest = Manifest()
    _deliver(inbox, company, population, manifest)
    event_count = _write_events(folder, company, population, events, manifest)

    ledger = Ledger(company.book, company.rates)
    write_contract_truth(truth, company, ledger)
    write_stories(truth, company)
    write_files_truth(truth, manifest)
    hazard = make_hazard(company, ledger)
    write_parquet(truth / "hazard.parquet", hazard)
    best = summarise(hazard)
    write_json(truth / "best_auc.json", best)
    best_auc = best["best_auc"]
    assert best_auc is None or isinstance(best_auc, float)
    write_configuration(folder, company.start)
    return Summary(
        folder=folder,
        files=len(manifest.files),
        rows=sum(fact.rows for fact in manifest.files),
        events=event_count,
        bad_rows=len(manifest.bad_rows),
        best_auc=best_auc,
    )


def _deliver(inbox: Path, company: Company, population: Population, manifest: Manifest) -> None:
    """All entities but the events; wrong and older values go in where a story says so."""
    frames: dict[str, pl.DataFrame] = {
        "customers": crm.accounts(company.customers, company.seed),
        "customer_ids": crm.other_ids(company.customers),
        "employees": employee_table(company.staff),
        "ownerships": company.staff.ownerships,
        "access_log": access_log(company.staff, company.seed),
        **write_diary(company),
        **write_order_system(company),
        **write_sales(company),
        **write_finance(company),
        **user_tables(company, population),
    }
    book = company.book
    written = {order.order_id: order.ordered_at for order in book.orders}
    frames["order_lines"] = corrections.mistype(frames["order_lines"], book).with_columns(
        _created=pl.col("order_id").replace_strict(written, return_dtype=pl.Datetime("us"))
    )
    first = {
        "order_lines": corrections.first_order_lines(frames["order_lines"], book),
        "customers": corrections.first_accounts(frames["customers"]),
        "surveys": corrections.first_surveys(frames["surveys"]),
        "product_prices": corrections.first_prices(frames["product_prices"]),
    }
    for delivery in DELIVERIES:
        entity = delivery.entity
        deliver(inbox, delivery, frames[entity], manifest, first.get(entity))


def _write_events(
    folder: Path, company: Company, population: Population, events: int | None, manifest: Manifest
) -> int:
    """Stream the events month by month; beside them the true daily active users."""
    months_a_file = 1 if events and events > MANY_EVENTS else 3
    files = EventFiles(folder / "inbox", population, company.start, manifest, months_a_file)
    ids = pa.array([customer.customer_id for customer in company.customers])
    epoch_days = (company.start - date(1970, 1, 1)).days
    users = len(population.user_ids)
    total = 0
    truth = folder / "truth" / "active_users_daily.parquet"
    with pq.ParquetWriter(truth, DAILY_USERS, compression="zstd") as out:
        for month, active, chunks in stream(company, population, events):
            files.begin(month)
            low = (month - company.start).days
            delivered = np.zeros_like(active)
            for chunk in chunks:
                is_delivered = files.add(chunk)
                total += int(is_delivered.sum())
                is_counted = is_delivered & chunk.is_use & ~population.is_unknown[chunk.tenant]
                pairs = np.unique(chunk.day[is_counted] * users + chunk.user[is_counted])
                days, user = np.divmod(pairs, users)
                np.add.at(delivered, (days - low, population.customer[user]), 1)
            day, customer = np.nonzero(active)
            columns = [
                ids.take(pa.array(customer)),
                pa.array((day + low + epoch_days).astype(np.int32)).cast(pa.date32()),
                pa.array(active[day, customer]),
                pa.array(delivered[day, customer]),
            ]
            out.write_table(pa.Table.from_arrays(columns, schema=DAILY_USERS))
    files.close()
    return total
