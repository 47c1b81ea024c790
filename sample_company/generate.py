"""Writes the whole sample company: raw files, configuration and truth, from one seed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sample_company import corrections, crm
from sample_company.behaviour import Behaviour, simulate
from sample_company.catalogue import exchange_rates
from sample_company.commerce import write_commerce
from sample_company.configuration import write_configuration
from sample_company.contract_book import Book
from sample_company.contract_stories import write_contracts
from sample_company.customers import Customer, make_customers
from sample_company.dates import LAST_DAY, first_day
from sample_company.deliveries import DELIVERIES, deliver
from sample_company.event_files import EventFiles
from sample_company.files import Manifest, write_parquet
from sample_company.hazard import make_hazard, summarise
from sample_company.logins import Population, daily_chances, populate, stream, user_tables
from sample_company.people import access_log, employee_table, hire
from sample_company.relationship import write_diary
from sample_company.selling import Seller
from sample_company.truth import (
    Ledger,
    write_contract_truth,
    write_files_truth,
    write_json,
    write_stories,
)


@dataclass(frozen=True)
class Summary:
    """What was written, and the best AUC any score can reach on it."""

    folder: Path
    files: int
    rows: int
    events: int
    bad_rows: int
    best_auc: float


def generate(
    folder: Path | str,
    *,
    customers: int = 400,
    months: int = 36,
    seed: int = 7,
    events: int | None = None,
    no_signal: bool = False,
) -> Summary:
    """Write `inbox/`, `customer_health.yml` and `truth/` under `folder`.

    `events` is about how many product events there shall be; None lets behaviour decide.
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

    people = make_customers(customers, months, seed, no_signal)
    behaviour = simulate(people, months, seed, no_signal)
    book = Book()
    seller = Seller(book, behaviour, people, seed)
    write_contracts(seller, people)
    book.settle()

    rates = exchange_rates(behaviour.start - timedelta(days=10), LAST_DAY, seed)
    staff = hire(people, months, seed)
    population = populate(people, behaviour, seed)
    frames = {
        "customers": crm.accounts(people, seed),
        "customer_ids": crm.other_ids(people),
        "employees": employee_table(staff),
        "ownerships": staff.ownerships,
        "access_log": access_log(staff, seed),
        **write_diary(people, behaviour, staff, book, seller.losses, seed),
        **write_commerce(people, book, staff, rates, months, seed),
        **user_tables(people, population, behaviour),
    }
    manifest = Manifest()
    _deliver(inbox, frames, book, manifest)
    event_count = _write_events(
        inbox, truth, people, population, behaviour, book, events, seed, manifest
    )

    ledger = Ledger(book, rates)
    write_contract_truth(truth, people, book, ledger, first_day(months))
    write_stories(truth, people, behaviour)
    write_files_truth(truth, manifest)
    hazard = make_hazard(people, behaviour, book, ledger)
    write_parquet(truth / "hazard.parquet", hazard)
    best = summarise(hazard)
    write_json(truth / "best_auc.json", best)
    write_configuration(folder, behaviour.start)
    return Summary(
        folder=folder,
        files=len(manifest.files),
        rows=sum(fact.rows for fact in manifest.files),
        events=event_count,
        bad_rows=len(manifest.bad_rows),
        best_auc=float(best["best_auc"]),
    )


def _deliver(inbox: Path, frames: dict[str, pl.DataFrame], book: Book, manifest: Manifest) -> None:
    """All entities but the events; wrong and older values go in where a story says so."""
    written = {order.order_id: order.ordered_at for order in book.orders}
    lines = corrections.mistype(frames["order_lines"], book).with_columns(
        _created=pl.col("order_id").replace_strict(written, return_dtype=pl.Datetime("us"))
    )
    frames = {**frames, "order_lines": lines}
    first = {
        "order_lines": corrections.first_order_lines(lines, book),
        "customers": corrections.first_accounts(frames["customers"]),
        "surveys": corrections.first_surveys(frames["surveys"]),
    }
    for delivery in DELIVERIES:
        entity = delivery.entity
        deliver(inbox, delivery, frames[entity], manifest, first.get(entity))


def _write_events(
    inbox: Path,
    truth: Path,
    customers: Sequence[Customer],
    population: Population,
    behaviour: Behaviour,
    book: Book,
    events: int | None,
    seed: int,
    manifest: Manifest,
) -> int:
    """Stream the events month by month; beside them the true daily active users."""
    chances = daily_chances(customers, behaviour, book)
    files = EventFiles(inbox, population, behaviour.start, manifest)
    ids = pa.array([customer.customer_id for customer in customers])
    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("activity_date", pa.date32()),
            ("active_user_count", pa.int64()),
            ("delivered_user_count", pa.int64()),
        ]
    )
    total = 0
    epoch_days = (behaviour.start - date(1970, 1, 1)).days
    with pq.ParquetWriter(truth / "active_users_daily.parquet", schema, compression="zstd") as out:
        for month, active, chunks in stream(
            population, behaviour, chances, events=events, seed=seed
        ):
            files.begin(month)
            low = (month - behaviour.start).days
            delivered = np.zeros_like(active)
            for chunk in chunks:
                is_delivered = files.add(chunk)
                total += int(is_delivered.sum())
                is_counted = is_delivered & chunk.is_use
                size = len(population.user_ids)
                pairs = np.unique(chunk.day[is_counted] * size + chunk.user[is_counted])
                days, users = np.divmod(pairs, size)
                np.add.at(delivered, (days - low, population.customer[users]), 1)
            day, customer = np.nonzero(active)
            out.write_table(
                pa.Table.from_arrays(
                    [
                        ids.take(pa.array(customer)),
                        pa.array((day + low + epoch_days).astype(np.int32)).cast(pa.date32()),
                        pa.array(active[day, customer]),
                        pa.array(delivered[day, customer]),
                    ],
                    schema=schema,
                )
            )
    files.close()
    return total
