"""Which entity comes from which system, in which files, under which names, with which faults.

Three ways to deliver: `once` (a single file of the last day), `snapshots` (the whole entity at
the end of May and again at the end of June) and `changes` (everything up to the end of May, then
every ten days what is new or changed). A file of a day holds what its system knew that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from sample_company.dates import LAST_DAY, moment
from sample_company.files import BadRow, Fault, FileFact, Manifest, as_text, spoil, write_text

FIRST_LOAD = date(2026, 5, 31)
# Oftener than the shortest grace, so that a renewal is known before it counts as lost.
CHANGES = (date(2026, 6, 10), date(2026, 6, 20), LAST_DAY)


@dataclass(frozen=True)
class Delivery:
    """`created` dates a row, `later` are moments unknown before they come.

    `names` gives the source's own column names, `sql` how the configuration undoes what is more
    than a name.
    """

    entity: str
    source: str
    stem: str
    key: tuple[str, ...]
    way: str = "once"
    format: str = "csv"
    created: str = ""
    later: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    sql: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    repeats: int = 0


DELIVERIES = (
    Delivery(
        "customers", "crm", "accounts", ("customer_id",), "snapshots", created="created_at",
        names={
            "customer_id": "account_no", "name": "account_name", "created_at": "created",
            "industry": "branch", "employee_count": "staff", "segment": "size_class",
            "parent_customer_id": "parent_account_no",
            "merged_into_customer_id": "merged_into_account_no", "legal_id": "register_no",
        },
        faults=(Fault("employee_count", "about forty", "type"),),
    ),
    Delivery("customer_ids", "crm", "other-ids", ("source", "source_id")),
    Delivery(
        "contacts", "crm", "contacts", ("contact_id",), names={"customer_id": "account_no"},
    ),
    Delivery("employees", "crm", "employees", ("employee_id",)),
    Delivery(
        "ownerships", "crm", "ownerships", ("customer_id", "role", "valid_from"),
        names={"customer_id": "account_no", "employee_id": "owner"},
        faults=(Fault("valid_to", "1999-12-31", "order"),),
    ),
    Delivery(
        "interactions", "activities", "interactions", ("interaction_id",), "changes", "jsonl",
        created="recorded_at",
        names={"customer_id": "account_no", "occurred_at": "when", "recorded_at": "entered"},
        faults=(Fault("occurred_at", "last Tuesday", "type"), Fault("mode", "by chance", "value")),
    ),
    Delivery(
        "messages", "support", "messages", ("message_id",), format="jsonl",
        names={"customer_id": "account_no"},
    ),
    Delivery(
        "tickets", "support", "tickets", ("ticket_id",), "changes", "jsonl", created="opened_at",
        later=("first_response_at", "resolved_at"), names={"customer_id": "account_no"},
        faults=(Fault("kind", "complaint", "value"), Fault("customer_id", None, "missing")),
    ),
    Delivery("csm_assessments", "crm", "csm-views", ("customer_id", "assessed_at"),
             names={"customer_id": "account_no"}),
    Delivery("onboarding_steps", "crm", "onboarding", ("customer_id", "round_no", "step"),
             names={"customer_id": "account_no"}),
    Delivery(
        "surveys", "crm", "surveys", ("survey_id",), "changes", created="sent_at",
        later=("responded_at",), names={"customer_id": "account_no"},
        faults=(Fault("score", "ten", "type"),), repeats=3,
    ),
    Delivery("feature_requests", "crm", "requests", ("request_id",),
             names={"customer_id": "account_no"}),
    Delivery("playbook_runs", "crm", "playbook-runs", ("playbook_run_id",),
             names={"customer_id": "account_no"}),
    Delivery("churn_reasons", "crm", "churn-reasons", ("customer_id", "noted_at"),
             names={"customer_id": "account_no"}),
    Delivery("leads", "crm", "leads", ("lead_id",)),
    Delivery("opportunities", "crm", "opportunities", ("opportunity_id",),
             names={"customer_id": "account_no"}, faults=(Fault("currency", "XYZ", "currency"),)),
    Delivery("quotes", "crm", "quotes", ("quote_id",)),
    Delivery("products", "erp", "products", ("product_id",)),
    Delivery("product_prices", "erp", "prices", ("product_id", "valid_from"), "snapshots"),
    Delivery("feature_entitlements", "erp", "entitlements",
             ("product_id", "feature", "valid_from")),
    Delivery(
        "orders", "erp", "orders", ("order_id",), "changes", created="ordered_at",
        later=("signed_at", "approved_at", "cancelled_at", "refunded_at"),
        names={
            "order_id": "order_no", "customer_id": "sold_to", "ordered_at": "written_at",
            "kind": "type", "previous_order_id": "follows_order_no",
        },
        faults=(Fault("currency", "XYZ", "currency"), Fault("status", "done", "value")),
    ),
    Delivery(
        "order_lines", "erp", "order-lines", ("order_line_id",), "changes", created="_created",
        later=("non_renewal_noted_at", "cancelled_at"),
        names={
            "order_line_id": "line_no", "order_id": "order_no", "product_id": "article",
            "amount": "net_amount", "term_start": "from_day", "term_end": "to_day",
        },
        faults=(
            Fault("term_end", "1999-12-31", "order"),
            Fault("amount", None, "missing"),
            Fault("quantity", "a few", "type"),
        ),
    ),
    Delivery(
        "subscriptions", "billing", "subscriptions", ("subscription_id",), format="jsonl",
        names={"customer_id": "account_no", "mrr": "monthly_amount"},
    ),
    Delivery("payments", "erp", "payments", ("payment_id",), names={"order_id": "order_no"},
             faults=(Fault("paid_at", None, "missing"),)),
    Delivery("services", "erp", "services", ("service_id",),
             names={"order_line_id": "line_no", "customer_id": "sold_to",
                    "product_id": "article"}),
    Delivery("service_usage", "erp", "usage", ("service_id", "used_on")),
    Delivery("wallet_entries", "erp", "wallet", ("entry_id",), names={"customer_id": "sold_to"}),
    Delivery("features", "erp", "features", ("feature",)),
    Delivery("tenants", "accounts", "workspaces", ("tenant_id",), "changes", created="_created",
             names={"tenant_id": "workspace", "customer_id": "account_no"}),
    Delivery("product_users", "accounts", "users", ("user_id",),
             names={"user_id": "actor", "tenant_id": "workspace"}),
    Delivery("costs", "finance", "costs", ("month", "category")),
    Delivery("exchange_rates", "finance", "rates", ("rate_date", "currency"),
             names={"rate_date": "day"}, faults=(Fault("rate", "n/a", "type"),)),
    Delivery("adjustments", "finance", "adjustments", ("adjustment_id",)),
    Delivery("targets", "finance", "targets", ("month", "metric", "segment")),
    Delivery("access_log", "operations", "access-log", ("entry_id",)),
)  # fmt: skip


def deliver(
    inbox: Path,
    delivery: Delivery,
    frame: pl.DataFrame,
    manifest: Manifest,
    first: pl.DataFrame | None = None,
) -> None:
    """Write all files of one entity; faults go into its first file, repeats into its last.

    `first` is the entity as the first file has it, where that is otherwise than the truth.
    """
    parts = _parts(delivery, frame, frame if first is None else first)
    for number, (day, part) in enumerate(parts):
        text = as_text(part.drop("_created", strict=False))
        name = f"{delivery.source}/{delivery.stem}-{day}.{delivery.format}"
        places: list[int] = []
        if number == 0:
            text, places = spoil(text, delivery.key, delivery.faults)
        repeats = delivery.repeats if number == len(parts) - 1 else 0
        repeats = min(repeats, len(text))
        text = pl.concat([text, text.slice(0, repeats)])
        write_text(inbox / name, text, delivery.names, delivery.format)
        header = 1 if delivery.format == "csv" else 0
        for place, fault in sorted(zip(places, delivery.faults, strict=False), key=lambda p: p[0]):
            manifest.bad_rows.append(
                BadRow(name, place + 1 + header, delivery.entity, fault.column, fault.reason)
            )
        fact = FileFact(name, delivery.entity, delivery.source, len(text), len(places), repeats)
        manifest.files.append(fact)


def _parts(
    delivery: Delivery, frame: pl.DataFrame, first: pl.DataFrame
) -> Sequence[tuple[date, pl.DataFrame]]:
    if delivery.way == "once":
        return [(LAST_DAY, frame)]
    if delivery.way == "snapshots":
        return [(FIRST_LOAD, as_known(delivery, first, FIRST_LOAD)), (LAST_DAY, frame)]
    before = as_known(delivery, first, FIRST_LOAD)
    parts = [(FIRST_LOAD, before)]
    for day in CHANGES:
        now = as_known(delivery, frame, day)
        changed = now.join(
            before, on=now.columns, how="anti", nulls_equal=True, maintain_order="left"
        )
        if len(changed):
            parts.append((day, changed))
        before = now
    return parts


def as_known(delivery: Delivery, frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows a system had at the end of a day, without what came later."""
    if day >= LAST_DAY:
        return frame
    end: datetime = moment(day, 23, 59) + timedelta(seconds=59)
    if delivery.created:
        frame = frame.filter(pl.col(delivery.created) <= end)
    if delivery.entity == "orders":  # the status as it was
        is_approved = pl.col("approved_at") <= end
        is_open = pl.col("status").is_in(["draft", "submitted"])
        is_ended = (pl.col("cancelled_at") <= end) | (pl.col("refunded_at") <= end)
        frame = frame.with_columns(
            status=pl.when(is_open | is_ended.fill_null(False))
            .then("status")
            .when(is_approved)
            .then(pl.lit("approved"))
            .otherwise(pl.lit("submitted")),
            approved_by=pl.when(is_approved).then("approved_by"),
            approver_role=pl.when(is_approved).then("approver_role"),
        )
    if delivery.entity == "tickets":
        is_solved = pl.col("resolved_at") <= end
        frame = frame.with_columns(satisfaction_score=pl.when(is_solved).then("satisfaction_score"))
    if delivery.entity == "surveys":
        frame = frame.with_columns(score=pl.when(pl.col("responded_at") <= end).then("score"))
    return frame.with_columns(
        [pl.when(pl.col(name) <= end).then(pl.col(name)).alias(name) for name in delivery.later]
    )
